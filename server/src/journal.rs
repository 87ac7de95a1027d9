//! The journal: a compacted log of row changes with cursors.
//!
//! Per namespace, and over all of them, an ordered map leads from a revision to a row; each row
//! appears once, at its newest revision, and a deleted row leaves a tombstone. A client is one
//! integer, its cursor. One operation, "what is above this cursor in this scope", serves the first
//! replay (cursor 0), every live change, every resume and every client that fell behind: what it
//! missed has folded into the newest state by itself. Tombstones are bounded in number; where one
//! was dropped the namespace's floor rises, and a cursor below the floor has to start again.
//! Etcd and Kafka compact in the same way.

use std::cmp::Ordering as Order;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use protocol::message::{ErrorReason, Missing, NamespaceState, NamespaceStatus, StreamError};
use protocol::{Key, Message, Scope, sse};
use tokio::sync::Notify;

use crate::access::Visible;
use crate::clock::now;
use crate::row::Row;
use crate::totals::{Summary, Totals};

/// Tombstones kept in all. The oldest goes first and raises its namespace's floor: a client that
/// was away for more deletes than this starts again with `reset`.
const MAX_TOMBSTONES: usize = 20_000;

/// Floors kept of namespaces that have no log any more. Above it, one floor serves all that have
/// none.
const MAX_DROPPED: usize = 10_000;

/// Namespaces named where all of them may be too many for one message.
const MAX_NAMED: usize = 100;

/// Namespaces kept that are gone and were last said not to be live.
const MAX_LEFT: usize = 1_000;

/// The log, its cursors' wake lists, and the state of the feeds that fill it. Shared by reference;
/// the lock is a plain mutex because it is held for microseconds and never across an await.
#[derive(Debug)]
pub struct Journal {
    /// Random per process: an id of another process is never taken for one of ours.
    epoch: String,
    inner: Mutex<Inner>,
    shared_writes: Mutex<SharedWrites>,
    encodings: AtomicU64,
    next_waiter: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    revision: u64,
    log: BTreeMap<u64, Arc<Entry>>,
    namespaces: HashMap<Arc<str>, NamespaceLog>,
    /// The highest floor of all namespaces, which is the floor of [`Scope::All`].
    floor: u64,
    /// The floors of namespaces whose log was dropped.
    dropped: HashMap<Arc<str>, u64>,
    /// The floor of every namespace that has neither a log nor a floor of its own.
    unknown_floor: u64,
    rows: usize,
    /// Of all rows.
    totals: Totals,
    /// All rows, in the order that the table starts with.
    by_name: BTreeSet<ByName>,
    tombstones: BTreeMap<u64, Key>,
    waiters_of_all: Waiters,
    waiters: HashMap<String, Waiters>,
    feeds: Feeds,
}

/// A row, in order of its name, then namespace.
#[derive(Debug)]
struct ByName(Arc<Row>);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Order {
        by_name(&self.0, &other.0)
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByName {}

/// The order that the table starts with.
pub(crate) fn by_name(a: &Row, b: &Row) -> Order {
    (&a.key.name, &a.key.namespace).cmp(&(&b.key.name, &b.key.namespace))
}

type Waiters = BTreeMap<u64, Arc<Notify>>;

#[derive(Debug, Default)]
struct NamespaceLog {
    log: BTreeMap<u64, Arc<Entry>>,
    newest: HashMap<String, u64>,
    rows: usize,
    floor: u64,
}

/// The newest state of one row.
#[derive(Debug)]
struct Entry {
    /// When the first change of its batch came in, for the latency metric.
    received: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    /// `first` is the revision at which the row appeared: above a cursor it is an addition.
    /// `deleted` is the one at which an earlier row of this name went, 0 where there was none.
    Row {
        row: Arc<Row>,
        first: u64,
        deleted: u64,
    },
    Deleted {
        json: Bytes,
    },
}

/// What the feeds last said of themselves.
#[derive(Debug)]
struct Feeds {
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
    /// The namespaces that exist or were configured; `None` while unknown.
    universe: Option<BTreeSet<String>>,
    /// Set where neither the whole cluster may be watched nor its namespaces listed, so that
    /// "every namespace" is none.
    refused: Option<FeedStatus>,
    /// `WATCH_NAMESPACES`: no other namespace is ever shown.
    limited_to: Option<BTreeSet<String>>,
}

impl Default for Feeds {
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
            universe: None,
            refused: None,
            limited_to: None,
        }
    }
}

/// How current a feed's rows are.
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

/// One bounded write: what a cursor missed.
#[derive(Clone, Debug)]
pub struct Write {
    /// Whole events; empty where nothing was missed.
    pub bytes: Bytes,
    /// The cursor after it.
    pub cursor: u64,
    /// Whether the table after it is that of the revision `cursor`. Rows that have moved up are
    /// still missing where there is more to read than one write holds.
    pub complete: bool,
    /// When the newest change in it came in.
    pub received: Option<Instant>,
    /// How many messages it holds.
    pub messages: u64,
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
    pub revision: u64,
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

/// Where a stream starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A full replay of the state at this revision, and what changes meanwhile.
    Replay(u64),
    /// Everything above this revision.
    Resume(u64),
}

/// The newest writes, each built once for all clients that are where the first one was. A write
/// never becomes wrong: it leads from its cursor to a revision that was the newest once.
#[derive(Debug, Default)]
struct SharedWrites {
    writes: VecDeque<(Position, Write)>,
    bytes: usize,
}

