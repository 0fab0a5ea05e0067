//! A client at one authorization server (RFC 6749 section 2) and what it asks for. Whoever has one has to check nothing any
//! more: `config` makes it of a configuration, and stored records carry all of it to the page that answers the login.

mod record;
mod words;

pub use words::{Display, Keep, Part, ResponseType};

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode, ServerError, wrong};
use super::json::Json;
use super::pkce::CodeChallengeMethod;
use super::record::stored;
use super::refusal::{self, Row};
use super::resource::{self, Call, Route};
use super::scope::{self, Scopes};
use super::{Seconds, url};

/// Seconds that a login in a frame may take: nobody sees it.
const FRAME_TIMEOUT: Seconds = 10;

/// What a relay that keeps the refresh token wants to see, so that no form of another page's can be meant (docs/relay.md);
/// the browser's part sends the relay's cookie with it.
const RELAY: &str = "relay-cookie";

stored! {
    /// A client, checked once.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Client {
        pub(super) client_id: String,
        pub(super) redirect_uri: String,
        /// Whether that, and where a logout comes back to, may be plain http.
        pub(super) allow_http: bool,
        pub(super) provider: Option<String>,
        pub(super) site: Option<String>,
        pub(super) issuer: Option<String>,
        pub(super) iss_required: bool,
        pub(super) endpoints: Endpoints,
        pub(super) response_type: ResponseType,
        pub(super) code_challenge_method: CodeChallengeMethod,
        pub(super) scope: Vec<String>,
        pub(super) prompt: Option<String>,
        pub(super) parameters: Vec<(String, String)>,
        pub(super) resources: Vec<String>,
        pub(super) authorization_details: Option<Json>,
        pub(super) is_pushed: bool,
        pub(super) dpop: bool,
        pub(super) verify_id_token: bool,
        /// Whom an ID Token may be meant for besides.
        pub(super) trusted_audiences: Vec<String>,
        pub(super) resource_servers: Vec<String>,
        pub(super) api: Api,
        pub(super) answers: Answers,
        pub(super) refresh_token_reuse: Option<bool>,
        /// The token endpoint is a relay that keeps the refresh token in a cookie of its own.
        pub(super) refresh_token_cookie: bool,
        pub(super) display: Display,
        pub(super) display_timeout: Option<Seconds>,
        pub(super) keeping: Keeping,
        pub(super) return_to: Option<String>,
        pub(super) app_state: Option<Json>,
        /// Seconds the login may stay unanswered.
        pub(super) pending_max_age: Seconds,
    }
}

stored! {
    /// The server's endpoints; empty where there is none.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Endpoints {
        pub authorization: String,
        pub token: String,
        pub revocation: String,
        pub revocation_request: Option<RevocationRequest>,
        pub end_session: String,
        pub jwks: String,
        pub userinfo: String,
        pub pushed: String,
    }
}

stored! {
    /// The request by which the provider's API takes the user's grant back.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RevocationRequest {
        pub method: String,
        /// With `{names}` to fill in.
        pub url: String,
    }
}

stored! {
    /// What is known of the provider's API.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Api {
        pub scopes: Scopes,
        pub routes: Vec<Route>,
        pub errors: Vec<Row>,
        /// The header that narrows the scope of one call.
        pub scope_header: Option<String>,
        pub limit_header: String,
        pub usage_header: String,
    }
}

stored! {
    /// What an answer of the server may look like besides what the protocol says.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Answers {
        pub token_type_optional: bool,
        pub json_fragment: bool,
        pub framed: bool,
        /// Members of a token response that are no secret though their name sounds so.
        pub extra_members: Vec<String>,
    }
}

stored! {
    /// Where the session is kept, and who has it.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Keeping {
        pub keep: Keep,
        /// Seconds that a session is kept without being renewed.
        pub max_age: Seconds,
        /// A browser that cannot keep or share a session may do without.
        pub optional: bool,
        /// The pending login has to outlive its tab.
        pub pending: bool,
        /// The tabs of the origin share the session.
        pub shared: bool,
    }
}

