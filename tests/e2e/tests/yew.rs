//! The library in Rust: the application of examples/yew, used as its user would.

use e2e::World;
use serde_json::json;

/// The built page, told where the provider is.
async fn open(world: &World) {
    let built = e2e::target().join("yew/index.html");
    let html = std::fs::read_to_string(built).expect("run `cargo xtask yew` first");
    let sandbox = format!("<body data-sandbox=\"{}\">", world.sandbox_origin);
    let told = html.replace("<body>", &sandbox);
    assert_ne!(told, html, "index.html has a body");
    world.app.serve("/yew/", "text/html", told);
    world.page.open("/yew/").await;
    world.page.wait_for("#login").await;
}

#[tokio::test]
async fn a_user_of_the_yew_application_logs_in_asks_reloads_and_logs_out() {
    let world = World::start().await;
    open(&world).await;
    let page = &world.page;
    page.click("#login").await;
    world.consent().await;

    page.wait_for("#who").await;
    assert_eq!(page.text("#who").await, format!("User {}", e2e::USER));
    let clean = format!("{}/yew/", world.app.origin);
    assert_eq!(page.url().await, clean, "the code has left the address bar");
    page.click("#ask").await;
    page.wait_for("#user").await;
    assert!(page.text("#user").await.starts_with("TETE9928972, "));
    let calls = world.calls("/users/");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].token.is_some());

    // `keep` and `restore`: the same session, without the user.
    page.open("/yew/").await;
    page.wait_for("#who").await;
    assert_eq!(world.token_requests("authorization_code"), 1);
    assert_eq!(world.token_requests("refresh_token"), 1);

    page.click("#logout").await;
    page.wait_for("#login").await;
    let gone = "return document.querySelector('#who, #user, #error')";
    assert_eq!(page.js(gone, &[]).await, Ok(json!(null)));
    page.open("/yew/").await;
    page.wait_for("#login").await;
}

#[tokio::test]
async fn the_yew_application_shows_errors_by_code_and_what_to_do() {
    let world = World::start().await;
    open(&world).await;
    let page = &world.page;
    page.click("#login").await;
    page.fill("#nickname", "TETE9928972").await;
    page.fill("#password", "sandbox").await;
    page.click("#login").await;
    page.click("#deny").await;
    page.wait_for("#error").await;
    assert_eq!(page.text("#error code").await, "access_denied");
    let said = page.text("#error").await;
    assert!(said.ends_with(" Offer the login again."), "{said}");

    page.click("#login").await;
    // The provider knows the user by now, and asks only for consent.
    page.click("#allow").await;
    page.wait_for("#ask").await;
    world.sandbox.revoke_grants();
    page.click("#ask").await;
    page.wait_for("#error").await;
    assert_eq!(page.text("#error code").await, "session_ended");
    let said = page.text("#error").await;
    // In the words of the provider's documentation.
    assert!(said.contains(" Log in again; "), "{said}");
    // The closure of `on_session_change` was called: the view shows nobody.
    page.wait_for("#login").await;
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}
