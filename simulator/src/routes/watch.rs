//! Watch: a cursor into the log of changes, woken when there is more.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{FutureExt, stream};
use http::StatusCode;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{FLOOD, Target, connection_lost, flag, json_response, list, table};
use crate::cluster::Cluster;
use crate::counters::OpenWatch;
use crate::failure::Failure;
use crate::faults::Effect;
use crate::selector::Selection;
use crate::store::{Change, Object};

/// How long a watch lasts that does not say, the lower end of what kube-apiserver chooses from.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);
/// Events are sent in chunks of at most so many, so that a slow client holds little memory.
const BATCH: usize = 128;
/// The last bookmark comes so long before the end of a watch, as upstream.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

pub(super) fn watch(target: &Target) -> Result<Response, Failure> {
    let params = &target.params;
    let selection = list::selection(target)?;
    let asked = params.version()?.unwrap_or(0);
    let streaming = params.send_initial_events.is_some();
    check_options(target, streaming)?;
    let initial_events = match &params.send_initial_events {
        Some(value) => flag(Some(value)),
        None => asked == 0,
    };
    let bookmarks = flag(params.allow_watch_bookmarks.as_deref());

    let cluster = target.cluster.clone();
    // Before the state is read, or a change in between would wake nobody.
    let signal = cluster.subscribe();
    let dropped = *signal.borrow();
    let (initial, version) = cluster.read(|state| {
        let store = &state.store;
        let current = store.version();
        if streaming && asked > current {
            return Err(Failure::too_large(asked, current));
        }
        let initial: VecDeque<_> = if initial_events {
            store
                .table(selection.resource)
                .values()
                .filter(|object| selection.matches(object))
                .cloned()
                .collect()
        } else {
            VecDeque::new()
        };
        Ok((initial, current))
    })?;

    let timeout = if params.timeout_seconds == 0 {
        DEFAULT_TIMEOUT
    } else {
        Duration::from_secs(params.timeout_seconds)
    };
    let now = Instant::now();
    let mut watch = Watch {
        open: cluster.counters().open(selection.resource.plural()),
        // "Unset or 0" starts at the present; any other version at itself, be it in the future.
        cursor: if initial_events || asked == 0 {
            version
        } else {
            asked
        },
        started: version,
        end_of_initial: (initial_events && streaming && bookmarks).then_some(version),
        initial,
        table: target.table,
        table_head: true,
        deadline: now + timeout,
        next_bookmark: None,
        bookmarks,
        signal,
        dropped,
        cluster,
        selection,
        ending: None,
    };
    watch.plan_bookmark();
    Ok(json_response(
        StatusCode::OK,
        Body::from_stream(stream::unfold(watch, Watch::next)),
    ))
}

fn check_options(target: &Target, streaming: bool) -> Result<(), Failure> {
    let message = match (streaming, target.params.resource_version_match.as_str()) {
        (true, "NotOlderThan") | (false, "") => return Ok(()),
        (true, _) => "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        (false, _) => {
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        }
    };
    Err(Failure::invalid_options(vec![list::forbidden(
        "resourceVersionMatch",
        message,
    )]))
}

enum Ending {
    Clean,
    Lost,
    /// None: the line under way goes on for ever.
    Flood,
}

struct Watch {
    cluster: Cluster,
    selection: Selection,
    /// Everything up to this version has been sent.
    cursor: u64,
    /// The cluster's version when the watch began.
    started: u64,
    /// What there was at the start and has not been sent yet.
    initial: VecDeque<Arc<Object>>,
    /// The version of the bookmark that ends the initial events, until it is sent.
    end_of_initial: Option<u64>,
    table: bool,
    /// Only the first event of a table carries its columns.
    table_head: bool,
    bookmarks: bool,
    next_bookmark: Option<Instant>,
    deadline: Instant,
    signal: watch::Receiver<u64>,
    dropped: u64,
    ending: Option<Ending>,
    /// Counts the watch as open while it lives.
    #[allow(dead_code, reason = "held for its drop")]
    open: OpenWatch,
}

