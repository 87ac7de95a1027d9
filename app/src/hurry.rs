//! The server function behind "Try now".

#![allow(missing_docs, reason = "the macro makes a struct of the arguments")]
#![allow(
    clippy::unused_async_trait_impl,
    reason = "in the browser the macro leaves an async function without a body"
)]

use leptos::prelude::*;
use leptos::server_fn::codec::Post;

use crate::codec::{Answer, Form, Refusal, ToForm};

/// Has the server try at once what it is waiting with: `POST {BASE_PATH}/api/fn/try_now`. Returns
/// whether it does: so soon after another early try, of whomever, it does not.
#[server(prefix = "/api/fn", endpoint = "try_now", input = Post<Form>, output = Post<Answer>)]
#[allow(
    clippy::unused_async,
    reason = "a server function is asynchronous in the browser"
)]
pub async fn try_now() -> Result<bool, Refusal> {
    let backend = use_context::<std::sync::Arc<dyn crate::backend::Backend>>()
        .ok_or_else(|| Refusal::new("the server has not finished starting".into()))?;
    Ok(backend.try_now())
}

impl ToForm for TryNow {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }
}
