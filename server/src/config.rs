//! The configuration: flags, and environment variables of the names that operators know.
//!
//! A bad value stops the start with its name, what it was and what is allowed.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use ipnet::IpNet;
use protocol::connection::Reconnect;
use protocol::scope::is_dns_label;

use crate::cluster::connect::DemoSize;

/// The headings of `--help`.
mod heading {
    pub(super) const ACCESS: &str = "Address and access";
    pub(super) const CLUSTER: &str = "Cluster";
    pub(super) const STREAMS: &str = "Streams";
    pub(super) const PAGE: &str = "Reconnecting of the page";
    pub(super) const SHUTDOWN: &str = "Shutdown";
    pub(super) const LOG: &str = "Log";
}

const EXAMPLE: &str = "\
Example:
  kube-ingress-dash --listen=127.0.0.1:8080 --watch-namespaces=shop,docs

The cluster is that of KUBECONFIG, else of ~/.kube/config, else of the pod's service account, else a simulated one.

The page is at http://127.0.0.1:3000/ if nothing else is said. The section \"Endpoints\" of README.md has the \
address of the stream, the JSON documents, the probes and the metrics; the section \"Configuration\" has the \
allowed values.";

/// A live dashboard of a Kubernetes cluster's ingresses.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100, next_line_help = true, after_help = EXAMPLE)]
pub struct Config {
    /// Address and port to listen on. An address that is not loopback also needs --insecure-no-auth
    #[arg(
        help_heading = heading::ACCESS,
        long,
        env = "LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:3000",
        value_parser = listen_address
    )]
    pub listen: SocketAddr,

    /// Serve to others than this machine without authentication: everyone who reaches the port
    /// sees what the dashboard's account sees
    #[arg(
        help_heading = heading::ACCESS,
        long,
        env = "INSECURE_NO_AUTH",
        value_name = "true|false",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true"
    )]
    pub insecure_no_auth: bool,

    /// Host names, separated by commas, that requests may name besides loopback ones
    #[arg(help_heading = heading::ACCESS, long, env = "ALLOWED_HOSTS", value_name = "HOST,...", default_value = "", value_parser = hosts)]
    pub allowed_hosts: Names,

    /// Path under which everything is served, as in /ingresses
    #[arg(help_heading = heading::ACCESS, long, env = "BASE_PATH", value_name = "PATH", default_value = "", value_parser = base_path)]
    pub base_path: String,

    /// Proxies whose X-Forwarded-For is believed, separated by commas: addresses and networks, as
    /// in 10.0.0.0/8
    #[arg(help_heading = heading::ACCESS, long, env = "TRUSTED_PROXIES", value_name = "NETWORK,...", default_value = "", value_parser = networks)]
    pub trusted_proxies: Networks,

    /// Annotation keys whose values are masked in the YAML and JSON of an ingress, separated by
    /// commas, in any case; * stands for any text
    #[arg(help_heading = heading::ACCESS, long, env = "REDACT_ANNOTATIONS", value_name = "KEY,...", default_value = "", value_parser = annotation_keys)]
    pub redact_annotations: Names,

    /// Name of the cluster on the page, instead of the kubeconfig's context
    #[arg(help_heading = heading::CLUSTER, long, env = "CLUSTER_NAME", value_name = "NAME")]
    pub cluster_name: Option<String>,

    /// Show a simulated cluster of this many namespaces and ingresses (12x60 if not said)
    #[arg(help_heading = heading::CLUSTER, long, value_name = "NAMESPACESxINGRESSES", num_args = 0..=1, require_equals = true, default_missing_value = "12x60")]
    pub demo: Option<DemoSize>,

    /// One watch for the whole cluster, one per namespace, or whichever the permissions allow
    #[arg(help_heading = heading::CLUSTER, long, env = "WATCH_MODE", value_enum, default_value = "auto")]
    pub watch_mode: WatchMode,

    /// The only namespaces to show, separated by commas; empty for all
    #[arg(help_heading = heading::CLUSTER, long, env = "WATCH_NAMESPACES", value_name = "NAMESPACE,...", default_value = "", value_parser = namespaces)]
    pub watch_namespaces: Names,

    /// Feeds of single namespaces at the same time
    #[arg(help_heading = heading::CLUSTER, long, env = "MAX_WATCHES", value_name = "COUNT", default_value = "500", value_parser = in_range::<1, 100_000>)]
    pub max_watches: u64,

    /// Life of a watch request to the Kubernetes API, in seconds
    #[arg(help_heading = heading::CLUSTER, long, env = "K8S_WATCH_TIMEOUT", value_name = "SECONDS", default_value = "300", value_parser = in_range::<5, 3_600>)]
    pub k8s_watch_timeout: u64,

    /// Namespaces that one stream may name
    #[arg(help_heading = heading::STREAMS, long, env = "MAX_NAMESPACES_PER_STREAM", value_name = "COUNT", default_value = "50", value_parser = in_range::<1, 10_000>)]
    pub max_namespaces_per_stream: u64,

    /// Streams at the same time, in all
    #[arg(help_heading = heading::STREAMS, long, env = "MAX_STREAMS", value_name = "COUNT", default_value = "12000", value_parser = in_range::<1, 1_000_000>)]
    pub max_streams: u64,

    /// Streams at the same time of one client address (an IPv6 network of /64); 0 for no limit
    #[arg(help_heading = heading::STREAMS, long, env = "MAX_STREAMS_PER_CLIENT", value_name = "COUNT", default_value = "1000", value_parser = in_range::<0, 1_000_000>)]
    pub max_streams_per_client: u64,

    /// Full replays at the same time; further streams wait with heartbeats
    #[arg(help_heading = heading::STREAMS, long, env = "MAX_REPLAYS", value_name = "COUNT", default_value = "64", value_parser = in_range::<1, 100_000>)]
    pub max_replays: u64,

    /// Life of a stream, in milliseconds; each ends after 80 to 100 % of it
    #[arg(help_heading = heading::STREAMS, long, env = "STREAM_TIMEOUT", value_name = "MILLISECONDS", default_value = "3600000", value_parser = in_range::<1_000, 86_400_000>)]
    pub stream_timeout: u64,

    /// Delay before the page's first attempt to reconnect, in milliseconds
    #[arg(help_heading = heading::PAGE, long, env = "RECONNECT_INTERVAL", value_name = "MILLISECONDS", default_value = "1000", value_parser = in_range::<100, 3_600_000>)]
    pub reconnect_interval: u64,

    /// What each further delay is multiplied with
    #[arg(help_heading = heading::PAGE, long, env = "RECONNECT_BACKOFF", value_name = "FACTOR", default_value = "2", value_parser = backoff)]
    pub reconnect_backoff: f64,

    /// Longest delay between two attempts, in milliseconds
    #[arg(help_heading = heading::PAGE, long, env = "MAX_RECONNECT_DELAY", value_name = "MILLISECONDS", default_value = "30000", value_parser = in_range::<100, 3_600_000>)]
    pub max_reconnect_delay: u64,

    /// Attempts after which the page says that it is offline, and tries once a minute
    #[arg(help_heading = heading::PAGE, long, env = "MAX_RECONNECT_ATTEMPTS", value_name = "COUNT", default_value = "10", value_parser = in_range::<1, 1_000>)]
    pub max_reconnect_attempts: u64,

    /// Seconds between failing readiness and closing the streams at shutdown
    #[arg(help_heading = heading::SHUTDOWN, long, env = "DRAIN_DELAY", value_name = "SECONDS", default_value = "5", value_parser = in_range::<0, 600>)]
    pub drain_delay: u64,

    /// Seconds over which the streams are closed at shutdown; everything else is served until the
    /// last one
    #[arg(help_heading = heading::SHUTDOWN, long, env = "DRAIN_TIME", value_name = "SECONDS", default_value = "20", value_parser = in_range::<0, 600>)]
    pub drain_time: u64,

    /// What is logged: error, warn, info, debug, trace or off; also by module, as in
    /// info,kube_ingress_dash::cluster=debug
    #[arg(help_heading = heading::LOG, long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: String,

    /// How it is logged
    #[arg(help_heading = heading::LOG, long, env = "LOG_FORMAT", value_enum, default_value = "text")]
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

