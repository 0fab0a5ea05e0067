//! Sessions that pages have in common: shared by the tabs of an origin, or kept over a reload.
//!
//! The record of a session is in IndexedDB (`protocol/session/common.rs` says what is in it). Messages on the channel are
//! hints, which anybody can send: whoever gets one looks at the record. Only the secret of a session travels there,
//! sealed for the tab that has asked.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{
    SESSIONS, announce, begin, clock, conclude, entropy, exchange, give_up, http, page, renewed,
    session, task,
};
use crate::browser::kept::{self, Item, Key, NotKept, Pair};
use crate::browser::tabs::{self, Lock};
use crate::browser::task::Local;
use crate::protocol::config::{Keep, Login};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::base64url;
use crate::protocol::session::common::{self, Label, Meeting, Sent};
use crate::protocol::session::{Session, SessionId};
use crate::protocol::text::{concat, contains};

type Boxed<'a, T> = core::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

/// Names of records; the rest is the session's name.
const RECORD: &str = "session.";
/// Keys in sessionStorage of what a tab adds to open its sessions.
const SALT: &str = "oauth-wasm.kept.";
/// Names of locks: of who renews, of who lives, of who restores.
const RENEW: &str = "oauth-wasm.renew.";
const ALIVE: &str = "oauth-wasm.alive.";
const SHARED: &str = "shared.";
const RESTORE: &str = "oauth-wasm.restore";
/// How long another page may take to renew, in milliseconds: longer than its requests may.
const PATIENCE: u32 = 70_000;
/// How long a tab may take to answer, in milliseconds.
const ANSWER: u32 = 1_500;
/// Bytes of what a tab shows of its half of an agreement: a point of P-256, uncompressed.
const POINT: usize = 65;

/// What this page holds of a common session.
struct Held {
    id: SessionId,
    shared: Option<Key>,
    kept: Option<Key>,
    /// Tells the other pages that somebody has the session.
    _alive: Option<Lock>,
}

static HELD: Local<Vec<Held>> = Local::new(Vec::new());
static LISTENING: Local<bool> = Local::new(false);
/// The session that is being restored: its renewal is no news.
pub static RESTORED: Local<Option<SessionId>> = Local::new(None);

/// Whether this browser can keep and share sessions, if the login wants that.
pub async fn check(login: &Login) -> Result<(), Error> {
    let field = match (login.keep(), login.is_shared(), login.keep_pending()) {
        (Keep::No, false, false) => return Ok(()),
        (Keep::No, true, _) => "sessionScope",
        (Keep::No, _, true) => "keepPending",
        _ => "keep",
    };
    let there = kept::is_there() && kept::has_crypto() && kept::find(RECORD).await.is_ok();
    if there || login.is_keep_optional() {
        return Ok(());
    }
    let detail = concat(&[field, ": needs crypto.subtle (https) and IndexedDB"]);
    Err(ErrorCode::UnsupportedEnvironment.at(&detail))
}

/// Makes a session common that has begun here. A browser that cannot leaves it this page's own.
pub async fn settle(id: SessionId) {
    if session(id, Session::is_to_be_common) != Ok(true) {
        return;
    }
    let Some(entropy) = entropy::bytes() else {
        return;
    };
    SESSIONS.with(|sessions| sessions.change(id, |session| session.make_common(&entropy)));
    listen();
    if hold(id).await.is_err() || !write(id, "").await.unwrap_or(false) {
        SESSIONS.with(|sessions| sessions.change(id, Session::make_own));
        return;
    }
    sweep(id).await;
    if let Ok(Some(name)) = session(id, |session| {
        session
            .name()
            .filter(|_| session.is_shared())
            .map(String::from)
    }) {
        say("started", &name);
    }
}

/// Gets the keys of a session, and lets the others know that it lives here.
async fn hold(id: SessionId) -> Result<(), NotKept> {
    let known = session(id, |session| {
        let salt = session.salt().map(String::from);
        (session.name().map(String::from), session.secret(), salt)
    });
    let Ok((Some(name), secret, salt)) = known else {
        return Err(NotKept);
    };
    let shared = match secret {
        Some(secret) => Some(Key::of(&secret).await?),
        None => None,
    };
    let kept = match &salt {
        Some(salt) => Some(Key::kept(salt).await?),
        None => None,
    };
    if session(id, Session::keep) == Ok(Keep::Tab)
        && let Some(salt) = &salt
    {
        page::store(&concat(&[SALT, &name]), salt).map_err(|_| NotKept)?;
    }
    let tab = entropy::bytes::<9>().map_or(String::new(), |bytes| base64url(&bytes));
    let alive = match shared.is_some() {
        true => concat(&[ALIVE, SHARED, &name, ".", &tab]),
        false => concat(&[ALIVE, "own.", &name, ".", &tab]),
    };
    let alive = match tabs::has_locks() {
        true => tabs::lock(&alive, 0).await,
        false => None,
    };
    HELD.with(|held| {
        held.push(Held {
            id,
            shared,
            kept,
            _alive: alive,
        });
    });
    Ok(())
}

