//! Leaving sessions: here, in other pages, at the provider.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Client, Failure, Page, Port};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json;
use crate::protocol::session::{Revocation, Session, SessionId};

/// When somebody last logged out in this tab; no secret.
const LEFT: &str = "oauth-wasm.left";

/// What else a logout does than to forget.
pub struct LogoutRequest<B: Port> {
    /// Tell the providers to forget the tokens too.
    pub revoke: bool,
    /// Send the user to the provider to be logged out there as well, and back to this address if there is one.
    pub end_session: Option<String>,
    /// Gets the URL in the place of the page.
    pub navigate: Option<B::Callback>,
}

impl<B: Page> Client<B> {
    /// Forgets every session and overwrites its tokens. What is done besides comes after; here they are gone whatever
    /// comes of that, once the options are such as can be followed.
    pub async fn logout(self, wanted: LogoutRequest<B>) -> Result<(), Failure<B::Value>> {
        // A mistake in what is asked for is said while there is still a session.
        let back = wanted.end_session.as_deref().unwrap_or("");
        self.sessions.with(|sessions| match sessions.last() {
            Some(session) => session.check_return(back),
            None => Ok(()),
        })?;
        let end = wanted.end_session.map(|back| {
            let session = |sessions: &mut crate::protocol::session::Sessions| {
                Some(sessions.last()?.end_session_url(&back))
            };
            let url = self.sessions.with(session);
            url.unwrap_or_else(|| Err(ErrorCode::LoginRequired.error()))
        });
        let traces = self.traces();
        // A relay is told in any case: its cookie has to go.
        let relayed = |sessions: &mut crate::protocol::session::Sessions| {
            sessions
                .last()
                .is_some_and(|last| last.farewell(false).is_some())
        };
        let tells = wanted.revoke || self.sessions.with(relayed);
        let left = self.forget(tells);
        // What the pages of this tab look at that come back, whether or not this one had a session. Where nothing can be
        // stored, they cannot know.
        let _ = self
            .browser
            .store(LEFT, &json::decimal(self.browser.wall().into()));
        if !left.is_empty() {
            self.announce("ended", true, None, Some("logout"));
        }
        let traces = self.wipe(traces).await;
        let mut outcome = Ok(());
        if tells {
            for id in left {
                outcome = outcome.and(self.give_back(id, wanted.revoke).await);
            }
        }
        self.forget_keys(traces).await;
        if let Some(url) = end {
            self.go(&url?, wanted.navigate).await?;
        }
        Ok(outcome?)
    }

    /// When somebody last logged out in this tab.
    pub(super) fn last_logout(self) -> Option<String> {
        self.browser.load(LEFT)
    }

    /// Ends every session here. With `keep` they wait apart until the provider has been told.
    pub(super) fn forget(self, keep: bool) -> Vec<SessionId> {
        self.logouts.with(|count| *count += 1);
        self.answered.with(|answered| drop(answered.take()));
        self.sessions.with(|sessions| sessions.clear(keep))
    }

    /// How often this page has logged out.
    pub(super) fn logouts(self) -> u32 {
        self.logouts.with(|count| *count)
    }

    async fn give_back(self, id: SessionId, revoke: bool) -> Result<(), Error> {
        // A renewal under way brings tokens that are to be given back as well.
        if let Some(renewal) = self.running(id) {
            let _ = renewal.await;
        }
        let Some(mut session) = self.sessions.with(|sessions| sessions.leave(id)) else {
            return Ok(());
        };
        let farewell = session.farewell(revoke);
        let outcome = match revoke {
            true => self.take_back(&mut session).await,
            false => Ok(()),
        };
        match farewell {
            Some(farewell) => outcome.and(self.tell(&session, farewell?).await),
            None => outcome,
        }
    }

    async fn take_back(self, session: &mut Session) -> Result<(), Error> {
        session.revocation()?;
        let mut failure = ErrorCode::SessionIndeterminate.error();
        if session.renews_to_revoke(self.browser.elapsed()) {
            match self.exchange(session.renewal()?).await {
                Ok(tokens) => session.renew(tokens, self.browser.wall(), self.browser.elapsed()),
                Err(error) => failure = error,
            }
        }
        if session.lacks_token_to_revoke() {
            return Err(failure);
        }
        self.give_up(session).await
    }

    /// Tells the provider to forget a session that nobody has any more.
    pub(super) async fn give_up(self, session: &Session) -> Result<(), Error> {
        self.tell(session, session.revocation()?).await
    }

    async fn tell(self, session: &Session, revocation: Revocation) -> Result<(), Error> {
        let answer = self.revoke(session, revocation).await?;
        session.revoked(answer.status, &answer.body)
    }
}
