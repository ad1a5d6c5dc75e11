//! The rows of a store's leads as tables as of a moment, by the road that reads tables: prepared once
//! for the features that are computed of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadscore_config::{Config as Settings, Scalar};
use leadscore_core::{CellKind, FeatureSource, FeatureSpec, Span, Timestamp};
use leadscore_dataset::{Courses, KnownEnds, LeadOutcome, LoadOptions, Tables};
use leadscore_store::{Entity, StoredEvent};
use serde_json::{Map, Value};

use super::cells::{Row, stored_instant};
use super::file_lookups::{file_lookups, kept_lookups};
use super::lead_tables::{LeadTables, Unsure};
use super::leads::{Lead, LeadRoles};
use super::rows::{ColumnsRead, StoreRows, frames};
use super::settings::{check_store_settings, of_one_lead, of_store};
use crate::config::Config;
use crate::data::{Data, load_options_of_specs};

/// Reads the tables of one lead after the other from its rows.
pub(crate) struct RowsReader {
    /// As the config is written.
    pub(super) settings: Settings,
    /// As the tables of one lead are read.
    data: Data,
    options: LoadOptions,
    /// Lookups that the store has rows of, or that have no other place.
    pub(super) kept_lookups: Vec<String>,
    roles: LeadRoles,
    columns: ColumnsRead,
    /// The road without frames.
    pub(super) tables: LeadTables,
}

/// What the rows of a lead are.
pub(crate) enum LeadOfRows {
    /// Its tables, and its number in them.
    Lead(Box<Tables>, u32),
    /// There are rows of it, and none in `leads`.
    Waiting,
    /// There are no rows of it.
    Unknown,
}

impl RowsReader {
    /// Prepares a config for what these features read; `adapt` is what else is to be known of the
    /// data. `tables` are those that the store has rows of: a lookup that is none of them and has a
    /// place in the config is read from there, once.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do, or a lookup cannot be read.
    pub(crate) fn new(
        config: &Config,
        specs: &[FeatureSpec],
        tables: &[String],
        adapt: impl FnOnce(Data) -> crate::Result<Data>,
    ) -> crate::Result<Self> {
        let settings = config.settings().clone();
        check_store_settings(&settings)?;
        let kept_lookups = kept_lookups(&settings, tables);
        let columns = ColumnsRead::by(specs);
        let mut empty = StoreRows::new(&settings, columns.clone());
        empty.keep_lookups(&kept_lookups);
        let empty = empty.into_tables()?;
        let mut adapted = of_store(&settings, &kept_lookups);
        adapted.leads.manual_score = None;
        of_one_lead(&mut adapted);
        adapted.put_frames(&frames(empty)?)?;
        let queries = config.parse_by(|_| adapted.queries())?;
        let data = adapt(Data::by_settings(config, adapted).brought(queries)?)?;
        let mut options = load_options_of_specs(specs);
        options.history_kinds = Some(kinds_of_history(specs, &options));
        let files = file_lookups(&data, &options, &kept_lookups)?;
        Ok(Self {
            tables: LeadTables::new(&settings, &options, files),
            roles: LeadRoles::of(&settings),
            settings,
            data,
            options,
            kept_lookups,
            columns,
        })
    }

    /// Whose rows a score of the lead reads beside its own: its account, and rows of lookups.
    ///
    /// # Errors
    ///
    /// A row is no JSON object.
    pub(crate) fn beside(&self, rows: &[StoredEvent]) -> crate::Result<Vec<Entity>> {
        let values = self.fixed_values(rows)?;
        let of_account = self
            .settings
            .activities
            .values()
            .find_map(|activity| {
                activity
                    .account
                    .as_ref()
                    .filter(|_| activity.lead.is_none())
            })
            .and_then(|column| values.get(column))
            .map(|account| Entity::Account(account.clone()));
        let of_lookups = self.settings.lookups.iter().filter_map(|(name, lookup)| {
            let key = values.get(lookup.leads_key.as_ref().unwrap_or(&lookup.key))?;
            Some(Entity::Lookup {
                name: name.clone(),
                key: key.clone(),
            })
        });
        Ok(of_account.into_iter().chain(of_lookups).collect())
    }

    /// What the lead belongs to, by column.
    fn fixed_values(&self, rows: &[StoredEvent]) -> crate::Result<BTreeMap<String, String>> {
        let mut of_leads: Vec<&StoredEvent> =
            rows.iter().filter(|row| row.table == "leads").collect();
        of_leads.sort_unstable_by_key(|row| (row.recorded, row.seq));
        let mut lead = Lead::default();
        for event in of_leads {
            lead.add(Row::read(&event.row)?, &self.roles, &mut |_, _, _| {});
        }
        let fixed = self.roles.fixed.iter();
        let values = fixed.filter_map(|column| {
            let text = lead.values.get(column)?.text()?;
            Some((column.clone(), text.trim().to_owned()))
        });
        let mut values: BTreeMap<String, String> = values.collect();
        if let Some(row) = rows.iter().find(|row| row.table == "leads") {
            values.insert(self.settings.leads.id.clone(), row.entity.id().to_owned());
        }
        Ok(values)
    }

