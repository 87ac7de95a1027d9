//! The resources the simulator serves.

use serde_json::Value;

/// A resource of the simulated API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resource {
    Namespaces,
    Ingresses,
}

impl Resource {
    pub(crate) const ALL: [Self; 2] = [Self::Namespaces, Self::Ingresses];

    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Namespaces => "",
            Self::Ingresses => "networking.k8s.io",
        }
    }

    pub(crate) const fn api_version(self) -> &'static str {
        match self {
            Self::Namespaces => "v1",
            Self::Ingresses => "networking.k8s.io/v1",
        }
    }

    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Namespaces => "Namespace",
            Self::Ingresses => "Ingress",
        }
    }

    /// The Go package that some messages of the API server name.
    pub(crate) const fn package(self) -> &'static str {
        match self {
            Self::Namespaces => "core",
            Self::Ingresses => "networking",
        }
    }

    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Ingresses => "ingresses",
        }
    }

    pub(crate) const fn namespaced(self) -> bool {
        matches!(self, Self::Ingresses)
    }

    /// The name as error messages qualify it: `ingresses.networking.k8s.io`.
    pub(crate) fn qualified(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// Where an object lies in key order, which is the order of lists: that of etcd's keys.
    pub(crate) fn key(self, namespace: Option<&str>, name: &str) -> String {
        match namespace {
            Some(namespace) if self.namespaced() => format!("{namespace}/{name}"),
            _ => name.to_owned(),
        }
    }

    /// What every encoded object of this resource begins with; list items leave it out, as
    /// upstream.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Namespaces => r#"{"kind":"Namespace","apiVersion":"v1","#,
            Self::Ingresses => r#"{"kind":"Ingress","apiVersion":"networking.k8s.io/v1","#,
        }
    }
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}
