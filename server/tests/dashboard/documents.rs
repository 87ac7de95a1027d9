//! The JSON documents: lists, pages, namespaces, single objects.

use std::collections::BTreeSet;

use protocol::{IngressDocument, Key};
use serde_json::{Value, json};

use testkit::dash::{Dash, State};
use testkit::scenarios;
use testkit::upstream::{Upstream, spec};

scenarios! {
    the_list_is_the_api_servers_list,
    a_search_finds_by_host,
    pages_give_each_row_exactly_once,
    a_bad_limit_or_continue_is_refused,
    an_unchanged_list_is_not_sent_again,
    a_stream_resumes_from_a_documents_revision,
    an_object_is_shown_without_bookkeeping,
    an_object_that_is_not_there_is_not_found,
    namespaces_have_counts_and_states,
}

async fn document(dash: &Dash, query: &str) -> IngressDocument {
    let body = dash.get(&format!("/api/ingresses?{query}")).await.ok();
    protocol::json::read(body.to_string().as_bytes()).unwrap()
}

fn keys(document: &IngressDocument) -> Vec<Key> {
    document.items.iter().map(protocol::Ingress::key).collect()
}

async fn the_list_is_the_api_servers_list(up: Upstream) {
    let (a, b) = (up.namespace("a").await, up.namespace("b").await);
    for (namespace, name) in [(&a, "one"), (&a, "two"), (&b, "one")] {
        up.create(namespace, name).await;
    }
    let dash = up.dash().await;
    let document = document(&dash, &format!("namespaces={a},{b}")).await;
    let mut expected = up.list(&a).await;
    expected.extend(up.list(&b).await);
    assert_eq!(
        keys(&document),
        expected.into_iter().collect::<Vec<_>>(),
        "by namespace, then name"
    );
    assert_eq!(
        (
            document.total,
            document.pending.len(),
            document.continue_token
        ),
        (3, 0, None)
    );
    let mut client = dash.stream(&format!("namespaces={a},{b}")).await;
    let rows: Vec<_> = client.synced().await.table.values().cloned().collect();
    assert_eq!(document.items, rows, "the same rows as on the stream");
}

async fn a_search_finds_by_host(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create_with(&namespace, "one", spec("needle.example.com"))
        .await;
    up.create_with(&namespace, "two", spec("hay.example.com"))
        .await;
    let dash = up.dash().await;
    let found = document(&dash, &format!("namespaces={namespace}&search=needle")).await;
    assert_eq!(keys(&found), [Key::new(&namespace, "one")]);
    assert_eq!(
        (found.total, found.revision),
        (1, None),
        "no stream resumes from a part"
    );
    let none = document(
        &dash,
        &format!("namespaces={namespace}&search=nothing%20like%20it"),
    )
    .await;
    assert_eq!((none.total, none.items.len()), (0, 0));
}

async fn pages_give_each_row_exactly_once(up: Upstream) {
    let namespace = up.namespace("a").await;
    for index in 0..7 {
        up.create(&namespace, &format!("row-{index}")).await;
    }
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    let query = format!("namespaces={namespace}&limit=2");
    let mut page = document(&dash, &query).await;
    // What is deleted or comes between two pages moves no other row to another page.
    up.delete(&namespace, "row-0").await;
    up.create(&namespace, "row-00").await;
    client.gets(&namespace, "row-00").await;
    client.loses(&namespace, "row-0").await;
    let mut seen = Vec::new();
    loop {
        assert!(page.items.len() <= 2 && page.revision.is_none());
        seen.extend(keys(&page));
        let Some(token) = page.continue_token else {
            break;
        };
        page = document(&dash, &format!("{query}&continue={token}")).await;
    }
    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "{seen:?}");
    for index in 1..7 {
        assert!(
            unique.contains(&Key::new(&namespace, format!("row-{index}"))),
            "{seen:?}"
        );
    }
}

async fn a_bad_limit_or_continue_is_refused(up: Upstream) {
    let (a, b) = (up.namespace("a").await, up.namespace("b").await);
    for name in ["one", "two"] {
        up.create(&a, name).await;
    }
    let dash = up.dash().await;
    for limit in ["0", "-1", "5001", "many", "1e3", "99999999999999999999"] {
        let words = dash
            .get(&format!("/api/ingresses?limit={limit}"))
            .await
            .refused(400);
        assert!(words.contains(limit) && words.contains("5000"), "{words}");
    }
    for token in ["x", "%00", "a/b", "..%2F..%2F", "a/b/c"] {
        dash.get(&format!("/api/ingresses?limit=1&continue={token}"))
            .await
            .refused(400);
    }
    let token = document(&dash, &format!("namespaces={a}&limit=1"))
        .await
        .continue_token
        .unwrap();
    let words = dash
        .get(&format!(
            "/api/ingresses?namespaces={b}&limit=1&continue={token}"
        ))
        .await
        .refused(400);
    assert!(words.contains("other namespaces"), "{words}");
    dash.get(&format!(
        "/api/ingresses?namespaces={a}&limit=1&search=o&continue={token}"
    ))
    .await
    .refused(400);
}

