//! The order of a shutdown: readiness fails, a delay passes so that no new client is sent here,
//! the streams are told one after the other, the process ends. A second signal ends it at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::info;

/// The stages, as tokens that everyone may wait for.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Readiness fails.
    pub leaving: CancellationToken,
    /// Streams end.
    pub draining: CancellationToken,
    /// Over how long the streams end, so that clients do not all move at once.
    pub drain_time: Duration,
}

impl Shutdown {
    /// Goes through the stages after the first signal.
    pub async fn on_signal(&self, delay: Duration) {
        signal().await;
        info!(
            delay_s = delay.as_secs(),
            "shutting down: not ready any more"
        );
        self.leaving.cancel();
        tokio::spawn(async {
            signal().await;
            info!("second signal: ending at once");
            std::process::exit(130);
        });
        tokio::time::sleep(delay).await;
        info!(drain_s = self.drain_time.as_secs(), "closing streams");
        self.draining.cancel();
    }
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => {
                let _ = interrupt.await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
