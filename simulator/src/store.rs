//! The objects and the log of their changes.
//!
//! An object is encoded once, when it is written; lists and watches hand out those bytes. The log
//! is a ring that also keeps what each change replaced, so that any version still in it can be read
//! back: a paged list sees the state at its first page, as from etcd.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::resource::{Resource, text};
use crate::selector::Selection;

/// One version of one object.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) resource: Resource,
    pub(crate) key: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) labels: BTreeMap<String, String>,
    /// `status.phase`, the one field besides names that a selector may ask for.
    pub(crate) phase: Option<String>,
    pub(crate) encoded: Bytes,
}

impl Object {
    fn new(resource: Resource, mut value: Value, version: u64) -> Self {
        value["metadata"]["resourceVersion"] = Value::String(version.to_string());
        let namespace = text(&value, "/metadata/namespace").map(str::to_owned);
        let name = text(&value, "/metadata/name")
            .unwrap_or_default()
            .to_owned();
        let labels = value
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        let phase = text(&value, "/status/phase").map(str::to_owned);
        if let Some(fields) = value.as_object_mut() {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        let fields = value.to_string();
        let mut encoded = String::with_capacity(resource.prefix().len() + fields.len());
        encoded.push_str(resource.prefix());
        encoded.push_str(&fields[1..]);
        Self {
            resource,
            key: resource.key(namespace.as_deref(), &name),
            namespace,
            name,
            version,
            labels,
            phase,
            encoded: Bytes::from(encoded),
        }
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.encoded).unwrap_or_default()
    }

    /// What follows the opening brace of the object where kind and version are left out, as in a
    /// list.
    pub(crate) fn fields(&self) -> &[u8] {
        &self.encoded[self.resource.prefix().len()..]
    }

    /// The same object under another version: what a deleted object looks like to a watch.
    pub(crate) fn at(&self, version: u64) -> Self {
        Self::new(self.resource, self.value(), version)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    Added,
    Modified,
    Deleted,
}

impl Change {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

#[derive(Clone, Debug)]
struct Event {
    version: u64,
    change: Change,
    object: Arc<Object>,
    previous: Option<Arc<Object>>,
}

impl Event {
    /// What this event is to a watch: an object that starts or ceases to match appears or
    /// disappears.
    fn seen_by(&self, selection: &Selection) -> Option<(Change, Arc<Object>)> {
        let before = self
            .previous
            .as_ref()
            .filter(|object| selection.matches(object));
        let after = Some(&self.object)
            .filter(|object| self.change != Change::Deleted && selection.matches(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(object)) => Some((Change::Added, Arc::clone(object))),
            (Some(_), Some(object)) => Some((Change::Modified, Arc::clone(object))),
            (Some(_), None) if self.change == Change::Deleted => {
                Some((Change::Deleted, Arc::clone(&self.object)))
            }
            (Some(previous), None) => Some((Change::Deleted, Arc::new(previous.at(self.version)))),
        }
    }
}

/// The version asked for is no longer in the log.
#[derive(Debug)]
pub(crate) struct Compacted;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Object>>,
    /// Where the next page starts; none on the last.
    pub(crate) next: Option<String>,
    pub(crate) remaining: usize,
}

/// What a watch has not seen yet.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: Vec<(Change, Arc<Object>)>,
    /// Where the watch stands after these events.
    pub(crate) cursor: u64,
}

#[derive(Debug)]
pub(crate) struct Store {
    version: u64,
    /// Versions below this one cannot be read or watched from.
    compacted: u64,
    namespaces: BTreeMap<String, Arc<Object>>,
    ingresses: BTreeMap<String, Arc<Object>>,
    log: VecDeque<Event>,
    history: usize,
}

impl Store {
    pub(crate) fn new(history: usize) -> Self {
        Self {
            version: 1,
            compacted: 1,
            namespaces: BTreeMap::new(),
            ingresses: BTreeMap::new(),
            log: VecDeque::new(),
            history,
        }
    }

    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    pub(crate) const fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(crate) const fn table(&self, resource: Resource) -> &BTreeMap<String, Arc<Object>> {
        match resource {
            Resource::Namespaces => &self.namespaces,
            Resource::Ingresses => &self.ingresses,
        }
    }

    const fn table_mut(&mut self, resource: Resource) -> &mut BTreeMap<String, Arc<Object>> {
        match resource {
            Resource::Namespaces => &mut self.namespaces,
            Resource::Ingresses => &mut self.ingresses,
        }
    }

    pub(crate) fn get(&self, resource: Resource, key: &str) -> Option<&Arc<Object>> {
        self.table(resource).get(key)
    }

