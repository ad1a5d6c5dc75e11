//! What monitoring knows of the past: the usual number of wins before the training cutoff, learned
//! once for each model; open leads since then; and past moments whose window has ended.

use std::path::Path;

use leadscore::{
    Data, LeadOutcomes, LeadState, LeadWeeks, LeadWeeksOptions, Model, Timestamp, WEEK, lead_weeks,
};
use leadscore_core::{Span, log_odds_to_probability};
use leadscore_monitoring::{CannotTell, EarlyOptions, EarlyReference};
use serde::{Deserialize, Serialize};

use super::MonitorError;
use super::early::columns;
use super::weeks::{Look, WeekRows, first_of_weeks, monday_of};
use crate::history::History;

/// Before the training cutoff so long a time is the usual one: 52 whole weeks, wherever in the week
/// the cutoff is.
const REFERENCE: Span = Span::from_days(53 * 7);
/// Rows of contributions that are kept of them.
const MOST_CONTRIBUTIONS: usize = 10_000;
/// Rows of weeks since the training cutoff that are computed.
const MOST_SINCE: usize = 1_500_000;
/// Moments so far apart are vintages of their own.
const BETWEEN_VINTAGES: Span = Span::from_days(28);

/// What is learned once of the year before a model's training cutoff.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reference {
    version: u32,
    model_id: String,
    /// What weeks usually bring, or why nobody knows.
    pub(super) early: Result<EarlyReference, CannotTell>,
    /// What each concept gave, by its name.
    pub(super) contributions: Vec<(String, Vec<f64>)>,
    pub(super) clusters: Vec<u64>,
}

/// Rises when the file means something else.
const VERSION: u32 = 1;

impl Reference {
    /// Reads it where it was kept, or learns and keeps it.
    pub(super) fn of(
        data: &Data,
        model: &Model,
        cache: Option<&Path>,
    ) -> Result<Self, MonitorError> {
        let file = cache.map(|folder| folder.join(format!("{}.json", model.card.model_id)));
        if let Some(known) = file.as_deref().and_then(|file| Self::kept(file, model)) {
            return Ok(known);
        }
        let learned = Self::learn(data, model)?;
        if let Some(file) = file {
            learned.keep(&file)?;
        }
        Ok(learned)
    }

    fn kept(file: &Path, model: &Model) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        // What an older version has kept, or somebody has changed, is learned anew.
        let known: Self = serde_json::from_str(&text).ok()?;
        (known.version == VERSION && known.model_id == model.card.model_id).then_some(known)
    }

    fn keep(&self, file: &Path) -> Result<(), MonitorError> {
        let folder = leadscore::front_end::folder_of(file);
        let error = |source| MonitorError::Cache {
            path: file.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(error)?;
        let text = serde_json::to_string(self).map_err(|source| error(source.into()))?;
        Ok(leadscore::write_text(file, &text)?)
    }

    fn learn(data: &Data, model: &Model) -> Result<Self, MonitorError> {
        let cutoff = cutoff_of(model);
        let weeks = lead_weeks(
            &data.quiet(),
            model,
            LeadWeeksOptions {
                from: cutoff - REFERENCE,
                to: cutoff,
                contributions: true,
                ..LeadWeeksOptions::default()
            },
        )?;
        let rows = columns(&WeekRows::computed(&weeks), model.tier_edges);
        let early = EarlyReference::learn(&rows, &EarlyOptions::default())?;
        let every = weeks.at.len().div_ceil(MOST_CONTRIBUTIONS).max(1);
        let thin = |values: &[f64]| values.iter().copied().step_by(every).collect();
        Ok(Self {
            version: VERSION,
            model_id: model.card.model_id.clone(),
            early,
            contributions: weeks
                .contributions
                .iter()
                .map(|(name, values)| (name.clone(), thin(values)))
                .collect(),
            clusters: weeks.clusters.iter().copied().step_by(every).collect(),
        })
    }
}

/// The last moment that the model's training data spoke of.
pub(super) fn cutoff_of(model: &Model) -> Timestamp {
    Timestamp::from_micros(model.card.training_cutoff_micros)
}

/// Open leads of a past moment whose window has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Vintage {
    pub(super) name: String,
    pub(super) probabilities: Vec<f64>,
    pub(super) labels: Vec<bool>,
    pub(super) clusters: Vec<u64>,
    pub(super) held_back: Vec<bool>,
}

/// Open leads since the training cutoff.
pub(super) struct Since {
    pub(super) rows: WeekRows,
    pub(super) vintages: Vec<Vintage>,
    /// Weeks by scores that were published, and weeks whose scores were computed now.
    pub(super) n_weeks: (usize, usize),
}