fn keys(id: SessionId) -> (Option<Key>, Option<Key>) {
    HELD.with(|held| {
        let entry = held.iter().find(|held| held.id == id);
        entry.map_or((None, None), |held| {
            (held.shared.clone(), held.kept.clone())
        })
    })
}

/// Writes the session's record in the place of the one with this label (empty: there is none yet).
async fn write(id: SessionId, expected: &str) -> Result<bool, NotKept> {
    let (wall, now) = (clock::wall(), clock::elapsed());
    let origin = page::origin();
    let known = session(id, |session| {
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
    let (for_tabs, for_later) = keys(id);
    let one = seal(for_tabs, shared).await?;
    let two = seal(for_later, kept).await?;
    kept::replace(&record, expected, &label, one.as_deref(), two.as_deref()).await
}

async fn seal(
    key: Option<Key>,
    (bound, part): (String, Zeroizing<String>),
) -> Result<Option<Vec<u8>>, NotKept> {
    match key {
        Some(key) => Ok(Some(key.seal(&bound, part.as_bytes()).await?)),
        None => Ok(None),
    }
}

/// Renews a common session: once for all pages. `None`: it is none.
pub async fn renew(id: SessionId) -> Option<Result<(), Error>> {
    let known = session(id, |session| {
        (session.name().map(String::from), session.generation())
    });
    let (name, generation) = known.ok()?;
    let name = name?;
    let lock = concat(&[RENEW, &name]);
    let work: Boxed<'_, _> = Box::pin(renew_alone(id, name, generation));
    let done = tabs::alone(&lock, PATIENCE, work).await;
    Some(done.unwrap_or_else(|| Err(ErrorCode::Timeout.error())))
}

async fn renew_alone(id: SessionId, name: String, generation: u32) -> Result<(), Error> {
    let blocked = |_: NotKept| ErrorCode::StorageBlocked.error();
    let record = concat(&[RECORD, &name]);
    let item = kept::find(&record).await.map_err(blocked)?;
    let label = item.as_ref().and_then(|item| Label::read(&item.text()));
    // While this page waited it may have heard that another one has done what it was to do.
    if session(id, Session::generation)? != generation {
        return Ok(());
    }
    let sent = label.as_ref().map_or(Sent::Never, |label| label.sent);
    match session(id, |session| session.meets(label.as_ref()))? {
        Meeting::Gone => return Err(left(id, false)),
        Meeting::Spent => return Err(doubted(id, false)),
        Meeting::Lost => {
            let lives = |session: &Session| session.living_token(clock::elapsed()).is_some();
            if session(id, lives)? {
                return Err(doubted(id, true));
            }
        }
        Meeting::Newer => {
            if let (Some(item), Some(label)) = (item, label)
                && take_over(id, &item, label.generation).await?
            {
                return Ok(());
            }
        }
        Meeting::Same => {}
    }
    let request = session(id, Session::renewal)??;
    if !http::is_reachable(request.endpoint(), super::TIMEOUT).await {
        return conclude(id, Err(ErrorCode::NetworkError.error()));
    }
    // From here on the refresh token may be spent, whatever becomes of this page: nobody else is to send it.
    let before = kept::find(&record).await.map_err(blocked)?;
    let before = before.map_or(String::new(), |item| item.text());
    let sent = session(id, |session| session.label(sent.and_again(), clock::wall()))?;
    let marked = !before.is_empty()
        && kept::replace(&record, &before, &sent, None, None)
            .await
            .map_err(blocked)?;
    if !marked {
        return Err(left(id, false));
    }
    let outcome = exchange(request).await;
    let code = outcome.as_ref().err().map(|error| error.code);
    let concluded = conclude(id, outcome);
    match code {
        None => {}
        Some(ErrorCode::SessionIndeterminate) => return concluded,
        Some(_) if session(id, |_| ()).is_err() => {
            forget(id, &name).await;
            return concluded;
        }
        Some(_) => {
            // It was refused and not spent.
            let _ = kept::replace(&record, &sent, &before, None, None).await;
            return concluded;
        }
    }
    SESSIONS.with(|sessions| sessions.change(id, Session::next_generation));
    match write(id, &sent).await {
        Ok(true) => say("renewed", &name),
        // Somebody has logged out meanwhile: these tokens are nobody's.
        Ok(false) => return Err(left(id, true)),
        Err(NotKept) => {
            SESSIONS.with(|sessions| sessions.change(id, Session::make_own));
        }
    }
    concluded
}

/// Takes what another page has left in the record. Whether that has a token that lives.
async fn take_over(id: SessionId, item: &Item, generation: u32) -> Result<bool, Error> {
    let origin = page::origin();
    let (shared, kept) = keys(id);
    for (key, part, place) in [(shared, "shared", "one"), (kept, "kept", "two")] {
        let Some(key) = key else {
            continue;
        };
        let bound = session(id, |session| session.bound(part, &origin, generation))?;
        let Ok(bytes) = key.open(&bound, &item.part(place)).await else {
            continue;
        };
        let (wall, now) = (clock::wall(), clock::elapsed());
        let taken = SESSIONS.with(|sessions| {
            sessions.change(id, |session| {
                session.take_over(&bytes, generation, wall, now)
            })
        });
        if taken.flatten().is_some() {
            let lives = session(id, |session| session.living_token(now))?.is_some();
            if lives {
                announce("renewed", false, Some(id), None);
            }
            return Ok(lives);
        }
    }
    Err(doubted(id, false))
}

/// Another page may have sent the refresh token, and nobody knows what came of it.
fn doubted(id: SessionId, lost: bool) -> Error {
    let error = SESSIONS.with(|sessions| sessions.change(id, |session| session.doubt(lost)));
    announce("indeterminate", true, Some(id), None);
    error.unwrap_or_else(|| ErrorCode::LoginRequired.error())
}

/// Another page has left the session. With `give_back` the tokens that this page has got since are given up.
fn left(id: SessionId, give_back: bool) -> Error {
    if let Some(session) = SESSIONS.with(|sessions| sessions.remove(id)) {
        release(id, session.name().unwrap_or(""));
        announce("ended", false, None, Some("logout"));
        if give_back {
            task::spawn(Box::pin(async move {
                let _ = give_up(&session).await;
            }));
        }
    }
    ErrorCode::LoginRequired.error()
}

/// A session is over whose renewal was refused: no page has it any more.
pub async fn ended(id: SessionId) {
    if let Ok(Some(name)) = session(id, |session| session.name().map(String::from)) {
        forget(id, &name).await;
    }
}

async fn forget(id: SessionId, name: &str) {
    release(id, name);
    let _ = kept::remove(&concat(&[RECORD, name])).await;
    say("ended", name);
}

/// Lets go of what this page holds of a session.
fn release(id: SessionId, name: &str) {
    page::remove(&concat(&[SALT, name]));
    HELD.with(|held| held.retain(|held| held.id != id));
}

/// Lets go of the sessions that others have taken the place of.
pub fn prune() {
    let held = HELD.with(|held| held.iter().map(|held| held.id).collect::<Vec<_>>());
    for id in held {
        if session(id, |_| ()).is_err() {
            HELD.with(|held| held.retain(|held| held.id != id));
        }
    }
}

/// Removes records that nobody can use any more: too old, of tabs that are gone, of this client before it logged in
/// again.
async fn sweep(id: SessionId) {
    let Some(alive) = tabs::held().await else {
        return;
    };
    let known = session(id, |session| {
        let name = session.name().map(String::from);
        (name, session.keep(), String::from(session.client_id()))
    });
    let Ok((Some(own), keep, client_id)) = known else {
        return;
    };
    for (name, label) in records().await {
        let stale = label.is_stale(clock::wall());
        let held = contains(&alive, &concat(&[".", &name, "."]));
        let useless = match label.keep {
            Keep::No => !held,
            Keep::Tab => false,
            Keep::Device => keep == Keep::Device && !held && label.client_id == client_id,
        };
        if name != own && (stale || useless) {
            let _ = kept::remove(&concat(&[RECORD, &name])).await;
        }
    }
}

/// The records of all sessions, by name.
async fn records() -> Vec<(String, Label)> {
    let mut records = Vec::new();
    let list = kept::find_all(RECORD).await.unwrap_or_default();
    if let Some(Json::Array(items)) = Json::parse(list.as_bytes()) {
        for item in items {
            let name = item.str("name").and_then(|name| name.strip_prefix(RECORD));
            let label = item.str("text").and_then(Label::read);
            if let (Some(name), Some(label)) = (name, label) {
                records.push((String::from(name), label));
            }
        }
    }
    records
}

/// What opens the kept part of a record here, if this tab may.
fn salt_of(name: &str, label: &Label) -> Option<String> {
    match label.keep {
        Keep::No => None,
        Keep::Tab => page::load(&concat(&[SALT, name])),
        Keep::Device => Some(label.salt.clone()),
    }
}

/// Gives a session back without the user, if there is one: of another tab, or one that was kept.
pub async fn restore(client_id: String) -> Option<String> {
    let there = || SESSIONS.with(|sessions| Some(sessions.of_client(&client_id)?.describe()));
    if there().is_none() && kept::is_there() && kept::has_crypto() {
        listen();
        let work: Boxed<'_, ()> = Box::pin(async {
            if there().is_none() && somebody_shares().await {
                ask().await;
            }
            if there().is_none() {
                open_kept(&client_id).await;
            }
        });
        tabs::alone(RESTORE, PATIENCE, work).await;
    }
    there()
}

