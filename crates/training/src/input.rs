//! What a model is learned from.

use leadscore_core::{FeatureMatrix, Span, Timestamp};

use crate::effective_size::Scale;
use crate::error::TrainError;

/// What is learned from: one entry a row in each, rows in order of time, then lead.
#[derive(Debug, Clone, Copy)]
pub struct TrainInput<'a> {
    /// The features.
    pub matrix: &'a FeatureMatrix,
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The lead of each row, by [`leadscore_core::stable_hash`].
    pub lead_keys: &'a [u64],
    /// Which rows are no independent ones, by such a hash: those of one lead, or of one account.
    /// Splits and intervals go by it.
    pub clusters: &'a [u64],
    /// The window; `None` for a flat export.
    pub horizon: Option<Span>,
    /// How much each row counts beside the others, 0 or more; their scale is of no account. `None`:
    /// all alike.
    pub weights: Option<&'a [f64]>,
    /// Snapshots whose windows have not ended, where they are to be learned from, too.
    pub unripe: Option<Unripe<'a>>,
}

/// Snapshots whose windows have not ended, and when each one was won, as far as is known.
#[derive(Debug, Clone, Copy)]
pub struct Unripe<'a> {
    /// Their features, with the same columns and levels as those of the others, in order of time.
    pub matrix: &'a FeatureMatrix,
    /// As [`TrainInput::clusters`], of these.
    pub clusters: &'a [u64],
    /// Of these, days from the snapshot to the win; infinite where none is known.
    pub days_to_win: &'a [f64],
    /// The same of the snapshots whose windows had ended; infinite where none fell into the window.
    pub ripe_days_to_win: &'a [f64],
    /// The moment until which wins are known.
    pub training_cutoff: Timestamp,
}

impl TrainInput<'_> {
    /// What these rows count, with their sum at their effective size; `None` where all count alike.
    pub(crate) fn weights_of(&self, rows: &[usize]) -> Option<Vec<f64>> {
        let all = self.weights?;
        let own = rows.iter().map(|&row| all[row]);
        let scale = Scale::of_all(own.clone());
        Some(own.map(|weight| scale.of(weight)).collect())
    }

    /// Whether there is something to learn from: as many entries as rows, and both labels.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let n_rows = self.matrix.n_rows();
        if [
            self.labels.len(),
            self.lead_keys.len(),
            self.clusters.len(),
            self.weights.map_or(n_rows, <[f64]>::len),
        ]
        .iter()
        .any(|&length| length != n_rows)
        {
            return Err(TrainError::Length {
                n_labels: self.labels.len(),
                n_rows,
            });
        }
        let Some(&first) = self.labels.first() else {
            return Err(TrainError::NoRows {
                reason: "no snapshot is mature".to_owned(),
            });
        };
        if self.labels.iter().all(|&label| label == first) {
            return Err(TrainError::OneClass {
                label: first,
                n_rows,
            });
        }
        Ok(())
    }
}
