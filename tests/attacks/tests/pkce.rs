//! Proof Key for Code Exchange: always there, never weaker than was asked for, good for one login.

use attacks::{answer, home};
use e2e::{APP, World, parameter};
use serde_json::json;

#[tokio::test]
async fn a_code_of_one_login_is_no_good_in_another() {
    let world = World::start().await;
    world.open_app(APP).await;
    let mine = world.begin(json!({ "appState": "mine" })).await;
    let other = world.begin(json!({})).await;
    let stolen = parameter(&world.redirect(&other), "code").expect("a code");
    let state = parameter(&mine, "state").expect("a state");
    let outcome = answer(
        &world,
        &format!("{}?code={stolen}&state={state}", home(&world)),
    )
    .await;
    assert_eq!(
        outcome["error"]["code"], "token_request_refused",
        "{outcome}"
    );
    assert_eq!(outcome["error"]["error"], "invalid_grant");
    assert_eq!(outcome["error"]["status"], 400);
    assert_eq!(
        world.outcome("oauth.session()", &[]).await,
        json!({ "value": null })
    );
    let burnt = answer(&world, &world.redirect(&mine)).await;
    assert_eq!(burnt["error"]["code"], "token_request_refused", "one use");
    assert_eq!(world.token_requests("authorization_code"), 1);
    let outcome = answer(&world, &world.redirect(&other)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

#[tokio::test]
async fn plain_is_used_only_when_it_is_asked_for_by_name() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.require_pkce = true);
    for (more, method) in [
        (json!({}), "S256"),
        (json!({ "codeChallengeMethod": "S256" }), "S256"),
        (json!({ "codeChallengeMethod": "plain" }), "plain"),
    ] {
        world.open_app(APP).await;
        let url = world.begin(more).await;
        assert_eq!(
            parameter(&url, "code_challenge_method").as_deref(),
            Some(method)
        );
        let outcome = world.come_back(&world.redirect(&url)).await;
        assert!(outcome["session"].is_object(), "{outcome}");
        let requests = world.sandbox.requests();
        let exchange = requests
            .iter()
            .rfind(|request| request.path == "/oauth/token")
            .expect("a token request");
        let verifier = exchange.form("code_verifier").expect("a verifier");
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        assert!((43..=128).contains(&verifier.len()) && verifier.chars().all(unreserved));
        let challenge = parameter(&url, "code_challenge").expect("a challenge");
        assert_eq!(challenge == verifier, method == "plain");
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_request_is_not_asked_again_without_pkce() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world
        .start_login(json!({ "scope": ["read", "everything"], "scopes": {} }))
        .await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "authorization_error", "{outcome}");
    assert_eq!(outcome["error"]["error"], "invalid_scope");
    assert_eq!(world.calls("/authorization").len(), 1);
    assert_eq!(world.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn each_login_has_a_verifier_of_its_own_and_is_asked_for_by_navigation_alone() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.require_pkce = true);
    let mut verifiers = Vec::new();
    for _ in 0..2 {
        world.sandbox.forget_requests();
        world
            .sandbox
            .change(|settings| settings.auto_consent = true);
        world.log_in(json!({})).await;
        let answer = world.fetch_private("/users/me", json!(null)).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
        let requests = world.sandbox.requests();
        let asked: Vec<_> = requests
            .iter()
            .filter(|request| request.path == "/authorization")
            .collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].method, "GET");
        assert_eq!(asked[0].header("sec-fetch-mode"), Some("navigate"));
        assert_eq!(asked[0].header("sec-fetch-dest"), Some("document"));
        let url = format!("{}/authorization?{}", world.sandbox_origin, asked[0].query);
        let exchange = requests
            .iter()
            .find(|request| request.path == "/oauth/token");
        let exchange = exchange.expect("a token request");
        let sent = |name: &str| exchange.form(name);
        assert_eq!(sent("redirect_uri"), parameter(&url, "redirect_uri"));
        assert_eq!(sent("client_id"), parameter(&url, "client_id"));
        assert_eq!(sent("client_secret"), None);
        assert_eq!(exchange.query, "");
        verifiers.push(sent("code_verifier").expect("a verifier"));
        // A token travels in one header and in no address.
        let token = world.calls("/users/me")[0].token.clone().expect("a token");
        for request in &requests {
            assert!(!request.query.contains(&token), "{request:?}");
            assert!(!request.body.contains(&token), "{request:?}");
            assert!(request.header("cookie").is_none() || request.path == "/authorization");
        }
    }
    assert_ne!(verifiers[0], verifiers[1]);
    for verifier in verifiers {
        assert_eq!(verifier.len(), 43, "256 bits");
    }
}
