//! Floor 2, the browser: web objects, strings and bytes. It knows nothing of what they mean.
//!
//! `port` says what the flows ask of a browser; the rest is the one that runs. `page` is what only a page has (address,
//! history, sessionStorage); everything else a worker has too. The JavaScript beside the Rust (`natives.js`, `page.js`)
//! takes the platform's functions while the module is evaluated, so that nothing the page patches later sees a value of
//! ours.

pub mod local;
pub mod port;

#[cfg(target_family = "wasm")]
pub mod clock;
#[cfg(target_family = "wasm")]
pub mod crypto;
#[cfg(target_family = "wasm")]
pub mod entropy;
#[cfg(target_family = "wasm")]
pub mod http;
#[cfg(target_family = "wasm")]
pub mod kept;
#[cfg(target_family = "wasm")]
pub mod page;
#[cfg(target_family = "wasm")]
pub mod parts;
#[cfg(target_family = "wasm")]
pub mod tabs;
#[cfg(target_family = "wasm")]
pub mod task;
#[cfg(target_family = "wasm")]
pub mod value;
#[cfg(target_family = "wasm")]
pub mod web;
#[cfg(target_family = "wasm")]
pub mod windows;
