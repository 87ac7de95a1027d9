//! The messages of the stream. Each is the data of one default (`message`) event: a JSON object
//! `{"type": ..., "data": {...}}`. One event name keeps the order between types.

use serde::Serialize;

use crate::ingress::{Ingress, Key};
use crate::json::{self, FromJson, Reader};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamError {
    /// What failed, in plain words.
    pub error: String,
    /// Absent: the whole scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The kind of failure.
    pub reason: ErrorReason,
    /// Milliseconds until the server tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// Which permission is missing, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

impl FromJson for StreamError {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            error: String::new(),
            namespace: None,
            reason: ErrorReason::Other,
            retry_in_ms: None,
            missing: None,
        };
        reader.object(&["error", "reason"]);
        while let Some(name) = reader.member() {
            match name {
                "error" => value.error = reader.read(),
                "namespace" => value.namespace = reader.read(),
                "reason" => value.reason = reader.read(),
                "retryInMs" => value.retry_in_ms = reader.read(),
                "missing" => value.missing = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A permission that the server's account has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `ingresses` or `namespaces`.
    pub resource: String,
    /// The verbs that are missing: `list`, `watch`.
    pub verbs: Vec<String>,
    /// The account's user name, as the API server says it (`SelfSubjectReview`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl FromJson for Missing {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            resource: String::new(),
            verbs: Vec::new(),
            account: None,
        };
        reader.object(&["resource", "verbs"]);
        while let Some(name) = reader.member() {
            match name {
                "resource" => value.resource = reader.read(),
                "verbs" => value.verbs = reader.read(),
                "account" => value.account = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// The kinds of failure that `error` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
    Other,
}

impl FromJson for ErrorReason {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match &*reader.text() {
            "forbidden" => Self::Forbidden,
            "unreachable" => Self::Unreachable,
            "expired" => Self::Expired,
            "invalid" => Self::Invalid,
            "internal" => Self::Internal,
            _ => Self::Other,
        }
    }
}

/// Data of `done`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

impl FromJson for Done {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::new(DoneReason::Other);
        reader.object(&["message", "reason"]);
        while let Some(name) = reader.member() {
            match name {
                "message" => value.message = reader.read(),
                "reason" => value.reason = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Why the server closes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
    Other,
}

impl FromJson for DoneReason {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match &*reader.text() {
            "timeout" => Self::Timeout,
            "draining" => Self::Draining,
            "slowConsumer" => Self::SlowConsumer,
            "resync" => Self::Resync,
            "unauthorized" => Self::Unauthorized,
            _ => Self::Other,
        }
    }
}

/// Data of `reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reset {
    /// The server's build. One that differs from the page's own offers a reload.
    pub build: String,
}

impl FromJson for Reset {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            build: String::new(),
        };
        reader.object(&["build"]);
        while let Some(name) = reader.member() {
            match name {
                "build" => value.build = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Data of `synced`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// How many rows the client holds now, pending namespaces aside.
    pub count: usize,
    /// Namespaces whose rows are not known yet: what the client has of them stays, marked old.
    pub pending: Vec<String>,
    /// How many they are, where `pending` names only some. Each of the others has said so before on
    /// this stream, by a `namespaceStatus` (`syncing` or `retrying`) without a count, and the
    /// server has no row of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_count: Option<usize>,
}

impl FromJson for Synced {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self::default();
        reader.object(&["count"]);
        while let Some(name) = reader.member() {
            match name {
                "count" => value.count = reader.read(),
                "pending" => value.pending = reader.read(),
                "pendingCount" => value.pending_count = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// Data of `namespaceStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceStatus {
    /// Absent: the whole scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The state.
    pub state: NamespaceState,
    /// Rows of the namespace, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Milliseconds until the server tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u64>,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl FromJson for NamespaceStatus {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            namespace: None,
            state: NamespaceState::Syncing,
            count: None,
            retry_in_ms: None,
            since: None,
        };
        reader.object(&["state"]);
        while let Some(name) = reader.member() {
            match name {
                "namespace" => value.namespace = reader.read(),
                "state" => value.state = reader.read(),
                "count" => value.count = reader.read(),
                "retryInMs" => value.retry_in_ms = reader.read(),
                "since" => value.since = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// How current the rows of a namespace are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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

impl FromJson for NamespaceState {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        match &*reader.text() {
            "syncing" => Self::Syncing,
            "live" => Self::Live,
            "retrying" => Self::Retrying,
            "forbidden" => Self::Forbidden,
            _ => {
                reader.fail("not a state that is known");
                Self::Syncing
            }
        }
    }
}

/// Data of `heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// The server's time, RFC 3339.
    pub time: String,
}

impl FromJson for Heartbeat {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut value = Self {
            time: String::new(),
        };
        reader.object(&["time"]);
        while let Some(name) = reader.member() {
            match name {
                "time" => value.time = reader.read(),
                _ => reader.skip(),
            }
        }
        value
    }
}

/// A message could not be read.
#[derive(Debug, thiserror::Error)]
#[error("not a message of the stream: {0}")]
pub struct DecodeError(#[from] json::Error);

impl Message {
    /// The message in the data of one event; `None` for a type that this build does not know,
    /// which a client ignores.
    pub fn decode(data: &str) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(data.as_bytes());
        let (mut kind, mut data) = (String::new(), &b"null"[..]);
        reader.object(&["type"]);
        while let Some(name) = reader.member() {
            match name {
                "type" => kind = reader.read(),
                "data" => data = reader.raw(),
                _ => reader.skip(),
            }
        }
        reader.end()?;
        // The type may come last.
        let mut reader = Reader::new(data);
        let message = match &*kind {
            "ingressAdded" => Self::IngressAdded(reader.read()),
            "ingressModified" => Self::IngressModified(reader.read()),
            "ingressDeleted" => Self::IngressDeleted(reader.read()),
            "error" => Self::Error(reader.read()),
            "done" => Self::Done(reader.read()),
            "reset" => Self::Reset(reader.read()),
            "synced" => Self::Synced(reader.read()),
            "namespaceStatus" => Self::NamespaceStatus(reader.read()),
            "heartbeat" => Self::Heartbeat(reader.read()),
            _ => return Ok(None),
        };
        reader.end()?;
        Ok(Some(message))
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
