//! The configuration of a login: read once, checked once, then never doubted again.

#[cfg(feature = "full")]
mod full;

#[cfg(feature = "full")]
pub use full::check_details;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode, ServerError, wrong};
use super::json::{Json, Members};
use super::pkce::CodeChallengeMethod;
use super::{Seconds, form, provider, refusal, resource, scope, text, url};

const PENDING_MAX_AGE: Seconds = 600;
/// Thirty days.
#[cfg(feature = "full")]
const KEEP_MAX_AGE: Seconds = 30 * 86_400;
#[cfg(feature = "full")]
const FRAME_TIMEOUT: Seconds = 10;

/// Parameters of the authorization request that only the library sets.
pub const PROTOCOL_PARAMETERS: &[&str] = &[
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "client_secret",
    #[cfg(feature = "full")]
    "nonce",
    #[cfg(feature = "full")]
    "dpop_jkt",
];

/// The name of a field and what may stand there.
type Field = (&'static str, Kind);

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    /// A list of scopes, or one text with spaces.
    Scope,
    Flag,
    Number,
    /// An object whose members are texts.
    TextMembers,
    /// An object with these fields.
    Object(&'static [&'static [Field]]),
    /// A list of such objects.
    Items(&'static [&'static [Field]]),
    /// An object whose members are such objects.
    Named(&'static [&'static [Field]]),
    /// The name of a provider, or what its file says.
    Provider,
    Any,
    /// What is no data; the boundary keeps it back.
    Function,
    /// What no page can keep.
    Secret,
}

/// What a caller can say to `startLogin`, as documented in `types.d.ts`. A provider's file (`providers/*.json`) says
/// the same things in advance.
const FIELDS: &[Field] = &[
    ("provider", Kind::Provider),
    ("site", Kind::Text),
    ("language", Kind::Text),
    ("clientId", Kind::Text),
    ("redirectUri", Kind::Text),
    ("issuer", Kind::Text),
    ("issRequired", Kind::Flag),
    ("authorizationEndpoint", Kind::Text),
    ("tokenEndpoint", Kind::Text),
    ("revocationEndpoint", Kind::Text),
    ("revocationRequest", Kind::Object(&[REQUEST])),
    ("endSessionEndpoint", Kind::Text),
    ("resourceServers", Kind::Texts),
    ("responseType", Kind::Text),
    ("codeChallengeMethod", Kind::Text),
    ("scope", Kind::Scope),
    ("scopes", Kind::Named(&[SCOPE])),
    ("scopeHeader", Kind::Text),
    ("routes", Kind::Items(&[ROUTE])),
    ("errors", Kind::Items(&[ERROR])),
    ("limitHeader", Kind::Text),
    ("usageHeader", Kind::Text),
    ("authorizationParameters", Kind::TextMembers),
    ("returnTo", Kind::Text),
    ("appState", Kind::Any),
    ("pendingMaxAge", Kind::Number),
    ("refreshTokenReuse", Kind::Flag),
    ("tokenTypeOptional", Kind::Flag),
    ("jsonFragment", Kind::Flag),
    ("allowHttp", Kind::Flag),
    ("allowFramed", Kind::Flag),
    ("prompt", Kind::Text),
    ("navigate", Kind::Function),
    ("clientSecret", Kind::Secret),
    ("client_secret", Kind::Secret),
];

const REQUEST: &[Field] = &[("method", Kind::Text), ("url", Kind::Text)];
/// Fields of the full build. The small one knows their names, to say where they are to be had.
macro_rules! full_fields {
    ($($name:literal $kind:expr,)*) => {
        #[cfg(feature = "full")]
        const FULL: &[Field] = &[$(($name, $kind)),*];
        #[cfg(not(feature = "full"))]
        const FULL: &str = concat!(" ", $($name, " "),*);
    };
}

full_fields! {
    "sessionScope" Kind::Text,
    "keep" Kind::Text,
    "keepMaxAge" Kind::Number,
    "keepOptional" Kind::Flag,
    "keepPending" Kind::Flag,
    "display" Kind::Text,
    "signal" Kind::Any,
    "displayTimeout" Kind::Number,
    "verifyIdToken" Kind::Flag,
    "jwksUri" Kind::Text,
    "userinfoEndpoint" Kind::Text,
    "dpop" Kind::Flag,
    "pushedAuthorizationRequest" Kind::Flag,
    "pushedAuthorizationRequestEndpoint" Kind::Text,
    "resource" Kind::Any,
    "authorizationDetails" Kind::Any,
}

#[cfg(feature = "full")]
const WRONG_RESPONSE_TYPE: &str = "must be code, token or id_token token";
#[cfg(not(feature = "full"))]
const WRONG_RESPONSE_TYPE: &str = "must be code or token";

const SCOPE: &[Field] = &[("implies", Kind::Texts), ("about", Kind::Any)];

const ROUTE: &[Field] = &[
    ("path", Kind::Text),
    ("holding", Kind::Text),
    ("read", Kind::Text),
    ("write", Kind::Text),
];

const ERROR: &[Field] = &[
    ("error", Kind::Text),
    ("also", Kind::Texts),
    ("status", Kind::Number),
    ("says", Kind::Text),
    ("message", Kind::Any),
    ("remedy", Kind::Any),
];

/// A provider's file has these as well; `about` is for people.
const PROVIDER: &[Field] = &[
    ("name", Kind::Text),
    ("about", Kind::Any),
    ("sites", Kind::Named(OF_SITE)),
];

const SITE: &[Field] = &[("about", Kind::Any)];
/// What may stand where; in the full build its own fields as well.
macro_rules! tables {
    ($($name:ident $($more:ident)*,)*) => {
        $(
            #[cfg(feature = "full")]
            const $name: &[&[Field]] = &[FIELDS, FULL $(, $more)*];
            #[cfg(not(feature = "full"))]
            const $name: &[&[Field]] = &[FIELDS $(, $more)*];
        )*
    };
}

