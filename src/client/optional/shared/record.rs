//! The record of a shared session, and what a page holds of it.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::RECORD;
use crate::browser::port::{Keys, NotKept, Record, Tabs};
use crate::client::optional::Traces;
use crate::client::{Client, Page};
use crate::protocol::client::{self, Keep};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::pkce::base64url;
use crate::protocol::session::shared::{self, Label, Sent};
use crate::protocol::session::{Session, SessionId};
use crate::protocol::text::{concat, contains};

/// Keys in sessionStorage of what a tab adds to open its sessions.
const SALT: &str = "oauth-wasm.kept.";
/// Keys in sessionStorage of sessions that the tab is leaving; the rest is the session's name.
const LEAVING: &str = "oauth-wasm.leaving.";
/// Names of the locks of who lives.
pub const ALIVE: &str = "oauth-wasm.alive.";
pub const SHARED: &str = "shared.";

/// What this page holds of a shared session.
pub struct SharedHandle<B: Keys + Tabs> {
    id: SessionId,
    shared: Option<B::Key>,
    kept: Option<B::Key>,
    /// Tells the other pages that somebody has the session.
    _alive: Option<B::Lock>,
}

impl<B: Page> Client<B> {
    /// Whether this browser can keep and share sessions, if the login wants that.
    pub(in crate::client) async fn check(self, login: &client::Client) -> Result<(), Error> {
        let field = match (
            login.keep(),
            login.is_shared_with_tabs(),
            login.keep_pending(),
        ) {
            (Keep::No, false, false) => return Ok(()),
            (Keep::No, true, _) => "sessionScope",
            (Keep::No, _, true) => "keepPending",
            _ => "keep",
        };
        let there = self.can_wait_long() && self.browser.find(RECORD).await.is_ok();
        if there || login.is_keep_optional() {
            return Ok(());
        }
        let detail = concat(&[field, ": needs crypto.subtle (https) and IndexedDB"]);
        Err(ErrorCode::UnsupportedEnvironment.at(&detail))
    }

    /// Shares a session that has begun here, if that is wanted. A browser that cannot leaves it this page's own.
    pub(in crate::client) async fn settle(self, id: SessionId) {
        if self.session(id, Session::is_to_be_shared) != Ok(true) {
            return;
        }
        let Some(entropy) = self.browser.entropy() else {
            return;
        };
        self.change(id, |session| session.make_shared(&entropy));
        self.listen();
        if self.hold(id).await.is_err() || !self.write(id, "").await.unwrap_or(false) {
            // Nobody is to wait for what this page cannot share.
            self.let_go(id);
            self.change(id, Session::make_own);
            return;
        }
        self.sweep(id).await;
        let shared = self.session(id, |session| {
            let name = session.name().filter(|_| session.is_shared_with_tabs());
            name.map(String::from)
        });
        if let Ok(Some(name)) = shared {
            self.say("started", &name);
        }
    }

    /// Gets the keys of a session, and lets the others know that it lives here.
    pub(super) async fn hold(self, id: SessionId) -> Result<(), NotKept> {
        let known = self.session(id, |session| {
            let salt = session.salt().map(String::from);
            (session.name().map(String::from), session.secret(), salt)
        });
        let Ok((Some(name), secret, salt)) = known else {
            return Err(NotKept);
        };
        let shared = match secret {
            Some(secret) => Some(self.browser.key_of(&secret).await?),
            None => None,
        };
        let kept = match &salt {
            Some(salt) => Some(self.browser.kept_key(salt).await?),
            None => None,
        };
        if self.session(id, Session::keep) == Ok(Keep::Tab)
            && let Some(salt) = &salt
        {
            let stored = self.browser.store(&concat(&[SALT, &name]), salt);
            stored.map_err(|_| NotKept)?;
        }
        let tab = self.browser.entropy::<9>();
        let tab = tab.map_or(String::new(), |bytes| base64url(&bytes));
        let alive = match shared.is_some() {
            true => concat(&[ALIVE, SHARED, &name, ".", &tab]),
            false => concat(&[ALIVE, "own.", &name, ".", &tab]),
        };
        let alive = match self.browser.has_locks() {
            true => self.browser.lock(&alive, 0).await,
            false => None,
        };
        self.optional.handles.with(|handles| {
            handles.push(SharedHandle {
                id,
                shared,
                kept,
                _alive: alive,
            });
        });
        Ok(())
    }

    /// The keys that open the tabs' part and the kept part.
    pub(super) fn keys_of(self, id: SessionId) -> (Option<B::Key>, Option<B::Key>) {
        self.optional.handles.with(|handles| {
            let entry = handles.iter().find(|handle| handle.id == id);
            entry.map_or((None, None), |handle| {
                (handle.shared.clone(), handle.kept.clone())
            })
        })
    }

    /// The record of the session of this name.
    pub(super) async fn record(self, name: &str) -> Result<Option<Record>, NotKept> {
        self.browser.find(&concat(&[RECORD, name])).await
    }

