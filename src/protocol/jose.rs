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
    /// The one that is meant cannot be used; this says why.
    Unusable(&'static str),
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
    /// The curve and the bytes of a coordinate; of RSA nothing and 0.
    crv: Option<&'static str>,
    bytes: usize,
    /// The members of a public key; no other is passed on.
    members: &'static [&'static str],
}

const fn rsa(alg: &'static str) -> Algorithm {
    Algorithm {
        alg,
        kty: "RSA",
        crv: None,
        bytes: 0,
        members: &["n", "e"],
    }
}

const fn ecdsa(alg: &'static str, crv: &'static str, bytes: usize) -> Algorithm {
    Algorithm {
        alg,
        kty: "EC",
        crv: Some(crv),
        bytes,
        members: &["x", "y"],
    }
}

const fn eddsa(alg: &'static str) -> Algorithm {
    Algorithm {
        alg,
        kty: "OKP",
        crv: Some("Ed25519"),
        bytes: 32,
        members: &["x"],
    }
}

/// Those that browsers check (RFC 7518 section 3.1, RFC 8037 section 3.1); `src/browser/crypto.js` has the same.
const ALGORITHMS: &[Algorithm] = &[
    rsa("RS256"),
    rsa("RS384"),
    rsa("RS512"),
    rsa("PS256"),
    rsa("PS384"),
    rsa("PS512"),
    ecdsa("ES256", "P-256", 32),
    ecdsa("ES384", "P-384", 48),
    ecdsa("ES512", "P-521", 66),
    eddsa("EdDSA"),
    // The same under the name that says which curve (RFC 9864).
    eddsa("Ed25519"),
];

/// Whether ID Tokens that are signed so can be checked.
pub fn is_known(alg: &str) -> bool {
    ALGORITHMS.iter().any(|known| known.alg == alg)
}

/// What is to be said of one key of a set.
enum Judged {
    Usable(String),
    /// It is meant, and breaks a rule.
    Unusable(&'static str),
    Another,
}

impl Algorithm {
    /// The key of a set (RFC 7517 section 5): that of the name, or the only one that fits where there is no name. What
    /// cannot be read is passed over; a key that stands twice is one.
    fn key(&self, set: &Json, kid: Option<&str>) -> Result<String, NoKey> {
        let Some(Json::Array(keys)) = set.get("keys") else {
            return Err(NoKey::NoSet);
        };
        let mut found = None;
        let mut why = NoKey::Unknown;
        for key in keys {
            match self.judge(key, kid) {
                Judged::Usable(key) if found.as_ref().is_some_and(|one| *one != key) => {
                    return Err(NoKey::Several);
                }
                Judged::Usable(key) => found = Some(key),
                Judged::Unusable(rule) if why == NoKey::Unknown => why = NoKey::Unusable(rule),
                _ => {}
            }
        }
        found.ok_or(why)
    }

    fn judge(&self, key: &Json, kid: Option<&str>) -> Judged {
        let said = |name| key.str(name);
        let operations = key.get("key_ops").map(Json::texts);
        let verifies = operations.is_none_or(|all| all.iter().any(|one| one == "verify"));
        let is_eddsa = self.kty == "OKP";
        if kid.is_some() && said("kid") != kid {
            return Judged::Another;
        }
        let rule =
            if said("kty") != Some(self.kty) || (self.crv.is_some() && said("crv") != self.crv) {
                "kid: the server's key of this name is of another kind than alg needs"
            } else if said("use").is_some_and(|use_of| use_of != "sig") || !verifies {
                "kid: the server's key of this name is not for signatures"
            } else if said("alg").is_some_and(|alg| alg != self.alg && !is_eddsa) {
                "kid: the server's key of this name is for another alg"
            } else {
                return match self.public(key) {
                    Ok(key) => Judged::Usable(key),
                    Err(rule) => Judged::Unusable(rule),
                };
            };
        match kid {
            Some(_) => Judged::Unusable(rule),
            None => Judged::Another,
        }
    }

