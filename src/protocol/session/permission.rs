//! What a session may do, what a refusal by the API means, and what another login would have to ask for
//! (RFC 6750 section 3.1, RFC 9470).

use alloc::string::String;
use alloc::vec::Vec;

use super::super::error::{Error, ErrorCode, ServerError, redact, without};
use super::super::json::{self, Json, Object};
use super::super::resource::{Call, PrivateRequest, challenge, is_rate_limit};
use super::super::{Seconds, refusal, scope, text};
use super::Session;

/// Seconds after a login in which it is no use to ask for the same again.
const JUST_NOW: Seconds = 60;

/// What a refusal of the API means, by what the session knows of the provider; `None` if it is none. `answer` is the
/// browser's description: `status`, `method`, `url`, `authenticate`, `retryAfter`.
pub fn explain(
    session: Option<&Session>,
    answer: &Json,
    body: &[u8],
    now: Seconds,
) -> Option<Error> {
    let status = answer.get("status").and_then(Json::as_u32).unwrap_or(0) as u16;
    if status < 400 {
        return None;
    }
    let secrets = session.map_or_else(Vec::new, Session::secrets);
    let server = refusal::said(status, body, Json::parse(body).as_ref(), &secrets);
    let mut error = match session {
        Some(session) => session.refusal(answer, status, server, now),
        None => refused(status).error().with(server),
    };
    if let Some(seconds) = answer.get("retryAfter") {
        error = error.and("retryAfter", seconds.clone());
    }
    Some(error)
}

pub fn refused(status: u16) -> ErrorCode {
    match status {
        _ if is_rate_limit(status) => ErrorCode::RateLimited,
        500.. => ErrorCode::ServerError,
        _ => ErrorCode::RequestRefused,
    }
}

fn route(method: &str, path: &str) -> String {
    text::concat(&[method, " ", path])
}

impl Session {
    /// What a new login would have to ask for.
    pub(super) fn other_login(
        &self,
        said: Option<&str>,
        header: &str,
        now: Seconds,
    ) -> Option<Error> {
        match said? {
            "insufficient_scope" => {
                let needed = challenge(header, "scope").unwrap_or_default();
                let needed = scope::said(&without(&needed, &self.secrets()));
                Some(self.insufficient_scope(&needed, "", now))
            }
            "insufficient_user_authentication" => {
                let mut wanted = Object::new();
                let mut asked = true;
                for name in ["acr_values", "max_age"] {
                    if let Some(value) = challenge(header, name) {
                        let value = redact(&value, &self.secrets());
                        let mut parameters = self.login.authorization_parameters().iter();
                        asked &= parameters.any(|(known, said)| known == name && *said == value);
                        wanted.str(name, &value);
                    }
                }
                let mut wanted = wanted.done();
                // What the login asked for besides stays: this takes the place of its parameters.
                let mut more = Object::new();
                for (name, value) in self.login.authorization_parameters() {
                    more.str(name, value);
                }
                wanted.fill(more.done());
                let error = ErrorCode::InsufficientUserAuthentication.error();
                let ask = ("authorizationParameters", wanted);
                Some(self.ask(error, ask, asked, now))
            }
            _ => None,
        }
    }

    fn insufficient_scope(&self, needed: &[String], route: &str, now: Seconds) -> Error {
        let scopes = self.login.scopes();
        // A server may lack what is held, as far as anybody knows.
        let held = self.tokens.scope();
        let mut missing = needed.to_vec();
        missing.retain(|wanted| !scope::allows(scopes, held, wanted));
        let missing = if missing.is_empty() { needed } else { &missing };
        let mut detail = String::from(text::clip(&scope::join(missing, " "), 500));
        if !route.is_empty() {
            detail = text::concat(&[&detail, " for ", route]);
        }
        let mut error = ErrorCode::InsufficientScope.at(&detail);
        error = error.and("scope", json::list(needed));
        if !route.is_empty() {
            error = error.and("route", Json::String(String::from(route)));
        }
        // What was asked for, for it may not show in what was granted (offline_access); what was granted, as far as it
        // can be asked for; what is needed.
        let mut all = self.login.scope().to_vec();
        for granted in self.tokens.scope().iter().take(scope::MOST) {
            if scope::check(scopes, core::slice::from_ref(granted)).is_ok() {
                all.push(granted.clone());
            }
        }
        all.extend_from_slice(needed);
        let asked = self.has(self.login.scope(), needed);
        let ask = ("scope", json::list(&scope::reduce(scopes, all)));
        self.login.advised(self.ask(error, ask, asked, now))
    }

