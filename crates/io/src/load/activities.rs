//! Event tables, sorted so that the order of the file leaves no trace.

use hashbrown::HashMap;
use leadscore_config::{ActivityConfig, Config, TableId};
use leadscore_config::{Doubt, Share, Subject};
use leadscore_core::Timestamp;
use leadscore_dataset::Column;
use leadscore_dataset::Note;
use leadscore_dataset::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
use leadscore_dataset::{MISSING, NEVER};

use super::attributes::{read_category, tokenizer_of};
use super::before_creation::{before_everything, created_start, is_long_before};
use super::gathered::{Gathered, add_table_notes};
use super::joining::Joining;
use super::leads::number_accounts;
use super::matching::doubt_of;
use crate::error::TablesError;
use crate::keys::Matching;
use crate::scan::{RawTable, Table};

/// Fails where an event table lacks a column that the config names, or has one of a type that
/// nobody reads.
pub(super) fn check_activities(
    settings: &ActivityConfig,
    table: &Table<'_>,
) -> Result<(), TablesError> {
    for (key, columns) in [
        ("lead", settings.lead.as_slice()),
        ("account", settings.account.as_slice()),
        ("at", std::slice::from_ref(&settings.at)),
        ("recorded_at", settings.recorded_at.as_slice()),
        ("kind", &settings.kind),
        ("values", &settings.values),
    ] {
        for column in columns {
            table.require_readable(key, column)?;
        }
    }
    Ok(())
}

/// Reads one event table; `accounts` are those of the leads, where events are of accounts.
pub(super) fn read_activities<'c>(
    joining: &Joining<'_, 'c>,
    name: &str,
    settings: &'c ActivityConfig,
    accounts: Option<&[Option<String>]>,
    gathered: &mut Gathered,
) -> Result<Activities, TablesError> {
    let label = format!("[activities.{name}]");
    let id = TableId::Activities(name.to_owned());
    let file = joining
        .config
        .table(&id)
        .expect("a table of the config")
        .file;
    let table = joining.open(&id, file)?;
    check_activities(settings, &table)?;
    let mut columns = event_columns(settings);
    columns.extend(table.since_column());
    let raw = table.read(&columns)?;
    let reading = EventReading {
        joining,
        label: &label,
        settings,
        raw: &raw,
        is_of_accounts: accounts.is_some(),
    };
    // Accounts are numbered by name; leads without one see no events.
    let (entities, entity_of_lead, n_entities) = match accounts {
        None => (None, None, joining.created.len()),
        Some(accounts) => {
            let (of_lead, numbers) = number_accounts(accounts);
            let n_entities = numbers.len();
            (Some(numbers), Some(of_lead), n_entities)
        }
    };
    let lookup = entities.as_ref().unwrap_or(joining.index);
    let (mut owners, matching) = reading.owners(lookup, gathered)?;
    let times = reading.times(gathered)?;
    let kinds = reading.kinds()?;
    let values = reading.values(gathered)?;
    if let (Some(column), Some(recorded)) = (&settings.recorded_at, &times.recorded) {
        gathered.remarks.doubts.extend(one_day(
            joining.config,
            &label,
            column,
            recorded,
            &times.at,
        ));
    }
    let counts = reading.leave_out(&mut owners, &times);
    reading.say(&counts, &matching, &times, gathered);
    if raw.n_rows == 0 && !table.is_spilled() {
        gathered
            .remarks
            .note(Note::new(&label, "has a header and no rows"));
    }
    add_table_notes(
        joining.config,
        &table,
        raw.n_rows_of_files,
        &mut gathered.remarks,
    );
    let visible = times.visible(raw.since());
    let activities = Activities::new(
        name,
        entity_of_lead,
        n_entities,
        EventRows {
            owners,
            at: times.at,
            visible,
            kinds,
            values,
        },
    );
    reading.say_repeated(&activities, lookup, gathered);
    Ok(activities)
}

/// The column that says whose an event is.
fn owner_column(settings: &ActivityConfig) -> &str {
    settings
        .lead
        .as_ref()
        .or(settings.account.as_ref())
        .expect("checked with the config")
}

