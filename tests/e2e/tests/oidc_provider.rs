//! The whole life of a session at oidc-provider, which is certified by the OpenID Foundation and was written by nobody
//! here.

mod life;

use e2e::{AuthorizationServer, World};
use serde_json::json;

async fn start() -> (World, AuthorizationServer) {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    (world, server)
}

#[tokio::test]
async fn a_session_lives_from_the_issuer_to_the_revocation_at_oidc_provider() {
    let (world, server) = start().await;
    life::a_whole_life(&world, &server, json!({})).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_refresh_token_that_somebody_else_used_ends_the_session_at_oidc_provider() {
    let (world, server) = start().await;
    life::a_stolen_refresh_token_ends_the_session(&world, &server).await;
}

#[tokio::test]
async fn two_tabs_have_a_session_each_and_renew_it_at_oidc_provider() {
    let (world, server) = start().await;
    life::two_tabs_have_a_session_each(&world, &server).await;
}

#[tokio::test]
async fn a_login_is_silent_only_while_the_server_knows_the_user_at_oidc_provider() {
    let (world, server) = start().await;
    life::the_user_is_asked_once(&world, &server).await;
}

#[tokio::test]
async fn a_no_is_told_and_every_answer_says_who_gave_it() {
    let (world, server) = start().await;
    // A no, a no, and at last a yes.
    life::another_servers_answer_is_refused(&world, &server, "none").await;
    let error = life::denied(&world, &server).await;
    assert_eq!(error["code"], "access_denied", "{error}");
    assert_eq!(error["error"], "access_denied", "{error}");
    server.proved(&world, "denial");
    life::another_servers_answer_is_refused(&world, &server, "login").await;
    server.proved(&world, "iss");
}

#[tokio::test]
async fn a_popup_logs_in_and_after_it_a_frame_does_while_the_page_stays_at_oidc_provider() {
    let (world, server) = start().await;
    life::beside_the_page(&world, &server).await;
}

/// As the console page is served: it can ask servers of this machine.
const CSP: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:*";

#[tokio::test]
async fn a_visitor_of_the_console_page_types_its_issuer_and_logs_in() {
    let (world, server) = start().await;
    let page = &world.page;
    world.app.header("/", "Content-Security-Policy", CSP);
    world.app.record_console();
    page.open("/").await;
    let state = async |state: &str| {
        let expression = format!("document.documentElement.dataset.state === {state:?}");
        page.wait_until(&expression).await;
    };
    state("logged-out").await;
    page.select("#provider", "other").await;
    page.fill("#issuer", &server.issuer).await;
    page.fill("#client-id", "page").await;
    page.click("#log-in").await;
    server.consent(&world).await;
    state("logged-in").await;
    assert_eq!(page.text("#session-site").await, server.issuer);
    assert_eq!(page.url().await, format!("{}/", world.app.origin));

    page.fill("#other-url", &server.userinfo()).await;
    page.click("#other-call").await;
    let answered = "document.querySelector('#other-body').textContent.includes('ana@example.org')";
    page.wait_until(answered).await;
    assert_eq!(page.text("#other-status").await, "GET /me → 200");
    world.is_quiet().await;

    page.fill("#other-url", &world.foreign.origin).await;
    page.click("#other-call").await;
    page.wait_until("!document.querySelector('#problem').hidden")
        .await;
    let code = page.text("#problem-code").await;
    assert_eq!(code, "undeclared_resource_server");
    assert_eq!(world.foreign.requests(), []);

    page.click("#log-out").await;
    state("logged-out").await;
    let issuer = "document.querySelector('#issuer').value";
    page.wait_until(&format!("{issuer} === {:?}", server.issuer))
        .await;
    // And back to a provider that the package knows.
    page.select("#provider", "appfigures").await;
    let known = "document.querySelector('#opens').textContent.includes('api.appfigures.com')";
    page.wait_until(known).await;
}
