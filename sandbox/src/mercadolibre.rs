//! Mercado Libre: the token endpoint and the API, as seeds 001 and 002 document them.

use serde_json::{Map, Value, json};

use crate::authorization::allows;
use crate::errors;
use crate::grants::{AccessToken, Grant, RefreshToken, Refused};
use crate::message::{self, Answer, Parameters, Request};
use crate::pages;
use crate::seller;
use crate::settings::{Provider, User, Wording};
use crate::sites;
use crate::state::{State, month_day_hour};

pub fn handle(state: &mut State, request: &Request) -> Answer {
    if state.is_over_rate_limit() {
        let id = if state.settings.rate_limit_json {
            "local_rate_limited_json"
        } else {
            "local_rate_limited"
        };
        return errors::answer(id, &state.settings);
    }
    match request.path.as_str() {
        "/oauth/token" => token(state, request),
        "/oauth/revoke" => revoke(state, request),
        "/" => message::html(200, pages::index()),
        "/redirect" => redirect(request),
        _ => api(state, request).unwrap_or_else(|refusal| refusal),
    }
}

/// A new access token of this grant: `APP_USR-<client>-<month day hour>-<hex>-<user>`.
pub fn new_access_token(state: &mut State, grant: usize, scope: Vec<String>) -> String {
    let now = state.now();
    let (client_id, user_id) = state.grants.get(grant).map_or((String::new(), 0), |grant| {
        (grant.client_id.clone(), grant.user_id)
    });
    let value = format!(
        "APP_USR-{client_id}-{}-{}-{user_id}",
        month_day_hour(now),
        state.draw()
    );
    let expires_at = now.saturating_add(state.settings.expires_in);
    state.grants.add_access_token(
        &value,
        AccessToken {
            grant,
            scope,
            expires_at,
        },
    );
    value
}

/// The response with `settings.token_response` merged over it; `null` removes a field.
pub fn patched(mut body: Value, patch: &Map<String, Value>) -> Value {
    if let Value::Object(fields) = &mut body {
        for (name, value) in patch {
            match value {
                Value::Null => fields.shift_remove(name),
                value => fields.insert(name.clone(), value.clone()),
            };
        }
    }
    body
}

// The token endpoint (RFC 6749 section 3.2)

fn token(state: &mut State, request: &Request) -> Answer {
    let answer = granted(state, request).unwrap_or_else(|refusal| refusal);
    if answer.headers().contains_key("cache-control") {
        answer
    } else {
        message::with(answer, "cache-control", "no-store")
    }
}

fn granted(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    if request.method != http::Method::POST {
        return Err(method_not_allowed());
    }
    if let Some(id) = &state.settings.force_token_error {
        return Err(errors::answer(id, &state.settings));
    }
    let form = request.form().filter(|_| request.query.is_empty());
    let form = form.ok_or_else(|| refuse(state, "malformed_request"))?;
    if form.duplicate().is_some() {
        return Err(refuse(state, "duplicate_parameters"));
    }
    let grant_type = required(state, &form, "grant_type")?;
    if !matches!(grant_type, "authorization_code" | "refresh_token") {
        return Err(errors::answer_about(
            "unsupported_grant_type",
            &state.settings,
            grant_type,
        ));
    }
    let application = form
        .get("client_id")
        .and_then(|id| state.settings.application(id, Provider::MercadoLibre));
    let application = application
        .cloned()
        .ok_or_else(|| refuse(state, "invalid_client"))?;
    match form.get("client_secret") {
        Some(secret) if secret != application.client_secret => {
            return Err(refuse(state, "invalid_client"));
        }
        None if state.settings.require_client_secret => {
            return Err(refuse(state, "invalid_client"));
        }
        _ => {}
    }
    if application.blocked {
        return Err(refuse(state, "unauthorized_application"));
    }
    if grant_type == "authorization_code" {
        authorization_code(state, &form, &application.client_id)
    } else {
        refresh_token(state, &form, &application.client_id)
    }
}

/// RFC 6749 section 4.1.3 and RFC 7636 section 4.6. A code is spent only by a request that succeeds.
fn authorization_code(
    state: &mut State,
    form: &Parameters,
    client_id: &str,
) -> Result<Answer, Answer> {
    let value = required(state, form, "code")?;
    magic(state, value)?;
    let redirect_uri = required(state, form, "redirect_uri")?;
    let now = state.now();
    let code = state
        .grants
        .code(value, client_id, now)
        .map_err(|why| refused(state, why))?;
    if code.redirect_uri != redirect_uri {
        return Err(refuse(state, "redirect_uri_mismatch"));
    }
    match (&code.challenge, form.get("code_verifier")) {
        (Some(_), None) => return Err(refuse(state, "code_verifier_required")),
        (Some(challenge), Some(verifier)) if !challenge.accepts(verifier) => {
            return Err(refused(state, Refused::Invalid));
        }
        _ => {}
    }
    let grant = state
        .grants
        .get(code.grant)
        .cloned()
        .ok_or_else(|| refused(state, Refused::Invalid))?;
    check_application(state, &grant, client_id)?;
    let offline = grant.scope.iter().any(|scope| scope == "offline_access");
    if !offline && !state.settings.active_session {
        return Err(errors::answer_about(
            "no_active_session",
            &state.settings,
            &grant.user_id.to_string(),
        ));
    }
    state.grants.spend_code(value);
    let refresh_token = offline.then(|| new_refresh_token(state, code.grant, grant.user_id));
    Ok(token_response(
        state,
        code.grant,
        &grant,
        grant.scope.clone(),
        refresh_token,
    ))
}

