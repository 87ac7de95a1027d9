//! Streams whose clients are slow, and watches that are too many, in paused time: who waits for
//! whom, and what becomes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use kube_ingress_dash::config::WatchMode;
use kube_ingress_dash::listen::{self, Connection};
use kube_ingress_dash::metrics::DoneReason as Label;
use protocol::message::{DoneReason, NamespaceState};
use protocol::{Message, sse};
use serde_json::json;
use simulator::{Decision, Rule};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt as _;

use crate::world::Dash;

const ROWS: usize = 60;

/// A cluster whose rows are far more than sockets buffer, and a dashboard that has listed it.
async fn dash(arguments: &[&str]) -> Dash {
    let cluster = simulator::Cluster::empty();
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    // A row has up to 100 paths, of up to 512 bytes each.
    let paths: Vec<_> = (0..60)
        .map(|path| format!("/{path}{}", "/".repeat(400)))
        .map(|path| json!({"path": path, "pathType": "Prefix", "backend": backend}))
        .collect();
    for row in 0..ROWS {
        cluster.apply(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"namespace": "a", "name": format!("row{row}")},
            "spec": {"rules": [{"http": {"paths": paths}}]},
        }));
    }
    let dash = Dash::start(&cluster, WatchMode::Auto, &BTreeSet::new(), arguments);
    while dash.journal.len() < ROWS {
        sleep(Duration::from_millis(10)).await;
    }
    dash
}

/// A stream that is read by hand.
struct Stream {
    body: Body,
    parser: sse::Parser,
    messages: Vec<(Option<String>, Message)>,
}

impl Stream {
    async fn open(router: &Router, id: Option<&str>) -> Self {
        Self::open_from(router, id, None).await
    }

    /// With this query.
    async fn of(router: &Router, query: &str) -> Self {
        let path = format!("/api/ingresses/stream?{query}");
        Self::answered(router, Request::get(path).header("host", "localhost")).await
    }

    /// Of a client at this address.
    async fn open_from(router: &Router, id: Option<&str>, client: Option<[u8; 4]>) -> Self {
        let mut request = Request::get("/api/ingresses/stream").header("host", "localhost");
        if let Some(id) = id {
            request = request.header("last-event-id", id);
        }
        if let Some(client) = client {
            request = request.extension(Connection::new((client, 1).into()));
        }
        Self::answered(router, request).await
    }

