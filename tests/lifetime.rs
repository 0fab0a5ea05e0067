//! The life of sessions, as a state machine against a reference model: whatever happens in whatever order, a refresh
//! token is spent once, a state is used once, no token outlives a logout or goes where it was not declared to go, and
//! no failure of the network loses a session.
//!
//! `Page` makes the calls that `src/client` makes, in its order, with the network as values; `Server` is a provider
//! that rotates refresh tokens and cannot stand to see one twice; `Mirror` says in other words what a session must do.
//! `PROPTEST_CASES=100000 cargo test --test lifetime` tries others than the same few hundred.
#![cfg(not(target_family = "wasm"))]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, PendingLogin};
use oauth_wasm::protocol::client::Client;
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::{Error, ErrorCode};
use oauth_wasm::protocol::json::Json;
use oauth_wasm::protocol::secret::AccessToken;
use oauth_wasm::protocol::session::{Access, AfterRefusal, Session, SessionId, Sessions};
use oauth_wasm::protocol::token::{HttpResponse, TokenRequest, Tokens};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

const HERE: &str = "https://app.example";
/// Seconds that an access token lives.
const LIFE: u32 = 600;

/// The clients of the page, one at each of these providers.
const PROVIDERS: usize = 4;
/// The one that takes a refresh token twice.
const LENIENT: usize = 1;
/// The one of the implicit grant.
const IMPLICIT: usize = 2;
/// The one whose API takes a grant back.
const GIVES_BACK: usize = 3;

fn config(provider: usize) -> String {
    let more = match provider {
        LENIENT => r#","refreshTokenReuse":true"#.to_string(),
        IMPLICIT => r#","responseType":"token""#.to_string(),
        GIVES_BACK => format!(
            r#","revocationRequest":{{"method":"DELETE","url":"https://api{provider}.example/me"}},"refreshTokenReuse":false"#
        ),
        // What the reference model knows: a second send has tests of its own.
        _ => r#","refreshTokenReuse":false"#.to_string(),
    };
    format!(
        r#"{{"clientId":"c{provider}","redirectUri":"{HERE}/cb","issuer":"https://as{provider}.example","authorizationEndpoint":"https://as{provider}.example/a","tokenEndpoint":"https://as{provider}.example/t","revocationEndpoint":"https://as{provider}.example/r","resourceServers":["https://api{provider}.example"]{more}}}"#
    )
}

/// What may happen, in any order. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    StartLogin(usize),
    /// All of a login, undisturbed.
    LogIn(usize),
    /// An address that a server once sent the user to is opened: as it is, or changed on the way.
    Callback(usize, Change),
    /// An exchange of a code that is under way gets its answer.
    AnswerExchange(usize, Fate),
    /// Of the API of a session; now and then of any, or of one that nobody declared.
    Call {
        which: usize,
        writes: bool,
        odd: Odd,
    },
    /// A call that is under way gets its answer.
    AnswerCall(usize),
    /// A renewal that is under way gets its answer.
    AnswerRenewal(usize, Fate),
    /// A session's token ends, a call finds out, and the renewal gets its answer.
    Renew(usize, Fate),
    Logout {
        revoke: bool,
    },
    Advance(u32),
    /// The wall clock is set.
    SetClock(i32),
    /// The server forgets its access tokens, or a whole grant.
    Forget {
        provider: usize,
        grant: bool,
    },
    /// The page is left and opened again.
    Reload,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    OtherState,
    NoState,
    TwoStates,
    OtherIssuer,
    OtherAddress,
    /// The code of another login, put into this answer.
    OtherCode(usize),
    Error,
}

/// What becomes of a token request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Rotated,
    SameToken,
    NoToken,
    /// The server was not even reached; known before anything was sent.
    Unreachable,
    LostOnTheWay,
    LostOnTheWayBack,
    Garbage,
    ServerError,
    SlowDown(u32),
}

