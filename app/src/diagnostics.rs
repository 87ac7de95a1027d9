//! The server function that gives a page the process's own figures.

#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]
#![allow(
    clippy::unused_async_trait_impl,
    reason = "in the browser the macro leaves an async function without a body"
)]

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::server_fn::codec::Post;

use crate::codec::{Answer, Form, Refusal, ToForm};

/// The samples of `/metrics` with their labels, and their values:
/// `POST {BASE_PATH}/api/fn/diagnostics`.
#[server(prefix = "/api/fn", endpoint = "diagnostics", input = Post<Form>, output = Post<Answer>)]
#[allow(
    clippy::unused_async,
    reason = "a server function is asynchronous in the browser"
)]
pub async fn diagnostics() -> Result<BTreeMap<String, f64>, Refusal> {
    let backend = use_context::<std::sync::Arc<dyn crate::backend::Backend>>()
        .ok_or_else(|| Refusal::new("the server has not finished starting".into()))?;
    Ok(backend.diagnostics())
}

impl ToForm for Diagnostics {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }
}
