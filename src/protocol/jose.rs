//! What a JSON Web Signature says and which key should have made it (RFC 7515, RFC 7517), for the algorithms of
//! RFC 7518 and RFC 8037 that a browser can check. The check itself is the browser's.

use alloc::string::String;
use alloc::vec::Vec;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::json::{Json, Object};
use super::pkce::base64url;
use super::text;

/// Bytes of the smallest RSA modulus that is taken (RFC 7518 section 3.3).
const MIN_MODULUS: usize = 256;

/// A signed JSON object (RFC 7515 section 7.1), read and not yet believed.
#[derive(Debug)]
pub struct Jws {
    pub header: Json,
    pub payload: Json,
    /// Bytes of what is signed: all before the last dot.
    signed: usize,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads the compact serialisation. `Err` is the rule that it breaks. What the header says of keys (`jwk`, `jku`,
    /// `x5c`, `x5u`) is not looked at: whoever forges a token would bring them along.
    pub fn read(text: &str) -> Result<Jws, &'static str> {
        let parts = text::cut(text, ".").and_then(|(header, rest)| {
            let (payload, signature) = text::cut(rest, ".")?;
            (!text::contains(signature, ".")).then_some((header, payload, signature))
        });
        let Some((header, payload, signature)) = parts else {
            return Err("is no signature of three parts (RFC 7515 section 7.1)");
        };
        let signed = header.len() + 1 + payload.len();
        let header = object(header)
            .ok_or("its header is no JSON object whose members stand once (RFC 7515 section 4)")?;
        if header.names().contains(&"crit") {
            return Err(
                "crit: names an extension that is not known here (RFC 7515 section 4.1.11)",
            );
        }
        match header.str("alg") {
            None | Some("") => return Err("alg: is missing (RFC 7515 section 4.1.1)"),
            Some(alg) if alg.eq_ignore_ascii_case("none") => {
                return Err("alg: is none (RFC 8725 section 3.2)");
            }
            Some(_) => {}
        }
        // A token of another kind says so (RFC 8725 section 3.11): at+jwt, dpop+jwt, logout+jwt.
        let kind = header.str("typ").unwrap_or("").to_ascii_lowercase();
        if kind.ends_with("+jwt") {
            return Err("typ: is that of another kind of token (RFC 8725 section 3.11)");
        }
        let payload = object(payload).ok_or(
            "its payload is no JSON object whose members stand once (RFC 7519 section 7.2)",
        )?;
        let signature =
            decode(signature).ok_or("its signature is not base64url (RFC 7515 section 2)")?;
        Ok(Jws {
            header,
            payload,
            signed,
            signature,
        })
    }

    pub fn alg(&self) -> &str {
        self.header.str("alg").unwrap_or("")
    }

    /// The algorithm, if it is one that can be checked.
    pub fn algorithm(&self) -> Option<&'static Algorithm> {
        let alg = self.alg();
        ALGORITHMS.iter().find(|known| known.alg == alg)
    }

    /// What to check: by which key of the set, the algorithm being known. `text` is what was read.
    pub fn check(
        &self,
        text: &str,
        algorithm: &'static Algorithm,
        keys: &Json,
    ) -> Result<Check, NoKey> {
        let signed = text.get(..self.signed).unwrap_or("");
        Ok(Check {
            alg: algorithm.alg,
            key: algorithm.key(keys, self.header.str("kid"))?,
            signed: Zeroizing::new(String::from(signed)),
            signature: self.signature.clone(),
        })
    }
}

/// A signature to be checked: whether `key` made `signature` over `signed`.
#[derive(Debug, PartialEq)]
pub struct Check {
    /// The algorithm's name in a header (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub alg: &'static str,
    /// A public key as the JSON text of a JWK.
    pub key: String,
    pub signed: Zeroizing<String>,
    pub signature: Vec<u8>,
}

/// Why there is no key to check with.
#[derive(Debug, PartialEq)]
pub enum NoKey {
    /// None in this set; a newer one may have it.
    Unknown,
    /// More than one would do, and nothing says which.
    Several,
    /// It is no set of keys (RFC 7517 section 5).
    NoSet,
}

