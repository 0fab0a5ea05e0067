//! The authorization request and its response (RFC 6749 sections 4.1 and 4.2, RFC 9207).

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use zeroize::Zeroizing;

use super::client::{Client, Display, Part, ResponseType};
use super::dpop::ProofKey;
use super::error::{Error, ErrorCode, ServerError, redact};
use super::form;
use super::json::{Json, Members};
use super::openid::{About, Channel};
use super::pkce;
use super::record::Stored;
use super::scope;
use super::secret::{AuthorizationCode, CodeVerifier, IdToken, State};
use super::token::{Grant, TokenRequest, Tokens};
use super::{Seconds, parameters, text, url};

/// Random bytes for one login: 32 for `state`, 32 for `code_verifier`.
pub type Entropy = [u8; 64];

/// Every `state` of ours begins so, that a response to us is known from any other `?code=` of the page.
/// `src/address.js` says the same.
pub const STATE_PREFIX: &str = "ow1x";
/// Those of a login in a popup or a frame begin so: the answer belongs to another page. base64url has no dot.
pub const ELSEWHERE_PREFIX: &str = "ow1x.";
/// Those of a login whose answer needs what only some applications need begin so. `src/address.js` says the same: by the
/// `state` the page knows what to load before anything is.
pub const FULL_PREFIX: &str = "ow1xf.";

/// A login that was sent away and waits for its answer. It carries its [`Client`], so the answer is judged
/// against the very server that was asked (RFC 9700 section 4.4).
#[derive(Debug)]
pub struct PendingLogin {
    state: State,
    code_verifier: CodeVerifier,
    /// When it will have waited too long, by the wall clock.
    expires_at: Seconds,
    login: Rc<Client>,
    /// To which the tokens will be bound.
    key: Option<ProofKey>,
    /// Whom a silent login is about.
    hint: Option<IdToken>,
}

/// What an accepted response leads to.
#[derive(Debug)]
pub enum Accepted {
    /// The code flow: ask the token endpoint.
    Exchange(TokenRequest),
    /// The implicit flow: here they are.
    Tokens(Tokens),
}

