//! Snapshots whose windows had not ended, as the last fit sees them.

use leadscore_core::{FeatureMatrix, Snapshot};
use leadscore_dataset::Tables;
use leadscore_training::Unripe;

use crate::data::{Data, Labelled, cluster_keys};

/// What is known of snapshots whose windows had not ended, and when the others were won.
pub(super) struct Late {
    matrix: FeatureMatrix,
    clusters: Vec<u64>,
    days_to_win: Vec<f64>,
    ripe_days_to_win: Vec<f64>,
}

impl Late {
    /// Those of these snapshots, beside those whose windows had ended.
    pub(super) fn of(
        data: &Data,
        tables: &Tables,
        labelled: &Labelled,
        unripe: &[Snapshot],
    ) -> crate::Result<Self> {
        let horizon = data.config.snapshots.horizon;
        let days = |key: &Snapshot| {
            let won = tables.win_since(key.lead, key.at);
            won.map(|won| won.days_since(key.at))
                .filter(|days| (0.0..horizon.days()).contains(days))
                .unwrap_or(f64::INFINITY)
        };
        Ok(Self {
            matrix: data.features_of(tables, labelled.matrix.specs(), unripe)?,
            clusters: cluster_keys(tables, unripe),
            days_to_win: unripe.iter().map(days).collect(),
            ripe_days_to_win: labelled.matrix.keys().iter().map(days).collect(),
        })
    }

    /// The same for the fit.
    pub(super) fn as_unripe(&self, tables: &Tables) -> Unripe<'_> {
        let Self {
            matrix,
            clusters,
            days_to_win,
            ripe_days_to_win,
        } = self;
        Unripe {
            matrix,
            clusters,
            days_to_win,
            ripe_days_to_win,
            training_cutoff: tables.mature_until(),
        }
    }
}
