//! A choice of namespaces: what a stream, a list or a feed covers.

use std::collections::BTreeSet;

/// Every namespace that may be seen, or those named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Every namespace that may be seen.
    #[default]
    All,
    /// These, which may be none: then nothing is covered.
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
    /// Empty parts and repeats fold. A query that names nothing asks for [`Scope::All`].
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
        Ok(match names.is_empty() {
            true => Self::All,
            false => Self::Namespaces(names),
        })
    }

    /// Whether no namespace is in the scope. A query cannot name such a scope: there is nothing to
    /// ask for.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.names().is_some_and(BTreeSet::is_empty)
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

/// The comma-separated form of a query's `namespaces`: empty for all, and where there is nothing to
/// ask for ([`Scope::is_nothing`]).
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
mod tests;
