//! Scope (RFC 6749 section 3.3): a list of tokens, written with spaces between them.

use alloc::string::String;
use alloc::vec::Vec;

use super::config::wrong;
use super::error::Error;
use super::json::Json;
use super::text;

/// Reads the configuration's `scope`: a list of strings, or one string with spaces.
pub fn read(value: &Json) -> Result<Vec<String>, Error> {
    let items = match value {
        Json::String(text) => split(text),
        Json::Array(items) if items.iter().all(|item| item.as_str().is_some()) => value.texts(),
        _ => return Err(wrong("scope", "must be a list of strings")),
    };
    if items.iter().all(|item| is_scope_token(item)) {
        Ok(items)
    } else {
        Err(wrong(
            "scope",
            "must be visible ASCII without quotes and backslashes",
        ))
    }
}

/// Splits a `scope` parameter.
pub fn split(scope: &str) -> Vec<String> {
    let mut items = Vec::new();
    for item in text::parts(scope, " ") {
        items.push(String::from(item));
    }
    items
}

/// The `scope` parameter.
pub fn join(scope: &[String]) -> String {
    let mut text = String::new();
    for item in scope {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(item);
    }
    text
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
fn is_scope_token(item: &str) -> bool {
    !item.is_empty() && text::is_graphic(item, b"\"\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn a_scope_is_a_list_or_a_text() {
        let want = vec![String::from("read"), String::from("write")];
        for text in [r#"["read","write"]"#, r#""read  write ""#] {
            let value = Json::parse(text.as_bytes()).expect("test JSON");
            assert_eq!(read(&value), Ok(want.clone()));
        }
        assert_eq!(join(&want), "read write");
    }

    #[test]
    fn what_is_no_scope_token_is_refused() {
        for text in [
            r#"["a b"]"#,
            r#"[""]"#,
            r#"["a\"b"]"#,
            r#"["é"]"#,
            r#"["a\\b"]"#,
            "[1]",
            "{}",
        ] {
            assert!(
                read(&Json::parse(text.as_bytes()).expect("test JSON")).is_err(),
                "{text}"
            );
        }
    }
}
