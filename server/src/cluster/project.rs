//! The projection: an Ingress object of the Kubernetes API to its row. The only place that knows
//! both sides.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::mem::take;

use k8s_openapi::api::networking::v1 as api;
use protocol::ingress::{
    Backend, More, Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry,
};
use protocol::{Ingress, Key};
use serde_json::Value;

use crate::catalog::Object;

/// The annotation that named the class before `spec.ingressClassName` did.
const LEGACY_CLASS: &str = "kubernetes.io/ingress.class";

/// A row has at most so many hosts and paths together with rules, and so many of anything else: the API server
/// takes ingresses of 1.5 MB, and a row goes to everyone who looks. The object has the rest.
const MOST: usize = 100;

/// The longest text in bytes, of those that the API server takes at any length.
const LONGEST: usize = 512;

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
    let mut row = Ingress {
        name: metadata.name.unwrap_or_default(),
        namespace: metadata.namespace.unwrap_or_default(),
        hosts,
        tls: !tls_entries.is_empty(),
        rules,
        uid: metadata.uid.unwrap_or_default(),
        created_at: metadata.creation_timestamp.map(|time| time.0.to_string()),
        ingress_class_name: spec
            .ingress_class_name
            .or_else(|| annotations.get(LEGACY_CLASS).cloned())
            .map(shortened),
        default_backend: spec.default_backend.map(backend),
        addresses,
        tls_entries,
        labels: metadata.labels.unwrap_or_default(),
        annotation_keys: annotations.into_keys().collect(),
        more: None,
        version,
    };
    cut(&mut row);
    row
}

/// Cuts a row to its bounds, and counts what it leaves out.
fn cut(row: &mut Ingress) {
    let mut more = More::default();
    let lines: usize = row.rules.iter().map(lines).sum();
    let tls_hosts: usize = row.tls_entries.iter().map(|entry| entry.hosts.len()).sum();
    if lines.max(tls_hosts).max(row.tls_entries.len()) > MOST {
        cut_rules(row, &mut more);
    }
    more.others += beyond(&mut row.addresses);
    more.others += beyond(&mut row.annotation_keys);
    while row.labels.len() > MOST {
        row.labels.pop_last();
        more.others += 1;
    }
    row.more = (more != More::default()).then(|| Box::new(more));
}

/// What a rule takes of a row: its paths, at least one.
fn lines(rule: &Rule) -> usize {
    rule.paths.len().max(1)
}

/// Cuts rules and TLS entries so that the row says the same of its TLS: of hosts that no entry
/// covers one stays, and of entries those that cover the hosts that stay.
fn cut_rules(row: &mut Ingress, more: &mut More) {
    let uncovered = {
        let covered = Covered::by(&row.tls_entries);
        row.hosts.iter().find(|host| !covered.has(host)).cloned()
    };
    let has_to_stay = uncovered.filter(|_| row.tls).and_then(|host| {
        let is_it = |rule: &Rule| rule.host.as_ref() == Some(&host);
        row.rules.iter().position(is_it)
    });
    let (mut room, mut rules) = (MOST, Vec::new());
    for (index, mut rule) in take(&mut row.rules).into_iter().enumerate() {
        let reserved = usize::from(has_to_stay.is_some_and(|later| later > index));
        let paths = rule.paths.len();
        if room > reserved {
            rule.paths.truncate(room - reserved);
            room -= lines(&rule);
            more.paths += paths - rule.paths.len();
            rules.push(rule);
        } else {
            more.paths += paths;
        }
    }
    let stay: HashSet<&String> = rules.iter().filter_map(|rule| rule.host.as_ref()).collect();
    let hosts = row.hosts.len();
    row.hosts.retain(|host| stay.contains(host));
    more.hosts += hosts - row.hosts.len();
    row.rules = rules;
    let names = |row: &Ingress| -> usize {
        let entries = row.tls_entries.iter();
        entries.map(|entry| entry.hosts.len().max(1)).sum()
    };
    let before = names(row);
    let mut needed: HashSet<&str> = row.hosts.iter().map(String::as_str).collect();
    row.tls_entries.retain_mut(|entry| {
        if entry.hosts.is_empty() {
            needed.clear();
            return true;
        }
        let covered = Covered::by(std::slice::from_ref(entry));
        let here: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|host| covered.has(host))
            .collect();
        let patterns: HashSet<String> = here
            .iter()
            .filter_map(|host| covered.pattern(host))
            .collect();
        drop(covered);
        for host in here {
            needed.remove(host);
        }
        entry.hosts.retain(|host| patterns.contains(host));
        !entry.hosts.is_empty()
    });
    row.tls_entries.truncate(MOST);
    more.others += before - names(row);
}

/// The hosts that TLS entries cover, as [`Ingress::hosts_with_tls`] has it, for many hosts.
struct Covered<'e> {
    all: bool,
    named: HashSet<&'e str>,
}

