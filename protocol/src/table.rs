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

/// The identity of a line: no two lines of a view share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineKey {
    /// The head of the group with this value.
    Group(String),
    /// A row.
    Row(Key),
}

impl LineKey {
    /// The row, where the line is one.
    #[must_use]
    pub fn row(&self) -> Option<&Key> {
        match self {
            Self::Group(_) => None,
            Self::Row(key) => Some(key),
        }
    }
}

impl From<Key> for LineKey {
    fn from(key: Key) -> Self {
        Self::Row(key)
    }
}

impl Line {
    /// The identity of the line.
    #[must_use]
    pub fn key(&self) -> LineKey {
        match self {
            Self::Group(group) => LineKey::Group(group.value.clone()),
            Self::Row(view) => LineKey::Row(view.ingress.key()),
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

    /// The index of a line. A row of a closed group is where its group is.
    #[must_use]
    pub fn line_of(&self, key: &LineKey) -> Option<usize> {
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
mod tests;
