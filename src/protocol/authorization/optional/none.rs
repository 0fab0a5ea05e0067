//! The empty twin of `optional.rs`: nobody is named, nothing is bound to a key, nothing is pushed.

use alloc::string::String;

use super::PendingLogin;

impl PendingLogin {
    pub(super) fn add_optional(&self, _: &mut String) {}
}
