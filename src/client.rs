//! Floor 3, the flows: ask the protocol what to do, do it with the browser.
//!
//! Reads top to bottom; what to decide is decided in `protocol`.

#[cfg(feature = "full")]
mod common;
#[cfg(feature = "full")]
mod elsewhere;
#[cfg(feature = "full")]
mod identity;
#[cfg(feature = "full")]
mod kept_pending;
#[cfg(feature = "full")]
mod proof;
#[cfg(feature = "full")]
mod pushed;

#[cfg(feature = "full")]
pub use common::restore;
#[cfg(feature = "full")]
pub use identity::userinfo;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

use crate::browser::http::{self, Own, Request, Unanswered, header_of, retry_after_of, status_of};
use crate::browser::page::NotStored;
#[cfg(any(feature = "js", feature = "npm"))]
use crate::browser::task::Outcome;
use crate::browser::task::{self, Answer, Local, Shared};
#[cfg(feature = "full")]
use crate::browser::windows::Place;
use crate::browser::{clock, entropy, page};
use crate::protocol::authorization::{Accepted, AuthorizationResponse, PendingLogin};
use crate::protocol::config::Config;
#[cfg(feature = "full")]
use crate::protocol::config::Display;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{self, Json};
use crate::protocol::metadata;
use crate::protocol::resource::{Call, PrivateRequest};
use crate::protocol::secret::{AccessToken, State};
use crate::protocol::session::{self, Access, AfterRefusal, Session, SessionId, Sessions};
use crate::protocol::token::{HttpResponse, MAX_BODY, TokenRequest, Tokens};

/// Keys of our records in sessionStorage; the rest of the key is the login's `state`.
const PENDING: &str = "oauth-wasm.pending.";
/// When somebody last logged out in this tab; no secret.
const LEFT: &str = "oauth-wasm.left";
/// In seconds, for timers that must not be longer.
const DAY: u32 = 86_400;
/// Logins that may wait at once; the oldest make room.
const MAX_PENDING: usize = 16;
/// How long the token endpoint may take, in milliseconds.
const TIMEOUT: u32 = 30_000;

/// Something that runs once and that many may wait for.
type Once = Shared<Result<String, Error>>;

static SESSIONS: Local<Sessions> = Local::new(Sessions::new());
static RENEWALS: Local<Vec<(SessionId, Once)>> = Local::new(Vec::new());
/// What the metadata of an issuer said, for as long as the page lives.
static METADATA: Local<Vec<(String, bool, Json)>> = Local::new(Vec::new());
/// Whether somebody waits for the page to be shown again.
static WATCHED: Local<bool> = Local::new(false);
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

/// Where a login goes on.
#[derive(Default)]
pub struct Going {
    /// Gets the URL in the place of the page.
    pub navigate: Option<JsValue>,
    /// The popup that was opened for it.
    #[cfg(feature = "full")]
    pub popup: Option<Place>,
}

impl Going {
    /// To the page, or to a callback in its place.
    pub fn to(navigate: Option<JsValue>) -> Self {
        Self {
            navigate,
            #[cfg(feature = "full")]
            popup: None,
        }
    }
}

