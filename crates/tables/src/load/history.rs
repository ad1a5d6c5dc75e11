//! What attributes were, and when.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use leadscore_core::{AttributeTable, FeatureKind, Stamp, Timestamp, Writing};

use super::activities::{before_everything, is_long_before};
use super::attributes::{Interner, texts};
use super::matching::doubt_of;
use super::{Gathered, Origin, add_table_notes, created_start};
use crate::bounds::Bounds;
use crate::config::{ColumnType, Config, HistoryConfig};
use crate::doubt::{Doubt, Share, Subject};
use crate::error::TablesError;
use crate::keys::Matching;
use crate::missing::MISSING;
use crate::note::Note;
use crate::remarks::Remarks;
use crate::scan::{RawTable, Table};
use crate::typed::{Attribute, Column, History, HistoryChange, LoadOptions};
use crate::values::{NumberCensus, NumberFormat, NumberVerdict};

/// A change of an attribute: the lead, from when it is known, its place among changes of that
/// moment, and the row that says so.
type Change = (u32, Timestamp, f64, usize);

/// Fails where the history lacks a column that the config names.
pub(super) fn check_history(config: &Config, table: &Table<'_>) -> Result<(), TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let named = [
        ("lead", Some(&settings.lead)),
        ("attribute", Some(&settings.attribute)),
        ("value", Some(&settings.value)),
        ("changed_at", Some(&settings.changed_at)),
        ("old_value", settings.old_value.as_ref()),
        ("sequence", settings.sequence.as_ref()),
    ];
    for (key, column) in named
        .into_iter()
        .filter_map(|(key, column)| Some((key, column?)))
    {
        table.require(key, column)?;
        if let Some(doubt) = table.unreadable(column) {
            return Err(doubt.into());
        }
    }
    Ok(())
}

/// The columns of a history that are read.
pub(super) fn history_columns(settings: &HistoryConfig) -> Vec<&str> {
    let mut columns: Vec<&str> = vec![
        &settings.lead,
        &settings.attribute,
        &settings.value,
        &settings.changed_at,
    ];
    columns.extend(settings.old_value.as_deref());
    columns.extend(settings.sequence.as_deref());
    columns
}

/// Which attributes are numbers, by every value that they ever had.
#[derive(Default)]
pub(super) struct HistoryKinds {
    seen: BTreeMap<String, NumberCensus>,
}

