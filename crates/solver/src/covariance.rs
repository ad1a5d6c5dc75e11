//! How much coefficients would move with other leads: the sandwich, with rows of one cluster taken
//! together.

use ndarray::Array2;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::design::Design;
use crate::error::SolverError;
use crate::fit::Fit;
use crate::layout::{PART_ROWS, TILE_ROWS};
use crate::many::log_odds;
use crate::penalty::Penalty;
use crate::target::Target;

/// Lanes of clusters, added up in order: the same bits for any number of threads.
const N_LANES: usize = 8;
/// Products of two entries of one cluster that are worth waiting for; beyond, clusters are sampled.
const MAX_PRODUCTS: f64 = 4e10;

const MAX_COEFFICIENTS: usize = 20_000;

/// Covariance of the coefficients of a fit, robust to rows of one cluster being alike.
///
/// ```text
/// V = G/(G−1) · A⁻¹ (∑ᶜ sᶜ sᶜᵀ) A⁻¹,   sᶜ = ∑ᵢ∈ᶜ wᵢ (yᵢ − pᵢ) xᵢ
/// ```
///
/// where `A` is the penalised Hessian `H + P` at the fit and `G` the number of clusters. With a
/// penalty it is the covariance of the penalised estimate: valid, but it knows nothing of how far
/// the penalty pulls the estimate from the truth. Where the sum would take minutes, every k-th
/// cluster stands for k of them.
///
/// # Shapes
///
/// `clusters` is `(n_rows,)`; the result is `(n_coefficients, n_coefficients)`.
///
/// # Errors
///
/// [`SolverError::Length`], [`SolverError::TooWide`] for more than 20,000 coefficients or a column
/// that was eliminated.
///
/// # References
///
/// Liang and Zeger (1986), Biometrika 73(1); the factor `G/(G−1)` as in Stata's `vce(cluster)`,
/// without its `(n−1)/(n−k)`.
pub fn clustered_covariance(
    design: &Design,
    target: &Target,
    fit: &Fit,
    clusters: &[u64],
) -> Result<Array2<f64>, SolverError> {
    let middle = sum_of_scores(design, target, fit, clusters)?;
    let inverse = fit.factor.inverse();
    Ok(inverse.dot(&middle).dot(&inverse))
}

/// `G/(G−1) · ∑ᶜ sᶜ sᶜᵀ`.
fn sum_of_scores(
    design: &Design,
    target: &Target,
    fit: &Fit,
    clusters: &[u64],
) -> Result<Array2<f64>, SolverError> {
    check(design, clusters)?;
    let residuals: Vec<f64> = log_odds(design, target.offsets.as_deref(), &fit.coefficients)?
        .into_iter()
        .enumerate()
        .map(|(row, eta)| {
            let weight = target.weights.as_ref().map_or(1.0, |weights| weights[row]);
            weight * (f64::from(target.labels[row]) - 1.0 / (1.0 + (-eta).exp()))
        })
        .collect();
    let mut order: Vec<u32> =
        (0..u32::try_from(clusters.len()).map_err(|_| SolverError::TooMany {
            found: clusters.len(),
        })?)
            .collect();
    order.sort_unstable_by_key(|&row| (clusters[row as usize], row));
    let groups: Vec<&[u32]> = order
        .chunk_by(|&a, &b| clusters[a as usize] == clusters[b as usize])
        .collect();
    let used: Vec<&[u32]> = groups
        .iter()
        .step_by(stride(design, groups.len()))
        .copied()
        .collect();
    let q = design.n_coefficients();
    let lanes: Vec<Vec<f64>> = (0..N_LANES)
        .into_par_iter()
        .map(|lane| {
            let clusters = &used[lane * used.len() / N_LANES..(lane + 1) * used.len() / N_LANES];
            sums_of_products(design, &residuals, clusters)
        })
        .collect();
    let n_groups = groups.len() as f64;
    let factor = n_groups / used.len() as f64 * n_groups / (n_groups - 1.0).max(1.0);
    let mut middle = Array2::zeros((q, q));
    for lane in lanes {
        for a in 0..q {
            for b in 0..=a {
                middle[[a, b]] += factor * lane[a * q + b];
            }
        }
    }
    for a in 0..q {
        for b in 0..a {
            middle[[b, a]] = middle[[a, b]];
        }
    }
    Ok(middle)
}

