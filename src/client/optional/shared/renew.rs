//! Renewing a shared session: once for all pages.

use alloc::boxed::Box;
use alloc::string::String;

use super::{Boxed, PATIENCE, RECORD};
use crate::browser::port::{NotKept, Record, Unanswered};
use crate::client::{Client, Page, TIMEOUT, unanswered};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::session::shared::{Label, RecordState, Sent};
use crate::protocol::session::{Access, Session, SessionId};
use crate::protocol::text::concat;

/// Names of the locks of who renews.
const RENEW: &str = "oauth-wasm.renew.";

impl<B: Page> Client<B> {
    /// Renews a shared session: once for all pages. `None`: it is none.
    pub(in crate::client) async fn renew_shared(self, id: SessionId) -> Option<Result<(), Error>> {
        let known = self.session(id, |session| {
            (session.name().map(String::from), session.generation())
        });
        let (name, generation) = known.ok()?;
        let name = name?;
        let lock = concat(&[RENEW, &name]);
        let work: Boxed<'_, _> = Box::pin(self.renew_under_lock(id, name, generation));
        let done = self.browser.alone(&lock, PATIENCE, work).await;
        Some(done.unwrap_or_else(|| Err(ErrorCode::Timeout.error())))
    }

    async fn renew_under_lock(
        self,
        id: SessionId,
        name: String,
        generation: u32,
    ) -> Result<(), Error> {
        let blocked = |_: NotKept| ErrorCode::StorageBlocked.error();
        let found = self.record(&name).await.map_err(blocked)?;
        let before = found.as_ref().map_or("", |found| &found.text);
        let before = String::from(before);
        let label = found.as_ref().and_then(|found| Label::read(&found.text));
        // Before this page came to wait, or while it waited, it may have heard that another one has done what it was to do.
        // Of a part that is only kept it has got no access token, though.
        let now = self.browser.elapsed();
        let is_renewed = |session: &Session| {
            let is_other =
                session.generation() != generation && session.living_token(now).is_some();
            is_other || matches!(session.access(now), Access::Token(_))
        };
        if self.session(id, is_renewed)? {
            return Ok(());
        }
        let sent = label.as_ref().map_or(Sent::Never, |label| label.sent);
        // A lock says that nobody is at it. A lease may have run out while its page slept: its request gets its time.
        let at = label.as_ref().map_or(0, |label| label.at);
        let is_early = self.browser.wall() < at.saturating_add(2 * TIMEOUT / 1000);
        if sent != Sent::Never && is_early && !self.browser.has_locks() {
            return Err(ErrorCode::Timeout.error());
        }
        match self.session(id, |session| session.meets(label.as_ref()))? {
            RecordState::Gone => return Err(self.left(id, false)),
            RecordState::Spent => return Err(self.indeterminate(id, false)),
            RecordState::Lost => {
                let now = self.browser.elapsed();
                let living = self.session(id, |session| session.living_token(now))?;
                if living.is_some() {
                    return Err(self.indeterminate(id, true));
                }
            }
            RecordState::Newer => {
                if let (Some(found), Some(label)) = (found, label)
                    && self.take_over(id, &found, label.generation).await?
                {
                    return Ok(());
                }
            }
            RecordState::Same => {}
        }
        let request = self.session(id, Session::renewal)??;
        let again = sent != Sent::Never || self.session(id, Session::was_sent)?;
        if !self.may_send(&request, again).await {
            let error = unanswered(Unanswered::Network, request.endpoint());
            return self.conclude(id, Err(error));
        }
        // From here on the refresh token may be spent, whatever becomes of this page: nobody else is to send it. Whatever
        // was heard meanwhile, token and label are of one generation, and the label takes the place of the very record that
        // was looked at.
        let record = concat(&[RECORD, &name]);
        let wall = self.browser.wall();
        let request = self.session(id, Session::renewal)??;
        let sent = self.session(id, |session| session.label(sent.and_again(), wall))?;
        let marked_at = self.browser.elapsed();
        let marked = self
            .browser
            .replace(&record, &before, &sent, None, None)
            .await;
        if !marked.map_err(blocked)? {
            // Another page has logged out, or has not kept to its turn.
            self.look(&name).await;
            let now = self.browser.elapsed();
            return match self.session(id, |session| session.living_token(now))? {
                Some(_) => Ok(()),
                None => Err(ErrorCode::Timeout.error()),
            };
        }
        // Without locks another page sends it too once this one has slept for longer than a request may take.
        let slept = self.browser.elapsed().saturating_sub(marked_at) >= TIMEOUT / 1000;
        if slept && !self.browser.has_locks() {
            return Err(ErrorCode::Timeout.error());
        }
        if again && self.session(id, Session::was_sent) == Ok(false) {
            // The second of two, whoever has sent the first: no answer to it allows a third.
            self.change(id, |session| session.make_indeterminate(true));
        }
        let outcome = self.exchange_for(id, request).await;
        let code = outcome.as_ref().err().map(|error| error.code);
        let concluded = self.conclude(id, outcome);
        match code {
            None => {}
            Some(_) if self.session(id, |_| ()).is_err() => {
                self.forget_record(id, &name).await;
                return concluded;
            }
            Some(_) if self.session(id, Session::was_sent) == Ok(true) => return concluded,
            Some(_) => {
                // It was refused and not spent.
                let replaced = self.browser.replace(&record, &sent, &before, None, None);
                let _ = replaced.await;
                return concluded;
            }
        }
        self.change(id, Session::next_generation);
        let mut written = self.write(id, &sent).await;
        if written.is_err() {
            // A transaction may fail by itself.
            written = self.write(id, &sent).await;
        }
        match written {
            Ok(true) => self.say("renewed", &name),
            // Somebody has logged out meanwhile: these tokens are nobody's.
            Ok(false) => return Err(self.left(id, true)),
            Err(NotKept) => {
                self.let_go(id);
                self.change(id, Session::make_own);
                // Nobody else is to send the refresh token that is spent.
                self.discard_record(&name).await;
            }
        }
        concluded
    }

    /// Takes what another page has left in the record. Whether that has a token that lives.
    pub(super) async fn take_over(
        self,
        id: SessionId,
        found: &Record,
        generation: u32,
    ) -> Result<bool, Error> {
        if self.take_newer(id, found, generation).await.is_none() {
            return Err(self.indeterminate(id, false));
        }
        let now = self.browser.elapsed();
        let lives = self.session(id, |session| session.living_token(now).is_some())?;
        if lives {
            self.announce("renewed", false, Some(id), None);
        }
        Ok(lives)
    }

    /// Puts the tokens of the record in the place of a session's, which may have been left already.
    pub(super) async fn take_newer(
        self,
        id: SessionId,
        found: &Record,
        generation: u32,
    ) -> Option<()> {
        let origin = self.browser.origin();
        let (shared, kept) = self.keys_of(id);
        for (key, part, sealed) in [(shared, "shared", &found.one), (kept, "kept", &found.two)] {
            let Some(key) = key else {
                continue;
            };
            let bound = self.change(id, |session| session.bound(part, &origin, generation))?;
            let Ok(bytes) = self.browser.open(&key, &bound, sealed).await else {
                continue;
            };
            let (wall, now) = (self.browser.wall(), self.browser.elapsed());
            let taken = self.change(id, |session| {
                session.take_over(&bytes, generation, wall, now)
            });
            if taken.flatten().is_some() {
                return Some(());
            }
        }
        None
    }
}
