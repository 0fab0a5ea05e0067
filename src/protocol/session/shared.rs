//! Sessions that pages share: with other tabs, or with the page that comes after a reload (RFC 9700 section 4.14: a refresh
//! token is used once, by whichever page).
//!
//! All pages of the origin find one record of such a session. It has a label, which is no secret and says how often the
//! session was renewed and whether its refresh token is on its way; a part that tabs can open which have got its secret
//! from another tab; and a part that this browser can open again after a reload, without the access token. Who renews
//! holds the lock of the session, reads the label first and leaves the next one.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::super::authorization::Entropy;
use super::super::client::{Client, Keep};
use super::super::error::{Error, ErrorCode};
use super::super::json::{Json, Object};
use super::super::token::Tokens;
use super::super::{Seconds, pkce, text};
use super::{Refresh, Session, SessionId, Sessions, sessions};

/// Bytes of a session's name, which is base64url of 16.
const NAME: usize = 22;
/// Bytes of the secret that tabs share.
const SECRET: usize = 32;
/// Bytes of what a tab needs to have a session: its name, its secret, its salt.
const ENTRY: usize = NAME + SECRET + NAME;

/// What makes a session shared.
#[derive(Debug)]
pub struct Shared {
    name: String,
    /// How often it was renewed.
    generation: u32,
    /// What opens the tabs' part.
    secret: Secret,
    /// What the browser's own key goes with to open the kept part.
    salt: String,
    /// Whether the kept part could be written.
    kept: bool,
    with_tabs: bool,
}

struct Secret(Zeroizing<[u8; SECRET]>);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a page finds that wants to renew a shared session, and holds its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// Nobody has renewed it since.
    Same,
    /// Another page has: its tokens are in the record.
    Newer,
    /// Another page has sent the refresh token, and its answer was lost: it may be spent.
    Lost,
    /// The same, and it is not to be sent again.
    Spent,
    /// Another page has left it.
    Gone,
}

/// How often the refresh token of a generation is on its way, or was when its page died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Never,
    Once,
    /// There is no third time.
    Twice,
}

impl Sent {
    /// With the one that is about to be sent.
    pub fn and_again(self) -> Sent {
        match self {
            Sent::Never => Sent::Once,
            _ => Sent::Twice,
        }
    }
}

/// A label as it was read.
#[derive(Debug, PartialEq)]
pub struct Label {
    pub generation: u32,
    pub sent: Sent,
    /// When it was written, by the wall clock.
    pub at: Seconds,
    pub keep: Keep,
    /// Seconds that it is kept without being renewed.
    pub max_age: Seconds,
    pub client_id: String,
    pub salt: String,
}

impl Label {
    /// Reads a label; unreadable means absent.
    pub fn read(text: &str) -> Option<Label> {
        let mut json = Json::parse(text.as_bytes())?;
        if json.get("v")?.as_u32()? != 1 {
            return None;
        }
        let number = |name| json.get(name).and_then(Json::as_u32);
        let (generation, at, max_age) = (number("generation")?, number("at")?, number("maxAge")?);
        let keep = Keep::read(json.str("keep"))?;
        let sent = match number("sent")? {
            0 => Sent::Never,
            1 => Sent::Once,
            _ => Sent::Twice,
        };
        let mut own = |name| match json.take(name) {
            Some(Json::String(text)) => text,
            _ => String::new(),
        };
        Some(Label {
            generation,
            sent,
            at,
            keep,
            max_age,
            client_id: own("clientId"),
            salt: own("salt"),
        })
    }

    /// Whether it has lain too long. `now` is the wall clock; one that was set back makes nothing older.
    pub fn is_stale(&self, now: Seconds) -> bool {
        now.saturating_sub(self.at) > self.max_age
    }
}

