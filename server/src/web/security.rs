//! What every request passes and every response carries.
//!
//! On loopback there is no authentication, so a page of another site must not reach the
//! dashboard through the browser: a `Host` that is not ours (DNS rebinding) is 421, and a
//! request that the browser says comes from another site is 403, before any work.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::Server;
use super::problem::Problem;

/// For everything but the page: nothing may be loaded from it.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The middleware.
pub async fn guard(State(server): State<Server>, request: Request, next: Next) -> Response {
    let refusal = check_single_host(request.headers())
        .or_else(|| check_host(&server, &request))
        .or_else(|| check_site(&server, &request));
    let mut response = match refusal {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(API_POLICY),
        );
    }
    response
}

/// The policy of the page: its own scripts by nonce, its own styles and connections.
#[must_use]
pub fn page_policy(nonce: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a nonce is base64")
}

/// Which of several would be meant is anyone's guess, and a proxy's may differ (RFC 9112, 3.2).
fn check_single_host(headers: &HeaderMap) -> Option<Problem> {
    let several = headers.get_all(header::HOST).iter().nth(1).is_some();
    several.then(|| Problem::bad_request("there is more than one Host header: one is allowed"))
}

fn check_host(server: &Server, request: &Request) -> Option<Problem> {
    let allowed = &server.config.allowed_hosts.0;
    // Listening to others, any name may lead here, unless they are listed; the kubelet's probes
    // name the pod's address, whatever is listed.
    let probe = matches!(request.uri().path(), "/livez" | "/readyz");
    if !server.config.is_local() && (allowed.is_empty() || probe) {
        return None;
    }
    let host = request
        .uri()
        .host()
        .or_else(|| {
            request
                .headers()
                .get(header::HOST)?
                .to_str()
                .ok()
                .map(without_port)
        })
        .unwrap_or_default()
        .to_ascii_lowercase();
    if is_loopback(&host) || allowed.contains(&host) {
        return None;
    }
    let shown: String = host.chars().take(100).collect();
    Some(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        format!(
            "the host {shown:?} is not served here: allowed are loopback names and those in ALLOWED_HOSTS"
        ),
    ))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn without_port(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or(authority);
    }
    authority
        .split_once(':')
        .map_or(authority, |(host, _)| host)
}

fn check_site(server: &Server, request: &Request) -> Option<Problem> {
    let path = request.uri().path();
    let path = path
        .strip_prefix(server.config.base_path.as_str())
        .unwrap_or(path);
    let guarded = path.starts_with("/api");
    (guarded && is_cross_site(request.headers())).then(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "requests from pages of other sites are not answered (Sec-Fetch-Site: cross-site)",
        )
    })
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() == b"cross-site")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_told_from_others() {
        for host in [
            "localhost",
            "a.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::2]",
            "example.com",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_port_is_no_part_of_the_host() {
        assert_eq!(without_port("localhost:3000"), "localhost");
        assert_eq!(without_port("[::1]:3000"), "[::1]");
        assert_eq!(without_port("example.com"), "example.com");
    }
}
