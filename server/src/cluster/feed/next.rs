//! What a feed does next: pure, from how a step went.
//!
//! The loop is an explicit state: `List`, or `Watch` from a version. What each failure means:
//!
//! | failure | next |
//! |---|---|
//! | the watch ends, or is cut in the middle of a line | watch from the last version |
//! | the pulse finds nobody there | ask whether the version still holds, then watch from it |
//! | 410, garbage, what is not of the collection, a version that went backwards, no bookmarks, an API server that was away | list again and tell the difference |
//! | a second watch in a row that ends at once with nothing in it | list again, with backoff; not live until a watch tells something or lasts |
//! | 404, of a helpful source | absent: there are no objects; list again after a minute |
//! | 403 | forbidden, once a SelfSubjectAccessReview agrees or it has lasted 10 s |
//! | anything else | the same step again, with backoff; `Retry-After` is obeyed |

use std::time::Duration;

use crate::cluster::api::ApiError;

pub(super) const BACKOFF_MIN: Duration = Duration::from_millis(800);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// A watch that lived this long, or half its life, was a success, even if it told nothing.
pub(super) const SETTLED: Duration = Duration::from_secs(5);

/// What a feed does next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    List,
    /// `broken`: the watch before ended before its time, as they all do when the API server
    /// restarts, possibly on top of a backup of etcd.
    Watch {
        from: u64,
        broken: bool,
    },
}

impl Step {
    /// The step after a failure of this one, and what went wrong.
    pub(super) fn after_failure(self, failure: Failure) -> (Self, ApiError) {
        let broken = true;
        match failure {
            Failure::Retry(error) => match self {
                Self::Watch { from, .. } => (Self::Watch { from, broken }, error),
                Self::List => (self, error),
            },
            Failure::Resume(from, error) => (Self::Watch { from, broken }, error),
            Failure::Relist(error) => (Self::List, error),
        }
    }
}

/// Why a step did not go well.
#[derive(Debug)]
pub(super) enum Failure {
    /// The same step again.
    Retry(ApiError),
    /// Watch on from here, where the API server still knows this version.
    Resume(u64, ApiError),
    /// List again.
    Relist(ApiError),
}

/// How a watch ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The API server ended it.
    Closed,
    /// The connection broke.
    Broken(ApiError),
    /// The pulse finds nobody there.
    Silent(ApiError),
    /// It cannot be gone on from.
    Lost(ApiError),
}

/// What came of a watch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) from: u64,
    /// The version that it has reached.
    pub(super) version: u64,
    pub(super) lived: Duration,
    /// How long it may live.
    pub(super) life: Duration,
}

impl Course {
    pub(super) fn has_settled(&self) -> bool {
        self.lived >= SETTLED.min(self.life / 2)
    }

    pub(super) fn has_told(&self) -> bool {
        self.version > self.from
    }
}

/// What went wrong lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// Failures since something went well: each makes the next pause longer.
    pub(super) failures: u32,
    /// Watches in a row that were accepted, and ended at once with nothing told.
    pub(super) hollow: u32,
}

impl Record {
    /// Whether an accepted watch is no sign of life any more.
    pub(super) fn is_doubtful(self) -> bool {
        self.hollow > 1
    }

    pub(super) fn watched(&mut self, course: &Course, end: &End) {
        match (course.has_settled(), course.has_told(), end) {
            (true, ..) => *self = Self::default(),
            // A list that brings only the next one of these is not what is hoped for.
            (_, true, End::Lost(_)) => self.hollow = 0,
            (_, true, _) => *self = Self::default(),
            (_, false, End::Silent(_)) => {}
            (_, false, _) => self.hollow += 1,
        }
    }

    /// The pause after one more failure, without jitter. The list after a version that is gone is
    /// no retry, unless the last one led to the same.
    pub(super) fn delay(&mut self, error: &ApiError) -> Duration {
        let exponential = BACKOFF_MIN * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        match error.code() {
            Some(410) if self.failures == 1 => Duration::ZERO,
            _ => exponential.min(BACKOFF_MAX),
        }
    }
}

/// What comes after a watch.
pub(super) fn after(course: &Course, end: End, doubtful: bool, url: &str) -> Result<Step, Failure> {
    let hollow = doubtful && !course.has_told() && !course.has_settled();
    let from = course.version;
    match end {
        End::Closed if hollow => Err(Failure::Relist(ApiError::Hollow {
            url: url.to_owned(),
        })),
        End::Broken(error) if hollow => Err(Failure::Relist(error)),
        End::Closed => Ok(Step::Watch {
            from,
            broken: course.lived + SETTLED < course.life,
        }),
        End::Broken(_) if course.has_told() || course.has_settled() => {
            Ok(Step::Watch { from, broken: true })
        }
        End::Broken(error) => Err(Failure::Retry(error)),
        End::Silent(error) => Err(Failure::Resume(from, error)),
        End::Lost(error) => Err(Failure::Relist(error)),
    }
}

#[cfg(test)]
mod tests;
