//! The number of the cell that a row is in.

use leadscore_core::FeatureMatrix;
use leadscore_inference::Axis;

/// The cell of a row along one side of a table.
#[expect(clippy::cast_possible_truncation, reason = "cells are few")]
pub(crate) fn axis_coder<'a>(
    axis: &'a Axis,
    matrix: &'a FeatureMatrix,
) -> Box<dyn Fn(usize) -> u32 + Sync + 'a> {
    let values = matrix.column(axis.feature_idx());
    match axis {
        Axis::Bins { .. } => Box::new(move |row| axis.cell_of_number(values[row]) as u32),
        Axis::Levels { feature_idx, .. } => {
            let cells: Vec<u32> = matrix
                .levels(*feature_idx)
                .iter()
                .map(|name| axis.cell_of_level(Some(name)) as u32)
                .collect();
            let missing = axis.cell_of_level(None) as u32;
            Box::new(move |row| level_of(values[row]).map_or(missing, |level| cells[level]))
        }
    }
}

/// The level of a value of a category; `None` where it is missing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
pub(super) fn level_of(code: f64) -> Option<usize> {
    (!code.is_nan()).then_some(code as usize)
}
