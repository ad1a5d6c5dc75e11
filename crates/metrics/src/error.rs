//! Why a metric cannot be computed.

/// Input for which the metric is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// No rows.
    #[error("there are no rows to measure")]
    Empty,
    /// Two inputs differ in length.
    #[error(
        "the number of labels is {labels} and of scores {scores}: expected one of each for every row"
    )]
    Length {
        /// Number of labels.
        labels: usize,
        /// Number of scores.
        scores: usize,
    },
    /// Only wins, or only other rows.
    #[error("every row has the label {label} ({n_rows} in all): ranking needs rows of both labels")]
    OneClass {
        /// The only label.
        label: bool,
        /// Number of rows.
        n_rows: usize,
    },
    /// A score that is NaN or infinite.
    #[error("the score of row {row} is {found}: expected a finite number")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// The score.
        found: f64,
    },
    /// A probability outside 0 to 1.
    #[error("the probability of row {row} is {found}: expected 0 to 1")]
    NotProbability {
        /// The row, from 0.
        row: usize,
        /// The number.
        found: f64,
    },
}

pub(crate) fn check_scores(labels: &[bool], scores: &[f64]) -> Result<(), MetricError> {
    if labels.len() != scores.len() {
        return Err(MetricError::Length {
            labels: labels.len(),
            scores: scores.len(),
        });
    }
    if labels.is_empty() {
        return Err(MetricError::Empty);
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(MetricError::NotFinite {
            row,
            found: scores[row],
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_probabilities(
    labels: &[bool],
    probabilities: &[f64],
) -> Result<(), MetricError> {
    check_scores(labels, probabilities)?;
    match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        Some(row) => Err(MetricError::NotProbability {
            row,
            found: probabilities[row],
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_both_classes(labels: &[bool]) -> Result<(), MetricError> {
    let first = labels[0];
    if labels.iter().all(|&label| label == first) {
        return Err(MetricError::OneClass {
            label: first,
            n_rows: labels.len(),
        });
    }
    Ok(())
}