    /// Removes the record of the session of this name.
    pub(super) async fn discard_record(self, name: &str) {
        let _ = self.browser.discard(&concat(&[RECORD, name])).await;
    }

    /// Writes the session's record in the place of the one with this label (empty: there is none yet).
    pub(super) async fn write(self, id: SessionId, expected: &str) -> Result<bool, NotKept> {
        let before = self.logouts();
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let origin = self.browser.origin();
        let known = self.session(id, |session| {
            let generation = session.generation();
            let bound = |part| session.bound(part, &origin, generation);
            (
                concat(&[RECORD, session.name().unwrap_or("")]),
                session.label(Sent::Never, wall),
                (bound("shared"), session.shared_part(wall, now)),
                (bound("kept"), session.kept_part(wall, now)),
            )
        });
        let (record, label, shared, kept) = known.map_err(|_| NotKept)?;
        let (for_tabs, for_later) = self.keys_of(id);
        let one = self.seal(for_tabs, shared).await?;
        let two = self.seal(for_later, kept).await?;
        let (one, two) = (one.as_deref(), two.as_deref());
        let written = self.browser.replace(&record, expected, &label, one, two);
        let written = written.await?;
        if written && self.logouts() != before {
            // This page has logged out meanwhile, and found no record yet, or the one before.
            self.browser.discard(&record).await?;
            return Ok(false);
        }
        Ok(written)
    }

    async fn seal(
        self,
        key: Option<B::Key>,
        (bound, part): (String, Zeroizing<String>),
    ) -> Result<Option<Vec<u8>>, NotKept> {
        match key {
            Some(key) => Ok(Some(
                self.browser.seal(&key, &bound, part.as_bytes()).await?,
            )),
            None => Ok(None),
        }
    }

    /// Opens a part of a record and begins its session here. `Ok(None)`: nobody can open it any more. `Err`: it cannot be
    /// had now, or the page has logged out meanwhile.
    pub(super) async fn open(
        self,
        name: &str,
        label: &Label,
        salt: &str,
        secret: Option<[u8; 32]>,
        is_shared: bool,
    ) -> Result<Option<SessionId>, NotKept> {
        let before = self.logouts();
        let secret = secret.ok_or(NotKept)?;
        let part = if is_shared { "shared" } else { "kept" };
        let key = match is_shared {
            true => self.browser.key_of(&secret).await?,
            false => self.browser.kept_key(salt).await?,
        };
        let record = self.record(name).await?.ok_or(NotKept)?;
        // The label may have changed since.
        let label = Label::read(&record.text).filter(|now| now.client_id == label.client_id);
        let Some(label) = label else {
            return Ok(None);
        };
        let origin = self.browser.origin();
        let bound = shared::bound(part, &origin, &label.client_id, name, label.generation);
        let sealed = if is_shared { &record.one } else { &record.two };
        let Ok(bytes) = self.browser.open(&key, &bound, sealed).await else {
            return Ok(None);
        };
        if self.logouts() != before {
            return Err(NotKept);
        }
        let times = (self.browser.wall(), self.browser.elapsed());
        let session = Session::from_part(&bytes, name, &label, salt, &secret, &origin, times);
        let Some(session) = session else {
            return Ok(None);
        };
        let id = self.begin(session);
        if self.hold(id).await.is_err() {
            // Without its keys this page could not tell the others what becomes of the refresh token.
            self.sessions.with(|sessions| sessions.remove(id));
            return Err(NotKept);
        }
        // Somebody may have logged out while this page had no session yet that could have heard of it.
        self.look(name).await;
        self.prune();
        match self.logouts() == before && self.session(id, |_| ()).is_ok() {
            true => Ok(Some(id)),
            false => Err(NotKept),
        }
    }

    /// Another page may have sent the refresh token, and nobody knows what came of it.
    pub(super) fn indeterminate(self, id: SessionId, lost: bool) -> Error {
        let error = self.change(id, |session| session.make_indeterminate(lost));
        self.announce("indeterminate", true, Some(id), None);
        error.unwrap_or_else(|| ErrorCode::LoginRequired.error())
    }

    /// Another page has left the session. With `give_back` the tokens that this page has got since are given up.
    pub(super) fn left(self, id: SessionId, give_back: bool) -> Error {
        if let Some(session) = self.sessions.with(|sessions| sessions.remove(id)) {
            self.release(id, session.name().unwrap_or(""));
            self.announce("ended", false, None, Some("logout"));
            if give_back {
                self.browser.spawn(alloc::boxed::Box::pin(async move {
                    let _ = self.give_up(&session).await;
                }));
            }
        }
        ErrorCode::LoginRequired.error()
    }

    /// A session is over whose renewal was refused: no page has it any more.
    pub(in crate::client) async fn forget_shared(self, id: SessionId) {
        if let Ok(Some(name)) = self.session(id, |session| session.name().map(String::from)) {
            self.forget_record(id, &name).await;
        }
    }

    pub(super) async fn forget_record(self, id: SessionId, name: &str) {
        self.release(id, name);
        self.discard_record(name).await;
        self.say("ended", name);
    }

