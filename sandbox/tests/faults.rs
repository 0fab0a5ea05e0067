//! Faults, CORS, the log, the control routes, and a real socket for what only a socket can show.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

mod browser;

use std::sync::Arc;
use std::time::Duration;

use browser::*;
use sandbox::{Delayed, Dropped, Fault, FaultKind, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[test]
fn a_fault_strikes_as_often_as_it_says_and_then_no_more() {
    let sandbox = Sandbox::new();
    let check = |kind: FaultKind, examine: &dyn Fn(&Answer)| {
        sandbox.change(|settings| settings.faults = vec![Fault::new("/sites", kind)]);
        assert_eq!(send(&sandbox, "OPTIONS", "/sites", &[], "").status, 204);
        let answer = get(&sandbox, "/sites");
        assert!(answer.header("access-control-allow-origin").is_some());
        examine(&answer);
        let after = get(&sandbox, "/sites");
        assert!(after.status == 200 && after.json().is_array());
    };
    check(FaultKind::Delay(50), &|answer| {
        assert_eq!(
            answer.extensions.get(),
            Some(&Delayed(Duration::from_millis(50)))
        );
        assert_eq!(answer.status, 200);
    });
    check(FaultKind::DropBefore, &|answer| {
        assert_eq!(answer.extensions.get(), Some(&Dropped))
    });
    check(FaultKind::DropAfterProcessing, &|answer| {
        assert_eq!(answer.extensions.get(), Some(&Dropped))
    });
    check(FaultKind::Status500, &|answer| {
        assert_eq!(answer.status, 500)
    });
    check(FaultKind::Html, &|answer| {
        assert_eq!(answer.header("content-type"), Some("text/html"))
    });
    check(FaultKind::TruncatedJson, &|answer| {
        assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    });
    check(
        FaultKind::WrongContentType("text/plain".into()),
        &|answer| {
            assert_eq!(answer.header("content-type"), Some("text/plain"));
            assert!(answer.json().is_array());
        },
    );
    check(FaultKind::Empty(401), &|answer| {
        assert_eq!((answer.status, answer.body.as_str()), (401, ""))
    });
    check(FaultKind::TooLarge(2_000_000), &|answer| {
        assert!(answer.body.len() > 2_000_000)
    });
    check(FaultKind::Documented("forbidden".into()), &|answer| {
        assert_eq!(answer.status, 403)
    });
    let headers = [("x-one".to_owned(), "1".to_owned())].into();
    let (content_type, body) = ("application/json".into(), "{}".into());
    check(
        FaultKind::Body {
            status: 418,
            content_type,
            body,
            headers,
        },
        &|answer| {
            assert_eq!((answer.status, answer.header("x-one")), (418, Some("1")));
        },
    );
}

#[test]
fn a_request_dropped_after_processing_was_processed() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read", None);
    sandbox.change(|settings| {
        settings
            .faults
            .push(Fault::new("/oauth/token", FaultKind::DropAfterProcessing))
    });
    exchange(&sandbox, &code, &[]);
    assert_eq!(sandbox.requests()[0].status, 0);
    assert_eq!(exchange(&sandbox, &code, &[]).status, 400);
}

#[test]
fn a_fault_before_processing_spends_nothing() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read", None);
    sandbox.change(|settings| {
        settings
            .faults
            .push(Fault::new("/oauth/token", FaultKind::DropBefore))
    });
    exchange(&sandbox, &code, &[]);
    assert_eq!(exchange(&sandbox, &code, &[]).status, 200);
}

#[test]
fn the_api_answers_every_origin_and_the_authorization_endpoint_none() {
    let sandbox = Sandbox::new();
    let preflight = send(
        &sandbox,
        "OPTIONS",
        "/users/me",
        &[("origin", "https://app.test")],
        "",
    );
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let allowed = preflight
        .header("access-control-allow-headers")
        .unwrap_or_default();
    assert!(allowed.contains("Authorization") && allowed.contains("X-OAuth-Scope"));
    let exposed = get(&sandbox, "/users/me");
    let exposed = exposed
        .header("access-control-expose-headers")
        .unwrap_or_default();
    assert!(exposed.contains("Retry-After") && exposed.contains("WWW-Authenticate"));
    assert_eq!(
        get(&sandbox, &authorization_uri(&[])).header("access-control-allow-origin"),
        None
    );
    assert_eq!(
        send(&sandbox, "OPTIONS", "/authorization", &[], "").header("access-control-allow-origin"),
        None
    );
    sandbox.change(|settings| settings.cors = false);
    assert_eq!(
        get(&sandbox, "/sites").header("access-control-allow-origin"),
        None
    );
}

