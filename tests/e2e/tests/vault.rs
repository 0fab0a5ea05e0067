//! The vault: the application asks a frame of another origin, which has the tokens.

use e2e::{Engine, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

async fn started() -> World {
    let world = World::start().await;
    world.set_up_vault(&world.vault_config(json!({})));
    world
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

#[tokio::test]
async fn a_login_goes_through_the_vault_and_the_application_calls_by_it() {
    let world = started().await;
    world.open_app(&world.vault_app()).await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    world
        .leave_for_vault(json!({ "appState": { "step": 2 } }))
        .await;
    world.consent().await;
    world.page.wait_for_url(&world.vault_app()).await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(session["extra"]["user_id"], e2e::USER, "{outcome}");
    assert_eq!(session["appState"], json!({ "step": 2 }));
    assert_eq!(
        world.page.url().await,
        world.vault_app(),
        "nothing was added to the address"
    );

    let answer = me(&world).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(answer["value"]["native"], true);
    assert!(world.calls("/users/me")[0].token.is_some());
    assert_eq!(world.token_requests("authorization_code"), 1);
    world.is_quiet().await;

    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    let restored = world.run("return await oauth.restore()", &[]).await;
    assert_eq!(restored["extra"]["user_id"], e2e::USER);
    assert_eq!(me(&world).await["value"]["status"], 200);

    world.run("await oauth.logout()", &[]).await;
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session, Value::Null);
}

#[tokio::test]
async fn debug_tells_of_the_applications_side_and_of_nothing_that_a_vault_guards() {
    let world = started().await;
    world.log_in_by_vault().await;
    world.open_app(&world.vault_app()).await;
    world.redirected().await;
    let script = "const told = []
        // Another one, whose frame is opened while somebody listens.
        const other = vault(args[0])
        other.debug(entry => told.push(entry))
        await other.restore()
        await outcome(other.fetchPrivate(args[1] + '/users/me?secret=1'))
        await outcome(other.fetchPrivate(args[1] + '/nobody/allows/this'))
        await outcome(other.startLogin({ navigate: () => {} }))
        other.debug()
        await other.session()
        return told";
    let args = [json!(world.vault_address()), json!(world.sandbox_origin)];
    let told = world.run(script, &args).await;
    let entries = told.as_array().expect("a list");
    let steps: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                &entry["step"],
                &entry["name"],
                &entry["status"],
                &entry["code"],
            )
        })
        .collect();
    let none = Value::Null;
    assert_eq!(
        steps,
        [
            (&json!("load"), &json!("vault"), &none, &none),
            (&json!("call"), &json!("restore"), &none, &none),
            (&json!("call"), &json!("fetchPrivate"), &json!(200), &none),
            (
                &json!("call"),
                &json!("fetchPrivate"),
                &none,
                &json!("vault_refused")
            ),
            (&json!("leave"), &none, &none, &none),
            (&json!("call"), &json!("startLogin"), &none, &none),
        ],
        "{told}"
    );
    for entry in entries {
        let members = entry.as_object().expect("an object");
        for (name, value) in members {
            let known = ["step", "name", "at", "ms", "status", "code"].contains(&name.as_str());
            assert!(known, "{entry}");
            let text = value.as_str().unwrap_or_default();
            assert!(!text.contains(['/', ':', '?']), "{entry}");
        }
        assert!(entry["ms"].as_f64().is_some_and(|ms| ms >= 0.0), "{entry}");
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_to_the_application() {
    let world = started().await;
    world.sandbox.change(|settings| settings.auto_deny = true);
    world.open_app(&world.vault_app()).await;
    world
        .leave_for_vault(json!({ "returnTo": world.vault_app() + "#there" }))
        .await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "access_denied", "{outcome}");
    assert!(world.page.url().await.ends_with("#there"));
    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
}

