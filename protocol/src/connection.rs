//! The client's end of a stream as a state machine: inputs and time in, commands out.
//!
//! It decides when a stream is opened and closed, from where it resumes, and what the connection
//! badge says. It does no I/O and has no clock: the caller hands over what happened and when
//! ([`Connection::handle`]), does what [`Connection::poll`] says, and comes back at
//! [`Connection::next_wakeup`]. At most one stream is open at a time.
//!
//! - A scope of no namespace opens nothing: a query that names none would ask for all.
//! - After a failure the delay before attempt n (from 0) is [`Config::delay_ms`] and a jitter: 0 to
//!   20 %, and 0 to 300 % for the first delay after a network error, so that many clients do not
//!   return together. After the last attempt the client is offline and probes slowly.
//! - Attempts count from 0 again at the first message after `synced`.
//! - `done` is no failure unless the stream was young; 401, 403 and `unauthorized` stop;
//!   `Retry-After` holds for everything but the button.
//! - A stream resumes from the last id. There is none after `reset` until `synced`, after another
//!   scope, and after a stream that was cut between its first message and `synced`.
//! - Where tabs share what a browser can have ([`crate::tabs`]) a stream is opened only with a place.
//!   With a place for a turn it is closed at `synced`, and comes again in seconds.
//! - A stream is stale when either clock says that no message came for too long: the monotonic
//!   clock may stand still while the machine sleeps.
//!
//! It is one file, as each input may meet each state: a reader has to see all of them together.

use std::collections::VecDeque;

use serde::Serialize;

use crate::json::{FromJson, Reader};
use crate::message::{DoneReason, Message};
use crate::scope::Scope;
use crate::tabs::{Need, Place};

/// What the operator may set of the reconnection; the page's data carries it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconnect {
    /// `RECONNECT_INTERVAL`: the delay before the first attempt, in milliseconds.
    pub interval_ms: u64,
    /// `RECONNECT_BACKOFF`: what each further delay is multiplied with.
    pub backoff: f64,
    /// `MAX_RECONNECT_DELAY`: the longest delay, in milliseconds.
    pub max_delay_ms: u64,
    /// `MAX_RECONNECT_ATTEMPTS`: after so many attempts the client is offline.
    pub max_attempts: u32,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            interval_ms: 1_000,
            backoff: 2.0,
            max_delay_ms: 30_000,
            max_attempts: 10,
        }
    }
}

impl FromJson for Reconnect {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["intervalMs", "backoff", "maxDelayMs", "maxAttempts"]);
        while let Some(name) = reader.member() {
            match name {
                "intervalMs" => value.interval_ms = reader.read(),
                "backoff" => value.backoff = reader.read(),
                "maxDelayMs" => value.max_delay_ms = reader.read(),
                "maxAttempts" => value.max_attempts = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// The settings of the reconnection, all times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The delay before the first attempt (`reconnectInterval`).
    pub reconnect_interval_ms: u64,
    /// What each further delay is multiplied with (`reconnectBackoff`).
    pub reconnect_backoff: f64,
    /// The longest delay (`maxReconnectDelay`).
    pub max_reconnect_delay_ms: u64,
    /// After so many attempts the client is offline (`maxReconnectAttempts`).
    pub max_reconnect_attempts: u32,
    /// A stream without a message for longer than this is stale.
    pub stale_after_ms: u64,
    /// How often staleness is looked at.
    pub stale_check_ms: u64,
    /// A stream that is not answered by then has failed: the server answers at once. After a
    /// network was away, a browser asks on connections that are dead, one after the other.
    pub open_limit_ms: u64,
    /// Starts are at least this far apart.
    pub start_spacing_ms: u64,
    /// How often an offline client tries again.
    pub probe_interval_ms: u64,
    /// A tab hidden for this long closes its stream.
    pub hidden_close_ms: u64,
    /// A stream that ends with `done` before this age counts as a failure.
    pub young_stream_ms: u64,
    /// How long no failure is counted after the server announced a drain.
    pub drain_grace_ms: u64,
    /// From the end of a turn until the next one is asked for.
    pub turn_interval_ms: u64,
    /// A turn without an answer for longer than this has failed: others wait for its place.
    pub turn_limit_ms: u64,
    /// Whether the rows come as a document where there is no id to resume from.
    pub documents: bool,
    /// Whether a stream needs a place, which [`Input::Place`] gives.
    pub shared: bool,
}

impl Default for Config {
    fn default() -> Self {
        Reconnect::default().into()
    }
}

impl From<Reconnect> for Config {
    /// What nobody sets has its default.
    fn from(reconnect: Reconnect) -> Self {
        Self {
            reconnect_interval_ms: reconnect.interval_ms,
            reconnect_backoff: reconnect.backoff,
            max_reconnect_delay_ms: reconnect.max_delay_ms,
            max_reconnect_attempts: reconnect.max_attempts,
            stale_after_ms: 60_000,
            stale_check_ms: 30_000,
            open_limit_ms: 15_000,
            start_spacing_ms: 1_000,
            probe_interval_ms: 60_000,
            hidden_close_ms: 5_000,
            young_stream_ms: 60_000,
            drain_grace_ms: 30_000,
            turn_interval_ms: 2_500,
            turn_limit_ms: 10_000,
            documents: false,
            shared: false,
        }
    }
}

impl Config {
    /// The delay before attempt `n`, counted from 0, without jitter:
    /// `min(reconnectInterval * reconnectBackoff^n, maxReconnectDelay)`.
    #[must_use]
    pub fn delay_ms(&self, n: u32) -> u64 {
        let factor = self
            .reconnect_backoff
            .powi(n.try_into().unwrap_or(i32::MAX));
        ((self.reconnect_interval_ms as f64 * factor) as u64).min(self.max_reconnect_delay_ms)
    }
}

/// The time of an input, from both clocks: the monotonic one stands still while the machine
/// sleeps, the wall clock jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back (`performance.now()`).
    pub mono_ms: u64,
    /// Milliseconds since 1970 (`Date.now()`).
    pub wall_ms: u64,
}

