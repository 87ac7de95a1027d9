//! The journal: a compacted log of row changes with cursors.
//!
//! Per namespace, and over all of them, an ordered map leads from a revision to a row; each row
//! appears once, at its newest revision, and a deleted row leaves a tombstone. A client is a
//! [`Cursor`]. One operation, "what is above this cursor in this scope", serves the first replay,
//! every live change, every resume and every client that fell behind: what it missed has folded
//! into the newest state by itself. Tombstones are bounded in number; where one was dropped the
//! namespace's floor rises, and a cursor below the floor has to start again. Etcd and Kafka compact
//! in the same way.
//!
//! One lock holds the log, the states of the feeds and the wake lists together, so that a client
//! hears of a state only with all rows ([`Journal::tip`]). Each has a room of its own, which knows
//! nothing of the lock.
//!
//! It is one file: everything that is done under the lock.

mod log;
mod states;
mod waiters;
mod writes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use protocol::message::{NamespaceState, NamespaceStatus, StreamError};
use protocol::{Key, Scope};
use tokio::sync::Notify;

use self::log::Log;
pub(crate) use self::log::by_name;
pub use self::log::{Cursor, Revision};
use self::states::States;
pub use self::states::{
    FeedError, FeedStatus, Head, Part, Pending, Readiness, Statuses, Tip, Told,
};
use self::waiters::Waiters;
use self::writes::SharedWrites;
pub use self::writes::Write;
use crate::access::Visible;
use crate::cluster::source::{FeedState, Source};
use crate::row::Row;
use crate::totals::{Summary, Totals};

/// The log, its cursors' wake lists, and the state of the feeds that fill it. Shared by reference;
/// the lock is a plain mutex because it is held for microseconds and never across an await.
#[derive(Debug)]
pub struct Journal {
    /// Random per process: an id of another process is never taken for one of ours.
    epoch: String,
    inner: Mutex<Inner>,
    shared_writes: Mutex<SharedWrites>,
}

#[derive(Debug, Default)]
struct Inner {
    log: Log,
    states: States,
    waiters: Waiters,
}

/// What is shown where nothing may be.
static NOTHING: Scope = Scope::Namespaces(BTreeSet::new());

impl Inner {
    /// The namespaces whose rows are shown to who may see these: of everything none while nobody
    /// knows what that is.
    fn shown<'a>(&self, visible: &'a Visible) -> &'a Scope {
        match visible.is_everything() && self.states.hides_all() {
            true => &NOTHING,
            false => visible.scope(),
        }
    }

    /// Where [`States::hides_all`] is not what it was, the scope of everything has other rows
    /// without a change to tell: its clients start again.
    fn note_hidden(&mut self, hidden: bool) {
        if self.states.hides_all() != hidden {
            self.log.void();
        }
    }
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A full replay of the state at this revision, and what changes meanwhile.
    Replay(Revision),
    /// Everything above this revision.
    Resume(Revision),
}

impl Default for Journal {
    fn default() -> Self {
        Self::new(format!("{:012x}", fastrand::u64(..1 << 48)))
    }
}

impl Journal {
    /// An empty journal whose ids start with `epoch`.
    #[must_use]
    pub fn new(epoch: String) -> Self {
        Self {
            epoch,
            inner: Mutex::default(),
            shared_writes: Mutex::default(),
        }
    }

