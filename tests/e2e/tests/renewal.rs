//! A renewal is one request, the POST, whatever headers the server sends and the page has: no question beforehand
//! whether the server is there, which some of them would answer with no.

use e2e::{APP, AuthorizationServer, Hostile, World};
use serde_json::{Value, json};

/// A session whose access token is over, by the clock: `fetchPrivate` has to renew it first.
async fn call_after_the_end(world: &World, url: &str) -> Value {
    let script = "const { expiresAt } = await oauth.session()
        while (Date.now() <= expiresAt + 1000) await new Promise(resolve => setTimeout(resolve, 20))
        const done = await outcome(oauth.fetchPrivate(args[0]))
        return done.error?.code ?? done.value?.status ?? 200";
    world.run(script, &[json!(url)]).await
}

#[tokio::test]
async fn a_session_is_renewed_at_oidc_provider_behind_helmet() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({ "behindHelmet": true }));
    server.access_tokens_live(1);
    world.open_app(APP).await;
    world.leave_as(server.config(&world, json!({}))).await;
    server.consent(&world).await;
    assert!(world.redirected().await["session"].is_object());
    for _ in 0..3 {
        server.forget_requests();
        let seen = call_after_the_end(&world, &server.userinfo()).await;
        assert_eq!(seen, 200);
        let asked: Vec<_> = server
            .requests()
            .into_iter()
            .filter(|request| request.method != "OPTIONS" && request.path == "/token")
            .collect();
        let methods: Vec<_> = asked.iter().map(|request| &*request.method).collect();
        assert_eq!(methods, ["POST"], "and no question beforehand");
        let resource_policy = &asked[0].answer["headers"];
        assert_eq!(asked[0].status, 200, "{resource_policy}");
    }
    world.is_quiet().await;
}

#[tokio::test]
async fn a_session_is_renewed_whatever_may_be_embedded_by_whom() {
    let embedder = "cross-origin-embedder-policy";
    let opener = ("cross-origin-opener-policy", "same-origin");
    let pages: [&[(&str, &str)]; 4] = [
        &[],
        &[(embedder, "require-corp")],
        &[(embedder, "require-corp"), opener],
        &[(embedder, "credentialless")],
    ];
    for page in pages {
        let world = World::start().await;
        for (name, value) in page {
            world.app.header("/", name, value);
        }
        let server = Hostile::start();
        for policy in [
            None,
            Some("same-origin"),
            Some("same-site"),
            Some("cross-origin"),
        ] {
            let headers = policy.map_or(
                json!({}),
                |policy| json!({ "cross-origin-resource-policy": policy }),
            );
            server.be(json!({ "tokens": { "expires_in": 1 }, "headers": headers }));
            world.open_app(APP).await;
            let done = server.log_in(&world, json!({})).await;
            let case = format!("{page:?}, {policy:?}");
            assert!(done["value"].is_object(), "{case}: {done}");
            server.forget();
            let api = format!("{}/api", server.issuer);
            assert_eq!(call_after_the_end(&world, &api).await, 200, "{case}");
            let requests = server.requests();
            let asked: Vec<_> = requests
                .iter()
                .map(|request| format!("{} {}", request["method"], request["path"]))
                .collect();
            assert_eq!(asked, [r#""POST" "/token""#, r#""GET" "/api""#], "{case}");
        }
        world.is_quiet().await;
    }
}

#[tokio::test]
async fn no_renewal_is_lost_at_a_server_that_sends_a_body_after_head() {
    let world = World::start().await;
    let server = Hostile::start();
    server.be(json!({ "tokens": { "expires_in": 1 }, "headBody": true }));
    world.open_app(APP).await;
    let done = server.log_in(&world, json!({})).await;
    assert!(done["value"].is_object(), "{done}");
    let api = format!("{}/api", server.issuer);
    for renewal in 1..=8 {
        let seen = call_after_the_end(&world, &api).await;
        assert_eq!(seen, 200, "renewal {renewal}");
    }
    let heads = server.requests();
    let heads = heads.iter().filter(|request| request["method"] == "HEAD");
    assert_eq!(heads.count(), 0);
}
