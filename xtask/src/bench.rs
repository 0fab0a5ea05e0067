//! `cargo xtask bench`: the journey of a login in this library and in others, in one run (docs/benchmarks.md). Never a
//! test: times differ from machine to machine.

use crate::tools::Tool;
use crate::workspace::root;
use crate::{consumer, package};
use anyhow::{Result, bail, ensure};
use std::process::Command;

/// Names are those of what is wanted, where it is not all.
const WORDS: [&str; 5] = ["--quick", "--write", "calls", "streams", "journeys"];

/// Builds the package, installs the others, and measures them in Chromium (`xtask/bench/bench.mjs`).
pub fn run(words: &[String]) -> Result<()> {
    if let Some(word) = words.iter().find(|word| !WORDS.contains(&word.as_str())) {
        bail!("{word}: there are {}", WORDS.join(" "));
    }
    // Figures of one run belong together.
    if words.iter().any(|word| word == "--write")
        && words.iter().any(|word| !word.starts_with("--"))
    {
        bail!("--write wants all of it");
    }
    for tool in [Tool::Node, Tool::Chromium, Tool::Bench] {
        tool.ensure()?;
    }
    package::make()?;
    println!();
    let mut node = Command::new("node");
    node.arg(root().join("xtask/bench/bench.mjs"))
        .arg(root().join("pkg"))
        .arg(consumer::install()?)
        .args(words);
    ensure!(node.status()?.success(), "the benchmark failed");
    Ok(())
}
