//! `replay`: computes every answer of a log again from the tables of the store, by the road that
//! scores tables, as of the answer's moment, and compares bits.

mod difference;
mod report;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use leadscore::{Config, Data, Model, Timeline};
use leadscore_config::TierEdges;
use leadscore_core::{Snapshot, Timestamp};
use leadscore_inference::Concepts;
use leadscore_operate::Registry;
use leadscore_store::{Entity, Store, StoreError, StoredEvent};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::Value;

use self::difference::{Computed, compare};
pub use self::difference::{Difference, DifferentField, UnknownLead};
pub use self::report::{DamagedLine, ReplayReport};
use crate::error::LiveError;
use crate::hashes::{feature_hash, input_hash};
use crate::log::{Answer, LogError, for_each_line, segments_of};
use crate::queue::{tier_edges, tier_of};
use crate::scorer::LiveScorer;

/// Answers that are computed at a time.
const CHUNK: usize = 50_000;

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tables cannot be read, or scored.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// The model does not fit the config.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// A model cannot be read.
    #[error(transparent)]
    Registry(#[from] leadscore_operate::RegistryError),
}

/// A model by its ID; `None` where nobody has it.
pub type ModelOf<'r> = &'r dyn Fn(&str) -> Result<Option<Arc<Model>>, ReplayError>;

/// What a log is compared with.
pub struct ReplayInputs<'r> {
    /// The config.
    pub config: &'r Config,
    /// The tables of the config, which are those of the store.
    pub data: &'r Data,
    /// The store, of which the hashes of rows are made.
    pub store: &'r Store,
    /// The models, such as those of [`models_of`].
    pub models: ModelOf<'r>,
}

/// The models of a registry, by their IDs.
///
/// # Errors
///
/// The file of a model that the registry knows cannot be read.
pub fn models_of(
    registry: &Registry,
) -> impl Fn(&str) -> Result<Option<Arc<Model>>, ReplayError> + '_ {
    |id| {
        let known = registry.models().iter().find(|model| model.id() == id);
        Ok(known
            .map(|known| registry.read(known))
            .transpose()?
            .map(Arc::new))
    }
}

/// How much of a replay is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Differing answers that the report has, of all that it counts; default: 20.
    pub n_shown: usize,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self { n_shown: 20 }
    }
}

