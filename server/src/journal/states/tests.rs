use super::*;
use crate::cluster::source::{INGRESSES, Role};

const SERVICES: Source = Source {
    group: "",
    version: "v1",
    resource: "services",
    namespaced: true,
    role: Role::Helpful,
};
const ROUTES: Source = Source {
    group: "gateway.networking.k8s.io",
    version: "v1",
    resource: "httproutes",
    namespaced: true,
    role: Role::Needed,
};

fn part(state: FeedState, listed: bool) -> Part {
    let error = (state == FeedState::Retrying || state == FeedState::Absent).then(|| FeedError {
        reason: ErrorReason::Invalid,
        text: "the Kubernetes API answered 404".into(),
        retry_at: None,
        missing: None,
    });
    Part {
        state,
        listed,
        error,
    }
}

/// One namespace, `a`, with a feed of its own.
fn states() -> States {
    let mut states = States::default();
    states.set_cluster_wide(false);
    states.set_universe(&["a".to_owned()].into());
    states
}

fn told(states: &States) -> (NamespaceState, bool, usize) {
    let readiness = states.readiness(&Scope::All, &Log::default()).unwrap();
    let state = states.of("a").unwrap().state;
    (state, readiness.settled, readiness.pending.names.len())
}

/// A feed of namespace `a` says how it goes; whether that is news.
fn say(states: &mut States, source: Source, part: Part, log: &Log) -> bool {
    states.set(source, Some("a"), part, true, log)
}

#[test]
fn nothing_waits_for_a_helpful_source() {
    let log = Log::default();
    let mut states = states();
    let before = states.revision;
    // Not a word of it reaches a client, whatever it says, and in whatever order.
    assert!(!say(
        &mut states,
        SERVICES,
        part(FeedState::Syncing, false),
        &log
    ));
    assert!(states.of("a").is_none());
    assert!(say(
        &mut states,
        INGRESSES,
        part(FeedState::Live, true),
        &log
    ));
    for state in [
        FeedState::Syncing,
        FeedState::Retrying,
        FeedState::Forbidden,
        FeedState::Absent,
        FeedState::Live,
    ] {
        assert!(!say(&mut states, SERVICES, part(state, false), &log));
        assert_eq!(told(&states), (NamespaceState::Live, true, 0), "{state:?}");
        assert_eq!(states.part(SERVICES, "a").unwrap().state, state);
    }
    assert_eq!(states.revision, before + 1);
    assert_eq!(states.not_live(&Scope::All, &log), (vec![], vec![]));
    assert_eq!(states.counts(), [(NamespaceState::Live, 1)].into());
    states.remove("a");
    assert_eq!(states.part(SERVICES, "a"), None);
}

#[test]
fn a_feed_does_not_overwrite_what_that_of_another_source_said() {
    let log = Log::default();
    let mut states = states();
    say(&mut states, INGRESSES, part(FeedState::Live, true), &log);
    say(&mut states, ROUTES, part(FeedState::Syncing, false), &log);
    assert_eq!(told(&states), (NamespaceState::Syncing, false, 1));
    say(&mut states, ROUTES, part(FeedState::Live, true), &log);
    assert_eq!(told(&states), (NamespaceState::Live, true, 0));
    say(
        &mut states,
        INGRESSES,
        part(FeedState::Retrying, false),
        &log,
    );
    assert_eq!(told(&states), (NamespaceState::Retrying, true, 0));
    // What is heard of the other one is no news, and makes nothing better.
    assert!(!say(&mut states, ROUTES, part(FeedState::Live, true), &log));
    assert_eq!(told(&states), (NamespaceState::Retrying, true, 0));
}

#[test]
fn a_resource_that_the_cluster_lacks_is_missed_where_it_has_no_other() {
    let log = Log::default();
    let mut states = states();
    say(&mut states, ROUTES, part(FeedState::Absent, true), &log);
    assert_eq!(told(&states).0, NamespaceState::Retrying);
    assert_eq!(
        states.not_live(&Scope::All, &log).1[0].reason,
        ErrorReason::Invalid
    );
    say(&mut states, INGRESSES, part(FeedState::Live, true), &log);
    assert_eq!(told(&states), (NamespaceState::Live, true, 0));
    assert_eq!(states.not_live(&Scope::All, &log), (vec![], vec![]));
}

#[test]
fn rows_stay_known_until_they_may_not_be_seen() {
    let log = Log::default();
    let mut states = states();
    say(&mut states, INGRESSES, part(FeedState::Live, true), &log);
    say(
        &mut states,
        INGRESSES,
        part(FeedState::Retrying, false),
        &log,
    );
    assert!(states.of("a").unwrap().listed);
    say(
        &mut states,
        INGRESSES,
        part(FeedState::Forbidden, false),
        &log,
    );
    assert!(!states.of("a").unwrap().listed);
    say(
        &mut states,
        INGRESSES,
        part(FeedState::Syncing, false),
        &log,
    );
    assert_eq!(told(&states), (NamespaceState::Syncing, false, 1));
}

#[test]
fn only_the_names_that_came_or_went_are_news() {
    let mut states = states();
    assert_eq!(states.set_universe(&["a".to_owned()].into()), None);
    let names = ["b".to_owned(), "c".to_owned()].into();
    let changed = states.set_universe(&names).unwrap();
    assert_eq!(changed, ["a", "b", "c"]);
    assert_eq!(states.universe(), Some(&names));
}
