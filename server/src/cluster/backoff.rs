//! Pauses between tries.

use std::time::Duration;

/// Half as much again at most, so that those who failed together do not return together.
pub(super) fn jittered(delay: Duration) -> Duration {
    delay.mul_f64(1.0 + fastrand::f64() / 2.0)
}
