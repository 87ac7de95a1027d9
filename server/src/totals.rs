//! Numbers over rows, kept as rows come and go: nobody looks at all rows to show five numbers.

use std::collections::HashMap;
use std::sync::Arc;

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
    /// Rows with TLS.
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
        self.with_tls += usize::from(facts.tls);
        self.partly_tls += usize::from(facts.tls && facts.uncovered);
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
        self.with_tls -= usize::from(facts.tls);
        self.partly_tls -= usize::from(facts.tls && facts.uncovered);
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
mod tests {
    use proptest::prelude::*;
    use protocol::Ingress;
    use protocol::ingress::{More, TlsEntry};

    use super::*;

    fn row((namespace, hosts, class, tls): (String, Vec<String>, Option<String>, bool)) -> Row {
        Ingress {
            namespace,
            hosts,
            tls,
            tls_entries: tls
                .then(|| TlsEntry {
                    hosts: vec!["a".into()],
                    ..TlsEntry::default()
                })
                .into_iter()
                .collect(),
            ingress_class_name: class,
            ..Ingress::default()
        }
        .into()
    }

    proptest! {
        #[test]
        fn rows_that_went_are_as_if_they_had_never_come(
            rows in prop::collection::vec(
                (("[ab]", prop::collection::vec("(\\*\\.)?[a-c]", 0..3), prop::option::of("[xy]"), any::<bool>()), any::<bool>()),
                0..12,
            ),
        ) {
            let mut totals = Totals::default();
            let rows: Vec<_> = rows.into_iter().map(|(row_of, stays)| {
                let mut parts = row_of;
                parts.1.sort();
                parts.1.dedup();
                (Arc::new(row(parts)), stays)
            }).collect();
            for (row, _) in &rows {
                totals.add(row);
            }
            rows.iter().filter(|(_, stays)| !stays).for_each(|(row, _)| totals.remove(row));
            let stayed: Totals = rows.iter().filter(|(_, stays)| *stays).map(|(row, _)| row).collect();
            prop_assert_eq!(totals.summary(9), stayed.summary(9));
            prop_assert_eq!(totals.hosts.len(), stayed.hosts.len());
        }
    }

    #[test]
    fn the_largest_come_first_and_a_host_counts_once() {
        let rows: Vec<_> = [("b", "h"), ("a", "h"), ("b", "*.h"), ("c", "g")]
            .map(|(namespace, host)| {
                Arc::new(row((namespace.into(), vec![host.into()], None, false)))
            })
            .into();
        let summary = rows.iter().collect::<Totals>().summary(2);
        assert_eq!((summary.hosts, summary.wildcard_hosts), (3, 1));
        assert_eq!((summary.namespaces, summary.without_class), (3, 4));
        assert_eq!(
            summary.largest_namespaces,
            [("b".to_owned(), 2), ("a".to_owned(), 1)]
        );
    }

    #[test]
    fn hosts_that_a_row_leaves_out_are_counted() {
        let large = Ingress {
            hosts: vec!["a".into()],
            more: Some(Box::new(More {
                hosts: 7,
                ..More::default()
            })),
            ..Ingress::default()
        };
        let rows = [Arc::new(Row::from(large))];
        assert_eq!(rows.iter().collect::<Totals>().summary(1).hosts, 8);
    }
}