    fn shared_writes(&self) -> MutexGuard<'_, SharedWrites> {
        self.shared_writes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock leaves it half changed by panicking.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows were encoded since the start: one per change, with any number of clients.
    #[must_use]
    pub fn encodings(&self) -> u64 {
        self.lock().log.encodings
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.lock().log.revision
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().log.count(&Scope::All)
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes changes that are told together, the first of which came in at `received`: the clients
    /// that they concern are woken once, at the end. Returns how many. Nobody reads meanwhile, so
    /// that it has to be short.
    pub fn batch(&self, received: Instant, make: impl FnOnce(&mut Batch<'_>)) -> usize {
        let mut inner = self.lock();
        let mut batch = Batch {
            log: &mut inner.log,
            received,
            changed: BTreeSet::new(),
        };
        make(&mut batch);
        let changed = batch.changed;
        inner.waiters.wake(changed.iter().map(AsRef::as_ref))
    }

    /// Drops a namespace whose feed stopped, see [`Log::forget`].
    pub fn forget(&self, namespace: &str) {
        let mut inner = self.lock();
        if inner.states.remove(namespace) {
            inner.waiters.wake([namespace]);
        }
        inner.log.forget(namespace);
    }

    /// The id of a revision for these namespaces: opaque to clients.
    #[must_use]
    pub fn id(&self, visible: &Visible, revision: Revision) -> String {
        format!("{}.{:x}.{revision:x}", self.epoch, visible.hash())
    }

    /// Where a stream of these namespaces starts that holds `last_event_id`: a replay, unless the id is
    /// of this process, of these namespaces, not from the future and not below their floor.
    #[must_use]
    pub fn start(&self, visible: &Visible, last_event_id: Option<&str>) -> Start {
        let revision = last_event_id.and_then(|id| {
            let (_, revision) = id.rsplit_once('.')?;
            let revision = Revision(u64::from_str_radix(revision, 16).ok()?);
            // Only as it was given out: a sign or a zero in front would be read too.
            (id == self.id(visible, revision)).then_some(revision)
        });
        let inner = self.lock();
        match revision {
            Some(revision)
                if revision <= inner.log.revision
                    && revision >= inner.log.floor(visible.scope()) =>
            {
                Start::Resume(revision)
            }
            _ => Start::Replay(inner.log.revision),
        }
    }

    /// What is above a cursor in these namespaces, oldest first: whole events of at most about
    /// `limit` bytes (one event at least). The last event of a complete write carries the id of the
    /// cursor after it, but for a replay. Others have none, as the table there is that of no
    /// revision.
    /// `None`: deletes that the cursor missed are no longer known, so the client has to start
    /// again.
    #[must_use]
    pub fn read(&self, visible: &Visible, cursor: Cursor, limit: usize) -> Option<Write> {
        let position = (visible.hash(), cursor.at, cursor.base, limit);
        let above = {
            let inner = self.lock();
            if cursor.at.max(cursor.replay.unwrap_or_default()) < inner.log.floor(visible.scope()) {
                return None;
            }
            // A replay is of the state at its own start.
            if cursor.replay.is_none()
                && let Some(write) = self.shared_writes().get(position, inner.log.revision)
            {
                return Some(write);
            }
            inner.log.above(inner.shown(visible), cursor.at, limit)
        };
        let write = Write::build(&above, cursor, |revision| self.id(visible, revision));
        if cursor.replay.is_none() && !write.bytes.is_empty() {
            self.shared_writes().insert(position, write.clone());
        }
        Some(write)
    }

    /// The revision of a row's newest state; 0 where nothing is known of it.
    #[must_use]
    pub fn revision_of(&self, visible: &Visible, key: &Key) -> Revision {
        match visible.contains(&key.namespace) {
            true => self.lock().log.revision_of(key),
            false => Revision::default(),
        }
    }

    /// The rows, in no order, with the revision they are at.
    #[must_use]
    pub fn rows(&self, visible: &Visible) -> (Revision, Vec<Arc<Row>>) {
        let inner = self.lock();
        (inner.log.revision, inner.log.rows(inner.shown(visible)))
    }

    /// What names the state of these namespaces. It costs nothing where rows are many.
    #[must_use]
    pub fn head(&self, visible: &Visible) -> Head {
        let inner = self.lock();
        inner.states.head(visible.scope(), &inner.log)
    }

    /// The same with the rows, in no order.
    #[must_use]
    pub fn snapshot(&self, visible: &Visible) -> (Head, Vec<Arc<Row>>) {
        let inner = self.lock();
        let head = inner.states.head(visible.scope(), &inner.log);
        (head, inner.log.rows(inner.shown(visible)))
    }

    /// One row.
    #[must_use]
    pub fn row(&self, visible: &Visible, key: &Key) -> Option<Arc<Row>> {
        match visible.contains(&key.namespace) {
            true => self.lock().log.row(key),
            false => None,
        }
    }

    /// How many rows there are in these namespaces.
    #[must_use]
    pub fn count(&self, visible: &Visible) -> usize {
        let inner = self.lock();
        inner.log.count(inner.shown(visible))
    }

    /// At most `limit` rows from `offset` on, by name, then namespace. Cheap where everything is
    /// visible: it looks at the rows before `offset` and at no others.
    #[must_use]
    pub fn first_rows(&self, visible: &Visible, offset: usize, limit: usize) -> Vec<Arc<Row>> {
        let inner = self.lock();
        inner.log.first_rows(inner.shown(visible), offset, limit)
    }

    /// The numbers over these namespaces, with at most `largest` classes and namespaces by name.
    /// Those over everything are kept; those over some namespaces are counted of their rows.
    #[must_use]
    pub fn summary(&self, visible: &Visible, largest: usize) -> Summary {
        let rows = {
            let inner = self.lock();
            match inner.shown(visible) {
                Scope::All => return inner.log.summary(largest),
                some @ Scope::Namespaces(_) => inner.log.rows(some),
            }
        };
        rows.iter().collect::<Totals>().summary(largest)
    }

    /// Waits for changes in these namespaces until dropped.
    pub fn subscribe(self: &Arc<Self>, visible: &Visible) -> Subscription {
        let woken = Arc::new(Notify::new());
        let scope = visible.scope().clone();
        let id = self.lock().waiters.join(&scope, &woken);
        Subscription {
            journal: self.clone(),
            scope,
            id,
            woken,
        }
    }
}

/// Changes that are told together, see [`Journal::batch`].
#[derive(Debug)]
pub struct Batch<'a> {
    log: &'a mut Log,
    received: Instant,
    /// The namespaces to wake for.
    changed: BTreeSet<Arc<str>>,
}

impl Batch<'_> {
    /// Records the newest state of a row.
    pub fn upsert(&mut self, row: Arc<Row>) {
        let namespace = self.log.upsert(row, self.received);
        self.changed.insert(namespace);
    }

