//! Changes of a session, told to a closure.

use alloc::string::String;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::{Session, SomeExtra};
use crate::browser::value;

/// A change of a session.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct SessionChange<Extra = SomeExtra> {
    #[serde(rename = "type")]
    pub kind: ChangeKind,
    /// Whether this page did it, or another one of the origin.
    pub from: ChangeOrigin,
    /// The session as it is now; `None` when it has ended.
    pub session: Option<Session<Extra>>,
    /// Why it has ended: `logout`, or the error code of the renewal that was refused.
    pub reason: Option<String>,
}

/// What has happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// Logged in, or a token adopted.
    Started,
    /// Given back without the user.
    Restored,
    /// It has new tokens.
    Renewed,
    /// It ends in a minute, and nothing will renew it.
    Expiring,
    /// See [`SessionState::Indeterminate`](crate::SessionState::Indeterminate).
    Indeterminate,
    Ended,
}

/// Who has changed a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeOrigin {
    Here,
    Elsewhere,
}

/// Calls a closure at each change of a session, in a turn of its own, until the value that this gives is dropped.
///
/// Keep that value where the component keeps its state:
///
/// ```no_run
/// use oauth_wasm::{ChangeKind, SessionChange, on_session_change};
///
/// struct View {
///     _subscription: oauth_wasm::Subscription,
/// }
///
/// let view = View {
///     _subscription: on_session_change(|change: SessionChange| {
///         if change.kind == ChangeKind::Ended {
///             // Show the log in button.
///         }
///     }),
/// };
/// ```
///
/// Where the provider's members do not fit `Extra` the closure is not called, and the page's `error` event says so.
pub fn on_session_change<Extra: DeserializeOwned>(
    mut listener: impl FnMut(SessionChange<Extra>) + 'static,
) -> Subscription {
    let closure = Closure::<dyn FnMut(JsValue) -> Result<(), JsValue>>::new(move |change| {
        listener(serde_wasm_bindgen::from_value(change)?);
        Ok(())
    });
    Subscription {
        remove: value::listen_to(closure.as_ref(), &JsValue::UNDEFINED),
        _closure: closure,
    }
}

/// Ends what [`on_session_change`] began when it is dropped.
#[must_use = "the closure is called only while this lives"]
#[derive(Debug)]
pub struct Subscription {
    remove: JsValue,
    _closure: Closure<dyn FnMut(JsValue) -> Result<(), JsValue>>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // It only forgets the closure, and cannot throw.
        let _ = self
            .remove
            .unchecked_ref::<js_sys::Function>()
            .call0(&JsValue::UNDEFINED);
    }
}