/// Sends the user to the authorization server, or hands the URL to `navigate`. A login in a popup or a frame gives its
/// session, as JSON text.
pub async fn start_login(mut config: Config, going: Going) -> Result<Option<String>, Failure> {
    let origin = page::origin();
    if origin.is_empty() {
        return Err(ErrorCode::UnsupportedEnvironment.error().into());
    }
    if let Some(issuer) = config.undiscovered()?.map(String::from) {
        let found = discover(issuer, config.is_s256(), config.is_openid()).await?;
        config.discovered(found)?;
    }
    let login = config.resolve(&origin)?;
    login.check_page(&origin, going.navigate.is_some())?;
    let entropy = entropy::bytes().ok_or_else(|| ErrorCode::EntropyFailure.error())?;
    #[cfg(feature = "full")]
    common::check(&login).await?;
    #[allow(unused_mut, reason = "the full build has more to say")]
    let mut pending = PendingLogin::new(login, &entropy, clock::wall())?;
    #[cfg(feature = "full")]
    identity::name_user(&mut pending);
    #[cfg(feature = "full")]
    proof::bind(&mut pending).await?;
    #[cfg(feature = "full")]
    let url = pushed::authorization_url(&pending).await?;
    #[cfg(feature = "full")]
    if pending.display() != Display::Page {
        return Ok(Some(elsewhere::log_in(pending, &url, going.popup).await?));
    }
    keep(&pending, &origin).await?;
    HANDLED.with(|handled| drop(handled.take()));
    #[cfg(not(feature = "full"))]
    let url = pending.authorization_url();
    go(&url, going.navigate).await?;
    Ok(None)
}

/// Keeps a login until its answer comes.
async fn keep(pending: &PendingLogin, origin: &str) -> Result<(), Error> {
    #[cfg(feature = "full")]
    if pending.is_to_be_kept() && kept_pending::keep(pending, origin).await {
        return Ok(());
    }
    sweep();
    page::store(&key(pending.state()), &pending.to_record()).map_err(not_stored)
}

