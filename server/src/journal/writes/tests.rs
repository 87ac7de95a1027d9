use super::*;

fn write(to: u64, complete: bool, size: usize) -> Write {
    Write {
        bytes: vec![b'x'; size].into(),
        cursor: Cursor::at(Revision(to)),
        complete,
        received: None,
        messages: 1,
    }
}

fn position(scope: u64, at: u64, limit: usize) -> Position {
    (scope, Revision(at), Revision(at), limit)
}

#[test]
fn a_write_is_shared_until_there_is_more_to_tell() {
    let mut shared = SharedWrites::default();
    shared.insert(position(1, 5, 9), write(7, true, 1));
    assert!(shared.get(position(1, 5, 9), Revision(7)).is_some());
    assert!(shared.get(position(1, 5, 9), Revision(8)).is_none());
    for other in [position(2, 5, 9), position(1, 4, 9), position(1, 5, 8)] {
        assert!(shared.get(other, Revision(7)).is_none(), "{other:?}");
    }
    // One that is cut short leads to no newest revision anyway.
    shared.insert(position(1, 5, 9), write(6, false, 1));
    assert!(shared.get(position(1, 5, 9), Revision(8)).is_some());
    assert_eq!((shared.writes.len(), shared.bytes), (1, 1));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut shared = SharedWrites::default();
    for at in 0..200 {
        shared.insert(position(1, at, 9), write(at + 1, true, 10));
    }
    assert_eq!((shared.writes.len(), shared.bytes), (64, 640));
    shared.insert(position(1, 900, 9), write(901, true, 2 << 20));
    assert_eq!((shared.writes.len(), shared.bytes), (0, 0));
}
