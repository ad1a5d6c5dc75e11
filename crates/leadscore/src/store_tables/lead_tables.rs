//! The typed tables of one lead, made of its rows without frames: equal to those that the road of
//! tables makes of the same rows, in a small part of the time.
//!
//! Only rows that can be read one way alone are read here. What the tables' own road would have to
//! look at as a whole (outcomes, numbers that are written as texts, times that cannot be meant) is
//! left to that.

mod cells;
mod events;
mod raw;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use leadscore_config::{Config as Settings, FileConfig, NumberStyle};
use leadscore_core::{CellKind, Span, Stamp, Timestamp, Tokenizer, stable_hash};
use leadscore_dataset::{
    Activities, Attribute, AttributeKey, Column, Courses, History, HistoryChange, LeadOutcome,
    Leads, LoadOptions, Lookup, LookupRows, MISSING, NEVER, Tables, Versions,
};
use leadscore_store::StoredEvent;
use leadscore_values::{NumberFormat, TimeFormat, Window};

use self::cells::{Nulls, categories, today_text, unknown_today};
use self::events::{ActivityTable, Events};
use self::raw::RawColumns;
use super::cells::{Cell, Row};
use super::leads::{Lead, LeadRoles};

pub(super) use self::cells::Unsure;

/// The rows of a lookup that is read from its file, and the entry of each key.
pub(super) struct FileLookup {
    pub(super) entries: HashMap<String, u32>,
    pub(super) rows: Arc<LookupRows>,
}

impl FileLookup {
    /// The lookup of a lead with this key.
    fn of_key(&self, name: &str, key: Option<String>) -> Lookup {
        let entry = key.and_then(|key| self.entries.get(&key).copied());
        Lookup {
            name: name.to_owned(),
            entry_of_lead: vec![entry.unwrap_or(MISSING)],
            rows: Arc::clone(&self.rows),
        }
    }
}

/// What is read of rows, prepared once.
pub(super) struct LeadTables {
    settings: Settings,
    roles: LeadRoles,
    attributes: Vec<AttributeColumn>,
    /// Attributes of which a past is kept.
    history: Vec<AttributeColumn>,
    history_format: NumberFormat,
    activities: Vec<ActivityTable>,
    lookups: Vec<LookupTable>,
    /// What leads that are in no table may have.
    raw: RawColumns,
}

/// A column to learn from.
struct AttributeColumn {
    name: String,
    kind: CellKind,
    nulls: Nulls,
    tokenizer: Option<Tokenizer>,
}

/// A table that leads point to.
struct LookupTable {
    name: String,
    table: String,
    leads_key: String,
    key_nulls: Nulls,
    attributes: Vec<AttributeColumn>,
    /// Where its rows are not those of the store.
    file: Option<FileLookup>,
}

