//! Some columns of a table in memory: cells as texts, numbers and times, each column in one
//! writing.

use hashbrown::HashMap;
use leadscore_core::{Precision, Stamp, Timestamp};
use polars::prelude::{ChunkAgg, DataFrame, DataType, Int64Chunked, Series, TimeUnit};

use super::part::{Batch, engine_error};
use super::{Bounds, Table};
use crate::doubt::{Doubt, Subject};
use crate::error::TablesError;
use crate::kinds::TimeKind;
use crate::sentinels::Extremes;
use crate::spill::SpilledRows;
use crate::time_faults::TimeFaults;
use crate::values::{
    self, EpochUnit, Nulls, NumberCensus, NumberFormat, NumberVerdict, PointRole, TimeFormat,
    Window, Workbook,
};

/// Some columns of a table, in memory.
pub(crate) struct RawTable<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) cells: Cells,
    /// Where cells hold several ids, the row that each was; else rows are those of the files.
    pub(super) rows: Option<Vec<u32>>,
    pub(crate) n_rows: usize,
}

/// The time of a cell that has none.
pub(crate) const NEVER: Timestamp = Timestamp::MIN;

/// Fewer midnights than this may be chance.
const FEWEST_MIDNIGHTS: usize = 20;
/// Cells that a format is recognised by.
const CELLS_RECOGNISED_BY: usize = 1_000;

pub(super) enum Cells {
    /// As the engine read them: one frame a file, or one batch of a file.
    Frames {
        frames: Vec<DataFrame>,
        batch: Option<Batch>,
    },
    /// Typed already.
    Spilled(SpilledRows),
}

