use super::*;

const LIFE: Duration = Duration::from_secs(300);

fn status(code: u16) -> ApiError {
    ApiError::Status {
        url: String::new(),
        code,
        message: String::new(),
        retry_after: None,
    }
}

/// A watch from version 10.
fn course(version: u64, seconds: u64) -> Course {
    Course {
        from: 10,
        version,
        lived: Duration::from_secs(seconds),
        life: LIFE,
    }
}

fn next(course: Course, end: End, doubtful: bool) -> String {
    match after(&course, end, doubtful, "") {
        Ok(Step::List) => "list".into(),
        Ok(Step::Watch { from, broken }) => format!("watch {from} {broken}"),
        Err(Failure::Retry(_)) => "retry".into(),
        Err(Failure::Resume(from, _)) => format!("resume {from}"),
        Err(Failure::Relist(_)) => "relist".into(),
    }
}

#[test]
fn what_comes_after_a_watch() {
    let (closed, broken) = (|| End::Closed, || End::Broken(status(0)));
    let (silent, lost) = (|| End::Silent(status(0)), || End::Lost(status(410)));
    for (course, end, doubtful, expected) in [
        (course(12, 300), closed(), false, "watch 12 false"),
        (course(12, 60), closed(), false, "watch 12 true"),
        (course(10, 0), closed(), false, "watch 10 true"),
        (course(10, 0), closed(), true, "relist"),
        (course(11, 0), closed(), true, "watch 11 true"),
        (course(10, 5), closed(), true, "watch 10 true"),
        (course(12, 0), broken(), false, "watch 12 true"),
        (course(10, 9), broken(), false, "watch 10 true"),
        (course(10, 0), broken(), false, "retry"),
        (course(10, 0), broken(), true, "relist"),
        (course(12, 0), silent(), false, "resume 12"),
        (course(12, 300), lost(), false, "relist"),
    ] {
        let said = format!("{course:?} {end:?} {doubtful}");
        assert_eq!(next(course, end, doubtful), expected, "{said}");
    }
}

#[test]
fn what_comes_after_a_failure() {
    let (list, watch) = (
        Step::List,
        Step::Watch {
            from: 7,
            broken: false,
        },
    );
    for (step, failure, expected) in [
        (list, Failure::Retry(status(500)), "List"),
        (
            watch,
            Failure::Retry(status(500)),
            "Watch { from: 7, broken: true }",
        ),
        (
            watch,
            Failure::Resume(9, status(0)),
            "Watch { from: 9, broken: true }",
        ),
        (
            list,
            Failure::Resume(9, status(0)),
            "Watch { from: 9, broken: true }",
        ),
        (watch, Failure::Relist(status(410)), "List"),
    ] {
        assert_eq!(format!("{:?}", step.after_failure(failure).0), expected);
    }
}

#[test]
fn a_short_life_is_settled_at_its_half() {
    let course = Course {
        life: Duration::from_secs(5),
        ..course(10, 4)
    };
    assert!(course.has_settled());
}

/// The pauses after watches that ended like this, one after the other.
fn pauses(course: Course, end: &End, error: &ApiError) -> Vec<u128> {
    let mut record = Record::default();
    let pause = |_| {
        record.watched(&course, end);
        record.delay(error).as_millis()
    };
    (0..8).map(pause).collect()
}

#[test]
fn lists_that_lead_nowhere_become_rare() {
    let gone = status(410);
    let lost = End::Lost(gone.clone());
    let grows = [0, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
    assert_eq!(pauses(course(10, 0), &lost, &gone), grows);
    // Nor is one change per list enough.
    assert_eq!(pauses(course(11, 0), &lost, &gone), grows);
    // After a watch that was good the list comes at once.
    assert_eq!(pauses(course(10, 60), &lost, &gone), [0; 8]);
}

#[test]
fn watches_with_nothing_in_them_are_doubted_until_one_is_good() {
    let mut record = Record::default();
    let mut doubt = |course, end| {
        record.watched(&course, &end);
        record.is_doubtful()
    };
    assert!(!doubt(course(10, 0), End::Closed));
    assert!(doubt(course(10, 0), End::Closed));
    assert!(doubt(course(10, 0), End::Lost(status(410))));
    assert!(!doubt(course(11, 0), End::Closed));
    doubt(course(10, 0), End::Closed);
    assert!(doubt(course(10, 1), End::Broken(status(0))));
    assert!(!doubt(course(10, 5), End::Closed));
}
