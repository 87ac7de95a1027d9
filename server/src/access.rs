//! The rights of viewers. Rows, counts, states and names are read by a [`Visible`], and a [`Viewer`] is
//! the only thing that makes one.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::Scope;

/// Who makes a request. Nobody signs in, so all are the same viewer, who may see everything that
/// the dashboard's account may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewer(());

impl Viewer {
    /// What this viewer may see of the namespaces that are asked for: all of them. The rights of a
    /// viewer are intersected with them here.
    #[must_use]
    pub fn sees(self, asked: Scope) -> Visible {
        Visible::new(asked)
    }
}

/// What a viewer may see of the namespaces that were asked for: every namespace, some, or none.
/// Equal ones share documents and writes, and an id of one is no id of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    scope: Scope,
    hash: u64,
}

impl Visible {
    fn new(scope: Scope) -> Self {
        let mut hasher = DefaultHasher::new();
        scope.hash(&mut hasher);
        Self {
            scope,
            hash: hasher.finish(),
        }
    }

    /// The namespaces.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether every namespace is visible.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.scope == Scope::All
    }

    /// Whether the namespace is visible.
    #[must_use]
    pub fn contains(&self, namespace: &str) -> bool {
        self.scope.contains(namespace)
    }

    /// The names, unless every namespace is visible.
    #[must_use]
    pub fn names(&self) -> Option<&BTreeSet<String>> {
        self.scope.names()
    }

    /// What ids and shared writes are bound to.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// The hash, which says nothing of the names.
impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(names: &[&str]) -> Visible {
        let names = names.iter().map(ToString::to_string).collect();
        Viewer::default().sees(Scope::Namespaces(names))
    }

    #[test]
    fn nothing_is_not_everything() {
        let (everything, nothing) = (Viewer::default().sees(Scope::All), seen(&[]));
        assert_ne!(everything, nothing);
        assert_ne!(everything.to_string(), nothing.to_string());
        assert!(everything.is_everything() && everything.contains("a"));
        assert!(!nothing.is_everything() && !nothing.contains("a"));
        assert_eq!(nothing.names().map(BTreeSet::len), Some(0));
    }

    #[test]
    fn equal_namespaces_are_equally_visible() {
        assert_eq!(seen(&["a", "b"]), seen(&["b", "a"]));
        assert_eq!(seen(&["a", "b"]).to_string(), seen(&["b", "a"]).to_string());
        assert_ne!(seen(&["a"]).to_string(), seen(&["b"]).to_string());
        assert!(seen(&["a"]).contains("a") && !seen(&["a"]).contains("b"));
    }
}