/// Names one opening of a stream, so that late events of an older one are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u64);

/// What happened.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The page starts, with this scope.
    Start(Scope),
    /// Another scope is chosen.
    SetScope(Scope),
    /// A document of `/api/ingresses` arrived for this attempt; the stream resumes from its
    /// revision.
    Snapshot {
        /// The attempt.
        attempt: Attempt,
        /// The document's revision.
        revision: Option<&'a str>,
    },
    /// The response's status and headers are there, and good.
    Opened(Attempt),
    /// The response is a refusal.
    Refused {
        /// The attempt.
        attempt: Attempt,
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
        /// The `title` of the problem document, or another plain word for it.
        title: &'a str,
    },
    /// A message of the stream.
    Message {
        /// The attempt.
        attempt: Attempt,
        /// The message.
        message: &'a Message,
        /// The id of its event.
        id: Option<&'a str>,
    },
    /// The stream ended, or the network failed.
    Closed(Attempt),
    /// The stream holds what cannot be read: it starts again without id.
    Invalid(Attempt),
    /// `synced.count` differs from what the table holds: it starts again without id.
    CountMismatch(Attempt),
    /// The browser says the network is back.
    Online,
    /// The browser says there is no network.
    Offline,
    /// The tab is shown.
    Visible,
    /// The tab is hidden.
    Hidden,
    /// The button.
    RetryNow,
    /// The page goes away, maybe into the back/forward cache.
    PageHide,
    /// The page is shown again.
    PageShow,
    /// What the tab has of what all tabs share.
    Place(Place),
    /// The time of [`Connection::next_wakeup`] has come.
    Timer,
}

/// What the caller has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Fetch the document of the rows; [`Input::Snapshot`] follows.
    Fetch {
        /// To be given with every input about this document, and then the stream.
        attempt: Attempt,
        /// What it covers.
        scope: Scope,
    },
    /// Open a stream.
    Open {
        /// To be given with every input about this stream.
        attempt: Attempt,
        /// What it covers.
        scope: Scope,
        /// Where it resumes; `None`: from nothing.
        last_event_id: Option<String>,
    },
    /// Close this stream, or end this fetch, and report nothing more about it.
    Close(Attempt),
}

/// Why the last stream failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The browser says so.
    #[error("no network")]
    NoNetwork,
    /// No answer, or the stream broke.
    #[error("server not reachable")]
    Unreachable,
    /// An answer that is no stream.
    #[error("{title} (HTTP {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// In plain words.
        title: String,
    },
    /// No message for too long.
    #[error("no message from the server")]
    Silent,
    /// What the server sent cannot be read.
    #[error("the server sent what this page cannot read")]
    Invalid,
    /// The server closed a young stream.
    #[error("the server closed the stream")]
    Closed,
}

/// Why the client does not try again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// 401, or `done` with `unauthorized`.
    Unauthorized,
    /// 403.
    Forbidden {
        /// The problem's title.
        title: String,
    },
}

/// When a stream comes that is not there, on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is asked for then.
    At(u64),
    /// It was asked for then, and there is no answer yet.
    Asked(u64),
}

