//! The ID Token, by which a provider says who has logged in (OpenID Connect Core 1.0), and the claims that its userinfo
//! endpoint adds.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::client::Client;
use super::error::{Error, ErrorCode};
use super::jose::{self, Jws, NoKey};
use super::json::{self, Json};
use super::secret::{CodeVerifier, IdToken};
use super::{Seconds, text};

/// How wrong the device's clock may be where the ID Token came from the token endpoint: over TLS, in answer to our own
/// request, with the `nonce` of this login. Its times say nothing more then, and a clock that is set to the wrong time
/// zone, which is the usual mistake, must lock nobody out. The widest zones are 26 hours apart.
const DIRECT: Seconds = 26 * 3600;

/// The same where it came through the address bar.
const INDIRECT: Seconds = 300;

/// Between two clocks of the provider's own.
const SKEW: Seconds = 60;

/// Claims that are of use to the library only.
const OWN_CLAIMS: &[&str] = &["nonce", "at_hash", "c_hash", "s_hash"];

/// Claims that say how the user has logged in, of which the userinfo endpoint knows nothing.
const LOGIN_CLAIMS: &[&str] = &["iss", "aud", "azp", "exp", "iat", "auth_time", "acr", "amr"];

/// Which way an ID Token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// From the token endpoint, whose server TLS has shown to be the right one (section 3.1.3.7).
    Direct,
    /// Through the address bar, where anybody may have written it: its signature is checked always, and it must say
    /// to which access token it belongs (section 3.2.2.9).
    Indirect,
}

/// Whom an ID Token has to be about.
#[derive(Clone, Debug)]
pub enum About {
    /// Whoever has answered the login with this `nonce`.
    Login { nonce: String },
    /// The user that these claims are about (section 12.2).
    Renewal { claims: Json },
}

impl About {
    /// Whom the ID Token of a login has to be about, where there is to be one.
    pub fn login(client: &Client, code_verifier: &CodeVerifier) -> Option<About> {
        client.has_id_token().then(|| About::Login {
            nonce: code_verifier.nonce(),
        })
    }
}

/// An ID Token as it came with an access token: not believed before it is checked.
#[derive(Debug)]
pub struct Unchecked {
    pub token: IdToken,
    pub channel: Channel,
    pub about: About,
}

/// What the configuration says of ID Tokens.
pub struct Rules<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Other audiences that the caller trusts (section 3.1.3.7, as of errata set 2).
    pub trusted: &'a [String],
    /// `max_age` of the authorization request (section 3.1.2.1).
    pub max_age: Option<Seconds>,
}

impl<'a> Rules<'a> {
    /// Those of a client.
    pub fn of(client: &'a Client) -> Self {
        let mut parameters = client.authorization_parameters().iter();
        let max_age = parameters.find(|(name, _)| name == "max_age");
        Rules {
            issuer: client.issuer().unwrap_or(""),
            client_id: client.client_id(),
            trusted: client.trusted_audiences(),
            max_age: max_age.map(|(_, text)| {
                let seconds = json::whole(text).and_then(|seconds| seconds.try_into().ok());
                seconds.unwrap_or(Seconds::MAX)
            }),
        }
    }
}

impl Unchecked {
    /// Reads the token and checks everything but its signature (sections 3.1.3.7, 3.1.3.8, 3.2.2.9 and 12.2). `now` is
    /// the wall clock; `access_token` came with it.
    pub fn read(&self, rules: &Rules, access_token: &str, now: Seconds) -> Result<Jws, Error> {
        let jws = Jws::read(self.token.expose());
        let jws = jws.map_err(|rule| ErrorCode::InvalidIdToken.at(rule))?;
        let claims = &jws.payload;
        let broken = broken_claim(claims, rules)
            .or_else(|| self.wrong_time(claims, rules.max_age, now))
            .or_else(|| self.wrong_user(claims))
            .or_else(|| self.wrong_hash(&jws, access_token));
        match broken {
            Some((rule, section)) => Err(invalid(rule, section)),
            None => Ok(jws),
        }
    }

