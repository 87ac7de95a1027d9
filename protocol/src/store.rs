//! The client's copy of the rows: messages in, rows, states and counts out.
//!
//! A replay is mark and sweep. `reset`, or a document, begins a new generation; each row that the
//! replay names joins it; `synced` drops the rows that did not. Rows of namespaces that the server
//! does not know yet (`pending`) stay, marked old, until the namespace says that it is live. So a
//! reconnect never empties what is on the screen.
//!
//! It is one file: replay, sweep and states decide together which rows stay.

mod rows;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::document::IngressDocument;
use crate::filter::{Field, Filter};
use crate::ingress::{Ingress, Key};
use crate::message::{Message, NamespaceState, NamespaceStatus, StreamError, Synced};
use crate::scope::Scope;
use rows::Upsert;
pub(crate) use rows::{Row, Rows, Slot};

/// How many changes are kept to be looked at.
const CHANGES_KEPT: usize = 1_000;

/// Values of a field, and in how many rows each is.
#[derive(Clone, Debug, Default)]
pub struct Values(HashMap<String, usize>);

impl Values {
    /// Counts one more row with this value.
    pub fn add(&mut self, value: Cow<'_, str>) {
        match self.0.get_mut(&*value) {
            Some(rows) => *rows += 1,
            None => {
                self.0.insert(value.into_owned(), 1);
            }
        }
    }

    /// How many different values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most frequent first, so many at most; equally frequent ones by their text.
    #[must_use]
    pub fn by_frequency(self, limit: usize) -> Vec<(String, usize)> {
        let order = |(a, rows): &(String, usize), (b, others): &(String, usize)| {
            others.cmp(rows).then_with(|| a.cmp(b))
        };
        let mut values: Vec<_> = self.0.into_iter().collect();
        if limit < values.len() {
            values.select_nth_unstable_by(limit, order);
            values.truncate(limit);
        }
        values.sort_unstable_by(order);
        values
    }
}

/// What changed in a row while the stream was live. A replay marks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Added or modified.
    pub kind: MarkKind,
    /// When, as given to [`Store::apply`].
    pub at_ms: u64,
}

/// The kinds of [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkKind {
    /// The row appeared.
    Added,
    /// The row changed.
    Modified,
}

/// One row, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct RowView {
    /// The row.
    pub ingress: Arc<Ingress>,
    /// What changed just now.
    pub mark: Option<Mark>,
    /// The row's namespace is not live: the row may be out of date.
    pub old: bool,
    /// The row is gone and only shown until the next [`Table::settle`](crate::table::Table::settle).
    pub deleted: bool,
}

/// A change of a row that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When, as given to [`Store::apply`]; absent where a replay brought it, so that it was some
    /// time before.
    pub at_ms: Option<u64>,
    /// What the row was.
    pub before: Arc<Ingress>,
    /// What it became.
    pub after: Arc<Ingress>,
}

/// Counts over rows: all of the scope, or those that a filter leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub rows: usize,
    /// Different hosts.
    pub hosts: usize,
    /// Of `hosts`: wildcards.
    pub wildcard_hosts: usize,
    /// Rows with TLS.
    pub with_tls: usize,
    /// Of `with_tls`: rows with a host that no TLS entry covers.
    pub partly_tls: usize,
    /// Rows without an ingress class.
    pub without_class: usize,
    /// Namespaces with rows.
    pub namespaces: usize,
}

/// `synced` promised another number of rows than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountMismatch {
    /// `synced.count`
    pub expected: usize,
    /// Rows held, pending namespaces aside.
    pub held: usize,
}

/// Whether a view has another place for the second of two versions of a row.
pub(crate) type Moves<'f> = &'f dyn Fn(&Row, &Row) -> bool;

/// What one message changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Rows, or how they are marked.
    pub rows: bool,
    /// Namespace states, errors, or what is known.
    pub status: bool,
    /// The connection has to start again without id.
    pub mismatch: Option<CountMismatch>,
    /// The server's build, when the message names it.
    pub build: Option<String>,
}

