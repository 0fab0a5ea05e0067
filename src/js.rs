//! Floor 4, JavaScript: parse, call, translate the error.
//!
//! The types are in `types.d.ts`. Every export is a function that returns a promise.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use wasm_bindgen::prelude::*;

use crate::browser::{task, value};
use crate::client::{self, Failure};
use crate::protocol::config::Config;
use crate::protocol::error::ErrorCode;
use crate::protocol::json::Json;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Starts a login and leaves the page.
#[wasm_bindgen(js_name = startLogin, skip_typescript)]
pub fn start_login(config: JsValue) -> JsValue {
    promise(async move {
        let (config, navigate) = read_config(&config)?;
        client::start_login(config, navigate).await?;
        Ok(JsValue::UNDEFINED)
    })
}

/// Answers the redirect that brought the user back. `taken` says that `url` was the page's own address.
#[wasm_bindgen(js_name = handleRedirect, skip_typescript)]
pub fn handle_redirect(url: Option<String>, taken: bool) -> JsValue {
    // The npm package's entry has cleaned the address bar before this module was there.
    #[cfg(feature = "npm")]
    let (href, taken) = (url.unwrap_or_default(), taken);
    #[cfg(not(feature = "npm"))]
    let (href, taken) = match url {
        Some(url) => (url, taken),
        None => (crate::address::take_address(), true),
    };
    promise(async move { Ok(described(client::handle_redirect(&href, taken).await?)) })
}

/// `fetch` with the token of the session that the URL belongs to.
#[wasm_bindgen(js_name = fetchPrivate, skip_typescript)]
pub fn fetch_private(input: JsValue, init: JsValue) -> JsValue {
    promise(async move { client::fetch_private(&input, init).await })
}

/// What is known of the session.
#[wasm_bindgen(skip_typescript)]
pub fn session() -> JsValue {
    promise(async { Ok(described(client::describe_session())) })
}

/// Forgets the session.
#[wasm_bindgen(skip_typescript)]
pub fn logout() -> JsValue {
    promise(async {
        client::logout();
        Ok(JsValue::UNDEFINED)
    })
}

fn promise(flow: impl Future<Output = Result<JsValue, Failure>> + 'static) -> JsValue {
    task::to_promise(Box::pin(flow), |failure| match failure {
        Failure::OAuth(error) => value::error(&error.to_json()),
        Failure::Native(reason) => reason,
    })
}

fn described(session: Option<String>) -> JsValue {
    match session {
        Some(text) => value::from_json(&text),
        None => JsValue::NULL,
    }
}

/// The configuration is data, but for `navigate`, which is a function.
fn read_config(config: &JsValue) -> Result<(Config, Option<JsValue>), Failure> {
    let Some(json) = Json::parse(value::to_json(config).as_bytes()) else {
        return Err(ErrorCode::InvalidConfig
            .at("the configuration must be plain data")
            .into());
    };
    // An object, if it is a configuration: only then it may have a function.
    let read = Config::read(json)?;
    Ok((read, value::own_function(config, "navigate")))
}
