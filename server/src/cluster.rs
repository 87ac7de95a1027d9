//! Which API server there is, what may be watched there, and the feeds that watch it.
//!
//! Streams say what they need ([`Cluster::demand`]); the supervisor ([`Cluster::run`]) decides
//! the watch mode, compares what is needed with what runs, and starts and stops feeds.
//!
//! It is one file: mode, demand and running feeds are decided together.

pub mod api;
mod backoff;
mod cause;
pub mod connect;
pub mod feed;
pub mod plugin;
mod proxy;
pub mod pulse;
pub mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::Scope;
use protocol::message::ErrorReason;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::{debug, info, warn};

use self::api::{Api, ApiError, Collection, REQUEST_LIMIT};
use self::backoff::jittered;
use self::feed::{Feed, Limits, Sink};
use self::source::{FeedState, INGRESSES, NAMESPACES};
use crate::access::Visible;
use crate::catalog::{Catalog, Change, Object};
use crate::config::WatchMode;
use crate::journal::{FeedError, Journal};
use crate::metrics::Metrics;
use crate::project::{self, InvalidObject};

/// A feed that nobody needs is kept this long: people come back. One that shows nothing is kept as
/// long where others wait for its place.
const LINGER: Duration = Duration::from_secs(60);
/// Lists at the same time.
const CONCURRENT_LISTS: usize = 8;
/// At most one early try in this time, however many clients ask for it.
const HURRY_PAUSE: Duration = Duration::from_secs(5);
/// Whether the whole cluster may be watched after all is asked this often.
const MODE_RECHECK: Duration = Duration::from_secs(60);
const DECISION_RETRY_MIN: Duration = Duration::from_secs(1);
const DECISION_RETRY_MAX: Duration = Duration::from_secs(30);

/// How the cluster is watched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `WATCH_MODE`
    pub mode: WatchMode,
    /// `WATCH_NAMESPACES`: empty for every namespace.
    pub namespaces: BTreeSet<String>,
    /// `MAX_WATCHES`: feeds of single namespaces at the same time.
    pub max_watches: usize,
    /// `K8S_WATCH_TIMEOUT`
    pub watch_timeout: Duration,
}

/// The watched cluster. Shared by reference.
pub struct Cluster {
    api: Api,
    journal: Arc<Journal>,
    catalog: Arc<Catalog>,
    settings: Settings,
    limits: Arc<Limits>,
    demanded: Mutex<BTreeMap<Scope, usize>>,
    changed: Arc<Notify>,
    /// Whether a namespace that is not listed does not exist.
    names_are_known: Arc<AtomicBool>,
    version: watch::Sender<Option<String>>,
    silent: watch::Sender<Option<ApiError>>,
    hurried: Mutex<Option<Instant>>,
}

/// Keeps the feeds of a scope running until dropped.
pub struct Demand {
    cluster: Arc<Cluster>,
    scope: Scope,
}

impl Drop for Demand {
    fn drop(&mut self) {
        let mut demanded = self.cluster.lock_demanded();
        if let Some(count) = demanded.get_mut(&self.scope) {
            *count -= 1;
            if *count == 0 {
                demanded.remove(&self.scope);
            }
        }
        drop(demanded);
        self.cluster.changed.notify_one();
    }
}

/// Ends its task when dropped: no feed outlives what started it.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }

    /// Ends the task and waits until it has: it writes nothing any more.
    async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

/// The feed of one namespace.
struct Running {
    task: Task,
    started: Instant,
    unneeded_since: Option<Instant>,
}

/// What streams need.
struct Needed {
    namespaces: BTreeSet<String>,
    /// Those that exist, where that is known.
    existing: Option<BTreeSet<String>>,
}

impl Needed {
    /// Whether it is known that there is no such namespace.
    fn is_made_up(&self, name: &str) -> bool {
        let existing = self.existing.as_ref();
        existing.is_some_and(|existing| !existing.contains(name))
    }
}

impl Cluster {
    /// A cluster behind `api` whose rows go to `journal`. Nothing runs until [`Cluster::run`].
    #[must_use]
    pub fn new(
        api: Api,
        journal: Arc<Journal>,
        settings: Settings,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        if !settings.namespaces.is_empty() {
            journal.limit_to(settings.namespaces.clone());
        }
        let (silent, silence) = pulse::channel();
        Arc::new(Self {
            api,
            catalog: Arc::new(Catalog::new(journal.clone())),
            journal,
            limits: Arc::new(Limits {
                watch_timeout: settings.watch_timeout,
                lists: Semaphore::new(CONCURRENT_LISTS),
                silence,
                hurry: Notify::new(),
                metrics,
            }),
            settings,
            demanded: Mutex::default(),
            changed: Arc::default(),
            names_are_known: Arc::default(),
            version: watch::Sender::new(None),
            silent,
            hurried: Mutex::default(),
        })
    }

