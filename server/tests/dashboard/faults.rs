//! What only the simulator can be told to do: the API server, or the way to it, at its worst.

use std::time::Duration;

use protocol::message::{ErrorReason, NamespaceState};
use serde_json::json;
use simulator::{Effect, Fault, Operation, Settings};

use crate::bad_input::Witness;
use testkit::dash::{Client, Dash};
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

/// The next watch of ingresses, or its next event, suffers this once.
fn once(up: &Upstream, operation: Operation, effect: Effect) {
    up.simulated()
        .faults()
        .add(Fault::new(operation, effect).on("ingresses").times(1));
}

/// Creates, changes and deletes; the stream that was opened before has the outcome.
async fn goes_on(up: &Upstream, client: &mut Client, namespace: &str) {
    up.create(namespace, "second").await;
    up.change(namespace, "second", "new.example.com").await;
    up.delete(namespace, "first").await;
    client.loses(namespace, "first").await;
    let changed = |state: &testkit::dash::State| {
        state
            .row(namespace, "second")
            .is_some_and(|row| row.hosts == ["new.example.com"])
    };
    client
        .wait_until("the newest version of the second", changed)
        .await;
    assert_eq!(client.state.names(namespace), ["second"]);
    assert!(
        up.simulated().faults().list().is_empty(),
        "the fault has struck"
    );
}

#[tokio::test]
async fn one_watch_serves_many_clients_of_many_namespaces() {
    let up = Upstream::simulator().await;
    let mut namespaces = Vec::new();
    for label in ["a", "b", "c"] {
        namespaces.push(up.namespace(label).await);
    }
    let dash = up.dash().await;
    let mut clients = Vec::new();
    for namespace in &namespaces {
        for query in [
            String::new(),
            format!("namespaces={namespace}"),
            format!("namespaces={}", namespaces.join(",")),
        ] {
            let mut client = dash.stream(&query).await;
            client.synced().await;
            clients.push(client);
        }
    }
    up.create(&namespaces[0], "web").await;
    for client in [0, 1, 2, 3, 5, 6, 8] {
        clients[client].gets(&namespaces[0], "web").await;
    }
    let simulated = up.simulated();
    assert_eq!(simulated.open_watches_of("ingresses"), 1);
    let requests = simulated.requests_of("ingresses");
    assert_eq!((requests.lists, requests.watches), (1, 1));
    assert_eq!(dash.get("/api/health").await.ok()["streams"], clients.len());
}

#[tokio::test]
async fn one_watch_per_namespace_serves_all_who_look_at_it() {
    let up = Upstream::simulator().await;
    let (a, b) = (up.namespace("a").await, up.namespace("b").await);
    let dash = up.dash_with(&[("WATCH_MODE", "namespaced")]).await;
    let mut clients = Vec::new();
    for query in [
        format!("namespaces={a}"),
        format!("namespaces={a},{b}"),
        format!("namespaces={a}"),
    ] {
        let mut client = dash.stream(&query).await;
        client.synced().await;
        clients.push(client);
    }
    assert_eq!(up.simulated().open_watches_of("ingresses"), 2);
    up.create(&a, "web").await;
    for client in &mut clients {
        client.gets(&a, "web").await;
    }
}

#[tokio::test]
async fn an_empty_cluster_is_synced_with_none() {
    let up = Upstream::simulator().await;
    let dash = up.dash().await;
    let mut client = dash.stream("").await;
    let synced = client.synced().await.synced.clone().unwrap();
    assert_eq!((synced.count, synced.pending.len()), (0, 0));
    assert_eq!(dash.get("/readyz").await.status, 200);
    assert_eq!(dash.get("/").await.status, 200);
}

#[tokio::test]
async fn the_last_ingress_of_the_cluster_deleted_leaves_none() {
    let (up, dash, mut client, namespace) = watched().await;
    let mut all = dash.stream("").await;
    all.synced().await;
    up.delete(&namespace, "first").await;
    client.loses(&namespace, "first").await;
    assert!(all.loses(&namespace, "first").await.table.is_empty());
}

