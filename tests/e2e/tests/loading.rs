//! Getting the library into a page: what servers, policies and browsers put in its way.

use e2e::{APP, FORGED, World, parameter};
use serde_json::{Value, json};

const WASM: &str = "/pkg/oauth-wasm.wasm";
/// pages/load.html: its own script makes the calls, and buttons make them again.
const LOAD: &str = "/e2e/load.html";

fn wasm() -> Vec<u8> {
    std::fs::read(e2e::workspace().join("pkg/oauth-wasm.wasm")).expect("the package is built")
}

/// Presses a button of pages/load.html; the outcome of the call that it makes.
async fn press(world: &World, button: &str) -> Value {
    world.page.click(&format!("#{button}")).await;
    let outcome = world.page.js("return await window.again", &[]).await;
    outcome.expect("an outcome")
}

fn asked_for_wasm(world: &World) -> usize {
    let requests = world.app.requests();
    requests.iter().filter(|r| r.path == WASM).count()
}

/// The policy that `cargo xtask demo` sends.
fn demo_policy() -> String {
    let source = e2e::workspace().join("xtask/src/serve.rs");
    let source = std::fs::read_to_string(source).expect("the demo's server");
    let (_, policy) = source
        .split_once("CONTENT_SECURITY_POLICY: &str = \"")
        .expect("the policy");
    let (policy, _) = policy.split_once("\";").expect("its end");
    let lines = policy.split("\\\n").map(str::trim_start);
    lines.collect()
}

