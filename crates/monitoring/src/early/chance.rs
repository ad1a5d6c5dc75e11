//! The weekly chance: how likely an open lead is won in the coming 7 days, from the log-odds of its
//! 90-day probability, tier, age and season.

use leadscore_solver::{
    Column, Design, Fit, Penalty, Precision, SolverError, SolverOptions, Target,
    clustered_covariance, fit,
};
use ndarray::Array2;
use rayon::iter::IndexedParallelIterator;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::dispersion::MIN_CLUSTERS;
use super::rows::LeadWeeks;
use super::season::{Season, wave};

/// Shares of rows at whose ages the slope over `ln(1 + age)` may change.
const KNOTS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// Log-odds, their square, `ln(1 + age)` and its hinges.
const N_LEVEL_NUMBERS: usize = 3 + KNOTS.len();
/// Ridge of log-odds and season, as a share of a win.
const WEAK: f64 = 0.01;
/// Ridge of all other coefficients: a standard deviation of 1.
const RIDGE: f64 = 1.0;
/// Log-odds beyond which probabilities are 0 or 1 for any purpose.
const MOST_LOG_ODDS: f64 = 30.0;
/// Rows of a piece of parallel work.
const PIECE: usize = 16_384;

/// The chance of a win in the coming 7 days, fitted on the reference.
///
/// ```text
/// logit q = a + b z + c z² + f(ln(1 + age)) + tier + s sin(2π week / year) + t cos(2π week / year)
/// ```
///
/// where `z` is the scaled log-odds, `f` is linear between five ages, and the season is there only
/// where the reference has a whole year and shows one. A small ridge keeps it finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeeklyChance {
    shape: Shape,
    coefficients: Vec<f64>,
    season: Season,
    /// Covariance of the level, the sine and the cosine.
    covariance: [[f64; 3]; 3],
}

/// How log-odds and ages are scaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shape {
    log_odds: Scale,
    age: Scale,
    knots: Vec<f64>,
    n_tiers: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scale {
    mean: f64,
    deviation: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn new(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / n;
        Self {
            mean,
            deviation: if variance > 1e-18 {
                variance.sqrt()
            } else {
                1.0
            },
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// Scaled; beyond what the reference had, as at its end.
    fn apply(&self, value: f64) -> f64 {
        ((value.clamp(self.low, self.high) - self.mean) / self.deviation).clamp(-6.0, 6.0)
    }
}

impl Shape {
    fn new(rows: &LeadWeeks) -> Self {
        let logs: Vec<f64> = rows
            .age_weeks
            .iter()
            .map(|age| f64::from(*age).ln_1p())
            .collect();
        let bounded: Vec<f64> = rows
            .log_odds
            .iter()
            .map(|log_odds| log_odds.clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS))
            .collect();
        let age = Scale::new(&logs);
        let mut ages: Vec<f64> = logs.iter().map(|log| age.apply(*log)).collect();
        let last = ages.len() - 1;
        let mut quantile = |share: f64| {
            let at = (share * last as f64) as usize;
            *ages.select_nth_unstable_by(at, f64::total_cmp).1
        };
        Self {
            log_odds: Scale::new(&bounded),
            knots: KNOTS.iter().map(|share| quantile(*share)).collect(),
            age,
            n_tiers: rows
                .tier
                .iter()
                .map(|tier| *tier as usize)
                .max()
                .unwrap_or(0)
                + 1,
        }
    }

    /// Scaled log-odds and `ln(1 + age)` of a row.
    fn scaled(&self, log_odds: f64, age_weeks: f32) -> (f64, f64) {
        (
            self.log_odds.apply(log_odds),
            self.age.apply(f64::from(age_weeks).ln_1p()),
        )
    }

    /// One of the numbers of a row that do not depend on the week.
    fn number(&self, number: usize, (z, age): (f64, f64)) -> f64 {
        match number {
            0 => z,
            1 => z * z - 1.0,
            2 => age,
            hinge => (age - self.knots[hinge - 3]).max(0.0),
        }
    }

    fn numbers(&self, log_odds: f64, age_weeks: f32) -> [f64; N_LEVEL_NUMBERS] {
        let scaled = self.scaled(log_odds, age_weeks);
        std::array::from_fn(|number| self.number(number, scaled))
    }
}

/// What a fit learns from: some rows, a label for each, and log-odds to start with.
pub(crate) struct Learning<'a> {
    pub(crate) rows: &'a LeadWeeks,
    pub(crate) labels: &'a [bool],
    /// Rows to learn from, in any order.
    pub(crate) picked: &'a [u32],
    /// Season of each row, already known.
    pub(crate) offsets: Option<&'a [f64]>,
}

