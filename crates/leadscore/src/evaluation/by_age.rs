//! How much of the ranking is age alone.

use std::collections::BTreeMap;

use leadscore_config::DAYS_OF_MONTH;
use leadscore_core::Snapshot;
use leadscore_metrics::roc_auc;
use leadscore_report::AgeFigures;

use super::Evaluated;
use crate::ages::age_in_days;

/// How much of the ranking is age alone.
pub(super) fn age_figures(
    evaluated: &Evaluated<'_>,
    snapshots: &[Snapshot],
) -> crate::Result<Option<AgeFigures>> {
    if evaluated.data.config.is_flat() || evaluated.data.config.snapshots.ages.is_some() {
        return Ok(None);
    }
    let ages: Vec<f64> = snapshots
        .iter()
        .map(|key| age_in_days(evaluated.tables, key))
        .collect();
    let mut of_month: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    #[expect(clippy::cast_possible_truncation, reason = "months of age")]
    (0..ages.len()).for_each(|row| {
        of_month
            .entry((ages[row] / DAYS_OF_MONTH).floor() as i64)
            .or_default()
            .push(row);
    });
    let (mut in_order, mut pairs) = (0.0, 0.0);
    for rows in of_month.values() {
        let labels: Vec<bool> = rows.iter().map(|&row| evaluated.labels[row]).collect();
        let n_won = labels.iter().filter(|label| **label).count();
        let n_pairs = (n_won * (labels.len() - n_won)) as f64;
        if n_pairs > 0.0 {
            in_order += n_pairs
                * roc_auc(
                    &labels,
                    &rows
                        .iter()
                        .map(|&row| evaluated.probabilities[row])
                        .collect::<Vec<_>>(),
                )?;
            pairs += n_pairs;
        }
    }
    let newest_first: Vec<f64> = ages.iter().map(|age| -age).collect();
    let figures = |newest: f64| AgeFigures {
        roc_auc_within_age: in_order / pairs,
        roc_auc_newest_first: newest,
    };
    Ok(if pairs > 0.0 {
        Some(figures(roc_auc(&evaluated.labels, &newest_first)?))
    } else {
        None
    })
}

/// Ages that a table shows, in order of their names.
pub(super) fn age_band(days: f64) -> &'static str {
    match days {
        days if days < 31.0 => "0 to 1 month",
        days if days < 92.0 => "1 to 3 months",
        days if days < 183.0 => "3 to 6 months",
        days if days < 366.0 => "6 to 12 months",
        _ => "over 12 months",
    }
}
