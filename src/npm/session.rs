//! The part `session`: what answers a login, and what a session is there for.
//!
//! | name | first | second | value |
//! | --- | --- | --- | --- |
//! | handleRedirect | the URL | `own` where it was the page's own address, which is clean by now | |
//! | fetchPrivate | | | what `prepare` of `natives.js` gave |
//! | logout | `revoke` or nothing | `end ` and an address, or nothing | `navigate` |
//! | scopesFor | nothing | | the calls |
//! | scopesOf | what `start` gave for the configuration | | the calls |
//! | explain | what `inspect` of `natives.js` gave | | the body's bytes |
//! | session | | | |
//! | sessionOf | the options, of which `clientId` counts | | |
//! | forgetRedirect | | | |
//! | handOver | | | |

use alloc::boxed::Box;
use alloc::string::String;
use core::future::ready;
use wasm_bindgen::JsValue;

use super::Flow;
use super::calls::{fetch_private, handle_redirect, logout, nothing, of_sessions};
use crate::browser::http::Request;
use crate::browser::parts;
use crate::door::client;

pub use super::calls::explain_or_lack as explain;

pub fn flow(name: &str, first: String, second: String, value: JsValue) -> Flow {
    match name {
        "handleRedirect" => Box::pin(handle_redirect(first, second == "own")),
        "fetchPrivate" => Box::pin(fetch_private(Request::prepared(value))),
        "logout" => Box::pin(logout(first == "revoke", second, value)),
        "handOver" => Box::pin(async {
            parts::hand_on(client().hand_over().await.as_bytes());
            Ok(nothing())
        }),
        _ => Box::pin(ready(of_sessions(name, &first, &value))),
    }
}
