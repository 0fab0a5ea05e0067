//! The client driven by hand: one thing after the other, and what the servers saw of it.

use crate::page::{API, Call, ORIGIN, Page};
use crate::server::LIFE;
use crate::world::{self, Faults, Scripted, Seen, World};
use oauth_wasm::browser::port::Browser as _;
use oauth_wasm::client::{Client, Failure, LogoutRequest};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::json::Json;
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

/// How long anything may take, in milliseconds: longer than the longest patience of the client.
const LONG: u64 = 200_000;

/// What comes of something: the text of an error of ours as JSON, or what the browser threw.
pub type Outcome<T> = Result<T, String>;

/// One application in several tabs. The seed chooses the order of what happens at once.
pub struct Script {
    world: World,
    config: String,
}

impl Drop for Script {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in world::trace() {
                eprintln!("{line}");
            }
            eprintln!("with {}", self.config);
        }
    }
}

/// Something that goes on; its outcome, once it is there.
pub struct Running<T>(Rc<RefCell<Option<T>>>);

impl Script {
    /// `more`: members of the configuration besides.
    pub fn new(seed: u64, more: &str) -> Self {
        let faults = Faults {
            is_prompt: true,
            ..Faults::default()
        };
        Self {
            world: world::new(seed, 4, faults),
            config: format!(
                r#"{{"clientId":"c","redirectUri":"{ORIGIN}/cb","authorizationEndpoint":"https://as.example/authorize","tokenEndpoint":"https://as.example/token","revocationEndpoint":"https://as.example/revoke","resourceServers":["{API}"],{more}}}"#
            ),
        }
    }

    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.world.borrow_mut().faults);
    }

    /// The next request whose address ends so gets this answer.
    pub fn answer(&self, end: &'static str, scripted: Scripted) {
        self.world.borrow_mut().scripted.push((end, scripted));
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.world.borrow().seen.clone()
    }

    /// What arrived at the addresses that end so: this parameter of each request.
    pub fn parameters(&self, end: &str, name: &str) -> Vec<String> {
        let seen = self.seen();
        let there = seen.iter().filter(|seen| seen.url.ends_with(end));
        there
            .filter_map(|seen| seen.form.get(name).cloned())
            .collect()
    }

    /// The refresh tokens that have arrived at the token endpoint.
    pub fn refreshed(&self) -> Vec<String> {
        self.parameters("/token", "refresh_token")
    }

    /// The access tokens that have arrived at the API.
    pub fn called(&self) -> Vec<String> {
        let seen = self.seen();
        let there = seen.iter().filter(|seen| seen.url.starts_with(API));
        there
            .map(|seen| {
                let (_, token) = seen.authorization.split_once(' ').expect("a scheme");
                token.to_string()
            })
            .collect()
    }

    /// How often somebody asked whether a server is there.
    pub fn probes(&self) -> usize {
        let seen = self.seen();
        seen.iter().filter(|seen| seen.method == "HEAD").count()
    }

    /// Whether a refresh token of this page is under way.
    pub fn is_renewing(&self, page: Page) -> bool {
        !self.world.borrow().pages[page.id].outstanding.is_empty()
    }

    /// The grant that a token belongs to.
    pub fn grant_of(&self, token: &str) -> Option<u32> {
        self.world.borrow().server.grant_of(token)
    }

    /// The user takes back at the provider what a token belongs to.
    pub fn end_grant_of(&self, token: &str) {
        let grant = self.grant_of(token).expect("a token of ours");
        self.world.borrow_mut().server.end(grant);
    }

    /// The names of the locks that somebody holds.
    pub fn locks(&self) -> Vec<String> {
        self.world.borrow().locks.keys().cloned().collect()
    }

    /// The names of the records there are.
    pub fn records(&self) -> Vec<String> {
        self.world.borrow().records.keys().cloned().collect()
    }

    /// The keys of a tab's sessionStorage.
    pub fn keys(&self, tab: usize) -> Vec<String> {
        let inner = self.world.borrow();
        inner.tabs[tab].storage.keys().cloned().collect()
    }

    /// What the listeners of a page were told.
    pub fn events(&self, page: Page) -> Vec<String> {
        self.world.borrow().pages[page.id].events.clone()
    }

    /// Milliseconds since the script began.
    pub fn now(&self) -> u64 {
        self.world.borrow().now
    }

    /// Opens a page in a tab; it does nothing by itself.
    pub fn open(&self, tab: usize) -> Page {
        world::open(self.world, tab)
    }

    /// The page dies at whatever it waits for.
    pub fn die(&self, page: Page) {
        world::die(self.world, page.id);
    }

    /// One thing happens. False: nothing will ever happen.
    pub fn step(&self) -> bool {
        world::step(self.world)
    }

    /// Lets so much time pass, and whatever happens in it.
    pub fn advance(&self, milliseconds: u64) {
        world::after(self.world, milliseconds, |_| {});
        let end = self.now() + milliseconds;
        while (self.now() < end || world::is_busy(self.world)) && self.step() {}
    }

    /// The device sleeps: what was to happen meanwhile happens when it wakes.
    pub fn sleep(&self, milliseconds: u64) {
        self.world.borrow_mut().now += milliseconds;
    }

    /// The access tokens that were issued last are over.
    pub fn outlive(&self) {
        self.advance(LIFE + 1_000);
    }

    pub fn start<T: 'static>(
        &self,
        page: Page,
        work: impl Future<Output = T> + 'static,
    ) -> Running<T> {
        let outcome = Rc::new(RefCell::new(None));
        let here = outcome.clone();
        page.spawn_task(Box::pin(async move {
            let value = work.await;
            *here.borrow_mut() = Some(value);
        }));
        Running(outcome)
    }

    pub fn finish<T>(&self, running: Running<T>) -> T {
        let end = self.now() + LONG;
        while running.0.borrow().is_none() {
            assert!(self.now() < end && self.step(), "something hangs");
        }
        running.0.take().expect("it is there")
    }

    fn run<T: 'static>(&self, page: Page, work: impl Future<Output = T> + 'static) -> T {
        self.finish(self.start(page, work))
    }

    /// Starts a login and comes back from the provider: the address of its answer, and the page that is there now.
    pub fn go_and_come_back(&self, page: Page) -> (String, Page) {
        let config = Config::parse(&self.config).and_then(|config| config.complete(Json::Null));
        let config = config.expect("a configuration");
        let client = Client::new(page);
        let started = self.run(page, async move { client.start(config, None).await });
        assert!(matches!(started, Ok(None)), "the login does not start");
        let (tab, back) = {
            let inner = &mut *self.world.borrow_mut();
            let state = &mut inner.pages[page.id];
            let (url, _) = state.leaving.take().expect("the page is left");
            (state.tab, inner.server.authorize(&url, inner.now))
        };
        (back, self.open(tab))
    }

    /// Logs in in a tab: the page that has the session.
    pub fn log_in(&self, tab: usize) -> Page {
        let (back, page) = self.go_and_come_back(self.open(tab));
        let session = self.finish(self.answer_redirect(page, &back));
        assert!(matches!(session, Ok(Some(_))), "{session:?}");
        // What it tells the others is told.
        self.advance(5_000);
        page
    }

    pub fn answer_redirect(&self, page: Page, href: &str) -> Running<Outcome<Option<String>>> {
        let client = Client::new(page);
        let href = href.to_string();
        self.start(page, async move {
            client.handle_redirect(&href, true).await.map_err(text)
        })
    }

    /// Calls the API: the status of its answer.
    pub fn call(&self, page: Page) -> Outcome<u16> {
        self.finish(self.start_call(page))
    }

    pub fn start_call(&self, page: Page) -> Running<Outcome<u16>> {
        let client = Client::new(page);
        let call = Call::new("GET", format!("{API}/items"), self.now());
        self.start(page, async move {
            let reply = client.fetch_private(call).await;
            reply.map(|reply| page.status(&reply)).map_err(text)
        })
    }

    pub fn log_out(&self, page: Page, revoke: bool) -> Outcome<()> {
        self.finish(self.start_logout(page, revoke))
    }

    pub fn start_logout(&self, page: Page, revoke: bool) -> Running<Outcome<()>> {
        let client = Client::new(page);
        let wanted = LogoutRequest {
            revoke,
            end_session: None,
            navigate: None,
        };
        self.start(
            page,
            async move { client.logout(wanted).await.map_err(text) },
        )
    }

    /// What the page's session says of itself.
    pub fn session(&self, page: Page) -> Option<String> {
        Client::new(page).describe_session()
    }

    #[cfg(feature = "full")]
    pub fn restore(&self, page: Page) -> Option<String> {
        self.finish(self.start_restore(page))
    }

    #[cfg(feature = "full")]
    pub fn start_restore(&self, page: Page) -> Running<Option<String>> {
        let client = Client::new(page);
        self.start(page, async move { client.restore(String::new()).await })
    }
}

fn text(failure: Failure<&'static str>) -> String {
    match failure {
        Failure::OAuth(error) => error.to_json(),
        Failure::Native(reason) => reason.to_string(),
    }
}
