//! The order of a shutdown: readiness fails, a delay passes so that no new client is sent here,
//! the streams are told one after the other, the process ends. A second signal ends it at once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::telemetry;

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

/// The signals that ask the process to end. Caught from here on, not from the first wait on.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one; returns the exit code by which shells know an end by this signal.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        128 + kind.as_raw_value()
    }
}

impl Shutdown {
    /// Goes through the stages after the first signal.
    pub async fn on_signal(&self, mut signals: Signals, delay: Duration) {
        signals.next().await;
        info!(
            delay_s = delay.as_secs(),
            "shutting down: not ready any more"
        );
        self.leaving.cancel();
        tokio::spawn(async move {
            let code = signals.next().await;
            info!("second signal: ending at once");
            telemetry::flush();
            std::process::exit(code);
        });
        tokio::time::sleep(delay).await;
        info!(drain_s = self.drain_time.as_secs(), "closing streams");
        self.draining.cancel();
    }
}
