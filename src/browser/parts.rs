//! Bytes that one part of the library leaves for another; no page sees them.

use alloc::vec::Vec;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    /// Leaves them.
    #[wasm_bindgen(js_name = handOn)]
    pub fn hand_on(bytes: &[u8]);

    /// Takes them; there are none any more.
    #[wasm_bindgen(js_name = handedOn)]
    pub fn handed_on() -> Vec<u8>;
}
