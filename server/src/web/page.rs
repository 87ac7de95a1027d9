//! The page: server-rendered with its first rows, and the server functions that it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use app::backend::{Backend, BackendError, ClusterInfo, LARGEST, Rows};
use app::components::namespaces::missing;
use app::{Lines, PageContext};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, Request};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use http_body_util::LengthLimitError;
use leptos::nonce::provide_nonce;
use leptos::prelude::*;
use protocol::connection::Reconnect;
use protocol::filter::Filter;
use protocol::{Ingress, Key, Scope};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::problem::{self, Problem};
use super::sight::Sight;
use super::{BODY_LIMIT, Server, assets, object, search, security};
use crate::access::Visible;
use crate::journal::{self, Head, Journal};
use crate::row::Row;
use crate::totals::{Summary, Totals};

/// A page waits no longer for rows that are being listed: it is better there without them.
const FIRST_ROWS_LIMIT: Duration = Duration::from_secs(1);

/// A page that is not as it starts may show its rows as they were so long ago: the page in the
/// browser starts from what its stream brings, and the same page for many is made once, also where
/// rows change all the time.
const LINES_AGE: Duration = Duration::from_secs(1);

/// The views of pages whose lines are kept.
pub(super) const VIEWS: usize = 32;

/// A request's body is there within this time, as its header is.
const BODY_TIME: Duration = Duration::from_secs(10);

/// `GET /`
pub async fn page(
    sight: Sight,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let cookies = request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join("; ");
    let context = PageContext {
        backend: Arc::new(sight.clone()),
        query: query.unwrap_or_default(),
        cookies,
        now: jiff::Timestamp::now().as_millisecond(),
    };
    if let Some(start) = context.start() {
        let private = [(header::CACHE_CONTROL, "private, no-store")];
        return Ok((private, Redirect::temporary(&start)).into_response());
    }
    let scope = context.scope();
    // A namespace that nobody looked at before is watched from here on, also without scripts.
    let visible = sight.visible(scope.clone());
    let server = sight.server;
    let _demand = server.cluster.demand(&visible);
    let _ = timeout(FIRST_ROWS_LIMIT, server.settle(&visible)).await;
    let made = lines(&server, &context, &visible).await?;
    let runtime = Handle::current();
    let render = move || {
        let data = context.data(made.unwrap_or_else(|| context.lines()));
        let backend = context.backend.clone();
        let render = leptos_axum::render_app_to_stream_with_context(
            move || {
                provide_context(backend.clone());
                provide_nonce();
                // The nonce in the header is the one in the markup: both are of this request.
                let nonce = leptos::nonce::use_nonce()
                    .map(|nonce| nonce.to_string())
                    .unwrap_or_default();
                let options = expect_context::<leptos_axum::ResponseOptions>();
                options.insert_header(
                    header::CONTENT_SECURITY_POLICY,
                    security::page_policy(&nonce),
                );
                options.insert_header(
                    header::CACHE_CONTROL,
                    HeaderValue::from_static("private, no-cache"),
                );
            },
            move || app::shell(&scope, data.clone()),
        );
        runtime.block_on(render(request)).into_response()
    };
    // Some milliseconds that streams would wait.
    server.own.turns.work(render).await
}

/// The lines of a page that is not as it starts: they are made once for all who ask for the same
/// view.
async fn lines(
    server: &Server,
    context: &PageContext,
    visible: &Visible,
) -> Result<Option<Lines>, Problem> {
    if context.is_plain() {
        return Ok(None);
    }
    search::filter(&context.search(), server.journal.count(visible))?;
    let head = server.journal.head(visible);
    let make = async || {
        let (journal, visible) = (server.journal.clone(), visible.clone());
        let context = context.clone();
        let make = move || (journal.head(&visible), context.lines());
        server.own.searches.work(make).await
    };
    let is_current = |(made, _): &(Head, Lines), age: Duration| {
        made.is_same(&head) || age < LINES_AGE && made.says_the_same(&head)
    };
    // A viewer of other namespaces has other lines of the same view.
    let key = format!("{visible} {}", context.view());
    let made = server.own.pages.get(key, is_current, make).await?;
    Ok(Some(made.1.clone()))
}