/// The columns of an event table that are read.
fn event_columns(settings: &ActivityConfig) -> Vec<&str> {
    let mut columns: Vec<&str> = vec![owner_column(settings), &settings.at];
    columns.extend(settings.recorded_at.as_deref());
    columns.extend(
        settings
            .kind
            .iter()
            .chain(&settings.values)
            .map(String::as_str),
    );
    columns
}

/// An event table while it is read.
struct EventReading<'r, 'c> {
    joining: &'r Joining<'r, 'c>,
    /// What the config calls it.
    label: &'r str,
    settings: &'r ActivityConfig,
    raw: &'r RawTable<'r>,
    is_of_accounts: bool,
}

/// When events happened and were recorded, [`NEVER`] where missing.
struct EventTimes {
    at: Vec<Timestamp>,
    /// Where the table says so.
    recorded: Option<Vec<Timestamp>>,
}

impl EventTimes {
    /// From when an event can be seen. One that is recorded before it happens (a planned meeting)
    /// is seen when it has happened.
    /// One of a lead that was linked to it later is seen from then on.
    fn visible(&self, since: Option<Vec<Timestamp>>) -> Option<Vec<Timestamp>> {
        let later = |times: &[Timestamp], others: &[Timestamp]| -> Vec<Timestamp> {
            let both = times.iter().zip(others);
            both.map(|(&time, &other)| time.max(other)).collect()
        };
        let visible = self
            .recorded
            .as_ref()
            .map(|recorded| later(recorded, &self.at));
        match since {
            Some(since) => Some(later(&since, visible.as_ref().unwrap_or(&self.at))),
            None => visible,
        }
    }
}

/// Events that are left out, or lie where they hardly can.
#[derive(Default)]
struct EventCounts {
    n_rows: usize,
    /// Of nobody that the leads know.
    unknown: usize,
    without_time: usize,
    /// Those whose time was compared with the creation of their lead.
    n_compared: usize,
    /// Before it.
    early: usize,
    /// Years before it.
    long_before: usize,
}

impl EventReading<'_, '_> {
    /// Whose each event is, [`MISSING`] for nobody's, and which name nobody.
    fn owners(
        &self,
        numbers: &HashMap<&str, u32>,
        gathered: &mut Gathered,
    ) -> Result<(Vec<u32>, Matching), TablesError> {
        let (raw, column) = (self.raw, owner_column(self.settings));
        let is_whole = self.joining.is_whole();
        let mut owners: Vec<u32> = Vec::with_capacity(raw.n_rows);
        let mut matching = Matching::default();
        raw.for_each_text(column, |row, text| {
            let found = text.and_then(|text| numbers.get(text)).copied();
            owners.push(found.unwrap_or(MISSING));
            if let (true, None, Some(text)) = (is_whole, found, text) {
                matching.add(text, row, false);
            }
            Ok(())
        })?;
        if !is_whole {
            return Ok((owners, matching));
        }
        matching.add_matched(owners.iter().filter(|owner| **owner != MISSING).count());
        let config = self.joining.config;
        if !config.is_flat() {
            gathered.remarks.doubts.extend(doubt_of(
                config,
                raw,
                column,
                &matching,
                &mut numbers.keys().copied(),
            ));
            gathered
                .matched
                .insert(self.label.to_owned(), matching.counts());
        }
        raw.count_missing(column, raw.n_rows - matching.counts().n_rows);
        Ok((owners, matching))
    }

    /// When events happened and were recorded; a table that is whole ends with these.
    fn times(&self, gathered: &mut Gathered) -> Result<EventTimes, TablesError> {
        let (raw, settings) = (self.raw, self.settings);
        let never = || vec![NEVER; raw.n_rows];
        let recorded = match &settings.recorded_at {
            Some(column) => Some(gathered.remarks.take(raw.known_times(column), never)?),
            None => None,
        };
        let at = gathered
            .remarks
            .take(raw.known_times(&settings.at), never)?;
        if self.joining.is_whole() {
            // What a table speaks of ends with what was recorded, where it says so.
            for (column, times) in settings
                .recorded_at
                .iter()
                .zip(&recorded)
                .chain([(&settings.at, &at)])
            {
                gathered.count_times(
                    self.label,
                    column,
                    times.iter().map(|&at| (at != NEVER).then_some(at)),
                );
            }
        }
        Ok(EventTimes { at, recorded })
    }

