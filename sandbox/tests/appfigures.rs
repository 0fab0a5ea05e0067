//! Appfigures: logins, scopes and limits.

mod browser;

use browser::*;
use sandbox::{Sandbox, routes};

const KEY: &str = "appfigures-sandbox";
/// appfigures-sandbox:sandbox-secret
const BASIC: &str = "Basic YXBwZmlndXJlcy1zYW5kYm94OnNhbmRib3gtc2VjcmV0";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn exchange(
    sandbox: &Sandbox,
    code: &str,
    headers: &[(&str, &str)],
    extra: &[(&str, &str)],
) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ];
    fields.extend(extra);
    send(
        sandbox,
        "POST",
        "/v2/oauth2/access_token",
        &[&[FORM], headers].concat(),
        &encode(&fields),
    )
}

fn token(sandbox: &Sandbox, scope: &str) -> String {
    let code = sandbox.grant_code(KEY, CALLBACK, scope, None);
    field(
        &exchange(sandbox, &code, &[("authorization", BASIC)], &[]).json(),
        "access_token",
    )
}

#[test]
fn a_login_at_appfigures_by_pages_and_http_basic() {
    let sandbox = Sandbox::new();
    let mut user = Browser::new(&sandbox);
    let fields = [
        ("response_type", "code"),
        ("client_id", KEY),
        ("redirect_uri", CALLBACK),
        ("scope", "private:read products:write"),
        ("state", "s1"),
    ];
    let consent = user.reach_consent(
        &format!("/v2/oauth2/authorize?{}", encode(&fields)),
        "TETE9928972",
    );
    assert!(consent.body.contains("See your sales"));
    let back = user.decide(&consent, "allow");
    assert_eq!(back.parameter("state").as_deref(), Some("s1"));
    let code = back.parameter("code").expect("a code");
    let tokens = exchange(&sandbox, &code, &[("authorization", BASIC)], &[]).json();
    assert_eq!(field(&tokens, "scope"), "private:read products:write");
    assert!(tokens.get("refresh_token").is_none() && tokens.get("expires_in").is_none());
    let access_token = field(&tokens, "access_token");
    assert_eq!(get_with(&sandbox, "/v2/sales", &access_token).status, 200);
    assert_eq!(
        get_with(&sandbox, "/users/me", &access_token).status,
        401,
        "Mercado Libre knows it not"
    );

    let revoke = encode(&[("token", &access_token)]);
    let headers = [FORM, ("authorization", BASIC)];
    assert_eq!(
        send(&sandbox, "POST", "/v2/oauth2/revoke", &headers, &revoke).status,
        200
    );
    assert_eq!(get_with(&sandbox, "/v2/sales", &access_token).status, 401);
}

#[test]
fn a_client_proves_itself_by_its_secret_or_by_pkce() {
    let sandbox = Sandbox::new();
    let check = |challenge, headers: &[(&str, &str)], extra: &[(&str, &str)], status| {
        let code = sandbox.grant_code(KEY, CALLBACK, "public:read", challenge);
        let answer = exchange(&sandbox, &code, headers, extra);
        assert_eq!(
            answer.status, status,
            "{headers:?} {extra:?} {}",
            answer.body
        );
    };
    let challenge = Some((CHALLENGE, "S256"));
    check(None, &[("authorization", BASIC)], &[], 200);
    check(
        None,
        &[],
        &[("client_id", KEY), ("client_secret", "sandbox-secret")],
        200,
    );
    check(
        None,
        &[],
        &[("client_id", KEY), ("client_secret", "wrong")],
        401,
    );
    check(None, &[], &[("client_id", KEY)], 401);
    check(
        challenge,
        &[],
        &[("client_id", KEY), ("code_verifier", VERIFIER)],
        200,
    );
    check(
        challenge,
        &[],
        &[("client_id", KEY), ("code_verifier", CHALLENGE)],
        400,
    );
    check(challenge, &[("authorization", BASIC)], &[], 400);
    sandbox.change(|settings| settings.require_client_secret = true);
    check(
        challenge,
        &[],
        &[("client_id", KEY), ("code_verifier", VERIFIER)],
        401,
    );
    check(
        challenge,
        &[("authorization", BASIC)],
        &[("code_verifier", VERIFIER)],
        200,
    );
}

