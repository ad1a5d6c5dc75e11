//! What is learned: labels, and for each row, if wanted, a weight and an offset.

use std::ops::Range;

use crate::error::SolverError;

/// Labels of the rows of a design, with weights and offsets.
#[derive(Debug, Clone)]
pub struct Target {
    /// 1 for a win.
    pub(crate) labels: Vec<u8>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) offsets: Option<Vec<f64>>,
    pub(crate) total_weight: f64,
    pub(crate) won_weight: f64,
}

impl Target {
    /// Checks labels, weights and offsets.
    ///
    /// A weight of 2 is the same as the row twice; a row with a weight of 0 counts for nothing. An
    /// offset is log-odds that a row starts with.
    ///
    /// # Errors
    ///
    /// [`SolverError::Length`], [`SolverError::NotFinite`], [`SolverError::NegativeWeight`], and
    /// [`SolverError::OneClass`] where only one label has a weight.
    pub fn new(
        labels: &[bool],
        weights: Option<&[f64]>,
        offsets: Option<&[f64]>,
    ) -> Result<Self, SolverError> {
        for (what, values) in [("weights", weights), ("offsets", offsets)] {
            let Some(values) = values else { continue };
            if values.len() != labels.len() {
                return Err(SolverError::Length {
                    what,
                    found: values.len(),
                    expected: labels.len(),
                });
            }
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(SolverError::NotFinite {
                    what: format!("the {}", what.trim_end_matches('s')),
                    row,
                    found: values[row],
                });
            }
        }
        if let Some((row, &found)) = weights
            .iter()
            .flat_map(|weights| weights.iter().enumerate())
            .find(|(_, weight)| **weight < 0.0)
        {
            return Err(SolverError::NegativeWeight { row, found });
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let (mut total_weight, mut won_weight) = (0.0, 0.0);
        for (row, &label) in labels.iter().enumerate() {
            total_weight += weight(row);
            won_weight += if label { weight(row) } else { 0.0 };
        }
        if won_weight == 0.0 || won_weight == total_weight {
            return Err(SolverError::OneClass {
                label: won_weight > 0.0,
            });
        }
        Ok(Self {
            labels: labels.iter().map(|&label| u8::from(label)).collect(),
            weights: weights.map(<[f64]>::to_vec),
            offsets: offsets.map(<[f64]>::to_vec),
            total_weight,
            won_weight,
        })
    }

    /// Log-odds of the share that is won: where a fit without anything else ends.
    pub fn log_odds_of_rate(&self) -> f64 {
        (self.won_weight / (self.total_weight - self.won_weight)).ln()
    }

    /// The rows of these ranges; `None` where they have one label only.
    pub(crate) fn select(&self, ranges: &[Range<usize>]) -> Option<Self> {
        fn pick<V: Copy>(values: &[V], ranges: &[Range<usize>]) -> Vec<V> {
            ranges
                .iter()
                .flat_map(|range| values[range.clone()].iter().copied())
                .collect()
        }
        let labels: Vec<bool> = pick(&self.labels, ranges)
            .iter()
            .map(|label| *label == 1)
            .collect();
        let weights = self.weights.as_ref().map(|weights| pick(weights, ranges));
        let offsets = self.offsets.as_ref().map(|offsets| pick(offsets, ranges));
        Self::new(&labels, weights.as_deref(), offsets.as_deref()).ok()
    }
}
