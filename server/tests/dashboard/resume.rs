//! Resuming: exactly what was missed, or everything again.

use testkit::dash::State;
use testkit::scenarios;
use testkit::upstream::Upstream;

scenarios! {
    what_was_missed_is_delivered_on_resume,
    a_resume_with_nothing_missed_tells_nothing_again,
    the_header_wins_over_the_parameter,
    an_id_that_cannot_be_resumed_starts_with_reset,
    an_id_of_another_process_starts_with_reset,
    rows_that_went_while_an_id_was_void_are_swept_at_synced,
}

async fn what_was_missed_is_delivered_on_resume(up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["stays", "changes", "goes"] {
        up.create(&namespace, name).await;
    }
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut witness = dash.stream(&query).await;
    witness.synced().await;
    let mut client = dash.stream(&query).await;
    client.synced().await;
    let held = client.close();

    up.change(&namespace, "changes", "new.example.com").await;
    up.delete(&namespace, "goes").await;
    up.create(&namespace, "comes").await;
    // The dashboard has all of it once another client has.
    witness.gets(&namespace, "comes").await;

    let id = held.id.clone().unwrap();
    let by_parameter = (format!("{query}&lastEventId={id}"), Vec::new());
    let by_header = (query.clone(), vec![("last-event-id", id.as_str())]);
    for (query, headers) in [by_parameter, by_header] {
        let mut client = dash.stream_with(&query, &headers, held.clone()).await;
        let state = client.synced().await;
        assert!(!state.was_reset());
        let mut changes = state.changes();
        changes.sort();
        let row = |sign: &str, name: &str| format!("{sign}{namespace}/{name}");
        assert_eq!(
            changes,
            [row("+", "comes"), row("-", "goes"), row("~", "changes")]
        );
        assert_eq!(state.table, witness.state.table);
    }
}

async fn a_resume_with_nothing_missed_tells_nothing_again(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    let held = client.close();
    let query = format!("{query}&lastEventId={}", held.id.clone().unwrap());
    let mut client = dash.stream_with(&query, &[], held).await;
    let state = client.synced().await;
    assert!(!state.was_reset() && state.changes().is_empty());
    assert!(state.has(&namespace, "web"));
}

async fn the_header_wins_over_the_parameter(up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    let held = client.close();
    let id = held.id.clone().unwrap();

    // A browser's own reconnect keeps the URL, with the parameter of the page's last connection,
    // and adds the header.
    let stale = format!("{query}&lastEventId=unknown");
    let mut client = dash
        .stream_with(&stale, &[("last-event-id", id.as_str())], held.clone())
        .await;
    assert!(!client.synced().await.was_reset());
    let good = format!("{query}&lastEventId={id}");
    let mut client = dash
        .stream_with(&good, &[("last-event-id", "unknown")], held)
        .await;
    assert!(client.synced().await.was_reset());
}

async fn an_id_that_cannot_be_resumed_starts_with_reset(up: Upstream) {
    let (namespace, other) = (up.namespace("a").await, up.namespace("b").await);
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    let mut elsewhere = dash.stream(&format!("namespaces={other}")).await;
    elsewhere.synced().await;

    let id = client.state.id.clone().unwrap();
    let (bound, _) = id.rsplit_once('.').unwrap();
    let future = format!("{bound}.ffffffffffffffff");
    let overflow = format!("{bound}.fffffffffffffffff");
    let foreign = elsewhere.state.id.clone().unwrap();
    let long = "x".repeat(3_000);
    for bad in [
        "0",
        "1",
        "...",
        "%F0%9F%92%A9",
        "%00",
        "-1",
        "a.b.c",
        &foreign,
        &future,
        &overflow,
        &long,
    ] {
        let mut client = dash.stream(&format!("{query}&lastEventId={bad}")).await;
        let state = client.synced().await;
        assert!(state.was_reset(), "{bad}");
        assert_eq!(state.names(&namespace), ["web"]);
    }
    let mut client = dash
        .stream_with(
            &query,
            &[("last-event-id", "not one of ours")],
            State::default(),
        )
        .await;
    assert!(client.synced().await.was_reset());
}

async fn an_id_of_another_process_starts_with_reset(up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["stays", "goes"] {
        up.create(&namespace, name).await;
    }
    let query = format!("namespaces={namespace}");
    let first = up.dash().await;
    let mut client = first.stream(&query).await;
    client.synced().await;
    let held = client.close();
    drop(first);

    up.delete(&namespace, "goes").await;
    let second = up.dash().await;
    let query = format!("{query}&lastEventId={}", held.id.clone().unwrap());
    let mut client = second.stream_with(&query, &[], held).await;
    let state = client.synced().await;
    assert!(state.was_reset());
    assert_eq!(state.names(&namespace), ["stays"]);
}

async fn rows_that_went_while_an_id_was_void_are_swept_at_synced(up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["stays", "goes"] {
        up.create(&namespace, name).await;
    }
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    let held = client.close();
    let mut witness = dash.stream(&query).await;
    witness.synced().await;
    up.delete(&namespace, "goes").await;
    witness.loses(&namespace, "goes").await;

    let mut client = dash
        .stream_with(&format!("{query}&lastEventId=void"), &[], held)
        .await;
    let state = client.synced().await;
    assert_eq!(
        state.changes(),
        [format!("+{namespace}/stays")],
        "a replay tells no deletes"
    );
    assert_eq!(state.table, witness.state.table);
}
