//! The feature matrix: a row a snapshot, a column a feature, with names, units and levels beside
//! it.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView1, Axis, ShapeBuilder};

use crate::{FeatureKind, FeatureSpec, Snapshot, counted, printable};

/// Values of every feature at every snapshot.
///
/// # Shapes
///
/// `values` is `(n_snapshots, n_features)` with contiguous columns (Fortran order). Numbers are
/// finite or NaN where missing. A category holds the index of its level in `levels`, or NaN where
/// missing; `levels` of a number is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    keys: Vec<Snapshot>,
    specs: Vec<FeatureSpec>,
    levels: Vec<Vec<String>>,
    values: Array2<f64>,
}

/// Why parts do not make a matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// A column is longer or shorter than the key.
    #[error(
        "feature `{}` has {}, expected {expected}",
        printable(feature),
        counted(*found, "row")
    )]
    Length {
        /// The feature.
        feature: String,
        /// Rows of the column.
        found: usize,
        /// Rows of the key.
        expected: usize,
    },
    /// An infinite value, which no model can weigh.
    #[error(
        "feature `{}` is infinite in row {row}\n  hint: replace the value at its source, or list it under null_values",
        printable(feature)
    )]
    Infinite {
        /// The feature.
        feature: String,
        /// The row of the matrix, from 0.
        row: usize,
    },
}

/// A value of one cell.
#[derive(Debug, Clone, PartialEq)]
pub enum MatrixCell {
    /// Of a number, NaN where missing.
    Number(f64),
    /// Of a category, `None` where missing.
    Level(Option<String>),
}

impl FeatureMatrix {
    /// Assembles a matrix from its columns.
    ///
    /// # Errors
    ///
    /// [`MatrixError::Length`] if a column does not fit the key, [`MatrixError::Infinite`] if a
    /// value is infinite.
    pub fn new(
        keys: Vec<Snapshot>,
        columns: Vec<(FeatureSpec, Vec<String>, Vec<f64>)>,
    ) -> Result<Self, MatrixError> {
        let mut buffer = Vec::with_capacity(keys.len() * columns.len());
        let mut named = Vec::with_capacity(columns.len());
        for (spec, levels, values) in columns {
            if values.len() != keys.len() {
                return Err(MatrixError::Length {
                    feature: spec.name,
                    found: values.len(),
                    expected: keys.len(),
                });
            }
            buffer.extend_from_slice(&values);
            named.push((spec, levels));
        }
        Self::from_buffer(keys, named, buffer)
    }

    /// Assembles a matrix from all its columns, one after the other.
    ///
    /// # Errors
    ///
    /// [`MatrixError::Infinite`] if a value is infinite.
    ///
    /// # Panics
    ///
    /// Where the buffer has not one value for each key and column.
    pub fn from_buffer(
        keys: Vec<Snapshot>,
        columns: Vec<(FeatureSpec, Vec<String>)>,
        buffer: Vec<f64>,
    ) -> Result<Self, MatrixError> {
        let n_rows = keys.len();
        if let Some(position) = buffer.iter().position(|value| value.is_infinite()) {
            return Err(MatrixError::Infinite {
                feature: columns[position / n_rows].0.name.clone(),
                row: position % n_rows,
            });
        }
        let (specs, levels): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let values = Array2::from_shape_vec((n_rows, specs.len()).f(), buffer)
            .expect("the buffer has one value for each key and column");
        Ok(Self {
            keys,
            specs,
            levels,
            values,
        })
    }

    /// The snapshot of each row.
    pub fn keys(&self) -> &[Snapshot] {
        &self.keys
    }

    /// The recipe of each column.
    pub fn specs(&self) -> &[FeatureSpec] {
        &self.specs
    }

    /// The levels of a category column; empty for a number.
    pub fn levels(&self, feature_idx: usize) -> &[String] {
        &self.levels[feature_idx]
    }

    /// All values, `(n_snapshots, n_features)`, columns contiguous.
    pub fn values(&self) -> &Array2<f64> {
        &self.values
    }

