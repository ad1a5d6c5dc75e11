//! Who may use the processor: a few threads for short work with a short line before them, and one
//! for long work, so that the sockets are always served.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// The line before the processor.
#[derive(Debug)]
pub(crate) struct Compute {
    quick: Arc<Semaphore>,
    long: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_at_most: usize,
}

impl Compute {
    pub(crate) fn new(cores: usize) -> Self {
        let cores = cores.max(1);
        Self {
            quick: Arc::new(Semaphore::new(cores)),
            long: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            waiting_at_most: cores * limits::WAITING_PER_CORE,
        }
    }

    /// Whether the line is so long that nobody else is let in.
    pub(crate) fn is_saturated(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.waiting_at_most
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
        let _place =
            Place::take(&self.waiting, self.waiting_at_most).ok_or_else(Problem::overloaded)?;
        let turn = Arc::clone(&self.quick).acquire_owned();
        match tokio::time::timeout(limits::COMPUTE_WAIT, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Problem::internal()),
            Err(_) => Err(Problem::overloaded()),
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
