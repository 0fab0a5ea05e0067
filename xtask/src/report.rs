//! What passed, what failed, what was skipped and why.

use crate::capabilities::{self, Cell};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// Why something was not run, a sentence each.
    pub skipped: Vec<String>,
    /// What failed, a name or sentence each.
    pub failures: Vec<String>,
    /// Tests whose browser crashed.
    pub crashed: Vec<String>,
    /// What was shown to work, where.
    pub shown: BTreeSet<Cell>,
    /// Every test by its name, and whether it passed.
    pub verdicts: Vec<(String, bool)>,
}

impl Tally {
    pub fn one(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    pub fn fail(&mut self, why: &str) {
        self.failed += 1;
        self.failures.push(why.to_owned());
    }

    pub fn skip(&mut self, why: &str) {
        self.skipped.push(why.to_owned());
    }

    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
        self.failures.extend(other.failures);
        self.crashed.extend(other.crashed);
        self.shown.extend(other.shown);
        self.verdicts.extend(other.verdicts);
    }

    /// Counts a line of libtest or wasm-bindgen-test.
    pub fn read(&mut self, line: &str) {
        if let Some(cell) = capabilities::read(line) {
            self.shown.insert(cell);
        } else if let Some(test) = line.strip_prefix("crashed: ") {
            self.crashed.push(test.to_owned());
        } else if let Some(lack) = line.strip_prefix("lacks: ") {
            self.skip(lack);
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += number(counts, " passed");
            self.failed += number(counts, " failed");
            let ignored = number(counts, " ignored");
            if ignored > 0 {
                self.skip(&format!("{ignored} marked #[ignore]"));
            }
        } else if let Some(test) = line.strip_prefix("test ")
            && let Some((name, verdict)) = test.split_once(" ... ")
        {
            let failed = verdict.starts_with("FAIL");
            if failed {
                self.failures.push(name.to_owned());
            }
            if failed || verdict.starts_with("ok") {
                self.verdicts.push((name.to_owned(), !failed));
            }
        }
    }
}

/// The number before `word`.
fn number(counts: &str, word: &str) -> u64 {
    counts
        .split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(word)?.parse().ok())
        .unwrap_or(0)
}

pub struct Row {
    pub suite: &'static str,
    pub tally: Tally,
    pub took: Duration,
}

/// Servers, engines and what works there, as far as this run has shown it.
fn print_capabilities(rows: &[Row]) {
    let shown: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| row.tally.shown.clone())
        .collect();
    if !shown.is_empty()
        && let Ok(table) = capabilities::Table::open()
    {
        println!("\n{}", table.shown(&shown));
    }
}

/// The tables, what failed, and the line `N passed, M failed`. True when nothing failed.
pub fn print(rows: &[Row]) -> bool {
    print_capabilities(rows);
    println!(
        "\n{:<18} {:>6} {:>6} {:>7}  skipped",
        "suite", "passed", "failed", "seconds"
    );
    for Row { suite, tally, took } in rows {
        let seconds = took.as_secs_f32();
        let skipped = tally.skipped.join("; ");
        let line = format!(
            "{suite:<18} {:>6} {:>6} {seconds:>7.1}  {skipped}",
            tally.passed, tally.failed
        );
        println!("{}", line.trim_end());
    }
    let failures = || {
        let of = |row: &'_ Row| row.tally.failures.clone();
        rows.iter()
            .flat_map(move |row| of(row).into_iter().map(|failure| (row.suite, failure)))
    };
    if failures().next().is_some() {
        println!("\nfailed:");
    }
    for (suite, failure) in failures() {
        println!("  {suite}: {failure}");
    }
    let passed: u64 = rows.iter().map(|row| row.tally.passed).sum();
    let failed: u64 = rows.iter().map(|row| row.tally.failed).sum();
    println!("\n{passed} passed, {failed} failed");
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_libtest_are_counted() {
        let mut tally = Tally::default();
        tally.read("test a::b ... ok");
        tally.read("test a::c ... FAILED");
        tally.read("test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s");
        tally.read(
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.1s",
        );
        tally.read("crashed: a::c");
        tally.read("capability: as | webkit | login");
        tally.read("lacks: a::d in part: webkit (why)");
        assert_eq!(tally.crashed, ["a::c"]);
        assert_eq!(tally.shown.len(), 1);
        assert_eq!((tally.passed, tally.failed), (17, 1));
        assert_eq!(tally.failures, ["a::c"]);
        let skipped = ["a::d in part: webkit (why)", "2 marked #[ignore]"];
        assert_eq!(tally.skipped.len(), 2);
        assert!(
            skipped
                .iter()
                .all(|why| tally.skipped.contains(&(*why).to_owned()))
        );
        let verdicts = [("a::b".to_owned(), true), ("a::c".to_owned(), false)];
        assert_eq!(tally.verdicts, verdicts);
    }
}
