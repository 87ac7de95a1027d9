//! The suites that `cargo test` runs.
//!
//! Tests with `real_cluster` in their path are the cluster suite, all others the Rust suite. A test
//! that finds at run time that it cannot run returns, after a line `<test>: <reason>` appended to
//! the file that `KUBE_INGRESS_DASH_SKIPPED` names: libtest has no word for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::build::target;
use crate::command::{cargo, root, shown};
use crate::report::Outcome;

const REAL_CLUSTER: &str = "real_cluster";

/// What `end2end/cluster/build` returns where the machine has no Go.
const NO_GO: i32 = 3;

/// Everything but the tests with a real API server.
pub(crate) fn without_cluster() -> Result<Outcome> {
    tests(test().args(["--", "--skip", REAL_CLUSTER]))
}

/// The tests with a real API server.
pub(crate) fn with_cluster() -> Result<Outcome> {
    let only_these = ["--tests", "--", REAL_CLUSTER];
    if let Some(binaries) = api_server()? {
        return tests(
            test()
                .args(only_these)
                .env("KUBE_INGRESS_DASH_ASSETS", binaries),
        );
    }
    let count = stream(test().args(only_these).arg("--list"))?.listed;
    let reason = "building kube-apiserver and etcd needs Go, and KUBEBUILDER_ASSETS is not set";
    Ok(Outcome::left_out(count, reason))
}

/// The same crates with the same features in each run, so that nothing is compiled twice.
///
/// `frontend` is for the browser only: beside the server it would switch on the browser's half of
/// `app` in it.
fn test() -> Command {
    let mut command = cargo();
    command.args([
        "test",
        "--workspace",
        "--exclude",
        "frontend",
        "--no-fail-fast",
    ]);
    command
}

/// The folder with kube-apiserver and etcd: the one that is given, else built once. `None` without
/// Go.
fn api_server() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os("KUBEBUILDER_ASSETS") {
        return Ok(Some(given.into()));
    }
    let folder = target().join("cluster/bin");
    let mut build = Command::new(root().join("end2end/cluster/build"));
    build.arg(&folder);
    eprintln!("+ {}", shown(&build));
    let status = build
        .status()
        .context("cannot start end2end/cluster/build")?;
    match status.code() {
        Some(0) => Ok(Some(folder)),
        Some(NO_GO) => Ok(None),
        _ => anyhow::bail!("end2end/cluster/build ended with {status}"),
    }
}

/// Runs the tests and adds up what each binary reports.
fn tests(command: &mut Command) -> Result<Outcome> {
    let skipped = target().join("skipped-tests");
    fs::write(&skipped, "").with_context(|| format!("cannot write {}", skipped.display()))?;
    let output = stream(command.env("KUBE_INGRESS_DASH_SKIPPED", &skipped))?;

    let mut outcome = output.outcome;
    if !output.success && outcome.failed == 0 {
        outcome.failed = 1;
        outcome
            .notes
            .push("did not compile, or ended before its report".to_owned());
    }
    note_skipped(&mut outcome, &skipped)?;
    Ok(outcome)
}

/// Moves the tests that said so themselves from passed to skipped.
fn note_skipped(outcome: &mut Outcome, file: &Path) -> Result<()> {
    let said = fs::read_to_string(file)?;
    for line in said.lines().filter(|line| !line.trim().is_empty()) {
        outcome.passed = outcome.passed.saturating_sub(1);
        outcome.skipped += 1;
        outcome.notes.push(format!("skipped {line}"));
    }
    Ok(())
}

#[derive(Default)]
struct Output {
    outcome: Outcome,
    /// Tests counted by `--list`.
    listed: usize,
    success: bool,
}

/// Runs `cargo test`, shows what it prints and reads libtest's sums from it.
fn stream(command: &mut Command) -> Result<Output> {
    let shown = shown(command);
    eprintln!("+ {shown}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;

    let mut output = Output::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            output.read(&line);
        }
    }
    output.success = child.wait()?.success();
    Ok(output)
}

impl Output {
    fn read(&mut self, line: &str) {
        if let Some(sums) = line.strip_prefix("test result: ") {
            let sum = |word| number_before(sums, word);
            self.outcome.passed += sum("passed");
            self.outcome.failed += sum("failed");
            self.outcome.skipped += sum("ignored");
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|test| test.split_once(" ... "))
        {
            match name {
                (name, "FAILED") => self.outcome.notes.push(format!("failed {name}")),
                (name, rest) if rest.starts_with("ignored") => {
                    self.outcome.notes.push(format!("skipped {name}: {rest}"));
                }
                _ => {}
            }
        } else if line.ends_with(": test") {
            self.listed += 1;
        }
    }
}

/// The `3` of `ok. 3 passed; 0 failed`, given `passed`.
fn number_before(sums: &str, word: &str) -> usize {
    let parts = sums.split([';', '.']).map(str::trim);
    parts
        .filter_map(|part| part.strip_suffix(word)?.trim().parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests;
