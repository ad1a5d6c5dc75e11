//! A model as whole-number points, for systems that can only add up rules: few features, each in
//! few ranges, fitted to its log-odds.

use std::collections::BTreeMap;

use leadscore_core::FeatureMatrix;
use leadscore_inference::Axis;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::encoding::{EncodingOptions, axis_coder, fit_axis};

/// Share of leads at either end whose points may lie beyond 0 and 100.
const BEYOND: f64 = 0.001;
/// Cells that a feature is looked at in, and ranges of a number that are kept.
const CELLS: usize = 12;
const MAX_RANGES: usize = 4;
/// Rounds in which every feature is fitted again to what the others leave.
const ROUNDS: usize = 5;

/// Rules whose points, with those that everyone starts with, rank leads about as a model does.
#[derive(Debug, Clone, PartialEq)]
pub struct PointsTable {
    /// Points that everyone starts with.
    pub base: i32,
    /// Points for one unit of log-odds: 0.69 times as many double the odds.
    pub per_log_odds: f64,
    /// The rules, feature by feature, the one that says most first.
    pub rules: Vec<PointsRule>,
}

/// Points for a feature's value.
#[derive(Debug, Clone, PartialEq)]
pub struct PointsRule {
    /// The column of the feature matrix.
    pub feature_idx: usize,
    /// When it applies.
    pub condition: PointsCondition,
    /// Its points.
    pub points: i32,
}

/// When a rule of a points table applies.
#[derive(Debug, Clone, PartialEq)]
pub enum PointsCondition {
    /// A number above the first and up to the second.
    Range(Option<f64>, Option<f64>),
    /// One of these levels.
    Levels(Vec<String>),
    /// No value.
    Missing,
}

/// A feature in cells, with the group that each cell belongs to and the weight of each group.
struct Candidate {
    axis: Axis,
    codes: Vec<u8>,
    group_of_cell: Vec<usize>,
    weights: Vec<f64>,
}

/// At most `max_rules` rules fitted to log-odds of the rows of a matrix by least squares, on a
/// scale of 0 to 100 that all but one in a thousand leads at either end have room on.
///
/// Features are taken one after the other, that one first that takes most off the squared error,
/// and all that were taken are fitted again to what the others leave; so of features that say the
/// same thing one is enough. Numbers have four ranges and one for missing; levels beyond the dozen
/// most frequent have no rule.
///
/// # Panics
///
/// Where there are not as many log-odds as rows.
pub fn points_table(matrix: &FeatureMatrix, log_odds: &[f64], max_rules: usize) -> PointsTable {
    assert_eq!(log_odds.len(), matrix.n_rows(), "one a row");
    let rows: Vec<usize> = (0..matrix.n_rows()).collect();
    let mean = log_odds.iter().sum::<f64>() / log_odds.len().max(1) as f64;
    let mut residuals: Vec<f64> = log_odds.iter().map(|value| value - mean).collect();
    let options = EncodingOptions {
        max_side: CELLS,
        ..EncodingOptions::default()
    };
    let mut open: Vec<Candidate> = (0..matrix.n_features())
        .into_par_iter()
        .filter_map(|idx| Candidate::new(matrix, &rows, idx, options))
        .collect();
    let mut taken: Vec<Candidate> = Vec::new();
    let mut sorted = residuals.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the order"
    )]
    let at = |share: f64| {
        sorted
            .get((share * sorted.len().saturating_sub(1) as f64).round() as usize)
            .copied()
            .unwrap_or(0.0)
    };
    let (low, high) = (at(BEYOND), at(1.0 - BEYOND));
    let scale = Scale {
        low,
        per_log_odds: 100.0 / (high - low).max(1e-9),
    };
    let mut table = PointsTable {
        base: scale.base(&taken),
        per_log_odds: scale.per_log_odds,
        rules: Vec::new(),
    };
    while !open.is_empty() {
        let gains: Vec<f64> = open
            .par_iter()
            .map(|candidate| candidate.gain(&residuals))
            .collect();
        let best = (0..open.len())
            .max_by(|&a, &b| gains[a].total_cmp(&gains[b]))
            .expect("not empty");
        let mut candidate = open.swap_remove(best);
        candidate.join(&residuals);
        candidate.refit(&mut residuals);
        taken.push(candidate);
        for _ in 0..ROUNDS {
            taken
                .iter_mut()
                .for_each(|candidate| candidate.refit(&mut residuals));
        }
        let rules: Vec<PointsRule> = taken
            .iter()
            .flat_map(|candidate| candidate.rules(scale))
            .collect();
        if rules.len() > max_rules {
            break;
        }
        table = PointsTable {
            base: scale.base(&taken),
            per_log_odds: scale.per_log_odds,
            rules,
        };
        if gains[best] < 1e-9 * log_odds.len() as f64 {
            break;
        }
    }
    table
}

