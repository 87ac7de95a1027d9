//! `testkit::fuzzing::scope` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzzing::scope(bytes));