    fn wrong_time(&self, claims: &Json, max_age: Option<Seconds>, now: Seconds) -> Option<Broken> {
        let section = "3.1.3.7";
        let leeway = match self.channel {
            Channel::Direct => DIRECT,
            Channel::Indirect => INDIRECT,
        };
        let Some(exp) = date(claims, "exp") else {
            return Some(("exp: is missing or no time", section));
        };
        let Some(iat) = date(claims, "iat") else {
            return Some(("iat: is missing or no time", section));
        };
        if exp <= iat {
            return Some(("exp: is before iat", section));
        }
        if exp.saturating_add(leeway) <= now {
            return Some(("exp: is over, by this device's clock", section));
        }
        if iat > now.saturating_add(leeway) {
            return Some(("iat: is yet to come, by this device's clock", section));
        }
        if let Some(max_age) = max_age {
            // By the provider's own clock, for it was made just now: no other clock is asked.
            let Some(auth_time) = date(claims, "auth_time") else {
                return Some(("auth_time: is missing, and max_age was asked for", section));
            };
            if iat.saturating_sub(auth_time) > max_age.saturating_add(SKEW) {
                return Some(("auth_time: is longer ago than max_age", section));
            }
        }
        None
    }

    fn wrong_user(&self, claims: &Json) -> Option<Broken> {
        match &self.about {
            About::Login { nonce } => (claims.str("nonce") != Some(nonce))
                .then_some(("nonce: is not the one of this login", "3.1.3.7")),
            About::Renewal { claims: old } => {
                // `auth_time` may be later: some providers have the user log in again behind their own session.
                let same = |name| claims.get(name) == old.get(name);
                let same_or_none = |name| claims.get(name).is_none() || same(name);
                let rule = if !same("iss") || !same("sub") {
                    "sub: is another user than the one who logged in"
                } else if audience(claims) != audience(old) {
                    "aud: is not that of the login"
                } else if !same_or_none("nonce") {
                    "nonce: is not that of the login"
                } else {
                    return None;
                };
                Some((rule, "12.2"))
            }
        }
    }

    fn wrong_hash(&self, jws: &Jws, access_token: &str) -> Option<Broken> {
        let said = jws.payload.get("at_hash");
        let needed = self.channel == Channel::Indirect;
        match (said, jose::half_hash(jws.alg(), access_token)) {
            (None, _) if needed => Some(("at_hash: is missing", "3.2.2.10")),
            // Nobody knows which hash belongs to an algorithm that nobody has registered.
            (None, _) => None,
            (Some(_), None) if !needed => None,
            (Some(said), Some(hash)) if said.as_str() == Some(&hash) => None,
            _ => Some(("at_hash: is not that of the access token", "3.1.3.8")),
        }
    }
}

const UNTRUSTED: &str = "azp: is missing, and aud names others that trustedAudiences does not";

/// A rule that is broken, and its section.
type Broken = (&'static str, &'static str);

fn broken_claim(claims: &Json, rules: &Rules) -> Option<Broken> {
    let client_id = Some(rules.client_id);
    let audience = audience(claims);
    if claims.str("iss") != Some(rules.issuer) {
        return Some(("iss: is not the issuer that was asked", "3.1.3.7"));
    }
    let is_name = |sub: &str| !sub.is_empty() && sub.len() <= 255 && sub.is_ascii();
    if !claims.str("sub").is_some_and(is_name) {
        return Some(("sub: is missing, or no text of up to 255 letters", "2"));
    }
    if !audience.iter().any(|one| client_id == Some(one)) {
        return Some(("aud: is not this client", "3.1.3.7"));
    }
    let azp = claims.get("azp");
    let is_trusted = |one: &String| client_id == Some(one) || rules.trusted.contains(one);
    if azp.is_none() && !audience.iter().all(is_trusted) {
        return Some((UNTRUSTED, "3.1.3.7"));
    }
    if azp.is_some() && claims.str("azp") != client_id {
        return Some(("azp: is not this client", "3.1.3.7"));
    }
    None
}

