//! Whether probabilities are calibrated: by mean, line, tiers, top bins and periods, jointly within
//! what chance allows.

use serde::{Deserialize, Serialize};

use crate::calibration::expected_calibration_error;
use crate::clusters::Clusters;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::evaluation::{cluster_keys, count_wins};
use crate::paired::{PairedDifference, paired_difference};
use crate::proper::log_loss_rows;
use crate::random::{normal_pair, split_mix};
use crate::recalibration::{CalibrationLine, calibration_line, logit};

/// Rows whose probabilities are judged; one entry a row in every slice.
#[derive(Clone, Copy)]
pub struct VerdictInput<'a> {
    /// Whether each row was won in its window.
    pub labels: &'a [bool],
    /// The probability of each.
    pub probabilities: &'a [f64],
    /// Which rows are no independent ones.
    pub clusters: &'a Clusters,
    /// The tier of each row, 0 for the best.
    pub tiers: &'a [usize],
    /// Names of the tiers, best first.
    pub tier_names: &'a [&'a str],
    /// The period of each row, from 0; empty where there are none.
    pub periods: &'a [u32],
    /// Names of the periods, in order.
    pub period_names: &'a [String],
    /// What the model itself does not know: see [`SumCovariance`].
    pub uncertainty: Option<&'a SumCovariance<'a>>,
}

/// The covariance of weighted sums of the model's probabilities, `Σᵢ wₖᵢ pᵢ`, by the uncertainty of
/// its weights.
///
/// It gets the number of sums and a function that says, for a row, the sums that it is in with its
/// weight in each; it returns the covariance row by row, or `None` where the model does not know
/// its uncertainty.
pub type SumCovariance<'a> = dyn Fn(usize, &RowWeights<'_>) -> Option<Vec<f64>> + 'a;

/// For a row, calls the second argument with each sum that it is in and its weight there.
pub type RowWeights<'a> = dyn Fn(usize, &mut dyn FnMut(usize, f64)) + 'a;

/// What is wrong with probabilities, or that nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// Every check is within chance, and the log-loss is below the base rate's.
    Calibrated,
    /// Too high or too low everywhere.
    DriftedInLevel,
    /// High ones are too high and low ones too low.
    TooExtreme,
    /// High ones are too low and low ones too high.
    TooFlat,
    /// Right on average, and wrong in a tier or at the top.
    NotByTier,
    /// Right over all periods together, and wrong in some.
    Seasonal,
    /// Too few rows, or no better than the base rate.
    CannotTell,
}

impl CalibrationKind {
    /// The kind as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated",
            Self::DriftedInLevel => "drifted in level",
            Self::TooExtreme => "too extreme",
            Self::TooFlat => "too flat",
            Self::NotByTier => "calibrated on average, not by tier",
            Self::Seasonal => "calibrated over all periods, not in each",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOf {
    /// All rows.
    Mean,
    /// The slope of the calibration line.
    Slope,
    /// Spiegelhalter's statistic.
    Spiegelhalter,
    /// One tier.
    Tier,
    /// The rows with the highest probabilities.
    Top,
    /// One period.
    Period,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCheck {
    /// What it looks at.
    pub of: CheckOf,
    /// Its name, such as a tier's.
    pub name: String,
    /// Number of rows.
    pub n_rows: usize,
    /// Mean probability; for the slope, 1.
    pub predicted: f64,
    /// Observed win rate; for the slope, that of the calibration line.
    pub observed: f64,
    /// How many standard errors lie between the two, above 0 where more was observed.
    pub z: f64,
    /// Whether that is within what chance allows all checks together, or too little to matter.
    pub holds: bool,
}

/// The verdict, with everything that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationVerdict {
    /// What it comes to.
    pub kind: CalibrationKind,
    /// The chance that some check fails although all probabilities are right.
    pub level: f64,
    /// Standard errors from which on a check fails, so that all together fail at that level.
    pub critical: f64,
    /// Every check.
    pub checks: Vec<CalibrationCheck>,
    /// The calibration line.
    pub line: CalibrationLine,
    /// Log-loss less that of the base rate, by cluster.
    pub log_loss_difference: PairedDifference,
    /// Clusters that count as independent.
    pub n_clusters: usize,
    /// By how much the variance of the mean is above that of as many independent rows.
    pub design_effect: f64,
}

impl CalibrationVerdict {
    /// Whether the probabilities can be taken at their word.
    pub fn holds(&self) -> bool {
        self.kind == CalibrationKind::Calibrated
    }