/// A signature algorithm, and the only keys that are used with it: what a token's header says never decides of which
/// kind a key is (RFC 8725 section 3.1).
#[derive(Debug, PartialEq)]
pub struct Algorithm {
    alg: &'static str,
    kty: &'static str,
    crv: Option<&'static str>,
    /// The members of a public key; no other is passed on.
    members: &'static [&'static str],
}

const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        alg: "RS256",
        kty: "RSA",
        crv: None,
        members: &["n", "e"],
    },
    Algorithm {
        alg: "ES256",
        kty: "EC",
        crv: Some("P-256"),
        members: &["x", "y"],
    },
    ED25519,
    // The same under the name that says which curve (RFC 9864).
    Algorithm {
        alg: "Ed25519",
        ..ED25519
    },
];

const ED25519: Algorithm = Algorithm {
    alg: "EdDSA",
    kty: "OKP",
    crv: Some("Ed25519"),
    members: &["x"],
};

impl Algorithm {
    /// The key of a set (RFC 7517 section 5): that of the name, or the only one that fits where there is no name.
    fn key(&self, set: &Json, kid: Option<&str>) -> Result<String, NoKey> {
        let Some(Json::Array(keys)) = set.get("keys") else {
            return Err(NoKey::NoSet);
        };
        let mut fitting = keys.iter().filter(|key| self.fits(key, kid));
        let key = fitting.next().ok_or(NoKey::Unknown)?;
        match fitting.next() {
            Some(_) => Err(NoKey::Several),
            None => Ok(self.public(key)),
        }
    }

    fn fits(&self, key: &Json, kid: Option<&str>) -> bool {
        let said = |name| key.str(name);
        let operations = key.get("key_ops").map(Json::texts);
        said("kty") == Some(self.kty)
            && (self.crv.is_none() || said("crv") == self.crv)
            && said("use").is_none_or(|use_of| use_of == "sig")
            && operations.is_none_or(|all| all.iter().any(|one| one == "verify"))
            && said("alg").is_none_or(|alg| alg == self.alg || self.crv == ED25519.crv)
            && (kid.is_none() || said("kid") == kid)
            && self.members.iter().all(|name| said(name).is_some())
            && said("n").is_none_or(is_large)
    }

    fn public(&self, key: &Json) -> String {
        let mut out = Object::new();
        out.str("kty", self.kty).maybe("crv", self.crv);
        for name in self.members {
            out.maybe(name, key.str(name));
        }
        out.done().text()
    }
}

fn is_large(modulus: &str) -> bool {
    let bytes = decode(modulus).unwrap_or_default();
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.len() - leading >= MIN_MODULUS
}

/// The left half of a hash, by the hash that the algorithm uses (OpenID Connect Core section 3.1.3.6); `None` where it
/// is not known which.
pub fn half_hash(alg: &str, text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let half = match (alg, alg.get(2..)) {
        ("EdDSA" | "Ed25519", _) | (_, Some("512")) => base64url(Sha512::digest(bytes).get(..32)?),
        (_, Some("384")) => base64url(Sha384::digest(bytes).get(..24)?),
        (_, Some("256")) => base64url(Sha256::digest(bytes).get(..16)?),
        _ => return None,
    };
    Some(half)
}

fn object(part: &str) -> Option<Json> {
    let json = Json::parse(&Zeroizing::new(decode(part)?))?;
    matches!(json, Json::Object(_)).then_some(json)
}

