//! What can go wrong: one list, and what a caller should do about each.
//!
//! `errors!` below is the source of the codes. `src/types.d.ts` and `docs/errors.md` repeat them for readers, and
//! `tests/floors.rs` holds the three together.

use alloc::boxed::Box;
use alloc::string::String;

use super::json::{Json, Members, Object};
use super::text;

/// A kind and what there is to say of it. An [`Error`] points to the row of its kind, and what makes one says the kind by
/// name: so a part of the npm package has only the rows of what can go wrong there (1.2 KB less for `start`).
#[derive(Debug, PartialEq)]
struct Row {
    kind: ErrorCode,
    code: &'static str,
    retryable: bool,
    message: &'static str,
    remedy: &'static str,
}

macro_rules! errors {
    (
        $($(#[$doc:meta])* $variant:ident $code:literal $retry:ident $message:literal $remedy:literal)*
        ; $(#[$inner_doc:meta])* $inner:ident $inner_code:literal $inner_retry:ident $inner_message:literal $inner_remedy:literal
    ) => {
        /// The kind of a failure. [`code`](ErrorCode::code) never changes once published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            $(#[$inner_doc])* $inner,
        }

        impl ErrorCode {
            /// Every kind that a caller can see, in the order of the documentation.
            pub const ALL: &[ErrorCode] = &[
                $(ErrorCode::$variant,)*
            ];

            #[inline(always)]
            fn row(self) -> &'static Row {
                match self {
                    $(
                        ErrorCode::$variant => &Row {
                            kind: ErrorCode::$variant,
                            code: $code,
                            retryable: $retry,
                            message: $message,
                            remedy: $remedy,
                        },
                    )*
                    ErrorCode::$inner => &Row {
                        kind: ErrorCode::$inner,
                        code: $inner_code,
                        retryable: $inner_retry,
                        message: $inner_message,
                        remedy: $inner_remedy,
                    },
                }
            }
        }
    };
}

errors! {
    /// A field of the configuration is missing, unknown or wrong; the message names it.
    InvalidConfig "invalid_config" false
        "the configuration is not valid"
        "Correct the field that the message names"
    /// `provider` names no preset.
    UnknownProvider "unknown_provider" false
        "there is no such provider"
        "Use a name from the list of providers, or give the endpoints"
    /// `site` is missing, or the provider has no such site.
    UnknownSite "unknown_site" false
        "the provider has no such site"
        "Use one of the sites that the message names"
    /// A scope that the provider does not have.
    UnknownScope "unknown_scope" false
        "the provider has no such scope"
        "Use one of the provider's scopes"
    /// A client secret was put into a page's configuration (RFC 9700; RFC 8252 section 8.5).
    ClientSecretRefused "client_secret_refused" false
        "a page cannot keep a client secret"
        "Remove it; if the provider demands one, point tokenEndpoint at your own backend, which adds it"
    /// Something that is needed is missing here (a server, an old browser, plain http); the message names it.
    UnsupportedEnvironment "unsupported_environment" false
        "this environment lacks a required feature"
        "Use a current browser and an https page"
    /// A part of the library or a provider's file could not be loaded, or is another one than this release's; the message
    /// says why.
    LoadFailed "load_failed" true
        "a file of the library could not be loaded"
        "Correct what the message names, or reload the page"
    /// sessionStorage or IndexedDB is blocked by the browser or the frame.
    StorageBlocked "storage_blocked" false
        "the browser blocks site data (sessionStorage, IndexedDB)"
        "Ask the user to allow site data for this site"
    /// sessionStorage is full.
    StorageFull "storage_full" true
        "sessionStorage is full"
        "Remove other data of this site from sessionStorage"
    /// The random number generator is missing or predictable.
    EntropyFailure "entropy_failure" false
        "crypto.getRandomValues does not return random values"
        "Find the script that replaces crypto.getRandomValues"
    /// The response names a login of which this tab knows nothing: an old bookmark, another tab, a second use.
    UnknownState "unknown_state" false
        "no login in this tab is waiting for this response"
        "Call startLogin again, on a page of the same origin as redirectUri"
    /// Logins are waiting here, but not for this response: perhaps a forged one.
    StateMismatch "state_mismatch" false
        "the response belongs to none of the logins that are waiting"
        "Call startLogin again"
    /// The login was started too long ago.
    LoginExpired "login_expired" false
        "the login was started too long ago"
        "Call startLogin again"
    /// A parameter stands twice in the response (RFC 6749 section 3.1).
    DuplicateParameter "duplicate_parameter" false
        "the response repeats a parameter"
        "Call startLogin again; if it happens again, report it to the provider"
    /// The response is not one that RFC 6749 section 4.1.2 or 4.2.2 allows.
    InvalidAuthorizationResponse "invalid_authorization_response" false
        "the authorization response breaks the protocol"
        "Check responseType, or report it to the provider"
    /// `iss` is not the server that was asked (RFC 9207 section 2.4).
    IssuerMismatch "issuer_mismatch" false
        "the response comes from a server other than the one that was asked"
        "Check issuer, then call startLogin again"
    /// The response does not name its issuer, though the server's metadata promises it (RFC 9207 section 2.4). What the
    /// response says stands beside it, and may be anybody's words.
    IssuerMissing "issuer_missing" false
        "the response does not name its issuer, which the server's metadata promises"
        "Report it to the provider; issRequired: false accepts such responses"
    /// The server's metadata is missing, or not its own, or lacks what is needed (RFC 8414 section 3.3).
    InvalidMetadata "invalid_metadata" false
        "the server's metadata is not usable"
        "Check issuer, or give the endpoints"
    /// The response arrived at another address than the registered redirect_uri.
    RedirectUriMismatch "redirect_uri_mismatch" false
        "the response arrived at a URL other than redirectUri"
        "Call handleRedirect on the page that redirectUri names"
    /// The page of redirectUri stands in a frame of a foreign page.
    Framed "framed" false
        "this page is framed by a page of another site"
        "Forbid framing (frame-ancestors 'none'), or set allowFramed"
    /// The user or the server said no (RFC 6749 section 4.1.2.1).
    AccessDenied "access_denied" false
        "the user or the provider refused the login"
        "Offer the login again"
    /// The server cannot answer without showing the user something (OpenID Connect Core section 3.1.2.6).
    InteractionRequired "interaction_required" false
        "the provider needs to show the user a page"
        "Call startLogin without prompt: none"
    /// In a frame, a provider of another site knew of nobody: there the browser may withhold its cookies.
    ThirdPartyCookies "third_party_cookies" false
        "silent login found no session; third-party cookies may be blocked"
        "Call startLogin with prompt: none and without display, or with display: popup"
    /// The browser did not open the popup.
    PopupBlocked "popup_blocked" false
        "the browser blocked the popup"
        "Call startLogin in a click handler, before anything is awaited"
    /// The popup was closed before the login was done.
    PopupClosed "popup_closed" false
        "the popup was closed before the login was complete"
        "Offer the login again"
    /// The page was left for the provider, and is shown again as it was left (by Back).
    LoginAbandoned "login_abandoned" false
        "the user has come back without logging in"
        "Offer the login again"
    /// The authorization server answered with another error.
    AuthorizationError "authorization_error" false
        "the provider refused the authorization request"
        "See error and errorDescription"
    /// A request of the library's own got no answer: offline, blocked, or no CORS headers.
    NetworkError "network_error" true
        "no answer from the server: offline, blocked, or not allowed by CORS"
        "Try again when the network is back; if it happens again, see the browser's console"
    /// A request of the library's own took too long.
    Timeout "timeout" true
        "the server took too long to answer"
        "Try again"
    /// The server failed (5xx).
    ServerError "server_error" true
        "the server failed"
        "Try again later"
    /// The server asks to slow down (429, 420).
    RateLimited "rate_limited" true
        "the server asks to slow down"
        "Wait for retryAfter seconds, then try again"
    /// The token endpoint refused (RFC 6749 section 5.2).
    TokenRequestRefused "token_request_refused" false
        "the provider refused the token request"
        "See error and errorDescription, then call startLogin again"
    /// The token response is not one that RFC 6749 section 5.1 allows.
    InvalidTokenResponse "invalid_token_response" false
        "the token response is not valid"
        "Check tokenEndpoint"
    /// The response is larger than any token response.
    ResponseTooLarge "response_too_large" false
        "the token response is larger than 1 MiB"
        "Check tokenEndpoint"
    /// The token is of a type this client cannot use (RFC 6749 section 7.1).
    UnsupportedTokenType "unsupported_token_type" false
        "the token is not a bearer token"
        "Have the provider issue bearer tokens"
    /// No session covers the address, or it has expired and cannot be renewed; or the provider, asked with prompt none,
    /// knows of nobody (OpenID Connect Core section 3.1.2.6).
    LoginRequired "login_required" false
        "nobody is logged in"
        "Call startLogin"
    /// The session was there and has ended: its refresh token is no longer accepted.
    SessionEnded "session_ended" false
        "the provider has ended the session"
        "Call startLogin"
    /// The answer to a renewal was lost, so that the refresh token may be spent: it is not sent again, since providers
    /// end a session whose refresh token comes twice (RFC 9700 section 4.14.2).
    SessionIndeterminate "session_indeterminate" false
        "the last renewal brought no usable answer, and the refresh token may already be used"
        "Call startLogin; prompt: none avoids asking the user, where the provider supports it"
    /// The session lacks a scope that the call needs: known before it is sent, or said by the server
    /// (RFC 6750 section 3.1).
    InsufficientScope "insufficient_scope" false
        "the session lacks a scope that this call needs"
        "Call startLogin({ ...config, ...error.ask })"
    /// The server wants a newer or a stronger login for this (RFC 9470 section 3).
    InsufficientUserAuthentication "insufficient_user_authentication" false
        "this call needs a newer or a stronger login"
        "Call startLogin({ ...config, ...error.ask })"
    /// The API refused the request; what the provider's own table says of it stands in its place.
    RequestRefused "request_refused" false
        "the API refused the request"
        "See status, error and errorDescription"
    /// The address belongs to no declared resource server, so no token is sent there.
    UndeclaredResourceServer "undeclared_resource_server" false
        "the URL belongs to no declared resource server, so it gets no token"
        "Add its origin to resourceServers, or use fetch"
    /// The module has trapped: a bug of ours.
    InternalError "internal_error" false
        "the library has failed"
        "Reload the page, and report it"
    /// fetchPrivate got a request it must not send.
    InvalidRequest "invalid_request" false
        "the request cannot carry a token"
        "Correct what the message names"
    /// The ID Token breaks a rule of OpenID Connect, or its signature is wrong.
    InvalidIdToken "invalid_id_token" false
        "ID Token validation failed"
        "Check issuer and clientId"
    /// The provider's keys are no JWK Set, or have not the one that the ID Token names (RFC 7517 section 5).
    InvalidKeys "invalid_keys" false
        "the provider's keys are not usable"
        "Check jwksUri, or report it to the provider"
    /// The userinfo response is about somebody else, or cannot be read (OpenID Connect Core section 5.3).
    InvalidUserinfo "invalid_userinfo" false
        "the userinfo response is not valid"
        "Check userinfoEndpoint"
    /// The pushed authorization request was refused (RFC 9126 section 2.3).
    PushedRequestRefused "pushed_request_refused" false
        "the provider refused the pushed authorization request"
        "See error and errorDescription"
    /// The answer to it is not one that RFC 9126 section 2.2 allows.
    InvalidPushedResponse "invalid_pushed_response" false
        "the response to the pushed authorization request is not valid"
        "Check pushedAuthorizationRequestEndpoint"
    /// A token bound to a key was asked for, and another one came (RFC 9449 section 5).
    TokenNotBound "token_not_bound" false
        "the token is not bound to the key"
        "Have the provider issue DPoP tokens, or leave dpop out"
    /// The server wants a nonce in the proof, and no header that the page may read has one (RFC 9449 section 8).
    NonceUnreadable "nonce_unreadable" false
        "the server demands a DPoP nonce that the page cannot read"
        "Have the server expose its DPoP-Nonce header to CORS"
    /// The browser cannot make or use the key that is needed.
    CryptoUnavailable "crypto_unavailable" false
        "WebCrypto or the required algorithm is not available"
        "Serve the page over https, or use a newer browser"
    /// The key that the login was started with is gone (RFC 9449 section 10).
    KeyLost "key_lost" false
        "the key of this login is gone"
        "Call startLogin again"
    ;
    /// What a part of the npm package lacks; its entry asks the whole library then. Nobody sees it.
    NeedsFull "needs_full" false
        "a build without the feature full has no such thing"
        "Correct what the message names, or build with the feature full"
}

impl ErrorCode {
    /// The stable name, as JavaScript sees it.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Whether the same call may succeed later.
    pub fn retryable(self) -> bool {
        self.row().retryable
    }

    /// What happened, in one sentence without a full stop.
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// What to do next.
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// A failure of this kind.
    #[inline(always)]
    pub fn error(self) -> Error {
        Error::new(self.row(), "")
    }

    /// A failure of this kind, with the field or the rule; never with a value that could be a secret.
    #[inline(always)]
    pub fn at(self, detail: &str) -> Error {
        Error::new(self.row(), detail)
    }
}

/// A failure, as small as a pointer; what it says is in [`Report`].
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Report>);