/// Asks an issuer for its metadata, once a page. Where one place has none, or cannot be read, the other may.
async fn discover(issuer: String, s256: bool, openid: bool) -> Result<Json, Error> {
    let known = METADATA.with(|known| {
        let same = |(name, strict, _): &&(String, bool, Json)| *name == issuer && *strict == s256;
        Some(known.iter().find(same)?.2.clone())
    });
    if let Some(fields) = known {
        return Ok(fields);
    }
    let mut failure = ErrorCode::InvalidMetadata.error();
    for url in metadata::documents(&issuer, openid) {
        let answer = match ask("GET", &url, Zeroizing::default(), Zeroizing::default()).await {
            Ok(answer) => answer,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        failure = metadata::failure(answer.status);
        if let Some(fields) = metadata::read(&issuer, answer.status, &answer.body, s256) {
            let fields = fields?;
            METADATA.with(|known| known.push((issuer, s256, fields.clone())));
            return Ok(fields);
        }
    }
    Err(failure)
}

/// Takes a token that the user has already. The session as JSON text.
pub fn adopt(token: String, config: Config) -> Result<String, Error> {
    let login = config.adopt()?;
    let tokens = Tokens::adopt(token, login.scope())?;
    let session = Session::new(login, tokens, clock::wall(), clock::elapsed());
    let text = session.describe();
    let id = begin(session);
    announce("started", true, Some(id), None);
    Ok(text)
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
    #[cfg(feature = "full")]
    if response.is_for_another_page() {
        return match elsewhere::deliver(response.state(), href).await {
            true => Ok(None),
            false => Err(ErrorCode::UnknownState.error().into()),
        };
    }
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
        let refusal = match waiting.iter().any(expected) {
            true => ErrorCode::StateMismatch.error(),
            false if response.is_ours() => ErrorCode::UnknownState.error(),
            false => return Ok(None),
        };
        #[cfg(feature = "full")]
        if response.is_ours() && kept_pending::is_possible() {
            let session = Shared::spawn(Box::pin(kept_pending::answer(response, refusal)));
            HANDLED.with(|handled| {
                *handled = Some(Handled { state, session });
            });
            return answered_before(None).await;
        }
        return Err(refusal.into());
    };
    let (key, pending) = waiting.swap_remove(at);
    if !pending.expects(&response) {
        return Err(ErrorCode::RedirectUriMismatch.error().into());
    }
    if page::is_framed() && !pending.allow_framed() {
        return Err(ErrorCode::Framed.error().into());
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
        #[cfg(feature = "full")]
        Accepted::Tokens(mut tokens) => {
            let before = logouts();
            identity::identify(&login, &mut tokens).await?;
            if logouts() != before {
                return Err(ErrorCode::LoginRequired.error());
            }
            tokens
        }
        #[cfg(not(feature = "full"))]
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
    let id = begin(session);
    #[cfg(feature = "full")]
    common::settle(id).await;
    announce("started", true, Some(id), None);
    ANSWERED.with(|answered| *answered = Some(id));
    Ok(String::new())
}

/// A session begins: it is watched from now on.
fn begin(session: Session) -> SessionId {
    let id = SESSIONS.with(|sessions| sessions.add(session));
    #[cfg(feature = "full")]
    common::prune();
    task::spawn(Box::pin(warn_of_the_end(id)));
    if !WATCHED.with(|watched| core::mem::replace(watched, true)) {
        task::spawn(Box::pin(look_again()));
    }
    id
}

/// Tells the page; of a session that it has left already, nothing.
fn announce(kind: &str, here: bool, id: Option<SessionId>, reason: Option<&str>) {
    #[cfg(feature = "full")]
    if kind == "renewed" && id.is_some() && common::RESTORED.with(|restored| *restored == id) {
        return;
    }
    let text = SESSIONS.with(|sessions| {
        let session = id.and_then(|id| sessions.get(id));
        let told = id.is_none() || session.is_some();
        told.then(|| session::change(kind, here, session, reason))
    });
    if let Some(text) = text {
        task::emit(&text);
    }
}

/// Says a minute before that a session ends which nothing will renew. Timers are late after a sleep, so each looks again.
async fn warn_of_the_end(id: SessionId) {
    loop {
        let now = clock::elapsed();
        match session(id, |session| session.warning_in(now)) {
            Ok(Some(0)) => return announce("expiring", true, Some(id), None),
            Ok(Some(seconds)) => http::pause(seconds.min(DAY) * 1000).await,
            _ => return,
        }
    }
}

/// A page that comes back from the back/forward cache may have missed a logout in this tab.
async fn look_again() {
    loop {
        let before = page::load(LEFT);
        page::shown_again().await;
        if page::load(LEFT) != before && !forget(false).is_empty() {
            announce("ended", false, None, Some("logout"));
        }
        #[cfg(feature = "full")]
        common::look_again().await;
    }
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

/// `fetch` with the token of the session that the URL belongs to. The native response, whatever its status, unless it
/// asks for another login.
pub async fn fetch_private(request: Request) -> Result<JsValue, Failure> {
    let mut wanted = PrivateRequest::read(&request.inspect())?;
    let id = SESSIONS.with(|sessions| sessions.find(wanted.url()))?;
    let now = clock::elapsed();
    let narrowed = session(id, |session| session.admit(&wanted, now))??;
    let mut token = access(id).await?;
    let repeatable = wanted.is_repeatable();
    let mut repeated = false;
    #[cfg(feature = "full")]
    let mut proven = proof::Proven::new(&wanted);
    loop {
        let keep = (repeatable && !repeated) || wanted.is_patient();
        #[cfg(not(feature = "full"))]
        let header = token.authorization_header();
        #[cfg(feature = "full")]
        let (header, keep) = proven.prove(id, &request, &token, keep).await?;
        let sent = request.send_with("authorization", header, &narrowed, keep);
        let response = sent.await?;
        #[cfg(feature = "full")]
        if proven.is_to_be_proven_again(&response)? {
            continue;
        }
        note_limits(id, &response);
        let status = status_of(&response);
        if let Some(pause) = wanted.pause(status, retry_after_of(&response), jitter()) {
            http::pause(pause).await;
            token = access(id).await?;
            continue;
        }
        if !matches!(status, 401 | 403) {
            return Ok(response);
        }
        let challenge = header_of(&response, "www-authenticate");
        let now = clock::elapsed();
        let next = session(id, |session| {
            session.after_refusal(status, &token, &challenge, now)
        })?;
        match next {
            AfterRefusal::Login(error) => return Err(error.into()),
            AfterRefusal::Ended(error) => return Err(ended(id, error).await.into()),
            AfterRefusal::Renew if !repeatable => {
                SESSIONS.with(|sessions| sessions.refused(id));
                return Ok(response);
            }
            AfterRefusal::Token(next) if repeatable && !repeated => token = next,
            AfterRefusal::Renew if !repeated => token = renewed(id).await?,
            _ => return Ok(response),
        }
        repeated = true;
    }
}

fn jitter() -> u8 {
    entropy::bytes::<1>().map_or(0, |[jitter]| jitter)
}

/// The session's token, renewed where it is due; if that fails, the old one for as long as it lives.
async fn access(id: SessionId) -> Result<AccessToken, Error> {
    let now = clock::elapsed();
    match session(id, |session| session.access(now))? {
        Access::Token(token) => Ok(token),
        Access::Renew => match renewed(id).await {
            Ok(token) => Ok(token),
            Err(error) => session(id, |session| session.living_token(clock::elapsed()))
                .ok()
                .flatten()
                .ok_or(error),
        },
        Access::LoginRequired => Err(ErrorCode::LoginRequired.error()),
        Access::Trouble(error) => Err(error),
        Access::Ended(error) => Err(ended(id, error).await),
    }
}

/// A session is over whose renewal was refused: it is told once.
async fn ended(id: SessionId, error: Error) -> Error {
    #[cfg(feature = "full")]
    common::ended(id).await;
    conclude(id, Err(error.clone())).err().unwrap_or(error)
}

fn note_limits(id: SessionId, response: &JsValue) {
    let Ok((limit, usage)) = session(id, Session::limit_headers) else {
        return;
    };
    if !limit.is_empty() || !usage.is_empty() {
        let (limit, usage) = (header_of(response, &limit), header_of(response, &usage));
        SESSIONS.with(|sessions| sessions.limited(id, &limit, &usage));
    }
}

/// What a response of the API means; `None` where it is no refusal.
pub fn explain(answer: &str, body: &[u8]) -> Option<Error> {
    let answer = Json::parse(answer.as_bytes()).unwrap_or(Json::Null);
    SESSIONS.with(|sessions| {
        let session = sessions.find(answer.str("url").unwrap_or(""));
        let session = session.ok().and_then(|id| sessions.get(id));
        session::explain(session, &answer, body, clock::elapsed())
    })
}

/// The least scope for these calls, by the configuration's provider or, without one, the session that the first call
/// belongs to. JSON texts.
pub fn scope_for(calls: &str, config: Option<Config>) -> Result<String, Error> {
    let calls = Call::list(calls)?;
    let scope = match (config, calls.first()) {
        (Some(config), _) => config.scope_for(&calls)?,
        (None, Some(first)) => {
            let id = SESSIONS.with(|sessions| sessions.find(&first.url))?;
            session(id, |session| session.scope_for(&calls))??
        }
        (None, None) => Vec::new(),
    };
    Ok(json::list(&scope).text())
}

/// The newest session, as JSON text.
pub fn describe_session() -> Option<String> {
    SESSIONS.with(|sessions| Some(sessions.last()?.describe()))
}

/// What else a logout does than to forget.
#[derive(Default)]
pub struct Leaving {
    /// Tell the providers to forget the tokens too.
    pub revoke: bool,
    /// Send the user to the provider to be logged out there as well, and back to this address if there is one.
    pub end_session: Option<String>,
    /// Gets the URL in the place of the page.
    pub navigate: Option<JsValue>,
}

/// Forgets every session and overwrites its tokens. What is done besides comes after; here they are gone whatever comes
/// of that.
pub async fn logout(leaving: Leaving) -> Result<(), Failure> {
    let end = leaving.end_session.map(|back| {
        let session = SESSIONS.with(|sessions| Some(sessions.last()?.end_session_url(&back)));
        session.unwrap_or_else(|| Err(ErrorCode::LoginRequired.error()))
    });
    #[cfg(feature = "full")]
    let (names, keys) = (common::names(), SESSIONS.with(|sessions| sessions.keys()));
    let left = forget(leaving.revoke);
    // What the pages of this tab look at that come back, whether or not this one had a session. Where nothing can be
    // stored, they cannot know.
    let _ = page::store(LEFT, &json::decimal(clock::wall().into()));
    if !left.is_empty() {
        announce("ended", true, None, Some("logout"));
    }
    #[cfg(feature = "full")]
    common::wipe(names, &left).await;
    let mut outcome = Ok(());
    if leaving.revoke {
        for id in left {
            outcome = outcome.and(give_back(id).await);
        }
    }
    #[cfg(feature = "full")]
    proof::forget(keys).await;
    if let Some(url) = end {
        go(&url?, leaving.navigate).await?;
    }
    Ok(outcome?)
}

/// Leaves the page, or hands the URL to the callback.
async fn go(url: &str, navigate: Option<JsValue>) -> Result<(), Failure> {
    match navigate {
        None => page::navigate(url),
        Some(callback) => {
            Answer::of(&callback, url).await?;
        }
    }
    Ok(())
}

fn forget(keep: bool) -> Vec<SessionId> {
    LOGOUTS.with(|count| *count += 1);
    HANDLED.with(|handled| drop(handled.take()));
    SESSIONS.with(|sessions| sessions.clear(keep))
}

async fn give_back(id: SessionId) -> Result<(), Error> {
    // A renewal under way brings tokens that are to be given back as well.
    if let Some(renewal) = running(id) {
        let _ = renewal.await;
    }
    let Some(mut session) = SESSIONS.with(|sessions| sessions.leave(id)) else {
        return Ok(());
    };
    session.revocation()?;
    if session.renews_to_revoke(clock::elapsed())
        && let Ok(tokens) = exchange(session.renewal()?).await
    {
        session.renew(tokens, clock::wall(), clock::elapsed());
    }
    give_up(&session).await
}

/// Tells the provider to forget a session that nobody has any more.
async fn give_up(session: &Session) -> Result<(), Error> {
    let revocation = session.revocation()?;
    let (method, url) = (&revocation.method, &revocation.url);
    let answer = ask(method, url, revocation.form, revocation.authorization).await?;
    session.revoked(answer.status, &answer.body)
}

fn logouts() -> u32 {
    LOGOUTS.with(|count| *count)
}

/// Renews the session's tokens, once for all who wait, and gives the new access token.
async fn renewed(id: SessionId) -> Result<AccessToken, Error> {
    let renewal = match running(id) {
        Some(renewal) => renewal,
        None => {
            session(id, Session::renewal)??;
            let renewal = Shared::spawn(Box::pin(renew(id)));
            RENEWALS.with(|renewals| renewals.push((id, renewal.clone())));
            renewal
        }
    };
    renewal.await?;
    session(id, Session::token)
}

fn running(id: SessionId) -> Option<Once> {
    RENEWALS.with(|renewals| {
        let entry = renewals.iter().find(|(known, _)| *known == id)?;
        Some(entry.1.clone())
    })
}

async fn renew(id: SessionId) -> Result<String, Error> {
    #[cfg(feature = "full")]
    let outcome = match common::renew(id).await {
        Some(outcome) => outcome,
        None => renew_here(id).await,
    };
    #[cfg(not(feature = "full"))]
    let outcome = renew_here(id).await;
    RENEWALS.with(|renewals| {
        if let Some(at) = renewals.iter().position(|(known, _)| *known == id) {
            renewals.swap_remove(at);
        }
    });
    outcome.map(|()| String::new())
}

async fn renew_here(id: SessionId) -> Result<(), Error> {
    let request = session(id, Session::renewal)??;
    // A server that cannot be reached has not got the request, and the refresh token is still good. Only a request
    // that was sent, and whose answer did not come, may have spent it.
    let outcome = match http::is_reachable(request.endpoint(), TIMEOUT).await {
        true => exchange(request).await,
        false => Err(ErrorCode::NetworkError.error()),
    };
    conclude(id, outcome)
}

/// Takes the outcome of a renewal, and tells the page.
fn conclude(id: SessionId, outcome: Result<Tokens, Error>) -> Result<(), Error> {
    let (wall, now) = (clock::wall(), clock::elapsed());
    let jitter = jitter();
    let concluded = SESSIONS.with(|sessions| sessions.renewed(id, outcome, wall, now, jitter));
    match concluded.as_ref().map_err(|error| error.code) {
        Ok(()) => announce("renewed", true, Some(id), None),
        Err(code @ ErrorCode::SessionEnded) => announce("ended", true, None, Some(code.code())),
        Err(ErrorCode::SessionIndeterminate) => announce("indeterminate", true, Some(id), None),
        // Nothing renews it any more.
        Err(ErrorCode::TokenRequestRefused) => task::spawn(Box::pin(warn_of_the_end(id))),
        Err(_) => {}
    }
    concluded
}

/// Sends a token request, once.
async fn exchange(request: TokenRequest) -> Result<Tokens, Error> {
    // The token's life is counted from before the request: a slow answer makes it shorter, never longer.
    let now = clock::elapsed();
    #[cfg(not(feature = "full"))]
    let answer = {
        let (endpoint, body) = (request.endpoint(), request.body());
        let answer = ask("POST", endpoint, body, Zeroizing::default()).await;
        answer.map_err(|error| request.unanswered(error))?
    };
    #[cfg(feature = "full")]
    let answer = proof::post(&request).await?;
    let response = HttpResponse {
        status: answer.status,
        content_type: answer.content_type,
        retry_after: answer.retry_after,
        body: answer.body,
    };
    #[cfg(not(feature = "full"))]
    return request.read(response, now);
    #[cfg(feature = "full")]
    identity::read(request, response, now).await
}

/// Sends a request of the library's own, once.
async fn ask(
    method: &str,
    url: &str,
    form: Zeroizing<String>,
    authorization: Zeroizing<String>,
) -> Result<http::Answered, Error> {
    let own = Own {
        method,
        url,
        form,
        authorization,
        #[cfg(feature = "full")]
        more: None,
        #[cfg(feature = "full")]
        wanted: "",
    };
    let answer = http::ask(own, MAX_BODY, TIMEOUT).await;
    answer.map_err(|why| unanswered(why).error())
}

#[inline]
fn unanswered(why: Unanswered) -> ErrorCode {
    match why {
        Unanswered::Network => ErrorCode::NetworkError,
        Unanswered::Timeout => ErrorCode::Timeout,
        Unanswered::TooLarge => ErrorCode::ResponseTooLarge,
    }
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
fn sweep() {
    let now = clock::wall();
    let mut waiting = Vec::new();
    for key in page::keys(PENDING) {
        let record = Zeroizing::new(page::load(&key).unwrap_or_default());
        match PendingLogin::expiry_of(&record) {
            Some(at) if at >= now => waiting.push((at, key)),
            _ => page::remove(&key),
        }
    }
    while waiting.len() >= MAX_PENDING
        && let Some((_, key)) = waiting.iter().min()
    {
        page::remove(key);
        let oldest = key.clone();
        waiting.retain(|(_, key)| *key != oldest);
    }
}

fn not_stored(why: NotStored) -> Error {
    match why {
        NotStored::Blocked => ErrorCode::StorageBlocked,
        NotStored::Full => ErrorCode::StorageFull,
    }
    .error()
}
