//! Floor 4 of the npm package: the exports that `pkg-template/entry.js` calls, and what the module has instead of the
//! standard library.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
use wasm_bindgen::prelude::*;

use crate::browser::http::Request;
use crate::browser::task::{self, Outcome};
use crate::client::{self, Failure};
use crate::protocol::config::Config;

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[global_allocator]
#[allow(unsafe_code, reason = "the allocator's word for: single-threaded")]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

/// Says nothing. No panic is reachable from outside input; this one is for bugs.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// `config` is the JSON text of the configuration, without its function `navigate`.
#[wasm_bindgen(js_name = startLogin)]
pub fn start_login(config: String, navigate: Option<JsValue>) -> JsValue {
    promise(async move {
        client::start_login(Config::parse(&config)?, navigate).await?;
        Ok(Outcome::Value(JsValue::UNDEFINED))
    })
}

/// `taken` says that `href` was the page's own address, which is clean by now.
#[wasm_bindgen(js_name = handleRedirect)]
pub fn handle_redirect(href: String, taken: bool) -> JsValue {
    promise(async move { Ok(described(client::handle_redirect(&href, taken).await?)) })
}

/// `prepared` is what `prepare` of `natives.js` gave.
#[wasm_bindgen(js_name = fetchPrivate)]
pub fn fetch_private(prepared: JsValue) -> JsValue {
    let request = Request::prepared(prepared);
    promise(async move { Ok(Outcome::Value(client::fetch_private(request).await?)) })
}

#[wasm_bindgen]
pub fn session() -> JsValue {
    promise(async { Ok(described(client::describe_session())) })
}

#[wasm_bindgen]
pub fn logout() -> JsValue {
    promise(async {
        client::logout();
        Ok(Outcome::Value(JsValue::UNDEFINED))
    })
}

fn promise(flow: impl Future<Output = Result<Outcome, Failure>> + 'static) -> JsValue {
    task::to_promise(Box::pin(flow), Failure::outcome)
}

fn described(session: Option<String>) -> Outcome {
    Outcome::Json(session.unwrap_or_else(|| String::from("null")))
}