/// Computes every answer of a log again and compares bits. `log` is a folder or one of its files.
///
/// # Errors
///
/// [`ReplayError`] where the log, the store or a model cannot be read. What differs, is damaged or
/// cannot be computed again is no error: the report has it.
pub fn replay(
    log: &Path,
    inputs: &ReplayInputs<'_>,
    options: ReplayOptions,
) -> Result<ReplayReport, ReplayError> {
    let mut replayed = Replayed {
        inputs,
        options,
        known: HashMap::new(),
        report: ReplayReport::default(),
    };
    let mut waiting: Vec<Logged> = Vec::new();
    for path in segments_of(log)? {
        let path = Arc::new(path);
        let mut failed = None;
        for_each_line(&path, |line, answer| match answer {
            Ok(answer) => {
                waiting.push(Logged {
                    file: Arc::clone(&path),
                    line,
                    answer,
                });
                if waiting.len() >= CHUNK && failed.is_none() {
                    failed = replayed.chunk(std::mem::take(&mut waiting)).err();
                }
            }
            Err(error) => replayed.report.add_damaged(&path, line, &error, options),
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    replayed.chunk(waiting)?;
    let known = replayed.known.values().flatten();
    replayed.report.n_unconfirmed_refreshes = known.map(Known::n_unconfirmed).sum();
    Ok(replayed.report)
}

/// An answer and its place.
struct Logged {
    file: Arc<PathBuf>,
    line: usize,
    answer: Answer,
}

/// The work so far.
struct Replayed<'r> {
    inputs: &'r ReplayInputs<'r>,
    options: ReplayOptions,
    known: HashMap<String, Option<Known>>,
    report: ReplayReport,
}

/// A model with the tables as it reads them.
struct Known {
    /// Where tiers began at the moments of refreshes.
    edges: HashMap<Timestamp, RefreshEdges>,
    tiers: TierEdges,
    model: Arc<Model>,
    concepts: Concepts,
    timeline: Timeline,
    scorer: LiveScorer,
}

impl Replayed<'_> {
    /// Replays some answers, which may be of several models.
    fn chunk(&mut self, answers: Vec<Logged>) -> Result<(), ReplayError> {
        let mut by_model: BTreeMap<String, Vec<Logged>> = BTreeMap::new();
        for logged in answers {
            self.report.n += 1;
            let model = logged.answer.model.clone();
            by_model.entry(model).or_default().push(logged);
        }
        for (id, mut answers) in by_model {
            if !self.known.contains_key(&id) {
                let known = self.look_up(&id)?;
                self.known.insert(id.clone(), known);
            }
            let known = self.known.get_mut(&id).and_then(Option::as_mut);
            let Some(known) = known else {
                self.report.add_unknown_model(id, answers.len());
                continue;
            };
            known.read_edges(&answers)?;
            answers.sort_by(|a, b| a.answer.lead.cmp(&b.answer.lead));
            let computed = compute(&*known, self.inputs, &answers)?;
            for (logged, computed) in answers.iter().zip(computed) {
                let found = compare(&logged.file, logged.line, &logged.answer, computed);
                self.report
                    .add(found, logged.answer.raw.is_some(), self.options);
            }
        }
        Ok(())
    }

    fn look_up(&self, id: &str) -> Result<Option<Known>, ReplayError> {
        let Some(model) = (self.inputs.models)(id)? else {
            return Ok(None);
        };
        Ok(Some(Known {
            edges: HashMap::new(),
            tiers: self.inputs.config.settings().tiers.edges,
            timeline: Timeline::read(&self.inputs.data.quiet(), &model)?,
            concepts: model.concepts(),
            scorer: LiveScorer::new(
                self.inputs.config,
                Arc::clone(&model),
                &self.inputs.store.tables(),
            )?,
            model,
        }))
    }
}

/// Where tiers began by a refresh.
struct RefreshEdges {
    by_tables: [f64; 3],
    /// Of most answers of the refresh.
    by_log: [f64; 3],
}

impl Known {
    /// Computes where tiers began at the moments that answers name.
    fn read_edges(&mut self, answers: &[Logged]) -> Result<(), ReplayError> {
        let moments = answers.iter().filter_map(|logged| logged.answer.edges.of);
        let moments: BTreeSet<Timestamp> = moments.collect();
        for at in moments {
            if !self.edges.contains_key(&at) {
                let probabilities = self.timeline.probabilities(&self.model, at)?;
                let by_tables = tier_edges(self.tiers, self.model.tier_edges, &probabilities);
                let by_log = edges_of_most(answers, at).unwrap_or(by_tables);
                self.edges.insert(at, RefreshEdges { by_tables, by_log });
            }
        }
        Ok(())
    }

    /// Where tiers began when an answer was given: as most answers of the refresh have it, since the
    /// tables have other leads once one was forgotten.
    fn edges(&self, answer: &Answer) -> [f64; 3] {
        let of = answer.edges.of.and_then(|at| self.edges.get(&at));
        of.map_or_else(|| self.scorer.edges(), |edges| edges.by_log)
    }

    /// Refreshes whose edges are not those of the tables.
    fn n_unconfirmed(&self) -> usize {
        let edges = self.edges.values();
        edges.filter(|of| of.by_tables != of.by_log).count()
    }
}

/// The edges that most answers of a refresh have.
fn edges_of_most(answers: &[Logged], at: Timestamp) -> Option<[f64; 3]> {
    let mut counts: BTreeMap<[u64; 3], usize> = BTreeMap::new();
    for logged in answers {
        let edges = logged.answer.edges;
        if edges.of == Some(at) {
            *counts.entry(edges.values.map(f64::to_bits)).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, n)| *n)?;
    Some(most.0.map(f64::from_bits))
}

/// What each answer is by the tables; answers of a lead are beside each other.
fn compute(
    known: &Known,
    inputs: &ReplayInputs<'_>,
    answers: &[Logged],
) -> Result<Vec<Computed>, ReplayError> {
    let mut rows: Vec<usize> = Vec::new();
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for (row, logged) in answers.iter().enumerate() {
        let answer = &logged.answer;
        if answer.raw.is_none()
            && let Some(lead) = known.timeline.number(&answer.lead)
        {
            rows.push(row);
            snapshots.push(Snapshot {
                lead,
                at: answer.at,
            });
        }
    }
    let scores = known
        .timeline
        .score(&known.model, &known.concepts, &snapshots)?;
    let mut computed = hashed(known, inputs, answers)?;
    for (position, row) in rows.into_iter().enumerate() {
        let probability = scores.scored.probabilities[position];
        let found = &mut computed[row];
        found.log_odds = Some(scores.scored.log_odds[position]);
        found.likelihood = Some(100.0 * probability);
        found.tier = Some(tier_of(probability, &known.edges(&answers[row].answer)));
        found.feature_hash = Some(feature_hash(&scores.matrix, position));
    }
    Ok(computed)
}

/// The hash of the rows that each answer saw, and the scores of leads that were in no table; the
/// rows of a lead are read once.
fn hashed(
    known: &Known,
    inputs: &ReplayInputs<'_>,
    answers: &[Logged],
) -> Result<Vec<Computed>, ReplayError> {
    let groups: Vec<&[Logged]> = answers
        .chunk_by(|a, b| a.answer.lead == b.answer.lead)
        .collect();
    let shared = SharedRows::new(inputs.store);
    let hashed: Result<Vec<Vec<Computed>>, ReplayError> = groups
        .into_par_iter()
        .map(|group| {
            let lead = Entity::Lead(group[0].answer.lead.clone());
            let own = if group.iter().all(|logged| logged.answer.raw.is_some()) {
                Vec::new()
            } else {
                rows_of(inputs.store, &lead)?
            };
            group
                .iter()
                .map(|logged| match &logged.answer.raw {
                    Some(lead) => Ok(raw(known, lead, &logged.answer, inputs.store)?),
                    None => Ok(Computed {
                        lead: Some(logged.answer.lead.clone()),
                        has_rows: !own.is_empty(),
                        edges: Some(known.edges(&logged.answer)),
                        input_hash: Some(hash_before(known, &own, &shared, &logged.answer)?),
                        ..Computed::default()
                    }),
                })
                .collect()
        })
        .collect();
    Ok(hashed?.into_iter().flatten().collect())
}

/// What a lead that was in no table scores.
fn raw(
    known: &Known,
    lead: &Value,
    answer: &Answer,
    store: &Store,
) -> Result<Computed, ReplayError> {
    let edges = known.edges(answer);
    let Ok(raw) = known.scorer.raw_lead(lead, answer.at) else {
        return Ok(Computed::default());
    };
    let rows = known.scorer.raw_rows(store, &raw)?;
    let Ok(score) = known.scorer.score_raw(&raw, &rows, Some(edges)) else {
        return Ok(Computed::default());
    };
    Ok(Computed {
        lead: Some(score.lead),
        edges: Some(edges),
        has_rows: false,
        log_odds: Some(score.log_odds),
        likelihood: Some(score.likelihood),
        tier: Some(score.tier),
        input_hash: Some(score.input_hash),
        feature_hash: Some(score.feature_hash),
    })
}

/// The hash of the rows that a score as of a moment reads: those of the lead, which are in order of
/// their numbers, and those of what it belongs to.
fn hash_before(
    known: &Known,
    own: &[StoredEvent],
    shared: &SharedRows<'_>,
    answer: &Answer,
) -> Result<String, ReplayError> {
    let at = answer.at;
    let seen = |row: &&StoredEvent| row.recorded < at;
    // Rows that were imported may have been recorded in another order than they came.
    let is_prefix = own.is_sorted_by_key(|row| row.recorded);
    let own_seen: Cow<'_, [StoredEvent]> = if is_prefix {
        Cow::Borrowed(&own[..own.partition_point(|row| row.recorded < at)])
    } else {
        Cow::Owned(own.iter().filter(seen).cloned().collect())
    };
    let mut others = Vec::new();
    for entity in known.scorer.beside(&own_seen)? {
        others.push(shared.get(entity)?);
    }
    let others = others.iter().flat_map(|rows| rows.iter()).filter(seen);
    let asked = known.scorer.asked(&answer.lead, at);
    Ok(input_hash(asked, own_seen.iter().chain(others)))
}

/// All rows of an entity, by their numbers.
fn rows_of(store: &Store, entity: &Entity) -> Result<Vec<StoredEvent>, StoreError> {
    let mut rows = store.of_entity(entity, Timestamp::MAX)?;
    rows.sort_unstable_by_key(|row| row.seq);
    Ok(rows)
}

/// Rows of accounts and lookups, which many leads share.
struct SharedRows<'s> {
    store: &'s Store,
    known: Mutex<HashMap<Entity, Arc<Vec<StoredEvent>>>>,
}

impl<'s> SharedRows<'s> {
    fn new(store: &'s Store) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    fn get(&self, entity: Entity) -> Result<Arc<Vec<StoredEvent>>, StoreError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = known().get(&entity) {
            return Ok(Arc::clone(rows));
        }
        let rows = Arc::new(rows_of(self.store, &entity)?);
        known().insert(entity, Arc::clone(&rows));
        Ok(rows)
    }
}
