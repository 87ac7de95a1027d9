//! The journal against a model: whatever happens, a client at the tip holds what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use kube_ingress_dash::access::{Viewer, Visible};
use kube_ingress_dash::cluster::source::{FeedState, INGRESSES};
use kube_ingress_dash::journal::{Cursor, FeedError, Journal, Revision, Start, Told};
use proptest::prelude::*;
use protocol::message::{ErrorReason, NamespaceState};
use protocol::{Ingress, Key, Message, Scope, sse};

const NAMESPACES: [&str; 3] = ["a", "b", "c"];
const NAMES: [&str; 4] = ["one", "two", "three", "four"];

/// One change at a time.
trait Record {
    fn upsert(&self, row: Ingress);
    fn delete(&self, key: &Key);
}

impl Record for Journal {
    fn upsert(&self, row: Ingress) {
        self.batch(Instant::now(), |batch| batch.upsert(Arc::new(row.into())));
    }

    fn delete(&self, key: &Key) {
        self.batch(Instant::now(), |batch| batch.delete(key));
    }
}

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    Upsert {
        namespace: usize,
        name: usize,
    },
    Delete {
        namespace: usize,
        name: usize,
    },
    Forget {
        namespace: usize,
    },
    /// A client reads one write of about this many bytes.
    Read {
        client: usize,
        limit: usize,
    },
    /// The connection breaks after so many events of the next write, and the client resumes with
    /// the id that it has.
    Break {
        client: usize,
        limit: usize,
        after: usize,
    },
    /// The client starts again without an id.
    Restart {
        client: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let namespace = || 0..NAMESPACES.len();
    let name = || 0..NAMES.len();
    let client = || 0..scopes().len();
    let limit = || prop_oneof![Just(1_usize), 1..2_000_usize, Just(64 << 10)];
    let step = prop_oneof![
        6 => (namespace(), name()).prop_map(|(namespace, name)| Step::Upsert { namespace, name }),
        4 => (namespace(), name()).prop_map(|(namespace, name)| Step::Delete { namespace, name }),
        1 => namespace().prop_map(|namespace| Step::Forget { namespace }),
        6 => (client(), limit()).prop_map(|(client, limit)| Step::Read { client, limit }),
        2 => (client(), limit(), 0..6_usize).prop_map(|(client, limit, after)| Step::Break { client, limit, after }),
        1 => client().prop_map(|client| Step::Restart { client }),
    ];
    prop::collection::vec(step, 1..200)
}

fn seen(scope: Scope) -> Visible {
    Viewer::default().sees(scope)
}

fn everything() -> Visible {
    seen(Scope::All)
}

fn scopes() -> Vec<Visible> {
    let of = |names: &[&str]| {
        seen(Scope::Namespaces(
            names.iter().map(ToString::to_string).collect(),
        ))
    };
    vec![
        everything(),
        of(&["a"]),
        of(&["a", "b"]),
        of(&["b", "c"]),
        of(&["c", "missing"]),
        everything(),
        of(&[]),
    ]
}

fn row(namespace: &str, name: &str, version: usize) -> Ingress {
    Ingress {
        name: name.into(),
        namespace: namespace.into(),
        version: version.to_string(),
        hosts: vec!["h".repeat(version % 300)],
        ..Ingress::default()
    }
}

/// A client as the protocol describes it: it knows nothing but messages and ids.
struct Client {
    scope: Visible,
    table: BTreeMap<Key, Ingress>,
    id: Option<String>,
    cursor: Cursor,
    /// The rows that the replay has named so far.
    named: BTreeSet<Key>,
}

impl Client {
    fn new(scope: Visible, journal: &Journal) -> Self {
        let mut client = Self {
            scope,
            table: BTreeMap::new(),
            id: None,
            cursor: Cursor::default(),
            named: BTreeSet::new(),
        };
        client.connect(journal);
        client
    }

