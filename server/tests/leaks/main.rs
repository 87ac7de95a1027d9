//! Clients come, go and change their minds by the thousand, and nothing of them stays: counted from
//! outside, at the dashboard's process and at the Kubernetes API.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use fastrand::Rng;
use futures::{StreamExt as _, stream};
use protocol::message::DoneReason;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use testkit::dash::{Answer, Dash, State};
use testkit::upstream::{Upstream, skip};

const ROUNDS: usize = 5;
/// The round after which nothing grows: pools, buffers and the allocator's pages have their size by
/// then.
const BASELINE: usize = 2;
const VISITS: u64 = 2_000;
const SCOPE_CHANGES: u64 = 200;
const CHANGES_PER_CLIENT: u64 = 10;
const AT_A_TIME: usize = 50;
const NAMESPACES: usize = 24;
/// Half of the namespaces, so that feeds stop and start all the time.
const MAX_WATCHES: usize = 12;
/// What the allocator keeps differs by some hundred KiB from round to round. A KiB left behind by
/// each client would be 6.4 MiB after three rounds.
const MEMORY_TOLERANCE_KIB: u64 = 3 << 10;

/// Connections to the API server that wait for the next request: as many as lists are made at the
/// same time. The HTTP client keeps them for 90 s, so that their number is not the same after each
/// round.
const IDLE_CONNECTIONS: usize = 8;

/// What can be seen of a dashboard without asking it, and what it says of itself.
#[derive(Clone, Debug)]
struct Seen {
    /// Watches of ingresses that the API server has open.
    watches: usize,
    /// Connections of the process to the API server.
    upstream: usize,
    /// Connections of clients that the process has not closed.
    clients: usize,
    /// Descriptors of the process but for the connections.
    descriptors: usize,
    threads: u64,
    resident_kib: u64,
    streams: u64,
    /// Tasks but for those of the connections to the API server.
    tasks: u64,
}

impl Seen {
    fn of(dash: &Dash, up: &Upstream, metrics: &Answer) -> Self {
        let process = Path::new("/proc").join(dash.process.id().to_string());
        let read = |name: &str| fs::read_to_string(process.join(name)).expect("the process runs");
        let (metrics, status) = (metrics.text(), read("status"));
        let descriptors = fs::read_dir(process.join("fd")).expect("the process is ours");
        let connections = read("net/tcp");
        let upstream = ends(&connections, Column::Remote, up.gate.address.port());
        let clients = ends(&connections, Column::Local, dash.address.port());
        Self {
            watches: up.simulated().open_watches_of("ingresses"),
            upstream,
            clients,
            // A connection may come or go between the two looks; then a later look fits.
            descriptors: descriptors.count().saturating_sub(upstream + clients),
            threads: number_after(&status, "Threads:"),
            resident_kib: number_after(&status, "VmRSS:"),
            streams: number_after(&metrics, "\ningress_dash_streams "),
            tasks: number_after(&metrics, "\ningress_dash_tasks ").saturating_sub(upstream as u64),
        }
    }

    /// Whether every client's end was noticed, and the way to the API server is used by watches
    /// alone.
    fn is_quiet(&self) -> bool {
        let watches_of_namespaces = 1;
        self.streams == 0
            && self.clients == 0
            && self.upstream <= self.watches + watches_of_namespaces + IDLE_CONNECTIONS
    }

    fn is_no_more_than(&self, before: &Self) -> bool {
        self.watches <= before.watches
            && self.descriptors <= before.descriptors
            && self.threads <= before.threads
            && self.tasks <= before.tasks
            && self.resident_kib <= before.resident_kib + MEMORY_TOLERANCE_KIB
    }
}

fn number_after(text: &str, name: &str) -> u64 {
    let after = text.split_once(name).map(|(_, after)| after);
    let number = after.and_then(|after| after.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no number after {name:?} in {text}"))
}

#[derive(Clone, Copy)]
enum Column {
    Local = 1,
    Remote = 2,
}

/// The lines of `/proc/net/tcp` with this port that are established, or closed by the other side
/// alone.
fn ends(table: &str, column: Column, port: u16) -> usize {
    const STATE: usize = 3;
    let port = format!(":{port:04X}");
    let open = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        matches!(words.get(STATE), Some(&"01" | &"08"))
            && words
                .get(column as usize)
                .is_some_and(|address| address.ends_with(&port))
    };
    table.lines().filter(open).count()
}

/// One to three of the namespaces, as a stream's query.
fn scope(namespaces: &[String], rng: &mut Rng) -> String {
    let count = rng.usize(1..=3);
    let names = rng.choose_multiple(namespaces, count);
    let names: Vec<_> = names.into_iter().map(String::as_str).collect();
    format!("namespaces={}", names.join(","))
}