/// What kind of failure, where, and the server's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub code: ErrorCode,
    row: &'static Row,
    /// What it was before it was seen from further away.
    pub cause: Option<ErrorCode>,
    /// The field or rule, for example `redirectUri: must be https`; empty where the kind says all.
    pub detail: String,
    /// What to do about just this, where that is not what to do about the whole kind.
    pub cure: Option<&'static str>,
    /// What happened and what to do, in the words of the provider's table.
    pub explained: Option<(String, String)>,
    pub server: Option<ServerError>,
    /// What only some kinds have: `scope`, `route`, `ask`, `retryAfter`, `rateLimit`.
    pub more: Members,
}

impl Report {
    /// The stable name of its kind, as JavaScript sees it.
    pub fn name(&self) -> &'static str {
        self.row.code
    }

    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        self.row.retryable
    }

    /// What happened, as its kind says it.
    pub fn sentence(&self) -> &'static str {
        self.row.message
    }
}

impl core::ops::Deref for Error {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

/// The server's own words (RFC 6749 sections 4.1.2.1 and 5.2), with our secrets cut out.
/// They are text from outside: show them as text, never as HTML.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerError {
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub error_uri: Option<String>,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
}

impl ServerError {
    /// Its code and its description in one line, for a message: the beginning, and neither what is not printed nor a tag,
    /// since pages show messages.
    pub fn sentence(&self) -> String {
        let words = [&self.error, &self.error_description];
        let mut sentence = String::new();
        for word in words.into_iter().flatten() {
            let word = text::clip(word, 200);
            if !word.is_empty() && word.bytes().all(|b| b >= b' ' && b != 0x7f && b != b'<') {
                sentence.push_str(if sentence.is_empty() { "" } else { ": " });
                sentence.push_str(word);
            }
        }
        sentence
    }
}

