//! A model as points that any system can add up, with what that costs.

use std::fmt::Write as _;

use leadscore_core::{Snapshot, agree, counted};
use leadscore_inference::{Model, quartile_tiers, score};
use leadscore_io::{OutColumn, OutTable};
use leadscore_metrics::{Clusters, PointsCalibration, cross_calibrated, log_loss, roc_auc};
use leadscore_report::{PointsLoss, PointsSheet, points_page};
use leadscore_rules::{BoundRules, RulesFile};
use leadscore_training::{PointsCondition, PointsRule, PointsTable, points_table};

use crate::data::{Data, cluster_keys, describe_counts};
use crate::error::bail;
use crate::text::table as text_table;

/// Numbers of rules that the table of losses shows.
const SIZES: [usize; 4] = [10, 20, 50, 100];

/// A model as points, and how much worse points of several sizes are than the model.
pub struct Points {
    losses: Vec<PointsLoss>,
    measured_on: String,
    n_wanted: usize,
    rules: Option<Rules>,
}

/// The rules that were asked for.
struct Rules {
    table: PointsTable,
    texts: Vec<RuleText>,
    toml: String,
    sheet: PointsSheet,
}

/// More rules than anybody types.
pub const MOST_RULES: usize = 500;

/// Turns a model into at most `n_rules` rules whose points add up, and measures what that costs on
/// snapshots that the model has not seen, where there are enough.
///
/// # Errors
///
/// The tables cannot be read, or have no wins or no others; no rules are asked for, or more than
/// [`MOST_RULES`].
pub fn export_points(data: &Data, model: &Model, n_rules: usize) -> crate::Result<Points> {
    if !(1..=MOST_RULES).contains(&n_rules) {
        bail!("{n_rules} rules are not possible: expected 1 to {MOST_RULES}");
    }
    let tables = data.load_for(model)?;
    let (labelled, counts) =
        leadscore_features::labelled_snapshots(&tables, &data.config.snapshots, data.known_before)?;
    data.remark(&describe_counts(&counts, data));
    let wins = labelled.labels.iter().filter(|label| **label).count();
    if wins == 0 || wins == labelled.labels.len() {
        bail!(
            "{wins} of {} {} won: both wins and others are needed to measure what points cost",
            counted(labelled.labels.len(), "mature snapshot"),
            agree(wins, "was", "were")
        );
    }
    let matrix = data.features_of(&tables, &model.specs, &labelled.snapshots)?;
    let scored = score(model, &matrix)?;
    let measured = Measured::choose(
        model,
        &labelled.snapshots,
        &labelled.labels,
        &cluster_keys(&tables, &labelled.snapshots),
    );
    let probabilities = measured.pick(&scored.probabilities);
    let tiers = quartile_tiers(&probabilities);
    let mut losses = vec![PointsLoss {
        name: "the model".to_owned(),
        auc: roc_auc(&measured.labels, &probabilities)?,
        log_loss: log_loss(&measured.labels, &probabilities)?,
        same_tier: None,
    }];
    let mut wanted = None;
    let also = (!SIZES.contains(&n_rules)).then_some(n_rules);
    for size in SIZES.into_iter().chain(also) {
        let table = points_table(&matrix, &scored.log_odds, size);
        // The first feature alone may need more rules than that.
        if table.rules.is_empty() {
            continue;
        }
        let rules = BoundRules::new(
            RulesFile::parse(&rules_text(model, &table))?,
            &tables,
            &model.specs,
        )?;
        let found: Vec<f64> = rules
            .score(&tables, &labelled.snapshots)?
            .into_iter()
            .map(|score| score.points)
            .collect();
        let points = measured.pick(&found);
        losses.push(measured.loss(&table, &points, &tiers)?);
        if size == n_rules {
            let curve = PointsCalibration::fit(&measured.labels, &points)?;
            wanted = Some((table, curve));
        }
    }
    let rules =
        wanted.map(|(table, curve)| Rules::new(model, table, &curve, &losses, &measured.words));
    Ok(Points {
        losses,
        measured_on: measured.words,
        n_wanted: n_rules,
        rules,
    })
}

impl Points {
    /// What points lose against the model, the model first.
    pub fn losses(&self) -> &[PointsLoss] {
        &self.losses
    }

    /// Which rows that was measured on, in words.
    pub fn measured_on(&self) -> &str {
        &self.measured_on
    }

