//! `explain`: why one lead has its score, how far it is from the next tier, and what would take it there.

use anyhow::bail;
use leadscore_core::{Concept, ContactPriority, FeatureMatrix, FeatureSource, Snapshot, Timestamp, Unit, log_odds_to_probability, printable};
use leadscore_features::scoring_snapshots;
use leadscore_inference::{Model, Reason, score};
use leadscore_tables::Tables;
use serde::Serialize;

use crate::project::Project;
use crate::score::tiers_of;

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
    reasons: Vec<Contribution>,
    next_tier: Option<NextTier>,
    /// What changed since an earlier date, where one was asked for.
    since: Option<Since>,
    /// What is unlike training about the lead; `None` where nothing is, or the model does not know what training saw.
    guard: Option<String>,
    model_id: String,
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

/// Reasons that the text names; JSON has all.
const N_REASONS: usize = 15;
/// Features that the text names under a reason.
const N_FEATURES: usize = 4;
/// Contributions below this are not shown one by one.
const VISIBLE: f64 = 0.005;
/// Changes that are named at most.
const N_CHANGES: usize = 3;

/// A lead cannot be compared with itself at an earlier date.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// The date is not earlier.
    #[error("--since {since} is not before {as_of}: name an earlier date")]
    NotEarlier {
        /// The date that was asked for.
        since: String,
        /// The moment that is explained.
        as_of: String,
    },
    /// There are no dates.
    #[error("--since: this export has no dates, so that nothing is known of an earlier one; leave it out")]
    Undated,
    /// The lead was not open then.
    #[error("--since: lead `{}` was not open at {since}: name a date after {opened}", printable(lead))]
    NotOpen {
        /// The lead.
        lead: String,
        /// The date.
        since: String,
        /// When it was created.
        opened: String,
    },
}

/// No lead has this id.
#[derive(Debug, thiserror::Error)]
#[error("there is no lead `{}` in [leads]; the nearest id is `{}`", printable(id), printable(nearest))]
pub struct UnknownLead {
    id: String,
    nearest: String,
}

/// Explains the score of one lead, as it stood at `as_of`, by default the day after the latest time in the data, and what changed
/// since an earlier date.
///
/// # Errors
///
/// [`UnknownLead`], [`SinceError`], the lead is not open, or the tables cannot be read.
pub fn explain(project: &Project, model: &Model, id: &str, as_of: Option<Timestamp>, since: Option<Timestamp>) -> anyhow::Result<Explanation> {
    let tables = project.load_for(model, as_of)?;
    let as_of = as_of.unwrap_or_else(|| tables.observation_end.next_midnight());
    project.silence(&tables.ends, model, as_of)?;
    let lead = find_lead(&tables, id)?;
    let set = scoring_snapshots(&tables, as_of);
    let Some(row) = set.at_risk.iter().position(|key| key.lead == lead) else {
        let why = if set.closed_won.contains(&lead) { "was won before" } else { "closed before, or is not yet created" };
        bail!(
            "lead `{}` {why} {}: only open leads have a score",
            printable(id),
            if project.config.is_flat() { "this export".to_owned() } else { (project.write_time())(as_of) }
        );
    };
    // The tier of one lead depends on all of them.
    let matrix = project.features_of(&tables, &model.specs, &set.at_risk)?;
    let scored = score(model, &matrix)?;
    let tiers = tiers_of(project, model, &scored);
    let log_odds = scored.log_odds[row];
    let reasons = model.reasons(&matrix, row);
    let since = since.map(|since| look_back(project, model, id, &reasons, (since, as_of))).transpose()?;
    let mut running = scored.baseline;
    let step = |reason: Reason| {
        running += reason.log_odds;
        contribution(model, &matrix, row, reason, likelihood(running))
    };
    Ok(Explanation {
        lead: id.to_owned(),
        as_of: (!project.config.is_flat()).then(|| (project.write_time())(as_of)),
        likelihood_to_close: likelihood(log_odds),
        interval: model.log_odds_error(&matrix, row).map(|error| (likelihood(log_odds - 1.96 * error), likelihood(log_odds + 1.96 * error))),
        contact_priority: tiers[row].name(),
        baseline_log_odds: scored.baseline,
        log_odds,
        reasons: reasons.into_iter().map(step).collect(),
        next_tier: next_tier(model, &matrix, row, &scored.log_odds, &tiers),
        since,
        guard: model.guard(&matrix).and_then(|mut guarded| guarded.of_row.swap_remove(row)),
        model_id: model.card.model_id.clone(),
    })
}

