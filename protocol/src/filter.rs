//! The search field's language: one filter for the browser's table, `/api/ingresses?search=` and
//! the page's `?q=`.
//!
//! Words are separated by spaces and all have to match. A plain word is looked for in what the
//! table shows: name, namespace, hosts, paths, services with their ports, class, secrets and
//! addresses, whatever the case. `namespace/name` finds that ingress. `key:value` looks at one
//! field only; a comma between values is "or"; `-` in front of a word leaves its rows out. An
//! unknown key makes a plain word.
//!
//! A plain word that is a host name (`shop.example.com`), or one with more around it
//! (`https://shop.example.com/cart?x=1`, `shop.example.com:443`), also finds what takes that host
//! by a wildcard or takes any host: see [`Filter::taker`].
//!
//! | key | matches |
//! |---|---|
//! | `name:` `svc:` `path:` `addr:` | a part of the value |
//! | `host:` | a part of a host; a host name also finds the wildcards that take it |
//! | `label:` | a part of `key=value` |
//! | `annotation:` | a part of the key |
//! | `ns:` `class:` | the whole value |
//! | `tls:` | `yes`, `no`, `partly`, else a part of a secret's name |
//! | `is:` | `wildcard` (a host), `default` (has a default backend), `hostless` (a rule for any host, or no rule) |
//!
//! `*` in a value stands for any characters and makes the value match as a whole. `none` matches
//! a row without host, class or address; `addr:pending` is `addr:none` in the table's word.
//!
//! What a row costs is linear in its texts, in the values that are looked for ([`Filter::values`])
//! and in their length.

mod address;
mod matching;
mod mistakes;

use std::fmt;

use self::address::Address;
pub use self::address::{Reach, Taker};
pub(crate) use self::matching::values;
pub use self::matching::{Matcher, haystack, like};
pub use self::mistakes::{Mistake, distance, mistakes};
use crate::ingress::Ingress;
use crate::scope::is_dns_label;

/// A parsed search. The empty filter matches every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One word of a search. Displayed as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Rows that match are left out.
    pub negated: bool,
    /// `None`: free text.
    pub field: Option<Field>,
    /// In lower case, at least one; one of them has to match.
    pub values: Vec<String>,
}

/// The keys of `key:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `host:`
    Host,
    /// `ns:`
    Namespace,
    /// `name:`
    Name,
    /// `class:`
    Class,
    /// `svc:`
    Service,
    /// `path:`
    Path,
    /// `tls:`
    Tls,
    /// `is:`
    Is,
    /// `label:`
    Label,
    /// `annotation:`
    Annotation,
    /// `addr:`
    Address,
}

impl Field {
    /// Every field, in the order in which a list shows them.
    pub const ALL: [Self; 11] = [
        Self::Host,
        Self::Namespace,
        Self::Name,
        Self::Class,
        Self::Service,
        Self::Path,
        Self::Tls,
        Self::Is,
        Self::Label,
        Self::Annotation,
        Self::Address,
    ];

    /// The key, without its colon.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Namespace => "ns",
            Self::Name => "name",
            Self::Class => "class",
            Self::Service => "svc",
            Self::Path => "path",
            Self::Tls => "tls",
            Self::Is => "is",
            Self::Label => "label",
            Self::Annotation => "annotation",
            Self::Address => "addr",
        }
    }

    /// The field of a key, whatever the case.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| field.key().eq_ignore_ascii_case(key))
    }
}

/// The values of `tls:` that are no part of a secret's name.
pub const TLS_VALUES: [&str; 3] = ["yes", "partly", "no"];

/// The values of `is:`.
pub const IS_VALUES: [&str; 3] = ["wildcard", "default", "hostless"];

