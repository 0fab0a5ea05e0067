//! A server in a process of its own that takes commands: a line on its standard input, `[name, argument]` in JSON, and a
//! line of JSON for each on its standard output.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A running server. It ends when the value is dropped, or its standard input is closed: none outlives a test.
pub struct Controlled {
    name: String,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Controlled {
    pub fn start(name: &str, command: &mut Command) -> Controlled {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}; `cargo xtask test e2e` installs it"));
        let stdin = process.stdin.take().expect("a pipe");
        let stdout = process.stdout.take().expect("a pipe");
        Controlled {
            name: name.to_owned(),
            process,
            pipes: Mutex::new((stdin, BufReader::new(stdout))),
        }
    }

    /// A server of tests/e2e/servers that Node runs.
    pub fn node(directory: &str) -> Controlled {
        let script = crate::workspace()
            .join("tests/e2e/servers")
            .join(directory)
            .join("server.mjs");
        Controlled::start(directory, Command::new("node").arg(script))
    }

    pub fn command(&self, name: &str, argument: Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{}", json!([name, argument])).expect("the server listens");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server answers");
        assert!(!line.is_empty(), "{} ended at {name}", self.name);
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Controlled {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
