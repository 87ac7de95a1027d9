//! The server function behind the YAML tab.

#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]
#![allow(
    clippy::unused_async_trait_impl,
    reason = "in the browser the macro leaves an async function without a body"
)]

use leptos::prelude::*;
use leptos::server_fn::codec::Post;

use crate::codec::{Answer, Form, ToForm};

/// The object as YAML: `POST {BASE_PATH}/api/fn/ingress_yaml`. The path is fixed, so that a page
/// that was loaded before a deployment still finds it after.
#[server(prefix = "/api/fn", endpoint = "ingress_yaml", input = Post<Form>, output = Post<Answer>)]
pub async fn ingress_yaml(namespace: String, name: String) -> Result<String, ServerFnError> {
    let backend = use_context::<std::sync::Arc<dyn crate::backend::Backend>>()
        .ok_or_else(|| ServerFnError::new("the server has not finished starting"))?;
    backend
        .yaml(&namespace, &name)
        .await
        .map_err(|error| ServerFnError::new(error.to_string()))
}

impl ToForm for IngressYaml {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        vec![("namespace", &self.namespace), ("name", &self.name)]
    }
}

/// Why an object could not be read, in words.
#[cfg(feature = "hydrate")]
#[must_use]
pub fn words(error: ServerFnError) -> String {
    match error {
        ServerFnError::ServerError(message) => message,
        _ => "The server could not be reached.".into(),
    }
}
