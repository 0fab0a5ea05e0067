//! What comes back in the address: which answers are ours, that each is used once, and that none stays in sight.

use e2e::{APP, FORGED, PENDING, World, parameter};
use sandbox::{Fault, FaultKind, Settings};
use serde_json::{Value, json};

/// Calls `handleRedirect` three times before anything is awaited, as React's StrictMode does.
const STRICT: &str =
    "<!doctype html><title>strict</title><link rel=icon href='data:,'><script type=module>
    import * as oauth from '/pkg/oauth-wasm.js'
    import { use } from '/e2e/use.js'
    use(oauth)
    window.others = [oauth.handleRedirect(), oauth.handleRedirect()].map(outcome)
    </script>";

/// `handleRedirect(url)` on the page that is open: no navigation, for tables.
async fn answer(world: &World, redirect: &str) -> Value {
    world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await
}

fn app(world: &World) -> String {
    format!("{}{APP}", world.app.origin)
}

#[tokio::test]
async fn a_page_that_is_no_redirect_of_ours_gets_null_and_keeps_its_address() {
    let world = World::start().await;
    for rest in [
        "",
        "?code=promo",
        "?code=x&state=y",
        "?error=404",
        "?error=access_denied&state=y",
        "?state=CA&city=LA",
        "?code=1&code=2&state=x&state=y",
        "?x=%zz",
        "#access_token=x&token_type=bearer",
        "#access_token=x&state=y",
        "#/route?code=1&x=%",
        "?q=a+b%20c&q=d#top",
    ] {
        let url = format!("{}{rest}", app(&world));
        let outcome = world.come_back(&url).await;
        assert_eq!(outcome, json!({ "session": null }), "{rest}");
        let shown = world
            .run("return [addressAfterCall, location.href]", &[])
            .await;
        assert_eq!(shown, json!([url, url]));
    }
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn the_code_is_exchanged_once_however_often_the_page_asks() {
    let world = World::start().await;
    world.app.serve("/strict.html", "text/html", STRICT);
    let strict = format!("{}/strict.html", world.app.origin);
    world.open_app(APP).await;
    let url = world
        .begin(json!({ "redirectUri": strict, "appState": 7 }))
        .await;
    let redirect = world.redirect(&url);
    world.sandbox.hold("/oauth/token");
    world.page.open(&redirect).await;
    world.until_held(1).await;
    // All three wait for the one exchange; a fourth joins them.
    world
        .page
        .js(
            "window.others.push(window.outcome(window.oauth.handleRedirect(args[0])))",
            &[json!(redirect)],
        )
        .await
        .expect("a call");
    world.sandbox.release();
    let first = world.redirected().await;
    assert_eq!(first["session"]["appState"], 7, "{first}");
    let later = "const all = [...await Promise.all(others), await outcome(oauth.handleRedirect()),
            await outcome(oauth.handleRedirect(args[0])), await outcome(oauth.handleRedirect(new URL(args[0]))),
            await outcome(oauth.session())]
        const text = value => JSON.stringify({ ...value, expiresAt: 0 })
        const { session } = await redirected
        return all.map(({ value }) => text(value) === text(session))";
    let same = world.run(later, &[json!(redirect)]).await;
    assert_eq!(same, json!(vec![true; 7]));
    assert_eq!(world.token_requests("authorization_code"), 1);

    // A refusal is the same refusal for all, too.
    let url = world.begin(json!({ "redirectUri": strict })).await;
    let state = parameter(&url, "state").expect("a state");
    let denied = format!("{strict}?error=access_denied&state={state}");
    world.page.open(&denied).await;
    let first = world.redirected().await;
    assert_eq!(first["error"]["code"], "access_denied");
    let others = world
        .run(
            "return (await Promise.all(others)).map(({ error }) => error?.code)",
            &[],
        )
        .await;
    assert_eq!(others, json!(["access_denied", "access_denied"]));
}

