//! How probabilities would have to change to fit what happened: by a line in log-odds, or by any
//! rising curve.

use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::error::{MetricError, check_both_classes, check_probabilities};
use crate::random::normal_pair;

/// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
const CLIP: f64 = 1e-12;

/// A line in log-odds: `logit p′ = intercept + slope · logit p`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationLine {
    /// 0 where probabilities hold.
    pub intercept: f64,
    /// 1 where they hold; below 1 they are too sure of themselves, above 1 too timid.
    pub slope: f64,
}

/// The Brier loss in three parts, by the curve that fits best among all that rise.
///
/// ```text
/// Brier loss = miscalibration − discrimination + uncertainty
/// ```
///
/// # References
///
/// Dimitriadis, Gneiting and Jordan (2021), PNAS 118(8): CORP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corp {
    /// What the best rising curve would take off the Brier loss: 0 is perfect.
    pub miscalibration: f64,
    /// What telling rows apart takes off the loss of the base rate: more is better.
    pub discrimination: f64,
    /// Brier loss of the base rate.
    pub uncertainty: f64,
    /// The curve: steps of equal win rate, lowest first.
    pub steps: Vec<CorpStep>,
}

/// Rows whose probabilities the best rising curve maps to one win rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CorpStep {
    /// Smallest probability said.
    pub from: f64,
    /// Largest.
    pub to: f64,
    /// Share won.
    pub win_rate: f64,
    /// Number of rows.
    pub n_rows: usize,
}

/// Spiegelhalter's test statistic of calibration: standard normal where each probability is true.
///
/// ```text
/// Z = ∑ (yᵢ − pᵢ)(1 − 2pᵢ) / √ ∑ (1 − 2pᵢ)² pᵢ(1 − pᵢ)
/// ```
///
/// Above 1.96 or below −1.96, the probabilities are rejected at 5 %. Rows are taken as independent:
/// with several snapshots of a lead it rejects too often. 0 where every probability is 0, ½ or 1.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`],
/// [`MetricError::NotProbability`].
///
/// # Examples
///
/// ```
/// let z = leadscore_metrics::spiegelhalter_z(&[true, false, false, false], &[0.25; 4])?;
/// assert_eq!(z, 0.0);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
///
/// # References
///
/// Spiegelhalter (1986), Statistics in Medicine 5(5).
pub fn spiegelhalter_z(labels: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    check_probabilities(labels, probabilities)?;
    let (mut gap, mut variance) = (0.0, 0.0);
    for (&label, &p) in labels.iter().zip(probabilities) {
        gap += (f64::from(u8::from(label)) - p) * (1.0 - 2.0 * p);
        variance += (1.0 - 2.0 * p).powi(2) * p * (1.0 - p);
    }
    Ok(if variance > 0.0 {
        gap / variance.sqrt()
    } else {
        0.0
    })
}

