//! Cells of a time column that are no time of it: what they may be instead, and the lines of config
//! that say so.

use hashbrown::HashMap;
use leadscore_config::FileConfig;
use leadscore_config::lines::{format_line, null_line};
use leadscore_config::{Doubt, Subject, listed, shortened};
use leadscore_core::{Stamp, Timestamp};
use leadscore_values::{EpochUnit, TimeFormat, Window, proposals, zone_of};

use crate::bounds::Bounds;

/// Cells that are no times that can be meant, told apart by their text.
pub(crate) struct TimeFaults<'f> {
    bounds: Bounds,
    /// Rows whose times matter; `None` for all.
    counts: Option<&'f dyn Fn(usize) -> bool>,
    n_idle: usize,
    cells: HashMap<String, Fault>,
    n_more: usize,
    first_row: Option<usize>,
}

struct Fault {
    count: usize,
    row: usize,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// Not written as the column is.
    Unread,
    /// A time before or after all that can be meant.
    Outside(Timestamp),
    /// A zone by an abbreviation that the config has no zone for.
    Zone(String),
}

/// Distinct texts that are kept.
const MOST: usize = 1_000;
/// Distinct texts that a line of config can list.
const LISTABLE: usize = 12;

impl<'f> TimeFaults<'f> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            counts: None,
            n_idle: 0,
            cells: HashMap::new(),
            n_more: 0,
            first_row: None,
        }
    }

    /// The same where some rows' times do not matter.
    pub(crate) fn of_rows(bounds: Bounds, counts: &'f dyn Fn(usize) -> bool) -> Self {
        Self {
            counts: Some(counts),
            ..Self::new(bounds)
        }
    }

    /// Cells of rows whose times do not matter.
    pub(crate) fn n_idle(&self) -> usize {
        self.n_idle
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) fn first_row(&self) -> Option<usize> {
        self.first_row
    }

    pub(crate) fn unread(&mut self, row: usize, text: &str) -> Option<Stamp> {
        self.add(row, text, Why::Unread)
    }

    pub(crate) fn outside(&mut self, row: usize, text: &str, at: Timestamp) -> Option<Stamp> {
        self.add(row, text, Why::Outside(at))
    }

    pub(crate) fn zone(&mut self, row: usize, text: &str, name: &str) -> Option<Stamp> {
        self.add(row, text, Why::Zone(name.to_owned()))
    }

    fn add(&mut self, row: usize, text: &str, why: Why) -> Option<Stamp> {
        if self.counts.is_some_and(|counts| !counts(row)) {
            self.n_idle += 1;
            return None;
        }
        self.first_row = self.first_row.or(Some(row));
        if let Some(fault) = self.cells.get_mut(text) {
            fault.count += 1;
        } else if self.cells.len() < MOST {
            self.cells
                .insert(text.to_owned(), Fault { count: 1, row, why });
        } else {
            self.n_more += 1;
        }
        None
    }

    /// What the config must say; `n_rows` is how many rows the column has, and `format` how its
    /// other cells are written.
    pub(crate) fn doubt(
        &self,
        table: &str,
        column: &str,
        file: &FileConfig<'_>,
        format: Option<&TimeFormat>,
        n_rows: usize,
    ) -> Doubt {
        let faulty = FaultyColumn::new(self, column, file, format, n_rows);
        let doubt = Doubt::new(Subject::Times, table, faulty.found()).of_column(column);
        if let Why::Zone(name) = &faulty.first.1.why {
            return doubt
                .settled_by(format!("time_zone = \"{}\"", zone_of(name)), format!("the IANA zone that `{name}` is of"))
                .advise("names of zones that are no zone of the config are never ignored; write UTC, or an offset such as +02:00, otherwise");
        }
        let is_written_otherwise = faulty.are_times_written_otherwise();
        let doubt = faulty.as_other_formats(doubt);
        let doubt = faulty.as_missing(doubt, is_written_otherwise);
        let doubt = faulty.as_meant(doubt);
        if !doubt.settings.is_empty() {
            return doubt;
        }
        doubt.advise(match (faulty.other_unit, is_written_otherwise) {
            (Some(_), _) => "write all cells of the column in one unit",
            (None, true) => "correct these cells, or write them like the others; where they mean that there is no time, `null_values` names them",
            (None, false) => "correct these cells, or set `time_format`",
        })
    }
}