tables! {
    OF_LOGIN,
    OF_PROVIDER PROVIDER,
    OF_SITE SITE,
}

/// A configuration whose fields are known and of the right kind; nothing else is checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Json);

impl Config {
    /// Reads a configuration as JSON text, as a page gives it.
    pub fn parse(text: &str) -> Result<Config, Error> {
        match Json::parse(text.as_bytes()) {
            Some(json) => Config::read(json),
            None => Err(ErrorCode::InvalidConfig
                .at("the configuration must be plain data, no object with more than 256 members")),
        }
    }

    /// Reads a configuration object. An unknown field is an error that names it, and the nearest that is known.
    pub fn read(json: Json) -> Result<Config, Error> {
        let Json::Object(members) = &json else {
            return Err(ErrorCode::InvalidConfig.at("the configuration must be an object"));
        };
        check_fields("", members, OF_LOGIN)?;
        Ok(Config(json))
    }

    /// The provider that the caller names.
    pub fn provider(&self) -> Option<&str> {
        self.0.str("provider")
    }

    /// Fills what the caller left out from the provider's file, which is the caller's own or `found`: what there is
    /// under the name that the caller says (the file, or a list of the names that there are).
    pub fn complete(mut self, found: Json) -> Result<Config, Error> {
        if let Some(mut file) = provider::choose(&mut self.0, found)? {
            if let Json::Object(members) = &file {
                check_fields("provider.", members, OF_PROVIDER)?;
            }
            let site = provider::site(&mut self.0, &mut file)?;
            if let Json::Object(members) = &site {
                check_fields("site.", members, OF_PROVIDER)?;
            }
            self.0.fill(site);
            self.0.fill(file);
        }
        provider::distil(&mut self.0);
        Ok(self)
    }

    /// How the login is to be shown.
    #[cfg(feature = "full")]
    pub fn display(&self) -> Display {
        Display::read(self.0.str("display"))
    }

    /// Whether the login will use S256, unless the caller says otherwise.
    pub fn is_s256(&self) -> bool {
        self.0.str("codeChallengeMethod") != Some("plain")
    }

    /// The issuer whose metadata has to be asked for the endpoints (RFC 8414).
    pub fn undiscovered(&self) -> Result<Option<&str>, Error> {
        let issuer = self.0.str("issuer");
        if let Some(issuer) = issuer
            && self.0.get("authorizationEndpoint").is_none()
        {
            url::check("issuer", issuer, false)?;
            return Ok(Some(issuer));
        }
        Ok(None)
    }

    /// Fills what the caller left out from what the metadata said.
    pub fn discovered(&mut self, metadata: Json) -> Result<(), Error> {
        if let Json::Object(members) = &metadata {
            let checked = check_fields("", members, OF_LOGIN).and_then(|()| {
                let mut endpoints = members.iter();
                endpoints.try_for_each(|(name, value)| match value {
                    Json::String(endpoint) => url::check(name, endpoint, false).map(drop),
                    _ => Ok(()),
                })
            });
            checked.map_err(|error| error.becomes(ErrorCode::InvalidMetadata))?;
        }
        self.0.fill(metadata);
        Ok(())
    }

    /// Checks everything that a login needs. `origin` is the page's own, for `returnTo`.
    pub fn resolve(self, origin: &str) -> Result<Rc<Login>, Error> {
        if let Some(detail) = self.0.str(provider::NO_SITE)
            && self.0.get("authorizationEndpoint").is_none()
        {
            return Err(ErrorCode::UnknownSite.at(detail));
        }
        let login = self.settle()?;
        let config = &login.config;
        required(config, "clientId")?;
        check_redirect_uri(required(config, "redirectUri")?, config.flag("allowHttp"))?;
        let field = "authorizationEndpoint";
        check_endpoint(field, required(config, field)?)?;
        if login.response_type == ResponseType::Code {
            required(config, "tokenEndpoint")?;
        }
        #[cfg(feature = "full")]
        Config::check_login(&login)?;
        if let Some(return_to) = config.str("returnTo") {
            url::check_return_to(return_to, origin)?;
        }
        Ok(Rc::new(login))
    }

    /// Checks what a token that the user has already needs: somewhere to go.
    pub fn adopt(self) -> Result<Rc<Login>, Error> {
        let login = self.settle()?;
        if login.resource_servers.is_empty() {
            return Err(wrong("resourceServers", "is missing"));
        }
        Ok(Rc::new(login))
    }

    /// The least scope for these calls, a list of `{method, url}` objects.
    pub fn scope_for(self, calls: &Json) -> Result<Vec<String>, Error> {
        self.adopt()?.scope_for(calls)
    }

    /// Checks each field that is there.
    fn settle(self) -> Result<Login, Error> {
        let mut config = self.0;
        config.take(provider::NO_SITE);
        let response_type = match config.str("responseType") {
            None | Some("code") => ResponseType::Code,
            Some("token") => ResponseType::Token,
            #[cfg(feature = "full")]
            Some("id_token token") => ResponseType::IdTokenToken,
            Some(_) => return Err(wrong("responseType", WRONG_RESPONSE_TYPE)),
        };
        let code_challenge_method = match config.str("codeChallengeMethod") {
            None | Some("S256") => CodeChallengeMethod::S256,
            Some("plain") => CodeChallengeMethod::Plain,
            Some(_) => return Err(wrong("codeChallengeMethod", "must be S256 or plain")),
        };
        for field in ["tokenEndpoint", "revocationEndpoint", "endSessionEndpoint"] {
            if let Some(endpoint) = config.str(field) {
                check_endpoint(field, endpoint)?;
            }
        }
        #[cfg(feature = "full")]
        check_full(&config)?;
        #[cfg(feature = "full")]
        full::check(&config)?;
        if config.flag("issRequired") && config.get("issuer").is_none() {
            return Err(wrong("issRequired", "needs an issuer to compare with"));
        }
        for field in ["scopeHeader", "limitHeader", "usageHeader"] {
            if let Some(name) = config.str(field) {
                resource::check_header_name(field, name)?;
            }
        }
        let resource_servers = config
            .get("resourceServers")
            .map_or(Vec::new(), Json::texts);
        for server in &resource_servers {
            resource::check_server(server)?;
        }
        if let Some(Json::Object(members)) = config.get("authorizationParameters")
            && let Some(name) = protocol_parameter(members)
        {
            let field = text::concat(&["authorizationParameters.", name]);
            return Err(wrong(&field, "is the library's own to set"));
        }
        let scope = match config.get("scope") {
            Some(value) => scope::read(value)?,
            None => Vec::new(),
        };
        let scopes = config.get("scopes");
        scope::check(scopes, &scope)?;
        let scope = scope::reduce(scopes, scope);
        check_table(scopes, config.get("routes"))?;
        Ok(Login {
            config,
            response_type,
            code_challenge_method,
            resource_servers,
            scope,
        })
    }
}

