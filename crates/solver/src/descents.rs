//! Which descent a penalty takes: Newton's, or the one for corners; one penalty, many in the same
//! passes, or rows that are elsewhere.

use crate::design::Design;
use crate::error::SolverError;
use crate::fit::{Fit, SolverOptions, Start, begin, check};
use crate::kernel::{self, Sums};
use crate::newton::{self, Descent};
use crate::penalty::Penalty;
use crate::target::Target;
use crate::{corners, many, separation};

/// Minimises `∑ wᵢ [ln(1 + e^ηᵢ) − yᵢ ηᵢ]` plus the [`Penalty`], where `ηᵢ` is the row's offset
/// plus the intercept plus the coefficients of its numbers and levels.
///
/// # Errors
///
/// [`SolverError::Length`], [`SolverError::TooWide`], [`SolverError::Setting`] for a penalty that
/// ties levels of a column with more than 1,024 of them, [`SolverError::Undetermined`],
/// [`SolverError::Separated`], [`SolverError::NotConverged`].
pub fn fit(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Fit, SolverError> {
    check(design, target, penalty)?;
    let result = if penalty.has_corners() {
        corners::fit(design, target, penalty, options, start)
    } else {
        newton::fit(design, target, penalty, options, start)
    };
    separation::check(design, target, penalty, result)
}

/// The optimum of each penalty, all of them in the same passes over the rows; as good as [`fit`]
/// for each, and for many penalties several times as fast.
///
/// All begin at the same start. An expansion makes it fast, and `final_hessian` makes it slow: then
/// each ends with a pass of its own.
///
/// # Errors
///
/// Those of [`fit`], of the first penalty that has one.
pub fn fit_many(
    design: &Design,
    target: &Target,
    penalties: &[Penalty],
    options: SolverOptions,
    start: Option<Start<'_>>,
) -> Result<Vec<Fit>, SolverError> {
    if penalties.iter().any(Penalty::has_corners) {
        // A corner needs the curvature of its own place.
        return penalties
            .iter()
            .map(|penalty| fit(design, target, penalty, options, start))
            .collect();
    }
    let mut descents = Vec::with_capacity(penalties.len());
    for penalty in penalties {
        check(design, target, penalty)?;
        let (coefficients, factor) = begin(target, penalty, start, design.n_coefficients())?;
        descents.push(Descent::new(
            penalty,
            options,
            target.total_weight,
            false,
            coefficients,
            factor,
        ));
    }
    let mut fits: Vec<Option<Result<Fit, SolverError>>> = penalties.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..fits.len()).filter(|&idx| fits[idx].is_none()).collect();
        if open.is_empty() {
            let checked = fits
                .into_iter()
                .flatten()
                .zip(penalties)
                .map(|(fit, penalty)| separation::check(design, target, penalty, fit));
            return checked.collect();
        }
        let (alone, together): (Vec<usize>, Vec<usize>) = open
            .into_iter()
            .partition(|&idx| descents[idx].trial.with_hessian);
        let points: Vec<&[f64]> = together
            .iter()
            .map(|&idx| descents[idx].trial.coefficients.as_slice())
            .collect();
        let sums = many::pass(design, target, &points)?;
        for (idx, sums) in together.into_iter().zip(sums) {
            fits[idx] = descents[idx].take(sums).transpose();
        }
        for idx in alone {
            let sums = kernel::pass(design, target, &descents[idx].trial.coefficients, true)?;
            fits[idx] = descents[idx].take(sums).transpose();
        }
    }
}

/// The optimum over rows that are elsewhere and are asked for sums only; those of the design are a
/// sample of them.
///
/// The sample gives the start and the curvature, and all rows the gradient: the certificate's
/// `gradient` and `objective` are theirs, `decrement`, `condition` and the factor are by the
/// sample's Hessian, scaled to all rows.
///
/// # Shapes
///
/// `pass` is given coefficients and returns the summed log-loss of all rows without a penalty, and
/// its gradient `(n_coefficients,)`; `total_weight` is their number.
///
/// # Errors
///
/// Those of [`fit`] and of `pass`; and [`SolverError::Setting`] for a lasso or a direction.
///
/// # References
///
/// Byrd, Chin, Neveitt and Nocedal (2011), On the use of stochastic Hessian information in
/// optimization methods for machine learning, SIAM Journal on Optimization 21(3): second
/// derivatives of a sample, gradients of all.
pub fn fit_elsewhere<E: From<SolverError>>(
    (sample, target): (&Design, &Target),
    penalty: &Penalty,
    options: SolverOptions,
    start: &[f64],
    total_weight: f64,
    mut pass: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
) -> Result<Fit, E> {
    if penalty.has_corners() {
        let found = "a lasso or a direction".to_owned();
        return Err(SolverError::Setting {
            name: "penalty",
            found,
            expected: "a ridge penalty: a non-smooth one needs the curvature of all rows",
        }
        .into());
    }
    let share = target.total_weight / total_weight;
    // The sample's optimum is off by far more than this, and the factor is scaled with its penalty.
    let sampled = fit(
        sample,
        target,
        &penalty.scaled(share),
        SolverOptions {
            tolerance: 1e-6,
            ..SolverOptions::default()
        },
        Some(Start::At(start)),
    )?;
    let factor = sampled.factor.scaled(1.0 / share);
    let condition = factor.condition();
    let options = SolverOptions {
        final_hessian: false,
        ..options
    };
    let mut descent = Descent::new(
        penalty,
        options,
        total_weight,
        false,
        sampled.coefficients,
        Some(factor),
    );
    descent.is_frozen = true;
    loop {
        let (loss, gradient) = pass(&descent.trial.coefficients)?;
        if gradient.len() != sample.n_coefficients() {
            return Err(SolverError::Length {
                what: "the gradient",
                found: gradient.len(),
                expected: sample.n_coefficients(),
            }
            .into());
        }
        if let Some(mut fit) = descent.take(Sums {
            loss,
            gradient,
            hessian: None,
        })? {
            fit.certificate.condition = condition;
            return Ok(fit);
        }
    }
}
