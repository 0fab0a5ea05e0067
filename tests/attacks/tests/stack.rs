//! The three walls between script that comes later and the module's memory: no page code runs while the module is on
//! the stack, its instance is worth nothing, and nothing can be read even by who knows how.

use attacks::{ACCESS, REFRESH, plant_canaries};
use e2e::{Engine, Hostile, World};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// The forms of the package, with a session that each can have.
fn forms() -> Vec<(&'static str, Value)> {
    vec![
        ("oauth-wasm", json!({})),
        ("inline", json!({})),
        ("classic", json!({})),
        (
            "oauth-wasm",
            json!({ "sessionScope": "origin", "keep": "device" }),
        ),
    ]
}

/// Logs in on pages/late.html; the configuration.
async fn log_in(world: &World, form: &str, kind: Value, more: &str) -> Value {
    plant_canaries(world);
    let path = format!("/attacks/late.html?form={form}{more}");
    world.open_app(&path).await;
    let mut config = kind;
    // An address without a query: the page's own is about the test.
    config["redirectUri"] = json!(format!("{}/attacks/late.html", world.app.origin));
    let config = world.config(config);
    let outcome = world.log_in_here(config.clone()).await;
    assert!(outcome["value"].is_object(), "{form}: {outcome}");
    config
}

/// Reads what it can with an instance that a script got, early or by a hook.
async fn read_out(world: &World, form: &str, config: &Value, hook: Value, given: &str) -> Value {
    let script = format!("return await readOut(oauth, args[0], args[1], {given})");
    let mut plain = config.clone();
    for name in ["sessionScope", "keep"] {
        plain.as_object_mut().expect("an object").remove(name);
    }
    let seen = world.run(&script, &[plain, hook.clone()]).await;
    let found = seen["found"].to_string();
    for token in [ACCESS, REFRESH] {
        // Cells of eight bytes: the middle of a token is enough to know it by.
        let part = &token[..12];
        assert!(!found.contains(part), "{form}, {hook}: {found}");
    }
    seen
}

#[tokio::test]
async fn the_module_exports_nothing_and_its_instance_is_worth_nothing_even_to_who_has_it() {
    let world = World::start().await;
    for (form, kind) in forms() {
        let config = log_in(&world, form, kind, "&early&script=readout").await;
        let script = "return { count: instances.length, exported: exported.flat(),
            own: instances.flatMap(instance => Reflect.ownKeys(instance.exports)) }";
        let seen = world.run(script, &[]).await;
        assert_ne!(seen["count"], 0, "{form}: there is an instance to look at");
        assert_eq!(seen["exported"], json!([]), "{form}");
        assert_eq!(seen["own"], json!([]), "{form}");
        let seen = read_out(&world, form, &config, Value::Null, "instances[0]").await;
        assert_eq!(seen["instance"], true, "{form}");
    }
}

#[tokio::test]
async fn script_that_comes_later_reads_no_token_by_any_hook_that_once_led_to_the_instance() {
    let world = World::start().await;
    for (form, kind) in forms() {
        for hook in ["parent", "name", "toJSON"] {
            let config = log_in(&world, form, kind.clone(), "&script=readout").await;
            let seen = read_out(&world, form, &config, json!(hook), "undefined").await;
            assert_eq!(seen["instance"], false, "{form}, {hook}: {seen}");
            world.run("await oauth.logout()", &[]).await;
        }
    }
}

/// Opens a form of the package and turns the page into hooks.
async fn sweep(world: &World, form: &str, more: &str) {
    world
        .open_app(&format!(
            "/attacks/late.html?form={form}&script=sweep{more}"
        ))
        .await;
    let script = "const hooked = sweep()
        oauth.onSessionChange(() => look('listener'))
        oauth.debug(() => look('debug'))
        return { hooked, control: await control() }";
    let seen = world.run(script, &[]).await;
    assert_eq!(seen["control"], true, "a module on the stack is seen");
    assert!(seen["hooked"].as_u64() > Some(500), "{seen}");
}

/// Nothing saw the module on the stack.
async fn saw_nothing(world: &World, form: &str) {
    let seen = world.run("return swept()", &[]).await;
    assert_eq!(seen["hits"], json!({}), "{form}: {seen}");
    assert_eq!(seen["shown"], json!({}), "{form}: {seen}");
    assert!(seen["looks"].as_u64() > Some(50), "{form}: {seen}");
}

/// `handleRedirect` of an answer of the sandbox's to a login that begins and ends on this page.
async fn log_in_swept(world: &World, config: &Value) -> Value {
    let script = "let went
        await oauth.startLogin({ ...args[0], navigate: url => { look('navigate'); went = url } })
        return went";
    let url = world.run(script, std::slice::from_ref(config)).await;
    let redirect = world.redirect(url.as_str().expect("a URL"));
    world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await
}

