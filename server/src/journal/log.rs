//! The log: each row once, at its newest revision, by namespace and over all.
//!
//! It is one file: every index of a row changes with the row.

use std::cmp::Ordering as Order;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use protocol::{Key, Kind, Scope};

use crate::row::Row;
use crate::totals::{Summary, Totals};

/// Tombstones kept in all. The oldest goes first and raises its namespace's floor: a client that
/// was away for more deletes than this starts again with `reset`.
const MAX_TOMBSTONES: usize = 20_000;

/// Floors kept of namespaces that have no log any more. Above it, one floor serves all that have
/// none.
const MAX_DROPPED: usize = 10_000;

/// A place in the log: each change has the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::LowerHex for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a client has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// It was given everything up to here.
    pub at: Revision,
    /// Where it last held everything, which is `at` itself but for a client that is catching up:
    /// rows that appeared above it are additions.
    pub base: Revision,
    /// The revision whose state is being replayed: every row is an addition, only later deletes are
    /// told, and there are no ids.
    pub replay: Option<Revision>,
}

impl Cursor {
    /// That of a client that holds everything up to a revision.
    #[must_use]
    pub fn at(revision: Revision) -> Self {
        Self {
            at: revision,
            base: revision,
            replay: None,
        }
    }

    /// That of a client that holds nothing, and is to be given the state at a revision.
    #[must_use]
    pub fn replay(start: Revision) -> Self {
        Self {
            replay: Some(start),
            ..Self::default()
        }
    }

    /// That of the same client after a write which led to a revision.
    pub(super) fn after(self, at: Revision, complete: bool) -> Self {
        let base = match complete {
            true => at,
            false => self.base,
        };
        Self { at, base, ..self }
    }
}

type Entries = BTreeMap<Revision, Arc<Entry>>;

/// The log of all namespaces.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) revision: Revision,
    entries: Entries,
    namespaces: HashMap<Arc<str>, NamespaceLog>,
    /// The highest floor of all namespaces, which is the floor of [`Scope::All`].
    floor: Revision,
    /// The floors of namespaces whose log was dropped.
    dropped: HashMap<Arc<str>, Revision>,
    /// The floor of every namespace that has neither a log nor a floor of its own.
    unknown_floor: Revision,
    rows: usize,
    /// Of all rows.
    totals: Totals,
    /// All rows, in the order that the table starts with.
    by_name: BTreeSet<ByName>,
    tombstones: BTreeMap<Revision, Key>,
    /// How many changes were recorded.
    pub(super) encodings: u64,
}

/// The entries above a cursor.
#[derive(Debug)]
pub(super) struct Above {
    pub(super) entries: Vec<(Revision, Arc<Entry>)>,
    /// The revision after them.
    pub(super) after: Revision,
    /// Whether these are all.
    pub(super) complete: bool,
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

#[derive(Debug, Default)]
struct NamespaceLog {
    entries: Entries,
    /// The newest revision of each row, by kind, then by name.
    newest: [HashMap<String, Revision>; Kind::ALL.len()],
    rows: usize,
    floor: Revision,
}

impl NamespaceLog {
    /// The newest revision of each row of the key's kind, by name.
    fn newest(&self, key: &Key) -> &HashMap<String, Revision> {
        &self.newest[key.kind as usize]
    }

    fn newest_mut(&mut self, key: &Key) -> &mut HashMap<String, Revision> {
        &mut self.newest[key.kind as usize]
    }
}

/// The newest state of one row.
#[derive(Debug)]
pub(super) struct Entry {
    /// When the first change of its batch came in, for the latency metric.
    pub(super) received: Instant,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    /// `first` is the revision at which the row appeared: above a cursor it is an addition.
    /// `deleted` is the one at which an earlier row of this name went, 0 where there was none.
    Row {
        row: Arc<Row>,
        first: Revision,
        deleted: Revision,
    },
    Deleted {
        json: Bytes,
    },
}

impl Log {
    /// Records the newest state of a row. Returns its namespace.
    pub(super) fn upsert(&mut self, row: Arc<Row>, received: Instant) -> Arc<str> {
        self.encodings += 1;
        self.revision = self.revision.next();
        let revision = self.revision;
        let namespace: Arc<str> = match self.namespaces.get_key_value(row.key.namespace.as_str()) {
            Some((name, _)) => name.clone(),
            None => row.key.namespace.as_str().into(),
        };
        let floor = self.dropped_floor(&row.key.namespace);
        let log = self
            .namespaces
            .entry(namespace.clone())
            .or_insert_with(|| NamespaceLog {
                floor,
                ..NamespaceLog::default()
            });
        let previous = log
            .newest_mut(&row.key)
            .insert(row.key.name.clone(), revision)
            .and_then(|old| Some((old, log.entries.remove(&old)?)));
        let (mut first, mut deleted) = (revision, Revision::default());
        if let Some((old, entry)) = &previous {
            match &entry.state {
                State::Row {
                    row,
                    first: since,
                    deleted: before,
                } => {
                    (first, deleted) = (*since, *before);
                    log.rows -= 1;
                    self.totals.remove(row);
                }
                State::Deleted { .. } => {
                    deleted = *old;
                    self.tombstones.remove(old);
                }
            }
        }
        let appeared =
            !matches!(&previous, Some((_, entry)) if matches!(entry.state, State::Row { .. }));
        self.totals.add(&row);
        self.by_name.replace(ByName(row.clone()));
        let entry = Arc::new(Entry {
            received,
            state: State::Row {
                row,
                first,
                deleted,
            },
        });
        log.rows += 1;
        log.entries.insert(revision, entry.clone());
        if let Some((old, _)) = previous {
            self.entries.remove(&old);
        }
        self.rows += usize::from(appeared);
        self.entries.insert(revision, entry);
        namespace
    }