#[tokio::test]
async fn a_watch_whose_version_is_gone_lists_again() {
    let (mut up, dash, mut client, namespace) = watched().await;
    once(
        &up,
        Operation::Watch,
        Effect::Status {
            status: 410,
            retry_after: None,
        },
    );
    up.simulated().faults().drop_watches();
    goes_on(&up, &mut client, &namespace).await;
    let metrics = dash.get("/metrics").await.text();
    assert!(
        metrics.contains("ingress_dash_relists_total 1"),
        "{metrics}"
    );
    up.forget_history().await;
    up.create(&namespace, "third").await;
    client.gets(&namespace, "third").await;
}

#[tokio::test]
async fn a_watch_that_is_told_in_its_stream_that_its_version_is_gone_lists_again() {
    let (up, _dash, mut client, namespace) = watched().await;
    once(&up, Operation::Watch, Effect::ErrorEvent { status: 410 });
    goes_on(&up, &mut client, &namespace).await;
    assert_eq!(up.simulated().requests_of("ingresses").lists, 2);
}

#[tokio::test]
async fn a_dropped_watch_goes_on_without_listing() {
    let (up, dash, mut client, namespace) = watched().await;
    up.simulated().faults().drop_watches();
    goes_on(&up, &mut client, &namespace).await;
    let metrics = dash.get("/metrics").await.text();
    assert!(
        metrics.contains("ingress_dash_relists_total 0"),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_api_server_restored_to_an_earlier_version_is_noticed() {
    let (up, _dash, mut client, namespace) = watched().await;
    let backup = up.simulated().resource_version();
    for name in ["second", "third"] {
        up.create(&namespace, name).await;
    }
    client.gets(&namespace, "third").await;
    up.simulated().restore(backup);
    client.loses(&namespace, "third").await;
    assert_eq!(client.state.names(&namespace), ["first"]);
    // The next version is one that was given out before.
    up.create(&namespace, "fourth").await;
    client.gets(&namespace, "fourth").await;
    assert_eq!(client.state.names(&namespace), ["first", "fourth"]);
}

#[tokio::test]
async fn garbage_in_a_watch_loses_no_change() {
    let (up, _dash, mut client, namespace) = watched().await;
    once(&up, Operation::Watch, Effect::Garbage);
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_line_cut_short_loses_no_change() {
    let (up, _dash, mut client, namespace) = watched().await;
    once(&up, Operation::Watch, Effect::Truncate);
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_watch_cut_in_the_middle_of_a_line_loses_no_change() {
    let (up, _dash, mut client, namespace) = watched().await;
    once(&up, Operation::Watch, Effect::Cut);
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_list_from_before_what_is_held_is_believed() {
    let (up, _dash, mut client, namespace) = watched().await;
    let before = up.simulated().resource_version();
    for name in ["undone", "also-undone"] {
        up.create(&namespace, name).await;
        client.gets(&namespace, name).await;
    }
    // As when etcd is restored from a backup.
    once(&up, Operation::Watch, Effect::ErrorEvent { status: 410 });
    up.simulated().restore(before);
    client
        .wait_until("the past", |state| state.names(&namespace) == ["first"])
        .await;
    goes_on(&up, &mut client, &namespace).await;
}

/// Reads until the whole scope is retrying because of this status code.
async fn is_told(client: &mut Client, code: u16) {
    let told = |state: &testkit::dash::State| {
        let error = state.errors().last();
        state.is(None, NamespaceState::Retrying)
            && error.is_some_and(|error| error.error.contains(&format!("answered {code}")))
    };
    client.wait_until("the status code is told", told).await;
}

#[tokio::test]
async fn errors_of_the_api_server_are_told_and_tried_again() {
    for status in [500, 503] {
        let (up, _dash, mut client, namespace) = watched().await;
        once(
            &up,
            Operation::Watch,
            Effect::Status {
                status,
                retry_after: None,
            },
        );
        up.simulated().faults().drop_watches();
        is_told(&mut client, status).await;
        let error = client.state.errors().last().unwrap();
        assert_eq!(
            (error.reason, &error.namespace),
            (ErrorReason::Unreachable, &None)
        );
        assert!(client.state.has(&namespace, "first"), "rows stay");
        client
            .wait_until("live", |state| state.is(None, NamespaceState::Live))
            .await;
        goes_on(&up, &mut client, &namespace).await;
    }
}

#[tokio::test]
async fn an_api_server_that_asks_for_patience_is_obeyed() {
    let (up, _dash, mut client, namespace) = watched().await;
    once(
        &up,
        Operation::Watch,
        Effect::Status {
            status: 429,
            retry_after: Some(5),
        },
    );
    up.simulated().faults().drop_watches();
    is_told(&mut client, 429).await;
    let status = &client.state.states[&None];
    // Without the header it would be at most 2.4 s.
    assert!(
        status
            .retry_in_ms
            .is_some_and(|delay| (2_500..=5_000).contains(&delay)),
        "{status:?}"
    );
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_first_list_that_fails_is_said_and_tried_again() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    let fault = Fault::new(
        Operation::List,
        Effect::Status {
            status: 500,
            retry_after: None,
        },
    );
    up.simulated().faults().add(fault.on("ingresses").times(2));
    let dash = up.dash().await;
    dash.get_until("/readyz", |answer| answer.text().contains("500"))
        .await
        .refused(503);
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    let state = client.synced().await;
    let synced = state.synced.clone().unwrap();
    if synced.pending.is_empty() {
        assert!(state.has(&namespace, "first"));
    } else {
        assert_eq!(
            (synced.count, synced.pending),
            (0, vec![namespace.clone()]),
            "an honest none"
        );
        client.gets(&namespace, "first").await;
    }
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_list_cut_in_the_middle_is_asked_for_again() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    for effect in [Effect::Cut, Effect::Garbage] {
        once(&up, Operation::List, effect);
    }
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.gets(&namespace, "first").await;
    client
        .wait_until("synced", |state| {
            state
                .synced
                .as_ref()
                .is_some_and(|synced| synced.pending.is_empty())
                || state.is(None, NamespaceState::Live)
        })
        .await;
    goes_on(&up, &mut client, &namespace).await;
}

#[tokio::test]
async fn a_request_that_hangs_holds_nobody_else_up() {
    let (up, dash, mut client, namespace) = watched().await;
    // The next watch of the namespaces is never answered: ingresses do not wait for it.
    up.simulated().faults().add(
        Fault::new(Operation::Watch, Effect::Hang)
            .on("namespaces")
            .times(1),
    );
    // Nor does anyone wait for the one who asks for a single object.
    up.simulated().faults().add(
        Fault::new(Operation::Get, Effect::Hang)
            .on("ingresses")
            .times(1),
    );
    let path = format!("/api/ingresses/{namespace}/first");
    let hanging = dash.send(dash.request(http::Method::GET, &path, &[]));
    let others = async {
        assert_eq!(dash.get("/api/ingresses").await.status, 200);
        up.simulated().faults().drop_watches();
        up.create(&namespace, "second").await;
        client.gets(&namespace, "second").await;
    };
    tokio::select! {
        biased;
        response = hanging => panic!("a request that hangs was answered: {}", response.status()),
        () = others => {}
    }
}

#[tokio::test]
async fn a_failing_namespace_costs_no_other() {
    let up = Upstream::simulator().await;
    let (ill, well) = (up.namespace("ill").await, up.namespace("well").await);
    for namespace in [&ill, &well] {
        up.create(namespace, "first").await;
    }
    let fault = Fault::new(
        Operation::List,
        Effect::Status {
            status: 500,
            retry_after: None,
        },
    );
    up.simulated()
        .faults()
        .add(fault.on("ingresses").within(&ill));
    let dash = up.dash_with(&[("WATCH_MODE", "namespaced")]).await;
    let mut both = dash.stream(&format!("namespaces={ill},{well}")).await;
    let state = both.synced().await;
    assert_eq!(state.synced.as_ref().unwrap().pending, [ill.as_str()]);
    assert!(state.has(&well, "first"));
    both.wait_until("retrying", |state| {
        state.is(Some(&ill), NamespaceState::Retrying)
    })
    .await;
    assert!(
        both.state
            .errors()
            .all(|error| error.namespace.as_ref() == Some(&ill))
    );
    up.create(&well, "second").await;
    both.gets(&well, "second").await;

    up.simulated().faults().clear();
    both.gets(&ill, "first").await;
    both.wait_until("live", |state| state.is(Some(&ill), NamespaceState::Live))
        .await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_to_nobody_else() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    let environment = [("WATCH_MODE", "namespaced"), ("MAX_WATCHES", "3")];
    let dash = up.dash_with(&environment).await;
    let mut all = dash.stream("").await;
    all.synced().await;
    let mut made_up = Vec::new();
    for index in 0..10 {
        let mut client = dash.stream(&format!("namespaces=evil-{index}")).await;
        client.synced().await;
        made_up.push(client);
    }
    let is_clean = async || {
        let mut fresh = dash.stream("").await;
        fresh.synced().await;
        for (_, message) in &fresh.state.messages {
            assert!(!message.encode().contains("evil"), "{message:?}");
        }
        for path in ["/api/health", "/api/namespaces", "/api/ingresses", "/"] {
            let text = dash.get(path).await.text();
            assert!(!text.contains("evil"), "{path}: {text}");
        }
        let health = dash.get("/api/health").await.ok();
        let watches = health["watches"].as_object().unwrap().values();
        let watches: u64 = watches.map(|count| count.as_u64().unwrap()).sum();
        assert!(watches <= 3, "what is not watched is no watch: {health}");
    };
    is_clean().await;
    drop(made_up);
    is_clean().await;
    up.create(&namespace, "web").await;
    all.gets(&namespace, "web").await;
    for (_, message) in &all.state.messages {
        assert!(!message.encode().contains("evil"), "{message:?}");
    }
}

#[tokio::test]
async fn of_very_many_pending_namespaces_some_are_named() {
    let settings = Settings {
        namespaces: 400,
        ingresses: 400,
        churn_per_second: 0.0,
        ..Settings::default()
    };
    let up = Upstream::of(simulator::Cluster::new(settings)).await;
    let environment = [("WATCH_MODE", "namespaced"), ("MAX_WATCHES", "50")];
    let dash = up.dash_with(&environment).await;
    let mut client = dash.stream("").await;
    // The client checks that each of the others has said so before.
    let synced = client.synced().await.synced.clone().unwrap();
    assert_eq!(
        (synced.pending.len(), synced.pending_count),
        (100, Some(350))
    );
    assert_eq!(client.state.errors().count(), 350);
    let page = dash.get("/api/ingresses?limit=1").await;
    assert!(page.body.len() < 64 << 10, "{}", page.body.len());
    let page = page.ok();
    let length = |name: &str| page[name].as_array().unwrap().len();
    assert_eq!(
        (length("pending"), &page["pendingCount"]),
        (100, &350.into())
    );
    assert_eq!(length("errors"), 100);
}

#[tokio::test]
async fn those_who_ask_for_an_object_together_cost_one_request() {
    let (up, dash, _client, namespace) = watched().await;
    // It is never answered, so that all of them wait for it.
    let hang = Fault::new(Operation::Get, Effect::Hang);
    up.simulated().faults().add(hang.on("ingresses"));
    let path = format!("/api/ingresses/{namespace}/first");
    let answers = futures::future::join_all((0..30).map(|_| dash.get(&path))).await;
    for answer in answers {
        answer.refused(502);
    }
    let gets = || up.simulated().requests_of("ingresses").gets;
    assert_eq!(gets(), 1);
    up.simulated().faults().clear();
    assert_eq!(dash.get(&path).await.status, 200, "a failure is not kept");
    assert_eq!(gets(), 2);
}

#[tokio::test]
async fn a_name_is_one_line_of_the_log() {
    let (up, dash, _client, namespace) = watched().await;
    let name = "web\nFORGED\r\nlines";
    up.simulated()
        .apply(json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"rules": 5}}));
    let log = dash.process.logs("FORGED").await;
    let line = log.lines().find(|line| line.contains("FORGED")).unwrap();
    assert!(line.contains("web\\nFORGED\\r\\nlines"), "{log}");
}

#[tokio::test]
async fn an_object_that_cannot_be_read_costs_no_other() {
    let (up, dash, mut client, namespace) = watched().await;
    let mut witness = Witness::of(&up, &dash).await;
    for (name, spec) in [
        ("wrong", json!({"rules": 5})),
        ("nothing", json!(null)),
        ("text", json!("<script>")),
    ] {
        up.simulated()
            .apply(json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}));
    }
    up.create(&namespace, "second").await;
    let state = client.gets(&namespace, "second").await;
    assert!(!state.has(&namespace, "wrong"));
    dash.process.logs(&format!("{namespace}/wrong")).await;
    let metrics = dash.get("/metrics").await.text();
    let counted = "ingress_dash_objects_left_out_total{resource=\"ingresses\"}";
    assert!(metrics.contains(counted), "{metrics}");
    // What cannot be read any more is not shown as it was.
    let broken =
        json!({"metadata": {"name": "second", "namespace": namespace}, "spec": {"rules": 5}});
    up.simulated().apply(broken);
    client.loses(&namespace, "second").await;
    up.delete(&namespace, "second").await;
    up.create(&namespace, "second").await;
    client.gets(&namespace, "second").await;
    // Nor does it cost a list.
    let fresh = up.dash().await;
    let mut fresh = fresh.stream(&format!("namespaces={namespace}")).await;
    assert!(fresh.synced().await.has(&namespace, "second"));
    witness.is_unharmed(&up).await;
}

