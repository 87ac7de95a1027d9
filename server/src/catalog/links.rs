//! Which rows were made of which inputs, and which are to be made again at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use protocol::Key;

use crate::cluster::source::Source;

/// An input: its source, and its identity there.
pub(super) type InputKey = (Source, Key);

/// Which row has read which inputs, from both sides. A row's own input is not among them.
#[derive(Debug, Default)]
pub(super) struct Links {
    reads: HashMap<Key, Vec<InputKey>>,
    readers: HashMap<InputKey, BTreeSet<Key>>,
}

impl Links {
    /// The row has read these inputs, and no others.
    pub(super) fn set(&mut self, row: &Key, mut reads: Vec<InputKey>) {
        if reads.is_empty() && self.reads.is_empty() {
            return;
        }
        reads.sort_unstable();
        reads.dedup();
        for input in self.reads.remove(row).unwrap_or_default() {
            if let Some(readers) = self.readers.get_mut(&input) {
                readers.remove(row);
                if readers.is_empty() {
                    self.readers.remove(&input);
                }
            }
        }
        for input in &reads {
            let readers = self.readers.entry(input.clone()).or_default();
            readers.insert(row.clone());
        }
        if !reads.is_empty() {
            self.reads.insert(row.clone(), reads);
        }
    }

    /// The rows that have read an input, by namespace and name.
    pub(super) fn readers(&self, source: Source, key: &Key) -> Vec<Key> {
        if self.readers.is_empty() {
            return Vec::new();
        }
        let readers = self.readers.get(&(source, key.clone()));
        readers.into_iter().flatten().cloned().collect()
    }

    /// How many links there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.reads.values().map(Vec::len).sum()
    }
}

/// When rows have to be made again, each at one time at most.
#[derive(Debug, Default)]
pub(super) struct Due {
    rows: BTreeMap<Key, Instant>,
    times: BTreeSet<(Instant, Key)>,
}

impl Due {
    /// The row is due at this time, or at none.
    pub(super) fn set(&mut self, row: &Key, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.rows.insert(row.clone(), at),
            None => self.rows.remove(row),
        };
        if let Some(before) = before {
            self.times.remove(&(before, row.clone()));
        }
        if let Some(at) = at {
            self.times.insert((at, row.clone()));
        }
    }

    /// The next row that is due by now; it is not due any more.
    pub(super) fn take(&mut self, now: Instant) -> Option<Key> {
        self.next().filter(|at| *at <= now)?;
        let (_, row) = self.times.pop_first()?;
        self.rows.remove(&row);
        Some(row)
    }

    /// How many times there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// When the next one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.times.first().map(|(at, _)| *at)
    }
}
