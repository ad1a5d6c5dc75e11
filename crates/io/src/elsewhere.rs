//! The same doubts about tables that stay in an engine elsewhere: counts come here, and what they
//! mean is decided by the same code.

use hashbrown::HashMap;
use leadscore_config::Config;
use leadscore_config::{Doubt, Subject};
use leadscore_core::{Timestamp, agree, counted};
use leadscore_dataset::Matched;
use leadscore_dataset::Note;
use leadscore_dataset::{KnownEnds, LoadOptions};

use crate::ends::Reach;
use crate::keys::{Expectation, Matching};
use crate::load::{expectation, key_column, spelled_doubt};
use crate::remarks::Remarks;

/// Rows of a table on one day, by one of its times.
#[derive(Debug, Clone, PartialEq)]
pub struct DayCount {
    /// The table in the config, such as `[leads]`.
    pub table: String,
    /// The column.
    pub column: String,
    /// Days since 1970.
    pub day: i64,
    /// How many.
    pub n_rows: usize,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
}

/// Wins that were entered so many days after they happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryCount {
    /// The day of the win, in days since 1970.
    pub day: i64,
    /// Days until it was entered.
    pub lag: i64,
    /// How many.
    pub n_rows: usize,
}

/// Until when tables speak of which the days are known.
pub fn ends_of(
    config: &Config,
    options: &LoadOptions,
    days: &[DayCount],
    entries: &[EntryCount],
) -> (KnownEnds, Vec<Note>, Vec<Doubt>) {
    let window = config.data.window(options.now);
    let mut remarks = Remarks::default();
    let mut reach = Reach::default();
    for table in config.row_tables() {
        let heading = table.id.heading();
        for column in table.times {
            let of_column = || {
                days.iter()
                    .filter(|count| count.table == heading && count.column == column)
            };
            let outside = || {
                of_column()
                    .filter(|count| !window.contains(count.first) || !window.contains(count.last))
            };
            if let Some(count) = outside().next() {
                let n: usize = outside().map(|count| count.n_rows).sum();
                let at = if window.contains(count.first) {
                    count.last
                } else {
                    count.first
                };
                let found = format!(
                    "{} {} impossible times, such as {at}: they do not lie within {} and {}",
                    counted(n, "row"),
                    agree(n, "has", "have"),
                    window.earliest,
                    window.latest
                );
                let doubt = Doubt::new(Subject::Times, &heading, found).of_column(column);
                remarks.doubt(
                    doubt
                        .settled_in("[data]", format!("earliest = \"{at}\""), "such times are meant (or `latest`)")
                        .advise("or leave such rows out of what is read, or list the moment under `null_values`"),
                );
            }
            for count in of_column()
                .filter(|count| window.contains(count.first) && window.contains(count.last))
            {
                reach.add_day(
                    &heading,
                    column,
                    window.earliest,
                    count.n_rows,
                    count.first,
                    count.last,
                );
            }
        }
    }
    entries
        .iter()
        .for_each(|entry| reach.add_entries(entry.day, entry.lag, entry.n_rows));
    let ends = reach.ends(config, options.moments(), &|_, _, _| None, &mut remarks);
    (ends, remarks.notes, remarks.doubts)
}

/// The doubt about results that the config does not spell out, by how often each stands there.
pub fn result_doubt(config: &Config, counts: &[(String, usize)]) -> Option<Doubt> {
    let column = config.outcomes.result.as_deref()?;
    let counts: HashMap<String, (usize, usize)> = counts
        .iter()
        .enumerate()
        .map(|(row, (text, count))| (text.clone(), (*count, row)))
        .collect();
    spelled_doubt(config, column, &counts, &|_| String::new()).map(|doubt| Doubt {
        place: None,
        ..doubt
    })
}

/// The doubt that the keys of a table leave, by how many of its rows match, and some keys that do
/// not and some ids.
pub fn key_doubt(
    config: &Config,
    table: &str,
    matched: Matched,
    strangers: &[String],
    ids: &[String],
) -> Option<Doubt> {
    let expectation: Expectation<'_> = expectation(config, table, key_column(config, table));
    let mut matching = Matching::of_counts(matched);
    strangers
        .iter()
        .enumerate()
        .for_each(|(row, key)| matching.stranger(key, row));
    expectation
        .doubt(&matching, &mut ids.iter().map(String::as_str), &|_| {
            String::new()
        })
        .map(|doubt| Doubt {
            place: None,
            ..doubt
        })
}

/// The doubt about changes of one attribute at one moment that nothing puts in order, where there
/// are any.
pub fn order_doubt(config: &Config, n_ties: usize) -> Option<Doubt> {
    let history = config.history.as_ref().filter(|_| n_ties > 0)?;
    let found = format!(
        "{} an attribute of a lead has two values from one moment on, and rows of a database have no order",
        counted(n_ties, "time")
    );
    let doubt = Doubt::new(Subject::Changes, "[history]", found).of_column(&history.changed_at);
    Some(doubt.settled_by(
        "sequence = \"…\"",
        "the column whose numbers put changes of one moment in order",
    ))
}
