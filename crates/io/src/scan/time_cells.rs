//! The cells of a time column, one series after the other: typed times, numbers, or texts in the
//! format of the column.

use leadscore_core::{Precision, Stamp, Timestamp};
use leadscore_values::{self, NoTime, Nulls, TimeFormat, Window, Workbook};
use polars_core::prelude::{ChunkAgg, DataType, Float64Chunked, Int64Chunked, Series, TimeUnit};

use super::raw::RawTable;
use crate::error::TablesError;
use crate::time_faults::TimeFaults;

/// Cells that a format is recognised by.
const CELLS_RECOGNISED_BY: usize = 1_000;

/// The times of a column as far as they are read, and what decides how further cells are.
struct TimeCells<'r, 'f, 'n> {
    raw: &'r RawTable<'r>,
    column: &'r str,
    /// Of times that name none.
    zone: Option<chrono_tz::Tz>,
    window: Window,
    /// How the column is written, once that is told.
    format: Option<TimeFormat>,
    nulls: Nulls<'r>,
    /// Times that mean missing.
    listed: Vec<Timestamp>,
    /// Numbers that mean missing.
    listed_numbers: Vec<i64>,
    times: Vec<Option<Stamp>>,
    faults: &'f mut TimeFaults<'n>,
}

impl RawTable<'_> {
    /// Times in the format of the column; those that are none, or that nobody can mean, are missing
    /// and go to the faults.
    pub(super) fn stamps(
        &self,
        column: &str,
        faults: &mut TimeFaults<'_>,
    ) -> Result<Vec<Option<Stamp>>, TablesError> {
        let mut cells = TimeCells::new(self, column, faults);
        for series in self.series(column) {
            cells.add(series)?;
        }
        if let Some(format) = cells.format {
            self.table.written.keep_time_format(column, format);
        }
        Ok(cells.times)
    }

    /// The cells of a series as whole numbers.
    fn whole_numbers(&self, series: &Series) -> Result<Int64Chunked, TablesError> {
        let whole = series
            .cast(&DataType::Int64)
            .map_err(|error| self.engine_error(error))?;
        Ok(whole
            .i64()
            .map_err(|error| self.engine_error(error))?
            .clone())
    }

    /// The cells of a series as numbers.
    fn floats(&self, series: &Series) -> Result<Float64Chunked, TablesError> {
        let floats = series
            .cast(&DataType::Float64)
            .map_err(|error| self.engine_error(error))?;
        Ok(floats
            .f64()
            .map_err(|error| self.engine_error(error))?
            .clone())
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
}

impl<'r, 'f, 'n> TimeCells<'r, 'f, 'n> {
    fn new(raw: &'r RawTable<'r>, column: &'r str, faults: &'f mut TimeFaults<'n>) -> Self {
        let table = raw.table;
        let format = table
            .written
            .time_format(column)
            .or_else(|| table.file.format_of(column));
        let listed = raw.listed_nulls(column);
        Self {
            raw,
            column,
            zone: table.file.time_zone,
            window: table.bounds.window,
            format,
            nulls: raw.nulls(column),
            listed: listed
                .iter()
                .filter_map(|null| Timestamp::parse_iso(null))
                .map(|(at, _, _)| at)
                .collect(),
            listed_numbers: listed.iter().filter_map(|null| null.parse().ok()).collect(),
            times: Vec::with_capacity(raw.n_rows),
            faults,
        }
    }

