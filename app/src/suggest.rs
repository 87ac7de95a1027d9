//! What the search field offers: pure, so that each case can be looked at.

use protocol::filter::{Field, Filter, Mistake, Term, distance, mistakes};
use protocol::store::{Store, Values};

use crate::format::count;

/// How many values of one key are offered.
const VALUES: usize = 8;
/// How many values of each field are offered for a plain word.
const FOUND: usize = 3;
/// The fields whose values are offered for a plain word.
const FOUND_IN: [Field; 6] = [
    Field::Class,
    Field::Namespace,
    Field::Host,
    Field::Name,
    Field::Service,
    Field::Address,
];

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The heading that it stands under.
    pub group: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What takes the place of the last word.
    pub word: String,
    /// What that means.
    pub detail: String,
    /// How many rows it would leave.
    pub rows: Option<usize>,
}

/// What the list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Why a word is not what it looks like.
    pub hint: Option<(String, String)>,
    /// What can be taken.
    pub offers: Vec<Offer>,
}

/// The icon of a field and what is typed after its key.
#[must_use]
pub fn about(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Host => ("#i-globe", "a part of a host, none"),
        Field::Namespace => ("#i-ns", "a namespace, team-*"),
        Field::Name => ("#i-route", "a part of the name"),
        Field::Class => ("#i-route", "an ingress class, none"),
        Field::Service => ("#i-server", "a part of a service"),
        Field::Path => ("#i-code", "a part of a path"),
        Field::Tls => ("#i-lock", "yes, no, partly, a secret"),
        Field::Is => ("#i-q", "wildcard, default, hostless"),
        Field::Label => ("#i-tag", "env=prod, team=*"),
        Field::Annotation => ("#i-tag", "a part of an annotation's key"),
        Field::Address => ("#i-server", "an address, pending"),
    }
}

/// The search for what the last word could become, which may be done in steps: it looks at all
/// rows, and a key must not wait for that.
#[derive(Clone, Debug)]
pub struct Search {
    text: String,
    before: Filter,
    /// The fields whose values are looked for.
    fields: Vec<Field>,
    /// What is in these values.
    part: String,
    found: Vec<Values>,
    at: usize,
}

impl Search {
    /// A search that has looked at no row.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let word = last_word(text);
        let body = word.strip_prefix('-').unwrap_or(word);
        let before = &text[..text.len() - word.len()];
        let plain = Filter::parse(body);
        let (fields, part, before) = match keyed(body) {
            Some((key, typed)) => (
                Field::of_key(key).into_iter().collect(),
                typed.rsplit_once(',').map_or(typed, |(_, part)| part),
                Filter::parse(before),
            ),
            // Of a row that has not the word in it no value has.
            None if body.len() > 1 => (
                FOUND_IN.to_vec(),
                plain.host_asked().unwrap_or(body),
                Filter::parse(&format!("{before} {body}")),
            ),
            None => (Vec::new(), "", Filter::default()),
        };
        Self {
            before,
            found: vec![Values::default(); fields.len()],
            part: part.to_owned(),
            text: text.to_owned(),
            fields,
            at: 0,
        }
    }

    /// Whether there is anything to look for in the rows.
    #[must_use]
    pub fn looks(&self) -> bool {
        let word = last_word(&self.text);
        let key = keyed(word.trim_start_matches('-'));
        !self.fields.is_empty() || key.is_some_and(|(_, typed)| !typed.is_empty())
    }

    /// Looks at so many further rows; whether all have been looked at.
    pub fn step(&mut self, store: &Store, rows: usize) -> bool {
        if self.fields.is_empty() {
            return true;
        }
        let next = self.at.saturating_add(rows);
        let more = store.collect_values(
            self.at..next,
            &self.fields,
            &self.before,
            &self.part,
            &mut self.found,
        );
        self.at = next;
        !more
    }

    /// What was found.
    #[must_use]
    pub fn finish(self, store: &Store) -> Offers {
        let word = last_word(&self.text);
        let (sign, body) = match word.strip_prefix('-') {
            Some(body) => ("-", body),
            None => ("", word),
        };
        let mut list = Offers {
            hint: mistakes(word).first().map(explained),
            offers: Vec::new(),
        };
        let mut found = self.found.into_iter();
        let Some((key, typed)) = keyed(body) else {
            let lower = body.to_lowercase();
            let keys = Field::ALL
                .into_iter()
                .filter(|field| field.key().starts_with(&lower));
            list.offers.extend(keys.map(|field| Offer {
                group: "Filter by",
                icon: about(field).0,
                word: format!("{sign}{}:", field.key()),
                detail: about(field).1.into(),
                rows: None,
            }));
            for (field, values) in self.fields.iter().zip(found) {
                let values = values.by_frequency(FOUND);
                list.offers
                    .extend(values.into_iter().map(|(value, rows)| Offer {
                        group: "Found",
                        icon: about(*field).0,
                        word: format!("{sign}{}:{value}", field.key()),
                        detail: String::new(),
                        rows: sign.is_empty().then_some(rows),
                    }));
            }
            return list;
        };
        let Some(field) = Field::of_key(key) else {
            list.offers = likely(store, &self.before, sign, word, (key, typed));
            return list;
        };
        let kept = typed
            .rsplit_once(',')
            .map_or("", |(kept, _)| &typed[..=kept.len()]);
        let values = found.next().unwrap_or_default().by_frequency(VALUES);
        list.offers
            .extend(values.into_iter().map(|(value, rows)| Offer {
                group: "Values",
                icon: about(field).0,
                word: format!("{sign}{}:{kept}{value}", field.key()),
                detail: String::new(),
                rows: (sign.is_empty() && kept.is_empty()).then_some(rows),
            }));
        list
    }
}

