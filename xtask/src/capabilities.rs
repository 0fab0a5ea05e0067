//! What is shown to work at which server in which engine: `tests/e2e/servers/capabilities.json` says what has to be
//! shown, the end-to-end tests say what was.

use crate::workspace::root;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// How a test says that it has shown something: this, then `server | engine | capability`.
const LINE: &str = "capability: ";

/// Server, engine, capability.
pub type Cell = (String, String, String);

/// A line of a test's output.
pub fn read(line: &str) -> Option<Cell> {
    let mut parts = line.trim().strip_prefix(LINE)?.split(" | ");
    let mut next = || parts.next().map(str::to_owned);
    Some((next()?, next()?, next()?))
}

/// What has to be shown.
pub struct Table {
    servers: Vec<String>,
    engines: Vec<String>,
    capabilities: Vec<String>,
    impossible: Vec<Note>,
    remarks: Vec<Note>,
}

struct Note {
    server: String,
    /// All of them where it names none.
    engine: Option<String>,
    capability: String,
    text: String,
}

impl Note {
    fn is_of(&self, server: &str, engine: &str, capability: &str) -> bool {
        self.server == server
            && self.capability == capability
            && self.engine.as_deref().is_none_or(|one| one == engine)
    }
}

impl Table {
    pub fn open() -> Result<Table> {
        let file = root().join("tests/e2e/servers/capabilities.json");
        let json: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let names = |member: &str| serde_json::from_value(json[member].clone());
        let notes = |member: &str, text: &str| {
            let list = json[member].as_array().context("a list")?.iter();
            list.map(|note| {
                let word = |name: &str| note[name].as_str().map(str::to_owned);
                Ok(Note {
                    server: word("server").context("a server")?,
                    engine: word("engine"),
                    capability: word("capability").context("a capability")?,
                    text: word(text).context("a text")?,
                })
            })
            .collect::<Result<Vec<_>>>()
        };
        Ok(Table {
            servers: names("servers")?,
            engines: names("engines")?,
            capabilities: names("capabilities")?,
            impossible: notes("impossible", "why")?,
            remarks: notes("remarks", "what")?,
        })
    }

    /// What the tests in this engine have to show and did not, and what they show that the table does not know.
    pub fn differences(&self, engine: &str, shown: &BTreeSet<Cell>) -> Vec<String> {
        let mut wanted = BTreeSet::new();
        for server in &self.servers {
            for capability in &self.capabilities {
                if self.why_not(server, engine, capability).is_none() {
                    wanted.insert((server.clone(), engine.to_owned(), capability.clone()));
                }
            }
        }
        let here = |cell: &&Cell| cell.1 == engine;
        let named = |(server, _, capability): &Cell| format!("{server}: {capability}");
        let missing = wanted.difference(shown).map(named);
        let missing = missing.map(|name| format!("{name} was not shown"));
        let unknown = shown
            .iter()
            .filter(here)
            .filter(|cell| !wanted.contains(cell));
        let unknown = unknown.map(|cell| format!("{} is not in capabilities.json", named(cell)));
        missing.chain(unknown).collect()
    }

    fn why_not(&self, server: &str, engine: &str, capability: &str) -> Option<usize> {
        let of = |note: &Note| note.is_of(server, engine, capability);
        self.impossible.iter().position(of)
    }

    /// The table in Markdown, a cell each by `cell`, and below it the notes.
    fn render(&self, cell: impl Fn(&str, &str, &str) -> &'static str) -> String {
        let mut text = String::from("| |");
        for server in &self.servers {
            for engine in &self.engines {
                text.push_str(&format!(" {server}, {engine} |"));
            }
        }
        text.push_str("\n| --- |");
        text.push_str(&" --- |".repeat(self.servers.len() * self.engines.len()));
        for capability in &self.capabilities {
            text.push_str(&format!("\n| {capability} |"));
            for server in &self.servers {
                for engine in &self.engines {
                    let number = self.why_not(server, engine, capability);
                    let remark = |note: &Note| note.is_of(server, engine, capability);
                    let remark = self.remarks.iter().position(remark);
                    let remark = remark.map(|at| at + self.impossible.len());
                    match (number, remark) {
                        (Some(at), _) => text.push_str(&format!(" no ({}) |", at + 1)),
                        (None, Some(at)) => {
                            let shown = cell(server, engine, capability);
                            text.push_str(&format!(" {shown} ({}) |", at + 1));
                        }
                        _ => text.push_str(&format!(" {} |", cell(server, engine, capability))),
                    }
                }
            }
        }
        text.push('\n');
        for (at, note) in self.impossible.iter().chain(&self.remarks).enumerate() {
            let engine = note.engine.as_deref();
            let engine = engine.map(|engine| format!(" in {engine}"));
            let engine = engine.unwrap_or_default();
            text.push_str(&format!(
                "\n{}. {}{engine}, {}: {}",
                at + 1,
                note.server,
                note.capability,
                note.text
            ));
        }
        text.push('\n');
        text
    }

    /// As docs/servers.md has it.
    #[cfg(test)]
    fn promised(&self) -> String {
        self.render(|_, _, _| "yes")
    }

    /// What this run has shown.
    pub fn shown(&self, shown: &BTreeSet<Cell>) -> String {
        self.render(|server, engine, capability| {
            let ran = shown.iter().any(|(_, one, _)| one == engine);
            let cell = (server.to_owned(), engine.to_owned(), capability.to_owned());
            match shown.contains(&cell) {
                true => "yes",
                false if ran => "FAILED",
                false => "not run",
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(server: &str, engine: &str, capability: &str) -> Cell {
        (server.to_owned(), engine.to_owned(), capability.to_owned())
    }

    #[test]
    fn the_documentation_shows_the_table_that_the_tests_have_to_show() {
        let table = Table::open().expect("capabilities.json").promised();
        let page = std::fs::read_to_string(root().join("docs/servers.md"));
        let page = page.expect("docs/servers.md");
        assert!(
            page.contains(&table),
            "docs/servers.md needs this table:\n{table}"
        );
    }

    #[test]
    fn a_line_of_a_test_is_a_cell() {
        let line = "capability: as | webkit | login\n";
        assert_eq!(read(line), Some(cell("as", "webkit", "login")));
        assert_eq!(read("test capability ... ok"), None);
        assert_eq!(read("capability: as | webkit"), None);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named_and_what_is_impossible_is_not_missed() {
        let table = Table::open().expect("capabilities.json");
        let mut shown = BTreeSet::new();
        for server in &table.servers {
            for capability in &table.capabilities {
                shown.insert(cell(server, "firefox", capability));
            }
        }
        for note in &table.impossible {
            shown.remove(&cell(&note.server, "firefox", &note.capability));
        }
        assert_eq!(table.differences("firefox", &shown), [""; 0]);
        shown.remove(&cell("oidc-provider", "firefox", "login"));
        shown.insert(cell("oidc-provider", "firefox", "flight"));
        let differences = [
            "oidc-provider: login was not shown",
            "oidc-provider: flight is not in capabilities.json",
        ];
        assert_eq!(table.differences("firefox", &shown), differences);
        let text = table.shown(&shown);
        let row = text.lines().find(|line| line.starts_with("| login |"));
        let cells = "| login | not run | FAILED | not run | not run | yes | not run |";
        assert_eq!(row, Some(cells));
    }
}
