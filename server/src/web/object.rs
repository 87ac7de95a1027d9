//! `/api/ingresses/{namespace}/{name}`: one object, as JSON or YAML.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use protocol::filter::like;
use protocol::scope::is_dns_label;
use protocol::{Key, Scope};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::negotiation::Accepted;
use super::problem::Problem;
use super::query;
use super::sight::Sight;
use crate::cluster::api::ApiError;
use crate::journal::Revision;

/// Copies of the whole object, some of them compressed: bookkeeping, and a way around the masks.
const COPIES: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
];
const YAML: &str = "application/yaml";
const JSON: &str = "application/json";
const MASK: &str = "(redacted)";

type Outcome = Result<Arc<Value>, Problem>;

/// The objects that are being asked for: who comes meanwhile gets the same answer. An object that
/// has changed since is another one.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<HashMap<Version, Asking>>);

/// An object and the revision of its row; 0 where there is none.
type Version = (Key, Revision);

#[derive(Debug, Default)]
struct Asking {
    answer: Arc<OnceCell<Outcome>>,
    /// The requests that wait for it.
    waiting: usize,
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, HashMap<Version, Asking>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `ask` answers, which one of those who want this version does for all of them.
    async fn get(&self, version: Version, ask: impl Future<Output = Outcome>) -> Outcome {
        let answer = {
            let mut asked = self.lock();
            let asking = asked.entry(version.clone()).or_default();
            asking.waiting += 1;
            asking.answer.clone()
        };
        let waits = Waits {
            asked: self,
            version,
            answer,
        };
        waits.answer.get_or_init(|| ask).await.clone()
    }
}

/// One of those who wait for an answer, until dropped.
struct Waits<'a> {
    asked: &'a Asked,
    version: Version,
    answer: Arc<OnceCell<Outcome>>,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut asked = self.asked.lock();
        if let Entry::Occupied(mut asking) = asked.entry(self.version.clone())
            && Arc::ptr_eq(&asking.get().answer, &self.answer)
        {
            asking.get_mut().waiting -= 1;
            // A request that comes after the answer asks anew.
            if asking.get().waiting == 0 || self.answer.initialized() {
                asking.remove();
            }
        }
    }
}

/// The object without `managedFields` and copies of itself, sensitive annotations masked.
pub async fn ingress(
    sight: Sight,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((namespace, name)) = path?;
    let pairs = query::pairs(query.as_deref())?;
    let accepted = Accepted::read(&headers, header::ACCEPT);
    let yaml = accepted.weight(YAML);
    let as_yaml = match query::values(&pairs, "format").next() {
        None => yaml > 0.0 && yaml >= accepted.weight(JSON),
        // A link cannot say what it accepts.
        Some("yaml") => true,
        Some("json") => false,
        Some(other) => {
            return Err(Problem::bad_request(format!(
                "format is {:?}: allowed are json and yaml",
                start_of(other)
            )));
        }
    };
    let object = sight.object(&namespace, &name).await?;
    let caching = [
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Accept"),
    ];
    let (content_type, body) = match as_yaml {
        true => (YAML, to_yaml(&object)?),
        false => (JSON, object.to_string()),
    };
    Ok((caching, [(header::CONTENT_TYPE, content_type)], body).into_response())
}

/// As much of what was asked for as an error shows.
fn start_of(text: &str) -> String {
    text.chars().take(80).collect()
}

impl Sight {
    /// One object, ready to be shown.
    pub(super) async fn object(&self, namespace: &str, name: &str) -> Result<Arc<Value>, Problem> {
        if !is_dns_label(namespace) {
            let shown = start_of(namespace);
            return Err(Problem::bad_request(format!(
                "{shown:?} is not a namespace name: allowed are 1 to 63 characters, lower-case letters, digits and '-' (DNS-1123 label)"
            )));
        }
        if !is_dns_subdomain(name) {
            let shown = start_of(name);
            return Err(Problem::bad_request(format!(
                "{shown:?} is not an ingress name: allowed are 1 to 253 characters, lower-case letters, digits, '-' and '.' (DNS-1123 subdomain)"
            )));
        }
        let missing = || {
            Problem::new(
                StatusCode::NOT_FOUND,
                format!("there is no ingress {namespace}/{name}"),
            )
        };
        let visible = self.visible(Scope::Namespaces([namespace.to_owned()].into()));
        let server = &self.server;
        if !visible.contains(namespace) || !server.journal.admits(namespace) {
            return Err(missing());
        }
        let ask = async {
            let object = server.cluster.api().ingress(namespace, name).await;
            let mut object = object.map_err(|error| match error {
                ApiError::Status { code: 404, .. } => missing(),
                ApiError::Status { code: 403, .. } => Problem::new(
                    StatusCode::FORBIDDEN,
                    format!(
                        "the dashboard's account may not get ingresses in namespace {namespace}"
                    ),
                ),
                error => Problem::new(StatusCode::BAD_GATEWAY, error.to_string()).retry_after(5),
            })?;
            clean(&mut object, &server.config.redact_annotations.0);
            Ok(Arc::new(object))
        };
        let key = Key::new(namespace, name);
        let revision = server.journal.revision_of(&visible, &key);
        server.own.asked.get((key, revision), ask).await
    }
}

/// An ingress is called by a DNS-1123 subdomain.
fn is_dns_subdomain(name: &str) -> bool {
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let part = |part: &str| {
        let bytes = part.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(part)
}

fn clean(object: &mut Value, redacted: &BTreeSet<String>) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    metadata.remove("managedFields");
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        for copy in COPIES {
            annotations.remove(copy);
        }
        let is_redacted = |key: &str| {
            let key = key.to_ascii_lowercase();
            let like = |pattern: &String| like(&key, &pattern.to_ascii_lowercase());
            redacted.iter().any(like)
        };
        let masked: Vec<String> = annotations
            .keys()
            .filter(|key| is_redacted(key))
            .map(|key| format!("{key:?}"))
            .collect();
        for (key, value) in annotations.iter_mut() {
            // Other tools keep copies too, as JSON.
            let copies = |text: &str| masked.iter().any(|key| text.contains(key));
            if is_redacted(key) || value.as_str().is_some_and(copies) {
                *value = MASK.into();
            }
        }
    }
}

pub(super) fn to_yaml(object: &Value) -> Result<String, Problem> {
    serde_saphyr::to_string(object).map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("no YAML: {error}"),
        )
    })
}

#[cfg(test)]
mod tests;