impl WeeklyChance {
    /// Fits the chance; `season` says whether with a yearly wave.
    pub(crate) fn fit(learning: &Learning<'_>, season: Season) -> Result<Self, SolverError> {
        let rows = learning.rows;
        let shape = Shape::new(rows);
        let picked = learning.picked;
        let row = |at: usize| picked[at] as usize;
        let n_numbers = N_LEVEL_NUMBERS + if season.is_fitted() { 2 } else { 0 };
        let scaled: Vec<(f64, f64)> = picked
            .iter()
            .map(|row| *row as usize)
            .map(|row| shape.scaled(rows.log_odds[row], rows.age_weeks[row]))
            .collect();
        let mut columns: Vec<Column<'_>> = (0..N_LEVEL_NUMBERS)
            .map(|number| {
                let (shape, scaled) = (&shape, &scaled);
                Column::Number(Box::new(move |range, out: &mut [f64]| {
                    for (value, at) in out.iter_mut().zip(range) {
                        *value = shape.number(number, scaled[at]);
                    }
                }))
            })
            .collect();
        if season.is_fitted() {
            for part in 0..2 {
                columns.push(Column::Number(Box::new(move |range, out: &mut [f64]| {
                    let mut last = (u32::MAX, 0.0);
                    for (value, at) in out.iter_mut().zip(range) {
                        let week = rows.week[row(at)];
                        if last.0 != week {
                            last = (week, wave(week)[part]);
                        }
                        *value = last.1;
                    }
                })));
            }
        }
        columns.push(Column::Codes {
            n_levels: shape.n_tiers,
            fill: Box::new(move |range, out: &mut [u32]| {
                for (code, at) in out.iter_mut().zip(range) {
                    *code = u32::from(rows.tier[row(at)]);
                }
            }),
        });
        let design = Design::new(picked.len(), &columns, Precision::F64)?;
        let labels: Vec<bool> = (0..picked.len())
            .map(|at| learning.labels[row(at)])
            .collect();
        let offsets: Option<Vec<f64>> = learning
            .offsets
            .map(|offsets| (0..picked.len()).map(|at| offsets[row(at)]).collect());
        let target = Target::new(&labels, None, offsets.as_deref())?;
        let penalty = Penalty::none()
            .ridge(1..2, WEAK)
            .ridge(2..1 + N_LEVEL_NUMBERS, RIDGE)
            .ridge(1 + N_LEVEL_NUMBERS..1 + n_numbers, WEAK)
            .ridge(1 + n_numbers..1 + n_numbers + shape.n_tiers, RIDGE);
        let fitted = fit(&design, &target, &penalty, SolverOptions::default(), None)?;
        let mut chance = Self {
            shape: shape.clone(),
            coefficients: fitted.coefficients.clone(),
            season,
            covariance: [[0.0; 3]; 3],
        };
        chance.covariance = chance.covariance_of_level(learning, &design, &target, &fitted)?;
        Ok(chance)
    }

