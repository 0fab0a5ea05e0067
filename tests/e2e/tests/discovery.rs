//! `{ issuer }`: the endpoints are asked of the authorization server itself (RFC 8414, OpenID Connect Discovery), which
//! is believed only about itself.

use e2e::{APP, World, parameter};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// The configuration of a client that knows the issuer and nothing else of the server.
fn config(world: &World, more: Value) -> Value {
    let mut config = json!({
        "issuer": world.sandbox_origin,
        "clientId": "1620218256833906",
        "redirectUri": format!("{}{APP}", world.app.origin),
        "resourceServers": [world.sandbox_origin],
        "scope": "read",
    });
    for (name, value) in more.as_object().expect("an object") {
        config[name.as_str()] = value.clone();
    }
    config
}

/// The paths that the sandbox was asked for metadata, oldest first, with the statuses.
fn asked(world: &World) -> Vec<(String, u16)> {
    let calls = world.calls("/");
    let metadata = calls
        .into_iter()
        .filter(|call| call.path.contains("/.well-known/"));
    metadata.map(|call| (call.path, call.status)).collect()
}

fn paths(world: &World) -> Vec<String> {
    asked(world).into_iter().map(|(path, _)| path).collect()
}

/// Starts a login on a fresh page that stays, and expects it to be refused: the error, when nothing is stored.
async fn refused(world: &World, config: Value) -> Value {
    world.open_app(APP).await;
    world.sandbox.forget_requests();
    let script = "let went = null
        const { error } = await outcome(oauth.startLogin({ ...args[0], navigate: url => { went = url } }))
        return { error, went, stored: [sessionStorage.length, localStorage.length] }";
    let seen = world.run(script, &[config]).await;
    assert_eq!(seen["went"], Value::Null, "{seen}");
    assert_eq!(seen["stored"], json!([0, 0]), "{seen}");
    assert_eq!(seen["error"]["name"], "OAuthError", "{seen}");
    let requests = world.sandbox.requests();
    let elsewhere = requests
        .iter()
        .find(|request| !request.path.contains("/.well-known/"));
    assert_eq!(elsewhere, None, "nobody else is asked");
    assert_eq!(world.foreign.requests(), []);
    seen["error"].clone()
}

fn message(error: &Value) -> &str {
    error["message"].as_str().expect("text")
}

/// What the metadata says otherwise.
fn say(world: &World, members: Value) {
    let members = members.as_object().expect("an object").clone();
    world.sandbox.change(|settings| settings.metadata = members);
}

#[tokio::test]
async fn a_login_needs_the_issuer_only() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.open_app(APP).await;
    let script = "window.leaving = true; await window.oauth.startLogin(arguments[0])";
    let more = json!({ "returnTo": "/cart", "scope": "read offline_access" });
    world.page.start(script, &[config(&world, more)]).await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(
        session["scope"],
        json!(["offline_access", "read"]),
        "{outcome}"
    );
    assert_eq!(
        (&session["returnTo"], &session["provider"]),
        (&json!("/cart"), &Value::Null)
    );
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    // The page that answers asks nothing again.
    assert_eq!(asked(&world), [(OPENID.to_owned(), 200)]);
    for request in world.sandbox.requests() {
        if request.path.contains(".well-known") {
            for name in ["cookie", "referer", "authorization"] {
                assert_eq!(request.header(name), None, "{request:?}");
            }
            assert_eq!(request.header("accept"), Some("application/json"));
        }
    }
    let first = world.calls("/authorization");
    assert_eq!(first.len(), 1);

    // The tokens are given up where the metadata says.
    world.sandbox.forget_requests();
    world.run("await oauth.logout({ revoke: true })", &[]).await;
    let calls = world.calls("/");
    assert_eq!((calls.len(), calls[0].path.as_str()), (1, "/oauth/revoke"));
    world.is_quiet().await;
}

