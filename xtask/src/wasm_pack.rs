//! `cargo xtask wasm-pack`: wasm-pack runs `wasm-bindgen` from the PATH, and downloads one where there is none. This
//! very program, under that name, is the one of Cargo.lock.

use crate::workspace::{root, target_dir};
use anyhow::{Context as _, Result, ensure};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Whether this program was called as `wasm-bindgen`.
pub fn is_wasm_bindgen() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name)
        .file_stem()
        .is_some_and(|name| name == "wasm-bindgen")
}

/// wasm-bindgen's command line.
pub fn wasm_bindgen() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `wasm-pack build` on the library; `args` are its own.
pub fn run(args: &[String]) -> Result<()> {
    let bin = target_dir().join("wasm-bindgen");
    std::fs::create_dir_all(&bin)?;
    let name = format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX);
    std::fs::copy(std::env::current_exe()?, bin.join(name))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    let out_dir = target_dir().join("wasm-pack");
    let status = Command::new("wasm-pack")
        .args(["build", "--mode", "no-install", "--out-dir"])
        .arg(&out_dir)
        .args(args)
        .current_dir(root())
        .env("PATH", std::env::join_paths(paths)?)
        .status()
        .context("wasm-pack is not installed: cargo install wasm-pack --locked")?;
    ensure!(status.success(), "wasm-pack: {status}");
    println!("{}", out_dir.display());
    Ok(())
}
