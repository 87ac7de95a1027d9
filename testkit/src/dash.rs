//! The built binary as a child process, a small HTTP client, and a stream client that knows nothing
//! but the messages.
//!
//! It is one file, as each test uses the process, its requests and its log together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use protocol::message::{DoneReason, NamespaceState, NamespaceStatus, StreamError, Synced};
use protocol::{Ingress, Key, Message, sse};
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that anything is waited for. Nothing that works takes nearly as long.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The pause between two looks at what says nothing by itself.
pub const POLL: Duration = Duration::from_millis(20);

/// The dashboard that was built with the test.
#[must_use]
pub fn binary() -> PathBuf {
    let name = format!("kube-ingress-dash{}", std::env::consts::EXE_SUFFIX);
    crate::profile_folder().join(name)
}

/// A folder that goes with its value.
pub struct Folder(PathBuf);

impl Default for Folder {
    /// An empty one that no other test has.
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = crate::target_folder().join("tmp").join(name);
        fs::create_dir_all(&path).expect("the folder for temporary files is writable");
        Self(path)
    }
}

impl Folder {
    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the folder for temporary files is writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a process has written to standard error so far, and whether that was all.
#[derive(Clone, Default)]
struct Log {
    text: String,
    ended: bool,
}

/// The dashboard as a process; killed on drop.
pub struct Process {
    child: Child,
    log: watch::Receiver<Log>,
    _home: Folder,
}

impl Process {
    /// Starts the binary in an empty home with nothing but these variables and arguments.
    pub fn start(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        Self::spawn(Command::new(binary()), environment, arguments)
    }

    /// The same where the process may have no more than so many files.
    pub fn start_with_files(files: u32, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut limited = Command::new("sh");
        limited
            .arg("-c")
            .arg(format!("ulimit -n {files}; exec \"$0\" \"$@\""))
            .arg(binary());
        Self::spawn(limited, environment, arguments)
    }

    fn spawn(mut command: Command, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let home = Folder::default();
        let mut child = command
            .env_clear()
            .env("HOME", &home.0)
            .envs(environment.iter().copied())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("standard error is piped");
        let (sender, log) = watch::channel(Log::default());
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sender.send_modify(|log| {
                    log.text.push_str(&line);
                    log.text.push('\n');
                });
            }
            sender.send_modify(|log| log.ended = true);
        });
        Self {
            child,
            log,
            _home: home,
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.borrow().text.clone()
    }

    /// Waits until the log says `words`.
    pub async fn logs(&self, words: &str) -> String {
        let mut log = self.log.clone();
        let found = timeout(
            LIMIT,
            log.wait_for(|log| log.ended || log.text.contains(words)),
        )
        .await
        // What it resolves to locks the log, which is read next.
        .is_ok();
        let text = self.log();
        assert!(
            found && text.contains(words),
            "the log does not say {words:?}:\n{text}"
        );
        text
    }

    /// Waits for its end: the exit code (`None`: ended by a signal) and everything it has logged.
    pub async fn end(&mut self) -> (Option<i32>, String) {
        let mut log = self.log.clone();
        let ended = timeout(LIMIT, log.wait_for(|log| log.ended)).await.is_ok();
        assert!(ended, "the process does not end:\n{}", self.log());
        // Standard error is closed, so this takes no time.
        let status = self.child.wait().expect("the child was not waited for");
        (status.code(), self.log())
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .expect("sh starts");
        assert!(sent.success(), "SIG{name} was not sent");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A dashboard that listens.
pub struct Dash {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

/// An answer, its body read to the end.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: StatusCode,
    /// As they came.
    pub headers: HeaderMap,
    /// Whole, and as it was on the wire.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("headers are ASCII"))
    }

    /// The body of an answer with status 200.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The words of a refusal with this status, which is a problem document.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        problem["detail"]
            .as_str()
            .expect("a problem has a detail")
            .to_owned()
    }
}

impl Dash {
    /// Starts the binary on a free port and waits until it listens.
    pub async fn start(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut environment = environment.to_vec();
        if !environment.iter().any(|(name, _)| *name == "LISTEN") {
            environment.push(("LISTEN", "127.0.0.1:0"));
        }
        Self::listening(Process::start(&environment, arguments)).await
    }

