//! Requests straight to the router, and a watch read line by line.

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use simulator::Cluster;
use tower::ServiceExt;

pub(crate) const INGRESSES: &str = "/apis/networking.k8s.io/v1/ingresses";

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) async fn call(cluster: &Cluster, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body);
    let response = cluster.router().oneshot(request.unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

pub(crate) async fn get(cluster: &Cluster, path: &str) -> Answer {
    call(cluster, "GET", path, Value::Null).await
}

/// An open watch.
pub(crate) struct Watch {
    body: BodyDataStream,
    buffer: Vec<u8>,
}

/// What a watch yields.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Event(Value),
    /// A line that is not JSON.
    Broken(String),
    /// The connection was lost, with this much of a line received.
    Lost(String),
    End,
}

impl Line {
    pub(crate) fn event(self) -> Value {
        match self {
            Self::Event(event) => event,
            other => panic!("an event was expected, not {other:?}"),
        }
    }
}

/// The type of an event and the name of its object.
pub(crate) fn summary(event: &Value) -> (&str, &str) {
    (
        event["type"].as_str().unwrap(),
        event["object"]["metadata"]["name"]
            .as_str()
            .unwrap_or_default(),
    )
}

impl Watch {
    pub(crate) async fn open(cluster: &Cluster, path: &str) -> Self {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = cluster.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body().into_data_stream(),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn next(&mut self) -> Line {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.buffer.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                return serde_json::from_str(&text).map_or(Line::Broken(text), Line::Event);
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(_)) => {
                    return Line::Lost(String::from_utf8_lossy(&self.buffer).into_owned());
                }
                None => return Line::End,
            }
        }
    }
}

pub(crate) fn ingress(namespace: &str, name: &str) -> Value {
    json!({
        "metadata": { "namespace": namespace, "name": name, "labels": { "app": name } },
        "spec": { "defaultBackend": { "service": { "name": "web", "port": { "number": 80 } } } },
    })
}

pub(crate) fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
