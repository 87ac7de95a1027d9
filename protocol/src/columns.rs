//! The columns of a row: everything that a column is but how its cell looks. A column that is added
//! to [`Column`] is asked for in each exhaustive `match` below.

use std::cmp::Ordering;

use crate::ingress::Ingress;
use crate::tls::Coverage;

/// A column: what the rows can be sorted by. Ties are broken by name, then namespace, both
/// ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    /// `metadata.name`
    #[default]
    Name,
    /// `metadata.namespace`
    Namespace,
    /// The first host.
    Host,
    /// The first path and its backend.
    Path,
    /// The ingress class.
    Class,
    /// The first load balancer address.
    Address,
    /// No TLS, partly covered, covered; then the first secret.
    Tls,
    /// Youngest first.
    Age,
}

/// A sort direction. Rows without a value are last in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

impl Column {
    /// Every column, from left to right.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Namespace,
        Self::Host,
        Self::Path,
        Self::Class,
        Self::Address,
        Self::Tls,
        Self::Age,
    ];

    /// The id: in the address, in cookies and in the markup.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Namespace => "ns",
            Self::Host => "host",
            Self::Path => "path",
            Self::Class => "class",
            Self::Address => "addr",
            Self::Tls => "tls",
            Self::Age => "age",
        }
    }

    /// The column of an id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.id() == id)
    }

    /// The heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Namespace => "Namespace",
            Self::Host => "Hosts",
            Self::Path => "Path and backend",
            Self::Class => "Class",
            Self::Address => "Address",
            Self::Tls => "TLS",
            Self::Age => "Age",
        }
    }

    /// What a row is sorted by.
    pub(crate) fn value(self, row: &Ingress, tls: Coverage) -> Value<'_> {
        let (rank, first, second) = match self {
            Self::Name => (0, Some(row.name.as_str()), ""),
            Self::Namespace => (0, Some(row.namespace.as_str()), ""),
            Self::Host => (0, row.hosts.first().map(String::as_str), ""),
            Self::Path => match target(row) {
                Some((path, backend)) => (0, Some(path), backend),
                None => (0, None, ""),
            },
            Self::Class => (0, row.ingress_class_name.as_deref(), ""),
            Self::Address => (0, row.addresses.first().map(String::as_str), ""),
            Self::Tls => (tls as u8, Some(secret(row).unwrap_or_default()), ""),
            Self::Age => (0, row.created_at.as_deref(), ""),
        };
        Value {
            rank,
            first,
            second,
        }
    }

    /// Whether the largest value comes first in the ascending order: the youngest row has the
    /// latest date.
    fn is_reversed(self) -> bool {
        match self {
            Self::Age => true,
            Self::Name
            | Self::Namespace
            | Self::Host
            | Self::Path
            | Self::Class
            | Self::Address
            | Self::Tls => false,
        }
    }
}

/// The value of a row in a column, as far as the order goes.
pub(crate) struct Value<'r> {
    rank: u8,
    /// `None` is last in both directions.
    first: Option<&'r str>,
    second: &'r str,
}

impl Value<'_> {
    /// The order of two rows by the column they are of, in the direction.
    pub(crate) fn compare(&self, other: &Self, column: Column, direction: Direction) -> Ordering {
        match (self.first, other.first) {
            (Some(first), Some(second)) => {
                let order = (self.rank.cmp(&other.rank))
                    .then_with(|| first.cmp(second))
                    .then_with(|| self.second.cmp(other.second));
                if (direction == Direction::Descending) == column.is_reversed() {
                    order
                } else {
                    order.reverse()
                }
            }
            (first, second) => first.is_none().cmp(&second.is_none()),
        }
    }
}

/// Path and backend as the table shows them first: of the first rule, else the default backend.
fn target(row: &Ingress) -> Option<(&str, &str)> {
    let path = row.rules.iter().flat_map(|rule| &rule.paths).next();
    let (path, backend) = match (path, &row.default_backend) {
        (Some(path), _) => (path.path.as_deref().unwrap_or_default(), &path.backend),
        (None, Some(backend)) => ("", backend),
        (None, None) => return None,
    };
    let name = match (&backend.service, &backend.resource) {
        (Some(service), _) => service.name.as_str(),
        (None, Some(resource)) => resource.name.as_str(),
        (None, None) => "",
    };
    Some((path, name))
}

fn secret(row: &Ingress) -> Option<&str> {
    row.tls_entries.first()?.secret_name.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_an_id_of_its_own() {
        for column in Column::ALL {
            assert_eq!(Column::of_id(column.id()), Some(column));
        }
        assert_eq!(Column::of_id("nosuch"), None);
    }
}
