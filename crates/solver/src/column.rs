//! Where the values of a column come from: a number a row, or a code of a level.

use std::ops::Range;

use crate::error::SolverError;

/// Writes the values of a range of rows.
pub type Fill<'a, V> = Box<dyn Fn(Range<usize>, &mut [V]) + Sync + 'a>;

/// Where the values of a column come from.
pub enum Column<'a> {
    /// One coefficient: a finite number, best of mean 0 and standard deviation 1.
    Number(Fill<'a, f64>),
    /// One coefficient a level.
    Codes {
        /// Number of levels; codes are below it.
        n_levels: usize,
        /// Writes the codes of a range of rows.
        fill: Fill<'a, u32>,
    },
}

impl<'a> Column<'a> {
    /// A number of which all values are at hand.
    pub fn numbers(values: &'a [f64]) -> Self {
        Self::Number(Box::new(|rows, out| out.copy_from_slice(&values[rows])))
    }

    /// The rows of this column, `n_rows` of them, and those of another one of the same kind behind
    /// them.
    ///
    /// # Errors
    ///
    /// [`SolverError::Setting`] where one is a number and the other is not.
    pub fn then(self, n_rows: usize, other: Self) -> Result<Self, SolverError> {
        match (self, other) {
            (Self::Number(first), Self::Number(second)) => {
                Ok(Self::Number(one_behind_the_other(n_rows, first, second)))
            }
            (
                Self::Codes {
                    n_levels,
                    fill: first,
                },
                Self::Codes {
                    n_levels: others,
                    fill: second,
                },
            ) => Ok(Self::Codes {
                n_levels: n_levels.max(others),
                fill: one_behind_the_other(n_rows, first, second),
            }),
            _ => Err(SolverError::Setting {
                name: "column",
                found: "a number and a category".to_owned(),
                expected: "two of a kind",
            }),
        }
    }

    /// A category of which all codes are at hand.
    pub fn codes(n_levels: usize, codes: &'a [u32]) -> Self {
        Self::Codes {
            n_levels,
            fill: Box::new(|rows, out| out.copy_from_slice(&codes[rows])),
        }
    }
}

fn one_behind_the_other<'a, T: 'a>(
    n_rows: usize,
    first: Fill<'a, T>,
    second: Fill<'a, T>,
) -> Fill<'a, T> {
    Box::new(move |rows, out| {
        let n_here = n_rows.clamp(rows.start, rows.end) - rows.start;
        let (here, there) = out.split_at_mut(n_here);
        if !here.is_empty() {
            first(rows.start..rows.start + n_here, here);
        }
        if !there.is_empty() {
            second(rows.start.max(n_rows) - n_rows..rows.end - n_rows, there);
        }
    })
}