impl PendingLogin {
    /// Starts a login. The entropy must come from the system's generator; a constant one is refused.
    pub fn new(login: Rc<Client>, entropy: &Entropy, now: Seconds) -> Result<Self, Error> {
        let (for_state, for_verifier) = entropy.split_at(32);
        let mut verifier_bytes = [0; 32];
        verifier_bytes.copy_from_slice(for_verifier);
        let constant = |bytes: &[u8]| bytes.iter().all(|b| Some(b) == bytes.first());
        if for_state == for_verifier || constant(for_state) || constant(for_verifier) {
            return Err(ErrorCode::EntropyFailure.error());
        }
        let mut state = String::from(match login.display() {
            Display::Page if login.part() == Part::Session => STATE_PREFIX,
            Display::Page => FULL_PREFIX,
            _ => ELSEWHERE_PREFIX,
        });
        state.push_str(&pkce::base64url(for_state));
        Ok(Self {
            state: State::new(state),
            code_verifier: CodeVerifier::from_entropy(&verifier_bytes),
            expires_at: now.saturating_add(login.max_age()),
            login,
            key: None,
            hint: None,
        })
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where to send the user (sections 4.1.1 and 4.2.1).
    pub fn authorization_url(&self) -> String {
        let mut url = self.endpoint();
        url.push_str(&self.request());
        url
    }

    /// The authorization endpoint, up to where parameters go. What the request says, the endpoint's own query does not.
    fn endpoint(&self) -> String {
        let (address, _, query) = url::cut(self.login.authorization_endpoint());
        let mut url = text::concat(&[address, "?"]);
        let parameters = self.login.authorization_parameters();
        for pair in text::parts(query.unwrap_or(""), "&") {
            let name = form::decode(text::cut(pair, "=").map_or(pair, |(name, _)| name));
            let said = match &*name {
                "prompt" => self.login.prompt().is_some(),
                "resource" => !self.login.resources().is_empty(),
                "authorization_details" => self.login.authorization_details().is_some(),
                _ => false,
            };
            if !said && !parameters.iter().any(|(known, _)| *known == name) {
                url.push_str(pair);
                url.push('&');
            }
        }
        url
    }

    /// The parameters of the request.
    fn request(&self) -> String {
        let client = &self.login;
        let mut request = String::new();
        let mut add = |name: &str, value: &str| form::append(&mut request, name, value);
        add("response_type", client.response_type().as_str());
        add("client_id", client.client_id());
        add("redirect_uri", client.redirect_uri());
        if !client.scope().is_empty() {
            add("scope", &scope::join(client.scope(), " "));
        }
        add("state", self.state.expose());
        if client.response_type() == ResponseType::Code {
            let method = client.code_challenge_method();
            add("code_challenge", &self.code_verifier.code_challenge(method));
            add("code_challenge_method", method.as_str());
        }
        let prompt = client.prompt();
        if let Some(prompt) = prompt {
            add("prompt", prompt);
        }
        for (name, value) in client.authorization_parameters() {
            if prompt.is_none() || name != "prompt" {
                add(name, value);
            }
        }
        if client.is_openid() {
            add("nonce", &self.code_verifier.nonce());
        }
        for resource in client.resources() {
            add("resource", resource);
        }
        if let Some(details) = client.authorization_details() {
            add("authorization_details", &details.text());
        }
        self.add_more(&mut request);
        request
    }

    /// The record to keep until the answer comes: how it begins is [`Part`](super::client::Part)'s to say.
    pub fn to_record(&self) -> String {
        let mut out = self.login.new_record();
        self.expires_at.store(&mut out);
        self.login.store(&mut out);
        // No reallocation leaves a copy of the verifier behind.
        out.reserve(512);
        out.push_str(self.code_verifier.expose());
        if let Some(key) = &self.key {
            out.push(' ');
            key.to_jwk().write(&mut out);
        }
        out
    }

    /// When a stored login will have waited too long; the rest of the record is not looked at.
    pub fn expiry_of(record: &str) -> Option<Seconds> {
        Client::record_fields(record)?.load()
    }

    /// Reads a record back. Unreadable means absent.
    pub fn from_record(state: &str, record: &str, origin: &str) -> Option<Self> {
        let mut reader = Client::record_fields(record)?;
        let expires_at = reader.load()?;
        let login: Client = reader.load()?;
        let rest = reader.rest()?;
        if !login.is_sound(origin) {
            return None;
        }
        let (code_verifier, key) = text::cut(rest, " ").unwrap_or((rest, ""));
        Some(Self {
            state: State::new(String::from(state)),
            code_verifier: CodeVerifier::read(String::from(code_verifier))?,
            expires_at,
            login: Rc::new(login),
            key: match key {
                "" => None,
                jwk => Some(ProofKey::read(&Json::parse(jwk.as_bytes())?)?),
            },
            hint: None,
        })
    }

    /// When it will have waited too long, by the wall clock.
    pub fn expires_at(&self) -> Seconds {
        self.expires_at
    }

    /// Whether the login has waited too long. `now` is the wall clock: the page has died in between.
    pub fn is_expired(&self, now: Seconds) -> bool {
        now > self.expires_at
    }

    /// How the login is shown.
    pub fn display(&self) -> Display {
        self.login.display()
    }

    /// Seconds that a login in a popup or a frame may take.
    pub fn display_timeout(&self) -> Seconds {
        self.login.display_timeout()
    }

    /// Whether it is shown in a frame where the browser may withhold the server's cookies.
    pub fn is_foreign_frame(&self, origin: &str) -> bool {
        self.display() == Display::Frame && !self.login.is_same_site(origin)
    }

    /// Whether it has to outlive its tab.
    pub fn is_to_be_kept(&self) -> bool {
        self.login.keep_pending()
    }

    /// Whether it may be answered in a foreign page's frame.
    pub fn allow_framed(&self) -> bool {
        self.login.allow_framed()
    }

    /// Whether a response at this address is meant for this login's client.
    pub fn expects(&self, response: &AuthorizationResponse) -> bool {
        response.is_at(self.login.redirect_uri())
    }

    /// Judges the response: state, then iss, then error, then code (or token). Both are consumed.
    pub fn accept(
        self,
        mut response: Box<AuthorizationResponse>,
        now: Seconds,
        elapsed: Seconds,
    ) -> Result<(Rc<Client>, Accepted), Error> {
        if response.state.expose() != self.state.expose() {
            return Err(ErrorCode::StateMismatch.error());
        }
        if self.is_expired(now) {
            return Err(ErrorCode::LoginExpired.error());
        }
        if !self.expects(&response) {
            return Err(ErrorCode::RedirectUriMismatch.error());
        }
        if response.is_mangled {
            return Err(invalid(
                "a router or a script has changed the address before handleRedirect has read it",
            ));
        }
        if response.repeated {
            return Err(ErrorCode::DuplicateParameter.error());
        }
        match (self.login.issuer(), response.one("iss")) {
            (Some(want), Some(iss)) if want != iss => return Err(ErrorCode::IssuerMismatch.error()),
            // An ID Token says it as well, and is checked (RFC 9207 section 2.4).
            (_, None) if self.login.iss_required() && !self.is_named_by(&response) => {
                let error = ErrorCode::IssuerMissing.error();
                return Err(match response.one("error") {
                    Some(said) => error.with(self.said(said, &response)),
                    None => error,
                });
            }
            _ => {}
        }
        if response.json.is_some() {
            let understood = self.login.json_fragment() && response.unfold().is_some();
            if !understood {
                return Err(invalid("its fragment is JSON, or broken JSON"));
            }
        }
        if let Some(error) = response.one("error") {
            return Err(self.refused(error, &response));
        }
        let accepted = match self.login.response_type() {
            ResponseType::Code => Accepted::Exchange(self.exchange(&response)?),
            _ => Accepted::Tokens(self.tokens(&mut response, elapsed)?),
        };
        Ok((self.login, accepted))
    }

    fn refused(&self, error: &str, response: &AuthorizationResponse) -> Error {
        if response.one("code").is_some() || response.one("access_token").is_some() {
            return invalid("it has both an error and a grant");
        }
        let code = match error {
            "access_denied" => ErrorCode::AccessDenied,
            "login_required" => ErrorCode::LoginRequired,
            "interaction_required" | "consent_required" | "account_selection_required" => {
                ErrorCode::InteractionRequired
            }
            _ => ErrorCode::AuthorizationError,
        };
        let said = self.said(error, response);
        self.login.explained(code.error().with(said))
    }

    /// The server's own words, or whoever's they are.
    fn said(&self, error: &str, response: &AuthorizationResponse) -> ServerError {
        let secrets = [self.state.expose(), self.code_verifier.expose()];
        let text = |name| response.one(name).map(|text| redact(text, &secrets));
        ServerError {
            error: Some(redact(error, &secrets)),
            error_description: text("error_description"),
            error_uri: text("error_uri"),
            status: None,
        }
    }

    /// Whether it is the ID Token that says who answers.
    fn is_named_by(&self, response: &AuthorizationResponse) -> bool {
        let one = |name| response.one(name).is_some();
        self.login.response_type() == ResponseType::IdTokenToken && one("id_token") && !one("iss")
    }

    fn exchange(&self, response: &AuthorizationResponse) -> Result<TokenRequest, Error> {
        if response.one("access_token").is_some() {
            return Err(invalid("it has an access_token, and a code was asked for"));
        }
        let code = response.one("code").filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| invalid("it has neither code nor error"))?;
        let request = TokenRequest::new(
            self.login.clone(),
            Grant::AuthorizationCode {
                code: AuthorizationCode::new(String::from(code)),
                code_verifier: self.code_verifier.clone(),
            },
        );
        Ok(request.about(self.about(), self.key.clone()))
    }

    /// Section 4.2.2: the token stands in the fragment, never in the query.
    fn tokens(&self, response: &mut AuthorizationResponse, now: Seconds) -> Result<Tokens, Error> {
        if response.one("code").is_some() {
            return Err(invalid("it has a code, and a token was asked for"));
        }
        let fragment = response.parameters.split_off(response.in_query);
        if response.one("access_token").is_some() {
            return Err(invalid("access_token stands in the query"));
        }
        if response.one("id_token").is_some() {
            return Err(invalid("id_token stands in the query"));
        }
        let mut members = Json::Object(fragment);
        members.take("refresh_token");
        let id_token = members.take("id_token");
        let tokens = Tokens::granted(&mut members, &self.login, now);
        tokens?.came_with(id_token, Channel::Indirect, self.about())
    }
}

