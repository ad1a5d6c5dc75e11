//! Cells of a time column that are no time of it: what they may be instead, and the lines of config
//! that say so.

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp};

use crate::bounds::Bounds;
use crate::config::FileConfig;
use crate::config_lines::{format_line, null_line};
use crate::doubt::{Doubt, Subject, listed, shortened};
use crate::values::{EpochUnit, TimeFormat, Window, proposals, zone_of};

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
        let window = self.bounds.window;
        let mut cells: Vec<(&str, &Fault)> = self
            .cells
            .iter()
            .map(|(text, fault)| (text.as_str(), fault))
            .collect();
        cells.sort_unstable_by(|a, b| b.1.count.cmp(&a.1.count).then(a.1.row.cmp(&b.1.row)));
        let (first, fault) = cells
            .iter()
            .min_by_key(|(_, fault)| fault.row)
            .expect("there is a fault");
        let n_cells = cells.iter().map(|(_, fault)| fault.count).sum::<usize>() + self.n_more;
        let texts: Vec<&str> = cells.iter().map(|(text, _)| *text).take(200).collect();
        let mut found = match &fault.why {
            Why::Outside(at) => {
                let how = format.map_or_else(String::new, |format| {
                    format!(", read as {},", format.words())
                });
                format!(
                    "`{}`{how} is {at}, which is not within {}",
                    shortened(first),
                    ends(window)
                )
            }
            Why::Zone(name) => format!(
                "`{}` names its zone by the abbreviation `{name}`, which is not told",
                shortened(first)
            ),
            Why::Unread => match format {
                Some(format) => format!(
                    "`{}` is not {}, as the column has them",
                    shortened(first),
                    format.words()
                ),
                None => format!(
                    "`{}` is no time in a writing that is recognised (ISO 8601, or whole seconds to nanoseconds since 1970)",
                    shortened(first)
                ),
            },
        };
        if first.contains(['e', 'E']) && first.parse::<f64>().is_ok() {
            found.push_str("; it is in scientific notation, which has lost digits");
        }
        if n_cells > 1 {
            let n = if n_cells == n_rows {
                format!("all {n_cells}")
            } else {
                format!("{n_cells} of {n_rows}")
            };
            found.push_str(&format!(
                "; so are {n} cells: {}",
                listed(cells.iter().map(|(text, fault)| (*text, fault.count)))
            ));
        }
        let is_most = 2 * n_cells >= n_rows;
        // The few among the many may be counted in another unit, which no setting mends.
        let other_unit = if is_most {
            None
        } else {
            unit_of(&texts, self.bounds.usual)
        };
        if let (Some(unit), Some(format)) = (other_unit, format) {
            found.push_str(&format!(
                "; read as {} they could be meant, but the other cells are {}: units never mix within a column",
                unit.words(),
                format.words()
            ));
        }
        let mut doubt = Doubt::new(Subject::Times, table, found).of_column(column);
        if let Why::Zone(name) = &fault.why {
            return doubt
                .settled_by(format!("time_zone = \"{}\"", zone_of(name)), format!("the IANA zone that `{name}` is of"))
                .advise("names of zones that are no zone of the config are never ignored; write UTC, or an offset such as +02:00, otherwise");
        }
        if is_most {
            for proposal in proposals(&texts, file.time_zone, window)
                .into_iter()
                .take(5)
            {
                let meaning = format!(
                    "{}: `{}` is {}",
                    proposal.words,
                    shortened(first),
                    proposal.read_as
                );
                doubt =
                    doubt.settled_by(format_line(proposal.key, column, &proposal.value), meaning);
            }
        }
        // Times that are written otherwise than the others are no markers of missing ones.
        let is_written_otherwise = !is_most
            && fault.why == Why::Unread
            && !proposals(&texts, file.time_zone, window).is_empty();
        // What holds a year and some more digits is a time that somebody meant.
        let is_some_time = !is_most
            && fault.why == Why::Unread
            && texts.iter().all(|text| looks_like_a_time(text));
        let is_written_otherwise = is_written_otherwise || is_some_time;
        let all_are_missing = n_cells == n_rows
            && texts
                .iter()
                .all(|text| text.bytes().any(|byte| byte.is_ascii_digit()));
        if cells.len() <= LISTABLE
            && self.n_more == 0
            && other_unit.is_none()
            && !is_written_otherwise
            && !all_are_missing
        {
            doubt = doubt.settled_by(
                null_line(file, column, &texts),
                "it means that there is no time",
            );
        }
        let times: Vec<Timestamp> = cells
            .iter()
            .filter_map(|(_, fault)| {
                if let Why::Outside(at) = fault.why {
                    Some(at)
                } else {
                    None
                }
            })
            .collect();
        if times.len() == cells.len() && other_unit.is_none() && !is_placeholder(first) {
            let readable = times.iter().all(|at| at.naive().is_some());
            if let (Some(earliest), true) = (
                times.iter().min().filter(|at| **at < window.earliest),
                readable,
            ) {
                doubt = doubt.settled_in(
                    "[data]",
                    format!("earliest = \"{}\"", day_of(*earliest)),
                    "such times are meant",
                );
            }
            if let (Some(latest), true) = (
                times.iter().max().filter(|at| **at > window.latest),
                readable,
            ) {
                doubt = doubt.settled_in(
                    "[data]",
                    format!("latest = \"{}\"", day_of(latest.next_midnight())),
                    "such times are meant",
                );
            }
        }
        if doubt.settings.is_empty() {
            doubt = doubt.advise(match (other_unit, is_written_otherwise) {
                (Some(_), _) => "write all cells of the column in one unit",
                (None, true) => "correct these cells, or write them like the others; where they mean that there is no time, `null_values` names them",
                (None, false) => "correct these cells, or set `time_format`",
            });
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
