//! A lead with a new event is scored at once, by a thread that appends never wait for.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use leadscore_serve::Measured;
use leadscore_store::Entity;

use super::points::of_rules;
use super::rows::entry_of;
use super::served::{ScoredLead, Served};
use super::shared::Shared;

/// Scores leads whose rows changed.
pub(super) struct Rescorer {
    shared: Arc<Shared>,
}

impl Rescorer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Works until the engine stops.
    pub(super) fn run(&self) {
        while let Some(entities) = self.shared.next_to_rescore() {
            let served = self.shared.served();
            for lead in self.shared.leads_of(&served, entities) {
                if self.shared.is_stopping() {
                    return;
                }
                self.shared.rescore(&served, &lead);
            }
        }
    }
}

impl Shared {
    /// The leads whose scores or points read rows of these entities. Leads of lookups are those of
    /// the next refresh, since they may be many.
    pub(super) fn leads_of(
        &self,
        served: &Served,
        entities: impl IntoIterator<Item = Entity>,
    ) -> HashSet<String> {
        let has_points_of_accounts = served.has_points_of_accounts();
        let mut leads = HashSet::new();
        for entity in entities {
            match entity {
                Entity::Lead(lead) => {
                    if has_points_of_accounts {
                        leads.extend(self.with_same_account(served, &lead));
                    }
                    leads.insert(lead);
                }
                Entity::Account(account) => {
                    let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
                    leads.extend(cards.of_account(&account).iter().cloned());
                }
                Entity::Lookup { .. } => {}
            }
        }
        leads
    }

    /// The leads of the account that a lead had when somebody looked last, and of the one that it has
    /// now.
    fn with_same_account(&self, served: &Served, lead: &str) -> Vec<String> {
        let account = || {
            let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
            cards.get(lead).and_then(|card| card.account.clone())
        };
        let before = account();
        if let Ok(rows) = served.scoring.rows(&self.store, lead, self.store.moment()) {
            self.keep_card(lead, &rows);
        }
        let cards_of = |account: Option<String>| {
            let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
            account.map_or_else(Vec::new, |account| cards.of_account(&account).to_vec())
        };
        let mut leads = cards_of(account());
        leads.extend(cards_of(before));
        leads
    }

    /// Scores a lead now, and puts it where the queue has it then.
    pub(super) fn rescore(&self, served: &Served, lead: &str) {
        let at = self.store.moment();
        let scored = served.score(&self.store, lead, at);
        match scored {
            Ok(scored) => {
                let card = self.keep_card(lead, &scored.rows);
                let entry = entry_of(&scored.score, &card);
                if let Some(tables) = &served.tables {
                    let mut ranking = tables.ranking_mut();
                    if card.is_settled() {
                        ranking.remove(lead, at);
                    } else {
                        ranking.put(entry);
                    }
                }
                if !card.is_settled() {
                    self.tell_one(served, scored);
                }
            }
            Err(error) if error.is_of_lead() => {
                if let Some(tables) = &served.tables {
                    tables.ranking_mut().remove(lead, at);
                }
            }
            Err(error) => {
                self.set_trouble(Some(format!("lead `{lead}` cannot be scored: {error}")));
            }
        }
    }

    /// Tells whoever watches thresholds about a lead that was scored from its rows, if it is news.
    fn tell_one(&self, served: &Served, scored: ScoredLead) {
        let Some(watcher) = &self.options.watcher else {
            return;
        };
        let points = match self.points_of(served, &[&scored]) {
            Ok(mut points) => points.pop().flatten(),
            Err(error) => {
                let (lead, error) = (&scored.score.lead, error.no_score());
                self.set_trouble(Some(format!("lead `{lead}` has no points: {error}")));
                None
            }
        };
        let rules = served.rules().map(|(_, rules)| rules);
        let points = rules
            .zip(points)
            .map(|(rules, lead)| of_rules(rules, &lead));
        if watcher.is_news(&Measured::of(&scored.score, points.as_ref())) {
            watcher.hear(scored.score, points);
        }
    }
}
