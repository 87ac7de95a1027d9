//! The rows themselves: a slab with an index, counts that follow each change, and the filtered
//! and sorted view.
//!
//! The order of all rows is kept beside the rows that match, so that a keystroke in the search
//! field is one pass without sorting. A change touches its row; [`Rows::settle`] takes the touched
//! rows out of the order and merges them in again, which costs the same for one row and for all.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::groups::{Group, Grouping, Groups, Place, group_of};
use super::{Column, Direction, LineKey, Mark, MarkKind, Totals, Values};
use crate::filter::{Field, Filter, Matcher, haystack, values};
use crate::ingress::{Ingress, Key};
use crate::tls::Coverage;

/// What became of a row that was put in.
pub(super) enum Upsert {
    /// It is the row that was there.
    Same,
    /// There was none.
    New,
    /// It was this.
    Changed(Arc<Ingress>),
}

/// A place in the slab.
type Slot = u32;

#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    slots: Vec<Row>,
    free: Vec<Slot>,
    /// Deleted rows stay until the view lets go of them.
    index: HashMap<Key, Slot>,
    order: Vec<Slot>,
    view: Vec<Slot>,
    touched: Vec<Slot>,
    filter: Filter,
    column: Column,
    direction: Direction,
    grouping: Option<Grouping>,
    groups: Groups,
    hosts: HashMap<String, usize>,
    /// Hosts that rows leave out, each taken for one that no other row has.
    hosts_beyond: usize,
    by_namespace: BTreeMap<String, usize>,
    totals: Totals,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) ingress: Arc<Ingress>,
    pub(super) mark: Option<Mark>,
    pub(super) deleted: bool,
    /// When it was deleted before the eyes of whoever looks, in its place of the order.
    struck_ms: Option<u64>,
    /// The replay that named the row last.
    pub(super) generation: u64,
    haystack: String,
    tls: Coverage,
    touched: bool,
}

impl Row {
    fn new(ingress: Ingress, generation: u64) -> Self {
        Self {
            haystack: haystack(&ingress),
            tls: ingress.coverage(),
            ingress: Arc::new(ingress),
            mark: None,
            deleted: false,
            struck_ms: None,
            generation,
            touched: false,
        }
    }

    fn matches(&self, matcher: &Matcher<'_>) -> bool {
        matcher.matches(&self.ingress, &self.haystack)
    }

    /// Whether the order does not tell this version of a row from the other.
    fn is_placed_like(&self, other: &Self, column: Column, grouping: Option<Grouping>) -> bool {
        let (a, b) = (
            self.sort_key(column, grouping),
            other.sort_key(column, grouping),
        );
        compare(&a, &b, column, Direction::Ascending) == Ordering::Equal
    }

    fn group(&self, grouping: Option<Grouping>) -> (u8, &str) {
        group_of(grouping, &self.ingress, self.tls)
    }

    /// What the row is sorted by.
    fn sort_key(&self, column: Column, grouping: Option<Grouping>) -> SortKey<'_> {
        let row = &*self.ingress;
        let (rank, first, second) = match column {
            Column::Name => (0, Some(row.name.as_str()), ""),
            Column::Namespace => (0, Some(row.namespace.as_str()), ""),
            Column::Host => (0, row.hosts.first().map(String::as_str), ""),
            Column::Path => match target(row) {
                Some((path, backend)) => (0, Some(path), backend),
                None => (0, None, ""),
            },
            Column::Class => (0, row.ingress_class_name.as_deref(), ""),
            Column::Address => (0, row.addresses.first().map(String::as_str), ""),
            Column::Tls => (self.tls as u8, Some(secret(row).unwrap_or_default()), ""),
            Column::Age => (0, row.created_at.as_deref(), ""),
        };
        SortKey {
            group: self.group(grouping),
            rank,
            first,
            second,
            name: &row.name,
            namespace: &row.namespace,
        }
    }
}

impl Totals {
    /// Counts one more row, but for its hosts and its namespace: other rows may have them too.
    fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.with_tls += usize::from(row.tls != Coverage::None);
        self.partly_tls += usize::from(row.tls == Coverage::Partly);
        self.without_class += usize::from(row.ingress.ingress_class_name.is_none());
    }
}

