//! The projection of an Ingress of the Kubernetes API: the only place that knows its schema and that
//! of its row.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hasher;
use std::mem::take;
use std::sync::Arc;

use k8s_openapi::api::networking::v1 as api;
use protocol::Ingress;
use protocol::ingress::{
    Backend, More, Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry,
};
use serde_json::Value;
use siphasher::sip::SipHasher13;

use super::{InvalidObject, key, resource_version};
use crate::catalog::{Input, Object};

/// The annotation that named the class before `spec.ingressClassName` did.
const LEGACY_CLASS: &str = "kubernetes.io/ingress.class";

/// A row has at most so many hosts and paths together with rules, and so many of anything else: the
/// API server takes ingresses of 1.5 MB, and a row goes to everyone who looks. The object has the
/// rest.
const MOST: usize = 100;

/// The longest text in bytes, of those that the API server takes at any length.
const LONGEST: usize = 512;

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
    let object: api::Ingress = serde_json::from_value(object).map_err(|error| InvalidObject {
        key,
        cause: error.to_string(),
    })?;
    let row = row(object, version);
    Ok(Object {
        key: row.key(),
        uid: row.uid.clone(),
        version: row.version.clone(),
        resource_version,
        input: Input::Ingress(Arc::new(row.into())),
    })
}

/// A hash of the object's canonical JSON (`serde_json` keeps the keys of a map in order). It has a
/// name, SipHash-1-3, because two builds of the server have to agree: while one replaces the other,
/// no row has changed.
fn version(object: &Value) -> String {
    let mut hasher = SipHasher13::new();
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
/// covers one stays, one of those that an entry covers, and of entries those that cover the hosts
/// that stay.
fn cut_rules(row: &mut Ingress, more: &mut More) {
    let have_to_stay: Vec<usize> = {
        let covered = Covered::by(&row.tls_entries);
        let first = |has: bool| {
            let mut hosts = row.rules.iter().map(|rule| rule.host.as_deref());
            hosts.position(|host| host.is_some_and(|host| covered.has(host) == has))
        };
        (row.tls.then(|| [first(false), first(true)]).into_iter())
            .flatten()
            .flatten()
            .collect()
    };
    let (mut room, mut rules) = (MOST, Vec::new());
    for (index, mut rule) in take(&mut row.rules).into_iter().enumerate() {
        let reserved = (have_to_stay.iter().filter(|later| **later > index)).count();
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
mod tests;
