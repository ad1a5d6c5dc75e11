//! `explain`: why one lead has its score, how far it is from the next tier, and what would take it
//! there.

mod errors;

use crate::error::bail;
use leadscore_core::{
    AttributeTable, Concept, ContactPriority, FeatureKind, FeatureMatrix, FeatureSource,
    FeatureSpec, MatrixCell, Snapshot, Timestamp, log_odds_to_probability, printable,
};
use leadscore_features::scoring_snapshots;
use leadscore_inference::{Model, Reason, score};
use leadscore_tables::Tables;
use serde::Serialize;

use crate::ages::age_of;
use crate::data::Data;
use crate::score::{edges_of, tiers_of};
use crate::score_summary::{joined, too_old};

pub use errors::{SinceError, UnknownLead};

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

/// Reasons that the text names; JSON has all.
const N_REASONS: usize = 15;
/// Features that the text names under a reason.
const N_FEATURES: usize = 4;
/// Contributions below this are not shown one by one.
const VISIBLE: f64 = 0.005;
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
    let changes = changes(model, what_if)?;
    if since.is_some() && !changes.is_empty() {
        bail!(
            "what changed since an earlier date is of the lead as it is: ask without changes of its columns"
        );
    }
    let tables = data.load_to_score(model)?;
    let as_of = data.moment_of(&tables);
    data.silence(&tables.ends, model, as_of)?;
    let lead = find_lead(&tables, id)?;
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
            "lead `{}` {why}: only open leads have a score",
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

/// A value of a feature in words.
fn shown(matrix: &FeatureMatrix, row: usize, feature_idx: usize) -> String {
    if matrix.is_category(feature_idx) {
        return cell_text(&MatrixCell::Level(
            matrix.level(row, feature_idx).map(str::to_owned),
        ));
    }
    cell_text(&MatrixCell::Number(matrix.values()[[row, feature_idx]]))
}

fn cell_text(cell: &MatrixCell) -> String {
    match cell {
        MatrixCell::Number(value) if value.is_nan() => "missing".to_owned(),
        MatrixCell::Number(value) => value.to_string(),
        MatrixCell::Level(level) => level.clone().unwrap_or_else(|| "missing".to_owned()),
    }
}

/// The cells that changes of columns and features are of; an empty value is a missing one.
fn changes(model: &Model, what_if: &[(String, String)]) -> crate::Result<Vec<(usize, MatrixCell)>> {
    let column_of = |spec: &FeatureSpec| match &spec.source {
        FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column,
        } => Some(column.clone()),
        FeatureSource::Attribute {
            table: AttributeTable::Lookup(table),
            column,
        } => Some(format!("{table}.{column}")),
        _ => None,
    };
    let mut found: Vec<(usize, MatrixCell)> = Vec::new();
    for (name, value) in what_if {
        let position = |is_it: &dyn Fn(&FeatureSpec) -> bool| model.specs.iter().position(is_it);
        let idx = position(&|spec| column_of(spec).as_deref() == Some(name))
            .or_else(|| position(&|spec| spec.name == *name));
        let Some(idx) = idx else {
            let mut known: Vec<String> = model.specs.iter().filter_map(column_of).collect();
            known.sort_unstable();
            bail!(
                "--what-if {}: the model reads no such column\n  hint: it reads {}; or name a feature, as `leadscore features --model MODEL --describe` does",
                printable(name),
                if known.is_empty() {
                    "no column of the leads".to_owned()
                } else {
                    known
                        .iter()
                        .map(|name| printable(name).into_owned())
                        .collect::<Vec<_>>()
                        .join(", ")
                }
            );
        };
        if found.iter().any(|(known, _)| *known == idx) {
            bail!("--what-if {}: it is changed twice", printable(name));
        }
        let cell = match model.specs[idx].kind {
            _ if value.is_empty() && model.specs[idx].kind == FeatureKind::Category => {
                MatrixCell::Level(None)
            }
            _ if value.is_empty() => MatrixCell::Number(f64::NAN),
            FeatureKind::Category => MatrixCell::Level(Some(value.clone())),
            FeatureKind::Number => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => MatrixCell::Number(number),
                _ => {
                    bail!(
                        "--what-if {}={}: the model reads a number there, such as 12.5; nothing behind = is a missing one",
                        printable(name),
                        printable(value)
                    )
                }
            },
        };
        found.push((idx, cell));
    }
    Ok(found)
}

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