/// What ties sealed bytes to where they belong: a part of one generation of one session of one client of one origin.
pub fn bound(part: &str, origin: &str, client_id: &str, name: &str, generation: u32) -> String {
    let generation = super::super::json::decimal(generation.into());
    text::concat(&[
        "oauth-wasm 1 ",
        part,
        " ",
        origin,
        " ",
        client_id,
        " ",
        name,
        " ",
        &generation,
    ])
}

impl Session {
    /// Whether its configuration wants it to be shared.
    pub fn is_to_be_shared(&self) -> bool {
        self.login.keep() != Keep::No || self.login.is_shared_with_tabs()
    }

    /// Makes it shared, under a new name.
    pub fn make_shared(&mut self, entropy: &Entropy) {
        let (for_name, rest) = entropy.split_at(16);
        let (for_salt, for_secret) = rest.split_at(16);
        let mut secret = [0; SECRET];
        secret.copy_from_slice(for_secret);
        self.shared = Some(Shared {
            name: pkce::base64url(for_name),
            generation: 0,
            secret: Secret(Zeroizing::new(secret)),
            salt: pkce::base64url(for_salt),
            // Without a refresh token there is nothing to keep.
            kept: self.login.keep() != Keep::No && self.is_renewable(),
            with_tabs: self.login.is_shared_with_tabs(),
        });
    }

    /// The browser could not keep it, or tabs cannot share it: it is this page's alone.
    pub fn make_own(&mut self) {
        self.shared = None;
    }

    /// Its name, if it is shared.
    pub fn name(&self) -> Option<&str> {
        Some(self.shared.as_ref()?.name.as_str())
    }

    /// What tabs open their part with, where they share it.
    pub fn secret(&self) -> Option<Zeroizing<[u8; SECRET]>> {
        let shared = self.shared.as_ref()?;
        shared.with_tabs.then(|| shared.secret.0.clone())
    }

    /// What goes with the browser's own key, where the session is kept.
    pub fn salt(&self) -> Option<&str> {
        let shared = self.shared.as_ref()?;
        shared.kept.then_some(shared.salt.as_str())
    }

    pub fn keep(&self) -> Keep {
        match self.salt() {
            Some(_) => self.login.keep(),
            None => Keep::No,
        }
    }

