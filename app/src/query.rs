//! The address bar is the state:
//! `?ns=a,b&q=text&sort=-age&group=class&sel=ns/name&tab=yaml&page=2`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use protocol::columns::{Column, Direction};
use protocol::view::Grouping;
use protocol::{Key, Scope};

/// What is longer, in bytes, stands in few links of a page only.
const LONG: usize = 500;

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// By this column; equal rows by name, then namespace.
    pub column: Column,
    /// From the least, or from the greatest.
    pub direction: Direction,
}

impl Sort {
    /// By this column, as it is or the other way round.
    #[must_use]
    pub fn of((column, direction): (Column, Direction)) -> Self {
        Self { column, direction }
    }

    /// The order after a press on a heading: ascending first, then the other way round.
    #[must_use]
    pub fn pressed(self, column: Column) -> Self {
        let direction = if self.column == column && self.direction == Direction::Ascending {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        Self { column, direction }
    }

    /// In words: `name`, or `hosts, descending`; of the age which end comes first.
    #[must_use]
    pub fn words(self) -> String {
        let heading = self.column.heading();
        let heading = match self.column {
            Column::Tls => heading.to_owned(),
            _ => heading.to_lowercase(),
        };
        match (self.column, self.direction) {
            (Column::Age, Direction::Ascending) => format!("{heading}, newest first"),
            (Column::Age, Direction::Descending) => format!("{heading}, oldest first"),
            (_, Direction::Ascending) => heading,
            (_, Direction::Descending) => format!("{heading}, descending"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (direction, id) = match text.strip_prefix('-') {
            Some(id) => (Direction::Descending, id),
            None => (Direction::Ascending, text),
        };
        let column = Column::of_id(id)?;
        Some(Self { column, direction })
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.direction == Direction::Descending {
            f.write_char('-')?;
        }
        f.write_str(self.column.id())
    }
}

/// A tab of the details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What the row says.
    #[default]
    Overview,
    /// Every host and path.
    Routing,
    /// Every TLS entry.
    Tls,
    /// Labels and the keys of annotations.
    Labels,
    /// The object.
    Yaml,
    /// What has changed since the page was opened.
    Changes,
}

impl Tab {
    /// Every tab, from left to right.
    pub const ALL: [Self; 6] = [
        Self::Overview,
        Self::Routing,
        Self::Tls,
        Self::Labels,
        Self::Yaml,
        Self::Changes,
    ];

    /// As it is written in the address and in ids.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Routing => "routing",
            Self::Tls => "tls",
            Self::Labels => "labels",
            Self::Yaml => "yaml",
            Self::Changes => "changes",
        }
    }

    /// The tab's name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Routing => "Routing",
            Self::Tls => "TLS",
            Self::Labels => "Labels",
            Self::Yaml => "YAML",
            Self::Changes => "Changes",
        }
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// `ns`: the names as they are written; not checked.
    pub namespaces: BTreeSet<String>,
    /// `q`
    pub search: String,
    /// `q=`: nothing is searched for, and nothing is left out either, whatever a person leaves out
    /// otherwise.
    pub everything: bool,
    /// `sort`
    pub sort: Sort,
    /// `group`
    pub grouping: Option<Grouping>,
    /// `sel`: the ingress whose details are open.
    pub selected: Option<Key>,
    /// `tab`
    pub tab: Tab,
    /// `page`, from 1: only read without JavaScript.
    pub page: usize,
}

impl Query {
    /// Reads a query string, without its `?`. What cannot be read, or is not known, is as if it
    /// were not there.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut query = Self {
            page: 1,
            ..Self::default()
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), decode(value));
            match key.as_str() {
                "ns" => query.namespaces.extend(
                    value
                        .split(',')
                        .map(str::trim)
                        .filter(|name| !name.is_empty())
                        .map(str::to_owned),
                ),
                "q" => {
                    query.everything = value.is_empty();
                    query.search = value;
                }
                // The last one counts: a heading pressed without a script adds its own to the
                // form's.
                "sort" => query.sort = Sort::parse(&value).unwrap_or_default(),
                "group" => {
                    query.grouping = Grouping::of_id(&value);
                }
                "sel" => {
                    query.selected = value
                        .split_once('/')
                        .filter(|(namespace, name)| namespace.len() <= 63 && name.len() <= 253)
                        .map(|(namespace, name)| Key::new(namespace, name));
                }
                "tab" => {
                    query.tab = Tab::ALL
                        .into_iter()
                        .find(|tab| tab.id() == value)
                        .unwrap_or_default();
                }
                "page" => query.page = value.parse().unwrap_or(1).max(1),
                // What nobody reads gets into no page: each of its many links would repeat it.
                _ => {}
            }
        }
        query
    }

    /// The scope, and what of the names is refused, in plain words: the rest still counts. Where
    /// nothing is left, nothing is shown.
    #[must_use]
    pub fn scope(&self, max: usize) -> (Scope, Option<String>) {
        match Scope::parse(self.namespaces.iter().map(String::as_str), max) {
            Ok(scope) => (scope, None),
            Err(error) => {
                let valid = self
                    .namespaces
                    .iter()
                    .filter(|name| protocol::scope::is_dns_label(name))
                    .take(max)
                    .cloned()
                    .collect();
                (Scope::Namespaces(valid), Some(error.to_string()))
            }
        }
    }

    /// The names, as `ns` has them.
    #[must_use]
    pub fn named(&self) -> String {
        let names: Vec<&str> = self.namespaces.iter().map(String::as_str).collect();
        names.join(",")
    }

    /// Leaves out what is long. For a link that each row has: a page is not many times its address.
    pub fn shorten(&mut self) {
        if self.is_long() {
            self.search.clear();
        }
    }

    /// Whether the search is too long to stand in many links.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.search.len() > LONG
    }

    /// The query string with its `?`, or nothing where all is as it starts.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        let mut text = String::new();
        let mut push = |key: &str, value: &str| {
            text.push(if text.is_empty() { '?' } else { '&' });
            encode(&mut text, key);
            text.push('=');
            encode(&mut text, value);
        };
        if !self.namespaces.is_empty() {
            push("ns", &self.named());
        }
        if !self.search.is_empty() || self.everything {
            push("q", &self.search);
        }
        if self.sort != Sort::default() {
            push("sort", &self.sort.to_string());
        }
        if let Some(id) = self.grouping.map(Grouping::id) {
            push("group", id);
        }
        if let Some(key) = &self.selected {
            push("sel", &format!("{}/{}", key.namespace, key.name));
            if self.tab != Tab::default() {
                push("tab", self.tab.id());
            }
        }
        if self.page > 1 {
            push("page", &self.page.to_string());
        }
        text
    }
}

/// Percent-decodes a part of a query; what is no UTF-8 becomes U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let hex = |digit: &u8| char::from(*digit).to_digit(16);
                if let (Some(high), Some(low)) = (hex(high), hex(low)) {
                    bytes.push((high * 16 + low) as u8);
                    rest = after;
                } else {
                    bytes.push(byte);
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The path of the endpoint for one ingress.
#[must_use]
pub(crate) fn object_path(base_path: &str, key: &Key) -> String {
    let (namespace, name) = (encoded(&key.namespace), encoded(&key.name));
    format!("{base_path}/api/ingresses/{namespace}/{name}")
}

/// Percent-encodes one segment of a path.
#[must_use]
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    encode(&mut out, text);
    out.replace('/', "%2F").replace('+', "%20")
}

/// Percent-encodes a part of a query. `/`, `,` and `:` stay: they mean nothing there and are
/// easier to read.
pub(crate) fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b','
            | b':'
            | b'*' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
