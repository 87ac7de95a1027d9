//! Answers that are not a success: `Status` objects in the shape of the upstream API server.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::resource::Resource;

/// One line of the causes of an invalid object.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

/// A refusal, as the API server words it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u16,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    retry_after: Option<u64>,
    /// A token to go on with although the list has expired.
    next: Option<String>,
}

impl Failure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            retry_after: None,
            next: None,
        }
    }

    fn about(mut self, resource: Resource, name: &str) -> Self {
        let mut details = json!({ "name": name, "kind": resource.plural() });
        if !resource.group().is_empty() {
            details["group"] = resource.group().into();
        }
        self.details = Some(details);
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn forbidden(
        user: &str,
        verb: &str,
        resource: Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Self {
        let qualified = resource.qualified();
        let subject = if name.is_empty() {
            qualified
        } else {
            format!("{qualified} \"{name}\"")
        };
        let place = match namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let message = format!(
            "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
            resource.plural(),
            resource.group(),
        );
        let mut failure = Self::new(403, "Forbidden", message).about(resource, name);
        if name.is_empty()
            && let Some(details) = failure.details.as_mut().and_then(Value::as_object_mut)
        {
            details.remove("name");
        }
        failure
    }

    pub(crate) fn not_found(resource: Resource, name: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("{} \"{name}\" not found", resource.qualified()),
        )
        .about(resource, name)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self {
            details: Some(json!({})),
            ..Self::new(405, "MethodNotAllowed", message)
        }
    }

    pub(crate) fn already_exists(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    /// A path below a known version that names nothing.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self {
            details: Some(json!({})),
            ..Self::new(404, "NotFound", message)
        }
    }

    /// An error without a reason, as upstream answers where it did not foresee one.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// The preconditions of a delete do not hold.
    pub(crate) fn precondition(resource: Resource, name: &str, cause: &str) -> Self {
        let mut failure = Self::conflict(resource, name, cause);
        let kind = format!("{}.{}", resource.kind(), resource.group());
        let kind = kind.trim_end_matches('.');
        failure.message = format!("Operation cannot be fulfilled on {kind} \"{name}\": {cause}");
        if let Some(details) = &mut failure.details {
            details["kind"] = resource.kind().into();
        }
        failure
    }

    pub(crate) fn conflict(resource: Resource, name: &str, cause: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {cause}",
            resource.qualified()
        );
        Self::new(409, "Conflict", message).about(resource, name)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(crate) fn expired_page(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results. Continuing with the provided token results in an \
                       inconsistent list - objects that were created, modified, or deleted between the time the \
                       first chunk was returned and now may show up in the list.";
        Self {
            next: Some(token),
            ..Self::expired(message)
        }
    }

    pub(crate) fn too_old(asked: u64, oldest: u64) -> Self {
        Self::expired(format!("too old resource version: {asked} ({oldest})"))
    }

    pub(crate) fn too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let cause =
            json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
        Self {
            details: Some(json!({ "causes": [cause], "retryAfterSeconds": 1 })),
            retry_after: Some(1),
            ..Self::new(504, "Timeout", message)
        }
    }

    pub(crate) fn unsupported_media_type(allowed: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {allowed}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(crate) fn invalid(resource: Resource, name: &str, causes: Vec<Cause>) -> Self {
        Self::invalid_kind(resource.kind(), resource.group(), name, causes)
    }

    /// Query parameters of a list or watch that contradict each other.
    pub(crate) fn invalid_options(causes: Vec<Cause>) -> Self {
        Self::invalid_kind("ListOptions", "meta.k8s.io", "", causes)
    }

    fn invalid_kind(kind: &str, group: &str, name: &str, causes: Vec<Cause>) -> Self {
        let lines: Vec<_> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let lines = if lines.len() == 1 {
            lines.concat()
        } else {
            format!("[{}]", lines.join(", "))
        };
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let causes: Vec<_> = causes
            .into_iter()
            .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
            .collect();
        let mut details = json!({ "kind": kind, "causes": causes });
        for (field, value) in [("name", name), ("group", group)] {
            if !value.is_empty() {
                details[field] = value.into();
            }
        }
        let message = format!("{qualified} \"{name}\" is invalid: {lines}");
        Self {
            details: Some(details),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// An answer on command with a message of so many characters.
    pub(crate) fn wordy(code: u16, length: usize) -> Self {
        Self {
            message: "many words ".chars().cycle().take(length).collect(),
            ..Self::ordered(code, None)
        }
    }

    /// An answer on command, worded as the API server words that code.
    pub(crate) fn ordered(code: u16, retry_after: Option<u64>) -> Self {
        let (reason, message) = match code {
            400 => (
                "BadRequest",
                "the server rejected our request for an unknown reason",
            ),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "forbidden by a fault on command"),
            404 => (
                "NotFound",
                "the server could not find the requested resource",
            ),
            410 => (
                "Expired",
                "The resourceVersion for the provided watch is too old.",
            ),
            429 => (
                "TooManyRequests",
                "too many requests, please try again later",
            ),
            500 => (
                "InternalError",
                "Internal error occurred: a fault on command",
            ),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted",
            ),
            _ => ("", "an answer on command"),
        };
        let details = retry_after.map(|seconds| json!({ "retryAfterSeconds": seconds }));
        Self {
            details,
            retry_after,
            ..Self::new(code, reason, message)
        }
    }

    /// The `Status` object, which is also what a watch sends in an `ERROR` event.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        if let Some(next) = &self.next {
            status["metadata"]["continue"] = next.as_str().into();
        }
        status
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (code, axum::Json(self.status())).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
