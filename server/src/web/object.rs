//! `/api/ingresses/{namespace}/{name}`: one object, as JSON or YAML.

use std::collections::BTreeSet;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use protocol::scope::is_dns_label;
use serde_json::Value;

use super::negotiation::Accepted;
use super::problem::Problem;
use super::{Server, api};
use crate::cluster::api::ApiError;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const YAML: &str = "application/yaml";
const JSON: &str = "application/json";
const MASK: &str = "(redacted)";

/// The object without `managedFields` and last-applied, sensitive annotations masked.
pub async fn ingress(
    State(server): State<Server>,
    Path((namespace, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs = api::pairs(query.as_deref())?;
    let accepted = Accepted::read(&headers, header::ACCEPT);
    let yaml = accepted.weight(YAML);
    let as_yaml = match api::values(&pairs, "format").next() {
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
    let object = server.object(&namespace, &name).await?;
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

impl Server {
    /// One object, ready to be shown.
    pub(super) async fn object(&self, namespace: &str, name: &str) -> Result<Value, Problem> {
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
        if !self.journal.admits(namespace) {
            return Err(missing());
        }
        let mut object = self
            .cluster
            .api()
            .ingress(namespace, name)
            .await
            .map_err(|error| match error {
                ApiError::Status { code: 404, .. } => missing(),
                ApiError::Status { code: 403, .. } => Problem::new(
                    StatusCode::FORBIDDEN,
                    format!(
                        "the dashboard's account may not get ingresses in namespace {namespace}"
                    ),
                ),
                error => Problem::new(StatusCode::BAD_GATEWAY, error.to_string()).retry_after(5),
            })?;
        clean(&mut object, &self.config.redact_annotations.0);
        Ok(object)
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
        annotations.remove(LAST_APPLIED);
        for (key, value) in annotations.iter_mut() {
            if redacted.iter().any(|pattern| matches(pattern, key)) {
                *value = MASK.into();
            }
        }
    }
}

/// Whether the key matches the pattern, in which `*` stands for any text.
fn matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|key| {
            (0..=key.len()).any(|at| key.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
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
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bookkeeping_goes_and_sensitive_annotations_are_masked() {
        let mut object = json!({"metadata": {"managedFields": [], "annotations": {
            LAST_APPLIED: "{}", "example.com/auth-secret": "x", "example.com/note": "y"}}});
        clean(&mut object, &BTreeSet::from(["*/auth-*".into()]));
        assert_eq!(
            object,
            json!({"metadata": {"annotations": {"example.com/auth-secret": MASK, "example.com/note": "y"}}})
        );
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("a*c*", "abcd") && matches("*", "") && matches("a", "a"));
        assert!(!matches("a*c", "abcd") && !matches("a", "ab"));
    }

    #[test]
    fn names_are_subdomains() {
        assert!(is_dns_subdomain("a.b-c.d1"));
        for bad in ["", "a..b", "-a", "A", "a/b", "..", "a.", &"a".repeat(254)] {
            assert!(!is_dns_subdomain(bad), "{bad}");
        }
    }

    #[test]
    fn yaml_says_the_same_as_json() {
        let object = json!({"a": "yes", "b": ["1", 1, null, true], "c": "line\nline", "d": "- x: #", "e": ""});
        let back: Value = serde_saphyr::from_str(&to_yaml(&object).unwrap()).unwrap();
        assert_eq!(back, object);
    }
}