impl<'e> Covered<'e> {
    fn by(entries: &'e [TlsEntry]) -> Self {
        Self {
            all: entries.iter().any(|entry| entry.hosts.is_empty()),
            named: entries
                .iter()
                .flat_map(|entry| &entry.hosts)
                .map(String::as_str)
                .collect(),
        }
    }

    fn has(&self, host: &str) -> bool {
        self.all || self.pattern(host).is_some()
    }

    /// What covers a host by name: itself, or a wildcard.
    fn pattern(&self, host: &str) -> Option<String> {
        if self.named.contains(host) {
            return Some(host.to_owned());
        }
        let (first, rest) = host.split_once('.')?;
        let wildcard = format!("*.{rest}");
        (first != "*" && self.named.contains(wildcard.as_str())).then_some(wildcard)
    }
}

/// Cuts a list; returns how many it leaves out.
fn beyond(list: &mut Vec<String>) -> usize {
    let left_out = list.len().saturating_sub(MOST);
    list.truncate(MOST);
    left_out
}

/// Cuts a text, and says so at its end.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

fn rule(rule: api::IngressRule) -> Rule {
    let paths = rule.http.map(|http| http.paths).unwrap_or_default();
    Rule {
        host: rule.host.filter(|host| !host.is_empty()),
        paths: paths
            .into_iter()
            .map(|path| Path {
                path: path.path.map(shortened),
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
            api_group: resource.api_group.map(shortened),
            kind: shortened(resource.kind),
            name: shortened(resource.name),
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

    /// An ingress of so many hosts, of which `with_tls` have an entry of their own each.
    fn large(hosts: usize, with_tls: impl Fn(usize) -> bool) -> Ingress {
        let host = |number: usize| format!("h{number}.example.com");
        let rules: Vec<_> = (0..hosts)
            .map(|number| json!({"host": host(number), "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s"}}}]}}))
            .collect();
        let tls: Vec<_> = (0..hosts)
            .filter(|number| with_tls(*number))
            .map(|number| json!({"secretName": format!("s{number}"), "hosts": [host(number)]}))
            .collect();
        projected(json!({"metadata": {"name": "a"}, "spec": {"rules": rules, "tls": tls}}))
    }

    #[test]
    fn a_large_ingress_is_a_row_of_a_hundred_rules_and_a_count_of_the_rest() {
        let row = large(2_400, |_| true);
        assert_eq!((row.hosts.len(), row.rules.len()), (100, 100));
        assert_eq!((row.tls_entries.len(), row.host_count()), (100, 2_400));
        let more = More {
            hosts: 2_300,
            paths: 2_300,
            others: 2_300,
        };
        assert_eq!(row.more.as_deref(), Some(&more));
        assert_eq!(row.hosts[99], "h99.example.com");
        assert_eq!(large(100, |_| true).more, None);
    }

    #[test]
    fn a_cut_row_says_the_same_of_its_tls() {
        // Of hosts with TLS all, all but one far beyond the cut, some, and none.
        let cases: [fn(usize) -> bool; 4] = [
            |_| true,
            |number| number != 2_000,
            |number| number % 2 == 0,
            |_| false,
        ];
        for with_tls in cases {
            let row = large(2_400, with_tls);
            assert!(row.rules.len() <= MOST);
            let partly = row.tls && row.hosts_with_tls() < row.hosts.len();
            assert_eq!(partly, row.tls && !(0..2_400).all(with_tls));
        }
        let wildcard: Vec<_> = (0..300)
            .map(|number| json!({"host": format!("h{number}.example.com")}))
            .collect();
        let row =
            projected(json!({"spec": {"rules": wildcard, "tls": [{"hosts": ["*.example.com"]}]}}));
        assert_eq!((row.hosts_with_tls(), row.hosts.len()), (100, 100));
    }

    #[test]
    fn one_rule_and_its_texts_are_cut_as_well() {
        let path = |number: usize| json!({"path": format!("/{number}/{}", "ü".repeat(1_000)), "pathType": "Exact", "backend": {}});
        let paths: Vec<_> = (0..500).map(path).collect();
        let labels: serde_json::Map<_, _> = (0..150)
            .map(|number| (format!("l{number}"), json!("")))
            .collect();
        let row = projected(
            json!({"metadata": {"labels": labels}, "spec": {"rules": [{"http": {"paths": paths}}, {"host": "b"}]}}),
        );
        assert_eq!((row.rules.len(), row.rules[0].paths.len()), (1, 100));
        let path = row.rules[0].paths[0].path.as_deref().unwrap();
        assert!(path.len() <= LONGEST + 3 && path.ends_with("ü…"), "{path}");
        let more = row.more.unwrap();
        assert_eq!((more.hosts, more.paths, more.others), (1, 400, 50));
        assert_eq!(row.labels.len(), 100);
    }
}
