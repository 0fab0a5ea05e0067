//! What a page may know of its sessions: no token is in it.

use alloc::string::String;

use super::super::json::{Json, Object, decimal};
use super::super::token::Tokens;
use super::super::{Seconds, openid};
use super::Session;

/// Seconds before its end that a session which cannot be renewed is said to end.
const WARNING: Seconds = 60;

impl Session {
    pub(super) fn rate_limit(&self) -> Json {
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
        let state = match self.is_indeterminate() {
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
            .value("shared", Json::Bool(self.is_shared_with_tabs()));
        out.value(
            "claims",
            self.tokens.claims().map_or(Json::Null, openid::shown),
        );
        out.done()
    }
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

pub(super) fn number(said: Option<u64>) -> Json {
    said.map_or(Json::Null, |said| Json::Number(decimal(said)))
}

pub(super) fn ends(tokens: &Tokens, wall: Seconds, now: Seconds) -> Option<u64> {
    let at = tokens.expires_at()?;
    Some(u64::from(wall) + u64::from(at.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{API, RENEWABLE, session};
    use super::*;
    use std::format;

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
