//! OpenID Connect: who has logged in, at a server that nobody here wrote, and at one that lies.

use e2e::{APP, AuthorizationServer, Hostile, World, parameter};
use serde_json::{Value, json};

fn config(world: &World, server: &AuthorizationServer, more: Value) -> Value {
    let mut config = server.config(
        world,
        json!({
            "redirectUri": format!("{}{APP}", world.app.origin),
            "verifyIdToken": true,
        }),
    );
    for (name, value) in more.as_object().expect("an object") {
        config[name.as_str()] = value.clone();
    }
    config
}

async fn session(world: &World) -> Value {
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "a session: {outcome}");
    outcome["session"].clone()
}

/// What a promise is rejected with, or null.
async fn error(world: &World, expression: &str) -> Value {
    world.outcome(expression, &[]).await["error"].clone()
}

#[tokio::test]
async fn the_user_is_known_at_oidc_provider_by_each_algorithm_and_stays_known() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    for client in ["page", "es256", "eddsa"] {
        world.open_app(APP).await;
        server.forget_requests();
        let more = json!({ "clientId": client });
        world.leave_as(config(&world, &server, more)).await;
        match client {
            "page" => server.consent(&world).await,
            // The server knows the user by now.
            _ => server.allow(&world).await,
        }
        let session = session(&world).await;
        let claims = &session["claims"];
        assert_eq!(
            (&claims["sub"], &claims["iss"], &claims["aud"]),
            (&json!("ana"), &json!(server.issuer), &json!(client)),
            "{session}"
        );
        assert!(claims.get("nonce").is_none() && claims.get("at_hash").is_none());
        assert!(!session.to_string().contains("eyJ"), "no token: {session}");
        let asked = server.requests();
        let keys = asked.iter().filter(|request| request.path == "/jwks");
        assert_eq!(keys.count(), 1, "{client}");
        let alg = match client {
            "page" => "RS256",
            "es256" => "ES256",
            _ => "EdDSA",
        };
        server.proved(&world, &format!("ID Token signed by {alg}"));
    }

    stays_known(&world, &server).await;
}

/// The same user is known to userinfo, after a renewal, and to the server when the user leaves.
async fn stays_known(world: &World, server: &AuthorizationServer) {
    let known = world
        .run("return (await oauth.session()).claims", &[])
        .await;
    let info = world.outcome("oauth.userinfo()", &[]).await;
    let info = &info["value"];
    assert_eq!(info["email"], "ana@example.org", "{info}");
    assert_eq!((&info["sub"], &info["aud"]), (&known["sub"], &known["aud"]));

    server.expire("AccessToken");
    let info = world.outcome("oauth.userinfo()", &[]).await;
    assert_eq!(info["value"]["sub"], known["sub"], "{info}");
    assert_eq!(server.token_requests("refresh_token"), [200]);
    let after = world.run("return await oauth.session()", &[]).await;
    assert_eq!(after["claims"]["sub"], known["sub"], "{after}");
    server.proved(world, "userinfo of the same user");

    // The server is told who leaves.
    let script = "let went
        await oauth.logout({ endSession: { postLogoutRedirectUri: args[0] }, navigate: url => { went = url } })
        return went";
    let back = format!("{}/e2e/blank.html", world.app.origin);
    let url = world.run(script, &[json!(back)]).await;
    let url = url.as_str().expect("a URL");
    let hint = parameter(url, "id_token_hint").expect("a hint");
    assert!(hint.starts_with("eyJ"), "{hint}");
    world.page.open(url).await;
    server.confirm_logout(world).await;
    world.page.wait_for_url(&back).await;
    server.proved(world, "id_token_hint");
}

#[tokio::test]
async fn the_user_is_known_at_django_oauth_toolkit_too() {
    let world = World::start().await;
    let server = AuthorizationServer::django(&world, json!({}));
    world.open_app(APP).await;
    world.leave_as(config(&world, &server, json!({}))).await;
    server.consent(&world).await;
    let known = session(&world).await;
    assert_eq!(known["claims"]["iss"], json!(server.issuer), "{known}");
    server.proved(&world, "ID Token signed by RS256");
    stays_known(&world, &server).await;
}

#[tokio::test]
async fn an_id_token_of_the_address_bar_is_verified_at_oidc_provider() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    verified_in_front(&world, &server).await;
}

#[tokio::test]
async fn an_id_token_of_the_address_bar_is_verified_at_django_oauth_toolkit() {
    let world = World::start().await;
    let server = AuthorizationServer::django(&world, json!({}));
    verified_in_front(&world, &server).await;
}