    /// Waits until a process listens.
    pub async fn listening(process: Process) -> Self {
        let log = process.logs("listening on http://").await;
        let after = log
            .split("listening on http://")
            .nth(1)
            .expect("it was just found");
        let address = after.split('/').next().expect("a split has a first part");
        let mut address: SocketAddr = address
            .parse()
            .unwrap_or_else(|_| panic!("{address:?} is no address"));
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        Self { process, address }
    }

    /// Sends a request on a connection of its own and gives the answer before its body.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> http::Response<Incoming> {
        self.send_from(Ipv4Addr::LOCALHOST, request).await
    }

    /// The same from another address of this machine.
    pub async fn send_from(
        &self,
        own: Ipv4Addr,
        request: Request<Full<Bytes>>,
    ) -> http::Response<Incoming> {
        let exchange = async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket
                .bind((own, 0).into())
                .expect("all of 127.0.0.0/8 is this machine");
            let socket = socket
                .connect(self.address)
                .await
                .expect("the dashboard accepts connections");
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(socket))
                    .await
                    .expect("a handshake is local");
            tokio::spawn(connection);
            sender
                .send_request(request)
                .await
                .expect("the dashboard answers")
        };
        timeout(LIMIT, exchange)
            .await
            .expect("the dashboard answers in time")
    }

    /// A request with these headers, `host` first where it is not among them.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(Full::default())
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// One request and its whole answer.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.answer(self.request(method, path, headers)).await
    }

    /// The whole answer to a request.
    pub async fn answer(&self, request: Request<Full<Bytes>>) -> Answer {
        let (parts, body) = self.send(request).await.into_parts();
        let body = timeout(LIMIT, body.collect())
            .await
            .expect("the answer ends")
            .expect("the answer is whole");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    /// Asks again, as soon as an answer has come, until one fits.
    pub async fn get_until(&self, path: &str, fits: impl Fn(&Answer) -> bool) -> Answer {
        self.try_until(path, fits).await.unwrap_or_else(|last| {
            panic!(
                "{path} never fits; last: {}\nlog:\n{}",
                last.text(),
                self.process.log()
            )
        })
    }

    /// The same; the error is the last answer where none fits.
    pub async fn try_until(
        &self,
        path: &str,
        fits: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Box<Answer>> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = self.get(path).await;
            if fits(&answer) {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return Err(answer.into());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Opens a stream of `query` (without `?`) with an empty table.
    pub async fn stream(&self, query: &str) -> Client {
        self.stream_with(query, &[], State::default()).await
    }

    /// Opens a stream with headers and what an earlier one has left.
    pub async fn stream_with(&self, query: &str, headers: &[(&str, &str)], held: State) -> Client {
        let path = format!("/api/ingresses/stream?{query}");
        let response = self.send(self.request(Method::GET, &path, headers)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Client {
            body: response.into_body(),
            parser: sse::Parser::default(),
            log: self.process.log.clone(),
            state: State {
                messages: Vec::new(),
                done: None,
                ended: false,
                ..held
            },
        }
    }
}

/// What a client holds, built from nothing but messages.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The rows.
    pub table: BTreeMap<Key, Ingress>,
    /// The messages of this connection with their ids.
    pub messages: Vec<(Option<String>, Message)>,
    /// The newest id.
    pub id: Option<String>,
    /// The last `synced`.
    pub synced: Option<Synced>,
    /// The newest state of each namespace; the key `None` is the whole scope.
    pub states: BTreeMap<Option<String>, NamespaceStatus>,
    /// Why the server closed the stream.
    pub done: Option<DoneReason>,
    /// Whether the connection is over.
    pub ended: bool,
    /// Rows that the replay under way has named.
    replayed: Option<BTreeSet<Key>>,
}

impl State {
    /// What a client holds that has these rows from a document.
    pub fn holding(rows: Vec<Ingress>) -> Self {
        let table = rows.into_iter().map(|row| (row.key(), row)).collect();
        Self {
            table,
            ..Self::default()
        }
    }

    /// Takes one message, and checks what holds for every stream.
    fn take(&mut self, id: Option<String>, message: Message) {
        let first = self.messages.is_empty();
        let replaying = self.replayed.is_some();
        match &message {
            Message::Reset(_) => {
                assert!(first, "reset is the first message or none");
                assert_eq!(id.as_deref(), Some("0"), "reset voids the id that was held");
                self.replayed = Some(BTreeSet::new());
                self.id = None;
                self.synced = None;
            }
            Message::IngressAdded(row) => {
                if let Some(replayed) = &mut self.replayed {
                    replayed.insert(row.key());
                }
                self.table.insert(row.key(), row.clone());
            }
            Message::IngressModified(row) => {
                let held = self.table.insert(row.key(), row.clone());
                assert!(
                    held.is_some(),
                    "{:?} is modified and was never added",
                    row.key()
                );
            }
            Message::IngressDeleted(key) => {
                self.table.remove(key);
            }
            Message::Synced(synced) => {
                let pending = self.pending(synced);
                if let Some(replayed) = self.replayed.take() {
                    self.table.retain(|key, _| {
                        replayed.contains(key) || pending.contains(&key.namespace)
                    });
                }
                let known = self
                    .table
                    .keys()
                    .filter(|key| !pending.contains(&key.namespace))
                    .count();
                assert_eq!(
                    synced.count, known,
                    "synced counts the rows that the client holds"
                );
                assert!(id.is_some(), "a stream resumes from synced on");
                self.synced = Some(synced.clone());
            }
            Message::NamespaceStatus(status) => {
                self.states.insert(status.namespace.clone(), status.clone());
            }
            Message::Done(done) => self.done = Some(done.reason),
            Message::Error(_) | Message::Heartbeat(_) => {}
        }
        if let Some(new) = id.clone().filter(|id| id != "0") {
            let ends_replay = matches!(message, Message::Synced(_));
            assert!(
                !replaying || ends_replay,
                "an id between reset and synced: {message:?}"
            );
            if let Some(old) = &self.id {
                let revision = |id: &str| {
                    let digits = id.rsplit('.').next().unwrap_or_default();
                    u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("the id {id}"))
                };
                assert!(revision(&new) >= revision(old), "id {new} after {old}");
            }
            self.id = Some(new);
        }
        self.messages.push((id, message));
    }

    /// The namespaces whose rows are not known: where `synced` does not name all, each other one
    /// has said so before.
    fn pending(&self, synced: &Synced) -> BTreeSet<String> {
        let mut pending: BTreeSet<String> = synced.pending.iter().cloned().collect();
        if let Some(count) = synced.pending_count {
            let unknown = |status: &&NamespaceStatus| {
                status.count.is_none() && status.state != NamespaceState::Forbidden
            };
            let states = self.states.values().filter(unknown);
            pending.extend(states.filter_map(|status| status.namespace.clone()));
            assert_eq!(pending.len(), count, "what is not named has said so");
        }
        pending
    }

    /// A row of the table.
    pub fn row(&self, namespace: &str, name: &str) -> Option<&Ingress> {
        self.table.get(&Key::new(namespace, name))
    }

    /// Whether the table has this row.
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.row(namespace, name).is_some()
    }

    /// The names of a namespace's rows.
    pub fn names(&self, namespace: &str) -> Vec<&str> {
        let keys = self.table.keys().filter(|key| key.namespace == namespace);
        keys.map(|key| key.name.as_str()).collect()
    }

    /// Whether the whole scope, or one namespace, was last said to be in this state.
    pub fn is(&self, namespace: Option<&str>, state: NamespaceState) -> bool {
        self.states
            .get(&namespace.map(str::to_owned))
            .is_some_and(|status| status.state == state)
    }

    /// The `error` messages of this connection.
    pub fn errors(&self) -> impl Iterator<Item = &StreamError> {
        self.messages
            .iter()
            .filter_map(|(_, message)| match message {
                Message::Error(error) => Some(error),
                _ => None,
            })
    }

    /// Whether this connection began with `reset`.
    pub fn was_reset(&self) -> bool {
        matches!(self.messages.first(), Some((_, Message::Reset(_))))
    }

    /// What this connection said of rows: `+ns/name`, `~ns/name` and `-ns/name`, in order.
    pub fn changes(&self) -> Vec<String> {
        self.changes_after(0)
    }

    /// The same without the first so many messages.
    pub fn changes_after(&self, messages: usize) -> Vec<String> {
        let change = |(_, message): &(Option<String>, Message)| match message {
            Message::IngressAdded(row) => Some(format!("+{}/{}", row.namespace, row.name)),
            Message::IngressModified(row) => Some(format!("~{}/{}", row.namespace, row.name)),
            Message::IngressDeleted(key) => Some(format!("-{}/{}", key.namespace, key.name)),
            _ => None,
        };
        self.messages[messages..]
            .iter()
            .filter_map(change)
            .collect()
    }

    /// For a failed test: what was seen, rows by name only.
    fn seen(&self) -> String {
        let mut text = String::new();
        for (id, message) in &self.messages {
            let id = id.as_deref().unwrap_or("-");
            let _ = match message {
                Message::IngressAdded(row) => {
                    writeln!(text, "{id} added {}/{}", row.namespace, row.name)
                }
                Message::IngressModified(row) => {
                    writeln!(text, "{id} modified {}/{}", row.namespace, row.name)
                }
                other => writeln!(text, "{id} {}", other.encode()),
            };
        }
        text
    }
}

