//! The forms that a model takes for other programs, and why it may not take them.

#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "pmml")]
mod pmml;

use leadscore_core::LeftOut;
use thiserror::Error;

use crate::model::Model;

/// Why a model cannot be written as ONNX.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OnnxError {
    /// An input with the name of an output.
    #[error(
        "a feature is called `{0}`, as an output of the graph is\n  hint: rename the column in your tables and train again"
    )]
    Output(String),
    /// A graph has no missing texts, so that the empty text stands for them.
    #[error(
        "the feature `{0}` has an empty text as a level of its own, and in ONNX the empty text is a missing one\n  hint: let it be missing in your tables, and train again"
    )]
    EmptyLevel(String),
    /// The build has no part that writes it.
    #[error(transparent)]
    LeftOut(#[from] LeftOut),
}

/// Why a model cannot be written as PMML.
#[derive(Debug, Error)]
pub enum PmmlError {
    /// XML has no way to write it.
    #[error(
        "PMML cannot represent {text:?}, because XML has no way to keep its control characters\n  hint: replace them in your tables and train again, or use `export onnx`"
    )]
    Character {
        /// A level, or the name of a feature.
        text: String,
    },
    /// A field with the name of an output.
    #[error(
        "a feature is called `{0}`, as an output of the PMML is\n  hint: rename the column in your tables and train again"
    )]
    Output(String),
    /// Writing failed.
    #[error("cannot write PMML")]
    Io(#[from] std::io::Error),
    /// The build has no part that writes it.
    #[error(transparent)]
    LeftOut(#[from] LeftOut),
}

impl Model {
    /// The model as the bytes of an ONNX file.
    ///
    /// It has an input for each feature by name, of shape `(rows, 1)`: 64-bit floats with NaN for
    /// missing, or texts with the empty text for missing. Its outputs are `log_odds` and
    /// `likelihood_to_close` (0 to 100), of the same shape. A model that reads no feature has one
    /// input, `any`, of 64-bit floats, whose values do not matter: it says how many rows there are.
    ///
    /// # Errors
    ///
    /// [`OnnxError`] where a feature has the name of an output, or the empty text as a level, or where the
    /// build has no ONNX.
    pub fn to_onnx(&self) -> Result<Vec<u8>, OnnxError> {
        #[cfg(feature = "onnx")]
        return self.onnx_bytes();
        #[cfg(not(feature = "onnx"))]
        Err(LeftOut::Onnx.into())
    }

    /// The model as the text of a PMML 4.4 file.
    ///
    /// It has a data field for each feature that it reads, by name: doubles or strings, either may
    /// be missing. Each term is a derived field in log-odds; a regression model with a logit link
    /// has their sum as its one predictor. Outputs are `log_odds` and `likelihood_to_close` (0 to
    /// 100). Schema: <https://dmg.org/pmml/v4-4-1/GeneralStructure.html>.
    ///
    /// # Errors
    ///
    /// [`PmmlError::Character`] where a level or a name has a control character;
    /// [`PmmlError::Output`] where a feature is called as an output is;
    /// [`PmmlError::LeftOut`] where the build has no PMML.
    pub fn to_pmml(&self) -> Result<String, PmmlError> {
        #[cfg(feature = "pmml")]
        return self.pmml_text();
        #[cfg(not(feature = "pmml"))]
        Err(LeftOut::Pmml.into())
    }
}
