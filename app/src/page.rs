//! What the first markup is made of, on the server and in the browser alike.

use protocol::Ingress;
use protocol::table::Group;
use serde::{Deserialize, Serialize};

use crate::backend::{ClusterInfo, Rows};
use crate::columns::Columns;

/// How many row elements the table has. They are never added or removed: rows move through them.
/// A screen of 2,160 px shows 70 in compact density; the rest is overscan.
pub const POOL: usize = 80;

/// The element of the document that holds [`PageData`] as JSON.
pub const DATA_ID: &str = "page-data";

/// Light, dark, or like the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageData {
    /// The cluster and the server.
    pub cluster: ClusterInfo,
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
    /// From the cookie.
    pub theme: Theme,
    /// From the cookie.
    pub density: Density,
    /// From the cookie.
    pub columns: Columns,
}

/// What a person has chosen, from a `Cookie` header.
#[must_use]
pub fn cookies(header: &str) -> (Theme, Density, Columns) {
    let value = |name: &str| {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let theme = match value(Theme::COOKIE) {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::System,
    };
    let density = match value(Density::COOKIE) {
        Some("default") => Density::Default,
        Some("comfortable") => Density::Comfortable,
        _ => Density::Compact,
    };
    let columns = Columns::parse(value(Columns::COOKIE).unwrap_or_default());
    (theme, density, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_choose_theme_density_and_columns() {
        let header = format!(
            "x=1; {}=dark;{}=comfortable; {}=age.-class",
            Theme::COOKIE,
            Density::COOKIE,
            Columns::COOKIE
        );
        let (theme, density, columns) = cookies(&header);
        assert_eq!((theme, density), (Theme::Dark, Density::Comfortable));
        assert_eq!(columns, Columns::parse("age.-class"));
        assert_eq!(
            cookies("kube-ingress-dash-theme=<b>"),
            (Theme::System, Density::Compact, Columns::default())
        );
    }
}
