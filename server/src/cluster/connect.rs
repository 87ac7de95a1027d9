//! Finds the API server: the kubeconfig, then the pod's service account, then the simulator.
//!
//! `kube::Config::infer` hides a broken kubeconfig behind the service account, so its parts are
//! called one by one here: what is there must be usable.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use tokio::time::timeout;
use tracing::warn;

use super::api::{Api, CONNECT_LIMIT};
use super::cause;
use super::plugin::Plugin;
use super::proxy;

/// A credential plugin that fails sooner ends the start; one that takes longer does not hold it up.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(5);

/// In place of a cluster's `proxy-url`: where there is none, `kube` takes `HTTPS_PROXY` from the
/// environment, whatever `NO_PROXY` says.
const NO_PROXY_URL: &str = "none";

/// An API server to talk to.
pub struct Connection {
    /// The way to it.
    pub api: Api,
    /// What it is called, where `CLUSTER_NAME` says nothing.
    pub name: String,
    /// Set where it is the built-in simulated one.
    pub simulated: Option<simulator::Cluster>,
}

/// There is a configuration, and it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig.
    #[error("the kubeconfig {path} cannot be used: {cause}")]
    Kubeconfig {
        /// The file or files.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The service account of the pod.
    #[error(
        "the pod's service account in /var/run/secrets/kubernetes.io/serviceaccount cannot be used: {0}"
    )]
    ServiceAccount(String),
    /// The environment asks for a proxy.
    #[error(
        "{variable} in the environment asks for a proxy on the way to {url}, and this server only \
         connects directly: take {variable} away, or add the host to NO_PROXY"
    )]
    Proxy {
        /// The variable.
        variable: &'static str,
        /// The API server.
        url: String,
    },
}

/// The size of a simulated cluster, `NAMESPACESxINGRESSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoSize {
    /// Namespaces.
    pub namespaces: usize,
    /// Ingresses.
    pub ingresses: usize,
}

impl Default for DemoSize {
    fn default() -> Self {
        Self {
            namespaces: 12,
            ingresses: 60,
        }
    }
}

impl std::str::FromStr for DemoSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MOST: usize = 200_000;
        let allowed = || {
            format!(
                "allowed is NAMESPACESxINGRESSES, as in 3200x10500, 1 to {MOST} namespaces and 0 to {MOST} ingresses"
            )
        };
        let (namespaces, ingresses) = text.split_once('x').ok_or_else(allowed)?;
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|number| *number <= MOST)
                .ok_or_else(allowed)
        };
        let size = Self {
            namespaces: number(namespaces)?,
            ingresses: number(ingresses)?,
        };
        if size.namespaces == 0 {
            return Err(allowed());
        }
        Ok(size)
    }
}

/// Finds the API server. `demo` asks for the simulated one; without it, it is only taken where
/// nothing else is configured.
pub async fn connect(demo: Option<DemoSize>) -> Result<Connection, ConnectError> {
    if let Some(size) = demo {
        return Ok(simulated(size));
    }
    let paths = kubeconfig_paths();
    if !paths.is_empty() {
        return from_kubeconfig(&paths).await;
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        let refused = |error: &(dyn std::error::Error + 'static)| {
            ConnectError::ServiceAccount(cause::whole(error))
        };
        let config = kube::Config::incluster().map_err(|error| refused(&error))?;
        let client = client(config, "in-cluster".into()).await;
        return client.map_err(ConnectError::ServiceAccount);
    }
    Ok(simulated(DemoSize::default()))
}

/// The files of `KUBECONFIG` where it names any, else `~/.kube/config` where it is there.
fn kubeconfig_paths() -> Vec<PathBuf> {
    let named: Vec<_> = std::env::var_os("KUBECONFIG")
        .map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if !named.is_empty() {
        return named;
    }
    std::env::home_dir()
        .map(|home| home.join(".kube").join("config"))
        .filter(|path| is_there(path))
        .into_iter()
        .collect()
}

/// Whether there is something of this name, even if it cannot be read: a link that leads nowhere, a
/// folder that may not be entered.
fn is_there(path: &Path) -> bool {
    let missing = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
    !fs::symlink_metadata(path).is_err_and(|error| missing(error.kind()))
}

/// As kubectl merges them: of several files those that are missing are passed over.
fn read_kubeconfig(paths: &[PathBuf]) -> Result<Kubeconfig, ConnectError> {
    let there: Vec<_> = paths.iter().filter(|path| is_there(path)).collect();
    if there.is_empty() {
        return Err(refused(paths, "there is no such file".into()));
    }
    there
        .into_iter()
        .try_fold(Kubeconfig::default(), |merged, path| {
            Kubeconfig::read_from(path)
                .and_then(|kubeconfig| merged.merge(kubeconfig))
                .map_err(|error| refused(&[path], cause::whole(&error)))
        })
}

fn refused(paths: &[impl AsRef<Path>], cause: String) -> ConnectError {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.as_ref().to_string_lossy())
        .collect();
    ConnectError::Kubeconfig {
        path: paths.join(", "),
        cause,
    }
}

