use protocol::tls::Coverage;
use serde_json::json;

use super::*;

fn projected(object: Value) -> Ingress {
    let Input::Ingress(row) = project(object).unwrap().input;
    row.decode()
}

#[test]
fn hosts_are_unique_and_in_rule_order() {
    let row = projected(json!({
        "metadata": {"name": "a", "namespace": "b", "resourceVersion": "7"},
        "spec": {"rules": [{"host": "z.example.com"}, {"host": "a.example.com"}, {"host": "z.example.com"}, {}]},
    }));
    assert_eq!(row.hosts, ["z.example.com", "a.example.com"]);
    assert_eq!(row.rules.len(), 4);
}

#[test]
fn the_class_of_the_spec_goes_before_the_annotation() {
    let object = |class: Value| json!({"metadata": {"annotations": {LEGACY_CLASS: "old"}}, "spec": {"ingressClassName": class}});
    assert_eq!(
        projected(object(json!("new")))
            .ingress_class_name
            .as_deref(),
        Some("new")
    );
    assert_eq!(
        projected(object(Value::Null)).ingress_class_name.as_deref(),
        Some("old")
    );
}

#[test]
fn the_version_ignores_bookkeeping_and_notices_everything_else() {
    let object = |resource_version: &str, annotation: &str| {
        json!({"metadata": {"name": "a", "resourceVersion": resource_version, "managedFields": [{"manager": resource_version}],
                   "annotations": {"note": annotation}}})
    };
    let version = |object| projected(object).version;
    assert_eq!(version(object("1", "x")), version(object("2", "x")));
    assert_ne!(version(object("1", "x")), version(object("1", "y")));
    // SipHash-1-3 of {"metadata":{"annotations":{"note":"x"},"name":"a"}}, whatever the build.
    assert_eq!(version(object("1", "x")), "385358d99fb65ff7");
}

#[test]
fn a_default_backend_alone_is_a_row() {
    let row = projected(
        json!({"metadata": {"name": "a"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"name": "http"}}}}}),
    );
    let service = row.default_backend.unwrap().service.unwrap();
    assert_eq!(
        (service.name.as_str(), service.port),
        ("s", Some(Port::Name("http".into())))
    );
    assert!(row.hosts.is_empty());
}

#[test]
fn an_object_of_the_wrong_shape_is_named() {
    let error = project(json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {"rules": 5}}))
        .unwrap_err();
    assert!(error.to_string().starts_with("b/a: "), "{error}");
}

/// An ingress of so many hosts, of which `with_tls` have an entry of their own each.
fn large(hosts: usize, with_tls: impl Fn(usize) -> bool) -> Ingress {
    let host = |number: usize| format!("h{number}.example.com");
    let rules: Vec<_> = (0..hosts)
            .map(|number| json!({"host": host(number), "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s"}}}]}}))
            .collect();
    let tls: Vec<_> = (0..hosts)
        .filter(|number| with_tls(*number))
        .map(|number| json!({"secretName": format!("s{number}"), "hosts": [host(number)]}))
        .collect();
    projected(json!({"metadata": {"name": "a"}, "spec": {"rules": rules, "tls": tls}}))
}

#[test]
fn a_large_ingress_is_a_row_of_a_hundred_rules_and_a_count_of_the_rest() {
    let row = large(2_400, |_| true);
    assert_eq!((row.hosts.len(), row.rules.len()), (100, 100));
    assert_eq!((row.tls_entries.len(), row.host_count()), (100, 2_400));
    let more = More {
        hosts: 2_300,
        paths: 2_300,
        others: 2_300,
    };
    assert_eq!(row.more.as_deref(), Some(&more));
    assert_eq!(row.hosts[99], "h99.example.com");
    assert_eq!(large(100, |_| true).more, None);
}

#[test]
fn a_cut_row_says_the_same_of_its_tls() {
    // All hosts have TLS, all but one far beyond the cut, one far beyond it, some, and none.
    let coverage = |with_tls: fn(usize) -> bool| {
        let row = large(2_400, with_tls);
        assert!(row.rules.len() <= MOST);
        row.coverage()
    };
    assert_eq!(coverage(|_| true), Coverage::All);
    assert_eq!(coverage(|number| number != 2_000), Coverage::Partly);
    assert_eq!(coverage(|number| number == 2_000), Coverage::Partly);
    assert_eq!(coverage(|number| number % 2 == 0), Coverage::Partly);
    assert_eq!(coverage(|_| false), Coverage::None);
    let wildcard: Vec<_> = (0..300)
        .map(|number| json!({"host": format!("h{number}.example.com")}))
        .collect();
    let row =
        projected(json!({"spec": {"rules": wildcard, "tls": [{"hosts": ["*.example.com"]}]}}));
    assert_eq!((row.hosts_with_tls(), row.hosts.len()), (100, 100));
}

#[test]
fn one_rule_and_its_texts_are_cut_as_well() {
    let path = |number: usize| json!({"path": format!("/{number}/{}", "ü".repeat(1_000)), "pathType": "Exact", "backend": {}});
    let paths: Vec<_> = (0..500).map(path).collect();
    let labels: serde_json::Map<_, _> = (0..150)
        .map(|number| (format!("l{number}"), json!("")))
        .collect();
    let row = projected(
        json!({"metadata": {"labels": labels}, "spec": {"rules": [{"http": {"paths": paths}}, {"host": "b"}]}}),
    );
    assert_eq!((row.rules.len(), row.rules[0].paths.len()), (1, 100));
    let path = row.rules[0].paths[0].path.as_deref().unwrap();
    assert!(path.len() <= LONGEST + 3 && path.ends_with("ü…"), "{path}");
    let more = row.more.unwrap();
    assert_eq!((more.hosts, more.paths, more.others), (1, 400, 50));
    assert_eq!(row.labels.len(), 100);
}
