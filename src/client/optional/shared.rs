//! Sessions that pages share: the tabs of an origin, or a page and the one before it in its tab or on its device.
//!
//! The record of a session is in IndexedDB (`protocol/session/shared.rs` says what is in it). Messages on the channel are
//! hints, which anybody can send: whoever gets one looks at the record. Only the secret of a session travels there,
//! sealed for the tab that has asked.

mod record;
mod renew;
mod tabs;

pub use record::SharedHandle;

use core::future::Future;
use core::pin::Pin;

use alloc::boxed::Box;

/// Work under a lock: boxed, so that its size is not part of the future around it.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Names of records; the rest is the session's name.
const RECORD: &str = "session.";
/// How long another page may take under a lock, in milliseconds: longer than its requests may.
const PATIENCE: u32 = 70_000;
