//! An origin of https, with servers of this machine behind it (tests/e2e/servers/https).

use serde_json::{Value, json};

use crate::controlled::Controlled;

/// A reverse proxy with a certificate of its own making. It ends when the value is dropped.
pub struct Https {
    pub origin: String,
    server: Controlled,
}

impl Https {
    pub fn start() -> Https {
        let server = Controlled::node("https");
        let started = server.command("start", Value::Null);
        let origin = started["origin"].as_str().expect("an origin").to_owned();
        Https { origin, server }
    }

    /// What begins with the one goes to the other, in this order.
    pub fn serve(&self, routes: &[(&str, &str)]) {
        self.server.command("serve", json!(routes));
    }

    /// What was asked below this path, oldest first: `{method, path, cookie, body, status, setCookie, answer}`.
    pub fn exchanges(&self, path: &str) -> Vec<Value> {
        let exchanges = self.server.command("exchanges", json!(path));
        exchanges.as_array().expect("a list").clone()
    }
}
