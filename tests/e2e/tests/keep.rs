//! `keep`: a session that outlives a reload, and what of it lies in the browser meanwhile.

use e2e::{APP, World};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

async fn open(world: &World) {
    world.open_app(APP).await;
    let listen =
        "window.changes = []; oauth.onSessionChange(change => changes.push(change)); return true";
    world.run(listen, &[]).await;
}

async fn log_in(world: &World, more: Value) -> Value {
    let outcome = world.log_in_here(world.config(more)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    outcome["value"].clone()
}

async fn restore(world: &World) -> Value {
    world.outcome("oauth.restore()", &[]).await
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

fn canaries(world: &World) {
    let canaries = json!({ "access_token": "canary-access", "refresh_token": "canary-refresh" });
    let canaries = canaries.as_object().expect("an object").clone();
    world
        .sandbox
        .change(|settings| settings.token_response = canaries);
}

/// Everything in the origin's storages, as text: keys and values, bytes as Latin-1.
const STORED: &str = "const seen = []
    const walk = value => {
        if (value instanceof CryptoKey) seen.push(JSON.stringify({ key: value.type, extractable: value.extractable }))
        else if (value instanceof Uint8Array) seen.push(String.fromCharCode(...value))
        else if (value && typeof value === 'object') Object.entries(value).forEach(([key, value]) => { seen.push(key); walk(value) })
        else seen.push(String(value))
    }
    walk({ ...localStorage }); walk({ ...sessionStorage }); seen.push(document.cookie)
    for (const { name } of await indexedDB.databases()) {
        const database = await new Promise(resolve => {
            const open = indexedDB.open(name)
            open.onsuccess = () => resolve(open.result)
        })
        for (const store of database.objectStoreNames) {
            const all = database.transaction(store).objectStore(store).getAll()
            walk(await new Promise(resolve => { all.onsuccess = () => resolve(all.result) }))
        }
        database.close()
    }
    return seen";

async fn stored(world: &World) -> Vec<String> {
    serde_json::from_value(world.run(STORED, &[]).await).expect("texts")
}

fn is_in(stored: &[String], word: &str) -> bool {
    stored.iter().any(|text| text.contains(word))
}

#[tokio::test]
async fn a_session_comes_back_after_a_reload_renewed_and_without_a_redirect() {
    let world = World::start().await;
    open(&world).await;
    let session = log_in(&world, json!({ "keep": "tab", "appState": { "cart": 7 } })).await;
    assert_eq!(session["keep"], "tab");
    for round in 1..=2 {
        world.page.reload().await;
        open(&world).await;
        let restored = restore(&world).await;
        assert_eq!(
            restored["value"]["appState"],
            json!({ "cart": 7 }),
            "{restored}"
        );
        assert_eq!(restored["value"]["extra"]["user_id"], e2e::USER);
        assert_eq!(me(&world).await["value"]["status"], 200);
        assert_eq!(world.token_requests("refresh_token"), round);
    }
    let told = "return changes.map(({ type, from }) => [type, from])";
    assert_eq!(world.run(told, &[]).await, json!([["restored", "here"]]));
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn memory_is_the_default_and_leaves_nothing_to_restore() {
    let world = World::start().await;
    canaries(&world);
    open(&world).await;
    let session = log_in(&world, json!({})).await;
    assert_eq!(session["keep"], Value::Null);
    assert!(!is_in(&stored(&world).await, "canary"));
    world.page.reload().await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null);
}

#[tokio::test]
async fn what_is_kept_for_a_tab_is_of_no_use_to_another() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "tab" })).await;
    let tab = world.page.new_tab().await;
    world.page.switch_to(&tab).await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null);
    assert_eq!(world.token_requests("refresh_token"), 0);
}

#[tokio::test]
async fn what_is_kept_on_the_device_is_there_when_every_tab_was_closed() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    let old = world.page.tab().await;
    let tab = world.page.new_tab().await;
    world.page.switch_to(&old).await;
    world.page.close().await;
    world.page.switch_to(&tab).await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"]["keep"], "device");
    assert_eq!(me(&world).await["value"]["status"], 200);
}

