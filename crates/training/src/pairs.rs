//! Which two features act together: a fast screen of what curves leave over.

use leadscore_core::FeatureMatrix;
use leadscore_inference::Axis;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::encoding::{EncodingOptions, axis_coder, fit_axis};

/// Rows that the screen looks at; more would not change which pairs stand out.
const MAX_ROWS: usize = 100_000;
/// Gains below this come by chance: the best of 8,000 pairs in worlds where nothing acts together
/// gained 8.
const MIN_GAIN: f64 = 12.0;
/// Pulls the gain of cells with little data to nothing, as the penalty of the fit will.
const PRIOR: f64 = 4.0;

/// The `n_pairs` tables over two of these features that would lower the log-loss most, best first.
///
/// For each pair of features in few cells, the gain of one Newton step for every cell, less that
/// for rows and columns, which curves have taken already, less 2 for each cell:
///
/// ```text
/// ∑ₐᵦ R²ₐᵦ / (Wₐᵦ + 4) − ∑ₐ R²ₐ / (Wₐ + 4) − ∑ᵦ R²ᵦ / (Wᵦ + 4) − 2 (cells − rows − columns + 1)
/// ```
///
/// where `R` is the sum of residuals `y − p` and `W` that of `p(1 − p)`. Pairs that gain no more
/// than chance gives are left out.
///
/// # Shapes
///
/// `residuals` and `curvatures` are `(rows.len(),)`.
///
/// # References
///
/// Lou et al. (2013), "Accurate intelligible models with pairwise interactions", section 4: the
/// same idea with trees.
pub(crate) fn screen(
    matrix: &FeatureMatrix,
    rows: &[usize],
    features: &[usize],
    residuals: &[f64],
    curvatures: &[f64],
    options: EncodingOptions,
    n_pairs: usize,
) -> Vec<(Axis, Axis)> {
    let step = rows.len().div_ceil(MAX_ROWS).max(1);
    let seen: Vec<usize> = (0..rows.len()).step_by(step).collect();
    let axes: Vec<Axis> = features
        .iter()
        .filter_map(|&feature_idx| fit_axis(matrix, rows, feature_idx, options))
        .collect();
    let codes: Vec<Vec<u8>> = axes
        .iter()
        .map(|axis| {
            let code = axis_coder(axis, matrix);
            seen.iter()
                .map(|&position| u8::try_from(code(rows[position])).expect("sides have few cells"))
                .collect()
        })
        .collect();
    let sums: Vec<(f64, f64)> = seen
        .iter()
        .map(|&position| (residuals[position], curvatures[position]))
        .collect();
    let pairs: Vec<(usize, usize)> = (0..axes.len())
        .flat_map(|second| (0..second).map(move |first| (first, second)))
        .collect();
    let mut gains: Vec<(f64, usize, usize)> = pairs
        .into_par_iter()
        .map(|(first, second)| {
            let gain = gain(
                &codes[first],
                &codes[second],
                axes[first].n_cells(),
                axes[second].n_cells(),
                &sums,
                step as f64,
            );
            (gain, first, second)
        })
        .filter(|(gain, ..)| *gain > MIN_GAIN)
        .collect();
    gains.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    // Two columns that say the same thing give the same table.
    gains.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-9 * b.0);
    gains.truncate(n_pairs);
    gains
        .into_iter()
        .map(|(_, first, second)| (axes[first].clone(), axes[second].clone()))
        .collect()
}

/// `step` is how many rows each one seen stands for.
fn gain(
    first: &[u8],
    second: &[u8],
    n_first: usize,
    n_second: usize,
    sums: &[(f64, f64)],
    step: f64,
) -> f64 {
    let mut cells = vec![(0.0, 0.0); n_first * n_second];
    for ((&a, &b), (residual, curvature)) in first.iter().zip(second).zip(sums) {
        let cell: &mut (f64, f64) = &mut cells[a as usize * n_second + b as usize];
        cell.0 += residual;
        cell.1 += curvature;
    }
    let gain_of =
        |(residual, curvature): (f64, f64)| residual * residual * step / (curvature + PRIOR / step);
    let add = |a: (f64, f64), b: &(f64, f64)| (a.0 + b.0, a.1 + b.1);
    let rows: Vec<(f64, f64)> = cells
        .chunks_exact(n_second)
        .map(|row| row.iter().fold((0.0, 0.0), add))
        .collect();
    let columns: Vec<(f64, f64)> = (0..n_second)
        .map(|column| {
            cells
                .iter()
                .skip(column)
                .step_by(n_second)
                .fold((0.0, 0.0), add)
        })
        .collect();
    let filled = |sums: &[(f64, f64)]| {
        sums.iter()
            .filter(|(_, curvature)| *curvature > 0.0)
            .count() as f64
    };
    let total = |sums: &[(f64, f64)]| sums.iter().map(|sum| gain_of(*sum)).sum::<f64>();
    let freedom = filled(&cells) - filled(&rows) - filled(&columns) + 1.0;
    total(&cells) - total(&rows) - total(&columns) - 2.0 * freedom.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_two_together_tell_gains_and_what_one_tells_does_not() {
        // Residuals that neither side explains alone: positive where both are high or both low.
        let first: Vec<u8> = (0..4000).map(|i| (i % 2) as u8).collect();
        let second: Vec<u8> = (0..4000).map(|i| ((i / 2) % 2) as u8).collect();
        let together: Vec<(f64, f64)> = first
            .iter()
            .zip(&second)
            .map(|(a, b)| (if a == b { 0.2 } else { -0.2 }, 0.25))
            .collect();
        assert!(gain(&first, &second, 2, 2, &together, 1.0) > 100.0);
        let alone: Vec<(f64, f64)> = first
            .iter()
            .map(|a| (if *a == 1 { 0.2 } else { -0.2 }, 0.25))
            .collect();
        assert!(gain(&first, &second, 2, 2, &alone, 1.0) < 10.0);
    }
}
