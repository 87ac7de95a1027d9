//! Whether a row matches: the words, prepared for many rows.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memmem::{self, Finder};

use super::address::{Address, Reach};
use super::{Field, Filter, IS_VALUES, TLS_VALUES, Term};
use crate::ingress::{Ingress, ServiceBackend};
use crate::tls::Coverage;

/// A [`Filter`] whose searches are prepared.
#[derive(Debug)]
pub struct Matcher<'f> {
    terms: Vec<Prepared<'f>>,
}

#[derive(Debug)]
struct Prepared<'f> {
    negated: bool,
    field: Option<Field>,
    tests: Vec<Test<'f>>,
    address: Option<Address<'f>>,
    object: Option<(&'f str, &'f str)>,
}

impl<'f> Prepared<'f> {
    fn new(term: &'f Term) -> Self {
        let test = |value: &'f String| Test {
            value,
            finder: (term.field.is_none() || !value.contains('*'))
                .then(|| Finder::new(value.as_bytes())),
            is_word: term.field.is_some_and(|field| is_word(field, value)),
        };
        Self {
            negated: term.negated,
            field: term.field,
            tests: term.values.iter().map(test).collect(),
            address: term.address(),
            object: term.object(),
        }
    }

    fn matches(&self, row: &Ingress, haystack: &str) -> bool {
        let is_in_text = match self.field {
            Some(field) => field_matches(field, &self.tests, row),
            None => self.tests.iter().any(|test| test.is_in(haystack, false)),
        };
        is_in_text
            || (self.object).is_some_and(|(namespace, name)| {
                row.namespace == namespace && row.name.starts_with(name)
            })
            || (self.address).is_some_and(|address| address.taker(row).is_some())
    }
}

/// One value that is looked for.
#[derive(Debug)]
struct Test<'f> {
    value: &'f str,
    /// None where the value has a `*`.
    finder: Option<Finder<'f>>,
    /// It is no text but a word such as `none`.
    is_word: bool,
}

impl Test<'_> {
    /// Whether a text, which is in lower case, has the value in it, or is it as a whole.
    fn is_in(&self, text: &str, whole: bool) -> bool {
        match &self.finder {
            _ if self.is_word => false,
            None => like(text, self.value),
            Some(_) if whole => text == self.value,
            Some(finder) => finder.find(text.as_bytes()).is_some(),
        }
    }
}

impl<'f> Matcher<'f> {
    pub(super) fn new(filter: &'f Filter) -> Self {
        Self {
            terms: filter.terms.iter().map(Prepared::new).collect(),
        }
    }
}

impl Matcher<'_> {
    /// Whether the row, whose [`haystack`] is given, matches.
    #[must_use]
    pub fn matches(&self, row: &Ingress, haystack: &str) -> bool {
        (self.terms.iter()).all(|term| term.matches(row, haystack) != term.negated)
    }

    /// Where a row that matches stands among those that do, the first being 0: by how it takes the
    /// host that is asked for. All are equal where none is.
    #[must_use]
    pub fn rank(&self, row: &Ingress) -> u8 {
        let address = self.terms.iter().find_map(|term| term.address);
        address.map_or(0, |address| {
            (address.taker(row)).map_or(Reach::Text as u8 * 2, |taker| taker.rank())
        })
    }
}

/// What free text is searched in, one text a line, in lower case: what the table shows of a row.
#[must_use]
pub fn haystack(row: &Ingress) -> String {
    let mut text = String::with_capacity(row.name.len() + row.namespace.len() + 128);
    text.push_str(&row.name);
    for part in std::iter::once(row.namespace.as_str())
        .chain(row.hosts.iter().map(String::as_str))
        .chain(paths(row))
        .chain(row.ingress_class_name.as_deref())
        .chain(secrets(row))
        .chain(row.addresses.iter().map(String::as_str))
    {
        text.push('\n');
        text.push_str(part);
    }
    for service in services(row) {
        text.push('\n');
        text.push_str(&service.name);
        if let Some(port) = &service.port {
            let _ = write!(text, ":{port}");
        }
    }
    if text.is_ascii() {
        text.make_ascii_lowercase();
    } else {
        text = text.to_lowercase();
    }
    text.shrink_to_fit();
    text
}

fn paths(row: &Ingress) -> impl Iterator<Item = &str> {
    row.rules
        .iter()
        .flat_map(|rule| &rule.paths)
        .filter_map(|path| path.path.as_deref())
}

fn services(row: &Ingress) -> impl Iterator<Item = &ServiceBackend> {
    row.rules
        .iter()
        .flat_map(|rule| &rule.paths)
        .map(|path| &path.backend)
        .chain(&row.default_backend)
        .filter_map(|backend| backend.service.as_ref())
}

