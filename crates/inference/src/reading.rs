//! What coefficients read of a row of features, as data: so that rows can be encoded wherever they
//! are.

use crate::axis::Axis;

/// One number for a coefficient, or the choice of one among several coefficients.
///
/// A row's log-odds are the intercept, which is coefficient 0, plus what each reading adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its coefficient, or the first of those that it chooses from.
    pub first: usize,
    /// What it reads.
    pub rule: ReadingRule,
}

/// How a row is read.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadingRule {
    /// The coefficient times `(x − mean) / scale`, which is 0 where `x` is missing.
    Number {
        /// The column of the feature matrix.
        feature_idx: usize,
        /// Taken from the value.
        mean: f64,
        /// What the rest is divided by, above 0.
        scale: f64,
        /// What the value is moved into before.
        range: (f64, f64),
    },
    /// The coefficient where the value is missing.
    Missing {
        /// The column of the feature matrix.
        feature_idx: usize,
    },
    /// A coefficient for each cell.
    Cells(Axis),
    /// A coefficient for each level, then one for rare levels, one for missing, and one for levels
    /// never seen, which count as rare where there are rare ones.
    Levels {
        /// The column of the feature matrix.
        feature_idx: usize,
        /// The levels with a coefficient of their own, sorted.
        levels: Vec<String>,
        /// Whether some of the other levels are rare ones.
        has_rare: bool,
    },
    /// A coefficient for each cell of a table, row by row.
    Table {
        /// The rows of the table.
        first: Axis,
        /// Its columns.
        second: Axis,
    },
}

impl Reading {
    /// How many coefficients all of these read, with the intercept.
    pub fn n_coefficients(readings: &[Self]) -> usize {
        1 + readings
            .iter()
            .map(|reading| reading.rule.n_coefficients())
            .sum::<usize>()
    }
}

impl ReadingRule {
    /// Whether it multiplies its one coefficient, in place of choosing one.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::Missing { .. })
    }

    /// How many coefficients it reads.
    pub fn n_coefficients(&self) -> usize {
        match self {
            Self::Number { .. } | Self::Missing { .. } => 1,
            Self::Cells(axis) => axis.n_cells(),
            Self::Levels { levels, .. } => levels.len() + 3,
            Self::Table { first, second } => first.n_cells() * second.n_cells(),
        }
    }
}
