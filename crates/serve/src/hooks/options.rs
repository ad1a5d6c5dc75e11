//! How receivers are called: times and numbers, with their defaults.

use std::time::Duration;

/// How receivers are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookOptions {
    /// How long a call may take, from the look-up of the name to the end of the answer; default
    /// 10 s. A longer time lets slow receivers finish, and lets those that hang block more.
    pub timeout: Duration,
    /// Calls of one receiver at a time, of different leads; default 8.
    pub n_at_once: usize,
    /// The wait after the first failure of a call, which doubles; default 5 s.
    pub first_wait: Duration,
    /// The longest wait of a call; default 1 h.
    pub most_wait: Duration,
    /// How long after its first failure a call is given up; default 24 h.
    pub give_up_after: Duration,
    /// The first pause of a receiver that is down, which doubles; default 1 s.
    pub first_pause: Duration,
    /// The longest pause of a receiver that is down; default 5 min.
    pub most_pause: Duration,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            n_at_once: 8,
            first_wait: Duration::from_secs(5),
            most_wait: Duration::from_secs(3_600),
            give_up_after: Duration::from_secs(24 * 3_600),
            first_pause: Duration::from_secs(1),
            most_pause: Duration::from_secs(300),
        }
    }
}
