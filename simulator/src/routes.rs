//! The HTTP surface: which request is which operation on which resource.

mod control;
mod discovery;
mod list;
mod table;
mod validation;
mod watch;
mod write;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use crate::access::{self, USER};
use crate::cluster::Cluster;
use crate::content;
use crate::failure::Failure;
use crate::faults::{Effect, Operation};
use crate::resource::Resource;

pub(crate) fn router(cluster: Cluster) -> Router {
    let mut router = Router::new();
    for resource in Resource::ALL {
        let root = if resource.group().is_empty() {
            "/api/v1".to_owned()
        } else {
            format!("/apis/{}", resource.api_version())
        };
        let plural = resource.plural();
        let whole = move |call: Call| collection(call, resource, None);
        router = router.route(&format!("{root}/{plural}"), any(whole)).route(
            &format!("{root}/{{*unknown}}"),
            any(async || Failure::no_such_path()),
        );
        if resource.namespaced() {
            let collections = move |Path(namespace): Path<String>, call: Call| {
                collection(call, resource, Some(namespace))
            };
            let objects = move |Path((namespace, name)): Path<(String, String)>, call: Call| {
                object(call, resource, Some(namespace), name, false)
            };
            let statuses = move |Path((namespace, name)): Path<(String, String)>, call: Call| {
                object(call, resource, Some(namespace), name, true)
            };
            router = router
                .route(
                    &format!("{root}/namespaces/{{namespace}}/{plural}"),
                    any(collections),
                )
                .route(
                    &format!("{root}/namespaces/{{namespace}}/{plural}/{{name}}"),
                    any(objects),
                )
                .route(
                    &format!("{root}/namespaces/{{namespace}}/{plural}/{{name}}/status"),
                    any(statuses),
                );
        } else {
            let objects = move |Path(name): Path<String>, call: Call| {
                object(call, resource, None, name, false)
            };
            let statuses = move |Path(name): Path<String>, call: Call| {
                object(call, resource, None, name, true)
            };
            router = router
                .route(&format!("{root}/{plural}/{{name}}"), any(objects))
                .route(&format!("{root}/{plural}/{{name}}/status"), any(statuses));
        }
    }
    router
        .route(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            post(review_access),
        )
        .route(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            post(review_self),
        )
        .merge(discovery::router())
        .fallback(get(|| async {
            (StatusCode::NOT_FOUND, "404 page not found\n")
        }))
        .with_state(cluster.clone())
        .merge(control::router(cluster))
}

/// A request about a resource, as far as every operation needs it.
struct Call {
    cluster: Cluster,
    method: Method,
    params: Result<Query<Params>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
}

impl axum::extract::FromRequest<Cluster> for Call {
    type Rejection = Response;

    async fn from_request(
        request: axum::extract::Request,
        cluster: &Cluster,
    ) -> Result<Self, Response> {
        let method = request.method().clone();
        let headers = request.headers().clone();
        let params = Query::try_from_uri(request.uri());
        let body = Bytes::from_request(request, cluster)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            cluster: cluster.clone(),
            method,
            params,
            headers,
            body,
        })
    }
}

/// The query parameters of the API, all optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Params {
    watch: Option<String>,
    resource_version: String,
    resource_version_match: String,
    limit: usize,
    r#continue: String,
    label_selector: String,
    field_selector: String,
    allow_watch_bookmarks: Option<String>,
    send_initial_events: Option<String>,
    timeout_seconds: u64,
    dry_run: String,
    field_manager: String,
}

impl Params {
    /// None where the version is unset.
    fn version(&self) -> Result<Option<u64>, Failure> {
        if self.resource_version.is_empty() {
            return Ok(None);
        }
        self.resource_version.parse().map(Some).map_err(|_| {
            let asked = &self.resource_version;
            let message =
                format!("resourceVersion: Invalid value: {asked:?}: strconv.ParseUint: parsing {asked:?}: invalid syntax");
            if flag(self.watch.as_deref()) {
                Failure::internal(message)
            } else {
                Failure::bad_request(format!("invalid resource version: {message}"))
            }
        })
    }

    fn is_dry_run(&self) -> bool {
        !self.dry_run.is_empty()
    }
}

/// A boolean of the query string: only `false` and `0` say no once it is there.
fn flag(value: Option<&str>) -> bool {
    value.is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"))
}

/// The operation's subject, once faults and access rules have let it pass.
struct Target {
    cluster: Cluster,
    resource: Resource,
    namespace: Option<String>,
    params: Params,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the client prefers a `Table`, as `kubectl get` does.
    table: bool,
}

async fn collection(call: Call, resource: Resource, namespace: Option<String>) -> Response {
    let is_watch = call
        .params
        .as_ref()
        .is_ok_and(|Query(params)| flag(params.watch.as_deref()));
    let (operation, verb) = match call.method {
        Method::GET if is_watch => (Operation::Watch, "watch"),
        Method::GET => (Operation::List, "list"),
        Method::POST => (Operation::Create, "create"),
        Method::DELETE if resource.namespaced() => (Operation::Delete, "deletecollection"),
        _ => return Failure::method_not_allowed().into_response(),
    };
    pass(
        call,
        operation,
        verb,
        resource,
        namespace,
        String::new(),
        async |target, _| match operation {
            Operation::Watch => watch::watch(&target),
            Operation::List => list::list(&target),
            Operation::Create => write::create(&target),
            _ => write::delete_collection(&target),
        },
    )
    .await
}

