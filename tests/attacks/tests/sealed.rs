//! The sealed module: nothing that the package exports, leaves on globalThis or hands to the platform leads to a token
//! or to the wasm's memory.

use attacks::{ACCESS, REFRESH, SEARCH, everything_sent, is_nowhere, is_the_browsers_own};
use attacks::{plant_canaries, search};
use e2e::{Engine, World, parameter};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// What every access token begins with, and what stands in every answer of the token endpoint.
const CANARIES: [&str; 2] = ["APP_USR-", "refresh_token\""];

#[tokio::test]
async fn a_script_that_comes_later_is_handed_nothing() {
    is_handed_nothing("oauth-wasm", json!({})).await;
}

#[tokio::test]
async fn a_script_that_comes_later_is_handed_nothing_of_a_session_that_is_shared_and_kept() {
    let kind = json!({ "sessionScope": "origin", "keep": "device" });
    is_handed_nothing("oauth-wasm", kind).await;
}

/// In a form of the package, with a session of some kind.
async fn is_handed_nothing(form: &str, mut kind: Value) {
    let world = World::start().await;
    // Every token is due as soon as it is here: each call renews first.
    world.sandbox.change(|settings| {
        settings
            .token_response
            .insert("expires_in".into(), json!(0.5));
    });
    let page = &world.page;
    let robbed = format!("/attacks/robbed.html?form={form}");
    page.open(&robbed).await;
    page.wait_until("window.oauth && window.loot").await;
    kind["redirectUri"] = json!(format!("{}{robbed}", world.app.origin));
    let config = world.config(kind);
    let script = "
        const [config] = args
        let url
        config.navigate = u => { window.look(); url = u }
        config.appState = { toJSON() { window.look(); return 1 } }
        await window.oauth.startLogin(config)
        return url";
    let url = page.js(script, &[config]).await.expect("a URL");
    let back = world.redirect(url.as_str().expect("a URL"));

    let script = "
        const [back, sandbox] = args
        const { oauth } = window
        const limit = () => new Promise(r => setTimeout(() => r('HANGS'), 3000))
        const seen = e => { void e?.stack; window.look(); window.unstack(e); return e }
        const outcome = async promise => { try { return seen(await Promise.race([promise, limit()])) } catch (e) { return seen(e) } }
        oauth.onSessionChange(seen)
        const session = await outcome(oauth.handleRedirect(back))
        const init = { get redirect() { window.look(); return 'error' }, get body() { window.look() }, get signal() { window.look() } }
        const me = await outcome(oauth.fetchPrivate(sandbox + '/users/me', init))
        const more = []
        for (const call of [
            () => oauth.fetchPrivate('http://[bad'),
            () => oauth.fetchPrivate(sandbox + '/users/me', { method: 'bad method' }),
            () => oauth.fetchPrivate({ toString() { window.look(); return sandbox + '/users/me' } }),
            () => oauth.fetchPrivate('https://evil.example/'),
            () => oauth.handleRedirect({ toString() { window.look(); return back } }),
            () => oauth.startLogin({ get clientId() { window.look(); throw new Error('mine') } }),
            () => oauth.session(),
            () => oauth.restore(),
            () => oauth.restore({ get clientId() { window.look(); return '1' } }),
            () => oauth.explain(new Response('{}', { status: 403 })),
            () => oauth.explain({}),
            () => oauth.scopesFor([{ get url() { window.look(); return sandbox + '/items' }, method: 'PUT' }]),
            () => oauth.scopesFor({}),
            () => oauth.adoptToken('pat_sandbox', { get provider() { window.look(); return 'appfigures' } }),
            () => oauth.logout({ get revoke() { window.look(); return true } }),
            () => oauth.startLogin({ provider: 'nobody' }),
        ]) more.push(String(await outcome(call())))
        return { session: !!session?.clientId, status: me?.status, more, loot: [await window.loot(args[2][0]), await window.loot(args[2][1])] }";
    let args = [json!(back), json!(world.sandbox_origin), json!(CANARIES)];
    let seen: Value = page.js(script, &args).await.expect("it runs");
    assert_eq!(seen["session"], true, "{seen}");
    assert_eq!(seen["status"], 200, "{seen}");
    for loot in seen["loot"].as_array().expect("two searches") {
        assert_eq!(loot["found"], json!([]), "{seen}");
        assert_eq!(loot["wasm"], json!([]), "{seen}");
        assert_ne!(loot["handed"], 0, "the hooks are there: {seen}");
    }
    if world.engine == Engine::Chromium {
        assert_ne!(
            seen["loot"][0]["frames"], 0,
            "the stack was looked at: {seen}"
        );
    }
    let renewals = world.token_requests("refresh_token");
    assert!(renewals >= 1, "a token was renewed in the thief's presence");
}

