//! A feed: list, watch, resume, list again. One task per scope, whatever the number of clients.
//!
//! What comes after each step, [`next`] decides.
//!
//! It is one file: list, watch, batches and permission share the state of one loop.

mod next;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use protocol::Key;
use protocol::message::{ErrorReason, Missing};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, info, warn};

use self::next::{BACKOFF_MIN, Course, End, Failure, Record, SETTLED, Step, after};
use super::api::{Api, ApiError, Collection, WatchEvent};
use super::backoff::jittered;
use super::pulse::Silence;
use super::source::FeedState;
use crate::catalog::Change;
use crate::journal::FeedError;
use crate::metrics::{EventType, Metrics, Resource};
use crate::project::{self, InvalidObject};

/// An API server that is starting answers 403 until its RBAC is loaded.
const FORBIDDEN_GRACE: Duration = Duration::from_secs(10);
/// Bookmarks come about every 60 s, so this long without a line means that nobody is there.
const SILENCE: Duration = Duration::from_secs(150);
/// A permission that comes is noticed after this long.
const FORBIDDEN_RETRY: Duration = Duration::from_secs(10);
/// What a feed does.
const VERBS: [&str; 2] = ["list", "watch"];
/// What a watch brings.
const EVENTS: [&str; 5] = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"];
/// Watch events that are applied together at most, where they come faster than they are read.
const BATCH: usize = 1_000;
/// What comes this soon after a batch belongs to the next one, and as much later as the batch
/// takes to be written to its clients: a burst costs each of them a few writes instead of one per
/// change, and a lone change waits for nothing.
const BATCH_PAUSE: Duration = Duration::from_millis(2);
const BATCH_PAUSE_PER_CLIENT: Duration = Duration::from_micros(10);
const BATCH_PAUSE_MAX: Duration = Duration::from_millis(50);

/// Whether the cluster has a resource by now is asked this often.
const ABSENT_RETRY: Duration = Duration::from_secs(60);

/// Where a feed's objects go.
pub trait Sink: Send + Sync + 'static {
    /// What an object becomes.
    type Item: Send;

    /// Reads one object; `None` leaves out what is not wanted.
    fn read(&self, object: Value) -> Result<Option<Self::Item>, InvalidObject>;
    /// A list gave exactly these. Returns how many of those held were not among them any more.
    fn reset(&self, items: Vec<Self::Item>) -> usize;
    /// These changes came together, in this order, the first of them at `received`. Returns how
    /// many clients they concern.
    fn apply(&self, changes: Vec<Change<Self::Item>>, received: Instant) -> usize;
    /// The feed may not see the objects any more.
    fn withdraw(&self);
    /// The feed's state changed.
    fn status(&self, state: FeedState, listed: bool, error: Option<FeedError>);
}

/// What all feeds of a process share.
#[derive(Debug)]
pub struct Limits {
    /// `K8S_WATCH_TIMEOUT`
    pub watch_timeout: Duration,
    /// Lists at the same time.
    pub lists: Semaphore,
    /// Says when the API server does not answer.
    pub silence: Silence,
    /// Ends the pauses before the next try.
    pub hurry: Notify,
    /// The process's metrics.
    pub metrics: Arc<Metrics>,
}

impl Limits {
    /// Waits before the next try, for as long as nobody asks for it now.
    pub async fn pause(&self, delay: Duration) {
        tokio::select! {
            () = sleep(delay) => {}
            () = self.hurry.notified() => {}
        }
    }
}

/// One list and watch.
pub struct Feed<S> {
    api: Api,
    collection: Collection,
    sink: S,
    limits: Arc<Limits>,
    record: Record,
    forbidden_since: Option<Instant>,
    /// The verbs that a SelfSubjectAccessReview denied.
    denied: Vec<&'static str>,
    listed: bool,
    /// The objects may not be seen, and that was said.
    withdrawn: bool,
    /// What the log last said of its failure: it says the same once, and when it is over.
    said: Option<String>,
}

impl<S: Sink> Feed<S> {
    /// A feed of a collection into `sink`.
    pub fn new(api: Api, collection: Collection, sink: S, limits: Arc<Limits>) -> Self {
        Self {
            api,
            collection,
            sink,
            limits,
            record: Record::default(),
            forbidden_since: None,
            denied: Vec::new(),
            listed: false,
            withdrawn: false,
            said: None,
        }
    }