/// Names that were given separated by commas. Empty ones between the commas are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub BTreeSet<String>);

/// Networks that were given separated by commas; an address is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

impl Networks {
    /// Whether one of them has this address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Settings that do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Open to others without authentication, and not on purpose.
    #[error(
        "LISTEN is {0}, which others can reach, and this dashboard has no authentication: listen on a loopback address (127.0.0.1:3000), or say --insecure-no-auth"
    )]
    Exposed(SocketAddr),
    /// The page's first delay is longer than its longest.
    #[error(
        "RECONNECT_INTERVAL is {interval} and MAX_RECONNECT_DELAY is {longest}: the first delay is at most the longest; allowed is RECONNECT_INTERVAL from 100 to {longest}, or a greater MAX_RECONNECT_DELAY"
    )]
    Reconnect {
        /// `RECONNECT_INTERVAL`
        interval: u64,
        /// `MAX_RECONNECT_DELAY`
        longest: u64,
    },
}

impl Config {
    /// Reads the arguments and the environment, where a variable that is empty is one that is not
    /// set, as Kubernetes manifests and compose files write it.
    ///
    /// # Errors
    /// A value that is not allowed, or `--help` and `--version`, which are for printing as well.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command().mut_args(|argument| {
            let empty = argument
                .get_env()
                .and_then(std::env::var_os)
                .is_some_and(|value| value.is_empty());
            match empty {
                true => argument.env(clap::builder::Resettable::Reset),
                false => argument,
            }
        });
        let read = command
            .try_get_matches_from_mut(std::env::args_os())
            .and_then(|matches| Self::from_arg_matches(&matches));
        read.map_err(|error| name_the_variable(error, &command))
    }

    /// Checks what single values cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.is_local() && !self.insecure_no_auth {
            return Err(ConfigError::Exposed(self.listen));
        }
        if self.reconnect_interval > self.max_reconnect_delay {
            return Err(ConfigError::Reconnect {
                interval: self.reconnect_interval,
                longest: self.max_reconnect_delay,
            });
        }
        Ok(())
    }

    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(self.listen.ip())
    }

    /// How the page reconnects.
    #[must_use]
    pub fn reconnect(&self) -> Reconnect {
        Reconnect {
            interval_ms: self.reconnect_interval,
            backoff: self.reconnect_backoff,
            max_delay_ms: self.max_reconnect_delay,
            max_attempts: self.max_reconnect_attempts as u32,
        }
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

fn backoff(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor| (1.0..=10.0).contains(factor))
        .ok_or_else(|| "allowed is a number from 1 to 10, as in 1.5".into())
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
    match path {
        // Probes find these two without the base path as well.
        "/livez" | "/readyz" => Err(format!("{path} is the address of a probe; allowed is any other path")),
        _ if valid => Ok(path.to_owned()),
        _ => Err("allowed is a path that starts with / and has only letters, digits, - . _ ~ between slashes".into()),
    }
}

