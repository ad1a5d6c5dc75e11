//! The first leads of a score file as a table for the terminal.

use leadscore_inference::signed;

use super::Scores;
use crate::text::table;

/// A lead as the terminal shows it: likelihood in per cent, reasons with their log-odds.
pub(crate) struct FirstLead {
    pub(crate) lead: String,
    pub(crate) likelihood: f64,
    pub(crate) tier: String,
    pub(crate) reasons: Vec<(String, f64)>,
}

/// Leads as a table for the terminal: a line for each reason, the lead before the first.
pub(crate) fn first_leads(leads: Vec<FirstLead>) -> String {
    let mut rows = Vec::new();
    for FirstLead {
        lead,
        likelihood,
        tier,
        reasons,
    } in leads
    {
        let mut cells = vec![lead, format!("{likelihood:.1} %"), tier];
        for (text, log_odds) in reasons {
            cells.push(signed(&text, log_odds));
            rows.push(std::mem::replace(&mut cells, vec![String::new(); 3]));
        }
        if !cells[0].is_empty() {
            rows.push(cells);
        }
    }
    table(
        &[
            "lead",
            "likelihood",
            "priority",
            "reasons (log-odds against the average lead of the same age)",
        ],
        &rows,
    )
}

impl Scores<'_> {
    /// The first leads that are prioritized with their reasons, as a table for the terminal.
    ///
    /// # Errors
    ///
    /// As [`Self::reasons`].
    pub fn first(&self, n: usize) -> crate::Result<String> {
        let lead = |row: usize| -> crate::Result<FirstLead> {
            let reasons = self
                .reasons(row)?
                .into_iter()
                .map(|reason| (reason.text, reason.log_odds))
                .collect();
            let likelihood = 100.0 * self.scored.probabilities[row];
            Ok(FirstLead {
                lead: self.lead(row).to_owned(),
                likelihood,
                tier: self.tiers[row].name().to_owned(),
                reasons,
            })
        };
        Ok(first_leads(
            self.prioritized(n)
                .into_iter()
                .map(lead)
                .collect::<crate::Result<Vec<_>>>()?,
        ))
    }
}
