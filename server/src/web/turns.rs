//! Work over many rows, and of pages: on threads of its own and few at a time, so that streams and
//! probes are served meanwhile, however many ask for it.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::problem::Problem;

/// Who has no turn by then is refused: an answer that comes later is not waited for any more.
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
            work()
        });
        Ok(work.await.expect("work over rows does not panic"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn one() -> Turns {
        Turns(Arc::new(Semaphore::new(1)))
    }

    #[tokio::test]
    async fn work_waits_for_its_turn() {
        let turns = one();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
        let work = (0..20).map(|number| {
            let (now, most) = (now.clone(), most.clone());
            turns.work(move || {
                let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
                let mut most = most.lock().unwrap();
                *most = at_once.max(*most);
                drop(most);
                now.fetch_sub(1, Ordering::SeqCst);
                number
            })
        });
        let done = futures::future::join_all(work).await;
        let done: Vec<_> = done.into_iter().map(|done| done.ok().unwrap()).collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(*most.lock().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_does_not_come_is_a_refusal() {
        let turns = one();
        let held = turns.0.clone().acquire_owned().await.unwrap();
        let problem = turns.work(|| ()).await.err().unwrap();
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
        assert!(turns.work(|| ()).await.is_ok());
    }
}
