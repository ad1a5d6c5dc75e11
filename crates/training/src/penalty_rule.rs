//! Whether each term has a penalty of its own, and why so.

use crate::encoding::Smoothing;
use crate::input::TrainInput;
use crate::options::{SolverKind, TrainOptions};
use crate::shape::Shape;

/// Clusters won, and clusters not won, from which strengths can be estimated one by one; with
/// fewer, folds are nearer the truth, and intervals by strengths that count as known hold it too
/// seldom (`cargo xtask verdicts`).
pub(crate) const MIN_CLUSTERS_FOR_REML: usize = 200;

/// How penalties come about, and why so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PenaltyRule {
    /// Each term has a smoothing parameter of its own.
    Reml,
    /// Folds choose one for all terms of a kind, as was asked for.
    Asked,
    /// The same, because there is a lasso.
    Lasso,
    /// The same, because linfa fits.
    Linfa,
    /// The same, because so many clusters were won, and so many were not.
    Few { n_won: usize, n_others: usize },
}

impl PenaltyRule {
    /// The rule for these rows: what was asked for, or what can be had and relied on.
    pub(crate) fn of(input: TrainInput<'_>, options: &TrainOptions) -> Self {
        let n_clusters = |wanted: bool| {
            let rows = input
                .labels
                .iter()
                .zip(input.clusters)
                .filter(|(label, _)| **label == wanted);
            rows.map(|(_, cluster)| cluster)
                .collect::<std::collections::HashSet<_>>()
                .len()
        };
        match options.reml {
            Some(true) => Self::Reml,
            _ if options.l1_ratio > 0.0 => Self::Lasso,
            _ if options.solver == SolverKind::Linfa => Self::Linfa,
            Some(false) => Self::Asked,
            None => {
                let (n_won, n_others) = (n_clusters(true), n_clusters(false));
                if n_won.min(n_others) >= MIN_CLUSTERS_FOR_REML {
                    Self::Reml
                } else {
                    Self::Few { n_won, n_others }
                }
            }
        }
    }

    /// What comes behind the choice of a shape: where its penalties are from; nothing where there
    /// is nothing to penalize.
    pub(crate) fn describe(self, shape: Shape, smoothing: Smoothing) -> String {
        if shape == Shape::BaseRate {
            return String::new();
        }
        let why = match (self, smoothing) {
            (Self::Reml, Smoothing::Reml { stiffer }) if stiffer <= 1.0 => {
                return "; penalties: one for each term, by REML".to_owned();
            }
            (Self::Reml, Smoothing::Reml { stiffer }) => {
                return format!(
                    "; penalties: one for each term, by REML, times {stiffer} because that is better on folds"
                );
            }
            (Self::Reml, Smoothing::Given(_)) => {
                "those by REML are not better than the win rate on folds".to_owned()
            }
            (Self::Asked, _) => "`smoothing` is \"folds\"".to_owned(),
            (Self::Lasso, _) => "`l1_ratio` asks for a lasso".to_owned(),
            (Self::Linfa, _) => "linfa has no REML".to_owned(),
            (Self::Few { n_won, n_others }, _) => {
                format!(
                    "REML needs {MIN_CLUSTERS_FOR_REML} won and {MIN_CLUSTERS_FOR_REML} other leads or accounts, and there are {n_won} and {n_others}"
                )
            }
        };
        format!("; penalties: one for all terms of a kind, on folds, because {why}")
    }
}
