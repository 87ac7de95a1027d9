//! Serves a simulated cluster on a port and prints a kubeconfig for it.
//!
//! ```sh
//! cargo run --package simulator --example serve -- --listen 127.0.0.1:8001 > simulated.kubeconfig
//! kubectl --kubeconfig simulated.kubeconfig get ingress --all-namespaces --watch
//! ```

use std::future::IntoFuture;
use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use simulator::{Cluster, Settings};

#[derive(Parser)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// How many namespaces there are at the start.
    #[arg(long, default_value_t = 12)]
    namespaces: usize,
    /// How many ingresses there are at the start.
    #[arg(long, default_value_t = 60)]
    ingresses: usize,
    /// Changes per second.
    #[arg(long, default_value_t = 0.5)]
    churn: f64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Arguments {
        listen,
        namespaces,
        ingresses,
        churn,
    } = Arguments::parse();
    let cluster = Cluster::new(Settings {
        namespaces,
        ingresses,
        churn_per_second: churn,
        ..Settings::default()
    });
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    writeln!(
        std::io::stdout(),
        r"apiVersion: v1
kind: Config
current-context: simulated
clusters: [{{ name: simulated, cluster: {{ server: 'http://{address}' }} }}]
users: [{{ name: viewer, user: {{}} }}]
contexts: [{{ name: simulated, context: {{ cluster: simulated, user: viewer }} }}]"
    )?;
    let router = cluster.router();
    let server = axum::serve(listener, router).into_future();
    tokio::select! {
        result = server => result,
        () = cluster.churn() => Ok(()),
    }
}
