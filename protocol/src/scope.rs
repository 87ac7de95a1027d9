//! A choice of namespaces: what a stream, a list or a feed covers.

use std::collections::BTreeSet;

/// Every namespace that may be seen, or those named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Every namespace that may be seen.
    #[default]
    All,
    /// These, at least one.
    Namespaces(BTreeSet<String>),
}

/// A namespace list that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Not a DNS-1123 label.
    #[error(
        "{0:?} is not a namespace name: allowed are 1 to 63 characters, lower-case letters, digits and '-', with a letter or digit at both ends (DNS-1123 label)"
    )]
    Invalid(String),
    /// More names than one stream takes.
    #[error(
        "{named} namespaces are named and one stream takes {max} (MAX_NAMESPACES_PER_STREAM): name fewer, or none to get all"
    )]
    TooMany {
        /// How many different names there were.
        named: usize,
        /// The limit.
        max: usize,
    },
}

/// Whether `name` is a DNS-1123 label, which is what a namespace is called.
#[must_use]
pub fn is_dns_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

impl Scope {
    /// The scope of a query's `namespaces` and `namespace` values, each a comma-separated list.
    /// Empty parts and repeats fold; nothing named is [`Scope::All`].
    pub fn parse<'a>(
        values: impl IntoIterator<Item = &'a str>,
        max: usize,
    ) -> Result<Self, ScopeError> {
        let mut names = BTreeSet::new();
        for name in values.into_iter().flat_map(|value| value.split(',')) {
            let name = name.trim();
            if name.is_empty() {
                continue;
            }
            if !is_dns_label(name) {
                return Err(ScopeError::Invalid(shorten(name)));
            }
            names.insert(name.to_owned());
        }
        if names.len() > max {
            return Err(ScopeError::TooMany {
                named: names.len(),
                max,
            });
        }
        Ok(Self::of(names))
    }

    /// The scope of these namespaces; none is [`Scope::All`].
    #[must_use]
    pub fn of(names: BTreeSet<String>) -> Self {
        if names.is_empty() {
            Self::All
        } else {
            Self::Namespaces(names)
        }
    }

    /// Whether the namespace is in the scope.
    #[must_use]
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespaces(names) => names.contains(namespace),
        }
    }

    /// The names, where names are given.
    #[must_use]
    pub fn names(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::All => None,
            Self::Namespaces(names) => Some(names),
        }
    }
}

/// The comma-separated form of a query's `namespaces`: empty for all.
impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Namespaces(names) = self else {
            return Ok(());
        };
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// The start of a name that is quoted in an error: it came from outside and may be long.
fn shorten(name: &str) -> String {
    const SHOWN: usize = 80;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_repeats_and_duplicates_fold() {
        let scope = Scope::parse(["b,a,,b", " a ", ""], 50).unwrap();
        assert_eq!(scope.to_string(), "a,b");
        assert_eq!(Scope::parse(["", ","], 50), Ok(Scope::All));
    }

    #[test]
    fn what_is_not_a_dns_label_is_named_in_the_error() {
        for bad in [
            "../../",
            "\0",
            "UPPER",
            "-a",
            "a-",
            "a.b",
            "a b",
            "ä",
            &"x".repeat(300),
        ] {
            let error = Scope::parse([bad], 50).unwrap_err().to_string();
            assert!(error.contains("DNS-1123"), "{error}");
            assert!(error.len() < 400, "{error}");
        }
    }

    #[test]
    fn too_many_counts_different_names() {
        assert!(Scope::parse(["a,a,b"], 2).is_ok());
        assert_eq!(
            Scope::parse(["a,b,c"], 2),
            Err(ScopeError::TooMany { named: 3, max: 2 })
        );
    }

    proptest! {
        #[test]
        fn the_text_form_parses_back(names in prop::collection::btree_set("[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", 0..20)) {
            let scope = Scope::of(names);
            prop_assert_eq!(Scope::parse([scope.to_string().as_str()], 50), Ok(scope));
        }
    }
}