async fn from_kubeconfig(paths: &[PathBuf]) -> Result<Connection, ConnectError> {
    let refused = |cause: String| refused(paths, cause);
    let mut kubeconfig = read_kubeconfig(paths)?;
    let context = kubeconfig
        .current_context
        .clone()
        .filter(|context| !context.is_empty())
        .ok_or_else(|| {
            refused("it names no current-context (kubectl config use-context NAME sets one)".into())
        })?;
    if let Some(cluster) = take_proxies(&mut kubeconfig, &context) {
        return Err(refused(format!(
            "the proxy-url of its cluster {cluster} cannot be used: this server only connects directly"
        )));
    }
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| refused(cause::whole(&error)))?;
    let read = |name: &str| std::env::var(name).ok();
    if let Some(variable) = proxy::variable(&config.cluster_url, read) {
        let url = address_of(&config.cluster_url);
        return Err(ConnectError::Proxy { variable, url });
    }
    client(config, context).await.map_err(refused)
}

/// Takes the proxies out of a kubeconfig. Returns the context's cluster where that had one.
fn take_proxies(kubeconfig: &mut Kubeconfig, context: &str) -> Option<String> {
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|known| known.name == context);
    let meant = context.and_then(|context| Some(context.context.as_ref()?.cluster.clone()));
    let mut asked = None;
    for named in &mut kubeconfig.clusters {
        let Some(cluster) = &mut named.cluster else {
            continue;
        };
        let proxy = cluster.proxy_url.replace(NO_PROXY_URL.into());
        if meant.as_ref() == Some(&named.name) && proxy.is_some_and(|url| !url.is_empty()) {
            asked.clone_from(&meant);
        }
    }
    asked
}

/// The error says what of the configuration cannot be used.
async fn client(mut config: kube::Config, name: String) -> Result<Connection, String> {
    // Retries are the feeds' own, so that the page sees them; so are the time limits.
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_LIMIT);
    config.read_timeout = None;
    config.proxy_url = None;
    config.cluster_url = without_user(&config.cluster_url);
    let url = address_of(&config.cluster_url);
    if !matches!(config.cluster_url.scheme_str(), Some("http" | "https")) {
        return Err(format!(
            "the server's URL is {url}; allowed are those that start with https:// or http://"
        ));
    }
    check_token(&config.auth_info).map_err(|cause| format!("it has {cause}"))?;
    let api = match Plugin::of(config) {
        Err(config) => {
            let client = kube::Client::try_from(*config);
            Api::new(client.map_err(|error| cause::whole(&error))?, url)
        }
        Ok(plugin) => {
            let plugin = Arc::new(plugin);
            let first = plugin.clone();
            // It goes on where nobody waits for it any more.
            let first = tokio::spawn(async move { first.client().await });
            if let Ok(Ok(Err(cause))) = timeout(PLUGIN_PATIENCE, first).await {
                return Err(cause);
            }
            Api::with_plugin(plugin, url)
        }
    };
    Ok(Connection {
        api,
        name,
        simulated: None,
    })
}

/// The URL as it is shown.
fn address_of(url: &Uri) -> String {
    let url = without_user(url).to_string();
    url.trim_end_matches('/').to_owned()
}

/// The URL without `user:password@`, which the API server is not sent and nobody is shown.
fn without_user(url: &Uri) -> Uri {
    let host = url.authority().and_then(|authority| {
        let (_, host) = authority.as_str().rsplit_once('@')?;
        host.parse().ok()
    });
    let Some(host) = host else {
        return url.clone();
    };
    warn!("the user and the password in the URL of the Kubernetes API are not used");
    let mut parts = url.clone().into_parts();
    parts.authority = Some(host);
    Uri::from_parts(parts).unwrap_or_else(|_| url.clone())
}

/// Whether a header can carry the token: `kube` takes that for granted. The error does not quote
/// it.
pub(super) fn check_token(auth: &AuthInfo) -> Result<(), &'static str> {
    let given = serde_json::to_value(auth).unwrap_or_default();
    let given = given["token"].as_str().map(str::to_owned);
    let of_file = || fs::read_to_string(auth.token_file.as_ref()?).ok();
    match given.or_else(of_file) {
        Some(token) if HeaderValue::from_str(&token).is_err() => Err(
            "a token with a character that no header can carry, such as a line break at its end",
        ),
        _ => Ok(()),
    }
}

fn simulated(size: DemoSize) -> Connection {
    let cluster = simulator::Cluster::new(simulator::Settings {
        namespaces: size.namespaces,
        ingresses: size.ingresses,
        ..simulator::Settings::default()
    });
    let client = kube::Client::new(cluster.router(), "default");
    Connection {
        api: Api::new(client, "the simulated cluster".into()),
        name: "simulated".into(),
        simulated: Some(cluster),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_size_is_two_numbers() {
        let size = |text: &str| text.parse::<DemoSize>();
        assert_eq!(
            size("3200x10500"),
            Ok(DemoSize {
                namespaces: 3200,
                ingresses: 10_500
            })
        );
        for bad in ["", "3", "ax3", "0x1", "3x", "-1x3", "1x999999999"] {
            assert!(
                size(bad).unwrap_err().contains("NAMESPACESxINGRESSES"),
                "{bad}"
            );
        }
    }
}
