//! Floor 1, the protocol: values in, values out. No JavaScript, no clock, no randomness, no network.
//!
//! Inside there is an order too: each module imports only what stands before it in the list of `tests/floors.rs`. Words
//! (text, secret, json, error), their shapes (url, form, scope, resource ..), the client (provider, metadata, config), the
//! two requests (token, authorization), the session.

pub mod authorization;
pub mod client;
pub mod config;
#[cfg(feature = "full")]
pub mod dpop;
pub mod error;
pub mod form;
#[cfg(feature = "full")]
pub mod jose;
pub mod json;
pub mod metadata;
#[cfg(feature = "full")]
pub mod openid;
pub mod parameters;
pub mod pkce;
pub mod provider;
#[cfg(feature = "full")]
pub mod pushed;
pub mod record;
pub mod refusal;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod session;
pub mod shape;
pub mod shown;
pub mod text;
pub mod token;
pub mod url;

/// Whether this build has what only some applications need.
pub const IS_FULL: bool = cfg!(feature = "full");

/// Whole seconds, of whichever clock the argument's documentation names; since 1970 they last until 2106.
pub type Seconds = u32;
