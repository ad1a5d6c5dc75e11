//! What attributes were, and when.

use std::borrow::Cow;
use std::collections::BTreeMap;

use leadscore_config::{Doubt, Subject};
use leadscore_config::{HistoryConfig, TableId};
use leadscore_core::{CellKind, Stamp, Timestamp};
use leadscore_dataset::{Attribute, Column, History, HistoryChange};
use leadscore_dataset::{MISSING, NEVER};
use leadscore_values::NumberFormat;

use super::attributes::{Interner, texts, tokenizer_of};
use super::before_creation::{before_everything, created_start, is_long_before};
use super::change_order::{Change, Ordering};
use super::contradictions::{broken_chain, other_spelling, say_what_differs, text_of};
use super::gathered::{Gathered, add_table_notes};
use super::history_dates::Dates;
use super::history_kinds::{HistoryKinds, check_history, history_columns, is_wanted};
use super::joining::Joining;
use super::matching::doubt_of;
use crate::error::TablesError;
use crate::keys::Matching;
use crate::remarks::Remarks;
use crate::scan::RawTable;

/// Reads the past of attributes; an attribute that only the history knows is added to those of the
/// leads.
pub(super) fn read_history(
    joining: &Joining<'_, '_>,
    attributes: &mut Vec<Attribute>,
    gathered: &mut Gathered,
) -> Result<History, TablesError> {
    let config = joining.config;
    let settings = config.history.as_ref().expect("called where there is one");
    let table = joining.open(&TableId::History, settings.file())?;
    check_history(config, &table)?;
    let raw = table.read(&history_columns(settings))?;
    let kinds = match &joining.options.history_kinds {
        Some(kinds) => kinds.clone(),
        None => {
            let mut kinds = HistoryKinds::default();
            kinds.add(settings, &raw)?;
            kinds.decide(config, &table, &mut gathered.remarks)
        }
    };
    let style = table.file.style_of(&settings.value);
    let log = Log::read(joining, settings, &raw, gathered)?;
    let (mut changes, counts) = log.changes(&kinds);
    if joining.is_whole() {
        log.doubt_owners(&counts, gathered);
    }
    changes.retain(|name, _| is_wanted(config, name));
    if joining.is_whole() && config.data.contradicting_changes < 1.0 {
        log.doubt_attributes(&changes, attributes, &mut gathered.remarks);
    }
    log.doubt_sequence(&mut gathered.remarks);
    gathered.remarks.count(
        "[history]",
        counts.unknown,
        "change is of a lead that is not there, or lacks an attribute or a time; it is left out",
        "changes are of leads that are not there, or lack an attribute or a time; they are left out",
    );
    add_table_notes(config, &table, raw.n_rows_of_files, &mut gathered.remarks);
    let past = Past {
        ordering: log.ordering(table.has_file_order()),
        format: style
            .and_then(|style| style.format())
            .unwrap_or(NumberFormat::PLAIN),
        log: &log,
        kinds: &kinds,
    };
    let mut history = History::default();
    for (name, rows) in changes {
        let change = past.of(name, rows, attributes, &mut gathered.remarks)?;
        history.attributes.push(change);
    }
    Ok(history)
}

/// The cells of a history.
pub(super) struct Log<'l> {
    joining: &'l Joining<'l, 'l>,
    settings: &'l HistoryConfig,
    raw: &'l RawTable<'l>,
    owners: Vec<Option<String>>,
    names: Vec<Option<String>>,
    cells: Vec<Option<String>>,
    old_cells: Option<Vec<Option<String>>>,
    times: Vec<Option<Stamp>>,
    sequence: Option<Vec<f64>>,
}

/// Whose changes were met.
#[derive(Default)]
struct ChangeCounts {
    /// Rows that are no change of a lead that is there.
    unknown: usize,
    matching: Matching,
    /// Rows that lie years before the creation of their lead.
    long_before: usize,
}

