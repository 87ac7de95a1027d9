use protocol::connection::Failure;

use super::*;
use crate::format::utc_clock;

fn facts(state: State) -> Facts {
    Facts {
        connection: ConnectionView {
            state,
            data_as_of_wall_ms: Some(43_391_000),
            last_message_mono_ms: Some(99_000),
            ..ConnectionView::default()
        },
        states: Vec::new(),
        errors: Vec::new(),
        retries: BTreeMap::new(),
        known: true,
        answered: true,
        simulated: false,
        namespaces: 48,
        mono: 100_000,
        now: 43_391_000,
        clock: utc_clock,
        page_url: "http://dash.example.com/".into(),
        api_url: "https://api.example.com:6443".into(),
        started_at: Some(43_000_000),
    }
}

fn error(namespace: Option<&str>, reason: ErrorReason, missing: Option<Missing>) -> StreamError {
    StreamError {
        error: "connection refused".into(),
        namespace: namespace.map(str::to_owned),
        reason,
        retry_in_ms: None,
        missing,
    }
}

fn status(namespace: Option<&str>, state: NamespaceState) -> NamespaceStatus {
    NamespaceStatus {
        namespace: namespace.map(str::to_owned),
        state,
        count: None,
        retry_in_ms: None,
        since: None,
    }
}

fn badge_text(facts: &Facts) -> String {
    let badge = facts.badge();
    format!("{}, {}", badge.word, badge.detail)
}

#[test]
fn a_page_that_watches_no_namespace_is_neither_live_nor_lost() {
    let facts = facts(State::Idle);
    assert_eq!(badge_text(&facts), "Idle, no namespace is watched");
    assert_eq!((facts.notices(), facts.title()), (vec![], None));
    assert!(!facts.currency().is_live() && !facts.currency().is_old());
}

#[test]
fn a_live_page_says_when_it_last_heard_and_nothing_else() {
    let facts = facts(State::Live);
    assert_eq!(badge_text(&facts), "Live, 1 s ago");
    assert_eq!((facts.notices(), facts.title()), (vec![], None));
}

#[test]
fn a_reconnecting_page_counts_attempts_and_seconds() {
    let facts = facts(State::Reconnecting {
        attempt: 3,
        of: 10,
        next: Next::At(107_400),
    });
    assert_eq!(badge_text(&facts), "Reconnecting, 3 of 10 · 8 s");
    let notice = &facts.notices()[0];
    assert_eq!(
        notice.text,
        " Attempt 3 of 10, next try in 8 s. The rows are as of 12:03:11."
    );
    assert_eq!(notice.retry, Some(Retry::Connect("Retry now")));
    assert_eq!(facts.title(), Some("(!) Not live"));
}

#[test]
fn a_list_is_complete_only_while_all_of_it_is_live() {
    let live = facts(State::Live);
    assert_eq!(live.coverage(), Coverage::All);
    let partly = Facts {
        states: vec![status(Some("a"), NamespaceState::Forbidden)],
        ..live.clone()
    };
    let words = "47 of 48 namespaces".to_owned();
    assert_eq!(partly.coverage(), Coverage::Partly(words));
    let lost = Facts {
        states: vec![status(None, NamespaceState::Retrying)],
        ..live
    };
    let old = Coverage::AsOf(Some("12:03:11".into()));
    assert_eq!(lost.coverage(), old);
    let stopped = facts(State::Stopped(StopReason::Unauthorized));
    assert_eq!(stopped.coverage(), old);
    assert_eq!(facts(State::Connecting).coverage(), Coverage::Loaded);
}

#[test]
fn what_answers_and_is_no_kubernetes_api_is_not_called_silent() {
    let trouble = |reason| {
        Facts {
            errors: vec![error(None, reason, None)],
            ..facts(State::Live)
        }
        .trouble()
    };
    assert_eq!(trouble(ErrorReason::Invalid), Trouble::Unusable);
    assert_eq!(trouble(ErrorReason::Forbidden), Trouble::Refuses);
    assert_eq!(trouble(ErrorReason::Unreachable), Trouble::Silent);
    assert_eq!(facts(State::Live).trouble(), Trouble::Silent);
}

#[test]
fn a_planned_change_of_stream_is_no_alarm() {
    let mut facts = facts(State::Reconnecting {
        attempt: 0,
        of: 10,
        next: Next::Asked(99_000),
    });
    assert_eq!(badge_text(&facts), "Catching up, as of 12:03:11");
    assert_eq!((facts.notices(), facts.title()), (vec![], None));
    // Unless nobody answers.
    facts.mono = 104_001;
    assert_eq!(facts.title(), Some("(!) Not live"));
    assert_eq!(
        facts.notices()[0].text,
        " Waiting for an answer, 5 s. The rows are as of 12:03:11."
    );
}