    /// Runs until dropped. Where it is forbidden it withdraws what it showed and waits for the
    /// permission, or leaves everything as it is and ends: the watch mode is decided again.
    pub async fn run(mut self, leave_when_forbidden: bool) {
        let scope = self
            .collection
            .namespace
            .clone()
            .unwrap_or_else(|| "*".into());
        let resource = self.collection.source.resource;
        info!(
            watch.scope = scope,
            watch.resource = resource,
            "feed started"
        );
        self.sink.status(FeedState::Syncing, false, None);
        let mut step = Step::List;
        loop {
            let metrics = &self.limits.metrics;
            metrics
                .watch_requests
                .get_or_create(&Resource { resource })
                .inc();
            let result = match step {
                Step::List => self.list().await,
                Step::Watch { from, broken } => match self.check(from, broken).await {
                    Ok(()) => self.watch(from).await,
                    Err(failure) => Err(failure),
                },
            };
            let error = match result {
                Ok(next) => {
                    step = next;
                    continue;
                }
                Err(failure) => {
                    let (next, error) = step.after_failure(failure);
                    step = next;
                    error
                }
            };
            let metrics = &self.limits.metrics;
            metrics
                .watch_failures
                .get_or_create(&Resource { resource })
                .inc();
            let delay = if self.is_absent(&error) {
                step = Step::List;
                self.absent(&error);
                jittered(ABSENT_RETRY)
            } else if error.code() != Some(403) {
                self.forbidden_since = None;
                let delay = self.backoff(&error);
                self.failed(&error, delay);
                delay
            } else if !self.is_denied().await {
                self.failed(&error, BACKOFF_MIN);
                BACKOFF_MIN
            } else if leave_when_forbidden {
                info!(
                    watch.resource = resource,
                    "feed of the whole cluster ends: it is forbidden"
                );
                return;
            } else {
                if !self.withdrawn {
                    warn!(watch.scope = scope, watch.resource = resource, error = %error, "feed forbidden");
                    self.said = Some(error.to_string());
                }
                // What was withdrawn comes back with a list, not with the changes since. One
                // without its watch would show rows and take them away again.
                step = Step::List;
                loop {
                    self.withdraw().await;
                    self.limits.pause(FORBIDDEN_RETRY).await;
                    if self.denied.is_empty() || !self.denies().await {
                        break;
                    }
                }
                continue;
            };
            let text = error.to_string();
            let retry_in_ms = delay.as_millis() as u64;
            if self.said.as_ref() == Some(&text) {
                debug!(
                    watch.scope = scope,
                    watch.resource = resource,
                    error = text,
                    retry_in_ms,
                    "feed still fails"
                );
            } else {
                warn!(
                    watch.scope = scope,
                    watch.resource = resource,
                    error = text,
                    retry_in_ms,
                    "feed failed"
                );
                self.said = Some(text);
            }
            self.limits.pause(delay).await;
        }
    }

    /// Says of one object that it is not shown, whatever becomes of the others.
    fn leave_out(&self, error: &InvalidObject) {
        let resource = self.collection.source.resource;
        let metrics = &self.limits.metrics;
        metrics
            .objects_left_out
            .get_or_create(&Resource { resource })
            .inc();
        warn!(watch.resource = resource, error = %error, "an object cannot be read and is not shown");
    }

    async fn list(&mut self) -> Result<Step, Failure> {
        let started = Instant::now();
        let read = |object: Result<Value, InvalidObject>| {
            let read = object.and_then(|object| {
                let key = project::key(&object);
                match self.collection.has(&key) {
                    true => self.sink.read(object),
                    false => Err(InvalidObject {
                        key,
                        cause: "it is not of the list that has it".into(),
                    }),
                }
            });
            read.unwrap_or_else(|error| {
                self.leave_out(&error);
                None
            })
        };
        let listing = self.api.list(&self.collection, &self.limits.lists, read);
        let listing = listing.await.map_err(Failure::Retry)?;
        let (count, version) = (listing.items.len(), listing.resource_version);
        // Before the rows: a client that is told "forbidden" beside rows drops them.
        if self.withdrawn {
            self.sink.status(FeedState::Syncing, false, None);
        }
        let gone = self.sink.reset(listing.items);
        if !self.listed {
            self.sink.status(FeedState::Syncing, true, None);
        }
        if self.listed {
            self.limits.metrics.relists.inc();
            self.limits.metrics.relist_deletes.inc_by(gone as u64);
        }
        self.listed = true;
        self.withdrawn = false;
        self.forbidden_since = None;
        debug!(
            watch.resource = self.collection.source.resource,
            watch.scope = self.collection.namespace.as_deref().unwrap_or("*"),
            count,
            resource_version = version,
            gone,
            elapsed_ms = started.elapsed().as_millis() as u64,
            "listed"
        );
        Ok(Step::Watch {
            from: version,
            broken: false,
        })
    }

