//! Measures the built dashboard under many clients, beside a raw reference writer, and checks that
//! fast is also right: at the end of each scenario every client's table is compared with the
//! simulated cluster's list.

mod client;
mod expected;
mod http;
mod reference;
mod report;
mod scenarios;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::scenarios::{Bench, SCENARIOS};

/// Measures kube-ingress-dash. A wrong table is a failure (exit code 1); a slow one is a figure.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// The scenarios to run; all where none is named
    names: Vec<String>,
    /// Lists the scenarios
    #[arg(long)]
    list: bool,
    /// Small sizes, in seconds: shows that everything works, and nothing about speed
    #[arg(long)]
    small: bool,
    /// Runs each scenario so often and reports medians
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    repeat: usize,
    /// A variable of the dashboard's environment, to compare settings; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The dashboard's binary
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Runs as the reference writer, which other runs start
    #[arg(long, hide = true)]
    reference: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.reference {
        reference::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.list {
        for scenario in SCENARIOS {
            println!("{:<13} {}", scenario.name, scenario.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    for name in &arguments.names {
        let known = SCENARIOS.iter().any(|scenario| scenario.name == name);
        ensure!(known, "there is no scenario {name:?}: see --list");
    }
    let bench = Bench {
        server: server(arguments.server)?,
        environment: arguments.env,
        small: arguments.small,
        open_files: rlimit::increase_nofile_limit(u64::MAX)?,
        clients: one_thread("clients")?,
        api: one_thread("api")?,
    };
    bench.api.spawn(end_with_a_signal());
    Ok(run(&bench, &arguments.names, arguments.repeat))
}

/// A signal ends the processes under test as well.
async fn end_with_a_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    server::end_all();
    std::process::exit(1);
}

fn run(bench: &Bench, names: &[String], repeat: usize) -> ExitCode {
    let mut failures = Vec::new();
    let mut measured = Vec::new();
    for scenario in SCENARIOS {
        if !names.is_empty() && !names.iter().any(|name| name == scenario.name) {
            continue;
        }
        let mut runs = Vec::new();
        for number in 1..=repeat {
            eprintln!("{} ({number} of {repeat})", scenario.name);
            match (scenario.run)(bench) {
                Ok(figures) => {
                    for figure in &figures {
                        eprintln!("  {figure}");
                    }
                    runs.push(figures);
                }
                Err(error) => {
                    eprintln!("  FAILED {error:#}");
                    failures.push(format!("{}: {error:#}", scenario.name));
                }
            }
        }
        measured.push((scenario.name, report::medians(&runs)));
    }
    println!("{}", report::table(&measured, !bench.small));
    for failure in &failures {
        println!("FAILED {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The binary that was named, else the one beside this program.
fn server(named: Option<PathBuf>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("kube-ingress-dash"),
    };
    let path = path
        .canonicalize()
        .with_context(|| format!("there is no {}", path.display()))?;
    Ok(path)
}

/// All clients run on one thread, and the API server on one: what is left of the machine is the
/// dashboard's.
fn one_thread(name: &str) -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()?)
}