#[tokio::test]
async fn a_module_that_cannot_be_loaded_says_why_and_is_loaded_at_the_next_call() {
    let world = World::start().await;
    let html = "<!doctype html><title>app</title>";
    let mut half = wasm();
    half.truncate(half.len() / 2);
    let rows: [(u16, &str, &[u8], &[&str]); 8] = [
        (404, "text/plain", b"not found", &["404"]),
        (500, "text/html", html.as_bytes(), &["500"]),
        (
            200,
            "text/html",
            html.as_bytes(),
            &["text/html", "not WebAssembly"],
        ),
        (404, "text/html", html.as_bytes(), &["404", "text/html"]),
        (200, "application/json", b"{}", &["not WebAssembly"]),
        (200, "application/wasm", b"", &["not WebAssembly"]),
        (200, "application/wasm", b"\0as", &["not WebAssembly"]),
        (200, "application/wasm", &half, &[]),
    ];
    let mut wrong = Vec::new();
    for (status, content_type, body, words) in rows {
        world.app.serve_status(status, WASM, content_type, body);
        world.page.open(LOAD).await;
        // A call that is never answered must not stop the table.
        let look = "const late = new Promise(resolve => setTimeout(resolve, 3000, { error: 'never answered' }))
            return await Promise.race([window.redirected, late])";
        world.page.wait_until("window.redirected").await;
        let first = world.page.js(look, &[]).await.expect("an outcome");
        world.app.unserve(WASM);
        let error = &first["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let good = error["name"] == "OAuthError"
            && error["code"] == "load_failed"
            && error["retryable"] == true
            && error["remedy"].is_string()
            && words.iter().all(|word| message.contains(word));
        let row = format!("{status} {content_type} {} bytes", body.len());
        if !good {
            wrong.push((row, first));
            continue;
        }
        assert_eq!(
            press(&world, "session").await,
            json!({ "value": null }),
            "{row}"
        );
    }
    assert_eq!(wrong, []);
}

#[tokio::test]
async fn a_redirect_that_met_a_failed_load_can_be_answered_by_the_next_call() {
    let world = World::start().await;
    let home = format!("{}{LOAD}", world.app.origin);
    world.open_app(LOAD).await;
    let url = world.begin(json!({ "redirectUri": home })).await;
    let redirect = world.redirect(&url);
    world.app.serve_status(503, WASM, "text/plain", "later");
    let outcome = world.come_back(&redirect).await;
    assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
    assert_eq!(world.page.url().await, home, "the address is clean already");
    assert_eq!(world.token_requests("authorization_code"), 0);
    world.app.unserve(WASM);
    let outcome = press(&world, "answer").await;
    assert!(outcome["value"].is_object(), "{outcome}");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn the_module_is_asked_for_at_the_first_call_once_and_under_any_content_type() {
    let world = World::start().await;
    for content_type in ["application/octet-stream", "text/plain", ""] {
        world.app.serve(WASM, content_type, wasm());
        world.open_app(APP).await;
        let session = world.log_in(json!({})).await;
        assert_eq!(session["renewable"], true, "{content_type}");
        world.app.unserve(WASM);
    }
    world.app.serve(
        "/lazy.html",
        "text/html",
        "<!doctype html><title>lazy</title><link rel=icon href='data:,'><script type=module>
        window.oauth = await import('/pkg/oauth-wasm.js')
        await import('/e2e/use.js')
        </script>",
    );
    world.page.open("/lazy.html").await;
    world.page.wait_until("window.run").await;
    let before = asked_for_wasm(&world);
    // Its turn has come and gone.
    world.run("await fetch('/sandbox.json')", &[]).await;
    assert_eq!(asked_for_wasm(&world), before, "not before the first call");
    let script =
        "const calls = [oauth.session(), oauth.session(), oauth.logout(), oauth.handleRedirect(),
            oauth.fetchPrivate('https://api.example/').catch(e => e.code)]
        return [...await Promise.all(calls), await oauth.session()]";
    let seen = world.run(script, &[]).await;
    assert_eq!(
        seen,
        json!([null, null, null, null, "login_required", null])
    );
    assert_eq!(asked_for_wasm(&world), before + 1);
}

#[tokio::test]
async fn a_content_security_policy_that_forbids_wasm_is_named() {
    let world = World::start().await;
    world.page.open(LOAD).await;
    let policy = |text| world.app.header("/e2e/", "Content-Security-Policy", text);
    policy("default-src 'self'; img-src data:");
    for page in [LOAD, "/e2e/inline.html", "/e2e/classic.html"] {
        world.page.open(page).await;
        let outcome = world.redirected().await;
        let error = &outcome["error"];
        assert_eq!(error["code"], "load_failed", "{page}: {outcome}");
        assert_eq!(error["retryable"], true);
        let message = error["message"].as_str().unwrap_or_default();
        // Each engine spells the policy's name in its own way.
        let message = message.replace('-', " ");
        for word in ["Content Security Policy", "'wasm unsafe eval'"] {
            assert!(message.contains(word), "{page}: {message}");
        }
    }
    world.page.open(LOAD).await;
    let again = press(&world, "session").await;
    assert_eq!(again["error"]["code"], "load_failed", "{again}");

    policy(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'; img-src data:",
    );
    world.page.open(LOAD).await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
    let message = outcome["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("connect-src"), "{message}");
    // Inline there is nothing to connect to.
    world.page.open("/e2e/inline.html").await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
}

#[tokio::test]
async fn all_three_forms_of_the_package_log_in_under_the_demos_strict_policy() {
    let world = World::start().await;
    let policy = demo_policy();
    assert!(
        policy.contains("script-src 'self' 'wasm-unsafe-eval'; connect-src"),
        "{policy}"
    );
    world.app.header("/", "Content-Security-Policy", &policy);
    world.app.header("/", "X-Content-Type-Options", "nosniff");
    world.app.header("/", "Referrer-Policy", "no-referrer");
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    let mut asked = Vec::new();
    for page in [APP, "/e2e/inline.html", "/e2e/classic.html"] {
        let home = format!("{}{page}", world.app.origin);
        let before = asked_for_wasm(&world);
        world.open_app(page).await;
        world.leave(json!({ "redirectUri": home })).await;
        let outcome = world.redirected().await;
        assert!(outcome["session"].is_object(), "{page}: {outcome}");
        assert_eq!(world.page.url().await, home);
        let script = "const response = await window.oauth.fetchPrivate(args[0])
            return (await response.json()).email";
        let me = json!(format!("{}/users/me", world.sandbox_origin));
        let email = world.page.js(script, &[me]).await;
        assert_eq!(email, Ok(json!("test_user_38730994@testuser.com")));
        let console = world.page.console().await;
        assert!(
            !console.iter().any(|line| line.starts_with("csp")),
            "{console:?}"
        );
        asked.push(asked_for_wasm(&world) - before);
    }
    assert_eq!(asked, [2, 0, 0], "only one form has a file beside it");
}

/// Nothing but files of this origin and WebAssembly, and no text becomes script.
const TRUSTED_TYPES: &str = "script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; \
    object-src 'none'; base-uri 'none'";

#[tokio::test]
async fn every_form_of_the_package_logs_in_where_trusted_types_are_required() {
    let world = World::start().await;
    world
        .app
        .header("/", "Content-Security-Policy", TRUSTED_TYPES);
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    for page in [
        APP,
        "/e2e/full.html",
        "/e2e/inline.html",
        "/e2e/classic.html",
    ] {
        let home = format!("{}{page}", world.app.origin);
        world.open_app(page).await;
        world.leave(json!({ "redirectUri": home })).await;
        let outcome = world.redirected().await;
        assert!(outcome["session"].is_object(), "{page}: {outcome}");
        let script = "const response = await window.oauth.fetchPrivate(args[0])
            const { email } = await response.json()
            await window.oauth.logout()
            return [email, await window.oauth.session()]";
        let me = json!(format!("{}/users/me", world.sandbox_origin));
        let seen = world.page.js(script, &[me]).await;
        let want = json!(["test_user_38730994@testuser.com", null]);
        assert_eq!(seen, Ok(want), "{page}");
        let console = world.page.console().await;
        assert!(
            !console.iter().any(|line| line.starts_with("csp")),
            "{page}: {console:?}"
        );
        // Only to show that the policy is in force: the page itself may not turn text into markup.
        let script = "try { document.createElement('p').innerHTML = '<b>b</b>' } catch (e) { return e.name }";
        assert_eq!(world.page.js(script, &[]).await, Ok(json!("TypeError")));
    }
}

#[tokio::test]
async fn blocked_storage_is_an_error_of_its_own() {
    let world = World::start().await;
    // A frame without an origin of its own has no storage.
    world.app.header("/", "Access-Control-Allow-Origin", "*");
    let config = world.config(json!({}));
    let frame = format!(
        "<!doctype html><title>frame</title><script type=module>
        import * as oauth from '/pkg/oauth-wasm.js'
        const config = {config}
        const told = call => call.then(value => ({{ value }}), e => ({{ ...e, name: e.name, message: e.message }}))
        let went = 0
        const ours = config.redirectUri + '?code=x&state={FORGED}'
        parent.postMessage({{
            blocked: (() => {{ try {{ return !sessionStorage }} catch {{ return true }} }})(),
            startLogin: await told(oauth.startLogin({{ ...config, navigate: () => {{ went++ }} }})),
            handleRedirect: await told(oauth.handleRedirect(ours)),
            elsewhere: await told(oauth.handleRedirect()),
            session: await told(oauth.session()),
            logout: await told(oauth.logout()),
            went,
        }}, '*')
        </script>"
    );
    world.app.serve("/frame.html", "text/html", frame);
    world.app.serve(
        "/parent.html",
        "text/html",
        "<!doctype html><title>parent</title><link rel=icon href='data:,'>
        <script>addEventListener('message', event => { window.told = event.data })</script>
        <iframe sandbox=allow-scripts src=/frame.html></iframe>",
    );
    world.page.open("/parent.html").await;
    world.page.wait_until("window.told").await;
    let told = world.page.js("return window.told", &[]).await;
    let told = told.expect("a message");
    assert_eq!(told["blocked"], true, "{told}");
    for call in ["startLogin", "handleRedirect"] {
        assert_eq!(told[call]["code"], "storage_blocked", "{told}");
        assert_eq!(told[call]["name"], "OAuthError");
        assert_eq!(told[call]["retryable"], false);
    }
    for call in ["elsewhere", "session"] {
        assert_eq!(told[call], json!({ "value": null }), "{call}");
    }
    assert_eq!(told["went"], 0);

    // As a browser does whose user blocks site data.
    world.app.serve(
        "/blocked.html",
        "text/html",
        "<!doctype html><title>blocked</title><link rel=icon href='data:,'>
        <script>
            Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError') } })
        </script>
        <script type=module src=/e2e/app.js></script>",
    );
    world.open_app("/blocked.html").await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    let refused = world.outcome("oauth.startLogin(args[0])", &[config]).await;
    assert_eq!(refused["error"]["code"], "storage_blocked", "{refused}");
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_full_storage_is_an_error_of_its_own_and_the_login_works_when_there_is_room() {
    let world = World::start().await;
    world.open_app(APP).await;
    let fill = "let size = 1 << 22
        let n = 0
        while (size >= 1) {
            try { sessionStorage['fill' + n++] = 'x'.repeat(size) } catch { size >>= 1 }
        }
        // Not even the shortest record fits any more.
        return await outcome(oauth.startLogin({ ...args[0], navigate() { window.went = true } }))";
    let config = world.config(json!({}));
    let full = world.run(fill, std::slice::from_ref(&config)).await;
    assert_eq!(full["error"]["code"], "storage_full", "{full}");
    assert_eq!(full["error"]["retryable"], true);
    assert_eq!(
        world.run("return window.went ?? null", &[]).await,
        Value::Null
    );
    assert_eq!(world.pending().await.len(), 0);
    assert_eq!(world.sandbox.requests(), []);
    let kept = world
        .run(
            "return Object.keys(sessionStorage).every(key => key.startsWith('fill'))",
            &[],
        )
        .await;
    assert_eq!(
        kept, true,
        "what the page keeps there is not ours to remove"
    );

    world.run("sessionStorage.clear()", &[]).await;
    let url = world.begin(json!({})).await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    assert!(outcome["session"].is_object(), "{outcome}");
}

#[tokio::test]
async fn two_tabs_log_in_at_once_and_know_nothing_of_each_other() {
    let world = World::start().await;
    let page = &world.page;
    let first = page.tab().await;
    world.open_app(APP).await;
    let mine = world.begin(json!({ "appState": "first" })).await;
    let second = page.new_tab().await;
    page.switch_to(&second).await;
    world.open_app(APP).await;
    assert_eq!(world.pending().await.len(), 0);
    let other = world.begin(json!({ "appState": "second" })).await;
    let (mine, other) = (world.redirect(&mine), world.redirect(&other));
    assert_ne!(parameter(&mine, "state"), parameter(&other, "state"));

    // The answer to the one, opened in the other: no request, and the login there waits on.
    let outcome = world.come_back(&mine).await;
    assert_eq!(outcome["error"]["code"], "state_mismatch", "{outcome}");
    assert_eq!(world.pending().await.len(), 1);
    assert_eq!(world.token_requests("authorization_code"), 0);

    world.sandbox.hold("/oauth/token");
    page.open(&other).await;
    world.until_held(1).await;
    page.switch_to(&first).await;
    page.open(&mine).await;
    world.until_held(2).await;
    world.sandbox.release();
    let outcome = world.redirected().await;
    assert_eq!(outcome["session"]["appState"], "first", "{outcome}");
    page.switch_to(&second).await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["session"]["appState"], "second", "{outcome}");
    assert_eq!(world.token_requests("authorization_code"), 2);

    page.switch_to(&first).await;
    world.run("await oauth.logout()", &[]).await;
    page.switch_to(&second).await;
    world.sandbox.expire_tokens();
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    page.switch_to(&first).await;
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["error"]["code"], "login_required", "{answer}");
    assert_eq!(world.token_requests("refresh_token"), 1);
}
