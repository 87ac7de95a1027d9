//! The binary from outside: settings, kubeconfigs, signals.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use protocol::message::DoneReason;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use testkit::dash::{Dash, Folder, LIMIT, POLL, Process, binary};
use testkit::upstream::Upstream;

/// Runs the binary, which must refuse to start, and gives its words.
async fn refused(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut all = vec![("LISTEN", "127.0.0.1:0")];
    all.extend(environment);
    let (code, log) = Process::start(&all, arguments).end().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(
        !log.contains("listening") && !log.contains("simulated"),
        "never a silent demo: {log}"
    );
    log
}

#[tokio::test]
async fn a_bad_setting_is_named_with_its_value_and_what_is_allowed() {
    for (name, value, allowed) in [
        ("LISTEN", "nowhere", "127.0.0.1:3000"),
        (
            "ALLOWED_HOSTS",
            "https://dash.example.com/",
            "without scheme",
        ),
        ("REDACT_ANNOTATIONS", "a key", "annotation keys"),
        ("BASE_PATH", "relative", "starts with /"),
        ("BASE_PATH", "/readyz", "any other path"),
        ("BASE_PATH", "/a/../b", "starts with /"),
        ("MAX_NAMESPACES_PER_STREAM", "0", "from 1 to"),
        ("MAX_STREAMS", "-1", "from 1 to"),
        ("MAX_STREAMS_PER_CLIENT", "-1", "from 0 to"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "networks"),
        ("MAX_REPLAYS", "0", "from 1 to"),
        ("MAX_WATCHES", "lots", "from 1 to"),
        ("STREAM_TIMEOUT", "5s", "from 1000 to"),
        ("K8S_WATCH_TIMEOUT", "1", "from 5 to"),
        ("RECONNECT_INTERVAL", "1s", "from 100 to"),
        ("RECONNECT_BACKOFF", "11", "from 1 to 10"),
        ("MAX_RECONNECT_DELAY", "0", "from 100 to"),
        ("MAX_RECONNECT_ATTEMPTS", "-1", "from 1 to"),
        ("DRAIN_DELAY", "601", "from 0 to 600"),
        ("DRAIN_TIME", "x", "from 0 to 600"),
        ("WATCH_MODE", "sometimes", "namespaced"),
        ("WATCH_NAMESPACES", "ok,Not_Ok", "lower-case"),
        ("LOG_LEVEL", "loud", "debug"),
        ("LOG_FORMAT", "xml", "json"),
    ] {
        let words = refused(&[(name, value)], &[]).await;
        let flag = format!("--{}", name.to_ascii_lowercase().replace('_', "-"));
        assert!(
            words.contains(name),
            "{name}, where the value was set, is not named: {words}"
        );
        let by_flag = refused(&[], &[&format!("{flag}={value}")]).await;
        assert!(
            by_flag.contains(&flag) && !by_flag.contains(&format!("variable {name}")),
            "{by_flag}"
        );
        assert!(
            words.contains(value) && words.contains(allowed),
            "{name}: {words}"
        );
    }
    let words = refused(&[], &["--demo=many"]).await;
    assert!(
        words.contains("--demo") && words.contains("many") && words.contains("3200x10500"),
        "{words}"
    );
    assert!(
        refused(&[], &["--no-such-flag"])
            .await
            .contains("--no-such-flag")
    );
}

#[tokio::test]
async fn an_empty_variable_is_one_that_is_not_set() {
    let names = [
        "LISTEN",
        "INSECURE_NO_AUTH",
        "ALLOWED_HOSTS",
        "BASE_PATH",
        "CLUSTER_NAME",
        "WATCH_MODE",
        "WATCH_NAMESPACES",
        "MAX_STREAMS",
        "TRUSTED_PROXIES",
        "STREAM_TIMEOUT",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "KUBECONFIG",
    ];
    let empty: Vec<_> = names.iter().map(|name| (*name, "")).collect();
    let dash = Dash::start(&empty, &["--listen=127.0.0.1:0"]).await;
    let health = dash.get("/api/health").await.ok();
    assert_eq!(health["cluster"]["name"], "simulated");
}

