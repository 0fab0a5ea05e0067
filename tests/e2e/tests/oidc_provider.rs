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
