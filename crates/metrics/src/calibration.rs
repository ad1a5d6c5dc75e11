//! Calibration: whether 22 % means 22 %.

use serde::{Deserialize, Serialize};

use crate::error::{MetricError, check_probabilities};
use crate::interval::{Interval, wilson_interval};
use crate::ranking::Ranking;

/// Rows of similar probability, with what was said and what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Number of rows.
    pub n_rows: usize,
    /// Number of wins.
    pub n_wins: usize,
    /// Mean probability, 0 to 1.
    pub mean_probability: f64,
    /// Share of rows won, 0 to 1.
    pub win_rate: f64,
    /// 95 % Wilson interval of the win rate.
    pub interval: Interval,
}

/// Splits the rows into `n_bins` bins of about equal size by probability, lowest first.
///
/// Equal probabilities always share a bin: a group of ties goes where the midpoint of its
/// percentile range falls, so there may be fewer bins than asked for.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`],
/// [`MetricError::NotProbability`].
///
/// # Examples
///
/// ```
/// let bins = leadscore_metrics::calibration_table(&[false, false, true, true], &[0.1, 0.1, 0.5, 0.9], 2)?;
/// assert_eq!((bins.len(), bins[0].n_wins, bins[1].n_wins), (2, 0, 2));
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn calibration_table(
    labels: &[bool],
    probabilities: &[f64],
    n_bins: usize,
) -> Result<Vec<CalibrationBin>, MetricError> {
    check_probabilities(labels, probabilities)?;
    Ok(calibration_bins(
        &Ranking::new(probabilities)?,
        labels,
        probabilities,
        n_bins,
    ))
}

/// [`calibration_table`] of rows that are sorted already.
pub fn calibration_bins(
    ranking: &Ranking,
    labels: &[bool],
    probabilities: &[f64],
    n_bins: usize,
) -> Vec<CalibrationBin> {
    let n_rows = labels.len();
    // The bin, its rows, its wins, and the sum of its probabilities; best first.
    let mut bins: Vec<(usize, usize, usize, f64)> = Vec::new();
    let mut end = n_rows;
    for rows in ranking.tied_rows() {
        let start = end - rows.len();
        let bin = (n_bins * (start + end) / (2 * n_rows)).min(n_bins.saturating_sub(1));
        let wins = rows.iter().filter(|&&row| labels[row as usize]).count();
        let sum = probabilities[rows[0] as usize] * rows.len() as f64;
        match bins.last_mut() {
            Some(last) if last.0 == bin => {
                last.1 += rows.len();
                last.2 += wins;
                last.3 += sum;
            }
            _ => bins.push((bin, rows.len(), wins, sum)),
        }
        end = start;
    }
    bins.into_iter()
        .rev()
        .map(|(_, n_rows, n_wins, sum)| CalibrationBin {
            n_rows,
            n_wins,
            mean_probability: sum / n_rows as f64,
            win_rate: n_wins as f64 / n_rows as f64,
            interval: wilson_interval(n_wins, n_rows),
        })
        .collect()
}

/// Mean gap between probability and win rate over bins, weighted by their rows: 0 is perfect, lower
/// is better.
///
/// ```text
/// ECE = ∑ₖ nₖ/n · |p̄ₖ − ȳₖ|
/// ```
///
/// where `nₖ`, `p̄ₖ` and `ȳₖ` are rows, mean probability and win rate of bin `k` of
/// [`calibration_table`]. It grows with the number of bins even for perfect probabilities, so read
/// it beside the table.
///
/// # Errors
///
/// As [`calibration_table`].
///
/// # Examples
///
/// ```
/// let error = leadscore_metrics::expected_calibration_error(&[false, true], &[0.5, 0.5], 10)?;
/// assert_eq!(error, 0.0);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn expected_calibration_error(
    labels: &[bool],
    probabilities: &[f64],
    n_bins: usize,
) -> Result<f64, MetricError> {
    Ok(gap_of_bins(&calibration_table(
        labels,
        probabilities,
        n_bins,
    )?))
}

pub(crate) fn gap_of_bins(bins: &[CalibrationBin]) -> f64 {
    let gaps: f64 = bins
        .iter()
        .map(|bin| bin.n_rows as f64 * (bin.mean_probability - bin.win_rate).abs())
        .sum();
    gaps / bins.iter().map(|bin| bin.n_rows as f64).sum::<f64>()
}
