//! The client's end of a stream as a state machine: inputs and time in, commands out.
//!
//! It decides when a stream is opened and closed, from where it resumes, and what the connection
//! badge says. It does no I/O and has no clock: the caller hands over what happened and when
//! ([`Connection::handle`]), does what [`Connection::poll`] says, and comes back at
//! [`Connection::next_wakeup`]. At most one stream is open at a time.
//!
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
    /// A stream that is not answered by then has failed: the server answers at once. After a network
    /// was away, a browser asks on connections that are dead, one after the other.
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
    /// A document of `/api/ingresses` arrived for this attempt; the stream resumes from its revision.
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
    /// The first stream of this scope is being opened.
    Connecting,
    /// The stream is open and `synced` has not come.
    Syncing,
    /// The stream is open and the rows are the server's.
    Live,
    /// The tab has no stream of its own and reads what it missed every few seconds. How old its data
    /// is [`Connection::data_as_of_wall_ms`] says.
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
                Phase::Closed | Phase::Hidden | Phase::Stopped(_)
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
            Phase::Closed | Phase::Hidden | Phase::Stopped(_) => return None,
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
                stream.check_at_ms = now.mono_ms + self.config.stale_check_ms;
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Done, Heartbeat, Reset, Synced};

    const MINUTE: u64 = 60_000;

    fn reset() -> Message {
        Message::Reset(Reset { build: "b".into() })
    }

    fn synced() -> Message {
        Message::Synced(Synced::default())
    }

    fn heartbeat() -> Message {
        Message::Heartbeat(Heartbeat {
            time: String::new(),
        })
    }

    fn done(reason: DoneReason) -> Message {
        Message::Done(Done::new(reason))
    }

    fn scope(names: &str) -> Scope {
        Scope::parse([names], 50).unwrap()
    }

    /// A page with its clocks, that does what it is told and checks what must always hold.
    struct Page {
        connection: Connection,
        now: Now,
        /// What is open: the attempt, the id it was opened with.
        open: Option<(Attempt, Option<String>)>,
        /// Whether it is a document.
        fetching: bool,
        starts: Vec<u64>,
    }

    impl Page {
        fn new(seed: u64) -> Self {
            Self::with(Config::default(), seed)
        }

        /// A page of a browser: it begins with a document, and shares places with others.
        fn sharing(seed: u64) -> Self {
            let config = Config {
                documents: true,
                shared: true,
                ..Config::default()
            };
            Self::with(config, seed)
        }

        fn with(config: Config, seed: u64) -> Self {
            let mut page = Self {
                connection: Connection::new(config, seed),
                now: Now {
                    mono_ms: 500,
                    wall_ms: 1_700_000_000_000,
                },
                open: None,
                fetching: false,
                starts: Vec::new(),
            };
            page.input(Input::Start(Scope::All));
            page
        }

        /// A page that has been live for long, resuming from id `1`.
        fn live(seed: u64) -> Self {
            let mut page = Self::new(seed);
            page.serve();
            page.quiet_minutes(2);
            assert_eq!(page.state(), State::Live);
            page
        }

        fn state(&self) -> State {
            self.connection.state()
        }

        fn attempt(&self) -> Attempt {
            self.open.as_ref().unwrap().0
        }

        fn id(&self) -> Option<&str> {
            self.open.as_ref().unwrap().1.as_deref()
        }

        fn input(&mut self, input: Input<'_>) {
            self.connection.handle(input, self.now);
            while let Some(command) = self.connection.poll() {
                match command {
                    Command::Open {
                        attempt,
                        last_event_id,
                        ..
                    } if self.fetching => {
                        assert_eq!(self.open.take(), Some((attempt, None)));
                        self.fetching = false;
                        self.open = Some((attempt, last_event_id));
                    }
                    Command::Fetch { attempt, .. } => {
                        assert!(self.open.is_none(), "two requests");
                        self.fetching = true;
                        self.open = Some((attempt, None));
                    }
                    Command::Open {
                        attempt,
                        last_event_id,
                        ..
                    } => {
                        assert!(self.open.is_none(), "two streams");
                        if let Some(last) = self.starts.last() {
                            assert!(self.now.mono_ms >= last + 1_000, "starts too close");
                        }
                        self.starts.push(self.now.mono_ms);
                        self.open = Some((attempt, last_event_id));
                    }
                    Command::Close(attempt) => {
                        assert_eq!(self.open.take().unwrap().0, attempt);
                        self.fetching = false;
                    }
                }
            }
            if matches!(
                self.state(),
                State::Live | State::Syncing | State::Stale { .. }
            ) {
                assert!(self.open.is_some(), "{:?} without a stream", self.state());
            }
            if let Some(due) = self.connection.next_wakeup() {
                assert!(
                    due > self.now.mono_ms,
                    "a timer that is due has been served"
                );
            }
        }

        fn message(&mut self, message: &Message, id: Option<&str>) {
            let attempt = self.attempt();
            self.input(Input::Message {
                attempt,
                message,
                id,
            });
        }

        /// The document that is being fetched comes.
        fn deliver(&mut self) {
            assert!(self.fetching);
            let attempt = self.attempt();
            // What comes next is a stream, or waits for one.
            let held = self.open.take();
            self.fetching = false;
            self.input(Input::Snapshot {
                attempt,
                revision: Some("e.9"),
            });
            assert!(held.is_some());
        }

        /// The server takes the stream that is being opened and brings it to its end of replay.
        fn serve(&mut self) {
            self.input(Input::Opened(self.attempt()));
            if self.id().is_none() {
                self.message(&reset(), Some("0"));
            }
            self.message(&synced(), Some("1"));
        }

        fn close(&mut self) {
            let (attempt, _) = self.open.take().unwrap();
            self.input(Input::Closed(attempt));
        }

        fn refuse(&mut self, status: u16, retry_after_ms: Option<u64>) {
            let (attempt, _) = self.open.take().unwrap();
            self.input(Input::Refused {
                attempt,
                status,
                retry_after_ms,
                title: "Too many streams",
            });
        }

        fn finish(&mut self, reason: DoneReason) {
            self.message(&done(reason), None);
        }

        fn pass(&mut self, milliseconds: u64) {
            self.now.mono_ms += milliseconds;
            self.now.wall_ms += milliseconds;
        }

        /// Serves the timer until so much time has passed.
        fn wait(&mut self, milliseconds: u64) {
            let end = self.now.mono_ms + milliseconds;
            while let Some(due) = self.connection.next_wakeup().filter(|due| *due <= end) {
                self.pass(due - self.now.mono_ms);
                self.input(Input::Timer);
            }
            self.pass(end - self.now.mono_ms);
        }

        /// Waits until a stream is opened; how long that took.
        fn until_open(&mut self) -> u64 {
            let from = self.now.mono_ms;
            while self.open.is_none() {
                let due = self.connection.next_wakeup().expect("something is due");
                self.pass(due - self.now.mono_ms);
                self.input(Input::Timer);
            }
            self.now.mono_ms - from
        }

        /// Nothing but heartbeats.
        fn quiet_minutes(&mut self, minutes: u64) {
            for _ in 0..minutes * 4 {
                self.wait(15_000);
                self.message(&heartbeat(), Some("1"));
            }
        }
    }

    /// Each test holds for these jitters.
    fn seeds() -> impl Iterator<Item = u64> {
        0..50
    }

    #[test]
    fn the_delays_are_those_of_the_documentation() {
        let config = Config::default();
        let delays: Vec<_> = (0..10).map(|n| config.delay_ms(n)).collect();
        assert_eq!(
            delays,
            [1, 2, 4, 8, 16, 30, 30, 30, 30, 30].map(|seconds| seconds * 1_000)
        );
        let config = Config {
            reconnect_interval_ms: 5_000,
            ..config
        };
        assert_eq!(config.delay_ms(2), 20_000);
        assert_eq!(config.delay_ms(u32::MAX), 30_000);
    }

    #[test]
    fn ten_attempts_with_backoff_and_then_a_slow_probe() {
        for seed in seeds() {
            let mut page = Page::live(seed);
            page.close();
            for n in 0..10 {
                let documented = Config::default().delay_ms(n);
                let longest = if n == 0 {
                    4 * documented
                } else {
                    documented * 6 / 5
                };
                let State::Reconnecting { attempt, of, .. } = page.state() else {
                    panic!("{:?}", page.state());
                };
                assert_eq!((attempt, of), (n + 1, 10));
                let waited = page.until_open();
                assert!((documented..=longest).contains(&waited), "{n}: {waited}");
                assert_eq!(page.id(), Some("1"));
                page.close();
            }
            let State::Offline {
                attempts,
                last_error,
                ..
            } = page.state()
            else {
                panic!("{:?}", page.state());
            };
            assert_eq!((attempts, last_error), (10, Failure::Unreachable));
            for _ in 0..3 {
                assert!((60_000..=72_000).contains(&page.until_open()));
                page.close();
                assert!(matches!(page.state(), State::Offline { .. }));
            }
            page.until_open();
            page.serve();
            assert_eq!(page.state(), State::Live);
        }
    }

    #[test]
    fn the_first_delays_after_a_network_error_are_spread() {
        let mut waits: Vec<_> = seeds()
            .map(|seed| {
                let mut page = Page::live(seed);
                page.close();
                page.until_open()
            })
            .collect();
        waits.sort_unstable();
        assert!(
            waits[0] < 1_500 && waits[waits.len() - 1] > 3_500,
            "{waits:?}"
        );
    }

    #[test]
    fn attempts_count_from_0_again_at_the_first_message_after_synced() {
        let mut page = Page::live(1);
        page.close();
        page.until_open();
        page.close();
        page.until_open();
        page.serve();
        page.close();
        let attempt = |page: &Page| match page.state() {
            State::Reconnecting { attempt, .. } => attempt,
            other => panic!("{other:?}"),
        };
        assert_eq!(attempt(&page), 3, "synced alone does not reset");
        page.until_open();
        page.serve();
        page.message(&heartbeat(), None);
        page.close();
        assert_eq!(attempt(&page), 1);
    }

    #[test]
    fn a_planned_end_is_no_failure_and_resumes() {
        let cases = [
            (DoneReason::Timeout, 0..=2_000),
            (DoneReason::Draining, 500..=3_000),
            (DoneReason::Resync, 0..=0),
            (DoneReason::SlowConsumer, 1_000..=1_200),
            (DoneReason::Other, 0..=2_000),
        ];
        for (reason, delays) in cases {
            for seed in seeds() {
                let mut page = Page::live(seed);
                page.finish(reason);
                match page.state() {
                    State::Draining { .. } => assert_eq!(reason, DoneReason::Draining),
                    State::Reconnecting { attempt, .. } => assert_eq!(attempt, 0),
                    // At once.
                    other => panic!("{other:?}"),
                }
                let waited = page.until_open();
                assert!(delays.contains(&waited), "{reason:?}: {waited}");
                assert_eq!(page.id(), Some("1"));
            }
        }
    }

    #[test]
    fn a_young_stream_that_is_done_counts_as_a_failure() {
        for reason in [
            DoneReason::Timeout,
            DoneReason::Resync,
            DoneReason::SlowConsumer,
        ] {
            let mut page = Page::new(1);
            for n in 0..10 {
                page.serve();
                page.finish(reason);
                assert!(page.until_open() >= Config::default().delay_ms(n));
            }
            page.finish_unsynced(reason);
            assert!(matches!(page.state(), State::Offline { .. }), "{reason:?}");
        }
    }

    impl Page {
        fn finish_unsynced(&mut self, reason: DoneReason) {
            self.input(Input::Opened(self.attempt()));
            self.finish(reason);
        }
    }

    #[test]
    fn while_the_server_restarts_nothing_is_counted() {
        for seed in seeds() {
            let mut page = Page::live(seed);
            page.finish(DoneReason::Draining);
            let announced = page.now.mono_ms;
            page.until_open();
            while page.now.mono_ms < announced + 30_000 {
                page.refuse(503, None);
                assert!(matches!(page.state(), State::Draining { .. }));
                page.until_open();
            }
            page.close();
            assert!(matches!(
                page.state(),
                State::Reconnecting { attempt: 1, .. }
            ));
        }
    }

    #[test]
    fn a_restart_that_is_announced_to_a_young_stream_is_no_failure_but_a_habit_is() {
        for seed in seeds() {
            let mut page = Page::new(seed);
            page.serve();
            page.finish(DoneReason::Draining);
            let announced = page.now.mono_ms;
            while page.now.mono_ms < announced + 30_000 {
                assert!(matches!(page.state(), State::Draining { .. }));
                page.until_open();
                page.serve();
                page.finish(DoneReason::Draining);
            }
            page.until_open();
            page.serve();
            page.finish(DoneReason::Draining);
            assert!(matches!(page.state(), State::Reconnecting { .. }));
        }
    }

    #[test]
    fn an_attempt_says_since_when_it_waits_for_an_answer() {
        let mut page = Page::live(1);
        page.close();
        page.until_open();
        let asked = page.now.mono_ms;
        page.wait(13_000);
        let State::Reconnecting { attempt, next, .. } = page.state() else {
            panic!("{:?}", page.state());
        };
        assert_eq!((attempt, next), (1, Next::Asked(asked)));
    }

    #[test]
    fn a_document_comes_before_any_place_and_the_stream_resumes_from_it() {
        let mut page = Page::sharing(1);
        assert!(!page.connection.need().ready);
        assert_eq!(page.state(), State::Connecting);
        page.deliver();
        assert!(page.open.is_none() && page.connection.need().ready);
        page.input(Input::Place(Place::Own));
        assert_eq!(page.id(), Some("e.9"));
        page.serve();
        assert_eq!(page.state(), State::Live);
        // Where the rows are not known the stream says why.
        let mut page = Page::sharing(1);
        page.input(Input::Place(Place::Own));
        let (attempt, _) = page.open.take().unwrap();
        page.fetching = false;
        page.input(Input::Refused {
            attempt,
            status: 503,
            retry_after_ms: None,
            title: "Starting",
        });
        assert_eq!(page.id(), None);
        page.serve();
        assert_eq!(page.state(), State::Live);
    }

    #[test]
    fn a_turn_ends_at_synced_and_comes_again_from_there() {
        let mut page = Page::sharing(1);
        page.deliver();
        page.input(Input::Place(Place::None));
        assert_eq!(page.state(), State::Turns);
        for id in ["e.9", "1", "1"] {
            page.input(Input::Place(Place::Turn));
            assert_eq!(page.id(), Some(id));
            page.serve();
            assert!(page.open.is_none(), "the place is for the others");
            assert_eq!(page.connection.data_as_of_wall_ms(), Some(page.now.wall_ms));
            page.input(Input::Place(Place::None));
            page.wait(2_499);
            assert!(!page.connection.need().ready);
            page.wait(1);
            assert!(page.connection.need().ready && page.open.is_none());
            assert_eq!(page.state(), State::Turns);
        }
        page.input(Input::Place(Place::Own));
        page.serve();
        assert_eq!(page.state(), State::Live);
        page.input(Input::Place(Place::None));
        assert!(page.open.is_none());
        assert_eq!(page.state(), State::Turns);
    }

    #[test]
    fn a_turn_that_fails_counts_like_any_other_and_one_that_does_not_counts_from_0_again() {
        let mut page = Page::sharing(1);
        page.deliver();
        for attempt in 1..=10 {
            page.input(Input::Place(Place::Turn));
            page.close();
            page.input(Input::Place(Place::None));
            assert!(
                matches!(page.state(), State::Reconnecting { attempt: n, .. } if n == attempt),
                "{attempt}: {:?}",
                page.state()
            );
            page.wait(40_000);
        }
        // Nobody answers, and others wait.
        page.input(Input::Place(Place::Turn));
        page.wait(10_000);
        assert!(matches!(page.state(), State::Offline { .. }));
        page.input(Input::Place(Place::None));
        page.wait(80_000);
        page.input(Input::Place(Place::Turn));
        page.serve();
        assert_eq!(page.state(), State::Turns);
        page.wait(3_000);
        page.input(Input::Place(Place::Turn));
        page.close();
        assert!(matches!(
            page.state(),
            State::Reconnecting { attempt: 1, .. }
        ));
    }

    #[test]
    fn a_wrong_count_at_the_end_of_a_turn_starts_again_with_a_document() {
        let mut page = Page::sharing(1);
        page.deliver();
        page.input(Input::Place(Place::Turn));
        let attempt = page.attempt();
        page.serve();
        page.input(Input::CountMismatch(attempt));
        page.wait(1_000);
        assert!(page.fetching);
    }

    #[test]
    fn a_tab_that_nobody_looks_at_asks_for_nothing() {
        let config = Config {
            documents: true,
            shared: true,
            ..Config::default()
        };
        let mut connection = Connection::new(config, 1);
        let now = Now::default();
        connection.handle(Input::Hidden, now);
        connection.handle(Input::Start(Scope::All), now);
        assert_eq!((connection.poll(), connection.next_wakeup()), (None, None));
        assert_eq!(connection.need(), Need::default());
        connection.handle(Input::Visible, now);
        assert!(matches!(connection.poll(), Some(Command::Fetch { .. })));
    }

    #[test]
    fn who_is_not_allowed_stops() {
        let stops: [fn(&mut Page); 3] = [
            |page| page.refuse(401, None),
            |page| page.refuse(403, None),
            |page| {
                page.serve();
                page.finish(DoneReason::Unauthorized);
            },
        ];
        for stop in stops {
            let mut page = Page::new(1);
            stop(&mut page);
            assert!(matches!(page.state(), State::Stopped(_)));
            page.input(Input::Online);
            page.input(Input::Visible);
            assert_eq!(page.connection.next_wakeup(), None);
            page.pass(1_000);
            page.input(Input::RetryNow);
            assert!(page.open.is_some(), "the button tries again");
        }
    }

    #[test]
    fn retry_after_is_obeyed_by_all_but_the_button() {
        let mut page = Page::new(1);
        page.refuse(429, Some(120_000));
        page.pass(5_000);
        page.input(Input::Visible);
        page.input(Input::Online);
        let waited = 5_000 + page.until_open();
        assert!((120_000..=144_000).contains(&waited), "{waited}");
        page.refuse(503, Some(120_000));
        page.pass(5_000);
        page.input(Input::RetryNow);
        assert!(page.open.is_some());
    }

    #[test]
    fn a_stream_cut_before_synced_is_followed_by_a_fresh_one() {
        let mut page = Page::live(1);
        page.close();
        page.until_open();
        assert_eq!(page.id(), Some("1"));
        page.close();
        page.until_open();
        assert_eq!(page.id(), Some("1"), "no stream was opened");
        page.input(Input::Opened(page.attempt()));
        page.message(&heartbeat(), Some("5"));
        page.close();
        page.until_open();
        assert_eq!(page.id(), None);
    }

    #[test]
    fn reset_voids_the_id_and_none_is_taken_until_synced() {
        let mut page = Page::live(1);
        page.close();
        page.until_open();
        page.input(Input::Opened(page.attempt()));
        page.message(&reset(), Some("0"));
        page.message(&heartbeat(), Some("7"));
        page.close();
        page.until_open();
        assert_eq!(page.id(), None);
        page.serve();
        page.message(&heartbeat(), Some("8"));
        page.message(&heartbeat(), None);
        page.close();
        page.until_open();
        assert_eq!(page.id(), Some("8"));
    }

    #[test]
    fn a_snapshots_revision_is_where_the_stream_resumes() {
        let mut page = Page::sharing(1);
        page.input(Input::Place(Place::Own));
        page.deliver();
        page.refuse(503, None);
        page.until_open();
        assert_eq!(page.id(), Some("e.9"));
    }

    #[test]
    fn another_scope_starts_afresh_and_old_events_are_ignored() {
        let mut page = Page::live(1);
        let old = page.attempt();
        page.input(Input::SetScope(scope("shop")));
        assert_eq!(page.id(), None);
        assert_eq!(page.state(), State::Connecting);
        page.input(Input::Closed(old));
        page.input(Input::Opened(old));
        page.input(Input::CountMismatch(old));
        assert_eq!(page.state(), State::Connecting);
        page.input(Input::SetScope(scope("blog")));
        assert!(page.open.is_none(), "starts are spaced");
        assert_eq!(page.until_open(), 1_000);
    }

    #[test]
    fn silence_is_said_and_ends_by_itself() {
        for seed in seeds() {
            let mut page = Page::live(seed);
            let last = page.now;
            let streams = page.starts.len();
            page.wait(60_000);
            assert_eq!(page.state(), State::Live);
            assert_eq!(page.connection.data_as_of_wall_ms(), Some(last.wall_ms));
            while page.state() == State::Live {
                let due = page.connection.next_wakeup().unwrap();
                page.pass(due - page.now.mono_ms);
                page.input(Input::Timer);
            }
            assert!(page.now.mono_ms - last.mono_ms <= 90_000);
            let State::Stale { since_wall_ms, .. } = page.state() else {
                panic!("{:?}", page.state());
            };
            assert_eq!(since_wall_ms, last.wall_ms);
            page.wait(4_000);
            assert_eq!(page.starts.len(), streams + 1);
            assert_eq!(page.id(), Some("1"));
        }
    }

    #[test]
    fn a_message_after_all_makes_a_stale_stream_live() {
        let mut page = Page::live(1);
        page.pass(90_000);
        page.input(Input::Timer);
        assert!(matches!(page.state(), State::Stale { .. }));
        page.message(&heartbeat(), None);
        assert_eq!(page.state(), State::Live);
    }

    #[test]
    fn sleep_is_noticed_by_the_wall_clock() {
        let mut page = Page::live(1);
        page.now.mono_ms += 10;
        page.now.wall_ms += 10 * MINUTE;
        page.input(Input::Timer);
        assert!(matches!(page.state(), State::Stale { .. }));
    }

    #[test]
    fn a_tab_that_becomes_visible_looks_at_once() {
        let mut page = Page::live(1);
        page.pass(61_000);
        let streams = page.starts.len();
        page.input(Input::Visible);
        assert_eq!(page.starts.len(), streams + 1);
    }

    #[test]
    fn an_answer_that_never_comes_is_a_failure() {
        let mut page = Page::new(1);
        page.wait(15_000);
        assert!(matches!(
            page.state(),
            State::Reconnecting { attempt: 1, .. }
        ));
    }

    #[test]
    fn a_tab_hidden_for_seconds_closes_and_resumes_when_shown() {
        let mut page = Page::live(1);
        page.input(Input::Hidden);
        page.wait(4_999);
        assert_eq!(page.state(), State::Live);
        page.wait(1);
        assert_eq!(page.state(), State::Hidden);
        assert!(page.open.is_none());
        assert_eq!(page.connection.next_wakeup(), None);
        page.input(Input::Visible);
        assert_eq!(page.id(), Some("1"));
    }

    #[test]
    fn a_page_put_away_closes_and_resumes() {
        let mut page = Page::live(1);
        page.input(Input::PageHide);
        assert!(page.open.is_none());
        assert_eq!(page.state(), State::Closed);
        page.input(Input::SetScope(scope("shop")));
        page.input(Input::Visible);
        page.input(Input::RetryNow);
        assert!(page.open.is_none());
        page.input(Input::PageShow);
        assert!(page.open.is_some());
    }

    #[test]
    fn hope_ends_the_wait() {
        for hope in [Input::Online, Input::Visible, Input::RetryNow] {
            let mut page = Page::live(1);
            page.input(Input::Offline);
            page.close();
            for _ in 0..10 {
                page.until_open();
                page.close();
            }
            let State::Offline { last_error, .. } = page.state() else {
                panic!("{:?}", page.state());
            };
            assert_eq!(last_error, Failure::NoNetwork);
            page.pass(1_000);
            page.input(hope);
            assert!(page.open.is_some());
            assert!(matches!(
                page.state(),
                State::Reconnecting { attempt: 1, .. }
            ));
        }
    }

    #[test]
    fn a_wrong_count_starts_again_without_id_at_once_and_then_slower() {
        let mut page = Page::live(1);
        let mut waits = Vec::new();
        for _ in 0..5 {
            page.input(Input::CountMismatch(page.attempt()));
            waits.push(page.until_open());
            assert_eq!(page.id(), None);
            page.serve();
        }
        assert_eq!(waits[0], 0);
        assert!(waits[4] >= 8_000, "{waits:?}");
        assert_eq!(page.connection.count_mismatches(), 5);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Pass(u64),
        Sleep(u64),
        WallJump(i64),
        Answer,
        Refuse(u16, Option<u64>),
        Close,
        Mismatch,
        Garbage,
        Message(Message, Option<&'static str>),
        Late(Message),
        SetScope(&'static str),
        Page(Input<'static>),
    }

    fn messages() -> impl Strategy<Value = Message> {
        prop_oneof![
            3 => Just(heartbeat()),
            2 => Just(synced()),
            1 => Just(reset()),
            1 => prop::sample::select(vec![
                DoneReason::Timeout,
                DoneReason::Draining,
                DoneReason::SlowConsumer,
                DoneReason::Resync,
                DoneReason::Other,
            ])
            .prop_map(done),
        ]
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0u64..100_000).prop_map(Step::Pass),
            4 => (0u64..3_000).prop_map(Step::Pass),
            1 => (0u64..1_000_000).prop_map(Step::Sleep),
            1 => (-100_000i64..100_000).prop_map(Step::WallJump),
            6 => Just(Step::Answer),
            2 => (prop::sample::select(vec![400, 421, 429, 500, 503]), prop::option::of(0u64..100_000))
                .prop_map(|(status, retry_after)| Step::Refuse(status, retry_after)),
            3 => Just(Step::Close),
            1 => Just(Step::Mismatch),
            1 => Just(Step::Garbage),
            6 => (messages(), prop::sample::select(vec![None, Some("0"), Some("3"), Some("")]))
                .prop_map(|(message, id)| Step::Message(message, id)),
            1 => messages().prop_map(Step::Late),
            1 => prop::sample::select(vec!["", "a", "a,b"]).prop_map(Step::SetScope),
            3 => prop::sample::select(vec![
                Input::Online,
                Input::Offline,
                Input::Visible,
                Input::Hidden,
                Input::RetryNow,
                Input::PageHide,
                Input::PageShow,
                Input::Timer,
            ])
            .prop_map(Step::Page),
        ]
    }

    impl Page {
        fn step(&mut self, step: Step) {
            match (step, self.open.is_some()) {
                (Step::Pass(milliseconds), _) => self.wait(milliseconds),
                (Step::Sleep(milliseconds), _) => self.now.wall_ms += milliseconds,
                (Step::WallJump(by), _) => {
                    self.now.wall_ms = self.now.wall_ms.saturating_add_signed(by);
                }
                (Step::Answer, true) => self.input(Input::Opened(self.attempt())),
                (Step::Refuse(status, retry_after), true) => self.refuse(status, retry_after),
                (Step::Close, true) => self.close(),
                (Step::Mismatch, true) => self.input(Input::CountMismatch(self.attempt())),
                (Step::Garbage, true) => self.input(Input::Invalid(self.attempt())),
                (Step::Message(message, id), true) => self.message(&message, id),
                (Step::Late(message), _) => self.input(Input::Message {
                    attempt: Attempt(0),
                    message: &message,
                    id: Some("late"),
                }),
                (Step::SetScope(names), _) => self.input(Input::SetScope(scope(names))),
                (Step::Page(input), _) => self.input(input),
                (_, false) => {}
            }
            if let Some((_, Some(id))) = &self.open {
                assert!(id == "1" || id == "3", "{id:?} is no id");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// `Page::input` checks after every input: at most one stream, starts at least 1 s apart,
        /// never live without a stream, no timer left that is due.
        #[test]
        fn whatever_happened_a_shown_page_with_a_reachable_server_is_live_again(
            seed: u64,
            history in prop::collection::vec(steps(), 0..60),
        ) {
            let mut page = Page::new(seed);
            for step in history {
                page.step(step);
            }
            page.input(Input::PageShow);
            page.input(Input::Visible);
            // The longest wait: a probe's, or what a `Retry-After` of the history asked for.
            let end = page.now.mono_ms + 130_000 + 100_000;
            while page.now.mono_ms < end {
                match page.state() {
                    State::Live => page.message(&heartbeat(), Some("1")),
                    State::Syncing => page.message(&synced(), Some("1")),
                    _ if page.open.is_some() => page.serve(),
                    _ => {}
                }
                page.wait(5_000);
            }
            prop_assert_eq!(page.state(), State::Live);
        }

        #[test]
        fn the_same_seed_and_inputs_give_the_same_starts(
            seed: u64,
            history in prop::collection::vec(steps(), 0..40),
        ) {
            let run = || {
                let mut page = Page::new(seed);
                for step in history.clone() {
                    page.step(step);
                }
                page.starts
            };
            prop_assert_eq!(run(), run());
        }
    }
}
