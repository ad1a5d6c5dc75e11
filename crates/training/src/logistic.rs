//! Logistic regression by `linfa-logistic`, with its orientation read and its convergence checked
//! by our own gradient.

use leadscore_core::log_odds_to_probability;
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use crate::error::TrainError;

/// How the fit is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticOptions {
    /// Strength of the penalty, at least 0, default 1: `½·penalty·‖w‖²` beside the summed log-loss.
    /// More shrinks weights to 0.
    pub penalty: f64,
    /// Largest absolute entry that the gradient of the mean objective may have, default 1e-5.
    pub tolerance: f64,
    /// Iterations of one attempt, default 300; an attempt that ends short of the optimum is
    /// continued from where it ended.
    pub max_iterations: u64,
    /// Attempts, default 8.
    pub max_attempts: usize,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        Self {
            penalty: 1.0,
            tolerance: 1e-5,
            max_iterations: 300,
            max_attempts: 8,
        }
    }
}

/// A fit whose gradient was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// Log-odds of a row of zeros.
    pub intercept: f64,
    /// Log-odds for one unit of each column: above 0 speaks for a win.
    pub weights: Vec<f64>,
    /// Largest absolute entry of the gradient of the mean objective.
    pub gradient: f64,
    /// Attempts that it took.
    pub attempts: usize,
}

impl LogisticFit {
    /// Intercept first, then the weights.
    pub(crate) fn coefficients(&self) -> Vec<f64> {
        std::iter::once(self.intercept)
            .chain(self.weights.iter().copied())
            .collect()
    }
}

/// Fits `P(won) = 1 / (1 + e^−(b + w·x))` with a ridge penalty on the weights.
///
/// ```text
/// minimise ∑ᵢ ln(1 + e^−ηᵢ) + (1 − yᵢ) ηᵢ + ½ α ‖w‖²,  ηᵢ = b + w·xᵢ
/// ```
///
/// where `α` is the penalty and the intercept `b` is free. The result speaks of `true`, whichever
/// class has more rows: linfa's positive class is the more frequent one, so its signs are turned
/// where `labels()` says so.
///
/// # Shapes
///
/// `design` is `(n_rows, n_columns)`, standardised, columns contiguous; `labels` is `(n_rows,)`.
/// `start` is an earlier fit of as many columns.
///
/// # Errors
///
/// [`TrainError::OneClass`], [`TrainError::Length`], [`TrainError::Solver`] for NaN or infinite
/// cells, and [`TrainError::NotConverged`] where the gradient stays above the tolerance.
pub fn fit_logistic(
    design: &Array2<f64>,
    labels: &[bool],
    options: LogisticOptions,
    start: Option<&LogisticFit>,
) -> Result<LogisticFit, TrainError> {
    if design.nrows() != labels.len() {
        return Err(TrainError::Length {
            n_labels: labels.len(),
            n_rows: design.nrows(),
        });
    }
    let n_rows = labels.len();
    let n_won = labels.iter().filter(|label| **label).count();
    if n_won == 0 || n_won == n_rows {
        return Err(TrainError::OneClass {
            label: n_won > 0,
            n_rows,
        });
    }
    let dataset = DatasetBase::new(design.view(), Array1::from(labels.to_vec()));
    // Which way linfa will turn is known before the fit unless the classes are even; then no start
    // is given.
    let expected_sign = match (2 * n_won).cmp(&n_rows) {
        std::cmp::Ordering::Greater => Some(1.0),
        std::cmp::Ordering::Less => Some(-1.0),
        std::cmp::Ordering::Equal => None,
    };
    let mut current = start
        .filter(|start| start.weights.len() == design.ncols())
        .cloned();
    let mut gradient = f64::INFINITY;
    for attempt in 1..=options.max_attempts {
        // linfa sums where we average, and stops a little inside our tolerance.
        let mut params = LogisticRegression::default()
            .alpha(options.penalty)
            .max_iterations(options.max_iterations)
            .gradient_tolerance(0.3 * options.tolerance * n_rows as f64);
        if let (Some(sign), Some(current)) = (expected_sign, &current) {
            params = params.initial_params(
                current
                    .weights
                    .iter()
                    .chain([&current.intercept])
                    .map(|value| sign * value)
                    .collect(),
            );
        }
        let fitted = params.fit(&dataset).map_err(|error| TrainError::Solver {
            reason: error.to_string(),
        })?;
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let intercept = sign * fitted.intercept();
        let weights: Vec<f64> = fitted.params().iter().map(|weight| sign * weight).collect();
        gradient = largest_gradient(design, labels, options.penalty, intercept, &weights);
        let fit = LogisticFit {
            intercept,
            weights,
            gradient,
            attempts: attempt,
        };
        if gradient <= options.tolerance {
            return Ok(fit);
        }
        if !gradient.is_finite() || expected_sign.is_none() && attempt > 1 {
            break;
        }
        current = Some(fit);
    }
    Err(TrainError::NotConverged {
        attempts: options.max_attempts,
        max_iterations: options.max_iterations,
        gradient,
        tolerance: options.tolerance,
    })
}