#[test]
fn what_was_received_can_be_read_back_and_forgotten() {
    let sandbox = Sandbox::new();
    exchange(&sandbox, "TG-1", &[]);
    let received = sandbox.requests();
    assert_eq!(
        (
            received.len(),
            received[0].method.as_str(),
            received[0].status
        ),
        (1, "POST", 400)
    );
    assert_eq!(received[0].form("redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(received[0].header("Host"), Some("localhost:8787"));
    sandbox.forget_requests();
    assert!(sandbox.requests().is_empty());
}

#[test]
fn the_sandbox_is_controlled_over_http() {
    let sandbox = Sandbox::new();
    let settings = r#"{"expiresIn":5,"faults":[{"pathPrefix":"/sites","kind":"status500"}]}"#;
    let changed = send(&sandbox, "POST", "/_sandbox/settings", &[], settings);
    assert_eq!(
        (
            changed.status,
            changed.header("access-control-allow-origin")
        ),
        (200, Some("*"))
    );
    assert_eq!(changed.json()["expiresIn"], 5);
    assert_eq!(get(&sandbox, "/sites").status, 500);
    let wrong = send(
        &sandbox,
        "POST",
        "/_sandbox/settings",
        &[],
        r#"{"nonsense":1}"#,
    );
    assert_eq!(
        (wrong.status, wrong.json()["error"].as_str()),
        (400, Some("unknown setting: nonsense"))
    );
    let before = sandbox.now();
    assert_eq!(
        send(&sandbox, "POST", "/_sandbox/advance?seconds=3600", &[], "").status,
        204
    );
    assert!(sandbox.now() >= before + 3600);
    assert_eq!(
        get(&sandbox, "/_sandbox/requests")
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert!(
        get(&sandbox, "/_sandbox/errors")
            .json()
            .as_array()
            .is_some_and(|rows| rows.len() > 15)
    );
    assert_eq!(
        send(&sandbox, "POST", "/_sandbox/reset", &[], "").status,
        204
    );
    assert_eq!(sandbox.settings().expires_in, 21_600);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn token_responses_can_be_changed_field_by_field() {
    let sandbox = Sandbox::new();
    let patch = r#"{"tokenResponse":{"expires_in":"3600","token_type":null,"extra":true}}"#;
    send(&sandbox, "POST", "/_sandbox/settings", &[], patch);
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read", None);
    let tokens = exchange(&sandbox, &code, &[]).json();
    assert_eq!(
        (tokens["expires_in"].as_str(), tokens["extra"].as_bool()),
        (Some("3600"), Some(true))
    );
    assert!(tokens.get("token_type").is_none());
}

#[test]
fn a_redirect_goes_where_it_is_told() {
    let sandbox = Sandbox::new();
    let answer = get(&sandbox, "/redirect?to=https://other.test/x&status=307");
    assert_eq!(
        (answer.status, answer.location()),
        (307, "https://other.test/x")
    );
    assert_eq!(get(&sandbox, "/redirect?to=/sites&status=200").status, 302);
}

/// The raw bytes that come back before the connection closes.
async fn raw(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn serving() -> (Arc<Sandbox>, std::net::SocketAddr) {
    let sandbox = Arc::new(Sandbox::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(sandbox::serve(listener, sandbox.clone()));
    (sandbox, address)
}

#[tokio::test]
async fn a_dropped_request_gets_not_one_byte_over_a_real_socket() {
    let (sandbox, address) = serving().await;
    sandbox.change(|settings| {
        settings
            .faults
            .push(Fault::new("/sites", FaultKind::DropAfterProcessing))
    });
    assert_eq!(raw(address, "/sites").await, "");
    assert!(raw(address, "/sites").await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(sandbox.requests().len(), 2);
}

#[tokio::test]
async fn a_held_request_is_processed_only_when_it_is_released() {
    let (sandbox, address) = serving().await;
    sandbox.hold("/sites");
    let asking = tokio::spawn(async move { raw(address, "/sites").await });
    sandbox.until_held(1).await;
    assert!(sandbox.requests().is_empty() && !asking.is_finished());
    assert!(
        raw(address, "/_sandbox/held?count=1")
            .await
            .contains("{\"held\":1}")
    );
    sandbox.release();
    assert!(asking.await.expect("an answer").contains("Argentina"));
    assert_eq!(sandbox.held(), 0);
}