    fn connect(&mut self, journal: &Journal) {
        match journal.start(&self.scope, self.id.as_deref()) {
            Start::Resume(revision) => self.cursor = Cursor::at(revision),
            Start::Replay(revision) => {
                self.cursor = Cursor::replay(revision);
                self.named.clear();
                self.id = None;
            }
        }
    }

    /// Reads one write, of which only the first `most` events arrive; whether there is no more to
    /// read.
    fn read(&mut self, journal: &Journal, limit: usize, most: usize) -> bool {
        let replaying = self.cursor.replay;
        let Some(write) = journal.read(&self.scope, self.cursor, limit) else {
            // What the server says is `done`, `resync`; the id that the client has is too old by
            // now.
            self.connect(journal);
            assert!(
                self.cursor.replay.is_some(),
                "an id that cannot be read from cannot be resumed"
            );
            return false;
        };
        let mut events = Vec::new();
        sse::Parser::default()
            .push(&write.bytes, |event| events.push(event))
            .expect("events are small");
        assert_eq!(events.len() as u64, write.messages);
        assert!(write.cursor.at >= self.cursor.at);
        for (index, event) in events.iter().enumerate().take(most) {
            let last = index + 1 == events.len();
            let carries_id = last && replaying.is_none() && write.complete;
            assert_eq!(
                event.id.is_some(),
                carries_id,
                "the last event that leads to the tip, but of a replay, carries the id"
            );
            self.take(Message::decode(&event.data).expect("valid").expect("known"));
            self.id = event.id.clone().or(self.id.take());
        }
        self.cursor = write.cursor;
        if write.complete && self.cursor.replay.take().is_some() {
            self.table.retain(|key, _| self.named.contains(key));
            self.id = Some(journal.id(&self.scope, self.cursor.at));
        }
        write.complete && write.cursor.at == journal.revision()
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::IngressAdded(row) => {
                assert!(self.scope.contains(&row.namespace));
                if self.cursor.replay.is_some() {
                    self.named.insert(row.key());
                }
                self.table.insert(row.key(), row);
            }
            Message::IngressModified(row) => {
                let held = self.table.insert(row.key(), row);
                assert!(held.is_some(), "modified, and never added: {held:?}");
            }
            Message::IngressDeleted(key) => {
                assert!(self.scope.contains(&key.namespace));
                self.table.remove(&key);
            }
            other => panic!("the journal writes rows only: {other:?}"),
        }
    }
}

/// What there is, and how many changes led to it.
#[derive(Default)]
struct Model {
    rows: BTreeMap<Key, Ingress>,
    changes: u64,
}

