//! Contributions as tables: lead by concept, lead by feature, and how much each moves scores over
//! all leads.

use std::collections::HashSet;

use leadscore_core::Concept;
use leadscore_features::scoring_snapshots;
use leadscore_inference::{Contributions, Model, score};
use leadscore_io::{OutColumn, OutTable};

use crate::data::Data;
use crate::error::bail;

/// What the columns of a table of contributions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContributionsBy {
    /// A column for each concept, as reasons have them.
    #[default]
    Concept,
    /// A column for each feature, or table over two.
    Feature,
}

/// Contributions of all open leads.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadContributions {
    /// A row for each open lead in order of id; with `baseline_log_odds`, its contributions add up
    /// to `log_odds`.
    pub leads: OutTable,
    /// A row for each contribution: its mean size over the leads, in log-odds, largest first.
    pub importance: OutTable,
}

/// Contributions of every open lead, as it stood at `as_of`, by default the day after the latest
/// time in the data.
///
/// # Errors
///
/// The tables cannot be read, or no lead is open.
pub fn contributions(
    data: &Data,
    model: &Model,
    by: ContributionsBy,
) -> crate::Result<LeadContributions> {
    let tables = data.load_to_score(model)?;
    let as_of = data.moment_of(&tables);
    data.silence(&tables.ends, model, as_of)?;
    let set = scoring_snapshots(&tables, as_of);
    if set.at_risk.is_empty() {
        bail!(
            "no lead is open{}\n  hint: look at --as-of and at [outcomes]",
            data.at(as_of)
        );
    }
    let matrix = data.features_of(&tables, &model.specs, &set.at_risk)?;
    let scored = score(model, &matrix)?;
    let found = model.contributions(&matrix);
    let columns = named_columns(model, by, found);
    let mut leads = OutTable::default();
    leads.push(
        &data.config.leads.id,
        OutColumn::Text(
            set.at_risk
                .iter()
                .map(|key| Some(tables.leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    leads.push(
        "likelihood_to_close",
        OutColumn::Number(scored.probabilities.iter().map(|p| 100.0 * p).collect()),
    );
    leads.push(
        "baseline_log_odds",
        OutColumn::Number(vec![scored.baseline; scored.log_odds.len()]),
    );
    leads.push("log_odds", OutColumn::Number(scored.log_odds));
    let taken: HashSet<String> = leads.columns.iter().map(|(name, _)| name.clone()).collect();
    let columns = unique(columns, taken);
    let importance = importance_table(by, &columns);
    columns
        .into_iter()
        .for_each(|(name, values)| leads.push(&name, OutColumn::Number(values)));
    Ok(LeadContributions { leads, importance })
}

/// The columns of concepts in tables beside other columns, in the order of the model's concepts.
pub(crate) fn concept_columns(model: &Model) -> Vec<String> {
    let concepts = model.concepts();
    let named = concepts
        .as_slice()
        .iter()
        .map(|concept| (Named::of_concept(concept), Vec::new()));
    unique(named.collect(), HashSet::new())
        .into_iter()
        .map(|(name, _)| format!("{CONCEPT_PREFIX}{name}"))
        .collect()
}

/// How columns of contributions by concept begin, beside other columns.
pub const CONCEPT_PREFIX: &str = "log_odds: ";

/// The contributions of all leads, a column each.
fn named_columns(
    model: &Model,
    by: ContributionsBy,
    found: Contributions,
) -> Vec<(Named, Vec<f64>)> {
    match by {
        ContributionsBy::Concept => found
            .concepts
            .into_iter()
            .map(|(concept, values)| (Named::of_concept(&concept), values))
            .collect(),
        ContributionsBy::Feature => {
            let name = |feature_idx: usize| model.specs[feature_idx].name.as_str();
            let named = |first: usize, second: Option<usize>| {
                second.map_or(name(first).to_owned(), |second| {
                    format!("{} with {}", name(first), name(second))
                })
            };
            found
                .features
                .into_iter()
                .map(|column| {
                    (
                        Named {
                            name: named(column.first, column.second),
                            kind: "feature",
                        },
                        column.values,
                    )
                })
                .collect()
        }
    }
}

/// The mean size of each contribution, largest first.
fn importance_table(by: ContributionsBy, columns: &[(String, Vec<f64>)]) -> OutTable {
    let mut sizes: Vec<(&str, f64)> = columns
        .iter()
        .map(|(name, values)| {
            (
                name.as_str(),
                values.iter().map(|value| value.abs()).sum::<f64>() / values.len() as f64,
            )
        })
        .collect();
    sizes.sort_by(|a, b| b.1.total_cmp(&a.1));
    let all: f64 = sizes.iter().map(|(_, size)| size).sum();
    let mut importance = OutTable::default();
    let what = match by {
        ContributionsBy::Concept => "concept",
        ContributionsBy::Feature => "feature",
    };
    importance.push(
        what,
        OutColumn::Text(
            sizes
                .iter()
                .map(|(name, _)| Some((*name).to_owned()))
                .collect(),
        ),
    );
    importance.push(
        "mean_abs_log_odds",
        OutColumn::Number(sizes.iter().map(|(_, size)| *size).collect()),
    );
    importance.push(
        "share",
        OutColumn::Number(
            sizes
                .iter()
                .map(|(_, size)| if all > 0.0 { size / all } else { 0.0 })
                .collect(),
        ),
    );
    importance
}

/// A column's name, and what it names, for those that are named alike.
struct Named {
    name: String,
    kind: &'static str,
}

impl Named {
    /// A concept's name, and which kind of concept it is.
    fn of_concept(concept: &Concept) -> Self {
        let kind = match concept {
            Concept::Age | Concept::Calendar => "time",
            Concept::Attribute { .. } => "attribute",
            Concept::Activity { .. } => "activity",
            Concept::Account => "other leads",
            Concept::Reopened => "log",
            Concept::Both(..) => "pair",
        };
        Self {
            name: concept.to_string(),
            kind,
        }
    }
}

/// Names that differ: those that occur twice, or are taken, say what they are.
fn unique(columns: Vec<(Named, Vec<f64>)>, mut taken: HashSet<String>) -> Vec<(String, Vec<f64>)> {
    let names: Vec<String> = columns
        .iter()
        .map(|(named, _)| named.name.clone())
        .collect();
    let is_alone = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let mut found = Vec::with_capacity(columns.len());
    for (named, values) in columns {
        let mut name = if is_alone(&named.name) && !taken.contains(&named.name) {
            named.name
        } else {
            format!("{} ({})", named.name, named.kind)
        };
        while taken.contains(&name) {
            name.push('\'');
        }
        taken.insert(name.clone());
        found.push((name, values));
    }
    found
}
