//! One lead of a store as of a moment, by the road that reads tables: its features, and what else a
//! score says.

use std::sync::Arc;

use leadscore_config::{Config as Settings, TierEdges};
use leadscore_core::{FeatureMatrix, FeatureSource, FeatureSpec, Timestamp, printable};
use leadscore_dataset::{Standing, Tables};
use leadscore_features::scoring_snapshots;
use leadscore_inference::Model;
use leadscore_store::{Entity, StoredEvent};
use serde_json::Value;

use super::lead_tables::Unsure;
use super::rows::{ColumnsRead, StoreRows};
use super::rows_reader::{LeadOfRows, RowsReader};
use crate::ages::age_of;
use crate::config::Config;
use crate::data::{Data, now};
use crate::error::bail;
use crate::hold_back;
use crate::lone_lead::{look, unchanged};
use crate::score_summary::{joined, too_old};

/// Reads one lead after the other from its rows.
pub struct LeadReader {
    rows: RowsReader,
    model: Arc<Model>,
    /// For leads that are in no table.
    lookups: Data,
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
        check_served_model(&model)?;
        let rows = RowsReader::new(config, &model.specs, tables, |data| data.to_score(&model))?;
        let lookups = rows_of_lookups(&rows.settings, &model, &rows.kept_lookups, &[])?;
        Ok(Self {
            lookups: Data::lookups_beside(config, lookups)?,
            rows,
            model,
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Where tiers begin for one lead, as likelihoods from 0 to 1: by `[tiers]`, else by the model.
    pub fn edges(&self) -> [f64; 3] {
        edges_of_one(self.rows.settings.tiers.edges, self.model.tier_edges)
    }

    /// What the config says, as it is written.
    pub fn settings(&self) -> &Settings {
        &self.rows.settings
    }

    /// Whose rows a score of the lead reads beside its own: its account, and rows of lookups.
    ///
    /// # Errors
    ///
    /// A row is no JSON object.
    pub fn beside(&self, rows: &[StoredEvent]) -> crate::Result<Vec<Entity>> {
        self.rows.beside(rows)
    }

    /// Reads a lead as of a moment: of its rows, those that were recorded before it.
    ///
    /// # Errors
    ///
    /// A row is not what the door lets in, or the model reads what is not there.
    pub fn read(&self, lead: &str, at: Timestamp, rows: &[StoredEvent]) -> crate::Result<LeadRead> {
        self.of_rows(at, self.rows.read(lead, at, rows)?)
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
        self.of_rows(at, self.rows.read_by_frames(lead, at, rows)?)
    }

    /// Whether a lead is held back from prioritizing, by its rows that were recorded before a moment,
    /// open or not.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn is_held_back(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<bool> {
        let Some(rule) = hold_back::rule_of(&self.rows.settings) else {
            return Ok(false);
        };
        Ok(match self.rows.read(lead, at, rows)? {
            LeadOfRows::Lead(tables, number) => hold_back::holds(rule, &tables, number),
            LeadOfRows::Waiting | LeadOfRows::Unknown => rule.holds(lead),
        })
    }

    fn of_rows(&self, at: Timestamp, lead: LeadOfRows) -> crate::Result<LeadRead> {
        match lead {
            LeadOfRows::Lead(tables, number) => self.row_of(number, at, &tables),
            LeadOfRows::Waiting => Ok(LeadRead::Waiting),
            LeadOfRows::Unknown => Ok(LeadRead::Unknown),
        }
    }

    fn row_of(&self, number: u32, at: Timestamp, tables: &Tables) -> crate::Result<LeadRead> {
        let set = scoring_snapshots(tables, at);
        let Some(snapshot) = set.at_risk.iter().find(|snapshot| snapshot.lead == number) else {
            let why = match tables.standing(number, at) {
                Standing::Won => "it was won".to_owned(),
                Standing::Lost => "it was lost".to_owned(),
                Standing::Open => match tables.leads.known_since(number) {
                    None => format!(
                        "it has no `{}`",
                        printable(
                            self.rows
                                .settings
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
        let hold_back = hold_back::rule_of(&self.rows.settings);
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
        let kept = self.rows.kept_lookups.iter().filter_map(|name| {
            let lookup = self.rows.settings.lookups.get(name)?;
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
        let read = read.and_then(|lead| self.rows.tables.read_raw(lead, at, now(), &seen));
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
        let rows = rows_of_lookups(
            &self.rows.settings,
            &self.model,
            &self.rows.kept_lookups,
            &seen,
        )?;
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
    let mut of_lookups = StoreRows::new(settings, ColumnsRead::by(&model.specs));
    for row in rows {
        of_lookups.add((*row).clone())?;
    }
    of_lookups.keep_lookups(kept);
    Ok(of_lookups)
}

/// The edges of a lead alone, which has no quartiles.
fn edges_of_one(rule: TierEdges, of_model: [f64; 3]) -> [f64; 3] {
    match rule {
        TierEdges::Relative | TierEdges::Frozen => of_model,
        TierEdges::Percent(edges) => edges.map(|edge| edge / 100.0),
    }
}

/// Fails where a model reads what one lead's rows do not have: what the account's other leads did.
///
/// # Errors
///
/// The feature, and what to train instead.
pub fn check_served_model(model: &Model) -> crate::Result<()> {
    match of_other_leads(&model.specs) {
        Some(spec) => bail!(
            "the model reads `{}`, which is of the account's other leads, and one lead's rows do not have them\n  hint: name `families` without \"account\" in [features], such as [\"attributes\", \"created\", \"age\", \"history\", \"counts\", \"values\", \"active_days\", \"latest\"], and train again",
            printable(&spec.name)
        ),
        None => Ok(()),
    }
}

/// The first of features that is of what the account's other leads did.
pub(crate) fn of_other_leads(specs: &[FeatureSpec]) -> Option<&FeatureSpec> {
    specs.iter().find(|spec| {
        matches!(
            spec.source,
            FeatureSource::Peers { .. } | FeatureSource::PeerLeads(_)
        )
    })
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
