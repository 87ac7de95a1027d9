//! The address that a word asks for, and which rule takes it.

use super::matching::folded;
use crate::ingress::Ingress;

/// A host, and the path after it where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'w> {
    pub(super) host: &'w str,
    pub(super) path: Option<&'w str>,
    /// Only a rule that names a host takes it.
    pub(super) is_named: bool,
}

impl<'w> Address<'w> {
    /// Reads a URL, or what people paste of one. Without a scheme a host has a dot in it; an IP
    /// address is no host name.
    pub(super) fn parse(word: &'w str) -> Option<Self> {
        let (scheme, rest) = match word.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, word),
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = (authority.rsplit_once('@')).map_or(authority, |(_, host)| host);
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) => return None,
            None => authority,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_label = |label: &str| {
            let mut bytes = label.bytes();
            !label.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let (first, last) = name.rsplit_once('.').unwrap_or(("", name));
        let is_host = name.split('.').all(is_label)
            && !last.bytes().all(|byte| byte.is_ascii_digit())
            && (scheme.is_some_and(|scheme| !scheme.is_empty()) || !first.is_empty());
        let path = &tail[..tail.find(['?', '#']).unwrap_or(tail.len())];
        is_host.then_some(Self {
            host,
            path: Some(path).filter(|path| !path.is_empty()),
            is_named: false,
        })
    }

    /// What of the row takes it, the nearest first.
    pub(super) fn taker<'r>(&self, row: &'r Ingress) -> Option<Taker<'r>> {
        let has_path = |host: Option<&str>| {
            let of_host = row.rules.iter().filter(|rule| rule.host.as_deref() == host);
            self.path.is_none_or(|path| {
                let mut paths = of_host.flat_map(|rule| &rule.paths);
                paths.any(|rule| takes_path(rule.path.as_deref(), &rule.path_type, path))
            })
        };
        let hosts = row.hosts.iter().filter_map(|host| {
            let reach = reach(host, self.host)?;
            Some(Taker {
                host: Some(host),
                reach,
                has_path: has_path(Some(host)),
            })
        });
        let any = row
            .rules
            .iter()
            .any(|rule| rule.host.is_none())
            .then(|| Taker {
                host: None,
                reach: Reach::Any,
                has_path: has_path(None),
            });
        // What a default backend beside rules takes depends on the controller.
        let default = row.default_backend.as_ref().map(|_| Taker {
            host: None,
            reach: if row.rules.is_empty() {
                Reach::Any
            } else {
                Reach::Default
            },
            has_path: true,
        });
        let unnamed = any.into_iter().chain(default);
        hosts
            .chain(unnamed.filter(|_| !self.is_named))
            .min_by_key(Taker::rank)
    }
}

/// What of a row takes the host that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker<'r> {
    /// The host of the rule; none where it is for any host.
    pub host: Option<&'r str>,
    /// By what it takes it.
    pub reach: Reach,
    /// Whether it has a path for the one that is asked for, if one is.
    pub has_path: bool,
}

impl Taker<'_> {
    pub(super) fn rank(&self) -> u8 {
        self.reach as u8 * 2 + u8::from(!self.has_path)
    }
}

/// By what a row takes a host, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It is the host itself.
    Exact,
    /// A wildcard: in an Ingress it stands for exactly one label.
    Wildcard,
    /// A wildcard, but for several labels: some controllers take them.
    Labels,
    /// It does not take it, but has the word in one of its texts.
    Text,
    /// A rule without host, or a default backend without rules: what no other host is for.
    Any,
    /// A default backend beside rules: some controllers take any host by it.
    Default,
}

/// By what a rule's host takes a host, which is in lower case.
fn reach(rule: &str, host: &str) -> Option<Reach> {
    if rule.eq_ignore_ascii_case(host) {
        return Some(Reach::Exact);
    }
    let suffix = rule.strip_prefix('*')?;
    let at = host.len().checked_sub(suffix.len()).filter(|at| *at > 0)?;
    let label = host.get(..at)?;
    if label == "*" || !host[at..].eq_ignore_ascii_case(suffix) {
        return None;
    }
    Some(if label.contains('.') {
        Reach::Labels
    } else {
        Reach::Wildcard
    })
}

/// Whether a rule's path is for this one. What a controller makes of a path of its own kind
/// (`ImplementationSpecific`) is not known: most take it as a beginning.
fn takes_path(rule: Option<&str>, kind: &str, path: &str) -> bool {
    let Some(rule) = rule else { return true };
    let (rule, path) = (folded(rule), path);
    match kind {
        "Exact" => rule == path,
        "Prefix" => {
            let rule = rule.trim_end_matches('/');
            (path.strip_prefix(rule)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => path.starts_with(&*rule),
    }
}