/// The lead at an earlier date, and how its reasons moved from there.
fn look_back(
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
    let lead = find_lead(&tables, id)?;
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

fn likelihood(log_odds: f64) -> f64 {
    100.0 * log_odds_to_probability(log_odds)
}

pub(crate) fn find_lead(tables: &Tables, id: &str) -> crate::Result<u32> {
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
        }
        .into()),
        None => bail!("[leads] holds no lead"),
    }
}

/// The tier above, and the smallest single changes in what a lead does that would reach it.
fn next_tier(
    model: &Model,
    own_row: &FeatureMatrix,
    row: usize,
    log_odds: &[f64],
    tiers: &[ContactPriority],
    edges: Option<[f64; 3]>,
) -> Option<NextTier> {
    let own = ContactPriority::QUARTILES
        .iter()
        .position(|tier| *tier == tiers[row])?;
    let (above, edge) = match edges {
        Some(edges) => {
            // Equal edges leave a tier between them empty.
            let above = (0..own)
                .rev()
                .find(|&tier| edges[tier] < 1.0 && (tier == 0 || edges[tier] < edges[tier - 1]))?;
            (
                &ContactPriority::QUARTILES[above],
                (edges[above] / (1.0 - edges[above])).ln(),
            )
        }
        None => {
            // Ties may leave a tier empty.
            let above = ContactPriority::QUARTILES[..own]
                .iter()
                .rev()
                .find(|tier| tiers.contains(tier))?;
            (
                above,
                (0..tiers.len())
                    .filter(|&other| tiers[other] == *above)
                    .map(|other| log_odds[other])
                    .min_by(f64::total_cmp)?,
            )
        }
    };
    let mut changes: Vec<(f64, Change)> = Vec::new();
    for (feature_idx, spec) in model.specs.iter().enumerate() {
        // What can be brought about: more activities of the lead itself. Attributes and calendars
        // cannot.
        if !spec.is_count() {
            continue;
        }
        let from = own_row.values()[[0, feature_idx]];
        let from = if from.is_nan() { 0.0 } else { from };
        let crossing = model
            .steps_above(feature_idx, from)
            .into_iter()
            .find(|&to| model.log_odds_if(own_row, 0, feature_idx, to) >= edge);
        if let Some(to) = crossing {
            let then = model.log_odds_if(own_row, 0, feature_idx, to);
            changes.push((
                to - from,
                Change {
                    feature: spec.describe(),
                    from,
                    to,
                    likelihood_then: likelihood(then),
                },
            ));
        }
    }
    changes.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(b.1.likelihood_then.total_cmp(&a.1.likelihood_then))
    });
    Some(NextTier {
        tier: above.name(),
        from_likelihood: likelihood(edge),
        log_odds_missing: edge - log_odds[row],
        changes: changes
            .into_iter()
            .take(N_CHANGES)
            .map(|(_, change)| change)
            .collect(),
    })
}