/// RFC 6749 section 6, rotating (seed 002: "de utilização única").
fn refresh_token(state: &mut State, form: &Parameters, client_id: &str) -> Result<Answer, Answer> {
    let value = required(state, form, "refresh_token")?;
    magic(state, value)?;
    let now = state.now();
    let token = state
        .grants
        .refresh_token(value, client_id, now)
        .map_err(|why| refused(state, why))?;
    let grant = state
        .grants
        .get(token.grant)
        .cloned()
        .ok_or_else(|| refused(state, Refused::Invalid))?;
    check_application(state, &grant, client_id)?;
    let mut scope = match form.get("scope") {
        Some(scope) => scope.split(' ').map(String::from).collect(),
        None => grant.scope.clone(),
    };
    scope.sort();
    if !scope.iter().all(|name| allows(&grant.scope, name)) {
        return Err(refuse(state, "invalid_scope"));
    }
    let next = state.settings.rotate_refresh_tokens.then(|| {
        state.grants.spend_refresh_token(value);
        new_refresh_token(state, token.grant, grant.user_id)
    });
    Ok(token_response(state, token.grant, &grant, scope, next))
}

/// The application as it is registered now must still have every scope of the grant.
fn check_application(state: &State, grant: &Grant, client_id: &str) -> Result<(), Answer> {
    let application = state.settings.application(client_id, grant.provider);
    let may =
        application.is_some_and(|one| grant.scope.iter().all(|name| allows(&one.scope, name)));
    if may {
        Ok(())
    } else {
        Err(refuse(state, "unauthorized_client"))
    }
}

/// The response of seed 002, field by field.
fn token_response(
    state: &mut State,
    grant: usize,
    of: &Grant,
    scope: Vec<String>,
    refresh_token: Option<String>,
) -> Answer {
    let mut body = json!({
        "access_token": new_access_token(state, grant, scope.clone()),
        "token_type": "bearer",
        "expires_in": state.settings.expires_in,
        "scope": scope.join(" "),
        "user_id": of.user_id,
    });
    if let (Some(token), Value::Object(fields)) = (refresh_token, &mut body) {
        fields.insert("refresh_token".into(), token.into());
    }
    message::json(200, &patched(body, &state.settings.token_response))
}

fn new_refresh_token(state: &mut State, grant: usize, user_id: u64) -> String {
    let value = format!("TG-{}-{user_id}", state.draw());
    let expires_at = state
        .now()
        .saturating_add(state.settings.refresh_token_expires_in);
    state.grants.add_refresh_token(
        &value,
        RefreshToken {
            grant,
            expires_at,
            spent: false,
        },
    );
    value
}

/// `sandbox:<id>` in place of a code or refresh token asks for that documented error.
fn magic(state: &State, value: &str) -> Result<(), Answer> {
    value
        .strip_prefix("sandbox:")
        .map_or(Ok(()), |id| Err(refuse(state, id)))
}

fn required<'a>(state: &State, form: &'a Parameters, name: &str) -> Result<&'a str, Answer> {
    form.get(name)
        .ok_or_else(|| refuse(state, "malformed_request"))
}

fn refused(state: &State, why: Refused) -> Answer {
    let id = match (why, state.settings.wording) {
        (Refused::OtherClient, _) => "client_mismatch",
        (Refused::Invalid, Wording::Portuguese) => "spent_or_expired",
        (Refused::Invalid, Wording::English) => "spent_or_expired_english",
    };
    refuse(state, id)
}

fn refuse(state: &State, id: &str) -> Answer {
    errors::answer(id, &state.settings)
}

/// Token revocation (RFC 7009). Mercado Libre documents none; it is here for the generic server the metadata describes.
fn revoke(state: &mut State, request: &Request) -> Answer {
    if request.method != http::Method::POST {
        return method_not_allowed();
    }
    let Some(form) = request.form() else {
        return refuse(state, "malformed_request");
    };
    let (Some(token), Some(client_id)) = (form.get("token"), form.get("client_id")) else {
        return refuse(state, "malformed_request");
    };
    if state
        .settings
        .application(client_id, Provider::MercadoLibre)
        .is_none()
    {
        return refuse(state, "invalid_client");
    }
    if let Some(grant) = state.grants.behind(token, client_id) {
        state.grants.revoke(grant);
    }
    message::answer(200, "", "")
}

