//! Everything that the page of one lead shows.

use leadscore_core::{ContactPriority, Snapshot, Span, Timestamp};
use leadscore_operate::{PathOptions, Standing};
use leadscore_serve::{EventLine, LeadDetail, NextTier, NoScore, PathPoint, QueueRow, Word};
use leadscore_store::{Entity, StoredEvent, WORD_TABLE};
use serde_json::{Map, Value};

use super::cards::text_of;
use super::points::of_rules;
use super::served::Served;
use super::shared::Shared;
use super::{A_WEEK, YESTERDAY};
use crate::error::LiveError;
use crate::queue::tier_of;

/// Points of a path that is computed, a week apart.
const MOST_POINTS: u32 = 26;
/// Events that are shown.
const MOST_EVENTS: usize = 200;

impl Shared {
    /// Everything that the page of a lead shows, as of now, and what changed since an earlier moment;
    /// default: since yesterday.
    pub(super) fn detail(
        &self,
        lead: &str,
        compare_with: Option<Timestamp>,
    ) -> Result<LeadDetail, NoScore> {
        let served = self.served();
        let at = self.store.moment();
        let scored = served.score(&self.store, lead, at)?;
        self.log_answer(&scored.score, scored.edges, None);
        let edges = scored.edges.values;
        let tables = served.tables.as_ref();
        let points = self.points_of(&served, &[&scored]);
        let points = points.map_err(LiveError::no_score)?.pop().flatten();
        let rules = served.rules().map(|(_, rules)| rules);
        let points = rules.zip(points.as_ref());
        let change = served
            .changes(
                &self.store,
                &[&scored],
                compare_with.unwrap_or(at - YESTERDAY),
            )
            .into_iter()
            .next()
            .flatten();
        let next_tier = next_tier(&edges, scored.score.tier, |probability| {
            served.scoring.steps_to(lead, at, &scored.rows, probability)
        });
        let crossed = self.crossed_since(at - A_WEEK).remove(lead);
        let rank = tables.map_or(1, |tables| tables.ranking().rank(lead).unwrap_or(1));
        let events = event_lines(&scored.rows);
        let words = self.card_words(&scored.rows);
        let path = self.path(&served, lead, at, &edges);
        let row = QueueRow {
            change,
            ..self.row(
                rank,
                points.map(|(rules, lead)| of_rules(rules, lead)),
                crossed.unwrap_or_default(),
                scored,
            )
        };
        Ok(LeadDetail {
            row,
            path,
            events,
            next_tier,
            points: points.map_or_else(Vec::new, |(rules, lead)| rules.by_rule(lead)),
            words,
        })
    }

    /// The scores of a lead over time: those of the history, where it has them, else as the model
    /// that scores now would have scored it each week.
    fn path(&self, served: &Served, lead: &str, at: Timestamp, edges: &[f64; 3]) -> Vec<PathPoint> {
        let known = self.history.path(lead, &PathOptions::default());
        if let Ok(known) = known {
            return known
                .points
                .into_iter()
                .filter_map(|point| match point.standing {
                    Standing::Open(open) => Some(PathPoint {
                        at: point.as_of,
                        likelihood: open.likelihood_to_close,
                        tier: ContactPriority::QUARTILES
                            .into_iter()
                            .find(|tier| tier.name() == open.contact_priority)?,
                    }),
                    Standing::Won => None,
                })
                .collect();
        }
        let Some(tables) = &served.tables else {
            return Vec::new();
        };
        let Some(number) = tables.timeline.number(lead) else {
            return Vec::new();
        };
        let snapshots: Vec<Snapshot> = (1..=MOST_POINTS)
            .rev()
            .map(|weeks| at - Span::from_days(7 * weeks))
            .filter(|&moment| moment <= tables.loaded_at && tables.timeline.exists(number, moment))
            .map(|at| Snapshot { lead: number, at })
            .collect();
        let scoring = &served.scoring;
        let scores = tables
            .timeline
            .score(&scoring.model, &scoring.concepts, &snapshots);
        let Ok(scores) = scores else {
            return Vec::new();
        };
        snapshots
            .iter()
            .zip(scores.scored.probabilities)
            .map(|(snapshot, probability)| PathPoint {
                at: snapshot.at,
                likelihood: 100.0 * probability,
                tier: tier_of(probability, edges),
            })
            .collect()
    }