#[tokio::test]
async fn the_search_finds_what_is_planted() {
    let world = World::start().await;
    world.open_app(SEARCH).await;
    let plant = "const [start, end] = args
        const word = start + end
        window.planted = {
            deep: new Map([[1, { get x() { return [word] } }]]),
            [Symbol('s')]: Promise.resolve({ inside: word }),
            set: new Set([new Headers({ x: word })]),
            bytes: new TextEncoder().encode('xx' + word),
            error: new Error(word),
            memory: new WebAssembly.Memory({ initial: 1 }),
            shared: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer,
            [word]: 1,
            made: Object.create({ inherited: word }),
        }
        sessionStorage.x = localStorage.x = window.name = word
        document.cookie = 'x=' + word
        document.title = word
        history.replaceState({ word }, '')
        console.log(word)
        performance.mark(word)
        new Uint8Array(planted.shared).set(new TextEncoder().encode(word))
        const database = await new Promise(resolve => {
            const opening = indexedDB.open('planted', 1)
            opening.onupgradeneeded = () => opening.result.createObjectStore('items').put({ word: new Blob(), deep: [word] }, 1)
            opening.onsuccess = () => resolve(opening.result)
        })
        database.close()
        await (await caches.open('planted')).put('/planted', new Response(word))";
    world.run(plant, &[json!("can"), json!("ary")]).await;
    let seen = search(&world, &["canary"]).await;
    let found = seen["found"].to_string();
    for place in [
        "planted.deep.entry.x",
        "Symbol(s).then().inside",
        "planted.set.key.pair",
        "planted.bytes.buffer",
        "planted.error.message",
        "planted.canary",
        "planted.made.__proto__.inherited",
        "planted.shared",
        "stored planted/items",
        "stored planted http",
        "0 in sessionStorage",
        "0 in localStorage",
        "0 in cookie",
        "0 in html",
        "0 in history.state",
        "0 in console",
        "0 in performance",
        "0 in window.name",
    ] {
        assert!(found.contains(place), "{place}: {found}");
    }
    assert_eq!(seen["wasm"], json!(["window.planted.memory"]));
}

