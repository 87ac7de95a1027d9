//! The dashboard's server: watches a cluster once and streams it to everyone who looks.
//!
//! The way of the data is the order of the modules: [`cluster`] to [`catalog`] to [`journal`] to
//! [`web`]. Nothing upstream knows who listens downstream.

#![recursion_limit = "512"]

pub mod access;
pub mod catalog;
mod clock;
pub mod cluster;
pub mod config;
pub mod journal;
pub mod listen;
pub mod metrics;
pub mod project;
pub mod row;
pub mod shutdown;
pub mod telemetry;
pub mod totals;
pub mod web;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tracing::info;

use crate::cluster::{Cluster, connect};
use crate::config::Config;
use crate::journal::Journal;
use crate::listen::Capacity;
use crate::metrics::Metrics;
use crate::shutdown::{Shutdown, Signals};
use crate::web::{Own, Server};

/// Runs the server until a signal ends it.
///
/// # Errors
/// Settings that do not go together, a cluster configuration that cannot be used, an address
/// that cannot be listened on.
pub fn main(config: Config) -> anyhow::Result<()> {
    telemetry::start(&config.log_level, config.log_format);
    let result = config.check().map_err(Into::into).and_then(|()| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?
            .block_on(run(config))
    });
    telemetry::flush();
    result
}

async fn run(config: Config) -> anyhow::Result<()> {
    // Rendering spawns. Only the list of routes, which there is none of here, would start this by
    // itself.
    any_spawner::Executor::init_tokio().context("cannot start rendering")?;
    let shutdown = Shutdown {
        drain_time: Duration::from_secs(config.drain_time),
        ..Shutdown::default()
    };
    let signals = Signals::catch().context("cannot catch signals")?;
    let stages = shutdown.clone();
    let delay = Duration::from_secs(config.drain_delay);
    tokio::spawn(async move { stages.on_signal(signals, delay).await });

    let connection = connect::connect(config.demo).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on LISTEN={}", config.listen))?;
    let address = listener
        .local_addr()
        .context("the listener has no address")?;

    let max_watches = config.max_watches as usize;
    let capacity = Capacity::get(config.max_streams as usize, max_watches);
    let journal = Arc::new(Journal::default());
    let metrics = Arc::new(Metrics::default());
    let settings = cluster::Settings {
        mode: config.watch_mode,
        namespaces: config.watch_namespaces.0.clone(),
        max_watches,
        watch_timeout: Duration::from_secs(config.k8s_watch_timeout),
    };
    if let Some(simulated) = connection.simulated.clone() {
        let why = if config.demo.is_some() {
            "asked for with --demo"
        } else {
            "no kubeconfig and no service account found"
        };
        info!(
            "this is a simulated cluster ({why}): its ingresses are made up and change by themselves"
        );
        // A demo of no ingresses is asked for to see none.
        if config.demo.is_none_or(|size| size.ingresses > 0) {
            tokio::spawn(async move { simulated.churn().await });
        }
    }
    let name = config
        .cluster_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or(connection.name);
    info!(
        cluster.name = name,
        cluster.url = connection.api.url(),
        "cluster"
    );
    let cluster = Cluster::new(connection.api, journal.clone(), settings, metrics.clone());
    let watching = tokio::spawn(cluster.clone().run());

    let server = Arc::new(Server {
        cluster,
        journal,
        metrics,
        shutdown: shutdown.clone(),
        cluster_name: name,
        simulated: connection.simulated.is_some(),
        max_streams: capacity.streams,
        own: Own::new(&config),
        config,
    });
    info!("listening on http://{address}{}/", server.config.base_path);
    let router = web::router(&server);
    listen::run(listener, router, capacity.connections, shutdown).await;
    // Before the runtime, or the watches find their connection gone and say so.
    watching.abort();
    let _ = watching.await;
    info!("ended");
    Ok(())
}