    /// Writes an object that is complete but for its version.
    pub(crate) fn put(&mut self, resource: Resource, value: Value) -> Arc<Object> {
        self.version += 1;
        let object = Arc::new(Object::new(resource, value, self.version));
        let previous = self
            .table_mut(resource)
            .insert(object.key.clone(), Arc::clone(&object));
        let change = if previous.is_some() {
            Change::Modified
        } else {
            Change::Added
        };
        self.append(Event {
            version: self.version,
            change,
            object: Arc::clone(&object),
            previous,
        });
        object
    }

    /// Removes an object and returns it as it was, under the version of its removal.
    pub(crate) fn remove(&mut self, resource: Resource, key: &str) -> Option<Arc<Object>> {
        let previous = self.table_mut(resource).remove(key)?;
        self.version += 1;
        let object = Arc::new(previous.at(self.version));
        self.append(Event {
            version: self.version,
            change: Change::Deleted,
            object: Arc::clone(&object),
            previous: Some(previous),
        });
        Some(object)
    }

    fn append(&mut self, event: Event) {
        self.log.push_back(event);
        while self.log.len() > self.history {
            if let Some(forgotten) = self.log.pop_front() {
                self.compacted = forgotten.version;
            }
        }
    }

    pub(crate) fn compact(&mut self) {
        self.log.clear();
        self.compacted = self.version;
    }

    /// Goes back to an earlier version; content older than the log is that of the log's beginning.
    pub(crate) fn restore(&mut self, version: u64) {
        while let Some(event) = self.log.pop_back_if(|event| event.version > version) {
            let table = self.table_mut(event.object.resource);
            match event.previous {
                Some(previous) => table.insert(previous.key.clone(), previous),
                None => table.remove(&event.object.key),
            };
        }
        self.version = self.version.min(version);
        self.compacted = self.compacted.min(version);
    }

    /// Up to `limit` selected objects in key order from `start` on, as they were at `version`.
    pub(crate) fn page(
        &self,
        selection: &Selection,
        start: Option<&str>,
        limit: usize,
        version: u64,
    ) -> Result<Page, Compacted> {
        if version < self.compacted {
            return Err(Compacted);
        }
        let range = selection.range(start);
        let undone = self.undone_since(selection.resource, version);
        let mut unchanged = self
            .table(selection.resource)
            .range::<str, _>(as_strs(&range))
            .filter(|(key, _)| !undone.contains_key(key.as_str()))
            .map(|(_, object)| object)
            .peekable();
        let mut changed = undone
            .range::<str, _>(as_strs(&range))
            .filter_map(|(_, object)| object.as_ref())
            .peekable();
        let mut objects = std::iter::from_fn(|| match (unchanged.peek(), changed.peek()) {
            (Some(left), Some(right)) if left.key < right.key => unchanged.next(),
            (_, Some(_)) => changed.next(),
            (_, None) => unchanged.next(),
        })
        .filter(|object| selection.matches(object));

        let items: Vec<_> = objects.by_ref().take(limit).cloned().collect();
        let remaining = objects.count();
        let next = items
            .last()
            .filter(|_| remaining > 0)
            .map(|last| format!("{}\0", last.key));
        Ok(Page {
            items,
            next,
            remaining,
        })
    }

    /// What was at `version` under each key that has changed since.
    fn undone_since(
        &self,
        resource: Resource,
        version: u64,
    ) -> BTreeMap<&str, Option<Arc<Object>>> {
        let mut undone = BTreeMap::new();
        for event in self
            .log
            .iter()
            .rev()
            .take_while(|event| event.version > version)
        {
            if event.object.resource == resource {
                undone.insert(event.object.key.as_str(), event.previous.clone());
            }
        }
        undone
    }

    /// The changes above a cursor, at most `limit` of them.
    pub(crate) fn after(
        &self,
        cursor: u64,
        selection: &Selection,
        limit: usize,
    ) -> Result<Batch, Compacted> {
        if cursor < self.compacted {
            return Err(Compacted);
        }
        let mut events = Vec::new();
        let first = self.log.partition_point(|event| event.version <= cursor);
        for event in self.log.range(first..) {
            if event.object.resource != selection.resource {
                continue;
            }
            if let Some(seen) = event.seen_by(selection) {
                events.push(seen);
                if events.len() == limit {
                    return Ok(Batch {
                        events,
                        cursor: event.version,
                    });
                }
            }
        }
        Ok(Batch {
            events,
            cursor: cursor.max(self.version),
        })
    }

    /// The status object a new namespace has, here because both the API and direct access create
    /// namespaces.
    pub(crate) fn namespace(name: &str, uid: &str, created: &str) -> Value {
        json!({
            "metadata": {
                "name": name,
                "uid": uid,
                "creationTimestamp": created,
                "labels": { "kubernetes.io/metadata.name": name },
            },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        })
    }
}

fn as_strs(range: &(Bound<String>, Bound<String>)) -> (Bound<&str>, Bound<&str>) {
    (
        range.0.as_ref().map(String::as_str),
        range.1.as_ref().map(String::as_str),
    )
}