/// What a write depends on: hash of the scope, cursor, base and limit.
type Position = (u64, u64, u64, usize);

/// What the shared writes hold at most.
const SHARED_WRITES: usize = 64;
const SHARED_BYTES: usize = 1 << 20;

impl SharedWrites {
    /// The write from a position, unless there is one by now that leads further.
    fn get(&self, position: Position, newest: u64) -> Option<Write> {
        let (_, write) = self.writes.iter().rev().find(|(at, _)| *at == position)?;
        (write.cursor == newest || !write.complete).then(|| write.clone())
    }

    fn insert(&mut self, position: Position, write: Write) {
        // Whatever their limits, only the newest of a place is kept: a client that comes back is
        // not given an older one than before.
        let place = |at: &Position| (at.0, at.1, at.2);
        self.writes.retain(|(at, old)| {
            let stays = place(at) != place(&position);
            self.bytes -= if stays { 0 } else { old.bytes.len() };
            stays
        });
        self.bytes += write.bytes.len();
        self.writes.push_back((position, write));
        while self.writes.len() > SHARED_WRITES || self.bytes > SHARED_BYTES {
            let Some((_, oldest)) = self.writes.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes.len();
        }
    }
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
            encodings: AtomicU64::new(0),
            next_waiter: AtomicU64::new(0),
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

    /// How many rows were encoded since the start: one per change, whoever listens.
    #[must_use]
    pub fn encodings(&self) -> u64 {
        self.encodings.load(Ordering::Relaxed)
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().rows
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
        let mut batch = Batch {
            journal: self,
            received,
            inner: self.lock(),
            changed: BTreeSet::new(),
        };
        make(&mut batch);
        let Batch { inner, changed, .. } = batch;
        inner.wake(changed.iter().map(AsRef::as_ref))
    }

    /// Records the newest state of a row.
    pub fn upsert(&self, row: impl Into<Row>) {
        let row = row.into();
        self.batch(Instant::now(), |batch| batch.upsert(row));
    }

    /// Records that a row is gone. A row that is not there is no change.
    pub fn delete(&self, key: &Key) {
        self.batch(Instant::now(), |batch| batch.delete(key));
    }

    /// Drops a namespace whose feed stopped. Of its rows nobody is told that they go, so where it
    /// has any, ids from before are void for every scope that has the namespace. Where all its rows
    /// were deleted, only who has not read that far has missed something.
    pub fn forget(&self, namespace: &str) {
        let mut inner = self.lock();
        if inner.feeds.remove(namespace) {
            inner.wake([namespace]);
        }
        let Some((name, mut log)) = inner.namespaces.remove_entry(namespace) else {
            return;
        };
        if log.rows > 0 {
            inner.revision += 1;
            log.floor = inner.revision;
            inner.floor = inner.revision;
        } else if let Some((&deleted, _)) = log.log.last_key_value() {
            log.floor = log.floor.max(deleted);
            inner.floor = inner.floor.max(deleted);
        }
        let inner = &mut *inner;
        inner.rows -= log.rows;
        for (revision, entry) in &log.log {
            inner.log.remove(revision);
            inner.tombstones.remove(revision);
            if let State::Row { row, .. } = &entry.state {
                inner.totals.remove(row);
                inner.by_name.remove(&ByName(row.clone()));
            }
        }
        if inner.dropped.len() >= MAX_DROPPED {
            inner.dropped.clear();
            inner.unknown_floor = inner.revision;
        }
        inner.dropped.insert(name, log.floor);
    }

    /// The id of a revision for this scope: opaque to clients.
    #[must_use]
    pub fn id(&self, visible: &Visible, revision: u64) -> String {
        format!("{}.{:x}.{revision:x}", self.epoch, visible.hash())
    }

    /// Where a stream of `scope` starts that holds `last_event_id`: a replay, unless the id is
    /// of this process, of this scope, not from the future and not below the scope's floor.
    #[must_use]
    pub fn start(&self, visible: &Visible, last_event_id: Option<&str>) -> Start {
        let revision = last_event_id.and_then(|id| {
            let (_, revision) = id.rsplit_once('.')?;
            let revision = u64::from_str_radix(revision, 16).ok()?;
            // Only as it was given out: a sign or a zero in front would be read too.
            (id == self.id(visible, revision)).then_some(revision)
        });
        let inner = self.lock();
        match revision {
            Some(revision)
                if revision <= inner.revision && revision >= inner.floor_of(visible.scope()) =>
            {
                Start::Resume(revision)
            }
            _ => Start::Replay(inner.revision),
        }
    }

