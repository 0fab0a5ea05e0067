//! One session in several tabs and over reloads, as a state machine: whichever tabs open, renew, die on the way, leave or
//! come back, in whatever order, its refresh token is spent once, a session that was left is left by all, and no failure
//! of the network loses it.
//!
//! `Tab` makes the calls that `src/client/optional/shared` makes while it holds the lock of the session; the record is what
//! IndexedDB would hold, where opening a sealed part is comparing what it was sealed with.
#![cfg(all(not(target_family = "wasm"), feature = "full"))]

use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::ErrorCode;
use oauth_wasm::protocol::json::Json;
use oauth_wasm::protocol::session::common::{self, Label, RecordState, Sent};
use oauth_wasm::protocol::session::{Access, Session, SessionId, Sessions};
use oauth_wasm::protocol::token::{HttpResponse, TokenRequest, Tokens};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::collections::HashMap;

const HERE: &str = "https://app.example";
const CONFIG: &str = r#"{"clientId":"c","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","revocationEndpoint":"https://as.example/r","resourceServers":["https://api.example"],"sessionScope":"origin","keep":"device","refreshTokenReuse":false}"#;
/// Seconds that an access token lives.
const LIFE: u32 = 600;
const TABS: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    LogIn(usize),
    /// A tab opens and asks the others, or what is kept.
    Open(usize),
    /// A call: uses the token, or begins to renew if nobody else is about to.
    Call(usize),
    /// The renewal that is under way gets its answer.
    Answer(Fate),
    /// A tab's token ends, and its renewal gets this answer; or the tab dies before that.
    Renew(usize, Option<Fate>),
    /// A tab hears that something has changed.
    Hear(usize),
    /// A tab is closed, or crashes, or is reloaded.
    Die(usize),
    Logout {
        tab: usize,
        revoke: bool,
    },
    Advance(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Rotated,
    SameToken,
    Unreachable,
    Lost,
    Garbage,
    ServerError,
    Refused,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = || {
        prop_oneof![
            6 => Just(Fate::Rotated),
            1 => Just(Fate::SameToken),
            1 => Just(Fate::Unreachable),
            1 => Just(Fate::Lost),
            1 => Just(Fate::Garbage),
            2 => Just(Fate::ServerError),
            1 => Just(Fate::Refused),
        ]
    };
    let step = prop_oneof![
        2 => (0..TABS).prop_map(Step::LogIn),
        5 => (0..TABS).prop_map(Step::Open),
        8 => (0..TABS).prop_map(Step::Call),
        6 => fate().prop_map(Step::Answer),
        6 => (0..TABS, proptest::option::of(fate())).prop_map(|(tab, fate)| Step::Renew(tab, fate)),
        4 => (0..TABS).prop_map(Step::Hear),
        2 => (0..TABS).prop_map(Step::Die),
        1 => (0..TABS, any::<bool>()).prop_map(|(tab, revoke)| Step::Logout { tab, revoke }),
        4 => prop_oneof![Just(LIFE), 0..LIFE].prop_map(Step::Advance),
    ];
    vec(step, 1..100)
}

/// What IndexedDB holds.
#[derive(Clone, Default)]
struct Record {
    name: String,
    label: String,
    /// What a part was sealed with, and the part.
    shared: (String, String),
    kept: (String, String),
}

impl Record {
    fn label(&self) -> Label {
        Label::read(&self.label).expect("a label of ours")
    }
}

/// A renewal that holds the lock: its tab, the label before, the label that says so.
struct Renewal {
    tab: usize,
    request: TokenRequest,
    token: String,
    before: String,
    sent: String,
}

#[derive(Default)]
struct World {
    now: u32,
    made: u8,
    tabs: Vec<Option<(Sessions, SessionId)>>,
    record: Option<Record>,
    renewal: Option<Renewal>,
    /// The refresh tokens that have been on their way: false once the server has said that it has not taken one.
    spent: HashMap<String, bool>,
    /// Sessions, by name, that were left.
    left: Vec<String>,
}