/// Where a session is kept, besides the memory of its page.
#[cfg(feature = "full")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nowhere.
    No,
    /// Until the tab is closed.
    Tab,
    /// Until it ends, in this browser.
    Device,
}

#[cfg(feature = "full")]
impl Keep {
    /// Reads what [`as_str`](Keep::as_str) gave, or a configuration; absent means nowhere.
    pub fn read(text: Option<&str>) -> Option<Keep> {
        match text {
            None | Some("no") => Some(Keep::No),
            Some("tab") => Some(Keep::Tab),
            Some("device") => Some(Keep::Device),
            Some(_) => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        self.said().unwrap_or("no")
    }

    /// As a session says it.
    pub fn said(self) -> Option<&'static str> {
        match self {
            Keep::No => None,
            Keep::Tab => Some("tab"),
            Keep::Device => Some("device"),
        }
    }
}

/// How a login is shown.
#[cfg(feature = "full")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// The page leaves for it.
    Page,
    Popup,
    /// In a frame that nobody sees.
    Frame,
}

#[cfg(feature = "full")]
impl Display {
    fn read(text: Option<&str>) -> Display {
        match text {
            Some("popup") => Display::Popup,
            Some("iframe") => Display::Frame,
            _ => Display::Page,
        }
    }
}

/// `response_type` (RFC 6749 section 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    Code,
    /// The implicit grant: only when asked for by name (RFC 9700 section 2.1.2).
    Token,
    /// The same with an ID Token (OpenID Connect Core section 3.2).
    #[cfg(feature = "full")]
    IdTokenToken,
}

/// A client at one authorization server and what it asks for, with everything checked.
/// Only [`Config::resolve`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    config: Json,
    response_type: ResponseType,
    code_challenge_method: CodeChallengeMethod,
    resource_servers: Vec<String>,
    scope: Vec<String>,
}

impl Login {
    fn text(&self, field: &str) -> &str {
        self.config.str(field).unwrap_or("")
    }

    pub fn provider(&self) -> Option<&str> {
        self.config.str("provider")
    }

    pub fn site(&self) -> Option<&str> {
        self.config.str("site")
    }

    pub fn client_id(&self) -> &str {
        self.text("clientId")
    }

    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    pub fn issuer(&self) -> Option<&str> {
        self.config.str("issuer")
    }

    pub fn authorization_endpoint(&self) -> &str {
        self.text("authorizationEndpoint")
    }

    /// Empty where the implicit grant needs none.
    pub fn token_endpoint(&self) -> &str {
        self.text("tokenEndpoint")
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

    /// The scopes that the provider has, with what each implies; `None` where nobody said.
    pub fn scopes(&self) -> Option<&Json> {
        self.config.get("scopes")
    }

    /// The header that narrows the scope of one call.
    pub fn scope_header(&self) -> Option<&str> {
        self.config.str("scopeHeader")
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
        resource::need(self.config.get("routes")?, method, path, held)
    }

    /// The least scope for these calls; an address that belongs to no resource server is an error.
    pub fn scope_for(&self, calls: &Json) -> Result<Vec<String>, Error> {
        let mut scope = Vec::new();
        if let Json::Array(calls) = calls {
            for call in calls {
                let url = call.str("url").unwrap_or("");
                let covers = |server: &String| resource::covers(server, url).is_some();
                if !self.resource_servers.iter().any(covers) {
                    return Err(resource::undeclared(url, self.resource_servers.iter()));
                }
                if let Some(need) = self.need(call.str("method").unwrap_or("GET"), url, &[]) {
                    scope.append(&mut need.scope());
                }
            }
        }
        Ok(scope::reduce(self.scopes(), scope))
    }

    /// The headers in which the provider says how many requests it allows, and how many were made.
    pub fn limit_headers(&self) -> (&str, &str) {
        (self.text("limitHeader"), self.text("usageHeader"))
    }

    /// The error with the provider's own words for it, where its table has them.
    pub fn explained(&self, error: Error) -> Error {
        refusal::explained(self.config.get("errors"), error)
    }

    /// The library's own error with what the provider's table adds to it.
    pub fn advised(&self, error: Error) -> Error {
        refusal::advised(self.config.get("errors"), error)
    }

    /// Whether the provider's table has words for just this, and not only for its status.
    pub fn has_words_for(&self, server: &ServerError) -> bool {
        let row = refusal::row(self.config.get("errors"), server);
        row.is_some_and(|row| row.get("error").or(row.get("says")).is_some())
    }

    /// Where a token is given up (RFC 7009).
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.config.str("revocationEndpoint")
    }

    /// The request by which the provider's API takes the user's grant back: `method` and `url`.
    pub fn revocation_request(&self) -> Option<&Json> {
        self.config.get("revocationRequest")
    }