    /// Tries at once what is being waited with: requests that failed, and permissions that are
    /// missing. Returns whether that is so: in the next few seconds after one nobody may.
    pub fn try_now(&self) -> bool {
        let now = Instant::now();
        let mut hurried = self.hurried.lock().unwrap_or_else(PoisonError::into_inner);
        if hurried.is_some_and(|at| now < at + HURRY_PAUSE) {
            return false;
        }
        *hurried = Some(now);
        self.limits.hurry.notify_waiters();
        true
    }

    /// The API server.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The API server's version, once it has answered.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.version.borrow().clone()
    }

    /// Keeps the feeds of the visible namespaces running until the demand is dropped.
    #[must_use]
    pub fn demand(self: &Arc<Self>, visible: &Visible) -> Demand {
        let scope = visible.scope().clone();
        *self.lock_demanded().entry(scope.clone()).or_insert(0) += 1;
        self.changed.notify_one();
        Demand {
            cluster: self.clone(),
            scope,
        }
    }

    fn lock_demanded(&self) -> MutexGuard<'_, BTreeMap<Scope, usize>> {
        self.demanded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches until dropped.
    pub async fn run(self: Arc<Self>) {
        let mut whole = self.decide().await;
        let _pulse = Task::spawn(pulse::run(self.api.clone(), self.silent.clone()));
        let namespaces = self.settings.namespaces.is_empty().then(|| {
            let sink = NamespaceSink::new(&self);
            let feed = Feed::new(
                self.api.clone(),
                Collection::new(NAMESPACES, None),
                sink,
                self.limits.clone(),
            );
            Task::spawn(feed.run(false))
        });
        loop {
            if whole {
                self.journal.set_cluster_wide(true);
                info!(
                    watch.mode = "cluster",
                    url = self.api.url(),
                    "one watch serves all namespaces"
                );
                self.watch_whole().await;
            } else {
                self.journal.set_cluster_wide(false);
                info!(
                    watch.mode = "namespaced",
                    url = self.api.url(),
                    "one watch per namespace"
                );
                self.watch_namespaces(namespaces.is_some()).await;
            }
            whole = self.decide().await;
        }
    }

    /// Whether the whole cluster is watched at once. Waits for an answer where it has to ask.
    async fn decide(&self) -> bool {
        let mut delay = DECISION_RETRY_MIN;
        let mut said = String::new();
        loop {
            let answer = async {
                let version = self.api.version(REQUEST_LIMIT).await;
                self.version.send_replace(Some(version?));
                match self.settings.mode {
                    WatchMode::Cluster => Ok(true),
                    WatchMode::Namespaced => Ok(false),
                    WatchMode::Auto => self.may_watch_all().await,
                }
            };
            match answer.await {
                Ok(whole) => {
                    return whole;
                }
                Err(error) => {
                    let delay_now = jittered(delay);
                    let (text, retry_in_ms) = (error.to_string(), delay_now.as_millis() as u64);
                    if said == text {
                        debug!(
                            error = text,
                            retry_in_ms, "the cluster still cannot be watched"
                        );
                    } else {
                        warn!(
                            error = text,
                            retry_in_ms, "the cluster cannot be watched yet"
                        );
                        said.clone_from(&text);
                    }
                    let error = FeedError {
                        reason: error.reason(),
                        text,
                        retry_at: Some((Instant::now() + delay_now).into_std()),
                        missing: None,
                    };
                    let state = FeedState::Retrying;
                    self.journal
                        .set_status(INGRESSES, None, state, false, Some(error));
                    self.limits.pause(delay_now).await;
                    delay = (delay * 2).min(DECISION_RETRY_MAX);
                }
            }
        }
    }

    async fn may_watch_all(&self) -> Result<bool, ApiError> {
        let all = Collection::new(INGRESSES, None);
        Ok(self.api.may("list", &all).await? && self.api.may("watch", &all).await?)
    }

    /// One feed for everything, until it is forbidden.
    async fn watch_whole(&self) {
        let sink = IngressSink::new(self, None);
        let feed = Feed::new(
            self.api.clone(),
            Collection::new(INGRESSES, None),
            sink,
            self.limits.clone(),
        );
        // With WATCH_MODE=cluster there is no other way: the feed waits for its permission.
        feed.run(self.settings.mode == WatchMode::Auto).await;
    }

    /// A feed per namespace that somebody needs, until the whole cluster may be watched.
    async fn watch_namespaces(&self, lists_namespaces: bool) {
        let mut running: BTreeMap<String, Running> = BTreeMap::new();
        let mut left_out = BTreeMap::new();
        let mut recheck = Instant::now() + jittered(MODE_RECHECK);
        let mut lingering_until;
        // Rows of the time with one feed stay where a feed takes them over, and leave elsewhere.
        let needed = self.needed(lists_namespaces);
        for namespace in self.catalog.namespaces() {
            if !needed.namespaces.contains(&namespace) {
                self.catalog.withdraw(INGRESSES, Some(&namespace));
            }
        }
        loop {
            let needed = self.needed(lists_namespaces);
            lingering_until = self.reconcile(&needed, &mut running, &mut left_out).await;
            let wake = lingering_until.map_or(recheck, |at: Instant| at.min(recheck));
            let pause = wake.saturating_duration_since(Instant::now());
            let _ = timeout(pause, self.changed.notified()).await;
            if Instant::now() >= recheck {
                recheck = Instant::now() + jittered(MODE_RECHECK);
                if self.settings.mode == WatchMode::Auto
                    && matches!(self.may_watch_all().await, Ok(true))
                {
                    // A list is the truth: what wrote before it must have ended.
                    for feed in running.into_values() {
                        feed.task.stop().await;
                    }
                    return;
                }
            }
        }
    }

    /// The namespaces that streams need now.
    fn needed(&self, lists_namespaces: bool) -> Needed {
        let universe = match lists_namespaces {
            true => self.journal.universe(),
            false => Some(self.settings.namespaces.clone()),
        };
        let mut namespaces = BTreeSet::new();
        for scope in self.lock_demanded().keys() {
            match scope {
                Scope::All => namespaces.extend(universe.iter().flatten().cloned()),
                Scope::Namespaces(names) => namespaces.extend(names.iter().cloned()),
            }
        }
        self.journal.retain_admitted(&mut namespaces);
        let are_known = !lists_namespaces || self.names_are_known.load(Ordering::Acquire);
        Needed {
            namespaces,
            existing: universe.filter(|_| are_known),
        }
    }

    /// Stops the feeds that nobody has needed for a while and starts those that are. Returns when
    /// the next one is to be stopped.
    async fn reconcile(
        &self,
        needed: &Needed,
        running: &mut BTreeMap<String, Running>,
        left_out: &mut BTreeMap<String, Instant>,
    ) -> Option<Instant> {
        let now = Instant::now();
        let mut lingering_until: Option<Instant> = None;
        let mut over = Vec::new();
        for (name, feed) in running.iter_mut() {
            if needed.namespaces.contains(name) {
                feed.unneeded_since = None;
                continue;
            }
            let until = *feed.unneeded_since.get_or_insert(now) + LINGER;
            if until <= now {
                over.push(name.clone());
            } else {
                lingering_until = Some(lingering_until.map_or(until, |at| at.min(until)));
            }
        }
        for name in over {
            info!(watch.scope = name, "feed stopped");
            self.stop(running, &name).await;
        }
        self.journal.forget_left_out(&needed.namespaces);
        // What is said of one that nobody needs is said to nobody any more.
        left_out.retain(|name, _| {
            let is_needed = needed.namespaces.contains(name) && !needed.is_made_up(name);
            if !is_needed {
                self.catalog.forget(name);
            }
            is_needed
        });
        // Those that do not exist are watched once they do. The one that waits longest is the first.
        let mut waiting: Vec<_> = needed
            .namespaces
            .iter()
            .filter(|name| !running.contains_key(*name) && !needed.is_made_up(name))
            .collect();
        waiting.sort_by_key(|name| left_out.get(*name).copied().unwrap_or(now));
        for name in waiting {
            if running.len() >= self.settings.max_watches {
                let gone = self.make_room(needed, running).await;
                let without = gone.as_ref().unwrap_or(name);
                if needed.namespaces.contains(without) && !needed.is_made_up(without) {
                    self.leave_out(without);
                    left_out.entry(without.clone()).or_insert(now);
                    let until = now + LINGER;
                    lingering_until = Some(lingering_until.map_or(until, |at| at.min(until)));
                }
                if gone.is_none() {
                    continue;
                }
            }
            let sink = IngressSink::new(self, Some(name.clone()));
            let collection = Collection::new(INGRESSES, Some(name.clone()));
            let feed = Feed::new(self.api.clone(), collection, sink, self.limits.clone());
            let feed = Running {
                task: Task::spawn(feed.run(false)),
                started: now,
                unneeded_since: None,
            };
            left_out.remove(name);
            running.insert(name.clone(), feed);
        }
        lingering_until
    }

    /// Says that there is no place for a feed.
    fn leave_out(&self, name: &str) {
        let error = FeedError {
            reason: ErrorReason::Internal,
            text: format!(
                "{name} is not watched: {} watches are the most that this server keeps (MAX_WATCHES)",
                self.settings.max_watches
            ),
            retry_at: None,
            missing: None,
        };
        self.journal.leave_out(INGRESSES, name, error);
    }

    /// Stops a feed, and drops its rows once it writes no more.
    async fn stop(&self, running: &mut BTreeMap<String, Running>, name: &str) {
        if let Some(feed) = running.remove(name) {
            feed.task.stop().await;
            self.catalog.forget(name);
        }
    }

    /// Stops the feed that is missed least: the one that has been unneeded longest, else one of a
    /// namespace that does not exist, else one that has long shown nothing: where nobody may know
    /// which namespaces exist, made-up ones take turns. Returns its namespace.
    async fn make_room(
        &self,
        needed: &Needed,
        running: &mut BTreeMap<String, Running>,
    ) -> Option<String> {
        let unneeded = running
            .iter()
            .filter_map(|(name, feed)| Some((feed.unneeded_since?, name)))
            .min();
        let made_up = || running.keys().find(|name| needed.is_made_up(name));
        let empty = || {
            let old = running.iter().filter(|(name, feed)| {
                needed.existing.is_none()
                    && feed.started.elapsed() >= LINGER
                    && !self.catalog.has(name)
            });
            let oldest = old.min_by_key(|(_, feed)| feed.started);
            oldest.map(|(name, _)| name)
        };
        let least = unneeded.map(|(_, name)| name).or_else(made_up);
        let name = least.or_else(empty)?.clone();
        self.stop(running, &name).await;
        Some(name)
    }
}

