//! Sessions: which one a URL belongs to, and what to do with its token now.

#[cfg(feature = "full")]
pub mod common;
mod handover;
#[cfg_attr(not(feature = "full"), path = "session/anonymous.rs")]
mod identity;
mod leaving;
mod permission;

#[cfg(feature = "full")]
use common::Common;
#[cfg(not(feature = "full"))]
use identity::Common;
pub use leaving::Revocation;
pub use permission::explain;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::Seconds;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::json::{self, Json, Object, decimal};
use super::openid;
use super::resource::{challenge, covers, undeclared};
use super::secret::AccessToken;
use super::token::{Grant, TokenRequest, Tokens};
use super::url::Url;

/// Seconds before its end that a session which cannot be renewed is said to end.
const WARNING: Seconds = 60;

/// Seconds that a server may have a renewal wait for.
const MAX_WAIT: Seconds = 3600;

/// One user logged in at one client. Dropping it overwrites the tokens.
#[derive(Debug)]
pub struct Session {
    login: Rc<Client>,
    tokens: Tokens,
    /// When the access token ends, by the wall clock: for showing only.
    ends: Option<u64>,
    /// How many requests the provider allows, and how many were made, as it said last.
    limits: Option<(Option<u64>, Option<u64>)>,
    failing: Option<Failing>,
    refresh: Refresh,
    /// When it began, in the seconds of the `now` it was made with.
    begun: Seconds,
    /// What it has in common with other pages' sessions.
    common: Option<Common>,
}

/// So many renewals in a row have failed; the next one waits until then.
#[derive(Debug)]
struct Failing {
    times: u32,
    until: Seconds,
    error: Error,
}

/// What is known of the refresh token.
#[derive(Debug)]
enum Refresh {
    /// Nothing speaks against it.
    Good,
    /// It was sent and the answer was lost, so it may be spent. Once the access token is over it is sent once more: what
    /// would be lost then is lost otherwise.
    Lost(Error),
    /// It was sent while the server could not be reached, so it is probably unspent. What comes next is as for `Lost`.
    Unsure(Error),
    /// The same, and it is not sent again.
    Doubtful(Error),
    /// The server refuses it, and may do so for a reason that passes: it is not sent again, and the session ends with
    /// its access token.
    Refused(Error),
}

/// What to do before a private request.
#[derive(Debug, PartialEq)]
pub enum Access {
    /// Send this token.
    Token(AccessToken),
    /// Renew first.
    Renew,
    /// The token has ended and nothing can renew it.
    LoginRequired,
    /// The token has ended, and it is no time to renew it.
    Trouble(Error),
    /// The session is over: the server has refused to renew it. To be told once, by [`Sessions::renewed`].
    Ended(Error),
}

/// What to do after a 401 or a 403.
#[derive(Debug, PartialEq)]
pub enum AfterRefusal {
    /// Another call has renewed meanwhile: send this one.
    Token(AccessToken),
    /// Renew, then send again.
    Renew,
    /// Another login is wanted, and the error says which.
    Login(Error),
    /// The session is over, as in [`Access::Ended`].
    Ended(Error),
    /// Hand the response to the caller.
    GiveUp,
}

impl Session {
    /// `wall` is the wall clock, `now` the monotonic time that the tokens were read with.
    pub fn new(login: Rc<Client>, tokens: Tokens, wall: Seconds, now: Seconds) -> Self {
        let ends = ends(&tokens, wall, now);
        Self {
            login,
            tokens,
            ends,
            limits: None,
            failing: None,
            refresh: Refresh::Good,
            begun: now,
            common: None,
        }
    }

    /// Whether there is a way to new tokens without the user.
    pub fn is_renewable(&self) -> bool {
        let spent = matches!(self.refresh, Refresh::Doubtful(_) | Refresh::Refused(_));
        !spent && self.tokens.is_renewable()
    }

