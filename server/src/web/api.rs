//! `/api/ingresses` and `/api/namespaces`.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use protocol::filter::Filter;
use protocol::message::StreamError;
use protocol::{IngressDocument, Key, NamespaceDocument, NamespaceSummary, Scope};

use super::problem::Problem;
use super::{Server, assets, documents, negotiation};
use crate::journal::ScopeId;
use crate::row::Row;

/// The most rows of one page.
const MAX_LIMIT: usize = 5_000;

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

/// The scope that a query names with `namespaces` and `namespace`.
pub(super) fn scope(server: &Server, pairs: &[(String, String)]) -> Result<Scope, Problem> {
    let max = server.config.max_namespaces_per_stream as usize;
    let named = values(pairs, "namespaces").chain(values(pairs, "namespace"));
    Scope::parse(named, max).map_err(|error| Problem::bad_request(error.to_string()))
}

/// The rows of a scope as one document, or a page of them.
pub async fn ingresses(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs = pairs(query.as_deref())?;
    let scope = ScopeId::new(scope(&server, &pairs)?);
    let search = values(&pairs, "search").next().unwrap_or_default();
    let page = Page::parse(&pairs, &scope, search)?;

    let _demand = server.cluster.demand(&scope.scope);
    let pending = server.settle(&scope.scope).await.ok_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the ingresses are not known yet: {}", server.why_unknown()),
        )
        .retry_after(1)
    })?;
    let (revision, mut rows) = server.journal.rows(&scope.scope);
    let (_, errors) = server.journal.not_live(&scope.scope);
    let revision_id = server.journal.id(&scope, revision);
    let tag = entity_tag(&revision_id, &pending, &errors, query.as_deref());
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if negotiation::is_held(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }

    if !search.is_empty() {
        let filter = Filter::parse(search);
        rows.retain(|row| filter.matches(&row.decode()));
    }
    let total = rows.len();
    rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let (rows, next) = page.cut(rows);
    let whole = page.is_whole() && search.is_empty();
    let head = IngressDocument {
        revision: whole.then_some(revision_id),
        build: assets::build_id().into(),
        pending,
        errors,
        total,
        continue_token: next,
        items: Vec::new(),
    };
    let coding = negotiation::coding(&headers, documents::CODINGS);
    let build = move || documents::encode(&head, &rows, coding);
    let body = match whole {
        true => {
            let documents = &server.0.documents;
            documents.get(scope.to_string(), coding, &tag, build).await
        }
        false => documents::apart(build).await,
    };
    let mut response =
        (caching, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if coding != negotiation::IDENTITY {
        let coding = http::HeaderValue::from_static(coding);
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
    }
    Ok(response)
}

fn entity_tag(
    revision: &str,
    pending: &[String],
    errors: &[StreamError],
    query: Option<&str>,
) -> String {
    let mut hasher = DefaultHasher::new();
    (pending, query, assets::build_id()).hash(&mut hasher);
    for error in errors {
        (&error.namespace, &error.error).hash(&mut hasher);
    }
    format!("W/\"{revision}.{:x}\"", hasher.finish())
}

/// `limit` and `continue`: what was asked for and the last key of the page before.
struct Page {
    limit: Option<usize>,
    after: Option<Key>,
    /// What a token is bound to: the scope and the search.
    bound: String,
}

impl Page {
    fn parse(pairs: &[(String, String)], scope: &ScopeId, search: &str) -> Result<Self, Problem> {
        let mut hasher = DefaultHasher::new();
        search.hash(&mut hasher);
        let bound = format!("{scope}.{:x}", hasher.finish());
        let limit = values(pairs, "limit")
            .next()
            .map(|text| {
                text.parse()
                    .ok()
                    .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                    .ok_or_else(|| {
                        Problem::bad_request(format!(
                            "limit is {text:?}: allowed is a number from 1 to {MAX_LIMIT}"
                        ))
                    })
            })
            .transpose()?;
        let after = values(pairs, "continue")
            .next()
            .filter(|token| !token.is_empty())
            .map(|token| {
                let mut parts = token.splitn(3, '/');
                let (Some(held), Some(namespace), Some(name)) =
                    (parts.next(), parts.next(), parts.next())
                else {
                    return Err(Problem::bad_request(
                        "continue is not a token of this server",
                    ));
                };
                match held == bound {
                    true => Ok(Key::new(namespace, name)),
                    false => Err(Problem::bad_request(
                        "continue is a token of other namespaces or another search: keep them, or start without it",
                    )),
                }
            })
            .transpose()?;
        Ok(Self {
            limit,
            after,
            bound,
        })
    }

    fn is_whole(&self) -> bool {
        self.limit.is_none() && self.after.is_none()
    }

    /// The rows of this page, of `rows` in order, and the token of the next.
    fn cut(&self, mut rows: Vec<Arc<Row>>) -> (Vec<Arc<Row>>, Option<String>) {
        if let Some(after) = &self.after {
            let seen = rows.partition_point(|row| row.key <= *after);
            rows.drain(..seen);
        }
        let Some(limit) = self.limit.filter(|limit| *limit < rows.len()) else {
            return (rows, None);
        };
        rows.truncate(limit);
        let token = rows
            .last()
            .map(|row| format!("{}/{}/{}", self.bound, row.key.namespace, row.key.name));
        (rows, token)
    }
}

/// The namespaces that may be chosen, with their counts and states.
pub async fn namespaces(State(server): State<Server>) -> Response {
    let complete = server.journal.universe();
    let known: BTreeSet<String> = complete.clone().unwrap_or_default();
    let listed = complete.is_some();
    let items = server
        .journal
        .namespace_states()
        .into_iter()
        // A name that somebody typed is no proof that there is such a namespace.
        .filter(|(name, (_, count))| {
            !listed || known.contains(name) || count.is_some_and(|count| count > 0)
        })
        .map(|(name, (state, count))| NamespaceSummary { name, count, state })
        .collect();
    let document = NamespaceDocument {
        complete: listed,
        max_per_stream: server.config.max_namespaces_per_stream as usize,
        items,
    };
    (
        [(header::CACHE_CONTROL, "private, no-cache")],
        Json(document),
    )
        .into_response()
}