    /// What `scope` has above `cursor`, oldest first, whole events of at most about `limit` bytes
    /// (one event at least). `base` is where the client last held everything, which is the cursor
    /// itself but for a client that is catching up: rows that appeared above it are additions.
    /// Within a replay of the state at revision `replay` every row is an addition, only later
    /// deletes are told, and there are no ids; otherwise the last event of a complete write
    /// carries the id of the cursor after it. Others have none, as the table there is that of no
    /// revision.
    /// `None`: deletes that the cursor missed are no longer known, so the client has to start
    /// again.
    #[must_use]
    pub fn read(
        &self,
        visible: &Visible,
        cursor: u64,
        base: u64,
        replay: Option<u64>,
        limit: usize,
    ) -> Option<Write> {
        let position = (visible.hash(), cursor, base, limit);
        let (entries, after, complete) = {
            let inner = self.lock();
            if cursor.max(replay.unwrap_or(0)) < inner.floor_of(visible.scope()) {
                return None;
            }
            // A replay is of the state at its own start.
            if replay.is_none()
                && let Some(write) = self.shared_writes().get(position, inner.revision)
            {
                return Some(write);
            }
            inner.above(visible.scope(), cursor, limit)
        };
        let write = self.build(visible, &entries, base, after, complete, replay);
        if replay.is_none() && !write.bytes.is_empty() {
            self.shared_writes().insert(position, write.clone());
        }
        Some(write)
    }

    fn build(
        &self,
        visible: &Visible,
        entries: &[(u64, Arc<Entry>)],
        base: u64,
        after: u64,
        complete: bool,
        replay: Option<u64>,
    ) -> Write {
        const ADDED: &[u8] = br#"{"type":"ingressAdded","data":"#;
        const MODIFIED: &[u8] = br#"{"type":"ingressModified","data":"#;
        const DELETED: &[u8] = br#"{"type":"ingressDeleted","data":"#;
        let told = |revision: u64, entry: &Entry| match entry.state {
            State::Row { .. } => true,
            State::Deleted { .. } => replay.is_none_or(|start| revision > start),
        };
        let last = entries
            .iter()
            .rposition(|(revision, entry)| told(*revision, entry));
        let carries_id = replay.is_none() && complete;
        let size: usize = entries.iter().map(|(_, entry)| entry.size()).sum();
        let mut bytes = Vec::with_capacity(size + 64);
        let mut data = Vec::new();
        let mut messages = 0;
        for (index, (revision, entry)) in entries.iter().enumerate() {
            if !told(*revision, entry) {
                continue;
            }
            if let State::Row { row, deleted, .. } = &entry.state
                && *deleted > replay.unwrap_or(base)
            {
                // It was there before under this name. A delete is never folded.
                data.clear();
                data.extend_from_slice(DELETED);
                data.extend_from_slice(&json_of(&row.key));
                data.push(b'}');
                sse::write_event(&mut bytes, None, &data);
                messages += 1;
            }
            let (prefix, json) = match &entry.state {
                State::Row { row, first, .. } if *first > base || replay.is_some() => {
                    (ADDED, &row.json)
                }
                State::Row { row, .. } => (MODIFIED, &row.json),
                State::Deleted { json } => (DELETED, json),
            };
            data.clear();
            data.extend_from_slice(prefix);
            data.extend_from_slice(json);
            data.push(b'}');
            let id = (carries_id && Some(index) == last).then(|| self.id(visible, after));
            sse::write_event(&mut bytes, id.as_deref(), &data);
            messages += 1;
        }
        Write {
            bytes: bytes.into(),
            cursor: after,
            complete,
            received: entries.last().map(|(_, entry)| entry.received),
            messages,
        }
    }

    /// The revision of a row's newest state; 0 where nothing is known of it.
    #[must_use]
    pub fn revision_of(&self, visible: &Visible, key: &Key) -> u64 {
        if !visible.contains(&key.namespace) {
            return 0;
        }
        let inner = self.lock();
        let log = inner.namespaces.get(key.namespace.as_str());
        log.and_then(|log| log.newest.get(&key.name).copied())
            .unwrap_or(0)
    }

    /// The rows of a scope, in no order, with the revision they are at.
    #[must_use]
    pub fn rows(&self, visible: &Visible) -> (u64, Vec<Arc<Row>>) {
        let inner = self.lock();
        (inner.revision, inner.rows_of(visible.scope()))
    }

    /// What names the state of a scope. It costs nothing where rows are many.
    #[must_use]
    pub fn head(&self, visible: &Visible) -> Head {
        self.lock().head(visible.scope())
    }

    /// The same with the rows, in no order.
    #[must_use]
    pub fn snapshot(&self, visible: &Visible) -> (Head, Vec<Arc<Row>>) {
        let inner = self.lock();
        (inner.head(visible.scope()), inner.rows_of(visible.scope()))
    }

    /// One row.
    #[must_use]
    pub fn row(&self, visible: &Visible, key: &Key) -> Option<Arc<Row>> {
        if !visible.contains(&key.namespace) {
            return None;
        }
        let inner = self.lock();
        let log = inner.namespaces.get(key.namespace.as_str())?;
        match &log.log.get(log.newest.get(&key.name)?)?.state {
            State::Row { row, .. } => Some(row.clone()),
            State::Deleted { .. } => None,
        }
    }

    /// How many rows a scope has.
    #[must_use]
    pub fn count(&self, visible: &Visible) -> usize {
        let inner = self.lock();
        match visible.scope() {
            Scope::All if inner.feeds.hides_all() => 0,
            Scope::All => inner.rows,
            Scope::Namespaces(names) => names
                .iter()
                .filter_map(|name| inner.namespaces.get(name.as_str()))
                .map(|log| log.rows)
                .sum(),
        }
    }

