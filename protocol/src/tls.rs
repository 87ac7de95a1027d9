//! Which hosts of an ingress its `spec.tls` covers.

use crate::ingress::Ingress;

/// How much of an ingress its TLS entries cover. Displayed nowhere by this name: the search calls
/// it `tls:no`, `tls:partly` and `tls:yes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// `spec.tls` has no entry, or its entries cover none of the hosts.
    #[default]
    None,
    /// The entries cover some hosts.
    Partly,
    /// The entries cover every host.
    All,
}

impl Ingress {
    /// How much of the ingress its TLS entries cover.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let covered = self.hosts_with_tls();
        if !self.tls || covered == 0 && !self.hosts.is_empty() {
            Coverage::None
        } else if covered < self.hosts.len() {
            Coverage::Partly
        } else {
            Coverage::All
        }
    }

    /// How many of the hosts a TLS entry covers.
    #[must_use]
    pub fn hosts_with_tls(&self) -> usize {
        self.hosts.len() - self.hosts_without_tls().count()
    }

    /// The hosts that no TLS entry names, nor a wildcard of one (RFC 6125: a wildcard stands for
    /// exactly one label). An entry without hosts covers all of them.
    pub fn hosts_without_tls(&self) -> impl Iterator<Item = &str> {
        let covers_all = self.tls_entries.iter().any(|entry| entry.hosts.is_empty());
        let covered = move |host: &str| {
            covers_all
                || self
                    .tls_entries
                    .iter()
                    .flat_map(|entry| &entry.hosts)
                    .any(|pattern| host_matches(pattern, host))
        };
        let hosts = self.hosts.iter().map(String::as_str);
        hosts.filter(move |host| !covered(host))
    }
}

fn host_matches(pattern: &str, host: &str) -> bool {
    pattern == host
        || pattern.strip_prefix("*.").is_some_and(|suffix| {
            host.split_once('.')
                .is_some_and(|(first, rest)| first != "*" && rest == suffix)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::TlsEntry;

    fn row(hosts: &[&str], entries: &[&[&str]]) -> Ingress {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Ingress {
            hosts: owned(hosts),
            tls: !entries.is_empty(),
            tls_entries: (entries.iter())
                .map(|hosts| TlsEntry {
                    secret_name: None,
                    hosts: owned(hosts),
                })
                .collect(),
            ..Ingress::default()
        }
    }

    #[test]
    fn a_wildcard_in_tls_covers_one_label() {
        let row = row(
            &["a.example.com", "a.b.example.com", "*.example.com"],
            &[&["*.example.com"]],
        );
        assert_eq!(row.hosts_with_tls(), 2);
        let without: Vec<_> = row.hosts_without_tls().collect();
        assert_eq!(without, ["a.b.example.com"]);
    }

    #[test]
    fn entries_that_cover_no_host_are_no_tls() {
        let a = "a.example.com";
        let b = "b.example.com";
        assert_eq!(row(&[a], &[]).coverage(), Coverage::None);
        assert_eq!(row(&[a], &[&[b]]).coverage(), Coverage::None);
        assert_eq!(row(&[a, b], &[&[b]]).coverage(), Coverage::Partly);
        assert_eq!(row(&[a], &[&[b], &[a]]).coverage(), Coverage::All);
        assert_eq!(row(&[a], &[&[]]).coverage(), Coverage::All);
        // Without hosts of its own, an entry is for whatever the controller serves.
        assert_eq!(row(&[], &[&[a]]).coverage(), Coverage::All);
        assert_eq!(row(&[], &[]).coverage(), Coverage::None);
    }
}
