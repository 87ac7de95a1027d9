//! A client that knows nothing but its bytes, and checks what holds for every stream.

use axum::Router;
use axum::body::Body;
use futures::FutureExt as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use protocol::message::{DoneReason, NamespaceState};
use protocol::table::{Table, ViewId};
use protocol::{Ingress, Message, Scope, sse};
use tokio::task::unconstrained;
use tower::ServiceExt as _;
use tracing::debug;

use crate::Coverage;
use testkit::dash::Dash;

/// A stream's reader and the table that it has built.
pub(crate) struct Client {
    pub(crate) scope: Scope,
    table: Table,
    view: ViewId,
    stream: Option<Body>,
    parser: sse::Parser,
    /// Where the next connection goes on.
    id: Option<String>,
    /// The dashboard that gave the id out: another one does not know it.
    id_of: u64,
    /// What this connection has said.
    seen: Seen,
    /// Operations since it was last read.
    pub(crate) unread: u64,
    /// Whether the scope was chosen after the last message.
    chosen: bool,
}

#[derive(Default)]
struct Seen {
    /// Whether it began with an id of the same dashboard.
    held: bool,
    messages: u64,
    reset: bool,
    synced: bool,
    newest: Option<u64>,
    pending: bool,
}

impl Client {
    pub(crate) fn new(scope: Scope) -> Self {
        let mut table = Table::new();
        let view = table.add_view();
        table.set_scope(&scope);
        Self {
            scope,
            table,
            view,
            stream: None,
            parser: sse::Parser::default(),
            id: None,
            id_of: 0,
            seen: Seen::default(),
            unread: 0,
            chosen: false,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether this connection has said `synced` with nothing pending and nothing is known to be
    /// old.
    pub(crate) fn is_settled(&self) -> bool {
        let well = |state| matches!(state, NamespaceState::Live | NamespaceState::Forbidden);
        self.seen.synced
            && self
                .table
                .store()
                .scope_state()
                .is_none_or(|status| well(status.state))
            && self
                .table
                .store()
                .states()
                .values()
                .all(|status| well(status.state))
    }

    /// The rows, as `namespace/name` and first host.
    pub(crate) fn rows(&mut self) -> Vec<(String, String)> {
        self.table.settle();
        let lines = self.table.lines(self.view).expect("its own view");
        let mut rows: Vec<_> = lines.rows().map(|row| named(&row.ingress)).collect();
        rows.sort();
        rows
    }

    /// What is not live, for a failure's words.
    pub(crate) fn states(&self) -> String {
        format!(
            "synced: {}, whole: {:?}, namespaces: {:?}",
            self.seen.synced,
            self.table.store().scope_state(),
            self.table.store().states()
        )
    }

    /// Changes what is asked for. The id is kept, and is of the old scope: the server has to see
    /// that. Where nothing was answered since the last choice it is not, because the table has lost
    /// rows of the scope that the id may be of.
    pub(crate) fn choose(&mut self, scope: Scope) {
        self.stream = None;
        if std::mem::replace(&mut self.chosen, true) {
            self.id = None;
        }
        self.table.set_scope(&scope);
        self.scope = scope;
    }

    /// Connects to the dashboard number `dash` inside this process, with the id that it holds.
    pub(crate) async fn connect(&mut self, router: &Router, dash: u64, met: &mut Coverage) {
        let mut request = Request::get(self.path()).header("host", "localhost");
        if let Some(id) = &self.id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Body::empty()).expect("a valid request");
        let response = router
            .clone()
            .oneshot(request)
            .await
            .expect("handlers answer");
        assert_eq!(response.status(), 200);
        self.connected(response.into_body(), dash);
        // The first chunk says whether the id was taken.
        self.read(1, None, met);
    }

    /// Connects to the process that is dashboard number `number`, with the id that it holds.
    pub(crate) async fn connect_to(&mut self, dash: &Dash, number: u64) {
        let headers: Vec<_> = self
            .id
            .as_deref()
            .map(|id| ("last-event-id", id))
            .into_iter()
            .collect();
        let request = dash.request(Method::GET, &self.path(), &headers);
        let response = dash.send(request).await;
        assert_eq!(response.status(), 200);
        self.connected(Body::new(response.into_body()), number);
    }

    fn path(&self) -> String {
        let names = self.scope.names().map(|names| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!("namespaces={}", names.join(","))
        });
        format!("/api/ingresses/stream?{}", names.unwrap_or_default())
    }

