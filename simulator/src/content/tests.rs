use super::*;

fn sample(seed: u64, count: usize) -> Vec<Value> {
    let mut random = Random::new(seed);
    let names = namespaces(&mut random, 40);
    ingresses(&mut random, &names, count, 1_700_000_000).collect()
}

#[test]
fn the_same_seed_and_start_give_the_same_objects_to_the_byte() {
    assert_eq!(sample(7, 200), sample(7, 200));
    assert_ne!(sample(7, 200), sample(8, 200));
}

#[test]
fn every_shape_a_dashboard_must_show_occurs() {
    let objects = sample(7, 2000);
    let occurs = |what: &str, test: &dyn Fn(&Value) -> bool| {
        assert!(objects.iter().any(test), "no ingress with {what}");
        assert!(!objects.iter().all(test), "only ingresses with {what}");
    };
    occurs("a class", &|object| {
        object["spec"]["ingressClassName"].is_string()
    });
    occurs("the legacy annotation", &|object| {
        object["metadata"]["annotations"]["kubernetes.io/ingress.class"].is_string()
    });
    occurs("only a default backend", &|object| {
        object["spec"]["rules"].is_null()
    });
    occurs("a rule without host", &|object| {
        object["spec"]["rules"][0]["host"].is_null()
    });
    occurs("a wildcard host", &|object| {
        object["spec"]["rules"][0]["host"]
            .as_str()
            .is_some_and(|host| host.starts_with("*."))
    });
    occurs("TLS", &|object| object["spec"]["tls"].is_array());
    occurs("no address", &|object| {
        object["status"]["loadBalancer"]["ingress"].is_null()
    });
    occurs("a hostname as address", &|object| {
        object["status"]["loadBalancer"]["ingress"][0]["hostname"].is_string()
    });
    occurs("a named port", &|object| {
        object
            .pointer("/spec/rules/0/http/paths/0/backend/service/port/name")
            .is_some()
    });
    occurs("a resource backend", &|object| {
        object
            .pointer("/spec/rules/0/http/paths/0/backend/resource")
            .is_some()
    });
}

#[test]
fn a_large_cluster_is_spread_unevenly() {
    let mut random = Random::new(1);
    let names = namespaces(&mut random, 3200);
    let mut counts = std::collections::HashMap::new();
    for object in ingresses(&mut random, &names, 10_500, 1_700_000_000) {
        *counts
            .entry(object["metadata"]["namespace"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    assert!(counts.values().max() > Some(&100));
    assert!(counts.values().filter(|count| **count <= 2).count() > names.len() / 4);
}
