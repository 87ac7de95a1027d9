use http::HeaderValue;
use http::header::ACCEPT;

use super::*;

fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

#[test]
fn weights_are_those_of_what_is_named() {
    let yaml = |accept| Accepted::read(&headers(ACCEPT, accept), ACCEPT).weight("application/yaml");
    assert_eq!(yaml("text/html, application/yaml"), 1.0);
    assert_eq!(yaml("application/yaml;q=0"), 0.0);
    assert_eq!(
        yaml("Application/YAML; charset=utf-8 ;q=0.4,application/json"),
        0.4
    );
    for other in ["*/*", "application/yamlish", "application/yaml;q=much"] {
        assert_eq!(yaml(other), 0.0, "{other}");
    }
}

#[test]
fn the_smallest_coding_that_is_wanted_is_taken() {
    let of = |accept| coding(&headers(ACCEPT_ENCODING, accept), &["br", "gzip"]);
    assert_eq!(coding(&HeaderMap::new(), &["br", "gzip"]), IDENTITY);
    for (accept, taken) in [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("*", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, *;q=0.1", "gzip"),
        ("identity, gzip;q=0.5", IDENTITY),
        ("deflate", IDENTITY),
        ("", IDENTITY),
        ("BR", "br"),
        ("br; q=0.2", "br"),
        ("*;q=0.1, gzip;q=0", "br"),
        ("br;q=none, gzip;q=0.1", "gzip"),
        // Nothing acceptable is left: the plain form serves better than a refusal.
        ("identity;q=0", IDENTITY),
    ] {
        assert_eq!(of(accept), taken, "{accept}");
    }
}

#[test]
fn tags_are_compared_weakly() {
    let held = |tags| is_held(&headers(IF_NONE_MATCH, tags), "W/\"a\"");
    assert!(held("\"x\", W/\"a\"") && held("\"a\"") && held("*"));
    assert!(!held("W/\"b\"") && !held(""));
}
