//! Open leads at the start of each week with their likelihoods, and which were won within it: what
//! monitoring reads before windows of 90 days have ended.

use std::collections::HashMap;

use leadscore_config::Config;
use leadscore_core::{Snapshot, Span, Timestamp, counted, stable_hash};
use leadscore_dataset::{AttributeKey, LoadOptions, Standing, TableEnd, Tables};
use leadscore_inference::{Model, score};

use crate::ages::age_in_days;
use crate::contributions::concept_columns;
use crate::data::{Data, cluster_keys};
use crate::error::bail;
use crate::hold_back::{holds, rule_of};
use crate::late_tables::late_tables;

/// Which weeks are looked at, and how many rows at most.
#[derive(Debug, Clone, Copy)]
pub struct LeadWeeksOptions {
    /// The first week starts on the Monday at or after this moment.
    pub from: Timestamp,
    /// The last week has ended by this moment.
    pub to: Timestamp,
    /// Rows at most; default 400,000. Of more, a share of the clusters is kept, each with all of its
    /// rows.
    pub most_rows: usize,
    /// Whether contributions are computed, too; default: no.
    pub contributions: bool,
}

impl Default for LeadWeeksOptions {
    fn default() -> Self {
        Self {
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            most_rows: 400_000,
            contributions: false,
        }
    }
}

/// Open leads, each at the start of a week: one row a lead and week, in order of week, then lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadWeeks {
    /// The Monday at which the week starts: `(n_rows,)`.
    pub at: Vec<Timestamp>,
    /// Log-odds of the likelihood by then: `(n_rows,)`.
    pub log_odds: Vec<f64>,
    /// Age of the lead in days; NaN where it has no time of creation: `(n_rows,)`.
    pub age_days: Vec<f64>,
    /// What counts as one for chance, see [`cluster_keys`]: `(n_rows,)`.
    pub clusters: Vec<u64>,
    /// Whether the lead is held back: `(n_rows,)`.
    pub held_back: Vec<bool>,
    /// Whether the lead was won within the week: `(n_rows,)`.
    pub won: Vec<bool>,
    /// Whether it closed within the week and was not won in it: `(n_rows,)`.
    pub lost: Vec<bool>,
    /// Whether the lead was won within the horizon; `None` where that has not ended: `(n_rows,)`.
    pub won_in_horizon: Vec<Option<bool>>,
    /// What each concept gives in log-odds, by its name, where it was asked for: `(n_rows,)` each.
    pub contributions: Vec<(String, Vec<f64>)>,
}

/// Seven days.
pub const WEEK: Span = Span::from_days(7);

/// Scores the leads that were open at each Monday as they were known then, and looks which of them
/// were won in the seven days from it.
///
/// A week counts once nearly all of its wins are entered, so the last weeks may be missing.
/// Attributes without a history are today's values.
///
/// # Errors
///
/// The data is undated, the tables cannot be read, or the model does not fit them.
pub fn lead_weeks(
    data: &Data,
    model: &Model,
    options: LeadWeeksOptions,
) -> crate::Result<LeadWeeks> {
    if data.config.is_flat() {
        bail!("weeks need dates, and undated data has none");
    }
    let tables = data.load_to_score(model)?;
    let snapshots = weekly_snapshots(&tables, options);
    if snapshots.is_empty() {
        return Ok(LeadWeeks::default());
    }
    let matrix = data.features_of(&tables, &model.specs, &snapshots)?;
    let scored = score(model, &matrix)?;
    let won_within = |snapshot: &Snapshot, span: Span| {
        tables
            .win_since(snapshot.lead, snapshot.at)
            .is_some_and(|won| won < snapshot.at + span)
    };
    let horizon = data.config.snapshots.horizon;
    let in_horizon = |snapshot: &Snapshot| {
        (snapshot.at + horizon <= tables.mature_until()).then(|| won_within(snapshot, horizon))
    };
    let contributions = if options.contributions {
        let found = model.contributions(&matrix).concepts.into_iter();
        let values = found.map(|(_, values)| values);
        concept_columns(model).into_iter().zip(values).collect()
    } else {
        Vec::new()
    };
    Ok(LeadWeeks {
        at: snapshots.iter().map(|snapshot| snapshot.at).collect(),
        log_odds: scored.log_odds,
        age_days: snapshots
            .iter()
            .map(|snapshot| age_in_days(&tables, snapshot))
            .collect(),
        clusters: cluster_keys(&tables, &snapshots),
        held_back: snapshots
            .iter()
            .map(|snapshot| is_held_back(&data.config, &tables, snapshot.lead))
            .collect(),
        won: snapshots
            .iter()
            .map(|snapshot| won_within(snapshot, WEEK))
            .collect(),
        lost: snapshots
            .iter()
            .map(|snapshot| {
                let closed = tables.closing_since(snapshot.lead, snapshot.at);
                closed.is_some_and(|closed| closed < snapshot.at + WEEK)
                    && !won_within(snapshot, WEEK)
            })
            .collect(),
        won_in_horizon: snapshots.iter().map(in_horizon).collect(),
        contributions,
    })
}

fn is_held_back(config: &Config, tables: &Tables, lead: u32) -> bool {
    rule_of(config).is_some_and(|rule| holds(rule, tables, lead))
}

