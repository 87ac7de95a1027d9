//! Whether the environment asks for a proxy on the way to an API server, as Go's
//! [`ProxyFromEnvironment`](https://pkg.go.dev/net/http#ProxyFromEnvironment) reads it, and with it
//! kubectl. `kube` looks at `HTTPS_PROXY` alone.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

/// The variable that names a proxy for this URL; `None` where it is reached directly. `read` gives
/// the value of a variable.
pub(super) fn variable(url: &Uri, read: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let first = |names: [&'static str; 2]| {
        let values = names.map(|name| Some((name, read(name).filter(|value| !value.is_empty())?)));
        values.into_iter().flatten().next()
    };
    let (names, port) = match url.scheme_str() {
        Some("https") => (["HTTPS_PROXY", "https_proxy"], 443),
        Some("http") => (["HTTP_PROXY", "http_proxy"], 80),
        _ => return None,
    };
    let (variable, _) = first(names)?;
    let host = without_brackets(url.host()?).to_ascii_lowercase();
    let port = url.port_u16().unwrap_or(port);
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return None;
    }
    let direct = first(["NO_PROXY", "no_proxy"]).map_or(String::new(), |(_, list)| list);
    let is_direct = direct
        .split(',')
        .any(|entry| matches(&entry.trim().to_ascii_lowercase(), &host, address, port));
    (!is_direct).then_some(variable)
}

/// Whether an entry of `NO_PROXY` is about this host: `*`, a network, an address, a name, which
/// stands for those below it as well, or `.name` for those below it alone; all but the first two
/// with a port where only that is meant.
fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| network.contains(&address));
    }
    let (named, of_port) = match entry.rsplit_once(':') {
        // The colons of an address of IPv6 are its own.
        Some((named, digits)) if !named.contains(':') || named.ends_with(']') => {
            (named, digits.parse() == Ok(port))
        }
        _ => (entry, true),
    };
    let named = without_brackets(named);
    let is_host = match named.parse::<IpAddr>() {
        Ok(named) => address == Some(named),
        Err(_) => {
            let named = named.strip_prefix('*').unwrap_or(named);
            let (exact, below) = match named.strip_prefix('.') {
                Some(below) => (false, below),
                None => (host == named, named),
            };
            let is_below = |prefix: &str| prefix.ends_with('.');
            exact || !below.is_empty() && host.strip_suffix(below).is_some_and(is_below)
        }
    };
    of_port && is_host
}

fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the way of `url` with these variables.
    fn found(url: &str, variables: &[(&str, &str)]) -> Option<&'static str> {
        variable(&url.parse().unwrap(), |name| {
            let mut known = variables.iter();
            Some(known.find(|(known, _)| *known == name)?.1.to_owned())
        })
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let (https, http) = ("https://k8s.example.com:6443", "http://k8s.example.com");
        assert_eq!(found(https, &[]), None);
        assert_eq!(
            found(https, &[("HTTPS_PROXY", "http://proxy:3128")]),
            Some("HTTPS_PROXY")
        );
        let small = [("HTTPS_PROXY", ""), ("https_proxy", "proxy:3128")];
        assert_eq!(found(https, &small), Some("https_proxy"));
        assert_eq!(found(http, &small), None);
        assert_eq!(found(https, &[("HTTP_PROXY", "proxy")]), None);
        assert_eq!(found(http, &[("http_proxy", "proxy")]), Some("http_proxy"));
        assert_eq!(found("ftp://k8s.example.com", &small), None);
    }

    #[test]
    fn this_machine_is_reached_directly() {
        let proxy = [("HTTPS_PROXY", "proxy"), ("HTTP_PROXY", "proxy")];
        for url in [
            "https://localhost:6443",
            "http://127.0.0.1:8001",
            "https://127.9.9.9",
            "https://[::1]:6443",
        ] {
            assert_eq!(found(url, &proxy), None, "{url}");
        }
        assert_eq!(found("https://10.0.0.1", &proxy), Some("HTTPS_PROXY"));
    }

    #[test]
    fn no_proxy_names_what_is_reached_directly() {
        let is_direct = |host: &str, list: &str| {
            let variables = [("HTTPS_PROXY", "proxy"), ("no_proxy", list)];
            found(&format!("https://{host}"), &variables).is_none()
        };
        for (host, list) in [
            ("k8s.example.com", "*"),
            ("k8s.example.com", "other, K8s.example.com"),
            ("K8S.example.com", "example.com"),
            ("k8s.example.com", ".example.com"),
            ("k8s.example.com", "*.example.com"),
            ("k8s.example.com:6443", "example.com:6443"),
            ("k8s.example.com", "example.com:443"),
            ("10.1.2.3:6443", "10.0.0.0/8"),
            ("10.1.2.3:6443", "10.1.2.3"),
            ("10.1.2.3:6443", "10.1.2.3:6443"),
            ("[fd00::1]:6443", "fd00::/8"),
            ("[fd00::1]:6443", "fd00::1"),
            ("[fd00::1]:6443", "[fd00::1]:6443"),
        ] {
            assert!(is_direct(host, list), "{host}: {list}");
        }
        for (host, list) in [
            ("k8s.example.com", ""),
            ("k8s.example.com", ",.,:,*.,[]"),
            ("example.com", ".example.com"),
            ("example.com", "*.example.com"),
            ("anexample.com", "example.com"),
            ("k8s.example.com", "example.com:6443"),
            ("k8s.example.com", "k8s"),
            ("11.1.2.3", "10.0.0.0/8"),
            ("10.1.2.3:6443", "10.1.2.3:443"),
            ("10.1.2.34", "10.1.2.3"),
            ("[fd00::1]:6443", "[fd00::1]:443"),
        ] {
            assert!(!is_direct(host, list), "{host}: {list}");
        }
        // The first of the two that says anything counts.
        let both = [
            ("HTTPS_PROXY", "proxy"),
            ("NO_PROXY", "a.example"),
            ("no_proxy", "*"),
        ];
        assert_eq!(found("https://b.example", &both), Some("HTTPS_PROXY"));
    }
}
