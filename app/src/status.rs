//! What the connection badge and the notices say: pure, so that every state can be looked at.

use protocol::connection::{State, StopReason};
use protocol::message::{ErrorReason, NamespaceState, NamespaceStatus, StreamError};

use crate::format::{counted, duration, shell_word, unix_ms};
use crate::live::ConnectionView;

/// What the badge and the notices are made of.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The connection.
    pub connection: ConnectionView,
    /// What is not live: the whole scope first, then by namespace.
    pub states: Vec<NamespaceStatus>,
    /// What fails.
    pub errors: Vec<StreamError>,
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
}

/// How current the page is: the one thing that badge, notices, title and announcements agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// The first rows are on their way.
    Connecting,
    /// The rows are the cluster's.
    Live,
    /// Live, but for some namespaces.
    Partly,
    /// The server's account may read nothing of what is asked for: how many rows there are is not
    /// known.
    Forbidden,
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
    /// What is so.
    pub title: String,
    /// What follows from it.
    pub text: String,
    /// The label of the button that connects at once.
    pub retry: Option<&'static str>,
    /// A command that helps.
    pub command: Option<String>,
}

impl Facts {
    /// How current the page is.
    #[must_use]
    pub fn currency(&self) -> Currency {
        match &self.connection.state {
            State::Closed | State::Connecting | State::Hidden if !self.known && !self.answered => {
                Currency::NoCluster
            }
            State::Closed | State::Connecting | State::Hidden if self.nothing_allowed() => {
                Currency::Forbidden
            }
            State::Closed | State::Connecting | State::Hidden => Currency::Connecting,
            State::Syncing | State::Live => match self.scope_state() {
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
            Currency::Connecting => badge(
                "conn conn-info",
                Some("#i-load"),
                "Connecting",
                "first data in a moment".into(),
            ),
            Currency::Live if self.simulated => {
                badge("conn conn-live", None, "Live", "simulated".into())
            }
            Currency::Live => badge("conn conn-live", None, "Live", self.since_last_message()),
            Currency::Partly => badge("conn conn-live", None, "Live", self.partly()),
            Currency::Forbidden => badge(
                "conn conn-warn",
                Some("#i-lock"),
                "No permission",
                "nothing may be read".into(),
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
                match (self.refused(), self.lost_since()) {
                    (false, Some(since)) => format!("no answer for {}", duration(self.now - since)),
                    (false, None) => "API does not answer".into(),
                    (true, Some(since)) => format!("refused for {}", duration(self.now - since)),
                    (true, None) => "API refuses".into(),
                },
            ),
            Currency::NoCluster => badge(
                "conn conn-bad",
                Some("#i-serverx"),
                "No cluster",
                if self.refused() {
                    "API refuses"
                } else {
                    "API does not answer"
                }
                .into(),
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

    /// `Not live` and why, for the tab's title; nothing while all is well.
    #[must_use]
    pub fn title(&self) -> Option<&'static str> {
        let currency = self.currency();
        (!currency.is_live() && currency != Currency::Connecting).then_some("(!) Not live")
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

    /// Whether the API server answers, but does not accept the account: 401, or 403 to everything.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.scope_error()
            .is_some_and(|error| error.reason == ErrorReason::Forbidden)
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
                title,
                text,
                retry,
                command: None,
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
                Some("Reconnect"),
            ),
            State::Reconnecting { attempt: 0, .. } => None,
            State::Reconnecting { .. } => notice(
                "notice notice-warn",
                "#i-refresh",
                "Connection lost.".into(),
                format!(" Attempt {}.{rows}", self.attempt_words(", next try in ")),
                Some("Retry now"),
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
                Some("Reconnect"),
            ),
            State::Draining { .. } => notice(
                "notice notice-info",
                "#i-drain",
                "The server is restarting.".into(),
                " Moving to another one, no change is lost. Nothing to do.".into(),
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
                    Some("Try again"),
                )
            }
            _ if self.currency() == Currency::ClusterLost => {
                let cause = self
                    .scope_error()
                    .map_or_else(String::new, |error| format!(" ({})", error.error));
                notice(
                    "notice notice-warn",
                    "#i-serverx",
                    match self.refused() {
                        true => "The Kubernetes API does not accept the dashboard's account.",
                        false => "The Kubernetes API does not answer.",
                    }
                    .into(),
                    format!(
                        " This page is connected; the server has lost the cluster{cause} and keeps trying.{rows}"
                    ),
                    None,
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
            (NamespaceState::Forbidden, _) => Some(Notice {
                class: "notice notice-idle",
                icon: "#i-lock",
                title: match name {
                    Some(name) => format!("{name} is not shown."),
                    None => "You may not list ingresses in the whole cluster.".into(),
                },
                text: " The dashboard's account lacks list and watch on ingresses.networking.k8s.io there. Ask a cluster admin to run:".into(),
                retry: None,
                command: Some(grant(name)),
            }),
            (NamespaceState::Retrying, Some(name)) => Some(Notice {
                class: "notice notice-warn",
                icon: "#i-refresh",
                title: format!("{name} may be out of date."),
                text: match error {
                    Some(error) if error.reason != ErrorReason::Other => {
                        format!(" {} Its rows stay; the server tries again by itself.", sentence(&error.error))
                    }
                    _ => " Its rows stay; the server tries again by itself.".into(),
                },
                retry: None,
                command: None,
            }),
            _ => None,
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
            _ => String::new(),
        }
    }

    /// `3 of 10 · 8 s`: the separator is what stands before the countdown.
    fn attempt_words(&self, separator: &str) -> String {
        let State::Reconnecting {
            attempt,
            of,
            retry_at_mono_ms,
        } = self.connection.state
        else {
            return String::new();
        };
        let words = if attempt == 0 {
            return "in a moment".into();
        } else {
            format!("{attempt} of {of}")
        };
        match retry_at_mono_ms {
            Some(at) => format!(
                "{words}{separator}{} s",
                at.saturating_sub(self.mono).div_ceil(1000)
            ),
            None => words,
        }
    }

    fn countdown(&self, at: Option<u64>) -> String {
        at.filter(|at| *at > self.mono)
            .map_or_else(String::new, |at| {
                format!(" in {} s", (at - self.mono).div_ceil(1000))
            })
    }
}

/// The commands that let the dashboard's account read the ingresses of a namespace, or of all.
/// Which account it is only the cluster's admin knows.
#[must_use]
pub fn grant(namespace: Option<&str>) -> String {
    let (place, kind) = match namespace {
        Some(name) => (format!("kubectl -n {} create ", shell_word(name)), ""),
        None => ("kubectl create ".into(), "cluster"),
    };
    format!(
        "{place}{kind}role kube-ingress-dash --verb=get,list,watch --resource=ingresses.networking.k8s.io\n\
         {place}{kind}rolebinding kube-ingress-dash --{kind}role=kube-ingress-dash --serviceaccount=NAMESPACE:ACCOUNT"
    )
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
mod tests {
    use protocol::connection::Failure;

    use super::*;
    use crate::format::utc_clock;

    fn facts(state: State) -> Facts {
        Facts {
            connection: ConnectionView {
                state,
                data_as_of_wall_ms: Some(43_391_000),
                last_message_mono_ms: Some(99_000),
            },
            states: Vec::new(),
            errors: Vec::new(),
            known: true,
            answered: true,
            simulated: false,
            namespaces: 48,
            mono: 100_000,
            now: 43_391_000,
            clock: utc_clock,
        }
    }

    fn status(namespace: Option<&str>, state: NamespaceState) -> NamespaceStatus {
        NamespaceStatus {
            namespace: namespace.map(str::to_owned),
            state,
            count: None,
            retry_in_ms: None,
            since: None,
        }
    }

    fn badge_text(facts: &Facts) -> String {
        let badge = facts.badge();
        format!("{}, {}", badge.word, badge.detail)
    }

    #[test]
    fn a_live_page_says_when_it_last_heard_and_nothing_else() {
        let facts = facts(State::Live);
        assert_eq!(badge_text(&facts), "Live, 1 s ago");
        assert_eq!((facts.notices(), facts.title()), (vec![], None));
    }

    #[test]
    fn a_reconnecting_page_counts_attempts_and_seconds() {
        let facts = facts(State::Reconnecting {
            attempt: 3,
            of: 10,
            retry_at_mono_ms: Some(107_400),
        });
        assert_eq!(badge_text(&facts), "Reconnecting, 3 of 10 · 8 s");
        let notice = &facts.notices()[0];
        assert_eq!(
            notice.text,
            " Attempt 3 of 10, next try in 8 s. The rows are as of 12:03:11."
        );
        assert_eq!(notice.retry, Some("Retry now"));
        assert_eq!(facts.title(), Some("(!) Not live"));
    }

    #[test]
    fn a_planned_change_of_stream_is_no_alarm() {
        let facts = facts(State::Reconnecting {
            attempt: 0,
            of: 10,
            retry_at_mono_ms: Some(101_000),
        });
        assert_eq!(facts.notices(), vec![]);
    }

    #[test]
    fn a_stale_page_says_for_how_long() {
        let facts = facts(State::Stale {
            since_mono_ms: 28_000,
            since_wall_ms: 0,
            retry_at_mono_ms: 118_000,
        });
        assert_eq!(badge_text(&facts), "Stale, no message for 72 s");
        assert!(
            facts.notices()[0]
                .text
                .ends_with("Reconnects by itself in 18 s.")
        );
    }

    #[test]
    fn an_offline_page_names_the_last_error() {
        let facts = facts(State::Offline {
            attempts: 10,
            last_error: Failure::Unreachable,
            at_wall_ms: 43_660_000,
            retry_at_mono_ms: None,
        });
        assert_eq!(badge_text(&facts), "Offline, 10 attempts failed");
        assert!(
            facts.notices()[0]
                .text
                .contains("at 12:07:40 (server not reachable)")
        );
    }

    #[test]
    fn a_forbidden_namespace_is_named_with_the_command_that_helps() {
        let mut facts = facts(State::Live);
        facts.states = vec![status(Some("finance-eu"), NamespaceState::Forbidden)];
        assert_eq!(badge_text(&facts), "Live, 47 of 48 namespaces");
        let command = facts.notices()[0].command.clone().unwrap_or_default();
        let lines: Vec<_> = command.lines().collect();
        assert_eq!(
            lines,
            [
                "kubectl -n finance-eu create role kube-ingress-dash --verb=get,list,watch --resource=ingresses.networking.k8s.io",
                "kubectl -n finance-eu create rolebinding kube-ingress-dash --role=kube-ingress-dash --serviceaccount=NAMESPACE:ACCOUNT",
            ]
        );
        assert!(grant(None).contains("create clusterrolebinding kube-ingress-dash --clusterrole="));
    }

    #[test]
    fn where_nothing_may_be_read_nothing_is_live() {
        let mut facts = facts(State::Live);
        for states in [
            vec![status(None, NamespaceState::Forbidden)],
            vec![
                status(Some("pay"), NamespaceState::Forbidden),
                status(Some("shop"), NamespaceState::Forbidden),
            ],
        ] {
            facts.states = states;
            facts.namespaces = 2;
            assert_eq!(badge_text(&facts), "No permission, nothing may be read");
            assert_eq!(facts.title(), Some("(!) Not live"));
            assert_eq!(facts.notices(), vec![], "the view itself says it");
        }
        facts.namespaces = 3;
        assert_eq!(badge_text(&facts), "Live, 1 of 3 namespaces");
    }

    #[test]
    fn a_silent_api_server_is_lost_or_was_never_there() {
        let mut facts = facts(State::Live);
        facts.states = vec![status(None, NamespaceState::Retrying)];
        assert_eq!(facts.currency(), Currency::ClusterLost);
        assert_eq!(badge_text(&facts), "Cluster lost, API does not answer");
        facts.states[0].since = Some("1970-01-01T11:59:11Z".into());
        assert_eq!(badge_text(&facts), "Cluster lost, no answer for 4 min");
        assert!(facts.notices()[0].text.contains("as of 11:59:11"));
        assert_eq!(facts.notices().len(), 1);
        facts.errors = vec![StreamError {
            error: "the Kubernetes API answered 401: Unauthorized".into(),
            namespace: None,
            reason: ErrorReason::Forbidden,
            retry_in_ms: None,
        }];
        assert_eq!(badge_text(&facts), "Cluster lost, refused for 4 min");
        assert!(facts.notices()[0].title.contains("does not accept"));
        facts.known = false;
        assert_eq!(facts.currency(), Currency::NoCluster);
        assert_eq!(badge_text(&facts), "No cluster, API refuses");
        assert_eq!(facts.notices(), vec![], "the view itself says it");
    }
}
