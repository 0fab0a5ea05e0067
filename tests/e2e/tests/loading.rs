//! Getting the library into a page: what servers, policies and browsers put in its way.

use e2e::{APP, FORGED, World, parameter};
use serde_json::{Value, json};

const SESSION: &str = "/pkg/parts/session.js";
/// pages/load.html: its own script makes the calls, and buttons make them again.
const LOAD: &str = "/e2e/load.html";

fn packed(file: &str) -> String {
    let path = e2e::workspace().join("pkg").join(file);
    std::fs::read_to_string(path).expect("the package is built")
}

/// Presses a button of pages/load.html; the outcome of the call that it makes.
async fn press(world: &World, button: &str) -> Value {
    world.page.click(&format!("#{button}")).await;
    let outcome = world.page.js("return await window.again", &[]).await;
    outcome.expect("an outcome")
}

/// The parts that were asked for, each as often as it was.
fn parts(world: &World) -> Vec<String> {
    let requests = world.app.requests().into_iter();
    requests
        .filter_map(|request| Some(request.path.strip_prefix("/pkg/parts/")?.to_owned()))
        .collect()
}

/// A login whose response has come, to a page that cannot load the part that answers it: the page's address, the response's.
async fn answered_but_not_loaded(response_type: &str) -> (World, String, String) {
    let world = World::start().await;
    let home = format!("{}{LOAD}", world.app.origin);
    world.open_app(LOAD).await;
    let login = json!({ "redirectUri": home, "responseType": response_type });
    let url = world.begin(login).await;
    let redirect = world.redirect(&url);
    world.app.serve_status(503, SESSION, "text/plain", "later");
    (world, home, redirect)
}

/// All that the page's storage holds.
async fn stored(world: &World) -> String {
    let all = "return JSON.stringify([{ ...sessionStorage }, { ...localStorage }])";
    let all = world.run(all, &[]).await;
    all.as_str().expect("a text").to_owned()
}

/// Waits for parts that are fetched while something else goes on, until so many were.
async fn until_asked_for(world: &World, count: usize) {
    while parts(world).len() < count {
        world.run("await fetch('/sandbox.json')", &[]).await;
    }
}

