use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use protocol::message::{Reset, Synced};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::*;

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// A server of one stream that lasts as long as its client: these rows, and a `synced` of this
/// count.
fn stream_of(cluster: &Cluster, count: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let build = String::new();
    let mut messages = vec![Message::Reset(Reset { build })];
    let rows = cluster.list(None);
    messages.extend(
        rows.iter()
            .map(|row| Message::IngressAdded(expected::row(row))),
    );
    messages.push(Message::Synced(Synced {
        count,
        ..Synced::default()
    }));
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        for message in messages {
            sse::write_event(&mut bytes, None, message.encode().as_bytes());
        }
        socket.write_all(&bytes).unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
    });
    address
}

fn cluster() -> Cluster {
    let cluster = Cluster::empty();
    cluster.apply(json!({ "metadata": { "name": "web", "namespace": "shop" } }));
    cluster
}

#[test]
fn a_table_that_is_not_the_clusters_is_a_failure() {
    let (runtime, cluster) = (runtime(), cluster());
    let address = stream_of(&cluster, 1);
    let fleet = Fleet::connect(runtime.handle(), address, [Scope::All], 1);
    fleet.synced().unwrap();
    fleet.check(&cluster).unwrap();

    cluster.apply(json!({ "metadata": { "name": "api", "namespace": "shop" } }));
    let error = fleet.check_within(&cluster, Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "WRONG TABLES: 1 of 1 clients; the first: of 2 rows 1 are missing and 0 are old, 0 are too many"
    );
}

#[test]
fn a_synced_that_counts_other_rows_is_a_failure() {
    let runtime = runtime();
    let address = stream_of(&cluster(), 2);
    let fleet = Fleet::connect(runtime.handle(), address, [Scope::All], 1);
    let error = fleet.synced().unwrap_err();
    assert_eq!(
        error.to_string(),
        "client 0: WRONG TABLE: synced says 2 rows, held are 1"
    );
}
