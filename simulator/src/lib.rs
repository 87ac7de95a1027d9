//! A Kubernetes API server in memory.
//!
//! [`Cluster::router`] answers as kube-apiserver does for namespaces and `networking.k8s.io/v1`
//! ingresses: discovery, list (paged, selected, consistent), watch (resource versions, bookmarks,
//! compaction), get, create, update, merge patch and delete, and access reviews. Hand the router to
//! `kube::Client::new`, or serve it on a port for `kubectl`.
//!
//! [`Settings`] make a lifelike cluster from a seed, and [`Cluster::churn`] keeps it changing.
//! Tests reach past HTTP: [`Cluster::apply`], [`Cluster::delete`], [`Cluster::compact`],
//! [`Cluster::restore`], [`Cluster::rules`] and [`Cluster::faults`].
//!
//! # Control over HTTP
//!
//! Tests in another process use these paths, which no Kubernetes API has:
//!
//! | request | effect |
//! |---|---|
//! | `GET /simulator/faults` | the faults in force |
//! | `POST /simulator/faults` | adds one [`Fault`], e.g. `{"operation":"watch","resource":"ingresses","count":1,"effect":"status","status":429,"retryAfter":2}`, or `{"effect":"stall"}` |
//! | `DELETE /simulator/faults` | ends all faults |
//! | `GET /simulator/rules` | the access rules |
//! | `POST /simulator/rules` | replaces them by a list of [`Rule`]s, e.g. `[{"decision":"deny","verb":"list","resource":"namespaces"}]` |
//! | `POST /simulator/drop-watches` | breaks every open watch |
//! | `POST /simulator/compact` | [`Cluster::compact`] |
//! | `POST /simulator/restore` | [`Cluster::restore`] to `{"resourceVersion":123}` |
//! | `GET /simulator/requests` | `{"requests":`[`Requests`]`,"openWatches":3}` |

mod access;
mod churn;
mod cluster;
mod content;
mod counters;
mod failure;
mod faults;
mod random;
mod resource;
mod routes;
mod selector;
mod store;

pub use access::{Decision, Rule, Rules, USER};
pub use cluster::{Cluster, Settings};
pub use counters::Requests;
pub use faults::{Effect, Fault, Faults, Operation};
