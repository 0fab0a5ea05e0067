//! The module as text, for the entries that carry it within (`pkg-template/decoded.js` reads it).

/// Printable characters that cannot stand for themselves, in the order of their codes from 67 on.
const ESCAPED: [u8; 5] = [b'"', b'\\', b'}', b'~', 127];

/// Bytes as printable ASCII: `~` is 128 more, `}` a control character (35 less) or one of the escaped.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if *byte >= 128 {
            text.push('~');
        }
        let low = byte & 127;
        let escaped = ESCAPED.iter().position(|special| *special == low);
        if low < 32 {
            text.push('}');
            text.push(char::from(low + 35));
        } else if let Some(at) = escaped {
            text.push('}');
            text.push(char::from(67 + at as u8));
        } else {
            text.push(char::from(low));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What decoded.js does.
    fn decode(text: &str) -> Vec<u8> {
        let mut codes = text.bytes();
        let mut bytes = Vec::new();
        let mut high = 0;
        while let Some(code) = codes.next() {
            let low = match code {
                b'~' => {
                    high = 128;
                    continue;
                }
                b'}' => match codes.next().expect("an escape has two characters") {
                    escaped @ ..67 => escaped - 35,
                    escaped => ESCAPED[usize::from(escaped - 67)],
                },
                same => same,
            };
            bytes.push(low + high);
            high = 0;
        }
        bytes
    }

    #[test]
    fn every_byte_comes_back_from_printable_text() {
        let bytes: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let text = encode(&bytes);
        assert!(
            text.bytes()
                .all(|b| (32..127).contains(&b) && b != b'"' && b != b'\\')
        );
        assert_eq!(decode(&text), bytes);
    }
}
