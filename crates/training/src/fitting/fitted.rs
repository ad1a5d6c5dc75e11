//! A fit: its encoding, its coefficients and what held them.

use leadscore_core::counted;
use leadscore_solver::{Design, Fit, Penalty, log_odds};

use super::encoded_rows::EncodedRows;
use super::late::Late;
use crate::encoding::Encoding;
use crate::error::TrainError;
use crate::input::TrainInput;
use crate::options::SolverKind;

/// A fit and its encoding.
#[derive(Debug)]
pub struct Fitted {
    pub(crate) encoding: Encoding,
    pub(crate) coefficients: Vec<f64>,
    /// What the weights were held by.
    pub(crate) penalty: Penalty,
    /// The part of it that says where weights may lie.
    pub(crate) prior: Penalty,
    /// Estimated strengths, one a piece of the encoding; empty where they were given.
    pub(crate) strengths: Vec<f64>,
    /// The fit by our solver and the rows as it saw them; `None` by linfa.
    pub(crate) native: Option<(Fit, Design)>,
    /// Rows of the design behind those that it was fitted on, whose windows had not ended.
    pub(crate) late: Vec<Late>,
    /// How it ended, in words.
    pub(crate) ending: String,
}

impl Fitted {
    /// Number of tables over two features.
    pub fn n_pairs(&self) -> usize {
        self.encoding.n_pairs()
    }

    /// Log-odds of the rows that it was fitted on.
    pub(crate) fn own_log_odds(
        &self,
        input: TrainInput<'_>,
        rows: &[usize],
    ) -> Result<Vec<f64>, TrainError> {
        match &self.native {
            Some((_, design)) => {
                let mut found = log_odds(design, None, &self.coefficients)?;
                found.truncate(rows.len());
                Ok(found)
            }
            None => self.log_odds(input, rows),
        }
    }

    /// Log-odds of rows of the matrix that it was fitted on.
    ///
    /// # Errors
    ///
    /// [`TrainError::Fit`] where there are no rows.
    pub fn log_odds(&self, input: TrainInput<'_>, rows: &[usize]) -> Result<Vec<f64>, TrainError> {
        let solver = if self.native.is_some() {
            SolverKind::Native
        } else {
            SolverKind::Linfa
        };
        EncodedRows::new(input, &self.encoding, rows, solver)?.log_odds(&self.coefficients)
    }
}

/// What a fit to the end over these rows is.
pub(crate) fn of_fit(
    fit: Fit,
    design: Design,
    encoding: Encoding,
    (penalty, prior): (Penalty, Penalty),
) -> Fitted {
    let certificate = &fit.certificate;
    let ending = format!(
        "native solver, {} over the rows, largest mean gradient {:.1e}, condition {:.1e}",
        counted(certificate.passes, "pass"),
        certificate.gradient,
        certificate.condition
    );
    Fitted {
        encoding,
        coefficients: fit.coefficients.clone(),
        penalty,
        prior,
        strengths: Vec::new(),
        native: Some((fit, design)),
        late: Vec::new(),
        ending,
    }
}
