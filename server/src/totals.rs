//! Numbers over rows, kept as rows come and go: nobody looks at all rows to show five numbers.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::tls::Coverage;

use crate::row::Row;

/// A value, and in how many rows it is.
type Counts = HashMap<Arc<str>, usize>;

/// What is counted over the rows of a scope.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    rows: usize,
    hosts: Counts,
    wildcard_hosts: usize,
    /// Hosts that rows leave out, each taken for one that no other row has.
    hosts_beyond: usize,
    with_tls: usize,
    partly_tls: usize,
    without_class: usize,
    classes: Counts,
    namespaces: Counts,
}

/// [`Totals`] at one moment, as numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: usize,
    /// Different hosts. Those that rows leave out count as different.
    pub hosts: usize,
    /// Of `hosts`, as far as rows name them.
    pub wildcard_hosts: usize,
    /// Rows with TLS for a host at least.
    pub with_tls: usize,
    /// Of `with_tls`: rows with a host that no TLS entry covers.
    pub partly_tls: usize,
    /// Rows without a class.
    pub without_class: usize,
    /// Namespaces with rows.
    pub namespaces: usize,
    /// The classes with the most rows, the largest first.
    pub largest_classes: Vec<(String, usize)>,
    /// The namespaces, likewise.
    pub largest_namespaces: Vec<(String, usize)>,
}

impl Totals {
    /// Counts one more row.
    pub(crate) fn add(&mut self, row: &Row) {
        let facts = &row.facts;
        self.rows += 1;
        self.hosts_beyond += facts.hosts_beyond;
        self.with_tls += usize::from(facts.tls != Coverage::None);
        self.partly_tls += usize::from(facts.tls == Coverage::Partly);
        for host in &facts.hosts {
            if add(&mut self.hosts, host, || host.clone()) {
                self.wildcard_hosts += usize::from(host.starts_with("*."));
            }
        }
        match &facts.class {
            Some(class) => _ = add(&mut self.classes, class, || class.clone()),
            None => self.without_class += 1,
        }
        let namespace = row.key.namespace.as_str();
        add(&mut self.namespaces, namespace, || namespace.into());
    }

    /// Takes back a row that was counted.
    pub(crate) fn remove(&mut self, row: &Row) {
        let facts = &row.facts;
        self.rows -= 1;
        self.hosts_beyond -= facts.hosts_beyond;
        self.with_tls -= usize::from(facts.tls != Coverage::None);
        self.partly_tls -= usize::from(facts.tls == Coverage::Partly);
        for host in &facts.hosts {
            if remove(&mut self.hosts, host) {
                self.wildcard_hosts -= usize::from(host.starts_with("*."));
            }
        }
        match &facts.class {
            Some(class) => _ = remove(&mut self.classes, class),
            None => self.without_class -= 1,
        }
        remove(&mut self.namespaces, &row.key.namespace);
    }

    /// The numbers, with at most `largest` classes and namespaces by name.
    pub(crate) fn summary(&self, largest: usize) -> Summary {
        Summary {
            rows: self.rows,
            hosts: self.hosts.len() + self.hosts_beyond,
            wildcard_hosts: self.wildcard_hosts,
            with_tls: self.with_tls,
            partly_tls: self.partly_tls,
            without_class: self.without_class,
            namespaces: self.namespaces.len(),
            largest_classes: by_frequency(&self.classes, largest),
            largest_namespaces: by_frequency(&self.namespaces, largest),
        }
    }
}

impl<'r> FromIterator<&'r Arc<Row>> for Totals {
    fn from_iter<T: IntoIterator<Item = &'r Arc<Row>>>(rows: T) -> Self {
        let mut totals = Self::default();
        for row in rows {
            totals.add(row);
        }
        totals
    }
}

/// Whether it is the first of its value.
fn add(counts: &mut Counts, value: &str, owned: impl FnOnce() -> Arc<str>) -> bool {
    match counts.get_mut(value) {
        Some(rows) => {
            *rows += 1;
            false
        }
        None => counts.insert(owned(), 1).is_none(),
    }
}

/// Whether it was the last of its value.
fn remove(counts: &mut Counts, value: &str) -> bool {
    match counts.get_mut(value) {
        Some(rows) if *rows > 1 => {
            *rows -= 1;
            false
        }
        _ => counts.remove(value).is_some(),
    }
}

/// The most frequent first, at most `limit`; equally frequent ones by their text.
fn by_frequency(counts: &Counts, limit: usize) -> Vec<(String, usize)> {
    let order = |(a, rows): &(&str, usize), (b, others): &(&str, usize)| {
        others.cmp(rows).then_with(|| a.cmp(b))
    };
    let mut values: Vec<(&str, usize)> = counts
        .iter()
        .map(|(value, rows)| (&**value, *rows))
        .collect();
    if limit < values.len() {
        values.select_nth_unstable_by(limit, order);
        values.truncate(limit);
    }
    values.sort_unstable_by(order);
    let owned = values.into_iter();
    owned
        .map(|(value, rows)| (value.to_owned(), rows))
        .collect()
}

#[cfg(test)]
mod tests;
