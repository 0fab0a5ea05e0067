//! The sessions of one page.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::super::Seconds;
use super::super::error::{Error, ErrorCode};
use super::super::json;
use super::super::resource::{covers, undeclared};
use super::super::token::Tokens;
use super::super::url::Url;
use super::{Access, Session};

/// Names a session for as long as it lives; a session that takes its place has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(u32);

/// Sessions, the oldest first.
pub(super) type List = Vec<(SessionId, Box<Session>)>;

/// The sessions of one page.
#[derive(Debug, Default)]
pub struct Sessions {
    pub(super) list: List,
    /// Those that nobody is logged in with any more, until the provider has been told. A renewal that is under way
    /// brings them their last tokens.
    pub(super) leaving: List,
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
        let same = |(_, old): &&(_, Box<Session>)| old.login.is_same_client(&session.login);
        while let Some(&(old, _)) = self.list.iter().find(same) {
            take(&mut self.list, old);
        }
        self.last += 1;
        let id = SessionId(self.last);
        self.list.push((id, Box::new(session)));
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
        let mut sessions = self.list.iter().rev().map(|(_, session)| &**session);
        sessions.find(fits)
    }

    /// The newest session.
    pub fn last(&self) -> Option<&Session> {
        self.list.last().map(|(_, session)| &**session)
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
            take(&mut self.list, id);
            take(&mut self.leaving, id);
        }
        Err(error)
    }

    /// Nobody is logged in any more. The sessions are dropped, or kept apart for [`leave`](Sessions::leave).
    pub fn clear(&mut self, keep: bool) -> Vec<SessionId> {
        let mut ids = Vec::new();
        for (id, session) in mem::take(&mut self.list) {
            ids.push(id);
            if keep {
                self.leaving.push((id, session));
            }
        }
        ids
    }

    /// A session that was kept apart, with the newest tokens it got.
    pub fn leave(&mut self, id: SessionId) -> Option<Box<Session>> {
        take(&mut self.leaving, id)
    }
}

/// Takes a session out of a list.
pub(super) fn take(list: &mut List, id: SessionId) -> Option<Box<Session>> {
    let at = list.iter().position(|(known, _)| *known == id)?;
    Some(list.remove(at).1)
}

#[cfg(test)]
mod tests {
    use super::super::super::config::Config;
    use super::super::tests::{API, RENEWABLE, session, tokens};
    use super::*;
    use std::format;
    use std::string::ToString;

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
}
