//! The accept loop. hyper's HTTP/1 builder directly: `axum::serve` detects HTTP/2 first, which
//! costs 8 KB per connection, and has no timer, so that a client may take for ever over a header.
//!
//! The times of a connection are kept by its socket ([`Socket`]), which sees what comes and goes:
//! hyper has one time for a header that has begun and for a connection that rests between two.
//!
//! It is one file, as the times and limits of a connection depend on each other.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::{BufMut as _, Bytes};
use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use http::StatusCode;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, copy, sink,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::shutdown::Shutdown;
use crate::web::problem::Problem;

/// A request's header is there within this time of its first byte, and the first one of a
/// connection within this time of its start.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection rests between two requests: longer than the 60 s after which load
/// balancers let go of one themselves.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// So many connections may rest that long, with some 16 KiB each; others do for [`HEADER_LIMIT`].
const IDLE_CONNECTIONS: usize = 1_000;
/// The longest header of a request: behind a single sign-on, cookies of 10 kB are common.
const HEADER_SIZE: usize = 32 << 10;
/// More than a header, so that a longer one is refused here, in words. A connection starts with 8 KiB
/// for reading, which grow while a longer header comes.
const BUFFER: usize = HEADER_SIZE + 8192;
/// So much of what a refused client is still writing is read.
const REST: u64 = 1 << 20;
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
/// What is still being written at the end of the drain time has this long.
const OVERTIME: Duration = Duration::from_secs(2);
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
/// time is over. While streams drain, new connections have one answer each: a page whose stream is
/// still open asks for more than that.
pub async fn run(listener: TcpListener, router: Router, most: usize, shutdown: Shutdown) {
    let places = Arc::new(Semaphore::new(most));
    let resting = Arc::new(Semaphore::new(IDLE_CONNECTIONS));
    let crowd = Arc::new(Notify::new());
    // Those from before the streams end, and those from then on.
    let (early, late) = (TaskTracker::new(), TaskTracker::new());
    let drained = CancellationToken::new();
    let mut end = pin!(async {
        shutdown.draining.cancelled().await;
        early.close();
        let end = Instant::now() + shutdown.drain_time + OVERTIME;
        let _ = timeout_at(end, early.wait()).await;
        end
    });
    let mut said: Option<Instant> = None;
    let end = loop {
        let accepted = tokio::select! {
            end = &mut end => break end,
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
        let place = tokio::select! {
            end = &mut end => break end,
            place = place(&places, &crowd) => place,
        };
        let is_late = shutdown.draining.is_cancelled();
        let (connections, leaves) = match is_late {
            false => (&early, &shutdown.draining),
            true => (&late, &drained),
        };
        // One of its own: who waits for a token takes its lock with each poll.
        let leaves = leaves.child_token();
        let router = router.clone();
        let (resting, crowd) = (resting.clone(), crowd.clone());
        connections.spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
            let connection = Connection::new(address);
            let pace = connection.pace.clone();
            let socket = Socket::new(stream, pace.clone(), resting, crowd);
            let service = service_fn(move |mut request: http::Request<Incoming>| {
                // Here, not in what is polled: hyper looks for the end of the connection before,
                // and a client may have closed its half right after the request.
                pace.begin();
                request.extensions_mut().insert(connection.clone());
                let answer = router.clone().oneshot(request.map(Body::new));
                let pace = pace.clone();
                answer.map_ok(|response| response.map(|body| Answer { body, pace }))
            });
            let mut connection = http1::Builder::new()
                .header_read_timeout(None)
                .keep_alive(!is_late)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(socket), service);
            let result = tokio::select! {
                result = &mut connection => result,
                () = leaves.cancelled() => {
                    Pin::new(&mut connection).graceful_shutdown();
                    (&mut connection).await
                }
            };
            if let Err(error) = result {
                debug!(client.address = %address, error = %error, "connection ended");
                let rest = connection.into_parts();
                let socket = rest.io.into_inner();
                // hyper answers whatever else is no request by itself.
                if rest.read_buf.starts_with(HTTP2_PREFACE) {
                    refuse(socket, BAD_REQUEST).await;
                } else if socket.header >= HEADER_SIZE {
                    refuse(socket, too_large().as_bytes()).await;
                }
            }
        });
    };
    drop(listener);
    drained.cancel();
    late.close();
    let rest = async { tokio::join!(early.wait(), late.wait()) };
    if timeout_at(end, rest).await.is_err() {
        warn!(
            open = early.len() + late.len(),
            "connections are left at the end of the drain time"
        );
    }
}