fn secrets(row: &Ingress) -> impl Iterator<Item = &str> {
    (row.tls_entries.iter()).filter_map(|entry| entry.secret_name.as_deref())
}

/// The values of a row in a field, as they are typed after the key; each once.
pub(crate) fn values(field: Field, row: &Ingress) -> Vec<Cow<'_, str>> {
    match field {
        Field::Host => or_none(row.hosts.iter().map(String::as_str).collect()),
        Field::Namespace => vec![Cow::Borrowed(&row.namespace)],
        Field::Name => vec![Cow::Borrowed(&row.name)],
        Field::Class => or_none(row.ingress_class_name.as_deref().into_iter().collect()),
        Field::Service => once(services(row).map(|service| service.name.as_str()).collect()),
        Field::Path => once(paths(row).collect()),
        Field::Tls => words(&TLS_VALUES, field, row),
        Field::Is => words(&IS_VALUES, field, row),
        Field::Label => row
            .labels
            .iter()
            .map(|(key, value)| Cow::Owned(format!("{key}={value}")))
            .collect(),
        Field::Annotation => (row.annotation_keys.iter())
            .map(|key| Cow::Borrowed(key.as_str()))
            .collect(),
        Field::Address => or_none(row.addresses.iter().map(String::as_str).collect()),
    }
}

/// Those of a field's words that match.
fn words(all: &'static [&'static str], field: Field, row: &Ingress) -> Vec<Cow<'static, str>> {
    all.iter()
        .filter(|word| says(field, word, row))
        .map(|word| Cow::Borrowed(*word))
        .collect()
}

fn or_none(values: Vec<&str>) -> Vec<Cow<'_, str>> {
    if values.is_empty() {
        return vec![Cow::Borrowed("none")];
    }
    once(values)
}

fn once(mut values: Vec<&str>) -> Vec<Cow<'_, str>> {
    values.sort_unstable();
    values.dedup();
    values.into_iter().map(Cow::Borrowed).collect()
}

fn field_matches(field: Field, tests: &[Test<'_>], row: &Ingress) -> bool {
    let whole = matches!(field, Field::Namespace | Field::Class);
    let is = |text: &str| {
        let text = folded(text);
        tests.iter().any(|test| test.is_in(&text, whole))
    };
    let mut words = tests.iter().filter(|test| test.is_word);
    words.any(|test| says(field, test.value, row))
        || match field {
            Field::Host => row.hosts.iter().any(|host| is(host)),
            Field::Namespace => is(&row.namespace),
            Field::Name => is(&row.name),
            Field::Class => row.ingress_class_name.as_deref().is_some_and(is),
            Field::Service => services(row).any(|service| is(&service.name)),
            Field::Path => paths(row).any(is),
            Field::Tls => secrets(row).any(is),
            Field::Is => false,
            Field::Label => (row.labels.iter()).any(|(key, text)| is(&format!("{key}={text}"))),
            Field::Annotation => row.annotation_keys.iter().any(|key| is(key)),
            Field::Address => row.addresses.iter().any(|address| is(address)),
        }
}

/// Whether a value of the field is no text but says something of a row.
fn is_word(field: Field, value: &str) -> bool {
    match field {
        Field::Host | Field::Class => value == "none",
        // The table calls an address that there is not yet pending.
        Field::Address => ["none", "pending"].contains(&value),
        Field::Tls => TLS_VALUES.contains(&value),
        Field::Is => true,
        _ => false,
    }
}

/// Whether what such a word says of the row is so.
fn says(field: Field, word: &str, row: &Ingress) -> bool {
    match (field, word) {
        (Field::Host, _) => row.hosts.is_empty(),
        // Nothing keeps a class from being called that.
        (Field::Class, _) => (row.ingress_class_name.as_deref()).is_none_or(|class| class == word),
        (Field::Address, _) => row.addresses.is_empty(),
        (Field::Tls, "yes") => row.coverage() != Coverage::None,
        (Field::Tls, "no") => row.coverage() == Coverage::None,
        (Field::Tls, _) => row.coverage() == Coverage::Partly,
        (Field::Is, "wildcard") => row.hosts.iter().any(|host| host.starts_with("*.")),
        (Field::Is, "default") => row.default_backend.is_some(),
        (Field::Is, "hostless") => row.rules.iter().all(|rule| rule.host.is_none()),
        _ => false,
    }
}

/// The text in lower case.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    if (text.bytes()).all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// Whether the whole text is `pattern`, in which `*` is any characters. Letters have to be of the
/// same case. The time is linear in both.
#[must_use]
pub fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    // Between the ends the first place where a part is leaves most room for those that follow.
    for part in parts {
        match memmem::find(rest.as_bytes(), part.as_bytes()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
