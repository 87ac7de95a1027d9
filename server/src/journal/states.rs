//! The states of the feeds, by source and namespace, and what clients are told of them.
//!
//! It is one file: states, revisions and the universe change together; what is told of them is in
//! [`told`].

mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use protocol::message::{ErrorReason, Missing, NamespaceState, NamespaceStatus, StreamError};
use protocol::{Message, Scope};

pub use self::told::{Statuses, Told};
use super::log::{Log, Revision};
use crate::clock::now;
use crate::cluster::source::{FeedState, Source};

/// Namespaces named where all of them may be too many for one message.
const MAX_NAMED: usize = 100;

/// Namespaces kept that are gone and were last said not to be live.
const MAX_LEFT: usize = 1_000;

/// What the feeds last said of themselves.
#[derive(Debug)]
pub(super) struct States {
    /// Counts status changes; a stream holds the number up to which it has told them.
    revision: u64,
    /// The namespaces by the revision of their status. One without a status is gone
    /// ([`Self::left`]).
    by_revision: BTreeMap<u64, String>,
    /// The revisions of namespaces that are gone: who was told that they are not live has to hear
    /// that nothing is wrong with them any more.
    left: VecDeque<u64>,
    /// Whether one feed covers every namespace, so that its status is everyone's.
    cluster_wide: bool,
    whole: FeedStatus,
    namespaces: BTreeMap<String, FeedStatus>,
    /// The feeds of sources that rows do not depend on, by source and namespace (`None`: all of
    /// them). Nothing that clients are told waits for them.
    helpful: BTreeMap<(Source, Option<String>), Part>,
    /// The namespaces that exist or were configured; `None` while unknown.
    universe: Option<BTreeSet<String>>,
    /// Set where neither the whole cluster may be watched nor its namespaces listed, so that
    /// "every namespace" is none.
    refused: Option<FeedStatus>,
    /// `WATCH_NAMESPACES`: no other namespace is ever shown.
    limited_to: Option<BTreeSet<String>>,
}

impl Default for States {
    fn default() -> Self {
        Self {
            revision: 1,
            by_revision: BTreeMap::new(),
            left: VecDeque::new(),
            cluster_wide: true,
            whole: FeedStatus {
                revision: 1,
                ..FeedStatus::syncing()
            },
            namespaces: BTreeMap::new(),
            helpful: BTreeMap::new(),
            universe: None,
            refused: None,
            limited_to: None,
        }
    }
}

/// What the feed of one source last said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its state.
    pub state: FeedState,
    /// Whether a list has ever been answered, so that its objects are known.
    pub listed: bool,
    /// Why it is not live.
    pub error: Option<FeedError>,
}

impl Part {
    /// Takes the news of a feed. `listed` only ever turns true, until the objects may not be seen
    /// any more.
    fn take(&mut self, said: Self) {
        let listed = said.state != FeedState::Forbidden && (self.listed || said.listed);
        *self = Self { listed, ..said };
    }

    fn syncing() -> Self {
        Self {
            state: FeedState::Syncing,
            listed: false,
            error: None,
        }
    }

    /// What the needed feeds of a namespace are together: as current as the least current of them.
    /// A resource that the cluster does not have is missed only where it has none of them.
    fn of_all<'a>(parts: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let present = parts.clone().filter(|part| part.state != FeedState::Absent);
        let Some(least) = present.clone().min_by_key(|part| part.state) else {
            return parts.clone().next().cloned().unwrap_or_else(Self::syncing);
        };
        Self {
            listed: present.clone().all(|part| part.listed),
            ..least.clone()
        }
    }
}

/// How current the rows of a namespace are, or of all.
#[derive(Clone, Debug)]
pub struct FeedStatus {
    /// The state that clients are told.
    pub state: NamespaceState,
    /// Whether a list has ever been answered, so that the rows are known.
    pub listed: bool,
    /// Since when, RFC 3339.
    pub since: String,
    /// Why it is not live.
    pub error: Option<FeedError>,
    revision: u64,
    /// What the needed sources said.
    parts: BTreeMap<Source, Part>,
    /// Whether there is a feed; without one a namespace is beyond `MAX_WATCHES`.
    watched: bool,
    /// Whether the namespace has been seen to exist. Any other was only asked for, and nobody else
    /// is told of it.
    exists: bool,
}

/// Why a feed is not live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedError {
    /// The kind of failure.
    pub reason: ErrorReason,
    /// In plain words.
    pub text: String,
    /// When it is tried again.
    pub retry_at: Option<Instant>,
    /// Which permission is missing, where that is known.
    pub missing: Option<Missing>,
}

