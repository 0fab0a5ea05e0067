//! Logins that wait for their answer, in this tab's storage: one record each, under its `state`.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{Client, Page};
use crate::browser::port::NotStored;
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::State;
use crate::protocol::text::concat;

/// Names of records; the rest is the login's `state`.
const PENDING: &str = "oauth-wasm.pending.";
/// Logins that may wait at once; the oldest make room.
const MAX_PENDING: usize = 16;

impl<B: Page> Client<B> {
    /// Keeps a login until its answer comes.
    pub(super) fn keep(self, pending: &PendingLogin) -> Result<(), Error> {
        self.make_room();
        let stored = self
            .browser
            .store(&key(pending.state()), &pending.to_record());
        stored.map_err(|why| match why {
            NotStored::Blocked => ErrorCode::StorageBlocked.error(),
            NotStored::Full => ErrorCode::StorageFull.error(),
        })
    }

    /// The login that waits under this `state`. What cannot be read is removed.
    pub(super) fn waiting_for(self, state: &State, origin: &str) -> Option<PendingLogin> {
        self.read_pending(&key(state), origin)
    }

    /// The login is answered: nobody waits for it any more.
    pub(super) fn take_pending(self, state: &State) {
        self.browser.remove(&key(state));
    }

    /// Whether another login waits for a response at this address.
    pub(super) fn is_expected_under_another_state(
        self,
        response: &AuthorizationResponse,
        origin: &str,
    ) -> bool {
        let now = self.browser.wall();
        let waiting = self.waiting(origin);
        let mut logins = waiting.iter().map(|(_, login)| login);
        logins.any(|login| login.expects(response) && !login.is_expired(now))
    }

    /// Removes logins that have waited too long, and the oldest of too many.
    fn make_room(self) {
        let now = self.browser.wall();
        let mut waiting = Vec::new();
        for key in self.browser.keys(PENDING) {
            let record = Zeroizing::new(self.browser.load(&key).unwrap_or_default());
            match PendingLogin::expiry_of(&record) {
                Some(at) if at >= now => waiting.push((at, key)),
                _ => self.browser.remove(&key),
            }
        }
        while waiting.len() >= MAX_PENDING
            && let Some((_, key)) = waiting.iter().min()
        {
            self.browser.remove(key);
            let oldest = key.clone();
            waiting.retain(|(_, key)| *key != oldest);
        }
    }

    fn waiting(self, origin: &str) -> Vec<(String, PendingLogin)> {
        let mut pending = Vec::new();
        for key in self.browser.keys(PENDING) {
            if let Some(login) = self.read_pending(&key, origin) {
                pending.push((key, login));
            }
        }
        pending
    }

    fn read_pending(self, key: &str, origin: &str) -> Option<PendingLogin> {
        let record = Zeroizing::new(self.browser.load(key)?);
        let state = key.strip_prefix(PENDING).unwrap_or("");
        let login = PendingLogin::from_record(state, &record, origin);
        if login.is_none() {
            self.browser.remove(key);
        }
        login
    }
}

fn key(state: &State) -> String {
    concat(&[PENDING, state.expose()])
}
