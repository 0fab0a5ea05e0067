//! The empty twin of `identity.rs`: tokens that belong to nobody in particular and are bound to nothing.

use super::{TokenRequest, Tokens};
use crate::protocol::Seconds;
use crate::protocol::dpop::ProofKey;
use crate::protocol::error::Error;
use crate::protocol::json::Json;
use crate::protocol::openid::{About, Channel};
use crate::protocol::secret::IdToken;

/// Whom tokens are of, and the key that they are bound to.
#[derive(Debug, Default)]
pub struct Identity {}

impl Identity {
    pub fn to_json(&self) -> Json {
        Json::Null
    }

    pub fn read(_: Json) -> Option<Identity> {
        Some(Identity {})
    }
}

impl TokenRequest {
    /// Nobody is asked about, and there is no key.
    pub fn about(self, about: Option<About>, key: Option<ProofKey>) -> Self {
        Self { about, key, ..self }
    }

    pub fn key(&self) -> Option<&ProofKey> {
        self.key.as_ref()
    }

    /// Reads the members of a response to this request.
    pub(super) fn tokens(&self, members: &mut Json, now: Seconds) -> Result<Tokens, Error> {
        let tokens = Tokens::granted(members, &self.login, now)?;
        tokens.came_with(None, Channel::Indirect, self.about.clone())
    }
}

impl Tokens {
    /// An ID Token that came along is dropped unread.
    pub fn came_with(self, _: Option<Json>, _: Channel, _: Option<About>) -> Result<Tokens, Error> {
        Ok(self)
    }

    pub fn claims(&self) -> Option<&Json> {
        None
    }

    pub fn id_token_hint(&self) -> Option<&IdToken> {
        None
    }

    pub fn key(&self) -> Option<&ProofKey> {
        None
    }

    pub(super) fn hide_identity(&mut self) {}

    pub(super) fn keep_identity(&mut self, _: Identity) {}
}
