//! The cluster: its settings, its state, and access to it without HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::access::Rules;
use crate::churn::Churn;
use crate::content;
use crate::counters::{Counters, Requests};
use crate::faults::Faults;
use crate::random::Random;
use crate::resource::{Resource, text};
use crate::routes;
use crate::selector::Selection;
use crate::store::Store;

/// Size, seed and rate of a simulated cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many namespaces there are at the start.
    pub namespaces: usize,
    /// How many ingresses there are at the start, spread unevenly over the namespaces.
    pub ingresses: usize,
    /// The same seed gives the same objects and the same churn; only times are relative to the
    /// start.
    pub seed: u64,
    /// Changes per second of [`Cluster::churn`], on average; 0 is none.
    pub churn_per_second: f64,
    /// How often a watch that asked for bookmarks is sent one.
    pub bookmark_interval: Duration,
    /// How many changes are kept for watches and paged lists before the oldest is compacted away.
    pub history: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: 12,
            ingresses: 60,
            seed: 0x1496_e55e,
            churn_per_second: 0.5,
            bookmark_interval: Duration::from_secs(60),
            history: 10_000,
        }
    }
}

/// A simulated cluster; clones share it.
#[derive(Clone, Debug)]
pub struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// Never held across an await; every critical section is a look-up, a write or the copying of
    /// references.
    state: Mutex<State>,
    /// Wakes watches, which then read the log from their cursor. Its value is the number of times
    /// that all watches have been dropped.
    signal: watch::Sender<u64>,
    rules: Rules,
    faults: Faults,
    counters: Counters,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) random: Random,
    pub(crate) churn: Churn,
}

