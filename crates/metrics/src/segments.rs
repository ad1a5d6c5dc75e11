//! Scores within parts of the rows, such as a source or a month: where one of them fails.

use serde::{Deserialize, Serialize};

use crate::bootstrap::Estimate;
use crate::clusters::Clusters;
use crate::delong::roc_aucs;
use crate::error::MetricError;
use crate::evaluation::{cluster_keys, count_wins};
use crate::interval::{Interval, clustered_rate_interval};
use crate::ranking::Ranking;

/// Rows in parts; one entry a row in every slice.
#[derive(Debug, Clone, Copy)]
pub struct SegmentInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The model's probability.
    pub probabilities: &'a [f64],
    /// What rows are ranked by, score by score; finite.
    pub scores: &'a [&'a [f64]],
    /// The lead of each row.
    pub clusters: &'a Clusters,
    /// The part of each row, from 0.
    pub part_of_row: &'a [u32],
    /// Names of the parts.
    pub names: &'a [String],
}

/// One part of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// Its name.
    pub name: String,
    /// Number of rows.
    pub n_rows: usize,
    /// Of these, won.
    pub n_wins: usize,
    /// Share won.
    pub win_rate: f64,
    /// Its 95 % interval, by lead.
    pub interval: Interval,
    /// Mean probability given.
    pub mean_probability: f64,
    /// The AUC of each score; empty where fewer than 10 rows were won, or not won.
    pub aucs: Vec<Estimate>,
}

impl SegmentRow {
    /// Whether what was said lies outside the interval of what happened, and more than a tenth off.
    pub fn is_off(&self) -> bool {
        let outside =
            self.mean_probability < self.interval.low || self.mean_probability > self.interval.high;
        outside && (self.mean_probability / self.win_rate.max(1e-9) - 1.0).abs() > 0.1
    }
}

/// Rows of either label below which ranking within a part says nothing.
const ENOUGH: usize = 10;

/// Every part that has rows, in order of the names.
///
/// # Errors
///
/// [`MetricError`] where a score is not finite.
///
/// # Panics
///
/// Where slices differ in length, or a part has no name.
pub fn segment_rows(input: SegmentInput<'_>) -> Result<Vec<SegmentRow>, MetricError> {
    let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); input.names.len()];
    for (row, &part) in input.part_of_row.iter().enumerate() {
        rows_of[part as usize].push(row);
    }
    let mut found = Vec::new();
    for (name, rows) in input
        .names
        .iter()
        .zip(&rows_of)
        .filter(|(_, rows)| !rows.is_empty())
    {
        let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
        let clusters = input.clusters.pick(rows);
        let n_wins = count_wins(&labels);
        let n_rows = rows.len();
        let aucs = if n_wins >= ENOUGH && n_rows - n_wins >= ENOUGH {
            let rankings = input.scores.iter().map(|scores| {
                Ranking::new(&rows.iter().map(|&row| scores[row]).collect::<Vec<_>>())
            });
            let aucs = roc_aucs(
                &labels,
                &rankings.collect::<Result<Vec<_>, _>>()?,
                &clusters,
            )?;
            (0..input.scores.len())
                .map(|score| aucs.estimate(score))
                .collect()
        } else {
            Vec::new()
        };
        found.push(SegmentRow {
            name: name.clone(),
            n_rows,
            n_wins,
            win_rate: n_wins as f64 / n_rows as f64,
            interval: clustered_rate_interval(&labels, &cluster_keys(&clusters)),
            mean_probability: rows
                .iter()
                .map(|&row| input.probabilities[row])
                .sum::<f64>()
                / n_rows as f64,
            aucs,
        });
    }
    Ok(found)
}
