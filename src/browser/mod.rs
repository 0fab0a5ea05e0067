//! Floor 2, the browser: web objects, strings and bytes. It knows nothing of what they mean.
//!
//! `page` is what only a page has (address, history, sessionStorage); everything else a worker has too.
//! The JavaScript beside the Rust (`natives.js`, `page.js`) takes the platform's functions while the module
//! is evaluated, so that nothing the page patches later sees a value of ours.

pub mod clock;
#[cfg(feature = "full")]
pub mod crypto;
pub mod entropy;
pub mod http;
#[cfg(feature = "full")]
pub mod kept;
pub mod page;
#[cfg(feature = "full")]
pub mod tabs;
pub mod task;
#[cfg(not(feature = "npm"))]
pub mod value;
#[cfg(feature = "full")]
pub mod windows;
