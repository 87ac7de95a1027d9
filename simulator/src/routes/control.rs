//! Control over HTTP, for tests in another process; the paths are in the crate's documentation.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Rule;
use crate::cluster::Cluster;
use crate::faults::Fault;

pub(super) fn router(cluster: Cluster) -> Router {
    Router::new()
        .route(
            "/simulator/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/simulator/rules", get(rules).post(replace_rules))
        .route("/simulator/drop-watches", post(drop_watches))
        .route("/simulator/compact", post(compact))
        .route("/simulator/restore", post(restore))
        .route("/simulator/requests", get(requests))
        .with_state(cluster)
}

async fn faults(State(cluster): State<Cluster>) -> Json<Vec<Fault>> {
    Json(cluster.faults().list())
}

async fn add_fault(State(cluster): State<Cluster>, Json(fault): Json<Fault>) -> StatusCode {
    cluster.faults().add(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(cluster): State<Cluster>) -> StatusCode {
    cluster.faults().clear();
    StatusCode::NO_CONTENT
}

async fn rules(State(cluster): State<Cluster>) -> Json<Vec<Rule>> {
    Json(cluster.rules().list())
}

async fn replace_rules(State(cluster): State<Cluster>, Json(rules): Json<Vec<Rule>>) -> StatusCode {
    cluster.rules().replace(rules);
    StatusCode::NO_CONTENT
}

async fn drop_watches(State(cluster): State<Cluster>) -> StatusCode {
    cluster.faults().drop_watches();
    StatusCode::NO_CONTENT
}

async fn compact(State(cluster): State<Cluster>) -> StatusCode {
    cluster.compact();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restore {
    resource_version: u64,
}

async fn restore(State(cluster): State<Cluster>, Json(restore): Json<Restore>) -> StatusCode {
    cluster.restore(restore.resource_version);
    StatusCode::NO_CONTENT
}

async fn requests(State(cluster): State<Cluster>) -> Json<Value> {
    Json(json!({ "requests": cluster.requests(), "openWatches": cluster.open_watches() }))
}