impl Since {
    /// By the scores of the history where it has them, else by scores computed as of then.
    pub(super) fn of(
        data: &Data,
        model: &Model,
        history: Option<&History>,
        latest: Option<LatestLook<'_>>,
        outcomes: &LeadOutcomes,
    ) -> Result<Self, MonitorError> {
        let cutoff = cutoff_of(model);
        let (looks, ids) = published(model, history, latest.as_ref())?;
        // Each id is looked up once, and not once a week.
        let states: Vec<Option<&LeadState>> = ids.iter().map(|id| outcomes.lead(id)).collect();
        let as_of = latest.map_or(Timestamp::MAX, |latest| latest.as_of);
        let until = outcomes.wins_until(as_of);
        let (published, late) = WeekRows::published(&looks, &states, (cutoff, until));
        let until = until.min(as_of - late);
        let n_published = published.n_weeks();
        // Weeks without published scores, before the first look and where runs were missing.
        let missing = published.missing_weeks(cutoff, outcomes.mature_until.min(until));
        let computed = match missing.first().zip(missing.last()) {
            None => LeadWeeks::default(),
            Some((&first, &last)) => lead_weeks(
                &data.quiet(),
                model,
                LeadWeeksOptions {
                    from: first,
                    to: last + WEEK,
                    most_rows: MOST_SINCE,
                    contributions: false,
                },
            )?,
        };
        let mut vintages = computed_vintages(&computed);
        let horizon = data.settings().snapshots.horizon;
        vintages.extend(published_vintages(
            &looks,
            &states,
            outcomes.mature_until,
            horizon,
        ));
        let mut rows = published;
        rows.fill(&WeekRows::computed(&computed));
        let n_weeks = (n_published, rows.n_weeks() - n_published);
        Ok(Self {
            rows,
            vintages,
            n_weeks,
        })
    }
}

/// The scores of this very run.
#[derive(Debug, Clone, Copy)]
pub(super) struct LatestLook<'a> {
    pub(super) as_of: Timestamp,
    pub(super) leads: &'a [String],
    pub(super) log_odds: &'a [f64],
}

/// Weekly looks of this model, in order of time, and the ids of their leads.
fn published(
    model: &Model,
    history: Option<&History>,
    latest: Option<&LatestLook<'_>>,
) -> Result<(Vec<Look>, Vec<String>), MonitorError> {
    let cutoff = cutoff_of(model);
    let (mut looks, mut ids) = (Vec::new(), Vec::new());
    if let Some(history) = history {
        let mut moments = history.moments()?;
        moments.retain(|&moment| {
            moment >= cutoff && latest.is_none_or(|latest| moment < latest.as_of)
        });
        let weekly: Vec<Timestamp> = first_of_weeks(&moments)
            .into_iter()
            .map(|place| moments[place])
            .collect();
        let read = history.read(&weekly)?;
        ids = (0..read.n_leads())
            .map(|lead| read.id(u32::try_from(lead).unwrap_or(u32::MAX)).to_owned())
            .collect();
        looks = read
            .moments
            .into_iter()
            .filter(|moment| moment.model_id == model.card.model_id)
            .map(|moment| Look {
                as_of: moment.moment,
                leads: moment.leads,
                log_odds: moment.log_odds,
            })
            .collect();
    }
    if let Some(latest) = latest.filter(|latest| latest.as_of >= cutoff) {
        looks.push(latest.numbered(&mut ids));
    }
    Ok((looks, ids))
}

impl LatestLook<'_> {
    /// The look by numbers of leads; new leads get new ones.
    fn numbered(&self, ids: &mut Vec<String>) -> Look {
        let mut numbers: std::collections::HashMap<String, u32> =
            ids.iter().cloned().zip(0..).collect();
        let leads = self
            .leads
            .iter()
            .map(|id| {
                *numbers.entry(id.clone()).or_insert_with(|| {
                    ids.push(id.clone());
                    u32::try_from(ids.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect();
        Look {
            as_of: self.as_of,
            leads,
            log_odds: self.log_odds.to_vec(),
        }
    }
}

/// Every fourth Monday whose window has ended.
fn computed_vintages(weeks: &LeadWeeks) -> Vec<Vintage> {
    let mut vintages: Vec<Vintage> = Vec::new();
    let Some(&first) = weeks.at.first() else {
        return vintages;
    };
    for row in 0..weeks.at.len() {
        let at = weeks.at[row];
        let is_one = (at.micros() - first.micros()).rem_euclid(BETWEEN_VINTAGES.micros()) == 0;
        let Some(label) = weeks.won_in_horizon[row].filter(|_| is_one) else {
            continue;
        };
        let name = at.to_string();
        if vintages.last().is_none_or(|vintage| vintage.name != name) {
            vintages.push(Vintage {
                name,
                ..Vintage::default()
            });
        }
        let vintage = vintages.last_mut().expect("one was pushed");
        vintage
            .probabilities
            .push(log_odds_to_probability(weeks.log_odds[row]));
        vintage.labels.push(label);
        vintage.clusters.push(weeks.clusters[row]);
        vintage.held_back.push(weeks.held_back[row]);
    }
    vintages
}

/// Published looks, four weeks apart, whose window has ended.
fn published_vintages(
    looks: &[Look],
    states: &[Option<&LeadState>],
    mature_until: Timestamp,
    horizon: Span,
) -> Vec<Vintage> {
    let mut vintages = Vec::new();
    let mut next = Timestamp::MIN;
    for look in looks {
        let end = look.as_of + horizon;
        if look.as_of < next || end > mature_until {
            continue;
        }
        next = monday_of(look.as_of) + BETWEEN_VINTAGES;
        let mut vintage = Vintage {
            name: look.as_of.to_string(),
            ..Vintage::default()
        };
        for (&lead, &log_odds) in look.leads.iter().zip(&look.log_odds) {
            let Some(state) = states[lead as usize] else {
                continue;
            };
            vintage
                .probabilities
                .push(log_odds_to_probability(log_odds));
            vintage.labels.push(state.won.is_some_and(|won| won < end));
            vintage.clusters.push(state.cluster);
            vintage.held_back.push(state.held_back);
        }
        vintages.push(vintage);
    }
    vintages
}
