//! Rows as a solver sees them.

use leadscore_solver::{Design, log_odds, log_odds_of_many};
use ndarray::Array2;

use crate::encoding::Encoding;
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::options::SolverKind;

/// Rows as a solver sees them, encoded once for as many coefficients as wanted.
pub(crate) enum EncodedRows {
    Native(Design),
    Linfa(Array2<f64>),
}

impl EncodedRows {
    pub(crate) fn new(
        input: TrainInput<'_>,
        encoding: &Encoding,
        rows: &[usize],
        solver: SolverKind,
    ) -> Result<Self, TrainError> {
        Ok(match solver {
            SolverKind::Native => Self::Native(encoding.design(input.matrix, rows)?),
            SolverKind::Linfa => Self::Linfa(encoding.dense(input.matrix, rows)),
        })
    }

    pub(crate) fn log_odds(&self, coefficients: &[f64]) -> Result<Vec<f64>, TrainError> {
        match self {
            Self::Native(design) => Ok(log_odds(design, None, coefficients)?),
            Self::Linfa(dense) => Ok(dense_log_odds(dense, coefficients)),
        }
    }

    /// By each of these coefficients.
    pub(crate) fn log_odds_of_many(
        &self,
        coefficients: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        match self {
            Self::Native(design) => Ok(log_odds_of_many(
                design,
                None,
                &coefficients.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            )?),
            Self::Linfa(dense) => Ok(coefficients
                .iter()
                .map(|coefficients| dense_log_odds(dense, coefficients))
                .collect()),
        }
    }
}

/// What linfa's coefficients make of its rows.
pub(crate) fn dense_log_odds(dense: &Array2<f64>, coefficients: &[f64]) -> Vec<f64> {
    let weights = ndarray::ArrayView1::from(&coefficients[1..]);
    dense
        .dot(&weights)
        .iter()
        .map(|sum| sum + coefficients[0])
        .collect()
}
