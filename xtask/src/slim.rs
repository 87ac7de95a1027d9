//! Takes out of `tachys`, which draws the page, what the page never runs and the linker cannot see
//! to be dead.
//!
//! With erased components each type of view and attribute has a table of functions. Two of them
//! belong to ways of hydrating that the page does not use, and weigh some 23 kB together. The
//! changed source is made from the registry's each time and lies in `target`; a version that reads
//! otherwise is used as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::build::target;
use crate::command::{cargo, output, root};

const CRATE: &str = "tachys";

/// A file of the crate, and what in it is replaced by what. Each occurs exactly once.
type Edits = (&'static str, &'static [(&'static str, &'static str)]);

const EDITS: [Edits; 3] = [
    // In the registry its warnings are not shown either.
    (
        "src/lib.rs",
        &[("#![allow(incomplete_features)]", "#![allow(warnings)]")],
    ),
    (
        "src/view/any_view.rs",
        &[
            (
                "    hydrate_async: fn(
        Erased,
        &Cursor,
        &PositionState,
    ) -> Pin<Box<dyn Future<Output = AnyViewState>>>,
",
                "    hydrate_async: (),
",
            ),
            (
                "hydrate_async: hydrate_async::<T::Owned>,",
                "hydrate_async: (),",
            ),
            // As it is for a view that waits for nothing, and this page has no other.
            (
                "(self.hydrate_async)(self.value, cursor, position).await;",
                "(self.hydrate_from_server)(self.value, cursor, position);
            let () = self.hydrate_async;",
            ),
        ],
    ),
    (
        "src/html/attribute/any_attribute.rs",
        &[
            (
                "    hydrate_from_template:
        fn(Erased, crate::renderer::types::Element) -> AnyAttributeState,
",
                "    hydrate_from_template: (),
",
            ),
            (
                "hydrate_from_template: hydrate_from_template::<T::CloneableOwned>,",
                "hydrate_from_template: (),",
            ),
            (
                "(self.hydrate_from_template)(self.value, el.clone())",
                "{
                let () = self.hydrate_from_template;
                unreachable!(\"templates are not used\")
            }",
            ),
        ],
    ),
];

/// Makes the changed crate; what cargo has to be told to use it. Nothing where the crate reads
/// otherwise, which is said.
pub(crate) fn arguments() -> Result<Vec<String>> {
    let source = source()?;
    let slim = target().join("slim");
    let changed = slim.join(CRATE);
    if let Err(reason) = copy_changed(&source, &changed) {
        eprintln!("The page is larger than it could be: {reason:#}");
        return Ok(Vec::new());
    }
    // The patch is in the lock file, and the project's has to stay as it is.
    let lock = slim.join("Cargo.lock");
    fs::copy(root().join("Cargo.lock"), &lock)?;
    Ok(vec![
        format!("--config=patch.crates-io.{CRATE}.path={changed:?}"),
        format!("--config=resolver.lockfile-path={lock:?}"),
    ])
}

/// The crate's folder in the registry.
fn source() -> Result<PathBuf> {
    let metadata = output(
        cargo()
            .args(["metadata", "--format-version=1", "--locked"])
            .arg("--filter-platform=wasm32-unknown-unknown"),
    )?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let packages = metadata["packages"].as_array();
    let found = packages
        .into_iter()
        .flatten()
        .find(|package| package["name"] == CRATE)
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .with_context(|| format!("no package {CRATE}"))?;
    Ok(found.to_path_buf())
}

/// Copies the crate with its changes. A file that is as it was is left alone, so that nothing is
/// compiled for it.
fn copy_changed(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_changed(&entry.path(), &to)?;
            continue;
        }
        let mut contents = fs::read(entry.path())?;
        for (file, edits) in EDITS {
            if entry.path().ends_with(file) {
                contents = changed(String::from_utf8(contents)?, file, edits)?.into_bytes();
            }
        }
        if fs::read(&to).is_ok_and(|old| old == contents) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(&to))?;
        fs::write(&to, contents)?;
    }
    Ok(())
}

fn changed(mut text: String, file: &str, edits: &[(&str, &str)]) -> Result<String> {
    for (old, new) in edits {
        let found = text.matches(old).count();
        ensure!(found == 1, "{file} of {CRATE} has {found} times {old:?}");
        text = text.replace(old, new);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_of_the_lock_file_can_be_changed() -> Result<()> {
        let source = source()?;
        for (file, edits) in EDITS {
            changed(fs::read_to_string(source.join(file))?, file, edits)?;
        }
        Ok(())
    }

    #[test]
    fn a_crate_that_reads_otherwise_is_refused() {
        let (file, edits) = EDITS[0];
        assert!(changed("fn other() {}".to_owned(), file, edits).is_err());
    }
}
