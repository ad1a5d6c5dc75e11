//! How good scores are: ranking, proper scores, calibration, tiers, intervals; depends on nothing of the project.

mod bootstrap;
mod calibration;
mod error;
mod evaluation;
mod interval;
mod paired;
mod proper;
mod ranking;
mod recalibration;

pub use bootstrap::{BootstrapOptions, Estimate, bootstrap_by_cluster};
pub use calibration::{CalibrationBin, calibration_table, expected_calibration_error};
pub use error::MetricError;
pub use evaluation::{Evaluation, EvaluationInput, ManualComparison, ManualInput, RankingQuality, TierRow, evaluate};
pub use interval::{Interval, clustered_rate_interval, wilson_interval};
pub use paired::{PairedDifference, paired_difference};
pub use proper::{brier_loss, log_loss};
pub use ranking::{DecileRow, GainsPoint, Ranking, average_precision, roc_auc};
pub use recalibration::{
    CalibrationLine, Corp, CorpStep, beta_calibration, calibration_line, calibration_shift, corp, integrated_calibration_index, isotonic_calibration,
    spiegelhalter_z,
};
