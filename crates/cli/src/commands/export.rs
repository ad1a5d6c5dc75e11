//! `export`: a model as rules that any system can add up, with what that costs, as SQL, as ONNX, as
//! PMML, or as JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore_core::{ContactPriority, FeatureMatrix, Snapshot};
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_metrics::{Clusters, PointsCalibration, cross_calibrated, log_loss, roc_auc};
use leadscore_report::{PointsLoss, PointsSheet, points_page};
use leadscore_rules::{BoundRules, RulesFile};
use leadscore_sql::{ScoreTable, score_sql};
use leadscore_tables::{OutColumn, OutTable, Tables, TierEdges, check_target, refuse_inputs};
use leadscore_training::{PointsCondition, PointsRule, PointsTable, points_table};
use leadscore_workflow::{
    Outputs, cluster_keys, describe_counts, model_with_features_sql, read_model,
    table as text_table, tier_edges_of, write_bytes, write_text,
};

use crate::args::{
    ConfigArg, ExportCommand, ExportFileArgs, ExportPointsArgs, ExportSqlArgs, PointsFormat,
};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(command: &ExportCommand) -> anyhow::Result<Outcome> {
    match command {
        ExportCommand::Points(args) => points(args),
        ExportCommand::Sql(args) => sql(args),
        ExportCommand::Onnx(args) => file(args, "score.onnx", |model| Ok(model.to_onnx()?)),
        ExportCommand::Pmml(args) => file(args, "score.pmml", |model| {
            Ok(model.to_pmml()?.into_bytes())
        }),
        ExportCommand::Json(args) => file(args, "score.json", |model| {
            Ok(serde_json::to_vec_pretty(model)?)
        }),
    }
}

fn file(
    args: &ExportFileArgs,
    default: &str,
    content: impl Fn(&Model) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Outcome> {
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(default));
    check_target(&path)?;
    refuse_inputs([path.as_path()], std::slice::from_ref(&args.model))?;
    write_bytes(&path, &content(&read_model(&args.model)?)?)?;
    show::remark(&format!("wrote {}", path.display()));
    Ok(Outcome::Done)
}

