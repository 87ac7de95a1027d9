//! What the API server refuses in an object, as far as names, rules and backends go.

use serde_json::Value;

use crate::failure::Cause;
use crate::resource::{Resource, text};

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                         '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used \
                         for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

pub(super) fn validate(resource: Resource, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = text(value, "/metadata/name").unwrap_or_default();
    if let Some(problem) = name_problem(resource, name) {
        causes.push(invalid("metadata.name", name, &problem));
    }
    if resource == Resource::Ingresses {
        validate_spec(&value["spec"], &mut causes);
    }
    causes
}

fn name_problem(resource: Resource, name: &str) -> Option<String> {
    let (longest, form) = match resource {
        Resource::Namespaces => (63, LABEL),
        Resource::Ingresses => (253, SUBDOMAIN),
    };
    let well_formed = match resource {
        Resource::Namespaces => is_label(name),
        Resource::Ingresses => name.split('.').all(is_label),
    };
    if name.len() > longest {
        Some(format!("must be no more than {longest} characters"))
    } else {
        (!well_formed).then(|| form.to_owned())
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn validate_spec(spec: &Value, causes: &mut Vec<Cause>) {
    let rules = spec["rules"].as_array().map_or(&[][..], Vec::as_slice);
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        causes.push(Cause {
            reason: "FieldValueInvalid",
            message: "Invalid value: null: either `defaultBackend` or `rules` must be specified"
                .to_owned(),
            field: "spec".to_owned(),
        });
    }
    if !spec["defaultBackend"].is_null() {
        validate_backend(&spec["defaultBackend"], "spec.defaultBackend", causes);
    }
    for (rule_index, rule) in rules.iter().enumerate() {
        let host = rule["host"].as_str().unwrap_or_default();
        if !host.is_empty()
            && !host
                .strip_prefix("*.")
                .unwrap_or(host)
                .split('.')
                .all(is_label)
        {
            causes.push(invalid(
                &format!("spec.rules[{rule_index}].host"),
                host,
                SUBDOMAIN,
            ));
        }
        let paths = rule["http"]["paths"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        for (index, path) in paths.iter().enumerate() {
            let field = format!("spec.rules[{rule_index}].http.paths[{index}]");
            validate_path(path, &field, causes);
        }
    }
}

fn validate_path(value: &Value, field: &str, causes: &mut Vec<Cause>) {
    let path = value["path"].as_str().unwrap_or_default();
    match value["pathType"].as_str() {
        None => {
            causes.push(required(&format!("{field}.pathType"), "pathType must be specified"));
            return;
        }
        Some("Exact" | "Prefix") if !path.starts_with('/') => {
            causes.push(invalid(&format!("{field}.path"), path, "must be an absolute path"));
        }
        Some("ImplementationSpecific") if !path.is_empty() && !path.starts_with('/') => {
            causes.push(invalid(&format!("{field}.path"), path, "must be an absolute path"));
        }
        Some("Exact" | "Prefix" | "ImplementationSpecific") => {}
        Some(other) => causes.push(Cause {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {other:?}: supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\""
            ),
            field: format!("{field}.pathType"),
        }),
    }
    validate_backend(&value["backend"], &format!("{field}.backend"), causes);
}

fn validate_backend(backend: &Value, field: &str, causes: &mut Vec<Cause>) {
    let service = &backend["service"];
    match (service.is_object(), backend["resource"].is_object()) {
        (true, true) => causes.push(invalid(
            field,
            "",
            "cannot set both resource and service backends",
        )),
        (false, false) => causes.push(invalid(
            field,
            "",
            "resource or service backend is required",
        )),
        (false, true) => {}
        (true, false) => {
            if service["name"].as_str().is_none_or(str::is_empty) {
                causes.push(required(&format!("{field}.service.name"), ""));
            }
            let port = &service["port"];
            let has_name = port["name"].as_str().is_some_and(|name| !name.is_empty());
            let has_number = port["number"].as_i64().is_some_and(|number| number != 0);
            match (has_name, has_number) {
                (true, true) => causes.push(invalid(
                    field,
                    "",
                    "cannot set both port name & port number",
                )),
                (false, false) => causes.push(required(field, "port name or number is required")),
                _ => {}
            }
        }
    }
}

pub(super) fn invalid(field: &str, value: &str, problem: &str) -> Cause {
    let message = format!("Invalid value: {value:?}: {problem}");
    Cause {
        reason: "FieldValueInvalid",
        message,
        field: field.to_owned(),
    }
}

pub(super) fn required(field: &str, detail: &str) -> Cause {
    let message = if detail.is_empty() {
        "Required value".to_owned()
    } else {
        format!("Required value: {detail}")
    };
    Cause {
        reason: "FieldValueRequired",
        message,
        field: field.to_owned(),
    }
}
