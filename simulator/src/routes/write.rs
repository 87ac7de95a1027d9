//! Create, update, patch and delete.
//!
//! It is one file: the verbs share how an object is checked, stamped and stored.

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::validation::{invalid, required, validate};
use super::{Target, json_response, list};
use crate::cluster::State;
use crate::content;
use crate::failure::Failure;
use crate::resource::{Resource, text};
use crate::store::Store;

const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

pub(super) fn create(target: &Target) -> Result<Response, Failure> {
    let resource = target.resource;
    let mut value = decode(target)?;
    if text(&value, "/metadata/resourceVersion").is_some_and(|version| !version.is_empty()) {
        return Err(Failure::internal(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    claim_namespace(target, &mut value)?;
    target.cluster.write(|state| {
        if let Some(namespace) = &target.namespace
            && state.store.get(Resource::Namespaces, namespace).is_none()
        {
            return Err(Failure::not_found(Resource::Namespaces, namespace));
        }
        let name = new_name(state, resource, &value)?;
        value["metadata"]["name"] = name.as_str().into();
        complete_new(state, target, &mut value);
        let causes = validate(resource, &value);
        if !causes.is_empty() {
            return Err(Failure::invalid(resource, &name, causes));
        }
        let key = resource.key(target.namespace.as_deref(), &name);
        if state.store.get(resource, &key).is_some() {
            return Err(Failure::already_exists(resource, &name));
        }
        if target.params.is_dry_run() {
            return Ok(present(resource, &value, StatusCode::CREATED));
        }
        Ok(json_response(
            StatusCode::CREATED,
            state.store.put(resource, value).encoded.clone(),
        ))
    })
}

pub(super) fn update(target: &Target, name: &str, status: bool) -> Result<Response, Failure> {
    let mut value = decode(target)?;
    claim_namespace(target, &mut value)?;
    let named = text(&value, "/metadata/name").unwrap_or_default();
    if named != name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({named}) does not match the name on the URL ({name})"
        )));
    }
    replace(target, name, status, Identity::Precondition, |_| value)
}

pub(super) fn patch(target: &Target, name: &str, status: bool) -> Result<Response, Failure> {
    const MERGE: &str = "application/merge-patch+json";
    const STRATEGIC: &str = "application/strategic-merge-patch+json";
    if ![MERGE, STRATEGIC].contains(&content_type(&target.headers)) {
        return Err(Failure::unsupported_media_type(&format!(
            "{MERGE}, {STRATEGIC}"
        )));
    }
    let patch = object(&target.body)?;
    replace(target, name, status, Identity::Immutable, |mut value| {
        // Without a version of its own, a patch is for whatever version there is.
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        merge(&mut value, patch);
        value
    })
}

/// Writes the next state of an object that exists.
fn replace(
    target: &Target,
    name: &str,
    status: bool,
    identity: Identity,
    next: impl FnOnce(Value) -> Value,
) -> Result<Response, Failure> {
    let resource = target.resource;
    let key = resource.key(target.namespace.as_deref(), name);
    target.cluster.write(|state| {
        let Some(object) = state.store.get(resource, &key).cloned() else {
            return Err(Failure::not_found(resource, name));
        };
        let existing = object.value();
        let mut value = next(existing.clone());
        drop_nulls(&mut value);
        check_identity(resource, name, &existing, &value["metadata"], identity)?;
        complete_changed(target, &existing, &mut value, status);
        let causes = validate(resource, &value);
        if !causes.is_empty() {
            return Err(Failure::invalid(resource, name, causes));
        }
        if same_but_for_bookkeeping(&existing, &value) {
            return Ok(json_response(StatusCode::OK, object.encoded.clone()));
        }
        if target.params.is_dry_run() {
            return Ok(present(resource, &value, StatusCode::OK));
        }
        record_manager(target, &mut value, status);
        if value["metadata"]["deletionTimestamp"].is_string() && finalizers(&value).is_empty() {
            state.store.remove(resource, &key);
            return Ok(present(resource, &value, StatusCode::OK));
        }
        Ok(json_response(
            StatusCode::OK,
            state.store.put(resource, value).encoded.clone(),
        ))
    })
}

pub(super) fn delete(target: &Target, name: &str) -> Result<Response, Failure> {
    let resource = target.resource;
    let options = if target.body.is_empty() {
        Value::Null
    } else {
        object(&target.body)?
    };
    let key = resource.key(target.namespace.as_deref(), name);
    let dry_run = target.params.is_dry_run()
        || options["dryRun"]
            .as_array()
            .is_some_and(|runs| !runs.is_empty());
    target.cluster.write(|state| {
        let Some(object) = state.store.get(resource, &key).cloned() else {
            return Err(Failure::not_found(resource, name));
        };
        let mut value = object.value();
        check_delete(resource, name, &value, &options["preconditions"])?;
        let removed = dry_run || remove(state, resource, &key, &mut value);
        if resource == Resource::Namespaces {
            value["status"] = json!({ "phase": "Terminating" });
            return Ok(present(resource, &value, StatusCode::OK));
        }
        if !removed {
            return Ok(present(resource, &value, StatusCode::OK));
        }
        let details = json!({
            "name": name,
            "group": resource.group(),
            "kind": resource.plural(),
            "uid": value["metadata"]["uid"],
        });
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        });
        Ok(json_response(StatusCode::OK, status.to_string()))
    })
}

