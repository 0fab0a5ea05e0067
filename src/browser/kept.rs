//! What outlives a page: items in IndexedDB, and bytes sealed with keys that nobody can read.

use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::port::{NotKept, Record};
use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/kept.js")]
extern "C" {
    #[wasm_bindgen(js_name = canKeep)]
    fn can_keep() -> bool;
    #[wasm_bindgen(js_name = canSeal)]
    fn can_seal() -> bool;
    #[wasm_bindgen(js_name = find)]
    fn find_item(id: usize, name: &str);
    #[wasm_bindgen(js_name = take)]
    fn take_item(id: usize, name: &str);
    #[wasm_bindgen(js_name = findAll)]
    fn find_items(id: usize, prefix: &str);
    #[wasm_bindgen(js_name = replace)]
    fn replace_item(
        id: usize,
        name: &str,
        expected: &str,
        text: &str,
        one: Option<&[u8]>,
        two: Option<&[u8]>,
    );
    #[wasm_bindgen(js_name = drop)]
    fn drop_item(id: usize, name: &str);
    #[wasm_bindgen(js_name = keepValue)]
    fn keep_item(id: usize, name: &str, text: &str, value: &JsValue);
    #[wasm_bindgen(js_name = lease)]
    fn lease_item(id: usize, name: &str, seconds: u32);
    #[wasm_bindgen(js_name = endLease)]
    fn end_lease_item(id: usize, name: &str);
    #[wasm_bindgen(js_name = valueOf)]
    fn value_of(item: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = textOfItem)]
    fn text_of(item: &JsValue) -> String;
    #[wasm_bindgen(js_name = nameOfItem)]
    fn name_of(item: &JsValue) -> String;
    #[wasm_bindgen(js_name = nthItem)]
    fn nth_item(items: &JsValue, n: usize) -> JsValue;
    #[wasm_bindgen(js_name = partOf)]
    fn part_of(item: &JsValue, name: &str) -> Vec<u8>;

    #[wasm_bindgen(js_name = keptKey)]
    fn kept_key(id: usize, salt: &str);
    #[wasm_bindgen(js_name = keyOf)]
    fn key_of(id: usize, bytes: &[u8]);
    #[wasm_bindgen(js_name = seal)]
    fn seal_bytes(id: usize, key: &JsValue, bound: &str, bytes: &[u8]);
    #[wasm_bindgen(js_name = unseal)]
    fn unseal_bytes(id: usize, key: &JsValue, bound: &str, bytes: &[u8]);
    fn pair(id: usize);
    #[wasm_bindgen(js_name = shownOf)]
    fn shown_of(pair: &JsValue) -> Vec<u8>;
    fn agree(id: usize, pair: &JsValue, theirs: &[u8], info: &str);
}

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[wasm_bindgen(js_name = handOver)]
    fn hand_over(bytes: &JsValue) -> Vec<u8>;
}

impl From<JsValue> for NotKept {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// Whether there is an IndexedDB to use, as far as one can know without using it.
pub fn is_there() -> bool {
    can_keep()
}

/// Whether there is WebCrypto, which browsers have on https and on this machine only.
pub fn has_crypto() -> bool {
    can_seal()
}

/// The item of this name.
pub async fn find(name: &str) -> Result<Option<Record>, NotKept> {
    item(Answer::to(|id| find_item(id, name)).await)
}

/// The item of this name, which is there no more; nobody else gets it.
pub async fn take(name: &str) -> Result<Option<Record>, NotKept> {
    item(Answer::to(|id| take_item(id, name)).await)
}

fn item(answer: Result<JsValue, JsValue>) -> Result<Option<Record>, NotKept> {
    let value = answer?;
    Ok((!value.is_undefined()).then(|| Record {
        text: text_of(&value),
        one: part_of(&value, "one"),
        two: part_of(&value, "two"),
    }))
}

/// Names and texts of the items whose names begin so.
pub async fn find_all(prefix: &str) -> Result<Vec<(String, String)>, NotKept> {
    let items = Answer::to(|id| find_items(id, prefix)).await?;
    let mut found = Vec::new();
    loop {
        let item = nth_item(&items, found.len());
        if item.is_undefined() {
            return Ok(found);
        }
        found.push((name_of(&item), text_of(&item)));
    }
}

/// Puts an item in the place of the one whose text is `expected` (empty: there is none yet). Parts that are `None` stay
/// as they were. Whether that one was there.
pub async fn replace(
    name: &str,
    expected: &str,
    text: &str,
    one: Option<&[u8]>,
    two: Option<&[u8]>,
) -> Result<bool, NotKept> {
    let answer = Answer::to(|id| replace_item(id, name, expected, text, one, two)).await?;
    Ok(answer.is_truthy())
}

/// Removes the item of this name.
pub async fn remove(name: &str) -> Result<(), NotKept> {
    Answer::to(|id| drop_item(id, name)).await?;
    Ok(())
}

/// Whether something is now this page's alone, for so many seconds at the most.
pub async fn lease(name: &str, seconds: u32) -> Result<bool, NotKept> {
    Ok(Answer::to(|id| lease_item(id, name, seconds))
        .await?
        .is_truthy())
}

/// Gives it back.
pub async fn end_lease(name: &str) -> Result<(), NotKept> {
    Answer::to(|id| end_lease_item(id, name)).await?;
    Ok(())
}

/// Keeps a value that can be cloned, a key for example, under a name, and a text about it.
pub async fn keep_value(name: &str, text: &str, value: &JsValue) -> Result<(), NotKept> {
    Answer::to(|id| keep_item(id, name, text, value)).await?;
    Ok(())
}

/// A value that was kept; undefined where there is none.
pub async fn find_value(name: &str) -> Result<JsValue, NotKept> {
    let found = Answer::to(|id| find_item(id, name)).await?;
    Ok(value_of(&found))
}

/// A key that seals and opens, and that nobody can read.
#[derive(Clone)]
pub struct Key(JsValue);

impl Key {
    /// The key of this browser and origin that goes with `salt`.
    pub async fn kept(salt: &str) -> Result<Key, NotKept> {
        Ok(Key(Answer::to(|id| kept_key(id, salt)).await?))
    }

    /// A key made of a secret that others may have too.
    pub async fn of(secret: &[u8; 32]) -> Result<Key, NotKept> {
        Ok(Key(Answer::to(|id| key_of(id, secret)).await?))
    }

    /// Seals bytes; they open with the same `bound` only.
    pub async fn seal(&self, bound: &str, bytes: &[u8]) -> Result<Vec<u8>, NotKept> {
        let sealed = Answer::to(|id| seal_bytes(id, &self.0, bound, bytes)).await?;
        Ok(hand_over(&sealed))
    }

    /// Opens what was sealed.
    pub async fn open(&self, bound: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotKept> {
        let bytes = Answer::to(|id| unseal_bytes(id, &self.0, bound, sealed)).await?;
        Ok(Zeroizing::new(hand_over(&bytes)))
    }
}

/// Half of an agreement on a key with somebody who can be heard by everybody.
pub struct Pair(JsValue);

impl Pair {
    pub async fn new() -> Result<Pair, NotKept> {
        Ok(Pair(Answer::to(pair).await?))
    }

    /// What the other side needs, and anybody may see.
    pub fn shown(&self) -> Vec<u8> {
        shown_of(&self.0)
    }

    /// The key that the other side gets as well; `info` says what it is for.
    pub async fn agree(&self, theirs: &[u8], info: &str) -> Result<Key, NotKept> {
        Ok(Key(Answer::to(|id| agree(id, &self.0, theirs, info)).await?))
    }
}
