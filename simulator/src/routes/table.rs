//! Server-side printing: the `Table` that `kubectl get` asks for.

use std::sync::Arc;

use http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::resource::{Resource, text};
use crate::store::Object;

pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .and_then(|accept| accept.split(',').next())
        .is_some_and(|first| first.contains("as=Table") && first.contains("v=v1;"))
}

pub(super) fn table(resource: Resource, objects: &[Arc<Object>], metadata: &Value) -> String {
    let rows: Vec<_> = objects.iter().map(|object| row(object)).collect();
    envelope(metadata, &rows, Some(resource)).to_string()
}

/// A table of one row, as in a watch; only the first has columns.
pub(super) fn event(object: &Arc<Object>, columns: bool) -> String {
    let metadata = json!({ "resourceVersion": object.version.to_string() });
    envelope(
        &metadata,
        &[row(object)],
        columns.then_some(object.resource),
    )
    .to_string()
}

pub(super) fn bookmark(resource: Resource, metadata: &Value, columns: bool) -> Value {
    envelope(metadata, &[], columns.then_some(resource))
}

fn envelope(metadata: &Value, rows: &[Value], columns: Option<Resource>) -> Value {
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns.map(columns_of),
        "rows": rows,
    })
}

fn columns_of(resource: Resource) -> Vec<Value> {
    let names: &[&str] = match resource {
        Resource::Namespaces => &["Name", "Status", "Age"],
        Resource::Ingresses => &["Name", "Class", "Hosts", "Address", "Ports", "Age"],
    };
    names
        .iter()
        .map(|name| {
            let format = if *name == "Name" { "name" } else { "" };
            json!({ "name": name, "type": "string", "format": format, "description": "", "priority": 0 })
        })
        .collect()
}

fn row(object: &Object) -> Value {
    let value = object.value();
    let age = text(&value, "/metadata/creationTimestamp")
        .and_then(|created| created.parse::<Timestamp>().ok())
        .map_or_else(
            || "<unknown>".to_owned(),
            |created| age(Timestamp::now().as_second() - created.as_second()),
        );
    let cells = match object.resource {
        Resource::Namespaces => json!([object.name, object.phase, age]),
        Resource::Ingresses => {
            let class = text(&value, "/spec/ingressClassName").unwrap_or("<none>");
            let ports = if items(&value, "/spec/tls").is_empty() {
                "80"
            } else {
                "80, 443"
            };
            json!([
                object.name,
                class,
                hosts(&value),
                addresses(&value),
                ports,
                age
            ])
        }
    };
    let metadata = json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": value["metadata"],
    });
    json!({ "cells": cells, "object": metadata })
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// At most three hosts, as kubectl shows them.
fn hosts(value: &Value) -> String {
    let hosts: Vec<_> = items(value, "/spec/rules")
        .iter()
        .filter_map(|rule| rule["host"].as_str())
        .filter(|host| !host.is_empty())
        .collect();
    match hosts.len() {
        0 => "*".to_owned(),
        1..=3 => hosts.join(","),
        count => format!("{} + {} more...", hosts[..3].join(","), count - 3),
    }
}

fn addresses(value: &Value) -> String {
    let addresses: Vec<_> = items(value, "/status/loadBalancer/ingress")
        .iter()
        .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
        .collect();
    addresses.join(",")
}

/// The largest units of an age, as kubectl shows it.
fn age(seconds: i64) -> String {
    match seconds {
        ..0 => "<invalid>".to_owned(),
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
