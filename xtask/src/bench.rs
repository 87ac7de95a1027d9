//! `cargo xtask bench`: everything in release, then the measurement.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build;
use crate::command::{cargo, replace, root, run};
use crate::suites::browser;

/// The page in Chromium, beside the scenarios of the load generator.
const PAGE: &str = "page";

/// Builds what is needed and runs the scenarios named: without a word all of them, the page's too.
/// What the load generator prints and returns is its own.
pub(crate) fn run_scenarios(mut arguments: Vec<String>) -> Result<ExitCode> {
    let asks = |argument: &String| ["--list", "--help", "-h"].contains(&argument.as_str());
    if arguments.iter().any(asks) {
        println!("{PAGE}: first visit, time to a live table, changes, keys and memory in Chromium");
        return load(&arguments);
    }
    let everything = arguments.is_empty();
    let named = arguments.len();
    arguments.retain(|argument| argument != PAGE);
    let page = everything || arguments.len() < named;
    let server = build::everything()?;
    if page {
        run(cargo()
            .args(["build", "--release", "--package", "simulator"])
            .args(["--example", "serve"]))?;
        browser::install()?;
        let examples = build::target().join("release/examples");
        run(Command::new("npx")
            .args(["playwright", "test", "--config", "bench.config.ts"])
            .current_dir(root().join("end2end"))
            .env("KUBE_INGRESS_DASH_BIN", &server)
            .env(
                "KUBE_INGRESS_DASH_SIMULATOR",
                browser::executable(&examples, "serve"),
            ))?;
    }
    if page && !everything && arguments.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    arguments.push(format!("--server={}", server.display()));
    load(&arguments)
}

/// Becomes the load generator.
fn load(arguments: &[String]) -> Result<ExitCode> {
    run(cargo().args(["build", "--release", "--package", "bench"]))?;
    let binary = build::target().join("release/bench");
    replace(
        &binary.with_extension(std::env::consts::EXE_EXTENSION),
        arguments,
    )
}
