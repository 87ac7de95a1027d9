//! The page: server-rendered with its first rows, and the server functions that it calls.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use app::backend::{Backend, BackendError, ClusterInfo, Rows};
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::provide_nonce;
use leptos::prelude::*;
use protocol::Scope;
use protocol::filter::Filter;
use protocol::message::{NamespaceState, StreamError};

use super::problem::Problem;
use super::{Server, assets, object, security};
use crate::row::Row;

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
        backend: Arc::new(server),
        query: query.unwrap_or_default(),
        cookies,
        now: jiff::Timestamp::now().as_millisecond(),
    };
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

/// `POST /api/fn/...`
pub async fn server_function(State(server): State<Server>, mut request: Request<Body>) -> Response {
    // To a form without scripts, which there is none of, the answer would be a redirect to wherever
    // the `Referer` says.
    request.headers_mut().remove(header::ACCEPT);
    let backend: Arc<dyn Backend> = Arc::new(server);
    let answer = leptos_axum::handle_server_fns_with_context(
        move || provide_context(backend.clone()),
        request,
    );
    let mut response = answer.await.into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[async_trait]
impl Backend for Server {
    fn cluster(&self) -> ClusterInfo {
        let (whole, cluster_wide) = self.journal.whole_status();
        let problem = whole
            .error
            .as_ref()
            .filter(|_| cluster_wide || whole.state != NamespaceState::Forbidden)
            .map(|error| StreamError {
                error: error.text.clone(),
                namespace: None,
                reason: error.reason,
                retry_in_ms: error.retry_in_ms(),
                missing: error.missing.clone(),
            });
        ClusterInfo {
            name: self.cluster_name.clone(),
            url: self.cluster.api().url().to_owned(),
            version: self.cluster.version(),
            simulated: self.simulated,
            answered: self.is_ready() || self.cluster.version().is_some(),
            problem,
            build: assets::build_id().into(),
            server_version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.0.started_at.clone(),
            max_namespaces: self.config.max_namespaces_per_stream as usize,
            base_path: self.config.base_path.clone(),
        }
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
        rows.not_live = self
            .journal
            .namespace_states()
            .into_iter()
            .filter(|(name, _)| scope.contains(name))
            .filter_map(|(name, (state, _))| {
                Some((name, state.filter(|state| *state != NamespaceState::Live)?))
            })
            .collect();
        rows
    }

    fn try_now(&self) -> bool {
        self.cluster.try_now()
    }

    async fn yaml(&self, namespace: &str, name: &str) -> Result<String, BackendError> {
        let refused = |problem: Problem| match problem.status {
            StatusCode::NOT_FOUND => BackendError::NotFound(format!("{namespace}/{name}")),
            StatusCode::BAD_REQUEST => BackendError::Invalid(problem.detail),
            StatusCode::FORBIDDEN => BackendError::Forbidden(problem.detail),
            _ => BackendError::Unavailable(problem.detail),
        };
        let object = self.object(namespace, name).await.map_err(refused)?;
        object::to_yaml(&object).map_err(refused)
    }
}

/// The numbers of the stat strip.
fn summary(items: &[Arc<Row>]) -> Rows {
    let mut rows = Rows::default();
    let mut hosts: HashSet<&str> = HashSet::new();
    let mut namespaces = HashSet::new();
    for row in items {
        rows.total += 1;
        namespaces.insert(row.key.namespace.as_str());
        hosts.extend(row.facts.hosts.iter().map(AsRef::as_ref));
        rows.with_tls += usize::from(row.facts.tls);
        rows.partly_tls += usize::from(row.facts.tls && row.facts.uncovered);
        rows.without_class += usize::from(!row.facts.class);
    }
    rows.hosts = hosts.len();
    rows.wildcard_hosts = hosts.iter().filter(|host| host.starts_with("*.")).count();
    rows.namespaces = namespaces.len();
    rows
}
