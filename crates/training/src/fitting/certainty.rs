//! How sure a fit is: its certificate, its degrees of freedom, the covariance of its weights.

use leadscore_inference::{Covariance, FitCertificate};
use leadscore_solver::{Fit, covariance_with_shrinkage};

use super::fitted::Fitted;
use super::late::{Late, target_of};
use crate::encoding::Combination;
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::smoothing::add_uncertainty;

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
        .encoding
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
        &fitted.encoding.pieces().0,
        &fitted.strengths,
        &fit.factor.inverse(),
        &fitted.coefficients,
        &mut covariance,
    );
    let cells: Vec<Combination> = std::iter::once(vec![(0, 1.0)])
        .chain(
            fitted
                .encoding
                .coefficients_of_cells()
                .into_iter()
                .flatten(),
        )
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
