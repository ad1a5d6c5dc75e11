//! What a judgement finds: every check, and what they come to.

use serde::{Deserialize, Serialize};

use crate::paired::PairedDifference;
use crate::recalibration::CalibrationLine;

/// What is wrong with probabilities, or that nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// Every check is within chance, and the log-loss is below the base rate's.
    Calibrated,
    /// Too high or too low everywhere.
    DriftedInLevel,
    /// High ones are too high and low ones too low.
    TooExtreme,
    /// High ones are too low and low ones too high.
    TooFlat,
    /// Right on average, and wrong in a tier or at the top.
    NotByTier,
    /// Right over all periods together, and wrong in some.
    Seasonal,
    /// Too few rows, or no better than the base rate.
    CannotTell,
}

impl CalibrationKind {
    /// The kind as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated",
            Self::DriftedInLevel => "drifted in level",
            Self::TooExtreme => "too extreme",
            Self::TooFlat => "too flat",
            Self::NotByTier => "calibrated on average, not by tier",
            Self::Seasonal => "calibrated over all periods, not in each",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOf {
    /// All rows.
    Mean,
    /// The slope of the calibration line.
    Slope,
    /// Spiegelhalter's statistic.
    Spiegelhalter,
    /// One tier.
    Tier,
    /// The rows with the highest probabilities.
    Top,
    /// One period.
    Period,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCheck {
    /// What it looks at.
    pub of: CheckOf,
    /// Its name, such as a tier's.
    pub name: String,
    /// Number of rows.
    pub n_rows: usize,
    /// Mean probability; for the slope, 1.
    pub predicted: f64,
    /// Observed win rate; for the slope, that of the calibration line.
    pub observed: f64,
    /// How many standard errors lie between the two, above 0 where more was observed.
    pub z: f64,
    /// Whether that is within what chance allows all checks together, or too little to matter.
    pub holds: bool,
}

/// The verdict, with everything that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationVerdict {
    /// What it comes to.
    pub kind: CalibrationKind,
    /// The chance that some check fails although all probabilities are right.
    pub level: f64,
    /// Standard errors from which on a check fails, so that all together fail at that level.
    pub critical: f64,
    /// Every check.
    pub checks: Vec<CalibrationCheck>,
    /// The calibration line.
    pub line: CalibrationLine,
    /// Log-loss less that of the base rate, by cluster.
    pub log_loss_difference: PairedDifference,
    /// Clusters that count as independent.
    pub n_clusters: usize,
    /// By how much the variance of the mean is above that of as many independent rows.
    pub design_effect: f64,
}

impl CalibrationVerdict {
    /// Whether the probabilities can be taken at their word.
    pub fn holds(&self) -> bool {
        self.kind == CalibrationKind::Calibrated
    }

    /// The checks that fail, the worst first.
    pub fn failures(&self) -> Vec<&CalibrationCheck> {
        let mut failures: Vec<&CalibrationCheck> =
            self.checks.iter().filter(|check| !check.holds).collect();
        failures.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()));
        failures
    }
}
