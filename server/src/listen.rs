//! The accept loop. hyper's HTTP/1 builder directly: `axum::serve` detects HTTP/2 first, which
//! costs 8 KB per connection, and has no timer, so that a client may take for ever over a header.
//!
//! The times of a connection are kept by its socket ([`Socket`]), which sees what comes and goes:
//! hyper has one time for a header that has begun and for a connection that rests between two.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::shutdown::Shutdown;

/// A request's header is there within this time of its first byte, and the first one of a
/// connection within this time of its start.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection rests between two requests: longer than the 60 s after which load
/// balancers let go of one themselves.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// So many connections may rest that long, with some 16 KiB each; others do for [`HEADER_LIMIT`].
const IDLE_CONNECTIONS: usize = 1_000;
/// hyper's least: 8 KiB each for reading and writing.
const BUFFER: usize = 8192;
/// The kernel doubles it. Without a limit a client that does not read holds 4 MB of kernel memory.
const SEND_BUFFER: usize = 64 << 10;
/// A socket that takes nothing for this long is slow: its stream is to end,
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// and it is cut where it takes nothing for this long on top, or again. An answer that has a time
/// to end is cut this long after it.
const GRACE: Duration = Duration::from_secs(5);
/// Other connections than streams are few and short.
const CONNECTIONS_BESIDE_STREAMS: usize = 2_000;
/// What the process opens beside connections of clients and watches: its log, the listener,
/// requests to the API server.
const OTHER_FILES: usize = 64;
/// A failure to accept is logged this often at most.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(60);

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What there may be at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Streams.
    pub streams: usize,
    /// Connections, with those of streams.
    pub connections: usize,
}

impl Capacity {
    /// What is asked for with `MAX_STREAMS`, as far as the operating system gives the process
    /// files for it. The soft limit is raised; below the hard one, files are kept for the watches
    /// and whatever else leads to the API server.
    #[must_use]
    pub fn get(max_streams: usize, max_watches: usize) -> Self {
        match rlimit::increase_nofile_limit(u64::MAX) {
            Ok(files) => {
                let files = usize::try_from(files).unwrap_or(usize::MAX);
                let capacity = Self::within(files, max_streams, max_watches);
                if capacity.streams < max_streams {
                    warn!(
                        files,
                        max_streams,
                        "the process may have so few files (ulimit -n) that {} streams are the most",
                        capacity.streams
                    );
                }
                capacity
            }
            Err(error) => {
                warn!(error = %error, "how many files the process may have is not known");
                Self::within(usize::MAX, max_streams, max_watches)
            }
        }
    }

    fn within(files: usize, max_streams: usize, max_watches: usize) -> Self {
        let own = OTHER_FILES + max_watches.min(files / 2);
        let connections = files.saturating_sub(own);
        let beside = CONNECTIONS_BESIDE_STREAMS.min(connections / 4);
        let streams = max_streams.min(connections - beside).max(1);
        Self {
            streams,
            connections: streams + beside.max(1),
        }
    }
}

/// What a handler may know of the connection that its request came on: a request extension.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    pace: Arc<Pace>,
}

impl Connection {
    /// A connection on which nothing has come yet.
    #[must_use]
    pub fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            pace: Arc::default(),
        }
    }

    /// Whether the client took nothing for 30 s since the request.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.pace.slow.load(Ordering::Relaxed)
    }

    /// The answer is a stream and ends at this time. Where the client does not take its end within
    /// 5 s, it is cut.
    pub fn end_at(&self, end: Instant) {
        *self.pace.lock_end() = Some(end);
    }
}

/// What a socket and the answer that goes through it tell each other.
#[derive(Debug, Default)]
struct Pace {
    /// Nothing was taken for [`WRITE_LIMIT`].
    slow: AtomicBool,
    phase: AtomicU8,
    /// When the answer is to end, where that is known beforehand: it is a stream.
    end: Mutex<Option<Instant>>,
}

/// No request is being answered.
const WAITING: u8 = 0;
/// A request has come, and its answer is being made and written.
const ANSWERING: u8 = 1;
/// The answer is made, and what is left of it is being written.
const FINISHING: u8 = 2;

impl Pace {
    fn lock_end(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.slow.store(false, Ordering::Relaxed);
        *self.lock_end() = None;
        self.phase.store(ANSWERING, Ordering::Relaxed);
    }

    fn phase(&self) -> u8 {
        self.phase.load(Ordering::Relaxed)
    }

    fn streams(&self) -> bool {
        self.lock_end().is_some()
    }
}

/// An answer's body, which says when it is over.
struct Answer {
    body: Body,
    pace: Arc<Pace>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.pace.phase.store(FINISHING, Ordering::Relaxed);
    }
}