#[test]
fn every_route_opens_to_its_scope_and_to_no_other() {
    let sandbox = Sandbox::new();
    sandbox.change(|settings| settings.appfigures_daily_limit = u64::MAX);
    let scopes = [
        "account:read",
        "account:write",
        "public:read",
        "public:write",
        "private:read",
        "private:write",
        "products:read",
        "products:write",
    ];
    for route in routes() {
        let path = route
            .path
            .replace("/*", "/7")
            .replace("{email}", "a@b.test");
        let path = format!(
            "/v2{}",
            path.replace("{id}", "7").replace("{product_id}", "7")
        );
        for scope in scopes {
            let bearer = format!("Bearer {}", token(&sandbox, scope));
            let answer = send(
                &sandbox,
                route.method,
                &path,
                &[("authorization", &bearer)],
                "{}",
            );
            let by_write = route.scope.map(|wanted| wanted.replace(":read", ":write"));
            let allowed = route.scope.is_none_or(|wanted| wanted == scope)
                || by_write.as_deref() == Some(scope);
            assert_eq!(
                answer.status != 403,
                allowed,
                "{} {path} with {scope}",
                route.method
            );
            assert_eq!(
                answer.status < 300,
                allowed,
                "{} {path} with {scope}: {}",
                route.method,
                answer.body
            );
        }
        let anonymous = send(&sandbox, route.method, &path, &[], "{}");
        assert_eq!(
            anonymous.status == 401,
            route.scope.is_some(),
            "{} {path}",
            route.method
        );
    }
}

#[test]
fn a_header_narrows_a_token_and_never_widens_it() {
    let sandbox = Sandbox::new();
    let bearer = format!("Bearer {}", token(&sandbox, "products:write private:read"));
    let check = |method, path, header, status| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-oauth-scope", header),
        ];
        assert_eq!(
            send(&sandbox, method, path, &headers, "{}").status,
            status,
            "{method} {path} {header}"
        );
    };
    check(
        "PUT",
        "/v2/products/7",
        "products:write, private:read, account:read",
        200,
    );
    check("PUT", "/v2/products/7", "products:read", 403);
    check("GET", "/v2/products/mine", "products:read", 200);
    check("GET", "/v2/sales", "products:write", 403);
    check("GET", "/v2/account", "account:read", 403);
    check("GET", "/v2/sales", "private:everything", 400);
}

#[test]
fn a_forbidden_answer_has_the_documented_fields() {
    let sandbox = Sandbox::new();
    let answer = get_with(&sandbox, "/v2/sales", &token(&sandbox, "account:read"));
    let names: Vec<String> = answer
        .json()
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        (answer.status, names),
        (
            403,
            ["status", "message", "additional", "reference"]
                .map(String::from)
                .to_vec()
        )
    );
}

#[test]
fn the_daily_limit_is_counted_by_account_and_ends_with_the_utc_day() {
    let sandbox = Sandbox::new();
    sandbox.change(|settings| {
        settings.appfigures_daily_limit = 2;
        settings.frozen_clock = Some(1_700_000_000);
    });
    let first = get_with(&sandbox, "/v2/sales", "pat_sandbox");
    assert_eq!(
        (
            first.header("x-request-limit"),
            first.header("x-request-usage")
        ),
        (Some("2"), Some("1"))
    );
    assert_eq!(get_with(&sandbox, "/v2/sales", "pat_sandbox").status, 200);
    let over = get_with(&sandbox, "/v2/sales", "pat_sandbox");
    assert_eq!(
        (over.status, field(&over.json(), "message")),
        (420, "Chill Out!".into())
    );
    assert_eq!(get(&sandbox, "/v2/help").status, 200, "another account");
    sandbox.advance(86_400);
    assert_eq!(get_with(&sandbox, "/v2/sales", "pat_sandbox").status, 200);
}

#[test]
fn a_host_of_its_own_needs_no_v2() {
    let sandbox = Sandbox::new();
    for host in [
        "appfigures.localhost:8787",
        "api.appfigures.com.localhost:8787",
    ] {
        for path in ["/sales", "/v2/sales"] {
            let request = sandbox::http::Request::builder()
                .uri(path)
                .header("host", host)
                .header("authorization", "Bearer pat_sandbox")
                .body(Vec::new())
                .expect("a request");
            assert_eq!(sandbox.handle(request).status(), 200, "{host}{path}");
        }
    }
}
