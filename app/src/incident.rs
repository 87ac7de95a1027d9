//! What of a row goes into a chat or a terminal while something is wrong.

use protocol::Ingress;

use crate::format::{asked_by, count, folded_routes, is_linkable, is_plain, shell_word, shown};

/// The command that asks for the first host of a row at the row's own address, whatever the DNS
/// says of it. A wildcard is asked by a name that it covers; without an address the DNS decides.
/// Nothing where there is nobody to ask.
#[must_use]
pub fn curl(row: &Ingress) -> Option<String> {
    let address = row.addresses.first();
    let found = row.hosts.iter().find_map(|host| {
        let name = match host.strip_prefix("*.") {
            Some(rest) => format!("anything.{rest}"),
            None => host.clone(),
        };
        is_linkable(&name).then_some((host.as_str(), name))
    });
    let (host, name) = match (found, address) {
        (Some(found), _) => found,
        // A rule without a host takes every host.
        (None, Some(address)) if row.hosts.is_empty() => ("*", bracketed(address)),
        _ => return None,
    };
    let tls = row.tls && row.hosts_without_tls().all(|other| other != host);
    let (scheme, port) = if tls { ("https", 443) } else { ("http", 80) };
    let way = match address.filter(|_| host != "*") {
        None => String::new(),
        Some(address) if is_ip(address) => {
            let word = format!("{name}:{port}:{}", bracketed(address));
            format!("--resolve {} ", shell_word(&word))
        }
        Some(address) => {
            let word = format!("{name}:{port}:{address}:{port}");
            format!("--connect-to {} ", shell_word(&word))
        }
    };
    let rule = row
        .rules
        .iter()
        .find(|rule| rule.host.as_deref().unwrap_or("*") == host);
    let path = rule.and_then(|rule| rule.paths.first()?.path.as_deref());
    let path = path.filter(|path| is_plain(path)).unwrap_or("/");
    let url = format!("{scheme}://{name}{path}");
    Some(format!("curl -v {way}{}", shell_word(&url)))
}

fn is_ip(address: &str) -> bool {
    address.contains(':')
        || address
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// An address as it stands before a port: that of IPv6 in brackets.
fn bracketed(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}

/// Of the routes and hosts of a row a report names so many; the others are counted.
const REPORTED: usize = 10;

/// What a row says, as Markdown for whoever is called. `cluster` is the cluster's name, `link` an
/// address of this page, `age` how old the ingress is, `as_of` when all this was so.
#[must_use]
pub fn report(row: &Ingress, cluster: &str, link: &str, age: &str, as_of: &str) -> String {
    let list = |texts: &[&str]| {
        let mut words: Vec<_> = texts.iter().take(REPORTED).map(|text| code(text)).collect();
        let more = texts.len().saturating_sub(REPORTED);
        if more > 0 {
            words.push(format!("{} more", count(more)));
        }
        words.join(", ")
    };
    let mut lines = vec![
        format!(
            "**Ingress {}** in cluster {}",
            code(&format!("{}/{}", row.namespace, row.name)),
            code(cluster)
        ),
        String::new(),
    ];
    let routes = folded_routes(row);
    lines.extend(routes.iter().take(REPORTED).map(|(hosts, route)| {
        let target = code(&format!("{}{}", route.target, route.port));
        let way = match hosts.as_slice() {
            [_] => code(&asked_by(hosts, route)),
            hosts => format!("{} on {}", code(&route.path), list(hosts)),
        };
        format!("- Route: {way} \u{2192} {target}")
    }));
    if routes.len() > REPORTED {
        lines.push(format!("- {} more routes", count(routes.len() - REPORTED)));
    }
    if routes.is_empty() {
        let hosts: Vec<_> = row.hosts.iter().map(String::as_str).collect();
        lines.push(format!("- Hosts without a path: {}", list(&hosts)));
    }
    let class = row.ingress_class_name.as_deref();
    lines.push(format!("- Class: {}", class.map_or("none".into(), code)));
    lines.extend(row.tls_entries.iter().map(|entry| {
        let secret = entry.secret_name.as_deref();
        let secret = secret.map_or("the controller's own certificate".into(), code);
        let hosts: Vec<_> = entry.hosts.iter().map(String::as_str).collect();
        match hosts.as_slice() {
            [] => format!("- TLS: {secret} for every host"),
            hosts => format!("- TLS: {secret} for {}", list(hosts)),
        }
    }));
    let without: Vec<_> = row.hosts_without_tls().collect();
    if !row.tls {
        lines.push("- TLS: none".into());
    } else if !without.is_empty() {
        lines.push(format!("- Without TLS: {}", list(&without)));
    }
    let addresses: Vec<_> = row.addresses.iter().map(String::as_str).collect();
    lines.push(match addresses.as_slice() {
        [] => "- Address: pending".into(),
        addresses => format!("- Address: {}", list(addresses)),
    });
    lines.push(format!("- Age: {age}"));
    lines.push(format!("- Link: <{link}>"));
    lines.push(format!("- As of {as_of}"));
    lines.join("\n")
}

/// A text as code in Markdown, on one line whatever is in it.
fn code(text: &str) -> String {
    let text = shown(text).replace(['\n', '\r'], " ");
    // The fence is longer than any run of backticks inside.
    let runs = text.split(|letter| letter != '`').map(str::len);
    match runs.max().unwrap_or(0) {
        0 => format!("`{text}`"),
        longest => {
            let fence = "`".repeat(longest + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

#[cfg(test)]
mod tests;
