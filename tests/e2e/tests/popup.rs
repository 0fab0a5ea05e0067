//! Logins that leave the page where it is: in a popup, or in a frame that nobody sees.

use e2e::{APP, World};
use serde_json::{Value, json};

/// A configuration whose answers come to a page with the full library.
fn config(world: &World, more: Value) -> Value {
    let mut config = world.config(json!({ "redirectUri": format!("{}{APP}", world.app.origin) }));
    for (name, value) in more.as_object().expect("an object") {
        config[name] = value.clone();
    }
    config
}

async fn open(world: &World) {
    world.open_app(APP).await;
    let listen = "window.stays = true; window.changes = []; oauth.onSessionChange(change => changes.push(change.type)); return true";
    world.run(listen, &[]).await;
}

/// Begins a login; `outcome` of it is in `went`.
async fn begin(world: &World, more: Value) {
    at_a_click(world, "oauth.startLogin(args[0])", config(world, more)).await;
}

/// Does it when the user clicks, as a browser demands of popups; `outcome` of it is in `went`.
async fn at_a_click(world: &World, expression: &str, argument: Value) {
    let script = format!(
        "const button = document.querySelector('button') ?? document.createElement('button')
        button.textContent = 'log in'
        button.onclick = () => {{ window.went = outcome({expression}) }}
        document.body.append(button)"
    );
    world.run(&script, &[argument]).await;
    world.page.click("button").await;
}

async fn went(world: &World) -> Value {
    world.run("return await went", &[]).await
}

async fn me(world: &World) -> Value {
    let answer = world.fetch_private("/users/me", Value::Null).await;
    answer["value"]["status"].clone()
}

#[tokio::test]
async fn a_login_in_a_popup_gives_its_session_to_the_page_that_stays() {
    in_a_popup(false).await;
}

#[tokio::test]
async fn so_it_does_where_the_page_is_cut_off_from_what_it_opens() {
    in_a_popup(true).await;
}

async fn in_a_popup(cut_off: bool) {
    let world = World::start().await;
    if cut_off {
        let name = "cross-origin-opener-policy";
        world.app.header("/", name, "same-origin");
    }
    open(&world).await;
    let page = world.page.tab().await;
    begin(&world, json!({ "display": "popup" })).await;
    world.until_windows(2).await;
    let popup = world.page.beside(&page).await;
    world.page.switch_to(&popup).await;
    world.page.wait_for("#nickname").await;
    let opener = world.page.js("return window.opener === null", &[]).await;
    assert_eq!(opener, Ok(json!(true)), "it cannot reach the page");
    world.consent().await;
    world.until_windows(1).await;
    world.page.switch_to(&page).await;
    let session = went(&world).await;
    assert_eq!(session["value"]["extra"]["user_id"], e2e::USER, "{session}");
    assert_eq!(
        world.run("return [stays, changes]", &[]).await,
        json!([true, ["started"]])
    );
    assert_eq!(me(&world).await, 200);
    assert_eq!(world.token_requests("authorization_code"), 1);
    assert_eq!(world.pending().await, Vec::<String>::new());
    world.is_quiet().await;
}

#[tokio::test]
async fn a_denial_in_a_popup_is_told_to_the_page() {
    let world = World::start().await;
    world.sandbox.change(|settings| settings.auto_deny = true);
    open(&world).await;
    begin(&world, json!({ "display": "popup" })).await;
    assert_eq!(went(&world).await["error"]["code"], "access_denied");
    world.until_windows(1).await;
}

