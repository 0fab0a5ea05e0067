//! The empty twin of `full.rs`: tokens that are bound to nothing.

use alloc::string::String;
use zeroize::Zeroizing;

use super::{AccessToken, Session};

impl Session {
    /// The value of the Authorization header (RFC 6750 section 2.1).
    pub fn authorization_header(&self, token: &AccessToken) -> Zeroizing<String> {
        token.authorization_header()
    }
}
