//! Floor 4 of the npm package: the export that `pkg-template/entry.js` calls, and what the module has instead of the
//! standard library.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::{Future, ready};
use core::pin::Pin;
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
use wasm_bindgen::prelude::*;
#[cfg(feature = "full")]
use zeroize::Zeroizing;

#[cfg(feature = "session")]
use crate::browser::http::{self, Request};
#[cfg(feature = "session")]
use crate::browser::parts;
use crate::browser::task::{self, Outcome};
#[cfg(feature = "full")]
use crate::browser::windows::Window;
use crate::client::Failure;
#[cfg(feature = "session")]
use crate::client::LogoutRequest;
#[cfg(feature = "session")]
use crate::door::described;
use crate::door::{client, outcome};
#[cfg(feature = "start")]
use crate::protocol::config::Config;
#[cfg(feature = "full")]
use crate::protocol::config::Display;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[global_allocator]
#[allow(unsafe_code, reason = "the allocator's word for: single-threaded")]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

/// Says nothing. No panic is reachable from outside input; this one is for bugs.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Does what `entry.js` asks for, by name, and gives a promise. One export for all: each further one costs bytes. What a
/// module answers is the part of the library that it is (`pkg-template/entry.js`): of the names below, `start` knows the
/// first two, `session` those after the line, `full` all.
///
/// | name | first | second | value |
/// | --- | --- | --- | --- |
/// | startLogin | the configuration, without its function | the provider's file, or the names that there are | `navigate`, or the popup |
/// | scopesFor | the configuration, or nothing | as above | the calls |
/// | | | | |
/// | handleRedirect | the URL | `own` where it was the page's own address, which is clean by now | |
/// | fetchPrivate | | | what `prepare` of `natives.js` gave |
/// | explain | what `inspect` of `natives.js` gave | | the body's bytes |
/// | session | | | |
/// | sessionOf | as `restore` | | |
/// | logout | `revoke` or nothing | `end ` and an address, or nothing | `navigate` |
/// | forgetRedirect | | | |
/// | handOver | | | |
/// | | | | |
/// | adoptToken | the configuration | as for startLogin | the token |
/// | userinfo | | | |
/// | restore | the options, or nothing | | |
/// | takeOver | | | |
///
/// `debug` and `onSessionChange` are the entry's own: who listens stands in `natives.js`, where [`task::emit`] finds them.
///
/// The texts are JSON, but for the URL, the token and the words. What `full` alone has is answered with [`LACKS`].
#[wasm_bindgen]
pub fn ask(name: &str, first: String, second: String, value: JsValue) -> JsValue {
    let flow: Pin<Box<dyn Future<Output = _>>> = match name {
        #[cfg(feature = "start")]
        "startLogin" => Box::pin(start_login(first, second, value)),
        #[cfg(feature = "session")]
        "handleRedirect" => Box::pin(handle_redirect(first, second == "own")),
        #[cfg(feature = "session")]
        "fetchPrivate" => Box::pin(fetch_private(Request::prepared(value))),
        #[cfg(feature = "full")]
        "restore" => Box::pin(restore(first)),
        #[cfg(feature = "session")]
        "logout" => Box::pin(logout(first == "revoke", second, value)),
        #[cfg(feature = "full")]
        "userinfo" => Box::pin(async { Ok(Outcome::Json(client().userinfo().await?)) }),
        #[cfg(all(feature = "session", not(feature = "full")))]
        "handOver" => Box::pin(async {
            parts::hand_on(client().hand_over().await.as_bytes());
            Ok(Outcome::Value(JsValue::UNDEFINED))
        }),
        _ => Box::pin(ready(at_once(name, &first, &second, value))),
    };
    task::to_promise(flow, explain)
}

/// What a part answers that lacks what it is asked for; no call of the package gives such a value.
#[cfg(not(feature = "full"))]
const LACKS: &str = "0";

#[cfg(feature = "full")]
fn explain(failure: Failure<JsValue>) -> Outcome {
    outcome(failure)
}

#[cfg(not(feature = "full"))]
fn explain(failure: Failure<JsValue>) -> Outcome {
    match failure {
        Failure::OAuth(error) if error.code == ErrorCode::NeedsFull => Outcome::Json(LACKS.into()),
        failure => outcome(failure),
    }
}

