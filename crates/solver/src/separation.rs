//! Separation: columns without a penalty that tell the labels apart without an error have no finite
//! coefficients.

use crate::design::Design;
use crate::error::SolverError;
use crate::fit::Fit;
use crate::layout::{Encoded, Part, TILE_ROWS};
use crate::many::log_odds;
use crate::penalty::Penalty;
use crate::target::Target;

/// Coefficients, times the range of their column, that no data with two sides to it gives.
const SUSPICIOUS: f64 = 12.0;

/// Passes a fit on, or names the column that made it run away.
pub(crate) fn check(
    design: &Design,
    target: &Target,
    penalty: &Penalty,
    result: Result<Fit, SolverError>,
) -> Result<Fit, SolverError> {
    let suspects: Vec<usize> = match &result {
        Ok(fit) => (1..design.n_coefficients())
            .filter(|&idx| fit.coefficients[idx].abs() > SUSPICIOUS)
            .collect(),
        Err(SolverError::NotConverged { .. } | SolverError::Undetermined { .. }) => {
            (1..design.n_coefficients()).collect()
        }
        Err(_) => Vec::new(),
    };
    let held = penalty.diagonal(design.n_coefficients());
    // The error of a factor stands for something else where it names a column that separates
    // nothing.
    for idx in suspects.into_iter().filter(|&idx| held[idx] == 0.0) {
        if let Some(column) = separates(design, target, idx)? {
            return Err(SolverError::Separated { column });
        }
    }
    if let Ok(fit) = &result
        && let Some(columns) = separate_together(design, target, &held, fit)?
    {
        return Err(SolverError::SeparatedTogether { columns });
    }
    result
}

/// The free columns of a fit whose log-odds tell all rows apart, those with the largest
/// coefficients first.
fn separate_together(
    design: &Design,
    target: &Target,
    held: &[f64],
    fit: &Fit,
) -> Result<Option<Vec<usize>>, SolverError> {
    let mut free: Vec<usize> = (1..fit.coefficients.len())
        .filter(|&idx| held[idx] == 0.0 && fit.coefficients[idx].abs() > SUSPICIOUS)
        .collect();
    if free.is_empty() {
        return Ok(None);
    }
    let (mut highest_lost, mut lowest_won) = (f64::NEG_INFINITY, f64::INFINITY);
    for (row, log_odds) in log_odds(design, target.offsets.as_deref(), &fit.coefficients)?
        .into_iter()
        .enumerate()
    {
        let counts = target
            .weights
            .as_ref()
            .is_none_or(|weights| weights[row] > 0.0);
        match target.labels[row] {
            1 if counts => lowest_won = lowest_won.min(log_odds),
            0 if counts => highest_lost = highest_lost.max(log_odds),
            _ => {}
        }
    }
    if lowest_won <= highest_lost {
        return Ok(None);
    }
    free.sort_by(|&a, &b| {
        fit.coefficients[b]
            .abs()
            .total_cmp(&fit.coefficients[a].abs())
    });
    let mut columns: Vec<usize> = Vec::new();
    for column in free.into_iter().map(|idx| column_of(design, idx)) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(Some(columns))
}

/// The column of a coefficient that is not the intercept, numbers first.
fn column_of(design: &Design, coefficient: usize) -> usize {
    let layout = &design.layout;
    if coefficient <= layout.n_numbers {
        return coefficient - 1;
    }
    let is_own = |encoded: &Encoded| {
        (encoded.first..encoded.first + encoded.n_levels).contains(&coefficient)
    };
    layout.n_numbers
        + layout
            .encoded
            .iter()
            .position(is_own)
            .expect("coefficients are numbers' or levels'")
}

/// The column of a coefficient, if it alone tells some rows apart without an error.
fn separates(
    design: &Design,
    target: &Target,
    coefficient: usize,
) -> Result<Option<usize>, SolverError> {
    let layout = &design.layout;
    let weight = |row: usize| target.weights.as_ref().map_or(1.0, |weights| weights[row]);
    let rows = |part: &Part| {
        (0..part.n_rows)
            .map(|row| (row / TILE_ROWS, row % TILE_ROWS, part.first_row + row))
            .collect::<Vec<_>>()
    };
    if coefficient <= layout.n_numbers {
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); 2];
        for idx in 0..design.n_parts() {
            let part = &*design.part(idx)?;
            for (tile, within, row) in rows(part)
                .into_iter()
                .filter(|(_, _, row)| weight(*row) > 0.0)
            {
                let at = (tile * layout.n_numbers + coefficient - 1) * TILE_ROWS + within;
                let value = part.number(at);
                let range = &mut ranges[usize::from(target.labels[row])];
                *range = (range.0.min(value), range.1.max(value));
            }
        }
        let [lost, won] = ranges;
        let is_constant = lost.0.min(won.0) == lost.1.max(won.1);
        return Ok(
            (!is_constant && (lost.1 <= won.0 || won.1 <= lost.0)).then_some(coefficient - 1)
        );
    }
    let column = column_of(design, coefficient);
    let encoded = &layout.encoded[column - layout.n_numbers];
    let level = coefficient - encoded.first;
    let mut counts = [0.0; 2];
    for part_idx in 0..design.n_parts() {
        let part = &*design.part(part_idx)?;
        for (tile, within, row) in rows(part) {
            if part.codes(tile, encoded, layout).get(within) == level {
                counts[usize::from(target.labels[row])] += weight(row);
            }
        }
    }
    Ok(counts.contains(&0.0).then_some(column))
}
