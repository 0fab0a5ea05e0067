//! `application/x-www-form-urlencoded` (RFC 6749 appendix B), read strictly.

use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Json, Members};
use super::text;

/// Reads the name and value pairs of a query, fragment or form body, repeated ones too; each value is a string.
/// `None` if a percent sign is not an escape or the bytes are not UTF-8.
pub fn parse(form: &str) -> Option<Members> {
    let mut pairs = Members::new();
    for pair in text::parts(form, "&") {
        let (name, value) = text::cut(pair, "=").unwrap_or((pair, ""));
        pairs.push((decode(name)?, Json::String(decode(value)?)));
    }
    Some(pairs)
}

/// Appends `name=value`, with `&` before it where something stands already.
pub fn append(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() && !out.ends_with("?") && !out.ends_with("&") {
        out.push('&');
    }
    encode(name, out);
    out.push('=');
    encode(value, out);
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3).
pub fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(byte.into());
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0').into());
            }
        }
    }
}

/// `unreserved` (RFC 3986 section 2.3).
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || text::is_one_of(byte, b"-._~")
}

/// Undoes the encoding of one name or value; `+` is a space.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let digit = |rest: &mut core::str::Bytes<'_>| char::from(rest.next()?).to_digit(16);
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (digit(&mut rest)? * 16 + digit(&mut rest)?) as u8,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 appendix B.
    #[test]
    fn rfc6749_appendix_b() {
        let text = " %&+£€";
        let mut out = String::new();
        encode(text, &mut out);
        assert_eq!(out, "%20%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(decode("+%25%26%2B%C2%A3%E2%82%AC").as_deref(), Some(text));
    }

    #[test]
    fn pairs_are_read_in_order_and_empty_ones_passed_over() {
        let pairs = parse("a=1&&b&c=x=y").expect("a form");
        let want = [("a", "1"), ("b", ""), ("c", "x=y")];
        assert_eq!(pairs, want.map(|(n, v)| (n.into(), Json::String(v.into()))));
        assert_eq!(parse(""), Some(Vec::new()));
    }

    #[test]
    fn broken_escapes_are_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff", "%=b", "a=%+1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_are_joined_by_ampersands() {
        let mut out = String::from("https://as.example/authorize?");
        append(&mut out, "a", "1 2");
        append(&mut out, "b", "&");
        assert_eq!(out, "https://as.example/authorize?a=1%202&b=%26");
    }
}
