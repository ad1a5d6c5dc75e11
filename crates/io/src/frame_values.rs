//! What a frame in memory has in its cells: its first rows, the values of a column by their type,
//! ids in the type of another frame's.

use std::sync::Arc;

use leadscore_core::Timestamp;
use polars_core::prelude::DataType;

use crate::frame::Frame;
use crate::write::OutColumn;

impl Frame {
    /// The first rows.
    #[must_use]
    pub fn first_rows(&self, n_rows: usize) -> Self {
        Self {
            data: Arc::new(self.data.head(Some(n_rows))),
            unreadable: Arc::clone(&self.unreadable),
            has_exact_times: self.has_exact_times,
            row_names: self.row_names.clone(),
        }
    }

    /// The values of a column by their type; `None` where there is no such column. What is neither
    /// a number, a time nor a yes or no is text.
    pub fn values(&self, column: &str) -> Option<OutColumn> {
        let series = self.data.column(column).ok()?.as_materialized_series();
        if series.dtype().is_integer() {
            let whole = series.cast(&DataType::Int64).ok()?;
            // A number beyond 64 bits with a sign is one of floating-point.
            if whole.null_count() == series.null_count() {
                return Some(OutColumn::Integer(whole.i64().ok()?.iter().collect()));
            }
        }
        if series.dtype() == &DataType::Boolean && series.null_count() == 0 {
            let values = series.bool().ok()?.iter().flatten().collect();
            return Some(OutColumn::Boolean(values));
        }
        if let Some(micros) = self.micros(column) {
            let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
            return Some(OutColumn::Time(micros.into_iter().map(time).collect()));
        }
        match self.numbers(column) {
            Some(numbers) => Some(OutColumn::Number(numbers)),
            None => self.texts(column).map(OutColumn::Text),
        }
    }

    /// The values of a column of whole numbers of which one has no place in 64 bits with a sign;
    /// `None` of any other.
    pub fn unsigned(&self, column: &str) -> Option<Vec<Option<u64>>> {
        let series = self.data.column(column).ok()?.as_materialized_series();
        let numbers = series.u64().ok()?;
        numbers
            .iter()
            .flatten()
            .any(|number| i64::try_from(number).is_err())
            .then(|| numbers.iter().collect())
    }

    /// The same frame, its ids in a column of numbers where `other` has them in one: ids become
    /// text where they are read, so that 7 of one table finds "7" of another.
    #[must_use]
    pub fn with_ids_of(self, column: &str, other: &Self) -> Self {
        let Ok(wanted) = other.data.column(column) else {
            return self;
        };
        let is_text = self
            .data
            .column(column)
            .is_ok_and(|found| found.dtype() == &DataType::String);
        if !is_text || !wanted.dtype().is_primitive_numeric() {
            return self;
        }
        let mut data = self.data.as_ref().clone();
        let cast = data
            .column(column)
            .and_then(|ids| ids.strict_cast(wanted.dtype()))
            .and_then(|ids| data.with_column(ids).map(|_| ()));
        match cast {
            Ok(()) => Self {
                data: Arc::new(data),
                ..self
            },
            // Rows of other tables may have ids that are no numbers.
            Err(_) => self,
        }
    }
}
