use std::time::Duration;

use serde_json::json;
use simulator::{Cluster, Effect, Fault, Operation};
use tokio::time::timeout;

use crate::http::{INGRESSES, Line, Watch, call, get, ingress, summary};

fn cluster() -> Cluster {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    cluster
}

async fn watch(cluster: &Cluster) -> Watch {
    Watch::open(
        cluster,
        &format!(
            "{INGRESSES}?watch=true&resourceVersion={}",
            cluster.resource_version()
        ),
    )
    .await
}

fn strike(cluster: &Cluster, operation: Operation, effect: Effect) {
    cluster.faults().add(Fault::new(operation, effect).times(1));
}

#[tokio::test]
async fn a_status_on_command_strikes_as_often_as_asked_and_where_asked() {
    let cluster = cluster();
    for status in [401, 403, 410, 429, 500, 503] {
        let effect = Effect::Status {
            status,
            retry_after: Some(7),
        };
        cluster
            .faults()
            .add(Fault::new(Operation::List, effect).on("ingresses").times(1));
        assert_eq!(get(&cluster, "/api/v1/namespaces").await.status, 200);
        let struck = get(&cluster, INGRESSES).await;
        assert_eq!(struck.status, status);
        assert_eq!(struck.headers["retry-after"], "7");
        assert_eq!(struck.body["kind"], "Status");
        assert_eq!(struck.body["code"], status);
        assert_eq!(get(&cluster, INGRESSES).await.status, 200);
    }
}

#[tokio::test]
async fn a_fault_in_one_namespace_spares_the_others() {
    let cluster = cluster();
    let effect = Effect::Status {
        status: 503,
        retry_after: None,
    };
    cluster
        .faults()
        .add(Fault::new(Operation::Any, effect).within("shop"));
    assert_eq!(
        get(
            &cluster,
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
        )
        .await
        .status,
        503
    );
    assert_eq!(
        get(
            &cluster,
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a"
        )
        .await
        .status,
        503
    );
    assert_eq!(
        get(
            &cluster,
            "/apis/networking.k8s.io/v1/namespaces/other/ingresses"
        )
        .await
        .status,
        200
    );
    assert_eq!(get(&cluster, INGRESSES).await.status, 200);
    assert_eq!(get(&cluster, "/version").await.status, 200);
    cluster.faults().clear();
    assert_eq!(
        get(
            &cluster,
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn a_watch_can_be_refused_by_status() {
    let cluster = cluster();
    strike(
        &cluster,
        Operation::Watch,
        Effect::Status {
            status: 410,
            retry_after: None,
        },
    );
    assert_eq!(
        get(&cluster, &format!("{INGRESSES}?watch=true"))
            .await
            .status,
        410
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_never_answered() {
    let cluster = cluster();
    strike(&cluster, Operation::Discovery, Effect::Hang);
    assert!(
        timeout(Duration::from_secs(3600), get(&cluster, "/version"))
            .await
            .is_err()
    );
    assert_eq!(get(&cluster, "/version").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_cut_watch_breaks_off_in_the_middle_of_a_line() {
    let cluster = cluster();
    let mut watch = watch(&cluster).await;
    strike(&cluster, Operation::Watch, Effect::Cut);
    cluster.apply(ingress("shop", "b"));
    let Line::Lost(half) = watch.next().await else {
        panic!("the watch goes on")
    };
    assert!(half.starts_with(r#"{"type":"ADDED","#));
    assert_eq!(watch.next().await, Line::End);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_after_a_line_of_garbage() {
    let cluster = cluster();
    let mut watch = watch(&cluster).await;
    for effect in [Effect::Garbage, Effect::Truncate] {
        strike(&cluster, Operation::Watch, effect);
        cluster.apply(ingress("shop", "b"));
        assert!(matches!(watch.next().await, Line::Broken(_)));
        cluster.apply(ingress("shop", "b"));
        assert_eq!(summary(&watch.next().await.event()), ("MODIFIED", "b"));
    }
}

#[tokio::test]
async fn a_garbled_list_is_not_json() {
    let cluster = cluster();
    strike(&cluster, Operation::List, Effect::Garbage);
    let answer = get(&cluster, INGRESSES).await;
    assert_eq!((answer.status, answer.body), (200, json!(null)));
}

#[tokio::test(start_paused = true)]
async fn an_error_event_ends_an_idle_watch() {
    let cluster = cluster();
    let mut watch = watch(&cluster).await;
    strike(
        &cluster,
        Operation::Watch,
        Effect::ErrorEvent { status: 500 },
    );
    let event = watch.next().await.event();
    assert_eq!(
        (&event["type"], &event["object"]["code"]),
        (&"ERROR".into(), &500.into())
    );
    assert_eq!(watch.next().await, Line::End);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_watch_delivers_nothing_until_the_fault_ends() {
    let cluster = cluster();
    let mut watch = watch(&cluster).await;
    cluster
        .faults()
        .add(Fault::new(Operation::Watch, Effect::Stall));
    cluster.apply(ingress("shop", "b"));
    assert!(
        timeout(Duration::from_secs(600), watch.next())
            .await
            .is_err()
    );
    cluster.faults().clear();
    assert_eq!(summary(&watch.next().await.event()), ("ADDED", "b"));
}

#[tokio::test(start_paused = true)]
async fn bookmarks_can_stop_while_events_go_on() {
    let cluster = cluster();
    cluster
        .faults()
        .add(Fault::new(Operation::Watch, Effect::NoBookmarks));
    let path = format!(
        "{INGRESSES}?watch=true&allowWatchBookmarks=true&resourceVersion={}",
        cluster.resource_version()
    );
    let mut watch = Watch::open(&cluster, &path).await;
    assert!(
        timeout(Duration::from_secs(600), watch.next())
            .await
            .is_err()
    );
    cluster.apply(ingress("shop", "b"));
    assert_eq!(summary(&watch.next().await.event()), ("ADDED", "b"));
}

#[tokio::test(start_paused = true)]
async fn all_open_watches_can_be_dropped_at_once() {
    let cluster = cluster();
    let mut first = watch(&cluster).await;
    let mut second = watch(&cluster).await;
    cluster.faults().drop_watches();
    assert_eq!(first.next().await, Line::Lost(String::new()));
    assert_eq!(second.next().await, Line::Lost(String::new()));
    let mut third = watch(&cluster).await;
    cluster.apply(ingress("shop", "b"));
    assert_eq!(summary(&third.next().await.event()), ("ADDED", "b"));
}

#[tokio::test]
async fn a_review_can_fail() {
    let cluster = cluster();
    strike(
        &cluster,
        Operation::Review,
        Effect::Status {
            status: 403,
            retry_after: None,
        },
    );
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let body =
        json!({ "spec": { "resourceAttributes": { "verb": "list", "resource": "ingresses" } } });
    assert_eq!(call(&cluster, "POST", path, body.clone()).await.status, 403);
    assert_eq!(call(&cluster, "POST", path, body).await.status, 201);
}
