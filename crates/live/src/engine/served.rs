//! What is served at a time: one model, the tables as it reads them, and the queue by both. A new
//! model or newer tables are another one, which takes its place whole.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use leadscore::{PointsTimeline, Timeline, TimelineScores};
use leadscore_core::{Snapshot, Timestamp};
use leadscore_serve::{Change, LeadScore, NoScore, Reason};
use leadscore_store::{Store, StoredEvent};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::cause::{Cause, Explained};
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
    /// What rules make of leads; `None` where there are no rules.
    pub(super) points: Option<PointsTimeline>,
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
        points: Option<PointsTimeline>,
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
                let hash = input_hash(scoring.scorer.asked(lead, at), seen);
                let score = self.score_of_row(&scores, row, lead, at, &edges.values, hash);
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
    pub(super) fn changes(
        &self,
        store: &Store,
        scored: &[&ScoredLead],
        since: Timestamp,
    ) -> Vec<Option<Change>> {
        let leads: Vec<&str> = scored.iter().map(|one| one.score.lead.as_str()).collect();
        self.earlier(store, &leads, since)
            .into_iter()
            .zip(scored)
            .map(|(then, now)| change(then.as_ref()?, since, now))
            .collect()
    }

    /// The scores of leads as of an earlier moment: from the tables where these reach, else from the
    /// rows of the store. Both are the same bits.
    fn earlier(&self, store: &Store, leads: &[&str], at: Timestamp) -> Vec<Option<Earlier>> {
        let mut found: Vec<Option<Earlier>> = leads.iter().map(|_| None).collect();
        let tables = self.tables.as_ref().filter(|tables| at <= tables.loaded_at);
        let mut of_rows: Vec<usize> = Vec::new();
        let (mut places, mut snapshots) = (Vec::new(), Vec::new());
        for (place, lead) in leads.iter().enumerate() {
            match tables.and_then(|tables| Some((tables, tables.timeline.number(lead)?))) {
                Some((tables, lead)) if tables.timeline.exists(lead, at) => {
                    places.push(place);
                    snapshots.push(Snapshot { lead, at });
                }
                // All that was recorded before is in the tables, and the lead is not.
                Some(_) => {}
                None => of_rows.push(place),
            }
        }
        let scoring = &self.scoring;
        let scores = tables.map(|tables| {
            tables
                .timeline
                .score(&scoring.model, &scoring.concepts, &snapshots)
        });
        match scores {
            Some(Ok(scores)) => {
                for (row, place) in places.into_iter().enumerate() {
                    found[place] = Some(Earlier {
                        likelihood: 100.0 * scores.scored.probabilities[row],
                        log_odds: scores.scored.log_odds[row],
                        reasons: scores.reasons(row).into_iter().map(shown).collect(),
                    });
                }
            }
            // What the tables lack, the rows may have.
            Some(Err(_)) => of_rows.extend(places),
            None => {}
        }
        let scored: Vec<(usize, Option<Earlier>)> = of_rows
            .into_par_iter()
            .map(|place| {
                let scored = self.score(store, leads[place], at).ok();
                (place, scored.map(|scored| Earlier::of(scored.score)))
            })
            .collect();
        for (place, earlier) in scored {
            found[place] = earlier;
        }
        found
    }
}

/// A score as of an earlier moment.
struct Earlier {
    /// 0 to 100.
    likelihood: f64,
    log_odds: f64,
    reasons: Vec<Reason>,
}

impl Earlier {
    fn of(score: LeadScore) -> Self {
        Self {
            likelihood: score.likelihood,
            log_odds: score.log_odds,
            reasons: score.reasons,
        }
    }
}

/// How a score changed, if it moved.
fn change(then: &Earlier, since: Timestamp, now: &ScoredLead) -> Option<Change> {
    let points = now.score.likelihood - then.likelihood;
    let explained = |log_odds, reasons| Explained { log_odds, reasons };
    (points.abs() >= SHOWN_POINTS).then(|| Change {
        since,
        points,
        because: Cause::of(
            (explained(then.log_odds, &then.reasons), since),
            (
                explained(now.score.log_odds, &now.score.reasons),
                now.score.at,
            ),
            &now.rows,
        )
        .map(|cause| cause.to_string()),
    })
}

/// A likelihood that moved by fewer percentage points is shown as the same.
const SHOWN_POINTS: f64 = 0.1;

/// A reason as callers see it.
pub(super) fn shown(reason: leadscore_inference::Reason) -> Reason {
    Reason {
        concept: reason.concept.to_string(),
        text: reason.text,
        log_odds: reason.log_odds,
    }
}
