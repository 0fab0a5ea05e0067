//! Appfigures: tokens, scopes, routes and limits, as seed 000 and providers.md document them. Everything lies under
//! `/v2`, or at the root of a host named `appfigures.…` or `api.appfigures.…`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::authorization::allows;
use crate::errors;
use crate::grants::{AccessToken, Refused};
use crate::mercadolibre::patched;
use crate::message::{self, Answer, Parameters, Request};
use crate::settings::{Application, Provider};
use crate::state::State;

/// A row of seed 000's table. The first that matches a request counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    pub method: &'static str,
    /// `{name}` is one segment, a final `*` any number, none included.
    pub path: &'static str,
    /// What a token needs; `None` where all clients may.
    pub scope: Option<&'static str>,
}

/// Every route, in order.
pub fn routes() -> &'static [Route] {
    ROUTES
}

const ROUTES: &[Route] = &[
    // all clients
    route("GET", "/", None),
    route("GET", "/help", None),
    route("GET", "/data/*", None),
    // products, before account and public take its paths
    route("GET", "/products/mine", Some("products:read")),
    route("GET", "/ext_accounts/{id}/products", Some("products:read")),
    route("PUT", "/products/{product_id}", Some("products:write")),
    // account
    route("GET", "/account/*", Some("account:read")),
    route("GET", "/events/*", Some("account:read")),
    route("GET", "/ext_accounts/*", Some("account:read")),
    route("GET", "/users/{email}", Some("account:read")),
    route("POST", "/events/*", Some("account:write")),
    route("PUT", "/events/*", Some("account:write")),
    route("DELETE", "/events/*", Some("account:write")),
    route("POST", "/ext_accounts/*", Some("account:write")),
    route("PUT", "/ext_accounts/*", Some("account:write")),
    route("DELETE", "/ext_accounts/*", Some("account:write")),
    // public
    route("GET", "/ranks/*", Some("public:read")),
    route("GET", "/reviews/*", Some("public:read")),
    route("GET", "/features/*", Some("public:read")),
    route("GET", "/products/*", Some("public:read")),
    // private
    route("GET", "/ads/*", Some("private:read")),
    route("GET", "/sales/*", Some("private:read")),
    route("GET", "/archive/*", Some("private:read")),
    route("GET", "/payments/*", Some("private:read")),
];

const SCOPES: [&str; 8] = [
    "account:read",
    "account:write",
    "public:read",
    "public:write",
    "private:read",
    "private:write",
    "products:read",
    "products:write",
];

pub fn is_for(request: &Request) -> bool {
    let host = request.host_name();
    let by_host = host.starts_with("appfigures.") || host.starts_with("api.appfigures.");
    by_host || request.path == "/v2" || request.path.starts_with("/v2/")
}

pub fn handle(state: &mut State, request: &Request) -> Answer {
    let path = match request.path.strip_prefix("/v2").unwrap_or(&request.path) {
        "" => "/",
        path => path,
    };
    match path {
        "/oauth2/access_token" => no_store(token(state, request).unwrap_or_else(|refusal| refusal)),
        "/oauth2/revoke" => no_store(revoke(state, request).unwrap_or_else(|refusal| refusal)),
        "/oauth2/tokeninfo" => {
            no_store(introspect(state, request).unwrap_or_else(|refusal| refusal))
        }
        path => api(state, request, path),
    }
}

const fn route(method: &'static str, path: &'static str, scope: Option<&'static str>) -> Route {
    Route {
        method,
        path,
        scope,
    }
}

impl Route {
    fn matches_path(&self, path: &str) -> bool {
        let mut given = path.split('/');
        for wanted in self.path.split('/') {
            match (wanted, given.next()) {
                ("*", _) => return true,
                (wanted, Some(segment)) if wanted == segment => {}
                (wanted, Some(segment)) if wanted.starts_with('{') && !segment.is_empty() => {}
                _ => return false,
            }
        }
        given.next().is_none()
    }
}

// The API

struct Caller {
    user_id: u64,
    scope: Vec<String>,
}

