//! The Kubernetes API behind the dashboard: the simulator or a real API server, with one set of
//! verbs for both.
//!
//! Both are reached through a [`Gate`], so that the way to them can be cut and opened again.
//!
//! It is one file, so that both APIs are seen to take each verb.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use protocol::Key;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dash::{Dash, Folder};
use crate::real_cluster::{ADMIN, RealCluster, binaries};

/// The real account that may do nothing until a test says otherwise.
const RESTRICTED: &str = "restricted";

const RBAC: &str = "rbac.authorization.k8s.io";

/// A TCP relay: what the dashboard connects to in place of the API server.
pub struct Gate {
    /// What the dashboard connects to.
    pub address: SocketAddr,
    target: SocketAddr,
    /// Absent while the gate is closed.
    open: Option<Relay>,
}

struct Relay {
    accepting: JoinHandle<()>,
    connections: CancellationToken,
    frozen: CancellationToken,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.connections.cancel();
    }
}

impl Gate {
    async fn before(target: SocketAddr) -> Self {
        // Below the range that outgoing connections take their ports from, so that nobody takes it
        // while it is closed.
        let hasher = RandomState::new();
        for attempt in 0..1000_u32 {
            let port = 10_000 + (hasher.hash_one(attempt) % 10_000) as u16;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if let Ok(listener) = TcpListener::bind(address).await {
                return Self {
                    address,
                    target,
                    open: Some(Relay::start(listener, target)),
                };
            }
        }
        panic!("no port between 10000 and 20000 is free");
    }

    /// Breaks every connection; new ones are refused.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Every connection stays open and nothing comes through any more, on new ones neither.
    pub fn freeze(&self) {
        self.open.as_ref().expect("an open gate").frozen.cancel();
    }

    /// Lets connections through again.
    pub async fn open(&mut self) {
        let bound = async {
            loop {
                // The task that holds the old listener ends when the runtime gets to it.
                match TcpListener::bind(self.address).await {
                    Ok(listener) => return listener,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let listener = tokio::time::timeout(crate::dash::LIMIT, bound)
            .await
            .expect("the gate's port is free again");
        self.open = Some(Relay::start(listener, self.target));
    }
}

impl Relay {
    fn start(listener: TcpListener, target: SocketAddr) -> Self {
        let connections = CancellationToken::new();
        let cut = connections.clone();
        let frozen = CancellationToken::new();
        let freeze = frozen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (cut, freeze) = (cut.clone(), freeze.clone());
                tokio::spawn(async move {
                    let relay = async {
                        let mut far = TcpStream::connect(target).await?;
                        tokio::io::copy_bidirectional(&mut near, &mut far).await
                    };
                    tokio::select! {
                        biased;
                        () = cut.cancelled() => {}
                        () = freeze.cancelled() => cut.cancelled().await,
                        _ = relay => {}
                    }
                });
            }
        });
        Self {
            accepting,
            connections,
            frozen,
        }
    }
}

/// Which API server it is.
enum Kind {
    Simulator(simulator::Cluster),
    /// One that all tests of this process share.
    Shared(&'static RealCluster),
    /// One of the test's own, which it may kill.
    Own(Box<RealCluster>),
}

/// Writes as an administrator, not through the gate. What fails is the caller's to judge.
#[derive(Clone)]
pub struct Admin(kube::Client);

impl Admin {
    /// Applies an ingress, which makes it where there is none (server-side apply).
    pub async fn apply(&self, namespace: &str, name: &str, spec: Value) -> Result<(), kube::Error> {
        let path = format!(
            "{}/{name}?fieldManager=test&force=true",
            ingresses(namespace)
        );
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name}, "spec": spec});
        let content_type = "application/apply-patch+yaml";
        self.send(Method::PATCH, &path, content_type, Some(&ingress))
            .await?;
        Ok(())
    }

    /// Deletes an ingress; an error where there is none.
    pub async fn delete(&self, namespace: &str, name: &str) -> Result<(), kube::Error> {
        let path = format!("{}/{name}", ingresses(namespace));
        self.send(Method::DELETE, &path, "application/json", None)
            .await?;
        Ok(())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header("content-type", content_type);
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let request = request.body(body).expect("a valid request");
        self.0.request::<Value>(request).await
    }
}

/// A Kubernetes API for one test, whose namespaces no other test touches.
pub struct Upstream {
    kind: Kind,
    /// The way to the API server.
    pub gate: Gate,
    /// Who may do everything.
    pub admin: Admin,
    prefix: String,
    folder: Folder,
    /// The verbs that the restricted account may use, by namespace.
    allowed: BTreeMap<String, Vec<&'static str>>,
    /// Whom a real Role is bound to.
    subject: Value,
}

