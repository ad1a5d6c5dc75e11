//! Findings for a terminal: the data, what was computed of it, and last what it means.

use leadscore_core::printable;

use super::look_ahead::look_ahead_text;
use super::{Computed, Findings};
use crate::text::table;

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
        let rows: Vec<Vec<String>> = self
            .attributes
            .iter()
            .map(|finding| {
                vec![
                    finding.attribute.clone(),
                    finding.verdict.to_owned(),
                    finding
                        .auc
                        .map_or_else(String::new, |auc| format!("{auc:.3}")),
                    per_cent(finding.filled_won),
                    per_cent(finding.filled_lost),
                    finding.evidence.clone(),
                ]
            })
            .collect();
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