/// What the API does besides looking at the token.
#[derive(Clone, Copy, Debug)]
enum Odd {
    None,
    Forbidden,
    WantsMoreScope,
    WantsNewerLogin,
    Fails,
    Lost,
    /// Its answer comes when other things have happened.
    Late,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let change = prop_oneof![
        8 => Just(Change::None),
        1 => Just(Change::OtherState),
        1 => Just(Change::NoState),
        1 => Just(Change::TwoStates),
        1 => Just(Change::OtherIssuer),
        1 => Just(Change::OtherAddress),
        1 => any::<usize>().prop_map(Change::OtherCode),
        1 => Just(Change::Error),
    ];
    let fate = || {
        prop_oneof![
            6 => Just(Fate::Rotated),
            1 => Just(Fate::SameToken),
            1 => Just(Fate::NoToken),
            1 => Just(Fate::Unreachable),
            1 => Just(Fate::LostOnTheWay),
            1 => Just(Fate::LostOnTheWayBack),
            1 => Just(Fate::Garbage),
            1 => Just(Fate::ServerError),
            1 => (0u32..200).prop_map(Fate::SlowDown),
        ]
    };
    let odd = prop_oneof![
        8 => Just(Odd::None),
        1 => Just(Odd::Forbidden),
        1 => Just(Odd::WantsMoreScope),
        1 => Just(Odd::WantsNewerLogin),
        1 => Just(Odd::Fails),
        1 => Just(Odd::Lost),
        3 => Just(Odd::Late),
    ];
    let call = (any::<usize>(), any::<bool>(), odd);
    let step = prop_oneof![
        3 => (0..PROVIDERS).prop_map(Step::StartLogin),
        4 => (0..PROVIDERS).prop_map(Step::LogIn),
        6 => (any::<usize>(), change).prop_map(|(which, change)| Step::Callback(which, change)),
        5 => (any::<usize>(), fate()).prop_map(|(which, fate)| Step::AnswerExchange(which, fate)),
        12 => call.prop_map(|(which, writes, odd)| Step::Call { which, writes, odd }),
        4 => any::<usize>().prop_map(Step::AnswerCall),
        6 => (any::<usize>(), fate()).prop_map(|(which, fate)| Step::AnswerRenewal(which, fate)),
        8 => (any::<usize>(), fate()).prop_map(|(which, fate)| Step::Renew(which, fate)),
        1 => any::<bool>().prop_map(|revoke| Step::Logout { revoke }),
        6 => prop_oneof![0u32..5, LIFE - 31..=LIFE, 0..2 * LIFE].prop_map(Step::Advance),
        1 => (-5000i32..5000).prop_map(Step::SetClock),
        2 => (0..PROVIDERS, any::<bool>())
            .prop_map(|(provider, grant)| Step::Forget { provider, grant }),
        1 => Just(Step::Reload),
    ];
    vec(step, 1..80)
}

/// The providers, as the network sees them, and what they have been sent.
#[derive(Default)]
struct Server {
    made: u32,
    codes: HashMap<String, Code>,
    /// By refresh token: whose it is and what became of it.
    refresh: HashMap<String, Refresh>,
    access: HashMap<String, Issued>,
    /// Grants that the user has taken back.
    dead: HashSet<u32>,
    states: HashSet<String>,
}

struct Code {
    provider: usize,
    challenge: String,
    sent: bool,
}

struct Refresh {
    provider: usize,
    grant: u32,
    /// Rotated, or sent without anybody knowing what came of it: to be sent no more.
    spent: bool,
    in_flight: bool,
}

struct Issued {
    provider: usize,
    grant: u32,
    until: u32,
    /// How often somebody had logged out when it was given to the page.
    logouts: u32,
}

impl Server {
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    fn grant_of(&self, token: &str) -> u32 {
        self.access.get(token).map_or(0, |issued| issued.grant)
    }

    fn issue(&mut self, provider: usize, grant: u32, now: u32) -> String {
        let token = self.name("at");
        let until = now + LIFE;
        let issued = Issued {
            provider,
            grant,
            until,
            logouts: 0,
        };
        self.access.insert(token.clone(), issued);
        token
    }

    fn issue_refresh(&mut self, provider: usize, grant: u32) -> String {
        let token = self.name("rt");
        let refresh = Refresh {
            provider,
            grant,
            spent: false,
            in_flight: false,
        };
        self.refresh.insert(token.clone(), refresh);
        token
    }

    /// The address that the user comes back to.
    fn authorize(&mut self, provider: usize, url: &str, now: u32) -> String {
        let query = url.split_once('?').expect("a query").1;
        let asked: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        assert!(url.starts_with(&format!("https://as{provider}.example/a?")));
        let state = &asked["state"];
        assert!(self.states.insert(state.to_string()), "{state} is new");
        let iss = format!("https%3A%2F%2Fas{provider}.example");
        if provider == IMPLICIT {
            let grant = self.made;
            let token = self.issue(provider, grant, now);
            return format!(
                "{HERE}/cb#access_token={token}&token_type=bearer&expires_in={LIFE}&state={state}&iss={iss}"
            );
        }
        let code = self.name("code");
        assert_eq!(asked["code_challenge_method"], "S256");
        self.codes.insert(
            code.clone(),
            Code {
                provider,
                challenge: asked["code_challenge"].to_string(),
                sent: false,
            },
        );
        format!("{HERE}/cb?code={code}&state={state}&iss={iss}")
    }

