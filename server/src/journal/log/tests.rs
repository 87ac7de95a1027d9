use super::*;

fn row(namespace: &str, name: &str) -> Arc<Row> {
    Arc::new(Row::from(protocol::Ingress {
        namespace: namespace.into(),
        name: name.into(),
        ..protocol::Ingress::default()
    }))
}

fn of(names: &[&str]) -> Scope {
    Scope::Namespaces(names.iter().map(ToString::to_string).collect())
}

/// Three rows of `a` and one of `b`, in turns.
fn log() -> Log {
    let mut log = Log::default();
    for (namespace, name) in [("a", "one"), ("b", "one"), ("a", "two"), ("a", "three")] {
        log.upsert(row(namespace, name), Instant::now());
    }
    log
}

fn revisions(log: &Log, scope: &Scope, at: u64, limit: usize) -> (Vec<u64>, u64, bool) {
    let above = log.above(scope, Revision(at), limit);
    let revisions = above.entries.iter().map(|(revision, _)| revision.0);
    (revisions.collect(), above.after.0, above.complete)
}

#[test]
fn a_row_is_there_once_at_its_newest_revision() {
    let mut log = log();
    assert_eq!(
        revisions(&log, &Scope::All, 0, 1 << 20),
        (vec![1, 2, 3, 4], 4, true)
    );
    log.upsert(row("a", "one"), Instant::now());
    assert_eq!(
        revisions(&log, &of(&["a"]), 0, 1 << 20),
        (vec![3, 4, 5], 5, true)
    );
    assert_eq!(revisions(&log, &of(&["b"]), 0, 1 << 20), (vec![2], 5, true));
    assert_eq!(revisions(&log, &of(&["a", "b"]), 3, 1), (vec![4], 4, false));
    assert_eq!(revisions(&log, &of(&[]), 0, 1), (vec![], 5, true));
    assert_eq!((log.count(&Scope::All), log.rows_in("a")), (4, 3));
}

#[test]
fn a_namespace_that_is_dropped_with_rows_voids_the_cursors_of_its_scopes() {
    let mut log = log();
    log.forget("a");
    assert_eq!(log.floor(&of(&["a"])), Revision(5));
    assert_eq!(log.floor(&Scope::All), Revision(5));
    assert_eq!(log.floor(&of(&["b"])), Revision(0));
    assert_eq!((log.count(&Scope::All), log.by_name.len()), (1, 1));
    // One whose rows were all deleted voids only what is older than the last delete.
    assert!(log.delete(&Key::new("b", "one"), Instant::now()).is_some());
    assert!(log.delete(&Key::new("b", "one"), Instant::now()).is_none());
    log.forget("b");
    assert_eq!(log.floor(&of(&["b"])), Revision(6));
    assert_eq!(log.revision, Revision(6));
}

#[test]
fn the_floor_rises_to_the_tombstone_that_goes() {
    let mut log = log();
    log.delete(&Key::new("a", "one"), Instant::now());
    log.drop_oldest_tombstone();
    assert_eq!(log.floor(&of(&["a"])), Revision(5));
    assert_eq!(log.floor(&of(&["b"])), Revision(0));
    assert_eq!(log.revision_of(&Key::new("a", "one")), Revision(0));
    assert_eq!(
        revisions(&log, &Scope::All, 0, 1 << 20),
        (vec![2, 3, 4], 5, true)
    );
}

#[test]
fn a_base_follows_complete_writes_only() {
    let cursor = Cursor::at(Revision(3)).after(Revision(5), false);
    assert_eq!((cursor.at, cursor.base), (Revision(5), Revision(3)));
    let cursor = cursor.after(Revision(9), true);
    assert_eq!(
        (cursor.at, cursor.base, cursor.replay),
        (Revision(9), Revision(9), None)
    );
    let replay = Cursor::replay(Revision(4)).after(Revision(6), true);
    assert_eq!(replay.replay, Some(Revision(4)));
}
