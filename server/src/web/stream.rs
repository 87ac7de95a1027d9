//! `/api/ingresses/stream`: the rows of a scope and their changes as server-sent events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use protocol::message::{Done, DoneReason, Heartbeat, Reset, Synced};
use protocol::{Message, Scope, sse};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::problem::Problem;
use super::{Server, api, assets};
use crate::cluster::Demand;
use crate::journal::{ScopeId, Start, Subscription, Tip, now};
use crate::metrics::DoneReason as DoneLabel;

/// At most this much in one write, whatever was missed.
const WRITE_LIMIT: usize = 64 << 10;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long `synced` waits for namespaces that are still being listed.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

impl Server {
    /// Waits until every namespace of the scope has left `syncing`, at most 10 s. Returns the
    /// namespaces whose rows are not known; `None` at once where nothing is known at all.
    pub(super) async fn settle(&self, scope: &Scope) -> Option<Vec<String>> {
        let subscription = self.journal.subscribe(scope);
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let late = Instant::now() >= deadline;
            let readiness = self.journal.readiness(scope)?;
            if readiness.settled || late {
                return Some(readiness.pending);
            }
            tokio::select! {
                biased;
                () = subscription.changed() => {}
                () = sleep_until(deadline) => {}
            }
        }
    }
}

/// Admits a client and starts its stream. `HEAD` is admitted the same way and gets no stream.
pub async fn stream(
    State(server): State<Server>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs = api::pairs(query.as_deref())?;
    let scope = ScopeId::new(api::scope(&server, &pairs)?);
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
        .or_else(|| api::values(&pairs, "lastEventId").next().map(str::to_owned))
        .filter(|id| !id.is_empty());
    let place = Place::take(&server)?;

    let response_headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    if method == Method::HEAD {
        return Ok((response_headers, Body::empty()).into_response());
    }
    let stream = Stream::open(server, scope, last_event_id.as_deref(), place);
    let body = futures::stream::unfold(stream, |mut stream| async {
        let bytes = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), stream))
    });
    Ok((response_headers, Body::from_stream(body)).into_response())
}

/// One of the streams that may be open at the same time.
struct Place {
    server: Server,
    streams: Arc<AtomicUsize>,
}

impl Place {
    fn take(server: &Server) -> Result<Self, Problem> {
        let streams = server.0.streams.clone();
        let open = streams.fetch_add(1, Ordering::Relaxed);
        let place = Self {
            server: server.clone(),
            streams,
        };
        server.metrics.streams.inc();
        if open >= server.max_streams {
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!(
                    "{} streams are open, which is the most (MAX_STREAMS)",
                    server.max_streams
                ),
            )
            .retry_after(5));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
        self.server.metrics.streams.dec();
    }
}

/// One client's stream: a cursor and a few deadlines. Nothing of the rows is held here.
struct Stream {
    server: Server,
    scope: ScopeId,
    subscription: Subscription,
    _demand: Demand,
    _place: Place,
    cursor: u64,
    /// The cursor at which the client last held everything.
    base: u64,
    told: u64,
    phase: Phase,
    opened: Instant,
    heartbeat: Instant,
    expires: Instant,
    /// Written before anything else.
    ready: VecDeque<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The state at this revision is being replayed.
    Replay(u64),
    /// What was missed is being written; ids were valid from the start.
    Resume,
    /// The client has everything.
    Synced,
    /// `done` was written.
    Ended,
}

impl Stream {
    fn open(server: Server, scope: ScopeId, last_event_id: Option<&str>, place: Place) -> Self {
        let metrics = &server.metrics;
        metrics
            .namespaces_per_stream
            .observe(scope.scope.names().map_or(0.0, |names| names.len() as f64));
        let demand = server.cluster.demand(&scope.scope);
        let subscription = server.journal.subscribe(&scope.scope);
        let mut first = Vec::new();
        sse::write_retry(&mut first, fastrand::u64(1_000..3_000));
        let (phase, cursor) = match server.journal.start(&scope, last_event_id) {
            Start::Resume(revision) => {
                metrics.resumes.inc();
                (Phase::Resume, revision)
            }
            Start::Replay(revision) => {
                metrics.replays.inc();
                if last_event_id.is_some() {
                    metrics.resets.inc();
                }
                let reset = Message::Reset(Reset {
                    build: assets::build_id().into(),
                });
                sse::write_event(&mut first, Some("0"), reset.encode().as_bytes());
                (Phase::Replay(revision), 0)
            }
        };
        debug!(stream.scope = %scope.scope, ?phase, "stream opened");
        let opened = Instant::now();
        let life = server
            .config
            .stream_timeout()
            .mul_f64(0.8 + fastrand::f64() / 5.0);
        Self {
            _demand: demand,
            _place: place,
            subscription,
            cursor,
            base: cursor,
            told: 0,
            phase,
            opened,
            heartbeat: opened + HEARTBEAT,
            expires: opened + life,
            ready: VecDeque::from([first.into()]),
            server,
            scope,
        }
    }

