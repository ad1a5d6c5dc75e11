//! Candidates, and the folds that they are tried on.

use leadscore_inference::Resolution;
use leadscore_metrics::paired_difference;

use super::challenge::{TWO_ERRORS, is_lower};
use crate::encoding::{Beforehand, Smoothing, Strengths};
use crate::input::TrainInput;
use crate::loss::{loss, mean};
use crate::options::TrainOptions;
use crate::shape::Shape;
use crate::splits::Fold;

/// What estimated strengths are multiplied with where rows are alike in time.
pub(super) const AS_ESTIMATED: f64 = 1.0;

/// What candidates are tried on.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) input: TrainInput<'a>,
    pub(super) folds: &'a [Fold],
    pub(super) known: &'a Beforehand,
    /// Clusters of the validation rows, fold by fold.
    pub(super) clusters: &'a [u64],
    /// The feature that names the segment.
    pub(super) segment: Option<usize>,
    /// Whether rows have a time, and folds go by lead all the same.
    pub(super) is_blind_to_time: bool,
    pub(super) options: &'a TrainOptions,
}

/// A candidate with its loss on every validation row of every fold.
pub(super) struct Candidate {
    pub(super) shape: Shape,
    pub(super) smoothing: Smoothing,
    pub(super) losses: Vec<f64>,
}

impl Candidate {
    /// The strengths of a candidate that has one for all terms.
    pub(super) fn given(&self) -> Strengths {
        match self.smoothing {
            Smoothing::Given(strengths) => strengths,
            Smoothing::Reml { .. } => unreachable!("folds chose these"),
        }
    }
}

impl Trial<'_> {
    /// Whether a candidate is better than another one by more than chance.
    pub(super) fn is_better(self, candidate: &Candidate, than: &Candidate) -> bool {
        let difference = paired_difference(&candidate.losses, &than.losses, self.clusters);
        is_lower(&difference, TWO_ERRORS)
    }

    /// The win rate of each fold's training rows.
    pub(super) fn base_rate(self) -> Candidate {
        let input = self.input;
        let losses = self
            .folds
            .iter()
            .flat_map(|fold| {
                let weights = input
                    .weights_of(&fold.train)
                    .unwrap_or_else(|| vec![1.0; fold.train.len()]);
                let wins: f64 = fold
                    .train
                    .iter()
                    .zip(&weights)
                    .filter(|(row, _)| input.labels[**row])
                    .map(|(_, weight)| weight)
                    .sum();
                let rate = wins / weights.iter().sum::<f64>();
                let log_odds = (rate / (1.0 - rate)).ln();
                fold.validation
                    .iter()
                    .map(move |&row| loss(input.labels[row], log_odds))
            })
            .collect();
        Candidate {
            shape: Shape::BaseRate,
            smoothing: Smoothing::Given(Strengths::ridge(1.0)),
            losses,
        }
    }

    /// The shapes with tables: a few, and as many as may be.
    pub(super) fn tables_tried(self, resolution: Resolution) -> Vec<Shape> {
        let most = self.options.max_pairs;
        let mut n_pairs = vec![most.div_ceil(3), most];
        n_pairs.dedup();
        // Only what holds later is worth a table, and folds by lead do not tell.
        n_pairs.retain(|&n_pairs| n_pairs > 0 && !self.is_blind_to_time);
        n_pairs
            .into_iter()
            .map(|n_pairs| Shape::Additive {
                n_pairs,
                resolution,
            })
            .collect()
    }
}

/// Losses of the validation rows with these log-odds.
pub(super) fn losses_of(input: TrainInput<'_>, fold: &Fold, log_odds: Vec<f64>) -> Vec<f64> {
    fold.validation
        .iter()
        .zip(log_odds)
        .map(|(&row, log_odds)| loss(input.labels[row], log_odds))
        .collect()
}

/// The candidate with the lowest loss; of equals the first, which is the one that is held most:
/// grids begin there.
pub(super) fn best_of(candidates: Vec<Candidate>) -> Candidate {
    candidates
        .into_iter()
        .min_by(|a, b| mean(&a.losses).total_cmp(&mean(&b.losses)))
        .expect("a grid has points")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_losses_the_stiffest_is_taken() {
        let candidate = |losses: Vec<f64>, ridge: f64| Candidate {
            shape: Shape::Linear,
            smoothing: Smoothing::Given(Strengths::ridge(ridge)),
            losses,
        };
        let chosen = best_of(vec![
            candidate(vec![0.5, 0.8], 3.0),
            candidate(vec![0.3, 0.1], 2.0),
            candidate(vec![0.1, 0.3], 1.0),
        ]);
        assert_eq!(chosen.given().ridge, 2.0);
    }
}