#[tokio::test]
async fn a_token_is_nowhere_a_script_of_the_page_can_look() {
    let world = World::start().await;
    plant_canaries(&world);
    let home = format!("{}{SEARCH}", world.app.origin);
    world.open_app(SEARCH).await;
    let url = world.begin(json!({ "redirectUri": home })).await;
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    is_nowhere(&world, &[ACCESS, REFRESH], "after the login").await;

    // Nor is what the tokens were bought with, but for the browser's own record of the navigation.
    let requests = world.sandbox.requests();
    let exchange = requests.iter().find(|r| r.path == "/oauth/token");
    let exchange = exchange.expect("a token request");
    let verifier = exchange.form("code_verifier").expect("a verifier");
    let code = parameter(&redirect, "code").expect("a code");
    let state = parameter(&redirect, "state").expect("a state");
    is_nowhere(&world, &[&verifier], "after the login").await;
    let seen = search(&world, &[&code, &state]).await;
    let elsewhere = seen["found"].as_array().expect("places").iter();
    let elsewhere: Vec<_> = elsewhere
        .filter(|place| !is_the_browsers_own(place))
        .collect();
    assert_eq!(elsewhere, Vec::<&Value>::new());

    // While a renewal is under way, whose request carries the refresh token.
    world.sandbox.hold("/oauth/token");
    let me = json!(format!("{}/users/me", world.sandbox_origin));
    let start = "window.renewing = outcome(oauth.fetchPrivate(args[0]))
        return null";
    world.run(start, &[me]).await;
    world.until_held(1).await;
    is_nowhere(&world, &[ACCESS, REFRESH], "during a renewal").await;
    world.sandbox.release();
    let refused = world.run("return (await renewing).error.code", &[]).await;
    assert_eq!(refused, "session_ended", "the canaries buy nothing");
    let url = world.begin(json!({ "redirectUri": home })).await;
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");

    // While a request with the token is under way.
    world.sandbox.hold("/sites");
    let sites = json!(format!("{}/sites", world.sandbox_origin));
    let start = "window.held = oauth.fetchPrivate(args[0])
        return null";
    world.run(start, &[sites]).await;
    world.until_held(1).await;
    is_nowhere(&world, &[ACCESS, REFRESH], "during a request").await;
    world.sandbox.release();
    let answer = world.run("return (await held).status", &[]).await;
    assert_eq!(answer, 200);
    assert_eq!(world.calls("/sites")[0].token.as_deref(), Some(ACCESS));
    is_nowhere(&world, &[ACCESS, REFRESH], "after a request").await;

    // In no error either: by our own judgement, by the browser's, and with a server that echoes what it refuses.
    let words = json!({ "error": "invalid_grant", "error_description": format!("{REFRESH} is spent"),
        "error_uri": format!("https://as.example/{REFRESH}") });
    let kind = FaultKind::json(400, words, &[]);
    world.sandbox.change(|settings| {
        settings.faults = vec![
            Fault::new("/sites", FaultKind::DropBefore).times(20),
            Fault::new("/oauth/token", FaultKind::Status500).method("POST"),
            Fault::new("/oauth/token", kind).method("POST"),
        ];
    });
    let fail = "const [origin, foreign, redirect] = args
        const calls = [
            () => oauth.fetchPrivate(foreign),
            () => oauth.fetchPrivate(origin + '/sites', { headers: { authorization: 'x' } }),
            () => oauth.fetchPrivate(origin + '/sites', { signal: AbortSignal.abort() }),
            () => oauth.fetchPrivate(origin + '/sites', { method: 'TRACE' }),
            () => oauth.fetchPrivate(origin + '/redirect?to=' + foreign),
            () => oauth.fetchPrivate(origin + '/sites'),
            () => oauth.handleRedirect(redirect.replace(/state=[^&]*/, '$&x')),
            () => oauth.startLogin({ clientSecret: 'x' }),
            () => oauth.fetchPrivate(origin + '/users/me'),
            () => oauth.fetchPrivate(origin + '/users/me'),
        ]
        window.errors = []
        for (const call of calls) await call().catch(e => errors.push(e))
        window.texts = errors.map(e => [String(e), e.stack, JSON.stringify(e), String(e.cause), { ...e }])
        return errors.map(e => e.code ?? e.name)";
    let args = [
        json!(world.sandbox_origin),
        json!(world.foreign.origin),
        json!(redirect),
    ];
    let codes = world.run(fail, &args).await;
    assert_eq!(
        codes,
        json!([
            "undeclared_resource_server",
            "invalid_request",
            20,
            "TypeError",
            "TypeError",
            "TypeError",
            "unknown_state",
            "client_secret_refused",
            "server_error",
            "session_ended"
        ])
    );
    let said = world
        .run("return errors.at(-1).errorDescription", &[])
        .await;
    assert_eq!(said, "(..) is spent");
    world.run("delete window.held", &[]).await;
    is_nowhere(&world, &[ACCESS, REFRESH], "in the errors").await;
    is_nowhere(&world, &[&verifier], "in the errors").await;

    let outcome = world
        .come_back(&world.redirect(&world.begin(json!({ "redirectUri": home })).await))
        .await;
    assert!(outcome["session"].is_object(), "{outcome}");
    world.run("await oauth.logout()", &[]).await;
    is_nowhere(&world, &[ACCESS, REFRESH], "after the logout").await;

    let sent = everything_sent(&world);
    assert!(!sent.contains(ACCESS) && !sent.contains(REFRESH), "{sent}");
}

