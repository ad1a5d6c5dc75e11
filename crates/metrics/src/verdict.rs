//! Whether probabilities are calibrated: by mean, line, tiers, top bins and periods, jointly within
//! what chance allows.

mod input;
mod result;

mod critical;
mod normal;
mod parts;

mod covariance;

pub use input::{RowWeights, SumCovariance, VerdictInput};
pub use result::{CalibrationCheck, CalibrationKind, CalibrationVerdict, CheckOf};

use crate::calibration::expected_calibration_error;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::evaluation::{cluster_keys, count_wins};
use crate::paired::paired_difference;
use crate::proper::log_loss_rows;
use crate::recalibration::calibration_line;

use covariance::CheckCovariance;
use critical::{LEVEL, critical_value};
use parts::{NEAR_PART, Parts};

/// Fewer rows of either label say nothing about percentages.
const FEWEST: usize = 20;

/// Judges probabilities whose labels are known.
///
/// Every check compares what was observed with what was predicted by a sum over rows,
///
/// ```text
/// Tₖ = Σᵢ wₖᵢ (yᵢ − pᵢ),   Var Tₖ = Σᶜ (Σᵢ∈ᶜ wₖᵢ (yᵢ − pᵢ))² + Var Σᵢ wₖᵢ pᵢ
/// ```
///
/// over clusters `c`; the second part is what the model itself does not know. The weights are 1 for
/// the mean, the log-odds less their mean for the slope, `1 − 2p` for Spiegelhalter's statistic,
/// and 1 within a tier, a top bin or a period. Standard errors are never below those of rows whose
/// probabilities are true and which are as alike within clusters as all rows together are, count
/// few clusters as t does, and for rates follow the deviance, so that few wins are judged by their
/// own skewed law. All checks share one critical value: the 95 % quantile of the largest of as many
/// normal variables with the same correlations (drawn 8,000 times, the same on every run). A mean
/// within a twentieth of itself, another rate within a tenth, a slope of 0.9 to 1.1 hold however
/// sure the difference is.
///
/// # Errors
///
/// [`MetricError`] where a slice has another length, holds no rows, a number that is no
/// probability, or only one label.
///
/// # References
///
/// Spiegelhalter (1986), Statistics in Medicine 5(5); the slope as in Cox (1958), Biometrika
/// 45(3/4); the joint critical value as in Hothorn, Bretz and Westfall (2008), Biometrical Journal
/// 50(3).
pub fn judge_calibration(input: &VerdictInput<'_>) -> Result<CalibrationVerdict, MetricError> {
    let VerdictInput {
        labels,
        probabilities,
        clusters,
        ..
    } = *input;
    check_probabilities(labels, probabilities)?;
    check_both_classes(labels)?;
    let n = labels.len();
    let n_wins = count_wins(labels);
    let rate = n_wins as f64 / n as f64;
    let parts = Parts::of(input);
    let line = calibration_line(labels, probabilities)?;
    let covariance = CheckCovariance::of(&parts, input);
    let critical = critical_value(&covariance.total);
    let gap = expected_calibration_error(labels, probabilities, 10)?;
    let checks: Vec<CalibrationCheck> = parts
        .all
        .iter()
        .enumerate()
        .filter_map(|(idx, part)| {
            part.check(
                covariance.z(idx, part),
                critical,
                line,
                gap <= NEAR_PART * rate,
            )
        })
        .collect();
    let losses = log_loss_rows(labels, probabilities)?;
    let base = log_loss_rows(labels, &vec![rate; n])?;
    let log_loss_difference = paired_difference(&losses, &base, &cluster_keys(clusters));
    let independent: f64 = probabilities.iter().map(|p| p * (1.0 - p)).sum();
    let mut verdict = CalibrationVerdict {
        kind: CalibrationKind::Calibrated,
        level: LEVEL,
        critical,
        checks,
        line,
        log_loss_difference,
        n_clusters: clusters.len(),
        design_effect: if independent > 0.0 {
            covariance.of_mean() / independent
        } else {
            1.0
        },
    };
    verdict.kind = kind_of(&verdict, n_wins.min(n - n_wins));
    Ok(verdict)
}