/// `POST /api/fn/...`. Refusals have the status that the endpoint for one ingress gives them.
pub async fn server_function(sight: Sight, request: Request<Body>) -> Result<Response, Problem> {
    let path = request.uri().path();
    if !leptos::server_fn::axum::server_fn_paths().any(|(known, _)| known == path) {
        return Err(problem::not_found(request.uri().clone()).await);
    }
    let (parts, body) = request.into_parts();
    let too_late = |_| {
        let text = format!(
            "the request's body did not come within {} s",
            BODY_TIME.as_secs()
        );
        Problem::new(StatusCode::REQUEST_TIMEOUT, text)
    };
    let unread = |error: axum::Error| {
        let cause = std::error::Error::source(&error);
        match cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            true => {
                let text = format!("a request may have {BODY_LIMIT} bytes");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text)
            }
            false => Problem::bad_request("the request's body cannot be read"),
        }
    };
    let body = timeout(BODY_TIME, to_bytes(body, BODY_LIMIT));
    let body = body.await.map_err(too_late)?.map_err(unread)?;
    let mut request = Request::from_parts(parts, Body::from(body));
    // To a form without scripts, which there is none of, the answer would be a redirect to wherever
    // the `Referer` says.
    request.headers_mut().remove(header::ACCEPT);
    let backend: Arc<dyn Backend> = Arc::new(sight);
    let answer = leptos_axum::handle_server_fns_with_context(
        move || provide_context(backend.clone()),
        request,
    );
    let (mut head, body) = answer.await.into_response().into_parts();
    head.headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if head.status.is_success() {
        return Ok(Response::from_parts(head, body));
    }
    let refusal: Value = match to_bytes(body, usize::MAX).await {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    // That it was the arguments which could not be read is only in the text.
    let said = refusal["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    let said = said.and_then(|status| StatusCode::from_u16(status).ok());
    let status = match (head.status, said) {
        (StatusCode::INTERNAL_SERVER_ERROR, Some(status)) => status,
        (status, _) => status,
    };
    let detail = refusal["detail"].as_str().unwrap_or_default();
    Err(Problem::new(status, detail))
}

#[async_trait]
impl Backend for Sight {
    fn cluster(&self) -> ClusterInfo {
        let server = &self.server;
        ClusterInfo {
            name: server.cluster_name.clone(),
            url: server.cluster.api().url().to_owned(),
            version: server.cluster.version(),
            simulated: server.simulated,
            answered: server.is_ready() || server.cluster.version().is_some(),
            build: assets::build_id().into(),
            server_version: env!("CARGO_PKG_VERSION").into(),
            started_at: server.own.started_at.clone(),
            max_namespaces: server.config.max_namespaces_per_stream as usize,
            base_path: server.config.base_path.clone(),
        }
    }

    fn reconnect(&self) -> Reconnect {
        self.server.config.reconnect()
    }

    fn rows(&self, scope: &Scope, search: &str, offset: usize, limit: usize) -> Rows {
        let (journal, visible) = (&self.server.journal, self.visible(scope.clone()));
        let filter = Filter::parse(search);
        // A page past the end is the last one.
        let first = |matching: usize| offset.min(matching.saturating_sub(1) / limit * limit);
        let mut rows;
        let items = if visible.is_everything() && filter.is_empty() {
            rows = counted(journal.summary(&visible, LARGEST));
            rows.matching = rows.total;
            journal.first_rows(&visible, first(rows.matching), limit)
        } else {
            let (_, mut items) = journal.rows(&visible);
            rows = summary(journal, &visible, &items);
            if !filter.is_empty() {
                items = search::found(&filter, &items);
            }
            rows.matching = items.len();
            // Only what is shown has to be in order.
            let first = first(rows.matching);
            if first + limit < items.len() {
                items.select_nth_unstable_by(first + limit, |a, b| journal::by_name(a, b));
                items.truncate(first + limit);
            }
            items.sort_unstable_by(|a, b| journal::by_name(a, b));
            items.split_off(first)
        };
        rows.items = items.iter().map(|row| row.decode()).collect();
        rows
    }

    fn all_rows(&self, scope: &Scope, search: &str) -> Rows {
        let (journal, visible) = (&self.server.journal, self.visible(scope.clone()));
        let (_, items) = journal.rows(&visible);
        let mut rows = summary(journal, &visible, &items);
        rows.items = search::decoded(&Filter::parse(search), &items)
            .map(|(_, row)| row)
            .collect();
        rows.matching = rows.items.len();
        rows
    }

    fn row(&self, key: &Key) -> Option<Ingress> {
        let visible = self.visible(Scope::Namespaces([key.namespace.clone()].into()));
        Some(self.server.journal.row(&visible, key)?.decode())
    }

    fn say(&self, scope: &Scope, rows: &mut Rows) {
        let journal = &self.server.journal;
        let (everything, visible) = (self.visible(Scope::All), self.visible(scope.clone()));
        rows.namespaces_total = journal.universe_size(&everything);
        if let Some(namespaces) = scope.names().map(BTreeSet::len).or(rows.namespaces_total) {
            rows.namespaces = namespaces;
        }
        let readiness = journal.readiness(&visible);
        rows.synced = readiness.is_some_and(|readiness| readiness.pending.is_empty());
        (rows.states, rows.errors) = journal.not_live(&visible);
        if scope.names().is_some()
            && let Some(known) = journal.visible_universe(&everything)
        {
            rows.missing = missing(scope.names().into_iter().flatten(), &known);
        }
        // Of these the state says why.
        let named = |name: &String| {
            let mut states = rows.states.iter();
            states.any(|status| status.namespace.as_ref() == Some(name))
        };
        rows.missing.retain(|missing| !named(&missing.name));
    }

    fn try_now(&self) -> bool {
        self.server.cluster.try_now()
    }

    fn diagnostics(&self) -> BTreeMap<String, f64> {
        self.server.measured().samples()
    }

    async fn yaml(&self, namespace: &str, name: &str) -> Result<String, BackendError> {
        let options = use_context::<leptos_axum::ResponseOptions>();
        let refused = |problem: Problem| {
            if let Some(options) = &options {
                options.set_status(problem.status);
            }
            match problem.status {
                StatusCode::NOT_FOUND => BackendError::NotFound(format!("{namespace}/{name}")),
                StatusCode::BAD_REQUEST => BackendError::Invalid(problem.detail),
                StatusCode::FORBIDDEN => BackendError::Forbidden(problem.detail),
                _ => BackendError::Unavailable(problem.detail),
            }
        };
        let object = self.object(namespace, name).await.map_err(refused)?;
        object::to_yaml(&object).map_err(refused)
    }
}

/// The numbers over the rows of a scope, which are these. Those over everything are kept.
fn summary(journal: &Journal, visible: &Visible, items: &[Arc<Row>]) -> Rows {
    let summary = match visible.is_everything() {
        true => journal.summary(visible, LARGEST),
        false => items.iter().collect::<Totals>().summary(LARGEST),
    };
    Rows {
        total: items.len(),
        ..counted(summary)
    }
}

/// The numbers of the stat strip.
fn counted(summary: Summary) -> Rows {
    Rows {
        total: summary.rows,
        hosts: summary.hosts,
        wildcard_hosts: summary.wildcard_hosts,
        with_tls: summary.with_tls,
        partly_tls: summary.partly_tls,
        without_class: summary.without_class,
        namespaces: summary.namespaces,
        largest_classes: summary.largest_classes,
        largest_namespaces: summary.largest_namespaces,
        ..Rows::default()
    }
}
