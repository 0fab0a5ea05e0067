//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6), read strictly.

#[cfg_attr(not(feature = "full"), path = "token/anonymous.rs")]
mod identity;

#[cfg(feature = "full")]
pub use identity::Signed;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::client::Client;
use super::dpop::ProofKey;
use super::error::{Error, ErrorCode, wrong};
use super::json::{self, Json};
use super::openid::About;
use super::secret::{AccessToken, AuthorizationCode, CodeVerifier, RefreshToken, Spent};
use super::shown::{self, Names};
use super::{Seconds, form, refusal, text};

/// Bytes of the largest token response that is read.
pub const MAX_BODY: u32 = 1 << 20;

/// A token this close to its end is renewed before it is used; of a short life at most the second half.
const MARGIN: Seconds = 30;

/// Spent secrets that are kept in mind.
const MAX_SPENT: usize = 8;

/// Scopes of a grant that are taken note of: the longest list in use has about a hundred.
const MAX_SCOPES: usize = 1024;

/// Members of a response that are the protocol's; the others are the provider's own.
const PROTOCOL_MEMBERS: &[&str] = &[
    "token_type",
    "expires_in",
    "scope",
    "state",
    "iss",
    "session_state",
];

/// What is exchanged for tokens.
#[derive(Debug)]
pub enum Grant {
    /// Section 4.1.3, with the verifier of RFC 7636 section 4.5.
    AuthorizationCode {
        code: AuthorizationCode,
        code_verifier: CodeVerifier,
    },
    /// Section 6.
    RefreshToken(RefreshToken),
}

impl Grant {
    fn secrets(&self) -> (&str, &str) {
        match self {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => (code.expose(), code_verifier.expose()),
            Grant::RefreshToken(token) => (token.expose(), ""),
        }
    }
}

/// A POST to the token endpoint, to be sent once.
#[derive(Debug)]
pub struct TokenRequest {
    login: Rc<Client>,
    grant: Grant,
    /// Whom the ID Token has to be about, where there has to be one.
    about: Option<About>,
    /// What the tokens are bound to.
    key: Option<ProofKey>,
}

/// An answer as the network gave it.
pub struct HttpResponse {
    pub status: u16,
    pub content_type: String,
    /// `Retry-After`, in seconds from now.
    pub retry_after: Option<Seconds>,
    /// At most [`MAX_BODY`] bytes; wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl TokenRequest {
    /// A request of this client's.
    pub fn new(login: Rc<Client>, grant: Grant) -> Self {
        Self {
            login,
            grant,
            about: None,
            key: None,
        }
    }

    pub fn endpoint(&self) -> &str {
        self.login.token_endpoint()
    }

    /// The header for a relay that keeps the refresh token.
    pub fn relay(&self) -> Option<(&'static str, String)> {
        self.login.relay()
    }

    /// The form body.
    pub fn body(&self) -> Zeroizing<String> {
        // Room for everything three times over (an escape is three bytes): no reallocation leaves a copy behind.
        let values = match &self.grant {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => code.expose().len() + code_verifier.expose().len(),
            Grant::RefreshToken(token) => token.expose().len(),
        };
        let (client_id, redirect_uri) = (self.login.client_id(), self.login.redirect_uri());
        let mut room = 256 + 3 * (values + client_id.len() + redirect_uri.len());
        for resource in self.login.resources() {
            room += 16 + 3 * resource.len();
        }
        let mut body = Zeroizing::new(String::with_capacity(room));
        let mut add = |name, value| form::append(&mut body, name, value);
        match &self.grant {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => {
                add("grant_type", "authorization_code");
                add("client_id", client_id);
                add("code", code.expose());
                add("redirect_uri", redirect_uri);
                add("code_verifier", code_verifier.expose());
            }
            Grant::RefreshToken(token) => {
                add("grant_type", "refresh_token");
                add("client_id", client_id);
                add("refresh_token", token.expose());
            }
        }
        // For each the same resources, or a renewed token could do less (RFC 8707 section 2.2).
        for resource in self.login.resources() {
            add("resource", resource);
        }
        body
    }

    /// Reads the answer (sections 5.1 and 5.2). `now` is a monotonic time in seconds.
    pub fn read(self, response: HttpResponse, now: Seconds) -> Result<Tokens, Error> {
        // A refusal carries no token, and is read whatever it says of its own type.
        let mut members = Json::parse(&response.body);
        if response.status == 200
            && is_json(&response.content_type)
            && let Some(members @ Json::Object(_)) = &mut members
            && members.get("error").is_none()
        {
            let tokens = self.tokens(members, now);
            let mut tokens = match tokens {
                Ok(tokens) => tokens,
                Err(error) => {
                    members.wipe();
                    return Err(self.unanswered(error));
                }
            };
            let mut spent = Vec::new();
            match self.grant {
                Grant::RefreshToken(token) if tokens.refresh_token.is_none() => {
                    tokens.refresh_token = Some(token);
                }
                grant => {
                    let (first, second) = grant.secrets();
                    spent.push(Spent::new(String::from(first)));
                    spent.push(Spent::new(String::from(second)));
                }
            }
            tokens.after(spent);
            return Ok(tokens);
        }
        let error = self.refused(&response, members.as_ref());
        members.iter_mut().for_each(Json::wipe);
        Err(error)
    }