async fn an_unchanged_list_is_not_sent_again(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    // No other test's change moves the revision here.
    let dash = up.dash_with(&[("WATCH_NAMESPACES", &namespace)]).await;
    let path = format!("/api/ingresses?namespaces={namespace}");
    let first = dash.get(&path).await;
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert!(
        first
            .header("vary")
            .to_ascii_lowercase()
            .contains("accept-encoding")
    );
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = dash
        .ask(http::Method::GET, &path, &[("if-none-match", &tag)])
        .await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), tag);
    let among = format!("\"x\", {tag}");
    assert_eq!(
        dash.ask(http::Method::GET, &path, &[("if-none-match", &among)])
            .await
            .status,
        304
    );

    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    up.create(&namespace, "more").await;
    client.gets(&namespace, "more").await;
    let changed = dash
        .ask(http::Method::GET, &path, &[("if-none-match", &tag)])
        .await;
    assert_eq!(changed.ok()["total"], 2);
}

async fn a_stream_resumes_from_a_documents_revision(up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["stays", "goes"] {
        up.create(&namespace, name).await;
    }
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut witness = dash.stream(&query).await;
    witness.synced().await;
    let document = document(&dash, &query).await;
    up.delete(&namespace, "goes").await;
    up.create(&namespace, "comes").await;
    witness.gets(&namespace, "comes").await;

    let held = State::holding(document.items);
    let query = format!("{query}&lastEventId={}", document.revision.unwrap());
    let mut client = dash.stream_with(&query, &[], held).await;
    let state = client.synced().await;
    assert!(!state.was_reset());
    let mut changes = state.changes();
    changes.sort();
    assert_eq!(
        changes,
        [format!("+{namespace}/comes"), format!("-{namespace}/goes")]
    );
    assert_eq!(state.table, witness.state.table);
}

async fn an_object_is_shown_without_bookkeeping(up: Upstream) {
    let namespace = up.namespace("a").await;
    let annotations = json!({
        "kubectl.kubernetes.io/last-applied-configuration": "{\"secret\": true}",
        "example.com/auth-token": "hidden",
        "example.com/note": "yes: - # \"quoted\"\nsecond line",
    });
    let metadata = json!({"name": "web.v1", "annotations": annotations});
    up.create_object(
        &namespace,
        json!({"metadata": metadata, "spec": spec("web.example.com")}),
    )
    .await;
    let dash = up
        .dash_with(&[("REDACT_ANNOTATIONS", "example.com/auth-*,other")])
        .await;
    let path = format!("/api/ingresses/{namespace}/web.v1");

    let json = dash.get(&path).await;
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(json.header("cache-control"), "private, no-cache");
    let object = json.ok();
    assert_eq!(object["spec"]["rules"][0]["host"], "web.example.com");
    let metadata = &object["metadata"];
    assert_eq!(
        (&metadata["namespace"], &metadata["managedFields"]),
        (&namespace.into(), &Value::Null)
    );
    let shown = json!({"example.com/auth-token": "(redacted)", "example.com/note": annotations["example.com/note"]});
    assert_eq!(metadata["annotations"], shown);

    let yaml = dash
        .ask(http::Method::GET, &path, &[("accept", "application/yaml")])
        .await;
    assert_eq!(yaml.header("content-type"), "application/yaml");
    assert!(yaml.header("vary").to_ascii_lowercase().contains("accept"));
    let read: Value = serde_saphyr::from_str(&yaml.text()).unwrap();
    assert_eq!(read, object, "the same in both forms");
    let linked = dash.get(&format!("{path}?format=yaml")).await;
    assert_eq!(linked.header("content-type"), "application/yaml");
    assert_eq!(linked.text(), yaml.text());
    let words = dash.get(&format!("{path}?format=xml")).await.refused(400);
    assert_eq!(words, "format is \"xml\": allowed are json and yaml");
}

async fn an_object_that_is_not_there_is_not_found(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let words = dash
        .get(&format!("/api/ingresses/{namespace}/missing"))
        .await
        .refused(404);
    assert_eq!(words, format!("there is no ingress {namespace}/missing"));
    dash.get(&format!("/api/ingresses/{}/web", up.unused("missing")))
        .await
        .refused(404);
    dash.get("/api/nothing").await.refused(404);
    dash.ask(
        http::Method::DELETE,
        &format!("/api/ingresses/{namespace}/web"),
        &[],
    )
    .await
    .refused(405);
}

async fn namespaces_have_counts_and_states(up: Upstream) {
    let (full, empty) = (up.namespace("full").await, up.namespace("empty").await);
    for name in ["one", "two"] {
        up.create(&full, name).await;
    }
    let dash = up.dash().await;
    let mut client = dash.stream("").await;
    client.synced().await;
    let summary = |document: &Value, name: &str| {
        document["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["name"] == *name)
            .cloned()
    };
    // Namespaces are a watch of their own, with an order of its own; rows are there before the
    // watch is accepted that makes them live.
    let answer = dash
        .get_until("/api/namespaces", |answer| {
            let document = answer.json();
            [&full, &empty]
                .iter()
                .all(|name| summary(&document, name).is_some_and(|item| item["state"] == "live"))
        })
        .await;
    let document = answer.ok();
    assert_eq!(
        (&document["complete"], &document["maxPerStream"]),
        (&true.into(), &50.into())
    );
    assert_eq!(
        summary(&document, &full),
        Some(json!({"name": full, "count": 2, "state": "live"}))
    );
    assert_eq!(
        summary(&document, &empty),
        Some(json!({"name": empty, "count": 0, "state": "live"}))
    );
    let names: Vec<_> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str())
        .collect();
    assert!(names.is_sorted());
}
