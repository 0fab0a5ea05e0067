//! Servers that lie, stall and swell: each ends in a typed error, and none makes a session.

use attacks::{answer, body, exchange_with, fault};
use e2e::{APP, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn answered_with(members: Value) -> Value {
    json!({ "tokenResponse": members })
}

#[tokio::test]
async fn each_way_the_token_endpoint_can_fail_has_its_code_and_never_makes_a_session() {
    let world = World::start().await;
    world.open_app(APP).await;
    let token = r#"{"access_token":"a","token_type":"bearer"}"#;
    let json_type = "application/json";
    let elsewhere = |status: u16| {
        fault(
            json!({ "body": { "status": status, "contentType": "", "body": "",
            "headers": { "location": format!("{}/token", world.foreign.origin) } } }),
        )
    };
    let invalid = "invalid_token_response";
    let rows = [
        (fault(json!("html")), invalid, "HTML"),
        (fault(json!("truncatedJson")), invalid, "not valid JSON"),
        (
            fault(json!({ "wrongContentType": "text/plain" })),
            invalid,
            "content type",
        ),
        (fault(json!({ "empty": 200 })), invalid, ""),
        (fault(json!({ "empty": 204 })), invalid, ""),
        (fault(json!({ "empty": 401 })), invalid, ""),
        (fault(json!("status500")), "server_error", ""),
        (
            body(503, json_type, r#"{"error":"temporarily_unavailable"}"#),
            "server_error",
            "",
        ),
        (
            fault(json!({ "documented": "local_rate_limited" })),
            "rate_limited",
            "",
        ),
        (
            fault(json!({ "documented": "local_rate_limited_json" })),
            "rate_limited",
            "",
        ),
        (
            fault(json!({ "documented": "chill_out" })),
            "rate_limited",
            "",
        ),
        (
            fault(json!({ "tooLarge": 2_000_000 })),
            "response_too_large",
            "1 MiB",
        ),
        (fault(json!("dropAfterProcessing")), "network_error", ""),
        (fault(json!("dropBefore")), "network_error", ""),
        (json!({ "cors": false }), "network_error", "CORS"),
        (elsewhere(302), "network_error", ""),
        (elsewhere(307), "network_error", ""),
        (
            fault(json!({ "documented": "spent_or_expired" })),
            "token_request_refused",
            "",
        ),
        (
            json!({ "requireClientSecret": true }),
            "token_request_refused",
            "",
        ),
        (
            body(200, json_type, r#"{"error":"invalid_grant"}"#),
            "token_request_refused",
            "",
        ),
        (body(400, json_type, r#"{"error":5}"#), invalid, ""),
        (body(202, json_type, token), invalid, ""),
        (body(200, json_type, "[]"), invalid, ""),
        (body(200, json_type, "null"), invalid, ""),
        (body(200, json_type, &"[".repeat(500_000)), invalid, ""),
        (
            answered_with(json!({ "access_token": null })),
            invalid,
            "access_token",
        ),
        (
            answered_with(json!({ "access_token": "" })),
            invalid,
            "access_token",
        ),
        (
            answered_with(json!({ "access_token": 5 })),
            invalid,
            "access_token",
        ),
        (
            answered_with(json!({ "access_token": "a\r\nX: y" })),
            invalid,
            "access_token",
        ),
        (
            answered_with(json!({ "token_type": "mac" })),
            "unsupported_token_type",
            "",
        ),
        (
            answered_with(json!({ "expires_in": "soon" })),
            invalid,
            "expires_in",
        ),
        (
            answered_with(json!({ "expires_in": true })),
            invalid,
            "expires_in",
        ),
        (
            answered_with(json!({ "refresh_token": 5 })),
            invalid,
            "refresh_token",
        ),
    ];
    let mut wrong = Vec::new();
    for (patch, code, named) in rows {
        let before = world.token_requests("authorization_code");
        let outcome = exchange_with(&world, patch.clone()).await;
        let error = &outcome["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let retryable = ["network_error", "server_error", "rate_limited"].contains(&code);
        let session = world.outcome("oauth.session()", &[]).await;
        let asked = world.token_requests("authorization_code") - before;
        let good = error["code"] == code
            && message.contains(named)
            && error["retryable"] == retryable
            && session == json!({ "value": null })
            && asked == 1
            && world.pending().await.is_empty();
        if !good {
            wrong.push(json!([
                patch.to_string().get(..200),
                code,
                outcome,
                session,
                asked
            ]));
        }
    }
    assert_eq!(wrong, Vec::<Value>::new());
    assert_eq!(world.foreign.requests(), []);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_token_endpoint_that_never_answers_is_a_timeout() {
    let world = World::start().await;
    // Thirty seconds are too long for a test: the page shortens them before the library takes its natives.
    world.app.serve(
        "/hasty.html",
        "text/html",
        "<!doctype html><title>hasty</title><link rel=icon href='data:,'>
        <script>
            const { timeout } = AbortSignal
            AbortSignal.timeout = milliseconds => {
                window.asked = milliseconds
                return timeout.call(AbortSignal, 1)
            }
        </script>
        <script type=module src=/e2e/app.js></script>",
    );
    let hasty = format!("{}/hasty.html", world.app.origin);
    world.open_app("/hasty.html").await;
    world.sandbox.hold("/oauth/token");
    let url = world.begin(json!({ "redirectUri": hasty })).await;
    let outcome = answer(&world, &world.redirect(&url)).await;
    assert_eq!(outcome["error"]["code"], "timeout", "{outcome}");
    assert_eq!(outcome["error"]["retryable"], true);
    assert_eq!(world.run("return asked", &[]).await, 30_000);
    world.sandbox.release();
}

/// A token endpoint that answers every POST with the start of a body and goes on as it likes.
async fn endless(piece: &'static [u8], pieces: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!(
        "http://{}/token",
        listener.local_addr().expect("an address")
    );
    let sent = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counting = Arc::clone(&counting);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\naccess-control-allow-origin: *\r\n\r\n{\"a\":\"";
                let _ = stream.write_all(head).await;
                for _ in 0..pieces {
                    if stream.write_all(piece).await.is_err() {
                        return;
                    }
                    counting.fetch_add(piece.len(), Ordering::Relaxed);
                }
                // Never the end: until the browser has had enough.
                let _ = stream.read(&mut request).await;
            });
        }
    });
    (endpoint, sent)
}

#[tokio::test]
async fn a_body_without_end_is_left_at_a_mebibyte_and_one_that_stalls_by_the_clock() {
    let world = World::start().await;
    world.app.serve(
        "/hasty.html",
        "text/html",
        "<!doctype html><title>hasty</title><link rel=icon href='data:,'>
        <script>
            const { timeout } = AbortSignal
            AbortSignal.timeout = milliseconds => timeout.call(AbortSignal, milliseconds / 20)
        </script>
        <script type=module src=/e2e/app.js></script>",
    );
    let hasty = format!("{}/hasty.html", world.app.origin);
    world.open_app("/hasty.html").await;
    let megabytes = 200_000_000 / PIECE.len();
    for (pieces, code) in [(megabytes, "response_too_large"), (1, "timeout")] {
        let (endpoint, sent) = endless(PIECE, pieces).await;
        let more = json!({ "redirectUri": hasty, "tokenEndpoint": endpoint });
        let url = world.begin(more).await;
        let outcome = answer(&world, &world.redirect(&url)).await;
        assert_eq!(outcome["error"]["code"], code, "{outcome}");
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < 100_000_000, "{sent} bytes were taken");
        let session = world.run("return await oauth.session()", &[]).await;
        assert_eq!(session, Value::Null);
    }
}

const PIECE: &[u8] = &[b'x'; 65_536];
