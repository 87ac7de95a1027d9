//! Bugs that are planted on purpose, one at a time, in a copy of the tree: the model test has to
//! catch each of them. A test that no bug can fail proves nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::build::target;
use crate::command::{cargo, root};

/// A mistake that somebody could make.
struct Bug {
    name: &'static str,
    file: &'static str,
    /// What is replaced, and by what. Each occurs exactly once.
    edits: &'static [(&'static str, &'static str)],
}

const BUGS: &[Bug] = &[
    Bug {
        name: "a delete is lost in a relist",
        file: "server/src/catalog.rs",
        edits: &[(
            "gone.chunks(BATCH)",
            "gone[gone.len().min(1)..].chunks(BATCH)",
        )],
    },
    Bug {
        name: "an id before synced",
        file: "server/src/journal/writes.rs",
        edits: &[("cursor.replay.is_none() && complete;", "complete;")],
    },
    Bug {
        name: "off by one on resume",
        file: "server/src/journal.rs",
        edits: &[(
            "Start::Resume(revision)\n",
            "Start::Resume(Revision(revision.0 + 1))\n",
        )],
    },
    Bug {
        name: "an id of another scope is accepted",
        file: "server/src/journal.rs",
        edits: &[(
            "(id == self.id(visible, revision)).then_some(revision)",
            "id.starts_with(&self.epoch).then_some(revision)",
        )],
    },
    Bug {
        name: "an id of another process is accepted",
        file: "server/src/journal.rs",
        edits: &[(
            "(id == self.id(visible, revision)).then_some(revision)",
            r#"id.ends_with(&format!(".{:x}.{revision:x}", visible.hash())).then_some(revision)"#,
        )],
    },
    Bug {
        name: "a tombstone is dropped too early",
        file: "server/src/journal/log.rs",
        edits: &[
            (
                "const MAX_TOMBSTONES: usize = 20_000;",
                "const MAX_TOMBSTONES: usize = 3;",
            ),
            ("self.floor = self.floor.max(revision);", ""),
            ("log.floor = log.floor.max(revision);", ""),
        ],
    },
    Bug {
        name: "a feed that stops raises no floor",
        file: "server/src/journal/log.rs",
        edits: &[(
            "log.floor = self.revision;\n            self.floor = self.revision;",
            "",
        )],
    },
    Bug {
        name: "a new row is told as a change of one that is held",
        file: "server/src/journal/writes.rs",
        edits: &[(
            "if *first > cursor.base ||",
            "if first.0 > cursor.base.0 + 1 ||",
        )],
    },
    Bug {
        name: "a write that is cut short has the id of a whole one",
        file: "server/src/journal/writes.rs",
        edits: &[(
            "cursor.replay.is_none() && complete;",
            "cursor.replay.is_none() && { let _ = complete; true };",
        )],
    },
    Bug {
        name: "a watch goes on after the version that it has not seen",
        file: "server/src/cluster/feed.rs",
        edits: &[("Ok(version.max(reached))", "Ok(version.max(reached) + 1)")],
    },
    Bug {
        name: "garbage in a watch is passed over",
        file: "server/src/cluster/feed.rs",
        edits: &[(
            "Ok(Err(error @ ApiError::Invalid { .. })) => break End::Lost(error),",
            "Ok(Err(ApiError::Invalid { .. })) => continue,",
        )],
    },
    Bug {
        name: "the last changes before a watch ends are lost",
        file: "server/src/cluster/feed.rs",
        edits: &[("            self.sink.apply(changes, received);\n", "")],
    },
    Bug {
        name: "a write is shared with clients of another scope",
        file: "server/src/journal.rs",
        edits: &[(
            "let position = (visible.hash(), cursor.at, cursor.base, limit);",
            "let position = (0, cursor.at, cursor.base, limit);",
        )],
    },
    Bug {
        name: "an API server restored to an earlier version is not noticed",
        file: "server/src/cluster/feed.rs",
        edits: &[("version if version < from", "version if version == 0")],
    },
    Bug {
        name: "rows that may not be seen any more stay",
        file: "server/src/cluster/feed.rs",
        edits: &[("        self.sink.withdraw();\n", "")],
    },
    Bug {
        name: "a permission that comes back is a watch without a list",
        file: "server/src/cluster/feed.rs",
        edits: &[(
            "                step = Step::List;\n                loop {",
            "                loop {",
        )],
    },
    Bug {
        name: "rows come while their namespace is said to be forbidden",
        file: "server/src/cluster/feed.rs",
        edits: &[
            (
                "        if !self.listed {\n            self.sink.status(FeedState::Syncing, true, None);\n        }\n",
                "",
            ),
            (
                "        if self.withdrawn {\n            self.sink.status(FeedState::Syncing, false, None);\n        }\n",
                "",
            ),
        ],
    },
    Bug {
        name: "where nobody knows what everything is, it is what others watch",
        file: "server/src/journal/states.rs",
        edits: &[(
            "!self.cluster_wide && self.refused.is_some()",
            "!self.cluster_wide && self.refused.is_some() && self.namespaces.is_empty()",
        )],
    },
];

