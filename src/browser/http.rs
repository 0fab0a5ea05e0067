//! Requests: the library's own forms, and the caller's requests with one header more.

use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    fn post(id: usize, url: &str, form: &str, milliseconds: u32);
    #[wasm_bindgen(js_name = readBody)]
    fn read_body(id: usize, response: &JsValue, limit: u32);
    #[wasm_bindgen(js_name = handOver)]
    fn hand_over(bytes: &JsValue) -> Vec<u8>;
    #[wasm_bindgen(js_name = nameOf)]
    fn name_of(reason: &JsValue) -> String;
    fn status(response: &JsValue) -> u16;
    fn header(response: &JsValue, name: &str) -> String;

    #[cfg(not(feature = "npm"))]
    #[wasm_bindgen(catch)]
    fn prepare(input: &JsValue, init: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = textOf)]
    fn text_of(prepared: &JsValue) -> String;
    fn send(id: usize, prepared: &JsValue, name: &str, value: &str, again: bool);
}

/// An answer to [`post_form`].
pub struct Answered {
    pub status: u16,
    pub content_type: String,
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is none.
#[derive(Clone, Copy)]
pub enum Unanswered {
    /// Offline, blocked, refused by CORS, redirected, cut off: a page is not told which.
    Network,
    Timeout,
    TooLarge,
}

/// Sends a form and reads at most `limit` bytes of the answer.
pub async fn post_form(
    url: &str,
    form: Zeroizing<String>,
    limit: u32,
    milliseconds: u32,
) -> Result<Answered, Unanswered> {
    let answer = Answer::to(|id| post(id, url, &form, milliseconds));
    drop(form);
    let response = answer.await.map_err(unanswered)?;
    let body = Answer::to(|id| read_body(id, &response, limit)).await;
    let body = body.map_err(unanswered)?;
    Ok(Answered {
        status: status(&response),
        content_type: header(&response, "content-type"),
        body: Zeroizing::new(hand_over(&body)),
    })
}

fn unanswered(reason: JsValue) -> Unanswered {
    match name_of(&reason).as_str() {
        "TimeoutError" => Unanswered::Timeout,
        "TooLarge" => Unanswered::TooLarge,
        _ => Unanswered::Network,
    }
}

/// A request as `fetch(input, init)` would make it, which the caller can no longer reach.
pub struct Request(JsValue);

impl Request {
    /// `Err` is what `fetch` would throw.
    #[cfg(not(feature = "npm"))]
    pub fn new(input: &JsValue, init: &JsValue) -> Result<Self, JsValue> {
        prepare(input, init).map(Self)
    }

    /// What `prepare` of `natives.js` gave.
    #[cfg(feature = "npm")]
    pub fn prepared(prepared: JsValue) -> Self {
        Self(prepared)
    }

    /// What is to be known of it, as JSON text: `url` (as the browser serialises what it will fetch), `method`,
    /// `mode`, `authorization` (whether the header is there), `stream` (whether the body is one), `idempotent`.
    pub fn inspect(&self) -> String {
        text_of(&self.0)
    }

    /// Sends it with one header more. The answer is what `fetch` gives, or throws. Only where `again` says so may
    /// it be sent once more.
    pub async fn send_with(
        &self,
        name: &str,
        value: Zeroizing<String>,
        again: bool,
    ) -> Result<JsValue, JsValue> {
        let answer = Answer::to(|id| send(id, &self.0, name, &value, again));
        drop(value);
        answer.await
    }
}

/// The status of a native response.
pub fn status_of(response: &JsValue) -> u16 {
    status(response)
}

/// A header of a native response; empty where there is none or the page may not read it.
pub fn header_of(response: &JsValue, name: &str) -> String {
    header(response, name)
}
