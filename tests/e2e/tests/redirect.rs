//! What comes back in the address: which answers are ours, and what they leave of the application's own. Forged,
//! replayed and malformed ones are in `tests/attacks`.

use e2e::{APP, World};
use sandbox::Settings;
use serde_json::{Value, json};

/// `handleRedirect(url)` on the page that is open: no navigation, for tables.
async fn answer(world: &World, redirect: &str) -> Value {
    world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await
}

fn app(world: &World) -> String {
    format!("{}{APP}", world.app.origin)
}

#[tokio::test]
async fn a_page_that_is_no_redirect_of_ours_gets_null_and_keeps_its_address() {
    let world = World::start().await;
    for rest in [
        "",
        "?code=promo",
        "?code=x&state=y",
        "?error=404",
        "?error=access_denied&state=y",
        "?state=CA&city=LA",
        "?code=1&code=2&state=x&state=y",
        "?x=%zz",
        "#access_token=x&token_type=bearer",
        "#access_token=x&state=y",
        "#/route?code=1&x=%",
        "?q=a+b%20c&q=d#top",
    ] {
        let url = format!("{}{rest}", app(&world));
        let outcome = world.come_back(&url).await;
        assert_eq!(outcome, json!({ "session": null }), "{rest}");
        let shown = world
            .run("return [addressAfterCall, location.href]", &[])
            .await;
        assert_eq!(shown, json!([url, url]));
    }
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_state_in_the_query_and_the_token_in_the_fragment_make_one_answer() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.implicit_state_in_query = true);
    let session = world.log_in(json!({ "responseType": "token" })).await;
    assert_eq!(session["scope"], json!(["read", "write"]));
    assert_eq!(world.page.url().await, app(&world));
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
}

#[tokio::test]
async fn the_applications_own_query_route_and_history_state_survive() {
    let world = World::start().await;
    world.open_app(APP).await;
    for (own, route) in [
        ("?tenant=7&q=a%20b%26c+d", "#/route?x=1"),
        ("?tenant=7", ""),
        ("?plain", "#top"),
        ("", "#/shop/state=1"),
        // Twice, but the application's own.
        ("?tag=a&tag=b", ""),
        ("?x=1", "#x=1"),
    ] {
        let home = format!("{}{own}", app(&world));
        let url = world.begin(json!({ "redirectUri": home })).await;
        let redirect = format!("{}{route}", world.redirect(&url));
        let outcome = world.come_back(&redirect).await;
        assert!(outcome["session"].is_object(), "{own}{route}: {outcome}");
        let clean = format!("{home}{route}");
        let shown = world
            .run("return [addressAfterCall, location.href]", &[])
            .await;
        assert_eq!(shown, json!([clean, clean]));
    }

    // A router's state in the history entry is not lost.
    world.app.serve(
        "/router.html",
        "text/html",
        "<!doctype html><title>router</title><link rel=icon href='data:,'>
        <script>history.replaceState({ router: 1 }, '')</script>
        <script type=module src=/e2e/app.js></script>",
    );
    let router = format!("{}/router.html", world.app.origin);
    let url = world.begin(json!({ "redirectUri": router })).await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let seen = world
        .run("return [location.href, history.state]", &[])
        .await;
    assert_eq!(seen, json!([router, { "router": 1 }]));
}

/// One row: what is wrong with the token endpoint, and the code that says so.
async fn exchange_with(world: &World, patch: Value) -> Value {
    let settings = Settings::default().patched(&patch).expect("settings");
    world.sandbox.change(|now| *now = settings);
    world.run("await oauth.logout()", &[]).await;
    let url = world.begin(json!({})).await;
    answer(world, &world.redirect(&url)).await
}

fn answered_with(members: Value) -> Value {
    json!({ "tokenResponse": members })
}

#[tokio::test]
async fn what_the_standard_leaves_open_in_a_token_response_is_understood() {
    let world = World::start().await;
    world.open_app(APP).await;
    for (members, field, want) in [
        (json!({ "token_type": "BEARER" }), "renewable", json!(true)),
        (json!({ "expires_in": null }), "expiresAt", json!(null)),
        (
            json!({ "scope": null }),
            "scope",
            json!(["offline_access", "read", "write"]),
        ),
        (json!({ "scope": "read" }), "scope", json!(["read"])),
        (json!({ "refresh_token": null }), "renewable", json!(false)),
        (json!({ "refresh_token": "" }), "renewable", json!(false)),
        (
            json!({ "id_token": "x.y.z", "user_id": null, "nested": { "a": [1, null, "ü"] } }),
            "extra",
            json!({ "nested": { "a": [1, null, "ü"] } }),
        ),
        // Just below 1 MiB.
        (
            json!({ "user_id": null, "padding": "x".repeat(1_048_000) }),
            "extra",
            json!({ "padding": "x".repeat(1_048_000) }),
        ),
    ] {
        let outcome = exchange_with(&world, answered_with(members)).await;
        assert!(outcome["value"].is_object(), "{outcome}");
        assert!(outcome["value"][field] == want, "{field}: {want}");
    }
    let number = exchange_with(&world, answered_with(json!({ "expires_in": "3600" }))).await;
    let left = world
        .run(
            "return args[0] - Date.now()",
            &[number["value"]["expiresAt"].clone()],
        )
        .await;
    let left = left.as_f64().expect("milliseconds");
    assert!((3_500_000.0..=3_600_000.0).contains(&left), "{left}");
}