    /// Adds what the next login should ask for; but not what a login less than a minute ago has asked for already:
    /// whoever is refused then would go round in circles.
    fn ask(&self, error: Error, (name, value): (&str, Json), asked: bool, now: Seconds) -> Error {
        if asked && now.saturating_sub(self.begun) < JUST_NOW {
            let message = error.message();
            return error.explain(None, &message, "The login asked for it and did not get it");
        }
        let mut ask = Object::new();
        ask.value(name, value);
        error.and("ask", ask.done())
    }

    /// What a refusal by the API means: by its challenge, by the provider's own words, or by the route table.
    fn refusal(&self, answer: &Json, status: u16, server: ServerError, now: Seconds) -> Error {
        let text = |name| answer.str(name).unwrap_or("");
        let header = text("authenticate");
        if let Some(error) = self.other_login(challenge(header, "error").as_deref(), header, now) {
            return error.with(server);
        }
        // Where the server says nothing more of a 403, and the session is not known to have what the call needs.
        let speaks = server.error.is_some() || self.login.has_words_for(&server);
        let mut error = refused(status).error();
        if status == 403
            && !speaks
            && let Some(need) = self
                .login
                .need(text("method"), text("url"), self.tokens.scope())
            && !self.has(self.tokens.scope(), &need.scope())
        {
            error = self.insufficient_scope(&need.scope(), &route(text("method"), need.path), now);
        }
        let error = self.login.explained(error.with(server));
        match self.limits {
            Some(_) => error.and("rateLimit", self.rate_limit()),
            None => error,
        }
    }

    fn has(&self, held: &[String], needed: &[String]) -> bool {
        let scopes = self.login.scopes();
        needed
            .iter()
            .all(|wanted| scope::allows(scopes, held, wanted))
    }

    fn lacks(&self, held: &[String], needed: &[String]) -> bool {
        scope::is_known(self.login.scopes(), held) && !self.has(held, needed)
    }

    /// Whether the session's scope is enough for the call, as far as anybody said. The answer is the header that
    /// narrows the call (empty where it is not narrowed): name and value.
    pub fn admit(&self, request: &PrivateRequest, now: Seconds) -> Result<(String, String), Error> {
        let mut held = self.tokens.scope().to_vec();
        let mut header = (String::new(), String::new());
        if let Some(narrow) = &request.scope {
            let Some(name) = self.login.scope_header() else {
                let rule = "scope: the provider has no header that narrows a call";
                return Err(ErrorCode::InvalidRequest.at(rule));
            };
            let scopes = self.login.scopes();
            scope::check(scopes, narrow)?;
            if self.lacks(&held, narrow) {
                return Err(self.insufficient_scope(narrow, "", now));
            }
            held = scope::reduce(scopes, narrow.clone());
            header = (String::from(name), scope::join(&held, ","));
        }
        let (method, url) = (request.method(), request.url());
        match self.login.need(method, url, self.tokens.scope()) {
            Some(need) if self.lacks(&held, &need.scope()) => {
                Err(self.insufficient_scope(&need.scope(), &route(method, need.path), now))
            }
            _ => Ok(header),
        }
    }

    /// The least scope for these calls.
    pub fn scope_for(&self, calls: &[Call]) -> Result<Vec<String>, Error> {
        self.login.scope_for(calls)
    }
}
