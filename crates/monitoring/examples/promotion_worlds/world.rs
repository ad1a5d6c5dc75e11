//! A world with a known truth: leads in clusters, models of it, and their true log-loss.

use leadscore_solver::{
    Column, Design, Penalty, Precision, SolverError, SolverOptions, Target, fit,
};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Numbers that decide about a win.
pub(crate) const N_REAL: usize = 6;
/// With those that do not.
pub(crate) const N_NUMBERS: usize = N_REAL + 2;

pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Uniform on a logarithmic scale.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.uniform())
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        ((self.uniform() * most as f64) as usize).min(most - 1) + 1
    }
}

/// What decides about a win, and how rows hang together.
#[derive(Clone)]
pub(crate) struct World {
    /// Intercept, then the weights of the numbers that decide.
    pub(crate) weights: Vec<f64>,
    /// Rows of a cluster at most.
    pub(crate) largest_cluster: usize,
    /// Share of the rows of a cluster that are won or lost together.
    pub(crate) together: f64,
    /// Numbers of rows by which true losses are computed.
    sample: Vec<[f64; N_NUMBERS]>,
}

/// Rows: numbers, labels, clusters.
#[derive(Default, Clone)]
pub(crate) struct Rows {
    pub(crate) numbers: Vec<[f64; N_NUMBERS]>,
    pub(crate) labels: Vec<bool>,
    pub(crate) clusters: Vec<u64>,
}

impl World {
    /// A world of this win rate.
    pub(crate) fn new(draws: &mut Draws, rate: f64, largest_cluster: usize, together: f64) -> Self {
        let mut weights = vec![0.0];
        weights.extend((0..N_REAL).map(|_| 0.5 * draws.normal()));
        // Each row also with its noise swapped and turned, so that errors of equal size lose the
        // same, up to the last digit.
        let sample: Vec<[f64; N_NUMBERS]> = (0..4_000)
            .flat_map(|_| {
                let x: [f64; N_NUMBERS] = std::array::from_fn(|_| draws.normal());
                let with = |first: f64, second: f64| {
                    let mut x = x;
                    (x[N_REAL], x[N_REAL + 1]) = (first, second);
                    x
                };
                let (a, b) = (x[N_REAL], x[N_REAL + 1]);
                [with(a, b), with(b, a), with(-a, -b), with(-b, -a)]
            })
            .collect();
        let mut world = Self {
            weights,
            largest_cluster,
            together,
            sample,
        };
        let (mut low, mut high) = (-12.0, 6.0);
        for _ in 0..60 {
            world.weights[0] = f64::midpoint(low, high);
            if world.rate() < rate {
                low = world.weights[0];
            } else {
                high = world.weights[0];
            }
        }
        world
    }

    fn rate(&self) -> f64 {
        let sum: f64 = self.sample.iter().map(|x| chance(self.log_odds(x))).sum();
        sum / self.sample.len() as f64
    }

    /// The true log-odds of a row.
    pub(crate) fn log_odds(&self, x: &[f64; N_NUMBERS]) -> f64 {
        self.weights[0]
            + self.weights[1..]
                .iter()
                .zip(x)
                .map(|(weight, x)| weight * x)
                .sum::<f64>()
    }

    /// The true mean log-loss of a model, over rows that it will meet.
    pub(crate) fn true_loss(&self, model: &Model) -> f64 {
        let losses = self.sample.iter().map(|x| {
            let (p, q) = (chance(self.log_odds(x)), model.log_odds(self, x));
            p * loss(true, q) + (1.0 - p) * loss(false, q)
        });
        losses.sum::<f64>() / self.sample.len() as f64
    }

