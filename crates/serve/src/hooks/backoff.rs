//! How long to wait before the next try: twice as long each time, up to a limit, and not all at
//! once.

use std::time::Duration;

use leadscore_core::stable_hash;

/// A wait that doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// After the first failure.
    pub(super) first: Duration,
    /// At most.
    pub(super) most: Duration,
}

impl Backoff {
    /// The wait after a number of failures, from 1: between half of and all of what doubling gives,
    /// by a hash of who waits, so that those that failed together do not return together.
    pub(super) fn wait(self, n_failures: u32, who: &str) -> Duration {
        let n_doublings = n_failures.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << n_doublings).min(self.most);
        let share = stable_hash(&format!("{n_failures} {who}")) % 1_000;
        whole / 2 + (whole / 2_000) * u32::try_from(share).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_differ() {
        let backoff = Backoff {
            first: Duration::from_secs(5),
            most: Duration::from_secs(3_600),
        };
        for (n_failures, whole) in [
            (1, 5),
            (2, 10),
            (5, 80),
            (10, 2_560),
            (11, 3_600),
            (99, 3_600),
        ] {
            let whole = Duration::from_secs(whole);
            let waits: Vec<_> = (0..50)
                .map(|who| backoff.wait(n_failures, &format!("crossing-{who}")))
                .collect();
            assert!(waits.iter().all(|wait| (whole / 2..=whole).contains(wait)));
            let spread = waits.iter().max().zip(waits.iter().min());
            assert!(spread.is_some_and(|(most, least)| *most - *least > whole / 3));
        }
        let day: Duration = (1..=45).map(|n| backoff.wait(n, "x")).sum();
        assert!(day > Duration::from_secs(86_400), "{day:?}");
    }
}