impl<'l> Log<'l> {
    fn read(
        joining: &'l Joining<'l, 'l>,
        settings: &'l HistoryConfig,
        raw: &'l RawTable<'l>,
        gathered: &mut Gathered,
    ) -> Result<Self, TablesError> {
        let owners = texts(raw, &settings.lead)?;
        let names = texts(raw, &settings.attribute)?;
        let cells = texts(raw, &settings.value)?;
        let old_cells = settings
            .old_value
            .as_ref()
            .map(|column| texts(raw, column))
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
        if joining.is_whole() {
            gathered.count_times(
                "[history]",
                &settings.changed_at,
                times.iter().map(|time| time.map(|stamp| stamp.known)),
            );
        }
        Ok(Self {
            joining,
            settings,
            raw,
            owners,
            names,
            cells,
            old_cells,
            times,
            sequence,
        })
    }

    /// The changes of each attribute; in every part of the leads the same attributes.
    fn changes<'n>(
        &'n self,
        kinds: &'n BTreeMap<String, CellKind>,
    ) -> (BTreeMap<&'n str, Vec<Change>>, ChangeCounts) {
        let mut counts = ChangeCounts::default();
        let mut changes: BTreeMap<&str, Vec<Change>> = kinds
            .keys()
            .map(|name| (name.as_str(), Vec::new()))
            .collect();
        for row in 0..self.raw.n_rows {
            let position = self.owners[row]
                .as_deref()
                .and_then(|owner| self.joining.index.get(owner))
                .copied();
            if let Some(owner) = &self.owners[row] {
                counts.matching.add(owner, row, position.is_some());
            }
            let (Some(position), Some(name), Some(time)) =
                (position, &self.names[row], self.times[row])
            else {
                counts.unknown += 1;
                continue;
            };
            counts.long_before += usize::from(
                created_start(self.joining.created, position)
                    .is_some_and(|created| is_long_before(time.known, created)),
            );
            let place = self.sequence.as_ref().map_or(0.0, |sequence| sequence[row]);
            changes
                .entry(name)
                .or_default()
                .push((position, time.known, place, row));
        }
        (changes, counts)
    }

    /// The doubts about changes of nobody, and of times long before their leads.
    fn doubt_owners(&self, counts: &ChangeCounts, gathered: &mut Gathered) {
        let config = self.joining.config;
        gathered.remarks.doubts.extend(doubt_of(
            config,
            self.raw,
            &self.settings.lead,
            &counts.matching,
            &mut self.joining.index.keys().copied(),
        ));
        gathered.remarks.doubts.extend(before_everything(
            config,
            "[history]",
            &self.settings.changed_at,
            counts.long_before,
            counts.matching.n_matched,
        ));
        gathered
            .matched
            .insert("[history]".to_owned(), counts.matching.counts());
    }

    /// The doubts about attributes that the leads spell otherwise, and about a log that is to be
    /// complete and is empty.
    fn doubt_attributes(
        &self,
        changes: &BTreeMap<&str, Vec<Change>>,
        attributes: &[Attribute],
        remarks: &mut Remarks,
    ) {
        remarks
            .doubts
            .extend(other_spelling(changes, attributes, self.raw, self.settings));
        if self.settings.complete && self.raw.n_rows == 0 {
            let doubt = Doubt::new(
                Subject::Changes,
                "[history]",
                "has no rows, and `complete` states that every change is there",
            );
            remarks.doubt(
                doubt
                    .settled_by(
                        "complete = false",
                        "nothing is known of values before today",
                    )
                    .advise("or export the log again"),
            );
        }
    }

    /// The doubt about a change without a number in the column that puts changes in order.
    fn doubt_sequence(&self, remarks: &mut Remarks) {
        if let (Some(column), Some(sequence)) = (&self.settings.sequence, &self.sequence)
            && let Some(row) = (0..self.raw.n_rows).find(|&row| sequence[row].is_nan())
        {
            let doubt = Doubt::new(
                Subject::Changes,
                "[history]",
                "a change has no number in the column that puts changes in order",
            )
            .of_column(column);
            remarks.doubt(
                doubt
                    .at(Some(self.raw.place(row)))
                    .advise("fill it, or leave `sequence` out: the order of the file then decides"),
            );
        }
    }

    /// What puts changes of one moment in order.
    fn ordering(&self, is_ordered: bool) -> Ordering<'_> {
        Ordering {
            raw: self.raw,
            settings: self.settings,
            cells: &self.cells,
            old_cells: self.old_cells.as_deref(),
            has_sequence: self.sequence.is_some(),
            is_ordered,
        }
    }
}

