//! What costs work over many rows, and who notices.

use futures::future::{Either, join_all, select, select_all};
use http::Method;
use protocol::IngressDocument;
use serde_json::json;
use simulator::{Cluster, Settings};

use testkit::dash::{Answer, Dash};
use testkit::upstream::{Upstream, spec};

/// A quiet cluster of so many ingresses.
async fn cluster(ingresses: usize) -> Upstream {
    let settings = Settings {
        namespaces: 20,
        ingresses,
        ..Settings::default()
    };
    Upstream::of(Cluster::new(settings)).await
}

/// The dashboard in front of it, once it holds every row.
async fn loaded(up: &Upstream) -> Dash {
    let dash = up.dash().await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    dash
}

/// A search as dear as one may be, which finds nothing.
fn dear(values: usize) -> String {
    let values: Vec<_> = (0..values).map(|number| format!("*~{number}~*")).collect();
    format!("label:{}", values.join(","))
}

#[tokio::test]
async fn searches_hold_up_no_probe_and_no_stream() {
    let up = cluster(800).await;
    let dash = loaded(&up).await;
    let searches = (0..8).map(|number| {
        let path = match number % 2 {
            0 => format!("/api/ingresses?limit=1&search={}", dear(480)),
            _ => format!("/?q={}&page={number}", dear(480)),
        };
        let dash = &dash;
        Box::pin(async move { dash.get(&path).await })
    });
    let searches = select_all(searches);
    // Time enough for the searches to be under way: each is asked for before the answer to this.
    let others = Box::pin(async {
        for _ in 0..3 {
            assert_eq!(dash.get("/livez").await.status, 200);
        }
        let mut client = dash.stream("namespaces=missing").await;
        client.synced().await;
    });
    match select(others, searches).await {
        Either::Left(((), searches)) => {
            let (first, _, rest) = searches.await;
            let mut answers = join_all(rest).await;
            answers.push(first);
            // Those whose turn did not come in time are told so.
            let statuses: Vec<_> = answers
                .iter()
                .map(|answer| answer.status.as_u16())
                .collect();
            assert!(statuses.contains(&200), "{statuses:?}");
            assert!(
                statuses.iter().all(|status| [200, 503].contains(status)),
                "{statuses:?}"
            );
        }
        Either::Right(_) => panic!("a search was answered before the probe and the stream"),
    }
}

#[tokio::test]
async fn a_search_that_costs_too_much_is_refused() {
    let up = cluster(20).await;
    let dash = loaded(&up).await;
    for path in ["/api/ingresses?search=", "/?q="] {
        let words = dash.get(&format!("{path}{}", dear(501))).await.refused(400);
        assert!(words.contains("501") && words.contains("500"), "{words}");
        let long = "a".repeat(4_097);
        let words = dash.get(&format!("{path}{long}")).await.refused(400);
        assert!(words.contains("4097") && words.contains("4096"), "{words}");
        let allowed = dash.get(&format!("{path}{}", "a".repeat(4_000))).await;
        assert_eq!(allowed.status, 200);
    }
}

#[tokio::test]
async fn what_the_list_does_not_know_makes_no_other_document() {
    let up = cluster(40).await;
    let dash = loaded(&up).await;
    let tag = |answer: &Answer| answer.header("etag").to_owned();
    let first = dash.get("/api/ingresses").await;
    let other = dash.get("/api/ingresses?x=1&y=2").await;
    assert_eq!((tag(&first), &first.body), (tag(&other), &other.body));
    let held = tag(&first);
    let conditional = [("if-none-match", held.as_str())];
    let again = dash.ask(Method::GET, "/api/ingresses?x=3", &conditional);
    assert_eq!(again.await.status, 304);
    for different in ["limit=5", "search=a", "namespaces=a"] {
        let answer = dash.get(&format!("/api/ingresses?{different}")).await;
        assert_ne!(tag(&answer), held, "{different}");
    }
}

/// Resident memory, in KiB.
fn resident(dash: &Dash) -> u64 {
    let path = format!("/proc/{}/status", dash.process.id());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse().unwrap()
}

#[tokio::test]
async fn documents_that_nobody_reads_cost_no_memory_each() {
    const READERS: u64 = 40;
    let up = cluster(4_000).await;
    let dash = loaded(&up).await;
    let size = dash.get("/api/ingresses").await.body.len() as u64 / 1024;
    assert!(size > 2_000, "{size} KiB");
    let before = resident(&dash);
    let mut unread = Vec::new();
    for number in 0..READERS {
        let coding = ["identity", "gzip"][number as usize % 2];
        let search = ["", "&search=*", "&limit=3900"][number as usize % 3];
        let path = format!("/api/ingresses?x={number}{search}");
        let request = dash.request(Method::GET, &path, &[("accept-encoding", coding)]);
        let response = dash.send(request).await;
        assert_eq!(response.status(), 200);
        unread.push(response);
    }
    let grown = resident(&dash).saturating_sub(before);
    let all = READERS * size;
    assert!(
        grown < all / 4,
        "{grown} KiB for {READERS} documents of {size} KiB"
    );
}

