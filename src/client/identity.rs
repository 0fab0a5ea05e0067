//! Who has logged in: ID Tokens whose signature is checked, and what the provider says more of the user.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{Failure, SESSIONS, TIMEOUT, access, ask, clock, proof, renewed, session, unanswered};
use crate::browser::crypto::{self, Unchecked};
use crate::browser::http::{self, Own};
use crate::browser::task::Local;
use crate::protocol::Seconds;
use crate::protocol::authorization::PendingLogin;
use crate::protocol::config::Login;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;
use crate::protocol::metadata;
use crate::protocol::openid;
use crate::protocol::token::{HttpResponse, MAX_BODY, Signed, TokenRequest, Tokens};

/// The keys of servers, for as long as the page lives.
static KEYS: Local<Vec<(String, Json)>> = Local::new(Vec::new());

/// Checks the ID Token that came with the tokens.
pub async fn identify(login: &Login, tokens: &mut Tokens) -> Result<(), Error> {
    if let Some(signed) = tokens.identify(login, clock::wall())? {
        check(login, &signed).await?;
        tokens.believe(signed);
    }
    Ok(())
}

/// A silent login is about the user who is logged in here.
pub fn name_user(pending: &mut PendingLogin) {
    SESSIONS.with(|sessions| {
        if let Some(hint) = sessions.id_token_hint(pending.client()) {
            pending.name_user(hint);
        }
    });
}

/// Reads the answer to a token request, and who has logged in.
pub async fn read(
    request: TokenRequest,
    response: HttpResponse,
    now: Seconds,
) -> Result<Tokens, Error> {
    let doubt = request.doubt();
    let login = request.login();
    let mut tokens = request.read(response, now)?;
    match identify(&login, &mut tokens).await {
        // The keys cannot be had just now: the user that is known stays known, and good tokens are not thrown away.
        Err(error) if doubt.is_renewal() && error.code.retryable() => Ok(tokens),
        Err(error) => Err(doubt.unanswered(error)),
        Ok(()) => Ok(tokens),
    }
}

/// By the keys that are known, and by newer ones where those do not do: servers change them.
async fn check(login: &Login, signed: &Signed) -> Result<(), Error> {
    let uri = login.jwks_uri();
    let known = KEYS.with(|keys| {
        let entry = keys.iter().find(|(known, _)| known == uri)?;
        Some(entry.1.clone())
    });
    if let Some(keys) = known
        && check_with(signed, &keys).await.is_ok()
    {
        return Ok(());
    }
    let answer = ask("GET", uri, Zeroizing::default(), Zeroizing::default()).await?;
    let keys = match Json::parse(&answer.body) {
        Some(keys) if answer.status == 200 => keys,
        _ => {
            let error = metadata::failure(answer.status);
            return Err(match error.code.retryable() {
                true => error,
                false => error.becomes(ErrorCode::InvalidKeys),
            });
        }
    };
    KEYS.with(|known| {
        known.retain(|(known, _)| known != uri);
        known.push((String::from(uri), keys.clone()));
    });
    check_with(signed, &keys).await
}

async fn check_with(signed: &Signed, keys: &Json) -> Result<(), Error> {
    let check = signed.check(keys).map_err(openid::no_key)?;
    match crypto::check(check.alg, &check.key, &check.signed, &check.signature).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(openid::invalid("its signature is wrong", "3.1.3.7")),
        Err(Unchecked::BadKey) => Err(ErrorCode::InvalidKeys.at("the key is not usable")),
        Err(Unchecked::Unsupported) => Err(ErrorCode::UnsupportedEnvironment.at(check.alg)),
    }
}

/// What the provider says of the user of the newest session, as JSON text.
pub async fn userinfo() -> Result<String, Failure> {
    let id = SESSIONS.with(|sessions| sessions.newest());
    let id = id.ok_or_else(|| ErrorCode::LoginRequired.error())?;
    let url = session(id, |session| session.userinfo_endpoint())??;
    let mut token = access(id).await?;
    let (mut proven, mut again) = (false, false);
    loop {
        let key = session(id, |session| session.key())?;
        let own = Own {
            method: "GET",
            url: &url,
            form: Zeroizing::default(),
            authorization: session(id, |session| session.authorization_header(&token))?,
            more: proof::of(key.as_ref(), "GET", &url, Some(&token)).await?,
            wanted: proof::NONCE,
        };
        let answer = http::ask(own, MAX_BODY, TIMEOUT).await;
        let answer = answer.map_err(|why| unanswered(why).error())?;
        let news = proof::note(&url, &answer.wanted);
        let refused = answer.status == 401;
        if refused && key.is_some() && news && !proven {
            proven = true;
        } else if refused && !again && session(id, |session| session.is_renewable())? {
            again = true;
            token = renewed(id).await?;
        } else {
            let (status, kind, body) = (answer.status, &answer.content_type, &answer.body);
            return Ok(session(id, |session| {
                session.userinfo(status, kind, body)
            })??);
        }
    }
}
