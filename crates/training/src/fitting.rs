//! One fit: a shape of model with its strengths, on some rows, by either solver.

use leadscore_inference::{Alternative, Axis, Covariance, FitCertificate, Resolution};
use leadscore_solver::{
    Design, Fit, Penalty, SolverOptions, Start, Target, covariance_with_shrinkage, log_odds,
    log_odds_of_many,
};
use ndarray::Array2;

use crate::coding::{
    Beforehand, Coding, CodingOptions, Combination, Smoothing, Strengths, fit_axis,
};
use crate::error::TrainError;
use crate::logistic::{LogisticFit, LogisticOptions, fit_logistic};
use crate::pairs::screen;
use crate::smoothing::{Estimate, MOST_PASSES, TIGHTEST, add_uncertainty, estimate, fit_at, whole};
use crate::train::{TrainInput, sample_leads};
use crate::unripe::{Late, target_of};

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
        /// How finely numbers are cut.
        resolution: Resolution,
    },
    /// The same, and for each segment its own deviation from the common curves: tables of the
    /// segment with each feature that matters, pulled to nothing, so that a small segment borrows
    /// from all.
    Segmented {
        /// Number of other tables.
        n_pairs: usize,
        /// How finely numbers are cut.
        resolution: Resolution,
        /// The feature that names the segment.
        segment: usize,
    },
}

/// Rows from which bins are finer.
const MANY_ROWS: usize = 150_000;
/// Rows in a bin of a finer curve.
const MIN_BIN_ROWS: usize = 40;

