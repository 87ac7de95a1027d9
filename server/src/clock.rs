//! The wall clock, as messages tell it.

/// Now, as RFC 3339 with milliseconds, in UTC.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}