/// What the connection badge says. Times on the monotonic clock unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not started, or the page is hidden by the browser.
    #[default]
    Closed,
    /// The scope has no namespace: there is nothing to ask for.
    Idle,
    /// The first stream of this scope is being opened.
    Connecting,
    /// The stream is open and `synced` has not come.
    Syncing,
    /// The stream is open and the rows are the server's.
    Live,
    /// The tab has no stream of its own and reads what it missed every few seconds. How old its
    /// data is [`Connection::data_as_of_wall_ms`] says.
    Turns,
    /// The stream is open and silent.
    Stale {
        /// The last message.
        since_mono_ms: u64,
        /// The last message, on the wall clock.
        since_wall_ms: u64,
        /// When it is replaced.
        retry_at_mono_ms: u64,
    },
    /// There is no stream.
    Reconnecting {
        /// Which attempt comes, or is under way, from 1; 0 for a planned change of stream.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// When it starts, or has started.
        next: Next,
    },
    /// Every attempt failed; a slow probe goes on.
    Offline {
        /// How many attempts failed.
        attempts: u32,
        /// Why the last one failed.
        last_error: Failure,
        /// When the last one failed, on the wall clock.
        at_wall_ms: u64,
        /// When the next probe starts, or has started.
        next: Next,
    },
    /// The server is restarting: nothing to do.
    Draining {
        /// When the next stream is opened, or was.
        next: Next,
    },
    /// The client may not go on.
    Stopped(StopReason),
    /// The tab is hidden and has no stream.
    Hidden,
}

/// A first delay after a network error is up to four times as long.
const NETWORK_JITTER: f64 = 3.0;
/// Every other delay is up to a fifth longer.
const JITTER: f64 = 0.2;
/// How long after `done` (`timeout`) the next stream starts, at most.
const TIMEOUT_SPREAD_MS: u64 = 2_000;
/// How long after `done` (`draining`) the next stream starts: time for the load balancer to notice.
const DRAIN_DELAY_MS: (u64, u64) = (500, 3_000);
/// The longest `Retry-After` that is believed.
const MAX_RETRY_AFTER_MS: u64 = 3_600_000;
/// The machine slept when the wall clock went so much further than the monotonic one.
const SLEEP_MS: u64 = 5_000;

/// The client's end of a stream.
#[derive(Clone, Debug)]
pub struct Connection {
    config: Config,
    random: SplitMix64,
    commands: VecDeque<Command>,
    phase: Phase,
    /// `None` until started.
    scope: Option<Scope>,
    last_event_id: Option<String>,
    /// Whether rows of this scope have come.
    known: bool,
    /// Attempts made since the last message after a `synced`.
    attempts: u32,
    last_failure: Option<(Failure, u64)>,
    last_attempt: Attempt,
    last_start_ms: Option<u64>,
    /// What `Retry-After` asks for.
    not_before_ms: u64,
    /// Until then failures are not counted: the server is restarting.
    drain_until_ms: Option<u64>,
    hidden_since: Option<Now>,
    /// The browser has put the page away.
    paused: bool,
    network_down: bool,
    /// `None`: not known yet.
    place: Option<Place>,
    data_as_of_wall_ms: Option<u64>,
    count_mismatches: u64,
    /// Mismatches in a row, on streams that did not grow old.
    repeated_mismatches: u32,
    last_now: Option<Now>,
}

#[derive(Clone, Debug)]
enum Phase {
    Closed,
    /// There is nothing to ask for.
    Idle,
    Waiting {
        start_at_ms: u64,
        why: Why,
    },
    Fetching {
        attempt: Attempt,
        since: Now,
        why: Why,
    },
    /// Waits for a place.
    Queued {
        attempt: Attempt,
        since: Now,
        why: Why,
    },
    Opening {
        attempt: Attempt,
        since: Now,
        why: Why,
    },
    Open(Stream),
    Hidden,
    Stopped(StopReason),
}

/// Why a stream is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The scope is new.
    First,
    /// The last stream ended as planned.
    Planned,
    /// The server is restarting.
    Drain,
    /// The last stream failed: this start is counted.
    Retry,
    /// Every attempt failed.
    Probe,
    /// The last turn ended.
    Turn,
}

#[derive(Clone, Debug)]
struct Stream {
    attempt: Attempt,
    why: Why,
    opened: Now,
    last_message: Now,
    /// Whether any message has come.
    heard: bool,
    synced: bool,
    check_at_ms: u64,
    /// Stale: when and why the next stream is opened instead.
    replace: Option<(u64, Why)>,
}