impl FeedError {
    /// Milliseconds until the next try.
    #[must_use]
    pub fn retry_in_ms(&self) -> Option<u64> {
        self.retry_at
            .map(|at| at.saturating_duration_since(Instant::now()).as_millis() as u64)
    }
}

impl FeedStatus {
    fn syncing() -> Self {
        Self {
            state: NamespaceState::Syncing,
            listed: false,
            since: now(),
            error: None,
            revision: 0,
            parts: BTreeMap::new(),
            watched: true,
            exists: false,
        }
    }

    /// How long a `namespaceStatus` is at most, in bytes.
    const STATUS_SIZE: usize = 320;

    /// About how long the messages are, in bytes; rather more than less.
    fn size(&self) -> usize {
        const ERROR: usize = 512;
        Self::STATUS_SIZE
            + self
                .error
                .as_ref()
                .map_or(0, |error| ERROR + error.text.len())
    }

    fn messages(&self, namespace: Option<&str>, count: Option<usize>) -> Vec<Message> {
        let namespace = namespace.map(str::to_owned);
        let mut messages = Vec::with_capacity(2);
        let retry_in_ms = self.error.as_ref().and_then(FeedError::retry_in_ms);
        if let Some(error) = &self.error {
            messages.push(Message::Error(StreamError {
                error: error.text.clone(),
                namespace: namespace.clone(),
                reason: error.reason,
                retry_in_ms,
                missing: error.missing.clone(),
            }));
        }
        messages.push(Message::NamespaceStatus(NamespaceStatus {
            namespace,
            state: self.state,
            count: count.filter(|_| self.listed),
            retry_in_ms,
            since: Some(self.since.clone()),
        }));
        messages
    }
}

/// Namespaces whose rows are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pending {
    /// All of them, or the first 100 and every one that the client could not know otherwise: those
    /// that have rows nevertheless, and those without a state that it was told.
    pub names: Vec<String>,
    /// How many they are, where not all are named.
    pub count: Option<usize>,
}

impl Pending {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn add(&mut self, name: &str, unheard: bool) {
        if let Some(count) = &mut self.count {
            *count += 1;
        }
        if unheard || self.names.len() < MAX_NAMED {
            self.names.push(name.to_owned());
        } else {
            self.count.get_or_insert(self.names.len() + 1);
        }
    }
}

/// What a client is told once it has everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Namespaces whose rows are not known.
    pub pending: Pending,
    /// Whether every namespace of the scope has left `syncing`.
    pub settled: bool,
    /// Rows of the scope without the pending namespaces.
    pub count: usize,
}

/// What a client that has every row may be told.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The states that are new to it.
    pub statuses: Statuses,
    /// What `synced` may say, once every state is told.
    pub readiness: Option<Readiness>,
}

/// What names a state of a scope: where all of it is the same, the rows are.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The newest revision.
    pub revision: Revision,
    /// Namespaces whose rows are not known.
    pub pending: Pending,
    /// What keeps parts of the scope from being live.
    pub errors: Vec<StreamError>,
}

impl Head {
    /// Whether the rows of both are the same, and what is said of them; when something is tried
    /// again may differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.revision == other.revision && self.says_the_same(other)
    }

    /// Whether the same is said of the rows of both, which may differ.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&StreamError, &StreamError)| {
            a.namespace == b.namespace && a.error == b.error && a.reason == b.reason
        };
        self.pending == other.pending
            && self.errors.len() == other.errors.len()
            && self.errors.iter().zip(&other.errors).all(same)
    }
}

impl States {
    /// Says whether one feed covers everything. Returns whether that is news.
    pub(super) fn set_cluster_wide(&mut self, cluster_wide: bool) -> bool {
        if self.cluster_wide == cluster_wide {
            return false;
        }
        self.cluster_wide = cluster_wide;
        // What the feeds of the other mode said is no longer of use.
        self.namespaces.clear();
        self.helpful.clear();
        self.by_revision.clear();
        self.left.clear();
        self.revision += 1;
        self.whole = FeedStatus {
            revision: self.revision,
            // With a feed per namespace this speaks of the way to the API server alone.
            state: if cluster_wide {
                NamespaceState::Syncing
            } else {
                NamespaceState::Live
            },
            ..FeedStatus::syncing()
        };
        true
    }

    /// Limits what is ever shown to these namespaces.
    pub(super) fn limit_to(&mut self, namespaces: BTreeSet<String>) {
        self.universe = Some(namespaces.clone());
        self.limited_to = Some(namespaces);
    }

