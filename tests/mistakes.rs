//! Typical mistakes of who adopts the library: the sentence that each gets says what is wrong and what to do.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, Entropy, PendingLogin};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::{Error, ErrorCode};
use oauth_wasm::protocol::resource::{PrivateRequest, undeclared};
use oauth_wasm::protocol::session::Sessions;
use oauth_wasm::protocol::token::{HttpResponse, TokenRequest, Tokens};
use oauth_wasm::protocol::{metadata, provider};

const HERE: &str = "http://localhost:5173";

/// What `startLogin` makes of a configuration, as far as it goes without a network.
fn start(config: &str) -> Result<PendingLogin, Error> {
    let config = Config::parse(config)?;
    let found = provider::find(config.provider());
    let login = config.complete(found)?.resolve(HERE)?;
    login.check_page(HERE, false)?;
    let entropy: Entropy = core::array::from_fn(|i| i as u8);
    PendingLogin::new(login, &entropy, 1_000)
}

/// A configuration that works, with more fields; one that is said twice counts as said last.
fn config(more: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("authorizationEndpoint", r#""https://login.example/a""#),
        ("tokenEndpoint", r#""https://login.example/t""#),
        ("resourceServers", r#"["https://api.example"]"#),
        ("clientId", r#""my-app""#),
        ("redirectUri", r#""http://localhost:5173/""#),
    ];
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    let members: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn exchange(code: &str) -> TokenRequest {
    let pending = start(&config(&[])).expect("a login");
    let state = pending.state().expose().to_owned();
    let address = format!("{HERE}/?code={code}&state={state}");
    let response = AuthorizationResponse::read(&address).expect("a response");
    match pending.accept(response, 1_000, 0) {
        Ok((_, Accepted::Exchange(request))) => request,
        _ => panic!("a code is exchanged"),
    }
}

fn answered(status: u16, content_type: &str, body: &str) -> Result<Tokens, Error> {
    let response = HttpResponse {
        status,
        content_type: content_type.into(),
        retry_after: None,
        body: body.as_bytes().to_vec().into(),
    };
    exchange("the-code").read(response, 0)
}

#[test]
fn a_mistake_in_the_configuration_is_named_at_start_login_with_what_was_meant() {
    assert!(start(&config(&[])).is_ok());
    let mercadolibre = |more: &str| {
        format!(r#"{{"provider":"mercadolibre","clientId":"1","redirectUri":"{HERE}/"{more}}}"#)
    };
    for (said, want) in [
        (
            String::new(),
            "invalid_config: the configuration is not valid: there is none",
        ),
        (
            config(&[("scopes", r#"["read"]"#)]),
            "invalid_config: the configuration is not valid: scopes: did you mean scope,",
        ),
        (
            config(&[("scopes", r#""read write""#)]),
            "invalid_config: the configuration is not valid: scopes: did you mean scope,",
        ),
        (
            config(&[("client_id", r#""1""#)]),
            "invalid_config: the configuration is not valid: client_id: there is no such field; the nearest is clientId",
        ),
        (
            config(&[("clientSecret", r#""hush""#)]),
            "client_secret_refused: a page cannot keep a client secret: clientSecret",
        ),
        (
            mercadolibre(""),
            "unknown_site: the provider has no such site: site is missing, one of MLA MLB",
        ),
        (
            mercadolibre(r#","site":"MLX""#),
            "unknown_site: the provider has no such site: MLX is none of MLA MLB",
        ),
        (
            config(&[("provider", r#""mercadolibr""#)]),
            "unknown_provider: there is no such provider: mercadolibr; the nearest is mercadolibre",
        ),
        (
            config(&[("authorizationEndpoint", "")]),
            "invalid_config: the configuration is not valid: authorizationEndpoint: is missing",
        ),
        (
            config(&[("redirectUri", r#""http://192.168.0.7:5173/""#)]),
            "invalid_config: the configuration is not valid: redirectUri: must be https, or http on localhost; allowHttp: true allows",
        ),
        (
            config(&[("redirectUri", r#""/callback""#)]),
            "invalid_config: the configuration is not valid: redirectUri: must be an https URL, or one of the app's own scheme",
        ),
        (
            config(&[("tokenEndpoint", r#""/oauth/token""#)]),
            "invalid_config: the configuration is not valid: tokenEndpoint: must be an https URL without a user name",
        ),
        (
            config(&[("redirectUri", r#""http://127.0.0.1:5173/""#)]),
            "invalid_config: the configuration is not valid: redirectUri: is of another origin than this page, which would never see the response (localhost and 127.0.0.1 are two)",
        ),
        (
            config(&[("resourceServers", "")]),
            "invalid_config: the configuration is not valid: resourceServers: is missing",
        ),
    ] {
        let error = start(&said).map(drop).expect_err(want);
        let sentence = error.to_string();
        assert!(sentence.starts_with(want), "{want}\n{sentence}");
        assert!(!sentence.contains("hush"), "{sentence}");
    }
}

#[test]
fn a_call_to_another_host_says_which_and_what_is_declared() {
    let sessions = Sessions::new();
    let error = sessions.find("https://api.example/me?q=1").map(drop);
    let error = error.expect_err("nobody is logged in");
    assert_eq!(
        error.to_string(),
        "login_required: nobody is logged in: https://api.example"
    );
    let declared = ["https://api.example".to_owned()];
    for (url, want) in [
        (
            "https://evil.example/x?token=1",
            "https://evil.example is none of https://api.example",
        ),
        // `/me`, as the browser understands it.
        (
            "http://localhost:5173/me",
            "http://localhost:5173 is none of https://api.example",
        ),
    ] {
        let error = undeclared(url, declared.iter());
        assert_eq!(error.code, ErrorCode::UndeclaredResourceServer);
        assert_eq!(error.detail, want);
    }
    let own = r#"{"url":"https://api.example/","method":"GET","mode":"cors","authorization":true,"stream":false,"options":{}}"#;
    let error = PrivateRequest::read(own).map(drop).expect_err("a header");
    assert_eq!(
        error.to_string(),
        "invalid_request: the request cannot carry a token: Authorization: the header is the library's own to set"
    );
}

#[test]
fn a_token_endpoint_that_refuses_is_quoted_without_what_was_sent() {
    let json = "application/json";
    let secret = "Check clientId; if the provider demands a client secret, point tokenEndpoint at your own backend";
    for (status, kind, body, want, remedy) in [
        (
            401,
            json,
            r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#,
            "token_request_refused: the provider refused the token request: invalid_client: Client authentication failed",
            secret,
        ),
        (
            400,
            json,
            r#"{"error":"invalid_grant"}"#,
            "token_request_refused: the provider refused the token request: invalid_grant",
            "See error and errorDescription",
        ),
        // What it echoes is cut out, and what is no line of text is left out.
        (
            400,
            json,
            r#"{"error":"the-code","error_description":"the-code is spent"}"#,
            "token_request_refused: the provider refused the token request: (..): (..) is spent",
            "See error",
        ),
        (
            400,
            json,
            r#"{"error":"invalid_grant","error_description":"a\nlog: forged"}"#,
            "token_request_refused: the provider refused the token request: invalid_grant",
            "See error",
        ),
        (
            400,
            json,
            r#"{"error":"invalid_grant","error_description":"<img onerror=x>"}"#,
            "token_request_refused: the provider refused the token request: invalid_grant",
            "See error",
        ),
        (
            400,
            "text/plain",
            "no",
            "token_request_refused: the provider refused the token request: no",
            "See error",
        ),
        (
            404,
            "text/plain",
            "no",
            "invalid_token_response: the token response is not valid: the server has no token endpoint there (404)",
            "Check tokenEndpoint",
        ),
        (
            200,
            "text/html",
            "<!doctype html>",
            "invalid_token_response: the token response is not valid: an HTML page instead of JSON",
            "Check tokenEndpoint",
        ),
    ] {
        let error = answered(status, kind, body).map(drop).expect_err(want);
        assert_eq!(error.to_string(), want);
        assert!(
            error.remedy().starts_with(remedy),
            "{want}: {}",
            error.remedy()
        );
    }
    let long = format!(
        r#"{{"error":"e","error_description":"{}"}}"#,
        "x".repeat(9_000)
    );
    let error = answered(400, json, &long).map(drop).expect_err("refused");
    assert!(error.message().len() < 300, "a log is not filled");
}

#[test]
fn an_issuer_without_metadata_is_named() {
    let error = metadata::failure(
        "https://login.example/.well-known/openid-configuration",
        404,
    );
    assert_eq!(
        error.to_string(),
        "invalid_metadata: the server's metadata is not usable: https://login.example has none (404)"
    );
    assert_eq!(error.remedy(), "Check issuer, or give the endpoints");
}

#[test]
fn no_remedy_leads_to_what_fails_alike() {
    for code in ErrorCode::ALL {
        let remedy = code.remedy();
        assert!(!remedy.contains("inline"), "{}: {remedy}", code.code());
        assert!(
            !remedy.contains("oauth-wasm/full"),
            "{}: {remedy}",
            code.code()
        );
    }
}