#[tokio::test]
async fn a_popup_of_the_vaults_gives_its_session_to_the_page_that_stays() {
    let world = started().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.open_app(&world.vault_app()).await;
    let script = "window.changes = []
        oauth.onSessionChange(({ type, session }) => changes.push([type, session?.appState]))
        const button = document.createElement('button')
        button.textContent = 'log in'
        button.onclick = () => { window.went = outcome(oauth.startLogin({ display: 'popup', appState: 5 })) }
        document.body.append(button)";
    world.run(script, &[]).await;
    for _ in 0..2 {
        world.page.click("button").await;
        let went = world.run("return await went", &[]).await;
        assert_eq!(went["value"]["extra"]["user_id"], e2e::USER, "{went}");
        world.until_windows(1).await;
        assert_eq!(me(&world).await["value"]["status"], 200);
    }
    let changes = world.run("return changes", &[]).await;
    assert_eq!(changes[0], json!(["started", 5]));
    assert_eq!(world.token_requests("authorization_code"), 2);
    world.is_quiet().await;
}

#[tokio::test]
async fn tabs_of_the_application_have_one_session_and_one_logout() {
    let world = started().await;
    world.log_in_by_vault().await;
    let first = world.page.tab().await;
    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    world.open_app(&world.vault_app()).await;
    let session = world.run("return await oauth.restore()", &[]).await;
    assert_eq!(session["shared"], true, "{session}");
    assert_eq!(me(&world).await["value"]["status"], 200);
    let ended = "window.ended = new Promise(resolve => oauth.onSessionChange(({ type }) => type === 'ended' && resolve(true)))
        await oauth.session()";
    world.run(ended, &[]).await;
    world.page.switch_to(&first).await;
    world.run("await oauth.logout()", &[]).await;
    world.page.switch_to(&second).await;
    assert_eq!(world.run("return await ended", &[]).await, true);
    assert_eq!(me(&world).await["error"]["code"], "login_required");
}

#[tokio::test]
async fn a_second_login_is_answered_in_a_tab_that_was_reloaded_since_the_first() {
    let world = started().await;
    world.log_in_by_vault().await;
    for state in ["second", "third"] {
        world.page.reload().await;
        world.page.wait_until("window.oauth").await;
        assert_eq!(world.redirected().await, json!({ "session": null }));
        let restored = world.run("return await oauth.restore()", &[]).await;
        assert!(restored.is_object(), "{restored}");
        world.leave_for_vault(json!({ "appState": state })).await;
        let outcome = world.redirected().await;
        assert_eq!(outcome["session"]["appState"], state, "{outcome}");
        assert_eq!(me(&world).await["value"]["status"], 200);
    }
    assert_eq!(world.token_requests("authorization_code"), 3);
}

#[tokio::test]
async fn a_call_that_the_policy_does_not_name_is_refused_before_it_is_sent() {
    let world = started().await;
    world.log_in_by_vault().await;
    world.sandbox.forget_requests();
    let api = &world.sandbox_origin;
    let foreign = &world.foreign.origin;
    let outside = [
        (format!("{api}/users/me"), json!({ "method": "DELETE" })),
        (
            format!("{api}/users/me"),
            json!({ "method": "POST", "body": "x" }),
        ),
        (format!("{api}/users/you"), json!({})),
        (format!("{api}/users/me/"), json!({})),
        (format!("{api}/users/me/addresses"), json!({})),
        (format!("{api}/USERS/ME"), json!({})),
        (format!("{api}/items/../orders/1"), json!({})),
        (format!("{api}/items/%2e%2e/orders/1"), json!({})),
        (format!("{api}/items/..%2forders/1"), json!({})),
        (format!("{api}/items/..%252forders/1"), json!({})),
        (format!("{api}/items/..%5corders/1"), json!({})),
        (format!("{api}/items/..;/orders/1"), json!({})),
        (format!("{api}/items/..%3b/orders/1"), json!({})),
        (format!("{api}/items/a%00"), json!({})),
        (format!("{api}/items/1?a=b&_method=DELETE"), json!({})),
        (
            api.replace("127.0.0.1", "localhost") + "/users/me",
            json!({}),
        ),
        (format!("{foreign}/users/me"), json!({})),
        (
            format!("{foreign}/items/1"),
            json!({ "method": "PUT", "body": "x" }),
        ),
        ("data:,x".to_owned(), json!({})),
        ("/items/1".to_owned(), json!({})),
    ];
    for (url, init) in outside {
        let script = "return await answered(oauth.fetchPrivate(args[0], args[1]))";
        let answer = world.run(script, &[json!(url), init.clone()]).await;
        assert_eq!(
            answer["error"]["code"], "vault_refused",
            "{url} {init}: {answer}"
        );
    }
    for name in [
        "X-HTTP-Method-Override",
        "x-method-override",
        "x-http-method",
        "x-own",
        "authorization",
    ] {
        let answer = world
            .fetch_private("/users/me", json!({ "headers": { name: "DELETE" } }))
            .await;
        assert_eq!(answer["error"]["code"], "vault_refused", "{name}: {answer}");
    }
    assert_eq!(world.calls("/"), []);
    assert_eq!(world.foreign.requests(), []);
    let init = json!({ "method": "PUT", "headers": { "content-type": "application/json" }, "body": "{\"price\":5}" });
    world.fetch_private("/items/MLA1", init).await;
    let calls = world.calls("/items/");
    assert_eq!(
        (calls[0].method.as_str(), calls[0].token.is_some()),
        ("PUT", true)
    );
}