async fn object(
    call: Call,
    resource: Resource,
    namespace: Option<String>,
    name: String,
    status: bool,
) -> Response {
    let (operation, verb) = match call.method {
        Method::GET => (Operation::Get, "get"),
        Method::PUT => (Operation::Update, "update"),
        Method::PATCH => (Operation::Patch, "patch"),
        Method::DELETE if !status => (Operation::Delete, "delete"),
        _ => return Failure::method_not_allowed().into_response(),
    };
    pass(
        call,
        operation,
        verb,
        resource,
        namespace,
        name,
        async |target, name| match operation {
            Operation::Get => list::get(&target, &name),
            Operation::Update => write::update(&target, &name, status),
            Operation::Patch => write::patch(&target, &name, status),
            _ => write::delete(&target, &name),
        },
    )
    .await
}

/// Counts the request, lets faults strike it, asks the access rules, and only then answers it.
async fn pass(
    call: Call,
    operation: Operation,
    verb: &str,
    resource: Resource,
    namespace: Option<String>,
    name: String,
    answer: impl AsyncFnOnce(Target, String) -> Result<Response, Failure>,
) -> Response {
    let Call {
        cluster,
        method: _,
        params,
        headers,
        body,
    } = call;
    cluster.counters().count(operation, resource.plural());
    // A namespace is in its own scope: that is how RBAC sees a get of it.
    let scope = if resource.namespaced() {
        namespace.as_deref()
    } else {
        Some(name.as_str()).filter(|name| !name.is_empty())
    };
    let struck = cluster
        .faults()
        .strike_request(operation, resource.plural(), scope);
    if let Some(response) = suffer(struck.as_ref()).await {
        return response;
    }
    if !cluster.rules().allows(verb, resource.plural(), scope) {
        return Failure::forbidden(USER, verb, resource, scope, &name).into_response();
    }
    let mut params = match params {
        Ok(Query(params)) => params,
        Err(rejection) => return Failure::bad_request(rejection.body_text()).into_response(),
    };
    let next = endless_token(struck.as_ref(), &mut params);
    let table = table::is_wanted(&headers);
    let target = Target {
        cluster,
        resource,
        namespace,
        params,
        headers,
        body,
        table,
    };
    match (answer(target, name).await, struck) {
        (Ok(response), Some(Effect::Endless)) => with_token(response, next).await,
        (Ok(response), Some(effect)) => damage(response, &effect).await,
        (Ok(response), None) => response,
        (Err(failure), _) => failure.into_response(),
    }
}

/// The token after the one of a list without end, which is a number, and no token to the list.
fn endless_token(struck: Option<&Effect>, params: &mut Params) -> u64 {
    match struck {
        Some(Effect::Endless) => {
            let token = std::mem::take(&mut params.r#continue);
            token.parse().unwrap_or(0) + 1
        }
        _ => 0,
    }
}

/// A list that says that there is more.
async fn with_token(response: Response, token: u64) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await;
    let list = bytes.map(|bytes| serde_json::from_slice::<Value>(&bytes));
    let Ok(Ok(mut list)) = list else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    list["metadata"]["continue"] = token.to_string().into();
    json_response(parts.status, list.to_string())
}

/// What a fault does before the request is looked at.
async fn suffer(struck: Option<&Effect>) -> Option<Response> {
    match struck {
        Some(Effect::Status {
            status,
            retry_after,
        }) => Some(Failure::ordered(*status, *retry_after).into_response()),
        Some(Effect::Words { status, length }) => {
            Some(Failure::wordy(*status, *length).into_response())
        }
        Some(Effect::Hang) => std::future::pending().await,
        _ => None,
    }
}

/// What a fault does to an answer on its way out.
async fn damage(response: Response, effect: &Effect) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let half = bytes.slice(..bytes.len() / 2);
    let body = match effect {
        Effect::Cut => Body::from_stream(stream::iter([Ok(half), Err(connection_lost())])),
        Effect::Flood => {
            let flood = stream::iter([half]).chain(stream::repeat(FLOOD));
            Body::from_stream(flood.map(Ok::<_, std::io::Error>))
        }
        _ => Body::from([half.as_ref(), b"\x01garbage"].concat()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = parts.status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A piece of what never ends.
const FLOOD: Bytes = Bytes::from_static(&[b' '; 64 << 10]);

fn connection_lost() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::ConnectionReset,
        "connection lost by a fault on command",
    )
}

async fn review_access(call: Call) -> Response {
    review(call, "selfsubjectaccessreviews", |call| {
        let review = serde_json::from_slice(&call.body)
            .map_err(|error| Failure::bad_request(error.to_string()))?;
        call.cluster.rules().review_access(review)
    })
    .await
}

async fn review_self(call: Call) -> Response {
    review(call, "selfsubjectreviews", |_| {
        Ok(access::review_self(&content::now()))
    })
    .await
}

async fn review(
    call: Call,
    resource: &'static str,
    answer: impl FnOnce(&Call) -> Result<Value, Failure>,
) -> Response {
    call.cluster.counters().count(Operation::Review, resource);
    let struck = call
        .cluster
        .faults()
        .strike_request(Operation::Review, resource, None);
    if let Some(response) = suffer(struck.as_ref()).await {
        return response;
    }
    match (answer(&call), struck) {
        (Ok(review), None) => (StatusCode::CREATED, axum::Json(review)).into_response(),
        (Ok(review), Some(effect)) => damage(axum::Json(review).into_response(), &effect).await,
        (Err(failure), _) => failure.into_response(),
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn json_response(code: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
