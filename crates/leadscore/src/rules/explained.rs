//! The points of one lead in words.

use leadscore_dataset::LoadOptions;
use leadscore_rules::{BoundRules, PointsScore};

use super::bench::{Bench, in_points, rounded};
use super::reached::reached;
use super::read::ReadRules;
use crate::data::Data;
use crate::explain::find_lead;
use crate::text::table;

/// The points of one lead, rule by rule, in words.
///
/// # Errors
///
/// There is no such lead; else as [`rules_table`](crate::rules_table).
pub fn explain_rules(data: &Data, rules: ReadRules, id: &str) -> crate::Result<String> {
    let tables = data.load(&LoadOptions::default())?;
    let bench = Bench::new(data, &tables, &[rules])?;
    let rules = &bench.scheme().rules;
    let lead = find_lead(&bench.data.config, bench.tables, id)?;
    let score = bench.point_of(lead, bench.as_of)?;
    let mut lines = vec![
        format!("lead {id}"),
        table(&["rule", "points"], &rows(rules, &score)),
    ];
    lines.extend(combined(rules, &score));
    lines.extend(standing(rules, &score));
    Ok(lines.join("\n"))
}

/// Rules and points of a lead, the sum last.
fn rows(rules: &BoundRules, score: &PointsScore) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = score
        .contributions
        .iter()
        .map(|contribution| {
            vec![
                rules.rule_name(contribution.rule).to_owned(),
                format!("{:+}", rounded(contribution.points)),
            ]
        })
        .collect();
    for (name, points) in [
        ("everyone's base", rules.file().score.base),
        ("caps of groups", score.group_caps),
        ("bounds of the score", score.bounds),
    ] {
        if points != 0.0 {
            rows.push(vec![name.to_owned(), format!("{:+}", rounded(points))]);
        }
    }
    if let Some(rule) = score.disqualified_by {
        rows.push(vec![
            format!("disqualified by \"{}\"", rules.rule_name(rule)),
            String::new(),
        ]);
    }
    rows.push(vec![
        rules.file().score.name.get_ref().clone(),
        rounded(score.points).to_string(),
    ]);
    rows
}

/// What the rules that put several conditions together ask for.
fn combined(rules: &BoundRules, score: &PointsScore) -> Vec<String> {
    let mut places: Vec<usize> = score.contributions.iter().map(|part| part.rule).collect();
    places.extend(score.disqualified_by.filter(|rule| !places.contains(rule)));
    places
        .into_iter()
        .map(|place| &rules.file().rules[place])
        .filter(|rule| rule.is_combined())
        .map(|rule| format!("\"{}\" applies: {}", rule.name.get_ref(), rule.in_words()))
        .collect()
}

/// The grade, the points to the next threshold, and the cell.
fn standing(rules: &BoundRules, score: &PointsScore) -> Vec<String> {
    let file = rules.file();
    let next = file
        .thresholds()
        .into_iter()
        .rev()
        .find(|threshold| score.points < threshold.from);
    let mut lines = Vec::new();
    lines.extend(reached(&file.grades(), score.points).map(|grade| format!("grade {grade}")));
    lines.extend(next.map(|next| {
        format!(
            "{} to `{}`",
            in_points(rounded(next.from - score.points)),
            next.name
        )
    }));
    if let Some((label, action)) = score.cell.and_then(|cell| rules.cell(cell)) {
        lines.push(format!(
            "cell {label}{}",
            action.map_or(String::new(), |action| format!(": {action}"))
        ));
    }
    lines
}
