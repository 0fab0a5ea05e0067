//! Whole logins at Mercado Libre, page by page.

mod browser;

use browser::*;
use sandbox::{FragmentShape, Sandbox};
use serde_json::Value;

#[test]
fn a_login_from_page_to_private_data_to_a_dead_family() {
    let sandbox = Sandbox::new();
    let mut user = Browser::new(&sandbox);
    let uri = authorization_uri(&[
        ("state", "s 1&2"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let login = user.get(&uri);
    assert!(login.body.contains("id=\"nickname\"") && login.body.contains("id=\"password\""));
    assert_eq!(user.log_in(&login, "TETE9928972", "wrong").status, 400);
    let consent = user.reach_consent(&uri, "TETE9928972");
    assert!(
        consent.body.contains("id=\"allow\"") && consent.body.contains("Stay connected"),
        "{}",
        consent.body
    );
    let back = user.decide(&consent, "allow");
    assert_eq!(back.status, 302);
    assert!(back.location().starts_with(CALLBACK));
    assert_eq!(back.parameter("state").as_deref(), Some("s 1&2"));
    let code = back.parameter("code").expect("a code");
    assert!(code.starts_with("TG-") && code.ends_with("-226384143"));

    let answer = exchange(&sandbox, &code, &[("code_verifier", VERIFIER)]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let first = answer.json();
    assert!(field(&first, "access_token").starts_with("APP_USR-1620218256833906-"));
    assert_eq!(field(&first, "token_type"), "bearer");
    assert_eq!(field(&first, "scope"), "offline_access read write");
    assert_eq!(
        (first["expires_in"].as_u64(), first["user_id"].as_u64()),
        (Some(21600), Some(USER))
    );

    let private = get_with(&sandbox, "/users/me", &field(&first, "access_token")).json();
    assert_eq!(field(&private, "email"), "test_user_38730994@testuser.com");

    let second = refresh(&sandbox, &field(&first, "refresh_token")).json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(sandbox.refresh_tokens_spent_twice(), 0);
    let reused = refresh(&sandbox, &field(&first, "refresh_token"));
    assert_eq!(
        (reused.status, field(&reused.json(), "error")),
        (400, "invalid_grant".into())
    );
    assert_eq!(sandbox.refresh_tokens_spent_twice(), 1);
    assert_eq!(
        refresh(&sandbox, &field(&second, "refresh_token")).status,
        400
    );
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&second, "access_token")).status,
        401
    );
}

#[test]
fn a_code_used_twice_ends_what_it_first_gave() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read offline_access", None);
    let tokens = exchange(&sandbox, &code, &[]).json();
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&tokens, "access_token")).status,
        200
    );
    assert_eq!(exchange(&sandbox, &code, &[]).status, 400);
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&tokens, "access_token")).status,
        401
    );
    assert_eq!(
        refresh(&sandbox, &field(&tokens, "refresh_token")).status,
        400
    );
}

#[test]
fn tokens_and_codes_end_when_their_time_is_over() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read offline_access", None);
    sandbox.advance(600);
    assert_eq!(exchange(&sandbox, &code, &[]).status, 400);
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read offline_access", None);
    let tokens = exchange(&sandbox, &code, &[]).json();
    sandbox.advance(21_600);
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&tokens, "access_token")).status,
        401
    );
    let tokens = refresh(&sandbox, &field(&tokens, "refresh_token")).json();
    sandbox.expire_tokens();
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&tokens, "access_token")).status,
        401
    );
    sandbox.advance(180 * 24 * 3600);
    assert_eq!(
        refresh(&sandbox, &field(&tokens, "refresh_token")).status,
        400
    );
}

#[test]
fn denying_sends_access_denied_and_the_state_back() {
    let sandbox = Sandbox::new();
    let mut user = Browser::new(&sandbox);
    let consent = user.reach_consent(&authorization_uri(&[("state", "s1")]), "TETE9928972");
    let back = user.decide(&consent, "deny");
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(back.parameter("state").as_deref(), Some("s1"));
    assert!(back.parameter("code").is_none() && back.parameter("error_description").is_some());
}