fn sql(args: &ExportSqlArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    check_target(&args.output)?;
    refuse_inputs([args.output.as_path()], std::slice::from_ref(&args.model))?;
    let text = if args.features {
        let mut project = show::open(&args.config)?;
        project.config.tiers.edges = args.edges.unwrap_or(project.config.tiers.edges);
        project.refuse_inputs([&args.output], &[])?;
        let as_of = project.moments("--as-of", args.as_of.as_ref())?;
        model_with_features_sql(
            &project,
            &model,
            args.dialect,
            &args.place.iter().cloned().collect(),
            as_of,
        )?
    } else {
        let edges = args.edges.map_or_else(|| edges_of_config(args), Ok)?;
        let table = ScoreTable {
            dialect: args.dialect,
            table: args.table.clone(),
            keys: args.key.clone(),
            edges,
        };
        score_sql(&model, &table).context("cannot write the model as SQL")?
    };
    write_text(&args.output, &text)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

/// Where tiers begin by the config, where there is one; said, since a statement may go where no
/// config is.
fn edges_of_config(args: &ExportSqlArgs) -> anyhow::Result<TierEdges> {
    let path = &args.config.config;
    let has_config = path.exists() || path != Path::new(ConfigArg::DEFAULT);
    let edges = if has_config {
        tier_edges_of(path)?
    } else {
        TierEdges::Relative
    };
    let by = if has_config {
        format!("as [tiers] of {} says", path.display())
    } else {
        "since there is no config that says otherwise".to_owned()
    };
    show::remark(&match edges {
        TierEdges::Relative => format!(
            "tiers are quartiles of all rows of the table, {by}; --edges frozen takes the model's own edges"
        ),
        TierEdges::Frozen => format!("tiers begin at the model's own edges, {by}"),
        TierEdges::Percent([first, second, third]) => {
            format!("tiers begin at {first} %, {second} % and {third} %, {by}")
        }
    });
    Ok(edges)
}

/// Numbers of rules that the table of losses shows.
const SIZES: [usize; 4] = [10, 20, 50, 100];

fn points(args: &ExportPointsArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    let files = points_files(args);
    files.iter().try_for_each(|(_, path)| check_target(path))?;
    let project = show::open(&args.config)?;
    project.refuse_inputs(
        files.iter().map(|(_, path)| path),
        std::slice::from_ref(&args.model),
    )?;
    let tables = project.load_for(&model, None)?;
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(&tables, &project.config.snapshots, None)?;
    show::remark(&describe_counts(&counts, &project));
    let wins = labelled.labels.iter().filter(|label| **label).count();
    if wins == 0 || wins == labelled.labels.len() {
        bail!(
            "{wins} of {} mature snapshots were won: both wins and others are needed to measure what points cost",
            labelled.labels.len()
        );
    }
    let matrix = project.features_of(&tables, &model.specs, &labelled.snapshots)?;
    let scored = score(&model, &matrix)?;
    let measured = Measured::choose(
        &model,
        &labelled.snapshots,
        &labelled.labels,
        &cluster_keys(&tables, &labelled.snapshots),
    )?;
    let probabilities = measured.pick(&scored.probabilities);
    let comparison = Comparison {
        tiers: quartile_tiers(&probabilities),
        probabilities,
        model: &model,
        tables: &tables,
        snapshots: &labelled.snapshots,
        measured: &measured,
    };
    let wanted = usize::from(args.rules);
    let (losses, found) = comparison.of_sizes(&matrix, &scored.log_odds, wanted)?;
    show_losses(&losses);
    let Some(CalibratedTable { table, curve }) = found else {
        bail!(
            "{wanted} rules hold no feature of this model: allow more with --rules; a model that gives everyone the win rate has none at all"
        );
    };
    show::remark(&format!("measured on {}", measured.words));
    let texts: Vec<RuleText> = table
        .rules
        .iter()
        .map(|rule| RuleText::new(&model, rule))
        .collect();
    let sheet = points_sheet(&model, &table, &texts, &curve, losses, measured.words);
    let mut outputs = Outputs::default();
    for (format, path) in &files {
        match format {
            PointsFormat::Toml => outputs.text(path, &rules_text(&model, &table))?,
            PointsFormat::Csv => outputs.table(path, &points_csv(&table, &texts))?,
            PointsFormat::Html => outputs.text(path, &points_page(&sheet)?)?,
        }
    }
    show::remark(&format!("the table has {} rules", table.rules.len()));
    show::publish(outputs)?;
    Ok(Outcome::Done)
}

/// Where each form of the rules is written.
fn points_files(args: &ExportPointsArgs) -> Vec<(PointsFormat, PathBuf)> {
    let place = |format: &PointsFormat| match format {
        PointsFormat::Toml => args.output.clone(),
        PointsFormat::Csv => args.output.with_extension("csv"),
        PointsFormat::Html => args.output.with_extension("html"),
    };
    args.format
        .iter()
        .map(|format| (*format, place(format)))
        .collect()
}

/// A table of points, and the likelihood that goes with each number of them.
struct CalibratedTable {
    table: PointsTable,
    curve: PointsCalibration,
}

/// Points against the model that they are made of, on the same rows.
struct Comparison<'a> {
    model: &'a Model,
    tables: &'a Tables,
    /// Those of the matrix.
    snapshots: &'a [Snapshot],
    measured: &'a Measured,
    /// The model's own, of the measured rows.
    probabilities: Vec<f64>,
    tiers: Vec<ContactPriority>,
}

