//! One view of the store: a filter, an order and groups, and the lines that come of them.
//!
//! The order of all rows is kept beside the rows that match, so that a keystroke in the search
//! field is one pass without sorting. A view changes when it is settled: the rows that were touched
//! are taken out of the order and merged in again, which costs the same for one row and for all.

mod groups;

use std::cmp::Ordering;
use std::ops::Range;

use crate::columns::{Column, Direction, Value};
use crate::filter::Filter;
use crate::ingress::Key;
use crate::store::{Row, RowView, Rows, Slot, Store};
pub use groups::{Group, Grouping};
use groups::{Groups, Place, group_of};

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

/// A filter, an order and groups, and which rows they leave in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    filter: Filter,
    column: Column,
    direction: Direction,
    grouping: Option<Grouping>,
    groups: Groups,
    /// All rows.
    order: Vec<Slot>,
    /// Those of `order` that match.
    matching: Vec<Slot>,
}

impl View {
    /// A view of all rows, which are settled, by name.
    pub(crate) fn new(rows: &Rows) -> Self {
        let mut view = Self {
            order: rows.live().collect(),
            ..Self::default()
        };
        view.reorder(rows);
        view
    }

    /// Whether the view has another place for the second version of a row than for the first.
    pub(crate) fn moves(&self, old: &Row, new: &Row) -> bool {
        let matcher = self.filter.matcher();
        self.compare(old, new) != Ordering::Equal
            || old.matches(&matcher) != new.matches(&matcher)
            || matcher.rank(&old.ingress) != matcher.rank(&new.ingress)
    }

    /// Takes the touched rows out of the view, but for those that were deleted after this time.
    pub(crate) fn take_out(&mut self, rows: &Rows, ms: u64) {
        let keeps = |slot: &Slot| {
            let row = rows.at(*slot);
            !row.touched || row.is_struck_after(ms)
        };
        self.order.retain(keeps);
        self.matching.retain(keeps);
    }

    /// Puts rows into the view that are not in it.
    pub(crate) fn put_in(&mut self, rows: &Rows, slots: &[Slot]) {
        let mut added = slots.to_vec();
        self.sort(rows, &mut added);
        let mut order = std::mem::take(&mut self.order);
        self.merge(rows, &mut order, &added);
        self.order = order;
        if self.filter.host_asked().is_some() {
            return self.refill(rows);
        }
        let matcher = self.filter.matcher();
        added.retain(|&slot| rows.at(slot).matches(&matcher));
        let mut matching = std::mem::take(&mut self.matching);
        self.merge(rows, &mut matching, &added);
        self.matching = matching;
        self.regroup(rows);
    }

    pub(crate) fn set_filter(&mut self, rows: &Rows, filter: Filter) {
        let narrows = filter.narrows(&self.filter);
        self.filter = filter;
        if narrows {
            self.narrow(rows);
        } else {
            self.refill(rows);
        }
    }

    pub(crate) fn set_sort(&mut self, rows: &Rows, column: Column, direction: Direction) {
        (self.column, self.direction) = (column, direction);
        self.reorder(rows);
    }

    pub(crate) fn set_grouping(&mut self, rows: &Rows, grouping: Option<Grouping>) {
        self.grouping = grouping;
        self.groups.open_all();
        self.reorder(rows);
    }

    pub(crate) fn toggle_group(&mut self, value: &str) {
        self.groups.toggle(value);
    }

    pub(crate) fn toggle_all_groups(&mut self, open: bool) {
        self.groups.toggle_all(open);
    }

    fn reorder(&mut self, rows: &Rows) {
        let mut order = std::mem::take(&mut self.order);
        self.sort(rows, &mut order);
        self.order = order;
        self.refill(rows);
    }

    /// Makes the rows that match of all rows.
    fn refill(&mut self, rows: &Rows) {
        self.matching.clone_from(&self.order);
        self.narrow(rows);
    }

    /// Leaves the rows that match; where a host is asked for, those that take it come first. The
    /// rows are read in the order of the memory, which is much quicker than in their own.
    fn narrow(&mut self, rows: &Rows) {
        let mut shown = vec![false; rows.slots().len()];
        for &slot in &self.matching {
            shown[slot as usize] = true;
        }
        let matcher = self.filter.matcher();
        for (row, shown) in rows.slots().iter().zip(&mut shown) {
            *shown = *shown && row.matches(&matcher);
        }
        self.matching.retain(|&slot| shown[slot as usize]);
        if self.filter.host_asked().is_some() {
            let rank = |&slot: &Slot| matcher.rank(&rows.at(slot).ingress);
            let mut ranked: Vec<_> = (self.matching.iter())
                .map(|slot| (rank(slot), *slot))
                .collect();
            let group = |slot: Slot| self.group(rows.at(slot));
            ranked.sort_by(|(rank, a), (other, b)| group(*a).cmp(&group(*b)).then(rank.cmp(other)));
            self.matching = ranked.into_iter().map(|(_, slot)| slot).collect();
        }
        self.regroup(rows);
    }

