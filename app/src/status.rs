//! What the connection badge and the notices say: pure, so that every state can be looked at.
//!
//! It is one file, so that the words for one state agree wherever they are said.

use std::collections::BTreeMap;

use protocol::connection::{Next, State, StopReason};
use protocol::message::{ErrorReason, Missing, NamespaceState, NamespaceStatus, StreamError};

use crate::format::{counted, duration, rfc3339, shell_word, unix_ms};
use crate::live::{ConnectionView, Lost};

/// What the badge and the notices are made of.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The connection.
    pub connection: ConnectionView,
    /// What is not live: the whole scope first, then by namespace.
    pub states: Vec<NamespaceStatus>,
    /// What fails.
    pub errors: Vec<StreamError>,
    /// When the server tries again what fails, on the monotonic clock, by namespace.
    pub retries: BTreeMap<Option<String>, u64>,
    /// Whether any rows are known, be it from the server's markup.
    pub known: bool,
    /// Whether the API server had answered when the page was rendered.
    pub answered: bool,
    /// Whether this is the built-in simulated cluster.
    pub simulated: bool,
    /// Namespaces in the scope, as far as they are known.
    pub namespaces: usize,
    /// The monotonic clock.
    pub mono: u64,
    /// Milliseconds since 1970.
    pub now: i64,
    /// Says the time of the day for milliseconds since 1970.
    pub clock: fn(i64) -> String,
    /// The address of the page.
    pub page_url: String,
    /// The API server's address.
    pub api_url: String,
    /// When the server started, in milliseconds since 1970.
    pub started_at: Option<i64>,
}

/// How current the page is: the one thing that badge, notices, title and announcements agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// No namespace is watched, so nothing is on its way.
    Idle,
    /// The first rows are on their way.
    Connecting,
    /// The rows are the cluster's.
    Live,
    /// Live, but for some namespaces.
    Partly,
    /// The server's account may read nothing of what is asked for: how many rows there are is not
    /// known.
    Forbidden,
    /// What was missed is on its way: the stream is changed for another, or the page was hidden.
    Resuming,
    /// The stream is silent.
    Stale,
    /// There is no stream; the next one comes by itself.
    Reconnecting,
    /// Every attempt failed.
    Offline,
    /// The server announced its end.
    Restarting,
    /// The page may not go on.
    Refused,
    /// The server is there, the API server stopped answering.
    ClusterLost,
    /// The API server has never answered.
    NoCluster,
}

impl Currency {
    /// Whether what is shown is what is so.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Partly)
    }

    /// Whether a person who does not look at the page is to be told.
    #[must_use]
    pub fn alarms(self) -> bool {
        !self.is_live() && !matches!(self, Self::Idle | Self::Connecting | Self::Resuming)
    }

    /// Whether rows are shown that may be out of date.
    #[must_use]
    pub fn is_old(self) -> bool {
        matches!(
            self,
            Self::Stale | Self::Reconnecting | Self::Offline | Self::Refused | Self::ClusterLost
        )
    }
}

/// The badge in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Its class.
    pub class: &'static str,
    /// Its icon; none is the beating dot.
    pub icon: Option<&'static str>,
    /// The state in a word.
    pub word: &'static str,
    /// How long, how often, how many.
    pub detail: String,
}

/// One line above the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its class.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// The namespace that it is about; empty where it is about all of them.
    pub subject: String,
    /// What is so.
    pub title: String,
    /// What follows from it.
    pub text: String,
    /// The button that does it at once.
    pub retry: Option<Retry>,
    /// The text for a person who can help: what, where, why and since when.
    pub details: Option<String>,
}

/// A namespace that may not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotShown {
    /// Its name.
    pub namespace: String,
    /// Which account may not do what.
    pub why: String,
    /// The commands that grant it, where a permission is all that is missing.
    pub command: Option<String>,
}

/// What a list of rows is, at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All there are, and each change follows.
    All,
    /// Those of the namespaces that are live, in words.
    Partly(String),
    /// What was so at this time of the day.
    AsOf(Option<String>),
    /// What was so when the page was loaded.
    Loaded,
}

/// What is wrong with the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer, or with server errors.
    Silent,
    /// It answers, and does not accept the account: 401, or 403 to everything.
    Refuses,
    /// What answers is of no use: most likely it is another server.
    Unusable,
}