/// What makes the past of an attribute of its changes.
struct Past<'p> {
    log: &'p Log<'p>,
    ordering: Ordering<'p>,
    /// How its numbers are written.
    format: NumberFormat,
    kinds: &'p BTreeMap<String, CellKind>,
}

impl Past<'_> {
    /// The past of one attribute, which is added to those of the leads if it is none of them.
    fn of(
        &self,
        name: &str,
        mut rows: Vec<Change>,
        attributes: &mut Vec<Attribute>,
        remarks: &mut Remarks,
    ) -> Result<HistoryChange, TablesError> {
        let (log, joining) = (self.log, self.log.joining);
        let n_leads = joining.created.len();
        self.ordering.sort(name, &mut rows, remarks);
        let today = attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| &attribute.column);
        let kind = self.kind(name, today)?;
        let offsets = offsets_of(&rows, n_leads);
        let (before, earlier) = self.before(&rows, &offsets, today);
        let values = match kind {
            CellKind::Date => Column::Dates(self.dates(name, &rows, &earlier, today, remarks)),
            CellKind::Number => Column::Number(self.numbers(&self.texts(&rows, &earlier, today))),
            CellKind::Category => categories(&self.texts(&rows, &earlier, today)),
        };
        if let Some(today) = today {
            say_what_differs(
                joining.config,
                name,
                today,
                &offsets,
                &values,
                joining.is_whole(),
                remarks,
            );
            // Of numbers any other one may have held.
            if let (Some(old_cells), Column::Category { .. }, Column::Category { levels, .. }) =
                (&log.old_cells, &values, today)
            {
                remarks.doubts.extend(broken_chain(
                    joining.config,
                    name,
                    &rows,
                    &log.cells,
                    old_cells,
                    levels,
                ));
            }
        } else {
            attributes.push(Attribute {
                name: name.to_owned(),
                column: unknown_today(kind, n_leads),
                tokenizer: tokenizer_of(&joining.config.leads.types, name),
            });
        }
        Ok(HistoryChange {
            attribute: name.to_owned(),
            offsets,
            known: rows.iter().map(|row| row.1).collect(),
            values,
            before,
        })
    }

    /// What the values of an attribute are; as those of today are, where there are any.
    fn kind(&self, name: &str, today: Option<&Column>) -> Result<CellKind, TablesError> {
        let by_values = self.kinds.get(name).copied();
        match today.map(Column::kind) {
            Some(CellKind::Number) if by_values != Some(CellKind::Number) => {
                Err(TablesError::Content {
                    table: "[history]".to_owned(),
                    found: format!(
                        "`{name}` is a number in the leads and not always one in its history"
                    ),
                    help: "correct the history, or list the cells that mean missing under its `null_values`".to_owned(),
                })
            }
            Some(kind) => Ok(kind),
            None => Ok(by_values.unwrap_or(CellKind::Category)),
        }
    }

    /// What held before the first change of each lead: the old value that it names; of leads
    /// without any, today's. Beside where each stands behind the changes, where the values are.
    fn before(
        &self,
        rows: &[Change],
        offsets: &[usize],
        today: Option<&Column>,
    ) -> (Vec<u32>, Vec<Earlier>) {
        let is_complete = self.log.settings.complete;
        let old_cells = &self.log.old_cells;
        let mut earlier: Vec<Earlier> = Vec::new();
        if !is_complete && old_cells.is_none() {
            return (Vec::new(), earlier);
        }
        let n_leads = offsets.len() - 1;
        let mut before = vec![MISSING; n_leads];
        for lead in 0..n_leads {
            let first = rows
                .get(offsets[lead])
                .filter(|_| offsets[lead] < offsets[lead + 1]);
            let value = match (first, old_cells) {
                (Some(first), Some(old_cells)) => {
                    old_cells[first.3].as_ref().map(|_| Earlier::Named(first.3))
                }
                (None, _) if is_complete => today
                    .and_then(|today| text_of(today, lead))
                    .map(|_| Earlier::Today(lead)),
                _ => None,
            };
            if let Some(value) = value {
                before[lead] = (rows.len() + earlier.len()) as u32;
                earlier.push(value);
            }
        }
        (before, earlier)
    }

    /// The old value that a row names.
    fn old_cell(&self, row: usize) -> Option<&str> {
        self.log.old_cells.as_ref()?[row].as_deref()
    }

    /// The values as they are written.
    fn texts<'v>(
        &'v self,
        rows: &[Change],
        earlier: &[Earlier],
        today: Option<&Column>,
    ) -> Vec<Option<Cow<'v, str>>> {
        let cells = rows
            .iter()
            .map(|row| self.log.cells[row.3].as_deref().map(Cow::Borrowed));
        let earlier = earlier.iter().map(|earlier| match *earlier {
            Earlier::Named(row) => self.old_cell(row).map(Cow::Borrowed),
            Earlier::Today(lead) => today.and_then(|today| text_of(today, lead)).map(Cow::Owned),
        });
        cells.chain(earlier).collect()
    }

    /// The values as numbers.
    fn numbers(&self, cells: &[Option<Cow<'_, str>>]) -> Vec<f64> {
        let number = |cell: &str| {
            self.format
                .parse(cell)
                .or_else(|| cell.parse().ok())
                .unwrap_or(f64::NAN)
        };
        let cells = cells.iter().map(Option::as_deref);
        cells.map(|cell| cell.map_or(f64::NAN, number)).collect()
    }

    /// The values as dates; what is none is a doubt. They are written as the history says, or as the
    /// column of the leads is said to be, or in ISO 8601: the dates of one attribute are no column
    /// whose cells together could tell.
    fn dates(
        &self,
        name: &str,
        rows: &[Change],
        earlier: &[Earlier],
        today: Option<&Column>,
        remarks: &mut Remarks,
    ) -> Vec<Timestamp> {
        let (log, config) = (self.log, self.log.joining.config);
        let mut changes = Dates::new(config, log.raw, name, &log.settings.value);
        let mut dates: Vec<Timestamp> = rows
            .iter()
            .map(|row| changes.read(row.3, log.cells[row.3].as_deref()))
            .collect();
        let old_column = log.settings.old_value.as_ref();
        let mut olds = Dates::new(
            config,
            log.raw,
            name,
            old_column.unwrap_or(&log.settings.value),
        );
        dates.extend(earlier.iter().map(|earlier| match (*earlier, today) {
            (Earlier::Named(row), _) => olds.read(row, self.old_cell(row)),
            (Earlier::Today(lead), Some(Column::Dates(dates))) => dates[lead],
            (Earlier::Today(_), Some(Column::Number(_) | Column::Category { .. }) | None) => NEVER,
        }));
        for read in [changes, olds] {
            remarks.doubts.extend(read.doubt());
        }
        dates
    }
}