#[tokio::test]
async fn a_step_up_asks_for_what_the_vault_has_said_and_for_nothing_else() {
    let world = World::start().await;
    let login = json!({ "scope": ["offline_access", "read"] });
    world.set_up_vault(&world.vault_config(json!({ "login": login_with(&world, login) })));
    world.log_in_by_vault().await;
    let script = "const { error } = await outcome(oauth.fetchPrivate(args[0] + '/items/MLA1', { method: 'PUT', body: '{}' }))
        const forged = await outcome(oauth.startLogin({ scope: ['read', 'write', 'admin'], navigate() {} }))
        const other = await outcome(oauth.startLogin({ authorizationParameters: { redirect_uri: 'x' }, navigate() {} }))
        window.ask = error.ask
        return [error.code, error.ask.scope.includes('write'), forged.error?.code, other.error?.code]";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    let refused = "vault_refused";
    assert_eq!(seen, json!(["insufficient_scope", true, refused, refused]));
    let script = "window.leaving = true; await window.oauth.startLogin({ ...window.ask })";
    world.page.start(script, &[]).await;
    let outcome = world.redirected().await;
    let scope = outcome["session"]["scope"].as_array().expect("a session");
    assert!(scope.contains(&json!("write")), "{outcome}");
    let init = json!({ "method": "PUT", "headers": { "content-type": "application/json" }, "body": "{\"price\":5}" });
    world.fetch_private("/items/MLA1", init).await;
    assert_eq!(world.calls("/items/").len(), 1);
}

/// The login of `World::vault_config`, with these fields.
fn login_with(world: &World, more: Value) -> Value {
    let mut login = world.vault_config(json!({}))["login"].take();
    for (name, value) in more.as_object().expect("an object") {
        login[name] = value.clone();
    }
    login
}

#[tokio::test]
async fn errors_are_the_librarys_and_refusals_are_explained() {
    let world = started().await;
    world.log_in_by_vault().await;
    world.sandbox.hold("/users/you");
    let script = "const { OAuthError, isOAuthError } = await import('/pkg/vault.js')
        const [api] = args
        const e = await oauth.fetchPrivate(api + '/users/you').catch(e => e)
        const all = [await vault('http://127.0.0.1:9/', { timeout: 0.1 }).session().catch(e => e), e]
        const types = all.map(e => [e instanceof OAuthError, isOAuthError(e), e instanceof Error, e.name, !!e.remedy, typeof e.retryable, Object.keys(e).includes('name')])
        const refused = await oauth.fetchPrivate(api + '/items/none')
        const why = await oauth.explain(refused)
        const good = await oauth.fetchPrivate(api + '/users/me')
        const scope = await oauth.scopesFor([{ method: 'PUT', url: api + '/items/MLA1' }])
        return [types, [refused.status, why?.status, why instanceof OAuthError, why?.code], (await refused.text()).length > 0,
            await oauth.explain(good), await oauth.explain(new Response('', { status: 403 })), scope]";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    let right = json!([true, true, true, "OAuthError", true, "boolean", false]);
    assert_eq!(seen[0], json!([right, right]));
    assert_eq!(seen[1], json!([404, 404, true, "request_refused"]));
    assert_eq!(seen[2], true, "its body is still there");
    assert_eq!(seen[3], Value::Null);
    assert_eq!(seen[4], Value::Null);
    assert_eq!(seen[5], json!(["write"]));
}

#[tokio::test]
async fn an_application_under_require_corp_has_its_vault_where_both_say_so() {
    isolated("require-corp").await;
}

