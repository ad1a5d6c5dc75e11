//! One fit: a shape of model with its strengths, on some rows, by either solver.

use leadscore_inference::{Axis, Covariance, FitCertificate};
use leadscore_solver::{Design, Fit, Penalty, SolverOptions, Start, Target, covariance_with_shrinkage, log_odds, log_odds_of_many};
use ndarray::Array2;

use crate::coding::{Beforehand, Coding, CodingOptions, Combination, Smoothing, Strengths, fit_axis};
use crate::error::TrainError;
use crate::logistic::{LogisticFit, LogisticOptions, fit_logistic};
use crate::pairs::screen;
use crate::smoothing::{estimate, whole};
use crate::train::TrainInput;

/// Which solver fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolverKind {
    /// Ours.
    Native,
    /// linfa-logistic: slower, one thread, straight lines only; the reference.
    Linfa,
}

/// What a model is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// The win rate, for everyone.
    BaseRate,
    /// Straight lines and levels.
    Linear,
    /// Curves and levels, and tables over this many pairs of features.
    Additive {
        /// Number of tables.
        n_pairs: usize,
    },
    /// The same, and for each segment its own deviation from the common curves: tables of the segment with each feature that
    /// matters, pulled to nothing, so that a small segment borrows from all.
    Segmented {
        /// Number of other tables.
        n_pairs: usize,
        /// The feature that names the segment.
        segment: usize,
    },
}

/// Rows from which bins are finer.
const MANY_ROWS: usize = 150_000;

impl Shape {
    /// The shape in words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::BaseRate => "the base rate".to_owned(),
            Self::Linear => "straight lines".to_owned(),
            Self::Additive { n_pairs: 0 } => "curves".to_owned(),
            Self::Additive { n_pairs } => format!("curves and {}", n_tables(n_pairs)),
            Self::Segmented { n_pairs: 0, .. } => "curves of their own for each segment".to_owned(),
            Self::Segmented { n_pairs, .. } => format!("curves of their own for each segment and {}", n_tables(n_pairs)),
        }
    }

    /// The kind as the config calls it.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::BaseRate => "base rate",
            Self::Linear => "linear",
            Self::Additive { .. } | Self::Segmented { .. } => "additive",
        }
    }

    /// Number of tables that the screen finds, and the segment.
    pub(crate) fn tables(self) -> (usize, Option<usize>) {
        match self {
            Self::BaseRate | Self::Linear => (0, None),
            Self::Additive { n_pairs } => (n_pairs, None),
            Self::Segmented { n_pairs, segment } => (n_pairs, Some(segment)),
        }
    }

    /// With very many rows, finer bins and tables: there the steps themselves would be the largest error.
    pub(crate) fn coding_options(self, n_rows: usize) -> CodingOptions {
        let default = CodingOptions { curves: matches!(self, Self::Additive { .. } | Self::Segmented { .. }), ..CodingOptions::default() };
        if n_rows < MANY_ROWS { default } else { CodingOptions { max_bins: 32, max_side: 12, ..default } }
    }
}

fn n_tables(n_pairs: usize) -> String {
    format!("{n_pairs} table{} over two features", if n_pairs == 1 { "" } else { "s" })
}

/// A fit and its coding.
#[derive(Debug)]
pub struct Fitted {
    pub(crate) coding: Coding,
    pub(crate) coefficients: Vec<f64>,
    /// What the weights were held by.
    pub(crate) penalty: Penalty,
    /// The part of it that says where weights may lie.
    pub(crate) prior: Penalty,
    /// The fit by our solver and the rows as it saw them; `None` by linfa.
    pub(crate) native: Option<(Fit, Design)>,
    /// How it ended, in words.
    pub(crate) ending: String,
}

impl Fitted {
    /// Number of tables over two features.
    pub fn n_pairs(&self) -> usize {
        self.coding.n_pairs()
    }

    /// Log-odds of the rows that it was fitted on.
    pub(crate) fn own_log_odds(&self, input: TrainInput<'_>, rows: &[usize]) -> Result<Vec<f64>, TrainError> {
        match &self.native {
            Some((_, design)) => Ok(log_odds(design, None, &self.coefficients)?),
            None => self.log_odds(input, rows),
        }
    }

    /// Log-odds of rows of the matrix that it was fitted on.
    ///
    /// # Errors
    ///
    /// [`TrainError::Fit`] where there are no rows.
    pub fn log_odds(&self, input: TrainInput<'_>, rows: &[usize]) -> Result<Vec<f64>, TrainError> {
        let solver = if self.native.is_some() { SolverKind::Native } else { SolverKind::Linfa };
        CodedRows::new(input, &self.coding, rows, solver)?.log_odds(&self.coefficients)
    }
}