/// What a word with a key that there is not could mean.
fn likely(
    store: &Store,
    before: &Filter,
    sign: &str,
    word: &str,
    (key, typed): (&str, &str),
) -> Vec<Offer> {
    if typed.is_empty() {
        return Vec::new();
    }
    let with = |word: &str| store.count(&Filter::parse(&format!("{before} {word}")));
    let likely = mistakes(word)
        .into_iter()
        .find_map(|mistake| match mistake {
            Mistake::UnknownKey { likely, .. } => likely,
            Mistake::UnknownValue { .. } => None,
        });
    let as_field = likely.map(|field| {
        let word = format!("{sign}{}:{}", field.key(), meant(key, typed, field));
        Offer {
            group: "Did you mean",
            icon: about(field).0,
            rows: Some(with(&word)),
            detail: about(field).1.into(),
            word,
        }
    });
    let word = format!("{sign}{typed}");
    let as_text = Offer {
        group: "Did you mean",
        icon: "#i-search",
        rows: Some(with(&word)),
        detail: "anywhere in the row".into(),
        word,
    };
    as_field.into_iter().chain([as_text]).collect()
}

/// The value of the field that `key:typed` likely means.
fn meant(key: &str, typed: &str, field: Field) -> String {
    match field {
        Field::Label if !key.eq_ignore_ascii_case("labels") => format!("{key}={typed}"),
        _ => typed.to_owned(),
    }
}

/// A key that there is or could be, and what stands after its colon.
fn keyed(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once(':')?;
    let is_key = Field::of_key(key).is_some() || !mistakes(word).is_empty();
    is_key.then_some((key, value))
}

/// How many names are offered in place of one that there is not.
const NEAREST: usize = 3;

/// The names that are near one that there is not, the nearest first: two letters are wrong at most,
/// or one is a part of the other.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<String> {
    let most = if name.len() > 3 { 2 } else { 1 };
    let far = |other: &str| {
        let letters = match other.len().abs_diff(name.len()) <= most {
            true => distance(name, other),
            false => usize::MAX,
        };
        let is_part = name.len() > 2 && (other.contains(name) || name.contains(other));
        (letters <= most)
            .then_some(letters)
            .or((is_part && !other.is_empty()).then_some(most + 1))
    };
    let mut near: Vec<_> = known
        .filter_map(|other| Some((far(other)?, other)))
        .collect();
    near.sort_unstable();
    near.truncate(NEAREST);
    near.into_iter()
        .map(|(_, other)| other.to_owned())
        .collect()
}

