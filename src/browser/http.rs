//! Requests: the library's own forms, and the caller's requests with one header more.

use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    fn post(id: usize, url: &str, form: &str, limit: u32, milliseconds: u32);
    fn wipe(bytes: &JsValue);

    #[wasm_bindgen(catch)]
    fn request(input: &JsValue, init: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = cloneRequest, catch)]
    fn clone_request(request: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = urlOf)]
    fn url_of(request: &JsValue) -> String;
    #[wasm_bindgen(js_name = methodOf)]
    fn method_of(request: &JsValue) -> String;
    #[wasm_bindgen(js_name = modeOf)]
    fn mode_of(request: &JsValue) -> String;
    #[wasm_bindgen(js_name = requestHas)]
    fn request_has(request: &JsValue, name: &str) -> bool;
    #[wasm_bindgen(js_name = hasStream)]
    fn has_stream(init: &JsValue) -> bool;
    #[wasm_bindgen(js_name = ownFlag)]
    fn own_flag(init: &JsValue, name: &str) -> bool;
    fn send(id: usize, request: &JsValue, init: &JsValue, name: &str, value: &str);
    fn status(response: &JsValue) -> u16;
    fn header(response: &JsValue, name: &str) -> String;

    type Posted;
    #[wasm_bindgen(method, getter, structural)]
    fn status(this: &Posted) -> u16;
    #[wasm_bindgen(method, getter, structural, js_name = contentType)]
    fn content_type(this: &Posted) -> String;
    #[wasm_bindgen(method, getter, structural)]
    fn body(this: &Posted) -> JsValue;
    #[wasm_bindgen(method, getter, structural, js_name = body)]
    fn bytes(this: &Posted) -> Vec<u8>;
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
    let answer = Answer::to(|id| post(id, url, &form, limit, milliseconds));
    drop(form);
    let posted = match answer.await {
        Ok(posted) => posted.unchecked_into::<Posted>(),
        Err(name) if name.as_string().as_deref() == Some("TimeoutError") => {
            return Err(Unanswered::Timeout);
        }
        Err(_) => return Err(Unanswered::Network),
    };
    if posted.body().is_null() {
        return Err(Unanswered::TooLarge);
    }
    let answered = Answered {
        status: posted.status(),
        content_type: posted.content_type(),
        body: Zeroizing::new(posted.bytes()),
    };
    wipe(&posted.body());
    Ok(answered)
}

/// A request as `fetch(input, init)` would make it, which the caller can no longer reach.
pub struct Request {
    request: JsValue,
    init: JsValue,
}

impl Request {
    /// `Err` is what `fetch` would throw.
    pub fn new(input: &JsValue, init: JsValue) -> Result<Self, JsValue> {
        let request = request(input, &init)?;
        Ok(Self { request, init })
    }

    /// The URL that will be fetched, as the browser serialises it.
    pub fn url(&self) -> String {
        url_of(&self.request)
    }

    pub fn mode(&self) -> String {
        mode_of(&self.request)
    }

    pub fn has_header(&self, name: &str) -> bool {
        request_has(&self.request, name)
    }

    /// Whether it may be sent twice: a safe method (RFC 9110 section 9.2.1) or the caller's word for it,
    /// and no stream for a body.
    pub fn is_repeatable(&self) -> bool {
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&method_of(&self.request).as_str());
        (safe || own_flag(&self.init, "idempotent")) && !has_stream(&self.init)
    }

    /// The same request once more.
    pub fn copy(&self) -> Option<Self> {
        Some(Self {
            request: clone_request(&self.request).ok()?,
            init: self.init.clone(),
        })
    }

    /// Sends it with one header more. The answer is what `fetch` gives, or throws.
    pub async fn send_with(self, name: &str, value: Zeroizing<String>) -> Result<JsValue, JsValue> {
        let answer = Answer::to(|id| send(id, &self.request, &self.init, name, &value));
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