    /// Records that a row is gone. A row that is not there is no change.
    pub fn delete(&mut self, key: &Key) {
        self.changed.extend(self.log.delete(key, self.received));
    }
}

/// The state of the feeds.
impl Journal {
    /// Says whether one feed covers everything (its status is then everyone's) or each namespace
    /// has its own.
    pub fn set_cluster_wide(&self, cluster_wide: bool) {
        let mut inner = self.lock();
        let hidden = inner.states.hides_all();
        if inner.states.set_cluster_wide(cluster_wide) {
            inner.note_hidden(hidden);
            inner.waiters.wake_all();
        }
    }

    /// Limits what is ever shown to these namespaces (`WATCH_NAMESPACES`).
    pub fn limit_to(&self, namespaces: BTreeSet<String>) {
        self.lock().states.limit_to(namespaces);
    }

    /// The parts of these namespaces that are not live, and why: what a stream tells first. Of very
    /// many namespaces the first 100 by name.
    #[must_use]
    pub fn not_live(&self, visible: &Visible) -> (Vec<NamespaceStatus>, Vec<StreamError>) {
        let inner = self.lock();
        inner.states.not_live(visible.scope(), &inner.log)
    }

    /// Names the namespaces that there are. Woken are those whom it concerns: with one feed for
    /// everything nobody waits for a name.
    pub fn set_universe(&self, namespaces: &BTreeSet<String>) {
        let mut inner = self.lock();
        let hidden = inner.states.hides_all();
        let Some(changed) = inner.states.set_universe(namespaces) else {
            return;
        };
        inner.note_hidden(hidden);
        if inner.states.whole().1 {
            return;
        }
        match changed.is_empty() {
            true => inner.waiters.wake_all(),
            false => _ = inner.waiters.wake(changed.iter().map(String::as_str)),
        }
    }

    /// The namespaces that there are may not be listed, for this reason.
    pub fn refuse_universe(&self, error: FeedError) {
        let mut inner = self.lock();
        let hidden = inner.states.hides_all();
        if inner.states.refuse_universe(error) {
            inner.note_hidden(hidden);
            inner.waiters.wake_all();
        }
    }

    /// How many visible namespaces there are, where known.
    #[must_use]
    pub fn universe_size(&self, visible: &Visible) -> Option<usize> {
        let inner = self.lock();
        let universe = inner.states.universe()?;
        Some(match visible.names() {
            None => universe.len(),
            Some(names) => names.intersection(universe).count(),
        })
    }

    /// The namespaces that there are, where known: for the feeds, which watch for all viewers.
    #[must_use]
    pub fn universe(&self) -> Option<BTreeSet<String>> {
        self.lock().states.universe().cloned()
    }

    /// The visible namespaces that there are, where known.
    #[must_use]
    pub fn visible_universe(&self, visible: &Visible) -> Option<BTreeSet<String>> {
        let inner = self.lock();
        let universe = inner.states.universe()?;
        Some(match visible.names() {
            None => universe.clone(),
            Some(names) => names.intersection(universe).cloned().collect(),
        })
    }

    /// Whether this namespace may ever be shown.
    #[must_use]
    pub fn admits(&self, namespace: &str) -> bool {
        self.lock().states.admits(namespace)
    }

    /// Leaves out the names of namespaces that may never be shown.
    pub fn retain_admitted(&self, names: &mut BTreeSet<String>) {
        let inner = self.lock();
        names.retain(|name| inner.states.admits(name));
    }

    /// Records what the feed of a source says of itself: of `namespace`, or of everything.
    pub fn set_status(
        &self,
        source: Source,
        namespace: Option<&str>,
        state: FeedState,
        listed: bool,
        error: Option<FeedError>,
    ) {
        let said = Part {
            state,
            listed,
            error,
        };
        self.set(source, namespace, said, true);
    }