impl Error {
    fn new(row: &'static Row, detail: &str) -> Self {
        Error(Box::new(Report {
            code: row.kind,
            row,
            cause: None,
            detail: String::from(detail),
            cure: None,
            explained: None,
            server: None,
            more: Members::new(),
        }))
    }

    /// Adds the server's words.
    pub fn with(mut self, server: ServerError) -> Self {
        self.0.server = Some(server);
        self
    }

    /// The same failure, seen from further away.
    #[inline(always)]
    pub fn becomes(self, code: ErrorCode) -> Self {
        self.of(code.row())
    }

    fn of(mut self, row: &'static Row) -> Self {
        self.0.cause = Some(self.code);
        self.0.code = row.kind;
        self.0.row = row;
        self
    }

    /// Whether no answer came, so that nobody knows what the server has done.
    pub fn is_lost(&self) -> bool {
        let codes = [Some(self.code), self.cause];
        let lost = [ErrorCode::NetworkError, ErrorCode::Timeout];
        codes.iter().flatten().any(|code| lost.contains(code))
    }

    /// Puts the provider's words in the place of ours, and its name for what happened beside them.
    pub fn explain(mut self, error: Option<&str>, message: &str, remedy: &str) -> Self {
        self.0.explained = Some((String::from(message), String::from(remedy)));
        if let (Some(server), Some(error)) = (&mut self.0.server, error) {
            server.error = Some(String::from(error));
        }
        self
    }

