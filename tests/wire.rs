//! What real servers said, word for word, and what the protocol makes of it.
//!
//! Recorded on this machine from oidc-provider 9.13.3 and django-oauth-toolkit 3.4.1 (tests/e2e/servers), whose addresses
//! became `as.example` and whose tokens and codes others of the same shape. Rows marked `seen` are not recordings, but
//! what other servers are known to send.
//!
//! `wire.jsonl` has what seven more servers said, each with its version, to one list of requests, right and wrong: a code,
//! one of another client, one that was used, a refresh token twice, an address where nothing is. They ran on loopback with
//! the defaults of their own examples; oauth2-mock-server checks little, so that it has few rows.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, Entropy, PendingLogin};
use oauth_wasm::protocol::client::Client;
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::Error;
use oauth_wasm::protocol::json::Json;
use oauth_wasm::protocol::metadata;
use oauth_wasm::protocol::session::{AfterRefusal, Session, Sessions};
use oauth_wasm::protocol::token::{HttpResponse, TokenRequest, Tokens};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::rc::Rc;

const APP: &str = "https://app.example/cb";
const OIDC: &str = "https://as.example";
const DJANGO: &str = "https://as.example/o";
const JSON: &str = "application/json";
const NOW: u32 = 1_000;

/// A token of each server's shape.
const OIDC_TOKEN: &str = "kR7wmD0tYbVq3Zs-8XoLhC1nTfGa_E5jPuI2yUvQe9B";
const DJANGO_TOKEN: &str = "Tz4KqWm8LsRdXb1NfYgHcJv7PaEu3o";

/// `issRequired` is what the metadata of both has.
const PROMISED: &str = r#","issRequired":true"#;

fn pending(issuer: &str, more: &str) -> PendingLogin {
    let config = format!(
        r#"{{"clientId":"page","redirectUri":"{APP}","issuer":"{issuer}","authorizationEndpoint":"{OIDC}/auth",
            "tokenEndpoint":"{OIDC}/token","revocationEndpoint":"{OIDC}/revoke","resourceServers":["{OIDC}"],
            "scope":"profile"{more}}}"#
    );
    let config = Config::parse(&config).expect("a configuration");
    let login = config.resolve("https://app.example").expect("a login");
    let entropy: Entropy = core::array::from_fn(|i| i as u8);
    PendingLogin::new(login, &entropy, NOW).expect("entropy")
}

fn code_of(error: &Error) -> String {
    let server = error.to_json();
    let said = Json::parse(server.as_bytes()).expect("JSON");
    let own = said.str("error").map(|own| format!(" {own}"));
    format!("{}{}", error.code.code(), own.unwrap_or_default())
}

/// What comes of an authorization response: the code is exchanged, or there is a token, or this error.
fn answered(issuer: &str, more: &str, response: &str) -> String {
    let pending = pending(issuer, more);
    let response = response.replace("STATE", pending.state().expose());
    let response = AuthorizationResponse::read(&format!("{APP}{response}")).expect("a response");
    match pending.accept(response, NOW, NOW) {
        Ok((_, Accepted::Exchange(request))) => {
            let body = request.body();
            let verified = body.contains("code_verifier=");
            assert!(verified && body.contains("grant_type=authorization_code"));
            "exchange".to_owned()
        }
        Ok((login, Accepted::Tokens(tokens))) => {
            Session::new(login, tokens, NOW, NOW).describe().to_owned()
        }
        Err(error) => code_of(&error),
    }
}