// The API

/// Who calls: the user behind a valid token.
struct Caller {
    user_id: u64,
    scope: Vec<String>,
}

fn api(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    if let Some(id) = &state.settings.force_api_error {
        return Err(errors::answer(id, &state.settings));
    }
    if request.query().has("access_token") {
        let words =
            "access_token is not accepted in the query: send it in the Authorization header";
        return Err(message::json(
            400,
            &errors::api_body(words, "bad_request", 400),
        ));
    }
    gateway(state, request)?;
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["sites"]) => Ok(message::json(
            200,
            &sites::sites().iter().map(site).collect(),
        )),
        ("GET", ["sites", id]) => sites::by_id(id)
            .map(|found| message::json(200, &site(found)))
            .ok_or_else(not_found),
        ("GET", ["users", "me"]) => {
            let caller = with_scope(state, request, "read")?;
            user(state, caller.user_id, true)
        }
        ("GET", ["orders", "search"]) => {
            let caller = with_scope(state, request, "read")?;
            let seller = caller.user_id.to_string();
            if request.query().get("seller").is_some_and(|of| of != seller) {
                return Err(refuse(state, "forbidden"));
            }
            Ok(message::json(200, &seller::orders(caller.user_id)))
        }
        ("GET", ["my", "received_questions", "search"]) => {
            let caller = with_scope(state, request, "read")?;
            Ok(message::json(200, &seller::questions(caller.user_id)))
        }
        ("GET", ["users", id]) => {
            let id = id.parse().map_err(|_| not_found())?;
            if !request.headers.contains_key("authorization") {
                return user(state, id, false);
            }
            own(state, request, id, "read")?;
            user(state, id, true)
        }
        ("GET", ["users", id, "applications"]) => {
            let id = id.parse().map_err(|_| not_found())?;
            own(state, request, id, "read")?;
            Ok(message::json(200, &applications(state, id)))
        }
        ("DELETE", ["users", id, "applications", application]) => {
            let id = id.parse().map_err(|_| not_found())?;
            // Taking a permission back needs none.
            let caller = caller(state, request)?;
            if caller.user_id != id {
                return Err(refuse(state, "forbidden"));
            }
            if !state.grants.revoke_application(id, application) {
                return Err(not_found());
            }
            Ok(message::json(
                200,
                &json!({ "user_id": id.to_string(), "app_id": application, "msg": "Autorización eliminada" }),
            ))
        }
        ("POST", ["items"]) => {
            let caller = with_scope(state, request, "write")?;
            let Some(Value::Object(mut item)) = request.json() else {
                let words = "The body must be a JSON object";
                return Err(message::json(
                    400,
                    &errors::api_body(words, "validation_error", 400),
                ));
            };
            item.insert("id".into(), format!("MLA{}", state.items.len() + 1).into());
            item.insert("seller_id".into(), caller.user_id.into());
            state.items.push(Value::Object(item.clone()));
            Ok(message::json(201, &Value::Object(item)))
        }
        ("GET", ["items", "count"]) => {
            Ok(message::json(200, &json!({ "count": state.items.len() })))
        }
        ("GET", ["items", id]) => {
            let item = state
                .items
                .iter()
                .find(|item| item.get("id").is_some_and(|own| own == id));
            item.map(|item| message::json(200, item))
                .ok_or_else(not_found)
        }
        ("PUT", ["items", id]) => {
            with_scope(state, request, "write")?;
            let Some(Value::Object(changes)) = request.json() else {
                let words = "The body must be a JSON object";
                return Err(message::json(
                    400,
                    &errors::api_body(words, "validation_error", 400),
                ));
            };
            let item = state
                .items
                .iter_mut()
                .find(|item| item.get("id").is_some_and(|own| own == id));
            let Some(Value::Object(item)) = item else {
                return Err(not_found());
            };
            item.extend(changes);
            Ok(message::json(200, &Value::Object(item.clone())))
        }
        ("GET", ["big"]) => {
            with_scope(state, request, "read")?;
            let bytes = request
                .query()
                .get("bytes")
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or(1024 * 1024);
            Ok(message::answer(
                200,
                "application/octet-stream",
                vec![b'x'; usize::min(bytes, 64 * 1024 * 1024)],
            ))
        }
        _ => Err(not_found()),
    }
}

