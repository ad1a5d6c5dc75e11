//! What is served at a time: one model, the tables as it reads them, and the queue by both. A new
//! model or newer tables are another one, which takes its place whole.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use leadscore::{LeadPoints, Timeline, TimelineScores};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_serve::{Change, LeadScore, NoScore, Reason};
use leadscore_store::{Store, StoredEvent};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::changed::Changed;
use super::scoring::Scoring;
use crate::hashes::{feature_hash, input_hash};
use crate::queue::{Edges, Ranking, tier_of};

/// What is served at a time.
pub(super) struct Served {
    pub(super) scoring: Arc<Scoring>,
    /// `None` until tables have been loaded.
    pub(super) tables: Option<Loaded>,
}

/// Tables in memory, and the queue by them.
pub(super) struct Loaded {
    pub(super) timeline: Timeline,
    pub(super) changed: Arc<Changed>,
    /// Every event that was recorded before is in the tables.
    pub(super) loaded_at: Timestamp,
    ranking: RwLock<Ranking>,
    pub(super) points: HashMap<String, LeadPoints>,
}

/// A lead that is scored, with the rows that it was scored from.
pub(super) struct ScoredLead {
    pub(super) score: LeadScore,
    pub(super) rows: Vec<StoredEvent>,
    /// Where tiers began when it was scored; a refresh may have moved them since.
    pub(super) edges: Edges,
}

impl Loaded {
    pub(super) fn new(
        timeline: Timeline,
        changed: Arc<Changed>,
        loaded_at: Timestamp,
        ranking: Ranking,
        points: HashMap<String, LeadPoints>,
    ) -> Self {
        Self {
            timeline,
            changed,
            loaded_at,
            ranking: RwLock::new(ranking),
            points,
        }
    }

    pub(super) fn ranking(&self) -> RwLockReadGuard<'_, Ranking> {
        self.ranking.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ranking_mut(&self) -> RwLockWriteGuard<'_, Ranking> {
        self.ranking.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a lead whose rows are all in the tables; to be asked after the moment was
    /// taken.
    pub(super) fn unchanged(&self, lead: &str) -> Option<u32> {
        if self.changed.has_lookups() {
            return None;
        }
        let number = self.timeline.number(lead)?;
        (!self.changed.has(lead, self.timeline.account_hash(number))).then_some(number)
    }
}

impl Served {
    /// Where tiers begin now: by the last refresh, if there was one.
    pub(super) fn edges(&self) -> Edges {
        let tables = self.tables.as_ref();
        tables.map_or_else(
            || Edges::of_one(self.scoring.first_edges()),
            |tables| tables.ranking().edges,
        )
    }

    /// Scores a lead as of a moment, from its rows in the store.
    pub(super) fn score(
        &self,
        store: &Store,
        lead: &str,
        at: Timestamp,
    ) -> Result<ScoredLead, NoScore> {
        let rows = self.scoring.rows(store, lead, at)?;
        let edges = self.edges();
        let score = self
            .scoring
            .scorer
            .score(lead, at, &rows, Some(edges.values))?;
        Ok(ScoredLead { score, rows, edges })
    }

