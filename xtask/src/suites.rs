//! `cargo xtask test`: every suite, one after the other, whatever the ones before found.

pub(crate) mod browser;
mod rust;

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use crate::report::{self, Outcome};

/// A set of tests that needs the same things to run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Unit and integration tests, with the simulated cluster
    Rust,
    /// Integration tests with a real API server; needs Go, or its binaries in `KUBEBUILDER_ASSETS`
    Cluster,
    /// The release binary in Chromium; needs Node
    Browser,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Cluster => "cluster",
            Self::Browser => "browser",
        }
    }

    fn run(self) -> Result<Outcome> {
        match self {
            Self::Rust => rust::without_cluster(),
            Self::Cluster => rust::with_cluster(),
            Self::Browser => browser::run(),
        }
    }
}

/// Runs the chosen suites, all where none is chosen, and prints their sums.
pub(crate) fn run(chosen: &[Suite]) -> ExitCode {
    let everything_must_run = env::var("CI").is_ok_and(|ci| ci == "true");
    let mut outcomes = Vec::new();
    for suite in Suite::value_variants() {
        if !chosen.is_empty() && !chosen.contains(suite) {
            continue;
        }
        let mut outcome = suite
            .run()
            .unwrap_or_else(|error| Outcome::broken(format!("{error:#}")))
            .or_broken_if_empty();
        if everything_must_run {
            outcome = outcome.without_skips();
        }
        outcomes.push((suite.name(), outcome));
    }

    let failed = outcomes.iter().any(|(_, outcome)| outcome.failed > 0);
    println!("\n{}", report::summary(&outcomes));
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