/// Whether a tab lives that shares a session, as far as one can know.
async fn somebody_shares() -> bool {
    match tabs::held().await {
        Some(names) => contains(&names, &concat(&[ALIVE, SHARED])),
        None => true,
    }
}

/// Opens the newest session that was kept, and renews it: nobody knows what became of it meanwhile.
async fn open_kept(client_id: &str) {
    let wall = clock::wall();
    let mut best: Option<(String, Label, String)> = None;
    for (name, label) in records().await {
        if label.is_stale(wall) {
            let _ = kept::remove(&concat(&[RECORD, &name])).await;
            continue;
        }
        let Some(salt) = salt_of(&name, &label) else {
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
    let secret = entropy::bytes();
    let Some(id) = open(&name, &label, &salt, secret, false).await else {
        let _ = kept::remove(&concat(&[RECORD, &name])).await;
        return;
    };
    RESTORED.with(|restored| *restored = Some(id));
    let outcome = renewed(id).await;
    RESTORED.with(|restored| *restored = None);
    match outcome.map_err(|error| error.code) {
        Err(ErrorCode::SessionIndeterminate) if session(id, Session::is_renewable) != Ok(true) => {
            SESSIONS.with(|sessions| sessions.remove(id));
            release(id, &name);
            let _ = kept::remove(&concat(&[RECORD, &name])).await;
        }
        // Ended, or it is there: renewed, or as soon as the network is back.
        _ => announce("restored", true, Some(id), None),
    }
}

/// Opens a part of a record and begins its session here.
async fn open(
    name: &str,
    label: &Label,
    salt: &str,
    secret: Option<[u8; 32]>,
    is_shared: bool,
) -> Option<SessionId> {
    let secret = secret?;
    let (part, place) = match is_shared {
        true => ("shared", "one"),
        false => ("kept", "two"),
    };
    let key = match is_shared {
        true => Key::of(&secret).await,
        false => Key::kept(salt).await,
    };
    let item = kept::find(&concat(&[RECORD, name])).await.ok()??;
    // The label may have changed since.
    let label = Label::read(&item.text()).filter(|now| now.client_id == label.client_id)?;
    let origin = page::origin();
    let bound = common::bound(part, &origin, &label.client_id, name, label.generation);
    let bytes = key.ok()?.open(&bound, &item.part(place)).await.ok()?;
    let times = (clock::wall(), clock::elapsed());
    let session = Session::from_part(&bytes, name, &label, salt, &secret, &origin, times)?;
    let id = begin(session);
    if hold(id).await.is_err() {
        SESSIONS.with(|sessions| sessions.change(id, Session::make_own));
    }
    Some(id)
}

/// Asks the tabs that live for the sessions they share.
async fn ask() -> Option<()> {
    let pair = Pair::new().await.ok()?;
    let nonce = base64url(&entropy::bytes::<16>()?);
    let answer = tabs::answer(&concat(&["{\"to\":\"", &nonce, "\""]), ANSWER);
    let mut question = Object::new();
    let question = question.str("ask", &nonce).done().text();
    tabs::tell(&question, &pair.shown());
    let bytes = answer.await?;
    let (theirs, sealed) = bytes.split_at_checked(POINT)?;
    let key = pair.agree(theirs, &nonce).await.ok()?;
    let shared = key.open(&nonce, sealed).await.ok()?;
    for (name, secret, salt) in common::shared(&shared) {
        let known = SESSIONS.with(|sessions| sessions.named(name));
        let item = kept::find(&concat(&[RECORD, name])).await.ok()?;
        let label = item.and_then(|item| Label::read(&item.text()));
        if let (None, Some(label)) = (known, label)
            && let Some(id) = open(name, &label, salt, Some(secret), true).await
        {
            announce("restored", false, Some(id), None);
        }
    }
    Some(())
}

/// Answers a tab that asks for the sessions that this one shares.
async fn answer(nonce: &str, theirs: &[u8]) -> Option<()> {
    let shared = SESSIONS.with(|sessions| sessions.shared());
    if shared.is_empty() || nonce.len() > 64 {
        return None;
    }
    let pair = Pair::new().await.ok()?;
    let key = pair.agree(theirs, nonce).await.ok()?;
    let mut bytes = pair.shown();
    bytes.extend(key.seal(nonce, &shared).await.ok()?);
    let mut text = Object::new();
    tabs::tell(&text.str("to", nonce).done().text(), &bytes);
    Some(())
}

/// Listens to the other pages from now on.
fn listen() {
    if !LISTENING.with(|listening| core::mem::replace(listening, true)) {
        tabs::listen();
        task::spawn(Box::pin(async {
            while let Some((text, bytes)) = tabs::hear().await {
                heard(&text, &bytes).await;
            }
        }));
    }
}

async fn heard(text: &str, bytes: &[u8]) {
    let message = Json::parse(text.as_bytes()).unwrap_or(Json::Null);
    if let Some(nonce) = message.str("ask") {
        answer(nonce, bytes).await;
    }
    if let Some(name) = message.str("name") {
        match message.str("said") {
            Some("started") => {
                if SESSIONS.with(|sessions| sessions.named(name)).is_none() {
                    ask().await;
                }
            }
            _ => look(name).await,
        }
    }
}

/// Looks at the record of a session which somebody says has changed.
async fn look(name: &str) {
    let Some(id) = SESSIONS.with(|sessions| sessions.named(name)) else {
        return;
    };
    let Ok(item) = kept::find(&concat(&[RECORD, name])).await else {
        return;
    };
    let label = item.as_ref().and_then(|item| Label::read(&item.text()));
    let met = session(id, |session| {
        (session.meets(label.as_ref()), session.is_shared())
    });
    match (met, item, label) {
        (Ok((Meeting::Gone, _)), ..) => drop(left(id, false)),
        // What is only kept has no access token to take over.
        (Ok((Meeting::Newer, true)), Some(item), Some(label)) => {
            let _ = take_over(id, &item, label.generation).await;
        }
        _ => {}
    }
}

/// A page that comes back from the back/forward cache may have missed what was said.
pub async fn look_again() {
    let names = SESSIONS.with(|sessions| sessions.names());
    for name in names {
        look(&name).await;
    }
}

/// The names of the common sessions of this page, which is about to leave them.
pub fn names() -> Vec<String> {
    SESSIONS.with(|sessions| sessions.names())
}

/// Removes the records of sessions that were left; of a page that has none, those that it could have restored.
pub async fn wipe(mut names: Vec<String>, left: &[SessionId]) {
    if names.is_empty() && left.is_empty() && kept::is_there() {
        for (name, label) in records().await {
            if salt_of(&name, &label).is_some() {
                names.push(name);
            }
        }
    }
    for name in names {
        page::remove(&concat(&[SALT, &name]));
        let Ok(item) = kept::take(&concat(&[RECORD, &name])).await else {
            continue;
        };
        // Another page may have spent the refresh token: it is not sent again, not even to be given up by a renewal.
        let label = item.and_then(|item| Label::read(&item.text()));
        SESSIONS.with(|sessions| sessions.leave_doubted(&name, label.as_ref()));
        say("ended", &name);
    }
    prune();
}

fn say(said: &str, name: &str) {
    let mut text = Object::new();
    let text = text.str("said", said).str("name", name).done().text();
    tabs::tell(&text, &[]);
}