#[tokio::test]
async fn an_ingress_without_rules_is_a_row() {
    let (up, dash, mut client, namespace) = watched().await;
    let mut witness = Witness::of(&up, &dash).await;
    for (name, spec) in [
        ("empty", json!({})),
        ("no-rules", json!({"rules": []})),
        ("no-paths", json!({"rules": [{}]})),
    ] {
        up.simulated()
            .apply(json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}));
        let row = client
            .gets(&namespace, name)
            .await
            .row(&namespace, name)
            .unwrap();
        assert_eq!(row.hosts.len(), 0);
    }
    assert_eq!(dash.get("/").await.status, 200);
    witness.is_unharmed(&up).await;
}

#[tokio::test]
async fn markup_in_every_string_stays_text() {
    const MARKUP: &str =
        "<img src=x onerror=alert(1)>'\"&</script><script>alert(2)</script>\u{202e}\r\n\n: x";
    let (up, dash, mut client, namespace) = watched().await;
    let mut witness = Witness::of(&up, &dash).await;
    let paths = json!([{"path": MARKUP, "pathType": MARKUP, "backend": {"service": {"name": MARKUP, "port": {"name": MARKUP}}}}]);
    up.simulated().apply(json!({
        "metadata": {"name": "hostile", "namespace": namespace, "labels": {MARKUP: MARKUP}, "annotations": {MARKUP: MARKUP}},
        "spec": {
            "ingressClassName": MARKUP,
            "defaultBackend": {"resource": {"apiGroup": MARKUP, "kind": MARKUP, "name": MARKUP}},
            "rules": [{"host": MARKUP, "http": {"paths": paths}}],
            "tls": [{"secretName": MARKUP, "hosts": [MARKUP]}],
        },
        "status": {"loadBalancer": {"ingress": [{"hostname": MARKUP}]}},
    }));
    let row = client
        .gets(&namespace, "hostile")
        .await
        .row(&namespace, "hostile")
        .unwrap();
    assert_eq!(
        (&row.hosts, &row.addresses),
        (&vec![MARKUP.to_owned()], &vec![MARKUP.to_owned()])
    );
    let page = dash.get("/").await.text();
    assert!(
        !page.contains("<img src=x") && !page.contains("<script>alert"),
        "markup in the page"
    );
    let object = dash
        .get(&format!("/api/ingresses/{namespace}/hostile"))
        .await;
    assert_eq!(object.json()["spec"]["rules"][0]["host"], MARKUP);
    witness.is_unharmed(&up).await;
}

