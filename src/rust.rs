//! Floor 4 for Rust: the functions of the npm package for applications in Yew, Leptos, Dioxus or plain Rust. What they
//! are called with and what they give is documented at the crate's root.

mod change;
mod words;

pub use change::{ChangeKind, ChangeOrigin, SessionChange, Subscription, on_session_change};
pub use words::{CodeChallengeMethod, Keep, ResponseType, SessionState};
pub use words::{Display, SessionScope};

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use gloo_net::http::{Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

use crate::address;
use crate::browser::windows::Window;
use crate::browser::{http, value};
use crate::client::{self, LogoutRequest};
use crate::door::{self, client};
use crate::protocol::config;
use crate::protocol::config::Config;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{Json, Object};
use crate::protocol::provider;
use crate::protocol::resource::OPTIONS;

/// What [`start_login`] is told; `LoginConfig` of the npm package, field by field. What is `None` or empty is
/// not said.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// JSON text of a provider's file of the application's own, in the place of `provider`.
    #[serde(skip)]
    pub provider_file: Option<String>,
    /// `en` (default), `es`, `pt` or another one that the provider's file has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub redirect_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_request: Option<RevocationRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_servers: Option<Vec<String>>,
    /// `Code` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_type: Option<ResponseType>,
    /// `S256` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge_method: Option<CodeChallengeMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// The header that narrows the scope of one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_header: Option<String>,
    /// The header in which the API says how many requests it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_header: Option<String>,
    /// The header in which the API says how many were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_header: Option<String>,
    /// Whether a refresh token whose answer was lost may be sent again: as if it were the first time, or never. By default
    /// once, when the access token is over and nothing else is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_reuse: Option<bool>,
    /// The token endpoint is a relay that keeps the refresh token in a cookie (docs/relay.md).
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub refresh_token_cookie: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// JSON text of the application's own value, kept in this tab.
    #[serde(skip)]
    pub app_state: Option<String>,
    /// Seconds the user may take; 600 unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_max_age: Option<u32>,
    /// Checks the signature of every ID Token by the keys of `jwks_uri`.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub verify_id_token: bool,
    /// Whom an ID Token may be meant for besides this client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_audiences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Binds the tokens to a key that no script can read (RFC 9449).
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub dpop: bool,
    /// Posts the authorization request before the user leaves (RFC 9126).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// For which resources tokens are wanted (RFC 8707).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Vec<String>>,
    /// JSON text of what is asked for in detail (RFC 9396).
    #[serde(skip)]
    pub authorization_details: Option<String>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub iss_required: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub token_type_optional: bool,
    /// Members of the token response that the session shows although their names sound like secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_members: Vec<String>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub json_fragment: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub allow_http: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub allow_framed: bool,
    /// `none`, `login`, `consent`, ..
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// `Page` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    /// Seconds that a login in a popup or a frame may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_timeout: Option<u32>,
    /// `Tab` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_scope: Option<SessionScope>,
    /// Keeps the refresh token for [`restore`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// Seconds that a session is kept without being renewed; thirty days unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_max_age: Option<u32>,
    /// Does without where the browser can keep nothing, instead of failing.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub keep_optional: bool,
    /// Lets the pending login outlive its tab.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub keep_pending: bool,
    /// JSON text of an object with the provider's tables, each as a provider's file has it: `scopes`, `routes`,
    /// `errors`. A field that stands above too counts as it stands there.
    #[serde(skip)]
    pub tables: Option<String>,
}

/// The request by which a provider's API takes a grant back. In braces stand `client_id` and members of the token
/// response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevocationRequest {
    pub method: String,
    pub url: String,
}

/// Any members that a provider may add, none of them looked at.
pub type SomeExtra = BTreeMap<String, serde::de::IgnoredAny>;

/// What is known of a session; it never holds a token. `Extra` is the type of the provider's own members.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Session<Extra = SomeExtra> {
    pub provider: Option<String>,
    pub site: Option<String>,
    /// `None` for an adopted token.
    pub client_id: Option<String>,
    pub scope: Vec<String>,
    /// Milliseconds since 1970 by this device's clock.
    pub expires_at: Option<f64>,
    /// Whether it can be renewed without the user.
    pub renewable: bool,
    pub state: SessionState,
    /// The provider's own members of the token response.
    pub extra: Extra,
    pub return_to: Option<String>,
    /// JSON text of what [`LoginConfig::app_state`] said; `null` where it said nothing.
    #[serde(deserialize_with = "json_text")]
    pub app_state: String,
    pub rate_limit: Option<RateLimit>,
    /// Whether it outlives a reload; `None` where it does not, or could not be kept.
    pub keep: Option<Keep>,
    /// Whether other tabs have it too.
    pub shared: bool,
    /// Who has logged in, where `openid` was in the scope.
    pub claims: Option<Claims>,
}

/// What a provider says of a user (OpenID Connect Core sections 2 and 5.1): text from outside.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Claims {
    /// The provider.
    pub iss: String,
    /// The user, by a name that never changes and is never given to another.
    pub sub: String,
    pub name: Option<String>,
    pub preferred_username: Option<String>,
    pub picture: Option<String>,
    pub email: Option<String>,
}

