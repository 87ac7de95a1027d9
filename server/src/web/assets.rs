//! The page's files, in the binary: `/pkg/<build>/<name>`.
//!
//! The build's name is in the path, so a file never changes and is kept for ever, and files reach each other by
//! relative paths. Each is there as it is and in the compressed forms that `cargo xtask build` made.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use super::negotiation;

static SITE: Site = include!(concat!(env!("OUT_DIR"), "/site.rs"));

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For paths without the build's name: kept, but asked for again with the entity tag.
const REVALIDATED: &str = "public, no-cache";

/// The file that starts the page, and reloads it when the others are gone.
const BOOT: &str = "boot.js";

/// The name of this build's files: equal for equal files, `unbundled` where the binary carries none.
#[must_use]
pub fn build_id() -> &'static str {
    SITE.build
}

/// The path of a file of the page, below the base path.
#[must_use]
pub fn path(name: &str) -> String {
    format!("/pkg/{}/{name}", SITE.build)
}

/// The routes of all files, and of those that browsers and crawlers look for at the root.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/pkg/{build}/{*name}", get(serve))
        .route("/favicon.ico", get(favicon))
        .route("/favicon.svg", get(favicon))
        .route("/robots.txt", get(robots))
}

/// Answers `/pkg/<build>/<name>`.
pub async fn serve(Path((build, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    SITE.answer(&build, &name, &headers)
}

/// Answers `/favicon.svg`, and `/favicon.ico` with the same picture.
pub async fn favicon(headers: HeaderMap) -> Response {
    SITE.answer_at_root("favicon.svg", &headers)
}

/// Answers `/robots.txt`.
pub async fn robots(headers: HeaderMap) -> Response {
    SITE.answer_at_root("robots.txt", &headers)
}

/// All files of one build.
struct Site {
    build: &'static str,
    files: &'static [File],
}

struct File {
    name: &'static str,
    content_type: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

impl Site {
    fn answer(&self, build: &str, name: &str, request: &HeaderMap) -> Response {
        if build == self.build {
            self.file(name, IMMUTABLE, request)
        } else if name == BOOT {
            // A page of another build, rendered by a replica that is gone or not yet everywhere. Ours finds its
            // other files gone and reloads the page; without it nothing on that page would run.
            self.file(name, "no-store", request)
        } else {
            not_found()
        }
    }

    fn answer_at_root(&self, name: &str, request: &HeaderMap) -> Response {
        self.file(name, REVALIDATED, request)
    }

    fn file(&self, name: &str, cache: &'static str, request: &HeaderMap) -> Response {
        let Some(file) = self.files.iter().find(|file| file.name == name) else {
            return not_found();
        };
        let (coding, contents) = file.negotiate(request);
        // One tag per representation: the same file compressed is another sequence of bytes.
        let tag = format!("\"{}-{coding}\"", self.build);
        let unchanged = negotiation::is_held(request, &tag);

        let mut response = Response::new(if unchanged {
            Body::empty()
        } else {
            Body::from(contents)
        });
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        if coding != negotiation::IDENTITY {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

impl File {
    /// The form that the client prefers of those there are, with its content coding.
    fn negotiate(&self, request: &HeaderMap) -> (&'static str, &'static [u8]) {
        let forms = [("br", self.brotli), ("gzip", self.gzip)];
        let there: Vec<_> = forms
            .iter()
            .filter_map(|(coding, form)| form.map(|_| *coding))
            .collect();
        let coding = negotiation::coding(request, &there);
        let form = forms.iter().find(|(name, _)| *name == coding);
        (
            coding,
            form.and_then(|(_, form)| *form).unwrap_or(self.identity),
        )
    }
}

fn not_found() -> Response {
    let not_kept = [(CACHE_CONTROL, "no-store")];
    (
        StatusCode::NOT_FOUND,
        not_kept,
        "There is no such file in this build.\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests {
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
}