/// The client's copy of the server's rows.
#[derive(Clone, Debug, Default)]
pub struct Store {
    rows: Rows,
    /// The replay under way, or the last one.
    generation: u64,
    /// Namespaces whose rows are not known to the server.
    pending: BTreeSet<String>,
    /// The same for the whole scope, of which the server may not even know the namespaces.
    all_pending: bool,
    /// Whether the current stream has said `synced`: from then on changes are news.
    synced: bool,
    known: bool,
    complete: bool,
    states: BTreeMap<String, NamespaceStatus>,
    scope_state: Option<NamespaceStatus>,
    errors: BTreeMap<Option<String>, StreamError>,
    /// When the server tries again what fails, on the clock of the marks.
    retries: BTreeMap<Option<String>, u64>,
    /// Whose state or error the current stream has named.
    reported: BTreeSet<Option<String>>,
    /// Oldest first.
    seen: VecDeque<Seen>,
}

impl Store {
    /// Applies one message. `at_ms` is the time that a change is marked with; it comes from the
    /// caller's clock and means nothing to the table.
    /// `moves` says of the old and the new version of a row whether a view has another place for the
    /// new one.
    pub(crate) fn apply(&mut self, message: Message, at_ms: u64, moves: Moves<'_>) -> Change {
        match message {
            Message::IngressAdded(mut ingress) | Message::IngressModified(mut ingress) => {
                ingress.shrink_to_fit();
                let news = self.synced && self.state(&ingress.namespace) == NamespaceState::Live;
                let mark = news.then_some(at_ms);
                Change::rows(self.upsert(ingress, mark, moves))
            }
            Message::IngressDeleted(key) => {
                let news = self.synced && self.state(&key.namespace) == NamespaceState::Live;
                Change::rows(self.rows.remove(&key, news.then_some(at_ms)))
            }
            Message::Error(error) => {
                self.reported.insert(error.namespace.clone());
                match error.retry_in_ms {
                    Some(ms) => self.retries.insert(error.namespace.clone(), at_ms + ms),
                    None => self.retries.remove(&error.namespace),
                };
                self.errors.insert(error.namespace.clone(), error);
                Change::status()
            }
            Message::Reset(reset) => {
                self.generation += 1;
                self.synced = false;
                Change {
                    build: Some(reset.build),
                    ..Change::default()
                }
            }
            Message::Synced(synced) => self.on_synced(synced),
            Message::NamespaceStatus(status) => self.on_status(status),
            Message::Done(_) | Message::Heartbeat(_) => Change::default(),
        }
    }

    /// Applies a document. With a revision it is a replay; without one it is not the whole scope,
    /// so nothing is dropped.
    pub(crate) fn apply_document(&mut self, document: IngressDocument, moves: Moves<'_>) -> Change {
        self.synced = false;
        let whole = document.revision.is_some();
        if whole {
            self.generation += 1;
        }
        let mut changed = false;
        for ingress in document.items {
            changed |= self.upsert(ingress, None, moves);
        }
        if whole {
            self.pending = document.pending.into_iter().collect();
            self.all_pending = false;
            // Where it does not name all of them, nothing is dropped before `synced`.
            changed |= document.pending_count.is_none() && self.sweep();
            self.known = true;
        }
        Change {
            rows: changed,
            status: true,
            mismatch: None,
            build: Some(document.build),
        }
    }

    /// Whether anything that is shown changed.
    fn upsert(&mut self, ingress: Ingress, mark: Option<u64>, moves: Moves<'_>) -> bool {
        let key = ingress.key();
        match self.rows.upsert(ingress, self.generation, mark, moves) {
            Upsert::Same => return false,
            Upsert::New => {}
            Upsert::Changed(before) => {
                if self.seen.len() == CHANGES_KEPT {
                    self.seen.pop_front();
                }
                if let Some(row) = self.rows.get(&key) {
                    self.seen.push_back(Seen {
                        at_ms: mark,
                        before,
                        after: Arc::clone(&row.ingress),
                    });
                }
            }
        }
        true
    }

    /// A stream opened: states and errors that it does not repeat before `synced` are over.
    pub(crate) fn begin_stream(&mut self) {
        self.synced = false;
        self.reported.clear();
    }

    /// Narrows or widens the scope: rows outside leave, the others stay until the next replay.
    pub(crate) fn set_scope(&mut self, scope: &Scope) {
        self.begin_stream();
        self.known = false;
        self.complete = false;
        self.states.retain(|namespace, _| scope.contains(namespace));
        self.scope_state = None;
        self.errors.retain(|namespace, _| {
            namespace
                .as_ref()
                .is_some_and(|namespace| scope.contains(namespace))
        });
        self.rows
            .remove_where(|row| !scope.contains(&row.ingress.namespace));
    }