#[test]
fn a_page_without_its_csrf_token_grants_nothing() {
    let sandbox = Sandbox::new();
    let mut user = Browser::new(&sandbox);
    let uri = authorization_uri(&[]);
    let consent = user.reach_consent(&uri, "TETE9928972");
    let request = consent.hidden("request");
    let forged = user.submit(
        "/consent",
        &[("request", request.as_str()), ("decision", "allow")],
    );
    assert_eq!(forged.location(), uri);
    let mut stranger = Browser::new(&sandbox);
    let csrf = consent.hidden("csrf");
    let foreign = stranger.submit(
        "/consent",
        &[
            ("request", &request),
            ("csrf", &csrf),
            ("decision", "allow"),
        ],
    );
    assert_eq!(foreign.location(), uri);
}

#[test]
fn an_unknown_application_or_redirect_uri_is_never_answered_by_a_redirect() {
    let sandbox = Sandbox::new();
    for uri in [
        "/authorization?response_type=code&client_id=1&redirect_uri=https://evil.test/".to_owned(),
        format!("/authorization?response_type=code&client_id={CLIENT}"),
        format!(
            "/authorization?response_type=code&client_id={CLIENT}&redirect_uri=javascript:alert(1)"
        ),
        format!(
            "/authorization?response_type=code&client_id={CLIENT}&redirect_uri=https://app.test/%23x"
        ),
        format!("{}&redirect_uri=https://evil.test/", authorization_uri(&[])),
    ] {
        let answer = get(&sandbox, &uri);
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, None),
            "{uri}"
        );
    }
    sandbox.change(|settings| settings.redirect_uris = Some(vec![CALLBACK.into()]));
    assert_eq!(get(&sandbox, &authorization_uri(&[])).status, 200);
    let other = get(
        &sandbox,
        &authorization_uri(&[]).replace("callback", "callback2"),
    );
    assert!(
        other
            .body
            .contains("your client callback has to match with the redirect_uri param")
    );
}

#[test]
fn a_wrong_authorization_request_is_answered_at_the_callback() {
    let sandbox = Sandbox::new();
    let check = |extra: &[(&str, &str)], error: &str| {
        let back = get(
            &sandbox,
            &authorization_uri(&[extra, &[("state", "s1")]].concat()),
        );
        assert_eq!(back.parameter("error").as_deref(), Some(error), "{extra:?}");
        assert_eq!(back.parameter("state").as_deref(), Some("s1"), "{extra:?}");
    };
    check(&[("scope", "read everything")], "invalid_scope");
    check(
        &[("response_type", "id_token")],
        "unsupported_response_type",
    );
    check(&[("scope", "read"), ("scope", "write")], "invalid_request");
    check(
        &[
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S512"),
        ],
        "invalid_request",
    );
    check(&[("code_challenge", "short")], "invalid_request");
    check(&[("prompt", "none")], "login_required");
    sandbox.change(|settings| settings.require_pkce = true);
    check(&[], "invalid_request");
}

#[test]
fn pkce_is_checked_when_a_challenge_was_given() {
    let sandbox = Sandbox::new();
    let check = |challenge, verifier: &[(&str, &str)], status| {
        let code = sandbox.grant_code(CLIENT, CALLBACK, "read", challenge);
        assert_eq!(
            exchange(&sandbox, &code, verifier).status,
            status,
            "{challenge:?} {verifier:?}"
        );
    };
    check(
        Some((CHALLENGE, "S256")),
        &[("code_verifier", VERIFIER)],
        200,
    );
    check(
        Some((CHALLENGE, "S256")),
        &[("code_verifier", CHALLENGE)],
        400,
    );
    check(Some((CHALLENGE, "S256")), &[], 400);
    check(
        Some((CHALLENGE, "plain")),
        &[("code_verifier", CHALLENGE)],
        200,
    );
    check(Some(("short", "S256")), &[("code_verifier", VERIFIER)], 400);
    check(Some(("short", "plain")), &[], 400);
    check(None, &[], 200);
}