impl RawTable<'_> {
    /// The row of the table that a row is.
    pub(crate) fn row_in_table(&self, row: usize) -> usize {
        let row = self.rows.as_ref().map_or(row, |rows| rows[row] as usize);
        match &self.cells {
            Cells::Frames { batch, .. } => batch.map_or(0, |batch| batch.first_row()) + row,
            Cells::Spilled(rows) => rows.row_in_table(row).unwrap_or(row),
        }
    }

    /// File and line (or row) of a row, for messages.
    pub(crate) fn place(&self, row: usize) -> String {
        match &self.cells {
            Cells::Spilled(rows) if rows.row_in_table(row).is_none() => {
                self.table.path().display().to_string()
            }
            _ => self.table.place(self.row_in_table(row)),
        }
    }

    pub(crate) fn cell_error(
        &self,
        row: usize,
        column: &str,
        found: String,
        help: &str,
    ) -> TablesError {
        TablesError::Cell {
            place: self.place(row),
            column: column.to_owned(),
            found,
            help: help.to_owned(),
        }
    }

    /// The name that the config gives the table.
    pub(crate) fn table_name(&self) -> &str {
        &self.table.name
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.table.bounds
    }

    /// Whether the config leaves it to us which cells of a column mean missing.
    pub(crate) fn has_default_nulls(&self, column: &str) -> bool {
        self.table
            .file
            .null_values
            .is_none_or(|values| values.of(column).is_none())
    }

    /// The column as the engine read it; nothing for rows that were spilled.
    fn series(&self, column: &str) -> impl Iterator<Item = &Series> {
        let frames = match &self.cells {
            Cells::Frames { frames, .. } => frames.as_slice(),
            Cells::Spilled(_) => &[],
        };
        frames.iter().map(move |frame| {
            frame
                .column(column)
                .expect("the column was asked for in read")
                .as_materialized_series()
        })
    }

    fn engine_error(&self, error: polars::error::PolarsError) -> TablesError {
        engine_error(self.table.path(), error)
    }

    fn nulls(&self, column: &str) -> Nulls<'_> {
        Nulls::new(self.table.file.nulls(column))
    }

    /// Markers of missing cells that the config lists, for columns whose cells are no texts.
    fn listed_nulls(&self, column: &str) -> Vec<&str> {
        if self.table.file.null_values.is_some() {
            self.table.file.nulls(column)
        } else {
            Vec::new()
        }
    }

    /// Whether the column holds texts, which may be numbers or times.
    pub(crate) fn is_text(&self, column: &str) -> bool {
        self.series(column).any(|series| {
            matches!(
                series.dtype(),
                DataType::String | DataType::Categorical(..) | DataType::Enum(..)
            )
        })
    }

    pub(crate) fn is_boolean(&self, column: &str) -> bool {
        self.series(column)
            .all(|series| matches!(series.dtype(), DataType::Boolean))
    }

    pub(crate) fn is_time(&self, column: &str) -> bool {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.is_time(column);
        }
        self.series(column)
            .all(|series| matches!(series.dtype(), DataType::Date | DataType::Datetime(..)))
    }

    /// Whether the column holds times of day, without a day.
    pub(crate) fn is_time_of_day(&self, column: &str) -> bool {
        self.series(column)
            .any(|series| matches!(series.dtype(), DataType::Time))
    }

    /// Whether the file is CSV, whose texts may be anything.
    pub(crate) fn is_untyped(&self) -> bool {
        self.table.parts.iter().any(|part| part.csv.is_some())
    }

    /// Calls `visit` with every cell as text, missing cells as `None`, blanks around it taken off.
    pub(crate) fn for_each_text(
        &self,
        column: &str,
        mut visit: impl FnMut(usize, Option<&str>) -> Result<(), TablesError>,
    ) -> Result<(), TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return rows.for_each_text(column, visit);
        }
        let nulls = self.nulls(column);
        let mut row = 0;
        for series in self.series(column) {
            match series.dtype() {
                // Whole numbers that a missing cell, or a type with decimals, once turned to
                // fractions read as whole numbers again.
                kind if kind.is_float() => {
                    let floats = series
                        .cast(&DataType::Float64)
                        .map_err(|error| self.engine_error(error))?;
                    for value in floats
                        .f64()
                        .map_err(|error| self.engine_error(error))?
                        .iter()
                    {
                        let text = value
                            .filter(|value| !value.is_nan())
                            .map(|value| value.to_string());
                        visit(row, text.as_deref().and_then(|text| nulls.clean(text)))?;
                        row += 1;
                    }
                    continue;
                }
                DataType::Decimal(_, scale) if *scale > 0 => {
                    let texts = series
                        .cast(&DataType::String)
                        .map_err(|error| self.engine_error(error))?;
                    for value in texts
                        .str()
                        .map_err(|error| self.engine_error(error))?
                        .iter()
                    {
                        let short = value.map(|text| {
                            if text.contains('.') {
                                text.trim_end_matches('0').trim_end_matches('.')
                            } else {
                                text
                            }
                        });
                        visit(row, short.and_then(|text| nulls.clean(text)))?;
                        row += 1;
                    }
                    continue;
                }
                _ => {}
            }
            let texts = series
                .cast(&DataType::String)
                .map_err(|error| self.engine_error(error))?;
            for value in texts
                .str()
                .map_err(|error| self.engine_error(error))?
                .iter()
            {
                visit(row, value.and_then(|text| nulls.clean(text)))?;
                row += 1;
            }
        }
        Ok(())
    }

    /// The cells of a text column without a copy, where the engine holds them as texts.
    pub(crate) fn borrowed_texts(&self, column: &str) -> Option<Vec<Option<&str>>> {
        let Cells::Frames { frames, .. } = &self.cells else {
            return None;
        };
        let nulls = self.nulls(column);
        let mut cells = Vec::with_capacity(self.n_rows);
        for frame in frames {
            let texts = frame
                .column(column)
                .ok()?
                .as_materialized_series()
                .str()
                .ok()?;
            cells.extend(
                texts
                    .iter()
                    .map(|cell| cell.and_then(|text| nulls.clean(text))),
            );
        }
        Some(cells)
    }

    /// Counts cells that say missing in words, such as `NA`.
    pub(crate) fn count_worded_nulls(&self, column: &str) -> Result<usize, TablesError> {
        let nulls = self.nulls(column);
        let mut count = 0;
        for series in self.series(column) {
            if let Ok(texts) = series.str() {
                count += texts
                    .iter()
                    .flatten()
                    .filter(|text| !text.trim().is_empty() && nulls.clean(text).is_none())
                    .count();
            }
        }
        Ok(count)
    }

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
            if let Ok(mut known) = self.table.written.extremes.lock() {
                known.entry(column.to_owned()).or_default().merge(extremes);
            }
        }
        Ok(values)
    }

    /// Rows of the files: where a cell holds several ids, one row may be many.
    pub(crate) fn n_rows_of_files(&self) -> usize {
        self.rows.as_ref().map_or(self.n_rows, |rows| {
            rows.last().map_or(0, |&last| last as usize + 1)
        })
    }

    /// Keeps how many cells of a column are missing.
    pub(crate) fn count_missing(&self, column: &str, n_missing: usize) {
        let Cells::Frames { batch, .. } = &self.cells else {
            return;
        };
        if batch.is_none()
            && let Ok(mut known) = self.table.written.missing.lock()
        {
            known.insert(column.to_owned(), n_missing);
        }
        if let Ok(mut known) = self.table.written.filled.lock() {
            *known.entry(column.to_owned()).or_default() |=
                self.n_rows == 0 || n_missing < self.n_rows;
        }
    }

    /// Keeps how often each value of a column of results stands there.
    pub(crate) fn count_levels(
        &self,
        column: &str,
        levels: std::collections::BTreeMap<String, u64>,
    ) {
        if let Cells::Frames { batch: None, .. } = &self.cells
            && let Ok(mut known) = self.table.written.levels.lock()
        {
            known.insert(column.to_owned(), levels);
        }
    }

    fn numbers_of_files(&self, column: &str) -> Result<Vec<f64>, TablesError> {
        let listed: Vec<f64> = self
            .listed_nulls(column)
            .iter()
            .filter_map(|null| null.parse().ok())
            .collect();
        let style = self.table.file.style_of(column);
        let known = self
            .table
            .written
            .numbers
            .lock()
            .ok()
            .and_then(|known| known.get(column).copied());
        if let Some(format) = known.filter(|format| *format != NumberFormat::PLAIN) {
            return self.numbers_written(column, format);
        }
        let mut values = Vec::with_capacity(self.n_rows);
        // Whether some cell is none as programs write them, or every point could as well part
        // thousands.
        let (mut is_odd, mut n_points, mut n_either) = (style.is_some(), 0_usize, 0_usize);
        if matches!(self.cells, Cells::Spilled(_)) || self.is_text(column) {
            self.for_each_text(column, |_, text| {
                values.push(match text.map(values::plain_number) {
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
                            format!("`{text}` is no number as the others are written"),
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

    /// The column as categories; levels sorted by name.
    pub(crate) fn spilled_codes(&self, column: &str) -> Option<(Vec<u32>, Vec<String>)> {
        match &self.cells {
            Cells::Spilled(rows) => rows.codes(column),
            Cells::Frames { .. } => None,
        }
    }

    /// From when each time of the column counts as known, [`NEVER`] where missing.
    pub(crate) fn known_times(&self, column: &str) -> Result<Vec<Timestamp>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok(rows.known_times(column));
        }
        if let Cells::Frames { frames, .. } = &self.cells
            && let [frame] = frames.as_slice()
            && let Ok(series) = frame.column(column)
            && matches!(
                series.dtype(),
                DataType::Datetime(TimeUnit::Microseconds, None)
            )
            && self.table.file.time_zone.is_none()
            && self.table.file.null_values.is_none()
        {
            // What warehouses mostly write needs no conversion, if it can be meant and does not
            // hold mere days.
            let whole = series
                .as_materialized_series()
                .cast(&DataType::Int64)
                .map_err(|error| self.engine_error(error))?;
            let whole = whole.i64().map_err(|error| self.engine_error(error))?;
            if all_within(whole, self.table.bounds.window)
                && !whole
                    .iter()
                    .flatten()
                    .all(|micros| micros % 86_400_000_000 == 0)
            {
                self.table.remember_days(column, false);
                self.count_missing(column, whole.null_count());
                return Ok(whole
                    .iter()
                    .map(|value| value.map_or(NEVER, Timestamp::from_micros))
                    .collect());
            }
        }
        Ok(self
            .times(column)?
            .into_iter()
            .map(|time| time.map_or(NEVER, |stamp| stamp.known))
            .collect())
    }

    /// The column as times, `None` where missing; what nobody can mean is a doubt.
    pub(crate) fn times(&self, column: &str) -> Result<Vec<Option<Stamp>>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok(rows.times(column));
        }
        let mut faults = TimeFaults::new(self.table.bounds);
        let times = self.stamps(column, &mut faults)?;
        if faults.is_empty() {
            self.count_missing(column, times.iter().filter(|time| time.is_none()).count());
            return self.as_days(column, times);
        }
        if matches!(self.cells, Cells::Frames { batch: Some(_), .. }) {
            // What one batch shows is seen in the whole column.
            return Err(self
                .table
                .read(&[column])?
                .times(column)
                .err()
                .unwrap_or_else(|| self.time_doubt(column, &faults).into()));
        }
        Err(self.time_doubt(column, &faults).into())
    }

    /// The same where the times of some rows do not matter: those that nobody can mean are counted,
    /// and missing.
    pub(crate) fn times_where(
        &self,
        column: &str,
        counts: impl Fn(usize) -> bool,
    ) -> Result<(Vec<Option<Stamp>>, usize), TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok((rows.times(column), 0));
        }
        let mut faults = TimeFaults::of_rows(self.table.bounds, &counts);
        let times = self.stamps(column, &mut faults)?;
        if faults.is_empty() {
            let n_idle = faults.n_idle();
            // A row whose time does not matter lacks none; where all others do, none is there.
            let (n_counting, n_there) = times
                .iter()
                .enumerate()
                .filter(|(row, _)| counts(*row))
                .fold((0, 0), |(n, there), (_, time)| {
                    (n + 1, there + usize::from(time.is_some()))
                });
            self.count_missing(
                column,
                if n_counting > 0 && n_there == 0 {
                    self.n_rows
                } else {
                    n_counting - n_there
                },
            );
            return Ok((self.as_days(column, times)?, n_idle));
        }
        Err(self.time_doubt(column, &faults).into())
    }

    fn time_doubt(&self, column: &str, faults: &TimeFaults<'_>) -> Doubt {
        let table = self.table;
        let format = table
            .written
            .times
            .lock()
            .ok()
            .and_then(|known| known.get(column).cloned());
        let place = faults.first_row().map(|row| self.place(row));
        faults
            .doubt(
                &table.name,
                column,
                &table.file,
                format.as_ref(),
                self.n_rows,
            )
            .at(place)
    }

    /// Times in the format of the column; those that are none, or that nobody can mean, are missing
    /// and go to the faults.
    fn stamps(
        &self,
        column: &str,
        faults: &mut TimeFaults<'_>,
    ) -> Result<Vec<Option<Stamp>>, TablesError> {
        let zone = self.table.file.time_zone;
        let window = self.table.bounds.window;
        let mut format = self
            .table
            .written
            .times
            .lock()
            .ok()
            .and_then(|known| known.get(column).cloned())
            .or_else(|| self.table.file.format_of(column));
        let nulls = self.nulls(column);
        let listed: Vec<Timestamp> = self
            .listed_nulls(column)
            .iter()
            .filter_map(|null| Timestamp::parse_iso(null))
            .map(|(at, _, _)| at)
            .collect();
        let listed_numbers: Vec<i64> = self
            .listed_nulls(column)
            .iter()
            .filter_map(|null| null.parse().ok())
            .collect();
        let mut times: Vec<Option<Stamp>> = Vec::with_capacity(self.n_rows);
        let checked =
            |row: usize, stamp: Stamp, faults: &mut TimeFaults<'_>, text: &dyn Fn() -> String| {
                if window.contains(stamp.start) {
                    return Some(stamp);
                }
                faults.outside(row, &text(), stamp.start)
            };
        for series in self.series(column) {
            match series.dtype() {
                DataType::Date | DataType::Datetime(..) => {
                    let (unit, precision, zone) = match series.dtype() {
                        DataType::Datetime(unit, zoned) => (
                            Some(*unit),
                            Precision::Instant,
                            if zoned.is_some() { None } else { zone },
                        ),
                        _ => (None, Precision::Day, zone),
                    };
                    let whole = series
                        .cast(&DataType::Int64)
                        .map_err(|error| self.engine_error(error))?;
                    let whole = whole.i64().map_err(|error| self.engine_error(error))?;
                    if unit == Some(TimeUnit::Microseconds)
                        && zone.is_none()
                        && listed.is_empty()
                        && all_within(whole, window)
                    {
                        times.extend(whole.iter().map(|value| {
                            value.map(|micros| {
                                Stamp::new(Timestamp::from_micros(micros), Precision::Instant)
                            })
                        }));
                        continue;
                    }
                    for value in whole.iter() {
                        let micros = value.map(|value| match unit {
                            None => value.saturating_mul(86_400_000_000),
                            Some(TimeUnit::Nanoseconds) => value.div_euclid(1_000),
                            Some(TimeUnit::Microseconds) => value,
                            Some(TimeUnit::Milliseconds) => value.saturating_mul(1_000),
                        });
                        let at = micros.map(|micros| {
                            Timestamp::from_micros(
                                micros.clamp(Timestamp::MIN.micros(), Timestamp::MAX.micros()),
                            )
                        });
                        let at = at.filter(|at| !listed.contains(at));
                        let row = times.len();
                        times.push(at.and_then(|at| {
                            // Far outside of what a calendar knows no zone can be applied.
                            let stamp = if window.contains(at) {
                                values::stamp(at, precision, zone)
                            } else {
                                Stamp::new(at, Precision::Instant)
                            };
                            checked(row, stamp, faults, &|| at.to_string())
                        }));
                    }
                }
                kind if kind.is_integer()
                    && !matches!(format, Some(TimeFormat::Strftime(_) | TimeFormat::Excel(_))) =>
                {
                    let whole = series
                        .cast(&DataType::Int64)
                        .map_err(|error| self.engine_error(error))?;
                    let whole = whole.i64().map_err(|error| self.engine_error(error))?;
                    if format.is_none() {
                        let some: Vec<String> = whole
                            .iter()
                            .flatten()
                            .filter(|number| !listed_numbers.contains(number))
                            .take(CELLS_RECOGNISED_BY)
                            .map(|number| number.to_string())
                            .collect();
                        format = TimeFormat::recognise(
                            some.iter().map(String::as_str),
                            zone,
                            self.table.bounds.usual,
                        );
                    }
                    for value in whole.iter() {
                        let row = times.len();
                        times.push(
                            value
                                .filter(|value| !listed_numbers.contains(value))
                                .and_then(|value| {
                                    match format.as_ref().and_then(|format| format.of_number(value))
                                    {
                                        Some(stamp) => {
                                            checked(row, stamp, faults, &|| value.to_string())
                                        }
                                        None => faults.unread(row, &value.to_string()),
                                    }
                                }),
                        );
                    }
                }
                kind if kind.is_float() && matches!(format, Some(TimeFormat::Excel(_))) => {
                    let Some(TimeFormat::Excel(workbook)) = format else {
                        unreachable!("just looked")
                    };
                    self.serials(
                        series,
                        workbook,
                        &listed_numbers,
                        &mut times,
                        faults,
                        &checked,
                    )?;
                }
                _ => {
                    if format.is_none() {
                        format = self.recognise(column, &nulls, zone)?;
                    }
                    self.texts_of(series, |text| {
                        let row = times.len();
                        times.push(text.and_then(|text| nulls.clean(text)).and_then(|text| {
                            match format.as_ref().map(|format| format.parse(text, zone)) {
                                Some(Ok(stamp)) => checked(row, stamp, faults, &|| text.to_owned()),
                                Some(Err(values::NoTime::Zone(name))) => {
                                    faults.zone(row, text, &name)
                                }
                                Some(Err(values::NoTime::Written)) | None => {
                                    faults.unread(row, text)
                                }
                            }
                        }));
                    })?;
                }
            }
        }
        if let (Some(format), Ok(mut known)) = (format, self.table.written.times.lock()) {
            known.insert(column.to_owned(), format);
        }
        Ok(times)
    }

    #[expect(clippy::type_complexity, reason = "the check of one loop above")]
    fn serials(
        &self,
        series: &Series,
        workbook: Workbook,
        listed: &[i64],
        times: &mut Vec<Option<Stamp>>,
        faults: &mut TimeFaults<'_>,
        checked: &dyn Fn(usize, Stamp, &mut TimeFaults<'_>, &dyn Fn() -> String) -> Option<Stamp>,
    ) -> Result<(), TablesError> {
        let floats = series
            .cast(&DataType::Float64)
            .map_err(|error| self.engine_error(error))?;
        for value in floats
            .f64()
            .map_err(|error| self.engine_error(error))?
            .iter()
        {
            let row = times.len();
            let value = value.filter(|value| {
                !value.is_nan() && !listed.iter().any(|null| *null as f64 == *value)
            });
            times.push(
                value.and_then(|value| match values::serial_to_stamp(value, workbook) {
                    Some(stamp) => checked(row, stamp, faults, &|| value.to_string()),
                    None => faults.unread(row, &value.to_string()),
                }),
            );
        }
        Ok(())
    }

    /// Cells of one series as texts, whole numbers without a fraction.
    fn texts_of(
        &self,
        series: &Series,
        mut visit: impl FnMut(Option<&str>),
    ) -> Result<(), TablesError> {
        if series.dtype().is_float() {
            let floats = series
                .cast(&DataType::Float64)
                .map_err(|error| self.engine_error(error))?;
            for value in floats
                .f64()
                .map_err(|error| self.engine_error(error))?
                .iter()
            {
                visit(
                    value
                        .filter(|value| !value.is_nan())
                        .map(|value| value.to_string())
                        .as_deref(),
                );
            }
            return Ok(());
        }
        let texts = series
            .cast(&DataType::String)
            .map_err(|error| self.engine_error(error))?;
        texts
            .str()
            .map_err(|error| self.engine_error(error))?
            .iter()
            .for_each(visit);
        Ok(())
    }

    /// The format that most of the first cells are written in.
    fn recognise(
        &self,
        column: &str,
        nulls: &Nulls<'_>,
        zone: Option<chrono_tz::Tz>,
    ) -> Result<Option<TimeFormat>, TablesError> {
        let mut some: Vec<String> = Vec::new();
        for series in self.series(column) {
            let left = CELLS_RECOGNISED_BY.saturating_sub(some.len());
            // Cells may be missing: as many again are looked at.
            let head = series.head(Some(20 * CELLS_RECOGNISED_BY));
            self.texts_of(&head, |text| {
                if let Some(text) = text.and_then(|text| nulls.clean(text))
                    && some.len() < CELLS_RECOGNISED_BY
                {
                    some.push(text.to_owned());
                }
            })?;
            if left == 0 {
                break;
            }
        }
        Ok(TimeFormat::recognise(
            some.iter().map(String::as_str),
            zone,
            self.table.bounds.usual,
        ))
    }

    /// Where every time of the whole column is a midnight, the times are days.
    fn as_days(
        &self,
        column: &str,
        times: Vec<Option<Stamp>>,
    ) -> Result<Vec<Option<Stamp>>, TablesError> {
        if !times
            .iter()
            .flatten()
            .all(|stamp| self.is_midnight(column, *stamp))
        {
            self.table.remember_days(column, false);
            return Ok(times);
        }
        if times
            .iter()
            .flatten()
            .all(|stamp| stamp.start != stamp.known)
            || !self.table.holds_days(column, self)?
        {
            return Ok(times);
        }
        let zone = self.zone_of(column);
        let day = |stamp: Stamp| {
            if stamp.start == stamp.known {
                end_of_local_day(stamp.start, zone)
            } else {
                stamp
            }
        };
        Ok(times.into_iter().map(|time| time.map(day)).collect())
    }

    /// Whether an instant is the beginning of a day where it was written; a date is none of an
    /// instant.
    fn is_midnight(&self, column: &str, stamp: Stamp) -> bool {
        if stamp.start != stamp.known {
            return true;
        }
        match self.zone_of(column) {
            None => stamp.start.micros() % 86_400_000_000 == 0,
            Some(zone) => end_of_local_day(stamp.start, Some(zone)).start == stamp.start,
        }
    }

    /// The zone that midnights of a column are of.
    fn zone_of(&self, column: &str) -> Option<chrono_tz::Tz> {
        let typed = self.series(column).find_map(|series| match series.dtype() {
            DataType::Datetime(_, Some(zone)) => Some(zone.to_string()),
            _ => None,
        });
        match typed {
            Some(name) => name.parse().ok(),
            None => self.table.file.time_zone,
        }
    }

    /// What a time column holds, by these rows: dates only where every one of them is a date.
    pub(crate) fn time_kind(&self, column: &str) -> Result<TimeKind, TablesError> {
        let times = self.times(column)?;
        let format = self
            .table
            .written
            .times
            .lock()
            .ok()
            .and_then(|known| known.get(column).cloned());
        let all_dates = times.iter().any(Option::is_some)
            && times
                .iter()
                .flatten()
                .all(|stamp| stamp.start != stamp.known);
        Ok(match format {
            Some(TimeFormat::Epoch(EpochUnit::Seconds)) => TimeKind::EpochSeconds,
            Some(TimeFormat::Epoch(EpochUnit::Millis)) => TimeKind::EpochMillis,
            Some(TimeFormat::Epoch(EpochUnit::Micros)) => TimeKind::EpochMicros,
            Some(TimeFormat::Epoch(EpochUnit::Nanos)) => TimeKind::EpochNanos,
            _ if all_dates => TimeKind::Date,
            _ => TimeKind::Instant,
        })
    }

    /// The place of a row of the table.
    pub(crate) fn place_of(&self, row: usize) -> String {
        self.table.place(row)
    }

    /// Whether these rows are those of one part of the leads.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self.cells, Cells::Spilled(_))
    }

    /// The same in all rows of the table, of which these may be a batch.
    pub(crate) fn count_texts_of_all(
        &self,
        column: &str,
    ) -> Result<HashMap<String, (usize, usize)>, TablesError> {
        match self.cells {
            Cells::Frames { batch: Some(_), .. } => self.table.read(&[column])?.count_texts(column),
            _ => self.count_texts(column),
        }
    }

    /// How many times each text stands in a column, with the first row.
    pub(crate) fn count_texts(
        &self,
        column: &str,
    ) -> Result<HashMap<String, (usize, usize)>, TablesError> {
        let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
        self.for_each_text(column, |row, text| {
            if let Some(text) = text {
                match counts.get_mut(text) {
                    Some((count, _)) => *count += 1,
                    None => drop(counts.insert(text.to_owned(), (1, self.row_in_table(row)))),
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

/// Whether all of these microseconds since 1970 can be meant.
fn all_within(micros: &Int64Chunked, window: Window) -> bool {
    let ends = [ChunkAgg::min(micros), ChunkAgg::max(micros)];
    ends.into_iter()
        .flatten()
        .all(|micros| window.contains(Timestamp::from_micros(micros)))
}

/// The local day that a moment is of, as a date of that zone.
fn end_of_local_day(at: Timestamp, zone: Option<chrono_tz::Tz>) -> Stamp {
    use chrono::TimeZone;
    let local =
        zone.and_then(|zone| Some(zone.from_utc_datetime(&at.naive()?).naive_local().date()));
    match local.and_then(|date| date.and_hms_opt(0, 0, 0)) {
        Some(midnight) => values::stamp(Timestamp::from_naive(midnight), Precision::Day, zone),
        None => Stamp::new(at, Precision::Day),
    }
}

impl Table<'_> {
    pub(super) fn remember_days(&self, column: &str, holds_days: bool) {
        if let Ok(mut known) = self.written.days.lock() {
            known.insert(column.to_owned(), holds_days);
        }
    }

    /// Whether all times of a column are midnights, in `seen` and in every other row.
    fn holds_days(&self, column: &str, seen: &RawTable<'_>) -> Result<bool, TablesError> {
        if let Some(known) = self
            .written
            .days
            .lock()
            .ok()
            .and_then(|known| known.get(column).copied())
        {
            return Ok(known);
        }
        let is_whole = matches!(seen.cells, Cells::Frames { batch: None, .. });
        let whole;
        let raw = if is_whole {
            seen
        } else {
            whole = self.read(&[column])?;
            &whole
        };
        let times = raw.stamps(column, &mut TimeFaults::new(self.bounds))?;
        let n_times = times.iter().flatten().count();
        let is_serial = matches!(
            self.written
                .times
                .lock()
                .ok()
                .and_then(|known| known.get(column).cloned()),
            Some(TimeFormat::Excel(_))
        );
        let holds_days = (n_times >= FEWEST_MIDNIGHTS || is_serial)
            && times
                .iter()
                .flatten()
                .all(|stamp| raw.is_midnight(column, *stamp));
        self.remember_days(column, holds_days);
        Ok(holds_days)
    }

    /// The columns of instants that were taken for days, since every one of them is a midnight.
    pub(crate) fn columns_of_days(&self) -> Vec<String> {
        let known = self.written.days.lock();
        let mut columns: Vec<String> = known
            .iter()
            .flat_map(|known| known.iter())
            .filter(|(_, days)| **days)
            .map(|(column, _)| column.clone())
            .collect();
        columns.sort_unstable();
        columns
    }

    /// How the numbers of a whole column are written.
    pub(crate) fn number_format(&self, column: &str) -> Result<NumberFormat, TablesError> {
        if let Some(known) = self
            .written
            .numbers
            .lock()
            .ok()
            .and_then(|known| known.get(column).copied())
        {
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
                    "`{}` is not written as the config says numbers of this column are",
                    sample.text
                );
                let doubt = Doubt::new(Subject::Numbers, &self.name, found)
                    .of_column(column)
                    .at(Some(self.place(sample.row)));
                Err(doubt
                    .advise("correct the cell, or what the config says (`decimal_comma`, `types`)")
                    .into())
            }
            other => Err(crate::number_doubts::doubt(self, column, &other, true).into()),
        }
    }

    pub(crate) fn remember_numbers(&self, column: &str, format: NumberFormat) -> NumberFormat {
        if let Ok(mut known) = self.written.numbers.lock() {
            known.insert(column.to_owned(), format);
        }
        format
    }
}
