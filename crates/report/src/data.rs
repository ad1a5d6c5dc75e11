//! The sections of a report: the same numbers for the page, the workbook, the JSON and the
//! terminal.

use leadscore_inference::GuardFinding;
use leadscore_metrics::{CalibrationVerdict, Comparison, Evaluation, SegmentRow, Thresholds};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Every figure of a report, put together by who knows the tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The model's figures on all rows.
    pub evaluation: Evaluation,
    /// Whether its probabilities are calibrated.
    pub calibration: CalibrationVerdict,
    /// What chance is counted by: "leads" or "accounts".
    pub clusters: &'static str,
    /// How much of the ranking is age alone; `None` for a flat export and snapshots by age.
    pub ages: Option<AgeFigures>,
    /// All scores on the rows that have them all; the first is the model.
    pub comparison: Comparison,
    /// What reaches each threshold of each score.
    pub thresholds: Vec<ThresholdSection>,
    /// Figures month by month, and by categories of the leads.
    pub breakdowns: Vec<Breakdown>,
    /// Leads that the model was most wrong about.
    pub surprises: Surprises,
    /// Leads that only one method would call, strongest first.
    pub swap_lists: Vec<SwapList>,
    /// What retraining would have been worth; `None` where it was not asked for.
    pub backtest: Option<Backtest>,
}

/// What age alone ranks: leads of many ages stand beside each other at a calendar snapshot, and old
/// ones are seldom won.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AgeFigures {
    /// The model's AUC over pairs of leads of the same age, to a month.
    pub roc_auc_within_age: f64,
    /// The AUC of calling the newest leads first.
    pub roc_auc_newest_first: f64,
}

/// What was measured, and on what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSection {
    /// Which rows, in words.
    pub measured_on: String,
    /// What was kept and dropped, in words.
    pub snapshots: String,
    /// First and last snapshot measured.
    pub period: String,
    /// Whether the model may have seen some of these rows.
    pub in_sample: bool,
    /// Whether these are figures of an earlier fit, and not of the model that was written.
    pub of_earlier_fit: bool,
    /// What of these rows lies outside of what the model was trained on.
    pub outside: OutsideTraining,
    /// Rows that lack one of the scores, and are left out of the comparison.
    pub n_without_all: usize,
    /// Of each score beside the model: where it comes from, how it was made a probability, and what
    /// to mind.
    pub baselines: Vec<BaselineNote>,
    /// Where the model's tiers begin, in words; `None` where they are quartiles of these rows.
    pub tiers_from: Option<String>,
    /// How many can be called, in words.
    pub capacity: String,
    /// Cost of a call and value of a win, in words, where they are known.
    pub money: Option<String>,
}

/// What of the measured rows is unlike those that the model was trained on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OutsideTraining {
    /// The share of rows with values that training never saw, 0 to 1.
    pub share: f64,
    /// The same feature by feature, the most frequent first.
    pub findings: Vec<GuardFinding>,
    /// How the config's rule of snapshots differs from the model's, in words.
    pub rule: Option<String>,
}

/// A score beside the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineNote {
    /// Its name.
    pub name: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// How it was made a probability, in words.
    pub calibration: String,
    /// Whether it is points that people give, which sales may have worked by.
    pub is_points: bool,
}

/// The thresholds of one score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdSection {
    /// Name of the score.
    pub score: String,
    /// What its thresholds count: "points" or "% likelihood".
    pub unit: &'static str,
    /// The table.
    pub table: Thresholds,
}

/// Figures by parts of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breakdown {
    /// What parts them.
    #[serde(flatten)]
    pub by: BreakdownBy,
    /// Names of the scores whose AUCs the rows have.
    pub scores: Vec<String>,
    /// The parts.
    pub rows: Vec<SegmentRow>,
}

/// What parts the rows of a breakdown.
///
/// In JSON `by` is its name, and `kind` tells the months from a column of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakdownBy {
    /// The month of the snapshot.
    Month,
    /// A category of the leads, in words.
    Category(String),
}

impl BreakdownBy {
    /// What a heading calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Month => "month",
            Self::Category(name) => name,
        }
    }
}

impl Serialize for BreakdownBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("BreakdownBy", 2)?;
        map.serialize_field("by", self.name())?;
        let kind = match self {
            Self::Month => "month",
            Self::Category(_) => "category",
        };
        map.serialize_field("kind", kind)?;
        map.end()
    }
}

/// Leads that the model was most wrong about, each once.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Surprises {
    /// High likelihood, and not won within the horizon.
    pub high_not_won: Vec<LeadRow>,
    /// Low likelihood, and won.
    pub low_won: Vec<LeadRow>,
}

/// A lead at a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeadRow {
    /// Its id.
    pub lead: String,
    /// The snapshot.
    pub snapshot: String,
    /// The model's likelihood, 0 to 100.
    pub likelihood: f64,
    /// The baseline score, where there is one.
    pub baseline: Option<f64>,
    /// Whether it was won within the horizon.
    pub is_won: bool,
    /// What became of it, in words.
    pub became: String,
    /// The strongest reasons for its likelihood, in words.
    pub reasons: Vec<String>,
}

/// Leads that only one of two methods would call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwapList {
    /// Name of the baseline.
    pub against: String,
    /// Only the model calls them; each lead once, the most likely first.
    pub only_model: Vec<LeadRow>,
    /// Only the baseline calls them; each lead once, the most points first.
    pub only_baseline: Vec<LeadRow>,
}

/// What retraining would have been worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// Each cadence of retraining on the same rows.
    pub cadences: Vec<Cadence>,
    /// What it comes to, in words.
    pub verdict: String,
}

/// One cadence of retraining.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cadence {
    /// Its name, such as "every month" or "never".
    pub name: String,
    /// Models that were fitted.
    pub n_models: usize,
    /// Figures on all rows.
    pub all: SegmentRow,
    /// Mean log-loss on all rows.
    pub log_loss: f64,
    /// Log-loss less that of never retraining: mean and 95 % interval by lead.
    pub difference: (f64, f64, f64),
    /// Figures month by month.
    pub months: Vec<SegmentRow>,
}

/// How the page looks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// The title.
    pub title: String,
    /// Colour of the model, such as `#1f6fb5`; the page's own if `None`.
    pub accent: Option<String>,
    /// A picture as a data URI.
    pub logo: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            title: "Lead scoring report".to_owned(),
            accent: None,
            logo: None,
        }
    }
}

/// How far one feature moves scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Influence {
    /// The feature in words.
    pub feature: String,
    /// Largest minus smallest log-odds over ±2 standard deviations or over its levels.
    pub range: f64,
    /// For a number: whether more raises the likelihood. `None` for a category, a table, or a curve that
    /// goes both ways.
    pub rising: Option<bool>,
}
