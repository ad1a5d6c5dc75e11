//! The season: a yearly wave of the level, where the reference has a whole year and shows one.

use leadscore_solver::{Factor, SolverError};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::bins::WeekSums;

/// Weeks of a year.
pub(crate) const YEAR: f64 = 365.25 / 7.0;
/// Weeks from the first to the last of the reference that count as a year.
const WHOLE_YEAR: u32 = 52;
/// The 99.9 % quantile of chi-squared with two degrees of freedom: a season that is none would be
/// expected again, and the next year would differ from it.
const CRITICAL: f64 = 13.816;

/// What is known of the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// The reference is shorter than a year: a season would look like a change.
    Unknown,
    /// A whole year shows none at a level of 0.1 %.
    None,
    /// One year shows a yearly wave; it is expected again. What happened once in that year cannot
    /// be told from it.
    OneYear,
    /// Two years or more show it.
    Years,
}

impl Season {
    /// Whether the weekly chance has a yearly wave.
    pub(crate) fn is_fitted(self) -> bool {
        match self {
            Self::OneYear | Self::Years => true,
            Self::Unknown | Self::None => false,
        }
    }
}

/// Sine and cosine of a week in its year.
pub(crate) fn wave(week: u32) -> [f64; 2] {
    let turn = std::f64::consts::TAU * f64::from(week) / YEAR;
    [turn.sin(), turn.cos()]
}

/// Whether wins against expected wins of the reference follow a yearly wave.
///
/// A score test of two coefficients on weekly sums; the dispersion is what the wave leaves over.
pub(crate) fn find(weeks: &[WeekSums]) -> Result<Season, SolverError> {
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
        return Ok(Season::Unknown);
    };
    let span = (last.week - first.week).saturating_add(1);
    if span < WHOLE_YEAR {
        return Ok(Season::Unknown);
    }
    let mut information = Array2::<f64>::zeros((3, 3));
    let mut score = [0.0; 3];
    let row = |week: u32| {
        let [sine, cosine] = wave(week);
        [1.0, sine, cosine]
    };
    for sums in weeks {
        let (x, variance) = (row(sums.week), sums.bins.variance());
        let residual = sums.observed - sums.bins.expected();
        for a in 0..3 {
            score[a] += x[a] * residual;
            for b in 0..3 {
                information[[a, b]] += variance * x[a] * x[b];
            }
        }
    }
    let factor = Factor::new(information)?;
    let beta = factor.solve(&score);
    let left: f64 = weeks
        .iter()
        .map(|sums| {
            let variance = sums.bins.variance();
            let shift: f64 = row(sums.week).iter().zip(&beta).map(|(x, b)| x * b).sum();
            let residual = sums.observed - sums.bins.expected() - variance * shift;
            residual * residual / variance.max(1e-12)
        })
        .sum();
    let dispersion = (left / (weeks.len() as f64 - 3.0).max(1.0)).max(1.0);
    let covariance = factor.inverse();
    let (a, b, c) = (covariance[[1, 1]], covariance[[1, 2]], covariance[[2, 2]]);
    let statistic = (c * beta[1] * beta[1] - 2.0 * b * beta[1] * beta[2] + a * beta[2] * beta[2])
        / ((a * c - b * b) * dispersion);
    Ok(if statistic <= CRITICAL {
        Season::None
    } else if span >= 2 * WHOLE_YEAR {
        Season::Years
    } else {
        Season::OneYear
    })
}
