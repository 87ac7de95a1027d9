//! An API server, or what stands before it, that answers and makes no sense: lists and bodies
//! without end, watches with nothing in them, objects of other namespaces.

use std::collections::BTreeSet;

use http::Method;
use protocol::Message;
use protocol::message::{ErrorReason, NamespaceState};
use serde_json::json;
use simulator::{Effect, Fault, Operation};

use testkit::dash::{Client, Dash, State};
use testkit::upstream::Upstream;

/// A namespace with one ingress, `first`, and a stream of it that has it.
async fn watched() -> (Upstream, Dash, Client, String) {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    (up, dash, client, namespace)
}

fn fault(up: &Upstream, operation: Operation, effect: Effect) {
    let fault = Fault::new(operation, effect).on("ingresses");
    up.simulated().faults().add(fault);
}

fn once(up: &Upstream, operation: Operation, effect: Effect) {
    let fault = Fault::new(operation, effect).on("ingresses").times(1);
    up.simulated().faults().add(fault);
}

/// Whether the whole scope is retrying, and its last error has these words.
fn is_retrying(state: &State, words: &str) -> bool {
    let error = state.errors().last();
    state.is(None, NamespaceState::Retrying)
        && error.is_some_and(|error| error.error.contains(words))
}

/// How long the whole scope is said to wait.
fn pause(state: &State) -> u64 {
    state.states[&None].retry_in_ms.unwrap_or_default()
}

async fn is_live(client: &mut Client) {
    client
        .wait_until("live", |state| state.is(None, NamespaceState::Live))
        .await;
}

#[tokio::test]
async fn a_pause_without_measure_is_a_minute_and_no_end() {
    for seconds in [u64::MAX, 1_000_000_000] {
        let (up, dash, mut client, namespace) = watched().await;
        let effect = Effect::Status {
            status: 429,
            retry_after: Some(seconds),
        };
        once(&up, Operation::Watch, effect);
        up.simulated().faults().drop_watches();
        client
            .wait_until("the pause is told", |state| is_retrying(state, "429"))
            .await;
        let told = pause(&client.state);
        assert!((50_000..=60_000).contains(&told), "{told}");
        // The button ends it like any other.
        let hurry = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
        ];
        let answer = dash.ask(Method::POST, "/api/fn/try_now", &hurry).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        is_live(&mut client).await;
        up.create(&namespace, "second").await;
        client.gets(&namespace, "second").await;
        assert!(!dash.process.log().contains("panicked"));
    }
}

#[tokio::test]
async fn lists_that_lead_nowhere_become_rare() {
    let (up, _dash, mut client, namespace) = watched().await;
    fault(&up, Operation::Watch, Effect::ErrorEvent { status: 410 });
    client
        .wait_until("a pause that has grown", |state| {
            is_retrying(state, "answered 410") && pause(state) > 3_000
        })
        .await;
    let lists = up.simulated().requests_of("ingresses").lists;
    assert!(lists <= 6, "{lists} lists");
    up.simulated().faults().clear();
    is_live(&mut client).await;
    up.create(&namespace, "second").await;
    client.gets(&namespace, "second").await;
}

#[tokio::test]
async fn watches_with_nothing_in_them_are_not_live_and_lists_keep_the_rows_true() {
    let (up, _dash, mut client, namespace) = watched().await;
    fault(&up, Operation::Watch, Effect::End);
    up.create(&namespace, "second").await;
    client
        .wait_until("the emptiness is told", |state| {
            is_retrying(state, "ends each watch at once")
        })
        .await;
    let told = client.state.messages.len();
    client.gets(&namespace, "second").await;
    up.delete(&namespace, "first").await;
    client.loses(&namespace, "first").await;
    let live = |(_, message): &(Option<String>, Message)| matches!(message, Message::NamespaceStatus(status) if status.state == NamespaceState::Live);
    assert!(
        !client.state.messages[told..].iter().any(live),
        "it was said to be live"
    );
    up.simulated().faults().clear();
    is_live(&mut client).await;
}

#[tokio::test]
async fn lists_that_never_end_starve_nobody() {
    let up = Upstream::simulator().await;
    let well = up.namespace("well").await;
    up.create(&well, "first").await;
    let mut ill = Vec::new();
    for label in 0..10 {
        let namespace = up.namespace(&format!("ill{label}")).await;
        let endless = Fault::new(Operation::List, Effect::Endless);
        up.simulated()
            .faults()
            .add(endless.on("ingresses").within(&namespace));
        ill.push(namespace);
    }
    let dash = up.dash_with(&[("WATCH_MODE", "namespaced")]).await;
    let _held = dash.stream(&format!("namespaces={}", ill.join(","))).await;
    dash.get_until("/metrics", |_| {
        up.simulated().requests_of("ingresses").lists > 100
    })
    .await;
    let mut client = dash.stream(&format!("namespaces={well}")).await;
    client.gets(&well, "first").await;
    let state = client.synced().await;
    assert!(state.synced.as_ref().unwrap().pending.is_empty());
}