impl Client {
    /// Mistakes that would show only when the user has come back. `navigates`: the caller has a way of its own to the
    /// provider and back.
    pub fn check_page(&self, origin: &str, navigates: bool) -> Result<(), Error> {
        let here = url::Url::split(origin).is_some();
        let there = url::Url::split(&self.redirect_uri);
        if here && !navigates && there.is_some_and(|there| there.origin != origin) {
            return Err(wrong(
                "redirectUri",
                "is of another origin than this page, which would never see the response (localhost and 127.0.0.1 are two); navigate takes the URL elsewhere",
            ));
        }
        if self.resource_servers.is_empty() && !self.is_openid() {
            return Err(wrong(
                "resourceServers",
                "is missing, and no provider says it: no call could carry the token",
            ));
        }
        Ok(())
    }

    /// Which part of the library is needed from here on.
    pub fn part(&self) -> Part {
        match self.has_id_token() || self.needs_full().is_some() {
            true => Part::Full,
            false => Part::Session,
        }
    }

    /// The field that asks for more than [`Part::Session`] has.
    pub fn needs_full(&self) -> Option<&'static str> {
        let lasting = match (self.keeping.keep, self.keeping.shared) {
            (Keep::No, false) => None,
            (Keep::No, true) => Some("sessionScope"),
            _ => Some("keep"),
        };
        self.needs_full_to_start().or(lasting)
    }

    /// The field with which a login cannot even be started without the whole library. `keep` and `sessionScope` are none: they
    /// need a browser that can store a session, which the page checks, and count when the login is answered.
    pub fn needs_full_to_start(&self) -> Option<&'static str> {
        Some(if self.display != Display::Page {
            "display"
        } else if self.keeping.pending {
            "keepPending"
        } else if self.dpop {
            "dpop"
        } else if self.verify_id_token {
            "verifyIdToken"
        } else if self.response_type == ResponseType::IdTokenToken {
            "responseType"
        } else if self.authorization_details.is_some() {
            "authorizationDetails"
        } else if self.is_pushed {
            "pushedAuthorizationRequest"
        } else {
            return None;
        })
    }

    /// Whether the session is to be shared by tabs or kept.
    pub fn is_to_be_shared(&self) -> bool {
        self.keeping.keep != Keep::No || self.keeping.shared
    }

    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    pub fn site(&self) -> Option<&str> {
        self.site.as_deref()
    }

    /// Empty for a token that was adopted without one.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub fn authorization_endpoint(&self) -> &str {
        &self.endpoints.authorization
    }

    /// Empty where the implicit grant needs none.
    pub fn token_endpoint(&self) -> &str {
        &self.endpoints.token
    }

    pub fn response_type(&self) -> ResponseType {
        self.response_type
    }

    pub fn code_challenge_method(&self) -> CodeChallengeMethod {
        self.code_challenge_method
    }

    /// Where tokens may go; each is checked by [`resource::check_server`].
    pub fn resource_servers(&self) -> &[String] {
        &self.resource_servers
    }

    /// The scope that is asked for.
    pub fn scope(&self) -> &[String] {
        &self.scope
    }

    /// The scopes that the provider has, with what each implies.
    pub fn scopes(&self) -> &Scopes {
        &self.api.scopes
    }

    pub fn routes(&self) -> &[Route] {
        &self.api.routes
    }

    pub fn errors(&self) -> &[Row] {
        &self.api.errors
    }

    /// The header that narrows the scope of one call.
    pub fn scope_header(&self) -> Option<&str> {
        self.api.scope_header.as_deref()
    }

    /// The scope that a call needs and the route that says so, for a session that holds this scope; `None` where nobody
    /// said. The URL is the browser's own serialisation.
    pub fn need(&self, method: &str, url: &str, held: &[String]) -> Option<resource::Need<'_>> {
        let path = self
            .resource_servers
            .iter()
            .filter(|server| resource::covers(server, url).is_some())
            .max_by_key(|server| server.len())
            .and_then(|server| resource::below(server, url))?;
        resource::need(&self.api.routes, method, path, held)
    }

    /// The least scope for these calls; an address that belongs to no resource server is an error.
    pub fn scope_for(&self, calls: &[Call]) -> Result<Vec<String>, Error> {
        let mut scope = Vec::new();
        for call in calls {
            let covers = |server: &String| resource::covers(server, &call.url).is_some();
            if !self.resource_servers.iter().any(covers) {
                return Err(resource::undeclared(
                    &call.url,
                    self.resource_servers.iter(),
                ));
            }
            if let Some(need) = self.need(&call.method, &call.url, &[]) {
                scope.append(&mut need.scope());
            }
        }
        Ok(scope::reduce(&self.api.scopes, scope))
    }

    /// The same by a client's record.
    pub fn scope_by(record: &str, calls: &[Call]) -> Result<Vec<String>, Error> {
        match Client::from_record(record) {
            Some(client) => client.scope_for(calls),
            None => Err(ErrorCode::InternalError.error()),
        }
    }

    /// The headers in which the provider says how many requests it allows, and how many were made.
    pub fn limit_headers(&self) -> (&str, &str) {
        (&self.api.limit_header, &self.api.usage_header)
    }

    /// The error with the provider's own words for it, where its table has them.
    pub fn explained(&self, error: Error) -> Error {
        refusal::explained(&self.api.errors, error)
    }

    /// The library's own error with what the provider's table adds to it.
    pub fn advised(&self, error: Error) -> Error {
        refusal::advised(&self.api.errors, error)
    }

    /// Whether the provider's table has words for just this, and not only for its status.
    pub fn has_words_for(&self, server: &ServerError) -> bool {
        let row = refusal::row(&self.api.errors, server);
        row.is_some_and(|row| row.error.is_some() || row.says.is_some())
    }

    /// Where a token is given up (RFC 7009).
    pub fn revocation_endpoint(&self) -> Option<&str> {
        said(&self.endpoints.revocation)
    }

    /// The request by which the provider's API takes the user's grant back.
    pub fn revocation_request(&self) -> Option<&RevocationRequest> {
        self.endpoints.revocation_request.as_ref()
    }

    /// The header of requests to a relay that keeps the refresh token; nothing where the tokens come here.
    pub fn relay(&self) -> Option<(&'static str, String)> {
        let header = (RELAY, String::from("1"));
        self.refresh_token_cookie.then_some(header)
    }

    /// Whether a refresh token may be sent a second time as if it were the first.
    pub fn refresh_token_reuse(&self) -> bool {
        self.refresh_token_reuse == Some(true)
    }

    /// Whether a refresh token whose answer was lost may be sent once more, when the access token is over.
    pub fn may_resend_refresh_token(&self) -> bool {
        self.refresh_token_reuse != Some(false)
    }

    /// Where the user is logged out of the provider (OpenID Connect RP-Initiated Logout 1.0).
    pub fn end_session_endpoint(&self) -> Option<&str> {
        said(&self.endpoints.end_session)
    }

    /// Whether a response must name its issuer (RFC 9207 section 2.4).
    pub fn iss_required(&self) -> bool {
        self.iss_required
    }

    /// Whether the fragment may be a JSON text.
    pub fn json_fragment(&self) -> bool {
        self.answers.json_fragment
    }

    pub fn extra_members(&self) -> &[String] {
        &self.answers.extra_members
    }

    pub fn token_type_optional(&self) -> bool {
        self.answers.token_type_optional
    }

    /// A path of this origin to come back to.
    pub fn return_to(&self) -> Option<&str> {
        self.return_to.as_deref()
    }

    /// `prompt` (OpenID Connect Core section 3.1.2.1).
    pub fn prompt(&self) -> Option<&str> {
        match self.display {
            Display::Frame => Some("none"),
            _ => self.prompt.as_deref(),
        }
    }

    /// Whether a response may be answered in a foreign page's frame.
    pub fn allow_framed(&self) -> bool {
        self.answers.framed
    }

    /// The application's own value.
    pub fn app_state(&self) -> Option<&Json> {
        self.app_state.as_ref()
    }

    /// Seconds the login may stay unanswered.
    pub fn max_age(&self) -> Seconds {
        self.pending_max_age
    }

    /// More parameters of the authorization request.
    pub fn authorization_parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// Whether a session of `other` is one of this client at the same server, or would be used in its place.
    pub fn is_same_client(&self, other: &Client) -> bool {
        let share = |server| other.resource_servers.contains(server);
        let endpoint = self.authorization_endpoint();
        let same_endpoint = !endpoint.is_empty() && endpoint == other.authorization_endpoint();
        self.client_id == other.client_id
            && (same_endpoint || self.resource_servers.iter().any(share))
    }

    /// Where the session is to be kept.
    pub fn keep(&self) -> Keep {
        self.keeping.keep
    }

    /// Seconds that a session is kept without being renewed.
    pub fn keep_max_age(&self) -> Seconds {
        self.keeping.max_age
    }

    /// Whether a browser that cannot keep or share a session may do without.
    pub fn is_keep_optional(&self) -> bool {
        self.keeping.optional
    }

    /// Whether the pending login has to outlive its tab.
    pub fn keep_pending(&self) -> bool {
        self.keeping.pending
    }

    /// Whether the tabs of the origin share the session.
    pub fn is_shared_with_tabs(&self) -> bool {
        self.keeping.shared
    }

    pub fn display(&self) -> Display {
        self.display
    }

    /// Seconds that a login in a popup or a frame may take.
    pub fn display_timeout(&self) -> Seconds {
        self.display_timeout.unwrap_or(match self.display {
            Display::Frame => FRAME_TIMEOUT,
            _ => self.pending_max_age,
        })
    }

    /// Whether the authorization server is surely of the page's own site, so that its cookies come along in a frame.
    pub fn is_same_site(&self, origin: &str) -> bool {
        url::is_same_site(origin, self.authorization_endpoint())
    }

    /// Whether the user's identity is asked for (OpenID Connect Core section 3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.scope.iter().any(|scope| scope == "openid")
    }

    /// Whether an ID Token answers that: the response type `token` has none (OpenID Connect Core section 3.2.2.5).
    pub fn has_id_token(&self) -> bool {
        self.is_openid() && self.response_type != ResponseType::Token
    }

    /// Whether the signature of every ID Token is checked; without it those of the address bar are.
    pub fn verify_id_token(&self) -> bool {
        self.is_openid() && self.verify_id_token
    }

    /// Whom an ID Token may be meant for besides this client.
    pub fn trusted_audiences(&self) -> &[String] {
        &self.trusted_audiences
    }

    /// Where the server's public keys are (RFC 8414 section 2); empty where nobody said.
    pub fn jwks_uri(&self) -> &str {
        &self.endpoints.jwks
    }

    /// Where the server says more of the user (OpenID Connect Core section 5.3).
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        said(&self.endpoints.userinfo)
    }

    /// Whether tokens are bound to a key (RFC 9449).
    pub fn dpop(&self) -> bool {
        self.dpop
    }

    /// Seconds that a key is kept where sessions outlive their page, or tabs have them in common.
    pub fn key_lifetime(&self) -> Option<Seconds> {
        self.is_to_be_shared().then_some(self.keeping.max_age)
    }

    /// Whether the authorization request is posted before the user is sent away (RFC 9126): where the caller says so, or
    /// the metadata that it must be.
    pub fn is_pushed(&self) -> bool {
        self.is_pushed
    }

    /// Where it is posted to; empty where nobody said.
    pub fn pushed_endpoint(&self) -> &str {
        &self.endpoints.pushed
    }

    /// For which resources tokens are wanted (RFC 8707).
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// What is asked for in more words than a scope has (RFC 9396).
    pub fn authorization_details(&self) -> Option<&Json> {
        self.authorization_details.as_ref()
    }
}

