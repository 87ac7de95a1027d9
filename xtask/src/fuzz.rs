//! `cargo xtask fuzz`: libFuzzer on one of the targets in `fuzz/`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::build;
use crate::command::{root, run, shown};

/// Runs a target for so many seconds. What it finds worth keeping goes to `target/fuzz/corpus`, not
/// into the tree.
pub(crate) fn run_target(target: &str, toolchain: &str, seconds: u64) -> Result<()> {
    let mut version = in_toolchain(toolchain);
    version.arg("--version");
    if !version.output().is_ok_and(|output| output.status.success()) {
        bail!(
            "`{}` does not work: `rustup toolchain install nightly` and `cargo install cargo-fuzz`",
            shown(&version)
        );
    }
    let found = build::target().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&found)?;
    let mut fuzz = in_toolchain(toolchain);
    fuzz.args(["run", "--fuzz-dir", "fuzz", "--target-dir"])
        .arg(build::target().join("fuzz"))
        .arg(target)
        .arg(found)
        .arg(root().join("fuzz/corpus").join(target))
        .args(["--", &format!("-max_total_time={seconds}"), "-max_len=4096"]);
    run(&mut fuzz)
}

/// cargo-fuzz with another toolchain than `rust-toolchain.toml` names: libFuzzer needs a nightly
/// one.
fn in_toolchain(toolchain: &str) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", toolchain, "cargo", "fuzz"])
        .current_dir(root());
    command
}