impl PendingLogin {
    /// Whether the tokens are to be bound to a key (RFC 9449).
    pub fn is_to_be_bound(&self) -> bool {
        self.login.dpop()
    }

    /// Seconds until nobody can come back for the key.
    pub fn key_lifetime(&self) -> Seconds {
        let session = self.login.key_lifetime().unwrap_or(0);
        self.login.max_age().saturating_add(session)
    }

    /// The error in the provider's own words, where its table has them.
    pub fn explained(&self, error: Error) -> Error {
        self.login.explained(error)
    }

    /// Has the tokens bound to a key (RFC 9449).
    pub fn bind(&mut self, key: ProofKey) {
        self.key = Some(key);
    }

    /// Who logs in.
    pub fn client(&self) -> &Client {
        &self.login
    }

    /// Names the user whom a silent login is about (OpenID Connect Core section 3.1.2.1); of no use to another one.
    pub fn name_user(&mut self, hint: &IdToken) {
        let mut parameters = self.login.authorization_parameters().iter();
        let is_named = parameters.any(|(name, _)| name == "id_token_hint");
        if self.login.prompt() == Some("none") && self.login.is_openid() && !is_named {
            self.hint = Some(hint.clone());
        }
    }

    /// The key that the tokens will be bound to.
    pub fn key(&self) -> Option<&ProofKey> {
        self.key.as_ref()
    }

    /// Whom and what the tokens are to be about.
    fn add_more(&self, url: &mut String) {
        if let Some(key) = &self.key {
            form::append(url, "dpop_jkt", &key.thumbprint());
        }
        if let Some(hint) = &self.hint {
            form::append(url, "id_token_hint", hint.expose());
        }
    }

    /// The request to post before (RFC 9126 section 2.1), where that is to be done: endpoint and form.
    pub fn pushed(&self) -> Option<(&str, String)> {
        if !self.login.is_pushed() {
            return None;
        }
        Some((self.login.pushed_endpoint(), self.request()))
    }

    /// Where to send the user then (section 4).
    pub fn pushed_url(&self, request_uri: &str) -> String {
        let mut url = self.endpoint();
        form::append(&mut url, "client_id", self.login.client_id());
        form::append(&mut url, "request_uri", request_uri);
        url
    }

    fn about(&self) -> Option<About> {
        About::login(&self.login, &self.code_verifier)
    }
}

/// A response as it came: untrusted until [`PendingLogin::accept`].
pub struct AuthorizationResponse {
    state: State,
    /// The address without query and fragment.
    address: String,
    /// Those of the query, then those of the fragment.
    parameters: Members,
    in_query: usize,
    repeated: bool,
    /// It was a response once: a router or a script has written the address anew.
    is_mangled: bool,
    /// A fragment that is JSON text, which one provider has sent.
    json: Option<Zeroizing<String>>,
}

impl AuthorizationResponse {
    /// Reads a URL. `None` if it is no response to an authorization request: no `state`, or nothing with it and not ours.
    pub fn read(href: &str) -> Option<Box<Self>> {
        let (address, fragment, query) = url::cut(href);
        let mut parameters = form::parse(query.unwrap_or(""));
        let in_query = parameters.len();
        let fragment = fragment.unwrap_or("");
        let is_json = ["{", "%7B", "%7b"]
            .iter()
            .any(|open| fragment.starts_with(open));
        let json = is_json.then(|| Zeroizing::new(form::decode(fragment)));
        if !is_json {
            parameters.append(&mut form::parse(fragment));
        }
        let is_answer = is_json
            || ["code", "error", "access_token"]
                .iter()
                .any(|name| count(&parameters, name) > 0);
        let state = match find(&parameters, "state").filter(|_| is_answer) {
            Some(state) => String::from(state),
            None => mangled_state(href)?,
        };
        let repeated = parameters::OF_RESPONSES
            .iter()
            .any(|name| count(&parameters, name) > 1);
        Some(Box::new(Self {
            state: State::new(state),
            is_mangled: !is_answer || find(&parameters, "state").is_none(),
            address: String::from(address),
            parameters,
            in_query,
            repeated,
            json,
        }))
    }

