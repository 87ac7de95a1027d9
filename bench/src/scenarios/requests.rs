//! Pages, searches and documents of many rows, and what streams notice of them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use protocol::{IngressDocument, Scope};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::{AT_ONCE, Bench, Changes};
use crate::client::Fleet;
use crate::expected::{self, Table};
use crate::report::{Figure, ms, quantile};

/// What is asked for, one after the other: a fifth each of pages as they start, in another order,
/// in groups, searches, and documents that are not held yet.
const PATHS: [&str; 20] = [
    "/",
    "/?sort=-age",
    "/?group=class",
    "/?q=web",
    "/api/ingresses",
    "/",
    "/?sort=host",
    "/?group=ns",
    "/api/ingresses?search=tls:no&limit=100",
    "/api/ingresses",
    "/",
    "/?sort=-ns&page=3",
    "/?group=tls",
    "/?q=-class:nginx",
    "/api/ingresses",
    "/",
    "/?sort=tls",
    "/?group=host",
    "/api/ingresses?search=api%20-tls:no&limit=100",
    "/api/ingresses",
];
/// A browser gives up a request no sooner.
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests that may be under way: a server that is slower is asked less.
const UNDER_WAY: usize = 64;
/// Between two changes.
const PAUSE: Duration = Duration::from_millis(100);

/// What became of the requests.
#[derive(Default)]
struct Answers {
    /// How long each answer took, in milliseconds.
    took: Vec<f64>,
    /// Answers that said to come again later.
    refused: usize,
    failure: Option<String>,
}

pub(super) fn mixed(bench: &Bench) -> Result<Vec<Figure>> {
    let (namespaces, ingresses) = bench.size((3_200, 10_500), (64, 210));
    let clients = bench.size(1_000, 20);
    let time = Duration::from_secs(bench.size(10, 1));
    let gap = Duration::from_millis(5);

    let api = bench.api(namespaces, ingresses)?;
    let dashboard = bench.dashboard(&api)?;
    while dashboard.get("/readyz").is_err() {
        std::thread::sleep(PAUSE);
    }
    // As pages do it: a document first, and the stream from its revision on.
    let document: IngressDocument =
        protocol::json::read(dashboard.get("/api/ingresses")?.as_bytes())?;
    let rows = document.items.iter();
    let table: Table = rows
        .map(|row| (expected::key_digest(&row.key()), expected::row_digest(row)))
        .collect();
    let held = (table, document.revision);
    let scopes = vec![Scope::All; clients];
    let fleet = Fleet::resume(
        bench.clients.handle(),
        dashboard.address,
        scopes,
        AT_ONCE,
        held,
    );
    fleet.synced()?;

    let changes = Changes::of(&api.cluster);
    let mut next = 1;
    let mut deliver = |time: Duration| -> Result<Vec<f64>> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            fleet.expect(next, clients);
            changes.apply(next as usize * 7, next);
            next += 1;
            std::thread::sleep(PAUSE);
        }
        Ok(fleet.arrivals()?.into_iter().flatten().map(ms).collect())
    };
    deliver(time / 10)?;
    let mut alone = deliver(time)?;
    let cpu = dashboard.cpu()?;
    let answers = Arc::<Mutex<Answers>>::default();
    let started = Instant::now();
    let asking = std::thread::spawn({
        let (answers, address) = (answers.clone(), dashboard.address);
        move || ask(&answers, address, time, gap)
    });
    let mut beside = deliver(time)?;
    asking.join().ok().context("asking panicked")??;
    let took = started.elapsed().as_secs_f64();
    let cpu = dashboard.cpu()?.since(&cpu);
    fleet.check(&api.cluster)?;

    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = &answers.failure {
        anyhow::bail!("{failure}");
    }
    let count = answers.took.len() as f64;
    let mut answer = |share| quantile(&mut answers.took, share);
    let (half, most) = (answer(0.5), answer(0.99));
    let alone = quantile(&mut alone, 0.99);
    Ok(vec![
        Figure::new("answers", "per s", count / took),
        Figure::new(
            "answers that said to come later",
            "",
            answers.refused as f64,
        ),
        Figure::new("answer, p50", "ms", half),
        Figure::new("answer, p99", "ms", most),
        Figure::new(
            "delivery of a change, p99",
            "ms",
            quantile(&mut beside, 0.99),
        )
        .reference(alone)
        .goal(2.0, 2.0)
        .goal_reference(1.0),
        Figure::new("processor time", "s", cpu),
        Figure::new(
            "most RSS since the start",
            "MB",
            dashboard.rss_peak()? / 1e6,
        ),
    ])
}

/// Asks for so long, on a thread of its own, and waits for the answers.
fn ask(
    answers: &Arc<Mutex<Answers>>,
    address: SocketAddr,
    time: Duration,
    gap: Duration,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        let (start, mut due) = (Instant::now(), Instant::now());
        let mut requests = JoinSet::new();
        for path in PATHS.iter().cycle() {
            sleep_until(due.into()).await;
            due += gap;
            let place = under_way.clone().acquire_owned().await?;
            if start.elapsed() >= time {
                break;
            }
            let answers = answers.clone();
            requests.spawn(async move {
                let _place = place;
                let asked = Instant::now();
                let status = timeout(PATIENCE, get(address, path)).await;
                let took = ms(asked.elapsed());
                let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                match status {
                    Ok(Ok(200)) => answers.took.push(took),
                    Ok(Ok(503)) => answers.refused += 1,
                    other => answers.failure = Some(format!("{path}: {other:?}")),
                }
            });
        }
        requests.join_all().await;
        Ok(())
    })
}

/// The status of an answer that was read to its end.
async fn get(address: SocketAddr, path: &str) -> Result<u16> {
    let mut socket = TcpStream::connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await?;
    ensure!(
        bytes.ends_with(b"\r\n0\r\n\r\n") || find(&bytes, b"\r\ncontent-length: "),
        "the answer is cut off"
    );
    let status = bytes.get(9..12).context("there is no answer")?;
    Ok(std::str::from_utf8(status)?.parse()?)
}

fn find(bytes: &[u8], text: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(2048)];
    head.windows(text.len()).any(|window| window == text)
}