fn api(state: &mut State, request: &Request, path: &str) -> Answer {
    let caller = caller(state, request);
    let account = caller.as_ref().map_or(0, |caller| caller.user_id);
    let limit = state.settings.appfigures_daily_limit;
    let day = state.now() / 86_400;
    let usage = state.usage.entry((account, day)).or_default();
    *usage += 1;
    let usage = *usage;
    let answer = if usage > limit {
        errors::answer_about("chill_out", &state.settings, &limit.to_string())
    } else {
        called(state, request, path, caller).unwrap_or_else(|refusal| refusal)
    };
    let answer = message::with(answer, "x-request-limit", &limit.to_string());
    message::with(answer, "x-request-usage", &usage.min(limit).to_string())
}

fn called(
    state: &mut State,
    request: &Request,
    path: &str,
    caller: Option<Caller>,
) -> Result<Answer, Answer> {
    if let Some(id) = &state.settings.force_api_error {
        return Err(errors::answer(id, &state.settings));
    }
    let at_path: Vec<&Route> = ROUTES
        .iter()
        .filter(|route| route.matches_path(path))
        .collect();
    let Some(route) = at_path
        .iter()
        .find(|route| request.method.as_str() == route.method)
    else {
        return Err(if at_path.is_empty() {
            failure(404, "Not Found", "There is no such route")
        } else {
            failure(
                405,
                "Method Not Allowed",
                "This route is not asked for that way",
            )
        });
    };
    let Some(scope) = route.scope else {
        return Ok(message::json(200, &body(state, path, &[])));
    };
    let Some(caller) = caller else {
        return Err(unauthorized(state, request));
    };
    let allowed = narrowed(request, caller.scope)?;
    if !allows(&allowed, scope) {
        let answer = errors::answer_about("appfigures_forbidden", &state.settings, scope);
        if !state.settings.www_authenticate {
            return Err(answer);
        }
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        return Err(message::with(answer, "www-authenticate", &challenge));
    }
    match request.method.as_str() {
        "GET" => Ok(message::json(200, &body(state, path, &allowed))),
        "DELETE" => Ok(message::answer(204, "", "")),
        _ => request
            .json()
            .map(|sent| message::json(200, &sent))
            .ok_or_else(|| failure(400, "Bad Request", "The body must be JSON")),
    }
}

/// The user behind a bearer token: one made by an exchange, or a personal access token.
fn caller(state: &State, request: &Request) -> Option<Caller> {
    let token = request.credentials("bearer")?;
    if let Some(own) = state
        .settings
        .personal_access_tokens
        .iter()
        .find(|own| own.token == token)
    {
        return Some(Caller {
            user_id: own.user_id,
            scope: own.scope.clone(),
        });
    }
    let (token, grant) = state.grants.access_token(token, state.now())?;
    (grant.provider == Provider::Appfigures).then(|| Caller {
        user_id: grant.user_id,
        scope: token.scope.clone(),
    })
}

/// `X-OAuth-Scope: products:write, private:read` makes the token's scope stricter for this request, never wider.
fn narrowed(request: &Request, granted: Vec<String>) -> Result<Vec<String>, Answer> {
    let Some(header) = request.header("x-oauth-scope") else {
        return Ok(granted);
    };
    let mut allowed = Vec::new();
    for name in header
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        if !SCOPES.contains(&name) {
            return Err(failure(
                400,
                "Bad Request",
                "X-OAuth-Scope names a scope that does not exist",
            ));
        }
        let reading = name.replace(":write", ":read");
        if allows(&granted, name) {
            allowed.push(name.into());
        } else if allows(&granted, &reading) {
            allowed.push(reading);
        }
    }
    Ok(allowed)
}