/// clap speaks of the flag also where the value comes from the environment.
fn name_the_variable(error: clap::Error, command: &clap::Command) -> clap::Error {
    let (Some(ContextValue::String(flag)), Some(ContextValue::String(value))) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::InvalidValue),
    ) else {
        return error;
    };
    let name = command
        .get_arguments()
        .find(|argument| argument.to_string() == *flag)
        .and_then(clap::Arg::get_env)
        .filter(|name| std::env::var_os(name).is_some_and(|set| set == value.as_str()));
    let Some(name) = name else {
        return error;
    };
    let name = name.to_string_lossy();
    clap::Error::raw(
        error.kind(),
        format!(
            "{}(The value is that of the environment variable {name}.)\n",
            error.to_string().trim_start_matches("error: ")
        ),
    )
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let named = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(text).parse().map_err(|_| {
        "allowed is an IP address (or localhost) and a port, as in 127.0.0.1:3000 or [::]:8080"
            .into()
    })
}

/// The parts between commas, each of which has to be `valid`.
fn names(text: &str, what: &str, valid: impl Fn(&str) -> bool) -> Result<Names, String> {
    let names: BTreeSet<String> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match names.iter().find(|name| !valid(name)) {
        // Taken for "no limit" it would open what a template with empty variables meant to close.
        None if names.is_empty() && !text.is_empty() => Err(format!(
            "it names nothing; allowed are {what}, separated by commas, or leave it out"
        )),
        None => Ok(Names(names)),
        Some(name) => Err(format!(
            "{name:?} is not allowed; allowed are {what}, separated by commas"
        )),
    }
}

fn namespaces(text: &str) -> Result<Names, String> {
    let what = "names of 1 to 63 lower-case letters, digits and '-'";
    names(text, what, is_dns_label)
}

fn hosts(text: &str) -> Result<Names, String> {
    let what = "host names and IP addresses without scheme, port and path, as in dash.example.com";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let valid = |name: &str| {
        let address = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        match address {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => name.bytes().all(plain),
        }
    };
    names(&text.to_ascii_lowercase(), what, valid)
}

fn networks(text: &str) -> Result<Networks, String> {
    let network = |name: &str| {
        let address = || name.parse::<IpAddr>().map(IpNet::from);
        name.parse::<IpNet>().or_else(|_| address()).ok()
    };
    let what = "IP addresses and networks, as in 10.0.0.0/8";
    let names = names(text, what, |name| network(name).is_some())?;
    Ok(Networks(
        names.0.iter().filter_map(|name| network(name)).collect(),
    ))
}

fn annotation_keys(text: &str) -> Result<Names, String> {
    let what =
        "annotation keys, in which * stands for any text, as in example.com/token or */auth-*";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/*".contains(&byte);
    names(text, what, |key| key.bytes().all(plain))
}

fn log_level(text: &str) -> Result<String, String> {
    // The filter's own parser takes a word that is no level for the name of a module, which
    // silences everything else.
    let levels = text.split(',').all(|part| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        ["error", "warn", "info", "debug", "trace", "off"]
            .iter()
            .any(|known| level.trim().eq_ignore_ascii_case(known))
    });
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if levels => Ok(text.to_owned()),
        _ => Err("allowed are error, warn, info, debug, trace, off, and the same by module, as in info,kube_ingress_dash::cluster=debug".into()),
    }
}

#[cfg(test)]
mod tests;
