//! Values of a history that are dates: read by the contract that all times have, cell by cell.

use leadscore_config::{Config, Doubt};
use leadscore_core::Timestamp;
use leadscore_dataset::NEVER;
use leadscore_values::{NoTime, TimeFormat};

use crate::scan::RawTable;
use crate::time_faults::TimeFaults;

/// The dates of an attribute in one column of the history, and what is wrong with them.
pub(super) struct Dates<'d> {
    raw: &'d RawTable<'d>,
    column: &'d str,
    format: TimeFormat,
    faults: TimeFaults<'d>,
    n_read: usize,
}

impl<'d> Dates<'d> {
    /// Written as the history says of the column, else as the leads say of the attribute, else in
    /// ISO 8601.
    pub(super) fn new(config: &Config, raw: &'d RawTable<'d>, name: &str, column: &'d str) -> Self {
        let format = raw
            .file()
            .format_of(column)
            .or_else(|| config.leads.file().format_of(name))
            .unwrap_or(TimeFormat::Iso);
        Self {
            raw,
            column,
            format,
            faults: TimeFaults::new(raw.bounds()),
            n_read: 0,
        }
    }

    /// When the date of a cell begins; [`NEVER`] where there is none, or none that can be meant.
    pub(super) fn read(&mut self, row: usize, text: Option<&str>) -> Timestamp {
        let Some(text) = text else { return NEVER };
        self.n_read += 1;
        let zone = self.raw.file().time_zone;
        let stamp = match self.format.parse(text, zone) {
            Ok(stamp) if self.raw.bounds().window.contains(stamp.start) => Some(stamp),
            Ok(stamp) => self.faults.outside(row, text, stamp.start),
            Err(NoTime::Zone(name)) => self.faults.zone(row, text, &name),
            Err(NoTime::Written) => self.faults.unread(row, text),
        };
        stamp.map_or(NEVER, |stamp| stamp.start)
    }

    /// What the config must say of the cells that are no dates.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        let row = self.faults.first_row()?;
        let (table, file) = (self.raw.table_name(), self.raw.file());
        let doubt = self
            .faults
            .doubt(table, self.column, file, Some(&self.format), self.n_read);
        Some(doubt.at(Some(self.raw.place(row))))
    }
}
