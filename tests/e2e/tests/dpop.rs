//! Tokens that are bound to a key (RFC 9449), requests that are pushed (RFC 9126), and what is asked for in detail
//! (RFC 8707, RFC 9396).

use e2e::{APP, AuthorizationServer, Hostile, World, parameter};
use serde_json::{Value, json};

fn bound(world: &World, server: &AuthorizationServer, more: Value) -> Value {
    let mut config = server.config(
        world,
        json!({ "redirectUri": format!("{}{APP}", world.app.origin) }),
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

/// `{status, body}` of a private request to the hostile server's API.
async fn api(world: &World, server: &Hostile, init: Value) -> Value {
    let url = format!("{}/api", server.issuer);
    let script = "return await answered(oauth.fetchPrivate(args[0], args[1] ?? undefined))";
    world.run(script, &[json!(url), init]).await
}

fn statuses(requests: &[Value]) -> Vec<u64> {
    let statuses = requests.iter().map(|request| request["status"].as_u64());
    statuses.map(|status| status.expect("a status")).collect()
}

/// Of the keys that are kept: whether they can be exported, and what comes of trying.
const SIGNERS: &str = "const keys = await new Promise(done => {
            const open = indexedDB.open('oauth-wasm')
            open.onsuccess = () => {
                const all = open.result.transaction('items').objectStore('items').getAll()
                all.onsuccess = () => { open.result.close(); done(all.result) }
            }
        })
        const signers = keys.filter(item => item.name.startsWith('signer.'))
        const read = signers.map(item => crypto.subtle.exportKey('jwk', item.value).then(() => 'read', e => e.name))
        return [signers.map(item => item.value.extractable), await Promise.all(read)]";

#[tokio::test]
async fn a_bound_session_lives_at_oidc_provider_where_nonces_are_demanded() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    server.change(json!({ "requireNonce": true }));
    world.open_app(APP).await;
    let more = json!({ "clientId": "dpop", "dpop": true, "keep": "tab", "verifyIdToken": true });
    world.leave_as(bound(&world, &server, more)).await;
    server.consent(&world).await;
    let first = session(&world).await;
    assert_eq!(first["claims"]["sub"], "ana", "{first}");
    // A nonce was wanted, and got.
    assert_eq!(server.token_requests("authorization_code"), [400, 200]);

    server.forget_requests();
    server.expire("AccessToken");
    let script = "const calls = Array.from({ length: 20 }, () => oauth.fetchPrivate(args[0]))
        return [...new Set((await Promise.all(calls)).map(response => response.status))]";
    let at_once = world.run(script, &[json!(server.userinfo())]).await;
    assert_eq!(at_once, json!([200]));
    assert_eq!(server.token_requests("refresh_token"), [200]);
    let info = world.outcome("oauth.userinfo()", &[]).await;
    assert_eq!(info["value"]["email"], "ana@example.org", "{info}");
    for request in server.requests() {
        if request.path == "/me" && request.method == "GET" {
            let authorization = request.headers["authorization"].as_str();
            assert!(authorization.is_some_and(|value| value.starts_with("DPoP ")));
        }
    }
    server.proved(&world, "DPoP with nonces");

    // The key is there after a reload, as the session is.
    world.open_app(APP).await;
    let restored = world.outcome("oauth.restore()", &[]).await;
    assert_eq!(restored["value"]["claims"]["sub"], "ana", "{restored}");
    let again = world.run(script, &[json!(server.userinfo())]).await;
    assert_eq!(again, json!([200]));
    server.proved(&world, "DPoP after a reload");
}

