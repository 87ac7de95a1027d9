//! What the suites found, added up.

use std::fmt;

/// One suite's outcome.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Why something failed or was skipped, a line each.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// The suite itself could not be run.
    pub(crate) fn broken(note: impl Into<String>) -> Self {
        Self {
            failed: 1,
            notes: vec![note.into()],
            ..Self::default()
        }
    }

    /// The suite was left out.
    pub(crate) fn left_out(tests: usize, reason: &str) -> Self {
        Self {
            skipped: tests,
            notes: vec![format!("{tests} skipped: {reason}")],
            ..Self::default()
        }
    }

    /// A suite in which nothing ran has shown nothing: that is a failure.
    pub(crate) fn or_broken_if_empty(self) -> Self {
        if self.passed + self.failed + self.skipped == 0 {
            return Self::broken("no tests were found");
        }
        self
    }

    /// Where everything must run, what was skipped has failed.
    pub(crate) fn without_skips(mut self) -> Self {
        if self.skipped > 0 {
            self.notes
                .push("what is skipped counts as failed here (CI=true)".to_owned());
            self.failed += std::mem::take(&mut self.skipped);
        }
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The last lines of a run: each suite with its notes, then the plain sum alone.
pub(crate) fn summary(suites: &[(&str, Outcome)]) -> String {
    let mut sum = Outcome::default();
    let mut lines = Vec::new();
    for (name, outcome) in suites {
        lines.push(format!("{name}: {outcome}"));
        lines.extend(outcome.notes.iter().map(|note| format!("  {note}")));
        sum.passed += outcome.passed;
        sum.failed += outcome.failed;
        sum.skipped += outcome.skipped;
    }
    lines.push(sum.to_string());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_plain_sum() {
        let rust = Outcome {
            passed: 7,
            failed: 1,
            ..Outcome::default()
        };
        let summary = summary(&[
            ("rust", rust),
            ("cluster", Outcome::left_out(3, "Go is missing")),
        ]);
        let lines: Vec<_> = summary.lines().collect();
        assert_eq!(
            lines,
            [
                "rust: 7 passed, 1 failed, 0 skipped",
                "cluster: 0 passed, 0 failed, 3 skipped",
                "  3 skipped: Go is missing",
                "7 passed, 1 failed, 3 skipped",
            ]
        );
    }

    #[test]
    fn a_skipped_test_fails_where_everything_must_run() {
        let outcome = Outcome::left_out(3, "Go is missing").without_skips();
        assert_eq!((outcome.failed, outcome.skipped), (3, 0));
    }

    #[test]
    fn a_suite_without_tests_fails() {
        assert_eq!(Outcome::default().or_broken_if_empty().failed, 1);
    }
}
