//! Proper scores: how far probabilities are from outcomes.

use crate::error::{MetricError, check_probabilities};

/// Probabilities are moved this far from 0 and 1 before their logarithm is taken, as scikit-learn
/// does for f64.
const CLIP: f64 = f64::EPSILON;

/// Mean negative log-likelihood of the labels, in natural logarithms: 0 is perfect, lower is
/// better.
///
/// ```text
/// LL = −1/n ∑ᵢ [yᵢ ln pᵢ + (1 − yᵢ) ln(1 − pᵢ)]
/// ```
///
/// # Shapes
///
/// `labels` and `probabilities` are both `(n_rows,)`, in the same order.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`],
/// [`MetricError::NotProbability`].
///
/// # Examples
///
/// ```
/// let loss = leadscore_metrics::log_loss(&[true, false], &[0.5, 0.5])?;
/// assert_eq!(loss, std::f64::consts::LN_2);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
pub fn log_loss(labels: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    Ok(log_loss_rows(labels, probabilities)?
        .into_iter()
        .sum::<f64>()
        / labels.len() as f64)
}

/// The log-loss of each row; see [`log_loss`].
///
/// # Errors
///
/// As [`log_loss`].
pub fn log_loss_rows(labels: &[bool], probabilities: &[f64]) -> Result<Vec<f64>, MetricError> {
    check_probabilities(labels, probabilities)?;
    Ok(labels
        .iter()
        .zip(probabilities)
        .map(|(&label, &p)| log_loss_of_row(label, p))
        .collect())
}

pub(crate) fn log_loss_of_row(label: bool, probability: f64) -> f64 {
    let p = probability.clamp(CLIP, 1.0 - CLIP);
    if label { -p.ln() } else { -(-p).ln_1p() }
}

/// Mean squared gap between probability and outcome: 0 is perfect, lower is better.
///
/// ```text
/// BS = 1/n ∑ᵢ (pᵢ − yᵢ)²
/// ```
///
/// where `pᵢ` is the probability given to row `i`, and `yᵢ` is 1 if it was won, 0 if not.
///
/// # Shapes
///
/// `labels` and `probabilities` are both `(n_rows,)`, in the same order.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::Length`], [`MetricError::NotFinite`],
/// [`MetricError::NotProbability`].
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_metrics::brier_loss(&[true, false], &[0.75, 0.5])?, 0.15625);
/// # Ok::<(), leadscore_metrics::MetricError>(())
/// ```
///
/// # References
///
/// Brier (1950), Monthly Weather Review 78(1). He sums over both classes: twice ours.
pub fn brier_loss(labels: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    check_probabilities(labels, probabilities)?;
    let sum: f64 = labels
        .iter()
        .zip(probabilities)
        .map(|(&label, &p)| brier_of_row(label, p))
        .sum();
    Ok(sum / labels.len() as f64)
}

pub(crate) fn brier_of_row(label: bool, probability: f64) -> f64 {
    let gap = probability - f64::from(u8::from(label));
    gap * gap
}
