//! The configuration: flags, and environment variables of the names that operators know.
//!
//! A bad value stops the start with its name, what it was and what is allowed.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use protocol::scope::is_dns_label;

use crate::cluster::connect::DemoSize;

/// A live dashboard of a Kubernetes cluster's ingresses.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Config {
    /// Address and port to listen on. An address that is not loopback also needs --insecure-no-auth
    #[arg(
        long,
        env = "LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: SocketAddr,

    /// Serve to others than this machine without authentication: everyone who reaches the port
    /// sees what the dashboard's account sees
    #[arg(long, env = "INSECURE_NO_AUTH")]
    pub insecure_no_auth: bool,

    /// Host names, separated by commas, that requests may name besides loopback ones
    #[arg(
        long,
        env = "ALLOWED_HOSTS",
        value_name = "HOST,...",
        value_delimiter = ','
    )]
    pub allowed_hosts: Vec<String>,

    /// Path under which everything is served, as in /ingresses
    #[arg(long, env = "BASE_PATH", value_name = "PATH", default_value = "", value_parser = base_path)]
    pub base_path: String,

    /// Name of the cluster on the page, instead of the kubeconfig's context
    #[arg(long, env = "CLUSTER_NAME", value_name = "NAME")]
    pub cluster_name: Option<String>,

    /// Show a simulated cluster of this many namespaces and ingresses (12x60 if not said)
    #[arg(long, value_name = "NAMESPACESxINGRESSES", num_args = 0..=1, require_equals = true, default_missing_value = "12x60")]
    pub demo: Option<DemoSize>,

    /// One watch for the whole cluster, one per namespace, or whichever the permissions allow
    #[arg(long, env = "WATCH_MODE", value_enum, default_value = "auto")]
    pub watch_mode: WatchMode,

    /// The only namespaces to show, separated by commas; empty for all
    #[arg(long, env = "WATCH_NAMESPACES", value_name = "NAMESPACE,...", default_value = "", value_parser = namespaces)]
    pub watch_namespaces: Namespaces,

    /// Namespaces that one stream may name
    #[arg(long, env = "MAX_NAMESPACES_PER_STREAM", value_name = "COUNT", default_value = "50", value_parser = in_range::<1, 10_000>)]
    pub max_namespaces_per_stream: u64,

    /// Streams at the same time, in all
    #[arg(long, env = "MAX_STREAMS", value_name = "COUNT", default_value = "12000", value_parser = in_range::<1, 1_000_000>)]
    pub max_streams: u64,

    /// Feeds of single namespaces at the same time
    #[arg(long, env = "MAX_WATCHES", value_name = "COUNT", default_value = "500", value_parser = in_range::<1, 100_000>)]
    pub max_watches: u64,

    /// Life of a stream, in milliseconds; each ends after 80 to 100 % of it
    #[arg(long, env = "STREAM_TIMEOUT", value_name = "MILLISECONDS", default_value = "3600000", value_parser = in_range::<1_000, 86_400_000>)]
    pub stream_timeout: u64,

    /// Life of a watch request to the Kubernetes API, in seconds
    #[arg(long, env = "K8S_WATCH_TIMEOUT", value_name = "SECONDS", default_value = "300", value_parser = in_range::<5, 3_600>)]
    pub k8s_watch_timeout: u64,

    /// Seconds between failing readiness and closing the streams at shutdown
    #[arg(long, env = "DRAIN_DELAY", value_name = "SECONDS", default_value = "5", value_parser = in_range::<0, 600>)]
    pub drain_delay: u64,

    /// Seconds over which the streams are closed at shutdown
    #[arg(long, env = "DRAIN_TIME", value_name = "SECONDS", default_value = "20", value_parser = in_range::<0, 600>)]
    pub drain_time: u64,

    /// Annotation keys whose values are masked in YAML, separated by commas; * stands for any text
    #[arg(
        long,
        env = "REDACT_ANNOTATIONS",
        value_name = "KEY,...",
        value_delimiter = ','
    )]
    pub redact_annotations: Vec<String>,

    /// What is logged: error, warn, info, debug, trace, or a tracing-subscriber filter
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: String,

    /// How it is logged
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// How the API server is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WatchMode {
    /// Whichever the permissions allow.
    Auto,
    /// One watch for everything.
    Cluster,
    /// One watch per namespace.
    Namespaced,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Namespaces by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(pub BTreeSet<String>);

