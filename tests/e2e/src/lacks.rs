//! What an engine, or its driver, cannot do: the one list. A test that needs such a thing asks first, and what it then
//! leaves out is told in the report.

use crate::World;
use crate::driver::Engine;
use std::io::Write as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    ColorScheme,
    NarrowWindow,
    AbortReason,
    EscapesAsWritten,
    AThousandRequests,
    Offline,
}

/// Which engine, what, and why.
const LACKS: &[(Engine, Lack, &str)] = &[
    (
        Engine::WebKit,
        Lack::ColorScheme,
        "WebKitWebDriver has no command that changes prefers-color-scheme",
    ),
    (
        Engine::WebKit,
        Lack::NarrowWindow,
        "MiniBrowser's window is never narrower than 447 pixels",
    ),
    (
        Engine::WebKit,
        Lack::AbortReason,
        "a body that is being read rejects with AbortError, whatever reason the signal was given",
    ),
    (
        Engine::WebKit,
        Lack::EscapesAsWritten,
        "libsoup sends %73 as s: the server sees another path than the page asked for",
    ),
    (
        Engine::WebKit,
        Lack::AThousandRequests,
        "a thousand requests at once take longer than WebDriver lets a script run on a busy machine: a hundred",
    ),
    (
        Engine::WebKit,
        Lack::Offline,
        "WebKitWebDriver has no command that takes the network away",
    ),
];

impl World {
    /// Whether this engine cannot do it, in which case the test says so.
    pub fn lacks(&self, what: Lack) -> bool {
        let lack = LACKS
            .iter()
            .find(|(engine, lack, _)| (*engine, *lack) == (self.engine, what));
        let Some((engine, _, why)) = lack else {
            return false;
        };
        let test = std::thread::current();
        let test = test.name().unwrap_or_default();
        let line = format!("lacks: {test} in part: {} ({why})\n", engine.name());
        // Not by println!, which libtest keeps to itself.
        let _ = std::io::stderr().write_all(line.as_bytes());
        true
    }
}
