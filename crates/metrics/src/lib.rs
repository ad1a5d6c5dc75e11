//! How good scores are: ranking, proper scores, calibration, tiers, intervals; depends on nothing
//! of the project.

mod clusters;
mod error;
mod interval;
mod ranking;

mod bootstrap;
mod calibration;
mod delong;
mod paired;
mod proper;
mod random;
mod recalibration;

mod capacity;
mod decision;
mod points;
mod threshold;

mod comparison;
mod evaluation;
mod segments;
mod verdict;

pub use bootstrap::{BootstrapOptions, ClusterSums, Estimate, resampled_rows};
pub use calibration::{
    CalibrationBin, calibration_bins, calibration_table, expected_calibration_error,
};
pub use capacity::called_share;
pub use clusters::Clusters;
pub use comparison::{
    Calls, CapacityFigures, Comparison, ComparisonInput, MigrationCell, NEARLY, PairedComparison,
    PairedVerdict, ScoreFigures, ScoreInput, SwapSet, SwapSide, compare,
};
pub use decision::{NetBenefit, net_benefit};
pub use delong::{RocAucs, roc_aucs};
pub use error::MetricError;
pub use evaluation::{Deals, Evaluation, EvaluationInput, RankingQuality, TierRow, evaluate};
pub use interval::{Interval, clustered_rate_interval, wilson_interval};
pub use paired::{PairedDifference, paired_difference};
pub use points::{PointsCalibration, cross_calibrated};
pub use proper::{brier_loss, log_loss, log_loss_rows};
pub use ranking::{DecileRow, GainsPoint, Group, Ranking, average_precision, roc_auc};
pub use recalibration::{
    CalibrationLine, Corp, CorpStep, beta_calibration, calibration_line, calibration_shift, corp,
    integrated_calibration_index, isotonic_calibration, line_covariance, line_draws,
    spiegelhalter_z,
};
pub use segments::{SegmentInput, SegmentRow, segment_rows};
pub use threshold::{ThresholdInput, ThresholdRow, Thresholds, threshold_table};
pub use verdict::{
    CalibrationCheck, CalibrationKind, CalibrationVerdict, CheckOf, RowWeights, SumCovariance,
    VerdictInput, judge_calibration,
};