impl HistoryKinds {
    pub(super) fn add(
        &mut self,
        settings: &HistoryConfig,
        raw: &RawTable<'_>,
    ) -> Result<(), TablesError> {
        let names = texts(raw, &settings.attribute)?;
        for column in std::iter::once(&settings.value).chain(&settings.old_value) {
            raw.for_each_text(column, |row, text| {
                let (Some(name), Some(text)) = (&names[row], text) else {
                    return Ok(());
                };
                if let Some(census) = self.seen.get_mut(name) {
                    census.add(text, raw.row_in_table(row));
                } else {
                    let mut census = NumberCensus::default();
                    census.add(text, raw.row_in_table(row));
                    self.seen.insert(name.clone(), census);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The kind of each attribute; `types` of the leads decides first, since a value there is one
    /// of the same attribute.
    pub(super) fn decide(
        self,
        config: &Config,
        table: &Table<'_>,
        remarks: &mut Remarks,
    ) -> BTreeMap<String, FeatureKind> {
        let settings = config.history.as_ref().expect("called where there is one");
        let mut kinds = BTreeMap::new();
        for (name, census) in self.seen {
            let declared = config.leads.types.get(&name);
            let is_looked_at = is_wanted(config, &name);
            let style = table
                .file
                .style_of(&settings.value)
                .and_then(|style| style.format());
            let verdict = if matches!(declared, Some(ColumnType::Number(_))) {
                census.verdict_of_numbers(style, false)
            } else {
                census.verdict(style, false)
            };
            let kind = match (&verdict, declared) {
                (_, Some(ColumnType::Category | ColumnType::Time | ColumnType::Id)) => {
                    FeatureKind::Category
                }
                // Numbers of one attribute are no cells of one column: without a word of the config
                // only what programs write is read.
                (NumberVerdict::Numbers(format), _)
                    if *format == NumberFormat::PLAIN || style.is_some() =>
                {
                    FeatureKind::Number
                }
                (NumberVerdict::Numbers(format), _) => {
                    if is_looked_at {
                        remarks.doubt(other_writing(table, settings, &name, *format));
                    }
                    FeatureKind::Category
                }
                (NumberVerdict::Words, _) => FeatureKind::Category,
                (NumberVerdict::Mixed(_) | NumberVerdict::Unclear(_), _) => {
                    if is_looked_at {
                        let mut doubt =
                            crate::number_doubts::doubt(table, &settings.value, &verdict, false);
                        doubt.found = format!("values of `{name}`: {}", doubt.found);
                        doubt
                            .settings
                            .retain(|setting| !setting.line.starts_with("types."));
                        doubt = doubt.settled_in(
                            "[leads]",
                            crate::config_lines::type_line(&name, "\"category\""),
                            "the values are words",
                        );
                        remarks.doubt(doubt);
                    }
                    FeatureKind::Category
                }
            };
            kinds.insert(name, kind);
        }
        kinds
    }
}

/// The doubt about values that are numbers, and not written as programs write them.
fn other_writing(
    table: &Table<'_>,
    settings: &HistoryConfig,
    name: &str,
    format: NumberFormat,
) -> Doubt {
    let found = format!("values of `{name}` are numbers, and not written as programs write them");
    let doubt = Doubt::new(Subject::Numbers, &table.name, found).of_column(&settings.value);
    let doubt = match format.writing() {
        Some(Writing { decimal, thousands }) => {
            let thousands = thousands
                .map(|sign| format!(", thousands = \"{sign}\""))
                .unwrap_or_default();
            let line = format!(
                "types.{} = {{ decimal = \"{decimal}\"{thousands} }}",
                crate::config_lines::key(&settings.value)
            );
            doubt.settled_by(line, "all numbers of the history are written so")
        }
        None => doubt.advise("write the numbers alone"),
    };
    doubt.settled_in(
        "[leads]",
        crate::config_lines::type_line(name, "\"category\""),
        "the values are words",
    )
}

fn is_wanted(config: &Config, name: &str) -> bool {
    config.leaves_out(&AttributeTable::Leads, name).is_none()
}

/// Reads the past of attributes; an attribute that only the history knows is added to those of the
/// leads.
pub(super) fn read_history<'c>(
    config: &'c Config,
    origin: &Origin<'_, 'c>,
    index: &HashMap<&str, u32>,
    options: &LoadOptions,
    attributes: &mut Vec<Attribute>,
    created: &[Option<Stamp>],
    gathered: &mut Gathered,
) -> Result<History, TablesError> {
    let settings = config.history.as_ref().expect("called where there is one");
    let n_leads = created.len();
    let table = origin.open("[history]", settings.file())?;
    check_history(config, &table)?;
    let raw = table.read(&history_columns(settings))?;
    let is_whole = options.known_ends.is_none();
    let kinds = match &options.history_kinds {
        Some(kinds) => kinds.clone(),
        None => {
            let mut kinds = HistoryKinds::default();
            kinds.add(settings, &raw)?;
            kinds.decide(config, &table, &mut gathered.remarks)
        }
    };
    let owners = texts(&raw, &settings.lead)?;
    let names = texts(&raw, &settings.attribute)?;
    let cells = texts(&raw, &settings.value)?;
    let old_cells = settings
        .old_value
        .as_ref()
        .map(|column| texts(&raw, column))
        .transpose()?;
    let times = gathered
        .remarks
        .take(raw.times(&settings.changed_at), || vec![None; raw.n_rows])?;
    let sequence = match &settings.sequence {
        Some(column) => Some(
            gathered
                .remarks
                .take(raw.numbers(column), || vec![f64::NAN; raw.n_rows])?,
        ),
        None => None,
    };
    if is_whole {
        gathered.count_times(
            "[history]",
            &settings.changed_at,
            times.iter().map(|time| time.map(|stamp| stamp.known)),
        );
    }
    let (mut unknown, mut matching, mut long_before) = (0_usize, Matching::default(), 0_usize);
    // Attribute → the changes of each lead; in every part of the leads the same attributes.
    let mut changes: BTreeMap<&str, Vec<Change>> = kinds
        .keys()
        .map(|name| (name.as_str(), Vec::new()))
        .collect();
    for row in 0..raw.n_rows {
        let position = owners[row]
            .as_deref()
            .and_then(|owner| index.get(owner))
            .copied();
        if let Some(owner) = &owners[row] {
            matching.add(owner, row, position.is_some());
        }
        let (Some(position), Some(name), Some(time)) = (position, &names[row], times[row]) else {
            unknown += 1;
            continue;
        };
        long_before += usize::from(
            created_start(created, position)
                .is_some_and(|created| is_long_before(time.known, created)),
        );
        let place = sequence.as_ref().map_or(0.0, |sequence| sequence[row]);
        changes
            .entry(name)
            .or_default()
            .push((position, time.known, place, row));
    }
    if is_whole {
        gathered.remarks.doubts.extend(doubt_of(
            config,
            &raw,
            &settings.lead,
            &matching,
            &mut index.keys().copied(),
        ));
        gathered.remarks.doubts.extend(before_everything(
            config,
            "[history]",
            &settings.changed_at,
            long_before,
            matching.n_matched,
        ));
        gathered
            .matched
            .insert("[history]".to_owned(), matching.counts());
    }
    changes.retain(|name, _| is_wanted(config, name));
    if is_whole && config.data.contradicting_changes < 1.0 {
        gathered
            .remarks
            .doubts
            .extend(other_spelling(&changes, attributes, &raw, settings));
        if settings.complete && raw.n_rows == 0 {
            let doubt = Doubt::new(
                Subject::Changes,
                "[history]",
                "has no rows, and `complete` says that every change is there",
            );
            gathered.remarks.doubt(
                doubt
                    .settled_by(
                        "complete = false",
                        "nothing is known of values before today",
                    )
                    .advise("or export the log again"),
            );
        }
    }
    if let (Some(column), Some(sequence)) = (&settings.sequence, &sequence)
        && let Some(row) = (0..raw.n_rows).find(|&row| sequence[row].is_nan())
    {
        let doubt = Doubt::new(
            Subject::Changes,
            "[history]",
            "a change has no number in the column that puts changes in order",
        )
        .of_column(column);
        gathered.remarks.doubt(
            doubt
                .at(Some(raw.place(row)))
                .advise("fill it, or leave `sequence` out: the order of the file then decides"),
        );
    }
    gathered.remarks.count("[history]", unknown, "changes are of leads that are not there, or lack an attribute or a time; they are left out");
    add_table_notes(config, &table, raw.n_rows_of_files(), &mut gathered.remarks);
    let mut history = History::default();
    let ordering = Ordering {
        raw: &raw,
        settings,
        cells: &cells,
        old_cells: old_cells.as_deref(),
        has_sequence: sequence.is_some(),
        is_ordered: table.has_file_order(),
    };
    for (name, mut rows) in changes {
        ordering.sort(name, &mut rows, &mut gathered.remarks);
        let existing = attributes.iter().find(|attribute| attribute.name == name);
        let levels_of_today: Option<Vec<String>> =
            existing.and_then(|attribute| match &attribute.column {
                Column::Category { levels, .. } => Some(levels.clone()),
                Column::Number(_) => None,
            });
        let all_numbers = kinds.get(name) == Some(&FeatureKind::Number);
        let as_number = match existing.map(|attribute| &attribute.column) {
            Some(Column::Category { .. }) => false,
            Some(Column::Number(_)) if !all_numbers => {
                return Err(TablesError::Content {
                    table: "[history]".to_owned(),
                    found: format!("`{name}` is a number in the leads and not always one in its history"),
                    help: "correct the history, or list the cells that mean missing under its `null_values`".to_owned(),
                });
            }
            _ => all_numbers,
        };
        let mut offsets = vec![0; n_leads + 1];
        for row in &rows {
            offsets[row.0 as usize + 1] += 1;
        }
        for lead in 0..n_leads {
            offsets[lead + 1] += offsets[lead];
        }
        // What held before the first change of a lead: the old value that it names; of leads
        // without any, today's.
        let mut earlier: Vec<Option<String>> = Vec::new();
        let mut before: Vec<u32> = Vec::new();
        if settings.complete || old_cells.is_some() {
            before = vec![MISSING; n_leads];
            for lead in 0..n_leads {
                let value = match (
                    rows.get(offsets[lead])
                        .filter(|_| offsets[lead] < offsets[lead + 1]),
                    &old_cells,
                ) {
                    (Some(first), Some(old_cells)) => old_cells[first.3].clone(),
                    (None, _) if settings.complete => {
                        existing.and_then(|attribute| text_of(&attribute.column, lead))
                    }
                    _ => None,
                };
                if value.is_some() {
                    before[lead] = (rows.len() + earlier.len()) as u32;
                    earlier.push(value);
                }
            }
        }
        let all_cells = rows
            .iter()
            .map(|row| cells[row.3].as_deref())
            .chain(earlier.iter().map(Option::as_deref));
        let values = if as_number {
            let format = table
                .file
                .style_of(&settings.value)
                .and_then(|style| style.format())
                .unwrap_or(NumberFormat::PLAIN);
            let number = |cell: &str| {
                format
                    .parse(cell)
                    .or_else(|| cell.parse().ok())
                    .unwrap_or(f64::NAN)
            };
            Column::Number(
                all_cells
                    .map(|cell| cell.map_or(f64::NAN, number))
                    .collect(),
            )
        } else {
            let mut interner = Interner::default();
            let mut codes: Vec<u32> = all_cells
                .map(|cell| cell.map_or(MISSING, |cell| interner.code(cell)))
                .collect();
            let levels = interner.into_sorted_levels(&mut codes);
            Column::Category { codes, levels }
        };
        if existing.is_none() {
            let column = if as_number {
                Column::Number(vec![f64::NAN; n_leads])
            } else {
                Column::Category {
                    codes: vec![MISSING; n_leads],
                    levels: Vec::new(),
                }
            };
            attributes.push(Attribute {
                name: name.to_owned(),
                column,
            });
        } else {
            say_what_differs(
                config,
                name,
                existing.map(|attribute| &attribute.column),
                &offsets,
                &values,
                is_whole,
                &mut gathered.remarks,
            );
        }
        if let Some(old_cells) = &old_cells {
            // Of numbers any other one may have held.
            if let (Column::Category { .. }, Some(today)) = (&values, &levels_of_today) {
                gathered
                    .remarks
                    .doubts
                    .extend(broken_chain(config, name, &rows, &cells, old_cells, today));
            }
        }
        history.attributes.push(HistoryChange {
            attribute: name.to_owned(),
            offsets,
            known: rows.iter().map(|row| row.1).collect(),
            values,
            before,
        });
    }
    Ok(history)
}

/// A value as the history would write it.
fn text_of(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Number(values) => Some(values[row])
            .filter(|value| !value.is_nan())
            .map(|value| value.to_string()),
        Column::Category { codes, levels } => Some(codes[row])
            .filter(|&code| code != MISSING)
            .map(|code| levels[code as usize].clone()),
    }
}

/// Leads whose value of today is not that of their last change: the log has gaps, or is of another
/// attribute.
fn say_what_differs(
    config: &Config,
    name: &str,
    today: Option<&Column>,
    offsets: &[usize],
    values: &Column,
    is_whole: bool,
    remarks: &mut Remarks,
) {
    let Some(today) = today else { return };
    let changed = || (0..offsets.len() - 1).filter(|&lead| offsets[lead] < offsets[lead + 1]);
    let n_changed = changed().count();
    let n_other = changed()
        .filter(|&lead| {
            text_of(today, lead).is_some()
                && text_of(today, lead) != text_of(values, offsets[lead + 1] - 1)
        })
        .count();
    let share = contradiction(config, n_other, n_changed);
    let found = format!(
        "leads have another `{name}` today than after their last change: are `value` and the order of changes right, and is the log whole?"
    );
    if let Some(doubt) = share.doubt(
        Subject::Changes,
        "[history]",
        &found,
        "the log misses changes",
    ) {
        remarks.doubt(doubt);
    } else if n_other > 0 && is_whole {
        remarks.note(Note::new(
            "[history]",
            format!("`{name}` is today another value than after the last change, for {n_other} of {n_changed} leads: does the log miss changes?"),
        ));
    }
}

fn contradiction(config: &Config, count: usize, of: usize) -> Share {
    Share {
        count,
        of,
        key: "contradicting_changes",
        allowed: config.data.contradicting_changes,
    }
}

/// Changes whose old value is not what the change before left.
fn broken_chain(
    config: &Config,
    name: &str,
    rows: &[Change],
    cells: &[Option<String>],
    old_cells: &[Option<String>],
    today: &[String],
) -> Option<Doubt> {
    let pairs = || rows.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let n_broken = pairs()
        .filter(|pair| old_cells[pair[1].3].is_some() && old_cells[pair[1].3] != cells[pair[0].3])
        .count();
    let found = format!(
        "changes of `{name}` begin with another value than the change before left: are `old_value` and `value` the right columns?"
    );
    let broken = contradiction(config, n_broken, pairs().count()).doubt(
        Subject::Changes,
        "[history]",
        &found,
        "the log misses changes",
    );
    if broken.is_some() {
        return broken;
    }
    // What held before a first change is a value that the attribute has elsewhere.
    let known: hashbrown::HashSet<&str> = rows
        .iter()
        .filter_map(|row| cells[row.3].as_deref())
        .chain(today.iter().map(String::as_str))
        .collect();
    let firsts = || {
        rows.iter()
            .enumerate()
            .filter(|(at, row)| *at == 0 || rows[at - 1].0 != row.0)
            .filter_map(|(_, row)| old_cells[row.3].as_deref())
    };
    let n_strange = firsts().filter(|old| !known.contains(old)).count();
    let found = format!(
        "first changes of `{name}` begin with a value that neither the leads nor other changes have: is `old_value` written as `value` is?"
    );
    contradiction(config, n_strange, firsts().count()).doubt(
        Subject::Changes,
        "[history]",
        &found,
        "such values were there",
    )
}

/// The doubt about an attribute that the log spells otherwise than the leads do.
fn other_spelling(
    changes: &BTreeMap<&str, Vec<Change>>,
    attributes: &[Attribute],
    raw: &RawTable<'_>,
    settings: &HistoryConfig,
) -> Option<Doubt> {
    let plain = |name: &str| {
        let lower: String = name
            .strip_suffix("__c")
            .unwrap_or(name)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        lower.to_lowercase()
    };
    let is_attribute = |name: &str| attributes.iter().any(|attribute| attribute.name == name);
    let (stranger, rows, attribute) = changes
        .iter()
        .filter(|(name, rows)| !is_attribute(name) && !rows.is_empty())
        .find_map(|(name, rows)| {
            let attribute = attributes
                .iter()
                .find(|attribute| plain(&attribute.name) == plain(name))?;
            Some((*name, rows, &attribute.name))
        })?;
    let found = format!(
        "{} changes are of `{stranger}`, which is no column of the leads; `{attribute}` is one: is that the same?",
        rows.len()
    );
    let doubt = Doubt::new(Subject::Changes, "[history]", found)
        .of_column(&settings.attribute)
        .at(rows.first().map(|row| raw.place(row.3)));
    let doubt = doubt.settled_in(
        "[data]",
        "contradicting_changes = 1.0",
        "it is not: the log has an attribute of its own",
    );
    Some(doubt.advise(format!("write `{attribute}` in the log, as in a `query`")))
}

/// In which order the changes of one moment came.
struct Ordering<'r> {
    raw: &'r RawTable<'r>,
    settings: &'r HistoryConfig,
    cells: &'r [Option<String>],
    old_cells: Option<&'r [Option<String>]>,
    has_sequence: bool,
    /// Whether the order of rows is that of somebody's file.
    is_ordered: bool,
}

impl Ordering<'_> {
    /// Puts changes in order: by lead and time, then by `sequence`, else by the old values where
    /// these make a chain, else by the order of the file, which may run backwards.
    fn sort(&self, name: &str, rows: &mut [Change], remarks: &mut Remarks) {
        rows.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(a.1.cmp(&b.1))
                .then(a.2.total_cmp(&b.2))
                .then_with(|| self.raw.row_in_table(a.3).cmp(&self.raw.row_in_table(b.3)))
        });
        let tied = |rows: &[Change]| -> Vec<std::ops::Range<usize>> {
            let mut runs = Vec::new();
            let mut begin = 0;
            for end in 1..=rows.len() {
                let is_same = end < rows.len()
                    && (rows[begin].0, rows[begin].1, rows[begin].2.to_bits())
                        == (rows[end].0, rows[end].1, rows[end].2.to_bits());
                if !is_same {
                    if end - begin > 1
                        && rows[begin..end]
                            .iter()
                            .any(|row| self.cells[row.3] != self.cells[rows[begin].3])
                    {
                        runs.push(begin..end);
                    }
                    begin = end;
                }
            }
            runs
        };
        let runs = tied(rows);
        if runs.is_empty() {
            return;
        }
        let direction = if self.has_sequence || !self.is_ordered {
            None
        } else {
            direction(rows, self.raw)
        };
        for run in runs {
            if let Some(chained) = self.chain(&rows[..run.start], &rows[run.clone()]) {
                rows[run].copy_from_slice(&chained);
                continue;
            }
            match direction {
                Some(Direction::Forwards) => {}
                Some(Direction::Backwards) => rows[run].reverse(),
                None => {
                    remarks.doubt(self.doubt(name, &rows[run]));
                    return;
                }
            }
        }
    }

    /// The changes in the one order in which each begins with what the one before it left.
    fn chain(&self, earlier: &[Change], rows: &[Change]) -> Option<Vec<Change>> {
        let old_cells = self.old_cells?;
        let mut left: Vec<Change> = rows.to_vec();
        let before = earlier
            .last()
            .filter(|last| last.0 == rows[0].0)
            .map(|last| &self.cells[last.3]);
        // It begins with what held before, or with the only old value that no change leaves.
        let begins = |row: &Change| match before {
            Some(value) => old_cells[row.3] == *value,
            None => rows
                .iter()
                .all(|other| self.cells[other.3] != old_cells[row.3]),
        };
        let first = left.iter().position(begins)?;
        let mut chained = vec![left.remove(first)];
        while !left.is_empty() {
            let value = &self.cells[chained.last()?.3];
            let mut next = left
                .iter()
                .enumerate()
                .filter(|(_, row)| old_cells[row.3] == *value);
            let (at, _) = next.next()?;
            if next.any(|(_, row)| self.cells[row.3] != self.cells[left[at].3]) {
                return None;
            }
            chained.push(left.remove(at));
        }
        Some(chained)
    }

    fn doubt(&self, name: &str, rows: &[Change]) -> Doubt {
        let value = |row: &Change| self.cells[row.3].as_deref().unwrap_or("nothing").to_owned();
        let found = format!(
            "`{name}` changes to `{}` and to `{}` ({}) at one moment, {}, and nothing says which came last",
            value(&rows[0]),
            value(&rows[1]),
            self.raw.place(rows[1].3),
            rows[0].1
        );
        let why = if self.has_sequence {
            "their `sequence` is the same to fifteen digits"
        } else {
            "the rows stand in no order of time, or come from no single file"
        };
        let doubt = Doubt::new(Subject::Changes, "[history]", format!("{found}: {why}"))
            .of_column(&self.settings.changed_at)
            .at(Some(self.raw.place(rows[0].3)));
        doubt.settled_by(
            "sequence = \"…\"",
            "the column whose numbers put changes of one moment in order",
        )
    }
}

