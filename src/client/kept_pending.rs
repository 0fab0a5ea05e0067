//! Logins that wait for their answer even if their tab, or the whole application, ends meanwhile: sealed in IndexedDB.

use alloc::boxed::Box;
use alloc::string::String;

use super::{HANDLED, answer as answered, entropy, page};
use crate::browser::kept::{self, Key, NotKept};
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::base64url;
use crate::protocol::text::concat;

/// Names of records; the rest is the login's `state`.
const RECORD: &str = "pending.";

pub fn is_possible() -> bool {
    kept::is_there() && kept::has_crypto()
}

/// Keeps a login. Whether that could be done.
pub async fn keep(pending: &PendingLogin, origin: &str) -> bool {
    store(pending, origin).await.is_ok()
}

async fn store(pending: &PendingLogin, origin: &str) -> Result<(), NotKept> {
    sweep().await?;
    let salt = base64url(&entropy::bytes::<16>().ok_or(NotKept)?);
    let state = pending.state().expose();
    let key = Key::kept(&salt).await?;
    let record = zeroize::Zeroizing::new(pending.to_record());
    let sealed = key.seal(&bound(origin, state), record.as_bytes()).await?;
    let mut label = Object::new();
    let label = label
        .str("salt", &salt)
        .number("until", pending.expires_at())
        .done()
        .text();
    let name = concat(&[RECORD, state]);
    kept::replace(&name, "", &label, Some(&sealed), None).await?;
    Ok(())
}

/// Answers a response to a login that was kept, once; `refusal` where there is none.
pub async fn answer(response: Box<AuthorizationResponse>, refusal: Error) -> Result<String, Error> {
    let state = response.state().clone();
    match take(state.expose(), &response)
        .await
        .unwrap_or(Err(refusal))
    {
        Ok(pending) => answered(pending, response).await,
        Err(error) => {
            // Nothing was answered: the login may still wait.
            HANDLED.with(|handled| drop(handled.take()));
            Err(error)
        }
    }
}

async fn take(
    state: &str,
    response: &AuthorizationResponse,
) -> Option<Result<PendingLogin, Error>> {
    let name = concat(&[RECORD, state]);
    let origin = page::origin();
    let pending = open(&kept::find(&name).await.ok()??, state, &origin).await?;
    if !pending.expects(response) {
        return Some(Err(ErrorCode::RedirectUriMismatch.error()));
    }
    if page::is_framed() && !pending.allow_framed() {
        return Some(Err(ErrorCode::Framed.error()));
    }
    // Whoever takes it has it alone.
    kept::take(&name).await.ok()??;
    Some(Ok(pending))
}

async fn open(item: &kept::Item, state: &str, origin: &str) -> Option<PendingLogin> {
    let label = Json::parse(item.text().as_bytes())?;
    let key = Key::kept(label.str("salt")?).await.ok()?;
    let record = key
        .open(&bound(origin, state), &item.part("one"))
        .await
        .ok()?;
    PendingLogin::from_record(state, core::str::from_utf8(&record).ok()?, origin)
}

/// Removes logins that have waited too long.
async fn sweep() -> Result<(), NotKept> {
    let now = super::clock::wall();
    let list = kept::find_all(RECORD).await?;
    let Some(Json::Array(items)) = Json::parse(list.as_bytes()) else {
        return Ok(());
    };
    for item in items {
        let label = item
            .str("text")
            .and_then(|text| Json::parse(text.as_bytes()));
        let until = label.and_then(|label| label.get("until").and_then(Json::as_u32));
        if until.is_none_or(|until| until < now)
            && let Some(name) = item.str("name")
        {
            kept::remove(name).await?;
        }
    }
    Ok(())
}

fn bound(origin: &str, state: &str) -> String {
    concat(&["oauth-wasm 1 pending ", origin, " ", state])
}