impl Rows {
    /// Inserts or replaces a row. A change is marked with the time, where one is given.
    pub(super) fn upsert(
        &mut self,
        ingress: Ingress,
        generation: u64,
        mark: Option<u64>,
    ) -> Upsert {
        let key = ingress.key();
        let Some(&slot) = self.index.get(&key) else {
            self.insert(key, ingress, generation, mark);
            return Upsert::New;
        };
        let old = &mut self.slots[slot as usize];
        old.generation = generation;
        if !old.deleted && *old.ingress == ingress {
            return Upsert::Same;
        }
        let mut row = Row::new(ingress, generation);
        row.touched = old.touched;
        let kind = if old.deleted {
            MarkKind::Added
        } else {
            MarkKind::Modified
        };
        row.mark = mark.map_or(old.mark, |at_ms| Some(Mark { kind, at_ms }));
        let old = std::mem::replace(old, row);
        if !old.deleted {
            self.uncount(&old.ingress, old.tls);
        }
        self.count(slot);
        let row = &self.slots[slot as usize];
        let matcher = self.filter.matcher();
        if old.deleted
            || !old.is_placed_like(row, self.column, self.grouping)
            || old.matches(&matcher) != row.matches(&matcher)
            || matcher.rank(&old.ingress) != matcher.rank(&row.ingress)
        {
            self.touch(slot);
        }
        if old.deleted {
            Upsert::New
        } else {
            Upsert::Changed(old.ingress)
        }
    }