    /// Whether a refresh token may be sent a second time as if it were the first.
    pub fn refresh_token_reuse(&self) -> bool {
        self.config.flag("refreshTokenReuse")
    }

    /// Whether a refresh token whose answer was lost may be sent once more, when the access token is over.
    pub fn may_resend_refresh_token(&self) -> bool {
        self.config.get("refreshTokenReuse") != Some(&Json::Bool(false))
    }

    /// Where the user is logged out of the provider (OpenID Connect RP-Initiated Logout 1.0).
    pub fn end_session_endpoint(&self) -> Option<&str> {
        self.config.str("endSessionEndpoint")
    }

    /// Whether a response must name its issuer (RFC 9207 section 2.4).
    pub fn iss_required(&self) -> bool {
        self.config.flag("issRequired")
    }

    /// Whether the fragment may be a JSON text.
    pub fn json_fragment(&self) -> bool {
        self.config.flag("jsonFragment")
    }

    pub fn token_type_optional(&self) -> bool {
        self.config.flag("tokenTypeOptional")
    }

    /// A path of this origin to come back to.
    pub fn return_to(&self) -> Option<&str> {
        self.config.str("returnTo")
    }

    /// `prompt` (OpenID Connect Core section 3.1.2.1).
    pub fn prompt(&self) -> Option<&str> {
        #[cfg(feature = "full")]
        if self.display() == Display::Frame {
            return Some("none");
        }
        self.config.str("prompt")
    }

    /// Whether a response may be answered in a foreign page's frame.
    pub fn allow_framed(&self) -> bool {
        self.config.flag("allowFramed")
    }

    /// The application's own value.
    pub fn app_state(&self) -> Option<&Json> {
        self.config.get("appState")
    }

    /// Seconds the login may stay unanswered.
    pub fn max_age(&self) -> Seconds {
        let said = self.config.get("pendingMaxAge").and_then(Json::as_u32);
        said.unwrap_or(PENDING_MAX_AGE)
    }

    /// More parameters of the authorization request.
    pub fn authorization_parameters(&self) -> &[(String, Json)] {
        match self.config.get("authorizationParameters") {
            Some(Json::Object(members)) => members,
            _ => &[],
        }
    }

    /// Whether a session of `other` is one of this client at the same server, or would be used in its place.
    pub fn is_same_client(&self, other: &Login) -> bool {
        let share = |server| other.resource_servers.contains(server);
        let endpoint = self.authorization_endpoint();
        let same_endpoint = !endpoint.is_empty() && endpoint == other.authorization_endpoint();
        self.client_id() == other.client_id()
            && (same_endpoint || self.resource_servers.iter().any(share))
    }

    /// The configuration that makes it again, for the stored record.
    pub fn to_json(&self) -> Json {
        self.config.clone()
    }
}

#[cfg(feature = "full")]
impl Login {
    /// Where the session is to be kept.
    pub fn keep(&self) -> Keep {
        Keep::read(self.config.str("keep")).unwrap_or(Keep::No)
    }

    /// Seconds that a session is kept without being renewed.
    pub fn keep_max_age(&self) -> Seconds {
        let said = self.config.get("keepMaxAge").and_then(Json::as_u32);
        said.unwrap_or(KEEP_MAX_AGE)
    }

    /// Whether a browser that cannot keep or share a session may do without.
    pub fn is_keep_optional(&self) -> bool {
        self.config.flag("keepOptional")
    }

    /// Whether the pending login has to outlive its tab.
    pub fn keep_pending(&self) -> bool {
        self.config.flag("keepPending")
    }

    /// Whether the tabs of the origin share the session.
    pub fn is_shared(&self) -> bool {
        self.config.str("sessionScope") == Some("origin")
    }

    pub fn display(&self) -> Display {
        Display::read(self.config.str("display"))
    }

    /// Seconds that a login in a popup or a frame may take.
    pub fn display_timeout(&self) -> Seconds {
        let said = self.config.get("displayTimeout").and_then(Json::as_u32);
        said.unwrap_or(match self.display() {
            Display::Frame => FRAME_TIMEOUT,
            _ => self.max_age(),
        })
    }

    /// Whether the authorization server is surely of the page's own site, so that its cookies come along in a frame. A
    /// site is more than an origin and less than browsers let on, so this says no where it cannot know.
    pub fn is_same_site(&self, origin: &str) -> bool {
        let host = |url| url::Url::split(url).map_or("", |url| url.host());
        let (page, server) = (host(origin), host(self.authorization_endpoint()));
        let below = |long: &str, short: &str| {
            let rest = long.strip_suffix(short);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("."))
        };
        below(page, server) || below(server, page) || {
            let parent = |host| text::cut(host, ".").map_or("", |(_, parent)| parent);
            let parent = (parent(page), parent(server));
            // What begins as shortly as `co.uk` and `com.ar` may have many owners.
            let owner = text::cut(parent.0, ".").map_or("", |(owner, _)| owner);
            parent.0 == parent.1 && owner.len() > 3
        }
    }
}

#[cfg(feature = "full")]
fn check_full(config: &Json) -> Result<(), Error> {
    if Keep::read(config.str("keep")).is_none() || config.str("keep") == Some("no") {
        return Err(wrong("keep", "must be tab or device"));
    }
    if !matches!(config.str("sessionScope"), None | Some("tab" | "origin")) {
        return Err(wrong("sessionScope", "must be tab or origin"));
    }
    if !matches!(
        config.str("display"),
        None | Some("page" | "popup" | "iframe")
    ) {
        return Err(wrong("display", "must be page, popup or iframe"));
    }
    Ok(())
}

/// Reads a list of calls, `{method, url}` objects, as the boundary gives it.
pub fn read_calls(text: &str) -> Result<Json, Error> {
    match Json::parse(text.as_bytes()) {
        Some(calls) => check_kind("calls", Kind::Items(&[REQUEST]), &calls).map(|()| calls),
        None => Err(wrong("calls", "must be a list of addresses and requests")),
    }
}

