//! The ingress row: what the table shows of one `networking.k8s.io/v1` Ingress.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json::{FromJson, Reader};

/// The kind of the object that a row is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `Ingress` of `networking.k8s.io/v1`.
    #[default]
    Ingress,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 1] = [Self::Ingress];
}

/// The identity of a row within a cluster. Ordered by namespace, then name.
///
/// The kind is not on the wire: the type of a message names it (`ingressDeleted`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// Objects of two kinds may have one name.
    #[serde(skip)]
    pub kind: Kind,
}

impl FromJson for Key {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::new("", "");
        reader.object(&["namespace", "name"]);
        while let Some(name) = reader.member() {
            match name {
                "namespace" => value.namespace = reader.read(),
                "name" => value.name = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

impl Key {
    /// The key of the ingress `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            kind: Kind::Ingress,
        }
    }
}

/// One row. On the wire its fields are in camel case; absent values are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// Every host of the rules, once, in rule order.
    pub hosts: Vec<String>,
    /// Whether `spec.tls` has an entry.
    pub tls: bool,
    /// `spec.rules`
    pub rules: Vec<Rule>,
    /// `metadata.uid`: tells an object from another of the same name that came later.
    pub uid: String,
    /// `metadata.creationTimestamp`, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// `spec.ingressClassName`, else the annotation `kubernetes.io/ingress.class`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_class_name: Option<String>,
    /// `spec.defaultBackend`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_backend: Option<Backend>,
    /// `status.loadBalancer.ingress`: an IP address or a host name each.
    pub addresses: Vec<String>,
    /// `spec.tls`
    pub tls_entries: Vec<TlsEntry>,
    /// `metadata.labels`
    pub labels: BTreeMap<String, String>,
    /// The keys of `metadata.annotations`. Values may be large and secret; they come on demand
    /// only.
    pub annotation_keys: Vec<String>,
    /// How much of a large ingress this row leaves out; absent where it has everything. The object
    /// itself has the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<Box<More>>,
    /// A hash of the object without `managedFields` and `resourceVersion`, so that a change
    /// anywhere in the object is a change of the row.
    pub version: String,
}

impl FromJson for Ingress {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "name" => value.name = reader.read(),
                "namespace" => value.namespace = reader.read(),
                "hosts" => value.hosts = reader.read(),
                "tls" => value.tls = reader.read(),
                "rules" => value.rules = reader.read(),
                "uid" => value.uid = reader.read(),
                "createdAt" => value.created_at = reader.read(),
                "ingressClassName" => value.ingress_class_name = reader.read(),
                "defaultBackend" => value.default_backend = reader.read(),
                "addresses" => value.addresses = reader.read(),
                "tlsEntries" => value.tls_entries = reader.read(),
                "labels" => value.labels = reader.read(),
                "annotationKeys" => value.annotation_keys = reader.read(),
                "more" => value.more = reader.read(),
                "version" => value.version = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

impl Ingress {
    /// The identity of this row.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    /// Gives back the room that its lists do not need. What is read has room for four of
    /// everything, a third of a row that holds one; 50,000 rows are kept for long.
    pub fn shrink_to_fit(&mut self) {
        self.hosts.shrink_to_fit();
        self.addresses.shrink_to_fit();
        self.annotation_keys.shrink_to_fit();
        self.rules.shrink_to_fit();
        for rule in &mut self.rules {
            rule.paths.shrink_to_fit();
        }
        self.tls_entries.shrink_to_fit();
        for entry in &mut self.tls_entries {
            entry.hosts.shrink_to_fit();
        }
    }

    /// How many hosts the ingress has, those that this row leaves out included.
    #[must_use]
    pub fn host_count(&self) -> usize {
        self.hosts.len() + self.more.as_ref().map_or(0, |more| more.hosts)
    }
}

/// What a row leaves out of a large ingress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct More {
    /// Hosts.
    pub hosts: usize,
    /// Paths.
    pub paths: usize,
    /// Hosts of TLS entries, addresses, labels and keys of annotations.
    pub others: usize,
}

impl FromJson for More {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "hosts" => value.hosts = reader.read(),
                "paths" => value.paths = reader.read(),
                "others" => value.others = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// One rule: a host and its paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Absent: any host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// `http.paths`
    pub paths: Vec<Path>,
}

impl FromJson for Rule {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "host" => value.host = reader.read(),
                "paths" => value.paths = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A path and where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// Absent: every path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `Exact`, `Prefix` or `ImplementationSpecific`.
    pub path_type: String,
    /// Where requests go.
    pub backend: Backend,
}

impl FromJson for Path {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "path" => value.path = reader.read(),
                "pathType" => value.path_type = reader.read(),
                "backend" => value.backend = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A service, or another object in the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// A Service of the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceBackend>,
    /// Any other object of the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceBackend>,
}

impl FromJson for Backend {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "service" => value.service = reader.read(),
                "resource" => value.resource = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A Service and its port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServiceBackend {
    /// The Service's name.
    pub name: String,
    /// The Service's port, by number or by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
}

impl FromJson for ServiceBackend {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "name" => value.name = reader.read(),
                "port" => value.port = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A Service port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Port {
    /// By number.
    Number(i32),
    /// By name.
    Name(String),
}

impl FromJson for Port {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match reader.is_string() {
            true => Self::Name(reader.read()),
            false => Self::Number(reader.read()),
        }
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// An object other than a Service (`TypedLocalObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceBackend {
    /// The API group; absent: the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
}

impl FromJson for ResourceBackend {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "apiGroup" => value.api_group = reader.read(),
                "kind" => value.kind = reader.read(),
                "name" => value.name = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// One entry of `spec.tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsEntry {
    /// Absent: the controller's default certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Empty: every host of the ingress.
    pub hosts: Vec<String>,
}

impl FromJson for TlsEntry {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            match name {
                "secretName" => value.secret_name = reader.read(),
                "hosts" => value.hosts = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_port_is_a_number_or_a_name_on_the_wire() {
        let port = |text: &[u8]| json::read::<Port>(text).unwrap();
        assert_eq!(port(b"80"), Port::Number(80));
        assert_eq!(port(b"\"http\""), Port::Name("http".into()));
    }
}