    fn insert(&mut self, key: Key, ingress: Ingress, generation: u64, mark: Option<u64>) {
        let mut row = Row::new(ingress, generation);
        row.mark = mark.map(|at_ms| Mark {
            kind: MarkKind::Added,
            at_ms,
        });
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = row;
            slot
        } else {
            self.slots.push(row);
            (self.slots.len() - 1) as Slot
        };
        self.index.insert(key, slot);
        self.count(slot);
        self.touch(slot);
    }

    /// Deletes a row; whether it was there. The view shows it as deleted until it settles. A row
    /// that goes before somebody's eyes goes at a time.
    pub(super) fn remove(&mut self, key: &Key, at_ms: Option<u64>) -> bool {
        match self.index.get(key) {
            Some(&slot) if !self.slots[slot as usize].deleted => {
                let row = &mut self.slots[slot as usize];
                // One that was to move has no place to stay in.
                row.struck_ms = at_ms.filter(|_| !row.touched);
                self.remove_slot(slot);
                true
            }
            _ => false,
        }
    }

    /// Deletes the rows that `gone` names; whether there were any.
    pub(super) fn remove_where(&mut self, gone: impl Fn(&Row) -> bool) -> bool {
        let slots: Vec<_> = self
            .index
            .values()
            .copied()
            .filter(|&slot| {
                let row = &self.slots[slot as usize];
                !row.deleted && gone(row)
            })
            .collect();
        for &slot in &slots {
            self.remove_slot(slot);
        }
        !slots.is_empty()
    }

    fn remove_slot(&mut self, slot: Slot) {
        let row = &mut self.slots[slot as usize];
        row.deleted = true;
        row.mark = None;
        let (ingress, tls) = (Arc::clone(&row.ingress), row.tls);
        self.uncount(&ingress, tls);
        self.touch(slot);
    }

    fn touch(&mut self, slot: Slot) {
        let row = &mut self.slots[slot as usize];
        if !row.touched {
            row.touched = true;
            self.touched.push(slot);
        }
    }

    fn count(&mut self, slot: Slot) {
        let row = &self.slots[slot as usize];
        let totals = &mut self.totals;
        totals.add(row);
        for host in &row.ingress.hosts {
            if let Some(rows) = self.hosts.get_mut(host) {
                *rows += 1;
                continue;
            }
            self.hosts.insert(host.clone(), 1);
            totals.wildcard_hosts += usize::from(is_wildcard(host));
        }
        self.hosts_beyond += row.ingress.host_count() - row.ingress.hosts.len();
        totals.hosts = self.hosts.len() + self.hosts_beyond;
        if let Some(rows) = self.by_namespace.get_mut(&row.ingress.namespace) {
            *rows += 1;
        } else {
            self.by_namespace.insert(row.ingress.namespace.clone(), 1);
        }
        totals.namespaces = self.by_namespace.len();
    }

    fn uncount(&mut self, ingress: &Ingress, tls: Coverage) {
        let totals = &mut self.totals;
        totals.rows -= 1;
        totals.with_tls -= usize::from(tls != Coverage::None);
        totals.partly_tls -= usize::from(tls == Coverage::Partly);
        totals.without_class -= usize::from(ingress.ingress_class_name.is_none());
        for host in &ingress.hosts {
            match self.hosts.get_mut(host) {
                Some(rows) if *rows > 1 => *rows -= 1,
                _ => {
                    self.hosts.remove(host);
                    totals.wildcard_hosts -= usize::from(is_wildcard(host));
                }
            }
        }
        self.hosts_beyond -= ingress.host_count() - ingress.hosts.len();
        totals.hosts = self.hosts.len() + self.hosts_beyond;
        match self.by_namespace.get_mut(&ingress.namespace) {
            Some(rows) if *rows > 1 => *rows -= 1,
            _ => {
                self.by_namespace.remove(&ingress.namespace);
            }
        }
        totals.namespaces = self.by_namespace.len();
    }

    /// Brings the view up to date with the rows.
    pub(super) fn settle(&mut self) {
        self.settle_after(u64::MAX);
    }

    /// The same, but rows that were deleted after this time stay, shown as deleted. Returns when
    /// the first of them was.
    pub(super) fn settle_after(&mut self, ms: u64) -> Option<u64> {
        let slots = &self.slots;
        let stays = |slot: &Slot| slots[*slot as usize].struck_ms.is_some_and(|at| at > ms);
        let touched = std::mem::take(&mut self.touched);
        let (staying, mut touched): (Vec<_>, Vec<_>) = touched.into_iter().partition(stays);
        let first = (staying
            .iter()
            .filter_map(|&slot| slots[slot as usize].struck_ms))
        .min();
        self.touched = staying;
        if touched.is_empty() {
            return first;
        }
        let keeps = |slot: &Slot| !slots[*slot as usize].touched || stays(slot);
        self.order.retain(keeps);
        self.view.retain(keeps);
        for &slot in &touched {
            let row = &mut self.slots[slot as usize];
            row.touched = false;
            if row.deleted {
                self.index.remove(&row.ingress.key());
                // What the row holds is not kept until the slot is used again.
                *row = Row {
                    deleted: true,
                    ..Row::new(Ingress::default(), 0)
                };
                self.free.push(slot);
            }
        }
        touched.retain(|&slot| !self.slots[slot as usize].deleted);
        let slots = &self.slots;
        let (column, direction, grouping) = (self.column, self.direction, self.grouping);
        let compare = |a: Slot, b: Slot| {
            let key = |slot: Slot| slots[slot as usize].sort_key(column, grouping);
            compare(&key(a), &key(b), column, direction)
        };
        sort(&mut touched, slots, column, direction, grouping);
        merge(&mut self.order, &touched, compare);
        if self.filter.host_asked().is_some() {
            self.refill();
            return first;
        }
        let matcher = self.filter.matcher();
        touched.retain(|&slot| slots[slot as usize].matches(&matcher));
        merge(&mut self.view, &touched, compare);
        self.regroup();
        first
    }

    fn regroup(&mut self) {
        if self.grouping.is_none() {
            return self.groups.clear(self.view.len());
        }
        let (slots, grouping) = (&self.slots, self.grouping);
        let values = (self.view.iter()).map(|&slot| slots[slot as usize].group(grouping).1);
        self.groups.fill(values);
    }

    pub(super) fn waiting(&self) -> usize {
        self.touched.len()
    }

    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.settle();
        let narrows = filter.narrows(&self.filter);
        self.filter = filter;
        if narrows {
            self.narrow();
        } else {
            self.refill();
        }
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(super) fn set_sort(&mut self, column: Column, direction: Direction) {
        self.settle();
        (self.column, self.direction) = (column, direction);
        self.reorder();
    }

    pub(super) fn set_grouping(&mut self, grouping: Option<Grouping>) {
        self.settle();
        self.grouping = grouping;
        self.groups.open_all();
        self.reorder();
    }

    pub(super) fn grouping(&self) -> Option<Grouping> {
        self.grouping
    }

    pub(super) fn toggle_group(&mut self, value: &str) {
        self.groups.toggle(value);
    }

    pub(super) fn toggle_all_groups(&mut self, open: bool) {
        self.groups.toggle_all(open);
    }

    pub(super) fn group_at(&self, line: usize) -> Option<Group> {
        self.groups.group_at(line)
    }

    fn reorder(&mut self) {
        let (column, direction) = (self.column, self.direction);
        sort(
            &mut self.order,
            &self.slots,
            column,
            direction,
            self.grouping,
        );
        self.refill();
    }

    /// Makes the view of the order.
    fn refill(&mut self) {
        self.view.clone_from(&self.order);
        self.narrow();
    }

    /// Leaves in the view what matches; where a host is asked for, what takes it comes first. The
    /// rows are looked at as they lie in memory, which is much quicker than in their order.
    fn narrow(&mut self) {
        let mut shown = vec![false; self.slots.len()];
        for &slot in &self.view {
            shown[slot as usize] = true;
        }
        let matcher = self.filter.matcher();
        for (row, shown) in self.slots.iter().zip(&mut shown) {
            *shown = *shown && row.matches(&matcher);
        }
        self.view.retain(|&slot| shown[slot as usize]);
        if self.filter.host_asked().is_some() {
            let rank = |&slot: &Slot| matcher.rank(&self.slots[slot as usize].ingress);
            let mut ranked: Vec<_> = self.view.iter().map(|slot| (rank(slot), *slot)).collect();
            let group = |slot: Slot| self.slots[slot as usize].group(self.grouping);
            ranked.sort_by(|(rank, a), (other, b)| group(*a).cmp(&group(*b)).then(rank.cmp(other)));
            self.view = ranked.into_iter().map(|(_, slot)| slot).collect();
        }
        self.regroup();
    }

    pub(super) fn sort(&self) -> (Column, Direction) {
        (self.column, self.direction)
    }

    pub(super) fn len(&self) -> usize {
        self.view.len()
    }

    pub(super) fn row(&self, index: usize) -> Option<&Row> {
        Some(&self.slots[*self.view.get(index)? as usize])
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        Some(&self.slots[*self.index.get(key)? as usize])
    }

    pub(super) fn position(&self, key: &Key) -> Option<usize> {
        let slot = self.index.get(key)?;
        self.view.iter().position(|shown| shown == slot)
    }

    pub(super) fn lines(&self) -> usize {
        self.groups.lines()
    }

    pub(super) fn line(&self, index: usize) -> Option<Place> {
        self.groups.at(index)
    }

    pub(super) fn line_of(&self, key: &LineKey) -> Option<usize> {
        match key {
            LineKey::Group(value) => self.groups.head(value),
            LineKey::Row(key) => self.position(key).map(|index| self.groups.line_of(index)),
        }
    }

    /// Counts the values of each field in the rows of these places of the slab that match; only
    /// those with `part`, which is in lower case, in them. Whether there are further places.
    pub(super) fn collect_values(
        &self,
        places: Range<usize>,
        fields: &[Field],
        filter: &Filter,
        part: &str,
        into: &mut [Values],
    ) -> bool {
        let matcher = filter.matcher();
        let part = Finder::new(part.as_bytes());
        let has_part = |value: &str| {
            let value = value.as_bytes();
            if value.iter().any(u8::is_ascii_uppercase) {
                part.find(&value.to_ascii_lowercase()).is_some()
            } else {
                part.find(value).is_some()
            }
        };
        let end = places.end.min(self.slots.len());
        let rows = self.slots.get(places.start..end).unwrap_or_default();
        for row in rows
            .iter()
            .filter(|row| !row.deleted && row.matches(&matcher))
        {
            for (field, counts) in fields.iter().zip(&mut *into) {
                for value in values(*field, &row.ingress) {
                    if has_part(&value) {
                        counts.add(value);
                    }
                }
            }
        }
        end < self.slots.len()
    }

    pub(super) fn count_matching(&self, filter: &Filter) -> usize {
        let matcher = filter.matcher();
        self.rows().filter(|row| row.matches(&matcher)).count()
    }

    /// Counts over the rows that match a filter.
    pub(super) fn totals_of(&self, filter: &Filter) -> Totals {
        if filter.is_empty() {
            return self.totals;
        }
        let matcher = filter.matcher();
        let (mut hosts, mut namespaces) = (HashSet::new(), HashSet::new());
        let mut totals = Totals::default();
        for row in self.rows().filter(|row| row.matches(&matcher)) {
            totals.add(row);
            hosts.extend(row.ingress.hosts.iter().map(String::as_str));
            namespaces.insert(row.ingress.namespace.as_str());
        }
        totals.hosts = hosts.len();
        totals.wildcard_hosts = hosts.iter().filter(|host| is_wildcard(host)).count();
        totals.namespaces = namespaces.len();
        totals
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn by_namespace(&self) -> &BTreeMap<String, usize> {
        &self.by_namespace
    }

    /// Removes every mark; whether there was one.
    pub(super) fn clear_marks(&mut self) -> bool {
        let mut any = false;
        for row in &mut self.slots {
            any |= row.mark.take().is_some();
        }
        any
    }

    /// The rows that are not deleted, in no order.
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.slots.iter().filter(|row| !row.deleted)
    }
}