impl Trouble {
    /// What it does, for a sentence that begins with its name.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Silent => "does not answer",
            Self::Refuses => "does not accept the dashboard's account",
            Self::Unusable => "cannot be used",
        }
    }

    /// For how long, after its name is known.
    fn lasting(self, since: Option<i64>, now: i64) -> String {
        let (what, lasting) = match self {
            Self::Silent => ("API does not answer", "no answer"),
            Self::Refuses => ("API refuses", "refused"),
            Self::Unusable => ("API cannot be used", "of no use"),
        };
        since.map_or_else(
            || what.into(),
            |since| format!("{lasting} for {}", duration(now - since)),
        )
    }
}

/// A tab that takes turns is live while its rows are at most this old, in milliseconds. Twice what
/// they should be: a slow line is no alarm.
const TURN_MS: i64 = 10_000;
/// One that gets no turn is stale as a silent stream is.
const STALE_MS: i64 = 60_000;
/// A planned change of stream that has no answer for longer than this is a lost connection.
const PLANNED_MS: u64 = 5_000;

/// A button that does not wait for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The page connects to the server, under this label.
    Connect(&'static str),
    /// The server asks the API server.
    Ask,
}

impl Facts {
    /// How current the page is.
    #[must_use]
    pub fn currency(&self) -> Currency {
        match &self.connection.state {
            State::Idle => Currency::Idle,
            State::Closed | State::Connecting | State::Hidden if !self.known && !self.answered => {
                Currency::NoCluster
            }
            State::Closed | State::Connecting | State::Hidden if self.nothing_allowed() => {
                Currency::Forbidden
            }
            State::Closed | State::Connecting | State::Hidden => Currency::Connecting,
            State::Turns if self.age() > STALE_MS => Currency::Stale,
            State::Turns if self.age() > TURN_MS => Currency::Resuming,
            State::Syncing | State::Live | State::Turns => match self.scope_state() {
                Some(NamespaceState::Retrying) if self.known => Currency::ClusterLost,
                Some(NamespaceState::Retrying) => Currency::NoCluster,
                Some(NamespaceState::Syncing) if !self.known && !self.answered => {
                    Currency::NoCluster
                }
                Some(NamespaceState::Syncing) => Currency::Connecting,
                _ if self.nothing_allowed() => Currency::Forbidden,
                _ if self.connection.state == State::Syncing => Currency::Connecting,
                _ if self.states.iter().any(|status| status.namespace.is_some()) => {
                    Currency::Partly
                }
                _ => Currency::Live,
            },
            State::Stale { .. } => Currency::Stale,
            State::Reconnecting {
                attempt: 0, next, ..
            } if !matches!(next, Next::Asked(since) if self.mono.saturating_sub(*since) > PLANNED_MS) => {
                Currency::Resuming
            }
            State::Reconnecting { .. } => Currency::Reconnecting,
            State::Offline { .. } => Currency::Offline,
            State::Draining { .. } => Currency::Restarting,
            State::Stopped(_) => Currency::Refused,
        }
    }

    /// The badge in the header.
    #[must_use]
    pub fn badge(&self) -> Badge {
        let badge = |class, icon, word, detail: String| Badge {
            class,
            icon,
            word,
            detail,
        };
        match self.currency() {
            Currency::Idle => badge(
                "conn conn-info",
                Some("#i-ns"),
                "Idle",
                "no namespace is watched".into(),
            ),
            Currency::Connecting => badge(
                "conn conn-info",
                Some("#i-load"),
                "Connecting",
                "first data in a moment".into(),
            ),
            Currency::Live if self.simulated => badge(
                "conn conn-live",
                None,
                "Live",
                self.in_turns("simulated".into()),
            ),
            Currency::Live => badge("conn conn-live", None, "Live", self.freshness()),
            Currency::Partly => badge("conn conn-live", None, "Live", self.in_turns(self.partly())),
            Currency::Resuming => {
                let of = self
                    .as_of()
                    .map_or_else(String::new, |time| format!("as of {time}"));
                badge("conn conn-info", Some("#i-load"), "Catching up", of)
            }
            Currency::Forbidden => badge(
                "conn conn-warn",
                Some("#i-lock"),
                "No permission",
                "the account may read nothing".into(),
            ),
            Currency::Stale => {
                let detail = format!("no message for {}", self.silence());
                badge("conn conn-warn", Some("#i-clock"), "Stale", detail)
            }
            Currency::Reconnecting => badge(
                "conn conn-warn",
                Some("#i-refresh"),
                "Reconnecting",
                self.attempt_words(" · "),
            ),
            Currency::Offline => {
                let detail = match self.connection.state {
                    State::Offline { attempts, .. } => {
                        counted(attempts as usize, "attempt failed", "attempts failed")
                    }
                    _ => String::new(),
                };
                badge("conn conn-bad", Some("#i-off"), "Offline", detail)
            }
            Currency::Restarting => badge(
                "conn conn-info",
                Some("#i-drain"),
                "Server restarting",
                "nothing to do".into(),
            ),
            Currency::Refused => badge(
                "conn conn-bad",
                Some("#i-lock"),
                "Refused",
                "by the server".into(),
            ),
            Currency::ClusterLost => badge(
                "conn conn-warn",
                Some("#i-serverx"),
                "Cluster lost",
                self.trouble().lasting(self.lost_since(), self.now),
            ),
            Currency::NoCluster => badge(
                "conn conn-bad",
                Some("#i-serverx"),
                "No cluster",
                self.trouble().lasting(None, self.now),
            ),
        }
    }

