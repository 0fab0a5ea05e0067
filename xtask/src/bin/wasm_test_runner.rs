//! Runs wasm-bindgen tests in a browser, with the sandbox beside them.
//!
//! Cargo calls it (`runner` in .cargo/config.toml) for `cargo test --target wasm32-unknown-unknown`.

use anyhow::{Context as _, Result};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

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

/// Where wasm-bindgen's runner serves the tests.
const ADDRESS: &str = "WASM_BINDGEN_TEST_ADDRESS";

fn run() -> Result<()> {
    // A port that was free just now.
    let tests = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    // SAFETY: no other thread has been started yet.
    unsafe { std::env::set_var(ADDRESS, tests.to_string()) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime
        .block_on(TcpListener::bind(SANDBOX))
        .with_context(|| format!("the sandbox needs {SANDBOX}: is another test run going on?"))?;
    runtime.spawn(sandbox::serve(listener, Arc::new(sandbox::Sandbox::new())));
    runtime.spawn(visit(tests));
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}

/// Comes and goes, again and again. The runner's server (tiny_http 0.12) gives a connection to a thread that it believes to
/// be idle: of two that come at once the second may wait until some thread is free, which the browser's connections, kept
/// alive, never let happen. The page then stays blank, and the driver says that the browser did not come up. Every
/// connection that ends sets a thread free, which takes what waits.
async fn visit(server: std::net::SocketAddr) {
    loop {
        drop(TcpStream::connect(server).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
