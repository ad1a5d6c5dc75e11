//! An explanation as text: reasons as bars, and what would lift the lead to the next tier.

use leadscore_core::{counted, printable};

use super::{Contribution, Explanation, NextTier, Since, WhatIf, likelihood};

/// Reasons that the text names; JSON has all.
const N_REASONS: usize = 15;

/// Features that the text names under a reason.
const N_FEATURES: usize = 4;

/// Contributions below this are not shown one by one.
const VISIBLE: f64 = 0.005;

impl Explanation {
    /// The reasons as bars, and what would lift the lead to the next tier.
    pub fn text(&self) -> String {
        let mut lines = self.head();
        lines.push(String::new());
        lines.extend(self.bars());
        if let Some(since) = &self.since {
            lines.push(String::new());
            lines.extend(since.lines(self.log_odds));
        }
        lines.push(String::new());
        match &self.next_tier {
            None => lines.push("there is no tier above".to_owned()),
            Some(next) => lines.extend(next.lines()),
        }
        lines
            .iter()
            .map(|line| printable(line))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The lead, its likelihood, and what is to be known about it.
    fn head(&self) -> Vec<String> {
        let at = self
            .as_of
            .as_ref()
            .map_or(String::new(), |as_of| format!(" at {as_of}"));
        let interval = self.interval.map_or(String::new(), |(low, high)| {
            format!(" (95 % interval {low:.1} to {high:.1} %)")
        });
        let mut lines = vec![
            format!("lead {}{at}", self.lead),
            format!(
                "likelihood to close {:.1} %{interval}, contact priority {}",
                self.likelihood_to_close, self.contact_priority
            ),
        ];
        lines.extend(self.what_if.iter().map(WhatIf::line));
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        if let Some(guard) = &self.guard {
            lines.push(format!("outside of what training saw: {guard}"));
        }
        lines
    }

    /// The average lead, and from there reason by reason to this one.
    fn bars(&self) -> Vec<String> {
        let widest = self
            .reasons
            .iter()
            .map(|reason| reason.log_odds.abs())
            .fold(0.05, f64::max);
        let mut lines = vec![format!(
            "{:>8}  {:>7}  {:25}  the average lead",
            "",
            format!("{:.1} %", likelihood(self.baseline_log_odds)),
            ""
        )];
        let (named, rest) = self.reasons.split_at(self.reasons.len().min(N_REASONS));
        for reason in named {
            lines.push(format!(
                "{:>+8.3}  {:>7}  {}  {}",
                reason.log_odds,
                format!("{:.1} %", reason.running_likelihood),
                bar(reason.log_odds, widest),
                reason.text
            ));
            lines.extend(feature_lines(reason));
        }
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|reason| reason.log_odds).sum();
            lines.push(format!(
                "{sum:>+8.3}  {:>7}  {}  {} together (--json names them)",
                format!("{:.1} %", self.likelihood_to_close),
                bar(sum, widest),
                counted(rest.len(), "weaker reason")
            ));
        }
        lines
    }
}

impl WhatIf {
    /// The changes, and the likelihood without them.
    fn line(&self) -> String {
        let changes: Vec<String> = self
            .changes
            .iter()
            .map(|change| {
                format!(
                    "{} {} in place of {}",
                    change.feature, change.to, change.from
                )
            })
            .collect();
        format!(
            "with {}; as it is, {:.1} %",
            changes.join(", "),
            self.likelihood_before
        )
    }
}

/// Log-odds as a bar, to the left where they are below 0.
fn bar(log_odds: f64, widest: f64) -> String {
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
    /// The likelihood then, and the reasons that moved, largest first.
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
                "{of_rest:>+8.3}  {} together (--json names them)",
                counted(rest.len(), "smaller change")
            ));
        }
        lines
    }
}

impl NextTier {
    /// Where the tier begins, and what would cross.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_bar(log_odds: f64, widest: f64, expected: &str) {
        assert_eq!(bar(log_odds, widest), expected);
        assert_eq!(expected.len(), 25);
    }

    #[test]
    fn bars_grow_from_the_middle() {
        check_bar(1.0, 1.0, "            |++++++++++++");
        check_bar(-1.0, 1.0, "------------|            ");
        check_bar(0.5, 1.0, "            |++++++      ");
        check_bar(-0.25, 1.0, "         ---|            ");
        check_bar(0.0, 1.0, "            |            ");
        // Less than half a mark is none.
        check_bar(-0.04, 1.0, "            |            ");
    }
}
