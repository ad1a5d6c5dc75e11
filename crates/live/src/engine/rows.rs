//! The queue over the tables and the store: all open leads in order, and the rows that somebody sees,
//! each scored at the moment of asking.

use std::collections::HashSet;
use std::sync::PoisonError;

use leadscore_core::{Snapshot, Timestamp, log_odds_to_probability};
use leadscore_serve::{
    HeldBack, HeldBackQuery, HeldBackRow, LeadScore, NoScore, PointsOfRules, Queue, QueueQuery,
    QueueRow,
};
use leadscore_store::{Entity, StoredEvent};

use super::cards::{Card, Cards};
use super::points::of_rules;
use super::served::{Loaded, ScoredLead, Served};
use super::shared::Shared;
use super::telling::Ranked;
use super::{A_WEEK, EngineError, YESTERDAY};
use crate::error::LiveError;
use crate::queue::{Edges, Entry, Ranking, tier_edges};

/// Leads that are scored at a time.
const CHUNK: usize = 20_000;

impl Shared {
    /// Puts all open leads in order as of now, by what `served` has in its tables and by the rows of
    /// leads that changed since; `before` is the queue until now. What is returned is to be told.
    pub(super) fn rank(
        &self,
        served: &Served,
        before: &Served,
    ) -> Result<Option<Ranked>, EngineError> {
        let Some(tables) = &served.tables else {
            return Ok(None);
        };
        let at = self.store.moment();
        let accounts = self.changed_accounts(served);
        let is_changed = |&lead: &u32| {
            let timeline = &tables.timeline;
            let account = timeline.account_hash(lead);
            tables.changed.has(timeline.id(lead), account) || accounts.contains(&account)
        };
        let (of_rows, of_tables): (Vec<u32>, Vec<u32>) =
            tables.timeline.open(at).into_iter().partition(is_changed);
        let mut entries = self.unchanged_entries(served, tables, (&of_tables, at))?;
        // Leads that changed since they were divided are among those of the tables, and nothing that
        // is before the moment changed of them: twice they would count twice in where tiers begin.
        let known: HashSet<u32> = of_tables.into_iter().collect();
        let is_ranked = |lead: &str| {
            let number = tables.timeline.number(lead);
            number.is_some_and(|number| known.contains(&number))
        };
        let mut changed: Vec<String> = self
            .leads_of(served, tables.changed.entities())
            .into_iter()
            .collect();
        changed.extend(
            of_rows
                .iter()
                .map(|&lead| tables.timeline.id(lead).to_owned()),
        );
        changed.sort_unstable();
        changed.dedup();
        changed.retain(|lead| !is_ranked(lead));
        let mut scored_from_rows = Vec::new();
        for lead in &changed {
            if self.is_stopping() {
                return Ok(None);
            }
            if let Ok(scored) = served.score(&self.store, lead, at) {
                let card = self.keep_card(lead, &scored.rows);
                entries.push(entry_of(&scored.score, &card));
                scored_from_rows.push(scored);
            }
        }
        let edges = if tables.changed.has_lookups() {
            // Leads that the tables know otherwise than the store does are not all found.
            self.edges_of_load(served, tables)?
        } else {
            let entries = entries.iter();
            let probabilities: Vec<f64> = entries.map(|entry| entry.probability).collect();
            self.edges_of(served, &probabilities, at)
        };
        {
            let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
            let is_settled = |lead: &str| cards.get(lead).is_some_and(Card::is_settled);
            entries.retain(|entry| !is_settled(&entry.lead));
        }
        if let Some(known) = &before.tables {
            let known = known.ranking();
            for entry in &mut entries {
                if let Some(known) = known.get(&entry.lead) {
                    entry.keep_moves(known);
                }
            }
        }
        let ranked = Ranked::new((at, edges), &entries, tables, scored_from_rows);
        let mut ranking = tables.ranking_mut();
        let mut fresh = Ranking::new(entries, edges, at);
        fresh.take_later(&ranking);
        match &before.tables {
            Some(known) if !std::ptr::eq(known, tables) => fresh.keep_orders(&known.ranking()),
            Some(_) | None => fresh.keep_orders(&ranking),
        }
        *ranking = fresh;
        Ok(Some(ranked))
    }

