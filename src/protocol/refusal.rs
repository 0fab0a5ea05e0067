//! What a server says when it refuses (RFC 6749 section 5.2), in the shapes that providers give it, and what the
//! provider's own table of errors makes of it.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ServerError, redact};
use super::json::Json;
use super::record::stored;
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
            && !matches!(status, 404 | 405 | 410)
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

stored! {
    /// A row of the provider's table of errors: it fits by all that it says.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Row {
        pub error: Option<String>,
        /// Other codes for the same.
        pub also: Vec<String>,
        pub status: Option<u32>,
        /// A part of the description.
        pub says: Option<String>,
        /// What happened, in the place of our own sentence.
        pub message: Option<String>,
        /// What to do next, in the place of ours.
        pub remedy: Option<String>,
    }
}

impl Row {
    fn fits(&self, server: &ServerError) -> bool {
        let same = |name: &String| server.error.as_ref() == Some(name);
        let description = server.error_description.as_deref().unwrap_or("");
        let status = self.status;
        self.error
            .as_ref()
            .is_none_or(|name| same(name) || self.also.iter().any(same))
            && status.is_none_or(|status| server.status.map(u32::from) == Some(status))
            && self
                .says
                .as_ref()
                .is_none_or(|part| text::contains(description, part))
    }
}

/// The error with the words of the row that fits what the server said; what the row leaves out stays ours.
pub fn explained(rows: &[Row], error: Error) -> Error {
    let row = error.server.as_ref().and_then(|server| row(rows, server));
    let Some(row) = row else {
        return error;
    };
    let ours = (error.message(), String::from(error.remedy()));
    let message = row.message.as_ref().unwrap_or(&ours.0);
    let remedy = row.remedy.as_ref().unwrap_or(&ours.1);
    error.explain(row.error.as_deref(), message, remedy)
}

/// The library's own error with what the provider's table adds to it: by the row that has its code for `error` and,
/// where it has `says`, a part of the detail. The detail stays.
pub fn advised(rows: &[Row], error: Error) -> Error {
    let own = ServerError {
        error: Some(String::from(error.name())),
        error_description: Some(error.detail.clone()),
        ..ServerError::default()
    };
    match row(rows, &own).filter(|row| row.error.is_some()) {
        None => error,
        Some(row) => {
            let said = row.message.as_deref().unwrap_or(error.sentence());
            let message = text::concat(&[said, ": ", &error.detail]);
            let remedy = String::from(row.remedy.as_deref().unwrap_or(error.remedy()));
            error.explain(None, &message, &remedy)
        }
    }
}

/// The first row that fits what the server said.
pub fn row<'a>(rows: &'a [Row], server: &ServerError) -> Option<&'a Row> {
    rows.iter().find(|row| row.fits(server))
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
        let rows = [
            Row {
                error: Some("a".into()),
                also: ["b".into()].into(),
                status: Some(400),
                says: Some("x".into()),
                ..Row::default()
            },
            Row {
                status: Some(500),
                ..Row::default()
            },
        ];
        let fits = |error: Option<&str>, status, description: Option<&str>| {
            let server = ServerError {
                error: error.map(String::from),
                error_description: description.map(String::from),
                error_uri: None,
                status: Some(status),
            };
            row(&rows, &server).is_some()
        };
        assert!(fits(Some("a"), 400, Some("axb")) && fits(Some("b"), 400, Some("x")));
        assert!(fits(None, 500, None));
        assert!(!fits(Some("c"), 400, Some("x")) && !fits(None, 400, Some("x")));
        assert!(!fits(Some("a"), 401, Some("x")));
        assert!(!fits(Some("a"), 400, Some("y")) && !fits(Some("a"), 400, None));
    }

    #[test]
    fn an_error_of_our_own_gets_the_advice_that_the_table_has_for_it_and_keeps_its_detail() {
        // The row without a code is for servers.
        let server = [Row {
            says: Some("urn:".into()),
            ..Row::default()
        }];
        let own = [Row {
            error: Some("insufficient_scope".into()),
            says: Some("urn:".into()),
            message: Some("no permission".into()),
            remedy: Some("Enable it".into()),
            ..Row::default()
        }];
        let error = |detail| ErrorCode::InsufficientScope.at(detail);
        let told = advised(&own, error("urn:x for GET /x"));
        assert_eq!(told.message(), "no permission: urn:x for GET /x");
        assert_eq!(told.remedy(), "Enable it");
        for (rows, detail) in [(&server[..], "urn:x"), (&own, "read"), (&[], "urn:x")] {
            assert_eq!(advised(rows, error(detail)), error(detail));
        }
        let other = ErrorCode::LoginRequired.at("urn:x");
        assert_eq!(advised(&own, other.clone()), other);
    }
}
