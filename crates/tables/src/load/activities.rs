//! Event tables, sorted so that the order of the file leaves no trace.

use hashbrown::HashMap;
use leadscore_core::{Stamp, Timestamp};

use super::attributes::read_category;
use super::leads::number_accounts;
use super::matching::doubt_of;
use super::{Gathered, Origin, add_table_notes, created_start};
use crate::config::{ActivityConfig, Config};
use crate::doubt::{Doubt, Share, Subject};
use crate::error::TablesError;
use crate::events::{Activities, EventRows, KindColumn, MAX_VALUE, ValueColumn};
use crate::keys::Matching;
use crate::missing::MISSING;
use crate::missing::NEVER;
use crate::note::Note;
use crate::scan::{RawTable, Table};
use crate::typed::{Column, LoadOptions};

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
            table.require(key, column)?;
            if let Some(doubt) = table.unreadable(column) {
                return Err(doubt.into());
            }
        }
    }
    Ok(())
}

/// Reads one event table.
#[expect(clippy::too_many_arguments, reason = "what an event is joined to")]
pub(super) fn read_activities<'c>(
    config: &Config,
    name: &str,
    settings: &'c ActivityConfig,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    accounts: Option<&[Option<String>]>,
    created: &[Option<Stamp>],
    options: &LoadOptions,
    gathered: &mut Gathered,
) -> Result<Activities, TablesError> {
    let label = format!("[activities.{name}]");
    let table = origin.open(&label, settings.file())?;
    check_activities(settings, &table)?;
    let owner = settings
        .lead
        .as_ref()
        .or(settings.account.as_ref())
        .expect("checked with the config");
    let mut wanted: Vec<&str> = vec![owner, &settings.at];
    wanted.extend(settings.recorded_at.as_deref());
    wanted.extend(
        settings
            .kind
            .iter()
            .chain(&settings.values)
            .map(String::as_str),
    );
    let raw = table.read(&wanted)?;
    let is_whole = options.known_ends.is_none();
    // Accounts are numbered by name; leads without one see no events.
    let (entities, entity_of_lead, n_entities) = match accounts {
        None => (None, None, created.len()),
        Some(accounts) => {
            let (of_lead, numbers) = number_accounts(accounts);
            let n_entities = numbers.len();
            (Some(numbers), Some(of_lead), n_entities)
        }
    };
    let lookup = entities.as_ref().unwrap_or(index);
    let mut owners: Vec<u32> = Vec::with_capacity(raw.n_rows);
    let mut matching = Matching::default();
    raw.for_each_text(owner, |row, text| {
        let found = text.and_then(|text| lookup.get(text)).copied();
        owners.push(found.unwrap_or(MISSING));
        if let (true, None, Some(text)) = (is_whole, found, text) {
            matching.add(text, row, false);
        }
        Ok(())
    })?;
    if is_whole {
        matching.add_matched(owners.iter().filter(|owner| **owner != MISSING).count());
    }
    if is_whole && !config.is_flat() {
        gathered.remarks.doubts.extend(doubt_of(
            config,
            &raw,
            owner,
            &matching,
            &mut lookup.keys().copied(),
        ));
        gathered.matched.insert(label.clone(), matching.counts());
    }
    if is_whole {
        raw.count_missing(owner, raw.n_rows - matching.counts().n_rows);
    }
    let never = || vec![NEVER; raw.n_rows];
    let recorded = match &settings.recorded_at {
        Some(column) => Some(gathered.remarks.take(raw.known_times(column), never)?),
        None => None,
    };
    let at = gathered
        .remarks
        .take(raw.known_times(&settings.at), never)?;
    if is_whole {
        // What a table speaks of ends with what was recorded, where it says so.
        for (column, times) in settings
            .recorded_at
            .iter()
            .zip(&recorded)
            .chain([(&settings.at, &at)])
        {
            gathered.count_times(
                &label,
                column,
                times.iter().map(|&at| (at != NEVER).then_some(at)),
            );
        }
    }
    let mut kinds = Vec::new();
    for column in &settings.kind {
        let Column::Category { codes, levels } = read_category(&raw, column)? else {
            unreachable!("read_category gives categories")
        };
        kinds.push(KindColumn {
            name: column.clone(),
            codes,
            levels,
        });
    }
    let mut values = Vec::new();
    for column in &settings.values {
        let numbers = gathered
            .remarks
            .take(read_values(&raw, column), || vec![f64::NAN; raw.n_rows])?;
        values.push(ValueColumn {
            name: column.clone(),
            values: numbers,
        });
    }
    if let (Some(column), Some(recorded)) = (&settings.recorded_at, &recorded) {
        gathered
            .remarks
            .doubts
            .extend(one_day(config, &label, column, recorded, &at));
    }
    let unknown = owners.iter().filter(|owner| **owner == MISSING).count();
    let (mut without_time, mut early, mut long_before, mut n_compared) =
        (0_usize, 0_usize, 0_usize, 0_usize);
    for (row, owner) in owners
        .iter_mut()
        .enumerate()
        .filter(|(_, owner)| **owner != MISSING)
    {
        let known = recorded.as_ref().map_or(at[row], |recorded| recorded[row]);
        if at[row] == NEVER || known == NEVER {
            without_time += 1;
            *owner = MISSING;
        } else if let (None, Some(created)) = (accounts, created_start(created, *owner)) {
            n_compared += 1;
            early += usize::from(at[row] < created);
            long_before += usize::from(is_long_before(at[row], created));
        }
    }
    if is_whole {
        gathered.remarks.doubts.extend(before_everything(
            config,
            &label,
            &settings.at,
            long_before,
            n_compared,
        ));
    }
    let whose = if accounts.is_some() {
        "an account"
    } else {
        "a lead"
    };
    let first = matching
        .first_row()
        .map(|row| raw.place(row))
        .or_else(|| origin.first_stranger(&label));
    let note = Note::counted(
        &label,
        unknown,
        format!("events are of {whose} that the leads table does not have; they are left out"),
    );
    gathered
        .remarks
        .notes
        .extend(note.map(|note| Note { first, ..note }));
    let undated = Share {
        count: without_time,
        of: owners.len() - unknown,
        key: "undated_rows",
        allowed: config.data.undated_rows,
    };
    let column = settings.recorded_at.as_deref().unwrap_or(&settings.at);
    if !gathered
        .remarks
        .doubts
        .iter()
        .any(|doubt| doubt.table == label)
    {
        let doubt = undated.doubt(
            Subject::Times,
            &label,
            "events have no time, or none at which they were recorded",
            "they are left out",
        );
        gathered
            .remarks
            .doubts
            .extend(doubt.map(|doubt| doubt.of_column(column)));
    }
    gathered
        .remarks
        .count(&label, without_time, "events have no time and are left out");
    gathered.remarks.count(
        &label,
        early,
        "events happened before their lead was created; they count all the same",
    );
    if recorded.is_none() {
        let text = "has event time only: an event that was entered late counts from when it happened; `recorded_at` would say when it was known";
        gathered.remarks.note(Note::new(&label, text));
    }
    if raw.n_rows == 0 && !table.is_spilled() {
        gathered
            .remarks
            .note(Note::new(&label, "has a header and no rows"));
    }
    add_table_notes(config, &table, raw.n_rows_of_files(), &mut gathered.remarks);
    // An event that is recorded before it happens (a planned meeting) is seen when it has happened.
    let visible = recorded.map(|recorded| {
        recorded
            .iter()
            .zip(&at)
            .map(|(&recorded, &at)| recorded.max(at))
            .collect()
    });
    let activities = Activities::new(
        name,
        entity_of_lead,
        n_entities,
        EventRows {
            owners,
            at,
            visible,
            kinds,
            values,
        },
    );
    let (n_repeated, n_owners) = activities.owners_of_repeated();
    let again = Share {
        count: n_repeated,
        of: n_owners,
        key: "repeated_rows",
        allowed: config.data.repeated_rows,
    };
    let found = "leads or accounts have events that are the same row again: is a file there twice, or does a pattern name one twice?";
    gathered.remarks.doubts.extend(again.doubt(
        Subject::Types,
        &label,
        found,
        "they are different events",
    ));
    let busy = busy_owners(&activities, lookup).map(|(owner, n_events)| {
        let text = format!(
            "`{owner}` alone has {n_events} events: a robot, or a placeholder for nobody? They count all the same; leave it out of the table if it is no lead"
        );
        Note::new(&label, text)
    });
    gathered.remarks.notes.extend(busy);
    Ok(activities)
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

/// How long before its lead's creation a row can hardly lie.
const LONG_BEFORE: i64 = 2 * 365 * 86_400_000_000;

/// Whether a row lies years before the creation of its lead.
pub(crate) fn is_long_before(at: Timestamp, created: Timestamp) -> bool {
    created.micros().saturating_sub(at.micros()) > LONG_BEFORE
}

/// The doubt about a table many of whose rows lie years before the creation of their leads.
pub(crate) fn before_everything(
    config: &Config,
    table: &str,
    column: &str,
    n_long_before: usize,
    n_rows: usize,
) -> Option<Doubt> {
    let share = Share {
        count: n_long_before,
        of: n_rows,
        key: "long_before_creation",
        allowed: config.data.long_before_creation,
    };
    let found = "rows lie more than two years before the creation of their lead: every snapshot would know all of them";
    let doubt = share
        .doubt(Subject::Times, table, found, "they are meant")?
        .of_column(column);
    Some(doubt.advise("is `time_format` the right one, and are both tables of the same years?"))
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