    /// A request is on its way: what must hold of everything that is sent.
    fn sent(&mut self, request: &TokenRequest) {
        let body = request.body();
        let said: HashMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let to = |provider| format!("https://as{provider}.example/t");
        if let Some(code) = said.get("code") {
            let code = self.codes.get_mut(&**code).expect("a code of ours");
            assert!(!code.sent, "a code is sent once");
            code.sent = true;
            return;
        }
        let token = &*said["refresh_token"];
        let refresh = self.refresh.get_mut(token).expect("a token of ours");
        assert_eq!(request.endpoint(), to(refresh.provider), "{token}");
        let may = refresh.provider == LENIENT;
        assert!(may || !refresh.spent, "{token} is sent again");
        assert!(!refresh.in_flight, "{token} is sent twice at once");
        refresh.in_flight = true;
    }

    /// Answers a token request; `None` is no answer.
    fn answer(&mut self, request: &TokenRequest, fate: Fate, now: u32) -> Option<HttpResponse> {
        let body = request.body();
        let said: HashMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let (status, body) = match said.get("code") {
            Some(code) => {
                let code = &self.codes[&**code];
                let digest = Sha256::digest(said["code_verifier"].as_bytes());
                let provider = code.provider;
                let good = code.challenge == URL_SAFE_NO_PAD.encode(digest)
                    && request.endpoint() == format!("https://as{provider}.example/t");
                match good {
                    true => {
                        let grant = self.made;
                        (200, self.tokens(provider, grant, now, fate, None))
                    }
                    false => (400, r#"{"error":"invalid_grant"}"#.into()),
                }
            }
            None => {
                let token = said["refresh_token"].to_string();
                let refresh = self.refresh.get_mut(&token).expect("a token of ours");
                refresh.in_flight = false;
                refresh.spent |= matches!(
                    fate,
                    Fate::Rotated | Fate::LostOnTheWay | Fate::LostOnTheWayBack | Fate::Garbage
                );
                let (provider, grant) = (refresh.provider, refresh.grant);
                match self.dead.contains(&grant) {
                    false => (200, self.tokens(provider, grant, now, fate, Some(token))),
                    true => (400, r#"{"error":"invalid_grant"}"#.into()),
                }
            }
        };
        let (status, body) = match fate {
            Fate::Unreachable | Fate::LostOnTheWay | Fate::LostOnTheWayBack => return None,
            Fate::Garbage => (200, String::from("{\"access_token\":")),
            Fate::ServerError => (503, String::new()),
            Fate::SlowDown(_) => (429, String::new()),
            _ => (status, body),
        };
        Some(HttpResponse {
            status,
            content_type: "application/json".into(),
            retry_after: match fate {
                Fate::SlowDown(seconds) => Some(seconds),
                _ => None,
            },
            body: body.into_bytes().into(),
        })
    }

    fn tokens(
        &mut self,
        provider: usize,
        grant: u32,
        now: u32,
        fate: Fate,
        old: Option<String>,
    ) -> String {
        let token = self.issue(provider, grant, now);
        let refresh = match (fate, old) {
            (Fate::SameToken, Some(old)) => Some(old),
            (Fate::NoToken, _) => None,
            (Fate::Rotated | Fate::SameToken, _) => Some(self.issue_refresh(provider, grant)),
            // Nobody will see it.
            _ => None,
        };
        let refresh = refresh.map_or(String::new(), |token| {
            format!(r#","refresh_token":"{token}""#)
        });
        format!(
            r#"{{"access_token":"{token}","token_type":"bearer","expires_in":{LIFE}{refresh}}}"#
        )
    }

    /// A request with this token is on its way to an API.
    fn receive(&self, api: usize, token: &str, logouts: u32) {
        let issued = self.access.get(token).expect("a token of ours");
        assert_eq!(issued.provider, api, "{token} goes to its own API only");
        assert_eq!(issued.logouts, logouts, "{token} outlives a logout");
    }

    /// The status that an API answers it with.
    fn judge(&self, token: &str, now: u32) -> u16 {
        let issued = self.access.get(token).expect("a token of ours");
        match now < issued.until && !self.dead.contains(&issued.grant) {
            true => 200,
            false => 401,
        }
    }
}

/// What a session must be, in the words of the documentation.
struct Mirror {
    id: SessionId,
    provider: usize,
    /// When the token ends, by the monotonic clock.
    ends: u32,
    token: String,
    renewable: bool,
    /// Renewals that have failed in a row, and until when the next one waits.
    failed: u32,
    waits_until: u32,
    indeterminate: bool,
}

impl Mirror {
    fn access(&self, now: u32) -> &'static str {
        // A session that can be renewed is renewed in the last half minute.
        let due = self.renewable && now + 30 >= self.ends;
        let lives = now < self.ends;
        let waits = self.indeterminate || now < self.waits_until;
        match (due, waits, lives) {
            (true, false, _) => "renew",
            (true, true, false) => "trouble",
            (false, _, false) => "login",
            _ => "token",
        }
    }

    fn failed(&mut self, said: u32, now: u32) {
        let waits = [0, 1, 2, 4, 8, 16, 32, 64];
        let wait = waits[(self.failed as usize).min(7)];
        self.failed += 1;
        self.waits_until = now + wait.max(said);
    }
}

struct Exchange {
    provider: usize,
    login: Rc<Client>,
    request: TokenRequest,
    logouts: u32,
}

struct Renewal {
    id: SessionId,
    request: TokenRequest,
    /// Nothing is sent to a server that cannot be reached; what is, is known when the answer is due.
    waiting: Vec<Call>,
    giving_back: bool,
}

#[derive(Clone, Copy)]
struct Call {
    api: usize,
    writes: bool,
    odd: Odd,
    repeated: bool,
}

/// A page, its sessionStorage and the network around it.
#[derive(Default)]
struct Page {
    server: Server,
    now: u32,
    wall: u32,
    logins: u8,
    storage: BTreeMap<String, String>,
    /// The states that have led to a token request.
    used: HashSet<String>,
    /// Every address that a server has sent a user to, with the provider.
    addresses: Vec<(usize, String)>,
    sessions: Sessions,
    model: Vec<Mirror>,
    exchanges: Vec<Exchange>,
    renewals: Vec<Renewal>,
    calls: Vec<(SessionId, AccessToken, Call)>,
    logouts: u32,
}

fn pick<T>(list: &[T], which: usize) -> Option<usize> {
    (!list.is_empty()).then(|| which % list.len())
}

impl Page {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::StartLogin(provider) => self.start(provider),
            Step::LogIn(provider) => {
                self.start(provider);
                self.callback(self.addresses.len() - 1, Change::None);
                self.answer_exchange(self.exchanges.len().wrapping_sub(1), Fate::Rotated);
            }
            Step::Callback(which, change) => self.callback(which, change),
            Step::AnswerExchange(which, fate) => self.answer_exchange(which, fate),
            Step::Call { which, writes, odd } => {
                let live = pick(&self.model, which).filter(|_| which % 8 > 0);
                let api = match live {
                    Some(at) => self.model[at].provider,
                    None => which / 8 % (PROVIDERS + 1),
                };
                self.call(Call {
                    api,
                    writes,
                    odd,
                    repeated: false,
                });
            }
            Step::AnswerCall(which) => {
                if let Some(at) = pick(&self.calls, which) {
                    let (id, token, call) = self.calls.swap_remove(at);
                    self.answered(id, token, call);
                }
            }
            Step::AnswerRenewal(which, fate) => {
                if let Some(at) = pick(&self.renewals, which) {
                    self.answer_renewal(at, fate);
                }
            }
            Step::Renew(which, fate) => {
                if let Some(at) = pick(&self.model, which) {
                    let api = self.model[at].provider;
                    self.now = self.now.max(self.model[at].ends);
                    self.call(Call {
                        api,
                        writes: false,
                        odd: Odd::None,
                        repeated: false,
                    });
                    let latest = self.renewals.len().checked_sub(1);
                    if let Some(at) = latest {
                        self.answer_renewal(at, fate);
                    }
                }
            }
            Step::Logout { revoke } => self.logout(revoke),
            Step::Advance(seconds) => {
                self.now += seconds;
                self.wall += seconds;
            }
            Step::SetClock(seconds) => self.wall = self.wall.saturating_add_signed(seconds),
            Step::Forget { provider, grant } => self.forget(provider, grant),
            Step::Reload => self.reload(),
        }
        self.check();
    }