#[tokio::test]
async fn the_package_exports_functions_only_and_nothing_to_get_at_the_memory_with() {
    let world = World::start().await;
    world.app.serve(
        "/classic.html",
        "text/html",
        "<!doctype html><title>classic</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
        <script>window.before = Reflect.ownKeys(window)</script><script src=/pkg/classic.js></script>
        <script>window.added = Reflect.ownKeys(window).filter(key => !before.includes(key))</script>
        <script type=module src=/e2e/search.js></script><script type=module src=/e2e/app.js></script>",
    );
    world.open_app("/classic.html").await;
    // `__esModule: true` is esbuild's, and says nothing.
    let script = "const names = object => Reflect.ownKeys(object)
            .filter(key => typeof key === 'string' && !(key === '__esModule' && object[key] === true)).sort()
        // To test an error with instanceof; it makes nothing that the library would take.
        const isNoClass = name => name !== 'OAuthError'
        const esm = await import('/pkg/oauth-wasm.js')
        const inline = await import('/pkg/inline.js')
        const all = [esm, inline, window.OAuthWasm]
        await Promise.all(all.map(one => one.session()))
        return {
            names: all.map(names),
            types: all.map(one => [...new Set(names(one).map(name => typeof one[name]))]),
            own: all.map(one => names(one).filter(isNoClass).flatMap(name => names(one[name]))).flat()
                .filter(key => key !== 'length' && key !== 'name'),
            prototypes: all.flatMap(one => names(one).filter(isNoClass).map(name => 'prototype' in one[name])).includes(true),
            added: window.added.map(String).sort(),
        }";
    let seen = world.run(script, &[]).await;
    let all = json!([
        "OAuthError",
        "adoptToken",
        "debug",
        "explain",
        "fetchPrivate",
        "handleRedirect",
        "isOAuthError",
        "logout",
        "onSessionChange",
        "restore",
        "scopesFor",
        "session",
        "startLogin",
        "userinfo"
    ]);
    assert_eq!(seen["names"], json!([all, all, all]));
    assert_eq!(
        seen["types"],
        json!([["function"], ["function"], ["function"]])
    );
    assert_eq!(seen["own"], json!([]), "nothing hangs on them");
    assert_eq!(seen["prototypes"], false, "there is nothing to construct");
    assert_eq!(seen["added"], json!(["OAuthWasm", "before"]));
    let searched = search(&world, &["nothing to be found"]).await;
    assert_eq!(searched["wasm"], json!([]));
}

/// Every script and module of the package, as a page asks for it.
fn files_of_the_package(ending: &str) -> Vec<String> {
    let pkg = e2e::workspace().join("pkg");
    let mut files = Vec::new();
    for directory in ["", "providers/"] {
        for entry in std::fs::read_dir(pkg.join(directory)).expect("pkg/") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy();
            if name.ends_with(ending) {
                files.push(format!("/pkg/{directory}{name}"));
            }
        }
    }
    assert!(!files.is_empty(), "{ending}");
    files
}

