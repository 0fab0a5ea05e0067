//! Floor 4, what its doors have in common: the client of this page, and what its answers look like to JavaScript.

use alloc::string::String;
use wasm_bindgen::JsValue;

use crate::browser::task::Outcome;
use crate::browser::web::Web;
use crate::client::Window;
use crate::client::{Client, Failure, Held, Page};
use crate::protocol::config::Config;
use crate::protocol::error::Error;

static HELD: Held<Web> = Held::new();

impl Page for Web {
    fn held(&self) -> &Held<Self> {
        &HELD
    }
}

/// The client of this page.
pub fn client() -> Client<Web> {
    Client::new(Web)
}

/// What a JavaScript caller sees of a failure.
pub fn outcome(failure: Failure<JsValue>) -> Outcome {
    match failure {
        Failure::OAuth(error) => Outcome::Error(error.to_json()),
        Failure::Native(reason) => Outcome::Reason(reason),
    }
}

/// A session, or `null`.
pub fn described(session: Option<String>) -> Outcome {
    Outcome::Json(session.unwrap_or_else(|| String::from("null")))
}

/// What a refusal of the API means, as an error that nobody throws; or `null`.
pub fn explained(error: Option<Error>) -> Outcome {
    match error {
        Some(error) => Outcome::Made(error.to_json()),
        None => described(None),
    }
}

/// Starts a login, and answers it too where it is in a window: then its session as JSON text.
pub async fn start_login(
    config: Config,
    navigate: Option<JsValue>,
    popup: Option<Window<Web>>,
) -> Result<Option<String>, Failure<JsValue>> {
    match client().start(config, navigate).await? {
        Some(login) => Ok(Some(client().log_in(login, popup).await?)),
        None => Ok(None),
    }
}
