//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0): the endpoints of an issuer, asked for.

use alloc::string::String;

use super::error::{Error, ErrorCode};
use super::json::{Json, Object};
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
    #[cfg(feature = "full")]
    ("jwksUri", "jwks_uri"),
    #[cfg(feature = "full")]
    ("userinfoEndpoint", "userinfo_endpoint"),
    #[cfg(feature = "full")]
    (
        "pushedAuthorizationRequestEndpoint",
        "pushed_authorization_request_endpoint",
    ),
    // What must be is done, and what may be is done where the caller says so.
    #[cfg(feature = "full")]
    (
        "pushedAuthorizationRequest",
        "require_pushed_authorization_requests",
    ),
];

/// Where the metadata may be, in the order to ask: behind the issuer's path (OpenID Connect Discovery section 4), and
/// before it (RFC 8414 section 3.1). Servers have the one, the other or both. The issuer is a checked URL.
pub fn documents(issuer: &str) -> [String; 2] {
    let path = Url::split(issuer).map_or("", |url| url.path);
    let path = path.strip_suffix("/").unwrap_or(path);
    let origin = Url::split(issuer).map_or("", |url| url.origin);
    [
        text::concat(&[origin, path, "/.well-known/openid-configuration"]),
        text::concat(&[origin, "/.well-known/oauth-authorization-server", path]),
    ]
}

/// What it means where no place has metadata and the last one answered so.
pub fn failure(status: u16) -> Error {
    match status {
        429 | 420 => ErrorCode::RateLimited,
        500.. => ErrorCode::ServerError,
        _ => ErrorCode::InvalidMetadata,
    }
    .error()
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

    #[test]
    fn the_well_known_paths_stand_before_and_behind_the_issuers_own() {
        for (issuer, openid, oauth) in [
            ("https://as.example", "", ""),
            ("https://as.example/", "", ""),
            ("https://as.example/t/1", "/t/1", "/t/1"),
            ("https://as.example/t/", "/t", "/t"),
        ] {
            assert_eq!(
                documents(issuer),
                [
                    format!("https://as.example{openid}/.well-known/openid-configuration"),
                    format!("https://as.example/.well-known/oauth-authorization-server{oauth}"),
                ]
            );
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
            assert_eq!(failure(status).code, code, "{status}");
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
