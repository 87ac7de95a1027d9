//! Lifelike content: the mix of classes, hosts, TLS, paths and ages that real clusters show.
//!
//! It is one file, as the names, shares and shapes in it are one picture of a cluster.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::random::Random;
use crate::resource::Resource;
use crate::store::Store;

const NAMESPACES: &[&str] = &[
    "shop",
    "payments",
    "observability",
    "argocd",
    "auth",
    "billing",
    "data-platform",
    "docs",
    "edge",
    "experiments",
    "gitlab",
    "harbor",
    "identity",
    "legacy",
    "marketing",
    "media",
    "search",
    "wiki",
    "crm",
    "webshop-dev",
    "logistics",
    "inventory",
    "notifications",
    "support",
    "analytics",
    "ml-serving",
    "mobile-api",
    "partners",
    "reporting",
    "vault",
];
const AREAS: &[&str] = &[
    "team",
    "payments",
    "shop",
    "search",
    "media",
    "risk",
    "fleet",
    "growth",
    "billing",
    "identity",
    "checkout",
    "recommendations",
    "logistics",
    "insights",
];
const STAGES: &[&str] = &[
    "dev",
    "staging",
    "prod",
    "qa",
    "eu-central-1",
    "us-east-1",
    "sandbox",
];

/// What runs in clusters: a name, the port's number, and its name.
const APPS: &[(&str, u16, &str)] = &[
    ("storefront", 8080, "http"),
    ("checkout", 8080, "http"),
    ("cart", 8080, "http"),
    ("payments-api", 8080, "http"),
    ("invoices", 8080, "web"),
    ("search-api", 9000, "http"),
    ("catalog", 8080, "http"),
    ("product-images", 8080, "http"),
    ("grafana", 3000, "service"),
    ("prometheus", 9090, "web"),
    ("alertmanager", 9093, "http-web"),
    ("argocd-server", 443, "https"),
    ("keycloak", 8443, "https"),
    ("oauth2-proxy", 4180, "http"),
    ("airflow-webserver", 8080, "airflow-ui"),
    ("gitlab-webservice", 8181, "http-workhorse"),
    ("harbor-core", 80, "http-web"),
    ("feature-flags", 4242, "http"),
    ("image-resizer", 8080, "http"),
    ("intranet", 80, "http"),
    ("crm-frontend", 80, "http"),
    ("docs-portal", 80, "http"),
    ("campaigns", 8000, "http"),
    ("ldap-admin", 80, "http"),
    ("outline", 3000, "http"),
    ("tracking", 8080, "http"),
    ("webhooks", 8080, "http"),
    ("admin", 8080, "http"),
    ("status-page", 3000, "http"),
    ("recommendation-engine-shadow-holdout", 8080, "grpc-gateway"),
    ("notebooks", 8888, "http"),
    ("model-gateway", 8080, "http"),
];
const PATHS: &[&str] = &[
    "/api",
    "/api/v1",
    "/api/v2",
    "/static",
    "/assets",
    "/oauth2",
    "/auth",
    "/ws",
    "/graphql",
    "/health",
    "/v2/",
    "/images",
    "/admin",
    "/socket.io",
    "/metrics",
    "/webhooks",
    "/feeds",
];

const MINUTE: f64 = 60.0;
const YEAR: f64 = 365.25 * 24.0 * 3600.0;

/// A time as Kubernetes writes it: whole seconds, UTC.
pub(crate) fn time(second: i64) -> String {
    Timestamp::from_second(second)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

pub(crate) fn now() -> String {
    time(Timestamp::now().as_second())
}

/// Distinct names, the well-known ones first.
pub(crate) fn namespaces(random: &mut Random, count: usize) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(count);
    for index in 0..count {
        let mut name = NAMESPACES
            .get(index)
            .map_or_else(|| further_namespace(random), |name| (*name).to_owned());
        while !taken.insert(name.clone()) {
            name = format!("{}-{:03}", further_namespace(random), random.below(1000));
        }
        names.push(name);
    }
    names
}

