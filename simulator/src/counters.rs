//! What has been asked of the simulator: tests prove with it that watches are shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::faults::Operation;

/// Requests since the start, refused ones included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Requests {
    /// Lists; each page counts.
    pub lists: u64,
    /// Watches.
    pub watches: u64,
    /// Gets of one object.
    pub gets: u64,
    /// Creates.
    pub creates: u64,
    /// Updates (PUT).
    pub updates: u64,
    /// Patches.
    pub patches: u64,
    /// Deletes, also of collections.
    pub deletes: u64,
    /// Access reviews and reviews of oneself.
    pub reviews: u64,
    /// Discovery, version, health and `OpenAPI` documents.
    pub discovery: u64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: HashMap<(Operation, &'static str), u64>,
    open_watches: HashMap<&'static str, usize>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(Arc<Mutex<Counts>>);

impl Counters {
    pub(crate) fn count(&self, operation: Operation, resource: &'static str) {
        self.with(|counts| *counts.requests.entry((operation, resource)).or_default() += 1);
    }

    /// The requests about one resource, or all.
    pub(crate) fn requests(&self, resource: Option<&str>) -> Requests {
        self.with(|counts| {
            let count = |operation| {
                counts
                    .requests
                    .iter()
                    .filter(|((what, about), _)| {
                        *what == operation && resource.is_none_or(|only| only == *about)
                    })
                    .map(|(_, count)| count)
                    .sum()
            };
            Requests {
                lists: count(Operation::List),
                watches: count(Operation::Watch),
                gets: count(Operation::Get),
                creates: count(Operation::Create),
                updates: count(Operation::Update),
                patches: count(Operation::Patch),
                deletes: count(Operation::Delete),
                reviews: count(Operation::Review),
                discovery: count(Operation::Discovery),
            }
        })
    }

    pub(crate) fn open_watches(&self, resource: Option<&str>) -> usize {
        self.with(|counts| {
            counts
                .open_watches
                .iter()
                .filter(|(about, _)| resource.is_none_or(|only| only == **about))
                .map(|(_, open)| open)
                .sum()
        })
    }

    /// Counts a watch as open until the returned guard is dropped.
    pub(crate) fn open(&self, resource: &'static str) -> OpenWatch {
        self.with(|counts| *counts.open_watches.entry(resource).or_default() += 1);
        OpenWatch {
            counters: self.clone(),
            resource,
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
pub(crate) struct OpenWatch {
    counters: Counters,
    resource: &'static str,
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        self.counters.with(|counts| {
            if let Some(open) = counts.open_watches.get_mut(self.resource) {
                *open -= 1;
            }
        });
    }
}
