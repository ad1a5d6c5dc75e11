//! A lead at an earlier date, and how its reasons moved from there.

use leadscore_core::{Concept, Snapshot, Timestamp};
use leadscore_features::scoring_snapshots;
use leadscore_inference::{Model, Reason, score};

use super::errors::SinceError;
use super::{ReasonChange, Since, find_lead, likelihood};
use crate::data::Data;

/// The lead at an earlier date, and how its reasons moved from there.
pub(super) fn look_back(
    data: &Data,
    model: &Model,
    id: &str,
    reasons: &[Reason],
    (since, as_of): (Timestamp, Timestamp),
) -> crate::Result<Since> {
    if data.config.is_flat() {
        return Err(SinceError::Undated.into());
    }
    let write = data.write_time();
    if since >= as_of {
        return Err(SinceError::NotEarlier {
            since: write(since),
            as_of: write(as_of),
        }
        .into());
    }
    let tables = data.as_of(since).quiet().load_to_score(model)?;
    let lead = find_lead(&data.config, &tables, id)?;
    if !scoring_snapshots(&tables, since)
        .at_risk
        .iter()
        .any(|key| key.lead == lead)
    {
        let opened = tables.leads.created[lead as usize]
            .map_or("its creation".to_owned(), |created| write(created.known));
        return Err(SinceError::NotOpen {
            lead: id.to_owned(),
            since: write(since),
            opened,
        }
        .into());
    }
    let matrix =
        data.quiet()
            .features_of(&tables, &model.specs, &[Snapshot { lead, at: since }])?;
    let log_odds = score(model, &matrix)?.log_odds[0];
    let before = model.reasons(&model.concepts(), &matrix, 0);
    let change = |now: &Reason| {
        let of_concept = |concept: &Concept| before.iter().find(|then| then.concept == *concept);
        let then = of_concept(&now.concept).expect("a model has the same concepts at any date");
        ReasonChange {
            concept: now.concept.to_string(),
            text: now.text.clone(),
            text_then: then.text.clone(),
            log_odds: now.log_odds,
            log_odds_then: then.log_odds,
            difference: now.log_odds - then.log_odds,
        }
    };
    let mut changes: Vec<ReasonChange> = reasons.iter().map(change).collect();
    changes.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
    Ok(Since {
        date: write(since),
        likelihood_to_close: likelihood(log_odds),
        log_odds,
        changes,
    })
}
