//! The error response of the token endpoint (RFC 6749 section 5.2), and what an answer that is lost means.

use super::super::error::{Error, ErrorCode};
use super::super::json::{self, Json};
use super::super::{refusal, text};
use super::response::is_json;
use super::{HttpResponse, TokenRequest};

impl TokenRequest {
    pub(super) fn refused(&self, response: &HttpResponse, members: Option<&Json>) -> Error {
        let HttpResponse {
            status,
            content_type,
            retry_after,
            body,
        } = response;
        let status = *status;
        let (first, second) = self.grant.secrets();
        let server = refusal::said(status, body, members, &[first, second]);
        let error = match status {
            429 | 420 => ErrorCode::RateLimited.error(),
            500.. => ErrorCode::ServerError.error(),
            // By the server's own word: the provider's table may have another for it (section 5.2).
            _ if server.error.as_deref() == Some("invalid_grant") && self.is_renewal() => {
                ErrorCode::SessionEnded.at(&server.sentence())
            }
            _ if self.is_renewal() && is_passing(server.error.as_deref()) => {
                ErrorCode::ServerError.error()
            }
            _ if server.error.is_some()
                || (status >= 400 && server.error_description.is_some()) =>
            {
                ErrorCode::TokenRequestRefused.at(&server.sentence())
            }
            // With or without a word: nothing was issued.
            400 | 401 | 403 if self.is_renewal() => {
                ErrorCode::TokenRequestRefused.at("an error without an error code")
            }
            404 | 405 | 410 => {
                let status = json::decimal(status.into());
                let rule = ["the server has no token endpoint there (", &status, ")"];
                ErrorCode::InvalidTokenResponse.at(&text::concat(&rule))
            }
            _ => ErrorCode::InvalidTokenResponse.at(match members {
                _ if is_html(content_type) => "an HTML page instead of JSON",
                _ if !is_json(content_type) => "its content type is not application/json",
                Some(_) if status == 200 => "it is not a JSON object",
                Some(_) => "an error without an error code",
                None => "it is not valid JSON",
            }),
        };
        // An HTML page with success is another server's: a single-page application at the address of a relay, say.
        let other = server.error.is_some() || is_html(content_type);
        let error = match (200..300).contains(&status) && !other {
            true => self.unanswered(error),
            false => error,
        };
        // A client that has to prove who it is (section 5.2), which no page can.
        let error = match server.error.as_deref() {
            Some("invalid_client" | "unauthorized_client") if !self.is_renewal() => error.cured_by(
                "Check clientId; if the provider demands a client secret, point tokenEndpoint at your own backend, which adds it",
            ),
            _ => error,
        };
        let error = self.login.explained(error.with(server));
        match retry_after {
            None => error,
            Some(seconds) => {
                error.and("retryAfter", Json::Number(json::decimal((*seconds).into())))
            }
        }
    }

    /// What a failure means after which nobody knows whether the server has spent the token: no answer came, or an
    /// answer of success that is of no use.
    pub fn unanswered(&self, error: Error) -> Error {
        match self.is_renewal() && !self.login.refresh_token_reuse() {
            true => error.becomes(ErrorCode::SessionIndeterminate),
            false => error,
        }
    }
}

/// What servers call their own trouble (section 4.1.2.1), which says nothing of a token.
fn is_passing(error: Option<&str>) -> bool {
    matches!(error, Some("temporarily_unavailable" | "server_error"))
}

