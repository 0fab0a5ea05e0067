//! What is done for a session while nobody calls: its changes are told to the page.

use alloc::boxed::Box;

use super::{Client, Page};
use crate::protocol::session::{self, Session, SessionId};

/// In seconds, for timers that must not be longer.
const DAY: u32 = 86_400;

impl<B: Page> Client<B> {
    /// A session begins: it is watched from now on.
    pub(super) fn begin(self, session: Session) -> SessionId {
        let id = self.sessions.with(|sessions| sessions.add(session));
        self.prune();
        self.watch(id);
        id
    }

    /// Watches a session and, once, the page.
    pub(super) fn watch(self, id: SessionId) {
        self.watch_the_end(id);
        if !self
            .is_watched
            .with(|watched| core::mem::replace(watched, true))
        {
            self.browser
                .spawn(Box::pin(async move { self.look_again().await }));
        }
    }

    /// The page is told before this session ends, if nothing renews it.
    pub(super) fn watch_the_end(self, id: SessionId) {
        let watch = async move { self.warn_of_the_end(id).await };
        self.browser.spawn(Box::pin(watch));
    }

    /// Tells the page; of a session that it has left already, nothing.
    pub(super) fn announce(
        self,
        kind: &str,
        here: bool,
        id: Option<SessionId>,
        reason: Option<&str>,
    ) {
        let text = self.sessions.with(|sessions| {
            let session = id.and_then(|id| sessions.get(id));
            let told = id.is_none() || session.is_some();
            told.then(|| session::change(kind, here, session, reason))
        });
        if let Some(text) = text {
            self.browser.emit(&text);
        }
    }

    /// Says a minute before that a session ends which nothing will renew. Timers are late after a sleep, so each looks
    /// again.
    async fn warn_of_the_end(self, id: SessionId) {
        loop {
            let now = self.browser.elapsed();
            match self.session(id, |session| session.warning_in(now)) {
                Ok(Some(0)) => return self.announce("expiring", true, Some(id), None),
                Ok(Some(seconds)) => self.browser.sleep(seconds.min(DAY) * 1000).await,
                _ => return,
            }
        }
    }

    /// A page that comes back from the back/forward cache may have missed a logout in this tab.
    async fn look_again(self) {
        loop {
            let before = self.last_logout();
            self.browser.shown_again().await;
            if self.last_logout() != before && !self.forget(false).is_empty() {
                self.announce("ended", false, None, Some("logout"));
            }
            self.look_at_records().await;
        }
    }
}
