//! What is fuzzed: each function takes any bytes and panics where a promise is broken. `cargo fuzz`
//! runs them with coverage, `server/tests/fuzz.rs` with the corpus and changes of it.

use std::collections::BTreeSet;
use std::str;
use std::sync::Arc;
use std::time::Instant;

use kube_ingress_dash::access::Viewer;
use kube_ingress_dash::catalog::Input;
use kube_ingress_dash::journal::{Journal, Revision, Start};
use kube_ingress_dash::project::ingress::project;
use kube_ingress_dash::project::key;
use protocol::scope::is_dns_label;
use protocol::sse::{Event, Parser, write_event};
use protocol::table::Table;
use protocol::{Ingress, Key, Message, Scope};
use serde_json::{Value, json};

/// Lines of names: a scope that is taken is written as it is read, and a refusal quotes little of
/// what it refuses.
pub fn scope(bytes: &[u8]) {
    const MAX: usize = 50;
    let text = String::from_utf8_lossy(bytes);
    match Scope::parse(text.lines(), MAX) {
        Ok(scope) => {
            let written = scope.to_string();
            assert_eq!(Scope::parse([written.as_str()], MAX), Ok(scope.clone()));
            if let Some(names) = scope.names() {
                assert!((1..=MAX).contains(&names.len()));
                assert!(names.iter().all(|name| is_dns_label(name)));
                assert!(names.iter().all(|name| scope.contains(name)));
            }
        }
        Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
    }
}

/// A `Last-Event-ID`: only one that was given out for this scope, and is not below its floor, is
/// gone on from. What starts with a dot follows the epoch and the scope of a real one.
pub fn id(bytes: &[u8]) {
    let journal = Journal::new("epoch".into());
    for namespace in ["a", "b"] {
        let row = Ingress {
            namespace: namespace.into(),
            name: "web".into(),
            ..Ingress::default()
        };
        journal.batch(Instant::now(), |batch| batch.upsert(Arc::new(row.into())));
    }
    journal.forget("b");
    let floor = journal.revision();
    for name in ["web", "www"] {
        let row = Ingress {
            namespace: "b".into(),
            name: name.into(),
            ..Ingress::default()
        };
        journal.batch(Instant::now(), |batch| batch.upsert(Arc::new(row.into())));
    }
    let text = String::from_utf8_lossy(bytes);
    for names in ["", "a", "b", "a,b"] {
        let scope = Viewer::default().sees(Scope::parse([names], 50).expect("these are names"));
        let given = journal.id(&scope, Revision(0));
        let (bound, _) = given.rsplit_once('.').expect("ids have parts");
        let id = match text.starts_with('.') {
            true => format!("{bound}{text}"),
            false => text.to_string(),
        };
        match journal.start(&scope, Some(&id)) {
            Start::Resume(revision) => {
                assert_eq!(id, journal.id(&scope, revision), "an id of nobody");
                assert!(revision <= journal.revision(), "an id of the future");
                assert!(names == "a" || revision >= floor, "{id} is void");
            }
            Start::Replay(revision) => assert_eq!(revision, journal.revision()),
        }
    }
}

/// A stream, its first byte saying where it is cut: the events are those of a plain reading of the
/// standard, and what one event takes is bounded.
pub fn sse(bytes: &[u8]) {
    let (step, stream) = match bytes.split_first() {
        Some((step, stream)) => (usize::from(*step).max(1), stream),
        None => return,
    };
    let expected = read_plainly(stream);
    for step in [step, 1, usize::MAX] {
        assert_eq!(read_in_chunks(stream, step), expected, "chunks of {step}");
    }

    const SMALL: usize = 32;
    let mut small = Parser::new(SMALL);
    let _ = small.push(stream, |event| {
        // A byte that is no UTF-8 becomes three.
        assert!(event.data.len() <= 3 * SMALL, "{event:?}");
    });

    let mut written = Vec::new();
    let one_line = |event: &&Event| !event.data.contains('\n');
    for event in expected.iter().filter(one_line) {
        write_event(&mut written, event.id.as_deref(), event.data.as_bytes());
    }
    let again: Vec<_> = expected.iter().filter(one_line).cloned().collect();
    assert_eq!(read_in_chunks(&written, usize::MAX), again);
}

