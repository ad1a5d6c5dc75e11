//! A rising curve from sums of look-ups to log-odds that hold.

use serde::{Deserialize, Serialize};

use crate::term::LARGEST_LOG_ODDS;

/// Straight pieces between knots, in log-odds; before the first and beyond the last knot, the
/// nearest piece goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCurve {
    /// What the look-ups sum to, and the log-odds that hold there; both rise.
    pub knots: Vec<(f64, f64)>,
    /// The log-odds at the same knots by curves of resampled outcomes: what the curve does not
    /// know. Empty where nobody resampled.
    pub replicates: Vec<Vec<f32>>,
}

impl CalibrationCurve {
    /// The log-odds that hold where look-ups sum to this.
    pub fn at(&self, sum: f64) -> f64 {
        let ((x, y), slope) = self.piece(sum);
        y + slope * (sum - x)
    }

    /// How far each replicate's log-odds lie from the curve's where look-ups sum to this.
    pub(crate) fn deviations(&self, sum: f64) -> impl Iterator<Item = f64> {
        let after = self
            .knots
            .partition_point(|(x, _)| *x < sum)
            .clamp(1, self.knots.len() - 1);
        let (before, beyond) = (self.knots[after - 1], self.knots[after]);
        // Beyond the knots a replicate keeps the distance that it has at the last: curves go on
        // there by no data.
        let part = ((sum - before.0) / (beyond.0 - before.0)).clamp(0.0, 1.0);
        let own = before.1 + part * (beyond.1 - before.1);
        self.replicates.iter().map(move |log_odds| {
            let (from, to) = (f64::from(log_odds[after - 1]), f64::from(log_odds[after]));
            from + part * (to - from) - own
        })
    }

    /// The variance of the log-odds where look-ups sum to this, over replicates; 0 where there are
    /// none.
    pub(crate) fn variance(&self, sum: f64) -> f64 {
        let n = self.replicates.len().max(1) as f64;
        self.deviations(sum)
            .map(|deviation| deviation * deviation)
            .sum::<f64>()
            / n
    }

    /// How much log-odds move for each unit of the sum.
    pub fn slope(&self, sum: f64) -> f64 {
        self.piece(sum).1
    }

    /// Whether it rises from knot to knot, has a piece, and a value at every knot in each
    /// replicate.
    pub(crate) fn is_sound(&self) -> bool {
        let is_small = |value: f64| value.abs() <= LARGEST_LOG_ODDS;
        let knots_rise =
            self.knots.len() >= 2 && self.knots.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1);
        let is_whole = |log_odds: &Vec<f32>| {
            log_odds.len() == self.knots.len()
                && log_odds.iter().all(|value| is_small(f64::from(*value)))
        };
        knots_rise
            && self.knots.iter().all(|(x, y)| is_small(*x) && is_small(*y))
            && self.replicates.iter().all(is_whole)
    }

    /// The knot before a sum, and the slope from there.
    fn piece(&self, sum: f64) -> ((f64, f64), f64) {
        let after = self
            .knots
            .partition_point(|(x, _)| *x < sum)
            .clamp(1, self.knots.len() - 1);
        let (before, after) = (self.knots[after - 1], self.knots[after]);
        (before, (after.1 - before.1) / (after.0 - before.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_through_its_knots_and_on() {
        let curve = CalibrationCurve {
            knots: vec![(-1.0, -2.0), (0.0, 0.0), (2.0, 1.0)],
            replicates: vec![vec![-2.5, 0.0, 1.5], vec![-1.5, 0.0, 0.5]],
        };
        assert!(curve.is_sound());
        for (sum, expected) in [
            (-3.0, -6.0),
            (-1.0, -2.0),
            (-0.5, -1.0),
            (0.0, 0.0),
            (1.0, 0.5),
            (4.0, 2.0),
        ] {
            assert!((curve.at(sum) - expected).abs() < 1e-12, "{sum}");
        }
        assert_eq!((curve.slope(-5.0), curve.slope(1.0)), (2.0, 0.5));
        assert_eq!(
            [-9.0, -1.0, -0.5, 0.0, 2.0].map(|sum| curve.variance(sum)),
            [0.25, 0.25, 0.0625, 0.0, 0.25]
        );
        assert!(
            !CalibrationCurve {
                knots: vec![(0.0, 0.0), (1.0, 0.0)],
                replicates: Vec::new()
            }
            .is_sound()
        );
    }
}
