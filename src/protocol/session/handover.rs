//! Sessions on their way from one build of the library to another, in one page: what the small one has begun, the full
//! one goes on with. No page sees the text that says it; the tokens are in it.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use zeroize::Zeroizing;

use super::super::Seconds;
use super::super::client::Client;
use super::super::error::ErrorCode;
use super::super::json::{self, Json, Object};
use super::super::secret::State;
use super::super::token::Tokens;
use super::{Refresh, Session, SessionId, Sessions, number};

impl Sessions {
    /// All sessions, which are here no longer. `answered` is the one that the last redirect led to, with its `state`.
    /// `wall` is the wall clock, `now` the monotonic time.
    pub fn hand_over(
        &mut self,
        answered: Option<(SessionId, State)>,
        wall: Seconds,
        now: Seconds,
    ) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("["));
        for (id, session) in mem::take(&mut self.list) {
            if text.len() > 1 {
                text.push(',');
            }
            let mut out = Object::new();
            out.str("client", &session.login.to_record())
                .value("tokens", session.tokens.to_json(true, now))
                .number("begun", session.begun)
                .number("at", wall)
                .str("refresh", session.refresh.as_str());
            if let Some((_, state)) = answered.as_ref().filter(|(answered, _)| *answered == id) {
                out.str("state", state.expose());
            }
            if let Some((limit, usage)) = &session.limits {
                out.value("limit", number(*limit))
                    .value("usage", number(*usage));
            }
            let mut entry = out.done();
            // A text that grows leaves what it was before behind.
            let mut longer = Zeroizing::new(String::with_capacity(text.len() + entry.size() + 2));
            longer.push_str(&text);
            entry.write(&mut longer);
            entry.wipe();
            text = longer;
        }
        text.push(']');
        text
    }

    /// Takes what [`hand_over`](Sessions::hand_over) gave. The new sessions, and the one that the last redirect led to.
    pub fn take_over(
        &mut self,
        text: &[u8],
        wall: Seconds,
        now: Seconds,
    ) -> (Vec<SessionId>, Option<(SessionId, State)>) {
        let (mut taken, mut answered) = (Vec::new(), None);
        let Some(Json::Array(list)) = Json::parse(text) else {
            return (taken, None);
        };
        for mut entry in list {
            let state = entry.take("state");
            let Some(session) = Session::handed(entry, wall, now) else {
                continue;
            };
            let id = self.add(session);
            if let Some(Json::String(state)) = state {
                answered = Some((id, State::new(state)));
            }
            taken.push(id);
        }
        (taken, answered)
    }
}

impl Refresh {
    fn as_str(&self) -> &'static str {
        match self {
            Refresh::Good => "good",
            Refresh::Unsure(_) => "unsure",
            Refresh::Lost(_) => "lost",
            Refresh::Indeterminate(_) => "indeterminate",
            Refresh::Refused(_) => "refused",
        }
    }

    fn read(text: &str) -> Option<Refresh> {
        Some(match text {
            "good" => Refresh::Good,
            "unsure" => Refresh::Unsure(ErrorCode::NetworkError.error()),
            "lost" => Refresh::Lost(ErrorCode::SessionIndeterminate.error()),
            "indeterminate" => Refresh::Indeterminate(ErrorCode::SessionIndeterminate.error()),
            "refused" => Refresh::Refused(ErrorCode::SessionEnded.error()),
            _ => return None,
        })
    }
}

