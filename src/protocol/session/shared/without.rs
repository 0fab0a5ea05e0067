//! The empty twin of `shared.rs`: sessions of one page.

use super::Session;
use crate::protocol::client::Keep;

/// What a session would share with sessions of other pages.
#[derive(Debug)]
pub enum Shared {}

impl Session {
    pub fn keep(&self) -> Keep {
        Keep::No
    }

    pub fn is_shared_with_tabs(&self) -> bool {
        self.shared.is_some()
    }
}
