use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

use proptest::prelude::*;

use super::*;
use crate::filter::Field;
use crate::ingress::{Backend, Path, Rule, ServiceBackend, TlsEntry};
use crate::ingress::{Ingress, Key};
use crate::message::{
    ErrorReason, Heartbeat, NamespaceState, NamespaceStatus, Reset, StreamError, Synced,
};
use crate::store::{CountMismatch, Mark, MarkKind, Totals};
use crate::view::Line;

fn row(namespace: &str, name: &str, variant: u8) -> Ingress {
    let host = format!("{}.example.com", ["a", "b", "*"][usize::from(variant % 3)]);
    Ingress {
        name: name.into(),
        namespace: namespace.into(),
        tls: variant.is_multiple_of(2),
        tls_entries: (variant.is_multiple_of(2))
            .then(|| TlsEntry {
                secret_name: Some(format!("secret-{}", variant % 4)),
                hosts: vec!["a.example.com".into()],
            })
            .into_iter()
            .collect(),
        ingress_class_name: (!variant.is_multiple_of(5)).then(|| "nginx".into()),
        addresses: (variant.is_multiple_of(3))
            .then(|| format!("192.0.2.{variant}"))
            .into_iter()
            .collect(),
        created_at: (!variant.is_multiple_of(7))
            .then(|| format!("2025-01-{:02}T00:00:00Z", variant % 28 + 1)),
        rules: vec![Rule {
            host: Some(host.clone()),
            paths: vec![Path {
                path: Some(format!("/{}", variant % 4)),
                path_type: "Prefix".into(),
                backend: Backend {
                    service: Some(ServiceBackend {
                        name: format!("svc-{}", variant % 3),
                        port: None,
                    }),
                    resource: None,
                },
            }],
        }],
        hosts: if variant.is_multiple_of(11) {
            Vec::new()
        } else {
            vec![host]
        },
        version: variant.to_string(),
        ..Ingress::default()
    }
}

fn reset() -> Message {
    Message::Reset(Reset { build: "b".into() })
}

fn synced(count: usize, pending: &[&str]) -> Message {
    Message::Synced(Synced {
        count,
        pending: pending.iter().map(ToString::to_string).collect(),
        pending_count: None,
    })
}

fn status(namespace: Option<&str>, state: NamespaceState, count: Option<usize>) -> Message {
    Message::NamespaceStatus(NamespaceStatus {
        namespace: namespace.map(Into::into),
        state,
        count,
        retry_in_ms: None,
        since: None,
    })
}

/// A table with one view.
struct Viewed {
    table: Table,
    view: ViewId,
}

impl Viewed {
    fn new() -> Self {
        let mut table = Table::new();
        let view = table.add_view();
        Self { table, view }
    }

    fn lines(&self) -> Lines<'_> {
        self.table.lines(self.view).unwrap()
    }

    fn set_filter(&mut self, filter: Filter) {
        self.table.set_filter(self.view, filter);
    }

    fn set_sort(&mut self, column: Column, direction: Direction) {
        self.table.set_sort(self.view, column, direction);
    }

    fn set_grouping(&mut self, grouping: Option<Grouping>) {
        self.table.set_grouping(self.view, grouping);
    }

    fn toggle_group(&mut self, value: &str) {
        self.table.toggle_group(self.view, value);
    }
}

