//! The empty twin of `identity.rs` and `common.rs`: sessions of one page, of nobody in particular, bound to nothing.

use alloc::string::String;
use zeroize::Zeroizing;

use super::Session;
use crate::protocol::client::Keep;
use crate::protocol::openid::About;
use crate::protocol::secret::AccessToken;

/// What a session would have in common with other pages' sessions.
#[derive(Debug)]
pub enum Common {}

impl Session {
    /// The value of the Authorization header (RFC 6750 section 2.1).
    pub fn authorization_header(&self, token: &AccessToken) -> Zeroizing<String> {
        token.authorization_header()
    }

    pub fn keep(&self) -> Keep {
        Keep::No
    }

    pub fn is_shared(&self) -> bool {
        self.common.is_some()
    }

    pub(super) fn same_user(&self) -> Option<About> {
        None
    }
}