/// The words with a key that match nothing by themselves, by their places.
#[must_use]
pub fn vain(store: &Store, filter: &Filter) -> Vec<(usize, Field)> {
    let terms = filter.terms().iter().enumerate();
    terms
        .filter_map(|(index, term)| Some((index, term.field.filter(|_| !term.negated)?)))
        .filter(|(index, _)| {
            let others = (0..filter.terms().len())
                .rev()
                .filter(|other| other != index);
            let alone = others.fold(filter.clone(), |filter, other| filter.without(other));
            store.count(&alone) == 0
        })
        .collect()
}

/// Searches that are likely meant in place of one that matches nothing: one such word has a value
/// that there is, near its own or one of few; or the key that a word likely means. The word, the
/// search and how many rows it leaves.
#[must_use]
pub fn instead(store: &Store, filter: &Filter) -> Vec<(Term, Filter, usize)> {
    let mut found = with_likely_keys(store, filter);
    for (index, field) in vain(store, filter) {
        let [value] = filter.terms()[index].values.as_slice() else {
            continue;
        };
        let known = store.values(field, &Filter::default(), "");
        let mut near = nearest(value, known.iter().map(|(known, _)| known.as_str()));
        if near.is_empty() && known.len() <= VALUES {
            // With so few values it is likely one of them.
            near.extend(known.into_iter().map(|(known, _)| known).take(NEAREST));
        }
        for near in near {
            let term = Term {
                negated: false,
                field: Some(field),
                values: vec![near.to_lowercase()],
            };
            let search = filter.with(field, false, term.values.clone());
            let rows = store.count(&search);
            if rows > 0 {
                found.push((term, search, rows));
            }
        }
    }
    found
}

fn with_likely_keys(store: &Store, filter: &Filter) -> Vec<(Term, Filter, usize)> {
    let mut found = Vec::new();
    for (index, term) in filter.terms().iter().enumerate() {
        let Some(Mistake::UnknownKey {
            key,
            value,
            likely: Some(field),
        }) = mistakes(&term.to_string()).pop()
        else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let term = Term {
            negated: term.negated,
            field: Some(field),
            values: vec![meant(&key, &value, field)],
        };
        let search = Filter::parse(&format!("{} {term}", filter.without(index)));
        let rows = store.count(&search);
        if rows > 0 {
            found.push((term, search, rows));
        }
    }
    found
}

/// Words that match something each, where no search with all but one of them does.
#[must_use]
pub fn alone(store: &Store, filter: &Filter) -> Vec<(Filter, usize)> {
    let terms = filter.terms().iter().filter(|term| !term.negated);
    let alone = terms.map(|term| {
        let search = Filter::parse(&term.to_string());
        let rows = store.count(&search);
        (search, rows)
    });
    alone.filter(|(_, rows)| *rows > 0).collect()
}

/// What is being typed: everything after the last space.
#[must_use]
pub fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// A mistake in words: what is so, and what happens.
#[must_use]
pub fn explained(mistake: &Mistake) -> (String, String) {
    match mistake {
        Mistake::UnknownKey { key, likely, .. } => (
            format!("{key}: is not a filter."),
            match likely {
                Some(field) => format!(
                    "It is searched as text. {}: takes {}.",
                    field.key(),
                    about(*field).1
                ),
                None => "It is searched as text.".into(),
            },
        ),
        Mistake::UnknownValue {
            field,
            value,
            allowed,
        } => (
            format!("{}:{value} matches nothing.", field.key()),
            format!("{}: takes {}.", field.key(), allowed.join(", ")),
        ),
    }
}

/// The words of a search that are tokens, and the text after them.
#[must_use]
pub fn split(text: &str) -> (Vec<String>, String) {
    let is_token = |word: &&str| {
        let body = word.strip_prefix('-').unwrap_or(word);
        (body.split_once(':')).is_some_and(|(key, value)| {
            Field::of_key(key).is_some() && !value.trim_matches(',').is_empty()
        })
    };
    let (tokens, rest): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(is_token);
    (
        tokens.into_iter().map(str::to_owned).collect(),
        rest.join(" "),
    )
}

/// How many rows, as the list says it.
#[must_use]
pub fn rows_words(rows: Option<usize>) -> Option<String> {
    rows.map(count)
}

#[cfg(test)]
mod tests;
