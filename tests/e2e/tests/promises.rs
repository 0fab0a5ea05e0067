//! Pages whose `Promise`, and much else, is not the engine's: under zone.js (every Angular application), under bluebird, with
//! a subclass in its place, with a `fetch` that gives another's promise.

use e2e::{World, parameter};
use serde_json::{Value, json};

/// A script of the npm packages of xtask/npm.
fn script(path: &str) -> String {
    let path = e2e::workspace().join("xtask/npm/node_modules").join(path);
    let read = std::fs::read_to_string(&path);
    read.unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build`", path.display()))
}

/// What came before the library, by a name.
fn foreign() -> Vec<(&'static str, String)> {
    let zone = |version| script(&format!("zone-{version}/bundles/zone.umd.min.js"));
    vec![
        ("zone.js 0.11", zone("0.11")),
        ("zone.js 0.14", zone("0.14")),
        ("zone.js 0.15", zone("0.15")),
        ("zone.js 0.16", zone("0.16")),
        (
            "bluebird",
            script("bluebird/js/browser/bluebird.min.js") + "\nwindow.Promise = P",
        ),
        (
            "a subclass",
            "window.Promise = class extends Promise {}".into(),
        ),
        (
            "a fetch of bluebird's",
            script("bluebird/js/browser/bluebird.min.js")
                + "\nconst native = fetch; window.fetch = (...args) => P.resolve(native(...args)); window.Promise = P",
        ),
        (
            "a thenable from fetch",
            "const native = fetch; window.fetch = (...args) => { const answer = native(...args); return { then: (a, b) => answer.then(a, b) } }".into(),
        ),
    ]
}

/// Opens a form of the package after a script, and logs in by a redirect.
async fn log_in(world: &World, form: &str, before: &str, mut kind: Value) {
    let path = format!("/foreign-{form}.html");
    world
        .app
        .serve("/before.js", "text/javascript", before.to_owned());
    let page = format!(
        "<!doctype html><title>foreign</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
        <script src=/before.js></script><script type=module>
        import * as oauth from '/pkg/{form}.js'
        import {{ use }} from '/e2e/use.js'
        use(oauth)
        </script>"
    );
    world.app.serve(&path, "text/html", page);
    world.open_app(&path).await;
    kind["redirectUri"] = json!(format!("{}{path}", world.app.origin));
    world.leave(kind).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{form}: {outcome}");
}

/// The application's own code, where nothing is the engine's.
const USE: &str = "
    const me = args[0] + '/users/me'
    const zone = window.Zone?.current.fork({ name: 'application' })
    const within = f => zone ? zone.run(f) : f()
    const where = () => window.Zone?.current.name ?? 'application'
    const told = []
    const stop = within(() => oauth.onSessionChange(({ type }) => told.push([type, where()])))
    const navigated = []
    const login = within(() => oauth.startLogin({ ...args[1], navigate: url => { navigated.push(where(), url) } }))
    await login
    const first = await oauth.fetchPrivate(me)
    const canceller = new AbortController()
    const aborted = oauth.fetchPrivate(me, { signal: canceller.signal }).then(() => 'answered', e => e.name)
    canceller.abort()
    // Where a promise of the library's goes on, the application's zone does too.
    const goesOn = await within(() => oauth.session().then(() => where()))
    const state = (await oauth.session()).state
    await oauth.logout()
    while (!told.length) await new Promise(resolve => setTimeout(resolve, 1))
    stop()
    return { status: first.status, aborted: await aborted, goesOn, state, told, navigated }";

#[tokio::test]
async fn a_page_whose_promises_are_not_the_engines_logs_in_calls_and_is_told() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    for (name, before) in foreign() {
        for (form, kind) in [
            ("oauth-wasm", json!({})),
            ("inline", json!({ "sessionScope": "origin", "keep": "tab" })),
        ] {
            // Due at once: the first call renews.
            world.brief_tokens(true);
            log_in(&world, form, &before, kind.clone()).await;
            world.brief_tokens(false);
            let args = [json!(world.sandbox_origin), world.config(kind)];
            let seen = world.run(USE, &args).await;
            assert_eq!(seen["status"], 200, "{name}, {form}: {seen}");
            assert_eq!(seen["aborted"], "AbortError", "{name}, {form}: {seen}");
            assert_eq!(seen["state"], "active", "{name}, {form}: {seen}");
            assert_eq!(seen["goesOn"], "application", "{name}, {form}: {seen}");
            let told = seen["told"].to_string();
            assert!(
                told.contains(r#"["ended","application"]"#),
                "{name}, {form}: {seen}"
            );
            assert!(!told.contains("<root>"), "{name}, {form}: {seen}");
            assert_eq!(
                seen["navigated"][0], "application",
                "{name}, {form}: {seen}"
            );
            let url = seen["navigated"][1].as_str().expect("a URL");
            assert!(parameter(url, "state").is_some(), "{name}, {form}: {url}");
            world.is_quiet().await;
        }
    }
}

/// A page with a script before the full library, which keeps what it counts in `window`.
async fn open_after(world: &World, before: &str) {
    let page = format!(
        "<!doctype html><title>before</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
        <script>{before}</script><script type=module src=/e2e/app.js></script>"
    );
    world.app.serve("/before.html", "text/html", page);
    world.open_app("/before.html").await;
}

#[tokio::test]
async fn a_browser_without_abort_signal_timeout_shares_renews_and_gives_up_in_time() {
    let world = World::start().await;
    let before = "delete AbortSignal.timeout
        const patient = setTimeout
        window.setTimeout = (f, milliseconds) => patient(f, milliseconds / 30)";
    open_after(&world, before).await;
    let kind = json!({
        "redirectUri": format!("{}/before.html", world.app.origin),
        "sessionScope": "origin",
        "keep": "device",
    });
    let outcome = world.log_in_here(world.config(kind.clone())).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.open_app("/before.html").await;
    let restored = world.outcome("oauth.restore()", &[]).await;
    assert_eq!(restored["value"]["shared"], true, "{restored}");
    // Restored, it has no access token: the call renews, under a lock.
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let url = world.begin(kind).await;
    world.sandbox.hold("/oauth/token");
    let redirect = json!(world.redirect(&url));
    let outcome = world
        .outcome("oauth.handleRedirect(args[0])", &[redirect])
        .await;
    assert_eq!(outcome["error"]["code"], "timeout", "{outcome}");
    world.sandbox.release();
}

#[tokio::test]
async fn a_database_whose_connection_is_gone_without_a_word_is_opened_again() {
    let world = World::start().await;
    let before = "window.connections = []
        const { open } = IDBFactory.prototype
        IDBFactory.prototype.open = function (...args) {
            const request = open.apply(this, args)
            request.addEventListener('success', () => connections.push(request.result))
            return request
        }";
    open_after(&world, before).await;
    let kind = json!({ "sessionScope": "origin", "keep": "device" });
    let outcome = world.log_in_here(world.config(kind)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    for _ in 0..2 {
        world.sandbox.expire_tokens();
        let gone = "const count = connections.length
            for (const connection of connections) connection.close()
            return count";
        let count = world.run(gone, &[]).await;
        let answer = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
        let now = world.run("return connections.length", &[]).await;
        assert!(now.as_u64() > count.as_u64(), "another connection");
    }
    world
        .run(
            "for (const connection of connections) connection.close()",
            &[],
        )
        .await;
    let restored = world.outcome("oauth.restore()", &[]).await;
    assert_eq!(restored["value"]["shared"], true, "{restored}");
}

#[tokio::test]
async fn a_listener_that_is_removed_leaves_nothing_on_its_signal() {
    let world = World::start().await;
    let before = "window.balance = 0
        window.controller = new AbortController()
        for (const [name, step] of [['addEventListener', 1], ['removeEventListener', -1]]) {
            const f = EventTarget.prototype[name]
            EventTarget.prototype[name] = function (type, ...rest) {
                if (this === controller.signal) balance += step
                return f.call(this, type, ...rest)
            }
        }";
    open_after(&world, before).await;
    let script = "const told = []
        const stops = []
        for (let i = 0; i < 3; i++) stops.push(oauth.onSessionChange(() => told.push(i), { signal: controller.signal }))
        const listening = balance
        stops[1]()
        const one = balance
        await oauth.adoptToken('pat_sandbox', { provider: 'appfigures' })
        await new Promise(resolve => setTimeout(resolve))
        const first = told.splice(0)
        controller.abort()
        oauth.onSessionChange(() => told.push('late'), { signal: controller.signal })
        await oauth.logout()
        await new Promise(resolve => setTimeout(resolve))
        return { listening, one, first, told, balance }";
    let seen = world.run(script, &[]).await;
    assert_eq!(
        seen,
        json!({ "listening": 3, "one": 2, "first": [0, 2], "told": [], "balance": 0 })
    );
}
