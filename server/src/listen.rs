//! The accept loop. hyper's HTTP/1 builder directly: `axum::serve` detects HTTP/2 first, which
//! costs 8 KB per connection, and has no timer, so that a client may take for ever over a header.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::shutdown::Shutdown;

const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// hyper's least: 8 KiB each for reading and writing.
const BUFFER: usize = 8192;
/// The kernel doubles it. Without a limit a client that does not read holds 4 MB of kernel memory.
const SEND_BUFFER: usize = 64 << 10;
/// A socket that takes nothing for this long is slow: its stream is to end,
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// and it is cut where it takes nothing for this long on top, or again.
const GRACE: Duration = Duration::from_secs(5);
/// Other connections than streams are few and short.
const CONNECTIONS_BESIDE_STREAMS: usize = 2_000;

/// What a handler may know of the connection that its request came on: a request extension.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    slow: Arc<AtomicBool>,
}

impl Connection {
    fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            slow: Arc::default(),
        }
    }

    /// Whether the client took nothing for 30 s since the request.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }
}

/// Serves `router` until the shutdown has drained every connection, or its time is over.
pub async fn run(listener: TcpListener, router: Router, max_streams: usize, shutdown: Shutdown) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(max_streams + CONNECTIONS_BESIDE_STREAMS));
    loop {
        let place = tokio::select! {
            () = shutdown.draining.cancelled() => break,
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = shutdown.draining.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: one has to be given back first.
                warn!(error = %error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let router = router.clone();
        // One of its own: who waits for a token takes its lock with each poll.
        let draining = shutdown.draining.child_token();
        connections.spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
            let connection = Connection::new(address);
            let socket = Deadline::new(stream, connection.slow.clone());
            let service =
                router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
                    connection.slow.store(false, Ordering::Relaxed);
                    request.extensions_mut().insert(connection.clone());
                    request.map(axum::body::Body::new)
                });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_LIMIT)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
            let mut connection = std::pin::pin!(connection);
            let result = tokio::select! {
                result = connection.as_mut() => result,
                () = draining.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = result {
                debug!(client.address = %address, error = %error, "connection ended");
            }
        });
    }
    drop(listener);
    connections.close();
    let grace = shutdown.drain_time + Duration::from_secs(2);
    if tokio::time::timeout(grace, connections.wait())
        .await
        .is_err()
    {
        warn!(
            open = connections.len(),
            "connections are left at the end of the drain time"
        );
    }
}

/// A socket that fails where writing makes no progress for [`WRITE_LIMIT`] and [`GRACE`]. The
/// deadline belongs here: a handler whose body is not polled any more cannot act. In the time of
/// grace it may, should the client read again.
struct Deadline {
    stream: TcpStream,
    slow: Arc<AtomicBool>,
    blocked: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn new(stream: TcpStream, slow: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            slow,
            blocked: None,
        }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.blocked = None;
            return written;
        }
        let was_slow = self.slow.load(Ordering::Relaxed);
        let limit = if was_slow { GRACE } else { WRITE_LIMIT };
        let blocked = self
            .blocked
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        ready!(blocked.as_mut().poll(context));
        if !was_slow {
            self.slow.store(true, Ordering::Relaxed);
            blocked.as_mut().reset(Instant::now() + GRACE);
            ready!(blocked.as_mut().poll(context));
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing",
        )))
    }
}

impl AsyncRead for Deadline {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Deadline {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