    async fn answered(router: &Router, request: http::request::Builder) -> Self {
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body(),
            parser: sse::Parser::default(),
            messages: Vec::new(),
        }
    }

    /// Reads for so long, or to the end.
    async fn read_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(Some(frame)) = timeout(
            until.saturating_duration_since(Instant::now()),
            self.body.frame(),
        )
        .await
        {
            let data = frame.unwrap().into_data().unwrap();
            self.parser
                .push(&data, |event| {
                    let message = Message::decode(&event.data).unwrap().unwrap();
                    self.messages.push((event.id, message));
                })
                .unwrap();
        }
    }

    /// Takes a chunk now and then: too slowly for anybody's patience, and not nothing.
    fn sip(mut self) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(async move {
            while self.body.frame().await.is_some() {
                sleep(Duration::from_millis(900)).await;
            }
        }))
    }

    fn heartbeats(&self) -> usize {
        let heartbeat = |(_, message): &&(_, Message)| matches!(message, Message::Heartbeat(_));
        self.messages.iter().filter(heartbeat).count()
    }

    fn rows(&self) -> usize {
        let added = |(_, message): &&(_, Message)| matches!(message, Message::IngressAdded(_));
        self.messages.iter().filter(added).count()
    }

    fn has_synced(&self) -> bool {
        self.messages
            .iter()
            .any(|(_, message)| matches!(message, Message::Synced(_)))
    }

    fn id(&self) -> Option<&str> {
        self.messages.iter().rev().find_map(|(id, _)| id.as_deref())
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_stream_waits_for_its_turn_with_heartbeats() {
    let dash = dash(&["--max-replays=1"]).await;
    let waiting = &dash.metrics.replays_waiting;
    let first = Stream::open(&dash.router, None).await.sip();
    let second = Stream::open(&dash.router, None).await.sip();
    let mut third = Stream::open(&dash.router, None).await;
    assert_eq!(waiting.get(), 2);

    third.read_for(seconds(16)).await;
    assert!(matches!(third.messages[0].1, Message::Reset(_)));
    assert!(third.parser.retry_ms().is_some());
    assert_eq!((third.rows(), third.heartbeats()), (0, 1));
    assert_eq!(third.id(), Some("0"), "a stream that waits has no id");

    // The turns of those that read slowly are over after 10 s each.
    third.read_for(seconds(5)).await;
    assert!(third.has_synced());
    assert_eq!(third.rows(), ROWS);
    drop((first, second));
    assert_eq!(waiting.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_lost_by_who_takes_nothing() {
    let dash = dash(&["--max-replays=1"]).await;
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(Stream::open(&dash.router, None).await);
    }
    let mut next = Stream::open(&dash.router, None).await;
    next.read_for(seconds(9)).await;
    assert!(next.has_synced(), "8 turns of 1 s are before it");
    // Who reads on later is served all the same.
    let mut late = stalled.swap_remove(0);
    late.read_for(seconds(1)).await;
    assert!(late.has_synced() && late.rows() == ROWS);
}

#[tokio::test(start_paused = true)]
async fn one_client_leaves_turns_to_others() {
    let dash = dash(&["--max-replays=4"]).await;
    let greedy = Some([192, 0, 2, 1]);
    let mut slow = Vec::new();
    for _ in 0..30 {
        let stream = Stream::open_from(&dash.router, None, greedy).await;
        slow.push(stream.sip());
    }
    assert_eq!(dash.metrics.replays_waiting.get(), 28, "it has half of all");
    let mut other = Stream::open_from(&dash.router, None, Some([192, 0, 2, 2])).await;
    assert_eq!(dash.metrics.replays_waiting.get(), 28);
    other.read_for(Duration::from_millis(100)).await;
    assert!(other.has_synced());
}

#[tokio::test(start_paused = true)]
async fn while_draining_each_stream_is_served_until_its_moment() {
    fastrand::seed(1);
    let cluster = simulator::Cluster::empty();
    let dash = Dash::start(
        &cluster,
        WatchMode::Auto,
        &BTreeSet::new(),
        &["--drain-time=600"],
    );
    while dash.journal.whole_status().0.state != NamespaceState::Live {
        sleep(Duration::from_millis(10)).await;
    }
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = Stream::open(&dash.router, None).await;
        stream.read_for(seconds(1)).await;
        assert!(stream.has_synced());
        streams.push(stream);
    }
    dash.shutdown.draining.cancel();
    let start = Instant::now();
    let mut served = 0;
    for round in 0.. {
        let name = format!("row{round}");
        cluster.apply(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"namespace": "a", "name": name}, "spec": {},
        }));
        // All at once, as so many clients do.
        let round = streams.into_iter().map(|mut stream: Stream| async {
            stream.messages.clear();
            stream.read_for(seconds(20)).await;
            stream
        });
        let mut open = Vec::new();
        for stream in futures::future::join_all(round).await {
            let done = |(_, message): &(_, Message)| match message {
                Message::Done(done) => {
                    assert_eq!(done.reason, DoneReason::Draining);
                    true
                }
                _ => false,
            };
            if !stream.messages.iter().any(done) {
                assert_eq!(stream.rows(), 1, "the change of this round");
                assert_eq!(stream.heartbeats(), 1, "15 s after it");
                served += 1;
                open.push(stream);
            }
        }
        streams = open;
        if streams.is_empty() {
            break;
        }
    }
    assert!(served > 0 && start.elapsed() <= seconds(500));
}

