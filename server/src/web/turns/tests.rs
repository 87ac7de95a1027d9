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
