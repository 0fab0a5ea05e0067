//! One run: an application in several tabs, with a client at each of several providers, whatever happens to it, and what
//! must hold.

use crate::page::{
    Call, ORIGIN, Page, PageId, answer_overheard, client_id, client_of, is_spent, tell,
};
use crate::rng::Rng;
use crate::server::{
    self, GIVES_BACK, Grant, IMPLICIT, LENIENT, LIFE, NOBODY, PROVIDERS, Provider,
};
use crate::world::{self, Faults, World};
use oauth_wasm::client::{Client, Failure, LogoutRequest};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::ErrorCode;
use oauth_wasm::protocol::json::Json;
use std::cell::RefCell;
use std::rc::Rc;

const TABS: usize = 4;
/// Seconds that a login may take.
const PATIENCE: u32 = 600;
/// What the sessions at a provider are: their page's own, shared by the tabs, kept.
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

/// A client of the application.
struct Registration {
    provider: Provider,
    config: String,
    is_shared: bool,
    /// Whether they are their page's own.
    is_own: bool,
}

/// A response that a provider has sent.
#[derive(Clone)]
struct Response {
    tab: usize,
    href: String,
    /// When its login began, by the page's clock.
    started: u32,
}

/// How a response is opened.
#[derive(Clone, Copy, PartialEq)]
enum Opened {
    AsItWas,
    Changed,
    Again,
}

struct Run {
    world: World,
    rng: Rng,
    registrations: Vec<Registration>,
    /// Whether records fail now and then: then a logout may not reach the other tabs.
    records_fail: bool,
    /// Whether the disk is full now and then.
    fills: bool,
    /// Whether a page may begin with the part of the library that has no sessions besides its page's own.
    moves: bool,
    /// The responses that there have been so far.
    responses: Vec<Response>,
    /// Those of users who take their time, and when they come.
    under_way: Vec<(u64, Response)>,
}

fn register(provider: Provider, kind: &str) -> Registration {
    let (authorization_server, api) = (
        server::origin("as", provider),
        server::origin("api", provider),
    );
    let more = match provider {
        LENIENT => r#""refreshTokenReuse":true,"#.to_string(),
        IMPLICIT => r#""responseType":"token","#.to_string(),
        GIVES_BACK => format!(
            r#""refreshTokenReuse":false,"revocationRequest":{{"method":"DELETE","url":"{api}/me"}},"#
        ),
        _ => String::new(),
    };
    let id = client_id(provider);
    Registration {
        provider,
        config: format!(
            r#"{{"clientId":"{id}","redirectUri":"{ORIGIN}/cb","issuer":"{authorization_server}","authorizationEndpoint":"{authorization_server}/authorize","tokenEndpoint":"{authorization_server}/token","revocationEndpoint":"{authorization_server}/revoke","resourceServers":["{api}"],{more}{kind}}}"#
        ),
        is_shared: kind.contains("origin"),
        is_own: !kind.contains("origin") && !kind.contains("keep"),
    }
}

