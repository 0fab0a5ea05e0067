//! `onSessionChange`: what a page is told of its session, and when.

use e2e::World;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// The page keeps what it is told in `changes`: type, reason, whether there is a session.
const LISTEN: &str = "window.changes = []
    window.stop = oauth.onSessionChange(change => changes.push(change))
    return typeof stop";

async fn listening(world: &World) {
    world.open_app(e2e::APP).await;
    assert_eq!(world.run(LISTEN, &[]).await, "function");
}

/// What was told since the last time: `[type, reason, state of the session]`.
async fn told(world: &World) -> Value {
    let script = "await new Promise(resolve => setTimeout(resolve))
        return changes.splice(0).map(change => [change.type, change.reason ?? null, change.session?.state ?? null])";
    world.run(script, &[]).await
}

/// A session in the page as it stands, without leaving it.
async fn log_in_here(world: &World, more: Value) {
    let outcome = world.log_in_here(world.config(more)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

#[tokio::test]
async fn a_page_is_told_when_a_session_begins_is_renewed_and_ends() {
    let world = World::start().await;
    listening(&world).await;
    log_in_here(&world, json!({})).await;
    assert_eq!(told(&world).await, json!([["started", null, "active"]]));

    world.sandbox.expire_tokens();
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(told(&world).await, json!([["renewed", null, "active"]]));

    world.sandbox.revoke_grants();
    assert_eq!(me(&world).await["error"]["code"], "session_ended");
    assert_eq!(
        told(&world).await,
        json!([["ended", "session_ended", null]])
    );

    log_in_here(&world, json!({})).await;
    assert_eq!(told(&world).await, json!([["started", null, "active"]]));
    world.run("await oauth.logout()", &[]).await;
    assert_eq!(told(&world).await, json!([["ended", "logout", null]]));
    // Nobody was logged in.
    world.run("await oauth.logout()", &[]).await;
    assert_eq!(told(&world).await, json!([]));

    let adopt = "await oauth.adoptToken('pat_sandbox', { provider: 'appfigures' })";
    world.run(adopt, &[]).await;
    assert_eq!(told(&world).await, json!([["started", null, "active"]]));
}

#[tokio::test]
async fn a_lost_answer_and_an_end_that_nothing_will_renew_are_told() {
    let world = World::start().await;
    listening(&world).await;
    log_in_here(&world, json!({})).await;
    told(&world).await;
    world.sandbox.expire_tokens();
    let lost = Fault::new("/oauth/token", FaultKind::DropAfterProcessing).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![lost]);
    assert_eq!(me(&world).await["error"]["code"], "session_indeterminate");
    assert_eq!(
        told(&world).await,
        json!([["indeterminate", null, "indeterminate"]])
    );

    // A token that lives for a minute and a second, and no refresh token.
    world.sandbox.change(|settings| settings.expires_in = 61);
    log_in_here(&world, json!({ "scope": ["read"] })).await;
    assert_eq!(told(&world).await, json!([["started", null, "active"]]));
    world.page.wait_until("window.changes.length > 0").await;
    assert_eq!(told(&world).await, json!([["expiring", null, "active"]]));
}

#[tokio::test]
async fn a_listener_is_called_until_it_is_taken_away_whatever_the_others_do() {
    let world = World::start().await;
    listening(&world).await;
    let more = "const controller = new AbortController()
        window.seen = { thrown: 0, changed: [], aborted: 0, late: 0 }
        oauth.onSessionChange(() => { seen.thrown++; throw new Error('a listener of the page') })
        oauth.onSessionChange(change => { change.session = 'changed'; change.type = 'x' })
        oauth.onSessionChange(change => seen.changed.push(change.type))
        oauth.onSessionChange(() => seen.aborted++, { signal: controller.signal })
        oauth.onSessionChange(() => seen.late++, { signal: AbortSignal.abort() })
        window.addEventListener('error', event => { window.reported = event.message; event.preventDefault() })
        window.abort = () => controller.abort()
        return null";
    world.run(more, &[]).await;
    let adopt = "await oauth.adoptToken('pat_sandbox', { provider: 'appfigures' })
        await new Promise(resolve => setTimeout(resolve))
        return { ...seen, reported: String(window.reported).includes('a listener of the page') }";
    let seen = world.run(adopt, &[]).await;
    let want =
        json!({ "thrown": 1, "changed": ["started"], "aborted": 1, "late": 0, "reported": true });
    assert_eq!(seen, want);
    world.run("abort(); stop()", &[]).await;
    told(&world).await;
    let seen = world.run(adopt, &[]).await;
    let want = json!({ "thrown": 2, "changed": ["started", "started"], "aborted": 1, "late": 0, "reported": true });
    assert_eq!(seen, want);
    assert_eq!(told(&world).await, json!([]), "stopped");
}

#[tokio::test]
async fn what_is_told_has_no_token_in_it() {
    let world = World::start().await;
    let canaries = json!({ "access_token": "canary-access", "refresh_token": "canary-refresh" });
    world.sandbox.change(|settings| {
        settings.token_response = canaries.as_object().expect("members").clone()
    });
    listening(&world).await;
    log_in_here(&world, json!({})).await;
    let text = world.run("return JSON.stringify(changes)", &[]).await;
    let text = text.as_str().expect("text");
    assert!(
        text.contains("started") && !text.contains("canary"),
        "{text}"
    );
}

#[tokio::test]
async fn after_a_logout_elsewhere_in_the_tab_a_page_that_comes_back_shows_nobody() {
    let world = World::start().await;
    listening(&world).await;
    log_in_here(&world, json!({})).await;
    told(&world).await;

    // As it comes back from the back/forward cache: with a session, while the tab has logged out meanwhile.
    let again = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
        await new Promise(resolve => setTimeout(resolve))
        return Boolean(await oauth.session())";
    assert_eq!(world.run(again, &[]).await, true, "nothing has happened");
    assert_eq!(told(&world).await, json!([]));
    world
        .run("sessionStorage.setItem('oauth-wasm.left', '7')", &[])
        .await;
    assert_eq!(world.run(again, &[]).await, false);
    assert_eq!(told(&world).await, json!([["ended", "logout", null]]));

    // For real: another page of the application, a logout there, and Back. From a cache or not, nobody is logged in.
    log_in_here(&world, json!({})).await;
    world.page.open("/e2e/inline.html").await;
    world.redirected().await;
    world.run("await oauth.logout()", &[]).await;
    world.page.back().await;
    world
        .page
        .wait_until("location.pathname.endsWith('/app.html') && window.oauth")
        .await;
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
}

#[tokio::test]
async fn a_logout_can_end_the_session_at_the_provider_too_and_is_done_here_before() {
    let world = World::start().await;
    listening(&world).await;
    let end = format!("{}/end", world.foreign.origin);
    let script = "let went
        const leaving = oauth.logout({ endSession: args[0], navigate: url => { went = url } })
        const left = await oauth.session()
        const { error } = await outcome(leaving)
        return { left, went: went ?? null, code: error?.code ?? null }";
    let back = format!("{}/bye", world.app.origin);
    for (wanted, query) in [
        (json!(true), "?client_id=1620218256833906".to_owned()),
        (json!({}), "?client_id=1620218256833906".to_owned()),
        (
            json!({ "postLogoutRedirectUri": back }),
            format!(
                "?client_id=1620218256833906&post_logout_redirect_uri={}",
                back.replace(':', "%3A").replace('/', "%2F")
            ),
        ),
    ] {
        log_in_here(&world, json!({ "endSessionEndpoint": end })).await;
        told(&world).await;
        let seen = world.run(script, &[wanted]).await;
        let url = format!("{end}{query}");
        assert_eq!(seen, json!({ "left": null, "went": url, "code": null }));
        assert_eq!(told(&world).await, json!([["ended", "logout", null]]));
    }
    // A mistake in the options is said while there is still a session.
    log_in_here(&world, json!({ "endSessionEndpoint": end })).await;
    let wrong = json!({ "postLogoutRedirectUri": "javascript:alert(1)" });
    let seen = world.run(script, &[wrong]).await;
    assert!(seen["left"].is_object() && seen["went"].is_null(), "{seen}");
    assert_eq!(seen["code"], "invalid_config");
    // What the provider has no place for is said, and the session is gone all the same.
    log_in_here(&world, json!({})).await;
    let seen = world.run(script, &[json!(true)]).await;
    assert_eq!(
        seen,
        json!({ "left": null, "went": null, "code": "invalid_config" })
    );
    let seen = world.run(script, &[json!(true)]).await;
    assert_eq!(seen["code"], "login_required");
    let seen = world.run(script, &[json!(false)]).await;
    assert_eq!(seen, json!({ "left": null, "went": null, "code": null }));

    // For real: the page is left.
    log_in_here(&world, json!({ "endSessionEndpoint": end })).await;
    world
        .page
        .start("oauth.logout({ endSession: true })", &[])
        .await;
    world.page.wait_until("location.pathname === '/end'").await;
    let asked = world.foreign.requests();
    let ends = asked
        .iter()
        .filter(|request| request.path.starts_with("/end"));
    assert_eq!(ends.count(), 1);
}
