//! Words of a search that are likely not what they were meant to be.

use super::{Field, IS_VALUES};

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