/// Runs one schedule; panics with its trace where something does not hold. Gives how many steps it took.
pub fn run(seed: u64) -> u64 {
    let mut rng = Rng::new(seed ^ 0xA5A5);
    let mut registrations = vec![register(0, KINDS[rng.index(KINDS.len())])];
    // In most runs there is one client only, and more happens to it.
    if rng.chance(400) {
        for provider in 1..PROVIDERS {
            let kind = match provider {
                IMPLICIT => r#""allowHttp":false"#,
                _ => KINDS[rng.index(KINDS.len())],
            };
            if rng.chance(500) {
                registrations.push(register(provider, kind));
            }
        }
    }
    let mut often = |part: u64, most: u64| match rng.chance(part) {
        true => rng.below(most),
        false => 0,
    };
    let faults = Faults {
        lost_request: often(500, 300),
        lost_answer: often(500, 300),
        slow: often(500, 300),
        mood: often(500, 400),
        odd: often(300, 300),
        records: often(200, 60),
        storage: often(200, 300),
        overhears: often(200, 1000),
        has_no_locks: often(200, 10) > 0,
        has_no_records: often(50, 10) > 0,
        ..Faults::default()
    };
    let configs: Vec<_> = registrations
        .iter()
        .map(|one| one.config.as_str())
        .collect();
    world::trace_panics(format!("seed {seed} with {configs:?} {faults:?}"));
    let moves = registrations.iter().all(|one| one.is_own);
    let fills = often(150, 10) > 0;
    let records_fail = faults.records > 0 || fills;
    let mut run = Run {
        world: world::new(seed, TABS, faults),
        rng,
        registrations,
        records_fail,
        fills,
        moves,
        responses: Vec::new(),
        under_way: Vec::new(),
    };
    for _ in 0..run.rng.below(60) + 10 {
        run.act();
        if run.moves && run.rng.chance(60) {
            let steps = run.rng.below(8);
            run.go_on(steps);
            run.move_sessions();
        }
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
            found.and_then(|page| {
                let (url, started) = inner.pages[page].leaving.take()?;
                let tab = inner.pages[page].tab;
                let href = inner.server.authorize(&url, inner.now);
                Some(Response { tab, href, started })
            })
        };
        let now = self.world.borrow().now;
        if let Some(response) = leaving {
            // Now and then the user takes longer than a login may.
            let at = match self.rng.chance(60) {
                true => now + self.rng.below(900_000),
                false => now,
            };
            self.under_way.push((at, response));
        }
        if let Some(next) = self.under_way.iter().position(|(at, _)| *at <= now) {
            let (_, response) = self.under_way.swap_remove(next);
            self.responses.push(response.clone());
            match self.rng.chance(80) {
                true => self.open_changed(response),
                false => self.open_response(response, Opened::AsItWas),
            }
        }
    }

    /// Opens a response that somebody has changed on its way: no session may come of it.
    fn open_changed(&mut self, response: Response) {
        let back = response.href.as_str();
        let (before, state) = back.split_once("&state=").expect("a state");
        let (_, issuer) = before.split_once("&iss=").expect("an issuer");
        let (start, mark) = match before.split_once("/cb#") {
            Some((start, _)) => (start, '#'),
            None => (before.split_once("/cb?").expect("a query").0, '?'),
        };
        let code = |href: &str| {
            let (_, code) = href.split_once("?code=")?;
            Some(code.split_once('&')?.0.to_string())
        };
        let changed = match self.rng.below(7) {
            0 => format!("{before}&state=ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
            1 => before.to_string(),
            2 => format!("{back}&state={state}"),
            3 => back.replace(".example&", ".evil&"),
            4 => back.replace("/cb", "/cb/"),
            5 => format!("{start}/cb{mark}error=access_denied&iss={issuer}&state={state}"),
            _ => {
                let own = code(back);
                let others = self.responses.iter().filter_map(|other| code(&other.href));
                let others: Vec<_> = others.filter(|other| Some(other) != own.as_ref()).collect();
                match (own, self.rng.pick(&others)) {
                    (Some(own), Some(other)) => back.replace(&own, other),
                    _ => return self.open_response(response, Opened::AsItWas),
                }
            }
        };
        self.note(|| format!("the response is changed: {changed}"));
        let response = Response {
            href: changed,
            ..response
        };
        self.open_response(response, Opened::Changed);
    }

    /// Somebody opens a response that there was before: the one that was changed, as it was, or one that was answered.
    fn open_again(&mut self) {
        if let Some(response) = self.rng.pick(&self.responses).cloned() {
            self.note(|| format!("tab {} opens a response again", response.tab));
            self.open_response(response, Opened::Again);
        }
    }

    /// A page at the application's own address.
    fn open(&mut self, tab: usize) {
        let response = Response {
            tab,
            href: ORIGIN.to_string(),
            started: 0,
        };
        self.open_response(response, Opened::Again);
    }

    fn open_response(&mut self, response: Response, opened: Opened) {
        use oauth_wasm::browser::port::Browser as _;
        let Response { tab, href, started } = response;
        let page = world::open(self.world, tab);
        let cleans = {
            let faults = &self.world.borrow().faults;
            !self.records_fail && !faults.has_no_locks && !faults.has_no_records
        };
        let is_response = href.contains("code=") || href.contains("access_token=");
        let world = self.world;
        page.spawn_task(Box::pin(async move {
            let client = Client::new(world::part_of(world, page.id).await);
            // StrictMode asks twice at once.
            let same = href.clone();
            let second = Rc::new(RefCell::new(None));
            let slot = second.clone();
            let is_waited_for = href.split_once("&state=").is_some_and(|(_, state)| {
                page.load(&format!("oauth-wasm.pending.{state}")).is_some()
            });
            let age = page.wall().saturating_sub(started);
            let (orphans, population, opened_at) = {
                let inner = world.borrow();
                (inner.orphans(), inner.population(), inner.now)
            };
            page.spawn_task(Box::pin(async move {
                let twice = Client::new(world::part_of(world, page.id).await);
                let answer = twice.handle_redirect(&same, true).await;
                *slot.borrow_mut() = Some(answer.is_ok());
            }));
            let first = client.handle_redirect(&href, true).await;
            if let Ok(Some(session)) = &first
                && session.contains(r#""keep":"device""#)
                && cleans
                && world.borrow().population() == population
            {
                let inner = world.borrow();
                let left = inner.orphans();
                let mut left = left.intersection(&orphans);
                let left = left.find(|name| {
                    if inner.was_held(name, opened_at) {
                        return false;
                    }
                    let client = client_of(&inner.records[*name]).map(client_id);
                    client.is_some_and(|id| session.contains(&format!(r#""clientId":"{id}""#)))
                });
                assert!(
                    left.is_none(),
                    "{left:?} outlives the next login of its client"
                );
            }
            let is_late = is_response && age > PATIENCE;
            assert!(
                opened != Opened::Changed && !is_late || !matches!(first, Ok(Some(_))),
                "after {age} seconds a session comes of {href}"
            );
            // One that nobody has changed and for which a login waits is refused for no reason of its own.
            if opened == Opened::AsItWas
                && is_waited_for
                && age + 2 < PATIENCE
                && let Err(Failure::OAuth(error)) = &first
            {
                let allowed = [
                    ErrorCode::NetworkError,
                    ErrorCode::Timeout,
                    ErrorCode::InvalidTokenResponse,
                    ErrorCode::RateLimited,
                    ErrorCode::ServerError,
                    ErrorCode::LoginRequired,
                ];
                assert!(
                    allowed.contains(&error.code),
                    "{error:?} after {age} s: {href}"
                );
            }
            if let (true, Some(second)) = (is_response, *second.borrow()) {
                assert!(first.is_ok() || !second, "two calls get two answers");
            }
            if let Ok(None) = first {
                restore(Client::new(world::part_of(world, page.id).await)).await;
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
            0..12 => self.open(tab),
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
            69 if self.fills => {
                let inner = &mut *self.world.borrow_mut();
                let full = !inner.faults.keeps_nothing;
                inner.faults.keeps_nothing = full;
                inner.note(|| format!("the disk is full: {full}"));
            }
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
            // Where a browser has no locks, a lease trusts the clock that all its pages share: one that is set onwards ends
            // the turn of who is at it, and two would send a refresh token at once. Nothing else there is known to all.
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
            94..96 => self.forge(),
            96 => self.go_offline(),
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
        let world = self.world;
        let which = self.rng.index(self.registrations.len());
        let config = Config::parse(&self.registrations[which].config);
        let config = config.and_then(|config| config.complete(Json::Null));
        let config = config.expect("a configuration");
        page.spawn_task(Box::pin(async move {
            let client = Client::new(world::part_of(world, page.id).await);
            if let Err(error) = client.start(config, None).await {
                let allowed = [
                    ErrorCode::UnsupportedEnvironment,
                    ErrorCode::StorageBlocked,
                    ErrorCode::StorageFull,
                ];
                assert!(
                    matches!(&error, Failure::OAuth(error) if allowed.contains(&error.code)),
                    "{error:?}"
                );
            }
        }));
    }

    /// A call of an API: mostly of one that the page has a client for.
    fn call(&mut self) -> Option<Rc<RefCell<Option<Outcome>>>> {
        let page = self.page()?;
        let provider = match self.rng.chance(30) {
            true => NOBODY,
            false => self.registrations[self.rng.index(self.registrations.len())].provider,
        };
        let method = if self.rng.chance(700) { "GET" } else { "POST" };
        Some(self.call_in(page, provider, method))
    }

    fn call_in(
        &mut self,
        page: Page,
        provider: Provider,
        method: &'static str,
    ) -> Rc<RefCell<Option<Outcome>>> {
        use oauth_wasm::browser::port::Browser as _;
        let outcome = Rc::new(RefCell::new(None));
        let here = outcome.clone();
        let world = self.world;
        let url = format!("{}/items", server::origin("api", provider));
        page.spawn_task(Box::pin(async move {
            let client = Client::new(world::part_of(world, page.id).await);
            let began = world.borrow().now;
            let call = Call::new(method, url, began);
            let sent = call.sent.clone();
            let result = match client.fetch_private(call).await {
                Ok(reply) => Ok(page.status(&reply)),
                Err(Failure::OAuth(error)) => Err(Some(error.code)),
                Err(Failure::Native(_)) => Err(None),
            };
            let described = client.describe_session().unwrap_or_default();
            assert!(!described.contains("tk."), "a token in {described}");
            let inner = &mut *world.borrow_mut();
            inner.note(|| format!("page {} has called: {result:?}", page.id));
            if provider == NOBODY {
                let refused = [
                    ErrorCode::LoginRequired,
                    ErrorCode::UndeclaredResourceServer,
                ];
                let is_refused = matches!(result, Err(Some(code)) if refused.contains(&code));
                assert!(is_refused, "{result:?} of an API that nobody has declared");
            }
            if result == Err(Some(ErrorCode::SessionEnded)) {
                // The page may mean another one by now.
                let asked = inner.pages[page.id].asked.iter();
                let is_dead = asked
                    .filter(|grant| inner.server.provider_of(**grant) == provider)
                    .any(|grant| inner.server.is_dead(*grant));
                assert!(is_dead, "a session ends by its server's own word only");
            }
            if result.is_ok() {
                assert!(!sent.borrow().is_empty());
            }
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
        let world = self.world;
        let shared: Vec<_> = (self.registrations.iter())
            .filter(|one| one.is_shared)
            .map(|one| one.provider)
            .collect();
        page.spawn_task(Box::pin(async move {
            let client = Client::new(world::part_of(world, page.id).await);
            {
                let inner = &mut *world.borrow_mut();
                inner.last_logout = Some(inner.now);
                // What tabs share may come back where it was only changed for another session.
                let server = &inner.server;
                let is_known = |grant: &&Grant| {
                    let provider = server.provider_of(**grant);
                    !shared.contains(&provider) || server.grants_at(provider).len() == 1
                };
                let page = &mut inner.pages[page.id];
                page.left.extend(page.used.iter().filter(is_known));
                // Of those that it has had, it has these now.
                page.leaves.extend(page.meant.values());
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

    /// Something wants another part of the library, once in a page: it has the sessions from now on. What the application
    /// asks for meanwhile waits, and what was under way goes on where it is.
    fn move_sessions(&mut self) {
        let Some(page) = self.page() else {
            return;
        };
        let world = self.world;
        if world.borrow().pages[page.id].before.is_some() {
            return;
        }
        self.note(|| format!("the sessions of page {} move", page.id));
        let from = Client::new(page);
        let to = Client::new(world::make_another_part(world, page.id));
        page.spawn_task(Box::pin(async move {
            let text = from.hand_over().await;
            to.go_on_with(text.as_bytes());
            world::have_moved(world, page.id);
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
            self.open(to);
        }
    }

    /// The network is gone for longer than the access tokens live, and the application goes on calling.
    fn go_offline(&mut self) {
        self.note(|| "the network is gone".to_string());
        self.world.borrow_mut().faults.offline = true;
        let time = self.rng.below(2 * LIFE);
        self.advance(time);
        for _ in 0..self.rng.below(6) {
            drop(self.call());
            let steps = self.rng.below(30);
            self.go_on(steps);
        }
        self.world.borrow_mut().faults.offline = false;
        self.note(|| "the network is back".to_string());
    }

    /// Somebody who is none of ours speaks on the channel.
    fn forge(&mut self) {
        if self.rng.chance(200) {
            return answer_overheard(self.world);
        }
        let name = {
            let inner = self.world.borrow();
            let names: Vec<_> = inner.records.keys().cloned().collect();
            let name = self.rng.pick(&names).cloned().unwrap_or_default();
            name.trim_start_matches("session.").to_string()
        };
        let messages = [
            format!(r#"{{"said":"ended","name":"{name}"}}"#),
            format!(r#"{{"said":"renewed","name":"{name}"}}"#),
            format!(r#"{{"said":"started","name":"{name}"}}"#),
            r#"{"ask":"me","of":""}"#.to_string(),
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
                for which in 0..self.registrations.len() {
                    self.judge(page, which, round == 2);
                }
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

    fn judge(&mut self, page: Page, which: usize, is_last: bool) {
        let Registration {
            provider,
            is_shared,
            ..
        } = self.registrations[which];
        if !page.is_shown() {
            return;
        }
        if let Some(before) = self.world.borrow().pages[page.id].before {
            let before = Client::new(Page::new(self.world, page.id, before));
            let left = before.describe_session();
            assert!(left.is_none(), "page {}: {left:?} did not move", page.id);
        }
        let client = Client::new(page);
        let has_session = client.describe_session_of(&client_id(provider)).is_some();
        let outcome = self.call_in(page, provider, "GET");
        for _ in 0..40 {
            if outcome.borrow().is_some() || !page.is_shown() {
                break;
            }
            self.advance(10_000);
        }
        if !page.is_shown() {
            return;
        }
        let outcome = outcome
            .borrow()
            .unwrap_or_else(|| panic!("page {}: a call hangs", page.id));
        let inner = self.world.borrow();
        let grant = inner.pages[page.id].meant.get(&provider).copied();
        let goes_on = grant.is_some_and(|grant| inner.server.can_go_on(grant));
        let has_one_grant = inner.server.grants_at(provider).len() == 1;
        let gave_up = inner.gave_up.contains(&provider);
        let is_spent = |record| is_spent(record) && client_of(record) == Some(provider);
        match outcome {
            Ok(200) => {
                // With one login only it is known which session a page had that logged out.
                let left = is_shared && !self.records_fail && has_one_grant;
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
                    || gave_up
                    || (is_shared && !has_one_grant) => {}
            // Another page may still send the refresh token once more; or one has died when it was about to, twice.
            Err(Some(ErrorCode::SessionIndeterminate))
                if !is_last || gave_up || inner.records.values().any(is_spent) => {}
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
