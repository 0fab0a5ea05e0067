//! What `npx oauth-wasm sandbox` runs: the sandbox as a module for Node, the console page, and their servers.

use crate::package;
use crate::workspace::{cargo, npm_bin, recreate, root, stage, with_warnings};
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Puts it into the package.
pub fn add(package: &Path) -> Result<()> {
    let (here, npm) = (package.join("sandbox"), root().join("sandbox/npm"));
    fs::create_dir_all(&here)?;
    let staged = stage().join("sandbox");
    recreate(&staged)?;
    package::bind(&compile()?, &staged)?;
    optimise(&staged.join("sandbox_bg.wasm"), &here.join("sandbox.wasm"))?;
    fs::copy(staged.join("sandbox.js"), here.join("sandbox.js"))?;
    fs::copy(npm.join("server.mjs"), here.join("server.mjs"))?;
    fs::copy(npm.join("bin.mjs"), package.join("bin.mjs"))?;
    fs::copy(root().join("relay/relay.mjs"), package.join("relay.mjs"))?;
    let console = package.join("console");
    fs::create_dir_all(&console)?;
    for entry in fs::read_dir(root().join("www"))? {
        let file = entry?;
        fs::copy(file.path(), console.join(file.file_name()))?;
    }
    Ok(())
}

/// In a directory of its own, for its flags are its own: no path of this machine may stand in what is published.
fn compile() -> Result<PathBuf> {
    let target = stage().with_file_name("sandbox-target");
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME"));
    let remap = |from: &str, to: &str| format!("'--remap-path-prefix={from}={to}'");
    let flags = [
        "'-Copt-level=z'".into(),
        remap(&home.unwrap_or_default(), "cargo"),
        remap(&root().to_string_lossy(), "oauth-wasm"),
    ];
    let flags = flags.join(",");
    with_warnings(
        cargo()
            .args([
                "rustc",
                "--quiet",
                "--release",
                "--lib",
                "--crate-type=cdylib",
            ])
            .args(["--package", "sandbox", "--no-default-features"])
            .args(["--target", "wasm32-unknown-unknown"])
            .arg("--config")
            .arg(format!("target.wasm32-unknown-unknown.rustflags=[{flags}]"))
            .env("CARGO_TARGET_DIR", &target),
    )?;
    Ok(target.join("wasm32-unknown-unknown/release/sandbox.wasm"))
}

/// The last result is kept with the bytes it came from.
fn optimise(input: &Path, to: &Path) -> Result<()> {
    let cache = stage().with_file_name("wasm-opt-sandbox");
    let key = fs::read(input)?;
    let cached = cache.join("out.wasm");
    if fs::read(cache.join("key")).ok().as_ref() != Some(&key) || !cached.exists() {
        recreate(&cache)?;
        let mut wasm_opt = npm_bin("wasm-opt");
        wasm_opt
            .args(package::WASM_OPT)
            .arg(input)
            .arg("-o")
            .arg(&cached);
        with_warnings(&mut wasm_opt)?;
        fs::write(cache.join("key"), key)?;
    }
    fs::copy(&cached, to)?;
    Ok(())
}
