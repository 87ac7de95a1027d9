use super::*;

#[test]
fn the_sums_of_all_binaries_are_added() {
    let mut output = Output::default();
    for line in [
        "test journal::tests::a_delete_is_kept ... ok",
        "test feed::tests::it_lists_again ... FAILED",
        "test slow ... ignored, takes an hour",
        "test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s",
        "test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
    ] {
        output.read(line);
    }
    assert_eq!(output.outcome.to_string(), "13 passed, 1 failed, 1 skipped");
    assert_eq!(
        output.outcome.notes,
        [
            "failed feed::tests::it_lists_again",
            "skipped slow: ignored, takes an hour"
        ]
    );
}

#[test]
fn listed_tests_are_counted_without_the_sums_of_the_list() {
    let mut output = Output::default();
    for line in [
        "stream::real_cluster::resumes: test",
        "stream::real_cluster::lists: test",
        "",
        "2 tests, 0 benchmarks",
    ] {
        output.read(line);
    }
    assert_eq!(output.listed, 2);
}

#[test]
fn a_test_that_skips_itself_has_not_passed() {
    let file = target().join("skipped-tests-of-a-test");
    fs::write(&file, "stream::real_cluster::resumes: no etcd\n").unwrap();
    let mut outcome = Outcome {
        passed: 4,
        ..Outcome::default()
    };
    note_skipped(&mut outcome, &file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(outcome.to_string(), "3 passed, 0 failed, 1 skipped");
    assert_eq!(
        outcome.notes,
        ["skipped stream::real_cluster::resumes: no etcd"]
    );
}
