//! The whole life of a session at django-oauth-toolkit, which was written by nobody here.

mod life;

use e2e::{AuthorizationServer, World};
use serde_json::json;

/// Whether the server promises `iss` in its answers.
const ISS: &str = "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS";

async fn start() -> (World, AuthorizationServer) {
    let world = World::start().await;
    let server = AuthorizationServer::django(&world, json!({}));
    (world, server)
}

#[tokio::test]
async fn a_session_lives_from_the_issuer_to_the_revocation_at_django() {
    let (world, server) = start().await;
    // The document that we find first does not say it.
    let revocation = json!({ "revocationEndpoint": server.revocation_endpoint() });
    life::a_whole_life(&world, &server, revocation).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn a_refresh_token_that_somebody_else_used_ends_the_session_at_django() {
    let (world, server) = start().await;
    life::a_stolen_refresh_token_ends_the_session(&world, &server).await;
}

#[tokio::test]
async fn two_tabs_have_a_session_each_and_renew_it_at_django() {
    let (world, server) = start().await;
    life::two_tabs_have_a_session_each(&world, &server).await;
}

#[tokio::test]
async fn a_login_is_silent_only_while_the_server_knows_the_user_at_django() {
    let (world, server) = start().await;
    server.change(json!({ ISS: false }));
    life::the_user_is_asked_once(&world, &server).await;
}

#[tokio::test]
async fn a_no_is_told_where_the_server_does_not_promise_to_say_who_says_it() {
    let (world, server) = start().await;
    server.change(json!({ ISS: false }));
    let error = life::denied(&world, &server).await;
    assert_eq!(error["code"], "access_denied", "{error}");
    assert_eq!(error["error"], "access_denied", "{error}");
    server.proved(&world, "denial");

    // Where it does, it keeps the promise when it says yes, and breaks it when it says no (RFC 9207 section 2.4: that
    // answer counts for nothing, and its words stand beside the refusal).
    server.change(json!({ ISS: true }));
    server.expire("Session");
    let error = life::denied(&world, &server).await;
    assert_eq!(error["code"], "issuer_missing", "{error}");
    assert_eq!(error["error"], "access_denied", "{error}");
    life::another_servers_answer_is_refused(&world, &server, "login").await;
    server.proved(&world, "iss");
}

#[tokio::test]
async fn the_implicit_grant_gives_a_token_that_leaves_the_address_bar_and_is_never_renewed() {
    let (world, server) = start().await;
    let implicit =
        json!({ "clientId": "implicit", "responseType": "token", "scope": "read profile" });
    let session = life::log_in(&world, &server, implicit).await;
    assert_eq!(session["renewable"], false, "{session}");
    assert_eq!(session["scope"], json!(["read", "profile"]), "{session}");
    assert!(session["expiresAt"].is_number(), "{session}");
    let seen = "return [location.href, window.addressAfterCall]";
    let app = format!("{}{}", world.app.origin, e2e::APP);
    assert_eq!(world.run(seen, &[]).await, json!([app, app]));

    let api = format!("{}/api/me", server.origin());
    let call = "return await answered(oauth.fetchPrivate(args[0]))";
    let answer = world.run(call, &[json!(api)]).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(life::claims(&answer)["who"], "ana", "{answer}");
    // Nothing went to the token endpoint, and nothing does when the token has ended.
    server.expire("AccessToken");
    let answer = world.run(call, &[json!(api)]).await;
    assert_ne!(answer["value"]["status"], 200, "{answer}");
    let asked = server.requests();
    let token_endpoint = server.token_endpoint();
    assert!(
        asked
            .iter()
            .all(|request| server.origin() + &request.path != token_endpoint)
    );
    server.proved(&world, "implicit token");
}

#[tokio::test]
async fn a_popup_logs_in_and_after_it_a_frame_does_while_the_page_stays_at_django() {
    let (world, server) = start().await;
    // Its errors lack the `iss` that it promises.
    server.change(json!({ ISS: false }));
    life::beside_the_page(&world, &server).await;
}