/// How many requests the provider allows, and how many were made, as it said last.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct RateLimit {
    pub limit: Option<f64>,
    pub usage: Option<f64>,
}

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// By the library's own judgement.
    OAuth(Error),
    /// What the browser's `fetch` threw, or a callback.
    JavaScript(JsValue),
}

impl Failure {
    /// The kind of failure, where it is one of the library's.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::OAuth(error) => Some(error.code),
            Self::JavaScript(_) => None,
        }
    }
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OAuth(error) => error.fmt(f),
            Self::JavaScript(reason) => write!(f, "{reason:?}"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<client::Failure<JsValue>> for Failure {
    fn from(failure: client::Failure<JsValue>) -> Self {
        match failure {
            client::Failure::OAuth(error) => Self::OAuth(error),
            client::Failure::Native(reason) => Self::JavaScript(reason),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::OAuth(error)
    }
}

impl From<gloo_net::Error> for Failure {
    fn from(error: gloo_net::Error) -> Self {
        Self::JavaScript(js_sys::Error::new(&alloc::string::ToString::to_string(&error)).into())
    }
}

/// Sends the user to the provider. A login in a popup or a frame (`display`) gives its session; its popup has to be opened
/// while a click is handled, which is when this future is first polled.
pub async fn start_login(config: &LoginConfig) -> Result<Option<Session>, Failure> {
    let config = read(config)?;
    let popup = match config.display() {
        config::Display::Popup => Window::popup(),
        _ => None,
    };
    described(door::start_login(config, None, popup).await?)
}

/// Gives a session back without the user: one that another tab shares, or one that was kept. See `restore` of the npm
/// package.
pub async fn restore(client_id: Option<&str>) -> Result<Option<Session>, Failure> {
    restore_with(client_id).await
}

/// [`restore`] with a type for the provider's own members.
pub async fn restore_with<Extra: DeserializeOwned>(
    client_id: Option<&str>,
) -> Result<Option<Session<Extra>>, Failure> {
    let client_id = String::from(client_id.unwrap_or(""));
    described(client().restore(client_id).await)
}

/// Gives the URL to `navigate` instead of leaving the page; a promise it returns is waited for.
pub async fn start_login_with(
    config: &LoginConfig,
    navigate: js_sys::Function,
) -> Result<(), Failure> {
    door::start_login(read(config)?, Some(navigate.into()), None).await?;
    Ok(())
}

/// Takes a token that the user has already, for the resource servers of the configuration.
pub fn adopt_token<Extra: DeserializeOwned>(
    token: String,
    config: &LoginConfig,
) -> Result<Option<Session<Extra>>, Failure> {
    described(Some(client().adopt(token, read(config)?)?))
}

/// The least scope for these calls, each a method and a URL, by the routes of the configuration's provider, or without
/// one of the session that the first of them belongs to.
pub fn scopes_for(
    calls: &[(&str, &str)],
    config: Option<&LoginConfig>,
) -> Result<Vec<String>, Failure> {
    let mut list = Vec::new();
    for (method, url) in calls {
        list.push(Object::new().str("method", method).str("url", url).done());
    }
    let calls = Json::Array(list).text();
    let scope = match config {
        Some(config) => read(config)?.scope_for(&calls)?,
        None => client().scope_for(&calls, "")?,
    };
    Ok(Json::parse(scope.as_bytes()).map_or(Vec::new(), |scope| scope.texts()))
}

/// Answers the redirect that brought the user back; `None` on every other page. Without a URL the page's own
/// address is taken, and is clean when this future is first polled.
pub async fn handle_redirect(url: Option<&str>) -> Result<Option<Session>, Failure> {
    handle_redirect_with(url).await
}

/// [`handle_redirect`] with a type for the provider's own members.
pub async fn handle_redirect_with<Extra: DeserializeOwned>(
    url: Option<&str>,
) -> Result<Option<Session<Extra>>, Failure> {
    let href = match url {
        Some(url) => String::from(url),
        None => address::take_address(),
    };
    described(client().handle_redirect(&href, url.is_none()).await?)
}

/// `fetch` with the token of the session whose resource server the URL belongs to; see `fetchPrivate` of the npm
/// package. Safe methods are sent again after a renewal.
pub async fn fetch_private(request: Request) -> Result<Response, Failure> {
    fetch(request, JsValue::UNDEFINED).await
}

/// What a private request may say besides; `PrivateRequestInit` of the npm package.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FetchOptions {
    /// The caller's word that sending it twice does no harm.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub idempotent: bool,
    /// Narrows the call to these scopes, where the provider has a header for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// Seconds to wait in all while the server asks to slow down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wait: Option<u32>,
}

/// [`fetch_private`] with more to say.
pub async fn fetch_private_with(
    request: Request,
    options: &FetchOptions,
) -> Result<Response, Failure> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    fetch(request, options.serialize(&plain).map_err(javascript)?).await
}

