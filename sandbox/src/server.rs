//! A socket around the sandbox: it obeys delays and drops.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::{Delayed, Dropped, Sandbox, message};

/// Bodies over this are refused; the sandbox records what it receives.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Serves until the listener fails, which is never in practice: end the task to stop it.
pub async fn serve(listener: TcpListener, sandbox: Arc<Sandbox>) -> io::Result<()> {
    let service = Router::new()
        .fallback(answer)
        .with_state(sandbox)
        .into_make_service_with_connect_info::<Cut>();
    axum::serve(Cables(listener), service).await
}

async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MOST_BYTES).await else {
        return message::with_cors(message::text(
            413,
            "sandbox: the body is too large or broke off",
        ))
        .map(Body::from);
    };
    let answer = sandbox
        .receive(http::Request::from_parts(parts, body.to_vec()))
        .await;
    if let Some(Delayed(wait)) = answer.extensions().get().copied() {
        tokio::time::sleep(wait).await;
    }
    if answer.extensions().get::<Dropped>().is_some() {
        cut.0.store(true, Ordering::Relaxed);
    }
    answer.map(Body::from)
}

/// A listener whose connections can be cut from inside a handler.
struct Cables(TcpListener);

/// A connection. Once cut it fails at the next byte written, so that the caller gets no answer at all.
struct Cable {
    stream: TcpStream,
    cut: Cut,
}

#[derive(Clone)]
struct Cut(Arc<AtomicBool>);

impl Listener for Cables {
    type Io = Cable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cable, SocketAddr) {
        // axum's own listener waits and tries again where accepting fails.
        let (stream, address) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (
            Cable {
                stream,
                cut: Cut(Arc::new(AtomicBool::new(false))),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Cables>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Cables>) -> Cut {
        stream.io().cut.clone()
    }
}

impl Cable {
    fn check(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Relaxed) {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Cable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
