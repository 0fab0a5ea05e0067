//! A module as text (`pkg-template/text.js` reads it).
//!
//! Printable ASCII, whose alphabet is the one of WebAssembly: each byte that is common there is one character, the others
//! are two. So brotli finds in the text what it finds in the module, to 1 %; in base64 it would not. Letters stand for
//! themselves, as brotli's dictionary has them.

use crate::workspace::root;
use anyhow::{Context as _, Result, ensure};
use std::io::Write as _;
use std::process::{Command, Stdio};

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

/// A module as a text, and whether a page reads it back, by the lines that are in the package.
pub fn of_module(wasm: &[u8]) -> Result<String> {
    let text = encode(&crate::pack::pack(wasm)?);
    ensure!(read(&text)? == wasm, "the text gives another module");
    Ok(text)
}

/// Bytes as printable ASCII without the quotes that a string of JavaScript would have to escape.
fn encode(bytes: &[u8]) -> String {
    let alphabet = alphabet();
    let characters = bytes.iter().flat_map(|byte| &alphabet[usize::from(*byte)]);
    characters.map(|code| char::from(*code)).collect()
}

/// Has Node read a text by `pkg-template/text.js`.
fn read(text: &str) -> Result<Vec<u8>> {
    let script = root().join("pkg-template/text.js");
    let program = format!(
        "import {{ readFileSync }} from 'node:fs'\n\
         import {{ decoded }} from {}\n\
         process.stdout.write(decoded(readFileSync(0, 'latin1')))",
        serde_json::to_string(&script)?
    );
    let mut node = Command::new("node")
        .args(["--input-type=module", "-e", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("node")?;
    let mut input = node.stdin.take().context("its input")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = node.wait_with_output()?;
    ensure!(output.status.success(), "Node could not read the text");
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::write_number;

    /// A module with each kind of operand, whose data has every byte.
    fn module() -> Vec<u8> {
        let mut body = vec![2, 3, 0x7f, 0x80, 0x01, 0x7c];
        body.extend([0x02, 0x40, 0x03, 0x7f, 0x04, 0x40, 0x05, 0x0b]);
        body.extend([0x0e, 2, 0, 1, 0, 0x0b, 0x0c, 0, 0x0d, 1, 0x0b]);
        body.extend([
            0x10, 0xff, 0x01, 0x11, 0x85, 0x02, 0, 0x20, 1, 0x21, 0x80, 0x01,
        ]);
        body.extend([
            0x23, 0, 0x24, 1, 0x25, 0, 0x26, 1, 0x41, 0x80, 0x80, 0xc0, 0x00,
        ]);
        body.extend([0x42, 0x7f, 0x43, 0x0b, 0x0b, 0x0b, 0x0b, 0x1c, 1, 0x7f]);
        body.extend([
            0x44, 1, 2, 3, 4, 5, 6, 7, 0x0b, 0x3f, 0, 0xd0, 0x6f, 0xfc, 0,
        ]);
        body.extend([0xfc, 10, 0, 0, 0xfc, 11, 0]);
        for operation in 0x28..=0x3e {
            body.extend([operation, 0, 4, operation, 3, 0x80, 0x01]);
            body.extend([operation, 1, 4, operation, 2, 4]);
        }
        body.push(0x0b);
        let mut code = vec![2];
        for body in [&body[..], &[0, 0x0b]] {
            write_number(&mut code, body.len());
            code.extend(body);
        }
        let mut wasm = b"\0asm\x01\0\0\0\x01\x02ab".to_vec();
        for (id, section) in [(10, code), (11, (0..=255).chain((0..=255).rev()).collect())] {
            wasm.push(id);
            write_number(&mut wasm, section.len());
            wasm.extend(section);
        }
        wasm
    }

    #[test]
    fn every_operation_and_every_byte_come_back_from_printable_text() {
        let text = of_module(&module()).expect("it comes back");
        assert!(
            text.bytes()
                .all(|b| (32..127).contains(&b) && b != b'"' && b != b'\\')
        );
    }

    #[test]
    fn a_module_that_is_cut_off_or_has_unknown_operations_is_refused() {
        let whole = module();
        for end in 9..whole.len() - 515 {
            assert!(of_module(&whole[..end]).is_err());
        }
        let unknown = b"\0asm\x01\0\0\0\x0a\x05\x01\x03\0\xf0\x0b";
        assert!(of_module(unknown).is_err());
    }
}