/// A coding with its rows, ready to be fitted with several penalties.
pub(crate) struct Bench<'a> {
    input: TrainInput<'a>,
    rows: &'a [usize],
    data: Data,
}

struct Native {
    design: Design,
    target: Target,
    start: Option<Vec<f64>>,
}

enum Data {
    Native(Box<Native>),
    Linfa { dense: Array2<f64>, labels: Vec<bool>, last: Option<LogisticFit> },
}

impl<'a> Bench<'a> {
    pub(crate) fn new(input: TrainInput<'a>, rows: &'a [usize], coding: &Coding, solver: SolverKind) -> Result<Self, TrainError> {
        let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
        let data = match solver {
            SolverKind::Native => {
                let design = coding.design(input.matrix, rows)?;
                Data::Native(Box::new(Native { design, target: Target::new(&labels, None, None)?, start: None }))
            }
            SolverKind::Linfa => Data::Linfa { dense: coding.dense(input.matrix, rows), labels, last: None },
        };
        Ok(Self { input, rows, data })
    }

    /// Coefficients good enough to rank penalties, for each of these strengths.
    pub(crate) fn rank(&mut self, coding: &Coding, grid: &[Strengths]) -> Result<Vec<Vec<f64>>, TrainError> {
        match &mut self.data {
            Data::Native(native) => {
                let Native { design, target, start } = native.as_ref();
                let penalties: Vec<Penalty> = grid.iter().map(|&strengths| coding.penalty(strengths)).collect();
                let middle = roughly(design, target, &penalties[penalties.len() / 2], start.as_deref())?;
                let middle = leadscore_solver::expand(design, target, &middle)?;
                let options = SolverOptions { tolerance: 1e-6, final_hessian: false, ..Default::default() };
                let fits = leadscore_solver::fit_many(design, target, &penalties, options, Some(Start::Near(&middle)))?;
                Ok(fits.into_iter().map(|fit| fit.coefficients).collect())
            }
            // A looser tolerance is enough to rank penalties: the loss is flat around each optimum.
            Data::Linfa { dense, labels, last } => grid
                .iter()
                .map(|strengths| {
                    let options = LogisticOptions { penalty: strengths.ridge, tolerance: 1e-5, ..Default::default() };
                    let fit = fit_logistic(dense, labels, options, last.as_ref())?;
                    *last = Some(fit.clone());
                    Ok(fit.coefficients())
                })
                .collect(),
        }
    }

    /// Coefficients good enough to see what they leave over.
    pub(crate) fn rough(&self, coding: &Coding, smoothing: Smoothing) -> Result<Vec<f64>, TrainError> {
        match (&self.data, smoothing) {
            (Data::Native(native), Smoothing::Given(strengths)) => roughly(&native.design, &native.target, &coding.penalty(strengths), native.start.as_deref()),
            (Data::Native(native), Smoothing::Reml) => {
                let (pieces, fixed) = coding.pieces();
                Ok(estimate(&native.design, &native.target, &pieces, &fixed, native.start.as_deref())?.1)
            }
            (Data::Linfa { .. }, Smoothing::Reml) => Err(TrainError::LinfaReml),
            (Data::Linfa { dense, labels, .. }, Smoothing::Given(strengths)) => {
                Ok(fit_logistic(dense, labels, LogisticOptions { penalty: strengths.ridge, ..Default::default() }, None)?.coefficients())
            }
        }
    }

    /// Starts the next fit from the coefficients of fewer columns, the first ones of these.
    pub(crate) fn start_from(&mut self, mut coefficients: Vec<f64>) {
        if let Data::Native(native) = &mut self.data {
            coefficients.resize(native.design.n_coefficients(), 0.0);
            native.start = Some(coefficients);
        }
    }

