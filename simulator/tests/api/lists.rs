use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::Value;
use simulator::{Cluster, Settings};

use crate::http::{INGRESSES, get, ingress, version};

fn names(items: &[Value]) -> Vec<(String, String)> {
    let text = |item: &Value, field: &str| item["metadata"][field].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| (text(item, "namespace"), text(item, "name")))
        .collect()
}

#[tokio::test]
async fn pages_hold_every_ingress_of_the_first_pages_version_exactly_once_while_the_cluster_churns()
{
    let cluster = Cluster::new(Settings::default());
    let before = cluster.list(None);
    let mut items = Vec::new();
    let mut path = format!("{INGRESSES}?limit=7");
    loop {
        let page = get(&cluster, &path).await.body;
        items.extend(page["items"].as_array().unwrap().clone());
        let remaining = page["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
        assert_eq!(items.len() as u64 + remaining, before.len() as u64);
        for _ in 0..30 {
            cluster.churn_once();
        }
        let Some(token) = page["metadata"]["continue"].as_str() else {
            break;
        };
        path = format!("{INGRESSES}?limit=7&continue={token}");
    }
    assert_eq!(names(&items), names(&before));
    assert_eq!(
        items.iter().map(version).max(),
        before.iter().map(version).max()
    );
    assert_ne!(names(&cluster.list(None)), names(&before));
}

#[tokio::test]
async fn a_continue_token_expires_with_its_history_and_comes_with_one_to_go_on_with() {
    let cluster = Cluster::empty();
    for name in ["a", "b", "c"] {
        cluster.apply(ingress("shop", name));
    }
    let page = get(&cluster, &format!("{INGRESSES}?limit=1")).await.body;
    let token = page["metadata"]["continue"].as_str().unwrap().to_owned();
    cluster.apply(ingress("shop", "d"));
    cluster.compact();

    let expired = get(&cluster, &format!("{INGRESSES}?continue={token}")).await;
    assert_eq!(
        (expired.status, &expired.body["reason"]),
        (410, &"Expired".into())
    );
    let token = expired.body["metadata"]["continue"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = get(&cluster, &format!("{INGRESSES}?continue={token}"))
        .await
        .body;
    let rest = names(rest["items"].as_array().unwrap());
    assert_eq!(
        rest.iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>(),
        ["b", "c", "d"]
    );
}

#[tokio::test]
async fn a_continue_token_of_another_scope_is_refused() {
    let cluster = Cluster::new(Settings::default());
    let page = get(&cluster, &format!("{INGRESSES}?limit=1")).await.body;
    let token = page["metadata"]["continue"].as_str().unwrap();
    let elsewhere = format!("/apis/networking.k8s.io/v1/namespaces/zzz/ingresses?continue={token}");
    assert_eq!(get(&cluster, &elsewhere).await.status, 400);
}

#[tokio::test]
async fn typed_clients_list_select_and_count() {
    let cluster = Cluster::new(Settings::default());
    let client = Client::new(cluster.router(), "default");
    let namespaces = Api::<Namespace>::all(client.clone())
        .list(&ListParams::default())
        .await
        .unwrap();
    assert_eq!(namespaces.items.len(), 12);

    let ingresses = Api::<Ingress>::all(client.clone());
    assert_eq!(
        ingresses
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        60
    );
    let selected = ingresses
        .list(&ListParams::default().labels("app.kubernetes.io/name in (grafana,cart)"))
        .await
        .unwrap();
    let expected = cluster.list(None).into_iter().filter(|object| {
        matches!(
            object["metadata"]["labels"]["app.kubernetes.io/name"].as_str(),
            Some("grafana" | "cart")
        )
    });
    assert_eq!(selected.items.len(), expected.count());
    assert_ne!(selected.items.len(), 0);

    let nowhere = Api::<Ingress>::namespaced(client, "nowhere");
    let nothing = nowhere.list(&ListParams::default()).await.unwrap();
    assert_eq!(nothing.items.len(), 0);
}

#[tokio::test]
async fn a_large_cluster_is_listed_whole() {
    let cluster = Cluster::new(Settings {
        namespaces: 3_200,
        ingresses: 10_500,
        ..Settings::default()
    });
    let list = get(&cluster, INGRESSES).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 10_500);
    let namespaces = get(&cluster, "/api/v1/namespaces").await.body;
    assert_eq!(namespaces["items"].as_array().unwrap().len(), 3_200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_cluster_and_the_same_churn() {
    let build = |seed| {
        let cluster = Cluster::new(Settings {
            ingresses: 200,
            seed,
            ..Settings::default()
        });
        for _ in 0..200 {
            cluster.churn_once();
        }
        cluster
            .list(None)
            .into_iter()
            .map(without_times)
            .collect::<Vec<_>>()
    };
    assert_eq!(build(7), build(7));
    assert_ne!(build(7), build(8));
}

/// Ages are relative to the start.
fn without_times(mut ingress: Value) -> Value {
    let metadata = ingress["metadata"].as_object_mut().unwrap();
    metadata.remove("creationTimestamp");
    metadata.remove("managedFields");
    ingress
}
