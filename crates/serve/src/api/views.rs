//! What answers look like as JSON.

use leadscore_core::{ContactPriority, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{
    EventLine, LeadDetail, LeadScore, Queue, QueueRow, Reason, TierRecord, Word, WordKind,
};

/// A moment as JSON has it: always with its time, to the microsecond, in UTC.
pub(crate) fn iso(at: Timestamp) -> String {
    at.naive().map_or_else(
        || at.to_string(),
        |naive| naive.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
    )
}

/// A likelihood as people read it.
fn percent(likelihood: f64) -> String {
    let rounded = likelihood.round();
    if likelihood > 0.0 && likelihood < 0.5 {
        "< 1 %".to_owned()
    } else if likelihood < 100.0 && rounded >= 100.0 {
        "> 99 %".to_owned()
    } else {
        format!("{rounded:.0} %")
    }
}

/// How many reasons are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasons {
    First(usize),
    All,
}

impl Reasons {
    pub(crate) const DEFAULT: Self = Self::First(3);

    fn of(self, all: &[Reason]) -> (&[Reason], f64) {
        let n = match self {
            Self::First(n) => n.min(all.len()),
            Self::All => all.len(),
        };
        let (shown, rest) = all.split_at(n);
        // `+ 0.0`: the sum of nothing is −0, which JSON would show.
        (
            shown,
            rest.iter().map(|reason| reason.log_odds).sum::<f64>() + 0.0,
        )
    }
}

/// A lead's score.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Score")]
pub(crate) struct ScoreView {
    /// The lead.
    pub(crate) lead: String,
    /// The moment of the score: what was recorded before it is in it, and nothing else.
    pub(crate) as_of: String,
    /// The model.
    model: String,
    /// Likelihood to be won within the model's horizon, 0 to 100.
    likelihood: f64,
    /// The likelihood as people read it.
    percent: String,
    /// Tier: Very high, High, Medium, Low.
    tier: String,
    /// Natural log-odds of the likelihood.
    log_odds: f64,
    /// Log-odds before any reason. With the reasons, and with `other_reasons_log_odds`, they add up
    /// to `log_odds`.
    baseline_log_odds: f64,
    /// Reasons, those that move the score most first.
    reasons: Vec<ReasonView>,
    /// How many reasons there are.
    n_reasons: usize,
    /// What the reasons that are not shown add.
    other_reasons_log_odds: f64,
    /// What about the lead is unlike training; `null`: nothing.
    outside: Option<String>,
    /// Whether the lead is held back from prioritizing, to measure what that does. An admin alone gets
    /// its score: show it to nobody who works on the lead.
    held_back: bool,
    /// Hash of the rows that the score was made from.
    input_hash: String,
    /// Hash of the bits of the features.
    feature_hash: String,
}

/// A reason of a score.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Reason")]
struct ReasonView {
    /// What it is about.
    concept: String,
    /// The reason as people read it.
    text: String,
    /// What it adds, in natural log-odds.
    log_odds: f64,
}

impl ScoreView {
    pub(crate) fn new(score: &LeadScore, reasons: Reasons) -> Self {
        let (shown, other) = reasons.of(&score.reasons);
        Self {
            lead: score.lead.clone(),
            as_of: iso(score.at),
            model: score.model.clone(),
            likelihood: score.likelihood,
            percent: percent(score.likelihood),
            tier: score.tier.name().to_owned(),
            log_odds: score.log_odds,
            baseline_log_odds: score.baseline,
            reasons: shown
                .iter()
                .map(|reason| ReasonView {
                    concept: reason.concept.clone(),
                    text: reason.text.clone(),
                    log_odds: reason.log_odds,
                })
                .collect(),
            n_reasons: score.reasons.len(),
            other_reasons_log_odds: other,
            outside: score.outside.clone(),
            held_back: score.held_back,
            input_hash: score.input_hash.clone(),
            feature_hash: score.feature_hash.clone(),
        }
    }
}

/// What became of rows that were sent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Accepted {
    /// Rows that are durable now, the new ones and the duplicates.
    pub(crate) accepted: usize,
    /// Rows among them that the store had already.
    pub(crate) duplicates: usize,
}