    fn regroup(&mut self, rows: &Rows) {
        let Some(grouping) = self.grouping else {
            return self.groups.clear(self.matching.len());
        };
        let value = |&slot: &Slot| {
            let row = rows.at(slot);
            group_of(Some(grouping), &row.ingress, row.tls).1
        };
        self.groups.fill(self.matching.iter().map(value));
    }

    fn group<'r>(&self, row: &'r Row) -> (u8, &'r str) {
        group_of(self.grouping, &row.ingress, row.tls)
    }

    fn sort_key<'r>(&self, row: &'r Row) -> SortKey<'r> {
        SortKey {
            group: self.group(row),
            value: self.column.value(&row.ingress, row.tls),
            name: &row.ingress.name,
            namespace: &row.ingress.namespace,
        }
    }

    /// Rows by group, which is always ascending; then by the column, in the direction; then by name
    /// and namespace, always ascending.
    fn compare_keys(&self, a: &SortKey<'_>, b: &SortKey<'_>) -> Ordering {
        (a.group.cmp(&b.group))
            .then_with(|| a.value.compare(&b.value, self.column, self.direction))
            .then_with(|| a.name.cmp(b.name))
            .then_with(|| a.namespace.cmp(b.namespace))
    }

    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        self.compare_keys(&self.sort_key(a), &self.sort_key(b))
    }

    fn sort(&self, rows: &Rows, slots: &mut [Slot]) {
        let mut keyed: Vec<_> = slots
            .iter()
            .map(|&slot| (self.sort_key(rows.at(slot)), slot))
            .collect();
        keyed.sort_unstable_by(|(a, _), (b, _)| self.compare_keys(a, b));
        for (place, (_, slot)) in slots.iter_mut().zip(keyed) {
            *place = slot;
        }
    }

    /// Merges `added` into `into`, both sorted and without a row in common.
    fn merge(&self, rows: &Rows, into: &mut Vec<Slot>, added: &[Slot]) {
        if added.is_empty() {
            return;
        }
        let old = std::mem::take(into);
        into.reserve(old.len() + added.len());
        let mut rest = &old[..];
        for &slot in added {
            let before = rest.partition_point(|&other| {
                self.compare(rows.at(other), rows.at(slot)) == Ordering::Less
            });
            into.extend_from_slice(&rest[..before]);
            into.push(slot);
            rest = &rest[before..];
        }
        into.extend_from_slice(rest);
    }
}

/// What a row is sorted by, at hand for many comparisons.
struct SortKey<'r> {
    group: (u8, &'r str),
    value: Value<'r>,
    /// No two rows share name and namespace.
    name: &'r str,
    namespace: &'r str,
}

/// The lines of a view, to be read.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'t> {
    store: &'t Store,
    view: &'t View,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(store: &'t Store, view: &'t View) -> Self {
        Self { store, view }
    }

    /// The filter.
    #[must_use]
    pub fn filter(self) -> &'t Filter {
        &self.view.filter
    }

    /// The order.
    #[must_use]
    pub fn sort(self) -> (Column, Direction) {
        (self.view.column, self.view.direction)
    }

    /// What rows are put together by.
    #[must_use]
    pub fn grouping(self) -> Option<Grouping> {
        self.view.grouping
    }

    /// The group that a line is in, or is the head of.
    #[must_use]
    pub fn group_at(self, line: usize) -> Option<Group> {
        self.view.groups.group_at(line)
    }

    /// How many lines there are: the rows, but for those of closed groups, and the heads.
    #[must_use]
    pub fn len(self) -> usize {
        self.view.groups.lines()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Line `index`.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Line> {
        Some(match self.view.groups.at(index)? {
            Place::Head(group) => Line::Group(group),
            Place::Row(index) => Line::Row(self.row(index)?),
        })
    }

    /// The lines in this range, cut to their number.
    pub fn range(self, range: Range<usize>) -> impl Iterator<Item = Line> + 't {
        (range.start..range.end.min(self.len())).filter_map(move |index| self.get(index))
    }

    /// The index of a line. A row of a closed group is where its group is.
    #[must_use]
    pub fn line_of(self, key: &LineKey) -> Option<usize> {
        let groups = &self.view.groups;
        match key {
            LineKey::Group(value) => groups.head(value),
            LineKey::Row(key) => self.position(key).map(|index| groups.line_of(index)),
        }
    }

    /// How many rows there are, those of closed groups included.
    #[must_use]
    pub fn row_count(self) -> usize {
        self.view.matching.len()
    }

    /// Row `index`.
    #[must_use]
    pub fn row(self, index: usize) -> Option<RowView> {
        let slot = *self.view.matching.get(index)?;
        Some(self.store.shown(self.store.rows().at(slot)))
    }

    /// The rows, those of closed groups included, in their order.
    pub fn rows(self) -> impl Iterator<Item = RowView> + 't {
        (0..self.row_count()).filter_map(move |index| self.row(index))
    }

    /// Where a row is among the rows.
    #[must_use]
    pub fn position(self, key: &Key) -> Option<usize> {
        let slot = self.store.rows().slot_of(key)?;
        self.view.matching.iter().position(|shown| *shown == slot)
    }
}
