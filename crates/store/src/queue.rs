//! What waits for the writer: a queue with a bound, so that memory stays flat when more comes in
//! than the disk takes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::door::Prepared;
use crate::error::StoreError;
use crate::event::Appended;
use crate::keeper::Removed;

/// What is called when a call is durable, or failed.
pub type DoneFn = Box<dyn FnOnce(Result<Appended, StoreError>) + Send>;

/// A call's end. It is told for certain: where the writer ends without an answer, the store is
/// closed.
pub(crate) struct Done(Option<DoneFn>);

impl Done {
    pub(crate) fn new(done: DoneFn) -> Self {
        Self(Some(done))
    }

    pub(crate) fn tell(mut self, result: Result<Appended, StoreError>) {
        if let Some(done) = self.0.take() {
            call(done, result);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            call(done, Err(StoreError::Closed));
        }
    }
}

/// A panic of the caller's code must not end the writer.
fn call(done: DoneFn, result: Result<Appended, StoreError>) {
    let call = std::panic::AssertUnwindSafe(|| done(result));
    drop(std::panic::catch_unwind(call));
}

/// What the writer is asked for.
pub(crate) enum Job {
    /// Events come in.
    Append { events: Vec<Prepared>, done: Done },
    /// Moments up to this one are handed out.
    Reserve {
        upto: i64,
        done: mpsc::Sender<Result<(), StoreError>>,
    },
    /// An entity's events are removed.
    Forget {
        entity: String,
        done: mpsc::Sender<Result<Removed, StoreError>>,
    },
    /// Everything recent moves into the tables by lead.
    Settle {
        done: mpsc::Sender<Result<(), StoreError>>,
    },
}

impl Job {
    /// How much room it takes: its events, or more where rows are longer than a kilobyte.
    fn weight(&self) -> usize {
        match self {
            Self::Append { events, .. } => weight(events),
            Self::Reserve { .. } | Self::Forget { .. } | Self::Settle { .. } => 0,
        }
    }
}

/// How much room events take, in events with rows of up to a kilobyte.
pub(crate) fn weight(events: &[Prepared]) -> usize {
    let n_bytes: usize = events.iter().map(|event| event.row.len()).sum();
    events.len().max(n_bytes / 1_024)
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    weight: usize,
    closed: bool,
}

/// What waits for the writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    max_weight: usize,
}

/// What the writer takes.
pub(crate) enum Taken {
    /// In the order in which they came.
    Jobs(Vec<Job>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    pub(crate) fn new(max_weight: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            max_weight,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job at the end.
    pub(crate) fn put(&self, job: Job) -> Result<(), StoreError> {
        let (job, error) = {
            let mut waiting = self.waiting();
            let weight = job.weight();
            if waiting.closed {
                (job, StoreError::Closed)
            } else if weight > 0 && waiting.weight > 0 && waiting.weight + weight > self.max_weight
            {
                (job, StoreError::Busy)
            } else {
                waiting.weight += weight;
                waiting.jobs.push_back(job);
                self.changed.notify_all();
                return Ok(());
            }
        };
        // Outside of the lock, since callers may ask for anything when they are told.
        match job {
            Job::Append { done, .. } => done.tell(Err(error.clone())),
            Job::Reserve { .. } | Job::Forget { .. } | Job::Settle { .. } => {}
        }
        Err(error)
    }

    /// Nothing is taken in any more; what waits is still done.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_all();
    }

    /// Takes jobs with the weight of about `max_weight` events. Waits until `not_before` while
    /// fewer are there, and for `patience` where there is nothing.
    pub(crate) fn take(&self, max_weight: usize, not_before: Instant, patience: Duration) -> Taken {
        let deadline = Instant::now() + patience;
        let mut waiting = self.waiting();
        loop {
            let now = Instant::now();
            let until = if waiting.jobs.is_empty() {
                if waiting.closed {
                    return Taken::Closed;
                }
                deadline
            } else if waiting.weight >= max_weight || waiting.closed {
                now
            } else {
                not_before
            };
            let Some(left) = until
                .checked_duration_since(now)
                .filter(|left| !left.is_zero())
            else {
                break;
            };
            waiting = self
                .changed
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let mut jobs = Vec::new();
        let mut weight = 0;
        while let Some(job) = waiting
            .jobs
            .pop_front_if(|job| weight == 0 || weight + job.weight() <= max_weight)
        {
            weight += job.weight();
            jobs.push(job);
        }
        waiting.weight -= weight;
        if jobs.is_empty() {
            Taken::Nothing
        } else {
            Taken::Jobs(jobs)
        }
    }
}
