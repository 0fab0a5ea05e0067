//! Floor 4, JavaScript: parse, call, translate the error.
//!
//! The types are in `types.d.ts`. Every export is a function that returns a promise. These are the exports of a
//! plain wasm-bindgen build; the npm package's, whose entry has read what is the caller's already, are in `npm.rs`.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use wasm_bindgen::prelude::*;

use crate::address;
use crate::browser::http::{self, Request};
use crate::browser::task::{self, Outcome};
use crate::browser::value;
use crate::browser::windows::Window;
use crate::client::{Failure, LogoutRequest};
use crate::door::{self, client, described, explained, outcome};
use crate::protocol::config::Config;
use crate::protocol::config::Display;
use crate::protocol::error::Error;
use crate::protocol::provider;
use crate::protocol::resource::OPTIONS;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Starts a login and leaves the page.
#[wasm_bindgen(js_name = startLogin, skip_typescript)]
pub fn start_login(config: JsValue) -> JsValue {
    let navigate = value::own_function(&config, "navigate");
    let config = complete(&text(&config));
    // Now: while the user's click is handled.
    let popup = match config.as_ref().map(Config::display) {
        Ok(Display::Popup) => Window::popup(),
        _ => None,
    };
    promise(async move {
        Ok(match door::start_login(config?, navigate, popup).await? {
            Some(session) => Outcome::Json(session),
            None => Outcome::Value(JsValue::UNDEFINED),
        })
    })
}

/// Takes a token that the user has already.
#[wasm_bindgen(js_name = adoptToken, skip_typescript)]
pub fn adopt_token(token: JsValue, config: JsValue) -> JsValue {
    let (token, text) = (token.as_string().unwrap_or_default(), text(&config));
    promise(async move { Ok(Outcome::Json(client().adopt(token, complete(&text)?)?)) })
}

/// The least scope for some calls.
#[wasm_bindgen(js_name = scopesFor, skip_typescript)]
pub fn scopes_for(calls: JsValue, config: JsValue) -> JsValue {
    let (calls, config) = (value::calls(&calls), value::to_json(&config));
    promise(async move {
        let scope = match config.is_empty() {
            true => client().scope_for(&calls, "")?,
            false => complete(&config)?.scope_for(&calls)?,
        };
        Ok(Outcome::Json(scope))
    })
}

/// What a refusal of the API means.
#[wasm_bindgen(skip_typescript)]
pub fn explain(response: JsValue) -> JsValue {
    promise(async move {
        let (answer, body) = http::inspect(&response).await.map_err(Failure::Native)?;
        Ok(explained(client().explain(&answer, &body)))
    })
}

/// Answers the redirect that brought the user back.
#[wasm_bindgen(js_name = handleRedirect, skip_typescript)]
pub fn handle_redirect(url: Option<String>) -> JsValue {
    let taken = url.is_none();
    promise(answer(url.unwrap_or_else(address::take_address), taken))
}

/// `fetch` with the token of the session that the URL belongs to.
#[wasm_bindgen(js_name = fetchPrivate, skip_typescript)]
pub fn fetch_private(input: JsValue, init: JsValue) -> JsValue {
    let request = Request::new(&input, &init, OPTIONS);
    promise(async move {
        let request = request.map_err(Failure::Native)?;
        Ok(Outcome::Value(client().fetch_private(request).await?))
    })
}

/// What is known of the session.
#[wasm_bindgen(skip_typescript)]
pub fn session() -> JsValue {
    promise(async { Ok(described(client().describe_session())) })
}

/// Calls a function at each change of a session.
#[wasm_bindgen(js_name = onSessionChange, skip_typescript)]
pub fn on_session_change(listener: JsValue, options: JsValue) -> JsValue {
    value::listen_to(&listener, &value::own_member(&options, "signal"))
}

/// Calls a function at each step of the library.
#[wasm_bindgen(skip_typescript)]
pub fn debug(listener: JsValue) {
    value::watch(&listener);
}

/// The session that was kept, or that another tab has.
#[wasm_bindgen(skip_typescript)]
pub fn restore(options: JsValue) -> JsValue {
    let client_id = value::own_member(&options, "clientId");
    promise(async move {
        let client_id = client_id.as_string().unwrap_or_default();
        Ok(described(client().restore(client_id).await))
    })
}

/// What the provider says of the user.
#[wasm_bindgen(skip_typescript)]
pub fn userinfo() -> JsValue {
    promise(async { Ok(Outcome::Json(client().userinfo().await?)) })
}

/// Forgets the session.
#[wasm_bindgen(skip_typescript)]
pub fn logout(options: JsValue) -> JsValue {
    let end = value::own_member(&options, "endSession");
    let wanted = LogoutRequest {
        revoke: value::own_flag(&options, "revoke"),
        end_session: match end.as_bool() {
            None => value::own_text(&end, "postLogoutRedirectUri"),
            Some(end) => end.then(String::new),
        },
        navigate: value::own_function(&options, "navigate"),
    };
    promise(async move {
        client().logout(wanted).await?;
        Ok(Outcome::Value(JsValue::UNDEFINED))
    })
}

/// The JSON text of a configuration; empty where none was given, and no JSON where it has none.
fn text(config: &JsValue) -> String {
    match value::to_json(config) {
        text if text.is_empty() && !config.is_undefined() => String::from(" "),
        text => text,
    }
}

fn complete(config: &str) -> Result<Config, Error> {
    let config = Config::parse(config)?;
    let found = provider::find(config.provider());
    config.complete(found)
}

async fn answer(href: String, taken: bool) -> Result<Outcome, Failure<JsValue>> {
    Ok(described(client().handle_redirect(&href, taken).await?))
}

fn promise(flow: impl Future<Output = Result<Outcome, Failure<JsValue>>> + 'static) -> JsValue {
    task::to_promise(Box::pin(flow), outcome)
}
