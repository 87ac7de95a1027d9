use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::networking::v1::Ingress;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use simulator::{Cluster, Settings};
use tokio::time::Instant;

use crate::http::{INGRESSES, Line, Watch, get, ingress, summary, version};

fn from(version: u64) -> String {
    format!("{INGRESSES}?watch=true&resourceVersion={version}")
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_lists_version_sees_every_change_in_order() {
    let cluster = Cluster::new(Settings::default());
    let list = get(&cluster, INGRESSES).await.body;
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        (
            metadata["namespace"].to_string(),
            metadata["name"].to_string(),
        )
    };
    let mut seen: BTreeMap<_, _> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (key(item), version(item)))
        .collect();
    let mut watch = Watch::open(&cluster, &from(version(&list))).await;
    let mut last = version(&list);
    for _ in 0..500 {
        cluster.churn_once();
    }
    while last < cluster.resource_version() {
        let event = watch.next().await.event();
        let object = &event["object"];
        assert!(version(object) > last);
        last = version(object);
        let before = match event["type"].as_str().unwrap() {
            "DELETED" => seen.remove(&key(object)),
            _ => seen.insert(key(object), last),
        };
        assert_eq!(before.is_none(), event["type"] == "ADDED");
    }
    let now: BTreeMap<_, _> = cluster
        .list(None)
        .iter()
        .map(|item| (key(item), version(item)))
        .collect();
    assert_eq!(seen, now);
}