/// A stream that is being read.
pub struct Client {
    body: Incoming,
    parser: sse::Parser,
    log: watch::Receiver<Log>,
    /// What the client made of the messages so far.
    pub state: State,
}

impl Client {
    /// Reads until the condition holds.
    pub async fn wait_until(&mut self, what: &str, holds: impl Fn(&State) -> bool) -> &State {
        let reading = async { while !holds(&self.state) && self.read().await {} };
        let in_time = timeout(LIMIT, reading).await.is_ok();
        if !holds(&self.state) {
            let why = if in_time {
                "the stream ended"
            } else {
                "the time is up"
            };
            panic!(
                "{why}, and not {what}. Seen:\n{}\nlog:\n{}",
                self.state.seen(),
                self.log.borrow().text
            );
        }
        &self.state
    }

    /// Reads one chunk; false at the end of the stream.
    async fn read(&mut self) -> bool {
        let Some(Ok(frame)) = self.body.frame().await else {
            self.state.ended = true;
            return false;
        };
        let Ok(data) = frame.into_data() else {
            return true;
        };
        let state = &mut self.state;
        let taken = self.parser.push(&data, |event| {
            let message = Message::decode(&event.data)
                .unwrap_or_else(|error| panic!("{error}: {}", event.data));
            if let Some(message) = message {
                state.take(event.id, message);
            }
        });
        taken.expect("events are of bounded size");
        true
    }

    /// Reads until `synced`.
    pub async fn synced(&mut self) -> &State {
        self.wait_until("synced", |state| {
            state
                .messages
                .iter()
                .any(|(_, message)| matches!(message, Message::Synced(_)))
        })
        .await
    }

    /// Reads until this row is there.
    pub async fn gets(&mut self, namespace: &str, name: &str) -> &State {
        self.wait_until(&format!("{namespace}/{name} appears"), |state| {
            state.has(namespace, name)
        })
        .await
    }

    /// Reads until this row is gone.
    pub async fn loses(&mut self, namespace: &str, name: &str) -> &State {
        self.wait_until(&format!("{namespace}/{name} disappears"), |state| {
            !state.has(namespace, name)
        })
        .await
    }

    /// Reads to the end of the stream.
    pub async fn end(mut self) -> State {
        self.wait_until("the stream ends", |state| state.ended)
            .await;
        self.state
    }

    /// Closes the connection and keeps what it has told.
    pub fn close(self) -> State {
        self.state
    }

    /// The reconnection time that the stream asked for.
    pub fn retry_ms(&self) -> Option<u64> {
        self.parser.retry_ms()
    }
}
