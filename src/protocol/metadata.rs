//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0): the endpoints of an issuer, asked for.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode};
use super::json::{Json, Object, decimal};
use super::text;
use super::url::Url;

/// What a login needs of the metadata, by the names of both.
const MEMBERS: &[(&str, &str)] = &[
    ("authorizationEndpoint", "authorization_endpoint"),
    ("tokenEndpoint", "token_endpoint"),
    ("revocationEndpoint", "revocation_endpoint"),
    ("endSessionEndpoint", "end_session_endpoint"),
    (
        "issRequired",
        "authorization_response_iss_parameter_supported",
    ),
    ("jwksUri", "jwks_uri"),
    ("userinfoEndpoint", "userinfo_endpoint"),
    (
        "pushedAuthorizationRequestEndpoint",
        "pushed_authorization_request_endpoint",
    ),
    // What must be is done, and what may be is done where the caller says so.
    (
        "pushedAuthorizationRequest",
        "require_pushed_authorization_requests",
    ),
    (RESPONSE_TYPES, RESPONSE_TYPES),
    (GRANT_TYPES, GRANT_TYPES),
    (ID_TOKEN_ALGORITHMS, ID_TOKEN_ALGORITHMS),
];

/// What the server can do: no field of a configuration, which takes them out.
pub const RESPONSE_TYPES: &str = "response_types_supported";
pub const GRANT_TYPES: &str = "grant_types_supported";
pub const ID_TOKEN_ALGORITHMS: &str = "id_token_signing_alg_values_supported";

/// Where the metadata may be, in the order to ask: before the issuer's path (RFC 8414 section 3.1), under the name of
/// OAuth and under that of OpenID Connect (section 5), and behind it (OpenID Connect Discovery section 4). Servers have
/// one or more of them; where there is no path, or `openid` is asked for, the last is the likeliest. The issuer is a
/// checked URL.
pub fn documents(issuer: &str, openid: bool) -> Vec<String> {
    let path = Url::split(issuer).map_or("", |url| url.path);
    let path = path.strip_suffix("/").unwrap_or(path);
    let origin = Url::split(issuer).map_or("", |url| url.origin);
    let (known, named) = (
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    );
    let oauth = text::concat(&[origin, named, path]);
    let before = text::concat(&[origin, known, path]);
    let behind = text::concat(&[origin, path, known]);
    match (path.is_empty(), openid) {
        (true, _) => vec![behind, oauth],
        (false, true) => vec![behind, before, oauth],
        (false, false) => vec![oauth, before, behind],
    }
}

/// What it means where no place has metadata and the last one, `url`, answered so.
pub fn failure(url: &str, status: u16) -> Error {
    let server = Url::split(url).map_or("", |url| url.origin);
    let rule = match status {
        429 | 420 => return ErrorCode::RateLimited.at(server),
        500.. => return ErrorCode::ServerError.at(server),
        404 | 410 => " has none (",
        _ => " answered something else (",
    };
    let status = decimal(status.into());
    ErrorCode::InvalidMetadata.at(&text::concat(&[server, rule, &status, ")"]))
}

