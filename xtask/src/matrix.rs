//! The attack matrix, `tests/attacks/matrix.json`: printed with its results, and kept in SECURITY.md.

use crate::report::{Row, Tally};
use crate::workspace::root;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::fs;

/// Suites of this name run the attacks in one engine; the rest of the name is the engine's.
const SUITE: &str = "attacks-";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: String,
    rows: Vec<Attack>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    attack: String,
    guard: String,
    /// It cannot be defended: the test shows what the attacker gets.
    #[serde(default)]
    limit: bool,
    /// `file::test`.
    tests: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Passed,
    Limit,
    Failed,
    /// Of several tests some were not run.
    InPart,
    NotRun,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Limit => "limit",
            Outcome::Failed => "FAILED",
            Outcome::InPart => "in part",
            Outcome::NotRun => "not run",
        }
    }
}

/// Every row with its result in each engine, where the attacks were run in any.
pub fn print(rows: &[Row]) -> Result<()> {
    let engines = engines(rows);
    if engines.is_empty() {
        return Ok(());
    }
    println!("\nthe attack matrix: results in {}", engines.join(" and "));
    let attacks = table()?;
    for attack in &attacks {
        let outcomes = engines.iter().map(|engine| attack.outcome(rows, engine));
        let words: Vec<_> = outcomes
            .map(|outcome| format!("{:<7}", outcome.word()))
            .collect();
        let Attack {
            id, attack, guard, ..
        } = attack;
        println!("{id:<4} {}  {attack} | {guard}", words.join(" "));
    }
    for engine in &engines {
        let count = |wanted| {
            let of = attacks.iter();
            of.filter(|attack| attack.outcome(rows, engine) == wanted)
                .count()
        };
        println!(
            "{engine}: {} passed, {} limits, {} failed, {} in part, {} not run",
            count(Outcome::Passed),
            count(Outcome::Limit),
            count(Outcome::Failed),
            count(Outcome::InPart),
            count(Outcome::NotRun)
        );
    }
    Ok(())
}

/// A run of everything explains every row: one that was not run, or in part only, is a failure of its own.
pub fn check(rows: &[Row], tally: &mut Tally) -> Result<()> {
    for engine in engines(rows) {
        for attack in table()? {
            let outcome = attack.outcome(rows, engine);
            if matches!(outcome, Outcome::InPart | Outcome::NotRun) {
                tally.fail(&format!("{} was {} in {engine}", attack.id, outcome.word()));
            }
        }
    }
    tally.one(tally.failed == 0);
    Ok(())
}

/// Those in which the attacks were run.
fn engines(rows: &[Row]) -> Vec<&'static str> {
    rows.iter()
        .filter(|row| !row.tally.verdicts.is_empty())
        .filter_map(|row| row.suite.strip_prefix(SUITE))
        .collect()
}

fn table() -> Result<Vec<Attack>> {
    let text = fs::read(root().join("tests/attacks/matrix.json"))?;
    let table: Table = serde_json::from_slice(&text).context("tests/attacks/matrix.json")?;
    Ok(table.rows)
}

impl Attack {
    fn outcome(&self, rows: &[Row], engine: &str) -> Outcome {
        let verdicts = self.tests.iter().map(|test| verdict(test, rows, engine));
        let verdicts: Vec<_> = verdicts.collect();
        let ran = verdicts.iter().flatten().count();
        if verdicts.contains(&Some(false)) {
            Outcome::Failed
        } else if ran == 0 {
            Outcome::NotRun
        } else if ran < verdicts.len() {
            Outcome::InPart
        } else if self.limit {
            Outcome::Limit
        } else {
            Outcome::Passed
        }
    }
}

