//! What users have granted: authorization codes, access tokens and refresh tokens, each used up as documented.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::settings::Provider;

/// One consent. Every token that follows from it names it, so that all die together.
#[derive(Clone)]
pub struct Grant {
    pub provider: Provider,
    pub client_id: String,
    pub user_id: u64,
    /// Sorted.
    pub scope: Vec<String>,
    pub revoked: bool,
}

#[derive(Clone)]
pub struct Code {
    pub grant: usize,
    pub redirect_uri: String,
    pub challenge: Option<Challenge>,
    pub expires_at: u64,
    pub spent: bool,
}

/// `code_challenge` and its method (RFC 7636 section 4.3).
#[derive(Clone, Debug)]
pub struct Challenge {
    pub value: String,
    pub method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    S256,
    Plain,
}

#[derive(Clone)]
pub struct AccessToken {
    pub grant: usize,
    pub scope: Vec<String>,
    pub expires_at: u64,
}

#[derive(Clone)]
pub struct RefreshToken {
    pub grant: usize,
    pub expires_at: u64,
    pub spent: bool,
}

#[derive(Default)]
pub struct Grants {
    grants: Vec<Grant>,
    codes: HashMap<String, Code>,
    access_tokens: HashMap<String, AccessToken>,
    refresh_tokens: HashMap<String, RefreshToken>,
    pub spent_twice: usize,
}

/// Why a code or a refresh token is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Unknown, expired, revoked or spent.
    Invalid,
    OtherClient,
}

impl Grants {
    pub fn add(&mut self, grant: Grant) -> usize {
        self.grants.push(grant);
        self.grants.len() - 1
    }

    pub fn get(&self, grant: usize) -> Option<&Grant> {
        self.grants.get(grant)
    }

    pub fn all(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    pub fn add_code(&mut self, value: &str, code: Code) {
        self.codes.insert(value.into(), code);
    }

    pub fn add_access_token(&mut self, value: &str, token: AccessToken) {
        self.access_tokens.insert(value.into(), token);
    }

    pub fn add_refresh_token(&mut self, value: &str, token: RefreshToken) {
        self.refresh_tokens.insert(value.into(), token);
    }

    /// A code that can still be exchanged. The second use of one revokes what the first gave (RFC 6749 section 4.1.2).
    pub fn code(&mut self, value: &str, client_id: &str, now: u64) -> Result<Code, Refused> {
        let code = self.codes.get(value).cloned().ok_or(Refused::Invalid)?;
        self.check_client(code.grant, client_id)?;
        if code.spent {
            self.revoke(code.grant);
        }
        if self.is_revoked(code.grant) || now >= code.expires_at {
            Err(Refused::Invalid)
        } else {
            Ok(code)
        }
    }

    pub fn spend_code(&mut self, value: &str) {
        if let Some(code) = self.codes.get_mut(value) {
            code.spent = true;
        }
    }

    /// A refresh token that can still be used. A spent one revokes its whole family (RFC 9700 section 4.14.2).
    pub fn refresh_token(
        &mut self,
        value: &str,
        client_id: &str,
        now: u64,
    ) -> Result<RefreshToken, Refused> {
        let token = self
            .refresh_tokens
            .get(value)
            .cloned()
            .ok_or(Refused::Invalid)?;
        self.check_client(token.grant, client_id)?;
        if token.spent {
            self.spent_twice += 1;
            self.revoke(token.grant);
        }
        if self.is_revoked(token.grant) || now >= token.expires_at {
            Err(Refused::Invalid)
        } else {
            Ok(token)
        }
    }

    pub fn spend_refresh_token(&mut self, value: &str) {
        if let Some(token) = self.refresh_tokens.get_mut(value) {
            token.spent = true;
        }
    }

    /// A valid access token and its grant.
    pub fn access_token(&self, value: &str, now: u64) -> Option<(&AccessToken, &Grant)> {
        let token = self.access_tokens.get(value)?;
        let grant = self.grants.get(token.grant)?;
        (!grant.revoked && now < token.expires_at).then_some((token, grant))
    }

    /// The grant behind an access or a refresh token of this client, whatever its state.
    pub fn behind(&self, token: &str, client_id: &str) -> Option<usize> {
        let access = self.access_tokens.get(token).map(|token| token.grant);
        let grant = access.or_else(|| self.refresh_tokens.get(token).map(|token| token.grant))?;
        self.grants
            .get(grant)
            .filter(|found| found.client_id == client_id)
            .map(|_| grant)
    }

    pub fn revoke(&mut self, grant: usize) {
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.revoked = true;
        }
    }

    /// Ends what this user granted this application; true when there was something to end.
    pub fn revoke_application(&mut self, user_id: u64, client_id: &str) -> bool {
        let of_both = |grant: &&mut Grant| {
            grant.user_id == user_id && grant.client_id == client_id && !grant.revoked
        };
        self.grants
            .iter_mut()
            .filter(of_both)
            .map(|grant| grant.revoked = true)
            .count()
            > 0
    }

    pub fn revoke_all(&mut self) {
        self.grants
            .iter_mut()
            .for_each(|grant| grant.revoked = true);
    }

    pub fn expire_access_tokens(&mut self) {
        self.access_tokens
            .values_mut()
            .for_each(|token| token.expires_at = 0);
    }

    fn check_client(&self, grant: usize, client_id: &str) -> Result<(), Refused> {
        let grant = self.grants.get(grant).ok_or(Refused::Invalid)?;
        if grant.client_id == client_id {
            Ok(())
        } else {
            Err(Refused::OtherClient)
        }
    }

    fn is_revoked(&self, grant: usize) -> bool {
        self.grants.get(grant).is_none_or(|grant| grant.revoked)
    }
}

impl Challenge {
    /// `None` when the method is unknown or the challenge is not 43 to 128 unreserved characters. A missing method is
    /// `plain` (RFC 7636 section 4.3).
    pub fn new(value: &str, method: Option<&str>) -> Option<Challenge> {
        let method = match method {
            Some("S256") => Method::S256,
            Some("plain") | None => Method::Plain,
            Some(_) => return None,
        };
        is_verifier(value).then(|| Challenge {
            value: value.into(),
            method,
        })
    }

    /// Unchecked. One that no authorization request could have had accepts no verifier.
    pub fn as_given(value: &str, method: &str) -> Challenge {
        let invalid = || Challenge {
            value: value.into(),
            method: Method::S256,
        };
        Challenge::new(value, Some(method)).unwrap_or_else(invalid)
    }

    /// RFC 7636 section 4.6.
    pub fn accepts(&self, verifier: &str) -> bool {
        is_verifier(verifier)
            && match self.method {
                Method::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == self.value,
                Method::Plain => verifier == self.value,
            }
    }
}

/// 43 to 128 unreserved characters (RFC 7636 section 4.1).
fn is_verifier(value: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&value.len()) && value.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let challenge = Challenge::new("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256"))
            .expect("a challenge");
        assert!(challenge.accepts("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.accepts("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX"));
    }

    #[test]
    fn a_challenge_without_a_method_is_plain_and_an_unknown_method_is_none() {
        let value = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(Challenge::new(value, None).is_some_and(|challenge| challenge.accepts(value)));
        assert!(Challenge::new(value, Some("s256")).is_none());
        assert!(Challenge::new("short", Some("S256")).is_none());
    }
}
