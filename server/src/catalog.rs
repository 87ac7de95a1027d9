//! The catalog: the live set of objects, and the rows derived from it.
//!
//! Feeds speak two verbs to it: `apply` with changes, and `reset` with the result of a list. It
//! passes on to the journal only what changes a row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use protocol::Key;

use crate::journal::{Batch, Journal};
use crate::row::Row;

/// Rows of a list that the journal takes together: clients read between them.
const BATCH: usize = 256;

/// The live set. Shared by reference between the feeds.
#[derive(Debug)]
pub struct Catalog {
    journal: Arc<Journal>,
    held: Mutex<BTreeMap<Key, Held>>,
}

/// What is remembered of an object beside its row.
#[derive(Debug)]
struct Held {
    uid: String,
    version: String,
    resource_version: u64,
}

/// One object of a list or a watch event, projected to its row.
#[derive(Clone, Debug)]
pub struct Object {
    /// The row.
    pub row: Row,
    /// `metadata.uid`
    pub uid: String,
    /// The row's `version`: equal versions are equal rows.
    pub version: String,
    /// `metadata.resourceVersion`, which Kubernetes lets clients compare as a number.
    pub resource_version: u64,
}

/// What a watch says of an object.
#[derive(Debug)]
pub enum Change<T = Object> {
    /// It was added or changed.
    Set(T),
    /// It was deleted at this resource version.
    Deleted(Key, u64),
}

impl Catalog {
    /// An empty catalog that writes to `journal`.
    #[must_use]
    pub fn new(journal: Arc<Journal>) -> Self {
        Self {
            journal,
            held: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes changes that came together, the first of them at `received`. One older than what is
    /// held is ignored: two feeds may overlap while the watch mode changes. Returns how many
    /// clients they concern.
    pub fn apply(&self, changes: impl IntoIterator<Item = Change>, received: Instant) -> usize {
        let mut held = self.lock();
        self.journal.batch(received, |batch| {
            for change in changes {
                match change {
                    Change::Set(object) => {
                        let stale = held.get(&object.row.key).is_some_and(|held| {
                            held.uid == object.uid
                                && held.resource_version > object.resource_version
                        });
                        if !stale {
                            put(&mut held, batch, object);
                        }
                    }
                    Change::Deleted(key, version) => {
                        let known = held.get(&key);
                        if known.is_some_and(|held| held.resource_version <= version) {
                            held.remove(&key);
                            batch.delete(&key);
                        }
                    }
                }
            }
        })
    }

    /// A list of `namespace` (of everything: `None`) gave exactly `live`, and a list is the truth:
    /// it is as new as anything that was seen before it was asked for, unless the API server was
    /// restored to an earlier version, and then it holds as well. Returns how many are gone.
    pub fn reset(&self, namespace: Option<&str>, live: Vec<Object>) -> usize {
        let mut held = self.lock();
        let listed: std::collections::BTreeSet<Key> =
            live.iter().map(|object| object.row.key.clone()).collect();
        let gone: Vec<Key> = range(&held, namespace)
            .filter(|(key, _)| !listed.contains(key))
            .map(|(key, _)| key.clone())
            .collect();
        for keys in gone.chunks(BATCH) {
            self.journal.batch(Instant::now(), |batch| {
                for key in keys {
                    held.remove(key);
                    batch.delete(key);
                }
            });
        }
        let mut live = live.into_iter().peekable();
        while live.peek().is_some() {
            self.journal.batch(Instant::now(), |batch| {
                for object in live.by_ref().take(BATCH) {
                    put(&mut held, batch, object);
                }
            });
        }
        gone.len()
    }

    /// The rows of a namespace may not be seen any more: clients are told that they are gone.
    pub fn withdraw(&self, namespace: Option<&str>) {
        self.reset(namespace, Vec::new());
    }

    /// The namespaces that have rows.
    #[must_use]
    pub fn namespaces(&self) -> std::collections::BTreeSet<String> {
        self.lock()
            .keys()
            .map(|key| key.namespace.clone())
            .collect()
    }

    /// Whether the namespace has a row.
    #[must_use]
    pub fn has(&self, namespace: &str) -> bool {
        range(&self.lock(), Some(namespace)).next().is_some()
    }

    /// Nobody watches the namespace any more: its rows go without a word.
    pub fn forget(&self, namespace: &str) {
        let mut held = self.lock();
        let keys: Vec<Key> = range(&held, Some(namespace))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            held.remove(&key);
        }
        self.journal.forget(namespace);
    }
}

fn put(held: &mut BTreeMap<Key, Held>, batch: &mut Batch<'_>, object: Object) {
    let Object {
        row,
        uid,
        version,
        resource_version,
    } = object;
    let same = held
        .get_mut(&row.key)
        .filter(|held| held.uid == uid && held.version == version);
    if let Some(held) = same {
        held.resource_version = resource_version;
        return;
    }
    // One of this name went before, which a list does not tell.
    if held.get(&row.key).is_some_and(|held| held.uid != uid) {
        batch.delete(&row.key);
    }
    held.insert(
        row.key.clone(),
        Held {
            uid,
            version,
            resource_version,
        },
    );
    batch.upsert(row);
}

fn range<'a>(
    held: &'a BTreeMap<Key, Held>,
    namespace: Option<&'a str>,
) -> impl Iterator<Item = (&'a Key, &'a Held)> {
    let from = Key::new(namespace.unwrap_or_default(), "");
    held.range(from..)
        .take_while(move |(key, _)| namespace.is_none_or(|name| key.namespace == name))
}