impl Model {
    fn of(&self, scope: &Visible) -> BTreeMap<Key, Ingress> {
        let within = self
            .rows
            .iter()
            .filter(|(key, _)| scope.contains(&key.namespace));
        within
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_at_the_tip_holds_what_there_is(steps in steps()) {
        let journal = Journal::new("epoch".into());
        let mut model = Model::default();
        let mut clients: Vec<_> = scopes().into_iter().map(|scope| Client::new(scope, &journal)).collect();
        for (version, step) in steps.into_iter().enumerate() {
            match step {
                Step::Upsert { namespace, name } => {
                    let row = row(NAMESPACES[namespace], NAMES[name], version);
                    model.rows.insert(row.key(), row.clone());
                    model.changes += 1;
                    journal.upsert(row);
                }
                Step::Delete { namespace, name } => {
                    let key = Key::new(NAMESPACES[namespace], NAMES[name]);
                    model.changes += u64::from(model.rows.remove(&key).is_some());
                    journal.delete(&key);
                }
                Step::Forget { namespace } => {
                    model.rows.retain(|key, _| key.namespace != NAMESPACES[namespace]);
                    journal.forget(NAMESPACES[namespace]);
                }
                Step::Read { client, limit } => {
                    let client = &mut clients[client];
                    if client.read(&journal, limit, usize::MAX) {
                        prop_assert_eq!(&client.table, &model.of(&client.scope));
                    }
                }
                Step::Break { client, limit, after } => {
                    let client = &mut clients[client];
                    // A connection that breaks before the end of a replay has no id to resume with.
                    let replaying = client.cursor.replay.is_some();
                    let id = client.id.clone();
                    client.read(&journal, limit, after);
                    if client.id.is_none() || replaying {
                        client.id = id;
                    }
                    client.connect(&journal);
                }
                Step::Restart { client } => {
                    clients[client].id = None;
                    clients[client].connect(&journal);
                }
            }
            prop_assert_eq!(journal.len(), model.rows.len());
            // What is kept of all rows is what they are.
            let (_, mut rows) = journal.rows(&everything());
            rows.sort_by(|a, b| (&a.key.name, &a.key.namespace).cmp(&(&b.key.name, &b.key.namespace)));
            prop_assert_eq!(&journal.first_rows(&everything(), 0, usize::MAX), &rows);
            let everywhere = seen(Scope::Namespaces(NAMESPACES.map(String::from).into()));
            prop_assert_eq!(journal.summary(&everything(), 9), journal.summary(&everywhere, 9));
            prop_assert_eq!(&journal.first_rows(&everywhere, 0, usize::MAX), &rows);
            for (key, row) in &model.rows {
                let held = journal.row(&everything(), key).map(|row| row.decode());
                prop_assert_eq!(held.as_ref(), Some(row));
            }
            prop_assert_eq!(journal.row(&everything(), &Key::new("none", "none")), None);
            prop_assert_eq!(journal.encodings(), model.changes, "a change is encoded once, whoever listens");
        }
        for client in &mut clients {
            while !client.read(&journal, 300, usize::MAX) {}
            prop_assert_eq!(&client.table, &model.of(&client.scope));
            let (_, rows) = journal.rows(&client.scope);
            let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key.clone(), row.decode())).collect();
            prop_assert_eq!(&client.table, &rows);
        }
    }
}

#[test]
fn ids_of_other_scopes_and_processes_are_replayed() {
    let journal = Journal::new("epoch".into());
    journal.upsert(row("a", "one", 1));
    let all = seen(Scope::All);
    let one = scopes()[1].clone();
    let other = Journal::new("other".into());
    other.upsert(row("a", "one", 1));
    assert_eq!(
        journal.start(&all, Some(&journal.id(&all, Revision(1)))),
        Start::Resume(Revision(1))
    );
    let id = journal.id(&all, Revision(1));
    let (bound, _) = id.rsplit_once('.').unwrap();
    for id in [
        journal.id(&one, Revision(1)),
        other.id(&all, Revision(1)),
        journal.id(&all, Revision(2)),
        // Forms of 1 that no id has.
        format!("{bound}.01"),
        format!("{bound}.+1"),
        "0".into(),
        String::new(),
        "epoch".into(),
        "..".into(),
    ] {
        assert_eq!(
            journal.start(&all, Some(&id)),
            Start::Replay(Revision(1)),
            "{id}"
        );
    }
}

#[test]
fn a_namespace_that_is_let_go_costs_nobody_else_the_stream() {
    let journal = Journal::new("epoch".into());
    journal.upsert(row("a", "one", 1));
    let scope = |name: &str| seen(Scope::parse([name], 9).unwrap());
    let [all, a, b] = [seen(Scope::All), scope("a"), scope("b")];
    let start = |scope: &Visible| journal.start(scope, Some(&journal.id(scope, Revision(1))));
    // Made up, or without rows: there was nothing to miss.
    for name in ["made-up", "b"] {
        journal.forget(name);
        for scope in [&all, &a, &b] {
            assert_eq!(start(scope), Start::Resume(Revision(1)), "{name}");
        }
    }
    journal.forget("a");
    assert_eq!(start(&b), Start::Resume(Revision(1)));
    // Its row went without a word.
    for scope in [&all, &a] {
        assert_eq!(start(scope), Start::Replay(Revision(2)));
    }
    // Its rows come back, and an id from before stays void.
    journal.upsert(row("a", "two", 2));
    assert_eq!(start(&a), Start::Replay(Revision(3)));
}

