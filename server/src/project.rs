//! The projection: an object of the Kubernetes API to what is kept of it. Pure; a file for each kind,
//! and here what they share.

pub mod ingress;

use protocol::Key;
use serde::Deserialize;
use serde_json::Value;

/// An object cannot be shown.
#[derive(Debug, thiserror::Error)]
#[error("{}/{}: {cause}", key.namespace, key.name)]
pub struct InvalidObject {
    /// Which one, as far as it says.
    pub key: Key,
    /// What is wrong with it.
    pub cause: String,
}

/// What names an object, whatever else it has.
#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    metadata: Name,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    namespace: String,
    name: String,
}

/// Reads one object of a list, of at most so many bytes. Its text has the form of JSON, and may
/// still be none that can be held: a number beyond any, half of a surrogate pair, too deep.
pub fn parse(text: &str, most: usize) -> Result<Value, InvalidObject> {
    let object = match text.len() > most {
        true => Err(format!("it has more than {most} bytes")),
        false => serde_json::from_str(text).map_err(|error| error.to_string()),
    };
    object.map_err(|cause| {
        let Named { metadata } = serde_json::from_str(text).unwrap_or_default();
        let key = Key::new(metadata.namespace, metadata.name);
        InvalidObject { key, cause }
    })
}

/// The identity of an object.
#[must_use]
pub fn key(object: &Value) -> Key {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Key::new(text("/metadata/namespace"), text("/metadata/name"))
}

/// The resource version of an object, a list or a bookmark; 0 where there is none.
#[must_use]
pub fn resource_version(object: &Value) -> u64 {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