/// What stands in front of the API: with a valid token, the application's IP ranges and functional permissions.
fn gateway(state: &State, request: &Request) -> Result<(), Answer> {
    let found = request
        .credentials("bearer")
        .and_then(|token| state.grants.access_token(token, state.now()));
    let Some((token, grant)) = found else {
        return Ok(());
    };
    let application = state
        .settings
        .application(&grant.client_id, Provider::MercadoLibre);
    if application.is_some_and(|one| one.ip_ranges) {
        return Err(refuse(state, "ip_not_allowed"));
    }
    // A token without any functional permission is one of an older application.
    let has_any = token.scope.iter().any(|name| name.starts_with("urn:ml:"));
    let needed = seller::needed(&request.method, &request.path).filter(|_| has_any);
    match needed {
        Some(name) if !allows(&token.scope, &name) => Err(refuse(state, "policy_agent")),
        _ => Ok(()),
    }
}

/// The bearer of a valid token (RFC 6750 section 2.1).
fn caller(state: &State, request: &Request) -> Result<Caller, Answer> {
    let token = request
        .credentials("bearer")
        .filter(|_| request.headers.get_all("authorization").iter().count() == 1);
    let found = token.and_then(|token| state.grants.access_token(token, state.now()));
    if let Some((token, grant)) =
        found.filter(|(_, grant)| grant.provider == Provider::MercadoLibre)
    {
        return Ok(Caller {
            user_id: grant.user_id,
            scope: token.scope.clone(),
        });
    }
    let answer = message::json(
        401,
        &errors::api_body("invalid access token", "invalid_token", 401),
    );
    if !state.settings.www_authenticate {
        return Err(answer);
    }
    // Without a token the challenge has no error code (RFC 6750 section 3).
    let had_one = request.headers.contains_key("authorization");
    Err(message::with(
        answer,
        "www-authenticate",
        if had_one {
            "Bearer error=\"invalid_token\""
        } else {
            "Bearer"
        },
    ))
}

fn with_scope(state: &State, request: &Request, scope: &str) -> Result<Caller, Answer> {
    let caller = caller(state, request)?;
    if allows(&caller.scope, scope) {
        return Ok(caller);
    }
    let answer = refuse(state, "forbidden");
    if !state.settings.www_authenticate {
        return Err(answer);
    }
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    Err(message::with(answer, "www-authenticate", &challenge))
}

/// "It is using the token of another user" (seed 001).
fn own(state: &State, request: &Request, user_id: u64, scope: &str) -> Result<(), Answer> {
    let caller = with_scope(state, request, scope)?;
    if caller.user_id == user_id {
        Ok(())
    } else {
        Err(refuse(state, "forbidden"))
    }
}

/// The documents of seed 001, with what differs from user to user put in.
fn user(state: &State, id: u64, private: bool) -> Result<Answer, Answer> {
    let user = state.settings.user(id).ok_or_else(not_found)?;
    let document = if private {
        include_str!("data/user_private.json")
    } else {
        include_str!("data/user_public.json")
    };
    let mut body: Value = serde_json::from_str(document).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        for (name, value) in particulars(user) {
            if fields.contains_key(name) {
                fields.insert(name.into(), value);
            }
        }
    }
    Ok(message::json(200, &body))
}

fn particulars(user: &User) -> [(&'static str, Value); 6] {
    let (country, domain) = match user.site.as_str() {
        "MLB" => ("BR", "mercadolivre.com.br"),
        _ => ("AR", "mercadolibre.com.ar"),
    };
    [
        ("id", user.id.into()),
        ("nickname", user.nickname.as_str().into()),
        ("email", user.email.as_str().into()),
        ("country_id", country.into()),
        ("site_id", user.site.as_str().into()),
        (
            "permalink",
            format!("http://perfil.{domain}/{}", user.nickname).into(),
        ),
    ]
}

fn applications(state: &State, user_id: u64) -> Value {
    let of_user = |grant: &&Grant| grant.user_id == user_id && !grant.revoked;
    let grants = state.grants.all().filter(of_user);
    grants.map(|grant| json!({ "user_id": user_id.to_string(), "app_id": grant.client_id, "scopes": grant.scope })).collect()
}

fn site(site: &sites::Site) -> Value {
    json!({ "id": site.id, "name": site.country })
}

/// Sends the caller elsewhere, to test what follows a redirect.
fn redirect(request: &Request) -> Answer {
    let query = request.query();
    let status = query
        .get("status")
        .and_then(|status| status.parse().ok())
        .filter(|status| (300..400).contains(status));
    match query.get("to") {
        Some(to) => message::redirect(status.unwrap_or(302), to),
        None => message::json(400, &errors::api_body("to is missing", "bad_request", 400)),
    }
}

fn not_found() -> Answer {
    message::json(
        404,
        &errors::api_body("resource not found", "not_found", 404),
    )
}

fn method_not_allowed() -> Answer {
    message::json(
        405,
        &errors::api_body("method not allowed", "method_not_allowed", 405),
    )
}
