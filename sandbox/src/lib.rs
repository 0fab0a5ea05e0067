//! A provider on your own machine: an authorization server and an API that behave as Mercado Libre and Appfigures
//! document, with the faults a real network adds.
//!
//! ```text
//! server, wasm   a socket around it (axum), or Node's (npm/server.mjs): they obey delays and drops
//! lib (Sandbox)  one request in, one answer out: fault, route, CORS, log
//!   authorization  /authorization, /login, /consent      pages  their HTML
//!   mercadolibre   /oauth/token, /users, /items           errors the documented errors as a table
//!   seller         /orders, /questions, permissions
//!   appfigures     /v2/…: tokens, scopes, routes, limits
//!   metadata       RFC 8414 documents                     control  /_sandbox/…
//!   grants         codes, access tokens, refresh tokens
//! settings       every switch and fault                   log    what was received
//! message        plain requests and answers               state  clock, randomness, sessions
//! ```
//!
//! It shares no code with the library it tests: it computes S256 itself, or both could be wrong together.

mod appfigures;
mod authorization;
mod control;
mod errors;
mod gate;
mod grants;
mod log;
mod mercadolibre;
mod message;
mod metadata;
mod pages;
mod seller;
#[cfg(feature = "server")]
mod server;
mod settings;
mod sites;
mod state;
#[cfg(target_family = "wasm")]
mod wasm;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use appfigures::{Route, routes};
pub use errors::{DocumentedError, Shape, documented_errors};
pub use http;
pub use log::Received;
pub use seller::{Permission, functional_permissions};
#[cfg(feature = "server")]
pub use server::serve;
pub use settings::{
    Application, Fault, FaultKind, FragmentShape, PersonalAccessToken, Provider, Settings, User,
    Wording,
};
pub use sites::{Site, sites};

use gate::Gate;
use message::{Answer, Request};
use state::State;

/// Extension of an answer that is to be sent after this long. server.rs obeys it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delayed(pub Duration);

/// Extension of an answer that is never to be sent: the connection closes instead. server.rs obeys it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

/// The whole provider, state inside. Every method takes `&self`; share it in an `Arc`.
pub struct Sandbox {
    state: Mutex<State>,
    gate: Gate,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl Sandbox {
    /// A provider with the default applications, users and switches of [`Settings::default`].
    pub fn new() -> Sandbox {
        Sandbox {
            state: Mutex::new(State::new(Settings::default())),
            gate: Gate::new(),
        }
    }

    /// Answers one request. Does no IO and never waits: a delay or a drop is an extension of the answer
    /// ([`Delayed`], [`Dropped`]), and a hold ([`Sandbox::hold`]) is the server's affair.
    pub fn handle(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let request = Request::new(request);
        if request.path.starts_with("/_sandbox") {
            return message::with_cors(control::handle(self, &request));
        }
        let mut state = self.lock();
        let answer = state.answer(&request);
        state.record(&request, &answer);
        answer
    }

    /// Answers one request as a server does: it waits while the request is held, and closes the connection afterwards,
    /// unless the settings say otherwise. What remains of the answer's extensions is for who has the socket.
    pub async fn receive(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        if let Some(count) = control::awaited_holds(request.uri()) {
            self.until_held(count).await;
        }
        let path = request.uri().path();
        if request.method() != http::Method::OPTIONS && !path.starts_with("/_sandbox") {
            self.gate.pass(request.method().as_str(), path).await;
        }
        let answer = self.handle(request);
        if self.lock().settings.keep_alive {
            answer
        } else {
            message::with(answer, "connection", "close")
        }
    }

    /// Changes switches and faults.
    pub fn change(&self, f: impl FnOnce(&mut Settings)) {
        f(&mut self.lock().settings);
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Every request received so far, oldest first, `/_sandbox` ones excepted.
    pub fn requests(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    pub fn forget_requests(&self) {
        self.lock().received.clear();
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: u64) {
        let mut state = self.lock();
        state.advanced = state.advanced.saturating_add(seconds);
    }

    /// The clock: seconds since 1970.
    pub fn now(&self) -> u64 {
        self.lock().now()
    }

    /// An authorization code as if the first user had consented, nothing checked. `scope` is separated by spaces;
    /// `code_challenge` is the challenge and its method, `("E9Mel…", "S256")`. An Appfigures application gets an
    /// Appfigures code.
    pub fn grant_code(
        &self,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        code_challenge: Option<(&str, &str)>,
    ) -> String {
        authorization::grant_code(
            &mut self.lock(),
            client_id,
            redirect_uri,
            scope,
            code_challenge,
        )
    }

    /// How often a refresh token came in that had been spent before.
    pub fn refresh_tokens_spent_twice(&self) -> usize {
        self.lock().grants.spent_twice
    }

    /// Makes every access token invalid now. Refresh tokens stay.
    pub fn expire_tokens(&self) {
        self.lock().grants.expire_access_tokens();
    }

    /// Ends every grant, as a change of password does: access and refresh tokens are dead.
    pub fn revoke_grants(&self) {
        self.lock().grants.revoke_all();
    }

    /// Everything as it was at the start: settings, grants, sessions, clock, log. Held requests are let go.
    pub fn reset(&self) {
        *self.lock() = State::new(Settings::default());
        self.gate.release();
    }

    /// Requests whose path, or `METHOD path`, starts so wait in the server, not yet processed, until [`Sandbox::release`].
    /// Preflights pass.
    pub fn hold(&self, path_prefix: &str) {
        self.gate.hold(path_prefix);
    }

    /// Lets every held request go on, and holds no more.
    pub fn release(&self) {
        self.gate.release();
    }

    /// How many requests are held now.
    pub fn held(&self) -> usize {
        self.gate.held()
    }

    /// Resolves when at least `count` requests are held: what a test awaits instead of sleeping.
    pub async fn until_held(&self, count: usize) {
        self.gate.until_held(count).await;
    }

    /// A panic in one request must not end the sandbox for the others: a poisoned lock is still a lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Fault, route, CORS: the life of one request.
    fn answer(&mut self, request: &Request) -> Answer {
        let pages = authorization::is_page(&request.path);
        let kind = self.take_fault(request);
        let answer = match kind
            .as_ref()
            .and_then(|kind| kind.instead_of_processing(&self.settings))
        {
            Some(answer) => answer,
            None => {
                let answer = self.route(request);
                kind.map_or(answer.clone(), |kind| kind.after_processing(answer))
            }
        };
        if pages || !self.settings.cors {
            answer
        } else {
            message::with_cors(answer)
        }
    }

    fn route(&mut self, request: &Request) -> Answer {
        if authorization::is_page(&request.path) {
            return authorization::handle(self, request);
        }
        if request.method == http::Method::OPTIONS {
            return message::preflight();
        }
        if appfigures::is_for(request) {
            return appfigures::handle(self, request);
        }
        match request.path.strip_prefix("/.well-known/") {
            Some(document) => metadata::handle(self, request, document),
            None => mercadolibre::handle(self, request),
        }
    }

    /// The first fault meant for this request, counted down. A preflight is spared unless the fault names OPTIONS.
    fn take_fault(&mut self, request: &Request) -> Option<FaultKind> {
        let fault = self
            .settings
            .faults
            .iter_mut()
            .find(|fault| fault.is_for(&request.method, &request.path))?;
        fault.times = fault.times.saturating_sub(1);
        Some(fault.kind.clone())
    }
}
