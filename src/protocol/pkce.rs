//! Proof Key for Code Exchange (RFC 7636).

use alloc::string::String;
use sha2::{Digest, Sha256};

use super::form;
use super::secret::CodeVerifier;

/// `code_challenge_method` (RFC 7636 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeChallengeMethod {
    /// The default.
    S256,
    /// Only for a server that cannot do better, and when asked for by name; never a fallback.
    Plain,
}

impl CodeChallengeMethod {
    /// The registered name (section 6.2.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }
}

impl CodeVerifier {
    /// 43 unreserved characters that carry 256 bits (section 4.1), six bits each: nothing is skewed.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        Self::new(base64url(entropy))
    }

    /// Takes a stored one back, if it is one: 43 to 128 unreserved characters (section 4.1).
    pub fn read(text: String) -> Option<Self> {
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(form::is_unreserved);
        let verifier = Self::new(text);
        fits.then_some(verifier)
    }

    /// `code_challenge` (section 4.2).
    pub fn code_challenge(&self, method: CodeChallengeMethod) -> String {
        match method {
            CodeChallengeMethod::S256 => base64url(&Sha256::digest(self.expose().as_bytes())),
            CodeChallengeMethod::Plain => String::from(self.expose()),
        }
    }

    /// The `nonce` of a login (OpenID Connect Core section 15.5.2): as random as the verifier, of which it tells nothing.
    pub fn nonce(&self) -> String {
        let mut hash = Sha256::new();
        hash.update("nonce ");
        hash.update(self.expose());
        base64url(&hash.finalize())
    }
}

/// Base64url without padding (RFC 4648 section 5, RFC 7636 appendix A). The base64 crate costs 0.9 KB of brotli in
/// the npm package for these lines; it is what the tests compare them with.
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    let (mut held, mut bits) = (0u32, 0);
    // Two zero bits stand for what is missing at the end; a last group without a bit of ours is not written.
    for byte in bytes.iter().chain(&[0]) {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 && out.len() * 6 < bytes.len() * 8 {
            bits -= 6;
            let sextet = held >> bits & 63;
            out.push(
                ALPHABET
                    .get(sextet as usize)
                    .copied()
                    .unwrap_or(b'A')
                    .into(),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_what_the_base64_crate_says_at_every_length() {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let bytes: [u8; 256] = core::array::from_fn(|i| (i * 167 + 13) as u8);
        for length in 0..=bytes.len() {
            let part = &bytes[..length];
            assert_eq!(base64url(part), URL_SAFE_NO_PAD.encode(part));
        }
    }

    /// RFC 7636 appendix B, from the octets to the challenge.
    #[test]
    fn rfc7636_appendix_b() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_entropy(&octets);
        assert_eq!(
            verifier.expose(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        assert_eq!(
            verifier.code_challenge(CodeChallengeMethod::S256),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(
            verifier.code_challenge(CodeChallengeMethod::Plain),
            verifier.expose()
        );
    }

    #[test]
    fn the_nonce_is_no_hash_that_stands_elsewhere() {
        let verifier = CodeVerifier::from_entropy(&[7; 32]);
        let nonce = verifier.nonce();
        assert_eq!((nonce.len(), &nonce), (43, &verifier.nonce()));
        assert_ne!(nonce, verifier.code_challenge(CodeChallengeMethod::S256));
        assert_ne!(nonce, CodeVerifier::from_entropy(&[8; 32]).nonce());
    }
}