#[test]
fn authorization_responses() {
    let token = r#","responseType":"token","issRequired":true"#;
    for (about, issuer, more, response, outcome) in [
        (
            "oidc-provider: yes",
            OIDC,
            PROMISED,
            "?code=Vw5tQ2yXk8Ls1RbNfJhGcD7mPaEu3oTz4KqWm9BvYxC&state=STATE&iss=https%3A%2F%2Fas.example",
            "exchange",
        ),
        (
            "oidc-provider: no",
            OIDC,
            PROMISED,
            "?error=access_denied&error_description=End-User+aborted+interaction&state=STATE&iss=https%3A%2F%2Fas.example",
            "access_denied access_denied",
        ),
        (
            "oidc-provider: prompt=none, and nobody is logged in",
            OIDC,
            PROMISED,
            "?error=login_required&error_description=End-User+authentication+is+required&state=STATE&iss=https%3A%2F%2Fas.example",
            "login_required login_required",
        ),
        (
            "oidc-provider: no code_challenge",
            OIDC,
            PROMISED,
            "?error=invalid_request&error_description=Authorization+Server+policy+requires+PKCE+to+be+used+for+this+request&state=STATE&iss=https%3A%2F%2Fas.example",
            "authorization_error invalid_request",
        ),
        (
            "oidc-provider: the response type token, which it has not",
            OIDC,
            token,
            "#error=unsupported_response_type&error_description=unsupported+response_type+requested&state=STATE&iss=https%3A%2F%2Fas.example",
            "authorization_error unsupported_response_type",
        ),
        (
            "django: yes",
            DJANGO,
            PROMISED,
            "?code=JqTz4KWm8LsRdXb1NfYgHcv7PaEu3o&state=STATE&iss=https%3A%2F%2Fas.example%2Fo",
            "exchange",
        ),
        (
            "django: no, without the iss that its metadata promises (RFC 9207 section 2.4)",
            DJANGO,
            PROMISED,
            "?error=access_denied&state=STATE",
            "issuer_missing",
        ),
        (
            "django: no, where it promises none",
            DJANGO,
            "",
            "?error=access_denied&state=STATE",
            "access_denied access_denied",
        ),
        (
            "django: a scope that it has not",
            DJANGO,
            "",
            "?error=invalid_scope&state=STATE",
            "authorization_error invalid_scope",
        ),
        (
            "django: a token in the fragment, expires_in a string and iss beside it",
            DJANGO,
            token,
            "#access_token=Tz4KqWm8LsRdXb1NfYgHcJv7PaEu3o&expires_in=3600&token_type=Bearer&scope=read&state=STATE&iss=https%3A%2F%2Fas.example%2Fo",
            r#""scope":["read"],"expiresAt":4600000,"renewable":false"#,
        ),
        (
            "seen: iss in the query, the token in the fragment",
            DJANGO,
            token,
            "?iss=https%3A%2F%2Fas.example%2Fo#access_token=Tz4KqWm8LsRdXb1NfYgHcJv7PaEu3o&expires_in=3600&token_type=bearer&state=STATE",
            r#""expiresAt":4600000,"renewable":false"#,
        ),
        (
            "seen: an issuer that answers with a slash at its end",
            OIDC,
            PROMISED,
            "?code=Vw5tQ2yX&state=STATE&iss=https%3A%2F%2Fas.example%2F",
            "issuer_mismatch",
        ),
        (
            "seen: localhost, where 127.0.0.1 was asked",
            "http://127.0.0.1:8000",
            PROMISED,
            "?code=Vw5tQ2yX&state=STATE&iss=http%3A%2F%2Flocalhost%3A8000",
            "issuer_mismatch",
        ),
    ] {
        let came = answered(issuer, more, response);
        assert!(came.contains(outcome), "{about}: {came}");
        for secret in [DJANGO_TOKEN, "Vw5tQ2yX", "JqTz4KWm"] {
            assert!(!came.contains(secret), "{about}");
        }
    }
}

/// The request for the tokens of a code.
fn exchange() -> (Rc<Client>, TokenRequest) {
    let pending = pending(OIDC, PROMISED);
    let state = pending.state().expose().to_owned();
    let href = format!("{APP}?code=Vw5tQ2yX&state={state}&iss=https%3A%2F%2Fas.example");
    let response = AuthorizationResponse::read(&href).expect("a response");
    match pending.accept(response, NOW, NOW) {
        Ok((login, Accepted::Exchange(request))) => (login, request),
        _ => panic!("a code is exchanged"),
    }
}

