use proptest::prelude::*;

use super::matching::folded;
use super::*;
use crate::ingress::{Backend, Path, Port, Rule, ServiceBackend, TlsEntry};

fn backend(service: &str) -> Backend {
    Backend {
        service: Some(ServiceBackend {
            name: service.into(),
            port: Some(Port::Number(8080)),
        }),
        resource: None,
    }
}

fn row() -> Ingress {
    Ingress {
        name: "storefront".into(),
        namespace: "shop".into(),
        hosts: vec!["shop.example.com".into(), "*.promo.example.com".into()],
        tls: true,
        rules: vec![Rule {
            host: Some("shop.example.com".into()),
            paths: vec![Path {
                path: Some("/Cart".into()),
                path_type: "Prefix".into(),
                backend: backend("cart-v2"),
            }],
        }],
        ingress_class_name: Some("nginx".into()),
        addresses: vec!["192.0.2.7".into()],
        tls_entries: vec![TlsEntry {
            secret_name: Some("shop-tls".into()),
            hosts: vec!["shop.example.com".into()],
        }],
        labels: [("app".to_owned(), "Store".to_owned())].into(),
        annotation_keys: vec!["cert-manager.io/issuer".into()],
        ..Ingress::default()
    }
}

fn bare() -> Ingress {
    Ingress {
        name: "fallback".into(),
        namespace: "edge".into(),
        default_backend: Some(backend("landing")),
        ..Ingress::default()
    }
}

#[test]
fn a_key_that_is_none_is_named_with_the_one_that_is_likely_meant() {
    let unknown = |key: &str, value: &str, likely| Mistake::UnknownKey {
        key: key.into(),
        value: value.into(),
        likely,
    };
    assert_eq!(
        mistakes("owner:payments -hots:a ns:shop x:y"),
        [
            unknown("owner", "payments", Some(Field::Label)),
            unknown("hots", "a", Some(Field::Host)),
            unknown("x", "y", None),
        ]
    );
    assert_eq!(
        mistakes("https://shop.example.com 10.0.0.1:80 host: :x"),
        []
    );
    assert_eq!(
        mistakes("is:wildcard,odd"),
        [Mistake::UnknownValue {
            field: Field::Is,
            value: "odd".into(),
            allowed: &IS_VALUES
        }]
    );
}

#[test]
fn what_matches_is_marked_whatever_the_case() {
    let words = |text: &str| Filter::parse(text).marks(Field::Host);
    assert_eq!(
        marked("Shop.Example.com", &words("shop host:example -com ns:m")),
        [
            ("Shop", true),
            (".", false),
            ("Example", true),
            (".com", false)
        ]
    );
    assert_eq!(
        marked("äöü", &words("ö")),
        [("ä", false), ("ö", true), ("ü", false)]
    );
    assert_eq!(marked("", &words("a")), []);
    assert_eq!(marked("plain", &words("")), [("plain", false)]);
}

#[test]
fn the_values_of_a_field_are_replaced_in_their_place() {
    let filter = Filter::parse("tls:no class:nginx web");
    let other = filter.with(Field::Tls, true, vec!["yes".into(), "partly".into()]);
    assert_eq!(other.to_string(), "-tls:yes,partly class:nginx web");
    assert_eq!(
        filter.with(Field::Tls, false, vec![]).to_string(),
        "class:nginx web"
    );
    let added = filter.with(Field::Label, false, vec!["a=b".into()]);
    assert_eq!(added.to_string(), "tls:no class:nginx web label:a=b");
    assert_eq!(filter.without(1).to_string(), "tls:no web");
}

#[test]
fn a_value_that_is_offered_leaves_the_row_it_is_from() {
    for row in [row(), bare()] {
        for field in Field::ALL {
            for value in values(field, &row) {
                let text = format!("{}:{value}", field.key());
                assert!(Filter::parse(&text).matches(&row), "{text}");
            }
        }
    }
    assert_eq!(values(Field::Tls, &row()), ["yes", "partly"]);
    assert_eq!(values(Field::Class, &bare()), ["none"]);
}

