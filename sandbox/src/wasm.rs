//! The sandbox as a module for Node: `npm/server.mjs` has the socket.

use std::sync::Arc;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Delayed, Dropped, Sandbox};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn milliseconds() -> f64;
}

/// Seconds since 1970.
pub fn system_clock() -> u64 {
    (milliseconds() / 1000.0) as u64
}

/// The whole provider.
#[wasm_bindgen(js_name = Sandbox)]
#[derive(Default)]
pub struct Provider(Arc<Sandbox>);

/// What is to be sent back.
#[wasm_bindgen(getter_with_clone)]
pub struct Answer {
    pub status: u16,
    /// Names and values in turn.
    pub headers: Vec<String>,
    pub body: Vec<u8>,
    /// Milliseconds to wait first.
    pub delay: u32,
    /// Close the connection instead.
    pub dropped: bool,
}

#[wasm_bindgen(js_class = Sandbox)]
impl Provider {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Provider {
        Provider::default()
    }

    /// Changes settings, a JSON object of those that change; throws a sentence that names what is wrong.
    pub fn change(&self, settings: &str) -> Result<(), String> {
        let patch = serde_json::from_str(settings).map_err(|error| error.to_string())?;
        let patched = self.0.settings().patched(&patch)?;
        self.0.change(|settings| *settings = patched);
        Ok(())
    }

    /// Answers one request; `headers` are names and values in turn.
    pub async fn receive(
        &self,
        method: String,
        url: String,
        headers: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Answer, String> {
        let mut request = http::Request::builder().method(method.as_str()).uri(url);
        for pair in headers.chunks_exact(2) {
            if let [name, value] = pair {
                request = request.header(name, value);
            }
        }
        let request = request.body(body).map_err(|error| error.to_string())?;
        let answer = self.0.receive(request).await;
        let (parts, body) = answer.into_parts();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .flat_map(|(name, value)| [name.as_str().into(), text(value)])
                .collect(),
            delay: parts
                .extensions
                .get()
                .map_or(0, |Delayed(wait)| wait.as_millis() as u32),
            dropped: parts.extensions.get::<Dropped>().is_some(),
            body,
        })
    }
}
