//! The vault: the application asks a frame of another origin, which has the tokens.

use e2e::World;
use serde_json::{Value, json};

async fn started() -> World {
    let world = World::start().await;
    world.set_up_vault(&world.vault_config(json!({})));
    world
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

#[tokio::test]
async fn a_login_goes_through_the_vault_and_the_application_calls_by_it() {
    let world = started().await;
    world.open_app(&world.vault_app()).await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    world
        .leave_for_vault(json!({ "appState": { "step": 2 } }))
        .await;
    world.consent().await;
    world.page.wait_for_url(&world.vault_app()).await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(session["extra"]["user_id"], e2e::USER, "{outcome}");
    assert_eq!(session["appState"], json!({ "step": 2 }));
    assert_eq!(
        world.page.url().await,
        world.vault_app(),
        "nothing was added to the address"
    );

    let answer = me(&world).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(answer["value"]["native"], true);
    assert!(world.calls("/users/me")[0].token.is_some());
    assert_eq!(world.token_requests("authorization_code"), 1);
    world.is_quiet().await;

    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    let restored = world.run("return await oauth.restore()", &[]).await;
    assert_eq!(restored["extra"]["user_id"], e2e::USER);
    assert_eq!(me(&world).await["value"]["status"], 200);

    world.run("await oauth.logout()", &[]).await;
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session, Value::Null);
}
