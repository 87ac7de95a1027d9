//! Pure helpers: what of a row becomes which text.

use protocol::Ingress;
use protocol::ingress::Backend;

/// A number with thousands separated: `1,126`.
#[must_use]
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun: `1 ingress`, `1,126 ingresses`.
#[must_use]
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Milliseconds in the largest unit that fits: `9 s`, `18 min`, `5 h`, `73 d`, `2 y`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let seconds = (ms / 1000).max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..31_536_000 => format!("{} d", seconds / 86_400),
        _ => format!("{} y", seconds / 31_536_000),
    }
}

/// The time since an RFC 3339 time, or nothing where there is none that can be read.
#[must_use]
pub fn age(created_at: Option<&str>, now_ms: i64) -> Option<String> {
    let created = unix_ms(created_at?)?;
    Some(duration(now_ms - created))
}

/// An RFC 3339 time as milliseconds since 1970. Fractions of a second are left out.
#[must_use]
pub fn unix_ms(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let zone = text
        .get(19..)?
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let minutes =
                zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since 1970 of a date of the proleptic Gregorian calendar: a year starts in March, so
    // that the leap day is its last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some((((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000)
}

/// The time of the day in UTC: `12:03:11`.
#[must_use]
pub fn utc_clock(ms: i64) -> String {
    let seconds = ms.div_euclid(1000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Whether a host may become a link: a DNS name of ordinary labels. Anything else (a wildcard,
/// markup, a port, a user name) is shown as text.
#[must_use]
pub fn is_linkable(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// The address of a host: https where the ingress has TLS.
#[must_use]
pub fn host_url(host: &str, tls: bool) -> Option<String> {
    let scheme = if tls { "https" } else { "http" };
    is_linkable(host).then(|| format!("{scheme}://{host}/"))
}

/// Where requests go, in two parts: the name, and the port with its colon.
#[must_use]
pub fn backend(backend: &Backend) -> (String, String) {
    if let Some(service) = &backend.service {
        let port = service.port.as_ref().map(|port| format!(":{port}"));
        (service.name.clone(), port.unwrap_or_default())
    } else if let Some(resource) = &backend.resource {
        (
            format!("{}/{}", resource.kind, resource.name),
            String::new(),
        )
    } else {
        (String::new(), String::new())
    }
}

/// One path and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `*` for the default backend.
    pub path: String,
    /// `Exact`, `Prefix` or `ImplementationSpecific`; empty for the default backend.
    pub path_type: String,
    /// The name of what it goes to.
    pub target: String,
    /// The port with its colon, or nothing.
    pub port: String,
}

/// Every path of the rules, in their order, and then the default backend.
pub fn routes(row: &Ingress) -> impl Iterator<Item = Route> + '_ {
    let rules = row.rules.iter().flat_map(|rule| &rule.paths).map(|path| {
        let (target, port) = backend(&path.backend);
        Route {
            path: path.path.clone().unwrap_or_else(|| "/".into()),
            path_type: path.path_type.clone(),
            target,
            port,
        }
    });
    let default = row.default_backend.iter().map(|default| {
        let (target, port) = backend(default);
        Route {
            path: "*".into(),
            path_type: String::new(),
            target,
            port,
        }
    });
    rules.chain(default)
}

/// How many paths a row has, the default backend included.
#[must_use]
pub fn route_count(row: &Ingress) -> usize {
    row.rules.iter().map(|rule| rule.paths.len()).sum::<usize>()
        + usize::from(row.default_backend.is_some())
}

/// What the TLS cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// `spec.tls` has no entry.
    None,
    /// Every host has an entry.
    All,
    /// Some hosts have none.
    Partly {
        /// Hosts with an entry.
        covered: usize,
        /// All hosts.
        hosts: usize,
    },
}

/// What the TLS cell says of a row.
#[must_use]
pub fn tls(row: &Ingress) -> Tls {
    if !row.tls {
        return Tls::None;
    }
    let covered = row.hosts_with_tls();
    if covered == row.hosts.len() {
        Tls::All
    } else {
        Tls::Partly {
            covered,
            hosts: row.hosts.len(),
        }
    }
}

/// The first secret of the TLS entries, and how many others there are.
#[must_use]
pub fn secrets(row: &Ingress) -> (Option<&str>, usize) {
    let mut names = row
        .tls_entries
        .iter()
        .filter_map(|entry| entry.secret_name.as_deref());
    let first = names.next();
    let mut others: Vec<&str> = names.filter(|name| Some(*name) != first).collect();
    others.sort_unstable();
    others.dedup();
    (first, others.len())
}

/// The part of a list of namespaces that a button has room for.
#[must_use]
pub fn namespaces(scope: &protocol::Scope) -> String {
    match scope.names() {
        None => "All namespaces".into(),
        Some(names) => match names.iter().next() {
            Some(only) if names.len() == 1 => only.clone(),
            _ => counted(names.len(), "namespace", "namespaces"),
        },
    }
}

#[cfg(test)]
mod tests {
    use protocol::ingress::{Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry};

    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        let texts = [0, 999, 1_000, 50_000, 1_234_567].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "50,000", "1,234,567"]);
        assert_eq!(counted(1, "ingress", "ingresses"), "1 ingress");
    }

    #[test]
    fn an_age_is_said_in_one_unit() {
        let texts = [0, 59, 60, 3_599, 3_600, 86_400, 364 * 86_400, 800 * 86_400]
            .map(|seconds| duration(seconds * 1000));
        assert_eq!(
            texts,
            [
                "0 s", "59 s", "1 min", "59 min", "1 h", "1 d", "364 d", "2 y"
            ]
        );
        assert_eq!(duration(-5_000), "0 s", "a clock that is behind");
    }

    #[test]
    fn times_of_any_zone_are_read() {
        assert_eq!(unix_ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_ms("2024-02-29T12:00:00.123Z"), Some(1_709_208_000_000));
        assert_eq!(
            unix_ms("2024-02-29T14:00:00+02:00"),
            Some(1_709_208_000_000)
        );
        assert_eq!(unix_ms("yesterday"), None);
        assert_eq!(
            age(Some("2024-02-29T12:00:00Z"), 1_709_208_061_000).as_deref(),
            Some("1 min")
        );
        assert_eq!(utc_clock(1_709_208_000_000), "12:00:00");
    }

    #[test]
    fn only_a_plain_host_name_becomes_a_link() {
        assert_eq!(
            host_url("a.example.com", true).as_deref(),
            Some("https://a.example.com/")
        );
        assert_eq!(
            host_url("a.example.com", false).as_deref(),
            Some("http://a.example.com/")
        );
        for host in [
            "",
            "*.example.com",
            "a b",
            "a/b",
            "user@example.com",
            "example.com:80",
            "<b>",
            "a..b",
            "-a.example.com",
            &"a".repeat(64),
        ] {
            assert_eq!(host_url(host, true), None, "{host}");
        }
    }

    #[test]
    fn routes_are_the_paths_and_then_the_default_backend() {
        let service = |name: &str, port| Backend {
            service: Some(ServiceBackend {
                name: name.into(),
                port,
            }),
            resource: None,
        };
        let row = Ingress {
            rules: vec![
                Rule::default(),
                Rule {
                    host: None,
                    paths: vec![
                        Path {
                            path: None,
                            path_type: "Prefix".into(),
                            backend: service("web", Some(Port::Name("http".into()))),
                        },
                        Path {
                            path: Some("/files".into()),
                            path_type: "Exact".into(),
                            backend: Backend {
                                service: None,
                                resource: Some(ResourceBackend {
                                    api_group: None,
                                    kind: "Bucket".into(),
                                    name: "files".into(),
                                }),
                            },
                        },
                    ],
                },
            ],
            default_backend: Some(service("fallback", None)),
            ..Ingress::default()
        };
        let texts: Vec<_> = routes(&row)
            .map(|route| format!("{} {}{}", route.path, route.target, route.port))
            .collect();
        assert_eq!(texts, ["/ web:http", "/files Bucket/files", "* fallback"]);
        assert_eq!(route_count(&row), 3);
    }

    #[test]
    fn tls_names_the_hosts_that_have_none() {
        let entry = |secret: &str, hosts: &[&str]| TlsEntry {
            secret_name: Some(secret.into()),
            hosts: hosts.iter().map(ToString::to_string).collect(),
        };
        let mut row = Ingress {
            hosts: vec!["a.example.com".into(), "b.example.com".into()],
            ..Ingress::default()
        };
        assert_eq!(tls(&row), Tls::None);
        row.tls = true;
        row.tls_entries = vec![entry("one", &["a.example.com"]), entry("one", &[])];
        assert_eq!((tls(&row), secrets(&row)), (Tls::All, (Some("one"), 0)));
        row.tls_entries[1] = entry("two", &["elsewhere.example.com"]);
        assert_eq!(
            tls(&row),
            Tls::Partly {
                covered: 1,
                hosts: 2
            }
        );
        assert_eq!(secrets(&row), (Some("one"), 1));
    }
}
