//! The figures of the compared snapshots part by part: by month, by age, by category.

use std::collections::{BTreeMap, HashSet};

use leadscore_core::FeatureSource;
use leadscore_inference::Term;
use leadscore_metrics::{SegmentInput, segment_rows};
use leadscore_report::{Breakdown, BreakdownBy};

use super::Evaluated;
use super::by_age::age_band;
use super::compared::Compared;
use super::months::{month_of, numbered};
use crate::ages::age_in_days;

/// Breakdowns as they are made.
pub(super) struct Breakdowns<'a> {
    evaluated: &'a Evaluated<'a>,
    compared: &'a Compared<'a>,
    found: Vec<Breakdown>,
}

impl<'a> Breakdowns<'a> {
    /// None yet, of the rows that are compared.
    pub(super) fn new(evaluated: &'a Evaluated<'a>, compared: &'a Compared<'a>) -> Self {
        Self {
            evaluated,
            compared,
            found: Vec::new(),
        }
    }

    /// Adds one by the month of the snapshot.
    pub(super) fn by_month(&mut self) -> crate::Result<()> {
        let months = self.compared.known.snapshots.iter();
        self.add(BreakdownBy::Month, months.map(|key| month_of(key.at)))
    }

    /// Adds one by the age of the lead.
    pub(super) fn by_age(&mut self) -> crate::Result<()> {
        let tables = self.evaluated.tables;
        let snapshots = self.compared.known.snapshots.iter();
        self.add(
            BreakdownBy::Category("age at the snapshot".to_owned()),
            snapshots.map(|key| age_band(age_in_days(tables, key)).to_owned()),
        )
    }

    /// Adds one for each category that is worth it.
    pub(super) fn by_segments(&mut self) -> crate::Result<()> {
        let Evaluated { matrix, rows, .. } = self.evaluated;
        for column in segment_columns(self.evaluated)? {
            let level = |&row: &usize| {
                matrix
                    .level(rows[row], column)
                    .unwrap_or("missing")
                    .to_owned()
            };
            let levels = few_levels(self.compared.rows.iter().map(level).collect());
            let name = matrix.specs()[column].name.clone();
            self.add(BreakdownBy::Category(name), levels.into_iter())?;
        }
        Ok(())
    }

    /// All of them, in the order in which they were added.
    pub(super) fn into_found(self) -> Vec<Breakdown> {
        self.found
    }

    /// Adds one, given the part of each row.
    fn add(
        &mut self,
        by: BreakdownBy,
        part_of_row: impl Iterator<Item = String>,
    ) -> crate::Result<()> {
        let (part_of_row, names) = numbered(part_of_row);
        let scores = &self.compared.scores;
        let values: Vec<&[f64]> = scores.iter().map(|score| score.values.as_slice()).collect();
        let input = SegmentInput {
            labels: &self.compared.known.labels,
            probabilities: values[0],
            scores: &values,
            clusters: &self.compared.known.clusters,
            part_of_row: &part_of_row,
            names: &names,
        };
        self.found.push(Breakdown {
            by,
            scores: scores.iter().map(|score| score.name.to_owned()).collect(),
            rows: segment_rows(input)?,
        });
        Ok(())
    }
}

/// Levels of a category that a table shows.
const N_LEVELS: usize = 12;

/// The most frequent levels, and one name for all others.
fn few_levels(mut levels: Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for level in &levels {
        *counts.entry(level).or_default() += 1;
    }
    if counts.len() <= N_LEVELS {
        return levels;
    }
    let mut order: Vec<(&str, usize)> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let kept: HashSet<String> = order
        .into_iter()
        .take(N_LEVELS - 1)
        .map(|(level, _)| level.to_owned())
        .collect();
    for level in levels.iter_mut().filter(|level| !kept.contains(*level)) {
        "all others".clone_into(level);
    }
    levels
}

/// The categories that figures are broken down by: the configured ones, or the two that move the
/// score most.
fn segment_columns(evaluated: &Evaluated<'_>) -> crate::Result<Vec<usize>> {
    let matrix = evaluated.matrix;
    let mut categories: Vec<(usize, f64)> = (evaluated.model.terms.iter())
        .filter(|term| {
            matches!(term, Term::Levels(_))
                && matches!(
                    matrix.specs()[term.feature_idx()].source,
                    FeatureSource::Attribute { .. }
                )
        })
        .map(|term| (term.feature_idx(), term.range()))
        .collect();
    categories.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(named) = &evaluated.data.config.report.segments else {
        return Ok(categories
            .into_iter()
            .take(2)
            .map(|(column, _)| column)
            .collect());
    };
    let names = || {
        (0..matrix.n_features())
            .filter(|&column| matrix.is_category(column))
            .map(|column| matrix.specs()[column].name.as_str())
    };
    named
        .iter()
        .map(|name| {
            let column = (0..matrix.n_features()).find(|&column| matrix.is_category(column) && matrix.specs()[column].name == *name);
            column.ok_or_else(|| {
                let known: Vec<&str> = names().collect();
                let hint = leadscore_config::nearest(name, known.iter().copied())
                    .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
                crate::error::request!("`segments` of [report] names `{name}`, which is not a category that the model reads\n  hint: {hint}")
            })
        })
        .collect()
}