#[tokio::test]
async fn an_application_under_credentialless_has_its_vault_where_both_say_so() {
    isolated("credentialless").await;
}

async fn isolated(policy: &str) {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    // Under these policies two ports of an address are of two sites for Chromium, and those of a name of one.
    let [app, vault] = [&world.app, &world.vault].map(|server| server.at("localhost"));
    world.set_up_vault(&world.vault_config(json!({ "applications": [app] })));
    let page = format!("{app}{}?vault={vault}/", e2e::VAULT_APP);
    let embedder = "Cross-Origin-Embedder-Policy";
    // WebKit's driver loses a page that changes its process.
    if world.engine != Engine::WebKit {
        world
            .app
            .header("/", "Cross-Origin-Opener-Policy", "same-origin");
    }
    world.app.header("/", embedder, policy);
    if world.engine == Engine::Chromium {
        world.open_app(&page).await;
        let outcome = asked(&world, &format!("{vault}/")).await;
        assert_eq!(outcome["error"]["code"], "vault_unreachable", "{outcome}");
        let remedy = outcome["error"]["remedy"].as_str().expect("text");
        assert!(remedy.contains(embedder), "{remedy}");
    }
    world.vault.header("/", embedder, policy);
    world.open_app(&page).await;
    world.leave_for_vault(json!({})).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(me(&world).await["value"]["status"], 200);
    if world.engine == Engine::Chromium {
        let isolated = world.run("return crossOriginIsolated", &[]).await;
        assert_eq!(isolated, true);
    }
}

#[tokio::test]
async fn a_call_is_aborted_here_and_at_the_provider() {
    let world = started().await;
    world.log_in_by_vault().await;
    world.sandbox.hold("/users/me");
    let script = "window.stop = new AbortController()
        window.call = outcome(oauth.fetchPrivate(args[0] + '/users/me', { signal: stop.signal }))";
    world.run(script, &[json!(world.sandbox_origin)]).await;
    world.until_held(1).await;
    let outcome = world
        .run("stop.abort('enough'); return await call", &[])
        .await;
    assert_eq!(outcome, json!({ "reason": "enough" }));
    world.sandbox.release();
    let late = "return await outcome(oauth.fetchPrivate(args[0] + '/users/me', { signal: AbortSignal.abort('before') }))";
    let outcome = world.run(late, &[json!(world.sandbox_origin)]).await;
    assert_eq!(outcome, json!({ "reason": "before" }));
}

#[tokio::test]
async fn a_logout_leaves_nothing_that_a_call_under_way_could_use() {
    let world = started().await;
    world.log_in_by_vault().await;
    world.sandbox.hold("/oauth/token");
    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    world.run("window.call = outcome(oauth.restore().then(() => oauth.fetchPrivate(args[0] + '/users/me')))", &[json!(world.sandbox_origin)]).await;
    world.run("await oauth.logout()", &[]).await;
    world.sandbox.release();
    world.sandbox.forget_requests();
    let outcome = world.run("return await call", &[]).await;
    assert!(outcome["error"].is_object(), "{outcome}");
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(world.calls("/users/me"), []);
}

/// `vault(address).session()` on an application's page that is open.
async fn asked(world: &World, address: &str) -> Value {
    let script = "return await outcome((async () => vault(args[0], { timeout: 1.5 }).session())())";
    world.run(script, &[json!(address)]).await
}

#[tokio::test]
async fn what_is_no_vault_is_an_error_that_says_so_and_nothing_hangs() {
    let world = started().await;
    world.open_app(&world.vault_app()).await;
    for address in [
        "nonsense:",
        "http://vault.example/",
        "/here",
        "https://vault.example/?x",
        "ftp://x/",
    ] {
        let outcome = asked(&world, address).await;
        assert_eq!(
            outcome["error"]["code"], "invalid_config",
            "{address}: {outcome}"
        );
        let message = outcome["error"]["message"].as_str().expect("text");
        assert!(message.starts_with("invalid_config: vault: "), "{message}");
    }
    // Nobody, a page that is no vault, and none that may be framed.
    for address in [
        "http://127.0.0.1:9/".to_owned(),
        format!("{}/e2e/blank.html", world.vault.origin),
        format!("{}/", world.foreign.origin),
    ] {
        let outcome = asked(&world, &address).await;
        assert_eq!(
            outcome["error"]["code"], "vault_unreachable",
            "{address}: {outcome}"
        );
        assert_eq!(outcome["error"]["retryable"], true);
    }
    let frames = world
        .run("return document.querySelectorAll('iframe').length", &[])
        .await;
    assert_eq!(frames, 1, "of those that did not answer none is left");
}

