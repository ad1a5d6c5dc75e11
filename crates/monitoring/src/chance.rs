//! Probabilities and quantiles of the normal, t and non-central χ² distributions.

/// `ln Γ(x)` for `x > 0`, to about 1e-14.
///
/// # References
///
/// Lanczos (1964), SIAM Journal on Numerical Analysis 1, with the coefficients of Godfrey (2001).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin().abs()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = COEFFICIENTS
        .iter()
        .zip(1_u32..)
        .fold(0.999_999_999_999_809_9, |sum, (coefficient, idx)| {
            sum + coefficient / (x + f64::from(idx))
        });
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The chance that a gamma variable of this shape and scale 1 is at most `x`: by its series below
/// the mean, by a continued fraction above.
pub(crate) fn gamma_cdf(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let scale = (shape * x.ln() - x - ln_gamma(shape)).exp();
    if x < shape + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        for _ in 0..100_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (sum * scale).min(1.0);
    }
    // Lentz's method.
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / near(a * d + b, TINY);
        c = near(b + a / c, TINY);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (1.0 - scale * fraction).max(0.0)
}

fn near(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

/// The chance that a standard normal variable is above `z`.
pub(crate) fn normal_above(z: f64) -> f64 {
    let half = 0.5 * gamma_cdf(0.5, z * z / 2.0);
    if z.abs() > 5.0 {
        // Mills' ratio by its continued fraction: the difference from 1 has no digits left.
        let x = z.abs();
        let mut fraction = x;
        for i in (1..60).rev() {
            fraction = x + f64::from(i) / fraction;
        }
        let tail = (-0.5 * x * x).exp() / (std::f64::consts::TAU.sqrt() * fraction);
        return if z > 0.0 { tail } else { 1.0 - tail };
    }
    if z > 0.0 { 0.5 - half } else { 0.5 + half }
}

/// The standard normal variable that is exceeded with this chance.
pub(crate) fn normal_quantile_above(chance: f64) -> f64 {
    bisect(-40.0, 40.0, |z| normal_above(z) > chance)
}

/// The chance that a variable of Student's distribution with so many degrees of freedom is above
/// `t`; infinitely many are the normal distribution.
pub(crate) fn t_above(t: f64, freedom: f64) -> f64 {
    if !freedom.is_finite() || freedom > 1e6 {
        return normal_above(t);
    }
    let tail = 0.5 * beta_cdf(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    if t > 0.0 { tail } else { 1.0 - tail }
}

/// The variable of Student's distribution that is exceeded with this chance, below ½.
pub(crate) fn t_quantile_above(chance: f64, freedom: f64) -> f64 {
    if !freedom.is_finite() || freedom > 1e6 {
        return normal_quantile_above(chance);
    }
    let mut high = 1.0;
    while t_above(high, freedom) > chance && high < 1e12 {
        high *= 2.0;
    }
    bisect(0.0, high, |t| t_above(t, freedom) > chance)
}

/// The regularized incomplete beta function.
fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// Its continued fraction, by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut c = 1.0;
    let mut d = 1.0 / near(1.0 - (a + b) * x / (a + 1.0), TINY);
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for step in [even, odd] {
            d = 1.0 / near(1.0 + step * d, TINY);
            c = near(1.0 + step / c, TINY);
            fraction *= d * c;
            change = d * c;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// The chance that a non-central χ² variable is above `x`: central ones, weighted by a Poisson
/// variable of half the non-centrality.
pub(crate) fn noncentral_chi2_above(x: f64, freedom: f64, noncentrality: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let mean = noncentrality / 2.0;
    if mean <= 0.0 {
        return 1.0 - gamma_cdf(freedom / 2.0, x / 2.0);
    }
    // What lies beyond so many standard deviations has no weight.
    let reach = 10.0 * mean.sqrt() + 30.0;
    let first = (mean - reach).max(0.0).floor();
    let last = (mean + reach).ceil();
    let (half, mut shape) = (x / 2.0, freedom / 2.0 + last);
    // From the last one downwards, where the recurrence only adds.
    let mut below = gamma_cdf(shape, half);
    let mut total = 0.0;
    let mut j = last;
    loop {
        total += (j * mean.ln() - mean - ln_gamma(j + 1.0)).exp() * below;
        if j <= first {
            break;
        }
        j -= 1.0;
        shape -= 1.0;
        below += (shape * half.ln() - half - ln_gamma(shape + 1.0)).exp();
    }
    (1.0 - total).clamp(0.0, 1.0)
}

/// The value that a non-central χ² variable exceeds with this chance.
pub(crate) fn noncentral_chi2_quantile_above(chance: f64, freedom: f64, noncentrality: f64) -> f64 {
    let mean = freedom + noncentrality;
    let spread = (2.0 * (freedom + 2.0 * noncentrality)).sqrt();
    let mut high = mean + 4.0 * spread;
    while noncentral_chi2_above(high, freedom, noncentrality) > chance && high < 1e300 {
        high *= 2.0;
    }
    bisect(0.0, high, |x| {
        noncentral_chi2_above(x, freedom, noncentrality) > chance
    })
}

/// Where a condition that holds on the left ends.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || high - low <= 1e-13 * high.abs() {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        // As many digits as R prints.
        assert!(
            (found - expected).abs() <= 2e-6 * expected.abs(),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn as_tables_have_them() {
        check(normal_quantile_above(0.025), 1.959_964);
        check(normal_quantile_above(0.9), -1.281_551_6);
        check(normal_above(6.0), 9.865_876e-10);
        check(normal_above(-6.0), 1.0);
        check(t_quantile_above(0.025, 1.0), 12.706_205);
        check(t_quantile_above(0.025, 9.0), 2.262_157);
        // By Simpson's rule over its density.
        check(t_quantile_above(0.025, 2.5), 3.574_654_8);
        check(t_above(-2.262_157, 9.0), 0.975);
        check(t_quantile_above(0.025, f64::INFINITY), 1.959_964);
        check(gamma_cdf(0.5, 1.920_729), 0.95);
        check(noncentral_chi2_above(16.918_978, 9.0, 0.0), 0.05);
    }

    #[test]
    fn noncentral_chi2_agrees_with_its_law() {
        // With one degree of freedom it is the square of a shifted normal variable.
        for (x, shift) in [(4.0, 1.0), (30.0, 4.0), (11_000.0, 100.0), (9_000.0, 100.0)] {
            let root = f64::sqrt(x);
            let expected = normal_above(root - shift) + normal_above(root + shift);
            check(noncentral_chi2_above(x, 1.0, shift * shift), expected);
        }
        let critical = noncentral_chi2_quantile_above(0.05, 9.0, 2_000.0);
        check(noncentral_chi2_above(critical, 9.0, 2_000.0), 0.05);
    }
}
