//! What answers a login: the redirect's address and the stored record in, a session out.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use core::pin::Pin;

use super::login::A_PAGE;
use super::shared_result::SharedResult;
use super::{Client, Failure, Page};
use crate::protocol::authorization::{Accepted, AuthorizationResponse, PendingLogin};
use crate::protocol::config::Config;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::State;
use crate::protocol::session::{Session, SessionId};
use crate::protocol::token::Tokens;

/// What to do where the authorization endpoint has answered, and the token endpoint has not.
const NO_CORS: &str = "Have the server allow this page's origin at its token endpoint (CORS), or point tokenEndpoint at a relay; then call startLogin again";

type Work = Pin<Box<dyn Future<Output = Result<SessionId, Error>>>>;

/// The redirect that this page has answered: called again, it answers the same.
pub struct AnsweredRedirect {
    /// `None`: its login was not answered, and may be yet.
    pub(super) state: Option<State>,
    pub(super) session: SharedResult,
}

impl<B: Page> Client<B> {
    /// Answers the redirect in `href` once. `Ok(None)`: this is no redirect of ours. Else the session as JSON text.
    /// Where `href` is the page's own address, which is clean after the first call, a later call gets the same answer.
    pub async fn handle_redirect(
        self,
        href: &str,
        own_address: bool,
    ) -> Result<Option<String>, Failure<B::Value>> {
        let Some(response) = AuthorizationResponse::read(href) else {
            return match own_address {
                true => self.answered_before(None).await,
                false => Ok(None),
            };
        };
        self.finish_leaving();
        let state = response.state().clone();
        while self.is_answered(&state) {
            match self.answered_before(Some(&state)).await {
                // That one came at a foreign address, and its login waits on.
                Err(Failure::OAuth(error)) if error.code == ErrorCode::RedirectUriMismatch => {}
                answered => return answered,
            }
        }
        if let Some(was_heard) = self.deliver(&response, href).await {
            return match was_heard {
                true => Ok(None),
                false => Err(ErrorCode::UnknownState.error().into()),
            };
        }
        let work = match self.begin_to_answer(response) {
            Ok(Some(work)) => work,
            Ok(None) => return Ok(None),
            Err(error) => {
                if own_address {
                    self.refuse(error.clone());
                }
                return Err(error.into());
            }
        };
        let session = SharedResult::awaited();
        let redirect = AnsweredRedirect {
            state: Some(state),
            session: session.clone(),
        };
        self.answered.with(|answered| *answered = Some(redirect));
        session.run(&self.browser, work);
        self.answered_before(None).await
    }

    /// Takes the login that a response answers. `Ok(None)`: it is not ours. An error leaves the login waiting.
    fn begin_to_answer(self, response: Box<AuthorizationResponse>) -> Result<Option<Work>, Error> {
        let origin = self.browser.origin();
        if response.is_ours() && origin.is_empty() {
            return Err(ErrorCode::UnsupportedEnvironment.at(A_PAGE));
        }
        if response.is_ours() && !self.browser.has_storage() {
            return Err(ErrorCode::StorageBlocked.error());
        }
        if let Some(pending) = self.waiting_for(response.state(), &origin) {
            self.judge(&pending, &response)?;
            self.take_pending(response.state());
            return Ok(Some(Box::pin(self.answer(pending, response))));
        }
        let expected = self.is_expected_under_another_state(&response, &origin);
        let refusal = match expected {
            true => ErrorCode::StateMismatch.error(),
            false if response.is_ours() => ErrorCode::UnknownState.error(),
            false => return Ok(None),
        };
        match response.is_ours() && self.can_wait_long() {
            true => Ok(Some(Box::pin(self.answer_kept(response, refusal)))),
            false => Err(refusal),
        }
    }

    /// Takes a token that the user has already. The session as JSON text.
    pub fn adopt(self, token: String, config: Config) -> Result<String, Error> {
        let login = config.adopt()?;
        let tokens = Tokens::adopt(token, login.scope())?;
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let session = Session::new(login, tokens, wall, now);
        let text = session.describe();
        let id = self.begin(session);
        self.announce("started", true, Some(id), None);
        Ok(text)
    }

    /// Whether this page may answer the login with this response, which consumes it.
    pub(super) fn judge(
        self,
        pending: &PendingLogin,
        response: &AuthorizationResponse,
    ) -> Result<(), Error> {
        if !pending.expects(response) {
            return Err(ErrorCode::RedirectUriMismatch.error());
        }
        if self.browser.is_framed() && !pending.allow_framed() {
            return Err(ErrorCode::Framed.error());
        }
        Ok(())
    }

    /// Exchanges what the response has for tokens and begins their session.
    pub(super) async fn answer(
        self,
        pending: PendingLogin,
        response: Box<AuthorizationResponse>,
    ) -> Result<SessionId, Error> {
        let before = self.logouts();
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let (login, accepted) = pending.accept(response, wall, now)?;
        let tokens = match accepted {
            Accepted::Tokens(mut tokens) => {
                self.identify(&login, &mut tokens).await?;
                tokens
            }
            Accepted::Exchange(request) => match self.exchange(request).await {
                // The user has just come through the network from this very server.
                Err(error) if error.code == ErrorCode::NetworkError && self.browser.is_online() => {
                    return Err(error.cured_by(NO_CORS));
                }
                exchanged => exchanged?,
            },
        };
        // Who logged out meanwhile wants no session, not this one either.
        if self.logouts() != before {
            return Err(ErrorCode::LoginRequired.error());
        }
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let id = self.begin(Session::new(login, tokens, wall, now));
        self.settle(id).await;
        self.announce("started", true, Some(id), None);
        Ok(id)
    }

    /// Has whoever asks next get the same answer: the address is clean by now. One that led to a session stays, though.
    fn refuse(self, error: Error) {
        self.answered.with(|answered| {
            answered.get_or_insert_with(|| AnsweredRedirect {
                state: None,
                session: SharedResult::ready(Err(error)),
            });
        });
    }

    fn is_answered(self, state: &State) -> bool {
        self.answered.with(|answered| {
            let answered = answered.as_ref();
            answered.is_some_and(|answered| answered.state.as_ref() == Some(state))
        })
    }

    /// The answer that this page has got, or is getting: the session as it is now, for as long as it lives.
    async fn answered_before(
        self,
        state: Option<&State>,
    ) -> Result<Option<String>, Failure<B::Value>> {
        let session = self.answered.with(|answered| {
            let answered = answered.as_ref()?;
            let same = state.is_none_or(|state| answered.state.as_ref() == Some(state));
            same.then(|| answered.session.clone())
        });
        let Some(session) = session else {
            return Ok(None);
        };
        match session.await {
            Ok(id) => Ok(self.describe(id)),
            Err(error) => {
                // It may go well the next time, and the next time is another login.
                if error.retryable() {
                    self.answered.with(|answered| drop(answered.take()));
                }
                Err(error.into())
            }
        }
    }

    /// A session as JSON text, for as long as it lives.
    pub(super) fn describe(self, id: SessionId) -> Option<String> {
        self.session(id, Session::describe).ok()
    }
}
