//! `cargo xtask peers`: the origin lock's table of addresses against other libraries, for the record in SECURITY.md.
//! Never a test: nothing of ours depends on theirs.

use crate::tools::Tool;
use crate::workspace::{cargo, npm_bin, output, root, stage, timed};
use anyhow::{Result, ensure};
use std::process::Command;

/// Installs the peers (`tests/attacks/peers`), bundles them, and runs `tests/attacks/examples/peers.rs`.
pub fn run() -> Result<()> {
    crate::package::build()?;
    Tool::Chromium.ensure()?;
    let peers = root().join("tests/attacks/peers");
    timed("npm ci in tests/attacks/peers", || {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--loglevel=error", "--no-update-notifier"])
            .current_dir(&peers);
        output(&mut npm).map(drop)
    })?;
    let bundle = stage().with_file_name("peers.js");
    let mut esbuild = npm_bin("esbuild");
    esbuild
        .arg(peers.join("peers.js"))
        .args(["--bundle", "--format=esm", "--log-level=warning"])
        .arg(format!("--outfile={}", bundle.display()));
    output(&mut esbuild)?;
    let status = cargo()
        .args(["run", "--quiet", "--package", "attacks"])
        .args(["--example", "peers", "--"])
        .arg(&bundle)
        .status()?;
    ensure!(status.success(), "the peers were not compared");
    Ok(())
}
