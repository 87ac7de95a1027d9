//! The simulated cluster, the dashboard in front of it, its clients, and what may happen to them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::Parser as _;
use fastrand::Rng;
use kube_ingress_dash::cluster::api::Api;
use kube_ingress_dash::cluster::{self, Cluster};
use kube_ingress_dash::config::{Config, WatchMode};
use kube_ingress_dash::journal::Journal;
use kube_ingress_dash::metrics::Metrics;
use kube_ingress_dash::shutdown::Shutdown;
use kube_ingress_dash::web::{self, Own, Server};
use protocol::Scope;
use serde_json::{Value, json};
use simulator::{Decision, Effect, Fault, Operation, Rule};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::debug;

use crate::Coverage;
use crate::client::Client;

const NAMESPACES: [&str; 7] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6"];
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const CLIENTS: usize = 10;
/// So few replays at once that some have to wait.
const ARGUMENTS: [&str; 2] = ["--stream-timeout=900000", "--max-replays=2"];
/// Time that everything that may wait has come back in: a feed's backoff (30 s and half), the
/// recheck of the mode (60 s and half), a silent watch (150 s).
const HEALED: Duration = Duration::from_secs(200);

pub(crate) struct World {
    rng: Rng,
    cluster: simulator::Cluster,
    dash: Dash,
    dashes: u64,
    clients: Vec<Client>,
    /// The namespaces that may be read; `None`: the whole cluster.
    readable: Option<BTreeSet<&'static str>>,
    may_list_namespaces: bool,
    mode: WatchMode,
    /// `WATCH_NAMESPACES`
    only: BTreeSet<String>,
    /// Makes each version of each row different.
    serial: u64,
    /// Versions of the API server to which it may be restored.
    backup: u64,
    met: Coverage,
}

/// A dashboard without a socket.
pub(crate) struct Dash {
    pub(crate) router: Router,
    pub(crate) journal: Arc<Journal>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
    watching: JoinHandle<()>,
    cluster_wide: bool,
}

impl Dash {
    /// With further arguments as the binary takes them.
    pub(crate) fn start(
        cluster: &simulator::Cluster,
        mode: WatchMode,
        only: &BTreeSet<String>,
        arguments: &[&str],
    ) -> Self {
        // As the binary does. Another test may have been first.
        let _ = any_spawner::Executor::init_tokio();
        let config = Config::parse_from(["kube-ingress-dash"].iter().chain(arguments));
        let client = kube::Client::new(cluster.router(), "default");
        let journal = Arc::new(Journal::default());
        let metrics = Arc::new(Metrics::default());
        let settings = cluster::Settings {
            mode,
            namespaces: only.clone(),
            max_watches: config.max_watches as usize,
            watch_timeout: Duration::from_secs(40),
        };
        let api = Api::new(client, "the simulated cluster".into());
        let cluster = Cluster::new(api, journal.clone(), settings, metrics.clone());
        let watching = tokio::spawn(cluster.clone().run());
        let config = Config::parse_from(["kube-ingress-dash"].iter().chain(arguments));
        let shutdown = Shutdown {
            drain_time: Duration::from_secs(config.drain_time),
            ..Shutdown::default()
        };
        let server = Arc::new(Server {
            cluster,
            journal: journal.clone(),
            metrics: metrics.clone(),
            shutdown: shutdown.clone(),
            cluster_name: "model".into(),
            simulated: true,
            max_streams: 1_000,
            own: Own::new(&config),
            config,
        });
        Self {
            router: web::router(&server),
            journal,
            metrics,
            shutdown,
            watching,
            cluster_wide: true,
        }
    }
}

