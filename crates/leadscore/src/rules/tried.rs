//! What rules do to the leads at hand, and whether the examples of their file hold.

use std::path::Path;

use leadscore_config::ConfigError;
use leadscore_core::{agree, count, counted};
use leadscore_dataset::LoadOptions;

use super::bench::{Bench, in_points, rounded};
use super::columns::check_columns;
use super::read::ReadRules;
use crate::config_failure::ConfigFailure;
use crate::data::Data;
use crate::explain::find_lead;
use crate::text::table;

/// What rules do to the leads at hand.
pub struct RulesCheck {
    /// How many leads each rule applies to.
    pub table: String,
    /// Examples that do not hold, each with its place in the file.
    pub failed_examples: Vec<crate::Error>,
}

/// Tries rules on the open leads, and the examples of their file.
///
/// # Errors
///
/// As [`rules_table`](crate::rules_table).
pub fn check_rules(data: &Data, rules: ReadRules) -> crate::Result<RulesCheck> {
    check_columns(data, std::slice::from_ref(&rules))?;
    let path = rules.path.clone();
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, &[rules])?;
    let rules = &bench.scheme().rules;
    let open = bench.open_leads();
    let scores = rules.score(bench.tables, &open)?;
    let mut counts = vec![(0_usize, 0.0); rules.file().rules.len()];
    for contribution in scores.iter().flat_map(|score| &score.contributions) {
        counts[contribution.rule].0 += 1;
        counts[contribution.rule].1 += contribution.points;
    }
    // A rule that only disqualifies contributes no points.
    for rule in scores
        .iter()
        .filter_map(|score| score.disqualified_by)
        .filter(|&rule| rules.file().rules[rule].points == 0.0)
    {
        counts[rule].0 += 1;
    }
    let rows: Vec<Vec<String>> = counts
        .iter()
        .enumerate()
        .map(|(rule, (n, sum))| {
            let mean = if *n == 0 {
                String::new()
            } else {
                format!("{:+}", rounded(sum / *n as f64))
            };
            vec![rules.rule_name(rule).to_owned(), count(*n), mean]
        })
        .collect();
    let unused: Vec<&str> = counts
        .iter()
        .enumerate()
        .filter(|(_, (n, _))| *n == 0)
        .map(|(rule, _)| rules.rule_name(rule))
        .collect();
    if !unused.is_empty() {
        data.remark(&format!(
            "of {}, {} to any: {}",
            counted(open.len(), "open lead"),
            agree(
                unused.len(),
                "this rule does not apply",
                "none of these rules applies"
            ),
            unused.join(", ")
        ));
    }
    Ok(RulesCheck {
        table: table(&["rule", "open leads", "mean points"], &rows),
        failed_examples: failed_examples(&bench, &path)?,
    })
}

/// Examples of the file that do not hold, each with its place.
fn failed_examples(bench: &Bench<'_>, path: &Path) -> crate::Result<Vec<crate::Error>> {
    let mut failures = Vec::new();
    for example in &bench.scheme().rules.file().examples {
        let fail = |message: String, help: String| {
            let error = ConfigError {
                message,
                help: Some(help),
                span: Some(example.lead.span()),
                is_unknown_key: false,
            };
            crate::Error::from(ConfigFailure::new(path, &bench.scheme().text, error))
        };
        let id = example.lead.get_ref();
        match find_lead(&bench.data.config, bench.tables, id) {
            Err(error) => failures.push(fail(
                error.to_string(),
                "an example is a lead of these tables".to_owned(),
            )),
            Ok(lead) => {
                let score =
                    bench.point_of(lead, example.as_of.map_or(bench.as_of, |moment| moment.0))?;
                if (score.points - example.points).abs() > 0.05 {
                    let found = format!(
                        "lead `{id}` has {}, and the example expects {}",
                        in_points(rounded(score.points)),
                        example.points
                    );
                    failures.push(fail(
                        found,
                        format!("it got {}", bench.scheme().rule_text(&score)),
                    ));
                }
            }
        }
    }
    Ok(failures)
}