    /// The columns that split the counts.
    fn kinds(&self) -> Result<Vec<KindColumn>, TablesError> {
        let read = |column: &String| {
            let Column::Category { codes, levels } = read_category(self.raw, column)? else {
                unreachable!("read_category gives categories")
            };
            Ok(KindColumn {
                name: column.clone(),
                codes,
                levels,
                tokenizer: tokenizer_of(&self.settings.types, column),
            })
        };
        self.settings.kind.iter().map(read).collect()
    }

    /// The numbers to sum and average.
    fn values(&self, gathered: &mut Gathered) -> Result<Vec<ValueColumn>, TablesError> {
        let mut values = Vec::new();
        for column in &self.settings.values {
            let numbers = gathered.remarks.take(read_values(self.raw, column), || {
                vec![f64::NAN; self.raw.n_rows]
            })?;
            values.push(ValueColumn {
                name: column.clone(),
                values: numbers,
            });
        }
        Ok(values)
    }

    /// Takes the owner from events without a time, and compares the others with the creation of
    /// their leads.
    fn leave_out(&self, owners: &mut [u32], times: &EventTimes) -> EventCounts {
        let mut counts = EventCounts {
            n_rows: owners.len(),
            unknown: owners.iter().filter(|owner| **owner == MISSING).count(),
            ..EventCounts::default()
        };
        for (row, owner) in owners
            .iter_mut()
            .enumerate()
            .filter(|(_, owner)| **owner != MISSING)
        {
            let at = times.at[row];
            let known = times.recorded.as_ref().map_or(at, |recorded| recorded[row]);
            if at == NEVER || known == NEVER {
                counts.without_time += 1;
                *owner = MISSING;
            } else if let (false, Some(created)) = (
                self.is_of_accounts,
                created_start(self.joining.created, *owner),
            ) {
                counts.n_compared += 1;
                counts.early += usize::from(at < created);
                counts.long_before += usize::from(is_long_before(at, created));
            }
        }
        counts
    }

    /// Says what is left out, and what of it is no accident any more.
    fn say(
        &self,
        counts: &EventCounts,
        matching: &Matching,
        times: &EventTimes,
        gathered: &mut Gathered,
    ) {
        let (label, settings, config) = (self.label, self.settings, self.joining.config);
        let remarks = &mut gathered.remarks;
        if self.joining.is_whole() {
            remarks.doubts.extend(before_everything(
                config,
                label,
                &settings.at,
                counts.long_before,
                counts.n_compared,
            ));
        }
        let whose = if self.is_of_accounts {
            "an account"
        } else {
            "a lead"
        };
        let first = matching
            .first_row()
            .map(|row| self.raw.place(row))
            .or_else(|| self.joining.origin.first_stranger(label));
        let note = Note::counted(
            label,
            counts.unknown,
            format!("event is of {whose} that the leads table does not have; it is left out"),
            format!("events are of {whose} that the leads table does not have; they are left out"),
        );
        remarks
            .notes
            .extend(note.map(|note| Note { first, ..note }));
        if !remarks.doubts.iter().any(|doubt| doubt.table == label) {
            let undated = Share {
                count: counts.without_time,
                of: counts.n_rows - counts.unknown,
                key: "undated_rows",
                allowed: config.data.undated_rows,
            };
            let doubt = undated.doubt(
                Subject::Times,
                label,
                "events have no time, or none at which they were recorded",
                "they are left out",
            );
            let column = settings.recorded_at.as_deref().unwrap_or(&settings.at);
            remarks
                .doubts
                .extend(doubt.map(|doubt| doubt.of_column(column)));
        }
        remarks.count(
            label,
            counts.without_time,
            "event has no time and is left out",
            "events have no time and are left out",
        );
        remarks.count(
            label,
            counts.early,
            "event happened before its lead was created; it counts all the same",
            "events happened before their lead was created; they count all the same",
        );
        if times.recorded.is_none() {
            let text = "has event time only: an event that was entered late counts from when it happened; `recorded_at` would say when it was known";
            remarks.note(Note::new(label, text));
        }
    }