/// Serves `router` on so many connections at once, until the shutdown has drained each, or its
/// time is over.
pub async fn run(listener: TcpListener, router: Router, most: usize, shutdown: Shutdown) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(most));
    let resting = Arc::new(Semaphore::new(IDLE_CONNECTIONS));
    let mut said: Option<Instant> = None;
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
                if said.is_none_or(|at| at.elapsed() >= ACCEPT_LOG_PAUSE) {
                    said = Some(Instant::now());
                    warn!(error = %error, "a connection was not accepted");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let router = router.clone();
        let resting = resting.clone();
        // One of its own: who waits for a token takes its lock with each poll.
        let draining = shutdown.draining.child_token();
        connections.spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
            let connection = Connection::new(address);
            let pace = connection.pace.clone();
            let socket = Socket::new(stream, pace.clone(), resting);
            let service = router
                .map_request(move |mut request: http::Request<Incoming>| {
                    connection.pace.begin();
                    request.extensions_mut().insert(connection.clone());
                    request.map(Body::new)
                })
                .map_response(move |response: http::Response<Body>| {
                    let pace = pace.clone();
                    response.map(|body| Answer { body, pace })
                });
            let mut connection = http1::Builder::new()
                .header_read_timeout(None)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
            let result = tokio::select! {
                result = &mut connection => result,
                () = draining.cancelled() => {
                    Pin::new(&mut connection).graceful_shutdown();
                    (&mut connection).await
                }
            };
            if let Err(error) = result {
                debug!(client.address = %address, error = %error, "connection ended");
                let rest = connection.into_parts();
                // hyper answers whatever else is no request by itself.
                if rest.read_buf.starts_with(HTTP2_PREFACE) {
                    let mut socket = rest.io.into_inner();
                    let _ = socket.write_all(BAD_REQUEST).await;
                    let _ = socket.shutdown().await;
                }
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

/// A socket that fails where writing makes no progress for [`WRITE_LIMIT`] and [`GRACE`], or goes
/// on for longer than the answer may, and ends where no request comes in time. The deadlines belong
/// here: a handler whose body is not polled any more cannot act. In the time of grace it may,
/// should the client read again.
struct Socket {
    stream: TcpStream,
    pace: Arc<Pace>,
    /// Rings where nothing can be written.
    blocked: Option<Pin<Box<Sleep>>>,
    /// Rings where no request has come.
    waits: Option<Pin<Box<Sleep>>>,
    /// Whether a part of a request's header has come.
    begun: bool,
    /// Whether a request has been answered.
    served: bool,
    resting: Arc<Semaphore>,
    /// Among [`IDLE_CONNECTIONS`].
    rests: Option<OwnedSemaphorePermit>,
}

impl Socket {
    fn new(stream: TcpStream, pace: Arc<Pace>, resting: Arc<Semaphore>) -> Self {
        Self {
            stream,
            pace,
            blocked: None,
            waits: None,
            begun: false,
            served: false,
            resting,
            rests: None,
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
        let was_slow = self.pace.slow.load(Ordering::Relaxed);
        let cut = self.pace.lock_end().map(|end| end + GRACE);
        let at_most = |limit| {
            cut.map_or(Instant::now() + limit, |cut| {
                cut.min(Instant::now() + limit)
            })
        };
        let blocked = self.blocked.get_or_insert_with(|| {
            let limit = if was_slow { GRACE } else { WRITE_LIMIT };
            Box::pin(sleep_until(at_most(limit)))
        });
        ready!(blocked.as_mut().poll(context));
        if !was_slow && cut.is_none_or(|cut| Instant::now() < cut) {
            self.pace.slow.store(true, Ordering::Relaxed);
            blocked.as_mut().reset(at_most(GRACE));
            ready!(blocked.as_mut().poll(context));
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing, or too slowly",
        )))
    }

    /// No byte is there. Ready where no more will come in time.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.waits.is_none() {
            let mut limit = HEADER_LIMIT;
            if self.served && !self.begun {
                self.rests = self.resting.clone().try_acquire_owned().ok();
                if self.rests.is_some() {
                    limit = IDLE_LIMIT;
                }
            }
            self.waits = Some(Box::pin(sleep_until(Instant::now() + limit)));
        }
        match &mut self.waits {
            Some(waits) => waits.as_mut().poll(context),
            None => Poll::Pending,
        }
    }

    fn stop_waiting(&mut self) {
        (self.waits, self.rests) = (None, None);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let ended = matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() == before;
        if self.pace.phase() != WAITING {
            self.stop_waiting();
            self.begun = false;
            // It says no more and may still read its answer. A stream's client is gone: what it
            // has to say was the request.
            return if ended && !self.pace.streams() {
                Poll::Pending
            } else {
                read
            };
        }
        match read {
            Poll::Ready(Ok(())) => {
                if !self.begun {
                    self.begun = true;
                    self.stop_waiting();
                }
                read
            }
            Poll::Ready(Err(_)) => read,
            // To hyper it is the end.
            Poll::Pending => self.wait(context).map(Ok),
        }
    }
}

impl AsyncWrite for Socket {
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

    /// hyper asks for this once it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pace.phase() == FINISHING {
            self.pace.phase.store(WAITING, Ordering::Relaxed);
            // Where the answer was there at once, nothing was read meanwhile.
            self.stop_waiting();
            (self.begun, self.served) = (false, true);
            // An end that was kept back is to be seen now.
            context.waker().wake_by_ref();
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_leave_files_for_the_watches() {
        let capacity = |files| Capacity::within(files, 12_000, 500);
        let plenty = Capacity {
            streams: 12_000,
            connections: 14_000,
        };
        assert_eq!(capacity(usize::MAX), plenty);
        assert_eq!(capacity(1 << 20), plenty);
        for files in [0, 64, 256, 1_024, 4_096, 14_000] {
            let Capacity {
                streams,
                connections,
            } = capacity(files);
            assert!(streams >= 1 && streams < connections, "{files}");
            assert!(
                connections + OTHER_FILES + 500.min(files / 2)
                    <= files.max(OTHER_FILES + 2 + files / 2),
                "{files}: {connections}"
            );
        }
        assert_eq!(capacity(1_024).streams, 345);
    }
}
