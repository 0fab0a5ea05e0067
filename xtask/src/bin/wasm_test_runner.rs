//! Runs wasm-bindgen tests in a browser, with the sandbox beside them.
//!
//! Cargo calls it (`runner` in .cargo/config.toml) for `cargo test --target wasm32-unknown-unknown`.

use anyhow::{Context as _, Result};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where tests/browser.rs expects the sandbox.
const SANDBOX: &str = "127.0.0.1:48611";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime
        .block_on(TcpListener::bind(SANDBOX))
        .with_context(|| format!("the sandbox needs {SANDBOX}: is another test run going on?"))?;
    runtime.spawn(sandbox::serve(listener, Arc::new(sandbox::Sandbox::new())));
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