/// A session whose refresh token is `first`.
fn session() -> Session {
    let (login, request) = exchange();
    let body = format!(
        r#"{{"access_token":"{OIDC_TOKEN}","expires_in":3600,"refresh_token":"first","scope":"openid profile","token_type":"Bearer"}}"#
    );
    let tokens = request.read(http(200, JSON, &body), NOW);
    Session::new(login, tokens.expect("tokens"), NOW, NOW)
}

fn http(status: u16, content_type: &str, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        content_type: content_type.to_owned(),
        retry_after: None,
        body: body.as_bytes().to_vec().into(),
    }
}

const HTML: &str = "text/html; charset=utf-8";
const UTF8: &str = "application/json; charset=utf-8";

#[test]
fn answers_to_a_code() {
    for (about, status, content_type, body, outcome) in [
        (
            "oidc-provider",
            200,
            UTF8,
            r#"{"access_token":"kR7wmD0tYbVq3Zs-8XoLhC1nTfGa_E5jPuI2yUvQe9B","expires_in":3600,"id_token":"e30.e30.c2ln","refresh_token":"O8EbBOaA5LF4g9kDNPWYr9dYJqQxBKV5GQWeAAHgcUi","scope":"openid profile","token_type":"Bearer"}"#,
            r#""scope":["openid","profile"],"expiresAt":4600000,"renewable":true"#,
        ),
        (
            "django",
            200,
            JSON,
            r#"{"access_token": "Tz4KqWm8LsRdXb1NfYgHcJv7PaEu3o", "expires_in": 3600, "token_type": "Bearer", "scope": "openid profile", "refresh_token": "kxVzgwh0lvpNWuTaiAKhrFsJeWZxUp", "id_token": "e30.e30.c2ln"}"#,
            r#""scope":["openid","profile"],"expiresAt":4600000,"renewable":true"#,
        ),
        (
            "oidc-provider: a wrong verifier, or a code that was used",
            400,
            UTF8,
            r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#,
            "token_request_refused invalid_grant",
        ),
        (
            "django: the same",
            400,
            JSON,
            r#"{"error": "invalid_grant"}"#,
            "token_request_refused invalid_grant",
        ),
        (
            "oidc-provider: a client that it does not know",
            401,
            UTF8,
            r#"{"error":"invalid_client","error_description":"client authentication failed"}"#,
            "token_request_refused invalid_client",
        ),
        (
            "django: the same",
            401,
            JSON,
            r#"{"error": "invalid_client"}"#,
            "token_request_refused invalid_client",
        ),
        (
            "oidc-provider: an address that is none of its own",
            404,
            "text/plain; charset=utf-8",
            "Not Found",
            "invalid_token_response",
        ),
        (
            "django: an error page",
            500,
            HTML,
            "<!doctype html><title>Server Error (500)</title>",
            "server_error",
        ),
        (
            "seen: bearer in small letters, an empty scope, expires_in as text, a member of its own",
            200,
            JSON,
            r#"{"access_token":"Tz4KqWm8LsRdXb1NfYgHcJv7PaEu3o","token_type":"bearer","expires_in":"3600","scope":"","tenant":"t1"}"#,
            r#""scope":["profile"],"expiresAt":4600000,"renewable":false,"state":"active","extra":{"tenant":"t1"}"#,
        ),
        ("seen: an empty 400", 400, "", "", "invalid_token_response"),
        (
            "seen: an error code that nobody registered, with 401",
            401,
            JSON,
            r#"{"error":"bad_verification_code"}"#,
            "token_request_refused bad_verification_code",
        ),
    ] {
        let (login, request) = exchange();
        let came = match request.read(http(status, content_type, body), NOW) {
            Ok(tokens) => Session::new(login, tokens, NOW, NOW).describe().to_owned(),
            Err(error) => code_of(&error),
        };
        assert!(came.contains(outcome), "{about}: {came}");
        for secret in [OIDC_TOKEN, DJANGO_TOKEN, "O8EbBOaA5LF4", "kxVzgwh0", "e30."] {
            assert!(!came.contains(secret), "{about}");
        }
    }
}

