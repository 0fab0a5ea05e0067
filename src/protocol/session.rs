//! Sessions: which one a URL belongs to, and what to do with its token now.

mod access;
mod description;
mod handover;
#[cfg_attr(not(feature = "full"), path = "session/identity/without.rs")]
mod identity;
mod leaving;
mod permission;
mod renewal;
mod sessions;
#[cfg_attr(not(feature = "full"), path = "session/shared/without.rs")]
pub mod shared;

pub use access::{Access, AfterRefusal};
pub use description::change;
use description::{ends, number};
pub use leaving::Revocation;
pub use permission::explain;
use renewal::{Failing, Refresh};
pub use sessions::{SessionId, Sessions};
use shared::Shared;

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::Seconds;
use super::client::Client;
use super::secret::AccessToken;
use super::token::Tokens;

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
    /// What it shares with sessions of other pages.
    shared: Option<Shared>,
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
            shared: None,
        }
    }

    /// Whether there is a way to new tokens without the user.
    pub fn is_renewable(&self) -> bool {
        let spent = matches!(
            self.refresh,
            Refresh::Indeterminate(_) | Refresh::Refused(_)
        );
        !spent && self.tokens.is_renewable()
    }

    pub fn client_id(&self) -> &str {
        self.login.client_id()
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

    /// The headers in which the provider says how many requests it allows, and how many were made.
    pub fn limit_headers(&self) -> (String, String) {
        let (limit, usage) = self.login.limit_headers();
        (String::from(limit), String::from(usage))
    }

    /// What no error may show.
    fn secrets(&self) -> Vec<&str> {
        self.tokens.secrets()
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::super::error::Error;
    use super::super::json::Json;
    use super::*;
    use std::format;
    use std::string::ToString;

    pub(super) fn session(client_id: &str, servers: &str, members: &str) -> Session {
        made(client_id, "", servers, members)
    }

    pub(super) fn with(fields: &str, servers: &str, members: &str) -> Session {
        made("1", fields, servers, members)
    }

    pub(super) fn made(client_id: &str, fields: &str, servers: &str, members: &str) -> Session {
        let config = format!(
            r#"{{"clientId":"{client_id}","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":{servers}{fields}}}"#
        );
        let login = Config::read(Json::parse(config.as_bytes()).expect("JSON"))
            .and_then(|config| config.resolve("https://app.example"))
            .expect("a login");
        Session::new(login, tokens(members), 1000, 10)
    }

    pub(super) fn tokens(members: &str) -> Tokens {
        let text = format!(r#"{{"access_token":"a1","token_type":"bearer"{members}}}"#);
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        Tokens::read(&mut json, &[], &[], 0).expect("tokens")
    }

    pub(super) const API: &str = r#"["https://api.example"]"#;

    pub(super) const RENEWABLE: &str = r#","expires_in":100,"refresh_token":"r""#;

    pub(super) fn fail(
        sessions: &mut Sessions,
        id: SessionId,
        error: Error,
        now: Seconds,
        jitter: u8,
    ) {
        sessions
            .renewed(id, Err(error), 0, now, jitter)
            .expect_err("it failed");
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
}
