//! Floor 4 of the npm package: the export that `pkg-template/entry.js` calls, and what the module has instead of the
//! standard library.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use core::pin::Pin;
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
use wasm_bindgen::prelude::*;

use crate::browser::task::{self, Outcome};
use crate::client::Failure;

#[allow(dead_code, reason = "each part makes some of them")]
mod calls;
#[cfg_attr(feature = "full", path = "npm/full.rs")]
#[cfg_attr(not(feature = "session"), path = "npm/start.rs")]
#[cfg_attr(not(feature = "start"), path = "npm/session.rs")]
mod part;

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

/// What a call goes on with.
type Flow = Pin<Box<dyn Future<Output = Result<Outcome, Failure<JsValue>>>>>;

/// Does what `entry.js` asks for, by name, and gives a promise. One export for all: each further one costs bytes. What a
/// module answers is the part of the library that it is: `npm/start.rs`, `npm/session.rs` and `npm/full.rs` each say in a
/// table what the arguments are. The texts are JSON, but for the URL, the token and the words.
///
/// `debug` and `onSessionChange` are the entry's own: who listens stands in `natives.js`, where [`task::emit`] finds them.
#[wasm_bindgen]
pub fn ask(name: &str, first: String, second: String, value: JsValue) -> JsValue {
    task::to_promise(part::flow(name, first, second, value), part::explain)
}
