use protocol::ingress::{Backend, Path, Port, Rule, ServiceBackend, TlsEntry};

use super::*;

fn routed(hosts: &[&str], paths: &[&str]) -> Ingress {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| Path {
            path: Some((*path).into()),
            path_type: "Prefix".into(),
            backend: Backend {
                service: Some(ServiceBackend {
                    name: "web".into(),
                    port: Some(Port::Number(80)),
                }),
                resource: None,
            },
        })
        .collect();
    Ingress {
        namespace: "shop".into(),
        name: "cart".into(),
        hosts: hosts.iter().map(ToString::to_string).collect(),
        rules: hosts
            .iter()
            .map(|host| Rule {
                host: Some((*host).into()),
                paths: paths.clone(),
            })
            .collect(),
        ..Ingress::default()
    }
}

#[test]
fn curl_asks_the_address_of_the_row_for_its_host() {
    let at = |hosts: &[&str], path: &str, address: &str, tls: bool| {
        let mut row = routed(hosts, &[path]);
        row.addresses = (!address.is_empty())
            .then(|| address.into())
            .into_iter()
            .collect();
        row.tls = tls;
        row.tls_entries = if tls {
            vec![TlsEntry::default()]
        } else {
            vec![]
        };
        curl(&row).unwrap_or_default()
    };
    assert_eq!(
        at(&["a.example.com"], "/cart", "192.0.2.1", true),
        "curl -v --resolve a.example.com:443:192.0.2.1 https://a.example.com/cart"
    );
    assert_eq!(
        at(&["a.example.com"], "/v[0-9]+", "2001:db8::1", false),
        "curl -v --resolve 'a.example.com:80:[2001:db8::1]' http://a.example.com/"
    );
    assert_eq!(
        at(&["*.example.com"], "/", "lb.example.net", true),
        "curl -v --connect-to anything.example.com:443:lb.example.net:443 https://anything.example.com/"
    );
    assert_eq!(
        at(&["a.example.com"], "/", "", true),
        "curl -v https://a.example.com/"
    );
    assert_eq!(
        at(&["a.example.com"], "/", "$(id); rm", false),
        "curl -v --connect-to 'a.example.com:80:$(id); rm:80' http://a.example.com/"
    );
    assert_eq!(
        at(&[], "/", "192.0.2.1", false),
        "curl -v http://192.0.2.1/"
    );
    assert_eq!(at(&["$(id)"], "/", "192.0.2.1", false), "");
    assert_eq!(at(&[], "/", "", false), "");
}

#[test]
fn a_host_that_no_tls_entry_covers_is_asked_without_tls() {
    let mut row = routed(&["a.example.com"], &["/"]);
    row.tls = true;
    row.tls_entries = vec![TlsEntry {
        secret_name: None,
        hosts: vec!["b.example.com".into()],
    }];
    assert_eq!(curl(&row).unwrap(), "curl -v http://a.example.com/");
}

#[test]
fn a_report_is_markdown_that_its_texts_cannot_break() {
    let mut row = routed(&["a.example.com"], &["/`x`\u{202e}"]);
    row.tls = true;
    row.tls_entries = vec![TlsEntry {
        secret_name: Some("cart-tls".into()),
        hosts: vec!["a.example.com".into()],
    }];
    let text = report(&row, "prod", "https://dash/?sel=shop/cart", "2 d", "noon");
    assert_eq!(
        text,
        "**Ingress `shop/cart`** in cluster `prod`\n\n\
             - Route: `` a.example.com/`x`\\u202E `` \u{2192} `web:80`\n\
             - Class: none\n\
             - TLS: `cart-tls` for `a.example.com`\n\
             - Address: pending\n\
             - Age: 2 d\n\
             - Link: <https://dash/?sel=shop/cart>\n\
             - As of noon"
    );
    let many: Vec<_> = (0..12)
        .map(|number| format!("h{number}.example.com"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let text = report(&routed(&many, &["/"]), "prod", "", "2 d", "noon");
    assert!(text.contains("`/` on `h0.example.com`, "), "{text}");
    assert!(
        text.contains("`h9.example.com`, 2 more \u{2192} `web:80`"),
        "{text}"
    );
}
