//! Scope (RFC 6749 section 3.3): a list of tokens, written with spaces between them.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode, unknown, wrong};
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

/// Refuses a scope that the provider does not have. `scopes` is the provider's table, by name; a name that ends in `*`
/// stands for all that begin so. Without a table, or with an empty one, all are good.
pub fn check(scopes: Option<&Json>, scope: &[String]) -> Result<(), Error> {
    let Some(scopes) = scopes.filter(|scopes| !scopes.names().is_empty()) else {
        return Ok(());
    };
    match scope
        .iter()
        .find(|name| !scopes.names().iter().any(|known| is_of(name, known)))
    {
        None => Ok(()),
        Some(name) => Err(unknown(ErrorCode::UnknownScope, name, &scopes.names())),
    }
}

/// Refuses a kind of scope, by name or by the beginning of one, of which the provider has none.
pub fn check_kind(scopes: Option<&Json>, kind: &str) -> Result<(), Error> {
    match scopes.filter(|scopes| !scopes.names().is_empty()) {
        Some(scopes) if !scopes.names().iter().any(|known| is_of(known, kind)) => {
            Err(unknown(ErrorCode::UnknownScope, kind, &scopes.names()))
        }
        _ => Ok(()),
    }
}

/// Whether the scope is this one, or of this kind: a name that ends in `*` stands for all that begin so.
pub fn is_of(name: &str, known: &str) -> bool {
    match known.strip_suffix("*") {
        Some(start) => name.starts_with(start),
        None => name == known,
    }
}

/// Whether it is known what these scopes allow. Nobody may have said what was granted, and a scope that the table does
/// not name may allow anything.
pub fn is_known(scopes: Option<&Json>, held: &[String]) -> bool {
    let named = |name: &String| scopes.is_some_and(|scopes| scopes.get(name).is_some());
    !held.is_empty() && held.iter().all(named)
}

/// Whether one of `held` is `wanted`, or implies it.
pub fn allows(scopes: Option<&Json>, held: &[String], wanted: &str) -> bool {
    implied(scopes, held).iter().any(|scope| scope == wanted)
}

/// What is held, what that implies, what this implies in turn; each once, for a table may go in circles.
fn implied(scopes: Option<&Json>, held: &[String]) -> Vec<String> {
    let mut all = held.to_vec();
    let mut at = 0;
    while let Some(scope) = all.get(at) {
        let next = scopes.and_then(|scopes| scopes.get(scope)?.get("implies"));
        for next in next.map_or(Vec::new(), Json::texts) {
            if !all.contains(&next) {
                all.push(next);
            }
        }
        at += 1;
    }
    all
}

/// Leaves out what another one implies.
pub fn reduce(scopes: Option<&Json>, scope: Vec<String>) -> Vec<String> {
    let mut least: Vec<String> = Vec::new();
    for item in scope {
        if !allows(scopes, &least, &item) {
            let more = implied(scopes, core::slice::from_ref(&item));
            least.retain(|kept| !more.contains(kept));
            least.push(item);
        }
    }
    least
}

/// Scopes of a server's that are asked for again: comparing each with each takes its time.
pub const MOST: usize = 256;

/// What a server's challenge names, as far as it can be asked for.
pub fn said(text: &str) -> Vec<String> {
    let mut items = split(text);
    items.truncate(MOST);
    items.retain(|item| is_scope_token(item) && !text::contains(item, "(..)"));
    items
}

/// Splits a `scope` parameter.
pub fn split(scope: &str) -> Vec<String> {
    let mut items = Vec::new();
    for item in text::parts(scope, " ") {
        items.push(String::from(item));
    }
    items
}

/// The `scope` parameter, or with commas a header.
pub fn join(scope: &[String], mark: &str) -> String {
    let mut text = String::new();
    for item in scope {
        if !text.is_empty() {
            text.push_str(mark);
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
        assert_eq!(join(&want, " "), "read write");
    }

    fn table() -> Option<Json> {
        Json::parse(br#"{"r":{},"w":{"implies":["r"]},"admin":{"implies":["w"]},"a":{"implies":["b"]},"b":{"implies":["a"]}}"#)
    }

    #[test]
    fn what_another_scope_implies_is_left_out() {
        for (asked, least) in [
            ("r w", "w"),
            ("w r", "w"),
            ("r r", "r"),
            ("r admin w", "admin"),
            ("r x", "r x"),
            ("a b", "a"),
            ("", ""),
        ] {
            assert_eq!(
                join(&reduce(table().as_ref(), split(asked)), " "),
                least,
                "{asked}"
            );
        }
        assert_eq!(join(&reduce(None, split("r w r")), " "), "r w");
    }

    #[test]
    fn a_scope_allows_what_it_implies_even_around_corners_and_in_circles() {
        let table = table();
        let allows = |held: &str, wanted| allows(table.as_ref(), &split(held), wanted);
        assert!(allows("admin", "r") && allows("w", "r") && allows("a", "b") && allows("r", "r"));
        assert!(!allows("r", "w") && !allows("a", "r") && !allows("", "r") && !allows("x", "r"));
    }

    #[test]
    fn a_table_in_which_all_imply_all_is_no_trap() {
        let names: Vec<_> = (0..100).map(|n| std::format!("\"s{n}\"")).collect();
        let all = names.join(",");
        let members: Vec<_> = names
            .iter()
            .map(|name| std::format!(r#"{name}:{{"implies":[{all}]}}"#))
            .collect();
        let table = Json::parse(std::format!("{{{}}}", members.join(",")).as_bytes());
        let scope: Vec<_> = (0..100).map(|n| std::format!("s{n}")).collect();
        assert_eq!(reduce(table.as_ref(), scope), ["s0"]);
    }

    #[test]
    fn what_the_table_does_not_name_may_allow_anything() {
        let table = table();
        let known = |held: &str| is_known(table.as_ref(), &split(held));
        assert!(known("r") && known("r w"));
        assert!(!known("") && !known("r urn:x"));
        assert!(!is_known(None, &split("r")));
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