/// Settings that do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Open to others without authentication, and not on purpose.
    #[error(
        "LISTEN is {0}, which others can reach, and this dashboard has no authentication: listen on a loopback address (127.0.0.1:3000), or say --insecure-no-auth"
    )]
    Exposed(SocketAddr),
}

impl Config {
    /// Checks what single values cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.is_local() && !self.insecure_no_auth {
            return Err(ConfigError::Exposed(self.listen));
        }
        Ok(())
    }

    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(self.listen.ip())
    }

    /// `STREAM_TIMEOUT`
    #[must_use]
    pub fn stream_timeout(&self) -> Duration {
        Duration::from_millis(self.stream_timeout)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn in_range<const LOW: u64, const HIGH: u64>(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| (LOW..=HIGH).contains(number))
        .ok_or_else(|| format!("allowed is a whole number from {LOW} to {HIGH}"))
}

fn base_path(text: &str) -> Result<String, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segments = || path.split('/').skip(1);
    let valid = path.is_empty()
        || path.starts_with('/')
            && segments().all(|segment| {
                !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain)
            });
    match valid {
        true => Ok(path.to_owned()),
        false => Err("allowed is a path that starts with / and has only letters, digits, - . _ ~ between slashes".into()),
    }
}

fn namespaces(text: &str) -> Result<Namespaces, String> {
    let names: BTreeSet<String> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match names.iter().find(|name| !is_dns_label(name)) {
        None => Ok(Namespaces(names)),
        Some(name) => Err(format!(
            "{name:?} is not a namespace name; allowed are names of 1 to 63 lower-case letters, digits and '-', separated by commas"
        )),
    }
}

fn log_level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("allowed are error, warn, info, debug, trace, or a filter such as info,kube_ingress_dash=debug".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, String> {
        let arguments = std::iter::once("kube-ingress-dash").chain(arguments.iter().copied());
        Config::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bad_value_names_itself_and_what_is_allowed() {
        for (argument, allowed) in [
            ("--listen=nowhere", "nowhere"),
            ("--max-namespaces-per-stream=0", "from 1 to"),
            ("--stream-timeout=soon", "from 1000 to"),
            ("--k8s-watch-timeout=1", "from 5 to"),
            ("--watch-mode=all", "namespaced"),
            ("--watch-namespaces=a,B", "\"B\""),
            ("--base-path=x", "starts with /"),
            ("--base-path=/a//b", "starts with /"),
            ("--demo=many", "NAMESPACESxINGRESSES"),
            ("--log-level=loud=very", "debug"),
        ] {
            let error = parse(&[argument]).unwrap_err();
            let (name, value) = argument.split_once('=').unwrap();
            assert!(
                error.contains(allowed) && error.contains(name) && error.contains(value),
                "{error}"
            );
        }
    }

    #[test]
    fn listening_to_others_needs_a_word() {
        assert!(parse(&["--listen=0.0.0.0:80"]).unwrap().check().is_err());
        assert!(
            parse(&["--listen=0.0.0.0:80", "--insecure-no-auth"])
                .unwrap()
                .check()
                .is_ok()
        );
        for local in [
            "127.0.0.1:0",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(
                parse(&["--listen", local]).unwrap().check().is_ok(),
                "{local}"
            );
        }
    }

    #[test]
    fn a_base_path_loses_its_last_slash() {
        assert_eq!(parse(&["--base-path=/a/b/"]).unwrap().base_path, "/a/b");
        assert_eq!(parse(&["--base-path=/"]).unwrap().base_path, "");
    }
}