/// A tab that was duplicated has the other's sessionStorage too.
#[tokio::test]
async fn a_duplicated_tab_spends_no_refresh_token_twice() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "tab" })).await;
    let first = world.page.tab().await;
    let copy = world.run("return { ...sessionStorage }", &[]).await;
    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    open(&world).await;
    world
        .run(
            "Object.assign(sessionStorage, args[0]); return true",
            &[copy],
        )
        .await;
    assert!(restore(&world).await["value"].is_object());
    for tab in [&first, &second, &first, &second] {
        world.sandbox.expire_tokens();
        world.page.switch_to(tab).await;
        assert_eq!(me(&world).await["value"]["status"], 200);
    }
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn no_storage_has_a_token_in_the_clear_and_the_key_cannot_be_read() {
    let world = World::start().await;
    canaries(&world);
    open(&world).await;
    for keep in ["tab", "device"] {
        for scope in ["tab", "origin"] {
            log_in(&world, json!({ "keep": keep, "sessionScope": scope })).await;
            let stored = stored(&world).await;
            assert!(!is_in(&stored, "canary"), "{keep} {scope}");
            assert!(is_in(&stored, "session."), "there is a record");
            assert!(is_in(&stored, "{\"key\":\"secret\",\"extractable\":false}"));
            world.run("await oauth.logout()", &[]).await;
            let stored = self::stored(&world).await;
            assert!(!is_in(&stored, "session."), "it is wiped: {stored:?}");
        }
    }
}

#[tokio::test]
async fn a_record_that_was_tampered_with_or_has_lain_too_long_is_absent() {
    let world = World::start().await;
    let change = "const change = new Function('item', args[0])
        await new Promise(resolve => {
            const open = indexedDB.open('oauth-wasm')
            open.onsuccess = () => {
                const work = open.result.transaction('items', 'readwrite')
                const store = work.objectStore('items')
                store.openCursor().onsuccess = ({ target: { result } }) => {
                    if (!result) return
                    if (result.key.startsWith('session.')) { change(result.value); result.update(result.value) }
                    result.continue()
                }
                work.oncomplete = () => { open.result.close(); resolve() }
            }
        })
        return true";
    let label = |edit: &str| {
        format!("const label = JSON.parse(item.text); {edit}; item.text = JSON.stringify(label)")
    };
    for edit in [
        "item.two[20] ^= 1".to_owned(),
        "item.two = new Uint8Array(3)".to_owned(),
        "delete item.two".to_owned(),
        "item.text = 'nonsense'".to_owned(),
        "item.text = 7".to_owned(),
        label("label.clientId = 'another'"),
        label("label.generation = 5"),
        label("label.salt = 'AAAAAAAAAAAAAAAAAAAAAA'"),
        label("label.at -= 31 * 86400"),
        label("label.v = 2"),
        label("label.keep = 'forever'"),
    ] {
        open(&world).await;
        world.run("await oauth.logout()", &[]).await;
        log_in(&world, json!({ "keep": "device" })).await;
        world.run(change, &[json!(edit)]).await;
        world.page.reload().await;
        open(&world).await;
        assert_eq!(restore(&world).await["value"], Value::Null, "{edit}");
    }
    assert_eq!(world.token_requests("refresh_token"), 0);
}

#[tokio::test]
async fn a_session_that_was_ended_meanwhile_is_not_restored_and_its_record_goes() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    world.sandbox.revoke_grants();
    world.page.reload().await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null);
    assert!(!is_in(&stored(&world).await, "session."));
}

#[tokio::test]
async fn a_server_that_is_down_when_the_page_starts_costs_no_session() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    let faults = vec![Fault::new("/oauth/token", FaultKind::DropBefore)];
    world.sandbox.change(|settings| settings.faults = faults);
    world.page.reload().await;
    open(&world).await;
    let restored = restore(&world).await;
    assert_eq!(restored["value"]["keep"], "device", "{restored}");
    assert_eq!(
        me(&world).await["value"]["status"],
        200,
        "the server is back"
    );
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

/// The answer to the renewal before the reload was lost: the refresh token may be spent, so it is not sent again.
#[tokio::test]
async fn a_reload_in_the_middle_of_a_renewal_sends_no_refresh_token_twice() {
    let world = World::start().await;
    open(&world).await;
    log_in(
        &world,
        json!({ "keep": "device", "refreshTokenReuse": false }),
    )
    .await;
    world.sandbox.expire_tokens();
    let lost = Fault::new("/oauth/token", FaultKind::DropAfterProcessing).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![lost]);
    assert_eq!(me(&world).await["error"]["code"], "session_indeterminate");
    world.page.reload().await;
    open(&world).await;
    assert_eq!(restore(&world).await["value"], Value::Null);
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