    /// Where tiers begin by the probabilities of all open leads at a moment.
    fn edges_of(&self, served: &Served, probabilities: &[f64], at: Timestamp) -> Edges {
        let rule = self.config().settings().tiers.edges;
        let model_edges = served.scoring.model.tier_edges;
        Edges {
            values: tier_edges(rule, model_edges, probabilities),
            of: Some(at),
        }
    }

    /// Where tiers began when the tables were loaded.
    fn edges_of_load(&self, served: &Served, tables: &Loaded) -> Result<Edges, EngineError> {
        let at = tables.loaded_at;
        let scoring = &served.scoring;
        let probabilities = tables.timeline.probabilities(&scoring.model, at)?;
        Ok(self.edges_of(served, &probabilities, at))
    }

    /// Open leads whose rows are all in the tables.
    fn unchanged_entries(
        &self,
        served: &Served,
        tables: &Loaded,
        (open, at): (&[u32], Timestamp),
    ) -> Result<Vec<Entry>, EngineError> {
        let scoring = &served.scoring;
        let mut entries = Vec::with_capacity(open.len());
        for chunk in open.chunks(CHUNK) {
            let snapshots: Vec<Snapshot> =
                chunk.iter().map(|&lead| Snapshot { lead, at }).collect();
            let scores = tables
                .timeline
                .score(&scoring.model, &scoring.concepts, &snapshots)?;
            let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
            let nobody = Card::default();
            for (row, &lead) in chunk.iter().enumerate() {
                let id = tables.timeline.id(lead);
                let card = cards.get(id).unwrap_or(&nobody);
                entries.push(entry(
                    id,
                    (
                        scores.scored.log_odds[row],
                        scores.scored.probabilities[row],
                    ),
                    at,
                    card,
                    scores.is_held_back(row),
                ));
            }
        }
        Ok(entries)
    }

    /// Keeps what the rows of a lead say to people.
    pub(super) fn keep_card(&self, lead: &str, rows: &[StoredEvent]) -> Card {
        let mut cards = self.cards.write().unwrap_or_else(PoisonError::into_inner);
        let card = cards.card_of(rows);
        if cards.get(lead) != Some(&card) {
            cards.put(lead, card.clone());
        }
        card
    }

    /// The part of the queue that somebody asks for, scored now.
    pub(super) fn queue(&self, query: &QueueQuery) -> Result<Queue, NoScore> {
        let served = self.served();
        let tables = served.tables.as_ref().ok_or(NoScore::NotReady)?;
        let at = self.store.moment();
        let crossed = self.crossed_since(at - A_WEEK);
        let with_threshold: Option<HashSet<String>> = query.crossed.as_ref().map(|threshold| {
            crossed
                .iter()
                .filter(|(_, crossings)| crossings.iter().any(|(name, _)| name == threshold))
                .map(|(lead, _)| lead.clone())
                .collect()
        });
        let capacity = self.capacity();
        let (page, ordered_at) = {
            let ranking = tables.ranking();
            let line = capacity.unwrap_or(0);
            let page = ranking.page(query, with_threshold.as_ref(), line, at);
            let page = page.map_err(|bad| NoScore::Refused(vec![bad.into()]))?;
            (page, ranking.ordered_at)
        };
        let leads: Vec<String> = page
            .rows
            .iter()
            .map(|(_, entry)| entry.lead.clone())
            .collect();
        let scored = served.score_all(&self.store, &leads, at);
        let mut found: Vec<(usize, &Entry, ScoredLead)> = Vec::new();
        for ((rank, entry), scored) in page.rows.iter().zip(scored) {
            match scored {
                // It moved into the arm since it was put in order.
                Ok(scored) if scored.score.held_back => {
                    self.rescore_soon(vec![Entity::Lead(entry.lead.clone())]);
                }
                Ok(scored) => found.push((*rank, entry, scored)),
                // It closed since the last refresh.
                Err(error) if error.is_of_lead() => {
                    tables.ranking_mut().remove(&entry.lead, at);
                }
                Err(error) => return Err(error),
            }
        }
        let scores: Vec<&ScoredLead> = found.iter().map(|(_, _, scored)| scored).collect();
        let points = self.points_of(&served, &scores);
        let points = points.map_err(LiveError::no_score)?;
        let since = query.compare_with.unwrap_or(at - YESTERDAY);
        let changes = served.changes(&self.store, &scores, since);
        let rows = found
            .into_iter()
            .zip(changes)
            .zip(points)
            .map(|(((rank, entry, scored), change), points)| {
                self.log_answer(&scored.score, scored.edges, None);
                let crossed = crossed.get(&entry.lead).cloned().unwrap_or_default();
                let points = served.rules().zip(points.as_ref());
                let points = points.map(|((_, rules), lead)| of_rules(rules, lead));
                QueueRow {
                    change,
                    ..self.row(rank, points, crossed, scored)
                }
            })
            .collect();
        Ok(Queue {
            at,
            ordered_at,
            n_matching: page.n_matching,
            n_held_back: page.n_held_back,
            is_reordered: page.is_reordered,
            capacity: capacity.map(|_| page.n_above),
            rows,
            next: page.next.map(|next| next.text()),
        })
    }

