//! The client's copy of the table: messages in, a filtered and sorted view out.
//!
//! A replay is mark and sweep. `reset`, or a document, begins a new generation; each row that the
//! replay names joins it; `synced` drops the rows that did not. Rows of namespaces that the server
//! does not know yet (`pending`) stay, marked old, until the namespace says that it is live. So a
//! reconnect never empties what is on the screen.
//!
//! The view (filter, order, window) follows in a second step, [`Table::settle`]: many messages are
//! applied and one frame is drawn, and while somebody points at a row nothing has to move.

mod groups;
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
use groups::Place;
pub use groups::{Group, Grouping};
use rows::{Row, Rows, Upsert};

/// How many changes are kept to be looked at.
const CHANGES_KEPT: usize = 1_000;

/// How long a row that was deleted stays in sight, struck through, in milliseconds.
pub const STRUCK_MS: u64 = 2_000;

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

/// What the table can be sorted by. Ties are broken by name, then namespace, both ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    /// `metadata.name`
    #[default]
    Name,
    /// `metadata.namespace`
    Namespace,
    /// The first host.
    Host,
    /// The first path and its backend.
    Path,
    /// The ingress class.
    Class,
    /// The first load balancer address.
    Address,
    /// No TLS, partly covered, covered; then the first secret.
    Tls,
    /// Youngest first.
    Age,
}

/// A sort direction. Rows without a value are last in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// What changed in a row while the stream was live. A replay marks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Added or modified.
    pub kind: MarkKind,
    /// When, as given to [`Table::apply`].
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

/// One row of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct RowView {
    /// The row.
    pub ingress: Arc<Ingress>,
    /// What changed just now.
    pub mark: Option<Mark>,
    /// The row's namespace is not live: the row may be out of date.
    pub old: bool,
    /// The row is gone and only shown until the next [`Table::settle`].
    pub deleted: bool,
}

/// One line of the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The head of a group.
    Group(Group),
    /// A row.
    Row(RowView),
}

impl Line {
    /// What the line is of. A group has no namespace, which no ingress is without.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Group(group) => Key::new("", &group.value),
            Self::Row(view) => view.ingress.key(),
        }
    }

    /// The row, where it is one.
    #[must_use]
    pub fn row(&self) -> Option<&RowView> {
        match self {
            Self::Group(_) => None,
            Self::Row(view) => Some(view),
        }
    }
}

/// A change of a row that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When, as given to [`Table::apply`]; absent where a replay brought it, so that it was some
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