#[test]
fn an_attempt_without_an_answer_says_for_how_long_it_waits() {
    let facts = facts(State::Reconnecting {
        attempt: 1,
        of: 10,
        next: Next::Asked(77_000),
    });
    assert_eq!(
        badge_text(&facts),
        "Reconnecting, 1 of 10 · waiting for an answer, 23 s"
    );
    assert_eq!(
        facts.notices()[0].text,
        " Attempt 1 of 10, waiting for an answer, 23 s. The rows are as of 12:03:11."
    );
}

#[test]
fn a_tab_that_takes_turns_says_so_and_how_old_its_rows_are() {
    let mut facts = facts(State::Turns);
    facts.now += 3_000;
    assert_eq!(badge_text(&facts), "Live, every few seconds · 3 s ago");
    assert_eq!((facts.notices(), facts.title()), (vec![], None));
    assert_eq!(facts.coverage(), Coverage::All);
    facts.now += 8_000;
    assert_eq!(badge_text(&facts), "Catching up, as of 12:03:11");
    facts.now += 60_000;
    assert_eq!(badge_text(&facts), "Stale, no message for 71 s");
    assert_eq!(facts.title(), Some("(!) Not live"));
}

#[test]
fn the_report_says_since_when_and_what_failed_last() {
    let mut facts = facts(State::Live);
    facts.connection.since_wall_ms = Some(43_380_000);
    facts.connection.failures = vec![Lost {
        why: "server not reachable".into(),
        at_wall_ms: 43_370_000,
    }];
    let lines = facts.report();
    let expected = [
        ("State", "Live, 1 s ago"),
        ("Since", "12:03:00"),
        ("Rows as of", "12:03:11"),
        ("Failure", "server not reachable at 12:02:50"),
    ];
    let expected = expected.map(|(name, text)| (name, text.to_owned()));
    assert_eq!(lines, expected);
}

#[test]
fn a_restart_is_said_with_the_age_of_the_rows() {
    let facts = facts(State::Draining {
        next: Next::At(101_000),
    });
    assert_eq!(badge_text(&facts), "Server restarting, nothing to do");
    assert!(
        facts.notices()[0]
            .text
            .ends_with("The rows are as of 12:03:11.")
    );
}

#[test]
fn who_does_not_answer_is_said_once() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(None, NamespaceState::Retrying)];
    let mut error = error(None, ErrorReason::Unreachable, None);
    error.error = "the Kubernetes API at https://k.example.com does not answer: refused".into();
    facts.errors = vec![error];
    let notice = facts.notices().remove(0);
    assert_eq!(notice.title, "The Kubernetes API does not answer.");
    assert!(notice.text.contains("lost the cluster (refused)"));
}

#[test]
fn a_stale_page_says_for_how_long() {
    let facts = facts(State::Stale {
        since_mono_ms: 28_000,
        since_wall_ms: 0,
        retry_at_mono_ms: 118_000,
    });
    assert_eq!(badge_text(&facts), "Stale, no message for 72 s");
    assert!(
        facts.notices()[0]
            .text
            .ends_with("Reconnects by itself in 18 s.")
    );
}

#[test]
fn an_offline_page_names_the_last_error() {
    let facts = facts(State::Offline {
        attempts: 10,
        last_error: Failure::Unreachable,
        at_wall_ms: 43_660_000,
        next: Next::Asked(99_000),
    });
    assert_eq!(badge_text(&facts), "Offline, 10 attempts failed");
    let notice = facts.notices().remove(0);
    assert!(notice.text.contains("at 12:07:40 (server not reachable)"));
    assert_eq!(
        notice.details.as_deref(),
        Some(
            "The dashboard does not answer\nURL: http://dash.example.com/\n\
                 Cause: server not reachable, 10 attempts, the last one at 1970-01-01T12:07:40Z\n\
                 Since: 1970-01-01T12:03:11Z"
        )
    );
}

#[test]
fn a_forbidden_namespace_is_named_with_the_command_that_helps() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(Some("finance-eu"), NamespaceState::Forbidden)];
    assert_eq!(badge_text(&facts), "Live, 47 of 48 namespaces");
    assert_eq!(facts.notices(), []);
    let hidden = facts.not_shown().remove(0);
    assert_eq!(hidden.namespace, "finance-eu");
    let command = hidden.command.unwrap_or_default();
    let lines: Vec<_> = command.lines().collect();
    assert_eq!(
        lines,
        [
            "kubectl -n finance-eu create role kube-ingress-dash --verb=get,list,watch --resource=ingresses.networking.k8s.io",
            "kubectl -n finance-eu create rolebinding kube-ingress-dash --role=kube-ingress-dash --serviceaccount=NAMESPACE:ACCOUNT",
        ]
    );
    let whole = grant(None, None);
    assert!(whole.contains("create clusterrolebinding kube-ingress-dash --clusterrole="));
}