    /// The word on a lead whose event has this ID.
    pub(super) fn word(&self, lead: &str, event: &str) -> Result<Option<Word>, NoScore> {
        let entity = Entity::Lead(lead.to_owned());
        let rows = self
            .store
            .of_entity(&entity, self.store.moment())
            .map_err(|error| LiveError::from(error).no_score())?;
        let row = rows
            .into_iter()
            .filter(|row| row.id == event && row.table == WORD_TABLE);
        Ok(self.card_words(&row.collect::<Vec<_>>()).pop())
    }

    fn card_words(&self, rows: &[StoredEvent]) -> Vec<Word> {
        let cards = self
            .cards
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        cards.card_of(rows).words
    }
}

/// The next better tier that a lead can reach, and what would bring it there.
fn next_tier(
    edges: &[f64; 3],
    tier: ContactPriority,
    steps: impl FnOnce(f64) -> Vec<String>,
) -> Option<NextTier> {
    let own = ContactPriority::QUARTILES
        .iter()
        .position(|known| *known == tier)?;
    // Equal edges leave the tier between them empty.
    let above = (0..own)
        .rev()
        .find(|&tier| edges[tier] < 1.0 && (tier == 0 || edges[tier] < edges[tier - 1]))?;
    Some(NextTier {
        tier: ContactPriority::QUARTILES[above],
        from: 100.0 * edges[above],
        by: steps(edges[above]),
    })
}

/// What a lead and its account did, latest first.
fn event_lines(rows: &[StoredEvent]) -> Vec<EventLine> {
    let is_shown = |row: &&StoredEvent| match row.entity {
        Entity::Lead(_) | Entity::Account(_) => true,
        Entity::Lookup { .. } => false,
    };
    let mut shown: Vec<&StoredEvent> = rows.iter().filter(is_shown).collect();
    shown.sort_unstable_by_key(|row| std::cmp::Reverse((row.at, row.seq)));
    shown
        .into_iter()
        .take(MOST_EVENTS)
        .map(|row| {
            let columns = serde_json::from_str::<Map<String, Value>>(&row.row);
            let table = row.table.strip_prefix("activities.");
            EventLine {
                at: row.at,
                recorded: row.recorded,
                table: table.unwrap_or(&row.table).to_owned(),
                columns: columns
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), text_of(value)?)))
                    .filter(|(_, text)| !is_told_already(row, text))
                    .collect(),
            }
        })
        .collect()
}

/// Whether a cell says what the line has anyway: the lead, or when it happened.
fn is_told_already(row: &StoredEvent, text: &str) -> bool {
    text == row.entity.id() || text.parse() == Ok(row.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContactPriority::{High, Low, Medium, VeryHigh};

    #[track_caller]
    fn check(edges: [f64; 3], tier: ContactPriority, expected: Option<(ContactPriority, f64)>) {
        let found = next_tier(&edges, tier, |_| Vec::new());
        assert_eq!(found.map(|next| (next.tier, next.from)), expected);
    }

    #[test]
    fn the_next_tier_is_one_that_can_be_reached() {
        let edges = [0.5, 0.25, 0.125];
        check(edges, Low, Some((Medium, 12.5)));
        check(edges, Medium, Some((High, 25.0)));
        check(edges, High, Some((VeryHigh, 50.0)));
        check(edges, VeryHigh, None);
        // Nobody is very high, or nobody is high.
        check([f64::INFINITY, 0.25, 0.125], High, None);
        check([0.25, 0.25, 0.125], Medium, Some((VeryHigh, 25.0)));
    }
}