    fn login(&self, provider: usize) -> Rc<Client> {
        let config = Config::parse(&config(provider));
        let login = config.and_then(|config| config.resolve(HERE));
        login.expect("a login")
    }

    fn start(&mut self, provider: usize) {
        self.logins = self.logins.wrapping_add(1);
        let (logins, many) = (self.logins, self.addresses.len() as u8);
        let entropy = std::array::from_fn(|i| (i as u8).wrapping_mul(logins | 1) ^ many ^ logins);
        let pending = PendingLogin::new(self.login(provider), &entropy, self.wall);
        let pending = pending.expect("entropy");
        let url = pending.authorization_url();
        let state = pending.state().expose();
        self.storage.insert(state.into(), pending.to_record());
        let address = self.server.authorize(provider, &url, self.now);
        self.addresses.push((provider, address));
    }

    fn callback(&mut self, which: usize, change: Change) {
        let Some(at) = pick(&self.addresses, which) else {
            return;
        };
        let (provider, address) = self.addresses[at].clone();
        let part = |address: &str, name: &str| {
            let value = address.split(&format!("{name}=")).nth(1)?;
            Some(value.split('&').next().expect("a part").to_string())
        };
        let state = part(&address, "state").expect("a state");
        let href = match change {
            Change::None => address.clone(),
            Change::OtherState => address.replace(&state, "ow1xother"),
            Change::NoState => address.replace(&format!("state={state}"), "x=y"),
            Change::TwoStates => format!("{address}&state={state}"),
            Change::OtherIssuer => address.replace("iss=https%3A%2F%2Fas", "iss=https%3A%2F%2Fno"),
            Change::OtherAddress => address.replace("/cb", "/bc"),
            Change::OtherCode(which) => {
                let other = &self.addresses[which % self.addresses.len()].1;
                match (part(&address, "code"), part(other, "code")) {
                    (Some(mine), Some(other)) => address.replace(&mine, &other),
                    _ => address.clone(),
                }
            }
            Change::Error => format!("{HERE}/cb?error=access_denied&state={state}"),
        };
        let Some(response) = AuthorizationResponse::read(&href) else {
            assert!(matches!(change, Change::NoState), "{href}");
            return;
        };
        let answers = response.state().expose().to_string();
        if matches!(change, Change::OtherState)
            && let Some(record) = self.storage.get(&state)
        {
            // No login takes an answer to another one, whoever hands it over.
            let pending = PendingLogin::from_record(&state, record, HERE).expect("a record");
            let refused = pending.accept(response, self.wall, self.now);
            let code = refused.expect_err("another state").code;
            assert_eq!(code, ErrorCode::StateMismatch);
            return;
        }
        let Some(record) = self.storage.get(&answers) else {
            return;
        };
        let pending = PendingLogin::from_record(&answers, record, HERE).expect("a record of ours");
        if !pending.expects(&response) {
            assert!(matches!(change, Change::OtherAddress));
            return;
        }
        // Read and deleted: from here on the state is used.
        self.storage.remove(&answers);
        let age = self.wall.saturating_sub(pending.expires_at() - 600);
        let accepted = pending.accept(response, self.wall, self.now);
        let good = matches!(change, Change::None | Change::OtherCode(_)) && age <= 600;
        assert_eq!(accepted.is_ok(), good, "{href} {change:?} {age}");
        match accepted {
            Err(_) => {}
            Ok((login, Accepted::Tokens(tokens))) => self.begin(provider, login, tokens),
            Ok((login, Accepted::Exchange(request))) => {
                // One that was slipped into the answer to another login may be known to the server already.
                let code = part(&href, "code").expect("a code");
                let first = self.used.insert(answers);
                assert!(first, "a state is used once");
                if self.server.codes[&code].sent {
                    return;
                }
                self.server.sent(&request);
                self.exchanges.push(Exchange {
                    provider,
                    login,
                    request,
                    logouts: self.logouts,
                });
            }
        }
    }

