//! OAuth 2.0 in the browser: logins by authorization code with PKCE, or by the implicit grant, whose tokens
//! the page never holds.
#![cfg_attr(
    all(target_family = "wasm", feature = "rust"),
    doc = "",
    doc = include_str!("rust.md")
)]
//!
//! # The map
//!
//! Imports go down only:
//!
//! ```text
//! JavaScript   startLogin   handleRedirect   adoptToken   fetchPrivate   explain   scopesFor   session   logout   ..
//! 4 js         parse · call · translate the error
//! 3 client     ask the protocol what to do, do it with the browser
//! 2 browser    1 protocol          these two never meet
//! ```
//!
//! - [`protocol`]: the RFCs as values. No clock, no randomness, no network, no JavaScript; runs natively.
//! - `browser`: address, history, storage, fetch, clock, entropy, tasks. No word of OAuth.
//! - `client`: the flows, as straight lines of await. Never decides.
//! - What only the feature `full` has stands in modules of its own: in `client/` the flows of common sessions, of logins
//!   elsewhere and of OpenID Connect; in `browser/` what is kept, other tabs, windows; `protocol/session/common.rs` says
//!   what pages leave each other. The npm package has the module twice, without it and with it.
//! - `js`: the exports of the npm package; `rust`: the same for Rust applications (feature `rust`).
//!
//! # Invariants, each with its enforcer
//!
//! 1. `protocol` has no clock, randomness, network, storage or JavaScript: the native build.
//! 2. `browser` contains no word of RFC 6749: `tests/floors.rs`.
//! 3. No provider's name occurs in Rust; what is known of one is data, in `protocol/providers/`: `tests/floors.rs`.
//!    `tests/providers.rs` compares the data with the sandbox.
//! 4. A secret is never in a `Debug`, an error, a URL that is kept, or a log: `secret.rs` has no `Display`, and
//!    tests format every error.
//! 5. A response leaves the address bar before the first await: `address.js`, and a browser test.
//! 6. A token goes to a declared resource server only: `protocol/resource.rs`.
//! 7. Input from outside cannot panic: the lints below.
//! 8. A refresh token is sent at most once, by whichever page: `client/common.rs` under a lock and a label, and
//!    `tests/e2e/tests/tabs.rs`.
//! 9. No token is readable from the page: the natives of `browser/natives.js`, the sealed glue of `xtask`, and
//!    an end-to-end test with a canary.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod protocol;

#[cfg(all(target_family = "wasm", not(feature = "npm")))]
mod address;
#[allow(dead_code, reason = "used as soon as the client asks it")]
mod browser;
#[cfg(target_family = "wasm")]
mod client;
#[cfg(all(target_family = "wasm", feature = "js", not(feature = "npm")))]
mod js;
#[cfg(all(target_family = "wasm", feature = "npm"))]
mod npm;
#[cfg(all(target_family = "wasm", feature = "rust"))]
mod rust;

pub use protocol::error::{Error, ErrorCode};
#[cfg(all(target_family = "wasm", feature = "rust"))]
pub use rust::*;