/// A page of the queue.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Leads")]
pub(crate) struct QueueView {
    /// The moment of the scores.
    as_of: String,
    /// The moment by which leads were put in order.
    ordered_at: String,
    /// Open leads that match, without those that are held back from prioritizing.
    n_matching: usize,
    /// Open leads of this owner and search that are held back, and so not among `leads`.
    n_held_back: usize,
    /// Whether the order is another one than that of the page before, so that a lead may be on both
    /// pages or on none; pages that are asked for within ten minutes have one order.
    reordered: bool,
    /// How many of them can be called today; `null`: not configured.
    capacity: Option<usize>,
    /// The leads, best first.
    leads: Vec<RowView>,
    /// `cursor` of the next page; `null` on the last one.
    next: Option<String>,
}

/// A lead of the queue.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Lead")]
pub(crate) struct RowView {
    /// Its place among the leads that match, from 1.
    rank: usize,
    /// How people call it.
    name: String,
    /// Who works on it.
    owner: Option<String>,
    /// Age in days.
    age_days: f64,
    /// Points of the rules at the moment of the score, where there are any.
    points: Option<f64>,
    /// The cell of the rules' matrix then, where the lead is in one.
    cell: Option<CellView>,
    /// Further columns, as the config names them.
    shown: Vec<NamedText>,
    /// The score now.
    score: ScoreView,
    /// What changed since the score of yesterday.
    change: Option<ChangeView>,
    /// The last word of sales.
    word: Option<WordView>,
    /// Thresholds that it crossed in the last seven days.
    crossed: Vec<Crossing>,
}

/// A column and its value.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct NamedText {
    /// The column.
    name: String,
    /// Its value, as people read it.
    value: String,
}

/// A cell of the rules' matrix.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Cell")]
struct CellView {
    /// Its name, such as A1.
    label: String,
    /// What the rules say to do there.
    action: Option<String>,
}

/// How a score changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeView {
    /// The moment of the score before.
    since: String,
    /// Percentage points.
    points: f64,
    /// What of the reasons changed most: what it is and what it was, and whether only time passed.
    because: Option<String>,
}

/// A threshold that was crossed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Crossing {
    /// Its name in the config.
    threshold: String,
    /// When.
    at: String,
}

/// What a salesperson said of a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Word")]
pub(crate) struct WordView {
    /// When.
    at: String,
    /// Who.
    by: String,
    /// called, not_now, won, lost or wrong.
    said: WordKind,
    /// Why, in their words.
    note: Option<String>,
}

/// Everything of a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LeadDetail")]
pub(crate) struct DetailView {
    /// As in the queue, with all reasons.
    #[serde(flatten)]
    row: RowView,
    /// Its scores over time, oldest first.
    path: Vec<PathView>,
    /// What it did, latest first.
    events: Vec<EventView>,
    /// What would bring it into the next tier.
    next_tier: Option<NextTierView>,
    /// Points by rule.
    points_by_rule: Vec<RulePoints>,
    /// All words of sales, latest first.
    words: Vec<WordView>,
}

/// A score of the past.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PathPoint")]
struct PathView {
    /// The moment.
    at: String,
    /// Likelihood, 0 to 100.
    likelihood: f64,
    /// The tier then.
    tier: String,
}

/// Something that a lead did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LeadEvent")]
pub(crate) struct EventView {
    /// When it happened.
    at: String,
    /// When it was recorded.
    recorded: String,
    /// Its table.
    table: String,
    /// Its columns.
    columns: Vec<NamedText>,
}

/// How far a lead is from a better tier.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "NextTier")]
struct NextTierView {
    /// The tier.
    tier: String,
    /// Likelihood at which it starts, 0 to 100.
    from: f64,
    /// What would bring it there.
    by: Vec<String>,
}

/// Points of a rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct RulePoints {
    /// The rule.
    rule: String,
    /// Its points.
    points: f64,
}

/// What was removed of a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ForgottenView {
    /// What the lead is called in the audit log from now on.
    pub(crate) forgotten: String,
    /// Events that were removed.
    pub(crate) n_events: usize,
    /// Scores and answers that were removed.
    pub(crate) n_scores: usize,
    /// Lines of the audit log that lost the ID.
    pub(crate) n_audit_lines: usize,
    /// Other things, such as calls of webhooks.
    pub(crate) n_others: usize,
    /// What a search for the ID found afterwards: 0.
    pub(crate) n_left: usize,
}