    fn begin(&mut self, provider: usize, login: Rc<Client>, tokens: Tokens) {
        let token = tokens.access_token().expose().to_string();
        let ends = tokens.expires_at().expect("a lifetime");
        let renewable = tokens.is_renewable();
        assert_eq!(self.server.access[&token].provider, provider);
        self.given(&token);
        let session = Session::new(login, tokens, self.wall, self.now);
        let id = self.sessions.add(session);
        self.model.retain(|mirror| mirror.provider != provider);
        self.model.push(Mirror {
            id,
            provider,
            ends,
            token,
            renewable,
            failed: 0,
            waits_until: 0,
            indeterminate: false,
        });
    }

    /// The page has this token now.
    fn given(&mut self, token: &str) {
        let issued = self.server.access.get_mut(token).expect("a token of ours");
        issued.logouts = self.logouts;
    }

    fn outcome(
        &mut self,
        request: TokenRequest,
        fate: Fate,
        asked_at: u32,
    ) -> Result<Tokens, Error> {
        match self.server.answer(&request, fate, asked_at) {
            Some(response) => request.read(response, asked_at),
            None if fate == Fate::Unreachable => Err(ErrorCode::NetworkError.error()),
            None => Err(request.unanswered(ErrorCode::NetworkError.error())),
        }
    }

