//! Where the user is sent, and who may frame the page that answers.

use e2e::World;
use serde_json::{Value, json};

/// Tells the page around it how its redirect was answered, and begins a login when it is asked to.
const FRAME: &str = "<!doctype html><title>frame</title><link rel=icon href='data:,'><script type=module>
    import * as oauth from '/pkg/oauth-wasm.js'
    const tell = message => top.postMessage(message, '*')
    addEventListener('message', async ({ data }) => {
        sessionStorage.clear()
        let went
        await oauth.startLogin({ ...data, navigate: url => { went = url } })
        tell({ went })
    })
    const outcome = await oauth.handleRedirect().then(session => ({ session }), e => ({ error: e.code }))
    tell({ ...outcome, href: location.href, waiting: Object.keys(sessionStorage).length })
    </script>";

/// A page with the frame in it; what the frame tells is in `told`.
const FRAMER: &str = "<!doctype html><title>framer</title><link rel=icon href='data:,'>
    <script>
        window.told = []
        addEventListener('message', ({ data }) => told.push(data))
        window.frame = src => {
            told.length = 0
            document.querySelector('iframe')?.remove()
            document.body.append(Object.assign(document.createElement('iframe'), { src }))
        }
    </script><body>";

/// Loads the frame in the framer that is open, and waits for what it tells.
async fn framed(world: &World, src: &str) -> Value {
    let show = world.page.js("window.frame(args[0])", &[json!(src)]).await;
    show.expect("a frame");
    heard(world).await
}

async fn heard(world: &World) -> Value {
    world.page.wait_until("window.told.length").await;
    let told = world.page.js("return window.told.shift()", &[]).await;
    told.expect("a message")
}

#[tokio::test]
async fn in_a_foreign_pages_frame_no_redirect_is_answered_unless_that_was_allowed() {
    let world = World::start().await;
    world.app.serve("/frame.html", "text/html", FRAME);
    world.app.serve("/framer.html", "text/html", FRAMER);
    // A page of the application's own in between does not help.
    world.app.serve(
        "/between.html",
        "text/html",
        "<!doctype html><title>between</title><link rel=icon href='data:,'><body><script>
            document.body.append(Object.assign(document.createElement('iframe'), { src: location.search.slice(1) }))
            addEventListener('message', ({ data }) => frames[0].postMessage(data, '*'))
        </script>",
    );
    let frame = format!("{}/frame.html", world.app.origin);
    let foreign = format!("{}/framer.html", world.app.at("localhost"));
    let own = format!("{}/framer.html", world.app.origin);
    let mut exchanged = 0;
    for (framer, between, more, answered) in [
        (&foreign, false, json!({}), false),
        (&foreign, true, json!({}), false),
        (&foreign, false, json!({ "responseType": "token" }), false),
        (&foreign, false, json!({ "allowFramed": true }), true),
        (&own, false, json!({}), true),
        (&own, true, json!({}), true),
    ] {
        let row = format!("{framer} {between} {more}");
        let within = |url: &str| match between {
            true => format!("{}/between.html?{url}", world.app.origin),
            false => url.to_owned(),
        };
        world.page.open(framer).await;
        let seen = framed(&world, &within(&frame)).await;
        assert_eq!(seen["session"], Value::Null, "{row}: {seen}");
        let mut config = world.config(more);
        config["redirectUri"] = json!(frame);
        let begin = "document.querySelector('iframe').contentWindow.postMessage(args[0], '*')";
        world.page.js(begin, &[config]).await.expect("a message");
        let told = heard(&world).await;
        let redirect = world.redirect(told["went"].as_str().expect("a URL"));

        let seen = framed(&world, &within(&redirect)).await;
        assert_eq!(seen["href"], frame, "clean all the same: {row}");
        match answered {
            true => assert!(seen["session"].is_object(), "{row}: {seen}"),
            false => {
                assert_eq!(seen["error"], "framed", "{row}: {seen}");
                assert_eq!(seen["waiting"], 1, "the login still waits: {row}");
            }
        }
        exchanged += usize::from(answered);
        let asked = world.token_requests("authorization_code");
        assert_eq!(asked, exchanged, "{row}");
    }
}
