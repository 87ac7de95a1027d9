//! The server function behind the YAML tab.

#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]
#![allow(
    clippy::unused_async_trait_impl,
    reason = "in the browser the macro leaves an async function without a body"
)]

use leptos::prelude::*;
use leptos::server_fn::codec::Post;

use crate::codec::{Answer, Form, Refusal, ToForm};

/// The object as YAML: `POST {BASE_PATH}/api/fn/ingress_yaml`. The path is fixed, so that a page
/// that was loaded before a deployment still finds it after.
#[server(prefix = "/api/fn", endpoint = "ingress_yaml", input = Post<Form>, output = Post<Answer>)]
pub async fn ingress_yaml(namespace: String, name: String) -> Result<String, Refusal> {
    let backend = use_context::<std::sync::Arc<dyn crate::backend::Backend>>()
        .ok_or_else(|| Refusal::new("the server has not finished starting".into()))?;
    backend
        .yaml(&namespace, &name)
        .await
        .map_err(|error| Refusal::new(error.to_string()))
}

impl ToForm for IngressYaml {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        vec![("namespace", &self.namespace), ("name", &self.name)]
    }
}

/// Reads the object as YAML; else why it could not be read, in words.
#[cfg(target_arch = "wasm32")]
pub async fn read(key: protocol::Key) -> Result<String, String> {
    crate::codec::answer(ingress_yaml(key.namespace, key.name)).await
}
