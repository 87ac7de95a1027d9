//! The rows themselves: a slab with an index, and counts that follow each change. Views hold places
//! of the slab, so a deleted row keeps its place until they have let go of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::{Mark, MarkKind, Totals, Values};
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
pub(crate) type Slot = u32;

#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    slots: Vec<Row>,
    free: Vec<Slot>,
    /// Deleted rows stay until the views have let go of them.
    index: HashMap<Key, Slot>,
    /// Rows that a view has to add, remove or move.
    touched: Vec<Slot>,
    hosts: HashMap<String, usize>,
    /// Hosts that rows leave out, each taken for one that no other row has.
    hosts_beyond: usize,
    by_namespace: BTreeMap<String, usize>,
    totals: Totals,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) ingress: Arc<Ingress>,
    pub(super) mark: Option<Mark>,
    pub(crate) deleted: bool,
    /// When it was deleted in the sight of a viewer, in its place of the order.
    struck_ms: Option<u64>,
    /// The replay that named the row last.
    pub(super) generation: u64,
    haystack: String,
    pub(crate) tls: Coverage,
    pub(crate) touched: bool,
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

    pub(crate) fn matches(&self, matcher: &Matcher<'_>) -> bool {
        matcher.matches(&self.ingress, &self.haystack)
    }

    /// Whether the row is deleted and still to be seen at a time.
    pub(crate) fn is_struck_after(&self, ms: u64) -> bool {
        self.struck_ms.is_some_and(|at| at > ms)
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
    /// Inserts or replaces a row. A change is marked with the time, where one is given. `moves` says
    /// of the old and the new row whether the new one belongs to another place of a view.
    pub(super) fn upsert(
        &mut self,
        ingress: Ingress,
        generation: u64,
        mark: Option<u64>,
        moves: impl Fn(&Row, &Row) -> bool,
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
        if old.deleted || moves(&old, &self.slots[slot as usize]) {
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

    /// Deletes a row; whether it was there. The views show it as deleted until they settle. A row
    /// that is deleted in the sight of a viewer is deleted at a time.
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

    /// The rows that the views take up now, which are no longer waiting: all but those that were
    /// deleted after this time. Second: when the first of the others was.
    pub(crate) fn take_touched(&mut self, ms: u64) -> (Vec<Slot>, Option<u64>) {
        let slots = &self.slots;
        let stays = |slot: &Slot| slots[*slot as usize].is_struck_after(ms);
        let touched = std::mem::take(&mut self.touched);
        let (staying, touched): (Vec<_>, Vec<_>) = touched.into_iter().partition(stays);
        let first = (staying.iter())
            .filter_map(|&slot| slots[slot as usize].struck_ms)
            .min();
        self.touched = staying;
        (touched, first)
    }

    /// No view holds these rows any more: the places of the deleted ones are free again, and only
    /// the others stay in the list.
    pub(crate) fn let_go(&mut self, touched: &mut Vec<Slot>) {
        touched.retain(|&slot| {
            let row = &mut self.slots[slot as usize];
            row.touched = false;
            if !row.deleted {
                return true;
            }
            self.index.remove(&row.ingress.key());
            // What the row holds is not kept until the place is used again.
            *row = Row {
                deleted: true,
                ..Row::new(Ingress::default(), 0)
            };
            self.free.push(slot);
            false
        });
    }

    /// The row in a place.
    pub(crate) fn at(&self, slot: Slot) -> &Row {
        &self.slots[slot as usize]
    }

    /// Every place, those of deleted rows and free ones included, in the order of the memory.
    pub(crate) fn slots(&self) -> &[Row] {
        &self.slots
    }

    /// The place of a row.
    pub(crate) fn slot_of(&self, key: &Key) -> Option<Slot> {
        self.index.get(key).copied()
    }

    /// The places of the rows that are not deleted, in no order.
    pub(crate) fn live(&self) -> impl Iterator<Item = Slot> {
        let slots = (0..).zip(&self.slots);
        slots.filter(|(_, row)| !row.deleted).map(|(slot, _)| slot)
    }

    pub(super) fn waiting(&self) -> usize {
        self.touched.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        self.slot_of(key).map(|slot| self.at(slot))
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