#[tokio::test]
async fn a_frame_that_goes_away_ends_what_waits_for_it_and_the_next_call_opens_another() {
    let world = started().await;
    world.log_in_by_vault().await;
    let begin = "window.frame = document.querySelector('iframe')
        window.call = outcome(oauth.fetchPrivate(args[0] + '/users/me'))";
    for gone in [
        "document.querySelector('iframe').src = args[0]",
        "document.querySelector('iframe').remove(); await outcome(oauth.session())",
    ] {
        world.sandbox.hold("/users/me");
        world.run(begin, &[json!(world.sandbox_origin)]).await;
        world.until_held(1).await;
        world.run(gone, &[json!(world.foreign.origin)]).await;
        let outcome = world.run("return await call", &[]).await;
        // Before it goes the frame may still say that its request has failed.
        let unreachable = outcome["error"]["code"] == "vault_unreachable";
        let cut_off = outcome["error"]["name"] == "TypeError";
        assert!(unreachable || cut_off, "{gone}: {outcome}");
        world.sandbox.release();
        // As long as the old page is there, what is asked goes to it.
        let gone = "!window.frame.isConnected";
        world.page.wait_until(gone).await;
        let answer = me(&world).await;
        assert_eq!(answer["value"]["status"], 200, "{gone}: {answer}");
    }
}

#[tokio::test]
async fn a_frame_that_is_taken_away_as_it_opens_keeps_nobody_waiting() {
    let world = started().await;
    world.open_app(&world.vault_app()).await;
    let script = "const own = vault(args[0], { timeout: 60 })
        const first = outcome(own.session())
        const frames = document.querySelectorAll('iframe')
        frames[frames.length - 1].remove()
        return [await outcome(own.session()), await first]";
    let seen = world.run(script, &[json!(world.vault_address())]).await;
    assert_eq!(seen[0], json!({ "value": null }));
    assert_eq!(seen[1]["error"]["code"], "vault_unreachable", "{seen}");
}

#[tokio::test]
async fn a_configuration_that_serves_nobody_names_its_setting() {
    let world = started().await;
    world.open_app(&world.vault_app()).await;
    let route = json!(["GET https://api.example/*"]);
    for (more, setting) in [
        (json!({ "allow": [] }), "allow: must name a route"),
        (
            json!({ "allow": ["GET /users/me"] }),
            "allow: \"GET /users/me\"",
        ),
        (json!({ "allow": ["get https://api.example/*"] }), "allow: "),
        (
            json!({ "allow": ["GET https://api.example/*/x"] }),
            "allow: ",
        ),
        (
            json!({ "allow": ["GET https://api.example/a/../b"] }),
            "allow: ",
        ),
        (
            json!({ "allow": ["GET https://API.example/a"] }),
            "https://api.example",
        ),
        (
            json!({ "allow": route, "applications": [] }),
            "applications: ",
        ),
        (
            json!({ "allow": route, "applications": ["https://app.example/"] }),
            "applications: ",
        ),
        (
            json!({ "allow": route, "applications": ["*"] }),
            "applications: ",
        ),
        (
            json!({ "allow": route, "headers": ["Authorization"] }),
            "headers: ",
        ),
        (
            json!({ "allow": route, "headers": ["X-HTTP-Method-Override"] }),
            "headers: ",
        ),
        (
            json!({ "allow": route, "limits": { "perHour": 5 } }),
            "limits.perHour: ",
        ),
        (
            json!({ "allow": route, "limits": { "concurrent": 0 } }),
            "limits.concurrent: ",
        ),
        (json!({ "allow": route, "policy": 5 }), "policy: "),
        (json!({ "login": { "returnTo": "/" } }), "login.returnTo: "),
        (
            json!({ "login": { "sessionScope": "tab" } }),
            "login.sessionScope: ",
        ),
    ] {
        let config = world.vault_config(more);
        world.serve_vault(&config);
        let outcome = asked(&world, &world.vault_address()).await;
        assert_eq!(
            outcome["error"]["code"], "invalid_config",
            "{config}: {outcome}"
        );
        let message = outcome["error"]["message"].as_str().expect("text");
        assert!(message.contains(setting), "{setting}: {message}");
    }
}

