//! Functions of the platform that the page replaces, prototypes that it pollutes, getters that change their minds.

use attacks::{ACCESS, REFRESH, body, exchange_with, plant_canaries};
use e2e::{APP, World, parameter};
use serde_json::{Value, json};

/// Logs in at pages/patched.html and makes a private request there; what its traps have seen.
async fn among_traps(world: &World, traps: &str) -> Value {
    among_traps_as(world, traps, "oauth-wasm", json!({})).await
}

/// The same with a form of the package, whose session may be of another kind.
async fn among_traps_as(world: &World, traps: &str, form: &str, mut kind: Value) -> Value {
    let words: Vec<_> = [ACCESS, REFRESH].map(|word| word.replace('-', ".")).into();
    let home = format!(
        "{}/attacks/patched.html?words={}&traps={traps}&form={form}",
        world.app.origin,
        words.join(",")
    );
    plant_canaries(world);
    world.sandbox.forget_requests();
    world.open_app(&home).await;
    kind["redirectUri"] = json!(home);
    world.leave(kind).await;
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
async fn a_session_that_is_shared_and_kept_shows_them_nothing_either() {
    let world = World::start().await;
    let kind = json!({ "sessionScope": "origin", "keep": "device" });
    let report = among_traps_as(&world, "then,species", "oauth-wasm", kind).await;
    assert_eq!(report["sightings"], json!([]));
    let patched = report["patched"].as_array().expect("names");
    for name in [
        "SubtleCrypto.prototype.encrypt",
        "SubtleCrypto.prototype.decrypt",
        "SubtleCrypto.prototype.deriveBits",
        "IDBObjectStore.prototype.put",
        "IDBRequest.prototype.result",
        "BroadcastChannel.prototype.postMessage",
        "LockManager.prototype.request",
        "MessageEvent.prototype.data",
    ] {
        assert!(patched.contains(&json!(name)), "{name}: {patched:?}");
    }
    for name in report["calls"].as_object().expect("counts").keys() {
        assert!(
            !name.starts_with("SubtleCrypto.") && !name.starts_with("IDB"),
            "{name}"
        );
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
async fn a_token_that_no_part_could_be_loaded_for_is_shown_to_nobody() {
    let world = World::start().await;
    let word = ACCESS.replace('-', ".");
    let home = format!("{}/attacks/patched.html?words={word}", world.app.origin);
    for part in ["session", "full"] {
        let part = format!("/pkg/parts/{part}.js");
        world.app.serve_status(503, &part, "text/plain", "later");
    }
    for state in ["", "of-somebody-else"] {
        world.open_app(&home).await;
        let kind = json!({ "redirectUri": home, "responseType": "token" });
        let url = world.begin(kind).await;
        let mut redirect = world.redirect(&url);
        let token = parameter(&redirect.replace('#', "&"), "access_token").expect("a token");
        redirect = redirect.replace(&token, ACCESS);
        if !state.is_empty() {
            let ours = parameter(&redirect.replace('#', "&"), "state").expect("a state");
            redirect = redirect.replace(&ours, state);
        }
        let outcome = world.come_back(&redirect).await;
        assert_eq!(outcome["error"]["code"], "load_failed", "{outcome}");
        let seen = "return [report().sightings, RegExp.input, RegExp.leftContext + RegExp.lastMatch + RegExp.rightContext]";
        let seen = world.run(seen, &[]).await;
        assert_eq!(seen[0], json!([]), "{state}");
        assert!(!seen.to_string().contains(ACCESS), "{state}: {seen}");
    }
    // The trap works: the page's own call goes through it.
    let caught =
        "const word = new URLSearchParams(location.search).get('words').replaceAll('.', '-')
        ;/x/.test(word)
        return [report().sightings.length > 0, RegExp.input]";
    let caught = world.run(caught, &[]).await;
    assert_eq!(caught[0], true, "{caught}");
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

#[tokio::test]
async fn a_configuration_whose_getters_change_is_read_once() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [config, foreign] = args
        const reads = {}
        const sly = {}
        let went = []
        const later = { clientId: 'evil', tokenEndpoint: foreign, authorizationEndpoint: foreign, resourceServers: [foreign],
            redirectUri: foreign, scope: 'everything', site: 'MLB', provider: 'appfigures' }
        for (const name in config) {
            Object.defineProperty(sly, name, { enumerable: true, get() {
                reads[name] = (reads[name] ?? 0) + 1
                return reads[name] > 1 ? later[name] : config[name]
            } })
        }
        Object.defineProperty(sly, 'navigate', { enumerable: true, get() {
            reads.navigate = (reads.navigate ?? 0) + 1
            return url => { went.push(url) }
        } })
        await oauth.startLogin(sly)
        const record = Object.entries({ ...sessionStorage }).find(([key]) => key.startsWith('oauth-wasm.pending.'))[1]
        return [went, record, reads]";
    let config = world.config(json!({}));
    let args = [config.clone(), json!(world.foreign.origin)];
    let seen = world.run(script, &args).await;
    let went = seen[0].as_array().expect("addresses");
    assert_eq!(went.len(), 1, "{seen}");
    let url = went[0].as_str().expect("a URL");
    assert!(url.starts_with(&world.sandbox_origin), "{url}");
    assert_eq!(
        parameter(url, "client_id").as_deref(),
        config["clientId"].as_str()
    );
    assert_eq!(
        parameter(url, "redirect_uri").as_deref(),
        config["redirectUri"].as_str()
    );
    let record = seen[1].as_str().expect("the record");
    assert!(record.contains(&world.sandbox_origin), "{seen}");
    assert!(!record.contains(&world.foreign.origin), "{seen}");
    for (name, count) in seen[2].as_object().expect("counts") {
        // Text for the module is made in one go; the function is looked at there, and taken once.
        let once = if name == "navigate" { 2 } else { 1 };
        assert!(
            count.as_u64() <= Some(once),
            "{name} was read {count} times"
        );
    }
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn members_that_pollute_in_a_servers_json_are_members_like_others() {
    let world = World::start().await;
    world.open_app(APP).await;
    let evil = r#"{"access_token":"a","token_type":"bearer","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x","hasOwnProperty":1}"#;
    let outcome = exchange_with(&world, body(200, "application/json", evil)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let script = "const seen = await oauth.session()
        return [({}).polluted ?? null, seen.polluted ?? null, seen.extra.polluted ?? null, Object.getPrototypeOf(seen.extra) === Object.prototype,
            typeof ({}).toString, Object.keys(seen).length > 5]";
    let seen = world.run(script, &[]).await;
    assert_eq!(seen, json!([null, null, null, true, "function", true]));

    let refusal =
        r#"{"error":"invalid_grant","__proto__":{"polluted":1},"error_description":"no"}"#;
    let outcome = exchange_with(&world, body(400, "application/json", refusal)).await;
    assert_eq!(
        outcome["error"]["code"], "token_request_refused",
        "{outcome}"
    );
    let state = "let went
        const appState = JSON.parse('{\"__proto__\":{\"polluted\":1},\"constructor\":{\"prototype\":{\"polluted\":1}}}')
        await oauth.startLogin({ ...args[0], appState, navigate: url => { went = url } })
        return went";
    let url = world.run(state, &[world.config(json!({}))]).await;
    let redirect = world.redirect(url.as_str().expect("a URL"));
    let script = "const { appState } = await oauth.handleRedirect(args[0])
        return [({}).polluted ?? null, Object.hasOwn(appState, '__proto__'), appState.polluted ?? null]";
    world.sandbox.change(|settings| settings.faults = vec![]);
    let seen = world.run(script, &[json!(redirect)]).await;
    assert_eq!(seen, json!([null, true, null]));
}
