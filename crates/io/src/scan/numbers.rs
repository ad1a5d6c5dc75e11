//! Columns as numbers: all cells of a column in one writing.

use leadscore_config::{Doubt, Subject};
use leadscore_values::{self, NumberCensus, NumberFormat, NumberVerdict, PointRole};
use polars_core::prelude::DataType;

use super::raw::{Cells, RawTable};
use super::table::Table;
use crate::error::TablesError;
use crate::extremes::Extremes;
use crate::number_doubts;

impl RawTable<'_> {
    /// The column as numbers, NaN where missing.
    ///
    /// Texts are numbers of one writing: as programs write them, or as all cells of the whole
    /// column agree on.
    pub(crate) fn numbers(&self, column: &str) -> Result<Vec<f64>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells
            && let Some(numbers) = rows.numbers(column)
        {
            return Ok(numbers);
        }
        let values = self.numbers_of_files(column)?;
        if !self.is_part() {
            self.count_missing(column, values.iter().filter(|value| value.is_nan()).count());
            let extremes = Extremes::of(&values, |row| self.row_in_table(row));
            self.table.written.add_extremes(column, extremes);
        }
        Ok(values)
    }

    fn numbers_of_files(&self, column: &str) -> Result<Vec<f64>, TablesError> {
        let listed: Vec<f64> = self
            .listed_nulls(column)
            .iter()
            .filter_map(|null| null.parse().ok())
            .collect();
        let style = self.table.file.style_of(column);
        let known = self.table.written.number_format(column);
        if let Some(format) = known.filter(|format| *format != NumberFormat::PLAIN) {
            return self.numbers_written(column, format);
        }
        let mut values = Vec::with_capacity(self.n_rows);
        // Whether some cell is none as programs write them, or every point could as well part
        // thousands.
        let (mut is_odd, mut n_points, mut n_either) = (style.is_some(), 0_usize, 0_usize);
        if matches!(self.cells, Cells::Spilled(_)) || self.is_text(column) {
            self.for_each_text(column, |_, text| {
                values.push(match text.map(leadscore_values::plain_number) {
                    None => f64::NAN,
                    Some(Some((value, point))) => {
                        n_points += usize::from(point != PointRole::None);
                        n_either += usize::from(point == PointRole::Either);
                        value
                    }
                    Some(None) => {
                        is_odd = true;
                        f64::NAN
                    }
                });
                Ok(())
            })?;
            is_odd |= known.is_none() && n_either > 0 && n_either == n_points;
        } else {
            for series in self.series(column) {
                let floats = series
                    .cast(&DataType::Float64)
                    .map_err(|error| self.engine_error(error))?;
                let floats = floats.f64().map_err(|error| self.engine_error(error))?;
                values.extend(floats.iter().map(|value| {
                    value
                        .filter(|value| !listed.contains(value))
                        .unwrap_or(f64::NAN)
                }));
            }
            is_odd = false;
        }
        if is_odd {
            let format = self.table.number_format(column)?;
            return self.numbers_written(column, format);
        }
        if let Some(row) = values.iter().position(|value| value.is_infinite()) {
            return Err(self.cell_error(
                row,
                column,
                "the number is infinite".to_owned(),
                "expected a finite number; list it under `null_values` if it means missing",
            ));
        }
        Ok(values)
    }

    fn numbers_written(&self, column: &str, format: NumberFormat) -> Result<Vec<f64>, TablesError> {
        let mut values = Vec::with_capacity(self.n_rows);
        self.for_each_text(column, |row, text| {
            values.push(match text {
                None => f64::NAN,
                Some(text) => format
                    .parse(text)
                    .filter(|value| value.is_finite())
                    .ok_or_else(|| {
                        self.cell_error(
                            row,
                            column,
                            format!("`{text}` is not a number written like the others"),
                            "correct the cell, or list it under `null_values` if it means missing",
                        )
                    })?,
            });
            Ok(())
        })?;
        Ok(values)
    }

    /// Adds what the cells of a column say about its numbers.
    pub(crate) fn count_numbers(
        &self,
        column: &str,
        census: &mut NumberCensus,
    ) -> Result<(), TablesError> {
        self.for_each_text(column, |row, text| {
            if let Some(text) = text {
                census.add(text, self.row_in_table(row));
            }
            Ok(())
        })
    }
}

impl Table<'_> {
    /// How the numbers of a whole column are written.
    pub(crate) fn number_format(&self, column: &str) -> Result<NumberFormat, TablesError> {
        if let Some(known) = self.written.number_format(column) {
            return Ok(known);
        }
        let mut census = NumberCensus::default();
        self.read(&[column])?.count_numbers(column, &mut census)?;
        self.settle_numbers(column, &census)
    }

    /// The same by what all cells say.
    pub(crate) fn settle_numbers(
        &self,
        column: &str,
        census: &NumberCensus,
    ) -> Result<NumberFormat, TablesError> {
        let declared = self.file.style_of(column).and_then(|style| style.format());
        let verdict = census.verdict_of_numbers(
            declared,
            self.file
                .style_of(column)
                .is_some_and(|style| style.has_negative_parentheses()),
        );
        match verdict {
            NumberVerdict::Numbers(format) => {
                let Some(sample) = census.stranger_to(format) else {
                    return Ok(self.remember_numbers(column, format));
                };
                let found = format!(
                    "`{}` is not written as the config declares the numbers of this column",
                    sample.text
                );
                let doubt = Doubt::new(Subject::Numbers, &self.name, found)
                    .of_column(column)
                    .at(Some(self.place(sample.row)));
                Err(doubt
                    .advise("correct the cell, or the config (`decimal_comma`, `types`)")
                    .into())
            }
            other
            @ (NumberVerdict::Words | NumberVerdict::Unclear(_) | NumberVerdict::Mixed(_)) => {
                Err(number_doubts::doubt(self, column, &other, true).into())
            }
        }
    }

    pub(crate) fn remember_numbers(&self, column: &str, format: NumberFormat) -> NumberFormat {
        self.written.keep_number_format(column, format);
        format
    }
}
