//! The model in front of a real API server, in real time: two dashboards, one that may see
//! everything and one with a service account whose permissions come and go; kube-apiserver and etcd
//! are killed under them.
//!
//! A seed repeats what is done, not when: `KUBE_INGRESS_DASH_MODEL_SEED` and
//! `KUBE_INGRESS_DASH_MODEL_OPERATIONS` as for the simulated cluster.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fastrand::Rng;
use protocol::Scope;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::{Coverage, number};
use testkit::dash::{Dash, POLL};
use testkit::upstream::Upstream;

const OPERATIONS: u64 = 7_000;
/// Operations between two quiet points.
const PER_TURN: u64 = 1_000;
const NAMESPACES: usize = 6;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const CLIENTS: usize = 12;
/// The dashboard of the service account.
const LIMITED: usize = 1;
/// Operations after which a killed process is started again.
const DOWN: u64 = 40;
/// Operations for which the dashboards do not reach an API server that is up again.
const CUT_OFF: u64 = 200;
/// The longest that a quiet point is waited for: a forbidden namespace is asked for every 10 s, a
/// watch is refused after `K8S_WATCH_TIMEOUT`, and a feed waits up to 30 s and half after failures.
const QUIET_LIMIT: Duration = Duration::from_secs(90);

/// What happens in the middle of a turn.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    KillApiServer,
    KillEtcd,
    /// The service account may read so many namespaces.
    Allow(usize),
}

/// One namespace, then more, then fewer, with each process killed before, between and after.
const TURNS: [Event; 7] = [
    Event::Nothing,
    Event::KillApiServer,
    Event::Allow(NAMESPACES - 1),
    Event::KillEtcd,
    Event::Allow(2),
    Event::KillApiServer,
    Event::Allow(1),
];

struct World {
    seed: u64,
    rng: Rng,
    up: Upstream,
    namespaces: Vec<String>,
    /// The one that may see everything, and the one of the service account.
    dashes: [Dash; 2],
    is_down: bool,
    /// What the service account may read.
    readable: BTreeSet<String>,
    /// Clients with the dashboard that they use.
    clients: Vec<(usize, Client)>,
    serial: u64,
    met: Coverage,
    kills: u64,
    /// Rows that clients held when the permission for them went.
    withdrawn: u64,
}

#[tokio::test]
async fn at_every_quiet_point_each_table_is_the_list_of_a_real_cluster() {
    let test = "real::at_every_quiet_point_each_table_is_the_list_of_a_real_cluster";
    let Some(up) = Upstream::own(test).await else {
        return;
    };
    let seed = number("KUBE_INGRESS_DASH_MODEL_SEED");
    let seed = seed.unwrap_or_else(|| u64::from(fastrand::u16(..)));
    let operations = number("KUBE_INGRESS_DASH_MODEL_OPERATIONS").unwrap_or(OPERATIONS);
    println!("again with KUBE_INGRESS_DASH_MODEL_SEED={seed}");
    let mut world = World::new(seed, up).await;
    let turns = operations.div_ceil(PER_TURN).max(TURNS.len() as u64);
    for event in TURNS.into_iter().cycle().take(turns as usize) {
        world.turn(event).await;
    }
    let met = world.counts().await;
    println!("seed {seed}: {met:?}");
    for (what, count) in met {
        assert!(count > 0, "seed {seed} met no {what}");
    }
}

impl World {
    async fn new(seed: u64, mut up: Upstream) -> Self {
        let mut namespaces = Vec::new();
        for label in 0..NAMESPACES {
            namespaces.push(up.namespace(&format!("n{label}")).await);
        }
        let first = namespaces[0].clone();
        let names = namespaces.join(",");
        // The shortest that is allowed: a permission that goes is noticed by the next request.
        let timeout = ("K8S_WATCH_TIMEOUT", "5");
        let limited = up
            .service_account_dash(&first, &[timeout, ("WATCH_NAMESPACES", &names)])
            .await;
        up.allow(&first).await;
        let everything = up.dash_with(&[timeout]).await;
        Self {
            seed,
            rng: Rng::with_seed(seed),
            up,
            namespaces,
            dashes: [everything, limited],
            is_down: false,
            readable: BTreeSet::from([first]),
            clients: Vec::new(),
            serial: 0,
            met: Coverage::default(),
            kills: 0,
            withdrawn: 0,
        }
    }

    /// Operations, the event among them, and a quiet point.
    async fn turn(&mut self, event: Event) {
        let started = Instant::now();
        let at = self.rng.u64(PER_TURN / 4..PER_TURN / 2);
        for operation in 0..PER_TURN {
            if operation == at {
                self.begin(event).await;
            }
            if operation == at + DOWN {
                self.restart(event).await;
            }
            if operation == at + DOWN + CUT_OFF {
                self.reconnect(event).await;
            }
            self.operate().await;
            self.met.operations += 1;
            for (_, client) in &mut self.clients {
                client.unread += 1;
            }
        }
        self.quiet().await;
        println!("{event:?}: {:?}", started.elapsed());
    }

