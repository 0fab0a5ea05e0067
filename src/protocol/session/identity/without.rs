//! The empty twin of `identity.rs`: sessions of nobody in particular, bound to nothing.

use alloc::string::String;
use zeroize::Zeroizing;

use super::Session;
use crate::protocol::openid::About;
use crate::protocol::secret::AccessToken;

impl Session {
    /// The value of the Authorization header (RFC 6750 section 2.1).
    pub fn authorization_header(&self, token: &AccessToken) -> Zeroizing<String> {
        token.authorization_header()
    }

    pub(super) fn same_user(&self) -> Option<About> {
        None
    }
}