impl Session {
    fn handed(mut entry: Json, wall: Seconds, now: Seconds) -> Option<Session> {
        let login = Rc::new(Client::from_record(entry.str("client")?)?);
        let ago = wall.saturating_sub(entry.get("at")?.as_u32()?);
        let tokens = Tokens::from_json(entry.take("tokens")?, ago, now)?;
        let mut session = Session::new(login, tokens, wall, now);
        session.begun = entry.get("begun")?.as_u32()?;
        let known = |name| match entry.get(name) {
            Some(Json::Number(text)) => json::whole(text),
            _ => None,
        };
        let limits = (known("limit"), known("usage"));
        if limits.0.is_some() || limits.1.is_some() {
            session.limits = Some(limits);
        }
        session.refresh = Refresh::read(entry.str("refresh")?)?;
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::config::Config;
    use super::super::Access;
    use super::*;
    use std::format;

    fn session(client_id: &str) -> Session {
        let config = format!(
            r#"{{"clientId":"{client_id}","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":["https://{client_id}.example"],"appState":{{"cart":3}}}}"#
        );
        let login = Config::parse(&config).and_then(|config| config.resolve("https://app.example"));
        let members = r#"{"access_token":"a","token_type":"bearer","expires_in":100,"refresh_token":"r","extra":"ñ"}"#;
        let mut members = Json::parse(members.as_bytes()).expect("JSON");
        let tokens = Tokens::read(&mut members, &[], &[], 0).expect("tokens");
        Session::new(login.expect("a login"), tokens, 1000, 10)
    }

    /// The sessions in another build, three seconds later by both clocks.
    fn moved(mut here: Sessions, answered: Option<(SessionId, State)>) -> Sessions {
        let state = answered.as_ref().map(|(_, state)| state.clone());
        let text = here.hand_over(answered, 1003, 13);
        assert!(here.last().is_none(), "nobody has them twice");
        let mut there = Sessions::new();
        let (ids, last) = there.take_over(text.as_bytes(), 1003, 13);
        assert_eq!(ids.len(), there.list.len());
        let (id, same) = last.map_or((None, None), |(id, state)| (Some(id), Some(state)));
        assert_eq!(same, state);
        assert!(id.is_none_or(|id| there.get(id).is_some()));
        there
    }

    #[test]
    fn sessions_go_on_as_they_were_in_the_order_they_had() {
        let mut here = Sessions::new();
        let first = here.add(session("one"));
        here.add(session("two"));
        here.limited(first, "{\"a\":1}", "2");
        let described: Vec<_> = here.list.iter().map(|(_, one)| one.describe()).collect();
        let state = State::new(String::from("ow1xA"));
        let there = moved(here, Some((first, state)));
        let again: Vec<_> = there.list.iter().map(|(_, one)| one.describe()).collect();
        assert_eq!(again, described);
        for (_, session) in &there.list {
            assert_eq!(session.begun, 10);
            assert!(matches!(session.access(69), Access::Token(_)));
            assert_eq!(session.access(70), Access::Renew);
            assert!(session.renewal().is_ok());
        }
    }

    #[test]
    fn a_refresh_token_that_may_be_spent_is_no_better_elsewhere() {
        let error = || ErrorCode::SessionIndeterminate.error();
        let states = [
            Refresh::Good,
            Refresh::Lost(error()),
            Refresh::Unsure(ErrorCode::NetworkError.error()),
            Refresh::Indeterminate(error()),
            Refresh::Refused(ErrorCode::SessionEnded.error()),
        ];
        for refresh in states {
            let name = refresh.as_str();
            let mut one = session("one");
            one.refresh = refresh;
            let before = (one.is_renewable(), one.is_indeterminate());
            let mut here = Sessions::new();
            here.add(one);
            let there = moved(here, None);
            let one = there.last().expect("the session");
            assert_eq!(
                (one.is_renewable(), one.is_indeterminate()),
                before,
                "{name}"
            );
            assert_eq!(one.refresh.as_str(), name);
        }
    }

    #[test]
    fn what_is_no_list_of_sessions_is_none() {
        for text in ["", "[", "{}", "[1]", "[{}]", r#"[{"client":""}]"#] {
            let mut there = Sessions::new();
            let (ids, answered) = there.take_over(text.as_bytes(), 1, 1);
            assert!(ids.is_empty() && answered.is_none(), "{text}");
        }
    }
}
