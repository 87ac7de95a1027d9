//! The messages of the stream. Each is the data of one default (`message`) event: a JSON object
//! `{"type": ..., "data": {...}}`. One event name keeps the order between types.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::from_slice;
use serde_json::value::RawValue;

use crate::ingress::{Ingress, Key};

/// One message of the stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
pub enum Message {
    /// The row appeared, or is replayed.
    IngressAdded(Ingress),
    /// The whole new row.
    IngressModified(Ingress),
    /// The row is gone.
    IngressDeleted(Key),
    /// Something failed for a namespace or for the whole scope; the stream goes on.
    Error(StreamError),
    /// The server closes the stream on purpose.
    Done(Done),
    /// Only ever the first message of a connection: a full replay follows.
    Reset(Reset),
    /// But for the pending namespaces the client now holds exactly the server's state.
    Synced(Synced),
    /// The state of one namespace, or of the whole scope.
    NamespaceStatus(NamespaceStatus),
    /// The connection is alive.
    Heartbeat(Heartbeat),
}

/// Data of `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamError {
    /// What failed, in plain words.
    pub error: String,
    /// Absent: the whole scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The kind of failure.
    pub reason: ErrorReason,
    /// Milliseconds until the server tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// Which permission is missing, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

/// A permission that the server's account has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// `ingresses` or `namespaces`.
    pub resource: String,
    /// The verbs that are missing: `list`, `watch`.
    pub verbs: Vec<String>,
    /// The account's user name, as the API server says it (`SelfSubjectReview`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// The kinds of failure that `error` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorReason {
    /// The server's account may not list or watch there.
    Forbidden,
    /// The Kubernetes API does not answer, or answers with a server error.
    Unreachable,
    /// The watch fell behind the API server's history.
    Expired,
    /// The Kubernetes API sent what cannot be read.
    Invalid,
    /// Anything else.
    Internal,
    /// A reason that this build does not know.
    #[serde(other)]
    Other,
}

/// Data of `done`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Always `Stream closed`.
    pub message: String,
    /// Why.
    pub reason: DoneReason,
}

impl Done {
    /// A `done` for this reason.
    #[must_use]
    pub fn new(reason: DoneReason) -> Self {
        Self {
            message: "Stream closed".into(),
            reason,
        }
    }
}

/// Why the server closes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DoneReason {
    /// The stream reached its greatest age.
    Timeout,
    /// The server is shutting down.
    Draining,
    /// The client does not read fast enough.
    SlowConsumer,
    /// The client has to start again at once.
    Resync,
    /// The client may not use the dashboard any more.
    Unauthorized,
    /// A reason that this build does not know.
    #[serde(other)]
    Other,
}

/// Data of `reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The server's build. One that differs from the page's own offers a reload.
    pub build: String,
}

/// Data of `synced`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// How many rows the client holds now, pending namespaces aside.
    pub count: usize,
    /// Namespaces whose rows are not known yet: what the client has of them stays, marked old.
    #[serde(default)]
    pub pending: Vec<String>,
    /// How many they are, where `pending` names only some. Each of the others has said so before on
    /// this stream, by a `namespaceStatus` (`syncing` or `retrying`) without a count, and the server
    /// has no row of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_count: Option<usize>,
}

/// Data of `namespaceStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceStatus {
    /// Absent: the whole scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The state.
    pub state: NamespaceState,
    /// Rows of the namespace, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Milliseconds until the server tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// Since when, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// How current the rows of a namespace are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NamespaceState {
    /// The first list is under way.
    Syncing,
    /// The watch has been heard from.
    Live,
    /// The watch failed and is tried again: rows stay, marked old.
    Retrying,
    /// The server's account may not watch there: no rows.
    Forbidden,
}

/// Data of `heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The server's time, RFC 3339.
    pub time: String,
}

/// A message could not be read.
#[derive(Debug, thiserror::Error)]
#[error("not a message of the stream: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

impl Message {
    /// The message in the data of one event; `None` for a type that this build does not know,
    /// which a client ignores.
    pub fn decode(data: &str) -> Result<Option<Self>, DecodeError> {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow)]
            r#type: Cow<'a, str>,
            #[serde(borrow, default)]
            data: Option<&'a RawValue>,
        }
        // Derived, this would come to twice the code: serde keeps data whose type it has not read
        // yet in a form of its own.
        let event: Event<'_> = from_slice(data.as_bytes())?;
        let data = event.data.map_or("null", RawValue::get).as_bytes();
        Ok(Some(match &*event.r#type {
            "ingressAdded" => Self::IngressAdded(from_slice(data)?),
            "ingressModified" => Self::IngressModified(from_slice(data)?),
            "ingressDeleted" => Self::IngressDeleted(from_slice(data)?),
            "error" => Self::Error(from_slice(data)?),
            "done" => Self::Done(from_slice(data)?),
            "reset" => Self::Reset(from_slice(data)?),
            "synced" => Self::Synced(from_slice(data)?),
            "namespaceStatus" => Self::NamespaceStatus(from_slice(data)?),
            "heartbeat" => Self::Heartbeat(from_slice(data)?),
            _ => return Ok(None),
        }))
    }

    /// The data of one event.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("messages have string keys only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_is_ignored_and_a_broken_known_one_is_an_error() {
        assert!(matches!(
            Message::decode(r#"{"type":"later","data":{"a":1}}"#),
            Ok(None)
        ));
        assert!(Message::decode(r#"{"type":"synced","data":{"count":"x"}}"#).is_err());
        assert!(Message::decode("[").is_err());
    }

    #[test]
    fn an_unknown_reason_is_kept_as_other() {
        let text = r#"{"type":"done","data":{"message":"Stream closed","reason":"lunch"}}"#;
        let Ok(Some(Message::Done(done))) = Message::decode(text) else {
            panic!("not done")
        };
        assert_eq!(done.reason, DoneReason::Other);
    }

    #[test]
    fn the_deleted_message_has_the_documented_form() {
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(
                &Message::IngressDeleted(Key::new("default", "my-ingress")).encode()
            )
            .unwrap(),
            serde_json::json!({"type": "ingressDeleted", "data": {"name": "my-ingress", "namespace": "default"}})
        );
    }
}