    /// Whether the answer to a renewal was lost. A renewal from here on is the last of this refresh token.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.refresh, Refresh::Lost(_) | Refresh::Doubtful(_))
    }

    /// Whether the refresh token was sent and no answer came. It is sent again only to a server that answers.
    pub fn was_sent(&self) -> bool {
        self.is_in_doubt() || matches!(self.refresh, Refresh::Unsure(_))
    }

    /// Whether it matters after this failure of a renewal that the server cannot be reached: the refresh token was sent
    /// for the first time, no answer came, and it may be sent once more.
    pub fn may_be_unsure(&self, failure: &Error) -> bool {
        let first = matches!(self.refresh, Refresh::Good);
        let is_lost = failure.code == ErrorCode::SessionIndeterminate && failure.is_lost();
        first && is_lost && self.login.may_resend_refresh_token()
    }

    /// The server cannot be reached after that: there is nothing to tell the page yet but the state of the network.
    pub fn unsure(&mut self, failure: Error) {
        self.refresh = Refresh::Unsure(failure);
    }

    pub fn client_id(&self) -> &str {
        self.login.client_id()
    }

    /// What to do before a request. `now` is the monotonic time that the tokens were read with.
    pub fn access(&self, now: Seconds) -> Access {
        let next = match &self.refresh {
            _ if !self.tokens.is_renewable() => Access::LoginRequired,
            Refresh::Refused(error) => Access::Ended(error.clone()),
            Refresh::Doubtful(error) => Access::Trouble(error.clone()),
            Refresh::Good | Refresh::Lost(_) | Refresh::Unsure(_) => match self.failing(now) {
                Some(error) => Access::Trouble(error),
                None => Access::Renew,
            },
        };
        let Some(token) = self.living_token(now) else {
            return next;
        };
        // Ahead of time only where nothing is in the way.
        let is_good = matches!(self.refresh, Refresh::Good);
        match next {
            Access::Renew if is_good && self.tokens.is_due(now) => next,
            _ => Access::Token(token),
        }
    }

    /// Why the server is left alone just now.
    fn failing(&self, now: Seconds) -> Option<Error> {
        let failing = self.failing.as_ref()?;
        (now < failing.until).then(|| failing.error.clone())
    }

    /// Takes note of a renewal that failed. A first failure is nothing to wait for; then 1, 2, 4.. seconds up to a
    /// minute, or as long as the server says, and up to a quarter more by `jitter`: whoever is back first must not be
    /// met by all at once.
    fn failed(&mut self, error: Error, now: Seconds, jitter: u8) {
        let first = matches!(self.refresh, Refresh::Good);
        match error.code {
            ErrorCode::SessionIndeterminate => {
                let again = first && error.is_lost() && self.login.may_resend_refresh_token();
                self.refresh = match again {
                    true => Refresh::Lost(error),
                    false => Refresh::Doubtful(error),
                };
                return;
            }
            ErrorCode::TokenRequestRefused => {
                let ended = error.becomes(ErrorCode::SessionEnded);
                self.refresh = Refresh::Refused(ended);
                return;
            }
            // Not sent: nothing is known that was not before.
            ErrorCode::NetworkError | ErrorCode::Timeout => {}
            // An answer to the second of two that were sent: there is no third.
            _ => {
                if let Refresh::Lost(error) | Refresh::Unsure(error) = &self.refresh {
                    self.refresh = Refresh::Doubtful(error.clone());
                    return;
                }
            }
        }
        let times = self.failing.as_ref().map_or(0, |failing| failing.times);
        let wait = match times {
            0 => 0,
            times => 1 << (times - 1).min(6),
        };
        let said = error.more.iter().find(|(name, _)| name == "retryAfter");
        let said = said.and_then(|(_, seconds)| seconds.as_u32()).unwrap_or(0);
        let wait = said.clamp(wait, MAX_WAIT.max(wait));
        let wait = wait + wait * Seconds::from(jitter) / 1024;
        self.failing = Some(Failing {
            times: times + 1,
            until: now.saturating_add(wait),
            error,
        });
    }

    /// The token, if it still lives: a renewal ahead of time may fail without harm.
    pub fn living_token(&self, now: Seconds) -> Option<AccessToken> {
        let lives = self.tokens.expires_at().is_none_or(|at| now < at);
        (lives && self.has_token()).then(|| self.token())
    }

    /// What was only kept has no access token until it is renewed.
    fn has_token(&self) -> bool {
        !self.tokens.access_token().expose().is_empty()
    }

    /// The token there is, whatever its age: what a renewal just gave is used at least once.
    pub fn token(&self) -> AccessToken {
        self.tokens.access_token().clone()
    }

    /// What a refusal of a request with `sent` asks for (RFC 6750 section 3.1, RFC 9470 section 3). `header` is
    /// `WWW-Authenticate`, where the page may read it.
    pub fn after_refusal(
        &self,
        status: u16,
        sent: &AccessToken,
        header: &str,
        now: Seconds,
    ) -> AfterRefusal {
        let said = challenge(header, "error");
        if let Some(error) = self.other_login(said.as_deref(), header, now) {
            return AfterRefusal::Login(error);
        }
        if status != 401 {
            return AfterRefusal::GiveUp;
        }
        if self.has_token() && self.tokens.access_token() != sent {
            return AfterRefusal::Token(self.token());
        }
        // Whatever its name for it, a 401 says that the token is no good (RFC 9110 section 15.5.2); but for a proof.
        let is_proof = matches!(
            said.as_deref(),
            Some("use_dpop_nonce" | "invalid_dpop_proof")
        );
        match &self.refresh {
            _ if is_proof || !self.tokens.is_renewable() => AfterRefusal::GiveUp,
            Refresh::Refused(error) => AfterRefusal::Ended(error.clone()),
            Refresh::Doubtful(error) => AfterRefusal::Login(error.clone()),
            _ => match self.failing(now) {
                Some(_) => AfterRefusal::GiveUp,
                None => AfterRefusal::Renew,
            },
        }
    }

    /// The headers in which the provider says how many requests it allows, and how many were made.
    pub fn limit_headers(&self) -> (String, String) {
        let (limit, usage) = self.login.limit_headers();
        (String::from(limit), String::from(usage))
    }

    /// What no error may show.
    fn secrets(&self) -> Vec<&str> {
        self.tokens.secrets()
    }

    /// The request that renews the tokens.
    pub fn renewal(&self) -> Result<TokenRequest, Error> {
        let token = self.tokens.refresh_token().cloned();
        let token = token.ok_or_else(|| ErrorCode::LoginRequired.error())?;
        let request = TokenRequest::new(self.login.clone(), Grant::RefreshToken(token));
        Ok(request.about(self.same_user(), self.tokens.key().cloned()))
    }

    /// Puts renewed tokens in the place of the old ones.
    pub fn renew(&mut self, tokens: Tokens, wall: Seconds, now: Seconds) {
        self.ends = ends(&tokens, wall, now);
        self.failing = None;
        self.refresh = Refresh::Good;
        let old = core::mem::replace(&mut self.tokens, tokens);
        self.tokens.keep_from(old);
    }

    fn rate_limit(&self) -> Json {
        let Some((limit, usage)) = &self.limits else {
            return Json::Null;
        };
        let mut out = Object::new();
        out.value("limit", number(*limit))
            .value("usage", number(*usage))
            .done()
    }

    /// Seconds until the page should be told that the session is about to end, which nothing will renew; 0 if that is
    /// now, `None` if it was or never will be.
    pub fn warning_in(&self, now: Seconds) -> Option<Seconds> {
        let at = self.tokens.expires_at()?;
        let never = self.is_renewable() || now >= at;
        (!never).then(|| at.saturating_sub(now).saturating_sub(WARNING))
    }

    /// What a page may know, as JSON text (`Session` in `types.d.ts`).
    pub fn describe(&self) -> String {
        self.described().text()
    }

    fn described(&self) -> Json {
        let mut out = Object::new();
        let text =
            |value: Option<&str>| value.map_or(Json::Null, |v| Json::String(String::from(v)));
        let client_id = Some(self.login.client_id()).filter(|id| !id.is_empty());
        out.value("provider", text(self.login.provider()))
            .value("site", text(self.login.site()))
            .value("clientId", text(client_id))
            .list("scope", self.tokens.scope());
        match self.ends {
            Some(at) => {
                // Milliseconds, as Date wants them, and too many for 32 bits.
                let mut text = decimal(at);
                text.push_str("000");
                out.value("expiresAt", Json::Number(text))
            }
            None => out.value("expiresAt", Json::Null),
        };
        let state = match self.is_in_doubt() {
            true => "indeterminate",
            false => "active",
        };
        out.value("renewable", Json::Bool(self.is_renewable()))
            .str("state", state)
            .value("extra", self.tokens.extra().clone())
            .value("returnTo", text(self.login.return_to()))
            .value(
                "appState",
                self.login.app_state().cloned().unwrap_or(Json::Null),
            )
            .value("rateLimit", self.rate_limit());
        out.value("keep", text(self.keep().said()))
            .value("shared", Json::Bool(self.is_shared()));
        out.value(
            "claims",
            self.tokens.claims().map_or(Json::Null, openid::shown),
        );
        out.done()
    }
}

fn number(said: Option<u64>) -> Json {
    said.map_or(Json::Null, |said| Json::Number(decimal(said)))
}

fn ends(tokens: &Tokens, wall: Seconds, now: Seconds) -> Option<u64> {
    let at = tokens.expires_at()?;
    Some(u64::from(wall) + u64::from(at.saturating_sub(now)))
}

/// What listeners are told, as JSON text (`SessionChange` in `types.d.ts`): the session as it is now, if it still is.
pub fn change(kind: &str, here: bool, session: Option<&Session>, reason: Option<&str>) -> String {
    let now = session.map(Session::described);
    let mut out = Object::new();
    out.str("type", kind)
        .str("from", if here { "here" } else { "elsewhere" })
        .value("session", now.unwrap_or(Json::Null))
        .maybe("reason", reason)
        .done()
        .text()
}

/// Names a session for as long as it lives; a session that takes its place has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(u32);

/// The sessions of one page.
#[derive(Debug, Default)]
pub struct Sessions {
    list: Vec<(SessionId, Session)>,
    /// Those that nobody is logged in with any more, until the provider has been told. A renewal that is under way
    /// brings them their last tokens.
    leaving: Vec<(SessionId, Session)>,
    last: u32,
}

