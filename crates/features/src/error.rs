//! Why features cannot be computed.

use leadscore_core::{MatrixError, printable};

/// Why a matrix cannot be made of these tables.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// A feature needs a table or column that is not there.
    #[error(
        "feature `{}` needs {}, which this data lacks\n  hint: add it to the config or its file, or train a model without it",
        printable(feature),
        printable(needed)
    )]
    Missing {
        /// The feature.
        feature: String,
        /// What it needs.
        needed: String,
    },
    /// A feature needs numbers and finds categories, or the other way round.
    #[error(
        "feature `{}` was a {expected} when the model was trained, and is not one here\n  hint: look at the column's values",
        printable(feature)
    )]
    Kind {
        /// The feature.
        feature: String,
        /// What it was.
        expected: &'static str,
    },
    /// The columns do not make a matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}