    async fn begin(&mut self, event: Event) {
        match event {
            Event::Nothing => {}
            Event::KillApiServer | Event::KillEtcd => {
                self.kill_while_writing(event).await;
            }
            Event::Allow(count) => {
                let mut names = self.namespaces.clone();
                self.rng.shuffle(&mut names);
                self.permit(names.into_iter().take(count).collect()).await;
            }
        }
    }

    async fn restart(&mut self, event: Event) {
        match event {
            Event::KillApiServer => self.up.restart().await,
            Event::KillEtcd => self.up.restart_etcd().await,
            Event::Nothing | Event::Allow(_) => {}
        }
        self.is_down = false;
    }

    /// The way to an API server that was killed opens only after it has been written to: a new one
    /// cannot tell what was before it, so that only a list tells what was deleted.
    async fn reconnect(&mut self, event: Event) {
        if matches!(event, Event::KillApiServer) {
            self.up.gate.open().await;
        }
    }

    /// SIGKILL while writes are under way. What becomes of them nobody knows.
    async fn kill_while_writing(&mut self, event: Event) {
        let mut writes = JoinSet::new();
        for _ in 0..16 {
            let (namespace, name, spec) = self.next_row();
            let admin = self.up.admin.clone();
            writes.spawn(async move { admin.apply(&namespace, &name, spec).await });
        }
        let first = writes.join_next().await.expect("there are writes");
        first.expect("no panic").expect("the API server is up");
        match event {
            Event::KillEtcd => self.up.kill_etcd(),
            _ => {
                self.up.kill();
                self.up.gate.close();
            }
        }
        self.is_down = true;
        self.kills += 1;
    }

    async fn permit(&mut self, readable: BTreeSet<String>) {
        for namespace in self.namespaces.clone() {
            match (
                self.readable.contains(&namespace),
                readable.contains(&namespace),
            ) {
                (false, true) => self.up.allow(&namespace).await,
                (true, false) => self.up.forbid(&namespace).await,
                _ => {}
            }
        }
        self.readable = readable;
        for (dash, client) in &mut self.clients {
            let forbidden = |(row, _): &(String, String)| {
                let namespace = row.split('/').next().unwrap_or_default();
                !self.readable.contains(namespace)
            };
            if *dash == LIMITED {
                self.withdrawn += client.rows().iter().filter(|row| forbidden(row)).count() as u64;
            }
        }
    }

    async fn operate(&mut self) {
        match self.rng.u32(..1000) {
            0..300 => self.write().await,
            300..430 => self.delete().await,
            430..800 => self.read(),
            800..890 => self.connect().await,
            890..940 => self.cut(),
            940..970 => self.leave(),
            _ => self.choose(),
        }
        tokio::task::yield_now().await;
    }

    fn namespace(&mut self) -> String {
        self.namespaces[self.rng.usize(..self.namespaces.len())].clone()
    }

    /// An ingress as it never was before.
    fn next_row(&mut self) -> (String, String, Value) {
        let namespace = self.namespace();
        let name = NAMES[self.rng.usize(..NAMES.len())].to_owned();
        self.serial += 1;
        let host = format!("v{}.example.com", self.serial);
        let row = (format!("{namespace}/{name}"), host.clone());
        self.met.existed.insert(row);
        // Some rows are so large that what a client missed is more than one write.
        let path = "a".repeat(*self.rng.choice(&[1, 1, 1, 25_000]).expect("not empty"));
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let paths = json!([{"path": format!("/{path}"), "pathType": "Prefix", "backend": backend}]);
        let spec = json!({"rules": [{"host": host, "http": {"paths": paths}}]});
        (namespace, name, spec)
    }

    async fn write(&mut self) {
        if self.is_down {
            return;
        }
        let (namespace, name, spec) = self.next_row();
        let written = self.up.admin.apply(&namespace, &name, spec).await;
        written.unwrap_or_else(|error| panic!("{namespace}/{name}: {error}"));
    }

    async fn delete(&mut self) {
        if self.is_down {
            return;
        }
        let namespace = self.namespace();
        let name = NAMES[self.rng.usize(..NAMES.len())];
        match self.up.admin.delete(&namespace, name).await {
            Ok(()) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{namespace}/{name}: {error}"),
        }
    }

    fn scope(&mut self) -> Scope {
        if self.rng.u8(..3) == 0 {
            return Scope::All;
        }
        let count = self.rng.usize(1..5);
        Scope::Namespaces((0..count).map(|_| self.namespace()).collect())
    }

