//! Calls of the provider's private API.

use alloc::string::String;
use alloc::vec::Vec;

use super::optional::Proven;
use super::{Client, Failure, Page};
use crate::protocol::client::Client as Login;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{self, Json};
use crate::protocol::resource::{Call, PrivateRequest, is_rate_limit};
use crate::protocol::secret::AccessToken;
use crate::protocol::session::{self, Access, AfterRefusal, Session, SessionId};

impl<B: Page> Client<B> {
    /// `fetch` with the token of the session that the URL belongs to. The native response, whatever its status, unless it
    /// asks for another login.
    pub async fn fetch_private(
        self,
        request: B::Request,
    ) -> Result<B::Response, Failure<B::Value>> {
        let mut wanted = PrivateRequest::read(&self.browser.inspect(&request))?;
        let id = self.sessions.with(|sessions| sessions.find(wanted.url()))?;
        let now = self.browser.elapsed();
        let narrowed = self.session(id, |session| session.admit(&wanted, now))??;
        let mut token = self.access(id).await?;
        let repeatable = wanted.is_repeatable();
        let mut repeated = false;
        let mut proven = Proven::new(&wanted);
        loop {
            let keep = (repeatable && !repeated) || wanted.is_patient();
            let (header, proof, keep) = self.prove(&mut proven, id, &token, keep).await?;
            let headers = [
                ("authorization", header.as_str()),
                (narrowed.0.as_str(), narrowed.1.as_str()),
                (proof.0, proof.1.as_str()),
            ];
            let sent = self.browser.send(&request, headers, keep).await;
            drop(header);
            let response = sent.map_err(Failure::Native)?;
            if self.is_to_be_proven_again(&mut proven, &response)? {
                continue;
            }
            self.note_limits(id, &response);
            let status = self.browser.status(&response);
            // Nearly every answer is none of these, and looking costs as much as the call.
            if is_rate_limit(status) && wanted.is_patient() {
                let wait = self.browser.retry_after(&response);
                if let Some(pause) = wanted.pause(status, wait, self.jitter()) {
                    self.browser.sleep(pause).await;
                    token = self.access(id).await?;
                    continue;
                }
            }
            if !matches!(status, 401 | 403) {
                return Ok(response);
            }
            let challenge = self.browser.header(&response, "www-authenticate");
            let now = self.browser.elapsed();
            let next = self.session(id, |session| {
                session.after_refusal(status, &token, &challenge, now)
            })?;
            match next {
                AfterRefusal::Login(error) => return Err(error.into()),
                AfterRefusal::Ended(error) => return Err(self.ended(id, error).await.into()),
                AfterRefusal::Token(next) if repeatable && !repeated => token = next,
                AfterRefusal::Renew if !repeated => {
                    // Whatever the clock says, the access token is over.
                    self.sessions.with(|sessions| sessions.refused(id));
                    if !repeatable {
                        return Ok(response);
                    }
                    token = self.renewed(id).await?;
                }
                _ => return Ok(response),
            }
            repeated = true;
        }
    }

    /// The session's token, renewed where it is due; if that fails, the old one for as long as it lives.
    pub(super) async fn access(self, id: SessionId) -> Result<AccessToken, Error> {
        let now = self.browser.elapsed();
        let mut access = self.session(id, |session| session.access(now))?;
        if matches!(access, Access::Trouble(_)) && self.another_page_may_know(id).await {
            access = self.session(id, |session| session.access(now))?;
        }
        match access {
            Access::Token(token) => Ok(token),
            Access::Renew => match self.renewed(id).await {
                Ok(token) => Ok(token),
                Err(error) => {
                    let now = self.browser.elapsed();
                    let living = self.session(id, |session| session.living_token(now));
                    living.ok().flatten().ok_or(error)
                }
            },
            Access::LoginRequired => Err(ErrorCode::LoginRequired.error()),
            Access::Trouble(error) => Err(error),
            Access::Ended(error) => Err(self.ended(id, error).await),
        }
    }

    fn note_limits(self, id: SessionId, response: &B::Response) {
        let Ok((limit, usage)) = self.session(id, Session::limit_headers) else {
            return;
        };
        if !limit.is_empty() || !usage.is_empty() {
            let limit = self.browser.header(response, &limit);
            let usage = self.browser.header(response, &usage);
            self.sessions
                .with(|sessions| sessions.limited(id, &limit, &usage));
        }
    }

    /// What a response of the API means; `None` where it is no refusal.
    pub fn explain(self, answer: &str, body: &[u8]) -> Option<Error> {
        let answer = Json::parse(answer.as_bytes()).unwrap_or(Json::Null);
        let now = self.browser.elapsed();
        self.sessions.with(|sessions| {
            let session = sessions.find(answer.str("url").unwrap_or(""));
            let session = session.ok().and_then(|id| sessions.get(id));
            session::explain(session, &answer, body, now)
        })
    }

    /// The least scope for these calls, by the record of a client or, where that is empty, by the session that the first
    /// of them belongs to. JSON texts.
    pub fn scope_for(self, calls: &str, record: &str) -> Result<String, Error> {
        let calls = Call::list(calls)?;
        let scope = match calls.first() {
            Some(_) if !record.is_empty() => Login::scope_by(record, &calls)?,
            Some(first) => {
                let id = self.sessions.with(|sessions| sessions.find(&first.url))?;
                self.session(id, |session| session.scope_for(&calls))??
            }
            None => Vec::new(),
        };
        Ok(json::list(&scope).text())
    }
}