#[tokio::test]
async fn a_large_cluster_is_replayed_whole_and_in_pages() {
    let settings = Settings {
        namespaces: 40,
        ingresses: 3_000,
        churn_per_second: 0.0,
        ..Settings::default()
    };
    let up = Upstream::of(simulator::Cluster::new(settings)).await;
    let dash = up.dash().await;
    let mut client = dash.stream("").await;
    assert_eq!(client.synced().await.synced.as_ref().unwrap().count, 3_000);
    assert_eq!(client.state.table.len(), 3_000);
    let page = dash.get("/api/ingresses?limit=1000").await.ok();
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["total"]),
        (1_000, &3_000.into())
    );
}

#[tokio::test]
async fn lifelike_churn_ends_in_the_same_table() {
    let settings = Settings {
        namespaces: 5,
        ingresses: 100,
        churn_per_second: 0.0,
        ..Settings::default()
    };
    let up = Upstream::of(simulator::Cluster::new(settings)).await;
    let dash = up.dash().await;
    let mut client = dash.stream("").await;
    client.synced().await;
    for _ in 0..500 {
        up.simulated().churn_once();
    }
    let marker = up.namespace("marker").await;
    up.create(&marker, "end").await;
    client.gets(&marker, "end").await;
    let mut fresh = dash.stream("").await;
    assert_eq!(fresh.synced().await.table, client.state.table);
    assert_eq!(client.state.table.len(), up.simulated().list(None).len());
}