impl Default for Viewed {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Viewed {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl DerefMut for Viewed {
    fn deref_mut(&mut self) -> &mut Table {
        &mut self.table
    }
}

fn table(messages: impl IntoIterator<Item = Message>) -> Viewed {
    let mut table = Viewed::new();
    table.begin_stream();
    play(&mut table, messages);
    table
}

fn play(table: &mut Viewed, messages: impl IntoIterator<Item = Message>) {
    for message in messages {
        table.apply(message, 1);
    }
    table.settle();
}

fn names(table: &Viewed) -> Vec<String> {
    let rows = table.lines().rows();
    rows.map(|row| row.ingress.name.clone()).collect()
}

fn two_rows() -> Viewed {
    table([
        reset(),
        Message::IngressAdded(row("shop", "cart", 1)),
        Message::IngressAdded(row("blog", "www", 2)),
        synced(2, &[]),
    ])
}

#[test]
fn a_deleted_ingress_disappears_after_a_replay_and_not_before() {
    let mut table = two_rows();
    table.begin_stream();
    play(
        &mut table,
        [reset(), Message::IngressAdded(row("shop", "cart", 1))],
    );
    assert_eq!(names(&table), ["cart", "www"]);
    let change = table.apply(synced(1, &[]), 1);
    table.settle();
    assert_eq!(change.mismatch, None);
    assert_eq!(names(&table), ["cart"]);
}

#[test]
fn a_pending_namespace_that_synced_does_not_name_has_said_so_before() {
    let mut table = two_rows();
    table.begin_stream();
    play(
        &mut table,
        [
            reset(),
            Message::IngressAdded(row("shop", "cart", 1)),
            status(Some("blog"), NamespaceState::Syncing, None),
            Message::Synced(Synced {
                count: 1,
                pending: vec!["other".into()],
                pending_count: Some(2),
            }),
        ],
    );
    assert_eq!(names(&table), ["cart", "www"]);
    assert!(
        table.store().get(&Key::new("blog", "www")).unwrap().old && !table.store().is_complete()
    );
    // A document names no states: nothing goes before the stream has said which they are.
    let document = IngressDocument {
        revision: Some("1".into()),
        pending: vec!["other".into()],
        pending_count: Some(2),
        ..IngressDocument::default()
    };
    table.apply_document(document);
    table.settle();
    assert_eq!(names(&table), ["cart", "www"]);
}

#[test]
fn rows_of_a_pending_namespace_stay_marked_old_until_it_is_live() {
    let mut table = two_rows();
    table.begin_stream();
    play(
        &mut table,
        [
            reset(),
            Message::IngressAdded(row("shop", "cart", 1)),
            synced(1, &["blog"]),
        ],
    );
    assert_eq!(names(&table), ["cart", "www"]);
    assert!(table.store().get(&Key::new("blog", "www")).unwrap().old);
    assert!(!table.store().get(&Key::new("shop", "cart")).unwrap().old);
    assert!(!table.store().is_complete());
    play(
        &mut table,
        [
            Message::IngressAdded(row("blog", "new", 2)),
            status(Some("blog"), NamespaceState::Live, Some(1)),
        ],
    );
    assert_eq!(names(&table), ["cart", "new"]);
    assert_eq!(
        table.store().get(&Key::new("blog", "new")).unwrap().mark,
        None
    );
    assert!(table.store().is_complete());
}

#[test]
fn a_scope_that_was_never_listed_drops_nothing() {
    let mut table = two_rows();
    table.begin_stream();
    let unknown = || status(None, NamespaceState::Retrying, None);
    play(&mut table, [reset(), unknown(), synced(0, &[])]);
    assert_eq!(names(&table), ["cart", "www"]);
    assert!(table.lines().row(0).unwrap().old);
    assert!(!table.store().is_complete());
    play(
        &mut table,
        [
            Message::IngressAdded(row("shop", "cart", 1)),
            status(None, NamespaceState::Live, Some(1)),
        ],
    );
    assert_eq!(names(&table), ["cart"]);
    assert!(table.store().is_complete());
}

fn lines(table: &Viewed) -> Vec<String> {
    let lines = table.lines().range(0..usize::MAX);
    lines
        .map(|line| match line {
            Line::Group(group) => format!("{} ({})", group.value, group.rows),
            Line::Row(view) => view.ingress.name.clone(),
        })
        .collect()
}

#[test]
fn groups_have_heads_with_counts_and_follow_changes() {
    let mut table = two_rows();
    table.set_grouping(Some(Grouping::Namespace));
    assert_eq!(lines(&table), ["blog (1)", "www", "shop (1)", "cart"]);
    play(&mut table, [Message::IngressAdded(row("blog", "a", 1))]);
    assert_eq!(lines(&table), ["blog (2)", "a", "www", "shop (1)", "cart"]);
    assert_eq!(
        table.lines().line_of(&Key::new("shop", "cart").into()),
        Some(4)
    );
    table.toggle_group("blog");
    assert_eq!(lines(&table), ["blog (2)", "shop (1)", "cart"]);
    table.set_filter(Filter::parse("ns:blog"));
    assert_eq!(lines(&table), ["blog (2)"]);
    assert_eq!(table.lines().row_count(), 2);
    table.set_grouping(None);
    assert_eq!(lines(&table), ["a", "www"]);
}

#[test]
fn rows_without_a_value_are_the_last_group() {
    let mut table = two_rows();
    play(
        &mut table,
        [Message::IngressAdded(row("blog", "classless", 5))],
    );
    table.set_grouping(Some(Grouping::Class));
    assert_eq!(
        lines(&table),
        ["nginx (2)", "cart", "www", " (1)", "classless"]
    );
    play(
        &mut table,
        [Message::IngressAdded(row("blog", "covered", 6))],
    );
    table.set_grouping(Some(Grouping::Tls));
    assert_eq!(lines(&table)[..3], ["yes (1)", "covered", "no (3)"]);
}

#[test]
fn values_are_counted_over_the_rows_that_match() {
    let table = two_rows();
    let all = Filter::default();
    let count = |field, part| table.store().values(field, &all, part);
    assert_eq!(count(Field::Class, ""), [("nginx".to_owned(), 2)]);
    assert_eq!(count(Field::Namespace, "SH"), [("shop".to_owned(), 1)]);
    let filter = Filter::parse("ns:blog");
    assert_eq!(table.store().values(Field::Class, &filter, "").len(), 1);
    assert_eq!(table.store().values(Field::Class, &filter, "")[0].1, 1);
}

#[test]
fn the_changes_of_a_row_are_kept_newest_first() {
    let mut table = two_rows();
    let key = Key::new("shop", "cart");
    for variant in [3, 4, 4] {
        table.apply(Message::IngressModified(row("shop", "cart", variant)), 7);
    }
    table.apply(Message::IngressModified(row("blog", "www", 9)), 8);
    let seen: Vec<_> = table.store().changes(&key).collect();
    let versions: Vec<_> = seen
        .iter()
        .map(|seen| (seen.before.version.as_str(), seen.after.version.as_str()))
        .collect();
    assert_eq!(versions, [("3", "4"), ("1", "3")]);
    assert_eq!(seen[0].at_ms, Some(7));
}

#[test]
fn a_document_is_a_replay_unless_it_has_no_revision() {
    let document = |revision: Option<&str>| IngressDocument {
        revision: revision.map(Into::into),
        build: "b".into(),
        items: vec![row("shop", "new", 1)],
        ..IngressDocument::default()
    };
    let mut table = two_rows();
    table.apply_document(document(None));
    table.settle();
    assert_eq!(names(&table), ["cart", "new", "www"]);
    table.apply_document(document(Some("1")));
    table.settle();
    assert_eq!(names(&table), ["new"]);
    assert_eq!(table.lines().row(0).unwrap().mark, None);
}

#[test]
fn a_forbidden_namespace_has_no_rows() {
    let mut table = two_rows();
    play(
        &mut table,
        [status(Some("blog"), NamespaceState::Forbidden, None)],
    );
    assert_eq!(names(&table), ["cart"]);
    assert_eq!(table.store().state("blog"), NamespaceState::Forbidden);
}

#[test]
fn a_wrong_count_is_found() {
    let mut table = two_rows();
    let change = table.apply(synced(3, &[]), 1);
    assert_eq!(
        change.mismatch,
        Some(CountMismatch {
            expected: 3,
            held: 2
        })
    );
    assert_eq!(table.apply(synced(1, &["blog"]), 1).mismatch, None);
}

#[test]
fn states_and_errors_end_with_live_or_with_the_next_stream() {
    let error = |namespace: &str| {
        Message::Error(StreamError {
            error: "refused".into(),
            namespace: Some(namespace.into()),
            reason: ErrorReason::Unreachable,
            retry_in_ms: Some(8_000),
            missing: None,
        })
    };
    let retrying = |namespace| status(Some(namespace), NamespaceState::Retrying, Some(1));
    let mut table = two_rows();
    play(
        &mut table,
        [
            error("shop"),
            retrying("shop"),
            error("blog"),
            retrying("blog"),
        ],
    );
    assert!(table.lines().row(0).unwrap().old);
    play(
        &mut table,
        [status(Some("shop"), NamespaceState::Live, Some(1))],
    );
    assert_eq!(table.store().errors().len(), 1);
    assert!(!table.lines().row(0).unwrap().old);
    table.begin_stream();
    assert_eq!(table.store().state("blog"), NamespaceState::Retrying);
    play(&mut table, [synced(2, &[])]);
    assert!(table.store().errors().is_empty() && table.store().states().is_empty());
}

#[test]
fn only_news_is_marked() {
    let mut table = two_rows();
    let key = Key::new("shop", "cart");
    let mark = |table: &Viewed, key: &Key| table.store().get(key).unwrap().mark;
    assert_eq!(mark(&table, &key), None);
    table.apply(Message::IngressModified(row("shop", "cart", 1)), 7);
    assert_eq!(mark(&table, &key), None, "nothing changed");
    table.apply(Message::IngressModified(row("shop", "cart", 2)), 8);
    let modified = Mark {
        kind: MarkKind::Modified,
        at_ms: 8,
    };
    assert_eq!(mark(&table, &key), Some(modified));
    table.apply(Message::IngressAdded(row("shop", "new", 2)), 9);
    let added = Mark {
        kind: MarkKind::Added,
        at_ms: 9,
    };
    assert_eq!(mark(&table, &Key::new("shop", "new")), Some(added));
    assert!(table.clear_marks());
    table.begin_stream();
    table.apply(Message::IngressAdded(row("shop", "cart", 3)), 10);
    assert_eq!(mark(&table, &key), None, "what was missed is no news");
}

#[test]
fn a_row_deleted_while_live_stays_struck_through_in_its_place_for_a_moment() {
    let mut table = two_rows();
    let seen = |table: &Viewed| {
        let rows = table.lines().rows();
        rows.map(|row| (row.ingress.name.clone(), row.deleted))
            .collect::<Vec<_>>()
    };
    let line = |name: &str, deleted| (name.to_owned(), deleted);
    let (cart, www) = (Key::new("shop", "cart"), Key::new("blog", "www"));
    table.apply(Message::IngressDeleted(cart.clone()), 5_000);
    assert_eq!(table.settle_at(5_000), Some(7_000));
    assert_eq!(seen(&table), [line("cart", true), line("www", false)]);
    // What comes, goes and moves meanwhile does so around it.
    table.apply(Message::IngressAdded(row("shop", "api", 1)), 5_100);
    table.apply(Message::IngressDeleted(www.clone()), 5_200);
    assert_eq!(table.settle_at(6_999), Some(7_000));
    let struck = [line("api", false), line("cart", true), line("www", true)];
    assert_eq!(seen(&table), struck);
    assert_eq!(
        (table.store().totals().rows, table.store().waiting()),
        (1, 2)
    );
    assert_eq!(table.settle_at(7_000), Some(7_200));
    assert_eq!(seen(&table), [line("api", false), line("www", true)]);
    // One that returns is a row again, and one that was to move has no place to stay in.
    table.apply(Message::IngressAdded(row("blog", "www", 3)), 7_100);
    assert_eq!(table.settle_at(7_100), None);
    assert_eq!(seen(&table), [line("api", false), line("www", false)]);
    table.set_sort(Column::Class, Direction::Ascending);
    table.apply(Message::IngressModified(row("blog", "www", 5)), 7_200);
    table.apply(Message::IngressDeleted(www), 7_300);
    assert_eq!(table.settle_at(7_300), None);
    assert_eq!(seen(&table), [line("api", false)]);
    // A table that settles without a time has the rows that are there.
    table.apply(Message::IngressDeleted(Key::new("shop", "api")), 8_000);
    table.settle();
    assert!(table.lines().is_empty());
}

#[test]
fn until_it_settles_the_view_keeps_its_rows_and_shows_their_values() {
    let mut table = two_rows();
    table.apply(Message::IngressDeleted(Key::new("shop", "cart")), 1);
    table.apply(Message::IngressAdded(row("a", "a", 1)), 1);
    table.apply(Message::IngressModified(row("blog", "www", 3)), 1);
    assert_eq!(names(&table), ["cart", "www"]);
    assert!(table.lines().row(0).unwrap().deleted);
    assert_eq!(table.lines().row(1).unwrap().ingress.version, "3");
    assert_eq!(table.store().waiting(), 2);
    table.settle();
    assert_eq!(names(&table), ["a", "www"]);
}

#[test]
fn typing_on_finds_the_same_rows_as_a_new_search() {
    let rows = (0..250).map(|n| Message::IngressAdded(row("shop", &format!("row-{n:03}"), 1)));
    let mut table = table(rows);
    for typed in ["row-2", "row-20", "row-201", "row-2", "row-20 ns:shop", ""] {
        table.set_filter(Filter::parse(typed));
        let start = typed.split(' ').next().unwrap();
        let expected: Vec<_> = (0..250)
            .map(|n| format!("row-{n:03}"))
            .filter(|name| name.starts_with(start))
            .collect();
        assert_eq!(names(&table), expected, "{typed:?}");
    }
}

#[test]
fn another_scope_keeps_what_it_shares() {
    let mut table = two_rows();
    table.set_scope(&Scope::parse(["shop,new"], 50).unwrap());
    table.settle();
    assert_eq!(names(&table), ["cart"]);
    assert!(!table.store().is_complete());
}

const NAMESPACES: [&str; 3] = ["blog", "home", "shop"];

/// A server that keeps the promises of the protocol, and a client whose stream is cut.
#[derive(Default)]
struct World {
    cluster: BTreeMap<Key, Ingress>,
    /// Namespaces that the server has not listed yet.
    unlisted: BTreeSet<String>,
    /// Namespaces that the server may not read.
    forbidden: BTreeSet<String>,
    /// Keys in the order of their changes, since the server started.
    log: Vec<Key>,
    /// Where the client resumes.
    cursor: Option<usize>,
    connected: bool,
    table: Viewed,
}

#[derive(Clone, Debug)]
enum Step {
    Put(&'static str, u8, u8),
    Delete(&'static str, u8),
    Cut,
    Restart(Vec<&'static str>),
    /// Cut after so many messages, where given.
    Connect(Option<usize>),
    Document,
    Listed(&'static str),
    Forbid(&'static str),
    Allow(&'static str),
}

impl World {
    fn seen(&self, namespace: &str) -> bool {
        !self.unlisted.contains(namespace) && !self.forbidden.contains(namespace)
    }

    fn known(&self) -> BTreeMap<Key, Ingress> {
        let cluster = self.cluster.clone().into_iter();
        cluster
            .filter(|(key, _)| self.seen(&key.namespace))
            .collect()
    }

    fn pending(&self) -> Vec<String> {
        self.unlisted.difference(&self.forbidden).cloned().collect()
    }

    /// What `pending` names of them, and how many they are where that is not all.
    fn named_pending(&self) -> (Vec<String>, Option<usize>) {
        let mut named = self.pending();
        let all = named.len();
        named.truncate(1);
        let count = (named.len() < all).then_some(all);
        (named, count)
    }

    fn send(&mut self, message: Message) {
        if self.connected {
            let change = self.table.apply(message, 1);
            assert_eq!(change.mismatch, None);
            self.cursor = Some(self.log.len());
        }
    }

    fn changed(&mut self, key: Key) {
        if !self.seen(&key.namespace) {
            return;
        }
        self.log.push(key.clone());
        self.send(self.newest(key));
    }

    /// The folded change of a row.
    fn newest(&self, key: Key) -> Message {
        match self.cluster.get(&key) {
            Some(row) if self.seen(&key.namespace) => Message::IngressAdded(row.clone()),
            _ => Message::IngressDeleted(key),
        }
    }

    fn keys_of(&self, namespace: &str) -> Vec<Key> {
        let keys = self.cluster.keys();
        keys.filter(|key| key.namespace == namespace)
            .cloned()
            .collect()
    }

    fn connect(&mut self, cut: Option<usize>) {
        let mut messages = match self.cursor {
            Some(cursor) => {
                let missed: BTreeSet<_> = self.log[cursor..].iter().cloned().collect();
                missed.into_iter().map(|key| self.newest(key)).collect()
            }
            None => {
                let rows = self.known().into_values().map(Message::IngressAdded);
                std::iter::once(reset()).chain(rows).collect::<Vec<_>>()
            }
        };
        for namespace in &self.forbidden {
            messages.push(status(Some(namespace), NamespaceState::Forbidden, None));
        }
        // The server names some of very many, and has said the states of all before.
        for namespace in self.pending() {
            messages.push(status(Some(&namespace), NamespaceState::Syncing, None));
        }
        let (named, count) = self.named_pending();
        messages.push(Message::Synced(Synced {
            count: self.known().len(),
            pending: named,
            pending_count: count,
        }));
        self.table.begin_stream();
        let cut = cut.filter(|cut| *cut < messages.len());
        for message in messages.into_iter().take(cut.unwrap_or(usize::MAX)) {
            let change = self.table.apply(message, 1);
            assert_eq!(change.mismatch, None);
        }
        self.connected = cut.is_none();
        self.cursor = match cut {
            None => Some(self.log.len()),
            Some(0) => self.cursor,
            Some(_) => None,
        };
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Put(namespace, name, variant) => {
                let row = row(namespace, &name.to_string(), variant);
                let key = row.key();
                self.cluster.insert(key.clone(), row);
                self.changed(key);
            }
            Step::Delete(namespace, name) => {
                let key = Key::new(namespace, name.to_string());
                if self.cluster.remove(&key).is_some() {
                    self.changed(key);
                }
            }
            Step::Cut => self.connected = false,
            Step::Restart(unlisted) => {
                self.connected = false;
                self.log.clear();
                self.cursor = None;
                self.unlisted = unlisted.into_iter().map(Into::into).collect();
            }
            Step::Connect(cut) if !self.connected => self.connect(cut),
            Step::Document if !self.connected => {
                let (pending, pending_count) = self.named_pending();
                let document = IngressDocument {
                    revision: Some("1".into()),
                    pending,
                    pending_count,
                    items: self.known().into_values().collect(),
                    ..IngressDocument::default()
                };
                self.table.apply_document(document);
                self.cursor = Some(self.log.len());
                self.connect(None);
            }
            Step::Listed(namespace) => {
                if self.unlisted.remove(namespace) && self.seen(namespace) {
                    self.all_changed(namespace);
                    self.send(status(Some(namespace), NamespaceState::Live, Some(0)));
                }
            }
            Step::Forbid(namespace) => {
                if self.forbidden.insert(namespace.into()) {
                    for key in self.keys_of(namespace) {
                        self.log.push(key.clone());
                        self.send(Message::IngressDeleted(key));
                    }
                    self.send(status(Some(namespace), NamespaceState::Forbidden, None));
                }
            }
            Step::Allow(namespace) => {
                if self.forbidden.remove(namespace) {
                    self.all_changed(namespace);
                    let state = if self.seen(namespace) {
                        NamespaceState::Live
                    } else {
                        NamespaceState::Syncing
                    };
                    self.send(status(Some(namespace), state, None));
                }
            }
            Step::Connect(_) | Step::Document => {}
        }
        self.send(Message::Heartbeat(Heartbeat {
            time: String::new(),
        }));
        self.table.settle();
    }

    fn all_changed(&mut self, namespace: &str) {
        for key in self.keys_of(namespace) {
            self.changed(key);
        }
    }

    fn held(&self) -> BTreeMap<Key, Ingress> {
        let rows = self.table.lines().rows();
        rows.map(|row| (row.ingress.key(), (*row.ingress).clone()))
            .collect()
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let namespace = || prop::sample::select(NAMESPACES.to_vec());
    prop_oneof![
        6 => (namespace(), 0u8..4, 0u8..30).prop_map(|(ns, name, variant)| Step::Put(ns, name, variant)),
        4 => (namespace(), 0u8..4).prop_map(|(ns, name)| Step::Delete(ns, name)),
        2 => Just(Step::Cut),
        1 => prop::sample::subsequence(NAMESPACES.to_vec(), 0..=3).prop_map(Step::Restart),
        3 => prop::option::of(0usize..6).prop_map(Step::Connect),
        1 => Just(Step::Document),
        2 => namespace().prop_map(Step::Listed),
        1 => namespace().prop_map(Step::Forbid),
        1 => namespace().prop_map(Step::Allow),
    ]
}

/// How many views the model has at most.
const VIEWS: usize = 2;

#[derive(Clone, Debug)]
enum ViewStep {
    Put(u8, u8),
    Delete(u8),
    Filter(usize, &'static str),
    Sort(usize, Column, Direction),
    Settle,
    /// Removes the view, or adds it again.
    Toggle(usize),
}

fn view_steps() -> impl Strategy<Value = ViewStep> {
    let directions = vec![Direction::Ascending, Direction::Descending];
    let filters = vec![
        "",
        "a",
        "a.",
        "tls:no",
        "tls:no a",
        "-class:none",
        "ns:ns1",
        "3",
        "a.example.com",
        "a.example.com/3 -class:none",
        "https://b.example.com/3",
        "ns1/3",
    ];
    let view = || 0..VIEWS;
    prop_oneof![
        8 => (0u8..20, 0u8..60).prop_map(|(name, variant)| ViewStep::Put(name, variant)),
        4 => (0u8..20).prop_map(ViewStep::Delete),
        3 => (view(), prop::sample::select(filters))
            .prop_map(|(view, text)| ViewStep::Filter(view, text)),
        3 => (view(), prop::sample::select(Column::ALL.to_vec()), prop::sample::select(directions))
            .prop_map(|(view, column, direction)| ViewStep::Sort(view, column, direction)),
        4 => Just(ViewStep::Settle),
        1 => view().prop_map(ViewStep::Toggle),
    ]
}

/// A column's value as text, of which the order is the column's.
fn value(row: &Ingress, column: Column) -> Option<String> {
    let path = &row.rules[0].paths[0];
    match column {
        Column::Name => Some(row.name.clone()),
        Column::Namespace => Some(row.namespace.clone()),
        Column::Host => row.hosts.first().cloned(),
        Column::Path => Some(format!(
            "{} {}",
            path.path.clone().unwrap(),
            path.backend.service.clone().unwrap().name
        )),
        Column::Class => row.ingress_class_name.clone(),
        Column::Address => row.addresses.first().cloned(),
        Column::Tls => Some(match (row.tls, row.hosts_with_tls() < row.hosts.len()) {
            (false, _) => "0".into(),
            (true, true) => format!("1 {:?}", row.tls_entries[0].secret_name),
            (true, false) => format!("2 {:?}", row.tls_entries[0].secret_name),
        }),
        // Digits turned over: the latest first.
        Column::Age => row.created_at.as_ref().map(|date| {
            let turned = |c: char| c.to_digit(10).map_or(c, |d| (b'9' - d as u8) as char);
            date.chars().map(turned).collect()
        }),
    }
}

fn expected_view(
    rows: &BTreeMap<Key, Ingress>,
    filter: &Filter,
    (column, direction): (Column, Direction),
) -> Vec<Key> {
    let mut shown: Vec<_> = rows.values().filter(|row| filter.matches(row)).collect();
    shown.sort_by_key(|row| (row.name.clone(), row.namespace.clone()));
    let (mut with, without): (Vec<_>, Vec<_>) = shown
        .into_iter()
        .partition(|row| value(row, column).is_some());
    match direction {
        Direction::Ascending => with.sort_by_key(|row| value(row, column)),
        Direction::Descending => {
            with.sort_by_key(|row| std::cmp::Reverse(value(row, column)));
        }
    }
    let mut shown: Vec<_> = with.into_iter().chain(without).collect();
    // What takes the host that is asked for is first.
    shown.sort_by_key(|row| filter.matcher().rank(row));
    shown.into_iter().map(Ingress::key).collect()
}

fn expected_totals(rows: &BTreeMap<Key, Ingress>, filter: &Filter) -> Totals {
    let rows: Vec<_> = rows.values().filter(|row| filter.matches(row)).collect();
    let count = |test: fn(&Ingress) -> bool| rows.iter().filter(|row| test(row)).count();
    let hosts: BTreeSet<_> = rows.iter().flat_map(|row| &row.hosts).collect();
    let namespaces: BTreeSet<_> = rows.iter().map(|row| &row.namespace).collect();
    Totals {
        rows: rows.len(),
        hosts: hosts.len(),
        wildcard_hosts: hosts.iter().filter(|host| host.starts_with('*')).count(),
        with_tls: count(|row| row.tls && (row.hosts.is_empty() || row.hosts_with_tls() > 0)),
        partly_tls: count(|row| row.tls && (1..row.hosts.len()).contains(&row.hosts_with_tls())),
        without_class: count(|row| row.ingress_class_name.is_none()),
        namespaces: namespaces.len(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_synced_table_is_the_servers_whatever_happened_before(
        history in prop::collection::vec(steps(), 0..60),
    ) {
        let mut world = World::default();
        // Namespaces that were forbidden while the client was away: their deletes come when
        // it resumes, even where the namespace is pending again by then.
        let mut withdrawn = BTreeSet::new();
        for step in history {
            match &step {
                Step::Forbid(namespace) if !world.connected => {
                    withdrawn.insert((*namespace).to_owned());
                }
                Step::Restart(_) => withdrawn.clear(),
                _ => {}
            }
            let before = world.held();
            let deletes = matches!(step, Step::Forbid(_) | Step::Allow(_) | Step::Listed(_));
            world.step(step);
            let held = world.held();
            if !world.connected {
                continue;
            }
            let (pending, settled): (BTreeMap<_, _>, BTreeMap<_, _>) = held
                .into_iter()
                .partition(|(key, _)| world.pending().contains(&key.namespace));
            prop_assert_eq!(settled, world.known());
            prop_assert_eq!(world.table.store().is_complete(), world.pending().is_empty());
            for key in pending.keys() {
                prop_assert!(world.table.store().get(key).unwrap().old);
            }
            if !deletes {
                let stays = |(key, _): &(Key, Ingress)| {
                    world.pending().contains(&key.namespace)
                        && !withdrawn.contains(&key.namespace)
                };
                let kept: BTreeMap<_, _> = before.into_iter().filter(stays).collect();
                let pending: BTreeMap<_, _> = pending.into_iter().filter(stays).collect();
                prop_assert_eq!(pending, kept, "pending rows stay as they are");
            }
            withdrawn.clear();
        }
    }

    #[test]
    fn each_view_is_the_rows_filtered_and_sorted(
        history in prop::collection::vec(view_steps(), 0..80),
    ) {
        let mut table = Table::new();
        let mut rows = BTreeMap::new();
        let by_name = (Filter::default(), (Column::Name, Direction::Ascending));
        let mut views = [(); VIEWS].map(|()| Some((table.add_view(), by_name.clone())));
        // The rows that the views were settled with last, those of a removed one as well.
        let mut settled = rows.clone();
        for step in history {
            let settles = match step {
                ViewStep::Put(name, variant) => {
                    let row = row(&format!("ns{}", name % 3), &(name / 2).to_string(), variant);
                    rows.insert(row.key(), row.clone());
                    table.apply(Message::IngressModified(row), 1);
                    false
                }
                ViewStep::Delete(name) => {
                    let key = Key::new(format!("ns{}", name % 3), (name / 2).to_string());
                    rows.remove(&key);
                    table.apply(Message::IngressDeleted(key), 1);
                    false
                }
                ViewStep::Filter(view, text) => match &mut views[view] {
                    Some((id, (filter, _))) => {
                        *filter = Filter::parse(text);
                        table.set_filter(*id, filter.clone());
                        true
                    }
                    None => false,
                },
                ViewStep::Sort(view, column, direction) => match &mut views[view] {
                    Some((id, (_, sort))) => {
                        *sort = (column, direction);
                        table.set_sort(*id, column, direction);
                        true
                    }
                    None => false,
                },
                ViewStep::Settle => {
                    table.settle();
                    true
                }
                ViewStep::Toggle(view) => match views[view].take() {
                    Some((id, _)) => {
                        table.remove_view(id);
                        prop_assert!(table.lines(id).is_none());
                        false
                    }
                    None => {
                        views[view] = Some((table.add_view(), by_name.clone()));
                        true
                    }
                },
            };
            if settles {
                settled = rows.clone();
            }
            for (id, (filter, sort)) in views.iter().flatten() {
                let lines = table.lines(*id).unwrap();
                let shown: Vec<_> = lines.rows().collect();
                let keys: Vec<_> = shown.iter().map(|row| row.ingress.key()).collect();
                prop_assert_eq!(&keys, &expected_view(&settled, filter, *sort));
                for (row, key) in shown.iter().zip(&keys) {
                    prop_assert_eq!(row.deleted, !rows.contains_key(key));
                    prop_assert!(row.deleted || *row.ingress == rows[key]);
                }
                let store = table.store();
                prop_assert_eq!(store.totals(), expected_totals(&rows, &Filter::default()));
                prop_assert_eq!(store.totals_of(filter), expected_totals(&rows, filter));
                prop_assert_eq!(store.count(filter), expected_view(&rows, filter, *sort).len());
            }
        }
    }
}
