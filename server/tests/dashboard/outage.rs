//! The API server goes and comes back: streams stay open and say so.

use protocol::message::{ErrorReason, NamespaceState};

use testkit::dash::{Dash, Folder};
use testkit::upstream::Upstream;

mod cut {
    use super::{
        a_cut_way_is_told_and_healed_on_the_same_stream,
        a_silent_way_is_noticed_though_nothing_breaks,
        readiness_waits_for_the_api_server_and_never_turns_back,
    };
    use testkit::scenarios;

    scenarios! {
        a_silent_way_is_noticed_though_nothing_breaks,
        a_cut_way_is_told_and_healed_on_the_same_stream,
        readiness_waits_for_the_api_server_and_never_turns_back,
    }
}

mod killed {
    use super::{
        a_delete_that_no_watch_can_tell_is_found_by_listing_again,
        a_killed_api_server_is_told_and_its_return_too,
    };
    use testkit::scenarios;

    scenarios! { own:
        a_delete_that_no_watch_can_tell_is_found_by_listing_again,
        a_killed_api_server_is_told_and_its_return_too,
    }
}

async fn a_cut_way_is_told_and_healed_on_the_same_stream(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "goes").await;
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;

    up.gate.close();
    client
        .wait_until("retrying", |state| state.is(None, NamespaceState::Retrying))
        .await;
    let error = client.state.errors().last().unwrap();
    assert_eq!(
        (error.reason, &error.namespace),
        (ErrorReason::Unreachable, &None)
    );
    assert!(error.error.contains(&up.url()), "{}", error.error);
    assert!(
        client.state.has(&namespace, "goes"),
        "rows stay while it is tried again"
    );
    up.delete(&namespace, "goes").await;
    up.create(&namespace, "comes").await;

    up.gate.open().await;
    client.loses(&namespace, "goes").await;
    client.gets(&namespace, "comes").await;
    client
        .wait_until("live", |state| state.is(None, NamespaceState::Live))
        .await;
    up.delete(&namespace, "comes").await;
    client.loses(&namespace, "comes").await;
}

async fn a_silent_way_is_noticed_though_nothing_breaks(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "goes").await;
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;

    up.gate.freeze();
    up.delete(&namespace, "goes").await;
    client
        .wait_until("retrying", |state| state.is(None, NamespaceState::Retrying))
        .await;
    let error = client.state.errors().last().unwrap();
    assert!(
        error.error.contains(&up.url()) && error.error.contains("did not answer within"),
        "{}",
        error.error
    );

    up.gate.close();
    up.gate.open().await;
    client.loses(&namespace, "goes").await;
    client
        .wait_until("live", |state| state.is(None, NamespaceState::Live))
        .await;
}

async fn readiness_waits_for_the_api_server_and_never_turns_back(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    up.gate.close();
    let dash = up.dash().await;
    let told = |answer: &testkit::dash::Answer| answer.text().contains("does not answer");
    let refusal = dash.get_until("/readyz", told).await.refused(503);
    assert!(
        refusal.contains(&up.url()) && refusal.contains("refused"),
        "{refusal}"
    );
    assert_eq!(dash.get("/livez").await.status, 200);
    let health = dash.get("/api/health").await.ok();
    assert_eq!(
        (&health["status"], &health["ready"]),
        (&"retrying".into(), &false.into()),
        "{health}"
    );
    assert!(
        health["errors"][0]["error"]
            .as_str()
            .unwrap()
            .contains(&up.url()),
        "{health}"
    );
    assert_eq!(
        dash.get("/").await.status,
        200,
        "the page is there to say it"
    );

    up.gate.open().await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    up.gate.close();
    client
        .wait_until("retrying", |state| state.is(None, NamespaceState::Retrying))
        .await;
    assert_eq!(dash.get("/readyz").await.status, 200);
    // A stream that opens now is given what is known, and told that it is old.
    let mut late = dash.stream(&format!("namespaces={namespace}")).await;
    let state = late.synced().await;
    assert!(state.has(&namespace, "web") && state.is(None, NamespaceState::Retrying));
}

#[tokio::test]
async fn an_api_server_that_accepts_and_never_answers_is_named_from_the_start() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let kubeconfig = Folder::default();
    let path = kubeconfig.write("config", &format!(
        "{{apiVersion: v1, kind: Config, current-context: a, contexts: [{{name: a, context: {{cluster: a, user: a}}}}], \
         clusters: [{{name: a, cluster: {{server: '{url}'}}}}], users: [{{name: a, user: {{}}}}]}}"
    ));
    let dash = Dash::start(&[("KUBECONFIG", path.to_str().unwrap())], &[]).await;
    for path in ["/readyz", "/api/ingresses"] {
        let words = dash.get(path).await.refused(503);
        assert!(
            words.contains(&url) && words.contains("not answered yet"),
            "{words}"
        );
    }
    let health = dash.get("/api/health").await.ok();
    assert_eq!(
        (&health["status"], &health["ready"]),
        (&"syncing".into(), &false.into())
    );
}

async fn a_delete_that_no_watch_can_tell_is_found_by_listing_again(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    for name in ["stays", "changes", "goes"] {
        up.create(&namespace, name).await;
    }
    let dash = up.dash().await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    let before = client.state.messages.len();

    up.gate.close();
    client
        .wait_until("retrying", |state| state.is(None, NamespaceState::Retrying))
        .await;
    up.delete(&namespace, "goes").await;
    up.change(&namespace, "changes", "new.example.com").await;
    up.create(&namespace, "comes").await;
    up.forget_history().await;
    up.gate.open().await;

    client
        .wait_until("live", |state| state.is(None, NamespaceState::Live))
        .await;
    let state = client.gets(&namespace, "comes").await;
    assert_eq!(state.names(&namespace), ["changes", "comes", "stays"]);
    assert_eq!(
        state.row(&namespace, "changes").unwrap().hosts,
        ["new.example.com"]
    );
    let mut changes = state.changes_after(before);
    changes.sort();
    let row = |sign: &str, name: &str| format!("{sign}{namespace}/{name}");
    assert_eq!(
        changes,
        [row("+", "comes"), row("-", "goes"), row("~", "changes")],
        "only the difference is told"
    );
}

async fn a_killed_api_server_is_told_and_its_return_too(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let mut all = dash.stream("").await;
    let mut one = dash.stream(&format!("namespaces={namespace}")).await;
    all.synced().await;
    one.synced().await;

    up.kill();
    for client in [&mut all, &mut one] {
        client
            .wait_until("retrying", |state| state.is(None, NamespaceState::Retrying))
            .await;
        assert!(client.state.has(&namespace, "web"));
    }
    assert_eq!(dash.get("/readyz").await.status, 200);

    up.restart().await;
    up.delete(&namespace, "web").await;
    up.create(&namespace, "new").await;
    for client in [&mut all, &mut one] {
        client.gets(&namespace, "new").await;
        client.loses(&namespace, "web").await;
        client
            .wait_until("live", |state| state.is(None, NamespaceState::Live))
            .await;
        let forbidden =
            |error: &protocol::message::StreamError| error.reason == ErrorReason::Forbidden;
        assert!(
            !client.state.errors().any(forbidden),
            "a 403 of a starting API server is not forbidden"
        );
    }
}
