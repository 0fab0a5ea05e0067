//! Every switch and every fault, with the defaults a test starts from. In JSON the names are in camelCase.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::errors;
use crate::message::{self, Answer};
use crate::{Delayed, Dropped};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    pub applications: Vec<Application>,
    /// The first one consents where a page is skipped.
    pub users: Vec<User>,
    /// Registered redirect URIs of the Mercado Libre applications, compared exactly; `None` accepts any.
    pub redirect_uris: Option<Vec<String>>,

    /// The application's PKCE switch: an authorization request without `code_challenge` is refused.
    pub require_pkce: bool,
    /// The token endpoint demands `client_secret`.
    pub require_client_secret: bool,
    /// `response_type=token` is accepted.
    pub allow_implicit: bool,
    /// Skips the login and consent pages: the user already logged in consents, else the first one.
    pub auto_consent: bool,
    /// Skips the login and consent pages: the user refuses.
    pub auto_deny: bool,
    /// The user is logged in at the provider when a token is made; without it `offline_access` is needed.
    pub active_session: bool,
    /// A user of another country than the host's is refused (seed 002, `forbidden`).
    pub refuse_foreign_site: bool,

    /// Life of an access token in seconds.
    pub expires_in: u64,
    /// Life of an authorization code in seconds.
    pub code_expires_in: u64,
    /// Life of a refresh token in seconds: 6 months.
    pub refresh_token_expires_in: u64,
    /// A refresh token is spent by its use and a new one comes back. Off: it stays valid and none comes back.
    pub rotate_refresh_tokens: bool,
    /// Merged over every successful token response; `null` removes a field.
    pub token_response: Map<String, Value>,

    /// Shape of the implicit grant's fragment.
    pub fragment: FragmentShape,
    /// `state` and `iss` stand in the query although the token stands in the fragment.
    pub implicit_state_in_query: bool,
    /// Added to every authorization response, duplicates and all.
    pub extra_response_parameters: Vec<(String, String)>,
    /// RFC 9207: authorization responses carry `iss`.
    pub send_iss: bool,
    /// Another issuer than this one in `iss`.
    pub lie_about_iss: Option<String>,

    /// `/.well-known/openid-configuration` exists.
    pub serve_openid_configuration: bool,
    /// `/.well-known/oauth-authorization-server` exists.
    pub serve_authorization_server_metadata: bool,
    /// Another issuer than this one in the metadata.
    pub lie_about_issuer: Option<String>,
    /// The metadata lists `code_challenge_methods_supported`.
    pub announce_pkce: bool,
    /// Merged over the metadata; `null` removes a field.
    pub metadata: Map<String, Value>,

    /// Which document's words are used where the two differ.
    pub wording: Wording,
    /// Id of a row of [`crate::documented_errors`] that every token request is answered with.
    pub force_token_error: Option<String>,
    /// Id of a row of [`crate::documented_errors`] that every API request is answered with.
    pub force_api_error: Option<String>,
    /// Token and API requests allowed in one minute of the sandbox's clock; more get 429.
    pub rate_limit: Option<u64>,
    /// The 429 that `rate_limit` gives is JSON, not plain text.
    pub rate_limit_json: bool,
    /// `Retry-After` of every 429 and 420.
    pub retry_after: Option<String>,
    /// 401 and 403 answers of the API say why in `WWW-Authenticate` (RFC 6750 section 3).
    pub www_authenticate: bool,
    /// Everything but the authorization endpoint sends CORS headers.
    pub cors: bool,
    /// Connections serve more than one request. Off by default: browsers silently send a request again when a
    /// connection that was used before is dropped.
    pub keep_alive: bool,

    /// Appfigures: requests per account in one UTC day.
    pub appfigures_daily_limit: u64,
    pub personal_access_tokens: Vec<PersonalAccessToken>,

    /// Looked through in order; the first that matches and has `times` left is used.
    pub faults: Vec<Fault>,
    /// Seconds the clock is wrong by.
    pub clock_offset: i64,
    /// The clock stands here (seconds since 1970), but for what `advance` adds.
    pub frozen_clock: Option<u64>,
    /// Codes and tokens follow from this number instead of the system's randomness.
    pub seed: Option<u64>,
}

