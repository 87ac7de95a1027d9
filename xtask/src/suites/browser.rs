//! The suite that Playwright runs against the release binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{self, cargo, root, shown};
use crate::report::Outcome;
use crate::{build, visit};

/// Debian's Chromium; the Playwright configuration looks for it in the same place.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Builds the binary and runs the browser's tests with it.
pub(crate) fn run() -> Result<Outcome> {
    let folder = root().join("end2end");
    if !works(Command::new("npm").arg("--version")) {
        return Ok(Outcome::left_out(
            1,
            "the browser's tests need Node and npm",
        ));
    }
    install()?;
    if !Path::new(CHROMIUM).exists() && !playwright_has_a_browser(&folder) {
        let reason =
            format!("no Chromium: neither {CHROMIUM} nor one of `npx playwright install chromium`");
        return Ok(Outcome::left_out(1, &reason));
    }

    let binary = build::everything()?;
    let examples = examples()?;
    let report = build::target().join("playwright.json");
    // A report of an earlier run would pass for this one's.
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut playwright = Command::new("npx");
    playwright
        .args(["playwright", "test", "--reporter=list,json"])
        .current_dir(&folder)
        .env("KUBE_INGRESS_DASH_BIN", &binary)
        .env(
            "KUBE_INGRESS_DASH_SIMULATOR",
            executable(&examples, "serve"),
        )
        .env("KUBE_INGRESS_DASH_FOLLOW", executable(&examples, "follow"))
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report);
    eprintln!("+ {}", shown(&playwright));
    let success = playwright
        .status()
        .context("cannot start Playwright")?
        .success();

    let mut outcome = read(&report).unwrap_or_default();
    if !success && outcome.failed == 0 {
        outcome.failed = 1;
        outcome
            .notes
            .push("Playwright ended before its report".to_owned());
    }
    let visit = visit::check(&binary).unwrap_or_else(|error| Outcome::broken(format!("{error:#}")));
    outcome.passed += visit.passed;
    outcome.failed += visit.failed;
    outcome.notes.extend(visit.notes);
    Ok(outcome)
}

/// The simulated cluster that the tests bend, which `serve` has on a port, and a client without a
/// page, `follow`. Returns their folder.
fn examples() -> Result<PathBuf> {
    // The whole workspace, so that the dependencies are the ones that the Rust suite has compiled.
    command::run(cargo().args([
        "build",
        "--workspace",
        "--exclude",
        "frontend",
        "--example",
        "serve",
        "--example",
        "follow",
    ]))?;
    Ok(build::target().join("debug/examples"))
}

/// A program in a folder of them.
pub(crate) fn executable(folder: &Path, name: &str) -> PathBuf {
    folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION)
}

/// `npm ci`, where `package-lock.json` is newer than what is installed.
pub(crate) fn install() -> Result<()> {
    let folder = root().join("end2end");
    let installed = modified(folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(folder.join("package-lock.json")) {
        return Ok(());
    }
    // Debian's Chromium is taken where it is; its download is a person's choice.
    command::run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )
}

fn modified(path: PathBuf) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn playwright_has_a_browser(folder: &Path) -> bool {
    let script = "process.exit(require('fs').existsSync(require('@playwright/test').chromium.executablePath()) ? 0 : 1)";
    works(
        Command::new("node")
            .args(["--eval", script])
            .current_dir(folder),
    )
}

fn works(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn read(report: &Path) -> Result<Outcome> {
    Ok(outcome(&serde_json::from_slice(&fs::read(report)?)?))
}

/// Reads Playwright's JSON report. What passed only at a second try has passed, and is named.
fn outcome(report: &Value) -> Outcome {
    let count = |name: &str| report["stats"][name].as_u64().unwrap_or(0) as usize;
    let mut outcome = Outcome {
        passed: count("expected") + count("flaky"),
        failed: count("unexpected"),
        skipped: count("skipped"),
        notes: Vec::new(),
    };
    note(&report["suites"], &mut outcome.notes);
    outcome
}

/// Suites nest: files, then `describe` blocks.
fn note(suites: &Value, notes: &mut Vec<String>) {
    for suite in suites.as_array().into_iter().flatten() {
        for spec in suite["specs"].as_array().into_iter().flatten() {
            let title = spec["title"].as_str().unwrap_or_default();
            for test in spec["tests"].as_array().into_iter().flatten() {
                match test["status"].as_str() {
                    Some("unexpected") => notes.push(format!("failed {title}")),
                    Some("flaky") => notes.push(format!("passed at the second try {title}")),
                    Some("skipped") => notes.push(format!("skipped {title}{}", reason(test))),
                    _ => {}
                }
            }
        }
        note(&suite["suites"], notes);
    }
}

fn reason(test: &Value) -> String {
    test["annotations"][0]["description"]
        .as_str()
        .map_or_else(String::new, |reason| format!(": {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn playwrights_report_is_added_up_and_named() {
        let report = json!({
            "stats": { "expected": 5, "unexpected": 1, "flaky": 1, "skipped": 1 },
            "suites": [{
                "specs": [{ "title": "shows rows", "tests": [{ "status": "expected" }] }],
                "suites": [{
                    "specs": [
                        { "title": "recovers", "tests": [{ "status": "unexpected" }] },
                        { "title": "turns stale", "tests": [{ "status": "flaky" }] },
                        { "title": "prints", "tests": [{
                            "status": "skipped",
                            "annotations": [{ "type": "skip", "description": "no printer" }]
                        }] },
                    ],
                }],
            }],
        });
        let outcome = outcome(&report);
        assert_eq!(outcome.to_string(), "6 passed, 1 failed, 1 skipped");
        assert_eq!(
            outcome.notes,
            [
                "failed recovers",
                "passed at the second try turns stale",
                "skipped prints: no printer"
            ]
        );
    }
}
