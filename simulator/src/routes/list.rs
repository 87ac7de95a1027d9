//! List and get.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Params, Target, json_response, table};
use crate::failure::{Cause, Failure};
use crate::selector::Selection;

pub(super) fn get(target: &Target, name: &str) -> Result<Response, Failure> {
    let key = target.resource.key(target.namespace.as_deref(), name);
    let object = target
        .cluster
        .read(|state| state.store.get(target.resource, &key).cloned())
        .ok_or_else(|| Failure::not_found(target.resource, name))?;
    if target.table {
        let table = table::table(
            target.resource,
            std::slice::from_ref(&object),
            &json!({ "resourceVersion": object.version.to_string() }),
        );
        return Ok(json_response(StatusCode::OK, table));
    }
    Ok(json_response(StatusCode::OK, object.encoded.clone()))
}

pub(super) fn selection(target: &Target) -> Result<Selection, Failure> {
    let params = &target.params;
    Selection::parse(
        target.resource,
        target.namespace.as_deref(),
        &params.label_selector,
        &params.field_selector,
    )
    .map_err(Failure::bad_request)
}

pub(super) fn list(target: &Target) -> Result<Response, Failure> {
    let params = &target.params;
    check_options(params)?;
    let selection = selection(target)?;
    let asked = params.version()?;
    let limit = if params.limit == 0 {
        usize::MAX
    } else {
        params.limit
    };
    let token = if params.r#continue.is_empty() {
        None
    } else {
        Some(Token::decode(&params.r#continue, &selection)?)
    };
    if token.is_some() && asked.is_some_and(|version| version > 0) {
        return Err(Failure::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }

    let (page, version) = target.cluster.read(|state| {
        let store = &state.store;
        let current = store.version();
        // A token without a version goes on at the present, knowingly inconsistent.
        let version = match &token {
            Some(token) => token.version.unwrap_or(current),
            None => exact_version(target, asked).unwrap_or(current),
        };
        if version.max(asked.unwrap_or(0)) > current {
            return Err(Failure::too_large(version.max(asked.unwrap_or(0)), current));
        }
        let start = token.as_ref().map(|token| token.start.as_str());
        let page = store
            .page(&selection, start, limit, version)
            .map_err(|_| match &token {
                Some(token) => Failure::expired_page(
                    Token {
                        version: None,
                        start: token.start.clone(),
                    }
                    .encode(),
                ),
                None => Failure::expired(format!(
                    "The resourceVersion for the provided list is too old. ({version})"
                )),
            })?;
        Ok((page, version))
    })?;

    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let Some(start) = page.next {
        metadata["continue"] = Token {
            version: Some(version),
            start,
        }
        .encode()
        .into();
        if !selection.is_selective() {
            metadata["remainingItemCount"] = page.remaining.into();
        }
    }
    if target.table {
        return Ok(json_response(
            StatusCode::OK,
            table::table(target.resource, &page.items, &metadata),
        ));
    }
    let size: usize = page.items.iter().map(|object| object.encoded.len()).sum();
    let mut body = Vec::with_capacity(size + 256);
    body.extend_from_slice(head(target, &metadata).as_bytes());
    for (index, object) in page.items.iter().enumerate() {
        body.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        body.extend_from_slice(object.fields());
    }
    body.extend_from_slice(b"]}\n");
    Ok(json_response(StatusCode::OK, body))
}

fn check_options(params: &Params) -> Result<(), Failure> {
    let matching = params.resource_version_match.as_str();
    let mut causes = Vec::new();
    if !matching.is_empty() {
        let mut forbid = |problem: &str| causes.push(forbidden("resourceVersionMatch", problem));
        if params.resource_version.is_empty() {
            forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !params.r#continue.is_empty() {
            forbid("resourceVersionMatch is forbidden when continue is provided");
        }
        if matching == "Exact" && params.resource_version == "0" {
            forbid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        if !["Exact", "NotOlderThan"].contains(&matching) {
            causes.push(Cause {
                reason: "FieldValueNotSupported",
                message: format!("Unsupported value: {matching:?}: supported values: \"Exact\", \"NotOlderThan\", \"\""),
                field: "resourceVersionMatch".to_owned(),
            });
        }
    }
    if params.send_initial_events.is_some() {
        causes.push(forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid_options(causes))
    }
}

pub(super) fn forbidden(field: &str, problem: &str) -> Cause {
    Cause {
        reason: "FieldValueForbidden",
        message: format!("Forbidden: {problem}"),
        field: field.to_owned(),
    }
}

/// The version that a list is to be read at, if it is to be that one exactly.
fn exact_version(target: &Target, asked: Option<u64>) -> Option<u64> {
    let params = &target.params;
    let exact = match params.resource_version_match.as_str() {
        "Exact" => true,
        "" => params.limit > 0,
        _ => false,
    };
    asked.filter(|version| exact && *version > 0)
}

/// A list up to its first item.
pub(super) fn head(target: &Target, metadata: &Value) -> String {
    let resource = target.resource;
    format!(
        r#"{{"kind":"{}List","apiVersion":"{}","metadata":{metadata},"items":["#,
        resource.kind(),
        resource.api_version()
    )
}

/// What a continue token means: opaque to clients, hexadecimal JSON to us.
struct Token {
    version: Option<u64>,
    start: String,
}

impl Token {
    fn encode(&self) -> String {
        use std::fmt::Write;

        let json =
            json!({ "v": "meta.k8s.io/v1", "rv": self.version, "start": self.start }).to_string();
        json.bytes()
            .fold(String::with_capacity(json.len() * 2), |mut token, byte| {
                let _ = write!(token, "{byte:02x}");
                token
            })
    }

    fn decode(token: &str, selection: &Selection) -> Result<Self, Failure> {
        let refuse = || Failure::bad_request("invalid continue token: continue key is not valid");
        let bytes = token
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<Vec<_>>>()
            .ok_or_else(refuse)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| refuse())?;
        let start = value["start"]
            .as_str()
            .filter(|start| selection.contains_key(start))
            .ok_or_else(refuse)?;
        Ok(Self {
            version: value["rv"].as_u64(),
            start: start.to_owned(),
        })
    }
}
