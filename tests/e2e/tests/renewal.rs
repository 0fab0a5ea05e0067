//! A renewal is one request, the POST, whatever headers the server sends and the page has: no question beforehand
//! whether the server is there, which some of them would answer with no.

use e2e::{APP, AuthorizationServer, Hostile, Lack, World};
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

/// Calls until the call goes through, and what came of those before: codes, `TypeError`, the status of the last.
async fn call_until_it_works(world: &World, url: &str) -> Value {
    let script = "const seen = []
        for (const end = Date.now() + 8000; ; ) {
            const { error, value } = await outcome(oauth.fetchPrivate(args[0]).then(response => response.status))
            const now = error ? error.code ?? error.name : value
            if (seen.at(-1) !== now) seen.push(now)
            if (!error || Date.now() > end) return seen
            await new Promise(resolve => setTimeout(resolve, 50))
        }";
    world.run(script, &[json!(url)]).await
}

/// What the server itself, and not the portal, was sent at the token endpoint: each refresh token once.
fn refreshed(server: &Hostile) -> usize {
    let mut requests = server.asked("/token");
    requests.retain(|request| request["portal"] != true);
    let mut tokens: Vec<_> = requests
        .iter()
        .map(|request| request["form"]["refresh_token"].as_str().expect("one"))
        .collect();
    let count = tokens.len();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), count, "none arrives twice: {requests:?}");
    count
}

/// Issue 11: offline, online, behind a captive portal that can only cut the connections of https, and free.
#[tokio::test]
async fn a_network_that_goes_and_comes_and_is_captive_costs_no_session_and_no_token() {
    let world = World::start().await;
    let server = Hostile::start();
    let api = format!("{}/api", server.issuer);
    for more in [json!({}), json!({ "keep": "device" })] {
        server.be(json!({ "tokens": { "expires_in": 1 } }));
        world.open_app(APP).await;
        let done = server.log_in(&world, more.clone()).await;
        assert!(done["value"].is_object(), "{more}: {done}");
        server.forget();
        if !world.lacks(Lack::Offline) {
            world.page.offline(true).await;
            for _ in 0..3 {
                assert_eq!(call_after_the_end(&world, &api).await, "network_error");
            }
            assert_eq!(server.requests(), [] as [Value; 0], "nothing is sent");
            world.page.offline(false).await;
            let seen = call_until_it_works(&world, &api).await;
            assert_eq!(
                seen.as_array().expect("a list").last(),
                Some(&json!(200)),
                "{seen}"
            );
            assert_eq!(refreshed(&server), 1, "{more}");
        }
        server.forget();
        server.be(json!({ "tokens": { "expires_in": 1 }, "portal": "cut" }));
        for _ in 0..3 {
            assert_eq!(call_after_the_end(&world, &api).await, "network_error");
        }
        let held = world.run("return (await oauth.session()).state", &[]).await;
        assert_eq!(held, "active", "{more}");
        server.be(json!({ "tokens": { "expires_in": 1 } }));
        let seen = call_until_it_works(&world, &api).await;
        assert_eq!(
            seen.as_array().expect("a list").last(),
            Some(&json!(200)),
            "{seen} {:?}",
            server.requests()
        );
        assert_eq!(refreshed(&server), 1, "{more}");
        assert_eq!(call_after_the_end(&world, &api).await, 200);
        assert_eq!(refreshed(&server), 2, "{more}");
        world.run("await oauth.logout()", &[]).await;
    }
    world.is_quiet().await;
}

/// The same where the device trusts the portal's certificate, as it does of a company's proxy: the portal answers in the
/// place of the server.
#[tokio::test]
async fn a_portal_that_answers_in_the_servers_place_costs_no_session_and_hands_no_token_on() {
    let world = World::start().await;
    let server = Hostile::start();
    let api = format!("{}/api", server.issuer);
    for portal in ["page", "redirect"] {
        server.be(json!({}));
        world.open_app(APP).await;
        let done = server.log_in(&world, json!({})).await;
        assert!(done["value"].is_object(), "{portal}: {done}");
        // Calls with a token that lives: fetch's own failure, and nothing is renewed for it.
        server.forget();
        server.be(json!({ "portal": portal }));
        let call = "const { error } = await outcome(oauth.fetchPrivate(args[0]))
            return [error.code ?? null, error.name]";
        let failed = world.run(call, &[json!(api)]).await;
        assert_eq!(failed, json!([null, "TypeError"]), "{portal}");
        let seen = server.requests();
        let first: Vec<_> = seen.iter().map(|request| &request["path"]).collect();
        assert_eq!(
            first,
            ["/api"],
            "{portal}: no redirect is followed with a token"
        );
        server.be(json!({ "tokens": { "expires_in": 1 } }));
        assert_eq!(call_until_it_works(&world, &api).await, json!([200]));
        assert_eq!(refreshed(&server), 0, "{portal}");
        // A renewal that the portal answers.
        let done = server.log_in(&world, json!({})).await;
        assert!(done["value"].is_object(), "{portal}: {done}");
        server.forget();
        server.be(json!({ "tokens": { "expires_in": 1 }, "portal": portal }));
        let code = call_after_the_end(&world, &api).await;
        assert!(
            ["network_error", "session_indeterminate"].contains(&code.as_str().expect("a code")),
            "{portal}: {code}"
        );
        let given: Vec<_> = server
            .requests()
            .into_iter()
            .filter(|request| request["path"] == "/sign-in")
            .filter(|request| {
                let form = request["form"].as_object();
                request["headers"]["authorization"].is_string()
                    || form.is_some_and(|form| !form.is_empty())
            })
            .collect();
        assert_eq!(given, [] as [Value; 0], "{portal}: nothing is handed on");
        server.be(json!({ "tokens": { "expires_in": 1 } }));
        assert_eq!(call_until_it_works(&world, &api).await, json!([200]));
        assert_eq!(refreshed(&server), 1, "{portal}");
        world.run("await oauth.logout()", &[]).await;
    }
    world.is_quiet().await;
}
