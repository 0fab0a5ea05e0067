//! `application/x-www-form-urlencoded` (RFC 6749 appendix B), read strictly.

use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Json, Members};
use super::text;

/// Reads the name and value pairs of a query, fragment or form body, repeated ones too; each value is a string.
/// Nothing is refused here, or one broken parameter would hide all the others: see [`decode`].
pub fn parse(form: &str) -> Members {
    let mut pairs = Members::new();
    for pair in text::parts(form, "&") {
        let (name, value) = text::cut(pair, "=").unwrap_or((pair, ""));
        pairs.push((decode(name), Json::String(decode(value))));
    }
    pairs
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

/// Undoes the encoding of one name or value; `+` is a space. A percent sign that is no escape stands for itself;
/// what is not UTF-8 then becomes a single replacement character, which no state, code or token can have.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let mut decoded = *byte;
        if *byte == b'+' {
            decoded = b' ';
        } else if *byte == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            rest = after;
            decoded = (high * 16 + low) as u8;
        }
        bytes.push(decoded);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| String::from("\u{fffd}"))
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
        assert_eq!(decode("+%25%26%2B%C2%A3%E2%82%AC"), text);
    }

    #[test]
    fn pairs_are_read_in_order_and_empty_ones_passed_over() {
        let pairs = parse("a=1&&b&c=x=y");
        let want = [("a", "1"), ("b", ""), ("c", "x=y")];
        assert_eq!(pairs, want.map(|(n, v)| (n.into(), Json::String(v.into()))));
        assert!(parse("").is_empty());
    }

    #[test]
    fn broken_escapes_hide_nothing_else() {
        for (text, want) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%+1", "% 1"),
            ("cancel%F3", "\u{fffd}"),
            ("%f", "%f"),
        ] {
            assert_eq!(decode(text), want, "{text}");
        }
        let pairs = parse("a=%ff&b=2");
        assert_eq!(pairs[1], ("b".into(), Json::String("2".into())));
    }

    #[test]
    fn pairs_are_joined_by_ampersands() {
        let mut out = String::from("https://as.example/authorize?");
        append(&mut out, "a", "1 2");
        append(&mut out, "b", "&");
        assert_eq!(out, "https://as.example/authorize?a=1%202&b=%26");
    }
}
