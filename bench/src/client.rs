//! Many stream clients in one process: a task and a socket each, which parse their bytes with
//! `protocol` and keep a table.
//!
//! Where the text of a row is the same for many clients it is decoded once; each client still
//! reads, frames and digests every byte that it gets, and keeps its own table.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use foldhash::fast::RandomState;
use protocol::{Message, Scope, sse};
use simulator::Cluster;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::expected::{self, CHANGE, Expected, Table};
use crate::http::{self, Answer};

/// Nothing that works takes nearly as long.
const LIMIT: Duration = Duration::from_secs(90);
/// The pause before a connection that ended is replaced, and between two looks at tables.
const PAUSE: Duration = Duration::from_millis(50);
/// The kernel doubles it. Left to itself it grows with what is read, to megabytes, and a client
/// that stalls would cost what it holds itself.
const RECEIVE_BUFFER: u32 = 64 << 10;
/// How many connections a client makes before it gives up.
const CONNECTIONS: u32 = 20;
/// Rows whose text is remembered; more than any scenario has at a time.
const REMEMBERED: usize = 50_000;

/// Clients that do the same: they connect, reconnect with the last id when they are cut, and end on
/// drop.
pub(crate) struct Fleet {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
    stalled: watch::Sender<bool>,
}

struct Shared {
    address: SocketAddr,
    clients: Vec<Mutex<Client>>,
    /// One buffer for all: they run on one thread.
    reader: Mutex<Reader>,
    progress: Mutex<Progress>,
    progressed: Condvar,
    /// How many may be between connecting and the head of the answer.
    connecting: Semaphore,
}

struct Reader {
    buffer: Box<[u8]>,
    rows: Rows,
}

/// What the texts of rows mean.
#[derive(Default)]
struct Rows {
    hasher: RandomState,
    seen: HashMap<u64, Row, RandomState>,
    /// The last event that was decoded.
    last: sse::Event,
}

#[derive(Clone, Copy)]
struct Row {
    key: u64,
    digest: u64,
    /// The number of the change that made it; 0 for none.
    change: u32,
}

#[derive(Default)]
struct Progress {
    synced: usize,
    /// The changes that are being waited for.
    changes: HashMap<u32, Arrivals>,
    /// Arrivals still to come, of all those changes.
    outstanding: usize,
    frames: u64,
    connections: u32,
    failure: Option<String>,
}

struct Arrivals {
    since: Instant,
    wanted: usize,
    after: Vec<Duration>,
}

/// One client's state. All of it outlives a connection but for `answer` and `parser`.
struct Client {
    scope: Scope,
    answer: Answer,
    parser: sse::Parser,
    table: Table,
    id: Option<String>,
    synced: bool,
}

impl Fleet {
    /// Starts one client for each scope; at most so many connect at the same time.
    pub(crate) fn connect(
        runtime: &Handle,
        address: SocketAddr,
        scopes: impl IntoIterator<Item = Scope>,
        at_once: usize,
    ) -> Self {
        let nothing = (Table::default(), None);
        Self::resume(runtime, address, scopes, at_once, nothing)
    }

    /// The same for clients that hold a table already, and its id.
    pub(crate) fn resume(
        runtime: &Handle,
        address: SocketAddr,
        scopes: impl IntoIterator<Item = Scope>,
        at_once: usize,
        (table, id): (Table, Option<String>),
    ) -> Self {
        let client = |scope| {
            Mutex::new(Client {
                scope,
                answer: Answer::default(),
                parser: sse::Parser::default(),
                table: table.clone(),
                id: id.clone(),
                synced: false,
            })
        };
        let shared = Arc::new(Shared {
            address,
            clients: scopes.into_iter().map(client).collect(),
            reader: Mutex::new(Reader {
                buffer: vec![0; 64 << 10].into(),
                rows: Rows::default(),
            }),
            progress: Mutex::default(),
            progressed: Condvar::new(),
            connecting: Semaphore::new(at_once),
        });
        let stalled = watch::Sender::new(false);
        let start = |index| runtime.spawn(run(shared.clone(), index, stalled.subscribe()));
        let tasks = (0..shared.clients.len()).map(start).collect();
        Self {
            shared,
            tasks,
            stalled,
        }
    }

    /// How many clients there are.
    pub(crate) fn len(&self) -> usize {
        self.shared.clients.len()
    }

    /// Waits until every client has had `synced`.
    pub(crate) fn synced(&self) -> Result<()> {
        let clients = self.shared.clients.len();
        self.wait("every client is synced", |progress| {
            progress.synced == clients
        })
    }