    /// Lets go of what this page holds of a session, its tab's salt too.
    pub(super) fn release(self, id: SessionId, name: &str) {
        self.browser.remove(&concat(&[SALT, name]));
        self.let_go(id);
    }

    pub(super) fn let_go(self, id: SessionId) {
        let handles = &self.optional.handles;
        handles.with(|handles| handles.retain(|handle| handle.id != id));
    }

    /// Lets go of the sessions that others have taken the place of.
    pub(in crate::client) fn prune(self) {
        let handles = &self.optional.handles;
        let held: Vec<_> = handles.with(|handles| handles.iter().map(|handle| handle.id).collect());
        for id in held {
            if self.session(id, |_| ()).is_err() {
                self.let_go(id);
            }
        }
    }

    /// Removes records that nobody can use any more: too old, of tabs that are gone, of this client before it logged in
    /// again.
    async fn sweep(self, id: SessionId) {
        let Some(alive) = self.browser.held_locks().await else {
            return;
        };
        let known = self.session(id, |session| {
            let name = session.name().map(String::from);
            (name, session.keep(), String::from(session.client_id()))
        });
        let Ok((Some(own), keep, client_id)) = known else {
            return;
        };
        for (name, label) in self.records().await {
            let stale = label.is_stale(self.browser.wall());
            let held = contains(&alive, &concat(&[".", &name, "."]));
            let useless = match label.keep {
                Keep::No => !held,
                Keep::Tab => false,
                Keep::Device => keep == Keep::Device && !held && label.client_id == client_id,
            };
            if name != own && (stale || useless) {
                self.discard_record(&name).await;
            }
        }
    }

    /// The records of all sessions, by name.
    pub(super) async fn records(self) -> Vec<(String, Label)> {
        let mut records = Vec::new();
        for (name, text) in self.browser.find_all(RECORD).await.unwrap_or_default() {
            if let (Some(name), Some(label)) = (name.strip_prefix(RECORD), Label::read(&text)) {
                records.push((String::from(name), label));
            }
        }
        records
    }

    /// What opens the kept part of a record here, if this tab may.
    pub(super) fn salt_of(self, name: &str, label: &Label) -> Option<String> {
        match label.keep {
            Keep::No => None,
            Keep::Tab => self.browser.load(&concat(&[SALT, name])),
            Keep::Device => Some(label.salt.clone()),
        }
    }

    /// Removes the records of sessions that were left, and those that the page could have restored: a reload would bring an
    /// older session back.
    pub(in crate::client) async fn wipe(self, mut traces: Traces) -> Traces {
        // Before the first await: a page may be left while it logs out.
        for name in &traces.names {
            let _ = self.browser.store(&concat(&[LEAVING, name]), "");
        }
        if self.browser.has_records() {
            for (name, label) in self.records().await {
                if !traces.names.contains(&name) && self.salt_of(&name, &label).is_some() {
                    traces.names.push(name);
                }
            }
        }
        self.wipe_records(&traces.names).await;
        traces
    }

    /// Ends the logout of a page of this tab that was left meanwhile.
    pub(super) async fn finish_logout(self) {
        let keys = self.browser.keys(LEAVING);
        let names = keys.iter().filter_map(|key| key.strip_prefix(LEAVING));
        let names: Vec<_> = names.map(String::from).collect();
        self.wipe_records(&names).await;
    }

    /// The same, in a page that may never restore: what comes back from the provider may be an error.
    pub(in crate::client) fn finish_leaving(self) {
        if !self.browser.keys(LEAVING).is_empty() {
            self.listen();
            let work = async move { self.finish_logout().await };
            self.browser.spawn(alloc::boxed::Box::pin(work));
        }
    }

    /// Whether this tab has logged out of a session whose record could not be removed yet.
    pub(super) fn is_leaving(self, name: &str) -> bool {
        self.browser.load(&concat(&[LEAVING, name])).is_some()
    }

    async fn wipe_records(self, names: &[String]) {
        for name in names {
            self.browser.remove(&concat(&[SALT, name]));
            let Ok(record) = self.browser.take(&concat(&[RECORD, name])).await else {
                // Another page may open it yet, and then the refresh token is that one's.
                self.sessions
                    .with(|sessions| sessions.leave_indeterminate(name, None));
                continue;
            };
            self.browser.remove(&concat(&[LEAVING, name]));
            let label = record.as_ref().and_then(|record| Label::read(&record.text));
            // What is to be given back is what another page has got since, and not what that has spent.
            if let (Some(record), Some(label)) = (&record, &label)
                && let Some(id) = self.sessions.with(|sessions| sessions.newer(name, label))
            {
                let _ = self.take_newer(id, record, label.generation).await;
            }
            // Another page may have spent the refresh token: it is not sent again, not even to be given up by a renewal.
            self.sessions
                .with(|sessions| sessions.leave_indeterminate(name, label.as_ref()));
            // It may have been restored while this page was logging out.
            if let Some(id) = self.sessions.with(|sessions| sessions.named(name)) {
                self.left(id, false);
            }
            self.say("ended", name);
        }
        self.prune();
    }
}