#[tokio::test]
async fn a_stream_ends_at_its_age_and_the_next_resumes() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "first").await;
    let dash = up.dash_with(&[("STREAM_TIMEOUT", "1000")]).await;
    let query = format!("namespaces={namespace}");
    let state = dash.stream(&query).await.end().await;
    assert_eq!(state.done, Some(protocol::message::DoneReason::Timeout));
    let query = format!("{query}&lastEventId={}", state.id.clone().unwrap());
    let mut client = dash.stream_with(&query, &[], state).await;
    assert!(!client.synced().await.was_reset());
}

#[tokio::test]
async fn no_more_streams_are_opened_than_are_allowed() {
    let up = Upstream::simulator().await;
    let dash = up.dash_with(&[("MAX_STREAMS", "1")]).await;
    let mut first = dash.stream("").await;
    first.synced().await;
    let refusal = dash.get("/api/ingresses/stream").await;
    assert!(refusal.refused(429).contains("MAX_STREAMS"));
    assert!(refusal.header("retry-after").parse::<u64>().is_ok());
    assert_eq!(
        dash.ask(http::Method::HEAD, "/api/ingresses/stream", &[])
            .await
            .status,
        429
    );
    drop(first);
    let free = dash.get_until("/api/health", |answer| answer.json()["streams"] == 0);
    tokio::time::timeout(Duration::from_secs(60), free)
        .await
        .expect("the place is free again");
    dash.stream("").await.synced().await;
}
