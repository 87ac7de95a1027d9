//! What a person leaves out of the table: a choice, kept in a cookie.
//!
//! It acts as words of the search, where everybody sees it and can take it back: a visit whose
//! address says nothing starts with them (see [`Query::everything`]).
//!
//! [`Query::everything`]: crate::query::Query::everything

use protocol::filter::{Field, Filter};
use protocol::json::{FromJson, Reader};
use serde::Serialize;

/// The words are sent twice, as cookie and in the address, and proxies take headers of 8 KiB: half of
/// that is left for everything else.
const MOST_BYTES: usize = 2_000;

/// Namespaces and labels whose rows are left out. Written as words of a search:
/// `-ns:kube-system -label:team=platform`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Exclusions(Filter);

impl Exclusions {
    /// The cookie that keeps it, percent-encoded.
    pub const COOKIE: &'static str = "kube-ingress-dash-exclude";
    /// What can be left out.
    pub const FIELDS: [Field; 2] = [Field::Namespace, Field::Label];

    /// Reads the text. Words that do not leave out a namespace or a label are not taken.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut exclusions = Self::default();
        for term in Filter::parse(text).terms() {
            if let (true, Some(field)) = (term.negated, term.field) {
                for value in &term.values {
                    if let Ok(more) = exclusions.with(field, value) {
                        exclusions = more;
                    }
                }
            }
        }
        exclusions
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a field that are left out.
    #[must_use]
    pub fn values(&self, field: Field) -> &[String] {
        self.0.term(field).map_or(&[], |term| &term.values)
    }

    /// With one more value. The error says in plain words why it cannot be.
    pub fn with(&self, field: Field, value: &str) -> Result<Self, String> {
        let (what, known, allowed) = match field {
            Field::Namespace => ("a namespace", "-*", "letters, digits, - and *"),
            Field::Label => ("a label", "-*_./=", "letters, digits and - _ . / = *"),
            _ => return Err("Only namespaces and labels can be left out.".into()),
        };
        let odd = |letter: &char| !letter.is_ascii_alphanumeric() && !known.contains(*letter);
        if let Some(letter) = value.chars().find(odd) {
            return Err(format!(
                "\u{201c}{letter}\u{201d} cannot be in {what}: {allowed} can."
            ));
        }
        if value.is_empty() {
            return Err(format!("Type {what}; * stands for any characters."));
        }
        let more = Self(self.0.leaving_out(field, value));
        if encoded_size(&more.to_string()) > MOST_BYTES {
            return Err(
                "That is more than an address has room for. A * can stand for many.".into(),
            );
        }
        Ok(more)
    }

    /// Without a value.
    #[must_use]
    pub fn without(&self, field: Field, value: &str) -> Self {
        Self(self.0.letting_in(field, value))
    }
}

/// How long the words are in the cookie: these two are written as three characters.
fn encoded_size(text: &str) -> usize {
    let longer = text.bytes().filter(|byte| b",=".contains(byte)).count();
    text.len() + 2 * longer
}

impl std::fmt::Display for Exclusions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl FromJson for Exclusions {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        Self::parse(&reader.text())
    }
}

impl From<Exclusions> for String {
    fn from(exclusions: Exclusions) -> Self {
        exclusions.to_string()
    }
}

#[cfg(test)]
mod tests;