#[tokio::test]
async fn any_file_of_the_package_taken_a_second_time_holds_nothing_of_the_first() {
    let world = World::start().await;
    plant_canaries(&world);
    let home = format!("{}{SEARCH}", world.app.origin);
    world.open_app(SEARCH).await;
    let login = world.config(json!({ "redirectUri": home }));
    let outcome = world.log_in_here(login).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.app.serve(
        "/second.js",
        "text/javascript",
        "import('/pkg/oauth-wasm.js').then(({ session }) => session()).then(postMessage, e => postMessage(e.code))",
    );
    let script = "const [origin, files, wasms] = args
        const again = files.flatMap(file => [file, file + '?again', file + '#again'])
        // A file that is no module of its own may say so.
        window.seconds = await Promise.all(again.map(file => import(file).catch(e => ({ e }))))
        for (let n = 0; n < 2; n++) await new Promise(resolve => {
            const src = '/pkg/classic.js?' + n
            document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve }))
        })
        window.seconds.push(window.OAuthWasm)
        const first = await import('/pkg/oauth-wasm.js')
        const told = []
        for (const second of seconds) {
            if (second.fetchPrivate === first.fetchPrivate || !second.fetchPrivate) continue
            told.push([await second.session(), (await outcome(second.fetchPrivate(origin + '/sites'))).error?.code])
        }
        const worker = new Worker('/second.js', { type: 'module' })
        told.push([await new Promise(resolve => { worker.onmessage = ({ data }) => resolve(data) }), 'login_required'])
        const frame = document.body.appendChild(Object.assign(document.createElement('iframe'), { src: '/e2e/app.html' }))
        await new Promise(resolve => { frame.onload = resolve })
        while (!frame.contentWindow.oauth) await new Promise(resolve => setTimeout(resolve, 10))
        const framed = await frame.contentWindow.oauth.fetchPrivate(origin + '/sites').catch(e => e.code)
        told.push([await frame.contentWindow.oauth.session(), framed])

        const exported = []
        for (const url of wasms) {
            exported.push(...WebAssembly.Module.exports(await WebAssembly.compile(await (await fetch(url)).arrayBuffer())))
        }
        return { told, exported, loaded: seconds.filter(({ session }) => session).length }";
    let args = [
        json!(world.sandbox_origin),
        json!(files_of_the_package(".js")),
        json!(files_of_the_package(".wasm")),
    ];
    let seen = world.run(script, &args).await;
    let told = seen["told"].as_array().expect("answers");
    assert!(told.len() >= 8, "{seen}");
    for answer in told {
        assert_eq!(answer, &json!([null, "login_required"]), "{seen}");
    }
    assert_eq!(seen["exported"], json!([]), "{seen}");
    is_nowhere(&world, &[ACCESS, REFRESH], "after a second import").await;
    assert_eq!(world.calls("/sites"), []);
    let answer = world.fetch_private("/sites", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "the first is as it was");
    assert_eq!(world.calls("/sites")[0].token.as_deref(), Some(ACCESS));
}

#[tokio::test]
async fn a_session_that_is_shared_and_kept_shows_no_token_either() {
    let world = World::start().await;
    plant_canaries(&world);
    world.app.serve(
        "/full.html",
        "text/html",
        "<!doctype html><title>full</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
        <script type=module src=/e2e/search.js></script><script type=module src=/e2e/app.js></script>",
    );
    let home = format!("{}/full.html", world.app.origin);
    world.open_app("/full.html").await;
    let login =
        world.config(json!({ "redirectUri": home, "sessionScope": "origin", "keep": "device" }));
    let outcome = world.log_in_here(login).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    for when in ["after the login", "after a call", "after the logout"] {
        match when {
            "after a call" => {
                let answer = world.fetch_private("/sites", Value::Null).await;
                assert_eq!(answer["value"]["status"], 200, "{answer}");
            }
            "after the logout" => drop(world.run("await oauth.logout()", &[]).await),
            _ => {}
        }
        let seen = search(&world, &[ACCESS, REFRESH]).await;
        assert_eq!(seen["found"], json!([]), "{when}");
        assert_eq!(seen["wasm"], json!([]), "{when}");
        let kept = seen["stored"].as_array().expect("places");
        assert!(!kept.is_empty(), "{when}: the database was looked through");
    }
    let sent = everything_sent(&world);
    assert!(!sent.contains(ACCESS) && !sent.contains(REFRESH), "{sent}");
}