    fn connected(&mut self, stream: Body, dash: u64) {
        self.stream = Some(stream);
        self.parser = sse::Parser::default();
        self.seen = Seen {
            held: self.id.is_some() && self.id_of == dash,
            ..Seen::default()
        };
        self.table.begin_stream();
        self.id_of = dash;
    }

    /// Goes away; what was read to the end of an event stays.
    pub(crate) fn leave(&mut self) {
        self.stream = None;
    }

    /// Reads what is there, at most so many chunks. With `cut` the connection breaks in the middle
    /// of the last one.
    pub(crate) fn read(&mut self, chunks: usize, cut: Option<f64>, met: &mut Coverage) {
        let away = std::mem::take(&mut self.unread);
        for chunk in 1..=chunks {
            let Some(stream) = &mut self.stream else {
                return;
            };
            // Outside of the task's budget: "not ready" has to mean that there is nothing.
            let Some(frame) = unconstrained(stream.frame()).now_or_never() else {
                return;
            };
            let Some(frame) = frame else {
                self.stream = None;
                return;
            };
            let data = frame.expect("bodies do not fail").into_data();
            let data = data.expect("there are no trailers");
            let part = match cut.filter(|_| chunk == chunks) {
                Some(part) => {
                    self.stream = None;
                    &data[..(data.len() as f64 * part) as usize]
                }
                None => &data[..],
            };
            self.take(part, away, met);
        }
    }

    fn take(&mut self, bytes: &[u8], away: u64, met: &mut Coverage) {
        let mut events = Vec::new();
        self.parser
            .push(bytes, |event| events.push(event))
            .expect("events are of bounded size");
        let rows = events.len();
        if self.seen.synced && away > 50 && rows > 1 {
            met.catch_ups += 1;
        }
        for event in events {
            let message = Message::decode(&event.data)
                .unwrap_or_else(|error| panic!("{error}: {}", event.data))
                .expect("the server sends known types only");
            debug!(to = %self.scope, id = event.id, "{}", &event.data[..event.data.len().min(120)]);
            self.check(&message, met);
            if let Some(id) = event.id {
                let replaying = self.seen.reset && !self.seen.synced;
                assert!(!replaying || id == "0", "an id before synced: {message:?}");
                self.hold(id, &message);
            }
            self.chosen = false;
            let change = self.table.apply(message, 0);
            assert_eq!(change.mismatch, None, "synced counts what is held");
            self.seen.messages += 1;
        }
    }

    fn hold(&mut self, id: String, message: &Message) {
        if id == "0" {
            assert!(matches!(message, Message::Reset(_)), "{message:?}");
            self.id = None;
            return;
        }
        let (_, revision) = id.rsplit_once('.').expect("ids have three parts");
        let revision = u64::from_str_radix(revision, 16).expect("the last part is a number");
        let newest = self.seen.newest.get_or_insert(revision);
        assert!(*newest <= revision, "ids only grow within a stream");
        *newest = revision;
        self.id = Some(id);
    }

    fn check(&mut self, message: &Message, met: &mut Coverage) {
        let first = self.seen.messages == 0;
        match message {
            Message::Reset(_) => {
                assert!(first, "reset is the first message or none");
                self.seen.reset = true;
                met.floors += u64::from(self.seen.held);
            }
            Message::IngressAdded(row) => met.exists(row, &self.scope),
            Message::IngressModified(row) => {
                met.exists(row, &self.scope);
                let held = self.table.store().get(&row.key()).is_some();
                assert!(held, "{:?} is modified and was never added", row.key());
            }
            Message::IngressDeleted(key) => assert!(self.scope.contains(&key.namespace)),
            Message::Synced(synced) => {
                assert!(!self.seen.synced, "synced is said once");
                self.seen.synced = true;
                self.seen.pending = !synced.pending.is_empty();
                met.pendings += u64::from(self.seen.pending);
                // Without a reset the id is still held.
                met.resumes += u64::from(self.id.is_some());
            }
            Message::Done(done) if done.reason == DoneReason::Resync => met.floors += 1,
            _ => {}
        }
    }
}

/// A row's identity and its content, which is its host.
pub(crate) fn named(row: &Ingress) -> (String, String) {
    let host = row.hosts.first().cloned().unwrap_or_default();
    (format!("{}/{}", row.namespace, row.name), host)
}
