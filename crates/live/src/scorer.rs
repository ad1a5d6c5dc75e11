//! The score of one lead from its rows, with all of its reasons: the features, the arithmetic and the
//! words of scores of tables.

use std::sync::Arc;

use leadscore::{Config, LeadRead, LeadReader, LeadRow};
use leadscore_core::Timestamp;
use leadscore_inference::{Concepts, Model, score, tiers_by_edges};
use leadscore_serve::{FieldError, LeadScore, NoScore, Reason};
use leadscore_store::{Entity, Store, StoredEvent};
use serde_json::Value;

use crate::door::Door;
use crate::error::LiveError;
use crate::hashes::{Asked, feature_hash, input_hash, json_hash};

/// A lead that is in no table, as of a moment.
pub struct LeadInNoTable<'l> {
    given: &'l Value,
    /// The same as a store would have it.
    read: Value,
    at: Timestamp,
}

/// Scores leads from their rows by one model.
pub struct LiveScorer {
    reader: LeadReader,
    /// What leads that are in no table have to pass.
    door: Door,
    concepts: Concepts,
}

impl LiveScorer {
    /// Prepares a config and a model. `tables` are those that the store has rows of: lookups that
    /// are none of them, and have a place in the config, are read from there, once.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do; or the model predicts something else, or reads
    /// what one lead's rows do not have; or a lookup cannot be read.
    pub fn new(config: &Config, model: Arc<Model>, tables: &[String]) -> Result<Self, LiveError> {
        Ok(Self {
            concepts: model.concepts(),
            door: Door::new(config.settings(), Some(&model), tables)?,
            reader: LeadReader::new(config, model, tables)?,
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        self.reader.model()
    }

    /// Where tiers begin for one lead, as probabilities: by `[tiers]`, else by the model.
    pub fn edges(&self) -> [f64; 3] {
        self.reader.edges()
    }

    /// Whose rows a score reads beside those of the lead, by the lead's own rows: its account, and
    /// rows of lookups.
    ///
    /// # Errors
    ///
    /// A row is not what the door lets in.
    pub fn beside(&self, rows: &[StoredEvent]) -> Result<Vec<Entity>, LiveError> {
        Ok(self.reader.beside(rows)?)
    }

    /// The rows of a store that a score of the lead reads as of a moment.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or has a row that the door does not let in.
    pub fn rows(
        &self,
        store: &Store,
        lead: &str,
        at: Timestamp,
    ) -> Result<Vec<StoredEvent>, LiveError> {
        let mut rows = store.of_entity(&Entity::Lead(lead.to_owned()), at)?;
        for entity in self.beside(&rows)? {
            rows.extend(store.of_entity(&entity, at)?);
        }
        Ok(rows)
    }

    /// Whether a lead is held back from prioritizing, by the rows that a store has before a moment.
    ///
    /// # Errors
    ///
    /// As [`Self::rows`].
    pub fn is_held_back(
        &self,
        store: &Store,
        lead: &str,
        at: Timestamp,
    ) -> Result<bool, LiveError> {
        let rows = self.rows(store, lead, at)?;
        Ok(self.reader.is_held_back(lead, at, &rows)?)
    }

    /// Scores a lead as of a moment by its rows and those of [`Self::beside`], in any order; what
    /// was recorded at the moment or later is not seen. `edges` are where tiers begin, as
    /// likelihoods from 0 to 1; default: `[tiers]`, or those of the model.
    ///
    /// # Errors
    ///
    /// The lead is not there, waits for its row in `leads`, or is not open.
    pub fn score(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
        edges: Option<[f64; 3]>,
    ) -> Result<LeadScore, NoScore> {
        let row = match self.reader.read(lead, at, rows).map_err(failed)? {
            LeadRead::Open(row) => row,
            LeadRead::NotOpen(why) => {
                return Err(NoScore::NotOpen {
                    lead: lead.to_owned(),
                    why,
                });
            }
            LeadRead::Waiting => return Err(NoScore::Waiting(lead.to_owned())),
            LeadRead::Unknown => return Err(NoScore::Unknown(lead.to_owned())),
        };
        let seen = rows.iter().filter(|row| row.recorded < at);
        let hash = input_hash(self.asked(lead, at), seen);
        self.scored(lead, at, &row, hash, edges)
    }

    /// Reads a lead that is in no table, as of a moment: its columns, `activities` and `lookups` as
    /// JSON, with cells as the door lets them into a store.
    ///
    /// # Errors
    ///
    /// [`NoScore::Refused`] says what the door does not let in.
    pub fn raw_lead<'l>(
        &self,
        lead: &'l Value,
        at: Timestamp,
    ) -> Result<LeadInNoTable<'l>, NoScore> {
        let read = self.door.raw_lead(lead, at).map_err(NoScore::Refused)?;
        Ok(LeadInNoTable {
            given: lead,
            read,
            at,
        })
    }

