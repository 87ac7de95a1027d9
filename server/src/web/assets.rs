//! The page's files, in the binary: `/pkg/<build>/<name>`.
//!
//! The build's name is in the path, so a file never changes and is kept for ever, and files reach
//! each other by relative paths. Each is there as it is and in the compressed forms that
//! `cargo xtask build` made.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::negotiation;
use super::problem::Problem;

static SITE: Site = include!(concat!(env!("OUT_DIR"), "/site.rs"));

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For paths without the build's name: kept, but asked for again with the entity tag.
const REVALIDATED: &str = "public, no-cache";

/// The file that starts the page, and reloads it when the others are gone.
const BOOT: &str = "boot.js";

/// The name of this build's files: equal for equal files, `unbundled` where the binary carries
/// none.
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
pub async fn serve(
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((build, name)) = path?;
    Ok(SITE.answer(&build, &name, &headers))
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
            // A page of another build, rendered by a replica that is gone or not yet everywhere.
            // Ours finds its other files gone and reloads the page; without it nothing on that page
            // would run.
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
    let words = format!("there is no such file in this build, {}", SITE.build);
    Problem::new(StatusCode::NOT_FOUND, words).into_response()
}

#[cfg(test)]
mod tests;
