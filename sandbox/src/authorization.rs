//! The authorization endpoint (RFC 6749 section 3.1) with its login and consent pages, for both providers.
//!
//! A page's form carries the whole authorization request in a hidden field, and it is read and checked again each time:
//! nothing the browser sends back is believed.

use serde_json::json;

use crate::errors;
use crate::grants::{Challenge, Code, Grant};
use crate::mercadolibre;
use crate::message::{self, Answer, Parameters, Request};
use crate::pages;
use crate::settings::{Application, FragmentShape, Provider, Settings, User};
use crate::sites::{self, Site};
use crate::state::{Session, State};

/// A request that may be put before the user.
struct AuthorizationRequest {
    provider: Provider,
    application: Application,
    redirect_uri: String,
    response_type: ResponseType,
    scope: Vec<String>,
    state: Option<String>,
    challenge: Option<Challenge>,
    /// OpenID `prompt=none`: answer without showing a page.
    silent: bool,
    site: Option<&'static Site>,
    /// Its path and query, for the pages' forms.
    target: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ResponseType {
    Code,
    Token,
}

/// Where an answer goes when there is one to send back.
struct Callback {
    redirect_uri: String,
    response_type: ResponseType,
    state: Option<String>,
}

/// Paths a person looks at. They send no CORS headers (RFC 9700 section 2.6).
pub fn is_page(path: &str) -> bool {
    provider_of(path).is_some() || matches!(path, "/login" | "/consent" | "/logout")
}

pub fn handle(state: &mut State, request: &Request) -> Answer {
    let is_get = request.method == http::Method::GET;
    let is_post = request.method == http::Method::POST;
    match request.path.as_str() {
        path if provider_of(path).is_some() && is_get => {
            let target = format!("{path}?{}", request.query);
            authorize(state, request, &target)
        }
        "/login" if is_post => login(state, request),
        "/consent" if is_post => consent(state, request),
        "/logout" if is_post => logout(state, request),
        _ => refuse(405, "This page cannot be asked for that way"),
    }
}

/// A code as if the first user had consented.
pub fn grant_code(
    state: &mut State,
    client_id: &str,
    redirect_uri: &str,
    scope: &str,
    code_challenge: Option<(&str, &str)>,
) -> String {
    let is_appfigures = state
        .settings
        .application(client_id, Provider::Appfigures)
        .is_some();
    let grant = Grant {
        provider: if is_appfigures {
            Provider::Appfigures
        } else {
            Provider::MercadoLibre
        },
        client_id: client_id.into(),
        user_id: state.settings.users.first().map_or(0, |user| user.id),
        scope: sorted(scope.split_whitespace().map(String::from).collect()),
        revoked: false,
    };
    let challenge = code_challenge.map(|(value, method)| Challenge::as_given(value, method));
    new_code(state, grant, redirect_uri, challenge)
}

/// Write access implies read access (seed 000), also of a functional permission; otherwise a scope has to be named.
pub fn allows(granted: &[String], wanted: &str) -> bool {
    let by_write = wanted
        .strip_suffix(":read")
        .map(|name| format!("{name}:write"))
        .or_else(|| {
            let name = wanted.strip_suffix(":/read-only")?;
            Some(format!("{name}:/read-write"))
        });
    granted
        .iter()
        .any(|scope| scope == wanted || Some(scope) == by_write.as_ref())
}

fn provider_of(path: &str) -> Option<Provider> {
    match path {
        "/authorization" => Some(Provider::MercadoLibre),
        "/v2/oauth2/authorize" | "/oauth2/authorize" => Some(Provider::Appfigures),
        _ => None,
    }
}

fn authorize(state: &mut State, request: &Request, target: &str) -> Answer {
    let asked = match AuthorizationRequest::read(&state.settings, request, target) {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let session = session(state, request);
    let user = session
        .as_ref()
        .and_then(|session| state.settings.user(session.user_id?))
        .cloned();
    if state.settings.auto_deny {
        return deny(&state.settings, request, &asked);
    }
    if state.settings.auto_consent
        && let Some(user) = user
            .clone()
            .or_else(|| state.settings.users.first().cloned())
    {
        return allow(state, request, &asked, &user);
    }
    match (user, session) {
        (Some(_), _) if asked.silent => error(
            &state.settings,
            request,
            &asked.callback(),
            "consent_required",
            None,
        ),
        (None, _) if asked.silent => error(
            &state.settings,
            request,
            &asked.callback(),
            "login_required",
            None,
        ),
        (Some(user), Some(session)) => {
            if state.settings.refuse_foreign_site
                && asked.site.is_some_and(|site| site.id != user.site)
            {
                return errors::answer("forbidden_country", &state.settings);
            }
            message::html(200, pages::consent(&asked.view(&session.csrf), &user))
        }
        (_, session) => login_page(state, request, &asked, session, None),
    }
}

fn login(state: &mut State, request: &Request) -> Answer {
    let Some((form, asked)) = submitted(state, request) else {
        return stale();
    };
    let session = session(state, request);
    let is_ours = session
        .as_ref()
        .is_some_and(|session| form.get("csrf") == Some(&session.csrf));
    if !is_ours {
        return login_page(
            state,
            request,
            &asked,
            session,
            Some("This page was too old. Please log in again."),
        );
    }
    let nickname = form.get("nickname").unwrap_or_default().trim().to_owned();
    let password = form.get("password").unwrap_or_default();
    let knows = |user: &&User| {
        (user.nickname.eq_ignore_ascii_case(&nickname)
            || user.email.eq_ignore_ascii_case(&nickname))
            && user.password == password
    };
    let Some(user_id) = state.settings.users.iter().find(knows).map(|user| user.id) else {
        return login_page(
            state,
            request,
            &asked,
            session,
            Some("The user name or the password is not right."),
        );
    };
    // A new session at login, so that nobody can be logged in to a session prepared for them.
    if let Some(old) = request.cookie(&cookie_name(request)) {
        state.sessions.remove(old);
    }
    let csrf = state.draw();
    let cookie = new_session(
        state,
        request,
        Session {
            user_id: Some(user_id),
            csrf,
        },
    );
    message::with(message::redirect(303, &asked.target), "set-cookie", &cookie)
}

fn consent(state: &mut State, request: &Request) -> Answer {
    let Some((form, asked)) = submitted(state, request) else {
        return stale();
    };
    let session = session(state, request);
    let user = session
        .as_ref()
        .and_then(|session| state.settings.user(session.user_id?))
        .cloned();
    let (Some(session), Some(user)) = (session, user) else {
        return message::redirect(303, &asked.target);
    };
    if form.get("csrf") != Some(&session.csrf) {
        return message::redirect(303, &asked.target);
    }
    match form.get("decision") {
        Some("allow") => allow(state, request, &asked, &user),
        Some("deny") => deny(&state.settings, request, &asked),
        _ => stale(),
    }
}

/// Ends the provider's session and asks who is there.
fn logout(state: &mut State, request: &Request) -> Answer {
    let Some((form, asked)) = submitted(state, request) else {
        return stale();
    };
    let is_ours =
        session(state, request).is_some_and(|session| form.get("csrf") == Some(&session.csrf));
    if is_ours && let Some(old) = request.cookie(&cookie_name(request)) {
        state.sessions.remove(old);
    }
    message::redirect(303, &asked.target)
}

fn allow(
    state: &mut State,
    request: &Request,
    asked: &AuthorizationRequest,
    user: &User,
) -> Answer {
    if user.collaborator {
        return errors::answer("cannot_connect", &state.settings);
    }
    let grant = Grant {
        provider: asked.provider,
        client_id: asked.application.client_id.clone(),
        user_id: user.id,
        scope: asked.scope.clone(),
        revoked: false,
    };
    match asked.response_type {
        ResponseType::Code => {
            let code = new_code(state, grant, &asked.redirect_uri, asked.challenge.clone());
            if asked.redirect_uri == OUT_OF_BAND {
                return message::html(200, pages::code(&code));
            }
            deliver(
                &state.settings,
                request,
                &asked.callback(),
                vec![("code", code)],
            )
        }
        ResponseType::Token => implicit(state, request, asked, grant),
    }
}

/// The implicit grant's response (RFC 6749 section 4.2.2), in the shape the settings choose.
fn implicit(
    state: &mut State,
    request: &Request,
    asked: &AuthorizationRequest,
    mut grant: Grant,
) -> Answer {
    // No refresh token comes of this grant, so it cannot be used while the user is away.
    grant.scope.retain(|scope| scope != "offline_access");
    let (scope, user_id) = (grant.scope.clone(), grant.user_id);
    let grant = state.grants.add(grant);
    let access_token = mercadolibre::new_access_token(state, grant, scope.clone());
    let expires_in = state.settings.expires_in;
    let domain = host_of(&asked.redirect_uri);
    let common = vec![
        ("access_token", access_token.clone()),
        ("expires_in", expires_in.to_string()),
        ("user_id", user_id.to_string()),
        ("domains", domain.to_owned()),
    ];
    match state.settings.fragment {
        FragmentShape::Full => {
            let mut pairs = common;
            pairs.insert(1, ("token_type", "bearer".into()));
            pairs.insert(3, ("scope", scope.join(" ")));
            deliver(&state.settings, request, &asked.callback(), pairs)
        }
        FragmentShape::Old => fragment(&asked.redirect_uri, &encode(common)),
        FragmentShape::Json => {
            let body = json!({
                "client_id": asked.application.client_id, "state": "AUTHORIZED",
                "authorization_info": {
                    "access_token": access_token, "expires_in": expires_in, "user_id": user_id, "scopes": scope
                },
                "domains": [domain],
            });
            json_fragment(&state.settings, request, asked, &body)
        }
    }
}

fn deny(settings: &Settings, request: &Request, asked: &AuthorizationRequest) -> Answer {
    if asked.response_type == ResponseType::Token && settings.fragment == FragmentShape::Json {
        let body = json!({ "client_id": asked.application.client_id, "state": "NOT_AUTHORIZED" });
        return json_fragment(settings, request, asked, &body);
    }
    let words = Some("The user denied access to the application");
    error(settings, request, &asked.callback(), "access_denied", words)
}

/// An error response (RFC 6749 sections 4.1.2.1 and 4.2.2.1).
fn error(
    settings: &Settings,
    request: &Request,
    callback: &Callback,
    code: &str,
    words: Option<&str>,
) -> Answer {
    let mut pairs = vec![("error", code.to_owned())];
    pairs.extend(words.map(|words| ("error_description", words.to_owned())));
    deliver(settings, request, callback, pairs)
}

/// Sends the browser back to the application with these parameters and what goes with every response.
fn deliver(
    settings: &Settings,
    request: &Request,
    callback: &Callback,
    pairs: Vec<(&str, String)>,
) -> Answer {
    let checks = checks(settings, request, callback.state.as_deref());
    let extra = settings
        .extra_response_parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    let uri = &callback.redirect_uri;
    match callback.response_type {
        ResponseType::Token if settings.implicit_state_in_query => fragment(
            &with_query(uri, &encode(checks)),
            &encode(pairs.into_iter().chain(extra)),
        ),
        ResponseType::Token => fragment(uri, &encode(pairs.into_iter().chain(checks).chain(extra))),
        ResponseType::Code => message::redirect(
            302,
            &with_query(uri, &encode(pairs.into_iter().chain(checks).chain(extra))),
        ),
    }
}

/// `state` and `iss`, by which the application knows its answer.
fn checks(
    settings: &Settings,
    request: &Request,
    state: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut checks: Vec<_> = state
        .map(|state| ("state", state.into()))
        .into_iter()
        .collect();
    if settings.send_iss || settings.lie_about_iss.is_some() {
        let lie = settings.lie_about_iss.clone();
        checks.push(("iss", lie.unwrap_or_else(|| request.origin())));
    }
    checks
}

impl AuthorizationRequest {
    /// Reads and checks a request. A wrong application or redirect URI is told the user and nobody else (RFC 6749
    /// section 4.1.2.1); anything else goes back to the application.
    fn read(
        settings: &Settings,
        request: &Request,
        target: &str,
    ) -> Result<AuthorizationRequest, Answer> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(provider) = provider_of(path) else {
            return Err(stale());
        };
        let asked = Parameters::parse(query.as_bytes());
        if asked.is_duplicate("client_id") || asked.is_duplicate("redirect_uri") {
            return Err(refuse(
                400,
                "Wrong number of parameters with duplicate values.",
            ));
        }
        let client_id = asked.get("client_id").unwrap_or_default();
        let Some(application) = settings.application(client_id, provider) else {
            return Err(refuse(400, "There is no application with this client_id"));
        };
        let redirect_uri = asked.get("redirect_uri").unwrap_or_default();
        if !is_acceptable(redirect_uri) {
            return Err(refuse(
                400,
                "The redirect_uri is missing or is no absolute URI without a fragment",
            ));
        }
        let registered = settings
            .redirect_uris
            .as_ref()
            .filter(|_| provider == Provider::MercadoLibre);
        if registered.is_some_and(|uris| !uris.iter().any(|uri| uri == redirect_uri)) {
            return Err(errors::answer("callback_mismatch", settings));
        }
        let wants_token = asked.get("response_type") == Some("token");
        let callback = Callback {
            redirect_uri: redirect_uri.into(),
            response_type: if wants_token {
                ResponseType::Token
            } else {
                ResponseType::Code
            },
            state: asked
                .get("state")
                .filter(|_| !asked.is_duplicate("state"))
                .map(String::from),
        };
        let refuse =
            |code: &str, words: &str| error(settings, request, &callback, code, Some(words));

        if asked.duplicate().is_some() {
            return Err(refuse(
                "invalid_request",
                errors::description("duplicate_parameters"),
            ));
        }
        match asked.get("response_type") {
            Some("code") => {}
            Some("token") if settings.allow_implicit && provider == Provider::MercadoLibre => {}
            Some(_) => {
                return Err(refuse(
                    "unsupported_response_type",
                    "This response_type is not supported",
                ));
            }
            None => {
                return Err(refuse(
                    "invalid_request",
                    errors::description("malformed_request"),
                ));
            }
        }
        let scope: Vec<String> = match asked.get("scope") {
            Some(scope) => scope
                .split(' ')
                .filter(|name| !name.is_empty())
                .map(String::from)
                .collect(),
            None => application.scope.clone(),
        };
        if scope.is_empty() || !scope.iter().all(|name| allows(&application.scope, name)) {
            return Err(refuse(
                "invalid_scope",
                errors::description("invalid_scope"),
            ));
        }
        let functional = application
            .scope
            .iter()
            .filter(|name| name.starts_with("urn:"));
        let scope = [scope, functional.cloned().collect()].concat();
        let method = asked.get("code_challenge_method");
        let challenge = match asked.get("code_challenge") {
            Some(value) => match Challenge::new(value, method) {
                Some(challenge) => Some(challenge),
                None => {
                    return Err(refuse(
                        "invalid_request",
                        "The code_challenge or its method is not valid",
                    ));
                }
            },
            None if method.is_some() || (settings.require_pkce && !wants_token) => {
                return Err(refuse("invalid_request", "code_challenge is required"));
            }
            None => None,
        };
        let named_site = asked.get("site").and_then(sites::by_id);
        Ok(AuthorizationRequest {
            provider,
            application: application.clone(),
            redirect_uri: callback.redirect_uri,
            response_type: callback.response_type,
            scope: sorted(scope),
            state: callback.state,
            challenge,
            silent: asked.get("prompt") == Some("none"),
            site: sites::by_host(request.host_name())
                .or(named_site)
                .filter(|_| provider == Provider::MercadoLibre),
            target: target.into(),
        })
    }

    fn callback(&self) -> Callback {
        Callback {
            redirect_uri: self.redirect_uri.clone(),
            response_type: self.response_type,
            state: self.state.clone(),
        }
    }

    fn view<'a>(&'a self, csrf: &'a str) -> pages::View<'a> {
        pages::View {
            provider: self.provider,
            country: self.site.map(|site| site.country),
            application: &self.application.name,
            callback_host: host_of(&self.redirect_uri),
            scope: &self.scope,
            target: &self.target,
            csrf,
        }
    }
}

/// For command line programs without a browser of their own (Appfigures documents it): the code is shown on a page.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// A form sent by one of the pages, and the authorization request it carries.
fn submitted(state: &State, request: &Request) -> Option<(Parameters, AuthorizationRequest)> {
    let form = request.form()?;
    let target = form.get("request")?;
    let asked = AuthorizationRequest::read(&state.settings, request, target).ok()?;
    Some((form, asked))
}

fn login_page(
    state: &mut State,
    request: &Request,
    asked: &AuthorizationRequest,
    session: Option<Session>,
    complaint: Option<&str>,
) -> Answer {
    let (csrf, cookie) = match session {
        Some(session) => (session.csrf, None),
        None => {
            let csrf = state.draw();
            let cookie = new_session(
                state,
                request,
                Session {
                    user_id: None,
                    csrf: csrf.clone(),
                },
            );
            (csrf, Some(cookie))
        }
    };
    let status = if complaint.is_some() { 400 } else { 200 };
    let page = message::html(
        status,
        pages::login(&asked.view(&csrf), complaint, &state.settings.users),
    );
    match cookie {
        Some(cookie) => message::with(page, "set-cookie", &cookie),
        None => page,
    }
}

fn session(state: &State, request: &Request) -> Option<Session> {
    state
        .sessions
        .get(request.cookie(&cookie_name(request))?)
        .cloned()
}

/// The `Set-Cookie` value of a new session.
fn new_session(state: &mut State, request: &Request, session: Session) -> String {
    let id = state.draw();
    let name = cookie_name(request);
    let secure = if request.scheme == "https" {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
    state.sessions.insert(id, session);
    cookie
}

/// Cookies know no ports: two sandboxes on one machine need two names.
fn cookie_name(request: &Request) -> String {
    format!("sandbox_session_{}", request.port())
}

fn new_code(
    state: &mut State,
    grant: Grant,
    redirect_uri: &str,
    challenge: Option<Challenge>,
) -> String {
    let value = match grant.provider {
        Provider::MercadoLibre => format!("TG-{}-{}", state.draw(), grant.user_id),
        Provider::Appfigures => state.draw(),
    };
    let expires_at = state.now().saturating_add(state.settings.code_expires_in);
    let grant = state.grants.add(grant);
    let code = Code {
        grant,
        redirect_uri: redirect_uri.into(),
        challenge,
        expires_at,
        spent: false,
    };
    state.grants.add_code(&value, code);
    value
}

/// An absolute URI of visible ASCII without a fragment (RFC 6749 section 3.1.2), and none that is a script.
fn is_acceptable(redirect_uri: &str) -> bool {
    let Some((scheme, rest)) = redirect_uri.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one));
    let runs = ["javascript", "data", "vbscript", "blob", "file", "about"];
    is_scheme
        && !rest.is_empty()
        && !runs.iter().any(|bad| scheme.eq_ignore_ascii_case(bad))
        && redirect_uri.bytes().all(|byte| byte.is_ascii_graphic())
        && !redirect_uri.contains('#')
}

fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn with_query(uri: &str, query: &str) -> String {
    match (query.is_empty(), uri.contains('?')) {
        (true, _) => uri.into(),
        (false, true) => format!("{uri}&{query}"),
        (false, false) => format!("{uri}?{query}"),
    }
}

fn fragment(uri: &str, fragment: &str) -> Answer {
    message::redirect(302, &format!("{uri}#{fragment}"))
}

/// The application's own `state` is in it only where the query has it (`settings.implicitStateInQuery`).
fn json_fragment(
    settings: &Settings,
    request: &Request,
    asked: &AuthorizationRequest,
    body: &serde_json::Value,
) -> Answer {
    let encoded: String = form_urlencoded::byte_serialize(body.to_string().as_bytes()).collect();
    let checks = match settings.implicit_state_in_query {
        true => checks(settings, request, asked.state.as_deref()),
        false => Vec::new(),
    };
    fragment(&with_query(&asked.redirect_uri, &encode(checks)), &encoded)
}

fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn sorted(mut scope: Vec<String>) -> Vec<String> {
    scope.sort();
    scope.dedup();
    scope
}

fn stale() -> Answer {
    refuse(400, "This form belongs to no authorization request")
}

fn refuse(status: u16, words: &str) -> Answer {
    message::html(status, pages::refusal(words))
}
