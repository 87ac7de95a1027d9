use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use simulator::{Cluster, USER};

use crate::http::{INGRESSES, call, get, ingress};

async fn may_list(cluster: &Cluster, resource: &str, namespace: Option<&str>) -> bool {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some("list".to_owned()),
                resource: Some(resource.to_owned()),
                namespace: namespace.map(str::to_owned),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews = Api::<SelfSubjectAccessReview>::all(Client::new(cluster.router(), "default"));
    reviews
        .create(&PostParams::default(), &review)
        .await
        .unwrap()
        .status
        .unwrap()
        .allowed
}

#[tokio::test]
async fn a_grant_for_one_namespace_is_none_for_the_cluster() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "web"));
    cluster.rules().deny("*", "ingresses", None);
    cluster.rules().allow("list", "ingresses", Some("shop"));

    let refused = get(&cluster, INGRESSES).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["message"],
        format!(
            "ingresses.networking.k8s.io is forbidden: User \"{USER}\" cannot list resource \"ingresses\" in API group \
             \"networking.k8s.io\" at the cluster scope"
        )
    );
    let shop = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";
    assert_eq!(get(&cluster, shop).await.status, 200);
    let watch = get(&cluster, &format!("{shop}?watch=1")).await;
    assert_eq!(watch.status, 403);
    let message = watch.body["message"].as_str().unwrap();
    assert!(message.ends_with("cannot watch resource \"ingresses\" in API group \"networking.k8s.io\" in the namespace \"shop\""));

    assert!(!may_list(&cluster, "ingresses", None).await);
    assert!(may_list(&cluster, "ingresses", Some("shop")).await);
    assert!(!may_list(&cluster, "ingresses", Some("other")).await);
    assert!(may_list(&cluster, "namespaces", None).await);
}

#[tokio::test]
async fn namespaces_can_be_unlistable_while_one_can_be_read() {
    let cluster = Cluster::empty();
    cluster.apply_namespace("shop");
    cluster.rules().deny("list", "namespaces", None);
    assert_eq!(get(&cluster, "/api/v1/namespaces").await.status, 403);
    assert_eq!(get(&cluster, "/api/v1/namespaces/shop").await.status, 200);
    cluster.rules().allow_all();
    assert_eq!(get(&cluster, "/api/v1/namespaces").await.status, 200);
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "web"));
    cluster.rules().deny_all();
    cluster.rules().allow("get", "ingresses", None);
    let path = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web";
    let refused = call(&cluster, "DELETE", path, json!(null)).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["details"]["name"], "web");
    assert_eq!(get(&cluster, path).await.status, 200);
}

#[tokio::test]
async fn the_user_learns_who_it_is() {
    let cluster = Cluster::empty();
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = call(&cluster, "POST", path, json!({})).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["status"]["userInfo"]["username"], USER);
}