#[tokio::test(start_paused = true)]
async fn the_next_comes_as_soon_as_one_has_everything_or_is_gone() {
    let dash = dash(&["--max-replays=1"]).await;
    let mut first = Stream::open(&dash.router, None).await;
    let gone = Stream::open(&dash.router, None).await;
    let mut last = Stream::open(&dash.router, None).await;
    let start = Instant::now();
    first.read_for(Duration::from_millis(100)).await;
    assert!(first.has_synced());
    drop(gone);
    last.read_for(Duration::from_millis(100)).await;
    assert!(last.has_synced());
    assert!(
        start.elapsed() < seconds(1),
        "in paused time nothing takes longer by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn a_resume_waits_for_nobody() {
    let dash = dash(&["--max-replays=1"]).await;
    let mut client = Stream::open(&dash.router, None).await;
    client.read_for(seconds(1)).await;
    let _slow = Stream::open(&dash.router, None).await.sip();
    let mut resumed = Stream::open(&dash.router, client.id()).await;
    assert_eq!(dash.metrics.replays_waiting.get(), 0);
    resumed.read_for(seconds(1)).await;
    assert!(resumed.has_synced() && resumed.rows() == 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_ends_with_the_server_and_with_its_life() {
    for (drain, reason) in [(true, DoneReason::Draining), (false, DoneReason::Timeout)] {
        let arguments = ["--max-replays=1", "--stream-timeout=5000", "--drain-time=0"];
        let dash = dash(&arguments).await;
        let _slow = Stream::open(&dash.router, None).await.sip();
        let mut waits = Stream::open(&dash.router, None).await;
        if drain {
            dash.shutdown.draining.cancel();
        }
        waits.read_for(seconds(9)).await;
        let (_, last) = waits.messages.last().unwrap();
        assert!(
            matches!(last, Message::Done(done) if done.reason == reason),
            "{last:?}"
        );
        assert_eq!(waits.rows(), 0);
        drop(waits);
        assert_eq!(dash.metrics.replays_waiting.get(), 0);
    }
}

/// Asks for a stream on a socket that buffers little, and does not read.
async fn stalled(dash: &Dash) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::run(
        listener,
        dash.router.clone(),
        10,
        dash.shutdown.clone(),
    ));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    socket
        .write_all(b"GET /api/ingresses/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    while dash.metrics.streams.get() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    socket
}

fn slow_consumers(dash: &Dash) -> u64 {
    let label = Label {
        reason: "slowConsumer",
    };
    dash.metrics.done.get_or_create(&label).get()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_and_counted() {
    let dash = dash(&[]).await;
    let mut socket = stalled(&dash).await;
    sleep(seconds(34)).await;
    assert_eq!((dash.metrics.streams.get(), slow_consumers(&dash)), (1, 0));
    sleep(seconds(2)).await;
    assert_eq!((dash.metrics.streams.get(), slow_consumers(&dash)), (0, 1));
    let mut received = Vec::new();
    let _ = socket.read_to_end(&mut received).await;
    let received = String::from_utf8(received).unwrap();
    assert!(received.starts_with("HTTP/1.1 200"));
    assert!(!received.contains(r#"{"type":"done""#) && !received.contains(r#"{"type":"synced""#));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_does_not_wait_for_a_client_that_reads_slowly() {
    let dash = dash(&["--stream-timeout=5000"]).await;
    let mut socket = stalled(&dash).await;
    let start = Instant::now();
    while dash.metrics.streams.get() > 0 {
        let mut buffer = [0; 2_000];
        let _ = timeout(seconds(1), socket.read_exact(&mut buffer)).await;
        sleep(seconds(1)).await;
        assert!(
            start.elapsed() < seconds(15),
            "the stream is 5 s old at most, and 5 more"
        );
    }
    let label = Label { reason: "timeout" };
    assert_eq!(dash.metrics.done.get_or_create(&label).get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_again_in_the_time_of_grace_is_told() {
    let dash = dash(&[]).await;
    let mut socket = stalled(&dash).await;
    sleep(seconds(31)).await;
    let mut received = String::new();
    while !received.ends_with("\r\n0\r\n\r\n") {
        let mut buffer = [0; 16 << 10];
        let read = timeout(seconds(4), socket.read(&mut buffer)).await;
        let read = read.expect("the stream ends").unwrap();
        assert!(read > 0, "the connection stays");
        received.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let done = r#"{"type":"done","data":{"message":"Stream closed","reason":"slowConsumer"}}"#;
    assert!(received.contains(done));
    assert_eq!((dash.metrics.streams.get(), slow_consumers(&dash)), (0, 1));
    // The connection is good for the next request.
    socket
        .write_all(b"HEAD /api/ingresses/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut buffer = [0; 1024];
    let read = socket.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn names_that_nobody_knows_take_turns_where_others_have_rows() {
    let cluster = simulator::Cluster::empty();
    cluster.apply(json!({"metadata": {"namespace": "real", "name": "web"}, "spec": {}}));
    cluster.rules().replace(vec![Rule {
        decision: Decision::Deny,
        verb: "*".into(),
        resource: "namespaces".into(),
        namespace: None,
    }]);
    let mode = WatchMode::Namespaced;
    let dash = Dash::start(&cluster, mode, &BTreeSet::new(), &["--max-watches=2"]);
    let mut made_up = Stream::of(&dash.router, "namespaces=evil0,evil1,evil2,evil3").await;
    made_up.read_for(seconds(20)).await;
    let mut real = Stream::of(&dash.router, "namespaces=real").await;
    real.read_for(seconds(200)).await;
    assert_eq!(real.rows(), 1);
    // Its place is no more taken from it, while the others take turns.
    let reader = real.messages.len();
    real.read_for(seconds(600)).await;
    let is_status = |(_, message): &(_, Message)| matches!(message, Message::NamespaceStatus(_));
    assert!(!real.messages[reader..].iter().any(is_status));
    cluster.apply(json!({"metadata": {"namespace": "evil3", "name": "late"}, "spec": {}}));
    made_up.read_for(seconds(600)).await;
    assert_eq!(made_up.rows(), 1);
}
