//! A lead with a new event is scored at once, by a thread that appends never wait for.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use leadscore_store::Entity;

use super::served::Served;
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
            for lead in self.shared.leads_of(entities) {
                if self.shared.is_stopping() {
                    return;
                }
                self.shared.rescore(&served, &lead);
            }
        }
    }
}

impl Shared {
    /// The leads whose scores read rows of these entities. Leads of lookups are those of the next
    /// refresh, since they may be many.
    pub(super) fn leads_of(&self, entities: impl IntoIterator<Item = Entity>) -> HashSet<String> {
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let mut leads = HashSet::new();
        for entity in entities {
            match entity {
                Entity::Lead(lead) => {
                    leads.insert(lead);
                }
                Entity::Account(account) => {
                    leads.extend(cards.of_account(&account).iter().cloned());
                }
                Entity::Lookup { .. } => {}
            }
        }
        leads
    }

    /// Scores a lead now, and puts it where the queue has it then.
    pub(super) fn rescore(&self, served: &Served, lead: &str) {
        let at = self.store.moment();
        let scored = served.score(&self.store, lead, at);
        match scored {
            Ok(scored) => {
                let card = self.keep_card(lead, &scored.rows);
                let entry = self.entry(&scored.score, &card, served);
                if let Some(tables) = &served.tables {
                    let mut ranking = tables.ranking_mut();
                    if card.is_settled() {
                        ranking.remove(lead, at);
                    } else {
                        ranking.put(entry.clone());
                    }
                }
                if let Some(hear) = &self.options.on_score {
                    hear(&scored.score, entry.points);
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
}
