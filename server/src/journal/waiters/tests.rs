use futures::FutureExt;

use super::*;

fn is_woken(waiter: &Notify) -> bool {
    waiter.notified().now_or_never().is_some()
}

#[test]
fn who_waits_for_a_namespace_is_woken_for_it_alone() {
    let mut waiters = Waiters::default();
    let scopes = [
        Scope::All,
        Scope::Namespaces(["a".into()].into()),
        Scope::Namespaces(["b".into()].into()),
        Scope::Namespaces([].into()),
    ];
    let woken: [Arc<Notify>; 4] = Default::default();
    let ids = [0, 1, 2, 3].map(|place| waiters.join(&scopes[place], &woken[place]));
    let heard = || woken.each_ref().map(|waiter| is_woken(waiter));

    assert_eq!((waiters.wake([]), heard()), (0, [false; 4]));
    assert_eq!(waiters.wake(["a"]), 2);
    assert_eq!(heard(), [true, true, false, false]);
    waiters.wake_all();
    assert_eq!(heard(), [true, true, true, false]);

    waiters.leave(&scopes[1], ids[1]);
    assert_eq!(waiters.wake(["a"]), 1);
    assert_eq!(heard(), [true, false, false, false]);
    for (scope, id) in scopes.iter().zip(ids) {
        waiters.leave(scope, id);
    }
    assert!(waiters.of_all.is_empty() && waiters.of_one.is_empty());
}
