//! `cargo xtask demo`: builds the package, then `npx oauth-wasm sandbox` out of it.

use crate::package;
use crate::workspace::root;
use anyhow::{Result, ensure};
use std::process::Command;

/// Serves until it is interrupted.
pub fn run(args: &[String]) -> Result<()> {
    println!(
        "The package is built if it has changed, then the console page opens against the sandbox."
    );
    package::make_if_changed()?;
    println!();
    let mut node = Command::new("node");
    node.arg(root().join("pkg/bin.mjs"))
        .arg("sandbox")
        .args(args);
    ensure!(node.status()?.success(), "the sandbox has stopped");
    Ok(())
}
