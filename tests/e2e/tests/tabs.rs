//! `sessionScope: "origin"`: one session for all tabs, renewed once, left once.

use e2e::{APP, Tab, World};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The page keeps what it is told in `changes`.
const LISTEN: &str =
    "window.changes = []; oauth.onSessionChange(change => changes.push(change)); return true";

/// Logs in on the page that is open, which stays.
async fn log_in(world: &World, more: Value) {
    let mut config = json!({ "sessionScope": "origin" });
    for (name, value) in more.as_object().expect("an object") {
        config[name] = value.clone();
    }
    let outcome = world.log_in_here(world.config(config)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

async fn open(world: &World) {
    world.open_app(APP).await;
    world.run(LISTEN, &[]).await;
}

/// Tabs that have got the session of the first one.
async fn tabs(world: &World, count: usize) -> Vec<Tab> {
    let mut tabs = vec![world.page.tab().await];
    while tabs.len() < count {
        let tab = world.page.new_tab().await;
        world.page.switch_to(&tab).await;
        open(world).await;
        let restored = restore(world).await;
        assert_eq!(restored["value"]["shared"], true, "{restored}");
        tabs.push(tab);
    }
    tabs
}

async fn restore(world: &World) -> Value {
    world.outcome("oauth.restore()", &[]).await
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

/// A call whose answer nobody waits for.
async fn call(world: &World) {
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    let script = "oauth.fetchPrivate(args[0]).catch(() => {}); return true";
    world.run(script, &[url]).await;
}

fn status(answer: &Value) -> &Value {
    &answer["value"]["status"]
}

/// What was told since the last time: `[type, from, reason]`.
async fn told(world: &World) -> Value {
    let script =
        "return changes.splice(0).map(({ type, from, reason }) => [type, from, reason ?? null])";
    world.run(script, &[]).await
}

/// The refresh tokens that were sent, in their order.
fn refresh_tokens(world: &World) -> Vec<String> {
    let requests = world.sandbox.requests();
    let sent = requests.iter().filter(|request| request.method == "POST");
    sent.filter_map(|request| request.form("refresh_token"))
        .collect()
}

fn each_was_sent_once(world: &World) {
    let sent = refresh_tokens(world);
    let different: HashSet<_> = sent.iter().collect();
    assert_eq!(
        different.len(),
        sent.len(),
        "a refresh token was sent twice"
    );
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn a_new_tab_gets_the_session_of_a_living_one_and_asks_nobody_else() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let before = world.sandbox.requests().len();
    tabs(&world, 3).await;
    assert_eq!(world.sandbox.requests().len(), before);
    assert_eq!(told(&world).await, json!([["restored", "elsewhere", null]]));
    assert_eq!(status(&me(&world).await), 200);
    let script = "const { clientId, scope, shared, keep, expiresAt } = await oauth.session()
        return [clientId, scope, shared, keep, expiresAt > Date.now()]";
    assert_eq!(
        world.run(script, &[]).await,
        json!([
            "1620218256833906",
            ["offline_access", "read", "write"],
            true,
            null,
            true
        ])
    );
}

#[tokio::test]
async fn a_tab_that_is_alone_has_nothing_to_restore() {
    let world = World::start().await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null);
    log_in(&world, json!({})).await;
    world.page.open("/e2e/blank.html").await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null, "memory only");
}

#[tokio::test]
async fn five_tabs_that_need_a_new_token_at_once_send_one_refresh() {
    renewed_once_by(5).await;
}

#[tokio::test]
async fn so_do_twenty() {
    renewed_once_by(20).await;
}

async fn renewed_once_by(count: usize) {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let tabs = tabs(&world, count).await;
    for round in 1..=2 {
        all_call_with_expired_tokens(&world, &tabs).await;
        assert_eq!(world.token_requests("refresh_token"), round);
    }
    each_was_sent_once(&world);
}

#[tokio::test]
async fn five_tabs_with_a_session_each_renew_it_once_each_and_lose_none() {
    each_renewed_by_its_own(5).await;
}

#[tokio::test]
async fn so_do_twenty_of_them() {
    each_renewed_by_its_own(20).await;
}

async fn each_renewed_by_its_own(count: usize) {
    let world = World::start().await;
    let mut tabs = Vec::new();
    while tabs.len() < count {
        let tab = world.page.new_tab().await;
        world.page.switch_to(&tab).await;
        open(&world).await;
        log_in(&world, json!({ "sessionScope": "tab" })).await;
        tabs.push(tab);
    }
    for round in 1..=2 {
        all_call_with_expired_tokens(&world, &tabs).await;
        assert_eq!(world.token_requests("refresh_token"), round * count);
    }
    each_was_sent_once(&world);
}

/// Every access token has ended, every tab calls, and every call succeeds.
async fn all_call_with_expired_tokens(world: &World, tabs: &[Tab]) {
    world.sandbox.expire_tokens();
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    for tab in tabs {
        world.page.switch_to(tab).await;
        let script = "window.answer = answered(oauth.fetchPrivate(args[0])); return true";
        world.run(script, std::slice::from_ref(&url)).await;
    }
    for tab in tabs {
        world.page.switch_to(tab).await;
        let answer = world.run("return await answer", &[]).await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
}

#[tokio::test]
async fn the_others_hear_of_a_renewal_and_use_its_token() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let tabs = tabs(&world, 2).await;
    told(&world).await;
    world.sandbox.expire_tokens();
    assert_eq!(status(&me(&world).await), 200);
    assert_eq!(told(&world).await, json!([["renewed", "here", null]]));
    world.page.switch_to(&tabs[0]).await;
    world
        .page
        .wait_until("changes.some(change => change.type === 'renewed')")
        .await;
    assert_eq!(
        told(&world).await,
        json!([["started", "here", null], ["renewed", "elsewhere", null]])
    );
    assert_eq!(status(&me(&world).await), 200);
    let calls = world.calls("/users/me");
    assert_eq!(calls.last().expect("a call").status, 200, "no 401 first");
    assert_eq!(world.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_logout_in_one_tab_logs_out_all() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    let tabs = tabs(&world, 3).await;
    world.run("await oauth.logout()", &[]).await;
    for tab in &tabs[..2] {
        world.page.switch_to(tab).await;
        world
            .page
            .wait_until("changes.some(change => change.type === 'ended')")
            .await;
        assert_eq!(
            world.run("return await oauth.session()", &[]).await,
            Value::Null
        );
        assert_eq!(me(&world).await["error"]["code"], "login_required");
        let last = world.run(
            "const { type, from, reason } = changes.at(-1); return [type, from, reason]",
            &[],
        );
        assert_eq!(last.await, json!(["ended", "elsewhere", "logout"]));
    }
    assert_eq!(restore(&world).await["value"], Value::Null);
}

#[tokio::test]
async fn an_end_that_somebody_only_says_ends_nothing() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let script = "const [record] = await new Promise(resolve => {
            const open = indexedDB.open('oauth-wasm')
            open.onsuccess = () => {
                const all = open.result.transaction('items').objectStore('items').getAllKeys()
                all.onsuccess = () => resolve(all.result.filter(name => name.startsWith('session.')))
            }
        })
        const name = record.slice('session.'.length)
        const channel = new BroadcastChannel('oauth-wasm')
        for (const said of ['ended', 'renewed', 'started', 'nonsense']) {
            channel.postMessage({ text: JSON.stringify({ said, name }), bytes: new Uint8Array(0) })
        }
        for (const text of ['', '{', '{\"name\":5,\"said\":[]}', '{\"to\":\"x\"}', '{\"ask\":\"x\"}', '[1]']) {
            channel.postMessage({ text, bytes: new Uint8Array(3) })
            channel.postMessage({ text, bytes: 'no bytes' })
        }
        channel.postMessage(null)
        channel.postMessage({ text: { toString: 5 }, bytes: [1] })
        // Heard after the others: by then they were all dealt with.
        await new Promise(resolve => {
            const other = new BroadcastChannel('oauth-wasm')
            other.onmessage = resolve
            channel.postMessage('last')
        })
        return (await oauth.session()).state";
    assert_eq!(world.run(script, &[]).await, "active");
    assert_eq!(status(&me(&world).await), 200);
    world.is_quiet().await;
}

