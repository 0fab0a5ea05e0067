//! What a server says when it refuses (RFC 6749 section 5.2), in the shapes that providers give it, and what the
//! provider's own table of errors makes of it.

use alloc::string::String;

use super::error::{Error, ServerError, redact};
use super::json::Json;
use super::text;

/// Names under which servers write a code, and a sentence.
const CODES: &[&str] = &["error", "code", "type"];
const SENTENCES: &[&str] = &[
    "error_description",
    "message",
    "error_message",
    "errorMessage",
    "error_msg",
    "msg",
    "description",
    "detail",
    "title",
    "reason",
];

/// Reads a refusal: `error` and `error_description`; or what gateways, frameworks and APIs write in their place, at the
/// top, in an object called `error`, or in the first of `errors`; or one word of plain text. `secrets` are cut out, for
/// servers do echo what they refuse.
pub fn said(status: u16, body: &[u8], members: Option<&Json>, secrets: &[&str]) -> ServerError {
    let nested = members.and_then(|members| {
        let first = || match members.get("errors")? {
            Json::Array(items) => items.first(),
            errors => Some(errors),
        };
        members
            .get("error")
            .filter(|error| error.as_str().is_none())
            .or_else(first)
    });
    let text = |names: &[&str]| {
        let of = |part: Option<&Json>, names: &[&str]| {
            let part = part?;
            let said = names.iter().find_map(|name| part.str(name))?;
            Some(redact(said, secrets))
        };
        // `type` at the top is something else: a link (RFC 9457), or any word.
        let top = names.strip_suffix(&["type"]).unwrap_or(names);
        of(members, top).or_else(|| of(nested, names))
    };
    let listed = || Some(redact(nested?.as_str()?, secrets));
    let word = || {
        let word = core::str::from_utf8(body).ok()?.trim_ascii();
        let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
        let is_word = status >= 400
            && status != 404
            && members.is_none()
            && word.len() < 64
            && word.bytes().all(plain);
        (is_word && !word.is_empty()).then(|| redact(word, secrets))
    };
    ServerError {
        error: text(CODES).or_else(word),
        error_description: text(SENTENCES).or_else(listed),
        error_uri: text(&["error_uri"]),
        status: Some(status),
    }
}

/// The error with the words of the row that fits what the server said; what the row leaves out stays ours.
pub fn explained(rows: Option<&Json>, error: Error) -> Error {
    let row = error.server.as_ref().and_then(|server| row(rows, server));
    let Some(row) = row else {
        return error;
    };
    let ours = (error.message(), String::from(error.remedy()));
    let message = row.str("message").unwrap_or(&ours.0);
    let remedy = row.str("remedy").unwrap_or(&ours.1);
    error.explain(row.str("error"), message, remedy)
}

/// The library's own error with what the provider's table adds to it: by the row that has its code for `error` and,
/// where it has `says`, a part of the detail. The detail stays.
pub fn advised(rows: Option<&Json>, error: Error) -> Error {
    let own = ServerError {
        error: Some(String::from(error.code.code())),
        error_description: Some(error.detail.clone()),
        ..ServerError::default()
    };
    match row(rows, &own).filter(|row| row.get("error").is_some()) {
        None => error,
        Some(row) => {
            let said = row.str("message").unwrap_or(error.code.message());
            let message = text::concat(&[said, ": ", &error.detail]);
            let remedy = String::from(row.str("remedy").unwrap_or(error.remedy()));
            error.explain(None, &message, &remedy)
        }
    }
}

/// The first row that fits what the server said.
pub fn row<'a>(rows: Option<&'a Json>, server: &ServerError) -> Option<&'a Json> {
    let Some(Json::Array(rows)) = rows else {
        return None;
    };
    rows.iter().find(|row| fits(row, server))
}

fn fits(row: &Json, server: &ServerError) -> bool {
    let same = |name: &str| server.error.as_deref() == Some(name);
    let also = || {
        row.get("also")
            .is_some_and(|also| also.texts().iter().any(|name| same(name)))
    };
    let status = row.get("status").and_then(Json::as_u32);
    let description = server.error_description.as_deref().unwrap_or("");
    row.str("error").is_none_or(|name| same(name) || also())
        && status.is_none_or(|status| server.status.map(u32::from) == Some(status))
        && row
            .str("says")
            .is_none_or(|part| text::contains(description, part))
}

#[cfg(test)]
mod tests {
    use super::super::error::ErrorCode;
    use super::*;

    #[test]
    fn one_word_of_plain_text_is_a_code_and_a_longer_text_is_not() {
        let code = |status, body: &[u8]| said(status, body, None, &["secret"]).error;
        let word = "a".repeat(63);
        assert_eq!(code(400, word.as_bytes()), Some(word.clone()));
        assert_eq!(code(400, b" slow_down\r\n"), Some("slow_down".into()));
        assert_eq!(code(400, b"a_secret"), Some("a_(..)".into()));
        let longer = "a".repeat(64);
        for body in [longer.as_bytes(), b"", b" ", b"two words", b"Word", b"\xff"] {
            assert_eq!(code(400, body), None);
        }
        assert_eq!(code(399, word.as_bytes()), None);
    }