    /// What it means in a frame where the server's cookies may lack: whoever they belong to is not known there.
    pub fn without_cookies(self) -> Self {
        match self.code {
            ErrorCode::LoginRequired | ErrorCode::InteractionRequired if self.server.is_some() => {
                self.becomes(ErrorCode::ThirdPartyCookies)
            }
            _ => self,
        }
    }

    /// The same without these secrets in the server's words.
    pub fn without(mut self, secrets: &[&str]) -> Self {
        if let Some(server) = &mut self.0.server {
            let words = [
                &mut server.error,
                &mut server.error_description,
                &mut server.error_uri,
            ];
            for text in words.into_iter().flatten() {
                *text = without(text, secrets);
            }
        }
        self
    }

    /// The same with what to do about just this.
    pub fn cured_by(mut self, remedy: &'static str) -> Self {
        self.0.cure = Some(remedy);
        self
    }

    /// Adds a member that only some kinds have.
    pub fn and(mut self, name: &str, value: Json) -> Self {
        self.0.more.push((String::from(name), value));
        self
    }

    /// What to do next.
    pub fn remedy(&self) -> &str {
        match &self.explained {
            Some((_, remedy)) => remedy,
            None => self.cure.unwrap_or(self.row.remedy),
        }
    }

    /// What happened: the provider's sentence, or the kind's with the detail.
    pub fn message(&self) -> String {
        if let Some((message, _)) = &self.explained {
            return message.clone();
        }
        let mut text = String::from(self.row.message);
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }

    /// All of it as JSON text: `{name, code, message, remedy, retryable, error?, errorDescription?, errorUri?, status?}`
    /// and what only this kind has.
    pub fn to_json(&self) -> String {
        let mut out = Object::new();
        out.str("name", "OAuthError")
            .str("code", self.row.code)
            .str("message", &self.message())
            .str("remedy", self.remedy())
            .value("retryable", Json::Bool(self.row.retryable));
        if let Some(server) = &self.server {
            out.maybe("error", server.error.as_deref())
                .maybe("errorDescription", server.error_description.as_deref())
                .maybe("errorUri", server.error_uri.as_deref());
            if let Some(status) = server.status {
                out.number("status", status.into());
            }
        }
        for (name, value) in &self.more {
            out.value(name, value.clone());
        }
        out.done().text()
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.row.code)?;
        f.write_str(": ")?;
        f.write_str(&self.message())
    }
}

impl core::error::Error for Error {}

/// A rule that a field breaks; the message never shows the value.
pub fn wrong(field: &str, rule: &str) -> Error {
    let detail = text::concat(&[text::clip(field, 64), ": ", rule]);
    ErrorCode::InvalidConfig.at(&detail)
}

/// A field that does not exist. `path` stands before its name.
pub fn no_such_field(path: &str, name: &str, names: &[&str]) -> Error {
    let mut rule = String::from("there is no such field");
    text::suggest(&mut rule, name, names);
    wrong(&text::concat(&[path, text::shown(name)]), &rule)
}

/// A name that is not among these; the nearest of them is suggested.
#[inline(always)]
pub fn unknown(code: ErrorCode, name: &str, names: &[&str]) -> Error {
    code.at(&nearest(name, names))
}

fn nearest(name: &str, names: &[&str]) -> String {
    let mut detail = String::from(text::shown(name));
    text::suggest(&mut detail, name, names);
    detail
}

/// The server's text with each of our secrets replaced (servers do echo what they refuse), and then cut to a length
/// that is enough for any sentence and too short to fill a log.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    String::from(text::clip(&without(text, secrets), 500))
}

/// The text without the secrets, in its whole length.
pub fn without(text: &str, secrets: &[&str]) -> String {
    let mut text = String::from(text);
    for secret in secrets {
        text = text::replace(&text, secret, "(..)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sentences_have_no_full_stop() {
        for (i, a) in ErrorCode::ALL.iter().enumerate() {
            assert!(!a.message().ends_with('.') && !a.remedy().ends_with('.'));
            for b in ErrorCode::ALL.iter().skip(i + 1) {
                assert_ne!(a.code(), b.code());
            }
        }
    }

    #[test]
    fn what_a_log_prints_is_the_sentence_and_a_failing_network_may_be_tried_again() {
        let error = ErrorCode::InvalidConfig.at("redirectUri: must be https");
        let sentence = "invalid_config: the configuration is not valid: redirectUri: must be https";
        assert_eq!(std::format!("{error}"), sentence);
        assert!(!error.code.retryable() && ErrorCode::NetworkError.retryable());
    }

    #[test]
    fn only_the_servers_own_refusal_can_be_for_want_of_its_cookies() {
        let said = |code: ErrorCode| code.error().with(ServerError::default());
        for code in [ErrorCode::LoginRequired, ErrorCode::InteractionRequired] {
            assert_eq!(
                said(code).without_cookies().code,
                ErrorCode::ThirdPartyCookies
            );
            assert_eq!(code.error().without_cookies().code, code);
        }
        let denied = said(ErrorCode::AccessDenied).without_cookies();
        assert_eq!(denied.code, ErrorCode::AccessDenied);
    }

    #[test]
    fn the_servers_words_are_kept_beside_ours_and_secrets_are_cut_out() {
        let said = ServerError {
            error: Some("invalid_grant".into()),
            error_description: Some(redact("code TG-1 was used; TG-1!", &["TG-1", ""])),
            error_uri: None,
            status: Some(400),
        };
        let error = ErrorCode::TokenRequestRefused.error().with(said);
        assert_eq!(
            error.to_json(),
            r#"{"name":"OAuthError","code":"token_request_refused","message":"the provider refused the token request","remedy":"See error and errorDescription, then call startLogin again","retryable":false,"error":"invalid_grant","errorDescription":"code (..) was used; (..)!","status":400}"#
        );
    }
}