    /// At most `limit` rows from `offset` on, by name, then namespace. Cheap where everything is
    /// visible: it looks at the rows before `offset` and at no others.
    #[must_use]
    pub fn first_rows(&self, visible: &Visible, offset: usize, limit: usize) -> Vec<Arc<Row>> {
        let inner = self.lock();
        if visible.is_everything() && inner.feeds.hides_all() {
            return Vec::new();
        }
        let rows = inner.by_name.iter();
        let rows = rows.filter(|ByName(row)| visible.contains(&row.key.namespace));
        let rows = rows.skip(offset).take(limit);
        rows.map(|ByName(row)| row.clone()).collect()
    }

    /// The numbers over a scope, with at most `largest` classes and namespaces by name. Those over
    /// everything are kept; those over some namespaces are counted of their rows.
    #[must_use]
    pub fn summary(&self, visible: &Visible, largest: usize) -> Summary {
        if visible.is_everything() {
            let inner = self.lock();
            return match inner.feeds.hides_all() {
                true => Summary::default(),
                false => inner.totals.summary(largest),
            };
        }
        let (_, rows) = self.rows(visible);
        rows.iter().collect::<Totals>().summary(largest)
    }

    /// Waits for changes in a scope until dropped.
    pub fn subscribe(self: &Arc<Self>, visible: &Visible) -> Subscription {
        let id = self.next_waiter.fetch_add(1, Ordering::Relaxed);
        let woken = Arc::new(Notify::new());
        let mut inner = self.lock();
        match visible.scope() {
            Scope::All => {
                inner.waiters_of_all.insert(id, woken.clone());
            }
            Scope::Namespaces(names) => {
                for name in names {
                    inner
                        .waiters
                        .entry(name.clone())
                        .or_default()
                        .insert(id, woken.clone());
                }
            }
        }
        drop(inner);
        Subscription {
            journal: self.clone(),
            scope: visible.scope().clone(),
            id,
            woken,
        }
    }
}

/// Changes that are told together, see [`Journal::batch`].
#[derive(Debug)]
pub struct Batch<'a> {
    journal: &'a Journal,
    inner: MutexGuard<'a, Inner>,
    received: Instant,
    /// The namespaces to wake for.
    changed: BTreeSet<Arc<str>>,
}

impl Batch<'_> {
    /// Records the newest state of a row.
    pub fn upsert(&mut self, row: Row) {
        self.journal.encodings.fetch_add(1, Ordering::Relaxed);
        // One borrow of the whole, so that its fields may be borrowed apart.
        let inner = &mut *self.inner;
        inner.revision += 1;
        let revision = inner.revision;
        let namespace: Arc<str> = match inner.namespaces.get_key_value(row.key.namespace.as_str()) {
            Some((name, _)) => name.clone(),
            None => row.key.namespace.as_str().into(),
        };
        let floor = inner.dropped_floor(&row.key.namespace);
        let log = inner
            .namespaces
            .entry(namespace.clone())
            .or_insert_with(|| NamespaceLog {
                floor,
                ..NamespaceLog::default()
            });
        let previous = log
            .newest
            .insert(row.key.name.clone(), revision)
            .and_then(|old| Some((old, log.log.remove(&old)?)));
        let (mut first, mut deleted) = (revision, 0);
        if let Some((old, entry)) = &previous {
            match &entry.state {
                State::Row {
                    row,
                    first: since,
                    deleted: before,
                } => {
                    (first, deleted) = (*since, *before);
                    log.rows -= 1;
                    inner.totals.remove(row);
                }
                State::Deleted { .. } => {
                    deleted = *old;
                    inner.tombstones.remove(old);
                }
            }
        }
        let appeared =
            !matches!(&previous, Some((_, entry)) if matches!(entry.state, State::Row { .. }));
        let row = Arc::new(row);
        inner.totals.add(&row);
        inner.by_name.replace(ByName(row.clone()));
        let entry = Arc::new(Entry {
            received: self.received,
            state: State::Row {
                row,
                first,
                deleted,
            },
        });
        log.rows += 1;
        log.log.insert(revision, entry.clone());
        if let Some((old, _)) = previous {
            inner.log.remove(&old);
        }
        inner.rows += usize::from(appeared);
        inner.log.insert(revision, entry);
        self.changed.insert(namespace);
    }

    /// Records that a row is gone. A row that is not there is no change.
    pub fn delete(&mut self, key: &Key) {
        let inner = &mut *self.inner;
        let revision = inner.revision + 1;
        let Some((namespace, log)) = inner.namespaces.get_key_value(key.namespace.as_str()) else {
            return;
        };
        let namespace = namespace.clone();
        let Some(&old) = log.newest.get(&key.name) else {
            return;
        };
        let State::Row { row, .. } = &log.log[&old].state else {
            return;
        };
        inner.totals.remove(row);
        inner.by_name.remove(&ByName(row.clone()));
        inner.revision = revision;
        self.journal.encodings.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(Entry {
            received: self.received,
            state: State::Deleted {
                json: json_of(key).into(),
            },
        });
        inner.rows -= 1;
        inner.log.remove(&old);
        inner.log.insert(revision, entry.clone());
        let log = inner
            .namespaces
            .get_mut(&namespace)
            .expect("it was just found");
        log.log.remove(&old);
        log.log.insert(revision, entry);
        log.newest.insert(key.name.clone(), revision);
        log.rows -= 1;
        inner.tombstones.insert(revision, key.clone());
        if inner.tombstones.len() > MAX_TOMBSTONES {
            inner.drop_oldest_tombstone();
        }
        self.changed.insert(namespace);
    }
}