    /// The rows of a store that a score of a lead reads which is in no table.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn raw_rows(
        &self,
        store: &Store,
        lead: &LeadInNoTable<'_>,
    ) -> Result<Vec<StoredEvent>, LiveError> {
        let mut rows = Vec::new();
        for entity in self.reader.beside_raw(&lead.read) {
            rows.extend(store.of_entity(&entity, lead.at)?);
        }
        Ok(rows)
    }

    /// Scores a lead that is in no table; `rows` are those of [`Self::raw_rows`].
    ///
    /// # Errors
    ///
    /// [`NoScore::Refused`] says what is not as the model reads it.
    pub fn score_raw(
        &self,
        lead: &LeadInNoTable<'_>,
        rows: &[StoredEvent],
        edges: Option<[f64; 3]>,
    ) -> Result<LeadScore, NoScore> {
        let (given, at) = (lead.given, lead.at);
        let raw = self
            .reader
            .read_raw(&lead.read, at, rows)
            .map_err(|error| {
                let words = leadscore::error_words(&error);
                let (detail, hint) = words.split_once("\n  hint: ").unwrap_or((&words, ""));
                NoScore::Refused(vec![FieldError {
                    pointer: String::new(),
                    detail: detail.to_owned(),
                    hint: hint.to_owned(),
                }])
            })?;
        let hash = json_hash(self.asked(&raw.id, at), given, rows);
        self.scored(&raw.id, at, &raw.row, hash, edges)
    }

    /// What is asked of this model, as hashes have it.
    pub(crate) fn asked<'a>(&'a self, lead: &'a str, at: Timestamp) -> Asked<'a> {
        Asked {
            lead,
            at,
            model: &self.model().card.model_id,
        }
    }

    /// The score of features.
    fn scored(
        &self,
        lead: &str,
        at: Timestamp,
        row: &LeadRow,
        input_hash: String,
        edges: Option<[f64; 3]>,
    ) -> Result<LeadScore, NoScore> {
        let model = self.model();
        let scored = score(model, &row.matrix).map_err(|error| failed(error.into()))?;
        let edges = edges.unwrap_or_else(|| self.reader.edges());
        let tier = tiers_by_edges(&scored.probabilities, &edges)[0];
        let reason = |reason: leadscore_inference::Reason| Reason {
            concept: reason.concept.to_string(),
            text: reason.text,
            log_odds: reason.log_odds,
        };
        let reasons = model.reasons(&self.concepts, &row.matrix, 0);
        Ok(LeadScore {
            lead: lead.to_owned(),
            at,
            model: model.card.model_id.clone(),
            likelihood: 100.0 * scored.probabilities[0],
            log_odds: scored.log_odds[0],
            baseline: scored.baseline,
            tier,
            reasons: reasons.into_iter().map(reason).collect(),
            outside: row.outside.clone(),
            held_back: row.is_held_back,
            input_hash,
            feature_hash: feature_hash(&row.matrix, 0),
        })
    }
}

/// What the log gets of an error, with its causes.
fn failed(error: leadscore::Error) -> NoScore {
    LiveError::from(error).no_score()
}
