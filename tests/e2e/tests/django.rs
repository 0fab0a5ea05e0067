//! The whole life of a session at django-oauth-toolkit, which was written by nobody here.

use e2e::{APP, AuthorizationServer, World};
use serde_json::json;

#[tokio::test]
async fn a_session_lives_from_the_issuer_to_the_logout() {
    let world = World::start().await;
    let server = AuthorizationServer::django(&world, json!({}));
    world.open_app(APP).await;
    world.leave_as(server.config(&world, json!({}))).await;
    server.consent(&world).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    world.is_quiet().await;
}