impl Cluster {
    /// A lifelike cluster. Nothing changes it until [`Cluster::churn`] runs.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut random = Random::new(settings.seed);
        let mut store = Store::new(settings.history);
        let now = Timestamp::now().as_second();
        let namespaces = content::namespaces(&mut random, settings.namespaces);
        for name in &namespaces {
            store.put(
                Resource::Namespaces,
                content::namespace(&mut random, name, now),
            );
        }
        for ingress in content::ingresses(&mut random, &namespaces, settings.ingresses, now) {
            store.put(Resource::Ingresses, ingress);
        }
        store.compact();
        let churn = Churn::new(settings.seed, settings.ingresses);
        let signal = watch::Sender::new(0);
        Self(Arc::new(Inner {
            settings,
            state: Mutex::new(State {
                store,
                random,
                churn,
            }),
            faults: Faults::new(signal.clone()),
            signal,
            rules: Rules::default(),
            counters: Counters::default(),
        }))
    }

    /// A cluster with nothing in it and no churn.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Settings {
            namespaces: 0,
            ingresses: 0,
            churn_per_second: 0.0,
            ..Settings::default()
        })
    }

    /// The API server, as a service for `kube::Client::new` or `axum::serve`.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// Changes the cluster for ever, at the rate of the settings. The caller owns the task and ends
    /// it by dropping.
    pub async fn churn(&self) {
        let rate = self.0.settings.churn_per_second;
        if rate <= 0.0 {
            return std::future::pending().await;
        }
        let mut due = tokio::time::Instant::now();
        loop {
            due += self.write(|state| state.churn.pause(rate));
            tokio::time::sleep_until(due).await;
            self.churn_once();
        }
    }

    /// One lifelike change: an ingress is created, changed or deleted.
    pub fn churn_once(&self) {
        let now = Timestamp::now().as_second();
        self.write(|state| {
            let State { store, churn, .. } = state;
            churn.step(store, now);
        });
    }

    /// Creates a namespace if it is not there.
    pub fn apply_namespace(&self, name: &str) {
        self.write(|state| state.ensure_namespace(name));
    }

    /// Deletes a namespace with its ingresses, if it is there.
    pub fn delete_namespace(&self, name: &str) {
        self.write(|state| state.delete_namespace(name));
    }

    /// Creates or replaces an ingress and returns it as stored. The namespace, `default` where none
    /// is given, is created if it is not there. Nothing is validated, so that tests can have
    /// objects no API server accepts.
    ///
    /// # Panics
    ///
    /// If the value is not an object with a `metadata.name`.
    pub fn apply(&self, ingress: Value) -> Value {
        assert!(
            text(&ingress, "/metadata/name").is_some(),
            "an ingress without metadata.name: {ingress}"
        );
        self.write(|state| {
            let namespace = text(&ingress, "/metadata/namespace")
                .unwrap_or("default")
                .to_owned();
            state.ensure_namespace(&namespace);
            let mut ingress = ingress;
            ingress["metadata"]["namespace"] = namespace.as_str().into();
            state.apply(Resource::Ingresses, ingress)
        })
    }

    /// Deletes an ingress; false if there is none.
    pub fn delete(&self, namespace: &str, name: &str) -> bool {
        let key = Resource::Ingresses.key(Some(namespace), name);
        self.write(|state| state.store.remove(Resource::Ingresses, &key).is_some())
    }

    /// The ingresses of one namespace, or all, in the order of a list.
    #[must_use]
    pub fn list(&self, namespace: Option<&str>) -> Vec<Value> {
        let selection = Selection::all(Resource::Ingresses, namespace);
        let objects: Vec<_> = self.read(|state| {
            state
                .store
                .table(Resource::Ingresses)
                .values()
                .filter(|object| selection.matches(object))
                .cloned()
                .collect()
        });
        objects.iter().map(|object| object.value()).collect()
    }

    /// The current resource version.
    #[must_use]
    pub fn resource_version(&self) -> u64 {
        self.read(|state| state.store.version())
    }

    /// Forgets all history, as etcd's compaction does: a watch from an older version is told 410 in
    /// its stream, and a continue token of an older list expires.
    pub fn compact(&self) {
        self.write(|state| state.store.compact());
    }

    /// Goes back to an earlier version, as when etcd is restored from a backup: later changes never
    /// happened, their versions are given out again, and every open watch breaks. Content goes back
    /// as far as history is kept.
    pub fn restore(&self, resource_version: u64) {
        self.write(|state| state.store.restore(resource_version));
        self.faults().drop_watches();
    }

    /// The access rules, to be changed at will; everything is allowed at first.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The faults on command; none at first.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// How many watches are open.
    #[must_use]
    pub fn open_watches(&self) -> usize {
        self.0.counters.open_watches(None)
    }

    /// How many watches of one resource, such as `ingresses`, are open.
    #[must_use]
    pub fn open_watches_of(&self, resource: &str) -> usize {
        self.0.counters.open_watches(Some(resource))
    }

    /// What has been asked so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.0.counters.requests(None)
    }

    /// What has been asked so far about one resource, such as `ingresses`.
    #[must_use]
    pub fn requests_of(&self, resource: &str) -> Requests {
        self.0.counters.requests(Some(resource))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.signal.subscribe()
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Changes the state and wakes the watches if that made a new version.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let before = state.store.version();
        let result = write(&mut state);
        let changed = state.store.version() != before;
        drop(state);
        if changed {
            self.0.signal.send_modify(|_| {});
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ensure_namespace(&mut self, name: &str) {
        if self.store.get(Resource::Namespaces, name).is_none() {
            let namespace = Store::namespace(name, &self.random.uuid(), &content::now());
            self.store.put(Resource::Namespaces, namespace);
        }
    }

    /// As the namespace controller does: the namespace terminates, its content goes, and then the
    /// namespace itself.
    pub(crate) fn delete_namespace(&mut self, name: &str) {
        let Some(namespace) = self.store.get(Resource::Namespaces, name) else {
            return;
        };
        let mut terminating = namespace.value();
        terminating["metadata"]["deletionTimestamp"] = content::now().into();
        terminating["status"] = json!({ "phase": "Terminating" });
        self.store.put(Resource::Namespaces, terminating);
        let range = Selection::all(Resource::Ingresses, Some(name)).range(None);
        let keys: Vec<_> = self
            .store
            .table(Resource::Ingresses)
            .range(range)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.store.remove(Resource::Ingresses, &key);
        }
        self.store.remove(Resource::Namespaces, name);
    }

    /// Creates or replaces, filling in what the API server fills in.
    fn apply(&mut self, resource: Resource, mut value: Value) -> Value {
        let name = text(&value, "/metadata/name").unwrap_or_default();
        let key = resource.key(text(&value, "/metadata/namespace"), name);
        let existing = self.store.get(resource, &key).map(|object| object.value());
        let metadata = &mut value["metadata"];
        let kept = existing
            .as_ref()
            .map_or(&Value::Null, |object| &object["metadata"]);
        if metadata["uid"].is_null() {
            metadata["uid"] = kept["uid"]
                .as_str()
                .map_or_else(|| self.random.uuid(), str::to_owned)
                .into();
        }
        if metadata["creationTimestamp"].is_null() {
            let created = kept["creationTimestamp"]
                .as_str()
                .map_or_else(content::now, str::to_owned);
            metadata["creationTimestamp"] = created.into();
        }
        let generation = kept["generation"].as_u64().unwrap_or(0);
        let same_spec = existing
            .as_ref()
            .is_some_and(|object| object["spec"] == value["spec"]);
        value["metadata"]["generation"] = (generation + u64::from(!same_spec)).into();
        self.store.put(resource, value).value()
    }
}
