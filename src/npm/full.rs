//! The part `full`: all of the library. It answers what `start` and `session` answer, and besides:
//!
//! | name | first | second | value |
//! | --- | --- | --- | --- |
//! | startLogin | as for `start` | as for `start` | `navigate`, or the popup |
//! | scopesFor | the configuration, or nothing | as for startLogin | the calls |
//! | adoptToken | the configuration | as for startLogin | the token |
//! | userinfo | | | |
//! | restore | the options, or nothing | | |
//! | takeOver | | | |

use alloc::boxed::Box;
use alloc::string::String;
use core::future::ready;
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

use super::Flow;
use super::calls::{self, Answer, client_id, complete, fetch_private, function, handle_redirect};
use super::calls::{logout, nothing, of_sessions};
use crate::browser::http::Request;
use crate::browser::parts;
use crate::browser::task::Outcome;
use crate::browser::windows::Window;
use crate::door::{self, client, described};
use crate::protocol::config::Display;

pub use crate::door::outcome as explain;

pub fn flow(name: &str, first: String, second: String, value: JsValue) -> Flow {
    match name {
        "startLogin" => Box::pin(start_login(first, second, value)),
        "handleRedirect" => Box::pin(handle_redirect(first, second == "own")),
        "fetchPrivate" => Box::pin(fetch_private(Request::prepared(value))),
        "restore" => Box::pin(restore(first)),
        "logout" => Box::pin(logout(first == "revoke", second, value)),
        "userinfo" => Box::pin(async { Ok(Outcome::Json(client().userinfo().await?)) }),
        _ => Box::pin(ready(at_once(name, &first, &second, value))),
    }
}

async fn start_login(config: String, found: String, target: JsValue) -> Answer {
    let config = complete(&config, &found)?;
    let (navigate, popup) = match config.display() {
        Display::Popup => (None, Window::opened(target)),
        _ => (function(target), None),
    };
    let session = door::start_login(config, navigate, popup).await?;
    Ok(session.map_or_else(nothing, Outcome::Json))
}

async fn restore(options: String) -> Answer {
    Ok(described(client().restore(client_id(&options)).await))
}

fn at_once(name: &str, first: &str, second: &str, value: JsValue) -> Answer {
    Ok(match name {
        "adoptToken" => {
            let token = calls::text(&value);
            Outcome::Json(client().adopt(token, complete(first, second)?)?)
        }
        "scopesFor" if !first.is_empty() => {
            Outcome::Json(complete(first, second)?.scope_for(&calls::text(&value))?)
        }
        "takeOver" => {
            client().go_on_with(&Zeroizing::new(parts::handed_on()));
            nothing()
        }
        _ => return of_sessions(name, first, &value),
    })
}