    /// Covariance of the level and the season, with rows of one cluster taken together; with fewer
    /// than 20 clusters as if rows were independent.
    fn covariance_of_level(
        &self,
        learning: &Learning<'_>,
        design: &Design,
        target: &Target,
        fitted: &Fit,
    ) -> Result<[[f64; 3]; 3], SolverError> {
        let rows = learning.rows;
        let clusters: Vec<u64> = learning
            .picked
            .iter()
            .map(|row| rows.cluster[*row as usize])
            .collect();
        let mut distinct = clusters.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let full: Array2<f64> = if distinct.len() < MIN_CLUSTERS {
            fitted.factor.inverse()
        } else {
            clustered_covariance(design, target, fitted, &clusters)?
        };
        // How the mean log-odds of the rows depends on each coefficient.
        let n = self.coefficients.len();
        let mut gradient = vec![0.0; n];
        let mut total = 0.0;
        let first_tier = n - self.shape.n_tiers;
        for row in learning.picked.iter().map(|row| *row as usize) {
            let numbers = self.shape.numbers(rows.log_odds[row], rows.age_weeks[row]);
            let log_odds = self.without_season(&numbers, rows.tier[row]);
            let chance = 1.0 / (1.0 + (-log_odds).exp());
            let weight = chance * (1.0 - chance);
            total += weight;
            gradient[0] += weight;
            for (sum, number) in gradient[1..].iter_mut().zip(numbers) {
                *sum += weight * number;
            }
            gradient[first_tier + rows.tier[row] as usize] += weight;
        }
        gradient.iter_mut().for_each(|sum| *sum /= total);
        let mut directions = vec![gradient];
        if self.season.is_fitted() {
            for part in 0..2 {
                let mut direction = vec![0.0; n];
                direction[1 + N_LEVEL_NUMBERS + part] = 1.0;
                directions.push(direction);
            }
        }
        let mut covariance = [[0.0; 3]; 3];
        for (a, left) in directions.iter().enumerate() {
            for (b, right) in directions.iter().enumerate() {
                let mut sum = 0.0;
                for (i, x) in left.iter().enumerate() {
                    for (j, y) in right.iter().enumerate() {
                        sum += x * y * full[[i, j]];
                    }
                }
                covariance[a][b] = sum;
            }
        }
        Ok(covariance)
    }

    fn without_season(&self, numbers: &[f64; N_LEVEL_NUMBERS], tier: u8) -> f64 {
        let first_tier = self.coefficients.len() - self.shape.n_tiers;
        // A tier that the reference did not have is as the mean of all.
        let of_tier = if (tier as usize) < self.shape.n_tiers {
            self.coefficients[first_tier + tier as usize]
        } else {
            0.0
        };
        self.coefficients[0]
            + of_tier
            + numbers
                .iter()
                .zip(&self.coefficients[1..])
                .map(|(number, coefficient)| number * coefficient)
                .sum::<f64>()
    }

    /// Log-odds that the season adds in a week.
    pub(crate) fn season_of(&self, week: u32) -> f64 {
        if !self.season.is_fitted() {
            return 0.0;
        }
        let [sine, cosine] = wave(week);
        let at = 1 + N_LEVEL_NUMBERS;
        self.coefficients[at] * sine + self.coefficients[at + 1] * cosine
    }

    /// The chance of each row, `(n_rows,)`, between 0 and 1.
    pub fn apply(&self, rows: &LeadWeeks) -> Vec<f64> {
        let mut chances = vec![0.0; rows.len()];
        chances
            .par_chunks_mut(PIECE)
            .enumerate()
            .for_each(|(piece, chances)| {
                let mut last = (u32::MAX, f64::NAN);
                for (at, chance) in chances.iter_mut().enumerate() {
                    let row = piece * PIECE + at;
                    if last.0 != rows.week[row] || last.1.is_nan() {
                        last = (rows.week[row], self.season_of(rows.week[row]));
                    }
                    let numbers = self.shape.numbers(rows.log_odds[row], rows.age_weeks[row]);
                    let log_odds = self.without_season(&numbers, rows.tier[row]) + last.1;
                    *chance = 1.0 / (1.0 + (-log_odds).exp());
                }
            });
        chances
    }

    /// The same chance, fitted without a season, with what is known of it.
    pub(crate) fn known_as(self, season: Season) -> Self {
        Self { season, ..self }
    }

    /// What is known of the season.
    pub fn season(&self) -> Season {
        self.season
    }

    /// Standard error of the level, in log-odds, from the rows that it was fitted on.
    pub fn level_error(&self) -> f64 {
        self.covariance[0][0].max(0.0).sqrt()
    }

    /// Covariance of the level, the sine and the cosine.
    pub(crate) fn covariance(&self) -> [[f64; 3]; 3] {
        self.covariance
    }
}

/// Numbers of all rows, as many as there are.
pub(crate) fn all_rows(n_rows: usize) -> Vec<u32> {
    (0..n_rows)
        .into_par_iter()
        .map(|row| u32::try_from(row).expect("rows were counted at the door"))
        .collect()
}
