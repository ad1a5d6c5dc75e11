//! Points as probabilities: what leads with so many points turned out to be worth, on other rows.

use crate::clusters::Clusters;
use crate::error::{MetricError, check_both_classes, check_scores};
use crate::recalibration::{interpolate, isotonic_calibration};

/// The share won by points, rising with them, as rows showed it; level beyond the fewest and the
/// most points seen.
#[derive(Debug, Clone, PartialEq)]
pub struct PointsCalibration {
    center: f64,
    scale: f64,
    curve: Vec<(f64, f64)>,
}

impl PointsCalibration {
    /// Learns the share won by points: see [`isotonic_calibration`], by which points are first
    /// scaled to log-odds of mean 0 and deviation 1.
    ///
    /// # Errors
    ///
    /// [`MetricError`] where there are no rows, points that are not finite, or one label only.
    ///
    /// # Examples
    ///
    /// ```
    /// let points = [0.0, 0.0, 0.0, 0.0, 50.0, 50.0, 50.0, 50.0];
    /// let labels = [false, false, false, true, false, true, true, true];
    /// let rates = leadscore_metrics::PointsCalibration::fit(&labels, &points)?.apply(&[0.0, 50.0]);
    /// // One row more at the rate of all draws each rate a little to the middle.
    /// assert!((rates[0] - 0.3).abs() < 1e-9 && (rates[1] - 0.7).abs() < 1e-9);
    /// # Ok::<(), leadscore_metrics::MetricError>(())
    /// ```
    pub fn fit(labels: &[bool], points: &[f64]) -> Result<Self, MetricError> {
        check_scores(labels, points)?;
        check_both_classes(labels)?;
        let n = points.len() as f64;
        let center = points.iter().sum::<f64>() / n;
        let deviation = (points
            .iter()
            .map(|value| (value - center).powi(2))
            .sum::<f64>()
            / n)
            .sqrt();
        let mut found = Self {
            center,
            scale: if deviation > 0.0 { deviation } else { 1.0 },
            curve: Vec::new(),
        };
        let scaled: Vec<f64> = points
            .iter()
            .map(|&value| 1.0 / (1.0 + (-found.log_odds(value)).exp()))
            .collect();
        found.curve = isotonic_calibration(labels, &scaled)?;
        // Level beyond what was seen: the curve's own ends go on with a slope of 1.
        let last = found.curve.len() - 1;
        found.curve[0].1 = found.curve[1].1;
        found.curve[last].1 = found.curve[last - 1].1;
        Ok(found)
    }

    /// The share won that such points stand for.
    pub fn apply(&self, points: &[f64]) -> Vec<f64> {
        points
            .iter()
            .map(|&value| 1.0 / (1.0 + (-interpolate(&self.curve, self.log_odds(value))).exp()))
            .collect()
    }

    fn log_odds(&self, points: f64) -> f64 {
        // Beyond ±30 a probability cannot be told from 0 or 1.
        ((points - self.center) / self.scale).clamp(-30.0, 30.0)
    }
}

/// Points as probabilities where there are no other rows to learn from: each half of the leads by
/// what the other half shows.
///
/// # Errors
///
/// Those of [`PointsCalibration::fit`], also where a half has one label only.
pub fn cross_calibrated(
    labels: &[bool],
    points: &[f64],
    clusters: &Clusters,
) -> Result<Vec<f64>, MetricError> {
    check_scores(labels, points)?;
    let mut found = vec![0.0; labels.len()];
    for half in 0..2 {
        let (own, other): (Vec<usize>, Vec<usize>) =
            (0..labels.len()).partition(|&row| clusters.of_row()[row] % 2 == half);
        let labels: Vec<bool> = other.iter().map(|&row| labels[row]).collect();
        let calibration = PointsCalibration::fit(
            &labels,
            &other.iter().map(|&row| points[row]).collect::<Vec<_>>(),
        )?;
        let rates = calibration.apply(&own.iter().map(|&row| points[row]).collect::<Vec<_>>());
        for (row, rate) in own.into_iter().zip(rates) {
            found[row] = rate;
        }
    }
    Ok(found)
}
