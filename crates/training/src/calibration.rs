//! Choosing a calibration of a model by outcomes that it has not seen: fitted on the earlier ones,
//! judged on the later ones.

use std::collections::HashSet;

use leadscore_core::Timestamp;
use leadscore_inference::{CalibrationCurve, Model};
use leadscore_metrics::{
    CalibrationLine, Clusters, MetricError, beta_calibration, calibration_line, calibration_shift,
    isotonic_calibration, line_covariance, line_draws, paired_difference, resampled_rows,
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::loss::{loss, mean};

/// How log-odds may be moved, simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalibrationKind {
    /// Not at all.
    Unchanged,
    /// All by the same.
    Shift,
    /// Along a line: Platt's.
    Line,
    /// Along a curve of three parameters.
    Beta,
    /// Along any rising curve.
    Isotonic,
}

impl CalibrationKind {
    /// All of them, simplest first.
    pub const ALL: [Self; 5] = [
        Self::Unchanged,
        Self::Shift,
        Self::Line,
        Self::Beta,
        Self::Isotonic,
    ];

    /// A kind by its key: `shift`, `line`, `beta` or `isotonic`.
    pub fn parse(key: &str) -> Option<Self> {
        match key {
            "shift" => Some(Self::Shift),
            "line" => Some(Self::Line),
            "beta" => Some(Self::Beta),
            "isotonic" => Some(Self::Isotonic),
            _ => None,
        }
    }

    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "as they are",
            Self::Shift => "a shift",
            Self::Line => "a line",
            Self::Beta => "a beta curve",
            Self::Isotonic => "an isotonic curve",
        }
    }

    /// Whether it bends.
    pub fn is_curve(self) -> bool {
        matches!(self, Self::Beta | Self::Isotonic)
    }

    /// Fits it.
    ///
    /// # Errors
    ///
    /// [`MetricError`] where the slices differ in length, hold no rows, one label only, or numbers
    /// that are no probabilities.
    pub fn fit(self, labels: &[bool], probabilities: &[f64]) -> Result<Calibration, MetricError> {
        Ok(match self {
            Self::Unchanged => Calibration::Line(CalibrationLine {
                intercept: 0.0,
                slope: 1.0,
            }),
            Self::Shift => Calibration::Line(calibration_shift(labels, probabilities)?),
            Self::Line => Calibration::Line(calibration_line(labels, probabilities)?),
            Self::Beta => Calibration::Curve(CalibrationCurve {
                knots: beta_calibration(labels, probabilities)?,
                replicates: Vec::new(),
            }),
            Self::Isotonic => Calibration::Curve(CalibrationCurve {
                knots: isotonic_calibration(labels, probabilities)?,
                replicates: Vec::new(),
            }),
        })
    }
}

/// A fitted calibration.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibration {
    /// Along a line in log-odds.
    Line(CalibrationLine),
    /// Along a curve in log-odds.
    Curve(CalibrationCurve),
}

impl Calibration {
    /// Log-odds after it.
    pub fn at(&self, log_odds: f64) -> f64 {
        match self {
            Self::Line(line) => line.intercept + line.slope * log_odds,
            Self::Curve(curve) => curve.at(log_odds),
        }
    }

    /// The model with its log-odds moved, and with what the calibration does not know of itself, by
    /// the rows that it was fitted on: the covariance of a line, resampled curves of a curve, both
    /// by cluster. `None` where that would turn the order of leads, or the model has a curve
    /// already.
    ///
    /// # Errors
    ///
    /// As [`CalibrationKind::fit`].
    pub fn apply(
        &self,
        model: Model,
        kind: CalibrationKind,
        input: CalibrationInput<'_>,
    ) -> Result<Option<Model>, MetricError> {
        let clusters = Clusters::new(input.clusters);
        Ok(match self {
            Self::Line(line) if line.slope > 0.0 => {
                let covariance = line_covariance(
                    input.labels,
                    input.probabilities,
                    &clusters,
                    *line,
                    kind == CalibrationKind::Shift,
                );
                Some(model.recalibrated_by(
                    line.intercept,
                    line.slope,
                    covariance,
                    &line_draws(*line, covariance, N_REPLICATES),
                ))
            }
            Self::Line(_) => None,
            Self::Curve(curve) => model.calibrated_by(CalibrationCurve {
                replicates: resampled_curves(kind, curve, input, &clusters),
                ..curve.clone()
            }),
        })
    }
}

/// Curves that a model keeps beside its calibration.
const N_REPLICATES: usize = 100;

/// A bootstrap knows too little of an isotonic fit (Sen, Banerjee and Woodroofe 2010, Annals of
/// Statistics 38(4)): as it is, intervals held the truth in 91 to 93 % of the leads in place of 95
/// % (docs/verdicts.md), so its curves count as so much farther apart.
const ISOTONIC_WIDER: f64 = 1.25;

/// The log-odds at a curve's knots by curves of the same kind, each of clusters drawn with
/// replacement.
fn resampled_curves(
    kind: CalibrationKind,
    curve: &CalibrationCurve,
    input: CalibrationInput<'_>,
    clusters: &Clusters,
) -> Vec<Vec<f32>> {
    let wider = if kind == CalibrationKind::Isotonic {
        ISOTONIC_WIDER
    } else {
        1.0
    };
    let of_replicate = |replicate: usize| {
        let rows = resampled_rows(clusters, 7, replicate as u64);
        let labels: Vec<bool> = rows.iter().map(|&row| input.labels[row]).collect();
        let probabilities: Vec<f64> = rows.iter().map(|&row| input.probabilities[row]).collect();
        // A draw may hold winners alone: it says nothing.
        let fitted = kind.fit(&labels, &probabilities).ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an interval needs no more digits"
        )]
        let log_odds: Vec<f32> = curve
            .knots
            .iter()
            .map(|&(sum, own)| (own + wider * (fitted.at(sum) - own)) as f32)
            .collect();
        Some(log_odds)
    };
    (0..N_REPLICATES)
        .into_par_iter()
        .filter_map(of_replicate)
        .collect()
}

