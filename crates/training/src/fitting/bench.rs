//! An encoding with its rows, to be fitted with several penalties by either solver.

use leadscore_inference::Axis;
use leadscore_solver::{Design, Penalty, SolverOptions, Start, Target, log_odds};
use ndarray::Array2;

use super::encoded_rows::dense_log_odds;
use super::fitted::{Fitted, of_fit};
use crate::encoding::{Encoding, EncodingOptions, Strengths};
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::logistic::{LogisticFit, LogisticOptions, fit_logistic};
use crate::options::SolverKind;
use crate::pairs::screen;
use crate::smoothing::{Estimate, estimate};

/// An encoding with its rows, ready to be fitted with several penalties.
pub(crate) struct Bench<'a> {
    input: TrainInput<'a>,
    rows: &'a [usize],
    data: Data,
}

/// Rows as our solver fits them.
pub(super) struct Native {
    pub(super) design: Design,
    pub(super) target: Target,
    start: Option<Vec<f64>>,
}

impl Native {
    /// Rows as our solver sees them, each with this weight beside its own.
    pub(super) fn new(
        input: TrainInput<'_>,
        rows: &[usize],
        encoding: &Encoding,
        weight: f64,
    ) -> Result<Self, TrainError> {
        let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
        let own = input
            .weights_of(rows)
            .map(|own| own.into_iter().map(|own| own * weight).collect());
        let weights = own.or_else(|| (weight != 1.0).then(|| vec![weight; rows.len()]));
        Ok(Self {
            design: encoding.design(input.matrix, rows)?,
            target: Target::new(&labels, weights.as_deref(), None)?,
            start: None,
        })
    }

    /// One strength a piece; `start` are those of the first pieces and coefficients.
    pub(super) fn estimate(
        &self,
        encoding: &Encoding,
        start: Option<Estimate>,
        n_passes: usize,
    ) -> Result<Estimate, TrainError> {
        let (pieces, fixed) = encoding.pieces();
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
        encoding: &Encoding,
        solver: SolverKind,
    ) -> Result<Self, TrainError> {
        let data = match solver {
            SolverKind::Native => Data::Native(Box::new(Native::new(input, rows, encoding, 1.0)?)),
            SolverKind::Linfa => Data::Linfa {
                dense: encoding.dense(input.matrix, rows),
                labels: rows.iter().map(|&row| input.labels[row]).collect(),
                last: None,
            },
        };
        Ok(Self { input, rows, data })
    }

    /// Coefficients good enough to rank penalties, for each of these strengths.
    pub(crate) fn rank(
        &mut self,
        encoding: &Encoding,
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
                    .map(|&strengths| encoding.penalty(strengths))
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
        encoding: &Encoding,
        strengths: Strengths,
    ) -> Result<Vec<f64>, TrainError> {
        match &self.data {
            Data::Native(native) => roughly(
                &native.design,
                &native.target,
                &encoding.penalty(strengths),
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
    pub(super) fn finish(
        self,
        encoding: Encoding,
        strengths: Strengths,
    ) -> Result<Fitted, TrainError> {
        let (penalty, prior) = (encoding.penalty(strengths), encoding.prior(strengths));
        match self.data {
            Data::Native(native) => {
                let Native {
                    design,
                    target,
                    start,
                } = *native;
                certified(
                    design,
                    &target,
                    encoding,
                    (penalty, prior),
                    start.as_deref(),
                )
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
                    encoding,
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
    pub(super) fn own_log_odds(&self, coefficients: &[f64]) -> Result<Vec<f64>, TrainError> {
        match &self.data {
            Data::Native(native) => Ok(log_odds(&native.design, None, coefficients)?),
            Data::Linfa { dense, .. } => Ok(dense_log_odds(dense, coefficients)),
        }
    }

    /// Tables that would lower the loss of these coefficients most.
    pub(crate) fn pairs(
        &self,
        encoding: &Encoding,
        options: EncodingOptions,
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
            &encoding.features_for_tables(),
            &residuals,
            &curvatures,
            options,
            n_pairs,
        ))
    }
}

/// The optimum, to the last digit that is worth having.
pub(super) fn certified(
    design: Design,
    target: &Target,
    encoding: Encoding,
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
    Ok(of_fit(fit, design, encoding, (penalty, prior)))
}

/// A fit to three digits.
pub(super) fn roughly(
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

/// The version of linfa that the workspace has.
const LINFA_VERSION: &str = "0.8.1";