    fn answer_exchange(&mut self, which: usize, fate: Fate) {
        let Some(at) = pick(&self.exchanges, which) else {
            return;
        };
        let exchange = self.exchanges.swap_remove(at);
        let outcome = self.outcome(exchange.request, fate, self.now);
        let Ok(tokens) = outcome else {
            return;
        };
        // Who logged out meanwhile wants no session.
        if exchange.logouts == self.logouts {
            self.begin(exchange.provider, exchange.login, tokens);
        }
    }

    fn call(&mut self, call: Call) {
        let url = format!("https://api{}.example/x", call.api);
        let mirror = self.model.iter().find(|mirror| mirror.provider == call.api);
        let found = self.sessions.find(&url);
        match mirror {
            Some(mirror) => assert_eq!(found, Ok(mirror.id)),
            None => assert!(found.is_err(), "no token goes to {url}"),
        }
        let Ok(id) = found else {
            return;
        };
        match self.sessions.get(id).expect("a session").access(self.now) {
            Access::Token(token) => self.send(id, token, call),
            Access::Renew => self.renew(id, Some(call)),
            Access::LoginRequired | Access::Trouble(_) => {}
            Access::Ended(_) => panic!("the server refuses no living token"),
        }
    }

    fn send(&mut self, id: SessionId, token: AccessToken, call: Call) {
        let header = token.authorization_header();
        let sent = header.strip_prefix("Bearer ").expect("a bearer token");
        self.server.receive(call.api, sent, self.logouts);
        match call.odd {
            Odd::Late => self.calls.push((id, token, call)),
            _ => self.answered(id, token, call),
        }
    }

    fn answered(&mut self, id: SessionId, token: AccessToken, call: Call) {
        let status = self.server.judge(token.expose(), self.now);
        let (status, challenge) = match (call.odd, status) {
            (Odd::Lost, _) => return,
            (Odd::Fails, _) => (503, ""),
            (_, 401) => (401, "Bearer error=\"invalid_token\""),
            (Odd::Forbidden, _) => (403, ""),
            (Odd::WantsMoreScope, _) => (403, "Bearer error=\"insufficient_scope\", scope=\"w\""),
            (Odd::WantsNewerLogin, _) => (
                401,
                "Bearer error=\"insufficient_user_authentication\", max_age=5",
            ),
            (Odd::None | Odd::Late, status) => (status, ""),
        };
        if !matches!(status, 401 | 403) {
            return;
        }
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let next = session.after_refusal(status, &token, challenge, self.now);
        let mirror = self.model.iter().find(|mirror| mirror.id == id);
        let newer = mirror.is_some_and(|mirror| mirror.token != token.expose());
        if newer && challenge.contains("invalid_token") {
            let same = matches!(&next, AfterRefusal::Token(next) if *next != token);
            assert!(same, "no second renewal where another call has renewed");
        }
        match next {
            AfterRefusal::Renew if call.writes => {
                self.sessions.refused(id);
                let mirror = self.mirror(id).expect("it is there");
                mirror.ends = 0;
            }
            AfterRefusal::Token(next) if !call.writes && !call.repeated => {
                assert_ne!(next, token, "the same token is not sent again");
                self.send(
                    id,
                    next,
                    Call {
                        repeated: true,
                        ..call
                    },
                );
            }
            AfterRefusal::Renew if !call.repeated => {
                self.renew(
                    id,
                    Some(Call {
                        repeated: true,
                        ..call
                    }),
                );
            }
            AfterRefusal::Login(_) | AfterRefusal::GiveUp => {}
            AfterRefusal::Ended(_) => panic!("the server refuses no living token"),
            AfterRefusal::Token(_) | AfterRefusal::Renew => {}
        }
    }