#[test]
fn answers_to_a_refresh_token() {
    for (about, status, content_type, body, outcome, next) in [
        (
            "oidc-provider: rotated",
            200,
            UTF8,
            r#"{"access_token":"new","expires_in":3600,"id_token":"e30.e30.c2ln","refresh_token":"second","scope":"openid profile","token_type":"Bearer"}"#,
            "renewed",
            Some("second"),
        ),
        (
            "django: rotated",
            200,
            JSON,
            r#"{"access_token": "new", "expires_in": 3600, "token_type": "Bearer", "scope": "openid profile", "refresh_token": "second", "id_token": "e30.e30.c2ln"}"#,
            "renewed",
            Some("second"),
        ),
        (
            "oidc-provider: rotateRefreshToken false, the same again",
            200,
            UTF8,
            r#"{"access_token":"new","expires_in":3600,"refresh_token":"first","scope":"openid profile","token_type":"Bearer"}"#,
            "renewed",
            Some("first"),
        ),
        (
            "seen: none comes, and the old one is kept",
            200,
            JSON,
            r#"{"access_token":"new","token_type":"bearer","expires_in":3600,"scope":""}"#,
            "renewed",
            Some("first"),
        ),
        (
            "oidc-provider: used before, and its new one with it",
            400,
            UTF8,
            r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#,
            "session_ended invalid_grant",
            None,
        ),
        (
            "django: the same",
            400,
            JSON,
            r#"{"error": "invalid_grant"}"#,
            "session_ended invalid_grant",
            None,
        ),
        (
            "seen: the same, written 401",
            401,
            JSON,
            r#"{"error":"invalid_grant"}"#,
            "session_ended invalid_grant",
            None,
        ),
        (
            "django: an error page, which spends nothing that we know of",
            500,
            HTML,
            "<!doctype html><title>Server Error (500)</title>",
            "server_error",
            Some("first"),
        ),
    ] {
        let mut sessions = Sessions::new();
        let id = sessions.add(session());
        let request = sessions.get(id).expect("a session").renewal();
        let request = request.expect("a renewal");
        assert!(request.body().contains("refresh_token=first"), "{about}");
        let outcome_of = request.read(http(status, content_type, body), NOW);
        let came = match sessions.renewed(id, outcome_of, NOW, NOW, 0) {
            Ok(()) => "renewed".to_owned(),
            Err(error) => code_of(&error),
        };
        assert_eq!(came, outcome, "{about}");
        let renewal = sessions.get(id).and_then(|session| session.renewal().ok());
        let spends = renewal.map(|request| request.body().to_string());
        let wanted = next.map(|token| format!("refresh_token={token}"));
        match (&spends, &wanted) {
            (Some(spends), Some(wanted)) => assert!(spends.contains(wanted), "{about}"),
            other => assert_eq!(other, (&None, &None), "{about}"),
        }
    }
}

#[test]
fn refusals_by_userinfo() {
    for (about, status, challenge, renews) in [
        (
            "oidc-provider: a token that has ended",
            401,
            r#"Bearer realm="https://as.example", error="invalid_token", error_description="invalid token provided""#,
            true,
        ),
        (
            "oidc-provider: no token, two schemes in one header",
            401,
            r#"Bearer realm="https://as.example", DPoP realm="https://as.example", algs="ES256 Ed25519 EdDSA""#,
            true,
        ),
        (
            "django: a token that has ended, and a description with commas",
            401,
            r#"Bearer error="invalid_token", error_description="The access token provided is expired, revoked, malformed, or invalid for other reasons.""#,
            true,
        ),
        ("seen: no header that a page may read", 401, "", true),
        ("seen: 403 without a word", 403, "", false),
    ] {
        let session = session();
        let next = session.after_refusal(status, &session.token(), challenge, NOW + 10);
        assert_eq!(next == AfterRefusal::Renew, renews, "{about}: {next:?}");
    }
}

