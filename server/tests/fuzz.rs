//! The fuzz targets without a fuzzer: the corpus and some thousand changes of it, the same each
//! time. `cargo xtask fuzz` looks further.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use fastrand::Rng;
use serde_json::Value;
use testkit::fuzzing;

const CHANGES: u64 = 20_000;

/// What parsers trip over.
const TOKENS: [&str; 24] = [
    "\r",
    "\n",
    "\r\n",
    "\0",
    ":",
    ",",
    ".",
    "-",
    "+",
    "0",
    "ffffffffffffffff",
    "\u{feff}",
    "ä",
    "\u{fffd}",
    "data: ",
    "id: ",
    "id",
    "retry: 99999999999999999999",
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1e999",
    "\\ud800",
];

/// Values that an object may have in place of another.
const VALUES: [&str; 10] = [
    "null",
    "0",
    "-1",
    "1e300",
    "true",
    "\"\"",
    "\"9999-12-31T23:59:60Z\"",
    "[]",
    "{}",
    "[null]",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let files = fs::read_dir(&folder).expect("the corpus is in the tree");
    let mut files: Vec<_> = files
        .map(|file| file.expect("it is readable").path())
        .collect();
    files.sort();
    let read = |file| fs::read(file).expect("it is readable");
    files.iter().map(read).collect()
}

/// Runs a target on its corpus and on changes of it. A panic names the input that it came of.
fn run(target: &str, check: fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let mut rng = Rng::with_seed(0);
    let changed = (0..CHANGES).map(|_| change(&corpus, &mut rng));
    for input in corpus.iter().cloned().chain(changed) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            eprintln!("{target} fails for {}", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

fn change(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = corpus[rng.usize(..corpus.len())].clone();
    for _ in 0..rng.u8(1..6) {
        match rng.u8(..4) {
            0 => change_bytes(&mut input, rng),
            1 => {
                let token = TOKENS[rng.usize(..TOKENS.len())].as_bytes();
                let at = rng.usize(..=input.len());
                input.splice(at..at, token.iter().copied());
            }
            2 => {
                let other = &corpus[rng.usize(..corpus.len())];
                let (at, from) = (rng.usize(..=input.len()), rng.usize(..=other.len()));
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => change_values(&mut input, rng),
        }
    }
    input
}

/// Turns a bit, takes a part out or repeats it.
fn change_bytes(input: &mut Vec<u8>, rng: &mut Rng) {
    if input.is_empty() {
        return;
    }
    let from = rng.usize(..input.len());
    let to = rng.usize(from..=input.len().min(from + 40));
    match rng.u8(..3) {
        0 => input[from] ^= 1 << rng.u8(..8),
        1 => drop(input.drain(from..to)),
        _ => {
            let part = input[from..to].to_vec();
            input.splice(to..to, part);
        }
    }
}

/// Puts another value somewhere into a line that is JSON.
fn change_values(input: &mut Vec<u8>, rng: &mut Rng) {
    let text = String::from_utf8_lossy(input).into_owned();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return;
    }
    let line = rng.usize(..lines.len());
    let Ok(mut value) = serde_json::from_str::<Value>(&lines[line]) else {
        return;
    };
    *somewhere(&mut value, rng) =
        serde_json::from_str(VALUES[rng.usize(..VALUES.len())]).expect("these are JSON");
    lines[line] = value.to_string();
    *input = lines.join("\n").into_bytes();
}

/// The value itself or one in it.
fn somewhere<'v>(value: &'v mut Value, rng: &mut Rng) -> &'v mut Value {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if count == 0 || rng.u8(..6) == 0 {
        return value;
    }
    let inner = rng.usize(..count);
    let inner = match value {
        Value::Array(items) => items.get_mut(inner),
        Value::Object(fields) => fields.values_mut().nth(inner),
        _ => None,
    };
    somewhere(inner.expect("it is below the count"), rng)
}

#[test]
fn a_scope_is_written_as_it_is_read() {
    run("scope", fuzzing::scope);
}

#[test]
fn only_an_id_that_was_given_out_is_gone_on_from() {
    run("id", fuzzing::id);
}

#[test]
fn events_are_those_of_the_standard_however_the_stream_is_cut() {
    run("sse", fuzzing::sse);
}

#[test]
fn what_becomes_a_row_is_one_for_clients() {
    run("row", fuzzing::row);
}

#[test]
fn what_a_client_decodes_is_what_its_table_holds() {
    run("message", fuzzing::message);
}
