//! `cargo xtask bench`: both programs in release, then the measurement.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    build,
    command::{cargo, replace, run},
};

/// Builds what is needed and becomes the load generator; what it prints and returns is its own.
pub(crate) fn run_scenarios(mut arguments: Vec<String>) -> Result<ExitCode> {
    let asks = |argument: &String| ["--list", "--help", "-h"].contains(&argument.as_str());
    if !arguments.iter().any(asks) {
        let server = build::everything()?;
        arguments.push(format!("--server={}", server.display()));
    }
    run(cargo().args(["build", "--release", "--package", "bench"]))?;
    let binary = build::target().join("release/bench");
    replace(
        &binary.with_extension(std::env::consts::EXE_EXTENSION),
        &arguments,
    )
}
