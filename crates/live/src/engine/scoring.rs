//! A model that is ready to score: read, checked against the config, and described for callers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use leadscore::{Config, LeadRead, LeadReader};
use leadscore_core::{
    CalendarPart, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, MONTHS, Snapshot,
    Timestamp, WEEKDAYS,
};
use leadscore_inference::{Concepts, Model, score};
use leadscore_operate::{Registry, RegistryError, Role};
use leadscore_serve::{FeatureFacts, InferColumn, ModelFacts, NoScore};
use leadscore_store::{Store, StoredEvent};

use super::EngineError;
use crate::error::LiveError;
use crate::scorer::LiveScorer;

/// A model that is ready to score.
pub(super) struct Scoring {
    pub(super) model: Arc<Model>,
    pub(super) concepts: Concepts,
    pub(super) scorer: LiveScorer,
    reader: LeadReader,
    pub(super) facts: ModelFacts,
}

/// Where models come from.
#[derive(Debug, Clone)]
pub(super) struct Models<'m> {
    /// Folder of the registry, whose champion scores.
    pub(super) registry: &'m Path,
    /// File of the model that scores in place of the registry's champion.
    pub(super) file: Option<&'m Path>,
}

impl Models<'_> {
    /// The ID of the champion; `None` where there is none, or a model was named.
    pub(super) fn champion(&self) -> Result<Option<String>, RegistryError> {
        if self.file.is_some() {
            return Ok(None);
        }
        let registry = Registry::open(self.registry)?;
        let champion = registry.role(Role::Champion);
        Ok(champion.map(|model| model.id().to_owned()))
    }

    /// The model that scores, and why it was chosen.
    pub(super) fn read(&self) -> Result<(Arc<Model>, Option<String>), EngineError> {
        if let Some(file) = self.file {
            return Ok((Arc::new(leadscore::read_model(file)?), None));
        }
        let registry = Registry::open(self.registry)?;
        let Some(champion) = registry.role(Role::Champion) else {
            return Err(EngineError::NoModel {
                registry: self.registry.to_owned(),
            });
        };
        let why = registry.why(None)?.last().map(sentence);
        Ok((Arc::new(registry.read(champion)?), why))
    }
}

/// Who made the model the champion, when, and why, on one line.
fn sentence(why: &leadscore_operate::Why) -> String {
    let because = if why.because.is_empty() {
        String::new()
    } else {
        format!(", because {}", why.because)
    };
    format!("{}: {} {}{because}", why.at, why.user, why.sentence)
}

impl Scoring {
    /// Prepares a model; `tables` are those that the store has rows of.
    pub(super) fn new(
        config: &Config,
        model: Arc<Model>,
        why: Option<String>,
        tables: &[String],
    ) -> Result<Self, LiveError> {
        let card = &model.card;
        let facts = ModelFacts {
            id: card.model_id.clone(),
            name: "leadscore".to_owned(),
            horizon_days: card.horizon.map_or(0.0, leadscore_core::Span::days),
            training_cutoff: Some(card.training_cutoff.clone()),
            features: model
                .specs
                .iter()
                .map(|spec| FeatureFacts {
                    name: spec.name.clone(),
                    kind: spec.kind,
                })
                .collect(),
            limitations: card.limitations.iter().map(ToString::to_string).collect(),
            why,
        };
        Ok(Self {
            concepts: model.concepts(),
            scorer: LiveScorer::new(config, Arc::clone(&model), tables)?,
            reader: LeadReader::new(config, Arc::clone(&model), tables)?,
            facts,
            model,
        })
    }

    /// Where tiers begin before there is a queue.
    pub(super) fn first_edges(&self) -> [f64; 3] {
        self.reader.edges()
    }

    /// The rows that the score of a lead reads: its own, and those of what it belongs to.
    pub(super) fn rows(
        &self,
        store: &Store,
        lead: &str,
        at: Timestamp,
    ) -> Result<Vec<StoredEvent>, NoScore> {
        self.scorer
            .rows(store, lead, at)
            .map_err(LiveError::no_score)
    }

    /// Changes of what a lead does that would reach a probability, in sentences.
    pub(super) fn steps_to(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
        probability: f64,
    ) -> Vec<String> {
        match self.reader.read(lead, at, rows) {
            Ok(LeadRead::Open(row)) => {
                leadscore::steps_to_probability(&self.model, &row.matrix, probability)
            }
            Ok(LeadRead::NotOpen(_) | LeadRead::Waiting | LeadRead::Unknown) | Err(_) => Vec::new(),
        }
    }

    /// Probabilities of rows of features.
    pub(super) fn infer(&self, columns: &[(String, InferColumn)]) -> Result<Vec<f64>, String> {
        let n_rows = columns.first().map_or(0, |(_, column)| column.n_rows());
        let mut given = Vec::new();
        for spec in &self.model.specs {
            let Some((_, column)) = columns.iter().find(|(name, _)| *name == spec.name) else {
                return Err(format!("there is no column `{}`", spec.name));
            };
            let (levels, values) = match (spec.kind, column) {
                (FeatureKind::Number, InferColumn::Numbers(values)) => (Vec::new(), values.clone()),
                (FeatureKind::Category, InferColumn::Texts(texts)) => {
                    check_levels(spec, texts)?;
                    coded(texts)
                }
                (FeatureKind::Number, InferColumn::Texts(_)) => {
                    return Err(format!("`{}` is a number, and has no texts", spec.name));
                }
                (FeatureKind::Category, InferColumn::Numbers(_)) => {
                    return Err(format!("`{}` is a category, and has no numbers", spec.name));
                }
            };
            given.push((spec.clone(), levels, values));
        }
        if let Some((unknown, _)) = columns
            .iter()
            .find(|(name, _)| self.model.specs.iter().all(|spec| spec.name != *name))
        {
            return Err(format!("the model has no feature `{unknown}`"));
        }
        let key = Snapshot {
            lead: 0,
            at: Timestamp::MAX,
        };
        let matrix =
            FeatureMatrix::new(vec![key; n_rows], given).map_err(|error| error.to_string())?;
        score(&self.model, &matrix)
            .map(|scored| scored.probabilities)
            .map_err(|error| error.to_string())
    }
}

/// Texts as levels, in order of their first row, and the level of each row.
fn coded(texts: &[Option<String>]) -> (Vec<String>, Vec<f64>) {
    let mut levels: Vec<String> = Vec::new();
    let mut code_of: HashMap<&str, f64> = HashMap::new();
    let codes = texts
        .iter()
        .map(|text| {
            let Some(text) = text else { return f64::NAN };
            *code_of.entry(text).or_insert_with(|| {
                levels.push(text.clone());
                (levels.len() - 1) as f64
            })
        })
        .collect();
    (levels, codes)
}

/// A part of the calendar has the levels of the calendar; any other category may have one that
/// training did not see.
fn check_levels(spec: &FeatureSpec, texts: &[Option<String>]) -> Result<(), String> {
    let (FeatureSource::Created(part) | FeatureSource::Snapshot(part)) = &spec.source else {
        return Ok(());
    };
    let known: &[&str] = match part {
        CalendarPart::Weekday => &WEEKDAYS,
        CalendarPart::Month => &MONTHS,
        CalendarPart::DayOfMonth | CalendarPart::Hour => return Ok(()),
    };
    let is_unknown = |text: &&String| !known.contains(&text.as_str());
    match texts.iter().flatten().find(is_unknown) {
        Some(text) => Err(format!(
            "`{}` has {text:?}, which is none of {}",
            spec.name,
            known.join(", ")
        )),
        None => Ok(()),
    }
}
