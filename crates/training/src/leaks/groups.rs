//! Rows in groups by the value of one attribute, and the win rates of these.

use leadscore_core::FeatureMatrix;

/// Bins of a number, and pseudo-rows that pull the rate of a seldom level to the base rate.
const N_BINS: usize = 20;
const PRIOR_ROWS: f64 = 20.0;

/// A group number for each row: 0 for missing, else the level, or the bin of equal size of a
/// number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
pub(super) fn group_rows(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    let values = matrix.column(idx);
    if matrix.is_category(idx) {
        return values
            .iter()
            .map(|value| {
                if value.is_nan() {
                    0
                } else {
                    *value as usize + 1
                }
            })
            .collect();
    }
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..N_BINS)
        .filter_map(|bin| sorted.get(bin * sorted.len() / N_BINS).copied())
        .collect();
    edges.dedup();
    values
        .iter()
        .map(|value| {
            if value.is_nan() {
                0
            } else {
                1 + edges.partition_point(|edge| edge <= value)
            }
        })
        .collect()
}

/// The same, but each number is a group of its own where few are different: of one value that few
/// leads have, no bin of equal size would say anything.
pub(super) fn group_finely(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    const FEW: usize = 50;
    let values = matrix.column(idx);
    let mut different: Vec<f64> = Vec::new();
    for value in values.iter().copied().filter(|value| !value.is_nan()) {
        if let Err(place) = different.binary_search_by(|known| known.total_cmp(&value)) {
            if matrix.is_category(idx) {
                return group_levels(matrix, idx);
            }
            if different.len() == FEW {
                return group_rows(matrix, idx);
            }
            different.insert(place, value);
        }
    }
    let group = |value: &f64| {
        if value.is_nan() {
            0
        } else {
            1 + different.partition_point(|known| known < value)
        }
    };
    values.iter().map(group).collect()
}

/// Levels that hardly a row has are one group: of contract numbers each is another one, and all of
/// them together say that there is one.
fn group_levels(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    const SELDOM: usize = 5;
    let mut groups = group_rows(matrix, idx);
    let mut counts = vec![0_usize; groups.iter().max().map_or(1, |max| max + 1)];
    groups.iter().for_each(|group| counts[*group] += 1);
    let together = counts.len();
    for group in groups
        .iter_mut()
        .filter(|group| **group != 0 && counts[**group] < SELDOM)
    {
        *group = together;
    }
    groups
}

/// The win rate of each row's group in the other half of the leads, pulled to that half's base
/// rate.
pub(super) fn cross_fitted_rates(groups: &[usize], labels: &[bool], clusters: &[u64]) -> Vec<f64> {
    let n_groups = groups.iter().max().map_or(1, |max| max + 1);
    let mut counts = vec![[(0.0, 0.0); 2]; n_groups];
    let mut totals = [(0.0_f64, 0.0_f64); 2];
    let half = |row: usize| (clusters[row] >> 7) as usize & 1;
    for row in 0..labels.len() {
        let win = f64::from(u8::from(labels[row]));
        for total in [&mut counts[groups[row]][half(row)], &mut totals[half(row)]] {
            *total = (total.0 + win, total.1 + 1.0);
        }
    }
    (0..labels.len())
        .map(|row| {
            let other = 1 - half(row);
            let base = totals[other].0 / totals[other].1.max(1.0);
            let (wins, rows) = counts[groups[row]][other];
            // Against the base rate of its own half of the data: two halves with different rates
            // would rank by half.
            (wins + PRIOR_ROWS * base) / (rows + PRIOR_ROWS) - base
        })
        .collect()
}
