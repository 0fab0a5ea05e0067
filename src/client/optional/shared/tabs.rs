//! Sessions given from tab to tab, and back to a page that comes after.

use alloc::boxed::Box;
use alloc::string::String;

use super::record::{ALIVE, SHARED};
use super::{Boxed, PATIENCE};
use crate::browser::port::{ANSWER, NotKept};
use crate::client::{Client, Page};
use crate::protocol::error::ErrorCode;
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::base64url;
use crate::protocol::session::shared::{self, Label, RecordState};
use crate::protocol::session::{Session, SessionId};
use crate::protocol::text::{concat, contains};

/// The name of the lock of who restores.
const RESTORE: &str = "oauth-wasm.restore";
/// How long a tab may take to answer, in milliseconds.
const PROMPTLY: u32 = 1_500;
/// Bytes of what a tab shows of its half of an agreement: a point of P-256, uncompressed.
const POINT: usize = 65;

/// Sessions of other tabs that wait to be looked at; anybody can announce more.
const MAX_STARTED: usize = 16;

impl<B: Page> Client<B> {
    /// Gives a session back without the user, if there is one: of another tab, or one that was kept. As JSON text.
    pub async fn restore(self, client_id: String) -> Option<String> {
        let there = || {
            let session = |sessions: &mut crate::protocol::session::Sessions| {
                Some(sessions.of_client(&client_id)?.describe())
            };
            self.sessions.with(session)
        };
        if there().is_none() && self.can_wait_long() {
            self.listen();
            // Whoever has died while it restored may hold this one up.
            self.finish_logout().await;
            let work: Boxed<'_, ()> = Box::pin(async {
                if there().is_none() && self.somebody_shares().await {
                    self.ask_the_tabs("").await;
                    if there().is_some() {
                        self.catch_up().await;
                    }
                }
                if there().is_none() {
                    self.open_kept(&client_id).await;
                }
            });
            self.browser.alone(RESTORE, PATIENCE, work).await;
        }
        there()
    }

    /// Whether a tab lives that shares a session, as far as one can know.
    async fn somebody_shares(self) -> bool {
        match self.browser.held_locks().await {
            Some(names) => contains(&names, &concat(&[ALIVE, SHARED])),
            None => true,
        }
    }

    /// Opens the newest session that was kept, and renews it: nobody knows what became of it meanwhile.
    async fn open_kept(self, client_id: &str) {
        let wall = self.browser.wall();
        let mut best: Option<(String, Label, String)> = None;
        for (name, label) in self.records().await {
            if label.is_stale(wall) {
                self.discard_record(&name).await;
                continue;
            }
            let Some(salt) = self.salt_of(&name, &label) else {
                continue;
            };
            let fits = client_id.is_empty() || label.client_id == client_id;
            let newer = best
                .as_ref()
                .is_none_or(|(_, known, _)| label.at >= known.at);
            if fits && newer {
                best = Some((name, label, salt));
            }
        }
        let Some((name, label, salt)) = best else {
            return;
        };
        let secret = self.browser.entropy();
        let id = match self.open(&name, &label, &salt, secret, false).await {
            Ok(Some(id)) => id,
            Ok(None) => return self.discard_record(&name).await,
            // Perhaps the next time.
            Err(NotKept) => return,
        };
        let restoring = &self.optional.restoring;
        restoring.with(|restoring| *restoring = Some(id));
        let outcome = self.renewed(id).await;
        restoring.with(|restoring| *restoring = None);
        match outcome.map_err(|error| error.code) {
            Err(ErrorCode::SessionIndeterminate)
                if self.session(id, Session::is_renewable) != Ok(true) =>
            {
                self.sessions.with(|sessions| sessions.remove(id));
                self.release(id, &name);
                self.discard_record(&name).await;
            }
            // Ended, or it is there: renewed, or as soon as the network is back.
            _ => self.announce("restored", true, Some(id), None),
        }
    }

    /// Asks the tabs that live for the sessions they share; with a name only those that have this one.
    async fn ask_the_tabs(self, of: &str) -> Option<()> {
        let pair = self.browser.make_pair().await.ok()?;
        let nonce = base64url(&self.browser.entropy::<16>()?);
        let mark = concat(&[ANSWER, "\"", &nonce, "\""]);
        let answer = self.browser.answer(&mark, PROMPTLY);
        let mut question = Object::new();
        let question = question.str("ask", &nonce).str("of", of).done().text();
        self.browser.tell(&question, &self.browser.shown(&pair));
        let bytes = answer.await?;
        let (theirs, sealed) = bytes.split_at_checked(POINT)?;
        let key = self.browser.agree(&pair, theirs, &nonce).await.ok()?;
        let shared = self.browser.open(&key, &nonce, sealed).await.ok()?;
        for (name, secret, salt) in shared::entries(&shared) {
            if self.is_leaving(name) {
                continue;
            }
            let known = self.sessions.with(|sessions| sessions.named(name));
            let found = self.record(name).await.ok()?;
            let label = found.and_then(|found| Label::read(&found.text));
            if let (None, Some(label)) = (known, label)
                && self.is_newer(name, &label).await
                && let Ok(Some(id)) = self.open(name, &label, salt, Some(secret), true).await
            {
                self.announce("restored", false, Some(id), None);
            }
        }
        Some(())
    }

    /// The tab that has answered may have been about to give its session up for a newer one, which was announced before
    /// this page listened.
    async fn catch_up(self) {
        let Some(alive) = self.browser.held_locks().await else {
            // Nobody can say which of them live, and to ask for one that does not takes its time.
            return;
        };
        for (name, label) in self.records().await {
            let lives = contains(&alive, &concat(&[ALIVE, SHARED, &name, "."]));
            let known = self.sessions.with(|sessions| sessions.named(&name));
            if lives && known.is_none() && self.is_newer(&name, &label).await {
                self.ask_the_tabs(&name).await;
            }
        }
    }

    /// Whether a session of another tab takes the place of the one that this tab has of the same client: the newer login
    /// does, and of two at once the same one everywhere.
    async fn is_newer(self, name: &str, label: &Label) -> bool {
        let own = self.sessions.with(|sessions| {
            let session = sessions.of_client(&label.client_id)?;
            session.name().map(String::from)
        });
        let Some(own) = own else {
            return true;
        };
        let record = self.record(&own).await.ok().flatten();
        let known = record.and_then(|record| Label::read(&record.text));
        known.is_none_or(|known| (known.at, own.as_str()) < (label.at, name))
    }

    /// Another tab has logged in: each such session is looked at when those before it have been. In a task of its own, as
    /// the tab that is asked may be asking this one.
    fn is_started(self, name: &str) {
        let is_first = self.optional.started.with(|names| {
            if names.len() < MAX_STARTED {
                names.push(String::from(name));
            }
            names.len() == 1
        });
        if is_first {
            self.browser.spawn(Box::pin(async move {
                let next = || self.optional.started.with(|names| names.first().cloned());
                while let Some(name) = next() {
                    self.meet(&name).await;
                    self.optional.started.with(|names| drop(names.remove(0)));
                }
            }));
        }
    }

    /// Another tab has logged in. Of several that do so at once each takes the session that is to stay, which is not
    /// always the one that is announced: then it is announced again.
    async fn meet(self, name: &str) -> Option<()> {
        let found = self.record(name).await.ok()?;
        let label = found.and_then(|found| Label::read(&found.text))?;
        if self.is_newer(name, &label).await {
            return self.ask_the_tabs(name).await;
        }
        let own = self.sessions.with(|sessions| {
            let session = sessions.of_client(&label.client_id)?;
            session
                .name()
                .filter(|_| session.is_shared_with_tabs())
                .map(String::from)
        })?;
        self.say("started", &own);
        Some(())
    }

    /// Answers a tab that asks for the sessions that this one shares; `of`: only if this one is among them.
    async fn answer_a_tab(self, nonce: &str, of: &str, theirs: &[u8]) -> Option<()> {
        let (shared, has_it) = self.sessions.with(|sessions| {
            let has_it = of.is_empty() || sessions.named(of).is_some();
            (sessions.entries(), has_it)
        });
        if shared.is_empty() || !has_it || nonce.len() > 64 {
            return None;
        }
        let pair = self.browser.make_pair().await.ok()?;
        let key = self.browser.agree(&pair, theirs, nonce).await.ok()?;
        let mut bytes = self.browser.shown(&pair);
        bytes.extend(self.browser.seal(&key, nonce, &shared).await.ok()?);
        let mut text = Object::new();
        let text = text.str("to", nonce).done().text();
        self.browser.tell(&text, &bytes);
        Some(())
    }

    /// Listens to the other pages from now on.
    pub(super) fn listen(self) {
        let is_listening = &self.optional.is_listening;
        if is_listening.with(|listening| core::mem::replace(listening, true)) {
            return;
        }
        self.browser.listen();
        self.browser.spawn(Box::pin(async move {
            while let Some((text, bytes)) = self.browser.hear().await {
                self.heard(&text, &bytes).await;
            }
        }));
    }

    async fn heard(self, text: &str, bytes: &[u8]) {
        let message = Json::parse(text.as_bytes()).unwrap_or(Json::Null);
        if let Some(nonce) = message.str("ask") {
            let of = message.str("of").unwrap_or("");
            self.answer_a_tab(nonce, of, bytes).await;
        }
        if let Some(name) = message.str("name") {
            let known = self.sessions.with(|sessions| sessions.named(name));
            match message.str("said") {
                Some("started") if known.is_some() => {}
                // In a task of its own: the tab that is asked may be asking this one.
                Some("started") => self.is_started(name),
                _ => self.look(name).await,
            }
        }
    }

    /// Looks at the record of a session which somebody says has changed.
    pub(super) async fn look(self, name: &str) {
        let Some(id) = self.sessions.with(|sessions| sessions.named(name)) else {
            return;
        };
        let Ok(found) = self.record(name).await else {
            return;
        };
        let label = found.as_ref().and_then(|found| Label::read(&found.text));
        let met = self.session(id, |session| {
            (session.meets(label.as_ref()), session.is_shared_with_tabs())
        });
        match (met, found, label) {
            (Ok((RecordState::Gone, _)), ..) => drop(self.left(id, false)),
            // What is only kept has no access token to take over.
            (Ok((RecordState::Newer, is_shared)), Some(found), Some(label))
                if is_shared || self.needs_another(id) =>
            {
                let _ = self.take_over(id, &found, label.generation).await;
            }
            _ => {}
        }
    }

    /// Whether the session has no access token that lives.
    fn needs_another(self, id: SessionId) -> bool {
        let now = self.browser.elapsed();
        self.session(id, |session| session.living_token(now).is_none()) == Ok(true)
    }

    /// Looks whether another page has renewed a session that this one cannot renew.
    pub(in crate::client) async fn another_page_may_know(self, id: SessionId) -> bool {
        let name = self.session(id, |session| session.name().map(String::from));
        match name {
            Ok(Some(name)) => {
                self.look(&name).await;
                true
            }
            _ => false,
        }
    }

    /// A page that comes back from the back/forward cache may have missed what was said.
    pub(in crate::client) async fn look_at_records(self) {
        for name in self.sessions.with(|sessions| sessions.names()) {
            self.look(&name).await;
        }
    }

    /// Tells the other pages that something has become of a session.
    pub(super) fn say(self, said: &str, name: &str) {
        let mut text = Object::new();
        let text = text.str("said", said).str("name", name).done().text();
        self.browser.tell(&text, &[]);
    }
}