    /// Puts what a JSON fragment says in the place of parameters:
    /// `{"state": "AUTHORIZED", "authorization_info": {"access_token", "expires_in", "scopes": [], ..}}`, where `state` is
    /// a word of the provider's. Ours stands in the query.
    fn unfold(&mut self) -> Option<()> {
        let text = self.json.take()?;
        let mut json = Json::parse(text.as_bytes())?;
        if json.str("state") == Some("NOT_AUTHORIZED") {
            let denied = Json::String(String::from("access_denied"));
            self.parameters.push((String::from("error"), denied));
        }
        if let Some(mut info) = json.take("authorization_info") {
            let scopes = info.take("scopes").map_or(vec![], |scopes| scopes.texts());
            let scope = Json::String(scope::join(&scopes, " "));
            info.fill(Json::Object(vec![(String::from("scope"), scope)]));
            if let Json::Object(mut members) = info {
                self.parameters.append(&mut members);
            }
        }
        Some(())
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the `state` was made by this library, in whichever tab or time.
    pub fn is_ours(&self) -> bool {
        self.state.expose().starts_with(STATE_PREFIX)
    }

    /// Whether another page waits for it, which has opened this one.
    pub fn is_for_another_page(&self) -> bool {
        self.state.expose().starts_with(ELSEWHERE_PREFIX)
    }

    /// Whether the response arrived at this `redirect_uri`, whose own query must still be there.
    fn is_at(&self, redirect_uri: &str) -> bool {
        let (address, _, query) = url::cut(redirect_uri);
        let own = form::parse(query.unwrap_or(""));
        without_root(address) == without_root(&self.address)
            && own.iter().all(|pair| self.parameters.contains(pair))
    }

    /// The parameter called `name`, wherever it stands.
    fn one(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }
}

impl Drop for AuthorizationResponse {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        for (_, value) in &mut self.parameters {
            if let Json::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// A browser adds the slash that `https://app.example` lacks.
fn without_root(address: &str) -> &str {
    match address.strip_suffix("/") {
        Some(origin) if origin.bytes().filter(|b| *b == b'/').count() == 2 => origin,
        _ => address,
    }
}

/// A `state` of ours that stands anywhere else than a response has it: `#/state=..`, `#/cb?code=..&state=..`.
fn mangled_state(href: &str) -> Option<String> {
    let is_answer = ["code=", "error=", "access_token="];
    if !is_answer.iter().any(|name| text::contains(href, name)) {
        return None;
    }
    let start = text::concat(&["state=", STATE_PREFIX]);
    let (_, rest) = text::cut(href, &start)?;
    let end = rest.bytes().position(|b| text::is_one_of(b, b"&#?/"));
    let rest = rest.get(..end.unwrap_or(rest.len()))?;
    Some(text::concat(&[STATE_PREFIX, rest]))
}

fn count(parameters: &Members, name: &str) -> usize {
    parameters.iter().filter(|(key, _)| key == name).count()
}

fn find<'a>(parameters: &'a Members, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name)?.1.as_str()
}

fn invalid(rule: &str) -> Error {
    ErrorCode::InvalidAuthorizationResponse.at(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    const ORIGIN: &str = "https://app.example";

    fn entropy() -> Entropy {
        core::array::from_fn(|i| i as u8)
    }

    fn pending(extra: &str) -> PendingLogin {
        let scope = match extra.contains(r#""scope""#) {
            true => "",
            false => r#","scope":["read","write"]"#,
        };
        let text = format!(
            r#"{{"clientId":"c 1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a?tenant=7","tokenEndpoint":"https://as.example/t","issuer":"https://as.example"{scope}{extra}}}"#
        );
        let login =
            super::super::config::Config::read(Json::parse(text.as_bytes()).expect("test JSON"))
                .and_then(|config| config.resolve(ORIGIN))
                .expect("a login");
        PendingLogin::new(login, &entropy(), 1000).expect("good entropy")
    }

    fn answer(extra: &str, url: &str) -> Result<Accepted, Error> {
        let pending = pending(extra);
        let url = url.replace("STATE", pending.state().expose());
        pending
            .accept(
                AuthorizationResponse::read(&url).expect("a response"),
                1010,
                10,
            )
            .map(|(_, accepted)| accepted)
    }

    fn refusal(extra: &str, url: &str) -> ErrorCode {
        answer(extra, url).expect_err(url).code
    }

    #[test]
    fn the_authorization_url_says_what_rfc6749_section_4_1_1_and_rfc7636_want() {
        let url = pending(r#","authorizationParameters":{"prompt":"login"}"#).authorization_url();
        assert_eq!(
            url,
            "https://as.example/a?tenant=7&response_type=code&client_id=c%201\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=read%20write\
             &state=ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\
             &code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU&code_challenge_method=S256\
             &prompt=login"
        );
    }

    #[cfg(feature = "full")]
    #[test]
    fn a_silent_login_names_the_user_whom_it_is_about() {
        let hint = IdToken::new("e30.e30.AA".to_string());
        let url = |fields: &str| {
            let mut pending = pending(fields);
            pending.name_user(&hint);
            assert!(!format!("{pending:?}").contains("e30"));
            assert!(
                !pending.to_record().contains("e30"),
                "of no use to the answer"
            );
            pending.authorization_url()
        };
        let named = "&id_token_hint=e30.e30.AA";
        let openid = r#","scope":"openid","prompt":"none""#;
        assert!(url(openid).ends_with(named));
        let framed = r#","scope":"openid","display":"iframe""#;
        assert!(url(framed).ends_with(named), "a frame is silent");
        for other in [
            r#","scope":"openid""#,
            r#","scope":"openid","prompt":"login""#,
            r#","prompt":"none""#,
        ] {
            assert!(!url(other).contains("id_token_hint"), "{other}");
        }
        let own = r#","authorizationParameters":{"id_token_hint":"x"}"#;
        let url = url(&format!("{openid}{own}"));
        assert!(
            url.contains("&id_token_hint=x") && !url.contains("e30"),
            "{url}"
        );
    }

    #[test]
    fn a_prompt_stands_once_wherever_it_was_said() {
        let said = r#","prompt":"none","authorizationParameters":{"prompt":"login","x":"y"}"#;
        let url = pending(said).authorization_url();
        assert!(url.ends_with("&prompt=none&x=y"), "{url}");
    }

    #[test]
    fn what_the_endpoints_own_query_says_the_request_says_once() {
        let at = |query: &str, extra: &str| {
            let mut client = (*pending(extra).login).clone();
            client.endpoints.authorization = format!("https://as.example/a{query}");
            let pending = PendingLogin::new(Rc::new(client), &entropy(), 0).expect("entropy");
            let url = pending.authorization_url();
            let names = url.split(['?', '&']).skip(1).map(|pair| {
                let name = pair.split('=').next().unwrap_or("");
                form::decode(name)
            });
            let names: std::vec::Vec<_> = names.collect();
            for name in &names {
                let count = names.iter().filter(|other| *other == name).count();
                assert_eq!(count, 1, "{name} in {url}");
            }
            url
        };
        let url = at("?prompt=select_account&tenant=7", r#","prompt":"none""#);
        assert!(url.starts_with("https://as.example/a?tenant=7&response_type=code&"));
        assert!(url.ends_with("&prompt=none"), "{url}");
        let url = at("?prompt=select_account&tenant=7", "");
        assert!(url.starts_with("https://as.example/a?prompt=select_account&tenant=7&resp"));
        let own = r#","authorizationParameters":{"login_hint":"x","p":"b"}"#;
        at("?x=1&p=a&tenant&login%5Fhint=y", own);
        at(
            "?resource=https%3A%2F%2Fa.example",
            r#","resource":"https://b.example/""#,
        );
        assert!(at("?", "").starts_with("https://as.example/a?response_type"));
        assert!(at("", "").starts_with("https://as.example/a?response_type"));
    }

    #[test]
    fn what_a_silent_login_would_have_to_ask_is_told_apart() {
        for (error, want) in [
            ("login_required", ErrorCode::LoginRequired),
            ("interaction_required", ErrorCode::InteractionRequired),
            ("consent_required", ErrorCode::InteractionRequired),
            ("account_selection_required", ErrorCode::InteractionRequired),
            ("access_denied", ErrorCode::AccessDenied),
            ("server_error", ErrorCode::AuthorizationError),
        ] {
            let url = format!("https://app.example/cb?state=STATE&error={error}");
            let refused = answer("", &url).expect_err(error);
            assert_eq!(refused.code, want);
            let server = refused.server.as_ref().expect("the server's words");
            assert_eq!(server.error.as_deref(), Some(error));
        }
    }

    #[test]
    fn the_implicit_request_has_no_code_challenge() {
        let url = pending(r#","responseType":"token""#).authorization_url();
        assert!(url.contains("response_type=token") && !url.contains("code_challenge"));
    }

    #[test]
    fn plain_is_sent_only_when_asked_for() {
        let pending = pending(r#","codeChallengeMethod":"plain""#);
        let url = pending.authorization_url();
        assert!(url.contains(&format!(
            "code_challenge={}&code_challenge_method=plain",
            pending.code_verifier.expose()
        )));
    }

    #[test]
    fn a_constant_generator_is_refused() {
        for bytes in [[0; 64], [255; 64], core::array::from_fn(|i| (i % 32) as u8)] {
            let login = pending("").login;
            let error = PendingLogin::new(login, &bytes, 0).expect_err("no entropy");
            assert_eq!(error.code, ErrorCode::EntropyFailure);
        }
    }

    #[test]
    fn a_code_in_query_or_fragment_leads_to_the_token_endpoint() {
        for url in [
            "https://app.example/cb?code=c&state=STATE",
            "https://app.example/cb?state=STATE&code=c&iss=https%3A%2F%2Fas.example&session_state=1",
            "https://app.example/cb#code=c&state=STATE",
            "https://app.example/cb?code=c&state=STATE#_=_",
        ] {
            let answered = answer("", url).expect(url);
            let Accepted::Exchange(request) = answered else {
                panic!("an exchange");
            };
            assert_eq!(
                &*request.body(),
                "grant_type=authorization_code&client_id=c%201&code=c\
                 &redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
                 &code_verifier=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
            );
        }
    }

    #[test]
    fn a_token_in_the_fragment_is_taken_with_the_state_in_either_place() {
        for url in [
            "https://app.example/cb#access_token=a&token_type=Bearer&expires_in=3600&state=STATE&user_id=7",
            "https://app.example/cb?state=STATE#access_token=a&token_type=bearer&expires_in=3600&user_id=7",
        ] {
            let answered = answer(r#","responseType":"token""#, url).expect(url);
            let Accepted::Tokens(tokens) = answered else {
                panic!("tokens");
            };
            assert_eq!(tokens.access_token().expose(), "a");
            assert_eq!(tokens.expires_at(), Some(3610));
            assert_eq!(tokens.extra().text(), r#"{"user_id":"7"}"#);
            assert_eq!(tokens.scope(), ["read", "write"]);
        }
    }

    #[test]
    fn a_refresh_token_in_the_fragment_is_not_accepted() {
        let url =
            "https://app.example/cb#access_token=a&token_type=bearer&refresh_token=r&state=STATE";
        let answered = answer(r#","responseType":"token""#, url).expect("tokens");
        let Accepted::Tokens(tokens) = answered else {
            panic!("tokens");
        };
        assert!(!tokens.is_renewable());
        assert_eq!(tokens.extra().text(), "{}");
    }

    #[test]
    fn a_json_fragment_is_understood_only_where_that_was_asked_for() {
        let implicit = r#","responseType":"token","tokenTypeOptional":true"#;
        let asked = format!(r#"{implicit},"jsonFragment":true"#);
        let info = r#"{"client_id":1,"state":"AUTHORIZED","authorization_info":{"access_token":"a","expires_in":10800,"user_id":7,"scopes":["read","write"]},"domains":[]}"#;
        let encode = |text: &str| {
            let mut out = String::new();
            form::encode(text, &mut out);
            out
        };
        let cb = "https://app.example/cb?state=STATE#";
        for fragment in [
            info.to_string(),
            encode(info),
            encode(info).replacen("%7B", "%7b", 1),
        ] {
            let url = format!("{cb}{fragment}");
            assert_eq!(
                refusal(implicit, &url),
                ErrorCode::InvalidAuthorizationResponse
            );
            let Accepted::Tokens(tokens) = answer(&asked, &url).expect("tokens") else {
                panic!("tokens");
            };
            assert_eq!(tokens.access_token().expose(), "a");
            assert_eq!(tokens.expires_at(), Some(10 + 10800));
            assert_eq!(tokens.scope(), ["read", "write"]);
            assert_eq!(tokens.extra().text(), r#"{"user_id":7}"#);
            // A code was asked for: no token is taken.
            assert_eq!(
                refusal(r#","jsonFragment":true"#, &url),
                ErrorCode::InvalidAuthorizationResponse
            );
        }
        for (fragment, want) in [
            (r#"{"state":"NOT_AUTHORIZED"}"#, ErrorCode::AccessDenied),
            (r#"{"state":"UNKNOWN"}"#, ErrorCode::InvalidTokenResponse),
            (
                r#"{"authorization_info":{"expires_in":1}}"#,
                ErrorCode::InvalidTokenResponse,
            ),
            (
                r#"{"authorization_info":"a"}"#,
                ErrorCode::InvalidTokenResponse,
            ),
            (
                r#"{"authorization_info":{"access_token":"a","access_token":"b"}}"#,
                ErrorCode::InvalidAuthorizationResponse,
            ),
            (r#"{"state""#, ErrorCode::InvalidAuthorizationResponse),
            ("{", ErrorCode::InvalidAuthorizationResponse),
        ] {
            assert_eq!(
                refusal(&asked, &format!("{cb}{fragment}")),
                want,
                "{fragment}"
            );
        }
        // The provider's word is not our state, and without ours there is no answer of ours.
        let bare = format!("https://app.example/cb#{}", encode(info));
        assert!(AuthorizationResponse::read(&bare).is_none());
    }

    #[test]
    fn an_issuer_that_was_announced_must_be_named() {
        let announced = r#","issRequired":true"#;
        let url = "https://app.example/cb?code=c&state=STATE";
        assert_eq!(refusal(announced, url), ErrorCode::IssuerMissing);
        // Two servers name themselves in answers of success only: what they say stands beside the refusal.
        let url =
            "https://app.example/cb?error=login_required&error_description=who%3F&state=STATE";
        let error = answer(announced, url).expect_err("no iss");
        assert_eq!(error.code, ErrorCode::IssuerMissing);
        let server = error.server.as_ref().expect("the server's words");
        assert_eq!(server.error.as_deref(), Some("login_required"));
        assert_eq!(server.error_description.as_deref(), Some("who?"));
        let other = format!("{url}&iss=https%3A%2F%2Fevil.example");
        let error = answer(announced, &other).expect_err("another iss");
        assert_eq!(error.code, ErrorCode::IssuerMismatch);
        assert!(error.server.is_none(), "a stranger's words");
        let silent = r#","issRequired":false"#;
        assert_eq!(refusal(silent, url), ErrorCode::LoginRequired);
        let url = "https://app.example/cb?code=c&state=STATE";
        let named = format!("{url}&iss=https%3A%2F%2Fas.example");
        assert!(answer(announced, &named).is_ok());
    }

    #[test]
    fn a_missing_token_type_is_an_error_unless_the_provider_is_known_for_it() {
        let url = "https://app.example/cb#access_token=a&state=STATE";
        let implicit = r#","responseType":"token""#;
        assert_eq!(refusal(implicit, url), ErrorCode::InvalidTokenResponse);
        assert!(answer(&format!("{implicit},\"tokenTypeOptional\":true"), url).is_ok());
        let mac = "https://app.example/cb#access_token=a&token_type=mac&state=STATE";
        assert_eq!(
            refusal(&format!("{implicit},\"tokenTypeOptional\":true"), mac),
            ErrorCode::UnsupportedTokenType
        );
    }

    #[test]
    fn hostile_responses_are_refused_in_order_state_iss_error_code() {
        use ErrorCode::*;
        let cb = "https://app.example/cb";
        for (query, want) in [
            ("?code=c&state=other", StateMismatch),
            ("?error=access_denied&state=other", StateMismatch),
            ("?code=c&state=STATE&state=STATE", DuplicateParameter),
            ("?code=c&code=d&state=STATE", DuplicateParameter),
            ("?code=c&state=STATE#state=STATE", DuplicateParameter),
            (
                "?code=c&state=STATE&iss=https%3A%2F%2Fas.example%2F",
                IssuerMismatch,
            ),
            (
                "?error=x&state=STATE&iss=https%3A%2F%2Fevil.example",
                IssuerMismatch,
            ),
            ("?error=access_denied&state=STATE", AccessDenied),
            ("?error=server_error&state=STATE", AuthorizationError),
            ("?error=made_up&state=STATE", AuthorizationError),
            ("?error=x&code=c&state=STATE", InvalidAuthorizationResponse),
            (
                "?error=x&state=STATE#access_token=a",
                InvalidAuthorizationResponse,
            ),
            ("?code=&state=STATE", InvalidAuthorizationResponse),
            (
                "?code=c&state=STATE#access_token=a",
                InvalidAuthorizationResponse,
            ),
            (
                "#access_token=a&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
        ] {
            assert_eq!(refusal("", &format!("{cb}{query}")), want, "{query}");
        }
        let implicit = r#","responseType":"token""#;
        for (query, want) in [
            (
                "?access_token=a&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
            ("?code=c&state=STATE", InvalidAuthorizationResponse),
            (
                "#access_token=a&code=c&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
            (
                "?access_token=a&state=STATE#access_token=b&token_type=bearer",
                DuplicateParameter,
            ),
            (
                "#access_token=a&error=x&state=STATE",
                InvalidAuthorizationResponse,
            ),
            (
                "#access_token=&token_type=bearer&state=STATE",
                InvalidTokenResponse,
            ),
            (
                "#access_token=a&token_type=bearer&expires_in=soon&state=STATE",
                InvalidTokenResponse,
            ),
            (
                "#access_token=a&token_type=bearer&refresh_token=r&refresh_token=s&state=STATE",
                DuplicateParameter,
            ),
        ] {
            assert_eq!(refusal(implicit, &format!("{cb}{query}")), want, "{query}");
        }
    }

    #[test]
    fn one_unreadable_parameter_does_not_hide_the_answer() {
        let url =
            "https://app.example/cb?error=access_denied&error_description=cancel%F3&state=STATE";
        assert_eq!(refusal("", url), ErrorCode::AccessDenied);
        assert!(answer("", "https://app.example/cb?discount=50%&code=c&state=STATE").is_ok());
    }

    #[test]
    fn a_response_to_another_login_is_refused_even_when_it_is_an_error() {
        assert_eq!(
            refusal(
                "",
                "https://app.example/cb?error=access_denied&state=ow1xother"
            ),
            ErrorCode::StateMismatch
        );
    }

    #[test]
    fn a_response_at_another_address_is_refused() {
        for url in [
            "https://app.example/other?code=c&state=STATE",
            "https://evil.example/cb?code=c&state=STATE",
            "https://app.example/cb/?code=c&state=STATE",
        ] {
            assert_eq!(refusal("", url), ErrorCode::RedirectUriMismatch);
        }
        let own = "https://app.example/?page=cb";
        let at = |query: &str| {
            let mut client = (*pending("").login).clone();
            client.redirect_uri = own.to_string();
            let login = Rc::new(client);
            let pending = PendingLogin::new(login, &entropy(), 1000).expect("entropy");
            let url = format!(
                "https://app.example/{query}&code=c&state={}",
                pending.state().expose()
            );
            pending
                .accept(
                    AuthorizationResponse::read(&url).expect("a response"),
                    1000,
                    0,
                )
                .is_ok()
        };
        assert!(at("?page=cb"));
        assert!(
            at("?page=cb&tag=a&tag=b"),
            "the application's own may be repeated"
        );
        assert!(!at("?page=other"));
    }

    #[test]
    fn the_slash_of_an_origin_is_the_browsers_and_any_other_the_applications() {
        for (registered, arrived, same) in [
            ("https://app.example", "https://app.example/", true),
            ("https://app.example/", "https://app.example", true),
            ("https://app.example/cb", "https://app.example/cb/", false),
            ("https://app.example/cb/", "https://app.example/cb", false),
            ("https://app.example/a/", "https://app.example/a/", true),
            ("https://app.example", "https://app.example//", false),
        ] {
            let url = format!("{arrived}?code=c&state=s");
            let response = AuthorizationResponse::read(&url).expect("a response");
            assert_eq!(response.is_at(registered), same, "{registered} {arrived}");
        }
    }

    #[test]
    fn a_login_older_than_its_age_is_refused() {
        let pending_at = |now| {
            let pending = pending("");
            let url = format!(
                "https://app.example/cb?code=c&state={}",
                pending.state().expose()
            );
            pending
                .accept(
                    AuthorizationResponse::read(&url).expect("a response"),
                    now,
                    0,
                )
                .map(|_| ())
                .map_err(|error| error.code)
        };
        assert_eq!(pending_at(1600), Ok(()));
        assert_eq!(pending_at(1601), Err(ErrorCode::LoginExpired));
    }

    #[test]
    fn a_response_that_a_router_has_mangled_says_so() {
        for url in [
            "https://app.example/cb#/access_token=a&token_type=bearer&state=STATE",
            "https://app.example/cb#/?code=c&state=STATE",
            "https://app.example/cb#/cb?state=STATE&code=c",
            "https://app.example/cb?/state=STATE&code=c",
        ] {
            let error = answer("", url).expect_err(url);
            assert_eq!(error.code, ErrorCode::InvalidAuthorizationResponse);
            assert!(error.detail.starts_with("a router or a script"), "{url}");
        }
    }

    #[test]
    fn names_and_a_state_that_are_percent_encoded_are_read_as_what_they_are() {
        let pending = pending("");
        let state = pending.state().expose().replacen("ow1x", "%6Fw1%78", 1);
        let url = format!("https://app.example/cb?co%64e=c&%73tate={state}");
        let response = AuthorizationResponse::read(&url).expect("a response");
        assert!(response.is_ours());
        pending.accept(response, 1010, 10).expect("a code");
    }

    #[test]
    fn what_is_not_a_response_is_left_alone() {
        for url in [
            "https://app.example/",
            "https://app.example/?code=promo",
            "https://app.example/?error=404",
            "https://app.example/?state=CA&city=LA",
            "https://app.example/#access_token=x",
            "https://app.example/#/route?code=1&x=%",
            "https://app.example/?state=ow1xabc",
            "https://app.example/#/state=ow1xabc",
            "https://app.example/?x=%zz",
            "",
        ] {
            assert!(AuthorizationResponse::read(url).is_none(), "{url}");
        }
        let foreign = AuthorizationResponse::read("https://app.example/?code=x&state=y");
        assert!(!foreign.expect("a response").is_ours());
        let ours = AuthorizationResponse::read("https://app.example/?code=x&state=ow1xy");
        let ours = ours.expect("a response");
        assert!(ours.is_ours());
        {
            let url = format!("https://app.example/?code=x&state={ELSEWHERE_PREFIX}y");
            let elsewhere = AuthorizationResponse::read(&url).expect("a response");
            assert!(elsewhere.is_for_another_page() && !ours.is_for_another_page());
        }
    }

    #[test]
    fn a_record_comes_back_whole_and_a_broken_one_is_absent() {
        let pending = pending(r#","returnTo":"/cart","appState":{"a":[1,"ü"]},"pendingMaxAge":60"#);
        let record = pending.to_record();
        let state = pending.state().expose();
        let again = PendingLogin::from_record(state, &record, ORIGIN).expect("a record");
        assert_eq!(again.to_record(), record);
        assert_eq!(again.expires_at(), 1060);
        assert_eq!(PendingLogin::expiry_of(&record), Some(1060));
        assert!(again.is_expired(1061) && !again.is_expired(1060));
        for (from, to) in [
            ("1s1060;", "2s1060;"),
            ("1s1060;", "11060;"),
            ("60;ICE", "-1;ICE"),
            ("1060;", "x;"),
            ("1060;", ""),
            ("60;ICE", "60;&x=ICE"),
            ("60;ICEiIyQl", "60;"),
            ("5;/cart", "14;//evil.example"),
            ("20;https://as.example/t", "20;http://evil.example/"),
            ("20;https://as.example/t", "20;javascript:alert(1)/"),
            ("{\"a\"", "[\"a\""),
        ] {
            let tampered = record.replace(from, to);
            assert_ne!(tampered, record, "{from}");
            assert!(
                PendingLogin::from_record(state, &tampered, ORIGIN).is_none(),
                "{to}"
            );
        }
    }

    #[cfg(feature = "full")]
    #[test]
    fn a_record_begins_with_the_part_of_the_library_that_answers_it() {
        let begins = |extra: &str| String::from(&pending(extra).to_record()[..2]);
        for extra in [
            "",
            r#","responseType":"token""#,
            r#","resource":"https://api.example/""#,
            r#","responseType":"token","scope":"openid""#,
        ] {
            assert_eq!(begins(extra), "1s", "{extra}");
        }
        for extra in [
            r#","scope":"openid""#,
            r#","dpop":true"#,
            r#","keep":"tab""#,
            r#","keepPending":true"#,
            r#","sessionScope":"origin""#,
            r#","display":"popup""#,
            r#","display":"iframe""#,
            r#","authorizationDetails":[{"type":"x"}]"#,
        ] {
            assert_eq!(begins(extra), "1f", "{extra}");
        }
    }

    #[test]
    fn a_foreign_frame_is_allowed_by_name_only() {
        assert!(!pending("").allow_framed());
        assert!(pending(r#","allowFramed":true"#).allow_framed());
    }

    #[cfg(feature = "full")]
    #[test]
    fn a_login_knows_how_long_it_may_take_and_whether_its_frame_is_a_foreign_one() {
        let framed = pending(r#","display":"iframe","pendingMaxAge":60"#);
        assert_eq!(framed.expires_at(), 1060);
        assert!(framed.is_foreign_frame(ORIGIN));
        assert!(!framed.is_foreign_frame("https://as.example"));
        assert!(!pending("").is_foreign_frame(ORIGIN));
        let same_site = pending(r#","display":"popup""#);
        assert!(!same_site.is_foreign_frame("https://as.example"));
        let kept = pending(r#","keepPending":true,"keep":"device""#);
        assert!(kept.is_to_be_kept() && !framed.is_to_be_kept());
        let timed = pending(r#","display":"iframe","displayTimeout":7"#);
        assert_eq!(timed.display_timeout(), 7);
        assert_eq!(pending(r#","display":"popup""#).display_timeout(), 600);
    }

    #[test]
    fn the_servers_words_survive_without_our_state() {
        let pending = pending("");
        let state = pending.state().expose().to_string();
        let url = format!(
            "https://app.example/cb?error=temporarily_unavailable&error_description=login+{state}+lost&state={state}"
        );
        let error = pending
            .accept(
                AuthorizationResponse::read(&url).expect("a response"),
                1000,
                0,
            )
            .expect_err("an error");
        let json = error.to_json();
        assert!(
            json.contains(
                r#""error":"temporarily_unavailable","errorDescription":"login (..) lost""#
            )
        );
        assert!(!json.contains(&state));
    }

    #[cfg(feature = "full")]
    mod full {
        use super::*;

        fn parameters(url: &str) -> std::vec::Vec<(String, String)> {
            let (_, _, query) = url::cut(url);
            let pairs = form::parse(query.expect("a query"));
            let text = |value: Json| String::from(value.as_str().unwrap_or(""));
            pairs
                .into_iter()
                .map(|(name, value)| (name, text(value)))
                .collect()
        }

        fn value(url: &str, name: &str) -> Option<String> {
            let mut found = parameters(url).into_iter().filter(|(key, _)| key == name);
            let value = found.next()?.1;
            assert!(found.next().is_none(), "{name} stands once");
            Some(value)
        }

        fn key() -> ProofKey {
            let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
            ProofKey::read(&Json::parse(jwk).expect("JSON")).expect("a key")
        }

        const OPENID: &str = r#","scope":"openid","jwksUri":"https://as.example/jwks""#;

        fn pending(extra: &str) -> PendingLogin {
            let text = format!(
                r#"{{"clientId":"c1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a?tenant=7","tokenEndpoint":"https://as.example/t","issuer":"https://as.example"{extra}}}"#
            );
            let login = super::super::super::config::Config::parse(&text)
                .and_then(|config| config.resolve(ORIGIN));
            PendingLogin::new(login.expect("a login"), &entropy(), 1000).expect("entropy")
        }

        #[test]
        fn a_nonce_is_sent_with_openid_only_and_is_the_same_after_the_redirect() {
            assert_eq!(value(&pending("").authorization_url(), "nonce"), None);
            let login = pending(OPENID);
            let nonce = value(&login.authorization_url(), "nonce").expect("a nonce");
            assert_eq!(nonce.len(), 43);
            let state = login.state().expose().to_string();
            let back = PendingLogin::from_record(&state, &login.to_record(), ORIGIN);
            let about = back.expect("the record").about();
            assert!(matches!(about, Some(About::Login { nonce: kept }) if kept == nonce));
        }

        #[test]
        fn resources_details_and_the_key_are_named() {
            let mut login = pending(
                r#","resource":["https://a.example/","https://b.example/"],"authorizationDetails":[{"type":"x"}]"#,
            );
            login.bind(key());
            let url = login.authorization_url();
            let named = parameters(&url);
            let resources = named.iter().filter(|(name, _)| name == "resource");
            let resources: std::vec::Vec<_> = resources.map(|(_, value)| &**value).collect();
            assert_eq!(resources, ["https://a.example/", "https://b.example/"]);
            assert_eq!(
                value(&url, "authorization_details").as_deref(),
                Some(r#"[{"type":"x"}]"#)
            );
            assert_eq!(
                value(&url, "dpop_jkt").as_deref(),
                Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
            );
            let state = login.state().expose().to_string();
            let back = PendingLogin::from_record(&state, &login.to_record(), ORIGIN);
            assert_eq!(back.expect("the record").key(), Some(&key()));
            let broken = login.to_record().replace("P-256", "P-384");
            assert!(PendingLogin::from_record(&state, &broken, ORIGIN).is_none());
        }

        /// RFC 9126 sections 2.1 and 4.
        #[test]
        fn a_pushed_request_leaves_nothing_but_its_name_in_the_address() {
            assert!(pending(OPENID).pushed().is_none());
            let fields = r#","pushedAuthorizationRequest":true,"pushedAuthorizationRequestEndpoint":"https://as.example/par""#;
            let login = pending(&[OPENID, fields].concat());
            let (endpoint, form) = login.pushed().expect("a request to push");
            assert_eq!(endpoint, "https://as.example/par");
            let all = format!("https://as.example/a?tenant=7&{form}");
            assert_eq!(all, login.authorization_url());
            assert!(
                form.starts_with("response_type=code&client_id=c1&"),
                "{form}"
            );
            assert_eq!(
                login.pushed_url("urn:x:1 2"),
                "https://as.example/a?tenant=7&client_id=c1&request_uri=urn%3Ax%3A1%202"
            );
        }

        #[test]
        fn an_id_token_stands_in_the_fragment() {
            let fields = [OPENID, r#","responseType":"id_token token""#].concat();
            let response = |place: &str| {
                let login = pending(&fields);
                let state = login.state().expose().to_string();
                let href = format!("https://app.example/cb{place}").replace("STATE", &state);
                let response = AuthorizationResponse::read(&href).expect("a response");
                login.accept(response, 1000, 0).map(drop)
            };
            let url = pending(&fields).authorization_url();
            assert_eq!(
                value(&url, "response_type").as_deref(),
                Some("id_token token")
            );
            assert_eq!(value(&url, "code_challenge"), None);
            let tokens = "access_token=a&token_type=Bearer";
            assert_eq!(
                response(&format!("#{tokens}&id_token=a.b.c&state=STATE")),
                Ok(())
            );
            // Where `iss` is demanded, an ID Token does (RFC 9207 section 2.4), and nothing else.
            let strict = [&fields, r#","issRequired":true"#].concat();
            let named = |place: &str| {
                let login = pending(&strict);
                let state = login.state().expose().to_string();
                let href = format!("https://app.example/cb#{place}&state={state}");
                let response = AuthorizationResponse::read(&href).expect("a response");
                login
                    .accept(response, 1000, 0)
                    .map(drop)
                    .map_err(|error| error.code)
            };
            let mismatch = Err(ErrorCode::IssuerMismatch);
            let missing = Err(ErrorCode::IssuerMissing);
            assert_eq!(named(&format!("{tokens}&id_token=a.b.c")), Ok(()));
            assert_eq!(named(tokens), missing);
            assert_eq!(named("error=access_denied"), missing);
            assert_eq!(
                named(&format!("{tokens}&id_token=a.b.c&iss=https://evil.example")),
                mismatch
            );
            let detail = |place: &str| response(place).expect_err(place).detail.clone();
            let missing = detail(&format!("#{tokens}&state=STATE"));
            assert!(missing.starts_with("id_token: is missing"), "{missing}");
            assert_eq!(
                detail(&format!("?id_token=a.b.c#{tokens}&state=STATE")),
                "id_token stands in the query"
            );
            let twice = response(&format!("#{tokens}&id_token=a&id_token=b&state=STATE"));
            assert_eq!(
                twice.map_err(|error| error.code),
                Err(ErrorCode::DuplicateParameter)
            );
        }
    }
}