/// What became of a test in an engine; `None` where it was not run. A native test's is the same for all.
fn verdict(test: &str, rows: &[Row], engine: &str) -> Option<bool> {
    let (file, name) = test.split_once("::")?;
    let suites = if file.starts_with("tests/e2e/") {
        vec![format!("e2e-{engine}"), format!("servers-{engine}")]
    } else if file.contains('/') {
        vec!["native".to_owned()]
    } else {
        vec![format!("{SUITE}{engine}")]
    };
    let is_it = |ran: &str| ran.rsplit("::").next() == Some(name);
    let mut of = rows
        .iter()
        .filter(|row| suites.iter().any(|suite| row.suite == suite))
        .flat_map(|row| &row.tally.verdicts)
        .filter(|(ran, _)| is_it(ran))
        .peekable();
    of.peek()?;
    Some(of.all(|(_, passed)| *passed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::time::Duration;

    const BEGIN: &str = "<!-- the matrix, from tests/attacks/matrix.json -->\n";
    const END: &str = "<!-- the end of the matrix -->";

    /// The table for people, as SECURITY.md has it.
    fn markdown(attacks: &[Attack]) -> Result<String> {
        let cell = |text: &str| text.replace('|', "\\|");
        let mut text = String::from("| | attack | guard | test |\n| --- | --- | --- | --- |\n");
        for row in attacks {
            let tests: Vec<_> = row.tests.iter().map(|test| format!("`{test}`")).collect();
            let guard = match row.limit {
                true => format!("**limit**: {}", cell(&row.guard)),
                false => cell(&row.guard),
            };
            let (id, attack) = (&row.id, cell(&row.attack));
            writeln!(text, "| {id} | {attack} | {guard} | {} |", tests.join(", "))?;
        }
        Ok(text)
    }

    /// The tests in a Rust file.
    fn tests_in(file: &str) -> Vec<String> {
        let text = fs::read_to_string(root().join(file)).expect(file);
        let mut tests = Vec::new();
        let mut marked = false;
        for line in text.lines() {
            let line = line.trim();
            let name = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ");
            if line.starts_with("#[") && line.contains("test]") {
                marked = true;
            } else if let Some(name) = name.filter(|_| marked) {
                tests.extend(name.split('(').next().map(String::from));
                marked = false;
            }
        }
        tests
    }

    fn file_of(test: &str) -> (String, &str) {
        let (file, name) = test.split_once("::").expect("file::test");
        match file.contains('/') {
            true => (format!("{file}.rs"), name),
            false => (format!("tests/attacks/tests/{file}.rs"), name),
        }
    }

    #[test]
    fn every_row_names_tests_that_there_are() {
        let mut ids = Vec::new();
        for row in table().expect("the table") {
            assert!(!row.tests.is_empty(), "{}: no test", row.id);
            for test in &row.tests {
                let (file, name) = file_of(test);
                assert!(
                    tests_in(&file).iter().any(|there| there == name),
                    "{}: there is no {test}",
                    row.id
                );
            }
            assert!(!ids.contains(&row.id), "{} stands twice", row.id);
            ids.push(row.id);
        }
        for number in 1..=36 {
            assert!(ids.contains(&format!("R{number}")), "R{number} is missing");
        }
    }

    #[test]
    fn every_test_of_an_attack_is_in_a_row_and_no_row_names_a_test_that_there_is_twice() {
        let rows = table().expect("the table");
        let named: Vec<_> = rows.iter().flat_map(|row| &row.tests).collect();
        let mut files = BTreeMap::new();
        for directory in ["tests/attacks/tests", "tests/e2e/tests"] {
            for entry in fs::read_dir(root().join(directory)).expect(directory) {
                let entry = entry.expect("an entry");
                if entry.path().is_dir() {
                    continue;
                }
                let file = entry.file_name();
                let file = file.to_string_lossy().into_owned();
                if !file.ends_with(".rs") {
                    continue;
                }
                for test in tests_in(&format!("{directory}/{file}")) {
                    let here = file.trim_end_matches(".rs");
                    if directory.contains("attacks") {
                        let full = format!("{here}::{test}");
                        assert!(named.contains(&&full), "{full} is in no row");
                    }
                    let other = files.insert(test.clone(), file.clone());
                    let is_named = named
                        .iter()
                        .any(|name| name.ends_with(&format!("::{test}")));
                    assert!(!is_named || other.is_none(), "{test} is in two files");
                }
            }
        }
    }

    #[test]
    fn the_matrix_of_security_md_is_what_the_table_says() {
        let path = root().join("SECURITY.md");
        let text = fs::read_to_string(&path).expect("SECURITY.md");
        let (before, rest) = text.split_once(BEGIN).expect("the beginning");
        let (kept, after) = rest.split_once(END).expect("the end");
        let wanted = markdown(&table().expect("the table")).expect("text");
        if std::env::var_os("UPDATE").is_some() {
            let all = format!("{before}{BEGIN}{wanted}{END}{after}");
            fs::write(&path, all).expect("a writable file");
            return;
        }
        assert!(
            kept == wanted,
            "UPDATE=1 cargo test -p xtask matrix writes it anew"
        );
    }

    #[test]
    fn a_row_is_as_good_as_its_worst_test() {
        let row = |suite, verdicts: &[(&str, bool)]| Row {
            suite,
            tally: Tally {
                verdicts: verdicts
                    .iter()
                    .map(|(name, passed)| ((*name).to_owned(), *passed))
                    .collect(),
                ..Tally::default()
            },
            took: Duration::ZERO,
        };
        let rows = [
            row("native", &[("a::tests::n", true)]),
            row("attacks-chromium", &[("f::good", true), ("f::bad", false)]),
            row("attacks-firefox", &[("f::good", true), ("f::bad", true)]),
            row("e2e-firefox", &[("e", true)]),
            row("attacks-webkit", &[]),
        ];
        assert_eq!(engines(&rows), ["chromium", "firefox"]);
        let outcome = |tests: &[&str], limit, engine| {
            let row = Attack {
                id: String::new(),
                attack: String::new(),
                guard: String::new(),
                limit,
                tests: tests.iter().map(|test| (*test).to_owned()).collect(),
            };
            row.outcome(&rows, engine)
        };
        let native = "src/protocol/a::n";
        assert_eq!(outcome(&["f::good"], false, "chromium"), Outcome::Passed);
        assert_eq!(outcome(&["f::good"], true, "chromium"), Outcome::Limit);
        let both = ["f::good", "f::bad", native];
        assert_eq!(outcome(&both, false, "chromium"), Outcome::Failed);
        assert_eq!(outcome(&both, false, "firefox"), Outcome::Passed);
        let e2e = ["f::good", "tests/e2e/tests/f::e"];
        assert_eq!(outcome(&e2e, false, "chromium"), Outcome::InPart);
        assert_eq!(outcome(&e2e, false, "firefox"), Outcome::Passed);
        assert_eq!(outcome(&["f::other"], true, "firefox"), Outcome::NotRun);
    }
}
