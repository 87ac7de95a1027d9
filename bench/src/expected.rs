//! What a client must hold: the simulator's list, projected without any code of the server.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use protocol::ingress::{Backend, Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry};
use protocol::{Ingress, Key, Scope};
use serde_json::Value;
use simulator::Cluster;

/// The label that carries the number of a change.
pub(crate) const CHANGE: &str = "bench.example.com/change";

/// A table by digests, so that ten thousand of them fit in memory: each key's to its row's.
pub(crate) type Table = HashMap<u64, u64, RandomState>;

/// The digest of a row's identity.
pub(crate) fn key_digest(key: &Key) -> u64 {
    digest(key)
}

/// The digest of a row but for its `version`, a hash that is the server's own.
pub(crate) fn row_digest(row: &Ingress) -> u64 {
    let row = Ingress {
        version: String::new(),
        ..row.clone()
    };
    digest(&serde_json::to_string(&row).unwrap_or_default())
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What the cluster holds, by namespace.
pub(crate) struct Expected(BTreeMap<String, Table>);

impl Expected {
    /// What it holds now.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let mut namespaces = BTreeMap::<String, Table>::new();
        for ingress in cluster.list(None) {
            let row = row(&ingress);
            let (key, digest) = (key_digest(&row.key()), row_digest(&row));
            namespaces
                .entry(row.namespace)
                .or_default()
                .insert(key, digest);
        }
        Self(namespaces)
    }

    /// How a client's table of this scope differs; `None` where it does not.
    pub(crate) fn difference(&self, scope: &Scope, table: &Table) -> Option<String> {
        let expected = || {
            let namespaces = self.0.iter().filter(|(name, _)| scope.contains(name));
            namespaces.flat_map(|(_, rows)| rows)
        };
        let (mut count, mut missing, mut different) = (0, 0, 0);
        for (key, row) in expected() {
            count += 1;
            match table.get(key) {
                None => missing += 1,
                Some(held) if held != row => different += 1,
                Some(_) => {}
            }
        }
        let extra = table.len() + missing - count;
        (missing + different + extra > 0).then(|| {
            format!("of {count} rows {missing} are missing and {different} are old, {extra} are too many")
        })
    }
}

/// The row of an Ingress object, without its `version`.
pub(crate) fn row(ingress: &Value) -> Ingress {
    let text = |pointer| ingress.pointer(pointer).and_then(Value::as_str);
    let list = |pointer| {
        ingress
            .pointer(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let map = |pointer| -> BTreeMap<String, String> {
        let pairs = ingress.pointer(pointer).and_then(Value::as_object);
        let own = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        pairs.into_iter().flatten().filter_map(own).collect()
    };
    let annotations = map("/metadata/annotations");
    let rules: Vec<_> = list("/spec/rules").map(rule).collect();
    let mut hosts = Vec::new();
    for host in rules.iter().filter_map(|rule| rule.host.as_ref()) {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    let class = text("/spec/ingressClassName").map(str::to_owned);
    Ingress {
        name: text("/metadata/name").unwrap_or_default().to_owned(),
        namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
        hosts,
        tls: list("/spec/tls").next().is_some(),
        rules,
        uid: text("/metadata/uid").unwrap_or_default().to_owned(),
        created_at: text("/metadata/creationTimestamp").map(str::to_owned),
        ingress_class_name: class
            .or_else(|| annotations.get("kubernetes.io/ingress.class").cloned()),
        default_backend: ingress.pointer("/spec/defaultBackend").map(backend),
        addresses: list("/status/loadBalancer/ingress")
            .filter_map(|address| address["ip"].as_str().or(address["hostname"].as_str()))
            .map(str::to_owned)
            .collect(),
        tls_entries: list("/spec/tls")
            .map(|entry| TlsEntry {
                secret_name: entry["secretName"].as_str().map(str::to_owned),
                hosts: strings(&entry["hosts"]),
            })
            .collect(),
        labels: map("/metadata/labels"),
        annotation_keys: annotations.into_keys().collect(),
        more: None,
        version: String::new(),
    }
}

fn rule(rule: &Value) -> Rule {
    let paths = rule.pointer("/http/paths").and_then(Value::as_array);
    Rule {
        host: rule["host"].as_str().map(str::to_owned),
        paths: paths
            .into_iter()
            .flatten()
            .map(|path| Path {
                path: path["path"].as_str().map(str::to_owned),
                path_type: path["pathType"].as_str().unwrap_or_default().to_owned(),
                backend: backend(&path["backend"]),
            })
            .collect(),
    }
}

fn backend(backend: &Value) -> Backend {
    let own = |value: &Value| value.as_str().map(str::to_owned);
    let port = |port: &Value| match port["number"].as_i64() {
        Some(number) => Some(Port::Number(number as i32)),
        None => own(&port["name"]).map(Port::Name),
    };
    Backend {
        service: backend.get("service").map(|service| ServiceBackend {
            name: own(&service["name"]).unwrap_or_default(),
            port: port(&service["port"]),
        }),
        resource: backend.get("resource").map(|resource| ResourceBackend {
            api_group: own(&resource["apiGroup"]),
            kind: own(&resource["kind"]).unwrap_or_default(),
            name: own(&resource["name"]).unwrap_or_default(),
        }),
    }
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_wrong_table_is_told_apart() {
        let cluster = Cluster::empty();
        for name in ["web", "api"] {
            cluster.apply(json!({ "metadata": { "name": name, "namespace": "shop" } }));
        }
        cluster.apply(json!({ "metadata": { "name": "web", "namespace": "docs" } }));
        let expected = Expected::of(&cluster);
        let shop = Scope::parse(["shop"], 1).unwrap();

        let mut table = expected.0["shop"].clone();
        assert_eq!(expected.difference(&shop, &table), None);
        assert!(expected.difference(&Scope::All, &table).is_some());

        let key = key_digest(&Key::new("shop", "web"));
        let row = table.insert(key, 0);
        let old = expected.difference(&shop, &table).unwrap();
        assert_eq!(old, "of 2 rows 0 are missing and 1 are old, 0 are too many");

        table.remove(&key);
        table.insert(0, row.unwrap());
        let other = expected.difference(&shop, &table).unwrap();
        assert_eq!(
            other,
            "of 2 rows 1 are missing and 0 are old, 1 are too many"
        );
    }
}
