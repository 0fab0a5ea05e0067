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

/// At most `length` bytes, never half a character: text from outside is shown, but not whole novels.
pub fn clip(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
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