/// From log-odds against the mean lead to points.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Log-odds that are 0 points.
    low: f64,
    per_log_odds: f64,
}

impl Scale {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the bounds of a rule"
    )]
    fn points(self, log_odds: f64) -> i32 {
        (self.per_log_odds * log_odds).round().clamp(-200.0, 100.0) as i32
    }

    /// What the mean lead has, less what its rules give it.
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred at most")]
    fn base(self, taken: &[Candidate]) -> i32 {
        let given: f64 = taken
            .iter()
            .map(|candidate| {
                candidate
                    .codes
                    .iter()
                    .map(|&code| f64::from(candidate.points_of(code, self)))
                    .sum::<f64>()
                    / candidate.codes.len() as f64
            })
            .sum();
        (-self.low * self.per_log_odds - given).round() as i32
    }
}

impl Candidate {
    fn new(
        matrix: &FeatureMatrix,
        rows: &[usize],
        feature_idx: usize,
        options: EncodingOptions,
    ) -> Option<Self> {
        let axis = fit_axis(matrix, rows, feature_idx, options)?;
        let coder = axis_coder(&axis, matrix);
        // An axis has one cell for other levels and for none; here they are apart, since a rule can
        // say only one of them.
        let (is_levels, missing) = (matches!(axis, Axis::Levels { .. }), axis.n_cells());
        let cell = |row: usize| {
            if is_levels && matrix.level(row, feature_idx).is_none() {
                missing
            } else {
                coder(row) as usize
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "a dozen cells")]
        let codes: Vec<u8> = rows.iter().map(|&row| cell(row) as u8).collect();
        drop(coder);
        let n_cells = missing + usize::from(is_levels);
        Some(Self {
            codes,
            group_of_cell: (0..n_cells).collect(),
            weights: vec![0.0; n_cells],
            axis,
        })
    }

    /// Rows and sum of the residuals in each group.
    fn sums(&self, residuals: &[f64]) -> Vec<(f64, f64)> {
        let mut cells = vec![(0.0, 0.0); self.group_of_cell.len()];
        for (&code, residual) in self.codes.iter().zip(residuals) {
            let cell = &mut cells[code as usize];
            *cell = (cell.0 + 1.0, cell.1 + residual);
        }
        let mut groups = vec![(0.0, 0.0); self.weights.len()];
        for (&group, (n, sum)) in self.group_of_cell.iter().zip(cells) {
            groups[group] = (groups[group].0 + n, groups[group].1 + sum);
        }
        groups
    }

    /// The group of levels that no rule says.
    fn others(&self) -> Option<usize> {
        if let Axis::Levels { levels, .. } = &self.axis {
            Some(levels.len())
        } else {
            None
        }
    }

    /// What its groups would move by, those that no rule says by nothing.
    fn steps(&self, residuals: &[f64]) -> Vec<(f64, f64)> {
        let sums = self.sums(residuals).into_iter().enumerate();
        sums.map(|(group, (n, sum))| {
            if n > 0.0 && Some(group) != self.others() {
                (n, sum / n)
            } else {
                (n, 0.0)
            }
        })
        .collect()
    }

    /// What it would take off the squared error.
    fn gain(&self, residuals: &[f64]) -> f64 {
        self.steps(residuals)
            .into_iter()
            .map(|(n, step)| n * step * step)
            .sum()
    }

    /// Joins neighbouring ranges of a number, those first whose join loses least.
    fn join(&mut self, residuals: &[f64]) {
        let Axis::Bins { edges, .. } = &self.axis else {
            return;
        };
        let sums = self.sums(residuals);
        let mut ranges: Vec<(Vec<usize>, f64, f64)> = (0..=edges.len())
            .map(|cell| (vec![cell], sums[cell].0, sums[cell].1))
            .collect();
        while ranges.len() > MAX_RANGES {
            let loss = |at: usize| {
                let ((_, n, sum), (_, m, other)) = (&ranges[at], &ranges[at + 1]);
                let (n, m) = (n.max(1e-9), m.max(1e-9));
                n * m / (n + m) * (sum / n - other / m).powi(2)
            };
            let at = (0..ranges.len() - 1)
                .min_by(|&a, &b| loss(a).total_cmp(&loss(b)))
                .expect("more than one");
            let (cells, n, sum) = ranges.remove(at + 1);
            ranges[at].0.extend(cells);
            ranges[at] = (
                std::mem::take(&mut ranges[at].0),
                ranges[at].1 + n,
                ranges[at].2 + sum,
            );
        }
        for (group, (cells, ..)) in ranges.iter().enumerate() {
            cells
                .iter()
                .for_each(|&cell| self.group_of_cell[cell] = group);
        }
        self.group_of_cell[edges.len() + 1] = ranges.len();
        self.weights = vec![0.0; ranges.len() + 1];
    }

