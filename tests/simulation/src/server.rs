//! Providers that rotate refresh tokens and end a grant whose refresh token comes twice, each with its API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds that an access token lives.
pub const LIFE: u64 = 600_000;

pub type Grant = u32;
pub type Provider = usize;

/// The providers there are; the page has a client at each that a run wants.
pub const PROVIDERS: usize = 4;
/// The one that takes a refresh token any number of times.
pub const LENIENT: Provider = 1;
/// The one of the implicit grant.
pub const IMPLICIT: Provider = 2;
/// The one whose API takes a grant back; its client forbids that a refresh token is sent twice.
pub const GIVES_BACK: Provider = 3;
/// One that nobody has logged in at.
pub const NOBODY: Provider = 9;

/// Where a provider's authorization server (`as`) or its API (`api`) is.
pub fn origin(kind: &str, provider: Provider) -> String {
    match provider {
        0 => format!("https://{kind}.example"),
        _ => format!("https://{kind}{provider}.example"),
    }
}

/// Which provider's server of this kind an address belongs to.
pub fn at(kind: &str, url: &str) -> Option<Provider> {
    let all = (0..PROVIDERS).chain([NOBODY]);
    let mut found =
        all.filter(|provider| url.starts_with(&format!("{}/", origin(kind, *provider))));
    found.next()
}

#[derive(Default)]
pub struct Server {
    made: u32,
    codes: BTreeMap<String, Code>,
    refresh: BTreeMap<String, Refresh>,
    access: BTreeMap<String, Access>,
    /// Grants that nobody can use any more.
    dead: BTreeSet<Grant>,
    states: BTreeSet<String>,
    /// Whose each grant is, and when it began.
    began: BTreeMap<Grant, (Provider, u64)>,
}

struct Code {
    provider: Provider,
    challenge: String,
    exchanged: bool,
}

pub struct Refresh {
    pub grant: Grant,
    /// How often it has arrived here.
    pub arrivals: u32,
    /// Answers of ours that a living page has read.
    pub answers: u32,
    /// How often a page has sent it through a network that worked, without having read that it was not taken.
    attempts: u32,
    spent: bool,
    /// Whether a living page has read it.
    delivered: bool,
    /// The access token that was issued beside it, and when that is over.
    access: (String, u64),
    /// The same of the one that was issued for it, while it stays the same.
    next_access: (String, u64),
}

struct Access {
    grant: Grant,
    until: u64,
}

/// What the server does with a token request besides its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// Issues no new refresh token: the old one stays.
    SameToken,
    /// The same, and says so.
    Echo,
    /// Does its work, and answers something else.
    Garbage,
    /// Refuses before it has looked.
    Unavailable,
    SlowDown(u32),
}

pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub retry_after: Option<u32>,
    pub body: String,
    /// The refresh token of the request, where there was one.
    pub refresh: Option<String>,
    /// Whose tokens it has.
    pub grant: Option<Grant>,
}

/// What pages know.
pub struct Knowledge<'a> {
    /// The access tokens that the page that asks has sent.
    pub had: &'a BTreeMap<String, u64>,
    /// The refresh tokens whose answers a page has read and could not leave to the others, because its storage failed.
    pub unwritten: Vec<String>,
    /// When the page has asked, from which it counts what it gets: the answer may be slow.
    pub asked: u64,
}

