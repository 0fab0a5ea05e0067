//! Tasks of a part of the npm package.

use wasm_bindgen::prelude::*;

/// Several modules may be open in a page, each a part; `natives.js` knows by the highest byte whose a number is.
pub const FIRST_ID: usize =
    (cfg!(feature = "session") as usize + cfg!(feature = "full") as usize) << 24;

/// The sealed glue connects [`resume`], half a kilobyte smaller than a closure.
pub fn connect() {}

/// The answer is there.
#[wasm_bindgen(skip_typescript)]
pub fn resume(id: usize, ok: bool, value: JsValue) {
    super::resume(id, ok, value);
}
