//! Logins that leave this page where it is: in a popup, or in a frame that nobody sees.

use alloc::string::String;

use super::Window;
use crate::browser::port::WindowError;
use crate::client::{Client, Page, WindowLogin};
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::config::Display;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::secret::State;
use crate::protocol::text::concat;

/// How the channel is called on which the answer comes; the rest is the login's `state`, which nobody else knows.
const CHANNEL: &str = "oauth-wasm.";

impl<B: Page> Client<B> {
    pub(in crate::client) fn is_in_window(pending: &PendingLogin) -> bool {
        pending.display() != Display::Page
    }

    /// Shows a login in its window and answers the redirect that comes of it. The session as JSON text.
    pub async fn log_in(
        self,
        WindowLogin { pending, url }: WindowLogin,
        popup: Option<Window<B>>,
    ) -> Result<String, Error> {
        let window = match pending.display() {
            Display::Frame => self.browser.frame(),
            _ => popup.ok_or_else(|| ErrorCode::PopupBlocked.error())?,
        };
        let channel = channel(pending.state());
        let milliseconds = pending.display_timeout().saturating_mul(1000);
        let href = self
            .browser
            .show(&window, &url, &channel, milliseconds)
            .await;
        let href = href.map_err(|why| match why {
            WindowError::Closed => ErrorCode::PopupClosed.error(),
            WindowError::Timeout => ErrorCode::Timeout.error(),
        })?;
        let response = AuthorizationResponse::read(&href)
            .ok_or_else(|| ErrorCode::InvalidAuthorizationResponse.error())?;
        let cookies_may_lack = pending.is_foreign_frame(&self.browser.origin());
        let answered = self.answer(pending, response).await;
        let id = answered.map_err(|error| match cookies_may_lack {
            true => error.without_cookies(),
            false => error,
        })?;
        let session = self.describe(id);
        session.ok_or_else(|| ErrorCode::LoginRequired.error())
    }

    /// Takes a response to the page that waits for it, and closes this window. Whether it was heard; `None` where no
    /// other page waits for it.
    pub(in crate::client) async fn deliver(
        self,
        response: &AuthorizationResponse,
        href: &str,
    ) -> Option<bool> {
        if !response.is_for_another_page() {
            return None;
        }
        let heard = self.browser.deliver(&channel(response.state()), href).await;
        if heard {
            self.browser.close_own();
        }
        Some(heard)
    }
}

fn channel(state: &State) -> String {
    concat(&[CHANNEL, state.expose()])
}
