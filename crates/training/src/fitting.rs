//! One fit: a shape of model with its strengths, on some rows, by either solver.

mod encoded_rows;
mod fitted;
mod late;

mod bench;
mod certainty;
mod design_effect;
mod estimated;
mod segments;

pub use self::fitted::Fitted;

pub(crate) use self::bench::Bench;
pub(crate) use self::certainty::{certificate_of, covariance_of, degrees_of};
pub(crate) use self::design_effect::design_effect;
pub(crate) use self::encoded_rows::EncodedRows;
pub(crate) use self::estimated::Estimated;
pub(crate) use self::fitted::of_fit;
pub(crate) use self::late::{Late, scale_of, target_of, target_with};
pub(crate) use self::segments::{segment_of, segment_tables};

use self::estimated::estimate_shape;
use crate::encoding::{Beforehand, Encoding, Smoothing, Strengths};
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::options::SolverKind;
use crate::shape::Shape;

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
        let encoding = Encoding::empty();
        let fitted = Bench::new(input, rows, &encoding, SolverKind::Native)?
            .finish(encoding, Strengths::ridge(1.0))?;
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
    let options = shape.encoding_options(rows.len());
    let encoding = Encoding::fit(input.matrix, rows, known, options);
    let bench = Bench::new(input, rows, &encoding, solver)?;
    let (n_pairs, segment) = shape.tables();
    if n_pairs == 0 && segment.is_none() {
        return bench.finish(encoding, strengths);
    }
    let coefficients = bench.rough(&encoding, strengths)?;
    let mut pairs = if n_pairs > 0 {
        bench.pairs(&encoding, options, &coefficients, n_pairs)?
    } else {
        Vec::new()
    };
    if let Some(segment) = segment {
        pairs.extend(segment_tables(
            input,
            rows,
            &encoding,
            &coefficients,
            segment,
            options,
        ));
    }
    drop(bench);
    let encoding = encoding.with_pairs(pairs);
    let mut bench = Bench::new(input, rows, &encoding, solver)?;
    bench.start_from(coefficients);
    bench.finish(encoding, strengths)
}
