//! The part `start`: what begins a login.
//!
//! | name | first | second | value |
//! | --- | --- | --- | --- |
//! | startLogin | the configuration, without its function | the provider's file, or the names that there are | `navigate` |
//! | scopesFor | the configuration | as above | |

use alloc::boxed::Box;
use alloc::string::String;
use core::future::ready;
use wasm_bindgen::JsValue;

use super::Flow;
use super::calls::{Answer, complete, function, nothing};
use crate::browser::task::Outcome;
use crate::door::client;
use crate::protocol::error::ErrorCode;
use crate::protocol::json::Json;

pub use super::calls::explain_or_lack as explain;

pub fn flow(name: &str, first: String, second: String, value: JsValue) -> Flow {
    match name {
        "startLogin" => Box::pin(start_login(first, second, value)),
        _ => Box::pin(ready(at_once(name, &first, &second))),
    }
}

async fn start_login(config: String, found: String, navigate: JsValue) -> Answer {
    let config = complete(&config, &found)?;
    client().start(config, function(navigate)).await?;
    Ok(nothing())
}

fn at_once(name: &str, first: &str, second: &str) -> Answer {
    match name {
        // The client, by which `scopesOf` of another part tells.
        "scopesFor" => {
            let client = complete(first, second)?.adopt()?;
            Ok(Outcome::Json(Json::String(client.to_record()).text()))
        }
        _ => Err(ErrorCode::NeedsFull.at(name).into()),
    }
}