#[test]
fn answers_to_a_revocation() {
    for (about, status, body, outcome) in [
        ("oidc-provider: an empty 200, text/plain", 200, "", None),
        ("django: an empty 200, text/html", 200, "", None),
        (
            "oidc-provider: no client said",
            400,
            r#"{"error":"invalid_request","error_description":"no client authentication mechanism provided"}"#,
            Some("invalid_request"),
        ),
        (
            "django: public clients refused",
            401,
            r#"{"error": "invalid_client"}"#,
            Some("invalid_client"),
        ),
    ] {
        let came = session().revoked(status, body.as_bytes());
        let came = came.err().map(|error| code_of(&error));
        match (came, outcome) {
            (Some(came), Some(outcome)) => assert!(came.ends_with(outcome), "{about}: {came}"),
            (came, outcome) => assert_eq!(came.as_deref(), outcome, "{about}"),
        }
    }
}

/// `openid-configuration` of oidc-provider; its RFC 8414 document is the same.
const OIDC_METADATA: &str = r#"{"authorization_endpoint":"https://as.example/auth","claims_parameter_supported":false,"claims_supported":["sub","name","email","email_verified","sid","auth_time","iss"],"code_challenge_methods_supported":["S256"],"end_session_endpoint":"https://as.example/session/end","grant_types_supported":["authorization_code","implicit","refresh_token"],"issuer":"https://as.example","jwks_uri":"https://as.example/jwks","authorization_response_iss_parameter_supported":true,"response_modes_supported":["form_post","fragment","query"],"response_types_supported":["code","id_token","id_token token","code token","code id_token","code id_token token"],"scopes_supported":["openid","offline_access","profile","email","read","write"],"subject_types_supported":["public"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_jwt","client_secret_post","private_key_jwt","none"],"token_endpoint":"https://as.example/token","id_token_signing_alg_values_supported":["RS256","ES256","EdDSA"],"pushed_authorization_request_endpoint":"https://as.example/request","request_uri_parameter_supported":false,"userinfo_endpoint":"https://as.example/me","introspection_endpoint":"https://as.example/token/introspection","dpop_signing_alg_values_supported":["ES256","Ed25519","EdDSA"],"revocation_endpoint":"https://as.example/token/revocation","authorization_details_types_supported":["payment"],"claim_types_supported":["normal"]}"#;

/// `openid-configuration` of django-oauth-toolkit.
const DJANGO_OPENID: &str = r#"{"issuer": "https://as.example/o", "authorization_endpoint": "https://as.example/o/authorize/", "token_endpoint": "https://as.example/o/token/", "userinfo_endpoint": "https://as.example/o/userinfo/", "jwks_uri": "https://as.example/o/.well-known/jwks.json", "scopes_supported": ["openid", "profile", "email", "read", "write"], "response_types_supported": ["code", "token", "id_token", "id_token token", "code token", "code id_token", "code id_token token"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256", "HS256"], "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "code_challenge_methods_supported": ["S256"], "claims_supported": ["sub"], "prompt_values_supported": ["none", "login"], "client_id_metadata_document_supported": false, "authorization_response_iss_parameter_supported": true, "end_session_endpoint": "https://as.example/o/logout/"}"#;

/// `oauth-authorization-server` of the same.
const DJANGO_OAUTH: &str = r#"{"issuer": "https://as.example/o", "response_types_supported": ["code", "token"], "grant_types_supported": ["authorization_code", "implicit", "password", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"], "scopes_supported": ["email", "openid", "profile", "read", "write"], "client_id_metadata_document_supported": false, "authorization_response_iss_parameter_supported": true, "authorization_endpoint": "https://as.example/o/authorize/", "token_endpoint": "https://as.example/o/token/", "revocation_endpoint": "https://as.example/o/revoke_token/", "introspection_endpoint": "https://as.example/o/introspect/", "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "revocation_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "introspection_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "jwks_uri": "https://as.example/o/.well-known/jwks.json"}"#;

