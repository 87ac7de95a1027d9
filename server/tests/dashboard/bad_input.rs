//! Bad input costs nobody else their stream: each test has a witness, whose stream goes on.

use http::Method;
use serde_json::{Value, json};

use testkit::dash::{Client, Dash};
use testkit::scenarios;
use testkit::upstream::{Upstream, spec};

scenarios! {
    names_that_no_namespace_can_have_are_refused,
    a_page_whose_names_no_namespace_can_have_shows_nothing,
    too_many_namespaces_are_refused,
    an_unknown_last_event_id_is_no_error,
    an_ingress_without_a_host_is_a_row,
    an_ingress_with_a_default_backend_only_is_a_row,
    an_ingress_with_two_hundred_hosts_is_a_row,
    an_ingress_with_a_wildcard_host_is_a_row,
    an_ingress_with_a_large_annotation_is_a_row,
    markup_in_every_field_that_takes_it_stays_text,
    two_ingresses_of_one_name_in_two_namespaces_are_two_rows,
    requests_that_make_no_sense_are_answered,
}

const MARKUP: &str = "<img src=x onerror=alert(1)>'\"&</script><script>alert(2)</script>";

/// A stream of a namespace of its own.
pub(crate) struct Witness {
    client: Client,
    namespace: String,
}

impl Witness {
    pub(crate) async fn of(up: &Upstream, dash: &Dash) -> Self {
        let namespace = up.namespace("witness").await;
        let mut client = dash.stream(&format!("namespaces={namespace}")).await;
        client.synced().await;
        Self { client, namespace }
    }

    /// A later change arrives on the stream that was opened before.
    pub(crate) async fn is_unharmed(&mut self, up: &Upstream) {
        up.create(&self.namespace, "later").await;
        self.client.gets(&self.namespace, "later").await;
        assert_eq!(
            self.client.state.changes(),
            [format!("+{}/later", self.namespace)]
        );
    }
}

async fn names_that_no_namespace_can_have_are_refused(up: Upstream) {
    let dash = up.dash().await;
    let mut witness = Witness::of(&up, &dash).await;
    let long = "a".repeat(300);
    let just_too_long = "a".repeat(64);
    let markup = "%3Cscript%3E";
    for bad in [
        "../../",
        "%2e%2e%2f",
        "%00",
        "%FF",
        &long,
        &just_too_long,
        "Upper",
        "a_b",
        "-a",
        "a-",
        "a.b",
        "%0Aa%0Ab",
        markup,
    ] {
        for path in [
            "/api/ingresses/stream?namespaces=",
            "/api/ingresses/stream?namespace=ok,",
            "/api/ingresses?namespaces=",
        ] {
            let words = dash.get(&format!("{path}{bad}")).await.refused(400);
            assert!(words.len() < 400, "what was sent is cut short: {words}");
        }
    }
    for bad in ["..%2F..", "%00", &long, &just_too_long, "Upper", "-a"] {
        dash.get(&format!("/api/ingresses/{bad}/web"))
            .await
            .refused(400);
    }
    for bad in [
        "..%2F..%2Fsecrets%2Fx",
        "%00",
        &long,
        "Upper",
        "web%3Fwatch=true",
        "-a",
    ] {
        dash.get(&format!("/api/ingresses/default/{bad}"))
            .await
            .refused(400);
    }
    witness.is_unharmed(&up).await;
}