#[test]
fn the_implicit_grant_answers_in_the_fragment_in_every_known_shape() {
    let sandbox = Sandbox::new();
    sandbox.change(|settings| settings.auto_consent = true);
    let uri = authorization_uri(&[("response_type", "token"), ("state", "s1")]);
    let full = get(&sandbox, &uri);
    assert!(
        full.location()
            .starts_with(&format!("{CALLBACK}#access_token=APP_USR-")),
        "{}",
        full.location()
    );
    for (name, value) in [
        ("token_type", "bearer"),
        ("expires_in", "21600"),
        ("scope", "read write"),
        ("state", "s1"),
        ("domains", "localhost:8080"),
    ] {
        assert_eq!(full.parameter(name).as_deref(), Some(value));
    }
    let token = full.parameter("access_token").expect("a token");
    assert_eq!(get_with(&sandbox, "/users/me", &token).status, 200);

    sandbox.change(|settings| settings.fragment = FragmentShape::Old);
    let old = get(&sandbox, &uri);
    assert!(old.parameter("access_token").is_some() && old.parameter("state").is_none());

    sandbox.change(|settings| settings.fragment = FragmentShape::Json);
    let json = get(&sandbox, &uri);
    let (_, fragment) = json.location().split_once("#%7B").expect("encoded JSON");
    let (decoded, _) = form_urlencoded::parse(fragment.as_bytes())
        .next()
        .expect("a value");
    let body: Value = serde_json::from_str(&format!("{{{decoded}")).expect("JSON");
    assert_eq!(body["authorization_info"]["user_id"], USER);

    // With the application's state in the query beside it.
    sandbox.change(|settings| settings.implicit_state_in_query = true);
    for (deny, word) in [(false, "authorization_info"), (true, "NOT_AUTHORIZED")] {
        sandbox.change(|settings| settings.auto_deny = deny);
        let both = get(&sandbox, &uri);
        let location = both.location();
        assert!(
            location.starts_with(&format!("{CALLBACK}?state=s1#%7B")) && location.contains(word)
        );
    }
    sandbox.change(|settings| settings.auto_deny = false);

    sandbox.change(|settings| {
        settings.fragment = FragmentShape::Full;
        settings.implicit_state_in_query = true;
        settings.send_iss = true;
    });
    let split = get(&sandbox, &uri);
    assert!(split.location().starts_with(&format!(
        "{CALLBACK}?state=s1&iss=http%3A%2F%2Flocalhost%3A8787#"
    )));
}

#[test]
fn without_offline_access_there_is_no_refresh_token() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "write read", None);
    let tokens = exchange(&sandbox, &code, &[]).json();
    assert_eq!(field(&tokens, "scope"), "read write");
    assert!(tokens.get("refresh_token").is_none());
}

#[test]
fn the_pages_name_the_country_of_the_host() {
    let sandbox = Sandbox::new();
    let mut user = Browser::new(&sandbox);
    user.host = "auth.mercadolivre.com.br.localhost:8787";
    assert!(user.get(&authorization_uri(&[])).body.contains("Brazil"));
    user.host = "auth.mercadolibre.com.ar.localhost:8787";
    assert!(user.get(&authorization_uri(&[])).body.contains("Argentina"));
    user.host = "localhost:8787";
    assert!(
        user.get(&authorization_uri(&[("site", "MLM")]))
            .body
            .contains("Mexico")
    );
}

