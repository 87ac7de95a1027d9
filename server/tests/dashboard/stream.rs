//! The stream: replay, changes, scopes.

use http::Method;
use http_body_util::BodyExt as _;
use protocol::Message;

use testkit::scenarios;
use testkit::upstream::Upstream;

scenarios! {
    a_replay_ends_with_synced_and_its_count,
    a_namespace_without_ingresses_is_synced_with_none,
    a_created_changed_and_deleted_ingress_appears_changes_and_disappears,
    a_stream_of_two_namespaces_has_the_rows_of_both_and_no_others,
    a_stream_of_everything_has_a_namespace_that_comes_later,
    the_last_ingress_deleted_leaves_an_empty_table,
    every_change_after_synced_carries_an_id,
    the_reconnection_time_is_in_the_block_of_the_first_message,
    the_answer_is_an_event_stream_that_no_proxy_keeps,
}

async fn a_replay_ends_with_synced_and_its_count(up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["one", "two", "three"] {
        up.create(&namespace, name).await;
    }
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    let state = client.synced().await;
    assert!(state.was_reset());
    assert_eq!(state.names(&namespace), ["one", "three", "two"]);
    assert_eq!(
        state.changes().len(),
        3,
        "each row once: {:?}",
        state.changes()
    );
    let synced = state.synced.as_ref().unwrap();
    assert_eq!((synced.count, synced.pending.len()), (3, 0));
    let row = state.row(&namespace, "one").unwrap();
    assert_eq!(row.hosts, ["one.example.com"]);
    assert!(!row.uid.is_empty() && row.created_at.is_some());
}

async fn a_namespace_without_ingresses_is_synced_with_none(up: Upstream) {
    let namespace = up.namespace("a").await;
    let dash = up.dash().await;
    let mut client = dash
        .stream(&format!("namespaces={namespace},{}", up.unused("missing")))
        .await;
    let synced = client.synced().await.synced.clone().unwrap();
    assert_eq!((synced.count, synced.pending.len()), (0, 0));
}

async fn a_created_changed_and_deleted_ingress_appears_changes_and_disappears(up: Upstream) {
    let (here, there) = (up.namespace("here").await, up.namespace("there").await);
    let dash = up.dash().await;
    let mut all = dash.stream("").await;
    let mut one = dash.stream(&format!("namespaces={here}")).await;
    let mut other = dash.stream(&format!("namespaces={there}")).await;
    for client in [&mut all, &mut one, &mut other] {
        client.synced().await;
    }

    up.create(&here, "shop").await;
    for client in [&mut all, &mut one] {
        client.gets(&here, "shop").await;
    }
    up.change(&here, "shop", "new.example.com").await;
    for client in [&mut all, &mut one] {
        let changed = |state: &testkit::dash::State| {
            state
                .row(&here, "shop")
                .is_some_and(|row| row.hosts == ["new.example.com"])
        };
        client.wait_until("the host changes", changed).await;
    }
    up.delete(&here, "shop").await;
    for client in [&mut all, &mut one] {
        client.loses(&here, "shop").await;
    }
    let row = format!("{here}/shop");
    assert_eq!(
        one.state.changes(),
        [format!("+{row}"), format!("~{row}"), format!("-{row}")]
    );

    up.create(&there, "last").await;
    let state = other.gets(&there, "last").await;
    assert_eq!(
        state.changes(),
        [format!("+{there}/last")],
        "what is elsewhere is not told"
    );
}

async fn a_stream_of_two_namespaces_has_the_rows_of_both_and_no_others(up: Upstream) {
    let names = [
        up.namespace("a").await,
        up.namespace("b").await,
        up.namespace("c").await,
    ];
    for namespace in &names {
        up.create(namespace, "web").await;
    }
    let dash = up.dash().await;
    // Repeats, duplicates and the singular are folded.
    let query = format!("namespaces={0},{1},{0}&namespace={1}", names[0], names[1]);
    let mut client = dash.stream(&query).await;
    let state = client.synced().await;
    let namespaces: Vec<_> = state.table.keys().map(|key| &key.namespace).collect();
    assert_eq!(namespaces, [&names[0], &names[1]]);
}

async fn a_stream_of_everything_has_a_namespace_that_comes_later(up: Upstream) {
    let dash = up.dash().await;
    let mut client = dash.stream("").await;
    client.synced().await;
    let late = up.namespace("late").await;
    up.create(&late, "web").await;
    client.gets(&late, "web").await;
}

async fn the_last_ingress_deleted_leaves_an_empty_table(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "last").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    up.delete(&namespace, "last").await;
    assert!(client.loses(&namespace, "last").await.table.is_empty());
    let mut fresh = dash.stream(&query).await;
    assert_eq!(fresh.synced().await.synced.as_ref().unwrap().count, 0);
}

async fn every_change_after_synced_carries_an_id(up: Upstream) {
    let namespace = up.namespace("a").await;
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    let mut ids = vec![client.state.id.clone().unwrap()];
    for name in ["one", "two"] {
        up.create(&namespace, name).await;
        client.gets(&namespace, name).await;
        ids.push(client.state.id.clone().unwrap());
    }
    let changes: Vec<_> = client
        .state
        .messages
        .iter()
        .filter(|(_, message)| matches!(message, Message::IngressAdded(_)))
        .collect();
    // Each was the only, and so the last message of its write.
    assert!(changes.iter().all(|(id, _)| id.is_some()));
    ids.dedup();
    assert_eq!(ids.len(), 3, "each write has its own: {ids:?}");
}

async fn the_reconnection_time_is_in_the_block_of_the_first_message(up: Upstream) {
    let namespace = up.namespace("a").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    let id = client.synced().await.id.clone().unwrap();
    for (held, first) in [("", "reset"), (id.as_str(), "synced")] {
        let path = format!("/api/ingresses/stream?{query}&lastEventId={held}");
        let mut body = dash
            .send(dash.request(Method::GET, &path, &[]))
            .await
            .into_body();
        let mut text = String::new();
        while !text.contains("\n\n") {
            let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
            text.push_str(std::str::from_utf8(&data).unwrap());
        }
        let block: Vec<_> = text.split("\n\n").next().unwrap().lines().collect();
        assert!(
            block[0].starts_with("retry: ") && block[1].starts_with("id: "),
            "{text}"
        );
        assert!(
            block[2].starts_with(&format!("data: {{\"type\":\"{first}\"")),
            "{text}"
        );
    }
}

async fn the_answer_is_an_event_stream_that_no_proxy_keeps(up: Upstream) {
    let dash = up.dash().await;
    for method in [Method::GET, Method::HEAD] {
        let request = dash.request(
            method.clone(),
            "/api/ingresses/stream",
            &[("accept-encoding", "br, gzip")],
        );
        let response = dash.send(request).await;
        assert_eq!(response.status(), 200);
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("content-type"), Some("text/event-stream"));
        assert_eq!(header("cache-control"), Some("no-cache, no-transform"));
        assert_eq!(header("x-accel-buffering"), Some("no"));
        assert_eq!(header("content-encoding"), None);
        assert_eq!(header("access-control-allow-origin"), None);
    }
    let head = dash
        .ask(Method::HEAD, "/api/ingresses/stream?namespaces=UPPER", &[])
        .await;
    assert_eq!(head.status, 400, "HEAD passes the same checks");

    let mut client = dash.stream("").await;
    client.synced().await;
    assert!(
        client
            .retry_ms()
            .is_some_and(|delay| (1_000..=5_000).contains(&delay)),
        "{:?}",
        client.retry_ms()
    );
}