    /// `n` rows, in clusters that begin at `first`.
    pub(crate) fn rows(&self, draws: &mut Draws, n: usize, first: u64) -> Rows {
        let mut rows = Rows::default();
        let (common, own) = (0.7_f64.sqrt(), 0.3_f64.sqrt());
        for cluster in first.. {
            let size = draws.up_to(self.largest_cluster).min(n - rows.labels.len());
            let of_cluster: [f64; N_NUMBERS] = std::array::from_fn(|_| draws.normal());
            let shared = draws.uniform();
            for _ in 0..size {
                let x: [f64; N_NUMBERS] =
                    std::array::from_fn(|idx| common * of_cluster[idx] + own * draws.normal());
                let draw = if draws.uniform() < self.together {
                    shared
                } else {
                    draws.uniform()
                };
                rows.labels.push(draw < chance(self.log_odds(&x)));
                rows.numbers.push(x);
                rows.clusters.push(cluster);
            }
            if rows.labels.len() >= n {
                break;
            }
        }
        rows
    }
}

impl Rows {
    /// These rows and those behind them.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.numbers.extend_from_slice(&other.numbers);
        self.labels.extend_from_slice(&other.labels);
        self.clusters.extend_from_slice(&other.clusters);
        self
    }

    /// The log-loss of each row by a model.
    pub(crate) fn losses(&self, world: &World, model: &Model) -> Vec<f64> {
        self.labels
            .iter()
            .zip(&self.numbers)
            .map(|(&label, x)| loss(label, model.log_odds(world, x)))
            .collect()
    }
}

/// What gives log-odds to rows.
#[derive(Clone)]
pub(crate) enum Model {
    /// Fitted weights: intercept, then all numbers.
    Fitted(Vec<f64>),
    /// The truth with an error of a kind.
    Wrong(Error, f64),
}

/// How a model is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    /// It reads a number that says nothing.
    Noise,
    /// It reads another number that says nothing.
    OtherNoise,
    /// All log-odds are off.
    Level,
    /// High log-odds are too high and low ones too low.
    Slope,
}

impl Model {
    /// A model of the truth that loses `share` more than the truth itself.
    pub(crate) fn worse_by(world: &World, error: Error, share: f64) -> Self {
        let truth = world.true_loss(&Self::Wrong(error, 0.0));
        let (mut low, mut high) = (0.0, 6.0);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if world.true_loss(&Self::Wrong(error, middle)) < truth * (1.0 + share) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Self::Wrong(error, f64::midpoint(low, high))
    }

    /// A logistic regression of these rows; `None` where only one label is among them.
    pub(crate) fn fitted(rows: &Rows) -> Result<Option<Self>, SolverError> {
        let columns: Vec<Vec<f64>> = (0..N_NUMBERS)
            .map(|idx| rows.numbers.iter().map(|x| x[idx]).collect())
            .collect();
        let columns: Vec<Column<'_>> = columns
            .iter()
            .map(|column| Column::numbers(column))
            .collect();
        let n_wins = rows.labels.iter().filter(|label| **label).count();
        if n_wins == 0 || n_wins == rows.labels.len() {
            return Ok(None);
        }
        let design = Design::new(rows.labels.len(), &columns, Precision::F64)?;
        let target = Target::new(&rows.labels, None, None)?;
        let penalty = Penalty::none().ridge(1..1 + N_NUMBERS, 1.0);
        let options = SolverOptions {
            final_hessian: false,
            ..SolverOptions::default()
        };
        let found = fit(&design, &target, &penalty, options, None)?;
        Ok(Some(Self::Fitted(found.coefficients)))
    }

    /// The log-odds of a row.
    pub(crate) fn log_odds(&self, world: &World, x: &[f64; N_NUMBERS]) -> f64 {
        match self {
            Self::Fitted(weights) => {
                weights[0]
                    + weights[1..]
                        .iter()
                        .zip(x)
                        .map(|(weight, x)| weight * x)
                        .sum::<f64>()
            }
            Self::Wrong(error, size) => {
                let truth = world.log_odds(x);
                match error {
                    Error::Noise => truth + size * x[N_REAL],
                    Error::OtherNoise => truth + size * x[N_REAL + 1],
                    Error::Level => truth + size,
                    Error::Slope => world.weights[0] + (1.0 + size) * (truth - world.weights[0]),
                }
            }
        }
    }
}

fn chance(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log-loss of a label.
fn loss(label: bool, log_odds: f64) -> f64 {
    let x = if label { -log_odds } else { log_odds };
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