/// What the checks come to.
fn kind_of(verdict: &CalibrationVerdict, n_rarer: usize) -> CalibrationKind {
    let worst = |of: &[CheckOf]| {
        verdict
            .checks
            .iter()
            .filter(|check| !check.holds && of.contains(&check.of))
            .map(|check| check.z.abs())
            .fold(0.0, f64::max)
    };
    let (mean, slope) = (worst(&[CheckOf::Mean]), worst(&[CheckOf::Slope]));
    let (parts, periods) = (
        worst(&[CheckOf::Tier, CheckOf::Top]),
        worst(&[CheckOf::Period]),
    );
    // Spiegelhalter's Z is above 0 where the Brier loss is larger than the probabilities expect,
    // which are then too sure.
    let spread = verdict
        .checks
        .iter()
        .find(|check| !check.holds && check.of == CheckOf::Spiegelhalter)
        .map_or(0.0, |check| check.z);
    if n_rarer < FEWEST {
        CalibrationKind::CannotTell
    } else if slope > 0.0 && slope >= mean {
        if verdict.line.slope < 1.0 {
            CalibrationKind::TooExtreme
        } else {
            CalibrationKind::TooFlat
        }
    } else if mean > 0.0 {
        CalibrationKind::DriftedInLevel
    } else if spread != 0.0 && spread.abs() >= parts.max(periods) {
        if spread > 0.0 {
            CalibrationKind::TooExtreme
        } else {
            CalibrationKind::TooFlat
        }
    } else if parts > 0.0 && parts >= periods {
        CalibrationKind::NotByTier
    } else if periods > 0.0 {
        CalibrationKind::Seasonal
    } else if verdict.log_loss_difference.mean >= 0.0 {
        CalibrationKind::CannotTell
    } else {
        CalibrationKind::Calibrated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clusters::Clusters;
    use crate::random::split_mix;
    use crate::recalibration::logit;

    /// Rows in groups of equal outcome, of probabilities between 0.05 and 0.8, won by what `truth`
    /// makes of them.
    fn world(
        seed: u64,
        n_clusters: u64,
        each: usize,
        truth: impl Fn(f64, usize) -> f64,
    ) -> CalibrationVerdict {
        let uniform = |bits: u64| (split_mix(bits) >> 11) as f64 / (1_u64 << 53) as f64;
        let (mut labels, mut probabilities, mut keys, mut periods) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for cluster in 0..n_clusters {
            let p = 0.05 + 0.75 * uniform(seed ^ split_mix(cluster)).powi(2);
            let period = cluster as usize % 6;
            let is_won =
                uniform(split_mix(seed) ^ split_mix(cluster + 1_000_000)) < truth(p, period);
            for _ in 0..each {
                labels.push(is_won);
                probabilities.push(p);
                keys.push(cluster);
                periods.push(period as u32);
            }
        }
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by(|&a, &b| f64::total_cmp(&probabilities[b], &probabilities[a]));
        let mut tiers = vec![0; labels.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(rank, &row)| tiers[row] = 4 * rank / labels.len());
        let names: Vec<String> = (0..6).map(|period| format!("period {period}")).collect();
        let clusters = Clusters::new(&keys);
        let input = VerdictInput {
            labels: &labels,
            probabilities: &probabilities,
            clusters: &clusters,
            tiers: &tiers,
            tier_names: &["Very high", "High", "Medium", "Low"],
            periods: &periods,
            period_names: &names,
            uncertainty: None,
        };
        judge_calibration(&input).expect("labels of both kinds")
    }

    fn share(
        n_clusters: u64,
        each: usize,
        truth: impl Fn(f64, usize) -> f64,
        wanted: impl Fn(&CalibrationVerdict) -> bool,
    ) -> f64 {
        let n = 200;
        (0..n)
            .filter(|&seed| wanted(&world(split_mix(seed), n_clusters, each, &truth)))
            .count() as f64
            / n as f64
    }

    fn spread(p: f64, slope: f64, shift: f64) -> f64 {
        1.0 / (1.0 + (-(slope * logit(p) + shift)).exp())
    }

    #[test]
    fn true_probabilities_are_rejected_as_seldom_as_said() {
        for (n_clusters, each) in [(150, 1), (1_000, 1), (1_000, 4), (60, 30)] {
            let alarms = share(
                n_clusters,
                each,
                |p, _| p,
                |verdict| !verdict.holds() && verdict.kind != CalibrationKind::CannotTell,
            );
            // A standard error of 0.015 at 200 worlds.
            assert!(alarms <= 0.085, "{n_clusters} clusters of {each}: {alarms}");
        }
    }

    #[test]
    fn each_way_to_be_wrong_has_its_name() {
        let is = |kind: CalibrationKind| move |verdict: &CalibrationVerdict| verdict.kind == kind;
        assert!(
            share(
                1_000,
                1,
                |p, _| spread(p, 0.3, -0.7),
                is(CalibrationKind::TooExtreme)
            ) > 0.95
        );
        assert!(
            share(
                2_000,
                1,
                |p, _| spread(p, 1.6, 0.6),
                is(CalibrationKind::TooFlat)
            ) > 0.9
        );
        assert!(
            share(
                2_000,
                1,
                |p, _| 0.6 * p,
                is(CalibrationKind::DriftedInLevel)
            ) > 0.9
        );
        assert!(
            share(
                4_000,
                1,
                |p, period| if period % 2 == 0 { 0.6 * p } else { 1.4 * p }.min(1.0),
                is(CalibrationKind::Seasonal)
            ) > 0.9
        );
        let at_the_top = |p: f64| if p > 0.55 { 0.6 * p } else { 1.08 * p };
        assert!(share(8_000, 1, |p, _| at_the_top(p), |verdict| !verdict.holds()) > 0.95);
    }

    #[test]
    fn too_few_wins_say_nothing() {
        assert_eq!(world(3, 30, 1, |p, _| p).kind, CalibrationKind::CannotTell);
    }
}