fn read_in_chunks(stream: &[u8], step: usize) -> Vec<Event> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for chunk in stream.chunks(step) {
        let taken = parser.push(chunk, |event| events.push(event));
        taken.expect("the input is shorter than the limit");
    }
    events
}

/// "Interpreting an event stream" of the standard, all of it at once. As the parser does, it keeps
/// an id that has no data for the next event.
fn read_plainly(stream: &[u8]) -> Vec<Event> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let mut lines = vec![Vec::new()];
    let mut bytes = stream.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&&b'\n');
                lines.push(Vec::new());
            }
            b'\n' => lines.push(Vec::new()),
            _ => lines.last_mut().expect("never empty").push(*byte),
        }
    }
    // A line that has not ended is none.
    lines.pop();

    let (mut events, mut id) = (Vec::new(), None);
    let mut data: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                let data = std::mem::take(&mut data).join(&b'\n');
                events.push(Event {
                    data: String::from_utf8_lossy(&data).into_owned(),
                    id: id.take(),
                });
            }
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let field = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => data.push(value.to_vec()),
            b"id" if !value.contains(&0) => {
                id = Some(String::from_utf8_lossy(value).into_owned());
            }
            _ => {}
        }
    }
    events
}

/// An object of the Kubernetes API as JSON: what becomes a row is one for clients too, and its
/// bookkeeping changes nothing.
pub fn row(bytes: &[u8]) {
    let Ok(object) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(projected) = project(object.clone()) else {
        return;
    };
    let Input::Ingress(kept) = &projected.input;
    let row = kept.decode();
    assert_eq!(row.key(), key(&object));
    assert_eq!(kept.key, row.key());
    let hosts: BTreeSet<_> = row.hosts.iter().collect();
    assert_eq!(hosts.len(), row.hosts.len(), "hosts are told once");
    assert!(row.hosts.iter().all(|host| !host.is_empty()));
    assert_eq!(row.tls, !row.tls_entries.is_empty());
    assert!(row.hosts_with_tls() <= row.hosts.len());

    let json = str::from_utf8(&kept.json).expect("JSON is UTF-8");
    let message = format!(r#"{{"type":"ingressAdded","data":{json}}}"#);
    let told = Message::decode(&message).expect("a message of ours");
    assert_eq!(told, Some(Message::IngressAdded(row.clone())));

    let mut later = object;
    if let Some(metadata) = later.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".into(), "77".into());
        metadata.insert("managedFields".into(), json!([{"manager": "other"}]));
        let later = project(later).expect("it differs in bookkeeping only");
        let Input::Ingress(again) = &later.input;
        assert_eq!((again.decode(), later.resource_version), (row, 77));
    }
}

/// Lines that are the data of one event each: what is read is written the same, and the table holds
/// what it was told.
pub fn message(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut table = Table::new();
    let view = table.add_view();
    table.begin_stream();
    for line in text.lines() {
        let Ok(Some(message)) = Message::decode(line) else {
            continue;
        };
        let again = Message::decode(&message.encode()).expect("our own message");
        assert_eq!(again.as_ref(), Some(&message));
        let told: Option<(Key, bool)> = match &message {
            Message::IngressAdded(row) | Message::IngressModified(row) => Some((row.key(), true)),
            Message::IngressDeleted(key) => Some((key.clone(), false)),
            _ => None,
        };
        table.apply(message, 0);
        table.settle();
        if let Some((key, is_there)) = told {
            assert_eq!(table.store().get(&key).is_some(), is_there, "{key:?}");
        }
    }
    let (store, lines) = (
        table.store(),
        table.lines(view).expect("it was added above"),
    );
    assert_eq!(lines.rows().count(), lines.row_count());
    let counted: usize = store.rows_by_namespace().values().sum();
    assert_eq!(
        counted,
        lines.row_count(),
        "{:?}",
        store.rows_by_namespace()
    );
    for row in lines.rows() {
        let held = store.get(&row.ingress.key()).map(|row| row.ingress);
        assert_eq!(held, Some(row.ingress));
    }
}
