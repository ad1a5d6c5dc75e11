//! `export points`: a model as rules that any system can add up, with what that costs.

use std::fmt::Write as _;

use anyhow::bail;
use leadscore_core::log_odds_to_probability;
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_metrics::{log_loss, roc_auc};
use leadscore_rules::{BoundRules, RulesFile};
use leadscore_tables::check_target;
use leadscore_training::{CalibrationKind, PointsCondition, PointsTable, points_table};

use crate::args::{ExportCommand, ExportPointsArgs};
use crate::commands::Outcome;
use crate::commands::train::write_text;
use crate::project::{Project, describe_counts, features_of, read_model};
use crate::show;

pub(crate) fn run(command: &ExportCommand) -> anyhow::Result<Outcome> {
    let ExportCommand::Points(args) = command;
    points(args)
}

/// Numbers of rules that the table of losses shows.
const SIZES: [usize; 4] = [10, 20, 50, 100];

fn points(args: &ExportPointsArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    let project = Project::open(&args.config.config)?;
    check_target(&args.output)?;
    let tables = project.load_for(&model, None)?;
    let (labelled, counts) = leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, None);
    show::remark(&describe_counts(&counts, &project));
    let wins = labelled.labels.iter().filter(|label| **label).count();
    if wins == 0 || wins == labelled.labels.len() {
        bail!("{wins} of {} mature snapshots were won: both wins and others are needed to measure what points cost", labelled.labels.len());
    }
    let matrix = features_of(&tables, &model.specs, &labelled.snapshots)?;
    let scored = score(&model, &matrix)?;
    let tiers = quartile_tiers(&scored.probabilities);
    let wanted = usize::from(args.rules);
    let mut rows = vec![vec![
        "the model".to_owned(),
        format!("{:.4}", roc_auc(&labelled.labels, &scored.probabilities)?),
        format!("{:.4}", log_loss(&labelled.labels, &scored.probabilities)?),
        String::new(),
    ]];
    let mut wanted_table = None;
    for size in SIZES.into_iter().chain((!SIZES.contains(&wanted)).then_some(wanted)) {
        let table = points_table(&matrix, &scored.log_odds, size);
        // The first feature alone may need more rules than that.
        if table.rules.is_empty() {
            continue;
        }
        let rules = BoundRules::new(RulesFile::parse(&rules_text(&model, &table))?, &tables, &model.specs)?;
        let found: Vec<f64> = rules.score(&tables, &labelled.snapshots)?.into_iter().map(|score| score.points).collect();
        // Points as probabilities, so that a line in log-odds can be fitted to them.
        let log_odds: Vec<f64> = found.iter().map(|points| (points - 50.0) / 15.0).collect();
        let said: Vec<f64> = log_odds.iter().map(|&log_odds| log_odds_to_probability(log_odds)).collect();
        let line = CalibrationKind::Line.fit(&labelled.labels, &said)?;
        let calibrated: Vec<f64> = log_odds.iter().map(|&log_odds| log_odds_to_probability(line.at(log_odds))).collect();
        let same = quartile_tiers(&found).iter().zip(&tiers).filter(|(a, b)| a == b).count();
        rows.push(vec![
            format!("{} rules", table.rules.len()),
            format!("{:.4}", roc_auc(&labelled.labels, &found)?),
            format!("{:.4}", log_loss(&labelled.labels, &calibrated)?),
            format!("{:.0} %", 100.0 * same as f64 / tiers.len() as f64),
        ]);
        if size == wanted {
            wanted_table = Some(table);
        }
    }
    show::result(&show::table(&["", "AUC", "log-loss, points calibrated", "same tier"], &rows));
    let Some(table) = wanted_table else {
        bail!("{wanted} rules hold no feature of this model: allow more with --rules; a model that gives everyone the win rate has none at all");
    };
    show::remark("measured on all mature snapshots, those of training among them: `evaluate --rules` measures on later ones");
    write_text(&args.output, &rules_text(&model, &table))?;
    show::remark(&format!("wrote {} rules to {}", table.rules.len(), args.output.display()));
    Ok(Outcome::Done)
}

/// The table as a file of rules; a JSON text is a TOML text.
fn rules_text(model: &Model, table: &PointsTable) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "# Points of model {}: {:.1} more double the odds.\n[score]\nbase = {}\n",
        model.card.model_id,
        std::f64::consts::LN_2 * table.per_log_odds,
        table.base
    );
    for rule in &table.rules {
        let spec = &model.specs[rule.feature_idx];
        let what = spec.describe();
        let (name, condition) = match &rule.condition {
            PointsCondition::Range(above, up_to) => {
                let named = match (above, up_to) {
                    (Some(above), Some(up_to)) => format!("{what}: above {above}, up to {up_to}"),
                    (Some(above), None) => format!("{what}: above {above}"),
                    (None, Some(up_to)) => format!("{what}: up to {up_to}"),
                    (None, None) => format!("{what}: any value"),
                };
                let keys = [above.map(|above| format!("above = {above:?}")), up_to.map(|up_to| format!("max = {up_to:?}"))];
                let keys: Vec<String> = keys.into_iter().flatten().collect();
                (named, if keys.is_empty() { "missing = false".to_owned() } else { keys.join("\n") })
            }
            PointsCondition::Levels(levels) => {
                (format!("{what}: {}", levels.join(", ")), format!("in = [{}]", levels.iter().map(|level| quoted(level)).collect::<Vec<_>>().join(", ")))
            }
            PointsCondition::Missing => (format!("{what}: none"), "missing = true".to_owned()),
        };
        let _ = write!(text, "\n[[rule]]\nname = {}\nfeature = {}\n{condition}\npoints = {}\n", quoted(&name), quoted(&spec.name), rule.points);
    }
    text
}