async fn verified_in_front(world: &World, server: &AuthorizationServer) {
    world.open_app(APP).await;
    let more =
        json!({ "clientId": "implicit", "responseType": "id_token token", "verifyIdToken": false });
    world.leave_as(config(world, server, more)).await;
    server.consent(world).await;
    let session = session(world).await;
    assert_eq!(session["claims"]["iss"], json!(server.issuer), "{session}");
    let requests = server.requests();
    let count = |path: &str| {
        let asked = requests
            .iter()
            .filter(|request| request.path.contains(path));
        asked.count()
    };
    assert_eq!((count("jwks"), count("/token")), (1, 0));
    let answer = world.outcome("oauth.userinfo()", &[]).await;
    assert_eq!(answer["value"]["email"], "ana@example.org", "{answer}");
    server.proved(world, "id_token token, verified");
}

/// What each lie is refused with: (what the server does, code, how the message goes on).
fn lies() -> Vec<(Value, &'static str, &'static str)> {
    let wrong = "invalid_id_token";
    let ec =
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "RS256", "x": "x", "y": "y" }] });
    vec![
        (
            json!({ "claims": { "nonce": "of another login" } }),
            wrong,
            "nonce: ",
        ),
        (json!({ "claims": { "nonce": null } }), wrong, "nonce: "),
        (
            json!({ "claims": { "iss": "https://evil.example" } }),
            wrong,
            "iss: ",
        ),
        (json!({ "claims": { "aud": "another" } }), wrong, "aud: "),
        (
            json!({ "claims": { "aud": ["page", "another"] } }),
            wrong,
            "azp: ",
        ),
        (json!({ "claims": { "exp": 1 } }), wrong, "exp: "),
        (
            json!({ "claims": { "at_hash": "AAAA" } }),
            wrong,
            "at_hash: ",
        ),
        (json!({ "header": { "alg": "none" } }), wrong, "alg: "),
        (json!({ "header": { "alg": "HS256" } }), wrong, "alg: "),
        (json!({ "header": { "crit": ["exp"] } }), wrong, "crit: "),
        // Of somebody else, who says its own name, another's, or none.
        (json!({ "signer": "other" }), wrong, "kid: "),
        (
            json!({ "signer": "other", "header": { "kid": "RS256" } }),
            wrong,
            "its signature",
        ),
        (
            json!({ "signer": "other", "header": { "kid": null } }),
            wrong,
            "its signature",
        ),
        // The right key with another algorithm, and another key with the right name.
        (json!({ "header": { "alg": "ES256" } }), wrong, "kid: "),
        (json!({ "jwks": ec }), wrong, "kid: "),
        (
            json!({ "signer": "small", "keys": ["small"] }),
            wrong,
            "kid: ",
        ),
        (json!({ "tail": "A" }), wrong, "its signature"),
        (json!({ "raw": "a.b" }), wrong, "is no signature"),
        (json!({ "raw": "a.b.c.d.e" }), wrong, "is no signature"),
        (
            json!({ "tokens": { "id_token": null } }),
            wrong,
            "id_token: ",
        ),
        (json!({ "jwks": { "keys": {} } }), "invalid_keys", "keys: "),
        (json!({ "jwks": [] }), "invalid_keys", "keys: "),
        (json!({ "jwks": "<html>" }), "invalid_keys", ""),
        (json!({ "jwksStatus": 404 }), "invalid_keys", ""),
        (json!({ "jwksStatus": 503 }), "server_error", ""),
    ]
}

#[tokio::test]
async fn a_lie_is_refused_by_the_rule_that_it_breaks() {
    let world = World::start().await;
    let server = Hostile::start();
    let verified = json!({ "verifyIdToken": true });
    world.open_app(APP).await;
    for (lie, code, rule) in lies() {
        // Keys are remembered for as long as the page lives.
        if lie.get("jwks").is_some() || lie.get("jwksStatus").is_some() || lie.get("keys").is_some()
        {
            world.open_app(APP).await;
        }
        server.be(lie.clone());
        let outcome = server.log_in(&world, verified.clone()).await;
        let error = &outcome["error"];
        assert_eq!(error["code"], code, "{lie}: {outcome}");
        let message = error["message"].as_str().expect("text");
        assert!(
            message.contains(&format!(": {rule}")) || rule.is_empty(),
            "{lie}: {message}"
        );
        let session = world.run("return await oauth.session()", &[]).await;
        assert_eq!(session, Value::Null, "{lie}");
        assert!(!outcome.to_string().contains("eyJ"), "{outcome}");
    }

    // Without a check of the signature a wrong one does no harm: TLS has shown who says it.
    server.be(json!({ "signer": "other" }));
    let outcome = server.log_in(&world, json!({})).await;
    assert_eq!(outcome["value"]["claims"]["sub"], "ana", "{outcome}");
    // What the address bar brings is checked all the same.
    let front = json!({ "responseType": "id_token token" });
    let outcome = server.log_in(&world, front.clone()).await;
    assert_eq!(outcome["error"]["code"], "invalid_id_token", "{outcome}");
    for claims in [json!({ "at_hash": null }), json!({ "at_hash": "AAAA" })] {
        server.be(json!({ "claims": claims }));
        let outcome = server.log_in(&world, front.clone()).await;
        assert_eq!(outcome["error"]["code"], "invalid_id_token", "{outcome}");
    }
    server.be(json!({}));
    let outcome = server.log_in(&world, front).await;
    assert_eq!(outcome["value"]["claims"]["sub"], "ana", "{outcome}");
    world.is_quiet().await;
}

