//! What to do with a session's token before a request, and after a refusal (RFC 6750 section 3.1).

use super::super::Seconds;
use super::super::error::Error;
use super::super::resource::challenge;
use super::super::secret::AccessToken;
use super::{Refresh, Session};

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
    /// The session is over: the server has refused to renew it. To be told once, by
    /// [`Sessions::renewed`](super::Sessions::renewed).
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
    /// What to do before a request. `now` is the monotonic time that the tokens were read with.
    pub fn access(&self, now: Seconds) -> Access {
        let next = match &self.refresh {
            _ if !self.tokens.is_renewable() => Access::LoginRequired,
            Refresh::Refused(error) => Access::Ended(error.clone()),
            Refresh::Indeterminate(error) => Access::Trouble(error.clone()),
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
            Refresh::Indeterminate(error) => AfterRefusal::Login(error.clone()),
            _ => match self.failing(now) {
                Some(_) => AfterRefusal::GiveUp,
                None => AfterRefusal::Renew,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ErrorCode;
    use super::super::Sessions;
    use super::super::tests::{API, RENEWABLE, fail, session, tokens};
    use super::*;
    use std::{format, string::ToString};

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
}
