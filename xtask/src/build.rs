//! From sources to the one binary that carries its page.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use crate::command::{cargo, output, root, run};
use crate::site::{self, Site};
use crate::{glue, likeness, slim};

/// Builds the page and the server around it; the server's binary.
pub(crate) fn everything() -> Result<PathBuf> {
    let site = page()?;
    run(cargo()
        .args(["build", "--release", "--package", "kube-ingress-dash"])
        .env("CARGO_ENCODED_RUSTFLAGS", encoded(&rustflags()?))
        .env("KUBE_INGRESS_DASH_SITE", site))?;
    Ok(target()
        .join("release/kube-ingress-dash")
        .with_extension(std::env::consts::EXE_EXTENSION))
}

/// The flags of the page's both halves, added to those of the environment. With its components
/// erased Leptos makes a smaller module, and other markup: the server's has to be the same.
///
/// The messages of panics name source files. They do so without the folders of this machine, so
/// that the same sources make the same binary in any folder.
fn rustflags() -> Result<Vec<String>> {
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut flags: Vec<_> = given.split_whitespace().map(str::to_owned).collect();
    flags.push("--cfg=erase_components".into());
    let mut hide = |folder: PathBuf, name: &str| {
        flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
    };
    hide(root(), ".");
    if let Some(home) = cargo_home() {
        hide(home.join("registry/src"), "registry");
    }
    // The messages of the standard library's own functions name its sources where these are
    // installed.
    hide(sysroot()?.join("lib/rustlib/src/rust"), "std");
    Ok(flags)
}

/// Where the toolchain is installed.
fn sysroot() -> Result<PathBuf> {
    let printed = output(
        Command::new("rustc")
            .args(["--print=sysroot"])
            .current_dir(root()),
    )?;
    Ok(String::from_utf8(printed)?.trim().into())
}

/// As cargo finds it.
fn cargo_home() -> Option<PathBuf> {
    match std::env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(root().join(folder)),
        None => Some(std::env::home_dir()?.join(".cargo")),
    }
}

/// Hands flags over, whatever is in them: a folder's name may have spaces.
fn encoded(flags: &[String]) -> String {
    flags.join("\x1f")
}

/// Builds the page's files into the folder that the server's build script reads.
fn page() -> Result<PathBuf> {
    let mut site = Site::default();
    site.add_folder(&webassembly()?)?;
    site.add_folder(&root().join("public"))?;
    let boot = fs::read_to_string(root().join("public/boot.js"))?;
    site.add("boot.js", glue::trimmed(&boot).into_bytes());
    site.add("app.css", site::stylesheet(&root().join("style/app.css"))?);

    let folder = target().join("site");
    site.write(&folder)?;
    Ok(folder)
}

/// Switches off what is not stable: `stable`. The page is some 30 kB larger then, and works the
/// same.
const PAGE: &str = "KUBE_INGRESS_DASH_PAGE";

/// Options of the compiler that a later toolchain may name otherwise. A panic ends the module
/// without a word, which is all that a browser's console loses.
const UNSTABLE_FLAGS: [&str; 5] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zfmt-debug=none",
    "-Zlocation-detail=none",
    "-Zinline-mir=yes",
];

/// The standard library is compiled with the same options, and for size.
const UNSTABLE_ARGUMENTS: [&str; 2] = [
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
];

/// Compiles `frontend`, splits off its parts and binds the rest: `frontend.js`, `frontend_bg.wasm`,
/// the parts (`split_*.wasm`, and `chunk_*.wasm` for what several share) and what loads them,
/// `__wasm_split.js`.
fn webassembly() -> Result<PathBuf> {
    let compiled = compile()?;
    let bound = target().join("bindgen");
    if bound.exists() {
        fs::remove_dir_all(&bound).with_context(|| format!("cannot empty {}", bound.display()))?;
    }
    let main = target().join("wasm/frontend.wasm");
    let input = fs::read(&compiled)?;
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = &bound;
    options.main_out_path = &main;
    options.main_module = "./frontend.js";
    let parts = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("cannot split the WebAssembly module: {error:#}"))?;

    Bindgen::new()
        .input_path(&main)
        .web(true)?
        // The module finds the WebAssembly beside itself, so neither knows the path they are served
        // under.
        .omit_default_module_path(false)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The parts import what they share with the module.
        .keep_lld_exports(true)
        .generate(&bound)
        .context("cannot bind the WebAssembly module")?;
    let (module, script) = (bound.join("frontend_bg.wasm"), bound.join("frontend.js"));
    let (bytes, text) = glue::with_short_names(&fs::read(&module)?, &fs::read_to_string(&script)?)?;
    fs::write(&module, bytes)?;
    fs::write(&script, glue::trimmed(&text))?;
    let loader = bound.join("__wasm_split.js");
    fs::write(&loader, glue::trimmed(&fs::read_to_string(&loader)?))?;
    for module in parts.split_modules.iter().chain([&module]) {
        fs::write(module, likeness::in_order(&fs::read(module)?)?)?;
    }
    Ok(bound)
}

/// Compiles `frontend`: the module, with what is needed to split it.
fn compile() -> Result<PathBuf> {
    // A folder of its own: the two compilations never wait for each other's lock nor share
    // anything.
    let compiled = target().join("wasm");
    // What searches the rows is quicker with vectors; every browser has them since spring 2023.
    let mut flags = rustflags()?;
    flags.push("-Ctarget-feature=+simd128".into());
    let mut compile = cargo();
    compile
        .args([
            "rustc",
            "--package",
            "frontend",
            "--lib",
            "--profile",
            "wasm",
        ])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&compiled);
    if std::env::var_os(PAGE).is_none_or(|page| page != "stable") {
        flags.extend(UNSTABLE_FLAGS.map(str::to_owned));
        // For this one command; the pinned toolchain knows these options.
        compile.args(UNSTABLE_ARGUMENTS).env("RUSTC_BOOTSTRAP", "1");
        compile.args(slim::arguments()?);
    }
    compile.args(["--", "-Clink-args=--emit-relocs"]);
    run(compile.env("CARGO_ENCODED_RUSTFLAGS", encoded(&flags)))?;
    Ok(compiled.join("wasm32-unknown-unknown/wasm/frontend.wasm"))
}

/// Where builds go: `CARGO_TARGET_DIR` as for cargo itself, else `target`.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    root().join(chosen.unwrap_or_else(|| "target".into()))
}