/// Whether there are scores of clusters: rows at hand, one cluster each, and few coefficients.
fn check(design: &Design, clusters: &[u64]) -> Result<(), SolverError> {
    if clusters.len() != design.n_rows() {
        return Err(SolverError::Length {
            what: "clusters",
            found: clusters.len(),
            expected: design.n_rows(),
        });
    }
    if design.is_on_disk() {
        let found = "one on disk, whose rows are read in order".to_owned();
        return Err(SolverError::Setting {
            name: "design",
            found,
            expected: "one in memory, since rows are taken cluster by cluster",
        });
    }
    if design.n_coefficients() > MAX_COEFFICIENTS || design.layout.wide.is_some() {
        return Err(SolverError::TooWide {
            n_coefficients: design.n_coefficients(),
        });
    }
    Ok(())
}

/// Every how many clusters one is looked at.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number"
)]
fn stride(design: &Design, n_groups: usize) -> usize {
    let rows_a_group = design.n_rows() as f64 / n_groups as f64;
    let entries = (1.0
        + design.layout.n_numbers as f64
        + design.layout.encoded.len() as f64 * rows_a_group.min(3.0))
    .min(design.n_coefficients() as f64);
    (entries * entries * n_groups as f64 / MAX_PRODUCTS)
        .ceil()
        .max(1.0) as usize
}

/// `∑ᶜ sᶜ sᶜᵀ` over these clusters: the lower triangle, rows contiguous.
fn sums_of_products(design: &Design, residuals: &[f64], clusters: &[&[u32]]) -> Vec<f64> {
    let q = design.n_coefficients();
    let mut sums = vec![0.0; q * q];
    let mut score = vec![0.0; q];
    let mut touched: Vec<usize> = Vec::new();
    for rows in clusters {
        for &row in *rows {
            visit(design, row as usize, |coefficient, value| {
                // A sum that came to exactly 0 may be listed twice; both times it adds nothing
                // wrong.
                if score[coefficient] == 0.0 {
                    touched.push(coefficient);
                }
                score[coefficient] += residuals[row as usize] * value;
            });
        }
        touched.sort_unstable();
        touched.dedup();
        for (idx, &a) in touched.iter().enumerate() {
            for &b in &touched[..=idx] {
                sums[a * q + b] += score[a] * score[b];
            }
        }
        touched
            .drain(..)
            .for_each(|coefficient| score[coefficient] = 0.0);
    }
    sums
}

/// Covariance of the coefficients of a fit around the truth: that of [`clustered_covariance`], and
/// how far the penalty may pull.
///
/// ```text
/// V = (G−1)/(G−k) · sandwich + d · A⁻¹ P A⁻¹,   d = max(1, tr[A⁻¹ ∑ s sᵀ] / k),   k = tr[A⁻¹ H]
/// ```
///
/// where `P` is the prior's part of the penalty, `k` the parameters that the penalty leaves, and
/// `d` the design effect: how much larger the sandwich is than rows that are alone would make it. A
/// coefficient whose prior variance is `d P⁻¹` is off by `A⁻¹ P β`, and the second addend is the
/// covariance of that. With independent rows it is the Bayesian covariance `A⁻¹`, whose intervals
/// hold a curve's truth as often as they say on average over its points.
///
/// # Errors
///
/// As [`clustered_covariance`].
///
/// # References
///
/// Nychka (1988), Journal of the American Statistical Association 83(404); Wood (2017), Generalized
/// Additive Models, 6.10.
pub fn covariance_with_shrinkage(
    design: &Design,
    target: &Target,
    fit: &Fit,
    clusters: &[u64],
    prior: &Penalty,
) -> Result<Array2<f64>, SolverError> {
    let middle = sum_of_scores(design, target, fit, clusters)?;
    let inverse = fit.factor.inverse();
    let pull = prior.matrix(inverse.nrows());
    let n_effective = (inverse.nrows() as f64 - prior.trace_of_product(&inverse)).max(1.0);
    let n_groups = clusters
        .iter()
        .collect::<std::collections::HashSet<_>>()
        .len() as f64;
    let small = ((n_groups - 1.0) / (n_groups - n_effective).max(0.5 * n_groups)).max(1.0);
    let design_effect = ((&middle * &inverse).sum() / n_effective).max(1.0);
    Ok(inverse
        .dot(&(middle * small + pull * design_effect))
        .dot(&inverse))
}

/// Calls `add` with the coefficients of a row and what they are multiplied with.
fn visit(design: &Design, row: usize, mut add: impl FnMut(usize, f64)) {
    let layout = &design.layout;
    let part = &*design
        .part(row / PART_ROWS)
        .expect("the design is in memory");
    let (tile, within) = (row % PART_ROWS / TILE_ROWS, row % TILE_ROWS);
    add(0, 1.0);
    for number in 0..layout.n_numbers {
        let at = (tile * layout.n_numbers + number) * TILE_ROWS + within;
        add(1 + number, part.number(at));
    }
    for encoded in &layout.encoded {
        add(
            encoded.first + part.codes(tile, encoded, layout).get(within),
            1.0,
        );
    }
}
