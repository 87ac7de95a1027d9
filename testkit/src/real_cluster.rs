//! A real API server for tests: etcd and kube-apiserver as child processes on loopback, in a
//! temporary folder.
//!
//! There are no controllers behind it: a deleted namespace stays `Terminating`, and nothing fills
//! in an ingress's status unless a test does.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

/// The user of the group `system:masters`: no rule is asked.
pub const ADMIN: &str = "admin";

/// The users that have a token. All but [`ADMIN`] may do nothing until a Role is bound to them.
pub const USERS: [&str; 3] = [ADMIN, "reader", "restricted"];

/// How long a process may take to become ready. It takes seconds; a busy machine takes more.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The pause between two looks at a process that is not ready yet.
const POLL: Duration = Duration::from_millis(50);

/// How many ports are tried when another process takes the chosen one first.
const PORT_ATTEMPTS: usize = 5;

/// Clears up once its input ends, which is when the cluster is dropped or the test process is gone,
/// however it went: a cluster in a `static` is never dropped, and a killed process drops nothing.
const WATCHDOG: &str = r#"
cat >/dev/null
for file in "$0"/*.pid; do [ -e "$file" ] && kill -9 "$(cat "$file")"; done
rm -rf "$0"
"#;

/// The programs a cluster is made of.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The API server's store.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
    /// The command line client of the same version.
    pub kubectl: PathBuf,
}

/// Finds the programs: in `KUBEBUILDER_ASSETS` when it is set, else in `target/cluster/bin`, where
/// `cargo xtask` builds them.
///
/// The error is the reason to report for tests that are skipped without them.
pub fn binaries() -> Result<Binaries, String> {
    if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
        return binaries_in(Path::new(&folder))
            .map_err(|missing| format!("KUBEBUILDER_ASSETS has no {missing}"));
    }
    // Cargo names `target/tmp`, wherever the target folder is.
    let folder = crate::target_folder().join("cluster/bin");
    binaries_in(&folder).map_err(|missing| {
        if on_path("go") {
            format!("{missing} is not built: `end2end/cluster/build target/cluster/bin` builds it")
        } else {
            format!("{missing} is not built, and Go, which builds it, is not installed")
        }
    })
}

fn binaries_in(folder: &Path) -> Result<Binaries, String> {
    let find = |name: &str| {
        let path = folder.join(name);
        path.is_file()
            .then_some(path)
            .ok_or_else(|| format!("{name} ({})", folder.display()))
    };
    Ok(Binaries {
        etcd: find("etcd")?,
        kube_apiserver: find("kube-apiserver")?,
        kubectl: find("kubectl")?,
    })
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// etcd and kube-apiserver with RBAC and static tokens, both killed and their data removed on drop.
pub struct RealCluster {
    binaries: Binaries,
    dir: PathBuf,
    /// Part of every token, so that one cluster's tokens open no other.
    secret: String,
    port: u16,
    apiserver_args: Vec<String>,
    etcd: Option<Child>,
    apiserver: Option<Child>,
    watchdog: Child,
}

impl RealCluster {
    /// Starts a cluster and waits until it is ready and has its `default` namespace.
    pub async fn start() -> Result<Self, String> {
        Self::start_with(&[]).await
    }

    /// Like [`start`](Self::start), with further flags for kube-apiserver, such as
    /// `--etcd-compaction-interval=1s`.
    pub async fn start_with(apiserver_args: &[&str]) -> Result<Self, String> {
        let binaries = binaries()?;
        let dir = new_dir()?;
        let watchdog = Command::new("sh")
            .args([OsStr::new("-c"), OsStr::new(WATCHDOG), dir.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C and a test runner's kill reach the group of the tests; the watchdog has work
            // to do then.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh does not start: {error}"))?;
        let mut cluster = Self {
            binaries,
            dir,
            secret: format!("{:016x}", random("secret")),
            port: 0,
            apiserver_args: apiserver_args.iter().map(ToString::to_string).collect(),
            etcd: None,
            apiserver: None,
            watchdog,
        };
        cluster.write("tokens.csv", &cluster.tokens())?;
        cluster.restart_etcd_process().await?;
        for _ in 0..PORT_ATTEMPTS {
            cluster.port = free_port()?;
            match cluster.restart_apiserver().await {
                Err(reason) if reason.contains("address already in use") => {}
                Err(reason) => return Err(reason),
                Ok(()) => return Ok(cluster),
            }
        }
        Err(format!("found no free port in {PORT_ATTEMPTS} attempts"))
    }

    /// The address of the API server. It stays the same over restarts.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The file with the certificates that the API server's own leads up to.
    pub fn ca(&self) -> PathBuf {
        self.dir.join("certs/apiserver.crt")
    }

    /// A user's bearer token. For a user who is not one of [`USERS`], the API server answers it
    /// with 401.
    pub fn token(&self, user: &str) -> String {
        format!("{user}-{}", self.secret)
    }

    /// Writes a kubeconfig that acts as `user`, its cluster and context named `real-test`, and
    /// gives its path.
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        let name = format!("{user}.kubeconfig");
        let text = format!(
            "apiVersion: v1
kind: Config
clusters:
- name: real-test
  cluster: {{server: '{}', certificate-authority: '{}'}}
users:
- name: {user}
  user: {{token: '{}'}}
contexts:
- name: real-test
  context: {{cluster: real-test, user: {user}}}
current-context: real-test
",
            self.url(),
            self.ca().display(),
            self.token(user),
        );
        self.write(&name, &text)
            .expect("the cluster's folder is writable");
        self.dir.join(name)
    }

    /// Runs kubectl as `user` to its end and gives what it prints; the error is what it prints when
    /// it fails.
    pub async fn kubectl(&self, user: &str, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.binaries.kubectl);
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig(user))
            .arg("--cache-dir")
            .arg(self.dir.join("cache"))
            .args(args)
            .stdin(Stdio::null());
        // A thread of its own leaves the runtime, and its clock if the test drives that, alone.
        tokio::task::spawn_blocking(move || {
            let output = command
                .output()
                .map_err(|error| format!("kubectl does not start: {error}"))?;
            if output.status.success() {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            } else {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        })
        .await
        .map_err(|error| error.to_string())?
    }

    /// Kills kube-apiserver with SIGKILL: connections break off, nothing is said to the clients.
    pub fn kill_apiserver(&mut self) {
        self.kill("kube-apiserver", |cluster| &mut cluster.apiserver);
    }

    /// Starts kube-apiserver again on the same address, killed first if it runs, and waits until it
    /// is ready.
    pub async fn restart_apiserver(&mut self) -> Result<(), String> {
        self.kill_apiserver();
        let dir = self.dir.display();
        let mut args = vec![
            format!("--etcd-servers=unix://{dir}/etcd.sock"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={}", self.port),
            // The API server makes its certificate there, and finds it there when it comes back.
            // Its key also signs service account tokens, so that no other key has to be made.
            format!("--cert-dir={dir}/certs"),
            format!("--service-account-key-file={dir}/certs/apiserver.key"),
            format!("--service-account-signing-key-file={dir}/certs/apiserver.key"),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            format!("--token-auth-file={dir}/tokens.csv"),
            "--authorization-mode=RBAC".into(),
            "--disable-admission-plugins=ServiceAccount".into(),
        ];
        args.extend(self.apiserver_args.iter().cloned());
        let child = self.spawn("kube-apiserver", &self.binaries.kube_apiserver, &args)?;
        self.apiserver = Some(child);
        self.until_ready().await
    }

    /// Kills etcd with SIGKILL. kube-apiserver stays up and answers with errors.
    pub fn kill_etcd(&mut self) {
        self.kill("etcd", |cluster| &mut cluster.etcd);
    }

    /// Starts etcd again with its data, killed first if it runs, and waits until kube-apiserver, if
    /// it runs, is ready.
    pub async fn restart_etcd(&mut self) -> Result<(), String> {
        self.restart_etcd_process().await?;
        if self.apiserver.is_none() {
            return Ok(());
        }
        self.until_ready().await
    }

    async fn restart_etcd_process(&mut self) -> Result<(), String> {
        self.kill_etcd();
        let dir = self.dir.display();
        // Unix sockets leave no port to clash over. etcd also wants addresses to announce, which
        // nobody here dials.
        let args = [
            format!("--data-dir={dir}/etcd"),
            "--unsafe-no-fsync".into(),
            format!("--listen-client-urls=unix://{dir}/etcd.sock"),
            "--advertise-client-urls=http://localhost:2379".into(),
            format!("--listen-peer-urls=unix://{dir}/peer.sock"),
        ];
        let child = self.spawn("etcd", &self.binaries.etcd, &args)?;
        self.etcd = Some(child);
        let deadline = Instant::now() + START_LIMIT;
        while UnixStream::connect(self.dir.join("etcd.sock")).is_err() {
            self.still_starting(deadline)?;
            pause().await;
        }
        Ok(())
    }

    async fn until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_LIMIT;
        // The default namespace comes a moment after the server is ready for the first time.
        for probe in ["/readyz", "/api/v1/namespaces/default"] {
            let args = ["get", "--raw", probe, "--request-timeout=5s"];
            while self.kubectl(ADMIN, &args).await.is_err() {
                self.still_starting(deadline)?;
                pause().await;
            }
        }
        Ok(())
    }

    /// An error once a process has ended or the time is up.
    fn still_starting(&mut self, deadline: Instant) -> Result<(), String> {
        let children = [
            ("etcd", &mut self.etcd),
            ("kube-apiserver", &mut self.apiserver),
        ];
        for (name, child) in children {
            let Some(child) = child else { continue };
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                let log = log_end(&self.dir, name);
                return Err(format!("{name} ended ({status}):\n{log}"));
            }
        }
        if Instant::now() < deadline {
            return Ok(());
        }
        let log = log_end(&self.dir, "kube-apiserver");
        Err(format!(
            "the API server is not ready after {START_LIMIT:?}:\n{log}"
        ))
    }

    /// The static token file: token, user, user id, groups.
    fn tokens(&self) -> String {
        let line = |user: &&str| {
            let group = if *user == ADMIN { "system:masters" } else { "" };
            format!("{},{user},{user},{group}\n", self.token(user))
        };
        USERS.iter().map(line).collect()
    }

    fn spawn(&self, name: &str, program: &Path, args: &[String]) -> Result<Child, String> {
        let failed = |error| format!("{name} does not start: {error}");
        let log = File::create(self.dir.join(name).with_extension("log")).map_err(failed)?;
        let mut child = Command::new(program)
            .args(args)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        self.write(&format!("{name}.pid"), &child.id().to_string())
            .inspect_err(|_| drop(child.kill()))?;
        Ok(child)
    }

    fn kill(&mut self, name: &str, child: impl Fn(&mut Self) -> &mut Option<Child>) {
        let Some(mut child) = child(self).take() else {
            return;
        };
        // The watchdog must not find the id once it may belong to another process, which is after
        // the wait.
        let _ = fs::remove_file(self.dir.join(name).with_extension("pid"));
        let _ = child.kill();
        let _ = child.wait();
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.dir.join(name), text).map_err(|error| format!("{name}: {error}"))
    }
}

impl Drop for RealCluster {
    fn drop(&mut self) {
        self.kill_apiserver();
        self.kill_etcd();
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A new folder with a short path, since the path of a Unix socket has at most about 100 bytes.
fn new_dir() -> Result<PathBuf, String> {
    let dir = env::temp_dir().join(format!("real-test-{:08x}", random("folder") as u32));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(dir)
}

/// A port nobody listens on, below the range that outgoing connections take theirs from: it must
/// still be free when a killed API server comes back to it.
fn free_port() -> Result<u16, String> {
    (0..1000)
        .map(|attempt| 20_000 + (random(attempt) % 10_000) as u16)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| "no port between 20000 and 30000 is free".to_owned())
}

/// A number from the random keys of the standard library's hash maps.
fn random(purpose: impl Hash) -> u64 {
    RandomState::new().hash_one(purpose)
}

/// Waits on a thread of its own: a test's paused clock would skip a sleep of the runtime.
async fn pause() {
    let _ = tokio::task::spawn_blocking(|| thread::sleep(POLL)).await;
}

/// The last lines that a process has logged.
fn log_end(dir: &Path, name: &str) -> String {
    let text = fs::read(dir.join(name).with_extension("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