    fn mirror(&mut self, id: SessionId) -> Option<&mut Mirror> {
        self.model.iter_mut().find(|mirror| mirror.id == id)
    }

    /// Joins the renewal that is under way, or begins one.
    fn renew(&mut self, id: SessionId, call: Option<Call>) {
        if let Some(renewal) = self.renewals.iter_mut().find(|renewal| renewal.id == id) {
            renewal.waiting.extend(call);
            return;
        }
        let session = self.sessions.get(id).expect("a session");
        let request = session.renewal().expect("it can be renewed");
        self.server.sent(&request);
        self.renewals.push(Renewal {
            id,
            request,
            waiting: call.into_iter().collect(),
            giving_back: false,
        });
    }

    fn answer_renewal(&mut self, at: usize, fate: Fate) {
        let Renewal {
            id,
            request,
            waiting,
            giving_back,
        } = self.renewals.swap_remove(at);
        let (now, wall) = (self.now, self.wall);
        let outcome = self.outcome(request, fate, now);
        let fresh = outcome.as_ref().ok().map(|tokens| {
            let token = tokens.access_token().expose().to_string();
            (token, tokens.expires_at().expect("a lifetime"))
        });
        let there = self.mirror(id).is_some();
        if let Some((token, _)) = &fresh
            && there
        {
            self.given(token);
        }
        let taken = self.sessions.renewed(id, outcome, wall, now, 0);
        match (&taken, fresh) {
            (Ok(()), Some((token, ends))) => {
                assert!(there || giving_back);
                if let Some(mirror) = self.mirror(id) {
                    (mirror.token, mirror.ends) = (token, ends);
                    (mirror.failed, mirror.waits_until) = (0, 0);
                    mirror.indeterminate = false;
                }
            }
            (Err(error), None) => {
                let lenient = self
                    .mirror(id)
                    .is_some_and(|mirror| mirror.provider == LENIENT);
                let said = match fate {
                    Fate::SlowDown(seconds) => seconds,
                    _ => 0,
                };
                let ended = error.code == ErrorCode::SessionEnded;
                match ended {
                    // By the server's own word, and nothing else.
                    true => {
                        assert!(matches!(
                            fate,
                            Fate::Rotated | Fate::SameToken | Fate::NoToken
                        ));
                        self.model.retain(|mirror| mirror.id != id);
                    }
                    false => {
                        if let Some(mirror) = self.mirror(id) {
                            let lost = matches!(
                                fate,
                                Fate::LostOnTheWay | Fate::LostOnTheWayBack | Fate::Garbage
                            );
                            match lost && !lenient {
                                true => mirror.indeterminate = true,
                                false => mirror.failed(said, now),
                            }
                        }
                    }
                }
            }
            (Err(_), Some(_)) => assert!(!there && !giving_back, "it was replaced or left"),
            (Ok(()), None) => panic!("nothing to take"),
        }
        if giving_back {
            self.give_back(id);
        }
        for call in waiting {
            let Some(session) = self.sessions.get(id) else {
                return;
            };
            let token = match &taken {
                Ok(()) => Some(session.token()),
                // Only a renewal ahead of time may fail without harm.
                Err(_) if call.repeated => None,
                Err(_) => session.living_token(now),
            };
            if let Some(token) = token {
                self.send(id, token, call);
            }
        }
    }

    fn logout(&mut self, revoke: bool) {
        self.logouts += 1;
        self.model.clear();
        let left = self.sessions.clear(revoke);
        if !revoke {
            return;
        }
        for id in left {
            match self.renewals.iter_mut().find(|renewal| renewal.id == id) {
                Some(renewal) => renewal.giving_back = true,
                None => self.give_back(id),
            }
        }
    }