/// Ingresses of one namespace, or of all, into the catalog.
struct IngressSink {
    namespace: Option<String>,
    only: BTreeSet<String>,
    catalog: Arc<Catalog>,
    journal: Arc<Journal>,
}

impl IngressSink {
    fn new(cluster: &Cluster, namespace: Option<String>) -> Self {
        Self {
            namespace,
            only: cluster.settings.namespaces.clone(),
            catalog: cluster.catalog.clone(),
            journal: cluster.journal.clone(),
        }
    }
}

impl Sink for IngressSink {
    type Item = Object;

    fn read(&self, object: Value) -> Result<Option<Object>, InvalidObject> {
        let object = project::ingress::project(object)?;
        let is_wanted = self.only.is_empty() || self.only.contains(&object.key.namespace);
        Ok(is_wanted.then_some(object))
    }

    fn reset(&self, items: Vec<Object>) -> usize {
        self.catalog
            .reset(INGRESSES, self.namespace.as_deref(), items)
    }

    fn apply(&self, changes: Vec<Change<Object>>, received: Instant) -> usize {
        self.catalog.apply(INGRESSES, changes, received.into_std())
    }

    fn withdraw(&self) {
        self.catalog.withdraw(INGRESSES, self.namespace.as_deref());
    }

    fn status(&self, state: FeedState, listed: bool, error: Option<FeedError>) {
        self.journal
            .set_status(INGRESSES, self.namespace.as_deref(), state, listed, error);
    }
}