/// What every form can do, in every way that it can end.
#[tokio::test]
async fn no_code_of_the_page_runs_while_the_module_is_on_the_stack() {
    let world = World::start().await;
    let sandbox = &world.sandbox;
    for (form, mut config) in forms() {
        sweep(&world, form, "").await;
        config["redirectUri"] = json!(format!("{}/attacks/late.html", world.app.origin));
        let config = world.config(config);
        let kinds = || {
            [
                FaultKind::Status500,
                FaultKind::Html,
                FaultKind::DropBefore,
                FaultKind::TruncatedJson,
                FaultKind::TooLarge(2 << 20),
                FaultKind::Documented("invalid_grant".into()),
            ]
        };
        for kind in kinds() {
            let fault = Fault::new("/oauth/token", kind).method("POST");
            sandbox.change(|settings| settings.faults = vec![fault]);
            let outcome = log_in_swept(&world, &config).await;
            assert!(outcome["error"].is_object(), "{form}: {outcome}");
        }
        // Every renewal that can fail, and one that does not.
        for kind in kinds() {
            sandbox.change(|settings| settings.faults = Vec::new());
            world.brief_tokens(true);
            let outcome = log_in_swept(&world, &config).await;
            assert!(outcome["value"].is_object(), "{form}: {outcome}");
            let fault = Fault::new("/oauth/token", kind).method("POST");
            world.brief_tokens(false);
            sandbox.change(|settings| settings.faults = vec![fault]);
            world.fetch_private("/users/me", Value::Null).await;
        }
        let outcome = log_in_swept(&world, &config).await;
        assert!(outcome["value"].is_object(), "{form}: {outcome}");
        let answer = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{form}: {answer}");
        let script = "
            const [origin, config] = args
            const me = origin + '/users/me'
            const canceller = new AbortController()
            const aborted = outcome(oauth.fetchPrivate(me, { signal: canceller.signal }))
            canceller.abort({ get name() { look('reason'); return 'AbortError' }, get message() { look('reason'); return '' } })
            const calls = [
                () => oauth.fetchPrivate(me, { method: 'POST', body: new Uint8Array(3) }),
                () => oauth.fetchPrivate(new Request(me), { get headers() { look('init'); return { x: '1' } }, get signal() { look('init') } }),
                () => oauth.fetchPrivate(me, { signal: AbortSignal.abort() }),
                () => oauth.fetchPrivate('http://[bad'),
                () => oauth.fetchPrivate('https://evil.example/'),
                () => oauth.fetchPrivate(origin + '/nowhere').then(response => oauth.explain(response)),
                () => oauth.explain(new Response('{}', { status: 403 })),
                () => oauth.explain({}),
                () => oauth.scopesFor([me, { get url() { look('call'); return origin + '/items' }, method: 'PUT' }]),
                () => oauth.session(),
                () => oauth.restore({ get clientId() { look('options'); return '1' } }),
                () => oauth.userinfo(),
                () => oauth.handleRedirect({ toString() { look('text'); return config.redirectUri + '?code=1&state=ow1x' + 'A'.repeat(43) } }),
                () => oauth.handleRedirect(config.redirectUri + '?error=access_denied&state=ow1x' + 'A'.repeat(43)),
                () => oauth.handleRedirect(),
                () => oauth.startLogin({ ...config, navigate() { look('navigate'); throw new Error('mine') } }),
                () => oauth.startLogin({ ...config, provider: 'nobody' }),
                () => oauth.startLogin({ clientId: 'x', redirectUri: config.redirectUri, issuer: 'http://127.0.0.1:1', resourceServers: ['https://a.example'], navigate() {} }),
                () => oauth.startLogin({ ...config, appState: { toJSON() { look('state'); return 1 } }, navigate: () => ({ get then() { look('then') } }) }),
                () => oauth.adoptToken('pat', { clientId: 'z', resourceServers: ['https://z.example'] }),
                () => { dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); return oauth.session() },
                () => oauth.logout({ get revoke() { look('options'); return true } }),
                () => oauth.logout(),
            ]
            let refused = 0
            for (const call of calls) {
                const { value, ...failure } = await outcome(call())
                if (value === undefined) refused++
                look(failure.error?.stack)
            }
            await aborted
            return { refused, of: calls.length }";
        let args = [json!(world.sandbox_origin), config];
        let seen = world.run(script, &args).await;
        let (refused, of) = (seen["refused"].as_u64(), seen["of"].as_u64());
        assert!(refused > Some(3) && refused < of, "{form}: {seen}");
        saw_nothing(&world, form).await;
    }
}