#[tokio::test(start_paused = true)]
async fn a_watch_without_a_version_begins_with_what_there_is() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    cluster.apply(ingress("shop", "b"));
    let mut watch = Watch::open(&cluster, &format!("{INGRESSES}?watch=true")).await;
    cluster.apply(ingress("shop", "a"));
    assert_eq!(summary(&watch.next().await.event()), ("ADDED", "a"));
    assert_eq!(summary(&watch.next().await.event()), ("ADDED", "b"));
    assert_eq!(summary(&watch.next().await.event()), ("MODIFIED", "a"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_compacted_version_is_told_410_in_its_stream() {
    let cluster = Cluster::empty();
    let old = version(&cluster.apply(ingress("shop", "a")));
    cluster.apply(ingress("shop", "b"));
    cluster.compact();
    let mut watch = Watch::open(&cluster, &from(old)).await;
    let event = watch.next().await.event();
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["code"], 410);
    assert_eq!(event["object"]["reason"], "Expired");
    assert_eq!(watch.next().await, Line::End);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_up_to_date_outlives_compaction() {
    let cluster = Cluster::empty();
    let now = version(&cluster.apply(ingress("shop", "a")));
    let mut watch = Watch::open(&cluster, &from(now)).await;
    cluster.compact();
    cluster.apply(ingress("shop", "b"));
    assert_eq!(summary(&watch.next().await.event()), ("ADDED", "b"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_read_too_slowly_falls_out_of_the_history() {
    let cluster = Cluster::new(Settings {
        namespaces: 0,
        ingresses: 0,
        history: 10,
        ..Settings::default()
    });
    let now = version(&cluster.apply(ingress("shop", "a")));
    let mut watch = Watch::open(&cluster, &from(now)).await;
    for _ in 0..11 {
        cluster.apply(ingress("shop", "a"));
    }
    assert_eq!(watch.next().await.event()["object"]["code"], 410);
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_once_per_interval_and_carry_the_current_version() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    let path = format!(
        "{}&allowWatchBookmarks=true",
        from(cluster.resource_version())
    );
    let mut watch = Watch::open(&cluster, &path).await;
    // Changes elsewhere move the bookmark on.
    cluster.apply_namespace("other");
    for minute in 1..=3_u64 {
        let before = Instant::now();
        let event = watch.next().await.event();
        assert_eq!(event["type"], "BOOKMARK", "minute {minute}");
        assert_eq!(version(&event["object"]), cluster.resource_version());
        assert_eq!(before.elapsed().as_secs(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_after_its_timeout() {
    let cluster = Cluster::empty();
    let start = Instant::now();
    let mut watch = Watch::open(
        &cluster,
        &format!("{INGRESSES}?watch=true&timeoutSeconds=290"),
    )
    .await;
    assert_eq!(watch.next().await, Line::End);
    assert_eq!(start.elapsed().as_secs(), 290);
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_version_in_the_future_is_silent() {
    let cluster = Cluster::empty();
    let mut watch = Watch::open(
        &cluster,
        &format!(
            "{}&allowWatchBookmarks=true&timeoutSeconds=200",
            from(1_000_000)
        ),
    )
    .await;
    cluster.apply(ingress("shop", "a"));
    assert_eq!(watch.next().await, Line::End);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_namespace_takes_its_ingresses_along() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    cluster.apply(ingress("shop", "b"));
    cluster.apply(ingress("shop-two", "c"));
    let now = cluster.resource_version();
    let mut ingresses = Watch::open(&cluster, &from(now)).await;
    let mut namespaces = Watch::open(
        &cluster,
        &format!("/api/v1/namespaces?watch=true&resourceVersion={now}"),
    )
    .await;
    cluster.delete_namespace("shop");
    assert_eq!(
        summary(&namespaces.next().await.event()),
        ("MODIFIED", "shop")
    );
    assert_eq!(summary(&ingresses.next().await.event()), ("DELETED", "a"));
    assert_eq!(summary(&ingresses.next().await.event()), ("DELETED", "b"));
    assert_eq!(
        summary(&namespaces.next().await.event()),
        ("DELETED", "shop")
    );
    assert_eq!(cluster.list(None).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn open_watches_are_counted_until_they_are_dropped() {
    let cluster = Cluster::empty();
    let first = Watch::open(&cluster, &from(0)).await;
    let second = Watch::open(&cluster, "/api/v1/namespaces?watch=1").await;
    assert_eq!(
        (cluster.open_watches(), cluster.open_watches_of("ingresses")),
        (2, 1)
    );
    drop(first);
    drop(second);
    assert_eq!(cluster.open_watches(), 0);
    assert_eq!(
        (
            cluster.requests().watches,
            cluster.requests_of("ingresses").watches
        ),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_restored_cluster_is_as_it_was_and_has_broken_its_watches() {
    let cluster = Cluster::empty();
    let kept = cluster.apply(ingress("shop", "a"));
    let earlier = cluster.resource_version();
    let mut watch = Watch::open(&cluster, &from(earlier)).await;
    assert!(cluster.delete("shop", "a"));
    cluster.apply(ingress("shop", "b"));
    cluster.restore(earlier);
    assert_eq!(cluster.list(None), [kept]);
    assert_eq!(cluster.resource_version(), earlier);
    assert_eq!(watch.next().await, Line::Lost(String::new()));
}

#[tokio::test(start_paused = true)]
async fn the_watcher_of_kube_follows_through_dropped_watches_and_compaction() {
    let cluster = Cluster::empty();
    cluster.apply(ingress("shop", "a"));
    let api = Api::<Ingress>::all(Client::new(cluster.router(), "default"));
    let events = watcher(api, watcher::Config::default()).filter_map(async |event| event.ok());
    pin_mut!(events);
    assert!(matches!(events.next().await, Some(Event::Init)));
    assert!(
        matches!(events.next().await, Some(Event::InitApply(object)) if object.name_any() == "a")
    );
    assert!(matches!(events.next().await, Some(Event::InitDone)));

    cluster.apply(ingress("shop", "b"));
    assert!(matches!(events.next().await, Some(Event::Apply(object)) if object.name_any() == "b"));
    cluster.faults().drop_watches();
    assert!(cluster.delete("shop", "a"));
    assert!(matches!(events.next().await, Some(Event::Delete(object)) if object.name_any() == "a"));

    // The change made while nobody watched is compacted away: only a new list can tell.
    cluster.faults().drop_watches();
    cluster.apply(ingress("shop", "c"));
    cluster.compact();
    assert!(matches!(events.next().await, Some(Event::Init)));
    assert!(
        matches!(events.next().await, Some(Event::InitApply(object)) if object.name_any() == "b")
    );
    assert!(
        matches!(events.next().await, Some(Event::InitApply(object)) if object.name_any() == "c")
    );
    assert!(matches!(events.next().await, Some(Event::InitDone)));
    assert_eq!(cluster.requests().lists, 2);
}

#[tokio::test(start_paused = true)]
async fn churn_keeps_to_its_rate_and_to_the_size_of_the_cluster() {
    let cluster = Cluster::new(Settings {
        churn_per_second: 10.0,
        ..Settings::default()
    });
    let before = cluster.resource_version();
    let churned = tokio::time::timeout(Duration::from_secs(100), cluster.churn()).await;
    assert!(churned.is_err(), "churn never ends by itself");
    let changes = cluster.resource_version() - before;
    assert!(
        (800..1200).contains(&changes),
        "{changes} changes in 100 s at 10 per second"
    );
    assert!((50..=70).contains(&cluster.list(None).len()));
}
