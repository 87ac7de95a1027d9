//! What a search may cost, and which rows it finds.

use std::sync::Arc;

use protocol::Ingress;
use protocol::filter::{Filter, haystack};

use super::problem::Problem;
use crate::row::Row;

/// The longest search, in bytes.
const MAX_BYTES: usize = 4_096;

/// The most values of a search; `a,b` are two. What a person leaves out on every visit has place.
const MAX_VALUES: usize = 500;

/// The most that a search compares: its values times the rows of its scope.
const MAX_COMPARISONS: usize = 10_000_000;

/// A search over `rows` rows, or why it costs too much.
pub(super) fn filter(search: &str, rows: usize) -> Result<Filter, Problem> {
    if search.len() > MAX_BYTES {
        return Err(Problem::bad_request(format!(
            "the search has {} bytes: allowed are {MAX_BYTES}",
            search.len()
        )));
    }
    let filter = Filter::parse(search);
    let values = filter.values();
    if values > MAX_VALUES {
        return Err(Problem::bad_request(format!(
            "the search has {values} values: allowed are {MAX_VALUES}"
        )));
    }
    if values * rows > MAX_COMPARISONS {
        return Err(Problem::bad_request(format!(
            "the search has {values} values for {rows} rows: allowed are {} for so many",
            MAX_COMPARISONS / rows
        )));
    }
    Ok(filter)
}

/// The rows that match. It reads every one of them: not for a thread that serves streams.
pub(super) fn found(filter: &Filter, rows: &[Arc<Row>]) -> Vec<Arc<Row>> {
    let found = decoded(filter, rows);
    found.map(|(row, _)| row.clone()).collect()
}

/// The same, with each row as the protocol has it.
pub(super) fn decoded<'r>(
    filter: &'r Filter,
    rows: &'r [Arc<Row>],
) -> impl Iterator<Item = (&'r Arc<Row>, Ingress)> {
    let matcher = filter.matcher();
    let free_text = filter.terms().iter().any(|term| term.field.is_none());
    rows.iter().filter_map(move |row| {
        let ingress = row.decode();
        let text = match free_text {
            true => haystack(&ingress),
            false => String::new(),
        };
        matcher.matches(&ingress, &text).then_some((row, ingress))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_costs_too_much_is_refused_with_the_limit() {
        let words = |search: &str, rows| filter(search, rows).unwrap_err().detail;
        let values = |count: usize| format!("-label:{}", vec!["a"; count].join(","));
        assert!(filter(&values(500), 20_000).is_ok());
        assert_eq!(
            words(&values(501), 1),
            "the search has 501 values: allowed are 500"
        );
        assert_eq!(
            words(&values(500), 50_000),
            "the search has 500 values for 50000 rows: allowed are 200 for so many"
        );
        assert_eq!(
            words(&"a".repeat(4_097), 1),
            "the search has 4097 bytes: allowed are 4096"
        );
    }

    #[test]
    fn what_is_found_is_what_the_filter_matches() {
        let rows = ["web", "api", "shop-web"].map(|name| {
            Arc::new(Row::from(Ingress {
                name: name.into(),
                namespace: "shop".into(),
                ..Ingress::default()
            }))
        });
        for search in ["", "web", "name:web", "-name:web", "shop -web", "ns:other"] {
            let filter = Filter::parse(search);
            let expected: Vec<_> = rows
                .iter()
                .filter(|row| filter.matches(&row.decode()))
                .cloned()
                .collect();
            assert_eq!(found(&filter, &rows), expected, "{search}");
        }
    }
}