/// What only the full form can do: tabs, what is kept, frames, popups.
#[tokio::test]
async fn none_does_while_tabs_share_a_session_or_a_window_answers_either() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    sweep(&world, "oauth-wasm", "").await;
    let kind = json!({
        "redirectUri": format!("{}/attacks/late.html?form=oauth-wasm", world.app.origin),
        "sessionScope": "origin",
        "keep": "device",
        "keepPending": true,
    });
    let config = world.config(kind);
    let outcome = log_in_swept(&world, &config).await;
    assert_eq!(outcome["value"]["shared"], true, "{outcome}");

    // Another page of the origin asks for the session, and says what nobody should.
    let script = "
        const channel = new BroadcastChannel('oauth-wasm')
        const told = [{ get text() { return '{}' } }, '{\"ask\":1}', { text: '{\"to\":1}', bytes: new Uint8Array(3) }, { text: {}, bytes: {} }]
        for (const message of told) channel.postMessage(message)
        const frame = document.body.appendChild(Object.assign(document.createElement('iframe'), { src: '/attacks/late.html?form=oauth-wasm' }))
        while (!frame.contentWindow?.oauth) await new Promise(resolve => setTimeout(resolve, 10))
        const theirs = frame.contentWindow.oauth
        const restored = await theirs.restore()
        const renewed = await theirs.fetchPrivate(args[0] + '/users/me')
        const mine = await oauth.fetchPrivate(args[0] + '/users/me')
        await theirs.logout()
        while (await oauth.session()) await new Promise(resolve => setTimeout(resolve, 10))
        frame.remove()
        return [restored.shared, renewed.status, mine.status]";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(seen, json!([true, 200, 200]));

    // What somebody has put into the database in the place of a record.
    let outcome = log_in_swept(&world, &config).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let script = "
        const database = await new Promise(resolve => {
            const opening = indexedDB.open('oauth-wasm')
            opening.onsuccess = () => resolve(opening.result)
        })
        const store = database.transaction('items', 'readwrite').objectStore('items')
        const items = await new Promise(resolve => {
            const asked = store.getAll()
            asked.onsuccess = () => resolve(asked.result)
        })
        for (const { name } of items) store.put({ name, text: { length: 7 }, one: { length: 7 }, two: [1], value: {} }, name)
        await new Promise(resolve => { store.transaction.oncomplete = resolve })
        database.close()
        await outcome(oauth.restore())
        await outcome(oauth.fetchPrivate(args[0] + '/users/me'))
        await outcome(oauth.logout())
        return items.length";
    let spoilt = world.run(script, &[json!(world.sandbox_origin)]).await;
    assert!(spoilt.as_u64() > Some(0));

    for display in ["iframe", "popup"] {
        // WebKit's driver finds no button among hooks, and only a click opens a window.
        if display == "popup" && world.engine == Engine::WebKit {
            continue;
        }
        let mut config = config.clone();
        config["display"] = json!(display);
        let script = "document.body.innerHTML = '<button>log in</button>'
            const button = document.querySelector('button')
            button.onclick = () => { window.went = outcome(oauth.startLogin(args[0])) }
            if (args[0].display === 'iframe') button.click()";
        world.run(script, &[config]).await;
        if display == "popup" {
            world.page.click("button").await;
        }
        let outcome = world.run("return await went", &[]).await;
        assert!(outcome["value"].is_object(), "{display}: {outcome}");
    }
    saw_nothing(&world, "oauth-wasm").await;
}

/// Who has logged in, and tokens that are bound to a key.
#[tokio::test]
async fn none_does_while_signatures_are_checked_and_made_either() {
    let world = World::start().await;
    let server = Hostile::start();
    sweep(&world, "oauth-wasm", "").await;
    for keep in ["none", "tab"] {
        let redirect_uri = format!("{}/attacks/late.html", world.app.origin);
        let mut kind = json!({ "redirectUri": redirect_uri, "verifyIdToken": true, "dpop": true });
        if keep == "tab" {
            kind["keep"] = json!(keep);
        }
        server.be(json!({ "nonces": ["token", "resource"] }));
        let outcome = server.log_in(&world, kind.clone()).await;
        assert!(outcome["value"].is_object(), "{outcome}");
        let script = "
            const call = await outcome(oauth.fetchPrivate(args[0] + '/api'))
            const seen = [!!call.value, (await outcome(oauth.userinfo())).value?.sub, (await outcome(oauth.restore())).value?.clientId]
            await outcome(oauth.logout({ endSession: true, navigate() { look('navigate') } }))
            return seen";
        let seen = world.run(script, &[json!(server.issuer)]).await;
        assert_eq!(seen, json!([true, "ana", "page"]));
        for lie in [
            json!({
                "header": { "kid": "k1" },
                "jwks": { "keys": [{ "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB", "n": "AQAB", "kid": "k1" }] },
            }),
            json!({ "signer": "other", "header": { "kid": "RS256" } }),
            json!({ "tokens": { "token_type": "Bearer" } }),
            json!({ "claims": { "nonce": "another" } }),
        ] {
            server.be(lie);
            let outcome = server.log_in(&world, kind.clone()).await;
            assert!(outcome["error"].is_object(), "{outcome}");
        }
        server.be(json!({}));
    }
    saw_nothing(&world, "oauth-wasm").await;
}

/// A request that is never answered, with a clock that was set forward before the library came.
#[tokio::test]
async fn none_does_when_a_request_is_given_up_either() {
    let world = World::start().await;
    for (form, mut config) in forms() {
        sweep(&world, form, "&hasty").await;
        config["redirectUri"] = json!(format!("{}/attacks/late.html", world.app.origin));
        let config = world.config(config);
        world.sandbox.hold("/oauth/token");
        let outcome = log_in_swept(&world, &config).await;
        assert_eq!(outcome["error"]["code"], "timeout", "{form}: {outcome}");
        world.sandbox.release();
        saw_nothing(&world, form).await;
    }
}
