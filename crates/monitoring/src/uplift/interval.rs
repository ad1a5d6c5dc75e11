//! Intervals of observed over expected, and of two of them together.

use leadscore_metrics::Interval;

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The ratios whose distance from the observed one chance allows: the score interval of a Poisson
/// rate, with a dispersion. Nothing expected is no limit.
pub(super) fn score_interval(ratio: f64, expected: f64, dispersion: f64) -> Interval {
    if expected <= 0.0 {
        return Interval {
            low: 0.0,
            high: f64::INFINITY,
        };
    }
    let half = Z * Z * dispersion / (2.0 * expected);
    let root = (half * half + Z * Z * dispersion * ratio / expected).sqrt();
    Interval {
        low: (ratio + half - root).max(0.0),
        high: ratio + half + root,
    }
}

/// The interval of a difference, from those of its parts.
pub(super) fn difference_interval(
    (a, ia): (f64, Interval),
    (b, ib): (f64, Interval),
    correlation: f64,
) -> Interval {
    let reach = |own: f64, other: f64| {
        (own * own + other * other - 2.0 * correlation * own * other)
            .max(0.0)
            .sqrt()
    };
    Interval {
        low: a - b - reach(a - ia.low, ib.high - b),
        high: a - b + reach(ia.high - a, b - ib.low),
    }
}

/// The interval of a ratio `a/b`, from those of its parts: ∞ where `b` may be 0.
pub(super) fn ratio_interval(
    (a, ia): (f64, Interval),
    (b, ib): (f64, Interval),
    correlation: f64,
) -> Interval {
    // The ratios ρ for which a − ρ b may be 0 (Fieller, by the parts' own intervals).
    let limit = |end_a: f64, end_b: f64| {
        let (own, other) = (end_a - a, end_b - b);
        let product = a * b + correlation * own * other;
        let square = b * b - other * other;
        let constant = a * a - own * own;
        let root = (product * product - square * constant).max(0.0).sqrt();
        (product, square, constant, root)
    };
    let low = {
        let (product, square, _, root) = limit(ia.low, ib.high);
        // The square is negative where b may be more than twice itself: the same root, the other
        // way around.
        if square.abs() < 1e-12 * b * b {
            let (product, _, constant, _) = limit(ia.low, ib.high);
            if product > 0.0 {
                constant / (2.0 * product)
            } else {
                0.0
            }
        } else {
            (product - root) / square
        }
    };
    let high = {
        let (product, square, _, root) = limit(ia.high, ib.low);
        if ib.low <= 0.0 || square <= 0.0 {
            f64::INFINITY
        } else {
            (product + root) / square
        }
    };
    Interval {
        low: if low.is_nan() { 0.0 } else { low.max(0.0) },
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn a_ratio_is_where_the_difference_is_zero() {
        let (a, b) = (1.5, 1.0);
        let (ia, ib) = (score_interval(a, 90.0, 1.2), score_interval(b, 30.0, 1.2));
        for correlation in [0.0, 0.3] {
            let found = ratio_interval((a, ia), (b, ib), correlation);
            // a − ρ b with the parts scaled by ρ.
            let at = |rho: f64| {
                let scaled = Interval {
                    low: rho * ib.low,
                    high: rho * ib.high,
                };
                difference_interval((a, ia), (rho * b, scaled), correlation)
            };
            check(at(found.low).low, 0.0);
            check(at(found.high).high, 0.0);
            assert!(found.low < 1.5 && found.high > 1.5);
        }
    }

    #[test]
    fn without_wins_there_are_limits_still() {
        let none = score_interval(0.0, 10.0, 1.0);
        check(none.low, 0.0);
        check(none.high, Z * Z / 10.0);
        let some = score_interval(1.0, 100.0, 1.0);
        let ratio = ratio_interval((1.0, some), (0.0, none), 0.0);
        assert!(ratio.low > 1.0 && ratio.high.is_infinite(), "{ratio:?}");
        let zero = ratio_interval((0.0, none), (1.0, some), 0.0);
        assert!(zero.low == 0.0 && zero.high < 1.0, "{zero:?}");
        let neither = ratio_interval((0.0, none), (0.0, none), 0.0);
        assert!(neither.low == 0.0 && neither.high.is_infinite());
    }
}
