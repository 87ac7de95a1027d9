//! The JSON documents of `/api/ingresses` and `/api/namespaces`.

use serde::{Deserialize, Serialize};

use crate::ingress::Ingress;
use crate::message::{NamespaceState, StreamError};

/// `GET /api/ingresses`: the rows of a scope at one revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressDocument {
    /// The id from which a stream of the same scope resumes; absent on a page of a longer list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The server's build, as in `reset`.
    pub build: String,
    /// Namespaces whose rows are not known yet, as in `synced`.
    #[serde(default)]
    pub pending: Vec<String>,
    /// What keeps parts of the scope from being live, as in the stream's `error`: without these
    /// namespaces, or with old rows of them, the document is not the cluster's state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<StreamError>,
    /// How many rows match, on all pages together.
    pub total: usize,
    /// Asks for the next page; absent on the last.
    #[serde(rename = "continue", default, skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
    /// The rows, by namespace, then name.
    pub items: Vec<Ingress>,
}

/// `GET /api/namespaces`: the namespaces that may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceDocument {
    /// False where the server may not list namespaces: names are typed in instead.
    pub complete: bool,
    /// The most namespaces that one stream takes by name (`MAX_NAMESPACES_PER_STREAM`).
    pub max_per_stream: usize,
    /// By name.
    pub items: Vec<NamespaceSummary>,
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceSummary {
    /// `metadata.name`
    pub name: String,
    /// How many ingresses it has; absent while nobody watches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Absent while nobody watches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NamespaceState>,
}
