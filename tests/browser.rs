//! What only a browser can show, through the Rust API: storage, history, natives, two things at once.
//! `cargo test --target wasm32-unknown-unknown` runs it, with the sandbox on a fixed port beside it.
#![cfg(target_family = "wasm")]

use gloo_net::http::Request;
use oauth_wasm::{
    ChangeKind, ChangeOrigin, ErrorCode, Failure, FetchOptions, LoginConfig, Session,
    SessionChange, SessionState, adopt_token, explained, fetch_private, fetch_private_with,
    handle_redirect, handle_redirect_with, logout, on_session_change, scopes_for, session,
    start_login_with,
};
use serde::Deserialize;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

/// Where xtask's runner has the sandbox.
const SANDBOX: &str = "http://127.0.0.1:48611";

#[derive(Debug, Deserialize, PartialEq)]
struct Extra {
    user_id: u32,
}

fn window() -> web_sys::Window {
    web_sys::window().expect("a page")
}

fn storage() -> web_sys::Storage {
    let storage = window().session_storage().expect("storage is allowed");
    storage.expect("storage is there")
}

fn origin() -> String {
    window().location().origin().expect("an origin")
}

fn config() -> LoginConfig {
    LoginConfig {
        provider: Some("mercadolibre".into()),
        site: Some("MLA".into()),
        client_id: "1620218256833906".into(),
        redirect_uri: format!("{}/callback", origin()),
        authorization_endpoint: Some(format!("{SANDBOX}/authorization")),
        token_endpoint: Some(format!("{SANDBOX}/oauth/token")),
        resource_servers: Some(vec![SANDBOX.into()]),
        scope: Some(vec!["offline_access".into(), "read".into()]),
        ..LoginConfig::default()
    }
}