    fn refused(&self, response: &HttpResponse, members: Option<&Json>) -> Error {
        let HttpResponse {
            status,
            content_type,
            retry_after,
            body,
        } = response;
        let status = *status;
        let (first, second) = self.grant.secrets();
        let server = refusal::said(status, body, members, &[first, second]);
        let error = match status {
            429 | 420 => ErrorCode::RateLimited.error(),
            500.. => ErrorCode::ServerError.error(),
            // By the server's own word: the provider's table may have another for it (section 5.2).
            _ if server.error.as_deref() == Some("invalid_grant") && self.is_renewal() => {
                ErrorCode::SessionEnded.at(&server.sentence())
            }
            _ if self.is_renewal() && is_passing(server.error.as_deref()) => {
                ErrorCode::ServerError.error()
            }
            _ if server.error.is_some()
                || (status >= 400 && server.error_description.is_some()) =>
            {
                ErrorCode::TokenRequestRefused.at(&server.sentence())
            }
            // With or without a word: nothing was issued.
            400 | 401 | 403 if self.is_renewal() => {
                ErrorCode::TokenRequestRefused.at("an error without an error code")
            }
            404 | 405 => {
                let rule = "the server has no token endpoint there (status 404 or 405)";
                ErrorCode::InvalidTokenResponse.at(rule)
            }
            _ => ErrorCode::InvalidTokenResponse.at(match members {
                _ if is_html(content_type) => "an HTML page instead of JSON",
                _ if !is_json(content_type) => "its content type is not application/json",
                Some(_) if status == 200 => "it is not a JSON object",
                Some(_) => "an error without an error code",
                None => "it is not valid JSON",
            }),
        };
        // An HTML page with success is another server's: a single-page application at the address of a relay, say.
        let other = server.error.is_some() || is_html(content_type);
        let error = match (200..300).contains(&status) && !other {
            true => self.unanswered(error),
            false => error,
        };
        // A client that has to prove who it is (section 5.2), which no page can.
        let error = match server.error.as_deref() {
            Some("invalid_client" | "unauthorized_client") if !self.is_renewal() => error.cured_by(
                "Check clientId; if the provider demands a client secret, point tokenEndpoint at your own backend, which adds it",
            ),
            _ => error,
        };
        let error = self.login.explained(error.with(server));
        match retry_after {
            None => error,
            Some(seconds) => {
                error.and("retryAfter", Json::Number(json::decimal((*seconds).into())))
            }
        }
    }

    fn is_renewal(&self) -> bool {
        matches!(self.grant, Grant::RefreshToken(_))
    }

    /// What a failure means after which nobody knows whether the server has spent the token: no answer came, or an
    /// answer of success that is of no use.
    pub fn unanswered(&self, error: Error) -> Error {
        match self.is_renewal() && !self.login.refresh_token_reuse() {
            true => error.becomes(ErrorCode::SessionIndeterminate),
            false => error,
        }
    }
}

/// What the token endpoint (or the fragment) gave.
#[derive(Debug)]
pub struct Tokens {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    expires_at: Option<Seconds>,
    /// How long before its end the token is renewed.
    margin: Seconds,
    scope: Vec<String>,
    extra: Json,
    /// The newest secrets that these tokens came for or after.
    spent: Vec<Spent>,
    more: identity::More,
}

impl Tokens {
    /// A token that the user has got elsewhere.
    pub fn adopt(token: String, scope: &[String]) -> Result<Tokens, Error> {
        let access_token = AccessToken::new(token);
        if !is_b64token(access_token.expose()) {
            let rule = "must be a text that a header can carry";
            return Err(wrong("accessToken", rule));
        }
        Ok(Tokens {
            access_token,
            refresh_token: None,
            expires_at: None,
            margin: 0,
            scope: scope.to_vec(),
            extra: Json::Object(json::Members::new()),
            spent: Vec::new(),
            more: identity::More::default(),
        })
    }

    /// The tokens for another page, which [`from_json`](Tokens::from_json) reads. With `whole` the access token is among
    /// them. It has secrets in it: to be written once, and wiped.
    pub fn to_json(&self, whole: bool, now: Seconds) -> Json {
        let mut out = json::Object::new();
        if whole {
            out.str("accessToken", self.access_token.expose());
            if let Some(at) = self.expires_at {
                out.number("left", at.saturating_sub(now));
            }
        }
        out.maybe(
            "refreshToken",
            self.refresh_token.as_ref().map(|token| token.expose()),
        )
        .number("margin", self.margin)
        .list("scope", &self.scope)
        .value("extra", self.extra.clone());
        out.value("more", self.more.to_json());
        out.done()
    }

    /// Reads tokens that were written `ago` seconds before `now`. Without an access token they have to be renewed first.
    pub fn from_json(mut json: Json, ago: Seconds, now: Seconds) -> Option<Tokens> {
        let mut own = |name| match json.take(name) {
            Some(Json::String(text)) => Some(text),
            _ => None,
        };
        let refresh_token = own("refreshToken").map(RefreshToken::new);
        let access_token = own("accessToken").map(AccessToken::new);
        let left = json.get("left").and_then(Json::as_u32);
        let expires_at = match &access_token {
            None => Some(0),
            Some(token) if !is_b64token(token.expose()) => return None,
            Some(_) => left.map(|left| now.saturating_add(left.saturating_sub(ago))),
        };
        if access_token.is_none() && refresh_token.is_none() {
            return None;
        }
        Some(Tokens {
            access_token: access_token.unwrap_or_else(|| AccessToken::new(String::new())),
            refresh_token,
            expires_at,
            margin: json.get("margin")?.as_u32()?.min(MARGIN),
            scope: json.get("scope")?.texts(),
            extra: json.take("extra").unwrap_or(Json::Null),
            spent: Vec::new(),
            more: identity::More::read(json.take("more").unwrap_or(Json::Null))?,
        })
    }

