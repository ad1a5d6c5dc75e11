//! One lead of a store as of a moment, by the road that reads tables: its features, and what else a
//! score says.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadscore_config::{Config as Settings, Scalar, TierEdges};
use leadscore_core::{CellKind, FeatureMatrix, FeatureSource, Span, Timestamp, printable};
use leadscore_dataset::{Courses, KnownEnds, LeadOutcome, LoadOptions, Standing, Tables};
use leadscore_features::scoring_snapshots;
use leadscore_inference::Model;
use leadscore_store::{Entity, StoredEvent};
use serde_json::{Map, Value};

use super::cells::{Row, stored_instant};
use super::file_lookups::{file_lookups, kept_lookups};
use super::lead_tables::{LeadTables, Unsure};
use super::leads::{Lead, LeadRoles};
use super::rows::{ColumnsRead, StoreRows, frames};
use super::settings::{check_store_settings, of_one_lead, of_store};
use crate::ages::age_of;
use crate::config::Config;
use crate::data::{Data, load_options_of, now};
use crate::error::bail;
use crate::hold_back;
use crate::lone_lead::{look, unchanged};
use crate::score_summary::{joined, too_old};

/// Reads one lead after the other from its rows.
pub struct LeadReader {
    /// As the config is written.
    settings: Settings,
    /// As the tables of one lead are read.
    data: Data,
    model: Arc<Model>,
    options: LoadOptions,
    /// Lookups that the store has rows of, or that have no other place.
    kept_lookups: Vec<String>,
    roles: LeadRoles,
    /// For leads that are in no table.
    lookups: Data,
    /// The road without frames.
    tables: LeadTables,
}

/// A lead that is in no table.
pub struct RawLead {
    /// Its ID, if it has one.
    pub id: String,
    /// What a score reads.
    pub row: LeadRow,
}

/// What the rows of a lead are.
pub enum LeadRead {
    /// It is open.
    Open(Box<LeadRow>),
    /// It is not open: why.
    NotOpen(String),
    /// There are rows of it, and none in `leads`.
    Waiting,
    /// There are no rows of it.
    Unknown,
}

/// A lead that is open.
pub struct LeadRow {
    /// Its features, in one row.
    pub matrix: FeatureMatrix,
    /// Its age in days.
    pub age: f64,
    /// Whether it is held back from prioritizing.
    pub is_held_back: bool,
    /// What about it is unlike training, if anything.
    pub outside: Option<String>,
}

