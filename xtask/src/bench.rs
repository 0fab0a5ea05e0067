//! `cargo xtask bench`: the journey of a login in this library and in others, in one run (docs/benchmarks.md). Never a
//! test: times differ from machine to machine.

use crate::tools::Tool;
use crate::workspace::root;
use crate::{consumer, package};
use anyhow::{Result, bail, ensure};
use std::process::Command;

const FLAGS: [&str; 2] = ["--quick", "--write"];

/// Builds the package, installs the others, and measures them in Chromium (`xtask/bench/bench.mjs`).
pub fn run(flags: &[String]) -> Result<()> {
    if let Some(flag) = flags.iter().find(|flag| !FLAGS.contains(&flag.as_str())) {
        bail!("{flag}: there are {}", FLAGS.join(" and "));
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
        .args(flags);
    ensure!(node.status()?.success(), "the benchmark failed");
    Ok(())
}
