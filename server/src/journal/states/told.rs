//! What clients are told of the states: each once, in the order in which they came to be.

use protocol::message::{ErrorReason, NamespaceState, NamespaceStatus};
use protocol::{Message, Scope};

use super::{FeedError, FeedStatus, MAX_NAMED, States};
use crate::journal::log::Log;

/// A status revision, the namespace (`None`: everything) and its status (`None`: it is gone).
type News<'a> = (u64, Option<&'a str>, Option<&'a FeedStatus>);

/// Up to where a client has been told the states. The default is that of a new client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The newest one that it was told; 0: none.
    revision: u64,
    /// What was live when it came is taken for granted and not told.
    start: u64,
}

/// States that are new to a client.
#[derive(Clone, Debug)]
pub struct Statuses {
    /// Their `error` and `namespaceStatus` messages.
    pub messages: Vec<Message>,
    /// What the client has been told after them.
    pub told: Told,
    /// Whether these are all.
    pub complete: bool,
}

/// The telling.
impl States {
    /// The states of a scope that are new to a client, in the order in which they came to be, of
    /// at most about `limit` bytes.
    pub(in crate::journal) fn statuses(
        &self,
        scope: &Scope,
        log: &Log,
        told: Told,
        limit: usize,
    ) -> Statuses {
        let newest = self.revision;
        let start = match told.revision {
            0 => newest,
            _ => told.start,
        };
        let mut found = Statuses {
            messages: Vec::new(),
            told: Told {
                revision: newest,
                start,
            },
            complete: true,
        };
        if told.revision == 0 {
            found.messages.extend(self.refusals(scope));
        }
        let mut size = 0;
        for (revision, namespace, status) in self.news(scope, told.revision) {
            let state = status.map_or(NamespaceState::Live, |status| status.state);
            if revision <= start && state == NamespaceState::Live {
                continue;
            }
            if size >= limit {
                found.complete = false;
                break;
            }
            found.told.revision = revision;
            size += status.map_or(FeedStatus::STATUS_SIZE, FeedStatus::size);
            found
                .messages
                .extend(self.messages_of(namespace, status, log));
        }
        if found.complete {
            found.told.revision = newest;
        }
        found
    }

    /// The states of a scope above a status revision, in their order.
    fn news<'a>(&'a self, scope: &'a Scope, after: u64) -> Box<dyn Iterator<Item = News<'a>> + 'a> {
        let whole = self.whole_of(scope);
        let own = (whole.revision > after).then_some((whole.revision, None, Some(whole)));
        match scope {
            _ if self.cluster_wide => Box::new(own.into_iter()),
            Scope::All if self.hides_all() => Box::new(own.into_iter()),
            Scope::All => {
                // A client forgets what it was told of single namespaces where the whole is live
                // again, so the whole has to be told at its place.
                let place = whole.revision.max(after) + 1;
                let first = self.by_revision.range(after + 1..place);
                let later = self.by_revision.range(place..);
                let told = move |(revision, name): (&u64, &'a String)| {
                    let status = self.namespaces.get(name);
                    match status {
                        Some(status) if status.revision != *revision || !status.exists => None,
                        _ => Some((*revision, Some(name.as_str()), status)),
                    }
                };
                Box::new(
                    first
                        .filter_map(told)
                        .chain(own)
                        .chain(later.filter_map(told)),
                )
            }
            Scope::Namespaces(names) => {
                let of = |name: &'a String| {
                    let status = self.namespaces.get(name)?;
                    let named = (status.revision, Some(name.as_str()), Some(status));
                    (status.revision > after).then_some(named)
                };
                let mut news: Vec<_> = names.iter().filter_map(of).chain(own).collect();
                news.sort_unstable_by_key(|(revision, ..)| *revision);
                Box::new(news.into_iter())
            }
        }
    }

    /// The way to the API server itself, which is everyone's.
    pub(super) fn whole_of(&self, scope: &Scope) -> &FeedStatus {
        match (scope, &self.refused) {
            (Scope::All, Some(refused)) if !self.cluster_wide => refused,
            _ => &self.whole,
        }
    }

    fn messages_of(
        &self,
        namespace: Option<&str>,
        status: Option<&FeedStatus>,
        log: &Log,
    ) -> Vec<Message> {
        let count = match namespace {
            None => self.cluster_wide.then(|| log.count(&Scope::All)),
            Some(name) => Some(log.rows_in(name)),
        };
        match status {
            Some(status) => status.messages(namespace, count),
            None => vec![Message::NamespaceStatus(NamespaceStatus {
                namespace: namespace.map(str::to_owned),
                state: NamespaceState::Live,
                count,
                retry_in_ms: None,
                since: None,
            })],
        }
    }

    /// What of a scope is not live, by name, of so many namespaces at most.
    pub(super) fn messages_of_faults(&self, scope: &Scope, log: &Log) -> Vec<Message> {
        let mut messages = self.refusals(scope);
        let whole = self.whole_of(scope);
        if whole.state != NamespaceState::Live {
            messages.extend(self.messages_of(None, Some(whole), log));
        }
        if self.cluster_wide || *scope == Scope::All && self.hides_all() {
            return messages;
        }
        let concerned = |(name, status): &(&String, &FeedStatus)| {
            status.state != NamespaceState::Live
                && match scope {
                    Scope::All => status.exists,
                    Scope::Namespaces(names) => names.contains(*name),
                }
        };
        for (name, status) in self.namespaces.iter().filter(concerned).take(MAX_NAMED) {
            messages.extend(self.messages_of(Some(name), Some(status), log));
        }
        messages
    }

    /// The names of a scope that are never shown.
    fn refusals(&self, scope: &Scope) -> Vec<Message> {
        let names = scope.names().into_iter().flatten();
        names
            .filter(|name| !self.admits(name))
            .flat_map(|name| {
                let refused = FeedStatus {
                    state: NamespaceState::Forbidden,
                    error: Some(FeedError {
                        reason: ErrorReason::Forbidden,
                        text: format!(
                            "{name} is not among the namespaces that this dashboard shows (WATCH_NAMESPACES)"
                        ),
                        retry_at: None,
                        missing: None,
                    }),
                    ..FeedStatus::syncing()
                };
                refused.messages(Some(name), None)
            })
            .collect()
    }
}