/// The state of the feeds.
impl Journal {
    /// Says whether one feed covers everything (its status is then everyone's) or each namespace
    /// has its own.
    pub fn set_cluster_wide(&self, cluster_wide: bool) {
        let mut inner = self.lock();
        let hidden = inner.feeds.hides_all();
        if inner.feeds.cluster_wide != cluster_wide {
            inner.feeds.cluster_wide = cluster_wide;
            // What the feeds of the other mode said is no longer of use.
            inner.feeds.namespaces.clear();
            inner.feeds.by_revision.clear();
            inner.feeds.left.clear();
            inner.feeds.revision += 1;
            inner.feeds.whole = FeedStatus {
                revision: inner.feeds.revision,
                // With a feed per namespace this speaks of the way to the API server alone.
                state: if cluster_wide {
                    NamespaceState::Syncing
                } else {
                    NamespaceState::Live
                },
                ..FeedStatus::syncing()
            };
            inner.note_hidden(hidden);
            inner.wake_all();
        }
    }

    /// Limits what is ever shown to these namespaces (`WATCH_NAMESPACES`).
    pub fn limit_to(&self, namespaces: BTreeSet<String>) {
        let mut inner = self.lock();
        inner.feeds.universe = Some(namespaces.clone());
        inner.feeds.limited_to = Some(namespaces);
    }

    /// The parts of a scope that are not live, and why: what a stream tells first. Of very many
    /// namespaces the first 100 by name.
    #[must_use]
    pub fn not_live(&self, visible: &Visible) -> (Vec<NamespaceStatus>, Vec<StreamError>) {
        self.lock().not_live(visible.scope())
    }

    /// Names the namespaces that there are.
    pub fn set_universe(&self, namespaces: BTreeSet<String>) {
        let mut inner = self.lock();
        let hidden = inner.feeds.hides_all();
        let feeds = &mut inner.feeds;
        if feeds.limited_to.is_some() || feeds.universe.as_ref() == Some(&namespaces) {
            return;
        }
        // Who looks at everything hears of these only now.
        let found: Vec<String> = feeds
            .namespaces
            .iter_mut()
            .filter(|(name, status)| !status.exists && namespaces.contains(*name))
            .map(|(name, status)| {
                status.exists = true;
                name.clone()
            })
            .collect();
        for name in found {
            feeds.stamp(&name);
        }
        feeds.universe = Some(namespaces);
        // Its clients start again.
        feeds.refused = None;
        inner.note_hidden(hidden);
        inner.wake_all();
    }

    /// The namespaces that there are may not be listed, for this reason.
    pub fn refuse_universe(&self, error: FeedError) {
        let mut inner = self.lock();
        let hidden = inner.feeds.hides_all();
        let feeds = &mut inner.feeds;
        if feeds.limited_to.is_some() || feeds.refused.is_some() {
            return;
        }
        feeds.universe = None;
        feeds.revision += 1;
        feeds.refused = Some(FeedStatus {
            state: NamespaceState::Forbidden,
            error: Some(error),
            revision: feeds.revision,
            ..FeedStatus::syncing()
        });
        inner.note_hidden(hidden);
        inner.wake_all();
    }

    /// How many visible namespaces there are, where known.
    #[must_use]
    pub fn universe_size(&self, visible: &Visible) -> Option<usize> {
        let inner = self.lock();
        let universe = inner.feeds.universe.as_ref()?;
        Some(match visible.names() {
            None => universe.len(),
            Some(names) => names.intersection(universe).count(),
        })
    }

    /// The namespaces that there are, where known: for the feeds, which watch for all viewers.
    #[must_use]
    pub fn universe(&self) -> Option<BTreeSet<String>> {
        self.lock().feeds.universe.clone()
    }

    /// The visible namespaces that there are, where known.
    #[must_use]
    pub fn visible_universe(&self, visible: &Visible) -> Option<BTreeSet<String>> {
        let inner = self.lock();
        let universe = inner.feeds.universe.as_ref()?;
        Some(match visible.names() {
            None => universe.clone(),
            Some(names) => names.intersection(universe).cloned().collect(),
        })
    }

    /// Whether this namespace may ever be shown.
    #[must_use]
    pub fn admits(&self, namespace: &str) -> bool {
        self.lock().feeds.admits(namespace)
    }

    /// Leaves out the names of namespaces that may never be shown.
    pub fn retain_admitted(&self, names: &mut BTreeSet<String>) {
        let inner = self.lock();
        names.retain(|name| inner.feeds.admits(name));
    }

    /// Records what a feed says of itself: of `namespace`, or of everything. `listed` only ever
    /// turns true: old rows stay known while a feed is tried again.
    pub fn set_status(
        &self,
        namespace: Option<&str>,
        state: NamespaceState,
        listed: bool,
        error: Option<FeedError>,
    ) {
        self.lock()
            .set_status(namespace, state, listed, error, true);
    }

    /// Records that a namespace is needed and has no feed, and why.
    pub fn leave_out(&self, namespace: &str, error: FeedError) {
        let (state, error) = (NamespaceState::Retrying, Some(error));
        let mut inner = self.lock();
        inner.set_status(Some(namespace), state, false, error, false);
    }

