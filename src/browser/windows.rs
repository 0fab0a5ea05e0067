//! Windows and frames that this page opens, and what a page in one of them has to tell.

use alloc::string::String;
use wasm_bindgen::prelude::*;

use super::port::WindowError;
use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/windows.js")]
extern "C" {
    fn popup() -> JsValue;
    fn frame() -> JsValue;
    fn guide(place: &JsValue, url: &str);
    #[wasm_bindgen(js_name = putAway)]
    fn put_away(place: &JsValue);
    #[wasm_bindgen(js_name = answerOf)]
    fn answer_of(id: usize, place: &JsValue, name: &str, milliseconds: u32);
    #[wasm_bindgen(js_name = deliver)]
    fn deliver_to(id: usize, name: &str, text: &str);
    fn leave();
}

/// A window or a frame of ours.
pub struct Window(JsValue);

impl Window {
    /// A popup; `None` where the browser blocks it. To be called while the user's click is handled.
    pub fn popup() -> Option<Window> {
        Window::opened(popup())
    }

    /// What `popup` of `windows.js` gave.
    pub fn opened(value: JsValue) -> Option<Window> {
        (!value.is_undefined()).then_some(Window(value))
    }

    /// A frame that nobody sees.
    pub fn frame() -> Window {
        Window(frame())
    }

    /// Shows an address, and waits for what a page there says under this name.
    pub async fn answer(
        &self,
        url: &str,
        name: &str,
        milliseconds: u32,
    ) -> Result<String, WindowError> {
        let answer = Answer::to(|id| answer_of(id, &self.0, name, milliseconds));
        guide(&self.0, url);
        match answer.await {
            Ok(text) => Ok(text.as_string().unwrap_or_default()),
            Err(reason) if reason.as_string().as_deref() == Some("Closed") => {
                Err(WindowError::Closed)
            }
            Err(_) => Err(WindowError::Timeout),
        }
    }
}

/// It is closed when nobody waits for it any more.
impl Drop for Window {
    fn drop(&mut self) {
        put_away(&self.0);
    }
}

/// Tells the page that waits under this name. Whether it has heard.
pub async fn deliver(name: &str, text: &str) -> bool {
    Answer::to(|id| deliver_to(id, name, text)).await.is_ok()
}

/// Closes this window, where it is one that a page has opened.
pub fn close_own() {
    leave();
}
