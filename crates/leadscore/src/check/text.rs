//! Findings for a terminal: the data, what was computed of it, and last what it means.

use std::collections::BTreeMap;

use leadscore_core::printable;

use super::attributes::AttributeFinding;
use super::look_ahead::look_ahead_text;
use super::{Computed, Findings};
use crate::text::table;

/// Values of one column that have a row of their own; those that are suspected have one anyway.
const VALUES_SHOWN: usize = 5;

impl Findings {
    /// The findings for a terminal: the data, what was computed of it, and last what it means.
    pub fn text(&self) -> String {
        let mut lines = self.page.clone();
        let line = |text: String| printable(&text).into_owned();
        lines.extend(self.computed.iter().flat_map(Computed::lines).map(line));
        lines.extend(self.notes.iter().map(|note| line(format!("note: {note}"))));
        if let Some(attributes) = self.computed.as_ref().and_then(Computed::attributes) {
            lines.extend([String::new(), attributes]);
        }
        lines.extend(
            self.doubts
                .iter()
                .flat_map(|doubt| [String::new(), format!("doubt: {doubt}")]),
        );
        lines.push(String::new());
        lines.extend(self.verdict.lines().into_iter().map(line));
        lines.join("\n")
    }
}

impl Computed {
    /// What the matrix shows, a line each.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("snapshots: {}", self.in_words),
            format!(
                "data: {}: {}",
                self.sufficiency.verdict.name(),
                self.sufficiency.reason
            ),
        ];
        if !self.is_flat {
            lines.extend(look_ahead_text(&self.look_ahead));
        }
        lines.extend(
            self.left_out
                .iter()
                .map(|(feature, reason)| format!("left out: `{feature}`: {reason}")),
        );
        lines
    }

    /// The attributes as a table; `None` where there is none.
    fn attributes(&self) -> Option<String> {
        let per_cent = |share: Option<f64>| {
            share.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share))
        };
        let mut n_shown: BTreeMap<&str, usize> = BTreeMap::new();
        let mut more: BTreeMap<&str, Vec<&AttributeFinding>> = BTreeMap::new();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for finding in &self.attributes {
            if let Some(column) = &finding.column {
                let n = n_shown.entry(column).or_default();
                *n += 1;
                if *n > VALUES_SHOWN && finding.verdict == "clean" {
                    more.entry(column).or_default().push(finding);
                    continue;
                }
            }
            rows.push(vec![
                finding.attribute.clone(),
                finding.verdict.to_owned(),
                finding
                    .auc
                    .map_or_else(String::new, |auc| format!("{auc:.3}")),
                per_cent(finding.filled_won),
                per_cent(finding.filled_lost),
                finding.evidence.clone(),
            ]);
        }
        for (column, findings) in more {
            let aucs = findings.iter().filter_map(|finding| finding.auc);
            let highest = aucs.fold(0.0, f64::max);
            rows.push(vec![
                format!("{column}: {} more", findings.len()),
                "clean".to_owned(),
                format!("{highest:.3}"),
                String::new(),
                String::new(),
                "the highest AUC of them".to_owned(),
            ]);
        }
        (!rows.is_empty()).then(|| {
            table(
                &[
                    "attribute",
                    "verdict",
                    "AUC",
                    "filled (won)",
                    "filled (others)",
                    "evidence",
                ],
                &rows,
            )
        })
    }
}
