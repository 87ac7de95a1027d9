//! Records the transcripts that the simulator is compared with, from a real API server with no
//! ingresses in it.
//!
//! ```sh
//! cargo run --package simulator --example record -- --url https://127.0.0.1:6443 --token "$TOKEN" simulator/tests/transcripts
//! ```
//!
//! The scenarios create namespaces and leave them there: an API server without controllers cannot
//! delete them to the end. Each run needs a fresh one, whose API server has been restarted once so
//! that it has forgotten its first versions.

use std::path::PathBuf;

use clap::Parser;
use serde_json::json;
use testkit::script;

const SCENARIOS: [&str; 4] = ["writes", "lists", "watches", "refusals"];

#[derive(Parser)]
struct Arguments {
    /// Where the API server is. Its certificate is not checked.
    #[arg(long)]
    url: http::Uri,
    /// The bearer token of an administrator.
    #[arg(long)]
    token: String,
    /// The folder to write one file per scenario to.
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), script::Error> {
    let Arguments { url, token, folder } = Arguments::parse();
    let mut config = kube::Config::new(url);
    config.accept_invalid_certs = true;
    // A refusal is part of the transcript, also one that asks to try again.
    config.default_retry = false;
    config.auth_info = serde_json::from_value(json!({ "token": token }))?;
    let client = kube::Client::try_from(config)?;
    for scenario in SCENARIOS {
        let transcript = script::play(scenario, client.clone()).await?;
        let text = serde_json::to_string_pretty(&transcript)?;
        std::fs::write(folder.join(format!("{scenario}.json")), text + "\n")?;
    }
    Ok(())
}
