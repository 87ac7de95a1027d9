//! The search field's language: one filter for the browser's table, `/api/ingresses?search=` and
//! the page's `?q=`.
//!
//! Words are separated by spaces and all have to match. A plain word is looked for in name,
//! namespace, hosts, paths and services, whatever the case. `key:value` looks at one field only;
//! a comma between values is "or"; `-` in front of a word leaves its rows out. An unknown key
//! makes a plain word.
//!
//! | key | matches |
//! |---|---|
//! | `name:` `host:` `svc:` `path:` `addr:` | a part of the value |
//! | `label:` | a part of `key=value` |
//! | `ns:` `class:` | the whole value |
//! | `tls:` | `yes`, `no`, `partly`, else a part of a secret's name |
//! | `is:` | `wildcard` (a host), `default` (has a default backend), `hostless` (a rule for any host, or no rule) |
//!
//! `*` in a value stands for any characters and makes the value match as a whole. `none` matches
//! a row without host, class or address.

use std::fmt;

use memchr::memmem::Finder;

use crate::ingress::Ingress;

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
    /// `addr:`
    Address,
}

impl Field {
    /// Every field, in the order in which a list shows them.
    pub const ALL: [Self; 10] = [
        Self::Host,
        Self::Namespace,
        Self::Name,
        Self::Class,
        Self::Service,
        Self::Path,
        Self::Tls,
        Self::Is,
        Self::Label,
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
            Self::Address => "addr",
        }
    }

    fn of_key(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| field.key().eq_ignore_ascii_case(key))
    }
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
            terms: self
                .terms
                .iter()
                .map(|term| {
                    (
                        term,
                        term.values
                            .iter()
                            .map(|value| Finder::new(value.as_bytes()))
                            .collect(),
                    )
                })
                .collect(),
        }
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

    /// Whether this filter matches no row that `other` does not, as far as that can be seen
    /// without rows: what one gets by typing on.
    #[must_use]
    pub fn narrows(&self, other: &Self) -> bool {
        other.terms.iter().all(|old| {
            self.terms.iter().any(|new| {
                new == old
                    || matches!(
                        (new.plain_text(), old.plain_text()),
                        (Some(new), Some(old)) if new.contains(old)
                    )
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
    fn parse(word: &str) -> Option<Self> {
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
}

/// A [`Filter`] whose searches are prepared.
#[derive(Debug)]
pub struct Matcher<'f> {
    /// Each term with a finder for each of its values.
    terms: Vec<(&'f Term, Vec<Finder<'f>>)>,
}

impl Matcher<'_> {
    /// Whether the row, whose [`haystack`] is given, matches.
    #[must_use]
    pub fn matches(&self, row: &Ingress, haystack: &str) -> bool {
        self.terms.iter().all(|(term, finders)| {
            let mut values = term.values.iter().zip(finders);
            let matches = values.any(|(value, finder)| match term.field {
                None => finder.find(haystack.as_bytes()).is_some(),
                Some(field) => field_matches(field, value, row),
            });
            matches != term.negated
        })
    }
}

/// What free text is searched in: name, namespace, hosts, paths and services, one a line, in
/// lower case.
#[must_use]
pub fn haystack(row: &Ingress) -> String {
    let services = services(row);
    let paths = paths(row);
    let mut text = String::with_capacity(row.name.len() + row.namespace.len() + 64);
    text.push_str(&row.name);
    for part in std::iter::once(row.namespace.as_str())
        .chain(row.hosts.iter().map(String::as_str))
        .chain(paths)
        .chain(services)
    {
        text.push('\n');
        text.push_str(part);
    }
    if text.is_ascii() {
        text.make_ascii_lowercase();
        text
    } else {
        text.to_lowercase()
    }
}

fn paths(row: &Ingress) -> impl Iterator<Item = &str> {
    row.rules
        .iter()
        .flat_map(|rule| &rule.paths)
        .filter_map(|path| path.path.as_deref())
}

fn services(row: &Ingress) -> impl Iterator<Item = &str> {
    row.rules
        .iter()
        .flat_map(|rule| &rule.paths)
        .map(|path| &path.backend)
        .chain(&row.default_backend)
        .filter_map(|backend| backend.service.as_ref())
        .map(|service| service.name.as_str())
}

fn field_matches(field: Field, value: &str, row: &Ingress) -> bool {
    let part = |text: &str| has_part(text, value);
    let whole = |text: &str| like(text, value);
    match field {
        Field::Host => match value {
            "none" => row.hosts.is_empty(),
            _ => row.hosts.iter().any(|host| part(host)),
        },
        Field::Namespace => whole(&row.namespace),
        Field::Name => part(&row.name),
        Field::Class => match &row.ingress_class_name {
            None => value == "none",
            Some(class) => whole(class),
        },
        Field::Service => services(row).any(part),
        Field::Path => paths(row).any(part),
        Field::Tls => match value {
            "yes" => row.tls,
            "no" => !row.tls,
            "partly" => is_partly_covered(row),
            _ => row
                .tls_entries
                .iter()
                .filter_map(|entry| entry.secret_name.as_deref())
                .any(part),
        },
        Field::Is => match value {
            "wildcard" => row.hosts.iter().any(|host| host.starts_with("*.")),
            "default" => row.default_backend.is_some(),
            "hostless" => row.rules.iter().all(|rule| rule.host.is_none()),
            _ => false,
        },
        Field::Label => row
            .labels
            .iter()
            .any(|(key, text)| part(&format!("{key}={text}"))),
        Field::Address => match value {
            "none" => row.addresses.is_empty(),
            _ => row.addresses.iter().any(|address| part(address)),
        },
    }
}

/// Whether the row has TLS and hosts that no TLS entry covers.
pub(crate) fn is_partly_covered(row: &Ingress) -> bool {
    row.tls && row.hosts_with_tls() < row.hosts.len()
}

/// Whether `text` has `value`, which is in lower case, in it; with `*` in it, whether it is like it.
fn has_part(text: &str, value: &str) -> bool {
    if value.contains('*') {
        return like(text, value);
    }
    text.len() >= value.len()
        && text
            .as_bytes()
            .windows(value.len())
            .any(|window| window.eq_ignore_ascii_case(value.as_bytes()))
}

/// Whether the whole text is `pattern`, which is in lower case and where `*` is any characters.
fn like(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.as_bytes(), pattern.as_bytes());
    // Where to go on from when the last `*` has to take one byte more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([b'*', rest @ ..], _) => {
                pattern = rest;
                retry = Some((rest, text));
            }
            ([first, pattern_rest @ ..], [byte, text_rest @ ..])
                if first.eq_ignore_ascii_case(byte) =>
            {
                (pattern, text) = (pattern_rest, text_rest);
            }
            ([], []) => return true,
            _ => match retry {
                Some((after_star, [_, text_rest @ ..])) => {
                    retry = Some((after_star, text_rest));
                    (pattern, text) = (after_star, text_rest);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingress::{Backend, Path, Rule, ServiceBackend, TlsEntry};

    fn backend(service: &str) -> Backend {
        Backend {
            service: Some(ServiceBackend {
                name: service.into(),
                port: None,
            }),
            resource: None,
        }
    }

    fn row() -> Ingress {
        Ingress {
            name: "storefront".into(),
            namespace: "shop".into(),
            hosts: vec!["shop.example.com".into(), "*.promo.example.com".into()],
            tls: true,
            rules: vec![Rule {
                host: Some("shop.example.com".into()),
                paths: vec![Path {
                    path: Some("/Cart".into()),
                    path_type: "Prefix".into(),
                    backend: backend("cart-v2"),
                }],
            }],
            ingress_class_name: Some("nginx".into()),
            addresses: vec!["192.0.2.7".into()],
            tls_entries: vec![TlsEntry {
                secret_name: Some("shop-tls".into()),
                hosts: vec!["shop.example.com".into()],
            }],
            labels: [("app".to_owned(), "Store".to_owned())].into(),
            ..Ingress::default()
        }
    }

    fn bare() -> Ingress {
        Ingress {
            name: "fallback".into(),
            namespace: "edge".into(),
            default_backend: Some(backend("landing")),
            ..Ingress::default()
        }
    }

    #[test]
    fn words_match_as_documented() {
        // What is typed, whether it matches `row()`, whether it matches `bare()`.
        let cases = [
            ("", true, true),
            ("   ", true, true),
            ("STORE", true, false),
            ("store shop", true, false),
            ("store edge", false, false),
            ("/cart", true, false),
            ("cart-v2", true, false),
            ("landing", false, true),
            ("nginx", false, false),
            ("-store", false, true),
            ("-", true, true),
            ("-host:", true, true),
            ("host:shop.example", true, false),
            ("host:*.promo.example.com", true, false),
            ("host:shop.*", true, false),
            ("host:none", false, true),
            ("host:", true, true),
            ("host:,", true, true),
            ("ns:shop", true, false),
            ("ns:sho", false, false),
            ("ns:sh*", true, false),
            ("ns:edge,shop", true, true),
            ("-ns:edge,other", true, false),
            ("name:front", true, false),
            ("class:nginx", true, false),
            ("class:NGINX", true, false),
            ("class:ngin", false, false),
            ("class:none", false, true),
            ("-class:none", true, false),
            ("svc:cart", true, false),
            ("svc:landing", false, true),
            ("path:/cart", true, false),
            ("tls:yes", true, false),
            ("tls:no", false, true),
            ("tls:partly", true, false),
            ("tls:shop-t", true, false),
            ("is:wildcard", true, false),
            ("is:default", false, true),
            ("is:hostless", false, true),
            ("is:nonsense", false, false),
            ("label:app=store", true, false),
            ("label:app", true, false),
            ("label:tier", false, false),
            ("addr:192.0.2", true, false),
            ("addr:none", false, true),
            ("owner:shop", false, false),
            ("host:shop -tls:no", true, false),
        ];
        for (text, full, empty) in cases {
            let filter = Filter::parse(text);
            assert_eq!(
                filter.matches(&row()),
                full,
                "{text:?} against the full row"
            );
            assert_eq!(
                filter.matches(&bare()),
                empty,
                "{text:?} against the bare row"
            );
        }
    }

    #[test]
    fn an_unknown_key_is_searched_as_text() {
        let filter = Filter::parse("owner:web");
        assert_eq!(filter.terms()[0].field, None);
        let odd = Ingress {
            rules: vec![Rule {
                host: None,
                paths: vec![Path {
                    path: Some("/owner:web".into()),
                    ..Path::default()
                }],
            }],
            ..Ingress::default()
        };
        assert!(filter.matches(&odd));
    }

    #[test]
    fn text_does_not_match_across_two_values() {
        assert!(!Filter::parse("storefrontshop").matches(&row()));
    }

    #[test]
    fn a_word_toggles() {
        let filter = Filter::parse("store tls:no");
        assert!(filter.has("TLS:no"));
        assert_eq!(filter.toggled("tls:no").to_string(), "store");
        assert_eq!(
            filter.toggled("class:none").to_string(),
            "store tls:no class:none"
        );
    }

    fn words() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[a-c]{1,3}",
            "-?(ns|name|host|class|svc|is|tls):[a-c*]{1,3}(,[a-c]{1,2})?",
        ]
    }

    fn rows() -> impl Strategy<Value = Ingress> {
        ("[a-c]{1,4}", "[a-c]{1,3}", prop::option::of("[a-c]{1,3}")).prop_map(
            |(name, namespace, class)| Ingress {
                hosts: vec![format!("{name}.{namespace}")],
                name,
                namespace,
                ingress_class_name: class,
                ..Ingress::default()
            },
        )
    }

    proptest! {
        #[test]
        fn every_text_parses_and_its_display_is_the_same_filter(text in ".{0,40}") {
            let filter = Filter::parse(&text);
            prop_assert_eq!(Filter::parse(&filter.to_string()), filter);
        }

        #[test]
        fn a_filter_that_narrows_matches_no_further_row(
            old in prop::collection::vec(words(), 0..3),
            new in prop::collection::vec(words(), 0..4),
            typed_on in "[a-c]{0,2}",
            row in rows(),
        ) {
            let grown = Filter::parse(&format!("{}{typed_on}", old.join(" ")));
            let old = Filter::parse(&old.join(" "));
            for new in [grown, Filter::parse(&new.join(" "))] {
                if new.narrows(&old) && new.matches(&row) {
                    prop_assert!(old.matches(&row));
                }
            }
        }

        #[test]
        fn a_star_stands_for_any_characters(text in "[aAb]{0,8}", pattern in "[ab*]{0,8}") {
            prop_assert_eq!(
                like(&text, &pattern),
                naively_like(text.to_lowercase().as_bytes(), pattern.as_bytes())
            );
        }
    }

    fn naively_like(text: &[u8], pattern: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|skip| naively_like(&text[skip..], rest)),
            [first, rest @ ..] => text.first() == Some(first) && naively_like(&text[1..], rest),
        }
    }
}
