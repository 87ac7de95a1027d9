//! `/api/ingresses` and `/api/namespaces`.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use protocol::{IngressDocument, Key, NamespaceDocument, NamespaceSummary, Scope};

use super::documents::Document;
use super::problem::Problem;
use super::query::{pairs, values};
use super::sight::Sight;
use super::{Server, assets, documents, negotiation, search};
use crate::access::Visible;
use crate::journal::Head;
use crate::row::Row;

/// The most rows of one page.
const MAX_LIMIT: usize = 5_000;

/// The rows of a scope as one document, or a page of them.
pub async fn ingresses(
    sight: Sight,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs = pairs(query.as_deref())?;
    let visible = sight.named(&pairs)?;
    let server = sight.server;
    let search = values(&pairs, "search").next().unwrap_or_default();
    let page = Page::parse(&pairs, &visible, search)?;

    let _demand = server.cluster.demand(&visible);
    server.settle(&visible).await.ok_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the ingresses are not known yet: {}", server.why_unknown()),
        )
        .retry_after(1)
    })?;
    let filter = search::filter(search, server.journal.count(&visible))?;
    // Rows are looked at only where the client does not hold what they make.
    let head = server.journal.head(&visible);
    let caching = |head: &Head| {
        [
            (header::ETAG, page.entity_tag(&server, &visible, head)),
            (header::CACHE_CONTROL, "private, no-cache".to_owned()),
            (header::VARY, "Accept-Encoding".to_owned()),
        ]
    };
    if negotiation::is_held(&headers, &page.entity_tag(&server, &visible, &head)) {
        return Ok((StatusCode::NOT_MODIFIED, caching(&head)).into_response());
    }

    let lists = &server.own.lists;
    let listed = lists.get(&server, &visible, &head).await?;
    let whole = page.is_whole() && filter.is_empty();
    let (rows, total, next) = if whole {
        (listed.rows.clone(), listed.rows.len(), None)
    } else {
        let found = if filter.is_empty() {
            listed.rows.clone()
        } else {
            let rows = listed.rows.clone();
            let find = move || search::found(&filter, &rows).into();
            server.own.searches.work(find).await?
        };
        let (range, next) = page.cut(&found);
        (found[range].into(), found.len(), next)
    };
    let document = Document::new(
        &IngressDocument {
            revision: whole.then(|| server.journal.id(&visible, listed.head.revision)),
            build: assets::build_id().into(),
            pending: listed.head.pending.names.clone(),
            pending_count: listed.head.pending.count,
            errors: listed.head.errors.clone(),
            total,
            continue_token: next,
            items: Vec::new(),
        },
        rows,
    );
    let json = [(header::CONTENT_TYPE, "application/json")];
    let response = (caching(&listed.head), json);
    if negotiation::coding(&headers, documents::CODINGS) == documents::GZIP
        && let Some(body) = lists
            .compress(&server.own.turns, &listed, document.clone(), whole)
            .await?
    {
        let coding = [(header::CONTENT_ENCODING, documents::GZIP)];
        return Ok((response, coding, body).into_response());
    }
    let length = [(header::CONTENT_LENGTH, document.size())];
    Ok((response, length, document.body()).into_response())
}

/// `limit` and `continue`: what was asked for and the last key of the page before.
struct Page {
    limit: Option<usize>,
    after: Option<Key>,
    /// What a token is bound to: the scope and the search.
    bound: String,
}

impl Page {
    /// Names what this page shows of a scope in this state. What else a query says makes no other
    /// document.
    fn entity_tag(&self, server: &Server, visible: &Visible, head: &Head) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.bound, self.limit, &self.after).hash(&mut hasher);
        (&head.pending, assets::build_id()).hash(&mut hasher);
        for error in &head.errors {
            (&error.namespace, &error.error).hash(&mut hasher);
        }
        let revision = server.journal.id(visible, head.revision);
        format!("W/\"{revision}.{:x}\"", hasher.finish())
    }
}

impl Page {
    fn parse(pairs: &[(String, String)], visible: &Visible, search: &str) -> Result<Self, Problem> {
        let mut hasher = DefaultHasher::new();
        search.hash(&mut hasher);
        let bound = format!("{visible}.{:x}", hasher.finish());
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

    /// Which of these rows, which are in order, are on this page, and the token of the next.
    fn cut(&self, rows: &[Arc<Row>]) -> (Range<usize>, Option<String>) {
        let first = self
            .after
            .as_ref()
            .map_or(0, |after| rows.partition_point(|row| row.key <= *after));
        let end = rows.len().min(first + self.limit.unwrap_or(rows.len()));
        let last = rows[first..end].last().filter(|_| end < rows.len());
        let token =
            last.map(|row| format!("{}/{}/{}", self.bound, row.key.namespace, row.key.name));
        (first..end, token)
    }
}

/// The namespaces that may be chosen, with their counts and states.
pub async fn namespaces(sight: Sight) -> Response {
    let visible = sight.visible(Scope::All);
    let server = sight.server;
    let complete = server.journal.visible_universe(&visible);
    let known: BTreeSet<String> = complete.clone().unwrap_or_default();
    let listed = complete.is_some();
    let items = server
        .journal
        .namespace_states(&visible)
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