    /// The lines above the table: the connection first, then each namespace that is not live.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = self.connection_notice().into_iter().collect();
        // Where there is nothing to show the view itself says why.
        if !matches!(self.currency(), Currency::NoCluster | Currency::Forbidden) {
            notices.extend(
                self.states
                    .iter()
                    .filter_map(|status| self.namespace_notice(status)),
            );
        }
        notices
    }

    /// The namespaces that may not be read, where others may.
    #[must_use]
    pub fn not_shown(&self) -> Vec<NotShown> {
        if matches!(self.currency(), Currency::NoCluster | Currency::Forbidden) {
            return Vec::new();
        }
        let forbidden = |status: &&NamespaceStatus| status.state == NamespaceState::Forbidden;
        let states = self.states.iter().filter(forbidden);
        let named = states.filter_map(|status| {
            let namespace = status.namespace.clone()?;
            let mut errors = self.errors.iter();
            let error = errors.find(|error| error.namespace == status.namespace);
            Some(NotShown {
                why: refusal(error, Some(&namespace)),
                command: is_grantable(error).then(|| grant(Some(&namespace), account(error))),
                namespace,
            })
        });
        named.collect()
    }

    /// `Not live` and why, for the tab's title; nothing while all is well.
    #[must_use]
    pub fn title(&self) -> Option<&'static str> {
        self.currency().alarms().then_some("(!) Not live")
    }

    /// The time that the rows are from.
    #[must_use]
    pub fn as_of(&self) -> Option<String> {
        let ms = if self.currency() == Currency::ClusterLost {
            self.lost_since()
        } else {
            None
        };
        ms.or(self.connection.data_as_of_wall_ms.map(|ms| ms as i64))
            .map(self.clock)
    }

    /// Why the API server's rows are not there.
    #[must_use]
    pub fn scope_error(&self) -> Option<&StreamError> {
        self.errors.iter().find(|error| error.namespace.is_none())
    }

    /// Whether the server's account may read nothing of what is asked for.
    #[must_use]
    pub fn nothing_allowed(&self) -> bool {
        let forbidden = self
            .states
            .iter()
            .filter(|status| {
                status.namespace.is_some() && status.state == NamespaceState::Forbidden
            })
            .count();
        self.scope_state() == Some(NamespaceState::Forbidden)
            || (forbidden > 0 && forbidden >= self.namespaces)
    }

    /// What is wrong with the API server, where something is.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self.scope_error().map(|error| error.reason) {
            Some(ErrorReason::Forbidden) => Trouble::Refuses,
            Some(ErrorReason::Invalid) => Trouble::Unusable,
            _ => Trouble::Silent,
        }
    }

    /// What the rows are that are shown.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        match self.currency() {
            Currency::Live => Coverage::All,
            Currency::Partly => Coverage::Partly(self.partly()),
            Currency::Idle | Currency::Connecting => Coverage::Loaded,
            _ => Coverage::AsOf(self.as_of()),
        }
    }

    /// Since when the whole scope is not live, in milliseconds since 1970.
    fn lost_since(&self) -> Option<i64> {
        let status = self
            .states
            .iter()
            .find(|status| status.namespace.is_none())?;
        unix_ms(status.since.as_deref()?)
    }

    fn scope_state(&self) -> Option<NamespaceState> {
        self.states
            .iter()
            .find(|status| status.namespace.is_none())
            .map(|status| status.state)
    }

    fn connection_notice(&self) -> Option<Notice> {
        let rows = self
            .as_of()
            .map_or_else(String::new, |time| format!(" The rows are as of {time}."));
        let notice = |class, icon, title: String, text: String, retry| {
            Some(Notice {
                class,
                icon,
                subject: String::new(),
                title,
                text,
                retry,
                details: self.details(),
            })
        };
        match &self.connection.state {
            State::Stale {
                retry_at_mono_ms, ..
            } => notice(
                "notice notice-warn",
                "#i-clock",
                format!("No message for {}.", self.silence()),
                format!(
                    "{rows} Reconnects by itself{}.",
                    self.countdown(Some(*retry_at_mono_ms))
                ),
                Some(Retry::Connect("Reconnect")),
            ),
            State::Turns if self.currency() == Currency::Stale => notice(
                "notice notice-warn",
                "#i-clock",
                format!("No message for {}.", self.silence()),
                format!("{rows} Another tab of this browser has the connection."),
                None,
            ),
            State::Reconnecting { .. } if self.currency() == Currency::Resuming => None,
            State::Reconnecting { .. } => notice(
                "notice notice-warn",
                "#i-refresh",
                "Connection lost.".into(),
                format!(" {}.{rows}", self.attempt_sentence()),
                Some(Retry::Connect("Retry now")),
            ),
            State::Offline {
                attempts,
                last_error,
                at_wall_ms,
                ..
            } => notice(
                "notice notice-bad",
                "#i-off",
                "Offline.".into(),
                format!(
                    " {}, the last one at {} ({last_error}).{rows} Tries again every minute.",
                    counted(*attempts as usize, "attempt failed", "attempts failed"),
                    (self.clock)(*at_wall_ms as i64),
                ),
                Some(Retry::Connect("Reconnect")),
            ),
            State::Draining { .. } => notice(
                "notice notice-info",
                "#i-drain",
                "The server is restarting.".into(),
                format!(" No change is lost. Nothing to do.{rows}"),
                None,
            ),
            State::Stopped(reason) => {
                let text = match reason {
                    StopReason::Unauthorized => {
                        " The server does not know you any more. Reload to sign in again.".into()
                    }
                    StopReason::Forbidden { title } => format!(" {title}"),
                };
                notice(
                    "notice notice-bad",
                    "#i-lock",
                    "The server refuses the stream.".into(),
                    format!("{text}{rows}"),
                    Some(Retry::Connect("Try again")),
                )
            }
            _ if self.currency() == Currency::ClusterLost => {
                let cause = self.scope_error().map_or_else(String::new, |error| {
                    let words = error.error.as_str();
                    // The title says already who does not answer.
                    let cause = words.split_once(" does not answer: ");
                    format!(" ({})", cause.map_or(words, |(_, cause)| cause))
                });
                notice(
                    "notice notice-warn",
                    "#i-serverx",
                    format!("The Kubernetes API {}.", self.trouble().words()),
                    format!(
                        " This page is connected; the server has lost the cluster{cause}.{rows}{}",
                        self.next_try(None)
                    ),
                    Some(Retry::Ask),
                )
            }
            _ => None,
        }
    }

    fn namespace_notice(&self, status: &NamespaceStatus) -> Option<Notice> {
        let error = self
            .errors
            .iter()
            .find(|error| error.namespace == status.namespace);
        let name = status.namespace.as_deref();
        match (status.state, name) {
            (NamespaceState::Retrying, Some(name)) => {
                let cause = match error {
                    Some(error) if error.reason != ErrorReason::Other => {
                        format!(" {}", sentence(&error.error))
                    }
                    _ => String::new(),
                };
                Some(Notice {
                    class: "notice notice-warn",
                    icon: "#i-refresh",
                    subject: name.to_owned(),
                    title: format!("{name} may be out of date."),
                    text: format!("{cause} Its rows stay.{}", self.next_try(Some(name))),
                    retry: self.retry_at(Some(name)).map(|_| Retry::Ask),
                    details: None,
                })
            }
            _ => None,
        }
    }

    /// The text for a person who can help; only where the connection or the cluster is lost.
    #[must_use]
    pub fn details(&self) -> Option<String> {
        let cause = || {
            let error = self.scope_error().map(|error| error.error.as_str());
            error.unwrap_or("no answer yet")
        };
        let trouble = self.trouble().words();
        let (what, place, cause, since) = match (&self.connection.state, self.currency()) {
            (
                State::Offline {
                    last_error,
                    at_wall_ms,
                    attempts,
                    ..
                },
                _,
            ) => {
                let last = rfc3339(*at_wall_ms as i64);
                (
                    "The dashboard does not answer".to_owned(),
                    &self.page_url,
                    format!("{last_error}, {attempts} attempts, the last one at {last}"),
                    self.connection.data_as_of_wall_ms.map(|ms| ms as i64),
                )
            }
            (_, Currency::ClusterLost) => (
                format!("The Kubernetes API {trouble} any more"),
                &self.api_url,
                cause().to_owned(),
                self.lost_since(),
            ),
            (_, Currency::NoCluster) => (
                format!("The Kubernetes API {trouble}, since the dashboard started"),
                &self.api_url,
                cause().to_owned(),
                self.started_at,
            ),
            _ => return None,
        };
        let since = since.map_or_else(|| "unknown".into(), rfc3339);
        Some(format!(
            "{what}\nURL: {place}\nCause: {cause}\nSince: {since}"
        ))
    }

    /// When the server tries again: a namespace, or the whole scope.
    #[must_use]
    pub fn retry_at(&self, namespace: Option<&str>) -> Option<u64> {
        self.retries.get(&namespace.map(str::to_owned)).copied()
    }

    /// When the server tries again, in a sentence.
    #[must_use]
    pub fn next_try(&self, namespace: Option<&str>) -> String {
        match self.retry_at(namespace) {
            Some(at) if at > self.mono => format!(" Next try{}.", self.countdown(Some(at))),
            Some(_) => " Trying now.".into(),
            None => " The server tries again by itself.".into(),
        }
    }

    fn partly(&self) -> String {
        let not_live = self
            .states
            .iter()
            .filter(|status| status.namespace.is_some())
            .count();
        let all = self.namespaces.max(not_live);
        format!(
            "{} of {}",
            all - not_live,
            counted(all, "namespace", "namespaces")
        )
    }

    fn since_last_message(&self) -> String {
        self.connection
            .last_message_mono_ms
            .map_or_else(String::new, |at| {
                format!("{} ago", duration(self.mono.saturating_sub(at) as i64))
            })
    }

    fn silence(&self) -> String {
        match self.connection.state {
            State::Stale { since_mono_ms, .. } => {
                format!("{} s", self.mono.saturating_sub(since_mono_ms) / 1000)
            }
            _ => format!("{} s", self.age() / 1000),
        }
    }

    /// How old the rows are, in milliseconds.
    fn age(&self) -> i64 {
        let at = self.connection.data_as_of_wall_ms;
        at.map_or(0, |at| self.now.saturating_sub(at as i64).max(0))
    }

    /// How new the rows are: by the last message, or by the last turn of a tab that takes turns.
    fn freshness(&self) -> String {
        match self.connection.state {
            State::Turns => format!("every few seconds · {} ago", duration(self.age())),
            _ => self.since_last_message(),
        }
    }

    /// The detail of the badge, with a word where the tab takes turns.
    fn in_turns(&self, detail: String) -> String {
        match self.connection.state {
            State::Turns => format!("{detail} · every few seconds"),
            _ => detail,
        }
    }

    /// What the badge opens: the state of the connection, line by line.
    #[must_use]
    pub fn report(&self) -> Vec<(&'static str, String)> {
        let ConnectionView {
            state,
            since_wall_ms,
            failures,
            tabs,
            ..
        } = &self.connection;
        let clock = |ms: &u64| (self.clock)(*ms as i64);
        let Badge { word, detail, .. } = self.badge();
        let state_words = match detail.is_empty() {
            true => word.to_owned(),
            false => format!("{word}, {detail}"),
        };
        let mut lines = vec![("State", state_words)];
        lines.extend(since_wall_ms.as_ref().map(|at| ("Since", clock(at))));
        lines.extend(self.as_of().map(|time| ("Rows as of", time)));
        if let Some(tabs) = tabs {
            let here = match state {
                State::Turns => "takes turns: a browser has 4 streams for all its tabs",
                State::Live | State::Syncing | State::Stale { .. } => "has a stream of its own",
                _ => "has no stream",
            };
            lines.push(("This tab", here.into()));
            let tabs = format!(
                "{} shown, {}",
                counted(tabs.tabs, "tab", "tabs"),
                counted(tabs.taken, "stream", "streams")
            );
            lines.push(("This browser", tabs));
        }
        if failures.is_empty() {
            lines.push(("Failures", "none since the page was opened".into()));
        }
        let words = |lost: &Lost| format!("{} at {}", lost.why, clock(&lost.at_wall_ms));
        lines.extend(failures.iter().rev().map(|lost| ("Failure", words(lost))));
        lines
    }

    /// `3 of 10 · 8 s`: the separator is what stands before the countdown.
    fn attempt_words(&self, separator: &str) -> String {
        let State::Reconnecting { attempt, of, next } = self.connection.state else {
            return String::new();
        };
        let when = match next {
            Next::At(at) => format!("{} s", at.saturating_sub(self.mono).div_ceil(1000)),
            Next::Asked(since) => {
                let seconds = self.mono.saturating_sub(since) / 1000;
                format!("waiting for an answer, {seconds} s")
            }
        };
        match (attempt, next) {
            (0, _) => when,
            (_, Next::At(_)) => format!("{attempt} of {of}{separator}{when}"),
            (_, Next::Asked(_)) => format!("{attempt} of {of} · {when}"),
        }
    }

    fn attempt_sentence(&self) -> String {
        let words = self.attempt_words(", next try in ").replace(" · ", ", ");
        match self.connection.state {
            State::Reconnecting { attempt: 0, .. } => sentence(&words).replace('.', ""),
            _ => format!("Attempt {words}"),
        }
    }

    fn countdown(&self, at: Option<u64>) -> String {
        at.filter(|at| *at > self.mono)
            .map_or_else(String::new, |at| {
                format!(" in {} s", (at - self.mono).div_ceil(1000))
            })
    }
}