#[test]
fn public_and_private_data_are_those_of_the_english_document() {
    let sandbox = Sandbox::new();
    let public = get(&sandbox, "/users/226384143/");
    assert_eq!(public.header("access-control-allow-origin"), Some("*"));
    let public = public.json();
    assert_eq!(
        public["buyer_reputation"],
        serde_json::json!({ "tags": [] })
    );
    assert!(public.get("email").is_none());
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read", None);
    let token = field(&exchange(&sandbox, &code, &[]).json(), "access_token");
    let private = get_with(&sandbox, "/users/226384143", &token).json();
    assert_eq!(private["identification"]["type"], "DNI");
    assert_eq!(private["credit"]["credit_level_id"], "MLA1");
    let brazilian = get(&sandbox, "/users/314029626").json();
    assert_eq!(
        (
            brazilian["site_id"].as_str(),
            brazilian["country_id"].as_str()
        ),
        (Some("MLB"), Some("BR"))
    );
}

#[test]
fn a_token_opens_what_its_scope_says_and_only_its_users_data() {
    let sandbox = Sandbox::new();
    let token = |scope| {
        let code = sandbox.grant_code(CLIENT, CALLBACK, scope, None);
        field(&exchange(&sandbox, &code, &[]).json(), "access_token")
    };
    let post_item = |token: &str| {
        let bearer = format!("Bearer {token}");
        send(
            &sandbox,
            "POST",
            "/items",
            &[("authorization", &bearer)],
            r#"{"title":"x"}"#,
        )
    };
    assert_eq!(post_item(&token("read")).status, 403);
    let created = post_item(&token("read write"));
    assert_eq!(
        (created.status, created.json()["title"].as_str()),
        (201, Some("x"))
    );
    assert_eq!(get(&sandbox, "/items/count").json()["count"], 1);
    let foreign = get_with(&sandbox, "/users/314029626", &token("read"));
    assert_eq!(
        (foreign.status, field(&foreign.json(), "error")),
        (403, "forbidden".into())
    );
    let unknown = get_with(&sandbox, "/users/me", "APP_USR-1");
    assert_eq!(
        unknown.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
    assert_eq!(
        get(&sandbox, "/users/me").header("www-authenticate"),
        Some("Bearer")
    );
    sandbox.change(|settings| settings.www_authenticate = false);
    assert_eq!(get(&sandbox, "/users/me").header("www-authenticate"), None);
    let in_query = get(
        &sandbox,
        &format!("/users/226384143?access_token={}", token("read")),
    );
    assert_eq!(in_query.status, 400);
}

#[test]
fn a_user_can_take_the_permission_back() {
    let sandbox = Sandbox::new();
    let code = sandbox.grant_code(CLIENT, CALLBACK, "read offline_access", None);
    let tokens = exchange(&sandbox, &code, &[]).json();
    let bearer = format!("Bearer {}", field(&tokens, "access_token"));
    let uri = format!("/users/{USER}/applications/{CLIENT}");
    assert_eq!(
        send(&sandbox, "DELETE", &uri, &[("authorization", &bearer)], "").status,
        200
    );
    assert_eq!(
        get_with(&sandbox, "/users/me", &field(&tokens, "access_token")).status,
        401
    );
    assert_eq!(
        refresh(&sandbox, &field(&tokens, "refresh_token")).status,
        400
    );
}

#[test]
fn metadata_describes_the_server_as_it_was_asked_and_can_lie() {
    let sandbox = Sandbox::new();
    for document in ["openid-configuration", "oauth-authorization-server"] {
        let body = get(&sandbox, &format!("/.well-known/{document}")).json();
        assert_eq!(field(&body, "issuer"), "http://localhost:8787");
        assert_eq!(
            field(&body, "token_endpoint"),
            "http://localhost:8787/oauth/token"
        );
    }
    sandbox.change(|settings| {
        settings.lie_about_issuer = Some("https://other.test".into());
        settings.announce_pkce = false;
        settings.serve_openid_configuration = false;
    });
    let body = get(&sandbox, "/.well-known/oauth-authorization-server").json();
    assert_eq!(field(&body, "issuer"), "https://other.test");
    assert!(body.get("code_challenge_methods_supported").is_none());
    assert_eq!(
        get(&sandbox, "/.well-known/openid-configuration").status,
        404
    );
}
