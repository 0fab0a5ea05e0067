//! Demonstrating Proof of Possession (RFC 9449): a token that is bound to a key, and the proofs that it is held.

use alloc::string::String;
use alloc::vec::Vec;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::json::{Json, Object};
use super::pkce::base64url;
use super::resource::challenge;
use super::secret::AccessToken;
use super::url::Url;
use super::{Seconds, jose, text};

/// Random bytes for the `jti` of one proof (section 4.2: at least 96 bits).
pub type Jti = [u8; 16];

/// Servers whose nonces are kept; a session talks to two or three.
const MAX_NONCES: usize = 16;

/// What servers say when they want a nonce (sections 8 and 9).
const NONCE_WANTED: &str = "use_dpop_nonce";

/// The public half of a P-256 key; the private one is the browser's to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofKey {
    x: String,
    y: String,
}

impl ProofKey {
    /// Reads a JWK (RFC 7518 section 6.2.1). `None` if it is no key on P-256.
    pub fn read(jwk: &Json) -> Option<ProofKey> {
        let coordinate = |name| {
            let text = jwk.str(name)?;
            (jose::decode(text)?.len() == 32).then(|| String::from(text))
        };
        let is_p256 = jwk.str("kty") == Some("EC") && jwk.str("crv") == Some("P-256");
        Some(ProofKey {
            x: coordinate("x")?,
            y: coordinate("y")?,
        })
        .filter(|_| is_p256)
    }

    /// The key whose public half is this point, uncompressed (SEC 1 section 2.3.3): 4, x, y.
    pub fn at(point: &[u8]) -> Option<ProofKey> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        (y.len() == 32).then(|| ProofKey {
            x: base64url(x),
            y: base64url(y),
        })
    }

    /// The same as a JWK.
    pub fn to_jwk(&self) -> Json {
        let mut jwk = Object::new();
        jwk.str("kty", "EC").str("x", &self.x).str("y", &self.y);
        jwk.str("crv", "P-256").done()
    }

    /// The JWK thumbprint (RFC 7638 section 3.1): `dpop_jkt` of the authorization request (section 10).
    pub fn thumbprint(&self) -> String {
        let mut members = Object::new();
        members.str("crv", "P-256").str("kty", "EC");
        let members = members.str("x", &self.x).str("y", &self.y).done();
        base64url(&Sha256::digest(members.text().as_bytes()))
    }

    /// A proof for one request (section 4.2), to be signed with ES256. `url` may have a query and a fragment, which are
    /// left out; `now` is the wall clock; `token` goes with the request, if there is one.
    pub fn proof(
        &self,
        jti: &Jti,
        method: &str,
        url: &str,
        now: Seconds,
        nonce: Option<&str>,
        token: Option<&AccessToken>,
    ) -> Proof {
        let mut header = Object::new();
        header.str("typ", "dpop+jwt").str("alg", "ES256");
        let header = header.value("jwk", self.to_jwk()).done();
        let mut claims = Object::new();
        claims
            .str("jti", &base64url(jti))
            .str("htm", method)
            .str("htu", super::url::cut(url).0)
            .number("iat", now)
            .maybe("nonce", nonce);
        if let Some(token) = token {
            let hash = Sha256::digest(token.expose().as_bytes());
            claims.str("ath", &base64url(&hash));
        }
        let mut signed = base64url(header.text().as_bytes());
        signed.push('.');
        signed.push_str(&base64url(claims.done().text().as_bytes()));
        Proof(signed)
    }
}

/// A proof that is not signed yet.
#[derive(Debug, PartialEq)]
pub struct Proof(String);

impl Proof {
    /// What to sign.
    pub fn signed(&self) -> &str {
        &self.0
    }

    /// The value of the `DPoP` header.
    pub fn finish(mut self, signature: &[u8]) -> String {
        self.0.push('.');
        self.0.push_str(&base64url(signature));
        self.0
    }
}

impl AccessToken {
    /// The value of the Authorization header of a bound token (section 7.1).
    pub fn bound_authorization_header(&self) -> Zeroizing<String> {
        let mut header = Zeroizing::new(String::with_capacity(5 + self.expose().len()));
        header.push_str("DPoP ");
        header.push_str(self.expose());
        header
    }
}

/// The newest nonce of each server (sections 8 and 9), by its origin.
#[derive(Debug, Default)]
pub struct Nonces(Vec<(String, String)>);

impl Nonces {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The nonce for a request to this URL.
    pub fn get(&self, url: &str) -> Option<&str> {
        let origin = Url::split(url)?.origin;
        let entry = self.0.iter().find(|(known, _)| known == origin)?;
        Some(&entry.1)
    }

    /// Takes the `DPoP-Nonce` header of any response (section 8.2), if it is one. Whether it is news.
    pub fn adopt(&mut self, url: &str, header: &str) -> bool {
        let Some(url) = Url::split(url) else {
            return false;
        };
        let is_nonce = !header.is_empty() && header.len() <= 1024;
        if !is_nonce || !text::is_graphic(header, b"\"\\") {
            return false;
        }
        let known = self.0.iter().position(|(known, _)| known == url.origin);
        let old = known.map(|at| self.0.remove(at));
        if self.0.len() == MAX_NONCES {
            self.0.remove(0);
        }
        self.0
            .push((String::from(url.origin), String::from(header)));
        old.is_none_or(|(_, nonce)| nonce != header)
    }
}

/// Whether the authorization server refuses a request for want of a nonce (section 8).
pub fn is_nonce_wanted(status: u16, body: &[u8]) -> bool {
    matches!(status, 400 | 401)
        && Json::parse(body).is_some_and(|members| members.str("error") == Some(NONCE_WANTED))
}

