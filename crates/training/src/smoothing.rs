//! One smoothing parameter a term, estimated by Laplace approximate REML.
//!
//! With `S_j` the penalty of a term at strength one, `H` the penalized Hessian at the optimum `β`, and `tr` the trace, each
//! round sets (the generalized Fellner-Schall update)
//!
//! ```text
//! λⱼ ← (rank Sⱼ − λⱼ tr(H⁻¹ Sⱼ)) / (βᵀ Sⱼ β)
//! ```
//!
//! and fits again from where it was, until no parameter moves much. A term that says nothing is held ever more tightly, up to
//! a limit at which it is flat. Terms share no coefficients, so that their penalties add up block by block.
//!
//! Wood and Fasiolo (2017), Biometrics 73(4), equation 6; Wood (2011), JRSS B 73(1).

use leadscore_solver::{Design, Fit, Penalty, SolverOptions, Start, Target, fit};

use crate::error::TrainError;

/// A part of the penalty with a smoothing parameter of its own.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// At strength one.
    pub(crate) penalty: Penalty,
    /// Rank of its matrix.
    pub(crate) rank: f64,
}

/// Held less, or more, than this is the same as not at all, or flat.
const LOOSEST: f64 = 1e-3;
const TIGHTEST: f64 = 1e6;
/// Where every search begins: as much as ten rows.
const FIRST: f64 = 10.0;
/// Rounds at most; a dozen are usual.
const MOST_ROUNDS: usize = 30;
/// No term's effective degrees of freedom move by more than this in the last round. A term that says nothing is held ever more
/// tightly, and needs no more rounds once that changes nothing.
const SETTLED: f64 = 0.05;
/// Fits within the search need only tell strengths from one another.
const ROUGH: f64 = 1e-5;

/// The smoothing parameters of these pieces, beside a `fixed` part of the penalty, and the coefficients that go with them.
///
/// # Errors
///
/// [`TrainError::Fit`] where no optimum was found.
pub(crate) fn estimate(design: &Design, target: &Target, pieces: &[Piece], fixed: &Penalty, start: Option<&[f64]>) -> Result<(Vec<f64>, Vec<f64>), TrainError> {
    let mut strengths = vec![FIRST; pieces.len()];
    let mut degrees = vec![f64::INFINITY; pieces.len()];
    let mut coefficients: Option<Vec<f64>> = start.map(<[f64]>::to_vec);
    for _ in 0..MOST_ROUNDS {
        let options = SolverOptions { tolerance: ROUGH, ..Default::default() };
        let Fit { coefficients: found, factor, .. } = fit(design, target, &whole(pieces, &strengths, fixed), options, coefficients.as_deref().map(Start::At))?;
        let inverse = factor.inverse();
        let mut most_moved = 0.0_f64;
        for ((piece, strength), degrees) in pieces.iter().zip(&mut strengths).zip(&mut degrees) {
            let used = (piece.rank - *strength * piece.penalty.trace_of_product(&inverse)).max(1e-6);
            let spent = (2.0 * piece.penalty.value(&found)).max(1e-12);
            most_moved = most_moved.max((used - *degrees).abs());
            *degrees = used;
            *strength = (used / spent).clamp(LOOSEST, TIGHTEST);
        }
        coefficients = Some(found);
        if most_moved < SETTLED {
            break;
        }
    }
    Ok((strengths, coefficients.unwrap_or_default()))
}

/// All pieces at their strengths, and the fixed part.
pub(crate) fn whole(pieces: &[Piece], strengths: &[f64], fixed: &Penalty) -> Penalty {
    pieces.iter().zip(strengths).fold(fixed.clone(), |penalty, (piece, &strength)| penalty.and(piece.penalty.scaled(strength)))
}

#[cfg(test)]
mod tests {
    use leadscore_solver::{Column, Precision};

    use super::*;

    /// Labels of a world with forty levels whose effects have a known spread, and a second category that says nothing.
    #[test]
    fn a_category_that_says_nothing_is_flat_and_one_that_does_is_not() {
        let n_rows = 20_000;
        let mut state = 9_u64;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let effects: Vec<f64> = (0..40).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect();
        let (mut telling, mut silent, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n_rows {
            let level = (uniform() * 40.0) as usize;
            telling.push(level as u32);
            silent.push((uniform() * 40.0) as u32);
            labels.push(uniform() < 1.0 / (1.0 + (-effects[level] + 0.5).exp()));
        }
        let design = Design::new(n_rows, &[Column::codes(40, &telling), Column::codes(40, &silent)], Precision::F64).expect("rows");
        let target = Target::new(&labels, None, None).expect("both");
        let ridge = |first: usize| Piece { penalty: Penalty::none().ridge(first..first + 40, 1.0), rank: 40.0 };
        let (strengths, coefficients) = estimate(&design, &target, &[ridge(1), ridge(41)], &Penalty::none(), None).expect("an optimum");
        // Effects of unit variance: a strength of one.
        assert!((0.5..2.0).contains(&strengths[0]), "{strengths:?}");
        assert!(strengths[1] > 100.0, "{strengths:?}");
        let farthest = coefficients[41..].iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        assert!(farthest < 0.1, "{farthest}");
    }
}