/// Reads a document into fields of a configuration. `None`: it is not metadata at all, and the next place may have it.
/// `s256` says that the login will use S256: where the server lists its methods, that must be one of them.
pub fn read(issuer: &str, status: u16, body: &[u8], s256: bool) -> Option<Result<Json, Error>> {
    let mut metadata = Json::parse(body).filter(|_| status == 200)?;
    let said = metadata.str("issuer")?;
    let invalid = |rule| Some(Err(ErrorCode::InvalidMetadata.at(rule)));
    // RFC 8414 section 3.3: identical, or the metadata must not be used.
    if said != issuer {
        return invalid("issuer: is not the one that was asked");
    }
    if let Some(methods) = metadata.get("code_challenge_methods_supported")
        && s256
        && !methods.texts().iter().any(|method| method == "S256")
    {
        return invalid("code_challenge_methods_supported: lacks S256");
    }
    if metadata.str("authorization_endpoint").is_none() {
        return invalid("authorization_endpoint: is missing");
    }
    let mut fields = Object::new();
    for (field, member) in MEMBERS {
        if let Some(value) = metadata.take(member) {
            fields.value(field, value);
        }
    }
    Some(Ok(fields.done()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    /// RFC 8414 section 3.1 and section 5, and what a client of a Model Context Protocol server has to try.
    #[test]
    fn the_well_known_paths_stand_before_and_behind_the_issuers_own() {
        for (issuer, path) in [
            ("https://as.example/t/1", "/t/1"),
            ("https://as.example/t/", "/t"),
        ] {
            let oauth = format!("https://as.example/.well-known/oauth-authorization-server{path}");
            let openid = format!("https://as.example/.well-known/openid-configuration{path}");
            let behind = format!("https://as.example{path}/.well-known/openid-configuration");
            assert_eq!(documents(issuer, false), [&*oauth, &openid, &behind]);
            assert_eq!(documents(issuer, true), [behind, openid, oauth]);
        }
        for issuer in ["https://as.example", "https://as.example/"] {
            let oauth = "https://as.example/.well-known/oauth-authorization-server";
            let openid = "https://as.example/.well-known/openid-configuration";
            assert_eq!(documents(issuer, false), [openid, oauth]);
            assert_eq!(documents(issuer, true), [openid, oauth]);
        }
    }

    fn outcome(
        issuer: &str,
        status: u16,
        body: &str,
        s256: bool,
    ) -> Option<Result<String, String>> {
        let read = read(issuer, status, body.as_bytes(), s256)?;
        Some(
            read.map(|json| json.text())
                .map_err(|error| error.detail.to_string()),
        )
    }

    /// The example of RFC 8414 section 3.2, shortened.
    #[test]
    fn rfc8414_section_3_2() {
        let body = r#"{"issuer":"https://server.example.com","authorization_endpoint":"https://server.example.com/authorize",
            "token_endpoint":"https://server.example.com/token","jwks_uri":"https://server.example.com/jwks.json",
            "code_challenge_methods_supported":["plain","S256"],"authorization_response_iss_parameter_supported":true}"#;
        let fields = outcome("https://server.example.com", 200, body, true);
        assert_eq!(
            fields.expect("metadata").expect("valid"),
            r#"{"authorizationEndpoint":"https://server.example.com/authorize","tokenEndpoint":"https://server.example.com/token","issRequired":true,"jwksUri":"https://server.example.com/jwks.json"}"#
        );
    }

    #[test]
    fn metadata_of_another_issuer_or_without_s256_is_refused() {
        let body = r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","code_challenge_methods_supported":["plain"]}"#;
        for (issuer, s256, rule) in [
            ("https://as.example/", false, "issuer"),
            ("https://evil.example", false, "issuer"),
            ("https://AS.example", false, "issuer"),
            (
                "https://as.example",
                true,
                "code_challenge_methods_supported",
            ),
        ] {
            let refusal = outcome(issuer, 200, body, s256).expect("metadata");
            assert!(refusal.expect_err(issuer).starts_with(rule), "{issuer}");
        }
        assert!(
            outcome("https://as.example", 200, body, false)
                .expect("metadata")
                .is_ok()
        );
        let bare = r#"{"issuer":"https://as.example"}"#;
        let refusal = outcome("https://as.example", 200, bare, true).expect("metadata");
        assert_eq!(
            refusal.expect_err("no endpoint"),
            "authorization_endpoint: is missing"
        );
    }

    #[test]
    fn a_server_that_fails_or_slows_down_is_not_one_without_metadata() {
        for (status, code) in [
            (429, ErrorCode::RateLimited),
            (420, ErrorCode::RateLimited),
            (500, ErrorCode::ServerError),
            (503, ErrorCode::ServerError),
            (404, ErrorCode::InvalidMetadata),
            (200, ErrorCode::InvalidMetadata),
        ] {
            let error = failure("https://as.example/.well-known/x?y", status);
            assert_eq!(error.code, code, "{status}");
            assert!(error.detail.starts_with("https://as.example"), "{error}");
            assert!(!error.detail.contains("known"), "{error}");
        }
    }

    #[test]
    fn the_status_that_came_is_the_one_that_is_told() {
        for (status, words) in [
            (404, "https://as.example has none (404)"),
            (410, "https://as.example has none (410)"),
            (200, "https://as.example answered something else (200)"),
            (401, "https://as.example answered something else (401)"),
        ] {
            let error = failure("https://as.example/.well-known/x", status);
            assert_eq!(error.detail, words);
        }
    }

    #[test]
    fn what_is_no_metadata_sends_us_to_the_next_place() {
        let good =
            r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a"}"#;
        for (status, body) in [
            (404, good),
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"issuer":1}"#),
            (200, "[]"),
            (500, ""),
        ] {
            assert_eq!(
                outcome("https://as.example", status, body, true),
                None,
                "{status} {body}"
            );
        }
    }
}
