//! Decision curves: what calling everyone above a probability is worth, at every price of a call.

use serde::{Deserialize, Serialize};

/// Net benefit at one threshold of probability, in wins a row: a call is worth making where a win
/// is worth `1 / threshold` calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NetBenefit {
    /// The threshold, above 0 and below 1.
    pub threshold: f64,
    /// Of calling the rows at or above it.
    pub score: f64,
    /// Of calling everyone; calling no one has 0.
    pub everyone: f64,
}

/// Thresholds that are worth looking at: evenly from near 0 to the largest probability, at most
/// 0.99.
pub(crate) fn thresholds_of(probabilities: &[f64], n: usize) -> Vec<f64> {
    let largest = probabilities
        .iter()
        .copied()
        .fold(0.0, f64::max)
        .clamp(0.01, 0.99);
    (1..=n)
        .map(|step| largest * step as f64 / n as f64)
        .collect()
}

/// Net benefit of calling the rows at or above each threshold.
///
/// ```text
/// NB(t) = TP/n − FP/n · t/(1 − t)
/// ```
///
/// where `TP` and `FP` are the called rows that were won, and that were not.
///
/// # Shapes
///
/// `labels` and `probabilities` are `(n_rows,)`; thresholds rise, each above 0 and below 1.
///
/// # Examples
///
/// ```
/// let curve = leadscore_metrics::net_benefit(&[true, false, false, false], &[0.6, 0.6, 0.1, 0.1], &[0.2]);
/// assert!((curve[0].score - (0.25 - 0.25 * 0.25)).abs() < 1e-12 && (curve[0].everyone - (0.25 - 0.75 * 0.25)).abs() < 1e-12);
/// ```
///
/// # References
///
/// Vickers and Elkin (2006), Medical Decision Making 26(6).
pub fn net_benefit(labels: &[bool], probabilities: &[f64], thresholds: &[f64]) -> Vec<NetBenefit> {
    // Losses and wins of rows that reach so many of the thresholds.
    let mut reached = vec![(0.0, 0.0); thresholds.len() + 1];
    for (&label, &p) in labels.iter().zip(probabilities) {
        let counts: &mut (f64, f64) =
            &mut reached[thresholds.partition_point(|threshold| *threshold <= p)];
        if label {
            counts.1 += 1.0;
        } else {
            counts.0 += 1.0;
        }
    }
    let n = labels.len() as f64;
    let benefit = |(losses, wins): (f64, f64), t: f64| (wins - losses * t / (1.0 - t)) / n;
    let everyone = reached.iter().fold((0.0, 0.0), |sum, counts| {
        (sum.0 + counts.0, sum.1 + counts.1)
    });
    let mut called = (0.0, 0.0);
    let mut curve: Vec<NetBenefit> = thresholds
        .iter()
        .enumerate()
        .rev()
        .map(|(idx, &threshold)| {
            called = (called.0 + reached[idx + 1].0, called.1 + reached[idx + 1].1);
            NetBenefit {
                threshold,
                score: benefit(called, threshold),
                everyone: benefit(everyone, threshold),
            }
        })
        .collect();
    curve.reverse();
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benefit_is_wins_less_what_calls_cost() {
        let (labels, probabilities) = ([true, false, true, false], [0.75, 0.5, 0.25, 0.125]);
        let curve = net_benefit(&labels, &probabilities, &[0.2, 0.5, 0.8]);
        // At 0.2 a call costs a quarter of a win: 2 wins less 1 loss of 1/4, of four leads.
        // At 0.5 it costs one: of those from 0.5 on, 1 win less 1 loss. At 0.8 nobody is called.
        let found: Vec<f64> = curve.iter().map(|point| point.score).collect();
        let expected = [(2.0 - 0.25) / 4.0, 0.0, 0.0];
        let everyone = [(2.0 - 0.5) / 4.0, 0.0, (2.0 - 8.0) / 4.0];
        for (idx, point) in curve.iter().enumerate() {
            // A rounding of t / (1 − t).
            assert!((found[idx] - expected[idx]).abs() < 1e-15, "{point:?}");
            assert!((point.everyone - everyone[idx]).abs() < 1e-14, "{point:?}");
        }
        assert_eq!(
            curve
                .iter()
                .map(|point| point.threshold)
                .collect::<Vec<_>>(),
            [0.2, 0.5, 0.8]
        );
    }

    #[test]
    fn thresholds_reach_the_largest_probability() {
        assert_eq!(thresholds_of(&[0.25, 0.5], 4), [0.125, 0.25, 0.375, 0.5]);
        assert_eq!(thresholds_of(&[], 1), [0.01]);
        // A call at the price of all wins is never worth it.
        assert_eq!(thresholds_of(&[1.0], 1), [0.99]);
        assert!(thresholds_of(&[0.5], 0).is_empty());
    }
}
