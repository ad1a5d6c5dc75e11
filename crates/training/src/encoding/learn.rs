//! Means, scales, bins and levels of features, learned from rows.

use leadscore_core::FeatureMatrix;
use leadscore_inference::{Axis, bin_of};
use leadscore_solver::Direction;

use super::block::{Block, Shared};
use super::codes::level_of;
use super::left_out::DropReason;
use super::options::EncodingOptions;

/// Values that quantiles are taken of at most.
const MAX_SORTED: usize = 200_000;

/// Share of the rows whose one value has a bin of its own.
const SPIKE: f64 = 0.02;

/// A feature in few cells, by these rows; `None` where there would be only one.
pub(crate) fn fit_axis(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    options: EncodingOptions,
) -> Option<Axis> {
    if matrix.is_category(feature_idx) {
        let (counts, _) = count_levels(matrix, rows, feature_idx);
        let mut levels: Vec<usize> = (0..counts.len())
            .filter(|&level| counts[level] >= options.min_level_rows)
            .collect();
        levels.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
        levels.truncate(options.max_side);
        let mut levels: Vec<String> = levels
            .into_iter()
            .map(|level| matrix.levels(feature_idx)[level].clone())
            .collect();
        levels.sort_unstable();
        return (!levels.is_empty()).then_some(Axis::Levels {
            feature_idx,
            levels,
        });
    }
    let (edges, has_missing) = learn_edges(matrix, rows, feature_idx, options.max_side, false)?;
    (!edges.is_empty() || has_missing).then_some(Axis::Bins { feature_idx, edges })
}

pub(super) fn fit_number(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    direction: Option<Direction>,
) -> Result<Block, DropReason> {
    let values = matrix.column(feature_idx);
    let present = || {
        rows.iter()
            .map(|&row| values[row])
            .filter(|value| !value.is_nan())
    };
    let n = present().count();
    if n == 0 {
        return Err(DropReason::Missing);
    }
    let mean = present().sum::<f64>() / n as f64;
    let variance = present()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / n as f64;
    let scale = variance.sqrt();
    let range = present().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let has_missing = n < rows.len();
    // Rounding leaves a constant column a variance of some units in the last place.
    let is_constant = scale <= 1e-12 * mean.abs().max(1e-300);
    if is_constant && !has_missing {
        return Err(DropReason::Constant);
    }
    let scale = if is_constant { 1.0 } else { scale };
    Ok(Block::Number {
        feature_idx,
        mean,
        scale,
        range,
        has_missing,
        direction,
        penalty: Shared::Own,
    })
}

/// Whether a row has one of several values: 0 or 1, as it is, so that the weights of all values
/// have one variance; the first of an attribute until its others are known.
pub(super) fn fit_token(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    options: EncodingOptions,
    direction: Option<Direction>,
) -> Result<Block, DropReason> {
    let values = matrix.column(feature_idx);
    let n_with = rows.iter().filter(|&&row| values[row] > 0.5).count();
    if n_with == 0 || n_with == rows.len() {
        return Err(DropReason::Constant);
    }
    if n_with.min(rows.len() - n_with) < options.min_level_rows {
        return Err(DropReason::Rare {
            min_rows: options.min_level_rows,
        });
    }
    Ok(Block::Number {
        feature_idx,
        mean: n_with as f64 / rows.len() as f64,
        scale: 1.0,
        range: (0.0, 1.0),
        has_missing: false,
        direction,
        penalty: Shared::First(1),
    })
}

/// Steps, and beneath them a line where there are two bins or more.
pub(super) fn fit_curve(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    max_bins: usize,
    direction: Option<Direction>,
) -> Result<Vec<Block>, DropReason> {
    let (edges, has_missing) =
        learn_edges(matrix, rows, feature_idx, max_bins, true).ok_or(DropReason::Missing)?;
    if edges.is_empty() && !has_missing {
        return Err(DropReason::Constant);
    }
    let values = matrix.column(feature_idx);
    let (mut sums, mut counts) = (vec![0.0; edges.len() + 1], vec![0.0_f64; edges.len() + 1]);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in rows
        .iter()
        .map(|&row| values[row])
        .filter(|value| !value.is_nan())
    {
        let bin = bin_of(&edges, value);
        sums[bin] += value;
        counts[bin] += 1.0;
        (low, high) = (low.min(value), high.max(value));
    }
    // Edges are learned on a sample where there are very many rows, and a bin may then hold none.
    let middle = |bin: usize| edges.get(bin).or(edges.last()).copied().unwrap_or(low);
    let means = (0..sums.len())
        .map(|bin| {
            if counts[bin] > 0.0 {
                sums[bin] / counts[bin]
            } else {
                middle(bin)
            }
        })
        .collect();
    let bins = Block::Bins {
        feature_idx,
        edges,
        means,
        low,
        high,
        direction,
    };
    let line = fit_number(matrix, rows, feature_idx, direction);
    if low < high
        && let Ok(Block::Number {
            mean, scale, range, ..
        }) = line
    {
        let line = Block::Line {
            feature_idx,
            mean,
            scale,
            range,
            direction,
        };
        return Ok(vec![line, bins]);
    }
    Ok(vec![bins])
}

