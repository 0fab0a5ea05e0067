//! `cargo xtask demo`: the console page against the sandbox, on this machine only.

use crate::{package, serve};
use anyhow::{Context as _, Result, bail};
use std::sync::Arc;
use tokio::net::TcpListener;

const PAGE_PORT: u16 = 8787;

/// Serves until it is interrupted.
pub fn run(args: &[String]) -> Result<()> {
    let port = match args {
        [] => PAGE_PORT,
        [flag, port] if flag == "--port" => port.parse().context("--port takes a number")?,
        _ => bail!("demo takes nothing but --port N"),
    };
    package::build()?;
    tokio::runtime::Runtime::new()?.block_on(start(port))
}

async fn start(port: u16) -> Result<()> {
    let page = bind(port).await?;
    let provider = bind(page.local_addr()?.port().saturating_add(1)).await?;
    let sandbox_origin = format!("http://{}", provider.local_addr()?);

    println!("\nconsole page  http://{}/", page.local_addr()?);
    println!("sandbox       {sandbox_origin}/");
    println!("Ctrl-C ends both.");

    tokio::spawn(sandbox::serve(provider, Arc::new(sandbox::Sandbox::new())));
    serve::serve(page, sandbox_origin).await?;
    Ok(())
}

/// The wished-for port, or any free one.
async fn bind(port: u16) -> Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            println!("port {port} is busy, another one is taken");
            Ok(TcpListener::bind("127.0.0.1:0").await?)
        }
    }
}