/// `aud` is a text or a list of them; nothing that is neither. Sorted, each once.
fn audience(claims: &Json) -> Vec<String> {
    let mut audience = match claims.get("aud") {
        Some(Json::String(one)) => vec![one.clone()],
        Some(list @ Json::Array(items)) if items.iter().all(|item| item.as_str().is_some()) => {
            list.texts()
        }
        _ => Vec::new(),
    };
    // By hand: there are two of them at most, and the library's sort is built for long lists.
    for end in (1..audience.len()).rev() {
        for at in 0..end {
            if audience.get(at) > audience.get(at + 1) {
                audience.swap(at, at + 1);
            }
        }
    }
    audience.dedup();
    audience
}

/// A NumericDate (RFC 7519 section 2); one beyond 2106 is the end of 2106.
fn date(claims: &Json, name: &str) -> Option<Seconds> {
    let Some(Json::Number(number)) = claims.get(name) else {
        return None;
    };
    Some(json::whole(number)?.try_into().unwrap_or(Seconds::MAX))
}

/// Whether signatures by this algorithm can be checked.
pub fn can_check(alg: &str) -> bool {
    jose::is_known(alg)
}

/// What an ID Token breaks of OpenID Connect Core.
pub fn invalid(rule: &str, section: &str) -> Error {
    let detail = text::concat(&[rule, " (OpenID Connect Core section ", section, ")"]);
    let error = ErrorCode::InvalidIdToken.at(&detail);
    let (claim, _) = text::cut(rule, ":").unwrap_or((rule, ""));
    match claim {
        "exp" | "iat" => error.cured_by("Set the device's clock, or report it to the provider"),
        "alg" => error.cured_by("Have the provider sign ID Tokens by RS256 or ES256"),
        "kid" | "its signature is wrong" => {
            error.cured_by("Check jwksUri, or report it to the provider")
        }
        _ if rule == UNTRUSTED => error
            .cured_by("Name the other audiences in trustedAudiences, if they may know the user"),
        "iss" | "aud" | "azp" => error,
        "nonce" | "sub" | "auth_time" => error.cured_by("Call startLogin again"),
        _ => error.cured_by("Report it to the provider"),
    }
}

/// Why the signature cannot be checked (section 10.1).
pub fn no_key(why: NoKey) -> Error {
    let rule = match why {
        NoKey::NoSet => return ErrorCode::InvalidKeys.at("keys: is no list (RFC 7517 section 5)"),
        NoKey::Several => "kid: several of the server's keys fit",
        NoKey::Unknown => "kid: none of the server's keys fits",
        NoKey::Unusable(rule) => rule,
    };
    invalid(rule, "10.1")
}

/// What a page may know of the claims.
pub fn shown(claims: &Json) -> Json {
    let mut claims = claims.clone();
    for name in OWN_CLAIMS {
        claims.take(name);
    }
    claims
}