impl LeadTables {
    /// Prepares what a model reads; `files` are the lookups whose rows are not those of the store.
    pub(super) fn new(
        settings: &Settings,
        options: &LoadOptions,
        mut files: BTreeMap<String, FileLookup>,
    ) -> Self {
        let wanted = |lookup: Option<&str>| -> Vec<(String, CellKind)> {
            let all = options.attributes.iter().flatten();
            let mut of_table: Vec<(String, CellKind)> = all
                .filter(|(AttributeKey { lookup: of, .. }, _)| of.as_deref() == lookup)
                .map(|(key, kind)| (key.column.clone(), *kind))
                .collect();
            of_table.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            of_table
        };
        let leads = settings.leads.file();
        let columns = |file: &FileConfig<'_>, wanted: Vec<(String, CellKind)>| {
            let column = |(name, kind): (String, CellKind)| AttributeColumn {
                nulls: Nulls::of(file, &name),
                tokenizer: file
                    .types
                    .get(&name)
                    .and_then(|kind| kind.tokenizer().cloned()),
                name,
                kind,
            };
            wanted.into_iter().map(column).collect::<Vec<_>>()
        };
        let kinds = options.history_kinds.clone().unwrap_or_default();
        let activities = settings.activities.iter().map(|(name, activity)| {
            let file = activity.file();
            let key = activity.lead.as_ref().or(activity.account.as_ref());
            let key = key.expect("checked with the config").clone();
            let tokenizer = |column: &String| {
                let kind = activity.types.get(column)?;
                kind.tokenizer().cloned()
            };
            let kind = |column: &String| {
                let nulls = Nulls::of(&file, column);
                (column.clone(), nulls, tokenizer(column))
            };
            ActivityTable {
                name: name.clone(),
                table: format!("activities.{name}"),
                key_nulls: Nulls::of(&file, &key),
                key,
                at: activity.at.clone(),
                at_nulls: Nulls::of(&file, &activity.at),
                is_of_account: activity.account.is_some(),
                kinds: activity.kind.iter().map(kind).collect(),
                values: activity
                    .values
                    .iter()
                    .map(|column| (column.clone(), Nulls::of(&file, column)))
                    .collect(),
            }
        });
        let lookups = settings.lookups.iter().map(|(name, lookup)| {
            let leads_key = lookup.leads_key.as_ref().unwrap_or(&lookup.key).clone();
            LookupTable {
                table: format!("lookups.{name}"),
                key_nulls: Nulls::of(&leads, &leads_key),
                leads_key,
                attributes: columns(&lookup.file(), wanted(Some(name))),
                file: files.remove(name),
                name: name.clone(),
            }
        });
        Self {
            raw: RawColumns::of(settings, options),
            roles: LeadRoles::of(settings),
            attributes: columns(&leads, wanted(None)),
            history: columns(&leads, kinds.into_iter().collect()),
            history_format: NumberStyle::with_decimal_comma(false)
                .format()
                .unwrap_or(NumberFormat::PLAIN),
            activities: activities.collect(),
            lookups: lookups.collect(),
            settings: settings.clone(),
        }
    }

    /// The tables of a lead's rows, in order of (at, seq), all of them recorded before `at`; what
    /// became of it is not looked at.
    pub(super) fn read(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[&StoredEvent],
    ) -> Result<Tables, Unsure> {
        let settings = &self.settings;
        let reading = Reading {
            window: settings.data.window(Some(at)),
            of: self,
        };
        let rows = rows.iter().filter(|row| self.has_table(&row.table));
        let rows = rows
            .map(|row| ReadRow::of(row))
            .collect::<Result<Vec<_>, Unsure>>()?;
        let (folded, changes) = reading.fold(lead, &rows)?;
        let mut leads = reading.leads(lead, &folded)?;
        let history = reading.history(&mut leads.attributes, &changes)?;
        let activities = self.activities.iter();
        let activities = activities
            .map(|table| reading.activities(table, lead, &folded, &rows))
            .collect::<Result<Vec<_>, Unsure>>()?;
        let lookups = self.lookups.iter();
        let lookups = lookups
            .map(|table| reading.lookup(table, lead, &folded, &rows))
            .collect::<Result<Vec<_>, Unsure>>()?;
        let courses = settings.outcomes.is_log().then(|| {
            let rows = std::iter::once(Vec::new());
            Arc::new(Courses::new(rows, settings.outcomes.corrections))
        });
        Ok(Tables {
            courses,
            history: Arc::new(history),
            ..self.tables(at, leads, activities, lookups)
        })
    }

    /// Whether its rows are read here.
    fn has_table(&self, table: &str) -> bool {
        table == "leads"
            || self.activities.iter().any(|known| known.table == table)
            || self.lookups.iter().any(|known| known.table == table)
    }

    /// The tables of an open lead that was never changed.
    fn tables(
        &self,
        at: Timestamp,
        leads: Leads,
        activities: Vec<Activities>,
        lookups: Vec<Lookup>,
    ) -> Tables {
        Tables {
            leads: Arc::new(leads),
            lookups: Arc::new(lookups),
            activities: Arc::new(activities),
            outcomes: vec![LeadOutcome::default()],
            courses: None,
            history: Arc::default(),
            is_flat: false,
            observation_end: at,
            silent: self.settings.snapshots.silent,
            entry_lag: Span::ZERO,
            ends: Vec::new(),
            matched: BTreeMap::new(),
            seen: BTreeMap::new(),
            notes: Vec::new(),
        }
    }
}

