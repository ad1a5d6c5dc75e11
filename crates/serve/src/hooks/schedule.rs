//! The time by which calls wait, and whether they can be made at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Clock;

/// Time by which calls wait: the clock at the start, and from then on what has passed, so that a
/// clock that jumps moves no call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    start: i64,
    started: Instant,
}

impl Schedule {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            start: clock().micros(),
            started: Instant::now(),
        }
    }

    /// The present moment, in microseconds.
    pub(super) fn now(self) -> i64 {
        self.start + micros(self.started.elapsed())
    }
}

/// Why calls cannot be made at all, by receiver.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem(Arc<Mutex<BTreeMap<String, String>>>);

impl Problem {
    pub(super) fn set(&self, receiver: &str, problem: Option<String>) {
        let mut problems = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(problem) => problems.insert(receiver.to_owned(), problem),
            None => problems.remove(receiver),
        };
    }

    pub(super) fn get(&self) -> Option<String> {
        let problems = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        problems.values().next().cloned()
    }
}

/// A length in microseconds.
pub(super) fn micros(length: Duration) -> i64 {
    // Half of what there is, so that sums with moments are there too.
    i64::try_from(length.as_micros())
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 4)
}
