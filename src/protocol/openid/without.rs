//! The empty twin of `openid.rs`: ID Tokens are not read, and nobody is known.

use super::client::Client;
use super::json::Json;
use super::secret::CodeVerifier;

/// Which way an ID Token came.
pub enum Channel {
    Indirect,
}

/// Nobody whom an ID Token could be about.
#[derive(Clone, Debug)]
pub enum About {}

impl About {
    pub fn login(_: &Client, _: &CodeVerifier) -> Option<About> {
        None
    }
}

/// However it is signed: nobody reads it.
pub fn takes(_: &str, _: bool) -> bool {
    true
}

/// What a page may know of the user.
pub fn shown(claims: &Json) -> Json {
    claims.clone()
}
