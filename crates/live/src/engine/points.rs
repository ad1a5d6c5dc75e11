//! What the rules make of leads at a moment: of those that did not change from the tables, of the
//! others from their rows. Points age as scores do, so none is kept.

use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;

use leadscore::{LeadPoints, PointsTimeline};
use leadscore_core::{Timestamp, stable_hash};
use leadscore_serve::{MatrixCell, PointsOfRules};
use leadscore_store::{Entity, StoredEvent};

use super::served::{Loaded, ScoredLead, Served};
use super::shared::Shared;
use crate::error::LiveError;

impl Served {
    /// The rules, with the tables that they look at; `None` where there are none, or before tables
    /// have been loaded.
    pub(super) fn rules(&self) -> Option<(&Loaded, &PointsTimeline)> {
        let tables = self.tables.as_ref()?;
        Some((tables, tables.points.as_ref()?))
    }

    /// Whether the points of a lead are those of its account.
    pub(super) fn has_points_of_accounts(&self) -> bool {
        self.rules()
            .is_some_and(|(_, points)| points.is_of_accounts())
    }
}

impl Shared {
    /// What the rules make of leads that were scored, at the moment of their scores.
    pub(super) fn points_of(
        &self,
        served: &Served,
        scored: &[&ScoredLead],
    ) -> Result<Vec<Option<LeadPoints>>, LiveError> {
        let mut found: Vec<Option<LeadPoints>> = vec![None; scored.len()];
        let Some((tables, points)) = served.rules() else {
            return Ok(found);
        };
        let pooled = self.changed_accounts(served);
        let mut by_moment: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
        for (place, one) in scored.iter().enumerate() {
            let number = tables.unchanged(&one.score.lead);
            let account = number.map(|number| tables.timeline.account_hash(number));
            if account.is_some_and(|account| !pooled.contains(&account)) {
                by_moment.entry(one.score.at).or_default().push(place);
            } else {
                let (lead, at) = (&one.score.lead, one.score.at);
                found[place] = self.points_of_rows(served, points, lead, at, &one.rows)?;
            }
        }
        for (at, places) in by_moment {
            let leads: Vec<&str> = places
                .iter()
                .map(|&place| scored[place].score.lead.as_str())
                .collect();
            for (place, lead) in places.into_iter().zip(points.of_tables(&leads, at)?) {
                found[place] = lead;
            }
        }
        Ok(found)
    }

    /// What the rules make of a lead at a moment, by its rows.
    fn points_of_rows(
        &self,
        served: &Served,
        points: &PointsTimeline,
        lead: &str,
        at: Timestamp,
        own: &[StoredEvent],
    ) -> Result<Option<LeadPoints>, LiveError> {
        if !points.is_of_accounts() {
            return Ok(points.of_rows(lead, at, own)?);
        }
        let mut rows: BTreeMap<u64, StoredEvent> = BTreeMap::new();
        rows.extend(own.iter().map(|row| (row.seq, row.clone())));
        for other in self.leads_of_account_of(lead, own) {
            let of_other = served.scoring.scorer.rows(&self.store, &other, at)?;
            rows.extend(of_other.into_iter().map(|row| (row.seq, row)));
        }
        let rows: Vec<StoredEvent> = rows.into_values().collect();
        Ok(points.of_rows(lead, at, &rows)?)
    }

    /// The other leads of the account that a lead has by its rows.
    fn leads_of_account_of(&self, lead: &str, rows: &[StoredEvent]) -> Vec<String> {
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let account = cards.card_of(rows).account;
        let leads = account.map_or(&[][..], |account| cards.of_account(&account));
        leads
            .iter()
            .filter(|other| *other != lead)
            .cloned()
            .collect()
    }

    /// Hashes of the accounts of which a lead changed since tables were loaded, or that a lead left;
    /// of scores of accounts alone.
    pub(super) fn changed_accounts(&self, served: &Served) -> HashSet<u64> {
        let mut accounts = HashSet::new();
        let Some((tables, _)) = served.rules().filter(|_| served.has_points_of_accounts()) else {
            return accounts;
        };
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        for entity in tables.changed.entities() {
            match entity {
                Entity::Lead(lead) => {
                    let number = tables.timeline.number(&lead);
                    accounts.extend(number.map(|number| tables.timeline.account_hash(number)));
                    let account = cards.get(&lead).and_then(|card| card.account.as_deref());
                    accounts.extend(account.map(|account| stable_hash(account.trim())));
                }
                Entity::Account(account) => {
                    accounts.insert(stable_hash(&account));
                }
                Entity::Lookup { .. } => {}
            }
        }
        accounts
    }
}

/// Points as callers and thresholds have them.
pub(super) fn of_rules(points: &PointsTimeline, lead: &LeadPoints) -> PointsOfRules {
    PointsOfRules {
        rules: points.id().to_owned(),
        points: Some(lead.points()).filter(|points| points.is_finite()),
        is_disqualified: lead.is_disqualified(),
        cell: points.cell(lead).map(|(label, action)| MatrixCell {
            label,
            action: action.map(str::to_owned),
        }),
    }
}