/// Leads at risk at each Monday whose week has ended, in order of week, then lead.
fn weekly_snapshots(tables: &Tables, options: LeadWeeksOptions) -> Vec<Snapshot> {
    let leads = 0..tables.leads.ids.len() as u32;
    let known = leads.filter_map(|lead| tables.leads.known_since(lead));
    let Some(first) = known.min() else {
        return Vec::new();
    };
    let end = options.to.min(tables.mature_until());
    let mut mondays = Vec::new();
    let mut monday = options.from.max(first).monday_at_or_after();
    while monday + WEEK <= end {
        mondays.push(monday);
        monday = monday + WEEK;
    }
    let mut snapshots = Vec::new();
    for lead in 0..tables.leads.ids.len() as u32 {
        let Some(known) = tables.leads.known_since(lead) else {
            continue;
        };
        let from = mondays.partition_point(|&monday| monday < known);
        let is_open = |&&at: &&Timestamp| tables.standing(lead, at) == Standing::Open;
        snapshots.extend(
            mondays[from..]
                .iter()
                .filter(is_open)
                .map(|&at| Snapshot { lead, at }),
        );
    }
    keep_a_share(tables, &mut snapshots, options.most_rows);
    snapshots.sort_unstable_by_key(|snapshot| (snapshot.at, snapshot.lead));
    snapshots
}

/// Of too many rows those of the clusters with the smallest hashes.
fn keep_a_share(tables: &Tables, snapshots: &mut Vec<Snapshot>, most: usize) {
    if snapshots.len() <= most {
        return;
    }
    let share = most as f64 / snapshots.len() as f64;
    let keys = cluster_keys(tables, snapshots);
    let limit = (share * u64::MAX as f64) as u64;
    let mut keys = keys.into_iter();
    // Hashed once more, since the keys themselves are parts of other samples.
    snapshots.retain(|_| {
        keys.next()
            .is_some_and(|key| stable_hash(&format!("week {key}")) <= limit)
    });
}

/// What became of each lead by now.
#[derive(Debug, Clone)]
pub struct LeadOutcomes {
    numbers: HashMap<String, u32>,
    /// By lead.
    pub leads: Vec<LeadState>,
    /// The last moment at which wins are nearly all entered.
    pub mature_until: Timestamp,
    /// The last moment that leads and outcomes speak of.
    pub observation_end: Timestamp,
    ends: Vec<TableEnd>,
}

/// A lead as it is known now.
#[derive(Debug, Clone)]
pub struct LeadState {
    /// When it was created; `None` where the tables do not say.
    pub created: Option<Timestamp>,
    /// When it was first won.
    pub won: Option<Timestamp>,
    /// When it first closed, won or lost.
    pub closed: Option<Timestamp>,
    /// What counts as one for chance.
    pub cluster: u64,
    /// Whether it is held back.
    pub held_back: bool,
}

impl LeadOutcomes {
    /// A lead by its id; `None` where the tables no longer have it.
    pub fn lead(&self, id: &str) -> Option<&LeadState> {
        self.numbers.get(id).map(|&lead| &self.leads[lead as usize])
    }

    /// Until when wins are known at a moment: until then, or where outcomes stopped before it.
    pub fn wins_until(&self, at: Timestamp) -> Timestamp {
        late_tables(&self.ends, at)
            .into_iter()
            .filter(|late| late.table == "[outcomes]")
            .map(|late| late.end.next_midnight())
            .fold(at, Timestamp::min)
    }
}

/// Reads which leads there are and what became of them, and nothing else of the tables.
///
/// # Errors
///
/// The data is undated, or the tables cannot be read.
pub fn lead_outcomes(data: &Data) -> crate::Result<LeadOutcomes> {
    if data.config.is_flat() {
        bail!("what became of leads needs dates, and undated data has none");
    }
    let tables = data.leads_and_outcomes()?;
    let n_leads = tables.leads.ids.len();
    let snapshots: Vec<Snapshot> = (0..n_leads as u32)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::MAX,
        })
        .collect();
    let clusters = cluster_keys(&tables, &snapshots);
    let leads = (0..n_leads as u32)
        .zip(clusters)
        .map(|(lead, cluster)| LeadState {
            created: tables.leads.created[lead as usize].map(|created| created.start),
            won: tables.outcomes[lead as usize].won,
            closed: tables.outcomes[lead as usize].closed,
            cluster,
            held_back: is_held_back(&data.config, &tables, lead),
        })
        .collect();
    let _stage = data.stage(&format!("looking at {}", counted(n_leads, "lead")), 1)?;
    Ok(LeadOutcomes {
        numbers: tables.leads.ids.iter().cloned().zip(0..).collect(),
        leads,
        mature_until: tables.mature_until(),
        observation_end: tables.observation_end,
        ends: tables.ends.clone(),
    })
}

impl Data {
    /// The leads and their outcomes without attributes and events.
    fn leads_and_outcomes(&self) -> crate::Result<Tables> {
        let mut lean = self.quiet();
        let no_attributes: HashMap<AttributeKey, _> = HashMap::new();
        lean.reads_anew_if(|config| {
            config.activities.clear();
            config.history = None;
            true
        });
        lean.load_once(&LoadOptions {
            attributes: Some(no_attributes),
            ..LoadOptions::default()
        })
    }
}