    /// The public key as browsers read it: no padding, no leading zeros of a number, all of those of a coordinate
    /// (RFC 7518 section 6). `Err` says what is wrong with it.
    fn public(&self, key: &Json) -> Result<String, &'static str> {
        let mut out = Object::new();
        out.str("kty", self.kty).maybe("crv", self.crv);
        for name in self.members {
            let bytes = key.str(name).and_then(decode_leniently);
            let mut bytes =
                bytes.ok_or("kid: the server's key has a member that cannot be read")?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            match self.kty {
                "RSA" => drop(bytes.drain(..zeros)),
                "EC" => {
                    let missing = self.bytes.saturating_sub(bytes.len());
                    bytes.splice(0..0, core::iter::repeat_n(0, missing));
                }
                _ => {}
            }
            if *name == "n" && bytes.len() < MIN_MODULUS {
                return Err(
                    "kid: the server's RSA key has less than 2048 bits (RFC 7518 section 3.3)",
                );
            }
            if self.bytes > 0 && bytes.len() != self.bytes {
                return Err("kid: the server's key is not on the curve that it names");
            }
            out.str(name, &base64url(&bytes));
        }
        Ok(out.done().text())
    }
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

/// The same as some servers write it: with padding, or with the letters of plain base64.
fn decode_leniently(text: &str) -> Option<Vec<u8>> {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '=' => {}
            '+' => plain.push('-'),
            '/' => plain.push('_'),
            letter => plain.push(letter),
        }
    }
    decode(&plain).filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, vec};

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
        for (small, rule) in [
            (vec![0x9f; 255], "less than 2048 bits"),
            ([&[0], &[0x9f; 255][..]].concat(), "less than 2048 bits"),
            (vec![], "cannot be read"),
        ] {
            let Err(NoKey::Unusable(why)) = check(&token, &keys(&small)) else {
                panic!("{rule}");
            };
            assert!(why.contains(rule), "{why}");
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
        let x = base64url(&[7; 32]);
        let ec = |more: &str| {
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}","kid":"a"{more}}}"#)
        };
        let (ec, enc) = (&*ec(""), ec(r#","use":"enc""#));
        let (sign, es512) = (
            ec.replace("}", r#","key_ops":["sign"]}"#),
            ec.replace("}", r#","alg":"ES512"}"#),
        );
        let (p384, halved) = (ec.replace("P-256", "P-384"), ec.replace(r#""y""#, r#""z""#));
        let ed =
            &*format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"a","alg":"Ed25519"}}"#);
        let secret = r#"{"kty":"oct","k":"c2VjcmV0","kid":"a"}"#;
        let set = |keys: &[&str]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let chosen =
            |header: &str, keys: &[&str]| check(&made(header, "{}"), &set(keys)).map(|c| c.key);
        let plain = Ok(format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#
        ));
        let es = r#"{"alg":"ES256","kid":"a"}"#;
        assert_eq!(chosen(es, &[ed, secret, ec]), plain);
        assert!(chosen(r#"{"alg":"EdDSA","kid":"a"}"#, &[ed, ec]).is_ok());
        assert!(chosen(r#"{"alg":"Ed25519","kid":"a"}"#, &[ed, ec]).is_ok());
        assert_eq!(
            chosen(r#"{"alg":"ES256"}"#, &[ec, ed]),
            plain,
            "the only one that fits"
        );
        for (header, keys, rule) in [
            (r#"{"alg":"RS256","kid":"a"}"#, &[ec][..], "another kind"),
            (r#"{"alg":"ES256","kid":"b"}"#, &[ec], ""),
            (r#"{"alg":"ES256","kid":"../a"}"#, &[ec], ""),
            (
                r#"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"z","y":"z"}}"#,
                &[ed],
                "",
            ),
            (es, &[&p384], "another kind"),
            (es, &[&enc], "not for signatures"),
            (es, &[&sign], "not for signatures"),
            (es, &[&es512], "another alg"),
            (es, &[&halved], "cannot be read"),
            (es, &["1", "null", "[]"], ""),
        ] {
            match chosen(header, keys) {
                Err(NoKey::Unknown) => assert_eq!(rule, "", "{header} {keys:?}"),
                Err(NoKey::Unusable(why)) => {
                    assert!(why.contains(rule) && !rule.is_empty(), "{why}");
                    assert!(why.starts_with("kid: "), "{why}");
                }
                other => panic!("{header} {keys:?} {other:?}"),
            }
        }
        let other = ec.replace(&x, &base64url(&[8; 32]));
        assert_eq!(
            chosen(r#"{"alg":"ES256"}"#, &[ec, &other]),
            Err(NoKey::Several)
        );
        assert_eq!(chosen(es, &[ec, &other]), Err(NoKey::Several));
        assert_eq!(check(&made(es, "{}"), "{}"), Err(NoKey::NoSet));
        for alg in ["HS256", "RS1", "ES256K", "Ed448", "rs256", " "] {
            let text = made(&format!(r#"{{"alg":"{alg}"}}"#), "{}");
            assert_eq!(
                Jws::read(&text).map(|jws| jws.algorithm()),
                Ok(None),
                "{alg}"
            );
        }
    }

    #[test]
    fn a_set_with_one_bad_key_serves_with_the_others() {
        let n = base64url(&[0x9f; 256]);
        let good = format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"a"}}"#);
        let want = format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#);
        let token = made(r#"{"alg":"RS256","kid":"a"}"#, "{}");
        let plain = n.replace('-', "+").replace('_', "/");
        let padded = format!(r#"{{"kty":"RSA","n":"{plain}==","e":"AQAB","kid":"a"}}"#);
        let zero = base64url(&[&[0], &[0x9f; 256][..]].concat());
        let zero = format!(r#"{{"kty":"RSA","n":"{zero}","e":"AAEAAQ","kid":"a"}}"#);
        for keys in [
            good.clone(),
            padded.clone(),
            zero.clone(),
            format!("{good},{good}"),
            format!("{good},{padded},{zero}"),
            format!(r#"{{"kty":"RSA","n":"!","e":"AQAB","kid":"a"}},{good}"#),
            format!(r#"null,7,{{"kty":7}},{{"kty":"RSA","kid":"a"}},{good}"#),
            format!(r#"{{"kty":"RSA","n":"AQAB","e":"AQAB"}},{good}"#),
        ] {
            let check = check(&token, &format!(r#"{{"keys":[{keys}]}}"#)).expect(&keys);
            assert_eq!(check.key, want, "{keys}");
        }
        // A coordinate whose leading zeros were left out.
        let short = base64url(&[7; 31]);
        let whole = base64url(&[&[0], &[7; 31][..]].concat());
        let key =
            format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{short}","y":"{whole}"}}]}}"#);
        let check = check(&made(r#"{"alg":"ES256"}"#, "{}"), &key).expect("a key");
        assert_eq!(
            check.key,
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{whole}","y":"{whole}"}}"#)
        );
    }

    #[test]
    fn every_algorithm_that_browsers_check_has_its_kind_of_key() {
        let rsa = format!(
            r#""kty":"RSA","n":"{}","e":"AQAB""#,
            base64url(&[0x9f; 256])
        );
        let ec = |crv: &str, bytes: usize| {
            let x = base64url(&vec![7; bytes]);
            format!(r#""kty":"EC","crv":"{crv}","x":"{x}","y":"{x}""#)
        };
        let ed = format!(
            r#""kty":"OKP","crv":"Ed25519","x":"{}""#,
            base64url(&[7; 32])
        );
        let all = [
            ("RS256", rsa.clone()),
            ("RS384", rsa.clone()),
            ("RS512", rsa.clone()),
            ("PS256", rsa.clone()),
            ("PS384", rsa.clone()),
            ("PS512", rsa),
            ("ES256", ec("P-256", 32)),
            ("ES384", ec("P-384", 48)),
            ("ES512", ec("P-521", 66)),
            ("EdDSA", ed.clone()),
            ("Ed25519", ed),
        ];
        for (alg, _) in &all {
            assert!(is_known(alg));
            let token = made(&format!(r#"{{"alg":"{alg}"}}"#), "{}");
            for (other, key) in &all {
                let keys = format!(r#"{{"keys":[{{{key}}}]}}"#);
                let same =
                    alg.get(1..2) == other.get(1..2) && (!alg.starts_with("ES") || alg == other);
                let rsa = |alg: &str| alg.starts_with("RS") || alg.starts_with("PS");
                let fits = same && rsa(alg) == rsa(other)
                    || (alg.starts_with("Ed") && other.starts_with("Ed"));
                assert_eq!(check(&token, &keys).is_ok(), fits, "{alg} {other}");
            }
        }
        assert_eq!(all.len(), ALGORITHMS.len());
        let script = include_str!("../browser/crypto.js");
        for (alg, _) in &all {
            assert!(script.contains(&format!("\n  {alg}: ")), "{alg}");
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
