//! The part `start`: what begins a login.
//!
//! | name | first | second | value |
//! | --- | --- | --- | --- |
//! | startLogin | the configuration, without its function | the provider's file, or the names that there are | `navigate` |
//! | scopesFor | the configuration | as above | the calls |

use alloc::boxed::Box;
use alloc::string::String;
use core::future::ready;
use wasm_bindgen::JsValue;

use super::Flow;
use super::calls::{self, Answer, complete, function, nothing};
use crate::browser::task::Outcome;
use crate::door::client;
use crate::protocol::error::ErrorCode;

pub use super::calls::explain_or_lack as explain;

pub fn flow(name: &str, first: String, second: String, value: JsValue) -> Flow {
    match name {
        "startLogin" => Box::pin(start_login(first, second, value)),
        _ => Box::pin(ready(at_once(name, &first, &second, value))),
    }
}

async fn start_login(config: String, found: String, navigate: JsValue) -> Answer {
    let config = complete(&config, &found)?;
    client().start(config, function(navigate)).await?;
    Ok(nothing())
}

fn at_once(name: &str, first: &str, second: &str, value: JsValue) -> Answer {
    match name {
        "scopesFor" if !first.is_empty() => {
            let scope = complete(first, second)?.scope_for(&calls::text(&value))?;
            Ok(Outcome::Json(scope))
        }
        _ => Err(ErrorCode::NeedsFull.at(name).into()),
    }
}
