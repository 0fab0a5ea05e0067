//! Script that comes after the library, with every hook a page can set on the platform, gets neither a token nor the
//! module: not from promises, not from prototypes, not from stack traces.

use e2e::{Engine, World};
use serde_json::{Value, json};

/// What every access token begins with, and what stands in every answer of the token endpoint.
const CANARIES: [&str; 2] = ["APP_USR-", "refresh_token\""];

#[tokio::test]
async fn a_script_that_comes_later_is_handed_nothing() {
    let world = World::start().await;
    // Every token is due as soon as it is here: each call renews first.
    world.sandbox.change(|settings| {
        settings
            .token_response
            .insert("expires_in".into(), json!(0));
    });
    let page = &world.page;
    page.open("/e2e/robbed.html").await;
    page.wait_until("window.oauth && window.loot").await;
    let redirect_uri = format!("{}/e2e/robbed.html", world.app.origin);
    let config = world.config(json!({ "redirectUri": redirect_uri }));
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