    /// Records that a namespace is needed and has no feed of a source, and why.
    pub fn leave_out(&self, source: Source, namespace: &str, error: FeedError) {
        let said = Part {
            state: FeedState::Retrying,
            listed: false,
            error: Some(error),
        };
        self.set(source, Some(namespace), said, false);
    }

    fn set(&self, source: Source, namespace: Option<&str>, said: Part, watched: bool) {
        let mut inner = self.lock();
        let Inner {
            log,
            states,
            waiters,
        } = &mut *inner;
        if states.set(source, namespace, said, watched, log) {
            match namespace {
                None => waiters.wake_all(),
                Some(name) => _ = waiters.wake([name]),
            }
        }
    }

    /// What the feed of a source that serves a namespace last said.
    #[must_use]
    pub fn part(&self, source: Source, namespace: &str) -> Option<Part> {
        self.lock().states.part(source, namespace).cloned()
    }

    /// Forgets the namespaces that have no feed, but for those that are needed.
    pub fn forget_left_out(&self, needed: &BTreeSet<String>) {
        self.lock().states.forget_left_out(needed);
    }

    /// The status of everything, and whether it is everyone's.
    #[must_use]
    pub fn whole_status(&self) -> (FeedStatus, bool) {
        let inner = self.lock();
        let (whole, cluster_wide) = inner.states.whole();
        (whole.clone(), cluster_wide)
    }

    /// The states and row counts of the visible namespaces that there are, as far as is known, by
    /// name.
    #[must_use]
    pub fn namespace_states(
        &self,
        visible: &Visible,
    ) -> BTreeMap<String, (Option<NamespaceState>, Option<usize>)> {
        let inner = self.lock();
        let Inner { log, states, .. } = &*inner;
        let mut found = BTreeMap::new();
        let universe = states.universe().into_iter().flatten().cloned();
        // Any other may be a name that somebody made up.
        let with_rows = log.with_rows().map(ToString::to_string);
        for name in universe.chain(with_rows) {
            if !visible.contains(&name) || !states.admits(&name) {
                continue;
            }
            let status = states.of(&name);
            let count = status.filter(|status| status.listed);
            let count = count.map(|_| log.rows_in(&name));
            found.insert(name, (status.map(|status| status.state), count));
        }
        found
    }

    /// The state of all feeds together. Any that is live makes the whole live: a namespace that
    /// may not be seen is no fault of the others.
    #[must_use]
    pub fn overall_state(&self) -> NamespaceState {
        self.lock().states.overall()
    }

    /// How many feeds are in each state.
    #[must_use]
    pub fn feeds_by_state(&self) -> HashMap<NamespaceState, i64> {
        self.lock().states.counts()
    }

    /// What a client may be told once it has everything; `None` while the rows of the whole scope
    /// are unknown and the namespaces they are missing for cannot be named.
    #[must_use]
    pub fn readiness(&self, visible: &Visible) -> Option<Readiness> {
        let inner = self.lock();
        inner.states.readiness(visible.scope(), &inner.log)
    }

    /// The states that are not live, for a client whose rows have to wait: at most about `limit`
    /// bytes of them.
    #[must_use]
    pub fn faults(&self, visible: &Visible, limit: usize) -> Statuses {
        let inner = self.lock();
        let states = &inner.states;
        states.statuses(visible.scope(), &inner.log, Told::default(), limit)
    }

    /// What there is to tell a client that has been given everything up to `at`, and was told the
    /// states up to `told`: at most about `limit` bytes of states. `None` where `at` is not the
    /// newest revision any more: rows come before states, because `live` means that the client has
    /// them.
    #[must_use]
    pub fn tip(&self, visible: &Visible, at: Revision, told: Told, limit: usize) -> Option<Tip> {
        let inner = self.lock();
        let (log, scope) = (&inner.log, visible.scope());
        (log.revision == at).then(|| {
            let statuses = inner.states.statuses(scope, log, told, limit);
            let readiness = statuses
                .complete
                .then(|| inner.states.readiness(scope, log))
                .flatten();
            Tip {
                statuses,
                readiness,
            }
        })
    }
}

/// A place in the wake lists of a scope. Dropping it leaves them.
#[derive(Debug)]
pub struct Subscription {
    journal: Arc<Journal>,
    scope: Scope,
    id: u64,
    woken: Arc<Notify>,
}

impl Subscription {
    /// Returns once something changed in the scope since the last call.
    pub async fn changed(&self) {
        self.woken.notified().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.journal.lock().waiters.leave(&self.scope, self.id);
    }
}