#[tokio::test]
async fn documents_have_their_size_and_their_coding() {
    let up = cluster(300).await;
    let dash = loaded(&up).await;
    let plain = dash.get("/api/ingresses").await;
    assert_eq!(plain.header("content-length"), plain.body.len().to_string());
    let document: IngressDocument = protocol::json::read(&plain.body).unwrap();
    assert_eq!((document.items.len(), document.total), (300, 300));
    for query in ["", "?limit=200", "?search=-xyz"] {
        let path = format!("/api/ingresses{query}");
        let packed = dash
            .ask(Method::GET, &path, &[("accept-encoding", "gzip, br")])
            .await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{query}");
        assert!(packed.body.len() < plain.body.len() / 3, "{query}");
    }
}

#[tokio::test]
async fn another_order_and_a_page_past_the_end_are_the_rows_that_there_are() {
    let up = cluster(200).await;
    let dash = loaded(&up).await;
    let data = async |query: &str| {
        let page = dash.get(&format!("/?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let text = page.text();
        let (_, json) = text
            .split_once("id=\"page-data\"")
            .expect("the page has its data");
        let (_, json) = json.split_once('>').unwrap();
        let (json, _) = json.split_once("</script>").unwrap();
        serde_json::from_str::<serde_json::Value>(json).unwrap()
    };
    let names = |data: &serde_json::Value| -> Vec<String> {
        let items = data["rows"]["items"].as_array().unwrap();
        let name = |row: &serde_json::Value| format!("{}/{}", row["name"], row["namespace"]);
        items.iter().map(name).collect()
    };
    let first = data("").await;
    assert_eq!(first["rows"]["total"], 200);
    assert_eq!(
        (names(&first).len(), first["lines"].as_u64()),
        (80, Some(200))
    );
    assert!(names(&first).is_sorted());
    let last = data("page=3").await;
    assert_eq!(names(&last).len(), 40);
    assert_eq!(names(&data("page=99").await), names(&last));
    let turned = data("sort=-name").await;
    let name = |row: &serde_json::Value| row["name"].clone();
    let greatest = last["rows"]["items"].as_array().unwrap().last().map(name);
    assert_eq!(turned["rows"]["items"].get(0).map(name), greatest);
    let turned_last = data("sort=-name&page=99").await;
    assert_eq!(names(&turned_last).len(), 40);
    for key in ["total", "hosts", "with_tls", "without_class", "namespaces"] {
        assert_eq!(turned["rows"][key], first["rows"][key], "{key}");
    }
    let grouped = data("group=class").await;
    assert!(grouped["lines"].as_u64() > Some(200));
    // The same numbers whether they are kept, or counted of the namespaces' own rows.
    let mut namespaces: Vec<_> = (up.list_all().await.iter())
        .map(|ingress| {
            ingress["metadata"]["namespace"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    namespaces.sort();
    namespaces.dedup();
    let counted = data(&format!("ns={}", namespaces.join(","))).await;
    for key in [
        "total",
        "hosts",
        "with_tls",
        "partly_tls",
        "without_class",
        "wildcard_hosts",
    ] {
        assert_eq!(counted["rows"][key], first["rows"][key], "{key}");
    }
}

#[tokio::test]
async fn a_large_ingress_is_a_short_row_and_a_count_of_the_rest() {
    let up = Upstream::simulator().await;
    let namespace = up.namespace("a").await;
    let host = |number: usize| format!("tenant-{number}.large.example.com");
    let mut large = spec(&host(0));
    let rules: Vec<_> = (0..2_400)
        .map(|number| spec(&host(number))["rules"][0].clone())
        .collect();
    large["rules"] = json!(rules);
    large["tls"] =
        json!([{"hosts": (0..2_400).map(host).collect::<Vec<_>>(), "secretName": "all"}]);
    up.create_with(&namespace, "large", large).await;
    let dash = loaded(&up).await;
    let list = dash.get("/api/ingresses").await;
    assert!(list.body.len() < 60_000, "{} bytes", list.body.len());
    let list = list.ok();
    let row = &list["items"][0];
    assert_eq!(row["rules"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&row["more"]["hosts"], &row["more"]["paths"]),
        (&json!(2_300), &json!(2_300))
    );
    let page = dash
        .get(&format!("/?sel={namespace}/large&tab=routing"))
        .await
        .text();
    assert!(
        page.contains("+2,399") || page.contains("+2399"),
        "the row says how many there are"
    );
    assert!(page.contains("the YAML tab has them"));
    assert!(
        !page.contains(&host(2_000)) && page.len() < 400_000,
        "{} bytes",
        page.len()
    );
    // What is left out is part of the object all the same.
    let object = dash.get(&format!("/api/ingresses/{namespace}/large")).await;
    assert!(object.text().contains(&host(2_399)));
    let mut client = dash.stream("").await;
    client.synced().await;
    let fewer = &rules[..2_399];
    let before = client
        .state
        .row(&namespace, "large")
        .unwrap()
        .version
        .clone();
    up.patch(&namespace, "large", json!({"spec": {"rules": fewer}}))
        .await;
    client
        .wait_until("a change of what is left out is a change", |state| {
            state
                .row(&namespace, "large")
                .is_some_and(|row| row.version != before)
        })
        .await;
}

#[tokio::test]
async fn a_long_search_is_not_copied_into_every_link() {
    let up = cluster(200).await;
    let dash = loaded(&up).await;
    let plain = dash.get("/?q=-zzzz").await.body.len();
    // Each of the rows that match has a link, which keeps the rest of the address.
    let quotes = "%22".repeat(1_300);
    let long = dash.get(&format!("/?q=-{quotes}")).await;
    assert_eq!(long.status, 200);
    let size = long.body.len();
    assert!(
        size < plain + 100_000,
        "{size} bytes, {plain} of a short one"
    );
}
