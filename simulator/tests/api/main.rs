//! The simulated API as its clients see it: through `kube::Client`, and request by request.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod control;
mod faults;
mod http;
mod lists;
mod watches;
mod writes;
