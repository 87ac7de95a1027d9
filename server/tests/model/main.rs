//! The whole server against a model: random changes, faults, permissions, restarts and clients, in
//! paused time. At every quiet point each client's table, built from nothing but its bytes, is the
//! API server's list for its scope, and no client ever sees a row that never existed.
//!
//! An episode is a seed and so many operations, and runs the same way each time:
//!
//!     KUBE_INGRESS_DASH_MODEL_SEED=7 cargo test -p kube-ingress-dash --test model
//!
//! `KUBE_INGRESS_DASH_MODEL_OPERATIONS` makes a longer run, of as many seeds as that takes.

// A panic is how a test fails, in what tests share too.
#![allow(clippy::unwrap_used)]

mod client;
mod connections;
mod real;
mod turns;
mod world;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fmt, thread};

use protocol::{Ingress, Scope};

use crate::world::World;

const OPERATIONS: u64 = 100_000;
const PER_EPISODE: u64 = 2_000;

/// How often what the model is about was met: a run that meets nothing proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    operations: u64,
    quiet_points: u64,
    resumes: u64,
    catch_ups: u64,
    waits: u64,
    floors: u64,
    pendings: u64,
    mode_changes: u64,
    relist_deletes: u64,
    restores: u64,
    /// Every row that ever existed in this episode.
    existed: HashSet<(String, String)>,
}

impl Coverage {
    fn exists(&self, row: &Ingress, scope: &Scope) {
        assert!(
            scope.contains(&row.namespace),
            "{row:?} is of another scope"
        );
        let row = client::named(row);
        assert!(self.existed.contains(&row), "{row:?} never existed");
    }

    fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.quiet_points += other.quiet_points;
        self.resumes += other.resumes;
        self.catch_ups += other.catch_ups;
        self.waits += other.waits;
        self.floors += other.floors;
        self.pendings += other.pendings;
        self.mode_changes += other.mode_changes;
        self.relist_deletes += other.relist_deletes;
        self.restores += other.restores;
    }

    fn counts(&self) -> [(&'static str, u64); 10] {
        [
            ("operations", self.operations),
            ("quiet points", self.quiet_points),
            ("resumes without reset", self.resumes),
            ("deletes found by relist", self.relist_deletes),
            ("catch-ups", self.catch_ups),
            ("waits for a replay", self.waits),
            ("floors", self.floors),
            ("pendings", self.pendings),
            ("mode changes", self.mode_changes),
            ("restores", self.restores),
        ]
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.counts() {
            write!(f, "{count} {what}, ")?;
        }
        Ok(())
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is {text:?}: allowed is a whole number")),
    )
}

/// One seed, in a runtime of its own whose time stands still unless everybody waits.
fn episode(seed: u64) -> Coverage {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { World::new(seed).run(PER_EPISODE).await })
}

#[test]
fn at_every_quiet_point_each_table_is_the_api_servers_list() {
    let one = number("KUBE_INGRESS_DASH_MODEL_SEED");
    let operations = number("KUBE_INGRESS_DASH_MODEL_OPERATIONS").unwrap_or(OPERATIONS);
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..operations.div_ceil(PER_EPISODE),
    };
    if one.is_some() {
        // What happened, in order: RUST_LOG=debug
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .without_time()
            .init();
    }
    let total = Mutex::new(Coverage::default());
    let next = AtomicU64::new(seeds.start);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| episode(seed))) {
                Ok(met) => total.lock().expect("adding does not panic").add(&met),
                Err(panic) => {
                    eprintln!("seed {seed} fails; again with KUBE_INGRESS_DASH_MODEL_SEED={seed}");
                    resume_unwind(panic)
                }
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
            .map(|_| scope.spawn(work))
            .collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let total = total.into_inner().expect("adding does not panic");
    println!("{total}seeds {seeds:?}");
    for (what, count) in total.counts() {
        assert!(count > 0 || one.is_some(), "the model met no {what}");
    }
}
