//! How much less rows say that are of one cluster.

use super::bench::Bench;
use crate::encoding::{Beforehand, Encoding, Strengths};
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::options::SolverKind;
use crate::shape::Shape;
use crate::smoothing::MOST_STRENGTH_ROWS;
use crate::splits::sample_leads;

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
    let encoding = Encoding::fit(
        input.matrix,
        &rows,
        known,
        Shape::Linear.encoding_options(rows.len()),
    );
    let bench = Bench::new(input, &rows, &encoding, SolverKind::Native)?;
    let coefficients = bench.rough(&encoding, Strengths::ridge(10.0))?;
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
