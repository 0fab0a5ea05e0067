//! `cargo run -p sandbox [port]`: the sandbox by itself, on loopback.

use std::sync::Arc;

use sandbox::Sandbox;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = match std::env::args().nth(1).map(|port| port.parse::<u16>()) {
        None => 8787,
        Some(Ok(port)) => port,
        Some(Err(_)) => return Err(std::io::Error::other("usage: sandbox [port]")),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!(
        "sandbox: http://localhost:{}/",
        listener.local_addr()?.port()
    );
    sandbox::serve(listener, Arc::new(Sandbox::new())).await
}
