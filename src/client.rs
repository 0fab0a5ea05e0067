//! Floor 3, the flows: ask the protocol what to do, do it with a browser.
//!
//! Reads top to bottom; what to decide is decided in `protocol`. [`Client`] is the one value of a page. Its browser is
//! whatever implements `browser::port`: the page's own, or the simulated one of the tests, so that what ships is what the
//! tests drive.
//!
//! A login is two programs that meet in a stored record. `login` and `pending` start it and hold no token; `callback`
//! answers it; `call`, `renewal`, `logout` and `watch` are the life of the session. Neither half calls the other, so a
//! build that exports one of them carries one of them. What only some applications need is in `optional`, which has an
//! empty twin, `optional/none.rs`.

mod call;
mod callback;
#[allow(dead_code, reason = "for the parts of the npm package")]
mod handover;
mod login;
mod logout;
#[cfg_attr(not(feature = "full"), path = "client/optional/none.rs")]
mod optional;
mod pending;
mod renewal;
mod shared_result;
mod watch;

#[allow(unused_imports, reason = "not every door needs them")]
pub use self::{logout::LogoutRequest, optional::Window};
pub use login::WindowLogin;
pub use optional::Port;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::browser::local::Local;
use crate::browser::port::{OwnRequest, OwnResponse, Unanswered};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;
use crate::protocol::session::{Session, SessionId, Sessions};
use crate::protocol::token::MAX_BODY;
use crate::protocol::url::Url;
use callback::AnsweredRedirect;
use optional::Optional;
use shared_result::SharedResult;

/// How long a server may take to answer a request of ours, in milliseconds.
const TIMEOUT: u32 = 30_000;

/// The flows of one page.
#[derive(Clone, Copy)]
pub struct Client<B> {
    browser: B,
}

/// A browser with a place for what the flows of its page hold: a `static` of the module that runs, so that nothing has to
/// be counted or freed, a part of the tab in the simulation.
pub trait Page: Port {
    fn held(&self) -> &Held<Self>;
}

/// What the flows of a page hold for as long as it lives.
pub struct Held<B: Port> {
    sessions: Local<Sessions>,
    /// Those that are under way.
    renewals: Local<Vec<(SessionId, SharedResult)>>,
    /// What the metadata of an issuer said.
    metadata: Local<Vec<(String, bool, Json)>>,
    /// Whether somebody waits for the page to be shown again.
    is_watched: Local<bool>,
    logouts: Local<u32>,
    answered: Local<Option<AnsweredRedirect>>,
    optional: Optional<B>,
}

#[allow(
    clippy::new_without_default,
    reason = "a default cannot be made for a static"
)]
impl<B: Port> Held<B> {
    /// Of a page that has just begun.
    pub const fn new() -> Self {
        Self {
            sessions: Local::new(Sessions::new()),
            renewals: Local::new(Vec::new()),
            metadata: Local::new(Vec::new()),
            is_watched: Local::new(false),
            logouts: Local::new(0),
            answered: Local::new(None),
            optional: Optional::new(),
        }
    }
}

impl<B: Page> Deref for Client<B> {
    type Target = Held<B>;

    fn deref(&self) -> &Held<B> {
        self.browser.held()
    }
}

/// Why a call failed: by our own judgement, or with what the page's own `fetch` or callback threw.
#[derive(Debug)]
pub enum Failure<Reason> {
    OAuth(Error),
    Native(Reason),
}

impl<Reason> From<Error> for Failure<Reason> {
    fn from(error: Error) -> Self {
        Self::OAuth(error)
    }
}

impl<B: Page> Client<B> {
    pub fn new(browser: B) -> Self {
        Self { browser }
    }

    /// The newest session, as JSON text.
    pub fn describe_session(self) -> Option<String> {
        self.sessions
            .with(|sessions| Some(sessions.last()?.describe()))
    }

    fn session<R>(self, id: SessionId, f: impl FnOnce(&Session) -> R) -> Result<R, Error> {
        self.sessions.with(|sessions| match sessions.get(id) {
            Some(session) => Ok(f(session)),
            None => Err(ErrorCode::LoginRequired.error()),
        })
    }

    /// Changes a session, if it is still there.
    fn change<R>(self, id: SessionId, f: impl FnOnce(&mut Session) -> R) -> Option<R> {
        self.sessions.with(|sessions| sessions.change(id, f))
    }

    /// Leaves the page, or hands the URL to the callback.
    async fn go(self, url: &str, navigate: Option<B::Callback>) -> Result<(), Failure<B::Value>> {
        match navigate {
            None => self.browser.navigate(url),
            Some(callback) => {
                let called = self.browser.call(&callback, url).await;
                called.map_err(Failure::Native)?;
            }
        }
        Ok(())
    }

    /// Sends a request of the library's own, once.
    async fn ask(self, request: Box<OwnRequest<'_>>) -> Result<OwnResponse, Error> {
        let url = request.url;
        let answer = self.browser.ask(request, MAX_BODY, TIMEOUT).await;
        answer.map_err(|why| unanswered(why, url))
    }

    fn jitter(self) -> u8 {
        self.browser.entropy::<1>().map_or(0, |[jitter]| jitter)
    }
}

/// No answer came, or none that is read: the error names the server, and no path or query.
fn unanswered(why: Unanswered, url: &str) -> Error {
    let server = Url::split(url).map_or("", |url| url.origin);
    match why {
        Unanswered::Network => ErrorCode::NetworkError.at(server),
        Unanswered::Timeout => ErrorCode::Timeout.at(server),
        Unanswered::TooLarge => ErrorCode::ResponseTooLarge.at(server),
    }
}
