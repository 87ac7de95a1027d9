//! What the handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::message::NamespaceState;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::documents::{Lists, Shared};
use super::turns::Turns;
use super::{admission, object, page};
use crate::access::Visible;
use crate::clock::now;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::journal::{Head, Journal, Pending};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// How long a client waits for namespaces that are still being listed.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// The handlers' state. Shared by reference.
pub struct Server {
    /// The watched cluster.
    pub cluster: Arc<Cluster>,
    /// Its rows.
    pub journal: Arc<Journal>,
    /// The process's metrics.
    pub metrics: Arc<Metrics>,
    /// The stages of the shutdown.
    pub shutdown: Shutdown,
    /// The name of the cluster on the page.
    pub cluster_name: String,
    /// Whether it is the built-in one.
    pub simulated: bool,
    /// Streams at the same time.
    pub max_streams: usize,
    /// The configuration.
    pub config: Config,
    /// State that the handlers alone change.
    pub own: Own,
}

/// State that the handlers alone change.
pub struct Own {
    started: Instant,
    pub(super) started_at: String,
    pub(super) lists: Lists,
    pub(super) pages: Shared<(Head, app::Lines)>,
    /// For what every page takes.
    pub(super) turns: Turns,
    /// For what costs the more the more a client asks for: the others do not wait for it.
    pub(super) searches: Turns,
    pub(super) streams: admission::Streams,
    pub(super) asked: object::Asked,
    /// Turns to replay.
    pub(super) replays: Arc<Semaphore>,
    // Readiness does not turn back when the API server is lost later.
    was_ready: AtomicBool,
}

impl Own {
    /// That of a server that has just started.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            started: Instant::now(),
            started_at: now(),
            lists: Lists::default(),
            pages: Shared::new(page::VIEWS),
            turns: Turns::default(),
            searches: Turns::default(),
            streams: admission::Streams::default(),
            asked: object::Asked::default(),
            replays: Arc::new(Semaphore::new(config.max_replays as usize)),
            was_ready: AtomicBool::new(false),
        }
    }
}

impl Server {
    /// Waits until every visible namespace has left `syncing`, at most 10 s. Returns the namespaces
    /// whose rows are not known; `None` at once where nothing is known at all.
    pub(super) async fn settle(&self, visible: &Visible) -> Option<Pending> {
        let subscription = self.journal.subscribe(visible);
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let late = Instant::now() >= deadline;
            let readiness = self.journal.readiness(visible)?;
            if readiness.settled || late {
                return Some(readiness.pending);
            }
            tokio::select! {
                biased;
                () = subscription.changed() => {}
                () = sleep_until(deadline) => {}
            }
        }
    }

    /// Whether the cluster has answered once. With one watch per namespace nothing is listed
    /// before somebody asks, so the decision to watch that way is the answer; that nothing may be
    /// listed is one too.
    pub(super) fn is_ready(&self) -> bool {
        if self.own.was_ready.load(Ordering::Relaxed) {
            return true;
        }
        let (whole, cluster_wide) = self.journal.whole_status();
        let forbidden = whole.state == NamespaceState::Forbidden;
        let ready =
            whole.listed || (self.cluster.version().is_some() && (!cluster_wide || forbidden));
        if ready {
            self.own.was_ready.store(true, Ordering::Relaxed);
        }
        ready
    }

    /// Why the rows are not known yet.
    pub(super) fn why_unknown(&self) -> String {
        let (whole, _) = self.journal.whole_status();
        match whole.error {
            Some(error) => error.text,
            None if self.cluster.version().is_none() => {
                let url = self.cluster.api().url();
                format!("the Kubernetes API at {url} has not answered yet")
            }
            None => "the first list is under way".into(),
        }
    }

    /// For how long the process has been running, in seconds.
    pub(super) fn uptime_seconds(&self) -> u64 {
        self.own.started.elapsed().as_secs()
    }
}
