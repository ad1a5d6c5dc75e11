//! What a comparison finds: the figures of each score, and the first one against each other one.

use serde::{Deserialize, Serialize};

use crate::bootstrap::Estimate;
use crate::calibration::CalibrationBin;
use crate::decision::NetBenefit;
use crate::evaluation::{RankingQuality, TierRow};
use crate::ranking::GainsPoint;

/// Several scores on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Number of rows.
    pub n_rows: usize,
    /// Number of leads among them.
    pub n_leads: usize,
    /// Number of rows won.
    pub n_wins: usize,
    /// Share won, 0 to 1.
    pub base_rate: f64,
    /// Months that the rows cover; `None` where they have no dates.
    pub months: Option<f64>,
    /// Each score, the first one the model.
    pub scores: Vec<ScoreFigures>,
    /// The first score against each other one, in order.
    pub paired: Vec<PairedComparison>,
}

/// One score's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreFigures {
    /// Its name.
    pub name: String,
    /// How well it ranks.
    pub ranking: RankingQuality,
    /// Its ROC curve: share of other rows called, share of wins called.
    pub roc: Vec<(f64, f64)>,
    /// Its precision-recall curve: share of wins called, share won of the called.
    pub precision_recall: Vec<(f64, f64)>,
    /// Its gains curve.
    pub gains: Vec<GainsPoint>,
    /// What became of its quartiles.
    pub tiers: Vec<TierRow>,
    /// Win rate of the best quartile over that of the last; `None` where that is 0.
    pub top_to_bottom: Option<f64>,
    /// Log-loss of what it says as a probability.
    pub log_loss: Estimate,
    /// Brier loss of what it says as a probability.
    pub brier_loss: Estimate,
    /// Said against happened in ten bins.
    pub calibration: Vec<CalibrationBin>,
    /// Net benefit at several thresholds of probability.
    pub net_benefit: Vec<NetBenefit>,
    /// What the calls find that the capacity allows.
    pub at_capacity: CapacityFigures,
}

/// What the calls find that the capacity allows, best first within each period, ties in proportion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityFigures {
    /// Rows called.
    pub n_called: f64,
    /// Of these, won within the horizon.
    pub n_won: f64,
    /// Share won of the called.
    pub precision: Estimate,
    /// Different leads among the won: a lead that is called in several periods is one customer.
    pub customers: f64,
    /// Customers a month; `None` where rows have no dates.
    pub customers_a_month: Option<Estimate>,
}

/// Whether one score is better than another, by the difference of their AUCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairedVerdict {
    /// The first one ranks better beyond chance.
    Better,
    /// The first one ranks worse beyond chance.
    Worse,
    /// Whichever is better, it is so by less than [`NEARLY`].
    NearlyTied,
    /// The difference may be chance.
    CannotTell,
}

/// A difference of AUCs below which two scores nearly tie.
pub const NEARLY: f64 = 0.02;

/// The first score against another one; every difference is the first one's less the other's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedComparison {
    /// Name of the other one.
    pub against: String,
    /// Whether the first one is better.
    pub verdict: PairedVerdict,
    /// Difference of AUCs, by DeLong with rows of a lead taken together.
    pub auc_difference: Estimate,
    /// The same by the bootstrap.
    pub auc_difference_bootstrap: Estimate,
    /// Difference of the shares of all wins in the best quarter.
    pub capture_difference: Estimate,
    /// Difference of the shares won of the called.
    pub precision_difference: Estimate,
    /// Difference of customers found with the calls that the capacity allows.
    pub customers_difference: Estimate,
    /// The same a month; `None` where rows have no dates.
    pub customers_a_month: Option<Estimate>,
    /// Difference of log-losses: below 0 where the first one is better.
    pub log_loss_difference: Estimate,
    /// Rows and wins by quartile: of the other score down, of the first across.
    pub migration: Vec<Vec<MigrationCell>>,
    /// Who is called by which.
    pub swap: SwapSet,
}

/// Rows of one quartile by one score and of one by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MigrationCell {
    /// Number of rows.
    pub n_rows: usize,
    /// Of these, won.
    pub n_wins: usize,
}

/// Who is called by which score at the capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapSet {
    /// Only by the first one.
    pub only_first: SwapSide,
    /// Only by the other one.
    pub only_other: SwapSide,
    /// By both.
    pub both: SwapSide,
    /// By neither.
    pub neither: SwapSide,
    /// Win rate of those whom only the first one calls, less that of those whom only the other one
    /// calls; `None` where a side is empty.
    pub rate_difference: Option<Estimate>,
}

/// One part of the rows; ties at the edge of the capacity count in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SwapSide {
    /// Number of rows.
    pub n_rows: f64,
    /// Of these, won.
    pub n_wins: f64,
    /// Share won with its interval; `None` where there are no rows.
    pub win_rate: Option<Estimate>,
}
