//! Version, health, discovery and as much `OpenAPI` as `kubectl` needs to leave validation to the
//! server.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{damage, suffer};
use crate::cluster::Cluster;
use crate::faults::Operation;
use crate::resource::Resource;

/// Served so that the dashboard's and kubectl's checks of the version meet a recent API server.
const VERSION: &str = "v1.36.3";

pub(super) fn router() -> Router<Cluster> {
    let groups = [
        "networking.k8s.io",
        "authorization.k8s.io",
        "authentication.k8s.io",
    ]
    .map(group);
    let mut networking_group = group("networking.k8s.io");
    networking_group["kind"] = "APIGroup".into();
    networking_group["apiVersion"] = "v1".into();
    let documents = [
        ("/version", version()),
        (
            "/api",
            json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [],
            }),
        ),
        (
            "/apis",
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }),
        ),
        ("/apis/networking.k8s.io", networking_group),
        (
            "/api/v1",
            resources("v1", &resource_entries(Resource::Namespaces)),
        ),
        (
            "/apis/networking.k8s.io/v1",
            resources(
                "networking.k8s.io/v1",
                &resource_entries(Resource::Ingresses),
            ),
        ),
        (
            "/apis/authorization.k8s.io/v1",
            resources(
                "authorization.k8s.io/v1",
                &[review_entry(
                    "SelfSubjectAccessReview",
                    "selfsubjectaccessreviews",
                )],
            ),
        ),
        (
            "/apis/authentication.k8s.io/v1",
            resources(
                "authentication.k8s.io/v1",
                &[review_entry("SelfSubjectReview", "selfsubjectreviews")],
            ),
        ),
        (
            "/openapi/v3",
            json!({
                "paths": {
                    "api/v1": { "serverRelativeURL": "/openapi/v3/api/v1" },
                    "apis/networking.k8s.io/v1": { "serverRelativeURL": "/openapi/v3/apis/networking.k8s.io/v1" },
                },
            }),
        ),
        ("/openapi/v3/api/v1", openapi(Resource::Namespaces)),
        (
            "/openapi/v3/apis/networking.k8s.io/v1",
            openapi(Resource::Ingresses),
        ),
    ];
    documents
        .into_iter()
        .fold(Router::new(), |router, (path, document)| {
            router.route(path, document_route(document))
        })
        .route("/readyz", health_route())
        .route("/livez", health_route())
        .route("/healthz", health_route())
}

fn document_route(document: Value) -> axum::routing::MethodRouter<Cluster> {
    get(async move |State(cluster): State<Cluster>| {
        answer(&cluster, Json(document).into_response()).await
    })
}

fn health_route() -> axum::routing::MethodRouter<Cluster> {
    get(async |State(cluster): State<Cluster>| answer(&cluster, "ok".into_response()).await)
}

async fn answer(cluster: &Cluster, response: Response) -> Response {
    cluster.counters().count(Operation::Discovery, "");
    let struck = cluster
        .faults()
        .strike_request(Operation::Discovery, "", None);
    if let Some(response) = suffer(struck.as_ref()).await {
        return response;
    }
    match struck {
        Some(effect) => damage(response, &effect).await,
        None => response,
    }
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "simulated",
    })
}

fn group(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(group_version: &str, entries: &[Value]) -> Value {
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries })
}

fn resource_entries(resource: Resource) -> Vec<Value> {
    let (short, verbs): (_, &[&str]) = match resource {
        Resource::Namespaces => (
            "ns",
            &[
                "create", "delete", "get", "list", "patch", "update", "watch",
            ],
        ),
        Resource::Ingresses => (
            "ing",
            &[
                "create",
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "update",
                "watch",
            ],
        ),
    };
    let entry = json!({
        "name": resource.plural(),
        "singularName": resource.kind().to_lowercase(),
        "namespaced": resource.namespaced(),
        "kind": resource.kind(),
        "verbs": verbs,
        "shortNames": [short],
    });
    let status = json!({
        "name": format!("{}/status", resource.plural()),
        "singularName": "",
        "namespaced": resource.namespaced(),
        "kind": resource.kind(),
        "verbs": ["get", "patch", "update"],
    });
    vec![entry, status]
}

fn review_entry(kind: &str, plural: &str) -> Value {
    json!({ "name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"] })
}

/// One PATCH with `fieldValidation`: by that kubectl knows that the server validates, and does not
/// do so itself.
fn openapi(resource: Resource) -> Value {
    let path = match resource {
        Resource::Namespaces => "/api/v1/namespaces/{name}",
        Resource::Ingresses => "/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}",
    };
    let operation = json!({
        "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string", "uniqueItems": true } }],
        "responses": { "200": { "description": "OK" } },
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": { "group": resource.group(), "version": "v1", "kind": resource.kind() },
    });
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": VERSION },
        "paths": { path: { "patch": operation } },
        "components": { "schemas": {} },
    })
}