/// The names of the namespaces into the journal's universe.
struct NamespaceSink {
    journal: Arc<Journal>,
    names: Mutex<BTreeSet<String>>,
    are_known: Arc<AtomicBool>,
    changed: Arc<Notify>,
}

impl NamespaceSink {
    fn new(cluster: &Cluster) -> Self {
        Self {
            journal: cluster.journal.clone(),
            names: Mutex::default(),
            are_known: cluster.names_are_known.clone(),
            changed: cluster.changed.clone(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<String>)) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut names);
        self.journal.set_universe(&names);
        self.changed.notify_one();
    }
}

impl Sink for NamespaceSink {
    type Item = String;

    fn read(&self, object: Value) -> Result<Option<String>, InvalidObject> {
        Ok(Some(project::key(&object).name))
    }

    fn reset(&self, items: Vec<String>) -> usize {
        self.change(|names| *names = items.into_iter().collect());
        0
    }

    fn apply(&self, changes: Vec<Change<String>>, _: Instant) -> usize {
        self.change(|names| {
            for change in changes {
                match change {
                    Change::Set(name) => _ = names.insert(name),
                    Change::Deleted(key, _) => _ = names.remove(&key.name),
                }
            }
        });
        0
    }

    fn withdraw(&self) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.clear();
    }

    // Any other failure of this feed is in the log alone: the names stay known.
    fn status(&self, state: FeedState, _: bool, error: Option<FeedError>) {
        let are_known = state == FeedState::Live;
        if self.are_known.swap(are_known, Ordering::AcqRel) != are_known {
            self.changed.notify_one();
        }
        if state == FeedState::Forbidden
            && let Some(mut error) = error
        {
            error
                .text
                .push_str(": choose namespaces by name, or have the operator set WATCH_NAMESPACES");
            error.retry_at = None;
            self.journal.refuse_universe(error);
            self.changed.notify_one();
        }
    }
}