fn contribution(model: &Model, matrix: &FeatureMatrix, row: usize, reason: Reason, running_likelihood: f64) -> Contribution {
    let name = |feature_idx: usize| model.specs[feature_idx].name.clone();
    let mut features: Vec<FeatureContribution> = reason
        .parts
        .iter()
        .map(|part| FeatureContribution {
            feature: name(part.feature_idx),
            with: part.second_feature_idx.map(name),
            text: model.part_value(part, matrix, row),
            log_odds: part.log_odds,
        })
        .collect();
    features.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    Contribution { concept: reason.concept.to_string(), text: reason.text, log_odds: reason.log_odds, running_likelihood, features }
}

/// The lead at an earlier date, and how its reasons moved from there.
fn look_back(project: &Project, model: &Model, id: &str, reasons: &[Reason], (since, as_of): (Timestamp, Timestamp)) -> anyhow::Result<Since> {
    if project.config.is_flat() {
        return Err(SinceError::Undated.into());
    }
    let write = project.write_time();
    if since >= as_of {
        return Err(SinceError::NotEarlier { since: write(since), as_of: write(as_of) }.into());
    }
    let tables = project.quiet().load_for(model, Some(since))?;
    let lead = find_lead(&tables, id)?;
    if !scoring_snapshots(&tables, since).at_risk.iter().any(|key| key.lead == lead) {
        let opened = tables.leads.created[lead as usize].map_or("its creation".to_owned(), |created| write(created.known));
        return Err(SinceError::NotOpen { lead: id.to_owned(), since: write(since), opened }.into());
    }
    let matrix = project.quiet().features_of(&tables, &model.specs, &[Snapshot { lead, at: since }])?;
    let log_odds = score(model, &matrix)?.log_odds[0];
    let before = model.reasons(&matrix, 0);
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
    Ok(Since { date: write(since), likelihood_to_close: likelihood(log_odds), log_odds, changes })
}

fn likelihood(log_odds: f64) -> f64 {
    100.0 * log_odds_to_probability(log_odds)
}

pub(crate) fn find_lead(tables: &Tables, id: &str) -> anyhow::Result<u32> {
    if let Some(position) = tables.leads.ids.iter().position(|known| known == id) {
        return Ok(u32::try_from(position)?);
    }
    let nearest = tables.leads.ids.iter().min_by_key(|known| strsim::levenshtein(known, id));
    match nearest {
        Some(nearest) => Err(UnknownLead { id: id.to_owned(), nearest: nearest.clone() }.into()),
        None => bail!("[leads] holds no lead"),
    }
}

/// The tier above, and the smallest single changes in what a lead does that would reach it.
fn next_tier(model: &Model, matrix: &FeatureMatrix, row: usize, log_odds: &[f64], tiers: &[ContactPriority]) -> Option<NextTier> {
    let own = ContactPriority::QUARTILES.iter().position(|tier| *tier == tiers[row])?;
    // Ties may leave a tier empty.
    let above = ContactPriority::QUARTILES[..own].iter().rev().find(|tier| tiers.contains(tier))?;
    let edge = (0..tiers.len()).filter(|&other| tiers[other] == *above).map(|other| log_odds[other]).min_by(f64::total_cmp)?;
    let mut changes: Vec<(f64, Change)> = Vec::new();
    for (feature_idx, spec) in model.specs.iter().enumerate() {
        // What can be brought about: more activities of the lead itself. Attributes and calendars cannot.
        if spec.unit != Unit::Events || !matches!(spec.source, FeatureSource::Activity { .. }) {
            continue;
        }
        let from = matrix.values()[[row, feature_idx]];
        let from = if from.is_nan() { 0.0 } else { from };
        let crossing = model.steps_above(feature_idx, from).into_iter().find(|&to| model.log_odds_if(matrix, row, feature_idx, to) >= edge);
        if let Some(to) = crossing {
            let then = model.log_odds_if(matrix, row, feature_idx, to);
            changes.push((to - from, Change { feature: spec.describe(), from, to, likelihood_then: likelihood(then) }));
        }
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.likelihood_then.total_cmp(&a.1.likelihood_then)));
    Some(NextTier {
        tier: above.name(),
        from_likelihood: likelihood(edge),
        log_odds_missing: edge - log_odds[row],
        changes: changes.into_iter().take(N_CHANGES).map(|(_, change)| change).collect(),
    })
}