    /// The fit to the end, with its certificate.
    fn finish(self, coding: Coding, smoothing: Smoothing) -> Result<Fitted, TrainError> {
        match self.data {
            Data::Native(native) => {
                let Native { design, target, mut start } = *native;
                let (penalty, prior) = match smoothing {
                    Smoothing::Given(strengths) => (coding.penalty(strengths), coding.prior(strengths)),
                    Smoothing::Reml => {
                        let (pieces, fixed) = coding.pieces();
                        let (strengths, near) = estimate(&design, &target, &pieces, &fixed, start.as_deref())?;
                        if !pieces.is_empty() {
                            start = Some(near);
                        }
                        (whole(&pieces, &strengths, &fixed), whole(&pieces, &strengths, &Penalty::none()))
                    }
                };
                let start = start.as_deref().map(Start::At);
                let fit = leadscore_solver::fit(&design, &target, &penalty, SolverOptions::default(), start)?;
                let certificate = &fit.certificate;
                let ending = format!(
                    "own solver, {} passes over the rows, largest mean gradient {:.1e}, condition {:.1e}",
                    certificate.passes, certificate.gradient, certificate.condition
                );
                Ok(Fitted { coding, coefficients: fit.coefficients.clone(), penalty, prior, native: Some((fit, design)), ending })
            }
            Data::Linfa { dense, labels, last } => {
                let Smoothing::Given(strengths) = smoothing else { return Err(TrainError::LinfaReml) };
                let fit = fit_logistic(&dense, &labels, LogisticOptions { penalty: strengths.ridge, ..Default::default() }, last.as_ref())?;
                let (penalty, prior) = (coding.penalty(strengths), coding.prior(strengths));
                let ending = format!("linfa-logistic {LINFA_VERSION}, largest mean gradient {:.1e}", fit.gradient);
                Ok(Fitted { coding, coefficients: fit.coefficients(), penalty, prior, native: None, ending })
            }
        }
    }

    /// Log-odds of the rows that it was made with.
    fn own_log_odds(&self, coefficients: &[f64]) -> Result<Vec<f64>, TrainError> {
        match &self.data {
            Data::Native(native) => Ok(log_odds(&native.design, None, coefficients)?),
            Data::Linfa { dense, .. } => Ok(dense_log_odds(dense, coefficients)),
        }
    }

    /// Tables that would lower the loss of these coefficients most.
    pub(crate) fn pairs(&self, coding: &Coding, options: CodingOptions, coefficients: &[f64], n_pairs: usize) -> Result<Vec<(Axis, Axis)>, TrainError> {
        let probabilities: Vec<f64> = self.own_log_odds(coefficients)?.into_iter().map(leadscore_core::log_odds_to_probability).collect();
        let residuals: Vec<f64> = probabilities.iter().zip(self.rows).map(|(p, &row)| f64::from(u8::from(self.input.labels[row])) - p).collect();
        let curvatures: Vec<f64> = probabilities.iter().map(|p| p * (1.0 - p)).collect();
        Ok(screen(self.input.matrix, self.rows, &coding.features_for_tables(), &residuals, &curvatures, options, n_pairs))
    }
}

/// A fit to three digits.
fn roughly(design: &Design, target: &Target, penalty: &Penalty, start: Option<&[f64]>) -> Result<Vec<f64>, TrainError> {
    let options = SolverOptions { tolerance: 1e-3, final_hessian: false, ..Default::default() };
    Ok(leadscore_solver::fit(design, target, penalty, options, start.map(Start::At))?.coefficients)
}

const LINFA_VERSION: &str = "0.8.1";

fn dense_log_odds(dense: &Array2<f64>, coefficients: &[f64]) -> Vec<f64> {
    let weights = ndarray::ArrayView1::from(&coefficients[1..]);
    dense.dot(&weights).iter().map(|sum| sum + coefficients[0]).collect()
}

/// Rows as a solver sees them, coded once for as many coefficients as wanted.
pub(crate) enum CodedRows {
    Native(Design),
    Linfa(Array2<f64>),
}

impl CodedRows {
    pub(crate) fn new(input: TrainInput<'_>, coding: &Coding, rows: &[usize], solver: SolverKind) -> Result<Self, TrainError> {
        Ok(match solver {
            SolverKind::Native => Self::Native(coding.design(input.matrix, rows)?),
            SolverKind::Linfa => Self::Linfa(coding.dense(input.matrix, rows)),
        })
    }

    pub(crate) fn log_odds(&self, coefficients: &[f64]) -> Result<Vec<f64>, TrainError> {
        match self {
            Self::Native(design) => Ok(log_odds(design, None, coefficients)?),
            Self::Linfa(dense) => Ok(dense_log_odds(dense, coefficients)),
        }
    }