/// Undoes [`base64url`]. What that would not have written is refused: padding, a letter too many, bits that stand for
/// nothing (RFC 4648 section 3.5).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut held, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    (bits < 6 && held == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString, vec};

    /// Puts a token together whose signature is a byte of no meaning.
    fn made(header: &str, payload: &str) -> String {
        let part = |text: &str| base64url(text.as_bytes());
        format!("{}.{}.AA", part(header), part(payload))
    }

    fn check(text: &str, keys: &str) -> Result<Check, NoKey> {
        let jws = Jws::read(text).expect("a signature");
        let algorithm = jws.algorithm().expect("an algorithm that can be checked");
        jws.check(
            text,
            algorithm,
            &Json::parse(keys.as_bytes()).expect("JSON"),
        )
    }

    #[test]
    fn what_is_decoded_is_what_was_encoded_and_nothing_else() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let text = base64url(&bytes[..length]);
            assert_eq!(decode(&text).as_deref(), Some(&bytes[..length]));
        }
        for text in [
            "A", "AAAAA", "AB", "AA=", "AA==", "A A", "AA+", "AA/", "é", "AAB",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    /// RFC 7515 appendix A.3: the header, the octets that are signed, the key and the signature.
    #[test]
    fn rfc7515_appendix_a_3() {
        let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let key = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}"#;
        let jws = Jws::read(text).expect("a signature");
        assert_eq!(jws.header.text(), r#"{"alg":"ES256"}"#);
        assert_eq!(jws.payload.str("iss"), Some("joe"));
        let check = check(text, key).expect("a key");
        assert_eq!(check.alg, "ES256");
        assert!(check.signed.ends_with(".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"));
        assert_eq!(check.signature[..4], [14, 209, 33, 83]);
        assert_eq!(check.signature[32..36], [197, 10, 7, 211]);
        assert_eq!(check.signature.len(), 64);
        assert_eq!(
            check.key,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            "the private member stays behind"
        );
    }

    /// RFC 8037 appendix A.4: a payload that is no JSON is no token.
    #[test]
    fn rfc8037_appendix_a_4() {
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let text = format!(
            "{signed}.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        let error = Jws::read(&text).expect_err("no JSON");
        assert!(error.starts_with("its payload"), "{error}");
        // The header and the key of appendix A.2 by themselves.
        let token = made(r#"{"alg":"EdDSA"}"#, "{}");
        let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let check = check(&token, keys).expect("a key");
        assert_eq!(
            (check.alg, &*check.key),
            (
                "EdDSA",
                r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
            )
        );
    }

    /// RFC 7520 section 3.3 has an RSA key of 2048 bits; one of 2047 is too small.
    #[test]
    fn a_small_rsa_key_is_no_key() {
        let token = made(r#"{"alg":"RS256"}"#, "{}");
        let keys = |modulus: &[u8]| {
            let n = base64url(modulus);
            format!(r#"{{"keys":[{{"kty":"RSA","n":"{n}","e":"AQAB"}}]}}"#)
        };
        assert!(check(&token, &keys(&[0x9f; 256])).is_ok());
        let other = keys(&[0x9f; 256]).replace("RSA", "EC");
        assert_eq!(check(&token, &other), Err(NoKey::Unknown));
        for small in [vec![0x9f; 255], [&[0], &[0x9f; 255][..]].concat(), vec![]] {
            assert_eq!(check(&token, &keys(&small)), Err(NoKey::Unknown));
        }
    }

    #[test]
    fn what_is_no_signed_object_names_the_rule() {
        let jwe = "a.b.c.d.e";
        for (text, rule) in [
            ("", "is no signature"),
            ("e30.e30", "is no signature"),
            (jwe, "is no signature"),
            ("e30=.e30.AA", "its header"),
            (&made("[]", "{}"), "its header"),
            (&made(r#"{"alg":"RS256","alg":"none"}"#, "{}"), "its header"),
            (&made("{}", "{}"), "alg: is missing"),
            (&made(r#"{"alg":1}"#, "{}"), "alg: is missing"),
            (&made(r#"{"alg":""}"#, "{}"), "alg: is missing"),
            (&made(r#"{"alg":"none"}"#, "{}"), "alg: is none"),
            (&made(r#"{"alg":"nOnE"}"#, "{}"), "alg: is none"),
            (&made(r#"{"alg":"RS256","crit":["exp"]}"#, "{}"), "crit"),
            (&made(r#"{"alg":"RS256","crit":null}"#, "{}"), "crit"),
            (&made(r#"{"alg":"RS256","typ":"at+JWT"}"#, "{}"), "typ"),
            (&made(r#"{"alg":"RS256"}"#, "[]"), "its payload"),
            (
                &made(r#"{"alg":"RS256"}"#, r#"{"sub":"a","sub":"b"}"#),
                "its payload",
            ),
            (
                &format!("{}!", made(r#"{"alg":"RS256"}"#, "{}")),
                "its signature",
            ),
        ] {
            let error = Jws::read(text).expect_err(text);
            assert!(error.starts_with(rule), "{text}: {error}");
        }
    }

    /// Alg confusion and kid games: the algorithm decides which kind of key fits, and the header brings none along.
    #[test]
    fn only_a_key_of_the_set_that_fits_the_algorithm_is_used() {
        let ec = r#"{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a"}"#;
        let ed = r#"{"kty":"OKP","crv":"Ed25519","x":"x","kid":"a","alg":"Ed25519"}"#;
        let secret = r#"{"kty":"oct","k":"c2VjcmV0","kid":"a"}"#;
        let set = |keys: &[&str]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let chosen =
            |header: &str, keys: &[&str]| check(&made(header, "{}"), &set(keys)).map(|c| c.key);
        let plain = Ok(r#"{"kty":"EC","crv":"P-256","x":"x","y":"y"}"#.to_string());
        let es = r#"{"alg":"ES256","kid":"a"}"#;
        assert_eq!(chosen(es, &[ed, secret, ec]), plain);
        assert!(chosen(r#"{"alg":"EdDSA","kid":"a"}"#, &[ed, ec]).is_ok());
        assert!(chosen(r#"{"alg":"Ed25519","kid":"a"}"#, &[ed, ec]).is_ok());
        assert_eq!(
            chosen(r#"{"alg":"ES256"}"#, &[ec, ed]),
            plain,
            "the only one that fits"
        );
        for (header, keys) in [
            (r#"{"alg":"RS256","kid":"a"}"#, &[ec][..]),
            (r#"{"alg":"ES256","kid":"b"}"#, &[ec]),
            (r#"{"alg":"ES256","kid":"../a"}"#, &[ec]),
            (
                r#"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"z","y":"z"}}"#,
                &[ed],
            ),
            (
                es,
                &[r#"{"kty":"EC","crv":"P-384","x":"x","y":"y","kid":"a"}"#],
            ),
            (
                es,
                &[r#"{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a","use":"enc"}"#],
            ),
            (
                es,
                &[r#"{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a","key_ops":["sign"]}"#],
            ),
            (
                es,
                &[r#"{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a","alg":"ES512"}"#],
            ),
            (es, &[r#"{"kty":"EC","crv":"P-256","x":"x","kid":"a"}"#]),
            (es, &["1", "null", "[]"]),
        ] {
            assert_eq!(
                chosen(header, keys),
                Err(NoKey::Unknown),
                "{header} {keys:?}"
            );
        }
        assert_eq!(chosen(r#"{"alg":"ES256"}"#, &[ec, ec]), Err(NoKey::Several));
        assert_eq!(check(&made(es, "{}"), "{}"), Err(NoKey::NoSet));
        for alg in ["HS256", "RS512", "PS256", "rs256", " "] {
            let text = made(&format!(r#"{{"alg":"{alg}"}}"#), "{}");
            assert_eq!(
                Jws::read(&text).map(|jws| jws.algorithm()),
                Ok(None),
                "{alg}"
            );
        }
    }

    /// OpenID Connect Core appendix A.4 and A.6 for RS256; the other hashes by their own vectors.
    #[test]
    fn openid_connect_core_appendix_a_hashes() {
        let hash = |alg, text| half_hash(alg, text).expect("a hash");
        assert_eq!(
            hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        assert_eq!(
            hash(
                "RS256",
                "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"
            ),
            "LDktKdoQak3Pk0cnXxCltA"
        );
        // FIPS 180: SHA-384 and SHA-512 of "abc".
        let octets = |text: &str| decode(text).expect("base64url");
        let sha384 = octets(&hash("ES384", "abc"));
        assert_eq!(
            (sha384.len(), &sha384[..4]),
            (24, &[0xcb, 0x00, 0x75, 0x3f][..])
        );
        for alg in ["RS512", "EdDSA", "Ed25519"] {
            let sha512 = octets(&hash(alg, "abc"));
            assert_eq!(
                (sha512.len(), &sha512[..4]),
                (32, &[0xdd, 0xaf, 0x35, 0xa1][..])
            );
        }
        assert_eq!(half_hash("ES256K", "abc"), None);
        assert_eq!(half_hash("x", "abc"), None);
    }
}
