use protocol::json;
use protocol::message::{ErrorReason, NamespaceState, NamespaceStatus, StreamError};

use super::*;
use crate::components::namespaces::Missing;

#[test]
fn cookies_choose_theme_density_columns_and_exclusions() {
    let header = format!(
        "x=1; {}=dark;{}=comfortable; {}=age.-class; {}=-ns:a%2Cb+class:x",
        Theme::COOKIE,
        Density::COOKIE,
        Columns::COOKIE,
        Exclusions::COOKIE,
    );
    let choices = Choices::parse(&header);
    assert_eq!(choices.theme, Theme::Dark);
    assert_eq!(choices.density, Density::Comfortable);
    assert_eq!(choices.columns, Columns::parse("age.-class"));
    assert_eq!(choices.exclusions.to_string(), "-ns:a,b");
    assert_eq!(
        Choices::parse("kube-ingress-dash-theme=<b>"),
        Choices::default()
    );
}

#[test]
fn the_data_is_read_as_it_was_written() {
    let cookies = format!(
        "{}=dark;{}=comfortable;{}=age.-class;{}=-ns:a",
        Theme::COOKIE,
        Density::COOKIE,
        Columns::COOKIE,
        Exclusions::COOKIE,
    );
    let row = Ingress {
        name: "\u{fc}</script>".into(),
        hosts: vec!["a.example.com".into()],
        ..Ingress::default()
    };
    let full = PageData {
        cluster: ClusterInfo {
            name: "\"test\"".into(),
            url: "https://127.0.0.1:6443".into(),
            version: Some("v1.36.0".into()),
            simulated: true,
            answered: true,
            build: "unbundled".into(),
            server_version: "0.1.0".into(),
            started_at: "2026-01-01T00:00:00Z".into(),
            max_namespaces: 50,
            base_path: "/a/b".into(),
        },
        reconnect: Reconnect {
            interval_ms: 700,
            backoff: 1.6,
            max_delay_ms: 50_000,
            max_attempts: 7,
        },
        query: "q=a&sel=b".into(),
        refused: Some("too much".into()),
        rows: Rows {
            items: vec![row.clone()],
            matching: 1,
            total: 2,
            hosts: 3,
            wildcard_hosts: 4,
            with_tls: 5,
            partly_tls: 6,
            without_class: 7,
            namespaces: 8,
            namespaces_total: Some(9),
            missing: vec![Missing {
                name: "shp".into(),
                near: vec!["shop".into()],
            }],
            states: vec![NamespaceStatus {
                namespace: Some("shop".into()),
                state: NamespaceState::Retrying,
                count: Some(7),
                retry_in_ms: Some(1_500),
                since: None,
            }],
            errors: vec![StreamError {
                error: "no answer".into(),
                namespace: None,
                reason: ErrorReason::Unreachable,
                retry_in_ms: None,
                missing: None,
            }],
            synced: true,
            ..Rows::default()
        },
        groups: vec![(
            4,
            Group {
                value: "nginx".into(),
                rows: 8,
                open: true,
            },
        )],
        lines: 12,
        selected: Some(row),
        now: 1_790_000_000_000,
        choices: Choices::parse(&cookies),
    };
    let empty = PageData {
        refused: None,
        rows: Rows::default(),
        groups: Vec::new(),
        selected: None,
        choices: Choices::default(),
        ..full.clone()
    };
    for data in [full, empty] {
        let text = serde_json::to_string(&data).unwrap();
        let read: PageData = json::read(text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        for end in 0..text.len() {
            assert!(json::read::<PageData>(&text.as_bytes()[..end]).is_err());
        }
    }
}