impl Explanation {
    /// The reasons as bars, and what would lift the lead to the next tier.
    pub fn text(&self) -> String {
        let explanation = self;
        let at = explanation.as_of.as_ref().map_or(String::new(), |as_of| format!(" at {as_of}"));
        let mut lines = vec![format!("lead {}{at}", explanation.lead)];
        let interval = explanation.interval.map_or(String::new(), |(low, high)| format!(" (95 % interval {low:.1} to {high:.1} %)"));
        lines.push(format!("likelihood to close {:.1} %{interval}, contact priority {}", explanation.likelihood_to_close, explanation.contact_priority));
        if let Some(guard) = &explanation.guard {
            lines.push(format!("outside of what training saw: {guard}"));
        }
        lines.push(String::new());
        let widest = explanation.reasons.iter().map(|reason| reason.log_odds.abs()).fold(0.05, f64::max);
        let bar = |log_odds: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12 marks")]
            let length = (12.0 * log_odds.abs() / widest).round() as usize;
            if log_odds >= 0.0 { format!("{:12}|{:<12}", "", "+".repeat(length)) } else { format!("{:>12}|{:12}", "-".repeat(length), "") }
        };
        lines.push(format!("{:>8}  {:>7}  {:25}  the average lead", "", format!("{:.1} %", likelihood(explanation.baseline_log_odds)), ""));
        let (named, rest) = explanation.reasons.split_at(explanation.reasons.len().min(N_REASONS));
        for reason in named {
            lines.push(format!("{:>+8.3}  {:>7}  {}  {}", reason.log_odds, format!("{:.1} %", reason.running_likelihood), bar(reason.log_odds), reason.text));
            lines.extend(feature_lines(reason));
        }
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|reason| reason.log_odds).sum();
            lines.push(format!(
                "{sum:>+8.3}  {:>7}  {}  {} weaker reasons together (--json names them)",
                format!("{:.1} %", explanation.likelihood_to_close),
                bar(sum),
                rest.len()
            ));
        }
        if let Some(since) = &explanation.since {
            lines.push(String::new());
            lines.extend(since.lines(explanation.log_odds));
        }
        lines.push(String::new());
        match &explanation.next_tier {
            None => lines.push("there is no tier above".to_owned()),
            Some(next) => lines.extend(next.lines()),
        }
        lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
    }
}

/// The features of a reason, where it is the sum of several.
fn feature_lines(reason: &Contribution) -> Vec<String> {
    let indent = |log_odds: f64, text: &str| format!("{:46}{log_odds:>+8.3}  {text}", "");
    let visible = reason.features.iter().take_while(|part| part.log_odds.abs() >= VISIBLE).count();
    if reason.features.len() < 2 || visible == 0 {
        return Vec::new();
    }
    let (named, rest) = reason.features.split_at(visible.min(N_FEATURES));
    let mut lines: Vec<String> = named.iter().map(|part| indent(part.log_odds, &part.text)).collect();
    let of_rest: f64 = rest.iter().map(|part| part.log_odds).sum();
    if of_rest.abs() >= VISIBLE {
        lines.push(indent(of_rest, &format!("{} more", rest.len())));
    }
    lines
}

impl Since {
    fn lines(&self, log_odds: f64) -> Vec<String> {
        let mut lines = vec![format!("since {} ({:.1} %), {:+.3} log-odds:", self.date, self.likelihood_to_close, log_odds - self.log_odds)];
        let visible = self.changes.iter().take_while(|change| change.difference.abs() >= VISIBLE).count();
        let (named, rest) = self.changes.split_at(visible.min(N_REASONS));
        for change in named {
            let text = if change.text == change.text_then { change.text.clone() } else { format!("{}; then: {}", change.text, change.text_then) };
            lines.push(format!("{:>+8.3}  {text}", change.difference));
        }
        let of_rest: f64 = rest.iter().map(|change| change.difference).sum();
        if of_rest.abs() >= VISIBLE {
            lines.push(format!("{of_rest:>+8.3}  {} smaller changes together (--json names them)", rest.len()));
        }
        lines
    }
}

impl NextTier {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} begins at {:.1} %, {:.3} log-odds from here", self.tier, self.from_likelihood, self.log_odds_missing)];
        if self.changes.is_empty() {
            lines.push("  no single activity more would cross it".to_owned());
        }
        for change in &self.changes {
            lines.push(format!("  {}: from {} to {} would give {:.1} %", change.feature, change.from, change.to, change.likelihood_then));
        }
        if !self.changes.is_empty() {
            lines.push("  (what such leads did in the past; whether bringing it about has the same effect, only a trial tells)".to_owned());
        }
        lines
    }
}