/// A small plausible answer for a route.
fn body(state: &State, path: &str, allowed: &[String]) -> Value {
    let user = state.settings.users.first();
    let product = json!({ "id": 280598515284_u64, "name": "Angry Birds", "store": "apple", "active": true, "hidden": false });
    let mut segments = path.split('/').skip(1);
    match (segments.next().unwrap_or_default(), segments.next()) {
        ("", _) => json!({ "welcome": "Appfigures API sandbox", "version": "2.0" }),
        ("help", _) => json!({ "help": "every route of seed 000 answers here" }),
        ("data", what) => json!({ what.unwrap_or("all"): [{ "id": 1, "name": "Games" }] }),
        ("users", email) => {
            let mut body = json!({ "email": email, "name": user.map(|user| &user.nickname), "date_format": "yyyy-MM-dd" });
            if let (true, Some(fields)) = (allows(allowed, "products:read"), body.as_object_mut()) {
                fields.insert("products".into(), json!([product]));
            }
            body
        }
        ("account", _) => json!({ "email": user.map(|user| &user.email), "plan": "sandbox" }),
        ("products", Some("mine")) => json!({ "280598515284": product }),
        ("products", _) => product,
        ("ext_accounts", Some(_)) if path.ends_with("/products") => json!([product]),
        ("ext_accounts", _) => {
            json!([{ "id": 2201, "nickname": "My Store", "type": "itunes_connect" }])
        }
        ("events", _) => json!([{ "id": 1, "caption": "Launch", "date": "2016-08-25" }]),
        ("ranks", _) => {
            json!({ "dates": ["2016-08-25"], "data": [{ "product_id": 280598515284_u64, "positions": [3] }] })
        }
        ("reviews", _) => {
            json!({ "total": 1, "reviews": [{ "stars": "5.00", "title": "Great", "iso": "BR" }] })
        }
        ("features", _) => {
            json!([{ "product": 280598515284_u64, "category": "Games", "country": "BR" }])
        }
        (report, _) => json!({ "report": report, "revenue": "101.10", "downloads": 42 }),
    }
}

fn unauthorized(state: &State, request: &Request) -> Answer {
    let answer = failure(401, "Unauthorized", "A valid access token is needed");
    if !state.settings.www_authenticate {
        return answer;
    }
    let had_one = request.headers.contains_key("authorization");
    message::with(
        answer,
        "www-authenticate",
        if had_one {
            "Bearer error=\"invalid_token\""
        } else {
            "Bearer"
        },
    )
}

fn failure(status: u16, message: &str, additional: &str) -> Answer {
    let body = json!({ "status": status, "message": message, "additional": additional, "reference": "sandbox" });
    message::json(status, &body)
}

// Tokens

/// The exchange of a code, the only grant (RFC 6749 section 4.1.3). No refresh token and no expiry come with it.
fn token(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    if let Some(id) = state.settings.force_token_error.clone() {
        return Err(errors::answer(&id, &state.settings));
    }
    let form = form(request)?;
    let (application, proven) = client(state, request, &form)?;
    match form.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => {
            return Err(refuse(
                400,
                "unsupported_grant_type",
                "The only grant type is authorization_code",
            ));
        }
        None => return Err(refuse(400, "invalid_request", "grant_type is missing")),
    }
    let (Some(value), Some(redirect_uri)) = (form.get("code"), form.get("redirect_uri")) else {
        return Err(refuse(
            400,
            "invalid_request",
            "code or redirect_uri is missing",
        ));
    };
    let now = state.now();
    let code = state
        .grants
        .code(value, &application.client_id, now)
        .map_err(|why| match why {
            Refused::Invalid => refuse(
                400,
                "invalid_grant",
                "The code is unknown, expired or was used before",
            ),
            Refused::OtherClient => {
                refuse(400, "invalid_grant", "The code was given to another client")
            }
        })?;
    if code.redirect_uri != redirect_uri {
        return Err(refuse(
            400,
            "invalid_grant",
            "The redirect_uri is not the one the code was given for",
        ));
    }
    match (&code.challenge, form.get("code_verifier")) {
        (None, _) if !proven => {
            return Err(refuse(
                401,
                "invalid_client",
                "A client secret or PKCE is needed",
            ));
        }
        (None, _) => {}
        (Some(challenge), Some(verifier)) if challenge.accepts(verifier) => {}
        (Some(_), _) => {
            return Err(refuse(
                400,
                "invalid_grant",
                "The code_verifier is not the right one",
            ));
        }
    }
    let scope = state
        .grants
        .get(code.grant)
        .map(|grant| grant.scope.clone())
        .unwrap_or_default();
    state.grants.spend_code(value);
    let access_token = format!("{}{}", state.draw(), state.draw());
    let token = AccessToken {
        grant: code.grant,
        scope: scope.clone(),
        expires_at: u64::MAX,
    };
    state.grants.add_access_token(&access_token, token);
    let body =
        json!({ "access_token": access_token, "token_type": "bearer", "scope": scope.join(" ") });
    Ok(message::json(
        200,
        &patched(body, &state.settings.token_response),
    ))
}

