//! What every request passes and every response carries.

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use testkit::dash::{Answer, Dash};

async fn demo() -> Dash {
    let dash = Dash::start(&[], &["--demo=2x4"]).await;
    dash.get_until("/readyz", |answer| answer.status == 200)
        .await;
    dash
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused() {
    let dash = demo().await;
    for host in [
        "dash.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1:3000",
        "localhost.example.com",
        "[::2]:80",
        "[::1].example.com",
        "localhost:80.example.com",
    ] {
        for path in [
            "/",
            "/api/ingresses",
            "/api/ingresses/stream",
            "/livez",
            "/missing",
        ] {
            let words = dash
                .ask(Method::GET, path, &[("host", host)])
                .await
                .refused(421);
            assert!(words.contains("ALLOWED_HOSTS"), "{words}");
        }
    }
    let port = dash.address.port();
    for host in [
        "localhost".to_owned(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "LOCALHOST".to_owned(),
    ] {
        assert_eq!(
            dash.ask(Method::GET, "/livez", &[("host", &host)])
                .await
                .status,
            200,
            "{host}"
        );
    }
}

#[tokio::test]
async fn two_host_headers_are_refused() {
    let dash = demo().await;
    let words = dash
        .ask(
            Method::GET,
            "/livez",
            &[("host", "localhost"), ("host", "localhost")],
        )
        .await
        .refused(400);
    assert!(words.contains("Host"), "{words}");
}

#[tokio::test]
async fn an_allowed_host_is_served() {
    let dash = Dash::start(
        &[("ALLOWED_HOSTS", "dash.example.com, other.example.com")],
        &["--demo"],
    )
    .await;
    for host in [
        "dash.example.com",
        "other.example.com:8443",
        "DASH.example.com",
        "localhost",
    ] {
        assert_eq!(
            dash.ask(Method::GET, "/livez", &[("host", host)])
                .await
                .status,
            200,
            "{host}"
        );
    }
    dash.ask(Method::GET, "/livez", &[("host", "third.example.com")])
        .await
        .refused(421);
}

#[tokio::test]
async fn pages_of_other_sites_are_not_answered() {
    let dash = demo().await;
    let cross = [("sec-fetch-site", "cross-site")];
    for path in [
        "/api/ingresses",
        "/api/ingresses/stream",
        "/api/namespaces",
        "/api/health",
        "/api/ingresses/a/b",
    ] {
        dash.ask(Method::GET, path, &cross).await.refused(403);
    }
    dash.ask(Method::POST, "/api/fn/yaml", &cross)
        .await
        .refused(403);
    // A link from elsewhere leads to the page, and the page's own requests are answered.
    assert_eq!(dash.ask(Method::GET, "/", &cross).await.status, 200);
    for site in ["same-origin", "same-site", "none"] {
        assert_eq!(
            dash.ask(Method::GET, "/api/health", &[("sec-fetch-site", site)])
                .await
                .status,
            200,
            "{site}"
        );
    }
}

#[tokio::test]
async fn without_its_header_a_page_of_another_site_is_known_by_its_origin() {
    let environment = [("ALLOWED_HOSTS", "dash.example.com")];
    let dash = Dash::start(&environment, &["--demo=2x4"]).await;
    let own = dash.address.to_string();
    let ask = async |path: &str, host: &str, origin: &str| {
        let headers = [("host", host), ("origin", origin)];
        dash.ask(Method::GET, path, &headers).await
    };
    for origin in [
        "http://evil.example",
        "http://dash.example.com.evil.example",
        "http://127.0.0.1.evil.example",
        "null",
        "",
    ] {
        for host in [own.as_str(), "dash.example.com"] {
            let words = ask("/api/health", host, origin).await.refused(403);
            assert!(words.contains("Origin"), "{words}");
        }
        assert_eq!(
            ask("/", &own, origin).await.status,
            200,
            "a link leads there"
        );
    }
    for (host, origin) in [
        (own.as_str(), format!("http://{own}")),
        (&own, "http://dash.example.com".into()),
        ("dash.example.com", "https://dash.example.com:8443".into()),
    ] {
        assert_eq!(
            ask("/api/health", host, &origin).await.status,
            200,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_bad_request() {
    let dash = demo().await;
    let mut connection = TcpStream::connect(dash.address).await.unwrap();
    let request = "POST /api/fn/try_now HTTP/1.1\r\nhost: localhost\r\n\
                   content-type: application/x-www-form-urlencoded\r\n\
                   transfer-encoding: chunked\r\n\r\n-1\r\n\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_server_function_refuses_with_the_status_of_what_is_wrong() {
    let dash = demo().await;
    let ask = async |path: &str, body: String| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
            ("referer", "https://elsewhere.example.com/"),
        ];
        let request = dash.request(Method::POST, path, &headers);
        dash.answer(request.map(|_| body.into())).await
    };
    let yaml = "/api/fn/ingress_yaml";
    for (path, body, status, word) in [
        (
            yaml,
            "namespace=shop&name=nobody".to_owned(),
            404,
            "shop/nobody",
        ),
        (yaml, "namespace=..&name=x".to_owned(), 400, "namespace"),
        (yaml, "namespace=shop".to_owned(), 400, "name"),
        (
            yaml,
            "name=".to_owned() + &"x".repeat(70_000),
            413,
            "65536 bytes",
        ),
        ("/api/fn/nothing", String::new(), 404, "nothing"),
    ] {
        let answer = ask(path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.refused(status).contains(word), "{}", answer.text());
        assert!(!answer.headers.contains_key("location"), "{path}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_wherever_it_comes_from() {
    let dash = demo().await;
    for (path, status) in [
        ("/missing", 404),
        ("/pkg/missing", 404),
        ("/pkg/missing/app.css", 404),
        ("/favicon.ico/x", 404),
        ("/pkg/%FF/app.css", 400),
        ("/pkg/x/%FF", 400),
        ("/api/ingresses/shop/%FF", 400),
        ("/api/ingresses/%C3%28/web", 400),
        ("/%FF", 404),
        ("/api/fn/try_now", 405),
    ] {
        assert_ne!(dash.get(path).await.refused(status), "", "{path}");
    }
    for path in ["/api/fn/%FF", "/api/fn/nothing", "/api/fn/ingress_yaml/"] {
        let answer = dash.ask(Method::POST, path, &[]).await;
        assert_ne!(answer.refused(404), "", "{path}");
    }
}

/// Writes `request` on a connection of its own, says that it was all, and reads the answer.
async fn exchange(dash: &Dash, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(dash.address).await.unwrap();
    connection.write_all(request).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_client_that_closes_its_half_at_once_is_answered_each_time() {
    let dash = demo().await;
    for path in ["/livez", "/api/ingresses", "/"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        for round in 0..200 {
            let answer = exchange(&dash, request.as_bytes()).await;
            let is_whole = answer.starts_with("HTTP/1.1 200 ");
            assert!(is_whole, "{path}, {round}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_long_header_is_taken_and_a_longer_one_refused_in_words() {
    let dash = demo().await;
    let request = |bytes: usize| {
        let cookie = "x".repeat(bytes / 4);
        let cookies = format!("cookie: a={cookie}\r\n").repeat(4);
        format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{cookies}\r\n").into_bytes()
    };
    for bytes in [9_000, 30_000] {
        let answer = exchange(&dash, &request(bytes)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{bytes}: {answer}");
    }
    for bytes in [33_000, 40_000, 500_000] {
        let answer = exchange(&dash, &request(bytes)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 431 ") && head.contains("application/problem+json"),
            "{bytes}: {answer}"
        );
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 431);
        let words = problem["detail"].as_str().unwrap();
        assert!(words.contains("32768 bytes"), "{words}");
    }
    assert_eq!(dash.get("/livez").await.status, 200);
}

#[tokio::test]
async fn what_the_address_says_and_nobody_reads_is_in_no_page() {
    let dash = demo().await;
    let long = "PADDING".repeat(1_000);
    let name = format!("a{long}");
    let plain = dash.get("/").await.body.len();
    for address in [
        format!("/?x={long}"),
        format!("/?{long}"),
        format!("/?{long}=1&sort=-nothing{long}&group={long}&tab={long}"),
        format!("/?sel=shop/{name}"),
    ] {
        let page = dash.get(&address).await;
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("PADDING"), "{}", &address[..12]);
    }
    // Names that are refused are said, and stand in no link.
    let refused = dash.get(&format!("/?ns={long}")).await;
    assert_eq!(refused.status, 200);
    let size = refused.body.len();
    assert!(
        size < plain + 3 * long.len(),
        "{size} bytes, {plain} without"
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let dash = demo().await;
    let mut connection = TcpStream::connect(dash.address).await.unwrap();
    let head = "POST /api/fn/try_now HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 50\r\n\r\na=1";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("within 10 s"),
        "{answer}"
    );
}

fn is_guarded(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{what}: {policy}"
    );
    assert_eq!(answer.header("access-control-allow-origin"), "", "{what}");
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let dash = demo().await;
    for (path, status) in [
        ("/", 200),
        ("/api/ingresses", 200),
        ("/api/namespaces", 200),
        ("/api/health", 200),
        ("/livez", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/missing", 404),
        ("/pkg/missing.js", 404),
        ("/api/ingresses?limit=0", 400),
        ("/api/ingresses/stream?namespaces=UPPER", 400),
        ("/api/ingresses/a/missing", 404),
    ] {
        let answer = dash.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        is_guarded(&answer, path);
    }
    is_guarded(&dash.ask(Method::POST, "/livez", &[]).await, "405");
    is_guarded(
        &dash.ask(Method::GET, "/", &[("host", "example.com")]).await,
        "421",
    );
    is_guarded(
        &dash
            .ask(
                Method::GET,
                "/api/health",
                &[("sec-fetch-site", "cross-site")],
            )
            .await,
        "403",
    );
    is_guarded(
        &dash.ask(Method::HEAD, "/api/ingresses/stream", &[]).await,
        "the stream",
    );
}

#[tokio::test]
async fn the_page_names_its_scripts_by_a_nonce_of_its_own() {
    let dash = demo().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = dash.get("/").await;
        assert_eq!(page.header("cache-control"), "private, no-cache");
        assert!(page.header("content-type").starts_with("text/html"));
        let policy = page.header("content-security-policy").to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .unwrap()
            .to_owned();
        assert!(nonce.len() >= 16, "{policy}");
        let markup = page.text();
        assert!(
            markup.contains(&format!("nonce=\"{nonce}\"")),
            "the markup has the nonce of the header"
        );
        let scripts = markup.matches("<script").count();
        let with_nonce = markup.split("<script").skip(1).filter(|tag| {
            tag.split('>')
                .next()
                .is_some_and(|attributes| attributes.contains(&format!("nonce=\"{nonce}\"")))
        });
        assert_eq!(with_nonce.count(), scripts, "no script without it");
        assert!(
            !markup.contains(" style=") && !markup.contains("<style"),
            "no inline style"
        );
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn the_first_page_has_rows_in_it() {
    let dash = demo().await;
    let list = dash.get("/api/ingresses").await.ok();
    let page = dash.get("/").await.text();
    let items = list["items"].as_array().unwrap();
    // Churn may have replaced some.
    let shown = items
        .iter()
        .filter(|item| page.contains(item["name"].as_str().unwrap()))
        .count();
    assert!(
        shown + 2 >= items.len() && shown > 0,
        "{shown} of {}",
        items.len()
    );
}

#[tokio::test]
async fn metrics_are_open_metrics_without_names_of_namespaces() {
    let dash = demo().await;
    let mut client = dash.stream("").await;
    let namespace = client
        .synced()
        .await
        .table
        .keys()
        .next()
        .unwrap()
        .namespace
        .clone();
    let metrics = dash.get("/metrics").await;
    assert!(
        metrics
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let text = metrics.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains(&format!("\"{namespace}\"")), "{text}");
}

#[tokio::test]
async fn a_visit_starts_with_what_the_cookie_leaves_out() {
    let dash = demo().await;
    let visit =
        async |path: &str, cookie: &str| dash.ask(Method::GET, path, &[("cookie", cookie)]).await;
    let excludes = "theme=x; kube-ingress-dash-exclude=-ns:a%2Cb+-label:tier%3Dtest; y=z";
    let answer = visit("/", excludes).await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("location"), "/?q=-ns:a,b+-label:tier%3Dtest");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_ne!(answer.header("content-security-policy"), "");
    // The address decides where it says something: a link shows everybody the same.
    for path in ["/?q=", "/?q=cart", "/?ns=shop&page=2"] {
        assert_eq!(visit(path, excludes).await.status, 200, "{path}");
    }
    // What is none of it leaves out nothing, and never gets into a header.
    for cookie in [
        "kube-ingress-dash-exclude=cart",
        "kube-ingress-dash-exclude=-ns:%0d%0aSet-Cookie:x",
        "kube-ingress-dash-exclude=-host:example.com",
        "kube-ingress-dash-exclude=",
    ] {
        let answer = visit("/", cookie).await;
        assert_eq!(answer.status, 200, "{cookie}");
        assert_eq!(answer.header("set-cookie"), "");
    }
}
