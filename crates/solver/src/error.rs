//! Why there is no fit.

/// Data that cannot be fitted, or a fit that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SolverError {
    /// Nothing to fit on.
    #[error("there is no row to fit on")]
    NoRows,
    /// Slices of different length.
    #[error("the length of {what} is {found}: expected {expected}")]
    Length {
        /// Which.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Number of rows.
        expected: usize,
    },
    /// A number that is NaN or infinite.
    #[error(
        "{what} is {found} in row {row}: expected a finite number\n  hint: replace missing values before"
    )]
    NotFinite {
        /// Which column.
        what: String,
        /// Row, from 0.
        row: usize,
        /// The number.
        found: f64,
    },
    /// A weight below 0.
    #[error("the weight of row {row} is {found}: expected 0 or more")]
    NegativeWeight {
        /// Row, from 0.
        row: usize,
        /// The weight.
        found: f64,
    },
    /// A code outside of its column's levels.
    #[error("column {column} has code {found} in row {row}: expected one below {n_levels}")]
    Code {
        /// Column, from 0.
        column: usize,
        /// Row, from 0.
        row: usize,
        /// The code.
        found: u32,
        /// Number of levels.
        n_levels: usize,
    },
    /// A matrix that would not fit in memory.
    #[error(
        "{n_coefficients} coefficients beside the widest column: expected at most 20,000, or their second derivatives would not fit in memory\n  hint: join rare levels"
    )]
    TooWide {
        /// Number of coefficients.
        n_coefficients: usize,
    },
    /// More rows than a row number can name.
    #[error("{found} rows: expected fewer than 4,294,967,296")]
    TooMany {
        /// Number of rows.
        found: usize,
    },
    /// Only wins with a weight, or none.
    #[error("every row with a weight is labelled {label}: a fit needs both labels")]
    OneClass {
        /// The only label.
        label: bool,
    },
    /// A setting outside of its range.
    #[error("{name} is {found}: expected {expected}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What was given.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Columns that say the same thing, without a penalty to choose between them.
    #[error(
        "coefficient {coefficient} is not determined: its column is constant or a sum of others\n  hint: leave it out or give it a penalty"
    )]
    Undetermined {
        /// Its number; 0 is the intercept.
        coefficient: usize,
    },
    /// Labels that one column tells without an error, so that its coefficient would grow for ever.
    #[error(
        "column {column} tells the labels apart without an error: its coefficient has no finite optimum\n  hint: give it a penalty, or leave it out if it knows the outcome"
    )]
    Separated {
        /// Column, from 0 in the order of the design.
        column: usize,
    },
    /// Labels that several columns together tell without an error.
    #[error(
        "columns {columns:?} together tell the labels apart without an error: their coefficients have no finite optimum\n  hint: give them a penalty, or leave out what knows the outcome"
    )]
    SeparatedTogether {
        /// Columns, from 0 in the order of the design, those with the largest coefficients first.
        columns: Vec<usize>,
    },
    /// The optimum was not reached.
    #[error(
        "the fit has not converged: after {passes} passes over the data the largest gradient a row is {gradient:.2e}, above {tolerance:.0e}\n  hint: a larger penalty helps, and so does leaving out columns that say the same thing"
    )]
    NotConverged {
        /// Passes over the data.
        passes: usize,
        /// Largest absolute entry of the gradient of the mean objective.
        gradient: f64,
        /// What it should be at most.
        tolerance: f64,
    },
    /// Tiles that could not be written, or not be read again.
    #[error("tiles on disk: {0}; is there room in that folder?")]
    Disk(#[from] std::io::Error),
    /// linfa's own.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
