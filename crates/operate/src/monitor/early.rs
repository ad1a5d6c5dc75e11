//! The early read in words: wins of each week against those expected.

use leadscore::{Timestamp, WEEK};
use leadscore_core::counted;
use leadscore_monitoring::{
    Arm, CannotTell, EarlyRead, EarlyVerdict, EarlyWeek, LeadWeeks, LevelSince, Movement, Part,
    PartKey, Season, Side, Validation,
};
use serde_json::json;

use super::inputs::finite;
use super::weeks::WeekRows;
use super::{FigureTable, WeekFigures};
use crate::finding::{Layer, MonitorFinding, Urgency};

/// The columns as the early read takes them; tiers begin at these probabilities.
pub(super) fn columns(rows: &WeekRows, tier_edges: [f64; 3]) -> LeadWeeks {
    let edges = tier_edges.map(|p| (p / (1.0 - p)).ln());
    let tier = |log_odds: f64| {
        let below = edges.iter().filter(|edge| log_odds < **edge).count();
        u8::try_from(below).unwrap_or(3)
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ages in weeks need no more than 24 bits"
    )]
    let age = |days: f64| (days.max(0.0) / 7.0) as f32;
    LeadWeeks {
        week: rows.week.iter().map(|&at| week_number(at)).collect(),
        log_odds: rows.log_odds.clone(),
        tier: rows.log_odds.iter().map(|&value| tier(value)).collect(),
        age_weeks: rows
            .age_days
            .iter()
            .map(|&days| if days.is_finite() { age(days) } else { 0.0 })
            .collect(),
        cluster: rows.clusters.clone(),
        held_back: rows.held_back.clone(),
        won: rows.won.clone(),
        lost: rows.lost.clone(),
        segmentations: Vec::new(),
    }
}

/// Weeks since Monday, 1900-01-01.
const EPOCH: i64 = -25_567 * 86_400_000_000;

fn week_number(at: Timestamp) -> u32 {
    u32::try_from((at.micros() - EPOCH).div_euclid(WEEK.micros())).unwrap_or(0)
}

/// The Monday of a week.
fn monday(week: u32) -> String {
    Timestamp::from_micros(EPOCH + i64::from(week) * WEEK.micros()).to_string()
}

/// What the early read comes to.
pub(super) fn finding(read: &EarlyRead, n_weeks: (usize, usize)) -> MonitorFinding {
    let finding = match read.verdict {
        EarlyVerdict::CannotTell(_) | EarlyVerdict::Ok if unsure(read).is_some() => {
            moved_before(read)
        }
        EarlyVerdict::CannotTell(reason) => {
            MonitorFinding::new(Layer::EarlyRead, Urgency::CannotTell, why(reason))
        }
        EarlyVerdict::Ok => quiet(read),
        EarlyVerdict::Watch { side } => {
            MonitorFinding::new(Layer::EarlyRead, Urgency::Watch, moved(read, side))
                .advise("look again next week; nothing has to be done yet")
        }
        EarlyVerdict::Alarm { side } => alarm(read, side),
    };
    finding.with(figures(read, n_weeks))
}

/// That there is no early read, and why.
pub(super) fn without(reason: CannotTell) -> MonitorFinding {
    MonitorFinding::new(Layer::EarlyRead, Urgency::CannotTell, why(reason))
}

/// The last quarter before the training cutoff, where it is unlike the rest of that year: then
/// nobody knows what is usual, and a quiet read says little.
fn unsure(read: &EarlyRead) -> Option<Validation> {
    let validation = read.reference.as_ref()?.validation?;
    (!validation.holds).then_some(validation)
}

/// That the usual number of wins is not known, because it changed before the training cutoff.
fn moved_before(read: &EarlyRead) -> MonitorFinding {
    let before = unsure(read).map_or(String::new(), |found| {
        format!(
            "what is usual is not sure: in the last quarter before the training cutoff {:.0} leads were won, and {:.1} were expected by the rest of that year (ratio {:.2}, {:.2} to {:.2})",
            found.observed, found.expected, found.ratio, found.low, found.high
        )
    });
    let since = read.level.map_or(String::new(), |level| {
        format!("; since then {}", in_figures(read, level))
    });
    MonitorFinding::new(Layer::EarlyRead, Urgency::Watch, format!("{before}{since}")).advise(
        "look for what changed in that quarter; the model has learned from before and after it, so train again once windows that began since then have ended",
    )
}