    /// The next bytes to write; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let bytes = self.wait().await?;
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
            if let Some(bytes) = self.advance() {
                return Some(bytes);
            }
            let settle = match self.phase {
                Phase::Replay(_) | Phase::Resume => self.settle_deadline(),
                Phase::Synced | Phase::Ended => self.expires,
            };
            tokio::select! {
                // The end comes first: a stream that always has news must not outlive it.
                biased;
                () = sleep_until(self.expires) => return Some(self.end(DoneReason::Timeout)),
                () = self.server.shutdown.draining.cancelled() => {
                    let most = self.server.shutdown.drain_time.mul_f64(0.8);
                    tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
                    return Some(self.end(DoneReason::Draining));
                }
                () = self.subscription.changed() => {}
                () = sleep_until(settle), if settle > Instant::now() => {}
                () = sleep_until(self.heartbeat) => {
                    // What is above the cursor is of other scopes, or it would have woken us: the
                    // heartbeat's id is the newest.
                    return Some(self.advance().unwrap_or_else(|| self.beat()));
                }
            }
        }
    }

    fn settle_deadline(&self) -> Instant {
        self.opened + SETTLE_LIMIT
    }

    /// What there is to write now, if anything.
    fn advance(&mut self) -> Option<Bytes> {
        loop {
            let replay = match self.phase {
                Phase::Replay(start) => Some(start),
                _ => None,
            };
            let journal = &self.server.journal;
            let Some(write) =
                journal.read(&self.scope, self.cursor, self.base, replay, WRITE_LIMIT)
            else {
                return Some(self.end(DoneReason::Resync));
            };
            self.cursor = write.cursor;
            self.server.metrics.messages.inc_by(write.messages);
            if let Some(received) = write.received.filter(|_| self.phase == Phase::Synced) {
                let elapsed = received.elapsed().as_secs_f64();
                self.server.metrics.delivery.observe(elapsed);
            }
            if !write.at_tip {
                return Some(write.bytes);
            }
            self.base = self.cursor;
            let Some(tip) = journal.tip(&self.scope.scope, self.cursor, self.told) else {
                // Something changed meanwhile: the rows go first.
                match write.bytes.is_empty() {
                    true => continue,
                    false => return Some(write.bytes),
                }
            };
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
        let mut bytes = Vec::new();
        for message in tip.statuses {
            sse::write_event(&mut bytes, None, message.encode().as_bytes());
        }
        self.told = tip.told;
        let late = Instant::now() >= self.settle_deadline();
        let ready = tip.readiness.filter(|readiness| readiness.settled || late);
        if let Some(readiness) = ready.filter(|_| self.phase != Phase::Synced) {
            let synced = Message::Synced(Synced {
                count: readiness.count,
                pending: readiness.pending,
            });
            let id = self.server.journal.id(&self.scope, self.cursor);
            sse::write_event(&mut bytes, Some(&id), synced.encode().as_bytes());
            self.phase = Phase::Synced;
        }
        bytes.into()
    }

    fn beat(&mut self) -> Bytes {
        let heartbeat = Message::Heartbeat(Heartbeat { time: now() });
        // No id before `synced`: a stream cut there is not resumed.
        let id =
            (self.phase == Phase::Synced).then(|| self.server.journal.id(&self.scope, self.cursor));
        let mut bytes = Vec::new();
        sse::write_event(&mut bytes, id.as_deref(), heartbeat.encode().as_bytes());
        bytes.into()
    }

    fn end(&mut self, reason: DoneReason) -> Bytes {
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
        let mut bytes = Vec::new();
        sse::write_event(
            &mut bytes,
            None,
            Message::Done(Done::new(reason)).encode().as_bytes(),
        );
        bytes.into()
    }
}
