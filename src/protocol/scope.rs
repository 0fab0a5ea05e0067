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

/// The scopes that a provider has, by name, each with those that it implies. A name that ends in `*` stands for all that
/// begin so. An empty table knows nothing.
pub type Scopes = Vec<(String, Vec<String>)>;

/// Refuses a scope that the provider does not have. Where it is not known which it has, all are good.
pub fn check(scopes: &Scopes, scope: &[String]) -> Result<(), Error> {
    let has = |name: &&String| scopes.iter().any(|(known, _)| is_of(name, known));
    match scope.iter().find(|name| !has(name)) {
        Some(name) if !scopes.is_empty() => Err(unknown_scope(scopes, name)),
        _ => Ok(()),
    }
}

/// Refuses a kind of scope, by name or by the beginning of one, of which the provider has none.
pub fn check_kind(scopes: &Scopes, kind: &str) -> Result<(), Error> {
    match scopes.is_empty() || scopes.iter().any(|(known, _)| is_of(known, kind)) {
        true => Ok(()),
        false => Err(unknown_scope(scopes, kind)),
    }
}

fn unknown_scope(scopes: &Scopes, name: &str) -> Error {
    let names: Vec<&str> = scopes.iter().map(|(name, _)| name.as_str()).collect();
    unknown(ErrorCode::UnknownScope, name, &names)
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
pub fn is_known(scopes: &Scopes, held: &[String]) -> bool {
    !held.is_empty() && held.iter().all(|name| named(scopes, name).is_some())
}

fn named(scopes: &Scopes, name: &str) -> Option<usize> {
    scopes.iter().position(|(known, _)| known == name)
}

/// Whether one of `held` is `wanted`, or implies it.
pub fn allows(scopes: &Scopes, held: &[String], wanted: &str) -> bool {
    held.iter().any(|name| name == wanted) || implied(scopes, held).contains(&wanted)
}

/// What is held of the table, what that implies, what this implies in turn; each once, for a table may go in circles.
fn implied<'a>(scopes: &'a Scopes, held: &[String]) -> Vec<&'a str> {
    let mut seen = Vec::new();
    let mut open = Vec::new();
    let mut all = Vec::new();
    for name in held {
        if let Some(at) = named(scopes, name) {
            open.push(at);
        }
        while let Some(at) = open.pop() {
            let Some((name, implies)) = scopes.get(at).filter(|_| !seen.contains(&at)) else {
                continue;
            };
            seen.push(at);
            all.push(name.as_str());
            for name in implies {
                all.push(name.as_str());
                if let Some(at) = named(scopes, name) {
                    open.push(at);
                }
            }
        }
    }
    all
}

/// Leaves out what another one implies.
pub fn reduce(scopes: &Scopes, scope: Vec<String>) -> Vec<String> {
    let mut least: Vec<String> = Vec::new();
    for item in scope {
        if !allows(scopes, &least, &item) {
            let more = implied(scopes, core::slice::from_ref(&item));
            text::keep(&mut least, &|kept| !more.contains(&kept));
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
    text::keep(&mut items, &|item| {
        is_scope_token(item) && !text::contains(item, "(..)")
    });
    items
}

/// Splits a `scope` parameter, of which no server grants a thousand.
pub fn split(scope: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = scope;
    while items.len() < 1024 && !rest.is_empty() {
        let (item, after) = text::cut(rest, " ").unwrap_or((rest, ""));
        if !item.is_empty() {
            items.push(String::from(item));
        }
        rest = after;
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

    fn table() -> Scopes {
        let row = |name: &str, implies: &str| (String::from(name), split(implies));
        vec![
            row("r", ""),
            row("w", "r"),
            row("admin", "w"),
            row("a", "b"),
            row("b", "a"),
        ]
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
            assert_eq!(join(&reduce(&table(), split(asked)), " "), least, "{asked}");
        }
        assert_eq!(join(&reduce(&vec![], split("r w r")), " "), "r w");
    }

    #[test]
    fn a_scope_allows_what_it_implies_even_around_corners_and_in_circles() {
        let table = table();
        let allows = |held: &str, wanted| allows(&table, &split(held), wanted);
        assert!(allows("admin", "r") && allows("w", "r") && allows("a", "b") && allows("r", "r"));
        assert!(!allows("r", "w") && !allows("a", "r") && !allows("", "r") && !allows("x", "r"));
    }

    #[test]
    fn a_table_in_which_all_imply_all_is_no_trap() {
        let scope: Vec<_> = (0..100).map(|n| std::format!("s{n}")).collect();
        let all = |name: &String| (name.clone(), scope.clone());
        let table: Scopes = scope.iter().map(all).collect();
        assert_eq!(reduce(&table, scope), ["s0"]);
    }

    #[test]
    fn a_server_that_grants_scopes_without_end_keeps_nobody_waiting() {
        for endless in ["w ".repeat(500_000), " ".repeat(1_000_000)] {
            let held = split(&endless);
            assert!(held.len() <= 1024);
            assert_eq!(allows(&table(), &held, "r"), !held.is_empty());
            assert!(!allows(&table(), &held, "admin"));
            is_known(&table(), &held);
            assert!(reduce(&table(), held).len() <= 1);
        }
    }

    #[test]
    fn what_the_table_does_not_name_may_allow_anything() {
        let table = table();
        let known = |held: &str| is_known(&table, &split(held));
        assert!(known("r") && known("r w"));
        assert!(!known("") && !known("r urn:x"));
        assert!(!is_known(&vec![], &split("r")));
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
