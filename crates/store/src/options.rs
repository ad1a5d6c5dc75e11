//! How a store is opened.

use std::sync::Arc;
use std::time::Duration;

use leadscore_core::Timestamp;

/// What gives the present moment. It may jump; the store's own moments do not.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// The wall clock.
    pub clock: Clock,
    /// How far apart commits are at least, while events keep coming; default 1 ms. A longer time
    /// puts more events into each fsync, and makes each caller wait longer.
    pub commit_every: Duration,
    /// How many events may wait for their commit before callers are told to come back; default
    /// 65,536.
    pub max_waiting: usize,
    /// How many events may wait in memory for their place in the tables by lead; default 1,000,000,
    /// which takes about 400 MB. Bursts up to half of it are taken at full speed; beyond, callers
    /// wait longer the fuller it is, and nobody is taken at five quarters of it.
    pub max_recent: usize,
    /// How many recent events are settled at once when there is nothing else to do; default 4,096.
    pub settle_from: usize,
    /// How many bytes the file may have before events are refused as on a full disk; default: as
    /// many as the disk has. The write-ahead log beside it takes up to 64 MiB more.
    pub max_bytes: Option<u64>,
}

impl StoreOptions {
    /// The defaults, with a clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            commit_every: Duration::from_millis(1),
            max_waiting: 65_536,
            max_recent: 1_000_000,
            settle_from: 4_096,
            max_bytes: None,
        }
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("commit_every", &self.commit_every)
            .field("max_waiting", &self.max_waiting)
            .field("max_recent", &self.max_recent)
            .field("settle_from", &self.settle_from)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