    /// The losses as a table for the terminal.
    pub fn losses_text(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .losses
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
        text_table(
            &["", "AUC", "log-loss, points calibrated", "same tier"],
            &rows,
        )
    }

    fn rules(&self) -> crate::Result<&Rules> {
        let Some(rules) = &self.rules else {
            bail!(
                "{} {} too few for any feature of this model\n  hint: allow more with --rules; a base-rate model has no features",
                counted(self.n_wanted, "rule"),
                agree(self.n_wanted, "is", "are")
            );
        };
        Ok(rules)
    }

    /// Number of rules.
    ///
    /// # Errors
    ///
    /// So few rules hold no feature of the model.
    pub fn n_rules(&self) -> crate::Result<usize> {
        Ok(self.rules()?.table.rules.len())
    }

    /// The rules as a `rules.toml`.
    ///
    /// # Errors
    ///
    /// As [`Self::n_rules`].
    pub fn toml(&self) -> crate::Result<&str> {
        Ok(&self.rules()?.toml)
    }

    /// The rules as a table to type from: feature, meaning, condition, points.
    ///
    /// # Errors
    ///
    /// As [`Self::n_rules`].
    pub fn table(&self) -> crate::Result<OutTable> {
        let rules = self.rules()?;
        Ok(points_csv(&rules.table, &rules.texts))
    }

    /// The rules as a page that prints well.
    ///
    /// # Errors
    ///
    /// As [`Self::n_rules`].
    pub fn html(&self) -> crate::Result<String> {
        Ok(points_page(&self.rules()?.sheet)?)
    }
}

impl Rules {
    fn new(
        model: &Model,
        table: PointsTable,
        curve: &PointsCalibration,
        losses: &[PointsLoss],
        measured_on: &str,
    ) -> Self {
        let texts: Vec<RuleText> = table
            .rules
            .iter()
            .map(|rule| RuleText::new(model, rule))
            .collect();
        let stand: Vec<f64> = (0..=10).map(|step| f64::from(10 * step)).collect();
        let sheet = PointsSheet {
            model_id: model.card.model_id.clone(),
            base: table.base,
            rules: table
                .rules
                .iter()
                .zip(&texts)
                .map(|(rule, text)| (text.feature.clone(), text.condition.clone(), rule.points))
                .collect(),
            losses: losses.to_vec(),
            measured_on: measured_on.to_owned(),
            likelihoods: stand.iter().copied().zip(curve.apply(&stand)).collect(),
        };
        Self {
            toml: rules_text(model, &table),
            table,
            texts,
            sheet,
        }
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
    fn choose(model: &Model, snapshots: &[Snapshot], labels: &[bool], clusters: &[u64]) -> Self {
        let later: Vec<usize> = (0..labels.len())
            .filter(|&row| snapshots[row].at.micros() >= model.card.training_cutoff_micros)
            .collect();
        let wins = later.iter().filter(|&&row| labels[row]).count();
        let is_later = wins >= ENOUGH_WINS && later.len() - wins >= ENOUGH_WINS;
        let rows = if is_later {
            later
        } else {
            (0..labels.len()).collect()
        };
        let n = rows.len();
        let words = if is_later {
            format!(
                "{} that came after the training cutoff",
                counted(n, "snapshot")
            )
        } else {
            format!(
                "all {}, those of training among them: too few came after the training cutoff; a model trained as of an earlier day leaves later ones to measure on",
                counted(n, "mature snapshot")
            )
        };
        Self {
            labels: rows.iter().map(|&row| labels[row]).collect(),
            clusters: Clusters::new(&rows.iter().map(|&row| clusters[row]).collect::<Vec<_>>()),
            rows,
            words,
        }
    }

    /// What points of these rows lose, in place of the model's `tiers`.
    fn loss(
        &self,
        table: &PointsTable,
        points: &[f64],
        tiers: &[leadscore_core::ContactPriority],
    ) -> crate::Result<PointsLoss> {
        let calibrated = cross_calibrated(&self.labels, points, &self.clusters)?;
        let same = quartile_tiers(points)
            .iter()
            .zip(tiers)
            .filter(|(a, b)| a == b)
            .count();
        Ok(PointsLoss {
            name: counted(table.rules.len(), "rule"),
            auc: roc_auc(&self.labels, points)?,
            log_loss: log_loss(&self.labels, &calibrated)?,
            same_tier: Some(same as f64 / tiers.len() as f64),
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