    /// Adds the cells of one series, by its type.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "types of a library: those not named are read the same way, or not at all"
    )]
    fn add(&mut self, series: &Series) -> Result<(), TablesError> {
        match series.dtype() {
            DataType::Date => self.add_dates(series),
            DataType::Datetime(unit, zoned) => self.add_instants(series, *unit, zoned.is_some()),
            kind if kind.is_integer()
                && !matches!(
                    self.format,
                    Some(TimeFormat::Strftime(_) | TimeFormat::Excel(_))
                ) =>
            {
                self.add_numbers(series)
            }
            kind if kind.is_float() => match self.format {
                Some(TimeFormat::Excel(workbook)) => self.add_serials(series, workbook),
                _ => self.add_texts(series),
            },
            _ => self.add_texts(series),
        }
    }

    /// Adds days.
    fn add_dates(&mut self, series: &Series) -> Result<(), TablesError> {
        for value in self.raw.whole_numbers(series)?.iter() {
            let micros = value.map(|days| days.saturating_mul(86_400_000_000));
            self.push_micros(micros, Precision::Day, self.zone);
        }
        Ok(())
    }

    /// Adds timestamps, as they are where nothing is to be converted or checked.
    fn add_instants(
        &mut self,
        series: &Series,
        unit: TimeUnit,
        is_zoned: bool,
    ) -> Result<(), TablesError> {
        let zone = if is_zoned { None } else { self.zone };
        let whole = self.raw.whole_numbers(series)?;
        if unit == TimeUnit::Microseconds
            && zone.is_none()
            && self.listed.is_empty()
            && all_within(&whole, self.window)
        {
            self.times.extend(whole.iter().map(|value| {
                value.map(|micros| Stamp::new(Timestamp::from_micros(micros), Precision::Instant))
            }));
            return Ok(());
        }
        for value in whole.iter() {
            let micros = value.map(|value| match unit {
                TimeUnit::Nanoseconds => value.div_euclid(1_000),
                TimeUnit::Microseconds => value,
                TimeUnit::Milliseconds => value.saturating_mul(1_000),
            });
            self.push_micros(micros, Precision::Instant, zone);
        }
        Ok(())
    }

    /// Adds a typed time, unless it means missing.
    fn push_micros(
        &mut self,
        micros: Option<i64>,
        precision: Precision,
        zone: Option<chrono_tz::Tz>,
    ) {
        let at = micros.map(|micros| {
            Timestamp::from_micros(micros.clamp(Timestamp::MIN.micros(), Timestamp::MAX.micros()))
        });
        let Some(at) = at.filter(|at| !self.listed.contains(at)) else {
            self.times.push(None);
            return;
        };
        // Far outside of what a calendar knows no zone can be applied.
        let stamp = if self.window.contains(at) {
            leadscore_values::stamp(at, precision, zone)
        } else {
            Stamp::new(at, Precision::Instant)
        };
        self.push(stamp, &|| at.to_string());
    }

    /// Adds whole numbers since 1970, in the unit of the column.
    fn add_numbers(&mut self, series: &Series) -> Result<(), TablesError> {
        let whole = self.raw.whole_numbers(series)?;
        if self.format.is_none() {
            let some: Vec<String> = whole
                .iter()
                .flatten()
                .filter(|number| !self.listed_numbers.contains(number))
                .take(CELLS_RECOGNISED_BY)
                .map(|number| number.to_string())
                .collect();
            self.format = TimeFormat::recognise(
                some.iter().map(String::as_str),
                self.zone,
                self.raw.table.bounds.usual,
            );
        }
        for value in whole.iter() {
            match value.filter(|value| !self.listed_numbers.contains(value)) {
                None => self.times.push(None),
                Some(value) => {
                    let read = self.format.as_ref();
                    match read.and_then(|format| format.of_number(value)) {
                        Some(stamp) => self.push(stamp, &|| value.to_string()),
                        None => self.push_unread(&value.to_string()),
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds day numbers of a spreadsheet.
    fn add_serials(&mut self, series: &Series, workbook: Workbook) -> Result<(), TablesError> {
        for value in self.raw.floats(series)?.iter() {
            let is_missing = |value: f64| {
                value.is_nan() || self.listed_numbers.iter().any(|null| *null as f64 == value)
            };
            match value.filter(|value| !is_missing(*value)) {
                None => self.times.push(None),
                Some(value) => match leadscore_values::serial_to_stamp(value, workbook) {
                    Some(stamp) => self.push(stamp, &|| value.to_string()),
                    None => self.push_unread(&value.to_string()),
                },
            }
        }
        Ok(())
    }

    /// Adds texts, once the format that they have in common is recognised.
    fn add_texts(&mut self, series: &Series) -> Result<(), TablesError> {
        let raw = self.raw;
        if self.format.is_none() {
            self.format = raw.recognise(self.column, &self.nulls, self.zone)?;
        }
        raw.texts_of(series, |text| {
            match text.and_then(|text| self.nulls.clean(text)) {
                None => self.times.push(None),
                Some(text) => self.push_text(text),
            }
        })
    }

    /// Adds a text in the format of the column, if it is one.
    fn push_text(&mut self, text: &str) {
        let read = self.format.as_ref();
        match read.map(|format| format.parse(text, self.zone)) {
            Some(Ok(stamp)) => self.push(stamp, &|| text.to_owned()),
            Some(Err(NoTime::Zone(name))) => {
                let time = self.faults.zone(self.times.len(), text, &name);
                self.times.push(time);
            }
            Some(Err(NoTime::Written)) | None => self.push_unread(text),
        }
    }

    /// Adds a time, if it can be meant; `text` is what its cell has.
    fn push(&mut self, stamp: Stamp, text: &dyn Fn() -> String) {
        let time = if self.window.contains(stamp.start) {
            Some(stamp)
        } else {
            self.faults.outside(self.times.len(), &text(), stamp.start)
        };
        self.times.push(time);
    }

    /// Adds a cell that is no time.
    fn push_unread(&mut self, text: &str) {
        let time = self.faults.unread(self.times.len(), text);
        self.times.push(time);
    }
}

/// Whether all of these microseconds since 1970 can be meant.
pub(super) fn all_within(micros: &Int64Chunked, window: Window) -> bool {
    let ends = [ChunkAgg::min(micros), ChunkAgg::max(micros)];
    ends.into_iter()
        .flatten()
        .all(|micros| window.contains(Timestamp::from_micros(micros)))
}