#[test]
fn a_namespace_that_goes_after_its_rows_voids_only_ids_from_before() {
    let journal = Journal::new("epoch".into());
    let all = seen(Scope::All);
    let a = scopes()[1].clone();
    journal.upsert(row("b", "one", 1));
    journal.upsert(row("a", "one", 1));
    journal.delete(&Key::new("a", "one"));
    journal.upsert(row("b", "two", 1));
    journal.forget("a");
    for scope in [&all, &a] {
        let start = |at| journal.start(scope, Some(&journal.id(scope, Revision(at))));
        assert_eq!(
            start(2),
            Start::Replay(Revision(4)),
            "the delete is not known any more"
        );
        for revision in [3, 4] {
            assert_eq!(start(revision), Start::Resume(Revision(revision)));
        }
        assert!(
            journal
                .read(scope, Cursor::at(Revision(3)), 1 << 10)
                .is_some()
        );
        assert!(
            journal
                .read(scope, Cursor::at(Revision(2)), 1 << 10)
                .is_none()
        );
    }
}

#[test]
fn a_delete_is_told_also_where_the_row_is_made_again() {
    let journal = Journal::new("epoch".into());
    let all = seen(Scope::All);
    let told = |at, replay: Option<u64>| {
        let cursor = Cursor {
            replay: replay.map(Revision),
            ..Cursor::at(Revision(at))
        };
        let write = journal.read(&all, cursor, 1 << 10).unwrap();
        let mut told = Vec::new();
        sse::Parser::default()
            .push(&write.bytes, |event| {
                let message = Message::decode(&event.data).unwrap().unwrap();
                told.push((message, event.id.is_some()));
            })
            .unwrap();
        assert_eq!(told.len() as u64, write.messages);
        told
    };
    journal.upsert(row("a", "one", 1));
    journal.delete(&Key::new("a", "one"));
    journal.upsert(row("a", "one", 2));
    journal.upsert(row("a", "one", 3));
    let deleted = || Message::IngressDeleted(Key::new("a", "one"));
    let added = || Message::IngressAdded(row("a", "one", 3));
    assert_eq!(told(1, None), [(deleted(), false), (added(), true)]);
    assert_eq!(
        told(2, None),
        [(added(), true)],
        "it has heard of the delete"
    );
    let changed = Message::IngressModified(row("a", "one", 3));
    assert_eq!(told(3, None), [(changed, true)]);
    assert_eq!(
        told(0, Some(4)),
        [(added(), false)],
        "a replay is of what there is"
    );
    assert_eq!(told(0, Some(1)), [(deleted(), false), (added(), false)]);
}

/// The namespaces that are told, with their states, in writes of so many bytes.
fn told(journal: &Journal, scope: &Visible, told: &mut Told, limit: usize) -> Vec<Vec<String>> {
    let mut writes = Vec::new();
    loop {
        let tip = journal
            .tip(scope, journal.revision(), *told, limit)
            .expect("the journal reaches back to its own revision");
        *told = tip.statuses.told;
        let of = |message: &Message| match message {
            Message::NamespaceStatus(status) => {
                let name = status.namespace.as_deref().unwrap_or("*");
                Some(format!("{name} {:?}", status.state))
            }
            _ => None,
        };
        writes.push(tip.statuses.messages.iter().filter_map(of).collect());
        if tip.statuses.complete {
            return writes;
        }
        assert!(tip.readiness.is_none(), "states come before synced");
    }
}

fn namespaced(names: &[&str]) -> Journal {
    let journal = Journal::new("epoch".into());
    journal.set_cluster_wide(false);
    journal.set_universe(&names.iter().map(ToString::to_string).collect());
    journal
}

fn failure(text: &str) -> FeedError {
    FeedError {
        reason: ErrorReason::Unreachable,
        text: text.into(),
        retry_at: None,
        missing: None,
    }
}

