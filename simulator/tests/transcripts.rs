//! The simulator says what a real API server said, request by request and event by event.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use serde_json::Value;
use simulator::Cluster;
use testkit::script;

#[tokio::test(start_paused = true)]
async fn writes_are_answered_as_by_a_real_api_server() {
    compare("writes").await;
}

#[tokio::test(start_paused = true)]
async fn lists_are_answered_as_by_a_real_api_server() {
    compare("lists").await;
}

#[tokio::test(start_paused = true)]
async fn watches_see_the_events_of_a_real_api_server() {
    compare("watches").await;
}

#[tokio::test(start_paused = true)]
async fn refusals_are_worded_as_by_a_real_api_server() {
    compare("refusals").await;
}

async fn compare(scenario: &str) {
    let path = format!(
        "{}/tests/transcripts/{scenario}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let recorded: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();

    // A past that is no longer in the log, as the recorded API server had one before the script.
    let cluster = Cluster::empty();
    cluster.apply_namespace("default");
    cluster.compact();
    let client = kube::Client::new(cluster.router(), "default");
    let played = script::play(scenario, client).await.unwrap();

    let recorded = normalise(recorded);
    let played = normalise(played);
    let mut differences = Vec::new();
    compare_values("", &recorded.into(), &played.into(), &mut differences);
    assert!(
        differences.is_empty(),
        "recorded and played:\n{}",
        differences.join("\n")
    );
}

/// Notes where two values differ, by the smallest parts.
fn compare_values(path: &str, recorded: &Value, played: &Value, differences: &mut Vec<String>) {
    match (recorded, played) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for key in keys {
                compare_values(
                    &format!("{path}/{key}"),
                    &recorded[key],
                    &played[key],
                    differences,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let at = |items: &[Value]| items.get(index).cloned().unwrap_or_default();
                compare_values(
                    &format!("{path}/{index}"),
                    &at(left),
                    &at(right),
                    differences,
                );
            }
        }
        _ if recorded != played => differences.push(format!("{path}: {recorded} and {played}")),
        _ => {}
    }
}

/// Takes out what differs from run to run, and numbers versions by their order.
fn normalise(mut transcript: Vec<Value>) -> Vec<Value> {
    let mut versions = BTreeSet::new();
    for entry in &transcript {
        collect_versions(entry, &mut versions);
    }
    for entry in &mut transcript {
        if let Some(request) = entry["request"].as_object_mut() {
            // Tokens and versions in what was asked differ; the script is the same.
            if let Some(metadata) = request
                .get_mut("body")
                .and_then(|body| body["metadata"].as_object_mut())
            {
                metadata.remove("resourceVersion");
            }
            for field in ["path", "watch"] {
                let asked = request
                    .get(field)
                    .map(|value| without_query_values(&value.to_string()));
                request.insert(field.to_owned(), asked.into());
            }
        }
        normalise_value(entry, &versions);
    }
    transcript
}

/// Versions of objects; those of lists and bookmarks may be of anything in the cluster.
fn collect_versions(value: &Value, versions: &mut BTreeSet<u64>) {
    match value {
        Value::Object(fields) => {
            let metadata = &value["metadata"];
            if metadata["uid"].is_string()
                && let Some(version) = metadata["resourceVersion"]
                    .as_str()
                    .and_then(|version| version.parse().ok())
            {
                versions.insert(version);
            }
            fields
                .values()
                .for_each(|value| collect_versions(value, versions));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_versions(value, versions)),
        _ => {}
    }
}

fn normalise_value(value: &mut Value, versions: &BTreeSet<u64>) {
    match value {
        Value::Object(fields) => {
            fields.remove("managedFields");
            for (key, value) in fields {
                match (key.as_str(), value.as_str().map(str::to_owned)) {
                    ("resourceVersion", Some(version)) => {
                        if let Ok(version) = version.parse::<u64>() {
                            *value = versions.range(..=version).count().into();
                        }
                    }
                    ("uid" | "creationTimestamp" | "deletionTimestamp" | "continue", Some(_)) => {
                        *value = "…".into();
                    }
                    // The API server finds the same problem twice where it validates twice.
                    ("causes", _) => {
                        if let Some(causes) = value.as_array_mut() {
                            causes.dedup();
                        }
                        normalise_value(value, versions);
                    }
                    ("message", Some(text)) => *value = without_run_values(&text).into(),
                    _ => normalise_value(value, versions),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| normalise_value(value, versions)),
        _ => {}
    }
}

/// Every run of digits becomes one `#`, and every UUID too.
fn without_run_values(text: &str) -> String {
    let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    for word in &mut words {
        let bare = word.trim_matches(|letter: char| "(),:.".contains(letter));
        let is_number = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        let is_uuid = bare.len() == 36 && bare.matches('-').count() == 4;
        if is_number || is_uuid {
            *word = word.replace(bare, "#");
        }
    }
    let text = words.join(" ");
    // What follows is how a parser in another language sees the token.
    match text.split_once("continue key is not valid") {
        Some((start, _)) => format!("{start}continue key is not valid"),
        None => text,
    }
}

fn without_query_values(text: &str) -> String {
    ["resourceVersion=", "continue="]
        .iter()
        .fold(text.to_owned(), |text, parameter| {
            let mut parts = text.split(parameter);
            let mut result = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                result.push_str(parameter);
                result.push_str(part.trim_start_matches(|letter: char| {
                    letter.is_ascii_alphanumeric() || "-_%.".contains(letter)
                }));
            }
            result
        })
}
