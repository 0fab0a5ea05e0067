//! Messages that anybody can send: a frame of another origin, script of this one, another tab.

use attacks::me;
use e2e::{APP, World};
use serde_json::json;

#[tokio::test]
async fn forged_messages_and_events_change_nothing() {
    let world = World::start().await;
    world.app.serve(
        "/forger.html",
        "text/html",
        "<!doctype html><title>forger</title><script>
            for (const data of JSON.parse(decodeURIComponent(location.hash.slice(1)))) parent.postMessage(data, '*')
            parent.postMessage('done', '*')
        </script>",
    );
    let foreign = format!("{}/forger.html", world.app.at("localhost"));
    let script = "const [foreign, origin] = args
        const told = []
        oauth.onSessionChange(({ type }) => told.push(type))
        const token = { access_token: 'evil', refresh_token: 'evil', token_type: 'bearer', expires_in: 9 }
        const words = ['oauth-wasm', 'logout', 'ended', 'renewed', 'hello', 'token', 'session', 'state', '', '?code=x&state=ow1x', JSON.stringify(token)]
        const forged = [null, 5, ...words, token, ...words.flatMap(text => [
            { text }, { text, bytes: new Uint8Array(65).fill(4) }, { type: text, ...token }, { text, bytes: 'evil' } ])]
        // By a channel, from this very origin.
        const channel = new BroadcastChannel('oauth-wasm')
        for (const data of forged) channel.postMessage(data)
        // By events that look like the platform's.
        for (const data of forged) {
            dispatchEvent(new MessageEvent('message', { data, origin: location.origin, source: window }))
            dispatchEvent(new StorageEvent('storage', { key: 'oauth-wasm', newValue: String(data), storageArea: localStorage }))
        }
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
        // From a frame of another origin.
        const done = new Promise(resolve => addEventListener('message', ({ data }) => data === 'done' && resolve()))
        const src = foreign + '#' + encodeURIComponent(JSON.stringify(forged))
        document.body.append(Object.assign(document.createElement('iframe'), { src }))
        await done
        const answer = await answered(oauth.fetchPrivate(origin + '/users/me'))
        return [answer.value?.status, told, (await oauth.session()).state]";
    let args = [json!(foreign), json!(world.sandbox_origin)];
    for (page, more) in [
        (APP, json!({})),
        (APP, json!({ "sessionScope": "origin", "keep": "tab" })),
    ] {
        let mut config = world.config(more);
        config["redirectUri"] = json!(format!("{}{page}", world.app.origin));
        world.open_app(page).await;
        let outcome = world.log_in_here(config).await;
        assert!(outcome["value"].is_object(), "{page}: {outcome}");
        world.sandbox.forget_requests();
        assert_eq!(me(&world).await["value"]["status"], 200, "{page}");
        let seen = world.run(script, &args).await;
        assert_eq!(seen, json!([200, [], "active"]), "{page}");
        let calls = world.calls("/");
        let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
        assert_eq!(paths, ["/users/me", "/users/me"], "nobody else was asked");
        assert_eq!(calls[0].token, calls[1].token, "{page}: the same token");
        world.is_quiet().await;
    }
}