    /// Names the namespaces that there are. Returns the names that came or went, where anything is
    /// other than before.
    pub(super) fn set_universe(&mut self, namespaces: &BTreeSet<String>) -> Option<Vec<String>> {
        if self.limited_to.is_some() || self.universe.as_ref() == Some(namespaces) {
            return None;
        }
        // A client of the whole cluster hears of these only now.
        let found: Vec<String> = self
            .namespaces
            .iter_mut()
            .filter(|(name, status)| !status.exists && namespaces.contains(*name))
            .map(|(name, status)| {
                status.exists = true;
                name.clone()
            })
            .collect();
        for name in found {
            self.stamp(&name);
        }
        let known = self.universe.get_or_insert_default();
        let changed: Vec<String> = known.symmetric_difference(namespaces).cloned().collect();
        for name in &changed {
            if !known.remove(name) {
                known.insert(name.clone());
            }
        }
        self.refused = None;
        Some(changed)
    }

    /// The namespaces that there are may not be listed. Returns whether that is news.
    pub(super) fn refuse_universe(&mut self, error: FeedError) -> bool {
        if self.limited_to.is_some() || self.refused.is_some() {
            return false;
        }
        self.universe = None;
        self.revision += 1;
        self.refused = Some(FeedStatus {
            state: NamespaceState::Forbidden,
            error: Some(error),
            revision: self.revision,
            ..FeedStatus::syncing()
        });
        true
    }

    /// The namespaces that exist or were configured; nothing while unknown.
    pub(super) fn universe(&self) -> Option<&BTreeSet<String>> {
        self.universe.as_ref()
    }