#[tokio::test]
async fn the_metadata_is_asked_for_once_a_page_and_found_in_either_place() {
    let world = World::start().await;
    world.open_app(APP).await;
    for _ in 0..2 {
        let outcome = world.log_in_here(config(&world, json!({}))).await;
        assert!(outcome["value"].is_object(), "{outcome}");
    }
    assert_eq!(paths(&world), [OPENID], "once for both");
    // Where the endpoints are said nobody is asked.
    let endpoint = format!("{}/authorization", world.sandbox_origin);
    let token = format!("{}/oauth/token", world.sandbox_origin);
    let more = json!({ "authorizationEndpoint": endpoint, "tokenEndpoint": token });
    world.begin_as(config(&world, more)).await;
    assert_eq!(paths(&world).len(), 1);
    // What the caller says counts for more than what the metadata says.
    let more = json!({ "tokenEndpoint": format!("{}/elsewhere", world.sandbox_origin) });
    world.log_in_here(config(&world, more)).await;
    assert_eq!(world.calls("/elsewhere").len(), 1);

    // Another page, and only the other place has it; or only the first.
    for (openid, oauth, expected) in [
        (
            false,
            true,
            vec![(OPENID.to_owned(), 404), (OAUTH.to_owned(), 200)],
        ),
        (true, false, vec![(OPENID.to_owned(), 200)]),
    ] {
        world.sandbox.change(|settings| {
            settings.serve_openid_configuration = openid;
            settings.serve_authorization_server_metadata = oauth;
        });
        world.open_app(APP).await;
        world.sandbox.forget_requests();
        let outcome = world.log_in_here(config(&world, json!({}))).await;
        assert!(outcome["value"].is_object(), "{outcome}");
        assert_eq!(asked(&world), expected);
    }
    // The first place answers with a page, with JSON that is none of this, with an error, or not at all.
    world
        .sandbox
        .change(|settings| settings.serve_authorization_server_metadata = true);
    let body = |status, text: &str| FaultKind::json(status, text, &[]);
    for kind in [
        FaultKind::Html,
        FaultKind::Status500,
        FaultKind::TruncatedJson,
        FaultKind::Empty(204),
        FaultKind::TooLarge(2_000_000),
        FaultKind::DropBefore,
        body(200, "{}"),
        body(200, "[]"),
        body(200, "null"),
        body(404, "{\"issuer\":\"x\"}"),
    ] {
        let about = format!("{kind:?}");
        let fault = Fault::new(OPENID, kind).times(20);
        world
            .sandbox
            .change(|settings| settings.faults = vec![fault]);
        world.open_app(APP).await;
        world.sandbox.forget_requests();
        let outcome = world.log_in_here(config(&world, json!({}))).await;
        assert!(outcome["value"].is_object(), "{about}: {outcome}");
        assert_eq!(
            asked(&world).last(),
            Some(&(OAUTH.to_owned(), 200)),
            "{about}"
        );
    }
}

#[tokio::test]
async fn a_failure_to_find_the_metadata_is_told_stored_nowhere_and_may_be_tried_again() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.serve_openid_configuration = false;
        settings.serve_authorization_server_metadata = false;
    });
    let error = refused(&world, config(&world, json!({}))).await;
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("invalid_metadata"), &json!(false)),
        "{error}"
    );
    assert_eq!(paths(&world), [OPENID, OAUTH]);
    assert!(error["remedy"].as_str().expect("text").contains("issuer"));

    // On the same page, now that it is there.
    world
        .sandbox
        .change(|settings| settings.serve_openid_configuration = true);
    let outcome = world.log_in_here(config(&world, json!({}))).await;
    assert!(
        outcome["value"].is_object(),
        "a failure is not kept: {outcome}"
    );

    let both = |kind: FaultKind| {
        let fault = Fault::new("/.well-known", kind).times(40);
        world
            .sandbox
            .change(|settings| settings.faults = vec![fault]);
    };
    both(FaultKind::DropBefore);
    let error = refused(&world, config(&world, json!({}))).await;
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("network_error"), &json!(true)),
        "{error}"
    );
    world.sandbox.change(|settings| {
        settings.faults.clear();
        settings.cors = false;
    });
    let error = refused(&world, config(&world, json!({}))).await;
    assert_eq!(error["code"], "network_error", "{error}");
    world.sandbox.change(|settings| settings.cors = true);
    // The place that has it is in trouble, and that the other has none says nothing of it.
    world.sandbox.change(|settings| {
        let trouble = FaultKind::json(503, "{}", &[]);
        settings.faults = vec![Fault::new(OPENID, trouble).times(40)];
    });
    let error = refused(&world, config(&world, json!({}))).await;
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("server_error"), &json!(true)),
        "{error}"
    );
    // Elsewhere is not followed to, and is not asked.
    let there = format!("{}{OPENID}", world.foreign.origin);
    both(FaultKind::json(302, "{}", &[("location", &there)]));
    let error = refused(&world, config(&world, json!({}))).await;
    assert_eq!(error["code"], "network_error", "{error}");
}