/// The line in log-odds that fits what happened best, by maximum likelihood (Cox's recalibration;
/// Platt scaling without its priors).
///
/// Probabilities of 0 and 1 count as 10⁻¹² away from them. Where probabilities are all equal, the
/// slope stays 1.
///
/// # Errors
///
/// As [`spiegelhalter_z`], and [`MetricError::OneClass`].
///
/// # Examples
///
/// ```
/// // Said 10 % and 50 %; one of four, and three of four, were won.
/// let labels = [true, false, false, false, true, true, true, false];
/// let said = [0.1, 0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5];
/// let line = leadscore_metrics::calibration_line(&labels, &said)?;
/// // Log-odds of ¼ and ¾, from those of 0.1 and 0.5: a line through two points.
/// assert!((line.intercept - 3.0_f64.ln()).abs() < 1e-9 && (line.slope - 1.0).abs() < 1e-9);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
///
/// # References
///
/// Cox (1958), Biometrika 45(3/4).
pub fn calibration_line(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<CalibrationLine, MetricError> {
    check_probabilities(labels, probabilities)?;
    check_both_classes(labels)?;
    let rows: Vec<[f64; 2]> = probabilities.iter().map(|&p| [1.0, logit(p)]).collect();
    if rows.iter().all(|row| row[1] == rows[0][1]) {
        return calibration_shift(labels, probabilities);
    }
    let [intercept, slope] = fit_small(labels, &rows, [0.0, 1.0]);
    Ok(CalibrationLine { intercept, slope })
}

/// The covariance of intercept and slope of a fitted line, rows of one cluster taken together:
/// `[Var a, Cov(a, b), Var b]`, of a shift with the last two 0.
///
/// ```text
/// H⁻¹ (∑ᶜ gᶜ gᶜ′) H⁻¹,   gᶜ = ∑ᵢ∈ᶜ (yᵢ − p′ᵢ) (1, logit pᵢ),   H = ∑ p′ᵢ (1 − p′ᵢ) (1, logit pᵢ)(1, logit pᵢ)′
/// ```
///
/// # References
///
/// Huber (1967), Proceedings of the Fifth Berkeley Symposium 1; clusters as Liang and Zeger (1986),
/// Biometrika 73(1).
pub fn line_covariance(
    labels: &[bool],
    probabilities: &[f64],
    clusters: &Clusters,
    line: CalibrationLine,
    is_shift: bool,
) -> [f64; 3] {
    let mut sums = vec![[0.0; 2]; clusters.len()];
    let mut h = [0.0; 3];
    for (row, (&label, &p)) in labels.iter().zip(probabilities).enumerate() {
        let x = logit(p);
        let q = 1.0 / (1.0 + (-(line.intercept + line.slope * x)).exp());
        let rest = f64::from(u8::from(label)) - q;
        let sum = &mut sums[clusters.of_row()[row] as usize];
        *sum = [sum[0] + rest, sum[1] + rest * x];
        let weight = q * (1.0 - q);
        h = [h[0] + weight, h[1] + weight * x, h[2] + weight * x * x];
    }
    let b = sums.iter().fold([0.0; 3], |b, s| {
        [b[0] + s[0] * s[0], b[1] + s[0] * s[1], b[2] + s[1] * s[1]]
    });
    let determinant = h[0] * h[2] - h[1] * h[1];
    if is_shift || determinant <= 1e-12 * h[0] * h[2] {
        return [
            if h[0] > 0.0 {
                b[0] / (h[0] * h[0])
            } else {
                0.0
            },
            0.0,
            0.0,
        ];
    }
    let inverse = [h[2] / determinant, -h[1] / determinant, h[0] / determinant];
    let product = |row: [f64; 2], column: [f64; 2]| {
        let times = [row[0] * b[0] + row[1] * b[1], row[0] * b[1] + row[1] * b[2]];
        times[0] * column[0] + times[1] * column[1]
    };
    let (first, second) = ([inverse[0], inverse[1]], [inverse[1], inverse[2]]);
    [
        product(first, first),
        product(first, second),
        product(second, second),
    ]
}

/// The logistic regression of a few columns, by Newton's method.
fn fit_small<const K: usize>(labels: &[bool], rows: &[[f64; K]], start: [f64; K]) -> [f64; K] {
    let mut weights = start;
    for _ in 0..100 {
        let (mut gradient, mut hessian) = ([0.0; K], [[0.0; K]; K]);
        for (&label, row) in labels.iter().zip(rows) {
            let eta: f64 = row.iter().zip(&weights).map(|(x, weight)| x * weight).sum();
            let p = 1.0 / (1.0 + (-eta).exp());
            for i in 0..K {
                gradient[i] += (f64::from(u8::from(label)) - p) * row[i];
                for j in 0..K {
                    hessian[i][j] += p * (1.0 - p) * row[i] * row[j];
                }
            }
        }
        let step = solve_small(hessian, gradient);
        // A step of more than 2 is not yet near the optimum of a function this flat at its ends.
        let length: f64 = step.iter().map(|value| value.abs()).sum();
        weights
            .iter_mut()
            .zip(step)
            .for_each(|(weight, step)| *weight += step * 2.0 / length.max(2.0));
        if length < 1e-12 {
            break;
        }
    }
    weights
}

/// Gauss's elimination; a column that says what others say keeps its weight.
fn solve_small<const K: usize>(mut matrix: [[f64; K]; K], mut right: [f64; K]) -> [f64; K] {
    for pivot in 0..K {
        let (known, known_right) = (matrix[pivot], right[pivot]);
        if known[pivot].abs() <= 1e-300 {
            continue;
        }
        for (row, right) in matrix.iter_mut().zip(&mut right).skip(pivot + 1) {
            let factor = row[pivot] / known[pivot];
            row.iter_mut()
                .zip(known)
                .for_each(|(value, known)| *value -= factor * known);
            *right -= factor * known_right;
        }
    }
    let mut solution = [0.0; K];
    for row in (0..K).rev() {
        let known: f64 = (row + 1..K)
            .map(|column| matrix[row][column] * solution[column])
            .sum();
        solution[row] = if matrix[row][row].abs() > 1e-12 {
            (right[row] - known) / matrix[row][row]
        } else {
            0.0
        };
    }
    solution
}

/// Lines as they may as well be: `n` draws of intercept and slope around a line, by
/// [`line_covariance`]; the same on every run.
pub fn line_draws(line: CalibrationLine, covariance: [f64; 3], n: usize) -> Vec<(f64, f64)> {
    let [of_intercept, of_both, of_slope] = covariance;
    // Cholesky's factor of the two by two.
    let first = of_intercept.max(0.0).sqrt();
    let across = if first > 0.0 { of_both / first } else { 0.0 };
    let second = (of_slope - across * across).max(0.0).sqrt();
    let draw = |[a, b]: [f64; 2]| {
        (
            line.intercept + first * a,
            line.slope + across * a + second * b,
        )
    };
    (0..n as u64)
        .map(|number| draw(normal_pair(number)))
        .collect()
}

/// Log-odds that a curve is drawn through, from −12 to 12.
const KNOTS: i32 = 96;

/// Beta calibration as a curve in log-odds: for each of its knots, the log-odds said, and those
/// that fit what happened.
///
/// ```text
/// logit p′ = a ln p − b ln(1 − p) + c,   a ≥ 0, b ≥ 0
/// ```
///
/// fitted by maximum likelihood. Between knots, a quarter of a unit apart, it is straight, and off
/// by at most `0.002 |a − b|`.
///
/// # Errors
///
/// As [`calibration_line`].
///
/// # References
///
/// Kull, Silva Filho and Flach (2017), Electronic Journal of Statistics 11(2).
pub fn beta_calibration(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<Vec<(f64, f64)>, MetricError> {
    check_probabilities(labels, probabilities)?;
    check_both_classes(labels)?;
    let two = |p: f64| {
        let p = p.clamp(CLIP, 1.0 - CLIP);
        (p.ln(), -(1.0 - p).ln())
    };
    let rows: Vec<[f64; 3]> = probabilities
        .iter()
        .map(|&p| [1.0, two(p).0, two(p).1])
        .collect();
    let [mut c, mut a, mut b] = fit_small(labels, &rows, [0.0, 1.0, 1.0]);
    // Where one side would fall, it has no part; the other one is fitted alone.
    let alone = |side: usize| {
        fit_small(
            labels,
            &rows.iter().map(|row| [1.0, row[side]]).collect::<Vec<_>>(),
            [0.0, 1.0],
        )
    };
    if a < 0.0 {
        ([c, b], a) = (alone(2), 0.0);
    } else if b < 0.0 {
        ([c, a], b) = (alone(1), 0.0);
    }
    let knots = (-KNOTS / 2..=KNOTS / 2).map(|step| {
        let x = f64::from(step) / 4.0;
        let (ln_p, minus_ln_q) = two(1.0 / (1.0 + (-x).exp()));
        (x, c + a * ln_p + b * minus_ln_q)
    });
    Ok(knots.collect())
}

/// Isotonic calibration as a curve in log-odds: a knot for each step of [`corp`], at its mean
/// log-odds said; straight between them, so that leads keep their order, and with a slope of 1
/// beyond.
///
/// A step's rate is that of its rows with one row more that is won as often as all are, so that
/// none is 0 or 1.
///
/// # Errors
///
/// As [`calibration_line`].
///
/// # References
///
/// Zadrozny and Elkan (2002), KDD; knots at the middle of steps as Oron and Flournoy (2017),
/// Statistics in Biopharmaceutical Research 9(3).
pub fn isotonic_calibration(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<Vec<(f64, f64)>, MetricError> {
    check_both_classes(labels)?;
    let corp = corp(labels, probabilities)?;
    let base = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
    let mut rows: Vec<f64> = probabilities.to_vec();
    rows.sort_unstable_by(f64::total_cmp);
    let mut knots: Vec<(f64, f64)> = Vec::new();
    let mut first = 0;
    for step in &corp.steps {
        let said = rows[first..first + step.n_rows]
            .iter()
            .map(|&p| logit(p))
            .sum::<f64>()
            / step.n_rows as f64;
        let n = step.n_rows as f64;
        let rate = logit((step.win_rate * n + base) / (n + 1.0));
        first += step.n_rows;
        // The row more can turn the order of two small steps.
        if knots
            .last()
            .is_none_or(|(x, y)| said > x + 1e-9 && rate > y + 1e-9)
        {
            knots.push((said, rate));
        }
    }
    let (low, high) = (knots[0], knots[knots.len() - 1]);
    knots.insert(0, (low.0 - 1.0, low.1 - 1.0));
    knots.push((high.0 + 1.0, high.1 + 1.0));
    Ok(knots)
}

/// The shift in log-odds after which as many wins are said as happened: the line of slope 1, for
/// few rows.
///
/// Found by bisection between −30 and 30. Probabilities of 0 and 1 count as 10⁻¹² away from them.
///
/// # Errors
///
/// As [`calibration_line`].
///
/// # Examples
///
/// ```
/// let line = leadscore_metrics::calibration_shift(&[true, false, false, false], &[0.5; 4])?;
/// assert!((line.intercept + 3.0_f64.ln()).abs() < 1e-9 && line.slope == 1.0);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn calibration_shift(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<CalibrationLine, MetricError> {
    check_probabilities(labels, probabilities)?;
    check_both_classes(labels)?;
    let wins = labels.iter().filter(|label| **label).count() as f64;
    let said = |shift: f64| -> f64 {
        probabilities
            .iter()
            .map(|&p| 1.0 / (1.0 + (-(logit(p) + shift)).exp()))
            .sum()
    };
    let (mut low, mut high) = (-30.0, 30.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if said(middle) < wins {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(CalibrationLine {
        intercept: f64::midpoint(low, high),
        slope: 1.0,
    })
}

/// The integrated calibration index: mean gap between what was said and a smooth curve through what
/// happened. 0 is perfect.
///
/// The curve is a local line over the nearest three quarters of the rows (loess of degree 1,
/// tricube weights) at 100 points along the probabilities, linear between them.
///
/// # Errors
///
/// As [`spiegelhalter_z`].
///
/// # References
///
/// Austin and Steyerberg (2019), Statistics in Medicine 38(21); they smooth with degree 2.
pub fn integrated_calibration_index(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<f64, MetricError> {
    check_probabilities(labels, probabilities)?;
    let mut rows: Vec<(f64, f64)> = probabilities
        .iter()
        .zip(labels)
        .map(|(&p, &label)| (p, f64::from(u8::from(label))))
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let n = rows.len();
    let n_near = (n * 3).div_ceil(4).max(2.min(n));
    let mut points: Vec<f64> = (0..100).map(|point| rows[point * (n - 1) / 99].0).collect();
    points.dedup();
    let curve: Vec<(f64, f64)> = points
        .into_iter()
        .map(|x| (x, local_line(&rows, x, n_near)))
        .collect();
    let gap: f64 = rows
        .iter()
        .map(|row| (row.0 - interpolate(&curve, row.0)).abs())
        .sum();
    Ok(gap / n as f64)
}

fn local_line(rows: &[(f64, f64)], x: f64, n_near: usize) -> f64 {
    // The window of the nearest rows slides right while that brings its far end nearer.
    let (mut low, mut high) = (0, rows.len() - n_near);
    while low < high {
        let middle = usize::midpoint(low, high);
        if x - rows[middle].0 > rows[middle + n_near].0 - x {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let near = &rows[low..low + n_near];
    let reach = (x - near[0].0).max(near[n_near - 1].0 - x) * (1.0 + 1e-9) + 1e-12;
    let (mut s, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (at, y) in near {
        let distance = (at - x).abs() / reach;
        let weight = (1.0 - distance.powi(3)).powi(3);
        let dx = at - x;
        s += weight;
        sx += weight * dx;
        sy += weight * y;
        sxx += weight * dx * dx;
        sxy += weight * dx * y;
    }
    let determinant = s * sxx - sx * sx;
    if determinant > 1e-12 * s * sxx {
        (sxx * sy - sx * sxy) / determinant
    } else {
        sy / s
    }
}

pub(crate) fn interpolate(curve: &[(f64, f64)], x: f64) -> f64 {
    let after = curve.partition_point(|(at, _)| *at < x);
    match (
        after.checked_sub(1).map(|before| curve[before]),
        curve.get(after),
    ) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (x - x0) / (x1 - x0) * (y1 - y0),
        (Some((_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => x,
    }
}

/// The reliability curve that needs no bins, and the parts of the Brier loss; see [`Corp`].
///
/// # Errors
///
/// As [`spiegelhalter_z`].
///
/// # Examples
///
/// ```
/// let corp = leadscore_metrics::corp(&[false, false, true, true], &[0.1, 0.2, 0.3, 0.9])?;
/// assert_eq!((corp.steps.len(), corp.uncertainty, corp.discrimination), (2, 0.25, 0.25));
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn corp(labels: &[bool], probabilities: &[f64]) -> Result<Corp, MetricError> {
    check_probabilities(labels, probabilities)?;
    let mut rows: Vec<(f64, bool)> = probabilities
        .iter()
        .copied()
        .zip(labels.iter().copied())
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // Equal probabilities are one step from the start; neighbours are pooled while the curve would
    // fall.
    let mut pools: Vec<(f64, f64, f64, usize)> = Vec::new();
    for group in rows.chunk_by(|a, b| a.0 == b.0) {
        let wins = group.iter().filter(|row| row.1).count() as f64;
        pools.push((group[0].0, group[0].0, wins, group.len()));
        while let [.., before, last] = pools.as_mut_slice() {
            if before.2 * (last.3 as f64) < last.2 * (before.3 as f64) {
                break;
            }
            *before = (before.0, last.1, before.2 + last.2, before.3 + last.3);
            pools.pop();
        }
    }
    let steps: Vec<CorpStep> = pools
        .iter()
        .map(|&(from, to, wins, n_rows)| CorpStep {
            from,
            to,
            win_rate: wins / n_rows as f64,
            n_rows,
        })
        .collect();
    let n = rows.len() as f64;
    let base = labels.iter().filter(|label| **label).count() as f64 / n;
    let brier = rows
        .iter()
        .map(|(p, label)| (p - f64::from(u8::from(*label))).powi(2))
        .sum::<f64>()
        / n;
    let uncertainty = base * (1.0 - base);
    let best = steps
        .iter()
        .map(|step| step.n_rows as f64 * step.win_rate * (1.0 - step.win_rate))
        .sum::<f64>()
        / n;
    Ok(Corp {
        miscalibration: brier - best,
        discrimination: uncertainty - best,
        uncertainty,
        steps,
    })
}

pub(crate) fn logit(p: f64) -> f64 {
    let p = p.clamp(CLIP, 1.0 - CLIP);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_gap_where_all_is_off_by_the_same() {
        // Won in 30 % of each hundred, said 20 % to 20.99 %.
        let labels: Vec<bool> = (0..5000).map(|i| (i * 37) % 100 < 30).collect();
        let said: Vec<f64> = (0..5000).map(|i| 0.2 + f64::from(i % 100) * 1e-4).collect();
        let index = integrated_calibration_index(&labels, &said).expect("defined");
        assert!((index - 0.095).abs() < 0.01, "{index}");
        assert_eq!(
            integrated_calibration_index(&[true], &[1.0]).expect("defined"),
            0.0
        );
    }

    /// Won by another curve than was said: each calibration finds it, and a beta curve better than
    /// a line.
    #[test]
    fn curves_find_what_happened() {
        let mut state = 3_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let truth = |p: f64| 1.0 / (1.0 + f64::exp(-(0.4 + 1.4 * p.ln() - 0.3 * (1.0 - p).ln())));
        let said: Vec<f64> = (0..40_000).map(|_| 0.02 + 0.96 * uniform()).collect();
        let labels: Vec<bool> = said.iter().map(|&p| uniform() < truth(p)).collect();
        let gap = |curve: &[(f64, f64)]| {
            let gaps = said
                .iter()
                .map(|&p| (1.0 / (1.0 + (-interpolate(curve, logit(p))).exp()) - truth(p)).abs());
            gaps.sum::<f64>() / said.len() as f64
        };
        let line = calibration_line(&labels, &said).expect("both labels");
        let line: Vec<(f64, f64)> = (-20..=20)
            .map(|x| (f64::from(x), line.intercept + line.slope * f64::from(x)))
            .collect();
        let beta = beta_calibration(&labels, &said).expect("both labels");
        let isotonic = isotonic_calibration(&labels, &said).expect("both labels");
        assert!(
            beta.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1)
                && isotonic.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1)
        );
        assert!(
            gap(&beta) < 0.005 && gap(&isotonic) < 0.015 && gap(&line) > 2.0 * gap(&beta),
            "{} {} {}",
            gap(&beta),
            gap(&isotonic),
            gap(&line)
        );
        // The other way round: a curve whose upper side would fall has none.
        let one_sided: Vec<bool> = said
            .iter()
            .map(|&p| p < 0.5 && uniform() < p || p >= 0.5 && uniform() < 1.0 - p * p)
            .collect();
        assert!(
            beta_calibration(&one_sided, &said)
                .expect("both labels")
                .is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1)
        );
    }

    #[test]
    fn parts_add_up_to_the_brier_loss() {
        let labels: Vec<bool> = (0..997).map(|i| (i * i) % 7 < 2).collect();
        let said: Vec<f64> = (0..997).map(|i| f64::from((i * 131) % 97) / 97.0).collect();
        let corp = corp(&labels, &said).expect("defined");
        let brier = crate::brier_loss(&labels, &said).expect("defined");
        assert!(
            (corp.miscalibration - corp.discrimination + corp.uncertainty - brier).abs() < 1e-12
        );
        assert!(
            corp.steps
                .is_sorted_by(|a, b| a.win_rate < b.win_rate && a.to < b.from)
        );
    }

    #[test]
    fn equal_probabilities_move_the_intercept_alone() {
        let line = calibration_line(&[true, false, false, false], &[0.5; 4]).expect("defined");
        assert!((line.intercept + 3.0_f64.ln()).abs() < 1e-9);
        assert_eq!(line.slope, 1.0);
    }
}
