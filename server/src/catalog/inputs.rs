//! What is kept of the objects of each source.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::Key;

use crate::cluster::source::Source;
use crate::row::Row;

/// One object of a list or a watch event, as far as rows are made of it.
#[derive(Clone, Debug)]
pub struct Object<I> {
    /// The identity of the object.
    pub key: Key,
    /// `metadata.uid`
    pub uid: String,
    /// Equal versions are equal inputs.
    pub version: String,
    /// `metadata.resourceVersion`, which Kubernetes lets clients compare as a number.
    pub resource_version: u64,
    /// What is kept of it.
    pub input: I,
}

/// An input with what tells it from an older one.
#[derive(Debug)]
pub(super) struct Held<I> {
    pub(super) uid: String,
    pub(super) version: String,
    pub(super) resource_version: u64,
    pub(super) input: I,
    /// The row that was made last of an input that rows are of.
    pub(super) row: Option<Arc<Row>>,
}

/// The inputs by source, then by namespace and name.
#[derive(Debug)]
pub(super) struct Inputs<I>(BTreeMap<Source, BTreeMap<Key, Held<I>>>);

impl<I> Default for Inputs<I> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I> Inputs<I> {
    pub(super) fn get(&self, source: Source, key: &Key) -> Option<&Held<I>> {
        self.0.get(&source)?.get(key)
    }

    pub(super) fn get_mut(&mut self, source: Source, key: &Key) -> Option<&mut Held<I>> {
        self.0.get_mut(&source)?.get_mut(key)
    }

    pub(super) fn insert(&mut self, source: Source, key: Key, held: Held<I>) {
        self.0.entry(source).or_default().insert(key, held);
    }

    pub(super) fn remove(&mut self, source: Source, key: &Key) -> Option<Held<I>> {
        self.0.get_mut(&source)?.remove(key)
    }

    /// The identities of a source's inputs in a namespace, or in all.
    pub(super) fn keys<'a>(
        &'a self,
        source: Source,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Key> {
        let from = Key::new(namespace.unwrap_or_default(), "");
        let inputs = self.0.get(&source).into_iter();
        inputs
            .flat_map(move |inputs| inputs.range(from.clone()..))
            .map(|(key, _)| key)
            .take_while(move |key| namespace.is_none_or(|name| key.namespace == name))
    }
}