    /// Reads what this client was granted. Where the provider is known to leave `token_type` out, its tokens are bearer
    /// tokens.
    pub fn granted(members: &mut Json, login: &Client, now: Seconds) -> Result<Tokens, Error> {
        if login.token_type_optional() {
            let bearer = Json::String(String::from("Bearer"));
            members.fill(Json::Object(vec![(String::from("token_type"), bearer)]));
        }
        Tokens::read(members, login.scope(), login.extra_members(), now)
    }

    /// Reads the members of section 5.1 and takes the tokens out of `members`; the rest is the provider's own.
    /// `extra_members`: names of them that mean no secret though they sound so.
    pub fn read(
        members: &mut Json,
        requested_scope: &[String],
        extra_members: &[String],
        now: Seconds,
    ) -> Result<Tokens, Error> {
        let invalid = |rule| ErrorCode::InvalidTokenResponse.at(rule);
        let access_token = match members.take("access_token") {
            Some(Json::String(token)) => AccessToken::new(token),
            _ => return Err(invalid("access_token: is missing")),
        };
        if !is_b64token(access_token.expose()) {
            return Err(invalid("access_token: is empty, or no header can carry it"));
        }
        let refresh_token = match members.take("refresh_token") {
            None => None,
            Some(Json::String(token)) => Some(RefreshToken::new(token)),
            Some(_) => return Err(invalid("refresh_token: must be a string")),
        };
        let token_type = members.str("token_type");
        let token_type = token_type.ok_or_else(|| {
            invalid("token_type: is missing").cured_by(
                "Set tokenTypeOptional if the provider leaves token_type out of bearer tokens",
            )
        })?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(ErrorCode::UnsupportedTokenType.error());
        }
        let expires_in = match members.get("expires_in") {
            None => None,
            Some(Json::Number(text) | Json::String(text)) => {
                lifetime(text).ok_or_else(|| invalid("expires_in: must be seconds"))?
            }
            Some(_) => return Err(invalid("expires_in: must be a number")),
        };
        let granted = match members.get("scope") {
            None => Some(Vec::new()),
            Some(scope) => granted_scope(scope),
        };
        let granted = granted.ok_or_else(|| invalid("scope: must be a string"))?;
        for name in PROTOCOL_MEMBERS {
            members.take(name);
        }
        shown::hide(members, Names::But(extra_members), &[]);
        members.keep_exact();
        let mut tokens = Tokens {
            access_token,
            refresh_token: refresh_token.filter(|token| !token.expose().is_empty()),
            expires_at: expires_in.and_then(|seconds| now.checked_add(seconds)),
            margin: MARGIN.min(expires_in.unwrap_or(0) / 2),
            scope: match granted.is_empty() {
                true => requested_scope.to_vec(),
                false => granted,
            },
            extra: core::mem::replace(members, Json::Null),
            spent: Vec::new(),
            more: identity::More::default(),
        };
        tokens.hide();
        Ok(tokens)
    }

    /// Takes out of what a page may see whatever is a secret.
    fn hide(&mut self) {
        let mut extra = core::mem::replace(&mut self.extra, Json::Null);
        let mut scope = core::mem::take(&mut self.scope);
        let secrets = self.secrets();
        shown::hide(&mut extra, Names::Judged, &secrets);
        scope.retain(|item| !shown::shows(item, &secrets));
        drop(secrets);
        (self.extra, self.scope) = (extra, scope);
        self.hide_more();
    }

    /// What no page may see.
    pub fn secrets(&self) -> Vec<&str> {
        let mut secrets = Vec::new();
        secrets.push(self.access_token.expose());
        secrets.extend(self.refresh_token.iter().map(|token| token.expose()));
        secrets.extend(self.id_token_hint().map(|token| token.expose()));
        secrets.extend(self.spent.iter().map(|spent| spent.expose()));
        secrets
    }

    /// Takes note of secrets that these tokens came for or after.
    fn after(&mut self, spent: Vec<Spent>) {
        self.spent.extend(spent);
        let old = self.spent.len().saturating_sub(MAX_SPENT);
        self.spent.drain(..old);
        self.hide();
    }

    pub fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// The refresh token, to be spent once.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// When the access token ends, in the seconds of the `now` it was read with.
    pub fn expires_at(&self) -> Option<Seconds> {
        self.expires_at
    }

    /// Counts the token as ended: its resource server has refused it.
    pub fn end(&mut self) {
        self.expires_at = Some(0);
    }

    /// Whether the token has ended, or will within the time that a renewal is given.
    pub fn is_due(&self, now: Seconds) -> bool {
        self.expires_at.is_some_and(|at| now + self.margin >= at)
    }

    /// What was granted; what was asked for where the server says nothing (section 5.1).
    pub fn scope(&self) -> &[String] {
        &self.scope
    }

    /// The provider's own members, for example `user_id`.
    pub fn extra(&self) -> &Json {
        &self.extra
    }

    pub fn is_renewable(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// What a renewal leaves out stays as it was.
    pub fn keep_from(&mut self, mut old: Tokens) {
        let mut spent = core::mem::take(&mut old.spent);
        spent.push(Spent::new(String::from(old.access_token.expose())));
        if let Some(token) = old.refresh_token {
            spent.push(Spent::new(String::from(token.expose())));
        }
        self.extra.fill(old.extra);
        self.keep_more(old.more);
        self.after(spent);
    }
}

