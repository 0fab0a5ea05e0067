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
        None => refused(status, "").with(server),
    };
    if let Some(seconds) = answer.get("retryAfter") {
        error = error.and("retryAfter", seconds.clone());
    }
    Some(error)
}

pub fn refused(status: u16, detail: &str) -> Error {
    match status {
        _ if is_rate_limit(status) => ErrorCode::RateLimited.at(detail),
        500.. => ErrorCode::ServerError.at(detail),
        _ => ErrorCode::RequestRefused.at(detail),
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
        text::keep(&mut missing, &|wanted| !scope::allows(scopes, held, wanted));
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
        let mut error = refused(status, "");
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

#[cfg(test)]
mod tests {
    use super::super::AfterRefusal;
    use super::super::tests::{API, session, with};
    use super::*;
    use std::{format, string::ToString};

    fn wanted(session: &Session, challenge: &str) -> String {
        let sent = session.token();
        let AfterRefusal::Login(error) = session.after_refusal(403, &sent, challenge, 0) else {
            panic!("another login: {challenge}");
        };
        error.to_json()
    }

    const TABLE: &str = r#","scopes":{"r":{},"w":{"implies":["r"]}},"scopeHeader":"X-Scope","routes":[{"path":"/x/{id}","read":"r","write":"w"}]"#;

    fn admit(session: &Session, method: &str, options: &str) -> Result<(String, String), Error> {
        let text = format!("\n{method}\nhttps://api.example/x/1\n{options}");
        session.admit(&PrivateRequest::read(&text).expect("a request"), 0)
    }

    #[test]
    fn no_scope_of_a_long_challenge_is_cut_in_the_middle() {
        let session = session("1", API, "");
        let names: Vec<_> = (10..40)
            .map(|n| format!("https://api.example/auth/orders.{n}.read"))
            .collect();
        let names = names.join(" ");
        let header = format!("Bearer error=\"insufficient_scope\", scope=\"{names}\"");
        let error = session.other_login(Some("insufficient_scope"), &header, 99);
        let json = error.expect("what to ask for").to_json();
        let list = names.replace(' ', "\",\"");
        assert!(
            json.contains(&format!(r#""ask":{{"scope":["{list}"]}}"#)),
            "{json}"
        );
    }

    #[test]
    fn a_server_that_names_scopes_without_end_keeps_nobody_waiting() {
        let endless = |letter| {
            let names: Vec<_> = (0..50_000).map(|n| format!("{letter}{n}")).collect();
            names.join(" ")
        };
        let granted = format!(r#","scope":"{}""#, endless("g"));
        let session = session("1", API, &granted);
        let header = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\"",
            endless("n")
        );
        let error = session.other_login(Some("insufficient_scope"), &header, 99);
        let json = error.expect("what to ask for").to_json();
        assert!(json.contains(r#""g255","n0""#) && json.contains(r#""n255""#));
        assert!(!json.contains(r#""g256""#) && !json.contains(r#""n256""#));
    }

    #[test]
    fn a_challenge_that_another_login_answers_says_what_to_ask_for() {
        let session = session("1", API, r#","scope":"a b""#);
        let json = wanted(
            &session,
            "Bearer error=\"insufficient_scope\", scope=\"b c\"",
        );
        assert!(json.contains(r#""code":"insufficient_scope""#), "{json}");
        assert!(
            json.ends_with(r#""scope":["b","c"],"ask":{"scope":["a","b","c"]}}"#),
            "{json}"
        );
        let json = wanted(
            &session,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\", max_age=5",
        );
        assert!(
            json.contains(r#""code":"insufficient_user_authentication""#),
            "{json}"
        );
        assert!(
            json.ends_with(
                r#""ask":{"authorizationParameters":{"acr_values":"gold","max_age":"5"}}}"#
            ),
            "{json}"
        );
    }

    #[test]
    fn what_was_asked_for_already_is_not_asked_for_again() {
        let other = with(
            r#","authorizationParameters":{"x":"1","max_age":"9"}"#,
            API,
            "",
        );
        let json = wanted(
            &other,
            "Bearer error=\"insufficient_user_authentication\", max_age=5",
        );
        assert!(
            json.ends_with(r#""ask":{"authorizationParameters":{"max_age":"5","x":"1"}}}"#),
            "{json}"
        );
        let asked = with(
            r#","scope":["a"],"authorizationParameters":{"acr_values":"gold"}"#,
            API,
            r#","scope":"b""#,
        );
        let scope = wanted(&asked, "Bearer error=\"insufficient_scope\", scope=\"a\"");
        let login = wanted(
            &asked,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\"",
        );
        assert!(!scope.contains(r#""ask""#), "{scope}");
        assert!(!login.contains(r#""ask""#), "{login}");
        let later = asked.after_refusal(
            403,
            &asked.token(),
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\"",
            70,
        );
        let AfterRefusal::Login(error) = later else {
            panic!("another login");
        };
        assert!(
            error.to_json().contains(r#""ask""#),
            "a minute later it may help"
        );
    }

    #[test]
    fn a_call_that_the_scope_does_not_allow_is_refused_before_it_is_sent() {
        let reader = with(TABLE, API, r#","scope":"r""#);
        assert!(admit(&reader, "GET", "").is_ok());
        let error = admit(&reader, "PUT", "").expect_err("no scope");
        assert_eq!(
            (error.code, error.detail.as_str()),
            (ErrorCode::InsufficientScope, "w for PUT /x/{id}")
        );
        assert!(
            error
                .to_json()
                .ends_with(r#""scope":["w"],"route":"PUT /x/{id}","ask":{"scope":["w"]}}"#)
        );
        // Nobody said what was granted, or it is a scope that the table does not know.
        for scope in ["", r#","scope":"other""#] {
            assert!(admit(&with(TABLE, API, scope), "PUT", "").is_ok());
        }
    }

    #[test]
    fn what_a_challenge_names_is_asked_for_only_as_far_as_that_is_possible() {
        let session = with(r#","scope":["offline","r"]"#, API, r#","scope":"r legacy""#);
        let header = "Bearer error=\"insufficient_scope\", scope=\"w a1 ad\\\"min x\"";
        let json = wanted(&session, header);
        assert!(json.contains(r#""scope":["w","x"]"#), "{json}");
        assert!(
            json.ends_with(r#""ask":{"scope":["offline","r","legacy","w","x"]}}"#),
            "{json}"
        );
        let table = with(
            r#","scopes":{"offline":{},"r":{},"w":{}},"scope":["offline","r"]"#,
            API,
            r#","scope":"r legacy""#,
        );
        let json = wanted(&table, "Bearer error=\"insufficient_scope\", scope=\"w\"");
        assert!(
            json.ends_with(r#""ask":{"scope":["offline","r","w"]}}"#),
            "{json}"
        );
    }

    #[test]
    fn the_providers_own_words_go_before_a_guess_by_the_routes() {
        let fields = r#","scopes":{"r":{}},"routes":[{"path":"/*","read":"r"}],
            "errors":[{"says":"No Access","message":"unpaid","remedy":"pay"},{"status":403,"message":"no scope","remedy":"ask for it"},{"error":"bare"}]"#;
        let session = with(fields, API, "");
        let code = |body: &str| {
            let answer = br#"{"status":403,"method":"GET","url":"https://api.example/x"}"#;
            let answer = Json::parse(answer).expect("JSON");
            let error = explain(Some(&session), &answer, body.as_bytes(), 0).expect("a refusal");
            (error.code.code(), error.message())
        };
        let said = |code, message: &str| (code, message.to_string());
        assert_eq!(
            code(r#"{"message":"No Access"}"#),
            said("request_refused", "unpaid")
        );
        assert_eq!(
            code(r#"{"error":"forbidden"}"#),
            said("request_refused", "no scope")
        );
        assert_eq!(code("{}"), said("insufficient_scope", "no scope"));
    }

    #[test]
    fn the_least_scope_of_some_calls_is_that_of_their_routes() {
        let calls = r#"[{"url":"https://api.example/x/1"},{"method":"PUT","url":"https://api.example/x/2"}]"#;
        let calls = Call::list(calls).expect("calls");
        let scope = with(TABLE, API, "").scope_for(&calls);
        assert_eq!(scope, Ok(std::vec!["w".to_string()]));
    }

    #[test]
    fn a_call_is_narrowed_within_what_the_session_has() {
        let writer = with(TABLE, API, r#","scope":"w""#);
        let header = |scope| admit(&writer, "GET", &format!(r#"{{"scope":{scope}}}"#));
        let named = |value: &str| Ok(("X-Scope".to_string(), value.to_string()));
        assert_eq!(header(r#"["r"]"#), named("r"));
        assert_eq!(header(r#"["r","w"]"#), named("w"));
        assert_eq!(
            header(r#""x""#).map_err(|error| error.code),
            Err(ErrorCode::UnknownScope)
        );
        let reader = with(TABLE, API, r#","scope":"r""#);
        let wider = admit(&reader, "GET", r#"{"scope":["w"]}"#).expect_err("wider");
        assert_eq!(wider.code, ErrorCode::InsufficientScope);
        let other = session("1", API, "");
        let error = admit(&other, "GET", r#"{"scope":["r"]}"#).expect_err("no header");
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_refusal_is_explained_by_the_providers_table() {
        let rows = r#","errors":[{"error":"forbidden","also":["PA"],"message":"not yours","remedy":"log in"},{"status":420,"message":"chill","remedy":"wait"},
            {"error":"slow","message":"slow down","remedy":"wait more"},{"says":"No Access","message":"unpaid","remedy":"pay"}]"#;
        let session = with(rows, API, "");
        for (status, body, code, error, message) in [
            (
                403,
                r#"{"error":"forbidden","message":"x"}"#,
                "request_refused",
                "forbidden",
                "not yours",
            ),
            (
                403,
                r#"{"code":"PA","message":"x"}"#,
                "request_refused",
                "forbidden",
                "not yours",
            ),
            (
                420,
                r#"{"status":420,"message":"Chill"}"#,
                "rate_limited",
                "",
                "chill",
            ),
            (429, "slow", "rate_limited", "slow", "slow down"),
            (
                403,
                r#"{"message":"No Access to this"}"#,
                "request_refused",
                "",
                "unpaid",
            ),
            (
                404,
                r#"{"error":"not_found"}"#,
                "request_refused",
                "not_found",
                "the API refused the request",
            ),
            (500, "<html>", "server_error", "", "the server failed"),
            (
                400,
                "two words",
                "request_refused",
                "",
                "the API refused the request",
            ),
        ] {
            let answer =
                format!(r#"{{"status":{status},"method":"GET","url":"https://api.example/"}}"#);
            let answer = Json::parse(answer.as_bytes()).expect("JSON");
            let json = explain(Some(&session), &answer, body.as_bytes(), 0).expect("a refusal");
            let json = Json::parse(json.to_json().as_bytes()).expect("JSON");
            let member = |name| json.str(name).unwrap_or("");
            assert_eq!(
                (member("code"), member("error"), member("message")),
                (code, error, message),
                "{body}"
            );
        }
        let fine = Json::parse(br#"{"status":200}"#).expect("JSON");
        assert_eq!(explain(Some(&session), &fine, b"{}", 0), None);
        let echoed = Json::parse(br#"{"status":401,"url":""}"#).expect("JSON");
        let json = explain(
            Some(&session),
            &echoed,
            br#"{"error":"x","message":"token a1 is bad"}"#,
            0,
        );
        assert!(
            json.expect("a refusal")
                .to_json()
                .contains("token (..) is bad")
        );
    }
}