    fn client(&mut self) -> Option<usize> {
        (!self.clients.is_empty()).then(|| self.rng.usize(..self.clients.len()))
    }

    fn read(&mut self) {
        // Low numbers are read often, high ones fall behind.
        let Some(client) = self.client() else { return };
        let client = self.rng.usize(..=client);
        let chunks = self.rng.usize(1..6);
        self.clients[client].1.read(chunks, None, &mut self.met);
    }

    async fn connect(&mut self) {
        let away = self
            .clients
            .iter()
            .position(|(_, client)| !client.is_connected());
        let client = match away {
            Some(client) => client,
            None if self.clients.len() < CLIENTS => {
                let client = Client::new(self.scope());
                self.clients
                    .push((self.rng.usize(..self.dashes.len()), client));
                self.clients.len() - 1
            }
            None => return,
        };
        let (dash, client) = &mut self.clients[client];
        if self.rng.u8(..8) == 0 {
            // A proxy may lead to the other one, which does not know the id.
            *dash = self.rng.usize(..self.dashes.len());
        }
        client.connect_to(&self.dashes[*dash], *dash as u64).await;
    }

    fn cut(&mut self) {
        let Some(client) = self.client() else { return };
        let (chunks, part) = (self.rng.usize(1..4), self.rng.f64());
        let (_, client) = &mut self.clients[client];
        client.read(chunks, Some(part), &mut self.met);
        client.leave();
    }

    fn leave(&mut self) {
        let Some(client) = self.client() else { return };
        match self.rng.u8(..4) {
            // For good.
            0 => drop(self.clients.swap_remove(client)),
            _ => self.clients[client].1.leave(),
        }
    }

    fn choose(&mut self) {
        let Some(client) = self.client() else { return };
        let scope = self.scope();
        self.clients[client].1.choose(scope);
    }

    /// Nobody writes, everybody connects and reads: now all tables are the API server's list.
    async fn quiet(&mut self) {
        let deadline = Instant::now() + QUIET_LIMIT;
        loop {
            for (dash, client) in &mut self.clients {
                if !client.is_connected() {
                    client.connect_to(&self.dashes[*dash], *dash as u64).await;
                }
                client.read(usize::MAX, None, &mut self.met);
            }
            let listed = self.up.list_all().await;
            let wrong = self.clients.iter_mut().find_map(|(dash, client)| {
                let readable = (*dash == LIMITED).then_some(&self.readable);
                let (held, listed) = (client.rows(), rows(&listed, &client.scope, readable));
                (!client.is_settled() || held != listed)
                    .then(|| (*dash, client.scope.clone(), held, listed, client.states()))
            });
            let Some((dash, scope, held, listed, states)) = wrong else {
                break;
            };
            assert!(
                Instant::now() < deadline,
                "seed {}, dashboard {dash}, scope {scope}, readable {:?}:\nheld   {held:?}\nlisted {listed:?}\n{states}\nlog:\n{}",
                self.seed,
                self.readable,
                self.dashes[dash].process.log(),
            );
            tokio::time::sleep(POLL).await;
        }
        self.met.quiet_points += 1;
    }

    /// How often what the model is about was met.
    async fn counts(&self) -> Vec<(&'static str, u64)> {
        let (mut relists, mut deletes) = (0, 0);
        for dash in &self.dashes {
            let metrics = dash.get("/metrics").await.text();
            relists += metric(&metrics, "relists_total");
            deletes += metric(&metrics, "relist_deletes_total");
        }
        vec![
            ("operations", self.met.operations),
            ("quiet points", self.met.quiet_points),
            ("kills", self.kills),
            ("resumes without reset", self.met.resumes),
            ("ids that were void", self.met.floors),
            ("rows withdrawn", self.withdrawn),
            ("lists after the first", relists),
            ("deletes found by relist", deletes),
        ]
    }
}

fn metric(metrics: &str, name: &str) -> u64 {
    let name = format!("\ningress_dash_{name} ");
    let after = metrics.split_once(&name).map(|(_, after)| after);
    let count = after.and_then(|after| after.split_whitespace().next()?.parse().ok());
    count.unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

/// The listed ingresses of a scope, as far as they may be read, as [`Client::rows`] has them.
fn rows(
    listed: &[Value],
    scope: &Scope,
    readable: Option<&BTreeSet<String>>,
) -> Vec<(String, String)> {
    let mut rows: Vec<_> = listed
        .iter()
        .filter_map(|item| {
            let text = |pointer| item.pointer(pointer)?.as_str();
            let namespace = text("/metadata/namespace")?;
            let shown = scope.contains(namespace)
                && readable.is_none_or(|readable| readable.contains(namespace));
            let key = format!("{namespace}/{}", text("/metadata/name")?);
            shown.then_some((key, text("/spec/rules/0/host")?.to_owned()))
        })
        .collect();
    rows.sort();
    rows
}