#[test]
fn words_match_as_documented() {
    // What is typed, whether it matches `row()`, whether it matches `bare()`.
    let cases = [
        ("", true, true),
        ("   ", true, true),
        ("STORE", true, false),
        ("store shop", true, false),
        ("store edge", false, false),
        ("/cart", true, false),
        ("cart-v2", true, false),
        ("landing", false, true),
        ("nginx", true, false),
        ("shop-tls", true, false),
        ("192.0.2.7", true, false),
        ("cart-v2:8080", true, false),
        ("-nginx", false, true),
        ("shop/storefront", true, false),
        ("shop/st", true, false),
        ("hop/storefront", false, false),
        ("-shop/storefront", false, true),
        // The bare row has a default backend, which takes any host.
        ("shop.example.com", true, true),
        ("summer.promo.example.com", true, true),
        ("-summer.promo.example.com", true, true),
        ("https://shop.example.com/cart?x=1#y", true, true),
        ("http://user@shop.example.com:8080", true, true),
        ("SHOP.example.com.", true, true),
        ("shop.example.com/", true, true),
        ("shop.example.com:443", true, true),
        ("https://shop", false, true),
        ("other.example.com:x", false, false),
        ("203.0.113.1", false, false),
        ("-store", false, true),
        ("-", true, true),
        ("-host:", true, true),
        ("host:shop.example", true, false),
        ("host:*.promo.example.com", true, false),
        ("host:shop.*", true, false),
        ("host:none", false, true),
        ("host:", true, true),
        ("host:,", true, true),
        ("ns:shop", true, false),
        ("ns:sho", false, false),
        ("ns:sh*", true, false),
        ("ns:edge,shop", true, true),
        ("-ns:edge,other", true, false),
        ("name:front", true, false),
        ("class:nginx", true, false),
        ("class:NGINX", true, false),
        ("class:ngin", false, false),
        ("class:none", false, true),
        ("-class:none", true, false),
        ("svc:cart", true, false),
        ("svc:landing", false, true),
        ("path:/cart", true, false),
        ("tls:yes", true, false),
        ("tls:no", false, true),
        ("tls:partly", true, false),
        ("host:a.promo.example.com", true, false),
        ("host:https://a.promo.example.com/x", true, false),
        ("host:promo.example.com", true, false),
        ("-host:a.promo.example.com", true, true),
        ("host:shop.example.org", false, false),
        ("tls:shop-t", true, false),
        ("is:wildcard", true, false),
        ("is:default", false, true),
        ("is:hostless", false, true),
        ("is:nonsense", false, false),
        ("label:app=store", true, false),
        ("label:app", true, false),
        ("label:tier", false, false),
        ("annotation:cert-manager.io/issuer", true, false),
        ("annotation:Cert-Manager", true, false),
        ("annotation:*/issuer", true, false),
        ("annotation:issuer/*", false, false),
        ("-annotation:issuer", false, true),
        ("addr:192.0.2", true, false),
        ("addr:none", false, true),
        ("addr:pending", false, true),
        ("owner:shop", false, false),
        ("host:shop -tls:no", true, false),
    ];
    for (text, full, empty) in cases {
        let filter = Filter::parse(text);
        assert_eq!(
            filter.matches(&row()),
            full,
            "{text:?} against the full row"
        );
        assert_eq!(
            filter.matches(&bare()),
            empty,
            "{text:?} against the bare row"
        );
    }
}

#[test]
fn an_unknown_key_is_searched_as_text() {
    let filter = Filter::parse("owner:web");
    assert_eq!(filter.terms()[0].field, None);
    let odd = Ingress {
        rules: vec![Rule {
            host: None,
            paths: vec![Path {
                path: Some("/owner:web".into()),
                ..Path::default()
            }],
        }],
        ..Ingress::default()
    };
    assert!(filter.matches(&odd));
}

#[test]
fn letters_of_every_script_match_in_both_cases() {
    let row = Ingress {
        hosts: vec!["Ärzte.example.com".into()],
        rules: vec![Rule {
            host: None,
            paths: vec![Path {
                path: Some("/Ärzte/ΔΕΛΤΑ".into()),
                ..Path::default()
            }],
        }],
        ..Ingress::default()
    };
    for text in [
        "path:/Ärzte",
        "path:/ärzte/δ",
        "path:*Δελτα",
        "/ÄRZTE",
        "host:ärzte",
    ] {
        assert!(Filter::parse(text).matches(&row), "{text}");
    }
}

