//! Applications in a webview: the system's browser logs in, and the application is handed the URL.

use e2e::World;
use serde_json::json;

const CALLBACKS: &[&str] = &[
    "com.example.app:/callback",
    "com.example.app://callback/done",
    "capacitor://localhost/callback",
    "ionic://localhost/callback",
    "https://app.example/callback",
    "http://127.0.0.1:49152/callback",
];

#[tokio::test]
async fn the_url_that_the_application_received_is_answered_once_at_its_own_address_only() {
    let world = World::start().await;
    world.open_app(e2e::APP).await;
    for callback in CALLBACKS {
        let url = world
            .begin(json!({ "redirectUri": callback, "appState": callback }))
            .await;
        assert_eq!(
            e2e::parameter(&url, "redirect_uri").as_deref(),
            Some(*callback)
        );
        let redirect = world.redirect(&url);
        assert!(redirect.starts_with(callback), "{redirect}");
        for foreign in [
            redirect.replacen(callback, "com.evil.app:/callback", 1),
            redirect.replacen(callback, &format!("{callback}/more"), 1),
            redirect.replacen(callback, "https://evil.example/callback", 1),
        ] {
            let refused = world
                .outcome("oauth.handleRedirect(args[0])", &[json!(foreign)])
                .await;
            assert_eq!(
                refused["error"]["code"], "redirect_uri_mismatch",
                "{foreign}"
            );
        }
        let answered = world
            .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
            .await;
        assert_eq!(answered["value"]["appState"], **callback, "{answered}");
        let me = world.fetch_private("/users/me", json!(null)).await;
        assert_eq!(me["value"]["status"], 200);
    }
    assert_eq!(world.token_requests("authorization_code"), CALLBACKS.len());
}
