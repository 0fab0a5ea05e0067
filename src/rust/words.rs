//! Words of the configuration and of the session that are one of a few.

use serde::{Deserialize, Serialize, Serializer};

pub use crate::protocol::client::ResponseType;
pub use crate::protocol::pkce::CodeChallengeMethod;

impl Serialize for ResponseType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for CodeChallengeMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where the provider is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Display {
    /// In the place of the page, which is left.
    Page,
    /// In a window beside.
    Popup,
    /// Unseen; needs `prompt: Some("none".into())`.
    Iframe,
}

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionScope {
    /// This page's alone.
    Tab,
    /// Every tab's that calls [`restore`](crate::restore).
    Origin,
}

/// Where the refresh token is kept, sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Keep {
    /// Until the tab is closed.
    Tab,
    /// Until the session ends, in this browser.
    Device,
}

/// Whether a session can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    Active,
    /// The answer to a renewal was lost: the access token is used while it lives, the refresh token is not sent again,
    /// and the one safe next step is [`start_login`](crate::start_login).
    Indeterminate,
}