fn said(endpoint: &str) -> Option<&str> {
    (!endpoint.is_empty()).then_some(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::config::Config;

    #[test]
    fn a_record_tells_the_least_scope_as_its_configuration_does() {
        let config = || {
            let text = r#"{"resourceServers":["https://api.example/v1"],"scopes":{"read":{},"write":{"implies":["read"]}},
                "routes":[{"path":"/items","read":"read","write":"write"}]}"#;
            Config::parse(text).expect("a configuration")
        };
        let record = config().adopt().expect("a client").to_record();
        let code = |said: Result<Vec<String>, Error>| said.map_err(|error| error.code);
        let read = r#"{"url":"https://api.example/v1/items"}"#;
        let write = r#"{"method":"PUT","url":"https://api.example/v1/items"}"#;
        let other = r#"{"url":"https://other.example/"}"#;
        for (calls, expected) in [
            (String::from("[]"), Ok("[]")),
            (std::format!("[{read}]"), Ok(r#"["read"]"#)),
            (std::format!("[{read},{write}]"), Ok(r#"["write"]"#)),
            (
                std::format!("[{other}]"),
                Err(ErrorCode::UndeclaredResourceServer),
            ),
        ] {
            let list = Call::list(&calls).expect("calls");
            let known = code(Client::scope_by(&record, &list));
            let known = known.map(|scope| crate::protocol::json::list(&scope).text());
            assert_eq!(known, expected.map(String::from), "{calls}");
            let told = config().scope_for(&calls).map_err(|error| error.code);
            assert_eq!(told, known, "{calls}");
        }
        let broken = Client::scope_by(&record[1..], &[]);
        assert_eq!(code(broken), Err(ErrorCode::InternalError));
    }
}
