//! The log-loss of a row by its log-odds, and means of losses.

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// `ln(1 + e^η) − yη`.
pub(crate) fn loss(label: bool, log_odds: f64) -> f64 {
    let eta = if label { -log_odds } else { log_odds };
    eta.max(0.0) + (-eta.abs()).exp().ln_1p()
}
