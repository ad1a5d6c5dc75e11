//! Points of open leads as numbers, for callers that show them beside scores.

use leadscore_dataset::LoadOptions;

use super::bench::Bench;
use super::columns::check_columns;
use super::read::ReadRules;
use crate::data::Data;

/// The points of an open lead.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadPoints {
    /// The lead.
    pub lead: String,
    /// All points together; NaN where the lead does not have the score.
    pub points: f64,
    /// Points by rule: its name, what it gives.
    pub by_rule: Vec<(String, f64)>,
}

/// Points of every open lead by one file of rules.
///
/// # Errors
///
/// As [`rules_table`](crate::rules_table).
pub fn lead_points(data: &Data, rules: ReadRules) -> crate::Result<Vec<LeadPoints>> {
    let files = [rules];
    check_columns(data, &files)?;
    let tables = data.load_once(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, &files)?;
    let open = bench.open_leads();
    let scores = bench.score(&open)?.remove(0);
    let names = &bench.scheme().rules;
    Ok(open
        .iter()
        .zip(scores)
        .map(|(snapshot, score)| LeadPoints {
            lead: tables.leads.ids[snapshot.lead as usize].clone(),
            points: score.points,
            by_rule: score
                .contributions
                .iter()
                .map(|part| (names.rule_name(part.rule).to_owned(), part.points))
                .collect(),
        })
        .collect())
}