/// Whether a resource server does so (section 9). `header` is `WWW-Authenticate`.
pub fn is_nonce_challenge(status: u16, header: &str) -> bool {
    status == 401 && challenge(header, "error").as_deref() == Some(NONCE_WANTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    /// The key of RFC 9449's examples.
    fn key() -> ProofKey {
        let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        ProofKey::read(&Json::parse(jwk).expect("JSON")).expect("a key")
    }

    fn part(proof: &Proof, n: usize) -> Json {
        let part = proof.signed().split('.').nth(n).expect("a part");
        Json::parse(&jose::decode(part).expect("base64url")).expect("JSON")
    }

    /// RFC 9449 section 4.1: the proof's header is the example's octet for octet, and so is what it claims but for the
    /// `jti`, which is ours.
    #[test]
    fn rfc9449_section_4_1() {
        let proof = key().proof(
            &[0; 16],
            "POST",
            "https://server.example.com/token?x=1#y",
            1_562_262_616,
            None,
            None,
        );
        let header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
        assert_eq!(proof.signed().split('.').next(), Some(header));
        assert_eq!(
            part(&proof, 1).text(),
            r#"{"jti":"AAAAAAAAAAAAAAAAAAAAAA","htm":"POST","htu":"https://server.example.com/token","iat":1562262616}"#
        );
        let signed = proof.signed().to_string();
        assert_eq!(
            proof.finish(&[0; 64]),
            format!("{signed}.{}", "A".repeat(86))
        );
    }

    /// Section 6.1: the thumbprint of the same key. Section 7.1: the hash of a token.
    #[test]
    fn rfc9449_sections_6_1_and_7_1() {
        assert_eq!(
            key().thumbprint(),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
        let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_string());
        let url = "https://resource.example.org/protectedresource";
        let proof = key().proof(&[1; 16], "GET", url, 1_562_262_618, Some("n"), Some(&token));
        let claims = part(&proof, 1);
        assert_eq!(
            claims.str("ath"),
            Some("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")
        );
        assert_eq!(
            (claims.str("htu"), claims.str("nonce")),
            (Some(url), Some("n"))
        );
        assert_eq!(
            &*token.bound_authorization_header(),
            "DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
        );
    }

    #[test]
    fn a_key_is_a_point_of_p_256_and_nothing_secret() {
        let read = |jwk: &str| ProofKey::read(&Json::parse(jwk.as_bytes()).expect("JSON"));
        assert_eq!(ProofKey::read(&key().to_jwk()), Some(key()));
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        for jwk in [
            "{}".to_string(),
            format!(r#"{{"kty":"EC","crv":"P-384","x":"{x}","y":"{x}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"P-256","x":"{x}","y":"{x}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"AA"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}="}}"#),
        ] {
            assert_eq!(read(&jwk), None, "{jwk}");
        }
        let point: Vec<u8> = [&[4][..], &[1; 32], &[2; 32]].concat();
        let key = ProofKey::at(&point).expect("a point");
        assert_eq!(ProofKey::read(&key.to_jwk()), Some(key));
        for broken in [
            &point[1..],
            &point[..64],
            &[&point[..], &[0]].concat(),
            &[],
            &[4],
        ] {
            assert_eq!(ProofKey::at(broken), None);
        }
        let private = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}","d":"{x}"}}"#);
        let kept = read(&private).expect("a key").to_jwk();
        assert_eq!(kept.names(), ["kty", "x", "y", "crv"]);
    }

    #[test]
    fn each_server_has_its_own_nonce_and_the_newest_counts() {
        let mut nonces = Nonces::new();
        assert!(nonces.adopt("https://as.example/token", "a1"));
        assert!(!nonces.adopt("https://as.example/token", "a1"), "no news");
        assert!(nonces.adopt("https://rs.example/x?y", "r1"));
        assert!(nonces.adopt("https://as.example/other", "a2"));
        assert_eq!(nonces.get("https://as.example/token"), Some("a2"));
        assert_eq!(nonces.get("https://rs.example/"), Some("r1"));
        assert_eq!(nonces.get("https://rs.example:8443/"), None);
        for broken in ["", "a b", "a\"", "a\\", "é", &"x".repeat(1025)] {
            assert!(
                !nonces.adopt("https://as.example/token", broken),
                "{broken}"
            );
        }
        assert!(!nonces.adopt("blob:x", "n"));
        assert_eq!(nonces.get("https://as.example/token"), Some("a2"));
        for n in 0..100 {
            nonces.adopt(&format!("https://{n}.example/"), "n");
        }
        assert_eq!(nonces.0.len(), MAX_NONCES);
        assert_eq!(nonces.get("https://99.example/"), Some("n"));
    }

    /// The examples of RFC 9449 sections 8 and 9.
    #[test]
    fn a_server_that_wants_a_nonce_says_so() {
        let body = br#"{"error": "use_dpop_nonce", "error_description": "Authorization server requires nonce in DPoP proof"}"#;
        assert!(is_nonce_wanted(400, body) && is_nonce_wanted(401, body));
        assert!(!is_nonce_wanted(200, body) && !is_nonce_wanted(500, body));
        assert!(!is_nonce_wanted(400, br#"{"error":"invalid_grant"}"#));
        assert!(!is_nonce_wanted(400, b"use_dpop_nonce"));
        let header = r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#;
        assert!(is_nonce_challenge(401, header) && !is_nonce_challenge(403, header));
        assert!(!is_nonce_challenge(401, r#"DPoP error="invalid_token""#));
        assert!(!is_nonce_challenge(401, "") && !is_nonce_challenge(401, "DPoP"));
    }
}