/// Which account may not do what, for a namespace or for the whole cluster.
#[must_use]
pub fn refusal(error: Option<&StreamError>, namespace: Option<&str>) -> String {
    let place = namespace.unwrap_or("the whole cluster");
    match error {
        Some(StreamError {
            missing: Some(missing),
            ..
        }) => {
            let who = (missing.account.as_deref()).unwrap_or("The dashboard's account");
            let what = match missing.resource.as_str() {
                "ingresses" => "ingresses".to_owned(),
                other => format!("{other}, nor ingresses"),
            };
            format!(
                "{who} may not {} {what} in {place}. Ask a cluster admin to run:",
                missing.verbs.join(" and ")
            )
        }
        // What no permission would change.
        Some(error) if !is_grantable(Some(error)) => sentence(&error.error),
        _ => format!(
            "The dashboard's account may not list and watch ingresses in {place}. Ask a cluster admin to run:"
        ),
    }
}

/// Whether a permission is all that is missing, as far as that is known.
#[must_use]
pub fn is_grantable(error: Option<&StreamError>) -> bool {
    error.is_none_or(|error| error.missing.is_some())
}

/// The account that a permission is missing for.
#[must_use]
pub fn account(error: Option<&StreamError>) -> Option<&str> {
    let Missing { account, .. } = error?.missing.as_ref()?;
    account.as_deref()
}

/// The commands that let an account read the ingresses of a namespace, or of all. Where the
/// account is not known the admin has to fill it in.
#[must_use]
pub fn grant(namespace: Option<&str>, account: Option<&str>) -> String {
    let (place, kind) = match namespace {
        Some(name) => (format!("kubectl -n {} create ", shell_word(name)), ""),
        None => ("kubectl create ".into(), "cluster"),
    };
    format!(
        "{place}{kind}role kube-ingress-dash --verb=get,list,watch --resource=ingresses.networking.k8s.io\n\
         {place}{kind}rolebinding kube-ingress-dash --{kind}role=kube-ingress-dash {}",
        subject(account)
    )
}

/// Whom a role is bound to, as `kubectl create rolebinding` takes it.
fn subject(account: Option<&str>) -> String {
    match account {
        None => "--serviceaccount=NAMESPACE:ACCOUNT".into(),
        // Nobody is bound by name who has none.
        Some("system:anonymous") => "--group=system:unauthenticated".into(),
        Some(account) => match account.strip_prefix("system:serviceaccount:") {
            Some(account) => format!("--serviceaccount={}", shell_word(account)),
            None => format!("--user={}", shell_word(account)),
        },
    }
}

/// The text with a capital letter in front and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut sentence: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests;
