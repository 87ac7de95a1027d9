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
        .map(|(namespace, host)| Arc::new(row((namespace.into(), vec![host.into()], None, false))))
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
