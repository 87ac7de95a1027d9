use std::sync::Mutex;

use super::super::source::NAMESPACES;
use super::*;

#[test]
fn a_pause_is_asked_for_in_seconds_or_by_a_date_and_is_bounded() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let now = httpdate::parse_http_date(date).unwrap() - Duration::from_secs(20);
    let asked = |value: &str| retry_after(value, now).map(|pause| pause.as_secs());
    for (value, seconds) in [
        ("0", 0),
        ("5", 5),
        ("007", 7),
        ("60", 60),
        ("61", 60),
        ("1000000000", 60),
        ("18446744073709551615", 60),
        ("18446744073709551616", 60),
        (date, 20),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 20),
        ("Sun Nov  6 08:49:37 1994", 20),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
    ] {
        assert_eq!(asked(value), Some(seconds), "{value}");
    }
    for nothing in ["", "-1", "+1", "1.5", "1s", "soon", "0x10", "1 2"] {
        assert_eq!(asked(nothing), None, "{nothing}");
    }
}

#[test]
fn a_collection_has_what_lies_in_it() {
    let has = |collection: Collection, namespace: &str, name: &str| {
        collection.has(&Key::new(namespace, name))
    };
    let one = || Collection::new(INGRESSES, Some("a".into()));
    assert!(has(one(), "a", "web"));
    assert!(!has(one(), "b", "web") && !has(one(), "", "web") && !has(one(), "a", ""));
    let all = || Collection::new(INGRESSES, None);
    assert!(has(all(), "b", "web") && !has(all(), "", "web") && !has(all(), "b", ""));
    let namespaces = || Collection::new(NAMESPACES, None);
    assert!(has(namespaces(), "", "a"));
    assert!(!has(namespaces(), "a", "a") && !has(namespaces(), "", ""));
}

/// A list whose pages have so many bytes, and the queries that were made.
async fn listed(sizes: &'static [usize]) -> (Result<usize, ApiError>, Vec<String>) {
    let queries = Arc::new(Mutex::new(Vec::new()));
    let asked = queries.clone();
    let answer = move |request: Request<Body>| {
        let mut asked = asked.lock().unwrap();
        let size = sizes[asked.len().min(sizes.len() - 1)];
        asked.push(request.uri().query().unwrap_or_default().to_owned());
        let next = match asked.len() < sizes.len() {
            true => asked.len().to_string(),
            false => String::new(),
        };
        let object = format!(r#"{{"data":"{}"}}"#, "x".repeat(size.min(MAX_OBJECT) / 2));
        let objects = vec![object.as_str(); size.div_ceil(object.len())].join(",");
        let page = format!(
            r#"{{"metadata":{{"resourceVersion":"7","continue":"{next}"}},"items":[{objects}]}}"#
        );
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
            Body::from(page.into_bytes()),
        )))
    };
    let client = kube::Client::new(tower::service_fn(answer), "default");
    let api = Api::new(client, "here".into());
    let (collection, turns) = (Collection::new(NAMESPACES, None), Semaphore::new(1));
    let listing = api.list(&collection, &turns, Result::ok);
    let count = listing.await.map(|listing| listing.items.len());
    let queries = queries.lock().unwrap().clone();
    (count, queries)
}

#[tokio::test]
async fn an_object_that_no_value_holds_costs_no_other() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = format!("\"{}\"", "x".repeat(MAX_OBJECT));
    for bad in ["1e999", r#""\ud800""#, &deep, &long] {
        let named = |name: &str, value: &str| {
            format!(r#"{{"spec":{value},"metadata":{{"name":"{name}","namespace":"a"}}}}"#)
        };
        let (bad, good) = (named("bad", bad), named("good", "1"));
        let page = format!(r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{bad},{good}]}}"#);
        let answer = move |_: Request<Body>| {
            let page = http::Response::new(Body::from(page.clone().into_bytes()));
            std::future::ready(Ok::<_, std::convert::Infallible>(page))
        };
        let client = kube::Client::new(tower::service_fn(answer), "default");
        let api = Api::new(client, "here".into());
        let mut left_out = Vec::new();
        let read = |object: Result<Value, InvalidObject>| {
            object.map_err(|error| left_out.push(error.key)).ok()
        };
        let (collection, turns) = (Collection::new(INGRESSES, None), Semaphore::new(1));
        let listing = api.list(&collection, &turns, read).await.unwrap();
        assert_eq!(listing.items.len(), 1);
        assert_eq!(project::key(&listing.items[0]), Key::new("a", "good"));
        assert_eq!(left_out, [Key::new("a", "bad")]);
    }
}

#[tokio::test]
async fn a_page_after_a_large_one_is_smaller() {
    let (count, queries) = listed(&[100, LARGE_PAGE + 1, 100]).await;
    assert!(count.is_ok());
    let expected = ["limit=250", "limit=250&continue=1", "limit=125&continue=2"];
    assert_eq!(queries, expected);
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_again_in_parts() {
    let (count, queries) = listed(&[100, MAX_PAGE + 1, 100]).await;
    assert!(count.is_ok());
    let expected = ["limit=250", "limit=250&continue=1", "limit=62&continue=1"];
    assert_eq!(queries, expected);
}

#[tokio::test]
async fn one_object_that_is_too_large_is_said() {
    let (count, queries) = listed(&[MAX_PAGE + 1]).await;
    assert!(matches!(count, Err(ApiError::TooLong { .. })), "{count:?}");
    let expected = [250, 62, 15, 3, 1].map(|limit| format!("limit={limit}"));
    assert_eq!(queries, expected);
}