/// Largest absolute entry of the gradient of the objective over `n_rows`.
fn largest_gradient(
    design: &Array2<f64>,
    labels: &[bool],
    penalty: f64,
    intercept: f64,
    weights: &[f64],
) -> f64 {
    let weights = Array1::from(weights.to_vec());
    let mut residuals = design.dot(&weights);
    for (residual, &label) in residuals.iter_mut().zip(labels) {
        *residual = log_odds_to_probability(*residual + intercept) - f64::from(u8::from(label));
    }
    let slopes = design.t().dot(&residuals) + penalty * &weights;
    let largest = slopes.iter().fold(residuals.sum().abs(), |largest, slope| {
        if slope.is_nan() {
            f64::NAN
        } else {
            largest.max(slope.abs())
        }
    });
    largest / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder};

    use super::*;

    /// Rows whose only column speaks for a win, with this many wins in each hundred.
    fn data(won_in_hundred: usize, reverse: bool) -> (Array2<f64>, Vec<bool>) {
        let mut rows: Vec<(f64, bool)> = (0..400)
            .map(|i| {
                (
                    ((i * 37) % 100) as f64 / 50.0 - 1.0,
                    i % 100 < won_in_hundred,
                )
            })
            .map(|(x, label)| (if label { x + 0.8 } else { x }, label))
            .collect();
        if reverse {
            rows.reverse();
        }
        let design =
            Array2::from_shape_vec((rows.len(), 1).f(), rows.iter().map(|row| row.0).collect())
                .expect("one column");
        (design, rows.iter().map(|row| row.1).collect())
    }

    #[track_caller]
    fn check_orientation(won_in_hundred: usize, reverse: bool) {
        let (design, labels) = data(won_in_hundred, reverse);
        let fit =
            fit_logistic(&design, &labels, LogisticOptions::default(), None).expect("converges");
        assert!(fit.weights[0] > 0.5, "{won_in_hundred} {reverse}: {fit:?}");
        let mean = design
            .column(0)
            .iter()
            .map(|x| log_odds_to_probability(fit.intercept + fit.weights[0] * x))
            .sum::<f64>()
            / labels.len() as f64;
        // The intercept is free, so the mean probability is the rate, up to the tolerance of the
        // gradient.
        assert!(
            (mean - won_in_hundred as f64 / 100.0).abs() < 2e-6,
            "{mean}"
        );
    }

    #[test]
    fn a_win_is_a_win_at_any_prevalence_and_row_order() {
        for won_in_hundred in [12, 50, 88] {
            for reverse in [false, true] {
                check_orientation(won_in_hundred, reverse);
            }
        }
    }

    #[test]
    fn a_start_changes_nothing_but_the_way() {
        let (design, labels) = data(20, false);
        let options = LogisticOptions {
            tolerance: 1e-9,
            ..Default::default()
        };
        let cold = fit_logistic(&design, &labels, options, None).expect("converges");
        let warm = fit_logistic(
            &design,
            &labels,
            options,
            Some(&LogisticFit {
                intercept: 1.0,
                weights: vec![-2.0],
                gradient: 0.0,
                attempts: 0,
            }),
        )
        .expect("converges");
        // Two points within 1e-9 of a zero gradient, over a curvature of about 0.1.
        assert!((cold.weights[0] - warm.weights[0]).abs() < 1e-7);
    }

    #[test]
    fn what_does_not_converge_is_an_error() {
        // Columns of very different scale, which the encoder never makes: linfa returns Ok far from
        // the optimum.
        let rows: Vec<[f64; 2]> = (0..500)
            .map(|i| [f64::from(i % 17) * 1e6, f64::from(i % 13) * 1e-6])
            .collect();
        let labels: Vec<bool> = (0..500).map(|i| (i * i) % 7 < 2).collect();
        let design = Array2::from_shape_vec(
            (500, 2).f(),
            rows.iter()
                .map(|row| row[0])
                .chain(rows.iter().map(|row| row[1]))
                .collect(),
        )
        .expect("two columns");
        let options = LogisticOptions {
            max_iterations: 5,
            max_attempts: 2,
            ..Default::default()
        };
        assert!(matches!(
            fit_logistic(&design, &labels, options, None),
            Err(TrainError::NotConverged { .. })
        ));
    }

    #[test]
    fn one_class_is_an_error() {
        let (design, _) = data(12, false);
        let result = fit_logistic(&design, &vec![false; 400], LogisticOptions::default(), None);
        assert!(matches!(
            result,
            Err(TrainError::OneClass {
                label: false,
                n_rows: 400
            })
        ));
    }
}