impl World {
    fn wall(&self) -> u32 {
        1_000_000 + self.now
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::LogIn(tab) => self.log_in(tab),
            Step::Open(tab) => self.open(tab),
            Step::Call(tab) => self.call(tab),
            Step::Answer(fate) => self.answer(fate),
            Step::Renew(tab, fate) => {
                self.now += LIFE;
                self.call(tab);
                match fate {
                    Some(fate) => self.answer(fate),
                    None => self.die(tab),
                }
            }
            Step::Hear(tab) => self.hear(tab),
            Step::Die(tab) => self.die(tab),
            Step::Logout { tab, revoke } => self.logout(tab, revoke),
            Step::Advance(seconds) => self.now += seconds,
        }
        self.check();
    }

    fn session(&self, tab: usize) -> Option<&Session> {
        let (sessions, id) = self.tabs[tab].as_ref()?;
        sessions.get(*id)
    }

    fn change<R>(&mut self, tab: usize, f: impl FnOnce(&mut Session) -> R) -> R {
        let (sessions, id) = self.tabs[tab].as_mut().expect("a tab with a session");
        sessions.change(*id, f).expect("its session")
    }

    fn tokens(&mut self, refresh: Option<&str>) -> String {
        self.made += 1;
        let made = self.made;
        let new = format!("rt-{made}");
        let refresh = refresh.unwrap_or(&new);
        format!(
            r#"{{"access_token":"at-{made}","token_type":"bearer","expires_in":{LIFE},"refresh_token":"{refresh}"}}"#
        )
    }

    fn log_in(&mut self, tab: usize) {
        if self.made > 200 || self.record.is_some() || self.tabs.iter().any(Option::is_some) {
            return;
        }
        let login = Config::parse(CONFIG).and_then(|config| config.resolve(HERE));
        let mut members = Json::parse(self.tokens(None).as_bytes()).expect("JSON");
        let tokens = Tokens::read(&mut members, &[], self.now).expect("tokens");
        let mut session = Session::new(login.expect("a login"), tokens, self.wall(), self.now);
        let made = self.made;
        session.make_common(&std::array::from_fn(|i| (i as u8).wrapping_mul(3) ^ made));
        self.put(tab, session);
        let name = self.session(tab).and_then(Session::name).expect("a name");
        self.record = Some(Record {
            name: name.to_string(),
            ..Record::default()
        });
        self.write(tab);
    }

    fn put(&mut self, tab: usize, session: Session) {
        let mut sessions = Sessions::new();
        let id = sessions.add(session);
        self.tabs[tab] = Some((sessions, id));
    }

    /// Writes this generation into the record.
    fn write(&mut self, tab: usize) {
        let (wall, now) = (self.wall(), self.now);
        let session = self.session(tab).expect("a session");
        let bound = |part| session.bound(part, HERE, session.generation());
        let shared = (bound("shared"), session.shared_part(wall, now).to_string());
        let kept = (bound("kept"), session.kept_part(wall, now).to_string());
        assert!(!kept.1.contains("at-"), "no access token is kept");
        let label = session.label(Sent::Never, wall);
        assert!(!label.contains("at-") && !label.contains("rt-"), "{label}");
        let record = self.record.as_mut().expect("a record");
        (record.label, record.shared, record.kept) = (label, shared, kept);
    }

    fn open(&mut self, tab: usize) {
        let Some(record) = self.record.clone() else {
            return;
        };
        if self.tabs[tab].is_some() {
            return;
        }
        let label = record.label();
        let others = self.tabs.iter().flatten();
        let secret = others
            .filter_map(|(sessions, _)| {
                let bytes = sessions.shared();
                common::shared(&bytes)
                    .find(|(name, _, _)| *name == record.name)
                    .map(|(_, secret, _)| secret)
            })
            .next();
        let asked = secret.is_some();
        let (kind, (sealed, part)) = match asked {
            true => ("shared", &record.shared),
            false => ("kept", &record.kept),
        };
        let bound = common::bound(kind, HERE, &label.client_id, &record.name, label.generation);
        assert_eq!(&bound, sealed, "a part belongs to the label beside it");
        let times = (self.wall(), self.now);
        let secret = secret.unwrap_or([9; 32]);
        let session = Session::from_part(
            part.as_bytes(),
            &record.name,
            &label,
            &label.salt,
            &secret,
            HERE,
            times,
        );
        self.put(tab, session.expect("a part of ours"));
        if !asked {
            // What was kept has no access token: it is renewed at once.
            self.begin(tab);
            let session = self.session(tab).expect("a session");
            if matches!(session.access(self.now), Access::Trouble(_)) {
                // The page that was to renew it has died: nobody can, and nobody has it.
                self.tabs[tab] = None;
                self.record = None;
            }
        }
    }

    fn call(&mut self, tab: usize) {
        let Some(session) = self.session(tab) else {
            return;
        };
        match session.access(self.now) {
            Access::Token(token) => {
                let token = token.expose();
                assert!(token.starts_with("at-"), "{token}");
            }
            Access::Renew => self.begin(tab),
            Access::LoginRequired => panic!("it can be renewed"),
            Access::Trouble(_) => {}
            Access::Ended(_) => panic!("the server refuses no living token"),
        }
    }

    /// What `renew_alone` does; a tab that finds the lock taken waits, which here is to call again.
    fn begin(&mut self, tab: usize) {
        if self.renewal.is_some() {
            return;
        }
        let label = self.record.as_ref().map(Record::label);
        let session = self.session(tab).expect("a session");
        match session.meets(label.as_ref()) {
            RecordState::Gone => {
                self.tabs[tab] = None;
                return;
            }
            RecordState::Lost => panic!("the configuration forbids it"),
            RecordState::Spent => {
                self.change(tab, |session| session.doubt(false));
                return;
            }
            RecordState::Newer => {
                if self.take_over(tab) {
                    return;
                }
            }
            RecordState::Same => {}
        }
        let session = self.session(tab).expect("a session");
        let request = session.renewal().expect("it can be renewed");
        let body = request.body().to_string();
        let token = body.split("refresh_token=").nth(1).expect("a token");
        let token = token.to_string();
        let sent = session.label(Sent::Once, self.wall());
        let record = self.record.as_mut().expect("a record");
        let before = std::mem::replace(&mut record.label, sent.clone());
        let again = self.spent.insert(token.clone(), true);
        assert_ne!(again, Some(true), "{token} is sent again");
        self.renewal = Some(Renewal {
            tab,
            request,
            token,
            before,
            sent,
        });
    }

    /// Takes what another tab has left; whether that has a token that lives.
    fn take_over(&mut self, tab: usize) -> bool {
        let record = self.record.clone().expect("a record");
        let generation = record.label().generation;
        let (wall, now) = (self.wall(), self.now);
        let part = record.shared.1;
        let taken = self.change(tab, |session| {
            session.take_over(part.as_bytes(), generation, wall, now)
        });
        taken.expect("a part of ours");
        self.session(tab)
            .expect("a session")
            .living_token(now)
            .is_some()
    }

    fn answer(&mut self, fate: Fate) {
        let Some(Renewal {
            tab,
            request,
            token,
            before,
            sent,
        }) = self.renewal.take()
        else {
            return;
        };
        let (wall, now) = (self.wall(), self.now);
        let (status, body) = match fate {
            Fate::Rotated => (200, self.tokens(None)),
            Fate::SameToken => (200, self.tokens(Some(&token))),
            Fate::Garbage => (200, String::from("{")),
            Fate::ServerError => (503, String::new()),
            Fate::Refused => (400, r#"{"error":"invalid_grant"}"#.to_string()),
            Fate::Unreachable | Fate::Lost => (0, String::new()),
        };
        let outcome = match fate {
            Fate::Unreachable => Err(ErrorCode::NetworkError.error()),
            Fate::Lost => Err(request.unanswered(ErrorCode::NetworkError.error())),
            _ => request.read(
                HttpResponse {
                    status,
                    content_type: "application/json".into(),
                    retry_after: None,
                    body: body.into_bytes().into(),
                },
                now,
            ),
        };
        if matches!(
            fate,
            Fate::SameToken | Fate::Unreachable | Fate::ServerError
        ) {
            self.spent.insert(token, false);
        }
        let Some((sessions, id)) = self.tabs[tab].as_mut() else {
            panic!("a tab that has died renews no more");
        };
        let there = sessions.get(*id).is_some();
        let concluded = sessions.renewed(*id, outcome, wall, now, 0);
        // Somebody may have logged out meanwhile: then the record is gone, and so is what belongs there.
        let mine = self
            .record
            .as_ref()
            .is_some_and(|record| record.label == sent);
        match concluded.map_err(|error| error.code) {
            Ok(()) if mine && there => {
                self.change(tab, Session::next_generation);
                self.write(tab);
            }
            Ok(()) => self.tabs[tab] = None,
            Err(ErrorCode::SessionIndeterminate) => {}
            Err(ErrorCode::SessionEnded) => {
                assert_eq!(fate, Fate::Refused, "by the server's own word only");
                self.tabs[tab] = None;
                if mine {
                    self.forget();
                }
            }
            Err(_) if mine => self.record.as_mut().expect("a record").label = before,
            Err(_) => {}
        }
    }

    fn hear(&mut self, tab: usize) {
        let label = self.record.as_ref().map(Record::label);
        let Some(session) = self.session(tab) else {
            return;
        };
        match session.meets(label.as_ref()) {
            RecordState::Gone => self.close(tab),
            RecordState::Newer => drop(self.take_over(tab)),
            _ => {}
        }
    }

    /// The tab lets go of the session; what it has on the way, it answers to no more.
    fn close(&mut self, tab: usize) {
        let renews = |renewal: &Renewal| renewal.tab == tab;
        if self.renewal.as_ref().is_some_and(renews) {
            self.renewal = None;
        }
        self.tabs[tab] = None;
    }

    fn die(&mut self, tab: usize) {
        self.close(tab);
    }

    fn logout(&mut self, tab: usize, revoke: bool) {
        let Some((sessions, id)) = self.tabs[tab].as_mut() else {
            return;
        };
        let id = *id;
        let names = sessions.names();
        sessions.clear(revoke);
        let label = self.record.as_ref().map(Record::label);
        for name in &names {
            sessions.leave_doubted(name, label.as_ref());
        }
        let in_flight = self
            .renewal
            .as_ref()
            .is_some_and(|renewal| renewal.tab == tab);
        if revoke && !in_flight {
            let session = sessions.leave(id).expect("it was kept apart");
            // Its own refresh token goes to the revocation endpoint; nothing is renewed for that here.
            assert!(!session.renews_to_revoke(self.now));
        }
        if self
            .record
            .as_ref()
            .is_some_and(|record| names.contains(&record.name))
        {
            self.forget();
        }
        self.close(tab);
    }

    /// The record goes: the session is left.
    fn forget(&mut self) {
        let record = self.record.take();
        self.left.extend(record.map(|record| record.name));
    }

    fn check(&self) {
        let label = self.record.as_ref().map(Record::label);
        for tab in 0..TABS {
            let Some(session) = self.session(tab) else {
                continue;
            };
            let name = session.name().expect("it is common");
            let met = session.meets(label.as_ref());
            let left = self.left.iter().any(|known| known == name);
            if left {
                // It may not have heard yet; but it finds nothing to renew with.
                assert!(self.record.is_none() && met == RecordState::Gone);
            } else {
                assert_ne!(met, RecordState::Gone, "no session is lost");
            }
            let known = session.describe();
            assert!(!known.contains("at-") && !known.contains("rt-"), "{known}");
        }
    }

    /// Time passes, the network is well: who has the session still gets a token, or knows why there is none.
    fn recover(&mut self) {
        self.answer(Fate::Rotated);
        for tab in 0..TABS {
            self.hear(tab);
            if let Some(session) = self.session(tab) {
                let name = session.name().expect("it is common");
                assert!(
                    !self.left.iter().any(|known| known == name),
                    "{name} was left"
                );
            }
        }
        self.now += 2 * LIFE;
        for tab in 0..TABS {
            if self.tabs[tab].is_none() {
                continue;
            }
            self.call(tab);
            self.answer(Fate::Rotated);
            let Some(session) = self.session(tab) else {
                continue;
            };
            let sent = self
                .record
                .as_ref()
                .is_some_and(|record| record.label().sent != Sent::Never);
            match session.access(self.now) {
                Access::Token(_) => assert!(!sent),
                Access::Trouble(error) => {
                    assert_eq!(error.code, ErrorCode::SessionIndeterminate);
                    assert!(sent, "in doubt only where an answer was lost");
                }
                other => panic!("{other:?}"),
            }
        }
        self.check();
    }
}

#[test]
fn however_tabs_come_and_go_one_refresh_token_is_spent_once_and_a_logout_is_everybodys() {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.rng_seed = RngSeed::Fixed(9700);
    }
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let mut world = World {
            now: 1000,
            tabs: (0..TABS).map(|_| None).collect(),
            ..World::default()
        };
        for step in steps {
            world.take(step);
        }
        world.recover();
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