fn further_namespace(random: &mut Random) -> String {
    let area = *random.pick(AREAS);
    match random.below(10) {
        0..4 => format!("team-{:03}", random.below(1000)),
        4..6 => format!("preview-pr-{}", 1000 + random.below(9000)),
        6..9 => format!("{area}-{}", random.pick(STAGES)),
        _ => format!("team-{area}-{}", random.pick(STAGES)),
    }
}

pub(crate) fn namespace(random: &mut Random, name: &str, now: i64) -> Value {
    let created = time(now - (YEAR * (1.0 + 3.0 * random.fraction())) as i64);
    let mut namespace = Store::namespace(name, &random.uuid(), &created);
    let stage = ["prod", "staging", "dev"][random.below(3)];
    namespace["metadata"]["labels"]["environment"] = stage.into();
    namespace
}

/// Ingresses spread over the namespaces as in real clusters: a few have very many, and most one or
/// two. They are handed over one by one: as values, all of a large cluster would take a gigabyte.
pub(crate) fn ingresses<'a>(
    random: &'a mut Random,
    namespaces: &'a [String],
    count: usize,
    now: i64,
) -> impl Iterator<Item = Value> + 'a {
    let count = if namespaces.is_empty() { 0 } else { count };
    let mut taken = HashSet::new();
    (0..count).map(move |_| {
        let namespace = busy(random, namespaces);
        let (mut name, app) = name(random);
        while !taken.insert((namespace, name.clone())) {
            name = format!("{}-{}", app.0, random.suffix(4));
        }
        let age = age(random);
        ingress(random, namespace, &name, *app, now - age)
    })
}

/// One of the namespaces, the earlier the likelier. Half the time the choice is even, so that few
/// stay empty.
pub(crate) fn busy<'a>(random: &mut Random, namespaces: &'a [String]) -> &'a str {
    let place = random.fraction();
    let skewed = if random.chance(50) {
        place
    } else {
        place.powi(4)
    };
    &namespaces[(skewed * namespaces.len() as f64) as usize]
}

pub(crate) fn name(random: &mut Random) -> (String, &'static (&'static str, u16, &'static str)) {
    let app = random.pick(APPS);
    let name = match random.below(12) {
        0 => format!("{}-internal", app.0),
        1 => format!("{}-v2", app.0),
        2 => format!("preview-{}", 1000 + random.below(9000)),
        _ => app.0.to_owned(),
    };
    (name, app)
}

/// Seconds, from minutes to years; most ingresses are old.
fn age(random: &mut Random) -> i64 {
    let place = random
        .fraction()
        .max(random.fraction())
        .max(random.fraction());
    (3.0 * MINUTE * (5.0 * YEAR / (3.0 * MINUTE)).powf(place)) as i64
}

/// An ingress complete but for its resource version.
pub(crate) fn ingress(
    random: &mut Random,
    namespace: &str,
    name: &str,
    app: (&str, u16, &str),
    created: i64,
) -> Value {
    let (service, number, port) = app;
    let class = class(random);
    let hosts = hosts(random, namespace, service);
    let mut spec = Map::new();
    let mut annotations = annotations(random, class, namespace, name);
    match class {
        "" => {}
        // The annotation that came before the field is still about.
        class if random.chance(5) => {
            annotations.insert("kubernetes.io/ingress.class".to_owned(), class.into());
        }
        class => {
            spec.insert("ingressClassName".to_owned(), class.into());
        }
    }
    let default_only = random.chance(3);
    if default_only || random.chance(3) {
        spec.insert(
            "defaultBackend".to_owned(),
            backend(random, "default-http-backend", 80, "http"),
        );
    }
    if !default_only {
        let rules: Vec<_> = hosts
            .iter()
            .map(|host| rule(random, host, service, number, port))
            .collect();
        spec.insert("rules".to_owned(), rules.into());
        if let Some(tls) = tls(random, service, &hosts) {
            spec.insert("tls".to_owned(), tls);
        }
    }

    let mut value = json!({
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": random.uuid(),
            "generation": 1 + random.below(12),
            "creationTimestamp": time(created),
            "labels": labels(random, namespace, name, service),
        },
        "spec": spec,
    });
    if random.chance(50) {
        let mut applied = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": { "annotations": annotations, "name": name, "namespace": namespace },
        });
        applied["spec"] = value["spec"].clone();
        annotations.insert(
            "kubectl.kubernetes.io/last-applied-configuration".to_owned(),
            format!("{applied}\n").into(),
        );
    }
    if !annotations.is_empty() {
        value["metadata"]["annotations"] = annotations.into();
    }
    // Some controllers have not given an address yet, and some never will.
    value["status"] = if class.is_empty() || random.chance(4) {
        json!({ "loadBalancer": {} })
    } else {
        json!({ "loadBalancer": { "ingress": [address(random, class)] } })
    };
    let manager = *random.pick(&[
        "argocd-controller",
        "kubectl-client-side-apply",
        "helm",
        "terraform",
    ]);
    let mut managers = vec![managed_fields(
        manager,
        None,
        Resource::Ingresses,
        &value,
        &time(created),
    )];
    if value.pointer("/status/loadBalancer/ingress").is_some() {
        let controller = format!("{class}-ingress-controller");
        managers.push(managed_fields(
            &controller,
            Some("status"),
            Resource::Ingresses,
            &value,
            &time(created + 40),
        ));
    }
    value["metadata"]["managedFields"] = managers.into();
    value
}

