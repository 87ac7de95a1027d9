//! Pure helpers: what of a row becomes which text.

use std::borrow::Cow;

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

/// A part of a whole: `67 %`. All and nothing are said of nothing else.
#[must_use]
pub fn percent(part: usize, whole: usize) -> String {
    let rounded = (part * 200 + whole).checked_div(whole * 2);
    match rounded {
        None => String::new(),
        Some(_) if part == 0 => "0 %".into(),
        Some(_) if part == whole => "100 %".into(),
        Some(rounded) => format!("{} %", rounded.clamp(1, 99)),
    }
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

/// Milliseconds since 1970 as an RFC 3339 time in UTC, to the second.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    // As in `unix_ms`, a year starts in March.
    let days = ms.div_euclid(86_400_000) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{}Z", utc_clock(ms))
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

/// The address of the first host of a row that can have one, with its first path where that is
/// plain.
#[must_use]
pub fn url(row: &Ingress) -> Option<String> {
    let url = row.hosts.iter().find_map(|host| host_url(host, row.tls))?;
    let path = routes(row).next().map(|route| route.path);
    Some(match path.filter(|path| is_plain(path)) {
        Some(path) => format!("{}{path}", url.trim_end_matches('/')),
        None => url,
    })
}

/// Whether a path is no pattern, and may stand in an address as it is.
#[must_use]
pub fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte))
}

/// The version of the object that a YAML document is of.
#[must_use]
pub fn resource_version(yaml: &str) -> Option<&str> {
    let mut lines = yaml.lines();
    let value = lines.find_map(|line| line.strip_prefix("  resourceVersion: "))?;
    Some(value.trim_matches(['"', '\'']))
}

/// Which of so many colours stands for a name: the same on every day and every machine.
#[must_use]
pub fn colour(name: &str, colours: u32) -> u32 {
    // FNV-1a: names that differ in their last letter get different colours.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // The lowest bits of names that are nearly the same are too.
    (hash >> 4) % colours
}

/// A word for a POSIX shell: quoted where it has to be.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._/:@%+=,".contains(&byte));
    if is_plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The command that shows ingresses of one namespace as YAML.
#[must_use]
pub fn kubectl<'n>(namespace: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let mut command = format!("kubectl -n {} get ingress", shell_word(namespace));
    for name in names {
        command.push(' ');
        command.push_str(&shell_word(name));
    }
    command.push_str(" -o yaml");
    command
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

/// [`routes`] with those that are the same but for their host put together: each with its hosts in
/// their order, `*` being any.
#[must_use]
pub fn folded_routes(row: &Ingress) -> Vec<(Vec<&str>, Route)> {
    let hosts = row.rules.iter().flat_map(|rule| {
        let host = rule.host.as_deref().unwrap_or("*");
        rule.paths.iter().map(move |_| host)
    });
    let mut folded: Vec<(Vec<&str>, Route)> = Vec::new();
    for (route, host) in routes(row).zip(hosts.chain(["*"])) {
        match folded.iter_mut().find(|(_, known)| *known == route) {
            Some((hosts, _)) => hosts.push(host),
            None => folded.push((vec![host], route)),
        }
    }
    folded
}

/// What a folded route is asked by: `shop.example.com/cart`, `/cart on 60 hosts`.
#[must_use]
pub fn asked_by(hosts: &[&str], route: &Route) -> String {
    let text = match hosts {
        _ if route.path_type.is_empty() && route.path == "*" => "Everything else".into(),
        ["*"] => format!("Any host, {}", route.path),
        [host] => format!("{host}{}", route.path),
        hosts => format!(
            "{} on {}",
            route.path,
            counted(hosts.len(), "host", "hosts")
        ),
    };
    shown(&text)
}