/// How the rows of a file run through time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// Which way the file runs, by changes of one lead at different moments; `None` where it runs both
/// ways.
fn direction(rows: &[Change], raw: &RawTable<'_>) -> Option<Direction> {
    let (mut forwards, mut backwards) = (0_usize, 0_usize);
    for pair in rows
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1)
    {
        if raw.row_in_table(pair[0].3) < raw.row_in_table(pair[1].3) {
            forwards += 1;
        } else {
            backwards += 1;
        }
    }
    match (forwards, backwards) {
        (_, 0) => Some(Direction::Forwards),
        (0, _) => Some(Direction::Backwards),
        _ => None,
    }
}

/// The first two changes at one moment that nothing puts in order, where the rows have no order of
/// their own, as in a database.
///
/// # Errors
///
/// As [`crate::load`], for the history.
pub fn unordered_changes(
    config: &Config,
    folder: &std::path::Path,
) -> Result<Option<Doubt>, TablesError> {
    let Some(settings) = &config.history else {
        return Ok(None);
    };
    let table = Table::open(
        "[history]",
        folder,
        settings.file(),
        Bounds::new(config, None),
    )?;
    check_history(config, &table)?;
    let raw = table.read(&history_columns(settings))?;
    let (owners, names, cells) = (
        texts(&raw, &settings.lead)?,
        texts(&raw, &settings.attribute)?,
        texts(&raw, &settings.value)?,
    );
    let times = raw.times(&settings.changed_at)?;
    let sequence = settings
        .sequence
        .as_ref()
        .map(|column| raw.numbers(column))
        .transpose()?;
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut changes: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for row in 0..raw.n_rows {
        if let (Some(owner), Some(name), Some(time)) =
            (owners[row].as_deref(), names[row].as_deref(), times[row])
        {
            let next = numbers.len() as u32;
            let owner = *numbers.entry(owner).or_insert(next);
            changes.entry(name).or_default().push((
                owner,
                time.known,
                sequence.as_ref().map_or(0.0, |sequence| sequence[row]),
                row,
            ));
        }
    }
    let ordering = Ordering {
        raw: &raw,
        settings,
        cells: &cells,
        old_cells: None,
        has_sequence: sequence.is_some(),
        is_ordered: false,
    };
    let mut remarks = Remarks::default();
    for (name, mut rows) in changes
        .into_iter()
        .filter(|(name, _)| is_wanted(config, name))
    {
        ordering.sort(name, &mut rows, &mut remarks);
    }
    Ok(remarks.doubts.into_iter().next())
}