    pub fn is_shared_with_tabs(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.with_tabs)
    }

    pub fn generation(&self) -> u32 {
        self.shared.as_ref().map_or(0, |shared| shared.generation)
    }

    /// The label of this generation. `now` is the wall clock.
    pub fn label(&self, sent: Sent, now: Seconds) -> String {
        let mut out = Object::new();
        out.number("v", 1)
            .number("generation", self.generation())
            .number("sent", sent as u32)
            .number("at", now)
            .str("keep", self.keep().as_str())
            .number("maxAge", self.login.keep_max_age())
            .str("clientId", self.login.client_id());
        // A tab keeps its salt to itself: when it is closed, nothing opens the part any more.
        if self.keep() == Keep::Device {
            out.maybe("salt", self.salt());
        }
        out.done().text()
    }

    /// What a part is sealed with besides the key.
    pub fn bound(&self, part: &str, origin: &str, generation: u32) -> String {
        let name = self.name().unwrap_or("");
        bound(part, origin, self.login.client_id(), name, generation)
    }

    /// The tabs' part: all of it. `wall` is the wall clock, `now` the monotonic time.
    pub fn shared_part(&self, wall: Seconds, now: Seconds) -> Zeroizing<String> {
        self.part(self.tokens.to_json(true, now), wall)
    }

    /// The kept part, which lacks the access token.
    pub fn kept_part(&self, wall: Seconds, now: Seconds) -> Zeroizing<String> {
        self.part(self.tokens.to_json(false, now), wall)
    }

    fn part(&self, mut tokens: Json, wall: Seconds) -> Zeroizing<String> {
        let mut out = Object::new();
        out.number("v", 1)
            .number("at", wall)
            .str("client", &self.login.to_record());
        let mut part = out.done();
        let client = part.text();
        let mut text = Zeroizing::new(String::with_capacity(client.len() + tokens.size() + 16));
        // {..} and {..} become {..,"tokens":{..}}.
        text.push_str(client.strip_suffix("}").unwrap_or(""));
        text.push_str(",\"tokens\":");
        tokens.write(&mut text);
        text.push('}');
        tokens.wipe();
        part.wipe();
        text
    }

    /// What another page has made of the session, by its label.
    pub fn meets(&self, label: Option<&Label>) -> RecordState {
        match label {
            None => RecordState::Gone,
            Some(label) if label.generation > self.generation() => match label.sent {
                Sent::Never => RecordState::Newer,
                // Its page may have died: whoever takes the session over may still try once.
                Sent::Once if self.login.may_resend_refresh_token() => RecordState::Newer,
                _ => RecordState::Spent,
            },
            Some(label) => match label.sent {
                Sent::Never => RecordState::Same,
                Sent::Once if self.login.may_resend_refresh_token() => RecordState::Lost,
                _ => RecordState::Spent,
            },
        }
    }

    /// Takes the tokens of another page's renewal. `None` if the part is not readable.
    pub fn take_over(
        &mut self,
        part: &[u8],
        generation: u32,
        wall: Seconds,
        now: Seconds,
    ) -> Option<()> {
        let (tokens, _) = read(part, wall, now)?;
        self.renew(tokens, wall, now);
        if let Some(shared) = &mut self.shared {
            shared.generation = generation;
        }
        Some(())
    }

    /// The next generation: renewed here.
    pub fn next_generation(&mut self) {
        if let Some(shared) = &mut self.shared {
            shared.generation = shared.generation.saturating_add(1);
        }
    }

    /// A session out of a part. `secret` is what opened it, or for a kept part what tabs are to share.
    #[allow(clippy::too_many_arguments, reason = "each from somewhere else")]
    pub fn from_part(
        part: &[u8],
        name: &str,
        label: &Label,
        salt: &str,
        secret: &[u8; SECRET],
        origin: &str,
        (wall, now): (Seconds, Seconds),
    ) -> Option<Session> {
        let (tokens, login) = read(part, wall, now)?;
        if login.client_id() != label.client_id || !login.is_sound(origin) {
            return None;
        }
        let mut session = Session::new(Rc::new(login), tokens, wall, now);
        session.shared = Some(Shared {
            name: String::from(name),
            generation: label.generation,
            secret: Secret(Zeroizing::new(*secret)),
            salt: String::from(salt),
            kept: session.login.keep() != Keep::No,
            with_tabs: session.login.is_shared_with_tabs(),
        });
        Some(session)
    }

    /// Another page may have sent the refresh token. `lost`: it may be sent once more, when nothing else is left.
    pub fn make_indeterminate(&mut self, lost: bool) -> Error {
        let error = ErrorCode::SessionIndeterminate.error();
        self.refresh = match lost {
            true => Refresh::Lost(error.clone()),
            false => Refresh::Indeterminate(error.clone()),
        };
        error
    }
}

/// The tokens of a part and the client they belong to.
fn read(part: &[u8], wall: Seconds, now: Seconds) -> Option<(Tokens, Client)> {
    let mut json = Json::parse(part)?;
    if json.get("v")?.as_u32()? != 1 {
        return None;
    }
    let written = json.get("at")?.as_u32()?;
    let tokens = json.take("tokens")?;
    let tokens = Tokens::from_json(tokens, wall.saturating_sub(written), now)?;
    Some((tokens, Client::from_record(json.str("client")?)?))
}

impl Sessions {
    /// The session of this name.
    pub fn named(&self, name: &str) -> Option<SessionId> {
        let entry = self
            .list
            .iter()
            .find(|(_, session)| session.name() == Some(name))?;
        Some(entry.0)
    }

    /// A session ends.
    pub fn remove(&mut self, id: SessionId) -> Option<Box<Session>> {
        sessions::take(&mut self.list, id)
    }