fn is_wildcard(host: &str) -> bool {
    host.starts_with("*.")
}

fn sort(
    order: &mut [Slot],
    slots: &[Row],
    column: Column,
    direction: Direction,
    grouping: Option<Grouping>,
) {
    let mut keyed: Vec<_> = order
        .iter()
        .map(|&slot| (slots[slot as usize].sort_key(column, grouping), slot))
        .collect();
    keyed.sort_unstable_by(|(a, _), (b, _)| compare(a, b, column, direction));
    for (place, (_, slot)) in order.iter_mut().zip(keyed) {
        *place = slot;
    }
}

/// Merges `added` into `into`, both sorted and without a row in common.
fn merge(into: &mut Vec<Slot>, added: &[Slot], compare: impl Fn(Slot, Slot) -> Ordering) {
    if added.is_empty() {
        return;
    }
    let old = std::mem::take(into);
    into.reserve(old.len() + added.len());
    let mut rest = &old[..];
    for &slot in added {
        let before = rest.partition_point(|&other| compare(other, slot) == Ordering::Less);
        into.extend_from_slice(&rest[..before]);
        into.push(slot);
        rest = &rest[before..];
    }
    into.extend_from_slice(rest);
}

/// What a row is sorted by, at hand for many comparisons.
struct SortKey<'r> {
    /// Groups are always ascending.
    group: (u8, &'r str),
    rank: u8,
    /// `None` is last in both directions.
    first: Option<&'r str>,
    second: &'r str,
    /// No two rows share name and namespace.
    name: &'r str,
    namespace: &'r str,
}