/// The response, or what its refusal means by what the session knows of the provider: the error that `explain` of the
/// npm package gives.
///
/// ```no_run
/// # async fn page(request: gloo_net::http::Request) -> Result<(), oauth_wasm::Failure> {
/// use oauth_wasm::{explained, fetch_private};
/// let user = explained(fetch_private(request).await?).await?.text().await?;
/// # Ok(()) }
/// ```
pub async fn explained(response: Response) -> Result<Response, Failure> {
    let native: web_sys::Response = response.into();
    let found = http::inspect(&native).await;
    let (answer, body) = found.map_err(Failure::JavaScript)?;
    match client().explain(&answer, &body) {
        Some(error) => Err(error.into()),
        None => Ok(native.into()),
    }
}

/// What the provider says of the user of the newest session, and what only the ID Token says: [`Claims`], or a type of
/// the application's own.
pub async fn userinfo<T: DeserializeOwned>() -> Result<T, Failure> {
    let text = client().userinfo().await?;
    serde_wasm_bindgen::from_value(value::from_json(&text)).map_err(javascript)
}

/// What is known of the newest session.
pub fn session<Extra: DeserializeOwned>() -> Result<Option<Session<Extra>>, Failure> {
    described(client().describe_session())
}

/// Forgets every session and overwrites its tokens. With `revoke` the providers are told to forget them too.
pub async fn logout(revoke: bool) -> Result<(), Failure> {
    leave(revoke, None, None).await
}

/// [`logout`], and the user is sent to the provider to be logged out there too, and from there back to
/// `post_logout_redirect_uri` unless it is empty.
pub async fn end_session(revoke: bool, post_logout_redirect_uri: &str) -> Result<(), Failure> {
    leave(revoke, Some(post_logout_redirect_uri), None).await
}

/// [`end_session`] that gives the URL to `navigate` instead of leaving the page; a promise it returns is waited for.
pub async fn end_session_with(
    revoke: bool,
    post_logout_redirect_uri: &str,
    navigate: js_sys::Function,
) -> Result<(), Failure> {
    let navigate = Some(navigate.into());
    leave(revoke, Some(post_logout_redirect_uri), navigate).await
}

async fn leave(revoke: bool, back: Option<&str>, navigate: Option<JsValue>) -> Result<(), Failure> {
    let wanted = LogoutRequest {
        revoke,
        end_session: back.map(String::from),
        navigate,
    };
    Ok(client().logout(wanted).await?)
}

async fn fetch(request: Request, init: JsValue) -> Result<Response, Failure> {
    let request: web_sys::Request = request.into();
    let request = http::Request::new(&request, &init, OPTIONS).map_err(Failure::JavaScript)?;
    let response = client().fetch_private(request).await?;
    Ok(response.unchecked_into::<web_sys::Response>().into())
}

fn read(config: &LoginConfig) -> Result<Config, Failure> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    let value = config.serialize(&plain).map_err(javascript)?;
    let mut json = Json::parse(value::to_json(&value).as_bytes()).unwrap_or(Json::Null);
    if let Some(app_state) = &config.app_state {
        let value = Json::parse_own(app_state.as_bytes())
            .ok_or_else(|| ErrorCode::InvalidConfig.at("appState: must be JSON"))?;
        json.fill(Json::Object(alloc::vec![("appState".into(), value)]));
    }
    if let Some(details) = &config.authorization_details {
        let value = Json::parse(details.as_bytes())
            .ok_or_else(|| ErrorCode::InvalidConfig.at("authorizationDetails: must be JSON"))?;
        json.fill(Json::Object(alloc::vec![(
            "authorizationDetails".into(),
            value
        )]));
    }
    if let Some(file) = &config.provider_file {
        let value = Json::parse(file.as_bytes())
            .ok_or_else(|| ErrorCode::InvalidConfig.at("provider: must be JSON"))?;
        json.fill(Json::Object(alloc::vec![("provider".into(), value)]));
    }
    if let Some(tables) = &config.tables {
        match Json::parse(tables.as_bytes()) {
            Some(tables @ Json::Object(_)) => json.fill(tables),
            _ => {
                return Err(ErrorCode::InvalidConfig
                    .at("tables: must be a JSON object")
                    .into());
            }
        }
    }
    let config = Config::read(json)?;
    let found = provider::find(config.provider());
    Ok(config.complete(found)?)
}

fn described<Extra: DeserializeOwned>(
    session: Option<String>,
) -> Result<Option<Session<Extra>>, Failure> {
    let Some(text) = session else {
        return Ok(None);
    };
    let session = serde_wasm_bindgen::from_value(value::from_json(&text)).map_err(javascript)?;
    Ok(Some(session))
}

/// The JSON text of any member.
fn json_text<'de, D: serde::Deserializer<'de>>(member: D) -> Result<String, D::Error> {
    let value: JsValue = serde_wasm_bindgen::preserve::deserialize(member)?;
    Ok(value::to_json(&value))
}

fn javascript(error: serde_wasm_bindgen::Error) -> Failure {
    Failure::JavaScript(error.into())
}
