//! What starts a login: a configuration in, a stored record and an address at the authorization server out. Nothing here
//! answers one.

use alloc::string::String;

use super::{Client, Failure, Page};
use crate::browser::port::OwnRequest;
use crate::protocol::authorization::PendingLogin;
use crate::protocol::config::Config;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;
use crate::protocol::metadata;

/// What a server or a worker lacks.
pub const A_PAGE: &str = "a page with an address and sessionStorage";

/// A login in a popup or a frame, which is answered in this page: by [`Client::log_in`].
#[allow(dead_code, reason = "without `optional` there are no windows")]
pub struct WindowLogin {
    pub pending: PendingLogin,
    /// What to show there.
    pub url: String,
}

impl<B: Page> Client<B> {
    /// Sends the user to the authorization server, or hands the URL to `navigate`; a login in a popup or a frame is given
    /// back instead.
    pub async fn start(
        self,
        mut config: Config,
        navigate: Option<B::Callback>,
    ) -> Result<Option<WindowLogin>, Failure<B::Value>> {
        let origin = self.browser.origin();
        if origin.is_empty() {
            return Err(ErrorCode::UnsupportedEnvironment.at(A_PAGE).into());
        }
        if let Some(issuer) = config.undiscovered()?.map(String::from) {
            let (s256, openid) = (config.is_s256(), config.is_openid());
            let found = self.discover(issuer, s256, openid).await?;
            config.discovered(found)?;
        }
        let login = config.resolve(&origin)?;
        login.check_page(&origin, navigate.is_some())?;
        let entropy = self.browser.entropy();
        let entropy = entropy.ok_or_else(|| ErrorCode::EntropyFailure.error())?;
        self.check(&login).await?;
        let mut pending = PendingLogin::new(login, &entropy, self.browser.wall())?;
        self.name_user(&mut pending);
        self.bind(&mut pending).await?;
        let url = self.authorization_url(&pending).await?;
        if Self::is_in_window(&pending) {
            return Ok(Some(WindowLogin { pending, url }));
        }
        if !self.keep_long(&pending, &origin).await {
            self.keep(&pending)?;
        }
        self.answered.with(|answered| drop(answered.take()));
        self.go(&url, navigate).await?;
        Ok(None)
    }

    /// Asks an issuer for its metadata, once a page. Where one place has none, or cannot be read, the other may.
    async fn discover(self, issuer: String, s256: bool, openid: bool) -> Result<Json, Error> {
        let known = self.metadata.with(|known| {
            let same =
                |(name, strict, _): &&(String, bool, Json)| *name == issuer && *strict == s256;
            Some(known.iter().find(same)?.2.clone())
        });
        if let Some(fields) = known {
            return Ok(fields);
        }
        let mut failure = ErrorCode::InvalidMetadata.error();
        for url in metadata::documents(&issuer, openid) {
            let answer = match self.ask(OwnRequest::new("GET", &url)).await {
                Ok(answer) => answer,
                Err(error) => {
                    failure = error;
                    continue;
                }
            };
            // That one place has none says nothing of another that was in trouble.
            if !failure.retryable() {
                failure = metadata::failure(&url, answer.status);
            }
            if let Some(fields) = metadata::read(&issuer, answer.status, &answer.body, s256) {
                let fields = fields?;
                self.metadata
                    .with(|known| known.push((issuer, s256, fields.clone())));
                return Ok(fields);
            }
        }
        Err(failure)
    }
}
