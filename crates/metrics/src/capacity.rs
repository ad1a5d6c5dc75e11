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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_called(scores: &[f64], periods: &[u32], calls: &[f64], expected: &[f64]) {
        let ranking = Ranking::new(scores).expect("finite scores");
        assert_eq!(called_share(&ranking, periods, calls), expected);
    }

    #[test]
    fn ties_share_the_calls_that_are_left() {
        check_called(&[3.0, 2.0, 1.0], &[0, 0, 0], &[2.0], &[1.0, 1.0, 0.0]);
        // One call is left for two that tie.
        check_called(
            &[3.0, 2.0, 2.0, 1.0],
            &[0; 4],
            &[2.0],
            &[1.0, 0.5, 0.5, 0.0],
        );
        check_called(&[1.0; 4], &[0; 4], &[1.0], &[0.25; 4]);
        // A part of a call, none, and more than there are leads.
        check_called(&[2.0, 1.0], &[0, 0], &[1.5], &[1.0, 0.5]);
        check_called(&[2.0, 1.0], &[0, 0], &[0.0], &[0.0, 0.0]);
        check_called(&[1.0], &[0], &[9.0], &[1.0]);
    }

    #[test]
    fn each_period_has_its_own_calls() {
        check_called(
            &[4.0, 3.0, 2.0, 2.0, 2.0],
            &[0, 1, 0, 1, 1],
            &[1.0, 2.0],
            &[1.0, 1.0, 0.0, 0.5, 0.5],
        );
    }

    #[test]
    fn a_customer_counts_once() {
        // Lead 7 is won, and its best chance was 0.5; lead 8 was called and not won.
        let leads = Clusters::new(&[7, 8, 7, 9]);
        let found = customers(&[true, false, true, true], &leads, &[0.25, 1.0, 0.5, 0.0]);
        assert_eq!(found, [0.5, 0.0, 0.0, 0.0]);
        assert_eq!(customers(&[], &Clusters::new(&[]), &[]), [0.0; 0]);
    }
}
