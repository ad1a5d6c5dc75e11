//! A team that can make so many calls: whom it reaches, and which of them become customers.

use crate::clusters::Clusters;
use crate::ranking::Ranking;

/// The chance that each row is called, 0 to 1, where each period's best `calls` rows are: rows that
/// tie across the edge share what is left.
///
/// # Shapes
///
/// `period_of_row` and the result are `(n_rows,)`, in the order of the ranked scores; `calls` is
/// `(n_periods,)`.
///
/// # Panics
///
/// Where a period has no number of calls.
///
/// # Examples
///
/// ```
/// use leadscore_metrics::{Ranking, called_share};
///
/// let ranking = Ranking::new(&[9.0, 5.0, 5.0, 7.0, 1.0])?;
/// assert_eq!(called_share(&ranking, &[0, 0, 0, 1, 1], &[2.0, 1.0]), [1.0, 0.5, 0.5, 1.0, 0.0]);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn called_share(ranking: &Ranking, period_of_row: &[u32], calls: &[f64]) -> Vec<f64> {
    let mut left = calls.to_vec();
    let mut tied = vec![0.0; calls.len()];
    let mut called = vec![0.0; period_of_row.len()];
    for rows in ranking.tied_rows() {
        for &row in rows {
            tied[period_of_row[row as usize] as usize] += 1.0;
        }
        for &row in rows {
            let period = period_of_row[row as usize] as usize;
            called[row as usize] = (left[period] / tied[period]).clamp(0.0, 1.0);
        }
        for &row in rows {
            let period = period_of_row[row as usize] as usize;
            left[period] -= tied[period];
            tied[period] = 0.0;
        }
    }
    called
}

/// For each row, the chance that its lead is won after a call, if a lead counts once however often
/// it is called: it stands at the lead's first row, and is 0 at the others.
///
/// Leads that tie are called in the same order each time, so that a lead's chance is the largest of
/// its rows'.
pub(crate) fn customers(labels: &[bool], leads: &Clusters, called: &[f64]) -> Vec<f64> {
    let mut chance = vec![0.0_f64; leads.len()];
    for ((&lead, &label), share) in leads.of_row().iter().zip(labels).zip(called) {
        if label {
            chance[lead as usize] = chance[lead as usize].max(*share);
        }
    }
    leads
        .of_row()
        .iter()
        .map(|&lead| std::mem::take(&mut chance[lead as usize]))
        .collect()
}