    /// The clock of this change starts, and this many clients are to see it.
    pub(crate) fn expect(&self, change: u32, wanted: usize) {
        let mut progress = lock(&self.shared.progress);
        progress.outstanding += wanted;
        let arrivals = Arrivals {
            since: Instant::now(),
            wanted,
            after: Vec::with_capacity(wanted),
        };
        progress.changes.insert(change, arrivals);
    }

    /// Waits until everybody has what is expected: for each change, in order, how long each client
    /// waited, ascending.
    pub(crate) fn arrivals(&self) -> Result<Vec<Vec<Duration>>> {
        self.wait("every change has arrived", |progress| {
            progress.outstanding == 0
        })?;
        let changes = std::mem::take(&mut lock(&self.shared.progress).changes);
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_unstable_by_key(|(change, _)| *change);
        let sorted = changes.into_iter().map(|(_, mut arrivals)| {
            arrivals.after.sort_unstable();
            arrivals.after
        });
        Ok(sorted.collect())
    }

    /// The clients stop reading, or go on.
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }

    /// Row messages that all clients have taken so far.
    pub(crate) fn frames(&self) -> u64 {
        lock(&self.shared.progress).frames
    }

    /// How often a connection had to be replaced.
    pub(crate) fn reconnects(&self) -> usize {
        lock(&self.shared.progress).connections as usize - self.shared.clients.len()
    }

    /// The last row that any client decoded.
    pub(crate) fn last_row(&self) -> sse::Event {
        lock(&self.shared.reader).rows.last.clone()
    }

    /// Waits until every client's table is what the cluster lists; an error says how they differ.
    pub(crate) fn check(&self, cluster: &Cluster) -> Result<()> {
        match self.reconnects() {
            0 => {}
            count => eprintln!("  {count} connections had to be replaced"),
        }
        self.check_within(cluster, LIMIT)
    }

    fn check_within(&self, cluster: &Cluster, limit: Duration) -> Result<()> {
        let expected = Expected::of(cluster);
        let deadline = Instant::now() + limit;
        let mut wrong: Vec<_> = (0..self.shared.clients.len()).collect();
        loop {
            let mut difference = None;
            wrong.retain(|&index| {
                let client = lock(&self.shared.clients[index]);
                let differs = expected.difference(&client.scope, &client.table);
                let is_wrong = differs.is_some();
                difference = difference.take().or(differs);
                is_wrong
            });
            if let Some(failure) = &lock(&self.shared.progress).failure {
                bail!("{failure}");
            }
            let Some(difference) = difference else {
                return Ok(());
            };
            if Instant::now() > deadline {
                let clients = self.shared.clients.len();
                bail!(
                    "WRONG TABLES: {} of {clients} clients; the first: {difference}",
                    wrong.len()
                );
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn wait(&self, what: &str, done: impl Fn(&Progress) -> bool) -> Result<()> {
        let open = |progress: &mut Progress| progress.failure.is_none() && !done(progress);
        let (progress, _) = self
            .shared
            .progressed
            .wait_timeout_while(lock(&self.shared.progress), LIMIT, open)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = &progress.failure {
            bail!("{failure}");
        }
        if !done(&progress) {
            let (synced, clients) = (progress.synced, self.shared.clients.len());
            bail!(
                "after {LIMIT:?} it is not so that {what}: {synced} of {clients} clients are synced, {} arrivals are \
                 outstanding",
                progress.outstanding
            );
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A lock is never held by a thread that panics, or the run is lost anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One client's life: a connection, and a new one with the last id whenever it ends.
async fn run(shared: Arc<Shared>, index: usize, mut stalled: watch::Receiver<bool>) {
    let mut end = "no connection was made".to_owned();
    for attempt in 0..CONNECTIONS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if stalled.wait_for(|stalled| !stalled).await.is_err() {
            return;
        }
        match connection(&shared, index, &mut stalled).await {
            Ok(()) => "the server closed the stream".clone_into(&mut end),
            Err(error) => end = format!("{error:#}"),
        }
        let mut client = lock(&shared.clients[index]);
        if std::mem::take(&mut client.synced) {
            lock(&shared.progress).synced -= 1;
        }
    }
    shared.fail(format!(
        "client {index} had {CONNECTIONS} connections; the last: {end}"
    ));
}

/// One connection, from its start to its end.
async fn connection(
    shared: &Shared,
    index: usize,
    stalled: &mut watch::Receiver<bool>,
) -> Result<()> {
    let mut place = Some(shared.connecting.acquire().await?);
    let request = {
        let mut client = lock(&shared.clients[index]);
        client.answer = Answer::default();
        client.parser = sse::Parser::default();
        let path = format!("/api/ingresses/stream?namespaces={}", client.scope);
        http::get(shared.address, &path, client.id.as_deref())
    };
    lock(&shared.progress).connections += 1;
    let mut socket = open(shared.address, index).await?;
    socket.write_all(request.as_bytes()).await?;
    loop {
        socket.ready(Interest::READABLE).await?;
        // It is looked at before each read, so that a read is all that a change costs.
        if *stalled.borrow() {
            stalled.wait_for(|stalled| !stalled).await?;
        }
        if !shared.read(index, &socket)? {
            return Ok(());
        }
        if place.is_some() && lock(&shared.clients[index]).answer.is_ok() {
            place.take();
        }
    }
}

/// A connection from one of eight addresses: one of them has ports for 28,000.
async fn open(address: SocketAddr, index: usize) -> Result<TcpStream> {
    let source = [127, 0, 0, 2 + (index % 8) as u8];
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(SocketAddr::from((source, 0)))?;
    let socket = socket.connect(address).await.context("cannot connect")?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl Shared {
    /// Takes what the socket has; false at its end.
    fn read(&self, index: usize, socket: &TcpStream) -> Result<bool> {
        let mut reader = lock(&self.reader);
        let Reader { buffer, rows } = &mut *reader;
        let bytes = match socket.try_read(buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => &buffer[..length],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let now = Instant::now();
        let mut client = lock(&self.clients[index]);
        let Client { answer, parser, .. } = &mut *client;
        let mut events = Vec::new();
        let parsed = answer.push(bytes, |body| {
            Ok(parser.push(body, |event| events.push(event))?)
        });
        let mut events = events.into_iter();
        let taken = parsed
            .and_then(|()| events.try_for_each(|event| self.take(&mut client, rows, event, now)));
        // What cannot be read is no reason to connect again: it is wrong.
        if let Err(error) = taken {
            self.fail(format!("client {index}: {error:#}"));
            return Ok(false);
        }
        Ok(true)
    }

    /// The first failure ends all waiting.
    fn fail(&self, failure: String) {
        lock(&self.progress).failure.get_or_insert(failure);
        self.progressed.notify_all();
    }

    fn take(
        &self,
        client: &mut Client,
        rows: &mut Rows,
        event: sse::Event,
        now: Instant,
    ) -> Result<()> {
        if let Some(row) = rows.read(&event)? {
            client.table.insert(row.key, row.digest);
            let mut progress = lock(&self.progress);
            progress.frames += 1;
            if row.change > 0 && progress.arrived(row.change, now) {
                self.progressed.notify_all();
            }
        } else {
            match Message::decode(&event.data)? {
                Some(Message::IngressDeleted(key)) => {
                    client.table.remove(&expected::key_digest(&key));
                    lock(&self.progress).frames += 1;
                }
                Some(Message::Reset(_)) => client.table.clear(),
                Some(Message::Synced(synced)) => {
                    let held = client.table.len();
                    if synced.pending.is_empty() && synced.count != held {
                        bail!(
                            "WRONG TABLE: synced says {} rows, held are {held}",
                            synced.count
                        );
                    }
                    if !std::mem::replace(&mut client.synced, true) {
                        lock(&self.progress).synced += 1;
                        self.progressed.notify_all();
                    }
                }
                // After `done` the server closes the connection, which is what is acted on.
                _ => {}
            }
        }
        if let Some(id) = event.id {
            client.id = (id != "0").then_some(id);
        }
        Ok(())
    }
}

impl Progress {
    /// Counts an arrival; whether nothing is outstanding any more.
    fn arrived(&mut self, change: u32, now: Instant) -> bool {
        let Some(arrivals) = self.changes.get_mut(&change) else {
            return false;
        };
        if arrivals.after.len() == arrivals.wanted {
            return false;
        }
        arrivals
            .after
            .push(now.saturating_duration_since(arrivals.since));
        self.outstanding -= 1;
        self.outstanding == 0
    }
}

impl Rows {
    /// The row of an event; `None` for other messages.
    fn read(&mut self, event: &sse::Event) -> Result<Option<Row>> {
        let data = &event.data;
        if !data.starts_with(r#"{"type":"ingressAdded""#)
            && !data.starts_with(r#"{"type":"ingressModified""#)
        {
            return Ok(None);
        }
        let text = self.hasher.hash_one(data);
        if let Some(row) = self.seen.get(&text) {
            return Ok(Some(*row));
        }
        let Some(Message::IngressAdded(ingress) | Message::IngressModified(ingress)) =
            Message::decode(data)?
        else {
            bail!("not a row: {data}");
        };
        let change = ingress.labels.get(CHANGE);
        let row = Row {
            key: expected::key_digest(&ingress.key()),
            digest: expected::row_digest(&ingress),
            change: change.and_then(|text| text.parse().ok()).unwrap_or(0),
        };
        if self.seen.len() == REMEMBERED {
            self.seen.clear();
        }
        self.seen.insert(text, row);
        self.last = event.clone();
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests;
