//! When a change began and how large it is, by likelihood.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, Normal, WeekSums};
use super::interval::Z;

/// Half the 95 % quantile of chi-squared with one degree of freedom.
const DROP: f64 = 1.92;

/// The change that explains the wins best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// First week of the change.
    pub week: u32,
    /// First and last week that explain the wins almost as well (by 1.92 of the log-likelihood).
    pub weeks: [u32; 2],
    /// Wins since that week over the wins that the level before it would have given.
    pub ratio: f64,
    /// Lower end of a 95 % interval of the ratio, at this week.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The most likely change: for each start, the level before it (with what the reference knows of
/// it) and the level since then are each fitted.
///
/// Ends that lie between two starts of equal likelihood are the first. `None` without weeks.
pub(crate) fn find(weeks: &[WeekSums], level: Normal, dispersion: f64) -> Option<Change> {
    let mut since: Vec<(Bins, f64)> = Vec::with_capacity(weeks.len());
    let mut bins = Bins::default();
    let mut observed = 0.0;
    for sums in weeks.iter().rev() {
        bins.add_bins(&sums.bins, 1.0);
        observed += sums.observed;
        since.push((bins.clone(), observed));
    }
    since.reverse();
    let mut before = (Bins::default(), 0.0);
    let mut starts: Vec<(f64, Normal, Normal)> = Vec::with_capacity(weeks.len());
    for (sums, (bins, observed)) in weeks.iter().zip(&since) {
        let old = before.0.shift_of(before.1, dispersion, Some(level));
        let new = bins.shift_of(*observed, dispersion, None);
        let prior = (old.mean - level.mean).powi(2) / (2.0 * level.variance.max(1e-12));
        let likelihood = before.0.log_likelihood(before.1, old.mean) / dispersion - prior
            + bins.log_likelihood(*observed, new.mean) / dispersion;
        starts.push((likelihood, old, new));
        before.0.add_bins(&sums.bins, 1.0);
        before.1 += sums.observed;
    }
    let best = (0..starts.len()).reduce(|best, start| {
        if starts[start].0 > starts[best].0 {
            start
        } else {
            best
        }
    })?;
    let (likelihood, old, new) = starts[best];
    let near = |start: &usize| starts[*start].0 >= likelihood - DROP;
    let first = (0..starts.len()).find(near)?;
    let last = (0..starts.len()).rev().find(near)?;
    let usual = since[best].0.shifted(old.mean);
    let difference = new.mean - old.mean;
    let width = Z * (new.variance + old.variance).sqrt();
    Some(Change {
        week: weeks[best].week,
        weeks: [weeks[first].week, weeks[last].week],
        ratio: usual.ratio(difference),
        low: usual.ratio(difference - width),
        high: usual.ratio(difference + width),
    })
}
