//! `/api/ingresses/stream`: the rows of a scope and their changes as server-sent events.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use protocol::message::{Done, DoneReason, Heartbeat, Reset, Synced};
use protocol::{Message, sse};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::admission::{Place, client_address};
use super::problem::Problem;
use super::server::SETTLE_LIMIT;
use super::sight::Sight;
use super::{Server, assets, query};
use crate::access::Visible;
use crate::clock::now;
use crate::cluster::Demand;
use crate::journal::{Cursor, Start, Subscription, Tip, Told};
use crate::listen::Connection;
use crate::metrics::{Counted, DoneReason as DoneLabel};

/// At most this much in one write, whatever was missed.
const WRITE_LIMIT: usize = 64 << 10;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this long a replay counts no more as one of `MAX_REPLAYS`: the client is slow to read,
/// and has the others wait for nothing.
const REPLAY_LEASE: Duration = Duration::from_secs(10);
/// Nor does the replay of a client that takes nothing for this long.
const REPLAY_STALL: Duration = Duration::from_secs(1);

/// Admits a client and starts its stream. `HEAD` is admitted the same way and gets no stream.
pub async fn stream(
    sight: Sight,
    connection: Option<Extension<Connection>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs = query::pairs(query.as_deref())?;
    let visible = sight.named(&pairs)?;
    let server = sight.server;
    if server.shutdown.draining.is_cancelled() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is shutting down",
        )
        .retry_after(1));
    }
    let last_event_id = headers
        .get("last-event-id")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .or_else(|| {
            query::values(&pairs, "lastEventId")
                .next()
                .map(str::to_owned)
        })
        .filter(|id| !id.is_empty());
    // Absent where there is no socket.
    let connection = connection.map(|Extension(connection)| connection);
    let client = connection.as_ref().map(|connection| {
        let trusted = &server.config.trusted_proxies;
        client_address(connection.peer.ip(), &headers, trusted)
    });
    let place = Place::take(&server, client)?;

    let response_headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    if method == Method::HEAD {
        return Ok((response_headers, Body::empty()).into_response());
    }
    let stream = Stream::open(server, visible, last_event_id.as_deref(), connection, place);
    let body = futures::stream::unfold(stream, |mut stream| async {
        let bytes = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), stream))
    });
    Ok((response_headers, Body::from_stream(body)).into_response())
}

/// A stream's turn to replay, which it gives back when dropped.
struct Turn {
    /// Says that it has come; absent when that was heard.
    comes: Option<(oneshot::Receiver<()>, Counted)>,
    /// Notified whenever the client has taken what was written.
    taken: Arc<Notify>,
    /// A task, because a stream whose client does not read is not polled, and holds nobody up.
    _lease: AbortOnDropHandle<()>,
}

impl Turn {
    /// `share` is what the client may have of all turns.
    fn ask(server: &Server, share: Arc<Semaphore>) -> Self {
        let replays = server.own.replays.clone();
        let own = share.clone().try_acquire_owned().ok();
        let at_once = own.and_then(|own| Some((own, replays.clone().try_acquire_owned().ok()?)));
        let waits = at_once.is_none();
        let (say, comes) = oneshot::channel();
        let taken = Arc::new(Notify::new());
        let takes = taken.clone();
        let lease = tokio::spawn(async move {
            let turn = match at_once {
                Some((own, turn)) => (Ok(own), Ok(turn)),
                // In this order: who waits for its own share is in nobody's way.
                None => (share.acquire_owned().await, replays.acquire_owned().await),
            };
            let _ = say.send(());
            let end = Instant::now() + REPLAY_LEASE;
            let mut stalls = Instant::now() + REPLAY_STALL;
            while timeout_at(stalls.min(end), takes.notified()).await.is_ok() {
                stalls = Instant::now() + REPLAY_STALL;
            }
            drop(turn);
        });
        Self {
            comes: waits.then(|| (comes, Counted::new(&server.metrics.replays_waiting))),
            taken,
            _lease: AbortOnDropHandle::new(lease),
        }
    }

    fn is_waiting(&self) -> bool {
        self.comes.is_some()
    }

    /// Returns when a wait is over.
    async fn comes(turn: &mut Option<Self>) {
        let Some(Self { comes, .. }) = turn else {
            return pending().await;
        };
        match comes {
            // It is not dropped unsent while the task is held.
            Some((said, _)) => _ = said.await,
            None => pending().await,
        }
        *comes = None;
    }
}

