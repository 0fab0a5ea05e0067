//! JavaScript values: to JSON and back, functions.

use alloc::string::String;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    /// The JSON text of a value; empty where it has none.
    #[wasm_bindgen(js_name = toJson)]
    pub fn to_json(value: &JsValue) -> String;

    /// The value of a JSON text of ours.
    #[wasm_bindgen(js_name = fromJson)]
    pub fn from_json(text: &str) -> JsValue;

    /// A function that stands in the object itself.
    #[wasm_bindgen(js_name = ownFunction)]
    pub fn own_function(object: &JsValue, name: &str) -> Option<JsValue>;

    /// Whether a member that stands in the object itself is `true`.
    #[wasm_bindgen(js_name = ownFlag)]
    pub fn own_flag(object: &JsValue, name: &str) -> bool;

    /// The JSON text of a list of `{method, url}`, made from URLs, texts and objects with these members.
    pub fn calls(list: &JsValue) -> String;

    /// A member that stands in the object itself.
    #[wasm_bindgen(js_name = ownValue)]
    pub fn own_member(object: &JsValue, name: &str) -> JsValue;

    /// A member as text, empty where there is none; `None` where there is no object.
    #[wasm_bindgen(js_name = ownText)]
    pub fn own_text(object: &JsValue, name: &str) -> Option<String>;

    /// Adds a listener; gives the function that removes it.
    #[wasm_bindgen(js_name = listenTo)]
    pub fn listen_to(listener: &JsValue, signal: &JsValue) -> JsValue;

    /// Tells this function of each step.
    pub fn watch(listener: &JsValue);
}
