//! From sources to the one binary that carries its page.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    command::{cargo, root, run},
    site::{self, Site},
};

/// Builds the page and the server around it; the server's binary.
pub(crate) fn everything() -> Result<PathBuf> {
    let site = page()?;
    run(cargo()
        .args(["build", "--release", "--package", "kube-ingress-dash"])
        .env("RUSTFLAGS", rustflags())
        .env("KUBE_INGRESS_DASH_SITE", site))?;
    Ok(target()
        .join("release/kube-ingress-dash")
        .with_extension(std::env::consts::EXE_EXTENSION))
}

/// The flags of the page's both halves, added to those of the environment. With its components
/// erased Leptos makes a smaller module, and other markup: the server's has to be the same.
fn rustflags() -> String {
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    format!("{given} --cfg=erase_components")
        .trim_start()
        .to_owned()
}

/// Builds the page's files into the folder that the server's build script reads.
fn page() -> Result<PathBuf> {
    let mut site = Site::default();
    site.add_folder(&webassembly()?)?;
    site.add_folder(&root().join("public"))?;
    site.add("app.css", site::stylesheet(&root().join("style/app.css"))?);

    let folder = target().join("site");
    site.write(&folder)?;
    Ok(folder)
}

/// Compiles `frontend` and binds it: `frontend.js` and `frontend_bg.wasm`.
fn webassembly() -> Result<PathBuf> {
    // A folder of its own: the two compilations never wait for each other's lock nor share anything.
    let compiled = target().join("wasm");
    run(cargo()
        .args([
            "build",
            "--package",
            "frontend",
            "--lib",
            "--profile",
            "wasm",
        ])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&compiled)
        // What searches the rows is quicker with it; every browser has it since spring 2023.
        .env(
            "RUSTFLAGS",
            format!("{} -Ctarget-feature=+simd128", rustflags()),
        ))?;

    let bound = target().join("bindgen");
    if bound.exists() {
        fs::remove_dir_all(&bound).with_context(|| format!("cannot empty {}", bound.display()))?;
    }
    Bindgen::new()
        .input_path(compiled.join("wasm32-unknown-unknown/wasm/frontend.wasm"))
        .web(true)?
        // The module finds the WebAssembly beside itself, so neither knows the path they are served under.
        .omit_default_module_path(false)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&bound)
        .context("cannot bind the WebAssembly module")?;
    Ok(bound)
}

/// Where builds go: `CARGO_TARGET_DIR` as for cargo itself, else `target`.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    root().join(chosen.unwrap_or_else(|| "target".into()))
}
