//! A module as text (`pkg-template/text.js` reads it).
//!
//! Printable ASCII, whose alphabet is the one of WebAssembly: each byte that is common there is one character, the others
//! are two. So brotli finds in the text what it finds in the module, to 1 %; in base64 it would not. Letters stand for
//! themselves, as brotli's dictionary has them.

/// Characters that do not stand for themselves, but for a common byte.
const FREE: &[u8; 30] = b"!#$%&*+0123456789;<=>?@[]^{|}~";

/// What they stand for, in their order.
const COMMON: [u8; 30] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 20, 24, 27, 28, 33, 34, 35, 36, 48, 54, 55,
    64, 127, 128, 192,
];

/// The first character of a byte that is two.
const FIRST: [u8; 2] = [b'\'', b'`'];

/// Second characters are 35 to 126, but for a backslash: this one of them.
const BACKSLASH: usize = 57;
const SECONDS: usize = 92;

/// The character that a byte is, or the two that it is.
fn alphabet() -> [Vec<u8>; 256] {
    let mut all: [Vec<u8>; 256] = std::array::from_fn(|_| Vec::new());
    for code in 32..127 {
        if !FREE.contains(&code) && !FIRST.contains(&code) && !b"\"\\".contains(&code) {
            all[usize::from(code)] = vec![code];
        }
    }
    for (character, byte) in FREE.iter().zip(COMMON) {
        all[usize::from(byte)] = vec![*character];
    }
    let mut pairs = (0..FIRST.len() * SECONDS).filter(|at| at % SECONDS != BACKSLASH);
    for characters in all.iter_mut().filter(|characters| characters.is_empty()) {
        let at = pairs.next().expect("there are more pairs than bytes");
        *characters = vec![FIRST[at / SECONDS], 35 + (at % SECONDS) as u8];
    }
    all
}

/// Bytes as printable ASCII without quotes of any kind that a string of JavaScript would have to escape.
pub fn encode(bytes: &[u8]) -> String {
    let alphabet = alphabet();
    let characters = bytes.iter().flat_map(|byte| &alphabet[usize::from(*byte)]);
    characters.map(|code| char::from(*code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Reads it by the very lines of text.js that read it in a page.
    fn decode(text: &str) -> Vec<u8> {
        let script = include_str!("../../pkg-template/text.js");
        let from = |mark: &str| &script[script.find(mark).expect("text.js has it")..];
        let upto = |text: &'static str, mark: &str| &text[..text.find(mark).expect("its end")];
        let tables = upto(from("const FREE"), "\n\n");
        let decoded = upto(from("const decoded"), "\n}\n");
        let text = serde_json::to_string(text).expect("a literal");
        let program = format!(
            "const charCodeAt = (text, at) => text.charCodeAt(at)\nconst bufferOf = bytes => bytes.buffer\n\
             {tables}\n{decoded}\n}}\nprocess.stdout.write(decoded({text}))"
        );
        let node = Command::new("node").args(["-e", &program]).output();
        node.expect("node runs").stdout
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
