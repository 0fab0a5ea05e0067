//! `cargo xtask yew`: the example in Yew, built as a page.

use crate::package::bind;
use crate::tools::Tool;
use crate::workspace::{cargo, recreate, root, target_dir, timed, with_warnings};
use anyhow::Result;
use std::fs;
use std::path::PathBuf;

/// What a server has to serve.
fn site() -> PathBuf {
    target_dir().join("yew")
}

pub fn run() -> Result<()> {
    Tool::WasmTarget.ensure()?;
    make()?;
    println!("{}: serve it, and open index.html", site().display());
    Ok(())
}

/// Unoptimised: it is to run, not to be small.
pub fn make() -> Result<()> {
    let example = root().join("examples/yew");
    let built = target_dir().join("examples");
    timed("examples/yew", || {
        with_warnings(
            cargo()
                .current_dir(&example)
                .env("CARGO_TARGET_DIR", &built)
                .args(["build", "--quiet"])
                .args(["--target", "wasm32-unknown-unknown"]),
        )?;
        recreate(&site())?;
        let wasm = built.join("wasm32-unknown-unknown/debug/oauth-wasm-yew.wasm");
        bind(&wasm, &site())?;
        for name in ["index.html", "start.js"] {
            fs::copy(example.join(name), site().join(name))?;
        }
        Ok(())
    })
}