/// Rows with outcomes that the model has not seen, in order of time; one entry a row in each.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationInput<'a> {
    /// When each was looked at.
    pub at: &'a [Timestamp],
    /// Whether it was won in its window.
    pub labels: &'a [bool],
    /// The model's log-odds.
    pub log_odds: &'a [f64],
    /// The model's probabilities.
    pub probabilities: &'a [f64],
    /// Which rows are no independent ones: the lead of each, or its account.
    pub clusters: &'a [u64],
}

/// What later outcomes said of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationTrial {
    /// Which.
    pub kind: CalibrationKind,
    /// Mean log-loss of the later rows.
    pub log_loss: f64,
    /// Whether it was better than the simpler one that stood, by more than chance: 1.96 standard
    /// errors, by lead.
    pub is_better: bool,
}

/// Tries each of these kinds, simplest first: fitted on the earlier three fifths, judged on the
/// later rows of other leads.
///
/// `None` where there is no time to go by, or either part has fewer than 50 wins or 50 others.
///
/// # Errors
///
/// [`MetricError`], as [`CalibrationKind::fit`].
pub fn try_calibrations(
    input: CalibrationInput<'_>,
    kinds: &[CalibrationKind],
) -> Result<Option<Vec<CalibrationTrial>>, MetricError> {
    let n = input.at.len();
    let Some(&cut) = input.at.get(3 * n / 5) else {
        return Ok(None);
    };
    let earlier: Vec<usize> = (0..n).filter(|&row| input.at[row] < cut).collect();
    let known: HashSet<u64> = earlier.iter().map(|&row| input.clusters[row]).collect();
    let later: Vec<usize> = (0..n)
        .filter(|&row| input.at[row] >= cut && !known.contains(&input.clusters[row]))
        .collect();
    let is_enough = |rows: &[usize]| {
        let wins = rows.iter().filter(|&&row| input.labels[row]).count();
        wins.min(rows.len() - wins) >= MIN_EVENTS
    };
    if !is_enough(&earlier) || !is_enough(&later) {
        return Ok(None);
    }
    let labels: Vec<bool> = earlier.iter().map(|&row| input.labels[row]).collect();
    let probabilities: Vec<f64> = earlier
        .iter()
        .map(|&row| input.probabilities[row])
        .collect();
    let clusters: Vec<u64> = later.iter().map(|&row| input.clusters[row]).collect();
    let mut standing: Option<Vec<f64>> = None;
    let mut trials = Vec::with_capacity(kinds.len());
    for &kind in kinds {
        let fitted = kind.fit(&labels, &probabilities)?;
        let losses: Vec<f64> = later
            .iter()
            .map(|&row| loss(input.labels[row], fitted.at(input.log_odds[row])))
            .collect();
        let is_better = standing.as_ref().is_none_or(|standing| {
            let difference = paired_difference(&losses, standing, &clusters);
            difference.mean + 1.96 * difference.error < 0.0
        });
        trials.push(CalibrationTrial {
            kind,
            log_loss: mean(&losses),
            is_better,
        });
        if is_better {
            standing = Some(losses);
        }
    }
    Ok(Some(trials))
}

/// Wins, and others, that each part needs.
const MIN_EVENTS: usize = 50;

#[cfg(test)]
mod tests {
    use leadscore_core::log_odds_to_probability;

    use super::*;

    /// The kind that stands in the end, for a world whose log-odds are bent this way.
    fn chosen(bent: impl Fn(f64) -> f64) -> CalibrationKind {
        let mut state = 11_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let n = 20_000;
        let log_odds: Vec<f64> = (0..n).map(|_| 6.0 * uniform() - 4.0).collect();
        let labels: Vec<bool> = log_odds
            .iter()
            .map(|&log_odds| uniform() < log_odds_to_probability(bent(log_odds)))
            .collect();
        let probabilities: Vec<f64> = log_odds
            .iter()
            .map(|&log_odds| log_odds_to_probability(log_odds))
            .collect();
        let at: Vec<Timestamp> = (0..n).map(Timestamp::from_micros).collect();
        let clusters: Vec<u64> = (0..n as u64).collect();
        let input = CalibrationInput {
            at: &at,
            labels: &labels,
            log_odds: &log_odds,
            probabilities: &probabilities,
            clusters: &clusters,
        };
        let trials = try_calibrations(input, &CalibrationKind::ALL)
            .expect("both labels")
            .expect("enough");
        assert_eq!(trials.len(), 5);
        trials
            .iter()
            .rev()
            .find(|trial| trial.is_better)
            .expect("the first one")
            .kind
    }

    #[test]
    fn the_simplest_that_holds_on_later_outcomes_is_taken() {
        assert_eq!(chosen(|log_odds| log_odds), CalibrationKind::Unchanged);
        assert_eq!(chosen(|log_odds| log_odds - 0.7), CalibrationKind::Shift);
        assert_eq!(
            chosen(|log_odds| 0.6 * log_odds - 0.3),
            CalibrationKind::Line
        );
        assert!(
            chosen(|log_odds| if log_odds < -1.0 {
                0.1 * log_odds - 1.8
            } else {
                1.2 * log_odds - 0.7
            })
            .is_curve()
        );
    }
}
