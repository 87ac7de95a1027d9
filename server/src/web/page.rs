//! The page: server-rendered with its first rows, and the server functions that it calls.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use app::backend::{Backend, BackendError, ClusterInfo, LARGEST, Rows};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::provide_nonce;
use leptos::prelude::*;
use protocol::Scope;
use protocol::connection::Reconnect;
use protocol::filter::Filter;
use protocol::table::Values;
use tokio::time::timeout;

use super::problem::{self, Problem};
use super::{BODY_LIMIT, Server, assets, object, security};
use crate::row::Row;

/// A page waits no longer for rows that are being listed: it is better there without them.
const FIRST_ROWS_LIMIT: Duration = Duration::from_secs(1);

/// A request's body is there within this time, as its header is.
const BODY_TIME: Duration = Duration::from_secs(10);

/// `GET /`
pub async fn page(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let cookies = request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join("; ");
    let context = app::PageContext {
        backend: Arc::new(server.clone()),
        query: query.unwrap_or_default(),
        cookies,
        now: jiff::Timestamp::now().as_millisecond(),
    };
    if let Some(start) = context.start() {
        let private = [(header::CACHE_CONTROL, "private, no-store")];
        return (private, Redirect::temporary(&start)).into_response();
    }
    let scope = context.scope();
    // A namespace that nobody looked at before is watched from here on, also without scripts.
    let _demand = server.cluster.demand(&scope);
    let _ = timeout(FIRST_ROWS_LIMIT, server.settle(&scope)).await;
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
        move || app::shell(context.clone()),
    );
    render(request).await.into_response()
}

/// `POST /api/fn/...`. Refusals of the function itself are in the format of Leptos, with a status of
/// HTTP as the endpoint for one ingress has it.
pub async fn server_function(
    State(server): State<Server>,
    request: Request<Body>,
) -> Result<Response, Problem> {
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
    let too_large = |_| {
        let text = format!("a request may have {BODY_LIMIT} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    let body = timeout(BODY_TIME, to_bytes(body, BODY_LIMIT));
    let body = body.await.map_err(too_late)?.map_err(too_large)?;
    let mut request = Request::from_parts(parts, Body::from(body));
    // To a form without scripts, which there is none of, the answer would be a redirect to wherever
    // the `Referer` says.
    request.headers_mut().remove(header::ACCEPT);
    let backend: Arc<dyn Backend> = Arc::new(server);
    let answer = leptos_axum::handle_server_fns_with_context(
        move || provide_context(backend.clone()),
        request,
    );
    let (mut head, body) = answer.await.into_response().into_parts();
    head.headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if head.status != StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(Response::from_parts(head, body));
    }
    // Leptos says only in the text that it was the arguments that could not be read.
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if [&b"Args|"[..], b"MissingArg|", b"Deserialization|"]
        .iter()
        .any(|kind| text.starts_with(kind))
    {
        head.status = StatusCode::BAD_REQUEST;
    }
    Ok(Response::from_parts(head, Body::from(text)))
}

#[async_trait]
impl Backend for Server {
    fn cluster(&self) -> ClusterInfo {
        ClusterInfo {
            name: self.cluster_name.clone(),
            url: self.cluster.api().url().to_owned(),
            version: self.cluster.version(),
            simulated: self.simulated,
            answered: self.is_ready() || self.cluster.version().is_some(),
            build: assets::build_id().into(),
            server_version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.0.started_at.clone(),
            max_namespaces: self.config.max_namespaces_per_stream as usize,
            base_path: self.config.base_path.clone(),
        }
    }

    fn reconnect(&self) -> Reconnect {
        self.config.reconnect()
    }

    fn rows(&self, scope: &Scope, search: &str, offset: usize, limit: usize) -> Rows {
        let (_, mut items) = self.journal.rows(scope);
        let mut rows = summary(&items);
        if !search.is_empty() {
            let filter = Filter::parse(search);
            items.retain(|row| filter.matches(&row.decode()));
        }
        rows.matching = items.len();
        let by_name = |a: &Arc<Row>, b: &Arc<Row>| {
            (&a.key.name, &a.key.namespace).cmp(&(&b.key.name, &b.key.namespace))
        };
        // Only what is shown has to be in order.
        let shown = offset.saturating_add(limit);
        if shown < items.len() {
            items.select_nth_unstable_by(shown, by_name);
            items.truncate(shown);
        }
        items.sort_unstable_by(by_name);
        rows.items = items
            .iter()
            .skip(offset)
            .take(limit)
            .map(|row| row.decode())
            .collect();

        let universe = self.journal.universe();
        rows.namespaces_total = universe.as_ref().map(BTreeSet::len);
        if let Some(names) = scope.names() {
            rows.namespaces = names.len();
        } else if let Some(universe) = &universe {
            rows.namespaces = universe.len();
        }
        let readiness = self.journal.readiness(scope);
        rows.synced = readiness.is_some_and(|readiness| readiness.pending.is_empty());
        (rows.states, rows.errors) = self.journal.not_live(scope);
        rows
    }

    fn try_now(&self) -> bool {
        self.cluster.try_now()
    }

    fn diagnostics(&self) -> BTreeMap<String, f64> {
        self.measured().samples()
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

/// The numbers of the stat strip.
fn summary(items: &[Arc<Row>]) -> Rows {
    let mut rows = Rows::default();
    let mut hosts: HashSet<&str> = HashSet::new();
    let (mut namespaces, mut classes) = (Values::default(), Values::default());
    for row in items {
        rows.total += 1;
        namespaces.add(Cow::Borrowed(&row.key.namespace));
        hosts.extend(row.facts.hosts.iter().map(AsRef::as_ref));
        rows.with_tls += usize::from(row.facts.tls);
        rows.partly_tls += usize::from(row.facts.tls && row.facts.uncovered);
        match &row.facts.class {
            Some(class) => classes.add(Cow::Borrowed(class)),
            None => rows.without_class += 1,
        }
    }
    rows.hosts = hosts.len();
    rows.wildcard_hosts = hosts.iter().filter(|host| host.starts_with("*.")).count();
    rows.namespaces = namespaces.len();
    rows.largest_namespaces = namespaces.by_frequency(LARGEST);
    rows.largest_classes = classes.by_frequency(LARGEST);
    rows
}
