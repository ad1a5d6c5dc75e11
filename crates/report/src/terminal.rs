//! The report as plain text, for the terminal.

use std::fmt::Write as _;

use leadscore_metrics::TierRow;

use crate::data::Report;
use crate::verdict::per_cent;

pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("{}\n", report.verdict.headline);
    for finding in &report.verdict.findings {
        let mark = match finding.answer {
            "yes" => "+",
            "no" => "-",
            _ => "?",
        };
        let _ = writeln!(text, "  {mark} {}", finding.text);
    }
    tiers("tier", &report.evaluation.tiers, &mut text);
    if let Some(manual) = &report.evaluation.manual {
        tiers("by manual score", &manual.manual_tiers, &mut text);
    }
    text.truncate(text.trim_end().len());
    text
}

fn tiers(title: &str, rows: &[TierRow], text: &mut String) {
    let _ = writeln!(text, "\n{title:<16}{:>10}{:>8}{:>10}{:>18}{:>10}", "snapshots", "won", "rate", "95 % interval", "said");
    for row in rows {
        let interval = format!("{} to {}", per_cent(row.interval.low), per_cent(row.interval.high));
        let _ = writeln!(
            text,
            "{:<16}{:>10}{:>8}{:>10}{:>18}{:>10}",
            row.tier,
            row.n_rows,
            row.n_wins,
            per_cent(row.win_rate),
            interval,
            per_cent(row.mean_probability)
        );
    }
}
