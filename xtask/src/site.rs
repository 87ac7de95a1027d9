//! The page's files: gathered, named after their contents, compressed once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions};
use sha2::{Digest, Sha256};

/// Holds the build's name; written last, so a folder with it is complete.
const BUILD_ID: &str = "build-id";

/// Files by their name below `/pkg/<build id>/`.
#[derive(Default)]
pub(crate) struct Site {
    files: BTreeMap<String, Vec<u8>>,
}

impl Site {
    pub(crate) fn add(&mut self, name: &str, contents: Vec<u8>) {
        self.files.insert(name.to_owned(), contents);
    }

    /// Adds every file of a folder and of the folders in it.
    pub(crate) fn add_folder(&mut self, folder: &Path) -> Result<()> {
        self.add_below(folder, "")
    }

    fn add_below(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add_below(&entry.path(), &format!("{name}/"))?;
            } else {
                self.add(&name, fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    /// Names this set of files: equal contents, equal name.
    fn build_id(&self) -> String {
        let mut hash = Sha256::new();
        for (name, contents) in &self.files {
            // Lengths keep the end of one part from passing for the start of the next.
            for part in [name.as_bytes(), contents] {
                hash.update(part.len().to_le_bytes());
                hash.update(part);
            }
        }
        hash.finalize()
            .iter()
            .take(6)
            .fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
    }

    /// Writes `identity/`, `br/` and `gzip/`; a file is missing in the last two where compressing
    /// it gains nothing.
    ///
    /// A folder that holds this build already is left as it is: compressing is slow, and newer
    /// files would have the server compiled again.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let id = self.build_id();
        if fs::read_to_string(folder.join(BUILD_ID)).is_ok_and(|written| written == id) {
            return Ok(());
        }
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        for (name, contents) in &self.files {
            write_below(folder, "identity", name, contents)?;
            for (coding, compressed) in [("br", brotli(contents)?), ("gzip", gzip(contents)?)] {
                if compressed.len() < contents.len() {
                    write_below(folder, coding, name, &compressed)?;
                }
            }
        }
        fs::write(folder.join(BUILD_ID), id)?;
        Ok(())
    }
}

fn write_below(folder: &Path, coding: &str, name: &str, contents: &[u8]) -> Result<()> {
    let path = folder.join(coding).join(name);
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    fs::write(&path, contents).with_context(|| format!("cannot write {}", path.display()))
}

fn brotli(contents: &[u8]) -> Result<Vec<u8>> {
    // The largest window that browsers must accept.
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &contents[..], &mut compressed, &settings)?;
    Ok(compressed)
}

fn gzip(contents: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents)?;
    Ok(encoder.finish()?)
}

/// Bundles and minifies a style sheet.
///
/// Without targets nothing is rewritten for older browsers: `light-dark()` and cascade layers stay
/// as they are.
pub(crate) fn stylesheet(entry: &Path) -> Result<Vec<u8>> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler.bundle(entry).map_err(|error| anyhow!("{error}"))?;
    sheet
        .minify(MinifyOptions::default())
        .map_err(|error| anyhow!("{error}"))?;
    let printed = sheet.to_css(PrinterOptions {
        minify: true,
        ..PrinterOptions::default()
    });
    Ok(printed
        .map_err(|error| anyhow!("{error}"))?
        .code
        .into_bytes())
}

#[cfg(test)]
mod tests;
