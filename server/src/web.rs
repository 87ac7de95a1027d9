//! The router, and what its handlers share.

mod admission;
pub mod api;
pub mod assets;
mod documents;
pub mod health;
mod negotiation;
pub mod object;
pub mod page;
pub mod problem;
mod search;
pub mod security;
pub mod stream;
mod turns;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::DefaultPredicate;

use self::documents::{Lists, Shared};
use self::turns::Turns;
use crate::clock::now;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::journal::{Head, Journal};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// Server functions take names, nothing more.
const BODY_LIMIT: usize = 64 << 10;

/// What the handlers share.
pub struct Service {
    /// The watched cluster.
    pub cluster: Arc<Cluster>,
    /// Its rows.
    pub journal: Arc<Journal>,
    /// The process's metrics.
    pub metrics: Arc<Metrics>,
    /// The stages of the shutdown.
    pub shutdown: Shutdown,
    /// What the cluster is called on the page.
    pub cluster_name: String,
    /// Whether it is the built-in one.
    pub simulated: bool,
    /// Streams at the same time.
    pub max_streams: usize,
    /// The configuration.
    pub config: Config,
}

/// The handlers' state: [`Service`], and what only they change.
#[derive(Clone)]
pub struct Server(Arc<State>);

/// Behind [`Server`].
pub struct State {
    service: Service,
    started: Instant,
    started_at: String,
    lists: Lists,
    pages: Shared<(Head, app::Lines)>,
    /// For what every page takes.
    turns: Turns,
    /// For what costs the more the more a client asks for: the others do not wait for it.
    searches: Turns,
    streams: admission::Streams,
    asked: object::Asked,
    /// Turns to replay.
    replays: Arc<Semaphore>,
    // Readiness does not turn back when the API server is lost later.
    was_ready: AtomicBool,
}

impl Server {
    /// A server that has just started.
    #[must_use]
    pub fn new(service: Service) -> Self {
        let replays = service.config.max_replays as usize;
        Self(Arc::new(State {
            service,
            started: Instant::now(),
            started_at: now(),
            lists: Lists::default(),
            pages: Shared::new(page::VIEWS),
            turns: Turns::default(),
            searches: Turns::default(),
            streams: admission::Streams::default(),
            asked: object::Asked::default(),
            replays: Arc::new(Semaphore::new(replays)),
            was_ready: AtomicBool::new(false),
        }))
    }
}

impl Deref for Server {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0.service
    }
}

/// Everything that the server serves.
pub fn router(server: &Server) -> Router {
    // An event stream is left alone by the default predicate.
    let compression = CompressionLayer::new()
        .quality(tower_http::CompressionLevel::Precise(5))
        .compress_when(DefaultPredicate::new());
    let api = Router::new()
        .route("/api/ingresses/{namespace}/{name}", get(object::ingress))
        .route("/api/namespaces", get(api::namespaces))
        .route("/api/health", get(health::health))
        .route(
            &format!("{}/{{*function}}", app::SERVER_FUNCTION_PREFIX),
            post(page::server_function),
        )
        .route("/", get(page::page))
        .layer(compression)
        // After compression, so that the stream is not even looked at by it. The list does it
        // itself, once for all.
        .route("/api/ingresses", get(api::ingresses))
        .route("/api/ingresses/stream", get(stream::stream))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(assets::router())
        .with_state(server.clone());
    let base = server.config.base_path.as_str();
    let router = match base {
        "" => api,
        base => Router::new()
            .nest(base, api)
            .route(
                &format!("{base}/"),
                get(page::page).with_state(server.clone()),
            )
            .route("/livez", get(health::livez))
            .route("/readyz", get(health::readyz).with_state(server.clone())),
    };
    router
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(
            server.clone(),
            security::guard,
        ))
}