pub(super) fn delete_collection(target: &Target) -> Result<Response, Failure> {
    let resource = target.resource;
    let selection = list::selection(target)?;
    target.cluster.write(|state| {
        let objects: Vec<_> = state
            .store
            .table(resource)
            .values()
            .filter(|object| selection.matches(object))
            .cloned()
            .collect();
        if !target.params.is_dry_run() {
            for object in &objects {
                remove(state, resource, &object.key, &mut object.value());
            }
        }
        let metadata = json!({ "resourceVersion": state.store.version().to_string() });
        let items: Vec<_> = objects
            .iter()
            .map(|object| [b"{", object.fields()].concat())
            .collect();
        let body = [
            list::head(target, &metadata).as_bytes(),
            &items.join(&b','),
            b"]}\n",
        ]
        .concat();
        Ok(json_response(StatusCode::OK, body))
    })
}

/// Removes an object, or marks it where finalizers hold it. Returns whether it is gone.
fn remove(state: &mut State, resource: Resource, key: &str, value: &mut Value) -> bool {
    let marked = value["metadata"]["deletionTimestamp"].is_string();
    if resource == Resource::Ingresses && !finalizers(value).is_empty() {
        if !marked {
            value["metadata"]["deletionTimestamp"] = content::now().into();
            value["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            let generation = value["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
            value["metadata"]["generation"] = generation.into();
            *value = state.store.put(resource, value.clone()).value();
        }
        return false;
    }
    match resource {
        Resource::Namespaces => state.delete_namespace(key),
        Resource::Ingresses => {
            state.store.remove(resource, key);
        }
    }
    true
}

fn decode(target: &Target) -> Result<Value, Failure> {
    let mut value = parse(&target.headers, &target.body)?;
    let resource = target.resource;
    let fits = |field: &str, expected: &str| {
        value[field]
            .as_str()
            .is_none_or(|actual| actual == expected)
    };
    if !fits("kind", resource.kind()) || !fits("apiVersion", resource.api_version()) {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let (kind, version, expected) = (text("kind"), text("apiVersion"), resource.kind());
        return Err(Failure::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {expected}: converting ({version}.{kind}) to \
             ({}.{expected}): unknown conversion",
            resource.package(),
        )));
    }
    drop_nulls(&mut value);
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    Ok(value)
}

/// The object in the body of a request, which has to be JSON.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Failure> {
    if !["", "application/json"].contains(&content_type(headers)) {
        return Err(Failure::unsupported_media_type("application/json"));
    }
    object(body)
}

fn object(body: &[u8]) -> Result<Value, Failure> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Failure::bad_request(
            "the body of the request is not an object",
        )),
        Err(error) => Err(Failure::bad_request(format!(
            "the body of the request is not JSON: {error}"
        ))),
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn claim_namespace(target: &Target, value: &mut Value) -> Result<(), Failure> {
    let Some(namespace) = &target.namespace else {
        return Ok(());
    };
    match text(value, "/metadata/namespace") {
        None | Some("") => value["metadata"]["namespace"] = namespace.as_str().into(),
        Some(claimed) if claimed == namespace => {}
        Some(_) => {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}

fn new_name(state: &mut State, resource: Resource, value: &Value) -> Result<String, Failure> {
    let given = |pointer| text(value, pointer).filter(|text| !text.is_empty());
    match (given("/metadata/name"), given("/metadata/generateName")) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, Some(start)) => Ok(format!("{start}{}", state.random.suffix(5))),
        (None, None) => {
            let cause = required("metadata.name", "name or generateName is required");
            Err(Failure::invalid(resource, "", vec![cause]))
        }
    }
}

fn complete_new(state: &mut State, target: &Target, value: &mut Value) {
    let uid = state.random.uuid();
    let created = content::now();
    if target.resource == Resource::Namespaces {
        let name = text(value, "/metadata/name").unwrap_or_default();
        merge(value, Store::namespace(name, &uid, &created));
    } else {
        merge(
            value,
            json!({ "metadata": { "uid": uid, "creationTimestamp": created, "generation": 1 } }),
        );
        value["status"] = json!({ "loadBalancer": {} });
    }
    record_manager(target, value, false);
}

