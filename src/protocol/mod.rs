//! Floor 1, the protocol: values in, values out. No JavaScript, no clock, no randomness, no network.
//!
//! Inside there is an order too: each module imports only what stands before it in the list of `tests/floors.rs`. Words
//! (text, secret, json, error), their shapes (url, form, scope, resource ..), the client (provider, metadata, config), the
//! two requests (token, authorization), the session.
//!
//! What only some applications need has an empty twin, which is there in its place without the feature `full`.

pub mod authorization;
pub mod client;
pub mod config;
#[cfg_attr(not(feature = "full"), path = "dpop/without.rs")]
pub mod dpop;
pub mod error;
pub mod form;
pub mod jose;
pub mod json;
pub mod metadata;
#[cfg_attr(not(feature = "full"), path = "openid/without.rs")]
pub mod openid;
pub mod parameters;
pub mod pkce;
pub mod provider;
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

/// Whether this build handles authorization responses. The part `start` does not.
pub const ANSWERS: bool = cfg!(feature = "session");

/// Whole seconds, of whichever clock the argument's documentation names; since 1970 they last until 2106.
pub type Seconds = u32;
