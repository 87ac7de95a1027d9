//! What the pages and the server functions ask of the server. The server implements it and puts
//! it into the reactive context as `Arc<dyn Backend>`, so that this crate never depends on it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use protocol::connection::Reconnect;
use protocol::json::{FromJson, Reader};
use protocol::message::{NamespaceStatus, StreamError};
use protocol::{Ingress, Key, Scope};
use serde::Serialize;

use crate::components::namespaces::Missing;

/// The server, as far as a page needs it.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// What the page says about the cluster and the server.
    fn cluster(&self) -> ClusterInfo;

    /// How the page reconnects its stream.
    fn reconnect(&self) -> Reconnect;

    /// Rows of a scope that match `search`, in the order that the table starts with: by name, then
    /// namespace. At most `limit` rows from `offset` on; past the end, the last that `limit` fits
    /// to. Without a search of everything it looks at no other rows.
    fn rows(&self, scope: &Scope, search: &str, offset: usize, limit: usize) -> Rows;

    /// All of them, in no order.
    fn all_rows(&self, scope: &Scope, search: &str) -> Rows;

    /// One row.
    fn row(&self, key: &Key) -> Option<Ingress>;

    /// Says in `rows` what is known of the scope now beside its rows: namespaces, states, errors.
    fn say(&self, scope: &Scope, rows: &mut Rows);

    /// Has the server try at once what it is waiting with. Returns whether it does: so soon after
    /// another early try it does not.
    fn try_now(&self) -> bool;

    /// The process's figures: the samples of `/metrics` with their labels, and their values.
    fn diagnostics(&self) -> BTreeMap<String, f64>;

    /// The object as YAML, as `/api/ingresses/{namespace}/{name}` gives it.
    async fn yaml(&self, namespace: &str, name: &str) -> Result<String, BackendError>;
}

/// What the page says about the cluster and the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClusterInfo {
    /// `CLUSTER_NAME`, else the kubeconfig's context.
    pub name: String,
    /// The API server's URL.
    pub url: String,
    /// The API server's version, once it has answered.
    pub version: Option<String>,
    /// Whether this is the built-in simulated cluster.
    pub simulated: bool,
    /// Whether the API server has answered since the server started.
    pub answered: bool,
    /// The server's build: the name of the folder of its assets.
    pub build: String,
    /// The server's version.
    pub server_version: String,
    /// When the server started, RFC 3339.
    pub started_at: String,
    /// The most namespaces that one stream takes by name.
    pub max_namespaces: usize,
    /// The path under which everything is served: empty, or `/a/b` without a slash at its end.
    pub base_path: String,
}

impl FromJson for ClusterInfo {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[
            "name",
            "url",
            "simulated",
            "answered",
            "build",
            "server_version",
            "started_at",
            "max_namespaces",
            "base_path",
        ]);
        while let Some(name) = reader.member() {
            match name {
                "name" => value.name = reader.read(),
                "url" => value.url = reader.read(),
                "version" => value.version = reader.read(),
                "simulated" => value.simulated = reader.read(),
                "answered" => value.answered = reader.read(),
                "build" => value.build = reader.read(),
                "server_version" => value.server_version = reader.read(),
                "started_at" => value.started_at = reader.read(),
                "max_namespaces" => value.max_namespaces = reader.read(),
                "base_path" => value.base_path = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Values of a kind that are counted one by one.
pub const LARGEST: usize = 8;

/// Rows for the server-rendered page.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rows {
    /// The rows asked for.
    pub items: Vec<Ingress>,
    /// How many rows match.
    pub matching: usize,
    /// How many rows the scope has.
    pub total: usize,
    /// How many different hosts these have, and how many of them are wildcards.
    pub hosts: usize,
    /// Of `hosts`.
    pub wildcard_hosts: usize,
    /// Rows with TLS, and those whose hosts are only partly covered.
    pub with_tls: usize,
    /// Of `with_tls`.
    pub partly_tls: usize,
    /// Rows without a class.
    pub without_class: usize,
    /// The classes with the most rows of the scope, and how many: at most [`LARGEST`], the largest
    /// first. For links in the markup, which the browser's code has no use for.
    #[serde(skip)]
    pub largest_classes: Vec<(String, usize)>,
    /// The namespaces, likewise.
    #[serde(skip)]
    pub largest_namespaces: Vec<(String, usize)>,
    /// Namespaces in the scope.
    pub namespaces: usize,
    /// Namespaces in the cluster, where they may be listed.
    pub namespaces_total: Option<usize>,
    /// Namespaces of the scope that there are not, where all namespaces are known.
    pub missing: Vec<Missing>,
    /// The parts of the scope that are not live.
    pub states: Vec<NamespaceStatus>,
    /// Why they are not.
    pub errors: Vec<StreamError>,
    /// Whether the rows are known at all: false until the first list has been answered.
    pub synced: bool,
}

impl FromJson for Rows {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[
            "items",
            "matching",
            "total",
            "hosts",
            "wildcard_hosts",
            "with_tls",
            "partly_tls",
            "without_class",
            "namespaces",
            "missing",
            "states",
            "errors",
            "synced",
        ]);
        while let Some(name) = reader.member() {
            match name {
                "items" => value.items = reader.read(),
                "matching" => value.matching = reader.read(),
                "total" => value.total = reader.read(),
                "hosts" => value.hosts = reader.read(),
                "wildcard_hosts" => value.wildcard_hosts = reader.read(),
                "with_tls" => value.with_tls = reader.read(),
                "partly_tls" => value.partly_tls = reader.read(),
                "without_class" => value.without_class = reader.read(),
                "namespaces" => value.namespaces = reader.read(),
                "namespaces_total" => value.namespaces_total = reader.read(),
                "missing" => value.missing = reader.read(),
                "states" => value.states = reader.read(),
                "errors" => value.errors = reader.read(),
                "synced" => value.synced = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Why an object cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// There is none of that name, or it may not be seen.
    #[error("There is no ingress {0}")]
    NotFound(String),
    /// Bad namespace or name.
    #[error("{0}")]
    Invalid(String),
    /// The server's account may not read it.
    #[error("{0}")]
    Forbidden(String),
    /// The Kubernetes API does not answer.
    #[error("{0}")]
    Unavailable(String),
}
