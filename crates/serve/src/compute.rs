//! Who may use the processor: a few threads for short work with a short line before them, and one
//! for long work, so that the sockets are always served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;
use crate::problem::Problem;

/// How long a piece of work may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A few milliseconds: refused when the line is long, or when its turn does not come soon.
    Quick,
    /// Up to seconds: waits for its turn, one at a time, while [`Work::Quick`] goes on.
    Long,
}

/// The line before the processor: long enough for a burst, and short for a while after it was full,
/// so that under a load that stays nobody who is admitted waits long.
#[derive(Debug)]
pub(crate) struct Compute {
    quick: Arc<Semaphore>,
    long: Arc<Semaphore>,
    cores: usize,
    waiting: AtomicUsize,
    started: Instant,
    /// Until when the line is short, in milliseconds since the start.
    strict_until: AtomicU64,
}

/// How long the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    waiting_at_most: usize,
    wait: Duration,
}

impl Compute {
    pub(crate) fn new(cores: usize) -> Self {
        let cores = cores.max(1);
        Self {
            quick: Arc::new(Semaphore::new(cores)),
            long: Arc::new(Semaphore::new(1)),
            cores,
            waiting: AtomicUsize::new(0),
            started: Instant::now(),
            strict_until: AtomicU64::new(0),
        }
    }

    /// Whether the line is so long that nobody else is let in.
    pub(crate) fn is_saturated(&self) -> bool {
        let is_full = self.waiting.load(Ordering::Relaxed) >= self.line().waiting_at_most;
        if is_full {
            self.was_full();
        }
        is_full
    }

    fn line(&self) -> Line {
        if self.millis() < self.strict_until.load(Ordering::Relaxed) {
            Line {
                waiting_at_most: self.cores * limits::STRICT_WAITING_PER_CORE,
                wait: limits::STRICT_COMPUTE_WAIT,
            }
        } else {
            Line {
                waiting_at_most: self.cores * limits::WAITING_PER_CORE,
                wait: limits::COMPUTE_WAIT,
            }
        }
    }

    /// Makes the line short for a while. A line that is short already is tried again when its time
    /// is over, however many are told to come back meanwhile.
    fn was_full(&self) {
        let now = self.millis();
        if now >= self.strict_until.load(Ordering::Relaxed) {
            let until = now + limits::STRICT_TIME.as_millis() as u64;
            self.strict_until.store(until, Ordering::Relaxed);
        }
    }

    fn millis(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Runs work on a thread of its own when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = match work {
            Work::Quick => self.quick_permit().await?,
            Work::Long => Arc::clone(&self.long)
                .acquire_owned()
                .await
                .map_err(|_| Problem::internal())?,
        };
        tokio::task::spawn_blocking(move || {
            let result = call();
            drop(permit);
            result
        })
        .await
        .map_err(|_| Problem::internal())
    }

    async fn quick_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = Arc::clone(&self.quick).try_acquire_owned() {
            return Ok(permit);
        }
        let line = self.line();
        let Some(_place) = Place::take(&self.waiting, line.waiting_at_most) else {
            self.was_full();
            return Err(Problem::overloaded());
        };
        let turn = Arc::clone(&self.quick).acquire_owned();
        match tokio::time::timeout(line.wait, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Problem::internal()),
            Err(_) => {
                self.was_full();
                Err(Problem::overloaded())
            }
        }
    }
}

/// A place in a line, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    pub(crate) fn take(line: &'a AtomicUsize, at_most: usize) -> Option<Self> {
        let before = line.fetch_add(1, Ordering::Relaxed);
        let place = Self(line);
        (before < at_most).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_answered_and_a_load_that_stays_makes_the_line_short() {
        let compute = Arc::new(Compute::new(1));
        let slow = || std::thread::sleep(Duration::from_millis(1));
        let ask = |n: usize| {
            let asked = (0..n).map(|_| {
                let compute = Arc::clone(&compute);
                tokio::spawn(async move { compute.run(Work::Quick, slow).await.is_ok() })
            });
            asked.collect::<Vec<_>>()
        };
        let mut n_answered = 0;
        for asked in ask(8) {
            n_answered += usize::from(asked.await.expect("no panic"));
        }
        assert_eq!(n_answered, 8, "a burst");
        let mut n_answered = 0;
        for asked in ask(200) {
            n_answered += usize::from(asked.await.expect("no panic"));
        }
        assert!((1..=34).contains(&n_answered), "{n_answered} of 200");
        assert_eq!(
            compute.line().waiting_at_most,
            limits::STRICT_WAITING_PER_CORE
        );
        let until = compute.strict_until.load(Ordering::Relaxed);
        compute.was_full();
        assert_eq!(until, compute.strict_until.load(Ordering::Relaxed));
    }
}