/// Owners of open leads.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Owners {
    /// By name.
    pub(crate) owners: Vec<OwnerView>,
}

/// An owner.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Owner")]
pub(crate) struct OwnerView {
    /// The name, as in the column of the leads.
    pub(crate) owner: String,
    /// How many open leads they have.
    pub(crate) n_leads: usize,
}

/// What became of leads of each tier.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Record {
    /// Leads that were prioritized, best tier first.
    pub(crate) tiers: Vec<TierView>,
    /// Leads that were held back from prioritizing; empty where none were.
    pub(crate) held_back: Vec<TierView>,
}

/// What became of leads of a tier whose window has ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "TierRecord")]
pub(crate) struct TierView {
    /// The tier.
    tier: String,
    /// Leads.
    n: usize,
    /// How many were won.
    n_won: usize,
    /// How many wins were predicted.
    predicted: f64,
}

impl TierView {
    pub(crate) fn new(record: &TierRecord) -> Self {
        Self {
            tier: record.tier.name().to_owned(),
            n: record.n,
            n_won: record.n_won,
            predicted: record.predicted,
        }
    }
}

impl QueueView {
    pub(crate) fn new(queue: &Queue, reasons: Reasons) -> Self {
        Self {
            as_of: iso(queue.at),
            ordered_at: iso(queue.ordered_at),
            n_matching: queue.n_matching,
            n_held_back: queue.n_held_back,
            reordered: queue.is_reordered,
            capacity: queue.capacity,
            leads: queue
                .rows
                .iter()
                .map(|row| RowView::new(row, reasons))
                .collect(),
            next: queue.next.clone(),
        }
    }
}

impl RowView {
    fn new(row: &QueueRow, reasons: Reasons) -> Self {
        Self {
            rank: row.rank,
            name: row.name.clone(),
            owner: row.owner.clone(),
            age_days: row.age_days,
            points: row.points,
            cell: row.cell.as_ref().map(|cell| CellView {
                label: cell.label.clone(),
                action: cell.action.clone(),
            }),
            shown: named(&row.shown),
            score: ScoreView::new(&row.score, reasons),
            change: row.change.as_ref().map(|change| ChangeView {
                since: iso(change.since),
                points: change.points,
                because: change.because.clone(),
            }),
            word: row.word.as_ref().map(WordView::new),
            crossed: row
                .crossed
                .iter()
                .map(|(threshold, at)| Crossing {
                    threshold: threshold.clone(),
                    at: iso(*at),
                })
                .collect(),
        }
    }
}

impl WordView {
    pub(crate) fn new(word: &Word) -> Self {
        Self {
            at: iso(word.at),
            by: word.by.clone(),
            said: word.said,
            note: word.note.clone(),
        }
    }
}

impl DetailView {
    pub(crate) fn new(detail: &LeadDetail) -> Self {
        Self {
            row: RowView::new(&detail.row, Reasons::All),
            path: detail
                .path
                .iter()
                .map(|point| PathView {
                    at: iso(point.at),
                    likelihood: point.likelihood,
                    tier: point.tier.name().to_owned(),
                })
                .collect(),
            events: detail.events.iter().map(EventView::new).collect(),
            next_tier: detail.next_tier.as_ref().map(|next| NextTierView {
                tier: next.tier.name().to_owned(),
                from: next.from,
                by: next.by.clone(),
            }),
            points_by_rule: detail
                .points
                .iter()
                .map(|(rule, points)| RulePoints {
                    rule: rule.clone(),
                    points: *points,
                })
                .collect(),
            words: detail.words.iter().map(WordView::new).collect(),
        }
    }
}

impl EventView {
    pub(crate) fn new(event: &EventLine) -> Self {
        Self {
            at: iso(event.at),
            recorded: iso(event.recorded),
            table: event.table.clone(),
            columns: named(&event.columns),
        }
    }
}

pub(crate) fn named(columns: &[(String, String)]) -> Vec<NamedText> {
    columns
        .iter()
        .map(|(name, value)| NamedText {
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}

/// The tier of its name, in any case, with spaces, `-` or `_`: `very_high`.
pub(crate) fn tier(text: &str) -> Option<ContactPriority> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], " ");
    ContactPriority::QUARTILES
        .into_iter()
        .find(|tier| plain(tier.name()) == plain(text))
}
