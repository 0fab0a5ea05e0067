//! `/_sandbox/…`: a test or the console page takes the sandbox in hand over HTTP. README.md lists the routes.

use serde_json::{Value, json};

use crate::message::{self, Answer, Request};
use crate::{Sandbox, documented_errors};

pub fn handle(sandbox: &Sandbox, request: &Request) -> Answer {
    let query = request.query();
    match (request.method.as_str(), request.path.as_str()) {
        ("OPTIONS", _) => message::preflight(),
        ("GET", "/_sandbox/settings") => settings(sandbox),
        ("POST", "/_sandbox/settings") => change(sandbox, request),
        ("POST", "/_sandbox/reset") => done(|| sandbox.reset()),
        ("POST", "/_sandbox/advance") => match query
            .get("seconds")
            .and_then(|seconds| seconds.parse().ok())
        {
            Some(seconds) => done(|| sandbox.advance(seconds)),
            None => wrong("seconds must be a whole number"),
        },
        ("POST", "/_sandbox/expire-tokens") => done(|| sandbox.expire_tokens()),
        ("POST", "/_sandbox/revoke-grants") => done(|| sandbox.revoke_grants()),
        ("POST", "/_sandbox/hold") => match query.get("path") {
            Some(path) => done(|| sandbox.hold(path)),
            None => wrong("path is missing"),
        },
        ("POST", "/_sandbox/release") => done(|| sandbox.release()),
        ("GET", "/_sandbox/held") => message::json(200, &json!({ "held": sandbox.held() })),
        ("GET", "/_sandbox/requests") => body(&sandbox.requests()),
        ("POST", "/_sandbox/forget-requests") => done(|| sandbox.forget_requests()),
        ("GET", "/_sandbox/spent-twice") => message::json(
            200,
            &json!({ "refreshTokens": sandbox.refresh_tokens_spent_twice() }),
        ),
        ("GET", "/_sandbox/errors") => body(&documented_errors()),
        ("GET", "/_sandbox/routes") => body(&crate::routes()),
        ("GET", "/_sandbox/sites") => body(&crate::sites()),
        _ => message::json(404, &json!({ "error": "the sandbox has no such control" })),
    }
}

/// How many held requests `GET /_sandbox/held?count=` is to wait for. `Sandbox::receive` does the waiting.
pub fn awaited_holds(uri: &http::Uri) -> Option<usize> {
    let query = uri.query().filter(|_| uri.path() == "/_sandbox/held")?;
    message::Parameters::parse(query.as_bytes())
        .get("count")?
        .parse()
        .ok()
}

fn settings(sandbox: &Sandbox) -> Answer {
    body(&sandbox.settings())
}

fn change(sandbox: &Sandbox, request: &Request) -> Answer {
    let Some(patch) = request.json() else {
        return wrong("the body must be JSON");
    };
    let mut complaint = None;
    sandbox.change(|settings| match settings.patched(&patch) {
        Ok(patched) => *settings = patched,
        Err(words) => complaint = Some(words),
    });
    complaint.map_or_else(|| settings(sandbox), |words| wrong(&words))
}

fn body(value: &impl serde::Serialize) -> Answer {
    message::json(200, &serde_json::to_value(value).unwrap_or(Value::Null))
}

fn done(act: impl FnOnce()) -> Answer {
    act();
    message::answer(204, "", "")
}

fn wrong(words: &str) -> Answer {
    message::json(400, &json!({ "error": words }))
}