/// Token revocation (RFC 7009): 200 even for a token nobody knows.
fn revoke(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    let form = form(request)?;
    let (application, _) = client(state, request, &form)?;
    let token = form
        .get("token")
        .ok_or_else(|| refuse(400, "invalid_request", "token is missing"))?;
    if let Some(grant) = state.grants.behind(token, &application.client_id) {
        state.grants.revoke(grant);
    }
    Ok(message::answer(200, "", ""))
}

/// Token introspection (RFC 7662).
fn introspect(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    let form = form(request)?;
    let (application, proven) = client(state, request, &form)?;
    if !proven {
        return Err(refuse(401, "invalid_client", "A client secret is needed"));
    }
    let token = form
        .get("token")
        .ok_or_else(|| refuse(400, "invalid_request", "token is missing"))?;
    let active = state.grants.access_token(token, state.now());
    let body = match active.filter(|(_, grant)| grant.client_id == application.client_id) {
        Some((token, grant)) => json!({
            "active": true, "scope": token.scope.join(" "), "client_id": grant.client_id, "sub": grant.user_id.to_string()
        }),
        None => json!({ "active": false }),
    };
    Ok(message::json(200, &body))
}

fn form(request: &Request) -> Result<Parameters, Answer> {
    if request.method != http::Method::POST {
        return Err(refuse(405, "invalid_request", "POST is needed"));
    }
    let form = request
        .form()
        .ok_or_else(|| refuse(400, "invalid_request", "The body must be a form"))?;
    match form.duplicate() {
        Some(_) => Err(refuse(400, "invalid_request", "A parameter stands twice")),
        None => Ok(form),
    }
}

/// The application, by HTTP Basic or in the form (RFC 6749 section 2.3.1), and whether it proved its secret.
fn client(
    state: &State,
    request: &Request,
    form: &Parameters,
) -> Result<(Application, bool), Answer> {
    let wrong = || {
        let answer = refuse(
            401,
            "invalid_client",
            "The client or its secret is not right",
        );
        if request.credentials("basic").is_none() {
            return answer;
        }
        message::with(answer, "www-authenticate", "Basic realm=\"sandbox\"")
    };
    let (id, secret) = match request.credentials("basic") {
        Some(credentials) => {
            let (id, secret) = basic(credentials).ok_or_else(wrong)?;
            if form.has("client_secret") {
                return Err(refuse(
                    400,
                    "invalid_request",
                    "The client proves itself in two ways at once",
                ));
            }
            (id, Some(secret))
        }
        None => (
            form.get("client_id").unwrap_or_default().to_owned(),
            form.get("client_secret").map(String::from),
        ),
    };
    let application = state
        .settings
        .application(&id, Provider::Appfigures)
        .cloned()
        .ok_or_else(wrong)?;
    match secret {
        Some(secret) if secret == application.client_secret => Ok((application, true)),
        None if !state.settings.require_client_secret => Ok((application, false)),
        _ => Err(wrong()),
    }
}

/// Client id and secret, each form-encoded before they were joined.
fn basic(credentials: &str) -> Option<(String, String)> {
    let joined = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    let decoded = |encoded: &str| {
        let pair = format!("x={encoded}");
        Parameters::parse(pair.as_bytes())
            .get("x")
            .map(String::from)
    };
    Some((decoded(id)?, decoded(secret)?))
}

fn refuse(status: u16, error: &str, description: &str) -> Answer {
    message::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

fn no_store(answer: Answer) -> Answer {
    message::with(answer, "cache-control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope_of(method: &str, path: &str) -> Option<&'static str> {
        ROUTES
            .iter()
            .find(|route| route.method == method && route.matches_path(path))
            .and_then(|route| route.scope)
    }

    #[test]
    fn the_route_table_says_what_seed_000_says() {
        assert_eq!(scope_of("GET", "/products/mine"), Some("products:read"));
        assert_eq!(
            scope_of("GET", "/products/280598515284"),
            Some("public:read")
        );
        assert_eq!(
            scope_of("PUT", "/products/280598515284"),
            Some("products:write")
        );
        assert_eq!(
            scope_of("GET", "/ext_accounts/7/products"),
            Some("products:read")
        );
        assert_eq!(scope_of("GET", "/ext_accounts/7"), Some("account:read"));
        assert_eq!(scope_of("DELETE", "/events/7"), Some("account:write"));
        assert_eq!(scope_of("GET", "/sales"), Some("private:read"));
        assert_eq!(scope_of("POST", "/sales"), None);
    }
}