    /// The names of the shared sessions.
    pub fn names(&self) -> Vec<String> {
        let names = self.list.iter().map(|(_, session)| session.name());
        names.flatten().map(String::from).collect()
    }

    /// The session of this name that was left, and that another page has renewed since.
    pub fn newer(&self, name: &str, label: &Label) -> Option<SessionId> {
        let mut leaving = self.leaving.iter();
        let (id, session) = leaving.find(|(_, session)| session.name() == Some(name))?;
        (session.meets(Some(label)) == RecordState::Newer).then_some(*id)
    }

    /// Takes note of what became of a session that was left: another page may have spent its refresh token.
    pub fn leave_indeterminate(&mut self, name: &str, label: Option<&Label>) {
        let mut leaving = self.leaving.iter_mut();
        if let Some((_, session)) = leaving.find(|(_, session)| session.name() == Some(name))
            && session.meets(label) != RecordState::Same
        {
            session.make_indeterminate(false);
        }
    }

    /// What a tab needs that asks for the sessions which tabs share, one after the other.
    pub fn entries(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.list.len() * ENTRY));
        for (_, session) in &self.list {
            let Some(shared) = session.shared.as_ref().filter(|shared| shared.with_tabs) else {
                continue;
            };
            if shared.name.len() == NAME && shared.salt.len() == NAME {
                out.extend_from_slice(shared.name.as_bytes());
                out.extend_from_slice(&*shared.secret.0);
                out.extend_from_slice(shared.salt.as_bytes());
            }
        }
        out
    }
}

/// Reads what [`Sessions::entries`] gave.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = (&str, [u8; SECRET], &str)> {
    bytes.chunks_exact(ENTRY).filter_map(|entry| {
        let (name, rest) = entry.split_at(NAME);
        let (secret, salt) = rest.split_at(SECRET);
        let text = |bytes| core::str::from_utf8(bytes).ok();
        Some((text(name)?, secret.try_into().ok()?, text(salt)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn session(fields: &str) -> Session {
        let config = format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","sessionScope":"origin"{fields}}}"#
        );
        let config = crate::protocol::config::Config::parse(&config).expect("fields");
        let login = config.resolve("https://app.example").expect("a login");
        let members = br#"{"access_token":"a","token_type":"bearer","refresh_token":"r"}"#;
        let mut members = Json::parse(members).expect("JSON");
        let tokens = Tokens::granted(&mut members, &login, 0).expect("tokens");
        let mut session = Session::new(login, tokens, 1000, 0);
        session.make_shared(&core::array::from_fn(|i| i as u8));
        session
    }

    #[test]
    fn a_refresh_token_that_another_page_has_sent_may_be_sent_once_more_by_its_label() {
        let strict = r#","refreshTokenReuse":false"#;
        for (sent, meeting, strictly) in [
            (Sent::Never, RecordState::Same, RecordState::Same),
            (Sent::Once, RecordState::Lost, RecordState::Spent),
            (Sent::Twice, RecordState::Spent, RecordState::Spent),
        ] {
            for (fields, meeting) in [("", meeting), (strict, strictly)] {
                let session = session(fields);
                let label = Label::read(&session.label(sent, 5)).expect("a label");
                assert_eq!(label.sent, sent);
                assert_eq!(session.meets(Some(&label)), meeting, "{sent:?}");
                let newer = Label {
                    generation: 1,
                    ..label
                };
                let newer = session.meets(Some(&newer));
                let is_spent = meeting == RecordState::Spent;
                assert_eq!(newer == RecordState::Newer, !is_spent, "{sent:?}");
                assert_eq!(newer == RecordState::Spent, is_spent, "{sent:?}");
            }
        }
        assert_eq!(Sent::Never.and_again(), Sent::Once);
        assert_eq!(Sent::Once.and_again(), Sent::Twice);
        assert_eq!(Sent::Twice.and_again(), Sent::Twice);
    }
}