#[tokio::test]
async fn the_vaults_limits_hold_and_say_which_they_are() {
    let world = World::start().await;
    let limits = json!({ "concurrent": 2, "perMinute": 5, "bodyBytes": 10 });
    world.set_up_vault(&world.vault_config(json!({ "limits": limits })));
    world.log_in_by_vault().await;
    let body = json!({ "method": "PUT", "body": "more than ten" });
    let answer = world.fetch_private("/items/MLA1", body).await;
    assert_eq!(answer["error"]["code"], "vault_limited", "{answer}");
    world.sandbox.hold("/users/me");
    let script = "window.calls = [1, 2].map(() => outcome(oauth.fetchPrivate(args[0] + '/users/me', { cache: 'no-store' }).then(r => r.status)))";
    world.run(script, &[json!(world.sandbox_origin)]).await;
    world.until_held(2).await;
    let answer = me(&world).await;
    assert_eq!(answer["error"]["code"], "vault_limited", "{answer}");
    world.sandbox.release();
    let calls = world.run("return await Promise.all(calls)", &[]).await;
    assert_eq!(calls, json!([{ "value": 200 }, { "value": 200 }]));
    // Another frame of the vault's counts on.
    let (mut made, mut refused) = (2, Value::Null);
    while refused.is_null() && made < 10 {
        world.page.reload().await;
        world.page.wait_until("window.oauth").await;
        let answer = me(&world).await;
        refused = answer["error"].clone();
        made += 1;
    }
    assert_eq!(refused["code"], "vault_limited", "{refused}");
    assert!(refused["retryAfter"].as_u64() > Some(0), "{refused}");
    let seen = world.calls("/users/me").len();
    assert!(
        seen <= 10,
        "five a minute, and a minute may have ended: {seen}"
    );
}