#[tokio::test]
async fn reload_back_forward_and_a_bookmark_of_the_redirect_exchange_nothing() {
    let world = World::start().await;
    world.open_app(APP).await;
    let bookmark = world.redirect(&world.begin(json!({})).await);
    world.page.open(&bookmark).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");

    world.page.reload().await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    assert_eq!(world.page.url().await, app(&world));
    world.page.open("/e2e/blank.html").await;
    world.page.back().await;
    assert_eq!(world.page.url().await, app(&world));
    world.page.open(&bookmark).await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "unknown_state", "{outcome}");
    assert_eq!(world.page.url().await, app(&world), "clean all the same");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn history_never_shows_a_code_or_a_token() {
    let world = World::start().await;
    for (grant, logged_in) in [("code", false), ("token", true)] {
        world.page.open("/e2e/blank.html").await;
        world.start_login(json!({ "responseType": grant })).await;
        match logged_in {
            false => world.consent().await,
            true => world.page.click("#allow").await,
        }
        let outcome = world.redirected().await;
        assert!(outcome["session"].is_object(), "{outcome}");
        let mut ours = 0;
        loop {
            let url = world.page.url().await;
            if url.starts_with(&world.app.origin) {
                ours += 1;
                assert!(!url.contains("code=") && !url.contains("token="), "{url}");
                assert!(!url.contains("state="), "{url}");
            }
            if url.ends_with("/e2e/blank.html") {
                break;
            }
            world.page.back().await;
        }
        assert!(ours >= 3, "back to where it began: {ours}");
    }
    let requests = world.app.requests();
    let with_code = requests
        .iter()
        .filter(|request| request.query.contains("code="));
    assert_eq!(with_code.count(), 1, "asked for by the provider alone");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_response_to_another_login_is_refused_and_the_login_that_waits_can_still_be_answered() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    for (rest, code) in [
        (format!("?code=x&state={FORGED}"), "state_mismatch"),
        ("?code=x&state=another".into(), "state_mismatch"),
        (
            format!("?error=access_denied&state={FORGED}"),
            "state_mismatch",
        ),
        (
            format!("#access_token=x&token_type=bearer&state={FORGED}"),
            "state_mismatch",
        ),
        (format!("?code=x&state={state}x"), "state_mismatch"),
        (
            format!("?code=x&state={}", state.to_lowercase()),
            "state_mismatch",
        ),
        ("?code=x".into(), ""),
        ("?error=access_denied".into(), ""),
        (format!("?state={state}"), ""),
    ] {
        let outcome = world.come_back(&format!("{}{rest}", app(&world))).await;
        let want = match code {
            "" => outcome["session"].is_null() && outcome.get("error").is_none(),
            code => outcome["error"]["code"] == code,
        };
        assert!(want, "{rest}: {outcome}");
        let text = outcome.to_string();
        assert!(!text.contains(&state) && !text.contains(FORGED), "{text}");
        assert_eq!(
            world.pending().await,
            std::slice::from_ref(&state),
            "{rest}"
        );
        assert_eq!(world.sandbox.requests(), [], "{rest}");
    }
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(world.token_requests("authorization_code"), 1);

    // Nobody waits any more.
    let forged = format!("{}?code=x&state={FORGED}", app(&world));
    let outcome = world.come_back(&forged).await;
    assert_eq!(outcome["error"]["code"], "unknown_state");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_code_of_one_login_is_no_good_in_another() {
    let world = World::start().await;
    world.open_app(APP).await;
    let mine = world.begin(json!({ "appState": "mine" })).await;
    let other = world.begin(json!({})).await;
    let stolen = parameter(&world.redirect(&other), "code").expect("a code");
    let state = parameter(&mine, "state").expect("a state");
    let outcome = answer(
        &world,
        &format!("{}?code={stolen}&state={state}", app(&world)),
    )
    .await;
    assert_eq!(
        outcome["error"]["code"], "token_request_refused",
        "{outcome}"
    );
    assert_eq!(outcome["error"]["error"], "invalid_grant");
    assert_eq!(outcome["error"]["status"], 400);
    assert_eq!(
        world.outcome("oauth.session()", &[]).await,
        json!({ "value": null })
    );
    let burnt = answer(&world, &world.redirect(&mine)).await;
    assert_eq!(burnt["error"]["code"], "token_request_refused", "one use");
    assert_eq!(world.token_requests("authorization_code"), 1);
    let outcome = answer(&world, &world.redirect(&other)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

#[tokio::test]
async fn a_login_that_waited_too_long_is_refused() {
    let world = World::start().await;
    world.open_app(APP).await;
    let age = "const key = args[0] + args[1]
        const record = JSON.parse(sessionStorage[key])
        sessionStorage[key] = JSON.stringify({ ...record, created: record.created - args[2] })";
    for (more, seconds, want) in [
        (json!({}), 11 * 60, "login_expired"),
        (json!({}), 9 * 60, ""),
        (json!({ "pendingMaxAge": 1200 }), 11 * 60, ""),
        (json!({ "pendingMaxAge": 60 }), 90, "login_expired"),
    ] {
        let url = world.begin(more).await;
        let state = parameter(&url, "state").expect("a state");
        let args = [json!(PENDING), json!(state), json!(seconds)];
        world.run(age, &args).await;
        let before = world.token_requests("authorization_code");
        let outcome = answer(&world, &world.redirect(&url)).await;
        let asked = world.token_requests("authorization_code") - before;
        match want {
            "" => assert!(outcome["value"].is_object() && asked == 1, "{outcome}"),
            code => {
                assert_eq!(outcome["error"]["code"], code);
                assert_eq!(asked, 0);
            }
        }
        assert_eq!(world.pending().await.len(), 0);
    }
}

#[tokio::test]
async fn a_record_that_was_tampered_with_is_absent() {
    let world = World::start().await;
    world.open_app(APP).await;
    let tamper = "const key = args[0] + args[1]
        const record = JSON.parse(sessionStorage[key])
        const { config } = record
        const edits = {
            'is no JSON': () => '{',
            'is empty': () => '',
            'is another type': () => '[]',
            'is null': () => 'null',
            'version': () => ({ ...record, v: 2 }),
            'no version': () => ({ ...record, v: undefined }),
            'created is text': () => ({ ...record, created: String(record.created) }),
            'created is gone': () => ({ ...record, created: undefined }),
            'created is negative': () => ({ ...record, created: -1 }),
            'verifier is gone': () => ({ ...record, codeVerifier: undefined }),
            'verifier is a number': () => ({ ...record, codeVerifier: 5 }),
            'verifier is short': () => ({ ...record, codeVerifier: 'x' }),
            'verifier has other characters': () => ({ ...record, codeVerifier: 'x y&z='.repeat(9) }),
            'config is gone': () => ({ ...record, config: undefined }),
            'unknown field': () => ({ ...record, config: { ...config, clientID: 'x' } }),
            'secret': () => ({ ...record, config: { ...config, clientSecret: 'x' } }),
            'client is gone': () => ({ ...record, config: { ...config, clientId: '' } }),
            'http token endpoint': () => ({ ...record, config: { ...config, tokenEndpoint: 'http://evil.example/t' } }),
            'other site': () => ({ ...record, config: { ...config, returnTo: '//evil.example' } }),
            'script': () => ({ ...record, config: { ...config, returnTo: 'javascript:alert(1)' } }),
            'http resource server': () => ({ ...record, config: { ...config, resourceServers: ['http://evil.example'] } }),
            'max age': () => ({ ...record, config: { ...config, pendingMaxAge: 1e99 } }),
        }
        if (args[2] === undefined) return Object.keys(edits)
        const edited = edits[args[2]]()
        sessionStorage[key] = typeof edited === 'string' ? edited : JSON.stringify(edited)";
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    let edits = world.run(tamper, &[json!(PENDING), json!(state)]).await;
    let edits = edits.as_array().expect("names");
    assert_eq!(edits.len(), 22);
    let mut wrong = Vec::new();
    for edit in edits {
        world.run("sessionStorage.clear()", &[]).await;
        let url = world.begin(json!({})).await;
        let state = parameter(&url, "state").expect("a state");
        let args = [json!(PENDING), json!(state), edit.clone()];
        world.run(tamper, &args).await;
        let outcome = answer(&world, &world.redirect(&url)).await;
        if outcome["error"]["code"] != "unknown_state" || !world.pending().await.is_empty() {
            wrong.push((edit, outcome));
        }
    }
    assert_eq!(wrong, []);
    assert_eq!(world.token_requests("authorization_code"), 0);
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn a_response_that_breaks_the_protocol_is_refused_before_anybody_is_asked() {
    let world = World::start().await;
    world.open_app(APP).await;
    let code = json!({});
    let token = json!({ "responseType": "token" });
    let tenant = json!({ "redirectUri": format!("{}?tenant=7", app(&world)) });
    let mut wrong = Vec::new();
    for (more, rest, want) in [
        (&code, "?code=c&code=d&state=S", "duplicate_parameter"),
        (&code, "?code=c&state=S&state=S", "duplicate_parameter"),
        (&code, "?state=S&code=c&state=other", "duplicate_parameter"),
        (&code, "?code=c&state=S#state=S", "duplicate_parameter"),
        (&code, "?code=c&state=S#code=d", "duplicate_parameter"),
        (&code, "?error=a&error=b&state=S", "duplicate_parameter"),
        (
            &code,
            "?error=access_denied&code=c&state=S",
            "invalid_authorization_response",
        ),
        (
            &code,
            "?code=c&state=S#error=access_denied",
            "invalid_authorization_response",
        ),
        (
            &code,
            "?error=x&state=S#access_token=t",
            "invalid_authorization_response",
        ),
        (&code, "?code=&state=S", "invalid_authorization_response"),
        (
            &code,
            "?code=c&state=S#access_token=t&token_type=bearer",
            "invalid_authorization_response",
        ),
        (
            &code,
            "#access_token=t&token_type=bearer&state=S",
            "invalid_authorization_response",
        ),
        (&token, "?code=c&state=S", "invalid_authorization_response"),
        (
            &token,
            "?access_token=t&token_type=bearer&state=S",
            "invalid_authorization_response",
        ),
        (
            &token,
            "#access_token=t&token_type=bearer&error=x&state=S",
            "invalid_authorization_response",
        ),
        (
            &token,
            "#access_token=t&access_token=u&token_type=bearer&state=S",
            "duplicate_parameter",
        ),
        (
            &token,
            "?access_token=t&state=S#access_token=u&token_type=bearer",
            "duplicate_parameter",
        ),
        (
            &token,
            "#access_token=t&token_type=mac&state=S",
            "unsupported_token_type",
        ),
        (
            &token,
            "#access_token=&token_type=bearer&state=S",
            "invalid_token_response",
        ),
        (
            &token,
            "#access_token=t&token_type=bearer&expires_in=-1&state=S",
            "invalid_token_response",
        ),
        (&code, "?error=server_error&state=S", "authorization_error"),
        (&code, "?error=made+up&state=S", "authorization_error"),
        (&code, "/?code=c&state=S", "redirect_uri_mismatch"),
        (&tenant, "?tenant=8&code=c&state=S", "redirect_uri_mismatch"),
        (&tenant, "?code=c&state=S", "redirect_uri_mismatch"),
    ] {
        let url = world.begin(more.clone()).await;
        let state = parameter(&url, "state").expect("a state");
        let redirect = format!("{}{}", app(&world), rest.replace('S', &state));
        let outcome = answer(&world, &redirect).await;
        if outcome["error"]["code"] != want || outcome.to_string().contains(&state) {
            wrong.push((rest, want, outcome));
        }
    }
    assert_eq!(wrong, []);
    assert_eq!(world.sandbox.requests(), []);
    assert_eq!(
        world.outcome("oauth.session()", &[]).await,
        json!({ "value": null })
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_even_when_it_is_an_error() {
    let world = World::start().await;
    let issuer = json!({ "issuer": world.sandbox_origin });
    let evil = "https://evil.example";
    let slash = format!("{}/", world.sandbox_origin);
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    let lie = async |iss: Option<&str>, deny: bool, more: &Value| {
        world.sandbox.change(|settings| {
            settings.send_iss = true;
            settings.lie_about_iss = iss.map(String::from);
            settings.auto_deny = deny;
        });
        world.start_login(more.clone()).await;
        let outcome = world.redirected().await;
        assert_eq!(world.page.url().await, app(&world), "clean");
        outcome["error"]["code"].as_str().map(String::from)
    };
    let mismatch = Some("issuer_mismatch".to_owned());
    assert_eq!(lie(Some(evil), false, &issuer).await, mismatch);
    assert_eq!(lie(Some(&slash), false, &issuer).await, mismatch);
    assert_eq!(lie(Some(evil), true, &issuer).await, mismatch);
    let mut implicit = issuer.clone();
    implicit["responseType"] = "token".into();
    assert_eq!(lie(Some(evil), false, &implicit).await, mismatch);
    assert_eq!(world.token_requests("authorization_code"), 0);
    assert_eq!(lie(None, false, &issuer).await, None, "the right one");
    assert_eq!(lie(Some(evil), false, &json!({})).await, None, "none named");
    assert_eq!(world.token_requests("authorization_code"), 2);
}

#[tokio::test]
async fn a_state_in_the_query_and_the_token_in_the_fragment_make_one_answer() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.implicit_state_in_query = true);
    let session = world.log_in(json!({ "responseType": "token" })).await;
    assert_eq!(session["scope"], json!(["read", "write"]));
    assert_eq!(world.page.url().await, app(&world));
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
}

#[tokio::test]
async fn the_address_bar_is_clean_when_the_call_returns_although_the_server_never_answers() {
    let world = World::start().await;
    world.open_app(APP).await;
    let redirect = world.redirect(&world.begin(json!({})).await);
    world.sandbox.hold("/oauth/token");
    world.page.open(&redirect).await;
    world.until_held(1).await;
    let shown = world
        .run(
            "return [addressAfterCall, location.href, await oauth.session()]",
            &[],
        )
        .await;
    assert_eq!(shown, json!([app(&world), app(&world), null]));
    assert_eq!(world.page.url().await, app(&world));
    world.sandbox.release();
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
}

#[tokio::test]
async fn the_applications_own_query_route_and_history_state_survive() {
    let world = World::start().await;
    world.open_app(APP).await;
    for (own, route) in [
        ("?tenant=7&q=a%20b%26c+d", "#/route?x=1"),
        ("?tenant=7", ""),
        ("?plain", "#top"),
        ("", "#/shop/state=1"),
        // Twice, but the application's own.
        ("?tag=a&tag=b", ""),
        ("?x=1", "#x=1"),
    ] {
        let home = format!("{}{own}", app(&world));
        let url = world.begin(json!({ "redirectUri": home })).await;
        let redirect = format!("{}{route}", world.redirect(&url));
        let outcome = world.come_back(&redirect).await;
        assert!(outcome["session"].is_object(), "{own}{route}: {outcome}");
        let clean = format!("{home}{route}");
        let shown = world
            .run("return [addressAfterCall, location.href]", &[])
            .await;
        assert_eq!(shown, json!([clean, clean]));
    }

    // A router's state in the history entry is not lost.
    world.app.serve(
        "/router.html",
        "text/html",
        "<!doctype html><title>router</title><link rel=icon href='data:,'>
        <script>history.replaceState({ router: 1 }, '')</script>
        <script type=module src=/e2e/app.js></script>",
    );
    let router = format!("{}/router.html", world.app.origin);
    let url = world.begin(json!({ "redirectUri": router })).await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let seen = world
        .run("return [location.href, history.state]", &[])
        .await;
    assert_eq!(seen, json!([router, { "router": 1 }]));
}

/// One row: what is wrong with the token endpoint, and the code that says so.
async fn exchange_with(world: &World, patch: Value) -> Value {
    let settings = Settings::default().patched(&patch).expect("settings");
    world.sandbox.change(|now| *now = settings);
    world.run("await oauth.logout()", &[]).await;
    let url = world.begin(json!({})).await;
    answer(world, &world.redirect(&url)).await
}

fn fault(kind: Value) -> Value {
    json!({ "faults": [{ "pathPrefix": "/oauth/token", "kind": kind }] })
}

fn body(status: u16, content_type: &str, body: &str) -> Value {
    fault(
        json!({ "body": { "status": status, "contentType": content_type, "body": body, "headers": {} } }),
    )
}

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
        (body(201, json_type, token), invalid, ""),
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
            answered_with(json!({ "token_type": null })),
            invalid,
            "token_type",
        ),
        (
            answered_with(json!({ "token_type": "mac" })),
            "unsupported_token_type",
            "",
        ),
        (
            answered_with(json!({ "expires_in": -1 })),
            invalid,
            "expires_in",
        ),
        (
            answered_with(json!({ "expires_in": 99_999_999_999_u64 })),
            invalid,
            "expires_in",
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
        (
            answered_with(json!({ "scope": ["read"] })),
            invalid,
            "scope",
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
async fn what_the_standard_leaves_open_in_a_token_response_is_understood() {
    let world = World::start().await;
    world.open_app(APP).await;
    for (members, field, want) in [
        (json!({ "token_type": "BEARER" }), "renewable", json!(true)),
        (json!({ "expires_in": null }), "expiresAt", json!(null)),
        (
            json!({ "scope": null }),
            "scope",
            json!(["offline_access", "read", "write"]),
        ),
        (json!({ "scope": "read" }), "scope", json!(["read"])),
        (json!({ "refresh_token": null }), "renewable", json!(false)),
        (json!({ "refresh_token": "" }), "renewable", json!(false)),
        (
            json!({ "id_token": "x.y.z", "user_id": null, "nested": { "a": [1, null, "ü"] } }),
            "extra",
            json!({ "nested": { "a": [1, null, "ü"] } }),
        ),
        // Just below 1 MiB.
        (
            json!({ "user_id": null, "padding": "x".repeat(1_048_000) }),
            "extra",
            json!({ "padding": "x".repeat(1_048_000) }),
        ),
    ] {
        let outcome = exchange_with(&world, answered_with(members)).await;
        assert!(outcome["value"].is_object(), "{outcome}");
        assert!(outcome["value"][field] == want, "{field}: {want}");
    }
    let number = exchange_with(&world, answered_with(json!({ "expires_in": "3600" }))).await;
    let left = world
        .run(
            "return args[0] - Date.now()",
            &[number["value"]["expiresAt"].clone()],
        )
        .await;
    let left = left.as_f64().expect("milliseconds");
    assert!((3_500_000.0..=3_600_000.0).contains(&left), "{left}");

    let polluting = r#"{"access_token":"a","token_type":"bearer","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}"#;
    let outcome = exchange_with(&world, body(200, "application/json", polluting)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let polluted = world
        .run("const seen = await oauth.session(); return [({}).polluted ?? null, seen.extra.polluted ?? null]", &[])
        .await;
    assert_eq!(polluted, json!([null, null]));
}

#[tokio::test]
async fn a_server_that_echoes_the_code_does_not_get_it_into_the_error() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let redirect = world.redirect(&url);
    let code = parameter(&redirect, "code").expect("a code");
    let words = json!({ "error": "invalid_grant", "error_description": format!("the code {code} is spent") });
    let kind = FaultKind::Body {
        status: 400,
        content_type: "application/json".into(),
        body: words.to_string(),
        headers: Default::default(),
    };
    let fault = Fault::new("/oauth/token", kind);
    world.sandbox.change(|settings| settings.faults.push(fault));
    let script = "const e = await oauth.handleRedirect(args[0]).then(() => 'no error', e => e)
        return [e.code, e.error, e.errorDescription, e.status, String(e), e.stack, JSON.stringify(e), String(e.cause)]";
    let said = world.run(script, &[json!(redirect)]).await;
    assert_eq!(said[0], "token_request_refused", "{said}");
    assert_eq!(said[1], "invalid_grant");
    assert_eq!(said[2], "the code (..) is spent");
    assert_eq!(said[3], 400);
    let text = said.to_string();
    let state = parameter(&redirect, "state").expect("a state");
    assert!(!text.contains(&code) && !text.contains(&state), "{text}");
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