/// Plants each bug whose name has one of the words (none: each), and says which seed catches it.
pub(crate) fn run(words: &[String]) -> Result<ExitCode> {
    let tree = target().join("planted/tree");
    copy_tracked_files(&tree)?;
    let mut missed = 0;
    for bug in BUGS {
        let named = words.iter().any(|word| bug.name.contains(word.as_str()));
        if !words.is_empty() && !named {
            continue;
        }
        let original = bug.plant(&tree)?;
        let caught = caught_by(&tree)?;
        fs::write(tree.join(bug.file), original)?;
        missed += usize::from(caught.is_none());
        let how = caught.unwrap_or_else(|| "NOT CAUGHT".to_owned());
        println!("{}: {how}", bug.name);
    }
    println!("{missed} bugs not caught");
    Ok(u8::from(missed > 0).into())
}

impl Bug {
    /// Makes the mistake; returns the file as it was.
    fn plant(&self, tree: &Path) -> Result<String> {
        let path = tree.join(self.file);
        let original = fs::read_to_string(&path)?;
        fs::write(&path, self.made_in(&original)?)?;
        Ok(original)
    }

    /// The file with the mistake in it.
    fn made_in(&self, original: &str) -> Result<String> {
        let mut text = original.to_owned();
        for (right, wrong) in self.edits {
            let found = text.matches(right).count();
            ensure!(
                found == 1,
                "{}: {:?} is {found} times in {}: say anew what the mistake is",
                self.name,
                right,
                self.file
            );
            text = text.replace(right, wrong);
        }
        Ok(text)
    }
}

/// What the model test says in the tree: the first seed that fails; `None` where it passes.
fn caught_by(tree: &Path) -> Result<Option<String>> {
    let output = cargo()
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target().join("planted/target"))
        .env("RUST_BACKTRACE", "0")
        .args(["test", "--package", "kube-ingress-dash", "--test", "model"])
        .output()
        .context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let seed = said
        .lines()
        .find_map(|line| line.strip_prefix("seed ")?.split_once(" fails"))
        .map(|(seed, _)| seed);
    ensure!(
        output.status.success() || seed.is_some(),
        "the model test did not run:\n{said}"
    );
    // After the line with the place, which is of no use here.
    let why = said
        .lines()
        .skip_while(|line| !line.contains("panicked at"))
        .nth(1)
        .unwrap_or_default();
    let why: String = why.chars().take(80).collect();
    Ok(seed.map(|seed| format!("caught by seed {seed} ({why})")))
}

fn copy_tracked_files(tree: &Path) -> Result<()> {
    let listed = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z"])
        .output()
        .context("cannot start git")?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
        let (from, to) = (root().join(name), tree.join(name));
        let Ok(new) = fs::read(&from) else {
            continue; // Deleted and not committed.
        };
        // A file that is as it was is left alone, so that nothing is compiled for it.
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(tree))?;
        fs::write(&to, new)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_can_still_be_made() -> Result<()> {
        for bug in BUGS {
            bug.made_in(&fs::read_to_string(root().join(bug.file))?)?;
        }
        Ok(())
    }
}
