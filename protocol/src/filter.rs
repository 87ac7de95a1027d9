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

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use memchr::memmem::{self, Finder};

use crate::ingress::{Ingress, ServiceBackend};
use crate::scope::is_dns_label;
use crate::tls::Coverage;

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

/// What a word is likely meant to be where it is not what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// `key:value` with a key that is none: the word is searched as text.
    UnknownKey {
        /// As typed, without its colon.
        key: String,
        /// What stands after the colon.
        value: String,
        /// The key that is likely meant.
        likely: Option<Field>,
    },
    /// A value that no row can have.
    UnknownValue {
        /// The field.
        field: Field,
        /// The value.
        value: String,
        /// Those that there are.
        allowed: &'static [&'static str],
    },
}

/// The values of `tls:` that are no part of a secret's name.
pub const TLS_VALUES: [&str; 3] = ["yes", "partly", "no"];

/// The values of `is:`.
pub const IS_VALUES: [&str; 3] = ["wildcard", "default", "hostless"];

/// The words of a search that are likely not what they were meant to be.
#[must_use]
pub fn mistakes(text: &str) -> Vec<Mistake> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let body = word.strip_prefix('-').unwrap_or(word);
        let Some((key, value)) = body.split_once(':') else {
            continue;
        };
        match Field::of_key(key) {
            Some(field @ Field::Is) => found.extend(
                (value.split(','))
                    .filter(|value| !value.is_empty())
                    .filter(|value| !IS_VALUES.contains(&value.to_lowercase().as_str()))
                    .map(|value| Mistake::UnknownValue {
                        field,
                        value: value.to_owned(),
                        allowed: &IS_VALUES,
                    }),
            ),
            Some(_) => {}
            // A URL has a colon too, and so has a port.
            None if key.is_empty()
                || value.starts_with("//")
                || !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
                || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) => {}
            None => found.push(Mistake::UnknownKey {
                key: key.to_owned(),
                value: value.to_owned(),
                likely: likely_field(&key.to_lowercase()),
            }),
        }
    }
    found
}

/// The field that a key is likely meant to be: by its long name, by what is often put into a
/// label, else by its letters.
fn likely_field(key: &str) -> Option<Field> {
    let by_name = match key {
        "namespace" | "namespaces" | "project" => Field::Namespace,
        "hosts" | "hostname" | "domain" | "dns" | "fqdn" => Field::Host,
        "service" | "services" | "backend" => Field::Service,
        "address" | "ip" | "lb" | "loadbalancer" => Field::Address,
        "ingressclass" | "controller" => Field::Class,
        "secret" | "cert" | "certificate" | "ssl" | "https" => Field::Tls,
        "annotations" | "annot" | "anno" => Field::Annotation,
        "labels" | "owner" | "team" | "app" | "env" | "tier" => Field::Label,
        "ingress" | "title" => Field::Name,
        "url" | "route" | "prefix" => Field::Path,
        _ => {
            return Field::ALL
                .into_iter()
                .filter(|field| key.len() > 1 && distance(key, field.key()) <= 1)
                .min_by_key(|field| distance(key, field.key()));
        }
    };
    Some(by_name)
}

/// How many letters have to be put in, taken out, changed or swapped with their neighbour to make
/// one of the other (optimal string alignment).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

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
        Matcher {
            terms: self.terms.iter().map(Prepared::new).collect(),
        }
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

/// A host, and the path after it where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address<'w> {
    host: &'w str,
    path: Option<&'w str>,
    /// Only a rule that names a host takes it.
    is_named: bool,
}

