//! How the parameters of a request are read.

use super::problem::Problem;

/// The values of a query's parameter `name`.
pub(super) fn values<'a>(
    pairs: &'a [(String, String)],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    pairs
        .iter()
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// A query string's parameters, decoded.
pub(super) fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, Problem> {
    axum::extract::Query::<Vec<(String, String)>>::try_from_uri(
        &http::Uri::builder()
            .path_and_query(format!("/?{}", query.unwrap_or_default()))
            .build()
            .map_err(|_| Problem::bad_request("the query cannot be read"))?,
    )
    .map(|query| query.0)
    .map_err(|_| Problem::bad_request("the query cannot be read"))
}
