//! Probabilities that cannot hold a wrong value, and their log-odds.

use serde::{Deserialize, Serialize};

/// A probability: 0 ≤ p ≤ 1, never NaN.
///
/// # Examples
///
/// ```
/// use leadscore_core::Probability;
/// assert_eq!(Probability::new(0.25).unwrap().likelihood(), 25.0);
/// assert!(Probability::new(f64::NAN).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

/// A number outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{found} is not a probability: expected 0 to 1")]
pub struct ProbabilityError {
    /// The number that was found.
    pub found: f64,
}

impl Probability {
    /// Checks that `value` lies in 0 to 1.
    pub fn new(value: f64) -> Result<Self, ProbabilityError> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(ProbabilityError { found: value })
        }
    }

    /// The probability itself, 0 to 1.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The likelihood to close: the probability × 100.
    pub fn likelihood(self) -> f64 {
        self.0 * 100.0
    }

    /// The probability of these log-odds, in natural logarithms.
    pub fn from_log_odds(log_odds: f64) -> Result<Self, ProbabilityError> {
        Self::new(log_odds_to_probability(log_odds))
    }
}

impl TryFrom<f64> for Probability {
    type Error = ProbabilityError;
    fn try_from(value: f64) -> Result<Self, ProbabilityError> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(value: Probability) -> Self {
        value.0
    }
}

/// The logistic function, `1 / (1 + e^−x)`, without overflow at either end; NaN stays NaN.
///
/// Below −700 it is 0, and 1 from where floating point has no number between: statements say the
/// same, since some databases fail where an exponential is too large or too small to be a number.
///
/// # Examples
///
/// ```
/// use leadscore_core::log_odds_to_probability;
/// assert_eq!([0.0, 40.0, 1e4, -701.0, -1e4].map(log_odds_to_probability), [0.5, 1.0, 1.0, 0.0, 0.0]);
/// assert!(log_odds_to_probability(-700.0) > 0.0);
/// ```
pub fn log_odds_to_probability(log_odds: f64) -> f64 {
    const LEAST: f64 = -700.0;
    if log_odds < LEAST {
        0.0
    } else if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(log_odds: f64, expected: f64) {
        let found = log_odds_to_probability(log_odds);
        // Two roundings of a quotient.
        assert!(
            (found - expected).abs() <= 4e-16 * expected,
            "{log_odds}: {found}"
        );
    }

    #[test]
    fn log_odds_have_their_probability() {
        check(0.0, 0.5);
        check(9.0_f64.ln(), 0.9);
        check(-9.0_f64.ln(), 0.1);
        check(40.0, 1.0);
        check(f64::INFINITY, 1.0);
        // Far down, a probability is the odds: e^-700 is still one, and below is nothing.
        check(-700.0, 9.859_676_543_759_77e-305);
        check(-700.1, 0.0);
        check(f64::NEG_INFINITY, 0.0);
        assert!(log_odds_to_probability(f64::NAN).is_nan());
    }

    #[test]
    fn nothing_but_probabilities_is_one() {
        for value in [0.0, 1.0, 0.25, -0.0] {
            assert_eq!(Probability::new(value).map(Probability::value), Ok(value));
        }
        for value in [-1e-300, 1.0 + f64::EPSILON, f64::INFINITY] {
            assert_eq!(
                Probability::new(value),
                Err(ProbabilityError { found: value })
            );
        }
        assert!(Probability::new(f64::NAN).is_err());
        assert!(Probability::from_log_odds(f64::NAN).is_err());
        assert!(serde_json::from_str::<Probability>("1.5").is_err());
        assert_eq!(Probability(0.25).likelihood(), 25.0);
    }
}