impl Comparison<'_> {
    /// What the model and tables of several sizes lose, the model first; and the table of the size
    /// that is wanted, with the likelihoods of its points, unless it has no rule.
    fn of_sizes(
        &self,
        matrix: &FeatureMatrix,
        log_odds: &[f64],
        wanted: usize,
    ) -> anyhow::Result<(Vec<PointsLoss>, Option<CalibratedTable>)> {
        let labels = &self.measured.labels;
        let mut losses = vec![PointsLoss {
            name: "the model".to_owned(),
            auc: roc_auc(labels, &self.probabilities)?,
            log_loss: log_loss(labels, &self.probabilities)?,
            same_tier: None,
        }];
        let mut found = None;
        for size in SIZES
            .into_iter()
            .chain((!SIZES.contains(&wanted)).then_some(wanted))
        {
            let table = points_table(matrix, log_odds, size);
            // The first feature alone may need more rules than that.
            if table.rules.is_empty() {
                continue;
            }
            let points = self.points(&table)?;
            losses.push(self.loss(&table, &points)?);
            if size == wanted {
                let curve = PointsCalibration::fit(labels, &points)?;
                found = Some(CalibratedTable { table, curve });
            }
        }
        Ok((losses, found))
    }

    /// The points of the measured rows, by the rules as a file would have them.
    fn points(&self, table: &PointsTable) -> anyhow::Result<Vec<f64>> {
        let rules = BoundRules::new(
            RulesFile::parse(&rules_text(self.model, table))?,
            self.tables,
            &self.model.specs,
        )?;
        let points: Vec<f64> = rules
            .score(self.tables, self.snapshots)?
            .into_iter()
            .map(|score| score.points)
            .collect();
        Ok(self.measured.pick(&points))
    }

    /// What a table loses.
    fn loss(&self, table: &PointsTable, points: &[f64]) -> anyhow::Result<PointsLoss> {
        let Measured {
            labels, clusters, ..
        } = self.measured;
        let calibrated = cross_calibrated(labels, points, clusters)?;
        let same = quartile_tiers(points)
            .iter()
            .zip(&self.tiers)
            .filter(|(a, b)| a == b)
            .count();
        Ok(PointsLoss {
            name: format!("{} rules", table.rules.len()),
            auc: roc_auc(labels, points)?,
            log_loss: log_loss(labels, &calibrated)?,
            same_tier: Some(same as f64 / self.tiers.len() as f64),
        })
    }
}

/// Prints what points lose against the model.
fn show_losses(losses: &[PointsLoss]) {
    let rows: Vec<Vec<String>> = losses
        .iter()
        .map(|loss| {
            vec![
                loss.name.clone(),
                format!("{:.4}", loss.auc),
                format!("{:.4}", loss.log_loss),
                loss.same_tier
                    .map_or(String::new(), |share| format!("{:.0} %", 100.0 * share)),
            ]
        })
        .collect();
    show::result(&text_table(
        &["", "AUC", "log-loss, points calibrated", "same tier"],
        &rows,
    ));
}

/// The table for a page, with the likelihoods of 0 to 100 points.
fn points_sheet(
    model: &Model,
    table: &PointsTable,
    texts: &[RuleText],
    curve: &PointsCalibration,
    losses: Vec<PointsLoss>,
    measured_on: String,
) -> PointsSheet {
    let stand: Vec<f64> = (0..=10).map(|step| f64::from(10 * step)).collect();
    PointsSheet {
        model_id: model.card.model_id.clone(),
        base: table.base,
        rules: table
            .rules
            .iter()
            .zip(texts)
            .map(|(rule, text)| (text.feature.clone(), text.condition.clone(), rule.points))
            .collect(),
        losses,
        measured_on,
        likelihoods: curve
            .apply(&stand)
            .into_iter()
            .zip(&stand)
            .map(|(likelihood, points)| (*points, likelihood))
            .collect(),
    }
}

/// The rows that points and the model are measured on.
struct Measured {
    rows: Vec<usize>,
    labels: Vec<bool>,
    clusters: Clusters,
    /// Which they are, in words.
    words: String,
}

/// Wins that later rows need, to be measured on.
const ENOUGH_WINS: usize = 50;

