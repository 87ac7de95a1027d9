//! The catalog: what is kept of the live objects, and the rows that are made of it.
//!
//! Feeds speak two verbs to it: `apply` with changes, and `reset` with the result of a list. It
//! passes on to the journal only what changes a row. What a row is made of, [`derive`] says; which
//! rows an input changes, the links know that `derive` has left.

pub mod derive;
mod inputs;
mod join;
mod links;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use protocol::Key;

use self::derive::IngressRows;
pub use self::derive::Input;
use self::join::{Join, Rows};
use crate::cluster::source::Source;
use crate::journal::{Batch, Journal};
use crate::row::Row;

/// Inputs of a list that are taken together: clients read between them.
const BATCH: usize = 256;

/// One object of a list or a watch event, as far as the product's rows are made of it.
pub type Object = inputs::Object<Input>;

/// The live set. Shared by reference between the feeds.
#[derive(Debug)]
pub struct Catalog {
    journal: Arc<Journal>,
    join: Mutex<Join<IngressRows>>,
}

/// What a watch says of an object.
#[derive(Debug)]
pub enum Change<T = Object> {
    /// It was added or changed.
    Set(T),
    /// It was deleted at this resource version.
    Deleted(Key, u64),
}

impl Rows for Batch<'_> {
    fn upsert(&mut self, row: Arc<Row>) {
        Batch::upsert(self, row);
    }

    fn delete(&mut self, key: &Key) {
        Batch::delete(self, key);
    }
}

impl Catalog {
    /// An empty catalog that writes to `journal`.
    #[must_use]
    pub fn new(journal: Arc<Journal>) -> Self {
        Self {
            journal,
            join: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Join<IngressRows>> {
        self.join.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes changes of a source that came together, the first of them at `received`. One older than
    /// what is held is ignored: two feeds may overlap while the watch mode changes. Returns how many
    /// clients they concern.
    pub fn apply(
        &self,
        source: Source,
        changes: impl IntoIterator<Item = Change>,
        received: Instant,
    ) -> usize {
        let mut join = self.lock();
        self.journal.batch(received, |batch| {
            for change in changes {
                match change {
                    Change::Set(object) => {
                        if !join.is_stale(source, &object) {
                            join.set(source, object, received, batch);
                        }
                    }
                    Change::Deleted(key, version) => {
                        join.delete(source, &key, version, received, batch);
                    }
                }
            }
            join.settle(received, batch);
        })
    }

    /// A list of a source in `namespace` (of everything: `None`) gave exactly `live`, and a list is
    /// the truth: it is as new as anything that was seen before it was asked for, unless the API
    /// server was restored to an earlier version, and then it holds as well. Returns how many are
    /// gone.
    pub fn reset(&self, source: Source, namespace: Option<&str>, live: Vec<Object>) -> usize {
        let mut join = self.lock();
        let listed: BTreeSet<Key> = live.iter().map(|object| object.key.clone()).collect();
        let gone = join.missing(source, namespace, &listed);
        for keys in gone.chunks(BATCH) {
            let now = Instant::now();
            self.journal.batch(now, |batch| {
                for key in keys {
                    join.remove(source, key, now, batch);
                }
            });
        }
        let mut live = live.into_iter().peekable();
        while live.peek().is_some() {
            let now = Instant::now();
            self.journal.batch(now, |batch| {
                for object in live.by_ref().take(BATCH) {
                    join.set(source, object, now, batch);
                }
                join.settle(now, batch);
            });
        }
        gone.len()
    }

    /// The objects of a source in a namespace may not be seen any more: clients are told that the
    /// rows are gone.
    pub fn withdraw(&self, source: Source, namespace: Option<&str>) {
        self.reset(source, namespace, Vec::new());
    }

    /// The namespaces that have rows.
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<String> {
        self.lock().namespaces()
    }

    /// Whether the namespace has a row.
    #[must_use]
    pub fn has(&self, namespace: &str) -> bool {
        self.lock().has(namespace)
    }

    /// Nobody watches the namespace any more: its rows go without a word.
    pub fn forget(&self, namespace: &str) {
        self.lock().forget(namespace);
        self.journal.forget(namespace);
    }
}
