//! Sessions: which one a URL belongs to, and what to do with its token now.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::Seconds;
use super::config::Login;
use super::error::{Error, ErrorCode};
use super::json::{Json, Object, decimal};
use super::resource::{challenge_error, covers};
use super::secret::AccessToken;
use super::token::{Grant, TokenRequest, Tokens};

/// One user logged in at one client. Dropping it overwrites the tokens.
#[derive(Debug)]
pub struct Session {
    login: Rc<Login>,
    tokens: Tokens,
    /// When the access token ends, by the wall clock: for showing only.
    ends: Option<Seconds>,
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
}

/// What to do after a 401.
#[derive(Debug, PartialEq)]
pub enum AfterUnauthorized {
    /// Another call has renewed meanwhile: send this one.
    Token(AccessToken),
    /// Renew, then send again.
    Renew,
    /// Hand the response to the caller.
    GiveUp,
}

impl Session {
    /// `wall` is the wall clock, `now` the monotonic time that the tokens were read with.
    pub fn new(login: Rc<Login>, tokens: Tokens, wall: Seconds, now: Seconds) -> Self {
        let ends = ends(&tokens, wall, now);
        Self {
            login,
            tokens,
            ends,
        }
    }

    pub fn is_renewable(&self) -> bool {
        self.tokens.is_renewable()
    }

    /// What to do before a request. `now` is the monotonic time that the tokens were read with.
    pub fn access(&self, now: Seconds) -> Access {
        if self.is_renewable() && self.tokens.is_due(now) {
            Access::Renew
        } else if self.tokens.expires_at().is_some_and(|at| now >= at) {
            Access::LoginRequired
        } else {
            Access::Token(self.token())
        }
    }

    /// The token, if it still lives: a renewal ahead of time may fail without harm.
    pub fn living_token(&self, now: Seconds) -> Option<AccessToken> {
        let lives = self.tokens.expires_at().is_none_or(|at| now < at);
        lives.then(|| self.token())
    }

    /// The token there is, whatever its age: what a renewal just gave is used at least once.
    pub fn token(&self) -> AccessToken {
        self.tokens.access_token().clone()
    }

    /// What a 401 to a request with `sent` asks for (RFC 6750 section 3.1). `challenge` is `WWW-Authenticate`,
    /// where the page may read it.
    pub fn after_unauthorized(&self, sent: &AccessToken, challenge: &str) -> AfterUnauthorized {
        if self.tokens.access_token() != sent {
            return AfterUnauthorized::Token(self.token());
        }
        match challenge_error(challenge) {
            None | Some("invalid_token") if self.is_renewable() => AfterUnauthorized::Renew,
            _ => AfterUnauthorized::GiveUp,
        }
    }

    /// The request that renews the tokens.
    pub fn renewal(&self) -> Result<TokenRequest, Error> {
        let token = self.tokens.refresh_token().cloned();
        let token = token.ok_or_else(|| ErrorCode::LoginRequired.error())?;
        Ok(TokenRequest::new(
            self.login.clone(),
            Grant::RefreshToken(token),
        ))
    }

    /// Puts renewed tokens in the place of the old ones.
    fn renew(&mut self, tokens: Tokens, wall: Seconds, now: Seconds) {
        self.ends = ends(&tokens, wall, now);
        let old = core::mem::replace(&mut self.tokens, tokens);
        self.tokens.keep_from(old);
    }

    /// What a page may know, as JSON text (`Session` in `types.d.ts`).
    pub fn describe(&self) -> String {
        let mut out = Object::new();
        let text =
            |value: Option<&str>| value.map_or(Json::Null, |v| Json::String(String::from(v)));
        out.value("provider", text(self.login.provider()))
            .value("site", text(self.login.site()))
            .str("clientId", self.login.client_id())
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
        out.value("renewable", Json::Bool(self.is_renewable()))
            .value("extra", self.tokens.extra().clone())
            .value("returnTo", text(self.login.return_to()))
            .value(
                "appState",
                self.login.app_state().cloned().unwrap_or(Json::Null),
            )
            .done()
            .text()
    }
}

fn ends(tokens: &Tokens, wall: Seconds, now: Seconds) -> Option<Seconds> {
    let at = tokens.expires_at()?;
    Some(wall.saturating_add(at.saturating_sub(now)))
}

/// Names a session for as long as it lives; a session that takes its place has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(u32);

/// The sessions of one page.
#[derive(Debug, Default)]
pub struct Sessions {
    list: Vec<(SessionId, Session)>,
    last: u32,
}

