//! Work over many rows, and of pages: on threads of its own and few at a time, so that streams and
//! probes are served meanwhile, however many ask for it.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::problem::Problem;

/// A request without a turn by then is refused: no client waits any longer for an answer.
const WAIT: Duration = Duration::from_secs(10);

/// Turns to work. Half of the processors are left to the streams.
#[derive(Debug)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((processors / 2).max(1))))
    }
}

impl Turns {
    /// Works on a thread for work that takes long, once it is its turn; 503 where that takes too
    /// long. Work that has begun is done, also where nobody waits for it any more.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = timeout(WAIT, self.0.clone().acquire_owned());
        let turn = turn.await.map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many pages, lists and searches are asked for at once: try again later",
            )
            .retry_after(5)
        })?;
        let turn = turn.expect("the semaphore is never closed");
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            step_back();
            work()
        });
        Ok(work.await.expect("work over rows does not panic"))
    }
}

/// How far these threads stand back, as a nice value: the scheduler gives the streams ten times as
/// much where both want a processor.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of this thread. Nothing else runs on the threads for work that takes long, so
/// it stays low. On Linux alone a thread has a priority of its own ([setpriority(2)]).
///
/// [setpriority(2)]: https://man7.org/linux/man-pages/man2/setpriority.2.html
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "work over rows keeps its priority");
    }
}

#[cfg(test)]
mod tests;
