//! One model on snapshots that it has not seen, in the few figures that monitoring needs.

use leadscore_core::Timestamp;
use leadscore_inference::Model;
use leadscore_metrics::{
    CalibrationVerdict, Clusters, Interval, Ranking, clustered_rate_interval, roc_aucs,
};
use serde::Serialize;

use super::{CompareOptions, Later, range, refuse_undated};
use crate::data::Data;

/// A model on later snapshots.
#[derive(Debug, Clone, Serialize)]
pub struct LaterFigures {
    /// Snapshots whose window has ended.
    pub n_snapshots: usize,
    /// Wins among them.
    pub n_wins: usize,
    /// The first and the last of them.
    #[serde(skip)]
    pub range: (Timestamp, Timestamp),
    /// Mean predicted probability.
    pub mean_probability: f64,
    /// Share won.
    pub base_rate: f64,
    /// Its 95 % interval, by cluster.
    pub base_rate_interval: Interval,
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// Its 95 % interval, by cluster (DeLong).
    pub roc_auc_interval: Interval,
    /// Whether the percentages hold, as `evaluate` judges it.
    pub calibration: CalibrationVerdict,
}

/// Measures a model on snapshots from its training cutoff on; `None` where no window has ended, or
/// all ended alike.
///
/// # Errors
///
/// The data is undated, or the tables cannot be read.
pub fn later_figures(data: &Data, model: &Model) -> crate::Result<Option<LaterFigures>> {
    refuse_undated(data)?;
    let (from, to) = range(data, [model, model], &CompareOptions::default())?;
    let later = Later::of(data, model, from, to)?;
    let Some(calibration) = later.calibration else {
        return Ok(None);
    };
    let n = later.labels.len() as f64;
    let n_wins = later.labels.iter().filter(|label| **label).count();
    let ranking = Ranking::new(&later.probabilities)?;
    let aucs = roc_aucs(&later.labels, &[ranking], &Clusters::new(&later.clusters))?;
    let width = 1.96 * aucs.covariance[0].max(0.0).sqrt();
    Ok(Some(LaterFigures {
        n_snapshots: later.labels.len(),
        n_wins,
        range: (
            later.snapshots[0].at,
            later.snapshots[later.snapshots.len() - 1].at,
        ),
        mean_probability: later.probabilities.iter().sum::<f64>() / n,
        base_rate: n_wins as f64 / n,
        base_rate_interval: clustered_rate_interval(&later.labels, &later.clusters),
        roc_auc: aucs.areas[0],
        roc_auc_interval: Interval {
            low: (aucs.areas[0] - width).max(0.0),
            high: (aucs.areas[0] + width).min(1.0),
        },
        calibration,
    }))
}
