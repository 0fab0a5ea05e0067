//! Floor 3, the flows: ask the protocol what to do, do it with the browser.
//!
//! Reads top to bottom; what to decide is decided in `protocol`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

use crate::browser::http::{Request, Unanswered, header_of, post_form, status_of};
use crate::browser::page::NotStored;
#[cfg(any(feature = "js", feature = "npm"))]
use crate::browser::task::Outcome;
use crate::browser::task::{Answer, Local, Shared};
use crate::browser::{clock, entropy, page};
use crate::protocol::authorization::{Accepted, AuthorizationResponse, PendingLogin};
use crate::protocol::config::Config;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::resource::PrivateRequest;
use crate::protocol::secret::{AccessToken, State};
use crate::protocol::session::{Access, AfterUnauthorized, Session, SessionId, Sessions};
use crate::protocol::token::{HttpResponse, MAX_BODY, TokenRequest, Tokens};

/// Keys of our records in sessionStorage; the rest of the key is the login's `state`.
const PENDING: &str = "oauth-wasm.pending.";
/// Logins that may wait at once; the oldest make room.
const MAX_PENDING: usize = 16;
/// How long the token endpoint may take, in milliseconds.
const TIMEOUT: u32 = 30_000;

/// Something that runs once and that many may wait for.
type Once = Shared<Result<String, Error>>;

static SESSIONS: Local<Sessions> = Local::new(Sessions::new());
static RENEWALS: Local<Vec<(SessionId, Once)>> = Local::new(Vec::new());
static LOGOUTS: Local<u32> = Local::new(0);
static HANDLED: Local<Option<Handled>> = Local::new(None);
/// The session that the last redirect led to, once it has.
static ANSWERED: Local<Option<SessionId>> = Local::new(None);

/// The redirect that this page has answered: called again, it answers the same.
struct Handled {
    state: State,
    session: Once,
}

/// Why a call failed: by our own judgement, or with what the page's own `fetch` or callback threw.
pub enum Failure {
    OAuth(Error),
    Native(JsValue),
}

#[cfg(any(feature = "js", feature = "npm"))]
impl Failure {
    /// What a JavaScript caller sees of it.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::OAuth(error) => Outcome::Error(error.to_json()),
            Self::Native(reason) => Outcome::Reason(reason),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::OAuth(error)
    }
}

impl From<JsValue> for Failure {
    fn from(reason: JsValue) -> Self {
        Self::Native(reason)
    }
}

/// Sends the user to the authorization server, or hands the URL to `navigate`.
pub async fn start_login(config: Config, navigate: Option<JsValue>) -> Result<(), Failure> {
    let origin = page::origin();
    if origin.is_empty() {
        return Err(ErrorCode::UnsupportedEnvironment.error().into());
    }
    let login = config.resolve(&origin)?;
    let entropy = entropy::bytes().ok_or_else(|| ErrorCode::EntropyFailure.error())?;
    let pending = PendingLogin::new(login, &entropy, clock::wall())?;
    sweep(&origin);
    page::store(&key(pending.state()), &pending.to_record()).map_err(not_stored)?;
    HANDLED.with(|handled| drop(handled.take()));
    let url = pending.authorization_url();
    match navigate {
        None => page::navigate(&url),
        Some(callback) => {
            Answer::of(&callback, &url).await?;
        }
    }
    Ok(())
}

