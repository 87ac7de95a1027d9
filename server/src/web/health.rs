//! Liveness, readiness, health and metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use protocol::Scope;
use protocol::message::{NamespaceState, StreamError};
use serde::Serialize;

use super::negotiation::Accepted;
use super::problem::Problem;
use super::sight::Sight;
use super::{Server, assets};
use crate::metrics::{Metrics, WatchState};

const STATES: [(NamespaceState, &str); 4] = [
    (NamespaceState::Syncing, "syncing"),
    (NamespaceState::Live, "live"),
    (NamespaceState::Retrying, "retrying"),
    (NamespaceState::Forbidden, "forbidden"),
];

/// Errors that `/api/health` names: a thousand namespaces fail for the same reason.
const MAX_ERRORS: usize = 20;

/// The process answers.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// The rows are known, or were: 503 before, and while shutting down.
pub async fn readyz(State(server): State<Arc<Server>>) -> Response {
    if server.shutdown.leaving.is_cancelled() {
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is shutting down",
        )
        .retry_after(1)
        .into_response();
    }
    match server.is_ready() {
        true => "ok\n".into_response(),
        false => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}", server.why_unknown()),
        )
        .retry_after(1)
        .into_response(),
    }
}

/// `GET /api/health`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `live` where any rows are current, else the state of the way to the cluster and of its
    /// feeds.
    status: NamespaceState,
    /// What is not live, and why, as in the stream's `error`: the first [`MAX_ERRORS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<StreamError>,
    ready: bool,
    cluster: Cluster,
    watch_mode: &'static str,
    /// How many watches of ingresses are in each state.
    watches: BTreeMap<&'static str, i64>,
    ingresses: usize,
    streams: i64,
    revision: u64,
    build: &'static str,
    version: &'static str,
    uptime_seconds: u64,
}

#[derive(Serialize)]
struct Cluster {
    name: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    simulated: bool,
}

/// What an operator wants to know first.
pub async fn health(sight: Sight) -> Response {
    let visible = sight.visible(Scope::All);
    let server = sight.server;
    let (_, cluster_wide) = server.journal.whole_status();
    let (_, mut errors) = server.journal.not_live(&visible);
    errors.truncate(MAX_ERRORS);
    let counts = server.journal.feeds_by_state();
    let health = Health {
        status: server.journal.overall_state(),
        errors,
        ready: server.is_ready(),
        cluster: Cluster {
            name: server.cluster_name.clone(),
            url: server.cluster.api().url().to_owned(),
            version: server.cluster.version(),
            simulated: server.simulated,
        },
        watch_mode: if cluster_wide {
            "cluster"
        } else {
            "namespaced"
        },
        watches: STATES
            .iter()
            .map(|(state, name)| (*name, counts.get(state).copied().unwrap_or(0)))
            .collect(),
        ingresses: server.journal.len(),
        streams: server.metrics.streams.get(),
        revision: server.journal.revision().0,
        build: assets::build_id(),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: server.uptime_seconds(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(health)).into_response()
}

impl Server {
    /// The metrics, with what is counted elsewhere as it is now.
    pub(crate) fn measured(&self) -> &Metrics {
        let metrics = &self.metrics;
        metrics.rows.set(self.journal.len() as i64);
        let tasks = tokio::runtime::Handle::current().metrics();
        metrics.tasks.set(tasks.num_alive_tasks() as i64);
        metrics
            .encodings
            .inner()
            .store(self.journal.encodings(), Ordering::Relaxed);
        let counts = self.journal.feeds_by_state();
        for (state, name) in STATES {
            let count = counts.get(&state).copied().unwrap_or(0);
            metrics
                .watches
                .get_or_create(&WatchState { state: name })
                .set(count);
        }
        metrics
    }
}

/// OpenMetrics, or Prometheus's older text format for who prefers that.
pub async fn metrics(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let metrics = server.measured();
    let accepted = Accepted::read(&headers, header::ACCEPT);
    let older = accepted.weight("text/plain") > accepted.weight("application/openmetrics-text");
    let (content_type, text) = match older {
        true => (
            "text/plain; version=0.0.4; charset=utf-8",
            metrics.prometheus_text(),
        ),
        false => (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            metrics.open_metrics(),
        ),
    };
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
