//! What `score` says beside the file: how many leads were scored and left out, the tiers, and what
//! is unlike training.

use leadscore_config::TierEdges;
use leadscore_core::{ContactPriority, FeatureMatrix, agree, count, counted};
use leadscore_features::LeftOut;
use leadscore_inference::{GuardFinding, Guarded, Model};
use serde::Serialize;

use crate::data::Data;
use crate::error::bail;
use crate::hold_back::HoldBackSummary;
use crate::late_tables::LateTable;
use crate::limitations::FLAT_CAVEAT;

/// A run of `score` in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreSummary {
    /// The model.
    pub model_id: String,
    /// The moment at which leads were looked at; `None` for a flat export.
    pub as_of: Option<String>,
    /// Open leads, which have a score.
    pub n_scored: usize,
    /// Leads that were won before, which are listed and have none.
    pub closed_won: usize,
    /// All other leads, by reason.
    pub left_out: LeftOut,
    /// What tiers are told by.
    pub tier_edges: TierEdges,
    /// Whether the config asks for quartiles, and there are too few leads for them.
    pub few: bool,
    /// The tiers, highest first.
    pub tiers: Vec<TierSummary>,
    /// Whether the model tells no lead from another.
    pub no_signal: bool,
    /// What is unlike training; `None` where the model does not know what training saw.
    pub outside: Option<OutsideSummary>,
    /// Tables that stopped before the moment.
    pub late_tables: Vec<LateTable>,
    /// The leads that are not prioritized; `None` where the config holds nobody back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_back: Option<HoldBackSummary>,
}

/// A tier of the scored leads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TierSummary {
    /// Its name.
    pub tier: &'static str,
    /// Leads in it.
    pub n_leads: usize,
    /// Their mean likelihood in per cent; `None` where it is empty.
    pub mean_likelihood: Option<f64>,
    /// The lowest and the highest likelihood in it, in per cent; `None` where it is empty.
    pub range: Option<(f64, f64)>,
}

/// What is unlike training about the scored leads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutsideSummary {
    /// Leads with values that training never saw.
    pub n_outside: usize,
    /// Leads that are older than any that the model was trained on.
    pub n_older: usize,
    /// The oldest lead of training, in days; `None` where leads have no dates.
    pub oldest_at_training: Option<f64>,
    /// Feature by feature, the most frequent first.
    pub findings: Vec<GuardFinding>,
    /// How the config's rule of snapshots differs from the model's, in words.
    pub rule: Option<String>,
}

/// The share of leads, in per cent, from which on a feature outside of training is named.
const WORTH_A_LINE: f64 = 2.0;
/// Of fewer leads no share is a reason to stop.
const FEWEST_GUARDED: usize = 20;
/// Findings that are named one by one.
const N_NAMED: usize = 5;