#[tokio::test]
async fn listening_to_others_without_authentication_needs_a_word() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let words = refused(&[("LISTEN", address)], &["--demo"]).await;
        assert!(
            words.contains(address) && words.contains("--insecure-no-auth"),
            "{words}"
        );
    }
    let dash = Dash::start(
        &[("LISTEN", "0.0.0.0:0")],
        &["--demo", "--insecure-no-auth"],
    )
    .await;
    assert_eq!(
        dash.ask(http::Method::GET, "/livez", &[("host", "dash.example.com")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_said() {
    let folder = Folder::default();
    let broken = folder.write("broken", "clusters: [{name: a, cluster: {server: 'https");
    let no_context = folder.write(
        "no-context",
        "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n",
    );
    let foreign = folder.write("foreign", "apiVersion: v1\nkind: Config\ncurrent-context: gone\nclusters: []\nusers: []\ncontexts: []\n");
    let empty = folder.write("empty", "");
    let missing = no_context.with_file_name("missing");
    for (path, words) in [
        (&missing, "missing"),
        (&broken, "broken"),
        (&no_context, "current-context"),
        (&foreign, "gone"),
        (&empty, "current-context"),
    ] {
        let path = path.to_str().unwrap();
        let log = refused(&[("KUBECONFIG", path)], &[]).await;
        assert!(
            log.contains(path) && log.contains("kubeconfig") && log.contains(words),
            "{log}"
        );
        // A pod's variables are no way around what was asked for.
        let pod = [
            ("KUBECONFIG", path),
            ("KUBERNETES_SERVICE_HOST", "127.0.0.1"),
            ("KUBERNETES_SERVICE_PORT", "1"),
        ];
        assert!(refused(&pod, &[]).await.contains(path));
    }
    let pod = [
        ("KUBERNETES_SERVICE_HOST", "127.0.0.1"),
        ("KUBERNETES_SERVICE_PORT", "1"),
    ];
    assert!(refused(&pod, &[]).await.contains("service account"));
}

/// A kubeconfig with this server and this user.
fn kubeconfig(server: &str, user: serde_json::Value) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "users": [{"name": "a", "user": user}],
    })
    .to_string()
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_a_kubeconfig_that_cannot_be_used() {
    let home = Folder::default();
    let marker = home.write("marker", "");
    let folder = marker.with_file_name(".kube");
    std::fs::create_dir(&folder).unwrap();
    let link = folder.join("config");
    std::os::unix::fs::symlink("/missing/kubeconfig", &link).unwrap();
    let home = marker.parent().unwrap().to_str().unwrap();
    for environment in [("HOME", home), ("KUBECONFIG", link.to_str().unwrap())] {
        let log = refused(&[environment], &[]).await;
        assert!(
            log.contains(link.to_str().unwrap()) && log.contains("No such file"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn a_server_or_a_token_that_cannot_be_used_is_said() {
    let folder = Folder::default();
    let token = serde_json::json!({"token": "SECRET\n"});
    let file = folder.write("token", "SECRET\n");
    let token_file = serde_json::json!({"tokenFile": file});
    let nobody = serde_json::json!({});
    for (server, user, words) in [
        (
            "127.0.0.1:6443",
            &nobody,
            "allowed are those that start with https://",
        ),
        ("ftp://127.0.0.1:6443", &nobody, "ftp://127.0.0.1:6443"),
        ("user:SECRET@127.0.0.1:6443", &nobody, "URL"),
        ("https://127.0.0.1:1", &token, "no header can carry"),
        ("https://127.0.0.1:1", &token_file, "no header can carry"),
    ] {
        let path = folder.write("config", &kubeconfig(server, user.clone()));
        let path = path.to_str().unwrap();
        let log = refused(&[("KUBECONFIG", path)], &[]).await;
        assert!(log.contains(path) && log.contains(words), "{log}");
        assert!(
            !log.contains("SECRET") && !log.contains("panicked"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn a_proxy_is_refused_by_the_name_of_where_it_was_found() {
    let folder = Folder::default();
    let nobody = serde_json::json!({});
    // An address for documentation: nobody answers there.
    let far = kubeconfig("https://user:SECRET@192.0.2.1:6443", nobody.clone());
    let far = folder.write("far", &far);
    let mut own: serde_json::Value =
        serde_json::from_str(&kubeconfig("https://127.0.0.1:1", nobody.clone())).unwrap();
    own["clusters"][0]["cluster"]["proxy-url"] = "http://user:SECRET@proxy:3128".into();
    let own = folder.write("own", &own.to_string());
    let (far, own) = (far.to_str().unwrap(), own.to_str().unwrap());
    let proxy = |name| (name, "http://user:SECRET@127.0.0.1:2");
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let elsewhere = ("NO_PROXY", "127.0.0.1,10.0.0.0/8");
        let log = refused(&[("KUBECONFIG", far), proxy(name), elsewhere], &[]).await;
        assert!(
            log.contains(name)
                && log.contains("https://192.0.2.1:6443")
                && log.contains("NO_PROXY"),
            "{log}"
        );
        assert!(!log.contains("SECRET") && !log.contains(far), "{log}");
    }
    let log = refused(&[("KUBECONFIG", own), ("NO_PROXY", "*")], &[]).await;
    assert!(log.contains(own) && log.contains("proxy-url"), "{log}");
    assert!(
        !log.contains("SECRET") && !log.contains("HTTPS_PROXY"),
        "{log}"
    );

    // What is reached directly is.
    let direct = [
        ("KUBECONFIG", far),
        proxy("HTTPS_PROXY"),
        ("NO_PROXY", "192.0.2.0/24"),
    ];
    Dash::start(&direct, &[]).await;
    let up = Upstream::simulator().await;
    let near = up.kubeconfig("viewer");
    let local = [
        ("KUBECONFIG", near.as_str()),
        proxy("HTTPS_PROXY"),
        proxy("HTTP_PROXY"),
    ];
    let dash = Dash::start(&local, &[]).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
}

#[tokio::test]
async fn a_password_in_the_servers_address_is_never_shown() {
    let mut up = Upstream::simulator().await;
    let folder = Folder::default();
    let server = up.url().replace("http://", "http://user:SECRET@");
    let path = folder.write("config", &kubeconfig(&server, serde_json::json!({})));
    let environment = [
        ("KUBECONFIG", path.to_str().unwrap()),
        ("LOG_LEVEL", "trace"),
    ];
    let mut dash = Dash::start(&environment, &[]).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    let health = dash.get("/api/health").await.ok();
    assert_eq!(health["cluster"]["url"], up.url());
    let page = dash.get("/").await.text();
    up.gate.close();
    dash.get_until("/api/health", |answer| {
        answer.json()["status"] == "retrying"
    })
    .await;
    let said = dash.get("/api/health").await.text() + &page + &dash.process.log();
    assert!(!said.contains("SECRET"), "{said}");
    dash.process.signal("KILL");
    dash.process.end().await;
}

/// The command lines of the processes that are running.
fn processes() -> Vec<String> {
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("cmdline")).ok())
        .collect()
}

/// Waits until no process has this command line: one that is killed is not gone at once.
async fn are_gone(line: &str) {
    let gone = async {
        while processes().iter().any(|running| running == line) {
            tokio::time::sleep(POLL).await;
        }
    };
    let gone = timeout(LIMIT, gone).await;
    assert!(gone.is_ok(), "{line:?} is still running");
}

#[tokio::test]
async fn a_credential_plugin_that_hangs_is_said_and_ends_with_the_server() {
    let up = Upstream::simulator().await;
    let folder = Folder::default();
    let marker = folder.write("ran", "");
    for (hangs_at_first, seconds) in [(true, 86_401), (false, 86_402)] {
        // One that gives a credential at first: it is over at once.
        let credential =
            r#"{"status": {"token": "SECRET", "expirationTimestamp": "2001-01-01T00:00:00Z"}}"#;
        let first = match hangs_at_first {
            true => String::new(),
            false => format!(
                "rm {} 2>/dev/null && echo '{credential}' && exit;",
                marker.display()
            ),
        };
        // A wrapper, as many plugins are: the program that hangs is the shell's child.
        let script = format!("{first} sleep {seconds}; true");
        let user = serde_json::json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        }});
        let path = folder.write("config", &kubeconfig(&up.url(), user));
        let environment = [
            ("KUBECONFIG", path.to_str().unwrap()),
            ("PATH", "/usr/bin:/bin"),
            ("DRAIN_DELAY", "0"),
            ("DRAIN_TIME", "0"),
        ];
        let mut dash = Dash::start(&environment, &[]).await;
        assert_eq!(dash.get("/livez").await.status, 200);
        let hanging = format!("sleep\0{seconds}\0");
        let count = || processes().iter().filter(|line| **line == hanging).count();
        let told = |answer: &testkit::dash::Answer| {
            assert!(count() <= 1, "one at a time");
            answer
                .text()
                .contains("the credential plugin sh did not end within 20 s")
        };
        dash.get_until("/api/health", told).await;
        assert!(
            dash.get("/")
                .await
                .text()
                .contains("the credential plugin sh did not end")
        );
        // The next one is running, or will be.
        dash.process.signal("TERM");
        let (code, log) = dash.process.end().await;
        assert_eq!(code, Some(0), "{log}");
        are_gone(&hanging).await;
        assert!(!log.contains("SECRET"), "{log}");
    }
}

#[tokio::test]
async fn what_a_credential_plugin_leaves_behind_holds_nothing_up_and_ends_with_it() {
    let up = Upstream::simulator().await;
    let folder = Folder::default();
    // The child that is left holds the plugin's output open.
    let script = r#"sleep 86403 & echo '{"status": {"token": "SECRET"}}'"#;
    let user = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
    }});
    let path = folder.write("config", &kubeconfig(&up.url(), user));
    let environment = [
        ("KUBECONFIG", path.to_str().unwrap()),
        ("PATH", "/usr/bin:/bin"),
    ];
    let dash = Dash::start(&environment, &[]).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    are_gone("sleep\086403\0").await;
    assert!(!dash.process.log().contains("did not end"));
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_read_gives_nothing_of_itself_away() {
    let folder = Folder::default();
    let users = "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n";
    let torn = folder.write(
        "torn",
        &format!("{users}    token: SECRET-TOKEN\n   client-key-data: SECRET-KEY\n"),
    );
    let typed = folder.write(
        "typed",
        &format!("{users}    token: [SECRET-TOKEN, SECRET-KEY]\n"),
    );
    let whole = folder.write("whole", "SECRET-TOKEN SECRET-KEY\n");
    for (path, place) in [(torn, "line 7"), (typed, "line 6"), (whole, "line 1")] {
        let path = path.to_str().unwrap();
        let log = refused(&[("KUBECONFIG", path)], &[]).await;
        assert!(
            log.contains(path) && log.contains(place) && !log.contains("SECRET"),
            "{log}"
        );
        assert_eq!(log.trim().lines().count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_credential_plugin_that_fails_is_named_without_what_it_printed() {
    let folder = Folder::default();
    for (script, words) in [
        (
            "echo SECRET; echo session expired >&2; exit 3",
            "exit status: 3",
        ),
        ("echo '{status: {token: [SECRET'", "no ExecCredential"),
    ] {
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "a", "user": {"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
                "args": ["-c", script], "env": [{"name": "KEY", "value": "SECRET"}],
            }}}],
        });
        let path = folder.write("config", &config.to_string());
        let log = refused(&[("KUBECONFIG", path.to_str().unwrap())], &[]).await;
        assert!(
            log.contains("the credential plugin sh")
                && log.contains(words)
                && !log.contains("SECRET"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn of_several_kubeconfigs_those_that_are_missing_are_passed_over() {
    let up = Upstream::simulator().await;
    let there = up.kubeconfig("viewer");
    let dash = Dash::start(&[("KUBECONFIG", &format!("/missing:{there}::/gone"))], &[]).await;
    let health = dash.get("/api/health").await.ok();
    assert_eq!(health["cluster"]["url"], up.url());
    let log = refused(&[("KUBECONFIG", "/missing:/gone")], &[]).await;
    assert!(log.contains("/missing") && log.contains("/gone"), "{log}");
}

#[tokio::test]
async fn without_any_configuration_the_cluster_is_simulated_and_says_so() {
    let dash = Dash::start(&[], &[]).await;
    let log = dash.process.log();
    assert!(
        log.contains("simulated cluster (no kubeconfig and no service account found)"),
        "{log}"
    );
    let mut client = dash.stream("").await;
    assert!(!client.synced().await.table.is_empty());
    let health = dash.get("/api/health").await.ok();
    assert_eq!(
        (&health["cluster"]["simulated"], &health["ready"]),
        (&true.into(), &true.into()),
        "{health}"
    );
    assert_eq!(health["status"], "live");
}

#[tokio::test]
async fn a_demo_has_the_size_that_was_asked_for() {
    // It is a demo also where there is a kubeconfig.
    let dash = Dash::start(&[("KUBECONFIG", "/missing")], &["--demo=3x5"]).await;
    assert!(dash.process.log().contains("asked for with --demo"));
    let namespaces = dash
        .get_until("/api/namespaces", |answer| {
            answer.json()["complete"] == true
        })
        .await
        .ok();
    assert_eq!(namespaces["items"].as_array().unwrap().len(), 3);
    let mut client = dash.stream("").await;
    let count = client.synced().await.synced.as_ref().unwrap().count;
    // Churn may have come first.
    assert!((3..=7).contains(&count), "{count}");
}

#[tokio::test]
async fn the_cluster_is_called_by_its_context_or_as_said() {
    let up = Upstream::simulator().await;
    let health = up.dash().await.get("/api/health").await.ok();
    assert_eq!(
        (&health["cluster"]["name"], &health["cluster"]["url"]),
        (&"simulated".into(), &up.url().into())
    );
    assert_eq!(
        health["cluster"]["simulated"], false,
        "over a port it is a cluster like any other"
    );
    let named = up.dash_with(&[("CLUSTER_NAME", "production")]).await;
    assert_eq!(
        named.get("/api/health").await.ok()["cluster"]["name"],
        "production"
    );
}

#[tokio::test]
async fn the_page_is_told_how_to_reconnect() {
    let settings = [
        ("RECONNECT_INTERVAL", "5000"),
        ("RECONNECT_BACKOFF", "1.5"),
        ("MAX_RECONNECT_DELAY", "60000"),
        ("MAX_RECONNECT_ATTEMPTS", "3"),
    ];
    for (settings, told) in [
        (
            settings.as_slice(),
            r#"{"intervalMs":5000,"backoff":1.5,"maxDelayMs":60000,"maxAttempts":3}"#,
        ),
        (
            &[],
            r#"{"intervalMs":1000,"backoff":2.0,"maxDelayMs":30000,"maxAttempts":10}"#,
        ),
    ] {
        let dash = Dash::start(settings, &["--demo"]).await;
        let page = dash.get("/").await.text();
        assert!(page.contains(&format!(r#""reconnect":{told}"#)), "{page}");
    }
}

#[tokio::test]
async fn the_log_can_be_json() {
    let dash = Dash::start(&[("LOG_FORMAT", "json")], &["--demo"]).await;
    let log = dash.process.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    assert!(
        lines.iter().any(|line| line["cluster.name"] == "simulated"),
        "{log}"
    );
}

#[tokio::test]
async fn a_termination_drains_and_ends_well() {
    let environment = [("DRAIN_DELAY", "2"), ("DRAIN_TIME", "1")];
    let mut dash = Dash::start(&environment, &["--demo"]).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut client = dash.stream("").await;
        client.synced().await;
        streams.push(client);
    }
    assert_eq!(dash.get("/readyz").await.status, 200);
    dash.process.signal("TERM");
    let refusal = dash
        .get_until("/readyz", |answer| answer.status == 503)
        .await;
    assert!(refusal.refused(503).contains("shutting down"));
    assert_eq!(dash.get("/livez").await.status, 200, "it still answers");
    for client in streams {
        let state = client.end().await;
        assert_eq!(state.done, Some(DoneReason::Draining));
    }
    let (code, log) = dash.process.end().await;
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn while_streams_drain_everything_else_is_served() {
    let environment = [("DRAIN_DELAY", "0"), ("DRAIN_TIME", "600")];
    let mut dash = Dash::start(&environment, &["--demo"]).await;
    // So many that the moment of the last one is minutes away.
    let mut streams = Vec::new();
    for _ in 0..40 {
        let mut stream = dash.stream("").await;
        stream.synced().await;
        streams.push(stream);
    }
    dash.process.signal("TERM");
    dash.process.logs("closing streams").await;
    for path in ["/", "/livez", "/api/ingresses", "/api/health", "/metrics"] {
        let answer = dash.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("connection"), "close", "{path}");
    }
    for path in ["/readyz", "/api/ingresses/stream"] {
        let refusal = dash.get(path).await;
        assert!(refusal.refused(503).contains("shutting down"), "{path}");
        assert!(refusal.header("retry-after").parse::<u64>().is_ok());
    }
    // Nothing is waited for that is no stream.
    let _silent = TcpStream::connect(dash.address).await.unwrap();
    drop(streams);
    let (code, log) = dash.process.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("left at the end"), "{log}");
}

#[tokio::test]
async fn an_interrupt_is_a_termination_too() {
    let mut dash = Dash::start(&[("DRAIN_DELAY", "0"), ("DRAIN_TIME", "1")], &["--demo"]).await;
    dash.process.signal("INT");
    assert_eq!(dash.process.end().await.0, Some(0));
}

#[tokio::test]
async fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let mut child = Command::new(binary())
        .env_clear()
        .envs([
            ("LISTEN", "127.0.0.1:0"),
            ("DRAIN_DELAY", "0"),
            ("DRAIN_TIME", "0"),
        ])
        .arg("--demo")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    // The reader, and with it the pipe, is gone after this line.
    let listens = log
        .lines()
        .any(|line| line.unwrap().contains("listening on"));
    assert!(listens);
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
    assert!(sent.unwrap().success());
    let end = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = timeout(LIMIT, end)
        .await
        .expect("the process ends")
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_log_that_is_not_read_holds_nobody_up() {
    let mut child = Command::new(binary())
        .env_clear()
        .envs([("LISTEN", "127.0.0.1:0"), ("LOG_LEVEL", "debug")])
        .arg("--demo=2x4")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it listens");
        if let Some((_, address)) = line.split_once("listening on http://") {
            break address.trim().trim_end_matches('/').to_owned();
        }
    };
    // From here on nothing is read. Each stream is a line, and a pipe holds some hundreds.
    for _ in 0..1_500 {
        let opened = async {
            let mut socket = TcpStream::connect(&address).await.unwrap();
            let request = "GET /api/ingresses/stream HTTP/1.1\r\nhost: localhost\r\n\r\n";
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            socket.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
        };
        timeout(LIMIT, opened).await.expect("a stream opens");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn standard_error_on_a_full_disk_ends_nothing() {
    let start = |environment: &[(&str, &str)], arguments: &[&str]| {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        Command::new(binary())
            .env_clear()
            .envs(environment.iter().copied())
            .args(arguments)
            .stderr(full)
            .spawn()
            .unwrap()
    };
    for arguments in [&["--listen=0.0.0.0:0"][..], &["--listen=nowhere"]] {
        let mut refused = start(&[], arguments);
        assert_eq!(refused.wait().unwrap().code(), Some(1), "{arguments:?}");
    }
    // It cannot say where it listens. No other test takes a port from this range by itself.
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (20_000..30_000).find(free).unwrap();
    let listen = format!("127.0.0.1:{port}");
    let environment = [
        ("LISTEN", listen.as_str()),
        ("LOG_LEVEL", "debug"),
        ("DRAIN_DELAY", "0"),
        ("DRAIN_TIME", "0"),
    ];
    let mut child = start(&environment, &["--demo=2x4"]);
    let answered = async {
        loop {
            if let Ok(mut socket) = TcpStream::connect(&listen).await {
                let request = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                socket.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                socket.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    timeout(LIMIT, answered).await.expect("it answers");
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
    assert!(sent.unwrap().success());
    let end = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = timeout(LIMIT, end).await.expect("it ends").unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut dash = Dash::start(&[("DRAIN_DELAY", "600")], &["--demo"]).await;
    let mut client = dash.stream("").await;
    client.synced().await;
    dash.process.signal("TERM");
    dash.get_until("/readyz", |answer| answer.status == 503)
        .await;
    dash.process.signal("TERM");
    let (code, log) = dash.process.end().await;
    assert!(
        code == Some(128 + 15) && log.contains("second signal"),
        "{code:?}: {log}"
    );
    assert!(client.end().await.done.is_none());
}

#[tokio::test]
async fn everything_is_under_the_base_path() {
    for base in ["/ingresses", "/a/b/"] {
        let dash = Dash::start(&[("BASE_PATH", base)], &["--demo"]).await;
        let base = base.trim_end_matches('/');
        for path in [
            "",
            "/",
            "/api/ingresses",
            "/api/namespaces",
            "/api/health",
            "/livez",
            "/readyz",
            "/metrics",
        ] {
            let answer = dash
                .get_until(&format!("{base}{path}"), |answer| answer.status != 503)
                .await;
            assert_eq!(answer.status, 200, "{base}{path}");
        }
        let page = dash.get(&format!("{base}/")).await.text();
        assert!(page.contains(&format!("{base}/")), "links lead there");
        let stream = dash.request(
            http::Method::GET,
            &format!("{base}/api/ingresses/stream"),
            &[],
        );
        assert_eq!(dash.send(stream).await.status(), 200);
        // Probes need not know it.
        for probe in ["/livez", "/readyz"] {
            assert_eq!(dash.get(probe).await.status, 200);
        }
        for outside in ["/", "/api/ingresses", "/api/health", "/metrics"] {
            assert_eq!(dash.get(outside).await.status, 404, "{outside}");
        }
        let cross = [("sec-fetch-site", "cross-site")];
        dash.ask(http::Method::GET, &format!("{base}/api/ingresses"), &cross)
            .await
            .refused(403);
    }
}
