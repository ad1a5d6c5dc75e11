//! Learning from snapshots whose windows have not ended, by whether each was won in the part of its
//! window that is known.
//!
//! Of a snapshot with `t` days known, `F` is the share of the wins that come within `t` days, as
//! they did in windows that had ended, and `p` its likelihood. It was won so far with a chance of
//! `p F`, whatever its features say of the day of a win. So one that was not won yet is won in the
//! rest of its window with a chance of
//!
//! ```text
//! q = p (1 − F) / (1 − p F)
//! ```
//!
//! and stands in the fit as won by `q` and as not won by `1 − q`; with `q` made anew from each fit
//! until it stays, weights are the optimum of the chance of what is known (EM; Chapelle 2014,
//! Modeling delayed feedback in display advertising, with the delays that were seen in place of
//! exponential ones). What such a row says of its log-odds is less than what one whose window had
//! ended would: in the curvature that intervals are made of it counts for `F (1 − p) / (1 − p F)`
//! of it.

use leadscore_core::{FeatureMatrix, Span, Timestamp, agree, counted, log_odds_to_probability};
use leadscore_solver::{Factor, Fit, SolverOptions, Start, expand, fit, log_odds};

use crate::error::TrainError;
use crate::fitting::{Fitted, Late, of_fit, scale_of, target_of, target_with};
use crate::input::TrainInput;
use crate::recency::weight;

/// Fewest wins, and fewest others, from which it is learned how wins lie within their windows.
const FEWEST: usize = 100;
/// Fits at most.
const MOST_FITS: usize = 30;
/// Likelihoods of all late rows stay within this.
const SETTLED: f64 = 1e-5;

/// Days to the wins within their windows, in order; `None` where there are too few.
fn delays(days_to_win: impl Iterator<Item = f64>, horizon: Span) -> Option<Vec<f64>> {
    let (mut delays, others): (Vec<f64>, Vec<f64>) =
        days_to_win.partition(|days| *days < horizon.days());
    delays.sort_unstable_by(f64::total_cmp);
    (delays.len().min(others.len()) >= FEWEST).then_some(delays)
}

/// Snapshots whose windows have not ended, and their rows in a matrix.
struct LateRows<'a> {
    matrix: &'a FeatureMatrix,
    rows: Vec<usize>,
    late: Vec<Late>,
}

impl<'a> LateRows<'a> {
    /// Those behind rows whose windows had ended before `cut`; `None` where there are none, or
    /// where nothing is known of how wins lie within windows.
    fn of(
        input: TrainInput<'a>,
        rows: &[usize],
        cut: Option<Timestamp>,
        half_life: Option<Span>,
    ) -> Option<Self> {
        let (unripe, horizon) = (input.unripe?, input.horizon?);
        let delays = delays(
            rows.iter().map(|&row| unripe.ripe_days_to_win[row]),
            horizon,
        )?;
        let days_known = |at: Timestamp| cut.unwrap_or(unripe.training_cutoff).days_since(at);
        let (matrix, clusters, days_to_win) = match cut {
            Some(_) => (input.matrix, input.clusters, unripe.ripe_days_to_win),
            None => (unripe.matrix, unripe.clusters, unripe.days_to_win),
        };
        let last = input.matrix.keys()[input.labels.len() - 1].at;
        let weight_of = |row: usize| match (cut, input.weights, half_life) {
            (Some(_), Some(weights), _) => weights[row],
            (None, _, Some(half_life)) => weight(last.days_since(matrix.keys()[row].at), half_life),
            (Some(_), None, _) | (None, _, None) => 1.0,
        };
        let is_late =
            |row: &usize| (0.0..horizon.days()).contains(&days_known(matrix.keys()[*row].at));
        let late = |row: usize| {
            Some((
                row,
                Late::new(
                    clusters[row],
                    days_to_win[row],
                    days_known(matrix.keys()[row].at),
                    &delays,
                    weight_of(row),
                )?,
            ))
        };
        let (rows, late): (Vec<usize>, Vec<Late>) =
            (0..clusters.len()).filter(is_late).filter_map(late).unzip();
        (!late.is_empty()).then_some(Self { matrix, rows, late })
    }
}