    /// How many rows the next [`Table::settle`](crate::table::Table::settle) adds, removes or moves,
    /// hidden ones included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.waiting()
    }

    /// The rows, for the views.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The same, for the settling of the views.
    pub(crate) fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    /// The values that rows which match a filter have in a field, and in how many rows each is:
    /// those that contain `part`, whatever the case, the most frequent first.
    #[must_use]
    pub fn values(&self, field: Field, filter: &Filter, part: &str) -> Vec<(String, usize)> {
        let mut values = [Values::default()];
        self.collect_values(0..usize::MAX, &[field], filter, part, &mut values);
        let [values] = values;
        values.by_frequency(usize::MAX)
    }

    /// The same for several fields, in parts: only the rows in these places are looked at, which a
    /// row keeps. Returns whether there are further places.
    pub fn collect_values(
        &self,
        places: Range<usize>,
        fields: &[Field],
        filter: &Filter,
        part: &str,
        into: &mut [Values],
    ) -> bool {
        let part = part.to_ascii_lowercase();
        self.rows
            .collect_values(places, fields, filter, &part, into)
    }

    /// The changes of a row since the table was made, newest first, as far as they are kept.
    pub fn changes<'t>(&'t self, key: &'t Key) -> impl Iterator<Item = &'t Seen> {
        self.seen.iter().rev().filter(move |seen| {
            seen.after.name == key.name && seen.after.namespace == key.namespace
        })
    }

    /// A row by its identity, whether the filter shows it or not.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<RowView> {
        self.rows.get(key).map(|row| self.shown(row))
    }

    /// How many rows a filter would leave.
    #[must_use]
    pub fn count(&self, filter: &Filter) -> usize {
        self.rows.count_matching(filter)
    }

    /// Counts over the rows that a filter would leave.
    #[must_use]
    pub fn totals_of(&self, filter: &Filter) -> Totals {
        self.rows.totals_of(filter)
    }

    /// Counts over all rows.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.rows.totals()
    }

    /// Whether rows of this scope are known: a document or a `synced` has come.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Whether a `synced` has come and no namespace of the scope is pending: only then is an
    /// empty table a scope without ingresses.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The namespaces that are not live, by name.
    #[must_use]
    pub fn states(&self) -> &BTreeMap<String, NamespaceStatus> {
        &self.states
    }

    /// The state of the whole scope, where it is not live.
    #[must_use]
    pub fn scope_state(&self) -> Option<&NamespaceStatus> {
        self.scope_state.as_ref()
    }

    /// The state of one namespace.
    #[must_use]
    pub fn state(&self, namespace: &str) -> NamespaceState {
        self.states
            .get(namespace)
            .or(self.scope_state.as_ref())
            .map_or(NamespaceState::Live, |status| status.state)
    }

    /// What fails, by namespace; `None` is the whole scope.
    #[must_use]
    pub fn errors(&self) -> &BTreeMap<Option<String>, StreamError> {
        &self.errors
    }

    /// When the server tries again, by namespace, on the clock of the marks; `None` is the whole
    /// scope. What does not fail any more may still be in it.
    #[must_use]
    pub fn retries(&self) -> &BTreeMap<Option<String>, u64> {
        &self.retries
    }

    /// Rows by namespace, for namespaces that have rows.
    #[must_use]
    pub fn rows_by_namespace(&self) -> &BTreeMap<String, usize> {
        self.rows.by_namespace()
    }

    /// Removes every change mark, and says whether there was one: nothing is "just now" once the
    /// connection is not live.
    pub(crate) fn clear_marks(&mut self) -> bool {
        self.rows.clear_marks()
    }

    /// A row with what its namespace says of it.
    pub(crate) fn shown(&self, row: &Row) -> RowView {
        let namespace = &row.ingress.namespace;
        RowView {
            ingress: Arc::clone(&row.ingress),
            mark: row.mark,
            old: self.is_pending(namespace) || self.state(namespace) != NamespaceState::Live,
            deleted: row.deleted,
        }
    }

    fn is_pending(&self, namespace: &str) -> bool {
        self.all_pending || self.pending.contains(namespace)
    }

    fn on_synced(&mut self, synced: Synced) -> Change {
        self.synced = true;
        self.known = true;
        if !self.reported.contains(&None) {
            self.scope_state = None;
        }
        self.states
            .retain(|namespace, _| self.reported.contains(&Some(namespace.clone())));
        self.errors
            .retain(|namespace, _| self.reported.contains(namespace));
        self.retries
            .retain(|namespace, _| self.reported.contains(namespace));
        // A scope that has never been listed has no namespaces that could be named.
        self.all_pending = self.scope_state.as_ref().is_some_and(rows_are_unknown);
        self.pending = synced.pending.into_iter().collect();
        if synced.pending_count.is_some() {
            let states = self.states.iter();
            let unknown = states.filter(|(_, status)| rows_are_unknown(status));
            self.pending.extend(unknown.map(|(name, _)| name.clone()));
        }
        for namespace in &self.pending {
            self.states
                .entry(namespace.clone())
                .or_insert_with(|| NamespaceStatus {
                    namespace: Some(namespace.clone()),
                    state: NamespaceState::Syncing,
                    count: None,
                    retry_in_ms: None,
                    since: None,
                });
        }
        self.complete = self.pending.is_empty() && !self.all_pending;
        self.sweep();
        let pending_rows: usize = self
            .pending
            .iter()
            .filter_map(|namespace| self.rows.by_namespace().get(namespace))
            .sum();
        let held = self.totals().rows - pending_rows;
        let mismatch = (held != synced.count && !self.all_pending).then_some(CountMismatch {
            expected: synced.count,
            held,
        });
        Change {
            rows: true,
            status: true,
            mismatch,
            build: None,
        }
    }

    fn on_status(&mut self, status: NamespaceStatus) -> Change {
        self.reported.insert(status.namespace.clone());
        let state = status.state;
        let live = state == NamespaceState::Live;
        let namespace = status.namespace.clone();
        match &namespace {
            None if live => {
                // One message for the whole scope stands for one of each namespace.
                self.scope_state = None;
                self.states.clear();
                self.errors.clear();
            }
            None => {
                if state == NamespaceState::Forbidden {
                    // Nor is anything told of each namespace while nothing of any is shown.
                    self.states.clear();
                    self.errors.retain(|of, _| of.is_none());
                }
                self.scope_state = Some(status);
            }
            Some(name) if live => {
                self.states.remove(name);
                self.errors.remove(&namespace);
            }
            Some(name) => {
                self.states.insert(name.clone(), status);
            }
        }
        let rows = match state {
            NamespaceState::Live | NamespaceState::Forbidden => {
                self.on_known(namespace.as_ref(), state)
            }
            NamespaceState::Syncing => {
                match namespace {
                    None => self.all_pending = true,
                    Some(name) => {
                        self.pending.insert(name);
                    }
                }
                self.complete = false;
                false
            }
            NamespaceState::Retrying => false,
        };
        Change {
            // How rows are marked depends on the state.
            rows: rows || self.totals().rows > 0,
            status: true,
            ..Change::default()
        }
    }

    /// The server knows the rows of a namespace, or of the whole scope: what it did not name is
    /// gone.
    fn on_known(&mut self, namespace: Option<&String>, state: NamespaceState) -> bool {
        match namespace {
            None => {
                self.all_pending = false;
                self.pending.clear();
            }
            Some(name) => {
                self.pending.remove(name);
            }
        }
        self.complete = self.synced && self.pending.is_empty() && !self.all_pending;
        // Before `synced` the replay may still name a row.
        let (synced, generation) = (self.synced, self.generation);
        let forbidden = state == NamespaceState::Forbidden;
        self.rows.remove_where(|row| {
            let concerned = namespace.is_none_or(|name| *name == row.ingress.namespace);
            concerned && (forbidden || synced && row.generation < generation)
        })
    }

    /// Drops the rows that the last replay did not name, but for pending namespaces.
    fn sweep(&mut self) -> bool {
        let generation = self.generation;
        let (pending, all_pending) = (&self.pending, self.all_pending);
        self.rows.remove_where(|row| {
            row.generation < generation && !all_pending && !pending.contains(&row.ingress.namespace)
        })
    }
}

/// A scope that is not live and has no count has never been listed by this server.
fn rows_are_unknown(status: &NamespaceStatus) -> bool {
    matches!(
        status.state,
        NamespaceState::Syncing | NamespaceState::Retrying
    ) && status.count.is_none()
}

impl Change {
    fn rows(changed: bool) -> Self {
        Self {
            rows: changed,
            ..Self::default()
        }
    }

    fn status() -> Self {
        Self {
            status: true,
            ..Self::default()
        }
    }
}
