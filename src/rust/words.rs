//! Words of the configuration and of the session that are one of a few.

use serde::{Deserialize, Serialize};

/// What the authorization endpoint is asked for (RFC 6749 section 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResponseType {
    /// The authorization code grant.
    Code,
    /// The implicit grant, for providers that offer nothing else: RFC 9700 section 2.1.2 advises against it.
    Token,
    /// The same with an ID Token (OpenID Connect Core section 3.2).
    #[serde(rename = "id_token token")]
    IdTokenToken,
}

/// How the verifier is hidden (RFC 7636 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CodeChallengeMethod {
    /// The default.
    S256,
    /// Only for a server that cannot do better.
    #[serde(rename = "plain")]
    Plain,
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
