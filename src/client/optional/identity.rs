//! Who has logged in: ID Tokens whose signature is checked, and what the provider says more of the user.

use alloc::string::String;

use crate::browser::port::{OwnRequest, Unchecked};
use crate::client::{Client, Failure, Page};
use crate::protocol::Seconds;
use crate::protocol::authorization::PendingLogin;
use crate::protocol::client;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;
use crate::protocol::metadata;
use crate::protocol::openid;
use crate::protocol::token::identity::Signed;
use crate::protocol::token::{HttpResponse, TokenRequest, Tokens};

impl<B: Page> Client<B> {
    /// Checks the ID Token that came with the tokens.
    pub(in crate::client) async fn identify(
        self,
        login: &client::Client,
        tokens: &mut Tokens,
    ) -> Result<(), Error> {
        if let Some(signed) = tokens.identify(login, self.browser.wall())? {
            self.check_signature(login, &signed).await?;
            tokens.believe(signed);
        }
        Ok(())
    }

    /// A silent login is about the user who is logged in here.
    pub(in crate::client) fn name_user(self, pending: &mut PendingLogin) {
        self.sessions.with(|sessions| {
            if let Some(hint) = sessions.id_token_hint(pending.client()) {
                pending.name_user(hint);
            }
        });
    }

    /// Reads the answer to a token request, and who has logged in.
    pub(in crate::client) async fn read(
        self,
        request: TokenRequest,
        response: HttpResponse,
        now: Seconds,
    ) -> Result<Tokens, Error> {
        let failure = request.late_failure();
        let login = request.login();
        let mut tokens = request.read(response, now)?;
        match self.identify(&login, &mut tokens).await {
            // The keys cannot be had just now: the user that is known stays known, and good tokens are not thrown away.
            Err(error) if failure.is_renewal() && error.retryable() => Ok(tokens),
            Err(error) => Err(failure.unanswered(error)),
            Ok(()) => Ok(tokens),
        }
    }

    /// By the keys that are known, and by newer ones where those do not do: servers change them.
    async fn check_signature(self, login: &client::Client, signed: &Signed) -> Result<(), Error> {
        let uri = login.jwks_uri();
        let known = self.optional.keys.with(|keys| {
            let entry = keys.iter().find(|(known, _)| known == uri)?;
            Some(entry.1.clone())
        });
        if let Some(keys) = known
            && self.check_with(signed, &keys).await.is_ok()
        {
            return Ok(());
        }
        let answer = self.ask(OwnRequest::new("GET", uri)).await?;
        let keys = match Json::parse(&answer.body) {
            Some(keys) if answer.status == 200 => keys,
            _ => {
                let error = metadata::failure(uri, answer.status);
                return Err(match error.retryable() {
                    true => error,
                    false => error.becomes(ErrorCode::InvalidKeys),
                });
            }
        };
        self.optional.keys.with(|known| {
            known.retain(|(known, _)| known != uri);
            known.push((String::from(uri), keys.clone()));
        });
        self.check_with(signed, &keys).await
    }

    async fn check_with(self, signed: &Signed, keys: &Json) -> Result<(), Error> {
        let check = signed.check(keys).map_err(openid::no_key)?;
        let (alg, key) = (check.alg, &check.key);
        let verified = self
            .browser
            .verify(alg, key, &check.signed, &check.signature);
        match verified.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(openid::invalid("its signature is wrong", "3.1.3.7")),
            Err(Unchecked::BadKey) => Err(ErrorCode::InvalidKeys.at("the key is not usable")),
            Err(Unchecked::Unsupported) => Err(ErrorCode::UnsupportedEnvironment.at(alg)),
        }
    }

    /// What the provider says of the user of the newest session, as JSON text.
    pub async fn userinfo(self) -> Result<String, Failure<B::Value>> {
        let id = self.sessions.with(|sessions| sessions.newest());
        let id = id.ok_or_else(|| ErrorCode::LoginRequired.error())?;
        let url = self.session(id, |session| session.userinfo_endpoint())??;
        let mut token = self.access(id).await?;
        let (mut proven, mut again) = (false, false);
        loop {
            let key = self.session(id, |session| session.key())?;
            let mut own = OwnRequest::new("GET", &url);
            own.authorization = self.session(id, |session| session.authorization_header(&token))?;
            let asked = self.ask_with_proof(own, key.as_ref(), Some(&token));
            let (answer, news) = asked.await?;
            let refused = answer.status == 401;
            if refused && key.is_some() && news && !proven {
                proven = true;
            } else if refused && !again && self.session(id, |session| session.is_renewable())? {
                again = true;
                token = self.renewed(id).await?;
            } else {
                let (status, kind, body) = (answer.status, &answer.content_type, &answer.body);
                return Ok(self.session(id, |session| session.userinfo(status, kind, body))??);
            }
        }
    }
}
