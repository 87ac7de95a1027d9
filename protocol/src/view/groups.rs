//! Rows put together by what they share, with a head for each group.
//!
//! The order of the rows has the group in front, so a group is a range of the view and making the
//! groups is one pass over it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::columns::Column;
use crate::ingress::Ingress;
use crate::json::{FromJson, Reader};
use crate::tls::Coverage;

/// What rows can be put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// `metadata.namespace`
    Namespace,
    /// The ingress class.
    Class,
    /// The first host without its first label.
    HostSuffix,
    /// Covered by TLS, partly, or not at all.
    Tls,
}

/// A group of the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What its rows share: a namespace, a class, a suffix; `yes`, `partly` or `no` for TLS. Empty
    /// where the rows have none.
    pub value: String,
    /// How many rows of it match the filter.
    pub rows: usize,
    /// Whether its rows are shown.
    pub open: bool,
}

impl Grouping {
    /// Every grouping, in the order of the menu.
    pub const ALL: [Self; 4] = [Self::Namespace, Self::Class, Self::HostSuffix, Self::Tls];

    /// The id: in the address and in the markup.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Namespace => "ns",
            Self::Class => "class",
            Self::HostSuffix => "host",
            Self::Tls => "tls",
        }
    }

    /// The grouping of an id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grouping| grouping.id() == id)
    }

    /// In words, as in a menu.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Class => "Class",
            Self::HostSuffix => "Host suffix",
            Self::Tls => "TLS",
        }
    }

    /// The column that says of each row what the head of its group says.
    #[must_use]
    pub fn column(self) -> Option<Column> {
        match self {
            Self::Namespace => Some(Column::Namespace),
            Self::Class => Some(Column::Class),
            Self::HostSuffix | Self::Tls => None,
        }
    }
}

impl FromJson for Group {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            value: String::new(),
            rows: 0,
            open: false,
        };
        reader.object(&["value", "rows", "open"]);
        while let Some(name) = reader.member() {
            match name {
                "value" => value.value = reader.read(),
                "rows" => value.rows = reader.read(),
                "open" => value.open = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Where a group is.
#[derive(Clone, Debug)]
struct Span {
    value: String,
    /// Its first row in the view.
    first: usize,
    rows: usize,
    /// The line of its head.
    line: usize,
    open: bool,
}

impl Span {
    fn group(&self) -> Group {
        Group {
            value: self.value.clone(),
            rows: self.rows,
            open: self.open,
        }
    }
}

/// What a line shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Head(Group),
    /// An index into the view.
    Row(usize),
}

/// The groups of a view.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    spans: Vec<Span>,
    closed: BTreeSet<String>,
    rows: usize,
    lines: usize,
}

impl Groups {
    /// Makes the groups anew of the value that each row of the view has, in the view's order.
    pub(super) fn fill<'v>(&mut self, values: impl Iterator<Item = &'v str>) {
        self.spans.clear();
        self.rows = 0;
        for value in values {
            match self.spans.last_mut() {
                Some(span) if span.value == value => span.rows += 1,
                _ => self.spans.push(Span {
                    value: value.to_owned(),
                    first: self.rows,
                    rows: 1,
                    line: 0,
                    open: true,
                }),
            }
            self.rows += 1;
        }
        self.place();
    }

    /// There are no groups: each of so many rows is a line.
    pub(super) fn clear(&mut self, rows: usize) {
        self.spans.clear();
        (self.rows, self.lines) = (rows, rows);
    }

    /// Opens every group, for other groups than those that were closed.
    pub(super) fn open_all(&mut self) {
        self.closed.clear();
    }

    /// Opens or closes a group.
    pub(super) fn toggle(&mut self, value: &str) {
        if !self.closed.remove(value) {
            self.closed.insert(value.to_owned());
        }
        self.place();
    }

    /// Opens or closes all of them.
    pub(super) fn toggle_all(&mut self, open: bool) {
        self.closed.clear();
        if !open {
            let values = self.spans.iter().map(|span| span.value.clone());
            self.closed.extend(values);
        }
        self.place();
    }

    fn place(&mut self) {
        let mut line = 0;
        for span in &mut self.spans {
            span.line = line;
            span.open = !self.closed.contains(&span.value);
            line += 1 + if span.open { span.rows } else { 0 };
        }
        self.lines = if self.spans.is_empty() {
            self.rows
        } else {
            line
        };
    }

    /// How many lines there are, heads included.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// What line `index` shows.
    pub(super) fn at(&self, index: usize) -> Option<Place> {
        if index >= self.lines {
            return None;
        }
        let Some(span) = self.span_at(index) else {
            return Some(Place::Row(index));
        };
        Some(match index - span.line {
            0 => Place::Head(span.group()),
            below => Place::Row(span.first + below - 1),
        })
    }

    /// The group that line `index` is in, or is the head of.
    pub(super) fn group_at(&self, index: usize) -> Option<Group> {
        self.span_at(index).map(Span::group)
    }

    fn span_at(&self, index: usize) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.line <= index);
        after.checked_sub(1).map(|at| &self.spans[at])
    }

    /// The line of row `index` of the view; that of its group where that is closed.
    pub(super) fn line_of(&self, index: usize) -> usize {
        let after = self.spans.partition_point(|span| span.first <= index);
        match after.checked_sub(1).map(|at| &self.spans[at]) {
            None => index,
            Some(span) if span.open => span.line + 1 + index - span.first,
            Some(span) => span.line,
        }
    }

    /// The line of a group's head.
    pub(super) fn head(&self, value: &str) -> Option<usize> {
        let span = self.spans.iter().find(|span| span.value == value)?;
        Some(span.line)
    }
}

/// What a row is put together by, and where its group is among the groups: those without a value
/// are last.
pub(super) fn group_of(grouping: Option<Grouping>, row: &Ingress, tls: Coverage) -> (u8, &str) {
    let value = match grouping {
        None => return (0, ""),
        Some(Grouping::Namespace) => Some(row.namespace.as_str()),
        Some(Grouping::Class) => row.ingress_class_name.as_deref(),
        Some(Grouping::HostSuffix) => row.hosts.first().map(|host| suffix(host)),
        Some(Grouping::Tls) => {
            return match tls {
                Coverage::All => (0, "yes"),
                Coverage::Partly => (1, "partly"),
                Coverage::None => (2, "no"),
            };
        }
    };
    value
        .filter(|value| !value.is_empty())
        .map_or((1, ""), |value| (0, value))
}

/// A host without its first label, where two remain: `shop.example.com` is of `example.com`, and
/// `example.com` of itself.
fn suffix(host: &str) -> &str {
    match host.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest,
        _ => host,
    }
}

#[cfg(test)]
mod tests;