/// Checks that the scopes which the provider's tables name are among its own, and that each route has a path.
fn check_table(scopes: Option<&Json>, routes: Option<&Json>) -> Result<(), Error> {
    if let Some(Json::Object(scopes_of)) = scopes {
        for (_, scope) in scopes_of {
            scope::check(
                scopes,
                &scope.get("implies").map_or(Vec::new(), Json::texts),
            )?;
        }
    }
    if let Some(Json::Array(routes)) = routes {
        for route in routes {
            if !route.str("path").unwrap_or("").starts_with("/") {
                return Err(wrong("routes.path", "must begin with a slash"));
            }
            if let Some(kind) = route.str("holding") {
                scope::check_kind(scopes, kind)?;
            }
            for kind in ["read", "write"] {
                scope::check(scopes, &scope::split(route.str(kind).unwrap_or("")))?;
            }
        }
    }
    Ok(())
}

/// Checks that each member is one of the fields and of its kind. `path` stands before the names in an error.
fn check_fields(path: &str, members: &Members, tables: &[&[Field]]) -> Result<(), Error> {
    for (name, value) in members {
        let field = text::concat(&[path, text::shown(name)]);
        let mut known = Vec::new();
        let mut found = None;
        for (one, kind) in tables.iter().copied().flatten() {
            if one == name {
                found = Some(*kind);
            }
            if !matches!(kind, Kind::Secret) {
                known.push(*one);
            }
        }
        match found {
            Some(_) if *value == Json::Null => {}
            Some(kind) => check_kind(&field, kind, value)?,
            #[cfg(not(feature = "full"))]
            None if text::contains(FULL, &text::concat(&[" ", name, " "])) => {
                return Err(ErrorCode::NeedsFull.at(&field));
            }
            None => {
                let mut rule = String::from("there is no such field");
                text::suggest(&mut rule, name, &known);
                return Err(wrong(&field, &rule));
            }
        }
    }
    Ok(())
}

fn check_kind(field: &str, kind: Kind, value: &Json) -> Result<(), Error> {
    let all_texts = |items: &[Json]| items.iter().all(|item| item.as_str().is_some());
    let rule = match (kind, value) {
        (Kind::Secret, _) => return Err(ErrorCode::ClientSecretRefused.at(field)),
        (Kind::Any, _)
        | (Kind::Provider, Json::Object(_))
        | (Kind::Text | Kind::Provider, Json::String(_))
        | (Kind::Flag, Json::Bool(_)) => return Ok(()),
        (Kind::Scope, value) => return scope::read(value).map(|_| ()),
        (Kind::Texts, Json::Array(items)) if all_texts(items) => return Ok(()),
        (Kind::Number, value) if value.as_u32().is_some() => return Ok(()),
        (Kind::TextMembers, Json::Object(members))
            if members.iter().all(|(_, value)| value.as_str().is_some()) =>
        {
            return Ok(());
        }
        (Kind::Object(tables), Json::Object(members)) => {
            return check_fields(&text::concat(&[field, "."]), members, tables);
        }
        (Kind::Items(tables), Json::Array(items)) => {
            for item in items {
                check_kind(field, Kind::Object(tables), item)?;
            }
            return Ok(());
        }
        (Kind::Named(tables), Json::Object(members)) => {
            for (name, item) in members {
                let field = text::concat(&[field, ".", text::shown(name)]);
                check_kind(&field, Kind::Object(tables), item)?;
            }
            return Ok(());
        }
        (Kind::Text, _) => "must be a string",
        (Kind::Flag, _) => "must be true or false",
        (Kind::Texts, _) => "must be a list of strings",
        (Kind::Number, _) => "must be a whole number",
        (Kind::TextMembers, _) => "must be an object of strings",
        (Kind::Items(_), _) => "must be a list of objects",
        (Kind::Object(_), _) => "must be an object",
        (Kind::Named(_), _) => "must be an object of objects",
        (Kind::Function, _) => "must be a function",
        (Kind::Provider, _) => "must be a name, or what a provider's file says",
    };
    Err(wrong(field, rule))
}

/// `redirect_uri` (RFC 6749 section 3.1.2; RFC 8252 section 7.1 for the private-use schemes of apps).
fn check_redirect_uri(uri: &str, allow_http: bool) -> Result<(), Error> {
    let field = "redirectUri";
    if uri.starts_with("http:") || uri.starts_with("https:") {
        return url::check(field, uri, allow_http).map(|_| ());
    }
    let (scheme, rest) = text::cut(uri, ":").unwrap_or(("", ""));
    // Schemes that run or show what stands behind them.
    let script = ["javascript", "data", "blob", "file", "about", "vbscript"];
    let named = scheme
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || text::is_one_of(b, b"+-."))
        && scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase())
        && !script.contains(&scheme);
    if named && text::is_graphic(rest, b"\\#") && rest.starts_with("/") {
        Ok(())
    } else {
        Err(wrong(
            field,
            "must be an https URL, or one of the app's own scheme",
        ))
    }
}

/// The endpoint's own query must not say what the request says (RFC 6749 section 3.1).
fn check_endpoint(field: &str, endpoint: &str) -> Result<(), Error> {
    let query = url::check(field, endpoint, false)?.query.unwrap_or("");
    match protocol_parameter(&form::parse(query)) {
        Some(_) => Err(wrong(field, "must not carry parameters of the request")),
        None => Ok(()),
    }
}

/// The first of the parameters that only the library sets.
fn protocol_parameter(parameters: &[(String, Json)]) -> Option<&str> {
    let own = |(name, _): &&(String, Json)| PROTOCOL_PARAMETERS.contains(&name.as_str());
    Some(&parameters.iter().find(own)?.0)
}

