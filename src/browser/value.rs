//! JavaScript values: to JSON and back, errors, callbacks.

use alloc::string::String;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    /// The JSON text of a value; `None` where it has none (`undefined`, a function). `Err` is what a getter threw.
    #[wasm_bindgen(js_name = toJson, catch)]
    pub fn to_json(value: &JsValue) -> Result<Option<String>, JsValue>;

    /// The value of a JSON text of ours.
    #[wasm_bindgen(js_name = fromJson)]
    pub fn from_json(text: &str) -> JsValue;

    /// A real Error with the members of a JSON text of ours.
    pub fn error(text: &str) -> JsValue;

    /// A function that stands in the object itself.
    #[wasm_bindgen(js_name = ownFunction, catch)]
    pub fn own_function(object: &JsValue, name: &str) -> Result<JsValue, JsValue>;

    /// Calls a function of the caller's.
    #[wasm_bindgen(js_name = callWith, catch)]
    pub fn call_with(callback: &JsValue, value: &str) -> Result<JsValue, JsValue>;
}
