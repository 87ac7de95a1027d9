//! The process's metrics, as OpenMetrics and in Prometheus's older text format. No label holds the
//! name of a namespace.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

/// Counters and gauges, updated beside what they measure.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Open streams.
    pub streams: Gauge,
    /// Namespaces that a stream names; 0 for all.
    pub namespaces_per_stream: Histogram,
    /// Feeds by state; set when the metrics are read.
    pub watches: Family<WatchState, Gauge>,
    /// Messages written to streams.
    pub messages: Counter<u64, AtomicU64>,
    /// Bytes written to streams.
    pub bytes: Counter<u64, AtomicU64>,
    /// Rows and deletes encoded; one per change, whoever listens. Set when the metrics are read.
    pub encodings: Counter<u64, AtomicU64>,
    /// Lists and watches that were begun.
    pub watch_requests: Family<Resource, Counter>,
    /// Those of them that failed.
    pub watch_failures: Family<Resource, Counter>,
    /// Events that watches brought.
    pub watch_events: Family<EventType, Counter>,
    /// Objects that are not shown because they cannot be read, each time that they come.
    pub objects_left_out: Family<Resource, Counter>,
    /// Lists after the first, which a watch could not go on without.
    pub relists: Counter<u64, AtomicU64>,
    /// Objects that only a relist told to be gone.
    pub relist_deletes: Counter<u64, AtomicU64>,
    /// Receipt of a watch event to its hand-over to a socket.
    pub delivery: Histogram,
    /// Full replays.
    pub replays: Counter<u64, AtomicU64>,
    /// Streams that wait for their turn to replay.
    pub replays_waiting: Gauge,
    /// Resumes without a reset.
    pub resumes: Counter<u64, AtomicU64>,
    /// Ids that could not be resumed.
    pub resets: Counter<u64, AtomicU64>,
    /// Streams that ended without a word of the server: the client went, or the way to it broke.
    pub cuts: Counter<u64, AtomicU64>,
    /// Streams that the server ended, by reason.
    pub done: Family<DoneReason, Counter>,
    /// Rows held.
    pub rows: Gauge,
    /// Tasks of the runtime that have not ended; set when the metrics are read.
    pub tasks: Gauge,
}

/// Label of [`Metrics::watches`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WatchState {
    /// `syncing`, `live`, `retrying` or `forbidden`.
    pub state: &'static str,
}

/// Label of [`Metrics::watch_requests`], [`Metrics::watch_failures`] and
/// [`Metrics::objects_left_out`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Resource {
    /// `ingresses` or `namespaces`.
    pub resource: &'static str,
}

/// Label of [`Metrics::watch_events`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EventType {
    /// `ingresses` or `namespaces`.
    pub resource: &'static str,
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub r#type: &'static str,
}

/// Label of [`Metrics::done`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DoneReason {
    /// As in the message `done`.
    pub reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::with_prefix("ingress_dash");
        Self {
            streams: registered(&mut all, "streams", "Open streams", Gauge::default()),
            namespaces_per_stream: registered(
                &mut all,
                "stream_namespaces",
                "Namespaces that a stream names, 0 for all",
                Histogram::new([0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]),
            ),
            watches: registered(&mut all, "watches", "Feeds by state", Family::default()),
            messages: registered(
                &mut all,
                "stream_messages",
                "Messages written to streams",
                Counter::default(),
            ),
            bytes: registered(
                &mut all,
                "stream_bytes",
                "Bytes written to streams",
                Counter::default(),
            ),
            encodings: registered(
                &mut all,
                "encodings",
                "Rows and deletes encoded",
                Counter::default(),
            ),
            watch_requests: registered(
                &mut all,
                "watch_requests",
                "Lists and watches that were begun",
                Family::default(),
            ),
            watch_failures: registered(
                &mut all,
                "watch_failures",
                "Lists and watches that failed",
                Family::default(),
            ),
            watch_events: registered(
                &mut all,
                "watch_events",
                "Events that watches brought",
                Family::default(),
            ),
            objects_left_out: registered(
                &mut all,
                "objects_left_out",
                "Objects that are not shown because they cannot be read, each time that they come",
                Family::default(),
            ),
            relists: registered(
                &mut all,
                "relists",
                "Lists that a watch could not go on without",
                Counter::default(),
            ),
            relist_deletes: registered(
                &mut all,
                "relist_deletes",
                "Objects that only a relist told to be gone",
                Counter::default(),
            ),
            delivery: registered(
                &mut all,
                "delivery_seconds",
                "Receipt of a change to its write to a stream",
                Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            ),
            replays: registered(&mut all, "replays", "Full replays", Counter::default()),
            replays_waiting: registered(
                &mut all,
                "replays_waiting",
                "Streams that wait for their turn to replay",
                Gauge::default(),
            ),
            resumes: registered(
                &mut all,
                "resumes",
                "Resumes without a reset",
                Counter::default(),
            ),
            resets: registered(
                &mut all,
                "resets",
                "Ids that could not be resumed",
                Counter::default(),
            ),
            cuts: registered(
                &mut all,
                "stream_cuts",
                "Streams that ended without a word of the server",
                Counter::default(),
            ),
            done: registered(
                &mut all,
                "streams_done",
                "Streams ended by the server",
                Family::default(),
            ),
            rows: registered(&mut all, "rows", "Ingresses held", Gauge::default()),
            tasks: registered(&mut all, "tasks", "Tasks of the runtime", Gauge::default()),
            registry: all,
        }
    }
}

/// Puts a metric into the registry, under a name and with its help.
fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// One more in a gauge, until dropped.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    /// Counts itself.
    #[must_use]
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// The OpenMetrics text.
    #[must_use]
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a String takes everything");
        text
    }

    /// Each sample with its labels, as the text has it, and its value.
    #[must_use]
    pub fn samples(&self) -> BTreeMap<String, f64> {
        let text = self.open_metrics();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect()
    }

    /// The text in Prometheus's format 0.0.4: a counter is called what its samples are called, and
    /// there is no end mark.
    #[must_use]
    pub fn prometheus_text(&self) -> String {
        let open_metrics = self.open_metrics();
        let type_of = |line: &str| {
            let (name, kind) = line.strip_prefix("# TYPE ")?.rsplit_once(' ')?;
            (kind == "counter").then(|| name.to_owned())
        };
        let counters: HashSet<String> = open_metrics.lines().filter_map(type_of).collect();
        let mut text = String::with_capacity(open_metrics.len() + 256);
        for line in open_metrics.lines().filter(|line| *line != "# EOF") {
            // `# HELP name words` or `# TYPE name counter`.
            let name = line
                .strip_prefix("# ")
                .and_then(|line| line.split(' ').nth(1));
            match name.filter(|name| counters.contains(*name)) {
                Some(name) => text.push_str(&line.replacen(name, &format!("{name}_total"), 1)),
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_one_name_in_the_older_format() {
        let metrics = Metrics::default();
        metrics.replays.inc();
        metrics.streams.set(3);
        let open = metrics.open_metrics();
        assert!(
            open.contains("# TYPE ingress_dash_replays counter\ningress_dash_replays_total 1\n")
        );
        assert!(open.ends_with("# EOF\n"));
        let text = metrics.prometheus_text();
        assert!(
            text.contains(
                "# HELP ingress_dash_replays_total Full replays.\n# TYPE ingress_dash_replays_total counter\ningress_dash_replays_total 1\n"
            ),
            "{text}"
        );
        assert!(text.contains("# TYPE ingress_dash_streams gauge\ningress_dash_streams 3\n"));
        assert!(!text.contains("EOF"));
    }
}
