//! The rows themselves: a slab with an index, counts that follow each change, and the filtered
//! and sorted view.
//!
//! The order of all rows is kept beside the rows that match, so that a keystroke in the search
//! field is one pass without sorting. A change touches its row; [`Rows::settle`] takes the touched
//! rows out of the order and merges them in again, which costs the same for one row and for all.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Column, Direction, Mark, MarkKind, Totals};
use crate::filter::{Filter, haystack, is_partly_covered};
use crate::ingress::{Ingress, Key};

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
    hosts: HashMap<String, usize>,
    by_namespace: BTreeMap<String, usize>,
    totals: Totals,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) ingress: Arc<Ingress>,
    pub(super) mark: Option<Mark>,
    pub(super) deleted: bool,
    /// The replay that named the row last.
    pub(super) generation: u64,
    haystack: String,
    tls: Tls,
    touched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tls {
    None,
    Partly,
    Covered,
}

impl Row {
    fn new(ingress: Ingress, generation: u64) -> Self {
        Self {
            haystack: haystack(&ingress),
            tls: match (ingress.tls, is_partly_covered(&ingress)) {
                (false, _) => Tls::None,
                (true, true) => Tls::Partly,
                (true, false) => Tls::Covered,
            },
            ingress: Arc::new(ingress),
            mark: None,
            deleted: false,
            generation,
            touched: false,
        }
    }

    fn matches(&self, filter: &Filter) -> bool {
        filter.matches_with(&self.ingress, &self.haystack)
    }
}

impl Rows {
    /// Inserts or replaces a row; whether anything that is shown changed. A change is marked with
    /// the time, where one is given.
    pub(super) fn upsert(&mut self, ingress: Ingress, generation: u64, mark: Option<u64>) -> bool {
        let key = ingress.key();
        let Some(&slot) = self.index.get(&key) else {
            self.insert(key, ingress, generation, mark);
            return true;
        };
        let old = &mut self.slots[slot as usize];
        old.generation = generation;
        if !old.deleted && *old.ingress == ingress {
            return false;
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
        if old.deleted
            || compare(&old, row, self.column, self.direction) != Ordering::Equal
            || old.matches(&self.filter) != row.matches(&self.filter)
        {
            self.touch(slot);
        }
        true
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

    /// Deletes a row; whether it was there. The view shows it as deleted until it settles.
    pub(super) fn remove(&mut self, key: &Key) -> bool {
        match self.index.get(key) {
            Some(&slot) if !self.slots[slot as usize].deleted => {
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
        totals.rows += 1;
        totals.with_tls += usize::from(row.tls != Tls::None);
        totals.partly_tls += usize::from(row.tls == Tls::Partly);
        totals.without_class += usize::from(row.ingress.ingress_class_name.is_none());
        for host in &row.ingress.hosts {
            if let Some(rows) = self.hosts.get_mut(host) {
                *rows += 1;
                continue;
            }
            self.hosts.insert(host.clone(), 1);
            totals.wildcard_hosts += usize::from(is_wildcard(host));
        }
        totals.hosts = self.hosts.len();
        if let Some(rows) = self.by_namespace.get_mut(&row.ingress.namespace) {
            *rows += 1;
        } else {
            self.by_namespace.insert(row.ingress.namespace.clone(), 1);
        }
        totals.namespaces = self.by_namespace.len();
    }

    fn uncount(&mut self, ingress: &Ingress, tls: Tls) {
        let totals = &mut self.totals;
        totals.rows -= 1;
        totals.with_tls -= usize::from(tls != Tls::None);
        totals.partly_tls -= usize::from(tls == Tls::Partly);
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
        totals.hosts = self.hosts.len();
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
        if self.touched.is_empty() {
            return;
        }
        let mut touched = std::mem::take(&mut self.touched);
        let slots = &self.slots;
        self.order.retain(|&slot| !slots[slot as usize].touched);
        self.view.retain(|&slot| !slots[slot as usize].touched);
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
        let (column, direction) = (self.column, self.direction);
        let compare =
            |a: Slot, b: Slot| compare(&slots[a as usize], &slots[b as usize], column, direction);
        touched.sort_unstable_by(|&a, &b| compare(a, b));
        merge(&mut self.order, &touched, compare);
        touched.retain(|&slot| slots[slot as usize].matches(&self.filter));
        merge(&mut self.view, &touched, compare);
    }

    pub(super) fn waiting(&self) -> usize {
        self.touched.len()
    }

    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.settle();
        let slots = &self.slots;
        let matches = |slot: &Slot| slots[*slot as usize].matches(&filter);
        if filter.narrows(&self.filter) {
            self.view.retain(matches);
        } else {
            self.view = self.order.iter().copied().filter(matches).collect();
        }
        self.filter = filter;
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(super) fn set_sort(&mut self, column: Column, direction: Direction) {
        self.settle();
        (self.column, self.direction) = (column, direction);
        let slots = &self.slots;
        let compare = |a: &Slot, b: &Slot| {
            compare(&slots[*a as usize], &slots[*b as usize], column, direction)
        };
        self.order.sort_unstable_by(compare);
        let filter = &self.filter;
        self.view.clear();
        self.view.extend(
            self.order
                .iter()
                .filter(|&&slot| slots[slot as usize].matches(filter)),
        );
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

    pub(super) fn count_matching(&self, filter: &Filter) -> usize {
        self.rows().filter(|row| row.matches(filter)).count()
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

/// The order of two rows: by the column, then by name and namespace, which no two rows share.
fn compare(a: &Row, b: &Row, column: Column, direction: Direction) -> Ordering {
    let (left, right) = (&*a.ingress, &*b.ingress);
    let by = |left: &str, right: &str| turned(left.cmp(right), direction);
    let first = match column {
        Column::Name => by(&left.name, &right.name),
        Column::Namespace => by(&left.namespace, &right.namespace),
        Column::Host => empty_last(left.hosts.first(), right.hosts.first(), direction),
        Column::Path => empty_last(target(left), target(right), direction),
        Column::Class => empty_last(
            left.ingress_class_name.as_ref(),
            right.ingress_class_name.as_ref(),
            direction,
        ),
        Column::Address => empty_last(left.addresses.first(), right.addresses.first(), direction),
        Column::Tls => turned(
            a.tls
                .cmp(&b.tls)
                .then_with(|| secret(left).cmp(&secret(right))),
            direction,
        ),
        // The youngest row has the latest date.
        Column::Age => empty_last(
            left.created_at.as_deref().map(std::cmp::Reverse),
            right.created_at.as_deref().map(std::cmp::Reverse),
            direction,
        ),
    };
    first
        .then_with(|| left.name.cmp(&right.name))
        .then_with(|| left.namespace.cmp(&right.namespace))
}

fn turned(order: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

fn empty_last<T: Ord>(left: Option<T>, right: Option<T>, direction: Direction) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => turned(left.cmp(&right), direction),
        (left, right) => left.is_none().cmp(&right.is_none()),
    }
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