    /// Tells the provider: its revocation endpoint, or its API.
    fn give_back(&mut self, id: SessionId) {
        let Some(mut session) = self.sessions.leave(id) else {
            // Its renewal has said that the provider knows of no grant any more.
            return;
        };
        assert!(self.sessions.leave(id).is_none(), "it leaves once");
        if session.renews_to_revoke(self.now) {
            let request = session.renewal().expect("it can be renewed");
            self.server.sent(&request);
            if let Ok(tokens) = self.outcome(request, Fate::Rotated, self.now) {
                session.renew(tokens, self.wall, self.now);
            }
        }
        let revocation = session.revocation().expect("somewhere to give it back to");
        let form: HashMap<_, _> = url::form_urlencoded::parse(revocation.form.as_bytes()).collect();
        match form.get("token") {
            None => {
                let token = revocation.authorization.strip_prefix("Bearer ");
                let token = token.expect("a bearer token");
                let provider = self.server.access[token].provider;
                assert_eq!(provider, GIVES_BACK);
                assert_eq!(revocation.url, format!("https://api{provider}.example/me"));
            }
            Some(token) => {
                let refresh = self.server.refresh.get(&**token);
                let provider = match refresh {
                    Some(refresh) => refresh.provider,
                    None => self.server.access[&**token].provider,
                };
                assert_eq!(revocation.url, format!("https://as{provider}.example/r"));
                assert!(revocation.authorization.is_empty());
            }
        }
    }

    fn forget(&mut self, provider: usize, grant: bool) {
        let mut grants = Vec::new();
        for issued in self.server.access.values_mut() {
            if issued.provider == provider {
                issued.until = 0;
                grants.push(issued.grant);
            }
        }
        if grant {
            self.server.dead.extend(grants);
        }
    }

    /// What the page had in memory is gone; what was on its way arrives without anybody to read it.
    fn reload(&mut self) {
        for renewal in std::mem::take(&mut self.renewals) {
            self.server
                .answer(&renewal.request, Fate::LostOnTheWay, self.now);
        }
        self.exchanges.clear();
        self.calls.clear();
        self.sessions = Sessions::new();
        self.model.clear();
        // Time goes on from nothing in a new page; here it just goes on.
        self.logouts += 1;
    }

    /// The sessions are what the model says, and say nothing that they must not.
    fn check(&self) {
        assert_eq!(self.sessions.last().is_none(), self.model.is_empty());
        for mirror in &self.model {
            let session = self.sessions.get(mirror.id).expect("no session is lost");
            let access = session.access(self.now);
            let kind = match &access {
                Access::Token(token) => {
                    assert_eq!(token.expose(), mirror.token);
                    "token"
                }
                Access::Renew => "renew",
                Access::LoginRequired => "login",
                Access::Trouble(error) => {
                    let code = ErrorCode::SessionIndeterminate;
                    assert_eq!(error.code == code, mirror.indeterminate);
                    "trouble"
                }
                Access::Ended(_) => "ended",
            };
            assert_eq!(kind, mirror.access(self.now), "at {}", self.now);
            let known = session.describe();
            assert!(!known.contains("at-") && !known.contains("rt-"), "{known}");
            let known = Json::parse(known.as_bytes()).expect("JSON");
            let state = known.str("state").expect("a state");
            assert_eq!(state == "indeterminate", mirror.indeterminate);
        }
    }

    /// The network is well again and time has passed: every session that its provider still knows of works.
    fn recover(&mut self) {
        while !self.renewals.is_empty() {
            self.answer_renewal(0, Fate::Rotated);
        }
        self.check();
        self.take(&Step::Advance(2 * LIFE));
        assert!(!format!("{:?}", self.sessions).contains("at-"));
        let ids: Vec<_> = self.model.iter().map(|mirror| mirror.id).collect();
        for id in ids {
            let mirror = self.mirror(id).expect("it is there");
            let (api, good) = (mirror.provider, mirror.renewable && !mirror.indeterminate);
            let token = mirror.token.clone();
            let alive = !self.server.dead.contains(&self.server.grant_of(&token));
            self.call(Call {
                api,
                writes: false,
                odd: Odd::None,
                repeated: false,
            });
            assert_eq!(self.renewals.len(), usize::from(good));
            if good {
                self.answer_renewal(0, Fate::Rotated);
                assert_eq!(self.mirror(id).is_some(), alive);
            }
            if good && alive {
                let session = self.sessions.get(id).expect("it is there");
                let Access::Token(token) = session.access(self.now) else {
                    panic!("a session that was just renewed has a token");
                };
                self.server.receive(api, token.expose(), self.logouts);
                let status = self.server.judge(token.expose(), self.now);
                assert_eq!(status, 200);
            }
            self.check();
        }
    }
}

#[test]
fn whatever_happens_no_token_is_spent_twice_or_strays_and_no_session_is_lost() {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.rng_seed = RngSeed::Fixed(6749);
    }
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let mut page = Page {
            now: 1000,
            wall: 100_000,
            ..Page::default()
        };
        for step in &steps {
            page.take(step);
        }
        page.recover();
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
