//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6), read strictly.

mod error_response;
#[cfg_attr(not(feature = "full"), path = "token/identity/without.rs")]
pub mod identity;
mod request;
mod response;

pub use request::{Grant, TokenRequest};
pub use response::HttpResponse;

use alloc::string::String;
use alloc::vec::Vec;

use super::Seconds;
use super::error::{Error, wrong};
use super::json::{self, Json};
use super::secret::{AccessToken, RefreshToken, Spent};
use super::shown::{self, Names};
use super::text;

/// Bytes of the largest token response that is read.
pub const MAX_BODY: u32 = 1 << 20;

/// A token this close to its end is renewed before it is used; of a short life at most the second half.
const MARGIN: Seconds = 30;

/// Spent secrets that are kept in mind.
const MAX_SPENT: usize = 8;

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
    identity: identity::Identity,
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
            identity: identity::Identity::default(),
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
        out.value("identity", self.identity.to_json());
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
            identity: identity::Identity::read(json.take("identity").unwrap_or(Json::Null))?,
        })
    }

    /// Takes out of what a page may see whatever is a secret.
    fn hide(&mut self) {
        let mut extra = core::mem::replace(&mut self.extra, Json::Null);
        let mut scope = core::mem::take(&mut self.scope);
        let secrets = self.secrets();
        shown::hide(&mut extra, Names::Judged, &secrets);
        text::keep(&mut scope, &|item| !shown::shows(item, &secrets));
        drop(secrets);
        (self.extra, self.scope) = (extra, scope);
        self.hide_identity();
    }

    /// What no page may see.
    pub fn secrets(&self) -> Vec<&str> {
        let mut secrets = Vec::new();
        secrets.push(self.access_token.expose());
        if let Some(token) = &self.refresh_token {
            secrets.push(token.expose());
        }
        if let Some(token) = self.id_token_hint() {
            secrets.push(token.expose());
        }
        for spent in &self.spent {
            secrets.push(spent.expose());
        }
        secrets
    }

    /// Takes note of secrets that these tokens came for or after.
    fn after(&mut self, spent: Vec<Spent>) {
        self.spent.extend(spent);
        while self.spent.len() > MAX_SPENT {
            self.spent.remove(0);
        }
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
        self.keep_identity(old.identity);
        self.after(spent);
    }
}

/// What an Authorization header can carry (RFC 6750 section 2.1), read generously: visible ASCII.
fn is_b64token(token: &str) -> bool {
    !token.is_empty() && text::is_graphic(token, b"")
}

#[cfg(test)]
mod tests {
    use super::super::client::Client;
    use super::super::secret::{AuthorizationCode, CodeVerifier};
    use super::*;
    use alloc::rc::Rc;
    use std::{format, string::ToString};
    use zeroize::Zeroizing;

    pub(super) fn client() -> Rc<Client> {
        with("")
    }

    pub(super) fn with(fields: &str) -> Rc<Client> {
        let text = format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","scope":["read"]{fields}}}"#
        );
        crate::protocol::config::Config::parse(&text)
            .and_then(|config| config.resolve("https://app.example"))
            .expect("a login")
    }

    pub(super) fn refresh() -> TokenRequest {
        let grant = Grant::RefreshToken(RefreshToken::new("TG-old".to_string()));
        TokenRequest::new(client(), grant)
    }

    pub(super) fn code(status: u16, content_type: &str, body: &str) -> Result<Tokens, Error> {
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

    pub(super) fn read(status: u16, content_type: &str, body: &str) -> Result<Tokens, Error> {
        answer(refresh(), status, content_type, body)
    }

    pub(super) fn answer(
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

    #[test]
    fn a_margin_that_no_page_has_written_renews_nothing_early() {
        let json =
            br#"{"accessToken":"a","left":500,"margin":4294967295,"scope":[],"identity":{}}"#;
        let json = Json::parse(json).expect("JSON");
        let tokens = Tokens::from_json(json, 0, 100).expect("tokens");
        assert!(!tokens.is_due(569) && tokens.is_due(570));
        for token in ["", "a b", "a\\r\\nX: y"] {
            let json =
                format!(r#"{{"accessToken":"{token}","margin":0,"scope":[],"identity":{{}}}}"#);
            let json = Json::parse(json.as_bytes()).expect("JSON");
            assert!(Tokens::from_json(json, 0, 100).is_none(), "{token}");
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