/// An alarm, and what to do: pace is another thing than level.
fn alarm(read: &EarlyRead, side: Side) -> MonitorFinding {
    let movement = read.ages.map(|ages| ages.movement);
    let text = moved(read, side);
    match movement {
        Some(Movement::Pace) => {
            MonitorFinding::new(Layer::EarlyRead, Urgency::Alarm, text).advise(
                "likelihoods are of the horizon, and deals take another time to close: do not rely on the percentages, although as many may be won in the end; train again once windows have ended",
            )
        }
        Some(Movement::Level) => MonitorFinding::new(Layer::EarlyRead, Urgency::Alarm, text).advise(
            "do not rely on the percentages; look for what changed at that time, then `leadscore recalibrate` or train again",
        ),
        Some(Movement::CannotTell) | None => {
            MonitorFinding::new(Layer::EarlyRead, Urgency::Alarm, text).advise(
                "look for what changed at that time: fewer or later deals, or wins that nobody entered",
            )
        }
    }
}

/// An interval so wide contains half of what is expected and twice as much: it says nothing.
const SAYS_NOTHING: (f64, f64) = (0.5, 2.0);

/// Nothing is seen; or something is, and not yet beyond the promise.
fn quiet(read: &EarlyRead) -> MonitorFinding {
    let new = |urgency, text| MonitorFinding::new(Layer::EarlyRead, urgency, text);
    let Some(level) = read.level else {
        return new(Urgency::CannotTell, "no week was looked at".to_owned());
    };
    let figures = in_figures(read, level);
    if level.low > 1.0 || level.high < 1.0 {
        let direction = if level.low > 1.0 { "more" } else { "fewer" };
        return new(
            Urgency::Watch,
            format!("{direction} leads are won than expected since the training cutoff: {figures}"),
        )
        .advise("look again next week; nothing has to be done yet");
    }
    if level.low < SAYS_NOTHING.0 && level.high > SAYS_NOTHING.1 {
        return new(
            Urgency::CannotTell,
            format!("too few wins to tell yet: {figures}{}", would_find(read)),
        );
    }
    new(
        Urgency::Ok,
        format!("wins are as expected: {figures}{}", would_find(read)),
    )
}

/// Wins since monitoring began beside those expected.
fn in_figures(read: &EarlyRead, level: LevelSince) -> String {
    format!(
        "{} in {}, {:.1} expected (ratio {:.2}, {:.2} to {:.2})",
        level.observed,
        counted(read.weeks.len(), "week"),
        level.expected,
        level.ratio,
        level.low,
        level.high
    )
}

/// What would have been found, and when.
fn would_find(read: &EarlyRead) -> String {
    let fall = read
        .reference
        .iter()
        .flat_map(|reference| &reference.detectable)
        .filter(|found| found.ratio < 1.0)
        .min_by(|a, b| a.ratio.total_cmp(&b.ratio));
    match fall.map(|fall| (fall.ratio, fall.median, fall.nine_of_ten)) {
        Some((ratio, Some(median), Some(nine))) => format!(
            "; a fall to {ratio} is found within {} half of the time, and within {nine} nine times of ten",
            counted(median, "week")
        ),
        Some((ratio, Some(median), None)) => {
            format!(
                "; a fall to {ratio} is found within {} half of the time",
                counted(median, "week")
            )
        }
        Some((ratio, None, _)) => format!("; a fall to {ratio} would not be found"),
        None => String::new(),
    }
}

fn moved(read: &EarlyRead, side: Side) -> String {
    let direction = match side {
        Side::Fall => "fewer",
        Side::Rise => "more",
    };
    let is_told = |ratio: f64| match side {
        Side::Fall => ratio < 1.0,
        Side::Rise => ratio > 1.0,
    };
    let Some(change) = read.change.filter(|change| is_told(change.ratio)) else {
        // Down and up again, as where wins are entered in batches.
        let level = read.level.map_or(String::new(), |level| {
            format!(
                ": {} in {}, {:.1} expected",
                level.observed,
                counted(read.weeks.len(), "week"),
                level.expected
            )
        });
        return format!(
            "wins of some weeks are unlike what is expected, and no one change explains them{level}"
        );
    };
    let about = read.ages.map_or("", |ages| match ages.movement {
        Movement::Level => "; young and old leads moved together: it is the level",
        Movement::Pace => "; young and old leads moved apart: it is the pace of deals",
        Movement::CannotTell => "; level and pace cannot be told apart yet",
    });
    let parts: Vec<String> = parts(read)
        .filter(|part| part.is_changed)
        .map(|part| format!("{} ({:.2} times)", part_name(&part.key), part.ratio))
        .collect();
    let parts = if parts.is_empty() {
        String::new()
    } else {
        format!("; by part: {}", parts.join(", "))
    };
    let season = match read.reference.as_ref().map(|reference| reference.season) {
        Some(Season::Unknown) => {
            "; with less than a year before the training cutoff it may be the season"
        }
        Some(Season::None | Season::OneYear | Season::Years) | None => "",
    };
    let range = if change.weeks[0] == change.weeks[1] {
        String::new()
    } else {
        format!(
            " (between {} and {})",
            monday(change.weeks[0]),
            monday(change.weeks[1])
        )
    };
    format!(
        "{direction} leads are won than expected since the week of {}{range}: {:.2} times as many ({:.2} to {:.2}){about}{season}{parts}",
        monday(change.week),
        change.ratio,
        change.low,
        change.high
    )
}