    /// Fits its weights to what the others leave, and takes the change off the residuals.
    fn refit(&mut self, residuals: &mut [f64]) {
        let steps: Vec<f64> = self
            .steps(residuals)
            .into_iter()
            .map(|(_, step)| step)
            .collect();
        self.weights
            .iter_mut()
            .zip(&steps)
            .for_each(|(weight, step)| *weight += step);
        for (&code, residual) in self.codes.iter().zip(residuals) {
            *residual -= steps[self.group_of_cell[code as usize]];
        }
    }

    fn points_of(&self, code: u8, scale: Scale) -> i32 {
        scale.points(self.weights[self.group_of_cell[code as usize]])
    }

    fn rules(&self, scale: Scale) -> Vec<PointsRule> {
        let points = |weight: f64| scale.points(weight);
        let feature_idx = self.axis.feature_idx();
        let rule = |condition, points| PointsRule {
            feature_idx,
            condition,
            points,
        };
        let mut rules = Vec::new();
        match &self.axis {
            Axis::Levels { levels, .. } => {
                // Levels with the same points are one rule.
                let mut by_points: BTreeMap<i32, Vec<String>> = BTreeMap::new();
                for (name, weight) in levels.iter().zip(&self.weights) {
                    by_points
                        .entry(points(*weight))
                        .or_default()
                        .push(name.clone());
                }
                rules.extend(
                    by_points
                        .into_iter()
                        .map(|(points, names)| rule(PointsCondition::Levels(names), points)),
                );
                rules.push(rule(
                    PointsCondition::Missing,
                    points(self.weights[levels.len() + 1]),
                ));
            }
            Axis::Bins { edges, .. } => {
                let n = edges.len() + 1;
                let mut first = 0_usize;
                for cell in 0..n {
                    let group = self.group_of_cell[cell];
                    if cell + 1 < n
                        && points(self.weights[self.group_of_cell[cell + 1]])
                            == points(self.weights[group])
                    {
                        continue;
                    }
                    let above = first.checked_sub(1).map(|before| edges[before]);
                    rules.push(rule(
                        PointsCondition::Range(above, edges.get(cell).copied()),
                        points(self.weights[group]),
                    ));
                    first = cell + 1;
                }
                let missing = self.weights[self.group_of_cell[n]];
                rules.push(rule(PointsCondition::Missing, points(missing)));
            }
        }
        rules.retain(|rule| rule.points != 0);
        rules
    }
}

#[cfg(test)]
mod tests {
    use leadscore_core::{
        AttributeTable, FeatureKind, FeatureSource, FeatureSpec, Snapshot, Timestamp, Unit,
    };

    use super::*;

    #[test]
    fn of_two_columns_that_say_the_same_one_is_enough() {
        let n = 2000;
        let first: Vec<f64> = (0..n).map(|row| f64::from((row * 37) % 100)).collect();
        let twin: Vec<f64> = first.iter().map(|value| value * 2.0).collect();
        let noise: Vec<f64> = (0..n).map(|row| f64::from((row * 61) % 89)).collect();
        let spec = |name: &str| FeatureSpec {
            name: name.to_owned(),
            source: FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column: name.to_owned(),
            },
            kind: FeatureKind::Number,
            unit: Unit::AsGiven,
        };
        let log_odds: Vec<f64> = first
            .iter()
            .map(|value| {
                if *value < 50.0 {
                    -std::f64::consts::LN_2
                } else {
                    std::f64::consts::LN_2
                }
            })
            .collect();
        let keys = (0..n as u32)
            .map(|lead| Snapshot {
                lead,
                at: Timestamp::from_micros(0),
            })
            .collect();
        let columns = [("first", first), ("twin", twin), ("noise", noise)]
            .map(|(name, values)| (spec(name), Vec::new(), values));
        let matrix = FeatureMatrix::new(keys, columns.into()).expect("finite columns");
        let table = points_table(&matrix, &log_odds, 10);
        let features: Vec<usize> = table.rules.iter().map(|rule| rule.feature_idx).collect();
        assert!(
            features.iter().all(|idx| *idx == features[0] && *idx < 2),
            "{table:?}"
        );
        // From one end of the scale to the other, either way from the middle.
        assert_eq!(
            (
                table.base,
                table.rules[0].points,
                table.rules[table.rules.len() - 1].points
            ),
            (50, -50, 50),
            "{table:?}"
        );
        assert!(points_table(&matrix, &log_odds, 1).rules.len() <= 1);
    }
}