    /// Records that a row is gone. Returns its namespace; a row that is not there is no change.
    pub(super) fn delete(&mut self, key: &Key, received: Instant) -> Option<Arc<str>> {
        let revision = self.revision.next();
        let (namespace, log) = self.namespaces.get_key_value(key.namespace.as_str())?;
        let namespace = namespace.clone();
        let old = *log.newest(key).get(&key.name)?;
        let State::Row { row, .. } = &log.entries[&old].state else {
            return None;
        };
        self.totals.remove(row);
        self.by_name.remove(&ByName(row.clone()));
        self.revision = revision;
        self.encodings += 1;
        let entry = Arc::new(Entry {
            received,
            state: State::Deleted {
                json: json_of(key).into(),
            },
        });
        self.rows -= 1;
        self.entries.remove(&old);
        self.entries.insert(revision, entry.clone());
        let log = self
            .namespaces
            .get_mut(&namespace)
            .expect("it was just found");
        log.entries.remove(&old);
        log.entries.insert(revision, entry);
        log.newest_mut(key).insert(key.name.clone(), revision);
        log.rows -= 1;
        self.tombstones.insert(revision, key.clone());
        if self.tombstones.len() > MAX_TOMBSTONES {
            self.drop_oldest_tombstone();
        }
        Some(namespace)
    }

    /// Drops a namespace whose feed stopped. Of its rows nobody is told that they go, so where it
    /// has any, ids from before are void for every scope that has the namespace. Where all its rows
    /// were deleted, only who has not read that far has missed something.
    pub(super) fn forget(&mut self, namespace: &str) {
        let Some((name, mut log)) = self.namespaces.remove_entry(namespace) else {
            return;
        };
        if log.rows > 0 {
            self.revision = self.revision.next();
            log.floor = self.revision;
            self.floor = self.revision;
        } else if let Some((&deleted, _)) = log.entries.last_key_value() {
            log.floor = log.floor.max(deleted);
            self.floor = self.floor.max(deleted);
        }
        self.rows -= log.rows;
        for (revision, entry) in &log.entries {
            self.entries.remove(revision);
            self.tombstones.remove(revision);
            if let State::Row { row, .. } = &entry.state {
                self.totals.remove(row);
                self.by_name.remove(&ByName(row.clone()));
            }
        }
        if self.dropped.len() >= MAX_DROPPED {
            self.dropped.clear();
            self.unknown_floor = self.revision;
        }
        self.dropped.insert(name, log.floor);
    }

    /// The rows of everything are others without a change to tell: its clients start again.
    pub(super) fn void(&mut self) {
        self.revision = self.revision.next();
        self.floor = self.revision;
    }

    fn drop_oldest_tombstone(&mut self) {
        let Some((revision, key)) = self.tombstones.pop_first() else {
            return;
        };
        self.entries.remove(&revision);
        self.floor = self.floor.max(revision);
        if let Some(log) = self.namespaces.get_mut(key.namespace.as_str()) {
            log.entries.remove(&revision);
            log.newest_mut(&key).remove(&key.name);
            log.floor = log.floor.max(revision);
        }
    }

    /// The floor of a namespace that has no log.
    fn dropped_floor(&self, namespace: &str) -> Revision {
        let known = self.dropped.get(namespace).copied();
        known.unwrap_or(self.unknown_floor)
    }

    /// Below it a cursor may have missed deletes that nobody knows any more.
    pub(super) fn floor(&self, scope: &Scope) -> Revision {
        let of = |name: &String| {
            self.namespaces
                .get(name.as_str())
                .map_or_else(|| self.dropped_floor(name), |log| log.floor)
        };
        match scope {
            Scope::All => self.floor,
            Scope::Namespaces(names) => names.iter().map(of).max().unwrap_or_default(),
        }
    }