/// An application registered with a provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    pub client_id: String,
    pub client_secret: String,
    pub name: String,
    pub provider: Provider,
    /// What the application may ask for, and what it gets when it asks for nothing. Functional permissions (`urn:…`)
    /// come with every grant, asked for or not.
    pub scope: Vec<String>,
    /// The application restricts its tokens to IP ranges, in none of which is a caller here.
    #[serde(default)]
    pub ip_ranges: bool,
    /// The provider has blocked it (`unauthorized_application`).
    #[serde(default)]
    pub blocked: bool,
}

/// A person with an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: u64,
    pub nickname: String,
    pub password: String,
    pub email: String,
    /// `MLA`, `MLB`, …
    pub site: String,
    /// Works for another account: cannot authorize an application (seed 002).
    #[serde(default)]
    pub collaborator: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    MercadoLibre,
    Appfigures,
}

/// What the implicit grant's fragment looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FragmentShape {
    /// All of RFC 6749 section 4.2.2, with `user_id` and `domains`.
    Full,
    /// As the 2012 page shows it: no `token_type`, `scope` or `state`.
    Old,
    /// URL-encoded JSON, in which `state` is a status word.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wording {
    /// Seed 001, the older English page.
    English,
    /// Seed 002, the newer Portuguese page.
    Portuguese,
}

/// An Appfigures token a user made by hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonalAccessToken {
    pub token: String,
    pub user_id: u64,
    pub scope: Vec<String>,
}

/// Something that goes wrong with the next `times` requests whose path starts so.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    pub path_prefix: String,
    /// Any method but OPTIONS when absent.
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default = "once")]
    pub times: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// Processed at once, answered after so many milliseconds.
    Delay(u64),
    /// Processed, then the connection is closed without an answer.
    DropAfterProcessing,
    /// The connection is closed, nothing processed.
    DropBefore,
    /// Not processed: 500 with an HTML body, as gateways give.
    Status500,
    /// Not processed: 200 with an HTML page.
    Html,
    /// Processed; half of the answer's body is left out.
    TruncatedJson,
    /// Processed; the answer's content type is this one.
    WrongContentType(String),
    /// Not processed: this status, no body, no content type.
    Empty(u16),
    /// Not processed: exactly this.
    #[serde(rename_all = "camelCase")]
    Body {
        status: u16,
        content_type: String,
        body: String,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// Not processed: 200 with a JSON object of at least so many bytes.
    TooLarge(usize),
    /// Not processed: the row of [`crate::documented_errors`] with this id.
    Documented(String),
}