fn why(reason: CannotTell) -> String {
    match reason {
        CannotTell::TooFewReferenceWeeks { found, needed } => format!(
            "there are {} of open leads before the training cutoff, and {needed} are needed to know the usual number of wins",
            counted(found, "week")
        ),
        CannotTell::NoWinYet => "no lead was won yet before the training cutoff".to_owned(),
        CannotTell::TooFewReferenceWins { found, needed } => format!(
            "{} in the year before the training cutoff, and {needed} are needed to know the usual number",
            counted(found, "win")
        ),
        CannotTell::OnlyWins => "every lead was won within its first week".to_owned(),
        CannotTell::NoWeeks => {
            "no week has ended since the training cutoff whose wins are entered".to_owned()
        }
        CannotTell::TooSlow { median } => match median {
            Some(median) => format!(
                "wins are within chance, and a fall to 0.7 would take {} to be found half of the time: there are too few wins a week",
                counted(median, "week")
            ),
            None => "wins are within chance, and there are too few a week to find a fall to 0.7"
                .to_owned(),
        },
    }
}

fn part_name(key: &PartKey) -> String {
    const TIERS: [&str; 4] = ["very high", "high", "medium", "low"];
    match key {
        PartKey::Tier(tier) => format!(
            "tier {}",
            TIERS.get(usize::from(*tier)).copied().unwrap_or("other")
        ),
        PartKey::Arm(Arm::Prioritized) => "prioritized leads".to_owned(),
        PartKey::Arm(Arm::HeldBack) => "held-back leads".to_owned(),
        PartKey::Segment {
            segmentation,
            level,
        } => format!("{segmentation} {level}"),
    }
}

fn figures(read: &EarlyRead, (published, computed): (usize, usize)) -> serde_json::Value {
    json!({
        "verdict": read.verdict,
        "level": read.level,
        "change_week": read.change.map(|change| monday(change.week)),
        "change": read.change,
        "ages": read.ages,
        "first_alarm": read.first_alarm.map(monday),
        "n_missing_weeks": read.n_missing_weeks,
        "n_weeks_by_published_scores": published,
        "n_weeks_scored_as_of_then": computed,
        "reference": read.reference,
    })
}

/// The weeks of the picture.
pub(super) fn weeks(read: &EarlyRead) -> Vec<WeekFigures> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are whole and not below 0"
    )]
    let count = |value: f64| value.round() as usize;
    read.weeks
        .iter()
        .map(|week: &EarlyWeek| WeekFigures {
            week: monday(week.week),
            n_open: count(week.n_open),
            n_won: count(week.observed),
            expected: week.expected,
            evidence: week.evidence.max(1e-300).log10(),
        })
        .collect()
}

/// Parts of the leads; one arm alone is no part.
fn parts(read: &EarlyRead) -> impl Iterator<Item = &Part> {
    let held_back = PartKey::Arm(Arm::HeldBack);
    let has_arms = read.parts.iter().any(|part| part.key == held_back);
    read.parts.iter().filter(move |part| match &part.key {
        PartKey::Arm(Arm::Prioritized) => has_arms,
        PartKey::Arm(Arm::HeldBack) | PartKey::Tier(_) | PartKey::Segment { .. } => true,
    })
}

/// Parts of the leads as a table.
pub(super) fn parts_table(read: &EarlyRead) -> Option<FigureTable> {
    parts(read).next()?;
    let row = |part: &Part| {
        vec![
            part_name(&part.key),
            format!("{:.0}", part.observed),
            format!("{:.1}", part.expected),
            format!("{:.2}", part.ratio),
            format!("{:.2} to {:.2}", part.low, part.high),
            if part.is_changed { "changed" } else { "" }.to_owned(),
        ]
    };
    Some(FigureTable {
        title: "Early read by part".to_owned(),
        note: "Wins since the training cutoff against those expected, with 95 % intervals for this look alone; of the parts that are called changed, one in ten is expected to be so by chance.".to_owned(),
        head: ["part", "won", "expected", "ratio", "95 % interval", ""]
            .map(str::to_owned)
            .to_vec(),
        rows: parts(read).map(row).collect(),
    })
}

/// The evidence at which there is an alarm, as a base-10 logarithm.
pub(super) fn threshold(read: &EarlyRead) -> Option<f64> {
    let reference = read.reference.as_ref()?;
    finite(reference.thresholds.alarm.log10())
}