    /// The tables of a lead as of a moment: of its rows, those that were recorded before it.
    ///
    /// # Errors
    ///
    /// A row is not what the door lets in.
    pub(crate) fn read(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<LeadOfRows> {
        let seen = seen_before(rows, at);
        let is_own = |row: &&&StoredEvent| matches!(&row.entity, Entity::Lead(id) if id == lead);
        if seen.iter().filter(is_own).count() == 0 {
            return Ok(LeadOfRows::Unknown);
        }
        if !seen.iter().filter(is_own).any(|row| row.table == "leads") {
            return Ok(LeadOfRows::Waiting);
        }
        let tables = match self.tables.read(lead, at, &seen) {
            Ok(mut tables) => {
                if self.settings.has_outcomes() && seen.iter().any(is_outcome) {
                    (tables.outcomes, tables.courses) = self.outcomes(lead, at, &seen)?;
                }
                tables
            }
            Err(Unsure) => self.tables_of(&seen, at)?,
        };
        Ok(numbered(lead, tables))
    }

    /// The same by frames, as tables are read: slower, and of rows of several leads, too.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(crate) fn read_by_frames(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<LeadOfRows> {
        Ok(numbered(lead, self.tables_of(&seen_before(rows, at), at)?))
    }

    /// What became of a lead, read by the road of tables.
    fn outcomes(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[&StoredEvent],
    ) -> crate::Result<(Vec<LeadOutcome>, Option<Arc<Courses>>)> {
        let mut store_rows = StoreRows::new(&self.settings, ColumnsRead::default());
        for row in rows {
            if row.table == "leads" || is_outcome(row) {
                store_rows.add((*row).clone())?;
            }
        }
        store_rows.add(outcome_of_nobody(&self.settings, lead, at))?;
        let mut tables = store_rows.into_tables()?;
        tables.retain(|name, _| name == "leads" || name == "outcomes");
        let mut settings = self.data.config.clone();
        settings.activities.clear();
        settings.lookups.clear();
        settings.history = None;
        settings.leads.account = None;
        settings.outcomes.amount = None;
        settings.put_frames(&frames(tables)?)?;
        let options = LoadOptions {
            attributes: Some(std::collections::HashMap::new()),
            history_kinds: None,
            ..self.options_at(at)
        };
        let tables = leadscore_io::load(&settings, self.data.folder(), &options)?;
        Ok((tables.outcomes, tables.courses))
    }

    /// How tables are read that know everything until a moment.
    fn options_at(&self, at: Timestamp) -> LoadOptions {
        LoadOptions {
            known_ends: Some(KnownEnds {
                observation_end: at,
                entry_lag: Span::ZERO,
                tables: Vec::new(),
            }),
            now: Some(at),
            as_of: Some(at),
            ..self.options.clone()
        }
    }

    /// The tables of these rows.
    fn tables_of(&self, rows: &[&StoredEvent], at: Timestamp) -> crate::Result<Tables> {
        let mut store_rows = StoreRows::new(&self.settings, self.columns.clone());
        for row in rows {
            store_rows.add((*row).clone())?;
        }
        store_rows.keep_lookups(&self.kept_lookups);
        let mut settings = self.data.config.clone();
        settings.put_frames(&frames(store_rows.into_tables()?)?)?;
        let options = self.options_at(at);
        Ok(leadscore_io::load(&settings, self.data.folder(), &options)?)
    }
}

/// The number of a lead in tables of its rows.
fn numbered(lead: &str, tables: Tables) -> LeadOfRows {
    match tables.leads.ids.iter().position(|id| id == lead) {
        Some(number) => {
            let number = u32::try_from(number).expect("tables number leads by u32");
            LeadOfRows::Lead(Box::new(tables), number)
        }
        None => LeadOfRows::Waiting,
    }
}

/// The rows that were recorded before a moment, in order of (at, seq).
fn seen_before(rows: &[StoredEvent], at: Timestamp) -> Vec<&StoredEvent> {
    let mut seen: Vec<&StoredEvent> = rows.iter().filter(|row| row.recorded < at).collect();
    seen.sort_unstable_by_key(|row| (row.at, row.seq));
    seen
}

fn is_outcome(row: &&StoredEvent) -> bool {
    row.table == "outcomes"
}

/// An outcome of a lead that is not there, in which no column lacks a value: what few rows lack is
/// no sign that a column is the wrong one.
fn outcome_of_nobody(settings: &Settings, lead: &str, at: Timestamp) -> StoredEvent {
    let outcomes = &settings.outcomes;
    let words = [&outcomes.open, &outcomes.lost, &outcomes.won];
    let word = words.into_iter().flatten().next();
    let mut row = Map::new();
    let nobody = format!("{lead} and nobody");
    for column in settings.named_columns("[outcomes]") {
        row.insert(column, Value::from(stored_instant(at)));
    }
    let known = [
        (&outcomes.lead, nobody.clone()),
        (&outcomes.result, word.map(Scalar::text).unwrap_or_default()),
    ];
    for (column, text) in known {
        row.extend(column.clone().map(|column| (column, Value::from(text))));
    }
    StoredEvent {
        seq: 0,
        id: "nobody".to_owned(),
        table: "outcomes".to_owned(),
        entity: Entity::Lead(nobody),
        at,
        recorded: at,
        row: Value::Object(row).to_string(),
    }
}

/// The types of attributes whose changes features may read, each of which has a past although no
/// row changes it.
fn kinds_of_history(specs: &[FeatureSpec], options: &LoadOptions) -> BTreeMap<String, CellKind> {
    let attributes = options.attributes.iter().flatten();
    let mut kinds: BTreeMap<String, CellKind> = attributes
        .filter(|(key, _)| key.lookup.is_none())
        .map(|(key, kind)| (key.column.clone(), *kind))
        .collect();
    for spec in specs {
        if let FeatureSource::AttributeAge { column } | FeatureSource::AttributeChanges { column } =
            &spec.source
        {
            kinds.entry(column.clone()).or_insert(CellKind::Category);
        }
    }
    kinds
}
