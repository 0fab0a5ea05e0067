//! Floor 2, the browser: web objects, strings and bytes. It knows nothing of what they mean.
//!
//! `port` says what the flows ask of a browser; the rest is the one that runs. `page` is what only a page has (address,
//! history, sessionStorage); everything else a worker has too. The JavaScript beside the Rust (`natives.js`, `page.js`)
//! takes the platform's functions while the module is evaluated, so that nothing the page patches later sees a value of
//! ours.

pub mod local;
#[cfg_attr(
    not(feature = "full"),
    allow(dead_code, reason = "for those who need it")
)]
pub mod port;

#[cfg(target_family = "wasm")]
pub mod clock;
#[cfg(all(target_family = "wasm", feature = "full"))]
pub mod crypto;
#[cfg(target_family = "wasm")]
pub mod entropy;
#[cfg(target_family = "wasm")]
pub mod http;
#[cfg(all(target_family = "wasm", feature = "full"))]
pub mod kept;
#[cfg(target_family = "wasm")]
pub mod page;
#[cfg(all(target_family = "wasm", feature = "npm"))]
pub mod parts;
#[cfg(all(target_family = "wasm", feature = "full"))]
pub mod tabs;
#[cfg(target_family = "wasm")]
pub mod task;
#[cfg(all(target_family = "wasm", not(feature = "npm")))]
pub mod value;
#[cfg(target_family = "wasm")]
pub mod web;
#[cfg(all(target_family = "wasm", feature = "full"))]
pub mod windows;