/// A column with cells that are no times, and what these have in common.
struct FaultyColumn<'d> {
    column: &'d str,
    file: &'d FileConfig<'d>,
    format: Option<&'d TimeFormat>,
    n_rows: usize,
    window: Window,
    /// The texts, the most frequent first.
    cells: Vec<(&'d str, &'d Fault)>,
    /// That which stands first in the column.
    first: (&'d str, &'d Fault),
    /// Cells with them, and with further texts that were not kept.
    n_cells: usize,
    n_more: usize,
    texts: Vec<&'d str>,
    /// Whether most cells are such.
    is_most: bool,
    /// The few among the many may be counted in another unit, which no setting mends.
    other_unit: Option<EpochUnit>,
}

impl<'d> FaultyColumn<'d> {
    fn new(
        faults: &'d TimeFaults<'_>,
        column: &'d str,
        file: &'d FileConfig<'d>,
        format: Option<&'d TimeFormat>,
        n_rows: usize,
    ) -> Self {
        let mut cells: Vec<(&str, &Fault)> = faults
            .cells
            .iter()
            .map(|(text, fault)| (text.as_str(), fault))
            .collect();
        cells.sort_unstable_by(|a, b| b.1.count.cmp(&a.1.count).then(a.1.row.cmp(&b.1.row)));
        let first = *cells
            .iter()
            .min_by_key(|(_, fault)| fault.row)
            .expect("there is a fault");
        let n_cells = cells.iter().map(|(_, fault)| fault.count).sum::<usize>() + faults.n_more;
        let texts: Vec<&str> = cells.iter().map(|(text, _)| *text).take(200).collect();
        let is_most = 2 * n_cells >= n_rows;
        let other_unit = if is_most {
            None
        } else {
            unit_of(&texts, faults.bounds.usual)
        };
        Self {
            column,
            file,
            format,
            n_rows,
            window: faults.bounds.window,
            cells,
            first,
            n_cells,
            n_more: faults.n_more,
            texts,
            is_most,
            other_unit,
        }
    }

    /// What was found.
    fn found(&self) -> String {
        let first = self.first.0;
        let mut found = self.found_first();
        if first.contains(['e', 'E']) && first.parse::<f64>().is_ok() {
            found.push_str("; it is in scientific notation, which has lost digits");
        }
        if self.n_cells > 1 {
            let n = if self.n_cells == self.n_rows {
                format!("all {}", self.n_cells)
            } else {
                format!("{} of {}", self.n_cells, self.n_rows)
            };
            found.push_str(&format!(
                "; so are {n} cells: {}",
                listed(self.cells.iter().map(|(text, fault)| (*text, fault.count)))
            ));
        }
        if let (Some(unit), Some(format)) = (self.other_unit, self.format) {
            found.push_str(&format!(
                "; read as {} they could be meant, but the other cells are {}: units never mix within a column",
                unit.words(),
                format.words()
            ));
        }
        found
    }

    /// Why the first cell is no time.
    fn found_first(&self) -> String {
        let first = shortened(self.first.0);
        match (&self.first.1.why, self.format) {
            (Why::Outside(at), format) => {
                let how = format.map_or_else(String::new, |format| {
                    format!(", read as {},", format.words())
                });
                format!(
                    "`{first}`{how} is {at}, which is not within {}",
                    ends(self.window)
                )
            }
            (Why::Zone(name), _) => {
                format!("`{first}` names its zone by the abbreviation `{name}`, which is not told")
            }
            (Why::Unread, Some(format)) => {
                format!(
                    "`{first}` is not {}, as the column has them",
                    format.words()
                )
            }
            (Why::Unread, None) => format!(
                "`{first}` is not a time in a recognized format (ISO 8601, or whole seconds to nanoseconds since 1970)"
            ),
        }
    }