impl Default for Settings {
    fn default() -> Settings {
        let mercadolibre = ["offline_access", "read", "write"]
            .map(String::from)
            .to_vec();
        let functional = [
            "urn:global:admin:users:/read-only",
            "urn:ml:mktp:orders-shipments:/read-only",
        ]
        .map(String::from);
        let appfigures = [
            "account:write",
            "public:read",
            "private:read",
            "products:write",
        ]
        .map(String::from)
        .to_vec();
        let user = |id, nickname: &str, email: &str, site: &str, collaborator| User {
            id,
            nickname: nickname.into(),
            password: "sandbox".into(),
            email: email.into(),
            site: site.into(),
            collaborator,
        };
        Settings {
            applications: vec![
                Application {
                    client_id: "1620218256833906".into(),
                    client_secret: "sandbox-secret".into(),
                    name: "Console".into(),
                    provider: Provider::MercadoLibre,
                    scope: mercadolibre.clone(),
                    ip_ranges: false,
                    blocked: false,
                },
                Application {
                    client_id: "appfigures-sandbox".into(),
                    client_secret: "sandbox-secret".into(),
                    name: "Console".into(),
                    provider: Provider::Appfigures,
                    scope: appfigures.clone(),
                    ip_ranges: false,
                    blocked: false,
                },
                Application {
                    client_id: "7164926001833742".into(),
                    client_secret: "sandbox-secret".into(),
                    name: "Orders only".into(),
                    provider: Provider::MercadoLibre,
                    scope: [&mercadolibre[..], &functional].concat(),
                    ip_ranges: false,
                    blocked: false,
                },
            ],
            users: vec![
                user(
                    226384143,
                    "TETE9928972",
                    "test_user_38730994@testuser.com",
                    "MLA",
                    false,
                ),
                user(
                    314029626,
                    "TESTEBR4029",
                    "test_user_40299626@testuser.com",
                    "MLB",
                    false,
                ),
                user(
                    226384144,
                    "TETE-COLABORADOR",
                    "test_user_38730995@testuser.com",
                    "MLA",
                    true,
                ),
            ],
            redirect_uris: None,
            require_pkce: false,
            require_client_secret: false,
            allow_implicit: true,
            auto_consent: false,
            auto_deny: false,
            active_session: true,
            refuse_foreign_site: false,
            expires_in: 21_600,
            code_expires_in: 600,
            refresh_token_expires_in: 180 * 24 * 3600,
            rotate_refresh_tokens: true,
            token_response: Map::new(),
            fragment: FragmentShape::Full,
            implicit_state_in_query: false,
            extra_response_parameters: Vec::new(),
            send_iss: false,
            lie_about_iss: None,
            serve_openid_configuration: true,
            serve_authorization_server_metadata: true,
            lie_about_issuer: None,
            announce_pkce: true,
            metadata: Map::new(),
            wording: Wording::Portuguese,
            force_token_error: None,
            force_api_error: None,
            rate_limit: None,
            rate_limit_json: false,
            retry_after: None,
            www_authenticate: true,
            cors: true,
            keep_alive: false,
            appfigures_daily_limit: 1000,
            personal_access_tokens: vec![PersonalAccessToken {
                token: "pat_sandbox".into(),
                user_id: 226384143,
                scope: appfigures,
            }],
            faults: Vec::new(),
            clock_offset: 0,
            frozen_clock: None,
            seed: None,
        }
    }
}

impl Settings {
    /// These settings with some of them replaced; an unknown name or a wrong value is an error that names it.
    pub fn patched(&self, patch: &Value) -> Result<Settings, String> {
        let Value::Object(patch) = patch else {
            return Err("the body must be a JSON object".into());
        };
        let mut settings = match serde_json::to_value(self) {
            Ok(Value::Object(settings)) => settings,
            _ => return Err("the settings cannot be written as JSON".into()),
        };
        for (name, value) in patch {
            if !settings.contains_key(name) {
                return Err(format!("unknown setting: {name}"));
            }
            settings.insert(name.clone(), value.clone());
            if let Err(error) = serde_json::from_value::<Settings>(Value::Object(settings.clone()))
            {
                return Err(format!("{name}: {error}"));
            }
        }
        serde_json::from_value(Value::Object(settings)).map_err(|error| error.to_string())
    }

    pub fn application(&self, client_id: &str, provider: Provider) -> Option<&Application> {
        self.applications
            .iter()
            .find(|one| one.client_id == client_id && one.provider == provider)
    }

    pub fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }
}

impl Fault {
    /// Once, whatever the method.
    pub fn new(path_prefix: &str, kind: FaultKind) -> Fault {
        Fault {
            path_prefix: path_prefix.into(),
            method: None,
            times: 1,
            kind,
        }
    }

    pub fn times(self, times: usize) -> Fault {
        Fault { times, ..self }
    }

    pub fn method(self, method: &str) -> Fault {
        Fault {
            method: Some(method.into()),
            ..self
        }
    }

    pub(crate) fn is_for(&self, method: &Method, path: &str) -> bool {
        let method_matches = match &self.method {
            Some(wanted) => wanted.eq_ignore_ascii_case(method.as_str()),
            None => method != Method::OPTIONS,
        };
        self.times > 0 && method_matches && path.starts_with(&self.path_prefix)
    }
}