    /// Forgets the namespaces that have no feed, but for those that are needed.
    pub(super) fn forget_left_out(&mut self, needed: &BTreeSet<String>) {
        let namespaces = self.namespaces.iter();
        let over: Vec<String> = namespaces
            .filter(|(name, status)| !status.watched && !needed.contains(*name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            self.remove(&name);
        }
    }

    /// The status of everything, and whether it is everyone's.
    pub(super) fn whole(&self) -> (&FeedStatus, bool) {
        (&self.whole, self.cluster_wide)
    }

    /// The status of a namespace, where a needed feed has said anything of it.
    pub(super) fn of(&self, namespace: &str) -> Option<&FeedStatus> {
        match self.cluster_wide {
            true => Some(&self.whole),
            false => self.namespaces.get(namespace),
        }
    }

    /// What the feed of a source that serves a namespace last said.
    pub(super) fn part(&self, source: Source, namespace: &str) -> Option<&Part> {
        if source.is_needed() {
            return self.of(namespace)?.parts.get(&source);
        }
        let of = |namespace: Option<String>| self.helpful.get(&(source, namespace));
        of(Some(namespace.to_owned())).or_else(|| of(None))
    }

    /// The state of all needed feeds together. Any that is live makes the whole live: a namespace
    /// that may not be seen is no fault of the others.
    pub(super) fn overall(&self) -> NamespaceState {
        if self.cluster_wide || self.whole.error.is_some() {
            return self.whole.state;
        }
        let all = || self.refused.iter().chain(self.namespaces.values());
        let order = [
            NamespaceState::Live,
            NamespaceState::Retrying,
            NamespaceState::Syncing,
            NamespaceState::Forbidden,
        ];
        order
            .into_iter()
            .find(|state| all().any(|status| status.state == *state))
            .unwrap_or(NamespaceState::Live)
    }

    /// How many namespaces, or the one feed of all, are in each state.
    pub(super) fn counts(&self) -> HashMap<NamespaceState, i64> {
        let mut counts = HashMap::new();
        if self.cluster_wide {
            counts.insert(self.whole.state, 1);
        } else {
            let namespaces = self.namespaces.values();
            for status in namespaces.filter(|status| status.watched) {
                *counts.entry(status.state).or_insert(0) += 1;
            }
        }
        counts
    }

    /// Names the state of a scope at the log's newest revision.
    pub(super) fn head(&self, scope: &Scope, log: &Log) -> Head {
        let readiness = self.readiness(scope, log);
        Head {
            revision: log.revision,
            pending: readiness.map_or_else(Pending::default, |readiness| readiness.pending),
            errors: self.not_live(scope, log).1,
        }
    }

    /// Records what the feed of a source says of itself, of a namespace or of all. Returns whether
    /// clients have to hear of it. With `watched` false it says that there is no feed.
    pub(super) fn set(
        &mut self,
        source: Source,
        namespace: Option<&str>,
        said: Part,
        watched: bool,
        log: &Log,
    ) -> bool {
        if !source.is_needed() {
            let place = (source, namespace.map(str::to_owned));
            let part = self.helpful.entry(place).or_insert_with(Part::syncing);
            part.take(said);
            return false;
        }
        let status = match namespace {
            None => &mut self.whole,
            Some(name) => self
                .namespaces
                .entry(name.to_owned())
                .or_insert_with(FeedStatus::syncing),
        };
        status.watched = watched;
        let part = status.parts.entry(source).or_insert_with(Part::syncing);
        part.take(said);
        let Part {
            state,
            listed,
            error,
        } = Part::of_all(status.parts.values());
        let state = state.told();
        let is_same = status.state == state && status.error == error && status.listed == listed;
        if is_same && status.revision > 0 {
            return false;
        }
        if status.state != state {
            status.since = now();
        }
        status.state = state;
        status.listed = listed;
        status.error = error;
        match namespace {
            None => {
                self.revision += 1;
                self.whole.revision = self.revision;
            }
            Some(name) => {
                let universe = self.universe.as_ref();
                status.exists |=
                    universe.is_some_and(|names| names.contains(name)) || log.rows_in(name) > 0;
                self.stamp(name);
            }
        }
        true
    }

    /// The parts of a scope that are not live, and why. Of very many namespaces the first 100.
    pub(super) fn not_live(
        &self,
        scope: &Scope,
        log: &Log,
    ) -> (Vec<NamespaceStatus>, Vec<StreamError>) {
        let (mut states, mut errors) = (Vec::new(), Vec::new());
        for message in self.messages_of_faults(scope, log) {
            match message {
                Message::NamespaceStatus(status) => states.push(status),
                Message::Error(error) => errors.push(error),
                _ => {}
            }
        }
        (states, errors)
    }

    /// What a client of the scope may be told once it has everything.
    pub(super) fn readiness(&self, scope: &Scope, log: &Log) -> Option<Readiness> {
        let rows_of = |name: &String| log.rows_in(name);
        let names: Vec<&String> = match scope {
            Scope::Namespaces(names) => names.iter().collect(),
            Scope::All if self.cluster_wide => {
                return self.whole.listed.then_some(Readiness {
                    pending: Pending::default(),
                    settled: true,
                    count: log.count(&Scope::All),
                });
            }
            Scope::All if self.hides_all() => {
                return Some(Readiness {
                    pending: Pending::default(),
                    settled: true,
                    count: 0,
                });
            }
            Scope::All => self.universe.as_ref()?.iter().collect(),
        };
        let mut readiness = Readiness {
            pending: Pending::default(),
            settled: true,
            count: 0,
        };
        for name in names.into_iter().filter(|name| self.admits(name)) {
            let status = self.of(name);
            // Where the names are known, one that is not among them is watched by nobody.
            let exists = |universe: &BTreeSet<String>| universe.contains(name);
            if status.is_none() && !self.universe.as_ref().is_none_or(exists) {
                continue;
            }
            let state = status.map_or(NamespaceState::Syncing, |status| status.state);
            readiness.settled &= state != NamespaceState::Syncing;
            match status {
                Some(status) if status.listed => readiness.count += rows_of(name),
                _ if state == NamespaceState::Forbidden => {}
                _ => {
                    let unheard = status.is_none() || rows_of(name) > 0;
                    readiness.pending.add(name, unheard);
                }
            }
        }
        if *scope == Scope::All {
            // With rows of namespaces that are watched before they are known to be there.
            let unknown: usize = readiness.pending.names.iter().map(rows_of).sum();
            readiness.count = log.count(&Scope::All) - unknown;
        }
        Some(readiness)
    }

    /// Whether "every namespace" is none, whatever is watched by name.
    pub(super) fn hides_all(&self) -> bool {
        !self.cluster_wide && self.refused.is_some()
    }

    pub(super) fn admits(&self, namespace: &str) -> bool {
        self.limited_to
            .as_ref()
            .is_none_or(|names| names.contains(namespace))
    }

    /// Gives the status of a namespace the next revision.
    fn stamp(&mut self, namespace: &str) {
        if let Some(status) = self.namespaces.get_mut(namespace) {
            self.revision += 1;
            self.by_revision.remove(&status.revision);
            status.revision = self.revision;
            self.by_revision.insert(self.revision, namespace.to_owned());
        }
    }

    /// Forgets the status of a namespace. Returns whether that has to be told.
    pub(super) fn remove(&mut self, namespace: &str) -> bool {
        self.helpful
            .retain(|(_, of), _| of.as_deref() != Some(namespace));
        let Some(status) = self.namespaces.remove(namespace) else {
            return false;
        };
        self.by_revision.remove(&status.revision);
        let is_news = status.exists && status.state != NamespaceState::Live;
        if is_news {
            self.revision += 1;
            self.by_revision.insert(self.revision, namespace.to_owned());
            self.left.push_back(self.revision);
            if self.left.len() > MAX_LEFT
                && let Some(oldest) = self.left.pop_front()
            {
                self.by_revision.remove(&oldest);
            }
        }
        is_news
    }
}

#[cfg(test)]
mod tests;
