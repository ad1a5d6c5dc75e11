//! What the likelihoods alone lead one to expect, printed with the error that such expectations had
//! before.

mod expected;
mod past;

use leadscore_metrics::{Clusters, Interval};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::expected::{count_interval, expected_auc};

pub use self::past::{PastError, PastForecasts, Vintage, VintageRow, backtest_forecasts};

/// Open leads with what is predicted of them.
#[derive(Debug, Clone, Copy)]
pub struct ForecastInput<'a> {
    /// The probability of each to be won within the horizon.
    pub probabilities: &'a [f64],
    /// The tier of each, 0 for the best.
    pub tiers: &'a [usize],
    /// How many tiers there are.
    pub n_tiers: usize,
}

/// How a forecast is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ForecastOptions {
    /// Fewest past vintages from which an error is learned; default 4.
    pub fewest_vintages: usize,
    /// How many vintages in a row share a part of their windows, such as 3 for monthly snapshots
    /// with a horizon of 90 days, default 3: so many times fewer count as independent.
    pub overlap: f64,
}

impl Default for ForecastOptions {
    fn default() -> Self {
        Self {
            fewest_vintages: 4,
            overlap: 3.0,
        }
    }
}

/// What is expected of the open leads within the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Open leads.
    pub n_leads: usize,
    /// The sum of their probabilities.
    pub wins: f64,
    /// 95 % prediction interval of the number of wins.
    pub interval: Interval,
    /// ROC AUC if each probability is true; `None` where all are equal to 0, or to 1.
    pub roc_auc: Option<f64>,
    /// Brier loss if each probability is true.
    pub brier_loss: f64,
    /// Log-loss if each probability is true.
    pub log_loss: f64,
    /// The tiers, best first.
    pub tiers: Vec<TierForecast>,
    /// The error of such forecasts in the past, which the interval contains where it is known.
    pub past: PastError,
}

/// What is expected of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TierForecast {
    /// Its leads.
    pub n_leads: usize,
    /// Their share of all leads; 0 where there are none.
    pub share: f64,
    /// The sum of their probabilities.
    pub wins: f64,
}

/// Why nothing can be forecast: the input is not what was promised.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ForecastError {
    /// Slices differ in length.
    #[error("there are {n_rows} probabilities and {found} {what}\n  hint: give one of each a lead")]
    Length {
        /// What has another length.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Probabilities.
        n_rows: usize,
    },
    /// A number that is no probability.
    #[error("the probability in row {row} is {found}\n  hint: expected a number from 0 to 1")]
    Probability {
        /// Its row.
        row: usize,
        /// What was found.
        found: f64,
    },
    /// A tier that there is not.
    #[error(
        "the tier in row {row} is {found}, and there are {n_tiers}\n  hint: number tiers from 0"
    )]
    Tier {
        /// Its row.
        row: usize,
        /// What was found.
        found: usize,
        /// How many tiers there are.
        n_tiers: usize,
    },
    /// Vintages overlap by less than themselves.
    #[error("`overlap` is {found}\n  hint: expected a finite number of 1 or more")]
    Overlap {
        /// What was found.
        found: f64,
    },
}

/// What probabilities lead one to expect if they are true, give or take what came in the past.
///
/// ```text
/// wins = ∑ p,   variance = φ ∑ p (1 − p) + τ² (∑ p)²
/// AUC  = ∑ᵢⱼ pᵢ (1 − pⱼ) [pᵢ > pⱼ] / ∑ᵢⱼ pᵢ (1 − pⱼ),   ties count half,   i ≠ j
/// Brier loss = mean p (1 − p)
/// ```
///
/// `φ` is the dispersion by cluster and `τ` the error that whole vintages share, both of the
/// [`PastError`]; where that is not known, `φ = 1` and `τ = 0`, so that the interval is of chance
/// alone and does not contain what may be wrong with the model. The interval follows the skewness
/// of the Poisson-binomial law and ends at whole wins.
///
/// The AUC and losses are what the estimation of performance without labels (CBPE) computes. They
/// hold as far as the probabilities do: a model that is wrong does not show in them.
///
/// # Errors
///
/// [`ForecastError`].
///
/// # Examples
///
/// ```
/// use leadscore_monitoring::{ForecastInput, PastError, forecast};
///
/// let input = ForecastInput { probabilities: &[0.5, 0.25, 0.25], tiers: &[0, 1, 1], n_tiers: 2 };
/// let found = forecast(&input, &PastError::CannotTell { n_vintages: 0, needed: 4 })?;
/// assert_eq!((found.wins, found.tiers[1].wins), (1.0, 0.5));
/// assert_eq!(found.brier_loss, (0.25 + 2.0 * 0.1875) / 3.0);
/// # Ok::<(), leadscore_monitoring::ForecastError>(())
/// ```
///
/// # References
///
/// Garg et al. (2022), ICLR, and the documentation of NannyML on CBPE; Cornish and Fisher (1938),
/// Review of the International Statistical Institute 5.
pub fn forecast(input: &ForecastInput<'_>, past: &PastError) -> Result<Forecast, ForecastError> {
    check_probabilities(input.probabilities)?;
    check_length("tiers", input.tiers.len(), input.probabilities.len())?;
    let mut tiers = vec![
        TierForecast {
            n_leads: 0,
            share: 0.0,
            wins: 0.0,
        };
        input.n_tiers
    ];
    let n = input.probabilities.len() as f64;
    for (row, (&tier, &p)) in input.tiers.iter().zip(input.probabilities).enumerate() {
        let Some(sums) = tiers.get_mut(tier) else {
            return Err(ForecastError::Tier {
                row,
                found: tier,
                n_tiers: input.n_tiers,
            });
        };
        sums.n_leads += 1;
        sums.wins += p;
    }
    tiers
        .iter_mut()
        .for_each(|tier| tier.share = tier.n_leads as f64 / n.max(1.0));
    let mean =
        |of: fn(f64) -> f64| input.probabilities.iter().map(|&p| of(p)).sum::<f64>() / n.max(1.0);
    Ok(Forecast {
        n_leads: input.probabilities.len(),
        wins: input.probabilities.iter().sum(),
        interval: count_interval(input.probabilities, &past.spread()),
        roc_auc: expected_auc(input.probabilities),
        brier_loss: mean(|p| p * (1.0 - p)),
        log_loss: mean(entropy),
        tiers,
        past: *past,
    })
}

fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(p) + part(1.0 - p)
}

fn check_probabilities(probabilities: &[f64]) -> Result<(), ForecastError> {
    match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        None => Ok(()),
        Some(row) => Err(ForecastError::Probability {
            row,
            found: probabilities[row],
        }),
    }
}

fn check_length(what: &'static str, found: usize, n_rows: usize) -> Result<(), ForecastError> {
    if found == n_rows {
        Ok(())
    } else {
        Err(ForecastError::Length {
            what,
            found,
            n_rows,
        })
    }
}

/// The sum of squares of what came less what was predicted, by cluster.
fn squares_by_cluster(labels: &[bool], probabilities: &[f64], clusters: &Clusters) -> f64 {
    let mut sums = vec![0.0; clusters.len()];
    for ((&label, &p), &cluster) in labels.iter().zip(probabilities).zip(clusters.of_row()) {
        sums[cluster as usize] += f64::from(u8::from(label)) - p;
    }
    sums.iter().map(|sum| sum * sum).sum()
}

#[cfg(test)]
mod tests;
