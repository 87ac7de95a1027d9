//! Puts the page's files into the binary.
//!
//! `cargo xtask build` gathers them in a folder and names it in `KUBE_INGRESS_DASH_SITE`. Without
//! it, as in a plain `cargo check` or `cargo test`, the server is built without files.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const SITE: &str = "KUBE_INGRESS_DASH_SITE";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={SITE}");

    let mut table = String::from("Site {\n");
    if let Some(site) = env::var_os(SITE) {
        let site = site
            .into_string()
            .map_err(|_| format!("{SITE} is not UTF-8"))?;
        println!("cargo::rerun-if-changed={site}");
        let id = fs::read_to_string(format!("{site}/build-id"))
            .map_err(|error| format!("{SITE}: no page in {site}: {error}"))?;
        writeln!(table, "build: {id:?}, files: &[")?;
        for name in names(&Path::new(&site).join("identity"), "")? {
            writeln!(table, "{}", entry(&site, &name))?;
        }
        table.push_str("],\n");
    } else {
        table.push_str("build: \"unbundled\", files: &[],\n");
    }
    table.push('}');

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    fs::write(out.join("site.rs"), table)?;
    Ok(())
}

/// The names of all files below a folder, sorted, with `/` between folders.
fn names(folder: &Path, prefix: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| format!("{} is not UTF-8", name.display()))?;
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            names.extend(self::names(&entry.path(), &format!("{name}/"))?);
        } else {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// One file as a Rust expression.
fn entry(site: &str, name: &str) -> String {
    let include = |coding: &str| format!("include_bytes!({:?})", format!("{site}/{coding}/{name}"));
    let compressed = |coding: &str| {
        if Path::new(site).join(coding).join(name).exists() {
            format!("Some({})", include(coding))
        } else {
            "None".to_owned()
        }
    };
    format!(
        "File {{ name: {name:?}, content_type: {:?}, identity: {}, brotli: {}, gzip: {} }},",
        content_type(name),
        include("identity"),
        compressed("br"),
        compressed("gzip"),
    )
}

fn content_type(name: &str) -> &'static str {
    match Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