    /// Whether a few cells are times all the same: those that are written otherwise than the others
    /// are no markers of missing ones, and what holds a year and some more digits is a time that
    /// somebody meant.
    fn are_times_written_otherwise(&self) -> bool {
        !self.is_most
            && self.first.1.why == Why::Unread
            && (!proposals(&self.texts, self.file.time_zone, self.window).is_empty()
                || self.texts.iter().all(|text| looks_like_a_time(text)))
    }

    /// Adds formats in which most cells would be times.
    fn as_other_formats(&self, mut doubt: Doubt) -> Doubt {
        if !self.is_most {
            return doubt;
        }
        for proposal in proposals(&self.texts, self.file.time_zone, self.window)
            .into_iter()
            .take(5)
        {
            let meaning = format!(
                "{}: `{}` is {}",
                proposal.words,
                shortened(self.texts[0]),
                proposal.read_as
            );
            let line = format_line(proposal.key, self.column, &proposal.value);
            doubt = doubt.settled_by(line, meaning);
        }
        doubt
    }

    /// Adds that the cells mean that there is no time, where they may.
    fn as_missing(&self, doubt: Doubt, is_written_otherwise: bool) -> Doubt {
        let all_are_missing = self.n_cells == self.n_rows
            && self
                .texts
                .iter()
                .all(|text| text.bytes().any(|byte| byte.is_ascii_digit()));
        if self.cells.len() > LISTABLE
            || self.n_more > 0
            || self.other_unit.is_some()
            || is_written_otherwise
            || all_are_missing
        {
            return doubt;
        }
        doubt.settled_by(
            null_line(self.file, self.column, &self.texts),
            "it means that there is no time",
        )
    }

    /// Adds that times before or after all that can be meant are meant.
    fn as_meant(&self, mut doubt: Doubt) -> Doubt {
        let times: Vec<Timestamp> = self
            .cells
            .iter()
            .filter_map(|(_, fault)| {
                if let Why::Outside(at) = fault.why {
                    Some(at)
                } else {
                    None
                }
            })
            .collect();
        if times.len() < self.cells.len()
            || self.other_unit.is_some()
            || is_placeholder(self.first.0)
            || times.iter().any(|at| at.naive().is_none())
        {
            return doubt;
        }
        let (first, last) = (times.iter().min(), times.iter().max());
        if let Some(earliest) = first.filter(|at| **at < self.window.earliest) {
            doubt = doubt.settled_in(
                "[data]",
                format!("earliest = \"{}\"", day_of(*earliest)),
                "such times are meant",
            );
        }
        if let Some(latest) = last.filter(|at| **at > self.window.latest) {
            doubt = doubt.settled_in(
                "[data]",
                format!("latest = \"{}\"", day_of(latest.next_midnight())),
                "such times are meant",
            );
        }
        doubt
    }
}

/// Whether a text has as many digits as a day and a year have, and is no placeholder.
fn looks_like_a_time(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 5
        && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
        && !is_placeholder(text)
}

fn ends(window: Window) -> String {
    let latest = if window.latest < Timestamp::MAX {
        format!(" to {}", day_of(window.latest))
    } else {
        " on".to_owned()
    };
    format!(
        "{}{latest}, the times that can be meant",
        day_of(window.earliest)
    )
}

fn day_of(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// Dates that systems write where there is none.
fn is_placeholder(text: &str) -> bool {
    [
        "0000-00-00",
        "0001-01-01",
        "1900-01-01",
        "1970-01-01",
        "9999-12-31",
        "1899-12-3",
    ]
    .iter()
    .any(|date| text.starts_with(date))
        || text.trim_matches('0').is_empty()
}

/// The unit in which all of these numbers are times of the window.
fn unit_of(texts: &[&str], window: Window) -> Option<EpochUnit> {
    EpochUnit::ALL.into_iter().find(|unit| {
        let reads = |text: &&str| {
            TimeFormat::Epoch(*unit)
                .parse(text, None)
                .is_ok_and(|stamp| window.contains(stamp.start))
        };
        texts.iter().all(reads)
    })
}
