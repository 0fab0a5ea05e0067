//! What only some applications need, by subject. `optional/none.rs` is its empty twin: the same names that do nothing.

mod identity;
mod kept_pending;
mod popup;
mod proof;
mod pushed;
mod shared;

pub use proof::Proven;

use alloc::string::String;
use alloc::vec::Vec;

use super::{Client, Page};
use crate::browser::local::Local;
use crate::browser::port::{Keys, Tabs, Windows};
use crate::protocol::dpop::{Nonces, ProofKey};
use crate::protocol::json::Json;
use crate::protocol::session::SessionId;
use shared::SharedHandle;

/// What the flows need of a browser.
pub trait Port: Keys + Tabs + Windows {}
impl<B: Keys + Tabs + Windows> Port for B {}

/// A popup or a frame.
pub type Window<B> = <B as Windows>::Window;

/// What a page holds of this.
pub struct Optional<B: Port> {
    handles: Local<Vec<SharedHandle<B>>>,
    is_listening: Local<bool>,
    /// The names of sessions that other tabs have begun, one looked at after the other.
    started: Local<Vec<String>>,
    /// The session that is being restored: its renewal is no news.
    restoring: Local<Option<SessionId>>,
    /// The keys that this page has used to sign, by their thumbprints.
    signers: Local<Vec<(String, B::Signer)>>,
    nonces: Local<Nonces>,
    /// The keys of servers.
    keys: Local<Vec<(String, Json)>>,
}

impl<B: Port> Optional<B> {
    pub const fn new() -> Self {
        Self {
            handles: Local::new(Vec::new()),
            is_listening: Local::new(false),
            started: Local::new(Vec::new()),
            restoring: Local::new(None),
            signers: Local::new(Vec::new()),
            nonces: Local::new(Nonces::new()),
            keys: Local::new(Vec::new()),
        }
    }
}

/// What sessions leave in the browser: the names of their records, and what their tokens are bound to.
pub struct Traces {
    names: Vec<String>,
    keys: Vec<ProofKey>,
}

impl<B: Page> Client<B> {
    pub(super) fn traces(self) -> Traces {
        self.sessions.with(|sessions| Traces {
            names: sessions.names(),
            keys: sessions.keys(),
        })
    }

    /// Whether the page gets to know of this session as restored, and not as renewed.
    pub(super) fn is_restoring(self, id: SessionId) -> bool {
        let restoring = &self.optional.restoring;
        restoring.with(|restoring| *restoring == Some(id))
    }
}
