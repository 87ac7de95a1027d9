//! The log: to standard error, as text or JSON.
//!
//! A thread writes it, and nobody waits for it: where standard error takes nothing, as of a
//! terminal that is stopped, lines are left out and counted; where it cannot be written at all, as
//! on a full disk, the log is lost and nothing else.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogFormat;

/// Lines that wait to be written at most,
const MAX_LINES: usize = 1_000;
/// and their length, in bytes. What is longer is cut.
const MAX_LINE: usize = 8 << 10;
/// How long the end of the process waits for the last lines.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
const FLUSH_PAUSE: Duration = Duration::from_millis(5);

static LOG: OnceLock<Log> = OnceLock::new();

/// Starts logging. To be called once, before anything is logged.
pub fn start(level: &str, format: LogFormat) {
    // These log each failed connection without saying to what; the feeds say it with the URL and
    // the cause. What is named in `level` wins.
    let filter = EnvFilter::new(format!(
        "kube_client::client::builder=off,rustls_platform_verifier=off,{level}"
    ));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_writer(LOG.get_or_init(|| Log::to(io::stderr())).clone());
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Waits until what was logged so far is written, at most a second.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.flush();
    }
}

enum Entry {
    Line(Vec<u8>),
    /// Answered once all lines before it are written.
    Flush(SyncSender<()>),
}

/// Where lines are left for the thread that writes them.
#[derive(Clone)]
struct Log {
    entries: SyncSender<Entry>,
    left_out: Arc<AtomicU64>,
}

impl Log {
    fn to(writer: impl io::Write + Send + 'static) -> Self {
        let (entries, received) = sync_channel(MAX_LINES);
        let left_out = Arc::new(AtomicU64::new(0));
        let missing = left_out.clone();
        let started = thread::Builder::new()
            .name("log".into())
            .spawn(move || write(writer, &received, &missing));
        // Without a thread there is no log, and the rest goes on.
        drop(started);
        Self { entries, left_out }
    }

    fn flush(&self) {
        let (written, wait) = sync_channel(1);
        let mut flush = Entry::Flush(written);
        let end = Instant::now() + FLUSH_LIMIT;
        loop {
            match self.entries.try_send(flush) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if Instant::now() < end => flush = back,
                Err(_) => return,
            }
            thread::sleep(FLUSH_PAUSE);
        }
        let _ = wait.recv_timeout(end.saturating_duration_since(Instant::now()));
    }
}

fn write(mut writer: impl io::Write, entries: &Receiver<Entry>, left_out: &AtomicU64) {
    while let Ok(entry) = entries.recv() {
        let _ = match entry {
            Entry::Line(line) => writer.write_all(&line),
            Entry::Flush(written) => written.send(()).map_err(io::Error::other),
        };
        match left_out.swap(0, Ordering::Relaxed) {
            0 => {}
            count => _ = writeln!(writer, "{count} lines of the log were left out"),
        }
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// Takes one event at a time.
impl io::Write for &Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = Entry::Line(one_line(event));
        if self.entries.try_send(line).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event as one line, whatever the names in it are made of.
fn one_line(event: &[u8]) -> Vec<u8> {
    let event = event.strip_suffix(b"\n").unwrap_or(event);
    let event = &event[..event.len().min(MAX_LINE)];
    let mut line = Vec::with_capacity(event.len() + 1);
    for byte in event {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
