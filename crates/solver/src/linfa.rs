//! The solver behind linfa's traits: checked settings, `Fit`, `FitWith` for a warm start,
//! `Predict`.

use linfa::ParamGuard;
use linfa::dataset::{AsSingleTargets, DatasetBase, Records};
use linfa::traits::{Fit as LinfaFit, FitWith, PredictInplace};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use crate::column::Column;
use crate::descents::fit;
use crate::design::Design;
use crate::error::SolverError;
use crate::fit::{Certificate, Fit, SolverOptions, Start};
use crate::layout::Precision;
use crate::many::log_odds;
use crate::penalty::Penalty;
use crate::target::Target;

/// Settings of a logistic regression, not yet checked.
///
/// # Examples
///
/// ```
/// use leadscore_solver::LogisticParams;
/// use linfa::prelude::*;
///
/// let records = ndarray::array![[-1.0], [-0.5], [0.5], [1.0], [0.0], [0.3]];
/// let dataset = DatasetBase::new(records, ndarray::array![false, false, true, true, true, false]);
/// let model = LogisticParams::default().fit(&dataset)?;
/// assert!(model.coefficients()[1] > 0.0);
/// assert!(model.certificate().gradient <= 1e-9);
/// let probabilities: ndarray::Array1<f64> = model.predict(&dataset);
/// assert!(probabilities[3] > probabilities[0]);
/// # Ok::<(), leadscore_solver::SolverError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticParams(ValidLogisticParams);

/// Settings of a logistic regression, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidLogisticParams {
    penalty: PenaltyChoice,
    options: SolverOptions,
    precision: Precision,
}

#[derive(Debug, Clone, PartialEq)]
enum PenaltyChoice {
    Ridge(f64),
    Given(Penalty),
}

impl Default for LogisticParams {
    /// A ridge of 1 on everything but the intercept, f64, a gradient of 1e-9.
    fn default() -> Self {
        Self(ValidLogisticParams {
            penalty: PenaltyChoice::Ridge(1.0),
            options: SolverOptions::default(),
            precision: Precision::F64,
        })
    }
}

impl LogisticParams {
    /// `½ strength ∑ β²` on everything but the intercept, as scikit-learn's `1 / C`; at least 0,
    /// default 1.
    #[must_use]
    pub fn ridge(mut self, strength: f64) -> Self {
        self.0.penalty = PenaltyChoice::Ridge(strength);
        self
    }

    /// A penalty of its own for each coefficient or block of them, in place of the ridge.
    #[must_use]
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.0.penalty = PenaltyChoice::Given(penalty);
        self
    }

    /// Largest gradient of the mean objective, above 0, default 1e-9.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.options.tolerance = tolerance;
        self
    }

    /// Most passes over all rows, at least 1, default 200.
    #[must_use]
    pub fn max_passes(mut self, max_passes: usize) -> Self {
        self.0.options.max_passes = max_passes;
        self
    }

    /// How numbers are kept, default f64.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.0.precision = precision;
        self
    }
}

impl ParamGuard for LogisticParams {
    type Checked = ValidLogisticParams;
    type Error = SolverError;

