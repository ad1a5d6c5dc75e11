//! `explain`: why one lead has its score, how far it is from the next tier, and what would take it
//! there.

mod errors;
mod look_back;
mod next_tier;
mod text;
mod what_if;

use leadscore_core::{FeatureMatrix, MatrixCell, Timestamp, log_odds_to_probability, printable};
use leadscore_dataset::Tables;
use leadscore_features::scoring_snapshots;
use leadscore_inference::{Model, Reason, score};
use serde::Serialize;

use self::look_back::look_back;
use self::next_tier::next_tier;
pub use self::next_tier::steps_to_probability;
use self::what_if::{cell_text, changes, shown};
use crate::ages::age_of;

use crate::data::Data;
use crate::error::bail;
use crate::score::{edges_of, tiers_of};
use crate::score_summary::{joined, too_old};

pub use self::errors::{SinceError, UnknownLead};

/// What is said about one lead.
#[derive(Debug, Serialize)]
pub struct Explanation {
    lead: String,
    /// `None` for a flat export, which has no dates.
    as_of: Option<String>,
    likelihood_to_close: f64,
    /// 95 % interval, where the model has a covariance.
    interval: Option<(f64, f64)>,
    contact_priority: &'static str,
    baseline_log_odds: f64,
    log_odds: f64,
    /// What was changed of the lead; `None` where it is explained as it is.
    what_if: Option<WhatIf>,
    reasons: Vec<Contribution>,
    next_tier: Option<NextTier>,
    /// What changed since an earlier date, where one was asked for.
    since: Option<Since>,
    /// What is unlike training about the lead; `None` where nothing is, or the model does not know
    /// what training saw.
    guard: Option<String>,
    /// What is to be known about a lead that is in no table.
    notes: Vec<String>,
    model_id: String,
}

#[derive(Debug, Serialize)]
struct WhatIf {
    changes: Vec<ChangedValue>,
    likelihood_before: f64,
}

#[derive(Debug, Serialize)]
struct ChangedValue {
    feature: String,
    from: String,
    to: String,
}

#[derive(Debug, Serialize)]
struct Contribution {
    /// What the reason speaks of.
    concept: String,
    /// What is most telling in it.
    text: String,
    log_odds: f64,
    /// Likelihood with this reason and all before it.
    running_likelihood: f64,
    /// What the reason is the sum of, strongest first.
    features: Vec<FeatureContribution>,
}

#[derive(Debug, Serialize)]
struct FeatureContribution {
    /// The feature's name.
    feature: String,
    /// The second feature, where two weigh together.
    with: Option<String>,
    /// What it is, and its exact value.
    text: String,
    log_odds: f64,
}

/// What changed since an earlier date.
#[derive(Debug, Serialize)]
struct Since {
    date: String,
    likelihood_to_close: f64,
    log_odds: f64,
    /// Differences of reasons, largest first; they add up to the difference of log-odds.
    changes: Vec<ReasonChange>,
}

#[derive(Debug, Serialize)]
struct ReasonChange {
    concept: String,
    /// What the reason says now.
    text: String,
    /// What it said then.
    text_then: String,
    log_odds: f64,
    log_odds_then: f64,
    difference: f64,
}

#[derive(Debug, Serialize)]
struct NextTier {
    tier: &'static str,
    /// The least likelihood in that tier today.
    from_likelihood: f64,
    log_odds_missing: f64,
    /// Single changes that would cross, smallest first.
    changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
struct Change {
    feature: String,
    from: f64,
    to: f64,
    likelihood_then: f64,
}

/// Changes that are named at most.
const N_CHANGES: usize = 3;

/// What else is asked of an explanation.
#[derive(Debug, Clone, Default)]
pub struct ExplainOptions {
    /// Also say what changed since this earlier moment.
    pub since: Option<Timestamp>,
    /// Columns and what they would be: the likelihood is also that of the lead with these values.
    pub what_if: Vec<(String, String)>,
}

/// Explains the score of one lead, as it stood at `as_of`, by default the day after the latest time
/// in the data; with changes, as it would be; and what changed since an earlier date.
///
/// # Errors
///
/// [`UnknownLead`], [`SinceError`], the lead is not open, the tables cannot be read, a change is of
/// nothing that the model reads, or both changes and an earlier date are asked for.
pub fn explain(
    data: &Data,
    model: &Model,
    id: &str,
    options: &ExplainOptions,
) -> crate::Result<Explanation> {
    let ExplainOptions { since, what_if } = options;
    let since = *since;
    if since.is_some() && !what_if.is_empty() {
        bail!(
            "what changed since an earlier date is of the lead as it is\n  hint: ask without changes of its columns"
        );
    }
    let tables = data.load_to_score(model)?;
    let as_of = data.moment_of(&tables);
    let changes = changes(data, model, what_if, as_of)?;
    data.silence(&tables.ends, model, as_of)?;
    let lead = find_lead(&data.config, &tables, id)?;
    let set = scoring_snapshots(&tables, as_of);
    let Some(row) = set.at_risk.iter().position(|key| key.lead == lead) else {
        let why = match (set.closed_won.contains(&lead), data.config.is_flat()) {
            (true, true) => "was won".to_owned(),
            (false, true) => "was lost".to_owned(),
            (true, false) => format!("was won before {}", (data.write_time())(as_of)),
            (false, false) => format!(
                "closed before, or is not yet created {}",
                (data.write_time())(as_of)
            ),
        };
        bail!(
            "lead `{}` {why}\n  hint: only open leads have a score",
            printable(id)
        );
    };
    // The tier of one lead depends on all of them.
    let matrix = data.features_of(&tables, &model.specs, &set.at_risk)?;
    let at = (!data.config.is_flat()).then(|| (data.write_time())(as_of));
    let age = age_of(&tables, lead, as_of);
    explained(
        data,
        model,
        Explained {
            id,
            as_of: at,
            matrix: &matrix,
            row,
            age,
            changes: &changes,
            since: since.map(|since| (since, as_of)),
            notes: Vec::new(),
        },
    )
}

/// A lead among others, and what is changed of it.
pub(crate) struct Explained<'e> {
    pub(crate) id: &'e str,
    pub(crate) as_of: Option<String>,
    /// The features of the lead and of those that its tier is told by.
    pub(crate) matrix: &'e FeatureMatrix,
    pub(crate) row: usize,
    /// Of the lead, in days; NaN where it is not known.
    pub(crate) age: f64,
    pub(crate) changes: &'e [(usize, MatrixCell)],
    /// An earlier moment, and that of the explanation.
    pub(crate) since: Option<(Timestamp, Timestamp)>,
    /// What is to be known about the lead.
    pub(crate) notes: Vec<String>,
}

