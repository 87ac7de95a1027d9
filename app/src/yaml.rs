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

/// How long an object is waited for, in milliseconds: the server itself gives up after 10 s.
#[cfg(feature = "hydrate")]
const WAIT_MS: u64 = 15_000;

/// Reads the object as YAML; else why it could not be read, in words.
#[cfg(feature = "hydrate")]
pub async fn read(key: protocol::Key) -> Result<String, String> {
    use std::cell::Cell;
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Poll, Waker};
    use std::time::Duration;

    let mut answer = pin!(ingress_yaml(key.namespace, key.name));
    let (late, waiting) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(None::<Waker>)));
    let (end, wake) = (Rc::clone(&late), Rc::clone(&waiting));
    let timer = set_timeout_with_handle(
        move || {
            end.set(true);
            if let Some(waker) = wake.take() {
                waker.wake();
            }
        },
        Duration::from_millis(WAIT_MS),
    );
    let text = poll_fn(|context| {
        if let Poll::Ready(answer) = answer.as_mut().poll(context) {
            return Poll::Ready(answer.map_err(|error| match error {
                ServerFnError::ServerError(message) => message,
                _ => "The server could not be reached.".into(),
            }));
        }
        if late.get() {
            let seconds = WAIT_MS / 1_000;
            return Poll::Ready(Err(format!(
                "The server did not answer within {seconds} s."
            )));
        }
        waiting.set(Some(context.waker().clone()));
        Poll::Pending
    });
    let text = text.await;
    if let Ok(timer) = timer {
        timer.clear();
    }
    text
}
