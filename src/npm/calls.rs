//! The calls of the npm package's parts.

use alloc::string::String;
use wasm_bindgen::JsValue;

use crate::browser::http::{self, Request};
use crate::browser::task::Outcome;
use crate::client::{Failure, LogoutRequest};
use crate::door::{client, described, explained, outcome};
use crate::protocol::config::Config;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::Json;

pub type Answer = Result<Outcome, Failure<JsValue>>;

pub fn nothing() -> Outcome {
    Outcome::Value(JsValue::UNDEFINED)
}

/// The configuration with the provider's file, or the names that there are.
pub fn complete(config: &str, found: &str) -> Result<Config, Error> {
    Config::parse(config)?.complete(Json::parse(found.as_bytes()).unwrap_or(Json::Null))
}

pub fn client_id(options: &str) -> String {
    let options = Json::parse(options.as_bytes()).unwrap_or(Json::Null);
    String::from(options.str("clientId").unwrap_or(""))
}

pub fn function(value: JsValue) -> Option<JsValue> {
    Some(value).filter(|value| !value.is_undefined())
}

pub fn text(value: &JsValue) -> String {
    value.as_string().unwrap_or_default()
}

pub async fn handle_redirect(href: String, own: bool) -> Answer {
    Ok(described(client().handle_redirect(&href, own).await?))
}

pub async fn fetch_private(request: Request) -> Answer {
    Ok(Outcome::Value(client().fetch_private(request).await?))
}

pub async fn logout(revoke: bool, end: String, navigate: JsValue) -> Answer {
    let wanted = LogoutRequest {
        revoke,
        end_session: end.strip_prefix("end ").map(String::from),
        navigate: function(navigate),
    };
    client().logout(wanted).await?;
    Ok(nothing())
}

/// What asks sessions and waits for nothing.
pub fn of_sessions(name: &str, first: &str, value: &JsValue) -> Answer {
    Ok(match name {
        "scopesFor" | "scopesOf" => Outcome::Json(client().scope_for(&text(value), first)?),
        "explain" => explained(client().explain(first, &http::bytes_of(value))),
        "session" => described(client().describe_session()),
        "sessionOf" => described(client().describe_session_of(&client_id(first))),
        "forgetRedirect" => {
            client().forget_redirect();
            nothing()
        }
        _ => return Err(ErrorCode::NeedsFull.at(name).into()),
    })
}

/// What a part answers that lacks what it is asked for; no call of the package gives such a value.
const LACKS: &str = "0";

/// The failure of a part that is not all of the library: what it lacks, it says so that the whole one is loaded.
pub fn explain_or_lack(failure: Failure<JsValue>) -> Outcome {
    match failure {
        Failure::OAuth(error) if error.code == ErrorCode::NeedsFull => Outcome::Json(LACKS.into()),
        failure => outcome(failure),
    }
}