/// What is said of a lead that is older, in days, than any that the model was trained on.
pub(crate) fn too_old(model: &Model, age: f64) -> Option<String> {
    let seen = model.scope.as_ref().and_then(|scope| scope.ages)?;
    // The oldest lead of training was looked at a window before the end of the data.
    let oldest = seen.high
        + 0.1 * seen.high
        + if model.card.ages.is_some() {
            1.0
        } else {
            model.card.horizon.map_or(0.0, |horizon| horizon.days())
        };
    (age > oldest).then(|| format!("age: {}", whole_days(age)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age is not below 0"
)]
fn whole_days(age: f64) -> String {
    counted(age.round() as u64, "day")
}

/// Two guards of one lead.
pub(crate) fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

/// Says what is unlike training about open leads, and refuses where too many are; for each lead
/// what it is, and all together.
pub(crate) fn guard(
    data: &Data,
    model: &Model,
    matrix: &FeatureMatrix,
    ages: &[f64],
) -> crate::Result<Option<(Vec<Option<String>>, OutsideSummary)>> {
    let Some(mut guarded) = model.guard(matrix) else {
        return Ok(None);
    };
    let n = matrix.n_rows();
    let outside = outside_features(&guarded, n);
    refuse_outside(data, &guarded, &outside, n)?;
    say_findings(data, &guarded, &outside, n);
    let rule = data.other_rule(model);
    if let Some(rule) = &rule {
        data.remark(&format!(
            "note: {rule}: scores are of leads as the model saw them"
        ));
    }
    let n_older = add_older(data, model, ages, &mut guarded.of_row);
    let seen = model.scope.as_ref().and_then(|scope| scope.ages);
    let summary = OutsideSummary {
        n_outside: guarded.n_outside,
        n_older,
        oldest_at_training: seen.map(|seen| seen.high),
        findings: guarded.findings,
        rule,
    };
    Ok(Some((guarded.of_row, summary)))
}

/// A part of so many leads, in per cent.
fn per_cent(n_part: usize, n: usize) -> f64 {
    100.0 * n_part as f64 / n.max(1) as f64
}

/// Features with values that training never saw: the share of leads in per cent, and in words; the
/// most frequent first.
fn outside_features(guarded: &Guarded, n: usize) -> Vec<(f64, String)> {
    (guarded.findings.iter().filter(|finding| finding.is_outside))
        .map(|finding| {
            let share = per_cent(finding.n_rows, n);
            (share, format!("{} ({share:.0} % of leads)", finding.text))
        })
        .collect()
}

/// Refuses leads of which more are outside of training than the config allows.
fn refuse_outside(
    data: &Data,
    guarded: &Guarded,
    outside: &[(f64, String)],
    n: usize,
) -> crate::Result<()> {
    let allowed = data.config.guards.outside_training;
    if n >= FEWEST_GUARDED && guarded.n_outside as f64 > allowed * n as f64 {
        bail!(
            "{} of {} ({:.0} %) lie outside of what the model was trained on: {}\n  hint: correct the table, train again, or in the config,\n    [guards]\n    outside_training = {:.2}   # they are scored all the same",
            count(guarded.n_outside),
            counted(n, "open lead"),
            per_cent(guarded.n_outside, n),
            outside
                .iter()
                .take(N_NAMED)
                .map(|(_, line)| line.as_str())
                .collect::<Vec<_>>()
                .join("; "),
            (guarded.n_outside as f64 / n as f64 * 100.0).ceil() / 100.0
        );
    }
    Ok(())
}

/// Says what is outside of training, and what else is unlike it.
fn say_findings(data: &Data, guarded: &Guarded, outside: &[(f64, String)], n: usize) {
    // A lead or two beyond what training saw are in the file, and no news.
    for (_, line) in outside
        .iter()
        .take_while(|(share, _)| *share >= WORTH_A_LINE)
        .take(N_NAMED)
    {
        data.remark(&format!("note: outside of training: {line}"));
    }
    if outside
        .first()
        .is_some_and(|(share, _)| *share < WORTH_A_LINE)
    {
        data.remark(&format!(
            "{} of {} {} a value that training never saw; the column `guard` names it",
            count(guarded.n_outside),
            counted(n, "open lead"),
            agree(guarded.n_outside, "has", "have")
        ));
    }
    for finding in guarded
        .findings
        .iter()
        .filter(|finding| !finding.is_outside)
        .take(N_NAMED)
    {
        data.remark(&format!("note: {}", finding.text));
    }
}

/// Says how many leads are older than any of training, adds that to their guards, and returns how
/// many they are.
fn add_older(data: &Data, model: &Model, ages: &[f64], guards: &mut [Option<String>]) -> usize {
    let Some(seen) = model.scope.as_ref().and_then(|scope| scope.ages) else {
        return 0;
    };
    let n = guards.len();
    let older: Vec<usize> = (0..n)
        .filter(|&row| too_old(model, ages[row]).is_some())
        .collect();
    if !older.is_empty() {
        data.remark(&format!(
            "note: {} of {} ({:.0} %) {} older than any that the model was trained on (at most {}): it does not know what becomes of such leads",
            count(older.len()),
            counted(n, "open lead"),
            per_cent(older.len(), n),
            agree(older.len(), "is", "are"),
            whole_days(seen.high)
        ));
    }
    for &row in &older {
        guards[row] = joined(guards[row].take(), too_old(model, ages[row]));
    }
    older.len()
}

impl TierSummary {
    /// Each tier of leads with these probabilities.
    pub(crate) fn of(probabilities: &[f64], tiers: &[ContactPriority]) -> Vec<Self> {
        let of_tier = |tier: ContactPriority| {
            let own: Vec<f64> = (0..tiers.len())
                .filter(|&row| tiers[row] == tier)
                .map(|row| probabilities[row])
                .collect();
            let mean_likelihood =
                (!own.is_empty()).then(|| 100.0 * own.iter().sum::<f64>() / own.len() as f64);
            let end = |pick: fn(f64, f64) -> f64| {
                own.iter()
                    .copied()
                    .reduce(pick)
                    .map(|probability| 100.0 * probability)
            };
            Self {
                tier: tier.name(),
                n_leads: own.len(),
                mean_likelihood,
                range: end(f64::min).zip(end(f64::max)),
            }
        };
        ContactPriority::QUARTILES
            .into_iter()
            .map(of_tier)
            .collect()
    }
}

/// All leads without a score, by reason.
pub(crate) fn not_scored(closed_won: usize, left_out: &LeftOut, is_flat: bool) -> String {
    let LeftOut {
        closed_lost,
        reopened,
        not_yet,
        without_time,
        silent,
    } = *left_out;
    let again = if reopened > 0 {
        format!(
            " ({} of the closed {})",
            count(reopened),
            agree(
                reopened,
                "has an open row after it, and counts as closed",
                "have an open row after it, and count as closed"
            )
        )
    } else {
        String::new()
    };
    let mut text = format!(
        "{} closed won, {} closed otherwise{again}",
        count(closed_won),
        count(closed_lost)
    );
    // Without dates no lead is yet to come.
    if !is_flat {
        text.push_str(&format!(", {} not yet created", count(not_yet)));
    }
    if without_time > 0 {
        text.push_str(&format!(
            ", {} without a creation time",
            count(without_time)
        ));
    }
    if silent > 0 {
        text.push_str(&format!(
            ", {} open and without an event for longer than `silent`",
            count(silent)
        ));
    }
    text
}

/// The mean likelihood, in per cent, below which the best tier is not high for everyone.
const LOW: f64 = 5.0;
/// The best tier is not high for everyone, either, where it is less than so many times as likely as
/// all leads.
const HARDLY_ABOVE: f64 = 2.0;

impl ScoreSummary {
    /// What tiers say about these leads, a sentence each.
    pub(crate) fn tier_sentences(&self) -> Vec<String> {
        let range = |tier: &TierSummary| {
            tier.range
                .map(|(low, high)| format!("{}: {low:.1} to {high:.1} %", tier.tier))
        };
        let ranges: Vec<String> = self.tiers.iter().filter_map(range).collect();
        let rule = match self.tier_edges {
            TierEdges::Relative => format!(
                "Tiers are quarters of the {}, whatever their likelihoods are",
                counted(self.n_scored, "open lead")
            ),
            TierEdges::Frozen => {
                "Tiers begin where quartiles of the training snapshots did".to_owned()
            }
            TierEdges::Percent([first, second, third]) => {
                format!("Tiers begin at {first} %, {second} % and {third} %")
            }
        };
        vec![format!("{rule}: {}.", ranges.join("; "))]
    }

    /// What the best tier is relative to, where its leads are not likely by themselves.
    fn relative_to(&self) -> Option<String> {
        let best = self
            .tiers
            .first()
            .filter(|_| self.tier_edges == TierEdges::Relative)?;
        let ((low, high), mean) = (best.range?, best.mean_likelihood?);
        let sum: f64 = self
            .tiers
            .iter()
            .filter_map(|tier| Some(tier.mean_likelihood? * tier.n_leads as f64))
            .sum();
        let is_low = mean < LOW || mean < HARDLY_ABOVE * sum / self.n_scored as f64;
        is_low.then(|| {
            format!(
                "{}: {low:.1} to {high:.1} %, the top quartile of {}",
                best.tier,
                counted(self.n_scored, "open lead")
            )
        })
    }

    /// How many leads are not prioritized, and where that shows.
    pub(crate) fn hold_back_sentence(&self, hold_back: HoldBackSummary) -> String {
        let HoldBackSummary {
            share,
            unit,
            n_leads,
        } = hold_back;
        format!(
            "held back: {} of {} ({:.1} %), {} of all {unit}s by a hash of the {unit}'s id; lists leave them out",
            count(n_leads),
            counted(self.n_scored, "open lead"),
            per_cent(n_leads, self.n_scored),
            // Without the digits beyond what anyone types.
            format_args!("{} %", (1e8 * share).round() / 1e6)
        )
    }

    /// Says what was scored and how large the tiers are.
    pub(crate) fn say(&self, data: &Data) {
        let n = self.n_scored;
        match &self.as_of {
            None => {
                data.remark(&format!(
                    "scored {}; {}",
                    counted(n, "lead"),
                    not_scored(self.closed_won, &self.left_out, true)
                ));
                data.remark(&format!("limitation: {FLAT_CAVEAT}"));
            }
            Some(as_of) => data.remark(&format!(
                "scored {} open at {as_of}; {}",
                counted(n, "lead"),
                not_scored(self.closed_won, &self.left_out, false)
            )),
        }
        for TierSummary {
            tier,
            n_leads,
            mean_likelihood,
            range: _,
        } in &self.tiers
        {
            let mean = mean_likelihood.map_or(String::new(), |mean| {
                format!(", mean likelihood {mean:5.2} %")
            });
            data.remark(&format!(
                "  {tier:<10} {:>9} {} ({:4.1} %){mean}",
                count(*n_leads),
                agree(*n_leads, "lead ", "leads"),
                100.0 * *n_leads as f64 / n as f64
            ));
        }
        if let Some(hold_back) = self.hold_back {
            data.remark(&self.hold_back_sentence(hold_back));
        }
        if let Some(relative) = self.relative_to() {
            data.remark(&format!(
                "note: {relative}: high among these leads, not by itself"
            ));
        }
        if self.no_signal {
            data.remark(
                "no signal: the model tells no lead from another, so every lead has the win rate, and neither tiers nor intervals say anything about one lead",
            );
        }
        if self.few {
            data
                .remark(&format!("note: quartiles of {} mean nothing, so tiers are by the model's own edges, the quartiles of its training snapshots", counted(n, "lead")));
        } else if n < 100 && self.tier_edges == TierEdges::Relative {
            data.remark(&format!(
                "warning: the quartiles of {} are thin: with fewer than 100, tiers are unreliable",
                counted(n, "lead")
            ));
        }
    }
}