/// WebCrypto knows more than the RS256 that every provider has to have.
#[tokio::test]
async fn an_id_token_is_verified_by_every_algorithm_that_browsers_check() {
    let world = World::start().await;
    let server = Hostile::start();
    let verified = json!({ "verifyIdToken": true });
    for (alg, another) in [
        ("RS256", "PS256"),
        ("RS384", "RS512"),
        ("RS512", "RS384"),
        ("PS256", "PS384"),
        ("PS384", "PS512"),
        ("PS512", "RS512"),
        ("ES256", "ES384"),
        ("ES384", "ES512"),
        ("ES512", "ES256"),
        ("EdDSA", "ES256"),
    ] {
        world.open_app(APP).await;
        server.be(json!({ "signer": alg, "keys": [alg] }));
        let outcome = server.log_in(&world, verified.clone()).await;
        assert_eq!(outcome["value"]["claims"]["sub"], "ana", "{alg}: {outcome}");
        // Signed by this one and said to be of another.
        server.be(json!({ "signer": alg, "keys": [alg], "header": { "alg": another } }));
        let outcome = server.log_in(&world, verified.clone()).await;
        assert_eq!(
            outcome["error"]["code"], "invalid_id_token",
            "{alg}: {outcome}"
        );
    }
}

#[tokio::test]
async fn keys_that_a_server_changes_are_asked_for_once_more_and_no_oftener() {
    let world = World::start().await;
    let server = Hostile::start();
    let verified = json!({ "verifyIdToken": true });
    world.open_app(APP).await;
    let asked = async |changes: Value, good: bool| {
        server.be(changes);
        server.forget();
        let outcome = server.log_in(&world, verified.clone()).await;
        assert_eq!(outcome["value"].is_object(), good, "{outcome}");
        server.asked("/jwks").len()
    };
    assert_eq!(asked(json!({ "keys": ["RS256"] }), true).await, 1);
    assert_eq!(
        asked(json!({ "keys": ["RS256"] }), true).await,
        0,
        "they are known"
    );
    assert_eq!(
        asked(json!({ "signer": "ES256", "keys": ["ES256"] }), true).await,
        1
    );
    assert_eq!(
        asked(json!({ "signer": "EdDSA", "keys": ["ES256"] }), false).await,
        1
    );
    assert_eq!(asked(json!({ "signer": "EdDSA" }), true).await, 1);
}

#[tokio::test]
async fn another_user_is_refused_by_userinfo_and_by_a_renewal() {
    let world = World::start().await;
    let server = Hostile::start();
    world.open_app(APP).await;
    let brief = json!({ "expires_in": 1 });
    server.be(json!({ "tokens": brief }));
    let outcome = server.log_in(&world, json!({})).await;
    assert_eq!(outcome["value"]["claims"]["sub"], "ana", "{outcome}");

    server.be(json!({ "userinfo": { "sub": "eva" } }));
    let refused = error(&world, "oauth.userinfo()").await;
    assert_eq!(refused["code"], "invalid_userinfo", "{refused}");
    server.be(json!({ "tokens": brief }));
    let info = world.outcome("oauth.userinfo()", &[]).await;
    assert_eq!(info["value"]["name"], "Ana", "{info}");

    // The tokens of somebody else are nobody's: the session is in doubt, and still Ana's.
    world
        .page
        .wait_until("(await oauth.session()).expiresAt + 1000 < Date.now()")
        .await;
    server.be(json!({ "claims": { "sub": "eva" } }));
    server.forget();
    let script = format!("oauth.fetchPrivate('{}/api')", server.issuer);
    for _ in 0..2 {
        let refused = error(&world, &script).await;
        assert_eq!(refused["code"], "session_indeterminate", "{refused}");
        let message = refused["message"].as_str().expect("text");
        assert!(message.contains("sub: is another user"), "{message}");
    }
    assert_eq!(
        server.asked("/token").len(),
        1,
        "the refresh token is not sent again"
    );
    assert_eq!(server.asked("/api").len(), 0);
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session["claims"]["sub"], "ana", "{session}");
}