#[test]
fn what_takes_a_host_is_told_and_the_nearest_is_first() {
    let rule = |host: Option<&str>, path: &str, kind: &str| Rule {
        host: host.map(Into::into),
        paths: vec![Path {
            path: Some(path.into()),
            path_type: kind.into(),
            ..Path::default()
        }],
    };
    let of = |rules: Vec<Rule>| Ingress {
        hosts: rules.iter().filter_map(|rule| rule.host.clone()).collect(),
        rules,
        ..Ingress::default()
    };
    let exact = of(vec![rule(Some("a.b.com"), "/Cart", "Prefix")]);
    let other_path = of(vec![rule(Some("a.b.com"), "/", "Exact")]);
    let wildcard = of(vec![rule(Some("*.b.com"), "/c", "ImplementationSpecific")]);
    let labels = of(vec![rule(Some("*.com"), "/", "Prefix")]);
    let text = of(vec![rule(Some("x.a.b.com"), "/", "Prefix")]);
    let any = of(vec![rule(None, "/", "Prefix")]);
    let mut default = text.clone();
    default.default_backend = Some(backend("landing"));

    let filter = Filter::parse("A.b.com");
    let seen = |row: &Ingress| {
        filter
            .taker(row)
            .map(|taker| (taker.reach, taker.host.is_some()))
    };
    assert_eq!(seen(&exact), Some((Reach::Exact, true)));
    assert_eq!(seen(&wildcard), Some((Reach::Wildcard, true)));
    assert_eq!(seen(&labels), Some((Reach::Labels, true)));
    assert_eq!(seen(&text), None);
    assert_eq!(seen(&any), Some((Reach::Any, false)));
    assert_eq!(seen(&default), Some((Reach::Default, false)));
    assert_eq!(seen(&bare()), Some((Reach::Any, false)));
    assert_eq!(
        filter.taker(&of(vec![rule(Some("*.a.b.com"), "/", "Prefix")])),
        None
    );

    let ranks = |text: &str, rows: &[&Ingress]| {
        let filter = Filter::parse(text);
        rows.iter()
            .map(|row| filter.matcher().rank(row))
            .collect::<Vec<_>>()
    };
    let rows = [
        &exact,
        &other_path,
        &wildcard,
        &labels,
        &text,
        &any,
        &default,
    ];
    assert!(ranks("a.b.com/cart/3", &rows).is_sorted());
    assert_eq!(ranks("a.b.com/cart/3", &rows[..3]), [0, 1, 2]);
    assert_eq!(ranks("a.b.com/cartage", &rows[..3]), [1, 1, 2]);
    assert_eq!(ranks("a.b.com", &rows[..2]), [0, 0]);
    assert_eq!(ranks("shop", &rows[..3]), [0, 0, 0]);
    assert_eq!(
        Filter::parse("https://a.b.com/Cart").marks(Field::Host)[1],
        "a.b.com"
    );
}

#[test]
fn text_does_not_match_across_two_values() {
    assert!(!Filter::parse("storefrontshop").matches(&row()));
}

#[test]
fn a_word_toggles() {
    let filter = Filter::parse("store tls:no");
    assert!(filter.has("TLS:no"));
    assert_eq!(filter.toggled("tls:no").to_string(), "store");
    assert_eq!(
        filter.toggled("class:none").to_string(),
        "store tls:no class:none"
    );
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[a-c]{1,3}",
        "-?(ns|name|host|class|svc|is|tls):[a-c*]{1,3}(,[a-c]{1,2})?",
        "-?[a-c]{1,2}(\\.[a-c]{1,2}){1,2}(/[a-c]?)?",
        "-?[a-c]{1,2}/[a-c]{0,2}",
    ]
}

fn rows() -> impl Strategy<Value = Ingress> {
    (
        "[a-c]{1,4}",
        "[a-c]{1,3}",
        prop::option::of("[a-c]{1,3}"),
        prop_oneof!["[a-c*]\\.[a-c]{1,3}(\\.[a-c])?", "[a-c]{1,2}"],
    )
        .prop_map(|(name, namespace, class, host)| Ingress {
            hosts: vec![host],
            name,
            namespace,
            ingress_class_name: class,
            ..Ingress::default()
        })
}

proptest! {
    #[test]
    fn every_text_parses_and_its_display_is_the_same_filter(text in ".{0,40}") {
        let filter = Filter::parse(&text);
        prop_assert_eq!(Filter::parse(&filter.to_string()), filter);
    }

    #[test]
    fn a_filter_that_narrows_matches_no_further_row(
        old in prop::collection::vec(words(), 0..3),
        new in prop::collection::vec(words(), 0..4),
        typed_on in "[a-c]{0,2}",
        row in rows(),
    ) {
        let grown = Filter::parse(&format!("{}{typed_on}", old.join(" ")));
        let old = Filter::parse(&old.join(" "));
        for new in [grown, Filter::parse(&new.join(" "))] {
            if new.narrows(&old) && new.matches(&row) {
                prop_assert!(old.matches(&row));
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_characters(text in "[aAb]{0,8}", pattern in "[ab*]{0,8}") {
        prop_assert_eq!(
            like(&folded(&text), &pattern),
            naively_like(text.to_lowercase().as_bytes(), pattern.as_bytes())
        );
    }
}

fn naively_like(text: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skip| naively_like(&text[skip..], rest)),
        [first, rest @ ..] => text.first() == Some(first) && naively_like(&text[1..], rest),
    }
}

#[test]
fn what_is_left_out_is_not_asked_for_any_more() {
    let filter = Filter::parse("ns:shop,team class:nginx web");
    let without = filter.leaving_out(Field::Namespace, "shop");
    assert_eq!(without.to_string(), "ns:team class:nginx web -ns:shop");
    let without = without.leaving_out(Field::Class, "nginx");
    assert_eq!(without.to_string(), "ns:team web -ns:shop -class:nginx");
}