#[test]
fn metadata_documents() {
    let said = |issuer: &str, status: u16, body: &str, field: &str| {
        let fields = metadata::read(issuer, status, body.as_bytes(), true)?;
        let fields = fields.unwrap_or_else(|error| panic!("{}", error.detail));
        Some(fields.str(field).unwrap_or("nothing").to_owned())
    };
    for (about, issuer, body, revocation, end_session) in [
        (
            "oidc-provider",
            OIDC,
            OIDC_METADATA,
            "https://as.example/token/revocation",
            "https://as.example/session/end",
        ),
        (
            "django: no revocation in the one",
            DJANGO,
            DJANGO_OPENID,
            "nothing",
            "https://as.example/o/logout/",
        ),
        (
            "django: no logout in the other",
            DJANGO,
            DJANGO_OAUTH,
            "https://as.example/o/revoke_token/",
            "nothing",
        ),
    ] {
        for (field, value) in [
            ("revocationEndpoint", revocation),
            ("endSessionEndpoint", end_session),
        ] {
            assert_eq!(
                said(issuer, 200, body, field).as_deref(),
                Some(value),
                "{about}"
            );
        }
        let fields = metadata::read(issuer, 200, body.as_bytes(), true).expect("metadata");
        let fields = fields.expect("valid").text();
        assert!(
            fields.contains(r#""issRequired":true"#),
            "{about}: {fields}"
        );
        // Asked under another name: the server's word about somebody else.
        let other = metadata::read("https://as.example/p", 200, body.as_bytes(), true);
        let error = other.expect("metadata").expect_err("another issuer");
        assert_eq!(error.code.code(), "invalid_metadata", "{about}");
    }
    // Not found: the next place is asked.
    for (status, body) in [
        (404, "Not Found"),
        (404, "<!doctype html>\n<title>Not Found</title>"),
        (200, "<!doctype html>\n<title>Welcome</title>"),
    ] {
        assert_eq!(said(OIDC, status, body, "tokenEndpoint"), None, "{status}");
    }
}

/// What comes of an answer that was recorded.
fn comes_of(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let status = row["status"].as_u64().expect("a status") as u16;
    let body = text("body");
    let asked = text("asked");
    let subject = asked.split([':', ' ']).next().expect("a word");
    let tokens = |read: Result<Tokens, Error>| match read {
        Err(error) => code_of(&error),
        Ok(tokens) => format!(
            "tokens for {:?} s, scope {:?}, renewable {}, extra {}",
            tokens.expires_at().map(|end| end - NOW),
            tokens.scope().join(" "),
            tokens.is_renewable(),
            tokens.extra().text()
        ),
    };
    match subject {
        "code" => tokens(exchange().1.read(http(status, text("type"), body), NOW)),
        "renewal" => {
            let renewal = session().renewal().expect("a renewal");
            tokens(renewal.read(http(status, text("type"), body), NOW))
        }
        "call" => {
            let session = session();
            let challenge = text("challenge");
            let next = session.after_refusal(status, &session.token(), challenge, NOW + 10);
            if next == AfterRefusal::Renew {
                "renewed".to_owned()
            } else {
                "not renewed".to_owned()
            }
        }
        "revocation" => match session().revoked(status, body.as_bytes()) {
            Ok(()) => "revoked".to_owned(),
            Err(error) => code_of(&error),
        },
        "metadata" => match metadata::read(text("issuer"), status, body.as_bytes(), true) {
            None => "none there".to_owned(),
            Some(fields) => fields.map_or_else(|error| code_of(&error), |fields| fields.text()),
        },
        other => panic!("nothing is asked by {other}"),
    }
}

#[test]
fn what_seven_more_servers_said_becomes_what_it_means() {
    let mut wrong = String::new();
    let mut servers = BTreeSet::new();
    for line in include_str!("wire.jsonl").lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let (server, asked) = (&row["server"], &row["asked"]);
        servers.insert(server.to_string());
        let came = comes_of(&row);
        if row["becomes"] != came.as_str() {
            wrong += &format!("{}\n", json!([server, asked, came]));
        }
        assert!(!came.contains("c4n4ry"), "{server}, {asked}: {came}");
    }
    assert_eq!(wrong, "");
    assert_eq!(servers.len(), 7);
}