/// Reports a test that cannot run, as `cargo xtask test` reads it.
pub fn skip(test: &str, reason: &str) {
    println!("SKIPPED: {test}: {reason}");
    if let Some(file) = env::var_os("KUBE_INGRESS_DASH_SKIPPED") {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .expect("KUBE_INGRESS_DASH_SKIPPED");
        // One write, so that the lines of tests side by side do not mix.
        file.write_all(
            format!(
                "{test}: {reason}
"
            )
            .as_bytes(),
        )
        .expect("KUBE_INGRESS_DASH_SKIPPED is writable");
    }
}

impl Upstream {
    /// An empty simulated cluster on a port.
    pub async fn simulator() -> Self {
        Self::of(simulator::Cluster::empty()).await
    }

    /// This simulated cluster on a port.
    pub async fn of(cluster: simulator::Cluster) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("loopback has a free port");
        let target = listener.local_addr().expect("it is bound");
        let router = cluster.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let admin = kube::Client::new(cluster.router(), "default");
        Self::new(Kind::Simulator(cluster), target, admin).await
    }

    /// The real API server that all tests share; `None`: the test cannot run here, which is
    /// reported.
    pub async fn shared(test: &str) -> Option<Self> {
        static SHARED: OnceCell<RealCluster> = OnceCell::const_new();
        if let Err(reason) = binaries() {
            skip(test, &reason);
            return None;
        }
        let start = async || RealCluster::start().await.expect("the API server starts");
        Some(Self::real(Kind::Shared(SHARED.get_or_init(start).await)).await)
    }

    /// A real API server of the test's own; `None`: the test cannot run here, which is reported.
    pub async fn own(test: &str) -> Option<Self> {
        if let Err(reason) = binaries() {
            skip(test, &reason);
            return None;
        }
        let cluster = RealCluster::start().await.expect("the API server starts");
        Some(Self::real(Kind::Own(Box::new(cluster))).await)
    }

    async fn real(kind: Kind) -> Self {
        let cluster = kind.cluster().expect("a real one");
        let target = cluster
            .url()
            .trim_start_matches("https://")
            .parse()
            .expect("a URL with an address");
        let kubeconfig = Kubeconfig::from_yaml(&kubeconfig(cluster, ADMIN)).expect("a kubeconfig");
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let admin = kube::Client::try_from(config.expect("a usable kubeconfig")).expect("a client");
        Self::new(kind, target, admin).await
    }

    async fn new(kind: Kind, target: SocketAddr, admin: kube::Client) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self {
            kind,
            gate: Gate::before(target).await,
            admin: Admin(admin),
            prefix: format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            folder: Folder::default(),
            allowed: BTreeMap::new(),
            subject: json!({"apiGroup": RBAC, "kind": "User", "name": RESTRICTED}),
        }
    }

    /// The simulator, where it is one.
    pub fn simulated(&self) -> &simulator::Cluster {
        match &self.kind {
            Kind::Simulator(cluster) => cluster,
            _ => panic!("this is a real API server"),
        }
    }

    /// The URL in the dashboard's kubeconfig.
    pub fn url(&self) -> String {
        let scheme = if self.kind.cluster().is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.gate.address)
    }

    /// The path of a kubeconfig that leads through the gate.
    pub fn kubeconfig(&self, user: &str) -> String {
        let text = match self.kind.cluster() {
            Some(cluster) => kubeconfig(cluster, user).replace(&cluster.url(), &self.url()),
            None => format!(
                "apiVersion: v1
kind: Config
current-context: simulated
clusters: [{{name: simulated, cluster: {{server: '{}'}}}}]
users: [{{name: viewer, user: {{}}}}]
contexts: [{{name: simulated, context: {{cluster: simulated, user: viewer}}}}]
",
                self.url()
            ),
        };
        self.folder
            .write(user, &text)
            .to_string_lossy()
            .into_owned()
    }

    /// Starts a dashboard that may see everything.
    pub async fn dash(&self) -> Dash {
        self.dash_with(&[]).await
    }

    /// Starts a dashboard that may see everything, with further environment variables.
    pub async fn dash_with(&self, environment: &[(&str, &str)]) -> Dash {
        self.dash_as(ADMIN, environment).await
    }

    async fn dash_as(&self, user: &str, environment: &[(&str, &str)]) -> Dash {
        let kubeconfig = self.kubeconfig(user);
        let mut all = vec![("KUBECONFIG", kubeconfig.as_str())];
        all.extend(environment);
        Dash::start(&all, &[]).await
    }

    /// Starts a dashboard whose account may read ingresses where [`allow`](Self::allow) says, and
    /// nothing else.
    pub async fn restricted_dash(&self, environment: &[(&str, &str)]) -> Dash {
        self.set_rules();
        self.dash_as(RESTRICTED, environment).await
    }

    /// Starts a dashboard with the token of a real service account of this namespace, which is
    /// created. It may read ingresses where [`allow`](Self::allow) says from now on, and nothing
    /// else.
    pub async fn service_account_dash(
        &mut self,
        namespace: &str,
        environment: &[(&str, &str)],
    ) -> Dash {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": RESTRICTED}});
        self.send(Method::POST, &accounts, Some(&account)).await;
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
        let tokens = format!("{accounts}/{RESTRICTED}/token");
        let answer = self.send(Method::POST, &tokens, Some(&request)).await;
        let token = answer["status"]["token"].as_str().expect("a token");
        self.subject =
            json!({"kind": "ServiceAccount", "name": RESTRICTED, "namespace": namespace});
        let cluster = self.kind.cluster().expect("a real API server");
        let text = kubeconfig(cluster, RESTRICTED)
            .replace(&cluster.token(RESTRICTED), token)
            .replace(&cluster.url(), &self.url());
        let path = self.folder.write("service-account", &text);
        let mut all = vec![("KUBECONFIG", path.to_str().expect("the path is UTF-8"))];
        all.extend(environment);
        Dash::start(&all, &[]).await
    }

    /// Lets the restricted account read the ingresses of a namespace.
    pub async fn allow(&mut self, namespace: &str) {
        self.allow_verbs(namespace, &["get", "list", "watch"]).await;
    }

    /// What the API server calls the restricted account.
    pub fn restricted_account(&self) -> &'static str {
        match self.kind.cluster() {
            Some(_) => RESTRICTED,
            None => simulator::USER,
        }
    }

    /// Lets the restricted account use only these verbs on the ingresses of a namespace.
    pub async fn allow_verbs(&mut self, namespace: &str, verbs: &[&'static str]) {
        self.allowed.insert(namespace.to_owned(), verbs.to_vec());
        if self.kind.cluster().is_none() {
            return self.set_rules();
        }
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        let metadata = json!({"name": RESTRICTED});
        let rules = json!([{"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": verbs}]);
        let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": metadata, "rules": rules});
        let binding = json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": RESTRICTED},
            "subjects": [self.subject],
        });
        self.send(Method::POST, &format!("{rbac}/roles"), Some(&role))
            .await;
        self.send(
            Method::POST,
            &format!("{rbac}/rolebindings"),
            Some(&binding),
        )
        .await;
    }

    /// Takes back what [`allow`](Self::allow) gave.
    pub async fn forbid(&mut self, namespace: &str) {
        self.allowed.remove(namespace);
        if self.kind.cluster().is_none() {
            return self.set_rules();
        }
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        for kind in ["rolebindings", "roles"] {
            let path = format!("{rbac}/{kind}/{RESTRICTED}");
            self.send(Method::DELETE, &path, None).await;
        }
    }

    fn set_rules(&self) {
        let Kind::Simulator(cluster) = &self.kind else {
            return;
        };
        let rule =
            |decision, verb: &str, resource: &str, namespace: Option<&str>| simulator::Rule {
                decision,
                verb: verb.to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.map(str::to_owned),
            };
        let mut rules = Vec::new();
        for resource in ["ingresses", "namespaces"] {
            for verb in ["get", "list", "watch"] {
                rules.push(rule(simulator::Decision::Deny, verb, resource, None));
            }
        }
        for (namespace, verbs) in &self.allowed {
            for verb in verbs {
                rules.push(rule(
                    simulator::Decision::Allow,
                    verb,
                    "ingresses",
                    Some(namespace),
                ));
            }
        }
        cluster.rules().replace(rules);
    }

    /// The name of a namespace of this test, which is created.
    pub async fn namespace(&self, label: &str) -> String {
        let name = self.unused(label);
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.send(Method::POST, "/api/v1/namespaces", Some(&body))
            .await;
        name
    }

    /// A namespace name of this test that no namespace has.
    pub fn unused(&self, label: &str) -> String {
        format!("{}-{label}", self.prefix)
    }

    /// Creates an ingress with this spec.
    pub async fn create_with(&self, namespace: &str, name: &str, spec: Value) -> Value {
        let ingress = json!({"metadata": {"name": name}, "spec": spec});
        self.create_object(namespace, ingress).await
    }

    /// Creates an ingress.
    pub async fn create_object(&self, namespace: &str, mut ingress: Value) -> Value {
        ingress["apiVersion"] = "networking.k8s.io/v1".into();
        ingress["kind"] = "Ingress".into();
        self.send(Method::POST, &ingresses(namespace), Some(&ingress))
            .await
    }

    /// Creates an ingress for the host `NAME.example.com`.
    pub async fn create(&self, namespace: &str, name: &str) -> Value {
        self.create_with(namespace, name, spec(&format!("{name}.example.com")))
            .await
    }

    /// Changes the only host of an ingress.
    pub async fn change(&self, namespace: &str, name: &str, host: &str) {
        self.patch(namespace, name, json!({"spec": spec(host)}))
            .await;
    }

    /// Applies a merge patch to an ingress.
    pub async fn patch(&self, namespace: &str, name: &str, patch: Value) {
        self.send(
            Method::PATCH,
            &format!("{}/{name}", ingresses(namespace)),
            Some(&patch),
        )
        .await;
    }

    /// Deletes an ingress.
    pub async fn delete(&self, namespace: &str, name: &str) {
        self.send(
            Method::DELETE,
            &format!("{}/{name}", ingresses(namespace)),
            None,
        )
        .await;
    }

    /// The ingresses that the API server lists in a namespace.
    pub async fn list(&self, namespace: &str) -> BTreeSet<Key> {
        let list = self.send(Method::GET, &ingresses(namespace), None).await;
        let items = list["items"].as_array().expect("a list has items");
        let name = |item: &Value| {
            item["metadata"]["name"]
                .as_str()
                .expect("an item has a name")
                .to_owned()
        };
        items
            .iter()
            .map(|item| Key::new(namespace, name(item)))
            .collect()
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let content_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        self.admin
            .send(method.clone(), path, content_type, body)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Every ingress that the API server lists.
    pub async fn list_all(&self) -> Vec<Value> {
        let path = "/apis/networking.k8s.io/v1/ingresses";
        let mut list = self.send(Method::GET, path, None).await;
        match list["items"].take() {
            Value::Array(items) => items,
            other => panic!("a list has items: {other}"),
        }
    }

    /// Makes the API server forget what changed so far: no watch resumes from an older version.
    pub async fn forget_history(&mut self) {
        match &mut self.kind {
            Kind::Simulator(cluster) => cluster.compact(),
            // What it can tell begins with its start.
            Kind::Own(cluster) => cluster
                .restart_apiserver()
                .await
                .expect("the API server starts again"),
            Kind::Shared(_) => panic!("other tests need its history"),
        }
    }

    /// Kills the API server.
    pub fn kill(&mut self) {
        match &mut self.kind {
            // The simulator is part of this process: to the dashboard it is gone once nobody
            // answers.
            Kind::Simulator(_) => self.gate.close(),
            Kind::Own(cluster) => cluster.kill_apiserver(),
            Kind::Shared(_) => panic!("other tests need it"),
        }
    }

    /// Kills a real API server's store.
    pub fn kill_etcd(&mut self) {
        match &mut self.kind {
            Kind::Own(cluster) => cluster.kill_etcd(),
            _ => panic!("not a store of this test's own"),
        }
    }

    /// Starts the store again with its data.
    pub async fn restart_etcd(&mut self) {
        match &mut self.kind {
            Kind::Own(cluster) => cluster.restart_etcd().await.expect("etcd starts again"),
            _ => panic!("not a store of this test's own"),
        }
    }

    /// Starts the API server again.
    pub async fn restart(&mut self) {
        match &mut self.kind {
            Kind::Simulator(_) => self.gate.open().await,
            Kind::Own(cluster) => cluster
                .restart_apiserver()
                .await
                .expect("the API server starts again"),
            Kind::Shared(_) => panic!("other tests need it"),
        }
    }
}

