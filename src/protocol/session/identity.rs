//! What only the full build does with a session: who the user is (OpenID Connect), and what the token is bound to (DPoP).

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{Session, SessionId, Sessions};
use crate::protocol::client::Client;
use crate::protocol::dpop::ProofKey;
use crate::protocol::error::{Error, ErrorCode, wrong};
use crate::protocol::json::Json;
use crate::protocol::openid::{self, About};
use crate::protocol::refusal;
use crate::protocol::secret::{AccessToken, IdToken};
use crate::protocol::shown::{self, Names};

use super::permission::refused;

impl Sessions {
    /// The newest session.
    pub fn newest(&self) -> Option<SessionId> {
        self.list.last().map(|(id, _)| *id)
    }

    /// Who was logged in last at this client, for a login in which the provider must not ask (OpenID Connect Core section
    /// 3.1.2.1): some answer it for nobody else.
    pub fn id_token_hint(&self, client: &Client) -> Option<&IdToken> {
        let mut sessions = self.list.iter().rev();
        let known = sessions.find(|(_, session)| session.login.is_same_client(client))?;
        known.1.tokens.id_token_hint()
    }

    /// What the tokens of all sessions are bound to.
    pub fn keys(&self) -> Vec<ProofKey> {
        let keys = self.list.iter().map(|(_, session)| session.key());
        keys.flatten().collect()
    }
}

impl Session {
    /// Of whom an ID Token that a renewal brings has to be.
    pub(super) fn same_user(&self) -> Option<About> {
        let claims = self.tokens.claims()?.clone();
        Some(About::Renewal { claims })
    }

    /// What the tokens are bound to.
    pub fn key(&self) -> Option<ProofKey> {
        self.tokens.key().cloned()
    }

    pub fn login(&self) -> Rc<Client> {
        self.login.clone()
    }

    /// The value of the Authorization header (RFC 6750 section 2.1, RFC 9449 section 7.1).
    pub fn authorization_header(&self, token: &AccessToken) -> Zeroizing<String> {
        match self.tokens.key() {
            Some(_) => token.bound_authorization_header(),
            None => token.authorization_header(),
        }
    }

    /// Where the provider says more of the user (OpenID Connect Core section 5.3).
    pub fn userinfo_endpoint(&self) -> Result<String, Error> {
        if self.tokens.claims().is_none() {
            return Err(wrong("scope", "has no openid, so nobody knows the user"));
        }
        let endpoint = self.login.userinfo_endpoint();
        let endpoint = endpoint.ok_or_else(|| wrong("userinfoEndpoint", "is missing"))?;
        Ok(String::from(endpoint))
    }

    /// Reads what it says, as JSON text.
    pub fn userinfo(&self, status: u16, content_type: &str, body: &[u8]) -> Result<String, Error> {
        if status >= 400 {
            let members = Json::parse(body);
            let server = refusal::said(status, body, members.as_ref(), &self.secrets());
            return Err(self.login.explained(refused(status, "").with(server)));
        }
        let nobody = || ErrorCode::LoginRequired.error();
        let claims = self.tokens.claims().ok_or_else(nobody)?;
        let mut info = openid::join(claims, status, content_type, body)?;
        shown::hide(&mut info, Names::But(&[]), &self.secrets());
        Ok(info.text())
    }
}
