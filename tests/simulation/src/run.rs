//! One run: an application in several tabs, whatever happens to it, and what must hold.

use crate::page::{API, Call, ORIGIN, Page, PageId, is_spent, tell};
use crate::rng::Rng;
use crate::server::LIFE;
use crate::world::{self, Faults, World};
use oauth_wasm::client::{Client, Failure, LogoutRequest};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::ErrorCode;
use oauth_wasm::protocol::json::Json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const TABS: usize = 4;
/// What the session of a run is: its page's own, shared by the tabs, kept.
const KINDS: &[&str] = match cfg!(feature = "full") {
    true => &[
        r#""sessionScope":"origin""#,
        r#""sessionScope":"origin","keep":"device""#,
        r#""sessionScope":"origin","keep":"tab""#,
        r#""keep":"device""#,
        r#""keep":"tab""#,
        r#""sessionScope":"tab""#,
    ],
    false => &[r#""allowHttp":false"#],
};

/// What came of a call: the status of the API, or the code of an error; empty for the reason of a failed fetch.
type Outcome = Result<u16, Option<ErrorCode>>;

struct Run {
    world: World,
    rng: Rng,
    config: String,
    is_shared: bool,
    clients: BTreeMap<PageId, Client<Page>>,
    /// Whether records failed now and then: then a logout may not reach the other tabs.
    records_fail: bool,
    /// The responses that the provider has sent so far, by the tabs that they were for.
    responses: Vec<(usize, String)>,
}

/// Runs one schedule; panics with its trace where something does not hold. Gives how many steps it took.
pub fn run(seed: u64) -> u64 {
    let mut rng = Rng::new(seed ^ 0xA5A5);
    let kind = KINDS[rng.index(KINDS.len())];
    let mut often = |part: u64, most: u64| match rng.chance(part) {
        true => rng.below(most),
        false => 0,
    };
    let faults = Faults {
        lost_request: often(500, 300),
        lost_answer: often(500, 300),
        slow: often(500, 300),
        mood: often(500, 400),
        records: often(200, 60),
        has_no_locks: often(200, 10) > 0,
        has_no_records: often(50, 10) > 0,
        ..Faults::default()
    };
    world::trace_panics(format!("seed {seed} with {kind} {faults:?}"));
    let records_fail = faults.records > 0;
    let config = format!(
        r#"{{"clientId":"c","redirectUri":"{ORIGIN}/cb","issuer":"https://as.example","authorizationEndpoint":"https://as.example/authorize","tokenEndpoint":"https://as.example/token","revocationEndpoint":"https://as.example/revoke","resourceServers":["{API}"],{kind}}}"#
    );
    let mut run = Run {
        world: world::new(seed, TABS, faults),
        rng,
        is_shared: kind.contains("origin"),
        config,
        clients: BTreeMap::new(),
        records_fail,
        responses: Vec::new(),
    };
    for _ in 0..run.rng.below(60) + 10 {
        run.act();
        let steps = run.rng.below(60);
        run.go_on(steps);
    }
    run.settle();
    drop(std::panic::take_hook());
    let steps = run.world.borrow().steps;
    // SAFETY: the run and its clients are not used after this.
    #[allow(unsafe_code, reason = "see `world::end`")]
    unsafe {
        world::end(run.world);
    }
    steps
}

impl Run {
    fn note(&self, what: impl FnOnce() -> String) {
        self.world.borrow_mut().note(what);
    }

    fn go_on(&mut self, steps: u64) {
        for _ in 0..steps {
            if !world::step(self.world) {
                return;
            }
            self.follow();
        }
    }

    /// Lets so much time pass.
    fn advance(&mut self, milliseconds: u64) {
        world::after(self.world, milliseconds, |_| {});
        let end = self.world.borrow().now + milliseconds;
        let mut steps = 0;
        while (self.world.borrow().now < end || world::is_busy(self.world))
            && world::step(self.world)
        {
            self.follow();
            steps += 1;
            assert!(steps < 200_000, "something goes on for ever");
        }
    }

    /// A page that leaves for the provider comes back from there.
    fn follow(&mut self) {
        let leaving = {
            let inner = &mut *self.world.borrow_mut();
            let mut shown = inner.tabs.iter().filter_map(|tab| tab.page);
            let found = shown.find(|page| inner.pages[*page].leaving.is_some());
            found.map(|page| {
                let url = inner.pages[page].leaving.take().unwrap_or_default();
                (inner.pages[page].tab, inner.server.authorize(&url))
            })
        };
        if let Some((tab, back)) = leaving {
            self.responses.push((tab, back.clone()));
            match self.rng.chance(80) {
                true => self.open_changed(tab, &back),
                false => self.open(tab, &back),
            }
        }
    }

    /// Opens a response that somebody has changed on its way: no session may come of it.
    fn open_changed(&mut self, tab: usize, back: &str) {
        let (before, state) = back.split_once("&state=").expect("a state");
        let (start, code) = before.split_once("?code=").expect("a code");
        let (code, issuer) = code.split_once('&').expect("an issuer");
        let href = match self.rng.below(7) {
            0 => format!("{before}&state=ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
            1 => before.to_string(),
            2 => format!("{back}&state={state}"),
            3 => back.replace("as.example", "evil.example"),
            4 => back.replace("/cb?", "/cb/?"),
            5 => format!("{start}?error=access_denied&{issuer}&state={state}"),
            _ => {
                let others = self.responses.iter().map(|(_, back)| back);
                let others: Vec<_> = others.filter(|other| !other.contains(code)).collect();
                let Some(other) = self.rng.pick(&others) else {
                    return self.open(tab, back);
                };
                let (_, other) = other.split_once("?code=").expect("a code");
                let (other, _) = other.split_once('&').expect("an issuer");
                format!("{start}?code={other}&{issuer}&state={state}")
            }
        };
        self.note(|| format!("the response is changed: {href}"));
        self.open_as(tab, &href, true);
    }

    /// Somebody opens a response that there was before: the one that was changed, as it was, or one that was answered.
    fn open_again(&mut self) {
        if let Some((tab, back)) = self.rng.pick(&self.responses).cloned() {
            self.note(|| format!("tab {tab} opens a response again"));
            self.open(tab, &back);
        }
    }

    fn open(&mut self, tab: usize, href: &str) {
        self.open_as(tab, href, false);
    }

    fn open_as(&mut self, tab: usize, href: &str, is_forged: bool) {
        let page = world::open(self.world, tab);
        let client = Client::new(page);
        self.clients.insert(page.id, client);
        let href = href.to_string();
        let is_response = href.contains("code=");
        let here = page;
        let world = self.world;
        page.spawn_task(Box::pin(async move {
            // StrictMode asks twice at once.
            let twice = client;
            let same = href.clone();
            let second = Rc::new(RefCell::new(None));
            let slot = second.clone();
            here.spawn_task(Box::pin(async move {
                let answer = twice.handle_redirect(&same, true).await;
                *slot.borrow_mut() = Some(answer.is_ok());
            }));
            let first = client.handle_redirect(&href, true).await;
            assert!(
                !is_forged || !matches!(first, Ok(Some(_))),
                "a session comes of {href}"
            );
            if let (true, Some(second)) = (is_response, *second.borrow()) {
                assert!(first.is_ok() || !second, "two calls get two answers");
            }
            if let Ok(None) = first {
                restore(client).await;
                // What a page of this tab had begun to leave is left by now.
                let inner = &mut *world.borrow_mut();
                for page in inner.pages.iter_mut().filter(|page| page.tab == tab) {
                    page.has_left = page.leaves.clone();
                }
            }
        }));
    }

    fn tab(&mut self) -> usize {
        self.rng.index(TABS)
    }

    /// A page that is shown.
    fn page(&mut self) -> Option<Page> {
        let shown: Vec<_> = {
            let inner = self.world.borrow();
            inner.tabs.iter().filter_map(|tab| tab.page).collect()
        };
        let id = *self.rng.pick(&shown)?;
        Some(self.page_of(id))
    }

    fn act(&mut self) {
        let tab = self.tab();
        match self.rng.below(100) {
            0..12 => self.open(tab, ORIGIN),
            12..22 => self.log_in(),
            22..55 => drop(self.call()),
            55..60 => self.log_out(),
            60..66 => {
                let shown = self.world.borrow().tabs[tab].page;
                if let Some(page) = shown {
                    world::die(self.world, page);
                }
            }
            66..68 => world::go_back(self.world, tab),
            68 => self.open_again(),
            69..72 => self.duplicate(tab),
            72..84 => {
                let most = [1_000, 30_000, LIFE, 3 * LIFE][self.rng.index(4)];
                let time = self.rng.below(most);
                self.advance(time);
            }
            84..87 => {
                // The device sleeps: timers come late.
                let time = self.rng.below(3 * LIFE);
                self.note(|| format!("the device sleeps {time}"));
                self.world.borrow_mut().now += time;
            }
            // Where a browser has no locks, a lease trusts the clock.
            87..90 if self.world.borrow().faults.has_no_locks => {}
            87..90 => {
                let wrong = self.rng.below(10_000_000) as i64 - 5_000_000;
                self.world.borrow_mut().wrong = wrong;
            }
            90..94 => {
                let choice = self.rng.below(4);
                let inner = &mut *self.world.borrow_mut();
                inner.faults.offline = choice == 1;
                inner.faults.captive = choice == 2;
                inner.note(|| format!("the network: {choice}"));
            }
            94..97 => self.forge(),
            _ => {
                let inner = &mut *self.world.borrow_mut();
                let grants = inner.server.grants();
                if let Some(grant) = inner.rng.pick(&grants).copied()
                    && inner.rng.chance(200)
                {
                    inner.server.end(grant);
                    inner.note(|| format!("the user ends grant {grant}"));
                }
            }
        }
    }

    fn log_in(&mut self) {
        let Some(page) = self.page() else {
            return;
        };
        self.note(|| format!("page {} logs in", page.id));
        let client = self.clients[&page.id];
        let config = Config::parse(&self.config).and_then(|config| config.complete(Json::Null));
        let config = config.expect("a configuration");
        page.spawn_task(Box::pin(async move {
            if let Err(error) = client.start(config, None).await {
                let allowed = [ErrorCode::UnsupportedEnvironment];
                assert!(
                    matches!(&error, Failure::OAuth(error) if allowed.contains(&error.code)),
                    "{error:?}"
                );
            }
        }));
    }

    /// A call of the API: its outcome, once it is there.
    fn call(&mut self) -> Option<(PageId, Rc<RefCell<Option<Outcome>>>)> {
        let page = self.page()?;
        Some((page.id, self.call_in(page)))
    }

    fn call_in(&mut self, page: Page) -> Rc<RefCell<Option<Outcome>>> {
        use oauth_wasm::browser::port::Browser as _;
        let client = self.clients[&page.id];
        let outcome = Rc::new(RefCell::new(None));
        let here = outcome.clone();
        let world = self.world;
        let same = page;
        page.spawn_task(Box::pin(async move {
            let call = Call {
                url: format!("{API}/items"),
                method: "GET",
            };
            let result = match client.fetch_private(call).await {
                Ok(reply) => Ok(same.status(&reply)),
                Err(Failure::OAuth(error)) => Err(Some(error.code)),
                Err(Failure::Native(_)) => Err(None),
            };
            world
                .borrow_mut()
                .note(|| format!("page {} has called: {result:?}", same.id));
            *here.borrow_mut() = Some(result);
        }));
        outcome
    }

    fn log_out(&mut self) {
        let Some(page) = self.page() else {
            return;
        };
        let revoke = self.rng.chance(300);
        self.note(|| format!("page {} logs out, revoke {revoke}", page.id));
        let client = self.clients[&page.id];
        let world = self.world;
        let is_shared = self.is_shared;
        page.spawn_task(Box::pin(async move {
            {
                let inner = &mut *world.borrow_mut();
                inner.last_logout = Some(inner.now);
                // What tabs share may come back where it was only changed for another session.
                let is_known = !is_shared || inner.server.grants().len() == 1;
                let page = &mut inner.pages[page.id];
                page.left.extend(page.used.iter().filter(|_| is_known));
                // Of those that it has had, it has this one now.
                page.leaves.extend(page.meant);
            }
            let wanted = LogoutRequest {
                revoke,
                end_session: None,
                navigate: None,
            };
            let _ = client.logout(wanted).await;
            let inner = &mut *world.borrow_mut();
            let page = &mut inner.pages[page.id];
            page.has_left = page.leaves.clone();
        }));
    }

    /// A tab is duplicated: its storage is copied, its page is not.
    fn duplicate(&mut self, from: usize) {
        let to = self.tab();
        if to != from {
            let shown = self.world.borrow().tabs[to].page;
            if let Some(page) = shown {
                world::die(self.world, page);
            }
            {
                let inner = &mut *self.world.borrow_mut();
                let storage = inner.tabs[from].storage.clone();
                inner.tabs[to].storage = storage;
                // It is a new tab in the place of one that was closed, and with that went what it had begun to leave.
                for page in inner.pages.iter_mut().filter(|page| page.tab == to) {
                    page.leaves = page.has_left.clone();
                }
                inner.note(|| format!("tab {from} is duplicated to tab {to}"));
            }
            self.open(to, ORIGIN);
        }
    }

    /// Somebody who is none of ours speaks on the channel.
    fn forge(&mut self) {
        let name = {
            let inner = self.world.borrow();
            let name = inner.records.keys().next().cloned().unwrap_or_default();
            name.trim_start_matches("session.").to_string()
        };
        let messages = [
            format!(r#"{{"said":"ended","name":"{name}"}}"#),
            format!(r#"{{"said":"renewed","name":"{name}"}}"#),
            format!(r#"{{"said":"started","name":"{name}"}}"#),
            r#"{"ask":"me"}"#.to_string(),
            r#"{"to":"you"}"#.to_string(),
            "nonsense".to_string(),
        ];
        let message = messages[self.rng.index(messages.len())].clone();
        let length = self.rng.below(100) as usize;
        tell(self.world, None, &message, &vec![7; length]);
    }

    /// The network is good again: whatever can go on goes on, and nothing hangs.
    fn settle(&mut self) {
        {
            let inner = &mut *self.world.borrow_mut();
            inner.faults = Faults {
                has_no_locks: inner.faults.has_no_locks,
                has_no_records: inner.faults.has_no_records,
                ..Faults::default()
            };
            inner.note(|| "everything works again".to_string());
        }
        for _ in 0..40 {
            self.advance(10_000);
        }
        for round in 0..3 {
            self.note(|| format!("round {round}"));
            for page in self.shown() {
                self.judge(page, round == 2);
            }
            self.advance(LIFE + 60_000);
        }
    }

    fn shown(&self) -> Vec<Page> {
        let inner = self.world.borrow();
        let shown = inner.tabs.iter().filter_map(|tab| tab.page);
        shown
            .map(|id| Page::new(self.world, id, inner.pages[id].held))
            .collect()
    }

    fn page_of(&self, id: PageId) -> Page {
        Page::new(self.world, id, self.world.borrow().pages[id].held)
    }

    fn judge(&mut self, page: Page, is_last: bool) {
        let has_session = self.clients[&page.id].describe_session().is_some();
        let outcome = self.call_in(page);
        for _ in 0..40 {
            if outcome.borrow().is_some() || !page.is_alive() {
                break;
            }
            self.advance(10_000);
        }
        if !page.is_alive() {
            return;
        }
        let outcome = outcome
            .borrow()
            .unwrap_or_else(|| panic!("page {}: a call hangs", page.id));
        let inner = self.world.borrow();
        let grant = inner.pages[page.id].meant;
        let goes_on = grant.is_some_and(|grant| inner.server.can_go_on(grant));
        match outcome {
            Ok(200) => {
                // With one login only it is known which session a page had that logged out.
                let left = self.is_shared && !self.records_fail;
                let left = left && inner.server.grants().len() == 1;
                let left = left
                    && inner
                        .pages
                        .iter()
                        .any(|other| other.has_left.contains(&grant.unwrap_or(0)));
                assert!(
                    !left,
                    "page {} calls although its session was left",
                    page.id
                );
            }
            Ok(status) => assert!(!goes_on, "page {}: {status} though it can go on", page.id),
            Err(Some(ErrorCode::LoginRequired | ErrorCode::UndeclaredResourceServer))
                if !has_session => {}
            Err(Some(ErrorCode::LoginRequired | ErrorCode::UndeclaredResourceServer))
                if grant.is_some_and(|grant| {
                    let began = inner.server.began(grant);
                    inner.last_logout.is_some_and(|at| at >= began)
                }) || self.records_fail
                    || inner.gave_up
                    || (self.is_shared && inner.server.grants().len() > 1) => {}
            // Another page may still send the refresh token once more; or one has died when it was about to, twice.
            Err(Some(ErrorCode::SessionIndeterminate))
                if !is_last || inner.gave_up || inner.records.values().any(is_spent) => {}
            Err(Some(
                ErrorCode::SessionEnded
                | ErrorCode::SessionIndeterminate
                | ErrorCode::LoginRequired
                | ErrorCode::UndeclaredResourceServer,
            )) => assert!(
                !goes_on,
                "page {}: {outcome:?} though it can go on",
                page.id
            ),
            Err(other) => panic!("page {}: {other:?} though everything works", page.id),
        }
    }
}

#[cfg(feature = "full")]
async fn restore(client: Client<Page>) {
    let _ = client.restore(String::new()).await;
}

#[cfg(not(feature = "full"))]
async fn restore(_: Client<Page>) {}