/// An API that answers with a hundred megabytes, as fast as they are taken, and says how many it has got rid of.
struct Stream {
    origin: String,
    sent: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

const HUNDRED_MB: usize = 100_000_000;

impl Stream {
    async fn start() -> Stream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sent, ended) = (Arc::default(), Arc::default());
        let stream = Stream {
            origin,
            sent: Arc::clone(&sent),
            ended: Arc::clone(&ended),
        };
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (sent, ended) = (Arc::clone(&sent), Arc::clone(&ended));
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let size = socket.read(&mut request).await.unwrap_or(0);
                    let is_preflight = request[..size].starts_with(b"OPTIONS");
                    let size = if is_preflight { 0 } else { HUNDRED_MB };
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\ncontent-type: text/plain\r\nconnection: close\r\n\
                         access-control-allow-origin: *\r\naccess-control-allow-headers: authorization\r\n\r\n"
                    );
                    let begun = socket.write_all(head.as_bytes()).await;
                    if is_preflight || begun.is_err() {
                        return;
                    }
                    let part = [b'x'; 50_000];
                    for _ in 0..HUNDRED_MB / part.len() {
                        if socket.write_all(&part).await.is_err() {
                            break;
                        }
                        sent.fetch_add(part.len(), Ordering::SeqCst);
                    }
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        stream
    }

    /// Until so many connections are closed.
    async fn until_ended(&self, count: usize) {
        let ended = async {
            while self.ended.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
        assert!(ended.is_ok(), "{count} connections are closed");
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

/// A world whose vault serves the stream too, logged in.
async fn with_stream() -> (World, Stream) {
    let world = World::start().await;
    let stream = Stream::start().await;
    let mut config = world.vault_config(json!({}));
    config["login"]["resourceServers"] = json!([world.sandbox_origin, stream.origin]);
    config["allow"] = json!([format!("GET {}/all", stream.origin)]);
    world.serve_vault(&config);
    world.log_in_by_vault().await;
    (world, stream)
}

#[tokio::test]
async fn a_hundred_megabytes_are_streamed_and_nowhere_held() {
    let (world, stream) = with_stream().await;
    let url = [json!(format!("{}/all", stream.origin))];
    let script = "window.answer = await oauth.fetchPrivate(args[0])
        window.reader = answer.body.getReader()
        window.first = (await reader.read()).value.byteLength
        // Nothing is read meanwhile, and everybody has had many turns.
        for (let n = 0; n < 300; n++) await oauth.session()
        return [answer.status, answer.headers.get('content-length')]";
    let seen = world.run(script, &url).await;
    assert_eq!(seen, json!([200, HUNDRED_MB.to_string()]));
    // Firefox and WebKit take what comes, by `fetch` alone as well: there the engine holds it, and not the page.
    if world.engine == Engine::Chromium {
        let held = stream.sent();
        assert!(
            held < 20_000_000,
            "{held} bytes were taken, and one chunk was read"
        );
    }
    let script = "let total = first
        for (;;) {
            const { done, value } = await reader.read()
            if (done) return total
            total += value.byteLength
        }";
    assert_eq!(world.run(script, &[]).await, HUNDRED_MB);
    assert_eq!(stream.sent(), HUNDRED_MB);
}

#[tokio::test]
async fn a_stream_that_is_cancelled_or_aborted_ends_at_the_provider_too() {
    let (world, stream) = with_stream().await;
    let url = [json!(format!("{}/all", stream.origin))];
    let cancel = "const answer = await oauth.fetchPrivate(args[0])
        const reader = answer.body.getReader()
        await reader.read()
        await reader.cancel('enough')
        return await outcome(reader.closed)";
    assert_eq!(world.run(cancel, &url).await, json!({}));
    let abort = "const stop = new AbortController()
        const answer = await oauth.fetchPrivate(args[0], { signal: stop.signal })
        const reader = answer.body.getReader()
        await reader.read()
        stop.abort('enough')
        return await outcome((async () => { while (!(await reader.read()).done); })())";
    assert_eq!(world.run(abort, &url).await, json!({ "reason": "enough" }));
    stream.until_ended(2).await;
    if world.engine == Engine::Chromium {
        assert!(stream.sent() < HUNDRED_MB, "{}", stream.sent());
    }
}

#[tokio::test]
async fn a_stream_whose_frame_is_taken_away_ends_with_an_error() {
    let (world, stream) = with_stream().await;
    let script = "const answer = await oauth.fetchPrivate(args[0])
        const reader = answer.body.getReader()
        await reader.read()
        document.querySelector('iframe').remove()
        return await outcome((async () => { while (!(await reader.read()).done); })())";
    let url = [json!(format!("{}/all", stream.origin))];
    let seen = world.run(script, &url).await;
    assert_eq!(seen["error"]["code"], "vault_unreachable", "{seen}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_by_its_signal() {
    let world = started().await;
    world.log_in_by_vault().await;
    let script = "const stop = new AbortController()
        const body = new ReadableStream({})
        const call = outcome(oauth.fetchPrivate(args[0] + '/items/MLA1', { method: 'PUT', body, duplex: 'half', signal: stop.signal }))
        stop.abort('enough')
        return await call";
    // WebKit and Firefox know no body that is a stream: they send its name.
    if world.engine == Engine::Chromium {
        let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
        assert_eq!(seen, json!({ "reason": "enough" }));
    }
    assert_eq!(world.calls("/items/"), []);
}

#[tokio::test]
async fn a_logout_at_the_provider_goes_through_the_vault_and_back_to_the_application() {
    let world = World::start().await;
    let mut config = world.vault_config(json!({}));
    // Stands for the provider.s page of the logout.
    let end = format!("{}/end", world.foreign.origin);
    config["login"]["endSessionEndpoint"] = json!(end);
    world.serve_vault(&config);
    world.log_in_by_vault().await;
    let script = "let went
        await oauth.logout({ endSession: true, navigate: url => { went = url } })
        return [went, await oauth.session()]";
    let seen = world.run(script, &[]).await;
    assert_eq!(seen[1], Value::Null);
    let way = seen[0].as_str().expect("the vault's address");
    assert!(
        way.starts_with(&format!("{}#", world.vault_address())),
        "{way}"
    );
    assert!(!way.contains("end"), "where it leads is not said: {way}");
    world.page.open(way).await;
    world.page.wait_for_url(&end).await;
    let there = world.page.url().await;
    let back = e2e::parameter(&there, "post_logout_redirect_uri");
    assert_eq!(back, Some(world.vault_address()));
    world.page.open(&world.vault_address()).await;
    world.page.wait_for_url(&world.vault_app()).await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
}