async fn a_page_whose_names_no_namespace_can_have_shows_nothing(up: Upstream) {
    let dash = up.dash().await;
    let namespace = up.namespace("seen").await;
    up.create(&namespace, "cart").await;
    let page = async |query: &str| {
        let answer = dash.get(&format!("/{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.text()
    };
    let mut client = dash.stream(&format!("namespaces={namespace}")).await;
    client.gets(&namespace, "cart").await;
    let row = format!("sel={namespace}/cart");

    let all = page("").await;
    assert!(all.contains(&row) && all.contains("rel=\"alternate\""));
    let nothing = page("?ns=UPPER").await;
    assert!(
        !nothing.contains(&row),
        "rows of namespaces that nobody named"
    );
    assert!(nothing.contains("is not a namespace name"));
    assert!(nothing.contains("No namespace is watched"));
    assert!(
        !nothing.contains("rel=\"alternate\""),
        "there is nothing to ask for"
    );
    // Another order, a search and a grouping are other ways to the rows.
    for more in [
        "&sort=-age",
        "&q=cart",
        "&group=namespace",
        "&sort=host&q=host:*",
    ] {
        let nothing = page(&format!("?ns=UPPER{more}")).await;
        assert!(!nothing.contains(&row), "{more}");
        assert!(nothing.contains("href=\"/?ns=UPPER"), "{more}");
    }
    // What is rightly named is shown.
    let some = page(&format!("?ns=UPPER,{namespace}")).await;
    assert!(some.contains(&row) && some.contains("is not a namespace name"));
}

async fn too_many_namespaces_are_refused(up: Upstream) {
    let dash = up.dash_with(&[("MAX_NAMESPACES_PER_STREAM", "3")]).await;
    let mut witness = Witness::of(&up, &dash).await;
    let words = dash
        .get("/api/ingresses/stream?namespaces=a,b,c,d")
        .await
        .refused(400);
    assert!(
        words.contains('4') && words.contains("MAX_NAMESPACES_PER_STREAM"),
        "{words}"
    );
    let many: Vec<_> = (0..1_000).map(|index| format!("n{index}")).collect();
    dash.get(&format!(
        "/api/ingresses/stream?namespaces={}",
        many.join(",")
    ))
    .await
    .refused(400);
    // Repeats are one.
    let mut client = dash.stream("namespaces=a,b,c,a,b,c").await;
    client.synced().await;
    witness.is_unharmed(&up).await;
}

async fn an_unknown_last_event_id_is_no_error(up: Upstream) {
    let dash = up.dash().await;
    let mut witness = Witness::of(&up, &dash).await;
    for id in ["unknown", "%00", "%0A%0Adata:x", "0.0.0", "%3Cscript%3E"] {
        let mut client = dash.stream(&format!("lastEventId={id}")).await;
        assert!(client.synced().await.was_reset(), "{id}");
    }
    witness.is_unharmed(&up).await;
}

/// Creates an ingress with this spec while streams are open, and gives its row as both a live and a
/// new stream have it.
async fn row_of(up: &Upstream, metadata: Value, spec: Value) -> protocol::Ingress {
    let namespace = up.namespace("a").await;
    let dash = up.dash().await;
    let mut witness = Witness::of(up, &dash).await;
    let query = format!("namespaces={namespace}");
    let mut live = dash.stream(&query).await;
    live.synced().await;
    let name = metadata["name"].as_str().unwrap().to_owned();
    up.create_object(&namespace, json!({"metadata": metadata, "spec": spec}))
        .await;
    let row = live
        .gets(&namespace, &name)
        .await
        .row(&namespace, &name)
        .unwrap()
        .clone();
    let mut fresh = dash.stream(&query).await;
    assert_eq!(fresh.synced().await.row(&namespace, &name), Some(&row));
    let listed = dash.get(&format!("/api/ingresses?{query}")).await.ok();
    assert_eq!(
        protocol::json::read::<protocol::Ingress>(listed["items"][0].to_string().as_bytes())
            .unwrap(),
        row
    );
    let page = dash.get(&format!("/?{query}")).await;
    assert_eq!(page.status, 200);
    assert!(
        !page.text().contains("<img src=x") && !page.text().contains("<script>alert"),
        "markup in the page"
    );
    let object = dash
        .get(&format!("/api/ingresses/{namespace}/{name}"))
        .await;
    assert_eq!(
        (object.status.as_u16(), object.header("content-type")),
        (200, "application/json")
    );
    witness.is_unharmed(up).await;
    row
}

fn backend() -> Value {
    json!({"service": {"name": "web", "port": {"name": "http"}}})
}

async fn an_ingress_without_a_host_is_a_row(up: Upstream) {
    let paths = json!([{"path": "/", "pathType": "Exact", "backend": backend()}]);
    let row = row_of(
        &up,
        json!({"name": "web"}),
        json!({"rules": [{"http": {"paths": paths}}]}),
    )
    .await;
    assert_eq!(row.hosts.len(), 0);
    assert_eq!((row.rules.len(), row.rules[0].host.as_deref()), (1, None));
}

async fn an_ingress_with_a_default_backend_only_is_a_row(up: Upstream) {
    let row = row_of(
        &up,
        json!({"name": "web"}),
        json!({"defaultBackend": backend()}),
    )
    .await;
    assert!(row.rules.is_empty() && row.hosts.is_empty());
    assert_eq!(row.default_backend.unwrap().service.unwrap().name, "web");
}

async fn an_ingress_with_two_hundred_hosts_is_a_row(up: Upstream) {
    let hosts: Vec<_> = (0..200)
        .map(|index| format!("h{index}.example.com"))
        .collect();
    let rules: Vec<_> = hosts
        .iter()
        .map(|host| spec(host)["rules"][0].clone())
        .collect();
    let row = row_of(&up, json!({"name": "web"}), json!({"rules": rules})).await;
    assert_eq!(row.hosts, hosts[..100]);
    assert_eq!(row.host_count(), 200);
}

async fn an_ingress_with_a_wildcard_host_is_a_row(up: Upstream) {
    let row = row_of(&up, json!({"name": "web"}), spec("*.example.com")).await;
    assert_eq!(row.hosts, ["*.example.com"]);
}

async fn an_ingress_with_a_large_annotation_is_a_row(up: Upstream) {
    let metadata =
        json!({"name": "web", "annotations": {"example.com/large": "x".repeat(200_000)}});
    let row = row_of(&up, metadata, spec("web.example.com")).await;
    assert_eq!(row.annotation_keys, ["example.com/large"]);
    assert!(
        serde_json::to_vec(&row).unwrap().len() < 2_000,
        "annotation values are no part of a row"
    );
}

async fn markup_in_every_field_that_takes_it_stays_text(up: Upstream) {
    let path = format!("/{}", MARKUP.replace('%', ""));
    let metadata = json!({"name": "web", "annotations": {"example.com/note": MARKUP, "kubernetes.io/ingress.class": MARKUP}});
    let paths = json!([{"path": path, "pathType": "ImplementationSpecific", "backend": backend()}]);
    let spec = json!({"rules": [{"host": "web.example.com", "http": {"paths": paths}}]});
    let row = row_of(&up, metadata, spec).await;
    assert_eq!(row.rules[0].paths[0].path.as_deref(), Some(path.as_str()));
    assert_eq!(row.ingress_class_name.as_deref(), Some(MARKUP));
}

async fn two_ingresses_of_one_name_in_two_namespaces_are_two_rows(up: Upstream) {
    let (a, b) = (up.namespace("a").await, up.namespace("b").await);
    let dash = up.dash().await;
    let mut witness = Witness::of(&up, &dash).await;
    let mut client = dash.stream(&format!("namespaces={a},{b}")).await;
    client.synced().await;
    up.create_with(&a, "web", spec("a.example.com")).await;
    up.create_with(&b, "web", spec("b.example.com")).await;
    client.gets(&a, "web").await;
    let state = client.gets(&b, "web").await;
    assert_eq!(state.row(&a, "web").unwrap().hosts, ["a.example.com"]);
    assert_eq!(state.row(&b, "web").unwrap().hosts, ["b.example.com"]);
    up.delete(&a, "web").await;
    assert!(
        client.loses(&a, "web").await.has(&b, "web"),
        "the other stays"
    );
    witness.is_unharmed(&up).await;
}

async fn requests_that_make_no_sense_are_answered(up: Upstream) {
    let dash = up.dash().await;
    let mut witness = Witness::of(&up, &dash).await;
    for path in [
        "/api/ingresses/stream?&&&=&",
        "/api/ingresses/stream?namespaces=,,,",
    ] {
        let mut client = dash.stream(path.split_once('?').unwrap().1).await;
        client.synced().await;
    }
    for (method, path, status) in [
        (Method::POST, "/api/ingresses/stream", 405),
        (Method::PUT, "/api/ingresses", 405),
        (Method::GET, "/api/ingresses/a/b/c", 404),
        (Method::GET, "/api/../api/secrets", 404),
        (Method::GET, "/pkg/..%2F..%2Fetc%2Fpasswd", 404),
        (Method::GET, "/%00", 404),
    ] {
        assert_eq!(dash.ask(method, path, &[]).await.status, status, "{path}");
    }
    witness.is_unharmed(&up).await;
}