    /// Forgets the namespaces that have no feed, but for those that are needed.
    pub fn forget_left_out(&self, needed: &BTreeSet<String>) {
        let mut inner = self.lock();
        let namespaces = inner.feeds.namespaces.iter();
        let over: Vec<String> = namespaces
            .filter(|(name, status)| !status.watched && !needed.contains(*name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            inner.feeds.remove(&name);
        }
    }

    /// The status of everything, and whether it is everyone's.
    #[must_use]
    pub fn whole_status(&self) -> (FeedStatus, bool) {
        let inner = self.lock();
        (inner.feeds.whole.clone(), inner.feeds.cluster_wide)
    }

    /// The states and row counts of the visible namespaces that there are, as far as is known, by
    /// name.
    #[must_use]
    pub fn namespace_states(
        &self,
        visible: &Visible,
    ) -> BTreeMap<String, (Option<NamespaceState>, Option<usize>)> {
        let inner = self.lock();
        let mut states = BTreeMap::new();
        let universe = inner.feeds.universe.iter().flatten().cloned();
        // Any other may be a name that somebody made up.
        let with_rows = inner.namespaces.iter().filter(|(_, log)| log.rows > 0);
        for name in universe.chain(with_rows.map(|(name, _)| name.to_string())) {
            if !visible.contains(&name) || !inner.feeds.admits(&name) {
                continue;
            }
            let status = match inner.feeds.cluster_wide {
                true => Some(&inner.feeds.whole),
                false => inner.feeds.namespaces.get(&name),
            };
            let count = status.filter(|status| status.listed).map(|_| {
                inner
                    .namespaces
                    .get(name.as_str())
                    .map_or(0, |log| log.rows)
            });
            states.insert(name, (status.map(|status| status.state), count));
        }
        states
    }

    /// The state of all feeds together. Any that is live makes the whole live: a namespace that
    /// may not be seen is no fault of the others.
    #[must_use]
    pub fn overall_state(&self) -> NamespaceState {
        let inner = self.lock();
        let feeds = &inner.feeds;
        if feeds.cluster_wide || feeds.whole.error.is_some() {
            return feeds.whole.state;
        }
        let all = || feeds.refused.iter().chain(feeds.namespaces.values());
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

    /// How many feeds are in each state.
    #[must_use]
    pub fn feeds_by_state(&self) -> HashMap<NamespaceState, i64> {
        let inner = self.lock();
        let mut counts = HashMap::new();
        if inner.feeds.cluster_wide {
            counts.insert(inner.feeds.whole.state, 1);
        } else {
            let namespaces = inner.feeds.namespaces.values();
            for status in namespaces.filter(|status| status.watched) {
                *counts.entry(status.state).or_insert(0) += 1;
            }
        }
        counts
    }

    /// What a client of the scope may be told once it has everything; `None` while the rows of
    /// the whole scope are unknown and the namespaces they are missing for cannot be named.
    #[must_use]
    pub fn readiness(&self, visible: &Visible) -> Option<Readiness> {
        self.lock().readiness(visible.scope())
    }

    /// The states that are not live, for a client whose rows have to wait: at most about `limit`
    /// bytes of them.
    #[must_use]
    pub fn faults(&self, visible: &Visible, limit: usize) -> Statuses {
        self.lock()
            .statuses(visible.scope(), Told::default(), limit)
    }

    /// What there is to tell a client of the scope that has been given everything up to `cursor`,
    /// and was told the states up to `told`: at most about `limit` bytes of states. `None` where
    /// `cursor` is not the newest revision any more: rows come before states, because `live` means
    /// that the client has them.
    #[must_use]
    pub fn tip(&self, visible: &Visible, cursor: u64, told: Told, limit: usize) -> Option<Tip> {
        let inner = self.lock();
        (inner.revision == cursor).then(|| {
            let statuses = inner.statuses(visible.scope(), told, limit);
            let readiness = statuses
                .complete
                .then(|| inner.readiness(visible.scope()))
                .flatten();
            Tip {
                statuses,
                readiness,
            }
        })
    }
}

impl Inner {
    fn rows_of(&self, scope: &Scope) -> Vec<Arc<Row>> {
        let rows = |log: &BTreeMap<u64, Arc<Entry>>| {
            log.values()
                .filter_map(|entry| match &entry.state {
                    State::Row { row, .. } => Some(row.clone()),
                    State::Deleted { .. } => None,
                })
                .collect::<Vec<_>>()
        };
        match scope {
            Scope::All if self.feeds.hides_all() => Vec::new(),
            Scope::All => rows(&self.log),
            Scope::Namespaces(names) => names
                .iter()
                .filter_map(|name| self.namespaces.get(name.as_str()))
                .flat_map(|log| rows(&log.log))
                .collect(),
        }
    }

    fn head(&self, scope: &Scope) -> Head {
        let readiness = self.readiness(scope);
        Head {
            revision: self.revision,
            pending: readiness.map_or_else(Pending::default, |readiness| readiness.pending),
            errors: self.not_live(scope).1,
        }
    }

    fn not_live(&self, scope: &Scope) -> (Vec<NamespaceStatus>, Vec<StreamError>) {
        let (mut states, mut errors) = (Vec::new(), Vec::new());
        for message in self.messages_of_faults(scope) {
            match message {
                Message::NamespaceStatus(status) => states.push(status),
                Message::Error(error) => errors.push(error),
                _ => {}
            }
        }
        (states, errors)
    }

    fn readiness(&self, scope: &Scope) -> Option<Readiness> {
        let feeds = &self.feeds;
        let rows_of = |name: &String| self.namespaces.get(name.as_str()).map_or(0, |log| log.rows);
        let names: Vec<&String> = match scope {
            Scope::Namespaces(names) => names.iter().collect(),
            Scope::All if feeds.cluster_wide => {
                return feeds.whole.listed.then_some(Readiness {
                    pending: Pending::default(),
                    settled: true,
                    count: self.rows,
                });
            }
            Scope::All if feeds.hides_all() => {
                return Some(Readiness {
                    pending: Pending::default(),
                    settled: true,
                    count: 0,
                });
            }
            Scope::All => feeds.universe.as_ref()?.iter().collect(),
        };
        let mut readiness = Readiness {
            pending: Pending::default(),
            settled: true,
            count: 0,
        };
        for name in names.into_iter().filter(|name| feeds.admits(name)) {
            let status = match feeds.cluster_wide {
                true => Some(&feeds.whole),
                false => feeds.namespaces.get(name),
            };
            // Where the names are known, one that is not among them is watched by nobody.
            let exists = |universe: &BTreeSet<String>| universe.contains(name);
            if status.is_none() && !feeds.universe.as_ref().is_none_or(exists) {
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
            readiness.count = self.rows - unknown;
        }
        Some(readiness)
    }

    /// The states of a scope that are new to a client, in the order in which they came to be, of
    /// at most about `limit` bytes.
    fn statuses(&self, scope: &Scope, told: Told, limit: usize) -> Statuses {
        let newest = self.feeds.revision;
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
            found.messages.extend(self.messages_of(namespace, status));
        }
        if found.complete {
            found.told.revision = newest;
        }
        found
    }

    /// The states of a scope above a status revision, in their order.
    fn news<'a>(&'a self, scope: &'a Scope, after: u64) -> Box<dyn Iterator<Item = News<'a>> + 'a> {
        let feeds = &self.feeds;
        let whole = self.whole_of(scope);
        let own = (whole.revision > after).then_some((whole.revision, None, Some(whole)));
        match scope {
            _ if feeds.cluster_wide => Box::new(own.into_iter()),
            Scope::All if feeds.hides_all() => Box::new(own.into_iter()),
            Scope::All => {
                // A client forgets what it was told of single namespaces where the whole is live
                // again, so the whole has to be told at its place.
                let place = whole.revision.max(after) + 1;
                let first = feeds.by_revision.range(after + 1..place);
                let later = feeds.by_revision.range(place..);
                let told = move |(revision, name): (&u64, &'a String)| {
                    let status = feeds.namespaces.get(name);
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
                    let status = feeds.namespaces.get(name)?;
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
    fn whole_of(&self, scope: &Scope) -> &FeedStatus {
        let feeds = &self.feeds;
        match (scope, &feeds.refused) {
            (Scope::All, Some(refused)) if !feeds.cluster_wide => refused,
            _ => &feeds.whole,
        }
    }

    fn messages_of(&self, namespace: Option<&str>, status: Option<&FeedStatus>) -> Vec<Message> {
        let rows = |name: &str| self.namespaces.get(name).map_or(0, |log| log.rows);
        let count = match namespace {
            None => self.feeds.cluster_wide.then_some(self.rows),
            Some(name) => Some(rows(name)),
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
    fn messages_of_faults(&self, scope: &Scope) -> Vec<Message> {
        let feeds = &self.feeds;
        let mut messages = self.refusals(scope);
        let whole = self.whole_of(scope);
        if whole.state != NamespaceState::Live {
            messages.extend(self.messages_of(None, Some(whole)));
        }
        if feeds.cluster_wide || *scope == Scope::All && feeds.hides_all() {
            return messages;
        }
        let concerned = |(name, status): &(&String, &FeedStatus)| {
            status.state != NamespaceState::Live
                && match scope {
                    Scope::All => status.exists,
                    Scope::Namespaces(names) => names.contains(*name),
                }
        };
        for (name, status) in feeds.namespaces.iter().filter(concerned).take(MAX_NAMED) {
            messages.extend(self.messages_of(Some(name), Some(status)));
        }
        messages
    }

    /// The names of a scope that are never shown.
    fn refusals(&self, scope: &Scope) -> Vec<Message> {
        let names = scope.names().into_iter().flatten();
        names
            .filter(|name| !self.feeds.admits(name))
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

    fn set_status(
        &mut self,
        namespace: Option<&str>,
        state: NamespaceState,
        listed: bool,
        error: Option<FeedError>,
        watched: bool,
    ) {
        let feeds = &mut self.feeds;
        let status = match namespace {
            None => &mut feeds.whole,
            Some(name) => feeds
                .namespaces
                .entry(name.to_owned())
                .or_insert_with(FeedStatus::syncing),
        };
        status.watched = watched;
        let unchanged =
            status.state == state && status.error == error && (status.listed || !listed);
        if unchanged && status.revision > 0 {
            return;
        }
        if status.state != state {
            status.since = now();
        }
        status.state = state;
        status.listed = match state {
            NamespaceState::Forbidden => false,
            _ => status.listed || listed,
        };
        status.error = error;
        match namespace {
            None => {
                feeds.revision += 1;
                feeds.whole.revision = feeds.revision;
                self.wake_all();
            }
            Some(name) => {
                status.exists |= (feeds.universe.as_ref())
                    .is_some_and(|names| names.contains(name))
                    || self.namespaces.get(name).is_some_and(|log| log.rows > 0);
                feeds.stamp(name);
                self.wake([name]);
            }
        }
    }
}

fn json_of(key: &Key) -> Vec<u8> {
    serde_json::to_vec(key).expect("keys are strings")
}

impl Feeds {
    /// Whether "every namespace" is none, whatever is watched by name.
    fn hides_all(&self) -> bool {
        !self.cluster_wide && self.refused.is_some()
    }

    fn admits(&self, namespace: &str) -> bool {
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
    fn remove(&mut self, namespace: &str) -> bool {
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

impl Entry {
    fn size(&self) -> usize {
        const FRAME: usize = 48;
        FRAME
            + match &self.state {
                State::Row { row, .. } => row.json.len(),
                State::Deleted { json } => json.len(),
            }
    }
}

impl Inner {
    /// Where [`Feeds::hides_all`] is not what it was, the scope of everything has other rows
    /// without a change to tell: its clients start again.
    fn note_hidden(&mut self, hidden: bool) {
        if self.feeds.hides_all() != hidden {
            self.revision += 1;
            self.floor = self.revision;
        }
    }

    /// The floor of a namespace that has no log.
    fn dropped_floor(&self, namespace: &str) -> u64 {
        let known = self.dropped.get(namespace).copied();
        known.unwrap_or(self.unknown_floor)
    }

    fn floor_of(&self, scope: &Scope) -> u64 {
        let of = |name: &String| {
            self.namespaces
                .get(name.as_str())
                .map_or_else(|| self.dropped_floor(name), |log| log.floor)
        };
        match scope {
            Scope::All => self.floor,
            Scope::Namespaces(names) => names.iter().map(of).max().unwrap_or(0),
        }
    }

    /// The entries above a cursor, the cursor after them, and whether that is the tip.
    fn above(
        &self,
        scope: &Scope,
        cursor: u64,
        limit: usize,
    ) -> (Vec<(u64, Arc<Entry>)>, u64, bool) {
        let mut found: Vec<(u64, &Arc<Entry>)> = Vec::new();
        match scope {
            Scope::All if self.feeds.hides_all() => {}
            Scope::All => {
                take_up_to(&self.log, cursor, limit, &mut |revision, entry| {
                    found.push((revision, entry));
                });
            }
            Scope::Namespaces(names) => {
                for log in names
                    .iter()
                    .filter_map(|name| self.namespaces.get(name.as_str()))
                {
                    take_up_to(&log.log, cursor, limit, &mut |revision, entry| {
                        found.push((revision, entry));
                    });
                }
                found.sort_unstable_by_key(|(revision, _)| *revision);
            }
        }
        // Each log gave at most `limit` bytes and one entry more, so the merged order is complete
        // up to there.
        let mut size = 0;
        let mut end = 0;
        while end < found.len() && (size < limit || end == 0) {
            size += found[end].1.size();
            end += 1;
        }
        let complete = end == found.len();
        let after = match complete {
            true => self.revision,
            false => found[end - 1].0,
        };
        (
            found[..end]
                .iter()
                .map(|(revision, entry)| (*revision, (*entry).clone()))
                .collect(),
            after,
            complete,
        )
    }

    fn drop_oldest_tombstone(&mut self) {
        let Some((revision, key)) = self.tombstones.pop_first() else {
            return;
        };
        self.log.remove(&revision);
        self.floor = self.floor.max(revision);
        if let Some(log) = self.namespaces.get_mut(key.namespace.as_str()) {
            log.log.remove(&revision);
            log.newest.remove(&key.name);
            log.floor = log.floor.max(revision);
        }
    }

    /// Wakes the clients of these namespaces; returns how many.
    fn wake<'a>(&self, namespaces: impl IntoIterator<Item = &'a str>) -> usize {
        let mut namespaces = namespaces.into_iter().peekable();
        if namespaces.peek().is_none() {
            return 0;
        }
        let named = namespaces
            .filter_map(|namespace| self.waiters.get(namespace))
            .flat_map(BTreeMap::values);
        let concerned = self.waiters_of_all.values().chain(named);
        concerned.inspect(|waiter| waiter.notify_one()).count()
    }

    fn wake_all(&self) {
        let named = self.waiters.values().flat_map(BTreeMap::values);
        for waiter in self.waiters_of_all.values().chain(named) {
            waiter.notify_one();
        }
    }
}

/// Hands over the entries above `cursor` until `limit` bytes are exceeded, one more than fit.
fn take_up_to<'a>(
    log: &'a BTreeMap<u64, Arc<Entry>>,
    cursor: u64,
    limit: usize,
    each: &mut dyn FnMut(u64, &'a Arc<Entry>),
) {
    let mut size = 0;
    for (&revision, entry) in log.range(cursor + 1..) {
        each(revision, entry);
        if size > limit {
            return;
        }
        size += entry.size();
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
        let mut inner = self.journal.lock();
        match &self.scope {
            Scope::All => {
                inner.waiters_of_all.remove(&self.id);
            }
            Scope::Namespaces(names) => {
                for name in names {
                    if let Some(waiters) = inner.waiters.get_mut(name) {
                        waiters.remove(&self.id);
                        if waiters.is_empty() {
                            inner.waiters.remove(name);
                        }
                    }
                }
            }
        }
    }
}
