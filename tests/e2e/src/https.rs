//! An origin of https, with servers of this machine behind it (tests/e2e/servers/https).

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A reverse proxy with a certificate of its own making. It ends when the value is dropped.
pub struct Https {
    pub origin: String,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Https {
    pub fn start() -> Https {
        let mut process = Command::new("node")
            .arg(crate::workspace().join("tests/e2e/servers/https/server.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdin = process.stdin.take().expect("a pipe");
        let stdout = process.stdout.take().expect("a pipe");
        let mut server = Https {
            origin: String::new(),
            process,
            pipes: Mutex::new((stdin, BufReader::new(stdout))),
        };
        let started = server.command("start", Value::Null);
        server.origin = started["origin"].as_str().expect("an origin").to_owned();
        server
    }

    /// What begins with the one goes to the other, in this order.
    pub fn serve(&self, routes: &[(&str, &str)]) {
        self.command("serve", json!(routes));
    }

    /// What was asked below this path, oldest first: `{method, path, cookie, body, status, setCookie, answer}`.
    pub fn exchanges(&self, path: &str) -> Vec<Value> {
        let exchanges = self.command("exchanges", json!(path));
        exchanges.as_array().expect("a list").clone()
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

impl Drop for Https {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