fn is_html(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use super::super::super::secret::RefreshToken;
    use super::super::Grant;
    use super::super::tests::{answer, client, code, read, with};
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn the_servers_words_are_kept_where_it_has_no_error_code() {
        for body in [
            r#"{"error":{"message":"unknown"}}"#,
            r#"{"error_message":"unknown"}"#,
            r#"{"msg":"unknown"}"#,
        ] {
            for kind in ["application/json", "text/html"] {
                let error = code(400, kind, body).expect_err(body);
                assert_eq!(error.code, ErrorCode::TokenRequestRefused, "{body}");
                let said = error
                    .server
                    .as_ref()
                    .and_then(|said| said.error_description.clone());
                assert_eq!(said.as_deref(), Some("unknown"), "{body}");
            }
        }
    }

    #[test]
    fn a_remedy_is_that_of_its_cause() {
        let remedy = |status, kind, body: &str| {
            String::from(code(status, kind, body).expect_err(body).remedy())
        };
        let json = "application/json";
        for (status, kind, body, part) in [
            (401, json, r#"{"error":"invalid_client"}"#, "client secret"),
            (400, json, r#"{"error":"unauthorized_client"}"#, "clientId"),
            (400, json, r#"{"error":"invalid_grant"}"#, "startLogin"),
            (200, json, r#"{"access_token":"a"}"#, "tokenTypeOptional"),
            (200, "text/html", "<html>", "Check tokenEndpoint"),
            (404, "text/plain", "no", "Check tokenEndpoint"),
        ] {
            assert!(remedy(status, kind, body).contains(part), "{body}");
        }
        for status in [404_u16, 405, 410] {
            for (kind, body) in [("text/plain", "no"), ("text/html", "<html>"), ("", "")] {
                let none = code(status, kind, body).expect_err("no endpoint");
                assert_eq!(none.code, ErrorCode::InvalidTokenResponse);
                let told = none.detail.ends_with(&format!("({status})"));
                assert!(told, "{}", none.detail);
            }
        }
    }

    #[test]
    fn a_renewal_that_is_refused_without_a_word_is_refused() {
        for (status, kind, body) in [
            (400, "application/json", ""),
            (401, "", ""),
            (403, "text/html", "<html>"),
            (400, "application/json", r#"{"error":5}"#),
            (400, "application/json", r#"{"error":"invalid_request"}"#),
            (401, "application/json", r#"{"error":"invalid_token"}"#),
            (401, "application/json", r#"{"error":"invalid_client"}"#),
            (200, "application/json", r#"{"error":"bad_refresh_token"}"#),
        ] {
            let error = read(status, kind, body).expect_err(body);
            assert_eq!(
                error.code,
                ErrorCode::TokenRequestRefused,
                "{status} {body}"
            );
            assert!(!error.code.retryable());
        }
        for (status, body, code) in [
            (
                400,
                r#"{"error":"temporarily_unavailable"}"#,
                ErrorCode::ServerError,
            ),
            (400, r#"{"error":"server_error"}"#, ErrorCode::ServerError),
            (503, "", ErrorCode::ServerError),
            (429, "", ErrorCode::RateLimited),
            (404, "", ErrorCode::InvalidTokenResponse),
            (400, r#"{"error":"invalid_grant"}"#, ErrorCode::SessionEnded),
        ] {
            let error = read(status, "application/json", body).expect_err(body);
            assert_eq!(error.code, code, "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_is_read_whatever_it_says_of_its_own_type() {
        for status in [200, 400, 401] {
            for kind in [
                "application/json",
                "text/plain",
                "text/html",
                "",
                "application/xml",
            ] {
                for mark in ["", "\u{feff}"] {
                    let body =
                        format!(r#"{mark}{{"error":"invalid_grant","error_description":"over"}}"#);
                    let error = read(status, kind, &body).expect_err("a refusal");
                    assert_eq!(error.code, ErrorCode::SessionEnded, "{status} {kind}");
                    let said = error
                        .server
                        .as_ref()
                        .and_then(|said| said.error_description.clone());
                    assert_eq!(said.as_deref(), Some("over"));
                    let error = code(status, kind, &body).expect_err("a refusal");
                    assert_eq!(
                        error.code,
                        ErrorCode::TokenRequestRefused,
                        "{status} {kind}"
                    );
                }
            }
        }
        // A token is not taken from a page.
        let token = r#"{"access_token":"a","token_type":"bearer"}"#;
        for kind in ["text/plain", "text/html", ""] {
            assert!(read(200, kind, token).is_err(), "{kind}");
        }
    }

    #[test]
    fn the_servers_own_word_ends_a_session_whatever_the_table_calls_it() {
        let rows = r#","errors":[{"error":"session_over","also":["invalid_grant"],"message":"m","remedy":"r"}]"#;
        let login = with(rows);
        let grant = Grant::RefreshToken(RefreshToken::new("TG-1".to_string()));
        let body = r#"{"error":"invalid_grant"}"#;
        let request = TokenRequest::new(login, grant);
        let error = answer(request, 400, "application/json", body).expect_err("refused");
        assert_eq!(error.code, ErrorCode::SessionEnded);
        assert_eq!(error.message(), "m");
    }

    #[test]
    fn a_refresh_token_that_may_be_used_twice_is_never_indeterminate() {
        let login = with(r#","refreshTokenReuse":true"#);
        let lost = || ErrorCode::NetworkError.error();
        let grant = || Grant::RefreshToken(RefreshToken::new("r".to_string()));
        let unanswered = |login| TokenRequest::new(login, grant()).unanswered(lost()).code;
        assert_eq!(unanswered(login), ErrorCode::NetworkError);
        assert_eq!(unanswered(client()), ErrorCode::SessionIndeterminate);
    }

    #[test]
    fn an_html_page_is_named_as_such() {
        let error = read(200, "text/html; charset=utf-8", "<html>").expect_err("HTML");
        assert_eq!(error.detail, "an HTML page instead of JSON");
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_named() {
        let json = "application/json";
        for (status, content_type, body, detail) in [
            (200, json, "[]", "it is not a JSON object"),
            (400, json, "{}", "an error without an error code"),
            (200, json, "{", "it is not valid JSON"),
            (400, json, "", "it is not valid JSON"),
            (400, "Text/HTML", "<p>", "an HTML page instead of JSON"),
            (
                400,
                "text/plain",
                "No.",
                "its content type is not application/json",
            ),
            (
                400,
                "text/plain",
                "{}",
                "its content type is not application/json",
            ),
            (200, "", "{}", "its content type is not application/json"),
            (
                200,
                "application/xml",
                "{}",
                "its content type is not application/json",
            ),
            (
                200,
                "text/x+json",
                "{}",
                "its content type is not application/json",
            ),
        ] {
            let error = code(status, content_type, body).expect_err(detail);
            assert_eq!(error.detail, detail, "{status} {content_type} {body}");
        }
    }

    #[test]
    fn a_server_that_echoes_the_token_does_not_put_it_into_the_error() {
        let body = r#"{"error":"invalid_grant","error_description":"TG-old is spent","status":400,"cause":[]}"#;
        let error = read(400, "application/json", body).expect_err("refused");
        let server = error.server.as_ref().expect("the server's words");
        assert_eq!(server.error.as_deref(), Some("invalid_grant"));
        assert_eq!(server.error_description.as_deref(), Some("(..) is spent"));
    }
}
