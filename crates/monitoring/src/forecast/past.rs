//! Forecasts of the past beside what came: a forecast without its own past error is a promise that
//! nobody checks.

use leadscore_metrics::{Clusters, Interval, brier_loss, roc_auc};
use serde::{Deserialize, Serialize};

use super::expected::{Spread, count_interval, expected_auc};
use super::{
    ForecastError, ForecastOptions, check_length, check_probabilities, squares_by_cluster,
};

/// The leads of one moment in the past, with what was predicted of them and what came.
#[derive(Debug, Clone, Copy)]
pub struct Vintage<'a> {
    /// What it is called, such as its day.
    pub name: &'a str,
    /// What was predicted of each lead.
    pub probabilities: &'a [f64],
    /// Whether each was won within the horizon.
    pub labels: &'a [bool],
    /// The cluster of each: leads of one cluster are not independent.
    pub clusters: &'a [u64],
}

/// A past forecast beside what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VintageRow {
    /// What the vintage is called.
    pub name: String,
    /// Leads of it.
    pub n_leads: usize,
    /// The sum of their probabilities.
    pub expected: f64,
    /// Wins among them.
    pub observed: usize,
    /// 95 % interval of the wins by chance alone, with the dispersion of all vintages.
    pub interval: Interval,
    /// ROC AUC expected and observed; `None` where it does not exist.
    pub roc_auc: (Option<f64>, Option<f64>),
    /// Brier loss expected and observed; NaN without leads.
    pub brier_loss: (f64, f64),
}

impl VintageRow {
    /// Whether as many were won as by chance alone may be.
    pub fn is_inside(&self) -> bool {
        (self.interval.low..=self.interval.high).contains(&(self.observed as f64))
    }

    /// What came less what was expected, as a share of that; `None` where nothing was expected.
    pub fn error(&self) -> Option<f64> {
        (self.expected > 0.0).then(|| self.observed as f64 / self.expected - 1.0)
    }
}

/// All past forecasts, and what they teach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastForecasts {
    /// The vintages in the order they were given in.
    pub vintages: Vec<VintageRow>,
    /// Their errors together.
    pub error: PastError,
}

/// How far forecasts were off in the past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PastError {
    /// So far.
    Known {
        /// Vintages it is of.
        n_vintages: usize,
        /// Mean error as a share of what was expected, each vintage counted by what was expected of
        /// it: above 0 where more was won.
        bias: f64,
        /// Root mean square of the errors, weighted alike.
        typical: f64,
        /// The part of the typical error that chance does not explain, which all leads of a vintage
        /// share.
        shared: f64,
        /// Variance of wins by cluster as a multiple of that of independent leads, 1 or more.
        dispersion: f64,
        /// Mean of observed less expected ROC AUC; `None` where no vintage has both.
        roc_auc_bias: Option<f64>,
        /// Mean of observed less expected Brier loss.
        brier_bias: f64,
        /// Vintages whose wins were within chance.
        n_inside: usize,
        /// Vintages that do not share their windows.
        n_independent: f64,
    },
    /// There are too few vintages whose outcome is known.
    CannotTell {
        /// Vintages there are.
        n_vintages: usize,
        /// Vintages it takes.
        needed: usize,
    },
}

impl PastError {
    /// How much wider than chance a forecast spreads.
    pub(super) fn spread(&self) -> Spread {
        match *self {
            Self::Known {
                shared,
                dispersion,
                n_independent,
                ..
            } => Spread {
                dispersion,
                shared,
                freedom: n_independent.max(1.0),
            },
            Self::CannotTell { .. } => Spread {
                dispersion: 1.0,
                shared: 0.0,
                freedom: f64::INFINITY,
            },
        }
    }
}