impl FaultKind {
    /// Not processed: exactly this answer.
    pub fn body(
        status: u16,
        content_type: &str,
        body: impl ToString,
        headers: &[(&str, &str)],
    ) -> FaultKind {
        FaultKind::Body {
            status,
            content_type: content_type.into(),
            body: body.to_string(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        }
    }

    /// Not processed: this answer in JSON.
    pub fn json(status: u16, body: impl ToString, headers: &[(&str, &str)]) -> FaultKind {
        FaultKind::body(status, "application/json", body, headers)
    }

    /// The answer of a fault that keeps the request from being processed.
    pub(crate) fn instead_of_processing(&self, settings: &Settings) -> Option<Answer> {
        match self {
            FaultKind::DropBefore => {
                let mut answer = message::answer(502, "", "");
                answer.extensions_mut().insert(Dropped);
                Some(answer)
            }
            FaultKind::Status500 => Some(message::answer(
                500,
                "text/html",
                "<html><body><h1>500 Internal Server Error</h1></body></html>",
            )),
            FaultKind::Html => Some(message::answer(
                200,
                "text/html",
                "<!doctype html><title>Sign in</title><h1>Please sign in</h1>",
            )),
            FaultKind::Empty(status) => Some(message::answer(*status, "", "")),
            FaultKind::Body {
                status,
                content_type,
                body,
                headers,
            } => {
                let answer = message::answer(*status, content_type, body.as_str());
                Some(headers.iter().fold(answer, |answer, (name, value)| {
                    message::with(answer, name, value)
                }))
            }
            FaultKind::TooLarge(bytes) => {
                let body = format!(
                    "{{\"padding\":\"{}\"}}",
                    "x".repeat((*bytes).min(64 * 1024 * 1024))
                );
                Some(message::answer(200, "application/json", body))
            }
            FaultKind::Documented(id) => Some(errors::answer(id, settings)),
            FaultKind::Delay(_)
            | FaultKind::DropAfterProcessing
            | FaultKind::TruncatedJson
            | FaultKind::WrongContentType(_) => None,
        }
    }

    /// What a fault makes of an answer already given.
    pub(crate) fn after_processing(self, mut answer: Answer) -> Answer {
        match self {
            FaultKind::Delay(milliseconds) => {
                answer
                    .extensions_mut()
                    .insert(Delayed(Duration::from_millis(milliseconds)));
            }
            FaultKind::DropAfterProcessing => {
                answer.extensions_mut().insert(Dropped);
            }
            FaultKind::TruncatedJson => {
                let half = answer.body().len() / 2;
                answer.body_mut().truncate(half);
            }
            FaultKind::WrongContentType(content_type) => {
                answer.headers_mut().remove("content-type");
                answer = message::with(answer, "content-type", &content_type);
            }
            _ => {}
        }
        answer
    }
}

fn once() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let settings = Settings {
            require_pkce: true,
            ..Settings::default()
        };
        let patch = json!({ "expiresIn": 5, "faults": [{ "pathPrefix": "/oauth", "kind": { "delay": 10 } }] });
        let patched = settings.patched(&patch).expect("a good patch");
        assert_eq!((patched.expires_in, patched.require_pkce), (5, true));
        assert_eq!(patched.faults.first().map(|fault| fault.times), Some(1));
    }

    #[test]
    fn a_patch_with_an_unknown_name_or_a_wrong_value_says_which() {
        let settings = Settings::default();
        let unknown = settings
            .patched(&json!({ "expiresInn": 5 }))
            .expect_err("an unknown name");
        assert_eq!(unknown, "unknown setting: expiresInn");
        let wrong = settings
            .patched(&json!({ "expiresIn": "soon" }))
            .expect_err("a wrong value");
        assert!(wrong.starts_with("expiresIn:"), "{wrong}");
    }

    #[test]
    fn a_preflight_uses_up_no_fault_unless_the_fault_names_it() {
        let fault = Fault::new("/oauth", FaultKind::Status500);
        assert!(fault.is_for(&Method::POST, "/oauth/token"));
        assert!(!fault.is_for(&Method::OPTIONS, "/oauth/token"));
        assert!(
            fault
                .method("OPTIONS")
                .is_for(&Method::OPTIONS, "/oauth/token")
        );
    }
}
