//! The client of `oauth-wasm`, as it ships, in a simulated browser: tabs that share storage, records, locks and a channel;
//! a network that loses and delays; clocks that jump; pages that die at any await. A seed chooses what happens next, and
//! the same seed does the same again.
//!
//! `world` is everything outside of a page, `page` the browser port of one page, `server` the provider, `run` the
//! application and what must hold. `script` drives the same by hand, for what is to be seen in one order.
//!
//! Schedules have no OpenID Connect, no pushed requests (RFC 9126), no popups or frames, and no transaction of IndexedDB
//! that is reported as failed after it was done. DPoP (RFC 9449) is in rows only.

mod page;
mod rng;
mod run;
mod script;
mod server;
mod world;

pub use page::{API, ORIGIN, Page};
pub use run::run;
pub use script::Script;
pub use world::{Faults, Scripted, Seen};
