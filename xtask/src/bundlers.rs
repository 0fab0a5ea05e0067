//! `cargo xtask bundlers`: a login in Chromium through every bundler, as it comes, with the package as npm installs it.

use crate::report::Tally;
use crate::tools::Tool;
use crate::workspace::{recreate, root, target_dir};
use crate::{consumer, live, package};
use anyhow::Result;
use std::process::Command;

/// What failed before, or fails in a way of its own; all of it takes minutes.
const QUICK: &[&str] = &[
    "vite-7 dev",
    "esbuild-iife build",
    "rollup build",
    "parcel build",
    "script-sri build",
];

/// The named rows (`vite-7`, `vite-7 dev`), or all. True when nothing failed.
pub fn run(rows: &[String]) -> Result<bool> {
    for tool in [Tool::WasmTarget, Tool::Node, Tool::NpmPackages] {
        tool.ensure()?;
    }
    for tool in [Tool::Chromium, Tool::Bundlers] {
        tool.ensure()?;
    }
    package::make_if_changed()?;
    // Not as a suite: the whole table takes longer than one may.
    Ok(harness(rows)?.status()?.success())
}

pub fn suite(tally: &mut Tally) -> Result<()> {
    println!("These of all; `cargo xtask bundlers` goes through the table.");
    let rows: Vec<_> = QUICK.iter().map(ToString::to_string).collect();
    live::tests(&mut harness(&rows)?, tally)
}

fn harness(rows: &[String]) -> Result<Command> {
    let installed = consumer::install()?.join("node_modules/oauth-wasm");
    let projects = target_dir().join("bundlers");
    recreate(&projects)?;
    let mut node = Command::new("node");
    node.arg(root().join("xtask/bundlers/run.mjs"))
        .arg(installed)
        .arg(projects)
        .args(rows);
    Ok(node)
}
