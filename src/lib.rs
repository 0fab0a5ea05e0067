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
//! 4 doors      parse · call · translate the error
//! 3 client     ask the protocol what to do, do it with the browser
//! 2 browser    1 protocol          these two never meet
//! ```
//!
//! - [`protocol`]: the RFCs as values. No clock, no randomness, no network, no JavaScript; runs natively.
//! - `browser`: address, history, storage, fetch, clock, entropy, tasks. No word of OAuth. `browser/port.rs` says as traits
//!   what the flows ask of it; `browser/web.rs` is the one that runs.
//! - `client`: the flows, as straight lines of await, of whatever browser implements the port: natively a simulated one.
//!   Never decides. What starts a login and what answers it are separate halves that meet in a stored record.
//! - What only some applications need stands in modules of its own, each with an empty twin: `client/optional.rs` and
//!   `client/optional/none.rs`. `protocol/session/shared.rs` says what pages leave each other. The npm package is
//!   three modules of this crate: `start` and `session` without it, `full` with it.
//! - `npm`: what the npm package calls; `js`: the exports of a plain wasm-bindgen build; `rust`: the same for Rust applications (feature `rust`); `door`: what they share.
//!
//! # One login, from `startLogin` to the first call
//!
//! A login is two programs that meet in a stored record, for the page dies between them.
//!
//! In the npm package, `pkg-template/entry.js` has the functions: it takes what is the page's from the arguments, chooses the
//! module that answers, loads it and calls it by `npm.rs`.
//!
//! **The first page.** `startLogin(config)` arrives at a door (`npm.rs`; `js.rs` and `rust.rs` do the same), which reads it
//! into a [`Config`](protocol::config::Config): a field that nobody knows is an error here, and the provider's file fills what
//! was left out. `client/login.rs` does the rest, top to bottom:
//!
//! 1. Without endpoints it asks the issuer for its metadata: [`metadata::documents`](protocol::metadata::documents) says
//!    where, [`metadata::read`](protocol::metadata::read) what of it is usable.
//! 2. [`Config::resolve`](protocol::config::Config::resolve) checks everything once and gives a
//!    [`Client`](protocol::client::Client), which nobody doubts again.
//! 3. [`PendingLogin::new`](protocol::authorization::PendingLogin::new) makes `state` and `code_verifier` of the browser's
//!    entropy and carries the client with them.
//! 4. `client/pending.rs` writes that record under its `state` into sessionStorage; then the page goes to the authorization
//!    URL, whose parameters are all made of the record. Here this page ends.
//!
//! **The page that the provider sends the user back to.** `handleRedirect()` takes the response out of the address bar before
//! it waits for anything (`address.js`), and the `state` says which module goes on. `client/callback.rs` goes on:
//!
//! 1. [`AuthorizationResponse::read`](protocol::authorization::AuthorizationResponse::read): `None` is a page like any other.
//! 2. The record is found by the response's `state`, judged (is this the `redirect_uri`, is the page framed?), and deleted:
//!    nothing answers a login twice. A second call, of React's StrictMode for example, gets the first one's result
//!    (`client/shared_result.rs`).
//! 3. [`PendingLogin::accept`](protocol::authorization::PendingLogin::accept) consumes both: `state`, `iss`, `error`, `code`,
//!    in that order. What comes of it is tokens (the implicit grant) or a
//!    [`TokenRequest`](protocol::token::TokenRequest).
//! 4. The request is sent, once, and [`TokenRequest::read`](protocol::token::TokenRequest::read) reads the answer, whatever it
//!    is, into [`Tokens`](protocol::token::Tokens) or an [`Error`]. An ID Token is checked (`client/optional/identity.rs`).
//! 5. A [`Session`](protocol::session::Session) begins with them; where the login asked for it, it is shared or kept
//!    (`client/optional/shared`). The page gets its description, in which there is no token.
//!
//! **A call.** `fetchPrivate(url)` comes to `client/call.rs` as a [`PrivateRequest`](protocol::resource::PrivateRequest).
//! [`Sessions::find`](protocol::session::Sessions::find) finds the session whose resource servers cover the URL, or refuses;
//! [`Session::access`](protocol::session::Session::access) says what to do first: here is the token, renew it
//! (`client/renewal.rs`), or another login is wanted. The browser's own `fetch` sends the request with one header more, and its
//! `Response` goes to the caller as it is; of a 401 or 403
//! [`Session::after_refusal`](protocol::session::Session::after_refusal) says what it asks for.
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
//! 8. A refresh token is in one request at a time, by whichever page; it is sent a second time only where the answer to the
//!    first was lost and nothing else is left, never a third: `client/optional/shared/renew.rs` under a lock and a label,
//!    `tests/simulation`, and `tests/e2e/tests/tabs.rs`.
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

// These three are for the simulation (`tests/simulation`), not for applications: no promise is made about what is in them.
#[doc(hidden)]
pub mod protocol;

#[cfg(target_family = "wasm")]
#[allow(dead_code, reason = "the entry of the npm package calls it by itself")]
mod address;
#[doc(hidden)]
#[allow(
    async_fn_in_trait,
    reason = "the implementations are ours, and one thread runs them"
)]
pub mod browser;
#[doc(hidden)]
pub mod client;
#[cfg(target_family = "wasm")]
#[allow(dead_code, reason = "each door has a part of its own in it")]
mod door;
#[cfg(all(target_family = "wasm", feature = "js", not(feature = "npm")))]
mod js;
#[cfg(all(target_family = "wasm", feature = "npm"))]
mod npm;
#[cfg(all(target_family = "wasm", feature = "rust"))]
mod rust;

pub use protocol::error::{Error, ErrorCode};
#[cfg(all(target_family = "wasm", feature = "rust"))]
pub use rust::*;