/// A text in parts: those that one of the words, which are in lower case, matches are true.
#[must_use]
pub fn marked<'t>(text: &'t str, words: &[String]) -> Vec<(&'t str, bool)> {
    let bytes = text.as_bytes();
    let starts_here = |at: usize| {
        words
            .iter()
            .filter(|word| !word.is_empty())
            .filter(|word| {
                bytes.len() - at >= word.len()
                    && bytes[at..at + word.len()].eq_ignore_ascii_case(word.as_bytes())
            })
            .map(String::len)
            .max()
    };
    let mut parts = Vec::new();
    let (mut plain, mut at) = (0, 0);
    // A word is whole characters, and so is what equals it.
    while at < bytes.len() {
        match starts_here(at) {
            Some(len) => {
                if plain < at {
                    parts.push((&text[plain..at], false));
                }
                parts.push((&text[at..at + len], true));
                at += len;
                plain = at;
            }
            None => at += 1,
        }
    }
    if plain < bytes.len() {
        parts.push((&text[plain..], false));
    }
    parts
}

impl Filter {
    /// Parses what is typed; every text is a filter. A word that is only begun (`host:`, `-`)
    /// filters nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self {
            terms: text.split_whitespace().filter_map(Term::parse).collect(),
        }
    }

    /// Whether every row matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The words, in the order typed.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether the row matches.
    #[must_use]
    pub fn matches(&self, row: &Ingress) -> bool {
        let searched = if self.terms.iter().any(|term| term.field.is_none()) {
            haystack(row)
        } else {
            String::new()
        };
        self.matcher().matches(row, &searched)
    }

    /// The filter, prepared for many rows.
    #[must_use]
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher::new(self)
    }

    /// How many values are looked for: what the filter costs with each row.
    #[must_use]
    pub fn values(&self) -> usize {
        self.terms.iter().map(|term| term.values.len()).sum()
    }

    /// The host that a word asks for, in lower case. Where one does, rows have a [`Matcher::rank`].
    #[must_use]
    pub fn host_asked(&self) -> Option<&str> {
        self.address().map(|address| address.host)
    }

    /// What of the row takes the host that a word asks for. A row that only has the word in one of
    /// its texts takes it not.
    #[must_use]
    pub fn taker<'r>(&self, row: &'r Ingress) -> Option<Taker<'r>> {
        self.address()?.taker(row)
    }

    fn address(&self) -> Option<Address<'_>> {
        self.terms.iter().find_map(Term::address)
    }

    /// Whether the word (such as `tls:no`) is one of the terms.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        Term::parse(word).is_some_and(|term| self.terms.contains(&term))
    }

    /// The filter with the word added, or removed where it was there.
    #[must_use]
    pub fn toggled(&self, word: &str) -> Self {
        let mut toggled = self.clone();
        if let Some(term) = Term::parse(word) {
            let before = toggled.terms.len();
            toggled.terms.retain(|other| *other != term);
            if toggled.terms.len() == before {
                toggled.terms.push(term);
            }
        }
        toggled
    }

    /// The word of a field, if there is one.
    #[must_use]
    pub fn term(&self, field: Field) -> Option<&Term> {
        self.terms.iter().find(|term| term.field == Some(field))
    }

    /// The filter with these values of a field instead of those that it has; none leaves the
    /// field out.
    #[must_use]
    pub fn with(&self, field: Field, negated: bool, values: Vec<String>) -> Self {
        let mut other = self.clone();
        let at = other
            .terms
            .iter()
            .position(|term| term.field == Some(field));
        other.terms.retain(|term| term.field != Some(field));
        if !values.is_empty() {
            let term = Term {
                negated,
                field: Some(field),
                values,
            };
            let at = at.unwrap_or(other.terms.len()).min(other.terms.len());
            other.terms.insert(at, term);
        }
        other
    }

    /// The filter that leaves out the rows with this value of a field as well. Where it asked for
    /// the value it no longer does.
    #[must_use]
    pub fn leaving_out(&self, field: Field, value: &str) -> Self {
        let mut other = self
            .letting_in(field, value)
            .forgetting(field, value, false);
        let value = value.to_lowercase();
        let negated = |term: &&mut Term| term.negated && term.field == Some(field);
        match other.terms.iter_mut().find(negated) {
            Some(term) => term.values.push(value),
            None => other.terms.push(Term {
                negated: true,
                field: Some(field),
                values: vec![value],
            }),
        }
        other
    }

    /// The filter that does not leave out the rows with this value of a field.
    #[must_use]
    pub fn letting_in(&self, field: Field, value: &str) -> Self {
        self.forgetting(field, value, true)
    }

    /// The filter without this value of a field in the terms that are negated, or in those that are
    /// not.
    fn forgetting(&self, field: Field, value: &str, negated: bool) -> Self {
        let value = value.to_lowercase();
        let mut other = self.clone();
        other.terms.retain_mut(|term| {
            if term.negated == negated && term.field == Some(field) {
                term.values.retain(|known| *known != value);
            }
            !term.values.is_empty()
        });
        other
    }

    /// The filter without one of its words.
    #[must_use]
    pub fn without(&self, index: usize) -> Self {
        let mut other = self.clone();
        if index < other.terms.len() {
            other.terms.remove(index);
        }
        other
    }

    /// What is to be marked in the text of a field: the plain words, and the values that are
    /// looked for in this field.
    #[must_use]
    pub fn marks(&self, field: Field) -> Vec<String> {
        self.terms
            .iter()
            .filter(|term| !term.negated && term.field.is_none_or(|own| own == field))
            .flat_map(|term| {
                let part = match (field, term.address(), term.object()) {
                    (Field::Host, Some(address), _) => Some(address.host),
                    (Field::Path, Some(address), _) => address.path,
                    (Field::Namespace, _, Some((namespace, _))) => Some(namespace),
                    (Field::Name, _, Some((_, name))) => Some(name),
                    _ => None,
                };
                term.values.iter().map(String::as_str).chain(part)
            })
            .filter(|value| !value.contains('*'))
            .map(str::to_owned)
            .collect()
    }

    /// Whether this filter matches no row that `other` does not, as far as that can be seen
    /// without rows: what one gets by typing on.
    #[must_use]
    pub fn narrows(&self, other: &Self) -> bool {
        other.terms.iter().all(|old| {
            self.terms.iter().any(|new| {
                new == old
                    || match (new.plain_text(), old.plain_text()) {
                        // One that means more than its letters matches more than they do.
                        (Some(text), Some(part)) => {
                            text.contains(part) && new.address().is_none() && new.object().is_none()
                        }
                        _ => false,
                    }
            })
        })
    }
}

