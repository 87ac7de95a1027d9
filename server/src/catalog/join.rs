//! Inputs in, rows out: what changes an input makes the rows again that were made of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use protocol::Key;

use super::derive::{Derive, Lookup};
use super::inputs::{Held, Inputs, Object};
use super::links::{Due, Links};
use crate::cluster::source::Source;
use crate::row::Row;

/// What becomes of rows.
pub(super) trait Rows {
    /// The newest state of a row.
    fn upsert(&mut self, row: Arc<Row>);
    /// The row is gone.
    fn delete(&mut self, key: &Key);
}

/// The inputs, and the rows that are made of them. A row whose bytes are the same is no news.
#[derive(Debug)]
pub(super) struct Join<D: Derive> {
    inputs: Inputs<D::Input>,
    links: Links,
    due: Due,
}

impl<D: Derive> Default for Join<D> {
    fn default() -> Self {
        Self {
            inputs: Inputs::default(),
            links: Links::default(),
            due: Due::default(),
        }
    }
}

impl<D: Derive> Join<D> {
    /// Whether something newer is known of the object: two feeds may overlap while the watch mode
    /// changes.
    pub(super) fn is_stale(&self, source: Source, object: &Object<D::Input>) -> bool {
        let held = self.inputs.get(source, &object.key);
        held.is_some_and(|held| {
            held.uid == object.uid && held.resource_version > object.resource_version
        })
    }

    /// An object was added or changed.
    pub(super) fn set(
        &mut self,
        source: Source,
        object: Object<D::Input>,
        now: Instant,
        rows: &mut impl Rows,
    ) {
        let Object {
            key,
            uid,
            version,
            resource_version,
            input,
        } = object;
        let mut row = None;
        if let Some(held) = self.inputs.get_mut(source, &key) {
            if held.uid == uid {
                if held.version == version {
                    held.resource_version = resource_version;
                    return;
                }
                row = held.row.take();
            } else if held.row.take().is_some() {
                // One of this name went before, which a list does not tell.
                rows.delete(&key);
            }
        }
        let held = Held {
            uid,
            version,
            resource_version,
            input,
            row,
        };
        self.inputs.insert(source, key.clone(), held);
        self.changed(source, &key, now, rows);
    }

    /// An object was deleted at a resource version.
    pub(super) fn delete(
        &mut self,
        source: Source,
        key: &Key,
        version: u64,
        now: Instant,
        rows: &mut impl Rows,
    ) {
        let held = self.inputs.get(source, key);
        if held.is_some_and(|held| held.resource_version <= version) {
            self.remove(source, key, now, rows);
        }
    }

    /// An object is not there any more.
    pub(super) fn remove(&mut self, source: Source, key: &Key, now: Instant, rows: &mut impl Rows) {
        let Some(held) = self.inputs.remove(source, key) else {
            return;
        };
        if source == D::ROWS {
            self.forget_row(key);
            if held.row.is_some() {
                rows.delete(key);
            }
        }
        self.changed(source, key, now, rows);
    }

    /// The inputs of a source in a namespace, or in all, that are not among these.
    pub(super) fn missing(
        &self,
        source: Source,
        namespace: Option<&str>,
        listed: &BTreeSet<Key>,
    ) -> Vec<Key> {
        let keys = self.inputs.keys(source, namespace);
        keys.filter(|key| !listed.contains(key)).cloned().collect()
    }

    /// Drops the objects of a namespace that rows are of. Nobody is told of it.
    pub(super) fn forget(&mut self, namespace: &str) {
        let keys: Vec<Key> = self
            .inputs
            .keys(D::ROWS, Some(namespace))
            .cloned()
            .collect();
        for key in keys {
            self.inputs.remove(D::ROWS, &key);
            self.forget_row(&key);
        }
    }

    /// Makes the rows again that are due, and says when the next one is.
    pub(super) fn settle(&mut self, now: Instant, rows: &mut impl Rows) -> Option<Instant> {
        while let Some(key) = self.due.take(now) {
            self.derive(&key, now, rows);
        }
        self.due.next()
    }

    /// The namespaces that have objects which rows are of.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        let keys = self.inputs.keys(D::ROWS, None);
        keys.map(|key| key.namespace.clone()).collect()
    }

    /// Whether the namespace has an object that a row is of.
    pub(super) fn has(&self, namespace: &str) -> bool {
        self.inputs.keys(D::ROWS, Some(namespace)).next().is_some()
    }

    fn changed(&mut self, source: Source, key: &Key, now: Instant, rows: &mut impl Rows) {
        if source == D::ROWS {
            self.derive(key, now, rows);
        }
        for row in self.links.readers(source, key) {
            self.derive(&row, now, rows);
        }
    }

    /// Makes a row anew of what there is.
    fn derive(&mut self, key: &Key, now: Instant, rows: &mut impl Rows) {
        let mut lookup = Lookup::new(&self.inputs, (D::ROWS, key), now);
        let derived = D::derive(key, &mut lookup);
        let reads = std::mem::take(&mut lookup.reads);
        let Some(held) = self.inputs.get_mut(D::ROWS, key) else {
            return;
        };
        self.links.set(key, reads);
        self.due
            .set(key, derived.as_ref().and_then(|derived| derived.due));
        match derived {
            Some(derived) if held.row.as_ref() != Some(&derived.row) => {
                held.row = Some(Arc::clone(&derived.row));
                rows.upsert(derived.row);
            }
            Some(_) => {}
            None => {
                if held.row.take().is_some() {
                    rows.delete(key);
                }
            }
        }
    }

    fn forget_row(&mut self, key: &Key) {
        self.links.set(key, Vec::new());
        self.due.set(key, None);
    }
}

#[cfg(test)]
mod tests;