/// The policy that `cargo xtask demo` sends.
fn demo_policy() -> String {
    let source = e2e::workspace().join("sandbox/npm/server.mjs");
    let source = std::fs::read_to_string(source).expect("the demo's server");
    let (_, policy) = source
        .split_once("CONTENT_SECURITY_POLICY =")
        .expect("the policy");
    let (policy, _) = policy.split_once("\n\n").expect("its end");
    // Texts with `+` between them.
    policy.split('"').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn a_part_that_cannot_be_had_or_is_another_says_so_and_is_there_after_a_reload() {
    let world = World::start().await;
    let html = "<!doctype html><title>app</title>";
    let own = packed("parts/session.js");
    let half = format!("{}\"\n", &own[..own.len() / 2]);
    let foreign = "export default { get length() { return 5 } }";
    let wide = own.replacen("export default \"", "export default \"\\u017d", 1);
    let (lost, other) = ("session.js cannot be had", "is not the one of this release");
    let rows: [(u16, &str, &str, &str); 10] = [
        (404, "text/plain", "not found", lost),
        (500, "text/html", html, lost),
        (200, "text/html", html, lost),
        (200, "application/wasm", "", lost),
        (200, "text/javascript", "throw new Error('no')", lost),
        (200, "text/javascript", "", other),
        (200, "text/javascript", foreign, other),
        (200, "text/javascript", &half, other),
        (200, "text/javascript", &wide, other),
        // A server that has the files of two releases.
        (200, "text/javascript", &packed("parts/full.js"), other),
    ];
    let mut wrong = Vec::new();
    for (status, content_type, body, words) in rows {
        world.app.serve_status(status, SESSION, content_type, body);
        world.page.open(LOAD).await;
        world.page.wait_until("window.redirected").await;
        let first = press(&world, "call").await;
        world.app.unserve(SESSION);
        let error = &first["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let good = error["name"] == "OAuthError"
            && error["code"] == "load_failed"
            && error["retryable"] == true
            && error["remedy"]
                .as_str()
                .is_some_and(|remedy| remedy.contains("reload"))
            && message.contains(words);
        let row = format!("{status} {content_type} {} bytes", body.len());
        if !good {
            wrong.push((row, first));
            continue;
        }
        world.page.open(LOAD).await;
        let again = press(&world, "call").await;
        assert_eq!(again["error"]["code"], "login_required", "{row}: {again}");
    }
    assert_eq!(wrong, []);
}

#[tokio::test]
async fn a_redirect_that_met_a_failed_load_can_be_answered_after_a_reload() {
    let (world, home, redirect) = answered_but_not_loaded("code").await;
    let outcome = world.come_back(&redirect).await;
    assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
    assert_eq!(world.page.url().await, home, "the address is clean already");
    assert_eq!(world.token_requests("authorization_code"), 0);
    world.app.unserve(SESSION);
    // Chromium would try again in the same page, Firefox does not.
    world.page.open(LOAD).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(world.token_requests("authorization_code"), 1);
    world.page.open(LOAD).await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
}

#[tokio::test]
async fn a_token_that_met_a_failed_load_is_in_no_storage() {
    let (world, _, redirect) = answered_but_not_loaded("token").await;
    assert!(redirect.contains("access_token="), "{redirect}");
    let outcome = world.come_back(&redirect).await;
    assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
    let stored = stored(&world).await;
    assert!(stored.contains("oauth-wasm.pending."), "{stored}");
    assert!(!stored.contains("token="), "{stored}");
}

#[tokio::test]
async fn a_token_in_an_encoded_parameter_that_met_a_failed_load_is_in_no_storage() {
    let (world, _, redirect) = answered_but_not_loaded("code").await;
    for token in [
        "access_t%6Fken=s3cr3t",
        "ACCESS_TOKEN=s3cr3t",
        "response=%7B%22access_%74oken%22:%22s3cr3t%22%7D",
    ] {
        let outcome = world.come_back(&format!("{redirect}&{token}&x=%zz")).await;
        assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
        let stored = stored(&world).await;
        assert!(!stored.contains("s3cr3t"), "{token}: {stored}");
    }
}

#[tokio::test]
async fn each_part_is_asked_for_when_something_wants_it_and_once() {
    let world = World::start().await;
    let lazy = "<!doctype html><title>lazy</title><link rel=icon href='data:,'>
        <script>requestIdleCallback = work => { window.idle = work }</script>
        <script type=module>
        window.oauth = await import('/pkg/oauth-wasm.js')
        await import('/e2e/use.js')
        </script>";
    world.app.serve("/lazy.html", "text/html", lazy);
    world.page.open("/lazy.html").await;
    world.page.wait_until("window.run && window.idle").await;
    let nobody =
        "return [await oauth.session(), await oauth.handleRedirect(), await oauth.restore()]";
    assert_eq!(world.run(nobody, &[]).await, json!([null, null, null]));
    assert_eq!(parts(&world), [""; 0], "a visit");

    // When the page is idle, what sends the user to log in.
    world
        .run("await window.idle(); await fetch('/sandbox.json')", &[])
        .await;
    assert_eq!(parts(&world), ["start.js"]);
    let config = world.config(json!({}));
    let start = "let url
        const navigate = to => { url = to }
        await oauth.startLogin({ ...args[0], navigate })
        return url";
    let url = world.run(start, std::slice::from_ref(&config)).await;
    assert!(url.as_str().is_some_and(|url| url.contains("state=ow1x")));
    // What will answer, while the user is on the way.
    until_asked_for(&world, 2).await;
    assert_eq!(parts(&world), ["start.js", "session.js"]);

    let calls = "const codes = [oauth.fetchPrivate('https://api.example/'), oauth.fetchPrivate('https://api.example/')]
            .map(call => call.catch(e => e.code))
        return [...await Promise.all(codes), await oauth.session(), await oauth.logout()]";
    let seen = world.run(calls, &[]).await;
    let refused = "login_required";
    assert_eq!(seen, json!([refused, refused, null, null]));
    assert_eq!(parts(&world), ["start.js", "session.js"]);

    // A configuration's routes are known by what starts a login, and what calls need by what makes them.
    let scopes = "return await oauth.scopesFor([args[0].resourceServers[0] + '/items'], args[0])";
    assert!(world.run(scopes, &[config]).await.is_array());
    assert_eq!(parts(&world), ["start.js", "session.js"]);

    // A login of a session that lasts, or of a user who is known, starts as any other.
    let login = "await oauth.startLogin({ ...args[0], navigate() {} })";
    let endpoint = format!("{}/nowhere", world.app.origin);
    let openid = json!({
        "issuer": world.app.origin,
        "clientId": "client",
        "redirectUri": world.config(json!({}))["redirectUri"],
        "authorizationEndpoint": endpoint,
        "tokenEndpoint": endpoint,
        "resourceServers": [world.app.origin],
        "scope": ["openid"],
    });
    for config in [
        world.config(json!({ "keep": "tab" })),
        world.config(json!({ "sessionScope": "origin" })),
        openid,
    ] {
        world.page.open("/lazy.html").await;
        world.page.wait_until("window.run && window.idle").await;
        let before = parts(&world).len();
        assert_eq!(world.run(login, &[config]).await, Value::Null);
        until_asked_for(&world, before + 2).await;
        assert_eq!(parts(&world)[before..], ["start.js", "full.js"]);
    }

    // What only some applications need; by what is asked for, whatever it is called.
    world.page.open("/lazy.html").await;
    world.page.wait_until("window.run && window.idle").await;
    let before = parts(&world).len();
    let waiting = world.config(json!({ "keepPending": true }));
    assert_eq!(world.run(login, &[waiting]).await, Value::Null);
    assert_eq!(parts(&world)[before..], ["full.js"]);
}

#[tokio::test]
async fn who_saves_data_gets_nothing_ahead() {
    let world = World::start().await;
    let page = "<!doctype html><title>saves</title><link rel=icon href='data:,'>
        <script>
        Object.defineProperty(navigator, 'connection', { value: { saveData: true } })
        requestIdleCallback = () => { window.idle = true }
        </script>
        <script type=module>
        window.oauth = await import('/pkg/oauth-wasm.js')
        await import('/e2e/use.js')
        </script>";
    world.app.serve("/saves.html", "text/html", page);
    world.page.open("/saves.html").await;
    world
        .page
        .wait_until("window.run && document.readyState === 'complete'")
        .await;
    let start = "await oauth.startLogin({ ...args[0], navigate() {} })
        await new Promise(resolve => setTimeout(resolve))
        await fetch('/sandbox.json')
        return window.idle ?? false";
    let idle = world.run(start, &[world.config(json!({}))]).await;
    assert_eq!(idle, false);
    assert_eq!(parts(&world), ["start.js"]);
}

#[tokio::test]
async fn what_start_does_not_know_is_asked_of_the_whole_library() {
    let world = World::start().await;
    world.open_app(APP).await;
    let config = world.config(json!({ "responseType": "id_token token" }));
    let refused = world
        .outcome("oauth.startLogin(args[0])", std::slice::from_ref(&config))
        .await;
    assert_eq!(refused["error"]["code"], "invalid_config", "{refused}");
    let config = world.config(json!({ "redirecturi": "https://app.example/" }));
    let refused = world.outcome("oauth.startLogin(args[0])", &[config]).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("redirectUri"), "{refused}");
}

#[tokio::test]
async fn what_stands_after_a_login_that_leaves_the_page_does_not_run() {
    let world = World::start().await;
    // It answers with nothing, so the page stays and can be looked at.
    world.app.serve_status(204, "/nothing", "text/plain", "");
    world.open_app(APP).await;
    let endpoint = format!("{}/nothing", world.app.origin);
    let config = world.config(json!({ "authorizationEndpoint": endpoint }));
    let start = "window.ended = 'not yet'
        oauth.startLogin(args[0]).then(() => { ended = 'resolved' }, e => { ended = e.code })";
    world.run(start, &[config]).await;
    let left = || {
        world
            .app
            .requests()
            .iter()
            .any(|one| one.path == "/nothing")
    };
    while !left() {
        // Firefox breaks off what a page that is being left has asked for.
        world
            .run("await fetch('/sandbox.json').catch(() => {})", &[])
            .await;
    }
    assert_eq!(world.run("return ended", &[]).await, "not yet");
    let shown = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
        await new Promise(resolve => setTimeout(resolve))
        return ended";
    assert_eq!(world.run(shown, &[]).await, "login_abandoned");
}

#[tokio::test]
async fn a_response_in_the_address_is_loaded_for_before_anybody_asks() {
    let world = World::start().await;
    let silent = "<!doctype html><title>silent</title><link rel=icon href='data:,'>
        <script type=module src=/pkg/oauth-wasm.js></script>";
    world.app.serve("/silent.html", "text/html", silent);
    for (state, part) in [
        ("ow1xA", "session.js"),
        ("ow1xf.A", "full.js"),
        ("ow1x.A", "full.js"),
    ] {
        let before = parts(&world).len();
        world
            .page
            .open(&format!("/silent.html?code=x&state={state}"))
            .await;
        let came = format!(
            "performance.getEntriesByType('resource').some(one => one.name.endsWith('/pkg/parts/{part}'))"
        );
        world.page.wait_until(&came).await;
        assert_eq!(parts(&world)[before..], [part]);
    }
}

#[tokio::test]
async fn a_session_goes_on_where_the_whole_library_is_wanted_later() {
    let world = World::start().await;
    world.open_app(APP).await;
    let session = world.log_in(json!({ "appState": { "cart": 3 } })).await;
    assert!(!parts(&world).contains(&"full.js".to_owned()));
    // A call of the whole library: there is nobody to ask for the user here.
    let info = world.outcome("oauth.userinfo()", &[]).await;
    assert!(info["error"]["code"].is_string(), "{info}");
    assert!(parts(&world).contains(&"full.js".to_owned()));
    let mut now = world.run("return await oauth.session()", &[]).await;
    let same = world.run("return await oauth.handleRedirect()", &[]).await;
    assert_eq!(same, now);
    // Two clocks that count whole seconds: what one says of the other's time may be the next.
    let ends = |session: &Value| session["expiresAt"].as_i64().expect("when it ends");
    assert!((ends(&now) - ends(&session)).abs() <= 1000, "{now}");
    now["expiresAt"] = session["expiresAt"].clone();
    assert_eq!(now, session);
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    world.sandbox.expire_tokens();
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(world.token_requests("refresh_token"), 1);
    world.run("await oauth.logout()", &[]).await;
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["error"]["code"], "login_required", "{answer}");
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
        assert_eq!(
            outcome,
            json!({ "session": null }),
            "{page}: a visit needs no wasm"
        );
        let call = "oauth.fetchPrivate('https://api.example/')";
        let outcome = match page {
            LOAD => press(&world, "call").await,
            _ => world
                .page
                .js(&format!("return await outcome({call})"), &[])
                .await
                .expect("an outcome"),
        };
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

    // Nothing is fetched but modules.
    policy(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'; img-src data:",
    );
    world.page.open(LOAD).await;
    let outcome = press(&world, "call").await;
    assert_eq!(outcome["error"]["code"], "login_required", "{outcome}");
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
        let before = parts(&world).len();
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
        // What answers is fetched ahead, and once more by the page that needs it: nothing is cached here.
        let mut here = parts(&world)[before..].to_vec();
        here.dedup();
        asked.push(here.join(" "));
    }
    assert_eq!(
        asked,
        ["start.js session.js", "", ""],
        "only one form has files beside it"
    );
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
    for page in [APP, "/e2e/inline.html", "/e2e/classic.html"] {
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