    /// The held-back leads that somebody asks for. Nothing is scored for it.
    pub(super) fn held_back(&self, query: &HeldBackQuery) -> Result<HeldBack, NoScore> {
        let served = self.served();
        let tables = served.tables.as_ref().ok_or(NoScore::NotReady)?;
        let at = self.store.moment();
        let page = tables.ranking().held_back(query);
        let page = page.map_err(|bad| NoScore::Refused(vec![bad.into()]))?;
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let row = |(lead, created): (String, Option<Timestamp>)| {
            let card = cards.get(&lead).cloned().unwrap_or_default();
            HeldBackRow {
                shown: cards.shown(&card),
                name: card.name.unwrap_or_else(|| lead.clone()),
                owner: card.owner,
                age_days: created.map_or(f64::NAN, |created| at.days_since(created)),
                word: card.words.into_iter().next(),
                lead,
            }
        };
        Ok(HeldBack {
            n_matching: page.n_matching,
            rows: page.rows.into_iter().map(row).collect(),
            next: page.next,
        })
    }

    /// A row as people see it, without what changed. Who is held back has crossed nothing, whatever it
    /// did before.
    pub(super) fn row(
        &self,
        rank: usize,
        points: Option<PointsOfRules>,
        crossed: Vec<(String, Timestamp)>,
        scored: ScoredLead,
    ) -> QueueRow {
        let ScoredLead {
            score,
            rows,
            edges: _,
        } = scored;
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let card = cards.card_of(&rows);
        QueueRow {
            rank,
            name: card.name.clone().unwrap_or_else(|| score.lead.clone()),
            owner: card.owner.clone(),
            shown: cards.shown(&card),
            change: None,
            age_days: card
                .created
                .map_or(f64::NAN, |created| score.at.days_since(created)),
            points: points.as_ref().and_then(|points| points.points),
            cell: points.and_then(|points| points.cell),
            word: card.words.into_iter().next(),
            crossed: if score.held_back { Vec::new() } else { crossed },
            score,
        }
    }

    /// How many leads of the whole queue can be called today.
    fn capacity(&self) -> Option<usize> {
        let capacity = self.config().settings().report.capacity.as_ref()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of calls is neither negative nor that large"
        )]
        let calls = (capacity.calls / capacity.days.unwrap_or(1.0)).round() as usize;
        Some(calls.max(1))
    }
}

/// A lead of the queue, which was scored.
pub(super) fn entry_of(score: &LeadScore, card: &Card) -> Entry {
    let log_odds = (score.log_odds, log_odds_to_probability(score.log_odds));
    entry(&score.lead, log_odds, score.at, card, score.held_back)
}

fn entry(
    lead: &str,
    (log_odds, probability): (f64, f64),
    at: Timestamp,
    card: &Card,
    held_back: bool,
) -> Entry {
    Entry {
        lead: lead.to_owned(),
        log_odds,
        probability,
        at,
        owner: card.owner.clone(),
        created: card.created,
        held_back,
        searched: Cards::searched(lead, card),
        moved: at,
        anchor: probability,
    }
}