fn class(random: &mut Random) -> &'static str {
    match random.below(100) {
        0..64 => "nginx",
        64..76 => "internal",
        76..88 => "traefik",
        88..96 => "alb",
        _ => "",
    }
}

fn hosts(random: &mut Random, namespace: &str, service: &str) -> Vec<String> {
    let count = match random.below(200) {
        0..6 => return vec![String::new()],
        6..150 => 1,
        150..180 => 2,
        180..196 => 3 + random.below(4),
        196..199 => 7 + random.below(14),
        _ => 40,
    };
    let first = match random.below(10) {
        0 => format!("*.{service}.example.com"),
        1..4 => format!("{service}.example.com"),
        4 => format!("{service}.internal.example.com"),
        5 => format!("pr-{}.dev.example.com", 1000 + random.below(9000)),
        _ => format!("{service}.{namespace}.example.com"),
    };
    let further = (1..count).map(|index| match index {
        1 => format!("www.{service}.{namespace}.example.com"),
        2 => format!("{service}.{namespace}.example.org"),
        _ => format!("tenant-{index:02}.{service}.{namespace}.example.com"),
    });
    std::iter::once(first).chain(further).collect()
}

fn rule(random: &mut Random, host: &str, service: &str, number: u16, port: &str) -> Value {
    let count = match random.below(20) {
        0..15 => 1,
        15..19 => 2 + random.below(2),
        _ => 4 + random.below(5),
    };
    let mut taken = HashSet::new();
    let paths: Vec<_> = (0..count)
        .map(|index| path(random, index, service, number, port))
        .filter(|path| taken.insert(path["path"].to_string()))
        .collect();
    let mut rule = json!({ "http": { "paths": paths } });
    if !host.is_empty() {
        rule["host"] = host.into();
    }
    rule
}

fn path(random: &mut Random, index: usize, service: &str, number: u16, port: &str) -> Value {
    let target = if index == 0 {
        service.to_owned()
    } else {
        format!("{service}-{}", random.pick(&["api", "static", "v2"]))
    };
    let (path, path_type) = match (index, random.below(20)) {
        (0, 0..14) => ("/", "Prefix"),
        (0, 14..16) => ("/v[0-9]+/(thumb|full)/.*", "ImplementationSpecific"),
        (_, 0..16) => (*random.pick(PATHS), "Prefix"),
        (_, 16..18) => (*random.pick(PATHS), "Exact"),
        _ => ("/", "ImplementationSpecific"),
    };
    json!({ "path": path, "pathType": path_type, "backend": backend(random, &target, number, port) })
}

fn backend(random: &mut Random, service: &str, number: u16, port: &str) -> Value {
    match random.below(100) {
        0 => {
            json!({ "resource": { "apiGroup": "storage.example.com", "kind": "Bucket", "name": "static-assets" } })
        }
        1..25 => {
            json!({ "service": { "name": service, "port": { "name": port.get(..15).unwrap_or(port) } } })
        }
        _ => json!({ "service": { "name": service, "port": { "number": number } } }),
    }
}