impl Drop for Dash {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cluster = simulator::Cluster::new(simulator::Settings {
            namespaces: 0,
            ingresses: 0,
            churn_per_second: 0.0,
            seed,
            ..simulator::Settings::default()
        });
        let mode = match rng.u8(..3) {
            0 => WatchMode::Namespaced,
            _ => WatchMode::Auto,
        };
        let only = match rng.u8(..4) {
            0 => some(&mut rng, 3).into_iter().map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        };
        let backup = cluster.resource_version();
        Self {
            dash: Dash::start(&cluster, mode, &only, &ARGUMENTS),
            rng,
            cluster,
            dashes: 1,
            clients: Vec::new(),
            readable: None,
            may_list_namespaces: true,
            mode,
            only,
            serial: 0,
            backup,
            met: Coverage::default(),
        }
    }

    pub(crate) async fn run(mut self, operations: u64) -> Coverage {
        for _ in 0..operations {
            self.operate().await;
            self.met.operations += 1;
            for client in &mut self.clients {
                client.unread += 1;
            }
            self.note_mode();
        }
        self.quiet().await;
        self.met.relist_deletes += self.dash.metrics.relist_deletes.get();
        self.met
    }

    async fn operate(&mut self) {
        match self.rng.u32(..1000) {
            0..250 => self.write(),
            250..370 => self.delete(),
            370..380 => self.change_namespace(),
            380..620 => self.read(),
            620..680 => self.connect().await,
            680..740 => self.cut(),
            740..770 => self.leave(),
            770..790 => self.choose(),
            790..840 => self.fail(),
            840..870 => {
                debug!("no faults");
                self.cluster.faults().clear();
            }
            870..880 => {
                debug!("watches break");
                self.cluster.faults().drop_watches();
            }
            880..890 => {
                debug!("compacted");
                self.cluster.compact();
                // What was before is not known any more.
                self.backup = self.cluster.resource_version();
            }
            890..893 => self.restore().await,
            893..899 => self.change_rules(),
            899..901 => self.restart(),
            901..908 => self.quiet().await,
            908..920 => self.backup = self.cluster.resource_version(),
            _ => {
                let most = *self.rng.choice(&[10, 1_000, 20_000]).expect("not empty");
                sleep(Duration::from_millis(self.rng.u64(..most))).await;
            }
        }
        if self.rng.bool() {
            tokio::task::yield_now().await;
        }
    }

    fn namespace(&mut self) -> &'static str {
        NAMESPACES[self.rng.usize(..NAMESPACES.len())]
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.rng.usize(..NAMES.len())]
    }

    fn write(&mut self) {
        let (namespace, name) = (self.namespace(), self.name());
        self.serial += 1;
        let host = format!("v{}.example.com", self.serial);
        let row = (format!("{namespace}/{name}"), host.clone());
        self.met.existed.insert(row);
        // Some rows are so large that what a client missed is more than one write.
        let path = "/".repeat(self.rng.choice([1, 1, 1, 25_000]).expect("not empty"));
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let paths = json!([{"path": path, "pathType": "Prefix", "backend": backend}]);
        self.cluster.apply(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"rules": [{"host": host, "http": {"paths": paths}}]},
        }));
        let version = self.cluster.resource_version();
        debug!(version, "{namespace}/{name} is v{}", self.serial);
    }

    fn delete(&mut self) {
        let (namespace, name) = (self.namespace(), self.name());
        self.cluster.delete(namespace, name);
        let version = self.cluster.resource_version();
        debug!(version, "{namespace}/{name} is deleted");
    }

    fn change_namespace(&mut self) {
        let namespace = self.namespace();
        match self.rng.bool() {
            true => self.cluster.apply_namespace(namespace),
            false => self.cluster.delete_namespace(namespace),
        }
    }

    fn scope(&mut self) -> Scope {
        match self.rng.u8(..3) {
            0 => Scope::All,
            _ => {
                let most = self.rng.usize(1..5);
                Scope::Namespaces(
                    some(&mut self.rng, most)
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                )
            }
        }
    }

    fn client(&mut self) -> Option<usize> {
        (!self.clients.is_empty()).then(|| self.rng.usize(..self.clients.len()))
    }

    fn read(&mut self) {
        // Low numbers are read often, high ones fall behind.
        let Some(client) = self.client() else { return };
        let client = self.rng.usize(..=client);
        let chunks = self.rng.usize(1..6);
        self.clients[client].read(chunks, None, &mut self.met);
    }

    async fn connect(&mut self) {
        let away = self
            .clients
            .iter()
            .position(|client| !client.is_connected());
        let client = match away {
            Some(client) => client,
            None if self.clients.len() < CLIENTS => {
                let scope = self.scope();
                self.clients.push(Client::new(scope));
                self.clients.len() - 1
            }
            None => return,
        };
        let client = &mut self.clients[client];
        client
            .connect(&self.dash.router, self.dashes, &mut self.met)
            .await;
        self.met.waits += u64::from(self.dash.metrics.replays_waiting.get() > 0);
    }

    fn cut(&mut self) {
        let Some(client) = self.client() else { return };
        let (chunks, part) = (self.rng.usize(1..4), self.rng.f64());
        self.clients[client].read(chunks, Some(part), &mut self.met);
        self.clients[client].leave();
    }

    fn leave(&mut self) {
        let Some(client) = self.client() else { return };
        match self.rng.u8(..4) {
            // For good.
            0 => {
                self.clients.swap_remove(client);
            }
            _ => self.clients[client].leave(),
        }
    }

    fn choose(&mut self) {
        let Some(client) = self.client() else { return };
        let scope = self.scope();
        self.clients[client].choose(scope);
    }

    fn fail(&mut self) {
        let status = |status| Effect::Status {
            status,
            retry_after: None,
        };
        let (operation, effect) = match self.rng.u8(..17) {
            0 => (Operation::Watch, status(401)),
            1 => (Operation::Watch, status(403)),
            2 => (Operation::Watch, status(410)),
            3 => (
                Operation::Any,
                Effect::Status {
                    status: 429,
                    retry_after: Some(self.rng.u64(1..20)),
                },
            ),
            4 => (Operation::Watch, status(500)),
            5 => (Operation::List, status(503)),
            6 => (Operation::List, status(403)),
            7 => (Operation::Review, status(500)),
            8 => (Operation::Watch, Effect::Hang),
            9 => (Operation::List, Effect::Hang),
            10 => (Operation::Watch, Effect::Cut),
            11 => (Operation::Watch, Effect::Garbage),
            12 => (Operation::Watch, Effect::Truncate),
            13 => (Operation::List, Effect::Cut),
            14 => (Operation::Watch, Effect::ErrorEvent { status: 410 }),
            15 => (Operation::Any, Effect::Hang),
            _ => (Operation::Watch, Effect::Stall),
        };
        let mut fault = Fault::new(operation, effect.clone());
        if effect != Effect::Stall {
            fault = fault.times(self.rng.u64(1..5));
        }
        if self.rng.bool() {
            fault = fault.on("ingresses");
        }
        if self.rng.bool() {
            let namespace = self.namespace();
            fault = fault.within(namespace);
        }
        debug!(?fault, "fault");
        self.cluster.faults().add(fault);
    }

    /// etcd goes back to a backup. Nobody writes until the API server is up again and the feeds
    /// have come back.
    async fn restore(&mut self) {
        self.cluster.faults().clear();
        self.cluster.restore(self.backup);
        debug!(version = self.backup, "restored");
        self.met.restores += 1;
        sleep(HEALED).await;
    }

    fn change_rules(&mut self) {
        self.readable = match self.rng.u8(..3) {
            0 => None,
            _ => Some(some(&mut self.rng, 5)),
        };
        self.may_list_namespaces = self.readable.is_none() || self.rng.u8(..3) > 0;
        let rule = |decision, verb: &str, resource: &str, namespace: Option<&str>| Rule {
            decision,
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
        };
        let mut rules = Vec::new();
        if let Some(readable) = &self.readable {
            rules.push(rule(Decision::Deny, "*", "ingresses", None));
            for namespace in readable {
                rules.push(rule(Decision::Allow, "*", "ingresses", Some(namespace)));
            }
        }
        if !self.may_list_namespaces {
            rules.push(rule(Decision::Deny, "*", "namespaces", None));
        }
        debug!(?rules, "permissions");
        self.cluster.rules().replace(rules);
    }

    /// Another process takes over: it knows no id.
    fn restart(&mut self) {
        self.met.relist_deletes += self.dash.metrics.relist_deletes.get();
        self.dashes += 1;
        self.dash = Dash::start(&self.cluster, self.mode, &self.only, &ARGUMENTS);
        for client in &mut self.clients {
            client.leave();
        }
    }

    fn note_mode(&mut self) {
        let (_, cluster_wide) = self.dash.journal.whole_status();
        self.met.mode_changes += u64::from(cluster_wide != self.dash.cluster_wide);
        self.dash.cluster_wide = cluster_wide;
    }

    /// Faults end, time passes, everybody connects and reads: now all tables are the API server's
    /// list.
    async fn quiet(&mut self) {
        debug!("quiet");
        self.cluster.faults().clear();
        sleep(HEALED).await;
        for client in 0..self.clients.len() {
            let mut patience = 600;
            loop {
                let reader = &mut self.clients[client];
                if !reader.is_connected() {
                    reader
                        .connect(&self.dash.router, self.dashes, &mut self.met)
                        .await;
                }
                reader.read(usize::MAX, None, &mut self.met);
                let scope = reader.scope.clone();
                let (settled, held) = (reader.is_settled(), reader.rows());
                let listed = self.expected(&scope);
                if settled && held == listed {
                    break;
                }
                patience -= 1;
                let states = self.clients[client].states();
                assert!(
                    patience > 0,
                    "scope {scope}, readable {:?}, WATCH_NAMESPACES {:?}, {:?}:\nheld   {held:?}\nlisted {listed:?}\n{states}",
                    self.readable,
                    self.only,
                    self.mode,
                );
                sleep(Duration::from_secs(1)).await;
            }
        }
        self.met.quiet_points += 1;
    }

    /// What the API server lists for a scope, as far as the dashboard may see and show it.
    fn expected(&self, scope: &Scope) -> Vec<(String, String)> {
        let names_are_unknown = self.readable.is_some() || self.mode == WatchMode::Namespaced;
        if *scope == Scope::All
            && names_are_unknown
            && !self.may_list_namespaces
            && self.only.is_empty()
        {
            return Vec::new();
        }
        let text = |item: &Value, pointer| {
            let text = item.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut rows: Vec<_> = self
            .cluster
            .list(None)
            .iter()
            .filter(|item| {
                let namespace = text(item, "/metadata/namespace");
                scope.contains(&namespace)
                    && (self.only.is_empty() || self.only.contains(&namespace))
                    && self
                        .readable
                        .as_ref()
                        .is_none_or(|readable| readable.contains(namespace.as_str()))
            })
            .map(|item| {
                let key = format!(
                    "{}/{}",
                    text(item, "/metadata/namespace"),
                    text(item, "/metadata/name")
                );
                (key, text(item, "/spec/rules/0/host"))
            })
            .collect();
        rows.sort();
        rows
    }
}

/// Up to so many namespaces, at least one.
fn some(rng: &mut Rng, most: usize) -> BTreeSet<&'static str> {
    let count = rng.usize(1..=most);
    (0..count)
        .map(|_| NAMESPACES[rng.usize(..NAMESPACES.len())])
        .collect()
}