impl Sessions {
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            last: 0,
        }
    }

    /// Adds a session; an older one of the same client at the same server is dropped.
    pub fn add(&mut self, session: Session) -> SessionId {
        let same = |(_, old): &(SessionId, Session)| old.login.is_same_client(&session.login);
        if let Some(at) = self.list.iter().position(same) {
            self.list.remove(at);
        }
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
        let entry = self.list.iter_mut().find(|(known, _)| *known == id)?;
        Some(&mut entry.1)
    }

    /// Takes note that a resource server has refused the token: the next call renews it first.
    pub fn refused(&mut self, id: SessionId, sent: &AccessToken, challenge: &str) {
        if let Some(session) = self.get_mut(id)
            && session.after_unauthorized(sent, challenge) == AfterUnauthorized::Renew
        {
            session.tokens.end();
        }
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
            None if self.list.is_empty() => Err(ErrorCode::LoginRequired.error()),
            None => Err(ErrorCode::UndeclaredResourceServer.error()),
        }
    }

    /// Takes the outcome of a renewal. `invalid_grant` ends the session (RFC 6749 section 5.2); no other failure does.
    pub fn renewed(
        &mut self,
        id: SessionId,
        outcome: Result<Tokens, Error>,
        wall: Seconds,
        now: Seconds,
    ) -> Result<(), Error> {
        let error = match outcome {
            Ok(tokens) => {
                let session = self.get_mut(id);
                let session = session.ok_or_else(|| ErrorCode::LoginRequired.error())?;
                session.renew(tokens, wall, now);
                return Ok(());
            }
            Err(error) => error,
        };
        let said = error
            .server
            .as_ref()
            .and_then(|server| server.error.as_deref());
        if error.code != ErrorCode::TokenRequestRefused || said != Some("invalid_grant") {
            return Err(error);
        }
        if let Some(at) = self.list.iter().position(|(known, _)| *known == id) {
            self.list.remove(at);
        }
        Err(error.becomes(ErrorCode::SessionEnded))
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.list.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::*;
    use std::{format, string::ToString};

    fn session(client_id: &str, servers: &str, members: &str) -> Session {
        let config = format!(
            r#"{{"clientId":"{client_id}","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":{servers}}}"#
        );
        let login = Config::read(Json::parse(config.as_bytes()).expect("JSON"))
            .and_then(|config| config.resolve("https://app.example"))
            .expect("a login");
        Session::new(login, tokens(members), 1000, 10)
    }

    fn tokens(members: &str) -> Tokens {
        let text = format!(r#"{{"access_token":"a1","token_type":"bearer"{members}}}"#);
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        Tokens::read(&mut json, &[], 0).expect("tokens")
    }

    const API: &str = r#"["https://api.example"]"#;
    const RENEWABLE: &str = r#","expires_in":100,"refresh_token":"r""#;

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
        let short = session("1", API, r#","expires_in":100"#);
        assert_eq!(short.access(99), token());
        assert_eq!(short.access(100), Access::LoginRequired);
        assert_eq!(session("1", API, "").access(1 << 31), token());
    }

    #[test]
    fn a_401_renews_once_and_a_token_renewed_meanwhile_is_used() {
        let mut session = session("1", API, RENEWABLE);
        let sent = AccessToken::new("a1".to_string());
        for challenge in ["", "Bearer", "Bearer error=\"invalid_token\""] {
            assert_eq!(
                session.after_unauthorized(&sent, challenge),
                AfterUnauthorized::Renew
            );
        }
        assert_eq!(
            session.after_unauthorized(&sent, "Bearer error=\"insufficient_scope\""),
            AfterUnauthorized::GiveUp
        );
        let old = AccessToken::new("a0".to_string());
        assert_eq!(
            session.after_unauthorized(&old, "Bearer error=\"invalid_token\""),
            AfterUnauthorized::Token(sent.clone())
        );
        session.tokens = tokens("");
        assert_eq!(
            session.after_unauthorized(&sent, ""),
            AfterUnauthorized::GiveUp
        );
    }

    #[test]
    fn a_refused_token_is_renewed_before_the_next_call_and_one_refused_for_its_scope_is_not() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let sent = AccessToken::new("a1".to_string());
        sessions.refused(id, &sent, "Bearer error=\"insufficient_scope\"");
        assert_eq!(
            sessions.get(id).map(|s| s.access(0)),
            Some(Access::Token(sent.clone()))
        );
        sessions.refused(id, &sent, "");
        assert_eq!(sessions.get(id).map(|s| s.access(0)), Some(Access::Renew));
        assert_eq!(sessions.get(id).and_then(|s| s.living_token(0)), None);
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
    fn a_new_login_takes_the_place_of_the_old_one() {
        let mut sessions = Sessions::default();
        let old = sessions.add(session("1", API, ""));
        let new = sessions.add(session("1", API, ""));
        assert!(sessions.get(old).is_none() && sessions.get(new).is_some());
        sessions.clear();
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
            r#"{"provider":null,"site":null,"clientId":"1","scope":[],"expiresAt":1090000,"renewable":true,"extra":{"user_id":7},"returnTo":null,"appState":null}"#
        );
        assert!(!text.contains("canary"));
    }
}