/// Connects and goes away: before the answer, with the answer's head, or with everything.
async fn visit(dash: &Dash, namespaces: &[String], number: u64) {
    let query = scope(namespaces, &mut Rng::with_seed(number));
    match number % 4 {
        0 => {
            let mut socket = TcpStream::connect(dash.address)
                .await
                .expect("the dashboard accepts connections");
            let request = format!(
                "GET /api/ingresses/stream?{query} HTTP/1.1\r\nhost: localhost\r\n{}",
                // Some go in the middle of the request.
                if number.is_multiple_of(8) {
                    "\r\n"
                } else {
                    "accept"
                }
            );
            socket
                .write_all(request.as_bytes())
                .await
                .expect("it is written to a buffer");
        }
        1 => drop(dash.stream(&query).await),
        _ => drop(settled(dash, &query, State::default()).await),
    }
}

/// Looks at one scope after the other, with what the last one has left.
async fn wander(dash: &Dash, namespaces: &[String], number: u64) {
    let mut rng = Rng::with_seed(number);
    let mut held = State::default();
    for _ in 0..=CHANGES_PER_CLIENT {
        let mut query = scope(namespaces, &mut rng);
        if let Some(id) = &held.id {
            query.push_str("&lastEventId=");
            query.push_str(id);
        }
        held = settled(dash, &query, held).await;
    }
}

/// Reads a stream until it is synced and closes it. Where feeds stop and start, a stream may be
/// told to start again.
async fn settled(dash: &Dash, query: &str, mut held: State) -> State {
    loop {
        held.synced = None;
        let mut client = dash.stream_with(query, &[], held).await;
        let state = client
            .wait_until("synced, or sent away", |state| {
                state.synced.is_some() || state.done.is_some()
            })
            .await;
        let synced = state.synced.is_some();
        assert!(synced || state.done == Some(DoneReason::Resync));
        held = client.close();
        if synced {
            return held;
        }
    }
}

async fn round(dash: &Dash, up: &Upstream, namespaces: &[String]) {
    let visits = stream::iter(0..VISITS)
        .for_each_concurrent(AT_A_TIME, |number| visit(dash, namespaces, number));
    let wanderers = SCOPE_CHANGES / CHANGES_PER_CLIENT;
    let changes = stream::iter(0..wanderers)
        .for_each_concurrent(AT_A_TIME, |number| wander(dash, namespaces, number));
    let writes = async {
        for namespace in namespaces {
            up.create(namespace, "passing").await;
            up.delete(namespace, "passing").await;
        }
    };
    tokio::join!(visits, changes, writes);
}

/// Five rounds in front of a dashboard with these settings; gives what was seen after the last.
async fn rounds(test: &str, environment: &[(&str, &str)]) -> Option<Seen> {
    if !Path::new("/proc/self/fd").exists() {
        skip(test, "descriptors are counted in /proc");
        return None;
    }
    let up = Upstream::simulator().await;
    let mut namespaces = Vec::new();
    for label in 0..NAMESPACES {
        let namespace = up.namespace(&label.to_string()).await;
        for name in ["one", "two"] {
            up.create(&namespace, name).await;
        }
        namespaces.push(namespace);
    }
    let dash = up.dash_with(environment).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;

    let see = |answer: &Answer| Seen::of(&dash, &up, answer);
    let mut before: Option<Seen> = None;
    let mut last = None;
    for number in 1..=ROUNDS {
        round(&dash, &up, &namespaces).await;
        let looked = Cell::new(None);
        let quiet = dash
            .try_until("/metrics", |answer| {
                let seen = see(answer);
                let grown = before
                    .as_ref()
                    .is_some_and(|before| !seen.is_no_more_than(before));
                let fits = seen.is_quiet() && !grown;
                looked.set(Some(seen));
                fits
            })
            .await;
        let now = looked.take().expect("it was looked at least once");
        println!("round {number}: {now:?}");
        assert!(
            quiet.is_ok(),
            "round {number} leaves {now:?}, before: {before:?}"
        );
        if number == BASELINE {
            before = Some(now.clone());
        }
        last = Some(now);
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_clients_that_went_stays_with_one_watch_for_all() {
    let test = "nothing_of_clients_that_went_stays_with_one_watch_for_all";
    if let Some(seen) = rounds(test, &[]).await {
        assert_eq!(seen.watches, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_clients_that_went_stays_with_a_watch_per_namespace() {
    let test = "nothing_of_clients_that_went_stays_with_a_watch_per_namespace";
    let most = MAX_WATCHES.to_string();
    let environment = [("WATCH_MODE", "namespaced"), ("MAX_WATCHES", most.as_str())];
    if let Some(seen) = rounds(test, &environment).await {
        assert!(seen.watches <= MAX_WATCHES, "{seen:?}");
    }
}