/// The explanation of a lead whose features are known.
pub(crate) fn explained(
    data: &Data,
    model: &Model,
    of: Explained<'_>,
) -> crate::Result<Explanation> {
    let Explained {
        id,
        as_of,
        matrix,
        row,
        age,
        changes,
        since,
        notes,
    } = of;
    let mut scored = score(model, matrix)?;
    let before = scored.log_odds[row];
    // The lead as it is explained, alone.
    let own = matrix.changed_row(row, changes);
    let alone = score(model, &own)?;
    (scored.log_odds[row], scored.probabilities[row]) = (alone.log_odds[0], alone.probabilities[0]);
    let tiers = tiers_of(data, model, &scored);
    let log_odds = scored.log_odds[row];
    let reasons = model.reasons(&model.concepts(), &own, 0);
    let since = since
        .map(|since| look_back(data, model, id, &reasons, since))
        .transpose()?;
    let mut running = scored.baseline;
    let step = |reason: Reason| {
        running += reason.log_odds;
        contribution(model, &own, 0, reason, likelihood(running))
    };
    let changed = |(idx, cell): &(usize, MatrixCell)| ChangedValue {
        feature: model.specs[*idx].describe(),
        from: shown(matrix, row, *idx),
        to: cell_text(cell),
    };
    Ok(Explanation {
        lead: id.to_owned(),
        as_of,
        likelihood_to_close: likelihood(log_odds),
        interval: model.log_odds_error(&own, 0).map(|error| {
            (
                likelihood(log_odds - 1.96 * error),
                likelihood(log_odds + 1.96 * error),
            )
        }),
        contact_priority: tiers[row].name(),
        baseline_log_odds: scored.baseline,
        log_odds,
        what_if: (!changes.is_empty()).then(|| WhatIf {
            changes: changes.iter().map(changed).collect(),
            likelihood_before: likelihood(before),
        }),
        reasons: reasons.into_iter().map(step).collect(),
        next_tier: next_tier(
            model,
            &own,
            row,
            &scored.log_odds,
            &tiers,
            edges_of(data, model, tiers.len()),
        ),
        since,
        guard: joined(
            model
                .guard(&own)
                .and_then(|mut guarded| guarded.of_row.swap_remove(0)),
            too_old(model, age),
        ),
        notes,
        model_id: model.card.model_id.clone(),
    })
}

/// A reason, and the features that it is the sum of.
fn contribution(
    model: &Model,
    matrix: &FeatureMatrix,
    row: usize,
    reason: Reason,
    running_likelihood: f64,
) -> Contribution {
    let name = |feature_idx: usize| model.specs[feature_idx].name.clone();
    let mut features: Vec<FeatureContribution> = reason
        .parts
        .iter()
        .map(|part| FeatureContribution {
            feature: name(part.addend.feature_idx),
            with: part.addend.second_feature_idx.map(name),
            text: model.part_value(&part.addend, matrix, row),
            log_odds: part.log_odds,
        })
        .collect();
    features.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    Contribution {
        concept: reason.concept.to_string(),
        text: reason.text,
        log_odds: reason.log_odds,
        running_likelihood,
        features,
    }
}

/// A percentage.
fn likelihood(log_odds: f64) -> f64 {
    100.0 * log_odds_to_probability(log_odds)
}

/// The lead with this id.
pub(crate) fn find_lead(
    config: &leadscore_config::Config,
    tables: &Tables,
    id: &str,
) -> crate::Result<u32> {
    if let Some(position) = tables.leads.ids.iter().position(|known| known == id) {
        return Ok(u32::try_from(position).expect("tables number leads by u32"));
    }
    let nearest = tables
        .leads
        .ids
        .iter()
        .min_by_key(|known| strsim::levenshtein(known, id));
    match nearest {
        Some(nearest) => Err(UnknownLead {
            id: id.to_owned(),
            nearest: nearest.clone(),
            may_be_deleted: config.has_deletions(),
        }
        .into()),
        None => bail!("[leads] has no lead"),
    }
}