/// What the userinfo endpoint says, and what only the claims say; it must be about the same user (section 5.3.4).
pub fn join(claims: &Json, status: u16, content_type: &str, body: &[u8]) -> Result<Json, Error> {
    let invalid = |rule| Err(ErrorCode::InvalidUserinfo.at(rule));
    let essence = text::cut(content_type, ";").map_or(content_type, |(essence, _)| essence);
    if status == 200 && essence.trim_ascii().eq_ignore_ascii_case("application/jwt") {
        return invalid("it is signed or encrypted, which this client does not read");
    }
    let Some(mut info @ Json::Object(_)) = Json::parse(body).filter(|_| status == 200) else {
        return invalid("it is no JSON object (OpenID Connect Core section 5.3.2)");
    };
    if info.str("sub").is_none() || info.str("sub") != claims.str("sub") {
        return invalid("sub: is not the user who logged in (OpenID Connect Core section 5.3.4)");
    }
    for name in LOGIN_CLAIMS {
        info.take(name);
    }
    info.fill(shown(claims));
    info.keep_exact();
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::super::pkce::base64url;
    use super::*;
    use std::{format, string::ToString};

    const NOW: Seconds = 1_700_000_000;
    const RULES: Rules = Rules {
        issuer: "https://as.example",
        client_id: "c1",
        trusted: &[],
        max_age: None,
    };

    /// A token with these claims in the place of good ones; `null` takes one away.
    fn token(header: &str, claims: &str) -> String {
        let mut all = Json::parse(claims.as_bytes()).expect("JSON");
        let good = format!(
            r#"{{"iss":"https://as.example","sub":"u1","aud":"c1","exp":{},"iat":{NOW},"nonce":"n1"}}"#,
            NOW + 600
        );
        let removed: Vec<String> = match &all {
            Json::Object(members) => members
                .iter()
                .filter(|(_, value)| *value == Json::Null)
                .map(|(name, _)| name.clone())
                .collect(),
            _ => Vec::new(),
        };
        all.fill(Json::parse(good.as_bytes()).expect("JSON"));
        for name in removed {
            all.take(&name);
        }
        let part = |text: &str| base64url(text.as_bytes());
        format!("{}.{}.AA", part(header), part(&all.text()))
    }

    fn unchecked(text: String, channel: Channel, about: About) -> Unchecked {
        Unchecked {
            token: IdToken::new(text),
            channel,
            about,
        }
    }

    fn login() -> About {
        About::Login {
            nonce: "n1".to_string(),
        }
    }

    fn direct(claims: &str) -> Result<Jws, String> {
        let token = token(r#"{"alg":"RS256"}"#, claims);
        let read = unchecked(token, Channel::Direct, login()).read(&RULES, "a", NOW);
        read.map_err(|error| {
            assert_eq!(error.code, ErrorCode::InvalidIdToken);
            error.detail.clone()
        })
    }

    /// OpenID Connect Core appendix A.3: an ID Token of the implicit flow, and the access token beside it.
    #[test]
    fn openid_connect_core_appendix_a_3() {
        let text = "eyJraWQiOiIxZTlnZGs3IiwiYWxnIjoiUlMyNTYifQ.ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiwKICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAiYXRfaGFzaCI6ICI3N1FtVVB0alBmeld0RjJBbnBLOVJRIgp9.F9gRev0Dt2tKcrBkHy72cmRqnLdzw9FLCCSebV7mWs7o_sv2O5s6zMky2kmhHTVx9HmdvNnx9GaZ8XMYRFeYk8L5NZ7aYlA5W56nsG1iWOou_-gji0ibWIuuf4Owaho3YSoi7EvsTuLFz6tq-dLyz0dKABMDsiCmJ5wqkPUDTE3QTXjzbUmOzUDli-gCh5QPuZAq0cNW3pf_2n4zpvTYtbmj12cVcxGIMZby7TMWESRjQ9_o3jvhVNcCGcE0KAQXejhA1ocJhNEvQNqMFGlBb6_0RxxKjDZ-Oa329eGDidOvvp0h5hoES4a8IuGKS7NOcpp-aFwp0qVMDLI-Xnm-Pg";
        let rules = Rules {
            issuer: "http://server.example.com",
            client_id: "s6BhdRkqt3",
            trusted: &[],
            max_age: None,
        };
        let about = || About::Login {
            nonce: "n-0S6_WzA2Mj".to_string(),
        };
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let read = |access_token, now| {
            let unchecked = unchecked(text.to_string(), Channel::Indirect, about());
            unchecked.read(&rules, access_token, now)
        };
        let jws = read(access_token, 1_311_281_000).expect("the example is valid");
        assert_eq!(jws.header.str("kid"), Some("1e9gdk7"));
        assert_eq!(jws.payload.str("sub"), Some("248289761001"));
        assert!(jws.algorithm().is_some());
        let other = read("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Z", 1_311_281_000);
        let detail = other.expect_err("another token").detail.clone();
        assert_eq!(
            detail,
            "at_hash: is not that of the access token (OpenID Connect Core section 3.1.3.8)"
        );
        assert!(
            read(access_token, 1_311_282_269).is_ok(),
            "five minutes late"
        );
        assert!(read(access_token, 1_311_282_270).is_err());
    }

    #[test]
    fn a_token_for_somebody_else_is_refused_by_the_claim_that_says_so() {
        for claims in [
            "{}",
            r#"{"aud":["c1"]}"#,
            r#"{"aud":["c1","c1"]}"#,
            r#"{"aud":["c0","c1"],"azp":"c1"}"#,
            r#"{"azp":"c1"}"#,
            r#"{"auth_time":1,"acr":"0","x":[1]}"#,
            r#"{"exp":99999999999}"#,
            r#"{"iat":1699999999.75}"#,
            r#"{"iat":1.7E9}"#,
            r#"{"iat":1.699999999e+9,"exp":1.7000006e9,"auth_time":17e8}"#,
        ] {
            direct(claims).expect(claims);
        }
        for (claims, rule) in [
            (r#"{"iss":null}"#, "iss: is not the issuer that was asked"),
            (r#"{"iss":"https://as.example/"}"#, "iss"),
            (r#"{"iss":"https://AS.example"}"#, "iss"),
            (r#"{"iss":["https://as.example"]}"#, "iss"),
            (r#"{"sub":null}"#, "sub"),
            (r#"{"sub":""}"#, "sub"),
            (r#"{"sub":7}"#, "sub"),
            (r#"{"sub":"é"}"#, "sub"),
            (r#"{"aud":null}"#, "aud: is not this client"),
            (r#"{"aud":"c1 "}"#, "aud"),
            (r#"{"aud":[]}"#, "aud"),
            (r#"{"aud":["c1",7],"azp":"c1"}"#, "aud"),
            (r#"{"aud":{"c1":"c1"}}"#, "aud"),
            (r#"{"aud":["c1","c2"]}"#, "azp: is missing"),
            (
                r#"{"aud":["c1","https://idp.example/","c2"]}"#,
                "azp: is missing",
            ),
            (
                r#"{"aud":["https://idp.example/"]}"#,
                "aud: is not this client",
            ),
            (
                r#"{"aud":["c1","c2"],"azp":"c2"}"#,
                "azp: is not this client",
            ),
            (r#"{"azp":"c2"}"#, "azp"),
            (r#"{"azp":["c1"]}"#, "azp"),
            (r#"{"nonce":null}"#, "nonce: is not the one of this login"),
            (r#"{"nonce":"n2"}"#, "nonce"),
            (r#"{"nonce":["n1"]}"#, "nonce"),
            (r#"{"exp":null}"#, "exp: is missing"),
            (r#"{"exp":"1700000600"}"#, "exp: is missing"),
            (r#"{"exp":-1}"#, "exp: is missing"),
            (r#"{"exp":-1.7e9}"#, "exp: is missing"),
            (r#"{"exp":1.7e9}"#, "exp: is before iat"),
            (r#"{"exp":1.8}"#, "exp: is before iat"),
            (r#"{"exp":1700000000}"#, "exp: is before iat"),
            (r#"{"iat":null}"#, "iat"),
            (r#"{"at_hash":"AAAA"}"#, "at_hash"),
            (r#"{"at_hash":7}"#, "at_hash"),
        ] {
            let error = direct(claims).expect_err(claims);
            assert!(error.starts_with(rule), "{claims}: {error}");
            assert!(error.contains(" (OpenID Connect Core section "), "{error}");
        }
        let long = "u".repeat(256);
        assert!(direct(&format!(r#"{{"sub":"{long}"}}"#)).is_err());
    }

    /// Oracle names itself beside the client, without `azp`.
    #[test]
    fn an_audience_that_the_caller_trusts_may_stand_beside_the_client() {
        let trusted = ["https://idp.example/".to_string()];
        let rules = Rules {
            trusted: &trusted,
            ..RULES
        };
        let read = |audience: &str| {
            let token = token(r#"{"alg":"RS256"}"#, &format!(r#"{{"aud":{audience}}}"#));
            let read = unchecked(token, Channel::Direct, login()).read(&rules, "a", NOW);
            read.map(drop).map_err(|error| String::from(error.remedy()))
        };
        assert_eq!(read(r#"["https://idp.example/","c1"]"#), Ok(()));
        assert_eq!(read(r#"["c1","https://idp.example/","c1"]"#), Ok(()));
        let other = read(r#"["https://idp.example/","c1","c2"]"#).expect_err("another");
        assert!(other.contains("trustedAudiences"), "{other}");
        assert!(
            read(r#"["https://idp.example/"]"#).is_err(),
            "not for us at all"
        );
    }

    /// A device whose clock is wrong must not be caught in a circle of logins.
    #[test]
    fn a_clock_in_the_wrong_time_zone_locks_nobody_out_of_the_code_flow() {
        let at = |channel, now, claims: &str| {
            let header = r#"{"alg":"ES256"}"#;
            let hash = jose::half_hash("ES256", "a").expect("a hash");
            let mut claims = Json::parse(claims.as_bytes()).expect("JSON");
            let at_hash = (String::from("at_hash"), Json::String(hash));
            claims.fill(Json::Object(vec![at_hash]));
            let token = token(header, &claims.text());
            unchecked(token, channel, login())
                .read(&RULES, "a", now)
                .map(drop)
        };
        let hour = 3600;
        for offset in [1, 14, 25] {
            assert_eq!(at(Channel::Direct, NOW + offset * hour, "{}"), Ok(()));
            assert_eq!(at(Channel::Direct, NOW - offset * hour, "{}"), Ok(()));
        }
        let refused = |channel, now| {
            at(channel, now, "{}")
                .expect_err("a wrong time")
                .detail
                .clone()
        };
        assert!(refused(Channel::Direct, NOW + 27 * hour).starts_with("exp: is over"));
        assert!(refused(Channel::Direct, NOW - 27 * hour).starts_with("iat: is yet to come"));
        assert_eq!(at(Channel::Indirect, NOW + 600 + 299, "{}"), Ok(()));
        assert!(refused(Channel::Indirect, NOW + 600 + 300).starts_with("exp"));
        assert_eq!(at(Channel::Indirect, NOW - 300, "{}"), Ok(()));
        assert!(refused(Channel::Indirect, NOW - 301).starts_with("iat"));
    }

    #[test]
    fn max_age_is_measured_by_the_providers_own_clock() {
        let rules = Rules {
            max_age: Some(300),
            ..RULES
        };
        let read = |claims: &str, now| {
            let token = token(r#"{"alg":"RS256"}"#, claims);
            let read = unchecked(token, Channel::Direct, login()).read(&rules, "a", now);
            read.map(drop).map_err(|error| error.detail.clone())
        };
        let ago = |seconds| format!(r#"{{"auth_time":{}}}"#, NOW - seconds);
        for now in [NOW, NOW + 7200, NOW - 7200] {
            assert_eq!(read(&ago(0), now), Ok(()));
            assert_eq!(read(&ago(360), now), Ok(()));
            let error = read(&ago(361), now).expect_err("too long ago");
            assert!(error.starts_with("auth_time: is longer ago"), "{error}");
        }
        let error = read("{}", NOW).expect_err("no auth_time");
        assert!(error.starts_with("auth_time: is missing"), "{error}");
    }

    #[test]
    fn an_id_token_of_the_address_bar_must_name_its_access_token() {
        let read = |alg: &str, claims: &str| {
            let token = token(&format!(r#"{{"alg":"{alg}"}}"#), claims);
            let unchecked = unchecked(token, Channel::Indirect, login());
            let read = unchecked.read(&RULES, "access", NOW);
            read.map(drop).map_err(|error| error.detail.clone())
        };
        let error = read("RS256", "{}").expect_err("no at_hash");
        assert!(error.starts_with("at_hash: is missing"), "{error}");
        for alg in ["RS256", "ES256", "EdDSA"] {
            let hash = jose::half_hash(alg, "access").expect("a hash");
            assert_eq!(read(alg, &format!(r#"{{"at_hash":"{hash}"}}"#)), Ok(()));
            let other = jose::half_hash(alg, "other").expect("a hash");
            assert!(read(alg, &format!(r#"{{"at_hash":"{other}"}}"#)).is_err());
        }
        assert!(read("unknown", r#"{"at_hash":"AAAA"}"#).is_err());
    }

    #[test]
    fn a_renewal_is_about_the_same_user_and_the_same_login() {
        let old = r#"{"iss":"https://as.example","sub":"u1","aud":["c1","c2"],"azp":"c1","auth_time":5,"nonce":"n1"}"#;
        let read = |claims: &str| {
            let mut with = Json::parse(claims.as_bytes()).expect("JSON");
            let audience = br#"{"aud":["c2","c1"],"azp":"c1"}"#;
            with.fill(Json::parse(audience).expect("JSON"));
            let about = About::Renewal {
                claims: Json::parse(old.as_bytes()).expect("JSON"),
            };
            let token = token(r#"{"alg":"RS256"}"#, &with.text());
            let read = unchecked(token, Channel::Direct, about).read(&RULES, "a", NOW);
            read.map(drop).map_err(|error| error.detail.clone())
        };
        for claims in [
            "{}",
            r#"{"nonce":null}"#,
            r#"{"auth_time":5}"#,
            r#"{"auth_time":1700000000}"#,
            r#"{"aud":["c1","c2","c1"]}"#,
        ] {
            assert_eq!(read(claims), Ok(()), "{claims}");
        }
        for (claims, rule) in [
            (r#"{"sub":"u2"}"#, "sub: is another user"),
            (r#"{"iss":"https://other.example"}"#, "iss"),
            (r#"{"aud":"c1"}"#, "aud: is not that of the login"),
            (r#"{"aud":["c1","c3"]}"#, "aud: is not that of the login"),
            (r#"{"nonce":"n2"}"#, "nonce"),
        ] {
            let error = read(claims).expect_err(claims);
            assert!(error.starts_with(rule), "{claims}: {error}");
        }
    }

    #[test]
    fn a_remedy_is_that_of_the_claim_that_is_wrong() {
        let remedy = |claims: &str, header: &str| {
            let token = token(header, claims);
            let read = unchecked(token, Channel::Direct, login()).read(&RULES, "a", NOW);
            String::from(read.expect_err(claims).remedy())
        };
        let rs = r#"{"alg":"RS256"}"#;
        for (claims, part) in [
            (r#"{"exp":1}"#, "report it to the provider"),
            (r#"{"exp":1600000000,"iat":1500000000}"#, "clock"),
            (r#"{"iss":"x"}"#, "Check issuer"),
            (r#"{"aud":"x"}"#, "Check issuer and clientId"),
            (r#"{"nonce":"x"}"#, "startLogin"),
            (r#"{"at_hash":"x"}"#, "Report it"),
        ] {
            assert!(remedy(claims, rs).contains(part), "{claims}");
        }
        assert!(!remedy(r#"{"iss":"x"}"#, rs).contains("clock"));
        let why = no_key(NoKey::Unknown);
        assert!(why.remedy().contains("jwksUri"), "{}", why.remedy());
    }

    #[test]
    fn userinfo_is_joined_when_it_is_about_the_same_user() {
        let claims =
            Json::parse(br#"{"sub":"u1","iss":"i","nonce":"n","at_hash":"h","email":"id@x"}"#);
        let claims = claims.expect("JSON");
        let json = "application/json; charset=utf-8";
        let joined = |status, kind, body: &str| {
            let joined = join(&claims, status, kind, body.as_bytes());
            joined.map(|json| json.text()).map_err(|error| {
                assert_eq!(error.code, ErrorCode::InvalidUserinfo);
                error.detail.clone()
            })
        };
        assert_eq!(
            joined(
                200,
                json,
                r#"{"sub":"u1","iss":"evil","name":"Jane","email":"info@x"}"#
            ),
            Ok(r#"{"sub":"u1","name":"Jane","email":"info@x","iss":"i"}"#.to_string())
        );
        assert_eq!(
            joined(
                200,
                json,
                "\u{feff}{\"sub\":\"u1\",\"id\":17841405793187217}"
            ),
            Ok(r#"{"sub":"u1","id":"17841405793187217","iss":"i","email":"id@x"}"#.to_string())
        );
        for (status, kind, body, rule) in [
            (200, json, r#"{"sub":"u2"}"#, "sub"),
            (200, json, r#"{"name":"Jane"}"#, "sub"),
            (200, json, r#"{"sub":"u1","sub":"u1"}"#, "it is no JSON"),
            (200, json, "[]", "it is no JSON"),
            (204, json, "", "it is no JSON"),
            (200, "application/jwt", "a.b.c", "it is signed"),
        ] {
            let error = joined(status, kind, body).expect_err(body);
            assert!(error.starts_with(rule), "{body}: {error}");
        }
        let nobody = Json::Object(Vec::new());
        assert!(join(&nobody, 200, json, b"{}").is_err());
    }
}
