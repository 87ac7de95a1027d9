//! The pulse: one small request every few seconds, whatever the number of feeds.
//!
//! A watch of a cluster where nothing changes is silent for about a minute, so a connection that
//! nobody answers any more (a stopped process, a dropped route) looks like peace. The pulse notices
//! within [`INTERVAL`] and two requests; each feed then asks for itself.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use super::api::{Api, ApiError};
use super::backoff::jittered;

/// Time between two requests.
const INTERVAL: Duration = Duration::from_secs(5);
/// The answer is a few bytes from memory.
const LIMIT: Duration = Duration::from_secs(5);

/// Says to every feed that the API server has gone silent.
#[derive(Debug)]
pub struct Silence(watch::Receiver<Option<ApiError>>);

impl Silence {
    /// Hears of what comes from now on.
    #[must_use]
    pub fn listen(&self) -> Self {
        let mut receiver = self.0.clone();
        receiver.mark_unchanged();
        Self(receiver)
    }

    /// Waits until the API server does not answer; for ever without a pulse.
    pub async fn next(&mut self) -> ApiError {
        loop {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if let Some(error) = self.0.borrow_and_update().clone() {
                return error;
            }
        }
    }
}

/// What feels the pulse, and what hears of it.
#[must_use]
pub fn channel() -> (watch::Sender<Option<ApiError>>, Silence) {
    let (sender, receiver) = watch::channel(None);
    (sender, Silence(receiver))
}

/// Asks until dropped. Any answer is one, also a refusal: what it means is the feeds' affair.
pub async fn run(api: Api, silent: watch::Sender<Option<ApiError>>) {
    loop {
        sleep(jittered(INTERVAL)).await;
        // Behind a load balancer one of several API servers may be down: one failure is none.
        if ask(&api).await.is_ok() {
            continue;
        }
        if let Err(error) = ask(&api).await {
            warn!(error = %error, "the API server is silent");
            silent.send_replace(Some(error));
        }
    }
}

async fn ask(api: &Api) -> Result<(), ApiError> {
    match api.version(LIMIT).await {
        Err(
            error @ (ApiError::Unreachable { .. }
            | ApiError::Untrusted { .. }
            | ApiError::Timeout { .. }),
        ) => Err(error),
        _ => Ok(()),
    }
}
