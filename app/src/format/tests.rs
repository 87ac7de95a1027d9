use protocol::ingress::{Path, Port, ResourceBackend, Rule, ServiceBackend, TlsEntry};

use super::*;

#[test]
fn no_text_turns_the_order_of_its_letters_around() {
    assert_eq!(without_bidi("a\u{202e}gnp.exe"), "a\\u202Egnp.exe");
    assert_eq!(without_bidi("\u{5e9}\u{5dc}"), "\u{5e9}\u{5dc}");
}

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
fn a_command_is_quoted_where_a_shell_would_read_it_otherwise() {
    assert_eq!(
        kubectl("shop", ["cart", "web.v2"]),
        "kubectl -n shop get ingress cart web.v2 -o yaml"
    );
    assert_eq!(shell_word("a; rm -rf ~"), "'a; rm -rf ~'");
    assert_eq!(shell_word("it's $(id)"), r"'it'\''s $(id)'");
    assert_eq!(shell_word(""), "''");
}

#[test]
fn a_url_has_the_first_path_unless_that_is_a_pattern() {
    let row = |path: &str| Ingress {
        hosts: vec!["*.example.com".into(), "a.example.com".into()],
        tls: true,
        rules: vec![Rule {
            host: None,
            paths: vec![Path {
                path: Some(path.into()),
                ..Path::default()
            }],
        }],
        ..Ingress::default()
    };
    let url = |path: &str| url(&row(path)).unwrap_or_default();
    assert_eq!(url("/cart"), "https://a.example.com/cart");
    assert_eq!(url("/v[0-9]+"), "https://a.example.com/");
    assert_eq!(super::url(&Ingress::default()), None);
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
fn the_same_path_to_the_same_service_is_one_route_of_many_hosts() {
    let path = |path: &str| Path {
        path: Some(path.into()),
        path_type: "Prefix".into(),
        ..Path::default()
    };
    let rule = |host: &str, paths: &[&str]| Rule {
        host: Some(host.into()),
        paths: paths.iter().map(|text| path(text)).collect(),
    };
    let row = Ingress {
        rules: vec![
            rule("a.example.com", &["/", "/x"]),
            rule("b.example.com", &["/"]),
        ],
        default_backend: Some(Backend::default()),
        ..Ingress::default()
    };
    let folded = folded_routes(&row);
    let words: Vec<_> = folded
        .iter()
        .map(|(hosts, route)| asked_by(hosts, route))
        .collect();
    assert_eq!(
        words,
        ["/ on 2 hosts", "a.example.com/x", "Everything else"]
    );
    assert_eq!(folded[0].0, ["a.example.com", "b.example.com"]);
}

#[test]
fn the_version_of_an_object_is_in_its_yaml() {
    let yaml = "kind: Ingress\nmetadata:\n  resourceVersion: \"88\"\nspec: {}\n";
    assert_eq!(resource_version(yaml), Some("88"));
    assert_eq!(resource_version("kind: Ingress"), None);
}

#[test]
fn clusters_of_like_names_have_different_colours() {
    let colours = ["prod-eu-1", "prod-eu-2", "prod-us-1", "staging"].map(|name| colour(name, 8));
    assert!(colours.iter().all(|colour| *colour < 8));
    assert_ne!(colours[0], colours[1]);
    assert_ne!(colours[0], colours[3]);
}

#[test]
fn two_versions_differ_in_what_only_one_of_them_says() {
    let before = Ingress {
        ingress_class_name: Some("nginx".into()),
        labels: [("team".to_owned(), "a".to_owned())].into(),
        addresses: vec!["192.0.2.1".into()],
        ..Ingress::default()
    };
    let after = Ingress {
        ingress_class_name: Some("traefik".into()),
        default_backend: Some(Backend::default()),
        ..before.clone()
    };
    let (old, new) = difference(&before, &after);
    assert_eq!(old, ["class: nginx"]);
    assert_eq!(new, ["class: traefik", "default backend \u{2192} "]);
    assert_eq!(difference(&before, &before), (vec![], vec![]));
}

#[test]
fn a_line_of_yaml_has_a_key_and_a_value() {
    assert_eq!(
        yaml_parts("  - name: a:b"),
        [("", "  - "), ("ck", "name"), ("", ": "), ("cs", "a:b")]
    );
    assert_eq!(yaml_parts("spec:"), [("ck", "spec"), ("", ":")]);
    assert_eq!(yaml_parts("number: 80")[2], ("cn", "80"));
    assert_eq!(yaml_parts("- text"), [("", "- "), ("cs", "text")]);
    assert_eq!(yaml_parts(""), []);
}

#[test]
fn the_first_secret_is_named_and_the_others_are_counted() {
    let entry = |secret: &str, hosts: &[&str]| TlsEntry {
        secret_name: Some(secret.into()),
        hosts: hosts.iter().map(ToString::to_string).collect(),
    };
    let mut row = Ingress {
        hosts: vec!["a.example.com".into(), "b.example.com".into()],
        ..Ingress::default()
    };
    row.tls = true;
    row.tls_entries = vec![entry("one", &["a.example.com"]), entry("one", &[])];
    assert_eq!(secrets(&row), (Some("one"), 0));
    row.tls_entries[1] = entry("two", &["elsewhere.example.com"]);
    assert_eq!(secrets(&row), (Some("one"), 1));
}

#[test]
fn an_errors_words_become_a_sentence() {
    assert_eq!(
        sentence("there is no ingress a/b"),
        "There is no ingress a/b."
    );
    assert_eq!(sentence("The server says no."), "The server says no.");
    assert_eq!(sentence(""), "");
}
