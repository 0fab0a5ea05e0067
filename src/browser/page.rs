//! What only a page has: its address and its sessionStorage.

use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;

use super::port::NotStored;
use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/page.js")]
extern "C" {
    #[wasm_bindgen(js_name = origin)]
    fn page_origin() -> String;
    #[wasm_bindgen(js_name = isFramed)]
    fn page_is_framed() -> bool;
    #[wasm_bindgen(js_name = navigate)]
    fn go(url: &str);
    #[wasm_bindgen(js_name = canStore)]
    fn can_store() -> bool;
    #[wasm_bindgen(js_name = load)]
    fn load_item(key: &str) -> Option<String>;
    #[wasm_bindgen(js_name = store)]
    fn store_item(key: &str, value: &str) -> u8;
    #[wasm_bindgen(js_name = remove)]
    fn remove_item(key: &str);
    #[wasm_bindgen(js_name = whenShownAgain)]
    fn when_shown_again(id: usize);
    #[wasm_bindgen(js_name = nthKey)]
    fn nth_key(prefix: &str, n: usize) -> Option<String>;
    #[wasm_bindgen(js_name = isOnline)]
    fn page_is_online() -> bool;
}

/// Waits until the page is shown again as it was left (from the back/forward cache).
pub async fn shown_again() {
    let _ = Answer::to(when_shown_again).await;
}

/// The page's origin; empty where there is no page.
pub fn origin() -> String {
    page_origin()
}

/// Whether this page stands in a frame of another origin's.
pub fn is_framed() -> bool {
    page_is_framed()
}

/// `false` where the device knows that it has no network.
pub fn is_online() -> bool {
    page_is_online()
}

/// Leaves for another page.
pub fn navigate(url: &str) {
    go(url);
}

/// Whether there is a sessionStorage to use.
pub fn has_storage() -> bool {
    can_store()
}

/// Reads an item.
pub fn load(key: &str) -> Option<String> {
    load_item(key)
}

/// Keeps an item until the tab is closed.
pub fn store(key: &str, value: &str) -> Result<(), NotStored> {
    match store_item(key, value) {
        0 => Ok(()),
        1 => Err(NotStored::Blocked),
        _ => Err(NotStored::Full),
    }
}

/// Removes an item.
pub fn remove(key: &str) {
    remove_item(key);
}

/// The keys that start with `prefix`, all read before any is removed.
pub fn keys(prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    while let Some(key) = nth_key(prefix, keys.len()) {
        keys.push(key);
    }
    keys
}
