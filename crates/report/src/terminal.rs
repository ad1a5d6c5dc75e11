//! The report as plain text, for the terminal.

use std::fmt::Write as _;

use leadscore_core::{count, counted, printable};
use leadscore_metrics::{Comparison, TierRow};

use crate::finding::Answer;
use crate::format::{number, per_cent, shorten, signed_whole, whole, whole_number};
use crate::report::Report;

pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("{}\n", printable(&report.verdict.headline));
    wrap(&report.verdict.summary, "", &mut text);
    for finding in &report.verdict.findings {
        let mark = match finding.answer {
            Answer::Yes => "+",
            Answer::No => "-",
            Answer::Unsure => "?",
        };
        wrap(&finding.text, &format!("  {mark} "), &mut text);
    }
    if let Some(edges) = &report.data.tiers_from {
        let _ = writeln!(text, "\ntiers begin at {edges}; by other scores: quartiles");
    }
    tiers("tier", &report.measured.evaluation.tiers, &mut text);
    for score in &report.measured.comparison.scores[1..] {
        tiers(
            &format!("by {}", shorten(&score.name, 24)),
            &score.tiers,
            &mut text,
        );
    }
    gains(&report.measured.comparison, &mut text);
    swap(&report.measured.comparison, &mut text);
    text.truncate(text.trim_end().len());
    text
}

/// Lines of at most 100 characters, the first after a mark, the others below its text.
fn wrap(sentence: &str, mark: &str, text: &mut String) {
    let indent = " ".repeat(mark.chars().count());
    let (mut line, mut start) = (mark.to_owned(), mark.to_owned());
    for word in printable(sentence).split_whitespace() {
        if line != start && line.chars().count() + 1 + word.chars().count() > 100 {
            let _ = writeln!(text, "{line}");
            line.clone_from(&indent);
            start.clone_from(&indent);
        }
        if line != start {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// A bar of eighths of a character.
fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to a few hundred eighths"
    )]
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * width as f64).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        text.push(EIGHTHS[eighths % 8]);
    }
    text
}

fn tiers(title: &str, rows: &[TierRow], text: &mut String) {
    let _ = writeln!(
        text,
        "\n{title:<26}{:>10}{:>8}{:>10}{:>16}{:>11}",
        "snapshots", "won", "win rate", "95 % interval", "predicted"
    );
    let largest = rows.iter().map(|row| row.win_rate).fold(1e-9, f64::max);
    for row in rows {
        let interval = format!(
            "{} to {}",
            per_cent(row.interval.low),
            per_cent(row.interval.high)
        );
        let _ = writeln!(
            text,
            "{:<26}{:>10}{:>8}{:>10}{:>16}{:>11}  {}",
            row.tier,
            count(row.n_rows),
            count(row.n_wins),
            per_cent(row.win_rate),
            interval,
            per_cent(row.mean_probability),
            bar(row.win_rate / largest, 20)
        );
    }
}

/// Capture rate at a tenth, a quarter and a half of the leads: the share of wins among them.
fn gains(comparison: &Comparison, text: &mut String) {
    let _ = writeln!(
        text,
        "\ncapture rate: share of all wins among the highest scores"
    );
    for (percent, name) in [(10, "at 10 %"), (25, "at 25 %"), (50, "at 50 %")] {
        for score in &comparison.scores {
            let share = score
                .gains
                .get(percent)
                .map_or(0.0, |point| point.share_of_wins);
            let _ = writeln!(
                text,
                "  {name:<8}{:<16}{:>6}  {}",
                shorten(&score.name, 15),
                per_cent(share),
                bar(share, 40)
            );
        }
    }
}

fn swap(comparison: &Comparison, text: &mut String) {
    for pair in &comparison.paired {
        let side = |side: leadscore_metrics::SwapSide| {
            let rate = side
                .win_rate
                .map_or(String::new(), |rate| format!(", {}", per_cent(rate.value)));
            format!(
                "{}, {} won{rate}",
                counted(whole_number(side.n_rows), "snapshot"),
                whole(side.n_wins)
            )
        };
        let name = shorten(&pair.against, 24);
        let _ = writeln!(
            text,
            "\nswap set against {name}: called by one of the two only (difference of AUCs {}):",
            number(pair.auc_difference.value)
        );
        let _ = writeln!(text, "  only the model    {}", side(pair.swap.only_first));
        let _ = writeln!(text, "  only the other    {}", side(pair.swap.only_other));
        let difference = pair.customers_difference;
        let _ = writeln!(
            text,
            "  more customers    {} ({} to {})",
            signed_whole(difference.value),
            signed_whole(difference.low),
            signed_whole(difference.high)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_wrap(sentence: &str, mark: &str, expected: &[&str]) {
        let mut text = String::new();
        wrap(sentence, mark, &mut text);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn sentences_are_wrapped_at_a_hundred_letters() {
        check_wrap("two  words", "", &["two words"]);
        check_wrap("one", "  + ", &["  + one"]);
        // 4 letters of the mark, 47, a blank and 48 are a hundred.
        let (first, second) = ("a".repeat(47), "ö".repeat(48));
        check_wrap(
            &format!("{first} {second} c"),
            "  + ",
            &[&format!("  + {first} {second}"), "    c"],
        );
        let longer = "ö".repeat(49);
        check_wrap(
            &format!("{first} {longer}"),
            "  + ",
            &[&format!("  + {first}"), &format!("    {longer}")],
        );
        // A word that fits no line has its own.
        let endless = "x".repeat(120);
        check_wrap(
            &format!("a {endless} b"),
            "- ",
            &["- a", &format!("  {endless}"), "  b"],
        );
    }

    #[test]
    fn bars_are_in_eighths() {
        for (share, width, expected) in [
            (0.0, 4, ""),
            (1.0, 4, "████"),
            (0.5, 4, "██"),
            // 32 eighths: 1/32 is one of them, 0.49 is 15.68.
            (1.0 / 32.0, 4, "▏"),
            (0.49, 4, "██"),
            (0.45, 4, "█▊"),
            (-1.0, 4, ""),
            (7.0, 2, "██"),
            (f64::NAN, 4, ""),
        ] {
            assert_eq!(bar(share, width), expected, "{share}");
        }
    }
}