impl Connection {
    /// A connection that is not started. `seed` feeds the jitter.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            random: SplitMix64(seed),
            commands: VecDeque::new(),
            phase: Phase::Closed,
            scope: None,
            last_event_id: None,
            known: false,
            attempts: 0,
            last_failure: None,
            last_attempt: Attempt(0),
            last_start_ms: None,
            not_before_ms: 0,
            drain_until_ms: None,
            hidden_since: None,
            paused: false,
            network_down: false,
            place: None,
            data_as_of_wall_ms: None,
            count_mismatches: 0,
            repeated_mismatches: 0,
            last_now: None,
        }
    }

    /// Takes what happened at a time. Commands may follow. Inputs about a stream that is not the
    /// current one are ignored.
    pub fn handle(&mut self, input: Input<'_>, now: Now) {
        match input {
            // Nobody looks: the first request can wait until somebody does.
            Input::Start(scope) if self.hidden_since.is_some() => {
                self.scope = Some(scope);
                self.phase = Phase::Hidden;
            }
            Input::Start(scope) | Input::SetScope(scope) => self.on_scope(scope, now),
            Input::Snapshot { attempt, revision } => self.on_snapshot(attempt, revision, now),
            Input::Opened(attempt) => self.on_opened(attempt, now),
            // The rows are not known yet: the stream says why, and brings them.
            Input::Refused {
                attempt,
                status: 503,
                ..
            } if self.is_fetching(attempt) => self.queue(now),
            Input::Refused {
                attempt,
                status,
                retry_after_ms,
                title,
            } if self.is_current(attempt) => self.on_refused(status, retry_after_ms, title, now),
            Input::Message {
                attempt,
                message,
                id,
            } => self.on_message(attempt, message, id, now),
            Input::Closed(attempt) if self.is_current(attempt) => {
                self.end_stream(now);
                self.retry_after_failure(Failure::Unreachable, now);
            }
            Input::Invalid(attempt) if self.is_current(attempt) => {
                self.close_stream(now);
                self.last_event_id = None;
                self.retry_after_failure(Failure::Invalid, now);
            }
            Input::CountMismatch(attempt)
                if self.is_current(attempt) || self.is_between_turns(attempt) =>
            {
                self.on_count_mismatch(now);
            }
            Input::Refused { .. }
            | Input::Closed(_)
            | Input::Invalid(_)
            | Input::CountMismatch(_)
            | Input::Timer => {}
            Input::Online => {
                self.network_down = false;
                self.hurry(now);
            }
            Input::Offline => self.network_down = true,
            Input::Visible => self.on_visible(now),
            Input::Hidden => {
                self.hidden_since.get_or_insert(now);
            }
            Input::RetryNow => self.on_retry_now(now),
            Input::PageHide => {
                if self.scope.is_some() {
                    self.close_stream(now);
                    self.paused = true;
                    self.put_away(Phase::Closed);
                }
            }
            Input::PageShow => {
                if std::mem::take(&mut self.paused) {
                    self.start_over(now);
                }
            }
            Input::Place(place) => self.on_place(place, now),
        }
        self.advance(now);
    }

    /// What the tab wants of what all tabs share.
    #[must_use]
    pub fn need(&self) -> Need {
        Need {
            present: !matches!(
                self.phase,
                Phase::Closed | Phase::Idle | Phase::Hidden | Phase::Stopped(_)
            ),
            ready: matches!(self.phase, Phase::Queued { .. }),
            uses: matches!(self.phase, Phase::Opening { .. } | Phase::Open(_)),
        }
    }

    /// The next command, in order, until there is none.
    pub fn poll(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Input::Timer`] is due, on the monotonic clock. A caller that comes more often
    /// notices earlier that the machine slept.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<u64> {
        let phase = match &self.phase {
            Phase::Closed | Phase::Idle | Phase::Hidden | Phase::Stopped(_) => return None,
            Phase::Waiting { start_at_ms, .. } => *start_at_ms,
            Phase::Queued { .. } => u64::MAX,
            Phase::Fetching { since, .. } | Phase::Opening { since, .. } => {
                since.mono_ms + self.answer_limit_ms()
            }
            Phase::Open(stream) => match stream.replace {
                Some((at, _)) => at,
                None => stream.check_at_ms,
            },
        };
        let hidden = self
            .hidden_since
            .map(|since| since.mono_ms + self.config.hidden_close_ms);
        Some(hidden.map_or(phase, |hidden| hidden.min(phase))).filter(|due| *due < u64::MAX)
    }

    /// What the badge says.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Closed => State::Closed,
            Phase::Idle => State::Idle,
            Phase::Hidden => State::Hidden,
            Phase::Stopped(reason) => State::Stopped(reason.clone()),
            Phase::Waiting { start_at_ms, why } => self.unconnected(*why, Next::At(*start_at_ms)),
            Phase::Fetching { why, since, .. }
            | Phase::Queued { why, since, .. }
            | Phase::Opening { why, since, .. } => {
                self.unconnected(*why, Next::Asked(since.mono_ms))
            }
            Phase::Open(stream) => match stream.replace {
                Some((retry_at_mono_ms, _)) => State::Stale {
                    since_mono_ms: stream.last_message.mono_ms,
                    since_wall_ms: stream.last_message.wall_ms,
                    retry_at_mono_ms,
                },
                None if stream.synced => State::Live,
                None if stream.why == Why::Turn => State::Turns,
                None => State::Syncing,
            },
        }
    }

    /// When the rows were last known to be current, on the wall clock.
    #[must_use]
    pub fn data_as_of_wall_ms(&self) -> Option<u64> {
        self.data_as_of_wall_ms
    }

    /// The last message of the current stream, on the monotonic clock.
    #[must_use]
    pub fn last_message_mono_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Open(stream) if stream.heard => Some(stream.last_message.mono_ms),
            _ => None,
        }
    }

    /// Why and when, on the wall clock, the last stream failed that failed; nothing once rows have
    /// come again.
    #[must_use]
    pub fn last_failure(&self) -> Option<&(Failure, u64)> {
        self.last_failure.as_ref()
    }

    /// How often `synced.count` differed.
    #[must_use]
    pub fn count_mismatches(&self) -> u64 {
        self.count_mismatches
    }

    fn unconnected(&self, why: Why, next: Next) -> State {
        let of = self.config.max_reconnect_attempts;
        match why {
            Why::First if !self.known => State::Connecting,
            Why::First | Why::Planned => State::Reconnecting {
                attempt: 0,
                of,
                next,
            },
            Why::Turn => State::Turns,
            Why::Drain => State::Draining { next },
            // The attempt is counted when it starts.
            Why::Retry => State::Reconnecting {
                attempt: self.attempts + u32::from(matches!(next, Next::At(_))),
                of,
                next,
            },
            Why::Probe => {
                let (last_error, at_wall_ms) = self
                    .last_failure
                    .clone()
                    .unwrap_or((Failure::Unreachable, 0));
                State::Offline {
                    attempts: self.attempts,
                    last_error,
                    at_wall_ms,
                    next,
                }
            }
        }
    }

    fn is_fetching(&self, attempt: Attempt) -> bool {
        matches!(&self.phase, Phase::Fetching { attempt: current, .. } if *current == attempt)
    }

    fn is_between_turns(&self, attempt: Attempt) -> bool {
        attempt == self.last_attempt && matches!(self.phase, Phase::Waiting { why: Why::Turn, .. })
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        match &self.phase {
            Phase::Fetching {
                attempt: current, ..
            }
            | Phase::Opening {
                attempt: current, ..
            } => *current == attempt,
            Phase::Open(stream) => stream.attempt == attempt,
            _ => false,
        }
    }

    fn on_scope(&mut self, scope: Scope, now: Now) {
        let stopped = matches!(self.phase, Phase::Stopped(_));
        if self.scope.as_ref() == Some(&scope) && !stopped {
            return;
        }
        self.close_stream(now);
        self.scope = Some(scope);
        self.last_event_id = None;
        self.known = false;
        if !self.paused && !matches!(self.phase, Phase::Hidden) {
            self.start_over(now);
        }
    }

    fn on_snapshot(&mut self, attempt: Attempt, revision: Option<&str>, now: Now) {
        if self.is_fetching(attempt) {
            self.last_event_id = revision.and_then(valid_id);
            self.known = true;
            self.data_as_of_wall_ms = Some(now.wall_ms);
            self.queue(now);
        }
    }

    /// Nothing but a place is missing.
    fn queue(&mut self, now: Now) {
        if let Phase::Fetching { attempt, why, .. } = self.phase {
            let since = now;
            self.phase = Phase::Queued {
                attempt,
                since,
                why,
            };
            self.show_turns();
        }
    }

    /// What waits for a turn is no lost connection.
    fn show_turns(&mut self) {
        if let Phase::Queued { why, .. } = &mut self.phase
            && matches!(why, Why::First | Why::Planned)
            && self.known
            && self.place == Some(Place::None)
        {
            *why = Why::Turn;
        }
    }

    fn on_place(&mut self, place: Place, now: Now) {
        if !self.config.shared || !self.need().present {
            return;
        }
        self.place = Some(place);
        let (why, synced) = match &self.phase {
            Phase::Opening { why, .. } => (*why, false),
            Phase::Open(stream) => (stream.why, stream.synced),
            Phase::Waiting { why: Why::Turn, .. } if place == Place::Own => {
                return self.wait(now.mono_ms, Why::Turn);
            }
            _ => return self.show_turns(),
        };
        if synced && place != Place::Own {
            return self.end_turn(now);
        }
        if place == Place::None {
            self.close_stream(now);
            if why == Why::Retry {
                // It is counted again when it starts again.
                self.attempts = self.attempts.saturating_sub(1);
            }
            self.wait(now.mono_ms, why);
        }
    }

    /// The rows are the server's: the place is for the others.
    fn end_turn(&mut self, now: Now) {
        self.attempts = 0;
        self.last_failure = None;
        self.close_stream(now);
        self.wait(now.mono_ms + self.config.turn_interval_ms, Why::Turn);
    }

    /// There is to be no stream: what the tab has of what all share is for the others.
    fn put_away(&mut self, phase: Phase) {
        self.phase = phase;
        self.place = None;
    }

    fn on_opened(&mut self, attempt: Attempt, now: Now) {
        if let Phase::Opening {
            attempt: current,
            why,
            ..
        } = self.phase
            && current == attempt
        {
            self.not_before_ms = 0;
            self.phase = Phase::Open(Stream {
                attempt,
                why,
                opened: now,
                last_message: now,
                heard: false,
                synced: false,
                check_at_ms: now.mono_ms + self.config.stale_check_ms,
                replace: None,
            });
        }
    }

    fn on_refused(&mut self, status: u16, retry_after_ms: Option<u64>, title: &str, now: Now) {
        self.end_stream(now);
        match status {
            401 => self.put_away(Phase::Stopped(StopReason::Unauthorized)),
            403 => {
                let title = title.to_owned();
                self.put_away(Phase::Stopped(StopReason::Forbidden { title }));
            }
            _ => {
                if let Some(asked) = retry_after_ms {
                    let asked = asked.min(MAX_RETRY_AFTER_MS);
                    self.not_before_ms = now.mono_ms + self.random.longer(asked, JITTER);
                }
                let title = title.to_owned();
                self.retry_after_failure(Failure::Refused { status, title }, now);
            }
        }
    }

    fn on_message(&mut self, attempt: Attempt, message: &Message, id: Option<&str>, now: Now) {
        let Phase::Open(stream) = &mut self.phase else {
            return;
        };
        if stream.attempt != attempt {
            return;
        }
        stream.heard = true;
        stream.last_message = now;
        stream.replace = None;
        if stream.synced && !matches!(message, Message::Done(_)) {
            self.attempts = 0;
            self.last_failure = None;
        }
        match message {
            Message::Reset(_) => {
                stream.synced = false;
                self.last_event_id = None;
            }
            Message::Synced(_) => {
                stream.synced = true;
                self.known = true;
            }
            _ => {}
        }
        if stream.synced {
            self.data_as_of_wall_ms = Some(now.wall_ms);
            if let Some(id) = id {
                self.last_event_id = valid_id(id);
            }
        }
        let synced = stream.synced;
        if let Message::Done(done) = message {
            self.on_done(done.reason, now);
        } else if synced && self.place == Some(Place::Turn) {
            self.end_turn(now);
        }
    }

    fn on_done(&mut self, reason: DoneReason, now: Now) {
        let young = self.stream_age_ms(now) < self.config.young_stream_ms;
        self.close_stream(now);
        let draining = self.is_draining(now);
        // Of a server that does nothing but end its streams so, not every stream is excused.
        let excused = !young
            || self
                .drain_until_ms
                .is_none_or(|until| now.mono_ms >= until + self.config.young_stream_ms);
        match reason {
            DoneReason::Unauthorized => {
                self.put_away(Phase::Stopped(StopReason::Unauthorized));
            }
            DoneReason::Draining if excused || draining => {
                if !draining {
                    self.drain_until_ms = Some(now.mono_ms + self.config.drain_grace_ms);
                }
                let (least, most) = DRAIN_DELAY_MS;
                let delay = least + self.random.below(most - least);
                self.wait(now.mono_ms + delay, Why::Drain);
            }
            _ if young => self.retry_after_failure(Failure::Closed, now),
            DoneReason::SlowConsumer => {
                let delay = self.config.delay_ms(self.attempts);
                let delay = self.random.longer(delay, JITTER);
                self.wait(now.mono_ms + delay, Why::Planned);
            }
            DoneReason::Resync => self.wait(now.mono_ms, Why::Planned),
            DoneReason::Timeout | DoneReason::Draining | DoneReason::Other => {
                let delay = self.random.below(TIMEOUT_SPREAD_MS);
                self.wait(now.mono_ms + delay, Why::Planned);
            }
        }
    }

    /// The table was not the server's: once at once, then with backoff, because a difference that
    /// comes back is a bug that more requests do not repair.
    fn on_count_mismatch(&mut self, now: Now) {
        self.close_stream(now);
        self.last_event_id = None;
        self.count_mismatches += 1;
        let delay = match self.repeated_mismatches {
            0 => 0,
            n => self.random.longer(self.config.delay_ms(n - 1), JITTER),
        };
        self.repeated_mismatches += 1;
        self.wait(now.mono_ms + delay, Why::Planned);
    }

    fn on_visible(&mut self, now: Now) {
        self.hidden_since = None;
        if matches!(self.phase, Phase::Hidden) {
            self.start_over(now);
            return;
        }
        self.check_stale(now);
        self.hurry(now);
    }

    fn on_retry_now(&mut self, now: Now) {
        self.not_before_ms = 0;
        let needed = match &self.phase {
            Phase::Closed | Phase::Queued { .. } | Phase::Waiting { why: Why::Turn, .. } => false,
            Phase::Open(stream) => stream.replace.is_some() || !stream.synced,
            _ => true,
        };
        if needed {
            self.close_stream(now);
            self.attempts = 0;
            let why = if self.known { Why::Retry } else { Why::First };
            self.wait(now.mono_ms, why);
        }
    }

    /// A start that nothing failed before.
    fn start_over(&mut self, now: Now) {
        self.attempts = 0;
        let why = if self.known { Why::Planned } else { Why::First };
        self.wait(now.mono_ms, why);
    }

    /// There is reason to hope: what waits after a failure starts now.
    fn hurry(&mut self, now: Now) {
        match self.phase {
            Phase::Waiting {
                why: Why::Probe, ..
            } => {
                self.attempts = 0;
                self.wait(now.mono_ms, Why::Retry);
            }
            Phase::Waiting {
                why: Why::Retry, ..
            } => self.wait(now.mono_ms, Why::Retry),
            _ => {
                let earliest = self.earliest_start(now.mono_ms);
                if let Phase::Open(Stream {
                    replace: Some((at, _)),
                    ..
                }) = &mut self.phase
                {
                    *at = earliest;
                }
            }
        }
    }

    fn retry_after_failure(&mut self, failure: Failure, now: Now) {
        let (at, why) = self.next_try(failure, now);
        self.wait(at, why);
    }

    /// When and why the next stream starts after a failure.
    fn next_try(&mut self, failure: Failure, now: Now) -> (u64, Why) {
        let network = matches!(
            failure,
            Failure::Unreachable | Failure::Silent | Failure::Closed
        );
        let failure = match failure {
            Failure::Unreachable if self.network_down => Failure::NoNetwork,
            other => other,
        };
        self.last_failure = Some((failure, now.wall_ms));
        if self.attempts >= self.config.max_reconnect_attempts {
            let delay = self.random.longer(self.config.probe_interval_ms, JITTER);
            return (now.mono_ms + delay, Why::Probe);
        }
        let draining = self.is_draining(now);
        let jitter = match self.attempts {
            0 if network => NETWORK_JITTER,
            _ => JITTER,
        };
        let delay = self.config.delay_ms(self.attempts);
        let at = now.mono_ms + self.random.longer(delay, jitter);
        (at, if draining { Why::Drain } else { Why::Retry })
    }

    fn is_draining(&self, now: Now) -> bool {
        self.drain_until_ms.is_some_and(|until| now.mono_ms < until)
    }

    /// How long an answer may take.
    fn answer_limit_ms(&self) -> u64 {
        match (self.place, &self.phase) {
            (Some(Place::Turn), _) => self.config.turn_limit_ms,
            (_, Phase::Opening { .. }) => self.config.open_limit_ms,
            _ => self.config.stale_after_ms,
        }
    }

    fn earliest_start(&self, wanted_ms: u64) -> u64 {
        let spaced = self
            .last_start_ms
            .map_or(0, |start| start + self.config.start_spacing_ms);
        wanted_ms.max(spaced).max(self.not_before_ms)
    }

    fn wait(&mut self, wanted_ms: u64, why: Why) {
        if self.scope.as_ref().is_some_and(Scope::is_nothing) {
            return self.put_away(Phase::Idle);
        }
        self.phase = Phase::Waiting {
            start_at_ms: self.earliest_start(wanted_ms),
            why,
        };
    }

    fn stream_age_ms(&self, now: Now) -> u64 {
        match &self.phase {
            Phase::Open(stream) => now.mono_ms.saturating_sub(stream.opened.mono_ms),
            _ => 0,
        }
    }

    /// Closes the stream, where there is one.
    fn close_stream(&mut self, now: Now) {
        let attempt = match &self.phase {
            Phase::Fetching { attempt, .. } | Phase::Opening { attempt, .. } => *attempt,
            Phase::Open(stream) => stream.attempt,
            _ => return,
        };
        self.end_stream(now);
        self.commands.push_back(Command::Close(attempt));
    }

    /// The stream is over. The caller sets the next phase.
    fn end_stream(&mut self, now: Now) {
        if self.stream_age_ms(now) >= self.config.young_stream_ms {
            self.repeated_mismatches = 0;
        }
        if let Phase::Open(stream) = &self.phase
            && stream.heard
            && !stream.synced
        {
            // The table is between two states: no id names it.
            self.last_event_id = None;
        }
        if self.need().uses && self.place == Some(Place::Turn) {
            // A turn is for one stream.
            self.place = Some(Place::None);
        }
    }

    /// Does what is due.
    fn advance(&mut self, now: Now) {
        let slept = self.last_now.replace(now).is_some_and(|last| {
            let wall = now.wall_ms.saturating_sub(last.wall_ms);
            let mono = now.mono_ms.saturating_sub(last.mono_ms);
            wall > mono + SLEEP_MS
        });
        let hidden_for_long = self
            .hidden_since
            .is_some_and(|since| elapsed_ms(since, now) >= self.config.hidden_close_ms);
        let answer_limit_ms = self.answer_limit_ms();
        let present = self.need().present;
        match &mut self.phase {
            _ if present && hidden_for_long => {
                self.close_stream(now);
                self.put_away(Phase::Hidden);
            }
            Phase::Fetching { since, .. } | Phase::Opening { since, .. }
                if elapsed_ms(*since, now) >= answer_limit_ms =>
            {
                self.close_stream(now);
                self.retry_after_failure(Failure::Silent, now);
            }
            Phase::Open(stream) if slept || now.mono_ms >= stream.check_at_ms => {
                // A stream that falls silent is said to be so at its time, not at the next look.
                let silent = stream.last_message.mono_ms + self.config.stale_after_ms + 1;
                let look = now.mono_ms + self.config.stale_check_ms;
                stream.check_at_ms = match silent > now.mono_ms {
                    true => look.min(silent),
                    false => look,
                };
                self.check_stale(now);
            }
            _ => {}
        }
        match self.phase {
            Phase::Open(Stream {
                replace: Some((at, why)),
                ..
            }) if now.mono_ms >= at => {
                self.close_stream(now);
                self.begin(why, now);
            }
            Phase::Waiting { start_at_ms, why } if now.mono_ms >= start_at_ms => {
                self.begin(why, now);
            }
            _ => {}
        }
        if let Phase::Queued { attempt, why, .. } = self.phase
            && (!self.config.shared || self.place.is_some_and(|place| place != Place::None))
        {
            self.open(attempt, why, now);
        }
    }

    /// A silent stream is said to be stale at once and stays open until the next one starts: a
    /// message that comes after all makes it live again.
    fn check_stale(&mut self, now: Now) {
        let silent = match &self.phase {
            Phase::Open(stream) if stream.replace.is_none() => {
                elapsed_ms(stream.last_message, now) > self.config.stale_after_ms
            }
            _ => false,
        };
        if !silent {
            return;
        }
        let (at, why) = self.next_try(Failure::Silent, now);
        if why == Why::Probe {
            self.close_stream(now);
            self.wait(at, why);
            return;
        }
        let at = self.earliest_start(at);
        if let Phase::Open(stream) = &mut self.phase {
            stream.replace = Some((at, why));
        }
    }

    fn begin(&mut self, why: Why, now: Now) {
        let Some(scope) = self.scope.clone() else {
            return;
        };
        if why == Why::Retry {
            self.attempts += 1;
        }
        self.last_attempt.0 += 1;
        self.last_start_ms = Some(now.mono_ms);
        let (attempt, since) = (self.last_attempt, now);
        if self.config.documents && self.last_event_id.is_none() {
            self.commands.push_back(Command::Fetch { attempt, scope });
            self.phase = Phase::Fetching {
                attempt,
                since,
                why,
            };
        } else {
            self.phase = Phase::Queued {
                attempt,
                since,
                why,
            };
            self.show_turns();
        }
    }

    fn open(&mut self, attempt: Attempt, why: Why, now: Now) {
        let Some(scope) = self.scope.clone() else {
            return;
        };
        self.last_start_ms = Some(now.mono_ms);
        self.commands.push_back(Command::Open {
            attempt,
            scope,
            last_event_id: self.last_event_id.clone(),
        });
        self.phase = Phase::Opening {
            attempt,
            since: now,
            why,
        };
    }
}

/// The time between by either clock: each of them can miss some.
fn elapsed_ms(since: Now, now: Now) -> u64 {
    now.mono_ms
        .saturating_sub(since.mono_ms)
        .max(now.wall_ms.saturating_sub(since.wall_ms))
}

/// An empty id, and the `0` of a `reset`, void what was held.
fn valid_id(id: &str) -> Option<String> {
    (!id.is_empty() && id != "0").then(|| id.to_owned())
}

/// Steele, Lea and Flood's generator: small, and good enough to spread clients.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    /// Uniform in 0 to 1, 1 excluded.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0 to `most`.
    fn below(&mut self, most: u64) -> u64 {
        (most as f64 * self.unit()).round() as u64
    }

    /// `delay`, longer by up to its `part`.
    fn longer(&mut self, delay: u64, part: f64) -> u64 {
        delay + (delay as f64 * part * self.unit()) as u64
    }
}

#[cfg(test)]
mod tests;