impl Measured {
    /// Rows that the model has not seen, where there are enough of them; else all.
    fn choose(
        model: &Model,
        snapshots: &[Snapshot],
        labels: &[bool],
        clusters: &[u64],
    ) -> anyhow::Result<Self> {
        let later: Vec<usize> = (0..labels.len())
            .filter(|&row| snapshots[row].at.micros() >= model.card.known_until_micros)
            .collect();
        let wins = later.iter().filter(|&&row| labels[row]).count();
        let is_later = wins >= ENOUGH_WINS && later.len() - wins >= ENOUGH_WINS;
        let rows = if is_later {
            later
        } else {
            (0..labels.len()).collect()
        };
        let n = show::count(rows.len());
        let words = if is_later {
            format!("{n} snapshots that came after what the model knows")
        } else {
            format!(
                "all {n} mature snapshots, those of training among them: too few came after what the model knows; train with an earlier --as-of to measure on later ones"
            )
        };
        Ok(Self {
            labels: rows.iter().map(|&row| labels[row]).collect(),
            clusters: Clusters::new(&rows.iter().map(|&row| clusters[row]).collect::<Vec<_>>()),
            rows,
            words,
        })
    }

    fn pick(&self, values: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|&row| values[row]).collect()
    }
}

fn points_csv(table: &PointsTable, texts: &[RuleText]) -> OutTable {
    let mut out = OutTable::default();
    let column = |first: &str, of: fn(&RuleText) -> &String| {
        OutColumn::Text(
            std::iter::once(Some(first.to_owned()))
                .chain(texts.iter().map(|text| Some(of(text).clone())))
                .collect(),
        )
    };
    out.push("feature", column("", |text| &text.column));
    out.push("meaning", column("everyone's base", |text| &text.feature));
    out.push("condition", column("", |text| &text.condition));
    out.push(
        "points",
        OutColumn::Integer(
            std::iter::once(Some(i64::from(table.base)))
                .chain(table.rules.iter().map(|rule| Some(i64::from(rule.points))))
                .collect(),
        ),
    );
    out
}

/// A rule in words and as keys of a file of rules.
struct RuleText {
    /// Name of the feature.
    column: String,
    /// The feature in words.
    feature: String,
    /// When the rule applies, in words.
    condition: String,
    /// The same as keys.
    keys: String,
}

impl RuleText {
    fn new(model: &Model, rule: &PointsRule) -> Self {
        let spec = &model.specs[rule.feature_idx];
        let (condition, keys) = match &rule.condition {
            PointsCondition::Range(above, up_to) => {
                // People need no sixteen digits; the keys keep them.
                let short = |value: &f64| {
                    format!("{value:.4}")
                        .trim_end_matches('0')
                        .trim_end_matches('.')
                        .to_owned()
                };
                let named = match (above, up_to) {
                    (Some(above), Some(up_to)) => {
                        format!("above {}, up to {}", short(above), short(up_to))
                    }
                    (Some(above), None) => format!("above {}", short(above)),
                    (None, Some(up_to)) => format!("up to {}", short(up_to)),
                    (None, None) => "any value".to_owned(),
                };
                let keys = [
                    above.map(|above| format!("above = {above:?}")),
                    up_to.map(|up_to| format!("max = {up_to:?}")),
                ];
                let keys: Vec<String> = keys.into_iter().flatten().collect();
                (
                    named,
                    if keys.is_empty() {
                        "missing = false".to_owned()
                    } else {
                        keys.join("\n")
                    },
                )
            }
            PointsCondition::Levels(levels) => (
                levels.join(", "),
                format!(
                    "in = [{}]",
                    levels
                        .iter()
                        .map(|level| quoted(level))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ),
            PointsCondition::Missing => ("none".to_owned(), "missing = true".to_owned()),
        };
        Self {
            column: spec.name.clone(),
            feature: spec.describe(),
            condition,
            keys,
        }
    }
}

/// A JSON text is a TOML text.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The table as a file of rules.
fn rules_text(model: &Model, table: &PointsTable) -> String {
    let mut text = format!(
        "# Points of model {}: {:.1} more double the odds.\n[score]\nbase = {}\n",
        model.card.model_id,
        std::f64::consts::LN_2 * table.per_log_odds,
        table.base
    );
    for rule in &table.rules {
        let RuleText {
            column,
            feature,
            condition,
            keys,
        } = RuleText::new(model, rule);
        let name = quoted(&format!("{feature}: {condition}"));
        let _ = write!(
            text,
            "\n[[rule]]\nname = {name}\nfeature = {}\n{keys}\npoints = {}\n",
            quoted(&column),
            rule.points
        );
    }
    text
}