/// The client's copy of the server's rows, its filter and its order.
#[derive(Clone, Debug, Default)]
pub struct Table {
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

impl Table {
    /// An empty table, sorted by name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one message. `at_ms` is the time that a change is marked with; it comes from the
    /// caller's clock and means nothing to the table.
    ///
    /// The view shows the effect after [`Table::settle`].
    pub fn apply(&mut self, message: Message, at_ms: u64) -> Change {
        match message {
            Message::IngressAdded(mut ingress) | Message::IngressModified(mut ingress) => {
                ingress.shrink_to_fit();
                let news = self.synced && self.state(&ingress.namespace) == NamespaceState::Live;
                let mark = news.then_some(at_ms);
                Change::rows(self.upsert(ingress, mark))
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
    pub fn apply_document(&mut self, document: IngressDocument) -> Change {
        self.synced = false;
        let whole = document.revision.is_some();
        if whole {
            self.generation += 1;
        }
        let mut changed = false;
        for ingress in document.items {
            changed |= self.upsert(ingress, None);
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
    fn upsert(&mut self, ingress: Ingress, mark: Option<u64>) -> bool {
        let key = ingress.key();
        match self.rows.upsert(ingress, self.generation, mark) {
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
    pub fn begin_stream(&mut self) {
        self.synced = false;
        self.reported.clear();
    }

    /// Narrows or widens the scope: rows outside leave, the others stay until the next replay.
    pub fn set_scope(&mut self, scope: &Scope) {
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

    /// Brings the view up to date. Until it is called the view keeps its rows and their order;
    /// values are current and deleted rows are shown as deleted.
    pub fn settle(&mut self) {
        self.rows.settle();
    }

    /// The same at a time of the marks' clock, for somebody who looks: a row that was deleted while
    /// the stream was live stays for [`STRUCK_MS`], shown as deleted. Returns when the next of them
    /// is to go.
    pub fn settle_at(&mut self, now_ms: u64) -> Option<u64> {
        let first = self.rows.settle_after(now_ms.saturating_sub(STRUCK_MS));
        first.map(|at_ms| at_ms + STRUCK_MS)
    }

    /// How many rows the next [`Table::settle`] adds, removes or moves, hidden ones included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.waiting()
    }

    /// Replaces the filter, and settles.
    pub fn set_filter(&mut self, filter: Filter) {
        self.rows.set_filter(filter);
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        self.rows.filter()
    }

    /// Replaces the order, and settles.
    pub fn set_sort(&mut self, column: Column, direction: Direction) {
        self.rows.set_sort(column, direction);
    }

    /// The order.
    #[must_use]
    pub fn sort(&self) -> (Column, Direction) {
        self.rows.sort()
    }

    /// Puts rows together by what they share, all groups open, and settles.
    pub fn set_grouping(&mut self, grouping: Option<Grouping>) {
        self.rows.set_grouping(grouping);
    }

    /// What rows are put together by.
    #[must_use]
    pub fn grouping(&self) -> Option<Grouping> {
        self.rows.grouping()
    }

    /// Opens or closes the group of this value.
    pub fn toggle_group(&mut self, value: &str) {
        self.rows.toggle_group(value);
    }

    /// Opens or closes every group.
    pub fn toggle_all_groups(&mut self, open: bool) {
        self.rows.toggle_all_groups(open);
    }

    /// The group that a line is in, or is the head of.
    #[must_use]
    pub fn group_at(&self, line: usize) -> Option<Group> {
        self.rows.group_at(line)
    }

    /// How many lines the view has: its rows, but for those of closed groups, and the heads.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.rows.lines()
    }

    /// Line `index` of the view.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<Line> {
        Some(match self.rows.line(index)? {
            Place::Head(group) => Line::Group(group),
            Place::Row(index) => Line::Row(self.row(index)?),
        })
    }

    /// The lines of the view in this range, cut to its length.
    pub fn lines(&self, range: Range<usize>) -> impl Iterator<Item = Line> + '_ {
        (range.start..range.end.min(self.line_count())).filter_map(|index| self.line(index))
    }

    /// Where the line of a row or of a group is. A row of a closed group is where its group is.
    #[must_use]
    pub fn line_of(&self, key: &Key) -> Option<usize> {
        self.rows.line_of(key)
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

    /// How many rows the view has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the view has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row `index` of the view.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<RowView> {
        self.rows.row(index).map(|row| self.view(row))
    }

    /// The rows of the view in this range, cut to its length.
    pub fn window(&self, range: Range<usize>) -> impl Iterator<Item = RowView> + '_ {
        (range.start..range.end.min(self.len())).filter_map(|index| self.row(index))
    }

    /// Where a row is in the view.
    #[must_use]
    pub fn position(&self, key: &Key) -> Option<usize> {
        self.rows.position(key)
    }

    /// A row by its identity, whether the filter shows it or not.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<RowView> {
        self.rows.get(key).map(|row| self.view(row))
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
    pub fn clear_marks(&mut self) -> bool {
        self.rows.clear_marks()
    }

    fn view(&self, row: &Row) -> RowView {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingress::{Backend, Path, Rule, ServiceBackend, TlsEntry};
    use crate::message::{ErrorReason, Heartbeat, Reset};

    fn row(namespace: &str, name: &str, variant: u8) -> Ingress {
        let host = format!("{}.example.com", ["a", "b", "*"][usize::from(variant % 3)]);
        Ingress {
            name: name.into(),
            namespace: namespace.into(),
            tls: variant.is_multiple_of(2),
            tls_entries: (variant.is_multiple_of(2))
                .then(|| TlsEntry {
                    secret_name: Some(format!("secret-{}", variant % 4)),
                    hosts: vec!["a.example.com".into()],
                })
                .into_iter()
                .collect(),
            ingress_class_name: (!variant.is_multiple_of(5)).then(|| "nginx".into()),
            addresses: (variant.is_multiple_of(3))
                .then(|| format!("192.0.2.{variant}"))
                .into_iter()
                .collect(),
            created_at: (!variant.is_multiple_of(7))
                .then(|| format!("2025-01-{:02}T00:00:00Z", variant % 28 + 1)),
            rules: vec![Rule {
                host: Some(host.clone()),
                paths: vec![Path {
                    path: Some(format!("/{}", variant % 4)),
                    path_type: "Prefix".into(),
                    backend: Backend {
                        service: Some(ServiceBackend {
                            name: format!("svc-{}", variant % 3),
                            port: None,
                        }),
                        resource: None,
                    },
                }],
            }],
            hosts: if variant.is_multiple_of(11) {
                Vec::new()
            } else {
                vec![host]
            },
            version: variant.to_string(),
            ..Ingress::default()
        }
    }

    fn reset() -> Message {
        Message::Reset(Reset { build: "b".into() })
    }

    fn synced(count: usize, pending: &[&str]) -> Message {
        Message::Synced(Synced {
            count,
            pending: pending.iter().map(ToString::to_string).collect(),
            pending_count: None,
        })
    }

    fn status(namespace: Option<&str>, state: NamespaceState, count: Option<usize>) -> Message {
        Message::NamespaceStatus(NamespaceStatus {
            namespace: namespace.map(Into::into),
            state,
            count,
            retry_in_ms: None,
            since: None,
        })
    }

    fn table(messages: impl IntoIterator<Item = Message>) -> Table {
        let mut table = Table::new();
        table.begin_stream();
        play(&mut table, messages);
        table
    }

    fn play(table: &mut Table, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            table.apply(message, 1);
        }
        table.settle();
    }

    fn names(table: &Table) -> Vec<String> {
        let rows = table.window(0..usize::MAX);
        rows.map(|row| row.ingress.name.clone()).collect()
    }

    fn two_rows() -> Table {
        table([
            reset(),
            Message::IngressAdded(row("shop", "cart", 1)),
            Message::IngressAdded(row("blog", "www", 2)),
            synced(2, &[]),
        ])
    }

    #[test]
    fn a_deleted_ingress_disappears_after_a_replay_and_not_before() {
        let mut table = two_rows();
        table.begin_stream();
        play(
            &mut table,
            [reset(), Message::IngressAdded(row("shop", "cart", 1))],
        );
        assert_eq!(names(&table), ["cart", "www"]);
        let change = table.apply(synced(1, &[]), 1);
        table.settle();
        assert_eq!(change.mismatch, None);
        assert_eq!(names(&table), ["cart"]);
    }

    #[test]
    fn a_pending_namespace_that_synced_does_not_name_has_said_so_before() {
        let mut table = two_rows();
        table.begin_stream();
        play(
            &mut table,
            [
                reset(),
                Message::IngressAdded(row("shop", "cart", 1)),
                status(Some("blog"), NamespaceState::Syncing, None),
                Message::Synced(Synced {
                    count: 1,
                    pending: vec!["other".into()],
                    pending_count: Some(2),
                }),
            ],
        );
        assert_eq!(names(&table), ["cart", "www"]);
        assert!(table.get(&Key::new("blog", "www")).unwrap().old && !table.is_complete());
        // A document names no states: nothing goes before the stream has said which they are.
        let document = IngressDocument {
            revision: Some("1".into()),
            pending: vec!["other".into()],
            pending_count: Some(2),
            ..IngressDocument::default()
        };
        table.apply_document(document);
        table.settle();
        assert_eq!(names(&table), ["cart", "www"]);
    }

    #[test]
    fn rows_of_a_pending_namespace_stay_marked_old_until_it_is_live() {
        let mut table = two_rows();
        table.begin_stream();
        play(
            &mut table,
            [
                reset(),
                Message::IngressAdded(row("shop", "cart", 1)),
                synced(1, &["blog"]),
            ],
        );
        assert_eq!(names(&table), ["cart", "www"]);
        assert!(table.get(&Key::new("blog", "www")).unwrap().old);
        assert!(!table.get(&Key::new("shop", "cart")).unwrap().old);
        assert!(!table.is_complete());
        play(
            &mut table,
            [
                Message::IngressAdded(row("blog", "new", 2)),
                status(Some("blog"), NamespaceState::Live, Some(1)),
            ],
        );
        assert_eq!(names(&table), ["cart", "new"]);
        assert_eq!(table.get(&Key::new("blog", "new")).unwrap().mark, None);
        assert!(table.is_complete());
    }

    #[test]
    fn a_scope_that_was_never_listed_drops_nothing() {
        let mut table = two_rows();
        table.begin_stream();
        let unknown = || status(None, NamespaceState::Retrying, None);
        play(&mut table, [reset(), unknown(), synced(0, &[])]);
        assert_eq!(names(&table), ["cart", "www"]);
        assert!(table.row(0).unwrap().old);
        assert!(!table.is_complete());
        play(
            &mut table,
            [
                Message::IngressAdded(row("shop", "cart", 1)),
                status(None, NamespaceState::Live, Some(1)),
            ],
        );
        assert_eq!(names(&table), ["cart"]);
        assert!(table.is_complete());
    }

    fn lines(table: &Table) -> Vec<String> {
        let lines = table.lines(0..usize::MAX);
        lines
            .map(|line| match line {
                Line::Group(group) => format!("{} ({})", group.value, group.rows),
                Line::Row(view) => view.ingress.name.clone(),
            })
            .collect()
    }

    #[test]
    fn groups_have_heads_with_counts_and_follow_changes() {
        let mut table = two_rows();
        table.set_grouping(Some(Grouping::Namespace));
        assert_eq!(lines(&table), ["blog (1)", "www", "shop (1)", "cart"]);
        play(&mut table, [Message::IngressAdded(row("blog", "a", 1))]);
        assert_eq!(lines(&table), ["blog (2)", "a", "www", "shop (1)", "cart"]);
        assert_eq!(table.line_of(&Key::new("shop", "cart")), Some(4));
        table.toggle_group("blog");
        assert_eq!(lines(&table), ["blog (2)", "shop (1)", "cart"]);
        table.set_filter(Filter::parse("ns:blog"));
        assert_eq!(lines(&table), ["blog (2)"]);
        assert_eq!(table.len(), 2);
        table.set_grouping(None);
        assert_eq!(lines(&table), ["a", "www"]);
    }

    #[test]
    fn rows_without_a_value_are_the_last_group() {
        let mut table = two_rows();
        play(
            &mut table,
            [Message::IngressAdded(row("blog", "classless", 5))],
        );
        table.set_grouping(Some(Grouping::Class));
        assert_eq!(
            lines(&table),
            ["nginx (2)", "cart", "www", " (1)", "classless"]
        );
        table.set_grouping(Some(Grouping::Tls));
        assert_eq!(lines(&table)[0], "partly (1)");
    }

    #[test]
    fn values_are_counted_over_the_rows_that_match() {
        let table = two_rows();
        let all = Filter::default();
        let count = |field, part| table.values(field, &all, part);
        assert_eq!(count(Field::Class, ""), [("nginx".to_owned(), 2)]);
        assert_eq!(count(Field::Namespace, "SH"), [("shop".to_owned(), 1)]);
        let filter = Filter::parse("ns:blog");
        assert_eq!(table.values(Field::Class, &filter, "").len(), 1);
        assert_eq!(table.values(Field::Class, &filter, "")[0].1, 1);
    }

    #[test]
    fn the_changes_of_a_row_are_kept_newest_first() {
        let mut table = two_rows();
        let key = Key::new("shop", "cart");
        for variant in [3, 4, 4] {
            table.apply(Message::IngressModified(row("shop", "cart", variant)), 7);
        }
        table.apply(Message::IngressModified(row("blog", "www", 9)), 8);
        let seen: Vec<_> = table.changes(&key).collect();
        let versions: Vec<_> = seen
            .iter()
            .map(|seen| (seen.before.version.as_str(), seen.after.version.as_str()))
            .collect();
        assert_eq!(versions, [("3", "4"), ("1", "3")]);
        assert_eq!(seen[0].at_ms, Some(7));
    }

    #[test]
    fn a_document_is_a_replay_unless_it_has_no_revision() {
        let document = |revision: Option<&str>| IngressDocument {
            revision: revision.map(Into::into),
            build: "b".into(),
            items: vec![row("shop", "new", 1)],
            ..IngressDocument::default()
        };
        let mut table = two_rows();
        table.apply_document(document(None));
        table.settle();
        assert_eq!(names(&table), ["cart", "new", "www"]);
        table.apply_document(document(Some("1")));
        table.settle();
        assert_eq!(names(&table), ["new"]);
        assert_eq!(table.row(0).unwrap().mark, None);
    }

    #[test]
    fn a_forbidden_namespace_has_no_rows() {
        let mut table = two_rows();
        play(
            &mut table,
            [status(Some("blog"), NamespaceState::Forbidden, None)],
        );
        assert_eq!(names(&table), ["cart"]);
        assert_eq!(table.state("blog"), NamespaceState::Forbidden);
    }

    #[test]
    fn a_wrong_count_is_found() {
        let mut table = two_rows();
        let change = table.apply(synced(3, &[]), 1);
        assert_eq!(
            change.mismatch,
            Some(CountMismatch {
                expected: 3,
                held: 2
            })
        );
        assert_eq!(table.apply(synced(1, &["blog"]), 1).mismatch, None);
    }

    #[test]
    fn states_and_errors_end_with_live_or_with_the_next_stream() {
        let error = |namespace: &str| {
            Message::Error(StreamError {
                error: "refused".into(),
                namespace: Some(namespace.into()),
                reason: ErrorReason::Unreachable,
                retry_in_ms: Some(8_000),
                missing: None,
            })
        };
        let retrying = |namespace| status(Some(namespace), NamespaceState::Retrying, Some(1));
        let mut table = two_rows();
        play(
            &mut table,
            [
                error("shop"),
                retrying("shop"),
                error("blog"),
                retrying("blog"),
            ],
        );
        assert!(table.row(0).unwrap().old);
        play(
            &mut table,
            [status(Some("shop"), NamespaceState::Live, Some(1))],
        );
        assert_eq!(table.errors().len(), 1);
        assert!(!table.row(0).unwrap().old);
        table.begin_stream();
        assert_eq!(table.state("blog"), NamespaceState::Retrying);
        play(&mut table, [synced(2, &[])]);
        assert!(table.errors().is_empty() && table.states().is_empty());
    }

    #[test]
    fn only_news_is_marked() {
        let mut table = two_rows();
        let key = Key::new("shop", "cart");
        let mark = |table: &Table, key: &Key| table.get(key).unwrap().mark;
        assert_eq!(mark(&table, &key), None);
        table.apply(Message::IngressModified(row("shop", "cart", 1)), 7);
        assert_eq!(mark(&table, &key), None, "nothing changed");
        table.apply(Message::IngressModified(row("shop", "cart", 2)), 8);
        let modified = Mark {
            kind: MarkKind::Modified,
            at_ms: 8,
        };
        assert_eq!(mark(&table, &key), Some(modified));
        table.apply(Message::IngressAdded(row("shop", "new", 2)), 9);
        let added = Mark {
            kind: MarkKind::Added,
            at_ms: 9,
        };
        assert_eq!(mark(&table, &Key::new("shop", "new")), Some(added));
        assert!(table.clear_marks());
        table.begin_stream();
        table.apply(Message::IngressAdded(row("shop", "cart", 3)), 10);
        assert_eq!(mark(&table, &key), None, "what was missed is no news");
    }

    #[test]
    fn a_row_deleted_while_live_stays_struck_through_in_its_place_for_a_moment() {
        let mut table = two_rows();
        let seen = |table: &Table| {
            let rows = table.window(0..usize::MAX);
            rows.map(|row| (row.ingress.name.clone(), row.deleted))
                .collect::<Vec<_>>()
        };
        let line = |name: &str, deleted| (name.to_owned(), deleted);
        let (cart, www) = (Key::new("shop", "cart"), Key::new("blog", "www"));
        table.apply(Message::IngressDeleted(cart.clone()), 5_000);
        assert_eq!(table.settle_at(5_000), Some(7_000));
        assert_eq!(seen(&table), [line("cart", true), line("www", false)]);
        // What comes, goes and moves meanwhile does so around it.
        table.apply(Message::IngressAdded(row("shop", "api", 1)), 5_100);
        table.apply(Message::IngressDeleted(www.clone()), 5_200);
        assert_eq!(table.settle_at(6_999), Some(7_000));
        let struck = [line("api", false), line("cart", true), line("www", true)];
        assert_eq!(seen(&table), struck);
        assert_eq!((table.totals().rows, table.waiting()), (1, 2));
        assert_eq!(table.settle_at(7_000), Some(7_200));
        assert_eq!(seen(&table), [line("api", false), line("www", true)]);
        // One that returns is a row again, and one that was to move has no place to stay in.
        table.apply(Message::IngressAdded(row("blog", "www", 3)), 7_100);
        assert_eq!(table.settle_at(7_100), None);
        assert_eq!(seen(&table), [line("api", false), line("www", false)]);
        table.set_sort(Column::Class, Direction::Ascending);
        table.apply(Message::IngressModified(row("blog", "www", 5)), 7_200);
        table.apply(Message::IngressDeleted(www), 7_300);
        assert_eq!(table.settle_at(7_300), None);
        assert_eq!(seen(&table), [line("api", false)]);
        // Whoever settles without a time sees what is there.
        table.apply(Message::IngressDeleted(Key::new("shop", "api")), 8_000);
        table.settle();
        assert!(table.is_empty());
    }

    #[test]
    fn until_it_settles_the_view_keeps_its_rows_and_shows_their_values() {
        let mut table = two_rows();
        table.apply(Message::IngressDeleted(Key::new("shop", "cart")), 1);
        table.apply(Message::IngressAdded(row("a", "a", 1)), 1);
        table.apply(Message::IngressModified(row("blog", "www", 3)), 1);
        assert_eq!(names(&table), ["cart", "www"]);
        assert!(table.row(0).unwrap().deleted);
        assert_eq!(table.row(1).unwrap().ingress.version, "3");
        assert_eq!(table.waiting(), 2);
        table.settle();
        assert_eq!(names(&table), ["a", "www"]);
    }

    #[test]
    fn typing_on_finds_the_same_rows_as_a_new_search() {
        let rows = (0..250).map(|n| Message::IngressAdded(row("shop", &format!("row-{n:03}"), 1)));
        let mut table = table(rows);
        for typed in ["row-2", "row-20", "row-201", "row-2", "row-20 ns:shop", ""] {
            table.set_filter(Filter::parse(typed));
            let start = typed.split(' ').next().unwrap();
            let expected: Vec<_> = (0..250)
                .map(|n| format!("row-{n:03}"))
                .filter(|name| name.starts_with(start))
                .collect();
            assert_eq!(names(&table), expected, "{typed:?}");
        }
    }

    #[test]
    fn another_scope_keeps_what_it_shares() {
        let mut table = two_rows();
        table.set_scope(&Scope::parse(["shop,new"], 50).unwrap());
        table.settle();
        assert_eq!(names(&table), ["cart"]);
        assert!(!table.is_complete());
    }

    const NAMESPACES: [&str; 3] = ["blog", "home", "shop"];

    /// A server that keeps the promises of the protocol, and a client whose stream is cut.
    #[derive(Default)]
    struct World {
        cluster: BTreeMap<Key, Ingress>,
        /// Namespaces that the server has not listed yet.
        unlisted: BTreeSet<String>,
        /// Namespaces that the server may not read.
        forbidden: BTreeSet<String>,
        /// Keys in the order of their changes, since the server started.
        log: Vec<Key>,
        /// Where the client resumes.
        cursor: Option<usize>,
        connected: bool,
        table: Table,
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put(&'static str, u8, u8),
        Delete(&'static str, u8),
        Cut,
        Restart(Vec<&'static str>),
        /// Cut after so many messages, where given.
        Connect(Option<usize>),
        Document,
        Listed(&'static str),
        Forbid(&'static str),
        Allow(&'static str),
    }

    impl World {
        fn seen(&self, namespace: &str) -> bool {
            !self.unlisted.contains(namespace) && !self.forbidden.contains(namespace)
        }

        fn known(&self) -> BTreeMap<Key, Ingress> {
            let cluster = self.cluster.clone().into_iter();
            cluster
                .filter(|(key, _)| self.seen(&key.namespace))
                .collect()
        }

        fn pending(&self) -> Vec<String> {
            self.unlisted.difference(&self.forbidden).cloned().collect()
        }

        /// What `pending` names of them, and how many they are where that is not all.
        fn named_pending(&self) -> (Vec<String>, Option<usize>) {
            let mut named = self.pending();
            let all = named.len();
            named.truncate(1);
            let count = (named.len() < all).then_some(all);
            (named, count)
        }

        fn send(&mut self, message: Message) {
            if self.connected {
                let change = self.table.apply(message, 1);
                assert_eq!(change.mismatch, None);
                self.cursor = Some(self.log.len());
            }
        }

        fn changed(&mut self, key: Key) {
            if !self.seen(&key.namespace) {
                return;
            }
            self.log.push(key.clone());
            self.send(self.newest(key));
        }

        /// The folded change of a row.
        fn newest(&self, key: Key) -> Message {
            match self.cluster.get(&key) {
                Some(row) if self.seen(&key.namespace) => Message::IngressAdded(row.clone()),
                _ => Message::IngressDeleted(key),
            }
        }

        fn keys_of(&self, namespace: &str) -> Vec<Key> {
            let keys = self.cluster.keys();
            keys.filter(|key| key.namespace == namespace)
                .cloned()
                .collect()
        }

        fn connect(&mut self, cut: Option<usize>) {
            let mut messages = match self.cursor {
                Some(cursor) => {
                    let missed: BTreeSet<_> = self.log[cursor..].iter().cloned().collect();
                    missed.into_iter().map(|key| self.newest(key)).collect()
                }
                None => {
                    let rows = self.known().into_values().map(Message::IngressAdded);
                    std::iter::once(reset()).chain(rows).collect::<Vec<_>>()
                }
            };
            for namespace in &self.forbidden {
                messages.push(status(Some(namespace), NamespaceState::Forbidden, None));
            }
            // The server names some of very many, and has said the states of all before.
            for namespace in self.pending() {
                messages.push(status(Some(&namespace), NamespaceState::Syncing, None));
            }
            let (named, count) = self.named_pending();
            messages.push(Message::Synced(Synced {
                count: self.known().len(),
                pending: named,
                pending_count: count,
            }));
            self.table.begin_stream();
            let cut = cut.filter(|cut| *cut < messages.len());
            for message in messages.into_iter().take(cut.unwrap_or(usize::MAX)) {
                let change = self.table.apply(message, 1);
                assert_eq!(change.mismatch, None);
            }
            self.connected = cut.is_none();
            self.cursor = match cut {
                None => Some(self.log.len()),
                Some(0) => self.cursor,
                Some(_) => None,
            };
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Put(namespace, name, variant) => {
                    let row = row(namespace, &name.to_string(), variant);
                    let key = row.key();
                    self.cluster.insert(key.clone(), row);
                    self.changed(key);
                }
                Step::Delete(namespace, name) => {
                    let key = Key::new(namespace, name.to_string());
                    if self.cluster.remove(&key).is_some() {
                        self.changed(key);
                    }
                }
                Step::Cut => self.connected = false,
                Step::Restart(unlisted) => {
                    self.connected = false;
                    self.log.clear();
                    self.cursor = None;
                    self.unlisted = unlisted.into_iter().map(Into::into).collect();
                }
                Step::Connect(cut) if !self.connected => self.connect(cut),
                Step::Document if !self.connected => {
                    self.table.apply_document(IngressDocument {
                        revision: Some("1".into()),
                        pending: self.named_pending().0,
                        pending_count: self.named_pending().1,
                        items: self.known().into_values().collect(),
                        ..IngressDocument::default()
                    });
                    self.cursor = Some(self.log.len());
                    self.connect(None);
                }
                Step::Listed(namespace) => {
                    if self.unlisted.remove(namespace) && self.seen(namespace) {
                        self.all_changed(namespace);
                        self.send(status(Some(namespace), NamespaceState::Live, Some(0)));
                    }
                }
                Step::Forbid(namespace) => {
                    if self.forbidden.insert(namespace.into()) {
                        for key in self.keys_of(namespace) {
                            self.log.push(key.clone());
                            self.send(Message::IngressDeleted(key));
                        }
                        self.send(status(Some(namespace), NamespaceState::Forbidden, None));
                    }
                }
                Step::Allow(namespace) => {
                    if self.forbidden.remove(namespace) {
                        self.all_changed(namespace);
                        let state = if self.seen(namespace) {
                            NamespaceState::Live
                        } else {
                            NamespaceState::Syncing
                        };
                        self.send(status(Some(namespace), state, None));
                    }
                }
                Step::Connect(_) | Step::Document => {}
            }
            self.send(Message::Heartbeat(Heartbeat {
                time: String::new(),
            }));
            self.table.settle();
        }

        fn all_changed(&mut self, namespace: &str) {
            for key in self.keys_of(namespace) {
                self.changed(key);
            }
        }

        fn held(&self) -> BTreeMap<Key, Ingress> {
            let rows = self.table.window(0..usize::MAX);
            rows.map(|row| (row.ingress.key(), (*row.ingress).clone()))
                .collect()
        }
    }

    fn steps() -> impl Strategy<Value = Step> {
        let namespace = || prop::sample::select(NAMESPACES.to_vec());
        prop_oneof![
            6 => (namespace(), 0u8..4, 0u8..30).prop_map(|(ns, name, variant)| Step::Put(ns, name, variant)),
            4 => (namespace(), 0u8..4).prop_map(|(ns, name)| Step::Delete(ns, name)),
            2 => Just(Step::Cut),
            1 => prop::sample::subsequence(NAMESPACES.to_vec(), 0..=3).prop_map(Step::Restart),
            3 => prop::option::of(0usize..6).prop_map(Step::Connect),
            1 => Just(Step::Document),
            2 => namespace().prop_map(Step::Listed),
            1 => namespace().prop_map(Step::Forbid),
            1 => namespace().prop_map(Step::Allow),
        ]
    }

    #[derive(Clone, Debug)]
    enum ViewStep {
        Put(u8, u8),
        Delete(u8),
        Filter(&'static str),
        Sort(Column, Direction),
        Settle,
    }

    const COLUMNS: [Column; 8] = [
        Column::Name,
        Column::Namespace,
        Column::Host,
        Column::Path,
        Column::Class,
        Column::Address,
        Column::Tls,
        Column::Age,
    ];

    fn view_steps() -> impl Strategy<Value = ViewStep> {
        let directions = vec![Direction::Ascending, Direction::Descending];
        let filters = vec![
            "",
            "a",
            "a.",
            "tls:no",
            "tls:no a",
            "-class:none",
            "ns:ns1",
            "3",
            "a.example.com",
            "a.example.com/3 -class:none",
            "https://b.example.com/3",
            "ns1/3",
        ];
        prop_oneof![
            8 => (0u8..20, 0u8..60).prop_map(|(name, variant)| ViewStep::Put(name, variant)),
            4 => (0u8..20).prop_map(ViewStep::Delete),
            2 => prop::sample::select(filters).prop_map(ViewStep::Filter),
            2 => (prop::sample::select(COLUMNS.to_vec()), prop::sample::select(directions))
                .prop_map(|(column, direction)| ViewStep::Sort(column, direction)),
            4 => Just(ViewStep::Settle),
        ]
    }

    /// A column's value as text, of which the order is the column's.
    fn value(row: &Ingress, column: Column) -> Option<String> {
        let path = &row.rules[0].paths[0];
        match column {
            Column::Name => Some(row.name.clone()),
            Column::Namespace => Some(row.namespace.clone()),
            Column::Host => row.hosts.first().cloned(),
            Column::Path => Some(format!(
                "{} {}",
                path.path.clone().unwrap(),
                path.backend.service.clone().unwrap().name
            )),
            Column::Class => row.ingress_class_name.clone(),
            Column::Address => row.addresses.first().cloned(),
            Column::Tls => Some(match (row.tls, row.hosts_with_tls() < row.hosts.len()) {
                (false, _) => "0".into(),
                (true, true) => format!("1 {:?}", row.tls_entries[0].secret_name),
                (true, false) => format!("2 {:?}", row.tls_entries[0].secret_name),
            }),
            // Digits turned over: the latest first.
            Column::Age => row.created_at.as_ref().map(|date| {
                let turned = |c: char| c.to_digit(10).map_or(c, |d| (b'9' - d as u8) as char);
                date.chars().map(turned).collect()
            }),
        }
    }

    fn expected_view(
        rows: &BTreeMap<Key, Ingress>,
        filter: &Filter,
        (column, direction): (Column, Direction),
    ) -> Vec<Key> {
        let mut shown: Vec<_> = rows.values().filter(|row| filter.matches(row)).collect();
        shown.sort_by_key(|row| (row.name.clone(), row.namespace.clone()));
        let (mut with, without): (Vec<_>, Vec<_>) = shown
            .into_iter()
            .partition(|row| value(row, column).is_some());
        match direction {
            Direction::Ascending => with.sort_by_key(|row| value(row, column)),
            Direction::Descending => {
                with.sort_by_key(|row| std::cmp::Reverse(value(row, column)));
            }
        }
        let mut shown: Vec<_> = with.into_iter().chain(without).collect();
        // What takes the host that is asked for is first.
        shown.sort_by_key(|row| filter.matcher().rank(row));
        shown.into_iter().map(Ingress::key).collect()
    }

    fn expected_totals(rows: &BTreeMap<Key, Ingress>, filter: &Filter) -> Totals {
        let rows: Vec<_> = rows.values().filter(|row| filter.matches(row)).collect();
        let count = |test: fn(&Ingress) -> bool| rows.iter().filter(|row| test(row)).count();
        let hosts: BTreeSet<_> = rows.iter().flat_map(|row| &row.hosts).collect();
        let namespaces: BTreeSet<_> = rows.iter().map(|row| &row.namespace).collect();
        Totals {
            rows: rows.len(),
            hosts: hosts.len(),
            wildcard_hosts: hosts.iter().filter(|host| host.starts_with('*')).count(),
            with_tls: count(|row| row.tls),
            partly_tls: count(|row| row.tls && row.hosts_with_tls() < row.hosts.len()),
            without_class: count(|row| row.ingress_class_name.is_none()),
            namespaces: namespaces.len(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_synced_table_is_the_servers_whatever_happened_before(
            history in prop::collection::vec(steps(), 0..60),
        ) {
            let mut world = World::default();
            // Namespaces that were forbidden while the client was away: their deletes come when
            // it resumes, even where the namespace is pending again by then.
            let mut withdrawn = BTreeSet::new();
            for step in history {
                match &step {
                    Step::Forbid(namespace) if !world.connected => {
                        withdrawn.insert((*namespace).to_owned());
                    }
                    Step::Restart(_) => withdrawn.clear(),
                    _ => {}
                }
                let before = world.held();
                let deletes = matches!(step, Step::Forbid(_) | Step::Allow(_) | Step::Listed(_));
                world.step(step);
                let held = world.held();
                if !world.connected {
                    continue;
                }
                let (pending, settled): (BTreeMap<_, _>, BTreeMap<_, _>) = held
                    .into_iter()
                    .partition(|(key, _)| world.pending().contains(&key.namespace));
                prop_assert_eq!(settled, world.known());
                prop_assert_eq!(world.table.is_complete(), world.pending().is_empty());
                for key in pending.keys() {
                    prop_assert!(world.table.get(key).unwrap().old);
                }
                if !deletes {
                    let stays = |(key, _): &(Key, Ingress)| {
                        world.pending().contains(&key.namespace)
                            && !withdrawn.contains(&key.namespace)
                    };
                    let kept: BTreeMap<_, _> = before.into_iter().filter(stays).collect();
                    let pending: BTreeMap<_, _> = pending.into_iter().filter(stays).collect();
                    prop_assert_eq!(pending, kept, "pending rows stay as they are");
                }
                withdrawn.clear();
            }
        }

        #[test]
        fn the_view_is_the_rows_filtered_and_sorted(
            history in prop::collection::vec(view_steps(), 0..80),
        ) {
            let mut table = Table::new();
            let mut rows = BTreeMap::new();
            let mut filter = Filter::default();
            let mut sort = (Column::Name, Direction::Ascending);
            let mut settled = Vec::new();
            for step in history {
                let settles = !matches!(step, ViewStep::Put(..) | ViewStep::Delete(_));
                match step {
                    ViewStep::Put(name, variant) => {
                        let row = row(&format!("ns{}", name % 3), &(name / 2).to_string(), variant);
                        rows.insert(row.key(), row.clone());
                        table.apply(Message::IngressModified(row), 1);
                    }
                    ViewStep::Delete(name) => {
                        let key = Key::new(format!("ns{}", name % 3), (name / 2).to_string());
                        rows.remove(&key);
                        table.apply(Message::IngressDeleted(key), 1);
                    }
                    ViewStep::Filter(text) => {
                        filter = Filter::parse(text);
                        table.set_filter(filter.clone());
                    }
                    ViewStep::Sort(column, direction) => {
                        sort = (column, direction);
                        table.set_sort(column, direction);
                    }
                    ViewStep::Settle => table.settle(),
                }
                if settles {
                    settled = expected_view(&rows, &filter, sort);
                }
                let shown: Vec<_> = table.window(0..usize::MAX).collect();
                let keys: Vec<_> = shown.iter().map(|row| row.ingress.key()).collect();
                prop_assert_eq!(&keys, &settled);
                for (row, key) in shown.iter().zip(&keys) {
                    prop_assert_eq!(row.deleted, !rows.contains_key(key));
                    prop_assert!(row.deleted || *row.ingress == rows[key]);
                }
                prop_assert_eq!(table.totals(), expected_totals(&rows, &Filter::default()));
                prop_assert_eq!(table.totals_of(&filter), expected_totals(&rows, &filter));
                prop_assert_eq!(
                    table.count(&filter),
                    expected_view(&rows, &filter, sort).len()
                );
            }
        }
    }
}