/// The same where the provider ends nothing over it: what is lost otherwise is worth a second try.
#[tokio::test]
async fn a_reload_after_a_lost_answer_sends_the_refresh_token_once_more() {
    let world = World::start().await;
    open(&world).await;
    log_in(&world, json!({ "keep": "device" })).await;
    world.sandbox.expire_tokens();
    let lost = Fault::new("/oauth/token", FaultKind::DropBefore).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![lost]);
    assert_eq!(me(&world).await["error"]["code"], "session_indeterminate");
    world.sandbox.change(|settings| settings.faults = vec![]);
    world.page.reload().await;
    open(&world).await;
    let restored = restore(&world).await;
    assert_eq!(restored["value"]["state"], "active", "{restored}");
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn where_the_browser_cannot_keep_the_login_says_so_or_does_without() {
    let world = World::start().await;
    for missing in [
        "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError') } })",
        "Object.defineProperty(window, 'indexedDB', { value: undefined })",
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }",
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })",
    ] {
        let html = format!(
            "<!doctype html><title>no</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
            <script>{missing}</script><script type=module src=/e2e/app.js></script>"
        );
        world.app.serve("/e2e/missing.html", "text/html", html);
        world.open_app("/e2e/missing.html").await;
        assert_eq!(restore(&world).await["value"], Value::Null, "{missing}");
        for field in [
            json!({ "keep": "device" }),
            json!({ "sessionScope": "origin" }),
            json!({ "keepPending": true }),
        ] {
            let mut config = world.config(field.clone());
            config["navigate"] = Value::Null;
            let refused = world
                .outcome(
                    "oauth.startLogin({ ...args[0], navigate: () => {} })",
                    &[config],
                )
                .await;
            assert_eq!(
                refused["error"]["code"], "unsupported_environment",
                "{missing} {refused}"
            );
            let name = field
                .as_object()
                .and_then(|field| field.keys().next())
                .expect("a field");
            let message = refused["error"]["message"].as_str().expect("a message");
            assert!(message.contains(name.as_str()), "{message}");
        }
        let session = log_in(&world, json!({ "keep": "device", "sessionScope": "origin", "keepOptional": true, "keepPending": true })).await;
        assert_eq!(
            (&session["keep"], &session["shared"]),
            (&Value::Null, &json!(false))
        );
        assert_eq!(me(&world).await["value"]["status"], 200);
        world.run("await oauth.logout()", &[]).await;
    }
}

#[tokio::test]
async fn a_login_that_was_kept_is_answered_though_its_response_came_at_foreign_addresses_a_moment_before()
 {
    let world = World::start().await;
    open(&world).await;
    let url = world.begin(json!({ "keepPending": true })).await;
    let redirect = world.redirect(&url);
    let elsewhere = redirect.replace(e2e::APP, "/e2e/elsewhere.html");
    let further = redirect.replace(e2e::APP, "/e2e/further.html");
    let answers = world
        .outcome(
            "Promise.all(args.map(url => oauth.handleRedirect(url).then(() => 'answered', error => error.code)))",
            &[json!(elsewhere), json!(further), json!(redirect), json!(redirect)],
        )
        .await;
    assert_eq!(
        answers["value"],
        json!([
            "redirect_uri_mismatch",
            "redirect_uri_mismatch",
            "answered",
            "answered"
        ])
    );
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_login_that_was_kept_is_answered_once_after_the_tab_has_died() {
    let world = World::start().await;
    open(&world).await;
    let url = world.begin(json!({ "keepPending": true })).await;
    assert_eq!(
        world.pending().await,
        Vec::<String>::new(),
        "not in sessionStorage"
    );
    let state = e2e::parameter(&url, "state").expect("a state");
    let verifier = stored(&world).await;
    assert!(is_in(&verifier, &format!("pending.{state}")));
    let redirect = world.redirect(&url);
    // Another tab knows nothing of the one that began.
    let old = world.page.tab().await;
    let tab = world.page.new_tab().await;
    world.page.switch_to(&old).await;
    world.page.close().await;
    world.page.switch_to(&tab).await;
    open(&world).await;
    let forged = redirect.replace(&state, e2e::FORGED);
    let refused = world
        .outcome("oauth.handleRedirect(args[0])", &[json!(forged)])
        .await;
    assert_eq!(refused["error"]["code"], "unknown_state");
    let elsewhere = redirect.replace(e2e::APP, "/e2e/elsewhere.html");
    let refused = world
        .outcome("oauth.handleRedirect(args[0])", &[json!(elsewhere)])
        .await;
    assert_eq!(
        refused["error"]["code"], "redirect_uri_mismatch",
        "{refused}"
    );
    let both = "const both = [oauth.handleRedirect(args[0]), oauth.handleRedirect(args[0])]
        return (await Promise.all(both)).map(session => session.clientId)";
    let sessions = world.run(both, &[json!(redirect)]).await;
    assert_eq!(sessions, json!(["1620218256833906", "1620218256833906"]));
    assert_eq!(world.token_requests("authorization_code"), 1);
    assert!(!is_in(&stored(&world).await, "pending."));
    world.page.reload().await;
    open(&world).await;
    let again = world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await;
    assert_eq!(again["error"]["code"], "unknown_state");
}