/// Four in five have it for all hosts, a few for some of them.
fn tls(random: &mut Random, service: &str, hosts: &[String]) -> Option<Value> {
    let named: Vec<_> = hosts.iter().filter(|host| !host.is_empty()).collect();
    let covered = match random.below(100) {
        0..80 => named.len(),
        80..86 if named.len() > 1 => named.len() - 1,
        _ => return None,
    };
    let secret = if random.chance(20) {
        "wildcard-tls".to_owned()
    } else {
        format!("{service}-tls")
    };
    if named.is_empty() {
        return Some(json!([{ "secretName": secret }]));
    }
    Some(json!([{ "hosts": named[..covered], "secretName": secret }]))
}

pub(crate) fn address(random: &mut Random, class: &str) -> Value {
    match class {
        "alb" => json!({ "hostname": format!("k8s-public-{}.elb.example.com", random.suffix(10)) }),
        "internal" => json!({ "ip": "10.12.4.7" }),
        "traefik" => json!({ "ip": "10.12.0.20" }),
        _ => json!({ "ip": "203.0.113.88" }),
    }
}

fn labels(random: &mut Random, namespace: &str, name: &str, service: &str) -> Value {
    let mut labels = json!({ "app.kubernetes.io/name": service });
    if random.chance(70) {
        labels["app.kubernetes.io/instance"] = name.into();
        labels["app.kubernetes.io/managed-by"] =
            ["Helm", "argocd", "terraform"][random.below(3)].into();
    }
    if random.chance(40) {
        labels["environment"] = ["prod", "staging", "dev"][random.below(3)].into();
    }
    if random.chance(30) {
        labels["team"] = namespace.split('-').next().unwrap_or(namespace).into();
    }
    labels
}

fn annotations(
    random: &mut Random,
    class: &str,
    namespace: &str,
    name: &str,
) -> Map<String, Value> {
    let mut annotations = Map::new();
    let mut add = |key: &str, value: &str| annotations.insert(key.to_owned(), value.into());
    if random.chance(60) {
        add("cert-manager.io/cluster-issuer", "letsencrypt-prod");
    }
    if random.chance(40) {
        add("meta.helm.sh/release-name", name);
        add("meta.helm.sh/release-namespace", namespace);
    }
    match class {
        "nginx" if random.chance(60) => {
            add(
                "nginx.ingress.kubernetes.io/proxy-body-size",
                ["8m", "64m", "512m"][random.below(3)],
            );
            if random.chance(30) {
                add("nginx.ingress.kubernetes.io/ssl-redirect", "true");
            }
        }
        "alb" => {
            add("alb.ingress.kubernetes.io/scheme", "internet-facing");
            add("alb.ingress.kubernetes.io/target-type", "ip");
            add(
                "alb.ingress.kubernetes.io/listen-ports",
                r#"[{"HTTP":80},{"HTTPS":443}]"#,
            );
        }
        "traefik" => {
            add(
                "traefik.ingress.kubernetes.io/router.entrypoints",
                "websecure",
            );
        }
        _ => {}
    }
    annotations
}

/// One entry of `managedFields`: what a manager owns, in the notation of `FieldsV1`.
pub(crate) fn managed_fields(
    manager: &str,
    subresource: Option<&str>,
    resource: Resource,
    value: &Value,
    time: &str,
) -> Value {
    let fields = match subresource {
        Some(_) => json!({ "f:status": owned(&value["status"]) }),
        None => {
            let metadata: Map<_, _> = ["annotations", "labels"]
                .iter()
                .filter(|field| value["metadata"][**field].is_object())
                .map(|field| (format!("f:{field}"), owned(&value["metadata"][*field])))
                .collect();
            json!({ "f:metadata": metadata, "f:spec": owned(&value["spec"]) })
        }
    };
    let mut entry = json!({
        "manager": manager,
        "operation": "Update",
        "apiVersion": resource.api_version(),
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    if let Some(subresource) = subresource {
        entry["subresource"] = subresource.into();
    }
    entry
}

/// The fields below a value; lists are atomic in an ingress.
fn owned(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(key, value)| (format!("f:{key}"), owned(value)))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests;