impl LeadReader {
    /// Prepares a config and a model. `tables` are those that the store has rows of: a lookup that
    /// is none of them and has a place in the config is read from there, once.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do; or the model predicts something else, or reads
    /// what one lead's rows do not have; or a lookup cannot be read.
    pub fn new(config: &Config, model: Arc<Model>, tables: &[String]) -> crate::Result<Self> {
        let settings = config.settings().clone();
        check_store_settings(&settings)?;
        check_served_model(&model)?;
        let kept_lookups = kept_lookups(&settings, tables);
        let mut empty = StoreRows::new(&settings, ColumnsRead::by(&model));
        empty.keep_lookups(&kept_lookups);
        let empty = empty.into_tables()?;
        let mut adapted = of_store(&settings, &kept_lookups);
        adapted.leads.manual_score = None;
        of_one_lead(&mut adapted);
        adapted.put_frames(&frames(empty)?)?;
        let queries = config.parse_by(|_| adapted.queries())?;
        let data = Data::by_settings(config, adapted)
            .brought(queries)?
            .to_score(&model)?;
        let mut options = load_options_of(&model);
        options.history_kinds = Some(kinds_of_history(&model, &options));
        let files = file_lookups(&data, &options, &kept_lookups)?;
        Ok(Self {
            tables: LeadTables::new(&settings, &options, files),
            roles: LeadRoles::of(&settings),
            lookups: Data::lookups_beside(
                config,
                rows_of_lookups(&settings, &model, &kept_lookups, &[])?,
            )?,
            settings,
            data,
            model,
            options,
            kept_lookups,
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Where tiers begin for one lead, as likelihoods from 0 to 1: by `[tiers]`, else by the model.
    pub fn edges(&self) -> [f64; 3] {
        edges_of_one(self.settings.tiers.edges, self.model.tier_edges)
    }

    /// What the config says, as it is written.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whose rows a score of the lead reads beside its own: its account, and rows of lookups.
    ///
    /// # Errors
    ///
    /// A row is no JSON object.
    pub fn beside(&self, rows: &[StoredEvent]) -> crate::Result<Vec<Entity>> {
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

    /// Reads a lead as of a moment: of its rows, those that were recorded before it.
    ///
    /// # Errors
    ///
    /// A row is not what the door lets in, or the model reads what is not there.
    pub fn read(&self, lead: &str, at: Timestamp, rows: &[StoredEvent]) -> crate::Result<LeadRead> {
        let mut seen: Vec<&StoredEvent> = rows.iter().filter(|row| row.recorded < at).collect();
        let is_own = |row: &&&StoredEvent| matches!(&row.entity, Entity::Lead(id) if id == lead);
        if seen.iter().filter(is_own).count() == 0 {
            return Ok(LeadRead::Unknown);
        }
        if !seen.iter().filter(is_own).any(|row| row.table == "leads") {
            return Ok(LeadRead::Waiting);
        }
        seen.sort_unstable_by_key(|row| (row.at, row.seq));
        let tables = match self.tables.read(lead, at, &seen) {
            Ok(mut tables) => {
                if self.settings.has_outcomes() && seen.iter().any(is_outcome) {
                    (tables.outcomes, tables.courses) = self.outcomes(lead, at, &seen)?;
                }
                tables
            }
            Err(Unsure) => self.tables_by_frames(&seen, at)?,
        };
        self.row_of(lead, at, &tables)
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

    /// The same by frames, as tables are read: slower, and to compare with.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_by_frames(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<LeadRead> {
        let mut seen: Vec<&StoredEvent> = rows.iter().filter(|row| row.recorded < at).collect();
        seen.sort_unstable_by_key(|row| (row.at, row.seq));
        let tables = self.tables_by_frames(&seen, at)?;
        self.row_of(lead, at, &tables)
    }

    /// The tables of these rows.
    fn tables_by_frames(&self, rows: &[&StoredEvent], at: Timestamp) -> crate::Result<Tables> {
        let mut store_rows = StoreRows::new(&self.settings, ColumnsRead::by(&self.model));
        for row in rows {
            store_rows.add((*row).clone())?;
        }
        store_rows.keep_lookups(&self.kept_lookups);
        let mut settings = self.data.config.clone();
        settings.put_frames(&frames(store_rows.into_tables()?)?)?;
        let options = self.options_at(at);
        Ok(leadscore_io::load(&settings, self.data.folder(), &options)?)
    }

    fn row_of(&self, lead: &str, at: Timestamp, tables: &Tables) -> crate::Result<LeadRead> {
        let Some(number) = tables.leads.ids.iter().position(|id| id == lead) else {
            return Ok(LeadRead::Waiting);
        };
        let number = u32::try_from(number).expect("tables number leads by u32");
        let set = scoring_snapshots(tables, at);
        let Some(snapshot) = set.at_risk.iter().find(|snapshot| snapshot.lead == number) else {
            let why = match tables.standing(number, at) {
                Standing::Won => "it was won".to_owned(),
                Standing::Lost => "it was lost".to_owned(),
                Standing::Open => match tables.leads.known_since(number) {
                    None => format!(
                        "it has no `{}`",
                        printable(
                            self.settings
                                .leads
                                .created_at
                                .as_deref()
                                .unwrap_or_default()
                        )
                    ),
                    Some(known) if known > at => "it is created later".to_owned(),
                    Some(_) => {
                        "it has been silent for longer than `silent` of [snapshots]".to_owned()
                    }
                },
            };
            return Ok(LeadRead::NotOpen(why));
        };
        let matrix = leadscore_features::compute(tables, &self.model.specs, &[*snapshot])?;
        Ok(LeadRead::Open(Box::new(
            self.open(tables, number, at, matrix),
        )))
    }

    /// What else a score says of an open lead.
    fn open(&self, tables: &Tables, lead: u32, at: Timestamp, matrix: FeatureMatrix) -> LeadRow {
        let hold_back = hold_back::rule_of(&self.settings);
        let age = age_of(tables, lead, at);
        let guarded = self.model.guard(&matrix);
        let outside = guarded.and_then(|mut guarded| guarded.of_row.swap_remove(0));
        LeadRow {
            matrix,
            age,
            outside: joined(outside, too_old(&self.model, age)),
            is_held_back: hold_back.is_some_and(|rule| hold_back::holds(rule, tables, lead)),
        }
    }

    /// Whose rows a score of a lead that is in no table reads: those of lookups that the store has,
    /// and that the lead does not bring.
    pub fn beside_raw(&self, lead: &Value) -> Vec<Entity> {
        let text = |column: &str| match lead.get(column)? {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let kept = self.kept_lookups.iter().filter_map(|name| {
            let lookup = self.settings.lookups.get(name)?;
            let brought = lead.get("lookups").and_then(|lookups| lookups.get(name));
            let key = text(lookup.leads_key.as_ref().unwrap_or(&lookup.key))?;
            let is_brought = brought.is_some_and(|brought| !brought.is_null());
            (!is_brought && !key.is_empty()).then(|| Entity::Lookup {
                name: name.clone(),
                key,
            })
        });
        kept.collect()
    }

    /// Reads a lead that is in no table, as [`explain_one`](crate::explain_one) does: its columns,
    /// `activities` and `lookups` as JSON; `rows` are those of [`Self::beside_raw`].
    ///
    /// # Errors
    ///
    /// A key is unknown, a value is not what the model reads, or the lead is not open.
    pub fn read_raw(
        &self,
        lead: &Value,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<RawLead> {
        match self.read_raw_without_frames(lead, at, rows)? {
            Some(read) => Ok(read),
            None => self.read_raw_by_frames(lead, at, rows),
        }
    }

    /// The same without frames; `None` where the road of tables has to look at it.
    ///
    /// # Errors
    ///
    /// The model reads what is not there.
    pub fn read_raw_without_frames(
        &self,
        lead: &Value,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<Option<RawLead>> {
        let seen: Vec<&StoredEvent> = rows.iter().filter(|row| row.recorded < at).collect();
        let read = lead.as_object().ok_or(Unsure);
        let read = read.and_then(|lead| self.tables.read_raw(lead, at, now(), &seen));
        let Ok((id, mut tables)) = read else {
            return Ok(None);
        };
        tables.history = Arc::new(unchanged(&tables, &self.model));
        let set = scoring_snapshots(&tables, at);
        if set.at_risk.is_empty() {
            return Ok(None);
        }
        let matrix = leadscore_features::compute(&tables, &self.model.specs, &set.at_risk)?;
        let row = self.open(&tables, 0, at, matrix);
        Ok(Some(RawLead { id, row }))
    }

    /// The same by frames, as tables are read: slower, and to compare with.
    ///
    /// # Errors
    ///
    /// As [`Self::read_raw`].
    pub fn read_raw_by_frames(
        &self,
        lead: &Value,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<RawLead> {
        let seen: Vec<&StoredEvent> = rows.iter().filter(|row| row.recorded < at).collect();
        let rows = rows_of_lookups(&self.settings, &self.model, &self.kept_lookups, &seen)?;
        let brought = lead.get("lookups").and_then(Value::as_object);
        let brought: Vec<&str> = brought
            .map(|brought| brought.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let lookups = self.lookups.with_lookup_rows(rows, &brought)?;
        let looked = look(&lookups.as_of(at), &self.model, lead)?;
        Ok(RawLead {
            row: self.open(&looked.tables, 0, at, looked.matrix),
            id: looked.id,
        })
    }
}

/// Rows of the lookups that a store keeps.
fn rows_of_lookups<'s>(
    settings: &'s Settings,
    model: &Model,
    kept: &[String],
    rows: &[&StoredEvent],
) -> crate::Result<StoreRows<'s>> {
    let mut of_lookups = StoreRows::new(settings, ColumnsRead::by(model));
    for row in rows {
        of_lookups.add((*row).clone())?;
    }
    of_lookups.keep_lookups(kept);
    Ok(of_lookups)
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

/// The edges of a lead alone, which has no quartiles.
fn edges_of_one(rule: TierEdges, of_model: [f64; 3]) -> [f64; 3] {
    match rule {
        TierEdges::Relative | TierEdges::Frozen => of_model,
        TierEdges::Percent(edges) => edges.map(|edge| edge / 100.0),
    }
}

/// The types of attributes whose changes the model may read, each of which has a past although no
/// row changes it.
fn kinds_of_history(model: &Model, options: &LoadOptions) -> BTreeMap<String, CellKind> {
    let attributes = options.attributes.iter().flatten();
    let mut kinds: BTreeMap<String, CellKind> = attributes
        .filter(|(key, _)| key.lookup.is_none())
        .map(|(key, kind)| (key.column.clone(), *kind))
        .collect();
    for spec in &model.specs {
        if let FeatureSource::AttributeAge { column } | FeatureSource::AttributeChanges { column } =
            &spec.source
        {
            kinds.entry(column.clone()).or_insert(CellKind::Category);
        }
    }
    kinds
}

/// Fails where a model reads what one lead's rows do not have: what the account's other leads did.
///
/// # Errors
///
/// The feature, and what to train instead.
pub fn check_served_model(model: &Model) -> crate::Result<()> {
    let of_others = |source: &FeatureSource| {
        matches!(
            source,
            FeatureSource::Peers { .. } | FeatureSource::PeerLeads(_)
        )
    };
    if let Some(spec) = model.specs.iter().find(|spec| of_others(&spec.source)) {
        bail!(
            "the model reads `{}`, which is of the account's other leads, and one lead's rows do not have them\n  hint: name `families` without \"account\" in [features], such as [\"attributes\", \"created\", \"age\", \"history\", \"counts\", \"values\", \"active_days\", \"latest\"], and train again",
            printable(&spec.name)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lead_takes_the_edges_of_the_config_or_of_the_model() {
        let edges = [0.1, 0.2, 0.4];
        for (rule, expected) in [
            (TierEdges::Relative, edges),
            (TierEdges::Frozen, edges),
            (TierEdges::Percent([1.0, 50.0, 75.0]), [0.01, 0.5, 0.75]),
        ] {
            assert_eq!(edges_of_one(rule, edges), expected);
        }
    }
}