#[tokio::test]
async fn a_key_proves_every_request_and_nobody_can_read_it() {
    let world = World::start().await;
    let server = Hostile::start();
    world.open_app(APP).await;
    server.be(json!({ "nonces": ["token", "resource"] }));
    let url = world
        .begin_as(server.config(&world, json!({ "dpop": true })))
        .await;
    let jkt = parameter(&url, "dpop_jkt").expect("the key's thumbprint");

    // The key waits in IndexedDB, and no script can read it.
    assert_eq!(
        world.run(SIGNERS, &[]).await,
        json!([[false], ["InvalidAccessError"]])
    );

    // Another page answers.
    world.open_app(APP).await;
    let redirect = json!(server.answer(&url));
    let outcome = world
        .outcome("oauth.handleRedirect(args[0])", &[redirect])
        .await;
    assert!(outcome["value"].is_object(), "{outcome}");
    assert_eq!(
        world.run(SIGNERS, &[]).await,
        json!([[], []]),
        "it is kept no longer"
    );
    let exchanges = server.asked("/token");
    assert_eq!(statuses(&exchanges), [400, 200]);
    assert_eq!(exchanges[1]["proof"]["nonce"], "n-1");
    assert_ne!(exchanges[0]["proof"]["jti"], exchanges[1]["proof"]["jti"]);

    // The nonce is that of the origin by now. Then the server has another one.
    let answer = api(&world, &server, Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let body = json!({ "jkt": jkt, "nonce": "n-1" });
    assert_eq!(answer["value"]["body"], body.to_string(), "{answer}");
    assert_eq!(statuses(&server.asked("/api")), [200]);
    server.be(json!({ "nonces": ["resource"], "nonce": "n-2" }));
    server.forget();
    let answer = api(&world, &server, Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(statuses(&server.asked("/api")), [401, 200]);
    // The server has not looked at what it refused so: what writes is sent again too, once.
    server.be(json!({ "nonces": ["resource"], "nonce": "n-3" }));
    server.forget();
    let write = json!({ "method": "POST", "body": "x=7", "headers": { "content-type": "application/x-www-form-urlencoded" } });
    let answer = api(&world, &server, write).await;
    assert_eq!(answer["value"]["body"], r#"{"written":"7"}"#, "{answer}");
    assert_eq!(statuses(&server.asked("/api")), [401, 200]);
    let proofs: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request["proof"]["jkt"].clone())
        .collect();
    assert!(proofs.iter().all(|key| *key == json!(jkt)), "{proofs:?}");

    // A query does not stand in a proof.
    let query = format!("oauth.fetchPrivate('{}/api?x=1#y')", server.issuer);
    let answer = world
        .run(&format!("return (await {query}).status"), &[])
        .await;
    assert_eq!(answer, json!(200));
    world.is_quiet().await;
}

#[tokio::test]
async fn tabs_that_share_a_session_prove_the_same_key_until_one_leaves() {
    let world = World::start().await;
    let server = Hostile::start();
    world.open_app(APP).await;
    let first = world.page.tab().await;
    let shared = json!({ "dpop": true, "sessionScope": "origin" });
    let outcome = server.log_in(&world, shared).await;
    assert_eq!(outcome["value"]["shared"], true, "{outcome}");
    let key = |answer: Value| {
        let body = answer["value"]["body"].as_str().expect("text").to_owned();
        let body: Value = serde_json::from_str(&body).expect("JSON");
        body["jkt"].as_str().expect("a bound token").to_owned()
    };
    let one = key(api(&world, &server, Value::Null).await);

    let second = world.page.new_tab().await;
    world.page.switch_to(&second).await;
    world.open_app(APP).await;
    let restored = world.outcome("oauth.restore()", &[]).await;
    assert_eq!(restored["value"]["claims"]["sub"], "ana", "{restored}");
    assert_eq!(key(api(&world, &server, Value::Null).await), one);
    assert_eq!(world.run(SIGNERS, &[]).await[0], json!([false]));

    world.run("await oauth.logout()", &[]).await;
    assert_eq!(world.run(SIGNERS, &[]).await, json!([[], []]));
    world.page.switch_to(&first).await;
    world
        .page
        .wait_until("await oauth.session() === null")
        .await;
}

#[tokio::test]
async fn a_server_that_does_not_bind_is_refused() {
    let world = World::start().await;
    let server = Hostile::start();
    world.open_app(APP).await;
    let log_in = async |changes: Value| {
        server.be(changes);
        server.forget();
        let outcome = server.log_in(&world, json!({ "dpop": true })).await;
        (outcome["error"].clone(), server.asked("/token").len())
    };
    let (error, sent) = log_in(json!({ "tokens": { "token_type": "Bearer" } })).await;
    assert_eq!(
        (&error["code"], sent),
        (&json!("token_not_bound"), 1),
        "{error}"
    );
    let message = error["message"].as_str().expect("text");
    assert!(message.contains("RFC 9449 section 5"), "{message}");
    let unreadable = json!({ "nonces": ["token"], "nonce": "n-8", "expose": "" });
    let (error, sent) = log_in(unreadable).await;
    assert_eq!(
        (&error["code"], sent),
        (&json!("nonce_unreadable"), 1),
        "{error}"
    );
    let (error, sent) = log_in(json!({ "nonces": ["token"], "moving": true })).await;
    assert_eq!(
        (&error["code"], sent),
        (&json!("token_request_refused"), 2),
        "{error}"
    );
    assert_eq!(error["error"], "use_dpop_nonce", "{error}");

    // Somebody waits for the key pair: none is made.
    let spied = "Object.prototype.then = function () { window.caught = Reflect.ownKeys(this) }
        const ended = code => { delete Object.prototype.then; return code }
        const code = await oauth.startLogin(args[0]).then(() => ended(null), error => ended(error.code))
        return [code, window.caught ?? []]";
    let config = server.config(&world, json!({ "dpop": true }));
    let seen = world.run(spied, &[config]).await;
    assert_eq!(seen[0], "unsupported_environment", "{seen}");
    assert!(!seen[1].to_string().contains("privateKey"), "{seen}");

    // A key that is gone.
    server.be(json!({}));
    let url = world
        .begin_as(server.config(&world, json!({ "dpop": true })))
        .await;
    world.open_app(APP).await;
    let wipe =
        "await new Promise(done => { indexedDB.deleteDatabase('oauth-wasm').onsuccess = done })";
    world.run(wipe, &[]).await;
    server.forget();
    let redirect = json!(server.answer(&url));
    let outcome = world
        .outcome("oauth.handleRedirect(args[0])", &[redirect])
        .await;
    assert_eq!(outcome["error"]["code"], "key_lost", "{outcome}");
    assert_eq!(server.asked("/token").len(), 0);
}

#[tokio::test]
async fn a_request_is_pushed_where_that_is_wanted_or_demanded() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    world.open_app(APP).await;
    let pushed = json!({
        "clientId": "pushed",
        "pushedAuthorizationRequest": true,
    });
    let url = world.begin_as(bound(&world, &server, pushed)).await;
    let query = url.split('?').nth(1).expect("a query");
    let names: Vec<_> = query
        .split('&')
        .map(|pair| pair.split('=').next())
        .collect();
    assert_eq!(names, [Some("client_id"), Some("request_uri")], "{url}");
    world.page.open(&url).await;
    server.consent(&world).await;
    session(&world).await;
    server.proved(&world, "pushed authorization request");

    let server = Hostile::start();
    world.open_app(APP).await;
    let begin = async |changes: Value, more: Value| {
        server.be(changes);
        server.forget();
        let script = "let went = null
            const { error } = await outcome(oauth.startLogin({ ...args[0], navigate: url => { went = url } }))
            return [went, error ?? null, sessionStorage.length]";
        let seen = world.run(script, &[server.config(&world, more)]).await;
        (seen, server.asked("/par"))
    };
    let (seen, asked) = begin(json!({}), json!({})).await;
    assert!(
        seen[0].is_string() && asked.is_empty(),
        "offered only: {seen}"
    );
    // What the metadata says is remembered for as long as the page lives.
    world.open_app(APP).await;
    let demanded = json!({ "metadata": { "require_pushed_authorization_requests": true } });
    let (seen, asked) = begin(
        demanded.clone(),
        json!({ "resource": ["urn:a", "urn:b"], "dpop": true }),
    )
    .await;
    assert!(
        seen[0]
            .as_str()
            .is_some_and(|url| url.ends_with("&request_uri=urn%3Aexample%3Apushed")),
        "{seen}"
    );
    assert_eq!(asked.len(), 1);
    for name in [
        "nonce",
        "state",
        "code_challenge",
        "redirect_uri",
        "resource",
        "dpop_jkt",
    ] {
        assert!(asked[0]["form"][name].is_string(), "{name}: {}", asked[0]);
    }
    let waiting = seen[2].as_u64().expect("a number");
    for (answer, code) in [
        (
            json!({ "status": 400, "body": { "error": "invalid_request" } }),
            "pushed_request_refused",
        ),
        (
            json!({ "status": 201, "body": {} }),
            "invalid_pushed_response",
        ),
        (json!({ "status": 503 }), "server_error"),
    ] {
        let mut changes = demanded.clone();
        changes["par"] = answer;
        let (seen, _) = begin(changes, json!({})).await;
        assert_eq!(seen[1]["code"], code, "{seen}");
        assert_eq!(
            (&seen[0], seen[2].as_u64()),
            (&Value::Null, Some(waiting)),
            "nothing waits: {seen}"
        );
    }
}

#[tokio::test]
async fn resources_and_details_are_asked_for_and_what_was_granted_is_told() {
    let world = World::start().await;
    let server = AuthorizationServer::oidc_provider(&world, json!({}));
    world.open_app(APP).await;
    let more = json!({
        "scope": "openid read",
        "resource": "urn:example:api",
        "authorizationDetails": [{ "type": "payment", "amount": "7" }],
    });
    world.leave_as(bound(&world, &server, more)).await;
    server.consent(&world).await;
    let session = session(&world).await;
    // The token is for the resource, and the user is known all the same.
    assert_eq!(session["scope"], json!(["read"]), "{session}");
    assert_eq!(session["claims"]["sub"], "ana", "{session}");
    let asked = server.requests();
    let exchange = asked
        .iter()
        .find(|request| request.form["grant_type"] == "authorization_code");
    assert_eq!(
        exchange.expect("an exchange").form["resource"],
        "urn:example:api"
    );
    let granted = json!([{ "type": "payment", "amount": "7" }]);
    assert_eq!(
        session["extra"]["authorization_details"], granted,
        "{session}"
    );
    let asked = asked
        .iter()
        .find(|request| request.path == "/auth")
        .expect("a request");
    assert!(
        asked.query.contains("%22type%22%3A%22payment%22"),
        "{}",
        asked.query
    );
    server.proved(&world, "resource and details");
}