    #[test]
    fn the_servers_words_are_found_wherever_servers_write_them() {
        for (body, error, description) in [
            (
                r#"{"error":"a","error_description":"b"}"#,
                Some("a"),
                Some("b"),
            ),
            (r#"{"code":"a","message":"b"}"#, Some("a"), Some("b")),
            (
                r#"{"error":"a","message":"b","detail":"c"}"#,
                Some("a"),
                Some("b"),
            ),
            (r#"{"error":{"message":"b"}}"#, None, Some("b")),
            (
                r#"{"error":{"message":"b","type":"OAuthException","code":190}}"#,
                Some("OAuthException"),
                Some("b"),
            ),
            (
                r#"{"error":{"code":"a","message":"b"}}"#,
                Some("a"),
                Some("b"),
            ),
            (r#"{"error_message":"b"}"#, None, Some("b")),
            (r#"{"errorMessage":"b","code":7}"#, None, Some("b")),
            (r#"{"msg":"b"}"#, None, Some("b")),
            (r#"{"error_msg":"b"}"#, None, Some("b")),
            (r#"{"detail":"b"}"#, None, Some("b")),
            (
                r#"{"type":"https://as.example/x","title":"b","status":400}"#,
                None,
                Some("b"),
            ),
            (
                r#"{"errors":[{"code":"a","message":"b"},{"message":"c"}]}"#,
                Some("a"),
                Some("b"),
            ),
            (r#"{"errors":["b"]}"#, None, Some("b")),
            (r#"{"errors":{"detail":"b"}}"#, None, Some("b")),
            (
                r#"{"error":"a","errors":[{"message":"b"}]}"#,
                Some("a"),
                Some("b"),
            ),
            (r#"{"error":5,"message":["b"]}"#, None, None),
            (r#"[{"message":"b"}]"#, None, None),
            ("{}", None, None),
        ] {
            let members = Json::parse(body.as_bytes());
            let said = said(400, body.as_bytes(), members.as_ref(), &[]);
            let words = (said.error.as_deref(), said.error_description.as_deref());
            assert_eq!(words, (error, description), "{body}");
        }
        let body = r#"{"error":{"message":"TG-1 is no good"}}"#;
        let members = Json::parse(body.as_bytes());
        let said = said(400, b"", members.as_ref(), &["TG-1"]);
        assert_eq!(said.error_description.as_deref(), Some("(..) is no good"));
    }

    #[test]
    fn a_row_fits_by_all_that_it_says() {
        let rows = br#"[{"error":"a","also":["b"],"status":400,"says":"x"},{"status":500}]"#;
        let rows = Json::parse(rows);
        let fits = |error: Option<&str>, status, description: Option<&str>| {
            let server = ServerError {
                error: error.map(String::from),
                error_description: description.map(String::from),
                error_uri: None,
                status: Some(status),
            };
            row(rows.as_ref(), &server).is_some()
        };
        assert!(fits(Some("a"), 400, Some("axb")) && fits(Some("b"), 400, Some("x")));
        assert!(fits(None, 500, None));
        assert!(!fits(Some("c"), 400, Some("x")) && !fits(None, 400, Some("x")));
        assert!(!fits(Some("a"), 401, Some("x")));
        assert!(!fits(Some("a"), 400, Some("y")) && !fits(Some("a"), 400, None));
    }

    #[test]
    fn an_error_of_our_own_gets_the_advice_that_the_table_has_for_it_and_keeps_its_detail() {
        let rows = br#"[{"says":"urn:"},{"error":"insufficient_scope","says":"urn:","message":"no permission","remedy":"Enable it"}]"#;
        let rows = Json::parse(rows);
        let rows = rows.as_ref();
        // The row without a code is for servers.
        let only = |rows| Json::Array(std::vec![rows]);
        let (server, own) = match rows {
            Some(Json::Array(rows)) => (only(rows[0].clone()), only(rows[1].clone())),
            _ => panic!("rows"),
        };
        let error = |detail| ErrorCode::InsufficientScope.at(detail);
        let told = advised(Some(&own), error("urn:x for GET /x"));
        assert_eq!(told.message(), "no permission: urn:x for GET /x");
        assert_eq!(told.remedy(), "Enable it");
        for (rows, detail) in [
            (Some(&server), "urn:x"),
            (Some(&own), "read"),
            (None, "urn:x"),
        ] {
            assert_eq!(advised(rows, error(detail)), error(detail));
        }
        let other = ErrorCode::LoginRequired.at("urn:x");
        assert_eq!(advised(Some(&own), other.clone()), other);
    }
}
