//! Scores beside the model: what they are at each snapshot, and what they say as probabilities.

use leadscore_core::{Snapshot, Timestamp, counted};
use leadscore_dataset::Tables;
use leadscore_metrics::{Clusters, PointsCalibration, cross_calibrated};

use crate::data::Data;

/// A score beside the model.
pub(crate) struct Baseline {
    /// Such as "the manual score".
    pub(crate) name: String,
    pub(crate) origin: String,
    pub(crate) kind: BaselineKind,
    /// Its column in a table of evaluated snapshots.
    pub(crate) column: String,
    /// Its value at each evaluated snapshot, NaN where it has none.
    pub(crate) values: Vec<f64>,
    /// From where on a lead is called today.
    pub(crate) threshold: Option<f64>,
}

/// What a baseline's values are.
pub(crate) enum BaselineKind {
    /// Probabilities.
    Model,
    /// Points; what they were, and what became of it, on earlier snapshots.
    Points {
        earlier: Vec<f64>,
        labels: Vec<bool>,
    },
}

/// Wins that points are made probabilities by, at least.
const ENOUGH_WINS: usize = 20;

/// What the manual column is called.
const MANUAL: &str = "the manual score";

/// The manual column as a baseline, with what it was on earlier snapshots.
pub(crate) fn manual_baseline(
    tables: &Tables,
    snapshots: &[Snapshot],
    earlier: &[Snapshot],
    earlier_labels: &[bool],
    threshold: Option<f64>,
) -> Option<Baseline> {
    let kind = BaselineKind::Points {
        earlier: manual_scores(tables, earlier)?,
        labels: earlier_labels.to_vec(),
    };
    let origin = "today's value of the column: if it was changed after the outcome, its figures are too good".to_owned();
    Some(Baseline {
        name: MANUAL.to_owned(),
        column: "manual_score".to_owned(),
        origin,
        kind,
        values: manual_scores(tables, snapshots)?,
        threshold,
    })
}

/// The manual score of each snapshot's lead, NaN where it has none; `None` where the config names
/// none.
fn manual_scores(tables: &Tables, keys: &[Snapshot]) -> Option<Vec<f64>> {
    tables
        .leads
        .manual_score
        .as_ref()
        .map(|scores| keys.iter().map(|key| scores[key.lead as usize]).collect())
}

/// The snapshots whose outcome was known when the first of those that are evaluated was looked at.
pub(crate) fn known_before(data: &Data, snapshots: &[Snapshot], first: Timestamp) -> Vec<usize> {
    let is_known = |at: Timestamp| {
        if data.config.is_flat() {
            at < first
        } else {
            at + data.config.snapshots.horizon <= first
        }
    };
    (0..snapshots.len())
        .filter(|&row| is_known(snapshots[row].at))
        .collect()
}

impl Baseline {
    /// What its values say as probabilities, and how that was found.
    pub(super) fn probabilities(
        &self,
        values: &[f64],
        labels: &[bool],
        clusters: &Clusters,
    ) -> crate::Result<(Vec<f64>, String)> {
        let BaselineKind::Points {
            earlier,
            labels: earlier_labels,
        } = &self.kind
        else {
            return Ok((values.to_vec(), "Its percentages are its own".to_owned()));
        };
        let known: Vec<usize> = (0..earlier.len())
            .filter(|&row| !earlier[row].is_nan())
            .collect();
        let known_labels: Vec<bool> = known.iter().map(|&row| earlier_labels[row]).collect();
        let n_wins = known_labels.iter().filter(|label| **label).count();
        if n_wins >= ENOUGH_WINS && known.len() - n_wins >= ENOUGH_WINS {
            let points: Vec<f64> = known.iter().map(|&row| earlier[row]).collect();
            let found = PointsCalibration::fit(&known_labels, &points)?.apply(values);
            return Ok((
                found,
                format!(
                    "As percentages: the share won by points on {} (isotonic)",
                    counted(known.len(), "earlier snapshot")
                ),
            ));
        }
        match cross_calibrated(labels, values, clusters) {
            Ok(found) => {
                Ok((found, "As percentages: too few earlier snapshots, so each half of the leads by the share won in the other (isotonic)".to_owned()))
            }
            Err(_) => {
                let rate = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
                Ok((vec![rate; values.len()], "As percentages: too few wins to learn from, so the win rate for all".to_owned()))
            }
        }
    }
}