    /// Scores open leads as of a moment: those that did not change from the tables, at once, the
    /// others one by one. Both are the same bits.
    pub(super) fn score_all(
        &self,
        store: &Store,
        leads: &[String],
        at: Timestamp,
    ) -> Vec<Result<ScoredLead, NoScore>> {
        let Some(tables) = &self.tables else {
            return leads
                .par_iter()
                .map(|lead| self.score(store, lead, at))
                .collect();
        };
        let numbers: Vec<Option<u32>> = leads.iter().map(|lead| tables.unchanged(lead)).collect();
        let snapshots: Vec<Snapshot> = numbers
            .iter()
            .flatten()
            .map(|&lead| Snapshot { lead, at })
            .collect();
        let scoring = &self.scoring;
        let scores = tables
            .timeline
            .score(&scoring.model, &scoring.concepts, &snapshots);
        let scores = match scores {
            Ok(scores) => scores,
            // What the tables lack, the rows may have.
            Err(_) => {
                return leads
                    .par_iter()
                    .map(|lead| self.score(store, lead, at))
                    .collect();
            }
        };
        let edges = tables.ranking().edges;
        let mut next = 0;
        let rows_of_scores: Vec<Option<usize>> = numbers
            .iter()
            .map(|number| {
                number.map(|_| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        (0..leads.len())
            .into_par_iter()
            .map(|place| {
                let lead = &leads[place];
                let Some(row) = rows_of_scores[place] else {
                    return self.score(store, lead, at);
                };
                let rows = scoring.rows(store, lead, at)?;
                let seen = rows.iter().filter(|row| row.recorded < at);
                let edge_values = &edges.values;
                let score =
                    self.score_of_row(&scores, row, lead, at, edge_values, input_hash(seen));
                Ok(ScoredLead { score, rows, edges })
            })
            .collect()
    }

    /// A row of scores of tables as the score of its lead.
    pub(super) fn score_of_row(
        &self,
        scores: &TimelineScores<'_>,
        row: usize,
        lead: &str,
        at: Timestamp,
        edges: &[f64; 3],
        input_hash: String,
    ) -> LeadScore {
        let probability = scores.scored.probabilities[row];
        LeadScore {
            lead: lead.to_owned(),
            at,
            model: self.scoring.facts.id.clone(),
            likelihood: 100.0 * probability,
            log_odds: scores.scored.log_odds[row],
            baseline: scores.scored.baseline,
            tier: tier_of(probability, edges),
            reasons: scores.reasons(row).into_iter().map(shown).collect(),
            outside: scores.outside(row),
            held_back: scores.is_held_back(row),
            input_hash,
            feature_hash: feature_hash(&scores.matrix, row),
        }
    }

    /// How scores changed since an earlier moment, by the model that scores now; `None` where a lead
    /// was not there yet, or hardly moved.
    ///
    /// The earlier scores are computed again and not looked up: a new model changes what a lead is
    /// predicted, and that is no news about the lead.
    pub(super) fn changes(&self, scores: &[&LeadScore], since: Timestamp) -> Vec<Option<Change>> {
        let nothing = || scores.iter().map(|_| None).collect();
        let Some(tables) = self
            .tables
            .as_ref()
            .filter(|tables| since <= tables.loaded_at)
        else {
            return nothing();
        };
        let mut places = Vec::new();
        let mut snapshots = Vec::new();
        for (place, score) in scores.iter().enumerate() {
            if let Some(lead) = tables.timeline.number(&score.lead)
                && tables.timeline.exists(lead, since)
            {
                places.push(place);
                snapshots.push(Snapshot { lead, at: since });
            }
        }
        let scoring = &self.scoring;
        let Ok(before) = tables
            .timeline
            .score(&scoring.model, &scoring.concepts, &snapshots)
        else {
            return nothing();
        };
        let mut changes: Vec<Option<Change>> = nothing();
        for (row, place) in places.into_iter().enumerate() {
            let points = scores[place].likelihood - 100.0 * before.scored.probabilities[row];
            if points.abs() >= SHOWN_POINTS {
                let then: Vec<Reason> = before.reasons(row).into_iter().map(shown).collect();
                changes[place] = Some(Change {
                    since,
                    points,
                    because: strongest_change(&then, &scores[place].reasons, points),
                });
            }
        }
        changes
    }
}

/// A likelihood that moved by fewer percentage points is shown as the same.
const SHOWN_POINTS: f64 = 0.1;

/// The reason that changed most in the direction of the change, as people read it.
fn strongest_change(then: &[Reason], now: &[Reason], points: f64) -> Option<String> {
    let before = |concept: &str| {
        let same = then.iter().find(|reason| reason.concept == concept);
        same.map_or(0.0, |reason| reason.log_odds)
    };
    now.iter()
        .map(|reason| (reason.log_odds - before(&reason.concept), reason))
        .filter(|(difference, _)| difference * points > 0.0)
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        .map(|(_, reason)| reason.text.clone())
}

/// A reason as callers see it.
pub(super) fn shown(reason: leadscore_inference::Reason) -> Reason {
    Reason {
        concept: reason.concept.to_string(),
        text: reason.text,
        log_odds: reason.log_odds,
    }
}
