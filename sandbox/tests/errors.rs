//! Every documented error, reached as its row says and by force.

#![allow(clippy::panic, reason = "tests")]

mod browser;

use browser::*;
use sandbox::{Sandbox, Wording, documented_errors};

/// What a row brings about: status and the words that must be in the body.
fn check(reached: &mut Vec<&'static str>, id: &'static str, answer: &Answer, value: &str) {
    let row = documented_errors()
        .iter()
        .find(|row| row.id == id)
        .unwrap_or_else(|| panic!("no row {id}"));
    assert_eq!(answer.status, row.status, "{id}: {}", answer.body);
    assert!(
        answer.body.contains(&row.description.replace("{0}", value)),
        "{id}: {}",
        answer.body
    );
    assert!(
        answer.body.contains(row.error)
            || answer
                .header("content-type")
                .is_some_and(|kind| kind.contains("html"))
    );
    reached.push(id);
}

#[test]
fn every_documented_error_comes_about_as_its_row_says() {
    let sandbox = Sandbox::new();
    let reached = &mut Vec::new();
    let code = |scope| sandbox.grant_code(CLIENT, CALLBACK, scope, None);

    let secret = [("client_secret", "wrong")];
    check(
        reached,
        "invalid_client",
        &exchange(&sandbox, &code("read"), &secret),
        "",
    );
    sandbox.change(|settings| settings.require_client_secret = true);
    check(
        reached,
        "invalid_client",
        &exchange(&sandbox, &code("read"), &[]),
        "",
    );
    assert_eq!(
        exchange(
            &sandbox,
            &code("read"),
            &[("client_secret", "sandbox-secret")]
        )
        .status,
        200
    );
    sandbox.change(|settings| settings.require_client_secret = false);

    sandbox.change(|settings| settings.active_session = false);
    check(
        reached,
        "no_active_session",
        &exchange(&sandbox, &code("read"), &[]),
        "226384143",
    );
    assert_eq!(
        exchange(&sandbox, &code("offline_access read"), &[]).status,
        200
    );
    sandbox.change(|settings| settings.active_session = true);

    check(
        reached,
        "spent_or_expired",
        &exchange(&sandbox, "TG-unknown", &[]),
        "",
    );
    sandbox.change(|settings| settings.wording = Wording::English);
    check(
        reached,
        "spent_or_expired_english",
        &refresh(&sandbox, "TG-unknown"),
        "",
    );

    sandbox.change(|settings| {
        let mut other = settings.applications[0].clone();
        other.client_id = "2".into();
        settings.applications.push(other);
    });
    let foreign = sandbox.grant_code("2", CALLBACK, "read", None);
    check(
        reached,
        "client_mismatch",
        &exchange(&sandbox, &foreign, &[]),
        "",
    );

    let elsewhere = sandbox.grant_code(CLIENT, "https://app.test/", "read", None);
    check(
        reached,
        "redirect_uri_mismatch",
        &exchange(&sandbox, &elsewhere, &[]),
        "",
    );

    let tokens = exchange(&sandbox, &code("offline_access read"), &[]).json();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT),
        ("refresh_token", &field(&tokens, "refresh_token")),
        ("scope", "read write"),
    ];
    check(
        reached,
        "invalid_scope",
        &post(&sandbox, "/oauth/token", &fields),
        "",
    );
    let doubled = [("client_id", CLIENT)];
    check(
        reached,
        "duplicate_parameters",
        &exchange(&sandbox, &code("read"), &doubled),
        "",
    );
    check(
        reached,
        "malformed_request",
        &post(&sandbox, "/oauth/token", &[("client_id", CLIENT)]),
        "",
    );
    check(
        reached,
        "malformed_request",
        &send(&sandbox, "POST", "/oauth/token", &[], "{}"),
        "",
    );
    let challenge = ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256");
    let bound = sandbox.grant_code(CLIENT, CALLBACK, "read", Some(challenge));
    check(
        reached,
        "code_verifier_required",
        &exchange(&sandbox, &bound, &[]),
        "",
    );
    let password = [("grant_type", "password"), ("client_id", CLIENT)];
    check(
        reached,
        "unsupported_grant_type",
        &post(&sandbox, "/oauth/token", &password),
        "password",
    );

    let access_token = field(
        &exchange(&sandbox, &code("read"), &[]).json(),
        "access_token",
    );
    check(
        reached,
        "forbidden",
        &get_with(&sandbox, "/users/314029626", &access_token),
        "",
    );

    sandbox.change(|settings| settings.refuse_foreign_site = true);
    let mut user = Browser::new(&sandbox);
    user.host = "auth.mercadolibre.com.ar.localhost:8787";
    let refused = user.reach_consent(&authorization_uri(&[]), "TESTEBR4029");
    check(reached, "forbidden_country", &refused, "");
    sandbox.change(|settings| settings.refuse_foreign_site = false);

    let mut user = Browser::new(&sandbox);
    let consent = user.reach_consent(&authorization_uri(&[]), "TETE-COLABORADOR");
    check(
        reached,
        "cannot_connect",
        &user.decide(&consent, "allow"),
        "",
    );

    sandbox.change(|settings| settings.redirect_uris = Some(vec!["https://app.test/".into()]));
    check(
        reached,
        "callback_mismatch",
        &get(&sandbox, &authorization_uri(&[])),
        "",
    );

    let kept = code("read write");
    sandbox.change(|settings| settings.applications[0].scope = vec!["read".into()]);
    check(
        reached,
        "unauthorized_client",
        &exchange(&sandbox, &kept, &[]),
        "",
    );
    sandbox.change(|settings| settings.applications[0].blocked = true);
    check(
        reached,
        "unauthorized_application",
        &exchange(&sandbox, &code("read"), &[]),
        "",
    );

    sandbox.change(|settings| {
        settings.frozen_clock = Some(1_700_000_000);
        settings.rate_limit = Some(1);
        settings.retry_after = Some("7".into());
    });
    assert_eq!(get(&sandbox, "/sites").status, 200);
    let limited = get(&sandbox, "/sites");
    assert_eq!(
        (limited.header("retry-after"), limited.body.as_str()),
        (Some("7"), "local_rate_limited")
    );
    check(reached, "local_rate_limited", &limited, "");
    sandbox.change(|settings| settings.rate_limit_json = true);
    check(
        reached,
        "local_rate_limited_json",
        &get(&sandbox, "/sites"),
        "",
    );
    sandbox.advance(60);
    assert_eq!(get(&sandbox, "/sites").status, 200);

    sandbox.reset();
    let token_for = |scope: &str| {
        let names = scope.split(' ').map(String::from).collect();
        sandbox.change(|settings| settings.applications[0].scope = names);
        let code = sandbox.grant_code(CLIENT, CALLBACK, scope, None);
        field(&exchange(&sandbox, &code, &[]).json(), "access_token")
    };
    for scope in ["read", "read urn:ml:mktp:orders-shipments:/read-write"] {
        let answer = get_with(&sandbox, "/orders/search", &token_for(scope));
        assert_eq!(answer.status, 200, "{scope}: {}", answer.body);
        assert_eq!(answer.json()["results"][0]["seller"]["id"], 226384143);
    }
    let token = token_for("read urn:ml:mktp:ads:/read-only");
    let answer = get_with(&sandbox, "/orders/search", &token);
    check(reached, "policy_agent", &answer, "");
    assert_eq!(answer.json()["blocked_by"], "PolicyAgent");
    sandbox.change(|settings| settings.applications[0].ip_ranges = true);
    let answer = get_with(&sandbox, "/users/me", &token);
    check(reached, "ip_not_allowed", &answer, "");
    assert_eq!(answer.json()["code"], "FORBIDDEN");
    for id in ["invalid_scopes", "invalid_operator_user_id"] {
        sandbox.change(|settings| settings.force_api_error = Some(id.into()));
        check(reached, id, &get(&sandbox, "/users/me"), "");
    }

    sandbox.reset();
    sandbox.change(|settings| settings.appfigures_daily_limit = 1);
    let narrow = [
        ("authorization", "Bearer pat_sandbox"),
        ("x-oauth-scope", "account:read"),
    ];
    let refused = send(&sandbox, "GET", "/v2/sales", &narrow, "");
    check(reached, "appfigures_forbidden", &refused, "private:read");
    check(
        reached,
        "chill_out",
        &get_with(&sandbox, "/v2/sales", "pat_sandbox"),
        "1",
    );

    for row in documented_errors() {
        assert!(reached.contains(&row.id), "{} was not reached", row.id);
    }
}

#[test]
fn every_documented_error_can_be_forced_by_its_id() {
    let sandbox = Sandbox::new();
    for row in documented_errors() {
        let by_code = exchange(&sandbox, &format!("sandbox:{}", row.id), &[]);
        assert_eq!(by_code.status, row.status, "{}", row.id);
        let by_refresh_token = refresh(&sandbox, &format!("sandbox:{}", row.id));
        assert_eq!(by_refresh_token.body, by_code.body, "{}", row.id);
        sandbox.change(|settings| settings.force_token_error = Some(row.id.into()));
        assert_eq!(
            exchange(&sandbox, "any", &[]).body,
            by_code.body,
            "{}",
            row.id
        );
        sandbox.change(|settings| settings.force_token_error = None);
    }
}

#[test]
fn the_token_error_body_is_the_documents_own_field_by_field() {
    let sandbox = Sandbox::new();
    assert_eq!(
        exchange(&sandbox, "TG-unknown", &[]).body,
        r#"{"error_description":"Error validating grant. Your authorization code or refresh token may be expired or it was already used","error":"invalid_grant","status":400,"cause":[]}"#
    );
}
