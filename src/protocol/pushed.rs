//! Pushed authorization requests (RFC 9126): what the authorization endpoint would get in its URL is posted before, and
//! the URL has a reference to it.

use alloc::string::String;

use super::error::{Error, ErrorCode};
use super::json::Json;
use super::{refusal, text};

/// Reads the answer (sections 2.2 and 2.3): the `request_uri`, for one use.
pub fn read(status: u16, body: &[u8]) -> Result<String, Error> {
    let members = Json::parse(body);
    let invalid = |rule| Err(ErrorCode::InvalidPushedResponse.at(rule));
    if matches!(status, 200 | 201) {
        return match members
            .as_ref()
            .and_then(|members| members.str("request_uri"))
        {
            None => invalid("request_uri: is missing (RFC 9126 section 2.2)"),
            // It goes into the address of a page.
            Some(uri) if uri.is_empty() || uri.len() > 4096 || !text::is_graphic(uri, b"") => {
                invalid("request_uri: is no URI (RFC 9126 section 2.2)")
            }
            Some(uri) => Ok(String::from(uri)),
        };
    }
    let server = refusal::said(status, body, members.as_ref(), &[]);
    let code = match status {
        429 | 420 => ErrorCode::RateLimited,
        500.. => ErrorCode::ServerError,
        _ if server.error.is_some() => ErrorCode::PushedRequestRefused,
        _ => {
            let rule = "it is neither a request_uri nor an error (RFC 9126 section 2.3)";
            return Err(ErrorCode::InvalidPushedResponse.at(rule).with(server));
        }
    };
    Err(code.error().with(server))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// The example of RFC 9126 section 2.2.
    #[test]
    fn rfc9126_section_2_2() {
        let body = br#"{ "request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c", "expires_in": 60 }"#;
        assert_eq!(
            read(201, body),
            Ok("urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c".to_string())
        );
    }

    /// The example of RFC 9126 section 2.3, and what else may come.
    #[test]
    fn a_refusal_names_what_the_server_said() {
        let said = br#"{ "error": "invalid_request", "error_description": "The redirect_uri is not valid for the given client" }"#;
        let error = read(400, said).expect_err("refused");
        assert_eq!(error.code, ErrorCode::PushedRequestRefused);
        let server = error.server.as_ref().expect("its words");
        assert_eq!(server.error.as_deref(), Some("invalid_request"));
        let error = read(404, b"<html>").expect_err("no such place");
        let server = error.server.as_ref().expect("its status");
        assert_eq!(server.status, Some(404));
        for (status, body, code) in [
            (201, "{}", ErrorCode::InvalidPushedResponse),
            (201, "<html>", ErrorCode::InvalidPushedResponse),
            (
                201,
                r#"{"request_uri":""}"#,
                ErrorCode::InvalidPushedResponse,
            ),
            (
                201,
                r#"{"request_uri":"urn:a b"}"#,
                ErrorCode::InvalidPushedResponse,
            ),
            (
                201,
                r#"{"request_uri":["urn:a"]}"#,
                ErrorCode::InvalidPushedResponse,
            ),
            (404, "<html>", ErrorCode::InvalidPushedResponse),
            (429, "", ErrorCode::RateLimited),
            (503, "", ErrorCode::ServerError),
        ] {
            assert_eq!(
                read(status, body.as_bytes()).expect_err(body).code,
                code,
                "{body}"
            );
        }
    }
}
