//! `/metrics`, as Prometheus reads it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use http::Method;

use crate::{
    dash::Dash,
    upstream::{Upstream, skip},
};

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
        answer.text().contains("\ningress_dash_streams 0\n")
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
    let names = |answer: &crate::dash::Answer| {
        let text = answer.text();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let names = samples.map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&open), names(&older));
    assert!(names(&open).contains(&"ingress_dash_resumes_total".to_owned()));
}
