//! Snapshots that the model has not seen and whose window has ended, measured as `evaluate` does.

use leadscore::{Data, Model, later_figures};
use leadscore_metrics::CalibrationKind;
use serde_json::json;

use crate::finding::{Layer, MonitorFinding, Urgency};

/// Measures the model on snapshots from its training cutoff on.
///
/// # Errors
///
/// The tables cannot be read. That there is no ripe snapshot yet is a finding.
pub(super) fn ripe(data: &Data, model: &Model) -> leadscore::Result<MonitorFinding> {
    let Some(found) = later_figures(&data.quiet(), model)? else {
        return Ok(too_early(data, model));
    };
    let kind = found.calibration.kind;
    let (urgency, words) = in_words(kind);
    let text = format!(
        "on {} whose window has ended, predicted {:.1} %, observed {:.1} % ({:.1} to {:.1} %): {words}; AUC {:.3} ({:.3} to {:.3})",
        leadscore_core::counted(found.n_snapshots, "later snapshot"),
        100.0 * found.mean_probability,
        100.0 * found.base_rate,
        100.0 * found.base_rate_interval.low,
        100.0 * found.base_rate_interval.high,
        found.roc_auc,
        found.roc_auc_interval.low,
        found.roc_auc_interval.high,
    );
    let figures = json!({
        "kind": kind,
        "n_snapshots": found.n_snapshots,
        "n_wins": found.n_wins,
        "mean_predicted_probability": found.mean_probability,
        "observed_win_rate": found.base_rate,
        "observed_win_rate_interval": found.base_rate_interval,
        "roc_auc": found.roc_auc,
        "roc_auc_interval": found.roc_auc_interval,
        "first_snapshot": found.range.0.to_string(),
        "last_snapshot": found.range.1.to_string(),
    });
    let mut finding = MonitorFinding::new(Layer::Ripe, urgency, text).with(figures);
    if let Some(action) = action(kind) {
        finding = finding.advise(action);
    }
    Ok(finding)
}

fn too_early(data: &Data, model: &Model) -> MonitorFinding {
    MonitorFinding::new(
        Layer::Ripe,
        Urgency::CannotTell,
        format!(
            "no window of {} that began after the training cutoff {} has ended yet, or too few have",
            data.settings().snapshots.horizon,
            model.card.training_cutoff
        ),
    )
}

fn in_words(kind: CalibrationKind) -> (Urgency, &'static str) {
    match kind {
        CalibrationKind::Calibrated => (Urgency::Ok, "the percentages hold"),
        CalibrationKind::DriftedInLevel => (Urgency::Alarm, "the level has drifted"),
        CalibrationKind::TooExtreme => (Urgency::Watch, "the percentages are too extreme"),
        CalibrationKind::TooFlat => (Urgency::Watch, "the percentages are too flat"),
        CalibrationKind::NotByTier => (
            Urgency::Watch,
            "the percentages hold on average, and not by tier",
        ),
        CalibrationKind::Seasonal => (
            Urgency::Watch,
            "the percentages hold over all periods, and not in each",
        ),
        CalibrationKind::CannotTell => (
            Urgency::CannotTell,
            "too few to tell whether the percentages hold",
        ),
    }
}

fn action(kind: CalibrationKind) -> Option<&'static str> {
    match kind {
        CalibrationKind::DriftedInLevel
        | CalibrationKind::TooExtreme
        | CalibrationKind::TooFlat => Some("`leadscore recalibrate`, or train again"),
        CalibrationKind::NotByTier | CalibrationKind::Seasonal => {
            Some("look at the report of `leadscore evaluate`, and train again")
        }
        CalibrationKind::Calibrated | CalibrationKind::CannotTell => None,
    }
}
