//! The log: to standard error, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging. To be called once, before anything is logged.
pub fn start(level: &str, format: LogFormat) {
    // These log each failed connection without saying to what; the feeds say it with the URL and the cause.
    // What is named in `level` wins.
    let filter = EnvFilter::new(format!(
        "kube_client::client::builder=off,rustls_platform_verifier=off,{level}"
    ));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Where nobody reads the log any more, saying so there would end the task that logs.
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