    /// Whether a watch may go on from a version. One from a version that the API server has not
    /// reached, because it was restored to an earlier one, delivers nothing and says nothing.
    async fn check(&self, from: u64, broken: bool) -> Result<(), Failure> {
        if !broken {
            return Ok(());
        }
        let version = self.api.current_version(&self.collection).await;
        match version.map_err(failed_start)? {
            version if version < from => Err(Failure::Relist(self.went_back(version, from))),
            _ => Ok(()),
        }
    }

    async fn watch(&mut self, from: u64) -> Result<Step, Failure> {
        let life = self.limits.watch_timeout;
        let mut watch = self
            .api
            .watch(&self.collection, from, life)
            .await
            .map_err(failed_start)?;
        let started = Instant::now();
        let mut live = !self.record.is_doubtful();
        if live {
            self.say_live();
        }
        let mut silence = self.limits.silence.listen();
        let mut version = from;
        let mut bookmarks = false;
        let mut changes = Vec::new();
        let mut received = started;
        let mut due = started;
        let end = loop {
            if !changes.is_empty() && (due <= Instant::now() || changes.len() >= BATCH) {
                let clients = self.sink.apply(mem::take(&mut changes), received);
                due = Instant::now() + pause_after(clients);
            }
            let patience = if bookmarks {
                SILENCE.min(life + SETTLED)
            } else {
                life + SETTLED
            };
            let next = tokio::select! {
                biased;
                () = sleep_until(due), if !changes.is_empty() => continue,
                next = timeout(patience, watch.next()) => next.map_err(|_| patience),
                error = silence.next() => break End::Silent(error),
                () = sleep_until(started + SETTLED), if !live => {
                    self.say_live();
                    live = true;
                    continue;
                }
            };
            let event = match next {
                Ok(Ok(Some(event))) => event,
                Ok(Ok(None)) => break End::Closed,
                Ok(Err(error @ ApiError::Invalid { .. })) => break End::Lost(error),
                Ok(Err(error)) => break End::Broken(error),
                Err(limit) => break End::Lost(self.api.late(limit)),
            };
            if changes.is_empty() {
                received = Instant::now();
            }
            match self.take(event, version, &mut bookmarks, &mut changes) {
                Ok(reached) => version = reached,
                Err(error) => break End::Lost(error),
            }
            if !live && version > from {
                self.say_live();
                live = true;
            }
        };
        if !changes.is_empty() {
            self.sink.apply(changes, received);
        }
        let course = Course {
            from,
            version,
            lived: started.elapsed(),
            life,
        };
        self.record.watched(&course, &end);
        let next = after(&course, end, self.record.is_doubtful(), self.api.url());
        if next.is_ok() && self.record.hollow > 0 {
            // An API server that ends a watch at once may be about to go.
            self.limits.pause(jittered(BACKOFF_MIN)).await;
        }
        next
    }

    fn say_live(&mut self) {
        self.sink.status(FeedState::Live, true, None);
        if self.said.take().is_some() {
            info!(
                watch.resource = self.collection.source.resource,
                watch.scope = self.collection.namespace.as_deref().unwrap_or("*"),
                "feed live again"
            );
        }
    }

