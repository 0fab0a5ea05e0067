//! Where a token must not be: anywhere a script of the page can look, however hostile it turns.

use e2e::{APP, World, parameter};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

const ACCESS: &str = "canary-access-7f3a9c";
const REFRESH: &str = "canary-refresh-51d0be";

/// pages/search.html: the application, and a search of all it can reach.
const SEARCH: &str = "/e2e/search.html";

/// Every token response carries the canaries. The API does not know them, but `/sites` and `/items/count` are open.
fn plant_canaries(world: &World) {
    let members = json!({ "access_token": ACCESS, "refresh_token": REFRESH });
    world.sandbox.change(|settings| {
        settings.auto_consent = true;
        settings.token_response = members.as_object().expect("an object").clone();
    });
}

/// Searches all that the page can reach. No needle is in the question.
async fn search(world: &World, needles: &[&str]) -> Value {
    let halves = |needle: &&str| {
        let (start, end) = needle.split_at(needle.len() / 2);
        json!([start, end])
    };
    let needles: Vec<_> = needles.iter().map(halves).collect();
    let script =
        "const modules = ['/pkg/oauth-wasm.js', '/pkg/inline.js'].map(path => import(path))
        const roots = { modules: await Promise.all(modules), classic: window.OAuthWasm }
        return await search(args, roots)";
    let seen = world.run(script, &needles).await;
    assert_eq!(seen["whole"], true, "{seen}");
    assert!(seen["seen"].as_u64() > Some(5_000), "{seen}");
    assert_eq!(seen["databases"], 0, "{seen}");
    seen
}

async fn is_nowhere(world: &World, needles: &[&str], when: &str) {
    let seen = search(world, needles).await;
    assert_eq!(seen["found"], json!([]), "{when}");
    assert_eq!(seen["wasm"], json!([]), "{when}");
    let console = world.page.console().await.join("\n");
    for needle in needles {
        assert!(!console.contains(needle), "{when}: {console}");
    }
}

/// The browser's records of how this document came about, which nobody can change: the navigation's entry of the
/// Performance timeline, and Chromium's `navigation.activation`. One more reason against the implicit grant.
fn is_the_browsers_own(place: &Value) -> bool {
    let place = place.as_str().unwrap_or_default();
    place.ends_with(" in performance") || place.contains("navigation.activation.")
}

/// Every request that anybody saw, as text, but for the two places where a token belongs.
fn everything_sent(world: &World) -> String {
    let mut all = String::new();
    for request in world.sandbox.requests() {
        all += &format!("{} {}?{}\n", request.method, request.path, request.query);
        for (name, value) in &request.headers {
            if name != "authorization" {
                all += &format!("{name}: {value}\n");
            }
        }
        if request.path != "/oauth/token" {
            all += &request.body;
        }
    }
    for request in [world.app.requests(), world.foreign.requests()].concat() {
        all += &format!("{request:?}\n");
    }
    all
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
            [word]: 1,
            made: Object.create({ inherited: word }),
        }
        sessionStorage.x = localStorage.x = window.name = word
        document.cookie = 'x=' + word
        document.title = word
        history.replaceState({ word }, '')
        console.log(word)
        performance.mark(word)";
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
    let kind = FaultKind::Body {
        status: 400,
        content_type: "application/json".into(),
        body: words.to_string(),
        headers: Default::default(),
    };
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
async fn a_token_of_the_implicit_grant_is_nowhere_either() {
    let world = World::start().await;
    let home = format!("{}{SEARCH}", world.app.origin);
    world.open_app(SEARCH).await;
    let url = world
        .begin(json!({ "redirectUri": home, "responseType": "token" }))
        .await;
    let redirect = world.redirect(&url);
    let (_, fragment) = redirect.split_once("access_token=").expect("a token");
    let token = fragment.split('&').next().expect("a token");
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200);
    let seen = search(&world, &[token]).await;
    let elsewhere = seen["found"].as_array().expect("places").iter();
    let elsewhere: Vec<_> = elsewhere
        .filter(|place| !is_the_browsers_own(place))
        .collect();
    assert_eq!(elsewhere, Vec::<&Value>::new());
    assert!(!world.page.console().await.join("\n").contains(token));
    assert!(!everything_sent(&world).contains(token));
}

