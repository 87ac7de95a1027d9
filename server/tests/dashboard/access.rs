//! A service account that may not see everything.

use protocol::message::{ErrorReason, Missing, NamespaceState};

use testkit::scenarios;
use testkit::upstream::Upstream;

scenarios! {
    a_forbidden_namespace_says_so_and_the_allowed_one_is_live,
    a_server_that_may_read_nothing_is_ready,
    the_missing_verb_is_named_with_the_account_that_lacks_it,
    rows_come_and_go_with_the_permission_on_the_same_stream,
    only_the_named_namespaces_are_shown,
    without_the_list_of_namespaces_the_names_are_incomplete,
}

async fn a_forbidden_namespace_says_so_and_the_allowed_one_is_live(mut up: Upstream) {
    let (open, shut) = (up.namespace("open").await, up.namespace("shut").await);
    for namespace in [&open, &shut] {
        up.create(namespace, "web").await;
    }
    up.allow(&open).await;
    let dash = up.restricted_dash(&[]).await;
    let mut client = dash.stream(&format!("namespaces={open},{shut}")).await;
    let state = client.synced().await;
    assert!(state.is(Some(&shut), NamespaceState::Forbidden));
    let error = state
        .errors()
        .find(|error| error.namespace.as_ref() == Some(&shut))
        .unwrap();
    assert_eq!(error.reason, ErrorReason::Forbidden);
    assert!(
        error.error.contains(&shut) && !error.error.contains("restricted"),
        "{}",
        error.error
    );
    assert!(
        !state
            .errors()
            .any(|error| error.namespace.as_ref() == Some(&open))
    );
    let synced = state.synced.as_ref().unwrap();
    assert_eq!((synced.count, synced.pending.len()), (1, 0));
    assert_eq!(
        (state.names(&open), state.names(&shut).len()),
        (vec!["web"], 0)
    );

    up.create(&open, "more").await;
    client.gets(&open, "more").await;
    let health = dash.get("/api/health").await.ok();
    assert_eq!(health["watchMode"], "namespaced");
    assert_eq!(
        (
            &health["status"],
            &health["watches"]["live"],
            &health["watches"]["forbidden"]
        ),
        (&"live".into(), &1.into(), &1.into()),
        "{health}"
    );
    // Where the namespaces may not be listed, it may be a name that somebody made up.
    assert!(!health.to_string().contains(&shut), "{health}");
    let document = dash
        .get(&format!("/api/ingresses?namespaces={open},{shut}"))
        .await
        .ok();
    assert_eq!(
        (
            &document["errors"][0]["namespace"],
            &document["errors"][0]["reason"],
            &document["total"]
        ),
        (&shut.as_str().into(), &"forbidden".into(), &2.into()),
        "{document}"
    );
    assert_eq!(document["errors"].as_array().unwrap().len(), 1);
    assert_eq!(dash.get("/readyz").await.status, 200);
    dash.get(&format!("/api/ingresses/{shut}/web"))
        .await
        .refused(403);
    assert_eq!(
        dash.get(&format!("/api/ingresses/{open}/web")).await.status,
        200
    );
}

async fn a_server_that_may_read_nothing_is_ready(up: Upstream) {
    for mode in ["cluster", "namespaced", "auto"] {
        let dash = up.restricted_dash(&[("WATCH_MODE", mode)]).await;
        dash.get_until("/readyz", |answer| answer.status == 200)
            .await;
        dash.get_until("/api/health", |answer| {
            answer.json()["status"] == "forbidden"
        })
        .await;
        let mut client = dash.stream("").await;
        client
            .wait_until("forbidden", |state| {
                state.is(None, NamespaceState::Forbidden)
            })
            .await;
    }
}

