//! Why a lead has its likelihood: a row for each reason, with the percentage points that it adds,
//! where the likelihood is after it, and a bar from the one to the other.
//!
//! Reasons add up in log-odds. Points are those of going from the baseline to the likelihood in the
//! order of the rows, and add up in that order.

use leadscore_core::{counted, log_odds_to_probability};
use maud::{Markup, html};

use super::words::{likelihood, shown, step};
use crate::{LeadScore, Reason};

/// Reasons that have a row of their own at once; the others are together in one, and each behind it.
const ROWS: usize = 10;

/// Width of the picture of a bar.
const WIDTH: f64 = 240.0;

/// The waterfall of a score.
pub(crate) fn waterfall(score: &LeadScore) -> Markup {
    let first = if score.reasons.len() <= ROWS + 1 {
        score.reasons.len()
    } else {
        ROWS
    };
    let (own, rest) = score.reasons.split_at(first);
    let of_rest: f64 = rest.iter().map(|reason| reason.log_odds).sum();
    let scale = Scale::of(score);
    let steps = steps(score.baseline, own);
    let after_own = steps.last().map_or(score.baseline, |step| step.1);
    let after_rest = after_own + of_rest;
    html! {
        table.waterfall {
            caption { "From the baseline to the likelihood, each reason with what it adds" }
            thead { (header()) }
            tbody {
                tr.base { th scope="row" { "Baseline: a lead of which nothing is known" }
                    td { (scale.mark(score.baseline)) } td {} td { (after(score.baseline)) } }
                @for (reason, step) in own.iter().zip(&steps) { (row(&scale, reason, *step)) }
                @if !rest.is_empty() {
                    tr { th scope="row" { (counted(rest.len(), "smaller reason")) ", together" }
                        td { (scale.bar(after_own, after_rest)) } td { (added(after_own, after_rest)) } td { (after(after_rest)) } }
                }
            }
            tfoot {
                tr { th scope="row" { "Likelihood" } td { (scale.mark(score.log_odds)) } td { (added(score.baseline, score.log_odds)) } td { (likelihood(score.likelihood)) } }
            }
        }
        @if !rest.is_empty() {
            details {
                summary { "The smaller reasons" }
                table.waterfall {
                    caption.hidden { "The smaller reasons" }
                    thead { (header()) }
                    tbody { @for (reason, step) in rest.iter().zip(self::steps(after_own, rest)) { (row(&scale, reason, step)) } }
                }
            }
        }
    }
}

fn header() -> Markup {
    html! { tr {
        th scope="col" { "Reason" }
        th scope="col" { span.hidden { "Drawing" } }
        th scope="col" { "Adds" span.unit { " (points)" } }
        th scope="col" { "Likelihood so far" }
    } }
}

/// The sum before and after each reason.
fn steps(start: f64, reasons: &[Reason]) -> Vec<(f64, f64)> {
    let mut sum = start;
    reasons
        .iter()
        .map(|reason| {
            let before = sum;
            sum += reason.log_odds;
            (before, sum)
        })
        .collect()
}

fn row(scale: &Scale, reason: &Reason, (before, end): (f64, f64)) -> Markup {
    html! {
        tr { th scope="row" { (shown(&reason.text, 300)) }
            td { (scale.bar(before, end)) } td { (added(before, end)) } td { (after(end)) } }
    }
}

fn after(sum: f64) -> String {
    likelihood(100.0 * log_odds_to_probability(sum))
}

/// The percentage points between two sums of log-odds.
fn added(before: f64, end: f64) -> String {
    step(100.0 * (log_odds_to_probability(end) - log_odds_to_probability(before)))
}

/// From log-odds to places in the picture, which has likelihoods.
struct Scale {
    low: f64,
    per_unit: f64,
}

impl Scale {
    /// From the lowest sum to the highest.
    fn of(score: &LeadScore) -> Self {
        let sums = steps(score.baseline, &score.reasons);
        let all = sums
            .iter()
            .map(|step| step.1)
            .chain([score.baseline, score.log_odds])
            .map(log_odds_to_probability);
        let (low, high) = all
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let span = if high > low { high - low } else { 1.0 };
        Self {
            low: if low.is_finite() { low } else { 0.0 },
            per_unit: (WIDTH - 4.0) / span,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let place = 2.0 + (log_odds_to_probability(value) - self.low) * self.per_unit;
        if place.is_finite() {
            place.clamp(0.0, WIDTH)
        } else {
            0.0
        }
    }

    fn bar(&self, from: f64, to: f64) -> Markup {
        let (start, end) = (self.place(from.min(to)), self.place(from.max(to)));
        let class = if to < from { "no" } else { "for" };
        drawn(
            &html! { rect class=(class) x=(one(start)) y="3" width=(one((end - start).max(0.8))) height="10" {} },
        )
    }

    fn mark(&self, value: f64) -> Markup {
        drawn(&html! { rect.level x=(one(self.place(value) - 1.0)) y="0" width="2" height="16" {} })
    }
}

fn drawn(shape: &Markup) -> Markup {
    html! { svg viewBox={ "0 0 " (WIDTH) " 16" } preserveAspectRatio="none" aria-hidden="true" { (shape) } }
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_go_from_the_baseline_to_the_log_odds() {
        let reason = |log_odds| Reason {
            concept: "c".into(),
            text: "t".into(),
            log_odds,
        };
        let reasons = [reason(0.5), reason(-2.0), reason(0.25)];
        assert_eq!(
            steps(-1.0, &reasons),
            [(-1.0, -0.5), (-0.5, -2.5), (-2.5, -2.25)]
        );
        // From 50 % to 73.1 %.
        assert_eq!(added(0.0, 1.0), "+23.1");
        assert_eq!(added(1.0, 0.0), "\u{2212}23.1");
        assert_eq!(after(0.0).replace('\u{a0}', " "), "50.0 %");
    }
}
