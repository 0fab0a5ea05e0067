//! The other pages of this origin: locks, and a channel that all of them hear.

use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;

use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/tabs.js")]
extern "C" {
    #[wasm_bindgen(js_name = canLock)]
    fn can_lock() -> bool;
    #[wasm_bindgen(js_name = lock)]
    fn lock_named(id: usize, name: &str, milliseconds: u32);
    fn unlock(release: &JsValue);
    #[wasm_bindgen(js_name = heldLocks)]
    fn held_locks(id: usize);
    fn join();
    #[wasm_bindgen(js_name = hear)]
    fn hear_next(id: usize);
    #[wasm_bindgen(js_name = hearAnswer)]
    fn hear_answer(id: usize, mark: &str, milliseconds: u32);
    #[wasm_bindgen(js_name = tell)]
    fn tell_all(text: &str, bytes: &[u8]);
    #[wasm_bindgen(js_name = wordsOf)]
    fn words_of(message: &JsValue) -> String;
    #[wasm_bindgen(js_name = bytesIn)]
    fn bytes_in(message: &JsValue) -> Vec<u8>;
}

/// A lock of this origin. It is given back when this is dropped, and when the page dies.
pub struct Lock(Option<JsValue>);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            unlock(release);
        }
    }
}

/// Waits for a lock, at most so many milliseconds; 0 for ever.
pub async fn lock(name: &str, milliseconds: u32) -> Option<Lock> {
    let release = Answer::to(|id| lock_named(id, name, milliseconds)).await;
    Some(Lock(Some(release.ok()?)))
}

/// Whether the browser has locks.
pub fn has_locks() -> bool {
    can_lock()
}

/// The names of the locks that are held, as JSON text; `None` where nobody knows.
pub async fn held() -> Option<String> {
    if !can_lock() {
        return None;
    }
    Answer::to(held_locks).await.ok()?.as_string()
}

/// Begins to listen.
pub fn listen() {
    join();
}

/// The next message of another page: its text and its bytes.
pub async fn hear() -> Option<(String, Vec<u8>)> {
    let message = Answer::to(hear_next).await.ok()?;
    Some((words_of(&message), bytes_in(&message)))
}

/// The bytes of the first message that begins so, if it comes in time. Listens from now on, not only when polled.
pub fn answer(mark: &str, milliseconds: u32) -> impl Future<Output = Option<Vec<u8>>> + use<> {
    let answer = Answer::to(|id| hear_answer(id, mark, milliseconds));
    async move { Some(bytes_in(&answer.await.ok()?)) }
}

/// Tells every other page.
pub fn tell(text: &str, bytes: &[u8]) {
    tell_all(text, bytes);
}
