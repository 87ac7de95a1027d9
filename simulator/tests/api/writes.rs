use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Error};
use serde_json::{Value, json};
use simulator::Cluster;

use crate::http::{call, get, ingress};

const SHOP: &str = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";

fn api(cluster: &Cluster) -> Api<Ingress> {
    cluster.apply_namespace("shop");
    Api::namespaced(Client::new(cluster.router(), "default"), "shop")
}

fn typed(value: Value) -> Ingress {
    serde_json::from_value(value).unwrap()
}

fn code(error: &Error) -> u16 {
    match error {
        Error::Api(status) => status.code,
        other => panic!("a status was expected, not {other}"),
    }
}

#[tokio::test]
async fn an_ingress_is_created_changed_and_deleted() {
    let api = api(&Cluster::empty());
    let created = api
        .create(&PostParams::default(), &typed(ingress("shop", "web")))
        .await
        .unwrap();
    assert_eq!(created.metadata.generation, Some(1));

    let patch = json!({ "spec": { "ingressClassName": "nginx" } });
    let patched = api
        .patch("web", &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    assert_eq!(patched.metadata.generation, Some(2));
    assert_eq!(patched.metadata.uid, created.metadata.uid);
    assert_eq!(api.get("web").await.unwrap(), patched);

    api.delete("web", &DeleteParams::default()).await.unwrap();
    assert!(api.get_opt("web").await.unwrap().is_none());
}

#[tokio::test]
async fn the_second_of_two_writers_meets_a_conflict() {
    let api = api(&Cluster::empty());
    let created = api
        .create(&PostParams::default(), &typed(ingress("shop", "web")))
        .await
        .unwrap();
    let mut first = created.clone();
    first.metadata.labels = None;
    api.replace("web", &PostParams::default(), &first)
        .await
        .unwrap();
    let mut second = created;
    second.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
    let refused = api
        .replace("web", &PostParams::default(), &second)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), 409);
    assert_eq!(api.get("web").await.unwrap().metadata.annotations, None);
}

#[tokio::test]
async fn generated_names_differ() {
    let api = api(&Cluster::empty());
    let nameless = typed(json!({
        "metadata": { "generateName": "web-" },
        "spec": { "defaultBackend": { "service": { "name": "web", "port": { "name": "http" } } } },
    }));
    let first = api
        .create(&PostParams::default(), &nameless)
        .await
        .unwrap()
        .metadata
        .name
        .unwrap();
    let second = api
        .create(&PostParams::default(), &nameless)
        .await
        .unwrap()
        .metadata
        .name
        .unwrap();
    assert!(first.starts_with("web-") && second.starts_with("web-") && first != second);
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let cluster = Cluster::empty();
    let api = api(&cluster);
    let before = cluster.resource_version();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    api.create(&dry, &typed(ingress("shop", "web")))
        .await
        .unwrap();
    assert_eq!(cluster.resource_version(), before);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let cluster = Cluster::empty();
    let api = api(&cluster);
    cluster.apply(ingress("shop", "a"));
    cluster.apply(ingress("shop", "b"));
    api.delete_collection(
        &DeleteParams::default(),
        &ListParams::default().labels("app=a"),
    )
    .await
    .unwrap();
    let left = api.list(&ListParams::default()).await.unwrap();
    assert_eq!(left.items.len(), 1);
    assert_eq!(left.items[0].metadata.name.as_deref(), Some("b"));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let cluster = Cluster::empty();
    cluster.apply_namespace("shop");
    for body in [json!([]), json!("text"), json!({ "metadata": 1 })] {
        let status = call(&cluster, "POST", SHOP, body).await.status;
        assert!((400..500).contains(&status), "{status}");
    }
    assert_eq!(cluster.list(None).len(), 0);
}

#[tokio::test]
async fn direct_access_takes_objects_that_the_api_refuses() {
    let cluster = Cluster::empty();
    let odd =
        json!({ "metadata": { "namespace": "shop", "name": "odd" }, "spec": { "rules": "none" } });
    cluster.apply(odd.clone());
    let list = get(&cluster, SHOP).await.body;
    assert_eq!(list["items"][0]["spec"]["rules"], "none");
    cluster.apply_namespace("elsewhere");
    let answer = call(&cluster, "POST", &SHOP.replace("shop", "elsewhere"), odd).await;
    assert_eq!(answer.status, 400);
}
