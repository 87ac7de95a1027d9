use serde_json::{Value, json};
use simulator::{Cluster, Effect, Fault, Operation};

use crate::http::{INGRESSES, Line, Watch, call, get, ingress};

#[tokio::test]
async fn faults_are_set_and_ended_over_http() {
    let cluster = Cluster::empty();
    let fault = json!({
        "operation": "list", "resource": "ingresses", "count": 2, "effect": "status", "status": 429, "retryAfter": 2,
    });
    assert_eq!(
        call(&cluster, "POST", "/simulator/faults", fault.clone())
            .await
            .status,
        204
    );
    let effect = Effect::Status {
        status: 429,
        retry_after: Some(2),
    };
    assert_eq!(
        cluster.faults().list(),
        [Fault::new(Operation::List, effect).on("ingresses").times(2)]
    );
    assert_eq!(
        get(&cluster, "/simulator/faults").await.body,
        json!([fault])
    );
    assert_eq!(get(&cluster, INGRESSES).await.status, 429);
    assert_eq!(
        call(&cluster, "DELETE", "/simulator/faults", Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(get(&cluster, INGRESSES).await.status, 200);
}

#[tokio::test]
async fn every_effect_has_a_name_over_http() {
    let cluster = Cluster::empty();
    for effect in ["hang", "cut", "garbage", "truncate", "stall", "noBookmarks"] {
        let answer = call(
            &cluster,
            "POST",
            "/simulator/faults",
            json!({ "effect": effect, "operation": "watch" }),
        )
        .await;
        assert_eq!(answer.status, 204, "{effect}");
    }
    let answer = call(
        &cluster,
        "POST",
        "/simulator/faults",
        json!({ "effect": "errorEvent", "status": 410 }),
    )
    .await;
    assert_eq!(answer.status, 204);
    assert_eq!(cluster.faults().list().len(), 7);
    let unknown = call(
        &cluster,
        "POST",
        "/simulator/faults",
        json!({ "effect": "explode" }),
    )
    .await;
    assert_eq!(unknown.status, 422);
}

#[tokio::test]
async fn rules_are_replaced_over_http() {
    let cluster = Cluster::empty();
    let rules = json!([{ "decision": "deny", "verb": "list", "resource": "namespaces" }]);
    assert_eq!(
        call(&cluster, "POST", "/simulator/rules", rules)
            .await
            .status,
        204
    );
    assert!(!cluster.rules().allows("list", "namespaces", None));
    assert!(cluster.rules().allows("list", "ingresses", None));
    call(&cluster, "POST", "/simulator/rules", json!([])).await;
    assert!(cluster.rules().allows("list", "namespaces", None));
}

#[tokio::test(start_paused = true)]
async fn watches_history_and_versions_are_in_reach_over_http() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    let earlier = cluster.resource_version();
    let mut watch = Watch::open(
        &cluster,
        &format!("{INGRESSES}?watch=true&resourceVersion={earlier}"),
    )
    .await;
    let requests = get(&cluster, "/simulator/requests").await.body;
    assert_eq!(
        (&requests["openWatches"], &requests["requests"]["watches"]),
        (&json!(1), &json!(1))
    );

    call(&cluster, "POST", "/simulator/drop-watches", Value::Null).await;
    assert_eq!(watch.next().await, Line::Lost(String::new()));
    cluster.apply(ingress("shop", "b"));
    call(
        &cluster,
        "POST",
        "/simulator/restore",
        json!({ "resourceVersion": earlier }),
    )
    .await;
    assert_eq!(cluster.list(None).len(), 1);
    cluster.apply(ingress("shop", "c"));
    call(&cluster, "POST", "/simulator/compact", Value::Null).await;
    let mut late = Watch::open(
        &cluster,
        &format!("{INGRESSES}?watch=true&resourceVersion={earlier}"),
    )
    .await;
    assert_eq!(late.next().await.event()["object"]["code"], 410);
}
