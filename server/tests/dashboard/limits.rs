//! Streams of one client, who may be behind proxies, its share of all, and what there is of them where
//! files are few.

use std::net::Ipv4Addr;

use http::{Method, Response};
use hyper::body::Incoming;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use testkit::dash::{Answer, Dash, LIMIT, Process};
use testkit::upstream::Upstream;

const STREAM: &str = "/api/ingresses/stream";

async fn dash(environment: &[(&str, &str)]) -> Dash {
    let dash = Dash::start(environment, &["--demo=2x4"]).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    dash
}

/// A stream that stays open while its response is held.
async fn open(dash: &Dash, forwarded: &[&str]) -> Response<Incoming> {
    open_from(dash, Ipv4Addr::LOCALHOST, forwarded).await
}

async fn open_from(dash: &Dash, own: Ipv4Addr, forwarded: &[&str]) -> Response<Incoming> {
    let headers: Vec<_> = forwarded
        .iter()
        .map(|line| ("x-forwarded-for", *line))
        .collect();
    let request = dash.request(Method::GET, STREAM, &headers);
    let response = dash.send_from(own, request).await;
    assert_eq!(response.status(), 200, "{own} for {forwarded:?}");
    response
}

/// Asks for one more stream.
async fn one_more(dash: &Dash, forwarded: &str) -> Answer {
    dash.ask(Method::HEAD, STREAM, &[("x-forwarded-for", forwarded)])
        .await
}

#[tokio::test]
async fn a_client_has_so_many_streams_and_others_have_theirs() {
    let dash = dash(&[("MAX_STREAMS_PER_CLIENT", "2")]).await;
    let first = open(&dash, &[]).await;
    let second = open(&dash, &[]).await;
    let refusal = dash.get(STREAM).await;
    let words = refusal.refused(429);
    for word in ["2 streams", "127.0.0.1", "MAX_STREAMS_PER_CLIENT"] {
        assert!(words.contains(word), "{words}");
    }
    assert!(refusal.header("retry-after").parse::<u64>().is_ok());
    let _other = open_from(&dash, Ipv4Addr::new(127, 0, 0, 2), &[]).await;

    // A refusal takes no place, and each that leaves gives one back.
    drop(first);
    dash.get_until("/api/health", |answer| answer.json()["streams"] == 2)
        .await;
    let third = open(&dash, &[]).await;
    dash.get(STREAM).await.refused(429);
    drop((second, third));
    dash.get_until("/api/health", |answer| answer.json()["streams"] == 1)
        .await;
    let _both = (open(&dash, &[]).await, open(&dash, &[]).await);
}

#[tokio::test]
async fn what_a_client_says_it_is_forwarded_for_is_ignored() {
    let dash = dash(&[
        ("MAX_STREAMS_PER_CLIENT", "1"),
        ("TRUSTED_PROXIES", "127.0.0.9, 10.0.0.0/8"),
    ])
    .await;
    let _first = open(&dash, &["192.0.2.1"]).await;
    for spoofed in ["192.0.2.2", "10.0.0.1", "127.0.0.9", "192.0.2.3, 127.0.0.9"] {
        assert_eq!(one_more(&dash, spoofed).await.status, 429, "{spoofed}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_a_client_is_who_the_proxy_says() {
    let dash = dash(&[
        ("MAX_STREAMS_PER_CLIENT", "1"),
        ("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"),
    ])
    .await;
    let _first = open(&dash, &["192.0.2.1"]).await;
    let _second = open(&dash, &["192.0.2.2", "10.1.2.3"]).await;
    for same in [
        "192.0.2.1",
        "192.0.2.99, 192.0.2.1",
        "192.0.2.99, 192.0.2.2, 10.3.2.1",
    ] {
        let refusal = one_more(&dash, same).await;
        assert_eq!(refusal.status, 429, "{same}");
    }
    assert_eq!(one_more(&dash, "192.0.2.3").await.status, 200);
}

#[tokio::test]
async fn zero_is_no_limit_for_one_client() {
    let dash = dash(&[("MAX_STREAMS_PER_CLIENT", "0"), ("MAX_STREAMS", "3")]).await;
    let _all = [
        open(&dash, &[]).await,
        open(&dash, &[]).await,
        open(&dash, &[]).await,
    ];
    let words = dash.get(STREAM).await.refused(429);
    assert!(
        words.contains("MAX_STREAMS)") && !words.contains("CLIENT"),
        "{words}"
    );
}

#[tokio::test]
async fn streams_leave_files_for_the_way_to_the_api_server() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    let kubeconfig = up.kubeconfig("viewer");
    let environment = [
        ("KUBECONFIG", kubeconfig.as_str()),
        ("LISTEN", "127.0.0.1:0"),
    ];
    let dash = Dash::listening(Process::start_with_files(200, &environment, &[])).await;
    let log = dash.process.logs("streams are the most").await;
    assert!(
        log.contains("ulimit -n") && log.contains("files=200"),
        "{log}"
    );
    let mut first = dash.stream("").await;
    first.synced().await;
    let mut open = Vec::new();
    loop {
        let response = dash.send(dash.request(Method::GET, STREAM, &[])).await;
        if response.status() != 200 {
            assert_eq!(response.status(), 429);
            break;
        }
        open.push(response);
    }
    assert!(open.len() > 10, "{}", open.len());
    // New connections to the API server are still made.
    up.simulated().faults().drop_watches();
    up.create(&namespace, "web").await;
    first.gets(&namespace, "web").await;
    assert_eq!(
        dash.get(&format!("/api/ingresses/{namespace}/web"))
            .await
            .status,
        200
    );
    assert!(!dash.process.log().contains("was not accepted"));
}

#[tokio::test]
async fn connections_that_say_nothing_hold_up_nobody() {
    // Some dozens of connections: one that had to wait for a place would wait for its turn among
    // hundreds, each of them for seconds.
    let environment = [("LISTEN", "127.0.0.1:0"), ("LOG_LEVEL", "debug")];
    let process = Process::start_with_files(200, &environment, &["--demo=2x4"]);
    let dash = Dash::listening(process).await;
    let mut stream = dash.stream("").await;
    stream.synced().await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        for _ in 0..50 {
            silent.push(TcpStream::connect(dash.address).await.unwrap());
        }
        assert_eq!(dash.get("/livez").await.status, 200);
    }
    // The first ones left, and the stream did not.
    let end = timeout(LIMIT, silent[0].read(&mut [0])).await;
    assert_eq!(end.expect("it is closed").unwrap(), 0);
    let messages = stream.state.messages.len();
    stream
        .wait_until("the stream goes on", |state| {
            state.messages.len() > messages
        })
        .await;
    assert!(!dash.process.log().contains("was not accepted"));
}
