//! New tokens for a session.

use alloc::boxed::Box;
use alloc::string::String;

use super::shared_result::SharedResult;
use super::{Client, Page, unanswered};
use crate::browser::port::Unanswered;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::AccessToken;
use crate::protocol::session::{Session, SessionId};
use crate::protocol::token::{HttpResponse, TokenRequest, Tokens};

/// How long a server may take to show that it is there, in milliseconds; twice, and all within the patience of who waits
/// for a renewal of another page.
const PROMPTLY: u32 = 10_000;

impl<B: Page> Client<B> {
    /// Renews the session's tokens, once for all who wait, and gives the new access token.
    pub(super) async fn renewed(self, id: SessionId) -> Result<AccessToken, Error> {
        let renewal = match self.running(id) {
            Some(renewal) => renewal,
            None => {
                if !self.session(id, Session::is_renewable)? {
                    return Err(ErrorCode::LoginRequired.error());
                }
                let renewal = SharedResult::awaited();
                self.renewals
                    .with(|renewals| renewals.push((id, renewal.clone())));
                let work = async move { self.renew(id).await };
                renewal.run(&self.browser, Box::pin(work));
                renewal
            }
        };
        renewal.await?;
        self.session(id, Session::token)
    }

    /// The renewal of this session that is under way.
    pub(super) fn running(self, id: SessionId) -> Option<SharedResult> {
        self.renewals.with(|renewals| {
            let entry = renewals.iter().find(|(known, _)| *known == id)?;
            Some(entry.1.clone())
        })
    }

    async fn renew(self, id: SessionId) -> Result<SessionId, Error> {
        let outcome = match self.renew_shared(id).await {
            Some(outcome) => outcome,
            None => self.renew_alone(id).await,
        };
        self.renewals.with(|renewals| {
            if let Some(at) = renewals.iter().position(|(known, _)| *known == id) {
                renewals.swap_remove(at);
            }
        });
        outcome.map(|()| id)
    }

    /// Renews a session that is this page's own.
    async fn renew_alone(self, id: SessionId) -> Result<(), Error> {
        let request = self.session(id, Session::renewal)??;
        let again = self.session(id, Session::was_sent)?;
        let outcome = match self.may_send(&request, again).await {
            true => self.exchange_for(id, request).await,
            false => Err(unanswered(Unanswered::Network, request.endpoint())),
        };
        self.conclude(id, outcome)
    }

    /// Whether a renewal is to be sent now. Without a network it would not get anywhere. A refresh token whose first
    /// answer was lost is sent again to a server that answers, and to no other: there is no third time.
    pub(super) async fn may_send(self, request: &TokenRequest, again: bool) -> bool {
        self.browser.is_online()
            && (!again || self.browser.reach(request.endpoint(), PROMPTLY).await)
    }

    /// Sends a renewal. Where its answer was lost and the server cannot be reached either, the network was down, and the
    /// page is told just that.
    pub(super) async fn exchange_for(
        self,
        id: SessionId,
        request: TokenRequest,
    ) -> Result<Tokens, Error> {
        let endpoint = String::from(request.endpoint());
        let outcome = self.exchange(request).await;
        let Err(error) = outcome else {
            return outcome;
        };
        if self.session(id, |session| session.may_be_unsure(&error)) == Ok(true)
            && !self.browser.reach(&endpoint, PROMPTLY).await
        {
            self.change(id, |session| session.unsure(error));
            return Err(unanswered(Unanswered::Network, &endpoint));
        }
        Err(error)
    }

    /// Takes the outcome of a renewal, and tells the page.
    pub(super) fn conclude(
        self,
        id: SessionId,
        outcome: Result<Tokens, Error>,
    ) -> Result<(), Error> {
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let jitter = self.jitter();
        let is_here = self.session(id, |_| ()).is_ok();
        let concluded = self
            .sessions
            .with(|sessions| sessions.renewed(id, outcome, wall, now, jitter));
        match concluded.as_ref().map_err(|error| error.code) {
            Ok(()) if self.is_restoring(id) => {}
            Ok(()) => self.announce("renewed", true, Some(id), None),
            // One that was left, or that another login has replaced, has ended before.
            Err(ErrorCode::SessionEnded) if is_here => {
                let ended = ErrorCode::SessionEnded.code();
                self.announce("ended", true, None, Some(ended));
            }
            Err(ErrorCode::SessionIndeterminate) => {
                self.announce("indeterminate", true, Some(id), None);
            }
            // Nothing renews it any more.
            Err(ErrorCode::TokenRequestRefused) => self.watch_the_end(id),
            Err(_) => {}
        }
        concluded
    }

    /// A session is over whose renewal was refused: it is told once.
    pub(super) async fn ended(self, id: SessionId, error: Error) -> Error {
        self.forget_shared(id).await;
        let concluded = self.conclude(id, Err(error.clone()));
        concluded.err().unwrap_or(error)
    }

    /// Sends a token request, once.
    pub(super) async fn exchange(self, request: TokenRequest) -> Result<Tokens, Error> {
        // The token's life is counted from before the request: a slow answer makes it shorter, never longer.
        let now = self.browser.elapsed();
        let answer = self.post(&request).await;
        let answer = answer.map_err(|error| match error.code {
            ErrorCode::NetworkError | ErrorCode::Timeout | ErrorCode::ResponseTooLarge => {
                request.unanswered(error)
            }
            _ => error,
        })?;
        let response = HttpResponse {
            status: answer.status,
            content_type: answer.content_type,
            retry_after: answer.retry_after,
            body: answer.body,
        };
        self.read(request, response, now).await
    }
}
