//! The router.

mod admission;
pub mod api;
pub mod assets;
mod documents;
pub mod health;
mod negotiation;
pub mod object;
pub mod page;
pub mod problem;
mod query;
mod search;
pub mod security;
mod server;
mod sight;
pub mod stream;
mod turns;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::DefaultPredicate;

pub use self::server::{Own, Server};

/// Server functions take names, nothing more.
const BODY_LIMIT: usize = 64 << 10;

/// Everything that the server serves.
pub fn router(server: &Arc<Server>) -> Router {
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