/// Compares what would have been forecast for past vintages with what came.
///
/// ```text
/// eᵥ = observed / expected − 1,   bias = ∑ expected · eᵥ / ∑ expected
/// φ = ∑ᵥ ∑ᶜ (∑ᵢ∈ᶜ (yᵢ − pᵢ))² / ∑ p (1 − p), at least 1
/// shared² = ∑ expected · eᵥ² / ∑ expected − φ ∑ (∑ᵢ pᵢ (1 − pᵢ) / expected) / ∑ expected, at least 0
/// ```
///
/// Vintages without leads, or of which nothing was expected, are listed and not counted.
///
/// # Errors
///
/// [`ForecastError`].
pub fn backtest_forecasts(
    vintages: &[Vintage<'_>],
    options: &ForecastOptions,
) -> Result<PastForecasts, ForecastError> {
    if !(1.0..f64::INFINITY).contains(&options.overlap) {
        return Err(ForecastError::Overlap {
            found: options.overlap,
        });
    }
    let mut of_vintages = Vec::new();
    for vintage in vintages {
        check_probabilities(vintage.probabilities)?;
        check_length("labels", vintage.labels.len(), vintage.probabilities.len())?;
        check_length(
            "clusters",
            vintage.clusters.len(),
            vintage.probabilities.len(),
        )?;
        of_vintages.push(Sums::of(vintage));
    }
    let counted: Vec<&Sums> = of_vintages
        .iter()
        .filter(|sums| sums.expected > 0.0 && sums.variance > 0.0)
        .collect();
    let total = |of: fn(&Sums) -> f64| counted.iter().map(|sums| of(sums)).sum::<f64>();
    let dispersion = if counted.is_empty() {
        1.0
    } else {
        (total(|sums| sums.squares) / total(|sums| sums.variance)).max(1.0)
    };
    let spread = Spread {
        dispersion,
        shared: 0.0,
        freedom: f64::INFINITY,
    };
    let rows: Vec<VintageRow> = vintages
        .iter()
        .zip(&of_vintages)
        .map(|(vintage, sums)| row_of(vintage, sums, &spread))
        .collect();
    let error = if counted.len() < options.fewest_vintages.max(1) {
        PastError::CannotTell {
            n_vintages: counted.len(),
            needed: options.fewest_vintages.max(1),
        }
    } else {
        known(&rows, &counted, dispersion, options)
    };
    Ok(PastForecasts {
        vintages: rows,
        error,
    })
}

/// What is summed over the leads of a vintage.
struct Sums {
    expected: f64,
    observed: usize,
    variance: f64,
    squares: f64,
}

impl Sums {
    fn of(vintage: &Vintage<'_>) -> Self {
        let probabilities = vintage.probabilities;
        let expected: f64 = probabilities.iter().sum();
        let observed = vintage.labels.iter().filter(|label| **label).count();
        // Around what came, so that the dispersion is that of clusters and not of the level, which
        // the shared error has.
        let level = if expected > 0.0 {
            observed as f64 / expected
        } else {
            1.0
        };
        let around: Vec<f64> = probabilities.iter().map(|p| level * p).collect();
        Self {
            expected,
            observed,
            variance: probabilities.iter().map(|p| p * (1.0 - p)).sum(),
            squares: squares_by_cluster(vintage.labels, &around, &Clusters::new(vintage.clusters)),
        }
    }
}

fn row_of(vintage: &Vintage<'_>, sums: &Sums, spread: &Spread) -> VintageRow {
    let n_leads = vintage.probabilities.len();
    VintageRow {
        name: vintage.name.to_owned(),
        n_leads,
        expected: sums.expected,
        observed: sums.observed,
        interval: count_interval(vintage.probabilities, spread),
        roc_auc: (
            expected_auc(vintage.probabilities),
            // One label only, or no leads, has none.
            roc_auc(vintage.labels, vintage.probabilities).ok(),
        ),
        brier_loss: (
            sums.variance / n_leads as f64,
            brier_loss(vintage.labels, vintage.probabilities).unwrap_or(f64::NAN),
        ),
    }
}

fn known(
    rows: &[VintageRow],
    counted: &[&Sums],
    dispersion: f64,
    options: &ForecastOptions,
) -> PastError {
    let expected: f64 = counted.iter().map(|sums| sums.expected).sum();
    let weighted = |of: &dyn Fn(&Sums) -> f64| {
        counted
            .iter()
            .map(|sums| sums.expected * of(sums))
            .sum::<f64>()
            / expected
    };
    let error = |sums: &Sums| sums.observed as f64 / sums.expected - 1.0;
    let square = weighted(&|sums| error(sums).powi(2));
    let by_chance = weighted(&|sums| dispersion * sums.variance / sums.expected.powi(2));
    let aucs: Vec<f64> = rows
        .iter()
        .filter_map(|row| Some(row.roc_auc.1? - row.roc_auc.0?))
        .collect();
    let briers: Vec<f64> = rows
        .iter()
        .map(|row| row.brier_loss.1 - row.brier_loss.0)
        .filter(|bias| bias.is_finite())
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    PastError::Known {
        n_vintages: counted.len(),
        bias: weighted(&error),
        typical: square.sqrt(),
        shared: (square - by_chance).max(0.0).sqrt(),
        dispersion,
        roc_auc_bias: (!aucs.is_empty()).then(|| mean(&aucs)),
        brier_bias: mean(&briers),
        n_inside: rows
            .iter()
            .filter(|row| row.expected > 0.0 && row.is_inside())
            .count(),
        n_independent: counted.len() as f64 / options.overlap,
    }
}