/// An error's words as a sentence: they begin small and end without a full stop.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut letters = words.trim_end_matches('.').chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_ascii_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// How many paths a row has, the default backend included.
#[must_use]
pub fn route_count(row: &Ingress) -> usize {
    row.rules.iter().map(|rule| rule.paths.len()).sum::<usize>()
        + row.more.as_ref().map_or(0, |more| more.paths)
        + usize::from(row.default_backend.is_some())
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

/// What a row says, one fact a line: two versions of a row differ in these.
fn facts(row: &Ingress) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend((row.ingress_class_name.iter()).map(|class| format!("class: {class}")));
    for rule in &row.rules {
        let host = rule.host.as_deref().unwrap_or("*");
        if rule.paths.is_empty() {
            facts.push(format!("host: {host}"));
        }
        facts.extend(rule.paths.iter().map(|path| {
            let (target, port) = backend(&path.backend);
            let (way, kind) = (path.path.as_deref().unwrap_or("/"), &path.path_type);
            format!("{host}{way} ({kind}) \u{2192} {target}{port}")
        }));
    }
    facts.extend(row.default_backend.iter().map(|default| {
        let (target, port) = backend(default);
        format!("default backend \u{2192} {target}{port}")
    }));
    facts.extend(row.tls_entries.iter().map(|entry| {
        let secret = entry.secret_name.as_deref().unwrap_or("no secret");
        format!("tls: {secret} for {}", entry.hosts.join(", "))
    }));
    facts.extend((row.addresses.iter()).map(|address| format!("address: {address}")));
    facts.extend((row.labels.iter()).map(|(key, value)| format!("label: {key}={value}")));
    facts.extend((row.annotation_keys.iter()).map(|key| format!("annotation: {key}")));
    facts
}

/// What two versions of a row say that the other does not: of the first, and of the second.
#[must_use]
pub fn difference(before: &Ingress, after: &Ingress) -> (Vec<String>, Vec<String>) {
    let (mut old, mut new) = (facts(before), facts(after));
    // What is in both goes, as often as it is in both.
    old.retain(|fact| match new.iter().position(|other| other == fact) {
        Some(at) => {
            new.remove(at);
            false
        }
        None => true,
    });
    (old, new)
}

/// The text with what would turn the order of its letters around written out, as YAML and JSON
/// escape it: no text is to look like another.
#[must_use]
pub fn without_bidi(text: &str) -> Cow<'_, str> {
    let turns = |letter: char| {
        matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
    };
    if !text.contains(turns) {
        return text.into();
    }
    let plain = text.chars().map(|letter| match turns(letter) {
        true => format!("\\u{:04X}", u32::from(letter)),
        false => letter.to_string(),
    });
    plain.collect::<String>().into()
}

/// [`without_bidi`] as a text of its own.
#[must_use]
pub fn shown(text: &str) -> String {
    without_bidi(text).into_owned()
}

/// A line of YAML in parts, each with the class that colours it; none is plain. It is no parser:
/// what it takes for a key inside a text is only coloured as one.
#[must_use]
pub fn yaml_parts(line: &str) -> Vec<(&'static str, &str)> {
    let start = line.len() - line.trim_start_matches([' ', '-']).len();
    let (lead, rest) = line.split_at(start);
    let mut parts = vec![("", lead)];
    let value = match rest.find(": ") {
        Some(at) => {
            parts.push(("ck", &rest[..at]));
            parts.push(("", ": "));
            &rest[at + 2..]
        }
        None => match rest.strip_suffix(':') {
            Some(key) => {
                parts.extend([("ck", key), ("", ":")]);
                ""
            }
            None => rest,
        },
    };
    let class = match value {
        "true" | "false" | "null" | "{}" | "[]" => "cn",
        _ if is_number(value) => "cn",
        _ => "cs",
    };
    parts.push((class, value));
    parts.retain(|(_, text)| !text.is_empty());
    parts
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The part of a list of namespaces that a button has room for.
#[must_use]
pub fn namespaces(scope: &protocol::Scope) -> String {
    match scope.names() {
        None => "All namespaces".into(),
        Some(names) if names.is_empty() => "No namespace".into(),
        Some(names) => match names.iter().next() {
            Some(only) if names.len() == 1 => only.clone(),
            _ => counted(names.len(), "namespace", "namespaces"),
        },
    }
}

#[cfg(test)]
mod tests;