/// A row of a table that is read here, with its cells.
struct ReadRow<'r> {
    table: &'r str,
    /// The ID of what it is a row of.
    entity: &'r str,
    recorded: Timestamp,
    seq: u64,
    cells: Row<'r>,
}

impl<'r> ReadRow<'r> {
    fn of(row: &'r StoredEvent) -> Result<Self, Unsure> {
        Ok(Self {
            table: &row.table,
            entity: row.entity.id(),
            recorded: row.recorded,
            seq: row.seq,
            cells: Row::read(&row.row)?,
        })
    }
}

/// A change of an attribute: which, from when, what it was, and what it is.
struct Change {
    attribute: usize,
    known: Timestamp,
    before: Cell<'static>,
    now: Cell<'static>,
}

/// One lead while it is read.
struct Reading<'r> {
    of: &'r LeadTables,
    window: Window,
}

impl Reading<'_> {
    /// The lead as its rows leave it, and the changes of attributes that have a past.
    fn fold(&self, lead: &str, rows: &[ReadRow<'_>]) -> Result<(Lead, Vec<Change>), Unsure> {
        let mut of_leads: Vec<&ReadRow<'_>> =
            rows.iter().filter(|row| row.table == "leads").collect();
        if of_leads.iter().any(|row| row.entity != lead) {
            return Err(Unsure);
        }
        of_leads.sort_unstable_by_key(|row| (row.recorded, row.seq));
        let (mut folded, mut changes) = (Lead::default(), Vec::new());
        for event in of_leads {
            let mut changed = |name: &str, before: &Cell<'_>, now: &Cell<'_>| {
                let mut attributes = self.of.history.iter();
                if let Some(attribute) = attributes.position(|known| known.name == name) {
                    changes.push(Change {
                        attribute,
                        known: event.recorded,
                        before: before.clone().into_owned(),
                        now: now.clone().into_owned(),
                    });
                }
            };
            folded.add(event.cells.clone(), &self.of.roles, &mut changed);
        }
        Ok((folded, changes))
    }

    /// A time of a table whose times are as the door writes them.
    fn stamp(
        &self,
        file: &FileConfig<'_>,
        nulls: &Nulls,
        cell: &Cell<'_>,
    ) -> Result<Option<Stamp>, Unsure> {
        let text = match cell {
            Cell::Null => return Ok(None),
            Cell::Text(text) => nulls.clean(text),
            Cell::Integer(_) | Cell::Number(_) => return Err(Unsure),
        };
        let Some(text) = text else { return Ok(None) };
        let stamp = TimeFormat::Iso.parse(text, file.time_zone);
        match stamp {
            Ok(stamp) if self.window.contains(stamp.start) => Ok(Some(stamp)),
            Ok(_) | Err(_) => Err(Unsure),
        }
    }

    /// One value of an attribute as a column of so many rows.
    fn column(
        &self,
        file: &FileConfig<'_>,
        column: &AttributeColumn,
        cells: &[&Cell<'_>],
    ) -> Result<Column, Unsure> {
        let nulls = &column.nulls;
        Ok(match column.kind {
            CellKind::Number => Column::Number(match cells {
                [cell] => vec![nulls.only_number(cell)?],
                _ => cells
                    .iter()
                    .map(|cell| nulls.number(cell))
                    .collect::<Result<_, Unsure>>()?,
            }),
            CellKind::Category => categories(cells.iter().map(|cell| nulls.text(cell))),
            CellKind::Date => {
                let date = |cell: &&Cell<'_>| {
                    let stamp = self.stamp(file, nulls, cell)?;
                    Ok(stamp.map_or(NEVER, |stamp| stamp.start))
                };
                Column::Dates(cells.iter().map(date).collect::<Result<_, Unsure>>()?)
            }
        })
    }

    /// The lead alone, as it is today.
    fn leads(&self, lead: &str, folded: &Lead) -> Result<Leads, Unsure> {
        let settings = &self.of.settings;
        let file = settings.leads.file();
        let value = |name: &str| folded.values.get(name).unwrap_or(&Cell::Null);
        let created_at = &self.of.roles.created_at;
        let created = self.stamp(&file, &Nulls::of(&file, created_at), value(created_at))?;
        let mut attributes = Vec::with_capacity(self.of.attributes.len());
        for column in &self.of.attributes {
            attributes.push(Attribute {
                name: column.name.clone(),
                column: self.column(&file, column, &[value(&column.name)])?,
                tokenizer: column.tokenizer.clone(),
            });
        }
        let account = |column: &String| Nulls::of(&file, column).text(value(column));
        let of_leads = settings.leads.account.as_ref().map(account);
        let entity = match settings.entity_column() {
            Ok(Some(column)) => Some(account(&column.to_owned())),
            Ok(None) | Err(_) => None,
        };
        Ok(Leads {
            id_column: settings.leads.id.clone(),
            ids: vec![lead.to_owned()],
            created: vec![created],
            // What was recorded later is not read.
            recorded: None,
            order: None,
            attributes,
            manual_score: None,
            accounts: of_leads
                .as_ref()
                .map(|account| vec![account.as_ref().map_or(MISSING, |_| 0)]),
            account_names: of_leads.flatten().into_iter().collect(),
            entity_hashes: entity
                .map(|account| vec![stable_hash(account.as_deref().unwrap_or(lead))]),
        })
    }

    /// The past of attributes; those that the leads do not have are added to theirs.
    fn history(
        &self,
        attributes: &mut Vec<Attribute>,
        changes: &[Change],
    ) -> Result<History, Unsure> {
        let mut history = History::default();
        for (number, column) in self.of.history.iter().enumerate() {
            let own: Vec<&Change> = changes
                .iter()
                .filter(|change| change.attribute == number)
                .collect();
            let today = attributes
                .iter()
                .find(|attribute| attribute.name == column.name)
                .map(|attribute| &attribute.column);
            let text = |cell: &Cell<'_>| {
                let text = cell.text()?;
                let text = text.trim();
                (!text.is_empty()).then(|| text.to_owned())
            };
            let mut texts: Vec<Option<String>> =
                own.iter().map(|change| text(&change.now)).collect();
            let earlier = match own.first() {
                Some(first) => text(&first.before),
                None => today.and_then(today_text),
            };
            let before = match &earlier {
                Some(_) => own.len() as u32,
                None => MISSING,
            };
            let is_of_today = own.is_empty();
            texts.extend(earlier.map(Some));
            let kind = today.map_or(column.kind, Column::kind);
            let values = match (kind, today) {
                (CellKind::Date, Some(Column::Dates(dates))) if is_of_today => Column::Dates(
                    dates
                        .iter()
                        .copied()
                        .filter(|date| *date != NEVER)
                        .collect(),
                ),
                (CellKind::Date, _) => self.dates(&texts)?,
                (CellKind::Number, _) => Column::Number(
                    texts
                        .iter()
                        .map(|text| self.number(text.as_deref()))
                        .collect(),
                ),
                (CellKind::Category, _) => categories(texts.into_iter()),
            };
            if today.is_none() {
                attributes.push(Attribute {
                    name: column.name.clone(),
                    column: unknown_today(kind),
                    tokenizer: column.tokenizer.clone(),
                });
            }
            history.attributes.push(HistoryChange {
                attribute: column.name.clone(),
                offsets: vec![0, own.len()],
                known: own.iter().map(|change| change.known).collect(),
                values,
                before: vec![before],
            });
        }
        Ok(history)
    }

    fn number(&self, text: Option<&str>) -> f64 {
        let number = |text: &str| {
            let format = self.of.history_format;
            format
                .parse(text)
                .or_else(|| text.parse().ok())
                .unwrap_or(f64::NAN)
        };
        text.map_or(f64::NAN, number)
    }

    fn dates(&self, texts: &[Option<String>]) -> Result<Column, Unsure> {
        let file = self.of.settings.leads.file();
        let nothing = Nulls {
            texts: Vec::new(),
            numbers: Vec::new(),
        };
        let date = |text: &Option<String>| {
            let cell = text
                .as_ref()
                .map_or(Cell::Null, |text| Cell::Text(text.as_str().into()));
            let stamp = self.stamp(&file, &nothing, &cell)?;
            Ok(stamp.map_or(NEVER, |stamp| stamp.start))
        };
        Ok(Column::Dates(
            texts.iter().map(date).collect::<Result<_, Unsure>>()?,
        ))
    }

    /// What the lead, or its account, did.
    fn activities(
        &self,
        table: &ActivityTable,
        lead: &str,
        folded: &Lead,
        rows: &[ReadRow<'_>],
    ) -> Result<Activities, Unsure> {
        let file = self.of.settings.activities[&table.name].file();
        let owner = self.owner(table, lead, folded);
        let mut events = Events::new(table);
        for event in rows.iter().filter(|row| row.table == table.table) {
            let row = &event.cells;
            let whose = table.key_nulls.text(row.get(&table.key));
            if owner.is_none() || whose != owner {
                continue;
            }
            let Some(stamp) = self.stamp(&file, &table.at_nulls, row.get(&table.at))? else {
                continue;
            };
            events.push(table, row, stamp.known, event.recorded)?;
        }
        Ok(events.of_owner(table, owner.is_some()))
    }

    /// Whose events of a table are the lead's: its own, or those of its account.
    fn owner(&self, table: &ActivityTable, lead: &str, folded: &Lead) -> Option<String> {
        if !table.is_of_account {
            return Some(lead.to_owned());
        }
        let cell = folded.values.get(&table.key).unwrap_or(&Cell::Null);
        Nulls::of(&self.of.settings.leads.file(), &table.key).text(cell)
    }

    /// What the lead points to.
    fn lookup(
        &self,
        table: &LookupTable,
        lead: &str,
        folded: &Lead,
        rows: &[ReadRow<'_>],
    ) -> Result<Lookup, Unsure> {
        let key = self.lookup_key(table, lead, folded);
        if let Some(file) = &table.file {
            return Ok(file.of_key(&table.name, key));
        }
        let mut own: Vec<&ReadRow<'_>> = rows
            .iter()
            .filter(|row| row.table == table.table && Some(row.entity) == key.as_deref())
            .collect();
        own.sort_unstable_by_key(|row| (row.recorded, row.seq));
        let mut versions: Vec<BTreeMap<String, Cell<'static>>> = Vec::new();
        let mut known: Vec<Timestamp> = Vec::new();
        for event in own {
            let mut values = versions.last().cloned().unwrap_or_default();
            for (name, cell) in &event.cells.0 {
                values.insert(name.as_ref().to_owned(), cell.clone().into_owned());
            }
            if known.last() == Some(&event.recorded) {
                versions.pop();
                known.pop();
            }
            versions.push(values);
            known.push(event.recorded);
        }
        let attributes = self.lookup_attributes(table, versions.len(), |version, column| {
            versions[version].get(column).unwrap_or(&Cell::Null)
        })?;
        let has_rows = !known.is_empty();
        Ok(Lookup {
            name: table.name.clone(),
            entry_of_lead: vec![if has_rows { 0 } else { MISSING }],
            rows: Arc::new(LookupRows {
                versions: Some(Versions {
                    offsets: if has_rows {
                        vec![0, known.len()]
                    } else {
                        vec![0]
                    },
                    known,
                }),
                attributes,
            }),
        })
    }

    /// What the lead points to, as a key of the lookup.
    fn lookup_key(&self, table: &LookupTable, lead: &str, folded: &Lead) -> Option<String> {
        if table.leads_key == self.of.settings.leads.id {
            return Some(lead.to_owned());
        }
        let cell = folded.values.get(&table.leads_key).unwrap_or(&Cell::Null);
        table.key_nulls.text(cell)
    }

    /// The columns of a lookup; `cell` has that of a row and a column.
    fn lookup_attributes<'c>(
        &self,
        table: &LookupTable,
        n_rows: usize,
        cell: impl Fn(usize, &str) -> &'c Cell<'c>,
    ) -> Result<Vec<Attribute>, Unsure> {
        let file = self.of.settings.lookups[&table.name].file();
        let mut attributes = Vec::with_capacity(table.attributes.len());
        for column in &table.attributes {
            let cells: Vec<&Cell<'_>> = (0..n_rows).map(|row| cell(row, &column.name)).collect();
            attributes.push(Attribute {
                name: column.name.clone(),
                column: self.column(&file, column, &cells)?,
                tokenizer: column.tokenizer.clone(),
            });
        }
        Ok(attributes)
    }
}
