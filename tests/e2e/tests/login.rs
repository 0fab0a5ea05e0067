//! Logins with the built package: the way there, back, and what comes of it.

use e2e::World;
use serde_json::json;

#[tokio::test]
async fn a_user_logs_in_on_the_providers_own_pages_and_the_page_sees_private_data() {
    let world = World::start().await;
    let page = &world.page;
    world
        .start_login(json!({ "returnTo": "/cart?x=1", "appState": { "step": [1, "ü"] } }))
        .await;
    page.wait_for("#login").await;
    page.fill("#nickname", "TETE9928972").await;
    page.fill("#password", "sandbox").await;
    page.click("#login").await;
    page.wait_for("#allow").await;
    page.click("#allow").await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(
        session["scope"],
        json!(["offline_access", "read", "write"]),
        "{outcome}"
    );
    assert_eq!(session["extra"], json!({ "user_id": 226384143 }));
    assert_eq!(session["returnTo"], "/cart?x=1");
    assert_eq!(session["appState"], json!({ "step": [1, "ü"] }));
    assert_eq!(session["renewable"], true);
    let script = "const url = args[0] + '/users/226384143';
        const open = await (await fetch(url)).json();
        const own = await (await window.oauth.fetchPrivate(url)).json();
        return [open.email ?? null, own.email, location.search]";
    let seen = page.js(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(
        seen,
        Ok(json!([null, "test_user_38730994@testuser.com", ""]))
    );
}