#[test]
fn a_missing_verb_is_named_with_the_account_that_lacks_it() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(Some("shop"), NamespaceState::Forbidden)];
    let missing = Missing {
        resource: "ingresses".into(),
        verbs: vec!["watch".into()],
        account: Some("system:serviceaccount:ops:dashboard".into()),
    };
    facts.errors = vec![error(Some("shop"), ErrorReason::Forbidden, Some(missing))];
    let hidden = facts.not_shown().remove(0);
    assert_eq!(
        hidden.why,
        "system:serviceaccount:ops:dashboard may not watch ingresses in shop. Ask a cluster admin to run:"
    );
    let command = hidden.command.unwrap_or_default();
    assert!(command.ends_with(" --serviceaccount=ops:dashboard"));
}

#[test]
fn a_role_is_bound_to_what_the_account_is() {
    assert_eq!(subject(Some("jane@example.com")), "--user=jane@example.com");
    assert_eq!(subject(Some("o'neil")), r"--user='o'\''neil'");
    assert_eq!(
        subject(Some("system:anonymous")),
        "--group=system:unauthenticated"
    );
}

#[test]
fn where_no_permission_would_help_no_command_is_offered() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(Some("shop"), NamespaceState::Forbidden)];
    facts.errors = vec![error(Some("shop"), ErrorReason::Forbidden, None)];
    let hidden = facts.not_shown().remove(0);
    assert_eq!(
        (hidden.why.as_str(), hidden.command),
        ("Connection refused.", None)
    );
}

#[test]
fn a_lost_cluster_counts_down_to_the_next_try() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(None, NamespaceState::Retrying)];
    facts.states[0].since = Some("1970-01-01T11:59:11Z".into());
    facts.errors = vec![error(None, ErrorReason::Unreachable, None)];
    facts.retries.insert(None, 107_400);
    let notice = facts.notices().remove(0);
    assert!(
        notice.text.ends_with(" Next try in 8 s."),
        "{}",
        notice.text
    );
    assert_eq!(notice.retry, Some(Retry::Ask));
    assert_eq!(
        notice.details.as_deref(),
        Some(
            "The Kubernetes API does not answer any more\nURL: https://api.example.com:6443\n\
                 Cause: connection refused\nSince: 1970-01-01T11:59:11Z"
        )
    );
    facts.mono = 107_400;
    assert!(facts.notices()[0].text.ends_with(" Trying now."));
}

#[test]
fn where_nothing_may_be_read_nothing_is_live() {
    let mut facts = facts(State::Live);
    for states in [
        vec![status(None, NamespaceState::Forbidden)],
        vec![
            status(Some("pay"), NamespaceState::Forbidden),
            status(Some("shop"), NamespaceState::Forbidden),
        ],
    ] {
        facts.states = states;
        facts.namespaces = 2;
        assert_eq!(
            badge_text(&facts),
            "No permission, the account may read nothing"
        );
        assert_eq!(facts.title(), Some("(!) Not live"));
        assert_eq!(facts.notices(), vec![], "the view itself says it");
    }
    facts.namespaces = 3;
    assert_eq!(badge_text(&facts), "Live, 1 of 3 namespaces");
}

#[test]
fn a_silent_api_server_is_lost_or_was_never_there() {
    let mut facts = facts(State::Live);
    facts.states = vec![status(None, NamespaceState::Retrying)];
    assert_eq!(facts.currency(), Currency::ClusterLost);
    assert_eq!(badge_text(&facts), "Cluster lost, API does not answer");
    facts.states[0].since = Some("1970-01-01T11:59:11Z".into());
    assert_eq!(badge_text(&facts), "Cluster lost, no answer for 4 min");
    assert!(facts.notices()[0].text.contains("as of 11:59:11"));
    assert_eq!(facts.notices().len(), 1);
    facts.errors = vec![StreamError {
        error: "the Kubernetes API answered 401: Unauthorized".into(),
        namespace: None,
        reason: ErrorReason::Forbidden,
        retry_in_ms: None,
        missing: None,
    }];
    assert_eq!(badge_text(&facts), "Cluster lost, refused for 4 min");
    assert!(facts.notices()[0].title.contains("does not accept"));
    facts.known = false;
    assert_eq!(facts.currency(), Currency::NoCluster);
    assert_eq!(badge_text(&facts), "No cluster, API refuses");
    assert_eq!(facts.notices(), vec![], "the view itself says it");
}
