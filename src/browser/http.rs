//! Requests: the library's own forms, and the caller's requests with one header more.

use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::port::{OwnRequest, OwnResponse, Unanswered};
use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[allow(clippy::too_many_arguments, reason = "what a request has")]
    fn request(
        id: usize,
        method: &str,
        url: &str,
        form: &str,
        auth: &str,
        milliseconds: u32,
        name: &str,
        value: &str,
    );
    #[wasm_bindgen(js_name = addHeader)]
    fn add_header(prepared: &JsValue, name: &str, value: &str);
    #[wasm_bindgen(js_name = readBody)]
    fn read_body(id: usize, response: &JsValue, limit: u32);
    #[wasm_bindgen(js_name = handOver)]
    fn hand_over(bytes: &JsValue) -> Vec<u8>;
    fn status(response: &JsValue) -> u16;
    fn header(response: &JsValue, name: &str) -> String;
    #[wasm_bindgen(js_name = retryAfter)]
    fn retry_after(response: &JsValue) -> i32;
    fn note(response: &JsValue, prepared: &JsValue);
    fn sleep(id: usize, milliseconds: u32);
    fn reach(id: usize, url: &str, milliseconds: u32);

    #[wasm_bindgen(catch)]
    fn prepare(input: &JsValue, init: &JsValue, names: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = bodyOf)]
    fn hand_over_body(found: &JsValue) -> Vec<u8>;
    #[wasm_bindgen(js_name = inspectLater)]
    fn inspect_later(id: usize, response: &JsValue);
    #[wasm_bindgen(js_name = textOf)]
    fn text_of(prepared: &JsValue) -> String;
    fn send(
        id: usize,
        prepared: &JsValue,
        name: &str,
        value: &str,
        more: &str,
        more_value: &str,
        again: bool,
    );
}

/// Sends a request, at once, and reads at most `limit` bytes of the answer.
pub fn ask(
    own: &OwnRequest<'_>,
    limit: u32,
    milliseconds: u32,
) -> impl Future<Output = Result<OwnResponse, Unanswered>> + use<> {
    let wanted = own.wanted;
    let answer = Answer::to(|id| {
        let (form, auth) = (&own.form, &own.authorization);
        let (name, value) = &own.more;
        request(
            id,
            own.method,
            own.url,
            form,
            auth,
            milliseconds,
            name,
            value,
        );
    });
    async move {
        let response = answer.await.map_err(unanswered)?;
        let body = Answer::to(|id| read_body(id, &response, limit)).await;
        let body = body.map_err(unanswered)?;
        Ok(OwnResponse {
            status: status(&response),
            content_type: header(&response, "content-type"),
            retry_after: retry_after_of(&response),
            body: Zeroizing::new(hand_over(&body)),
            wanted: header(&response, wanted),
        })
    }
}

/// Whether the server behind an address answers at all.
pub async fn is_reachable(url: &str, milliseconds: u32) -> bool {
    Answer::to(|id| reach(id, url, milliseconds)).await.is_ok()
}

/// Waits.
pub async fn pause(milliseconds: u32) {
    let _ = Answer::to(|id| sleep(id, milliseconds)).await;
}

fn unanswered(reason: JsValue) -> Unanswered {
    match reason.as_string().unwrap_or_default().as_str() {
        // WebKit says it so; nothing but the time-out aborts a request of ours.
        "TimeoutError" | "AbortError" => Unanswered::Timeout,
        "TooLarge" => Unanswered::TooLarge,
        _ => Unanswered::Network,
    }
}

/// A request as `fetch(input, init)` would make it, which the caller can no longer reach.
pub struct Request(JsValue);

impl Request {
    /// `names` are the members of `init` that are not `fetch`'s, but ours. `Err` is what `fetch` would throw.
    pub fn new(input: &JsValue, init: &JsValue, names: &str) -> Result<Self, JsValue> {
        prepare(input, init, names).map(Self)
    }

    /// What `prepare` of `natives.js` gave.
    pub fn prepared(prepared: JsValue) -> Self {
        Self(prepared)
    }

    /// What is to be known of it, in lines; see [`Browser`](super::port::Browser).
    pub fn inspect(&self) -> String {
        text_of(&self.0)
    }

    /// Sends it with these headers besides; those without a name do not count. The answer is what `fetch` gives, or
    /// throws. Only where `again` says so may it be sent once more.
    pub async fn send_with(
        &self,
        [first, second, third]: [(&str, &str); 3],
        again: bool,
    ) -> Result<JsValue, JsValue> {
        if !third.0.is_empty() {
            add_header(&self.0, third.0, third.1);
        }
        let answer =
            Answer::to(|id| send(id, &self.0, first.0, first.1, second.0, second.1, again));
        let response = answer.await?;
        note(&response, &self.0);
        Ok(response)
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

/// `Retry-After` (RFC 9110 section 10.2.3) of a native response, a number or a date, in seconds from now.
pub fn retry_after_of(response: &JsValue) -> Option<u32> {
    u32::try_from(retry_after(response)).ok()
}

/// What is to be known of a response, as JSON text, and its body as far as it is short. `Err` where it is none.
pub async fn inspect(response: &JsValue) -> Result<(String, Vec<u8>), JsValue> {
    let found = Answer::to(|id| inspect_later(id, response)).await?;
    Ok((text_of(&found), hand_over_body(&found)))
}

/// The bytes of a `Uint8Array` of ours.
pub fn bytes_of(value: &JsValue) -> Vec<u8> {
    hand_over(value)
}