#[tokio::test]
async fn a_popup_that_is_closed_or_blocked_or_given_up_is_told_apart() {
    let world = World::start().await;
    open(&world).await;
    let page = world.page.tab().await;
    begin(&world, json!({ "display": "popup" })).await;
    world.until_windows(2).await;
    let popup = world.page.beside(&page).await;
    world.page.switch_to(&popup).await;
    world.page.wait_for("#nickname").await;
    world.page.switch_to(&page).await;
    // The page has looked by then, more often than it needs to see that the popup has left.
    let looked = "let looks = 0; await new Promise(resolve => setInterval(() => ++looks === 5 && resolve(), 100))";
    world.page.js(looked, &[]).await.expect("looks");
    world.page.switch_to(&popup).await;
    world.page.close().await;
    world.page.switch_to(&page).await;
    assert_eq!(went(&world).await["error"]["code"], "popup_closed");

    let config = config(&world, json!({ "display": "popup" }));
    let script = "(() => {
            const stop = new AbortController()
            const started = oauth.startLogin({ ...args[0], signal: stop.signal })
            stop.abort('enough')
            return started
        })()";
    at_a_click(&world, script, config).await;
    assert_eq!(went(&world).await["reason"], "enough");
    world.until_windows(1).await;

    world.app.header(
        "/e2e/app.html",
        "content-security-policy",
        "sandbox allow-scripts allow-same-origin",
    );
    open(&world).await;
    begin(&world, json!({ "display": "popup" })).await;
    assert_eq!(went(&world).await["error"]["code"], "popup_blocked");
}

#[tokio::test]
async fn a_popup_is_closed_when_the_login_cannot_even_begin() {
    let world = World::start().await;
    open(&world).await;
    begin(&world, json!({ "display": "popup", "scope": 5 })).await;
    assert_eq!(went(&world).await["error"]["code"], "invalid_config");
    world.until_windows(1).await;
}

#[tokio::test]
async fn a_frame_asks_silently_and_says_why_it_got_nothing() {
    let world = World::start().await;
    open(&world).await;
    begin(&world, json!({ "display": "iframe" })).await;
    assert_eq!(went(&world).await["error"]["code"], "login_required");

    // The same provider under another site's name: nobody knows whether its cookie came along.
    let other_site = world.sandbox_origin.replace("127.0.0.1", "localhost");
    let elsewhere = json!({ "display": "iframe", "authorizationEndpoint": format!("{other_site}/authorization") });
    begin(&world, elsewhere).await;
    assert_eq!(went(&world).await["error"]["code"], "third_party_cookies");

    world.sandbox.hold("/authorization");
    begin(&world, json!({ "display": "iframe", "displayTimeout": 1 })).await;
    assert_eq!(went(&world).await["error"]["code"], "timeout");
    world.sandbox.release();

    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    begin(&world, json!({ "display": "iframe" })).await;
    let session = went(&world).await;
    assert_eq!(session["value"]["extra"]["user_id"], e2e::USER, "{session}");
    assert_eq!(me(&world).await, 200);
    let frames = "return [document.querySelectorAll('iframe').length, stays]";
    assert_eq!(world.run(frames, &[]).await, json!([0, true]));
    let prompts = world.sandbox.requests();
    let asked = prompts
        .iter()
        .filter(|request| request.path == "/authorization");
    assert!(
        asked
            .into_iter()
            .all(|request| request.query.contains("prompt=none"))
    );
}

#[tokio::test]
async fn prompt_none_by_redirect_says_whether_somebody_is_logged_in() {
    let world = World::start().await;
    world.start_login(json!({ "prompt": "none" })).await;
    let refused = world.redirected().await;
    assert_eq!(refused["error"]["code"], "login_required", "{refused}");
    assert_eq!(refused["error"]["error"], "login_required");
    world.log_in(json!({ "prompt": "none" })).await;
}

#[tokio::test]
async fn a_response_for_a_page_that_is_gone_is_nobodys() {
    let world = World::start().await;
    open(&world).await;
    let orphan = format!(
        "{}{APP}?code=c&state=ow1x.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        world.app.origin
    );
    let answer = world.come_back(&orphan).await;
    assert_eq!(answer["error"]["code"], "unknown_state", "{answer}");
    assert!(!world.page.url().await.contains("code="));
}
