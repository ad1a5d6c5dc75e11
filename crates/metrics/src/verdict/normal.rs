//! Deviations on the scale of the normal distribution.

/// The signed root of the binomial deviance, for a variance that is not the binomial one; `None`
/// where nothing is expected.
pub(super) fn deviance_root(observed: f64, expected: f64, n: f64, variance: f64) -> Option<f64> {
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
pub(super) fn normal_of_t(t: f64, freedom: f64) -> f64 {
    ((8.0 * freedom + 1.0) / (8.0 * freedom + 3.0) * (freedom * (t * t / freedom).ln_1p()).sqrt())
        .copysign(t)
}
