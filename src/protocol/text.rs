//! Searching in text, plainly: the standard library's search is built for long texts and costs kilobytes.

use alloc::string::String;
use alloc::vec::Vec;

/// Where `part` stands first.
pub fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// Whether `part` stands anywhere.
pub fn contains(text: &str, part: &str) -> bool {
    find(text, part).is_some()
}

/// What stands before and after the first `mark`.
pub fn cut<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// The parts between the marks, the empty ones left out.
pub fn parts<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (part, after) = match cut(text, mark) {
            Some((part, after)) => (part, Some(after)),
            None => (text, None),
        };
        if !part.is_empty() {
            parts.push(part);
        }
        rest = after;
    }
    parts
}

/// The text with every `part` replaced.
pub fn replace(text: &str, part: &str, by: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    if !part.is_empty() {
        while let Some((before, after)) = cut(rest, part) {
            out.push_str(before);
            out.push_str(by);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The texts one after the other.
pub fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// At most `length` bytes, never half a character: text from outside is shown, but not whole novels.
pub fn clip(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// A name as an error shows it: not whole novels, and not nothing.
pub fn shown(name: &str) -> &str {
    match name {
        "" => "\"\"",
        name => clip(name, 64),
    }
}

/// Adds the nearest of the names to a sentence about one that does not exist: first by how much of a name it begins,
/// then by the whole.
pub fn suggest(sentence: &mut String, name: &str, names: &[&str]) {
    let name = clip(name, 64);
    let mut best = None;
    for known in names {
        let far = distance(name, known);
        if best.is_none_or(|(least, _)| far < least) {
            best = Some((far, known));
        }
    }
    if let Some((_, nearest)) = best {
        sentence.push_str("; the nearest is ");
        sentence.push_str(nearest);
    }
}

/// How many letters must be put in, taken out or changed (Levenshtein), whatever their case, to get from `a` to the best
/// beginning of `b`, and to all of it.
fn distance(a: &str, b: &str) -> (usize, usize) {
    let mut row = Vec::new();
    for at in 0..b.len() + 1 {
        row.push(at);
    }
    let mut whole = b.len();
    for (i, letter) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (other, above) in b.bytes().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(!letter.eq_ignore_ascii_case(&other));
            diagonal = *above;
            left = changed.min(left + 1).min(diagonal + 1);
            *above = left;
        }
        whole = left;
    }
    let mut part = a.len();
    for letters in row.iter().skip(1) {
        part = part.min(*letters);
    }
    (part, whole)
}

/// Leaves out of a list what is not to be kept: one function for all that do.
pub fn keep(list: &mut Vec<String>, is_kept: &dyn Fn(&str) -> bool) {
    list.retain(|item| is_kept(item));
}

/// Whether the byte is one of the few.
#[allow(
    clippy::manual_contains,
    reason = "contains brings a search for long lists along"
)]
pub fn is_one_of(byte: u8, few: &[u8]) -> bool {
    few.iter().any(|one| *one == byte)
}

/// Whether every byte is visible ASCII and none of `but`.
pub fn is_graphic(text: &str, but: &[u8]) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_graphic() && !is_one_of(b, but))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_the_letters_to_change() {
        for (a, b, letters) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("kitten", "sitting", 3),
            ("clientID", "clientId", 0),
            ("tokenEndpont", "tokenEndpoint", 1),
        ] {
            assert_eq!(
                (distance(a, b).1, distance(b, a).1),
                (letters, letters),
                "{a} {b}"
            );
        }
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = [
            "write",
            "read",
            "offline_access",
            "tokenEndpoint",
            "scopes",
            "scope",
        ];
        for (name, nearest) in [
            ("offline", "offline_access"),
            ("wirte", "write"),
            ("reads", "read"),
            ("token", "tokenEndpoint"),
            ("tokenendpont", "tokenEndpoint"),
            ("scop", "scope"),
        ] {
            let mut sentence = String::from(name);
            suggest(&mut sentence, name, &names);
            assert_eq!(sentence, std::format!("{name}; the nearest is {nearest}"));
        }
    }

    #[test]
    fn parts_are_found_cut_and_replaced() {
        assert_eq!(find("abcabc", "ca"), Some(2));
        assert_eq!(find("ab", "abc"), None);
        assert_eq!(cut("a::b::c", "::"), Some(("a", "b::c")));
        assert_eq!(cut("abc", "::"), None);
        assert_eq!(parts("a  b ", " "), ["a", "b"]);
        assert!(parts("", " ").is_empty());
        assert_eq!(replace("xaxax", "xa", "-"), "--x");
        assert_eq!(replace("x", "", "-"), "x");
    }

    #[test]
    fn a_clipped_text_ends_between_characters() {
        assert_eq!(clip("aéb", 2), "a");
        assert_eq!(clip("aéb", 3), "aé");
        assert_eq!(clip("ab", 9), "ab");
    }
}
