//! What becomes of connections between requests, and of those that are none of HTTP/1.1, in paused
//! time.

use std::collections::BTreeSet;
use std::time::Duration;

use kube_ingress_dash::config::WatchMode;
use kube_ingress_dash::listen;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::world::Dash;

const ASK: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A dashboard that listens, and a connection to it.
async fn connected() -> (Dash, TcpStream) {
    let cluster = simulator::Cluster::empty();
    let dash = Dash::start(&cluster, WatchMode::Auto, &BTreeSet::new(), &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, shutdown) = (dash.router.clone(), dash.shutdown.clone());
    tokio::spawn(listen::run(listener, router, 10, shutdown));
    (dash, TcpStream::connect(address).await.unwrap())
}

/// Asks for `/livez`, and reads the answer.
async fn ask(socket: &mut TcpStream) {
    socket.write_all(ASK).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("ok\n") {
        let mut buffer = [0; 1024];
        let read = socket.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the connection was closed: {answer}");
        answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

/// How long it takes until the server closes the connection.
async fn closed_after(socket: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let end = timeout(seconds(200), socket.read_to_end(&mut rest)).await;
    end.expect("it is closed").unwrap();
    assert_eq!(rest, b"", "nothing more is said");
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_connection_rests_for_longer_than_load_balancers_keep_one() {
    let (_dash, mut socket) = connected().await;
    for _ in 0..3 {
        ask(&mut socket).await;
        sleep(seconds(65)).await;
    }
    ask(&mut socket).await;
    let rest = closed_after(&mut socket).await;
    assert!((seconds(74)..seconds(80)).contains(&rest), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_begun_is_not_waited_for_as_long() {
    let (_dash, mut socket) = connected().await;
    let rest = closed_after(&mut socket).await;
    assert!(
        (seconds(9)..seconds(12)).contains(&rest),
        "the first: {rest:?}"
    );

    let (_dash, mut socket) = connected().await;
    ask(&mut socket).await;
    sleep(seconds(30)).await;
    let start = Instant::now();
    for byte in ASK {
        // However it goes on.
        if socket.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(900)).await;
        if socket.try_read(&mut [0]).is_ok() {
            break;
        }
    }
    assert!(start.elapsed() < seconds(12), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_no_more_is_given_its_answer() {
    for path in ["/livez", "/", "/missing"] {
        let (_dash, mut socket) = connected().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = String::new();
        let read = timeout(seconds(5), socket.read_to_string(&mut answer)).await;
        read.expect("the connection ends with the answer").unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_client() {
    let (dash, mut socket) = connected().await;
    let request = b"GET /api/ingresses/stream HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write_all(request).await.unwrap();
    while dash.metrics.streams.get() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let start = Instant::now();
    drop(socket);
    while dash.metrics.streams.get() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(start.elapsed() < seconds(5), "no heartbeat has to find out");
}

#[tokio::test(start_paused = true)]
async fn http_2_is_told_that_it_is_not_spoken_here() {
    let (_dash, mut socket) = connected().await;
    socket
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