    /// Says where events may be there twice, and who has very many of them.
    fn say_repeated(
        &self,
        activities: &Activities,
        numbers: &HashMap<&str, u32>,
        gathered: &mut Gathered,
    ) {
        let (n_repeated, n_owners) = activities.owners_of_repeated();
        let again = Share {
            count: n_repeated,
            of: n_owners,
            key: "repeated_rows",
            allowed: self.joining.config.data.repeated_rows,
        };
        let found = "leads or accounts have events that are the same row again: is a file there twice, or does a pattern name one twice?";
        gathered.remarks.doubts.extend(again.doubt(
            Subject::Types,
            self.label,
            found,
            "they are different events",
        ));
        let busy = busy_owners(activities, numbers).map(|(owner, n_events)| {
            let text = format!(
                "`{owner}` alone has {n_events} events: a robot, or a placeholder for nobody? They count all the same; leave it out of the table if it is no lead"
            );
            Note::new(self.label, text)
        });
        gathered.remarks.notes.extend(busy);
    }
}

/// The doubt about a column of entry times that holds the days of an export.
fn one_day(
    config: &Config,
    table: &str,
    column: &str,
    recorded: &[Timestamp],
    at: &[Timestamp],
) -> Option<Doubt> {
    const LOOKED_AT: usize = 10_000;
    const DAY: i64 = 86_400_000_000;
    let both = recorded
        .iter()
        .zip(at)
        .filter(|(recorded, at)| **recorded != NEVER && **at != NEVER);
    let every = recorded.len().div_ceil(LOOKED_AT).max(1);
    let known: Vec<(i64, i64)> = both
        .step_by(every)
        .map(|(recorded, at)| {
            (
                recorded.micros().div_euclid(DAY),
                at.micros().div_euclid(DAY),
            )
        })
        .collect();
    let (first, last) = known
        .iter()
        .fold((i64::MAX, i64::MIN), |(first, last), (_, day)| {
            (first.min(*day), last.max(*day))
        });
    if known.len() < 20 || last - first < 60 {
        return None;
    }
    let mut days: Vec<i64> = known.iter().map(|(day, _)| *day).collect();
    days.sort_unstable();
    let within = |at: usize| days.partition_point(|day| *day < days[at] + 3) - at;
    let most = (0..days.len()).map(within).max()?;
    let share = Share {
        count: most,
        of: known.len(),
        key: "recorded_together",
        allowed: config.data.recorded_together,
    };
    let found = format!(
        "rows were recorded within three days, and happened on {} days: the day of an export is no time of entry",
        last - first + 1
    );
    let doubt = share
        .doubt(Subject::Times, table, &found, "they were entered then")?
        .of_column(column);
    Some(doubt.advise("else leave `recorded_at` out: events are then seen from when they happened"))
}

/// From so many events on, one lead or account is worth a word.
const BUSY: usize = 100_000;

/// The leads or accounts with very many events, by number of events.
fn busy_owners<'a>(
    activities: &'a Activities,
    numbers: &'a HashMap<&str, u32>,
) -> impl Iterator<Item = (&'a str, usize)> {
    let mut busy: Vec<usize> = (0..activities.n_entities())
        .filter(|&entity| activities.events_of(entity).len() >= BUSY)
        .collect();
    busy.sort_by_key(|&entity| std::cmp::Reverse(activities.events_of(entity).len()));
    busy.truncate(3);
    busy.into_iter().filter_map(|entity| {
        let name = numbers
            .iter()
            .find(|(_, number)| **number as usize == entity)?
            .0;
        Some((*name, activities.events_of(entity).len()))
    })
}

/// Numbers that can be summed exactly.
fn read_values(raw: &RawTable<'_>, column: &str) -> Result<Vec<f64>, TablesError> {
    let values = raw.numbers(column)?;
    match values.iter().position(|value| value.abs() > MAX_VALUE) {
        None => Ok(values),
        Some(row) => Err(raw.cell_error(
            row,
            column,
            format!("the number {} is too large to be summed", values[row]),
            "expected at most 1e15 either way: correct it, give it in a larger unit, or list it under `null_values` if it means missing",
        )),
    }
}