pub fn parameters(text: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let hex = |byte: Option<u8>| (byte.unwrap_or(b'0') as char).to_digit(16).unwrap_or(0);
            bytes.push(match byte {
                b'%' => (hex(rest.next()) * 16 + hex(rest.next())) as u8,
                b'+' => b' ',
                other => other,
            });
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

impl Server {
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("tk.{kind}.{}", self.made)
    }

    /// The user agrees: the address that the browser goes back to.
    pub fn authorize(&mut self, url: &str, now: u64) -> String {
        let provider = at("as", url).expect("an authorization server");
        let asked = parameters(url.split_once('?').expect("a query").1);
        let state = &asked["state"];
        assert!(self.states.insert(state.clone()), "a state is used twice");
        let host = if provider == 0 {
            String::new()
        } else {
            provider.to_string()
        };
        let issuer = format!("iss=https%3A%2F%2Fas{host}.example");
        let redirect_uri = &asked["redirect_uri"];
        if provider == IMPLICIT {
            assert_eq!(asked["response_type"], "token");
            let grant = self.begin(provider, now);
            let (access, _) = self.issue_access(grant, now, now);
            let life = LIFE / 1000;
            return format!(
                "{redirect_uri}#access_token={access}&token_type=bearer&expires_in={life}&{issuer}&state={state}"
            );
        }
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = self.name("code");
        self.codes.insert(
            code.clone(),
            Code {
                provider,
                challenge: asked["code_challenge"].clone(),
                exchanged: false,
            },
        );
        format!("{redirect_uri}?code={code}&{issuer}&state={state}")
    }

    fn begin(&mut self, provider: Provider, now: u64) -> Grant {
        self.made += 1;
        self.began.insert(self.made, (provider, now));
        self.made
    }

    /// An access token, and until when the page that has asked counts on it.
    fn issue_access(&mut self, grant: Grant, now: u64, asked: u64) -> (String, u64) {
        let access = self.name("at");
        let until = now + LIFE;
        self.access.insert(access.clone(), Access { grant, until });
        (access, asked + LIFE)
    }

    fn issue(&mut self, grant: Grant, now: u64, asked: u64) -> String {
        let access = self.issue_access(grant, now, asked);
        let token = self.name("rt");
        let body = tokens(&access.0, Some(&token));
        self.refresh.insert(
            token,
            Refresh {
                grant,
                arrivals: 0,
                answers: 0,
                attempts: 0,
                spent: false,
                delivered: false,
                access: access.clone(),
                next_access: access,
            },
        );
        body
    }

    /// A token request has arrived.
    pub fn token(
        &mut self,
        provider: Provider,
        form: &str,
        mood: Mood,
        now: u64,
        known_to: Knowledge<'_>,
    ) -> Answer {
        let asked = parameters(form);
        let answer = |status, body: &str, refresh| Answer {
            status,
            content_type: "application/json",
            retry_after: None,
            body: body.to_string(),
            refresh,
            grant: None,
        };
        let issued = |grant, body: &str, refresh| Answer {
            grant: Some(grant),
            ..answer(200, body, refresh)
        };
        let refused = r#"{"error":"invalid_grant"}"#;
        if let Some(code) = asked.get("code") {
            let known = self.codes.get_mut(code).expect("a code of ours");
            let hash = Sha256::digest(asked["code_verifier"].as_bytes());
            if URL_SAFE_NO_PAD.encode(hash) != known.challenge || known.provider != provider {
                // The code of another login, which somebody has put into the response (RFC 7636 section 4.6).
                return answer(400, refused, None);
            }
            assert!(!known.exchanged, "a code is sent twice");
            known.exchanged = true;
            let grant = self.begin(provider, now);
            let body = self.issue(grant, now, known_to.asked);
            return match mood {
                Mood::Good | Mood::SameToken | Mood::Echo => issued(grant, &body, None),
                Mood::Garbage => answer(200, "<html>sign in to the network</html>", None),
                Mood::Unavailable => answer(503, "", None),
                Mood::SlowDown(seconds) => Answer {
                    retry_after: Some(seconds),
                    ..answer(429, "", None)
                },
            };
        }
        let token = asked["refresh_token"].clone();
        let owner = self.grant_of(&token).map(|grant| self.provider_of(grant));
        assert_eq!(owner, Some(provider), "{token} goes to its own server only");
        let known = self.refresh.get_mut(&token).expect("a token of ours");
        let refresh = Some(token.clone());
        match mood {
            // It has not looked at the token: nothing was spent.
            Mood::Unavailable => {
                return answer(503, r#"{"error":"temporarily_unavailable"}"#, refresh);
            }
            Mood::SlowDown(seconds) => {
                return Answer {
                    retry_after: Some(seconds),
                    ..answer(429, "", refresh)
                };
            }
            _ => {}
        }
        let lost = known.arrivals > known.answers || known_to.unwritten.contains(&token);
        known.arrivals += 1;
        let most = most(provider);
        assert!(
            known.arrivals <= most,
            "{token} is sent {} times",
            known.arrivals
        );
        if known.arrivals == 2 && provider != LENIENT {
            assert!(lost, "{token} is sent again although its answer was read");
            let (access, until) = &known.access;
            assert!(
                // A page counts whole seconds.
                now + 1_000 > *until
                    || !known_to.had.contains_key(access)
                    || self.dead.contains(&known.grant),
                "{token} is sent again although the access token lives"
            );
        }
        let grant = known.grant;
        if known.spent && provider != LENIENT {
            self.dead.insert(grant);
        }
        if self.dead.contains(&grant) {
            return answer(400, refused, refresh);
        }
        if matches!(mood, Mood::SameToken | Mood::Echo) && !known.spent {
            let access = self.issue_access(grant, now, known_to.asked);
            let same = Some(token.as_str()).filter(|_| mood == Mood::Echo);
            let body = tokens(&access.0, same);
            if let Some(known) = self.refresh.get_mut(&token) {
                known.next_access = access;
            }
            return issued(grant, &body, refresh);
        }
        known.spent = true;
        let body = self.issue(grant, now, known_to.asked);
        match mood {
            Mood::Garbage => answer(200, "<html>sign in to the network</html>", refresh),
            _ => issued(grant, &body, refresh),
        }
    }

    /// A page sends it, and may never know what came of it: its client has a say in how often that may be.
    pub fn attempt(&mut self, token: &str) {
        let provider = self
            .grant_of(token)
            .map_or(NOBODY, |grant| self.provider_of(grant));
        if let Some(known) = self.refresh.get_mut(token) {
            known.attempts += 1;
            let attempts = known.attempts;
            assert!(
                attempts <= most(provider),
                "{token} is sent {attempts} times"
            );
        }
    }

    /// A page has read that it was not taken, and has said so to the others. After a lost answer there is one more time
    /// only, whatever its answer.
    pub fn not_taken(&mut self, token: &str) {
        if let Some(known) = self.refresh.get_mut(token)
            && known.attempts == 1
        {
            known.attempts = 0;
        }
    }

    /// A living page has read the answer to a request with this refresh token.
    pub fn read(&mut self, token: &str, status: u16, garbage: bool) {
        let Some(known) = self.refresh.get_mut(token) else {
            return;
        };
        if !matches!(status, 429 | 503) && !garbage {
            known.answers += 1;
            // The same token goes on: its count begins anew.
            if !known.spent {
                (known.arrivals, known.answers, known.attempts) = (0, 0, 0);
                known.access = known.next_access.clone();
            }
        }
    }

    /// The page that has read the answer to this refresh token has died before it left the tokens to another.
    pub fn unread(&mut self, token: &str) {
        let Some(known) = self.refresh.get_mut(token) else {
            return;
        };
        known.answers = known.answers.saturating_sub(1);
        let grant = known.grant;
        for known in self
            .refresh
            .values_mut()
            .filter(|known| known.grant == grant)
        {
            known.delivered &= known.spent || known.arrivals > 0;
        }
    }

    /// A living page has read the newest tokens of a grant.
    pub fn delivered(&mut self, grant: Grant) {
        for known in self
            .refresh
            .values_mut()
            .filter(|known| known.grant == grant)
        {
            known.delivered |= !known.spent;
        }
    }

    /// The user, or a logout, ends what this token belongs to (RFC 7009).
    pub fn revoke(&mut self, provider: Provider, token: &str) {
        let grant = self.grant_of(token).expect("a token of ours");
        let owner = self.provider_of(grant);
        assert_eq!(owner, provider, "{token} is given back where it is from");
        self.dead.insert(grant);
    }

    pub fn end(&mut self, grant: Grant) {
        self.dead.insert(grant);
    }

    pub fn is_dead(&self, grant: Grant) -> bool {
        self.dead.contains(&grant)
    }

    pub fn began(&self, grant: Grant) -> u64 {
        self.began.get(&grant).map_or(0, |(_, at)| *at)
    }

    pub fn provider_of(&self, grant: Grant) -> Provider {
        self.began
            .get(&grant)
            .map_or(NOBODY, |(provider, _)| *provider)
    }

    pub fn grants(&self) -> Vec<Grant> {
        self.began.keys().copied().collect()
    }

    pub fn grants_at(&self, provider: Provider) -> Vec<Grant> {
        let all = self.began.iter();
        all.filter(|(_, (at, _))| *at == provider)
            .map(|(grant, _)| *grant)
            .collect()
    }

    /// The access token beside a refresh token.
    pub fn access_beside(&self, token: &str) -> Option<&(String, u64)> {
        self.refresh.get(token).map(|known| &known.access)
    }

    pub fn grant_of(&self, token: &str) -> Option<Grant> {
        let access = self.access.get(token).map(|known| known.grant);
        access.or(self.refresh.get(token).map(|known| known.grant))
    }

    /// The status with which the API answers a call.
    pub fn judge(&self, access_token: &str, now: u64) -> u16 {
        match self.access.get(access_token) {
            Some(known) if now < known.until && !self.dead.contains(&known.grant) => 200,
            _ => 401,
        }
    }

    /// Whether a grant still has a refresh token that arrived nowhere and may be tried once more: then a session of it must
    /// go on.
    pub fn can_go_on(&self, grant: Grant) -> bool {
        let most = most(self.provider_of(grant));
        !self.dead.contains(&grant)
            && self.refresh.values().any(|known| {
                known.grant == grant
                    && known.delivered
                    && !known.spent
                    && known.arrivals == 0
                    && known.attempts < most
            })
    }
}

/// How often a refresh token may be sent whose answer nobody has got.
fn most(provider: Provider) -> u32 {
    match provider {
        LENIENT => u32::MAX,
        GIVES_BACK => 1,
        _ => 2,
    }
}

fn tokens(access: &str, refresh: Option<&str>) -> String {
    let more = refresh.map_or(String::new(), |token| {
        format!(r#","refresh_token":"{token}""#)
    });
    format!(
        r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{}{more}}}"#,
        LIFE / 1000
    )
}
