//! `cargo xtask bench`: what takes how long, as ratios within one run. Never a test: times differ from machine to
//! machine.

use crate::tools::Tool;
use crate::workspace::cargo;
use anyhow::{Result, ensure};

/// Builds the package and measures its two forms in Chromium (`tests/e2e/examples/bench.rs`).
pub fn run() -> Result<()> {
    crate::package::build()?;
    Tool::Chromium.ensure()?;
    let status = cargo()
        .args(["run", "--quiet", "--package", "e2e", "--example", "bench"])
        .status()?;
    ensure!(status.success(), "the benchmark failed");
    Ok(())
}
