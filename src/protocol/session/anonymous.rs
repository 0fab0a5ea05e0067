//! The empty twin of `identity.rs` and `shared.rs`: sessions of one page, of nobody in particular, bound to nothing.

use alloc::string::String;
use zeroize::Zeroizing;

use super::Session;
use crate::protocol::client::Keep;
use crate::protocol::openid::About;
use crate::protocol::secret::AccessToken;

/// What a session would share with sessions of other pages.
#[derive(Debug)]
pub enum Shared {}

impl Session {
    /// The value of the Authorization header (RFC 6750 section 2.1).
    pub fn authorization_header(&self, token: &AccessToken) -> Zeroizing<String> {
        token.authorization_header()
    }

    pub fn keep(&self) -> Keep {
        Keep::No
    }

    pub fn is_shared_with_tabs(&self) -> bool {
        self.shared.is_some()
    }

    pub(super) fn same_user(&self) -> Option<About> {
        None
    }
}