impl Fitted {
    /// The same terms and strengths, fitted to what is known of later snapshots as well.
    ///
    /// `rows` are those that it was fitted on, whose windows had ended before `cut`; without one,
    /// before now.
    pub(crate) fn with_unripe(
        self,
        input: TrainInput<'_>,
        rows: &[usize],
        cut: Option<Timestamp>,
        half_life: Option<Span>,
    ) -> Result<Self, TrainError> {
        let Some(LateRows {
            matrix,
            rows: late_rows,
            mut late,
        }) = LateRows::of(input, rows, cut, half_life)
        else {
            return Ok(self);
        };
        // Each stands there twice: as won, and as not won.
        let twice: Vec<usize> = late_rows.iter().chain(&late_rows).copied().collect();
        let late_design = self.encoding.design(matrix, &late_rows)?;
        let design = self
            .encoding
            .design_of((input.matrix, rows), (matrix, &twice))?;
        let mut latest: Option<Fit> = None;
        for _ in 0..MOST_FITS {
            let coefficients = latest
                .as_ref()
                .map_or(&self.coefficients, |fit| &fit.coefficients);
            let likelihoods = log_odds(&late_design, None, coefficients)?
                .into_iter()
                .map(log_odds_to_probability);
            let moved = late
                .iter_mut()
                .zip(likelihoods)
                .map(|(late, p)| late.take(p))
                .fold(0.0, f64::max);
            if moved < SETTLED {
                break;
            }
            let target = target_of(input, rows, &late)?;
            latest = Some(fit(
                &design,
                &target,
                &self.penalty,
                SolverOptions::default(),
                Some(Start::At(coefficients)),
            )?);
        }
        let Some(latest) = latest else {
            return Ok(self);
        };
        let Self {
            encoding,
            penalty,
            prior,
            strengths,
            ..
        } = self;
        let mut fitted = Self {
            strengths,
            ..of_fit(latest, design, encoding, (penalty, prior))
        };
        fitted.ending.push_str(&format!(
            "; {} whose {} had not ended among them, by what was known",
            counted(late.len(), "snapshot"),
            agree(late.len(), "window", "windows")
        ));
        fitted.with_curvature_of(input, rows, late)
    }

    /// The same with the curvature of what is known, in place of that of windows that had ended.
    fn with_curvature_of(
        mut self,
        input: TrainInput<'_>,
        rows: &[usize],
        late: Vec<Late>,
    ) -> Result<Self, TrainError> {
        let Some((fit, design)) = &mut self.native else {
            return Ok(self);
        };
        let likelihoods: Vec<f64> = log_odds(design, None, &self.coefficients)?
            .into_iter()
            .skip(rows.len())
            .map(log_odds_to_probability)
            .collect();
        let known: Vec<Late> = late
            .iter()
            .zip(likelihoods)
            .map(|(late, p)| late.as_known(p))
            .collect();
        let expansion = expand(
            design,
            &target_with(input, rows, &known, scale_of(input, rows, &late))?,
            &self.coefficients,
        )?;
        let all: Vec<usize> = (0..self.coefficients.len()).collect();
        fit.factor = Factor::new(expansion.hessian(&all, &all) + self.penalty.matrix(all.len()))?;
        self.late = late;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_window_says_less_than_all_of_it() {
        let days = (0..1_300).map(|row| {
            if row < 273 {
                f64::from(row % 91)
            } else {
                f64::INFINITY
            }
        });
        let found = delays(days, Span::from_days(91)).expect("enough");
        // Half of its window is known, in which half of the wins come.
        let mut late = Late::new(1, f64::INFINITY, 45.5, &found, 1.0).expect("wins come so soon");
        assert!((late.share - 0.5).abs() < 0.02, "{late:?}");
        late.share = 0.5;
        late.take(0.4);
        // Of five leads two are won in the end, one of them by now; of the four others one is.
        assert!((late.won - 0.25).abs() < 1e-12, "{late:?}");
        assert!((late.curvature(0.4) - 0.5 * 0.6 / 0.8).abs() < 1e-12);
        let mut won = Late::new(1, 45.0, 45.5, &found, 1.0).expect("it is won");
        won.take(0.4);
        assert_eq!(won.won, 1.0);
        assert!(
            Late::new(1, f64::INFINITY, 0.0, &found, 1.0).is_none(),
            "nothing is known"
        );
        assert!(
            delays(
                (0..1_000).map(|row| if row < 99 { 1.0 } else { f64::INFINITY }),
                Span::from_days(91)
            )
            .is_none(),
            "too few"
        );
    }
}