impl<'w> Address<'w> {
    /// Reads a URL, or what people paste of one. Without a scheme a host has a dot in it; an IP
    /// address is no host name.
    fn parse(word: &'w str) -> Option<Self> {
        let (scheme, rest) = match word.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, word),
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = (authority.rsplit_once('@')).map_or(authority, |(_, host)| host);
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) => return None,
            None => authority,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_label = |label: &str| {
            let mut bytes = label.bytes();
            !label.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let (first, last) = name.rsplit_once('.').unwrap_or(("", name));
        let is_host = name.split('.').all(is_label)
            && !last.bytes().all(|byte| byte.is_ascii_digit())
            && (scheme.is_some_and(|scheme| !scheme.is_empty()) || !first.is_empty());
        let path = &tail[..tail.find(['?', '#']).unwrap_or(tail.len())];
        is_host.then_some(Self {
            host,
            path: Some(path).filter(|path| !path.is_empty()),
            is_named: false,
        })
    }

    /// What of the row takes it, the nearest first.
    fn taker<'r>(&self, row: &'r Ingress) -> Option<Taker<'r>> {
        let has_path = |host: Option<&str>| {
            let of_host = row.rules.iter().filter(|rule| rule.host.as_deref() == host);
            self.path.is_none_or(|path| {
                let mut paths = of_host.flat_map(|rule| &rule.paths);
                paths.any(|rule| takes_path(rule.path.as_deref(), &rule.path_type, path))
            })
        };
        let hosts = row.hosts.iter().filter_map(|host| {
            let reach = reach(host, self.host)?;
            Some(Taker {
                host: Some(host),
                reach,
                has_path: has_path(Some(host)),
            })
        });
        let any = row
            .rules
            .iter()
            .any(|rule| rule.host.is_none())
            .then(|| Taker {
                host: None,
                reach: Reach::Any,
                has_path: has_path(None),
            });
        // What a default backend beside rules takes depends on the controller.
        let default = row.default_backend.as_ref().map(|_| Taker {
            host: None,
            reach: if row.rules.is_empty() {
                Reach::Any
            } else {
                Reach::Default
            },
            has_path: true,
        });
        let unnamed = any.into_iter().chain(default);
        hosts
            .chain(unnamed.filter(|_| !self.is_named))
            .min_by_key(Taker::rank)
    }
}

/// What of a row takes the host that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker<'r> {
    /// The host of the rule; none where it is for any host.
    pub host: Option<&'r str>,
    /// By what it takes it.
    pub reach: Reach,
    /// Whether it has a path for the one that is asked for, if one is.
    pub has_path: bool,
}

impl Taker<'_> {
    fn rank(&self) -> u8 {
        self.reach as u8 * 2 + u8::from(!self.has_path)
    }
}

/// By what a row takes a host, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It is the host itself.
    Exact,
    /// A wildcard: in an Ingress it stands for exactly one label.
    Wildcard,
    /// A wildcard, but for several labels: some controllers take them.
    Labels,
    /// It does not take it, but has the word in one of its texts.
    Text,
    /// A rule without host, or a default backend without rules: what no other host is for.
    Any,
    /// A default backend beside rules: some controllers take any host by it.
    Default,
}

/// By what a rule's host takes a host, which is in lower case.
fn reach(rule: &str, host: &str) -> Option<Reach> {
    if rule.eq_ignore_ascii_case(host) {
        return Some(Reach::Exact);
    }
    let suffix = rule.strip_prefix('*')?;
    let at = host.len().checked_sub(suffix.len()).filter(|at| *at > 0)?;
    let label = host.get(..at)?;
    if label == "*" || !host[at..].eq_ignore_ascii_case(suffix) {
        return None;
    }
    Some(if label.contains('.') {
        Reach::Labels
    } else {
        Reach::Wildcard
    })
}

/// Whether a rule's path is for this one. What a controller makes of a path of its own kind
/// (`ImplementationSpecific`) is not known: most take it as a beginning.
fn takes_path(rule: Option<&str>, kind: &str, path: &str) -> bool {
    let Some(rule) = rule else { return true };
    let (rule, path) = (folded(rule), path);
    match kind {
        "Exact" => rule == path,
        "Prefix" => {
            let rule = rule.trim_end_matches('/');
            (path.strip_prefix(rule)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => path.starts_with(&*rule),
    }
}

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
fn folded(text: &str) -> Cow<'_, str> {
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

#[cfg(test)]
mod tests;
