//! What is measured, as processes of their own, and how the kernel sees them; and the simulated API
//! server before them.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::serve::ListenerExt as _;
use simulator::{Cluster, Settings};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::http::{self, Answer};
use crate::reference::Order;

const LIMIT: Duration = Duration::from_secs(60);

/// The simulator on a port; it ends on drop.
pub(crate) struct Api {
    pub(crate) cluster: Cluster,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Api {
    pub(crate) fn start(runtime: &Handle, settings: Settings) -> Result<Self> {
        let cluster = Cluster::new(settings);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let router = cluster.router();
        let task = runtime.spawn(async move {
            let listener = listener.tap_io(|socket| {
                let _ = socket.set_nodelay(true);
            });
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            cluster,
            address,
            task,
        })
    }

    fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1
kind: Config
current-context: simulated
clusters: [{{ name: simulated, cluster: {{ server: 'http://{}' }} }}]
users: [{{ name: viewer, user: {{}} }}]
contexts: [{{ name: simulated, context: {{ cluster: simulated, user: viewer }} }}]
",
            self.address
        )
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The processes that have not been ended yet, for [`end_all`].
static RUNNING: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

/// Ends every process that was started, for where this program ends without dropping them.
pub(crate) fn end_all() {
    for child in &*RUNNING.lock().unwrap_or_else(PoisonError::into_inner) {
        end(child);
    }
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.kill();
    let _ = child.wait();
}

/// A process that listens; it is killed on drop.
pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    id: u32,
    stdin: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
    /// When it was started.
    pub(crate) started: Instant,
    _home: TempDir,
}

/// Processor time by thread, as the scheduler counts it.
pub(crate) struct Cpu(HashMap<String, u64>);

impl Process {
    /// Starts the dashboard with nothing but a kubeconfig in its environment.
    pub(crate) fn dashboard(
        binary: &Path,
        api: &Api,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let home = TempDir::new()?;
        let kubeconfig = home.path().join("kubeconfig");
        fs::write(&kubeconfig, api.kubeconfig())?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .env("LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        Self::start(command, home, None)
    }

    /// Starts this program again as the reference writer, which greets each client with these
    /// bytes.
    pub(crate) fn reference(greeting: String) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--reference").stdin(Stdio::piped());
        Self::start(command, TempDir::new()?, Some(&Order::Greet(greeting)))
    }

    fn start(mut command: Command, home: TempDir, first: Option<&Order>) -> Result<Self> {
        let started = Instant::now();
        let mut child = command
            .env("HOME", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stderr = child.stderr.take().context("standard error is piped")?;
        let (sender, addresses) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let address = line.split_once("listening on http://");
                let address = address.and_then(|(_, rest)| rest.split('/').next());
                match address.and_then(|text| text.trim().parse::<SocketAddr>().ok()) {
                    Some(address) => drop(sender.send(address)),
                    None if line.contains(" WARN ") || line.contains("rror") => {
                        eprintln!("  {line}");
                    }
                    None => {}
                }
            }
        });
        let (id, stdin) = (child.id(), child.stdin.take());
        let child = Arc::new(Mutex::new(child));
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.push(child.clone());
        drop(running);
        let mut process = Self {
            child,
            id,
            stdin,
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            started,
            _home: home,
        };
        if let Some(order) = first {
            process.order(order)?;
        }
        let address = addresses.recv_timeout(LIMIT);
        process.address = address
            .with_context(|| format!("{} does not listen", command.get_program().display()))?;
        Ok(process)
    }

    /// Tells the reference writer what to do.
    pub(crate) fn order(&self, order: &Order) -> Result<()> {
        let mut stdin = self.stdin.as_ref().context("it takes no orders")?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        stdin.write_all(&line)?;
        Ok(stdin.flush()?)
    }

    /// Resident memory, in bytes.
    pub(crate) fn rss(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The most resident memory since [`Self::forget_peak`], in bytes.
    pub(crate) fn rss_peak(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    /// The peak starts again from what is resident now.
    pub(crate) fn forget_peak(&self) -> Result<()> {
        fs::write(self.proc("clear_refs"), "5").context("the peak cannot be reset")
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let mut threads = HashMap::new();
        for thread in fs::read_dir(self.proc("task"))? {
            let thread = thread?;
            // A thread may end at any moment.
            let Ok(line) = fs::read_to_string(thread.path().join("schedstat")) else {
                continue;
            };
            let nanoseconds = line.split(' ').next().and_then(|text| text.parse().ok());
            let id = thread.file_name().to_string_lossy().into_owned();
            threads.insert(id, nanoseconds.unwrap_or(0));
        }
        Ok(Cpu(threads))
    }

    /// The sum of a metric's samples, whatever their labels; a name may be followed by
    /// `{label="value"}`.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        let text = self.metrics()?;
        let samples = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with([' ', '{']))
                .then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())
                .flatten()
        });
        Ok(samples.sum())
    }

    /// The cumulative buckets of a histogram: upper bounds and counts.
    pub(crate) fn histogram(&self, name: &str) -> Result<Vec<(f64, f64)>> {
        let start = format!("{name}_bucket{{le=\"");
        let text = self.metrics()?;
        let buckets = text.lines().filter_map(|line| {
            let (bound, rest) = line.strip_prefix(&start)?.split_once('"')?;
            let bound = bound.replace("+Inf", "inf").parse().ok()?;
            Some((bound, rest.rsplit(' ').next()?.parse().ok()?))
        });
        Ok(buckets.collect())
    }

    fn metrics(&self) -> Result<String> {
        self.get("/metrics")
    }

    /// The body that is at a path.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(LIMIT))?;
        socket.write_all(http::get(self.address, path, None).as_bytes())?;
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes)?;
        let mut body = Vec::new();
        Answer::default().push(&bytes, |piece| {
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(String::from_utf8(body)?)
    }

    fn status(&self, field: &str) -> Result<f64> {
        let text = fs::read_to_string(self.proc("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: f64 = kilobytes.context("no such field")?.parse()?;
        Ok(kilobytes * 1024.0)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.id)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.child);
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|child| !Arc::ptr_eq(child, &self.child));
    }
}

impl Cpu {
    /// Seconds since an earlier reading. What threads did that have ended since is lost: they are
    /// few and idle.
    pub(crate) fn since(&self, earlier: &Self) -> f64 {
        let spent = self.0.iter().map(|(thread, now)| {
            let before = earlier.0.get(thread).unwrap_or(&0);
            now.saturating_sub(*before)
        });
        spent.sum::<u64>() as f64 / 1e9
    }
}

/// Memory that the kernel holds for TCP sockets, both ends of a connection on this machine
/// included, in bytes.
pub(crate) fn kernel_tcp_memory() -> Result<f64> {
    const PAGE: f64 = 4096.0;
    let text = fs::read_to_string("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:"));
    let pages = line.and_then(|line| line.rsplit("mem ").next());
    let pages: f64 = pages
        .context("no TCP memory in /proc/net/sockstat")?
        .trim()
        .parse()?;
    Ok(pages * PAGE)
}