/// One client's stream: a cursor and a few deadlines. Nothing of the rows is held here.
struct Stream {
    server: Arc<Server>,
    visible: Visible,
    subscription: Subscription,
    _demand: Demand,
    _place: Place,
    connection: Option<Connection>,
    /// Where a replay has to be written.
    turn: Option<Turn>,
    cursor: Cursor,
    told: Told,
    phase: Phase,
    opened: Instant,
    heartbeat: Instant,
    /// When it ends, and why: of age, or with the server.
    ends: Instant,
    reason: DoneReason,
    /// What goes into the block of the first message.
    retry_ms: Option<u64>,
    /// Of its own, so that the locks of all streams are not one.
    draining: CancellationToken,
    /// Rings at the next deadline or before it: one that moves away, as a heartbeat does with every
    /// write, costs the timers nothing.
    alarm: Pin<Box<Sleep>>,
    /// Written before anything else.
    ready: VecDeque<Bytes>,
    /// Whether there is nothing to read before something wakes the stream.
    rests: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The state at one revision is being replayed, which the cursor names.
    Replay,
    /// What was missed is being written; ids were valid from the start.
    Resume,
    /// The client has everything.
    Synced,
    /// `done` was written.
    Ended,
}

impl Stream {
    fn open(
        server: Arc<Server>,
        visible: Visible,
        last_event_id: Option<&str>,
        connection: Option<Connection>,
        place: Place,
    ) -> Self {
        let metrics = &server.metrics;
        metrics
            .namespaces_per_stream
            .observe(visible.names().map_or(0.0, |names| names.len() as f64));
        let demand = server.cluster.demand(&visible);
        let subscription = server.journal.subscribe(&visible);
        let mut ready = VecDeque::new();
        let (phase, cursor) = match server.journal.start(&visible, last_event_id) {
            Start::Resume(revision) => {
                metrics.resumes.inc();
                (Phase::Resume, Cursor::at(revision))
            }
            Start::Replay(revision) => {
                metrics.replays.inc();
                if last_event_id.is_some() {
                    metrics.resets.inc();
                }
                let reset = Message::Reset(Reset {
                    build: assets::build_id().into(),
                });
                let mut first = Vec::new();
                sse::write_event(&mut first, Some("0"), reset.encode().as_bytes());
                ready.push_back(Bytes::from(first));
                (Phase::Replay, Cursor::replay(revision))
            }
        };
        let turn = matches!(phase, Phase::Replay).then(|| Turn::ask(&server, place.share()));
        let waits = turn.as_ref().is_some_and(Turn::is_waiting);
        let mut told = Told::default();
        if waits {
            let faults = server.journal.faults(&visible, WRITE_LIMIT);
            told = faults.told;
            let statuses = events(&faults.messages);
            if !statuses.is_empty() {
                ready.push_back(statuses.into());
            }
        }
        debug!(stream.scope = %visible.scope(), ?phase, waits, "stream opened");
        let opened = Instant::now();
        let life = server
            .config
            .stream_timeout()
            .mul_f64(0.8 + fastrand::f64() / 5.0);
        if let Some(connection) = &connection {
            connection.end_at(opened + life);
        }
        Self {
            _demand: demand,
            _place: place,
            connection,
            turn,
            subscription,
            cursor,
            told,
            phase,
            opened,
            heartbeat: opened + HEARTBEAT,
            ends: opened + life,
            reason: DoneReason::Timeout,
            retry_ms: Some(fastrand::u64(1_000..3_000)),
            alarm: Box::pin(sleep_until(opened + HEARTBEAT.min(life))),
            ready,
            rests: false,
            draining: server.shutdown.draining.child_token(),
            server,
            visible,
        }
    }