#[test]
fn states_are_told_in_bounded_writes_each_once() {
    let names: Vec<_> = (0..300).map(|index| format!("n{index:03}")).collect();
    let journal = namespaced(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let fail = |name: &str| {
        let error = Some(failure("no answer"));
        journal.set_status(INGRESSES, Some(name), FeedState::Retrying, false, error);
    };
    for name in &names {
        fail(name);
    }
    let mut at = Told::default();
    let writes = told(&journal, &everything(), &mut at, 64 << 10);
    assert!(writes.len() > 3, "{}", writes.len());
    let all: Vec<_> = names
        .iter()
        .map(|name| format!("{name} Retrying"))
        .collect();
    assert_eq!(writes.concat(), all);
    let tip = journal
        .tip(&everything(), journal.revision(), at, 1)
        .unwrap();
    let bytes: usize = tip
        .statuses
        .messages
        .iter()
        .map(|message| message.encode().len())
        .sum();
    assert_eq!(bytes, 0);
    let pending = tip.readiness.unwrap().pending;
    assert_eq!((pending.names.len(), pending.count), (100, Some(300)));

    // What changes between two writes is told as it is then, and what is live to a new client not
    // at all.
    let mut at = Told::default();
    let first = journal
        .tip(&everything(), journal.revision(), at, 1)
        .unwrap();
    at = first.statuses.told;
    journal.set_status(INGRESSES, Some("n000"), FeedState::Live, true, None);
    journal.set_status(INGRESSES, Some("n001"), FeedState::Live, true, None);
    let rest = told(&journal, &everything(), &mut at, 64 << 10).concat();
    assert_eq!((rest.len(), &*rest[298]), (300, "n000 Live"), "{rest:?}");
    let fresh = told(&journal, &everything(), &mut Told::default(), 64 << 10).concat();
    assert_eq!(fresh.len(), 298);
}

#[test]
fn a_write_of_states_is_no_longer_than_one_of_rows() {
    let names: Vec<_> = (0..2_000).map(|index| format!("{index:063}")).collect();
    let journal = namespaced(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        let error = Some(failure(&"x".repeat(name.len() * 5)));
        journal.set_status(INGRESSES, Some(name), FeedState::Retrying, false, error);
    }
    let mut at = Told::default();
    let mut writes = 0;
    loop {
        let tip = journal
            .tip(&everything(), journal.revision(), at, 64 << 10)
            .unwrap();
        let mut bytes = Vec::new();
        for message in &tip.statuses.messages {
            sse::write_event(&mut bytes, None, message.encode().as_bytes());
        }
        assert!(bytes.len() <= 64 << 10, "{}", bytes.len());
        at = tip.statuses.told;
        writes += 1;
        if tip.statuses.complete {
            break;
        }
    }
    assert!(writes > 10);
}

#[test]
fn who_may_see_nothing_is_told_nothing() {
    let journal = Journal::default();
    journal.upsert(row("a", "one", 1));
    journal.set_status(INGRESSES, None, FeedState::Live, true, None);
    let nothing = seen(Scope::Namespaces(BTreeSet::new()));
    let key = Key::new("a", "one");

    assert_eq!(journal.rows(&nothing).1, []);
    assert_eq!(journal.first_rows(&nothing, 0, 9), []);
    assert_eq!(journal.count(&nothing), 0);
    assert_eq!(journal.summary(&nothing, 9).rows, 0);
    assert_eq!(
        (
            journal.row(&nothing, &key),
            journal.revision_of(&nothing, &key)
        ),
        (None, Revision(0))
    );
    assert_eq!(journal.namespace_states(&nothing).len(), 0);
    assert!(journal.row(&everything(), &key).is_some());
    assert_eq!(journal.namespace_states(&everything()).len(), 1);
    let write = journal
        .read(&nothing, Cursor::replay(Revision(0)), 64 << 10)
        .unwrap();
    assert!(write.bytes.is_empty() && write.complete);
    assert_eq!(journal.readiness(&nothing).unwrap().count, 0);
    // An id of everything does not resume there, nor the other way round.
    for (of, held) in [(&nothing, &everything()), (&everything(), &nothing)] {
        let start = journal.start(of, Some(&journal.id(held, Revision(1))));
        assert!(matches!(start, Start::Replay(_)), "{start:?}");
    }
    let journal = Arc::new(journal);
    let subscription = journal.subscribe(&nothing);
    journal.upsert(row("a", "two", 1));
    assert!(subscription.changed().now_or_never().is_none());
}

#[test]
fn a_name_that_does_not_exist_is_told_to_those_who_asked_for_it() {
    let journal = namespaced(&["real"]);
    let asked = seen(Scope::parse(["real,made-up"], 9).unwrap());
    let [mut of_all, mut of_asked] = [Told::default(); 2];
    told(&journal, &everything(), &mut of_all, 1 << 10);
    told(&journal, &asked, &mut of_asked, 1 << 10);
    for name in ["real", "made-up"] {
        journal.set_status(
            INGRESSES,
            Some(name),
            FeedState::Retrying,
            false,
            Some(failure("x")),
        );
    }
    let real = || vec!["real Retrying".to_owned()];
    let both = || vec!["real Retrying".to_owned(), "made-up Retrying".to_owned()];
    assert_eq!(
        told(&journal, &everything(), &mut of_all, 1 << 10).concat(),
        real()
    );
    assert_eq!(
        told(&journal, &asked, &mut of_asked, 1 << 10).concat(),
        both()
    );
    assert_eq!(
        told(&journal, &everything(), &mut Told::default(), 1 << 10).concat(),
        real()
    );
    assert_eq!(journal.not_live(&everything()).0.len(), 1);
    assert_eq!(journal.not_live(&asked).0.len(), 2);
    assert_eq!(
        journal
            .namespace_states(&everything())
            .into_keys()
            .collect::<Vec<_>>(),
        ["real"]
    );
    // Once it exists it is everybody's.
    journal.set_universe(&["real", "made-up"].map(str::to_owned).into());
    let told_now = told(&journal, &everything(), &mut of_all, 1 << 10).concat();
    assert_eq!(told_now, ["made-up Retrying"]);
    // And where it is gone, nothing is wrong with it.
    journal.set_universe(&["real".to_owned()].into());
    journal.forget("made-up");
    let told_now = told(&journal, &everything(), &mut of_all, 1 << 10).concat();
    assert_eq!(told_now, ["made-up Live"]);
    assert_eq!(
        told(&journal, &everything(), &mut Told::default(), 1 << 10).concat(),
        real()
    );
}

#[test]
fn what_is_not_watched_is_no_watch_and_forgotten_with_who_asked() {
    let journal = namespaced(&["a"]);
    journal.set_status(INGRESSES, Some("a"), FeedState::Live, true, None);
    for name in ["b", "c"] {
        journal.leave_out(INGRESSES, name, failure("MAX_WATCHES"));
    }
    let counts = |journal: &Journal| journal.feeds_by_state();
    assert_eq!(counts(&journal), [(NamespaceState::Live, 1)].into());
    let asked = seen(Scope::parse(["b,c"], 9).unwrap());
    assert_eq!(journal.not_live(&asked).0.len(), 2);
    journal.forget_left_out(&["b".to_owned()].into());
    assert_eq!(journal.not_live(&asked).0.len(), 1);
}

#[test]
fn a_stalled_client_is_told_each_row_once_however_often_it_changed() {
    let journal = Journal::new("epoch".into());
    let mut client = Client::new(everything(), &journal);
    assert!(client.read(&journal, 1 << 20, usize::MAX));
    for version in 0..1_000 {
        journal.upsert(row("a", NAMES[version % NAMES.len()], version));
    }
    let write = journal.read(&client.scope, client.cursor, 1 << 20).unwrap();
    assert_eq!((write.messages, write.complete), (NAMES.len() as u64, true));
}

#[test]
fn a_row_that_moves_up_while_a_client_catches_up_is_an_addition_to_it() {
    let journal = Journal::new("epoch".into());
    let mut client = Client::new(everything(), &journal);
    assert!(client.read(&journal, 1, usize::MAX));
    for name in ["one", "two", "one"] {
        journal.upsert(row("a", name, 1));
    }
    // Writes of one event each: `two`, and then `one`, which appeared before `two` and is not there
    // yet.
    assert!(!client.read(&journal, 1, usize::MAX));
    assert!(client.read(&journal, 1, usize::MAX));
    assert_eq!(client.table.len(), 2);
}

#[test]
fn an_id_from_before_more_deletes_than_are_kept_is_replayed() {
    let journal = Journal::new("epoch".into());
    let deleted = |index: usize| Key::new("a", format!("n{index}"));
    journal.upsert(row("b", "one", 0));
    let id = |scope: &Visible| journal.id(scope, journal.revision());
    let (all, a, b) = (seen(Scope::All), scopes()[1].clone(), scopes()[3].clone());
    let before = [id(&all), id(&a), id(&b)];
    for index in 0..20_001 {
        journal.upsert(Ingress {
            name: deleted(index).name,
            ..row("a", "", 0)
        });
        journal.delete(&deleted(index));
    }
    let tip = journal.revision();
    assert_eq!(journal.start(&all, Some(&before[0])), Start::Replay(tip));
    assert_eq!(journal.start(&a, Some(&before[1])), Start::Replay(tip));
    assert!(
        matches!(journal.start(&b, Some(&before[2])), Start::Resume(_)),
        "another namespace's deletes cost nothing"
    );
    assert!(
        journal
            .read(&all, Cursor::at(Revision(1)), 1 << 10)
            .is_none(),
        "a cursor that missed a delete does not go on"
    );
    let mut fresh = Client::new(everything(), &journal);
    while !fresh.read(&journal, 64 << 10, usize::MAX) {}
    assert_eq!(fresh.table.len(), 1);
}

#[tokio::test]
async fn what_came_together_wakes_those_it_concerns_once() {
    let journal = Arc::new(Journal::new("epoch".into()));
    let [everything, a, c] = [everything(), scopes()[1].clone(), scopes()[3].clone()]
        .map(|scope| journal.subscribe(&scope));
    let concerned = journal.batch(Instant::now(), |batch| {
        batch.upsert(Arc::new(row("a", "one", 1).into()));
        batch.upsert(Arc::new(row("a", "two", 1).into()));
        batch.delete(&Key::new("a", "one"));
    });
    assert_eq!(concerned, 2);
    for (subscription, times) in [(everything, 1), (a, 1), (c, 0)] {
        let woken = iter::from_fn(|| subscription.changed().now_or_never());
        assert_eq!(woken.count(), times);
    }
}

#[test]
fn clients_at_one_place_are_given_the_same_bytes() {
    let journal = Journal::new("epoch".into());
    let scope = seen(Scope::All);
    let read = |base, limit| {
        let cursor = Cursor {
            base: Revision(base),
            ..Cursor::at(Revision(1))
        };
        journal.read(&scope, cursor, limit).unwrap()
    };
    for name in ["zero", "one", "two"] {
        journal.upsert(row("a", name, 1));
    }
    for limit in [1, 1 << 10] {
        assert_eq!(read(1, limit).bytes.as_ptr(), read(1, limit).bytes.as_ptr());
    }
    assert_ne!(
        read(0, 1 << 10).bytes,
        read(2, 1 << 10).bytes,
        "what is new to one is not new to the other"
    );

    journal.upsert(row("a", "one", 2));
    let write = read(1, 1 << 10);
    assert_eq!(
        (write.cursor.at, write.messages),
        (Revision(4), 2),
        "the newest state, not the way to it"
    );
}