impl Kind {
    fn cluster(&self) -> Option<&RealCluster> {
        match self {
            Self::Simulator(_) => None,
            Self::Shared(cluster) => Some(cluster),
            Self::Own(cluster) => Some(cluster),
        }
    }
}

/// A real cluster's own kubeconfig. It is written anew each time, so that only one test at a time
/// may read it.
fn kubeconfig(cluster: &RealCluster, user: &str) -> String {
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    fs::read_to_string(cluster.kubeconfig(user)).expect("it was just written")
}

fn ingresses(namespace: &str) -> String {
    format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses")
}

/// A spec with one rule for this host.
pub fn spec(host: &str) -> Value {
    json!({"rules": [{"host": host, "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
    ]}}]})
}

/// Runs each scenario against the simulator and against a real API server, as tests of its name.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => { $crate::scenarios!{ shared: $($name),+ } };
    ($real:ident: $($name:ident),+ $(,)?) => {
        mod simulator {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::upstream::Upstream::simulator().await).await;
            })+
        }

        mod real_cluster {
            $(#[tokio::test]
            async fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                let test = test.split_once("::").map_or(test, |(_, path)| path);
                if let Some(upstream) = $crate::upstream::Upstream::$real(test).await {
                    super::$name(upstream).await;
                }
            })+
        }
    };
}