/// Writes an answer and closes. A close while bytes are unread would reset the connection, which takes
/// the answer from the client.
async fn refuse(mut socket: Socket, answer: &[u8]) {
    let _ = socket.write_all(answer).await;
    let _ = socket.shutdown().await;
    let mut rest = socket.stream.take(REST);
    let _ = timeout_at(Instant::now() + GRACE, copy(&mut rest, &mut sink())).await;
}

/// The answer to a header that is too long.
fn too_large() -> String {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let words = format!(
        "the header of a request may have {HEADER_SIZE} bytes, cookies and address with it"
    );
    let body = Problem::new(status, words).to_json();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
         cache-control: no-store\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A place for one more connection. Where there is none, the connection that has waited longest for
/// a request leaves: many that say nothing are not to keep out one that asks.
async fn place(places: &Arc<Semaphore>, crowd: &Notify) -> OwnedSemaphorePermit {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return place;
    }
    crowd.notify_one();
    let place = places.clone().acquire_owned().await;
    // Where none waited, the next one to wait would leave for nothing.
    let _ = crowd.notified().now_or_never();
    place.expect("the semaphore is never closed")
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
    /// Ends where no request has come in time, or others need the place.
    waits: Option<BoxFuture<'static, ()>>,
    /// Whether a part of a request's header has come.
    begun: bool,
    /// Bytes of it that have come.
    header: usize,
    /// Whether a request has been answered.
    served: bool,
    resting: Arc<Semaphore>,
    /// Notifies the one that has waited longest.
    crowd: Arc<Notify>,
    /// Among [`IDLE_CONNECTIONS`].
    rests: Option<OwnedSemaphorePermit>,
}

impl Socket {
    fn new(
        stream: TcpStream,
        pace: Arc<Pace>,
        resting: Arc<Semaphore>,
        crowd: Arc<Notify>,
    ) -> Self {
        Self {
            stream,
            pace,
            blocked: None,
            waits: None,
            begun: false,
            header: 0,
            served: false,
            resting,
            crowd,
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

    /// Reads at most `most` bytes.
    fn poll_some(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        most: usize,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.stream.try_read_buf(&mut (&mut *buffer).limit(most)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(drop)),
            }
        }
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
            let (end, displaced) = (Instant::now() + limit, self.crowd.clone().notified_owned());
            self.waits = Some(Box::pin(async move {
                let _ = timeout_at(end, displaced).await;
            }));
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
        let is_waiting = self.pace.phase() == WAITING;
        let room = match is_waiting {
            true => HEADER_SIZE - self.header,
            false => usize::MAX,
        };
        if room == 0 {
            return Poll::Ready(Err(io::Error::other("the header is too long")));
        }
        let read = self.poll_some(context, buffer, room);
        let count = buffer.filled().len() - before;
        let ended = matches!(read, Poll::Ready(Ok(()))) && count == 0;
        if !is_waiting {
            self.stop_waiting();
            (self.begun, self.header) = (false, 0);
            // It says no more and may still read its answer. A stream's client is gone: what it
            // has to say was the request.
            return if ended && !self.pace.streams() {
                Poll::Pending
            } else {
                read
            };
        }
        self.header += count;
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
            (self.begun, self.header, self.served) = (false, 0, true);
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