/// Answers the redirect in `href` once. `Ok(None)`: this is no redirect of ours. Else the session as JSON text.
/// Where `href` is the page's own address, which is clean after the first call, a later call gets the same answer.
pub async fn handle_redirect(href: &str, own_address: bool) -> Result<Option<String>, Failure> {
    let Some(response) = AuthorizationResponse::read(href) else {
        return match own_address {
            true => answered_before(None).await,
            false => Ok(None),
        };
    };
    if HANDLED.with(|handled| is_answered(handled, &response)) {
        return answered_before(Some(response.state())).await;
    }
    let origin = page::origin();
    if response.is_ours() && !page::has_storage() {
        return Err(ErrorCode::StorageBlocked.error().into());
    }
    let state = response.state().clone();
    let mut waiting = waiting(&origin);
    let Some(at) = waiting.iter().position(|(known, _)| *known == key(&state)) else {
        let now = clock::wall();
        let expected = |(_, login): &(String, PendingLogin)| {
            login.expects(&response) && !login.is_expired(now)
        };
        return match waiting.iter().any(expected) {
            true => Err(ErrorCode::StateMismatch.error().into()),
            false if response.is_ours() => Err(ErrorCode::UnknownState.error().into()),
            false => Ok(None),
        };
    };
    let (key, pending) = waiting.swap_remove(at);
    if !pending.expects(&response) {
        return Err(ErrorCode::RedirectUriMismatch.error().into());
    }
    page::remove(&key);
    let session = Shared::spawn(Box::pin(answer(pending, response)));
    HANDLED.with(|handled| {
        *handled = Some(Handled { state, session });
    });
    answered_before(None).await
}

async fn answer(
    pending: PendingLogin,
    response: Box<AuthorizationResponse>,
) -> Result<String, Error> {
    let (login, accepted) = pending.accept(response, clock::wall(), clock::elapsed())?;
    let tokens = match accepted {
        Accepted::Tokens(tokens) => tokens,
        Accepted::Exchange(request) => {
            let before = logouts();
            let tokens = exchange(request).await?;
            // Who logged out meanwhile wants no session, not this one either.
            if logouts() != before {
                return Err(ErrorCode::LoginRequired.error());
            }
            tokens
        }
    };
    let session = Session::new(login, tokens, clock::wall(), clock::elapsed());
    let id = SESSIONS.with(|sessions| sessions.add(session));
    ANSWERED.with(|answered| *answered = Some(id));
    Ok(String::new())
}

fn is_answered(handled: &Option<Handled>, response: &AuthorizationResponse) -> bool {
    handled
        .as_ref()
        .is_some_and(|handled| handled.state == *response.state())
}

/// The answer that this page has got, or is getting: the session as it is now, for as long as it lives.
async fn answered_before(state: Option<&State>) -> Result<Option<String>, Failure> {
    let session = HANDLED.with(|handled| {
        let handled = handled.as_ref()?;
        let same = state.is_none_or(|state| *state == handled.state);
        same.then(|| handled.session.clone())
    });
    let Some(session) = session else {
        return Ok(None);
    };
    if let Err(error) = session.await {
        // It may go well the next time, and the next time is another login.
        if error.code.retryable() {
            HANDLED.with(|handled| drop(handled.take()));
        }
        return Err(error.into());
    }
    let id = ANSWERED.with(|answered| *answered);
    Ok(SESSIONS.with(|sessions| Some(sessions.get(id?)?.describe())))
}

/// `fetch` with the token of the session that the URL belongs to. The native response, whatever its status.
pub async fn fetch_private(request: Request) -> Result<JsValue, Failure> {
    let wanted = PrivateRequest::read(&request.inspect())?;
    let id = SESSIONS.with(|sessions| sessions.find(wanted.url()))?;
    let now = clock::elapsed();
    let token = match session(id, |session| session.access(now))? {
        Access::Token(token) => token,
        Access::Renew => match renewed(id).await {
            Ok(token) => token,
            Err(error) => session(id, |session| session.living_token(now))
                .ok()
                .flatten()
                .ok_or(error)?,
        },
        Access::LoginRequired => return Err(ErrorCode::LoginRequired.error().into()),
    };
    let again = wanted.is_repeatable();
    let response = send(&request, &token, again).await?;
    if status_of(&response) != 401 {
        return Ok(response);
    }
    let challenge = header_of(&response, "www-authenticate");
    if !again {
        SESSIONS.with(|sessions| sessions.refused(id, &token, &challenge));
        return Ok(response);
    }
    let token = match session(id, |session| session.after_unauthorized(&token, &challenge))? {
        AfterUnauthorized::Token(token) => token,
        AfterUnauthorized::Renew => renewed(id).await?,
        AfterUnauthorized::GiveUp => return Ok(response),
    };
    Ok(send(&request, &token, false).await?)
}

async fn send(request: &Request, token: &AccessToken, again: bool) -> Result<JsValue, JsValue> {
    let header = token.authorization_header();
    request.send_with("authorization", header, again).await
}

