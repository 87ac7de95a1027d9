//! What both ends of the dashboard share: the ingress row, the stream's messages and their
//! `text/event-stream` framing, the choice of namespaces, the client's connection as a state
//! machine, what the tabs of a browser share, and the client's copy of the table.
//!
//! Pure code: no I/O, no async, no clock. Time and randomness come in as arguments, so the
//! browser, the load generator and the tests drive the same code.

pub mod columns;
pub mod connection;
pub mod document;
pub mod filter;
pub mod ingress;
pub mod json;
pub mod message;
pub mod scope;
pub mod sse;
pub mod store;
pub mod table;
pub mod tabs;
pub mod tls;
pub mod view;

pub use document::{DocumentReader, IngressDocument, NamespaceDocument, NamespaceSummary};
pub use ingress::{Ingress, Key, Kind};
pub use message::Message;
pub use scope::Scope;
