//! Why there is no early read.

/// Input that cannot be read, or a chance that cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum EarlyError {
    /// Columns of different length.
    #[error("the column {what} has {found} rows: expected {expected}, as many as `week`")]
    Length {
        /// Which column.
        what: String,
        /// Its length.
        found: usize,
        /// Number of weeks.
        expected: usize,
    },
    /// A number that is NaN, infinite, or below what it can be.
    #[error("{what} of row {row} is {found}: expected {expected}")]
    Number {
        /// Which column.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The number.
        found: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// A code that has no level.
    #[error("the segment {name} of row {row} has code {found}: expected one below {n_levels}")]
    Code {
        /// Name of the segmentation.
        name: String,
        /// The row, from 0.
        row: usize,
        /// The code.
        found: u32,
        /// Number of levels.
        n_levels: usize,
    },
    /// Segments that were not known in the reference.
    #[error(
        "the segment {name} is not one of the reference\n  hint: give the reference and the monitored weeks the same segmentations and levels"
    )]
    Segmentation {
        /// Name of the segmentation.
        name: String,
    },
    /// A week in the reference and among the monitored ones.
    #[error(
        "week {first_monitored} is monitored, and the reference ends with week {last_reference}: a week cannot be in both\n  hint: end the reference before the first week that is monitored"
    )]
    Overlap {
        /// Last week of the reference.
        last_reference: u32,
        /// First week that is monitored.
        first_monitored: u32,
    },
    /// More rows than a row number can name.
    #[error("{found} rows: expected fewer than 4,294,967,296")]
    TooMany {
        /// Number of rows.
        found: usize,
    },
    /// A setting outside of its range.
    #[error("`{name}` is {found}: expected {expected}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What was given.
        found: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// A count that is too small.
    #[error("`{name}` is {found}: expected {least} or more")]
    Count {
        /// Which.
        name: &'static str,
        /// What was given.
        found: usize,
        /// The smallest.
        least: usize,
    },
    /// The weekly chance was not fitted.
    #[error("the weekly chance cannot be fitted")]
    Solver(#[from] leadscore_solver::SolverError),
}

impl EarlyError {
    pub(crate) fn setting(name: &'static str, found: f64, expected: &'static str) -> Self {
        Self::Setting {
            name,
            found,
            expected,
        }
    }
}
