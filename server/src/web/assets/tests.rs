use http_body_util::BodyExt;

use http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};

use super::*;

static SITE: Site = Site {
    build: "b1",
    files: &[
        File {
            name: "app.css",
            content_type: "text/css; charset=utf-8",
            identity: b"a long style sheet",
            brotli: Some(b"short"),
            gzip: Some(b"shorter"),
        },
        File {
            name: "boot.js",
            content_type: "text/javascript; charset=utf-8",
            identity: b"start()",
            brotli: None,
            gzip: None,
        },
    ],
};

fn headers<const N: usize>(pairs: [(http::HeaderName, &'static str); N]) -> HeaderMap {
    pairs
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
}

fn coding_for(accept: &'static str) -> &'static str {
    SITE.files[0]
        .negotiate(&headers([(ACCEPT_ENCODING, accept)]))
        .0
}

async fn body(response: Response) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

#[test]
fn the_smallest_form_that_is_accepted_is_sent() {
    assert_eq!(coding_for("gzip, deflate, br, zstd"), "br");
    assert_eq!(coding_for("gzip, deflate"), "gzip");
    assert_eq!(coding_for("deflate"), "identity");
}

#[test]
fn a_file_without_a_compressed_form_is_sent_as_it_is() {
    let (coding, contents) = SITE.files[1].negotiate(&headers([(ACCEPT_ENCODING, "br, gzip")]));
    assert_eq!((coding, contents), ("identity", &b"start()"[..]));
}

#[tokio::test]
async fn a_file_of_this_build_is_kept_for_ever() {
    let response = SITE.answer("b1", "app.css", &headers([(ACCEPT_ENCODING, "br")]));
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CACHE_CONTROL], IMMUTABLE);
    assert_eq!(response.headers()[CONTENT_ENCODING], "br");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
    assert_eq!(response.headers()[VARY], "accept-encoding");
    assert_eq!(response.headers()[ETAG], "\"b1-br\"");
    assert_eq!(body(response).await, b"short");
}

#[tokio::test]
async fn a_client_that_holds_the_file_is_sent_no_body() {
    let request = headers([
        (ACCEPT_ENCODING, "br"),
        (IF_NONE_MATCH, "\"old\", W/\"b1-br\""),
    ]);
    let response = SITE.answer("b1", "app.css", &request);
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(response.headers()[ETAG], "\"b1-br\"");
    assert_eq!(response.headers()[CACHE_CONTROL], IMMUTABLE);
    assert_eq!(body(response).await, b"");

    let other_coding = headers([(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, "\"b1-br\"")]);
    assert_eq!(
        SITE.answer("b1", "app.css", &other_coding).status(),
        StatusCode::OK
    );
}

#[test]
fn what_is_not_of_this_build_is_not_found_and_not_kept() {
    for (build, name) in [
        ("b0", "app.css"),
        ("b1", "app.js"),
        ("b1", "../Cargo.toml"),
        ("b1", ""),
    ] {
        let response = SITE.answer(build, name, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{build} {name}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn a_page_of_another_build_is_given_what_reloads_it() {
    let response = SITE.answer("b0", "boot.js", &HeaderMap::new());
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(body(response).await, b"start()");
}

#[test]
fn a_file_at_the_root_is_asked_for_again() {
    let response = SITE.answer_at_root("app.css", &HeaderMap::new());
    assert_eq!(response.headers()[CACHE_CONTROL], REVALIDATED);
}
