//! The projection: an Ingress object of the Kubernetes API to its row. The only place that knows
//! both sides.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use k8s_openapi::api::networking::v1 as api;
use protocol::ingress::{Backend, Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry};
use protocol::{Ingress, Key};
use serde_json::Value;

use crate::catalog::Object;

/// The annotation that named the class before `spec.ingressClassName` did.
const LEGACY_CLASS: &str = "kubernetes.io/ingress.class";

/// An object cannot be shown.
#[derive(Debug, thiserror::Error)]
#[error("{}/{}: {source}", key.namespace, key.name)]
pub struct InvalidObject {
    /// Which one, as far as it says.
    pub key: Key,
    source: serde_json::Error,
}

/// Projects one object as the API server sent it.
pub fn project(mut object: Value) -> Result<Object, InvalidObject> {
    let resource_version = resource_version(&object);
    let key = key(&object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
    }
    // A list's items carry neither, a watch's events carry both: they are no part of the state.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    let version = version(&object);
    let object: api::Ingress =
        serde_json::from_value(object).map_err(|source| InvalidObject { key, source })?;
    let row = row(object, version);
    Ok(Object {
        uid: row.uid.clone(),
        version: row.version.clone(),
        row: row.into(),
        resource_version,
    })
}

/// The identity of an object.
#[must_use]
pub fn key(object: &Value) -> Key {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Key::new(text("/metadata/namespace"), text("/metadata/name"))
}

/// The resource version of an object, a list or a bookmark; 0 where there is none.
#[must_use]
pub fn resource_version(object: &Value) -> u64 {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// A hash of the object's canonical JSON (`serde_json` keeps the keys of a map in order).
fn version(object: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(object.to_string().as_bytes());
    format!("{:016x}", hasher.finish())
}

fn row(object: api::Ingress, version: String) -> Ingress {
    let metadata = object.metadata;
    let spec = object.spec.unwrap_or_default();
    let annotations = metadata.annotations.unwrap_or_default();
    let rules: Vec<Rule> = spec
        .rules
        .unwrap_or_default()
        .into_iter()
        .map(rule)
        .collect();
    let mut seen = BTreeSet::new();
    let hosts = rules
        .iter()
        .filter_map(|rule| rule.host.clone())
        .filter(|host| !host.is_empty() && seen.insert(host.clone()))
        .collect();
    let tls_entries: Vec<TlsEntry> = spec
        .tls
        .unwrap_or_default()
        .into_iter()
        .map(|entry| TlsEntry {
            secret_name: entry.secret_name.filter(|name| !name.is_empty()),
            hosts: entry.hosts.unwrap_or_default(),
        })
        .collect();
    let addresses = object
        .status
        .and_then(|status| status.load_balancer?.ingress)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|address| address.ip.or(address.hostname))
        .collect();
    Ingress {
        name: metadata.name.unwrap_or_default(),
        namespace: metadata.namespace.unwrap_or_default(),
        hosts,
        tls: !tls_entries.is_empty(),
        rules,
        uid: metadata.uid.unwrap_or_default(),
        created_at: metadata.creation_timestamp.map(|time| time.0.to_string()),
        ingress_class_name: spec
            .ingress_class_name
            .or_else(|| annotations.get(LEGACY_CLASS).cloned()),
        default_backend: spec.default_backend.map(backend),
        addresses,
        tls_entries,
        labels: metadata.labels.unwrap_or_default(),
        annotation_keys: annotations.into_keys().collect(),
        version,
    }
}

fn rule(rule: api::IngressRule) -> Rule {
    let paths = rule.http.map(|http| http.paths).unwrap_or_default();
    Rule {
        host: rule.host.filter(|host| !host.is_empty()),
        paths: paths
            .into_iter()
            .map(|path| Path {
                path: path.path,
                path_type: path.path_type,
                backend: backend(path.backend),
            })
            .collect(),
    }
}

fn backend(backend: api::IngressBackend) -> Backend {
    Backend {
        service: backend.service.map(|service| ServiceBackend {
            name: service.name,
            port: service
                .port
                .and_then(|port| port.number.map(Port::Number).or(port.name.map(Port::Name))),
        }),
        resource: backend.resource.map(|resource| ResourceBackend {
            api_group: resource.api_group,
            kind: resource.kind,
            name: resource.name,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn projected(object: Value) -> Ingress {
        project(object).unwrap().row.decode()
    }

    #[test]
    fn hosts_are_unique_and_in_rule_order() {
        let row = projected(json!({
            "metadata": {"name": "a", "namespace": "b", "resourceVersion": "7"},
            "spec": {"rules": [{"host": "z.example.com"}, {"host": "a.example.com"}, {"host": "z.example.com"}, {}]},
        }));
        assert_eq!(row.hosts, ["z.example.com", "a.example.com"]);
        assert_eq!(row.rules.len(), 4);
    }

    #[test]
    fn the_class_of_the_spec_goes_before_the_annotation() {
        let object = |class: Value| json!({"metadata": {"annotations": {LEGACY_CLASS: "old"}}, "spec": {"ingressClassName": class}});
        assert_eq!(
            projected(object(json!("new")))
                .ingress_class_name
                .as_deref(),
            Some("new")
        );
        assert_eq!(
            projected(object(Value::Null)).ingress_class_name.as_deref(),
            Some("old")
        );
    }

    #[test]
    fn the_version_ignores_bookkeeping_and_notices_everything_else() {
        let object = |resource_version: &str, annotation: &str| {
            json!({"metadata": {"name": "a", "resourceVersion": resource_version, "managedFields": [{"manager": resource_version}],
                   "annotations": {"note": annotation}}})
        };
        let version = |object| projected(object).version;
        assert_eq!(version(object("1", "x")), version(object("2", "x")));
        assert_ne!(version(object("1", "x")), version(object("1", "y")));
    }

    #[test]
    fn a_default_backend_alone_is_a_row() {
        let row = projected(
            json!({"metadata": {"name": "a"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"name": "http"}}}}}),
        );
        let service = row.default_backend.unwrap().service.unwrap();
        assert_eq!(
            (service.name.as_str(), service.port),
            ("s", Some(Port::Name("http".into())))
        );
        assert!(row.hosts.is_empty());
    }

    #[test]
    fn an_object_of_the_wrong_shape_is_named() {
        let error =
            project(json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {"rules": 5}}))
                .unwrap_err();
        assert!(error.to_string().starts_with("b/a: "), "{error}");
    }
}
