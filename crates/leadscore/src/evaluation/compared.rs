//! The snapshots that every score has a value for, with the scores side by side.

use leadscore_inference::quartile_tiers;
use leadscore_metrics::{
    BootstrapOptions, Calls, Clusters, Comparison, ComparisonInput, ScoreInput, compare,
};
use leadscore_report::BaselineNote;

use super::Evaluated;
use super::baseline::{Baseline, BaselineKind};
use super::rows::Rows;
use super::tiers::tier_numbers;
use crate::error::bail;

/// A score at the rows that are compared.
pub(super) struct Score<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<f64>,
    /// What its values say as probabilities.
    probabilities: Vec<f64>,
    /// Its quarters of the rows.
    tiers: Vec<usize>,
    pub(super) is_points: bool,
    /// From where on a lead is called today.
    pub(super) threshold: Option<f64>,
}

impl<'a> Score<'a> {
    /// The model's.
    fn of_model(probabilities: Vec<f64>) -> Self {
        Self {
            name: "model",
            tiers: tier_numbers(&quartile_tiers(&probabilities)),
            values: probabilities.clone(),
            probabilities,
            is_points: false,
            threshold: None,
        }
    }

    /// A baseline's, and how it was made probabilities of.
    fn of_baseline(
        baseline: &'a Baseline,
        values: Vec<f64>,
        known: &Rows,
    ) -> crate::Result<(Self, String)> {
        let (probabilities, calibration) =
            baseline.probabilities(&values, &known.labels, &known.clusters)?;
        let score = Self {
            name: &baseline.name,
            tiers: tier_numbers(&quartile_tiers(&values)),
            values,
            probabilities,
            is_points: matches!(baseline.kind, BaselineKind::Points { .. }),
            threshold: baseline.threshold,
        };
        Ok((score, calibration))
    }
}

/// Rows that all scores have a value for.
pub(super) struct Compared<'a> {
    /// Which of the evaluated rows they are.
    pub(super) rows: Vec<usize>,
    /// What is known of them.
    pub(super) known: Rows,
    /// Their leads.
    leads: Clusters,
    /// The model's first, then those of the baselines.
    pub(super) scores: Vec<Score<'a>>,
    /// The baselines that can be compared.
    pub(super) baselines: Vec<&'a Baseline>,
    /// What the page says about each of them.
    pub(super) notes: Vec<BaselineNote>,
}

impl<'a> Compared<'a> {
    /// The model beside its baselines; a baseline whose rows have one label only is left out, and
    /// that is said.
    pub(super) fn new(
        evaluated: &Evaluated<'_>,
        all: &Rows,
        baselines: &'a [Baseline],
    ) -> crate::Result<Self> {
        let (baselines, left_out): (Vec<&Baseline>, Vec<&Baseline>) = baselines
            .iter()
            .partition(|baseline| all.have_both_labels(&rows_with(&[baseline], all.n_rows())));
        for baseline in left_out {
            evaluated.data.remark(&format!("{} is left out of the comparison: among the snapshots that have it, not both won and others are", baseline.name));
        }
        let rows = rows_with(&baselines, all.n_rows());
        if !all.have_both_labels(&rows) {
            bail!(
                "no snapshots have all of these scores, won and others among them\n  hint: compare with one at a time"
            );
        }
        let known = all.select(&rows);
        let values = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let mut scores = vec![Score::of_model(values(&evaluated.probabilities))];
        let mut notes = Vec::new();
        for &baseline in &baselines {
            let (score, calibration) =
                Score::of_baseline(baseline, values(&baseline.values), &known)?;
            notes.push(BaselineNote {
                name: baseline.name.clone(),
                origin: baseline.origin.clone(),
                calibration,
                is_points: score.is_points,
            });
            scores.push(score);
        }
        Ok(Self {
            leads: known.leads(),
            rows,
            known,
            scores,
            baselines,
            notes,
        })
    }

    /// The scores against each other, where these calls are made.
    pub(super) fn comparison(
        &self,
        calls: Calls<'_>,
        tier_names: &[&str],
    ) -> crate::Result<Comparison> {
        let scores: Vec<ScoreInput<'_>> = self
            .scores
            .iter()
            .map(|score| ScoreInput {
                name: score.name,
                values: &score.values,
                probabilities: &score.probabilities,
                tiers: &score.tiers,
            })
            .collect();
        let input = ComparisonInput {
            labels: &self.known.labels,
            clusters: &self.known.clusters,
            leads: &self.leads,
            scores: &scores,
            calls,
            tier_names,
            deals: self.known.deals(),
        };
        Ok(compare(input, BootstrapOptions::default())?)
    }
}

/// Rows at which all of these have a value.
fn rows_with(baselines: &[&Baseline], n_rows: usize) -> Vec<usize> {
    (0..n_rows)
        .filter(|&row| {
            baselines
                .iter()
                .all(|baseline| !baseline.values[row].is_nan())
        })
        .collect()
}
