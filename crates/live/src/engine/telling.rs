//! Tells whoever watches thresholds what is news after all leads were put in order: age alone moves
//! scores, tiers and points, and so does another model.

use std::collections::HashMap;

use leadscore_core::{Snapshot, Timestamp};
use leadscore_serve::{Measured, PointsOfRules};

use super::EngineError;
use super::options::Watcher;
use super::points::of_rules;
use super::served::{Loaded, ScoredLead, Served};
use super::shared::Shared;
use crate::queue::{Edges, Entry, tier_of};

/// Leads that are looked at at a time.
const CHUNK: usize = 20_000;

/// All leads of the queue at a moment.
pub(super) struct Ranked {
    pub(super) at: Timestamp,
    pub(super) edges: Edges,
    /// Leads whose rows are all in the tables, by number, with their probabilities.
    of_tables: Vec<(u32, f64)>,
    /// Leads that were scored from their rows.
    of_rows: Vec<ScoredLead>,
}

impl Ranked {
    /// The leads of the queue; `of_rows` are those that were scored from their rows.
    pub(super) fn new(
        (at, edges): (Timestamp, Edges),
        entries: &[Entry],
        tables: &Loaded,
        of_rows: Vec<ScoredLead>,
    ) -> Self {
        let by_rows: HashMap<&str, usize> = of_rows
            .iter()
            .enumerate()
            .map(|(place, scored)| (scored.score.lead.as_str(), place))
            .collect();
        let mut is_open = vec![false; of_rows.len()];
        let mut of_tables = Vec::with_capacity(entries.len().saturating_sub(of_rows.len()));
        for entry in entries {
            match by_rows.get(entry.lead.as_str()) {
                Some(&place) => is_open[place] = true,
                None => {
                    let number = tables.timeline.number(&entry.lead);
                    of_tables.extend(number.map(|number| (number, entry.probability)));
                }
            }
        }
        let of_rows = of_rows.into_iter().zip(is_open);
        Self {
            at,
            edges,
            of_tables,
            of_rows: of_rows
                .filter_map(|(scored, is_open)| is_open.then_some(scored))
                .collect(),
        }
    }
}

impl Shared {
    /// Tells whoever watches which leads are on another side of a threshold, or are measured by
    /// another model or other rules.
    pub(super) fn tell(&self, served: &Served, ranked: Option<Ranked>) -> Result<(), EngineError> {
        let (Some(watcher), Some(tables), Some(ranked)) =
            (&self.options.watcher, &served.tables, ranked)
        else {
            return Ok(());
        };
        for leads in ranked.of_tables.chunks(CHUNK) {
            if self.is_stopping() {
                return Ok(());
            }
            tell_of_tables(&**watcher, served, tables, &ranked, leads)?;
        }
        let mut of_rows = ranked.of_rows;
        for scored in &mut of_rows {
            // It was scored before tiers were drawn anew.
            let score = &mut scored.score;
            score.tier = tier_of(score.likelihood / 100.0, &ranked.edges.values);
        }
        let scored: Vec<&ScoredLead> = of_rows.iter().collect();
        let points = self.points_of(served, &scored)?;
        let points: Vec<Option<PointsOfRules>> = points
            .into_iter()
            .map(|lead| Some(of_rules(served.rules()?.1, &lead?)))
            .collect();
        for (scored, points) in of_rows.into_iter().zip(points) {
            let score = scored.score;
            if watcher.is_news(&Measured::of(&score, points.as_ref())) {
                watcher.hear(score, points);
            }
        }
        Ok(())
    }
}

/// Tells about leads whose rows are all in the tables.
fn tell_of_tables(
    watcher: &dyn Watcher,
    served: &Served,
    tables: &Loaded,
    ranked: &Ranked,
    leads: &[(u32, f64)],
) -> Result<(), EngineError> {
    let at = ranked.at;
    let ids: Vec<&str> = leads
        .iter()
        .map(|&(number, _)| tables.timeline.id(number))
        .collect();
    let points: Vec<Option<PointsOfRules>> = match &tables.points {
        Some(rules) => {
            let of_leads = rules.of_tables(&ids, at)?.into_iter();
            of_leads
                .map(|lead| lead.map(|lead| of_rules(rules, &lead)))
                .collect()
        }
        None => vec![None; leads.len()],
    };
    let (mut snapshots, mut news) = (Vec::new(), Vec::new());
    for ((&(lead, probability), id), points) in leads.iter().zip(ids).zip(points) {
        let measured = Measured {
            lead: id,
            at,
            model: &served.scoring.facts.id,
            likelihood: 100.0 * probability,
            tier: tier_of(probability, &ranked.edges.values),
            points: points.as_ref(),
        };
        if watcher.is_news(&measured) {
            snapshots.push(Snapshot { lead, at });
            news.push((id, points));
        }
    }
    let scoring = &served.scoring;
    let scores = tables
        .timeline
        .score(&scoring.model, &scoring.concepts, &snapshots)?;
    let edges = &ranked.edges.values;
    for (row, (lead, points)) in news.into_iter().enumerate() {
        let score = served.score_of_row(&scores, row, lead, at, edges, String::new());
        watcher.hear(score, points);
    }
    Ok(())
}
