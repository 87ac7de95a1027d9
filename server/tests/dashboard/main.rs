//! The built dashboard in front of a Kubernetes API: the simulator, and a real API server where
//! there is one.
//!
//! Scenarios that hold for both are written once and run against both (`scenarios!`), with the same
//! expectations. The tests with the real one have `real_cluster` in their path.

// A panic is how a test fails, in what tests share too.
#![allow(clippy::unwrap_used)]

mod access;
mod bad_input;
mod documents;
mod faults;
mod hostile;
mod limits;
mod many_rows;
mod metrics;
mod outage;
mod process;
mod resume;
mod safety;
mod stream;
