//! An OpenID provider of ours that breaks rules (tests/e2e/servers/hostile), for what no real one does.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::{APP, World};

/// A running provider. It ends when the value is dropped.
pub struct Hostile {
    pub issuer: String,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Hostile {
    pub fn start() -> Hostile {
        let script = crate::workspace().join("tests/e2e/servers/hostile/server.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdin = process.stdin.take().expect("a pipe");
        let stdout = process.stdout.take().expect("a pipe");
        let mut server = Hostile {
            issuer: String::new(),
            process,
            pipes: Mutex::new((stdin, BufReader::new(stdout))),
        };
        let started = server.command("start", Value::Null);
        server.issuer = started["issuer"].as_str().expect("an issuer").to_owned();
        server
    }

    /// Honest but for this; what there is stands in server.mjs.
    pub fn be(&self, changes: Value) {
        self.command("be", changes);
    }

    /// The redirect by which an authorization request is answered.
    pub fn answer(&self, authorization_url: &str) -> String {
        let redirect = self.command("answer", json!(authorization_url));
        redirect.as_str().expect("a URL").to_owned()
    }

    /// What it was asked, oldest first: `{method, path, headers, form, proof, status}`.
    pub fn requests(&self) -> Vec<Value> {
        let requests = self.command("requests", Value::Null);
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
        self.command("forget", Value::Null);
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

    fn command(&self, name: &str, argument: Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{}", json!([name, argument])).expect("the server listens");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server answers");
        assert!(!line.is_empty(), "the server ended at {name}");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