/// A clean sandbox and a clean page.
async fn fresh(settings: &str) {
    logout(false)
        .await
        .expect("nothing is asked of the network");
    storage().clear().expect("storage is there");
    control("reset", "").await;
    control("settings", r#"{"autoConsent":true}"#).await;
    control("settings", settings).await;
}

async fn control(what: &str, body: &str) {
    let request = Request::post(&format!("{SANDBOX}/_sandbox/{what}"));
    let request = request.body(body).expect("a request");
    let response = request.send().await.expect("the sandbox answers");
    assert!(response.ok(), "{what} {body}: {}", response.status());
}

async fn requests(path: &str) -> usize {
    let response = Request::get(&format!("{SANDBOX}/_sandbox/requests")).send();
    let text = response
        .await
        .expect("the sandbox")
        .text()
        .await
        .expect("text");
    let all = js_sys::JSON::parse(&text).expect("JSON");
    js_sys::Array::from(&all)
        .iter()
        .filter(|request| {
            let is = |name: &str, want: &str| {
                let value = js_sys::Reflect::get(request, &name.into()).expect("an object");
                value.as_string().as_deref() == Some(want)
            };
            is("path", path) && !is("method", "OPTIONS")
        })
        .count()
}

/// Starts a login and gives the authorization URL.
async fn authorization_url(config: &LoginConfig) -> Result<String, Failure> {
    let seen = js_sys::Array::new();
    let keep =
        js_sys::Function::new_with_args("seen, url", "seen.push(url)").bind1(&JsValue::NULL, &seen);
    start_login_with(config, keep.unchecked_into()).await?;
    Ok(seen.get(0).as_string().expect("a URL"))
}

/// Lets the provider redirect in a frame, and gives the URL it came back with.
async fn follow(url: &str) -> String {
    let document = window().document().expect("a document");
    let frame = document.create_element("iframe").expect("an element");
    let frame: web_sys::HtmlIFrameElement = frame.unchecked_into();
    let loaded =
        js_sys::Promise::new(&mut |resolve, _| frame.set_onload(Some(resolve.unchecked_ref())));
    frame.set_src(url);
    let body = document.body().expect("a body");
    body.append_child(&frame).expect("it can be shown");
    JsFuture::from(loaded).await.expect("the frame loads");
    let inside = frame.content_window().expect("a window");
    let href = inside.location().href().expect("it is of this origin");
    frame.remove();
    href
}

async fn log_in() -> Session<Extra> {
    let url = authorization_url(&config()).await.expect("a login starts");
    let back = follow(&url).await;
    let session = handle_redirect_with(Some(&back)).await.expect("a session");
    session.expect("a redirect of ours")
}

fn code(failure: Failure) -> ErrorCode {
    match failure {
        Failure::OAuth(error) => error.code,
        Failure::JavaScript(reason) => panic!("not an OAuth error: {reason:?}"),
    }
}

#[wasm_bindgen_test]
async fn a_login_gives_a_session_and_private_data() {
    fresh("{}").await;
    let logged_in = log_in().await;
    assert_eq!(logged_in.extra, Extra { user_id: 226384143 });
    assert_eq!(session().ok().flatten(), Some(logged_in));
    let request = Request::get(&format!("{SANDBOX}/users/me"))
        .build()
        .expect("a request");
    let text = fetch_private(request)
        .await
        .expect("an answer")
        .text()
        .await;
    assert!(
        text.expect("text")
            .contains("test_user_38730994@testuser.com")
    );
    assert_eq!(storage().length(), Ok(0), "nothing stays behind");
    logout(false)
        .await
        .expect("nothing is asked of the network");
    assert_eq!(session::<Extra>().ok().flatten(), None);
}

#[wasm_bindgen_test]
async fn s256_needs_no_crypto_subtle() {
    fresh("{}").await;
    let crypto = js_sys::Reflect::get(&window(), &"crypto".into()).expect("crypto");
    let descriptor = js_sys::Object::new();
    js_sys::Reflect::set(&descriptor, &"value".into(), &JsValue::UNDEFINED).expect("set");
    js_sys::Reflect::set(&descriptor, &"configurable".into(), &JsValue::TRUE).expect("set");
    js_sys::Object::define_property(
        crypto.unchecked_ref::<js_sys::Object>(),
        &"subtle".into(),
        &descriptor,
    );
    let subtle = js_sys::Reflect::get(&crypto, &"subtle".into()).expect("gone");
    assert!(subtle.is_undefined());
    log_in().await;
    js_sys::Reflect::delete_property(crypto.unchecked_ref::<js_sys::Object>(), &"subtle".into())
        .expect("back");
    assert_eq!(requests("/oauth/token").await, 1);
}

#[wasm_bindgen_test]
async fn a_redirect_handled_twice_at_once_is_exchanged_once() {
    fresh("{}").await;
    let url = authorization_url(&config()).await.expect("a login starts");
    let back = follow(&url).await;
    let (first, second) = (handle_redirect(Some(&back)), handle_redirect(Some(&back)));
    let first = first.await.expect("a session").expect("ours");
    let second = second.await.expect("the same").expect("ours");
    let later = handle_redirect(Some(&back))
        .await
        .expect("the same")
        .expect("ours");
    assert_eq!(
        (&first.scope, first.expires_at),
        (&second.scope, second.expires_at)
    );
    assert_eq!(first.expires_at, later.expires_at);
    assert_eq!(requests("/oauth/token").await, 1);
}

#[wasm_bindgen_test]
async fn two_calls_on_an_expired_token_renew_it_once() {
    // The token is good at the API, but its time is over as soon as it is here.
    fresh(r#"{"tokenResponse":{"expires_in":0.5}}"#).await;
    log_in().await;
    let request = || {
        let request = Request::get(&format!("{SANDBOX}/users/me")).build();
        js_sys::futures::future_to_promise(async move {
            let response = fetch_private(request.expect("a request")).await;
            Ok(JsValue::from(response.expect("an answer").status()))
        })
    };
    let all = js_sys::Array::of2(&request(), &request());
    let both = JsFuture::from(js_sys::Promise::all(&all))
        .await
        .expect("both");
    let both: Vec<_> = js_sys::Array::from(&both).iter().collect();
    assert_eq!(both, [JsValue::from(200), JsValue::from(200)]);
    assert_eq!(
        requests("/oauth/token").await,
        2,
        "the code, and one renewal"
    );
}

#[wasm_bindgen_test]
async fn the_address_bar_is_clean_before_anything_is_awaited() {
    fresh("{}").await;
    let before = window().location().href().expect("an address");
    let history = window().history().expect("a history");
    let state = JsValue::from_str("the page's own");
    let answer = "/?page=7&code=c&state=ow1xAAAA&iss=x#/route";
    history
        .push_state_with_url(&state, "", Some(answer))
        .expect("same origin");
    let pending = handle_redirect(None);
    let mut pending = Box::pin(pending);
    let waker = core::task::Waker::noop();
    let first = pending
        .as_mut()
        .poll(&mut core::task::Context::from_waker(waker));
    let after = window().location().href().expect("an address");
    assert_eq!(after, format!("{}/?page=7#/route", origin()));
    assert_eq!(history.state(), Ok(state));
    // A login may wait where only a question finds it.
    let outcome = match first {
        core::task::Poll::Ready(outcome) => outcome,
        core::task::Poll::Pending => pending.await,
    };
    assert_eq!(
        code(outcome.expect_err("nobody asked")),
        ErrorCode::UnknownState
    );
    history
        .replace_state_with_url(&JsValue::NULL, "", Some(&before))
        .expect("same origin");
}

#[wasm_bindgen_test]
async fn other_peoples_parameters_stay_in_the_address_bar() {
    fresh("{}").await;
    let before = window().location().href().expect("an address");
    let history = window().history().expect("a history");
    for answer in [
        "/?code=promo",
        "/?code=x&state=theirs",
        "/?state=CA",
        "/#access_token=x",
    ] {
        history
            .push_state_with_url(&JsValue::NULL, "", Some(answer))
            .expect("same origin");
        assert!(matches!(handle_redirect(None).await, Ok(None)), "{answer}");
        let after = window().location().href().expect("an address");
        assert_eq!(after, format!("{}{answer}", origin()));
    }
    history
        .replace_state_with_url(&JsValue::NULL, "", Some(&before))
        .expect("same origin");
}

#[wasm_bindgen_test]
async fn a_full_storage_is_said_so_and_nothing_is_lost() {
    fresh("{}").await;
    let storage = storage();
    let mut size = 1 << 22;
    let mut n = 0;
    while size > 0 {
        match storage.set_item(&format!("filler{n}"), &"x".repeat(size)) {
            Ok(()) => n += 1,
            Err(_) => size /= 2,
        }
    }
    let error = authorization_url(&config()).await.expect_err("no room");
    assert_eq!(code(error), ErrorCode::StorageFull);
    storage.clear().expect("storage is there");
    assert!(
        authorization_url(&config()).await.is_ok(),
        "there is room again"
    );
}

#[wasm_bindgen_test]
async fn old_logins_are_swept_and_too_many_make_room() {
    fresh("{}").await;
    let mut short = config();
    short.pending_max_age = Some(0);
    authorization_url(&short).await.expect("a login starts");
    let key = storage().key(0).expect("storage").expect("a record");
    let record = storage()
        .get_item(&key)
        .expect("storage")
        .expect("a record");
    let old = record.replacen("1s1", "1s0", 1);
    assert_ne!(old, record);
    storage().set_item(&key, &old).expect("room");
    for _ in 0..20 {
        authorization_url(&config()).await.expect("a login starts");
    }
    assert_eq!(storage().length(), Ok(16));
    assert_eq!(storage().get_item(&key), Ok(None));
}

#[wasm_bindgen_test]
async fn an_abort_with_any_reason_at_all_comes_back_as_it_is() {
    fresh("{}").await;
    log_in().await;
    let controller = web_sys::AbortController::new().expect("a controller");
    let init = web_sys::RequestInit::new();
    init.set_signal(Some(&controller.signal()));
    let request = web_sys::Request::new_with_str_and_init(&format!("{SANDBOX}/users/me"), &init);
    let pending = fetch_private(request.expect("a request").into());
    controller.abort_with_reason(&"stop".into());
    match pending.await {
        Err(Failure::JavaScript(reason)) => assert_eq!(reason, JsValue::from("stop")),
        other => panic!("aborted, not {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn a_configuration_error_names_the_field_and_stores_nothing() {
    fresh("{}").await;
    let mut wrong = config();
    wrong.return_to = Some("//evil.example".into());
    match authorization_url(&wrong).await {
        Err(Failure::OAuth(error)) => {
            assert_eq!(error.detail, "returnTo: must be a path of this origin");
        }
        other => panic!("an error, not {other:?}"),
    }
    assert_eq!(storage().length(), Ok(0));
}

fn appfigures() -> LoginConfig {
    LoginConfig {
        provider: Some("appfigures".into()),
        resource_servers: Some(vec![format!("{SANDBOX}/v2")]),
        scope: Some(vec!["products:read".into()]),
        language: Some("es".into()),
        ..LoginConfig::default()
    }
}

#[wasm_bindgen_test]
async fn rust_knows_the_providers_scopes_and_words_too() {
    fresh("{}").await;
    let url = |path: &str| format!("{SANDBOX}/v2{path}");
    let (mine, reviews) = (url("/products/mine"), url("/reviews"));
    let least = scopes_for(
        &[("GET", &mine), ("PUT", &url("/products/1"))],
        Some(&appfigures()),
    );
    assert_eq!(least.expect("known routes"), ["products:write"]);

    let adopted = adopt_token::<serde::de::IgnoredAny>("pat_sandbox".into(), &appfigures());
    let adopted = adopted.expect("a token").expect("a session");
    assert_eq!((adopted.client_id, adopted.scope.len()), (None, 1));

    let get = |url: &str| Request::get(url).build().expect("a request");
    let answer = fetch_private(get(&mine)).await.expect("an answer");
    assert_eq!(explained(answer).await.expect("no refusal").status(), 200);
    let refused = code(fetch_private(get(&reviews)).await.expect_err("no scope"));
    assert_eq!(refused, ErrorCode::InsufficientScope);
    let narrow = FetchOptions {
        scope: Some(vec!["account:read".into()]),
        max_wait: Some(1),
        ..FetchOptions::default()
    };
    let refused = code(
        fetch_private_with(get(&mine), &narrow)
            .await
            .expect_err("wider"),
    );
    assert_eq!(refused, ErrorCode::InsufficientScope);

    fresh(r#"{"forceApiError":"chill_out"}"#).await;
    adopt_token::<serde::de::IgnoredAny>("pat_sandbox".into(), &appfigures()).expect("a token");
    let answer = fetch_private(get(&mine)).await.expect("an answer");
    let Err(Failure::OAuth(error)) = explained(answer).await else {
        panic!("a refusal");
    };
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.explained.is_some(), "in the provider's words");
}

#[wasm_bindgen_test]
async fn a_closure_hears_of_each_change_until_its_subscription_is_dropped() {
    fresh("{}").await;
    // What `fresh` has ended is told by now.
    turn().await;
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hears = heard.clone();
    let subscription = on_session_change(move |change: SessionChange<Extra>| {
        hears.borrow_mut().push(change);
    });
    let mut told = config();
    told.app_state = Some(r#"{"cart":[1,2]}"#.into());
    let url = authorization_url(&told).await.expect("a login starts");
    let back = follow(&url).await;
    let began = handle_redirect_with::<Extra>(Some(&back)).await;
    let began = began.expect("a session").expect("ours");
    assert_eq!((began.state, began.keep), (SessionState::Active, None));
    assert!(!began.shared);
    assert_eq!(began.app_state, r#"{"cart":[1,2]}"#);
    logout(false)
        .await
        .expect("nothing is asked of the network");
    turn().await;
    let changes = heard.take();
    let [started, ended] = &changes[..] else {
        panic!("two changes, not {changes:?}");
    };
    assert_eq!(
        (started.kind, started.from),
        (ChangeKind::Started, ChangeOrigin::Here)
    );
    assert_eq!(started.session.as_ref(), Some(&began));
    assert_eq!((ended.kind, &ended.session), (ChangeKind::Ended, &None));
    assert_eq!(ended.reason.as_deref(), Some("logout"));

    drop(subscription);
    assert_eq!(Rc::strong_count(&heard), 1, "the closure is gone");
    log_in().await;
    turn().await;
    assert_eq!(*heard.borrow(), []);
}

/// Until what waits for the next turn has been done.
async fn turn() {
    let timer = js_sys::Promise::new(&mut |done, _| {
        let later = js_sys::Function::new_with_args("done", "setTimeout(done)");
        later.call1(&JsValue::NULL, &done).expect("a timer");
    });
    JsFuture::from(timer).await.expect("a turn");
}

#[wasm_bindgen_test]
async fn tables_of_the_applications_own_stand_in_the_place_of_the_providers() {
    let mut own = appfigures();
    own.tables = Some(r#"{"routes":[{"path":"/mine","read":"account:read"}]}"#.into());
    let mine = format!("{SANDBOX}/v2/mine");
    let least = scopes_for(&[("GET", &mine)], Some(&own));
    assert_eq!(least.expect("a known route"), ["account:read"]);
    for wrong in ["", "[]", r#"{"rutas":[]}"#] {
        own.tables = Some(wrong.into());
        let refused = scopes_for(&[("GET", &mine)], Some(&own)).expect_err(wrong);
        assert_eq!(refused.code(), Some(ErrorCode::InvalidConfig), "{wrong}");
    }
}
