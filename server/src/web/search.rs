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
mod tests;