    /// One column.
    pub fn column(&self, feature_idx: usize) -> ArrayView1<'_, f64> {
        self.values.column(feature_idx)
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.keys.len()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.specs.len()
    }

    /// The level of a category in a row, or `None` where it is missing.
    pub fn level(&self, row: usize, feature_idx: usize) -> Option<&str> {
        level_name(&self.levels[feature_idx], self.values[[row, feature_idx]])
    }

    /// The rows at these positions, in this order.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let mut buffer = Vec::with_capacity(rows.len() * self.n_features());
        for column in self.values.axis_iter(Axis(1)) {
            buffer.extend(rows.iter().map(|&row| column[row]));
        }
        Self {
            keys: rows.iter().map(|&row| self.keys[row]).collect(),
            specs: self.specs.clone(),
            levels: self.levels.clone(),
            values: Array2::from_shape_vec((rows.len(), self.n_features()).f(), buffer)
                .expect("one value for each row and column"),
        }
    }

    /// One row with other values: numbers, NaN where missing, or texts of categories, `None` where
    /// missing.
    ///
    /// # Panics
    ///
    /// Where a change is of the other kind than its column, or infinite.
    #[must_use]
    pub fn changed_row(&self, row: usize, changes: &[(usize, MatrixCell)]) -> Self {
        let mut changed = self.select_rows(&[row]);
        for (feature_idx, cell) in changes {
            let is_category = self.is_category(*feature_idx);
            changed.values[[0, *feature_idx]] = match cell {
                MatrixCell::Number(value) if !is_category && !value.is_infinite() => *value,
                MatrixCell::Level(level) if is_category => {
                    changed.levels[*feature_idx] = level.iter().cloned().collect();
                    if level.is_some() { 0.0 } else { f64::NAN }
                }
                MatrixCell::Number(_) | MatrixCell::Level(_) => {
                    panic!("a change of another kind than its column")
                }
            };
        }
        changed
    }

    /// The same rows in another order: row `order[i]` becomes row `i`. One column at a time is
    /// copied.
    ///
    /// # Panics
    ///
    /// Where `order` has not one entry for each row.
    #[must_use]
    pub fn reordered(mut self, order: &[usize]) -> Self {
        assert!(order.len() == self.n_rows(), "another number of rows");
        self.keys = order.iter().map(|&row| self.keys[row]).collect();
        for mut column in self.values.axis_iter_mut(Axis(1)) {
            let before = column.to_vec();
            column
                .iter_mut()
                .zip(order)
                .for_each(|(to, &row)| *to = before[row]);
        }
        self
    }

    /// The rows of matrices with the same columns, one matrix after the other; row `order[i]` of
    /// them becomes row `i`, with the key `keys[i]`.
    ///
    /// A category whose levels are the same everywhere keeps them; else it gets those of all, in
    /// order of name.
    ///
    /// # Panics
    ///
    /// Where there is no matrix, columns differ, or `keys` and `order` have not one entry for each
    /// row.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a category holds an index that was a usize"
    )]
    pub fn stack(parts: Vec<Self>, keys: Vec<Snapshot>, order: &[usize]) -> Self {
        let (n_rows, specs) = (keys.len(), parts[0].specs.clone());
        assert!(
            parts.iter().all(|part| part.specs == specs),
            "matrices of other columns"
        );
        assert!(
            order.len() == n_rows && parts.iter().map(Self::n_rows).sum::<usize>() == n_rows,
            "other rows than keys"
        );
        let levels: Vec<Vec<String>> = (0..specs.len())
            .map(|idx| levels_of_all(&parts, idx))
            .collect();
        let mut row_of = vec![0; n_rows];
        order
            .iter()
            .enumerate()
            .for_each(|(row, &from)| row_of[from] = row);
        let mut buffer = vec![f64::NAN; n_rows * specs.len()];
        let mut first = 0;
        // Each part is freed when its rows were copied.
        for part in parts {
            let rows = &row_of[first..first + part.n_rows()];
            first += part.n_rows();
            for ((idx, levels), column) in levels
                .iter()
                .enumerate()
                .zip(buffer.chunks_mut(n_rows.max(1)))
            {
                // Where levels differ, those of all are in order.
                let codes: Option<Vec<f64>> = (part.levels[idx] != *levels).then(|| {
                    part.levels[idx]
                        .iter()
                        .map(|level| levels.binary_search(level).expect("a level of all") as f64)
                        .collect()
                });
                let code_of = |value: f64| {
                    codes
                        .as_ref()
                        .filter(|_| !value.is_nan())
                        .map_or(value, |codes| codes[value as usize])
                };
                rows.iter()
                    .zip(part.values.column(idx))
                    .for_each(|(&row, &value)| column[row] = code_of(value));
            }
        }
        let values = Array2::from_shape_vec((n_rows, specs.len()).f(), buffer)
            .expect("one value for each row and column");
        Self {
            keys,
            specs,
            levels,
            values,
        }
    }

    /// Whether a column is a category.
    pub fn is_category(&self, feature_idx: usize) -> bool {
        self.specs[feature_idx].kind == FeatureKind::Category
    }

    /// Equal to the bit: NaN equals NaN of the same bits, and levels are equal too.
    pub fn bit_equal(&self, other: &Self) -> bool {
        self.keys == other.keys
            && self.specs == other.specs
            && self.levels == other.levels
            && self.values.shape() == other.values.shape()
            && self
                .values
                .iter()
                .zip(&other.values)
                .all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

fn levels_of_all(parts: &[FeatureMatrix], feature_idx: usize) -> Vec<String> {
    let first = &parts[0].levels[feature_idx];
    if parts.iter().all(|part| part.levels[feature_idx] == *first) {
        return first.clone();
    }
    let levels: BTreeSet<&String> = parts
        .iter()
        .flat_map(|part| &part.levels[feature_idx])
        .collect();
    levels.into_iter().cloned().collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a category holds an index that was a usize"
)]
fn level_name(levels: &[String], code: f64) -> Option<&str> {
    if code.is_nan() {
        None
    } else {
        levels.get(code as usize).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttributeTable, CalendarPart, FeatureSource, Timestamp, Unit};

    fn spec(name: &str, kind: FeatureKind, source: FeatureSource) -> FeatureSpec {
        FeatureSpec {
            name: name.to_owned(),
            kind,
            unit: if kind == FeatureKind::Number {
                Unit::AsGiven
            } else {
                Unit::Level
            },
            source,
        }
    }

    fn matrix(leads: &[u32], numbers: &[f64], levels: &[&str], codes: &[f64]) -> FeatureMatrix {
        let keys = leads
            .iter()
            .map(|&lead| Snapshot {
                lead,
                at: Timestamp::from_micros(5),
            })
            .collect();
        let attribute = |column: &str| FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: column.to_owned(),
        };
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        FeatureMatrix::new(
            keys,
            vec![
                (
                    spec("staff", FeatureKind::Number, attribute("staff")),
                    Vec::new(),
                    numbers.to_vec(),
                ),
                (
                    spec("industry", FeatureKind::Category, attribute("industry")),
                    names(levels),
                    codes.to_vec(),
                ),
                (
                    spec(
                        "weekday",
                        FeatureKind::Category,
                        FeatureSource::Snapshot(CalendarPart::Weekday),
                    ),
                    names(&["Monday", "Friday"]),
                    vec![1.0; leads.len()],
                ),
            ],
        )
        .expect("columns fit")
    }

    #[test]
    fn stacked_parts_are_the_matrix_of_all_rows() {
        let first = matrix(&[0, 1], &[1.0, f64::NAN], &["bank", "shop"], &[1.0, 0.0]);
        let none = matrix(&[], &[], &[], &[]);
        let second = matrix(
            &[0, 1, 2],
            &[3.0, 4.0, 5.0],
            &["farm", "shop"],
            &[0.0, f64::NAN, 1.0],
        );
        let whole = matrix(
            &[0, 1, 2, 3, 4],
            &[5.0, 1.0, 3.0, f64::NAN, 4.0],
            &["bank", "farm", "shop"],
            &[2.0, 2.0, 1.0, 0.0, f64::NAN],
        );
        let stacked = FeatureMatrix::stack(
            vec![first, none, second],
            whole.keys().to_vec(),
            &[4, 0, 2, 1, 3],
        );
        assert!(stacked.bit_equal(&whole), "{stacked:?}");
    }

    #[test]
    fn another_order_is_that_of_the_selected_rows() {
        let whole = matrix(
            &[0, 1, 2],
            &[5.0, f64::NAN, 3.0],
            &["bank", "shop"],
            &[1.0, f64::NAN, 0.0],
        );
        let order = [2, 0, 1];
        let changed = whole.changed_row(
            2,
            &[
                (0, MatrixCell::Number(9.0)),
                (1, MatrixCell::Level(Some("mill".to_owned()))),
                (2, MatrixCell::Level(None)),
            ],
        );
        assert_eq!(
            (
                changed.values()[[0, 0]],
                changed.level(0, 1),
                changed.level(0, 2)
            ),
            (9.0, Some("mill"), None)
        );
        assert!(
            whole
                .clone()
                .reordered(&order)
                .bit_equal(&whole.select_rows(&order))
        );
    }
}