#[tokio::test]
async fn a_server_is_believed_only_about_itself() {
    let world = World::start().await;
    let origin = world.sandbox_origin.clone();
    for lie in [
        "https://evil.example".to_owned(),
        format!("{origin}/"),
        format!("{origin}/x"),
        origin.to_uppercase(),
        String::new(),
    ] {
        world
            .sandbox
            .change(|settings| settings.lie_about_issuer = Some(lie.clone()));
        let error = refused(&world, config(&world, json!({}))).await;
        assert_eq!(error["code"], "invalid_metadata", "{lie}: {error}");
        assert!(message(&error).contains("issuer"), "{error}");
        assert!(!message(&error).contains("evil"), "the value is not shown");
        assert_eq!(
            paths(&world),
            [OPENID],
            "the other place is not asked instead"
        );
    }

    // A slash at its end belongs to the name.
    world
        .sandbox
        .change(|settings| settings.lie_about_issuer = None);
    let slash = json!({ "issuer": format!("{origin}/") });
    let error = refused(&world, config(&world, slash.clone())).await;
    assert_eq!(error["code"], "invalid_metadata", "{error}");
    assert_eq!(paths(&world), [OPENID], "no slash is doubled");
    let own = format!("{origin}/");
    world
        .sandbox
        .change(|settings| settings.lie_about_issuer = Some(own.clone()));
    world.open_app(APP).await;
    let outcome = world.log_in_here(config(&world, slash)).await;
    assert!(outcome["value"].is_object(), "{outcome}");

    // A path as well: behind it in the one place, before it in the other.
    world
        .sandbox
        .change(|settings| settings.lie_about_issuer = None);
    let issuer = format!("{origin}/realms/one");
    let more = json!({ "issuer": issuer });
    let error = refused(&world, config(&world, more.clone())).await;
    assert_eq!(error["code"], "invalid_metadata", "{error}");
    let before = format!("{OAUTH}/realms/one");
    let (openid, behind) = (
        format!("{OPENID}/realms/one"),
        format!("/realms/one{OPENID}"),
    );
    assert_eq!(paths(&world), [before.clone(), openid, behind]);
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{origin}/authorization"),
        "token_endpoint": format!("{origin}/oauth/token"),
    });
    let kind = FaultKind::json(200, document, &[]);
    let fault = Fault::new(&before, kind);
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
    let outcome = world.log_in_here(config(&world, more)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

#[tokio::test]
async fn an_issuer_that_is_no_secure_address_is_not_asked() {
    let world = World::start().await;
    for issuer in [
        "http://as.example",
        "http://app.test",
        "as.example",
        "",
        "javascript:alert(1)",
        "https://as.example/#x",
        "https://user@as.example",
        "https://AS.example",
        "https://as.example/../x",
        "ftp://as.example",
    ] {
        let error = refused(&world, config(&world, json!({ "issuer": issuer }))).await;
        assert_eq!(error["code"], "invalid_config", "{issuer}: {error}");
        assert!(message(&error).contains("issuer"), "{issuer}: {error}");
        assert_eq!(world.sandbox.requests(), []);
    }
    let error = refused(&world, config(&world, json!({ "issuer": 5 }))).await;
    assert_eq!(error["code"], "invalid_config", "{error}");
}

#[tokio::test]
async fn endpoints_that_no_login_may_use_are_refused_wherever_they_come_from() {
    let world = World::start().await;
    for (members, named) in [
        (
            json!({ "authorization_endpoint": "http://as.example/a" }),
            "authorizationEndpoint",
        ),
        (
            json!({ "authorization_endpoint": "javascript:alert(1)" }),
            "authorizationEndpoint",
        ),
        (
            json!({ "authorization_endpoint": "https://as.example/a?state=x" }),
            "authorizationEndpoint",
        ),
        (
            json!({ "authorization_endpoint": null }),
            "authorization_endpoint",
        ),
        (
            json!({ "authorization_endpoint": 5 }),
            "authorization_endpoint",
        ),
        (
            json!({ "token_endpoint": "http://as.example/t" }),
            "tokenEndpoint",
        ),
        (
            json!({ "token_endpoint": "https://as.example/t#x" }),
            "tokenEndpoint",
        ),
        (json!({ "token_endpoint": null }), "tokenEndpoint"),
        (
            json!({ "code_challenge_methods_supported": ["plain"] }),
            "S256",
        ),
        (json!({ "code_challenge_methods_supported": [] }), "S256"),
        (
            json!({ "response_types_supported": ["id_token"] }),
            "responseType",
        ),
        (
            json!({ "token_endpoint": ["https://as.example/t"] }),
            "tokenEndpoint",
        ),
        (
            json!({ "authorization_response_iss_parameter_supported": "yes" }),
            "issRequired",
        ),
    ] {
        say(&world, members.clone());
        let error = refused(&world, config(&world, json!({}))).await;
        let code = error["code"].as_str().expect("a code");
        assert!(
            ["invalid_config", "invalid_metadata"].contains(&code),
            "{members}: {error}"
        );
        assert!(message(&error).contains(named), "{members}: {error}");
    }
    // A server that does not say how it does PKCE may do it (RFC 8414 section 2); plain only for who asks for it.
    say(&world, json!({}));
    world
        .sandbox
        .change(|settings| settings.announce_pkce = false);
    world.open_app(APP).await;
    let url = world.begin_as(config(&world, json!({}))).await;
    assert_eq!(
        parameter(&url, "code_challenge_method").as_deref(),
        Some("S256")
    );
    world
        .sandbox
        .change(|settings| settings.announce_pkce = true);
    say(
        &world,
        json!({ "code_challenge_methods_supported": ["plain"] }),
    );
    world.open_app(APP).await;
    let plain = json!({ "codeChallengeMethod": "plain" });
    let outcome = world.log_in_here(config(&world, plain)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    // And on the same page S256 is still refused.
    let strict = config(&world, json!({}));
    let outcome = world.outcome("oauth.startLogin(args[0])", &[strict]).await;
    assert_eq!(outcome["error"]["code"], "invalid_metadata", "{outcome}");

    // Members that are none of ours, or nothing, do not spoil a login.
    for members in [
        json!({ "client_secret": "x", "scope": "write", "redirect_uri": "x", "clientId": "x", "resourceServers": ["x"] }),
        json!({ "authorization_response_iss_parameter_supported": null, "revocation_endpoint": null }),
    ] {
        say(&world, members.clone());
        world.open_app(APP).await;
        let outcome = world.log_in_here(config(&world, json!({}))).await;
        assert_eq!(
            outcome["value"]["scope"],
            json!(["read"]),
            "{members}: {outcome}"
        );
    }
}

#[tokio::test]
async fn an_issuer_that_announces_iss_is_held_to_it() {
    let world = World::start().await;
    let origin = world.sandbox_origin.clone();
    // What the metadata announces, what the response has, and whether that is good.
    for (announced, sent, good) in [
        (true, Some(origin.clone()), true),
        (true, None, false),
        (true, Some("https://evil.example".to_owned()), false),
        (true, Some(format!("{origin}/")), false),
        (true, Some(String::new()), false),
        (false, None, true),
        (false, Some(origin.clone()), true),
        (false, Some("https://evil.example".to_owned()), false),
    ] {
        world.open_app(APP).await;
        let row = format!("announced: {announced}, sent: {sent:?}");
        let member = "authorization_response_iss_parameter_supported";
        say(&world, json!({ member: announced }));
        world.sandbox.change(|settings| {
            settings.send_iss = sent.is_some();
            settings.lie_about_iss = sent.clone().filter(|iss| *iss != origin);
        });
        world.sandbox.forget_requests();
        let url = world.begin_as(config(&world, json!({}))).await;
        let redirect = world.redirect(&url);
        assert_eq!(parameter(&redirect, "iss"), sent);
        let outcome = world.come_back(&redirect).await;
        if good {
            assert!(outcome["session"].is_object(), "{row}: {outcome}");
            continue;
        }
        let code = match sent {
            Some(_) => "issuer_mismatch",
            None => "issuer_missing",
        };
        assert_eq!(outcome["error"]["code"], code, "{row}: {outcome}");
        assert_eq!(world.token_requests("authorization_code"), 0, "{row}");
        assert_eq!(world.pending().await, [""; 0], "{row}");
        let clean = format!("{}{APP}", world.app.origin);
        assert_eq!(world.page.url().await, clean);
    }
    // An error without iss is as little believed.
    say(
        &world,
        json!({ "authorization_response_iss_parameter_supported": true }),
    );
    world.sandbox.change(|settings| {
        settings.send_iss = false;
        settings.lie_about_iss = None;
        settings.auto_deny = true;
    });
    world.open_app(APP).await;
    let outcome = world.log_in_here(config(&world, json!({}))).await;
    assert_eq!(outcome["error"]["code"], "issuer_missing", "{outcome}");
    world.sandbox.change(|settings| settings.auto_deny = false);

    // Without metadata the configuration may demand the same.
    let more = json!({
        "issRequired": true,
        "authorizationEndpoint": format!("{origin}/authorization"),
        "tokenEndpoint": format!("{origin}/oauth/token"),
    });
    let outcome = world.log_in_here(config(&world, more.clone())).await;
    assert_eq!(outcome["error"]["code"], "issuer_missing", "{outcome}");
    world.sandbox.change(|settings| settings.send_iss = true);
    let outcome = world.log_in_here(config(&world, more)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}
