//! The scenarios, and what they have in common.

mod fanout;
mod memory;
mod requests;
mod start;
mod watches;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use protocol::message::{Reset, Synced};
use protocol::{Message, Scope, sse};
use serde_json::{Value, json};
use simulator::{Cluster, Settings};
use tokio::runtime::Runtime;

use crate::client::Fleet;
use crate::expected::CHANGE;
use crate::report::Figure;
use crate::server::{Api, Process};

/// How many clients connect at the same time where it does not matter: fewer than the listener's
/// queue takes.
const AT_ONCE: usize = 200;

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Figure>>,
}

/// All of them, in the order in which they run.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "watches",
        what: "watches on ingresses for 50 clients of 20 namespaces, with and without cluster permission",
        run: watches::shared,
    },
    Scenario {
        name: "isolated",
        what: "200 clients of one namespace each: receipt of a change to socket",
        run: watches::isolated,
    },
    Scenario {
        name: "fanout-1000",
        what: "one change to 1,000 clients",
        run: |bench| fanout::one_change(bench, 1_000),
    },
    Scenario {
        name: "fanout-10000",
        what: "one change to 10,000 clients",
        run: |bench| fanout::one_change(bench, 10_000),
    },
    Scenario {
        name: "burst",
        what: "200 changes at once to 1,000 clients",
        run: fanout::burst,
    },
    Scenario {
        name: "interest",
        what: "changes of one namespace among 10,000 clients of 3 of 3,200 namespaces",
        run: fanout::interest,
    },
    Scenario {
        name: "idle",
        what: "memory per idle client of 10,000, first and after 4 rounds of connecting",
        run: memory::idle,
    },
    Scenario {
        name: "stalled",
        what: "memory while 100 clients that do not read miss 100,000 changes",
        run: memory::stalled,
    },
    Scenario {
        name: "footprint",
        what: "memory with 3,200 namespaces, 10,500 ingresses and 100 clients",
        run: memory::footprint,
    },
    Scenario {
        name: "cold",
        what: "from ready API server to `synced` for 10,500 ingresses",
        run: start::cold,
    },
    Scenario {
        name: "storm",
        what: "1,000 clients of 1,000 ingresses that arrive together",
        run: start::storm,
    },
    Scenario {
        name: "requests",
        what: "changes to 1,000 clients of 10,500 ingresses, while 200 pages, searches and documents a second are asked for",
        run: requests::mixed,
    },
];

/// What every scenario runs with.
pub(crate) struct Bench {
    pub(crate) server: PathBuf,
    /// More of the dashboard's environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) small: bool,
    /// Files that one process may have open.
    pub(crate) open_files: u64,
    pub(crate) clients: Runtime,
    pub(crate) api: Runtime,
}

impl Bench {
    fn size<T>(&self, full: T, small: T) -> T {
        if self.small { small } else { full }
    }

    fn api(&self, namespaces: usize, ingresses: usize) -> Result<Api> {
        let settings = Settings {
            namespaces,
            ingresses,
            ..Settings::default()
        };
        Api::start(self.api.handle(), settings)
    }

    fn dashboard(&self, api: &Api) -> Result<Process> {
        let mut environment = vec![("MAX_STREAMS", "100000"), ("MAX_STREAMS_PER_CLIENT", "0")];
        environment.extend(
            self.environment
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        Process::dashboard(&self.server, api, &environment)
    }

    fn fleet(
        &self,
        process: &Process,
        scopes: impl IntoIterator<Item = Scope>,
        at_once: usize,
    ) -> Result<Fleet> {
        let fleet = Fleet::connect(self.clients.handle(), process.address, scopes, at_once);
        let needed = fleet.len() as u64 + 200;
        let allowed = self.open_files;
        ensure!(
            needed <= allowed,
            "{} clients need {needed} open files and {allowed} are allowed: ulimit -n {needed}, as root or in limits.conf",
            fleet.len(),
        );
        Ok(fleet)
    }

    /// Clients of everything, and all of them synced.
    fn everything(&self, process: &Process, clients: usize) -> Result<Fleet> {
        let fleet = self.fleet(process, vec![Scope::All; clients], AT_ONCE)?;
        fleet.synced()?;
        Ok(fleet)
    }
}

/// Rows of the cluster to change, each change with a number that clients can see.
struct Changes {
    cluster: Cluster,
    rows: Vec<Value>,
}

impl Changes {
    fn of(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.clone(),
            rows: cluster.list(None),
        }
    }

    /// Changes one of the rows.
    fn apply(&self, row: usize, number: u32) {
        let mut ingress = self.rows[row % self.rows.len()].clone();
        ingress["metadata"]["labels"][CHANGE] = number.to_string().into();
        self.cluster.apply(ingress);
    }
}

/// A cluster with one plain ingress in each of so many namespaces.
fn one_each(api: &Api, namespaces: usize) -> Vec<String> {
    let names = (0..namespaces).map(|number| format!("team-{number:04}"));
    let apply = |name: &String| {
        let host = format!("web.{name}.example.com");
        let backend = json!({ "service": { "name": "web", "port": { "number": 80 } } });
        let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
        api.cluster.apply(json!({
            "metadata": { "name": "web", "namespace": name, "labels": { "app.kubernetes.io/name": "web" } },
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{ "host": host, "http": { "paths": [path] } }],
                "tls": [{ "hosts": [host], "secretName": "web-tls" }],
            },
        }));
    };
    names.inspect(apply).collect()
}

/// A scope of one namespace, or of some.
fn scope(names: &[&str]) -> Scope {
    Scope::Namespaces(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The reference writer for these clients, and frames like the last that the dashboard has sent.
struct Reference {
    process: Process,
    sample: sse::Event,
}

impl Reference {
    /// Greets each client with nothing but what makes it synced.
    fn like(sample: sse::Event) -> Result<Self> {
        Self::greeting(sample, 0)
    }

    /// Greets each client with at least so many bytes of rows.
    fn greeting(sample: sse::Event, bytes: usize) -> Result<Self> {
        let mut text = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_vec();
        let build = String::new();
        let reset = Message::Reset(Reset { build });
        sse::write_event(&mut text, Some("0"), reset.encode().as_bytes());
        let mut count = 0;
        while text.len() < bytes {
            sse::write_event(&mut text, None, sample.data.as_bytes());
            count = 1;
        }
        let synced = Message::Synced(Synced {
            count,
            ..Synced::default()
        });
        sse::write_event(&mut text, Some("1"), synced.encode().as_bytes());
        let process = Process::reference(String::from_utf8(text)?)?;
        Ok(Self { process, sample })
    }

    /// The sample with another change's number.
    fn frame(&self, number: u32) -> String {
        let data = &self.sample.data;
        let label = format!("\"{CHANGE}\":\"");
        let data = match data.split_once(&label) {
            Some((before, rest)) => {
                let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
                format!("{before}{label}{number}{rest}")
            }
            None => data.clone(),
        };
        let mut frame = Vec::new();
        sse::write_event(&mut frame, self.sample.id.as_deref(), data.as_bytes());
        String::from_utf8_lossy(&frame).into_owned()
    }
}