#[tokio::test]
async fn a_cluster_without_ingresses_is_asked_until_it_has_them() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    let missing = Effect::Status {
        status: 404,
        retry_after: None,
    };
    fault(&up, Operation::List, missing);
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client
        .wait_until("the missing resource is told", |state| {
            is_retrying(state, "answered 404")
        })
        .await;
    let error = client.state.errors().last().unwrap();
    assert_eq!(error.reason, ErrorReason::Invalid);
    up.simulated().faults().clear();
    client.gets(&namespace, "first").await;
    is_live(&mut client).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_and_said() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    fault(&up, Operation::List, Effect::Flood);
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client
        .wait_until("the flood is told", |state| {
            is_retrying(state, "KiB at once")
        })
        .await;
    let error = client.state.errors().last().unwrap();
    assert_eq!(error.reason, ErrorReason::Invalid);
    up.simulated().faults().clear();
    client.gets(&namespace, "first").await;
    // A line of a watch, and the answer of somebody who asks for one object.
    is_live(&mut client).await;
    once(&up, Operation::Watch, Effect::Flood);
    up.create(&namespace, "second").await;
    client.gets(&namespace, "second").await;
    once(&up, Operation::Get, Effect::Flood);
    let path = format!("/api/ingresses/{namespace}/first");
    let refusal = dash.get(&path).await;
    assert!(refusal.status.is_server_error(), "{}", refusal.text());
    assert_eq!(dash.get(&path).await.status, 200);
}

#[tokio::test]
async fn long_words_are_cut() {
    for length in [10_000, 1_000_000] {
        let (up, _dash, mut client, _) = watched().await;
        let status = 500;
        once(&up, Operation::Watch, Effect::Words { status, length });
        up.simulated().faults().drop_watches();
        client
            .wait_until("the words are told", |state| is_retrying(state, "500"))
            .await;
        let words = &client.state.errors().last().unwrap().error;
        assert!(words.chars().count() < 400, "{}", words.len());
        is_live(&mut client).await;
    }
}

#[tokio::test]
async fn what_does_not_belong_to_a_watch_is_not_shown() {
    for (r#type, elsewhere, name) in [
        ("ADDED", true, "ghost"),
        ("DELETED", true, "y"),
        ("ADDED", false, ""),
    ] {
        let up = Upstream::simulator().await;
        let (a, b) = (up.namespace("a").await, up.namespace("b").await);
        for namespace in [&a, &b] {
            up.create(namespace, "y").await;
        }
        let dash = up.dash_with(&[("WATCH_MODE", "namespaced")]).await;
        let mut client = dash.stream(&format!("namespaces={a},{b}")).await;
        client.synced().await;
        let namespace = if elsewhere { &b } else { &a };
        let metadata =
            json!({"namespace": namespace, "name": name, "uid": "u", "resourceVersion": "9999999"});
        let line = json!({"type": r#type, "object": {"metadata": metadata, "spec": {}}});
        let effect = Effect::Line {
            line: line.to_string(),
        };
        let line = Fault::new(Operation::Watch, effect)
            .on("ingresses")
            .times(1);
        up.simulated().faults().add(line.within(&a));
        up.create(&a, "next").await;
        client.gets(&a, "next").await;
        client
            .wait_until("live", |state| state.is(Some(&a), NamespaceState::Live))
            .await;
        let error = client.state.errors().last().unwrap();
        assert!(
            error.reason == ErrorReason::Invalid && error.error.contains("not of this watch"),
            "{error:?}"
        );
        // The two feeds list at the same time.
        let changes = client.state.changes();
        let [first, second, next] = &changes[..] else {
            panic!("{changes:?}")
        };
        let listed = BTreeSet::from([first.clone(), second.clone()]);
        assert_eq!(
            listed,
            BTreeSet::from([format!("+{a}/y"), format!("+{b}/y")])
        );
        assert_eq!(*next, format!("+{a}/next"));
    }
}

#[tokio::test]
async fn names_of_no_namespace_take_no_watch() {
    let up = Upstream::simulator().await;
    let real = up.namespace("real").await;
    up.create(&real, "first").await;
    let settings = [("WATCH_MODE", "namespaced"), ("MAX_WATCHES", "2")];
    let dash = up.dash_with(&settings).await;
    dash.get_until("/api/namespaces", |answer| {
        answer.json()["complete"] == true
    })
    .await;
    let evil: Vec<_> = (0..40)
        .map(|number| up.unused(&format!("evil{number}")))
        .collect();
    let mut made_up = dash.stream(&format!("namespaces={}", evil.join(","))).await;
    let synced = made_up.synced().await.synced.clone().unwrap();
    assert_eq!((synced.count, synced.pending), (0, vec![]));
    let mut client = dash.stream(&format!("namespaces={real}")).await;
    assert!(client.synced().await.has(&real, "first"));
    assert_eq!(up.simulated().open_watches_of("ingresses"), 1);
    // One that comes to exist is watched.
    up.simulated().apply_namespace(&evil[7]);
    up.create(&evil[7], "late").await;
    made_up.gets(&evil[7], "late").await;
}