    /// By each of these coefficients.
    pub(crate) fn log_odds_of_many(&self, coefficients: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, TrainError> {
        match self {
            Self::Native(design) => Ok(log_odds_of_many(design, None, &coefficients.iter().map(Vec::as_slice).collect::<Vec<_>>())?),
            Self::Linfa(dense) => Ok(coefficients.iter().map(|coefficients| dense_log_odds(dense, coefficients)).collect()),
        }
    }
}

/// Fits a shape on these rows, with given strengths.
///
/// # Errors
///
/// [`TrainError::Fit`] where the rows have one label, or no optimum was found; [`TrainError::NotConverged`] by linfa.
pub fn fit_shape(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
    shape: Shape,
    smoothing: Smoothing,
    solver: SolverKind,
) -> Result<Fitted, TrainError> {
    if shape == Shape::BaseRate {
        // No features, and an intercept that both solvers would find.
        let coding = Coding::empty();
        let fitted = Bench::new(input, rows, &coding, SolverKind::Native)?.finish(coding, smoothing)?;
        return Ok(Fitted { ending: "the win rate".to_owned(), ..fitted });
    }
    let options = shape.coding_options(rows.len());
    let coding = Coding::fit(input.matrix, rows, known, options);
    let bench = Bench::new(input, rows, &coding, solver)?;
    let (n_pairs, segment) = shape.tables();
    if n_pairs == 0 && segment.is_none() {
        return bench.finish(coding, smoothing);
    }
    let coefficients = bench.rough(&coding, smoothing)?;
    let mut pairs = if n_pairs > 0 { bench.pairs(&coding, options, &coefficients, n_pairs)? } else { Vec::new() };
    if let Some(segment) = segment {
        pairs.extend(segment_tables(input, rows, &coding, &coefficients, segment, options));
    }
    drop(bench);
    let coding = coding.with_pairs(pairs);
    let mut bench = Bench::new(input, rows, &coding, solver)?;
    bench.start_from(coefficients);
    bench.finish(coding, smoothing)
}

/// Tables of the segment with each of the features that move scores most.
pub(crate) fn segment_tables(
    input: TrainInput<'_>,
    rows: &[usize],
    coding: &Coding,
    coefficients: &[f64],
    segment: usize,
    options: CodingOptions,
) -> Vec<(Axis, Axis)> {
    let Some(first) = fit_axis(input.matrix, rows, segment, CodingOptions { max_side: MAX_SEGMENTS, ..options }) else { return Vec::new() };
    coding
        .strongest_features_for_tables(coefficients)
        .into_iter()
        .filter(|&feature_idx| feature_idx != segment)
        .take(MAX_SEGMENTED_FEATURES)
        .filter_map(|feature_idx| fit_axis(input.matrix, rows, feature_idx, options))
        .map(|second| (first.clone(), second))
        .collect()
}

/// Segments with a deviation of their own at most: the largest.
const MAX_SEGMENTS: usize = 16;
/// Features in which segments may deviate.
const MAX_SEGMENTED_FEATURES: usize = 12;

/// The certificate as the card holds it.
pub(crate) fn certificate_of(fitted: &Fitted) -> Option<FitCertificate> {
    let (Fit { certificate, factor, .. }, _) = fitted.native.as_ref()?;
    let inverse = factor.inverse();
    let penalty = fitted.penalty.trace_of_product(&inverse);
    Some(FitCertificate {
        gradient: certificate.gradient,
        newton_decrement: certificate.decrement,
        iterations: certificate.iterations as u64,
        passes: certificate.passes as u64,
        condition: certificate.condition,
        effective_parameters: inverse.nrows() as f64 - penalty,
    })
}

/// The covariance of intercept and cells around the truth, by cluster; `None` by linfa.
#[expect(clippy::cast_possible_truncation, reason = "an interval needs no more digits")]
pub(crate) fn covariance_of(input: TrainInput<'_>, rows: &[usize], fitted: &Fitted) -> Result<Option<Covariance>, TrainError> {
    let Some((fit, design)) = &fitted.native else { return Ok(None) };
    let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
    let clusters: Vec<u64> = rows.iter().map(|&row| input.clusters[row]).collect();
    let covariance = covariance_with_shrinkage(design, &Target::new(&labels, None, None)?, fit, &clusters, &fitted.prior)?;
    let cells: Vec<Combination> = std::iter::once(vec![(0, 1.0)]).chain(fitted.coding.coefficients_of_cells().into_iter().flatten()).collect();
    let mut lower = Vec::with_capacity(cells.len() * (cells.len() + 1) / 2);
    let of_pair = |a: &Combination, b: &Combination| -> f64 {
        let products = a.iter().flat_map(|&(i, x)| b.iter().map(move |&(j, y)| (i, j, x * y)));
        products.map(|(i, j, factor)| factor * covariance[[i, j]]).sum()
    };
    for (row, a) in cells.iter().enumerate() {
        lower.extend(cells[..=row].iter().map(|b| of_pair(a, b) as f32));
    }
    Ok(Some(Covariance { n: cells.len(), lower }))
}
