//! Whether a recipe that was fitted again on everything is sound, before it is shipped in place of
//! the model that was compared.

use leadscore_metrics::paired_difference;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The snapshots of one period, by the model that was compared and by its recipe fitted again.
#[derive(Debug, Clone, Copy)]
pub struct RefitPeriod<'a> {
    /// Its name, such as a month.
    pub name: &'a str,
    /// Log-loss of each row by the model that was compared, which has not seen it.
    pub compared: &'a [f64],
    /// Log-loss of each row by the refit, which has.
    pub refit: &'a [f64],
    /// The cluster of each row.
    pub clusters: &'a [u64],
}

/// Whether a refit is sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefitCheck {
    /// Whether it is no worse in any period.
    pub is_sound: bool,
    /// The periods that have rows, in their order.
    pub periods: Vec<RefitPeriodFigures>,
}

/// The figures of one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefitPeriodFigures {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub n_rows: usize,
    /// Mean log-loss of the model that was compared.
    pub compared_loss: f64,
    /// Mean log-loss of the refit.
    pub refit_loss: f64,
    /// Whether the refit is no worse than the tolerance, within chance.
    pub holds: bool,
}

/// Why a refit cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{name}` has {n_compared} log-losses of the compared model, {n_refit} of the refit and {n_clusters} clusters\n  hint: score the same rows by both"
)]
pub struct RefitError {
    name: String,
    n_compared: usize,
    n_refit: usize,
    n_clusters: usize,
}

/// Checks that a refit is no worse than the model that was compared, in any period of the
/// comparison.
///
/// The refit has seen these rows and the other model has not, so it has the lower log-loss unless
/// something is wrong with what it was trained on since, such as numbers in another unit. A period
/// fails where the mean difference, less 1.96 standard errors by cluster, is above `tolerance`, a
/// share of the log-loss of the model that was compared, such as 0.01. This is no proof that the
/// refit is better.
///
/// # Errors
///
/// [`RefitError`] where a period has not as many of each.
pub fn check_refit(periods: &[RefitPeriod<'_>], tolerance: f64) -> Result<RefitCheck, RefitError> {
    let mut figures = Vec::new();
    for period in periods {
        let n_rows = period.compared.len();
        if period.refit.len() != n_rows || period.clusters.len() != n_rows {
            return Err(RefitError {
                name: period.name.to_owned(),
                n_compared: n_rows,
                n_refit: period.refit.len(),
                n_clusters: period.clusters.len(),
            });
        }
        if n_rows == 0 {
            continue;
        }
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / n_rows as f64;
        let compared_loss = mean(period.compared);
        let difference = paired_difference(period.refit, period.compared, period.clusters);
        figures.push(RefitPeriodFigures {
            name: period.name.to_owned(),
            n_rows,
            compared_loss,
            refit_loss: mean(period.refit),
            // What is no number does not hold.
            holds: difference.mean - 1.96 * difference.error <= tolerance * compared_loss,
        });
    }
    Ok(RefitCheck {
        is_sound: figures.iter().all(|period| period.holds),
        periods: figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_month_is_enough() {
        let clusters: Vec<u64> = (0..100).collect();
        let compared = vec![0.5; 100];
        let (better, worse) = (vec![0.49; 100], vec![0.6; 100]);
        let (noisy, none): (Vec<f64>, Vec<f64>) = (
            (0..100)
                .map(|row| if row == 3 { 3.0 } else { 0.49 })
                .collect(),
            vec![f64::NAN; 100],
        );
        let check = |refits: &[&[f64]]| {
            let periods: Vec<RefitPeriod<'_>> = refits
                .iter()
                .map(|refit| RefitPeriod {
                    name: "2025-03",
                    compared: &compared,
                    refit,
                    clusters: &clusters,
                })
                .collect();
            check_refit(&periods, 0.01).expect("rows of both").is_sound
        };
        assert!(check(&[&better, &compared, &better]));
        assert!(!check(&[&better, &worse, &better]));
        assert!(!check(&[&none]));
        // One row is chance.
        assert!(check(&[&noisy]));
        assert!(check(&[]));
    }

    #[test]
    fn empty_periods_are_left_out() {
        let empty = RefitPeriod {
            name: "2025-03",
            compared: &[],
            refit: &[],
            clusters: &[],
        };
        let found = check_refit(&[empty], 0.01).expect("no rows of either");
        assert!(found.is_sound && found.periods.is_empty());
        let wrong = RefitPeriod {
            refit: &[0.5],
            ..empty
        };
        assert_eq!(
            check_refit(&[wrong], 0.01)
                .expect_err("a row of one")
                .to_string(),
            "`2025-03` has 0 log-losses of the compared model, 1 of the refit and 0 clusters\n  hint: score the same rows by both"
        );
    }
}
