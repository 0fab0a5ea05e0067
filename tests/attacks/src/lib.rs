//! What the families of attacks have in common: canaries, the search for them, and sessions in a certain state.

pub mod urls;

use e2e::{APP, World};
use sandbox::{Fault, FaultKind, Settings};
use serde_json::{Value, json};

pub const ACCESS: &str = "canary-access-7f3a9c";
pub const REFRESH: &str = "canary-refresh-51d0be";

/// pages/search.html: the application, and a search of all it can reach.
pub const SEARCH: &str = "/e2e/search.html";

/// Every token response carries the canaries. The API does not know them, but `/sites` and `/items/count` are open.
pub fn plant_canaries(world: &World) {
    let members = json!({ "access_token": ACCESS, "refresh_token": REFRESH });
    world.sandbox.change(|settings| {
        settings.auto_consent = true;
        settings.token_response = members.as_object().expect("an object").clone();
    });
}

/// Searches all that the page can reach. No needle is in the question.
pub async fn search(world: &World, needles: &[&str]) -> Value {
    let halves = |needle: &&str| {
        let (start, end) = needle.split_at(needle.len() / 2);
        json!([start, end])
    };
    let needles: Vec<_> = needles.iter().map(halves).collect();
    let script =
        "const modules = ['/pkg/oauth-wasm.js', '/pkg/inline.js'].map(path => import(path))
        const roots = { modules: await Promise.all(modules), classic: window.OAuthWasm }
        return await search(args, roots)";
    let seen = world.run(script, &needles).await;
    assert_eq!(seen["whole"], true, "{seen}");
    assert!(seen["seen"].as_u64() > Some(5_000), "{seen}");
    seen
}

pub async fn is_nowhere(world: &World, needles: &[&str], when: &str) {
    let seen = search(world, needles).await;
    assert_eq!(seen["found"], json!([]), "{when}");
    assert_eq!(seen["wasm"], json!([]), "{when}");
    assert_eq!(seen["stored"], json!([]), "{when}");
    let console = world.page.console().await.join("\n");
    for needle in needles {
        assert!(!console.contains(needle), "{when}: {console}");
    }
}

/// The browser's records of how this document came about, which nobody can change: the navigation's entry of the
/// Performance timeline, and Chromium's `navigation.activation`. One more reason against the implicit grant.
pub fn is_the_browsers_own(place: &Value) -> bool {
    let place = place.as_str().unwrap_or_default();
    place.ends_with(" in performance") || place.contains("navigation.activation.")
}

/// Every request that anybody saw, as text, but for the two places where a token belongs.
pub fn everything_sent(world: &World) -> String {
    let mut all = String::new();
    for request in world.sandbox.requests() {
        all += &format!("{} {}?{}\n", request.method, request.path, request.query);
        for (name, value) in &request.headers {
            if name != "authorization" {
                all += &format!("{name}: {value}\n");
            }
        }
        if request.path != "/oauth/token" {
            all += &request.body;
        }
    }
    for request in [world.app.requests(), world.foreign.requests()].concat() {
        all += &format!("{request:?}\n");
    }
    all
}

/// The application's redirect URI.
pub fn home(world: &World) -> String {
    format!("{}{APP}", world.app.origin)
}

/// `handleRedirect(url)` on the page that is open: no navigation, for tables.
pub async fn answer(world: &World, redirect: &str) -> Value {
    world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await
}

pub async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

/// A session whose access token has ended already and can be renewed; what comes next lives six hours.
pub async fn expired_session(world: &World) {
    world.brief_tokens(true);
    world.log_in(json!({})).await;
    world.brief_tokens(false);
    world.sandbox.forget_requests();
}

pub async fn fresh_session(world: &World) {
    world
        .sandbox
        .change(|settings| settings.expires_in = 21_600);
    world.log_in(json!({})).await;
    world.sandbox.forget_requests();
}

/// What happens to the request that renews, once; the question whether the server is there goes through.
pub fn fail_renewal(world: &World, kind: FaultKind) {
    let fault = Fault::new("/oauth/token", kind).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
}

/// A login on the page that is open, with something wrong at the token endpoint.
pub async fn exchange_with(world: &World, patch: Value) -> Value {
    let settings = Settings::default().patched(&patch).expect("settings");
    world.sandbox.change(|now| *now = settings);
    world.run("await oauth.logout()", &[]).await;
    let url = world.begin(json!({})).await;
    answer(world, &world.redirect(&url)).await
}

/// Settings in which the token endpoint does this.
pub fn fault(kind: Value) -> Value {
    json!({ "faults": [{ "pathPrefix": "/oauth/token", "kind": kind }] })
}

/// Settings in which the token endpoint answers this.
pub fn body(status: u16, content_type: &str, body: &str) -> Value {
    fault(
        json!({ "body": { "status": status, "contentType": content_type, "body": body, "headers": {} } }),
    )
}
