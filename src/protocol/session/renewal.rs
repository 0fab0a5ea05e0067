//! Renewals, and what is known of the refresh token (RFC 6749 section 6, RFC 9700 section 4.14): it is sent a second time
//! only where the answer to the first was lost, and never a third.

use super::super::Seconds;
use super::super::error::{Error, ErrorCode};
use super::super::token::{Grant, TokenRequest, Tokens};
use super::{Session, ends};

/// Seconds that a server may have a renewal wait for.
const MAX_WAIT: Seconds = 3600;

/// So many renewals in a row have failed; the next one waits until then.
#[derive(Debug)]
pub(super) struct Failing {
    times: u32,
    until: Seconds,
    error: Error,
}

/// What is known of the refresh token.
#[derive(Debug)]
pub(super) enum Refresh {
    /// Nothing speaks against it.
    Good,
    /// It was sent and the answer was lost, so it may be spent. Once the access token is over it is sent once more: what
    /// would be lost then is lost otherwise.
    Lost(Error),
    /// It was sent while the server could not be reached, so it is probably unspent. What comes next is as for `Lost`.
    Unsure(Error),
    /// The same, and it is not sent again.
    Indeterminate(Error),
    /// The server refuses it, and may do so for a reason that passes: it is not sent again, and the session ends with
    /// its access token.
    Refused(Error),
}

impl Session {
    /// Whether the answer to a renewal was lost. A renewal from here on is the last of this refresh token.
    pub fn is_indeterminate(&self) -> bool {
        matches!(self.refresh, Refresh::Lost(_) | Refresh::Indeterminate(_))
    }

    /// Whether the refresh token was sent and no answer came. It is sent again only to a server that answers.
    pub fn was_sent(&self) -> bool {
        self.is_indeterminate() || matches!(self.refresh, Refresh::Unsure(_))
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

    /// Why the server is left alone just now.
    pub(super) fn failing(&self, now: Seconds) -> Option<Error> {
        let failing = self.failing.as_ref()?;
        (now < failing.until).then(|| failing.error.clone())
    }

    /// Takes note of a renewal that failed. A first failure is nothing to wait for; then 1, 2, 4.. seconds up to a
    /// minute, or as long as the server says, and up to a quarter more by `jitter`: whoever is back first must not be
    /// met by all at once.
    pub(super) fn failed(&mut self, error: Error, now: Seconds, jitter: u8) {
        let first = matches!(self.refresh, Refresh::Good);
        match error.code {
            ErrorCode::SessionIndeterminate => {
                let again = first && error.is_lost() && self.login.may_resend_refresh_token();
                self.refresh = match again {
                    true => Refresh::Lost(error),
                    false => Refresh::Indeterminate(error),
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
                    self.refresh = Refresh::Indeterminate(error.clone());
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
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ServerError;
    use super::super::super::json::{Json, decimal};
    use super::super::tests::{API, RENEWABLE, fail, session, tokens, with};
    use super::super::{Access, AfterRefusal, Sessions};
    use super::*;
    use std::string::ToString;

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
    fn a_refusal_of_a_renewal_that_repeats_the_access_token_does_not_show_it() {
        let mut sessions = Sessions::default();
        let id = sessions.add(session("1", API, RENEWABLE));
        let server = ServerError {
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
        assert!(session.is_renewable() && session.is_indeterminate());
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
        let fine = other.add(self::session("1", API, RENEWABLE));
        fail(&mut other, fine, lost(), 100, 0);
        other
            .renewed(fine, Ok(tokens(RENEWABLE)), 0, 100, 0)
            .expect("the second was answered");
        let session = other.get(fine).expect("it lives");
        assert!(!session.is_indeterminate() && session.is_renewable());
    }

    #[test]
    fn a_network_that_was_down_all_along_is_nothing_that_a_page_gets_to_see() {
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
        assert!(session.was_sent() && !session.is_indeterminate());
        assert_eq!(session.access(100), Access::Renew);
        // It is sent once more all the same, and not a third time.
        assert!(!unsure(&sessions, lost()));
        fail(&mut sessions, id, lost(), 100, 0);
        let session = sessions.get(id).expect("it lives");
        assert!(!session.is_renewable() && session.is_indeterminate());
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
            assert!(!session.is_renewable() && session.is_indeterminate());
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
        let id = sessions.add(self::session("1", API, RENEWABLE));
        let outcome = sessions.renewed(id, Err(refused), 0, 100, 0);
        assert_eq!(
            outcome.map_err(|error| error.code),
            Err(ErrorCode::SessionEnded)
        );
        assert!(sessions.get(id).is_none());
    }
}
