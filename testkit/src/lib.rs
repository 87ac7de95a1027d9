//! What the tests of several crates share: the built dashboard as a process, a client of its stream,
//! the Kubernetes API behind it, recorded conversations with an API server, and what is fuzzed.

#![allow(
    clippy::unwrap_used,
    clippy::must_use_candidate,
    reason = "a test fails by panicking"
)]

use std::env;
use std::path::PathBuf;

pub mod dash;
pub mod fuzzing;
pub mod real_cluster;
pub mod script;
pub mod upstream;

/// The folder of the profile that the running test is built with: `target/debug`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a test knows its file");
    let deps = test.parent().expect("a file is in a folder");
    deps.parent()
        .expect("cargo builds tests in `deps`")
        .to_path_buf()
}

/// The folder that cargo builds into: `target`.
fn target_folder() -> PathBuf {
    let profile = profile_folder();
    profile
        .parent()
        .expect("a profile has a folder in `target`")
        .to_path_buf()
}
