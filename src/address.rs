//! The address bar's part of a redirect; see `address.js`.

use alloc::string::String;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/address.js")]
extern "C" {
    /// The address as it was. If it is a response to a login of ours, the address bar no longer shows it.
    #[wasm_bindgen(js_name = takeAddress)]
    pub fn take_address() -> String;
}