/// The filter as typed text, with single spaces.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        if let Some(field) = self.field {
            write!(f, "{}:", field.key())?;
        }
        f.write_str(&self.values.join(","))
    }
}

impl Term {
    /// Parses one word; nothing where it filters nothing.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let (negated, body) = match word.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, word.as_str()),
        };
        let field = body
            .split_once(':')
            .and_then(|(key, values)| Some((Field::of_key(key)?, values)));
        let (field, values): (_, Vec<String>) = match field {
            Some((field, values)) => (
                Some(field),
                values
                    .split(',')
                    .filter(|value| !value.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            None if body.is_empty() => return None,
            None => (None, vec![body.to_owned()]),
        };
        (!values.is_empty()).then_some(Self {
            negated,
            field,
            values,
        })
    }

    fn plain_text(&self) -> Option<&str> {
        (self.field.is_none() && !self.negated).then(|| self.values[0].as_str())
    }

    /// The host that the word asks for: a plain word any rule's, `host:` one that a rule names.
    fn address(&self) -> Option<Address<'_>> {
        match (self.field, self.values.as_slice()) {
            (None, [word]) if !self.negated => Address::parse(word),
            (Some(Field::Host), [word]) if !self.negated => Some(Address {
                is_named: true,
                ..Address::parse(word)?
            }),
            _ => None,
        }
    }

    /// The word as `namespace/name`, of which the name may be only begun.
    fn object(&self) -> Option<(&str, &str)> {
        let word = self.values.first().filter(|_| self.field.is_none())?;
        let (namespace, name) = word.split_once('/')?;
        let is_name = !name.is_empty() && !name.contains('/');
        (is_name && is_dns_label(namespace)).then_some((namespace, name))
    }
}

#[cfg(test)]
mod tests;