    /// The checks that fail, the worst first.
    pub fn failures(&self) -> Vec<&CalibrationCheck> {
        let mut failures: Vec<&CalibrationCheck> =
            self.checks.iter().filter(|check| !check.holds).collect();
        failures.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()));
        failures
    }
}

const LEVEL: f64 = 0.05;
/// Fewer rows of either label say nothing about percentages.
const FEWEST: usize = 20;
/// Rows of a top bin, and of a period, that are looked at by themselves.
const FEWEST_OF_PART: usize = 10;
/// A mean that is so near, as a share of itself, needs no mending however sure it is.
const NEAR_MEAN: f64 = 0.05;
/// The same of a tier, a top bin or a period.
const NEAR_PART: f64 = 0.1;
/// And of the slope.
const NEAR_SLOPE: f64 = 0.1;
const N_DRAWS: usize = 8_000;

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
    let covariance = parts.covariance(input);
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
            covariance.empirical[0] / independent
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

/// One check before it is judged.
struct Part {
    of: CheckOf,
    name: String,
    n_rows: usize,
    n_wins: usize,
    /// Sum of the probabilities.
    expected: f64,
    /// `Σ wᵢ (yᵢ − pᵢ)`.
    sum: f64,
}

impl Part {
    fn check(
        &self,
        z: Option<f64>,
        critical: f64,
        line: CalibrationLine,
        is_gap_small: bool,
    ) -> Option<CalibrationCheck> {
        let z = z?;
        let n = self.n_rows as f64;
        let (predicted, observed) = if self.of == CheckOf::Slope {
            (1.0, line.slope)
        } else {
            (self.expected / n, self.n_wins as f64 / n)
        };
        let near = |share: f64| (observed - predicted).abs() <= share * predicted;
        let is_near = match self.of {
            CheckOf::Mean => near(NEAR_MEAN),
            CheckOf::Slope => near(NEAR_SLOPE),
            CheckOf::Spiegelhalter => is_gap_small,
            CheckOf::Tier | CheckOf::Top | CheckOf::Period => near(NEAR_PART),
        };
        Some(CalibrationCheck {
            of: self.of,
            name: self.name.clone(),
            n_rows: self.n_rows,
            predicted,
            observed,
            z,
            holds: z.abs() <= critical || is_near,
        })
    }

    /// Whether it compares rates.
    fn is_rate(&self) -> bool {
        !matches!(self.of, CheckOf::Slope | CheckOf::Spiegelhalter)
    }
}

/// All checks, and which of them each row is in.
struct Parts {
    all: Vec<Part>,
    /// Mean log-odds that the slope is around.
    center: f64,
    /// The tiers' checks begin here.
    first_tier: usize,
    /// Each top bin with the smallest probability in it.
    tops: Vec<(usize, f64)>,
    /// The check of each period.
    of_period: Vec<Option<usize>>,
}