    /// The next bytes to write; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(turn) = &self.turn {
            turn.taken.notify_one();
        }
        let mut bytes = self.wait().await?;
        if let Some(retry_ms) = self.retry_ms.take() {
            let mut first = Vec::with_capacity(bytes.len() + 16);
            sse::write_retry(&mut first, retry_ms);
            first.extend_from_slice(&bytes);
            bytes = first.into();
        }
        self.heartbeat = Instant::now() + HEARTBEAT;
        self.server.metrics.bytes.inc_by(bytes.len() as u64);
        Some(bytes)
    }

    async fn wait(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.phase == Phase::Ended {
                return None;
            }
            if self.connection.as_ref().is_some_and(Connection::is_slow) {
                return Some(self.end(DoneReason::SlowConsumer));
            }
            // Before anything that there is to write: a stream that always has news, or a client
            // that takes it slowly, must not outlive it.
            if Instant::now() >= self.ends {
                return Some(self.end(self.reason));
            }
            if !self.rests
                && let Some(bytes) = self.advance()
            {
                return Some(bytes);
            }
            self.rests = false;
            let next = self.next_deadline();
            if self.alarm.deadline() > next {
                self.alarm.as_mut().reset(next);
            }
            tokio::select! {
                biased;
                () = self.alarm.as_mut() => {
                    let now = Instant::now();
                    if now >= self.ends {
                        continue;
                    }
                    if now >= self.heartbeat {
                        // What is above the cursor is of other scopes, or it would have woken us:
                        // the heartbeat's id is the newest.
                        return Some(self.advance().unwrap_or_else(|| self.beat()));
                    }
                    let next = self.next_deadline();
                    self.alarm.as_mut().reset(next);
                }
                () = self.draining.cancelled(), if self.reason != DoneReason::Draining => {
                    // The moment is chosen once; until then everything goes on.
                    let most = self.server.shutdown.drain_time.mul_f64(0.8);
                    let moment = Instant::now() + most.mul_f64(fastrand::f64());
                    self.ends = self.ends.min(moment);
                    self.reason = DoneReason::Draining;
                    if let Some(connection) = &self.connection {
                        connection.end_at(self.ends);
                    }
                }
                () = Turn::comes(&mut self.turn) => {
                    // Nothing of the state at the start was written.
                    self.cursor = Cursor::replay(self.server.journal.revision());
                }
                () = self.subscription.changed() => {}
            }
        }
    }

    /// When there is something to do although nothing changes.
    fn next_deadline(&self) -> Instant {
        let next = self.ends.min(self.heartbeat);
        let settle = self.settle_deadline();
        match self.phase {
            Phase::Replay | Phase::Resume if settle > Instant::now() => next.min(settle),
            _ => next,
        }
    }

    fn is_waiting(&self) -> bool {
        self.turn.as_ref().is_some_and(Turn::is_waiting)
    }

    fn settle_deadline(&self) -> Instant {
        self.opened + SETTLE_LIMIT
    }

    /// What there is to write now, if anything.
    fn advance(&mut self) -> Option<Bytes> {
        if self.is_waiting() {
            return None;
        }
        loop {
            let journal = &self.server.journal;
            let Some(write) = journal.read(&self.visible, self.cursor, WRITE_LIMIT) else {
                return Some(self.end(DoneReason::Resync));
            };
            self.cursor = write.cursor;
            self.server.metrics.messages.inc_by(write.messages);
            if let Some(received) = write.received.filter(|_| self.phase == Phase::Synced) {
                let elapsed = received.elapsed().as_secs_f64();
                self.server.metrics.delivery.observe(elapsed);
            }
            if !write.complete {
                return Some(write.bytes);
            }
            self.turn = None;
            let tip = journal.tip(&self.visible, self.cursor.at, self.told, WRITE_LIMIT);
            let Some(tip) = tip else {
                // Something changed meanwhile: the rows go first.
                match write.bytes.is_empty() {
                    true => continue,
                    false => return Some(write.bytes),
                }
            };
            self.rests = tip.statuses.complete;
            let rest = self.tell(tip);
            return match (write.bytes.is_empty(), rest.is_empty()) {
                (true, true) => None,
                (false, true) => Some(write.bytes),
                (true, false) => Some(rest),
                (false, false) => {
                    self.ready.push_back(rest);
                    Some(write.bytes)
                }
            };
        }
    }

    /// The states, and `synced` once it may be said.
    fn tell(&mut self, tip: Tip) -> Bytes {
        let mut bytes = events(&tip.statuses.messages);
        self.told = tip.statuses.told;
        let late = Instant::now() >= self.settle_deadline();
        let ready = tip.readiness.filter(|readiness| readiness.settled || late);
        if let Some(readiness) = ready.filter(|_| self.phase != Phase::Synced) {
            let synced = Message::Synced(Synced {
                count: readiness.count,
                pending: readiness.pending.names,
                pending_count: readiness.pending.count,
            });
            let id = self.server.journal.id(&self.visible, self.cursor.at);
            sse::write_event(&mut bytes, Some(&id), synced.encode().as_bytes());
            self.cursor.replay = None;
            self.phase = Phase::Synced;
        }
        bytes.into()
    }

    fn beat(&mut self) -> Bytes {
        let heartbeat = Message::Heartbeat(Heartbeat { time: now() });
        // No id before `synced`: a stream cut there is not resumed.
        let id = (self.phase == Phase::Synced)
            .then(|| self.server.journal.id(&self.visible, self.cursor.at));
        let mut bytes = Vec::new();
        sse::write_event(&mut bytes, id.as_deref(), heartbeat.encode().as_bytes());
        bytes.into()
    }

    fn end(&mut self, reason: DoneReason) -> Bytes {
        self.count_end(reason);
        events(&[Message::Done(Done::new(reason))]).into()
    }

    fn count_end(&mut self, reason: DoneReason) {
        self.phase = Phase::Ended;
        let label = match reason {
            DoneReason::Timeout => "timeout",
            DoneReason::Draining => "draining",
            DoneReason::SlowConsumer => "slowConsumer",
            DoneReason::Unauthorized => "unauthorized",
            DoneReason::Resync | DoneReason::Other => "resync",
        };
        self.server
            .metrics
            .done
            .get_or_create(&DoneLabel { reason: label })
            .inc();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.phase == Phase::Ended {
            return;
        }
        // Cut before it could be told.
        self.server.metrics.cuts.inc();
        if self.connection.as_ref().is_some_and(Connection::is_slow) {
            self.count_end(DoneReason::SlowConsumer);
        } else if Instant::now() >= self.ends {
            self.count_end(self.reason);
        }
    }
}

/// Messages without ids.
fn events(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        sse::write_event(&mut bytes, None, message.encode().as_bytes());
    }
    bytes
}
