//! Logins that wait for their answer even if their tab, or the whole application, ends meanwhile: sealed in IndexedDB.

use alloc::boxed::Box;
use alloc::string::String;
use zeroize::Zeroizing;

use crate::browser::port::{NotKept, Record};
use crate::client::{Client, Page};
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::error::Error;
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::base64url;
use crate::protocol::session::SessionId;
use crate::protocol::text::concat;

/// Names of records; the rest is the login's `state`.
const RECORD: &str = "pending.";

impl<B: Page> Client<B> {
    /// Keeps a login that is to outlive its tab. Whether it did.
    pub(in crate::client) async fn keep_long(self, pending: &PendingLogin, origin: &str) -> bool {
        pending.is_to_be_kept() && self.seal_pending(pending, origin).await.is_ok()
    }

    /// Whether a login may wait there.
    pub(in crate::client) fn can_wait_long(self) -> bool {
        self.browser.has_records() && self.browser.has_keys()
    }

    /// Answers a response to a login that was kept, once; `refusal` where there is none.
    pub(in crate::client) async fn answer_kept(
        self,
        response: Box<AuthorizationResponse>,
        refusal: Error,
    ) -> Result<SessionId, Error> {
        match self.take_kept(&response).await.unwrap_or(Err(refusal)) {
            Ok(pending) => self.answer(pending, response).await,
            Err(error) => {
                // Nothing was answered: the login may still wait.
                self.answered.with(|answered| drop(answered.take()));
                Err(error)
            }
        }
    }

    async fn seal_pending(self, pending: &PendingLogin, origin: &str) -> Result<(), NotKept> {
        self.sweep_pending().await?;
        let salt = base64url(&self.browser.entropy::<16>().ok_or(NotKept)?);
        let state = pending.state().expose();
        let key = self.browser.kept_key(&salt).await?;
        let record = Zeroizing::new(pending.to_record());
        let bound = bound(origin, state);
        let sealed = self.browser.seal(&key, &bound, record.as_bytes()).await?;
        let mut label = Object::new();
        let label = label
            .str("salt", &salt)
            .number("until", pending.expires_at())
            .done()
            .text();
        let name = concat(&[RECORD, state]);
        let written = self.browser.replace(&name, "", &label, Some(&sealed), None);
        written.await?;
        Ok(())
    }

    async fn take_kept(
        self,
        response: &AuthorizationResponse,
    ) -> Option<Result<PendingLogin, Error>> {
        let state = response.state().expose();
        let name = concat(&[RECORD, state]);
        let record = self.browser.find(&name).await.ok()??;
        let pending = self.open_pending(&record, state).await?;
        if let Err(error) = self.judge(&pending, response) {
            return Some(Err(error));
        }
        // Whoever takes it has it alone.
        self.browser.take(&name).await.ok()??;
        Some(Ok(pending))
    }

    async fn open_pending(self, record: &Record, state: &str) -> Option<PendingLogin> {
        let origin = self.browser.origin();
        let label = Json::parse(record.text.as_bytes())?;
        let key = self.browser.kept_key(label.str("salt")?).await.ok()?;
        let bound = bound(&origin, state);
        let opened = self.browser.open(&key, &bound, &record.one).await.ok()?;
        PendingLogin::from_record(state, core::str::from_utf8(&opened).ok()?, &origin)
    }

    /// Removes logins that have waited too long.
    async fn sweep_pending(self) -> Result<(), NotKept> {
        let now = self.browser.wall();
        for (name, text) in self.browser.find_all(RECORD).await? {
            let label = Json::parse(text.as_bytes());
            let until = label.and_then(|label| label.get("until").and_then(Json::as_u32));
            if until.is_none_or(|until| until < now) {
                self.browser.discard(&name).await?;
            }
        }
        Ok(())
    }
}

fn bound(origin: &str, state: &str) -> String {
    concat(&["oauth-wasm 1 pending ", origin, " ", state])
}