#[tokio::test]
async fn the_redirect_leaves_no_trace_in_what_the_page_loads_next() {
    let world = World::start().await;
    plant_canaries(&world);
    let page = format!(
        "<!doctype html><title>referrer</title><meta name=referrer content=unsafe-url><link rel=icon href='data:,'>
        <script type=module src=/e2e/app.js></script>
        <script type=module>document.body.append(Object.assign(new Image(), {{ src: '{}/pixel' }}))</script><body>",
        world.foreign.origin
    );
    world.app.serve("/referrer.html", "text/html", page);
    let home = format!("{}/referrer.html", world.app.origin);
    world.open_app(APP).await;
    let url = world.begin(json!({ "redirectUri": home })).await;
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let answer = world.fetch_private("/sites", json!({ "referrerPolicy": "unsafe-url" }));
    assert_eq!(answer.await["value"]["status"], 200);

    let code = parameter(&redirect, "code").expect("a code");
    let state = parameter(&redirect, "state").expect("a state");
    let foreign = world.foreign.requests();
    let pixel = foreign.iter().find(|request| request.path == "/pixel");
    let pixel = pixel.expect("the page asked for a picture");
    assert_eq!(pixel.headers.get("referer"), Some(&home));
    for request in &foreign {
        let text = format!("{request:?}");
        assert!(!text.contains(&code) && !text.contains(&state), "{text}");
    }
    for request in world.sandbox.requests() {
        let referer = request.header("referer").unwrap_or_default();
        assert!(!referer.contains(&code) && !referer.contains(&state));
    }
    // The page's own scripts are asked for by a document that still has its address; whatever comes later is not.
    for request in world.app.requests() {
        let early = request.path.ends_with(".js") || request.path == "/referrer.html";
        let referer = request.headers.get("referer").cloned();
        let clean = !referer.unwrap_or_default().contains(&code);
        assert!(clean || early, "{request:?}");
    }
}

