//! The script `x` on machines that lack something. Rust's tools are made up here, so that nothing
//! is installed.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of programs, the only one in the script's `PATH`; gone when dropped.
struct Machine(PathBuf);

impl Machine {
    /// One with a C compiler and make, and without Rust.
    fn new(name: &str) -> Self {
        let machine = Self(std::env::temp_dir().join(format!("x-{name}-{}", std::process::id())));
        fs::create_dir_all(&machine.0).expect("a temporary folder can be made");
        for tool in ["dirname", "ls", "sed", "tr", "grep"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            let found = found
                .iter()
                .find(|path| path.exists())
                .expect("the tool is installed");
            symlink(found, machine.0.join(tool)).expect("the folder is new");
        }
        machine.has("cc", "").has("make", "")
    }

    /// Adds a program that is a shell script.
    fn has(self, name: &str, script: &str) -> Self {
        let path = self.0.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        self
    }

    /// Whether `x build` succeeds, and what it prints.
    fn build(&self) -> (bool, String) {
        self.build_with(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../x"))
    }

    /// The same by another name of `x`, from the folder of the programs.
    fn build_with(&self, x: &Path) -> (bool, String) {
        let output = Command::new("/bin/sh")
            .arg(x)
            .args(["build", "two words"])
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", &self.0)
            .env("HOME", &self.0)
            .output()
            .expect("a shell starts");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8(said).expect("it says text"),
        )
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const COMPLETE: &str = "case $1 in component) printf '%s\\n' cargo-x86_64 clippy-x86_64 rustfmt-x86_64 \
    rust-src rust-std-wasm32-unknown-unknown ;; *) echo rustup \"$@\" ;; esac";
const WITHOUT_TARGET: &str = "case $1 in component) printf '%s\\n' cargo-x86_64 clippy-x86_64 rustfmt-x86_64 \
    rust-src ;; *) echo rustup \"$@\" ;; esac";
const CARGO: &str = "for word in \"$@\"; do echo \"<$word>\"; done";

#[test]
fn a_missing_rustup_is_said_in_one_line() {
    let (success, said) = Machine::new("rustup").has("cargo", CARGO).build();
    assert!(!success);
    assert!(said.contains("https://rustup.rs"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_cargo_that_is_not_rustups_is_said_in_one_line() {
    // It takes `+1.99.1` for a command.
    let (success, said) = Machine::new("cargo")
        .has("rustup", COMPLETE)
        .has("cargo", "exit 101")
        .build();
    assert!(!success);
    assert!(said.contains("cargo is not rustup's"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_toolchain_without_the_target_is_completed_first() {
    let machine = Machine::new("target").has("rustup", WITHOUT_TARGET);
    let (success, said) = machine.has("cargo", CARGO).build();
    assert!(success, "{said}");
    assert!(said.contains("rustup toolchain install "), "{said}");
    assert!(said.contains("--target wasm32-unknown-unknown"), "{said}");
}

#[test]
fn a_complete_toolchain_is_used_as_it_is() {
    let machine = Machine::new("complete").has("rustup", COMPLETE);
    let (success, said) = machine.has("cargo", CARGO).build();
    assert!(success, "{said}");
    assert!(!said.contains("rustup"), "{said}");
    assert!(said.ends_with("<xtask>\n<build>\n<two words>\n"), "{said}");
}

#[test]
fn links_to_it_lead_to_its_own_folder() {
    let machine = Machine::new("link").has("rustup", COMPLETE);
    let machine = machine.has("cargo", "pwd -P");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().expect("it is there");
    symlink(root.join("x"), machine.0.join("first")).expect("the folder is new");
    let relative = Path::new("the second");
    symlink("first", machine.0.join(relative)).expect("the folder is new");
    for link in [relative.to_owned(), machine.0.join(relative)] {
        let (success, said) = machine.build_with(&link);
        assert!(success, "{said}");
        assert_eq!(said.trim(), root.display().to_string());
    }
}