impl Sessions {
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            leaving: Vec::new(),
            last: 0,
        }
    }

    /// Adds a session; an older one of the same client at the same server is dropped.
    pub fn add(&mut self, session: Session) -> SessionId {
        let same = |(_, old): &(SessionId, Session)| old.login.is_same_client(&session.login);
        self.list.retain(|entry| !same(entry));
        self.last += 1;
        let id = SessionId(self.last);
        self.list.push((id, session));
        id
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        let entry = self.list.iter().find(|(known, _)| *known == id)?;
        Some(&entry.1)
    }

    fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let mut all = self.list.iter_mut().chain(&mut self.leaving);
        let entry = all.find(|(known, _)| *known == id)?;
        Some(&mut entry.1)
    }

    /// Changes a session, if it is still there.
    pub fn change<R>(&mut self, id: SessionId, f: impl FnOnce(&mut Session) -> R) -> Option<R> {
        Some(f(self.get_mut(id)?))
    }

    /// Takes note that a resource server has refused the token: the next call renews it first.
    pub fn refused(&mut self, id: SessionId) {
        if let Some(session) = self.get_mut(id) {
            session.tokens.end();
        }
    }

    /// Takes note of how many requests the provider allows, and how many were made.
    pub fn limited(&mut self, id: SessionId, limit: &str, usage: &str) {
        let limits = (json::whole(limit), json::whole(usage));
        let is_said = limits.0.is_some() || limits.1.is_some();
        if let Some(session) = self.get_mut(id)
            && is_said
        {
            session.limits = Some(limits);
        }
    }

    /// The newest session of a client; without one the newest of all.
    pub fn of_client(&self, client_id: &str) -> Option<&Session> {
        let fits =
            |session: &&Session| client_id.is_empty() || session.login.client_id() == client_id;
        self.list
            .iter()
            .rev()
            .map(|(_, session)| session)
            .find(fits)
    }

    /// The newest session.
    pub fn last(&self) -> Option<&Session> {
        self.list.last().map(|(_, session)| session)
    }

    /// The session whose resource server fits the URL most closely; of two that fit alike, the newer.
    pub fn find(&self, url: &str) -> Result<SessionId, Error> {
        let mut best = None;
        for (id, session) in &self.list {
            for server in session.login.resource_servers() {
                let Some(fit) = covers(server, url) else {
                    continue;
                };
                if best.is_none_or(|(known, _)| fit >= known) {
                    best = Some((fit, *id));
                }
            }
        }
        match best {
            Some((_, id)) => Ok(id),
            None if self.list.is_empty() => {
                let host = Url::split(url).map_or("", |url| url.origin);
                Err(ErrorCode::LoginRequired.at(host))
            }
            None => {
                let servers = self
                    .list
                    .iter()
                    .map(|(_, one)| one.login.resource_servers());
                Err(undeclared(url, servers.flatten()))
            }
        }
    }

    /// Takes the outcome of a renewal. `invalid_grant` ends the session (RFC 6749 section 5.2); another refusal does so as
    /// soon as its access token is over; no other failure does.
    pub fn renewed(
        &mut self,
        id: SessionId,
        outcome: Result<Tokens, Error>,
        wall: Seconds,
        now: Seconds,
        jitter: u8,
    ) -> Result<(), Error> {
        let mut error = match outcome {
            Ok(tokens) => {
                let session = self.get_mut(id);
                let session = session.ok_or_else(|| ErrorCode::LoginRequired.error())?;
                session.renew(tokens, wall, now);
                return Ok(());
            }
            Err(error) => error,
        };
        if error.code != ErrorCode::SessionEnded
            && let Some(session) = self.get_mut(id)
        {
            error = error.without(&session.secrets());
            session.failed(error.clone(), now, jitter);
            if let Access::Ended(ended) = session.access(now) {
                error = ended;
            }
        }
        if error.code == ErrorCode::SessionEnded {
            // Also one that is being given back: nothing is left to give, and its refresh token is not sent again.
            self.list.retain(|(known, _)| *known != id);
            self.leaving.retain(|(known, _)| *known != id);
        }
        Err(error)
    }

    /// Nobody is logged in any more. The sessions are dropped, or kept apart for [`leave`](Sessions::leave).
    pub fn clear(&mut self, keep: bool) -> Vec<SessionId> {
        let left: Vec<_> = self.list.drain(..).collect();
        let ids = left.iter().map(|(id, _)| *id).collect();
        if keep {
            self.leaving.extend(left);
        }
        ids
    }

    /// A session that was kept apart, with the newest tokens it got.
    pub fn leave(&mut self, id: SessionId) -> Option<Session> {
        let at = self.leaving.iter().position(|(known, _)| *known == id)?;
        Some(self.leaving.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::super::resource::PrivateRequest;
    use super::*;
    use std::{format, string::ToString};

    fn session(client_id: &str, servers: &str, members: &str) -> Session {
        made(client_id, "", servers, members)
    }

    fn with(fields: &str, servers: &str, members: &str) -> Session {
        made("1", fields, servers, members)
    }

    fn made(client_id: &str, fields: &str, servers: &str, members: &str) -> Session {
        let config = format!(
            r#"{{"clientId":"{client_id}","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":{servers}{fields}}}"#
        );
        let login = Config::read(Json::parse(config.as_bytes()).expect("JSON"))
            .and_then(|config| config.resolve("https://app.example"))
            .expect("a login");
        Session::new(login, tokens(members), 1000, 10)
    }

    fn tokens(members: &str) -> Tokens {
        let text = format!(r#"{{"access_token":"a1","token_type":"bearer"{members}}}"#);
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        Tokens::read(&mut json, &[], &[], 0).expect("tokens")
    }

    const API: &str = r#"["https://api.example"]"#;
    const RENEWABLE: &str = r#","expires_in":100,"refresh_token":"r""#;

    #[test]
    fn no_scope_of_a_long_challenge_is_cut_in_the_middle() {
        let session = session("1", API, "");
        let names: Vec<_> = (10..40)
            .map(|n| format!("https://api.example/auth/orders.{n}.read"))
            .collect();
        let names = names.join(" ");
        let header = format!("Bearer error=\"insufficient_scope\", scope=\"{names}\"");
        let error = session.other_login(Some("insufficient_scope"), &header, 99);
        let json = error.expect("what to ask for").to_json();
        let list = names.replace(' ', "\",\"");
        assert!(
            json.contains(&format!(r#""ask":{{"scope":["{list}"]}}"#)),
            "{json}"
        );
    }

    #[test]
    fn a_server_that_names_scopes_without_end_keeps_nobody_waiting() {
        let endless = |letter| {
            let names: Vec<_> = (0..50_000).map(|n| format!("{letter}{n}")).collect();
            names.join(" ")
        };
        let granted = format!(r#","scope":"{}""#, endless("g"));
        let session = session("1", API, &granted);
        let header = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\"",
            endless("n")
        );
        let error = session.other_login(Some("insufficient_scope"), &header, 99);
        let json = error.expect("what to ask for").to_json();
        assert!(json.contains(r#""g255","n0""#) && json.contains(r#""n255""#));
        assert!(!json.contains(r#""g256""#) && !json.contains(r#""n256""#));
    }

    #[test]
    fn a_token_is_used_renewed_or_given_up_by_its_age() {
        let token = || Access::Token(AccessToken::new("a1".to_string()));
        let renewable = session("1", API, RENEWABLE);
        assert_eq!(renewable.access(0), token());
        assert_eq!(renewable.access(69), token());
        assert_eq!(renewable.access(70), Access::Renew);
        assert_eq!(renewable.access(1000), Access::Renew);
        let brief = session("1", API, r#","expires_in":10,"refresh_token":"r""#);
        assert_eq!((brief.access(4), brief.access(5)), (token(), Access::Renew));
        for never in ["0", "\"0\"", "-1", "9223372036854775"] {
            let members = format!(r#","expires_in":{never},"refresh_token":"r""#);
            let session = session("1", API, &members);
            assert_eq!(
                session.access(1 << 31),
                token(),
                "used until a 401: {never}"
            );
            assert!(session.describe().contains(r#""expiresAt":null"#));
            assert_eq!(
                session.after_refusal(401, &session.token(), "", 0),
                AfterRefusal::Renew
            );
        }
        let century = session("1", API, r#","expires_in":4000000000"#);
        assert!(century.describe().contains(r#""expiresAt":4000000990000"#));
        let short = session("1", API, r#","expires_in":100"#);
        assert_eq!(short.access(99), token());
        assert_eq!(short.access(100), Access::LoginRequired);
        assert_eq!(session("1", API, "").access(1 << 31), token());
    }

    #[test]
    fn a_401_renews_once_and_a_token_renewed_meanwhile_is_used() {
        let mut session = session("1", API, RENEWABLE);
        let sent = AccessToken::new("a1".to_string());
        for challenge in [
            "",
            "Bearer",
            "Bearer error=\"invalid_token\"",
            // Names that no RFC has.
            "Bearer error=\"token_expired\"",
            "Bearer error=\"invalid_request\"",
            "Bearer error=\"expired_token\", error_description=\"x\"",
        ] {
            assert_eq!(
                session.after_refusal(401, &sent, challenge, 0),
                AfterRefusal::Renew
            );
            assert_eq!(
                session.after_refusal(403, &sent, challenge, 0),
                AfterRefusal::GiveUp
            );
        }
        for proof in ["use_dpop_nonce", "invalid_dpop_proof"] {
            let challenge = format!("DPoP error=\"{proof}\"");
            assert_eq!(
                session.after_refusal(401, &sent, &challenge, 0),
                AfterRefusal::GiveUp
            );
        }
        let old = AccessToken::new("a0".to_string());
        assert_eq!(
            session.after_refusal(401, &old, "Bearer error=\"invalid_token\"", 0),
            AfterRefusal::Token(sent.clone())
        );
        session.tokens = tokens("");
        assert_eq!(
            session.after_refusal(401, &sent, "", 0),
            AfterRefusal::GiveUp
        );
    }

    fn wanted(session: &Session, challenge: &str) -> String {
        let sent = session.token();
        let AfterRefusal::Login(error) = session.after_refusal(403, &sent, challenge, 0) else {
            panic!("another login: {challenge}");
        };
        error.to_json()
    }

    #[test]
    fn a_challenge_that_another_login_answers_says_what_to_ask_for() {
        let session = session("1", API, r#","scope":"a b""#);
        let json = wanted(
            &session,
            "Bearer error=\"insufficient_scope\", scope=\"b c\"",
        );
        assert!(json.contains(r#""code":"insufficient_scope""#), "{json}");
        assert!(
            json.ends_with(r#""scope":["b","c"],"ask":{"scope":["a","b","c"]}}"#),
            "{json}"
        );
        let json = wanted(
            &session,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\", max_age=5",
        );
        assert!(
            json.contains(r#""code":"insufficient_user_authentication""#),
            "{json}"
        );
        assert!(
            json.ends_with(
                r#""ask":{"authorizationParameters":{"acr_values":"gold","max_age":"5"}}}"#
            ),
            "{json}"
        );
    }

    #[test]
    fn what_was_asked_for_already_is_not_asked_for_again() {
        let other = with(
            r#","authorizationParameters":{"x":"1","max_age":"9"}"#,
            API,
            "",
        );
        let json = wanted(
            &other,
            "Bearer error=\"insufficient_user_authentication\", max_age=5",
        );
        assert!(
            json.ends_with(r#""ask":{"authorizationParameters":{"max_age":"5","x":"1"}}}"#),
            "{json}"
        );
        let asked = with(
            r#","scope":["a"],"authorizationParameters":{"acr_values":"gold"}"#,
            API,
            r#","scope":"b""#,
        );
        let scope = wanted(&asked, "Bearer error=\"insufficient_scope\", scope=\"a\"");
        let login = wanted(
            &asked,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\"",
        );
        assert!(!scope.contains(r#""ask""#), "{scope}");
        assert!(!login.contains(r#""ask""#), "{login}");
        let later = asked.after_refusal(
            403,
            &asked.token(),
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\"",
            70,
        );
        let AfterRefusal::Login(error) = later else {
            panic!("another login");
        };
        assert!(
            error.to_json().contains(r#""ask""#),
            "a minute later it may help"
        );
    }

    const TABLE: &str = r#","scopes":{"r":{},"w":{"implies":["r"]}},"scopeHeader":"X-Scope","routes":[{"path":"/x/{id}","read":"r","write":"w"}]"#;

    fn admit(session: &Session, method: &str, options: &str) -> Result<(String, String), Error> {
        let text = format!("\n{method}\nhttps://api.example/x/1\n{options}");
        session.admit(&PrivateRequest::read(&text).expect("a request"), 0)
    }

    #[test]
    fn a_call_that_the_scope_does_not_allow_is_refused_before_it_is_sent() {
        let reader = with(TABLE, API, r#","scope":"r""#);
        assert!(admit(&reader, "GET", "").is_ok());
        let error = admit(&reader, "PUT", "").expect_err("no scope");
        assert_eq!(
            (error.code, error.detail.as_str()),
            (ErrorCode::InsufficientScope, "w for PUT /x/{id}")
        );
        assert!(
            error
                .to_json()
                .ends_with(r#""scope":["w"],"route":"PUT /x/{id}","ask":{"scope":["w"]}}"#)
        );
        // Nobody said what was granted, or it is a scope that the table does not know.
        for scope in ["", r#","scope":"other""#] {
            assert!(admit(&with(TABLE, API, scope), "PUT", "").is_ok());
        }
    }

    #[test]
    fn what_a_challenge_names_is_asked_for_only_as_far_as_that_is_possible() {
        let session = with(r#","scope":["offline","r"]"#, API, r#","scope":"r legacy""#);
        let header = "Bearer error=\"insufficient_scope\", scope=\"w a1 ad\\\"min x\"";
        let json = wanted(&session, header);
        assert!(json.contains(r#""scope":["w","x"]"#), "{json}");
        assert!(
            json.ends_with(r#""ask":{"scope":["offline","r","legacy","w","x"]}}"#),
            "{json}"
        );
        let table = with(
            r#","scopes":{"offline":{},"r":{},"w":{}},"scope":["offline","r"]"#,
            API,
            r#","scope":"r legacy""#,
        );
        let json = wanted(&table, "Bearer error=\"insufficient_scope\", scope=\"w\"");
        assert!(
            json.ends_with(r#""ask":{"scope":["offline","r","w"]}}"#),
            "{json}"
        );
    }

    #[test]
    fn the_providers_own_words_go_before_a_guess_by_the_routes() {
        let fields = r#","scopes":{"r":{}},"routes":[{"path":"/*","read":"r"}],
            "errors":[{"says":"No Access","message":"unpaid","remedy":"pay"},{"status":403,"message":"no scope","remedy":"ask for it"},{"error":"bare"}]"#;
        let session = with(fields, API, "");
        let code = |body: &str| {
            let answer = br#"{"status":403,"method":"GET","url":"https://api.example/x"}"#;
            let answer = Json::parse(answer).expect("JSON");
            let error = explain(Some(&session), &answer, body.as_bytes(), 0).expect("a refusal");
            (error.code.code(), error.message())
        };
        let said = |code, message: &str| (code, message.to_string());
        assert_eq!(
            code(r#"{"message":"No Access"}"#),
            said("request_refused", "unpaid")
        );
        assert_eq!(
            code(r#"{"error":"forbidden"}"#),
            said("request_refused", "no scope")
        );
        assert_eq!(code("{}"), said("insufficient_scope", "no scope"));
    }

    #[test]
    fn a_token_adopted_for_one_place_leaves_that_of_another_alone() {
        let mut sessions = Sessions::default();
        let adopted = |server: &str| {
            let config = format!(r#"{{"resourceServers":["{server}"]}}"#);
            let login = Config::parse(&config)
                .and_then(Config::adopt)
                .expect("a place");
            let tokens = Tokens::adopt("t".to_string(), &[]).expect("a token");
            Session::new(login, tokens, 0, 0)
        };
        let a = sessions.add(adopted("https://a.example"));
        let b = sessions.add(adopted("https://b.example"));
        assert_eq!(sessions.find("https://a.example/x"), Ok(a));
        assert_eq!(sessions.find("https://b.example/x"), Ok(b));
        let again = sessions.add(adopted("https://a.example"));
        assert_eq!(sessions.find("https://a.example/x"), Ok(again));
    }

    #[test]
    fn a_session_that_is_being_given_back_gets_the_tokens_of_a_renewal_under_way() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        assert_eq!(sessions.clear(true), [id]);
        assert!(sessions.get(id).is_none() && sessions.last().is_none());
        let late = tokens(r#","refresh_token":"late""#);
        sessions
            .renewed(id, Ok(late), 0, 0, 0)
            .expect("it is kept apart");
        let session = sessions.leave(id).expect("it leaves");
        let refresh = session.tokens.refresh_token().map(|token| token.expose());
        assert_eq!(refresh, Some("late"));
        assert!(sessions.leave(id).is_none());
    }

    #[test]
    fn a_grant_that_ends_while_it_is_given_back_is_not_asked_for_again() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        sessions.clear(true);
        let ended = ErrorCode::SessionEnded.error();
        let outcome = sessions.renewed(id, Err(ended.clone()), 0, 0, 0);
        assert_eq!(outcome, Err(ended.clone()));
        assert!(sessions.leave(id).is_none());
        let (one, other) = (
            sessions.add(session("1", API, RENEWABLE)),
            sessions.add(session("2", API, RENEWABLE)),
        );
        sessions
            .renewed(one, Err(ended), 0, 0, 0)
            .expect_err("it ended");
        assert!(sessions.get(one).is_none() && sessions.get(other).is_some());
    }

    #[test]
    fn the_least_scope_of_some_calls_is_that_of_their_routes() {
        let calls = r#"[{"url":"https://api.example/x/1"},{"method":"PUT","url":"https://api.example/x/2"}]"#;
        let calls = super::super::resource::Call::list(calls).expect("calls");
        let scope = with(TABLE, API, "").scope_for(&calls);
        assert_eq!(scope, Ok(std::vec!["w".to_string()]));
    }

    #[test]
    fn a_call_is_narrowed_within_what_the_session_has() {
        let writer = with(TABLE, API, r#","scope":"w""#);
        let header = |scope| admit(&writer, "GET", &format!(r#"{{"scope":{scope}}}"#));
        let named = |value: &str| Ok(("X-Scope".to_string(), value.to_string()));
        assert_eq!(header(r#"["r"]"#), named("r"));
        assert_eq!(header(r#"["r","w"]"#), named("w"));
        assert_eq!(
            header(r#""x""#).map_err(|error| error.code),
            Err(ErrorCode::UnknownScope)
        );
        let reader = with(TABLE, API, r#","scope":"r""#);
        let wider = admit(&reader, "GET", r#"{"scope":["w"]}"#).expect_err("wider");
        assert_eq!(wider.code, ErrorCode::InsufficientScope);
        let other = session("1", API, "");
        let error = admit(&other, "GET", r#"{"scope":["r"]}"#).expect_err("no header");
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_refusal_is_explained_by_the_providers_table() {
        let rows = r#","errors":[{"error":"forbidden","also":["PA"],"message":"not yours","remedy":"log in"},{"status":420,"message":"chill","remedy":"wait"},
            {"error":"slow","message":"slow down","remedy":"wait more"},{"says":"No Access","message":"unpaid","remedy":"pay"}]"#;
        let session = with(rows, API, "");
        for (status, body, code, error, message) in [
            (
                403,
                r#"{"error":"forbidden","message":"x"}"#,
                "request_refused",
                "forbidden",
                "not yours",
            ),
            (
                403,
                r#"{"code":"PA","message":"x"}"#,
                "request_refused",
                "forbidden",
                "not yours",
            ),
            (
                420,
                r#"{"status":420,"message":"Chill"}"#,
                "rate_limited",
                "",
                "chill",
            ),
            (429, "slow", "rate_limited", "slow", "slow down"),
            (
                403,
                r#"{"message":"No Access to this"}"#,
                "request_refused",
                "",
                "unpaid",
            ),
            (
                404,
                r#"{"error":"not_found"}"#,
                "request_refused",
                "not_found",
                "the API refused the request",
            ),
            (500, "<html>", "server_error", "", "the server failed"),
            (
                400,
                "two words",
                "request_refused",
                "",
                "the API refused the request",
            ),
        ] {
            let answer =
                format!(r#"{{"status":{status},"method":"GET","url":"https://api.example/"}}"#);
            let answer = Json::parse(answer.as_bytes()).expect("JSON");
            let json = explain(Some(&session), &answer, body.as_bytes(), 0).expect("a refusal");
            let json = Json::parse(json.to_json().as_bytes()).expect("JSON");
            let member = |name| json.str(name).unwrap_or("");
            assert_eq!(
                (member("code"), member("error"), member("message")),
                (code, error, message),
                "{body}"
            );
        }
        let fine = Json::parse(br#"{"status":200}"#).expect("JSON");
        assert_eq!(explain(Some(&session), &fine, b"{}", 0), None);
        let echoed = Json::parse(br#"{"status":401,"url":""}"#).expect("JSON");
        let json = explain(
            Some(&session),
            &echoed,
            br#"{"error":"x","message":"token a1 is bad"}"#,
            0,
        );
        assert!(
            json.expect("a refusal")
                .to_json()
                .contains("token (..) is bad")
        );
    }

    #[test]
    fn a_grant_is_given_back_as_the_provider_wants_it() {
        let endpoint = with(
            r#","revocationEndpoint":"https://as.example/revoke""#,
            API,
            r#","refresh_token":"r""#,
        );
        let revocation = endpoint.revocation().expect("a request");
        assert_eq!(
            (&*revocation.method, &*revocation.url),
            ("POST", "https://as.example/revoke")
        );
        assert_eq!(
            &*revocation.form,
            "token=r&token_type_hint=refresh_token&client_id=1"
        );
        assert!(revocation.authorization.is_empty());

        let request = |url: &str| {
            let fields = format!(r#","revocationRequest":{{"method":"DELETE","url":"{url}"}}"#);
            with(&fields, API, r#","user_id":7,"odd":"../x""#).revocation()
        };
        let revocation = request("https://api.example/users/{user_id}/applications/{client_id}");
        let revocation = revocation.expect("a request");
        assert_eq!(revocation.url, "https://api.example/users/7/applications/1");
        assert_eq!(&*revocation.authorization, "Bearer a1");
        assert!(revocation.form.is_empty());
        let odd = request("https://api.example/{odd}").expect("a request");
        assert_eq!(odd.url, "https://api.example/..%2Fx");
        let missing = request("https://api.example/{missing}").map(drop);
        assert_eq!(
            missing.expect_err("no such member").detail,
            "revocationRequest: the session has no missing"
        );
        for hostile in [
            "https://evil.example/{user_id}",
            "https://api.example/a/../{user_id}",
            "http://api.example/",
            "/users",
        ] {
            assert!(request(hostile).is_err(), "{hostile}");
        }
        assert!(session("1", API, "").revocation().is_err());
    }

    #[test]
    fn a_revocation_that_is_refused_without_a_word_names_the_endpoint() {
        let fields = r#","revocationEndpoint":"https://as.example/r""#;
        let session = with(fields, API, "");
        assert_eq!(session.revoked(200, b""), Ok(()));
        let error = session.revoked(401, b"").expect_err("refused");
        assert_eq!(error.code, ErrorCode::RequestRefused);
        assert!(error.message().ends_with(": revocationEndpoint"), "{error}");
        assert!(
            !error.remedy().contains("errorDescription"),
            "there is none"
        );
        let said = session.revoked(400, br#"{"error":"unsupported_token_type"}"#);
        assert!(
            said.expect_err("refused")
                .remedy()
                .contains("errorDescription")
        );
    }

    #[test]
    fn a_revocation_is_allocated_once_and_leaves_no_copy_behind() {
        let refresh = "%".repeat(1000);
        let members = format!(r#","expires_in":100,"refresh_token":"{refresh}""#);
        let fields = r#","revocationEndpoint":"https://as.example/r""#;
        let revocation = with(fields, API, &members).revocation().expect("a request");
        assert_eq!(revocation.form.capacity(), 256 + 3 * (1000 + 1));
        assert!(revocation.form.len() > 3000 && revocation.authorization.is_empty());
    }

    fn fail(sessions: &mut Sessions, id: SessionId, error: Error, now: Seconds, jitter: u8) {
        sessions
            .renewed(id, Err(error), 0, now, jitter)
            .expect_err("it failed");
    }

    #[test]
    fn a_server_that_is_down_is_asked_less_and_less_and_ends_nothing() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let now = |seconds: u32| 1000 + seconds;
        let access = |sessions: &Sessions, at| sessions.get(id).expect("it lives").access(now(at));
        let down = || ErrorCode::NetworkError.error();
        let (mut asked, mut at) = (0, 0);
        // A hundred calls, one a second.
        for second in 0..100 {
            match access(&sessions, second) {
                Access::Renew => {
                    fail(&mut sessions, id, down(), now(second), 0);
                    asked += 1;
                    at = second;
                }
                Access::Trouble(error) => assert_eq!(error.code, ErrorCode::NetworkError),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(
            (asked, at),
            (8, 64),
            "0, 1, 2, 4, 8, 16, 32, 64 seconds after the first"
        );
        assert_eq!(access(&sessions, 127), Access::Trouble(down()));
        assert_eq!(access(&sessions, 128), Access::Renew);
        sessions
            .renewed(id, Ok(tokens(RENEWABLE)), 0, now(128), 0)
            .expect("it is back");
        fail(&mut sessions, id, down(), now(300), 255);
        assert_eq!(
            access(&sessions, 300),
            Access::Renew,
            "a first failure again"
        );
    }

    #[test]
    fn a_server_that_names_the_time_is_believed_up_to_an_hour() {
        for (said, wait) in [(7, 7), (86_400, 3600), (0, 1)] {
            let mut sessions = Sessions::default();
            let id = sessions.add(session("1", API, RENEWABLE));
            fail(&mut sessions, id, ErrorCode::ServerError.error(), 1000, 0);
            let seconds = Json::Number(decimal(said));
            let busy = ErrorCode::RateLimited.error().and("retryAfter", seconds);
            fail(&mut sessions, id, busy, 1000, 0);
            let access = |at: u32| sessions.get(id).expect("it lives").access(1000 + at);
            assert!(matches!(access(wait - 1), Access::Trouble(_)), "{said}");
            assert_eq!(access(wait), Access::Renew, "{said}");
        }
    }

    #[test]
    fn up_to_a_quarter_is_added_by_chance() {
        for (jitter, wait) in [(0, 1000), (128, 1125), (255, 1249)] {
            let mut sessions = Sessions::default();
            let id = sessions.add(session("1", API, RENEWABLE));
            let seconds = Json::Number(decimal(1000));
            let busy = ErrorCode::RateLimited.error().and("retryAfter", seconds);
            fail(&mut sessions, id, busy, 1000, jitter);
            let access = |at: u32| sessions.get(id).expect("it lives").access(1000 + at);
            assert!(matches!(access(wait - 1), Access::Trouble(_)), "{jitter}");
            assert_eq!(access(wait), Access::Renew, "{jitter}");
        }
    }

    #[test]
    fn a_minute_before_its_end_a_session_that_nothing_renews_is_said_to_end() {
        let short = session("1", API, r#","expires_in":100"#);
        for (now, seconds) in [
            (0, Some(40)),
            (39, Some(1)),
            (40, Some(0)),
            (99, Some(0)),
            (100, None),
        ] {
            assert_eq!(short.warning_in(now), seconds, "{now}");
        }
        assert_eq!(session("1", API, RENEWABLE).warning_in(0), None);
        assert_eq!(session("1", API, "").warning_in(0), None);
    }

    #[test]
    fn listeners_are_told_what_happened_where_and_to_which_session() {
        let session = session("1", API, "");
        let now = session.describe();
        assert_eq!(
            change("renewed", true, Some(&session), None),
            format!(r#"{{"type":"renewed","from":"here","session":{now}}}"#)
        );
        assert_eq!(
            change("ended", false, None, Some("logout")),
            r#"{"type":"ended","from":"elsewhere","session":null,"reason":"logout"}"#
        );
    }

    #[test]
    fn the_headers_of_the_providers_limits_are_looked_for_by_name() {
        let limited = with(
            r#","limitHeader":"X-Limit","usageHeader":"X-Usage""#,
            API,
            "",
        );
        let names = limited.limit_headers();
        assert_eq!(names, ("X-Limit".to_string(), "X-Usage".to_string()));
    }

    #[test]
    fn a_401_while_the_server_is_down_is_the_callers_to_see() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        for _ in 0..2 {
            fail(&mut sessions, id, ErrorCode::NetworkError.error(), 50, 0);
        }
        let session = sessions.get(id).expect("it lives");
        let after = |now| session.after_refusal(401, &session.token(), "", now);
        assert_eq!(after(50), AfterRefusal::GiveUp);
        assert_eq!(after(51), AfterRefusal::Renew);
    }

    #[test]
    fn a_refusal_of_a_renewal_that_repeats_the_access_token_does_not_show_it() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let server = super::super::error::ServerError {
            error: Some("a1_is_over".to_string()),
            error_description: Some("token a1 is over".to_string()),
            ..Default::default()
        };
        let refused = ErrorCode::TokenRequestRefused.error().with(server);
        let error = sessions.renewed(id, Err(refused), 0, 80, 0);
        let text = error.expect_err("refused").to_json();
        assert!(
            !text.contains("a1") && text.contains("token (..) is "),
            "{text}"
        );
        // The same when it is told again, as the end.
        let session = sessions.get(id).expect("it lives");
        let Access::Ended(ended) = session.access(100) else {
            panic!("it is over");
        };
        assert!(!ended.to_json().contains("a1"));
    }

    /// What a request that was sent becomes whose answer did not come.
    fn lost() -> Error {
        let error = ErrorCode::NetworkError.error();
        error.becomes(ErrorCode::SessionIndeterminate)
    }

    const STRICT: &str = r#","refreshTokenReuse":false"#;

    #[test]
    fn a_refresh_token_whose_answer_was_lost_is_not_sent_again_while_the_access_token_lives() {
        for fields in ["", STRICT] {
            let mut sessions = Sessions::default();
            let id = sessions.add(with(fields, API, RENEWABLE));
            fail(&mut sessions, id, lost(), 80, 0);
            let session = sessions.get(id).expect("it lives");
            let token = session.token();
            for now in [80, 99] {
                assert_eq!(session.access(now), Access::Token(token.clone()));
            }
            assert!(session.describe().contains(r#""state":"indeterminate""#));
            assert!(!session.renews_to_revoke(200));
        }
    }

    #[test]
    fn a_refresh_token_whose_answer_was_lost_is_sent_once_more_when_nothing_else_is_left() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        fail(&mut sessions, id, lost(), 80, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(session.is_renewable() && session.is_in_doubt());
        assert_eq!(session.access(100), Access::Renew);
        // A 401 says that the access token is over.
        let token = session.token();
        assert_eq!(
            session.after_refusal(401, &token, "", 90),
            AfterRefusal::Renew
        );
        // Not sent: nothing has changed but for the wait.
        fail(&mut sessions, id, ErrorCode::NetworkError.error(), 100, 0);
        fail(&mut sessions, id, ErrorCode::NetworkError.error(), 100, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(matches!(session.access(100), Access::Trouble(_)));
        assert_eq!(session.access(101), Access::Renew);
        let mut other = Sessions::default();
        let fine = other.add(super::tests::session("1", API, RENEWABLE));
        fail(&mut other, fine, lost(), 100, 0);
        other
            .renewed(fine, Ok(tokens(RENEWABLE)), 0, 100, 0)
            .expect("the second was answered");
        let session = other.get(fine).expect("it lives");
        assert!(!session.is_in_doubt() && session.is_renewable());
    }

    #[test]
    fn a_network_that_was_down_all_along_is_no_doubt_that_a_page_gets_to_see() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let unsure = |sessions: &Sessions, error| {
            let session = sessions.get(id).expect("it lives");
            session.may_be_unsure(&error)
        };
        assert!(unsure(&sessions, lost()));
        assert!(!unsure(&sessions, ErrorCode::ServerError.error()));
        sessions.change(id, |session| session.unsure(lost()));
        fail(&mut sessions, id, ErrorCode::NetworkError.error(), 80, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(
            session
                .describe()
                .contains(r#""renewable":true,"state":"active""#)
        );
        assert_eq!(
            session.access(80),
            Access::Token(session.token()),
            "not again while it lives"
        );
        assert!(session.was_sent() && !session.is_in_doubt());
        assert_eq!(session.access(100), Access::Renew);
        // It is sent once more all the same, and not a third time.
        assert!(!unsure(&sessions, lost()));
        fail(&mut sessions, id, lost(), 100, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(!session.is_renewable() && session.is_in_doubt());
        assert_eq!(session.access(200), Access::Trouble(lost()));
        // Who must not send it twice is told at once.
        let mut strict = Sessions::default();
        let id = strict.add(with(STRICT, API, RENEWABLE));
        let session = strict.get(id).expect("it lives");
        assert!(!session.may_be_unsure(&lost()));
    }

    #[test]
    fn a_refresh_token_is_never_sent_a_third_time_after_an_answer_was_lost() {
        for second in [
            lost(),
            ErrorCode::ServerError.error(),
            ErrorCode::RateLimited.error(),
            ErrorCode::InvalidTokenResponse.error(),
        ] {
            let mut sessions = Sessions::default();
            let id = sessions.add(session("1", API, RENEWABLE));
            fail(&mut sessions, id, lost(), 80, 0);
            fail(&mut sessions, id, second, 100, 0);
            let session = sessions.get(id).expect("it lives");
            assert!(!session.is_renewable() && session.is_in_doubt());
            for now in [100, 1 << 30] {
                assert_eq!(session.access(now), Access::Trouble(lost()));
            }
            assert_eq!(
                session.after_refusal(401, &session.token(), "", 100),
                AfterRefusal::Login(lost())
            );
        }
        // The server has not lost it: it refuses it.
        for second in [ErrorCode::SessionEnded, ErrorCode::TokenRequestRefused] {
            let mut sessions = Sessions::default();
            let id = sessions.add(session("1", API, RENEWABLE));
            fail(&mut sessions, id, lost(), 80, 0);
            let outcome = sessions.renewed(id, Err(second.error()), 0, 100, 0);
            assert_eq!(
                outcome.map_err(|error| error.code),
                Err(ErrorCode::SessionEnded)
            );
            assert!(sessions.get(id).is_none());
        }
    }

    #[test]
    fn a_provider_that_ends_a_session_over_it_is_not_sent_a_refresh_token_twice() {
        let mut sessions = Sessions::default();
        let id = sessions.add(with(STRICT, API, RENEWABLE));
        fail(&mut sessions, id, lost(), 80, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(!session.is_renewable());
        assert_eq!(session.access(100), Access::Trouble(lost()));
        assert_eq!(
            session.after_refusal(401, &session.token(), "", 90),
            AfterRefusal::Login(lost())
        );
    }

    #[test]
    fn an_answer_that_came_and_is_of_no_use_is_not_asked_for_again() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let other = ErrorCode::InvalidTokenResponse.error();
        let other = other.becomes(ErrorCode::SessionIndeterminate);
        fail(&mut sessions, id, other.clone(), 80, 0);
        let session = sessions.get(id).expect("it lives");
        assert_eq!(session.access(100), Access::Trouble(other));
    }

    #[test]
    fn a_refresh_token_that_is_refused_ends_the_session_once_its_access_token_is_over() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let refused = ErrorCode::TokenRequestRefused.error();
        let outcome = sessions.renewed(id, Err(refused.clone()), 0, 80, 0);
        assert_eq!(outcome, Err(refused.clone()), "the session lives for now");
        let session = sessions.get(id).expect("it lives");
        let token = session.token();
        assert_eq!(session.access(99), Access::Token(token.clone()));
        let known = session.describe();
        assert!(
            known.contains(r#""renewable":false,"state":"active""#),
            "{known}"
        );
        assert_eq!(session.warning_in(30), Some(10), "nothing will renew it");
        let ended = refused.clone().becomes(ErrorCode::SessionEnded);
        for now in [100, 1 << 30] {
            assert_eq!(session.access(now), Access::Ended(ended.clone()));
        }
        assert_eq!(
            session.after_refusal(401, &token, "", 90),
            AfterRefusal::Ended(ended.clone())
        );
        assert_eq!(ended.remedy(), "Call startLogin");
        let outcome = sessions.renewed(id, Err(ended.clone()), 0, 100, 0);
        assert_eq!(outcome, Err(ended));
        assert!(sessions.get(id).is_none(), "it was told");
        // And at once where the access token is over already.
        let id = sessions.add(super::tests::session("1", API, RENEWABLE));
        let outcome = sessions.renewed(id, Err(refused), 0, 100, 0);
        assert_eq!(
            outcome.map_err(|error| error.code),
            Err(ErrorCode::SessionEnded)
        );
        assert!(sessions.get(id).is_none());
    }

    #[test]
    fn a_user_is_sent_to_the_provider_to_end_the_session_there() {
        let fields = r#","endSessionEndpoint":"https://as.example/end?x=1""#;
        let session = with(fields, API, "");
        let url = |back: &str| {
            session
                .end_session_url(back)
                .map_err(|error| error.detail.clone())
        };
        let end = "https://as.example/end?x=1&client_id=1";
        assert_eq!(url(""), Ok(end.to_string()));
        let back = format!("{end}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye");
        assert_eq!(url("https://app.example/bye"), Ok(back));
        assert!(url("javascript:alert(1)").is_err() && url("//evil.example").is_err());
        let none = self::session("1", API, "").end_session_url("");
        assert_eq!(
            none.expect_err("nowhere").detail,
            "endSessionEndpoint: is missing"
        );
    }

    #[test]
    fn a_refused_token_is_renewed_before_the_next_call() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        sessions.refused(id);
        assert_eq!(sessions.get(id).map(|s| s.access(0)), Some(Access::Renew));
        assert_eq!(sessions.get(id).and_then(|s| s.living_token(0)), None);
    }

    #[test]
    fn the_limit_is_shown_as_the_provider_said_it_last() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, ""));
        let shown = |sessions: &Sessions| sessions.last().map(|s| s.rate_limit().text());
        sessions.limited(id, "", "");
        assert_eq!(shown(&sessions).as_deref(), Some("null"));
        sessions.limited(id, "1000", "7");
        sessions.limited(id, "", "");
        assert_eq!(
            shown(&sessions).as_deref(),
            Some(r#"{"limit":1000,"usage":7}"#)
        );
        sessions.limited(id, "x", "8");
        assert_eq!(
            shown(&sessions).as_deref(),
            Some(r#"{"limit":null,"usage":8}"#)
        );
    }

    #[test]
    fn the_url_decides_which_session_is_used() {
        let mut sessions = Sessions::default();
        let id = |sessions: &Sessions, url| sessions.find(url).map_err(|error| error.code);
        assert_eq!(
            id(&sessions, "https://api.example/"),
            Err(ErrorCode::LoginRequired)
        );
        let first = sessions.add(session("1", API, ""));
        let second = sessions.add(session(
            "2",
            r#"["https://api.example/v2","https://b.example"]"#,
            "",
        ));
        let third = sessions.add(session("3", r#"["https://b.example"]"#, ""));
        assert_eq!(id(&sessions, "https://api.example/v1"), Ok(first));
        assert_eq!(id(&sessions, "https://api.example/v2/x"), Ok(second));
        assert_eq!(id(&sessions, "https://b.example/"), Ok(third));
        assert_eq!(
            id(&sessions, "https://evil.example/"),
            Err(ErrorCode::UndeclaredResourceServer)
        );
    }

    #[test]
    fn an_undeclared_host_is_named_and_so_is_what_was_declared() {
        let mut sessions = Sessions::default();
        sessions.add(session(
            "1",
            r#"["https://api.example/v1","https://api.example/v2"]"#,
            "",
        ));
        sessions.add(session("2", r#"["https://b.example:8443"]"#, ""));
        let detail = |url| sessions.find(url).expect_err(url).detail.clone();
        assert_eq!(
            detail("https://evil.example/path?token=x#y"),
            "https://evil.example is none of https://api.example, https://b.example:8443"
        );
        assert_eq!(
            detail("https://api.example/v3"),
            "https://api.example is declared with another path only"
        );
        assert_eq!(detail("blob:x"), "this URL has no host");
        sessions.clear(false);
        sessions.add(session("1", "[]", ""));
        assert_eq!(
            sessions
                .find("https://a.example/")
                .expect_err("none")
                .detail,
            "https://a.example, and resourceServers is empty"
        );
    }

    #[test]
    fn a_new_login_takes_the_place_of_the_old_one() {
        let mut sessions = Sessions::default();
        let old = sessions.add(session("1", API, ""));
        let new = sessions.add(session("1", API, ""));
        assert!(sessions.get(old).is_none() && sessions.get(new).is_some());
        assert_eq!(sessions.clear(false).len(), 1);
        assert!(sessions.last().is_none());
    }

    #[test]
    fn what_a_page_may_know_has_no_token_in_it() {
        let session = session(
            "1",
            API,
            r#","expires_in":100,"refresh_token":"r-canary","user_id":7"#,
        );
        let text = session.describe();
        assert_eq!(
            text,
            r#"{"provider":null,"site":null,"clientId":"1","scope":[],"expiresAt":1090000,"renewable":true,"state":"active","extra":{"user_id":7},"returnTo":null,"appState":null,"rateLimit":null,"keep":null,"shared":false,"claims":null}"#
        );
        assert!(!text.contains("canary"));
        assert_eq!(session.client_id(), "1");
    }
}