impl Explanation {
    /// The reasons as bars, and what would lift the lead to the next tier.
    pub fn text(&self) -> String {
        let explanation = self;
        let at = explanation
            .as_of
            .as_ref()
            .map_or(String::new(), |as_of| format!(" at {as_of}"));
        let mut lines = vec![format!("lead {}{at}", explanation.lead)];
        let interval = explanation.interval.map_or(String::new(), |(low, high)| {
            format!(" (95 % interval {low:.1} to {high:.1} %)")
        });
        lines.push(format!(
            "likelihood to close {:.1} %{interval}, contact priority {}",
            explanation.likelihood_to_close, explanation.contact_priority
        ));
        if let Some(what_if) = &explanation.what_if {
            let changes: Vec<String> = what_if
                .changes
                .iter()
                .map(|change| {
                    format!(
                        "{} {} in place of {}",
                        change.feature, change.to, change.from
                    )
                })
                .collect();
            lines.push(format!(
                "with {}; as it is, {:.1} %",
                changes.join(", "),
                what_if.likelihood_before
            ));
        }
        lines.extend(explanation.notes.iter().map(|note| format!("note: {note}")));
        if let Some(guard) = &explanation.guard {
            lines.push(format!("outside of what training saw: {guard}"));
        }
        lines.push(String::new());
        let widest = explanation
            .reasons
            .iter()
            .map(|reason| reason.log_odds.abs())
            .fold(0.05, f64::max);
        let bar = |log_odds: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 12 marks"
            )]
            let length = (12.0 * log_odds.abs() / widest).round() as usize;
            if log_odds >= 0.0 {
                format!("{:12}|{:<12}", "", "+".repeat(length))
            } else {
                format!("{:>12}|{:12}", "-".repeat(length), "")
            }
        };
        lines.push(format!(
            "{:>8}  {:>7}  {:25}  the average lead",
            "",
            format!("{:.1} %", likelihood(explanation.baseline_log_odds)),
            ""
        ));
        let (named, rest) = explanation
            .reasons
            .split_at(explanation.reasons.len().min(N_REASONS));
        for reason in named {
            lines.push(format!(
                "{:>+8.3}  {:>7}  {}  {}",
                reason.log_odds,
                format!("{:.1} %", reason.running_likelihood),
                bar(reason.log_odds),
                reason.text
            ));
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
        lines
            .iter()
            .map(|line| printable(line))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The features of a reason, where it is the sum of several.
fn feature_lines(reason: &Contribution) -> Vec<String> {
    let indent = |log_odds: f64, text: &str| format!("{:46}{log_odds:>+8.3}  {text}", "");
    let visible = reason
        .features
        .iter()
        .take_while(|part| part.log_odds.abs() >= VISIBLE)
        .count();
    if reason.features.len() < 2 || visible == 0 {
        return Vec::new();
    }
    let (named, rest) = reason.features.split_at(visible.min(N_FEATURES));
    let mut lines: Vec<String> = named
        .iter()
        .map(|part| indent(part.log_odds, &part.text))
        .collect();
    let of_rest: f64 = rest.iter().map(|part| part.log_odds).sum();
    if of_rest.abs() >= VISIBLE {
        lines.push(indent(of_rest, &format!("{} more", rest.len())));
    }
    lines
}

impl Since {
    fn lines(&self, log_odds: f64) -> Vec<String> {
        let mut lines = vec![format!(
            "since {} ({:.1} %), {:+.3} log-odds:",
            self.date,
            self.likelihood_to_close,
            log_odds - self.log_odds
        )];
        let visible = self
            .changes
            .iter()
            .take_while(|change| change.difference.abs() >= VISIBLE)
            .count();
        let (named, rest) = self.changes.split_at(visible.min(N_REASONS));
        for change in named {
            let text = if change.text == change.text_then {
                change.text.clone()
            } else {
                format!("{}; then: {}", change.text, change.text_then)
            };
            lines.push(format!("{:>+8.3}  {text}", change.difference));
        }
        let of_rest: f64 = rest.iter().map(|change| change.difference).sum();
        if of_rest.abs() >= VISIBLE {
            lines.push(format!(
                "{of_rest:>+8.3}  {} smaller changes together (--json names them)",
                rest.len()
            ));
        }
        lines
    }
}

impl NextTier {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} begins at {:.1} %, {:.3} log-odds from here",
            self.tier, self.from_likelihood, self.log_odds_missing
        )];
        if self.changes.is_empty() {
            lines.push("  no single activity more would cross it".to_owned());
        }
        for change in &self.changes {
            lines.push(format!(
                "  {}: from {} to {} would give {:.1} %",
                change.feature, change.from, change.to, change.likelihood_then
            ));
        }
        if !self.changes.is_empty() {
            lines.push("  (what such leads did in the past; whether bringing it about has the same effect, only a trial tells)".to_owned());
        }
        lines
    }
}
