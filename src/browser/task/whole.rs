//! Tasks of a module that stands for the whole library.

use core::mem;
use wasm_bindgen::prelude::*;

use crate::browser::local::Local;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[wasm_bindgen(js_name = connect)]
    fn connect_to(callback: &JsValue);
}

pub const FIRST_ID: usize = 0;

static CONNECTED: Local<bool> = Local::new(false);

/// Has `natives.js` say when an answer is there.
pub fn connect() {
    if !CONNECTED.with(|connected| mem::replace(connected, true)) {
        let callback: Closure<dyn FnMut(usize, bool, JsValue)> = Closure::new(super::resume);
        connect_to(&callback.into_js_value());
    }
}