#[tokio::test]
async fn whoever_listens_on_the_channel_hears_no_token() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        let canaries =
            json!({ "access_token": "canary-access", "refresh_token": "canary-refresh" });
        settings.token_response = canaries.as_object().expect("an object").clone();
    });
    open(&world).await;
    let listen = "window.heard = []
        const channel = new BroadcastChannel('oauth-wasm')
        channel.onmessage = ({ data }) => heard.push(data.text + String.fromCharCode(...data.bytes) + JSON.stringify(data))
        return true";
    world.run(listen, &[]).await;
    let first = world.page.tab().await;
    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    let third = world.page.new_tab().await;
    world.page.switch_to(&third).await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"]["shared"], true);
    world.page.switch_to(&first).await;
    world
        .page
        .wait_until("heard.some(text => text.includes('\"to\":'))")
        .await;
    let heard = world.run("return heard", &[]).await.to_string();
    assert!(
        heard.contains("ask") && heard.contains("started"),
        "{heard}"
    );
    assert!(!heard.contains("canary"), "{heard}");
}

/// The tab that holds the lock while its refresh is on its way is closed; nobody knows what became of the token, and the
/// next tab, whose access token is over too, sends it once more.
#[tokio::test]
async fn a_tab_that_dies_with_a_refresh_under_way_blocks_nobody_and_it_is_sent_once_more_at_most() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let tabs = tabs(&world, 3).await;
    world.sandbox.expire_tokens();
    world.sandbox.hold("POST /oauth/token");
    call(&world).await;
    world.until_held(1).await;
    world.page.close().await;
    world.page.switch_to(&tabs[0]).await;
    world.sandbox.release();
    // The sandbox may have taken the request of the tab that is gone, or not.
    let answer = me(&world).await;
    if status(&answer) == 200 {
        world.page.switch_to(&tabs[1]).await;
    } else {
        assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
        log_in(&world, json!({})).await;
    }
    assert_eq!(status(&me(&world).await), 200);
    assert!(world.token_requests("refresh_token") <= 2);
}

