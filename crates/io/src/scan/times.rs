//! Columns as times: one format a column, and days where every time is a midnight.

use leadscore_config::Doubt;
use leadscore_core::{Precision, Stamp, Timestamp};
use leadscore_dataset::NEVER;
use leadscore_values::{self, TimeFormat};
use polars_core::prelude::{DataType, TimeUnit, TimeZone};

use super::raw::{Cells, RawTable};
use super::table::Table;
use super::time_cells::all_within;
use crate::error::TablesError;
use crate::time_faults::TimeFaults;

/// Fewer midnights than this may be chance.
const FEWEST_MIDNIGHTS: usize = 20;

impl RawTable<'_> {
    /// From when each time of the column counts as known, [`NEVER`] where missing.
    pub(crate) fn known_times(&self, column: &str) -> Result<Vec<Timestamp>, TablesError> {
        if let Cells::Spilled(rows) = &self.cells {
            return Ok(rows.known_times(column));
        }
        if let Cells::Frames { frames, .. } = &self.cells
            && let [frame] = frames.as_slice()
            && let Ok(series) = frame.column(column)
            && let DataType::Datetime(TimeUnit::Microseconds, zone) = series.dtype()
            && match zone {
                Some(zone) => *zone == TimeZone::UTC,
                None => self.table.file.time_zone.is_none(),
            }
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
                && (self.table.has_exact_times
                    || !whole
                        .iter()
                        .flatten()
                        .all(|micros| micros % 86_400_000_000 == 0))
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
        let format = table.written.time_format(column);
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

    /// Where every time of the whole column is a midnight, the times are days.
    fn as_days(
        &self,
        column: &str,
        times: Vec<Option<Stamp>>,
    ) -> Result<Vec<Option<Stamp>>, TablesError> {
        if self.table.has_exact_times {
            self.table.remember_days(column, false);
            return Ok(times);
        }
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
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "types of a library: those not named are read the same way, or not at all"
    )]
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

    /// How the times of a column are written, as far as that was told.
    pub(crate) fn time_format(&self, column: &str) -> Option<TimeFormat> {
        self.table.written.time_format(column)
    }
}

/// The local day that a moment is of, as a date of that zone.
fn end_of_local_day(at: Timestamp, zone: Option<chrono_tz::Tz>) -> Stamp {
    use chrono::TimeZone as _;
    let local =
        zone.and_then(|zone| Some(zone.from_utc_datetime(&at.naive()?).naive_local().date()));
    match local.and_then(|date| date.and_hms_opt(0, 0, 0)) {
        Some(midnight) => {
            leadscore_values::stamp(Timestamp::from_naive(midnight), Precision::Day, zone)
        }
        None => Stamp::new(at, Precision::Day),
    }
}

impl Table<'_> {
    pub(super) fn remember_days(&self, column: &str, holds_days: bool) {
        self.written.keep_days(column, holds_days);
    }

    /// Whether all times of a column are midnights, in `seen` and in every other row.
    fn holds_days(&self, column: &str, seen: &RawTable<'_>) -> Result<bool, TablesError> {
        if let Some(known) = self.written.holds_days(column) {
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
        let is_serial = matches!(self.written.time_format(column), Some(TimeFormat::Excel(_)));
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
        self.written.columns_of_days()
    }
}