/// Rows by the column, in the direction; then by name and namespace, always ascending.
fn compare(a: &SortKey<'_>, b: &SortKey<'_>, column: Column, direction: Direction) -> Ordering {
    let by_column = match (a.first, b.first) {
        (Some(first), Some(other)) => {
            let order = (a.rank.cmp(&b.rank))
                .then_with(|| first.cmp(other))
                .then_with(|| a.second.cmp(b.second));
            // The youngest row has the latest date.
            if (direction == Direction::Descending) == (column == Column::Age) {
                order
            } else {
                order.reverse()
            }
        }
        (first, other) => first.is_none().cmp(&other.is_none()),
    };
    (a.group.cmp(&b.group))
        .then(by_column)
        .then_with(|| a.name.cmp(b.name))
        .then_with(|| a.namespace.cmp(b.namespace))
}

/// Path and backend as the table shows them first: of the first rule, else the default backend.
fn target(row: &Ingress) -> Option<(&str, &str)> {
    let path = row.rules.iter().flat_map(|rule| &rule.paths).next();
    let (path, backend) = match (path, &row.default_backend) {
        (Some(path), _) => (path.path.as_deref().unwrap_or_default(), &path.backend),
        (None, Some(backend)) => ("", backend),
        (None, None) => return None,
    };
    let name = match (&backend.service, &backend.resource) {
        (Some(service), _) => service.name.as_str(),
        (None, Some(resource)) => resource.name.as_str(),
        (None, None) => "",
    };
    Some((path, name))
}

fn secret(row: &Ingress) -> Option<&str> {
    row.tls_entries.first()?.secret_name.as_deref()
}