impl Watch {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let chunk = self.chunk().await?;
        Some((chunk, self))
    }

    /// The next bytes of the stream; none at its end.
    async fn chunk(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            match self.ending {
                Some(Ending::Clean) => return None,
                Some(Ending::Lost) => {
                    self.ending = Some(Ending::Clean);
                    return Some(Err(connection_lost()));
                }
                Some(Ending::Flood) => return Some(Ok(FLOOD)),
                None => {}
            }
            if *self.signal.borrow_and_update() != self.dropped {
                self.ending = Some(Ending::Lost);
                continue;
            }
            let (resource, namespace) = (
                self.selection.resource.plural(),
                self.selection.namespace.as_deref(),
            );
            if self
                .cluster
                .faults()
                .lasting(&Effect::Stall, resource, namespace)
            {
                if self.signal.changed().await.is_err() {
                    return None;
                }
                continue;
            }
            match self.cluster.faults().strike_watch(resource, namespace) {
                Some(Effect::ErrorEvent { status }) => {
                    return Some(Ok(self.fail(&Failure::ordered(status, None))));
                }
                Some(_) => return None,
                None => {}
            }
            if Instant::now() >= self.deadline {
                // A reader that comes late still gets what happened in time.
                self.ending = Some(Ending::Clean);
                return self.pending().map(Ok);
            }
            if let Some(bytes) = self.pending() {
                return Some(Ok(bytes));
            }
            let bookmark = self.next_bookmark.map_or_else(
                || futures::future::pending().left_future(),
                |due| sleep_until(due).right_future(),
            );
            tokio::select! {
                biased;
                changed = self.signal.changed() => changed.ok()?,
                () = sleep_until(self.deadline) => return None,
                () = bookmark => {
                    if let Some(bytes) = self.bookmark() {
                        return Some(Ok(bytes));
                    }
                }
            }
        }
    }

    /// What can be sent without waiting.
    fn pending(&mut self) -> Option<Bytes> {
        if !self.initial.is_empty() {
            let count = self.initial.len().min(BATCH);
            let events: Vec<_> = self
                .initial
                .drain(..count)
                .map(|object| (Change::Added, object))
                .collect();
            return Some(self.encode(&events));
        }
        if let Some(version) = self.end_of_initial.take() {
            return Some(self.bookmark_at(version, true));
        }
        let batch = self.cluster.read(|state| {
            state
                .store
                .after(self.cursor, &self.selection, BATCH)
                .map_err(|_| state.store.compacted())
        });
        match batch {
            Ok(batch) => {
                self.cursor = batch.cursor;
                (!batch.events.is_empty()).then(|| self.encode(&batch.events))
            }
            Err(compacted) => Some(self.fail(&Failure::too_old(self.cursor, compacted))),
        }
    }

    fn encode(&mut self, events: &[(Change, Arc<Object>)]) -> Bytes {
        let size: usize = events
            .iter()
            .map(|(_, object)| object.encoded.len() + 40)
            .sum();
        let mut lines = Vec::with_capacity(size);
        for (change, object) in events {
            let start = lines.len();
            self.encode_line(&mut lines, change.name(), object);
            let namespaces = [
                self.selection.namespace.as_deref(),
                object.namespace.as_deref(),
            ];
            let middle = start + (lines.len() - start) / 2;
            match self
                .cluster
                .faults()
                .strike_event(self.selection.resource.plural(), namespaces)
            {
                Some(Effect::Cut) => {
                    lines.truncate(middle);
                    self.ending = Some(Ending::Lost);
                    break;
                }
                Some(Effect::Flood) => {
                    lines.truncate(middle);
                    self.ending = Some(Ending::Flood);
                    break;
                }
                Some(Effect::Line { line }) => {
                    let event = lines.split_off(start);
                    lines.extend_from_slice(line.as_bytes());
                    lines.push(b'\n');
                    lines.extend_from_slice(&event);
                }
                Some(Effect::Truncate) => {
                    lines.truncate(middle);
                    lines.push(b'\n');
                }
                Some(_) => {
                    lines.truncate(start);
                    lines.extend_from_slice(b"\x01garbage\n");
                }
                None => {}
            }
        }
        Bytes::from(lines)
    }

    fn encode_line(&mut self, lines: &mut Vec<u8>, kind: &str, object: &Arc<Object>) {
        lines.extend_from_slice(br#"{"type":""#);
        lines.extend_from_slice(kind.as_bytes());
        lines.extend_from_slice(br#"","object":"#);
        if self.table {
            let row = table::event(object, std::mem::take(&mut self.table_head));
            lines.extend_from_slice(row.as_bytes());
        } else {
            lines.extend_from_slice(&object.encoded);
        }
        lines.extend_from_slice(b"}\n");
    }

    /// Ends the watch with an `ERROR` event.
    fn fail(&mut self, failure: &Failure) -> Bytes {
        self.ending = Some(Ending::Clean);
        Bytes::from(format!(
            "{}\n",
            json!({ "type": "ERROR", "object": failure.status() })
        ))
    }

    /// The periodic bookmark, unless the watch is ahead of the cluster or a fault withholds it.
    fn bookmark(&mut self) -> Option<Bytes> {
        let last = self.deadline.saturating_duration_since(Instant::now()) <= LAST_BOOKMARK;
        self.plan_bookmark();
        // The bookmark before the end is only sent if it says something new. The periodic one
        // always is: what other resources write moves the version of a real cluster on all the
        // time.
        if last && self.cursor <= self.started {
            return None;
        }
        let (resource, namespace) = (
            self.selection.resource.plural(),
            self.selection.namespace.as_deref(),
        );
        let withheld = self
            .cluster
            .faults()
            .lasting(&Effect::NoBookmarks, resource, namespace);
        let ahead = self.cursor > self.cluster.resource_version();
        (!withheld && !ahead).then(|| self.bookmark_at(self.cursor, false))
    }

    fn bookmark_at(&mut self, version: u64, ends_initial_events: bool) -> Bytes {
        let resource = self.selection.resource;
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if ends_initial_events {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = if self.table {
            table::bookmark(resource, &metadata, std::mem::take(&mut self.table_head))
        } else {
            content_of_bookmark(resource, &metadata)
        };
        Bytes::from(format!(
            "{}\n",
            json!({ "type": "BOOKMARK", "object": object })
        ))
    }

    /// Every interval, and once shortly before the end.
    fn plan_bookmark(&mut self) {
        let now = Instant::now();
        let interval = now + self.cluster.settings().bookmark_interval;
        let last = self
            .deadline
            .checked_sub(LAST_BOOKMARK)
            .filter(|last| *last > now);
        self.next_bookmark = self
            .bookmarks
            .then(|| last.map_or(interval, |last| interval.min(last)));
    }
}

/// An object that is empty but for its version, in the shape its kind has when empty.
fn content_of_bookmark(
    resource: crate::resource::Resource,
    metadata: &serde_json::Value,
) -> serde_json::Value {
    let mut object = json!({
        "kind": resource.kind(),
        "apiVersion": resource.api_version(),
        "metadata": metadata,
        "spec": {},
        "status": {},
    });
    if resource == crate::resource::Resource::Ingresses {
        object["status"] = json!({ "loadBalancer": {} });
    }
    object
}
