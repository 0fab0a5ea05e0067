//! An OpenID provider of ours that breaks rules (tests/e2e/servers/hostile), for what no real one does.

use serde_json::{Value, json};

use crate::controlled::Controlled;
use crate::{APP, World};

/// A running provider. It ends when the value is dropped.
pub struct Hostile {
    pub issuer: String,
    server: Controlled,
}

impl Hostile {
    pub fn start() -> Hostile {
        let server = Controlled::node("hostile");
        let started = server.command("start", Value::Null);
        let issuer = started["issuer"].as_str().expect("an issuer").to_owned();
        Hostile { issuer, server }
    }

    /// Honest but for this; what there is stands in server.mjs.
    pub fn be(&self, changes: Value) {
        self.server.command("be", changes);
    }

    /// The redirect by which an authorization request is answered.
    pub fn answer(&self, authorization_url: &str) -> String {
        let redirect = self.server.command("answer", json!(authorization_url));
        redirect.as_str().expect("a URL").to_owned()
    }

    /// What it was asked, oldest first: `{method, path, headers, form, proof, status}`.
    pub fn requests(&self) -> Vec<Value> {
        let requests = self.server.command("requests", Value::Null);
        requests.as_array().expect("a list").clone()
    }

    /// Those of one path, but for the question whether anybody is there.
    pub fn asked(&self, path: &str) -> Vec<Value> {
        let mut requests = self.requests();
        let is_question = |request: &Value| {
            let form = request["form"].as_object();
            path.ends_with("token") && form.is_none_or(serde_json::Map::is_empty)
        };
        requests.retain(|request| request["path"] == path && !is_question(request));
        requests
    }

    pub fn forget(&self) {
        self.server.command("forget", Value::Null);
    }

    /// The configuration of an application that knows the issuer.
    pub fn config(&self, world: &World, more: Value) -> Value {
        let mut config = json!({
            "issuer": self.issuer,
            "clientId": "page",
            "redirectUri": format!("{}{APP}", world.app.origin),
            "resourceServers": [format!("{}/api", self.issuer)],
            "scope": "openid",
        });
        crate::login::lay_over(&mut config, more);
        config
    }

    /// A whole login on the page that is open, which stays: `{value}` or `{error}`.
    pub async fn log_in(&self, world: &World, more: Value) -> Value {
        let url = world.begin_as(self.config(world, more)).await;
        let redirect = self.answer(&url);
        world
            .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
            .await
    }
}