/// Upper ends of bins of about equal size, each halfway between neighbouring values: between all
/// where there are few, else above quantiles.
///
/// Also whether a value is missing; `None` where all are.
fn learn_edges(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    max_bins: usize,
    has_spikes: bool,
) -> Option<(Vec<f64>, bool)> {
    let values = matrix.column(feature_idx);
    let n_present = rows.iter().filter(|&&row| !values[row].is_nan()).count();
    if n_present == 0 {
        return None;
    }
    // Quantiles of a part are as good, and sorting all would take longer than the fit.
    let step = n_present.div_ceil(MAX_SORTED);
    let mut sorted: Vec<f64> = rows
        .iter()
        .map(|&row| values[row])
        .filter(|value| !value.is_nan())
        .step_by(step)
        .collect();
    let n = sorted.len();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<f64> = Vec::with_capacity(max_bins + 1);
    for &value in &sorted {
        if distinct.last() != Some(&value) {
            distinct.push(value);
            if distinct.len() > max_bins {
                break;
            }
        }
    }
    let mut edges: Vec<f64> = if distinct.len() <= max_bins {
        distinct
            .windows(2)
            .map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0)
            .collect()
    } else {
        // Halfway to the next value, too: a value that an engine elsewhere computes with another
        // last digit stays in its bin.
        let above = |value: f64| {
            sorted[sorted.partition_point(|&known| known <= value)..]
                .first()
                .map_or(value, |next| value + (next - value) / 2.0)
        };
        let mut edges: Vec<f64> = (1..max_bins)
            .map(|bin| above(sorted[bin * n / max_bins]))
            .collect();
        // A value that many rows have, such as the price of the standard package, is no neighbour
        // of those beside it.
        let mut first = 0;
        for spike in sorted.chunk_by(|a, b| a == b) {
            if has_spikes && spike.len() as f64 >= SPIKE * n as f64 {
                edges.extend(
                    (first > 0).then(|| sorted[first - 1] + (spike[0] - sorted[first - 1]) / 2.0),
                );
                edges.push(above(spike[0]));
            }
            first += spike.len();
        }
        edges.sort_unstable_by(f64::total_cmp);
        edges
    };
    edges.dedup();
    // What lies above the last edge must not be empty.
    while edges.last().is_some_and(|edge| *edge >= sorted[n - 1]) {
        edges.pop();
    }
    Some((edges, n_present < rows.len()))
}

fn count_levels(matrix: &FeatureMatrix, rows: &[usize], feature_idx: usize) -> (Vec<usize>, usize) {
    let values = matrix.column(feature_idx);
    let mut counts = vec![0_usize; matrix.levels(feature_idx).len()];
    let mut n_missing = 0_usize;
    for &row in rows {
        match level_of(values[row]) {
            Some(level) => counts[level] += 1,
            None => n_missing += 1,
        }
    }
    (counts, n_missing)
}

pub(super) fn fit_levels(
    matrix: &FeatureMatrix,
    rows: &[usize],
    feature_idx: usize,
    options: EncodingOptions,
) -> Result<Block, DropReason> {
    let names = matrix.levels(feature_idx);
    let (counts, n_missing) = count_levels(matrix, rows, feature_idx);
    let seen: Vec<usize> = (0..names.len())
        .filter(|&level| counts[level] > 0)
        .collect();
    if seen.is_empty() {
        return Err(DropReason::Missing);
    }
    let mut frequent: Vec<usize> = seen
        .iter()
        .copied()
        .filter(|&level| counts[level] >= options.min_level_rows)
        .collect();
    frequent.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
    frequent.truncate(options.max_levels);
    let is_frequent: std::collections::HashSet<usize> = frequent.iter().copied().collect();
    let rare: Vec<usize> = seen
        .iter()
        .copied()
        .filter(|level| !is_frequent.contains(level))
        .collect();
    if frequent.len() + usize::from(!rare.is_empty()) + usize::from(n_missing > 0) < 2 {
        return Err(if seen.len() == 1 {
            DropReason::Constant
        } else {
            DropReason::Rare {
                min_rows: options.min_level_rows,
            }
        });
    }
    let sorted = |levels: Vec<usize>| {
        let mut names: Vec<String> = levels
            .into_iter()
            .map(|level| names[level].clone())
            .collect();
        names.sort_unstable();
        names
    };
    Ok(Block::Levels {
        feature_idx,
        levels: sorted(frequent),
        rare_levels: sorted(rare),
        has_missing: n_missing > 0,
    })
}