/// Where the value is that held before the first change of a lead.
#[derive(Clone, Copy)]
enum Earlier {
    /// The old value that this row names.
    Named(usize),
    /// Today's of this lead.
    Today(usize),
}

/// The values as categories.
fn categories(cells: &[Option<Cow<'_, str>>]) -> Column {
    let mut interner = Interner::default();
    let cells = cells.iter().map(Option::as_deref);
    let mut codes: Vec<u32> = cells
        .map(|cell| cell.map_or(MISSING, |cell| interner.code(cell)))
        .collect();
    let levels = interner.into_sorted_levels(&mut codes);
    Column::Category { codes, levels }
}

/// Where the changes of each lead begin.
fn offsets_of(rows: &[Change], n_leads: usize) -> Vec<usize> {
    let mut offsets = vec![0; n_leads + 1];
    for row in rows {
        offsets[row.0 as usize + 1] += 1;
    }
    for lead in 0..n_leads {
        offsets[lead + 1] += offsets[lead];
    }
    offsets
}

/// An attribute of which the leads say nothing.
fn unknown_today(kind: CellKind, n_leads: usize) -> Column {
    match kind {
        CellKind::Number => Column::Number(vec![f64::NAN; n_leads]),
        CellKind::Category => Column::Category {
            codes: vec![MISSING; n_leads],
            levels: Vec::new(),
        },
        CellKind::Date => Column::Dates(vec![NEVER; n_leads]),
    }
}