    /// The entries above a revision: of about `limit` bytes, one at least.
    pub(super) fn above(&self, scope: &Scope, at: Revision, limit: usize) -> Above {
        let mut found: Vec<(Revision, &Arc<Entry>)> = Vec::new();
        let mut take = |entries| {
            take_up_to(entries, at, limit, &mut |revision, entry| {
                found.push((revision, entry));
            });
        };
        match scope {
            Scope::All => take(&self.entries),
            Scope::Namespaces(names) => {
                self.logs(names).for_each(|log| take(&log.entries));
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
        Above {
            after: match complete {
                true => self.revision,
                false => found[end - 1].0,
            },
            complete,
            entries: found[..end]
                .iter()
                .map(|(revision, entry)| (*revision, (*entry).clone()))
                .collect(),
        }
    }

    fn logs<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a String>,
    ) -> impl Iterator<Item = &'a NamespaceLog> {
        let names = names.into_iter();
        names.filter_map(|name| self.namespaces.get(name.as_str()))
    }

    /// The revision of a row's newest state; 0 where nothing is known of it.
    pub(super) fn revision_of(&self, key: &Key) -> Revision {
        let log = self.namespaces.get(key.namespace.as_str());
        log.and_then(|log| log.newest(key).get(&key.name).copied())
            .unwrap_or_default()
    }

    /// One row.
    pub(super) fn row(&self, key: &Key) -> Option<Arc<Row>> {
        let log = self.namespaces.get(key.namespace.as_str())?;
        log.entries
            .get(log.newest(key).get(&key.name)?)?
            .row()
            .cloned()
    }

    /// The rows of a scope, in no order.
    pub(super) fn rows(&self, scope: &Scope) -> Vec<Arc<Row>> {
        let rows = |entries: &Entries| {
            let rows = entries.values().filter_map(|entry| entry.row().cloned());
            rows.collect::<Vec<_>>()
        };
        match scope {
            Scope::All => rows(&self.entries),
            Scope::Namespaces(names) => self
                .logs(names)
                .flat_map(|log| rows(&log.entries))
                .collect(),
        }
    }

    /// At most `limit` rows of a scope from `offset` on, by name, then namespace.
    pub(super) fn first_rows(&self, scope: &Scope, offset: usize, limit: usize) -> Vec<Arc<Row>> {
        let rows = self.by_name.iter();
        let rows = rows.filter(|ByName(row)| scope.contains(&row.key.namespace));
        let rows = rows.skip(offset).take(limit);
        rows.map(|ByName(row)| row.clone()).collect()
    }

    /// How many rows a scope has.
    pub(super) fn count(&self, scope: &Scope) -> usize {
        match scope {
            Scope::All => self.rows,
            Scope::Namespaces(names) => self.logs(names).map(|log| log.rows).sum(),
        }
    }

    /// How many rows a namespace has.
    pub(super) fn rows_in(&self, namespace: &str) -> usize {
        self.namespaces.get(namespace).map_or(0, |log| log.rows)
    }

    /// The namespaces that have rows.
    pub(super) fn with_rows(&self) -> impl Iterator<Item = &Arc<str>> {
        let logs = self.namespaces.iter().filter(|(_, log)| log.rows > 0);
        logs.map(|(name, _)| name)
    }

    /// The numbers over all rows.
    pub(super) fn summary(&self, largest: usize) -> Summary {
        self.totals.summary(largest)
    }
}

impl Entry {
    fn row(&self) -> Option<&Arc<Row>> {
        match &self.state {
            State::Row { row, .. } => Some(row),
            State::Deleted { .. } => None,
        }
    }

    /// About how many bytes its message has.
    pub(super) fn size(&self) -> usize {
        const FRAME: usize = 48;
        FRAME
            + match &self.state {
                State::Row { row, .. } => row.json.len(),
                State::Deleted { json } => json.len(),
            }
    }
}

pub(super) fn json_of(key: &Key) -> Vec<u8> {
    serde_json::to_vec(key).expect("keys are strings")
}

/// Hands over the entries above `at` until `limit` bytes are exceeded, one more than fit.
fn take_up_to<'a>(
    entries: &'a Entries,
    at: Revision,
    limit: usize,
    each: &mut dyn FnMut(Revision, &'a Arc<Entry>),
) {
    let mut size = 0;
    for (&revision, entry) in entries.range(at.next()..) {
        each(revision, entry);
        if size > limit {
            return;
        }
        size += entry.size();
    }
}

#[cfg(test)]
mod tests;
