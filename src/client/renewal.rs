//! New tokens for a session.

use alloc::boxed::Box;

use super::shared_result::SharedResult;
use super::{Client, Page, TIMEOUT};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::AccessToken;
use crate::protocol::session::{Session, SessionId};
use crate::protocol::token::{HttpResponse, TokenRequest, Tokens};

impl<B: Page> Client<B> {
    /// Renews the session's tokens, once for all who wait, and gives the new access token.
    pub(super) async fn renewed(self, id: SessionId) -> Result<AccessToken, Error> {
        let renewal = match self.running(id) {
            Some(renewal) => renewal,
            None => {
                if !self.session(id, Session::is_renewable)? {
                    return Err(ErrorCode::LoginRequired.error());
                }
                let work = async move { self.renew(id).await };
                let renewal = SharedResult::spawn(&self.browser, Box::pin(work));
                self.renewals
                    .with(|renewals| renewals.push((id, renewal.clone())));
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
        let outcome = match self.is_reachable(&request).await {
            true => self.exchange(request).await,
            false => Err(ErrorCode::NetworkError.error()),
        };
        self.conclude(id, outcome)
    }

    /// A server that cannot be reached has not got the request, and the refresh token is still good. Only a request that
    /// was sent, and whose answer did not come, may have spent it.
    pub(super) async fn is_reachable(self, request: &TokenRequest) -> bool {
        self.browser.is_online() && self.browser.reach(request.endpoint(), TIMEOUT).await
    }

    /// Takes the outcome of a renewal, and tells the page.
    pub(super) fn conclude(
        self,
        id: SessionId,
        outcome: Result<Tokens, Error>,
    ) -> Result<(), Error> {
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let jitter = self.jitter();
        let concluded = self
            .sessions
            .with(|sessions| sessions.renewed(id, outcome, wall, now, jitter));
        match concluded.as_ref().map_err(|error| error.code) {
            Ok(()) if self.is_restoring(id) => {}
            Ok(()) => self.announce("renewed", true, Some(id), None),
            Err(code @ ErrorCode::SessionEnded) => {
                self.announce("ended", true, None, Some(code.code()));
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