    fn check_ref(&self) -> Result<&Self::Checked, SolverError> {
        let setting = |name, found: String, expected| {
            Err(SolverError::Setting {
                name,
                found,
                expected,
            })
        };
        if let PenaltyChoice::Ridge(strength) = self.0.penalty
            && !(strength.is_finite() && strength >= 0.0)
        {
            return setting("ridge", strength.to_string(), "a number of 0 or more");
        }
        let SolverOptions {
            tolerance,
            max_passes,
            ..
        } = self.0.options;
        if !(tolerance.is_finite() && tolerance > 0.0) {
            return setting("tolerance", tolerance.to_string(), "a number above 0");
        }
        if max_passes == 0 {
            return setting("max_passes", max_passes.to_string(), "1 or more");
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked, SolverError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Records for Design {
    type Elem = f64;

    fn nsamples(&self) -> usize {
        self.n_rows()
    }

    /// Coefficients but the intercept.
    fn nfeatures(&self) -> usize {
        self.n_coefficients() - 1
    }
}

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    fit: Fit,
}

impl Logistic {
    /// Intercept first, then in the order of the columns.
    pub fn coefficients(&self) -> &[f64] {
        &self.fit.coefficients
    }

    /// How near the optimum it is.
    pub fn certificate(&self) -> &Certificate {
        &self.fit.certificate
    }

    /// Everything, the factor of the Hessian among it.
    pub fn into_fit(self) -> Fit {
        self.fit
    }
}

impl ValidLogisticParams {
    fn fit_design<T: AsSingleTargets<Elem = bool>>(
        &self,
        design: &Design,
        targets: &T,
        weights: &Array1<f32>,
        start: Option<&Logistic>,
    ) -> Result<Logistic, SolverError> {
        let labels = targets.as_single_targets().to_vec();
        let weights: Option<Vec<f64>> = (!weights.is_empty())
            .then(|| weights.iter().map(|weight| f64::from(*weight)).collect());
        let target = Target::new(&labels, weights.as_deref(), None)?;
        let penalty = match &self.penalty {
            PenaltyChoice::Ridge(strength) => {
                Penalty::none().ridge(1..design.n_coefficients(), *strength)
            }
            PenaltyChoice::Given(penalty) => penalty.clone(),
        };
        let fit = fit(
            design,
            &target,
            &penalty,
            self.options,
            start.map(|start| Start::At(start.coefficients())),
        )?;
        Ok(Logistic { fit })
    }

    fn design<D: Data<Elem = f64>>(
        &self,
        records: &ArrayBase<D, Ix2>,
    ) -> Result<Design, SolverError> {
        let columns: Vec<Column<'_>> = (0..records.ncols())
            .map(|idx| {
                let column = records.column(idx).into_owned();
                Column::Number(Box::new(move |rows, out: &mut [f64]| {
                    out.iter_mut()
                        .zip(rows)
                        .for_each(|(to, row)| *to = column[row]);
                }))
            })
            .collect();
        Design::new(records.nrows(), &columns, self.precision)
    }
}

impl<T: AsSingleTargets<Elem = bool>> LinfaFit<Design, T, SolverError> for ValidLogisticParams {
    type Object = Logistic;

    fn fit(&self, dataset: &DatasetBase<Design, T>) -> Result<Logistic, SolverError> {
        self.fit_design(&dataset.records, &dataset.targets, &dataset.weights, None)
    }
}

impl<'a, T: AsSingleTargets<Elem = bool>> FitWith<'a, Design, T, SolverError>
    for ValidLogisticParams
{
    type ObjectIn = Option<Logistic>;
    type ObjectOut = Logistic;

    fn fit_with(
        &self,
        start: Option<Logistic>,
        dataset: &'a DatasetBase<Design, T>,
    ) -> Result<Logistic, SolverError> {
        self.fit_design(
            &dataset.records,
            &dataset.targets,
            &dataset.weights,
            start.as_ref(),
        )
    }
}

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>>
    LinfaFit<ArrayBase<D, Ix2>, T, SolverError> for ValidLogisticParams
{
    type Object = Logistic;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Logistic, SolverError> {
        self.fit_design(
            &self.design(&dataset.records)?,
            &dataset.targets,
            &dataset.weights,
            None,
        )
    }
}

impl<'a, D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>>
    FitWith<'a, ArrayBase<D, Ix2>, T, SolverError> for ValidLogisticParams
{
    type ObjectIn = Option<Logistic>;
    type ObjectOut = Logistic;

    fn fit_with(
        &self,
        start: Option<Logistic>,
        dataset: &'a DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Logistic, SolverError> {
        self.fit_design(
            &self.design(&dataset.records)?,
            &dataset.targets,
            &dataset.weights,
            start.as_ref(),
        )
    }
}

/// Probabilities of `true`.
impl PredictInplace<Design, Array1<f64>> for Logistic {
    fn predict_inplace<'a>(&'a self, design: &'a Design, probabilities: &mut Array1<f64>) {
        for (probability, log_odds) in probabilities.iter_mut().zip(
            log_odds(design, None, &self.fit.coefficients).expect("rows on disk can be read again"),
        ) {
            *probability = 1.0 / (1.0 + (-log_odds).exp());
        }
    }

    fn default_target(&self, design: &Design) -> Array1<f64> {
        Array1::zeros(design.n_rows())
    }
}

/// Probabilities of `true`.
impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for Logistic {
    fn predict_inplace<'a>(
        &'a self,
        records: &'a ArrayBase<D, Ix2>,
        probabilities: &mut Array1<f64>,
    ) {
        let weights = ndarray::ArrayView1::from(&self.fit.coefficients[1..]);
        for (probability, row) in probabilities.iter_mut().zip(records.rows()) {
            *probability = 1.0 / (1.0 + (-(self.fit.coefficients[0] + row.dot(&weights))).exp());
        }
    }

    fn default_target(&self, records: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(records.nrows())
    }
}