/// Keeps what a client cannot change: identity, and status or spec, whichever the request is not
/// about.
fn complete_changed(target: &Target, existing: &Value, value: &mut Value, status: bool) {
    for field in [
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "namespace",
        "name",
        "resourceVersion",
    ] {
        match &existing["metadata"][field] {
            Value::Null => {
                if let Some(metadata) = value["metadata"].as_object_mut() {
                    metadata.remove(field);
                }
            }
            kept => value["metadata"][field] = kept.clone(),
        }
    }
    if value["metadata"]["managedFields"].is_null()
        && !existing["metadata"]["managedFields"].is_null()
    {
        value["metadata"]["managedFields"] = existing["metadata"]["managedFields"].clone();
    }
    let kept = if status { "spec" } else { "status" };
    value[kept] = existing[kept].clone();
    if target.resource == Resource::Ingresses && existing["spec"] != value["spec"] {
        let generation = existing["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        value["metadata"]["generation"] = generation.into();
    }
}

/// What another `uid` in the next state of an object means: to an update that another object is
/// meant, to a patch that the field is to change.
#[derive(Clone, Copy)]
enum Identity {
    Precondition,
    Immutable,
}

fn check_identity(
    resource: Resource,
    name: &str,
    existing: &Value,
    asked: &Value,
    identity: Identity,
) -> Result<(), Failure> {
    match (differing(existing, asked, "uid"), identity) {
        (Some((asked, current)), Identity::Precondition) => {
            let cause = format!(
                "Precondition failed: UID in precondition: {asked}, UID in object meta: {current}"
            );
            return Err(Failure::conflict(resource, name, &cause));
        }
        (Some((asked, _)), Identity::Immutable) => {
            return Err(Failure::invalid(
                resource,
                name,
                vec![invalid("metadata.uid", asked, "field is immutable")],
            ));
        }
        (None, _) => {}
    }
    match differing(existing, asked, "resourceVersion") {
        Some(_) => Err(Failure::conflict(resource, name, MODIFIED)),
        None => Ok(()),
    }
}

fn check_delete(
    resource: Resource,
    name: &str,
    existing: &Value,
    preconditions: &Value,
) -> Result<(), Failure> {
    for (field, label, happened) in [
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ] {
        if let Some((asked, current)) = differing(existing, preconditions, field) {
            let cause = format!(
                "the {label} in the precondition ({asked}) does not match the {label} in record ({current}). The \
                 object might have been {happened}"
            );
            return Err(Failure::precondition(resource, name, &cause));
        }
    }
    Ok(())
}

/// What is asked for and what there is, where they differ.
fn differing<'a>(existing: &'a Value, asked: &'a Value, field: &str) -> Option<(&'a str, &'a str)> {
    let asked = asked[field].as_str().filter(|asked| !asked.is_empty())?;
    let current = existing["metadata"][field].as_str().unwrap_or_default();
    (asked != current).then_some((asked, current))
}

/// An update that changes nothing is not written, as upstream.
fn same_but_for_bookkeeping(existing: &Value, value: &Value) -> bool {
    let relevant = |value: &Value| {
        let mut value = value.clone();
        if let Some(object) = value.as_object_mut() {
            object.remove("kind");
            object.remove("apiVersion");
        }
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
            metadata.remove("resourceVersion");
        }
        value
    };
    relevant(existing) == relevant(value)
}

/// Notes the client in `managedFields`, under the field manager it names or else its user agent.
fn record_manager(target: &Target, value: &mut Value, status: bool) {
    let agent = target
        .headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or("unknown");
    let manager = match target.params.field_manager.as_str() {
        "" => agent.split('/').next().unwrap_or(agent),
        given => given,
    };
    let subresource = status.then_some("status");
    let entry = content::managed_fields(
        manager,
        subresource,
        target.resource,
        value,
        &content::now(),
    );
    let mut entries = value["metadata"]["managedFields"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    entries.retain(|entry| {
        entry["manager"] != manager || entry["subresource"].as_str() != subresource
    });
    entries.push(entry);
    value["metadata"]["managedFields"] = entries.into();
}

fn finalizers(value: &Value) -> &[Value] {
    value
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The object as it would be stored.
fn present(resource: Resource, value: &Value, code: StatusCode) -> Response {
    let mut value = value.clone();
    value["kind"] = resource.kind().into();
    value["apiVersion"] = resource.api_version().into();
    json_response(code, value.to_string())
}

/// A JSON merge patch (RFC 7396). A strategic merge patch is taken for one: the lists of an ingress
/// are atomic, and only its directives, which begin with `$`, are left out.
fn merge(value: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    for (key, patch) in patch.into_iter().filter(|(key, _)| !key.starts_with('$')) {
        if patch.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), patch);
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            // These are left out where they are empty, as every map of the API is.
            fields.retain(|key, field| {
                !(["labels", "annotations"].contains(&key.as_str()) && *field == json!({}))
            });
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