#[tokio::test]
async fn the_package_exports_eleven_functions_and_nothing_to_get_at_the_memory_with() {
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
        const esm = await import('/pkg/oauth-wasm.js')
        const inline = await import('/pkg/inline.js')
        const all = [esm, inline, window.OAuthWasm]
        await Promise.all(all.map(one => one.session()))
        return {
            names: all.map(names),
            types: all.map(one => [...new Set(names(one).map(name => typeof one[name]))]),
            own: all.map(one => names(one).flatMap(name => names(one[name]))).flat()
                .filter(key => key !== 'length' && key !== 'name'),
            prototypes: all.flatMap(one => names(one).map(name => 'prototype' in one[name])).includes(true),
            added: window.added.map(String).sort(),
        }";
    let seen = world.run(script, &[]).await;
    let all = json!([
        "adoptToken",
        "explain",
        "fetchPrivate",
        "handleRedirect",
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

/// Logs in at pages/patched.html and makes a private request there; what its traps have seen.
async fn among_traps(world: &World, traps: &str) -> Value {
    let words: Vec<_> = [ACCESS, REFRESH].map(|word| word.replace('-', ".")).into();
    let home = format!(
        "{}/e2e/patched.html?words={}&traps={traps}",
        world.app.origin,
        words.join(",")
    );
    plant_canaries(world);
    world.sandbox.forget_requests();
    world.open_app(&home).await;
    world.leave(json!({ "redirectUri": home })).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    for path in ["/sites", "/items/count"] {
        let answer = world.fetch_private(path, Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
        assert_eq!(world.calls(path)[0].token.as_deref(), Some(ACCESS));
    }
    // A 401, a renewal, and an error.
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
    assert_eq!(world.token_requests("refresh_token"), 1);
    let requests = world.sandbox.requests();
    let renewal = requests.iter().rfind(|r| r.path == "/oauth/token");
    let sent = renewal.and_then(|request| request.form("refresh_token"));
    assert_eq!(sent.as_deref(), Some(REFRESH));
    world.run("return report()", &[]).await
}

#[tokio::test]
async fn what_the_page_patches_after_the_module_was_evaluated_never_sees_a_token() {
    let world = World::start().await;
    let report = among_traps(&world, "").await;
    assert_eq!(report["sightings"], json!([]));
    let patched = report["patched"].as_array().expect("names");
    for name in [
        "fetch",
        "Headers",
        "Headers.prototype.set",
        "Request",
        "Response.prototype.text",
        "Response.prototype.body",
        "ReadableStreamDefaultReader.prototype.read",
        "Promise",
        "Promise.prototype.then",
        "TextDecoder.prototype.decode",
        "TextEncoder.prototype.encodeInto",
        "TypedArray.prototype.set",
        "TypedArray.prototype.subarray",
        "TypedArray.prototype.buffer",
        "DataView.prototype.setInt32",
        "JSON.parse",
        "JSON.stringify",
        "WebAssembly.instantiate",
        "Instance.exports",
        "Memory.buffer",
        "Table.get",
        "Storage.prototype.getItem",
        "Storage.prototype.setItem",
        "String.prototype.slice",
        "String.prototype.charCodeAt",
        "Crypto.prototype.getRandomValues",
        "Function.prototype.call",
        "Function.prototype.apply",
        "Function.prototype.bind",
        "Array.prototype.push",
        "Object.defineProperty",
        "Reflect.apply",
    ] {
        assert!(patched.contains(&json!(name)), "{name}: {patched:?}");
    }
    // The traps work: the page's own calls went through them.
    let calls = report["calls"].as_object().expect("counts");
    assert!(calls.contains_key("JSON.parse"), "{calls:?}");
    assert!(calls.contains_key("Promise.prototype.then"), "{calls:?}");
    for name in calls.keys() {
        let wasm = ["WebAssembly.", "Memory.", "Instance.", "Table.", "Module."];
        assert!(
            !wasm.iter().any(|prefix| name.starts_with(prefix)),
            "{name}"
        );
    }
    let caught = "const words = new URLSearchParams(location.search).get('words').split(',')
        const canary = words[0].replaceAll('.', '-')
        const memory = new WebAssembly.Memory({ initial: 1 })
        memory.buffer
        await fetch('data:,x', { headers: { x: canary } })
        new TextDecoder().decode(new TextEncoder().encode(canary))
        ;[].push.call({}, canary)
        await oauth.session()
        return report().sightings.map(sighting => sighting.split(' in ')[1])";
    let caught = world.run(caught, &[]).await.to_string();
    for place in [
        "Memory.buffer",
        "fetch",
        "TextDecoder.prototype.decode",
        "TextEncoder.prototype.encode",
        "Array.prototype.push",
    ] {
        assert!(caught.contains(place), "{place}: {caught}");
    }
}

#[tokio::test]
async fn what_a_promise_looks_up_by_itself_never_sees_a_token() {
    let world = World::start().await;
    let report = among_traps(&world, "species").await;
    assert_eq!(report["sightings"], json!([]), "species");
    let caught = "const canary = new URLSearchParams(location.search).get('words').split(',')[0].replaceAll('.', '-')
        await Promise.resolve().then(() => canary).then(() => {})
        await new Promise(resolve => resolve({ canary }))
        return report().sightings.map(sighting => sighting.split(' in ')[1])";
    let seen = world.run(caught, &[]).await.to_string();
    assert!(seen.contains("species"), "the trap works: {seen}");
    let report = among_traps(&world, "then").await;
    assert_eq!(report["sightings"], json!([]), "then");
    let seen = world.run(caught, &[]).await.to_string();
    assert!(seen.contains("get then"), "the trap works: {seen}");
}

#[tokio::test]
async fn a_polluted_prototype_changes_nothing() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    // Not enumerable, or WebDriver goes round in circles.
    let pollute = "const properties = {
            scope: 'admin', redirect: 'follow', credentials: 'include', referrerPolicy: 'unsafe-url', method: 'POST',
            headers: { authorization: 'Bearer evil', 'x-evil': '1' }, body: 'evil', clientSecret: 'evil', clientId: 'evil',
            provider: 'evil', site: 'evil', issuer: 'https://evil.example', navigate: () => { window.hijacked = true },
            tokenEndpoint: args[0], resourceServers: [args[0]], returnTo: '//evil.example', appState: 'evil',
            idempotent: true, url: args[0], mode: 'no-cors', signal: AbortSignal.abort('evil'), duplex: 'half',
            authorization: true, stream: false, code: 'evil', error: 'evil', access_token: 'evil', state: 'evil',
            toJSON: undefined, keepalive: true, integrity: 'sha256-evil', allowHttp: true, responseType: 'token',
        }
        for (const [name, value] of Object.entries(properties)) {
            const own = Object.assign(Object.create(null), { value, writable: true, configurable: true })
            Object.defineProperty(Object.prototype, name, own)
        }
        return null";
    let foreign = json!(world.foreign.origin);
    world.open_app(APP).await;
    world.run(pollute, std::slice::from_ref(&foreign)).await;
    let url = "let went
        const config = Object.assign(Object.create(null), args[0], { navigate: url => { went = url } })
        await oauth.startLogin(config)
        return went";
    let url = world.run(url, &[world.config(json!({}))]).await;
    let url = url.as_str().expect("a URL");
    assert_eq!(
        parameter(url, "scope").as_deref(),
        Some("offline_access read write")
    );
    assert_eq!(parameter(url, "response_type").as_deref(), Some("code"));
    world.leave(json!({})).await;
    let outcome = world.redirected().await;
    assert!(
        outcome["session"].is_object(),
        "no hook of the prototype's ran: {outcome}"
    );

    world.run(pollute, std::slice::from_ref(&foreign)).await;
    world.sandbox.forget_requests();
    world.sandbox.expire_tokens();
    let script = "const [origin, foreign] = args
        const told = call => call.then(response => response.status, e => (Object.hasOwn(e, 'code') ? e.code : e.name))
        const bare = init => Object.assign(Object.create(null), init)
        return [
            await told(oauth.fetchPrivate(origin + '/users/me')),
            await told(oauth.fetchPrivate(origin + '/users/me', bare({ method: 'GET' }))),
            await told(oauth.fetchPrivate(origin + '/redirect?to=' + foreign)),
            await told(oauth.fetchPrivate(foreign + '/x')),
            (await oauth.session()).scope,
        ]";
    let args = [json!(world.sandbox_origin), foreign];
    let seen = world.run(script, &args).await;
    assert_eq!(
        seen,
        json!([
            200,
            200,
            "TypeError",
            "undeclared_resource_server",
            ["offline_access", "read", "write"]
        ])
    );
    let calls = world.calls("/users/me");
    let statuses: Vec<_> = calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [401, 200, 200]);
    for request in world.sandbox.requests() {
        assert_eq!(request.header("x-evil"), None);
        assert_eq!(request.header("referer"), None);
        assert!(!request.body.contains("evil"), "{request:?}");
    }
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(world.foreign.requests(), []);

    // The words of a property descriptor: with them no object literal describes a property any more.
    let script = "const [foreign] = args
        const { prototype } = Object
        Object.assign(prototype, { get: () => 'evil', value: 'evil' })
        const call = oauth.fetchPrivate(foreign)
        const e = await call.catch(e => e)
        delete prototype.get
        delete prototype.value
        return [e instanceof Error, e.name, Object.hasOwn(e, 'code') && e.code, e.stack.includes('evil')]";
    let seen = world.run(script, &[json!(world.foreign.origin)]).await;
    assert_eq!(
        seen,
        json!([true, "OAuthError", "undeclared_resource_server", false])
    );
}

#[tokio::test]
async fn a_generator_that_the_page_replaces_is_not_asked() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const { getRandomValues } = Crypto.prototype
        let asked = 0
        Crypto.prototype.getRandomValues = crypto.getRandomValues = bytes => { asked++; return bytes.fill(7) }
        Math.random = () => 0.5
        const urls = []
        const navigate = url => { urls.push(new URL(url).searchParams) }
        for (let n = 0; n < 8; n++) await oauth.startLogin({ ...args[0], navigate })
        const count = name => new Set(urls.map(url => url.get(name))).size
        return [asked, count('state'), count('code_challenge')]";
    let seen = world.run(script, &[world.config(json!({}))]).await;
    assert_eq!(seen, json!([0, 8, 8]));

    // One that was replaced before the library was there, and gives constants, is refused.
    world.app.serve(
        "/constant.html",
        "text/html",
        "<!doctype html><title>constant</title><link rel=icon href='data:,'>
        <script>Crypto.prototype.getRandomValues = bytes => bytes.fill(7)</script>
        <script type=module src=/e2e/app.js></script>",
    );
    world.open_app("/constant.html").await;
    world.run("sessionStorage.clear()", &[]).await;
    let refused = world
        .outcome("oauth.startLogin(args[0])", &[world.config(json!({}))])
        .await;
    assert_eq!(refused["error"]["code"], "entropy_failure", "{refused}");
    assert_eq!(world.pending().await.len(), 0);
    assert_eq!(world.sandbox.requests(), []);
}
