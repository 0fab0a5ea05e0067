//! `cargo xtask examples`: the applications of examples/ in JavaScript, with the package as npm would install it.

use crate::tools::Tool;
use crate::workspace::{output, recreate, root, target_dir, timed};
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// Those that Vite builds.
const VITE: &[&str] = &["react", "react-oidc-context", "solid", "svelte", "vue"];

/// Built once more with `oauth-wasm/testing` in the place of the library, as for tests in a browser.
const FAKED: &str = "react";

/// What stands in the built pages where a test puts the address of its sandbox.
const SANDBOX: &str = "https://sandbox.invalid";

pub fn run() -> Result<()> {
    crate::package::make()?;
    make()?;
    println!("{}: a site each", sites().display());
    Ok(())
}

fn sites() -> PathBuf {
    target_dir().join("stacks")
}

pub fn directory() -> PathBuf {
    root().join("examples")
}

/// Builds every application, once in a run.
pub fn make() -> Result<()> {
    static MADE: AtomicBool = AtomicBool::new(false);
    if MADE.load(Ordering::Relaxed) {
        return Ok(());
    }
    install()?;
    recreate(&sites())?;
    for name in VITE {
        build(name, "production", name)?;
    }
    build(FAKED, "test", "faked")?;
    angular()?;
    MADE.store(true, Ordering::Relaxed);
    Ok(())
}

fn angular() -> Result<()> {
    let dir = directory().join("angular");
    Tool::Angular.ensure()?;
    put_package(&dir.join("node_modules/oauth-wasm"))?;
    let site = sites().join("angular");
    timed("ng build examples/angular", || {
        let mut ng = Command::new(dir.join("node_modules/.bin/ng"));
        ng.args(["build", "--output-path"])
            .arg(&site)
            .args(["--define", &format!("SANDBOX=\"{SANDBOX}\"")])
            .env("NG_CLI_ANALYTICS", "false")
            .current_dir(&dir);
        output(&mut ng).map(drop)
    })
}

fn build(name: &str, mode: &str, site: &str) -> Result<()> {
    timed(&format!("vite build examples/{name} ({mode})"), || {
        let mut vite = bin("vite");
        vite.args(["build", name, "--mode", mode, "--outDir"])
            .arg(sites().join(site))
            .args(["--emptyOutDir", "--logLevel", "error"])
            .env("VITE_SANDBOX", SANDBOX);
        output(&mut vite).map(drop)
    })
}

/// The tools, and a copy of the package: a link would have it look for React beside pkg/.
pub fn install() -> Result<()> {
    Tool::Examples.ensure()?;
    put_package(&directory().join("node_modules/oauth-wasm"))
}

fn put_package(to: &Path) -> Result<()> {
    recreate(to)?;
    crate::workspace::copy(&root().join("pkg"), to).context("pkg/: run `cargo xtask build` first")
}

/// A tool that npm has installed for the examples.
pub fn bin(name: &str) -> Command {
    let mut command = Command::new(directory().join("node_modules/.bin").join(name));
    command.current_dir(directory());
    command
}