async fn the_missing_verb_is_named_with_the_account_that_lacks_it(mut up: Upstream) {
    let (listed, shut) = (up.namespace("listed").await, up.namespace("shut").await);
    up.create(&listed, "web").await;
    up.allow_verbs(&listed, &["list"]).await;
    let dash = up.restricted_dash(&[]).await;
    let mut client = dash.stream(&format!("namespaces={listed},{shut}")).await;
    for (namespace, verbs) in [(&listed, vec!["watch"]), (&shut, vec!["list", "watch"])] {
        let missing = Missing {
            resource: "ingresses".into(),
            verbs: verbs.into_iter().map(str::to_owned).collect(),
            account: Some(up.restricted_account().to_owned()),
        };
        let state = client
            .wait_until("the missing verbs", |state| {
                state.errors().any(|error| {
                    error.namespace.as_ref() == Some(namespace)
                        && error.missing.as_ref() == Some(&missing)
                })
            })
            .await;
        assert!(state.is(Some(namespace), NamespaceState::Forbidden));
    }

    up.forbid(&listed).await;
    up.allow(&listed).await;
    let state = client.gets(&listed, "web").await;
    // Rows whose watch is forbidden are shown once at most, before that is known.
    let row = format!("{listed}/web");
    let changes = state.changes();
    assert!(
        changes == [format!("+{row}")]
            || changes == [format!("+{row}"), format!("-{row}"), format!("+{row}")],
        "{changes:?}"
    );
}

async fn rows_come_and_go_with_the_permission_on_the_same_stream(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    // The shortest that is allowed: a watch that runs is not stopped when the permission goes, only
    // the next is refused.
    let dash = up.restricted_dash(&[("K8S_WATCH_TIMEOUT", "5")]).await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    assert!(
        client
            .synced()
            .await
            .is(Some(&namespace), NamespaceState::Forbidden)
    );

    up.allow(&namespace).await;
    client.gets(&namespace, "web").await;
    client
        .wait_until("live", |state| {
            state.is(Some(&namespace), NamespaceState::Live)
        })
        .await;
    up.forbid(&namespace).await;
    client.loses(&namespace, "web").await;
    client
        .wait_until("forbidden", |state| {
            state.is(Some(&namespace), NamespaceState::Forbidden)
        })
        .await;
    up.allow(&namespace).await;
    client.gets(&namespace, "web").await;
    let row = format!("{namespace}/web");
    assert_eq!(
        client.state.changes(),
        [format!("+{row}"), format!("-{row}"), format!("+{row}")]
    );
}

async fn only_the_named_namespaces_are_shown(up: Upstream) {
    let (shown, hidden) = (up.namespace("shown").await, up.namespace("hidden").await);
    for namespace in [&shown, &hidden] {
        up.create(namespace, "web").await;
    }
    for mode in ["cluster", "namespaced"] {
        let dash = up
            .dash_with(&[("WATCH_NAMESPACES", &shown), ("WATCH_MODE", mode)])
            .await;
        let mut all = dash.stream("").await;
        let state = all.synced().await;
        assert_eq!(state.synced.as_ref().unwrap().count, 1, "{mode}");
        assert_eq!(state.names(&shown), ["web"]);

        let mut other = dash.stream(&format!("namespaces={hidden}")).await;
        let state = other.synced().await;
        assert!(
            state.table.is_empty() && state.is(Some(&hidden), NamespaceState::Forbidden),
            "{mode}"
        );
        dash.get(&format!("/api/ingresses/{hidden}/web"))
            .await
            .refused(404);
        let namespaces = dash.get("/api/namespaces").await.ok();
        let names: Vec<_> = namespaces["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["name"])
            .collect();
        assert_eq!(names, [shown.as_str()], "{mode}");

        let name = format!("later-{mode}");
        up.create(&hidden, &name).await;
        up.create(&shown, &name).await;
        assert_eq!(all.gets(&shown, &name).await.names(&hidden).len(), 0);
        up.delete(&shown, &name).await;
        all.loses(&shown, &name).await;
    }
}

async fn without_the_list_of_namespaces_the_names_are_incomplete(mut up: Upstream) {
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    up.allow(&namespace).await;
    let dash = up.restricted_dash(&[]).await;
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.synced().await;
    // Whether the namespaces may be listed is asked at the same time.
    let answered = |answer: &testkit::dash::Answer| answer.status == 200;
    let all = dash.get_until("/api/ingresses", answered).await.ok();
    assert!(
        all["errors"][0]["error"]
            .as_str()
            .unwrap()
            .contains("WATCH_NAMESPACES"),
        "what looks like an empty cluster says why: {all}"
    );
    let document = dash.get("/api/namespaces").await.ok();
    assert_eq!(document["complete"], false);
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{document}");
    assert_eq!(
        (&items[0]["name"], &items[0]["count"]),
        (&namespace.as_str().into(), &1.into())
    );
}