#[cfg(all(feature = "start", not(feature = "full")))]
async fn start_login(
    config: String,
    found: String,
    target: JsValue,
) -> Result<Outcome, Failure<JsValue>> {
    client()
        .start(complete(&config, &found)?, function(target))
        .await?;
    Ok(Outcome::Value(JsValue::UNDEFINED))
}

#[cfg(feature = "full")]
async fn start_login(
    config: String,
    found: String,
    target: JsValue,
) -> Result<Outcome, Failure<JsValue>> {
    let config = complete(&config, &found)?;
    let (navigate, popup) = match config.display() {
        Display::Popup => (None, Window::opened(target)),
        _ => (function(target), None),
    };
    Ok(match client().start(config, navigate).await? {
        Some(login) => Outcome::Json(client().log_in(login, popup).await?),
        None => Outcome::Value(JsValue::UNDEFINED),
    })
}

#[cfg(feature = "full")]
async fn restore(options: String) -> Result<Outcome, Failure<JsValue>> {
    Ok(described(client().restore(client_id(&options)).await))
}

#[cfg(feature = "session")]
fn client_id(options: &str) -> String {
    let options = Json::parse(options.as_bytes()).unwrap_or(Json::Null);
    String::from(options.str("clientId").unwrap_or(""))
}

#[cfg(feature = "session")]
async fn handle_redirect(href: String, own: bool) -> Result<Outcome, Failure<JsValue>> {
    Ok(described(client().handle_redirect(&href, own).await?))
}

#[cfg(feature = "session")]
async fn fetch_private(request: Request) -> Result<Outcome, Failure<JsValue>> {
    Ok(Outcome::Value(client().fetch_private(request).await?))
}

#[cfg(feature = "session")]
async fn logout(revoke: bool, end: String, navigate: JsValue) -> Result<Outcome, Failure<JsValue>> {
    let wanted = LogoutRequest {
        revoke,
        end_session: end.strip_prefix("end ").map(String::from),
        navigate: function(navigate),
    };
    client().logout(wanted).await?;
    Ok(Outcome::Value(JsValue::UNDEFINED))
}

fn function(value: JsValue) -> Option<JsValue> {
    Some(value).filter(|value| !value.is_undefined())
}

/// What waits for nothing.
#[cfg_attr(
    not(feature = "start"),
    allow(unused_variables, reason = "no configuration comes here")
)]
fn at_once(
    name: &str,
    first: &str,
    second: &str,
    value: JsValue,
) -> Result<Outcome, Failure<JsValue>> {
    let text = || value.as_string().unwrap_or_default();
    Ok(match name {
        #[cfg(feature = "full")]
        "adoptToken" => Outcome::Json(client().adopt(text(), complete(first, second)?)?),
        #[cfg(feature = "start")]
        "scopesFor" if !first.is_empty() => {
            Outcome::Json(complete(first, second)?.scope_for(&text())?)
        }
        #[cfg(feature = "session")]
        "scopesFor" => Outcome::Json(client().scope_for(&text())?),
        #[cfg(feature = "session")]
        "explain" => explained(client().explain(first, &http::bytes_of(&value))),
        #[cfg(feature = "session")]
        "session" => described(client().describe_session()),
        #[cfg(feature = "session")]
        "sessionOf" => described(client().describe_session_of(&client_id(first))),
        #[cfg(feature = "session")]
        "forgetRedirect" => {
            client().forget_redirect();
            Outcome::Value(JsValue::UNDEFINED)
        }
        #[cfg(feature = "full")]
        "takeOver" => {
            client().go_on_with(&Zeroizing::new(parts::handed_on()));
            Outcome::Value(JsValue::UNDEFINED)
        }
        _ => return Err(ErrorCode::NeedsFull.at(name).into()),
    })
}

#[cfg(feature = "start")]
fn complete(config: &str, found: &str) -> Result<Config, Error> {
    Config::parse(config)?.complete(Json::parse(found.as_bytes()).unwrap_or(Json::Null))
}

#[cfg(feature = "session")]
fn explained(error: Option<Error>) -> Outcome {
    match error {
        Some(error) => Outcome::Made(error.to_json()),
        None => described(None),
    }
}
