//! Build glue: `cargo xtask build`, `run`, `test`, `size`, `planted`, `fuzz` and `bench`.
//!
//! Needs Rust and nothing else to build and run; the tests use Go, Node and Chromium where they
//! are.

mod bench;
mod build;
mod command;
mod fuzz;
mod glue;
mod likeness;
mod planted;
mod report;
mod site;
mod slim;
mod suites;
mod visit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::suites::Suite;

/// Builds, runs and tests kube-ingress-dash.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds target/release/kube-ingress-dash with its page in it
    Build,
    /// Builds, then serves <http://127.0.0.1:3000>; what follows goes to the server
    Run {
        /// Arguments of the server, for example `--demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs every test of the project, or the suites named
    Test {
        /// Only this suite; may be given more than once
        #[arg(long, value_enum)]
        suite: Vec<Suite>,
    },
    /// Builds, then says what a first visit loads
    Size,
    /// Plants known bugs, one at a time, in a copy of the tree and shows which the model test
    /// catches
    Planted {
        /// Only bugs whose name has one of these words
        words: Vec<String>,
    },
    /// Fuzzes a target of fuzz/fuzz_targets; needs a nightly toolchain and cargo-fuzz
    Fuzz {
        /// `scope`, `id`, `sse`, `row` or `message`
        target: String,
        /// A nightly toolchain, as rustup names it
        #[arg(long, default_value = "nightly")]
        toolchain: String,
        /// For how long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Measures the release build under many clients, and the page; `--list` names the scenarios,
    /// `--help` the options
    #[command(disable_help_flag = true)]
    Bench {
        /// Names of scenarios, and options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Build => {
            let binary = build::everything()?;
            println!("Built {}", binary.display());
            Ok(ExitCode::SUCCESS)
        }
        Task::Run { arguments } => command::replace(&build::everything()?, &arguments),
        Task::Test { suite } => Ok(suites::run(&suite)),
        Task::Size => {
            print!("{}", visit::measure(&build::everything()?)?.1);
            Ok(ExitCode::SUCCESS)
        }
        Task::Planted { words } => planted::run(&words),
        Task::Fuzz {
            target,
            toolchain,
            seconds,
        } => {
            fuzz::run_target(&target, &toolchain, seconds)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Bench { arguments } => bench::run_scenarios(arguments),
    }
}
