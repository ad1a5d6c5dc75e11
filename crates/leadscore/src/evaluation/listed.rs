//! Snapshots that a report names one by one: surprises, and whom only one score would call.

use std::collections::HashSet;

use leadscore_core::{Snapshot, Timestamp, counted};
use leadscore_inference::Reason;
use leadscore_metrics::{Calls, Comparison, MetricError, Ranking, called_share};
use leadscore_report::{LeadRow, Surprises, SwapList};

use super::Evaluated;
use super::compared::{Compared, Score};

/// Leads of a list that a report holds.
const LONGEST_LIST: usize = 500;

const N_SURPRISES: usize = 10;

const N_REASONS: usize = 3;

/// Rows that are shown as leads.
pub(super) struct Listed<'a> {
    pub(super) evaluated: &'a Evaluated<'a>,
    /// Values of the first baseline, NaN where it has none.
    pub(super) baseline: Option<&'a [f64]>,
}

impl Listed<'_> {
    /// The first row of each lead, in this order, at most so many.
    fn leads(&self, rows: impl Iterator<Item = usize>, most: usize) -> Vec<LeadRow> {
        let mut seen = HashSet::new();
        let key = |row: usize| self.evaluated.matrix.keys()[self.evaluated.rows[row]];
        rows.filter(|&row| seen.insert(key(row).lead))
            .take(most)
            .map(|row| self.lead(row))
            .collect()
    }

    /// A row with what became of its lead, and why it was scored as it was.
    fn lead(&self, row: usize) -> LeadRow {
        let Evaluated {
            data,
            tables,
            model,
            matrix,
            ..
        } = self.evaluated;
        let key = matrix.keys()[self.evaluated.rows[row]];
        let is_won = self.evaluated.labels[row];
        let reasons = model.reasons(&model.concepts(), matrix, self.evaluated.rows[row]);
        LeadRow {
            lead: tables.leads.ids[key.lead as usize].clone(),
            snapshot: (data.write_time())(key.at),
            likelihood: 100.0 * self.evaluated.probabilities[row],
            baseline: self
                .baseline
                .map(|values| values[row])
                .filter(|value| !value.is_nan()),
            is_won,
            became: self.became(key, is_won),
            reasons: reasons.iter().take(N_REASONS).map(Reason::signed).collect(),
        }
    }

    /// How the lead ended, after how long.
    fn became(&self, key: Snapshot, is_won: bool) -> String {
        let tables = self.evaluated.tables;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "days since an earlier moment"
        )]
        let days = |at: Timestamp| counted(at.days_since(key.at).round() as u64, "day");
        match (
            tables.win_since(key.lead, key.at),
            tables.closing_since(key.lead, key.at),
        ) {
            _ if self.evaluated.data.config.is_flat() => {
                if is_won { "won" } else { "not won" }.to_owned()
            }
            (Some(won), _) => format!("won after {}", days(won)),
            (None, Some(closed)) => format!("lost after {}", days(closed)),
            (None, None) => "not closed".to_owned(),
        }
    }
}

/// The leads whose likelihood was highest and were not won, and lowest and were.
pub(super) fn surprises(listed: &Listed<'_>) -> Surprises {
    let Evaluated {
        labels,
        probabilities,
        ..
    } = listed.evaluated;
    let order = best_first(probabilities);
    Surprises {
        high_not_won: listed.leads(
            order.iter().copied().filter(|&row| !labels[row]),
            N_SURPRISES,
        ),
        low_won: listed.leads(
            order.iter().rev().copied().filter(|&row| labels[row]),
            N_SURPRISES,
        ),
    }
}

/// For each baseline, whom only the model and only the baseline would call.
pub(super) fn swap_lists(
    listed: &Listed<'_>,
    compared: &Compared<'_>,
    calls: &Calls<'_>,
    comparison: &Comparison,
) -> crate::Result<Vec<SwapList>> {
    let called = |score: &Score<'_>| {
        Ok(called_share(
            &Ranking::new(&score.values)?,
            calls.period_of_row,
            calls.of_period,
        ))
    };
    let called = compared
        .scores
        .iter()
        .map(called)
        .collect::<Result<Vec<_>, MetricError>>()?;
    let only = |score: usize, other: usize| {
        // Whoever ties at the edge is more likely called than not.
        let order = best_first(&compared.scores[score].values)
            .into_iter()
            .filter(|&row| called[score][row] >= 0.5 && called[other][row] < 0.5);
        listed.leads(order.map(|row| compared.rows[row]), LONGEST_LIST)
    };
    Ok((1..compared.scores.len())
        .map(|baseline| SwapList {
            against: comparison.scores[baseline].name.clone(),
            only_model: only(0, baseline),
            only_baseline: only(baseline, 0),
        })
        .collect())
}

/// Rows by falling value, those of one value in their own order.
fn best_first(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order
}