    /// Takes one event; returns the version that it leads to.
    fn take(
        &self,
        event: WatchEvent,
        version: u64,
        bookmarks: &mut bool,
        changes: &mut Vec<Change<S::Item>>,
    ) -> Result<u64, ApiError> {
        let invalid = |text: String| Err(self.api.invalid(text));
        let reached = project::resource_version(&event.object);
        if let Some(r#type) = EVENTS.into_iter().find(|name| *name == event.r#type) {
            let resource = self.collection.source.resource;
            let event = EventType { resource, r#type };
            self.limits.metrics.watch_events.get_or_create(&event).inc();
        }
        let key = project::key(&event.object);
        match event.r#type.as_str() {
            "ERROR" => {
                let code = event.object["code"].as_u64().unwrap_or(0);
                let message = event.object["message"].as_str().unwrap_or_default();
                let code = u16::try_from(code).unwrap_or(0);
                return Err(self.api.refused(code, message.to_owned(), None));
            }
            r#type if reached == 0 => {
                return invalid(format!("an event {type} without a version"));
            }
            "BOOKMARK" => {
                *bookmarks = true;
                if reached < version {
                    return Err(self.went_back(reached, version));
                }
            }
            r#type @ ("ADDED" | "MODIFIED" | "DELETED") if !self.collection.has(&key) => {
                let Key {
                    namespace, name, ..
                } = key;
                return invalid(format!(
                    "an event {type} of {namespace}/{name}, which is not of this watch"
                ));
            }
            "ADDED" | "MODIFIED" => match self.sink.read(event.object) {
                Ok(item) => changes.extend(item.map(Change::Set)),
                // What was shown of it is not true any more.
                Err(error) => {
                    self.leave_out(&error);
                    changes.push(Change::Deleted(key, reached));
                }
            },
            "DELETED" => changes.push(Change::Deleted(key, reached)),
            other => return invalid(format!("an event of type {other:?}")),
        }
        Ok(version.max(reached))
    }

    /// Whether a 403 means what it says: an API server that is still starting answers it too.
    async fn is_denied(&mut self) -> bool {
        let since = *self.forbidden_since.get_or_insert_with(Instant::now);
        self.denies().await || since.elapsed() >= FORBIDDEN_GRACE
    }

    /// Whether a SelfSubjectAccessReview denies what a feed needs.
    async fn denies(&mut self) -> bool {
        self.denied.clear();
        for verb in VERBS {
            if matches!(self.api.may(verb, &self.collection).await, Ok(false)) {
                self.denied.push(verb);
            }
        }
        !self.denied.is_empty()
    }

    /// The objects may not be seen any more.
    async fn withdraw(&mut self) {
        self.listed = false;
        self.withdrawn = true;
        self.sink.withdraw();
        let place = match &self.collection.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "in the whole cluster".into(),
        };
        // A 403 that no review explains is taken for a want of both.
        let verbs = match self.denied.as_slice() {
            [] => VERBS.as_slice(),
            denied => denied,
        };
        let error = FeedError {
            reason: ErrorReason::Forbidden,
            text: format!(
                "the dashboard's account may not {} {} {place}",
                verbs.join(" and "),
                self.collection.source.resource
            ),
            // Looking whether the permission has come is no retry that anyone counts down to, and
            // with a time in it each look would be news.
            retry_at: None,
            missing: Some(Missing {
                resource: self.collection.source.resource.to_owned(),
                verbs: verbs.iter().map(ToString::to_string).collect(),
                account: self.api.account().await,
            }),
        };
        self.sink.status(FeedState::Forbidden, false, Some(error));
    }

    /// Whether the cluster has no such resource, and may have none. Where a needed one is missing,
    /// that is a failure like any other, and is said so.
    fn is_absent(&self, error: &ApiError) -> bool {
        error.code() == Some(404) && !self.collection.source.is_needed()
    }

    /// There is no such resource, so there are no objects.
    fn absent(&mut self, error: &ApiError) {
        self.record = Record::default();
        self.forbidden_since = None;
        self.sink.reset(Vec::new());
        self.listed = true;
        self.withdrawn = false;
        let error = FeedError {
            reason: error.reason(),
            text: error.to_string(),
            retry_at: None,
            missing: None,
        };
        self.sink.status(FeedState::Absent, true, Some(error));
    }

    fn went_back(&self, version: u64, from: u64) -> ApiError {
        self.api.invalid(format!(
            "version {version} after version {from}: the API server went back in time"
        ))
    }

    fn failed(&self, error: &ApiError, delay: Duration) {
        let state = if self.listed {
            FeedState::Retrying
        } else {
            FeedState::Syncing
        };
        // A first list that keeps failing is no syncing any more: clients must not wait for it.
        let state = match (error.code(), self.record.failures > 1) {
            (Some(404), true) => FeedState::Absent,
            (_, true) => FeedState::Retrying,
            (_, false) => state,
        };
        let error = FeedError {
            reason: error.reason(),
            text: error.to_string(),
            retry_at: Some((Instant::now() + delay).into_std()),
            missing: None,
        };
        self.sink.status(state, false, Some(error));
    }

    /// The pause before the next try.
    fn backoff(&mut self, error: &ApiError) -> Duration {
        let asked = match error {
            ApiError::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        jittered(self.record.delay(error)).max(asked)
    }
}

/// What a watch that cannot be started means. One that nobody answers is taken for the outage
/// under which the API server may have been restored to an earlier version; one that is refused
/// is asked for again.
fn failed_start(error: ApiError) -> Failure {
    match error {
        ApiError::Status { code: 410, .. }
        | ApiError::Unreachable { .. }
        | ApiError::Timeout { .. }
        | ApiError::Untrusted { .. }
        | ApiError::Hollow { .. }
        | ApiError::NoCredential { .. }
        | ApiError::TooLong { .. }
        | ApiError::Invalid { .. } => Failure::Relist(error),
        ApiError::Status { .. } => Failure::Retry(error),
    }
}

fn pause_after(clients: usize) -> Duration {
    let clients = u32::try_from(clients).unwrap_or(u32::MAX);
    (BATCH_PAUSE + BATCH_PAUSE_PER_CLIENT.saturating_mul(clients)).min(BATCH_PAUSE_MAX)
}

#[cfg(test)]
mod tests;