/// The newest session, as JSON text.
pub fn describe_session() -> Option<String> {
    SESSIONS.with(|sessions| Some(sessions.last()?.describe()))
}

/// Forgets every session and overwrites its tokens.
pub fn logout() {
    SESSIONS.with(Sessions::clear);
    LOGOUTS.with(|count| *count += 1);
    HANDLED.with(|handled| drop(handled.take()));
}

fn logouts() -> u32 {
    LOGOUTS.with(|count| *count)
}

/// Renews the session's tokens, once for all who wait, and gives the new access token.
async fn renewed(id: SessionId) -> Result<AccessToken, Error> {
    let running = RENEWALS.with(|renewals| {
        let entry = renewals.iter().find(|(known, _)| *known == id)?;
        Some(entry.1.clone())
    });
    let renewal = match running {
        Some(renewal) => renewal,
        None => {
            let request = session(id, Session::renewal)??;
            let renewal = Shared::spawn(Box::pin(renew(id, request)));
            RENEWALS.with(|renewals| renewals.push((id, renewal.clone())));
            renewal
        }
    };
    renewal.await?;
    session(id, Session::token)
}

async fn renew(id: SessionId, request: TokenRequest) -> Result<String, Error> {
    let outcome = exchange(request).await;
    RENEWALS.with(|renewals| {
        if let Some(at) = renewals.iter().position(|(known, _)| *known == id) {
            renewals.swap_remove(at);
        }
    });
    let (wall, now) = (clock::wall(), clock::elapsed());
    SESSIONS.with(|sessions| sessions.renewed(id, outcome, wall, now))?;
    Ok(String::new())
}

/// Sends a token request, once.
async fn exchange(request: TokenRequest) -> Result<Tokens, Error> {
    // The token's life is counted from before the request: a slow answer makes it shorter, never longer.
    let now = clock::elapsed();
    let answer = post_form(request.endpoint(), request.body(), MAX_BODY, TIMEOUT).await;
    let answer = answer.map_err(|why| {
        match why {
            Unanswered::Network => ErrorCode::NetworkError,
            Unanswered::Timeout => ErrorCode::Timeout,
            Unanswered::TooLarge => ErrorCode::ResponseTooLarge,
        }
        .error()
    })?;
    let response = HttpResponse {
        status: answer.status,
        content_type: answer.content_type,
        body: answer.body,
    };
    request.read(response, now)
}

fn session<R>(id: SessionId, f: impl FnOnce(&Session) -> R) -> Result<R, Error> {
    SESSIONS.with(|sessions| match sessions.get(id) {
        Some(session) => Ok(f(session)),
        None => Err(ErrorCode::LoginRequired.error()),
    })
}

fn key(state: &State) -> String {
    let mut key = String::from(PENDING);
    key.push_str(state.expose());
    key
}

/// The logins that wait in this tab. What cannot be read is removed.
fn waiting(origin: &str) -> Vec<(String, PendingLogin)> {
    let mut pending = Vec::new();
    for key in page::keys(PENDING) {
        let record = Zeroizing::new(page::load(&key).unwrap_or_default());
        let state = key.strip_prefix(PENDING).unwrap_or("");
        match PendingLogin::from_record(state, &record, origin) {
            Some(login) => pending.push((key, login)),
            None => page::remove(&key),
        }
    }
    pending
}

/// Makes room: removes logins that have waited too long, and the oldest of too many.
fn sweep(origin: &str) {
    let now = clock::wall();
    let mut pending = waiting(origin);
    loop {
        let oldest = pending
            .iter()
            .enumerate()
            .min_by_key(|(_, (_, login))| login.created());
        let Some((at, (key, login))) = oldest else {
            return;
        };
        if !login.is_expired(now) && pending.len() < MAX_PENDING {
            return;
        }
        page::remove(key);
        pending.remove(at);
    }
}

fn not_stored(why: NotStored) -> Error {
    match why {
        NotStored::Blocked => ErrorCode::StorageBlocked,
        NotStored::Full => ErrorCode::StorageFull,
    }
    .error()
}