impl Parts {
    fn of(input: &VerdictInput<'_>) -> Self {
        let VerdictInput {
            labels,
            probabilities,
            tiers,
            tier_names,
            periods,
            period_names,
            ..
        } = *input;
        let n = labels.len();
        // The weights of the slope have no part of the mean: the line may lie higher or lower.
        let (mut weighted, mut weights) = (0.0, 0.0);
        for &p in probabilities {
            weighted += p * (1.0 - p) * logit(p);
            weights += p * (1.0 - p);
        }
        let part = |of, name: &str| Part {
            of,
            name: name.to_owned(),
            n_rows: 0,
            n_wins: 0,
            expected: 0.0,
            sum: 0.0,
        };
        let mut all = vec![
            part(CheckOf::Mean, "mean"),
            part(CheckOf::Slope, "slope"),
            part(CheckOf::Spiegelhalter, "Spiegelhalter's Z"),
        ];
        let first_tier = all.len();
        all.extend(tier_names.iter().map(|name| part(CheckOf::Tier, name)));
        let mut highest_first = probabilities.to_vec();
        highest_first.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut tops = Vec::new();
        for (share, name) in [(0.05, "top 5 %"), (0.01, "top 1 %")] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of rows"
            )]
            let wanted = (share * n as f64).round() as usize;
            if wanted < FEWEST_OF_PART {
                continue;
            }
            let lowest = highest_first[wanted - 1];
            // Where very many tie, there is no top.
            if probabilities.iter().filter(|&&p| p >= lowest).count() <= 2 * wanted {
                tops.push((all.len(), lowest));
                all.push(part(CheckOf::Top, name));
            }
        }
        let mut sizes = vec![0; period_names.len()];
        periods
            .iter()
            .for_each(|&period| sizes[period as usize] += 1);
        let mut of_period = Vec::new();
        for (name, size) in period_names.iter().zip(sizes) {
            let is_judged = size >= FEWEST_OF_PART && size < n;
            of_period.push(is_judged.then_some(all.len()));
            if is_judged {
                all.push(part(CheckOf::Period, name));
            }
        }
        let mut parts = Self {
            all,
            center: if weights > 0.0 {
                weighted / weights
            } else {
                0.0
            },
            first_tier,
            tops,
            of_period,
        };
        for row in 0..n {
            let (p, label) = (probabilities[row], labels[row]);
            let rest = f64::from(u8::from(label)) - p;
            let mut found = Vec::new();
            parts.weights_of(row, tiers, periods, p, &mut |check, weight| {
                found.push((check, weight));
            });
            for (check, weight) in found {
                let part = &mut parts.all[check];
                part.n_rows += 1;
                part.n_wins += usize::from(label);
                part.expected += p;
                part.sum += weight * rest;
            }
        }
        parts
    }

    /// The checks that a row is in, each with its weight there.
    fn weights_of(
        &self,
        row: usize,
        tiers: &[usize],
        periods: &[u32],
        p: f64,
        add: &mut dyn FnMut(usize, f64),
    ) {
        add(0, 1.0);
        add(1, logit(p) - self.center);
        add(2, 1.0 - 2.0 * p);
        add(self.first_tier + tiers[row], 1.0);
        for &(check, lowest) in &self.tops {
            if p >= lowest {
                add(check, 1.0);
            }
        }
        if let Some(check) = periods
            .get(row)
            .and_then(|&period| self.of_period[period as usize])
        {
            add(check, 1.0);
        }
    }

    fn covariance(&self, input: &VerdictInput<'_>) -> CheckCovariance {
        let VerdictInput {
            labels,
            probabilities,
            clusters,
            tiers,
            periods,
            uncertainty,
            ..
        } = *input;
        let k = self.all.len();
        let mut order: Vec<u32> = (0..).take(labels.len()).collect();
        order.sort_by_key(|&row| clusters.of_row()[row as usize]);
        let (mut total, mut fourth) = (vec![0.0; k * k], vec![0.0; k]);
        // The variance if rows of a cluster had nothing to do with each other, and if they were
        // one.
        let (mut apart, mut as_one) = (vec![0.0; k], vec![0.0; k]);
        let (mut sums, mut spreads, mut touched) = (vec![0.0; k], vec![0.0; k], Vec::new());
        for rows in
            order.chunk_by(|a, b| clusters.of_row()[*a as usize] == clusters.of_row()[*b as usize])
        {
            for &row in rows {
                let p = probabilities[row as usize];
                let rest = f64::from(u8::from(labels[row as usize])) - p;
                self.weights_of(row as usize, tiers, periods, p, &mut |check, weight| {
                    if sums[check] == 0.0 && !touched.contains(&check) {
                        touched.push(check);
                    }
                    sums[check] += weight * rest;
                    spreads[check] += weight * (p * (1.0 - p)).sqrt();
                    apart[check] += weight * weight * p * (1.0 - p);
                });
            }
            for &a in &touched {
                for &b in &touched {
                    total[a * k + b] += sums[a] * sums[b];
                }
                fourth[a] += sums[a].powi(4);
                as_one[a] += spreads[a] * spreads[a];
            }
            for check in touched.drain(..) {
                (sums[check], spreads[check]) = (0.0, 0.0);
            }
        }
        let n_clusters = clusters.len() as f64;
        let few = if n_clusters > 1.0 {
            n_clusters / (n_clusters - 1.0)
        } else {
            1.0
        };
        total.iter_mut().for_each(|value| *value *= few);
        let empirical: Vec<f64> = (0..k).map(|a| total[a * k + a]).collect();
        // As many clusters as would leave the variance as uncertain as it is.
        let freedom: Vec<f64> = (0..k)
            .map(|a| {
                if fourth[a] > 0.0 {
                    (empirical[a] / few).powi(2) / fourth[a]
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        // All rows together say how alike rows of a cluster are; few of them would say it badly.
        let alike = if as_one[0] > apart[0] {
            ((empirical[0] - apart[0]) / (as_one[0] - apart[0])).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let floor: Vec<f64> = (0..k)
            .map(|a| apart[a] + alike * (as_one[a] - apart[a]).max(0.0))
            .collect();
        let stretch: Vec<f64> = (0..k)
            .map(|a| {
                if empirical[a] > 0.0 {
                    (floor[a] / empirical[a]).sqrt().max(1.0)
                } else {
                    1.0
                }
            })
            .collect();
        for a in 0..k {
            for b in 0..k {
                total[a * k + b] *= stretch[a] * stretch[b];
            }
            total[a * k + a] = total[a * k + a].max(floor[a]);
        }
        let weights: &RowWeights<'_> =
            &|row, add| self.weights_of(row, tiers, periods, probabilities[row], add);
        if let Some(own) = uncertainty.and_then(|uncertainty| uncertainty(k, weights)) {
            total
                .iter_mut()
                .zip(own)
                .for_each(|(value, own)| *value += own);
        }
        CheckCovariance {
            total,
            empirical,
            freedom,
        }
    }
}

struct CheckCovariance {
    /// `(n_checks, n_checks)`, row by row.
    total: Vec<f64>,
    /// What clusters show of each variance.
    empirical: Vec<f64>,
    freedom: Vec<f64>,
}

impl CheckCovariance {
    /// Standard errors between what was observed and predicted, on the scale of the normal
    /// distribution.
    fn z(&self, idx: usize, part: &Part) -> Option<f64> {
        let variance = self.total[idx * self.freedom.len() + idx];
        if part.n_rows == 0 || variance <= 1e-12 {
            return None;
        }
        let plain = part.sum / variance.sqrt();
        let found = if part.is_rate() {
            deviance_root(
                part.n_wins as f64,
                part.expected,
                part.n_rows as f64,
                variance,
            )
            .unwrap_or(plain)
        } else {
            plain
        };
        // Only what clusters show is as uncertain as there are few of them.
        let freedom = self.freedom[idx] * (variance / self.empirical[idx].max(1e-300)).powi(2);
        Some(if freedom.is_finite() {
            normal_of_t(found, freedom.max(1.0))
        } else {
            found
        })
    }
}

/// The signed root of the binomial deviance, for a variance that is not the binomial one; `None`
/// where nothing is expected.
fn deviance_root(observed: f64, expected: f64, n: f64, variance: f64) -> Option<f64> {
    let binomial = expected * (1.0 - expected / n);
    if binomial <= 0.0 {
        return None;
    }
    let term = |found: f64, expected: f64| {
        if found > 0.0 {
            found * (found / expected).ln()
        } else {
            0.0
        }
    };
    let deviance = 2.0 * (term(observed, expected) + term(n - observed, n - expected));
    Some(
        (deviance.max(0.0) * binomial / variance)
            .sqrt()
            .copysign(observed - expected),
    )
}

/// The normal variable as unlikely as a t with so many degrees of freedom.
///
/// # References
///
/// Wallace (1959), Annals of Mathematical Statistics 30(4).
fn normal_of_t(t: f64, freedom: f64) -> f64 {
    ((8.0 * freedom + 1.0) / (8.0 * freedom + 3.0) * (freedom * (t * t / freedom).ln_1p()).sqrt())
        .copysign(t)
}

/// What the largest of normal variables with this covariance, each divided by its standard error,
/// exceeds with a chance of 5 %.
fn critical_value(covariance: &[f64]) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the side of a square"
    )]
    let k = (covariance.len() as f64).sqrt().round() as usize;
    let scale: Vec<f64> = (0..k)
        .map(|a| covariance[a * k + a].max(0.0).sqrt())
        .collect();
    let correlation = |a: usize, b: usize| {
        if scale[a] > 0.0 && scale[b] > 0.0 {
            covariance[a * k + b] / (scale[a] * scale[b])
        } else {
            0.0
        }
    };
    // Cholesky's factor; what others say already adds nothing of its own.
    let mut factor = vec![0.0; k * k];
    for a in 0..k {
        for b in 0..=a {
            let known: f64 = (0..b).map(|c| factor[a * k + c] * factor[b * k + c]).sum();
            let rest = if a == b {
                f64::from(u8::from(scale[a] > 0.0)) - known
            } else {
                correlation(a, b) - known
            };
            factor[a * k + b] = if a == b {
                rest.max(0.0).sqrt()
            } else if factor[b * k + b] > 1e-6 {
                rest / factor[b * k + b]
            } else {
                0.0
            };
        }
    }
    let mut draws: Vec<f64> = (0..N_DRAWS as u64)
        .map(|draw| {
            let normal: Vec<f64> = (0..k.div_ceil(2) as u64)
                .flat_map(|pair| normal_pair(split_mix(split_mix(draw) ^ pair)))
                .collect();
            (0..k)
                .map(|a| {
                    (0..=a)
                        .map(|b| factor[a * k + b] * normal[b])
                        .sum::<f64>()
                        .abs()
                })
                .fold(0.0, f64::max)
        })
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    crate::bootstrap::quantile(&draws, 1.0 - LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

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