impl Shape {
    /// As cards name it.
    pub(crate) fn named(self) -> Alternative {
        match self {
            Self::BaseRate => Alternative::BaseRate,
            Self::Linear => Alternative::Linear,
            Self::Additive {
                n_pairs,
                resolution,
            } => Alternative::Curves {
                resolution,
                is_segmented: false,
                n_pairs,
            },
            Self::Segmented {
                n_pairs,
                resolution,
                segment: _,
            } => Alternative::Curves {
                resolution,
                is_segmented: true,
                n_pairs,
            },
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

    /// How finely it cuts numbers.
    pub(crate) fn resolution(self) -> Resolution {
        match self {
            Self::BaseRate | Self::Linear => Resolution::Usual,
            Self::Additive { resolution, .. } | Self::Segmented { resolution, .. } => resolution,
        }
    }

    /// Number of tables that the screen finds, and the segment.
    pub(crate) fn tables(self) -> (usize, Option<usize>) {
        match self {
            Self::BaseRate | Self::Linear => (0, None),
            Self::Additive { n_pairs, .. } => (n_pairs, None),
            Self::Segmented {
                n_pairs, segment, ..
            } => (n_pairs, Some(segment)),
        }
    }

    /// How its features are coded.
    pub(crate) fn coding_options(self, n_rows: usize) -> CodingOptions {
        match self {
            Self::BaseRate | Self::Linear => CodingOptions {
                curves: false,
                ..options_at(Resolution::Usual, n_rows)
            },
            Self::Additive { resolution, .. } | Self::Segmented { resolution, .. } => {
                options_at(resolution, n_rows)
            }
        }
    }

    /// The same without tables, as coarse as can be: what a finer one begins with.
    fn coarse(self) -> Self {
        match self {
            Self::BaseRate | Self::Linear => self,
            Self::Additive { .. } | Self::Segmented { .. } => Self::Additive {
                n_pairs: 0,
                resolution: Resolution::Usual,
            },
        }
    }
}

/// How features are coded where numbers are cut so finely.
///
/// With very many rows steps themselves would be the largest error.
fn options_at(resolution: Resolution, n_rows: usize) -> CodingOptions {
    let (max_bins, max_side) = match resolution {
        Resolution::Usual if n_rows < MANY_ROWS => (24, 8),
        Resolution::Usual => (32, 12),
        Resolution::Fine => (64, 12),
        Resolution::Finest => (128, 12),
    };
    // A finer bin has to hold some rows.
    CodingOptions {
        max_bins: max_bins.min((n_rows / MIN_BIN_ROWS).max(24)),
        max_side,
        ..CodingOptions::default()
    }
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
    /// Estimated strengths, one a piece of the coding; empty where they were given.
    pub(crate) strengths: Vec<f64>,
    /// The fit by our solver and the rows as it saw them; `None` by linfa.
    pub(crate) native: Option<(Fit, Design)>,
    /// Rows of the design behind those that it was fitted on, whose windows had not ended.
    pub(crate) late: Vec<Late>,
    /// How it ended, in words.
    pub(crate) ending: String,
}

impl Fitted {
    /// Number of tables over two features.
    pub fn n_pairs(&self) -> usize {
        self.coding.n_pairs()
    }

    /// Log-odds of the rows that it was fitted on.
    pub(crate) fn own_log_odds(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
    ) -> Result<Vec<f64>, TrainError> {
        match &self.native {
            Some((_, design)) => {
                let mut found = log_odds(design, None, &self.coefficients)?;
                found.truncate(rows.len());
                Ok(found)
            }
            None => self.log_odds(input, rows),
        }
    }

    /// Log-odds of rows of the matrix that it was fitted on.
    ///
    /// # Errors
    ///
    /// [`TrainError::Fit`] where there are no rows.
    pub fn log_odds(&self, input: TrainInput<'_>, rows: &[usize]) -> Result<Vec<f64>, TrainError> {
        let solver = if self.native.is_some() {
            SolverKind::Native
        } else {
            SolverKind::Linfa
        };
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

impl Native {
    /// Rows as our solver sees them, each with this weight beside its own.
    fn new(
        input: TrainInput<'_>,
        rows: &[usize],
        coding: &Coding,
        weight: f64,
    ) -> Result<Self, TrainError> {
        let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
        let own = input
            .weights_of(rows)
            .map(|own| own.into_iter().map(|own| own * weight).collect());
        let weights = own.or_else(|| (weight != 1.0).then(|| vec![weight; rows.len()]));
        Ok(Self {
            design: coding.design(input.matrix, rows)?,
            target: Target::new(&labels, weights.as_deref(), None)?,
            start: None,
        })
    }

    /// One strength a piece; `start` are those of the first pieces and coefficients.
    fn estimate(
        &self,
        coding: &Coding,
        start: Option<Estimate>,
        n_passes: usize,
    ) -> Result<Estimate, TrainError> {
        let (pieces, fixed) = coding.pieces();
        let start = start.map(|mut start| {
            start.strengths.resize(pieces.len(), f64::INFINITY);
            start.coefficients.resize(self.design.n_coefficients(), 0.0);
            start
        });
        estimate(
            &self.design,
            &self.target,
            &pieces,
            &fixed,
            start.as_ref(),
            n_passes,
        )
    }
}

enum Data {
    Native(Box<Native>),
    Linfa {
        dense: Array2<f64>,
        labels: Vec<bool>,
        last: Option<LogisticFit>,
    },
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        input: TrainInput<'a>,
        rows: &'a [usize],
        coding: &Coding,
        solver: SolverKind,
    ) -> Result<Self, TrainError> {
        let data = match solver {
            SolverKind::Native => Data::Native(Box::new(Native::new(input, rows, coding, 1.0)?)),
            SolverKind::Linfa => Data::Linfa {
                dense: coding.dense(input.matrix, rows),
                labels: rows.iter().map(|&row| input.labels[row]).collect(),
                last: None,
            },
        };
        Ok(Self { input, rows, data })
    }

    /// Coefficients good enough to rank penalties, for each of these strengths.
    pub(crate) fn rank(
        &mut self,
        coding: &Coding,
        grid: &[Strengths],
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        match &mut self.data {
            Data::Native(native) => {
                let Native {
                    design,
                    target,
                    start,
                } = native.as_ref();
                let penalties: Vec<Penalty> = grid
                    .iter()
                    .map(|&strengths| coding.penalty(strengths))
                    .collect();
                let middle = roughly(
                    design,
                    target,
                    &penalties[penalties.len() / 2],
                    start.as_deref(),
                )?;
                let middle = leadscore_solver::expand(design, target, &middle)?;
                let options = SolverOptions {
                    tolerance: 1e-6,
                    final_hessian: false,
                    ..Default::default()
                };
                let fits = leadscore_solver::fit_many(
                    design,
                    target,
                    &penalties,
                    options,
                    Some(Start::Near(&middle)),
                )?;
                Ok(fits.into_iter().map(|fit| fit.coefficients).collect())
            }
            // A looser tolerance is enough to rank penalties: the loss is flat around each optimum.
            Data::Linfa {
                dense,
                labels,
                last,
            } => grid
                .iter()
                .map(|strengths| {
                    let options = LogisticOptions {
                        penalty: strengths.ridge,
                        tolerance: 1e-5,
                        ..Default::default()
                    };
                    let fit = fit_logistic(dense, labels, options, last.as_ref())?;
                    *last = Some(fit.clone());
                    Ok(fit.coefficients())
                })
                .collect(),
        }
    }

    /// Coefficients good enough to see what they leave over.
    pub(crate) fn rough(
        &self,
        coding: &Coding,
        strengths: Strengths,
    ) -> Result<Vec<f64>, TrainError> {
        match &self.data {
            Data::Native(native) => roughly(
                &native.design,
                &native.target,
                &coding.penalty(strengths),
                native.start.as_deref(),
            ),
            Data::Linfa { dense, labels, .. } => Ok(fit_logistic(
                dense,
                labels,
                LogisticOptions {
                    penalty: strengths.ridge,
                    ..Default::default()
                },
                None,
            )?
            .coefficients()),
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
    fn finish(self, coding: Coding, strengths: Strengths) -> Result<Fitted, TrainError> {
        let (penalty, prior) = (coding.penalty(strengths), coding.prior(strengths));
        match self.data {
            Data::Native(native) => {
                let Native {
                    design,
                    target,
                    start,
                } = *native;
                certified(design, &target, coding, (penalty, prior), start.as_deref())
            }
            Data::Linfa {
                dense,
                labels,
                last,
            } => {
                let fit = fit_logistic(
                    &dense,
                    &labels,
                    LogisticOptions {
                        penalty: strengths.ridge,
                        ..Default::default()
                    },
                    last.as_ref(),
                )?;
                let ending = format!(
                    "linfa-logistic {LINFA_VERSION}, largest mean gradient {:.1e}",
                    fit.gradient
                );
                Ok(Fitted {
                    coding,
                    coefficients: fit.coefficients(),
                    penalty,
                    prior,
                    strengths: Vec::new(),
                    native: None,
                    late: Vec::new(),
                    ending,
                })
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
    pub(crate) fn pairs(
        &self,
        coding: &Coding,
        options: CodingOptions,
        coefficients: &[f64],
        n_pairs: usize,
    ) -> Result<Vec<(Axis, Axis)>, TrainError> {
        let probabilities: Vec<f64> = self
            .own_log_odds(coefficients)?
            .into_iter()
            .map(leadscore_core::log_odds_to_probability)
            .collect();
        let weights = self.input.weights_of(self.rows);
        let weight = |idx: usize| weights.as_ref().map_or(1.0, |weights| weights[idx]);
        let label = |idx: usize| f64::from(u8::from(self.input.labels[self.rows[idx]]));
        let residuals: Vec<f64> = probabilities
            .iter()
            .enumerate()
            .map(|(idx, p)| weight(idx) * (label(idx) - p))
            .collect();
        let curvatures: Vec<f64> = probabilities
            .iter()
            .enumerate()
            .map(|(idx, p)| weight(idx) * p * (1.0 - p))
            .collect();
        Ok(screen(
            self.input.matrix,
            self.rows,
            &coding.features_for_tables(),
            &residuals,
            &curvatures,
            options,
            n_pairs,
        ))
    }
}

/// The optimum, to the last digit that is worth having.
fn certified(
    design: Design,
    target: &Target,
    coding: Coding,
    (penalty, prior): (Penalty, Penalty),
    start: Option<&[f64]>,
) -> Result<Fitted, TrainError> {
    let fit = leadscore_solver::fit(
        &design,
        target,
        &penalty,
        SolverOptions::default(),
        start.map(Start::At),
    )?;
    Ok(of_fit(fit, design, coding, (penalty, prior)))
}

/// What a fit to the end over these rows is.
pub(crate) fn of_fit(
    fit: Fit,
    design: Design,
    coding: Coding,
    (penalty, prior): (Penalty, Penalty),
) -> Fitted {
    let certificate = &fit.certificate;
    let ending = format!(
        "own solver, {} passes over the rows, largest mean gradient {:.1e}, condition {:.1e}",
        certificate.passes, certificate.gradient, certificate.condition
    );
    Fitted {
        coding,
        coefficients: fit.coefficients.clone(),
        penalty,
        prior,
        strengths: Vec::new(),
        native: Some((fit, design)),
        late: Vec::new(),
        ending,
    }
}

/// A fit to three digits.
fn roughly(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    start: Option<&[f64]>,
) -> Result<Vec<f64>, TrainError> {
    let options = SolverOptions {
        tolerance: 1e-3,
        final_hessian: false,
        ..Default::default()
    };
    Ok(leadscore_solver::fit(design, target, penalty, options, start.map(Start::At))?.coefficients)
}

const LINFA_VERSION: &str = "0.8.1";

fn dense_log_odds(dense: &Array2<f64>, coefficients: &[f64]) -> Vec<f64> {
    let weights = ndarray::ArrayView1::from(&coefficients[1..]);
    dense
        .dot(&weights)
        .iter()
        .map(|sum| sum + coefficients[0])
        .collect()
}

/// Rows as a solver sees them, coded once for as many coefficients as wanted.
pub(crate) enum CodedRows {
    Native(Design),
    Linfa(Array2<f64>),
}

impl CodedRows {
    pub(crate) fn new(
        input: TrainInput<'_>,
        coding: &Coding,
        rows: &[usize],
        solver: SolverKind,
    ) -> Result<Self, TrainError> {
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
    pub(crate) fn log_odds_of_many(
        &self,
        coefficients: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        match self {
            Self::Native(design) => Ok(log_odds_of_many(
                design,
                None,
                &coefficients.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            )?),
            Self::Linfa(dense) => Ok(coefficients
                .iter()
                .map(|coefficients| dense_log_odds(dense, coefficients))
                .collect()),
        }
    }
}

/// Fits a shape on these rows, with given strengths.
///
/// # Errors
///
/// [`TrainError::Fit`] where the rows have one label, or no optimum was found;
/// [`TrainError::NotConverged`] by linfa.
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
        let fitted = Bench::new(input, rows, &coding, SolverKind::Native)?
            .finish(coding, Strengths::ridge(1.0))?;
        return Ok(Fitted {
            ending: "the win rate".to_owned(),
            ..fitted
        });
    }
    let strengths = match smoothing {
        Smoothing::Given(strengths) => strengths,
        Smoothing::Reml { .. } if solver == SolverKind::Linfa => return Err(TrainError::LinfaReml),
        Smoothing::Reml { stiffer } => {
            return estimate_shape(input, rows, known, shape)?.finish(input, rows, stiffer);
        }
    };
    let options = shape.coding_options(rows.len());
    let coding = Coding::fit(input.matrix, rows, known, options);
    let bench = Bench::new(input, rows, &coding, solver)?;
    let (n_pairs, segment) = shape.tables();
    if n_pairs == 0 && segment.is_none() {
        return bench.finish(coding, strengths);
    }
    let coefficients = bench.rough(&coding, strengths)?;
    let mut pairs = if n_pairs > 0 {
        bench.pairs(&coding, options, &coefficients, n_pairs)?
    } else {
        Vec::new()
    };
    if let Some(segment) = segment {
        pairs.extend(segment_tables(
            input,
            rows,
            &coding,
            &coefficients,
            segment,
            options,
        ));
    }
    drop(bench);
    let coding = coding.with_pairs(pairs);
    let mut bench = Bench::new(input, rows, &coding, solver)?;
    bench.start_from(coefficients);
    bench.finish(coding, strengths)
}

/// A shape whose strengths were estimated, with the terms that say something.
#[derive(Clone)]
pub(crate) struct Estimated {
    pub(crate) coding: Coding,
    pub(crate) estimate: Estimate,
    /// How many rows say as much as one that is alone would.
    design_effect: f64,
}

/// Rows that strengths are estimated on at most: more would hardly move them.
const MOST_STRENGTH_ROWS: usize = 50_000;

impl Estimated {
    /// How many rows say as much as one that is alone would.
    pub(crate) fn design_effect(&self) -> f64 {
        self.design_effect
    }

    /// Lines or coarse curves: what richer shapes begin with.
    pub(crate) fn begin(
        input: TrainInput<'_>,
        rows: &[usize],
        known: &Beforehand,
        shape: Shape,
        design_effect: f64,
    ) -> Result<Self, TrainError> {
        estimate_pieces(
            input,
            rows,
            Coding::fit(
                input.matrix,
                rows,
                known,
                shape.coarse().coding_options(rows.len()),
            ),
            None,
            design_effect,
        )
    }

    /// The same curves in finer bins, where they bend: what is straight in coarse ones stays so.
    pub(crate) fn refined(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
    ) -> Result<Self, TrainError> {
        let options = options_at(resolution, rows.len());
        if options.max_bins <= options_at(Resolution::Usual, rows.len()).max_bins {
            return Ok(self.clone());
        }
        let (finer, start) = self
            .coding
            .refined(input.matrix, rows, options, &self.estimate);
        estimate_pieces(input, rows, finer, Some(start), self.design_effect)
    }

    /// Tables over two features that would lower the loss most, at most so many, best first.
    pub(crate) fn pairs(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
        n_pairs: usize,
    ) -> Result<Vec<(Axis, Axis)>, TrainError> {
        let rows = sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS);
        let bench = Bench::new(input, &rows, &self.coding, SolverKind::Native)?;
        bench.pairs(
            &self.coding,
            options_at(resolution, rows.len()),
            &self.estimate.coefficients,
            n_pairs,
        )
    }

    /// The same with tables beside it, those of a segment among them.
    pub(crate) fn with_tables(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        pairs: Vec<(Axis, Axis)>,
    ) -> Result<Self, TrainError> {
        if pairs.is_empty() {
            return Ok(self.clone());
        }
        estimate_pieces(
            input,
            rows,
            self.coding.clone().with_pairs(pairs),
            Some(self.estimate.clone()),
            self.design_effect,
        )
    }

    /// Tables of the segment with each of the features that move scores most.
    pub(crate) fn segment_tables(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        resolution: Resolution,
        segment: usize,
    ) -> Vec<(Axis, Axis)> {
        segment_tables(
            input,
            rows,
            &self.coding,
            &self.estimate.coefficients,
            segment,
            options_at(resolution, rows.len()),
        )
    }

    /// Log-odds of rows of the matrix, by a fit on these others or a sample of them; good enough to
    /// compare shapes.
    pub(crate) fn log_odds(
        &self,
        input: TrainInput<'_>,
        fitted_on: &[usize],
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Vec<f64>, TrainError> {
        let coded = CodedRows::new(input, &self.coding, rows, SolverKind::Native)?;
        coded.log_odds(&self.near(
            input,
            &sample_leads(input.clusters, fitted_on, MOST_STRENGTH_ROWS),
            stiffer,
        )?)
    }

    /// Coefficients near the optimum over the rows that strengths were estimated on.
    fn near(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Vec<f64>, TrainError> {
        let is_directed = self.coding.has_directions();
        if stiffer == 1.0 && !is_directed {
            return Ok(self.estimate.coefficients.clone());
        }
        let Native { design, target, .. } = Native::new(input, rows, &self.coding, 1.0)?;
        if is_directed {
            return roughly(&design, &target, &self.penalties(stiffer).0, None);
        }
        let (pieces, fixed) = self.coding.pieces();
        let at = Estimate {
            strengths: self.strengths(stiffer),
            coefficients: self.estimate.coefficients.clone(),
        };
        fit_at(&design, &target, &pieces, &fixed, &at)
    }

    fn strengths(&self, stiffer: f64) -> Vec<f64> {
        self.estimate
            .strengths
            .iter()
            .map(|strength| (strength * stiffer).min(TIGHTEST))
            .collect()
    }

    /// The penalty, and the part of it that says where coefficients may lie.
    fn penalties(&self, stiffer: f64) -> (Penalty, Penalty) {
        let (pieces, fixed) = self.coding.pieces();
        let strengths = self.strengths(stiffer);
        (
            whole(&pieces, &strengths, &fixed),
            whole(&pieces, &strengths, &Penalty::none()),
        )
    }

    /// The optimum over these rows, with its certificate.
    fn finish(
        self,
        input: TrainInput<'_>,
        rows: &[usize],
        stiffer: f64,
    ) -> Result<Fitted, TrainError> {
        let Native { design, target, .. } = Native::new(input, rows, &self.coding, 1.0)?;
        let start = self.near(
            input,
            &sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS),
            stiffer,
        )?;
        let (penalties, strengths) = (self.penalties(stiffer), self.strengths(stiffer));
        Ok(Fitted {
            strengths,
            ..certified(design, &target, self.coding, penalties, Some(&start))?
        })
    }
}

/// Estimates the strengths of a shape on these rows: first in coarse bins and without tables, then
/// with those that what is left over asks for.
fn estimate_shape(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
    shape: Shape,
) -> Result<Estimated, TrainError> {
    let (n_pairs, segment) = shape.tables();
    let resolution = shape.resolution();
    let found = Estimated::begin(
        input,
        rows,
        known,
        shape,
        design_effect(input, rows, known)?,
    )?
    .refined(input, rows, resolution)?;
    let mut pairs = if n_pairs > 0 {
        found.pairs(input, rows, resolution, n_pairs)?
    } else {
        Vec::new()
    };
    pairs.extend(
        segment
            .into_iter()
            .flat_map(|segment| found.segment_tables(input, rows, resolution, segment)),
    );
    found.with_tables(input, rows, pairs)
}

/// Passes in which pieces come and go, before rows are coded anew with those that are in: a pass
/// costs by the square of columns.
const SCREENING_PASSES: usize = 5;

/// The pieces of a coding that say something, and their strengths.
///
/// Where rows of a cluster are alike, each counts for less: strengths are those of a likelihood to
/// the power of one over the design effect, and then as many times as large, for all rows.
fn estimate_pieces(
    input: TrainInput<'_>,
    rows: &[usize],
    coding: Coding,
    start: Option<Estimate>,
    design_effect: f64,
) -> Result<Estimated, TrainError> {
    let rows = sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS);
    let step = |coding: Coding, start: Option<Estimate>, n_passes: usize| {
        let found = Native::new(input, &rows, &coding, 1.0 / design_effect)?
            .estimate(&coding, start, n_passes)?;
        Ok::<_, TrainError>(coding.keeping(&found.strengths, &found.coefficients, input.matrix))
    };
    let start = start.map(|start| start.scaled(1.0 / design_effect));
    let (coding, screened) = step(coding, start, SCREENING_PASSES)?;
    let (coding, estimate) = step(coding, Some(screened), MOST_PASSES)?;
    Ok(Estimated {
        coding,
        estimate: estimate.scaled(design_effect),
        design_effect,
    })
}

/// How much larger the variance of a sum of residuals is than rows that are alone would make it; at
/// least 1.
///
/// Residuals are those of straight lines, so that what clusters have in common by their features is
/// no part of it.
pub(crate) fn design_effect(
    input: TrainInput<'_>,
    rows: &[usize],
    known: &Beforehand,
) -> Result<f64, TrainError> {
    let rows = sample_leads(input.clusters, rows, MOST_STRENGTH_ROWS);
    let n_clusters = rows
        .iter()
        .map(|&row| input.clusters[row])
        .collect::<std::collections::HashSet<_>>()
        .len();
    if n_clusters == rows.len() {
        return Ok(1.0);
    }
    let coding = Coding::fit(
        input.matrix,
        &rows,
        known,
        Shape::Linear.coding_options(rows.len()),
    );
    let bench = Bench::new(input, &rows, &coding, SolverKind::Native)?;
    let coefficients = bench.rough(&coding, Strengths::ridge(10.0))?;
    let mut sums: std::collections::HashMap<u64, f64> =
        std::collections::HashMap::with_capacity(n_clusters);
    let mut alone = 0.0;
    for (&row, log_odds) in rows.iter().zip(bench.own_log_odds(&coefficients)?) {
        let residual = f64::from(u8::from(input.labels[row]))
            - leadscore_core::log_odds_to_probability(log_odds);
        *sums.entry(input.clusters[row]).or_default() += residual;
        alone += residual * residual;
    }
    // In an order of its own, so that the same rows give the same bits.
    let mut squares: Vec<f64> = sums.into_values().map(|sum| sum * sum).collect();
    squares.sort_unstable_by(f64::total_cmp);
    Ok((squares.iter().sum::<f64>() / alone.max(f64::MIN_POSITIVE)).max(1.0))
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
    let Some(first) = fit_axis(
        input.matrix,
        rows,
        segment,
        CodingOptions {
            max_side: MAX_SEGMENTS,
            ..options
        },
    ) else {
        return Vec::new();
    };
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
    let (
        Fit {
            certificate,
            factor,
            ..
        },
        _,
    ) = fitted.native.as_ref()?;
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

/// Effective degrees of freedom of each term, the diagonal of `(H + P)⁻¹ H` over its coefficients;
/// nothing by linfa.
pub(crate) fn degrees_of(fitted: &Fitted) -> Vec<f64> {
    let Some((Fit { factor, .. }, _)) = &fitted.native else {
        return Vec::new();
    };
    let root = factor.inverse_root();
    let of = |coefficients: Vec<usize>| {
        let held = &root.block(&coefficients) * &fitted.penalty.block(&coefficients);
        (coefficients.len() as f64 - held.sum()).max(0.0)
    };
    fitted
        .coding
        .coefficients_of_terms()
        .into_iter()
        .map(of)
        .collect()
}

/// The covariance of intercept and cells around the truth, by cluster; `None` by linfa.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an interval needs no more digits"
)]
pub(crate) fn covariance_of(
    input: TrainInput<'_>,
    rows: &[usize],
    fitted: &Fitted,
) -> Result<Option<Covariance>, TrainError> {
    let Some((fit, design)) = &fitted.native else {
        return Ok(None);
    };
    let clusters: Vec<u64> = rows
        .iter()
        .map(|&row| input.clusters[row])
        .chain(fitted.late.iter().chain(&fitted.late).map(Late::cluster))
        .collect();
    let mut covariance = covariance_with_shrinkage(
        design,
        &target_of(input, rows, &fitted.late)?,
        fit,
        &clusters,
        &fitted.prior,
    )?;
    add_uncertainty(
        &fitted.coding.pieces().0,
        &fitted.strengths,
        &fit.factor.inverse(),
        &fitted.coefficients,
        &mut covariance,
    );
    let cells: Vec<Combination> = std::iter::once(vec![(0, 1.0)])
        .chain(fitted.coding.coefficients_of_cells().into_iter().flatten())
        .collect();
    let mut lower = Vec::with_capacity(cells.len() * (cells.len() + 1) / 2);
    let of_pair = |a: &Combination, b: &Combination| -> f64 {
        let products = a
            .iter()
            .flat_map(|&(i, x)| b.iter().map(move |&(j, y)| (i, j, x * y)));
        products
            .map(|(i, j, factor)| factor * covariance[[i, j]])
            .sum()
    };
    for (row, a) in cells.iter().enumerate() {
        lower.extend(cells[..=row].iter().map(|b| of_pair(a, b) as f32));
    }
    Ok(Some(Covariance {
        n: cells.len(),
        lower,
    }))
}
