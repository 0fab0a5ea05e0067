//! `cargo xtask docs`: the documentation's site, out of the repository's Markdown (xtask/docs/build.mjs).

use crate::live;
use crate::report::Tally;
use crate::tools::Tool;
use crate::workspace::{root, target_dir};
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Builds it, and says where it is.
pub fn run() -> Result<bool> {
    for tool in [Tool::Node, Tool::Docs] {
        tool.ensure()?;
    }
    ensure!(build().status()?.success(), "the site is not built");
    println!("the site is in {}", stage().join("site").display());
    Ok(true)
}

/// As a suite: every snippet passes the compiler, every link leads somewhere, nothing comes from another host.
pub fn check(tally: &mut Tally) -> Result<()> {
    live::check(&mut build(), tally)
}

fn stage() -> PathBuf {
    target_dir().join("docs")
}

fn build() -> Command {
    let mut node = Command::new("node");
    node.arg(root().join("xtask/docs/build.mjs")).arg(stage());
    node
}
