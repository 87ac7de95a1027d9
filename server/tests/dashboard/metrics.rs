//! `/metrics`, as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Method;

use testkit::dash::Dash;
use testkit::upstream::{Upstream, skip};

/// A dashboard on which every kind of thing that is counted has happened.
async fn after_activity() -> (Upstream, Dash) {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    up.create(&namespace, "web").await;
    let dash = up.dash().await;
    let query = format!("namespaces={namespace}");
    let mut client = dash.stream(&query).await;
    client.synced().await;
    up.create(&namespace, "more").await;
    client.gets(&namespace, "more").await;
    let held = client.close();
    let resumed = format!("{query}&lastEventId={}", held.id.clone().unwrap());
    dash.stream_with(&resumed, &[], held).await.synced().await;
    let unknown = format!("{query}&lastEventId=unknown");
    dash.stream(&unknown).await.synced().await;
    up.simulated().compact();
    up.simulated().faults().drop_watches();
    up.delete(&namespace, "more").await;
    dash.get_until("/metrics", |answer| {
        let quiet = ["\ningress_dash_streams 0\n", "\ningress_dash_rows 1\n"];
        quiet.iter().all(|line| answer.text().contains(line))
    })
    .await;
    (up, dash)
}

#[tokio::test]
async fn promtool_has_no_complaint() {
    let test = "metrics::promtool_has_no_complaint";
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        return skip(test, "promtool (Debian: prometheus) is not installed");
    };
    let (_up, dash) = after_activity().await;
    let older = [("accept", "text/plain;version=0.0.4")];
    let metrics = dash.ask(Method::GET, "/metrics", &older).await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let mut input = promtool.stdin.take().expect("it is piped");
    input.write_all(&metrics.body).expect("promtool reads");
    drop(input);
    let output = promtool.wait_with_output().expect("promtool ends");
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    assert!(
        output.status.success() && words.trim().is_empty(),
        "{words}\n{}",
        metrics.text()
    );
}

#[tokio::test]
async fn both_formats_have_the_same_samples() {
    let (_up, dash) = after_activity().await;
    // As Prometheus asks.
    let prometheus =
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let open = dash
        .ask(Method::GET, "/metrics", &[("accept", prometheus)])
        .await;
    assert!(
        open.header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let older = dash
        .ask(Method::GET, "/metrics", &[("accept", "text/plain")])
        .await;
    let names = |answer: &testkit::dash::Answer| {
        let text = answer.text();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let names = samples.map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&open), names(&older));
    assert!(names(&open).contains(&"ingress_dash_resumes_total".to_owned()));
}

#[tokio::test]
async fn a_page_is_given_the_same_samples() {
    let (_up, dash) = after_activity().await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
    ];
    let answer = dash
        .ask(Method::POST, "/api/fn/diagnostics", &headers)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let given: BTreeMap<String, f64> =
        serde_json::from_slice(&answer.body).expect("a map of numbers");
    let text = dash.get("/metrics").await.text();
    let named = |line: &str| Some(line.rsplit_once(' ')?.0.to_owned());
    let samples: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(named)
        .collect();
    assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), samples);
    let of = |name: &str| given[&format!("ingress_dash_{name}")];
    assert_eq!(of("rows"), 1.0);
    assert_eq!(of("resumes_total"), 1.0);
    // Three streams came, and went by themselves.
    assert_eq!(of("stream_cuts_total"), 3.0);
    assert_eq!(
        of(r#"watch_events_total{resource="ingresses",type="ADDED"}"#),
        1.0
    );
    let requests = of(r#"watch_requests_total{resource="ingresses"}"#);
    assert!(requests >= 2.0, "a list and a watch: {requests}");
}
