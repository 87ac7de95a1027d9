//! Which columns there are, in which order and how wide: a person's choice, kept in a cookie, so
//! that the server renders it too.

use std::fmt;

use protocol::columns::Column;
use protocol::json::{FromJson, Reader};
use protocol::view::Grouping;
use serde::Serialize;

/// The narrowest and the widest a column gets, in pixels.
const WIDTHS: std::ops::RangeInclusive<u16> = 48..=1200;

/// A column as it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Which one.
    pub column: Column,
    /// Whether it is shown. The name always is.
    pub shown: bool,
    /// In pixels, where a person has set it.
    pub width: Option<u16>,
}

/// Every column, from left to right. As text: ids with a dot between them, `-` in front of one that
/// is not shown, and `:` with its width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Columns(Vec<Chosen>);

impl Columns {
    /// The cookie that keeps it.
    pub const COOKIE: &'static str = "kube-ingress-dash-columns";

    /// Reads the text. What is unknown is left out, what is missing comes last.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut columns = Vec::with_capacity(Column::ALL.len());
        for word in text.split('.') {
            let (word, shown) = match word.strip_prefix('-') {
                Some(word) => (word, false),
                None => (word, true),
            };
            let (id, width) = word.split_once(':').unwrap_or((word, ""));
            let Some(column) = Column::of_id(id) else {
                continue;
            };
            if columns
                .iter()
                .all(|chosen: &Chosen| chosen.column != column)
            {
                columns.push(Chosen {
                    column,
                    shown: shown || column == Column::Name,
                    width: width.parse().ok().filter(|width| WIDTHS.contains(width)),
                });
            }
        }
        let mut columns = Self(columns);
        for column in Column::ALL {
            if columns.0.iter().all(|chosen| chosen.column != column) {
                columns.0.push(Chosen {
                    column,
                    shown: true,
                    width: None,
                });
            }
        }
        columns
    }

    /// Every column, those that are not shown as well.
    #[must_use]
    pub fn all(&self) -> &[Chosen] {
        &self.0
    }

    /// The columns that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Chosen> {
        self.0.iter().filter(|chosen| chosen.shown)
    }

    /// The columns of the table: those that are shown, but for the one that says of each row what
    /// the head of its group says.
    pub fn in_table(&self, grouping: Option<Grouping>) -> impl Iterator<Item = &Chosen> {
        let repeated = grouping.and_then(Grouping::column);
        self.shown()
            .filter(move |chosen| Some(chosen.column) != repeated)
    }

    /// Shows a column, or hides it. The name stays.
    pub fn toggle(&mut self, column: Column) {
        for chosen in &mut self.0 {
            if chosen.column == column && column != Column::Name {
                chosen.shown = !chosen.shown;
            }
        }
    }

    /// Puts a column at a place, counted over all of them.
    pub fn move_to(&mut self, column: Column, place: usize) {
        if let Some(at) = self.0.iter().position(|chosen| chosen.column == column) {
            let chosen = self.0.remove(at);
            self.0.insert(place.min(self.0.len()), chosen);
        }
    }

    /// Where a column is, counted over all of them.
    #[must_use]
    pub fn place(&self, column: Column) -> usize {
        (self.0.iter())
            .position(|chosen| chosen.column == column)
            .unwrap_or_default()
    }

    /// Whether a person has set the width of a column.
    #[must_use]
    pub fn is_set(&self, column: Column) -> bool {
        (self.0.iter()).any(|chosen| chosen.column == column && chosen.width.is_some())
    }

    /// Sets the width of a column, in pixels.
    pub fn resize(&mut self, column: Column, width: f64) {
        let width = width.clamp(f64::from(*WIDTHS.start()), f64::from(*WIDTHS.end()));
        for chosen in &mut self.0 {
            if chosen.column == column {
                chosen.width = Some(width.round() as u16);
            }
        }
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self::parse("")
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, chosen) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if !chosen.shown {
                f.write_str("-")?;
            }
            f.write_str(chosen.column.id())?;
            if let Some(width) = chosen.width {
                write!(f, ":{width}")?;
            }
        }
        Ok(())
    }
}

impl FromJson for Columns {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        Self::parse(&reader.text())
    }
}

impl From<Columns> for String {
    fn from(columns: Columns) -> Self {
        columns.to_string()
    }
}

/// The class of a column and its cells: the style sheet knows how wide it is, and when it leaves.
#[must_use]
pub fn class(column: Column) -> &'static str {
    match column {
        Column::Name => "k-name",
        Column::Namespace => "k-ns",
        Column::Host => "k-host",
        Column::Path => "k-path",
        Column::Class => "k-class",
        Column::Address => "k-addr",
        Column::Tls => "k-tls",
        Column::Age => "k-age",
    }
}

/// The class of the words that say what the rows are sorted by where the column of the order is not
/// shown: the style sheet shows them once that column has left. None where it never leaves alone.
#[must_use]
pub fn sign_class(column: Column) -> Option<&'static str> {
    match column {
        Column::Namespace => Some("by by-ns"),
        Column::Path => Some("by by-path"),
        Column::Class => Some("by by-class"),
        Column::Address => Some("by by-addr"),
        Column::Age => Some("by by-age"),
        Column::Name | Column::Host | Column::Tls => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut columns = Columns::default();
        columns.toggle(Column::Class);
        columns.toggle(Column::Name);
        columns.move_to(Column::Tls, 1);
        columns.resize(Column::Host, 300.4);
        columns.resize(Column::Age, 3.0);
        let text = columns.to_string();
        assert_eq!(text, "name.tls.ns.host:300.path.-class.addr.age:48");
        assert_eq!(Columns::parse(&text), columns);
    }

    #[test]
    fn a_cookie_that_is_odd_still_gives_every_column_once() {
        let columns = Columns::parse("-name.age:9999.age.<b>.host:x");
        assert_eq!(columns.to_string(), "name.age.host.ns.path.class.addr.tls");
        assert_eq!(columns.all().len(), Column::ALL.len());
    }
}