fn required<'a>(config: &'a Json, field: &str) -> Result<&'a str, Error> {
    match config.str(field) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(wrong(field, "is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const ORIGIN: &str = "https://app.example";

    fn complete(text: &str) -> Result<Config, Error> {
        let config = Config::parse(text)?;
        let found = provider::find(config.provider());
        config.complete(found)
    }

    fn resolve(text: &str) -> Result<Rc<Login>, Error> {
        complete(text)?.resolve(ORIGIN)
    }

    fn refusal(fields: &str) -> (ErrorCode, String) {
        let error = resolve(&format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        ))
        .expect_err(fields);
        (error.code, error.detail.clone())
    }

    #[test]
    fn a_preset_fills_what_the_caller_left_out() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb"}"#,
        )
        .expect("a login");
        let client = &login;
        assert_eq!(
            client.authorization_endpoint(),
            "https://auth.mercadolivre.com.br/authorization"
        );
        assert_eq!(
            client.token_endpoint(),
            "https://api.mercadolibre.com/oauth/token"
        );
        assert_eq!(client.resource_servers().len(), 1);
        assert_eq!(login.max_age(), 600);
        assert_eq!(client.code_challenge_method(), CodeChallengeMethod::S256);
    }

    #[test]
    fn what_a_preset_says_a_caller_can_say_otherwise() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb",
                "tokenEndpoint":"https://app.example/token","resourceServers":["https://a.example/v1"],"tokenTypeOptional":false}"#,
        )
        .expect("a login");
        assert_eq!(login.token_endpoint(), "https://app.example/token");
        assert_eq!(login.resource_servers()[0], "https://a.example/v1");
        assert!(!login.token_type_optional());
    }

    #[test]
    fn a_wrong_field_is_named() {
        use ErrorCode::InvalidConfig as Config;
        for (fields, want) in [
            (
                r#","clientID":"1""#,
                "clientID: there is no such field; the nearest is clientId",
            ),
            (
                r#","tokenEndpont":"1""#,
                "tokenEndpont: there is no such field; the nearest is tokenEndpoint",
            ),
            (
                r#","provider":{"name":"x","sitess":{}}"#,
                "provider.sitess: there is no such field; the nearest is sites",
            ),
            (
                r#","site":"A","provider":{"sites":{"A":{"tokenEndpoint":1}}}"#,
                "provider.sites.A.tokenEndpoint: must be a string",
            ),
            (
                r#","routes":[{"path":"/","reed":"x"}]"#,
                "routes.reed: there is no such field; the nearest is read",
            ),
            (
                r#","routes":[{"path":"/"},"/"]"#,
                "routes: must be an object",
            ),
            (r#","routes":{}"#, "routes: must be a list of objects"),
            (r#","scopes":["a"]"#, "scopes: must be an object of objects"),
            (
                r#","scopes":{"a":{"implies":"b"}}"#,
                "scopes.a.implies: must be a list of strings",
            ),
            (
                r#","routes":[{"read":""}]"#,
                "routes.path: must begin with a slash",
            ),
            (
                r#","routes":[{"path":"https://api.example/x"}]"#,
                "routes.path: must begin with a slash",
            ),
            (
                r#","provider":{"sites":5}"#,
                "provider.sites: must be an object of objects",
            ),
            (
                r#","provider":{"sites":["A"]},"site":"A""#,
                "provider.sites: must be an object of objects",
            ),
            (
                r#","provider":{"sites":{"A":"https://as.example"}},"site":"A""#,
                "provider.sites.A: must be an object",
            ),
            (
                r#","provider":{"sites":{"A":{},"B":{"tokenEndpont":"x"}}},"site":"A""#,
                "provider.sites.B.tokenEndpont: there is no such field; the nearest is tokenEndpoint",
            ),
            (
                r#","revocationRequest":{"methd":"DELETE"}"#,
                "revocationRequest.methd: there is no such field; the nearest is method",
            ),
            (
                r#","revocationRequest":["DELETE"]"#,
                "revocationRequest: must be an object",
            ),
            (
                r#","navigat":null"#,
                "navigat: there is no such field; the nearest is navigate",
            ),
            (r#","navigate":"x""#, "navigate: must be a function"),
            (
                r#","provider":5"#,
                "provider: must be a name, or what a provider's file says",
            ),
            (
                r#","provider":{},"site":"A""#,
                "site: the provider has none",
            ),
            (
                r#","issRequired":true"#,
                "issRequired: needs an issuer to compare with",
            ),
            (
                r#","limitHeader":"X Limit""#,
                "limitHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","scopeHeader":"authorization""#,
                "scopeHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","usageHeader":"""#,
                "usageHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","revocationEndpoint":"http://as.example/r""#,
                "revocationEndpoint: must be https",
            ),
            (r#","scope":5"#, "scope: must be a list of strings"),
            (r#","site":"MLB""#, "site: means nothing without a provider"),
            (
                r#","responseType":"id_token""#,
                &text::concat(&["responseType: ", WRONG_RESPONSE_TYPE]),
            ),
            (
                r#","codeChallengeMethod":"none""#,
                "codeChallengeMethod: must be S256 or plain",
            ),
            (
                r#","pendingMaxAge":-1"#,
                "pendingMaxAge: must be a whole number",
            ),
            (r#","allowHttp":"yes""#, "allowHttp: must be true or false"),
            (
                r#","returnTo":"//evil.example""#,
                "returnTo: must be a path of this origin",
            ),
            (
                r#","resourceServers":["http://api.example"]"#,
                "resourceServers: must be https",
            ),
            (
                r#","authorizationParameters":{"state":"x"}"#,
                "authorizationParameters.state: is the library's own to set",
            ),
            (
                r#","authorizationParameters":{"request_uri":"x"}"#,
                "authorizationParameters.request_uri: is the library's own to set",
            ),
            (
                r#","authorizationParameters":["a"]"#,
                "authorizationParameters: must be an object of strings",
            ),
        ] {
            assert_eq!(refusal(fields), (Config, want.into()));
        }
        for (field, shown) in [
            ("", "\"\""),
            ("__proto__", "__proto__"),
            ("constructor", "constructor"),
        ] {
            let (code, detail) = refusal(&format!(r#","{field}":1"#));
            let start = format!("{shown}: there is no such field; the nearest is ");
            assert!(code == Config && detail.starts_with(&start), "{detail}");
        }
        for field in ["clientSecret", "client_secret"] {
            assert_eq!(
                refusal(&format!(r#","{field}":"x""#)),
                (ErrorCode::ClientSecretRefused, field.into())
            );
        }
    }

    #[test]
    fn a_secret_in_the_query_of_an_endpoint_is_refused_too() {
        for field in ["tokenEndpoint", "revocationEndpoint", "endSessionEndpoint"] {
            let fields = r#"{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"}"#;
            let mut config = Json::parse(fields.as_bytes()).expect("JSON");
            config.take(field);
            let endpoint = Json::String("https://as.example/x?a=b&client%5Fsecret=hush".into());
            config.fill(Json::Object(Members::from([(field.into(), endpoint)])));
            let error = Config::read(config)
                .and_then(|config| config.resolve(ORIGIN))
                .expect_err(field);
            assert_eq!(
                (error.code, error.detail.as_str()),
                (
                    ErrorCode::InvalidConfig,
                    &*format!("{field}: must not carry parameters of the request")
                )
            );
        }
    }

    #[test]
    fn what_does_not_exist_is_named_with_the_nearest_that_does() {
        use ErrorCode::{UnknownProvider, UnknownScope, UnknownSite};
        let scopes = r#","scopes":{"read":{},"write":{"implies":["read"]},"urn:x:*":{}}"#;
        for (fields, want, detail) in [
            (
                r#","provider":"mercadolivre""#,
                UnknownProvider,
                "mercadolivre; the nearest is mercadolibre",
            ),
            (
                r#","provider":"mercadolibre","site":"MLX""#,
                UnknownSite,
                "MLX; the nearest is MLA",
            ),
            (
                r#","provider":"mercadolibre","site":"mlb2""#,
                UnknownSite,
                "mlb2; the nearest is MLB",
            ),
            (
                &format!(r#","scope":"red"{scopes}"#),
                UnknownScope,
                "red; the nearest is read",
            ),
            (
                r#","provider":"""#,
                UnknownProvider,
                "\"\"; the nearest is appfigures",
            ),
            (
                r#","provider":"mercadolibre","site":"__proto__""#,
                UnknownSite,
                "__proto__; the nearest is MCO",
            ),
            (
                &format!(r#","routes":[{{"path":"/x","read":"read wriet"}}]{scopes}"#),
                UnknownScope,
                "wriet; the nearest is write",
            ),
            (
                &format!(
                    r#","routes":[{{"path":"/x","holding":"wri*"}},{{"path":"/","holding":"raed"}}]{scopes}"#
                ),
                UnknownScope,
                "raed; the nearest is read",
            ),
            (
                r#","scopes":{"read":{},"write":{"implies":["raed"]}}"#,
                UnknownScope,
                "raed; the nearest is read",
            ),
        ] {
            assert_eq!(refusal(fields), (want, detail.into()));
        }
        for scope in ["urn:x:1 read", ""] {
            let config = format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","scope":"{scope}"{scopes}}}"#
            );
            assert!(resolve(&config).is_ok(), "{scope}");
        }
    }

    #[test]
    fn a_provider_of_ones_own_is_as_good_as_a_known_one() {
        let login = resolve(
            r#"{"provider":{"name":"mine","about":{"title":"Mine"},"authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t",
                "resourceServers":["https://api.example"],"sites":{"A":{"about":"..","authorizationEndpoint":"https://a.as.example/a"},"B":{}},
                "errors":[{"error":"e","message":{"en":"m","es":"n"},"remedy":"r"}],"scopes":{"s":{"about":"x"}}},
                "site":"A","language":"es-MX","clientId":"1","redirectUri":"https://app.example/cb"}"#,
        )
        .expect("a login");
        assert_eq!((login.provider(), login.site()), (Some("mine"), Some("A")));
        assert_eq!(login.authorization_endpoint(), "https://a.as.example/a");
        assert_eq!(
            login.to_json().text(),
            r#"{"site":"A","clientId":"1","redirectUri":"https://app.example/cb","provider":"mine","authorizationEndpoint":"https://a.as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":["https://api.example"],"errors":[{"error":"e","message":"n","remedy":"r"}],"scopes":{"s":{}}}"#
        );
        let again = Config::read(login.to_json()).and_then(|config| config.resolve(ORIGIN));
        assert_eq!(again.as_ref(), Ok(&login));
    }

    #[test]
    fn only_an_issuer_without_endpoints_is_asked_for_its_metadata() {
        let issuer = |fields: &str| {
            let config = complete(&format!("{{{fields}}}")).expect("a configuration");
            let issuer = config.undiscovered().map(|issuer| issuer.map(String::from));
            issuer.map_err(|error| error.detail.clone())
        };
        assert_eq!(issuer(r#""clientId":"1""#), Ok(None));
        assert_eq!(
            issuer(r#""issuer":"https://as.example""#),
            Ok(Some("https://as.example".into()))
        );
        assert_eq!(
            issuer(
                r#""issuer":"https://as.example","authorizationEndpoint":"https://as.example/a""#
            ),
            Ok(None)
        );
        for hostile in [
            "http://as.example",
            "https://a@b.example",
            "javascript:1",
            "//as.example",
            "",
        ] {
            assert!(
                issuer(&format!(r#""issuer":"{hostile}""#)).is_err(),
                "{hostile}"
            );
        }
        assert!(issuer(r#""issuer":"http://127.0.0.1:8080""#).is_ok());
    }

    #[test]
    fn metadata_that_no_login_may_use_is_told_from_a_configuration_that_none_may() {
        for member in [
            r#""tokenEndpoint":"http://as.example/t""#,
            r#""revocationEndpoint":5"#,
            r#""issRequired":"yes""#,
            r#""authorizationEndpoint":"javascript:1""#,
        ] {
            let mut config =
                complete(r#"{"issuer":"https://as.example"}"#).expect("a configuration");
            let metadata = Json::parse(format!("{{{member}}}").as_bytes()).expect("JSON");
            let error = config.discovered(metadata).expect_err(member);
            assert_eq!(error.code, ErrorCode::InvalidMetadata);
        }
    }

    #[test]
    fn the_closest_resource_server_says_which_route_a_call_takes() {
        let login = resolve(
            r#"{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t",
                "resourceServers":["https://api.example","https://api.example/v2"],"routes":[{"path":"/x","read":"r"}]}"#,
        )
        .expect("a login");
        let need = |url| login.need("GET", url, &[]).map(|need| need.scope());
        assert_eq!(
            need("https://api.example/v2/x"),
            Some(std::vec!["r".into()])
        );
        assert_eq!(need("https://api.example/x"), Some(std::vec!["r".into()]));
        assert_eq!(need("https://api.example/v1/x"), None);
    }

    #[test]
    fn a_token_that_is_there_already_needs_somewhere_to_go_and_no_more() {
        let adopt = |text: &str| complete(text).and_then(Config::adopt);
        assert!(adopt(r#"{"resourceServers":["https://api.example"]}"#).is_ok());
        assert!(adopt(r#"{"provider":"appfigures"}"#).is_ok());
        assert!(adopt("{}").is_err());
        assert!(adopt(r#"{"resourceServers":["http://api.example"]}"#).is_err());
    }

    #[test]
    fn a_token_adopted_without_a_site_comes_back_from_its_record() {
        let adopted = complete(r#"{"provider":"mercadolibre"}"#).and_then(Config::adopt);
        let adopted = adopted.expect("a place for the token");
        let again = Config::read(adopted.to_json()).and_then(Config::adopt);
        assert_eq!(again, Ok(adopted));
    }

    #[test]
    fn a_site_is_asked_for_where_there_are_several() {
        let ask = |site| {
            resolve(&format!(
                r#"{{"provider":"mercadolibre"{site},"clientId":"1","redirectUri":"https://app.example/cb"}}"#
            ))
            .expect_err("no such site")
            .code
        };
        assert_eq!(ask(""), ErrorCode::UnknownSite);
        assert_eq!(ask(r#","site":"MLX""#), ErrorCode::UnknownSite);
    }

    #[test]
    fn required_fields_are_asked_for_by_name() {
        for (text, want) in [
            ("{}", "clientId: is missing"),
            (r#"{"clientId":"1"}"#, "redirectUri: is missing"),
            (
                r#"{"clientId":"1","redirectUri":"https://app.example/"}"#,
                "authorizationEndpoint: is missing",
            ),
            (
                r#"{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/"}"#,
                "tokenEndpoint: is missing",
            ),
            ("[]", "the configuration must be an object"),
        ] {
            assert_eq!(resolve(text).expect_err(text).detail, want);
        }
    }

    #[test]
    fn redirect_uris_are_https_loopback_or_an_apps_own_scheme() {
        for uri in [
            "https://app.example",
            "https://app.example/cb?x=1",
            "http://127.0.0.1:8080/cb",
            "com.example.app:/callback",
            "capacitor://localhost/cb",
        ] {
            assert!(check_redirect_uri(uri, false).is_ok(), "{uri}");
        }
        assert!(check_redirect_uri("http://192.168.0.7/cb", true).is_ok());
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#x",
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "data:/text",
            "JavaScript:/x",
            "app",
            ":/x",
            "/cb",
            "com.example.app:callback#x",
            "https:/app.example",
        ] {
            assert!(check_redirect_uri(uri, false).is_err(), "{uri}");
        }
    }

    #[test]
    fn the_authorization_endpoint_cannot_smuggle_parameters() {
        let error = |query: &str| {
            resolve(&format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/cb","tokenEndpoint":"https://as.example/t","authorizationEndpoint":"https://as.example/a?{query}"}}"#
            ))
        };
        assert!(error("tenant=7").is_ok());
        assert!(error("state=x").is_err());
        assert!(error("client%5Fid=x").is_err());
    }

    #[cfg(feature = "full")]
    #[test]
    fn a_server_is_of_the_pages_site_only_where_that_is_sure() {
        let same = |origin, server| {
            let config = format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"{server}/a","tokenEndpoint":"{server}/t"}}"#
            );
            resolve(&config).expect("a login").is_same_site(origin)
        };
        for (origin, server) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com", "https://login.example.com"),
            ("https://app.example.com:8443", "https://login.example.com"),
            ("https://app.example.com", "https://example.com"),
            ("http://127.0.0.1:1", "http://127.0.0.1:2"),
        ] {
            assert!(same(origin, server), "{origin} {server}");
        }
        for (origin, server) in [
            ("https://a.co.uk", "https://b.co.uk"),
            ("https://a.com.ar", "https://b.com.ar"),
            ("https://a.com", "https://b.com"),
            ("https://example.com", "https://notexample.com"),
            ("https://app.example.com", "https://login.another.com"),
            ("http://localhost:1", "http://127.0.0.1:2"),
        ] {
            assert!(!same(origin, server), "{origin} {server}");
        }
    }

    #[test]
    fn a_client_comes_back_from_its_record_as_it_was() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MCR","clientId":"1","redirectUri":"http://127.0.0.1:1/","responseType":"token","scope":["read","write"],"issuer":"https://i.example"}"#,
        )
        .expect("a login");
        let again = Config::read(login.to_json())
            .and_then(|config| config.resolve(ORIGIN))
            .expect("the same login");
        assert_eq!(again, login);
    }
}
