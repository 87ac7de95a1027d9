//! What every request passes and every response carries.
//!
//! On loopback there is no authentication, so a page of another site must not reach the
//! dashboard through the browser: a `Host` that is not ours (DNS rebinding) is 421, and a
//! request that the browser says comes from another site is 403, before any work. Where the browser
//! says nothing, as over plain HTTP to another machine, the `Origin` says it.

use std::sync::Arc;

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
pub async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
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
    let host = host_of(request);
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
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = bracketed.unwrap_or(host);
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// What is not a host with a port is left as it is, and no name that anybody allows.
fn without_port(authority: &str) -> &str {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => return authority,
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    match host.contains(':') && !is_bracketed {
        true => authority,
        false => host,
    }
}

fn check_site(server: &Server, request: &Request) -> Option<Problem> {
    let path = request.uri().path();
    let path = path
        .strip_prefix(server.config.base_path.as_str())
        .unwrap_or(path);
    let said = match request.headers().get("sec-fetch-site") {
        Some(site) if site.as_bytes() == b"cross-site" => "Sec-Fetch-Site: cross-site",
        None if is_foreign(server, request) => "Origin",
        _ => return None,
    };
    path.starts_with("/api").then(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            format!("requests from pages of other sites are not answered ({said})"),
        )
    })
}

/// Whether there is an `Origin` that is neither the host that was asked nor an allowed one.
fn is_foreign(server: &Server, request: &Request) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
    // An origin that is not told ("null") is none of ours.
    let Some((_, authority)) = origin.split_once("://") else {
        return true;
    };
    let host = without_port(authority);
    host != host_of(request) && !server.config.allowed_hosts.0.contains(host)
}

/// The host that a request names, without its port.
fn host_of(request: &Request) -> String {
    let named = || request.headers().get(header::HOST)?.to_str().ok();
    let host = request.uri().host().or_else(|| named().map(without_port));
    host.unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
