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
use protocol::filter::Filter;
use protocol::message::{NamespaceState, StreamError};
use protocol::{Ingress, Scope};

use super::problem::Problem;
use super::{Server, assets, object, security};

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
pub async fn server_function(State(server): State<Server>, request: Request<Body>) -> Response {
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
        let mut rows = summary(items.iter().map(|(row, _)| row.as_ref()));
        if !search.is_empty() {
            let filter = Filter::parse(search);
            items.retain(|(row, _)| filter.matches(row));
        }
        rows.matching = items.len();
        let by_name = |(a, _): &(Arc<Ingress>, _), (b, _): &(Arc<Ingress>, _)| {
            (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace))
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
            .map(|(row, _)| row.as_ref().clone())
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
fn summary<'a>(items: impl Iterator<Item = &'a Ingress>) -> Rows {
    let mut rows = Rows::default();
    let mut hosts = HashSet::new();
    let mut namespaces = HashSet::new();
    for row in items {
        rows.total += 1;
        namespaces.insert(row.namespace.as_str());
        hosts.extend(row.hosts.iter().map(String::as_str));
        if row.tls {
            rows.with_tls += 1;
            rows.partly_tls += usize::from(row.hosts_with_tls() < row.hosts.len());
        }
        rows.without_class += usize::from(row.ingress_class_name.is_none());
    }
    rows.hosts = hosts.len();
    rows.wildcard_hosts = hosts.iter().filter(|host| host.starts_with("*.")).count();
    rows.namespaces = namespaces.len();
    rows
}
