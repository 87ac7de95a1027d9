//! What the first markup is made of, on the server and in the browser alike.

use protocol::Ingress;
use protocol::connection::Reconnect;
use protocol::json::{FromJson, Reader};
use protocol::view::Group;
use serde::Serialize;

use crate::backend::{ClusterInfo, Rows};
use crate::columns::Columns;
use crate::exclusions::Exclusions;
use crate::query::decode;

/// How many row elements the table has. They are never added or removed: rows move through them.
/// A screen of 2,160 px shows 70 in compact density; the rest is overscan.
pub const POOL: usize = 80;

/// The element of the document that holds [`PageData`] as JSON.
pub const DATA_ID: &str = "page-data";

/// Light, dark, or like the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Like the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl FromJson for Theme {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match &*reader.text() {
            "system" => Self::System,
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => {
                reader.fail("not a theme");
                Self::default()
            }
        }
    }
}

impl Theme {
    /// The cookie that keeps it.
    pub const COOKIE: &'static str = "kube-ingress-dash-theme";
    /// Every theme, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As cookies and `data-theme` have it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// `data-theme` of the document, absent where the system decides.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.id())
    }
}

/// How high a row is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    /// 28 px
    #[default]
    Compact,
    /// 34 px
    Default,
    /// 44 px
    Comfortable,
}

impl FromJson for Density {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match &*reader.text() {
            "compact" => Self::Compact,
            "default" => Self::Default,
            "comfortable" => Self::Comfortable,
            _ => {
                reader.fail("not a density");
                Self::default()
            }
        }
    }
}

impl Density {
    /// The cookie that keeps it.
    pub const COOKIE: &'static str = "kube-ingress-dash-density";

    /// As cookies and `data-density` have it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Default => "default",
            Self::Comfortable => "comfortable",
        }
    }

    /// Every density, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Compact, Self::Default, Self::Comfortable];

    /// Its name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Compact => "Compact",
            Self::Default => "Default",
            Self::Comfortable => "Comfortable",
        }
    }

    /// The next one: a button goes round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Compact => Self::Default,
            Self::Default => Self::Comfortable,
            Self::Comfortable => Self::Compact,
        }
    }
}

/// What the first markup is made of. The document carries it as JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PageData {
    /// The cluster and the server.
    pub cluster: ClusterInfo,
    /// How the stream reconnects.
    pub reconnect: Reconnect,
    /// The query string of the address, without its `?`.
    pub query: String,
    /// What of the address is refused, in plain words.
    pub refused: Option<String>,
    /// The first rows.
    pub rows: Rows,
    /// The heads of groups among the first lines, and where each is.
    pub groups: Vec<(usize, Group)>,
    /// How many lines there are: rows and heads.
    pub lines: usize,
    /// The row whose details the address asks for, where there is one.
    pub selected: Option<Ingress>,
    /// Milliseconds since 1970 when the server rendered.
    pub now: i64,
    /// What the person has chosen.
    pub choices: Choices,
}

impl FromJson for PageData {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&[
            "cluster",
            "reconnect",
            "query",
            "rows",
            "groups",
            "lines",
            "now",
            "choices",
        ]);
        while let Some(name) = reader.member() {
            match name {
                "cluster" => value.cluster = reader.read(),
                "reconnect" => value.reconnect = reader.read(),
                "query" => value.query = reader.read(),
                "refused" => value.refused = reader.read(),
                "rows" => value.rows = reader.read(),
                "groups" => value.groups = reader.read(),
                "lines" => value.lines = reader.read(),
                "selected" => value.selected = reader.read(),
                "now" => value.now = reader.read(),
                "choices" => value.choices = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// What a person has chosen, kept in cookies: the server renders from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Light, dark, or like the system.
    pub theme: Theme,
    /// How high a row is.
    pub density: Density,
    /// Which columns there are.
    pub columns: Columns,
    /// What is left out where the address does not say what is searched for.
    pub exclusions: Exclusions,
}

impl FromJson for Choices {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["theme", "density", "columns", "exclusions"]);
        while let Some(name) = reader.member() {
            match name {
                "theme" => value.theme = reader.read(),
                "density" => value.density = reader.read(),
                "columns" => value.columns = reader.read(),
                "exclusions" => value.exclusions = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

impl Choices {
    /// Reads a `Cookie` header. What cannot be read is as if it were not there.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let value = |name: &str| {
            header
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        Self {
            theme: match value(Theme::COOKIE) {
                Some("light") => Theme::Light,
                Some("dark") => Theme::Dark,
                _ => Theme::System,
            },
            density: match value(Density::COOKIE) {
                Some("default") => Density::Default,
                Some("comfortable") => Density::Comfortable,
                _ => Density::Compact,
            },
            columns: Columns::parse(value(Columns::COOKIE).unwrap_or_default()),
            exclusions: Exclusions::parse(&decode(value(Exclusions::COOKIE).unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests;