#[tokio::test]
async fn a_lost_answer_makes_the_session_indeterminate_in_every_tab() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let tabs = tabs(&world, 2).await;
    world.sandbox.expire_tokens();
    let lost = Fault::new("/oauth/token", FaultKind::DropAfterProcessing).method("POST");
    let lost = lost.times(1000);
    world
        .sandbox
        .change(|settings| settings.faults = vec![lost]);
    for _ in 0..2 {
        for tab in &tabs {
            world.page.switch_to(tab).await;
            assert_eq!(me(&world).await["error"]["code"], "session_indeterminate");
        }
    }
    // Once more, when nothing else was left; whichever tab it is, never a third time.
    assert_eq!(world.token_requests("refresh_token"), 2);
}

#[tokio::test]
async fn a_server_that_refuses_for_now_ends_no_session_in_any_tab() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({})).await;
    let tabs = tabs(&world, 2).await;
    world.sandbox.expire_tokens();
    let failure = Fault::new("/oauth/token", FaultKind::Status500).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![failure]);
    let refused = me(&world).await;
    assert_eq!(refused["error"]["code"], "server_error", "{refused}");
    world.page.switch_to(&tabs[0]).await;
    assert_eq!(status(&me(&world).await), 200);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn a_new_login_in_one_tab_is_the_others_as_well() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "appState": 1 })).await;
    let tabs = tabs(&world, 2).await;
    log_in(&world, json!({ "appState": 2 })).await;
    world.page.switch_to(&tabs[0]).await;
    world
        .page
        .wait_until("oauth.session().then(session => session.appState === 2)")
        .await;
    assert_eq!(status(&me(&world).await), 200);
}

#[tokio::test]
async fn without_web_locks_a_lease_lets_one_renew() {
    let world = World::start().await;
    let html = "<!doctype html><title>no locks</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
        <script>Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })</script>
        <script type=module src=/e2e/app.js></script>";
    world.app.serve("/e2e/no-locks.html", "text/html", html);
    let open = async || {
        world.open_app("/e2e/no-locks.html").await;
        world.run("return navigator.locks === undefined", &[]).await
    };
    assert_eq!(open().await, true);
    log_in(&world, json!({})).await;
    let first = world.page.tab().await;
    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    open().await;
    assert_eq!(restore(&world).await["value"]["shared"], true);
    all_call_with_expired_tokens(&world, &[first, second]).await;
    assert_eq!(world.token_requests("refresh_token"), 1);
    each_was_sent_once(&world);
}

#[tokio::test]
async fn a_session_that_is_kept_for_one_tab_and_shared_by_all_is_restored_in_another() {
    let world = World::start().await;
    world
        .log_in(json!({ "sessionScope": "origin", "keep": "tab" }))
        .await;
    let first = world.page.tab().await;
    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    world.open_app(APP).await;
    let session = world.run("return await oauth.restore()", &[]).await;
    assert_eq!(session["shared"], true, "{session}");
    world.page.switch_to(&first).await;
    world.is_quiet().await;
}