/// What an Authorization header can carry (RFC 6750 section 2.1), read generously: visible ASCII.
fn is_b64token(token: &str) -> bool {
    !token.is_empty() && text::is_graphic(token, b"")
}

/// What servers call their own trouble (section 4.1.2.1), which says nothing of a token.
fn is_passing(error: Option<&str>) -> bool {
    matches!(error, Some("temporarily_unavailable" | "server_error"))
}

/// `expires_in`: `Some(None)` where it sets no end. Servers whose tokens last for ever write 0, less than 0, or centuries;
/// what is none of these, a 401 will say. `None`: it is no number.
fn lifetime(text: &str) -> Option<Option<Seconds>> {
    let seconds = json::whole(text.strip_prefix("-").unwrap_or(text))?;
    // Half a second is over at once, and not for ever.
    let mut mantissa = text.bytes().take_while(|b| !matches!(b, b'e' | b'E'));
    let is_positive = mantissa.any(|b| matches!(b, b'1'..=b'9')) && !text.starts_with("-");
    Some(seconds.try_into().ok().filter(|_| is_positive))
}

/// `scope` of a response (section 5.1): a text; some servers write a list.
fn granted_scope(scope: &Json) -> Option<Vec<String>> {
    let texts = match scope {
        Json::String(_) => core::slice::from_ref(scope),
        Json::Array(items) => items,
        _ => return None,
    };
    let mut granted = Vec::new();
    for text in texts {
        let mut rest = text.as_str()?;
        while !rest.is_empty() && granted.len() < MAX_SCOPES {
            let (item, after) = text::cut(rest, " ").unwrap_or((rest, ""));
            if !item.is_empty() {
                granted.push(String::from(item));
            }
            rest = after;
        }
    }
    Some(granted)
}

fn is_html(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().starts_with("text/html")
}

