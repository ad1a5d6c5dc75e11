//! How good scores are: ranking, proper scores, calibration, tiers, intervals; depends on nothing of the project.

mod bootstrap;
mod calibration;
mod error;
mod evaluation;
mod interval;
mod proper;
mod ranking;
mod recalibration;

pub use bootstrap::{BootstrapOptions, Estimate, bootstrap_by_cluster};
pub use calibration::{CalibrationBin, calibration_table, expected_calibration_error};
pub use error::MetricError;
pub use evaluation::{Evaluation, EvaluationInput, ManualComparison, ManualInput, RankingQuality, TierRow, evaluate};
pub use interval::{Interval, wilson_interval};
pub use proper::{brier_loss, log_loss};
pub use ranking::{DecileRow, GainsPoint, Ranking, average_precision, roc_auc};
pub use recalibration::{CalibrationLine, Corp, CorpStep, calibration_line, calibration_shift, corp, integrated_calibration_index, spiegelhalter_z};
