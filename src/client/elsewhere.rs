//! Logins that leave this page where it is: in a popup, or in a frame that nobody sees.

use alloc::string::String;

use super::{ANSWERED, SESSIONS, answer, page};
use crate::browser::windows::{self, Place, Silent};
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::config::Display;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::State;
use crate::protocol::text::concat;

/// How the channel is called on which the answer comes; the rest is the login's `state`, which nobody else knows.
const CHANNEL: &str = "oauth-wasm.";

/// Sends a place of ours to this address at the authorization server and answers the redirect that comes of it. The session as JSON text.
pub async fn log_in(
    pending: PendingLogin,
    url: &str,
    opened: Option<Place>,
) -> Result<String, Error> {
    let place = match pending.display() {
        Display::Frame => Place::frame(),
        _ => opened.ok_or_else(|| ErrorCode::PopupBlocked.error())?,
    };
    let channel = concat(&[CHANNEL, pending.state().expose()]);
    let milliseconds = pending.display_timeout().saturating_mul(1000);
    let href = place.answer(url, &channel, milliseconds).await;
    let href = href.map_err(|why| match why {
        Silent::Closed => ErrorCode::PopupClosed.error(),
        Silent::Timeout => ErrorCode::Timeout.error(),
    })?;
    let response = AuthorizationResponse::read(&href)
        .ok_or_else(|| ErrorCode::InvalidAuthorizationResponse.error())?;
    let cookies_may_lack = pending.is_foreign_frame(&page::origin());
    answer(pending, response)
        .await
        .map_err(|error| match cookies_may_lack {
            true => error.without_cookies(),
            false => error,
        })?;
    let id = ANSWERED.with(|answered| *answered);
    let session = SESSIONS.with(|sessions| Some(sessions.get(id?)?.describe()));
    session.ok_or_else(|| ErrorCode::LoginRequired.error())
}

/// Takes a response to the page that waits for it, and closes this window. Whether it was heard.
pub async fn deliver(state: &State, href: &str) -> bool {
    let heard = windows::deliver(&concat(&[CHANNEL, state.expose()]), href).await;
    if heard {
        windows::close_own();
    }
    heard
}