/// `application/json` or `application/*+json`, with whatever parameters.
fn is_json(content_type: &str) -> bool {
    let essence = text::cut(content_type, ";").map_or(content_type, |(essence, _)| essence);
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    fn client() -> Rc<Client> {
        with("")
    }

    fn with(fields: &str) -> Rc<Client> {
        let text = format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","scope":["read"]{fields}}}"#
        );
        super::super::config::Config::parse(&text)
            .and_then(|config| config.resolve("https://app.example"))
            .expect("a login")
    }

    fn refresh() -> TokenRequest {
        let grant = Grant::RefreshToken(RefreshToken::new("TG-old".to_string()));
        TokenRequest::new(client(), grant)
    }

    fn code(status: u16, content_type: &str, body: &str) -> Result<Tokens, Error> {
        let grant = Grant::AuthorizationCode {
            code: AuthorizationCode::new("c0de".to_string()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        answer(
            TokenRequest::new(client(), grant),
            status,
            content_type,
            body,
        )
    }

    fn read(status: u16, content_type: &str, body: &str) -> Result<Tokens, Error> {
        answer(refresh(), status, content_type, body)
    }

    fn answer(
        request: TokenRequest,
        status: u16,
        content_type: &str,
        body: &str,
    ) -> Result<Tokens, Error> {
        let response = HttpResponse {
            status,
            content_type: content_type.to_string(),
            retry_after: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        request.read(response, 100)
    }

    /// The example of RFC 6749 section 5.1, and that of Mercado Libre's documents.
    #[test]
    fn rfc6749_section_5_1() {
        let tokens = read(
            200,
            "application/json;charset=UTF-8",
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,
                "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#,
        )
        .expect("tokens");
        assert_eq!(tokens.access_token().expose(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(tokens.expires_at(), Some(3700));
        assert_eq!(tokens.scope(), ["read"]);
        assert_eq!(
            tokens.extra().text(),
            r#"{"example_parameter":"example_value"}"#
        );
    }

    #[test]
    fn legal_variants_of_a_renewal_are_understood() {
        let ok = |members: &str| {
            let body = format!(r#"{{"access_token":"at","token_type":"bearer"{members}}}"#);
            read(200, "application/json", &body).expect(members)
        };
        for members in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
            let tokens = ok(members);
            let kept = tokens.refresh_token().expect("the old one is kept");
            assert_eq!(kept.expose(), "TG-old");
        }
        assert_eq!(ok(r#","scope":"""#).scope(), ["read"]);
        assert_eq!(ok(r#","scope":"a b""#).scope(), ["a", "b"]);
        assert_eq!(ok(r#","expires_in":"3600""#).expires_at(), Some(3700));
        assert_eq!(ok(r#","expires_in":3600.0"#).expires_at(), Some(3700));
        assert_eq!(ok(r#","expires_in":null"#).expires_at(), None);
        assert_eq!(ok(r#","id_token":"x.y.z""#).extra().text(), "{}");
        let nested = r#","id":1,"authed_user":{"access_token":"a","id":"U1"},"list":[{"device_secret":"b"}],"x_token":"c""#;
        assert_eq!(
            ok(nested).extra().text(),
            r#"{"id":1,"authed_user":{"id":"U1"},"list":[{}]}"#
        );
        let body = r#"{"access_token":"a","token_type":"BEARER"}"#;
        assert!(read(200, "Application/Vnd.x+JSON", body).is_ok());
    }

    #[test]
    fn hostile_answers_are_refused() {
        use ErrorCode::*;
        let json = "application/json";
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for (status, content_type, body, want) in [
            (200, json, "", InvalidTokenResponse),
            (200, json, "{", InvalidTokenResponse),
            (200, json, "null", InvalidTokenResponse),
            (200, json, "[]", InvalidTokenResponse),
            (200, json, deep.as_str(), InvalidTokenResponse),
            (200, json, "{}", InvalidTokenResponse),
            (200, json, r#"{"access_token":"a"}"#, InvalidTokenResponse),
            (
                200,
                json,
                r#"{"token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a\r\nX: y","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":5,"token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"mac"}"#,
                UnsupportedTokenType,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","access_token":"b"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","expires_in":true}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","expires_in":"soon"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","scope":["a",1]}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","scope":{"a":1}}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","refresh_token":7}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"error":"invalid_grant","access_token":"a","token_type":"bearer"}"#,
                TokenRequestRefused,
            ),
            (
                201,
                json,
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (200, "text/html", "<html>", InvalidTokenResponse),
            (
                200,
                "",
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                "text/plain",
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                400,
                json,
                r#"{"error":"invalid_grant"}"#,
                TokenRequestRefused,
            ),
            (401, json, r#"{"error":"made_up"}"#, TokenRequestRefused),
            (400, json, "", InvalidTokenResponse),
            (401, "", "", InvalidTokenResponse),
            (400, json, r#"{"error":5}"#, InvalidTokenResponse),
            (500, "text/html", "<html>", ServerError),
            (
                503,
                json,
                r#"{"error":"temporarily_unavailable"}"#,
                ServerError,
            ),
            (429, "text/plain", "local_rate_limited", RateLimited),
            (
                420,
                json,
                r#"{"status":420,"message":"Chill Out!"}"#,
                RateLimited,
            ),
            (302, "", "", InvalidTokenResponse),
            (204, "", "", InvalidTokenResponse),
        ] {
            let error = code(status, content_type, body).expect_err(body);
            assert_eq!(error.code, want, "{status} {content_type} {body}");
            // A renewal that the server may have answered well: nobody knows what became of the refresh token.
            let unknown = matches!(status, 200..300)
                && matches!(want, InvalidTokenResponse | UnsupportedTokenType)
                && content_type != "text/html";
            let error = read(status, content_type, body).expect_err(body);
            let ended = want == TokenRequestRefused && body.contains("invalid_grant");
            let want = match (unknown, ended) {
                (true, _) => SessionIndeterminate,
                (_, true) => SessionEnded,
                // Nothing was issued, and that is all there is to know.
                _ if matches!(status, 400 | 401 | 403) => TokenRequestRefused,
                _ => want,
            };
            assert_eq!(error.code, want, "{status} {content_type} {body}");
        }
    }

    /// ORCID's tokens last for twenty years, WSO2's for 9223372036854775 seconds; 0 and -1 mean for ever elsewhere.
    #[test]
    fn a_token_that_lives_for_decades_or_for_ever_is_a_session() {
        let expires_at = |seconds: &str| {
            let members =
                format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{seconds}}}"#);
            let renewed = read(200, "application/json", &members).expect(seconds);
            let exchanged = code(200, "application/json", &members).expect(seconds);
            assert_eq!(renewed.expires_at(), exchanged.expires_at());
            let brief = renewed.expires_at() == Some(100);
            assert_eq!(renewed.is_due(100), brief, "{seconds}");
            renewed.expires_at()
        };
        for (seconds, at) in [
            ("3600", Some(3700)),
            ("3.6e3", Some(3700)),
            ("\"36e2\"", Some(3700)),
            ("315360000", Some(315_360_100)),
            ("631138518", Some(631_138_618)),
            ("\"631138518\"", Some(631_138_618)),
            ("0.5", Some(100)),
            ("5e-1", Some(100)),
            ("4294967195", Some(u32::MAX)),
            ("4294967196", None),
            ("99999999999", None),
            ("9223372036854775", None),
            ("9223372036854775807", None),
            ("1e309", None),
            ("0", None),
            ("0.0", None),
            ("0e9", None),
            ("\"0\"", None),
            ("-1", None),
            ("\"-1\"", None),
        ] {
            assert_eq!(expires_at(seconds), at, "{seconds}");
        }
    }

    /// Twitch's documentation has a list.
    #[test]
    fn a_scope_that_is_a_list_is_that_scope() {
        let scope = |scope: &str| {
            let body = format!(r#"{{"access_token":"at","token_type":"bearer","scope":{scope}}}"#);
            read(200, "application/json", &body)
                .expect(scope)
                .scope()
                .to_vec()
        };
        assert_eq!(
            scope(r#"["chat:edit","chat:read"]"#),
            ["chat:edit", "chat:read"]
        );
        assert_eq!(scope(r#"["a b","","c "]"#), ["a", "b", "c"]);
        assert_eq!(scope("[]"), ["read"], "nothing said is what was asked for");
        assert_eq!(scope(r#""  a  b ""#), ["a", "b"]);
        let endless = "s ".repeat(500_000);
        assert_eq!(scope(&format!("\"{endless}\"")).len(), MAX_SCOPES);
    }

    /// LinkedIn leaves it out.
    #[test]
    fn a_token_type_that_may_be_left_out_may_be_left_out_in_every_flow() {
        let login = with(r#","tokenTypeOptional":true"#);
        let json = "application/json";
        let refresh = || Grant::RefreshToken(RefreshToken::new("r".to_string()));
        let exchange = || Grant::AuthorizationCode {
            code: AuthorizationCode::new("c".to_string()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        for grant in [refresh(), exchange()] {
            let request = TokenRequest::new(login.clone(), grant);
            answer(request, 200, json, r#"{"access_token":"a"}"#).expect("a bearer token");
        }
        let request = TokenRequest::new(login, refresh());
        let mac = answer(
            request,
            200,
            json,
            r#"{"access_token":"a","token_type":"mac"}"#,
        );
        assert!(mac.is_err(), "what is said counts");
        for refused in [
            read(200, json, r#"{"access_token":"a"}"#),
            code(200, json, r#"{"access_token":"a"}"#),
        ] {
            assert!(refused.is_err(), "only where the provider is known for it");
        }
    }

    #[test]
    fn the_servers_words_are_kept_where_it_has_no_error_code() {
        for body in [
            r#"{"error":{"message":"unknown"}}"#,
            r#"{"error_message":"unknown"}"#,
            r#"{"msg":"unknown"}"#,
        ] {
            for kind in ["application/json", "text/html"] {
                let error = code(400, kind, body).expect_err(body);
                assert_eq!(error.code, ErrorCode::TokenRequestRefused, "{body}");
                let said = error
                    .server
                    .as_ref()
                    .and_then(|said| said.error_description.clone());
                assert_eq!(said.as_deref(), Some("unknown"), "{body}");
            }
        }
    }

    #[test]
    fn a_remedy_is_that_of_its_cause() {
        let remedy = |status, kind, body: &str| {
            String::from(code(status, kind, body).expect_err(body).remedy())
        };
        let json = "application/json";
        for (status, kind, body, part) in [
            (401, json, r#"{"error":"invalid_client"}"#, "client secret"),
            (400, json, r#"{"error":"unauthorized_client"}"#, "clientId"),
            (400, json, r#"{"error":"invalid_grant"}"#, "startLogin"),
            (200, json, r#"{"access_token":"a"}"#, "tokenTypeOptional"),
            (200, "text/html", "<html>", "Check tokenEndpoint"),
            (404, "text/plain", "no", "Check tokenEndpoint"),
        ] {
            assert!(remedy(status, kind, body).contains(part), "{body}");
        }
        let none = code(404, "text/plain", "no").expect_err("no endpoint");
        assert_eq!(none.code, ErrorCode::InvalidTokenResponse);
        assert!(none.detail.contains("404"), "{}", none.detail);
    }

    #[test]
    fn a_renewal_that_is_refused_without_a_word_is_refused() {
        for (status, kind, body) in [
            (400, "application/json", ""),
            (401, "", ""),
            (403, "text/html", "<html>"),
            (400, "application/json", r#"{"error":5}"#),
            (400, "application/json", r#"{"error":"invalid_request"}"#),
            (401, "application/json", r#"{"error":"invalid_token"}"#),
            (401, "application/json", r#"{"error":"invalid_client"}"#),
            (200, "application/json", r#"{"error":"bad_refresh_token"}"#),
        ] {
            let error = read(status, kind, body).expect_err(body);
            assert_eq!(
                error.code,
                ErrorCode::TokenRequestRefused,
                "{status} {body}"
            );
            assert!(!error.code.retryable());
        }
        for (status, body, code) in [
            (
                400,
                r#"{"error":"temporarily_unavailable"}"#,
                ErrorCode::ServerError,
            ),
            (400, r#"{"error":"server_error"}"#, ErrorCode::ServerError),
            (503, "", ErrorCode::ServerError),
            (429, "", ErrorCode::RateLimited),
            (404, "", ErrorCode::InvalidTokenResponse),
            (400, r#"{"error":"invalid_grant"}"#, ErrorCode::SessionEnded),
        ] {
            let error = read(status, "application/json", body).expect_err(body);
            assert_eq!(error.code, code, "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_is_read_whatever_it_says_of_its_own_type() {
        for status in [200, 400, 401] {
            for kind in [
                "application/json",
                "text/plain",
                "text/html",
                "",
                "application/xml",
            ] {
                for mark in ["", "\u{feff}"] {
                    let body =
                        format!(r#"{mark}{{"error":"invalid_grant","error_description":"over"}}"#);
                    let error = read(status, kind, &body).expect_err("a refusal");
                    assert_eq!(error.code, ErrorCode::SessionEnded, "{status} {kind}");
                    let said = error
                        .server
                        .as_ref()
                        .and_then(|said| said.error_description.clone());
                    assert_eq!(said.as_deref(), Some("over"));
                    let error = code(status, kind, &body).expect_err("a refusal");
                    assert_eq!(
                        error.code,
                        ErrorCode::TokenRequestRefused,
                        "{status} {kind}"
                    );
                }
            }
        }
        // A token is not taken from a page.
        let token = r#"{"access_token":"a","token_type":"bearer"}"#;
        for kind in ["text/plain", "text/html", ""] {
            assert!(read(200, kind, token).is_err(), "{kind}");
        }
    }

    #[test]
    fn a_byte_order_mark_spoils_no_token() {
        let body = "\u{feff}{\"access_token\":\"a\",\"token_type\":\"bearer\"}";
        assert!(read(200, "application/json", body).is_ok());
    }

    #[test]
    fn a_number_that_is_too_long_for_javascript_reaches_the_page_whole() {
        let body = r#"{"access_token":"a","token_type":"bearer","user_id":17841405793187217,"of":[{"id":90071992547409930}],"n":7}"#;
        let tokens = read(200, "application/json", body).expect("tokens");
        assert_eq!(
            tokens.extra().text(),
            r#"{"user_id":"17841405793187217","of":[{"id":"90071992547409930"}],"n":7}"#
        );
    }

    #[test]
    fn the_servers_own_word_ends_a_session_whatever_the_table_calls_it() {
        let rows = r#","errors":[{"error":"session_over","also":["invalid_grant"],"message":"m","remedy":"r"}]"#;
        let login = with(rows);
        let grant = Grant::RefreshToken(RefreshToken::new("TG-1".to_string()));
        let body = r#"{"error":"invalid_grant"}"#;
        let request = TokenRequest::new(login, grant);
        let error = answer(request, 400, "application/json", body).expect_err("refused");
        assert_eq!(error.code, ErrorCode::SessionEnded);
        assert_eq!(error.message(), "m");
    }

    #[test]
    fn a_refresh_token_that_may_be_used_twice_is_never_in_doubt() {
        let login = with(r#","refreshTokenReuse":true"#);
        let lost = || ErrorCode::NetworkError.error();
        let grant = || Grant::RefreshToken(RefreshToken::new("r".to_string()));
        let unanswered = |login| TokenRequest::new(login, grant()).unanswered(lost()).code;
        assert_eq!(unanswered(login), ErrorCode::NetworkError);
        assert_eq!(unanswered(client()), ErrorCode::SessionIndeterminate);
    }

    #[cfg(feature = "full")]
    #[test]
    fn a_margin_that_no_page_has_written_renews_nothing_early() {
        let json = br#"{"accessToken":"a","left":500,"margin":4294967295,"scope":[],"more":{}}"#;
        let json = Json::parse(json).expect("JSON");
        let tokens = Tokens::from_json(json, 0, 100).expect("tokens");
        assert!(!tokens.is_due(569) && tokens.is_due(570));
        for token in ["", "a b", "a\\r\\nX: y"] {
            let json = format!(r#"{{"accessToken":"{token}","margin":0,"scope":[],"more":{{}}}}"#);
            let json = Json::parse(json.as_bytes()).expect("JSON");
            assert!(Tokens::from_json(json, 0, 100).is_none(), "{token}");
        }
    }

    #[test]
    fn an_html_page_is_named_as_such() {
        let error = read(200, "text/html; charset=utf-8", "<html>").expect_err("HTML");
        assert_eq!(error.detail, "an HTML page instead of JSON");
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_named() {
        let json = "application/json";
        for (status, content_type, body, detail) in [
            (200, json, "[]", "it is not a JSON object"),
            (400, json, "{}", "an error without an error code"),
            (200, json, "{", "it is not valid JSON"),
            (400, json, "", "it is not valid JSON"),
            (400, "Text/HTML", "<p>", "an HTML page instead of JSON"),
            (
                400,
                "text/plain",
                "No.",
                "its content type is not application/json",
            ),
            (
                400,
                "text/plain",
                "{}",
                "its content type is not application/json",
            ),
            (200, "", "{}", "its content type is not application/json"),
            (
                200,
                "application/xml",
                "{}",
                "its content type is not application/json",
            ),
            (
                200,
                "text/x+json",
                "{}",
                "its content type is not application/json",
            ),
        ] {
            let error = code(status, content_type, body).expect_err(detail);
            assert_eq!(error.detail, detail, "{status} {content_type} {body}");
        }
    }

    #[test]
    fn a_server_that_echoes_the_token_does_not_put_it_into_the_error() {
        let body = r#"{"error":"invalid_grant","error_description":"TG-old is spent","status":400,"cause":[]}"#;
        let error = read(400, "application/json", body).expect_err("refused");
        let server = error.server.as_ref().expect("the server's words");
        assert_eq!(server.error.as_deref(), Some("invalid_grant"));
        assert_eq!(server.error_description.as_deref(), Some("(..) is spent"));
    }

    #[test]
    fn a_refresh_request_says_what_section_6_wants() {
        assert_eq!(refresh().endpoint(), "https://as.example/t");
        // As the error says that names it.
        assert!(ErrorCode::ResponseTooLarge.message().ends_with(" 1 MiB") && MAX_BODY == 1_048_576);
        assert_eq!(
            &*refresh().body(),
            "grant_type=refresh_token&client_id=1&refresh_token=TG-old"
        );
    }

    #[test]
    fn a_body_is_allocated_once_and_leaves_no_copy_behind() {
        let escaped = "%".repeat(1000);
        let renewal = Grant::RefreshToken(RefreshToken::new(escaped.clone()));
        let exchange = Grant::AuthorizationCode {
            code: AuthorizationCode::new(escaped),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        let others = client().client_id().len() + client().redirect_uri().len();
        for (grant, values) in [(renewal, 1000), (exchange, 1043)] {
            let body = TokenRequest::new(client(), grant).body();
            // What it began with: one that has grown has more.
            assert_eq!(body.capacity(), 256 + 3 * (values + others));
            assert!(body.len() > 3000);
        }
    }

    #[test]
    fn no_debug_text_carries_a_secret() {
        let request = refresh();
        assert!(!format!("{request:?}").contains("TG-old"));
        let body = r#"{"access_token":"canary","token_type":"bearer","refresh_token":"canary"}"#;
        let tokens = read(200, "application/json", body).expect("tokens");
        assert!(!format!("{tokens:?}").contains("canary"));
    }

    #[test]
    fn no_secret_that_is_or_was_held_reaches_the_page_under_another_name() {
        let body = |access: &str, refresh: &str, members: &str| {
            format!(
                r#"{{"access_token":"{access}","token_type":"bearer","refresh_token":"{refresh}","scope":"r {access} x{refresh}"{members}}}"#
            )
        };
        let verifier = CodeVerifier::from_entropy(&[1; 32]);
        let verifier = verifier.expose();
        let echoed = format!(
            r#","a":"c0de-5f1c","b":["{verifier}"],"c":"access-1","d":"(refresh-1)","n":1"#
        );
        let grant = Grant::AuthorizationCode {
            code: AuthorizationCode::new("c0de-5f1c".to_string()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        let request = TokenRequest::new(client(), grant);
        let body1 = body("access-1", "refresh-1", &echoed);
        let first = answer(request, 200, "application/json", &body1).expect("tokens");
        assert_eq!(first.extra().text(), r#"{"b":[],"n":1}"#);
        assert_eq!(first.scope(), ["r"]);
        let refresh = Grant::RefreshToken(first.refresh_token().expect("one").clone());
        let echoed =
            r#","a":"access-1","b":["refresh-1"],"c":"c0de-5f1c","d":{"e":"access-2","f":2}"#;
        let request = TokenRequest::new(client(), refresh);
        let body2 = body("access-2", "refresh-2", echoed);
        let mut second = answer(request, 200, "application/json", &body2).expect("tokens");
        second.keep_from(first);
        assert_eq!(second.extra().text(), r#"{"b":[],"d":{"f":2},"n":1}"#);
        for n in 3..40 {
            let refresh = format!("refresh-{n}");
            let json = body(&format!("access-{n}"), &refresh, "");
            let mut next = read(200, "application/json", &json).expect("tokens");
            next.keep_from(second);
            second = next;
        }
        assert_eq!(second.spent.len(), MAX_SPENT);
        assert!(second.secrets().contains(&"access-38"));
        assert!(!format!("{second:?}").contains("ccess-"));
    }

    #[test]
    fn what_the_provider_lists_is_shown_whatever_its_name_and_its_secrets_are_not() {
        let login = with(r#","extraMembers":["invite_token","deviceToken"]"#);
        let grants = || {
            [
                Grant::RefreshToken(RefreshToken::new("refresh-1".to_string())),
                Grant::AuthorizationCode {
                    code: AuthorizationCode::new("c0de-5f1c".to_string()),
                    code_verifier: CodeVerifier::from_entropy(&[1; 32]),
                },
            ]
        };
        let body = |members: &str| {
            format!(r#"{{"access_token":"access-1","token_type":"bearer"{members}}}"#)
        };
        let listed = r#","invite_token":"A7","deviceToken":{"id":1,"jwt":"x"},"device_secret":2"#;
        for (login, extra) in [
            (client(), "{}"),
            (
                login.clone(),
                r#"{"invite_token":"A7","deviceToken":{"id":1}}"#,
            ),
        ] {
            for grant in grants() {
                let request = TokenRequest::new(login.clone(), grant);
                let tokens = answer(request, 200, "application/json", &body(listed));
                assert_eq!(tokens.expect("tokens").extra().text(), extra);
            }
        }
        // Under such a name too a secret is one.
        let [refresh, _] = grants();
        let request = TokenRequest::new(login, refresh);
        let echoed = r#","invite_token":"is access-1","deviceToken":["refresh-1",7]"#;
        let tokens = answer(request, 200, "application/json", &body(echoed));
        assert_eq!(
            tokens.expect("tokens").extra().text(),
            r#"{"deviceToken":[7]}"#
        );
    }

    #[test]
    fn the_providers_own_members_survive_a_renewal_that_leaves_them_out() {
        let read = |members: &str| {
            let body = format!(r#"{{"access_token":"at","token_type":"bearer"{members}}}"#);
            read(200, "application/json", &body).expect("tokens")
        };
        let mut new = read(r#","a":2"#);
        new.keep_from(read(r#","user_id":7,"a":1"#));
        assert_eq!(new.extra().text(), r#"{"a":2,"user_id":7}"#);
    }
}
